//! The leaky integrate-and-fire neuron with exponential synaptic currents.

use super::{Membrane, NeuronModel, Neurons, Range, Stretch};
use crate::fire::Fire;
use crate::kernels::synaptic_neurons::{OneCurrent, TwoCurrents, advance_current, advance_second};
use crate::parameter::Param;
use crate::receptors::{Receptors, derived};
use crate::setters;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Leaky integrate-and-fire with synaptic currents that jump at a spike's arrival and decay exponentially.
///
/// **Equation.** `dv/dt = (v_rest − v)/tau + (I_syn + I)/c`, `dI_syn/dt = −I_syn/tau_syn`, and `I_syn ← I_syn + w` when a
/// spike arrives; a neuron with `v >= threshold` spikes, and `v` becomes `v_reset`. Where inhibition has a time constant of its
/// own (`tau_syn_inh`), it has a current of its own, `I_syn_inh`, which is taken off.
///
/// **Parameters.** Each is one number, or one per neuron. The defaults are those of the cortical microcircuit of
/// T. Potjans & M. Diesmann (2014). For a refractory time add a
/// [`RefractoryPeriod`](crate::refractory::RefractoryPeriod).
///
/// **Scheme.** Exact at any dt, up to the precision of numbers: the propagators of the linear equations are computed once. The
/// current I is constant within a step; a spike that arrives at a step moves v from the next step on.
///
/// **Reference.** S. Rotter & M. Diesmann (1999), doi 10.1007/s004220050570.
///
/// **CoNeX.** It has none. NEST's `iaf_psc_exp`.
#[doc(alias = "iaf_psc_exp")]
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(Fire, Receptors)]
pub struct LifPscExp {
    /// Membrane time constant \[ms\]. Default 10.
    #[doc(alias = "tau_m")]
    pub tau: Param,
    /// Membrane capacitance \[pF\]. Default 250.
    #[doc(alias = "c_m")]
    pub c: Param,
    /// Time constant of the synaptic current \[ms\]. Default 0.5.
    pub tau_syn: Param,
    /// Time constant of the inhibitory synaptic current, where it is another \[ms\]. Default none: one current takes both.
    pub tau_syn_inh: Option<Param>,
    /// Resting potential \[mV\]. Default −65.
    #[doc(alias = "E_L")]
    pub v_rest: Param,
    /// Potential after a spike \[mV\]. Default −65.
    pub v_reset: Param,
    /// Firing threshold \[mV\]. Default −50.
    #[doc(alias = "V_th")]
    pub threshold: Param,
    /// Initial potential \[mV\]. Default −65.
    pub init_v: Param,
}

setters!(LifPscExp {
    tau: Param,
    c: Param,
    tau_syn: Param,
    v_rest: Param,
    v_reset: Param,
    threshold: Param,
    init_v: Param
});

impl LifPscExp {
    /// Gives inhibition a synaptic current with a time constant of its own \[ms\].
    #[must_use]
    pub fn tau_syn_inh(self, tau: impl Into<Param>) -> Self {
        LifPscExp { tau_syn_inh: Some(tau.into()), ..self }
    }
}

impl Default for LifPscExp {
    fn default() -> Self {
        LifPscExp {
            tau: 10.0.into(),
            c: 250.0.into(),
            tau_syn: 0.5.into(),
            tau_syn_inh: None,
            v_rest: (-65.0).into(),
            v_reset: (-65.0).into(),
            threshold: (-50.0).into(),
            init_v: (-65.0).into(),
        }
    }
}

/// What a current of 1 that decays with `tau_syn` adds to v within a step, per capacitance.
fn from_synapse([tau, c, tau_syn]: [f64; 3], dt: f64) -> f64 {
    // Where both time constants are about equal, the difference of the exponentials is their derivative.
    if ((tau - tau_syn) / tau).abs() < 1e-6 {
        return dt / c * libm::exp(-dt / tau);
    }
    tau * tau_syn / (c * (tau_syn - tau)) * (libm::exp(-dt / tau_syn) - libm::exp(-dt / tau))
}

impl NeuronModel for LifPscExp {
    const STATE: &'static [&'static str] = &["I_syn", "I_syn_inh"];

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
        let decay = |tau: &Param| derived([tau], |[tau]| libm::exp(-dt / tau));
        let synapse = |tau_syn: &Param| {
            [decay(tau_syn), derived([&self.tau, &self.c, tau_syn], |all| from_synapse(all, dt))]
        };
        let from_input = derived([&self.tau, &self.c], |[tau, c]| -tau / c * libm::expm1(-dt / tau));
        let mut all = vec![decay(&self.tau), from_input];
        all.extend(synapse(&self.tau_syn));
        all.extend(self.tau_syn_inh.iter().flat_map(synapse));
        all
    }

    fn integrate(&self, mut neurons: Neurons<'_>) {
        let constant: [&[_]; 4] = std::array::from_fn(|k| neurons.constant(k));
        let second = self.tau_syn_inh.is_some().then(|| [neurons.constant(4), neurons.constant(5)]);
        let v_rest = neurons.of(&self.v_rest);
        let [first, inhibitory, ..] = &mut neurons.state;
        let [leak, from_input, decay, from_synapse] = constant;
        let [received, received_inh] = neurons.received;
        advance_current(
            neurons.v,
            first,
            neurons.input,
            received,
            v_rest,
            leak,
            from_input,
            decay,
            from_synapse,
        );
        if let Some([decay, from_synapse]) = second {
            advance_second(neurons.v, inhibitory, received_inh, decay, from_synapse);
        }
    }

    fn advance(&self, constants: &[Param], neurons: &mut Stretch<'_, '_>) -> bool {
        let shared: Option<Vec<_>> = constants.iter().map(Param::shared).collect();
        let (Some(shared), Some(v_rest)) = (shared, self.v_rest.shared()) else { return false };
        let [leak, from_input, decay, from_synapse, ref second @ ..] = shared[..] else { return false };
        let first = OneCurrent { v_rest, leak, from_input, decay, from_synapse };
        match *second {
            [decay, from_synapse] => neurons.advance(TwoCurrents { first, decay, from_synapse }),
            _ => neurons.advance(first),
        }
        true
    }
}
