//! Static synapses: against a plain oracle, with other numbers of threads, fused and split, laid out anew on the way.

#![cfg_attr(
    feature = "f64",
    allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "`Real` is `f64` then")
)]

use crate::determinism::{Snapshot, snapshot};
use conex::Result;
use conex::prelude::*;
use conex::recording::SpikeCounts;

/// A neuron whose synaptic currents last one step, so that they are the step's arrivals; it never fires.
fn catcher(receptors: usize) -> LifPscExp {
    let neuron = LifPscExp::default().tau_syn(0.001).threshold(1e9).v_rest(0.0).init_v(0.0);
    if receptors == 2 { neuron.tau_syn_inh(0.001) } else { neuron }
}

/// A source that fires what it is told, and catchers behind synapses of all kinds of delays.
fn wired(
    weights: WeightBits,
    threads: usize,
    receptors: usize,
    inhibitory: bool,
) -> Result<(Neocortex, [Entity; 3])> {
    let mut net = Neocortex::with(Settings { threads, seed: 5, ..Default::default() })?;
    let source = net.neurons("source", 60, InputSpikes::default())?;
    if inhibitory {
        net.world_mut().entity_mut(source).insert(Inhibitory);
    }
    let target = net.neurons("target", 3000, catcher(receptors))?;
    let connections = Connections::fixed_total_number(20_000);
    let drawn = (WeightInitializer::normal(10.0, 2.0), SynapticDelays::normal(8.0, 4.0).within(0.5, 30.0));
    let projection =
        net.synapses(source, target, (Static { weights }, connections, drawn, CurrentCoef(0.5)))?;
    net.build()?;
    Ok((net, [source, target, projection]))
}

/// Who fires at step t, from 1 on.
fn fires(t: u64) -> Vec<u32> {
    (0..60).filter(|i| (u64::from(*i) * 7 + t * 13).is_multiple_of(11)).collect()
}

#[test]
fn every_spike_arrives_once_at_its_step_with_its_weight() -> Result<()> {
    for (weights, receptors, inhibitory) in [
        (WeightBits::Bits32, 1, false),
        (WeightBits::Bits32, 1, true),
        (WeightBits::Bits16, 2, true),
        (WeightBits::Bits16, 2, false),
    ] {
        let (mut net, [source, target, projection]) = wired(weights, 2, receptors, inhibitory)?;
        let table = net.connections(projection)?;
        assert_eq!(table.pre.len(), 20_000);
        let sign = if inhibitory { -0.5 } else { 0.5 };
        let mut expected = vec![vec![0.0_f64; 3000]; 120];
        for t in 1..=80 {
            net.set_input(source, &fires(t))?;
            net.step()?;
            for k in (0..table.pre.len()).filter(|&k| fires(t).contains(&table.pre[k])) {
                let at = t as usize + table.delay[k] as usize;
                expected[at][table.post[k] as usize] += sign * f64::from(table.weight[k]);
            }
            let variable = if receptors == 2 && inhibitory { "I_syn_inh" } else { "I_syn" };
            let flip = if receptors == 2 && inhibitory { -1.0 } else { 1.0 };
            let arrived = net.state(target, variable)?;
            for (j, (&arrived, &expected)) in arrived.iter().zip(&expected[t as usize]).enumerate() {
                let error = (f64::from(arrived) - flip * expected).abs();
                assert!(error < 2e-4, "{weights:?}, step {t}, neuron {j}: {arrived} for {expected}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_delay_longer_than_a_segment_can_bridge_is_kept() -> Result<()> {
    let mut net = Neocortex::new()?;
    let source = net.neurons("source", 1, InputSpikes::default())?;
    let target = net.neurons("target", 2, catcher(1))?;
    let kind = (
        Static::default(),
        Connections::pairs(vec![(0, 1), (0, 0)]),
        SynapticDelays::given(vec![140_000.0, 1.0]),
    );
    net.synapses(source, target, (kind, WeightInitializer::dense(vec![2], vec![3.0, 2.0])))?;
    net.set_input(source, &[0])?;
    net.run(2)?;
    assert_eq!(net.state(target, "I_syn")?, [2.0, 0.0]);
    net.run(139_998)?;
    assert_eq!(net.state(target, "I_syn")?, [0.0, 0.0]);
    net.step()?;
    assert_eq!(net.state(target, "I_syn")?, [0.0, 3.0]);
    Ok(())
}

/// Neurons of a network, excitatory and inhibitory: more than are laid out for one thread alone.
const EXC: usize = 13_500;
const INH: usize = 3_700;

/// Excitation and inhibition in balance, driven at random, with delays, rest, and a projection that learns.
fn balanced(weights: WeightBits, threads: usize) -> Result<(Neocortex, [Entity; 2])> {
    let mut net = Neocortex::with(Settings { dt: 0.1, threads, seed: 3, ..Default::default() })?;
    let neuron = || (LifPscExp::default(), RefractoryPeriod::new(2.0), NeuronAxon::default());
    let exc = net.neurons("exc", EXC, (neuron(), PoissonDrive::new(1600.0, 9.0, 87.8)))?;
    let inh = net.neurons("inh", INH, (neuron(), PoissonDrive::new(1500.0, 9.0, 87.8), Inhibitory))?;
    for (source, n, weight, delay) in [(exc, 80, 87.8, 1.5), (inh, 20, 400.0, 0.8)] {
        for target in [exc, inh] {
            let connections = (Static { weights }, Connections::fixed_in_degree(n), NoSelfConnections);
            let weight = WeightInitializer::normal(weight, 0.1 * weight).within(0.0, Real::MAX);
            let delays = SynapticDelays::normal(delay, 0.5 * delay).within(0.1, 10.0);
            net.synapses(source, target, (connections, weight, delays))?;
        }
    }
    let learning = (PreTrace::new(10.0), PostTrace::new(10.0), Stdp::new(0.5, 0.6));
    let sparse = (Sparse, WeightInitializer::uniform(0.0, 80.0).density(0.002), Proximal);
    net.synapses(exc, inh, (sparse, learning))?;
    net.build()?;
    Ok((net, [exc, inh]))
}

/// Neurons that fire of themselves, seldom: so little arrives at most steps that it is listed, and at some too much.
fn restless(weights: WeightBits, threads: usize) -> Result<(Neocortex, [Entity; 2])> {
    let mut net = Neocortex::with(Settings { dt: 0.1, threads, seed: 4, ..Default::default() })?;
    let neuron = |n: usize| {
        let initial = |j: usize| -60.0 + 10.0 * ((j * 7919 % n) as Real / n as Real).powi(2);
        let v: Vec<Real> = (0..n).map(initial).collect();
        let model = LifPscExp::default().tau(20.0).c(20.0).v_rest(-49.0).threshold(-50.0).v_reset(-60.0);
        model.tau_syn(5.0).init_v(v)
    };
    let rest = || RefractoryPeriod::new(5.0);
    let exc = net.neurons("exc", EXC, (neuron(EXC).tau_syn_inh(10.0), rest()))?;
    let inh = net.neurons("inh", INH, (neuron(INH), rest(), Inhibitory))?;
    for (source, n, weight) in [(exc, 32, 1.62), (inh, 8, 9.0)] {
        for target in [exc, inh] {
            let connections = (Static { weights }, Connections::fixed_in_degree(n));
            let drawn = (WeightInitializer::normal(weight, 0.1), SynapticDelays::uniform(0.1, 0.5));
            net.synapses(source, target, (connections, drawn))?;
        }
    }
    net.build()?;
    Ok((net, [exc, inh]))
}

fn after(net: &mut Neocortex, steps: u64) -> Result<(Vec<u32>, Snapshot)> {
    let groups = [net.find("exc")?, net.find("inh")?];
    let counts = [net.count_spikes(groups[0])?, net.count_spikes(groups[1])?];
    net.run(steps)?;
    let spikes: Vec<u32> = counts.iter().flat_map(SpikeCounts::get).collect();
    assert!(spikes.iter().sum::<u32>() > 500, "a silent network shows nothing");
    Ok((spikes, snapshot(net)))
}

#[test]
fn the_number_of_threads_changes_no_bit_of_static_synapses() -> Result<()> {
    for network in [balanced, restless] {
        for weights in [WeightBits::Bits16, WeightBits::Bits32] {
            let one = after(&mut network(weights, 1)?.0, 500)?;
            for threads in [2, 3, 4] {
                let other = after(&mut network(weights, threads)?.0, 500)?;
                assert!(one == other, "{weights:?}, {threads} threads");
            }
        }
    }
    Ok(())
}

#[test]
fn fused_or_split_gives_the_same_bits() -> Result<()> {
    for network in [balanced, restless] {
        let fused = after(&mut network(WeightBits::Bits32, 2)?.0, 500)?;
        let mut net = network(WeightBits::Bits32, 2)?.0;
        net.add_system(StepSystems::Noise, || {});
        let split = after(&mut net, 500)?;
        // What arrived stands in the receptors of split populations only; all that a step leaves behind is compared.
        assert!(fused.0 == split.0);
        let of = |snapshot: &Snapshot| -> Snapshot {
            snapshot
                .iter()
                .filter(|(_, variable, _)| ["v", "I_syn", "I_syn_inh", "weights"].contains(variable))
                .cloned()
                .collect()
        };
        assert!(of(&fused.1) == of(&split.1));
    }
    Ok(())
}

#[test]
fn what_is_under_way_survives_a_new_layout() -> Result<()> {
    let whole = {
        let (mut net, _) = balanced(WeightBits::Bits32, 2)?;
        after(&mut net, 400)?.0
    };
    let (mut net, [exc, inh]) = balanced(WeightBits::Bits32, 2)?;
    let counts = [net.count_spikes(exc)?, net.count_spikes(inh)?];
    net.run(200)?;
    // Synapses without weight, over which nothing comes.
    let none = (Static::default(), Connections::pairwise_bernoulli(0.01), WeightInitializer::zeros());
    net.synapses(exc, inh, none)?;
    net.run(200)?;
    let spikes: Vec<u32> = counts.iter().flat_map(SpikeCounts::get).collect();
    assert!(whole == spikes);
    Ok(())
}

#[test]
fn a_projection_that_joins_carries_the_spikes_from_then_on() -> Result<()> {
    let mut net = Neocortex::new()?;
    let source = net.neurons("source", 2, InputSpikes::default())?;
    let target = net.neurons("target", 2, catcher(1))?;
    let synapses = |weight| {
        let delay = SynapticDelays::constant(5.0);
        (Static::default(), Connections::one_to_one(), WeightInitializer::constant(weight), delay)
    };
    let early = net.synapses(source, target, synapses(1.0))?;
    let arrives = |net: &mut Neocortex, fired: &[u32]| -> Result<Vec<Real>> {
        net.set_input(source, fired)?;
        net.step()?;
        net.state(target, "I_syn")
    };
    // Spikes at steps 1, 3 and 4; the second projection joins behind step 4.
    for fired in [&[0][..], &[], &[1], &[0]] {
        assert_eq!(arrives(&mut net, fired)?, [0.0, 0.0]);
    }
    let late = net.synapses(source, target, synapses(8.0))?;
    let mut arrived = Vec::new();
    for fired in [&[0, 1][..], &[], &[], &[], &[], &[], &[]] {
        arrived.push(arrives(&mut net, fired)?);
    }
    // From step 5 on: the spikes of steps 1, 3 and 4 come by the first projection, those of step 5 by both.
    let expected = [[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [9.0, 9.0], [0.0, 0.0]];
    assert_eq!(arrived, expected);
    // What is switched off for a while carries nothing of that while.
    net.switch_off("Static", late)?;
    assert_eq!(arrives(&mut net, &[0])?, [0.0, 0.0]);
    net.switch_on("Static", late)?;
    let arrived: Vec<_> = (0..5).map(|_| arrives(&mut net, &[])).collect::<Result<_>>()?;
    assert_eq!(arrived[4], [1.0, 0.0]);
    // One that leaves takes with it what it had under way, and the other keeps its own.
    arrives(&mut net, &[1])?;
    net.remove_group(early)?;
    let arrived: Vec<_> = (0..5).map(|_| arrives(&mut net, &[])).collect::<Result<_>>()?;
    assert_eq!(arrived[4], [0.0, 8.0]);
    Ok(())
}

#[test]
fn what_is_under_way_survives_a_layout_that_was_refused() -> Result<()> {
    let mut net = Neocortex::new()?;
    let source = net.neurons("source", 1, InputSpikes::default())?;
    let target = net.neurons("target", 1, catcher(1))?;
    let synapses = |weights| (Static::default(), Connections::one_to_one(), weights);
    let slow = (synapses(WeightInitializer::ones()), SynapticDelays::constant(6.0));
    net.synapses(source, target, slow)?;
    net.set_input(source, &[0])?;
    net.run(3)?;
    let unmet = net.synapses(source, target, synapses(WeightInitializer::ones().within(2.0, 3.0)))?;
    assert!(net.run(1).is_err() && net.run(1).is_err());
    net.remove_group(unmet)?;
    net.run(3)?;
    assert_eq!(net.state(target, "I_syn")?, [0.0]);
    net.step()?;
    assert_eq!(net.state(target, "I_syn")?, [1.0]);
    Ok(())
}

#[test]
fn a_network_that_starts_again_has_nothing_under_way() -> Result<()> {
    let mut net = Neocortex::new()?;
    let source = net.neurons("source", 1, InputSpikes::default())?;
    let target = net.neurons("target", 1, catcher(1))?;
    let drawn = (WeightInitializer::constant(2.0), SynapticDelays::constant(3.0));
    net.synapses(source, target, (Static::default(), Connections::one_to_one(), drawn))?;
    net.set_input(source, &[0])?;
    net.run(2)?;
    net.reset_state();
    let mut arrived = Vec::new();
    for fired in [&[][..], &[0], &[], &[], &[], &[]] {
        net.set_input(source, fired)?;
        net.step()?;
        arrived.extend(net.state(target, "I_syn")?);
    }
    assert_eq!(arrived, [0.0, 0.0, 0.0, 0.0, 2.0, 0.0]);
    Ok(())
}
