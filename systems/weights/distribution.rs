//! What random numbers follow, and the range that they are held in.

use crate::Real;
use crate::kernels::decay::clamp;
use crate::kernels::draws::{Draws, add_uniform, exponentials, normal};
use crate::kernels::math::exp;
use crate::parameter::BLOCK;
use crate::random::Stream;
use rand::RngExt;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// What random numbers follow.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Distribution {
    /// Always this number.
    Constant(Real),
    /// Evenly within \[0, 1).
    Uniform,
    /// Evenly within \[`low`, `high`).
    Between {
        /// The least number.
        low: Real,
        /// The number that none reaches.
        high: Real,
    },
    /// A normal distribution.
    Normal {
        /// Its mean.
        mean: Real,
        /// Its standard deviation.
        std: Real,
    },
    /// A number whose logarithm follows a normal distribution: many small ones, few large ones, as cortical synapses are
    /// (Song et al. 2005, doi 10.1371/journal.pbio.0030068).
    LogNormal {
        /// The mean of the logarithm; the median is e^mu.
        mu: Real,
        /// The standard deviation of the logarithm.
        sigma: Real,
    },
}

impl Distribution {
    /// One draw.
    #[inline]
    pub fn draw(self, random: &mut Stream) -> Real {
        match self {
            Distribution::Constant(x) => x,
            Distribution::Uniform => random.random::<Real>(),
            Distribution::Between { low, high } => random.random::<Real>() * (high - low) + low,
            Distribution::Normal { mean, std } => mean + std * random.sample::<Real, _>(StandardNormal),
            Distribution::LogNormal { mu, sigma } => {
                exp(mu + sigma * random.sample::<Real, _>(StandardNormal))
            }
        }
    }

    /// `n` draws, for the initial values of neurons for instance.
    pub fn draws(self, n: usize, random: &mut Stream) -> Vec<Real> {
        (0..n).map(|_| self.draw(random)).collect()
    }

    /// Draws many numbers at once: what it gives is called for one block of at most [`BLOCK`] of them after the other. They
    /// follow from `random`, and are others than those of [`draw`](Self::draw).
    pub(crate) fn blocks(self, random: &mut Stream) -> impl FnMut(&mut [Real]) + use<> {
        let mut draws = Draws::new(random);
        move |numbers| match self {
            Distribution::Constant(x) => numbers.fill(x),
            Distribution::Uniform => {
                numbers.fill(0.0);
                add_uniform(numbers, &mut draws, 1.0, 0.0);
            }
            Distribution::Between { low, high } => {
                numbers.fill(0.0);
                add_uniform(numbers, &mut draws, high - low, low);
            }
            Distribution::Normal { mean, std } => {
                normal(numbers, &mut draws);
                numbers.iter_mut().for_each(|x| *x = mean + std * *x);
            }
            Distribution::LogNormal { mu, sigma } => {
                normal(numbers, &mut draws);
                exponentials(numbers, sigma, mu);
            }
        }
    }

    /// The mean of many draws.
    pub fn mean(self) -> Real {
        match self {
            Distribution::Constant(x) => x,
            Distribution::Uniform => 0.5,
            Distribution::Between { low, high } => 0.5 * (low + high),
            Distribution::Normal { mean, .. } => mean,
            Distribution::LogNormal { mu, sigma } => exp(mu + 0.5 * sigma * sigma),
        }
    }

    /// The first of its parameters that makes no sense, and what it must be.
    pub(crate) fn fault(self) -> Option<(&'static str, Real, &'static str)> {
        let (parameters, spread) = match self {
            Distribution::Constant(x) => ([("constant", x); 2], None),
            Distribution::Uniform => return None,
            Distribution::Between { low, high } => ([("low", low), ("high", high)], None),
            Distribution::Normal { mean, std } => ([("mean", mean), ("std", std)], Some(("std", std))),
            Distribution::LogNormal { mu, sigma } => ([("mu", mu), ("sigma", sigma)], Some(("sigma", sigma))),
        };
        let infinite = parameters.into_iter().find(|(_, x)| !x.is_finite());
        let negative = spread.filter(|(_, x)| *x < 0.0);
        infinite
            .map(|(name, x)| (name, x, "a finite number"))
            .or(negative.map(|(name, x)| (name, x, "0 or more")))
    }
}

/// What becomes of a drawn number that falls outside a range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Limits {
    /// It is put to the nearer end, which so gathers all that lie beyond.
    Clipped {
        /// The least number.
        min: Real,
        /// The largest number.
        max: Real,
    },
    /// It is drawn anew, so that the numbers follow the distribution as far as it lies within.
    Redrawn {
        /// The least number.
        min: Real,
        /// The largest number.
        max: Real,
    },
}

impl Limits {
    /// Draws of one number after which a range counts as missed.
    pub(crate) const DRAWS: usize = 100_000;

    /// The least and the largest number.
    pub fn range(self) -> (Real, Real) {
        let (Limits::Clipped { min, max } | Limits::Redrawn { min, max }) = self;
        (min, max)
    }

    /// What `draw` gives, held within the range; none if no draw comes to lie there.
    #[inline]
    pub(crate) fn hold(limits: Option<Limits>, mut draw: impl FnMut() -> Real) -> Option<Real> {
        match limits {
            None => Some(draw()),
            Some(Limits::Clipped { min, max }) => {
                let x = draw();
                Some(if x < min {
                    min
                } else if x > max {
                    max
                } else {
                    x
                })
            }
            Some(Limits::Redrawn { min, max }) => {
                (0..Self::DRAWS).map(|_| draw()).find(|x| (min..=max).contains(x))
            }
        }
    }

    /// Replaces `numbers` by `n` that `draw` gives block by block, held within the range. Says whether enough came to lie
    /// there.
    pub(crate) fn hold_all(
        limits: Option<Limits>,
        n: usize,
        numbers: &mut Vec<Real>,
        mut draw: impl FnMut(&mut [Real]),
    ) -> bool {
        numbers.clear();
        if let Some(Limits::Redrawn { min, max }) = limits {
            let (mut block, mut missed) = ([0.0; BLOCK], 0);
            while numbers.len() < n && missed < Self::DRAWS {
                let (before, block) = (numbers.len(), &mut block[..BLOCK.min(n - numbers.len())]);
                draw(block);
                numbers.extend(block.iter().filter(|x| (min..=max).contains(*x)));
                missed = if numbers.len() > before { 0 } else { missed + block.len() };
            }
            return numbers.len() == n;
        }
        numbers.resize(n, 0.0);
        numbers.chunks_mut(BLOCK).for_each(draw);
        if let Some(Limits::Clipped { min, max }) = limits {
            clamp(numbers, min, max);
        }
        true
    }

    /// What is wrong where no draw came to lie in the range: (parameter, value, requirement).
    pub(crate) fn missed(limits: Option<Limits>) -> (&'static str, f64, String) {
        let (min, max) = limits.map_or((0.0, 0.0), Limits::range);
        let requirement =
            format!("below {max} and such that draws lie between them: none of {} did", Self::DRAWS);
        ("min", f64::from(min), requirement)
    }

    /// What is wrong with the range itself: (parameter, value, requirement).
    pub(crate) fn fault(self) -> Option<(&'static str, Real, String)> {
        let (min, max) = self.range();
        if min.is_nan() {
            return Some(("min", min, "a number".into()));
        }
        // NaN compares as false.
        let sound = max >= min;
        (!sound).then(|| ("max", max, format!("min, which is {min}, or more")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    /// Many draws, one by one and block by block.
    fn draws(distribution: Distribution) -> [Vec<Real>; 2] {
        let mut random = Seed(3).stream("test", "distribution", 0);
        let mut blocks = Vec::new();
        let one_by_one = distribution.draws(40_000, &mut random);
        assert!(Limits::hold_all(None, 40_000, &mut blocks, distribution.blocks(&mut random)));
        [one_by_one, blocks]
    }

    fn moments(sample: &[Real]) -> (f64, f64) {
        let (n, sample) = (sample.len() as f64, sample.iter().map(|&x| f64::from(x)));
        let mean = sample.clone().sum::<f64>() / n;
        (mean, sample.map(|x| (x - mean).powi(2)).sum::<f64>() / n)
    }

    #[test]
    fn draws_have_the_mean_and_the_spread_of_their_distribution() {
        let log_normal = Distribution::LogNormal { mu: -0.7, sigma: 0.5 };
        for (distribution, variance) in [
            (Distribution::Constant(2.5), 0.0),
            (Distribution::Uniform, 1.0 / 12.0),
            (Distribution::Between { low: -1.0, high: 3.0 }, 16.0 / 12.0),
            (Distribution::Normal { mean: 0.5, std: 0.1 }, 0.01),
            // (e^σ² − 1)·e^(2μ + σ²).
            (log_normal, (libm::exp(0.25) - 1.0) * libm::exp(-1.4 + 0.25)),
        ] {
            for (mean, spread) in draws(distribution).map(|sample| moments(&sample)) {
                let error = 5.0 * (variance / 40_000.0_f64).sqrt() + 1e-6;
                assert!(
                    (mean - f64::from(distribution.mean())).abs() < error,
                    "{distribution:?}: mean {mean}"
                );
                let off = (spread - variance).abs();
                assert!(off <= 0.06 * variance + 1e-9, "{distribution:?}: variance {spread}");
            }
        }
    }

    #[test]
    fn clipped_draws_gather_at_the_ends_and_redrawn_ones_do_not() {
        let normal = Distribution::Normal { mean: 0.0, std: 1.0 };
        let (min, max) = (-0.5, 1.0);
        let mut random = Seed(4).stream("test", "limits", 0);
        let mut at_ends = |limits| {
            let one_by_one =
                (0..10_000).filter_map(|_| Limits::hold(Some(limits), || normal.draw(&mut random)));
            let (one_by_one, mut blocks) = (one_by_one.collect::<Vec<_>>(), Vec::new());
            assert!(Limits::hold_all(Some(limits), 10_000, &mut blocks, normal.blocks(&mut random)));
            [one_by_one, blocks].map(|held| {
                assert!(held.len() == 10_000 && held.iter().all(|x| (min..=max).contains(x)));
                held.iter().filter(|x| **x == min || **x == max).count()
            })
        };
        // Φ(−0.5) + 1 − Φ(1) = 0.467 of a normal distribution lies outside.
        for clipped in at_ends(Limits::Clipped { min, max }) {
            assert!((clipped as f64 / 10_000.0 - 0.467).abs() < 0.025, "{clipped}");
        }
        let redrawn = Limits::Redrawn { min, max };
        assert_eq!(at_ends(redrawn), [0, 0]);
        assert_eq!(Limits::hold(Some(redrawn), || 2.0), None);
        assert!(!Limits::hold_all(Some(redrawn), 10, &mut Vec::new(), |block| block.fill(2.0)));
    }
}
