//! Networks that change while they live, and networks that live in a world of someone else's.

use crate::determinism::{Snapshot, small_in, snapshot};
use conex::prelude::*;
use conex::systems::schedule::Step;
use conex::{Error, Result, systems};

fn network() -> Result<Neocortex> {
    Neocortex::with(Settings { threads: 1, seed: 5, ..Default::default() })
}

fn driven(net: &mut Neocortex, name: &str) -> Result<Entity> {
    let dendrite = (SimpleDendriteStructure::default(), NeuronAxon::default());
    net.neurons(name, 4, (Lif::default(), InjectedCurrent::new(1.5), dendrite))
}

fn ones() -> (Dense, WeightInitializer, Compartment) {
    (Dense, WeightInitializer::ones(), Proximal)
}

#[test]
fn a_population_knows_its_projections_in_the_order_in_which_they_were_made() -> Result<()> {
    let mut net = network()?;
    let (a, b) = (driven(&mut net, "a")?, driven(&mut net, "b")?);
    let projections = [
        net.synapses(a, b, ones())?,
        net.synapses(b, b, ones())?,
        net.synapses(a, a, ones())?,
        net.synapses(a, b, ones())?,
    ];
    let [first, second, third, fourth] = projections;
    assert_eq!(net.get::<Efferents>(a)?.iter().collect::<Vec<_>>(), [first, third, fourth]);
    assert_eq!(net.get::<Afferents>(a)?.iter().collect::<Vec<_>>(), [third]);
    assert_eq!(net.get::<Efferents>(b)?.iter().collect::<Vec<_>>(), [second]);
    assert_eq!(net.get::<Afferents>(b)?.iter().collect::<Vec<_>>(), [first, second, fourth]);
    assert_eq!((net.get::<Presynaptic>(first)?.0, net.get::<Postsynaptic>(first)?.0), (a, b));
    // A second projection of the same ends has a name of its own.
    let names: Vec<String> = projections.into_iter().map(|p| net.name_of(p)).collect();
    assert_eq!(names, ["a -> b", "b -> b", "a -> a", "a -> b #2"]);
    assert_eq!(net.find("a -> b #2")?, fourth);
    Ok(())
}

#[test]
fn despawning_a_population_despawns_its_projections_and_the_network_runs_on() -> Result<()> {
    let mut net = network()?;
    let [a, b, c] = [driven(&mut net, "a")?, driven(&mut net, "b")?, driven(&mut net, "c")?];
    let gone = [net.synapses(a, b, ones())?, net.synapses(b, c, ones())?, net.synapses(b, b, ones())?];
    let kept = net.synapses(c, a, ones())?;
    let (spikes, weights) = (net.record_spikes(b)?, net.record_state(gone[0], "weights", 1)?);
    net.run(30)?;
    let (spikes_so_far, rows_so_far) = (spikes.len(), weights.times().len());
    assert!(spikes_so_far > 0 && rows_so_far == 30);
    net.world_mut().despawn(b);
    assert!(gone.iter().all(|&projection| net.world().get_entity(projection).is_err()));
    assert!(net.world().get_entity(kept).is_ok());
    assert_eq!(net.get::<Afferents>(a)?.iter().collect::<Vec<_>>(), [kept]);
    assert_eq!(net.get::<Efferents>(c)?.iter().collect::<Vec<_>>(), [kept]);
    assert!(net.world().get::<Efferents>(a).is_none_or(|efferents| efferents.iter().next().is_none()));
    net.run(30)?;
    net.build()?;
    net.run(30)?;
    assert_eq!(
        (spikes.len(), weights.times().len()),
        (spikes_so_far, rows_so_far),
        "recorders have nothing to watch"
    );
    assert!(net.find("b").is_err() && net.find("a -> b").is_err());
    let description = net.describe();
    assert_eq!((description.populations.len(), description.projections.len()), (2, 1));
    // The name is free again.
    driven(&mut net, "b")?;
    net.run(1)
}

#[test]
fn a_projection_that_is_despawned_brings_no_current_any_more() -> Result<()> {
    let mut net = network()?;
    let input = net.neurons("input", 1, (InputSpikes::default(), NeuronAxon::default()))?;
    let target =
        net.neurons("target", 1, (Lif::default().threshold(1e9), SimpleDendriteStructure::default()))?;
    let projection = net.synapses(input, target, ones())?;
    net.set_input(input, &[0])?;
    net.run(2)?;
    assert_eq!(net.state(target, "I")?, [1.0]);
    net.set_input(input, &[0])?;
    net.step()?;
    net.world_mut().despawn(projection);
    net.step()?;
    assert_eq!(net.state(target, "I")?, [0.0]);
    Ok(())
}

#[test]
fn groups_that_join_between_steps_work_and_leave_the_others_as_they_were() -> Result<()> {
    let run = |joined: bool| -> Result<Snapshot> {
        let mut net = network()?;
        small_in(&mut net)?;
        net.run(50)?;
        let before = snapshot(&net);
        if joined {
            let exc = net.find("exc")?;
            let late = net.neurons("late", 5, (Lif::default(), SimpleDendriteStructure::default()))?;
            let projection = net.synapses(exc, late, (Dense, WeightInitializer::constant(0.7), Proximal))?;
            net.build()?;
            let mut after = snapshot(&net);
            after.retain(|(group, ..)| !group.contains("late"));
            assert!(before == after, "building what joined changed the others");
            let spikes = net.record_spikes(late)?;
            net.run(50)?;
            assert!(!spikes.is_empty() && net.weights(projection)?.len() == 150);
        } else {
            net.run(50)?;
        }
        let mut all = snapshot(&net);
        all.retain(|(group, ..)| !group.contains("late"));
        Ok(all)
    };
    assert!(run(true)? == run(false)?, "what joined changed the others");
    Ok(())
}

#[test]
fn a_projection_that_joins_between_steps_delivers_from_then_on() -> Result<()> {
    let mut net = network()?;
    let input = net.neurons("input", 2, (InputSpikes::default(), NeuronAxon::default()))?;
    let behaviours = (Lif::default(), SimpleDendriteStructure::default(), InjectedCurrent::new(0.5));
    let target = net.neurons("target", 1, behaviours)?;
    net.run(10)?;
    let v = net.state(target, "v")?;
    net.synapses(input, target, ones())?;
    net.build()?;
    assert_eq!(net.state(target, "v")?, v, "building does not start the target afresh");
    net.set_input(input, &[0, 1])?;
    net.run(2)?;
    assert_eq!(net.state(target, "I")?, [2.5]);
    Ok(())
}

#[test]
fn a_behaviour_acts_while_it_is_there() -> Result<()> {
    let mut net = network()?;
    let exc = net.neurons(
        "exc",
        3,
        (Lif::default().tau(1.0), InjectedCurrent::new(vec![2.0, 3.0, 4.0]), Kwta::new(1)),
    )?;
    net.step()?;
    assert_eq!(net.spikes(exc)?, [2]);
    net.world_mut().entity_mut(exc).remove::<Kwta>();
    net.step()?;
    assert_eq!(net.spikes(exc)?, [0, 1, 2]);
    net.world_mut().entity_mut(exc).insert(Kwta::new(2));
    net.step()?;
    assert_eq!(net.spikes(exc)?, [1, 2]);
    // An electrode that is taken away leaves no current behind.
    net.world_mut().entity_mut(exc).remove::<InjectedCurrent>();
    net.step()?;
    assert!(net.spikes(exc)?.is_empty());
    net.world_mut().entity_mut(exc).insert(InjectedCurrent::new(5.0));
    net.step()?;
    assert_eq!(net.spikes(exc)?.len(), 2);
    Ok(())
}

#[test]
fn a_parameter_that_is_changed_between_steps_counts_from_the_next_step() -> Result<()> {
    let mut net = network()?;
    let exc = net.neurons("exc", 1, (Lif::default().tau(1.0).threshold(9.0), InjectedCurrent::new(2.0)))?;
    net.step()?;
    assert_eq!(net.state(exc, "v")?, [2.0]);
    let Some(mut lif) = net.world_mut().get_mut::<Lif>(exc) else { unreachable!("it was built with one") };
    (lif.r, lif.v_reset) = (3.0.into(), (-1.0).into());
    net.step()?;
    assert_eq!(net.state(exc, "v")?, [6.0]);
    // The reset potential that others see has followed.
    assert_eq!(net.get::<Membrane>(exc)?.v_reset.get(0), -1.0);
    Ok(())
}

/// Something of the user's own in the same world.
#[derive(Component)]
struct Robot(u32);

#[derive(Resource, Default)]
struct Log(Vec<&'static str>);

#[test]
fn a_network_in_a_world_of_the_users_own_has_the_same_bits() -> Result<()> {
    let settings = Settings { threads: 1, seed: 9, ..Default::default() };
    let mut world = World::new();
    world.insert_resource(Log::default());
    let robots: Vec<Entity> =
        (0..50).map(|k| world.spawn((Robot(k), Name::new(format!("robot {k}")))).id()).collect();
    conex::install(&mut world, settings)?;
    world.despawn(robots[7]);
    small_in(&mut world)?;
    let mut of_its_own = Neocortex::with(settings)?;
    small_in(&mut of_its_own)?;
    for k in 0..10 {
        world.run(20)?;
        of_its_own.run(20)?;
        // The user's part of the world lives on between the steps.
        let mut all = world.query::<&mut Robot>();
        all.iter_mut(&mut world).for_each(|mut robot| robot.0 += 1);
        world.spawn(Robot(k));
        assert!(snapshot(&world) == snapshot(&of_its_own), "round {k}");
    }
    let mut robots = world.query::<&Robot>();
    assert_eq!(robots.iter(&world).count(), 59);
    assert_eq!(world.now(), 200.0);
    // A network that owned its world gives it away, and runs on in it.
    let mut released = of_its_own.into_world();
    released.run(20)?;
    world.run(20)?;
    assert!(snapshot(&world) == snapshot(&released));
    Ok(())
}

#[test]
fn the_users_systems_run_behind_their_stage_in_the_order_in_which_they_joined() -> Result<()> {
    let mut net = network()?;
    net.world_mut().init_resource::<Log>();
    let note = |what: &'static str| move |mut log: ResMut<Log>| log.0.push(what);
    net.add_system(StepSystems::Fire, note("fire, first"));
    net.add_system(StepSystems::Record, note("record"));
    net.add_system(StepSystems::Fire, note("fire, second"));
    net.add_system(StepSystems::Time, note("time"));
    net.add_system(StepSystems::Fire, note("fire, third"));
    net.run(2)?;
    let once = ["time", "fire, first", "fire, second", "fire, third", "record"];
    assert_eq!(net.world().resource::<Log>().0, [once, once].concat());
    Ok(())
}

#[test]
fn a_users_system_sees_what_its_stage_has_done_and_changes_what_the_next_will_do() -> Result<()> {
    let mut net = network()?;
    let exc = net.neurons("exc", 2, (Lif::default().tau(1.0), InjectedCurrent::new(0.75)))?;
    let watch = |mut populations: Query<&mut MembranePotential>| {
        for mut v in &mut populations {
            assert_eq!(v.0, [0.75, 0.75], "the stage has integrated");
            v.0[1] += 1.0;
        }
    };
    net.add_system(StepSystems::NeuronDynamics, watch);
    net.step()?;
    assert_eq!(net.spikes(exc)?, [1]);
    Ok(())
}

#[test]
fn spikes_of_a_users_own_making_travel_like_any_other() -> Result<()> {
    let mut net = network()?;
    let input = net.neurons("input", 3, (InputSpikes::default(), NeuronAxon::default()))?;
    let target = net.neurons("target", 1, (Lif::default(), SimpleDendriteStructure::default()))?;
    net.synapses(input, target, ones())?;
    net.add_system(StepSystems::Stimulus, |clock: Res<Clock>, mut inputs: Query<&mut InputSpikes>| {
        inputs.iter_mut().for_each(|mut input| input.set(&[2, 0, 2][..clock.iteration as usize % 4]));
    });
    let mut currents = Vec::new();
    for _ in 0..5 {
        net.step()?;
        currents.push(net.state(target, "I")?[0]);
    }
    // 1, 2, 3 and 0 names of neurons at the steps 1 to 4, of which the third repeats one.
    assert_eq!(currents, [0.0, 1.0, 2.0, 2.0, 0.0]);
    Ok(())
}

/// A kind of connectivity of a user's own that keeps its synapses as conex does.
#[derive(Component, Clone, Copy, Debug, Default)]
#[require(Weighted)]
struct Halved;

impl systems::synaptic_input::Connectivity for Halved {
    type Synapses = systems::synaptic_input::dense::DenseSynapses;

    fn connect(&self, site: &systems::synaptic_input::Site<'_>) -> Result<Self::Synapses, systems::Error> {
        Dense.connect(site)
    }
}

#[test]
fn what_is_registered_twice_acts_once() -> Result<()> {
    let learned = |registered: bool| -> Result<Vec<Real>> {
        let mut net = network()?;
        if registered {
            net.register_neuron_model::<Lif>();
            net.register_plasticity_rule::<Stdp>();
            net.register_connectivity::<Dense>();
            net.register_connectivity::<Halved>();
            net.register_connectivity::<Halved>();
            net.register_learning::<Stdp, systems::synaptic_input::dense::DenseSynapses>();
        }
        let (a, b) = (driven(&mut net, "a")?, driven(&mut net, "b")?);
        let rule = (Stdp::default(), PreTrace::new(9.0), PostTrace::new(9.0));
        let weights = WeightInitializer::constant(0.25);
        let projection = if registered {
            net.synapses(a, b, (Halved, weights, Proximal, rule))?
        } else {
            net.synapses(a, b, (Dense, weights, Proximal, rule))?
        };
        net.run(40)?;
        Ok(net.weights(projection)?.into_iter().collect())
    };
    let once = learned(false)?;
    assert!(once.iter().any(|w| *w != 0.25), "nothing was learned");
    assert_eq!(learned(true)?, once);
    Ok(())
}

#[test]
fn a_mended_network_builds() -> Result<()> {
    let mut net = network()?;
    let (a, b) = (driven(&mut net, "a")?, driven(&mut net, "b")?);
    let projection = net.synapses(a, b, (Dense, WeightInitializer::ones().density(1.5)))?;
    net.world_mut().entity_mut(a).remove::<NeuronAxon>().insert(Lif::default().tau(-1.0));
    let Err(Error::Network(systems::Error::Several(faults))) = net.run(1) else {
        panic!("it is full of faults")
    };
    assert_eq!(faults.len(), 4, "{faults:?}");
    net.world_mut().entity_mut(a).insert((NeuronAxon::default(), Lif::default()));
    net.world_mut().entity_mut(projection).insert((Proximal, WeightInitializer::ones()));
    net.run(20)?;
    assert_eq!(net.now(), 20.0, "nothing ran before it was mended");
    assert!(net.state(b, "v")?.iter().all(|v| v.is_finite()));
    Ok(())
}

#[test]
fn the_step_schedule_is_the_users_to_run() -> Result<()> {
    let mut net = network()?;
    let a = driven(&mut net, "a")?;
    let mut twin = network()?;
    driven(&mut twin, "a")?;
    net.build()?;
    for _ in 0..25 {
        net.world_mut().run_schedule(Step);
    }
    twin.run(25)?;
    assert!(net.state(a, "v")? == twin.state(twin.find("a")?, "v")? && snapshot(&net) == snapshot(&twin));
    Ok(())
}

#[test]
fn a_behaviour_with_state_that_comes_late_gets_its_state_and_leaves_the_others_alone() -> Result<()> {
    let mut net = network()?;
    let exc = driven(&mut net, "exc")?;
    net.run(3)?;
    let before = net.state(exc, "v")?;
    net.world_mut().entity_mut(exc).insert(RefractoryPeriod::new(2.0));
    net.build()?;
    assert_eq!(net.state(exc, "v")?, before);
    let resting = net.get::<systems::refractory::RefractorySteps>(exc)?;
    assert!((0..4).all(|j| resting.left(j) == 0));
    net.run(50)?;
    assert_eq!(net.now(), 53.0);
    Ok(())
}

#[test]
fn a_world_that_nobody_prepared_gets_the_default_settings() -> Result<()> {
    let mut world = World::new();
    assert_eq!(world.now(), 0.0);
    let exc = driven_in(&mut world)?;
    world.run(10)?;
    assert_eq!(world.now(), 10.0);
    assert!(world.state(exc, "v")?[0] > 0.0);
    Ok(())
}

fn driven_in(world: &mut World) -> Result<Entity> {
    world.neurons("exc", 4, (Lif::default(), InjectedCurrent::new(1.5)))
}

#[test]
fn a_threshold_of_the_wrong_length_is_an_error_even_between_steps() -> Result<()> {
    let mut net = network()?;
    let exc = driven(&mut net, "exc")?;
    net.run(1)?;
    net.world_mut().entity_mut(exc).insert(Threshold(vec![1.0, 2.0].into()));
    let error = net.run(1).err();
    let wrong = |e: &Error| {
        matches!(e, Error::Network(systems::Error::ParameterLength { expected: 4, given: 2, .. }))
    };
    assert!(error.as_ref().is_some_and(wrong), "{error:?}");
    Ok(())
}

#[test]
fn a_population_with_a_stimulus_takes_no_other_input() -> Result<()> {
    let mut net = network()?;
    let image = Images::new(4, vec![0.5; 4], None)?;
    let input = net.neurons("input", 4, Stimulus::new(image, SimplePoisson::new(5, 1.0)?))?;
    let error = net.set_input(input, &[1]).err();
    assert!(matches!(error, Some(Error::Network(systems::Error::StimulusDrives { .. }))), "{error:?}");
    Ok(())
}

#[test]
fn an_eligibility_that_would_grow_is_an_error() -> Result<()> {
    for (tau_c, sound) in [(0.49, false), (0.5, true)] {
        let mut net = network()?;
        let exc = driven(&mut net, "exc")?;
        let traces = (PreTrace::new(10.0), PostTrace::new(10.0));
        net.synapses(exc, exc, (ones(), traces, Rstdp::new(Stdp::default(), tau_c)))?;
        net.set_dopamine(Dopamine::new(20.0));
        let error = net.build().err();
        let grows = |e: &Error| matches!(e, Error::Network(systems::Error::ParameterRange { parameter, .. }) if parameter == "tau_c");
        assert_eq!(error.as_ref().is_some_and(grows), !sound, "{tau_c}: {error:?}");
        assert_eq!(error.is_none(), sound, "{tau_c}: {error:?}");
    }
    Ok(())
}

#[test]
fn a_trace_shorter_than_a_step_is_an_error() -> Result<()> {
    let mut net = network()?;
    let exc = driven(&mut net, "exc")?;
    net.synapses(exc, exc, (ones(), PreTrace::new(0.5)))?;
    let error = net.build().err();
    let short = |e: &Error| matches!(e, Error::Network(systems::Error::ParameterRange { parameter, .. }) if parameter == "tau_s");
    assert!(error.as_ref().is_some_and(short), "{error:?}");
    Ok(())
}
