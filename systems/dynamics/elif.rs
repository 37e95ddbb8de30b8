//! The exponential integrate-and-fire neuron.

use super::{Membrane, NeuronModel, Neurons, Range};
use crate::fire::Fire;
use crate::kernels::integrate::exponential_integrate;
use crate::parameter::Param;
use crate::setters;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Exponential leaky integrate-and-fire.
///
/// **Equation.** `tau·dv/dt = v_rest − v + delta·exp((v − theta_rh)/delta) + R·I`; spike and reset as
/// [`Lif`](super::lif::Lif).
///
/// **Parameters.** Each is one number, or one per neuron.
///
/// **Scheme.** Forward Euler. Far above `theta_rh` the exponential may carry `v` to infinity within a step: the neuron
/// then fires and is reset like any other.
///
/// **Reference.** N. Fourcaud-Trocmé, D. Hansel, C. van Vreeswijk & N. Brunel (2003), doi
/// 10.1523/JNEUROSCI.23-37-11628.2003.
///
/// **CoNeX.** `ELIF`, with Fire always there.
#[doc(alias = "ELIF")]
#[doc(alias = "EIF")]
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(Fire)]
pub struct Elif {
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
    /// Initial potential \[mV\]. Default -65. (CoNeX starts at 0, far above any threshold in mV.)
    pub init_v: Param,
}

setters!(Elif {
    tau: Param,
    r: Param,
    threshold: Param,
    v_reset: Param,
    v_rest: Param,
    delta: Param,
    theta_rh: Param,
    init_v: Param
});

impl Default for Elif {
    fn default() -> Self {
        Elif {
            tau: 10.0.into(),
            r: 1.0.into(),
            threshold: (-50.0).into(),
            v_reset: (-70.0).into(),
            v_rest: (-65.0).into(),
            delta: 2.0.into(),
            theta_rh: (-55.0).into(),
            init_v: (-65.0).into(),
        }
    }
}

impl NeuronModel for Elif {
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

    fn parameters(&self) -> Vec<(&'static str, &Param, Range)> {
        vec![
            ("tau", &self.tau, Range::Positive),
            ("r", &self.r, Range::NonZero),
            ("threshold", &self.threshold, Range::Any),
            ("v_reset", &self.v_reset, Range::Any),
            ("v_rest", &self.v_rest, Range::Any),
            ("delta", &self.delta, Range::Positive),
            ("theta_rh", &self.theta_rh, Range::Any),
            ("init_v", &self.init_v, Range::Any),
        ]
    }

    fn integrate(&self, neurons: Neurons<'_>) {
        let (tau, r, v_rest) = (neurons.of(&self.tau), neurons.of(&self.r), neurons.of(&self.v_rest));
        let (delta, theta_rh) = (neurons.of(&self.delta), neurons.of(&self.theta_rh));
        exponential_integrate(neurons.v, neurons.input, &[], tau, r, v_rest, delta, theta_rh, neurons.dt);
    }
}
