//! The connections of a projection, drawn row by row.

use super::distance::Neighbourhood;
use super::{ConnectionRule, Connections, Places};
use crate::error::{Error, Result};
use crate::kernels::pairs::{distinct, share_among_rows};
use crate::random::{Seed, Stream, Streams};
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
enum Drawing {
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

/// Whether a target may be drawn twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeats {
    Allowed,
    Excluded,
}

/// Memory that drawing a row takes, used again for the next.
#[derive(Clone, Debug, Default)]
pub struct RowScratch {
    taken: Vec<bool>,
}

impl Rows {
    /// Prepares to draw the connections of `projection` between `n_pre` and `n_post` neurons. `recurrent` says whether both
    /// are one population, `autapses` whether a neuron may then reach itself.
    ///
    /// The second result are the places of given pairs once they are sorted by source: pair k stands at `order[k]`.
    ///
    /// # Errors
    /// A rule that cannot be kept: more distinct synapses than there are pairs, numbers beyond the populations, a
    /// probability beyond 0 and 1, populations of different size joined one to one, distances without coordinates.
    pub fn new(
        connections: &Connections,
        projection: &str,
        (n_pre, n_post): (usize, usize),
        autapses: bool,
        places: Places<'_>,
        seed: Seed,
    ) -> Result<(Self, Option<Vec<u64>>)> {
        let fault = |parameter: &str, value: f64, requirement: String| {
            let (group, behaviour) = (projection.to_string(), "Connections".to_string());
            Error::ParameterRange { group, behaviour, parameter: parameter.into(), value, requirement }
        };
        let streams = seed.streams("connections", projection);
        let (pre, post) = (n_pre as u32, n_post as u32);
        // How many targets a neuron can have.
        let per_row = post - u32::from(!autapses).min(post);
        let pairs = u128::from(pre) * u128::from(per_row);
        let repeats = if connections.multapses { Repeats::Allowed } else { Repeats::Excluded };
        let most = |n: u64, pairs: u128, of: &str| {
            if connections.multapses && (pairs > 0 || n == 0) || u128::from(n) <= pairs {
                return Ok(());
            }
            Err(fault(
                "n",
                n as f64,
                format!("at most {pairs}, the {of} there are: allow multapses, or ask for fewer"),
            ))
        };
        let (drawing, count, order) = match &connections.rule {
            ConnectionRule::AllToAll => (Drawing::All, pairs as u64, None),
            ConnectionRule::OneToOne if n_pre != n_post => {
                let requirement = format!("{n_post}, the neurons of the target, to join one to one");
                return Err(fault("neurons of the source", n_pre as f64, requirement));
            }
            ConnectionRule::OneToOne => (Drawing::OneToOne, if autapses { u64::from(pre) } else { 0 }, None),
            ConnectionRule::PairwiseBernoulli { p } => {
                if !(0.0..=1.0).contains(p) {
                    return Err(fault("p", *p, "within 0 and 1".into()));
                }
                (Drawing::Bernoulli(*p), (pairs as f64 * p).round() as u64, None)
            }
            &ConnectionRule::FixedTotalNumber { n } => {
                most(n, pairs, "pairs")?;
                (Drawing::Counts(shared(streams.part(0), n_pre, per_row, n, repeats), repeats), n, None)
            }
            &ConnectionRule::FixedOutDegree { n } => {
                most(u64::from(n), per_row.into(), "targets")?;
                (Drawing::Same(n, repeats), u64::from(n) * u64::from(pre), None)
            }
            &ConnectionRule::FixedInDegree { n } => {
                let per_column = pre - u32::from(!autapses).min(pre);
                most(u64::from(n), per_column.into(), "sources")?;
                room_for(u64::from(n) * u64::from(post))?;
                let drawing = in_degree(streams, (pre, post), autapses, n, repeats);
                (drawing, u64::from(n) * u64::from(post), None)
            }
            ConnectionRule::Pairs(pairs) => {
                if let Some(&(i, j)) = pairs.iter().find(|&&(i, j)| i >= pre || j >= post) {
                    let (what, value, n) =
                        if i >= pre { ("source", i, n_pre) } else { ("target", j, n_post) };
                    let requirement = format!("below {n}, the neurons there are");
                    return Err(fault(&format!("{what} of a pair"), f64::from(value), requirement));
                }
                let (drawing, order) = listed(pairs, n_pre, autapses);
                let count = order.iter().filter(|&&k| k != u64::MAX).count();
                (drawing, count as u64, Some(order))
            }
            ConnectionRule::DistanceDependent(profile) => {
                if let Some((parameter, value, requirement)) = profile.fault() {
                    return Err(fault(parameter, value, requirement.into()));
                }
                let Some((from, to)) = places else {
                    return Err(Error::MissingBehaviour {
                        group: projection.into(),
                        behaviour: "Connections by distance".into(),
                        missing: "places of the neurons at both ends".into(),
                        remedy: "Coordinates::grid()` to both populations, as in `Coordinates::default()"
                            .into(),
                    });
                };
                // How many there will be is not known before they are drawn.
                (Drawing::ByDistance(Neighbourhood::new(*profile, from, to)), 0, None)
            }
        };
        Ok((Rows { n_pre: pre, n_post: post, autapses, streams, drawing, count }, order))
    }

    /// The number of source neurons.
    pub fn len(&self) -> usize {
        self.n_pre as usize
    }

    /// Whether there is no source neuron.
    pub fn is_empty(&self) -> bool {
        self.n_pre == 0
    }

    /// How many synapses there are; where each pair is drawn for itself, how many are expected, or 0 if that is unknown.
    pub fn expected(&self) -> u64 {
        self.count
    }

    /// The most synapses that a target neuron comes to have, but for a probability below 1 in 10^15.
    pub fn largest_in_degree(&self) -> u64 {
        match &self.drawing {
            Drawing::All => self.n_pre.into(),
            Drawing::OneToOne => 1,
            Drawing::Listed(_, targets) => {
                let mut counts = vec![0_u64; self.n_post as usize];
                targets.iter().for_each(|&j| counts[j as usize] += 1);
                counts.into_iter().max().unwrap_or(0)
            }
            Drawing::ByDistance(_) => self.n_pre.into(),
            Drawing::Bernoulli(_) | Drawing::Counts(..) | Drawing::Same(..) => {
                let mean = self.count as f64 / f64::from(self.n_post.max(1));
                (mean + 10.0 * mean.sqrt() + 50.0) as u64
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

/// Refuses to list more synapses than there is memory for.
fn room_for(synapses: u64) -> Result<()> {
    let needed = synapses.saturating_mul(size_of::<u32>() as u64);
    match crate::memory::available() {
        Some(available) if needed > available => {
            let gib = |bytes: u64| bytes as f64 / (1_u64 << 30) as f64;
            let reason = format!(
                "about {:.1} GiB are needed to draw them, and {:.1} GiB are free",
                gib(needed),
                gib(available)
            );
            Err(Error::StaticMemory { projections: 1, synapses: synapses.into(), reason })
        }
        _ => Ok(()),
    }
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

fn draw_targets(
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

/// Draws the sources of each target, and turns them into rows.
fn in_degree(streams: Streams, (pre, post): (u32, u32), autapses: bool, n: u32, repeats: Repeats) -> Drawing {
    let mut scratch = RowScratch::default();
    let mut column = Vec::new();
    let mut draw = |j: u32, f: &mut dyn FnMut(u32)| {
        column.clear();
        let per_column = pre - u32::from(!autapses).min(pre);
        draw_targets(&mut streams.part(1 + u64::from(j)), per_column, n, repeats, &mut scratch, &mut column);
        column.iter().for_each(|&i| f(i + u32::from(!autapses && i >= j)));
    };
    let mut starts = vec![0_u64; pre as usize + 1];
    (0..post).for_each(|j| draw(j, &mut |i| starts[i as usize + 1] += 1));
    add_up(&mut starts);
    let mut next = starts.clone();
    let mut targets = vec![0; n as usize * post as usize];
    // Drawn once more, rather than kept: the targets of each row come out ascending.
    for j in 0..post {
        draw(j, &mut |i| {
            targets[next[i as usize] as usize] = j;
            next[i as usize] += 1;
        });
    }
    Drawing::Listed(starts, targets)
}

/// Sorts pairs by source. The second result says where each pair went, `u64::MAX` if it was left out.
fn listed(pairs: &[(u32, u32)], n_pre: usize, autapses: bool) -> (Drawing, Vec<u64>) {
    let stays = |&(i, j): &(u32, u32)| autapses || i != j;
    let mut starts = vec![0_u64; n_pre + 1];
    pairs.iter().filter(|pair| stays(pair)).for_each(|&(i, _)| starts[i as usize + 1] += 1);
    add_up(&mut starts);
    let mut next = starts.clone();
    let mut targets = vec![0; starts[n_pre] as usize];
    let place = pairs.iter().map(|pair| {
        if !stays(pair) {
            return u64::MAX;
        }
        let at = next[pair.0 as usize];
        targets[at as usize] = pair.1;
        next[pair.0 as usize] += 1;
        at
    });
    let order = place.collect();
    (Drawing::Listed(starts, targets), order)
}

fn add_up(counts: &mut [u64]) {
    for k in 1..counts.len() {
        counts[k] += counts[k - 1];
    }
}
