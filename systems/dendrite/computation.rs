//! From the compartments' currents to the neuron's.

use super::{DENDRITE, DendriteSystems, DendriticCurrents, SimpleDendriteStructure};
use crate::Real;
use crate::dynamics::{InputCurrent, Membrane, MembranePotential, Range, Threshold, check_parameter};
use crate::error::Problems;
use crate::group::{Inhibitory, Unbuilt};
use crate::kernels::decay::{add, decay};
use crate::kernels::dendrite::prime;
use crate::parameter::BLOCK;
use crate::registry::{self, GroupKind, Place};
use crate::relations::Compartment;
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use crate::setters;
use crate::time::Clock;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Adds the compartments' currents up to the neuron's input current.
///
/// **Equation.** `I ← I − I/I_tau`, or `I ← 0` without `I_tau`; then `I += I_proximal`; then for the apical and distal
/// compartments, where a provocativeness p is given, `I += tau·tanh(I_c)·max(limit − v, 0)/R` with `limit = v_rest +
/// p·(threshold − v_rest)`. So proximal input drives the neuron, apical and distal input only prime it towards `limit`,
/// below its threshold while p < 1, and count for nothing without a provocativeness. Each alone cannot fire the neuron
/// at dt up to 1 ms; both together can, where their steps towards `limit` add up beyond the threshold. A neuron that stands
/// at or above its threshold already is not primed, whatever p is (CoNeX primes it where p > 1).
///
/// CoNeX counts `I_tau` in steps; with [`TimeScaling::Consistent`](crate::time::TimeScaling) it counts milliseconds.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SimpleDendriteComputation {
    /// Time constant of the input current. Default none: the current lasts one step.
    pub i_tau: Option<Real>,
    /// How near to the threshold apical input can bring the neuron, as a share of the way from rest. Default none.
    pub apical_provocativeness: Option<Real>,
    /// How near to the threshold distal input can bring the neuron, as a share of the way from rest. Default none.
    pub distal_provocativeness: Option<Real>,
    /// Whether neurons that are [`Inhibitory`] are primed too. Default true, as in CoNeX.
    pub primes_inhibitory: bool,
}

impl Default for SimpleDendriteComputation {
    fn default() -> Self {
        SimpleDendriteComputation {
            i_tau: None,
            apical_provocativeness: None,
            distal_provocativeness: None,
            primes_inhibitory: true,
        }
    }
}

setters!(SimpleDendriteComputation {
    i_tau: Option<Real>,
    apical_provocativeness: Option<Real>,
    distal_provocativeness: Option<Real>,
    primes_inhibitory: bool
});

type Computed<'w> = (
    &'w SimpleDendriteComputation,
    Has<Inhibitory>,
    &'w DendriticCurrents,
    &'w Membrane,
    &'w Threshold,
    &'w MembranePotential,
    &'w mut InputCurrent,
);

/// For every population with a dendrite and a membrane, compute the input current.
fn compute_currents(clock: Res<Clock>, mut populations: Query<Computed, With<SimpleDendriteStructure>>) {
    let dt = clock.optional_dt() as Real;
    for (computation, inhibitory, currents, membrane, threshold, v, mut input) in &mut populations {
        match computation.i_tau {
            Some(tau) => decay(&mut input.0, dt / tau),
            None => input.0.fill(0.0),
        }
        let proximal = currents.now(Compartment::Proximal);
        if !proximal.is_empty() {
            add(&mut input.0, proximal);
        }
        if inhibitory && !computation.primes_inhibitory {
            continue;
        }
        let priming = [
            (Compartment::Apical, computation.apical_provocativeness),
            (Compartment::Distal, computation.distal_provocativeness),
        ];
        for (compartment, provocativeness) in priming {
            let now = currents.now(compartment);
            let Some(p) = provocativeness.filter(|_| !now.is_empty()) else { continue };
            for (k, current) in input.0.chunks_mut(BLOCK).enumerate() {
                let (start, len) = (k * BLOCK, current.len());
                let block = start..start + len;
                prime(
                    current,
                    &now[block.clone()],
                    &v.0[block],
                    threshold.0.block(start, len),
                    membrane.v_rest.block(start, len),
                    membrane.tau.block(start, len),
                    membrane.r.block(start, len),
                    p,
                );
            }
        }
    }
}

/// Without a dendrite that computes it, there is no input current.
pub(super) fn still(group: &mut EntityWorldMut<'_>) {
    if let Some(mut input) = group.get_mut::<InputCurrent>() {
        input.0.fill(0.0);
    }
}

fn check_computation(
    mut problems: ResMut<Problems>,
    populations: Query<(&Name, &SimpleDendriteComputation), With<Unbuilt>>,
) {
    for (name, computation) in &populations {
        let parameters = [
            ("i_tau", computation.i_tau, Range::Positive),
            ("apical_provocativeness", computation.apical_provocativeness, Range::Any),
            ("distal_provocativeness", computation.distal_provocativeness, Range::Any),
        ];
        for (parameter, value, range) in parameters {
            if let Some(value) = value {
                let behaviour = "SimpleDendriteComputation";
                problems.check(check_parameter(name, behaviour, parameter, &value.into(), 1, range));
            }
        }
    }
}

pub(super) fn install(world: &mut World) {
    registry::behaviour::<SimpleDendriteComputation>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::Dendrite)
        .needs(&[DENDRITE.at(Place::Own)])
        .after_taking(still)
        .saved();
    add_systems(world, StepSystems::Dendrite, compute_currents.in_set(DendriteSystems::Compute));
    add_build_systems(world, BuildSystems::Validate, check_computation);
}
