//! Pair-based spike-timing-dependent plasticity.

use super::bounds::Bound;
use super::{Plastic, PlasticityRule, Potentiation, RewardModulated, Traces};
use crate::Real;
use crate::dynamics::{Range, check_parameter};
use crate::error::{Error, Result};
use crate::setters;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Spike-timing-dependent plasticity of all pairs of spikes, by one trace on each side.
///
/// **Equation.** `dw = a_plus·B⁺(w)·x_i·[j fires] − a_minus·B⁻(w)·y_j·[i fires]`, with the pre-synaptic trace x and the
/// post-synaptic trace y of this step, the present spikes already in them: spikes of both sides in one step bring both
/// terms.
///
/// **Parameters.** Below; the time constants belong to [`PreTrace`](crate::traces::PreTrace) and
/// [`PostTrace`](crate::traces::PostTrace).
///
/// **Scheme.** By event: a synapse costs something only when a neuron on one of its sides fires. A convolution adds up
/// the changes at all places that share a kernel entry and divides by their number; local kernels have one place each.
///
/// **Reference.** W. Gerstner, R. Kempter, J. L. van Hemmen & H. Wagner (1996), doi 10.1038/383076a0; S. Song, K. Miller
/// & L. Abbott (2000), doi 10.1038/78829.
///
/// **CoNeX.** `SimpleSTDP`, `SparseSTDP`, `One2OneSTDP`, `Conv2dSTDP`, `Local2dSTDP`: one rule here, for every kind of
/// connectivity.
#[doc(alias = "SimpleSTDP")]
#[doc(alias = "SparseSTDP")]
#[doc(alias = "One2OneSTDP")]
#[doc(alias = "Conv2dSTDP")]
#[doc(alias = "Local2dSTDP")]
#[doc(alias = "PostPre")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(Plastic)]
pub struct Stdp {
    /// Potentiation at a post-synaptic spike \[weight\]. Default 0.01.
    pub a_plus: Real,
    /// Depression at a pre-synaptic spike \[weight\]. Default 0.01.
    pub a_minus: Real,
    /// Least weight, for the bounds. Default 0.
    pub w_min: Real,
    /// Largest weight, for the bounds. Default 1.
    pub w_max: Real,
    /// B⁺, the bound on potentiation. Default none.
    pub positive_bound: Bound,
    /// B⁻, the bound on depression. Default none.
    pub negative_bound: Bound,
}

setters!(Stdp {
    a_plus: Real,
    a_minus: Real,
    w_min: Real,
    w_max: Real,
    positive_bound: Bound,
    negative_bound: Bound
});

impl Stdp {
    /// Potentiation by `a_plus`, depression by `a_minus`, without bounds.
    pub fn new(a_plus: Real, a_minus: Real) -> Self {
        Stdp { a_plus, a_minus, ..Default::default() }
    }

    /// Sets the same `bound` for potentiation and depression.
    #[must_use]
    pub fn bounds(self, bound: Bound) -> Self {
        Stdp { positive_bound: bound, negative_bound: bound, ..self }
    }
}

impl Default for Stdp {
    fn default() -> Self {
        let (positive_bound, negative_bound) = (Bound::None, Bound::None);
        Stdp { a_plus: 0.01, a_minus: 0.01, w_min: 0.0, w_max: 1.0, positive_bound, negative_bound }
    }
}

/// Reward-modulated STDP: the changes of [`Stdp`] wait in an eligibility trace for dopamine.
#[doc(alias = "SimpleRSTDP")]
#[doc(alias = "SparseRSTDP")]
#[doc(alias = "One2OneRSTDP")]
#[doc(alias = "Conv2dRSTDP")]
#[doc(alias = "Local2dRSTDP")]
#[doc(alias = "MSTDPET")]
pub type Rstdp = RewardModulated<Stdp>;

impl PlasticityRule for Stdp {
    #[inline(always)]
    fn on_pre_spike(&self, w: Real, traces: Traces) -> Real {
        -self.a_minus * traces.post * self.negative_bound.factor(w, self.w_min, self.w_max)
    }

    #[inline(always)]
    fn on_post_spike(&self, w: Real, traces: Traces) -> Real {
        self.a_plus * traces.pre * self.positive_bound.factor(w, self.w_min, self.w_max)
    }

    fn potentiation(&self) -> Potentiation {
        self.positive_bound.potentiation(self.w_min, self.w_max)
    }

    fn learns_at_pre_spikes(&self) -> bool {
        self.a_minus != 0.0
    }

    fn check(&self, projection: &str) -> Result<()> {
        let parameters = [
            ("a_plus", self.a_plus),
            ("a_minus", self.a_minus),
            ("w_min", self.w_min),
            ("w_max", self.w_max),
        ];
        for (name, value) in parameters {
            check_parameter(projection, "Stdp", name, &value.into(), 1, Range::Any)?;
        }
        if self.w_min >= self.w_max {
            return Err(Error::ParameterRange {
                group: projection.into(),
                behaviour: "Stdp".into(),
                parameter: "w_max".into(),
                value: f64::from(self.w_max),
                requirement: format!("above w_min, which is {}", self.w_min),
            });
        }
        Ok(())
    }
}
