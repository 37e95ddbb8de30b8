//! The step, as one enum.

use crate::error::{Error, Problems, Result};
use crate::executor::{StepExecutor, StepSurvey, Survey};
use bevy_ecs::prelude::*;
use bevy_ecs::schedule::{
    IntoScheduleConfigs, LogLevel, ScheduleBuildSettings, ScheduleLabel, SingleThreadedExecutor,
};
use bevy_ecs::system::ScheduleSystem;

/// One time step in order. A system joins the step by naming its stage, never another system.
///
/// A spike fired at step t with no delay is a current at its target at step t + 1: `SynapticInput` reads what
/// `SpikeCatching` caught at the end of the step before.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StepSystems {
    /// The clock advances, and parameters that were changed between steps are checked: writes `Clock`, `Membrane`.
    Time,
    /// The environment, a label or a target sets the reward: writes the payoff.
    Payoff,
    /// Neuromodulators follow the payoff: reads the payoff, writes dopamine.
    Dopamine,
    /// Each projection turns the spikes it caught into a current: reads `PreSpikes` and weights, writes `SynapticCurrent`.
    SynapticInput,
    /// Currents are scaled by the target's incoming weights: reads weights, writes `SynapticCurrent`.
    CurrentNormalization,
    /// Currents rise and decay, conductances become currents: reads the target's `MembranePotential`, writes
    /// `SynapticCurrent`.
    SynapticDynamics,
    /// Each population gathers its afferents' currents, compartment by compartment, into one: reads `SynapticCurrent`,
    /// `Threshold`, `Membrane` and `MembranePotential`, writes `DendriticCurrents`, then `InputCurrent`.
    Dendrite,
    /// Neuron models integrate: read `InputCurrent`, write `MembranePotential` and their own state.
    NeuronDynamics,
    /// Noise is added: writes `MembranePotential`.
    Noise,
    /// Neurons that fired lately are held at their reset potential: reads the last step's `Spikes`, writes
    /// `MembranePotential`.
    Refractory,
    /// Winners suppress losers: reads `Threshold`, writes `MembranePotential`.
    KWinnersTakeAll,
    /// Neurons are pulled towards a target voltage: writes `MembranePotential`.
    VoltageHomeostasis,
    /// Data advance by a step: writes `InputSpikes`.
    Stimulus,
    /// Neurons above threshold fire and are reset, inputs take the spikes given to them: writes `Spikes`,
    /// `MembranePotential`, and adaptation.
    Fire,
    /// Thresholds move towards a target activity: reads `Spikes`, writes `Threshold`.
    ActivityHomeostasis,
    /// Spikes enter the axons' delay lines: reads `Spikes`, writes `AxonHistory`.
    Axon,
    /// Spikes cross to other ranks and devices.
    Exchange,
    /// Each projection catches the spikes that reach it: reads both `AxonHistory`s, writes `PreSpikes` and `PostSpikes`.
    SpikeCatching,
    /// Traces take up spikes and decay: reads caught spikes, writes `PreTrace` and `PostTrace`.
    Traces,
    /// Plasticity rules change weights: reads caught spikes and traces, writes weights.
    Learning,
    /// Incoming weights are scaled to a sum: writes weights.
    WeightNormalization,
    /// Weights are held within their range: writes weights.
    WeightClip,
    /// State is recorded and checked: reads everything.
    Record,
}

impl StepSystems {
    /// All stages, in order.
    pub const ALL: [StepSystems; 23] = [
        StepSystems::Time,
        StepSystems::Payoff,
        StepSystems::Dopamine,
        StepSystems::SynapticInput,
        StepSystems::CurrentNormalization,
        StepSystems::SynapticDynamics,
        StepSystems::Dendrite,
        StepSystems::NeuronDynamics,
        StepSystems::Noise,
        StepSystems::Refractory,
        StepSystems::KWinnersTakeAll,
        StepSystems::VoltageHomeostasis,
        StepSystems::Stimulus,
        StepSystems::Fire,
        StepSystems::ActivityHomeostasis,
        StepSystems::Axon,
        StepSystems::Exchange,
        StepSystems::SpikeCatching,
        StepSystems::Traces,
        StepSystems::Learning,
        StepSystems::WeightNormalization,
        StepSystems::WeightClip,
        StepSystems::Record,
    ];
}

/// What happens once, before the first step, in order.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BuildSystems {
    /// Ports become the populations behind them, and each projection learns how large its ends are. It comes first: the
    /// projections that are found behind ports have to be sized too.
    ResolvePorts,
    /// State is sized.
    Allocate,
    /// Projections lay out their synapses.
    Connect,
    /// Weights are drawn.
    InitWeights,
    /// Delays are drawn.
    InitDelays,
    /// What follows from parameters is computed once.
    Derive,
    /// The network is checked.
    Validate,
}

impl BuildSystems {
    const ALL: [BuildSystems; 7] = [
        BuildSystems::ResolvePorts,
        BuildSystems::Allocate,
        BuildSystems::Connect,
        BuildSystems::InitWeights,
        BuildSystems::InitDelays,
        BuildSystems::Derive,
        BuildSystems::Validate,
    ];
}

/// The schedule of one time step.
#[derive(ScheduleLabel, Debug, Clone, PartialEq, Eq, Hash)]
pub struct Step;

/// The schedule that prepares what was added since it last ran.
#[derive(ScheduleLabel, Debug, Clone, PartialEq, Eq, Hash)]
pub struct Build;

/// Whether everything that was added or changed has been built.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Built(pub bool);

/// The parts of a stage: its own systems, then the user's in the order in which they joined, then probes.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Half {
    Own(StepSystems),
    User(StepSystems),
    Probe(StepSystems),
}

/// One call of [`add_user_systems`].
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct UserCall(StepSystems, usize);

/// The stage of each call of [`add_user_systems`].
#[derive(Resource, Default)]
struct UserCalls(Vec<StepSystems>);

/// Prepares a world for networks: both schedules with every behaviour that conex has. Does nothing the second time.
pub fn install(world: &mut World) {
    if world.contains_resource::<Problems>() {
        return;
    }
    world.init_resource::<Problems>();
    // Problems are only ever added: in which order two systems report theirs changes nothing else.
    world.allow_ambiguous_resource::<Problems>();
    world.init_resource::<Built>();
    world.register_disabling_component::<crate::group::Template>();
    world.init_resource::<UserCalls>();
    world.init_resource::<crate::random::Seed>();
    world.init_resource::<crate::workers::Workers>();
    let mut step = Schedule::new(Step);
    step.set_executor(StepExecutor::default());
    step.add_build_pass(Survey);
    step.set_build_settings(ScheduleBuildSettings {
        ambiguity_detection: LogLevel::Error,
        hierarchy_detection: LogLevel::Error,
        ..Default::default()
    });
    for pair in StepSystems::ALL.windows(2) {
        step.configure_sets(pair[0].before(pair[1]));
    }
    for stage in StepSystems::ALL {
        step.configure_sets((Half::Own(stage), Half::User(stage), Half::Probe(stage)).chain().in_set(stage));
    }
    let mut build = Schedule::new(Build);
    build.set_executor(SingleThreadedExecutor::new());
    for pair in BuildSystems::ALL.windows(2) {
        build.configure_sets(pair[0].before(pair[1]));
    }
    world.add_schedule(step);
    world.add_schedule(build);
    crate::registry::install(world);
    crate::relations::install(world);
    crate::coordinates::install(world);
    crate::time::install(world);
    crate::reward::install(world);
    crate::connections::install(world);
    crate::synaptic_input::install(world);
    crate::delivery::install(world);
    crate::synaptic_dynamics::install(world);
    crate::dendrite::install(world);
    crate::receptors::install(world);
    crate::poisson_drive::install(world);
    crate::dynamics::install(world);
    crate::noise::install(world);
    crate::refractory::install(world);
    crate::kwta::install(world);
    crate::homeostasis::install(world);
    crate::stimulus::install(world);
    crate::poisson_source::install(world);
    crate::fire::install(world);
    crate::axon::install(world);
    crate::spike_catching::install(world);
    crate::traces::install(world);
    crate::learning::install(world);
    crate::weights::install(world);
    crate::record::install(world);
}

/// Joins conex's own `systems` to a stage of the step.
pub(crate) fn add_systems<M>(
    world: &mut World,
    stage: StepSystems,
    systems: impl IntoScheduleConfigs<ScheduleSystem, M>,
) {
    world.schedule_scope(Step, |_, step| {
        step.add_systems(systems.in_set(Half::Own(stage)));
    });
}

/// Joins the members of a family of which a group has at most one (neuron models, kinds of connectivity) to a stage.
///
/// Such systems write the same component, but never of the same group: the Build schedule sees to that. So they are
/// allowed to stand in any order among themselves, and only among themselves.
pub(crate) fn add_family_system<M>(
    world: &mut World,
    stage: StepSystems,
    family: impl SystemSet + Clone,
    system: impl IntoScheduleConfigs<ScheduleSystem, M>,
) {
    world.schedule_scope(Step, |_, step| {
        step.configure_sets(family.clone().in_set(Half::Own(stage)).ambiguous_with(family.clone()));
        step.add_systems(system.in_set(family));
    });
}

/// Joins a user's `systems` to a stage: behind the stage's own systems, and behind those that joined before.
pub fn add_user_systems<M>(
    world: &mut World,
    stage: StepSystems,
    systems: impl IntoScheduleConfigs<ScheduleSystem, M>,
) {
    // The order of the step has to be checked again.
    world.insert_resource(Built(false));
    let mut calls = world.resource_mut::<UserCalls>();
    let this = UserCall(stage, calls.0.len());
    calls.0.push(stage);
    world.schedule_scope(Step, |_, step| {
        step.configure_sets(this.in_set(Half::User(stage)));
        for earlier in (0..this.1).map(|k| UserCall(stage, k)) {
            step.configure_sets(this.after(earlier));
        }
        step.add_systems(systems.in_set(this));
    });
}

/// Joins `systems` that only watch to a stage: behind the user's, and without counting as one of them, so that the step
/// runs as it would without. They must write nothing that the network reads.
pub fn add_probe_systems<M>(
    world: &mut World,
    stage: StepSystems,
    systems: impl IntoScheduleConfigs<ScheduleSystem, M>,
) {
    world.insert_resource(Built(false));
    world.schedule_scope(Step, |_, step| {
        step.add_systems(systems.in_set(Half::Probe(stage)));
    });
}

/// Whether a user's systems stand in a stage: between it and the next, state is then seen, or changed, by others. A
/// system that joined the schedule by itself and names no stage may stand in any.
pub fn has_user_systems(world: &World, stage: StepSystems) -> bool {
    let survey = world.get_resource::<StepSurvey>();
    let called = world.get_resource::<UserCalls>().is_some_and(|calls| calls.0.contains(&stage));
    called || survey.is_some_and(|survey| survey.user_anywhere || survey.user_stages.contains(&stage))
}

/// Joins `systems` to a stage of the Build schedule.
pub fn add_build_systems<M>(
    world: &mut World,
    stage: BuildSystems,
    systems: impl IntoScheduleConfigs<ScheduleSystem, M>,
) {
    world.schedule_scope(Build, |_, build| {
        build.add_systems(systems.in_set(stage));
    });
}

/// Checks that the step has a definite order. Costs next to nothing while no system was added.
///
/// # Errors
/// [`Error::AmbiguousStep`].
pub fn check_order(world: &mut World, step: &mut Schedule) -> Result<()> {
    let order = step.initialize(world);
    order.map(drop).map_err(|e| Error::AmbiguousStep { reason: e.to_string(step.graph(), world) })
}

/// Prepares and checks all that was added since the last call, and the order of the step.
///
/// # Errors
/// Everything that is wrong with the network, each with its remedy. Nothing has run then.
pub fn build(world: &mut World) -> Result<()> {
    world.run_schedule(Build);
    let order = world.schedule_scope(Step, check_order);
    world.resource_mut::<Problems>().check(order);
    world.resource_mut::<Problems>().take()?;
    let fresh: Vec<Entity> =
        world.query_filtered::<Entity, With<crate::group::Unbuilt>>().iter(world).collect();
    for group in fresh {
        world.entity_mut(group).remove::<crate::group::Unbuilt>();
    }
    world.insert_resource(Built(true));
    Ok(())
}
