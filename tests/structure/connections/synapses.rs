//! What weight and what delay the synapses have that a rule draws, and how they work.

use super::*;

/// Both kinds with these weights, as (source, target, weight).
fn weighted(
    between: Between,
    connections: &Connections,
    weights: &WeightInitializer,
) -> Result<[Vec<(u32, u32, Real)>; 2]> {
    let (net, projection) = between.wire((Static::default(), connections.clone(), weights.clone()))?;
    let table = net.connections(projection)?;
    let pairs = table.pre.into_iter().zip(table.post);
    let lasting = pairs.zip(table.weight).map(|((i, j), w)| (i, j, w)).collect();
    let (net, projection) = between.wire((Sparse, Proximal, connections.clone(), weights.clone()))?;
    Ok([lasting, net.get::<SparseSynapses>(projection)?.triplets().collect()])
}

#[test]
fn weights_and_delays_that_are_given_stay_with_their_pairs() -> Result<()> {
    let pairs = Connections::pairs(vec![(2, 1), (0, 3), (2, 0), (1, 1), (2, 1), (0, 0)]);
    let given = || WeightInitializer::dense(vec![6], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    for (autapses, lasting, learning) in [
        (
            true,
            vec![(0, 3, 2.0), (0, 0, 6.0), (1, 1, 4.0), (2, 1, 1.0), (2, 0, 3.0), (2, 1, 5.0)],
            vec![(0, 0, 6.0), (0, 3, 2.0), (1, 1, 4.0), (2, 0, 3.0), (2, 1, 1.0), (2, 1, 5.0)],
        ),
        (
            false,
            vec![(0, 3, 2.0), (2, 1, 1.0), (2, 0, 3.0), (2, 1, 5.0)],
            vec![(0, 3, 2.0), (2, 0, 3.0), (2, 1, 1.0), (2, 1, 5.0)],
        ),
    ] {
        // Those of one source in the order in which they are given, or by their target where rows are sorted.
        assert_eq!(weighted(Between::itself(4, autapses), &pairs, &given())?, [lasting, learning]);
    }
    let delays = SynapticDelays::given(vec![0.1, 0.2, 0.3, 0.4, 0.55, 2.0]);
    let (net, projection) = Between::itself(4, true).wire((Static::default(), pairs, given(), delays))?;
    let table = net.connections(projection)?;
    assert_eq!(table.delay, [2, 20, 4, 1, 3, 6], "0.55 ms are nearer to 6 steps than to 5");
    Ok(())
}

#[test]
fn weights_are_drawn_from_their_distribution_for_each_synapse() -> Result<()> {
    type Expected = (f64, f64, [Real; 2]);
    let lognormal = |mu: f64, sigma: f64| -> (f64, f64) {
        let mean = (mu + 0.5 * sigma * sigma).exp();
        (mean, mean * ((sigma * sigma).exp() - 1.0).sqrt())
    };
    let (mean, deviation) = lognormal(-1.0, 0.5);
    let cases: [(WeightInitializer, Expected); 6] = [
        (WeightInitializer::constant(0.25), (0.25, 0.0, [0.25, 0.25])),
        (WeightInitializer::uniform(1.0, 3.0), (2.0, (4.0_f64 / 12.0).sqrt(), [1.0, 3.0])),
        (WeightInitializer::normal(0.5, 0.1), (0.5, 0.1, [-0.5, 1.5])),
        (WeightInitializer::lognormal(-1.0, 0.5), (mean, deviation, [0.0, 20.0])),
        // Half a normal distribution: its mean is sqrt(2/π), its variance 1 − 2/π; clipped, half of all are 0.
        (WeightInitializer::normal(0.0, 1.0).within(0.0, 9.0), (0.797_885, 0.602_810, [0.0, 9.0])),
        (WeightInitializer::normal(0.0, 1.0).clipped(0.0, 9.0), (0.398_942, 0.583_796, [0.0, 9.0])),
    ];
    let connections = Connections::fixed_in_degree(100);
    for (weights, (mean, deviation, [least, largest])) in cases {
        for synapses in weighted(Between::two(300, 400), &connections, &weights)? {
            assert_eq!(synapses.len(), 40_000);
            assert!(synapses.iter().all(|(.., w)| (least..=largest).contains(w)), "{weights:?}");
            let (found, spread) = moments(synapses.iter().map(|(.., w)| f64::from(*w)));
            let error = 5.0 * deviation / 200.0 + 1e-6;
            assert!((found - mean).abs() < error, "{weights:?}: mean {found} for {mean}");
            assert!((spread - deviation).abs() < 0.05 * deviation + 1e-6, "{weights:?}: {spread}");
        }
    }
    // Scaled, moved, and by a function.
    let shaped = WeightInitializer::uniform(0.0, 1.0).function(|x| x * x).scale(2.0).offset(1.0);
    for synapses in weighted(Between::two(300, 400), &connections, &shaped)? {
        let (found, _) = moments(synapses.iter().map(|(.., w)| f64::from(*w)));
        assert!((found - (1.0 + 2.0 / 3.0)).abs() < 0.02, "{found}");
    }
    Ok(())
}

#[test]
fn delays_are_drawn_from_their_distribution_for_each_synapse() -> Result<()> {
    let steps = |delays: SynapticDelays| -> Result<Vec<u32>> {
        let behaviours = (Static::default(), Connections::fixed_in_degree(100), WeightInitializer::ones());
        let (net, projection) = Between::two(300, 400).wire((behaviours, delays))?;
        Ok(net.connections(projection)?.delay)
    };
    // In steps of 0.1 ms; rounding to whole ones adds a variance of 1/12.
    for (delays, mean, deviation, limits) in [
        (SynapticDelays::constant(1.5), 15.0, 0.0, [15, 15]),
        (SynapticDelays::uniform(1.0, 5.0), 30.0, 11.55, [10, 50]),
        (SynapticDelays::normal(10.0, 2.0), 100.0, 20.0, [1, 250]),
        (SynapticDelays::normal(10.0, 2.0).within(10.0, 40.0), 115.96, 12.06, [100, 400]),
        (SynapticDelays::lognormal(1.0, 0.2), 27.73, 5.61, [8, 90]),
    ] {
        let drawn = steps(delays.clone())?;
        assert!(drawn.len() == 40_000 && drawn.iter().all(|d| (limits[0]..=limits[1]).contains(d)));
        let (found, spread) = moments(drawn.iter().map(|d| f64::from(*d)));
        assert!((found - mean).abs() < 5.0 * deviation / 200.0 + 0.01, "{delays:?}: mean {found}");
        assert!((spread - deviation).abs() < 0.03 * deviation + 0.01, "{delays:?}: {spread}");
    }
    assert!(steps(SynapticDelays::normal(0.0, 1.0))?.iter().all(|d| *d >= 1), "none is shorter than a step");
    let clipped = steps(SynapticDelays::normal(1.0, 1.0).clipped(0.5, 2.0))?;
    let at = |end: u32| clipped.iter().filter(|d| **d == end).count() as f64 / 40_000.0;
    // Φ(−0.5 + rounding) and 1 − Φ(1 − rounding).
    assert!((at(5) - 0.326).abs() < 0.02 && (at(20) - 0.171).abs() < 0.02, "{} {}", at(5), at(20));
    Ok(())
}

#[test]
fn weights_and_delays_follow_the_seed_and_the_name_and_not_the_number_of_threads() -> Result<()> {
    let wire = |between: Between| -> Result<_> {
        let connections = Connections::fixed_total_number(60_000);
        let weights = WeightInitializer::lognormal(0.0, 1.0).within(0.1, 4.0);
        let delays = SynapticDelays::normal(1.0, 1.0).within(0.1, 5.0);
        let (net, lasting) =
            between.wire((Static::default(), connections.clone(), weights.clone(), delays))?;
        let table = net.connections(lasting)?;
        let (net, learning) = between.wire((Sparse, Proximal, connections, weights))?;
        Ok((table, net.get::<SparseSynapses>(learning)?.triplets().collect::<Vec<_>>()))
    };
    let between = Between { threads: 1, ..Between::itself(900, false) };
    let one = wire(between)?;
    assert!(one.0.pre.len() == 60_000 && one.1.len() == 60_000);
    for threads in [2, 3, 4] {
        assert!(one == wire(Between { threads, ..between })?, "{threads} threads");
    }
    for other in [Between { seed: 8, ..between }, Between { name: "another", ..between }] {
        let other = wire(other)?;
        assert!(one.0.weight != other.0.weight && one.0.delay != other.0.delay);
        assert!(one.1.iter().zip(&other.1).any(|(a, b)| a.2 != b.2));
    }
    Ok(())
}

#[test]
fn a_network_that_is_saved_and_loaded_draws_the_same_connections() -> Result<()> {
    let mut net = Neocortex::with(Settings { dt: 0.1, seed: 11, threads: 2, ..Default::default() })?;
    let neurons =
        || (Lif::default(), SimpleDendriteStructure::default(), NeuronAxon::default(), Coordinates::grid());
    let sheet = net.neurons("sheet", (1, 20, 20), neurons())?;
    let profile = Profile::Exponential { p: 0.8, length: 3.0, cutoff: 9.0 };
    let by_distance = (Connections::distance_dependent(profile), WeightInitializer::normal(1.0, 0.1));
    let learning = (Sparse, Proximal, NoSelfConnections, PreTrace::new(10.0), PostTrace::new(10.0));
    net.named_synapses("near", sheet, sheet, (by_distance, learning, Stdp::default()))?;
    let in_all = Connections::fixed_total_number(5000).multapses(false);
    let delays = SynapticDelays::uniform(0.1, 4.0);
    let drawn = (in_all, WeightInitializer::lognormal(0.0, 1.0), delays);
    net.named_synapses("anywhere", sheet, sheet, (Static::default(), drawn))?;
    let pairs = Connections::pairs(vec![(7, 3), (2, 2), (7, 1)]);
    let weights = WeightInitializer::dense(vec![3], vec![0.5, 0.25, 0.125]);
    let given = (pairs, weights, SynapticDelays::given(vec![1.0, 2.0, 3.0]));
    net.named_synapses("chosen", sheet, sheet, (Static::bits16(), given))?;
    let saved = net.save_network()?;
    let mut loaded = Neocortex::from_blueprint(&saved, |_| {})?;
    net.build()?;
    loaded.build()?;
    for name in ["anywhere", "chosen"] {
        let tables = [net.connections(net.find(name)?)?, loaded.connections(loaded.find(name)?)?];
        assert!(tables[0] == tables[1] && !tables[0].pre.is_empty(), "{name}");
    }
    let [near, again] = [&net, &loaded].map(|net| -> Result<Vec<_>> {
        Ok(net.get::<SparseSynapses>(net.find("near")?)?.triplets().collect())
    });
    let near = near?;
    assert!(near == again? && near.len() > 5000);
    // Switched off for a while, they stay the same synapses, and the rule still has what it draws.
    let group = net.find("near")?;
    net.switch_off("Sparse", group)?;
    net.run(2)?;
    net.switch_on("Sparse", group)?;
    net.run(2)?;
    assert!(net.get::<SparseSynapses>(group)?.triplets().collect::<Vec<_>>() == near);
    Ok(())
}

#[test]
fn each_of_several_synapses_of_a_pair_brings_current_and_learns() -> Result<()> {
    let mut net = Neocortex::new()?;
    let neuron = Lif::default().threshold(0.5).tau(1.0).r(1.0).v_rest(0.0).v_reset(0.0).init_v(0.0);
    let source = net.neurons("source", 2, (InputSpikes::default(), NeuronAxon::default()))?;
    let target =
        net.neurons("target", 2, (neuron, SimpleDendriteStructure::default(), NeuronAxon::default()))?;
    let connections = Connections::pairs(vec![(1, 0), (0, 1), (0, 0), (0, 0)]);
    let weights = WeightInitializer::dense(vec![4], vec![0.125, 0.25, 0.5, 0.75]);
    let rule = (Stdp::new(0.0625, 0.0), PreTrace::new(10.0), PostTrace::new(10.0));
    let projection = net.synapses(source, target, (Sparse, Proximal, connections, weights, rule))?;
    net.build()?;
    let weights =
        |net: &Neocortex| net.weights(projection).map(|weights| weights.into_raw_vec_and_offset().0);
    assert_eq!(net.weights(projection)?.shape(), [4], "not a matrix, though there are as many as pairs");
    assert_eq!(weights(&net)?, [0.5, 0.75, 0.25, 0.125]);
    let matrix = net.get::<SparseSynapses>(projection)?.to_csr().to_dense();
    assert_eq!(matrix.into_raw_vec_and_offset().0, [1.25, 0.25, 0.125, 0.0]);
    net.set_input(source, &[0])?;
    net.run(2)?;
    assert_eq!(net.state(target, "I")?, [1.25, 0.25]);
    // Neuron 0 fired upon that, and both of its synapses from source 0 grew alike; neuron 1 did not.
    assert_eq!(net.spikes(target)?, [0]);
    let after = weights(&net)?;
    let grown = after[0] - 0.5;
    assert!(grown > 0.01 && after == [0.5 + grown, 0.75 + grown, 0.25, 0.125], "{after:?}");
    Ok(())
}

#[test]
fn synapses_of_a_rule_learn_as_those_of_a_matrix_do() -> Result<()> {
    let run = |given: Option<&sprs::CsMat<Real>>| -> Result<(Vec<u32>, Vec<Real>, sprs::CsMat<Real>)> {
        let mut net = Neocortex::with(Settings { seed: 4, threads: 2, ..Default::default() })?;
        let source = net.neurons("source", 40, (PoissonSource::new(80.0), NeuronAxon::new(4)))?;
        let neuron = (Lif::default(), SimpleDendriteStructure::default(), NeuronAxon::default());
        let target = net.neurons("target", 30, neuron)?;
        let rule = (Stdp::new(0.02, 0.015), PreTrace::new(10.0), PostTrace::new(10.0), WeightClip::default());
        let delays = DelayInitializer::uniform(0, 3);
        let projection = net.synapses(source, target, (Sparse, Proximal, rule, delays, CurrentCoef(8.0)))?;
        match given {
            Some(weights) => net.add(projection, WeightInitializer::sparse(weights))?,
            None => net.add(
                projection,
                (
                    Connections::fixed_in_degree(12).multapses(false),
                    WeightInitializer::normal(0.5, 0.2).clipped(0.0, 1.0),
                ),
            )?,
        }
        net.build()?;
        let start = net.get::<SparseSynapses>(projection)?.to_csr().to_other_types();
        let spikes = net.count_spikes(target)?;
        net.run(300)?;
        Ok((spikes.get(), net.weights(projection)?.into_raw_vec_and_offset().0, start))
    };
    let (spikes, weights, start) = run(None)?;
    assert!(spikes.iter().sum::<u32>() > 100 && weights.len() == 360);
    assert!(start.data() != weights, "nothing was learned");
    let (again, same, _) = run(Some(&start))?;
    assert!(spikes == again && weights == same);
    Ok(())
}
