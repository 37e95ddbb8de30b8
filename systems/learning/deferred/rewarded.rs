//! Rows behind a reward, which wait for dopamine and for what post-synaptic spikes note in their eligibility.
//!
//! Let c be the eligibility and w the weight at the last visit, at step t0, and μ what the eligibility keeps of itself each
//! step. With ĉ = μ^(t0 − t)·c and G(t) = Σ μ^(r − t0)·D_r over the steps t0 < r ≤ t, the weight is w + ĉ·G(t) at any step t.
//! A spike that notes e at step s changes ĉ by δ = μ^(t0 − s)·e, and w by −δ·G(s − 1), so that the dopamine of earlier
//! steps does not act on it. So a row costs something for each spike that it has missed, whatever the number of steps.
//!
//! Clipping acts at each step, and what it takes off stays in the eligibility. Where the way of a weight since t0 keeps
//! clear of both edges, as `(|c| + Σ|δ|)·Σ μ^(r − t0)·|D_r|` tells, it never acted; the other weights take the steps one by
//! one, as they would have.

use super::super::{Activity, Occasion, PlasticityRule, Potentiation, Reward};
use super::course::{Course, Decaying, both_at};
use super::{ASLEEP, HORIZON, Log, Rows};
use crate::Real;
use crate::kernels::rows::{
    any_normal, apply_rewards, near_edges, replay_silent_step, reward_row, reward_silent_row,
};
use crate::weights::{Held, Pending};
use crate::workers::Workers;
use std::collections::VecDeque;

/// What post-synaptic spikes and dopamine have brought since rows were visited, and which rows.
#[derive(Clone, Debug)]
pub(crate) struct RewardedRows<R: PlasticityRule> {
    rule: R,
    /// Which part of the eligibility decays each step.
    decay: Real,
    course: Course,
    n_post: usize,
    self_connections: bool,
    /// The step of each row's last visit, or `ASLEEP` where nothing is eligible and its trace is too small to bring anything.
    since: Vec<u64>,
    /// The trace and the slow trace of each row at that step.
    start: Vec<[Real; 2]>,
    log: Log,
    /// The dopamine of the last steps, and the last of them.
    dopamine: VecDeque<Real>,
    last: u64,
    /// The next row to be looked after in turn.
    turn: usize,
    /// Scratch memory: the rows of this step, and whether anything is eligible in each.
    visits: Vec<u32>,
    eligible: Vec<bool>,
}

/// A little more than the way of a weight can be, for it is computed with rounding.
const MARGIN: Real = 1.001;

/// Beyond one weight in so many near an edge, the whole row takes the steps one by one.
const MANY: usize = 16;

/// What a step since the last visit does to an eligibility that is kept as it was then.
struct Passed {
    /// G up to this step.
    sum: Real,
    /// μ^−k, k steps after the visit.
    growth: Real,
    /// μ^k.
    kept: Real,
}

/// How long rows may wait where `decay` of the eligibility decays each step: growth has to stay small.
fn horizon(decay: Real) -> u64 {
    ((4.0 / 3.0 / decay) as u64).min(HORIZON)
}

impl<R: PlasticityRule> RewardedRows<R> {
    /// Whether changes can wait, where `decay` of the eligibility decays each step. One that lasts no longer than a row
    /// could wait is as well looked after at each step.
    pub fn can_follow(decay: Real) -> bool {
        horizon(decay) >= 2
    }

    /// Rows that wait for nothing yet.
    pub fn new(n_pre: usize, n_post: usize, self_connections: bool, rule: &R) -> Self {
        RewardedRows {
            rule: rule.clone(),
            decay: 0.0,
            course: Course::new(n_pre),
            n_post,
            self_connections,
            since: vec![0; n_pre],
            start: vec![[0.0; 2]; n_pre],
            log: Log::default(),
            dopamine: VecDeque::new(),
            last: 0,
            turn: 0,
            visits: Vec::new(),
            eligible: Vec::new(),
        }
    }

    /// One step of learning.
    #[allow(clippy::too_many_arguments)]
    pub fn step(
        &mut self,
        rule: &R,
        (weights, eligibility): (&mut [Real], &mut [Real]),
        activity: &Activity<'_>,
        reward: Reward,
        occasion: &Occasion,
        held: Held,
        workers: &Workers,
    ) {
        self.visits.clear();
        if self.course.goes_on(activity, occasion, held) && self.decay == reward.decay {
            self.choose_visits(activity.pre.events());
        } else {
            // All rows take what they have missed so far under what was valid then, and begin to wait with this step.
            self.settle(weights, eligibility);
            self.course.start(activity, occasion, held);
            (self.rule, self.decay) = (rule.clone(), reward.decay);
            self.log.forget(u64::MAX);
            self.dopamine.clear();
            self.last = occasion.step.saturating_sub(1);
            self.since.fill(self.last);
            self.visits.extend(0..self.since.len() as u32);
        }
        self.course.now = occasion.step;
        let visits = std::mem::take(&mut self.visits);
        let mut eligible = std::mem::take(&mut self.eligible);
        eligible.clear();
        eligible.resize(visits.len(), true);
        let teaches = activity.teaches(rule);
        // As many spikes are missed at each step as there are now, about.
        let waited = |&i: &u32| self.last.saturating_sub(self.since[i as usize]) as usize;
        let replays = activity.post.events().len() * visits.iter().map(waited).sum::<usize>();
        let rows = Rows::new(weights, self.n_post, &visits).zip(Rows::new(eligibility, self.n_post, &visits));
        let rows = rows.zip(&mut eligible);
        workers.each(visits.len() * self.n_post * 2 + replays, rows, |(((i, w), (_, c)), eligible)| {
            self.catch_up(i, w, c);
            let spikes = activity.pre.mask()[i];
            if teaches && (spikes || !activity.post.is_silent()) {
                let (pre, fired) = ((activity.pre_trace[i], activity.pre_slow[i]), activity.post.mask());
                let (post, slow) = (activity.post_trace, activity.post_slow);
                reward_row(rule, w, c, reward, held, spikes, pre, post, slow, fired);
            } else {
                reward_silent_row(w, c, reward, held);
            }
            self.clear_self(i, w, c);
            // A row that has just learned is not looked through.
            *eligible = spikes || any_normal(c);
        });
        for (&i, &eligible) in visits.iter().zip(&eligible) {
            let (i, traces) = (i as usize, self.course.traces(i as usize));
            let sleeps = !eligible && traces[0].abs() <= self.silent_below();
            (self.since[i], self.start[i]) = (if sleeps { ASLEEP } else { occasion.step }, traces);
        }
        (self.visits, self.eligible) = (visits, eligible);
        if !activity.post.is_silent() {
            self.log.push(occasion.step, activity);
        }
        self.dopamine.push_back(reward.dopamine);
        self.last = occasion.step;
        // No row waits for longer than until its turn comes once more.
        let kept = 2 * horizon(self.decay) + 2;
        self.log.forget(self.last.saturating_sub(kept));
        while self.dopamine.len() as u64 > kept {
            self.dopamine.pop_front();
        }
    }

    /// Rows whose neuron fired, and those whose turn it is and that have waited for long, ascending.
    fn choose_visits(&mut self, fired: &[u32]) {
        let (n_pre, horizon) = (self.since.len(), horizon(self.decay));
        self.visits.extend_from_slice(fired);
        for _ in 0..n_pre.div_ceil(horizon as usize) {
            let i = self.turn;
            self.turn = (self.turn + 1) % n_pre.max(1);
            if self.since[i] != ASLEEP && self.since[i] + horizon / 2 < self.last {
                self.visits.push(i as u32);
            }
        }
        self.visits.sort_unstable();
        self.visits.dedup();
    }

    /// So small a trace brings nothing more, as far as the rule tells.
    fn silent_below(&self) -> Real {
        match self.rule.potentiation() {
            Potentiation::Any { silent_below } if silent_below < 0.0 => silent_below,
            Potentiation::Any { silent_below } => silent_below.max(Real::MIN_POSITIVE),
            // What it would bring is less than an eligibility that has decayed to nothing.
            _ => Real::MIN_POSITIVE,
        }
    }

    fn clear_self(&self, i: usize, w: &mut [Real], c: &mut [Real]) {
        if !self.self_connections {
            (w[i], c[i]) = (0.0, 0.0);
        }
    }

    /// The dopamine of the steps after `since`.
    fn rewards(&self, since: u64) -> impl Iterator<Item = Real> + '_ {
        let first = self.dopamine.len() - (self.last - since) as usize;
        self.dopamine.range(first..).copied()
    }

    /// Brings row i to where it stood after the last step.
    fn catch_up(&self, i: usize, w: &mut [Real], c: &mut [Real]) {
        let since = self.since[i];
        if since >= self.last {
            return;
        }
        let mut passed = Vec::with_capacity((self.last - since) as usize + 1);
        passed.push(Passed { sum: 0.0, growth: 1.0, kept: 1.0 });
        let mut reach = 0.0;
        let (keep, mut sum, mut kept) = (1.0 - f64::from(self.decay), 0.0, 1.0);
        for dopamine in self.rewards(since).map(f64::from) {
            kept *= keep;
            sum += kept * dopamine;
            reach += kept * dopamine.abs();
            passed.push(Passed { sum: sum as Real, growth: (1.0 / kept) as Real, kept: kept as Real });
        }
        if self.rule.potentiation() == Potentiation::Proportional {
            self.catch_up_by_sums(i, (w, c), &passed, reach as Real);
            return self.clear_self(i, w, c);
        }
        let held = self.course.held;
        let before = (held != Held::FREE).then(|| (w.to_vec(), c.to_vec()));
        let mut noted = vec![[0.0; 2]; w.len()];
        let mut traces = self.traces_since(i);
        for (step, events) in self.log.after(since) {
            let (pre, k) = (both_at(&mut traces, *step), (step - since) as usize);
            let (sum, growth) = (passed[k - 1].sum, passed[k].growth);
            for event in events {
                let j = event.target as usize;
                let change = growth * self.rule.on_post_spike(w[j] + c[j] * sum, event.traces(pre));
                c[j] += change;
                w[j] -= change * sum;
                noted[j][0] += change.abs();
            }
        }
        for (w, c) in w.iter_mut().zip(&mut *c) {
            *w += sum as Real * *c;
            *c *= kept as Real;
        }
        if let Some((before_w, before_c)) = before {
            self.mind_the_edges(i, (w, c), (&before_w, &before_c), &noted, reach as Real);
        }
        self.clear_self(i, w, c);
    }

    /// As [`catch_up`](Self::catch_up) where no change depends on a weight: what spikes bring is added up aside.
    fn catch_up_by_sums(&self, i: usize, (w, c): (&mut [Real], &mut [Real]), passed: &[Passed], reach: Real) {
        let mut brought = vec![[0.0; 2]; w.len()];
        let (mut least, mut most): (Real, Real) = (0.0, 0.0);
        let [mut trace, _] = self.traces_since(i);
        for (step, events) in self.log.after(self.since[i]) {
            let k = (step - self.since[i]) as usize;
            let (at_visit, before) = (trace.at(*step) * passed[k].growth, passed[k - 1].sum);
            for event in events {
                let change = at_visit * self.rule.on_post_spike(0.0, event.traces([1.0, 0.0]));
                (least, most) = (least.min(change), most.max(change));
                let brought = &mut brought[event.target as usize];
                *brought = [brought[0] + change, brought[1] + change * before];
            }
        }
        let held = self.course.held;
        let reach = reach * MARGIN;
        let mut near = Vec::new();
        if held != Held::FREE {
            near_edges(w, c, &brought, reach, held, &mut near);
        }
        // Changes of both signs hide how far a weight has gone.
        if near.len() > w.len() / MANY || (held != Held::FREE && least < 0.0 && most > 0.0) {
            return self.replay(i, w, c);
        }
        let stepped = |&j: &u32| (j as usize, self.replay_one(i, j as usize, w[j as usize], c[j as usize]));
        let stepped: Vec<_> = near.iter().map(stepped).collect();
        if let Some(Passed { sum, kept, .. }) = passed.last() {
            apply_rewards(w, c, &brought, *sum, *kept);
        }
        for (j, (stepped_w, stepped_c)) in stepped {
            (w[j], c[j]) = (stepped_w, stepped_c);
        }
    }

    /// Puts weights that may have met an edge of their range on their way where the way step by step leads.
    fn mind_the_edges(
        &self,
        i: usize,
        (w, c): (&mut [Real], &mut [Real]),
        before: (&[Real], &[Real]),
        noted: &[[Real; 2]],
        reach: Real,
    ) {
        let held = self.course.held;
        let reach = reach * MARGIN;
        let mut near = Vec::new();
        near_edges(before.0, before.1, noted, reach, held, &mut near);
        if near.len() > w.len() / MANY {
            w.copy_from_slice(before.0);
            c.copy_from_slice(before.1);
            return self.replay(i, w, c);
        }
        for j in near.into_iter().map(|j| j as usize) {
            (w[j], c[j]) = self.replay_one(i, j, before.0[j], before.1[j]);
        }
    }

    fn traces_since(&self, i: usize) -> [Decaying; 2] {
        self.course.since(self.start[i], self.since[i])
    }

    /// All steps since the last visit of row i, one by one; in double precision, so that the row is rounded once.
    fn replay(&self, i: usize, row_w: &mut [Real], row_c: &mut [Real]) {
        let (held, since, mut traces) = (self.course.held, self.since[i], self.traces_since(i));
        let mut log = self.log.after(since).peekable();
        let double = |row: &[Real]| row.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let (mut w, mut c, keep) = (double(row_w), double(row_c), 1.0 - f64::from(self.decay));
        let mut changed = Vec::new();
        for (step, dopamine) in (since + 1..).zip(self.rewards(since).map(f64::from)) {
            changed.clear();
            if let Some((_, events)) = log.next_if(|(t, _)| *t == step) {
                let pre = both_at(&mut traces, step);
                changed.extend(events.iter().map(|event| {
                    let j = event.target as usize;
                    let change = self.rule.on_post_spike(w[j] as Real, event.traces(pre));
                    let c = c[j] * keep + f64::from(change);
                    (j, held.hold_double(w[j] + dopamine * c), c)
                }));
            }
            replay_silent_step(&mut w, &mut c, keep, dopamine, held);
            for &(j, changed_w, changed_c) in &changed {
                (w[j], c[j]) = (changed_w, changed_c);
            }
        }
        row_w.iter_mut().zip(w).for_each(|(row, w)| *row = w as Real);
        row_c.iter_mut().zip(c).for_each(|(row, c)| *row = c as Real);
    }

    /// The same for the synapse to target j alone.
    fn replay_one(&self, i: usize, j: usize, w: Real, c: Real) -> (Real, Real) {
        let (held, since, mut traces) = (self.course.held, self.since[i], self.traces_since(i));
        let mut log = self.log.after(since).peekable();
        let (mut w, mut c, keep) = (f64::from(w), f64::from(c), 1.0 - f64::from(self.decay));
        for (step, dopamine) in (since + 1..).zip(self.rewards(since).map(f64::from)) {
            c *= keep;
            if let Some((_, events)) = log.next_if(|(t, _)| *t == step)
                && let Ok(k) = events.binary_search_by_key(&(j as u32), |event| event.target)
            {
                c += f64::from(
                    self.rule.on_post_spike(w as Real, events[k].traces(both_at(&mut traces, step))),
                );
            }
            w = held.hold_double(w + dopamine * c);
        }
        (w as Real, c as Real)
    }
}

impl<R: PlasticityRule> Pending for RewardedRows<R> {
    fn is_due(&self) -> bool {
        self.since.iter().any(|since| *since < self.last)
    }

    fn are_current(&self, rows: &[u32]) -> bool {
        rows.iter().all(|&i| self.since[i as usize] >= self.last)
    }

    fn settle(&self, values: &mut [Real], eligibility: &mut [Real]) {
        let rows = values.chunks_mut(self.n_post).zip(eligibility.chunks_mut(self.n_post));
        rows.enumerate().for_each(|(i, (w, c))| self.catch_up(i, w, c));
    }

    fn settled(&mut self) {
        self.since.fill(self.last);
        for (i, start) in self.start.iter_mut().enumerate() {
            *start = self.course.traces(i);
        }
    }

    fn copy(&self) -> Box<dyn Pending> {
        Box::new(self.clone())
    }
}
