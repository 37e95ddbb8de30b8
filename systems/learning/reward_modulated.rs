//! Reward gates what a rule has noted.

use super::prepare::{self, Applied};
use super::{Learner, Plastic, PlasticityRule, RULE_NEEDS, note_pair};
use crate::Real;
use crate::dynamics::{Range, check_parameter};
use crate::error::{Error, Problems, Result};
use crate::group::{Unbuilt, build_late};
use crate::registry::{self, GroupKind, Need};
use crate::reward::{Dopamine, DopamineConcentration};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_family_system};
use crate::synaptic_input::PlasticSynapses;
use crate::time::Clock;
use crate::weights::Frozen;
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;
use serde::{Deserialize, Serialize};

/// A rule whose changes wait in an eligibility trace for a reward.
///
/// **Equation.** `c ← c − c/tau_c + dw`, then `w ← w + c·dopamine`, with the changes `dw` of the `rule` and the network's
/// dopamine of this step.
///
/// **Parameters.** Below, and those of the rule.
///
/// **Scheme.** As it stands. A synapse takes many steps of dopamine in one go, at the next spike on either side or when somebody
/// reads the weights, to the same result up to rounding. `tau_c` counts steps, as in CoNeX, and milliseconds with
/// [`TimeScaling::Consistent`](crate::time::TimeScaling).
///
/// **Reference.** E. Izhikevich (2007), doi 10.1093/cercor/bhl152; R. Florian (2007), doi 10.1162/neco.2007.19.6.1468.
///
/// Where the projection is [`Frozen`](crate::weights::Frozen), the eligibility stands still too: it neither decays nor
/// notes anything until the projection thaws. Clipping and normalization act on the weights only; what they take off stays
/// in the eligibility. The [`Bound`](super::bounds::Bound) of a rule acts on what is noted, not on what dopamine applies.
///
/// **CoNeX.** `SimpleRSTDP`, `SparseRSTDP`, `One2OneRSTDP`, `Conv2dRSTDP`, `Local2dRSTDP` are
/// [`Rstdp`](super::stdp::Rstdp), which is this one over [`Stdp`](super::stdp::Stdp). Here any rule can wait for a reward.
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[require(Plastic, Eligibility)]
pub struct RewardModulated<R: PlasticityRule> {
    /// The rule that notes changes.
    pub rule: R,
    /// Time constant of the eligibility, at least half a step \[steps; ms with consistent scaling\]. Default 100.
    #[serde(default = "default_tau_c")]
    pub tau_c: Real,
    /// Eligibility of each synapse before the first step \[weight\]. Default 0.
    #[doc(alias = "init_c_mode")]
    #[serde(default)]
    pub init_c: Real,
}

fn default_tau_c() -> Real {
    100.0
}

impl<R: PlasticityRule> RewardModulated<R> {
    /// Lets the changes of `rule` wait for `tau_c`.
    pub fn new(rule: R, tau_c: Real) -> Self {
        RewardModulated { rule, tau_c, init_c: 0.0 }
    }

    /// Sets the eligibility of each synapse before the first step.
    #[must_use]
    pub fn init_c(self, init_c: Real) -> Self {
        RewardModulated { init_c, ..self }
    }
}

/// What a reward does at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reward {
    /// Which part of the eligibility decays: 1/tau_c.
    pub decay: Real,
    /// The dopamine concentration.
    pub dopamine: Real,
}

/// The eligibility of each synapse, in the order of the weights, unless their kind keeps it with them: the state variable
/// `c` is the same in both cases.
#[doc(alias = "c")]
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct Eligibility {
    values: Vec<Real>,
    /// Whether the synapses have taken the values over.
    is_with_weights: bool,
}

fn read_eligibility<S: PlasticSynapses>(projection: EntityRef<'_>, values: &mut Vec<Real>) -> bool {
    let (Some(c), Some(synapses)) = (projection.get::<Eligibility>(), projection.get::<S>()) else {
        return false;
    };
    values.extend_from_slice(if c.is_with_weights { synapses.weights().eligibility() } else { &c.values });
    true
}

type Rewarded<'w, R, S> = (Ref<'w, RewardModulated<R>>, Learner, &'w mut Eligibility, &'w mut S);

/// For every projection with this rule behind a reward and these synapses, note changes and let dopamine apply them.
fn learn_with_reward<R: PlasticityRule, S: PlasticSynapses>(
    clock: Res<Clock>,
    workers: Res<Workers>,
    problems: Res<Problems>,
    dopamine: Option<Res<DopamineConcentration>>,
    mut projections: Query<Rewarded<R, S>, Without<Frozen>>,
) {
    if !problems.is_empty() {
        // As with a bare rule: what is wrong must not reach a weight.
        return;
    }
    let dopamine = dopamine.map_or(0.0, |d| d.0 as Real);
    for (modulated, learner, mut eligibility, mut synapses) in &mut projections {
        let occasion = learner.occasion(&clock, modulated.is_changed());
        let RewardModulated { rule, tau_c, .. } = &*modulated;
        let rule = rule.with_traces(&learner.pre.0, &learner.post.0);
        let reward = Reward { decay: clock.optional_dt() as Real / tau_c, dopamine };
        synapses.weights_mut().hold(learner.held());
        synapses.learn_step_for_reward(
            &rule,
            &learner.activity(),
            &mut eligibility.values,
            reward,
            &occasion,
            &workers,
        );
        eligibility.is_with_weights = eligibility.values.is_empty();
    }
}

impl<R: PlasticityRule> Applied for RewardModulated<R> {
    type Rule = R;

    fn rule(&self) -> &R {
        &self.rule
    }

    fn name() -> String {
        registry::name_of::<Self>()
    }

    fn check_own(&self, projection: &str, clock: &Clock) -> Result<()> {
        let parameters = [("tau_c", self.tau_c, Range::Positive), ("init_c", self.init_c, Range::Any)];
        parameters.into_iter().try_for_each(|(parameter, value, range)| {
            check_parameter(projection, &Self::name(), parameter, &value.into(), 1, range)
        })?;
        let least = clock.optional_dt() / 2.0;
        if f64::from(self.tau_c) >= least {
            return Ok(());
        }
        Err(Error::ParameterRange {
            group: projection.into(),
            behaviour: Self::name(),
            parameter: "tau_c".into(),
            value: self.tau_c.into(),
            requirement: format!("at least half a step, {least}: the eligibility would grow without end"),
        })
    }
}

type New<'w, R, S> = (&'w RewardModulated<R>, &'w Unbuilt, &'w S, &'w mut Eligibility);

fn allocate<R: PlasticityRule, S: PlasticSynapses>(mut projections: Query<New<R, S>>) {
    for (modulated, unbuilt, synapses, mut eligibility) in &mut projections {
        let n = synapses.weights().len();
        let missing = match eligibility.is_with_weights {
            true => !synapses.weights().keep_eligibility(),
            false => eligibility.values.len() != n,
        };
        // Other synapses in place of those that were there have no eligibility yet.
        if unbuilt.makes_state(missing) {
            let mut values = vec![modulated.init_c; n];
            synapses.absent().for_each(|k| values[k] = 0.0);
            *eligibility = Eligibility { values, is_with_weights: false };
        }
    }
}

pub(super) fn register<R: PlasticityRule>(world: &mut World) {
    let [synapses, pre_trace, post_trace] = RULE_NEEDS;
    let dopamine = Need::network::<Dopamine>("dopamine", "set_dopamine(Dopamine::new(20.0))");
    registry::behaviour::<RewardModulated<R>>(world)
        .on(GroupKind::Projection)
        .stage(StepSystems::Learning)
        .needs(&[synapses, pre_trace, post_trace, dopamine])
        .state::<(Plastic, super::SlowTraceValues, Eligibility)>();
    prepare::register::<RewardModulated<R>>(world);
}

pub(super) fn register_pair<R: PlasticityRule, S: PlasticSynapses>(world: &mut World) {
    add_build_systems(world, BuildSystems::Derive, (note_pair::<RewardModulated<R>, S>, allocate::<R, S>));
    add_family_system(world, StepSystems::Learning, super::PlasticityRules, learn_with_reward::<R, S>);
    if registry::first::<(Eligibility, S)>(world) {
        crate::record::state_variable(world, "c", read_eligibility::<S>);
    }
}

pub(super) fn install(world: &mut World) {
    build_late::<Eligibility>(world);
}
