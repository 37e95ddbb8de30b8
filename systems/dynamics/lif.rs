//! The leaky integrate-and-fire neuron.

use super::{Membrane, NeuronModel, Neurons, Range};
use crate::fire::Fire;
use crate::kernels::integrate::leaky_integrate;
use crate::parameter::Param;
use crate::setters;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Leaky integrate-and-fire.
///
/// **Equation.** `tau·dv/dt = v_rest − v + R·I`; a neuron with `v >= threshold` spikes, and `v` becomes `v_reset`.
///
/// **Parameters.** Each is one number, or one per neuron. The defaults make a neuron without units, which rests at 0 and
/// fires at 1; for millivolts set all four potentials, `init_v` too.
///
/// **Scheme.** Forward Euler: `v ← v + (v_rest − v + R·I)·dt/tau`.
///
/// **Reference.** L. Lapicque (1907); in this form W. Gerstner & W. Kistler, Spiking Neuron Models (2002),
/// doi 10.1017/CBO9780511815706.
///
/// **CoNeX.** `LIF`, which needs `Fire` beside it: here Fire comes with every neuron model.
#[doc(alias = "LIF")]
#[doc(alias = "iaf_psc_delta")]
#[doc(alias = "LIFNodes")]
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(Fire)]
pub struct Lif {
    /// Membrane time constant \[ms\]. Default 10.
    pub tau: Param,
    /// Membrane resistance \[unit of v per unit of current\]. Default 1.
    pub r: Param,
    /// Firing threshold \[unit of v\]. Default 1.
    pub threshold: Param,
    /// Potential after a spike \[unit of v\]. Default 0.
    pub v_reset: Param,
    /// Resting potential \[unit of v\]. Default 0.
    pub v_rest: Param,
    /// Initial potential \[unit of v\]. Default 0, as in CoNeX, whatever `v_rest` is.
    pub init_v: Param,
}

setters!(Lif { tau: Param, r: Param, threshold: Param, v_reset: Param, v_rest: Param, init_v: Param });

impl Default for Lif {
    fn default() -> Self {
        Lif {
            tau: 10.0.into(),
            r: 1.0.into(),
            threshold: 1.0.into(),
            v_reset: 0.0.into(),
            v_rest: 0.0.into(),
            init_v: 0.0.into(),
        }
    }
}

impl NeuronModel for Lif {
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
            ("init_v", &self.init_v, Range::Any),
        ]
    }

    fn integrate(&self, neurons: Neurons<'_>) {
        let (tau, r, v_rest) = (neurons.of(&self.tau), neurons.of(&self.r), neurons.of(&self.v_rest));
        leaky_integrate(neurons.v, neurons.input, tau, r, v_rest, neurons.dt);
    }
}
