//! Neurons with synapses of their own: what arrives decays in them.
//!
//! What a step does to one neuron stands once, in its [`SynapticNeuron::step`]. The kernels here apply it to neurons that
//! have each numbers of their own; [`units`](super::units) to neurons that share them.

use super::simd;
use crate::Real;

/// A neuron with synapses of its own, as the numbers that a step needs.
pub trait SynapticNeuron: Copy {
    /// How many receptors it has, 1 or 2. Each has one variable, a current or a conductance.
    const RECEPTORS: usize;

    /// The potential and the receptors' variables after a step, from those before it, the input current, and what
    /// arrives at the receptors, which is added to the variables last and changes nothing else: so it can also be added
    /// after the step. What belongs to a receptor that it has not is left alone.
    fn step(self, v: Real, own: [Real; 2], input: Real, received: [Real; 2]) -> (Real, [Real; 2]);
}

/// `v ← v_rest + (v − v_rest)·leak + i·from_synapse + input·from_input`, then `i ← i·decay + received`.
#[derive(Clone, Copy, Debug)]
pub struct OneCurrent {
    /// Resting potential.
    pub v_rest: Real,
    /// What is left of `v − v_rest` after a step.
    pub leak: Real,
    /// What an input current of 1 adds to v.
    pub from_input: Real,
    /// What is left of the synaptic current after a step.
    pub decay: Real,
    /// What a synaptic current of 1 adds to v.
    pub from_synapse: Real,
}

impl SynapticNeuron for OneCurrent {
    const RECEPTORS: usize = 1;

    #[inline(always)]
    fn step(self, v: Real, [i, other]: [Real; 2], input: Real, received: [Real; 2]) -> (Real, [Real; 2]) {
        let v = self.v_rest + (v - self.v_rest) * self.leak + i * self.from_synapse + input * self.from_input;
        (v, [i * self.decay + received[0], other])
    }
}

/// As [`OneCurrent`], and then `v ← v − i·from_synapse` and `i ← i·decay + received` for a second, inhibitory current.
#[derive(Clone, Copy, Debug)]
pub struct TwoCurrents {
    /// The membrane and its first current.
    pub first: OneCurrent,
    /// What is left of the second current after a step.
    pub decay: Real,
    /// What a second current of 1 takes off v.
    pub from_synapse: Real,
}

impl SynapticNeuron for TwoCurrents {
    const RECEPTORS: usize = 2;

    #[inline(always)]
    fn step(self, v: Real, own: [Real; 2], input: Real, received: [Real; 2]) -> (Real, [Real; 2]) {
        let (v, [exc, inh]) = self.first.step(v, own, input, received);
        (v - inh * self.from_synapse, [exc, inh * self.decay + received[1]])
    }
}

/// One step of `c·dv/dt = g_leak·(v_rest − v) + g_exc·(e_exc − v) + g_inh·(e_inh − v) + input` by the trapezoidal rule,
/// with the mean of both conductances over the step, which decay; then what is received opens more of them. Where the step
/// is longer than twice the membrane's time constant, the rule would overshoot: v goes to its equilibrium instead.
#[derive(Clone, Copy, Debug)]
pub struct Conductances {
    /// Resting potential.
    pub v_rest: Real,
    /// Reversal potential of excitation.
    pub e_exc: Real,
    /// Reversal potential of inhibition.
    pub e_inh: Real,
    /// Conductance of the membrane.
    pub g_leak: Real,
    /// Half a step, per capacitance.
    pub half_step: Real,
    /// What is left of each conductance after a step.
    pub decay: [Real; 2],
    /// The mean over a step of each conductance that is 1 at its begin.
    pub mean: [Real; 2],
}

impl SynapticNeuron for Conductances {
    const RECEPTORS: usize = 2;

    #[inline(always)]
    fn step(self, v: Real, [g_exc, g_inh]: [Real; 2], input: Real, received: [Real; 2]) -> (Real, [Real; 2]) {
        let (exc, inh) = (g_exc * self.mean[0], g_inh * self.mean[1]);
        let total = (self.g_leak + exc + inh) * self.half_step;
        let drive = self.g_leak * self.v_rest + exc * self.e_exc + inh * self.e_inh + input;
        let drive = drive * self.half_step;
        let most = if total > 1.0 { total } else { 1.0 };
        let v = (v * (most - total) + drive + drive) / (most + total);
        (v, [g_exc * self.decay[0] + received[0], g_inh * self.decay[1] + received[1]])
    }
}

simd! {
    /// A step of neurons with one synaptic current: [`OneCurrent`].
    pub fn advance_current(v: &mut [Real], i: &mut [Real], input: &[Real], received: &[Real], v_rest: &[Real],
                           leak: &[Real], from_input: &[Real], decay: &[Real], from_synapse: &[Real]) {
        let n = v.len();
        assert!(i.len() == n && input.len() == n && received.len() == n && v_rest.len() == n);
        assert!(leak.len() == n && from_input.len() == n && decay.len() == n && from_synapse.len() == n);
        for j in 0..n {
            let neuron = OneCurrent {
                v_rest: v_rest[j],
                leak: leak[j],
                from_input: from_input[j],
                decay: decay[j],
                from_synapse: from_synapse[j],
            };
            (v[j], [i[j], _]) = neuron.step(v[j], [i[j], 0.0], input[j], [received[j], 0.0]);
        }
    }
}

simd! {
    /// What [`TwoCurrents`] does beyond [`OneCurrent`]: `v ← v − i·from_synapse`, then `i ← i·decay + received`.
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
    /// A step of neurons with two conductances: [`Conductances`].
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
            let neuron = Conductances {
                v_rest: v_rest[j],
                e_exc: e_exc[j],
                e_inh: e_inh[j],
                g_leak: g_leak[j],
                half_step: half_step[j],
                decay: [decay_exc[j], decay_inh[j]],
                mean: [mean_exc[j], mean_inh[j]],
            };
            let received = [received_exc[j], received_inh[j]];
            (v[j], [g_exc[j], g_inh[j]]) = neuron.step(v[j], [g_exc[j], g_inh[j]], input[j], received);
        }
    }
}
