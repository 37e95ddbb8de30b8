//! Stages named apart, run together: populations with receptors are advanced unit by unit in one pass from what arrives
//! to the spikes, where no user's system stands between.
//!
//! The pass does, block by block, just what the stages `Dendrite`, `NeuronDynamics`, `Refractory` and `Fire` do one after
//! the other for the whole population: the same operations on each neuron in the same order, so the same bits.

use super::engine::{Delivery, Part, UNIT};
use crate::Real;
use crate::dynamics::{
    InputCurrent, Membrane, MembranePotential, ModelConstants, NeuronModel, NeuronModels, NeuronState,
    Neurons, Threshold, adaptation::Adaptation,
};
use crate::error::Problems;
use crate::fire::{Fire, Spikes};
use crate::group::Population;
use crate::homeostasis::VoltageBaseHomeostasis;
use crate::kernels::decay::all_finite;
use crate::kernels::threshold::crossings;
use crate::kwta::Kwta;
use crate::noise::InherentNoise;
use crate::parameter::BLOCK;
use crate::poisson_drive::{DriveTable, PoissonDrive, receptor};
use crate::random::Seed;
use crate::receptors::Receptors;
use crate::refractory::{RefractoryPeriod, RefractorySteps, RestingUnit};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_family_system, has_user_systems};
use crate::time::Clock;
use crate::workers::Workers;
use bevy_ecs::prelude::*;

/// Marks a population that is advanced in units. Kept by the Build schedule.
#[derive(Component, Clone, Copy, Debug, Default)]
pub(crate) struct Fused;

type Between = Or<(
    With<InherentNoise>,
    With<Kwta>,
    With<VoltageBaseHomeostasis>,
    With<Adaptation>,
    With<crate::stimulus::Stimulus>,
)>;

/// Decide for each population with receptors whether it is advanced in units.
fn decide(world: &mut World) {
    let between = StepSystems::ALL
        .into_iter()
        .filter(|stage| (StepSystems::SynapticInput..StepSystems::Fire).contains(stage));
    let apart = between.into_iter().any(|stage| has_user_systems(world, stage));
    let mut unfit = world.query_filtered::<Entity, (With<Receptors>, Between)>();
    let unfit: Vec<Entity> = unfit.iter(world).collect();
    let mut all =
        world.query_filtered::<(Entity, Has<Fused>), (With<Receptors>, With<Fire>, With<Population>)>();
    let all: Vec<(Entity, bool)> = all.iter(world).collect();
    for (population, is_fused) in all {
        let in_units = world.resource::<Delivery>().target_of(population).is_some();
        let fuses = in_units && !apart && !unfit.contains(&population);
        match (fuses, is_fused) {
            (true, false) => drop(world.entity_mut(population).insert(Fused)),
            (false, true) => drop(world.entity_mut(population).remove::<Fused>()),
            _ => {}
        }
    }
    let targets: Vec<Entity> = world.resource::<Delivery>().targets.iter().map(|t| t.population).collect();
    let deferred = !targets.is_empty() && targets.iter().all(|&t| world.get::<Fused>(t).is_some());
    world.resource_mut::<Delivery>().deferred = deferred;
}

type Advanced<'w, M> = (
    Entity,
    (&'w Name, &'w M, &'w ModelConstants, &'w Membrane, &'w Threshold),
    (&'w InputCurrent, &'w mut Receptors),
    Option<(&'w PoissonDrive, &'w DriveTable)>,
    Option<(&'w RefractoryPeriod, &'w mut RefractorySteps)>,
    (&'w mut MembranePotential, &'w mut NeuronState, &'w mut Spikes),
);

/// One unit of a population, with all that the pass reads and writes of it.
struct Task<'a, M> {
    model: &'a M,
    constants: &'a ModelConstants,
    membrane: &'a Membrane,
    threshold: &'a Threshold,
    input: &'a [Real],
    added: Option<[&'a [Real]; 2]>,
    drive: Option<(Real, usize, &'a DriveTable, u64)>,
    refractory: Option<(&'a RefractoryPeriod, RestingUnit<'a>)>,
    v: &'a mut [Real],
    state: [&'a mut [Real]; crate::dynamics::MAX_STATE],
    first: usize,
    place: usize,
    receptors: usize,
    weight_unit: f64,
    /// The last step's spikes, then this step's.
    events: Vec<u32>,
    /// Whether all potentials are finite.
    sound: bool,
}

/// For every population of this model that is advanced in units, let a step pass, part by part.
fn advance<M: NeuronModel>(
    clock: Res<Clock>,
    seed: Res<Seed>,
    problems: Res<Problems>,
    workers: Res<Workers>,
    mut delivery: ResMut<Delivery>,
    mut populations: Query<Advanced<M>, With<Fused>>,
    mut lists: Local<Vec<Vec<u32>>>,
) {
    if !problems.is_empty() || populations.is_empty() {
        return;
    }
    let Delivery { parts, targets, units, fired, pending, .. } = &mut *delivery;
    let (fired, deliver, step) = (&fired[..], std::mem::take(pending), clock.iteration);
    // One list of tasks a part, each in the order of the units.
    let mut of_parts: Vec<Vec<Task<'_, M>>> = parts.iter().map(|_| Vec::new()).collect();
    let mut spikes_of = Vec::new();
    let mut neurons = 0;
    for (entity, (name, model, constants, membrane, threshold), io, drive, refractory, own) in
        &mut populations
    {
        let Some(target) = targets.iter().find(|target| target.population == entity) else { continue };
        let (input, receptors) = (io.0, io.1.into_inner());
        let Receptors { added, silent, sound, .. } = receptors;
        let (v, state, spikes) = (own.0.into_inner(), own.1.into_inner(), own.2.into_inner());
        let n = v.0.len();
        neurons += n;
        let streams = seed.streams("poisson drive", name);
        let n_units = n.div_ceil(UNIT) as u64;
        let (mut v, mut states) = (&mut v.0[..], state.arrays_mut());
        let (period, steps) = refractory.unzip();
        let mut resting = steps.into_iter().flat_map(|steps| steps.into_inner().units());
        let before = std::mem::take(&mut spikes.0);
        spikes_of.push((spikes, before, target.units.clone(), sound));
        let Some((_, before, ..)) = spikes_of.last() else { continue };
        for (k, unit) in units[target.units.clone()].iter().enumerate() {
            let (range, len) = (unit.first..unit.first + unit.len, unit.len);
            let (own_v, rest) = std::mem::take(&mut v).split_at_mut(len);
            v = rest;
            let own_state = std::array::from_fn(|s| crate::dynamics::take_front(&mut states[s], len));
            let mut events = lists.pop().unwrap_or_default();
            events.clear();
            events.extend_from_slice(before.within(range.clone()));
            of_parts[unit.part].push(Task {
                model,
                constants,
                membrane,
                threshold,
                input: &input.0[range.clone()],
                added: (!*silent).then(|| [0, 1].map(|r| added[r].get(range.clone()).unwrap_or(&[]))),
                drive: drive.map(|(drive, table)| {
                    let (receptor, weight) = receptor(drive.weight, target.receptors);
                    (weight, receptor, table, streams.seed(step * n_units + k as u64))
                }),
                refractory: period.zip(resting.next()),
                v: own_v,
                state: own_state,
                first: unit.first,
                place: unit.place,
                receptors: target.receptors,
                weight_unit: target.weight_unit,
                events,
                sound: true,
            });
        }
    }
    let work = neurons + fired.len() * 500;
    let tasks = parts.iter_mut().zip(&mut of_parts);
    workers.each(work, tasks, |(part, tasks)| {
        if deliver {
            part.deliver(step, fired);
        }
        for task in tasks {
            advance_unit(task, part, &clock);
        }
    });
    // Parts follow the units, and these the neurons.
    let mut events_of: Vec<Vec<(Vec<u32>, bool)>> = of_parts
        .into_iter()
        .map(|tasks| tasks.into_iter().map(|task| (task.events, task.sound)).collect())
        .collect();
    let mut next = vec![0; events_of.len()];
    for (spikes, before, range, sound) in spikes_of {
        spikes.0 = before;
        *sound = true;
        let units = &units[range];
        spikes.0.refill(|all| {
            for unit in units {
                let (list, unit_is_sound) = &mut events_of[unit.part][next[unit.part]];
                next[unit.part] += 1;
                all.append(list);
                *sound &= *unit_is_sound;
            }
        });
    }
    lists.extend(events_of.into_iter().flatten().map(|(list, _)| list));
}

/// Lets a step pass for one unit. `events` come in as the last step's spikes and leave as this step's.
fn advance_unit<M: NeuronModel>(task: &mut Task<'_, M>, part: &mut Part, clock: &Clock) {
    let unit = task.v.len();
    let Part { arrivals, received: arrived, .. } = part;
    for (receptor, arrived) in arrived.iter_mut().enumerate().take(task.receptors) {
        arrived.resize(UNIT, 0.0);
        let place = task.place + receptor * unit;
        arrivals.take(place..place + unit, task.weight_unit, &mut arrived[..unit]);
    }
    if let Some((weight, receptor, table, seed)) = &task.drive {
        table.drive(*seed, task.first, *weight, &mut arrived[*receptor][..unit]);
    }
    if let Some(added) = task.added {
        for receptor in 0..task.receptors {
            crate::kernels::decay::add(&mut arrived[receptor][..unit], added[receptor]);
        }
    }
    let mut state = task.state.each_mut().map(|array| &mut array[..]);
    for (k, v) in task.v.chunks_mut(BLOCK).enumerate() {
        let (start, len) = (k * BLOCK, v.len());
        let block = start..start + len;
        let own_state = std::array::from_fn(|s| crate::dynamics::take_front(&mut state[s], len));
        let input = &task.input[block.clone()];
        let received = [0, 1].map(|r| if r < task.receptors { &arrived[r][block.clone()] } else { &[][..] });
        let neurons = Neurons::of_block(v, input, own_state, clock, task.first + start)
            .receiving(received, &task.constants.0);
        task.model.integrate(neurons);
    }
    if let Some((period, resting)) = &mut task.refractory {
        resting.hold(period, &task.events, task.v, task.membrane, clock.dt);
    }
    task.events.clear();
    for (k, v) in task.v.chunks_mut(BLOCK).enumerate() {
        let start = task.first + k * BLOCK;
        let from = task.events.len();
        crossings(v, task.threshold.0.block(start, v.len()), start as u32, &mut task.events);
        for &j in &task.events[from..] {
            v[j as usize - start] = task.membrane.v_reset.get(j as usize);
        }
        task.sound &= all_finite(v);
    }
}

/// Lets populations of the model `M` be advanced in units.
pub(crate) fn register_model<M: NeuronModel>(world: &mut World) {
    add_family_system(world, StepSystems::NeuronDynamics, NeuronModels, advance::<M>);
}

pub(super) fn install(world: &mut World) {
    add_build_systems(world, BuildSystems::Validate, decide);
}
