//! Connections that are known before they are asked for: given pairs, and drawn columns turned into rows.

use super::ends::Between;
use super::rows::{Drawing, Repeats, RowScratch, draw_targets};
use crate::Real;
use crate::error::{Error, Result};
use crate::weights::{Given, WeightInitializer};
use crate::workers::Workers;

/// What became of given pairs, where there are some: each stands at a place among all rows, or was left out.
#[derive(Clone, Debug, Default)]
pub struct Order(Option<Vec<u64>>);

/// The place of a pair that was left out.
const LEFT_OUT: u64 = u64::MAX;

impl Order {
    /// How many pairs were given; none if the rule is another.
    pub fn pairs(&self) -> Option<usize> {
        self.0.as_ref().map(Vec::len)
    }

    /// `values`, one a pair, in the order of the rows.
    pub fn sorted(&self, values: &[Real]) -> Vec<Real> {
        let order = self.0.as_deref().unwrap_or_default();
        let mut sorted = vec![0.0; order.iter().filter(|at| **at != LEFT_OUT).count()];
        let kept = order.iter().zip(values).filter(|(at, _)| **at != LEFT_OUT);
        kept.for_each(|(&at, &value)| sorted[at as usize] = value);
        sorted
    }

    /// The weights that are given to the pairs, in the order of the rows; none if they are drawn.
    ///
    /// # Errors
    /// A density beside the rule; given weights that are not finite, more or fewer than pairs, or for another rule.
    pub fn given_weights(
        &self,
        weights: &WeightInitializer,
        projection: &str,
        connectivity: &'static str,
    ) -> Result<Option<Vec<Real>>> {
        let group = || projection.to_string();
        let density = weights.density_or_one();
        if density < 1.0 {
            return Err(Error::ParameterRange {
                group: group(),
                behaviour: "WeightInitializer".into(),
                parameter: "density".into(),
                value: density,
                requirement: "1 beside `Connections`, which says how many synapses there are".into(),
            });
        }
        match (weights.given(), self.pairs()) {
            (None, _) => Ok(None),
            (Some(Given::Dense { values, shape }), Some(pairs)) if *shape == [pairs] => {
                match values.iter().position(|w| !w.is_finite()) {
                    Some(index) => {
                        let value = f64::from(values[index]);
                        Err(Error::WeightNotFinite { projection: group(), index, value })
                    }
                    None => Ok(Some(self.sorted(values))),
                }
            }
            (Some(_), pairs) => {
                let expected = match pairs {
                    Some(pairs) => format!("[{pairs}], one a pair"),
                    None => "none: weights can be given to the pairs of `Connections::pairs` only".into(),
                };
                let given = format!("{:?}", weights.given_shape().unwrap_or_default());
                Err(Error::WeightShape { projection: group(), connectivity, expected, given })
            }
        }
    }
}

/// Columns that one task draws.
const COLUMNS: usize = 256;

/// Draws the `n` sources of each target, and turns them into rows.
pub(super) fn in_degree(between: &Between<'_>, n: u32, repeats: Repeats) -> Drawing {
    let (pre, post) = (between.source.grid.len(), between.target.grid.len());
    let mut sources = vec![0_u32; n as usize * post];
    // Without any there is no column to cut off.
    let n = (n as usize).max(1);
    let per_column = pre as u32 - u32::from(!between.autapses).min(pre as u32);
    between.workers.each(sources.len() * 10, sources.chunks_mut(n * COLUMNS).enumerate(), |(k, columns)| {
        let (mut scratch, mut drawn) = (RowScratch::default(), Vec::new());
        for (j, column) in (k * COLUMNS..).zip(columns.chunks_mut(n)) {
            drawn.clear();
            let mut random = between.streams.part(1 + j as u64);
            draw_targets(&mut random, per_column, column.len() as u32, repeats, &mut scratch, &mut drawn);
            let others = |i: u32| i + u32::from(!between.autapses && i >= j as u32);
            column.iter_mut().zip(&drawn).for_each(|(source, &i)| *source = others(i));
        }
    });
    transposed(&sources, n, pre, between.workers)
}

/// Rows out of columns of `n` sources each. Each thread looks through all columns, for the sources in a part of its own: so
/// the targets of a row come out ascending, and the same for any number of threads.
fn transposed(sources: &[u32], n: usize, pre: usize, workers: &Workers) -> Drawing {
    let mut starts = vec![0_u64; pre + 1];
    let per_part = pre.div_ceil(workers.threads()).max(1);
    let work = sources.len() * 2;
    workers.each(work, starts[1..].chunks_mut(per_part).enumerate(), |(k, counts)| {
        let own = k * per_part..k * per_part + counts.len();
        let own_sources = sources.iter().map(|&i| i as usize).filter(|i| own.contains(i));
        own_sources.for_each(|i| counts[i - own.start] += 1);
    });
    add_up(&mut starts);
    let mut targets = vec![0; sources.len()];
    let mut left = &mut targets[..];
    let parts = (0..pre).step_by(per_part).map(|from| {
        let own = from..pre.min(from + per_part);
        let synapses = (starts[own.end] - starts[own.start]) as usize;
        let (part, rest) = std::mem::take(&mut left).split_at_mut(synapses);
        left = rest;
        (own, part)
    });
    workers.each(work, parts, |(own, targets)| {
        let mut next: Vec<u64> = starts[own.clone()].iter().map(|start| start - starts[own.start]).collect();
        for (j, column) in (0..).zip(sources.chunks(n)) {
            for i in column.iter().map(|&i| i as usize).filter(|i| own.contains(i)) {
                let next = &mut next[i - own.start];
                targets[*next as usize] = j;
                *next += 1;
            }
        }
    });
    Drawing::Listed(starts, targets)
}

/// Sorts pairs by source, those of one source in the order in which they are given.
pub(super) fn listed(pairs: &[(u32, u32)], n_pre: usize, autapses: bool) -> (Drawing, Order) {
    let stays = |&(i, j): &(u32, u32)| autapses || i != j;
    let mut starts = vec![0_u64; n_pre + 1];
    pairs.iter().filter(|pair| stays(pair)).for_each(|&(i, _)| starts[i as usize + 1] += 1);
    add_up(&mut starts);
    let mut next = starts.clone();
    let mut targets = vec![0; starts[n_pre] as usize];
    let place = pairs.iter().map(|pair| {
        if !stays(pair) {
            return LEFT_OUT;
        }
        let at = next[pair.0 as usize];
        targets[at as usize] = pair.1;
        next[pair.0 as usize] += 1;
        at
    });
    let order = Order(Some(place.collect()));
    (Drawing::Listed(starts, targets), order)
}

/// Turns counts, each one place behind its own, into starts.
pub(super) fn add_up(counts: &mut [u64]) {
    for k in 1..counts.len() {
        counts[k] += counts[k - 1];
    }
}
