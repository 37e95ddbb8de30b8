//! Every neuron of the source reaches every neuron of the target.

use super::connectivity::{learn_summed, waits_summed};
use super::{Connectivity, PlasticSynapses, Site, Synapses, Weighted};
use crate::Real;
use crate::error::Result;
use crate::fire::SpikeSet;
use crate::kernels::rows::{add_rows, depress_row, learn_row, reward_row, reward_silent_row};
use crate::learning::{
    Activity, Changes, DeferredRows, Occasion, PlasticityRule, Reward, RewardedRows, WaitingSynapses,
};
use crate::weights::{FanIn, Given, Weights};
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use std::iter::StepBy;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// All-to-all synapses: the current at j is the sum of `w[i, j]` over the spiking i.
///
/// Weights have the shape (pre, post). A step costs one row of weights a spike; where more than three quarters of the
/// sources fire, and the weights stand, one row a source that does not.
#[doc(alias = "Simple")]
#[doc(alias = "SimpleDendriticInput")]
#[doc(alias = "all_to_all")]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[require(Weighted)]
pub struct Dense;

/// The weights of a dense projection, row by row.
#[derive(Component, Clone, Debug)]
pub struct DenseSynapses {
    n_post: usize,
    weights: Weights,
    /// Whether the diagonal stands for synapses.
    self_connections: bool,
    totals: Totals,
}

/// What each target would receive if all sources fired, kept while the weights stand: where most of them fire, less is
/// read to take the silent ones off.
#[derive(Debug, Default)]
struct Totals(Mutex<(Option<u64>, Vec<Real>)>);

impl Clone for Totals {
    fn clone(&self) -> Self {
        Totals::default()
    }
}

/// Targets that one task adds up: a cache line's multiple, and small enough to share a population among threads.
const COLUMNS: usize = 512;

/// How many rows ahead the weights to targets that fired are fetched.
const AHEAD: usize = 2;

/// Weights that one task of a learning step looks after, about.
const WEIGHTS_PER_TASK: usize = 1 << 15;

impl Connectivity for Dense {
    type Synapses = DenseSynapses;
    const LEAVES_OUT_SELF: bool = true;

    fn connect(&self, site: &Site<'_>) -> Result<DenseSynapses> {
        let (n_pre, n_post) = (site.pre.len(), site.post.len());
        let synapses = n_pre as u128 * n_post as u128;
        if let Some(given) = site.weights.given_shape().filter(|given| *given != [n_pre, n_post]) {
            return Err(site.weight_shape("Dense", &[n_pre, n_post], &given));
        }
        let mut weights = site.zeros("Dense", synapses)?;
        if let Some(Given::Sparse(triplets)) = site.weights.given() {
            let values = weights.values_mut();
            triplets.iter().for_each(|&(i, j, w)| values[i as usize * n_post + j as usize] = w);
        }
        let (self_connections, totals) = (site.self_connections, Totals::default());
        Ok(DenseSynapses { n_post, weights, self_connections, totals })
    }
}

impl Synapses for DenseSynapses {
    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn weights_mut(&mut self) -> &mut Weights {
        &mut self.weights
    }

    fn shape(&self) -> Vec<usize> {
        vec![self.weights.len() / self.n_post, self.n_post]
    }

    fn deliver(&self, weights: &[Real], pre: &SpikeSet, current: &mut [Real], workers: &Workers) {
        let add = |current: &mut [Real], events: &[u32]| {
            let tasks = current.chunks_mut(COLUMNS).enumerate();
            workers.each(events.len() * self.n_post / 5, tasks, |(k, current)| {
                add_rows(current, weights, self.n_post, k * COLUMNS, events);
            });
        };
        let n_pre = pre.mask().len();
        if (n_pre - pre.events().len()) * 4 >= n_pre || !self.weights.are_stored(weights) {
            return add(current, pre.events());
        }
        let mut totals = self.totals.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, sums) = &mut *totals;
        if *version == Some(self.weights.version()) {
            if sums.is_empty() {
                sums.resize(self.n_post, 0.0);
                add(sums, &(0..n_pre as u32).collect::<Vec<_>>());
            }
            let silent: Vec<u32> = (0..n_pre as u32).filter(|&i| !pre.mask()[i as usize]).collect();
            add(current, &silent);
            for (current, sum) in current.iter_mut().zip(&*sums) {
                *current = sum - *current;
            }
        } else {
            // Weights that have just changed will probably change again: nothing is summed up before they stand.
            *version = Some(self.weights.version());
            sums.clear();
            drop(totals);
            add(current, pre.events());
        }
    }

    fn fan_in(&self) -> FanIn {
        FanIn::Columns(self.n_post)
    }

    /// The diagonal, where it stands for no synapses.
    fn absent(&self) -> StepBy<Range<usize>> {
        let end = if self.self_connections { 0 } else { self.weights.len() };
        (0..end).step_by(self.n_post + 1)
    }
}

impl PlasticSynapses for DenseSynapses {
    const WAITS: bool = true;
    /// A row is one piece of memory, a column as many as there are rows.
    const COSTS: [f64; 2] = [1.5, 16.0];

    fn learn<R: PlasticityRule, C: Changes>(
        &mut self,
        changes: C,
        rule: &R,
        activity: &Activity<'_>,
        workers: &Workers,
    ) {
        learn_rows(changes, self.n_post, rule, activity, workers);
    }

    /// Post-synaptic spikes wait until their rows are needed.
    fn learn_step<R: PlasticityRule>(
        &mut self,
        rule: &R,
        activity: &Activity<'_>,
        occasion: &Occasion,
        workers: &Workers,
    ) {
        if activity.teaches(rule) && waits_summed(self, activity, occasion, None) {
            return learn_summed(self, rule, activity, None, occasion, workers);
        }
        let held = self.weights.held();
        if occasion.is_summed || !DeferredRows::can_follow(rule, held) {
            if activity.teaches(rule) {
                learn_rows(self.weights.in_place(), self.n_post, rule, activity, workers);
                for k in self.absent() {
                    self.weights.stored_mut()[k] = 0.0;
                }
            }
            return;
        }
        let (n_pre, n_post) = (activity.pre.mask().len(), self.n_post);
        let mut rows = self
            .weights
            .take_pending()
            .unwrap_or_else(|| DeferredRows::new(n_pre, n_post, self.self_connections, rule).into());
        rows.step(rule, self.weights.stored_mut(), activity, occasion, held, workers);
        self.weights.give_pending(rows);
        if activity.teaches(rule) {
            self.weights.note_change();
        }
    }

    /// Dopamine and post-synaptic spikes wait until their rows are needed. Where an eligibility lasts no longer than a row could
    /// wait, dopamine waits alone. The eligibility is kept with the weights.
    fn learn_step_for_reward<R: PlasticityRule>(
        &mut self,
        rule: &R,
        activity: &Activity<'_>,
        c: &mut Vec<Real>,
        reward: Reward,
        occasion: &Occasion,
        workers: &Workers,
    ) {
        self.weights.take_eligibility(c);
        if waits_summed(self, activity, occasion, Some(reward)) {
            return learn_summed(self, rule, activity, Some(reward), occasion, workers);
        }
        let (n_pre, n_post, held) = (activity.pre.mask().len(), self.n_post, self.weights.held());
        let rows_wait = RewardedRows::<R>::can_follow(reward.decay);
        if !occasion.is_summed && !rows_wait {
            let absent = self.absent();
            WaitingSynapses::step(&mut self.weights, reward, activity, |changes| {
                learn_rows(changes, n_post, rule, activity, workers);
            });
            let (weights, eligibility) = self.weights.stored_with_eligibility();
            absent.for_each(|k| (weights[k], eligibility[k]) = (0.0, 0.0));
            return;
        }
        if occasion.is_summed {
            let is_silent = !activity.teaches(rule);
            if !self.weights.anything_eligible(is_silent) {
                return;
            }
            self.reward_all_rows(rule, activity, reward, workers);
            self.weights.look_for_eligibility(is_silent, occasion);
        } else {
            let mut rows = self
                .weights
                .take_pending()
                .unwrap_or_else(|| RewardedRows::new(n_pre, n_post, self.self_connections, rule).into());
            let (weights, eligibility) = self.weights.stored_with_eligibility();
            rows.step(rule, (weights, eligibility), activity, reward, occasion, held, workers);
            self.weights.give_pending(rows);
        }
        if reward.dopamine != 0.0 {
            self.weights.note_change();
        }
    }
}

impl DenseSynapses {
    /// One pass over weights and eligibility.
    fn reward_all_rows<R: PlasticityRule>(
        &mut self,
        rule: &R,
        activity: &Activity<'_>,
        reward: Reward,
        workers: &Workers,
    ) {
        let (n_post, held, teaches) = (self.n_post, self.weights.held(), activity.teaches(rule));
        let (slow, fired) = (activity.post_slow, activity.post.mask());
        let per_task = WEIGHTS_PER_TASK.div_ceil(n_post);
        let (weights, eligibility) = self.weights.stored_with_eligibility();
        let tasks = weights.chunks_mut(per_task * n_post).zip(eligibility.chunks_mut(per_task * n_post));
        workers.each(activity.pre.mask().len() * n_post / 4, tasks.enumerate(), |(k, (weights, c))| {
            let rows = weights.chunks_mut(n_post).zip(c.chunks_mut(n_post));
            for (i, (w, c)) in (k * per_task..).zip(rows) {
                let spikes = activity.pre.mask()[i];
                if teaches && (spikes || !activity.post.is_silent()) {
                    let (pre, post) = ((activity.pre_trace[i], activity.pre_slow[i]), activity.post_trace);
                    reward_row(rule, w, c, reward, held, spikes, pre, post, slow, fired);
                } else {
                    reward_silent_row(w, c, reward, held);
                }
                if !self.self_connections {
                    (w[i], c[i]) = (0.0, 0.0);
                }
            }
        });
    }
}

fn learn_rows<R: PlasticityRule, C: Changes>(
    changes: C,
    n_post: usize,
    rule: &R,
    activity: &Activity<'_>,
    workers: &Workers,
) {
    let (fired_pre, fired_post) = (activity.pre.events(), activity.post.events());
    let n_pre = activity.pre.mask().len();
    let work = fired_pre.len() * n_post / 2 + fired_post.len() * n_pre * 2;
    let rows = C::parts(work).map_or(WEIGHTS_PER_TASK / n_post, |parts| n_pre.div_ceil(parts)).max(1);
    workers.each(work, changes.chunks(rows * n_post).into_iter().enumerate(), |(k, mut changes)| {
        let (first, last) = (k * rows, ((k + 1) * rows).min(n_pre));
        if fired_post.is_empty() {
            let from = fired_pre.partition_point(|&i| (i as usize) < first);
            for &i in fired_pre[from..].iter().take_while(|&&i| (i as usize) < last) {
                let i = i as usize;
                let pre = (activity.pre_trace[i], activity.pre_slow[i]);
                let at = (i - first) * n_post;
                depress_row(rule, &mut changes, at, pre, activity.post_trace, activity.post_slow);
            }
            return;
        }
        for i in first..last {
            let row = (i - first) * n_post;
            if i + AHEAD < last {
                let ahead = row + AHEAD * n_post;
                fired_post.iter().for_each(|&j| changes.prefetch(ahead + j as usize));
            }
            if activity.pre.mask()[i] && (rule.learns_at_pre_spikes() || C::VISITS_ALL) {
                let pre = (activity.pre_trace[i], activity.pre_slow[i]);
                let (post, slow, fired) = (activity.post_trace, activity.post_slow, activity.post.mask());
                learn_row(rule, &mut changes, row, pre, post, slow, fired);
            } else {
                for &j in fired_post {
                    let traces = activity.traces(i, j as usize);
                    changes.change(row + j as usize, j as usize, |w| rule.on_post_spike(w, traces));
                }
            }
        }
    });
}
