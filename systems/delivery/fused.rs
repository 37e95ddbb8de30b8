//! Stages named apart, run together: populations with receptors are advanced unit by unit in one pass from what arrives
//! to the spikes, where no user's system stands between.
//!
//! The pass does, block by block, just what the stages `Dendrite`, `NeuronDynamics`, `Refractory` and `Fire` do one after
//! the other for the whole population: the same operations on each neuron in the same order, so the same bits.

use super::engine::{Delivery, Part, UNIT, locked};
use super::stretch::{Drive, Own};
use crate::Real;
use crate::dynamics::{
    InputCurrent, Membrane, MembranePotential, ModelConstants, NeuronModel, NeuronModels, NeuronState,
    Threshold, adaptation::Adaptation, take_front,
};
use crate::error::Problems;
use crate::fire::{Fire, Spikes};
use crate::group::Population;
use crate::homeostasis::VoltageBaseHomeostasis;
use crate::kwta::Kwta;
use crate::noise::InherentNoise;
use crate::poisson_drive::{DriveTable, PoissonDrive, receptor};
use crate::receptors::Receptors;
use crate::refractory::{RefractoryPeriod, RefractorySteps};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_family_system, has_user_systems};
use crate::time::Clock;
use crate::workers::{Ahead, Workers, leave};
use bevy_ecs::prelude::*;
use std::sync::{Arc, Mutex, Weak};

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
    (&'w M, &'w ModelConstants, &'w Membrane, &'w Threshold),
    (Ref<'w, InputCurrent>, &'w mut Receptors),
    Option<(&'w PoissonDrive, &'w DriveTable)>,
    Option<(&'w RefractoryPeriod, &'w mut RefractorySteps)>,
    (&'w mut MembranePotential, &'w mut NeuronState, &'w mut Spikes),
);

/// Some units of a population, and its model.
struct Task<'a, M> {
    model: &'a M,
    constants: &'a ModelConstants,
    own: Own<'a>,
}

/// For every population of this model that is advanced in units, let a step pass, part by part.
fn advance<M: NeuronModel>(
    clock: Res<Clock>,
    problems: Res<Problems>,
    workers: Res<Workers>,
    mut delivery: ResMut<Delivery>,
    mut populations: Query<Advanced<M>, With<Fused>>,
    mut lists: Local<Vec<Vec<u32>>>,
) {
    if !problems.is_empty() || populations.is_empty() {
        return;
    }
    let Delivery { parts, targets, units, fired, pending, waiting, .. } = &mut *delivery;
    let (fired, deliver, step) = (&fired[..], std::mem::take(pending), clock.iteration);
    let units_of = |entity: Entity| targets.iter().find(|target| target.population == entity);
    let mut all: Vec<_> = populations.iter_mut().filter_map(|item| Some((units_of(item.0)?, item))).collect();
    let were_waiting = *waiting;
    *waiting = waiting.saturating_sub(all.len());
    let all_is_taken_up = were_waiting > 0 && *waiting == 0;
    // One list of tasks a part, each in the order of the units.
    let mut of_parts: Vec<Vec<Task<'_, M>>> = parts.iter().map(|_| Vec::new()).collect();
    let mut neurons = 0;
    for (target, (_, shared, (input, receptors), drive, refractory, (v, state, spikes))) in &mut all {
        let (model, constants, membrane, threshold) = *shared;
        if input.is_changed() {
            receptors.even_input = even(&input.0);
        }
        let Receptors { added, silent, even_input, .. } = &**receptors;
        let mut v = &mut v.0[..];
        neurons += v.len();
        let first_stream = step * v.len().div_ceil(UNIT) as u64;
        let mut states = state.arrays_mut();
        let mut refractory = refractory.as_mut().map(|(period, steps)| (*period, steps.units()));
        for units in units[target.units.clone()].chunk_by(|a, b| a.part == b.part) {
            let first = units[0].first;
            let len = units.iter().map(|unit| unit.len).sum();
            let mut events = lists.pop().unwrap_or_default();
            events.clear();
            let own = Own {
                units,
                receptors: target.receptors,
                weight_unit: target.weight_unit,
                membrane,
                threshold,
                input: &input.0[first..first + len],
                even_input: *even_input,
                added: (!*silent).then(|| [0, 1].map(|r| added[r].get(first..first + len).unwrap_or(&[]))),
                drive: drive.map(|(drive, table)| {
                    let (receptor, weight) = receptor(drive.weight, target.receptors);
                    let (tables, streams) = (table.from(first), table.streams);
                    Drive { receptor, weight, tables, streams, first_stream }
                }),
                refractory: refractory
                    .as_mut()
                    .map(|(period, steps)| (*period, steps.take_front(units.len()))),
                v: take_front(&mut v, len),
                state: std::array::from_fn(|s| take_front(&mut states[s], len)),
                before: spikes.0.within(first..first + len),
                events,
                sound: true,
            };
            of_parts[units[0].part].push(Task { model, constants, own });
        }
    }
    let work = neurons + fired.len() * 500;
    // A thread keeps the neurons of its parts: handed to one that is through, they would change caches at each step.
    workers.each(work, parts.iter().zip(&mut of_parts), |(shared, tasks)| {
        let mut part = locked(shared);
        if deliver {
            part.deliver(step, fired);
        }
        for Task { model, constants, own } in tasks {
            own.step(*model, constants, &mut part, &clock);
        }
        if all_is_taken_up {
            part.next = Some(step + 1);
            let shared: Weak<Mutex<Part>> = Arc::downgrade(shared);
            leave(shared as Weak<dyn Ahead>);
        }
    });
    let ends = |task: Task<'_, M>| (task.own.events, task.own.sound);
    let ends_of = |tasks: Vec<_>| tasks.into_iter().map(ends).collect::<Vec<_>>().into_iter();
    let mut ends: Vec<_> = of_parts.into_iter().map(ends_of).collect();
    for (target, (_, _, (_, receptors), .., (_, _, spikes))) in &mut all {
        receptors.sound = true;
        spikes.0.refill(|events| {
            for units in units[target.units.clone()].chunk_by(|a, b| a.part == b.part) {
                let Some((mut list, sound)) = ends[units[0].part].next() else { continue };
                receptors.sound &= sound;
                events.append(&mut list);
                lists.push(list);
            }
        });
    }
}

/// The value of all, where it is one.
fn even(values: &[Real]) -> Option<Real> {
    let first = *values.first()?;
    values.iter().all(|x| x.to_bits() == first.to_bits()).then_some(first)
}

/// Lets populations of the model `M` be advanced in units.
pub(crate) fn register_model<M: NeuronModel>(world: &mut World) {
    add_family_system(world, StepSystems::NeuronDynamics, NeuronModels, advance::<M>);
}

pub(super) fn install(world: &mut World) {
    add_build_systems(world, BuildSystems::Validate, decide);
}
