//! Random numbers that depend on the seed and on what they are for, never on threads or on order.

use bevy_ecs::prelude::*;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The generator that everything draws from.
pub type Stream = Xoshiro256PlusPlus;

/// The network's seed: every random draw follows from it.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Default for Seed {
    fn default() -> Self {
        Seed(1)
    }
}

impl Seed {
    /// The stream for one `purpose` of the group `name`; `part` is a chunk, a row, a step or whatever else tells
    /// draws apart that may be made in any order.
    pub fn stream(self, purpose: &str, name: &str, part: u64) -> Stream {
        self.streams(purpose, name).part(part)
    }

    /// The streams for one `purpose` of the group `name`, of which there may be many.
    pub fn streams(self, purpose: &str, name: &str) -> Streams {
        let mut key = mix(self.0);
        for bytes in [purpose.as_bytes(), name.as_bytes()] {
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            key = mix(key ^ bytes.len() as u64);
            for byte in bytes {
                key = mix(key ^ u64::from(*byte));
            }
        }
        Streams(key)
    }
}

/// The streams for one purpose of one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streams(u64);

impl Streams {
    /// The stream of one part: a chunk, a row, a step or whatever else tells draws apart that may be made in any order.
    pub fn part(self, part: u64) -> Stream {
        Stream::seed_from_u64(self.seed(part))
    }

    /// What that stream begins with, for generators of another kind.
    pub fn seed(self, part: u64) -> u64 {
        mix(self.0 ^ part)
    }
}

/// SplitMix64's finalizer (Steele, Lea & Flood 2014, doi 10.1145/2660193.2660195): a bijection with full avalanche.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn streams_differ_by_purpose_name_and_part() {
        let first = |s: &mut Stream| s.next_u64();
        let base = first(&mut Seed(1).stream("noise", "exc", 0));
        assert_eq!(base, first(&mut Seed(1).stream("noise", "exc", 0)));
        for mut other in [
            Seed(2).stream("noise", "exc", 0),
            Seed(1).stream("weights", "exc", 0),
            Seed(1).stream("noise", "inh", 0),
            Seed(1).stream("noise", "exc", 1),
            Seed(1).stream("noisee", "xc", 0),
        ] {
            assert_ne!(base, first(&mut other));
        }
    }
}
