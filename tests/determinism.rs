//! Same seed, same bits: for any number of threads, any order of systems, any order of building.

#![cfg_attr(
    feature = "f64",
    allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "`Real` is `f64` then")
)]

use bevy_ecs::schedule::{LogLevel, ScheduleBuildSettings, ScheduleLabel};
use conex::prelude::*;
use conex::systems;
use conex::systems::record::StateVariables;
use conex::systems::schedule::{Build, Step};
use conex::{Error, Result};

/// Every state variable of every group, bit by bit.
pub(crate) type Snapshot = Vec<(String, &'static str, Vec<u64>)>;

pub(crate) fn snapshot(net: &impl Network) -> Snapshot {
    let variables = net.world().resource::<StateVariables>();
    let (mut all, mut values) = (Vec::new(), Vec::new());
    for (group, name) in net.names() {
        for variable in variables.of(net.world().entity(group)) {
            variables.read(variable, net.world().entity(group), &mut values);
            let bits = values.iter().map(|&x| f64::from(x).to_bits()).collect();
            all.push((name.clone(), variable, bits));
        }
    }
    // The order of entities is not what is compared.
    all.sort();
    all
}

/// Where two snapshots differ, in words: printing them whole would bury it.
fn difference(a: &Snapshot, b: &Snapshot) -> Option<String> {
    if a.len() != b.len() {
        return Some(format!("{} variables against {}", a.len(), b.len()));
    }
    a.iter().zip(b).find(|(a, b)| a != b).map(|(a, b)| {
        let at = a.2.iter().zip(&b.2).position(|(x, y)| x != y);
        format!("`{}` of {} at {at:?}", a.1, a.0)
    })
}

/// Images of `side` x `side` pixels: every fifth is bright all over, the others have bars.
fn images(side: usize) -> Result<Images> {
    let image = |k: usize| {
        (0..side * side).map(move |pixel| match k {
            0 => 0.95,
            _ if (pixel / side + k).is_multiple_of(4) => 0.5,
            _ => 0.02,
        })
    };
    let intensities = (0..5).flat_map(image).collect();
    Ok(Images::new((1, side, side), intensities, Some((0..5).collect()))?)
}

/// Noise, a Poisson stimulus, STDP, competition, normalization, clipping, delays, homeostasis and adaptation: a bit of
/// everything, in a network of few neurons.
pub(crate) fn small(settings: Settings) -> Result<Neocortex> {
    let mut net = Neocortex::with(settings)?;
    small_in(&mut net)?;
    Ok(net)
}

pub(crate) fn small_in(net: &mut impl Network) -> Result<()> {
    let stimulus = Stimulus::new(images(6)?, SimplePoisson::new(7, 0.6)?).silent_interval(2);
    let retina = net.neurons("retina", (1, 6, 6), (stimulus, NeuronAxon::new(4)))?;
    let exc = net.neurons(
        "exc",
        30,
        (
            (
                Lif::default().tau(6.0),
                InherentNoise::normal(0.02, 0.1),
                Kwta::new(4),
                RefractoryPeriod::new(2.0),
            ),
            (
                NeuronAxon::new(3),
                SimpleDendriteStructure::new(3),
                ActivityBaseHomeostasis::new(2.0, 20, 0.02),
            ),
        ),
    )?;
    let inh = net.neurons(
        "inh",
        (2, 4, 4),
        (
            (Aelif::default(), InherentNoise::uniform(-1.0, 1.0), Inhibitory, NeuronAxon::new(3)),
            (SimpleDendriteStructure::default(), InjectedCurrent::new(12.0)),
        ),
    )?;
    let rule = || (Stdp::new(0.02, 0.015).bounds(Bound::Soft), PreTrace::new(8.0), PostTrace::new(14.0));
    let drawn = |scale| Delays::drawn(Distribution::Between { low: 0.0, high: scale });
    let delays = DelayInitializer::default().source_delays(drawn(3.99)).destination_delays(drawn(2.99));
    let weights = || WeightInitializer::uniform(0.0, 1.0);
    let shape = (WeightNormalization::new(9.0), WeightClip::default());
    net.synapses(retina, exc, (Dense, weights(), Proximal, delays, rule(), shape))?;
    net.synapses(exc, exc, (Sparse, weights().density(0.3), Apical, rule()))?;
    net.synapses(retina, inh, (Conv2d::new(3, 3), weights().scale(9.0), Proximal, rule()))?;
    net.synapses(
        inh,
        exc,
        (Dense, WeightInitializer::normal(0.2, 0.05), Proximal, CurrentNormalization::default()),
    )?;
    Ok(())
}

pub(crate) fn on_one_thread(seed: u64) -> Settings {
    Settings { seed, threads: 1, ..Default::default() }
}

/// Snapshots at every tenth of 200 steps.
pub(crate) fn history(mut net: impl Network) -> Result<Vec<Snapshot>> {
    let mut history = vec![snapshot(&net)];
    for _ in 0..20 {
        net.run(10)?;
        history.push(snapshot(&net));
    }
    Ok(history)
}

fn assert_same(a: &[Snapshot], b: &[Snapshot], what: &str) {
    assert_eq!(a.len(), b.len());
    for (k, (a, b)) in a.iter().zip(b).enumerate() {
        if let Some(difference) = difference(a, b) {
            panic!("{what}: {difference}, snapshot {k}");
        }
    }
}

/// How many spikes of `population` a run of 200 steps brings: a silent network would prove nothing.
fn activity(seed: u64, population: &str) -> Result<usize> {
    let mut net = small(on_one_thread(seed))?;
    let population = net.find(population)?;
    let spikes = net.record_spikes(population)?;
    net.run(200)?;
    Ok(spikes.len())
}

#[test]
fn the_same_seed_gives_the_same_bits() -> Result<()> {
    for population in ["retina", "exc", "inh"] {
        assert!(activity(3, population)? > 50, "{population} is silent");
    }
    let first = history(small(on_one_thread(3))?)?;
    assert!(first[0] != first[1] && first[19] != first[20]);
    assert_same(&first, &history(small(on_one_thread(3))?)?, "again");
    Ok(())
}

#[test]
fn another_seed_gives_other_weights_noise_and_stimuli() -> Result<()> {
    let (first, second) = (history(small(on_one_thread(3))?)?, history(small(on_one_thread(4))?)?);
    let of = |history: &[Snapshot], group: &str, variable: &str| -> Vec<Vec<u64>> {
        let matching = history.iter().flatten().filter(|(g, v, _)| g == group && *v == variable);
        matching.map(|(.., bits)| bits.clone()).collect()
    };
    for (group, variable) in [
        ("retina", "spikes"),
        ("exc", "v"),
        ("inh", "v"),
        ("retina -> exc", "weights"),
        ("exc -> exc", "weights"),
    ] {
        let (first, second) = (of(&first, group, variable), of(&second, group, variable));
        assert!(!first.is_empty() && first.len() == second.len(), "{variable} of {group}");
        assert_ne!(first, second, "{variable} of {group}");
    }
    Ok(())
}

#[test]
fn many_short_runs_are_one_long_run() -> Result<()> {
    let (mut short, mut long) = (small(on_one_thread(5))?, small(on_one_thread(5))?);
    long.run(60)?;
    for _ in 0..60 {
        short.step()?;
        short.build()?;
    }
    assert_same(&[snapshot(&long)], &[snapshot(&short)], "60 runs of one step, each with a build");
    Ok(())
}

#[test]
fn two_builds_give_the_same_network() -> Result<()> {
    let build = || -> Result<Snapshot> {
        let mut net = small(on_one_thread(6))?;
        net.build()?;
        let once = snapshot(&net);
        net.build()?;
        assert_same(&[once], &[snapshot(&net)], "a second build of the same network");
        Ok(snapshot(&net))
    };
    assert_same(&[build()?], &[build()?], "another network");
    Ok(())
}

#[test]
fn draws_follow_the_names_and_not_the_order_of_building() -> Result<()> {
    let mut other = Neocortex::with(on_one_thread(7))?;
    // Another group ahead of all shifts every entity.
    let extra = other.neurons("extra", 9, (Lif::default(), InherentNoise::default()))?;
    small_in(&mut other)?;
    other.run(30)?;
    other.world_mut().despawn(extra);
    let mut plain = small(on_one_thread(7))?;
    plain.run(30)?;
    assert_same(&[snapshot(&plain)], &[snapshot(&other)], "with another group ahead");
    Ok(())
}

/// Sets the order of a schedule's systems to a random one among those that its constraints leave.
fn shuffle(net: &mut Neocortex, label: impl ScheduleLabel + Clone, seed: u64) {
    net.world_mut().schedule_scope(label, |_, schedule| {
        let settings = ScheduleBuildSettings { shuffle_seed: Some(seed), ..schedule.get_build_settings() };
        schedule.set_build_settings(settings);
    });
}

fn order(net: &mut Neocortex) -> Vec<String> {
    net.world_mut().schedule_scope(Step, |_, step| {
        let systems =
            step.systems().map(|systems| systems.map(|(_, system)| system.name().to_string()).collect());
        systems.unwrap_or_default()
    })
}

#[test]
fn the_order_of_systems_within_a_stage_does_not_matter() -> Result<()> {
    let mut plain = small(on_one_thread(8))?;
    plain.build()?;
    let plain_order = order(&mut plain);
    assert!(plain_order.len() > 20, "{plain_order:?}");
    let plain = history(plain)?;
    for seed in 1..=5 {
        let mut shuffled = small(on_one_thread(8))?;
        shuffle(&mut shuffled, Step, seed);
        shuffle(&mut shuffled, Build, seed);
        shuffled.build()?;
        assert_ne!(order(&mut shuffled), plain_order, "nothing was shuffled");
        assert_same(&plain, &history(shuffled)?, &format!("shuffled by {seed}"));
    }
    Ok(())
}

/// A user's system that gets in the way of the stage's own.
fn disturb(mut populations: Query<&mut systems::dynamics::MembranePotential>) {
    for mut v in &mut populations {
        v.0.iter_mut().for_each(|v| *v += 0.125);
    }
}

#[test]
fn the_step_has_no_ambiguities_and_would_say_so() -> Result<()> {
    let mut net = small(on_one_thread(1))?;
    net.world_mut().schedule_scope(Step, |_, step| {
        assert!(matches!(step.get_build_settings().ambiguity_detection, LogLevel::Error));
        assert!(matches!(step.get_build_settings().hierarchy_detection, LogLevel::Error));
    });
    net.build()?;
    for stage in [StepSystems::Noise, StepSystems::NeuronDynamics, StepSystems::Fire] {
        let mut net = small(on_one_thread(1))?;
        net.world_mut().schedule_scope(Step, |_, step| {
            step.add_systems(disturb.in_set(stage));
        });
        match net.build() {
            Err(Error::Network(systems::Error::AmbiguousStep { reason })) => {
                assert!(reason.contains("disturb"), "{reason}");
            }
            other => panic!("{stage:?}: {other:?}"),
        }
    }
    Ok(())
}

#[test]
fn the_same_system_has_its_place_when_it_joins_the_stage() -> Result<()> {
    for stage in StepSystems::ALL {
        let mut net = small(on_one_thread(1))?;
        net.add_system(stage, disturb);
        net.add_system(stage, disturb);
        net.build()?;
    }
    Ok(())
}

// Threads.

/// `GATE` of systems/workers/mod.rs: below so much work, a region runs on the calling thread.
const GATE: usize = 16_000;

/// Four chunks of neurons and a bit.
const WIDE: usize = 4 * 4096 + 100;

/// A network whose populations are large enough for every parallel region, but not larger.
fn large(threads: usize) -> Result<Neocortex> {
    let mut net = Neocortex::with(Settings { seed: 2, threads, ..Default::default() })?;
    let stimulus = Stimulus::new(images(28)?, SimplePoisson::new(4, 0.9)?);
    let retina = net.neurons("retina", (1, 28, 28), (stimulus, NeuronAxon::new(2)))?;
    let noise = InherentNoise::normal(0.03, 0.1);
    let dendrite = || (SimpleDendriteStructure::new(2), NeuronAxon::new(2));
    let exc = net.neurons("exc", 400, (Lif::default(), noise, Kwta::new(60), dendrite()))?;
    let simple = net.neurons("simple", (4, 24, 24), (Lif::default(), Kwta::new(200), dendrite()))?;
    const { assert!(WIDE * 4 >= GATE) };
    let wide = (Aelif::default(), InherentNoise::normal(0.5, 2.0), NeuronAxon::default());
    net.neurons("wide", WIDE, wide)?;
    let rule = || (Stdp::new(0.01, 0.008).bounds(Bound::Soft), PreTrace::new(8.0), PostTrace::new(14.0));
    let weights = || WeightInitializer::uniform(0.0, 1.0);
    let delays = DelayInitializer::source(1).destination_delays(Delays::Given(vec![1]));
    let exc_rule =
        (rule(), WeightNormalization::new(30.0), WeightClip::default(), DelayInitializer::source(1));
    net.synapses(retina, exc, (Dense, weights().scale(0.1), Proximal, exc_rule))?;
    net.synapses(retina, simple, (Conv2d::new(5, 5), weights().scale(0.3), Proximal, rule()))?;
    net.synapses(simple, exc, (Sparse, weights().density(0.05), Distal, delays))?;
    Ok(net)
}

#[test]
fn one_and_two_threads_give_the_same_bits() -> Result<()> {
    let run = |threads| -> Result<_> {
        let mut net = large(threads)?;
        let [retina, exc, simple] = ["retina", "exc", "simple"].map(|name| net.find(name));
        let (retina, exc, simple) = (retina?, exc?, simple?);
        let recordings = [net.record_spikes(retina)?, net.record_spikes(exc)?, net.record_spikes(simple)?];
        let (mut history, mut work) = (Vec::new(), [0_usize; 4]);
        for step in 0..1000 {
            net.step()?;
            let (inputs, winners, places) =
                (net.spikes(retina)?.len(), net.spikes(exc)?.len(), net.spikes(simple)?.len());
            // Their estimates of the work, in the order: dense delivery, dense learning, convolution, its learning.
            let estimates = [
                inputs * 400 / 4,
                inputs * 400 / 2 + winners * 784 * 2,
                inputs * 25 * 4 * 2,
                (inputs * 4 + places) * 25 * 3,
            ];
            work.iter_mut().zip(estimates).for_each(|(most, now)| *most = now.max(*most));
            if step % 100 == 99 {
                history.push(snapshot(&net));
            }
        }
        assert!(work.iter().all(|&most| most >= GATE), "a region is never entered: {work:?}");
        Ok((history, recordings.map(|recording| recording.events())))
    };
    let ((one, one_spikes), (two, two_spikes)) = (run(1)?, run(2)?);
    assert!(one_spikes.iter().all(|events| events.len() > 10_000));
    assert!(one_spikes == two_spikes, "spikes differ");
    assert_same(&one, &two, "two threads");
    // Learning has not come to rest: the weights still move.
    let weights = |snapshot: &Snapshot| -> Vec<_> {
        snapshot.iter().filter(|(_, variable, _)| *variable == "weights").cloned().collect()
    };
    assert_ne!(weights(&one[8]), weights(&one[9]));
    let mut three = large(3)?;
    three.run(100)?;
    assert_same(&one[..1], &[snapshot(&three)], "three threads");
    Ok(())
}

#[test]
fn random_sources_and_adaptation_give_the_same_bits_on_any_number_of_threads() -> Result<()> {
    // 1,000 Hz and 15 ns a draw, or 2 ns a neuron of which there are more: every region is entered.
    const { assert!(WIDE * 9 >= GATE && 2 * WIDE * 2 >= GATE) };
    let run = |threads, seed| -> Result<Vec<Snapshot>> {
        let mut net = Neocortex::with(Settings { seed, threads, ..Default::default() })?;
        let rates = (0..2 * WIDE).map(|j| (j % 50) as f64).collect::<Vec<_>>();
        let even = net.neurons("even", WIDE, (PoissonSource::new(1000.0), NeuronAxon::default()))?;
        net.neurons("uneven", 2 * WIDE, PoissonSource::new(rates))?;
        let neuron = (Izhikevich::chattering(), SimpleDendriteStructure::default(), NeuronAxon::default());
        let tiring =
            (Adaptation::new(0.01, 0.5, 50.0).and(0.0, 0.1, 200.0), AdaptiveThreshold::new(0.1, 1e3));
        let exc = net.neurons("exc", WIDE, (neuron, tiring))?;
        net.synapses(even, exc, (One2One, WeightInitializer::uniform(10.0, 30.0), Proximal))?;
        history(net)
    };
    let one = run(1, 9)?;
    for threads in [2, 3] {
        assert_same(&one, &run(threads, 9)?, &format!("{threads} threads"));
    }
    assert_ne!(one[5], run(1, 10)?[5], "another seed");
    let last = |variable: &str, group: &str| {
        let found = one[20].iter().find(|(g, v, _)| g == group && *v == variable);
        found.map_or(0, |(.., bits)| bits.iter().filter(|bits| **bits != 0).count())
    };
    for (variable, group) in
        [("spikes", "even"), ("spikes", "uneven"), ("adaptation_1", "exc"), ("theta", "exc")]
    {
        assert!(last(variable, group) > 100, "{variable} of {group}");
    }
    Ok(())
}
