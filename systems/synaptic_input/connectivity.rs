//! What a kind of connectivity is: how synapses are laid out, what they deliver, how they learn.

use crate::Real;
use crate::connections::{Between, Connections, End};
use crate::error::{Error, Result};
use crate::fire::SpikeSet;
use crate::group::Grid;
use crate::kernels::decay::{add_scaled, decay};
use crate::learning::{
    Activity, Aside, Changes, Occasion, PlasticityRule, Reward, Summed, SummedSynapses, WaitingSynapses,
};
use crate::random::Seed;
use crate::weights::{FanIn, WeightInitializer, Weights};
use crate::workers::Workers;
use bevy_ecs::component::Mutable;
use bevy_ecs::prelude::*;
use std::fmt::Debug;
use std::iter::StepBy;
use std::ops::Range;

/// Everything that a kind of connectivity may ask when it lays out its synapses.
pub struct Site<'a> {
    /// The projection's name.
    pub projection: &'a str,
    /// The source's name.
    pub source: &'a str,
    /// The target's name.
    pub target: &'a str,
    /// The source's shape.
    pub pre: Grid,
    /// The target's shape.
    pub post: Grid,
    /// What the weights will be.
    pub weights: &'a WeightInitializer,
    /// Whether a neuron may reach itself: false only where a population without self-connections projects onto itself.
    pub self_connections: bool,
    /// Where random draws come from.
    pub seed: Seed,
    /// The rule that draws its synapses, if it has one.
    pub connections: Option<&'a Connections>,
    /// Source and target, as rules look at them.
    pub ends: [&'a End<'a>; 2],
    /// The threads that it may be laid out on.
    pub workers: &'a Workers,
}

impl Site<'_> {
    /// What a rule joins, its draws kept apart from others by their `purpose`.
    pub fn between(&self, purpose: &str) -> Between<'_> {
        let [source, target] = self.ends.map(Clone::clone);
        Between {
            projection: self.projection,
            source,
            target,
            autapses: self.self_connections,
            streams: self.seed.streams(purpose, self.projection),
            workers: self.workers,
        }
    }

    /// Whether a population projects onto itself.
    pub fn is_recurrent(&self) -> bool {
        // Names tell groups apart.
        self.source == self.target
    }

    /// The error that source and target do not fit; `expected` says what would.
    pub fn mismatch(&self, connectivity: &'static str, expected: String) -> Error {
        Error::ShapeMismatch {
            projection: self.projection.into(),
            connectivity,
            source_population: self.source.into(),
            source_shape: self.pre.to_string(),
            target: self.target.into(),
            target_shape: self.post.to_string(),
            expected,
        }
    }

    /// So many weights of 0.
    ///
    /// # Errors
    /// More of them than there can be, or than memory can be had for.
    pub fn zeros(&self, connectivity: &'static str, synapses: u128) -> Result<Weights> {
        self.check_memory(connectivity, synapses, size_of::<Real>())?;
        Ok(Weights::zeros(synapses as usize))
    }

    /// Checks that there is memory for so many synapses of `bytes` each.
    ///
    /// # Errors
    /// More of them than there can be, or than memory can be had for.
    pub fn check_memory(&self, connectivity: &'static str, synapses: u128, bytes: usize) -> Result<()> {
        let limit = (isize::MAX as u128) / bytes as u128;
        let projection = self.projection.to_string();
        if synapses > limit {
            return Err(Error::TooManySynapses { projection, connectivity, synapses, limit });
        }
        let given = || match Vec::<u8>::new().try_reserve_exact(synapses as usize * bytes) {
            Ok(()) => Ok(()),
            Err(error) => Err(error.to_string()),
        };
        let checked = crate::memory::check_room(synapses * bytes as u128).and_then(|()| given());
        checked.map_err(|reason| Error::OutOfMemory { projection, connectivity, synapses, reason })
    }

    /// The error that given weights have the wrong shape.
    pub fn weight_shape(&self, connectivity: &'static str, expected: &[usize], given: &[usize]) -> Error {
        let (expected, given) = (format!("{expected:?}"), format!("{given:?}"));
        Error::WeightShape { projection: self.projection.into(), connectivity, expected, given }
    }
}

/// A kind of connectivity: which synapses there are between two populations.
///
/// The component `#[require(Weighted)]`s, or `#[require(DendriticInput)]`s if its synapses have no weights.
pub trait Connectivity: Component + Debug {
    /// How the synapses are kept.
    type Synapses: Synapses;

    /// Whether the synapses have weights, so that the projection needs a [`WeightInitializer`].
    const WEIGHTED: bool = true;

    /// Whether the kind can leave out synapses from a neuron onto itself.
    const LEAVES_OUT_SELF: bool = false;

    /// Whether the currents inhibit, where that is the kind's own. Default: as the source does.
    fn inhibitory(&self) -> Option<bool> {
        None
    }

    /// Lays out the synapses, their weights not yet drawn.
    ///
    /// # Errors
    /// Shapes that do not fit.
    fn connect(&self, site: &Site<'_>) -> Result<Self::Synapses>;
}

/// The synapses of a projection, whatever their kind.
pub trait Synapses: Component<Mutability = Mutable> {
    /// Whether only the synapses that the density asks for are stored.
    const STRUCTURAL_DENSITY: bool = false;

    /// The weights, in the kind's own order.
    fn weights(&self) -> &Weights;

    /// The weights, to be changed.
    fn weights_mut(&mut self) -> &mut Weights;

    /// The shape in which given weights come and weights are read back.
    fn shape(&self) -> Vec<usize>;

    /// Memory that the synapses take \[bytes\].
    fn bytes(&self) -> usize {
        size_of_val(self.weights().values())
    }

    /// Adds to `current[j]`, all of them 0 before, what `weights` has for the synapses from spiking neurons to j: one number
    /// a weight, in the kind's own order.
    fn deliver(&self, weights: &[Real], pre: &SpikeSet, current: &mut [Real], workers: &Workers);

    /// Which weights normalization sums.
    fn fan_in(&self) -> FanIn;

    /// The weights that stand for no synapse, and are always 0. Default: none.
    fn absent(&self) -> StepBy<Range<usize>> {
        (0..0).step_by(1)
    }

    /// Puts weights that stand for no synapse back to 0, after something has changed all weights alike.
    fn keep_absent(&mut self) {
        let absent = self.absent();
        if absent.len() > 0 {
            let weights = self.weights_mut().values_mut();
            absent.for_each(|k| weights[k] = 0.0);
        }
    }
}

/// Synapses that rules can act on.
pub trait PlasticSynapses: Synapses {
    /// Whether a synapse may wait for what dopamine brings it, until a spike on either side or until somebody reads the
    /// weights. [`learn`](Self::learn) has to visit every synapse of each source that spikes then, where
    /// [`Changes::VISITS_ALL`] asks for it. Default
    /// false: behind a reward all synapses are swept at each step, as long as anything is eligible.
    const WAITS: bool = false;

    /// What it costs at each synapse that a spike of a source reaches, and one of a target, to keep the sums that
    /// [normalization](crate::weights::WeightNormalization) reads, in terms of what it costs a synapse to sum all anew.
    /// Where the spikes of a step would cost more than that, all are summed. Default: as it was measured for
    /// [`Sparse`](super::sparse::Sparse).
    const COSTS: [f64; 2] = [4.5, 4.5];

    /// Tells `changes` for every synapse with a spike on either side what `rule` says of it. While this lasts there are no
    /// other weights than those of `changes`.
    fn learn<R: PlasticityRule, C: Changes>(
        &mut self,
        changes: C,
        rule: &R,
        activity: &Activity<'_>,
        workers: &Workers,
    );

    /// One step of learning by `rule`. Default: [`learn`](Self::learn), where a spike on either side changes anything. A kind
    /// may let changes wait instead, until somebody reads the weights.
    fn learn_step<R: PlasticityRule>(
        &mut self,
        rule: &R,
        activity: &Activity<'_>,
        occasion: &Occasion,
        workers: &Workers,
    ) {
        if !activity.teaches(rule) {
            return;
        }
        if waits_summed(self, activity, occasion, None) {
            return learn_summed(self, rule, activity, None, occasion, workers);
        }
        let mut weights = std::mem::take(self.weights_mut());
        self.learn(weights.in_place(), rule, activity, workers);
        *self.weights_mut() = weights;
    }

    /// One step of learning by `rule` behind a reward: the eligibility `c`, one a weight, decays and notes what changes,
    /// then dopamine applies it. Default: as [`WAITS`](Self::WAITS) says.
    ///
    /// The eligibility is kept with the weights, and `c` left empty. One that is not is taken over.
    fn learn_step_for_reward<R: PlasticityRule>(
        &mut self,
        rule: &R,
        activity: &Activity<'_>,
        c: &mut Vec<Real>,
        reward: Reward,
        occasion: &Occasion,
        workers: &Workers,
    ) {
        self.weights_mut().take_eligibility(c);
        if waits_summed(self, activity, occasion, Some(reward)) {
            return learn_summed(self, rule, activity, Some(reward), occasion, workers);
        }
        let mut weights = std::mem::take(self.weights_mut());
        let waits = Self::WAITS && !occasion.is_summed;
        let is_silent = !activity.teaches(rule);
        let is_swept = !waits && weights.anything_eligible(is_silent);
        if waits {
            WaitingSynapses::step(&mut weights, reward, activity, |changes| {
                self.learn(changes, rule, activity, workers);
            });
        } else if is_swept {
            sweep(&mut weights, reward, |aside| {
                if !is_silent {
                    self.learn(aside, rule, activity, workers);
                }
            });
            weights.look_for_eligibility(is_silent, occasion);
        }
        *self.weights_mut() = weights;
        if is_swept && reward.dopamine != 0.0 {
            self.keep_absent();
        }
    }
}

/// Whether weights that normalization sums are touched for the spikes of this step only.
pub(super) fn waits_summed<S: PlasticSynapses + ?Sized>(
    synapses: &mut S,
    activity: &Activity<'_>,
    occasion: &Occasion,
    reward: Option<Reward>,
) -> bool {
    /// A reward has a second number looked after for each synapse: in order, that costs next to nothing.
    const REWARDED: f64 = 2.0;

    let share = |spikes: &SpikeSet| spikes.events().len() as f64 / spikes.mask().len().max(1) as f64;
    let [by_source, by_target] = S::COSTS;
    let cost = share(activity.pre) * by_source + share(activity.post) * by_target;
    let is_less = cost * reward.map_or(1.0, |_| REWARDED) < 1.0;
    S::WAITS && occasion.is_summed && is_less && !SummedSynapses::rests(synapses.weights_mut())
}

/// One step of learning for weights that are summed.
pub(super) fn learn_summed<S: PlasticSynapses + ?Sized, R: PlasticityRule>(
    synapses: &mut S,
    rule: &R,
    activity: &Activity<'_>,
    reward: Option<Reward>,
    occasion: &Occasion,
    workers: &Workers,
) {
    let (fans, absent) = ((synapses.fan_in(), occasion.is_clipped), synapses.absent());
    let mut weights = std::mem::take(synapses.weights_mut());
    let learn = |changes: Summed<'_>| synapses.learn(changes, rule, activity, workers);
    let learn = activity.teaches(rule).then_some(learn);
    SummedSynapses::step(&mut weights, fans, absent, reward, learn);
    *synapses.weights_mut() = weights;
}

/// One step behind a reward for every synapse, with a spike or without.
fn sweep(weights: &mut Weights, reward: Reward, learn: impl FnOnce(Aside<'_>)) {
    let mut c = std::mem::take(weights.stored_with_eligibility().1);
    decay(&mut c, reward.decay);
    learn(Aside { weights: weights.values(), changes: &mut c });
    if reward.dopamine != 0.0 {
        add_scaled(weights.values_mut(), reward.dopamine, &c);
    }
    *weights.stored_with_eligibility().1 = c;
}
