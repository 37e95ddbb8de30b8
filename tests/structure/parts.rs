//! Parts of populations: their spikes, their projections, their state, and what they cannot be.

use super::control::{fault, network};
use conex::Result;
use conex::prelude::*;
use conex::systems::Error::BadSelection;
use ndarray::Array2;
use proptest::prelude::*;

/// Lets the neurons of `whole` fire, and of a `twin` that is a population of `part`'s neurons alone, those of the part.
fn fire(net: &mut Neocortex, whole: Entity, part: &[u32], twin: Entity, fired: &[u32]) -> Result<()> {
    net.set_input(whole, fired)?;
    let of_part: Vec<u32> = (0..).zip(part).filter(|(_, j)| fired.contains(j)).map(|(k, _)| k).collect();
    net.set_input(twin, &of_part)
}

fn fired_at(step: u32, n: u32) -> Vec<u32> {
    (0..n).filter(|i| (i * i * 7 + step * 5 + i * step).is_multiple_of(4)).collect()
}

#[test]
fn a_part_is_a_block_some_indices_or_a_mask() -> Result<()> {
    let mut net = network()?;
    let whole = net.neurons("whole", (2, 3, 4), (InputSpikes::default(), NeuronAxon::default()))?;
    let block = Selection::Block { depth: (1, 2), height: (0, 2), width: (1, 4) };
    let block = net.sub_population("block", whole, block)?;
    let some = net.sub_population("some", whole, Selection::Neurons(vec![23, 0, 7, 0]))?;
    let mask = net.sub_population("mask", whole, Selection::Mask((0..24).map(|j| j % 5 == 2).collect()))?;
    assert_eq!(net.get::<SubPopulation>(block)?.neurons, [13, 14, 15, 17, 18, 19]);
    assert_eq!(net.get::<Population>(block)?.grid, Grid::new(1, 2, 3));
    assert_eq!(net.get::<SubPopulation>(some)?.neurons, [0, 7, 23]);
    assert_eq!(net.get::<SubPopulation>(mask)?.neurons, [2, 7, 12, 17, 22]);
    let recorded = net.record_spikes(mask)?;
    net.set_input(whole, &[0, 7, 13, 17, 20])?;
    net.step()?;
    assert_eq!(
        (net.spikes(block)?, net.spikes(some)?, net.spikes(mask)?),
        (&[0, 3][..], &[0, 1][..], &[1, 3][..])
    );
    net.step()?;
    assert!(net.spikes(block)?.is_empty() && net.spikes(some)?.is_empty());
    assert_eq!(recorded.events(), [(1.0, 1), (1.0, 3)]);
    Ok(())
}

#[test]
fn what_is_no_part_is_refused() -> Result<()> {
    let mut net = network()?;
    let whole = net.neurons("whole", (1, 3, 4), Lif::default())?;
    let block = |depth, height, width| Selection::Block { depth, height, width };
    let wrong = [
        block((0, 1), (0, 4), (0, 1)),
        block((0, 1), (2, 2), (0, 1)),
        block((0, 1), (2, 1), (0, 1)),
        block((1, 2), (0, 1), (0, 1)),
        Selection::Neurons(vec![]),
        Selection::Neurons(vec![3, 12]),
        Selection::Mask(vec![true; 11]),
        Selection::Mask(vec![false; 12]),
    ];
    for selection in wrong {
        let refused = fault(net.sub_population("part", whole, selection.clone()));
        assert!(matches!(&refused, BadSelection { part, .. } if part == "part"), "{selection:?}: {refused}");
    }
    let part = net.sub_population("part", whole, Selection::Neurons(vec![3, 4]))?;
    net.sub_population("part of a part", part, Selection::Neurons(vec![0]))?;
    assert!(matches!(fault(net.build()), BadSelection { part, .. } if part == "part of a part"));
    Ok(())
}

#[test]
fn a_projection_from_a_part_is_one_from_its_neurons() -> Result<()> {
    let part_of = [1, 2, 4, 7];
    let mut net = network()?;
    let ends = || (InputSpikes::default(), NeuronAxon::new(4), Inhibitory);
    let (whole, twin) = (net.neurons("whole", 8, ends())?, net.neurons("twin", 4, ends())?);
    let part = net.sub_population("part", whole, Selection::Neurons(part_of.to_vec()))?;
    let weights = Array2::from_shape_fn((4, 3), |(i, j)| (i * 3 + j) as Real + 0.5);
    let delays = || DelayInitializer::default().source_delays(Delays::Given(vec![3, 0, 2, 1]));
    let mut targets = Vec::new();
    for (name, source) in [("of part", part), ("of twin", twin)] {
        let post = net.neurons(name, 3, (Lif::default(), SimpleDendriteStructure::default()))?;
        net.synapses(source, post, (Dense, WeightInitializer::matrix(weights.clone()), Proximal, delays()))?;
        targets.push(post);
    }
    let mut most = 0.0;
    for step in 0..40 {
        fire(&mut net, whole, &part_of, twin, &fired_at(step, 8))?;
        net.step()?;
        let currents = net.state(targets[0], "I")?;
        assert_eq!(currents, net.state(targets[1], "I")?, "step {step}");
        assert!(currents.iter().all(|&i| i <= 0.0), "the whole inhibits");
        most = currents.iter().fold(most, |most: Real, i| most.max(-i));
    }
    assert!(most > 0.0);
    Ok(())
}

#[test]
fn a_projection_to_a_part_is_one_to_its_neurons() -> Result<()> {
    let part_of = [0, 3, 5];
    let mut net = network()?;
    let pre = net.neurons("pre", 6, (InputSpikes::default(), NeuronAxon::default()))?;
    let whole = net.neurons("whole", 6, (Lif::default(), SimpleDendriteStructure::new(4)))?;
    let twin = net.neurons("twin", 3, (Lif::default(), SimpleDendriteStructure::new(4)))?;
    let part = net.sub_population("part", whole, Selection::Neurons(part_of.to_vec()))?;
    let weights = Array2::from_shape_fn((6, 3), |(i, j)| (i + 2 * j) as Real * 0.1);
    let delays = DelayInitializer::default().destination_delays(Delays::Given(vec![3, 0, 1]));
    for target in [part, twin] {
        let behaviours = (Dense, WeightInitializer::matrix(weights.clone()), Proximal, delays.clone());
        net.synapses(pre, target, (behaviours, ExponentialSynapse::new(4.0)))?;
    }
    let recorded = net.record_state(part, "v", 1)?;
    let mut fired = 0;
    for step in 0..60 {
        net.set_input(pre, &fired_at(step, 6))?;
        net.step()?;
        let v = net.state(whole, "v")?;
        assert_eq!(part_of.map(|j| v[j as usize]), net.state(twin, "v")?[..], "step {step}");
        assert_eq!((v[1], v[2], v[4]), (0.0, 0.0, 0.0), "others get nothing");
        assert_eq!(net.spikes(part)?, net.spikes(twin)?);
        fired += net.spikes(twin)?.len();
        // The state of the part is that of its neurons.
        assert_eq!(net.state(part, "v")?, net.state(twin, "v")?);
        assert_eq!(recorded.values().row(step as usize).to_vec(), net.state(twin, "v")?);
    }
    assert!(fired > 0);
    Ok(())
}

#[test]
fn learning_between_parts_is_learning_between_their_neurons() -> Result<()> {
    let (of_pre, of_post) = ([0, 2, 3, 6], [1, 4, 5]);
    let mut net = network()?;
    let input = || (InputSpikes::default(), NeuronAxon::new(3));
    let pre = [net.neurons("pre", 7, input())?, net.neurons("pre twin", 4, input())?];
    let post = [net.neurons("post", 6, input())?, net.neurons("post twin", 3, input())?];
    let pre_part = net.sub_population("pre part", pre[0], Selection::Neurons(of_pre.to_vec()))?;
    let post_part = net.sub_population("post part", post[0], Selection::Neurons(of_post.to_vec()))?;
    let mut learned = Vec::new();
    for (pre, post) in [(pre_part, post_part), (pre[1], post[1])] {
        let rule = (PreTrace::new(9.0), PostTrace::new(14.0), Stdp::new(0.03, 0.02).bounds(Bound::Soft));
        let delays = DelayInitializer::default()
            .source_delays(Delays::Given(vec![0, 2, 1, 1]))
            .destination_delays(Delays::Given(vec![1, 0, 2]));
        let behaviours = (Dense, WeightInitializer::constant(0.4), Proximal, rule, delays);
        learned.push(net.synapses(pre, post, (behaviours, WeightNormalization::new(1.5)))?);
    }
    for step in 0..80 {
        fire(&mut net, pre[0], &of_pre, pre[1], &fired_at(step, 7))?;
        fire(&mut net, post[0], &of_post, post[1], &fired_at(step + 3, 6))?;
        net.step()?;
    }
    assert_eq!(net.weights(learned[0])?, net.weights(learned[1])?);
    assert!(net.weights(learned[0])?.iter().any(|&w| (w - 0.375).abs() > 0.01), "something was learned");
    Ok(())
}

#[test]
fn the_state_of_a_part_is_read_of_its_whole() -> Result<()> {
    let mut net = network()?;
    let lif = Aelif::default().init_v(vec![-60.0, -61.0, -62.0, -63.0]);
    let whole = net.neurons(
        "whole",
        (1, 2, 2),
        (lif, Coordinates::grid().spacing(2.0), SimpleDendriteStructure::default()),
    )?;
    let part = net.sub_population("part", whole, Selection::Neurons(vec![1, 2]))?;
    net.build()?;
    assert_eq!(net.state(part, "v")?, [-61.0, -62.0]);
    for variable in ["I", "omega", "threshold", "I_proximal"] {
        assert_eq!(net.state(part, variable)?, net.state(whole, variable)?[1..3], "{variable}");
    }
    assert_eq!((net.state(part, "x")?, net.state(part, "y")?), (vec![2.0, 0.0], vec![0.0, 2.0]));
    let coordinates = net.coordinates(part)?;
    assert_eq!((coordinates.x, coordinates.y, coordinates.z), (vec![2.0, 0.0], vec![0.0, 2.0], vec![0.0; 2]));
    let refused = fault(net.state(part, "omgea"));
    assert!(refused.to_string().contains("`omega`"), "{refused}");
    Ok(())
}

#[test]
fn an_axon_that_comes_or_goes_comes_and_goes_for_the_parts_too() -> Result<()> {
    let mut net = network()?;
    let whole = net.neurons("whole", 3, (InputSpikes::default(), NeuronAxon::default()))?;
    let part = net.sub_population("part", whole, Selection::Neurons(vec![0, 2]))?;
    let post = net.neurons("post", 1, (Lif::default().threshold(1e9), SimpleDendriteStructure::default()))?;
    net.synapses(part, post, (Dense, WeightInitializer::ones(), Proximal))?;
    let current = |net: &mut Neocortex| -> Result<Real> {
        net.set_input(whole, &[0, 1, 2])?;
        net.run(2)?;
        Ok(net.state(post, "I")?[0])
    };
    assert_eq!(current(&mut net)?, 2.0);
    net.add(whole, Inhibitory)?;
    assert_eq!(current(&mut net)?, -2.0);
    net.switch_off("Inhibitory", whole)?;
    assert_eq!(current(&mut net)?, 2.0);
    net.switch_on("Inhibitory", Scope::Everywhere)?;
    assert_eq!(current(&mut net)?, -2.0);
    net.remove::<Inhibitory>(whole)?;
    assert_eq!(current(&mut net)?, 2.0);
    net.switch_off("Axon", whole)?;
    assert_eq!(current(&mut net)?, 0.0);
    net.switch_on("Axon", whole)?;
    assert_eq!(current(&mut net)?, 2.0);
    net.remove::<NeuronAxon>(whole)?;
    assert!(matches!(fault(net.run(1)), conex::systems::Error::MissingAtEnd { role: "source", .. }));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_spikes_of_a_part_are_those_of_its_neurons(
        mask in prop::collection::vec(any::<bool>(), 1..40),
        fired in prop::collection::btree_set(0_u32..40, 0..40),
    ) {
        prop_assume!(mask.contains(&true));
        let fired: Vec<u32> = fired.into_iter().filter(|&j| (j as usize) < mask.len()).collect();
        let run = || -> Result<(Vec<u32>, Vec<u32>)> {
            let mut net = network()?;
            let whole = net.neurons("whole", mask.len(), InputSpikes::default())?;
            let part = net.sub_population("part", whole, Selection::Mask(mask.clone()))?;
            net.set_input(whole, &fired)?;
            net.step()?;
            let neurons = &net.get::<SubPopulation>(part)?.neurons;
            let of_part = net.spikes(part)?.iter().map(|&k| neurons[k as usize]).collect();
            Ok((of_part, fired.iter().copied().filter(|&j| mask[j as usize]).collect()))
        };
        let (of_part, expected) = run().map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(of_part, expected);
    }
}
