//! What spikes change of weights whose fans are summed ([`SummedSynapses`](super::SummedSynapses)): the weights, and the sums. What s, v, ĉ, G
//! and μ are is written there.

use super::super::Changes;
use super::super::changes::cut_slice;
use super::blocks::Blocks;
use super::edges::{Edges, Stored};
use crate::Real;
use crate::kernels::prefetch;
use crate::weights::{FanIn, Held};
use std::ops::Range;

/// What spikes have to know of the fans that they reach.
#[derive(Clone, Debug)]
pub(super) struct Fans {
    pub(super) of: FanIn,
    pub(super) held: Held,
    /// s.
    pub(super) factor: Vec<f64>,
    /// 1/s.
    pub(super) inverse: Vec<f64>,
    /// G; empty without a reward.
    pub(super) passed: Vec<f64>,
    /// μ^−t.
    pub(super) growth: f64,
    /// Where anything may be eligible; without a reward nowhere.
    pub(super) eligible: Blocks,
    /// Where clipping follows on normalization.
    pub(super) edges: Option<Edges>,
}

impl Fans {
    /// The weights as they are stored, with what is known of their fans.
    pub(super) fn stored<'a>(&'a self, v: &'a mut [Real], c: &'a [Real]) -> Stored<'a> {
        let Fans { of, factor, inverse, passed, .. } = self;
        let c = if passed.is_empty() { &[] } else { c };
        Stored { v, c, passed, fans: of, factor, inverse }
    }
}

/// What spikes have changed in a part of the weights. Parts are added up in their order, so that the threads that they are
/// computed on change no bit.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    first_fan: usize,
    /// By how much Σv changes, from the first fan on.
    sums: Vec<f64>,
    /// By how much Σĉ does, behind a reward.
    eligible: Vec<f64>,
    /// How large Σĉ's terms have become, behind a reward where clipping follows.
    most: Vec<f64>,
    /// Weights that have come near an edge.
    near: Vec<usize>,
    /// Parts of this part, and how many of them are in use.
    parts: Vec<Part>,
    used: usize,
}

impl Part {
    /// Begins a step, for the weights of these fans.
    pub(super) fn clear(&mut self, fans: Range<usize>, is_rewarded: bool, is_clipped: bool) {
        let n = |is_kept| if is_kept { fans.len() } else { 0 };
        (self.first_fan, self.used) = (fans.start, 0);
        for (values, n) in [
            (&mut self.sums, n(true)),
            (&mut self.eligible, n(is_rewarded)),
            (&mut self.most, n(is_rewarded && is_clipped)),
        ] {
            values.clear();
            values.resize(n, 0.0);
        }
        self.near.clear();
    }

    /// Adds what has changed to the sums of all fans, and to the list of weights near an edge.
    pub(super) fn add_to(&self, sums: &mut [f64], eligible: &mut [f64], edges: &mut Option<Edges>) {
        sums[self.first_fan..].iter_mut().zip(&self.sums).for_each(|(sum, change)| *sum += change);
        if !self.eligible.is_empty() {
            let eligible = eligible[self.first_fan..].iter_mut().zip(&self.eligible);
            eligible.for_each(|(sum, change)| *sum += change);
        }
        if let Some(edges) = edges {
            edges.near.extend_from_slice(&self.near);
            edges.note_eligible(self.first_fan, &self.most);
        }
        self.parts[..self.used].iter().for_each(|part| part.add_to(sums, eligible, edges));
    }
}

/// Changes go to weights whose fans are summed: to v, or behind a reward to ĉ and v.
pub(crate) struct Summed<'a> {
    pub(super) weights: &'a mut [Real],
    /// Empty without a reward.
    pub(super) eligibility: &'a mut [Real],
    /// The place of the first weight among all.
    pub(super) first: usize,
    pub(super) fans: &'a Fans,
    pub(super) part: &'a mut Part,
}

impl Summed<'_> {
    /// v and ĉ·G, whose sum is multiplied by s.
    #[inline(always)]
    fn parts(&self, k: usize, fan: usize) -> [f64; 2] {
        let brought = self.eligibility.get(k).map_or(0.0, |c| f64::from(*c) * self.fans.passed[fan]);
        [f64::from(self.weights[k]), brought]
    }

    /// s·(v + ĉ·G).
    #[inline(always)]
    fn by_now(&self, k: usize, fan: usize) -> Real {
        let ([v, brought], factor) = (self.parts(k, fan), self.fans.factor[fan]);
        match &self.fans.edges {
            Some(edges) => Edges::weight(edges.range(), [v, brought], factor),
            None => ((v + brought) * factor) as Real,
        }
    }

    /// Lists those of `n` weights from `first` on, a row of them, that are near an edge, and notes how eligible they are.
    fn look_at_edges(&mut self, edges: &Edges, first: usize, n: usize) {
        for fan in 0..n {
            let [v, brought] = self.parts(first + fan, fan);
            if edges.is_near(v + brought, fan) {
                self.part.near.push(self.first + first + fan);
            }
        }
        if let Some(c) = self.eligibility.get(first..first + n) {
            for (most, c) in self.part.most.iter_mut().zip(c) {
                *most = most.max(f64::from(c.abs()));
            }
        }
    }
}

/// What [`Summed::change`] does without a reward, for a row. A function of its own, so that the compiler knows that nothing
/// overlaps.
#[inline(always)]
fn change_row<const CLIPPED: bool>(
    v: &mut [Real],
    sums: &mut [f64],
    factor: &[f64],
    inverse: &[f64],
    (held, range): (Held, Held),
    mut change: impl FnMut(usize, Real) -> Real,
) {
    let n = v.len();
    let (sums, factor, inverse) = (&mut sums[..n], &factor[..n], &inverse[..n]);
    for j in 0..n {
        let before = f64::from(v[j]);
        let weight = match CLIPPED {
            true => Edges::weight(range, [before, 0.0], factor[j]),
            false => (before * factor[j]) as Real,
        };
        let change = f64::from(change(j, weight));
        v[j] = held.hold((before + change * inverse[j]) as Real);
        sums[j] += f64::from(v[j]) - before;
    }
}

/// The same behind a reward.
#[inline(always)]
fn note_row<const CLIPPED: bool>(
    v: &mut [Real],
    c: &mut [Real],
    (sums, eligible): (&mut [f64], &mut [f64]),
    (factor, passed): (&[f64], &[f64]),
    growth: f64,
    range: Held,
    mut change: impl FnMut(usize, Real) -> Real,
) {
    let n = v.len();
    let (c, sums, eligible) = (&mut c[..n], &mut sums[..n], &mut eligible[..n]);
    let (factor, passed) = (&factor[..n], &passed[..n]);
    for j in 0..n {
        let (before, noted) = (f64::from(v[j]), f64::from(c[j]));
        let brought = noted * passed[j];
        let weight = match CLIPPED {
            true => Edges::weight(range, [before, brought], factor[j]),
            false => ((before + brought) * factor[j]) as Real,
        };
        let change = f64::from(change(j, weight));
        c[j] = (noted + change * growth) as Real;
        let noted = f64::from(c[j]) - noted;
        v[j] = (before - noted * passed[j]) as Real;
        eligible[j] += noted;
        sums[j] += f64::from(v[j]) - before;
    }
}

impl Changes for Summed<'_> {
    const PARTS: Option<usize> = Some(4);

    fn len(&self) -> usize {
        self.weights.len()
    }

    fn cut(self, lengths: &[usize]) -> Vec<Self> {
        let Summed { weights, eligibility, mut first, fans, part } = self;
        let Part { first_fan, sums, parts, used, .. } = part;
        let all = *first_fan..*first_fan + sums.len();
        *used = lengths.len();
        if parts.len() < lengths.len() {
            parts.resize_with(lengths.len(), Part::default);
        }
        let weights = cut_slice(weights, lengths).zip(cut_slice(eligibility, lengths));
        let parts = weights.zip(parts).map(|((weights, eligibility), part)| {
            let begin = first;
            first += weights.len();
            let reached = match &fans.of {
                FanIn::Blocks(n) => begin / n..first.div_ceil(*n),
                _ => all.clone(),
            };
            part.clear(reached, !eligibility.is_empty(), fans.edges.is_some());
            Summed { weights, eligibility, first: begin, fans, part }
        });
        parts.collect()
    }

    #[inline(always)]
    fn weight(&self, k: usize, fan: usize) -> Real {
        self.by_now(k, fan)
    }

    #[inline(always)]
    fn prefetch(&self, k: usize) {
        prefetch(self.weights, k);
        prefetch(self.eligibility, k);
    }

    #[inline(always)]
    fn change(&mut self, k: usize, fan: usize, change: impl FnOnce(Real) -> Real) {
        let (fans, in_part) = (self.fans, fan - self.part.first_fan);
        let change = f64::from(change(self.by_now(k, fan)));
        let v = &mut self.weights[k];
        let before = f64::from(*v);
        if let Some(c) = self.eligibility.get_mut(k) {
            let eligible = f64::from(*c);
            *c = (eligible + change * fans.growth) as Real;
            let noted = f64::from(*c) - eligible;
            self.part.eligible[in_part] += noted;
            *v = (before - noted * fans.passed[fan]) as Real;
            fans.eligible.mark(self.first + k);
        } else {
            // They are held where the factor is 1 only.
            *v = fans.held.hold((before + change * fans.inverse[fan]) as Real);
        }
        self.part.sums[in_part] += f64::from(*v) - before;
        if let Some(edges) = &fans.edges {
            let [v, brought] = self.parts(k, fan);
            if edges.is_near(v + brought, fan) {
                self.part.near.push(self.first + k);
            }
            if let Some(c) = self.eligibility.get(k) {
                let most = &mut self.part.most[in_part];
                *most = most.max(f64::from(c.abs()));
            }
        }
    }

    #[inline(always)]
    fn update_row(&mut self, first: usize, n: usize, change: impl FnMut(usize, Real) -> Real) {
        let fans = self.fans;
        let v = &mut self.weights[first..first + n];
        let (factor, range) = (&fans.factor[..n], fans.edges.as_ref().map(Edges::range));
        if self.eligibility.is_empty() {
            let (sums, inverse) = (&mut self.part.sums, &fans.inverse[..n]);
            match range {
                Some(range) => change_row::<true>(v, sums, factor, inverse, (fans.held, range), change),
                None => change_row::<false>(v, sums, factor, inverse, (fans.held, Held::FREE), change),
            }
        } else {
            let c = &mut self.eligibility[first..first + n];
            let (sums, by_fan) =
                ((&mut *self.part.sums, &mut *self.part.eligible), (factor, &fans.passed[..n]));
            match range {
                Some(range) => note_row::<true>(v, c, sums, by_fan, fans.growth, range, change),
                None => note_row::<false>(v, c, sums, by_fan, fans.growth, Held::FREE, change),
            }
            fans.eligible.mark_all(self.first + first..self.first + first + n);
        }
        if let Some(edges) = &fans.edges {
            self.look_at_edges(edges, first, n);
        }
    }
}
