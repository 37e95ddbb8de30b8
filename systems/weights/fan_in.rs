//! Which weights are summed together.

use crate::Real;
use crate::kernels::columns::{Index, Pattern, with_ends};
use crate::kernels::fan_in::{add_wide, multiply_wide};
use std::ops::Range;
use std::sync::Arc;

/// How the weights of a projection fall into fans: those that reach one target, or a group of targets that share them.
/// Normalization sums each fan. All fans have as many targets, and are in the order of these.
#[derive(Clone, Debug)]
pub enum FanIn {
    /// All weights are one fan.
    All,
    /// Weights row by row, so many a row: each column is a fan.
    Columns(usize),
    /// So many weights after one another are a fan.
    Blocks(usize),
    /// Weights in the order of a pattern: those of a target are a fan.
    Targets(Arc<Pattern>),
}

impl FanIn {
    /// How many fans `weights` weights make.
    pub fn count(&self, weights: usize) -> usize {
        match self {
            FanIn::All => 1,
            FanIn::Columns(n) => *n,
            FanIn::Blocks(n) => weights / n,
            FanIn::Targets(pattern) => pattern.column_start.len() - 1,
        }
    }

    /// The fan of weight `k`.
    #[inline(always)]
    pub fn of(&self, k: usize) -> usize {
        match self {
            FanIn::All => 0,
            FanIn::Columns(n) => k % n,
            FanIn::Blocks(n) => k / n,
            FanIn::Targets(pattern) => pattern.target(k) as usize,
        }
    }

    /// The fans of weight `k` and as many behind it, up to `n` in all, as have fans in a row.
    pub(crate) fn run(&self, k: usize, n: usize) -> Range<usize> {
        let fan = self.of(k);
        fan..fan + if let FanIn::Columns(columns) = self { n.min(columns - fan) } else { 1 }
    }

    /// Tells `visit` the place and the fan of each of `weights` weights, in order.
    #[inline(always)]
    pub fn each(&self, weights: usize, mut visit: impl FnMut(usize, usize)) {
        match self {
            FanIn::All => (0..weights).for_each(|k| visit(k, 0)),
            FanIn::Columns(n) => {
                for first in (0..weights).step_by(*n) {
                    (0..*n).for_each(|fan| visit(first + fan, fan));
                }
            }
            FanIn::Blocks(n) => (0..weights).for_each(|k| visit(k, k / n)),
            FanIn::Targets(pattern) => with_ends!(pattern, |ends| {
                ends.target.iter().enumerate().for_each(|(k, fan)| visit(k, fan.get()));
            }),
        }
    }

    /// Sets `sums` to the sum of each fan.
    pub fn sum(&self, weights: &[Real], sums: &mut Vec<f64>) {
        sums.clear();
        sums.resize(self.count(weights.len()), 0.0);
        match self {
            FanIn::Columns(n) => weights.chunks(*n).for_each(|row| add_wide(sums, row)),
            _ => self.each(weights.len(), |k, fan| sums[fan] += f64::from(weights[k])),
        }
    }

    /// Multiplies the weights of each fan by its factor.
    pub fn scale(&self, weights: &mut [Real], factors: &[f64]) {
        match self {
            FanIn::Columns(n) => weights.chunks_mut(*n).for_each(|row| multiply_wide(row, factors)),
            _ => self.each(weights.len(), |k, fan| {
                weights[k] = (f64::from(weights[k]) * factors[fan]) as Real;
            }),
        }
    }
}
