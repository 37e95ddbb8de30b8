//! Neurons with synapses of their own: what arrives decays in them.

use super::simd;
use crate::Real;

simd! {
    /// `v ← v_rest + (v − v_rest)·leak + i·from_synapse + input·from_input`, then `i ← i·decay + received`.
    pub fn advance_current(v: &mut [Real], i: &mut [Real], input: &[Real], received: &[Real], v_rest: &[Real],
                           leak: &[Real], from_input: &[Real], decay: &[Real], from_synapse: &[Real]) {
        let n = v.len();
        assert!(i.len() == n && input.len() == n && received.len() == n && v_rest.len() == n);
        assert!(leak.len() == n && from_input.len() == n && decay.len() == n && from_synapse.len() == n);
        for j in 0..n {
            v[j] = v_rest[j] + (v[j] - v_rest[j]) * leak[j] + i[j] * from_synapse[j] + input[j] * from_input[j];
            i[j] = i[j] * decay[j] + received[j];
        }
    }
}

simd! {
    /// `v ← v − i·from_synapse`, then `i ← i·decay + received`: a second synaptic current.
    pub fn advance_second(v: &mut [Real], i: &mut [Real], received: &[Real], decay: &[Real], from_synapse: &[Real]) {
        let n = v.len();
        assert!(i.len() == n && received.len() == n && decay.len() == n && from_synapse.len() == n);
        for j in 0..n {
            v[j] -= i[j] * from_synapse[j];
            i[j] = i[j] * decay[j] + received[j];
        }
    }
}

simd! {
    /// One step of `c·dv/dt = g_leak·(v_rest − v) + g_exc·(e_exc − v) + g_inh·(e_inh − v) + input` by the trapezoidal rule,
    /// with the mean of both conductances over the step, which decay; then what is received opens more of them. Where the
    /// step is longer than twice the membrane's time constant, the rule would overshoot: v goes to its equilibrium instead.
    pub fn advance_conductances(v: &mut [Real], g_exc: &mut [Real], g_inh: &mut [Real], input: &[Real],
                                received_exc: &[Real], received_inh: &[Real], v_rest: &[Real], e_exc: &[Real],
                                e_inh: &[Real], g_leak: &[Real], half_step: &[Real], decay_exc: &[Real],
                                decay_inh: &[Real], mean_exc: &[Real], mean_inh: &[Real]) {
        let n = v.len();
        assert!(g_exc.len() == n && g_inh.len() == n && input.len() == n && received_exc.len() == n);
        assert!(received_inh.len() == n && v_rest.len() == n && e_exc.len() == n && e_inh.len() == n);
        assert!(g_leak.len() == n && half_step.len() == n && decay_exc.len() == n && decay_inh.len() == n);
        assert!(mean_exc.len() == n && mean_inh.len() == n);
        for j in 0..n {
            let (exc, inh) = (g_exc[j] * mean_exc[j], g_inh[j] * mean_inh[j]);
            let total = (g_leak[j] + exc + inh) * half_step[j];
            let drive = (g_leak[j] * v_rest[j] + exc * e_exc[j] + inh * e_inh[j] + input[j]) * half_step[j];
            let most = if total > 1.0 { total } else { 1.0 };
            v[j] = (v[j] * (most - total) + drive + drive) / (most + total);
            g_exc[j] = g_exc[j] * decay_exc[j] + received_exc[j];
            g_inh[j] = g_inh[j] * decay_inh[j] + received_inh[j];
        }
    }
}
