//! Second, slower traces for rules that look at triplets of spikes.

use super::TraceDecay;
use crate::Real;
use crate::error::{Error, Result};
use crate::relations::Ends;
use crate::schedule::{StepSystems, add_systems};
use crate::spike_catching::{PostSpikes, PreSpikes};
use crate::time::Clock;
use crate::traces::{Pairing, PostTrace, PreTrace, update};
use bevy_ecs::prelude::*;

/// What a spike adds to a slow trace.
const SPIKE: Real = 1.0;

/// The slow traces that a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowTraces {
    /// Time constant of the pre-synaptic one \[ms\].
    pub pre_tau: Real,
    /// Time constant of the post-synaptic one \[ms\].
    pub post_tau: Real,
}

impl SlowTraces {
    /// Checks that no trace decays by more than itself in a step of `dt`.
    pub(super) fn check(&self, projection: &str, rule: &str, dt: f64) -> Result<()> {
        let taus = [("slow pre-synaptic", self.pre_tau), ("slow post-synaptic", self.post_tau)];
        match taus.into_iter().find(|(_, tau)| tau.is_nan() || f64::from(*tau) < dt) {
            None => Ok(()),
            Some((side, tau)) => Err(Error::ParameterRange {
                group: projection.into(),
                behaviour: rule.into(),
                parameter: format!("time constant of the {side} trace"),
                value: f64::from(tau),
                requirement: format!("at least dt, which is {dt} ms: the trace would turn negative"),
            }),
        }
    }
}

/// The slow traces of a projection: `x ← x + spike`, then `x ← x − x·dt/tau`, as the fast ones, but behind the rules.
///
/// So a rule sees them as they were before this step's spikes. Which spikes they remember follows the projection's
/// [`PreTrace`] and [`PostTrace`].
#[derive(Component, Clone, Debug, PartialEq)]
pub struct SlowTraceValues {
    /// One a source neuron.
    pub pre: Vec<Real>,
    /// One a target neuron.
    pub post: Vec<Real>,
    taus: SlowTraces,
    pairing: (Pairing, Pairing),
}

impl SlowTraceValues {
    /// How the pre-synaptic one runs.
    pub(super) fn pre_decay(&self, dt: Real) -> TraceDecay {
        TraceDecay { rate: dt / self.taus.pre_tau, scale: SPIKE, pairing: self.pairing.0 }
    }
}

/// Gives a projection the slow traces that its rule asks for, or lets those that it has `kept` follow the rule.
pub(super) fn follow(
    projection: &mut EntityCommands,
    asked: Option<SlowTraces>,
    (pre, post): (Option<&PreTrace>, Option<&PostTrace>),
    ends: &Ends,
    kept: Option<Mut<SlowTraceValues>>,
) {
    let (Some(taus), Some(pre), Some(post)) = (asked, pre, post) else { return };
    let pairing = (pre.pairing, post.pairing);
    match kept {
        Some(mut slow) => (slow.taus, slow.pairing) = (taus, pairing),
        None => {
            let (pre, post) = (vec![0.0; ends.pre.len()], vec![0.0; ends.post.len()]);
            projection.insert(SlowTraceValues { pre, post, taus, pairing });
        }
    }
}

/// For every projection with slow traces, take up the spikes and decay.
fn update_slow_traces(
    clock: Res<Clock>,
    mut projections: Query<(&PreSpikes, &PostSpikes, &mut SlowTraceValues)>,
) {
    let dt = clock.dt as Real;
    for (pre, post, mut slow) in &mut projections {
        let slow = &mut *slow;
        update(&mut slow.pre, &pre.0, SPIKE, dt / slow.taus.pre_tau, slow.pairing.0);
        update(&mut slow.post, &post.0, SPIKE, dt / slow.taus.post_tau, slow.pairing.1);
    }
}

pub(super) fn install(world: &mut World) {
    add_systems(world, StepSystems::Learning, update_slow_traces.after(super::PlasticityRules));
}
