//! Stage `Traces`: how lately, and how often, the neurons on either side of a projection fired.

use crate::Real;
use crate::axon::{SOURCE_AXON, TARGET_AXON};
use crate::dynamics::{Range, check_parameter};
use crate::error::{Error, Problems};
use crate::fire::SpikeSet;
use crate::group::{Unbuilt, build_late};
use crate::kernels::decay::decay;
use crate::registry::{self, GroupKind};
use crate::relations::Ends;
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use crate::spike_catching::{PostSpikes, PreSpikes};
use crate::time::Clock;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// A trace of the pre-synaptic spikes that a projection caught: `x ← x + spike_scale·spike`, then `x ← x − x·dt/tau_s`.
///
/// The spike comes first and decays in the same step, so right after a lone spike the trace is
/// `spike_scale·(1 − dt/tau_s)`.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[require(PreSpikes, PreTraceValues)]
pub struct PreTrace {
    /// Time constant \[ms\].
    pub tau_s: Real,
    /// What one spike adds. Default 1.
    pub spike_scale: Real,
    /// Which spikes are remembered. Default all.
    #[serde(default)]
    pub pairing: Pairing,
}

/// A trace of the post-synaptic spikes that a projection caught, computed as [`PreTrace`].
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[require(PostSpikes, PostTraceValues)]
pub struct PostTrace {
    /// Time constant \[ms\].
    pub tau_s: Real,
    /// What one spike adds. Default 1.
    pub spike_scale: Real,
    /// Which spikes are remembered. Default all.
    #[serde(default)]
    pub pairing: Pairing,
}

impl PreTrace {
    /// Decays with `tau_s` \[ms\]; a spike adds 1.
    pub fn new(tau_s: Real) -> Self {
        PreTrace { tau_s, spike_scale: 1.0, pairing: Pairing::All }
    }

    /// Sets what one spike adds.
    #[must_use]
    pub fn spike_scale(mut self, spike_scale: Real) -> Self {
        self.spike_scale = spike_scale;
        self
    }

    /// Remembers the last spike only.
    #[must_use]
    pub fn nearest(mut self) -> Self {
        self.pairing = Pairing::Nearest;
        self
    }
}

impl PostTrace {
    /// Decays with `tau_s` \[ms\]; a spike adds 1.
    pub fn new(tau_s: Real) -> Self {
        PostTrace { tau_s, spike_scale: 1.0, pairing: Pairing::All }
    }

    /// Sets what one spike adds.
    #[must_use]
    pub fn spike_scale(mut self, spike_scale: Real) -> Self {
        self.spike_scale = spike_scale;
        self
    }

    /// Remembers the last spike only.
    #[must_use]
    pub fn nearest(mut self) -> Self {
        self.pairing = Pairing::Nearest;
        self
    }
}

/// Which spikes of its own side a trace remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pairing {
    /// All of them: each adds to the trace.
    #[default]
    All,
    /// The last one: each sets the trace to `spike_scale`, so that a rule pairs nearest spikes only. (A. Morrison,
    /// M. Diesmann & W. Gerstner 2008, doi 10.1007/s00422-008-0233-1.)
    #[doc(alias = "nearest_spike")]
    Nearest,
}

/// The pre-synaptic trace of each source neuron.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct PreTraceValues(pub Vec<Real>);

/// The post-synaptic trace of each target neuron.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct PostTraceValues(pub Vec<Real>);

/// For every projection with a pre-synaptic trace, take up the spikes and decay.
fn update_pre_traces(
    clock: Res<Clock>,
    mut projections: Query<(&PreTrace, &PreSpikes, &mut PreTraceValues)>,
) {
    for (trace, spikes, mut x) in &mut projections {
        update(&mut x.0, &spikes.0, trace.spike_scale, clock.dt as Real / trace.tau_s, trace.pairing);
    }
}

/// For every projection with a post-synaptic trace, take up the spikes and decay.
fn update_post_traces(
    clock: Res<Clock>,
    mut projections: Query<(&PostTrace, &PostSpikes, &mut PostTraceValues)>,
) {
    for (trace, spikes, mut y) in &mut projections {
        update(&mut y.0, &spikes.0, trace.spike_scale, clock.dt as Real / trace.tau_s, trace.pairing);
    }
}

/// Lets a trace take up spikes, then decay by `rate`, which is dt/tau.
pub(crate) fn update(x: &mut [Real], spikes: &SpikeSet, scale: Real, rate: Real, pairing: Pairing) {
    for &i in spikes.events() {
        let x = &mut x[i as usize];
        *x = if pairing == Pairing::Nearest { scale } else { *x + scale };
    }
    decay(x, rate);
}

type Sized<'w> = (
    &'w Name,
    &'w Ends,
    &'w Unbuilt,
    Option<(&'w PreTrace, &'w mut PreTraceValues)>,
    Option<(&'w PostTrace, &'w mut PostTraceValues)>,
);

fn allocate_traces(clock: Res<Clock>, mut problems: ResMut<Problems>, mut projections: Query<Sized>) {
    for (name, ends, unbuilt, pre_trace, post_trace) in &mut projections {
        let mut check = |behaviour: &str, tau_s: Real, spike_scale: Real| {
            problems.check(check_parameter(name, behaviour, "tau_s", &tau_s.into(), 1, Range::Positive));
            let scale = spike_scale.into();
            problems.check(check_parameter(name, behaviour, "spike_scale", &scale, 1, Range::Any));
            if tau_s > 0.0 && f64::from(tau_s) < clock.dt {
                let (group, behaviour, parameter) = (name.into(), behaviour.into(), "tau_s".into());
                let requirement =
                    format!("at least dt, which is {} ms: the trace would turn negative", clock.dt);
                let value = f64::from(tau_s);
                problems.push(Error::ParameterRange { group, behaviour, parameter, value, requirement });
            }
        };
        if let Some((trace, mut values)) = pre_trace {
            check("PreTrace", trace.tau_s, trace.spike_scale);
            if unbuilt.makes_state(values.0.is_empty()) {
                values.0 = vec![0.0; ends.pre.len()];
            }
        }
        if let Some((trace, mut values)) = post_trace {
            check("PostTrace", trace.tau_s, trace.spike_scale);
            if unbuilt.makes_state(values.0.is_empty()) {
                values.0 = vec![0.0; ends.post.len()];
            }
        }
    }
}

pub(crate) fn install(world: &mut World) {
    registry::behaviour::<PreTrace>(world)
        .on(GroupKind::Projection)
        .stage(StepSystems::Traces)
        .needs(&[SOURCE_AXON])
        .state::<PreTraceValues>()
        .saved();
    registry::behaviour::<PostTrace>(world)
        .on(GroupKind::Projection)
        .stage(StepSystems::Traces)
        .needs(&[TARGET_AXON])
        .state::<PostTraceValues>()
        .saved();
    build_late::<PreTraceValues>(world);
    build_late::<PostTraceValues>(world);
    add_systems(world, StepSystems::Traces, (update_pre_traces, update_post_traces));
    add_build_systems(world, BuildSystems::Allocate, allocate_traces);
}
