//! The step runs what can have something to do, and nothing is missed for it.

use crate::determinism::{history, on_one_thread, small, snapshot};
use bevy_ecs::schedule::SingleThreadedExecutor;
use conex::Result;
use conex::prelude::*;
use conex::systems::dynamics::MembranePotential;
use conex::systems::schedule::{Step, add_probe_systems, has_user_systems};

/// One neuron that fires at every step, and goes on to.
fn restless(net: &mut Neocortex) -> Result<Entity> {
    let neuron = Lif::default().threshold(1.0).tau(10.0);
    net.neurons("restless", 1, (neuron, InjectedCurrent::new(100.0)))
}

#[derive(Resource, Default)]
struct Calls(u32);

#[test]
fn the_default_executor_of_the_ecs_gives_the_same_bits() -> Result<()> {
    let mut other = small(on_one_thread(4))?;
    other.world_mut().schedule_scope(Step, |_, step| {
        step.set_executor(SingleThreadedExecutor::new());
    });
    assert!(history(small(on_one_thread(4))?)? == history(other)?);
    Ok(())
}

#[test]
fn a_behaviour_that_comes_between_steps_acts_at_the_next_whoever_runs_the_schedule() -> Result<()> {
    let mut net = Neocortex::with(on_one_thread(1))?;
    let neuron = restless(&mut net)?;
    net.run(2)?;
    assert_eq!(net.spikes(neuron)?, [0]);
    // No other group had a noise so far, so its system had nothing to do.
    net.world_mut().entity_mut(neuron).insert(InherentNoise::uniform(-1000.0, -999.0));
    net.world_mut().run_schedule(Step);
    assert!(net.spikes(neuron)?.is_empty());
    Ok(())
}

#[test]
fn a_behaviour_that_a_system_gives_within_a_run_acts_at_the_next_step() -> Result<()> {
    let mut net = Neocortex::with(on_one_thread(1))?;
    let neuron = restless(&mut net)?;
    net.add_system(StepSystems::Record, move |clock: Res<Clock>, mut commands: Commands| {
        if clock.iteration == 3 {
            commands.entity(neuron).insert(InherentNoise::uniform(-1000.0, -999.0));
        }
    });
    let spikes = net.record_spikes(neuron)?;
    net.run(10)?;
    assert_eq!(spikes.len(), 3);
    Ok(())
}

#[test]
fn a_system_of_the_users_runs_though_nothing_matches_its_query() -> Result<()> {
    #[derive(Component)]
    struct Nobody;
    let mut net = Neocortex::with(on_one_thread(1))?;
    restless(&mut net)?;
    net.world_mut().init_resource::<Calls>();
    net.add_system(StepSystems::Noise, |nobody: Query<&Nobody>, mut calls: ResMut<Calls>| {
        assert!(nobody.is_empty());
        calls.0 += 1;
    });
    net.run(7)?;
    assert_eq!(net.world().resource::<Calls>().0, 7);
    Ok(())
}

#[test]
fn a_users_conditions_hold_for_systems_and_for_sets() -> Result<()> {
    #[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
    struct Mine;
    let even = |clock: Res<Clock>| clock.iteration.is_multiple_of(2);
    let count = |mut calls: ResMut<Calls>| calls.0 += 1;
    for on_set in [false, true] {
        let mut net = small(on_one_thread(6))?;
        net.world_mut().init_resource::<Calls>();
        net.run(1)?;
        if on_set {
            net.add_system(StepSystems::Record, count.in_set(Mine));
            net.world_mut().schedule_scope(Step, |_, step| {
                step.configure_sets(Mine.run_if(even));
            });
        } else {
            net.add_system(StepSystems::Record, count.run_if(even));
        }
        net.run(10)?;
        assert_eq!(net.world().resource::<Calls>().0, 5);
        let mut plain = small(on_one_thread(6))?;
        plain.run(11)?;
        assert!(snapshot(&net) == snapshot(&plain));
    }
    Ok(())
}

#[test]
fn an_error_of_a_users_system_reaches_the_handler() -> Result<()> {
    let mut net = Neocortex::with(on_one_thread(1))?;
    restless(&mut net)?;
    net.add_system(StepSystems::Record, || -> Result<(), BevyError> { Err("on purpose".into()) });
    let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| net.run(1)));
    assert!(run.is_err(), "the default handler panics");
    Ok(())
}

#[test]
fn probes_are_no_systems_of_the_users() -> Result<()> {
    let users = |net: &Neocortex| -> Vec<StepSystems> {
        StepSystems::ALL.into_iter().filter(|&stage| has_user_systems(net.world(), stage)).collect()
    };
    let watch = |mut calls: ResMut<Calls>, v: Query<&MembranePotential>| calls.0 += v.iter().len() as u32;
    let mut net = Neocortex::with(on_one_thread(1))?;
    restless(&mut net)?;
    net.world_mut().init_resource::<Calls>();
    add_probe_systems(net.world_mut(), StepSystems::Noise, watch);
    net.run(3)?;
    assert_eq!((users(&net), net.world().resource::<Calls>().0), (vec![], 3));
    net.add_system(StepSystems::Fire, watch);
    assert_eq!(users(&net), [StepSystems::Fire]);
    net.build()?;
    assert_eq!(users(&net), [StepSystems::Fire]);

    // Systems that join the schedule by themselves, with a stage and without.
    net.world_mut().schedule_scope(Step, |_, step| {
        step.add_systems((|| {}).in_set(StepSystems::Axon));
    });
    net.build()?;
    assert_eq!(users(&net), [StepSystems::Fire, StepSystems::Axon]);
    net.world_mut().schedule_scope(Step, |_, step| {
        step.add_systems((|| {}).before(StepSystems::Time));
    });
    net.build()?;
    assert_eq!(users(&net), StepSystems::ALL);
    Ok(())
}
