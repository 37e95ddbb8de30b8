//! Connections that become rarer with distance.

use super::ends::{Between, End};
use super::rows::likely_at_most;
use super::squared;
use crate::Real;
use crate::coordinates::Coordinates;
use crate::error::{Error, Result};
use crate::random::Stream;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// The probability of a synapse by the distance d of its neurons, in the unit of their coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Profile {
    /// `p` up to the distance `radius`, 0 beyond.
    Disc {
        /// The probability, within 0 and 1.
        p: f64,
        /// Where it ends, above 0.
        radius: f64,
    },
    /// `p·(1 − d/radius)` up to the distance `radius`, 0 beyond.
    Linear {
        /// The probability at no distance, within 0 and 1.
        p: f64,
        /// Where it ends, above 0.
        radius: f64,
    },
    /// `p·e^(−d²/(2·sigma²))` up to `cutoff`, 0 beyond.
    Gaussian {
        /// The probability at no distance, within 0 and 1.
        p: f64,
        /// The width, above 0.
        sigma: f64,
        /// Where it ends, above 0. A few sigma keep the drawing fast in large populations.
        cutoff: f64,
    },
    /// `p·e^(−d/length)` up to `cutoff`, 0 beyond.
    Exponential {
        /// The probability at no distance, within 0 and 1.
        p: f64,
        /// Over which it falls to 1/e, above 0.
        length: f64,
        /// Where it ends, above 0.
        cutoff: f64,
    },
}

impl Profile {
    /// The probability at the square of a distance.
    fn at(self, squared: f64) -> f64 {
        match self {
            Profile::Disc { p, .. } => p,
            Profile::Linear { p, radius } => p * (1.0 - squared.sqrt() / radius),
            Profile::Gaussian { p, sigma, .. } => p * libm::exp(-0.5 * squared / (sigma * sigma)),
            Profile::Exponential { p, length, .. } => p * libm::exp(-squared.sqrt() / length),
        }
    }

    /// The probability at no distance, which is the largest.
    fn most(self) -> f64 {
        let (Profile::Disc { p, .. }
        | Profile::Linear { p, .. }
        | Profile::Gaussian { p, .. }
        | Profile::Exponential { p, .. }) = self;
        p
    }

    /// Beyond which there is no synapse.
    fn reach(self) -> f64 {
        match self {
            Profile::Disc { radius, .. } | Profile::Linear { radius, .. } => radius,
            Profile::Gaussian { cutoff, .. } | Profile::Exponential { cutoff, .. } => cutoff,
        }
    }

    /// The first of its parameters that makes no sense, and what it must be.
    pub(super) fn fault(self) -> Option<(&'static str, f64, &'static str)> {
        let (p, lengths) = match self {
            Profile::Disc { p, radius } | Profile::Linear { p, radius } => (p, [("radius", radius); 2]),
            Profile::Gaussian { p, sigma, cutoff } => (p, [("sigma", sigma), ("cutoff", cutoff)]),
            Profile::Exponential { p, length, cutoff } => (p, [("length", length), ("cutoff", cutoff)]),
        };
        if !(0.0..=1.0).contains(&p) {
            return Some(("p", p, "within 0 and 1"));
        }
        // An endless reach is a sound one; NaN compares as false.
        let sound = |length: f64| length > 0.0;
        lengths.into_iter().find(|(_, length)| !sound(*length)).map(|(name, x)| (name, x, "above 0"))
    }
}

/// The places of both populations, the targets' sorted along x, so that a row looks at those within reach only.
#[derive(Clone, Debug)]
pub(super) struct Neighbourhood {
    profile: Profile,
    sources: Vec<[Real; 3]>,
    /// Place and number of each target, ascending in x.
    targets: Vec<([Real; 3], u32)>,
}

fn places(end: &End<'_>, coordinates: &Coordinates) -> Vec<[Real; 3]> {
    let Coordinates { x, y, z, .. } = coordinates;
    // That there are more or fewer than neurons is told where the coordinates are checked.
    x.iter().zip(y).zip(z).map(|((&x, &y), &z)| [x, y, z]).take(end.grid.len()).collect()
}

/// Pairs that are looked at to find how many synapses there will be.
const PAIRS: usize = 1 << 24;

impl Neighbourhood {
    /// # Errors
    /// A profile that makes no sense, an end without coordinates.
    pub(super) fn new(profile: Profile, between: &Between<'_>) -> Result<Self> {
        if let Some((parameter, value, requirement)) = profile.fault() {
            return Err(between.fault(parameter, value, requirement.into()));
        }
        let of = |role, end: &End<'_>| match &end.coordinates {
            Some(coordinates) => Ok(places(end, coordinates)),
            None => Err(Error::MissingAtEnd {
                projection: between.projection.into(),
                behaviour: "Connections by distance".into(),
                role,
                population: end.name.into(),
                missing: "coordinates".into(),
                remedy: "Coordinates::grid()".into(),
            }),
        };
        let (sources, targets) = (of("source", &between.source)?, of("target", &between.target)?);
        let mut targets: Vec<_> = targets.into_iter().zip(0..).collect();
        targets.sort_by(|a, b| a.0[0].total_cmp(&b.0[0]));
        Ok(Neighbourhood { profile, sources, targets })
    }

    /// The targets within reach of neuron i, ascending in x, and the probability of a synapse to each.
    fn near(&self, i: u32, autapses: bool) -> impl Iterator<Item = (u32, f64)> + '_ {
        let reach = self.profile.reach();
        let source = self.sources.get(i as usize).copied();
        let x = source.map_or(0.0, |source| f64::from(source[0]));
        let from = self.targets.partition_point(|(place, _)| f64::from(place[0]) < x - reach);
        let in_x = self.targets[from..].iter().take_while(move |(place, _)| f64::from(place[0]) <= x + reach);
        in_x.filter_map(move |&(place, j)| {
            let distance = squared(source?, place);
            let near = distance <= reach * reach && (autapses || i != j);
            near.then(|| (j, self.profile.at(distance)))
        })
    }

    /// Appends the targets of neuron i, ascending.
    pub(super) fn draw(&self, i: u32, autapses: bool, random: &mut Stream, row: &mut Vec<u32>) {
        for (j, p) in self.near(i, autapses) {
            // Every pair within reach draws: who is joined does not depend on who else is.
            let u: f64 = random.random();
            if u < p {
                row.push(j);
            }
        }
        row.sort_unstable();
    }

    /// How many synapses are expected: added up over all pairs or, where these are many, over those of some sources that
    /// are drawn from `random`.
    pub(super) fn expected(&self, autapses: bool, random: &mut Stream) -> u64 {
        let n = self.sources.len();
        let of_row = |i: usize| self.near(i as u32, autapses).map(|(_, p)| p).sum::<f64>();
        let some = (PAIRS / self.targets.len().max(1)).clamp(16, 1024);
        let expected = if n <= some {
            (0..n).map(of_row).sum()
        } else {
            (0..some).map(|_| of_row(random.random_range(0..n))).sum::<f64>() * (n as f64 / some as f64)
        };
        expected.round() as u64
    }

    /// The most synapses that a target comes to have, but for a probability below 1 in 10^15: as if all sources were joined
    /// by the largest probability that lie within reach in one direction.
    pub(super) fn largest_in_degree(&self) -> u64 {
        let reach = self.profile.reach();
        let along = |d: usize| {
            let mut sources: Vec<f64> = self.sources.iter().map(|place| f64::from(place[d])).collect();
            sources.sort_by(f64::total_cmp);
            sources
        };
        let along = [0, 1, 2].map(along);
        let within = |place: [Real; 3], d: usize| {
            let x = f64::from(place[d]);
            let before = |end: f64| along[d].partition_point(|source| *source < end);
            along[d].partition_point(|source| *source <= x + reach) - before(x - reach)
        };
        let near = |place: [Real; 3]| (0..3).map(|d| within(place, d)).min().unwrap_or(0);
        let most = self.targets.iter().map(|(place, _)| near(*place)).max().unwrap_or(0) as u64;
        likely_at_most(most as f64 * self.profile.most()).min(most)
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.sources[..]) + size_of_val(&self.targets[..])
    }
}
