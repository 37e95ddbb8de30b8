//! Some neurons of the source reach some neurons of the target.

use super::{Connectivity, PlasticSynapses, Site, Synapses, Weighted};
use crate::Real;
use crate::connections::{Connections, Rows, WholePattern};
use crate::error::{Error, Result};
use crate::fire::SpikeSet;
use crate::kernels::columns::{
    Collected, Ends, Index, Pattern, TOGETHER, potentiate, scatter_rows, with_ends,
};
use crate::learning::{Activity, Changes, PlasticityRule, Traces};
use crate::weights::{FanIn, Given, Weights};
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// Stored synapses only: the current at j is the sum of `w[i, j]` over the spiking i that have a synapse to j.
///
/// Which synapses there are says the rule of its [`Connections`], if it has one; a pair may then have several, each with a
/// weight of its own. Else it follows from the weights: given sparse weights say it themselves, given dense weights by
/// what is not 0, and drawn weights by their density (exactly ⌊pre·post·density⌋ distinct ones, each set of them as
/// likely).
///
/// With [`NoSelfConnections`](super::NoSelfConnections) there are n·(n − 1) pairs to draw from, and given weights from a
/// neuron onto itself are left out.
#[doc(alias = "SparseDendriticInput")]
#[doc(alias = "fixed_total_number")]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[require(Weighted)]
pub struct Sparse;

/// The synapses of a sparse projection, by source and by target.
#[derive(Component, Clone, Debug)]
pub struct SparseSynapses {
    n_pre: usize,
    n_post: usize,
    pattern: Arc<Pattern>,
    weights: Weights,
    /// Whether a pair has several synapses.
    multapses: bool,
}

impl SparseSynapses {
    /// Every synapse as (source, target, weight), sorted by source, then by target.
    pub fn triplets(&self) -> impl Iterator<Item = (u32, u32, Real)> + '_ {
        let rows = (0..self.n_pre).flat_map(|i| self.pattern.row(i).map(move |k| (i as u32, k)));
        rows.map(|(i, k)| (i, self.pattern.target(k), self.weights.values()[k]))
    }

    /// The weights as a compressed-row matrix of shape (pre, post). Where a pair has several synapses, their sum stands there.
    pub fn to_csr(&self) -> sprs::CsMatI<Real, u32, u64> {
        let (mut starts, mut targets, mut weights) = (vec![0_u64], Vec::new(), Vec::<Real>::new());
        for i in 0..self.n_pre {
            let first = targets.len();
            for k in self.pattern.row(i) {
                let (j, w) = (self.pattern.target(k), self.weights.values()[k]);
                match weights.last_mut() {
                    Some(sum) if targets[first..].last() == Some(&j) => *sum += w,
                    _ => {
                        targets.push(j);
                        weights.push(w);
                    }
                }
            }
            starts.push(targets.len() as u64);
        }
        sprs::CsMatI::new((self.n_pre, self.n_post), starts, targets, weights)
    }

    /// The number of synapses.
    pub fn count(&self) -> usize {
        self.pattern.len()
    }
}

impl Connectivity for Sparse {
    type Synapses = SparseSynapses;
    const LEAVES_OUT_SELF: bool = true;

    fn connect(&self, site: &Site<'_>) -> Result<SparseSynapses> {
        if let Some(connections) = site.connections {
            return drawn(site, connections, "connections");
        }
        let (n_pre, n_post) = (site.pre.len(), site.post.len());
        if let Some(given) = site.weights.given_shape().filter(|given| *given != [n_pre, n_post]) {
            return Err(site.weight_shape("Sparse", &[n_pre, n_post], &given));
        }
        let stays = |i: u32, j: u32| site.self_connections || i != j;
        let (pattern, weights) = match site.weights.given() {
            Some(Given::Sparse(triplets)) => {
                let triplets: Vec<_> = triplets.iter().copied().filter(|&(i, j, _)| stays(i, j)).collect();
                laid_out(n_pre, n_post, &triplets)
            }
            Some(Given::Dense { values, .. }) => {
                let all = values.iter().enumerate().filter(|(_, w)| **w != 0.0);
                let all = all.map(|(at, &w)| ((at / n_post) as u32, (at % n_post) as u32, w));
                laid_out(n_pre, n_post, &all.filter(|&(i, j, _)| stays(i, j)).collect::<Vec<_>>())
            }
            None => {
                let pairs = n_pre as u64 * (n_post - usize::from(!site.self_connections)) as u64;
                let synapses = ((pairs as f64 * site.weights.density_or_one()).floor() as u64).min(pairs);
                let connections = Connections::fixed_total_number(synapses).multapses(false);
                return drawn(site, &connections, "synapses");
            }
        };
        Ok(SparseSynapses { n_pre, n_post, pattern: pattern.into(), weights, multapses: false })
    }
}

/// The synapses that a rule draws. Time and memory follow them, not the pairs. The `purpose` keeps what a rule draws apart
/// from what a density does.
fn drawn(site: &Site<'_>, connections: &Connections, purpose: &str) -> Result<SparseSynapses> {
    let (n_pre, n_post) = (site.pre.len(), site.post.len());
    let room = |synapses: u64| {
        let (projection, connectivity, synapses) = (site.projection.into(), "Sparse", synapses.into());
        let limit = u128::from(u32::MAX);
        if synapses > limit {
            return Err(Error::TooManySynapses { projection, connectivity, synapses, limit });
        }
        site.check_memory(connectivity, synapses, Pattern::bytes_each(n_pre, n_post) + size_of::<Real>())
    };
    let (rows, order) = Rows::new(connections, &site.between(purpose), room)?;
    let given = match site.connections {
        Some(_) => order.given_weights(site.weights, site.projection, "Sparse")?,
        None => None,
    };
    let WholePattern { row_start, target, weights, multapses } = rows.whole(given.as_deref(), site.workers);
    // There may be a few more than were expected.
    if target.len() as u64 > rows.expected() {
        room(target.len() as u64)?;
    }
    drop(rows);
    let weights = weights.map_or_else(|| Weights::zeros(target.len()), Weights::from);
    Ok(SparseSynapses {
        n_pre,
        n_post,
        pattern: Pattern::from_rows(n_post, row_start, target).into(),
        weights,
        multapses,
    })
}

fn laid_out(n_pre: usize, n_post: usize, triplets: &[(u32, u32, Real)]) -> (Pattern, Weights) {
    let pattern = Pattern::from_sorted(n_pre, n_post, triplets.iter().map(|&(i, j, _)| (i, j)));
    (pattern, Weights::from(triplets.iter().map(|t| t.2).collect::<Vec<_>>()))
}

impl Synapses for SparseSynapses {
    const STRUCTURAL_DENSITY: bool = true;

    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn weights_mut(&mut self) -> &mut Weights {
        &mut self.weights
    }

    fn shape(&self) -> Vec<usize> {
        // Several synapses of a pair have no place in a matrix.
        if self.multapses { vec![self.count()] } else { vec![self.n_pre, self.n_post] }
    }

    fn bytes(&self) -> usize {
        self.pattern.bytes() + size_of_val(self.weights.values())
    }

    fn deliver(&self, weights: &[Real], pre: &SpikeSet, current: &mut [Real], _: &Workers) {
        scatter_rows(current, &self.pattern, weights, pre.events());
    }

    fn fan_in(&self) -> FanIn {
        FanIn::Targets(self.pattern.clone())
    }
}

/// How many synapses ahead their weights are fetched: a column's lie far apart.
const AHEAD: usize = 48;

/// Rows are shared among threads, each a part of about as many synapses. A part follows the spikes of its rows, and of each
/// column what lies in them. (No synapse looks at another, so how many parts there are changes no bit; finding a part in
/// a column costs a few misses of the cache, so there are no more than threads.)
impl PlasticSynapses for SparseSynapses {
    const WAITS: bool = true;

    fn learn<R: PlasticityRule, C: Changes>(
        &mut self,
        changes: C,
        rule: &R,
        activity: &Activity<'_>,
        workers: &Workers,
    ) {
        with_ends!(self.pattern, |ends| learn(&self.pattern, ends, changes, rule, activity, workers));
    }
}

fn learn<I: Index, R: PlasticityRule, C: Changes>(
    pattern: &Pattern,
    ends: &Ends<I>,
    changes: C,
    rule: &R,
    activity: &Activity<'_>,
    workers: &Workers,
) {
    let by_row = rule.learns_at_pre_spikes() || C::VISITS_ALL;
    // What a spike on both sides brings is seen to by row.
    let is_left = |i: I| !activity.pre.mask()[i.get()] || !by_row;
    let spikes = activity.pre.events().len() + activity.post.events().len();
    let n_pre = pattern.row_start.len() - 1;
    let work = spikes * 5 * (pattern.len() / n_pre.max(1));
    workers.each(
        work,
        parts(pattern, changes, C::parts(work).unwrap_or(workers.threads())),
        |(rows, mut changes)| {
            let first = pattern.row_start[rows.start] as usize;
            if by_row {
                for &i in activity.pre.within(rows.clone()) {
                    let row = pattern.row(i as usize);
                    let pre = (activity.pre_trace[i as usize], activity.pre_slow[i as usize]);
                    let targets = &ends.target[row.clone()];
                    changes.update(
                        row.start - first,
                        row.len(),
                        |k| targets[k].get(),
                        |k, w| {
                            let j = targets[k].get();
                            let (post, post_slow) = (activity.post_trace[j], activity.post_slow[j]);
                            let traces = Traces { pre: pre.0, pre_slow: pre.1, post, post_slow };
                            let depression = rule.on_pre_spike(w, traces);
                            if activity.post.mask()[j] {
                                depression + rule.on_post_spike(w, traces)
                            } else {
                                depression
                            }
                        },
                    );
                }
            }
            let mut collected = Collected::default();
            for &j in activity.post.events() {
                let column = &ends.by_column[pattern.column(j as usize)];
                let all = rows.len() == n_pre;
                let at = |end: usize| column.partition_point(|[i, _]| i.get() < end);
                let column = if all { column } else { &column[at(rows.start)..at(rows.end)] };
                let synapse = |[i, place]: [I; 2]| pattern.row_start[i.get()] as usize + place.get() - first;
                column.iter().take(AHEAD).for_each(|&entry| changes.prefetch(synapse(entry)));
                let mut ahead = column.iter().skip(AHEAD);
                // A weight that waits is brought up to date and changed in one go.
                if C::VISITS_ALL || !R::COSTLY {
                    for &entry in column {
                        ahead.next().into_iter().for_each(|&entry| changes.prefetch(synapse(entry)));
                        if is_left(entry[0]) {
                            let traces = activity.traces(entry[0].get(), j as usize);
                            changes.change(synapse(entry), j as usize, |w| rule.on_post_spike(w, traces));
                        }
                    }
                    continue;
                }
                let post = (activity.post_trace[j as usize], activity.post_slow[j as usize]);
                for some in column.chunks(TOGETHER) {
                    collected.count = 0;
                    for &entry in some {
                        ahead.next().into_iter().for_each(|&entry| changes.prefetch(synapse(entry)));
                        let (n, i, k) = (collected.count, entry[0].get(), synapse(entry));
                        collected.synapse[n] = k;
                        collected.weight[n] = changes.weight(k, j as usize);
                        collected.pre[n] = activity.pre_trace[i];
                        collected.pre_slow[n] = activity.pre_slow[i];
                        collected.count += usize::from(is_left(entry[0]));
                    }
                    potentiate(rule, post, &mut collected);
                    let Collected { synapse, weight, count, .. } = &collected;
                    for (&k, &change) in synapse.iter().zip(weight).take(*count) {
                        changes.change(k, j as usize, |_| change);
                    }
                }
            }
        },
    );
}

/// Cuts the rows into `n` parts of about as many synapses each, with the changes of these.
fn parts<C: Changes>(pattern: &Pattern, changes: C, n: usize) -> impl Iterator<Item = (Range<usize>, C)> {
    let (starts, n_pre) = (&pattern.row_start, pattern.row_start.len() - 1);
    let each = pattern.len().div_ceil(n) as u64;
    let (mut rows, mut synapses) = (Vec::new(), Vec::new());
    let mut first = 0;
    while first < n_pre {
        let last = starts.partition_point(|start| *start <= starts[first] + each) - 1;
        let end = last.clamp(first + 1, n_pre);
        rows.push(first..end);
        synapses.push((starts[end] - starts[first]) as usize);
        first = end;
    }
    rows.into_iter().zip(changes.cut(&synapses))
}
