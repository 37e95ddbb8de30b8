//! A step of neighbouring neurons that share their numbers, in one pass: what arrives is taken up, the potential
//! integrated and held against the threshold while it is at hand.

use super::poisson::{Counts, add_counts};
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
    pub counts: Counts<'a>,
}

impl<S> Inflow<'_, S> {
    /// Whether it comes in one of the ways that [`step`] knows, for neurons with so many receptors.
    fn is_common(&self, receptors: usize) -> bool {
        let is_known = |random: RandomSpikes<'_>| receptors == 1 && matches!(random.counts, Counts::Few(_));
        self.sums.is_none() || self.added.is_none() && self.random.is_none_or(is_known)
    }
}

simd! {
    wide;
    /// Lets a step pass for neurons with the potentials `v` and the receptors' variables `own`. `crossed` gets one bit a
    /// neuron, set where `v >= threshold` after it. Gives whether every other potential is finite.
    pub fn advance<N: SynapticNeuron, S: Sum>(neuron: N, v: &mut [Real], own: [&mut [Real]; 2], inflow: Inflow<'_, S>,
                                              threshold: Real, crossed: &mut [u32]) -> bool {
        assert_eq!(crossed.len(), v.len().div_ceil(WORD));
        match inflow.input {
            _ if !inflow.is_common(N::RECEPTORS) => step_mixed(neuron, v, own, inflow, threshold, crossed),
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
        (Some([taken, _]), Some(RandomSpikes { weight, counts: Counts::Few(counts), .. }))
            if N::RECEPTORS == 1 =>
        {
            let received = (taken, Spikes { weight, counts });
            step_one(neuron, v, first, input, received, threshold, crossed)
        }
        (Some([taken, _]), _) if N::RECEPTORS == 1 => {
            step_one(neuron, v, first, input, taken, threshold, crossed)
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
            put(received, Taken { sums: &mut sums[receptor][group.clone()], unit });
            if let Some(random) = random.filter(|random| random.receptor == receptor) {
                add_counts(random.counts.within(group.clone()), random.weight, received);
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

/// Sets `out` to a column.
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

/// What spikes at random bring.
struct Spikes<'a> {
    weight: Real,
    counts: &'a [u8],
}

impl Column for Spikes<'_> {
    #[inline(always)]
    fn reaches(&self, n: usize) -> bool {
        self.counts.len() == n
    }

    #[inline(always)]
    fn take(&mut self, j: usize) -> Real {
        self.weight * Real::from(self.counts[j])
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

#[cfg(test)]
mod tests {
    use super::super::synaptic_neurons::{OneCurrent, TwoCurrents};
    use super::*;

    const N: usize = 2 * GROUP + 77;
    const UNIT: f64 = 0.37;
    const WEIGHT: Real = 1.3;
    const THRESHOLD: Real = -50.0;

    const ONE: OneCurrent =
        OneCurrent { v_rest: -65.0, leak: 0.9, from_input: 0.3, decay: 0.8, from_synapse: 0.2 };

    /// What comes to the neurons, and how.
    #[derive(Clone, Copy, Debug)]
    struct Case {
        sums: bool,
        random: Option<usize>,
        few: bool,
        added: bool,
        even: bool,
    }

    fn cases() -> Vec<Case> {
        let mut all = Vec::new();
        for k in 0..48 {
            let (random, sums) = ([None, Some(0), Some(1)][k % 3], k < 24);
            let case =
                Case { sums, random, few: k / 3 % 2 == 0, added: k / 6 % 2 == 0, even: k / 12 % 2 == 0 };
            // Nothing else arrives where there are no sums.
            if sums || random.is_none() && !case.added {
                all.push(case);
            }
        }
        all
    }

    fn values(scale: Real, shift: Real) -> Vec<Real> {
        (0..N).map(|j| (j * 37 % 101) as Real * scale + shift).collect()
    }

    /// A step of all is what [`SynapticNeuron::step`] makes of one after the other.
    fn check<M: SynapticNeuron, S: Sum + From<i8> + PartialEq + std::fmt::Debug>(neuron: M, case: Case) {
        let (mut v, mut own) = (values(0.2, -72.0), [values(0.3, -4.0), values(0.2, 1.0)]);
        v[5] = Real::NAN;
        v[GROUP + 3] = Real::NEG_INFINITY;
        let sums: [Vec<S>; 2] = [1, 2].map(|r| (0..N).map(|j| S::from((j * r % 61) as i8 - 30)).collect());
        let many: Vec<i32> = (0..N as i32).map(|j| j * 7 % 5).collect();
        let few: Vec<u8> = many.iter().map(|&k| k as u8).collect();
        let added = [values(0.5, -3.0), values(0.1, 2.0)];
        let currents = values(0.4, if case.even { 7.0 } else { 0.0 });
        let input = |j: usize| if case.even { 7.0 } else { currents[j] };

        let (mut expected_v, mut expected_own) = (v.clone(), own.clone());
        for j in 0..N {
            let received = [0, 1].map(|r| {
                let mut x = 0.0;
                if case.sums && r < M::RECEPTORS {
                    x = sums[r][j].times(UNIT);
                    if case.random == Some(r) {
                        x += WEIGHT * many[j] as Real;
                    }
                    if case.added {
                        x += added[r][j];
                    }
                }
                x
            });
            let before = [expected_own[0][j], expected_own[1][j]];
            let (after, next) = neuron.step(expected_v[j], before, input(j), received);
            expected_v[j] = after;
            (0..M::RECEPTORS).for_each(|r| expected_own[r][j] = next[r]);
        }

        let mut left = sums.clone();
        let [first_left, second_left] = &mut left;
        let inflow = Inflow {
            sums: case.sums.then_some([&mut first_left[..], &mut second_left[..]]),
            unit: UNIT,
            random: case.random.map(|receptor| RandomSpikes {
                receptor,
                weight: WEIGHT,
                counts: if case.few { Counts::Few(&few) } else { Counts::Many(&many) },
            }),
            added: case.added.then_some([&added[0][..], &added[1][..]]),
            input: if case.even { Input::Even(7.0) } else { Input::Each(&currents) },
        };
        let mut crossed = [u32::MAX; N.div_ceil(WORD)];
        let [first, second] = &mut own;
        let sound = advance(neuron, &mut v, [first, second], inflow, THRESHOLD, &mut crossed);

        let bits = |x: &[Real]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&v[6..]), bits(&expected_v[6..]), "{case:?}");
        (0..2).for_each(|r| assert_eq!(bits(&own[r]), bits(&expected_own[r]), "{case:?}"));
        assert!(!sound, "one potential is not a number");
        let of = |j: usize| crossed[j / WORD] >> (j % WORD) & 1 == 1;
        assert!((0..N).all(|j| of(j) == (expected_v[j] >= THRESHOLD)), "{case:?}");
        assert!((0..N).any(of), "{case:?}");
        let untaken = if case.sums { M::RECEPTORS } else { 0 };
        (0..untaken).for_each(|r| assert!(left[r].iter().all(|sum| *sum == S::default()), "{case:?}"));
        (untaken..2).for_each(|r| assert_eq!(left[r], sums[r], "{case:?}"));
    }

    #[test]
    fn each_way_to_receive_something_is_the_step_of_one_neuron_after_the_other() {
        for case in cases() {
            if case.random != Some(1) {
                check::<_, i32>(ONE, case);
                check::<_, i64>(ONE, case);
            }
            check::<_, i32>(TwoCurrents { first: ONE, decay: 0.7, from_synapse: 0.1 }, case);
            check::<_, i64>(TwoCurrents { first: ONE, decay: 0.7, from_synapse: 0.1 }, case);
        }
    }

    #[test]
    fn all_is_sound_where_every_potential_below_the_threshold_is_finite() {
        for (strange, expected) in
            [(-60.0, true), (Real::INFINITY, true), (Real::NEG_INFINITY, false), (Real::NAN, false)]
        {
            let (mut v, mut own) = (vec![-65.0; N], vec![0.0; N]);
            v[GROUP + 1] = strange;
            let inflow = Inflow {
                sums: None::<[&mut [i32]; 2]>,
                unit: 1.0,
                random: None,
                added: None,
                input: Input::Even(0.0),
            };
            let mut crossed = [0; N.div_ceil(WORD)];
            assert_eq!(
                advance(ONE, &mut v, [&mut own, &mut []], inflow, THRESHOLD, &mut crossed),
                expected,
                "{strange}"
            );
        }
    }
}
