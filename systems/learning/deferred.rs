//! Rows of dense weights that wait: a post-synaptic spike is noted, not carried to all its synapses.
//!
//! A row is visited when its pre-synaptic neuron fires, for its weights are needed then, and every so often besides.
//! Between two visits its pre-synaptic trace only decays, so what the row has missed follows from the trace at its last
//! visit and the post-synaptic spikes since. Those are kept in two ways. The [`Log`] has them one by one, to be replayed on
//! the row. For rules whose potentiation is proportional to the trace, [`Sums`] has for each step t0 at which rows were
//! visited, and each target j, the sum of λ^(s − t0) over the spikes of j at steps s since: a row then takes all that it
//! has missed in one pass, `w ← w + x(t0)·sum`. (Sums that are anchored at t0 have only terms of one sign and below 1:
//! nothing cancels, nothing has to be rebased.)

use super::potentiation::Potentiation;
use super::{Activity, InPlace, Occasion, PlasticityRule, Traces};
use crate::Real;
use crate::kernels::rows::{add_sums, any_leaves, decayed_to, depress_row, learn_row};
use crate::traces::Pairing;
use crate::weights::{Held, Pending};
use crate::workers::Workers;
use std::collections::VecDeque;

/// The longest that a row waits \[steps\], about.
const HORIZON: u64 = 256;

/// A row whose trace is too small to bring anything.
const ASLEEP: u64 = u64::MAX;

/// What post-synaptic spikes have brought since rows were visited, and which rows.
#[derive(Clone, Debug)]
pub(crate) struct DeferredRows<R: PlasticityRule> {
    rule: R,
    form: Potentiation,
    held: Held,
    decay: TraceDecay,
    n_post: usize,
    self_connections: bool,
    /// The last step that was learned from.
    now: u64,
    /// The pre-synaptic traces of that step.
    trace: Vec<Real>,
    /// The step of each row's last visit.
    since: Vec<u64>,
    /// The trace of each row at that step.
    start: Vec<Real>,
    log: Log,
    sums: Sums,
    /// The next row to be looked after in turn.
    turn: usize,
    /// Scratch memory: the rows of this step.
    visits: Vec<u32>,
}

/// How the pre-synaptic trace runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TraceDecay {
    pub rate: Real,
    pub scale: Real,
    pub pairing: Pairing,
}

/// One post-synaptic spike: the target and its traces.
#[derive(Clone, Copy, Debug)]
struct Event {
    target: u32,
    post: Real,
    post_slow: Real,
}

/// The post-synaptic spikes of the last steps, oldest first, silent steps left out.
#[derive(Clone, Debug, Default)]
struct Log {
    steps: VecDeque<(u64, Vec<Event>)>,
    spare: Vec<Vec<Event>>,
}

impl Log {
    fn push(&mut self, step: u64, activity: &Activity<'_>) {
        let mut events = self.spare.pop().unwrap_or_default();
        events.clear();
        events.extend(activity.post.events().iter().map(|&target| {
            let j = target as usize;
            Event { target, post: activity.post_trace[j], post_slow: activity.post_slow[j] }
        }));
        self.steps.push_back((step, events));
    }

    /// Forgets what was up to `step`.
    fn forget(&mut self, step: u64) {
        while self.steps.front().is_some_and(|(t, _)| *t <= step) {
            self.spare.extend(self.steps.pop_front().map(|(_, events)| events));
        }
    }

    /// The steps after `step`.
    fn after(&self, step: u64) -> impl Iterator<Item = &(u64, Vec<Event>)> {
        let first = self.steps.partition_point(|(t, _)| *t <= step);
        self.steps.range(first..)
    }
}

/// What spikes since one step sum up to, for the rows that were visited at it.
#[derive(Clone, Debug)]
struct Slot {
    /// How many rows were last visited at this step.
    rows: usize,
    /// Whether a target has fired since.
    is_due: bool,
    /// One sum a target, where potentiation is proportional.
    sums: Vec<Real>,
}

/// A slot for each step since `first`, in order.
#[derive(Clone, Debug, Default)]
struct Sums {
    first: u64,
    slots: VecDeque<Slot>,
    spare: Vec<Vec<Real>>,
    /// λ^k.
    powers: Vec<Real>,
    /// Scratch memory: targets that fired, and how much a trace of 1 brings them.
    terms: Vec<(u32, Real)>,
}

impl Sums {
    fn slot(&self, step: u64) -> &Slot {
        &self.slots[(step - self.first) as usize]
    }

    fn open(&mut self, step: u64, rows: usize) {
        if self.slots.is_empty() {
            self.first = step;
        }
        self.slots.push_back(Slot { rows, is_due: false, sums: Vec::new() });
    }

    /// One row less waits since `step`.
    fn leave(&mut self, step: u64) {
        self.slots[(step - self.first) as usize].rows -= 1;
    }

    /// Forgets the oldest slots that no row waits for. Says up to which step.
    fn forget(&mut self) -> u64 {
        while self.slots.front().is_some_and(|slot| slot.rows == 0) {
            self.close_first();
        }
        self.first
    }

    fn close_first(&mut self) {
        if let Some(slot) = self.slots.pop_front() {
            self.first += 1;
            if !slot.sums.is_empty() {
                self.spare.push(slot.sums);
            }
        }
    }

    fn clear(&mut self) {
        while !self.slots.is_empty() {
            self.close_first();
        }
    }

    /// Takes `terms` up at `step`, into all slots that rows wait for.
    fn take_up(&mut self, step: u64, n_post: usize, rate: Real, workers: &Workers) {
        let Sums { first, slots, spare, powers, terms } = self;
        let oldest = (step - *first) as usize;
        if powers.is_empty() {
            powers.push(1.0);
        }
        while powers.len() <= oldest {
            // In double precision: the power must be as good as the trace that decayed so often.
            let k = powers.len() as i32;
            powers.push(libm::pow(1.0 - f64::from(rate), f64::from(k)) as Real);
        }
        let (mut live, first) = (0, *first);
        for slot in slots.iter_mut().filter(|slot| slot.rows > 0) {
            live += 1;
            if !slot.is_due {
                slot.is_due = true;
                slot.sums = spare.pop().unwrap_or_default();
                slot.sums.clear();
                slot.sums.resize(n_post, 0.0);
            }
        }
        let waiting = slots.iter_mut().enumerate().filter(|(_, slot)| slot.rows > 0);
        workers.each(live * terms.len() * 2, waiting, |(k, slot)| {
            let power = powers[(step - first) as usize - k];
            for &(j, term) in &*terms {
                slot.sums[j as usize] += power * term;
            }
        });
    }
}

impl<R: PlasticityRule> DeferredRows<R> {
    /// Whether the changes of `rule` can wait, where they are `held` within a range.
    pub fn can_follow(rule: &R, held: Held) -> bool {
        // A replay knows the slow traces of the targets only, and sums hold a range only if all terms have one sign.
        rule.slow_traces().is_none()
            || (rule.potentiation() == Potentiation::Proportional && held == Held::FREE)
    }

    /// Rows that wait for nothing yet.
    pub fn new(n_pre: usize, n_post: usize, self_connections: bool, rule: &R) -> Self {
        DeferredRows {
            rule: rule.clone(),
            form: rule.potentiation(),
            held: Held::FREE,
            decay: TraceDecay { rate: 0.0, scale: 0.0, pairing: Pairing::All },
            n_post,
            self_connections,
            now: 0,
            trace: vec![0.0; n_pre],
            since: vec![ASLEEP; n_pre],
            start: vec![0.0; n_pre],
            log: Log::default(),
            sums: Sums::default(),
            turn: 0,
            visits: Vec::new(),
        }
    }

    /// Whether this step continues what rows wait for: it is the next, nothing was changed by hand, and the traces have
    /// done nothing but decay and take up spikes. Takes the traces over. Where it does not, all weights have to be settled
    /// before [`learn`](Self::learn).
    pub fn continues(&mut self, activity: &Activity<'_>, occasion: &Occasion, held: Held) -> bool {
        let continues = self.now != 0
            && occasion.step == self.now + 1
            && !occasion.rule_changed
            && self.held == held
            && self.decay == occasion.pre_trace;
        if continues {
            for &i in activity.pre.events() {
                let x = &mut self.trace[i as usize];
                let TraceDecay { scale, pairing, .. } = self.decay;
                *x = if pairing == Pairing::Nearest { scale } else { *x + scale };
            }
            if decayed_to(&mut self.trace, activity.pre_trace, self.decay.rate) {
                return true;
            }
        }
        self.trace.copy_from_slice(activity.pre_trace);
        false
    }

    /// Starts anew with this step: nothing waits, and all rows are to be visited.
    pub fn restart(&mut self, rule: &R, occasion: &Occasion, held: Held) {
        (self.rule, self.form) = (rule.clone(), rule.potentiation());
        (self.held, self.decay) = (held, occasion.pre_trace);
        self.sums.clear();
        self.sums.powers.clear();
        self.log.forget(u64::MAX);
        self.since.fill(ASLEEP);
        self.turn = 0;
        self.visits.clear();
        self.visits.extend(0..self.since.len() as u32);
    }

    /// Learns from the spikes of a step that [`continues`](Self::continues), or after a [`restart`](Self::restart).
    pub fn learn(
        &mut self,
        rule: &R,
        weights: &mut [Real],
        activity: &Activity<'_>,
        step: u64,
        workers: &Workers,
    ) {
        self.now = step;
        if self.visits.is_empty() {
            self.choose_visits(activity.pre.events());
        }
        let visits = std::mem::take(&mut self.visits);
        let fired = activity.post.events();
        let each = self.n_post * if matches!(self.form, Potentiation::Any { .. }) { 4 } else { 1 };
        let rows = Rows { visits: visits.iter(), next: 0, left: weights, n_post: self.n_post };
        workers.each(visits.len() * each / 2, rows, |(i, row)| {
            self.catch_up(i, row);
            self.learn_now(rule, i, row, activity);
            if !self.self_connections {
                row[i] = 0.0;
            }
        });
        if !fired.is_empty() {
            self.note(activity, workers);
        }
        let mut waiting = 0;
        for &i in &visits {
            let i = i as usize;
            if self.since[i] != ASLEEP {
                self.sums.leave(self.since[i]);
            }
            waiting += usize::from(self.wait(i));
        }
        self.sums.open(step, waiting);
        let settled = self.sums.forget();
        self.log.forget(settled);
        self.visits = visits;
        self.visits.clear();
    }

    /// Rows whose neuron fired, and those whose turn it is and that have waited for long, ascending.
    fn choose_visits(&mut self, fired: &[u32]) {
        let n_pre = self.since.len();
        let horizon = match self.form {
            Potentiation::Any { .. } => HORIZON,
            // A spike has to be taken up for every step at which rows wait.
            _ => (n_pre as u64 / 32).next_power_of_two().clamp(16, HORIZON),
        };
        let turns = n_pre.div_ceil(horizon as usize);
        self.visits.extend_from_slice(fired);
        for _ in 0..turns {
            let i = self.turn;
            self.turn = (self.turn + 1) % n_pre.max(1);
            if self.since[i] != ASLEEP && self.since[i] + horizon / 2 < self.now {
                self.visits.push(i as u32);
            }
        }
        self.visits.sort_unstable();
        self.visits.dedup();
    }

    /// Lets row i wait from now on, unless its trace is too small. Says whether it waits.
    fn wait(&mut self, i: usize) -> bool {
        let x = self.trace[i];
        let small = match self.form {
            Potentiation::Any { silent_below } => silent_below,
            // What it would bring is lost in the weight's rounding.
            _ => Real::EPSILON * Real::EPSILON * self.decay.scale.abs(),
        };
        let waits = x.abs() > small || x.is_nan();
        (self.since[i], self.start[i]) = (if waits { self.now } else { ASLEEP }, x);
        waits
    }

    fn is_row_due(&self, i: usize) -> bool {
        self.since[i] != ASLEEP && self.since[i] != self.now && self.sums.slot(self.since[i]).is_due
    }

    /// Brings row i to where it stood after the last step that was noted.
    fn catch_up(&self, i: usize, row: &mut [Real]) {
        if self.since[i] == ASLEEP {
            return;
        }
        let (since, x) = (self.since[i], self.start[i]);
        let slot = self.sums.slot(since);
        if !slot.is_due {
            return;
        }
        match self.form {
            Potentiation::Any { silent_below } => self.replay(since, x, silent_below, row),
            Potentiation::Proportional => {
                add_sums(row, x, &slot.sums, Real::NEG_INFINITY, Real::INFINITY, self.held);
            }
            Potentiation::ProportionalBetween(min, max) => {
                let mut leaving = Vec::new();
                if any_leaves(row, x, &slot.sums, min, max) {
                    // The spike that brings a weight to the end of its range is the last that acts on it.
                    for (j, (&w, sum)) in row.iter().zip(&slot.sums).enumerate() {
                        let changed = w + x * *sum;
                        if w > min && w < max && !(changed > min && changed < max) {
                            leaving.push((j, self.replay_one(since, x, j, w)));
                        }
                    }
                }
                add_sums(row, x, &slot.sums, min, max, self.held);
                leaving.into_iter().for_each(|(j, w)| row[j] = w);
            }
        }
    }

    /// Every spike since step `since` in turn, on a row whose trace was x then.
    fn replay(&self, since: u64, x: Real, silent_below: Real, row: &mut [Real]) {
        let mut trace = Decaying { x, at: since, rate: self.decay.rate };
        for (step, events) in self.log.after(since) {
            let pre = trace.at(*step);
            if pre.abs() <= silent_below {
                break;
            }
            for event in events {
                let w = &mut row[event.target as usize];
                *w = self.held.hold(*w + self.rule.on_post_spike(*w, event.traces(pre)));
            }
        }
    }

    /// The spikes of target j alone.
    fn replay_one(&self, since: u64, x: Real, j: usize, mut w: Real) -> Real {
        let mut trace = Decaying { x, at: since, rate: self.decay.rate };
        for (step, events) in self.log.after(since) {
            if let Ok(k) = events.binary_search_by_key(&(j as u32), |event| event.target) {
                let traces = events[k].traces(trace.at(*step));
                w = self.held.hold(w + self.rule.on_post_spike(w, traces));
            }
        }
        w
    }

    /// What the spikes of this step do to row i.
    fn learn_now(&self, rule: &R, i: usize, row: &mut [Real], activity: &Activity<'_>) {
        let (fired, post, slow) = (activity.post.events(), activity.post_trace, activity.post_slow);
        let pre = (activity.pre_trace[i], activity.pre_slow[i]);
        let mut changes = InPlace { weights: row, held: self.held };
        if activity.pre.mask()[i] && rule.learns_at_pre_spikes() {
            match fired {
                [] => depress_row(rule, &mut changes, 0, pre, post, slow),
                _ => learn_row(rule, &mut changes, 0, pre, post, slow, activity.post.mask()),
            }
            return;
        }
        for &j in fired {
            let j = j as usize;
            let w = &mut changes.weights[j];
            *w = self.held.hold(*w + rule.on_post_spike(*w, activity.traces(i, j)));
        }
    }

    /// Notes the post-synaptic spikes of this step, for all rows that wait.
    fn note(&mut self, activity: &Activity<'_>, workers: &Workers) {
        let weight = match self.form {
            Potentiation::Proportional => 0.0,
            Potentiation::ProportionalBetween(min, max) => min + (max - min) * 0.5,
            Potentiation::Any { .. } => {
                self.sums.slots.iter_mut().for_each(|slot| slot.is_due |= slot.rows > 0);
                self.log.push(self.now, activity);
                return;
            }
        };
        self.sums.terms.clear();
        self.sums.terms.extend(activity.post.events().iter().map(|&j| {
            let (post, post_slow) = (activity.post_trace[j as usize], activity.post_slow[j as usize]);
            let traces = Traces { pre: 1.0, post, pre_slow: 0.0, post_slow };
            (j, self.rule.on_post_spike(weight, traces))
        }));
        self.sums.take_up(self.now, self.n_post, self.decay.rate, workers);
        if self.form != Potentiation::Proportional {
            self.log.push(self.now, activity);
        }
    }
}

impl<R: PlasticityRule> Pending for DeferredRows<R> {
    fn is_due(&self) -> bool {
        self.sums.slots.iter().any(|slot| slot.rows > 0 && slot.is_due)
    }

    fn are_current(&self, rows: &[u32]) -> bool {
        rows.iter().all(|&i| !self.is_row_due(i as usize))
    }

    fn settle(&self, values: &mut [Real]) {
        for (i, row) in values.chunks_mut(self.n_post).enumerate() {
            self.catch_up(i, row);
            if !self.self_connections {
                row[i] = 0.0;
            }
        }
    }

    fn settled(&mut self) {
        self.sums.clear();
        self.log.forget(u64::MAX);
        let waiting = (0..self.since.len()).filter(|&i| self.wait(i)).count();
        self.sums.open(self.now, waiting);
    }

    fn copy(&self) -> Box<dyn Pending> {
        Box::new(self.clone())
    }
}

impl Event {
    /// The traces of a synapse from a neuron with the trace `pre`. Rules with slow traces are not replayed.
    #[inline(always)]
    fn traces(&self, pre: Real) -> Traces {
        Traces { pre, post: self.post, pre_slow: pre, post_slow: self.post_slow }
    }
}

/// A trace on its way, decaying step by step as the trace itself did.
struct Decaying {
    x: Real,
    at: u64,
    rate: Real,
}

impl Decaying {
    fn at(&mut self, step: u64) -> Real {
        while self.at < step {
            self.x -= self.x * self.rate;
            self.at += 1;
        }
        self.x
    }
}

/// The visited rows of a matrix, one after the other.
struct Rows<'a> {
    visits: std::slice::Iter<'a, u32>,
    next: usize,
    left: &'a mut [Real],
    n_post: usize,
}

impl<'a> Iterator for Rows<'a> {
    type Item = (usize, &'a mut [Real]);

    fn next(&mut self) -> Option<Self::Item> {
        let i = *self.visits.next()? as usize;
        let skipped = (i - self.next) * self.n_post;
        let (row, left) = std::mem::take(&mut self.left)[skipped..].split_at_mut(self.n_post);
        (self.left, self.next) = (left, i + 1);
        Some((i, row))
    }
}
