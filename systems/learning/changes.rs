//! Where the changes of weights go: to the weights themselves, or to a place aside, one a weight. (Behind a reward there is a
//! third one, [`Rewarded`](super::Rewarded).)

use crate::Real;
use crate::kernels::prefetch;
use crate::weights::Held;

/// Weights, and where their changes go. Every kind of connectivity walks its synapses once, whichever it is.
pub trait Changes: Send + Sized {
    /// Whether each synapse of a source that spikes has to be visited, even if the rule changes nothing there.
    const VISITS_ALL: bool = false;

    /// The same, `n` weights at a time.
    fn chunks(self, n: usize) -> impl Iterator<Item = Self>;

    /// The first `n` weights, and the others.
    fn split_at(self, n: usize) -> (Self, Self);

    /// Weight `k`.
    fn weight(&self, k: usize) -> Real;

    /// Has the memory of weight `k` fetched, for it will be needed soon.
    fn prefetch(&self, k: usize);

    /// Notes that weight `k` changes by what `change` says of its value: all that a step changes it by, in one call.
    fn change(&mut self, k: usize, change: impl FnOnce(Real) -> Real);

    /// Notes for `n` weights from `first` on that they change by what `change` says of their place, from 0 on, and their
    /// value.
    fn update(&mut self, first: usize, n: usize, change: impl FnMut(usize, Real) -> Real);
}

/// Changes go to the weights at once, which are held within the range that they are clipped to.
pub struct InPlace<'a> {
    /// The weights.
    pub weights: &'a mut [Real],
    /// The range that they are held within.
    pub held: Held,
}

impl Changes for InPlace<'_> {
    fn chunks(self, n: usize) -> impl Iterator<Item = Self> {
        let held = self.held;
        self.weights.chunks_mut(n).map(move |weights| InPlace { weights, held })
    }

    fn split_at(self, n: usize) -> (Self, Self) {
        let ((first, rest), held) = (self.weights.split_at_mut(n), self.held);
        (InPlace { weights: first, held }, InPlace { weights: rest, held })
    }

    #[inline(always)]
    fn weight(&self, k: usize) -> Real {
        self.weights[k]
    }

    #[inline(always)]
    fn prefetch(&self, k: usize) {
        prefetch(self.weights, k);
    }

    #[inline(always)]
    fn change(&mut self, k: usize, change: impl FnOnce(Real) -> Real) {
        let w = &mut self.weights[k];
        *w = self.held.hold(*w + change(*w));
    }

    #[inline(always)]
    fn update(&mut self, first: usize, n: usize, mut change: impl FnMut(usize, Real) -> Real) {
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
    fn chunks(self, n: usize) -> impl Iterator<Item = Self> {
        let both = self.weights.chunks(n).zip(self.changes.chunks_mut(n));
        both.map(|(weights, changes)| Aside { weights, changes })
    }

    fn split_at(self, n: usize) -> (Self, Self) {
        let (weights, changes) = (self.weights.split_at(n), self.changes.split_at_mut(n));
        let part = |weights, changes| Aside { weights, changes };
        (part(weights.0, changes.0), part(weights.1, changes.1))
    }

    #[inline(always)]
    fn weight(&self, k: usize) -> Real {
        self.weights[k]
    }

    #[inline(always)]
    fn prefetch(&self, k: usize) {
        prefetch(self.weights, k);
        prefetch(self.changes, k);
    }

    #[inline(always)]
    fn change(&mut self, k: usize, change: impl FnOnce(Real) -> Real) {
        self.changes[k] += change(self.weights[k]);
    }

    #[inline(always)]
    fn update(&mut self, first: usize, n: usize, mut change: impl FnMut(usize, Real) -> Real) {
        let weights = &self.weights[first..first + n];
        for (k, (c, w)) in self.changes[first..first + n].iter_mut().zip(weights).enumerate() {
            *c += change(k, *w);
        }
    }
}
