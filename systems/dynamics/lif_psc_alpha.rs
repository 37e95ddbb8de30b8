//! The leaky integrate-and-fire neuron with alpha-shaped synaptic currents.

use super::{Membrane, NeuronModel, Neurons, Range};
use crate::Real;
use crate::fire::Fire;
use crate::parameter::Param;
use crate::receptors::{Receptors, derived};
use crate::setters;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Leaky integrate-and-fire with synaptic currents that rise after a spike's arrival, and then decay.
///
/// **Equation.** `dv/dt = (v_rest − v)/tau + (I_syn + I)/c`, `dI_syn/dt = s − I_syn/tau_syn`, `ds/dt = −s/tau_syn`, and
/// `s ← s + w·e/tau_syn` when a spike arrives: a spike alone brings the current `w·(t/tau_syn)·e^(1 − t/tau_syn)`, which
/// is w at its highest, `tau_syn` after its arrival. A neuron with `v >= threshold` spikes, and `v` becomes `v_reset`. Where
/// inhibition has a time constant of its own (`tau_syn_inh`), it has a current of its own, `I_syn_inh`, which is taken off.
///
/// **Parameters.** Each is one number, or one per neuron. For a refractory time add a
/// [`RefractoryPeriod`](crate::refractory::RefractoryPeriod).
///
/// **Scheme.** Exact at any dt, up to the precision of numbers: the propagators of the linear equations are computed once. The
/// current I is constant within a step; a spike that arrives at a step moves v from the next step on.
///
/// **Reference.** S. Rotter & M. Diesmann (1999), doi 10.1007/s004220050570; the alpha function is that of W. Rall (1967),
/// doi 10.1152/jn.1967.30.5.1138.
///
/// **CoNeX.** It has none. NEST's `iaf_psc_alpha`.
#[doc(alias = "iaf_psc_alpha")]
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(Fire, Receptors)]
pub struct LifPscAlpha {
    /// Membrane time constant \[ms\]. Default 10.
    #[doc(alias = "tau_m")]
    pub tau: Param,
    /// Membrane capacitance \[pF\]. Default 250.
    #[doc(alias = "c_m")]
    pub c: Param,
    /// Time from a spike's arrival to the peak of its current \[ms\]. Default 2.
    pub tau_syn: Param,
    /// The same for inhibition, where it is another \[ms\]. Default none: one current takes both.
    pub tau_syn_inh: Option<Param>,
    /// Resting potential \[mV\]. Default −70.
    #[doc(alias = "E_L")]
    pub v_rest: Param,
    /// Potential after a spike \[mV\]. Default −70.
    pub v_reset: Param,
    /// Firing threshold \[mV\]. Default −55.
    #[doc(alias = "V_th")]
    pub threshold: Param,
    /// Initial potential \[mV\]. Default −70.
    pub init_v: Param,
}

setters!(LifPscAlpha {
    tau: Param,
    c: Param,
    tau_syn: Param,
    v_rest: Param,
    v_reset: Param,
    threshold: Param,
    init_v: Param
});

impl LifPscAlpha {
    /// Gives inhibition a synaptic current with a time constant of its own \[ms\].
    #[must_use]
    pub fn tau_syn_inh(self, tau: impl Into<Param>) -> Self {
        LifPscAlpha { tau_syn_inh: Some(tau.into()), ..self }
    }
}

impl Default for LifPscAlpha {
    fn default() -> Self {
        LifPscAlpha {
            tau: 10.0.into(),
            c: 250.0.into(),
            tau_syn: 2.0.into(),
            tau_syn_inh: None,
            v_rest: (-70.0).into(),
            v_reset: (-70.0).into(),
            threshold: (-55.0).into(),
            init_v: (-70.0).into(),
        }
    }
}

/// The integrals over u from 0 to 1 of `e^(−x·u)` and of `u·e^(−x·u)`, for x of at least 0.
fn moments(x: f64) -> [f64; 2] {
    if x > 0.5 {
        let first = -libm::expm1(-x) / x;
        return [first, (first - libm::exp(-x)) / x];
    }
    // The closed forms cancel for small x. The sum of (−x)^n/n!·1/(n + 1), and of 1/(n + 2), has no such trouble.
    let (mut term, mut sums) = (1.0, [0.0; 2]);
    for n in 0..18 {
        let n = f64::from(n);
        sums[0] += term / (n + 1.0);
        sums[1] += term / (n + 2.0);
        term *= -x / (n + 1.0);
    }
    sums
}

/// What a slope s of 1, and a current of 1, add to v within a step.
fn propagators([tau, c, tau_syn]: [f64; 3], dt: f64) -> [f64; 2] {
    // The integrals of s·e^(−s/tau_syn)·e^(−(dt − s)/tau), and of the same without the factor s, over a step: what decays
    // more slowly is taken out, and what is left is the moment of one exponential.
    let x = dt / tau_syn - dt / tau;
    let [zeroth, first] = moments(x.abs());
    let slower = libm::exp(-dt / tau.max(tau_syn));
    let first = if x >= 0.0 { first } else { zeroth - first };
    [first * dt * dt * slower / c, zeroth * dt * slower / c]
}

impl NeuronModel for LifPscAlpha {
    const STATE: &'static [&'static str] = &["I_syn", "I_syn_inh", "s_syn", "s_syn_inh"];

    fn membrane(&self) -> Membrane {
        Membrane {
            tau: self.tau.clone(),
            r: derived([&self.tau, &self.c], |[tau, c]| tau / c),
            v_rest: self.v_rest.clone(),
            v_reset: self.v_reset.clone(),
        }
    }

    fn threshold(&self) -> &Param {
        &self.threshold
    }

    fn initial_v(&self) -> &Param {
        &self.init_v
    }

    fn parameters(&self) -> Vec<(&'static str, &Param, Range)> {
        let mut all = vec![
            ("tau", &self.tau, Range::Positive),
            ("c", &self.c, Range::Positive),
            ("tau_syn", &self.tau_syn, Range::Positive),
            ("v_rest", &self.v_rest, Range::Any),
            ("v_reset", &self.v_reset, Range::Any),
            ("threshold", &self.threshold, Range::Any),
            ("init_v", &self.init_v, Range::Any),
        ];
        all.extend(self.tau_syn_inh.as_ref().map(|tau| ("tau_syn_inh", tau, Range::Positive)));
        all
    }

    fn receptors(&self) -> usize {
        if self.tau_syn_inh.is_some() { 2 } else { 1 }
    }

    fn constants(&self, dt: f64) -> Vec<Param> {
        let (tau, c) = (&self.tau, &self.c);
        let leak = derived([tau], |[tau]| libm::exp(-dt / tau));
        let from_input = derived([tau, c], |[tau, c]| -tau / c * libm::expm1(-dt / tau));
        let synapse = |tau_syn: &Param| {
            [
                derived([tau_syn], |[tau_syn]| libm::exp(-dt / tau_syn)),
                derived([tau_syn], |[tau_syn]| dt * libm::exp(-dt / tau_syn)),
                derived([tau, c, tau_syn], |all| propagators(all, dt)[0]),
                derived([tau, c, tau_syn], |all| propagators(all, dt)[1]),
                derived([tau_syn], |[tau_syn]| std::f64::consts::E / tau_syn),
            ]
        };
        let mut all = vec![leak, from_input];
        all.extend(synapse(&self.tau_syn));
        all.extend(self.tau_syn_inh.iter().flat_map(synapse));
        all
    }

    fn integrate(&self, mut neurons: Neurons<'_>) {
        let constant: [&[_]; 12] = std::array::from_fn(|k| {
            let has = k < 7 || self.tau_syn_inh.is_some();
            if has { neurons.constant(k) } else { &[] }
        });
        let v_rest = neurons.of(&self.v_rest);
        let [leak, from_input, first @ .., _, _, _, _, _] = constant;
        let Neurons { v, input, received, .. } = neurons;
        for j in 0..v.len() {
            v[j] = v_rest[j] + (v[j] - v_rest[j]) * leak[j] + input[j] * from_input[j];
        }
        let [i, i_inh, s, s_inh, ..] = &mut neurons.state;
        advance(v, 1.0, i, s, received[0], first);
        if self.tau_syn_inh.is_some() {
            let [.., a, b, c, d, e] = constant;
            advance(v, -1.0, i_inh, s_inh, received[1], [a, b, c, d, e]);
        }
    }
}

/// A step of one synaptic current i with the slope s, and what it adds to v, times `sign`.
fn advance(
    v: &mut [Real],
    sign: Real,
    i: &mut [Real],
    s: &mut [Real],
    received: &[Real],
    [decay, rise, from_slope, from_current, jump]: [&[Real]; 5],
) {
    for j in 0..v.len() {
        v[j] += sign * (s[j] * from_slope[j] + i[j] * from_current[j]);
        i[j] = i[j] * decay[j] + s[j] * rise[j];
        s[j] = s[j] * decay[j] + received[j] * jump[j];
    }
}
