//! Stage `WeightNormalization`: the sum of incoming weights is kept.

use super::Frozen;
use crate::Real;
use crate::dynamics::{Range, check_parameter};
use crate::error::Problems;
use crate::group::Unbuilt;
use crate::learning::SummedSynapses;
use crate::synaptic_input::{CurrentNormalization, Synapses};
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Scales the incoming weights of each target so that they sum to `norm`, after each learning step.
///
/// Dense and sparse: the weights to each target neuron. Convolution: the kernel of each output channel. Local kernels: the
/// kernel of each target neuron. One-to-one and lateral: all weights together (as in CoNeX). A sum of 0 is left alone; a
/// negative sum flips all signs.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[require(Normalized)]
pub struct WeightNormalization {
    /// What the weights sum to. Default 1.
    pub norm: Real,
}

impl WeightNormalization {
    /// Scales to `norm`.
    pub fn new(norm: Real) -> Self {
        WeightNormalization { norm }
    }
}

impl Default for WeightNormalization {
    fn default() -> Self {
        WeightNormalization { norm: 1.0 }
    }
}

/// The weights' version after they were last normalized, and to what they were, and scratch memory.
#[derive(Component, Clone, Debug, Default)]
pub struct Normalized {
    done: Option<(u64, Real)>,
    sums: Vec<f64>,
}

/// For every projection with a norm whose weights have changed, scale them to it.
pub(super) fn normalize_weights<S: Synapses>(
    mut projections: Query<(&WeightNormalization, &mut Normalized, &mut S), Without<Frozen>>,
) {
    for (normalization, mut state, mut synapses) in &mut projections {
        let norm = normalization.norm;
        if state.done == Some((synapses.weights().version(), norm)) {
            continue;
        }
        if SummedSynapses::normalize(synapses.weights_mut(), norm) {
            state.done = Some((synapses.weights().version(), norm));
            continue;
        }
        let fans = synapses.fan_in();
        fans.sum(synapses.weights().values(), &mut state.sums);
        for sum in &mut state.sums {
            *sum = if *sum == 0.0 { 1.0 } else { f64::from(norm) / *sum };
        }
        fans.scale(synapses.weights_mut().values_mut(), &state.sums);
        state.done = Some((synapses.weights().version(), norm));
    }
}

type Norms<'w> = (&'w Name, Option<&'w WeightNormalization>, Option<&'w CurrentNormalization>);

pub(super) fn check_norms(mut problems: ResMut<Problems>, projections: Query<Norms, With<Unbuilt>>) {
    for (name, weights, currents) in &projections {
        let weights = weights.map(|w| ("WeightNormalization", w.norm));
        let currents = currents.map(|c| ("CurrentNormalization", c.norm));
        for (behaviour, norm) in weights.into_iter().chain(currents) {
            problems.check(check_parameter(name, behaviour, "norm", &norm.into(), 1, Range::Any));
        }
    }
}
