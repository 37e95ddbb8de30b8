//! What a rule that draws connections, or synapses that are drawn, may be asked for in vain.

use super::network::*;
use conex::Result;
use conex::prelude::*;
use conex::systems::Error::{self, *};
use conex::systems::memory;

/// Static synapses from retina to cortex, with these behaviours.
fn lasting(connections: Connections, behaviours: impl Bundle) -> Result<()> {
    projection((Static::default(), connections, behaviours))
}

/// Synapses from retina to cortex that may learn, with these behaviours.
fn learning(connections: Connections, behaviours: impl Bundle) -> Result<()> {
    projection((Sparse, Proximal, connections, behaviours))
}

/// Both kinds, under this rule.
fn both(connections: Connections) -> [Result<()>; 2] {
    [
        lasting(connections.clone(), WeightInitializer::ones()),
        learning(connections, WeightInitializer::ones()),
    ]
}

fn out_of_range(error: &Error, name: &str) -> bool {
    matches!(error, ParameterRange { behaviour, .. } if behaviour == name)
}

#[test]
fn a_rule_with_a_number_that_makes_no_sense_is_refused() {
    let by_distance = |profile| Connections::distance_dependent(profile);
    let (p, radius, sigma) = (0.5, 2.0, 1.0);
    let distinct = |connections: Connections| connections.multapses(false);
    for (connections, got, required) in [
        (Connections::pairwise_bernoulli(1.5), "got 1.5 for `p`", "within 0 and 1"),
        (Connections::pairwise_bernoulli(-0.1), "got -0.1 for `p`", "within 0 and 1"),
        (Connections::pairwise_bernoulli(f64::NAN), "got NaN for `p`", "within 0 and 1"),
        (by_distance(Profile::Disc { p: 2.0, radius }), "got 2 for `p`", "within 0 and 1"),
        (by_distance(Profile::Linear { p, radius: 0.0 }), "got 0 for `radius`", "above 0"),
        (by_distance(Profile::Gaussian { p, sigma: -1.0, cutoff: 3.0 }), "got -1 for `sigma`", "above 0"),
        (by_distance(Profile::Gaussian { p, sigma, cutoff: f64::NAN }), "got NaN for `cutoff`", "above 0"),
        (by_distance(Profile::Exponential { p, length: 0.0, cutoff: 1.0 }), "got 0 for `length`", "above 0"),
        (Connections::one_to_one(), "got 6 for `neurons of the source`", "4, the neurons of the target"),
        (Connections::pairs(vec![(5, 3), (6, 0)]), "got 6 for `source of a pair`", "below 6"),
        (Connections::pairs(vec![(5, 4)]), "got 4 for `target of a pair`", "below 4"),
        (distinct(Connections::fixed_in_degree(7)), "got 7 for `n`", "at most 6, the sources there are"),
        (distinct(Connections::fixed_out_degree(5)), "got 5 for `n`", "at most 4, the targets there are"),
        (distinct(Connections::fixed_total_number(25)), "got 25 for `n`", "at most 24, the pairs there are"),
    ] {
        for result in both(connections) {
            let error = refused(result, &["`retina -> cortex`", "Connections", got, required]);
            assert!(out_of_range(&error, "Connections"), "{error:?}");
        }
    }
    for result in both(distinct(Connections::fixed_in_degree(7))) {
        refused(result, &["allow multapses, or ask for fewer"]);
    }
    for result in both(distinct(Connections::fixed_in_degree(6))) {
        assert!(result.is_ok(), "as many as there are");
    }
}

#[test]
fn a_neuron_alone_reaches_no_other() -> Result<()> {
    let mut net = network()?;
    let alone = net.neurons("alone", 1, dendrite())?;
    let rule = (Connections::fixed_out_degree(1), NoSelfConnections, WeightInitializer::ones());
    net.synapses(alone, alone, (Static::default(), rule))?;
    refused(net.build(), &["`alone -> alone`", "at most 0, the targets there are", "allow self-connections"]);
    Ok(())
}

#[test]
fn distances_need_coordinates_at_both_ends() -> Result<()> {
    let near = || Connections::distance_dependent(Profile::Disc { p: 1.0, radius: 1.0 });
    for (placed, missing, role) in [("cortex", "retina", "source"), ("retina", "cortex", "target")] {
        for is_static in [true, false] {
            let mut net = network()?;
            let retina = net.neurons("retina", 6, (InputSpikes::default(), NeuronAxon::default()))?;
            let cortex = net.neurons("cortex", 4, dendrite())?;
            let projection = net.synapses(retina, cortex, (near(), WeightInitializer::ones()))?;
            match is_static {
                true => net.add(projection, Static::default())?,
                false => net.add(projection, (Sparse, Proximal))?,
            }
            net.add(if placed == "retina" { retina } else { cortex }, Coordinates::grid())?;
            let remedy = format!("add `Coordinates::grid()` to `{missing}`");
            let error = refused(net.build(), &["`retina -> cortex`", "no coordinates", role, &remedy]);
            assert!(matches!(error, MissingAtEnd { population, .. } if population == missing));
        }
    }
    Ok(())
}

#[test]
fn a_rule_needs_synapses_that_it_can_draw() {
    let error = refused(
        projection((dense(), Connections::all_to_all())),
        &["`retina -> cortex`", "Connections", "add `Static::default()` or `Sparse`"],
    );
    assert!(matches!(error, MissingBehaviour { behaviour, .. } if behaviour == "Connections"));
    let error = refused(
        projection((Static::default(), WeightInitializer::ones())),
        &["`retina -> cortex`", "no connections", "add `Connections::pairwise_bernoulli(0.1)`"],
    );
    assert!(matches!(error, MissingBehaviour { behaviour, .. } if behaviour == "Static"));
    let error = refused(
        learning(Connections::all_to_all(), (WeightInitializer::ones(), SynapticDelays::constant(1.0))),
        &["`retina -> cortex`", "SynapticDelays", "no static synapses"],
    );
    assert!(matches!(error, MissingBehaviour { .. }));
}

#[test]
fn weights_are_given_one_a_pair_and_no_density_stands_beside_a_rule() {
    let pairs = || Connections::pairs(vec![(0, 0), (5, 3), (0, 0)]);
    let list = |weights: &[Real]| WeightInitializer::dense(vec![weights.len()], weights.to_vec());
    let matrix = || WeightInitializer::dense(vec![6, 4], vec![1.0; 24]);
    let kinds = |connections: &Connections, weights: &WeightInitializer| {
        [lasting(connections.clone(), weights.clone()), learning(connections.clone(), weights.clone())]
    };
    for (connections, weights, expected) in [
        (pairs(), list(&[1.0, 2.0]), "[3], one a pair"),
        (pairs(), list(&[1.0; 4]), "[3], one a pair"),
        (pairs(), matrix(), "[3], one a pair"),
        (pairs(), WeightInitializer::sparse(&sprs::CsMat::eye(4)), "[3], one a pair"),
        (Connections::all_to_all(), matrix(), "the pairs of `Connections::pairs` only"),
    ] {
        for result in kinds(&connections, &weights) {
            let error = refused(result, &["`retina -> cortex`", expected, "got weights of shape"]);
            assert!(matches!(error, WeightShape { connectivity: "Static" | "Sparse", .. }), "{error:?}");
        }
    }
    for wrong in [Real::NAN, Real::INFINITY] {
        for result in kinds(&pairs(), &list(&[1.0, 2.0, wrong])) {
            let error = refused(result, &["`retina -> cortex`", "at place 2", "finite"]);
            assert!(matches!(error, WeightNotFinite { index: 2, .. }));
        }
    }
    for result in kinds(&Connections::all_to_all(), &WeightInitializer::ones().density(0.5)) {
        let error =
            refused(result, &["`retina -> cortex`", "got 0.5 for `density`", "1 beside `Connections`"]);
        assert!(out_of_range(&error, "WeightInitializer"));
    }
    for result in kinds(&pairs(), &list(&[1.0, 2.0, 3.0])) {
        assert!(result.is_ok());
    }
}

#[test]
fn limits_that_no_draw_meets_are_told_as_such() {
    let never = WeightInitializer::normal(0.0, 0.1).within(8.0, 9.0);
    let required = ["`retina -> cortex`", "got 8 for `min`", "below 9", "none of 100000 did"];
    for result in
        [lasting(Connections::all_to_all(), never.clone()), learning(Connections::all_to_all(), never)]
    {
        assert!(out_of_range(&refused(result, &required), "WeightInitializer"));
    }
    // All are drawn to find the largest, before they are drawn to be written.
    let unbounded = WeightInitializer::lognormal(0.0, 0.1).within(8.0, Real::INFINITY);
    let error = refused(lasting(Connections::all_to_all(), unbounded), &["got 8 for `min`", "below inf"]);
    assert!(out_of_range(&error, "WeightInitializer"));
    let never = SynapticDelays::normal(1.0, 0.1).within(8.0, 9.0);
    let result = lasting(Connections::all_to_all(), (WeightInitializer::ones(), never));
    assert!(out_of_range(&refused(result, &required), "SynapticDelays"));
}

#[test]
fn delays_of_synapses_are_given_one_a_pair_and_can_be_waited_for() {
    let pairs = || Connections::pairs(vec![(0, 0), (5, 3)]);
    let delayed = |connections, delays| lasting(connections, (WeightInitializer::ones(), delays));
    let given = |delays: &[Real]| SynapticDelays::given(delays.to_vec());
    for (got, required, result) in [
        ("got 3 for `number of delays`", "2, one a pair", delayed(pairs(), given(&[1.0; 3]))),
        ("got 1 for `number of delays`", "none without", delayed(Connections::all_to_all(), given(&[1.0]))),
        ("got -1 for `delay`", "0 or more", delayed(pairs(), given(&[1.0, -1.0]))),
        ("got NaN for `delay`", "a finite number", delayed(pairs(), given(&[Real::NAN, 1.0]))),
        ("got -1 for `std`", "0 or more", delayed(pairs(), SynapticDelays::normal(1.0, -1.0))),
        (
            "got 1 for `max`",
            "2, or more",
            delayed(pairs(), SynapticDelays::normal(1.0, 1.0).within(2.0, 1.0)),
        ),
        ("got 2000000 for `delay`", "at most 1048576 steps", delayed(pairs(), SynapticDelays::constant(2e6))),
        ("got 2000000 for `delay`", "at most 1048576 steps", delayed(pairs(), given(&[1.0, 2e6]))),
    ] {
        let error = refused(result, &["`retina -> cortex`", got, required]);
        assert!(out_of_range(&error, "SynapticDelays"), "{error:?}");
    }
}

#[test]
fn static_synapses_refuse_what_they_cannot_honour() {
    fn with(behaviours: impl Bundle) -> Result<()> {
        lasting(Connections::all_to_all(), (WeightInitializer::ones(), behaviours))
    }
    let sparse = "take `Sparse` in place of `Static`";
    for (behaviour, why, result) in [
        ("a plasticity rule", sparse, with((Stdp::default(), traces()))),
        ("a plasticity rule", sparse, with((Istdp::rho(5.0), traces()))),
        ("WeightClip", sparse, with(WeightClip::default())),
        ("WeightNormalization", sparse, with(WeightNormalization::default())),
        ("CurrentNormalization", sparse, with(CurrentNormalization::default())),
        ("synaptic kinetics", "`LifPscExp`", with(ExponentialSynapse::new(5.0))),
        ("Conductance", "`LifCondExp`", with(Conductance::new(0.0))),
        ("DelayInitializer", "use `SynapticDelays`", with(DelayInitializer::source(1))),
        ("distal", "use `Proximal`", with(Distal)),
        ("apical", "use `Proximal`", with(Apical)),
        ("another kind of connectivity", "keep one", with((Sparse, Proximal))),
    ] {
        let error = refused(result, &["`retina -> cortex`", "`Static` synapses", behaviour, why]);
        let told = |error: &Error| matches!(error, NotForStatic { behaviour: b, .. } if b == behaviour);
        match error {
            Several(errors) => assert!(errors.iter().any(told), "{errors:?}"),
            error => assert!(told(&error), "{error:?}"),
        }
    }
    assert!(with((Proximal, CurrentCoef(0.5), Tags::new(["a"]))).is_ok());
}

#[test]
fn what_is_part_of_a_stored_weight_cannot_change_between_steps() -> Result<()> {
    let mut net = network()?;
    let retina = net.neurons("retina", 6, InputSpikes::default())?;
    let cortex = net.neurons("cortex", 4, dendrite())?;
    let synapses =
        (Static::default(), Connections::all_to_all(), WeightInitializer::ones(), CurrentCoef(0.5));
    let projection = net.synapses(retina, cortex, synapses)?;
    net.run(2)?;
    net.world_mut().entity_mut(projection).insert(CurrentCoef(0.75));
    for _ in 0..2 {
        let error = refused(net.step(), &["`retina -> cortex`", "`CurrentCoef`", "changed", "put it back"]);
        assert!(matches!(error, NotForStatic { .. }));
    }
    net.world_mut().entity_mut(projection).insert(CurrentCoef(0.5));
    net.step()?;
    net.world_mut().entity_mut(retina).insert(Inhibitory);
    refused(net.step(), &["`retina -> cortex`", "`Inhibitory`", "put it back"]);
    net.world_mut().entity_mut(retina).remove::<Inhibitory>();
    net.step()
}

/// Many neurons that stand in a row, and project onto themselves.
fn among_many(kind: impl Bundle, connections: Connections) -> Result<()> {
    let mut net = network()?;
    let neurons = (
        InputSpikes::default(),
        NeuronAxon::default(),
        SimpleDendriteStructure::default(),
        Coordinates::grid(),
    );
    let many = net.neurons("many", 1_000_000, neurons)?;
    net.synapses(many, many, (kind, connections, WeightInitializer::ones()))?;
    net.build()
}

#[test]
fn more_connections_than_there_is_memory_for_are_refused_before_any_is_drawn() {
    // From 10^12 synapses on: terabytes.
    let everywhere = Profile::Disc { p: 1.0, radius: f64::INFINITY };
    for (connections, synapses) in [
        (Connections::all_to_all(), 1_000_000_000_000),
        (Connections::pairwise_bernoulli(0.5), 500_000_000_000),
        (Connections::fixed_total_number(700_000_000_000), 700_000_000_000),
        (Connections::fixed_total_number(700_000_000_000).multapses(false), 700_000_000_000),
        (Connections::fixed_in_degree(800_000), 800_000_000_000),
        (Connections::fixed_out_degree(800_000).multapses(false), 800_000_000_000),
        (Connections::distance_dependent(everywhere), 1_000_000_000_000_u128),
    ] {
        let number = format!("{synapses} synapses");
        let told = ["`many -> many`", &number, "not enough memory", "GiB are needed", "join fewer"];
        let error = refused(among_many(Static::default(), connections.clone()), &told);
        let right = matches!(error, OutOfMemory { connectivity: "Static", synapses: n, .. } if n == synapses);
        assert!(right, "{error:?}");
        let told = ["`many -> many`", &number, "more than 4294967295"];
        let error = refused(among_many((Sparse, Proximal), connections), &told);
        assert!(
            matches!(error, TooManySynapses { connectivity: "Sparse", synapses: n, .. } if n == synapses)
        );
    }
}

#[test]
fn static_synapses_that_have_no_room_together_are_refused_before_any_is_drawn() -> Result<()> {
    // Each projection has room for itself: three of them have not.
    let Some(available) = memory::available() else { return Ok(()) };
    for (kind, bytes, remedy) in [(Static::default(), 6.25, "16 bits"), (Static::bits16(), 4.25, "smaller")] {
        let mut net = network()?;
        let retina = net.neurons("retina", 6, InputSpikes::default())?;
        let cortex = net.neurons("cortex", 4, dendrite())?;
        let each = Connections::fixed_total_number((0.45 * available as f64 / bytes) as u64);
        for _ in 0..3 {
            net.synapses(retina, cortex, (kind, each.clone(), WeightInitializer::ones()))?;
        }
        let error = refused(net.build(), &["3 projections", "GiB are needed", "GiB are free", remedy]);
        let message = error.to_string();
        assert!(matches!(error, StaticMemory { projections: 3, .. }), "{error:?}");
        assert!(remedy == "16 bits" || !message.contains("16 bits"), "{message}");
    }
    Ok(())
}

#[test]
fn faults_that_differ_in_their_group_alone_are_told_once() -> Result<()> {
    let mut net = network()?;
    let retina = net.neurons("retina", 6, InputSpikes::default())?;
    let cortex = net.neurons("cortex", 4, dendrite())?;
    for (k, p) in [2.0, 2.0, 3.0, 2.0, 2.0].into_iter().enumerate() {
        let rule = (Connections::pairwise_bernoulli(p), WeightInitializer::ones());
        net.named_synapses(&format!("projection {k}"), retina, cortex, (Static::default(), rule))?;
    }
    let error = refused(net.build(), &["5 things are wrong", "got 2 for `p`", "got 3 for `p`"]);
    let message = error.to_string();
    assert!(message.contains("and so for 3 others, from `projection 1` to `projection 4`"), "{message}");
    assert_eq!(message.lines().count(), 3, "{message}");
    assert!(matches!(error, Several(errors) if errors.len() == 5));
    Ok(())
}
