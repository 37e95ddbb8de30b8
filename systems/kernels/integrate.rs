//! One Euler step of the integrate-and-fire family.

use super::{math::exp, simd};
use crate::Real;

simd! {
    /// `v ← v + (v_rest − v + R·I)·dt/tau`.
    pub fn leaky_integrate(v: &mut [Real], input: &[Real], tau: &[Real], r: &[Real], v_rest: &[Real], dt: Real) {
        let n = v.len();
        assert!(input.len() == n && tau.len() == n && r.len() == n && v_rest.len() == n);
        for j in 0..n {
            v[j] += (v_rest[j] - v[j] + r[j] * input[j]) * dt / tau[j];
        }
    }
}

simd! {
    /// `v ← v + (v_rest − v + delta·exp((v − theta_rh)/delta) + R·(I − omega))·dt/tau`; no `omega` where it is empty.
    pub fn exponential_integrate(v: &mut [Real], input: &[Real], omega: &[Real], tau: &[Real], r: &[Real],
                                 v_rest: &[Real], delta: &[Real], theta_rh: &[Real], dt: Real) {
        let n = v.len();
        assert!(input.len() == n && tau.len() == n && r.len() == n && v_rest.len() == n);
        assert!(delta.len() == n && theta_rh.len() == n && (omega.is_empty() || omega.len() == n));
        if omega.is_empty() {
            for j in 0..n {
                let rise = delta[j] * exp((v[j] - theta_rh[j]) / delta[j]);
                v[j] += (v_rest[j] - v[j] + rise + r[j] * input[j]) * dt / tau[j];
            }
        } else {
            for j in 0..n {
                let rise = delta[j] * exp((v[j] - theta_rh[j]) / delta[j]);
                v[j] += (v_rest[j] - v[j] + rise + r[j] * input[j] - r[j] * omega[j]) * dt / tau[j];
            }
        }
    }
}

simd! {
    /// `omega ← omega + (alpha·(v − v_rest) − omega)·dt/w_tau`, the part of the adaptation that needs no spike.
    pub fn relax_adaptation(omega: &mut [Real], v: &[Real], v_rest: &[Real], alpha: &[Real], w_tau: &[Real], dt: Real) {
        let n = omega.len();
        assert!(v.len() == n && v_rest.len() == n && alpha.len() == n && w_tau.len() == n);
        for j in 0..n {
            omega[j] += (alpha[j] * (v[j] - v_rest[j]) - omega[j]) * dt / w_tau[j];
        }
    }
}
