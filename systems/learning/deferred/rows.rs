//! Rows that wait for what post-synaptic spikes bring.

use super::super::{Activity, Occasion, PlasticityRule, Potentiation, Traces};
use super::course::{Course, both_at};
use super::sums::Sums;
use super::{ASLEEP, HORIZON, Log, Rows, learn_now};
use crate::Real;
use crate::kernels::rows::{add_sums, any_leaves};
use crate::weights::{Held, Pending};
use crate::workers::Workers;

/// What post-synaptic spikes have brought since rows were visited, and which rows.
#[derive(Clone, Debug)]
pub(crate) struct DeferredRows<R: PlasticityRule> {
    rule: R,
    form: Potentiation,
    course: Course,
    n_post: usize,
    self_connections: bool,
    /// The step of each row's last visit, or `ASLEEP` where its trace is too small to bring anything.
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
            course: Course::new(n_pre),
            n_post,
            self_connections,
            since: vec![ASLEEP; n_pre],
            start: vec![0.0; n_pre],
            log: Log::default(),
            sums: Sums::default(),
            turn: 0,
            visits: Vec::new(),
        }
    }

    /// One step of learning.
    pub fn step(
        &mut self,
        rule: &R,
        weights: &mut [Real],
        activity: &Activity<'_>,
        occasion: &Occasion,
        held: Held,
        workers: &Workers,
    ) {
        self.visits.clear();
        if self.course.goes_on(activity, occasion, held) {
            self.course.now = occasion.step;
            self.choose_visits(activity.pre.events());
        } else {
            // All rows take what they have missed so far under what was valid then, and begin to wait with this step.
            self.settle(weights, &mut []);
            self.course.start(activity, occasion, held);
            self.course.now = occasion.step;
            (self.rule, self.form) = (rule.clone(), rule.potentiation());
            self.sums = Sums::default();
            self.log.forget(u64::MAX);
            self.since.fill(ASLEEP);
            self.visits.extend(0..self.since.len() as u32);
        }
        self.learn(rule, weights, activity, workers);
    }

    /// Visits the rows that were chosen, and notes what the others have to wait for.
    fn learn(&mut self, rule: &R, weights: &mut [Real], activity: &Activity<'_>, workers: &Workers) {
        let visits = std::mem::take(&mut self.visits);
        let fired = activity.post.events();
        let replays = match self.form {
            // As many as come in by the step.
            Potentiation::Any { .. } => fired.len() * self.since.len(),
            _ => 0,
        };
        let work = visits.len() * self.n_post / 5 + replays;
        workers.each(work, Rows::new(weights, self.n_post, &visits), |(i, row)| {
            self.catch_up(i, row);
            learn_now(rule, i, row, self.course.held, activity);
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
        self.sums.open(self.course.now, waiting);
        let settled = self.sums.forget();
        self.log.forget(settled);
        self.visits = visits;
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
            if self.since[i] != ASLEEP && self.since[i] + horizon / 2 < self.course.now {
                self.visits.push(i as u32);
            }
        }
        self.visits.sort_unstable();
        self.visits.dedup();
    }

    /// Lets row i wait from now on, unless its trace is too small. Says whether it waits.
    fn wait(&mut self, i: usize) -> bool {
        let x = self.course.trace.values[i];
        let small = match self.form {
            Potentiation::Any { silent_below } => silent_below,
            // What it would bring is lost in the weight's rounding.
            _ => Real::EPSILON * Real::EPSILON * self.course.trace.decay.scale.abs(),
        };
        let waits = x.abs() > small || x.is_nan();
        (self.since[i], self.start[i]) = (if waits { self.course.now } else { ASLEEP }, x);
        waits
    }

    fn is_row_due(&self, i: usize) -> bool {
        self.since[i] != ASLEEP && self.since[i] != self.course.now && self.sums.slot(self.since[i]).is_due
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
                add_sums(row, x, &slot.sums, Real::NEG_INFINITY, Real::INFINITY, self.course.held);
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
                add_sums(row, x, &slot.sums, min, max, self.course.held);
                leaving.into_iter().for_each(|(j, w)| row[j] = w);
            }
        }
    }

    /// Every spike since step `since` in turn, on a row whose trace was x then.
    fn replay(&self, since: u64, x: Real, silent_below: Real, row: &mut [Real]) {
        let mut traces = self.course.since([x, x], since);
        for (step, events) in self.log.after(since) {
            let pre = both_at(&mut traces, *step);
            if pre[0].abs() <= silent_below {
                break;
            }
            for event in events {
                let w = &mut row[event.target as usize];
                *w = self.course.held.hold(*w + self.rule.on_post_spike(*w, event.traces(pre)));
            }
        }
    }

    /// The spikes of target j alone.
    fn replay_one(&self, since: u64, x: Real, j: usize, mut w: Real) -> Real {
        let mut traces = self.course.since([x, x], since);
        for (step, events) in self.log.after(since) {
            if let Ok(k) = events.binary_search_by_key(&(j as u32), |event| event.target) {
                let traces = events[k].traces(both_at(&mut traces, *step));
                w = self.course.held.hold(w + self.rule.on_post_spike(w, traces));
            }
        }
        w
    }

    /// Notes the post-synaptic spikes of this step, for all rows that wait.
    fn note(&mut self, activity: &Activity<'_>, workers: &Workers) {
        let weight = match self.form {
            Potentiation::Proportional => 0.0,
            Potentiation::ProportionalBetween(min, max) => min + (max - min) * 0.5,
            Potentiation::Any { .. } => {
                self.sums.slots.iter_mut().for_each(|slot| slot.is_due |= slot.rows > 0);
                self.log.push(self.course.now, activity);
                return;
            }
        };
        self.sums.terms.clear();
        self.sums.terms.extend(activity.post.events().iter().map(|&j| {
            let (post, post_slow) = (activity.post_trace[j as usize], activity.post_slow[j as usize]);
            let traces = Traces { pre: 1.0, post, pre_slow: 0.0, post_slow };
            (j, self.rule.on_post_spike(weight, traces))
        }));
        self.sums.take_up(self.course.now, self.n_post, self.course.trace.decay.rate, workers);
        if self.form != Potentiation::Proportional {
            self.log.push(self.course.now, activity);
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

    fn settle(&self, values: &mut [Real], _: &mut [Real]) {
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
        self.sums.open(self.course.now, waiting);
    }

    fn copy(&self) -> Box<dyn Pending> {
        Box::new(self.clone())
    }
}
