//! Where the changes of weights go: to the weights themselves, or to a place aside, one a weight. (Behind a reward there is a
//! third one, [`Rewarded`](super::Rewarded).)

use crate::Real;
use crate::kernels::prefetch;
use crate::weights::Held;

/// Weights, and where their changes go. Every kind of connectivity walks its synapses once, whichever it is.
pub trait Changes: Send + Sized {
    /// Whether each synapse of a source that spikes has to be visited, even if the rule changes nothing there.
    const VISITS_ALL: bool = false;

    /// How many parts the weights are to be cut into, where that must not depend on the number of threads, unless the fans
    /// of no two parts meet. Default: as many as one likes.
    const PARTS: Option<usize> = None;

    /// How many parts to cut the weights into where there is so much `work`; none where any number does.
    fn parts(work: usize) -> Option<usize> {
        /// What a part of its own costs is soon more than what a thread saves.
        const LARGE: usize = 1 << 16;
        Self::PARTS.map(|parts| if work < LARGE { 1 } else { parts })
    }

    /// How many weights there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Parts of so many weights each, one after the other, all weights together.
    fn cut(self, lengths: &[usize]) -> Vec<Self>;

    /// The same, `n` weights at a time.
    fn chunks(self, n: usize) -> Vec<Self> {
        let len = self.len();
        let lengths: Vec<_> = (0..len).step_by(n).map(|first| n.min(len - first)).collect();
        self.cut(&lengths)
    }

    /// Weight `k`, one of this [fan](crate::weights::FanIn).
    fn weight(&self, k: usize, fan: usize) -> Real;

    /// Has the memory of weight `k` fetched, for it will be needed soon.
    fn prefetch(&self, k: usize);

    /// Notes that weight `k`, one of this fan, changes by what `change` says of its value: all that a step changes it by, in
    /// one call.
    fn change(&mut self, k: usize, fan: usize, change: impl FnOnce(Real) -> Real);

    /// Notes for `n` weights from `first` on that they change by what `change` says of their place, from 0 on, and their
    /// value; `fan` tells the fan of each place.
    #[inline(always)]
    fn update(
        &mut self,
        first: usize,
        n: usize,
        fan: impl Fn(usize) -> usize,
        mut change: impl FnMut(usize, Real) -> Real,
    ) {
        for k in 0..n {
            self.change(first + k, fan(k), |w| change(k, w));
        }
    }

    /// The same for a row of `n` weights whose fans are 0, 1, 2, ...
    #[inline(always)]
    fn update_row(&mut self, first: usize, n: usize, change: impl FnMut(usize, Real) -> Real) {
        self.update(first, n, |fan| fan, change);
    }
}

/// Parts of so many elements each, none where there is nothing.
pub(super) fn cut_slice<'a, 'n, T>(
    mut left: &'a mut [T],
    lengths: &'n [usize],
) -> impl Iterator<Item = &'a mut [T]> + use<'a, 'n, T> {
    lengths.iter().map(move |&n| {
        let n = n.min(left.len());
        let (first, rest) = std::mem::take(&mut left).split_at_mut(n);
        left = rest;
        first
    })
}

/// Changes go to the weights at once, which are held within the range that they are clipped to.
pub struct InPlace<'a> {
    /// The weights.
    pub weights: &'a mut [Real],
    /// The range that they are held within.
    pub held: Held,
}

impl Changes for InPlace<'_> {
    fn len(&self) -> usize {
        self.weights.len()
    }

    fn cut(self, lengths: &[usize]) -> Vec<Self> {
        let held = self.held;
        cut_slice(self.weights, lengths).map(|weights| InPlace { weights, held }).collect()
    }

    #[inline(always)]
    fn weight(&self, k: usize, _: usize) -> Real {
        self.weights[k]
    }

    #[inline(always)]
    fn prefetch(&self, k: usize) {
        prefetch(self.weights, k);
    }

    #[inline(always)]
    fn change(&mut self, k: usize, _: usize, change: impl FnOnce(Real) -> Real) {
        let w = &mut self.weights[k];
        *w = self.held.hold(*w + change(*w));
    }

    #[inline(always)]
    fn update(
        &mut self,
        first: usize,
        n: usize,
        _: impl Fn(usize) -> usize,
        mut change: impl FnMut(usize, Real) -> Real,
    ) {
        for (k, w) in self.weights[first..first + n].iter_mut().enumerate() {
            *w = self.held.hold(*w + change(k, *w));
        }
    }
}

/// Changes are added up aside, and the weights stay as they are.
pub struct Aside<'a> {
    /// The weights.
    pub weights: &'a [Real],
    /// Where their changes are added up.
    pub changes: &'a mut [Real],
}

impl Changes for Aside<'_> {
    fn len(&self) -> usize {
        self.weights.len()
    }

    fn cut(self, lengths: &[usize]) -> Vec<Self> {
        let mut left = self.weights;
        let parts = cut_slice(self.changes, lengths).map(|changes| {
            let (weights, rest) = left.split_at(changes.len());
            left = rest;
            Aside { weights, changes }
        });
        parts.collect()
    }

    #[inline(always)]
    fn weight(&self, k: usize, _: usize) -> Real {
        self.weights[k]
    }

    #[inline(always)]
    fn prefetch(&self, k: usize) {
        prefetch(self.weights, k);
        prefetch(self.changes, k);
    }

    #[inline(always)]
    fn change(&mut self, k: usize, _: usize, change: impl FnOnce(Real) -> Real) {
        self.changes[k] += change(self.weights[k]);
    }

    #[inline(always)]
    fn update(
        &mut self,
        first: usize,
        n: usize,
        _: impl Fn(usize) -> usize,
        mut change: impl FnMut(usize, Real) -> Real,
    ) {
        let weights = &self.weights[first..first + n];
        for (k, (c, w)) in self.changes[first..first + n].iter_mut().zip(weights).enumerate() {
            *c += change(k, *w);
        }
    }
}
