//! The weights of a projection, and changes of them that wait to be made.

use crate::Real;
use crate::kernels::prefer_large_pages;
use crate::kernels::rows::any_normal;
use crate::learning::{InPlace, Occasion, SummedSynapses};
use std::any::Any;
use std::fmt::Debug;
use std::sync::OnceLock;

/// The range that a rule holds weights within as it changes them: that of [`WeightClip`](super::WeightClip), where nothing
/// stands between learning and clipping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// The least weight.
    pub min: Real,
    /// The largest weight.
    pub max: Real,
}

impl Held {
    /// Every number.
    pub const FREE: Held = Held { min: Real::NEG_INFINITY, max: Real::INFINITY };

    /// As [`hold`](Self::hold), in double precision.
    #[inline(always)]
    pub fn hold_double(self, w: f64) -> f64 {
        let (min, max) = (f64::from(self.min), f64::from(self.max));
        if w < min {
            min
        } else if w > max {
            max
        } else {
            w
        }
    }

    /// `w`, or the edge of the range that it is beyond.
    #[inline(always)]
    pub fn hold(self, w: Real) -> Real {
        if w < self.min {
            self.min
        } else if w > self.max {
            self.max
        } else {
            w
        }
    }
}

impl Held {
    /// Whether a weight that goes as far as `way` may meet an edge. Says yes where it is no number.
    #[inline(always)]
    pub fn may_leave(self, w: Real, way: Real) -> bool {
        !((w - way >= self.min) & (w + way <= self.max))
    }
}

/// Changes that are known but not made yet. A rule that follows spikes leaves a weight alone until somebody needs it.
pub(crate) trait Pending: Any + Debug + Send + Sync {
    /// Whether any weight differs from what is stored.
    fn is_due(&self) -> bool;

    /// Whether the weights of these rows are stored as they are.
    fn are_current(&self, rows: &[u32]) -> bool;

    /// Makes in `values`, the weights as they are stored, and in their eligibility all changes that are due.
    fn settle(&self, values: &mut [Real], eligibility: &mut [Real]);

    /// All changes that were due are made.
    fn settled(&mut self);

    /// The same once more.
    fn copy(&self) -> Box<dyn Pending>;
}

/// Nothing is eligible: until a spike changes that, a reward has nothing to apply.
#[derive(Clone, Copy, Debug)]
struct NothingEligible;

impl Pending for NothingEligible {
    fn is_due(&self) -> bool {
        false
    }

    fn are_current(&self, _: &[u32]) -> bool {
        true
    }

    fn settle(&self, _: &mut [Real], _: &mut [Real]) {}

    fn settled(&mut self) {}

    fn copy(&self) -> Box<dyn Pending> {
        Box::new(*self)
    }
}

/// How often it is looked whether anything is eligible still \[steps\]: a third of what a sweep costs.
const LOOKED_FOR: u64 = 16;

/// The weights of a projection, and how often they were changed: what depends on them is computed anew only then.
#[derive(Debug)]
pub struct Weights {
    stored: Vec<Real>,
    /// What waits for a reward, one a weight, where a rule keeps it here; else empty.
    eligibility: Vec<Real>,
    version: u64,
    free_changes: u64,
    held: Held,
    pending: Option<Box<dyn Pending>>,
    /// What the stored weights and their eligibility are with all pending changes made, for those who read between them.
    settled: OnceLock<(Vec<Real>, Vec<Real>)>,
}

impl Weights {
    /// `n` weights of 0.
    pub fn zeros(n: usize) -> Self {
        let mut weights = vec![0.0; n];
        prefer_large_pages(&mut weights);
        weights.into()
    }

    /// The number of weights.
    pub fn len(&self) -> usize {
        self.stored.len()
    }

    /// Whether there is no weight.
    pub fn is_empty(&self) -> bool {
        self.stored.is_empty()
    }

    /// The weights, in the order of their kind of connectivity.
    ///
    /// Changes that wait are made first, on a copy that lasts until the weights change again: reading takes nothing from
    /// what a rule saves by waiting, and the memory for it only where somebody reads in the middle of learning.
    pub fn values(&self) -> &[Real] {
        self.settled_copy().map_or(&self.stored, |(weights, _)| weights)
    }

    /// What waits for a reward, one a weight, where it is kept with the weights; else nothing.
    pub(crate) fn eligibility(&self) -> &[Real] {
        self.settled_copy().map_or(&self.eligibility, |(_, eligibility)| eligibility)
    }

    /// Keeps an eligibility with the weights from now on, in place of what was kept. An empty one changes nothing.
    pub(crate) fn take_eligibility(&mut self, c: &mut Vec<Real>) {
        if !c.is_empty() {
            self.settle();
            self.pending = None;
            self.eligibility = std::mem::take(c);
        }
    }

    /// Whether a sweep over all eligibilities finds anything: so unless it was seen that nothing is left, and the step
    /// `is_silent` too. Changes that wait are made first.
    pub(crate) fn anything_eligible(&mut self, is_silent: bool) -> bool {
        if self.waiting::<NothingEligible>().is_some() && is_silent {
            return false;
        }
        self.settle();
        // How long weights rest from being summed is known there.
        self.pending = self.take_pending::<SummedSynapses>().map(|summed| summed as Box<dyn Pending>);
        true
    }

    /// Looks every so often whether a step that `is_silent` has left anything eligible.
    pub(crate) fn look_for_eligibility(&mut self, is_silent: bool, occasion: &Occasion) {
        if is_silent && occasion.step.is_multiple_of(LOOKED_FOR) && !any_normal(&self.eligibility) {
            // It has decayed to nothing.
            self.eligibility.fill(0.0);
            self.pending = Some(Box::new(NothingEligible));
        }
    }

    /// Whether there is an eligibility with the weights.
    pub(crate) fn keep_eligibility(&self) -> bool {
        self.eligibility.len() == self.stored.len()
    }

    fn settled_copy(&self) -> Option<&(Vec<Real>, Vec<Real>)> {
        let pending = self.pending.as_ref().filter(|pending| pending.is_due())?;
        Some(self.settled.get_or_init(|| {
            let (mut values, mut eligibility) = (self.stored.clone(), self.eligibility.clone());
            pending.settle(&mut values, &mut eligibility);
            (values, eligibility)
        }))
    }

    /// The weights, to be changed. Changes that wait are made first.
    pub fn values_mut(&mut self) -> &mut [Real] {
        self.settle();
        self.note_free_change();
        &mut self.stored
    }

    /// The weights, to be changed by a rule: they are held within the range that the projection is clipped to, so that
    /// clipping has nothing to look for.
    pub fn in_place(&mut self) -> InPlace<'_> {
        self.settle();
        self.note_change();
        InPlace { weights: &mut self.stored, held: self.held }
    }

    /// Grows with every change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Grows with every change that was not held within the range of clipping.
    pub(crate) fn free_changes(&self) -> u64 {
        self.free_changes
    }

    /// The range that rules hold changes within.
    pub(crate) fn held(&self) -> Held {
        self.held
    }

    /// Lets rules hold changes within a range from now on.
    pub(crate) fn hold(&mut self, held: Held) {
        self.held = held;
    }

    /// Counts a change by a rule.
    pub(crate) fn note_change(&mut self) {
        self.version += 1;
        self.free_changes += u64::from(self.held == Held::FREE);
    }

    /// Counts a change that was not held within the range of clipping.
    pub(crate) fn note_free_change(&mut self) {
        self.version += 1;
        self.free_changes += 1;
    }

    /// Makes the changes that wait.
    pub(crate) fn settle(&mut self) {
        let due = self.pending.as_mut().filter(|pending| pending.is_due());
        match (due, self.settled.take()) {
            (Some(pending), Some(settled)) => {
                (self.stored, self.eligibility) = settled;
                pending.settled();
            }
            (Some(pending), None) => {
                pending.settle(&mut self.stored, &mut self.eligibility);
                pending.settled();
            }
            (None, _) => {}
        }
    }

    /// The weights, for someone who looks at those from these sources only: none is copied where they are up to date.
    pub fn of_rows(&self, rows: &[u32]) -> &[Real] {
        match &self.pending {
            Some(pending) if !pending.are_current(rows) => self.values(),
            _ => &self.stored,
        }
    }

    /// Whether `weights` are these, as they are stored.
    pub(crate) fn are_stored(&self, weights: &[Real]) -> bool {
        std::ptr::eq(weights, &self.stored[..])
    }

    /// The changes that wait, if they are kept as a `P`; others are made first. Until they are given back, the weights are
    /// as [`stored_mut`](Self::stored_mut) has them.
    pub(crate) fn take_pending<P: Pending>(&mut self) -> Option<Box<P>> {
        self.settled.take();
        let pending = self.pending.take()?;
        if (&*pending as &dyn Any).is::<P>() {
            return (pending as Box<dyn Any>).downcast().ok();
        }
        pending.settle(&mut self.stored, &mut self.eligibility);
        None
    }

    /// What waits, if it is kept as a `P`.
    pub(crate) fn waiting<P: Pending>(&self) -> Option<&P> {
        (&**self.pending.as_ref()? as &dyn Any).downcast_ref()
    }

    /// The same, to be changed.
    pub(crate) fn waiting_mut<P: Pending>(&mut self) -> Option<&mut P> {
        let waiting = (&mut **self.pending.as_mut()? as &mut dyn Any).downcast_mut()?;
        self.settled.take();
        Some(waiting)
    }

    /// Sets `current`, all of it 0 before, to what these weights bring where such sources spike; `add` adds what is given for
    /// each weight.
    pub(crate) fn deliver(&self, rows: &[u32], current: &mut [Real], add: impl Fn(&[Real], &mut [Real])) {
        match self.waiting::<SummedSynapses>().filter(|summed| summed.is_due()) {
            Some(summed) => summed.deliver(&self.stored, &self.eligibility, current, add),
            None => add(self.of_rows(rows), current),
        }
    }

    /// Lets changes wait.
    pub(crate) fn give_pending(&mut self, pending: Box<impl Pending>) {
        self.pending = Some(pending);
    }

    /// The weights as they are stored, to be changed. Whoever asks knows what waits, and counts the change.
    pub(crate) fn stored_mut(&mut self) -> &mut [Real] {
        &mut self.stored
    }

    /// As [`stored_mut`](Self::stored_mut), with the eligibility.
    pub(crate) fn stored_with_eligibility(&mut self) -> (&mut [Real], &mut Vec<Real>) {
        (&mut self.stored, &mut self.eligibility)
    }
}

impl Clone for Weights {
    fn clone(&self) -> Self {
        Weights {
            stored: self.stored.clone(),
            eligibility: self.eligibility.clone(),
            version: self.version,
            free_changes: self.free_changes,
            held: self.held,
            pending: self.pending.as_ref().map(|pending| pending.copy()),
            settled: OnceLock::new(),
        }
    }
}

impl Default for Weights {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl From<Vec<Real>> for Weights {
    fn from(values: Vec<Real>) -> Self {
        Weights {
            stored: values,
            eligibility: Vec::new(),
            version: 0,
            free_changes: 0,
            held: Held::FREE,
            pending: None,
            settled: OnceLock::new(),
        }
    }
}
