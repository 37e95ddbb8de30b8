//! Stage `Learning`: plasticity rules change weights where a neuron on either side fired.
//!
//! A rule is one file: a component with the parameters and an implementation of [`PlasticityRule`], which says what one
//! spike does to one synapse. Every kind of connectivity applies every rule. Add yours with [`register`].

pub mod bounds;
pub mod stdp;

use crate::Real;
use crate::error::{Error, Problems};
use crate::fire::SpikeSet;
use crate::group::{Unbuilt, refuse_late};
use crate::registry;
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_family_system};
use crate::spike_catching::{PostSpikes, PreSpikes};
use crate::synaptic_input::{Connectivity, Synapses};
use crate::synaptic_input::{conv2d::Conv2d, dense::Dense, one2one::One2One, sparse::Sparse};
use crate::traces::{PostTrace, PostTraceValues, PreTrace, PreTraceValues};
use crate::weights::Frozen;
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use std::fmt::Debug;

/// A rule that changes a weight when the neuron on either side of it fires.
///
/// When both fire in one step, the two changes are computed from the weight as it stood and added up. The component
/// `#[require(Plastic)]`s; the projection needs a [`PreTrace`] and a [`PostTrace`] beside it.
pub trait PlasticityRule: Component + Debug {
    /// By how much weight `w` changes when its pre-synaptic neuron fires, with the post-synaptic trace of this step.
    fn on_pre_spike(&self, w: Real, post_trace: Real) -> Real;

    /// By how much weight `w` changes when its post-synaptic neuron fires, with the pre-synaptic trace of this step.
    fn on_post_spike(&self, w: Real, pre_trace: Real) -> Real;

    /// Whether a pre-synaptic spike changes anything with these parameters. Where it does not, such spikes cost nothing.
    fn learns_at_pre_spikes(&self) -> bool {
        true
    }

    /// Checks the parameters; `projection` goes into the error.
    ///
    /// # Errors
    /// Parameters that make no sense.
    fn check(&self, projection: &str) -> crate::Result<()>;
}

/// What a rule learns from: the spikes that a projection caught on both sides, and their traces.
pub struct Activity<'a> {
    /// Pre-synaptic spikes.
    pub pre: &'a SpikeSet,
    /// Pre-synaptic traces, one a source neuron; this step's spikes are in them.
    pub pre_trace: &'a [Real],
    /// Post-synaptic spikes.
    pub post: &'a SpikeSet,
    /// Post-synaptic traces, one a target neuron; this step's spikes are in them.
    pub post_trace: &'a [Real],
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

/// The plasticity rules; no projection has two.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct PlasticityRules;

/// Makes the rule `R` known to the network, for every kind of connectivity that conex has.
pub fn register<R: PlasticityRule>(world: &mut World) {
    if !registry::first::<(PlasticityRules, R)>(world) {
        return;
    }
    registry::behaviour::<R>(world);
    add_build_systems(world, BuildSystems::Derive, prepare_rule::<R>);
    register_pair::<R, <Dense as Connectivity>::Synapses>(world);
    register_pair::<R, <Sparse as Connectivity>::Synapses>(world);
    register_pair::<R, <One2One as Connectivity>::Synapses>(world);
    register_pair::<R, <Conv2d as Connectivity>::Synapses>(world);
}

/// Makes the rule `R` learn on the synapses `S`, where one of them is a user's own.
pub fn register_pair<R: PlasticityRule, S: Synapses>(world: &mut World) {
    if registry::first::<(PlasticityRules, R, S)>(world) {
        add_build_systems(world, BuildSystems::Derive, note_pair::<R, S>);
        add_family_system(world, StepSystems::Learning, PlasticityRules, learn::<R, S>);
    }
}

type Learning<'w, R, S> =
    (&'w R, &'w PreSpikes, &'w PreTraceValues, &'w PostSpikes, &'w PostTraceValues, &'w mut S);

/// For every projection with this rule and these synapses, learn from the spikes of this step.
fn learn<R: PlasticityRule, S: Synapses>(
    workers: Res<Workers>,
    mut projections: Query<Learning<R, S>, Without<Frozen>>,
) {
    for (rule, pre, pre_trace, post, post_trace, mut synapses) in &mut projections {
        let pre_matters = rule.learns_at_pre_spikes() && !pre.0.is_silent();
        if !pre_matters && post.0.is_silent() {
            continue;
        }
        let activity =
            Activity { pre: &pre.0, pre_trace: &pre_trace.0, post: &post.0, post_trace: &post_trace.0 };
        synapses.learn(rule, &activity, &workers);
    }
}

type Fresh<'w, R> = (&'w Name, &'w R, &'w mut Plastic, Has<PreTrace>, Has<PostTrace>);

/// For every new projection with this rule, check its parameters and its traces.
fn prepare_rule<R: PlasticityRule>(
    mut problems: ResMut<Problems>,
    mut projections: Query<Fresh<R>, With<Unbuilt>>,
) {
    for (name, rule, mut plastic, has_pre, has_post) in &mut projections {
        let behaviour = registry::short_name::<R>().to_string();
        plastic.rules.push(behaviour.clone());
        problems.check(rule.check(name));
        for (has, trace) in [(has_pre, "PreTrace"), (has_post, "PostTrace")] {
            if !has {
                let (group, behaviour) = (name.to_string(), behaviour.clone());
                let (missing, remedy) = (trace.to_string(), format!("{trace}::new(10.0)"));
                problems.push(Error::MissingBehaviour { group, behaviour, missing, remedy });
            }
        }
    }
}

type NewPair<R, S> = (With<R>, With<S>, With<Unbuilt>);

fn note_pair<R: PlasticityRule, S: Synapses>(mut projections: Query<&mut Plastic, NewPair<R, S>>) {
    for mut plastic in &mut projections {
        plastic.paired = true;
    }
}

fn check_rules(mut problems: ResMut<Problems>, mut projections: Query<(&Name, &mut Plastic), With<Unbuilt>>) {
    for (name, mut plastic) in &mut projections {
        let Plastic { rules: found, paired } = std::mem::take(&mut *plastic);
        // Synapses that could not be laid out have said so already.
        if let ([rule], false, true) = (&found[..], paired, problems.is_empty()) {
            let (projection, rule) = (name.to_string(), rule.clone());
            problems.push(Error::UnpairedRule { projection, rule });
        }
        if found.len() != 1 {
            let (family, register) = ("plasticity rules", "register_plasticity_rule::<YourRule>()");
            problems.push(Error::OneOfFamily { projection: name.into(), family, found, register });
        }
    }
}

pub(crate) fn install(world: &mut World) {
    refuse_late::<Plastic>(world, "a plasticity rule");
    add_build_systems(world, BuildSystems::Validate, check_rules);
    register::<stdp::Stdp>(world);
}
