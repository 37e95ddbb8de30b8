//! Stage `Learning`: plasticity rules change weights where a neuron on either side fired.
//!
//! A rule is one file: a component with the parameters and an implementation of [`PlasticityRule`], which says what one
//! spike does to one synapse. Every kind of connectivity applies every rule, and [`RewardModulated`] lets a reward gate
//! any of them. Add yours with [`register`].

pub mod bounds;
mod changes;
mod deferred;
mod potentiation;
mod prepare;
mod reward_modulated;
mod slow_traces;

pub use changes::{Aside, Changes, InPlace};
pub use deferred::Rewarded;
pub(crate) use deferred::{DeferredRows, RewardedRows, Summed, SummedSynapses, TraceDecay, WaitingSynapses};
pub use potentiation::Potentiation;
pub use reward_modulated::{Eligibility, Reward, RewardModulated};
pub use slow_traces::{SlowTraceValues, SlowTraces};

use crate::Real;
use crate::error::{Error, Problems};
use crate::fire::SpikeSet;
use crate::group::{Unbuilt, build_late};
use crate::registry::{self, GroupKind, Need, Place, SwitchedOff};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_family_system};
use crate::spike_catching::{PostSpikes, PreSpikes};
use crate::synaptic_input::{
    Connectivity, CurrentNormalization, ForEachPlasticKind, PlasticSynapses, SYNAPSES, each_plastic_kind,
};
use crate::time::Clock;
use crate::traces::{PostTrace, PostTraceValues, PreTrace, PreTraceValues};
use crate::weights::{Frozen, Held, WeightClip, WeightNormalization};
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use bevy_ecs::query::QueryData;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::marker::PhantomData;

/// Declares the rules that conex has, each with its file, and lists them for all that is done with each.
macro_rules! plasticity_rules {
    ($($file:ident :: $rule:ident),* $(,)?) => {
        $(pub mod $file;)*

        /// Every rule that conex has, and what lets a reward gate it.
        pub mod rules {
            pub use super::RewardModulated;
            $(pub use super::$file::$rule;)*
        }

        fn each_rule(visitor: &mut impl ForEachRule) {
            $(visitor.rule::<$file::$rule>();)*
        }
    };
}

plasticity_rules! {
    stdp::Stdp,
    istdp::Istdp,
    triplet_stdp::TripletStdp,
    power_law_stdp::PowerLawStdp,
}

/// The traces on both sides of one synapse at this step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traces {
    /// The pre-synaptic trace; this step's spike is in it.
    pub pre: Real,
    /// The post-synaptic trace; this step's spike is in it.
    pub post: Real,
    /// The slow pre-synaptic trace as it was before this step's spike, where the rule asks for slow traces.
    pub pre_slow: Real,
    /// The slow post-synaptic trace as it was before this step's spike, where the rule asks for slow traces.
    pub post_slow: Real,
}

/// A rule that changes a weight when the neuron on either side of it fires.
///
/// When both fire in one step, the two changes are computed from the weight as it stood and added up. The component
/// `#[require(Plastic)]`s; the projection needs a [`PreTrace`] and a [`PostTrace`] beside it.
pub trait PlasticityRule: Component + Debug + Clone {
    /// Whether [`on_post_spike`](Self::on_post_spike) computes so much that synapses which lie apart are better collected, and
    /// it is applied to several at once: so with a power or an exponential. Default no.
    const COSTLY: bool = false;

    /// By how much weight `w` changes when its pre-synaptic neuron fires.
    fn on_pre_spike(&self, w: Real, traces: Traces) -> Real;

    /// By how much weight `w` changes when its post-synaptic neuron fires.
    fn on_post_spike(&self, w: Real, traces: Traces) -> Real;

    /// What can be said of [`on_post_spike`](Self::on_post_spike) with these parameters, so that many spikes can be applied in
    /// one go. Default: nothing; they are applied one by one.
    fn potentiation(&self) -> Potentiation {
        Potentiation::default()
    }

    /// Whether a pre-synaptic spike changes anything with these parameters. Where it does not, such spikes cost nothing.
    fn learns_at_pre_spikes(&self) -> bool {
        true
    }

    /// The second, slower traces that the rule reads on both sides. Default none.
    fn slow_traces(&self) -> Option<SlowTraces> {
        None
    }

    /// The rule as it acts on a projection with these traces, where it depends on their parameters. Default: as it is.
    #[must_use]
    fn with_traces(&self, _pre: &PreTrace, _post: &PostTrace) -> Self {
        self.clone()
    }

    /// Checks the parameters; `projection` goes into the error.
    ///
    /// # Errors
    /// Parameters that make no sense.
    fn check(&self, projection: &str) -> crate::Result<()>;

    /// Checks the parameters against those of the projection's traces.
    ///
    /// # Errors
    /// Traces that the rule cannot learn from.
    fn check_traces(&self, _projection: &str, _pre: &PreTrace, _post: &PostTrace) -> crate::Result<()> {
        Ok(())
    }
}

/// What a rule learns from: the spikes that a projection caught on both sides, and their traces.
pub struct Activity<'a> {
    /// Pre-synaptic spikes.
    pub pre: &'a SpikeSet,
    /// Pre-synaptic traces, one a source neuron; this step's spikes are in them.
    pub pre_trace: &'a [Real],
    /// Slow pre-synaptic traces, one a source neuron; any numbers where the rule does not ask for them.
    pub pre_slow: &'a [Real],
    /// Post-synaptic spikes.
    pub post: &'a SpikeSet,
    /// Post-synaptic traces, one a target neuron; this step's spikes are in them.
    pub post_trace: &'a [Real],
    /// Slow post-synaptic traces, one a target neuron; any numbers where the rule does not ask for them.
    pub post_slow: &'a [Real],
}

impl Activity<'_> {
    /// Whether a spike on either side changes anything under `rule`.
    pub fn teaches(&self, rule: &impl PlasticityRule) -> bool {
        (rule.learns_at_pre_spikes() && !self.pre.is_silent()) || !self.post.is_silent()
    }

    /// The traces on both sides of a synapse from i to j.
    #[inline(always)]
    pub fn traces(&self, i: usize, j: usize) -> Traces {
        Traces {
            pre: self.pre_trace[i],
            post: self.post_trace[j],
            pre_slow: self.pre_slow[i],
            post_slow: self.post_slow[j],
        }
    }
}

/// The projection learns. Every rule brings it.
#[derive(Component, Clone, Debug, Default)]
#[require(PostSpikes)]
pub struct Plastic {
    /// The registered rules that the projection has. Kept by the Build schedule.
    rules: Vec<String>,
    /// Whether one of them knows how to learn on the projection's synapses. Kept by the Build schedule.
    paired: bool,
}

/// What rules learn from.
const RULE_NEEDS: [Need; 3] = [
    SYNAPSES,
    Need::of::<PreTrace>(Place::Own, "PreTrace", "PreTrace::new(10.0)"),
    Need::of::<PostTrace>(Place::Own, "PostTrace", "PostTrace::new(10.0)"),
];

/// The plasticity rules; no projection has two.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct PlasticityRules;

/// What is done with each rule that conex has.
trait ForEachRule {
    fn rule<R: PlasticityRule + Serialize + DeserializeOwned>(&mut self);
}

/// Makes the rule `R` known to the network, for every kind of connectivity that conex has, and with it
/// [`RewardModulated<R>`].
pub fn register<R: PlasticityRule>(world: &mut World) {
    if !registry::first::<(PlasticityRules, R)>(world) {
        return;
    }
    registry::behaviour::<R>(world)
        .on(GroupKind::Projection)
        .stage(StepSystems::Learning)
        .needs(&RULE_NEEDS)
        .state::<(Plastic, SlowTraceValues)>();
    prepare::register::<R>(world);
    reward_modulated::register::<R>(world);
    each_plastic_kind(&mut PairWithKinds(world, PhantomData::<R>));
}

struct PairWithKinds<'w, R>(&'w mut World, PhantomData<R>);

impl<R: PlasticityRule> ForEachPlasticKind for PairWithKinds<'_, R> {
    fn plastic_kind<C: Connectivity<Synapses: PlasticSynapses> + Serialize + DeserializeOwned>(&mut self) {
        register_pair::<R, C::Synapses>(self.0);
    }
}

/// Makes all rules that conex has learn on the synapses `S` of a user's own.
pub(crate) fn register_rules_for<S: PlasticSynapses>(world: &mut World) {
    struct PairWithRules<'w, S>(&'w mut World, PhantomData<S>);
    impl<S: PlasticSynapses> ForEachRule for PairWithRules<'_, S> {
        fn rule<R: PlasticityRule + Serialize + DeserializeOwned>(&mut self) {
            register_pair::<R, S>(self.0);
        }
    }
    each_rule(&mut PairWithRules(world, PhantomData::<S>));
}

/// Makes the rule `R`, and [`RewardModulated<R>`], learn on the synapses `S`, where one of them is a user's own.
pub fn register_pair<R: PlasticityRule, S: PlasticSynapses>(world: &mut World) {
    if registry::first::<(PlasticityRules, R, S)>(world) {
        add_build_systems(world, BuildSystems::Derive, note_pair::<R, S>);
        add_family_system(world, StepSystems::Learning, PlasticityRules, learn::<R, S>);
        reward_modulated::register_pair::<R, S>(world);
    }
}

/// What a kind of connectivity may know of a step of learning, beside its spikes and traces, to let changes wait.
#[derive(Clone, Copy, Debug)]
pub struct Occasion {
    /// The step. Where one is missing, the projection was frozen, or its rule switched off.
    pub(crate) step: u64,
    /// How the pre-synaptic trace runs.
    pub(crate) pre_trace: TraceDecay,
    /// How the slow one runs, where the rule asks for it.
    pub(crate) pre_slow: Option<TraceDecay>,
    /// Whether the rule or a trace was changed since the last step.
    pub(crate) rule_changed: bool,
    /// Whether the weights are summed at each step, for normalization.
    pub(crate) is_summed: bool,
    /// Whether they are clipped.
    pub(crate) is_clipped: bool,
}

/// Everything that a rule reads of its projection.
#[derive(QueryData)]
struct Learner {
    pre: (Ref<'static, PreTrace>, &'static PreSpikes, &'static PreTraceValues),
    post: (Ref<'static, PostTrace>, &'static PostSpikes, &'static PostTraceValues),
    slow: Option<&'static SlowTraceValues>,
    clip: Option<&'static WeightClip>,
    normalized: (Has<WeightNormalization>, Has<CurrentNormalization>),
}

impl LearnerItem<'_, '_> {
    fn activity(&self) -> Activity<'_> {
        let (pre_trace, post_trace) = (&self.pre.2.0[..], &self.post.2.0[..]);
        Activity {
            pre: &self.pre.1.0,
            pre_trace,
            pre_slow: self.slow.map_or(pre_trace, |slow| &slow.pre),
            post: &self.post.1.0,
            post_trace,
            post_slow: self.slow.map_or(post_trace, |slow| &slow.post),
        }
    }

    /// The range that the rule may hold weights within: that of clipping, unless normalization stands between.
    fn held(&self) -> Held {
        match self.clip {
            Some(clip) if !self.normalized.0 => Held { min: clip.w_min, max: clip.w_max },
            _ => Held::FREE,
        }
    }

    fn occasion(&self, clock: &Clock, rule_changed: bool) -> Occasion {
        let (trace, post) = (&self.pre.0, &self.post.0);
        let rate = clock.dt as Real / trace.tau_s;
        Occasion {
            step: clock.iteration,
            pre_trace: TraceDecay { rate, scale: trace.spike_scale, pairing: trace.pairing },
            pre_slow: self.slow.map(|slow| slow.pre_decay(clock.dt as Real)),
            rule_changed: rule_changed || trace.is_changed() || post.is_changed(),
            is_summed: self.normalized.0 || self.normalized.1,
            is_clipped: self.clip.is_some(),
        }
    }
}

/// For every projection with this rule and these synapses, learn from the spikes of this step.
fn learn<R: PlasticityRule, S: PlasticSynapses>(
    clock: Res<Clock>,
    workers: Res<Workers>,
    problems: Res<Problems>,
    mut projections: Query<(Ref<R>, Learner, &mut S), Without<Frozen>>,
) {
    if !problems.is_empty() {
        // A parameter that was changed for the worse must not reach a weight; the step ends with its error.
        return;
    }
    for (rule, learner, mut synapses) in &mut projections {
        let occasion = learner.occasion(&clock, rule.is_changed());
        let rule = rule.with_traces(&learner.pre.0, &learner.post.0);
        let activity = learner.activity();
        // A silent step is told too, but nobody who watches for changes needs to hear of it.
        let synapses = match activity.teaches(&rule) {
            true => &mut *synapses,
            false => synapses.bypass_change_detection(),
        };
        synapses.weights_mut().hold(learner.held());
        synapses.learn_step(&rule, &activity, &occasion, &workers);
    }
}

type NewPair<R, S> = (With<R>, With<S>, With<Unbuilt>);

fn note_pair<R: Component, S: PlasticSynapses>(mut projections: Query<&mut Plastic, NewPair<R, S>>) {
    for mut plastic in &mut projections {
        plastic.paired = true;
    }
}

type Checked<'w> = (&'w Name, &'w mut Plastic, Has<SwitchedOff>);

fn check_rules(mut problems: ResMut<Problems>, mut projections: Query<Checked, With<Unbuilt>>) {
    for (name, mut plastic, switched_off) in &mut projections {
        let Plastic { rules: found, paired } = std::mem::take(&mut *plastic);
        // Synapses that could not be laid out have said so already.
        if let ([rule], false, true) = (&found[..], paired, problems.is_empty()) {
            let (projection, rule) = (name.to_string(), rule.clone());
            problems.push(Error::UnpairedRule { projection, rule });
        }
        if found.len() != 1 && !switched_off {
            let (family, register) = ("plasticity rules", "register_plasticity_rule::<YourRule>()");
            problems.push(Error::OneOfFamily { projection: name.into(), family, found, register });
        }
    }
}

pub(crate) fn install(world: &mut World) {
    build_late::<Plastic>(world);
    reward_modulated::install(world);
    add_build_systems(
        world,
        BuildSystems::Validate,
        check_rules.after(registry::check_needs).after(crate::delivery::check_foreign),
    );
    slow_traces::install(world);
    each_rule(&mut RegisterRules(world));
}

struct RegisterRules<'w>(&'w mut World);

impl ForEachRule for RegisterRules<'_> {
    fn rule<R: PlasticityRule + Serialize + DeserializeOwned>(&mut self) {
        register::<R>(self.0);
        registry::behaviour::<R>(self.0).saved();
        registry::behaviour::<RewardModulated<R>>(self.0).saved();
    }
}
