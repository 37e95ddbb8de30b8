//! The common layout of all static synapses, and what is on its way through it.

use super::assembly::SILENT;
use super::fused::Fused;
use crate::Real;
use crate::dendrite::{DendriteSystems, DendriticCurrents};
use crate::fire::Spikes;
use crate::kernels::poisson::Room;
use crate::kernels::streams::Partition;
use crate::kernels::sums::Arrivals;
use crate::receptors::Receptors;
use crate::schedule::{StepSystems, add_systems};
use crate::time::Clock;
use crate::workers::{Ahead, Workers};
use bevy_ecs::prelude::*;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Neurons of a unit: the least that one part of the targets takes of a population, and the reach of one random stream.
pub(crate) const UNIT: usize = 1024;

/// Sums of a cache line.
const LINE: usize = 16;

/// Some neighbouring neurons of a population, whose arrivals stand together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit {
    /// The first neuron.
    pub first: usize,
    /// How many there are.
    pub len: usize,
    /// The place of the first neuron's first receptor; those of the second receptor follow behind the last neuron.
    pub place: usize,
    /// The part of the layout that it belongs to.
    pub part: usize,
}

impl Unit {
    /// The place behind its own, where the sums of `receptors` a neuron stand. Units begin on cache lines of their own, as
    /// the first does: three times as slow are sums whose vectors lie across two.
    pub(crate) fn end(&self, receptors: usize) -> usize {
        (self.place + self.len * receptors).next_multiple_of(LINE)
    }
}

/// A population that static synapses end on, or that is advanced in units.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub population: Entity,
    /// 1 or 2.
    pub receptors: usize,
    /// What one unit of a stored weight stands for.
    pub weight_unit: f64,
    /// Its units.
    pub units: Range<usize>,
}

/// A population that static synapses come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub population: Entity,
    /// The number of its first neuron among all sources.
    pub first: u32,
    /// The first step whose spikes are carried. Projections of one population that joined at different times are sources
    /// of their own, until what was fired between is no longer under way.
    pub since: u64,
}

/// One part of the layout, with what is due there.
pub(crate) struct Part {
    pub partition: Partition,
    pub arrivals: Arrivals,
    /// The step whose arrivals may be added up before it begins: all that came before is taken up.
    pub next: Option<u64>,
    /// Scratch memory: how many spikes at random come to each neuron of a unit.
    pub counts: Room<UNIT>,
}

/// All static synapses of the network, laid out together.
#[derive(Resource, Default)]
pub struct Delivery {
    pub(crate) parts: Vec<Arc<Mutex<Part>>>,
    pub(crate) sources: Vec<Source>,
    pub(crate) targets: Vec<Target>,
    pub(crate) units: Vec<Unit>,
    /// The projections that are in it.
    pub(super) projections: Vec<Entity>,
    /// Who fired in the last steps, the latest first: source neurons, ascending. As many steps as the longest delay.
    pub(super) history: VecDeque<Vec<(Entity, u32)>>,
    pub(super) longest_delay: usize,
    /// Sources that fired at the last step.
    pub(crate) fired: Vec<u32>,
    /// Whether whoever advances the units adds up the arrivals, part by part: so where all targets are advanced in units.
    pub(crate) deferred: bool,
    /// Whether that is still to be done at this step.
    pub(crate) pending: bool,
    /// Targets that have not taken up yet what arrived at this step.
    pub(super) waiting: usize,
}

impl Delivery {
    /// The number of synapses.
    pub fn synapses(&self) -> u64 {
        self.parts.iter().map(|part| locked(part).partition.synapses()).sum()
    }

    /// Memory that they take \[bytes\].
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(|part| locked(part).partition.bytes()).sum()
    }

    /// Nothing is under way any more.
    pub(super) fn forget(&mut self) {
        self.history.clear();
        for part in &self.parts {
            let mut part = locked(part);
            part.partition.forget();
            part.arrivals.forget();
            part.next = None;
        }
    }

    /// Gives the memory of all synapses back, even if a thread works ahead on them just now.
    pub(super) fn release(&mut self) {
        self.parts.drain(..).for_each(|part| locked(&part).partition.release());
    }

    /// Where a population stands among the targets.
    pub(crate) fn target_of(&self, population: Entity) -> Option<usize> {
        self.targets.iter().position(|target| target.population == population)
    }
}

impl Part {
    /// Takes up the last step's spikes, and adds up what arrives at `step`.
    pub(crate) fn deliver(&mut self, step: u64, fired: &[u32]) {
        self.next = None;
        self.partition.schedule(step, fired.iter().copied());
        self.partition.deliver(step, &mut self.arrivals);
    }
}

impl Ahead for Mutex<Part> {
    fn go_on(&self, stop: &dyn Fn() -> bool) -> bool {
        let part = &mut *locked(self);
        let Some(step) = part.next else { return false };
        let is_left = part.partition.deliver_ahead(step, &mut part.arrivals, stop);
        if !is_left {
            part.next = None;
        }
        is_left
    }
}

/// A part, for whoever is at it: no one holds it across regions but who works ahead, and stops when asked.
pub(crate) fn locked(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Take up the spikes of the last step, and, unless the units do so when they are advanced, add up what arrives now.
fn deliver(clock: Res<Clock>, workers: Res<Workers>, mut delivery: ResMut<Delivery>, spikes: Query<&Spikes>) {
    let delivery = &mut *delivery;
    if delivery.projections.is_empty() {
        return;
    }
    delivery.fired.clear();
    let longest = delivery.longest_delay;
    let mut now = if delivery.history.len() >= longest { delivery.history.pop_back() } else { None }
        .unwrap_or_default();
    now.clear();
    let fired_at = clock.iteration.saturating_sub(1);
    let mut before = None;
    // Sources of one population follow each other.
    for source in &delivery.sources {
        let Ok(spikes) = spikes.get(source.population) else { continue };
        let events = spikes.0.events();
        if fired_at >= source.since {
            delivery.fired.extend(events.iter().map(|&i| source.first + i));
        }
        if before.replace(source.population) != Some(source.population) {
            now.extend(events.iter().map(|&i| (source.population, i)));
        }
    }
    delivery.history.push_front(now);
    delivery.pending = delivery.deferred;
    delivery.waiting = delivery.targets.len();
    if !delivery.pending {
        let (fired, step) = (&delivery.fired, clock.iteration);
        let work = delivery.synapses() as usize / SILENT;
        workers.each(work, delivery.parts.iter(), |part| locked(part).deliver(step, fired));
    }
}

/// For every population that is not advanced in units, hand what arrived to its receptors, or to its dendrite.
fn arrive(
    mut delivery: ResMut<Delivery>,
    mut receptors: Query<&mut Receptors, Without<Fused>>,
    mut dendrites: Query<&mut DendriticCurrents, Without<Receptors>>,
    mut values: Local<Vec<Real>>,
) {
    let Delivery { parts, targets, units, projections, pending, .. } = &mut *delivery;
    if projections.is_empty() || *pending {
        return;
    }
    for target in targets {
        let population = target.population;
        if !receptors.contains(population) && !dendrites.contains(population) {
            continue;
        }
        for unit in &units[target.units.clone()] {
            values.resize(unit.len, 0.0);
            for receptor in 0..target.receptors {
                let place = unit.place + receptor * unit.len;
                let arrivals = &mut locked(&parts[unit.part]).arrivals;
                arrivals.take(place..place + unit.len, target.weight_unit, &mut values);
                let neurons = unit.first..unit.first + unit.len;
                if let Ok(mut receptors) = receptors.get_mut(population) {
                    receptors.arrived[receptor][neurons].copy_from_slice(&values);
                } else if let Ok(mut dendrite) = dendrites.get_mut(population) {
                    let row = dendrite.proximal_mut();
                    if !row.is_empty() {
                        crate::kernels::decay::add(&mut row[neurons], &values);
                    }
                }
            }
        }
    }
}

pub(super) fn install(world: &mut World) {
    world.init_resource::<Delivery>();
    add_systems(world, StepSystems::SynapticInput, deliver);
    add_systems(world, StepSystems::Dendrite, arrive.in_set(DendriteSystems::Arrive));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_unit_begins_on_the_cache_line_behind_the_last_sum() {
        for (len, receptors, expected) in
            [(1024, 1, 1056), (203, 1, 240), (203, 2, 448), (1, 1, 48), (16, 2, 64)]
        {
            let unit = Unit { first: 0, len, place: 32, part: 0 };
            assert_eq!(unit.end(receptors), expected);
        }
    }
}
