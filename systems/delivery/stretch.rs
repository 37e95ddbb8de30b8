//! Neighbouring units of a population, and what a step does to them.

use super::engine::{Part, UNIT, Unit};
use crate::Real;
use crate::dynamics::{MAX_STATE, Membrane, ModelConstants, NeuronModel, Neurons, Threshold, take_front};
use crate::kernels::decay::{add, all_finite};
use crate::kernels::poisson::{Counts, Lanes, PoissonTable, Room, add_counts, tables_from};
use crate::kernels::sums::Sums;
use crate::kernels::synaptic_neurons::SynapticNeuron;
use crate::kernels::threshold::crossings;
use crate::kernels::units::{Inflow, Input, RandomSpikes, WORD, advance};
use crate::parameter::BLOCK;
use crate::random::Streams;
use crate::refractory::{RefractoryPeriod, RestingUnits};
use crate::time::Clock;

/// The units of a population that lie in one part, with all that a step reads and writes of them.
pub(super) struct Own<'a> {
    pub units: &'a [Unit],
    pub receptors: usize,
    pub weight_unit: f64,
    pub membrane: &'a Membrane,
    pub threshold: &'a Threshold,
    pub input: &'a [Real],
    /// The input of all of them, where it is one.
    pub even_input: Option<Real>,
    pub added: Option<[&'a [Real]; 2]>,
    pub drive: Option<Drive<'a>>,
    pub refractory: Option<(&'a RefractoryPeriod, RestingUnits<'a>)>,
    pub v: &'a mut [Real],
    pub state: [&'a mut [Real]; MAX_STATE],
    /// The last step's spikes.
    pub before: &'a [u32],
    /// This step's spikes.
    pub events: Vec<u32>,
    /// Whether all potentials are finite.
    pub sound: bool,
}

/// Spikes at random for a population.
pub(super) struct Drive<'a> {
    pub receptor: usize,
    pub weight: Real,
    /// One table for all neurons, or one for each from the first of the units on.
    pub tables: &'a [PoissonTable],
    /// Each unit draws from its own stream at each step.
    pub streams: Streams,
    /// The stream of the population's first unit at this step.
    pub first_stream: u64,
}

impl Drive<'_> {
    /// How many spikes come to each neuron of a unit, which lies so far behind the first.
    fn draw<'r>(&self, unit: &Unit, offset: usize, room: &'r mut Room<UNIT>) -> Counts<'r> {
        let seed = self.streams.seed(self.first_stream + (unit.first / UNIT) as u64);
        room.draw(tables_from(self.tables, offset), &mut Lanes::new(seed), unit.len)
    }
}

/// Neighbouring neurons of a population at one step, for a [`NeuronModel`] that advances them in one pass.
pub struct Stretch<'t, 'a> {
    own: &'t mut Own<'a>,
    part: &'t mut Part,
    threshold: Real,
    dt: f64,
}

impl Stretch<'_, '_> {
    /// Lets the step pass for neurons that share the numbers `neuron`: they receive, integrate, rest if they fired
    /// lately, and fire. The receptors' variables are the first of the model's
    /// [`STATE`](crate::dynamics::NeuronModel::STATE).
    pub fn advance<N: SynapticNeuron>(&mut self, neuron: N) {
        let Stretch { own, part, threshold, dt } = self;
        let origin = own.units.first().map_or(0, |unit| unit.first);
        let mut crossed = [0_u32; UNIT / WORD];
        // Where little else than silence arrives, that little is brought afterwards.
        let listed = part.arrivals.is_listed() && own.drive.is_none() && own.added.is_none();
        for (k, unit) in own.units.iter().enumerate() {
            let at = unit.first - origin..unit.first - origin + unit.len;
            let crossed = &mut crossed[..unit.len.div_ceil(WORD)];
            let [first, second, ..] = &mut own.state;
            let second = if N::RECEPTORS == 2 { &mut second[at.clone()] } else { &mut [] };
            let variables = [&mut first[at.clone()], second];
            let v = &mut own.v[at.clone()];
            let random = own.drive.as_ref().map(|drive| {
                let counts = drive.draw(unit, at.start, &mut part.counts);
                RandomSpikes { receptor: drive.receptor, weight: drive.weight, counts }
            });
            let added = own.added.map(|added| added.map(|added| added.get(at.clone()).unwrap_or_default()));
            let unit_of = own.weight_unit;
            let input = own.even_input.map_or(Input::Each(&own.input[at.clone()]), Input::Even);
            let places = unit.place..unit.place + unit.len * N::RECEPTORS;
            let sound = match &mut part.arrivals.sums {
                Sums::Bits16(sums) => {
                    let sums = (!listed).then(|| sums[places].split_at_mut(unit.len).into());
                    let inflow = Inflow { sums, unit: unit_of, random, added, input };
                    advance(neuron, v, variables, inflow, *threshold, crossed)
                }
                Sums::Bits32(sums) => {
                    let sums = (!listed).then(|| sums[places].split_at_mut(unit.len).into());
                    let inflow = Inflow { sums, unit: unit_of, random, added, input };
                    advance(neuron, v, variables, inflow, *threshold, crossed)
                }
            };
            if let Some((period, resting)) = &mut own.refractory {
                let fired = within(own.before, unit);
                resting.hold(k, period, fired, own.membrane, *dt, |j, v_reset| {
                    v[j] = v_reset;
                    if v_reset >= *threshold {
                        crossed[j / WORD] |= 1 << (j % WORD);
                    }
                });
            }
            let some = crossed.iter().fold(0, |some, word| some | word) != 0;
            for (word, start) in crossed.iter_mut().zip((0..).step_by(WORD)).take_while(|_| some) {
                while *word != 0 {
                    let j = start + word.trailing_zeros() as usize;
                    *word &= *word - 1;
                    // Not so where a neuron is held since it crossed.
                    if v[j] >= *threshold {
                        v[j] = own.membrane.v_reset.get(unit.first + j);
                        own.events.push((unit.first + j) as u32);
                    }
                }
            }
            // Who rests or fired has been put to its reset since.
            own.sound &= sound || all_finite(v);
        }
        if listed {
            match own.receptors {
                1 => own.take_listed::<1>(part),
                _ => own.take_listed::<2>(part),
            }
        }
    }
}

impl Own<'_> {
    /// Adds what arrived at listed places to the receptors' variables.
    // A function of its own: within the pass it was slower. (`RECEPTORS` so that nothing has to be divided.)
    #[inline(never)]
    fn take_listed<const RECEPTORS: usize>(&mut self, part: &mut Part) {
        let [Some(first), Some(last)] = [self.units.first(), self.units.last()] else { return };
        let places = first.place..last.place + last.len * RECEPTORS;
        let (units, state) = (self.units, &mut self.state);
        part.arrivals.take_listed(places, self.weight_unit, |offset, amount| {
            // All units but the last are full.
            let k = offset / (UNIT * RECEPTORS);
            let within = offset % (UNIT * RECEPTORS);
            let second = usize::from(within >= units[k].len);
            state[second][k * UNIT + within - second * units[k].len] += amount;
        });
    }

    /// Lets the step pass: in one pass where the model can, and else one part of the step after the other.
    pub(super) fn step<M: NeuronModel>(
        &mut self,
        model: &M,
        constants: &ModelConstants,
        part: &mut Part,
        clock: &Clock,
    ) {
        if let Some(threshold) = self.threshold.0.shared() {
            let mut stretch = Stretch { own: self, part, threshold, dt: clock.dt };
            if model.advance(&constants.0, &mut stretch) {
                return;
            }
        }
        for k in 0..self.units.len() {
            self.step_unit(k, model, constants, part, clock);
        }
    }

    fn step_unit<M: NeuronModel>(
        &mut self,
        k: usize,
        model: &M,
        constants: &ModelConstants,
        part: &mut Part,
        clock: &Clock,
    ) {
        let unit = self.units[k];
        let first = unit.first - self.units[0].first;
        let at = first..first + unit.len;
        let mut arrived = [[0.0; UNIT]; 2];
        for (receptor, arrived) in arrived.iter_mut().enumerate().take(self.receptors) {
            let place = unit.place + receptor * unit.len;
            part.arrivals.take(place..place + unit.len, self.weight_unit, &mut arrived[..unit.len]);
        }
        if let Some(drive) = &self.drive {
            let counts = drive.draw(&unit, first, &mut part.counts);
            add_counts(counts, drive.weight, &mut arrived[drive.receptor][..unit.len]);
        }
        if let Some(added) = self.added {
            for receptor in 0..self.receptors {
                add(&mut arrived[receptor][..unit.len], &added[receptor][at.clone()]);
            }
        }
        let v = &mut self.v[at.clone()];
        let mut state = self.state.each_mut().map(|array| array.get_mut(at.clone()).unwrap_or_default());
        for (b, v) in v.chunks_mut(BLOCK).enumerate() {
            let block = b * BLOCK..b * BLOCK + v.len();
            let own_state = std::array::from_fn(|s| take_front(&mut state[s], v.len()));
            let input = &self.input[first + block.start..first + block.end];
            let received =
                [0, 1].map(|r| if r < self.receptors { &arrived[r][block.clone()] } else { &[][..] });
            let neurons = Neurons::of_block(v, input, own_state, clock, unit.first + block.start)
                .receiving(received, &constants.0);
            model.integrate(neurons);
        }
        if let Some((period, resting)) = &mut self.refractory {
            let fired = within(self.before, &unit);
            resting.hold(k, period, fired, self.membrane, clock.dt, |j, v_reset| v[j] = v_reset);
        }
        for (b, v) in v.chunks_mut(BLOCK).enumerate() {
            let start = unit.first + b * BLOCK;
            let from = self.events.len();
            crossings(v, self.threshold.0.block(start, v.len()), start as u32, &mut self.events);
            for &j in &self.events[from..] {
                v[j as usize - start] = self.membrane.v_reset.get(j as usize);
            }
            self.sound &= all_finite(v);
        }
    }
}

/// Those of the ascending `events` that lie within `unit`.
fn within<'e>(events: &'e [u32], unit: &Unit) -> &'e [u32] {
    let at = |end: usize| events.partition_point(|&j| (j as usize) < end);
    &events[at(unit.first)..at(unit.first + unit.len)]
}
