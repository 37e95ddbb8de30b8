//! Sparse weights: compressed rows to follow pre-synaptic spikes, and an index by column to follow post-synaptic ones.

use super::simd;
use crate::Real;
use crate::learning::{PlasticityRule, Traces};

/// Where the synapses of a sparse projection are.
///
/// Synapse k of row i lies at `row_start[i] <= k < row_start[i + 1]` and ends on neuron `target[k]`, ascending within a
/// row. The synapses of column j are `by_column[column_start[j] .. column_start[j + 1]]`, pairs of (source, k) ascending
/// in the source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pattern {
    /// First synapse of each row, and one past the last: `n_pre + 1` entries.
    pub row_start: Vec<u64>,
    /// Post-synaptic neuron of each synapse.
    pub target: Vec<u32>,
    /// First entry of each column in `by_column`, and one past the last: `n_post + 1` entries.
    pub column_start: Vec<u64>,
    /// The synapses column by column: (pre-synaptic neuron, synapse).
    pub by_column: Vec<(u32, u32)>,
}

impl Pattern {
    /// Lays out synapses that come sorted by source, then by target. At most `u32::MAX` of them.
    pub fn from_sorted(n_pre: usize, n_post: usize, pairs: impl Iterator<Item = (u32, u32)>) -> Self {
        let mut row_start = vec![0_u64; n_pre + 1];
        let mut target = Vec::new();
        for (i, j) in pairs {
            row_start[i as usize + 1] += 1;
            target.push(j);
        }
        add_up(&mut row_start);
        Self::from_rows(n_post, row_start, target)
    }

    /// Lays out synapses by the starts of their rows and their targets, ascending within each row. At most `u32::MAX` of
    /// them.
    pub fn from_rows(n_post: usize, row_start: Vec<u64>, target: Vec<u32>) -> Self {
        let mut column_start = vec![0_u64; n_post + 1];
        for &j in &target {
            column_start[j as usize + 1] += 1;
        }
        add_up(&mut column_start);
        let mut next = column_start.clone();
        let mut by_column = vec![(0, 0); target.len()];
        for (i, row) in row_start.windows(2).enumerate() {
            for k in row[0]..row[1] {
                let next = &mut next[target[k as usize] as usize];
                by_column[*next as usize] = (i as u32, k as u32);
                *next += 1;
            }
        }
        Pattern { row_start, target, column_start, by_column }
    }

    /// The synapses of row i.
    pub fn row(&self, i: u32) -> std::ops::Range<usize> {
        self.row_start[i as usize] as usize..self.row_start[i as usize + 1] as usize
    }

    /// The synapses of column j: (source, synapse).
    pub fn column(&self, j: usize) -> &[(u32, u32)] {
        &self.by_column[self.column_start[j] as usize..self.column_start[j + 1] as usize]
    }
}

/// Turns counts, each one place behind its own, into starts.
fn add_up(counts: &mut [u64]) {
    for k in 1..counts.len() {
        counts[k] += counts[k - 1];
    }
}

/// Synapses of a column that are changed together.
pub const TOGETHER: usize = 32;

/// Synapses of a column, collected from where they lie so that the rule is applied to several at once.
#[derive(Clone, Debug)]
pub struct Collected {
    /// Where they lie.
    pub synapse: [usize; TOGETHER],
    /// Their weights, and behind [`potentiate`] what these change by.
    pub weight: [Real; TOGETHER],
    /// The traces of their sources.
    pub pre: [Real; TOGETHER],
    /// The slow traces of their sources.
    pub pre_slow: [Real; TOGETHER],
    /// How many there are. What lies behind is computed too, and means nothing.
    pub count: usize,
}

impl Default for Collected {
    fn default() -> Self {
        let zeros = [0.0; TOGETHER];
        Collected { synapse: [0; TOGETHER], weight: zeros, pre: zeros, pre_slow: zeros, count: 0 }
    }
}

simd! {
    /// What the rule says for a spike of the target with the traces `post`, the fast and the slow one.
    pub fn potentiate<R: PlasticityRule>(rule: &R, post: (Real, Real), synapses: &mut Collected) {
        let Collected { weight, pre, pre_slow, .. } = synapses;
        for n in 0..TOGETHER {
            let traces = Traces { pre: pre[n], pre_slow: pre_slow[n], post: post.0, post_slow: post.1 };
            weight[n] = rule.on_post_spike(weight[n], traces);
        }
    }
}

/// Adds the weights of the spiking rows to their targets' currents.
pub fn scatter_rows(current: &mut [Real], pattern: &Pattern, weights: &[Real], events: &[u32]) {
    assert_eq!(weights.len(), pattern.target.len());
    for &i in events {
        let row = pattern.row(i);
        for (w, &j) in weights[row.clone()].iter().zip(&pattern.target[row]) {
            current[j as usize] += w;
        }
    }
}
