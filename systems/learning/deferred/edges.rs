//! Which weights are near an edge of the range that they are clipped to, once they were normalized.
//!
//! Normalization moves all weights of a fan by one factor, dopamine moves each by a multiple of its eligibility, spikes move
//! single ones. A list has all weights that are outside of a range somewhat narrower than that of clipping, as it was when all
//! were looked through, and those that spikes have moved out of it since. The others need no look, until factor and dopamine
//! of a fan have come so far that they might have carried one of its weights to an edge.

use crate::Real;
use crate::weights::{FanIn, Held};

/// For how many steps a list is to last, about: to look all weights through is a third of what it costs to move them all.
const LASTS: f64 = 64.0;

/// The first guess of how far weights come in as many steps, as a part of the range or of themselves.
const GUESS: f64 = 1.0 / 256.0;

/// Weights near an edge. All limits are those of u, the weight before it is multiplied by the factor of its fan.
#[derive(Clone, Debug)]
pub(super) struct Edges {
    range: Held,
    /// By how much the range was made narrower.
    slack: Slack,
    /// The narrower range of each fan.
    limits: Vec<[f64; 2]>,
    /// The places of weights outside of it, in order until spikes add some.
    pub(super) near: Vec<usize>,
    /// The steps since all weights were looked through.
    steps: u32,
    /// The factor of each fan when they were.
    factor: Vec<f64>,
    /// What dopamine may have done since.
    moved: Option<Moved>,
}

/// How far weights may come.
#[derive(Clone, Copy, Debug)]
struct Slack {
    /// By which part of themselves normalization may scale them.
    scaled: f64,
    /// How far dopamine may move them.
    moved: f64,
}

/// How far dopamine may have moved the weights of each fan.
#[derive(Clone, Debug)]
struct Moved {
    /// How far up to the last time that all were brought up.
    before: Vec<f64>,
    /// At most as large is an eligibility ĉ of the fan.
    most: Vec<f64>,
    /// Between which values G was since.
    passed: Vec<[f64; 2]>,
}

impl Moved {
    fn way(&self, fan: usize) -> f64 {
        let [least, most] = self.passed[fan];
        self.before[fan] + self.most[fan] * (most - least)
    }
}

/// The fans of all weights, as they are stored.
pub(super) struct Stored<'a> {
    pub(super) v: &'a mut [Real],
    /// ĉ, and G of each fan; both empty without a reward.
    pub(super) c: &'a [Real],
    pub(super) passed: &'a [f64],
    pub(super) fans: &'a FanIn,
    pub(super) factor: &'a [f64],
    pub(super) inverse: &'a [f64],
}

impl Stored<'_> {
    /// v and ĉ·G of weight k, whose sum is u.
    #[inline(always)]
    fn parts(&self, k: usize, fan: usize) -> [f64; 2] {
        [f64::from(self.v[k]), self.c.get(k).map_or(0.0, |c| f64::from(*c) * self.passed[fan])]
    }
}

/// What u may be for w = factor·u to be within `range`.
fn stored(range: Held, factor: f64) -> [f64; 2] {
    let (min, max) = (f64::from(range.min) / factor, f64::from(range.max) / factor);
    if min <= max { [min, max] } else { [max, min] }
}

impl Edges {
    /// Looks all weights through; `before` is the list that has become too old.
    pub(super) fn find(weights: &Stored<'_>, range: Held, before: Option<Edges>) -> Self {
        let Stored { v, c, passed, fans, factor, .. } = weights;
        let moved = (!passed.is_empty()).then(|| {
            let mut most = vec![0.0; factor.len()];
            fans.each(v.len(), |k, fan| most[fan] = f64::max(most[fan], f64::from(c[k].abs())));
            let passed = passed.iter().map(|passed| [*passed; 2]).collect();
            Moved { before: vec![0.0; factor.len()], most, passed }
        });
        let first = Slack { scaled: GUESS, moved: (f64::from(range.max) - f64::from(range.min)) * GUESS };
        let slack = before.map_or(first, |before| before.next_slack(factor));
        let narrower = |edge: f64, towards: f64| {
            if edge * towards > 0.0 { edge / (1.0 + slack.scaled) } else { edge * (1.0 + slack.scaled) }
        };
        let limits = factor.iter().map(|&factor| {
            let ([low, high], moved) =
                (stored(range, factor), moved.as_ref().map_or(0.0, |_| slack.moved / factor.abs()));
            [narrower(low, -1.0) + moved, narrower(high, 1.0) - moved]
        });
        let (limits, factor) = (limits.collect(), factor.to_vec());
        let mut edges = Edges { range, slack, limits, near: Vec::new(), steps: 0, factor, moved };
        fans.each(v.len(), |k, fan| {
            let [v, brought] = weights.parts(k, fan);
            if edges.is_near(v + brought, fan) {
                edges.near.push(k);
            }
        });
        edges
    }

    /// The slack for the next list, where this one has become too old with these factors.
    fn next_slack(&self, factor: &[f64]) -> Slack {
        let (mut scaled, mut moved) = (0.0_f64, 0.0_f64);
        for (fan, (now, then)) in factor.iter().zip(&self.factor).enumerate() {
            scaled = scaled.max((now / then - 1.0).abs());
            moved = moved.max(self.moved.as_ref().map_or(0.0, |moved| moved.way(fan)) * now.abs());
        }
        if f64::from(self.steps) * 4.0 < LASTS {
            // A burst: it says little of other steps.
            return Slack {
                scaled: 2.0 * scaled.max(self.slack.scaled),
                moved: 2.0 * moved.max(self.slack.moved),
            };
        }
        let of_so_many = LASTS / f64::from(self.steps);
        Slack { scaled: scaled * of_so_many, moved: moved * of_so_many }
    }

    /// A step has passed, and G come to be what `passed` says; it is empty without a reward.
    pub(super) fn note_passed(&mut self, passed: &[f64]) {
        self.steps += 1;
        if let Some(moved) = &mut self.moved {
            for ([least, most], passed) in moved.passed.iter_mut().zip(passed) {
                (*least, *most) = (least.min(*passed), most.max(*passed));
            }
        }
    }

    /// Whether the list still has all weights that may be outside of `range` with these factors.
    pub(super) fn hold(&self, range: Held, factor: &[f64]) -> bool {
        if self.range != range {
            return false;
        }
        self.limits.iter().zip(factor).enumerate().all(|(fan, (&[low, high], &factor))| {
            let ([least, most], way) =
                (stored(range, factor), self.moved.as_ref().map_or(0.0, |m| m.way(fan)));
            low - way >= least && high + way <= most
        })
    }

    /// Whether to look at them one by one is less than to look at all of so many.
    pub(super) fn are_few(&self, weights: usize) -> bool {
        self.near.len() <= weights / 8
    }

    /// Whether u is near an edge. So is what is no number.
    #[inline(always)]
    pub(super) fn is_near(&self, u: f64, fan: usize) -> bool {
        let [low, high] = self.limits[fan];
        !((u >= low) & (u <= high))
    }

    /// Eligibilities of fans from `first` on have become as large as `most`.
    pub(super) fn note_eligible(&mut self, first: usize, most: &[f64]) {
        if let Some(moved) = &mut self.moved {
            moved.most[first..].iter_mut().zip(most).for_each(|(all, most)| *all = all.max(*most));
        }
    }

    /// All eligibilities are multiplied by `kept`, and G begins anew.
    pub(super) fn note_brought_up(&mut self, kept: f64) {
        /// More than what rounding adds to an eligibility.
        const ROUNDED: f64 = 1.000_001;

        if let Some(moved) = &mut self.moved {
            for fan in 0..moved.before.len() {
                moved.before[fan] = moved.way(fan);
                moved.most[fan] *= kept.abs() * ROUNDED;
            }
            moved.passed.fill([0.0; 2]);
        }
    }

    /// w = factor·(v + brought). Where v cannot be stored exactly enough to tell it from an edge, it is at the edge: rules with
    /// hard bounds ask for no less.
    #[inline(always)]
    pub(super) fn weight(range: Held, [v, brought]: [f64; 2], factor: f64) -> Real {
        let (min, max) = (f64::from(range.min), f64::from(range.max));
        let w = (v + brought) * factor;
        let rounding = (v.abs() + brought.abs()) * factor.abs() * (4.0 * f64::from(Real::EPSILON));
        let w = if (w - min).abs() <= rounding { min } else { w };
        let w = if (w - max).abs() <= rounding { max } else { w };
        w as Real
    }

    pub(super) fn range(&self) -> Held {
        self.range
    }

    /// The listed weights that are at an edge, and which.
    pub(super) fn at_edges(&self, weights: &Stored<'_>) -> Vec<(usize, Real)> {
        let weight = |&k: &usize| {
            let fan = weights.fans.of(k);
            (k, Self::weight(self.range, weights.parts(k, fan), weights.factor[fan]))
        };
        let at_edge = |(_, w): &(usize, Real)| *w == self.range.min || *w == self.range.max;
        self.near.iter().map(weight).filter(at_edge).collect()
    }

    /// Brings weights outside of the range back to its edge, and the sums of v with them, but for those that are `absent`. Says
    /// whether there were any.
    pub(super) fn clip(
        &mut self,
        weights: &mut Stored<'_>,
        sums: &mut [f64],
        absent: impl Iterator<Item = usize>,
    ) -> bool {
        let (range, mut any) = (self.range, false);
        // They are 0, which may be outside.
        let mut absent = absent.take_while(|_| range.hold(0.0) != 0.0).peekable();
        let mut near = std::mem::take(&mut self.near);
        near.sort_unstable();
        near.dedup();
        near.retain(|&k| {
            while absent.next_if(|absent| *absent < k).is_some() {}
            if absent.peek() == Some(&k) {
                return false;
            }
            let fan = weights.fans.of(k);
            let [before, brought] = weights.parts(k, fan);
            let w = Self::weight(range, [before, brought], weights.factor[fan]);
            let edge = range.hold(w);
            if edge == w || w.is_nan() {
                return self.is_near(before + brought, fan);
            }
            let v = &mut weights.v[k];
            *v = (f64::from(edge) * weights.inverse[fan] - brought) as Real;
            sums[fan] += f64::from(*v) - before;
            any = true;
            self.is_near(f64::from(*v) + brought, fan)
        });
        self.near = near;
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FANS: usize = 3;

    proptest! {
        /// As long as a list holds, it has all weights that are outside of the range, wherever dopamine, normalization and
        /// spikes have carried them.
        #[test]
        fn a_list_that_holds_has_all_weights_outside(
            (mut v, mut c) in (prop::collection::vec(0.0_f64..1.0, 30), prop::collection::vec(-0.002_f64..0.002, 30)),
            (strength, bias, noted_at_most) in (0.0_f64..0.1, -0.2_f64..0.2, prop::sample::select(vec![1e-4, 0.02])),
            steps in prop::collection::vec((-1.0_f64..1.0, 0.999_f64..1.001, 0_usize..12, 0_usize..30, -1.0_f64..1.0), 1..300),
            before in any::<bool>(),
        ) {
            let (fans, range) = (FanIn::Columns(FANS), Held { min: 0.0, max: 1.0 });
            let (mut factor, mut passed) = ([1.0; FANS], [0.0; FANS]);
            let mut edges: Option<Edges> = None;
            for (t, (dopamine, grows, event, at, noted)) in steps.into_iter().enumerate() {
                let mut stored = v.iter().map(|v| *v as Real).collect::<Vec<_>>();
                let eligible: Vec<Real> = c.iter().map(|c| *c as Real).collect();
                let weights = Stored { v: &mut stored, c: &eligible, passed: &passed, fans: &fans, factor: &factor, inverse: &[] };
                if t == 0 || edges.as_ref().is_some_and(|edges| !edges.hold(range, &factor)) {
                    // The first guess is too small for most of these: as if the list before had lasted.
                    edges = Some(Edges::find(&weights, range, edges.filter(|_| before)));
                }
                let Some(edges) = &mut edges else { unreachable!("it was found") };
                for k in 0..v.len() {
                    let w = (v[k] + c[k] * passed[k % FANS]) * factor[k % FANS];
                    let is_listed = edges.near.contains(&k);
                    prop_assert!(is_listed || (-1e-6..=1.0 + 1e-6).contains(&w), "{w} at step {t}");
                }
                // What a step does: a spike, the decay of eligibilities, dopamine, normalization.
                let (fan, noted) = (at % FANS, noted * noted_at_most);
                if event < 6 {
                    v[at] -= noted * passed[fan];
                    c[at] += noted;
                    let mut most = [0.0; FANS];
                    most[fan] = c[at].abs();
                    edges.note_eligible(0, &most);
                    if edges.is_near(v[at] + c[at] * passed[fan], fan) {
                        edges.near.push(at);
                    }
                } else if event == 6 {
                    for k in 0..v.len() {
                        v[k] += c[k] * passed[k % FANS];
                        c[k] *= 0.95;
                    }
                    passed = [0.0; FANS];
                    edges.note_brought_up(0.95);
                }
                passed[fan] += strength * dopamine + bias;
                factor[fan] *= grows;
                edges.note_passed(&passed);
            }
        }
    }
}
