//! The adaptive exponential integrate-and-fire neuron.

use super::elif::Elif;
use super::{Membrane, NeuronModel, Neurons, Range};
use crate::fire::Fire;
use crate::kernels::integrate::{exponential_integrate, relax_adaptation};
use crate::parameter::Param;
use crate::setters;
use crate::time::TimeScaling;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Adaptive exponential leaky integrate-and-fire.
///
/// **Equation.** `tau·dv/dt = v_rest − v + delta·exp((v − theta_rh)/delta) + R·I − R·omega` and
/// `w_tau·domega/dt = alpha·(v − v_rest) − omega`, with a jump of `omega` at each spike.
///
/// **Parameters.** Each is one number, or one per neuron.
///
/// **Scheme.** Forward Euler for `v`; after spikes and reset, `omega ← omega + (alpha·(v − v_rest) − omega +
/// beta·w_tau·spike)·dt/w_tau` with the potential after the reset. So the jump is `beta·dt`; with
/// [`TimeScaling::Consistent`] it is `beta`.
///
/// **Reference.** R. Brette & W. Gerstner (2005), doi 10.1152/jn.00686.2005.
///
/// **CoNeX.** `AELIF`, with Fire always there.
#[doc(alias = "AELIF")]
#[doc(alias = "AdEx")]
#[doc(alias = "aeif_cond_exp")]
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(Fire)]
pub struct Aelif {
    /// Membrane time constant \[ms\]. Default 10.
    pub tau: Param,
    /// Membrane resistance \[mV per unit of current\]. Default 1.
    pub r: Param,
    /// Firing threshold \[mV\]. Default -50.
    pub threshold: Param,
    /// Potential after a spike \[mV\]. Default -70.
    pub v_reset: Param,
    /// Resting potential \[mV\]. Default -65.
    pub v_rest: Param,
    /// Sharpness of the spike's onset \[mV\]. Default 2.
    pub delta: Param,
    /// Rheobase threshold, where the exponential takes over \[mV\]. Default -55.
    pub theta_rh: Param,
    /// Subthreshold adaptation \[unit of current per mV\]. Default 0.1.
    pub alpha: Param,
    /// Spike-triggered adaptation \[unit of current per ms\]. Default 0.5.
    pub beta: Param,
    /// Time constant of the adaptation \[ms\]. Default 100.
    pub w_tau: Param,
    /// Initial adaptation \[unit of current\]. Default 0.
    pub omega: Param,
    /// Initial potential \[mV\]. Default -65. (CoNeX starts at 0, far above any threshold in mV.)
    pub init_v: Param,
}

setters!(Aelif {
    tau: Param,
    r: Param,
    threshold: Param,
    v_reset: Param,
    v_rest: Param,
    delta: Param,
    theta_rh: Param,
    alpha: Param,
    beta: Param,
    w_tau: Param,
    omega: Param,
    init_v: Param
});

impl Default for Aelif {
    fn default() -> Self {
        let Elif { tau, r, threshold, v_reset, v_rest, delta, theta_rh, init_v } = Elif::default();
        let (alpha, beta, w_tau, omega) = (0.1.into(), 0.5.into(), 100.0.into(), 0.0.into());
        Aelif { tau, r, threshold, v_reset, v_rest, delta, theta_rh, alpha, beta, w_tau, omega, init_v }
    }
}

impl NeuronModel for Aelif {
    const STATE: &'static [&'static str] = &["omega"];
    const ADAPTS: bool = true;

    fn membrane(&self) -> Membrane {
        Membrane {
            tau: self.tau.clone(),
            r: self.r.clone(),
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

    fn initial_state(&self, _: usize) -> Param {
        self.omega.clone()
    }

    fn parameters(&self) -> Vec<(&'static str, &Param, Range)> {
        vec![
            ("tau", &self.tau, Range::Positive),
            ("r", &self.r, Range::NonZero),
            ("threshold", &self.threshold, Range::Any),
            ("v_reset", &self.v_reset, Range::Any),
            ("v_rest", &self.v_rest, Range::Any),
            ("delta", &self.delta, Range::Positive),
            ("theta_rh", &self.theta_rh, Range::Any),
            ("alpha", &self.alpha, Range::Any),
            ("beta", &self.beta, Range::Any),
            ("w_tau", &self.w_tau, Range::Positive),
            ("omega", &self.omega, Range::Any),
            ("init_v", &self.init_v, Range::Any),
        ]
    }

    fn integrate(&self, neurons: Neurons<'_>) {
        let (tau, r, v_rest) = (neurons.of(&self.tau), neurons.of(&self.r), neurons.of(&self.v_rest));
        let (delta, theta_rh) = (neurons.of(&self.delta), neurons.of(&self.theta_rh));
        let [omega, ..] = neurons.state;
        exponential_integrate(neurons.v, neurons.input, omega, tau, r, v_rest, delta, theta_rh, neurons.dt);
    }

    fn after_fire(&self, neurons: Neurons<'_>, fired: &[bool]) {
        let (v_rest, alpha) = (neurons.of(&self.v_rest), neurons.of(&self.alpha));
        let (beta, w_tau) = (neurons.of(&self.beta), neurons.of(&self.w_tau));
        let jump_dt = match neurons.scaling {
            TimeScaling::Upstream => neurons.dt,
            TimeScaling::Consistent => 1.0,
        };
        let [omega, ..] = neurons.state;
        relax_adaptation(omega, neurons.v, v_rest, alpha, w_tau, neurons.dt);
        for ((omega, beta), _) in omega.iter_mut().zip(beta).zip(fired).filter(|(_, fired)| **fired) {
            *omega += beta * jump_dt;
        }
    }
}
