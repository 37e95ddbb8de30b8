//! Static synapses are laid out, all projections together.

use super::connect::{DrawnRow, StaticSynapses};
use super::engine::{Delivery, Part, Source, Target, UNIT, Unit, locked};
use super::writing::{Layout, write};
use super::{Static, WeightBits};
use crate::error::{Error, Problems, Result};
use crate::group::{Population, Unbuilt};
use crate::kernels::poisson::Room;
use crate::kernels::streams::Width;
use crate::kernels::sums::{Arrivals, PLACES};
use crate::receptors::Receptors;
use crate::relations::{Postsynaptic, Presynaptic, SubPopulation};
use crate::schedule::{BuildSystems, add_build_systems};
use crate::time::Clock;
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// How many synapses of a neuron cost as much as to advance it: what a part has to do follows from both.
const NEURON_COST: u64 = 4000;

/// Of so many synapses one brings something at a step, as a guess.
pub(super) const SILENT: usize = 1000;

/// What the first thread does on its own at a step, in proportion to what all do: its parts get so much less. The others
/// are then through before it and [work ahead](crate::workers::Ahead). Measured for networks of 40,000 and more neurons.
const ALONE: f64 = 0.03;

/// One projection, on its way into the layout.
pub(super) struct Plan {
    entity: Entity,
    source: Entity,
    /// The first step whose spikes it carries, or 0 where what was fired before that is no longer under way.
    since: u64,
    pub(super) target: Entity,
    /// The neurons of the whole that the target's neurons are, where it is a part of one.
    pub(super) of_whole: Option<Vec<u32>>,
    pub(super) synapses: StaticSynapses,
}

impl Plan {
    pub(super) fn is_from(&self, source: &Source) -> bool {
        (self.source, self.since) == (source.population, source.since)
    }
}

/// Lay all static synapses out anew, where some came or went; where the network starts again, let nothing be on its way.
fn assemble(world: &mut World) {
    if !world.resource::<Problems>().is_empty() {
        return;
    }
    // Those that are switched off join anew when they are switched on.
    for mut synapses in world.query_filtered::<&mut StaticSynapses, Without<Static>>().iter_mut(world) {
        synapses.since = None;
    }
    let mut plans = plans(world);
    let entities: Vec<Entity> = plans.iter().map(|plan| plan.entity).collect();
    let mut units_wanted = world.query_filtered::<&Unbuilt, With<Receptors>>();
    let fresh_targets = units_wanted.iter(world).any(|unbuilt| *unbuilt != Unbuilt::Reset);
    let reset = world.query::<&Unbuilt>().iter(world).any(|unbuilt| *unbuilt == Unbuilt::Reset);
    let delivery = world.resource::<Delivery>();
    let joins = |plan: &Plan| plan.synapses.count.is_none() || plan.synapses.since.is_none();
    let changed = delivery.projections != entities || plans.iter().any(joins) || fresh_targets;
    if reset {
        world.resource_mut::<Delivery>().forget();
    }
    if !changed {
        return;
    }
    let history = std::mem::take(&mut world.resource_mut::<Delivery>().history);
    let now = world.resource::<Clock>().iteration;
    date(world, &mut plans, now, history.len() as u64);
    // The old layout goes first: there may not be memory for both.
    world.resource_mut::<Delivery>().release();
    world.insert_resource(Delivery::default());
    match lay_out(world, &mut plans) {
        Ok(mut delivery) => {
            take_up(&mut delivery, history, now);
            for plan in plans {
                world.entity_mut(plan.entity).insert(plan.synapses);
            }
            world.insert_resource(delivery);
        }
        Err(error) => {
            // What is under way waits for a network that can be laid out.
            world.resource_mut::<Delivery>().history = history;
            world.resource_mut::<Problems>().push(error);
        }
    }
}

/// Projections that join carry the spikes of the steps to come, and those with which their source or the network starts.
/// `remembered` steps of spikes are under way.
fn date(world: &World, plans: &mut [Plan], now: u64, remembered: u64) {
    for plan in plans {
        let source_starts = world.get::<Unbuilt>(plan.source) == Some(&Unbuilt::New);
        let next = if now == 0 || source_starts { now } else { now + 1 };
        let since = *plan.synapses.since.get_or_insert(next);
        plan.since = if since + remembered <= now { 0 } else { since };
    }
}

fn plans(world: &mut World) -> Vec<Plan> {
    let mut query =
        world.query_filtered::<(Entity, &Presynaptic, &Postsynaptic, &StaticSynapses), With<Static>>();
    let found = query.iter(world).map(|(entity, pre, post, synapses)| {
        let part = world.get::<SubPopulation>(post.0);
        Plan {
            entity,
            source: pre.0,
            since: 0,
            target: part.map_or(post.0, |part| part.of),
            of_whole: part.map(|part| part.neurons.clone()),
            synapses: synapses.clone(),
        }
    });
    let mut plans: Vec<Plan> = found.collect();
    plans.sort_by_key(|plan| plan.entity);
    plans
}

/// What was under way is under way again.
fn take_up(delivery: &mut Delivery, history: VecDeque<Vec<(Entity, u32)>>, now: u64) {
    let Delivery { parts, sources, .. } = &mut *delivery;
    for (age, fired) in history.iter().enumerate() {
        // The latest entry was taken up at the last step, from spikes of the step before that.
        let fired_at = now.saturating_sub(age as u64 + 1);
        let fired = || {
            fired.iter().flat_map(|(population, i)| {
                let carries =
                    move |source: &&Source| source.population == *population && source.since <= fired_at;
                sources.iter().filter(carries).map(move |source| source.first + i)
            })
        };
        parts.iter().for_each(|part| {
            locked(part).partition.schedule_late(now + 1, age as u64 + 2, fired());
        });
    }
    delivery.history = history;
    delivery.history.truncate(delivery.longest_delay);
}

fn lay_out(world: &mut World, plans: &mut [Plan]) -> Result<Delivery> {
    let width = if plans
        .iter()
        .all(|plan| world.get::<Static>(plan.entity).is_some_and(|kind| kind.weights == WeightBits::Bits16))
        && !plans.is_empty()
    {
        Width::Bits16
    } else {
        Width::Bits32
    };
    let size = |world: &World, population| world.get::<Population>(population).map_or(0, Population::size);
    let mut carrying: Vec<(Entity, u64)> = plans.iter().map(|plan| (plan.source, plan.since)).collect();
    carrying.sort();
    carrying.dedup();
    let (mut sources, mut n_sources) = (Vec::with_capacity(carrying.len()), 0_u64);
    for (population, since) in carrying {
        sources.push(Source { population, first: n_sources as u32, since });
        n_sources += size(world, population) as u64;
    }
    if n_sources > u64::from(u32::MAX) {
        let reason = "more than 2^32 source neurons cannot be told apart".into();
        return Err(out_of_memory(plans, reason, width));
    }
    // Populations with receptors have units too, so that they can be advanced with the others.
    let mut populations: Vec<Entity> =
        world.query_filtered::<Entity, With<Receptors>>().iter(world).collect();
    populations.sort();
    for plan in &*plans {
        if !populations.contains(&plan.target) {
            populations.push(plan.target);
        }
    }
    let workers = world.resource::<Workers>();
    // Before anything is drawn: to find the largest weight, all may have to be.
    check_memory(plans, n_sources, workers.threads(), width)?;
    let mut targets = Vec::new();
    let mut units = Vec::new();
    let mut loads = Vec::new();
    for &population in &populations {
        let n = size(world, population);
        let receptors = world.get::<Receptors>(population).map_or(1, Receptors::count).max(1);
        let afferents = || plans.iter().filter(|plan| plan.target == population);
        let weight_unit = weight_unit(afferents(), width, workers)?;
        let incoming: u64 = afferents().map(|plan| plan.synapses.rows().expected()).sum();
        let first = units.len();
        for from in (0..n).step_by(UNIT) {
            let len = UNIT.min(n - from);
            units.push(Unit { first: from, len, place: 0, part: 0 });
            loads.push((incoming / n as u64 + NEURON_COST) * len as u64);
        }
        targets.push(Target { population, receptors, weight_unit, units: first..units.len() });
    }
    for plan in &mut *plans {
        let target = targets.iter().find(|target| target.population == plan.target);
        let largest = if width == Width::Bits16 { i32::from(i16::MAX) } else { 1 << 30 };
        plan.synapses.stored = target.map(|target| (target.weight_unit, largest));
    }
    let neurons: usize = units.iter().map(|unit| unit.len).sum();
    let expected: u64 = plans.iter().map(|plan| plan.synapses.rows().expected()).sum();
    // What is not worth a second thread is laid out for one.
    let threads = workers.threads_for(neurons + expected as usize / SILENT);
    let n_parts = divide(&mut units, &loads, &targets, threads);
    let n_sources = n_sources as usize;
    let layout =
        Layout { sources: &sources, n_sources, targets: &targets, units: &units, parts: n_parts, width };
    let (partitions, longest_delay) = write(plans, &layout, workers)?;
    let longest_delay = longest_delay as usize;
    let mut places = vec![0; n_parts];
    for target in &targets {
        let own = &units[target.units.clone()];
        own.iter().for_each(|unit| places[unit.part] = unit.end(target.receptors));
    }
    let part = |(partition, places)| Part {
        partition,
        arrivals: Arrivals::new(width, places),
        next: None,
        counts: Room::new(),
    };
    let parts: Vec<Part> = partitions.into_iter().zip(places).map(part).collect();
    let (bytes, synapses) = parts.iter().fold((0, 0), |(bytes, synapses), part| {
        (bytes + part.partition.bytes(), synapses + part.partition.synapses())
    });
    for plan in &mut *plans {
        let own = plan.synapses.count.unwrap_or(0) as f64 / (synapses as f64).max(1.0);
        plan.synapses.bytes = plan.synapses.rows().bytes() + (own * bytes as f64) as usize;
    }
    let projections = plans.iter().map(|plan| plan.entity).collect();
    let parts = parts.into_iter().map(|part| Arc::new(Mutex::new(part))).collect();
    Ok(Delivery { parts, sources, targets, units, projections, longest_delay, ..Delivery::default() })
}

pub(super) fn out_of_memory(plans: &[Plan], reason: String, width: Width) -> Error {
    let synapses = plans.iter().map(|plan| u128::from(plan.synapses.count())).sum();
    let remedy = match width {
        Width::Bits16 => "Make the network smaller",
        Width::Bits32 => "Make the network smaller, or store weights in 16 bits (`Static::bits16()`)",
    };
    Error::StaticMemory { projections: plans.len(), synapses, reason, remedy }
}

/// Says how much memory the layout will take, and refuses to take more than there is.
fn check_memory(plans: &[Plan], sources: u64, parts: usize, width: Width) -> Result<()> {
    let synapses: u128 = plans.iter().map(|plan| u128::from(plan.synapses.count())).sum();
    let each = if width == Width::Bits16 { WeightBits::Bits16 } else { WeightBits::Bits32 }.bytes();
    // Places, and a segment for each of the delays that a row has in a part.
    let beside = (sources + PLACES as u64) * parts as u64 * 8;
    let needed = (synapses as f64 * each) as u128 + u128::from(beside);
    tracing::info!(synapses, bytes = needed, "laying out static synapses");
    crate::memory::check_room(needed).map_err(|reason| out_of_memory(plans, reason, width))
}

/// What one unit of a stored weight stands for: as fine as the largest weight and the sums allow.
fn weight_unit<'a>(
    afferents: impl Iterator<Item = &'a Plan> + Clone,
    width: Width,
    workers: &Workers,
) -> Result<f64> {
    let mut largest = 0.0_f64;
    for plan in afferents.clone() {
        largest = largest.max(largest_weight(plan, workers)?);
    }
    if largest == 0.0 || !largest.is_finite() {
        return Ok(1.0);
    }
    let in_degree: u64 = afferents.map(|plan| plan.synapses.rows().largest_in_degree()).sum();
    // If all that can arrive at once did, the sum would still be one of 51 bits, or of 32.
    Ok(match width {
        // A power of two, so that what was a 32-bit float stays it.
        Width::Bits32 => {
            let crowd = libm::ceil(libm::log2(in_degree as f64 / f64::from(1 << 20))).max(0.0);
            libm::exp2(libm::ceil(libm::log2(largest)) - 30.0 + crowd)
        }
        Width::Bits16 => {
            let crowd = (in_degree as f64 * f64::from(i16::MAX) / f64::from(i32::MAX)).max(1.0);
            largest / f64::from(i16::MAX) * crowd
        }
    })
}

/// The largest weight of a projection; where it is not known beforehand, all are drawn to see.
fn largest_weight(plan: &Plan, workers: &Workers) -> Result<f64> {
    let synapses = &plan.synapses;
    if let Some(largest) = synapses.largest() {
        return Ok(largest);
    }
    let n = synapses.rows().len();
    let mut of_chunks: Vec<Result<f64>> = Vec::new();
    of_chunks.resize_with(n.div_ceil(UNIT), || Ok(0.0));
    workers.each(usize::MAX, of_chunks.iter_mut().enumerate(), |(k, largest)| {
        let mut row = DrawnRow::default();
        let rows = k * UNIT..n.min((k + 1) * UNIT);
        *largest = rows.into_iter().try_fold(0.0_f64, |largest, i| {
            synapses.draw_targets(i as u32, &mut row);
            synapses.draw_weights(i as u32, &mut row)?;
            Ok(row.weights.iter().fold(largest, |most, w| most.max(f64::from(w.abs()))))
        });
    });
    let mut largest = 0.0_f64;
    for of_chunk in of_chunks {
        largest = largest.max(of_chunk?);
    }
    Ok(largest * f64::from(synapses.gain.abs()))
}

/// Divides the units among parts, so that all threads have as much to do, and gives each its place there. As many parts as
/// threads, or a multiple of that where the places of a part would run out.
///
/// Each population is spread over all parts: they then have as much to do as each other at every step, whichever
/// populations are active.
fn divide(units: &mut [Unit], loads: &[u64], targets: &[Target], threads: usize) -> usize {
    let threads = threads.max(1);
    let mut parts = threads;
    loop {
        let first_thread_has = parts / threads;
        let even = 1.0 / parts as f64;
        let beside = (ALONE / first_thread_has as f64).min(even / 2.0);
        let share = |part: usize| {
            let less = if part < first_thread_has { beside } else { 0.0 };
            even + beside / threads as f64 - less
        };
        let (mut done, mut places) = (vec![0; parts], vec![0; parts]);
        let mut total = 0;
        for target in targets {
            total += loads[target.units.clone()].iter().sum::<u64>();
            let mut part = 0;
            for at in target.units.clone() {
                // A unit goes where most of it belongs.
                while part + 1 < parts && (done[part] + loads[at] / 2) as f64 > total as f64 * share(part) {
                    part += 1;
                }
                (units[at].place, units[at].part) = (places[part], part);
                places[part] = units[at].end(target.receptors);
                done[part] += loads[at];
            }
        }
        if places.iter().all(|&places| places <= PLACES) {
            return parts;
        }
        parts += threads;
    }
}

pub(super) fn install(world: &mut World) {
    add_build_systems(world, BuildSystems::Derive, assemble);
}
