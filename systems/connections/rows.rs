//! The connections of a projection, drawn row by row.

use super::distance::Neighbourhood;
use super::ends::Between;
use super::listed::{Order, in_degree, listed};
use super::{ConnectionRule, Connections};
use crate::error::Result;
use crate::kernels::pairs::{distinct, share_among_rows};
use crate::random::{Stream, Streams};
use rand::RngExt;
use rand_distr::{Binomial, Distribution};

/// The connections of a projection: draws the targets of any source neuron, the same at each time it is asked.
#[derive(Clone, Debug)]
pub struct Rows {
    n_pre: u32,
    n_post: u32,
    autapses: bool,
    streams: Streams,
    drawing: Drawing,
    /// How many synapses there are, if that is known before they are drawn; else how many are expected.
    count: u64,
}

#[derive(Clone, Debug)]
pub(super) enum Drawing {
    All,
    OneToOne,
    Bernoulli(f64),
    /// So many a row.
    Counts(Vec<u32>, Repeats),
    /// So many, the same in each row.
    Same(u32, Repeats),
    /// Drawn or given already: the first synapse of each row, and the target of each.
    Listed(Vec<u64>, Vec<u32>),
    ByDistance(Neighbourhood),
}

impl Drawing {
    /// How many synapses are listed.
    fn listed(&self) -> u64 {
        if let Drawing::Listed(_, targets) = self { targets.len() as u64 } else { 0 }
    }
}

/// Whether a target may be drawn twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeats {
    Allowed,
    Excluded,
}

/// Memory that drawing a row takes, used again for the next.
#[derive(Clone, Debug, Default)]
pub struct RowScratch {
    taken: Vec<bool>,
}

impl Rows {
    /// Prepares to draw the connections of a projection. `room` is asked whether there may be so many synapses before any
    /// of them is drawn; where each pair is drawn for itself, as many as are expected.
    ///
    /// The second result is what became of given pairs.
    ///
    /// # Errors
    /// What `room` says. A rule that cannot be kept: more distinct synapses than there are pairs, numbers beyond the
    /// populations, a probability beyond 0 and 1, populations of different size joined one to one, distances without
    /// coordinates.
    pub fn new(
        connections: &Connections,
        between: &Between<'_>,
        room: impl FnOnce(u64) -> Result<()>,
    ) -> Result<(Self, Order)> {
        let Between { source, target, autapses, streams, .. } = between;
        let (n_pre, n_post, autapses) = (source.grid.len(), target.grid.len(), *autapses);
        let (pre, post) = (n_pre as u32, n_post as u32);
        let left_out = u32::from(!autapses);
        // How many targets a neuron can have, and how many sources.
        let (per_row, per_column) = (post - left_out.min(post), pre - left_out.min(pre));
        let pairs = u64::from(pre) * u64::from(per_row);
        let repeats = if connections.multapses { Repeats::Allowed } else { Repeats::Excluded };
        let most = |n: u64, pairs: u64, of: &str| {
            let remedy = match repeats {
                Repeats::Allowed if pairs > 0 || n == 0 => return Ok(()),
                Repeats::Excluded if n <= pairs => return Ok(()),
                Repeats::Allowed => "allow self-connections, or ask for none",
                Repeats::Excluded => "allow multapses, or ask for fewer",
            };
            let requirement = format!("at most {pairs}, the {of} there are: {remedy}");
            Err(between.fault("n", n as f64, requirement))
        };
        let mut order = Order::default();
        let (drawing, count) = match &connections.rule {
            ConnectionRule::AllToAll => {
                room(pairs)?;
                (Drawing::All, pairs)
            }
            ConnectionRule::OneToOne if n_pre != n_post => {
                let requirement = format!("{n_post}, the neurons of the target, to join one to one");
                return Err(between.fault("neurons of the source", n_pre as f64, requirement));
            }
            ConnectionRule::OneToOne => {
                let count = if autapses { pre.into() } else { 0 };
                room(count)?;
                (Drawing::OneToOne, count)
            }
            ConnectionRule::PairwiseBernoulli { p } => {
                if !(0.0..=1.0).contains(p) {
                    return Err(between.fault("p", *p, "within 0 and 1".into()));
                }
                let count = (pairs as f64 * p).round() as u64;
                room(count)?;
                (Drawing::Bernoulli(*p), count)
            }
            &ConnectionRule::FixedTotalNumber { n } => {
                most(n, pairs, "pairs")?;
                room(n)?;
                (Drawing::Counts(shared(streams.part(0), n_pre, per_row, n, repeats), repeats), n)
            }
            &ConnectionRule::FixedOutDegree { n } => {
                most(n.into(), per_row.into(), "targets")?;
                let count = u64::from(n) * u64::from(pre);
                room(count)?;
                (Drawing::Same(n, repeats), count)
            }
            &ConnectionRule::FixedInDegree { n } => {
                most(n.into(), per_column.into(), "sources")?;
                let count = u64::from(n) * u64::from(post);
                room(count)?;
                (in_degree(between, n, repeats), count)
            }
            ConnectionRule::Pairs(pairs) => {
                if let Some(&(i, j)) = pairs.iter().find(|&&(i, j)| i >= pre || j >= post) {
                    let (what, value, n) =
                        if i >= pre { ("source", i, n_pre) } else { ("target", j, n_post) };
                    let requirement = format!("below {n}, the neurons there are");
                    return Err(between.fault(&format!("{what} of a pair"), f64::from(value), requirement));
                }
                room(pairs.len() as u64)?;
                let drawing;
                (drawing, order) = listed(pairs, n_pre, autapses);
                let count = drawing.listed();
                (drawing, count)
            }
            ConnectionRule::DistanceDependent(profile) => {
                let neighbourhood = Neighbourhood::new(*profile, between)?;
                let count = neighbourhood.expected(autapses, &mut streams.part(0));
                room(count)?;
                (Drawing::ByDistance(neighbourhood), count)
            }
        };
        Ok((Rows { n_pre: pre, n_post: post, autapses, streams: *streams, drawing, count }, order))
    }

    /// The number of source neurons.
    pub fn len(&self) -> usize {
        self.n_pre as usize
    }

    /// Whether there is no source neuron.
    pub fn is_empty(&self) -> bool {
        self.n_pre == 0
    }

    /// How many synapses there are; where each pair is drawn for itself, how many are expected.
    pub fn expected(&self) -> u64 {
        self.count
    }

    /// The most synapses that a target neuron comes to have, but for a probability below 1 in 10^15.
    pub fn largest_in_degree(&self) -> u64 {
        let mean = self.count as f64 / f64::from(self.n_post.max(1));
        match &self.drawing {
            Drawing::All => self.n_pre.into(),
            Drawing::OneToOne => 1,
            Drawing::Listed(_, targets) => {
                let mut counts = vec![0_u64; self.n_post as usize];
                targets.iter().for_each(|&j| counts[j as usize] += 1);
                counts.into_iter().max().unwrap_or(0)
            }
            Drawing::ByDistance(neighbourhood) => neighbourhood.largest_in_degree(),
            Drawing::Counts(_, Repeats::Allowed) | Drawing::Same(_, Repeats::Allowed) => likely_at_most(mean),
            Drawing::Bernoulli(_) | Drawing::Counts(..) | Drawing::Same(..) => {
                likely_at_most(mean).min(self.n_pre.into())
            }
        }
    }

    /// Memory that what was drawn already takes \[bytes\].
    pub fn bytes(&self) -> usize {
        match &self.drawing {
            Drawing::Counts(counts, _) => size_of_val(&counts[..]),
            Drawing::Listed(starts, targets) => size_of_val(&starts[..]) + size_of_val(&targets[..]),
            Drawing::ByDistance(neighbourhood) => neighbourhood.bytes(),
            Drawing::All | Drawing::OneToOne | Drawing::Bernoulli(_) | Drawing::Same(..) => 0,
        }
    }

    /// The number of synapses before those of neuron i, where all were drawn or given already.
    pub fn first(&self, i: u32) -> Option<u64> {
        match &self.drawing {
            Drawing::Listed(starts, _) => Some(starts[i as usize]),
            _ => None,
        }
    }

    /// Sets `row` to the targets of source neuron i. Ascending, unless a target may come twice.
    pub fn draw(&self, i: u32, scratch: &mut RowScratch, row: &mut Vec<u32>) {
        row.clear();
        // A row is drawn from the targets but the neuron itself, counted as if that were not there.
        let own = (!self.autapses).then_some(i);
        let per_row = self.n_post - u32::from(own.is_some()).min(self.n_post);
        let random = || self.streams.part(1 + u64::from(i));
        match &self.drawing {
            Drawing::All => row.extend(0..per_row),
            Drawing::OneToOne => {
                if self.autapses {
                    row.push(i);
                }
                return;
            }
            Drawing::Bernoulli(p) => {
                let mut random = random();
                // As many as pairs that hit, then which: the same as asking each pair.
                let count = binomial(&mut random, u64::from(per_row), *p) as u32;
                draw_targets(&mut random, per_row, count, Repeats::Excluded, scratch, row);
            }
            Drawing::Counts(counts, repeats) => {
                draw_targets(&mut random(), per_row, counts[i as usize], *repeats, scratch, row);
            }
            Drawing::Same(n, repeats) => {
                draw_targets(&mut random(), per_row, *n, *repeats, scratch, row);
            }
            Drawing::Listed(starts, targets) => {
                row.extend_from_slice(&targets[starts[i as usize] as usize..starts[i as usize + 1] as usize]);
                return;
            }
            Drawing::ByDistance(neighbourhood) => {
                neighbourhood.draw(i, self.autapses, &mut random(), row);
                return;
            }
        }
        if let Some(own) = own {
            row.iter_mut().filter(|j| **j >= own).for_each(|j| *j += 1);
        }
    }
}

/// What a number with this mean, of rare things that happen independently, stays below but for a probability below 1 in
/// 10^15.
pub(super) fn likely_at_most(mean: f64) -> u64 {
    (mean + 10.0 * mean.sqrt() + 50.0) as u64
}

/// How many of `n` tries of probability `p` succeed.
fn binomial(random: &mut Stream, n: u64, p: f64) -> u64 {
    // Within 0 and 1, which is all that can be wrong with it.
    Binomial::new(n, p.clamp(0.0, 1.0)).map_or(0, |binomial| binomial.sample(random))
}

/// How many of `synapses` fall on each of `n_pre` rows.
fn shared(mut random: Stream, n_pre: usize, per_row: u32, synapses: u64, repeats: Repeats) -> Vec<u32> {
    let mut counts = vec![0; n_pre];
    match repeats {
        Repeats::Excluded => share_among_rows(&mut random, &mut counts, per_row, synapses),
        Repeats::Allowed => {
            // Each row takes its share of what those before it left: together, a multinomial distribution.
            let mut left = synapses;
            for (i, count) in counts.iter_mut().enumerate() {
                let own = binomial(&mut random, left, 1.0 / (n_pre - i) as f64);
                // So many in one row are refused when they are written.
                *count = u32::try_from(own).unwrap_or(u32::MAX);
                left -= own;
            }
        }
    }
    counts
}

/// Draws `count` targets of `per_row`, ascending unless one may come twice.
pub(super) fn draw_targets(
    random: &mut Stream,
    per_row: u32,
    count: u32,
    repeats: Repeats,
    scratch: &mut RowScratch,
    row: &mut Vec<u32>,
) {
    match repeats {
        Repeats::Allowed => row.extend((0..count).map(|_| random.random_range(0..per_row))),
        Repeats::Excluded => {
            scratch.taken.resize(per_row as usize, false);
            row.resize(count as usize, 0);
            distinct(random, &mut scratch.taken[..per_row as usize], row);
        }
    }
}
