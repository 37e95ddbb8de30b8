//! Stage `CurrentNormalization`: currents relative to the target's incoming weights.

use super::{Synapses, SynapticCurrent};
use crate::Real;
use crate::kernels::decay::scale;
use crate::learning::SummedSynapses;
use crate::schedule::{StepSystems, add_family_system};
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Scales a projection's current by `norm / (sum of the target's incoming weights)`.
///
/// A sum of 0 counts as 1. The sums are those of [`WeightNormalization`](crate::weights::WeightNormalization): a column
/// of dense or sparse weights, all weights of a one-to-one or lateral projection, an output channel's kernel of a
/// convolution, a target neuron's own of local kernels.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[require(IncomingSums)]
pub struct CurrentNormalization {
    /// The current that a target has when all its sources fire. Default 1.
    pub norm: Real,
}

impl CurrentNormalization {
    /// Scales to `norm`.
    pub fn new(norm: Real) -> Self {
        CurrentNormalization { norm }
    }
}

impl Default for CurrentNormalization {
    fn default() -> Self {
        CurrentNormalization { norm: 1.0 }
    }
}

/// The sums that a projection's currents are divided by, and how old they are.
#[derive(Component, Clone, Debug, Default)]
pub struct IncomingSums {
    sums: Vec<f64>,
    version: Option<u64>,
}

#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct CurrentNormalizations;

/// For every projection with a current and a norm, divide by the incoming weights, summed anew when they have changed.
fn normalize_currents<S: Synapses>(
    mut projections: Query<(&S, &CurrentNormalization, &mut IncomingSums, &mut SynapticCurrent)>,
) {
    for (synapses, normalization, mut incoming, mut current) in &mut projections {
        if current.silent {
            continue;
        }
        let version = synapses.weights().version();
        if incoming.version != Some(version) {
            match SummedSynapses::of(synapses.weights()) {
                Some(summed) => summed.sum(&mut incoming.sums),
                None => synapses.fan_in().sum(synapses.weights().values(), &mut incoming.sums),
            }
            incoming.version = Some(version);
        }
        let targets = current.values.len() / incoming.sums.len().max(1);
        for (current, &sum) in current.values.chunks_mut(targets.max(1)).zip(&incoming.sums) {
            let norm = f64::from(normalization.norm);
            scale(current, (norm / if sum == 0.0 { 1.0 } else { sum }) as Real);
        }
    }
}

/// Sums of synapses that are no more mean nothing to those that were laid out in their place.
pub(super) fn forget_sums(mut projections: Query<&mut IncomingSums, With<super::FreshSynapses>>) {
    projections.iter_mut().for_each(|mut incoming| incoming.version = None);
}

pub(super) fn register<S: Synapses>(world: &mut World) {
    add_family_system(
        world,
        StepSystems::CurrentNormalization,
        CurrentNormalizations,
        normalize_currents::<S>,
    );
}
