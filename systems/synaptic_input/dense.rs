//! Every neuron of the source reaches every neuron of the target.

use super::{Connectivity, PlasticSynapses, Site, Synapses, Weighted};
use crate::Real;
use crate::error::Result;
use crate::fire::SpikeSet;
use crate::kernels::decay::{add, multiply};
use crate::kernels::rows::{add_rows, learn_row};
use crate::learning::{Activity, Aside, Changes, InPlace, PlasticityRule};
use crate::weights::{Given, Weights};
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// All-to-all synapses: the current at j is the sum of `w[i, j]` over the spiking i.
///
/// Weights have the shape (pre, post). A step costs one row of weights a spike.
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
}

/// Targets that one task adds up: a cache line's multiple, and small enough to share a population among threads.
const COLUMNS: usize = 512;

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
        Ok(DenseSynapses { n_post, weights, self_connections: site.self_connections })
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
        vec![self.weights.values().len() / self.n_post, self.n_post]
    }

    fn deliver(&self, pre: &SpikeSet, current: &mut [Real], workers: &Workers) {
        let work = pre.events().len() * self.n_post / 4;
        workers.each(work, current.chunks_mut(COLUMNS).enumerate(), |(k, current)| {
            add_rows(current, self.weights.values(), self.n_post, k * COLUMNS, pre.events());
        });
    }

    fn incoming_sums(&self, sums: &mut Vec<Real>) {
        sums.clear();
        sums.resize(self.n_post, 0.0);
        for row in self.weights.values().chunks(self.n_post) {
            add(sums, row);
        }
    }

    fn scale_incoming(&mut self, factors: &[Real]) {
        let n_post = self.n_post;
        for row in self.weights.values_mut().chunks_mut(n_post) {
            multiply(row, factors);
        }
    }

    fn keep_absent(&mut self) {
        if !self.self_connections {
            let n_post = self.n_post;
            clear_diagonal(self.weights.values_mut(), n_post);
        }
    }

    fn clear_absent(&self, values: &mut [Real]) {
        if !self.self_connections {
            clear_diagonal(values, self.n_post);
        }
    }
}

impl PlasticSynapses for DenseSynapses {
    fn learn<R: PlasticityRule>(
        &mut self,
        rule: &R,
        activity: &Activity<'_>,
        aside: Option<&mut [Real]>,
        workers: &Workers,
    ) {
        match aside {
            Some(changes) => {
                let weights = self.weights.values();
                learn_rows(Aside { weights, changes: &mut *changes }, self.n_post, rule, activity, workers);
                self.clear_absent(changes);
            }
            None => {
                learn_rows(InPlace(self.weights.values_mut()), self.n_post, rule, activity, workers);
                self.keep_absent();
            }
        }
    }
}

fn clear_diagonal(values: &mut [Real], n_post: usize) {
    values.iter_mut().step_by(n_post + 1).for_each(|value| *value = 0.0);
}

fn learn_rows<R: PlasticityRule, C: Changes>(
    changes: C,
    n_post: usize,
    rule: &R,
    activity: &Activity<'_>,
    workers: &Workers,
) {
    let rows = (WEIGHTS_PER_TASK / n_post).max(1);
    let (fired_pre, fired_post) = (activity.pre.events(), activity.post.events());
    let n_pre = activity.pre.mask().len();
    let work = fired_pre.len() * n_post / 2 + fired_post.len() * n_pre * 2;
    workers.each(work, changes.chunks(rows * n_post).enumerate(), |(k, mut changes)| {
        let (first, last) = (k * rows, ((k + 1) * rows).min(n_pre));
        if fired_post.is_empty() {
            let from = fired_pre.partition_point(|&i| (i as usize) < first);
            for &i in fired_pre[from..].iter().take_while(|&&i| (i as usize) < last) {
                let i = i as usize;
                let pre = (activity.pre_trace[i], activity.pre_slow[i]);
                let at = (i - first) * n_post;
                learn_row(rule, &mut changes, at, pre, activity.post_trace, activity.post_slow);
            }
            return;
        }
        let mut at_post_spikes = Vec::new();
        for i in first..last {
            let row = (i - first) * n_post;
            if activity.pre.mask()[i] && rule.learns_at_pre_spikes() {
                // Both sides fired: both changes follow from the weight as it stood.
                at_post_spikes.clear();
                at_post_spikes.extend(fired_post.iter().map(|&j| {
                    let j = j as usize;
                    rule.on_post_spike(changes.weight(row + j), activity.traces(i, j))
                }));
                let pre = (activity.pre_trace[i], activity.pre_slow[i]);
                learn_row(rule, &mut changes, row, pre, activity.post_trace, activity.post_slow);
                for (&j, &change) in fired_post.iter().zip(&at_post_spikes) {
                    changes.add(row + j as usize, change);
                }
            } else {
                for &j in fired_post {
                    let j = j as usize;
                    changes.add(row + j, rule.on_post_spike(changes.weight(row + j), activity.traces(i, j)));
                }
            }
        }
    });
}
