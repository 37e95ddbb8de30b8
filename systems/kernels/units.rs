//! A step of neighbouring neurons that share their numbers, in one pass: what arrives is taken up, the potential
//! integrated and held against the threshold while it is at hand.

use super::simd;
use super::sums::Sum;
use super::synaptic_neurons::SynapticNeuron;
use crate::Real;

/// Neurons that are advanced together.
pub const GROUP: usize = 256;

/// Neurons of a word of [`advance`]'s answer.
pub const WORD: usize = 32;

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
}

/// Input currents.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The same for all neurons.
    Even(Real),
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
    pub fn advance<N: SynapticNeuron, S: Sum>(neuron: N, v: &mut [Real], own: [&mut [Real]; 2], inflow: Inflow<'_, S>,
                                              threshold: Real, crossed: &mut [u32]) -> bool {
        assert_eq!(crossed.len(), v.len().div_ceil(WORD));
        let is_mixed = inflow.added.is_some() || inflow.random.is_some() && N::RECEPTORS == 2;
        match inflow.input {
            _ if is_mixed && inflow.sums.is_some() => step_mixed(neuron, v, own, inflow, threshold, crossed),
            Input::Even(current) => step(neuron, v, own, current, inflow, threshold, crossed),
            Input::Each(currents) => step(neuron, v, own, currents, inflow, threshold, crossed),
        }
    }
}

/// The common ways to receive something: each is compiled on its own, and takes it up where it is needed.
#[inline(always)]
fn step<N: SynapticNeuron, S: Sum>(
    neuron: N,
    v: &mut [Real],
    [first, second]: [&mut [Real]; 2],
    input: impl Column,
    Inflow { sums, unit, random, .. }: Inflow<'_, S>,
    threshold: Real,
    crossed: &mut [u32],
) -> bool {
    let taken = sums.map(|sums| sums.map(|sums| Taken { sums, unit }));
    match (taken, random) {
        (None, _) if N::RECEPTORS == 1 => step_one(neuron, v, first, input, 0.0, threshold, crossed),
        (None, _) => step_two(neuron, v, first, second, input, [0.0; 2], threshold, crossed),
        (Some([taken, _]), None) if N::RECEPTORS == 1 => {
            step_one(neuron, v, first, input, taken, threshold, crossed)
        }
        (Some([taken, _]), Some(random)) if N::RECEPTORS == 1 => {
            step_one(neuron, v, first, input, (taken, random), threshold, crossed)
        }
        (Some(taken), _) => step_two(neuron, v, first, second, input, taken, threshold, crossed),
    }
}

/// All other ways: what arrives is put together before, group by group.
#[inline(always)]
fn step_mixed<N: SynapticNeuron, S: Sum>(
    neuron: N,
    v: &mut [Real],
    [first, second]: [&mut [Real]; 2],
    Inflow { sums, unit, random, added, input }: Inflow<'_, S>,
    threshold: Real,
    crossed: &mut [u32],
) -> bool {
    let sums = sums.unwrap_or_default();
    let mut room = [[0.0; GROUP]; 2];
    let mut sound = true;
    for (g, crossed) in crossed.chunks_mut(GROUP / WORD).enumerate() {
        let group = g * GROUP..v.len().min((g + 1) * GROUP);
        let received = room.each_mut().map(|room| &mut room[..group.len()]);
        for receptor in 0..N::RECEPTORS {
            let received = &mut *received[receptor];
            let taken = Taken { sums: &mut sums[receptor][group.clone()], unit };
            match random.filter(|random| random.receptor == receptor) {
                Some(random) => {
                    let random = RandomSpikes { counts: &random.counts[group.clone()], ..random };
                    put(received, (taken, random));
                }
                None => put(received, taken),
            }
            if let Some(added) = added {
                received.iter_mut().zip(&added[receptor][group.clone()]).for_each(|(x, more)| *x += *more);
            }
        }
        let (v, first) = (&mut v[group.clone()], &mut first[group.clone()]);
        let second = if N::RECEPTORS == 2 { &mut second[group.clone()] } else { &mut [] };
        let received = received.map(|received| &*received);
        sound &= match input {
            Input::Even(current) if N::RECEPTORS == 1 => {
                step_one(neuron, v, first, current, received[0], threshold, crossed)
            }
            Input::Each(currents) if N::RECEPTORS == 1 => {
                step_one(neuron, v, first, &currents[group], received[0], threshold, crossed)
            }
            Input::Even(current) => step_two(neuron, v, first, second, current, received, threshold, crossed),
            Input::Each(currents) => {
                step_two(neuron, v, first, second, &currents[group], received, threshold, crossed)
            }
        };
    }
    sound
}

#[inline(always)]
fn put(out: &mut [Real], mut column: impl Column) {
    assert!(column.reaches(out.len()));
    for (j, x) in out.iter_mut().enumerate() {
        *x = column.take(j);
    }
}

/// A number for each neuron of a group.
trait Column {
    /// Whether there is one for each of `n`.
    fn reaches(&self, n: usize) -> bool;

    /// That of neuron `j`.
    fn take(&mut self, j: usize) -> Real;
}

/// The same for all.
impl Column for Real {
    #[inline(always)]
    fn reaches(&self, _n: usize) -> bool {
        true
    }

    #[inline(always)]
    fn take(&mut self, _j: usize) -> Real {
        *self
    }
}

impl Column for &[Real] {
    #[inline(always)]
    fn reaches(&self, n: usize) -> bool {
        self.len() == n
    }

    #[inline(always)]
    fn take(&mut self, j: usize) -> Real {
        self[j]
    }
}

/// What sums stand for; nothing is left of them.
struct Taken<'a, S> {
    sums: &'a mut [S],
    unit: f64,
}

impl<S: Sum> Column for Taken<'_, S> {
    #[inline(always)]
    fn reaches(&self, n: usize) -> bool {
        self.sums.len() == n
    }

    #[inline(always)]
    fn take(&mut self, j: usize) -> Real {
        std::mem::take(&mut self.sums[j]).times(self.unit)
    }
}

impl Column for RandomSpikes<'_> {
    #[inline(always)]
    fn reaches(&self, n: usize) -> bool {
        self.counts.len() == n
    }

    #[inline(always)]
    fn take(&mut self, j: usize) -> Real {
        self.weight * self.counts[j] as Real
    }
}

/// Both, added up.
impl<A: Column, B: Column> Column for (A, B) {
    #[inline(always)]
    fn reaches(&self, n: usize) -> bool {
        self.0.reaches(n) & self.1.reaches(n)
    }

    #[inline(always)]
    fn take(&mut self, j: usize) -> Real {
        self.0.take(j) + self.1.take(j)
    }
}

// What follows are functions of their own so that the compiler knows that their arrays do not overlap.

/// A step of neurons with one receptor.
#[inline(always)]
fn step_one<N: SynapticNeuron>(
    neuron: N,
    v: &mut [Real],
    own: &mut [Real],
    mut input: impl Column,
    mut received: impl Column,
    threshold: Real,
    crossed: &mut [u32],
) -> bool {
    let n = v.len();
    assert!(own.len() == n && input.reaches(n) && received.reaches(n));
    let mut sound = true;
    for (g, crossed) in crossed.chunks_mut(GROUP / WORD).enumerate() {
        let (at, end) = (g * GROUP, n.min((g + 1) * GROUP));
        let mut quiet = true;
        for j in at..end {
            let (after, [next, _]) = neuron.step(v[j], [own[j], 0.0], input.take(j), [received.take(j), 0.0]);
            (v[j], own[j]) = (after, next);
            quiet &= (after < threshold) & (after > Real::NEG_INFINITY);
        }
        crossed.fill(0);
        if !quiet {
            sound &= find(&v[at..end], threshold, crossed);
        }
    }
    sound
}

/// The same for neurons with two receptors.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "arrays that are known not to overlap")]
fn step_two<N: SynapticNeuron>(
    neuron: N,
    v: &mut [Real],
    first: &mut [Real],
    second: &mut [Real],
    mut input: impl Column,
    [mut received, mut received_second]: [impl Column; 2],
    threshold: Real,
    crossed: &mut [u32],
) -> bool {
    let n = v.len();
    assert!(first.len() == n && second.len() == n && input.reaches(n));
    assert!(received.reaches(n) && received_second.reaches(n));
    let mut sound = true;
    for (g, crossed) in crossed.chunks_mut(GROUP / WORD).enumerate() {
        let (at, end) = (g * GROUP, n.min((g + 1) * GROUP));
        let mut quiet = true;
        for j in at..end {
            let received = [received.take(j), received_second.take(j)];
            let (after, next) = neuron.step(v[j], [first[j], second[j]], input.take(j), received);
            (v[j], [first[j], second[j]]) = (after, next);
            quiet &= (after < threshold) & (after > Real::NEG_INFINITY);
        }
        crossed.fill(0);
        if !quiet {
            sound &= find(&v[at..end], threshold, crossed);
        }
    }
    sound
}

/// Who is at or above the threshold. Says whether all others are finite.
#[inline(always)]
fn find(v: &[Real], threshold: Real, crossed: &mut [u32]) -> bool {
    let mut sound = true;
    for (word, v) in crossed.iter_mut().zip(v.chunks(WORD)) {
        let mut strange = 0;
        for (v, j) in v.iter().zip(0..) {
            *word |= u32::from(*v >= threshold) << j;
            strange |= u32::from(v.is_nan() | v.is_infinite()) << j;
        }
        sound &= strange & !*word == 0;
    }
    sound
}
