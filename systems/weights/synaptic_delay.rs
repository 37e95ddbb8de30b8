//! How long a spike takes from one neuron to another, synapse by synapse.

use super::{Distribution, Limits};
use crate::Real;
use crate::error::{Error, Result};
use crate::random::Stream;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// The delay of each [`Static`](crate::delivery::Static) synapse \[ms\], from the spike to its arrival, rounded to whole
/// steps. Without it a spike arrives one step later, which also is the shortest.
#[doc(alias = "delay")]
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SynapticDelays {
    values: Values,
    limits: Option<Limits>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Values {
    Drawn(Distribution),
    Given(Vec<Real>),
}

impl SynapticDelays {
    /// The same delay for all synapses \[ms\].
    pub fn constant(delay: Real) -> Self {
        Self::drawn(Distribution::Constant(delay))
    }

    /// Drawn evenly within \[`low`, `high`) \[ms\].
    pub fn uniform(low: Real, high: Real) -> Self {
        Self::drawn(Distribution::Between { low, high })
    }

    /// Drawn from a normal distribution \[ms\].
    pub fn normal(mean: Real, std: Real) -> Self {
        Self::drawn(Distribution::Normal { mean, std })
    }

    /// Drawn from a log-normal distribution \[ms\]: their logarithm has the mean `mu` and the standard deviation `sigma`.
    pub fn lognormal(mu: Real, sigma: Real) -> Self {
        Self::drawn(Distribution::LogNormal { mu, sigma })
    }

    /// Drawn from `distribution` \[ms\].
    pub fn drawn(distribution: Distribution) -> Self {
        SynapticDelays { values: Values::Drawn(distribution), limits: None }
    }

    /// One for each of the given pairs of [`Connections::pairs`](crate::connections::Connections::pairs), in their order
    /// \[ms\].
    pub fn given(delays: Vec<Real>) -> Self {
        SynapticDelays { values: Values::Given(delays), limits: None }
    }

    /// Draws each delay anew until it lies within `min ..= max` \[ms\].
    #[must_use]
    pub fn within(self, min: Real, max: Real) -> Self {
        SynapticDelays { limits: Some(Limits::Redrawn { min, max }), ..self }
    }

    /// Puts each delay beyond `min ..= max` to the nearer end \[ms\].
    #[must_use]
    pub fn clipped(self, min: Real, max: Real) -> Self {
        SynapticDelays { limits: Some(Limits::Clipped { min, max }), ..self }
    }

    /// The delays that were given, if they were.
    pub(crate) fn listed(&self) -> Option<&[Real]> {
        match &self.values {
            Values::Given(delays) => Some(delays),
            Values::Drawn(_) => None,
        }
    }

    /// Replaces `delays` by `n` draws \[ms\]. Says whether the limits could be met.
    pub(crate) fn draw_all(&self, n: usize, random: &mut Stream, delays: &mut Vec<Real>) -> bool {
        match &self.values {
            Values::Drawn(distribution) => {
                Limits::hold_all(self.limits, n, delays, distribution.blocks(random))
            }
            Values::Given(_) => false,
        }
    }

    /// The error that the limits are never met.
    pub(crate) fn missed(&self, projection: &str) -> Error {
        let (parameter, value, requirement) = Limits::missed(self.limits);
        let (group, behaviour) = (projection.to_string(), "SynapticDelays".to_string());
        Error::ParameterRange { group, behaviour, parameter: parameter.into(), value, requirement }
    }

    /// Checks the numbers, for a projection with `pairs` given ones.
    ///
    /// # Errors
    /// A distribution or limits without sense, more or fewer given delays than pairs, one below 0 or not finite.
    pub(crate) fn check(&self, projection: &str, pairs: Option<usize>) -> Result<()> {
        let fault = |parameter: &str, value: f64, requirement: String| {
            let (group, behaviour) = (projection.to_string(), "SynapticDelays".to_string());
            Err(Error::ParameterRange { group, behaviour, parameter: parameter.into(), value, requirement })
        };
        match &self.values {
            Values::Drawn(distribution) => {
                if let Some((parameter, value, requirement)) = distribution.fault() {
                    return fault(parameter, f64::from(value), requirement.into());
                }
            }
            Values::Given(delays) => {
                if Some(delays.len()) != pairs {
                    let requirement = match pairs {
                        Some(n) => format!("{n}, one a pair of `Connections::pairs`"),
                        None => "none without `Connections::pairs`: only to given pairs delays can be given"
                            .into(),
                    };
                    return fault("number of delays", delays.len() as f64, requirement);
                }
                let sound = |delay: Real| delay.is_finite() && delay >= 0.0;
                if let Some(&delay) = delays.iter().find(|d| !sound(**d)) {
                    return fault("delay", f64::from(delay), "a finite number, 0 or more".into());
                }
            }
        }
        match self.limits.and_then(Limits::fault) {
            Some((parameter, value, requirement)) => fault(parameter, f64::from(value), requirement),
            None => Ok(()),
        }
    }
}

/// Whole steps of `dt` \[ms\] in a delay \[ms\], at least one.
pub(crate) fn steps(delay: Real, per_ms: f64) -> u32 {
    // Saturates: what is negative or no number counts as the shortest.
    ((f64::from(delay) * per_ms + 0.5) as u32).max(1)
}
