//! The leaky integrate-and-fire neuron with exponential synaptic conductances.

use super::{Membrane, NeuronModel, Neurons, Range, Stretch};
use crate::fire::Fire;
use crate::kernels::synaptic_neurons::{Conductances, advance_conductances};
use crate::parameter::Param;
use crate::receptors::{Receptors, derived};
use crate::setters;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Leaky integrate-and-fire with synaptic conductances that jump at a spike's arrival and decay exponentially.
///
/// **Equation.** `c·dv/dt = g_leak·(v_rest − v) + g_exc·(e_exc − v) + g_inh·(e_inh − v) + I`, `dg/dt = −g/tau_syn` for both
/// conductances, and `g ← g + |w|` when a spike arrives, at g_exc for w above 0 and at g_inh below; a neuron with
/// `v >= threshold` spikes, and `v` becomes `v_reset`.
///
/// **Parameters.** Each is one number, or one per neuron. The defaults are those of benchmark 1 of R. Brette et al. (2007).
/// For a refractory time add a [`RefractoryPeriod`](crate::refractory::RefractoryPeriod).
///
/// **Scheme.** The conductances are exact; v takes one step of the trapezoidal rule with their means over the step, which
/// is of second order. Where the conductances are so large that a step is longer than twice the membrane's time constant,
/// v goes to its equilibrium: at no dt does it overshoot. A spike that arrives at a step moves v from the next step on.
///
/// **Reference.** T. Vogels & L. Abbott (2005), doi 10.1523/JNEUROSCI.3508-05.2005; R. Brette et al. (2007),
/// doi 10.1007/s10827-007-0038-6.
///
/// **CoNeX.** It has none. NEST's `iaf_cond_exp`.
#[doc(alias = "iaf_cond_exp")]
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(Fire, Receptors)]
pub struct LifCondExp {
    /// Membrane capacitance \[pF\]. Default 200.
    #[doc(alias = "c_m")]
    pub c: Param,
    /// Leak conductance \[nS\]. Default 10.
    #[doc(alias = "g_L")]
    pub g_leak: Param,
    /// Resting potential \[mV\]. Default −60.
    #[doc(alias = "E_L")]
    pub v_rest: Param,
    /// Reversal potential of excitation \[mV\]. Default 0.
    #[doc(alias = "E_ex")]
    pub e_exc: Param,
    /// Reversal potential of inhibition \[mV\]. Default −80.
    #[doc(alias = "E_in")]
    pub e_inh: Param,
    /// Time constant of the excitatory conductance \[ms\]. Default 5.
    pub tau_syn_exc: Param,
    /// Time constant of the inhibitory conductance \[ms\]. Default 10.
    pub tau_syn_inh: Param,
    /// Potential after a spike \[mV\]. Default −60.
    pub v_reset: Param,
    /// Firing threshold \[mV\]. Default −50.
    #[doc(alias = "V_th")]
    pub threshold: Param,
    /// Initial potential \[mV\]. Default −60.
    pub init_v: Param,
    /// Initial excitatory conductance \[nS\]. Default 0.
    pub init_g_exc: Param,
    /// Initial inhibitory conductance \[nS\]. Default 0.
    pub init_g_inh: Param,
}

setters!(LifCondExp {
    c: Param,
    g_leak: Param,
    v_rest: Param,
    e_exc: Param,
    e_inh: Param,
    tau_syn_exc: Param,
    tau_syn_inh: Param,
    v_reset: Param,
    threshold: Param,
    init_v: Param,
    init_g_exc: Param,
    init_g_inh: Param
});

impl Default for LifCondExp {
    fn default() -> Self {
        LifCondExp {
            c: 200.0.into(),
            g_leak: 10.0.into(),
            v_rest: (-60.0).into(),
            e_exc: 0.0.into(),
            e_inh: (-80.0).into(),
            tau_syn_exc: 5.0.into(),
            tau_syn_inh: 10.0.into(),
            v_reset: (-60.0).into(),
            threshold: (-50.0).into(),
            init_v: (-60.0).into(),
            init_g_exc: 0.0.into(),
            init_g_inh: 0.0.into(),
        }
    }
}

impl NeuronModel for LifCondExp {
    const STATE: &'static [&'static str] = &["g_exc", "g_inh"];

    fn membrane(&self) -> Membrane {
        Membrane {
            tau: derived([&self.c, &self.g_leak], |[c, g]| c / g),
            r: derived([&self.g_leak], |[g]| 1.0 / g),
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

    fn initial_state(&self, k: usize) -> Param {
        if k == 0 { self.init_g_exc.clone() } else { self.init_g_inh.clone() }
    }

    fn parameters(&self) -> Vec<(&'static str, &Param, Range)> {
        vec![
            ("c", &self.c, Range::Positive),
            ("g_leak", &self.g_leak, Range::Positive),
            ("v_rest", &self.v_rest, Range::Any),
            ("e_exc", &self.e_exc, Range::Any),
            ("e_inh", &self.e_inh, Range::Any),
            ("tau_syn_exc", &self.tau_syn_exc, Range::Positive),
            ("tau_syn_inh", &self.tau_syn_inh, Range::Positive),
            ("v_reset", &self.v_reset, Range::Any),
            ("threshold", &self.threshold, Range::Any),
            ("init_v", &self.init_v, Range::Any),
            ("init_g_exc", &self.init_g_exc, Range::NotNegative),
            ("init_g_inh", &self.init_g_inh, Range::NotNegative),
        ]
    }

    fn receptors(&self) -> usize {
        2
    }

    fn constants(&self, dt: f64) -> Vec<Param> {
        let decay = |tau: &Param| derived([tau], |[tau]| libm::exp(-dt / tau));
        // The mean over a step of a conductance that is 1 at its begin.
        let mean = |tau: &Param| derived([tau], |[tau]| -tau / dt * libm::expm1(-dt / tau));
        let (exc, inh) = (&self.tau_syn_exc, &self.tau_syn_inh);
        vec![derived([&self.c], |[c]| 0.5 * dt / c), decay(exc), decay(inh), mean(exc), mean(inh)]
    }

    fn integrate(&self, mut neurons: Neurons<'_>) {
        let [half_step, decay_exc, decay_inh, mean_exc, mean_inh] =
            std::array::from_fn(|k| neurons.constant(k));
        let (v_rest, e_exc, e_inh) =
            (neurons.of(&self.v_rest), neurons.of(&self.e_exc), neurons.of(&self.e_inh));
        let g_leak = neurons.of(&self.g_leak);
        let [received_exc, received_inh] = neurons.received;
        let [g_exc, g_inh, ..] = &mut neurons.state;
        advance_conductances(
            neurons.v,
            g_exc,
            g_inh,
            neurons.input,
            received_exc,
            received_inh,
            v_rest,
            e_exc,
            e_inh,
            g_leak,
            half_step,
            decay_exc,
            decay_inh,
            mean_exc,
            mean_inh,
        );
    }

    fn advance(&self, constants: &[Param], neurons: &mut Stretch<'_, '_>) -> bool {
        let own = [&self.v_rest, &self.e_exc, &self.e_inh, &self.g_leak];
        let shared: Option<Vec<_>> = own.into_iter().chain(constants).map(Param::shared).collect();
        let Some([v_rest, e_exc, e_inh, g_leak, half_step, decay_exc, decay_inh, mean_exc, mean_inh]) =
            shared.as_deref()
        else {
            return false;
        };
        neurons.advance(Conductances {
            v_rest: *v_rest,
            e_exc: *e_exc,
            e_inh: *e_inh,
            g_leak: *g_leak,
            half_step: *half_step,
            decay: [*decay_exc, *decay_inh],
            mean: [*mean_exc, *mean_inh],
        });
        true
    }
}
