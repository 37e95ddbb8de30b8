//! Inhibitory plasticity that balances excitation.

use super::{Plastic, PlasticityRule, Potentiation, Traces};
use crate::Real;
use crate::dynamics::{Range, check_parameter};
use crate::error::{Error, Result};
use crate::traces::{PostTrace, PreTrace};
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Inhibitory spike-timing-dependent plasticity: spikes near in time, in either order, strengthen a synapse, and each
/// pre-synaptic spike weakens it by a constant. Inhibition then grows until its target fires at a rate of its own.
///
/// **Equation.** `dw = lr·(x_i·[j fires] + s·(alpha − y_j)·[i fires])`, with the pre-synaptic trace x and the post-synaptic
/// trace y of this step, and s = −1 if inhibitory, else +1. Where it is not given, `alpha = 2·rho·tau/1000`.
///
/// **Parameters.** Below, one of `rho` and `alpha` at least; the time constant tau is that of both
/// [`PreTrace`] and [`PostTrace`], which must agree. With
/// `is_inhibitory` the weights are the amounts of inhibition, positive, and the source is
/// [`Inhibitory`](crate::group::Inhibitory): it turns the current around, not the weights.
///
/// **Scheme.** By event. The traces are seen after their step of decay, so the mean of y at a rate ν is `ν·(tau − dt)`, and
/// the rate that is kept is `rho·tau/(tau − dt)`, if the spikes of both sides are independent. It knows no bounds: add
/// [`WeightClip`](crate::weights::WeightClip), or weights can turn negative.
///
/// **Reference.** T. P. Vogels, H. Sprekeler, F. Zenke, C. Clopath & W. Gerstner (2011), doi 10.1126/science.1211095.
///
/// **CoNeX.** `SimpleiSTDP`, `SparseiSTDP`, `One2OneiSTDP`: one rule here, for every kind of connectivity. As there, `alpha`
/// follows from `rho` with tau in milliseconds and a `spike_scale` of 1, whatever the traces have, and s turns the sign of
/// the pre-synaptic term only.
#[doc(alias = "SimpleiSTDP")]
#[doc(alias = "SparseiSTDP")]
#[doc(alias = "One2OneiSTDP")]
#[doc(alias = "vogels_sprekeler_synapse")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(Plastic)]
pub struct Istdp {
    /// Learning rate \[weight\]. Default 1e-5.
    pub lr: Real,
    /// Target rate of the post-synaptic neurons \[spikes/s\]. Default none.
    pub rho: Option<Real>,
    /// What a pre-synaptic spike takes off, in units of the trace. Default `2·rho·tau/1000`.
    pub alpha: Option<Real>,
    /// Whether the synapses inhibit. Default true.
    pub is_inhibitory: bool,
}

impl Default for Istdp {
    fn default() -> Self {
        Istdp { lr: 1e-5, rho: None, alpha: None, is_inhibitory: true }
    }
}

impl Istdp {
    /// Keeps post-synaptic neurons at `rho` spikes/s.
    pub fn rho(rho: Real) -> Self {
        Istdp { rho: Some(rho), ..Default::default() }
    }

    /// Takes `alpha` off at a pre-synaptic spike, in units of the trace.
    pub fn alpha(alpha: Real) -> Self {
        Istdp { alpha: Some(alpha), ..Default::default() }
    }

    /// Sets the learning rate.
    #[must_use]
    pub fn lr(self, lr: Real) -> Self {
        Istdp { lr, ..self }
    }

    /// The synapses excite: a pre-synaptic spike strengthens them where the target fires too rarely.
    #[must_use]
    pub fn excitatory(self) -> Self {
        Istdp { is_inhibitory: false, ..self }
    }

    fn alpha_or(&self, otherwise: Real) -> Real {
        self.alpha.unwrap_or(otherwise)
    }
}

impl PlasticityRule for Istdp {
    #[inline(always)]
    fn on_pre_spike(&self, _w: Real, traces: Traces) -> Real {
        let missing = self.alpha_or(0.0) - traces.post;
        self.lr * if self.is_inhibitory { -missing } else { missing }
    }

    #[inline(always)]
    fn on_post_spike(&self, _w: Real, traces: Traces) -> Real {
        self.lr * traces.pre
    }

    fn potentiation(&self) -> Potentiation {
        Potentiation::Proportional
    }

    fn learns_at_pre_spikes(&self) -> bool {
        self.lr != 0.0
    }

    fn with_traces(&self, pre: &PreTrace, _post: &PostTrace) -> Self {
        Istdp { alpha: Some(self.alpha_or(2.0 * self.rho.unwrap_or(0.0) * pre.tau_s / 1000.0)), ..*self }
    }

    fn check(&self, projection: &str) -> Result<()> {
        let check = |name: &str, value: Real, range| {
            check_parameter(projection, "Istdp", name, &value.into(), 1, range)
        };
        check("lr", self.lr, Range::Any)?;
        self.rho.map_or(Ok(()), |rho| check("rho", rho, Range::NotNegative))?;
        self.alpha.map_or(Ok(()), |alpha| check("alpha", alpha, Range::Any))?;
        if self.rho.or(self.alpha).is_none() {
            return Err(Error::MissingBehaviour {
                group: projection.into(),
                behaviour: "Istdp".into(),
                missing: "target, neither `rho` nor `alpha`".into(),
                remedy: "Istdp::rho(5.0)".into(),
            });
        }
        Ok(())
    }

    fn check_traces(&self, projection: &str, pre: &PreTrace, post: &PostTrace) -> Result<()> {
        if pre.tau_s == post.tau_s {
            return Ok(());
        }
        Err(Error::ParameterRange {
            group: projection.into(),
            behaviour: "PostTrace".into(),
            parameter: "tau_s".into(),
            value: f64::from(post.tau_s),
            requirement: format!("{}, as PreTrace has it, for Istdp needs one tau on both sides", pre.tau_s),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces(pre: Real, post: Real) -> Traces {
        Traces { pre, post, pre_slow: 0.0, post_slow: 0.0 }
    }

    #[test]
    fn alpha_follows_from_the_target_rate_unless_it_is_given() {
        let (pre, post) = (PreTrace::new(20.0), PostTrace::new(20.0));
        assert_eq!(Istdp::rho(5.0).with_traces(&pre, &post).alpha, Some(0.2));
        let both = Istdp { rho: Some(5.0), ..Istdp::alpha(0.7) };
        assert_eq!(both.with_traces(&pre, &post).alpha, Some(0.7));
    }

    #[test]
    fn a_pre_synaptic_spike_weakens_inhibition_of_a_neuron_that_fires_too_rarely() {
        let rule = Istdp::alpha(0.5).lr(0.1);
        assert!((rule.on_pre_spike(1.0, traces(0.0, 0.2)) + 0.03).abs() < 1e-7);
        assert!((rule.on_pre_spike(1.0, traces(0.0, 0.9)) - 0.04).abs() < 1e-7);
        assert!((rule.excitatory().on_pre_spike(1.0, traces(0.0, 0.2)) - 0.03).abs() < 1e-7);
        // The post-synaptic term is the same for both.
        assert_eq!(
            rule.on_post_spike(1.0, traces(0.4, 0.0)),
            rule.excitatory().on_post_spike(1.0, traces(0.4, 0.0))
        );
    }

    #[test]
    fn a_rule_without_a_target_and_traces_that_disagree_are_refused() {
        let error = Istdp::default().check("a -> b").unwrap_err().to_string();
        assert_eq!(
            error,
            "`a -> b` has Istdp but no target, neither `rho` nor `alpha`: add `Istdp::rho(5.0)`"
        );
        let (pre, post) = (PreTrace::new(20.0), PostTrace::new(10.0));
        let error = Istdp::alpha(0.3).check_traces("a -> b", &pre, &post).unwrap_err().to_string();
        let expected = "`a -> b`: PostTrace got 10 for `tau_s`: it must be 20, as PreTrace has it, for Istdp needs one \
                        tau on both sides";
        assert_eq!(error, expected);
    }
}
