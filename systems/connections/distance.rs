//! Connections that become rarer with distance.

use super::squared;
use crate::Real;
use crate::coordinates::Coordinates;
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

fn places(coordinates: &Coordinates) -> Vec<[Real; 3]> {
    let Coordinates { x, y, z, .. } = coordinates;
    x.iter().zip(y).zip(z).map(|((&x, &y), &z)| [x, y, z]).collect()
}

impl Neighbourhood {
    pub(super) fn new(profile: Profile, pre: &Coordinates, post: &Coordinates) -> Self {
        let mut targets: Vec<_> = places(post).into_iter().zip(0..).collect();
        targets.sort_by(|a, b| a.0[0].total_cmp(&b.0[0]));
        Neighbourhood { profile, sources: places(pre), targets }
    }

    /// Appends the targets of neuron i, ascending.
    pub(super) fn draw(&self, i: u32, autapses: bool, random: &mut Stream, row: &mut Vec<u32>) {
        let Some(&source) = self.sources.get(i as usize) else { return };
        let reach = self.profile.reach();
        let x = f64::from(source[0]);
        let from = self.targets.partition_point(|(place, _)| f64::from(place[0]) < x - reach);
        for &(place, j) in &self.targets[from..] {
            if f64::from(place[0]) > x + reach {
                break;
            }
            let distance = squared(source, place);
            if distance <= reach * reach && (autapses || i != j) {
                // Every pair within reach draws: who is joined does not depend on who else is.
                let u: f64 = random.random();
                if u < self.profile.at(distance) {
                    row.push(j);
                }
            }
        }
        row.sort_unstable();
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.sources[..]) + size_of_val(&self.targets[..])
    }
}
