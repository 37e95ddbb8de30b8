//! Synapses behind a reward that wait one by one, for dopamine alone.
//!
//! Where each synapse is visited at each spike on either side, nothing is noted between two visits: the eligibility c only
//! decays, and dopamine moves the weight along. With μ what the eligibility keeps of itself each step, and
//! S(r) = Σ μ^(q − s)·D_q over the steps s < q ≤ r, a synapse that was left with w and c at step s has a weight of w + c·S(t) at
//! step t, and an eligibility of μ^(t − s)·c. Both factors are the same for all synapses that wait since step s: [`Passed`]
//! keeps them for each of the last steps. So what a synapse has missed is a multiplication, whatever the rule and the number
//! of steps. All sums begin with the visit: nothing grows, nothing cancels, nothing has to be rebased.
//!
//! Clipping acts at each step, and what it takes off stays in the eligibility. How far S went up and down tells which weights
//! it acted on. A weight that met one edge alone is as far from it as S is from its extreme: where it was the upper one, it is
//! w_max + c·S − max(c·S). (A reflected walk, A. Skorokhod 1961, doi 10.1137/1106035.) One that may have met both takes the
//! steps one by one.

use super::super::changes::cut_slice;
use super::super::{Activity, Changes, Reward};
use crate::Real;
use crate::kernels::prefetch;
use crate::kernels::waiting::{Missed, miss_dopamine};
use crate::weights::{Held, Pending, Weights};

/// Synapses that wait, and since when.
#[derive(Clone, Debug)]
pub(crate) struct WaitingSynapses {
    passed: Passed,
    /// For each synapse the slot of the step at which it was visited last.
    since: Vec<u16>,
    /// The synapses of one turn.
    per_turn: usize,
    /// The next turn, of as many as bring each synapse up once.
    turn: usize,
    /// How many turns in a row have found no eligibility left, without a spike between.
    quiet: usize,
    /// Whether dopamine may have moved a weight that is stored as it was before.
    is_due: bool,
    /// The sources that spiked at the last step: their synapses are stored as they are.
    fresh: Vec<u32>,
}

/// The dopamine of the last steps, in slots that are used in turn, one a step.
#[derive(Clone, Debug)]
struct Passed {
    decay: Real,
    held: Held,
    /// The slot of the last step.
    now: usize,
    /// What synapses have missed that were visited at each of these steps.
    missed: Vec<Missed>,
    /// The dopamine of each step.
    dopamine: Vec<f64>,
}

impl Passed {
    fn new(slots: usize) -> Self {
        let (missed, dopamine) = (vec![Missed::NOTHING; slots], vec![0.0; slots]);
        Passed { decay: 0.0, held: Held::FREE, now: 0, missed, dopamine }
    }

    fn next(&self) -> usize {
        (self.now + 1) % self.missed.len()
    }

    /// What an eligibility keeps of itself each step.
    fn keep(&self) -> f64 {
        1.0 - f64::from(self.decay)
    }

    /// The dopamine of a step passes, and synapses can wait since this step.
    fn pass(&mut self, dopamine: Real) {
        let (keep, dopamine) = (self.keep(), f64::from(dopamine));
        miss_dopamine(&mut self.missed, keep, dopamine);
        self.now = self.next();
        (self.missed[self.now], self.dopamine[self.now]) = (Missed::NOTHING, dopamine);
    }

    /// Weight and eligibility after the last step, of a synapse that was left with these in slot s.
    #[inline(always)]
    fn by_now(&self, s: u16, w: Real, c: Real) -> (f64, f64) {
        let (w, c) = (f64::from(w), f64::from(c));
        let Missed { kept, sum, most, least } = self.missed[usize::from(s)];
        let (one, other) = (c * most, c * least);
        let (down, up) = if one < other { (one, other) } else { (other, one) };
        let (min, max) = (f64::from(self.held.min), f64::from(self.held.max));
        let keeps_clear = (w + down >= min) & (w + up <= max);
        let w = if keeps_clear { w + c * sum } else { self.along_edges(s, (w, c), (down, up)) };
        (w, c * kept)
    }

    /// Where a weight is by now that has met an edge of its range, if it would have gone so far down and up.
    #[inline(never)]
    fn along_edges(&self, s: u16, (w, c): (f64, f64), (down, up): (f64, f64)) -> f64 {
        let (min, max) = (f64::from(self.held.min), f64::from(self.held.max));
        let (mut s, mut w, mut c) = (usize::from(s), w, c);
        // No two moments are further apart than the extremes: then one edge is out of reach.
        if w >= min && w <= max && up - down <= max - min {
            let (over, under) = ((w + up - max).max(0.0), (min - w - down).max(0.0));
            return self.held.hold_double(w + c * self.missed[s].sum - over + under);
        }
        while s != self.now {
            s = (s + 1) % self.missed.len();
            c *= self.keep();
            w = self.held.hold_double(w + c * self.dopamine[s]);
        }
        w
    }
}

impl WaitingSynapses {
    /// Synapses with this eligibility that wait for nothing yet.
    fn new(eligibility: &[Real]) -> Self {
        let synapses = eligibility.len();
        // A turn looks after its synapses, a step after all slots: half of the cost each.
        let slots = (libm::sqrt(synapses as f64 / 2.0) as usize).next_power_of_two().clamp(16, 512);
        let turns = slots - 1;
        WaitingSynapses {
            passed: Passed::new(slots),
            since: vec![0; synapses],
            per_turn: synapses.div_ceil(turns).max(1),
            turn: 0,
            quiet: if eligibility.iter().all(|c| *c == 0.0) { turns } else { 0 },
            is_due: false,
            fresh: Vec::new(),
        }
    }

    /// How many turns bring each synapse up once. One slot is left for the step that begins.
    fn turns(&self) -> usize {
        self.passed.missed.len() - 1
    }

    /// One step of learning: `learn` tells what spikes change.
    pub fn step(
        weights: &mut Weights,
        reward: Reward,
        activity: &Activity<'_>,
        learn: impl FnOnce(Rewarded<'_>),
    ) {
        let (held, waiting) = (weights.held(), weights.take_pending());
        let (w, c) = weights.stored_with_eligibility();
        let mut waiting = waiting.unwrap_or_else(|| Box::new(WaitingSynapses::new(c)));
        let moves = waiting.pass(w, c, reward, held, activity, learn);
        weights.give_pending(waiting);
        if moves {
            weights.note_change();
        }
    }

    /// Says whether a weight may have moved.
    fn pass(
        &mut self,
        w: &mut [Real],
        c: &mut [Real],
        reward: Reward,
        held: Held,
        activity: &Activity<'_>,
        learn: impl FnOnce(Rewarded<'_>),
    ) -> bool {
        if self.passed.held != held || self.passed.decay != reward.decay {
            // What was missed so far follows what was valid then.
            self.settle(w, c);
            self.settled();
            (self.passed.held, self.passed.decay) = (held, reward.decay);
        }
        self.fresh.clear();
        if !(activity.pre.is_silent() && activity.post.is_silent()) {
            self.quiet = 0;
            self.fresh.extend_from_slice(activity.pre.events());
            let (weights, eligibility, since) = (&mut *w, &mut *c, &mut self.since[..]);
            let step = self.passed.next() as u16;
            let dopamine = f64::from(reward.dopamine);
            learn(Rewarded { weights, eligibility, since, passed: &self.passed, step, dopamine });
        } else if self.quiet >= self.turns() {
            // Nothing is eligible, so nothing is missed.
            return false;
        }
        self.passed.pass(reward.dopamine);
        self.is_due = true;
        self.take_turn(w, c);
        if self.quiet == self.turns() {
            self.settled();
        }
        reward.dopamine != 0.0
    }

    /// Brings up the synapses whose turn it is, so that none waits for longer than there are slots.
    fn take_turn(&mut self, w: &mut [Real], c: &mut [Real]) {
        let first = (self.turn * self.per_turn).min(w.len());
        let range = first..(first + self.per_turn).min(w.len());
        self.turn = (self.turn + 1) % self.turns();
        let mut any = false;
        for ((w, c), s) in w[range.clone()].iter_mut().zip(&mut c[range.clone()]).zip(&mut self.since[range])
        {
            let by_now = self.passed.by_now(*s, *w, *c);
            (*w, *c) = (by_now.0 as Real, by_now.1 as Real);
            *s = self.passed.now as u16;
            if c.abs() < Real::MIN_POSITIVE {
                // It has decayed to nothing.
                *c = 0.0;
            } else {
                any = true;
            }
        }
        self.quiet = if any { 0 } else { self.quiet + 1 };
    }
}

impl Pending for WaitingSynapses {
    fn is_due(&self) -> bool {
        self.is_due
    }

    fn are_current(&self, rows: &[u32]) -> bool {
        rows == self.fresh || rows.iter().all(|i| self.fresh.binary_search(i).is_ok())
    }

    fn settle(&self, values: &mut [Real], eligibility: &mut [Real]) {
        for ((w, c), s) in values.iter_mut().zip(eligibility).zip(&self.since) {
            let by_now = self.passed.by_now(*s, *w, *c);
            (*w, *c) = (by_now.0 as Real, by_now.1 as Real);
        }
    }

    fn settled(&mut self) {
        self.since.fill(self.passed.now as u16);
        self.is_due = false;
    }

    fn copy(&self) -> Box<dyn Pending> {
        Box::new(self.clone())
    }
}

/// Changes go to the eligibility of a synapse that waits, and dopamine applies it: `c ← c − c/tau_c + dw`, then
/// `w ← w + c·dopamine`. What the synapse has missed comes first.
pub struct Rewarded<'a> {
    weights: &'a mut [Real],
    eligibility: &'a mut [Real],
    since: &'a mut [u16],
    passed: &'a Passed,
    /// The slot of this step.
    step: u16,
    dopamine: f64,
}

impl Changes for Rewarded<'_> {
    /// A weight that waits must have arrived when its source's spike is delivered.
    const VISITS_ALL: bool = true;

    fn len(&self) -> usize {
        self.weights.len()
    }

    fn cut(self, lengths: &[usize]) -> Vec<Self> {
        let Rewarded { weights, eligibility, since, passed, step, dopamine } = self;
        let weights = cut_slice(weights, lengths);
        let parts = weights.zip(cut_slice(eligibility, lengths)).zip(cut_slice(since, lengths));
        let part = |((weights, eligibility), since)| Rewarded {
            weights,
            eligibility,
            since,
            passed,
            step,
            dopamine,
        };
        parts.map(part).collect()
    }

    #[inline(always)]
    fn weight(&self, k: usize, _: usize) -> Real {
        self.passed.by_now(self.since[k], self.weights[k], self.eligibility[k]).0 as Real
    }

    #[inline(always)]
    fn prefetch(&self, k: usize) {
        prefetch(self.weights, k);
        prefetch(self.eligibility, k);
        prefetch(self.since, k);
    }

    #[inline(always)]
    fn change(&mut self, k: usize, _: usize, change: impl FnOnce(Real) -> Real) {
        let (w, c) = self.passed.by_now(self.since[k], self.weights[k], self.eligibility[k]);
        let c = c * self.passed.keep() + f64::from(change(w as Real));
        // Rounded here and nowhere else.
        self.weights[k] = self.passed.held.hold_double(w + self.dopamine * c) as Real;
        self.eligibility[k] = c as Real;
        self.since[k] = self.step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever dopamine does, a synapse that has waited is where the steps lead one by one: free, along one edge, from
        /// edge to edge, and from outside its range.
        #[test]
        fn waiting_leads_where_the_steps_lead(
            dopamine in prop::collection::vec(-1.0_f64..1.0, 1..60),
            (decay, w, c) in (0.0_f64..2.0, -0.2_f64..1.2, -1.0_f64..1.0),
            (strength, before) in (prop::sample::select(vec![0.01, 0.3, 3.0]), 0_usize..40),
            held in prop::sample::select(vec![Held::FREE, Held { min: 0.0, max: 1.0 }]),
        ) {
            let mut passed = Passed::new(64);
            (passed.decay, passed.held) = (decay as Real, held);
            (0..before).for_each(|_| passed.pass(0.7));
            let since = passed.now as u16;
            let (start, decay) = ((w as Real, (c * strength) as Real), f64::from(passed.decay));
            let (mut w, mut c) = (f64::from(start.0), f64::from(start.1));
            let unmoved = passed.by_now(since, start.0, start.1);
            prop_assert_eq!((unmoved.0 as Real, unmoved.1 as Real), start);
            for dopamine in dopamine {
                passed.pass(dopamine as Real);
                c -= c * decay;
                w = (w + c * f64::from(dopamine as Real)).clamp(f64::from(held.min), f64::from(held.max));
                let (given_w, given_c) = passed.by_now(since, start.0, start.1);
                prop_assert!((given_w - w).abs() <= 1e-12 * w.abs().max(1.0), "{given_w}, expected {w}");
                prop_assert!((given_c - c).abs() <= 1e-12, "{given_c}, expected {c}");
            }
        }
    }

    #[test]
    fn weights_and_eligibility_that_are_no_number_stay_so() {
        let mut passed = Passed::new(16);
        (passed.decay, passed.held) = (0.1, Held { min: 0.0, max: 1.0 });
        passed.pass(0.5);
        assert!(passed.by_now(0, Real::NAN, 0.1).0.is_nan());
        assert!(passed.by_now(0, 0.5, Real::NAN).0.is_nan());
    }
}
