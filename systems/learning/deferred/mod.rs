//! Rows of dense weights that wait: a post-synaptic spike is noted, not carried to all its synapses.
//!
//! A row is visited when its pre-synaptic neuron fires, for its weights are needed then, and every so often besides.
//! Between two visits its pre-synaptic trace only decays, so what the row has missed follows from the trace at its last
//! visit and the post-synaptic spikes since. Those are kept in two ways. The [`Log`] has them one by one, to be replayed on
//! the row. For rules whose potentiation is proportional to the trace, [`Sums`](sums::Sums) has for each step t0 at which
//! rows were visited, and each target j, the sum of λ^(s − t0) over the spikes of j at steps s since: a row then takes all
//! that it has missed in one pass, `w ← w + x(t0)·sum`. (Sums that are anchored at t0 have only terms of one sign and below
//! 1: nothing cancels, nothing has to be rebased.)
//!
//! Behind a reward all weights move at each step. A row then takes the dopamine that it has missed in one go too. Kinds of
//! connectivity that visit each synapse at each spike anyhow wait for dopamine alone ([`WaitingSynapses`]).
//!
//! Where weights are summed at each step, for normalization, the sums are kept ([`SummedSynapses`]).

mod blocks;
mod course;
mod edges;
mod fans;
mod rewarded;
mod rows;
mod summed;
mod sums;
mod synapses;

pub(crate) use course::TraceDecay;
pub(crate) use fans::Summed;
pub(crate) use rewarded::RewardedRows;
pub(crate) use rows::DeferredRows;
pub(crate) use summed::SummedSynapses;
pub use synapses::Rewarded;
pub(crate) use synapses::WaitingSynapses;

use super::{Activity, InPlace, PlasticityRule, Traces};
use crate::Real;
use crate::kernels::rows::{depress_row, learn_row};
use crate::weights::Held;
use std::collections::VecDeque;

/// The longest that a row waits \[steps\], about.
const HORIZON: u64 = 256;

/// A row that nothing can reach but a spike of its own.
const ASLEEP: u64 = u64::MAX;

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

impl Event {
    /// The traces of a synapse from a neuron with the trace and the slow trace `pre`.
    #[inline(always)]
    fn traces(&self, [pre, pre_slow]: [Real; 2]) -> Traces {
        Traces { pre, post: self.post, pre_slow, post_slow: self.post_slow }
    }
}

/// The visited rows of a matrix, one after the other.
struct Rows<'a> {
    visits: std::slice::Iter<'a, u32>,
    next: usize,
    left: &'a mut [Real],
    n_post: usize,
}

impl<'a> Rows<'a> {
    fn new(weights: &'a mut [Real], n_post: usize, visits: &'a [u32]) -> Self {
        Rows { visits: visits.iter(), next: 0, left: weights, n_post }
    }
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

/// What the spikes of this step do to row i of the weights.
fn learn_now<R: PlasticityRule>(rule: &R, i: usize, row: &mut [Real], held: Held, activity: &Activity<'_>) {
    /// So few targets are looked after one by one.
    const FEW: usize = 32;

    let (fired, post, slow) = (activity.post.events(), activity.post_trace, activity.post_slow);
    if !activity.pre.mask()[i] || !rule.learns_at_pre_spikes() {
        for &j in fired {
            let w = &mut row[j as usize];
            *w = held.hold(*w + rule.on_post_spike(*w, activity.traces(i, j as usize)));
        }
        return;
    }
    let pre = (activity.pre_trace[i], activity.pre_slow[i]);
    if fired.len() > FEW.min(row.len() / 8) {
        learn_row(rule, &mut InPlace { weights: row, held }, 0, pre, post, slow, activity.post.mask());
        return;
    }
    let mut both = [0.0; FEW];
    for (w, &j) in both.iter_mut().zip(fired) {
        // Both sides fired: both changes follow from the weight as it stood.
        let (before, traces) = (row[j as usize], activity.traces(i, j as usize));
        *w = held.hold(before + (rule.on_pre_spike(before, traces) + rule.on_post_spike(before, traces)));
    }
    depress_row(rule, &mut InPlace { weights: row, held }, 0, pre, post, slow);
    for (w, &j) in both.iter().zip(fired) {
        row[j as usize] = *w;
    }
}
