//! Sparse weights: compressed rows to follow pre-synaptic spikes, and an index by column to follow post-synaptic ones.

use super::simd;
use crate::Real;
use crate::learning::{PlasticityRule, Traces};

/// Where the synapses of a sparse projection are.
///
/// Synapse k of row i lies at `row_start[i] <= k < row_start[i + 1]`. Where its ends stand follows from the numbers of neurons:
/// in 16 bits if they allow it, which halves what is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// First synapse of each row, and one past the last: `n_pre + 1` entries.
    pub row_start: Vec<u64>,
    /// First entry of each column in `by_column`, and one past the last: `n_post + 1` entries.
    pub column_start: Vec<u64>,
    /// The ends of the synapses.
    pub ends: AnyEnds,
}

/// [`Ends`] in as many bits as they need.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyEnds {
    /// In 16 bits.
    Short(Ends<u16>),
    /// In 32 bits.
    Long(Ends<u32>),
}

/// The ends of synapses, row by row and column by column.
#[derive(Clone, Debug, PartialEq)]
pub struct Ends<I> {
    /// Post-synaptic neuron of each synapse, ascending within a row.
    pub target: Vec<I>,
    /// The synapses column by column: the pre-synaptic neuron, ascending, and the place in its row.
    pub by_column: Vec<[I; 2]>,
}

/// A number of a neuron, or of a synapse of one.
pub trait Index: Copy + Default + Send + Sync {
    /// How many there may be.
    const LIMIT: u64;

    /// It, which is below the limit.
    fn new(x: usize) -> Self;

    /// It.
    fn get(self) -> usize;
}

impl Index for u16 {
    const LIMIT: u64 = 1 << 16;

    #[inline(always)]
    fn new(x: usize) -> Self {
        x as u16
    }

    #[inline(always)]
    fn get(self) -> usize {
        usize::from(self)
    }
}

impl Index for u32 {
    const LIMIT: u64 = 1 << 32;

    #[inline(always)]
    fn new(x: usize) -> Self {
        x as u32
    }

    #[inline(always)]
    fn get(self) -> usize {
        self as usize
    }
}

/// Does the same with the ends of a pattern, whichever they are.
macro_rules! with_ends {
    ($pattern:expr, |$ends:ident| $body:expr) => {
        match &$pattern.ends {
            $crate::kernels::columns::AnyEnds::Short($ends) => $body,
            $crate::kernels::columns::AnyEnds::Long($ends) => $body,
        }
    };
}
pub(crate) use with_ends;

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
        let longest = row_start.windows(2).map(|row| row[1] - row[0]).max().unwrap_or(0);
        let ends = if Self::is_short(row_start.len() - 1, n_post) && longest <= u16::LIMIT {
            let short: Vec<u16> = target.iter().map(|&j| j as u16).collect();
            drop(target);
            AnyEnds::Short(Ends::new(&row_start, &column_start, short))
        } else {
            AnyEnds::Long(Ends::new(&row_start, &column_start, target))
        };
        Pattern { row_start, column_start, ends }
    }

    fn is_short(n_pre: usize, n_post: usize) -> bool {
        n_pre.max(n_post) as u64 <= u16::LIMIT
    }

    /// Memory that a synapse between so many neurons takes, without its weight \[bytes\].
    pub fn bytes_each(n_pre: usize, n_post: usize) -> usize {
        3 * if Self::is_short(n_pre, n_post) { size_of::<u16>() } else { size_of::<u32>() }
    }

    /// The number of synapses.
    pub fn len(&self) -> usize {
        with_ends!(self, |ends| ends.target.len())
    }

    /// Whether there are no synapses.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory that all take, without the weights \[bytes\].
    pub fn bytes(&self) -> usize {
        let starts = size_of_val(&self.row_start[..]) + size_of_val(&self.column_start[..]);
        starts + with_ends!(self, |ends| size_of_val(&ends.target[..]) + size_of_val(&ends.by_column[..]))
    }

    /// The post-synaptic neuron of synapse k. In a loop over many, take the [`Ends`] instead.
    pub fn target(&self, k: usize) -> u32 {
        with_ends!(self, |ends| ends.target[k].get() as u32)
    }

    /// The synapses of row i.
    #[inline(always)]
    pub fn row(&self, i: usize) -> std::ops::Range<usize> {
        self.row_start[i] as usize..self.row_start[i + 1] as usize
    }

    /// The entries of column j in `by_column`.
    #[inline(always)]
    pub fn column(&self, j: usize) -> std::ops::Range<usize> {
        self.column_start[j] as usize..self.column_start[j + 1] as usize
    }
}

impl<I: Index> Ends<I> {
    fn new(row_start: &[u64], column_start: &[u64], target: Vec<I>) -> Self {
        let mut next = column_start.to_vec();
        let mut by_column = vec![[I::default(); 2]; target.len()];
        for (i, row) in row_start.windows(2).enumerate() {
            for (place, j) in target[row[0] as usize..row[1] as usize].iter().enumerate() {
                let next = &mut next[j.get()];
                by_column[*next as usize] = [I::new(i), I::new(place)];
                *next += 1;
            }
        }
        Ends { target, by_column }
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
    assert_eq!(weights.len(), pattern.len());
    with_ends!(pattern, |ends| {
        for &i in events {
            let row = pattern.row(i as usize);
            for (w, j) in weights[row.clone()].iter().zip(&ends.target[row]) {
                current[j.get()] += w;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_synapse_is_found_by_row_and_by_column_however_ends_are_stored() {
        // More targets, or a longer row, than 16 bits tell apart.
        let long_row = (0..70_000).map(|k| (1, k / 7_000));
        let pairs: Vec<(u32, u32)> =
            [(0, 3), (0, 9)].into_iter().chain(long_row).chain([(2, 0), (2, 3)]).collect();
        let (few, many) = (&pairs[..2], &pairs[..]);
        for (n_post, pairs, is_short) in
            [(10, few, true), (65_536, few, true), (65_537, few, false), (10, many, false)]
        {
            let pattern = Pattern::from_sorted(3, n_post, pairs.iter().copied());
            assert_eq!(matches!(pattern.ends, AnyEnds::Short(_)), is_short, "{n_post} targets");
            assert_eq!(pattern.len(), pairs.len());
            let by_row = (0..3).flat_map(|i| pattern.row(i).map(move |k| (i as u32, k)));
            assert!(by_row.map(|(i, k)| (i, pattern.target(k))).eq(pairs.iter().copied()));
            let mut by_column: Vec<(u32, u32)> = Vec::new();
            with_ends!(pattern, |ends| for j in 0..n_post {
                for [i, place] in &ends.by_column[pattern.column(j)] {
                    let k = pattern.row(i.get()).start + place.get();
                    assert_eq!(pattern.target(k), j as u32);
                    by_column.push((i.get() as u32, k as u32));
                }
            });
            by_column.sort_by_key(|(_, k)| *k);
            assert!(
                by_column.iter().map(|(i, k)| (*i, *k)).eq(pairs.iter().zip(0..).map(|((i, _), k)| (*i, k)))
            );
            let (weights, mut current) = (vec![1.0; pairs.len()], vec![0.0; n_post]);
            scatter_rows(&mut current, &pattern, &weights, &[0, 2]);
            let expected = |j| pairs.iter().filter(|&&(i, target)| i != 1 && target == j).count() as Real;
            assert!(current.iter().zip(0..).all(|(x, j)| *x == expected(j)));
        }
    }
}
