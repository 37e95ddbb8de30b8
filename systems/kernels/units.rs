//! A step of neighbouring neurons that share their numbers, in one pass: what arrives is taken up, the potential
//! integrated and held against the threshold while it is at hand.

use super::sums::Sum;
use super::synaptic_neurons::SynapticNeuron;
use super::{prefetch, simd};
use crate::Real;

/// Neurons that are advanced together.
pub const GROUP: usize = 128;

/// Neurons of a word of [`advance`]'s answer.
pub const WORD: usize = 32;

/// Values of a cache line.
const LINE: usize = 64 / size_of::<Real>();

/// What comes to neurons at a step.
pub struct Inflow<'a, S> {
    /// Sums of what arrives, for each receptor. Taken: none is left. None where it is added to the neurons' own
    /// variables later, and nothing else arrives.
    pub sums: Option<[&'a mut [S]; 2]>,
    /// What one unit of a sum stands for.
    pub unit: f64,
    /// Spikes at random, if there are any.
    pub random: Option<RandomSpikes<'a>>,
    /// What else arrives at the receptors.
    pub added: Option<[&'a [Real]; 2]>,
    /// Input currents.
    pub input: Input<'a>,
    /// Room for what a group receives. All 0 where there are no sums.
    pub received: &'a mut [[Real; GROUP]; 2],
}

/// Input currents.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The same for all neurons, as a group of copies.
    Even(&'a [Real; GROUP]),
    /// One for each.
    Each(&'a [Real]),
}

/// Spikes that arrive at random.
#[derive(Clone, Copy, Debug)]
pub struct RandomSpikes<'a> {
    /// At which receptor.
    pub receptor: usize,
    /// What each brings.
    pub weight: Real,
    /// How many come to each neuron.
    pub counts: &'a [i32],
}

simd! {
    wide;
    /// Lets a step pass for neurons with the potentials `v` and the receptors' variables `own`. `crossed` gets one bit a
    /// neuron, set where `v >= threshold` after it. Gives whether every other potential is finite.
    pub fn advance<N: SynapticNeuron, S: Sum>(neuron: N, v: &mut [Real], own: [&mut [Real]; 2], inflow: &mut Inflow<'_, S>,
                                              threshold: Real, crossed: &mut [u32]) -> bool {
        let n = v.len();
        let two = N::RECEPTORS == 2;
        let Inflow { sums, unit, random, added, input, received } = inflow;
        let [received, received_second] = &mut **received;
        let [first, second] = own;
        assert!(first.len() == n && crossed.len() == n.div_ceil(WORD) && (!two || second.len() == n));
        if let Some([sums, sums_second]) = sums {
            assert!(sums.len() == n && (!two || sums_second.len() == n));
        }
        let mut sound = true;
        for (g, crossed) in crossed.chunks_mut(GROUP / WORD).enumerate() {
            let (at, end) = (g * GROUP, n.min((g + 1) * GROUP));
            let (a, b) = (&mut received[..end - at], &mut received_second[..end - at]);
            for ahead in (end..end + GROUP).step_by(LINE) {
                prefetch(v, ahead);
                prefetch(first, ahead);
            }
            if let Some([sums, sums_second]) = sums {
                for ahead in (end..end + GROUP).step_by(LINE) {
                    prefetch(sums, ahead);
                }
                let random = random.map(|random| RandomSpikes { counts: &random.counts[at..end], ..random });
                take_up(&mut sums[at..end], *unit, random.filter(|random| random.receptor == 0), a);
                if two {
                    take_up(&mut sums_second[at..end], *unit, random.filter(|random| random.receptor == 1), b);
                }
                if let Some([more, more_b]) = added {
                    add_up(a, &more[at..end]);
                    if two {
                        add_up(b, &more_b[at..end]);
                    }
                }
            }
            let input = match *input {
                Input::Even(current) => &current[..end - at],
                Input::Each(currents) => &currents[at..end],
            };
            let v = &mut v[at..end];
            let loud = if two {
                step_two(neuron, v, &mut first[at..end], &mut second[at..end], input, a, b, threshold)
            } else {
                step_one(neuron, v, &mut first[at..end], input, a, threshold)
            };
            crossed.fill(0);
            if loud > 0 {
                for (word, v) in crossed.iter_mut().zip(v.chunks(WORD)) {
                    let mut strange = 0;
                    for (v, j) in v.iter().zip(0..) {
                        *word |= u32::from(*v >= threshold) << j;
                        strange |= u32::from(v.is_nan() | v.is_infinite()) << j;
                    }
                    sound &= strange & !*word == 0;
                }
            }
        }
        sound
    }
}

// What follows are functions of their own so that the compiler knows that their arrays do not overlap.

/// What arrives at a receptor.
#[inline(always)]
fn take_up<S: Sum>(sums: &mut [S], unit: f64, random: Option<RandomSpikes<'_>>, out: &mut [Real]) {
    match random {
        None => take_sums(sums, unit, out),
        Some(RandomSpikes { weight, counts, .. }) => take_sums_and_counts(sums, unit, counts, weight, out),
    }
}

#[inline(always)]
fn take_sums<S: Sum>(sums: &mut [S], unit: f64, out: &mut [Real]) {
    for (x, sum) in out.iter_mut().zip(sums) {
        *x = sum.times(unit);
        *sum = S::default();
    }
}

#[inline(always)]
fn take_sums_and_counts<S: Sum>(sums: &mut [S], unit: f64, counts: &[i32], weight: Real, out: &mut [Real]) {
    for ((x, sum), count) in out.iter_mut().zip(sums).zip(counts) {
        *x = sum.times(unit) + weight * *count as Real;
        *sum = S::default();
    }
}

#[inline(always)]
fn add_up(y: &mut [Real], x: &[Real]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += *x;
    }
}

/// A step of neurons with one receptor. Gives how many are at or above the threshold, or not finite.
#[inline(always)]
fn step_one<N: SynapticNeuron>(
    neuron: N,
    v: &mut [Real],
    own: &mut [Real],
    input: &[Real],
    received: &[Real],
    threshold: Real,
) -> u32 {
    let n = v.len();
    assert!(own.len() == n && input.len() == n && received.len() == n);
    let mut quiet = 0;
    for j in 0..n {
        let (after, [next, _]) = neuron.step(v[j], [own[j], 0.0], input[j], [received[j], 0.0]);
        (v[j], own[j]) = (after, next);
        quiet += u32::from((after < threshold) & (after > Real::NEG_INFINITY));
    }
    n as u32 - quiet
}

/// The same for neurons with two receptors.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "arrays that are known not to overlap")]
fn step_two<N: SynapticNeuron>(
    neuron: N,
    v: &mut [Real],
    first: &mut [Real],
    second: &mut [Real],
    input: &[Real],
    received: &[Real],
    received_second: &[Real],
    threshold: Real,
) -> u32 {
    let n = v.len();
    assert!(first.len() == n && second.len() == n && input.len() == n);
    assert!(received.len() == n && received_second.len() == n);
    let mut quiet = 0;
    for j in 0..n {
        let received = [received[j], received_second[j]];
        let (after, next) = neuron.step(v[j], [first[j], second[j]], input[j], received);
        (v[j], [first[j], second[j]]) = (after, next);
        quiet += u32::from((after < threshold) & (after > Real::NEG_INFINITY));
    }
    n as u32 - quiet
}
