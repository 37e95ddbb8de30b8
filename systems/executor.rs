//! How the step is run: only the systems that can have something to do.
//!
//! conex registers a system for each of its behaviours, and for each pair of a plasticity rule and a kind of
//! connectivity. A network uses few of them, and in a small one the others would cost more than the neurons do. So one
//! of conex's own systems runs only where there is an entity for it to change, or to look at if it changes none: an
//! entity that matches one of its queries. That is decided by archetypes, the sets of components that entities have had:
//! anew when there are more of them, and when one fills that was empty. A user's system always runs.
//!
//! The default executor of bevy_ecs would run each system, evaluate run conditions for each, and guard each against
//! panics. A schedule in which a user put run conditions is left to it.

use crate::schedule::{Half, StepSystems};
use bevy_ecs::archetype::{Archetype, ArchetypeGeneration, ArchetypeId};
use bevy_ecs::change_detection::{MAX_CHANGE_AGE, Tick};
use bevy_ecs::error::{BevyError, ErrorContext};
use bevy_ecs::prelude::*;
use bevy_ecs::query::FilteredAccess;
use bevy_ecs::resource::IsResource;
use bevy_ecs::schedule::graph::{DiGraph, Direction};
use bevy_ecs::schedule::{
    ApplyDeferred, FixedBitSet, FlattenedDependencies, InternedSystemSet, NodeId, ScheduleBuildError,
    ScheduleBuildPass, ScheduleGraph, SingleThreadedExecutor, SystemExecutor, SystemKey, SystemSchedule,
    SystemSet, SystemSetKey, SystemWithAccess,
};
use bevy_ecs::system::{RunSystemError, System, SystemAccess};
use bevy_ecs::world::World;
use bevy_platform::hash::FixedHasher;
use indexmap::IndexSet;
use std::any::TypeId;
use std::collections::HashSet;

/// What is known of the systems of the step, each time the schedule is built.
#[derive(Resource, Default)]
pub(crate) struct StepSurvey {
    /// The types of conex's own systems.
    own: HashSet<TypeId>,
    /// Whether any system or set runs under a condition.
    conditional: bool,
    /// The stages in which systems of the user's stand.
    pub(crate) user_stages: HashSet<StepSystems>,
    /// Whether a system of the user's stands in no stage, so that it may run between any two systems.
    pub(crate) user_anywhere: bool,
}

/// Writes the [`StepSurvey`].
#[derive(Debug)]
pub(crate) struct Survey;

impl ScheduleBuildPass for Survey {
    type EdgeOptions = ();

    fn add_dependency(&mut self, _: NodeId, _: NodeId, _: Option<&()>) {}

    fn collapse_set(
        &mut self,
        _: SystemSetKey,
        _: &IndexSet<SystemKey, FixedHasher>,
        _: &DiGraph<NodeId>,
    ) -> impl Iterator<Item = (NodeId, NodeId)> {
        std::iter::empty()
    }

    fn build(
        &mut self,
        world: &mut World,
        graph: &mut ScheduleGraph,
        _: FlattenedDependencies<'_>,
    ) -> Result<(), ScheduleBuildError> {
        let mut survey = StepSurvey::default();
        let keys = |set: fn(StepSystems) -> InternedSystemSet| {
            StepSystems::ALL.map(|stage| graph.system_sets.get_key(set(stage)))
        };
        let stages = keys(|stage| stage.intern());
        let own = keys(|stage| Half::Own(stage).intern());
        let probes = keys(|stage| Half::Probe(stage).intern());
        for (system, found, conditions) in graph.systems.iter() {
            survey.conditional |= !conditions.is_empty();
            let sets = sets_around(graph, NodeId::System(system));
            let among = |keys: &[Option<SystemSetKey>]| {
                keys.iter().position(|key| key.is_some_and(|key| sets.contains(&key)))
            };
            let kind = found.system_type();
            if kind == TypeId::of::<ApplyDeferred>() || among(&probes).is_some() {
                continue;
            }
            if among(&own).is_some() {
                survey.own.insert(kind);
            } else if let Some(stage) = among(&stages) {
                survey.user_stages.insert(StepSystems::ALL[stage]);
            } else {
                survey.user_anywhere = true;
            }
        }
        survey.conditional |= graph.system_sets.iter().any(|(.., conditions)| !conditions.is_empty());
        world.insert_resource(survey);
        Ok(())
    }
}

/// All sets that `node` is in, those of its sets included.
fn sets_around(graph: &ScheduleGraph, node: NodeId) -> HashSet<SystemSetKey> {
    let mut sets = HashSet::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        for parent in graph.hierarchy().neighbors_directed(node, Direction::Incoming) {
            if let NodeId::Set(set) = parent
                && sets.insert(set)
            {
                open.push(parent);
            }
        }
    }
    sets
}

/// What the executor does, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// Runs a system, by its place in the schedule.
    Run(usize),
    /// Carries out the commands of a system.
    Apply(usize),
}

/// Runs the systems that can have something to do, one after the other.
#[derive(Default)]
pub(crate) struct StepExecutor {
    /// What is done in each step, as decided when the world had `generation`'s archetypes.
    plan: Vec<Action>,
    /// None before the first step, and after the schedule was built anew.
    generation: Option<ArchetypeGeneration>,
    /// Archetypes without an entity that would give a system that is left out something to do.
    empty: Vec<ArchetypeId>,
    /// Those of conex's own systems that have been in a plan.
    active: HashSet<TypeId>,
    /// Runs a schedule with run conditions.
    careful: Option<SingleThreadedExecutor>,
    keeps_commands: bool,
}

impl SystemExecutor for StepExecutor {
    fn init(&mut self, schedule: &SystemSchedule) {
        self.generation = None;
        if let Some(careful) = &mut self.careful {
            careful.init(schedule);
        }
    }

    fn run(
        &mut self,
        schedule: &mut SystemSchedule,
        world: &mut World,
        skipped: Option<&FixedBitSet>,
        handle_error: fn(BevyError, ErrorContext),
    ) {
        let archetypes = world.archetypes();
        let filled = |id: &ArchetypeId| archetypes.get(*id).is_some_and(|archetype| !archetype.is_empty());
        if self.generation != Some(archetypes.generation()) || self.empty.iter().any(filled) {
            self.decide(schedule, world);
        }
        if let Some(careful) = &mut self.careful {
            return careful.run(schedule, world, skipped, handle_error);
        }
        // SAFETY: systems are run, and none is replaced.
        let systems = unsafe { schedule.systems_mut() };
        for &action in &self.plan {
            match action {
                Action::Run(k) => {
                    let system = &mut systems[k];
                    if let Err(RunSystemError::Failed(error)) =
                        system.run_without_applying_deferred((), world)
                    {
                        let (name, last_run) = (system.name(), system.get_last_run());
                        handle_error(error, ErrorContext::System { name, last_run });
                    }
                }
                Action::Apply(k) => systems[k].apply_deferred(world),
            }
        }
    }

    fn set_apply_final_deferred(&mut self, value: bool) {
        self.keeps_commands = !value;
        self.generation = None;
    }
}

impl StepExecutor {
    /// Decides what is done in each step, until there are entities of another kind.
    fn decide(&mut self, schedule: &mut SystemSchedule, world: &mut World) {
        self.generation = Some(world.archetypes().generation());
        let never = Tick::new(world.change_tick().get().wrapping_sub(MAX_CHANGE_AGE));
        let survey = world.resource::<StepSurvey>();
        if survey.conditional {
            let mut careful = SingleThreadedExecutor::new();
            careful.init(schedule);
            careful.set_apply_final_deferred(!self.keeps_commands);
            self.careful = Some(careful);
            return;
        }
        self.careful = None;
        // SAFETY: what changes is when systems last ran, and none is replaced.
        let systems = unsafe { schedule.systems_mut() };
        self.plan.clear();
        self.empty.clear();
        let mut waiting = Vec::new();
        for (k, system) in systems.iter_mut().enumerate() {
            let kind = system.system_type();
            if kind == TypeId::of::<ApplyDeferred>() {
                self.plan.extend(waiting.drain(..).map(Action::Apply));
            } else if !survey.own.contains(&kind) || matches_any(system, world, &mut self.empty) {
                self.plan.push(Action::Run(k));
                if survey.own.contains(&kind) && self.active.insert(kind) {
                    // Ticks wrap around: one that has waited for long must not take what is new for old.
                    system.set_last_run(never);
                }
                if system.has_deferred() {
                    waiting.push(k);
                }
            }
        }
        if !self.keeps_commands {
            self.plan.extend(waiting.drain(..).map(Action::Apply));
        }
        self.empty.sort_unstable();
        self.empty.dedup();
    }
}

/// Whether any entity matches one of the system's queries, or where it writes components, one of those that it writes
/// through; if none does, the archetypes that would are added to `empty`. A system without a query may have something to
/// do always.
fn matches_any(system: &SystemWithAccess, world: &World, empty: &mut Vec<ArchetypeId>) -> bool {
    let SystemAccess::Shared(access) = system.access() else { return true };
    let Some(is_resource) = world.component_id::<IsResource>() else { return true };
    let of_resource =
        |access: &FilteredAccess| access.filter_sets().iter().all(|f| f.with().contains(is_resource));
    let mut queries: Vec<&FilteredAccess> =
        access.filtered_accesses().iter().filter(|access| !of_resource(access)).collect();
    let writes = |access: &&FilteredAccess| access.access().has_any_write();
    if queries.iter().any(writes) {
        queries.retain(writes);
    }
    let matches = |access: &FilteredAccess, archetype: &Archetype| {
        access.filter_sets().iter().any(|filter| {
            filter.with().iter().all(|component| archetype.contains(component))
                && !filter.without().iter().any(|component| archetype.contains(component))
        })
    };
    if queries.is_empty() {
        return true;
    }
    let archetypes = world.archetypes().iter();
    let matching = archetypes.filter(|archetype| queries.iter().any(|access| matches(access, archetype)));
    let known = empty.len();
    for archetype in matching {
        if !archetype.is_empty() {
            empty.truncate(known);
            return true;
        }
        empty.push(archetype.id());
    }
    false
}
