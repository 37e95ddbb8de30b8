//! Spike-timing-dependent plasticity whose potentiation grows with a power of the weight.

use super::{Plastic, PlasticityRule, Potentiation, Traces};
use crate::Real;
use crate::dynamics::{Range, check_parameter};
use crate::error::Result;
use crate::kernels::math::{exp, ln};
use crate::setters;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Spike-timing-dependent plasticity with power-law potentiation and multiplicative depression, which lets the weights of a
/// balanced network settle on one hump instead of running to bounds.
///
/// **Equation.** `dw = lambda·w_0·(w/w_0)^mu·x_i·[j fires] − lambda·alpha·w·y_j·[i fires]`, with the pre-synaptic trace x
/// and the post-synaptic trace y of this step, the present spikes already in them. Depression takes at most all of a
/// weight, and a weight of 0 or below is not potentiated: weights that start above 0 never go below it, and one that has
/// come to 0 stays there. (Behind a reward, which scales all changes, add a [`WeightClip`](crate::weights::WeightClip).)
///
/// **Parameters.** Below; the time constants belong to [`PreTrace`](crate::traces::PreTrace) and
/// [`PostTrace`](crate::traces::PostTrace), 20 ms each in the reference.
///
/// **Scheme.** By event, as [`Stdp`](super::stdp::Stdp).
///
/// **Reference.** A. Morrison, A. Aertsen & M. Diesmann (2007), doi 10.1162/neco.2007.19.6.1437.
///
/// **CoNeX.** It has none. NEST's `stdp_pl_synapse_hom`, where `w_0` is 1 pA.
#[doc(alias = "stdp_pl_synapse_hom")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(Plastic)]
pub struct PowerLawStdp {
    /// The step of learning. Default 0.1.
    pub lambda: Real,
    /// How strong depression is. Default 0.11.
    pub alpha: Real,
    /// The exponent of potentiation. Default 0.4.
    pub mu: Real,
    /// The weight at which potentiation is `lambda·w_0` \[weight\]. Default 1.
    pub w_0: Real,
}

setters!(PowerLawStdp { lambda: Real, alpha: Real, mu: Real, w_0: Real });

impl Default for PowerLawStdp {
    fn default() -> Self {
        PowerLawStdp { lambda: 0.1, alpha: 0.11, mu: 0.4, w_0: 1.0 }
    }
}

impl PlasticityRule for PowerLawStdp {
    const COSTLY: bool = true;

    #[inline(always)]
    fn on_pre_spike(&self, w: Real, traces: Traces) -> Real {
        let share = self.lambda * self.alpha * traces.post;
        -w * if share < 1.0 { share } else { 1.0 }
    }

    #[inline(always)]
    fn on_post_spike(&self, w: Real, traces: Traces) -> Real {
        // The logarithm takes normal numbers only.
        let relative = w / self.w_0;
        let power = if relative >= Real::MIN_POSITIVE { exp(self.mu * ln(relative)) } else { 0.0 };
        self.lambda * self.w_0 * power * traces.pre
    }

    fn potentiation(&self) -> Potentiation {
        Potentiation::Any { silent_below: 0.0 }
    }

    fn learns_at_pre_spikes(&self) -> bool {
        self.lambda * self.alpha != 0.0
    }

    fn check(&self, projection: &str) -> Result<()> {
        for (name, value, range) in [
            ("lambda", self.lambda, Range::NotNegative),
            ("alpha", self.alpha, Range::NotNegative),
            ("mu", self.mu, Range::NotNegative),
            ("w_0", self.w_0, Range::Positive),
        ] {
            check_parameter(projection, "PowerLawStdp", name, &value.into(), 1, range)?;
        }
        Ok(())
    }
}
