//! Static synapses are laid out, all projections together.

use super::connect::{DrawnRow, StaticSynapses};
use super::engine::{Delivery, Part, Source, Target, UNIT, Unit};
use super::{Static, WeightBits};
use crate::error::{Error, Problems, Result};
use crate::group::{Population, Unbuilt};
use crate::kernels::streams::{Arrivals, PLACES, Partition, Row, Synapse, Width, Writer};
use crate::receptors::Receptors;
use crate::relations::{Postsynaptic, Presynaptic, SubPopulation};
use crate::schedule::{BuildSystems, add_build_systems};
use crate::time::Clock;
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many synapses of a neuron cost as much as to advance it: what a part has to do follows from both.
const NEURON_COST: u64 = 4000;

/// One projection, on its way into the layout.
struct Plan {
    entity: Entity,
    name: String,
    source: Entity,
    target: Entity,
    /// The neurons of the whole that the target's neurons are, where it is a part of one.
    of_whole: Option<Vec<u32>>,
    synapses: StaticSynapses,
}

/// Where the neurons of one target stand.
struct Places<'a> {
    units: &'a [Unit],
    receptors: usize,
    stored: (f64, i32),
}

/// Lay all static synapses out anew, where some came or went; where the network starts again, let nothing be on its way.
fn assemble(world: &mut World) {
    if !world.resource::<Problems>().is_empty() {
        return;
    }
    let mut plans = plans(world);
    let entities: Vec<Entity> = plans.iter().map(|plan| plan.entity).collect();
    let mut units_wanted = world.query_filtered::<Entity, (With<Receptors>, With<Unbuilt>)>();
    let fresh_targets = units_wanted.iter(world).next().is_some();
    let reset = world.query::<&Unbuilt>().iter(world).any(|unbuilt| *unbuilt == Unbuilt::Reset);
    let delivery = world.resource::<Delivery>();
    let changed = delivery.projections != entities
        || plans.iter().any(|plan| plan.synapses.count.is_none())
        || (fresh_targets && !reset);
    if reset {
        world.resource_mut::<Delivery>().history.clear();
    }
    if !changed && (!reset || entities.is_empty()) {
        return;
    }
    let history = std::mem::take(&mut world.resource_mut::<Delivery>().history);
    // The old layout goes first: there may not be memory for both.
    world.insert_resource(Delivery::default());
    match lay_out(world, &mut plans) {
        Ok(mut delivery) => {
            take_up(&mut delivery, history, world.resource::<Clock>().iteration);
            for plan in plans {
                world.entity_mut(plan.entity).insert(plan.synapses);
            }
            world.insert_resource(delivery);
        }
        Err(error) => world.resource_mut::<Problems>().push(error),
    }
}

fn plans(world: &mut World) -> Vec<Plan> {
    let mut query =
        world.query_filtered::<(Entity, &Name, &Presynaptic, &Postsynaptic, &StaticSynapses), With<Static>>();
    let found = query.iter(world).map(|(entity, name, pre, post, synapses)| {
        let part = world.get::<SubPopulation>(post.0);
        Plan {
            entity,
            name: name.to_string(),
            source: pre.0,
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
        let fired = || {
            fired.iter().filter_map(|(population, i)| {
                sources.iter().find(|source| source.population == *population).map(|source| source.first + i)
            })
        };
        parts.iter_mut().for_each(|part| part.partition.schedule_late(now + 1, age as u64 + 2, fired()));
    }
    delivery.history = history;
    delivery.history.truncate(delivery.longest_delay);
}

fn lay_out(world: &mut World, plans: &mut [Plan]) -> Result<Delivery> {
    let size = |world: &World, population| world.get::<Population>(population).map_or(0, Population::size);
    let mut sources: Vec<Source> = Vec::new();
    let mut n_sources = 0_u64;
    for plan in &*plans {
        if !sources.iter().any(|source| source.population == plan.source) {
            sources.push(Source { population: plan.source, first: n_sources as u32 });
            n_sources += size(world, plan.source) as u64;
        }
    }
    if n_sources > u64::from(u32::MAX) {
        return Err(out_of_memory(plans, "more than 2^32 source neurons cannot be told apart".into()));
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
    let width = if plans
        .iter()
        .all(|plan| world.get::<Static>(plan.entity).is_some_and(|kind| kind.weights == WeightBits::Bits16))
        && !plans.is_empty()
    {
        Width::Bits16
    } else {
        Width::Bits32
    };
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
        let weight_unit = weight_unit(afferents(), width, workers);
        let incoming: u64 = afferents().map(|plan| plan.synapses.rows().expected()).sum();
        let first = units.len();
        for from in (0..n).step_by(UNIT) {
            let len = UNIT.min(n - from);
            units.push(Unit { target: targets.len(), first: from, len, place: 0, part: 0 });
            loads.push((incoming / n as u64 + NEURON_COST) * len as u64);
        }
        targets.push(Target { population, receptors, weight_unit, units: first..units.len() });
    }
    for plan in &mut *plans {
        let target = targets.iter().find(|target| target.population == plan.target);
        let largest = if width == Width::Bits16 { i32::from(i16::MAX) } else { 1 << 30 };
        plan.synapses.stored = target.map(|target| (target.weight_unit, largest));
    }
    let n_parts = divide(&mut units, &loads, &targets, workers.threads());
    let partitions = write(plans, &sources, &targets, &units, n_sources as usize, n_parts, width, workers)?;
    let longest_delay = partitions.1 as usize;
    let parts = partitions.0.into_iter();
    let parts: Vec<Part> =
        parts.map(|partition| Part { partition, arrivals: Arrivals::new(width) }).collect();
    let (bytes, synapses) = parts.iter().fold((0, 0), |(bytes, synapses), part| {
        (bytes + part.partition.bytes(), synapses + part.partition.synapses())
    });
    for plan in &mut *plans {
        let own = plan.synapses.count.unwrap_or(0) as f64 / (synapses as f64).max(1.0);
        plan.synapses.bytes = plan.synapses.rows().bytes() + (own * bytes as f64) as usize;
    }
    let projections = plans.iter().map(|plan| plan.entity).collect();
    Ok(Delivery { parts, sources, targets, units, projections, longest_delay, ..Delivery::default() })
}

fn out_of_memory(plans: &[Plan], reason: String) -> Error {
    let synapses = plans.iter().map(|plan| u128::from(plan.synapses.count())).sum();
    Error::StaticMemory { projections: plans.len(), synapses, reason }
}

/// Says how much memory the layout will take, and refuses to take more than there is.
fn check_memory(plans: &[Plan], sources: u64, parts: usize, width: Width) -> Result<()> {
    let synapses: u64 = plans.iter().map(|plan| plan.synapses.count()).sum();
    let each = if width == Width::Bits16 { 4.25 } else { 6.25 };
    // Places, and a segment for each of the delays that a row has in a part.
    let needed =
        (synapses as f64 * each) as u64 + sources * parts as u64 * 8 + parts as u64 * (PLACES as u64) * 8;
    tracing::info!(synapses, bytes = needed, "laying out static synapses");
    match crate::memory::available() {
        Some(available) if needed > available => {
            let gib = |bytes: u64| bytes as f64 / (1 << 30) as f64;
            let reason =
                format!("about {:.1} GiB are needed, and {:.1} GiB are free", gib(needed), gib(available));
            Err(out_of_memory(plans, reason))
        }
        _ => Ok(()),
    }
}

/// What one unit of a stored weight stands for: as fine as the largest weight and the sums allow.
fn weight_unit<'a>(
    afferents: impl Iterator<Item = &'a Plan> + Clone,
    width: Width,
    workers: &Workers,
) -> f64 {
    let largest = afferents.clone().map(|plan| largest_weight(plan, workers)).fold(0.0, f64::max);
    if largest == 0.0 || !largest.is_finite() {
        return 1.0;
    }
    let in_degree: u64 = afferents.map(|plan| plan.synapses.rows().largest_in_degree()).sum();
    // If all that can arrive at once did, the sum would still be one of 51 bits, or of 32.
    match width {
        // A power of two, so that what was a 32-bit float stays it.
        Width::Bits32 => {
            let crowd = libm::ceil(libm::log2(in_degree as f64 / f64::from(1 << 20))).max(0.0);
            libm::exp2(libm::ceil(libm::log2(largest)) - 30.0 + crowd)
        }
        Width::Bits16 => {
            let crowd = (in_degree as f64 * f64::from(i16::MAX) / f64::from(i32::MAX)).max(1.0);
            largest / f64::from(i16::MAX) * crowd
        }
    }
}

/// The largest weight of a projection; where it is not known beforehand, all are drawn to see.
fn largest_weight(plan: &Plan, workers: &Workers) -> f64 {
    plan.synapses.largest().unwrap_or_else(|| {
        let n = plan.synapses.rows().len();
        let chunks = n.div_ceil(UNIT);
        let mut largest = vec![0.0_f64; chunks];
        workers.each(usize::MAX, largest.iter_mut().enumerate(), |(k, largest)| {
            let mut row = DrawnRow::default();
            for i in k * UNIT..n.min((k + 1) * UNIT) {
                plan.synapses.draw_targets(i as u32, &mut row);
                plan.synapses.draw_weights(i as u32, &mut row);
                *largest = row.weights.iter().fold(*largest, |most, w| most.max(f64::from(w.abs())));
            }
        });
        largest.into_iter().fold(0.0, f64::max) * f64::from(plan.synapses.gain.abs())
    })
}

/// Divides the units among parts, about equally, and gives each its place there. As many parts as threads, or a multiple
/// of that where the places of a part would run out.
fn divide(units: &mut [Unit], loads: &[u64], targets: &[Target], threads: usize) -> usize {
    let mut parts = threads.max(1);
    loop {
        let total: u64 = loads.iter().sum();
        let (mut first, mut done) = (0, 0);
        let mut fits = true;
        for part in 0..parts {
            let goal = total as u128 * (part as u128 + 1) / parts as u128;
            let mut end = first;
            let mut place = 0;
            // A unit goes where most of it belongs.
            while end < units.len() && (u128::from(done + loads[end] / 2) <= goal || part + 1 == parts) {
                let unit = &mut units[end];
                (unit.place, unit.part) = (place, part);
                place += unit.len * targets[unit.target].receptors;
                done += loads[end];
                end += 1;
            }
            fits &= place <= PLACES;
            first = end;
        }
        if fits {
            return parts;
        }
        parts += threads.max(1);
    }
}

/// Sources whose rows one task writes.
const SOURCES_PER_TASK: usize = 256;

#[expect(clippy::too_many_arguments, reason = "all that a layout depends on")]
fn write(
    plans: &mut [Plan],
    sources: &[Source],
    targets: &[Target],
    units: &[Unit],
    n_sources: usize,
    parts: usize,
    width: Width,
    workers: &Workers,
) -> Result<(Vec<Partition>, u32)> {
    let by_source: Vec<Vec<usize>> = sources
        .iter()
        .map(|source| (0..plans.len()).filter(|&k| plans[k].source == source.population).collect())
        .collect();
    let places: Vec<Places<'_>> = plans
        .iter()
        .map(|plan| {
            let target = targets.iter().find(|target| target.population == plan.target);
            let units = target.map_or(&[][..], |target| &units[target.units.clone()]);
            let receptors = target.map_or(1, |target| target.receptors);
            Places { units, receptors, stored: plan.synapses.stored.unwrap_or((1.0, 1)) }
        })
        .collect();
    let per_task = SOURCES_PER_TASK;
    let n_tasks = n_sources.div_ceil(per_task);
    // A writer for each thread and part: where a row comes to lie depends on who was faster, what it says does not.
    let makers: Vec<Mutex<Maker>> =
        (0..workers.threads()).map(|_| Mutex::new(Maker::new(parts, width, plans.len()))).collect();
    let written: Vec<Mutex<Option<(usize, TaskRows)>>> = (0..n_tasks).map(|_| Mutex::new(None)).collect();
    let (next, fault): (AtomicUsize, Mutex<Option<Error>>) = Default::default();
    let all = &*plans;
    workers.broadcast(|thread| {
        let mut maker = makers[thread].lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task >= n_tasks || fault.lock().is_ok_and(|fault| fault.is_some()) {
                break;
            }
            let range = task * per_task..n_sources.min((task + 1) * per_task);
            match maker.write(range, all, sources, &by_source, &places) {
                Ok(rows) => {
                    *written[task].lock().unwrap_or_else(PoisonError::into_inner) = Some((thread, rows))
                }
                Err(error) => *fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error),
            }
        }
    });
    if let Some(error) = fault.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let mut columns: Vec<Column> = (0..parts).map(|_| Column::default()).collect();
    let mut longest = 1;
    let mut counts = vec![0; plans.len()];
    for maker in makers {
        let maker = maker.into_inner().unwrap_or_else(PoisonError::into_inner);
        longest = longest.max(maker.longest);
        counts.iter_mut().zip(&maker.counts).for_each(|(count, n)| *count += n);
        columns.iter_mut().zip(maker.writers).for_each(|(column, writer)| column.0.push(writer));
    }
    for task in written {
        let Some((thread, rows)) = task.into_inner().unwrap_or_else(PoisonError::into_inner) else {
            continue;
        };
        columns.iter_mut().zip(rows).for_each(|(column, rows)| column.1.push((thread, rows)));
    }
    plans.iter_mut().zip(counts).for_each(|(plan, count)| plan.synapses.count = Some(count));
    let joined: std::io::Result<Vec<Partition>> =
        columns.into_iter().map(|(writers, rows)| Partition::join(width, writers, rows)).collect();
    Ok((joined.map_err(|e| out_of_memory(plans, e.to_string()))?, longest))
}

/// What becomes one part: who wrote it, and the rows, each list with the number of its writer.
type Column = (Vec<Writer>, Vec<(usize, Vec<Row>)>);

/// The rows of some sources, in each part.
type TaskRows = Vec<Vec<Row>>;

/// What one thread writes with.
struct Maker {
    writers: Vec<Writer>,
    longest: u32,
    /// Synapses of each plan.
    counts: Vec<u64>,
    row: DrawnRow,
    drawn: Vec<(u32, Synapse)>,
    sorting: Sorting,
}

impl Maker {
    fn new(parts: usize, width: Width, plans: usize) -> Self {
        Maker {
            writers: (0..parts).map(|_| Writer::new(width)).collect(),
            longest: 1,
            counts: vec![0; plans],
            row: DrawnRow::default(),
            drawn: Vec::new(),
            sorting: Sorting::default(),
        }
    }

    fn write(
        &mut self,
        task: std::ops::Range<usize>,
        plans: &[Plan],
        sources: &[Source],
        by_source: &[Vec<usize>],
        places: &[Places<'_>],
    ) -> Result<TaskRows> {
        let Maker { writers, row, drawn, .. } = self;
        let mut rows: TaskRows = writers.iter().map(|_| Vec::with_capacity(task.len())).collect();
        for id in task {
            let s = sources.partition_point(|source| source.first as usize <= id) - 1;
            let i = id as u32 - sources[s].first;
            drawn.clear();
            let mut longest = 1;
            for &k in &by_source[s] {
                let (plan, place) = (&plans[k], &places[k]);
                if !plan.synapses.draw(i, row) {
                    return Err(Error::ParameterRange {
                        group: plan.name.clone(),
                        behaviour: "Static".into(),
                        parameter: "limits of weights or delays".into(),
                        value: f64::from(i),
                        requirement: "such that draws lie within them: none of 100000 for this neuron did"
                            .into(),
                    });
                }
                self.counts[k] += row.targets.len() as u64;
                for ((&j, &weight), &delay) in row.targets.iter().zip(&row.weights).zip(&row.delays) {
                    let j = plan.of_whole.as_ref().map_or(j, |whole| whole[j as usize]) as usize;
                    let unit = &place.units[j / UNIT];
                    let weight = plan.synapses.quantize(weight, place.stored);
                    // Of two receptors, the second takes the magnitude of what inhibits.
                    let second = place.receptors == 2 && weight < 0;
                    let weight = if second { -weight } else { weight };
                    let at = (unit.place + usize::from(second) * unit.len + j - unit.first) as u16;
                    drawn.push((unit.part as u32, Synapse { place: at, delay, weight }));
                    longest = longest.max(delay);
                }
            }
            self.longest = self.longest.max(longest);
            if longest > crate::axon::MAX_DELAY as u32 {
                return Err(Error::ParameterRange {
                    group: plans[by_source[s][0]].name.clone(),
                    behaviour: "SynapticDelays".into(),
                    parameter: "delay".into(),
                    value: f64::from(longest),
                    requirement: format!("at most {} steps", crate::axon::MAX_DELAY),
                });
            }
            let sorted = self.sorting.sort(drawn, writers.len(), longest);
            for ((writer, rows), sorted) in writers.iter_mut().zip(&mut rows).zip(sorted) {
                rows.push(writer.write(sorted).map_err(|e| out_of_memory(plans, e.to_string()))?);
            }
        }
        Ok(rows)
    }
}

/// Sorts the synapses of one neuron by part and delay.
#[derive(Default)]
struct Sorting {
    counts: Vec<u32>,
    sorted: Vec<Synapse>,
    ends: Vec<usize>,
}

impl Sorting {
    /// The synapses of each part, sorted by delay.
    fn sort(
        &mut self,
        drawn: &mut [(u32, Synapse)],
        parts: usize,
        longest: u32,
    ) -> impl Iterator<Item = &[Synapse]> {
        let days = longest as usize + 1;
        self.sorted.clear();
        self.ends.clear();
        if parts * days > 1 << 16 {
            // Delays that are spread so far are sorted by comparing.
            drawn.sort_by_key(|(part, synapse)| (*part, synapse.delay));
            self.sorted.extend(drawn.iter().map(|(_, synapse)| *synapse));
            self.ends.extend((0..parts).map(|part| drawn.partition_point(|(p, _)| *p as usize <= part)));
        } else {
            let counts = &mut self.counts;
            counts.clear();
            counts.resize(parts * days + 1, 0);
            let key = |(part, synapse): &(u32, Synapse)| *part as usize * days + synapse.delay as usize;
            drawn.iter().for_each(|d| counts[key(d) + 1] += 1);
            (1..counts.len()).for_each(|k| counts[k] += counts[k - 1]);
            self.ends.extend((1..=parts).map(|part| counts[part * days] as usize));
            self.sorted.resize(drawn.len(), Synapse::default());
            for d in &*drawn {
                let at = &mut counts[key(d)];
                self.sorted[*at as usize] = d.1;
                *at += 1;
            }
        }
        let (sorted, ends) = (&self.sorted, &self.ends);
        (0..parts).map(move |part| &sorted[if part == 0 { 0 } else { ends[part - 1] }..ends[part]])
    }
}

pub(super) fn install(world: &mut World) {
    add_build_systems(world, BuildSystems::Derive, assemble);
}
