//! What a dendrite adds to the current of its neuron.

use super::{math::tanh, simd};
use crate::Real;

simd! {
    /// Adds `tau·tanh(I_c)·max(limit − v, 0)/R` to `current`, with `limit = v_rest + p·(threshold − v_rest)`: a distal or
    /// apical current `I_c` drives the neuron towards `limit`, never beyond, and one at or above its threshold not at all.
    pub fn prime(current: &mut [Real], compartment: &[Real], v: &[Real], threshold: &[Real], v_rest: &[Real],
                 tau: &[Real], r: &[Real], p: Real) {
        let n = current.len();
        assert!(compartment.len() == n && v.len() == n && threshold.len() == n);
        assert!(v_rest.len() == n && tau.len() == n && r.len() == n);
        for j in 0..n {
            let limit = v_rest[j] + p * (threshold[j] - v_rest[j]);
            let primed = (limit > v[j]) & (threshold[j] > v[j]);
            let distance = if primed { limit - v[j] } else { 0.0 };
            current[j] += tau[j] * (tanh(compartment[j]) * distance) / r[j];
        }
    }
}
