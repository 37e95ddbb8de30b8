//! Which weights are near an edge of the range that they are clipped to, once they were normalized.
//!
//! Normalization moves all weights of a fan by one factor, spikes move single ones. A list has all weights that are outside of
//! a range somewhat narrower than that of clipping, as it was when all were looked through, and those that spikes have moved
//! out of it since. The others need no look, until the factor of a fan has grown so much that it might carry them to an edge.

use crate::Real;
use crate::weights::{FanIn, Held};

/// The narrower range: an edge that normalization moves weights towards is by so much nearer to 0.
const NARROWER: f64 = 0.8;

/// Weights near an edge. All limits are those of v, the weight as it is stored: it is multiplied by the factor of its fan.
#[derive(Clone, Debug)]
pub(super) struct Edges {
    range: Held,
    /// The narrower range of each fan.
    limits: Vec<[Real; 2]>,
    /// The places of weights outside of it, in order until spikes add some.
    pub(super) near: Vec<usize>,
}

/// What v may be for w = factor·v to be within `range`.
fn stored(range: Held, factor: f64) -> [f64; 2] {
    let (min, max) = (f64::from(range.min) / factor, f64::from(range.max) / factor);
    if min <= max { [min, max] } else { [max, min] }
}

impl Edges {
    /// Looks all weights through.
    pub(super) fn find(v: &[Real], fans: &FanIn, range: Held, factor: &[f64]) -> Self {
        let narrower = |edge: f64, towards: f64| {
            (if edge * towards > 0.0 { edge * NARROWER } else { edge / NARROWER }) as Real
        };
        let limits = factor.iter().map(|&factor| {
            let [low, high] = stored(range, factor);
            [narrower(low, -1.0), narrower(high, 1.0)]
        });
        let mut edges = Edges { range, limits: limits.collect(), near: Vec::new() };
        fans.each(v.len(), |k, fan| {
            if edges.is_near(v[k], fan) {
                edges.near.push(k);
            }
        });
        edges
    }

    /// Whether the list still has all weights that may be outside of `range` with these factors.
    pub(super) fn hold(&self, range: Held, factor: &[f64]) -> bool {
        let within = |(&[low, high], &factor): (&[Real; 2], &f64)| {
            let [least, most] = stored(range, factor);
            f64::from(low) >= least && f64::from(high) <= most
        };
        self.range == range && self.limits.iter().zip(factor).all(within)
    }

    /// Whether to look at them one by one is less than to look at all of so many.
    pub(super) fn are_few(&self, weights: usize) -> bool {
        self.near.len() <= weights / 8
    }

    /// Whether v is near an edge. So is what is no number.
    #[inline(always)]
    pub(super) fn is_near(&self, v: Real, fan: usize) -> bool {
        let [low, high] = self.limits[fan];
        !((v >= low) & (v <= high))
    }

    /// Brings weights outside of the range back to its edge, and the sums of v with them. Says whether there were any.
    pub(super) fn clip(
        &mut self,
        v: &mut [Real],
        fans: &FanIn,
        (factor, inverse): (&[f64], &[f64]),
        sums: &mut [f64],
    ) -> bool {
        let (range, mut any) = (self.range, false);
        let mut near = std::mem::take(&mut self.near);
        near.sort_unstable();
        near.dedup();
        near.retain(|&k| {
            let fan = fans.of(k);
            let weight = |v: Real| (f64::from(v) * factor[fan]) as Real;
            let is_outside = |v: Real| weight(v) < range.min || weight(v) > range.max;
            let before = v[k];
            if is_outside(before) {
                let edge = range.hold(weight(before));
                v[k] = (f64::from(edge) * inverse[fan]) as Real;
                if is_outside(v[k]) {
                    // Rounding has carried it beyond the edge.
                    let [up, down] = [v[k].next_up(), v[k].next_down()];
                    v[k] = if is_outside(up) { down } else { up };
                }
                sums[fan] += f64::from(v[k]) - f64::from(before);
                any = true;
            }
            self.is_near(v[k], fan)
        });
        self.near = near;
        any
    }
}
