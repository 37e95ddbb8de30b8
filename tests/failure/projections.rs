//! What can be wrong with a projection.

use super::network::*;
use conex::prelude::*;
use conex::systems::Error::{self, *};
use conex::systems::learning::Plastic;
use conex::systems::synaptic_input::{Connectivity, Site};
use conex::{Result, systems};
use ndarray::{Array1, Array2, Array4};

#[test]
fn a_projection_needs_an_axon_a_dendrite_and_a_compartment() -> Result<()> {
    let build = |pre: (bool, bool), learns: bool| -> Result<()> {
        let mut net = network()?;
        let (axon, dendrite) = pre;
        let retina = net.neurons("retina", 2, InputSpikes::default())?;
        let cortex = net.neurons("cortex", 2, Lif::default())?;
        if axon {
            net.world_mut().entity_mut(retina).insert(NeuronAxon::default());
        }
        if dendrite {
            net.world_mut().entity_mut(cortex).insert(SimpleDendriteStructure::default());
        }
        let projection = net.synapses(retina, cortex, dense())?;
        if learns {
            net.world_mut().entity_mut(projection).insert((Stdp::default(), traces()));
        }
        net.build()
    };
    let error = refused(build((false, true), false), &["`retina`", "no axon", "add `NeuronAxon::default()`"]);
    assert!(matches!(error, MissingAtEnd { role: "source", population, .. } if population == "retina"));
    let error = refused(build((true, true), true), &["`cortex`", "PostTrace", "add `NeuronAxon::default()`"]);
    assert!(matches!(error, MissingAtEnd { role: "target", population, .. } if population == "cortex"));
    let error =
        refused(build((true, false), false), &["`cortex`", "add `SimpleDendriteStructure::default()`"]);
    assert!(matches!(error, MissingAtEnd { role: "target", missing, .. } if missing == "dendrite"));
    let error = refused(
        projection((Dense, WeightInitializer::ones())),
        &["`retina -> cortex`", "add `Proximal`, `Distal` or `Apical`"],
    );
    assert!(matches!(error, MissingBehaviour { missing, .. } if missing == "compartment"));

    let mut net = network()?;
    let retina = net.neurons("retina", 2, (InputSpikes::default(), NeuronAxon::default()))?;
    let closed = SimpleDendriteStructure { apical_max_delay: Some(0), ..Default::default() };
    let cortex = net.neurons("cortex", 2, (Lif::default(), closed))?;
    net.synapses(retina, cortex, (Dense, WeightInitializer::ones(), Apical))?;
    let error = refused(net.build(), &["`cortex`", "`apical_max_delay` is 0", "at least 1"]);
    assert!(matches!(error, ClosedCompartment { compartment: "apical", .. }));
    Ok(())
}

/// A kind of connectivity that nobody registers.
#[derive(Component, Clone, Debug, Default)]
#[require(Weighted)]
struct Scattered;

/// A rule that nobody registers.
#[derive(Component, Clone, Debug, Default)]
#[require(Plastic)]
struct Unheard;

#[test]
fn a_projection_has_one_connectivity_and_at_most_one_rule_that_the_network_knows() {
    let error = refused(
        projection(Proximal),
        &["`retina -> cortex`", "add `Dense`, `Sparse`, `One2One`, `Conv2d` or `Static`"],
    );
    assert!(matches!(error, NoConnectivity { .. }));
    let found = |error: Error| match error {
        OneOfFamily { family, found, .. } => (family, found.len()),
        other => panic!("{other:?}"),
    };
    let weights = || (WeightInitializer::ones(), Proximal);
    let error = refused(
        projection((Scattered, weights())),
        &["`retina -> cortex`", "register_connectivity::<YourKind>()"],
    );
    assert_eq!(found(error), ("connectivity", 0));
    let error = refused(projection((Dense, Sparse, weights())), &["Dense", "Sparse", "exactly one"]);
    assert_eq!(found(error), ("connectivity", 2));
    let error = refused(projection((dense(), Unheard)), &["register_plasticity_rule::<YourRule>()"]);
    assert_eq!(found(error), ("plasticity rules", 0));
}

/// A rule of a user's own that changes nothing.
#[derive(Component, Clone, Debug, Default)]
#[require(Plastic)]
struct Idle;

impl PlasticityRule for Idle {
    fn on_pre_spike(&self, _: Real, _: Traces) -> Real {
        0.0
    }

    fn on_post_spike(&self, _: Real, _: Traces) -> Real {
        0.0
    }

    fn check(&self, _: &str) -> Result<(), Error> {
        Ok(())
    }
}

/// Synapses of a user's own: dense ones under another name.
#[derive(Component)]
struct OwnSynapses(systems::synaptic_input::dense::DenseSynapses);

impl systems::synaptic_input::Synapses for OwnSynapses {
    fn weights(&self) -> &systems::weights::Weights {
        self.0.weights()
    }
    fn weights_mut(&mut self) -> &mut systems::weights::Weights {
        self.0.weights_mut()
    }
    fn shape(&self) -> Vec<usize> {
        self.0.shape()
    }
    fn deliver(
        &self,
        _: &[Real],
        _: &systems::fire::SpikeSet,
        _: &mut [Real],
        _: &systems::workers::Workers,
    ) {
    }
    fn fan_in(&self) -> systems::weights::FanIn {
        systems::weights::FanIn::All
    }
}

impl systems::synaptic_input::PlasticSynapses for OwnSynapses {
    fn learn<R: PlasticityRule, C: systems::learning::Changes>(
        &mut self,
        _: C,
        _: &R,
        _: &systems::learning::Activity<'_>,
        _: &systems::workers::Workers,
    ) {
    }
}

#[derive(Component, Clone, Debug, Default)]
#[require(Weighted)]
struct OwnKind;

impl Connectivity for OwnKind {
    type Synapses = OwnSynapses;

    fn connect(&self, site: &Site<'_>) -> Result<OwnSynapses, Error> {
        Dense.connect(site).map(OwnSynapses)
    }
}

#[test]
fn a_rule_of_a_users_own_must_be_told_of_synapses_of_a_users_own() -> Result<()> {
    let build = |told: bool| -> Result<()> {
        let mut net = network()?;
        net.register_connectivity::<OwnKind>();
        net.register_plasticity_rule::<Idle>();
        if told {
            net.register_learning::<Idle, OwnSynapses>();
        }
        let exc = net.neurons("exc", 2, dendrite())?;
        net.named_synapses("loop", exc, exc, (OwnKind, WeightInitializer::ones(), Proximal, Idle, traces()))?;
        net.build()
    };
    let error = refused(build(false), &["`loop`", "Idle", "register_learning::<Idle, TheSynapses>()"]);
    assert_eq!(error, UnpairedRule { projection: "loop".into(), rule: "Idle".into() });
    build(true)
}

#[test]
fn a_rule_needs_both_traces() {
    for (missing, result) in [
        ("PreTrace", projection((dense(), Stdp::default(), PostTrace::new(9.0)))),
        ("PostTrace", projection((dense(), Stdp::default(), PreTrace::new(9.0)))),
    ] {
        let remedy = format!("add `{missing}::new(10.0)`");
        let error = refused(result, &["`retina -> cortex`", "Stdp", &remedy]);
        assert!(matches!(error, MissingBehaviour { .. }));
    }
}

#[test]
fn delays_fit_the_axon_and_the_dendrite() {
    let given = |delays: &[i64]| Delays::Given(delays.to_vec());
    let source = |delays| projection((dense(), DelayInitializer::default().source_delays(delays)));
    let destination = |delays| projection((dense(), DelayInitializer::default().destination_delays(delays)));
    let error =
        refused(source(given(&[2])), &["`retina`", "source delay is 2", "keeps 2", "NeuronAxon::new(3)"]);
    assert!(matches!(error, DelayBeyondAxon { role: "source", delay: 2, max_delay: 2, .. }));
    let error = refused(
        destination(given(&[3])),
        &["`cortex`", "destination delay is 3", "`proximal_max_delay` to 4"],
    );
    assert!(matches!(error, DelayBeyondDendrite { delay: 3, max_delay: 3, .. }));
    let learning = (dense(), DelayInitializer::destination(2), Stdp::default(), traces());
    let error = refused(projection(learning), &["`cortex`", "destination delay is 2", "NeuronAxon::new(3)"]);
    assert!(matches!(error, DelayBeyondAxon { role: "destination", .. }));
    for (delays, given) in [(vec![0, 1], 2), (vec![], 0), (vec![1; 7], 7)] {
        let error =
            refused(source(Delays::Given(delays)), &["`retina -> cortex`", "6 neurons", "one per neuron"]);
        assert!(matches!(error, DelayCount { role: "source", expected: 6, given: g, .. } if g == given));
    }
    let error = refused(destination(given(&[0; 6])), &["4 neurons"]);
    assert!(matches!(error, DelayCount { role: "destination", expected: 4, given: 6, .. }));
    let drawn = |x| Delays::drawn(Distribution::Constant(x));
    for delays in [
        given(&[-1]),
        given(&[0, 0, 0, 0, 0, -3]),
        given(&[i64::MIN]),
        drawn(Real::NAN),
        drawn(-2.0),
        drawn(1e30),
    ] {
        let error =
            refused(source(delays), &["`retina -> cortex`", "source delay", "whole steps, 0 or more"]);
        assert!(matches!(error, BadDelay { role: "source", .. }));
    }
    // Truncated towards zero: no delay at all.
    assert!(source(drawn(-0.5)).is_ok() && source(drawn(1.9)).is_ok());
}

#[test]
fn source_and_target_fit_the_connectivity() {
    let weights = || (WeightInitializer::ones(), Proximal);
    let error =
        refused(projection((One2One, weights())), &["`retina`", "`cortex`", "6 (1 x 2 x 3)", "same number"]);
    assert!(matches!(error, ShapeMismatch { connectivity: "One2One", .. }));
    for (kernel, expected) in [
        (Conv2d::new(2, 2), "needs a target of 1 x 1 x 2"),
        (Conv2d::new(1, 2).stride(2), "needs a target of 1 x 1 x 1"),
        (Conv2d::new(3, 2), "larger than the padded source"),
        (Conv2d::new(0, 2), "at least 1"),
        (Conv2d::new(1, 2).stride(0), "at least 1"),
        (Conv2d::new(1, 2).padding(usize::MAX), "larger than the padded source"),
    ] {
        let error = refused(projection((kernel, weights())), &["`retina -> cortex`", "`cortex`", expected]);
        assert!(matches!(error, ShapeMismatch { connectivity: "Conv2d", .. }));
    }
    assert!(projection((Conv2d::new(1, 2), weights())).is_ok());
}

#[test]
fn given_weights_have_the_shape_of_the_connectivity() {
    let matrix = |m, n| WeightInitializer::matrix(Array2::zeros((m, n)));
    let sparse = WeightInitializer::sparse(&sprs::CsMat::eye(4));
    for (needed, result) in [
        ("[6, 4]", projection((Dense, matrix(4, 6), Proximal))),
        ("[6, 4]", projection((Sparse, matrix(6, 5), Proximal))),
        ("[6, 4]", projection((Dense, sparse.clone(), Proximal))),
        ("[6, 4]", projection((Sparse, sparse, Proximal))),
        ("[6, 4]", projection((Dense, WeightInitializer::vector(Array1::zeros(24)), Proximal))),
        ("[1, 1, 1, 2]", projection((Conv2d::new(1, 2), matrix(1, 2), Proximal))),
        (
            "[1, 1, 1, 2]",
            projection((
                Conv2d::new(1, 2),
                WeightInitializer::kernels(Array4::zeros((1, 1, 2, 1))),
                Proximal,
            )),
        ),
        // As many values as the shape says, on every kind.
        ("[6, 4]", projection((Dense, WeightInitializer::dense(vec![6, 4], vec![1.0; 23]), Proximal))),
        ("[6, 4]", projection((Sparse, WeightInitializer::dense(vec![6, 4], vec![1.0; 30]), Proximal))),
        ("8446744073", projection((Dense, WeightInitializer::dense(vec![usize::MAX, 2], vec![]), Proximal))),
    ] {
        let error = refused(result, &["`retina -> cortex`", needed]);
        assert!(matches!(error, WeightShape { .. }), "{error:?}");
    }
}

#[test]
fn weights_are_there_and_are_finite_numbers() {
    let error = refused(projection((Dense, Proximal)), &["`retina -> cortex`", "add `WeightInitializer"]);
    assert!(matches!(error, MissingBehaviour { missing, .. } if missing == "weights"));
    let mut weights = Array2::<Real>::ones((6, 4));
    weights[[1, 2]] = Real::NAN;
    for (place, result) in [
        (6, projection((Dense, WeightInitializer::matrix(weights.clone()), Proximal))),
        (6, projection((Sparse, WeightInitializer::matrix(weights), Proximal))),
        (0, projection((Dense, WeightInitializer::ones().function(|_| Real::INFINITY), Proximal))),
    ] {
        let error = refused(result, &["`retina -> cortex`", "finite", &format!("place {place}")]);
        assert!(matches!(error, WeightNotFinite { index, .. } if index == place));
    }
}

#[test]
fn more_synapses_than_can_be_held_are_refused_before_any_is_made() -> Result<()> {
    let mut net = network()?;
    let many = net.neurons("many", 100_000, (InputSpikes::default(), NeuronAxon::default()))?;
    net.synapses(many, many, (Sparse, WeightInitializer::ones().density(0.5), Proximal))?;
    let error = refused(net.build(), &["`many -> many`", "5000000000 synapses", "4294967295"]);
    assert!(matches!(error, TooManySynapses { connectivity: "Sparse", .. }));
    // Kernels of 2^40 and 2^29 a side within as much padding, which would meet the target's shape.
    let convolution = |power: u32| -> Result<()> {
        let mut net = network()?;
        let one = net.neurons("one", 1, (InputSpikes::default(), NeuronAxon::default()))?;
        let side = (1 << power) + 1;
        let kernel = Conv2d::new(side, side).padding(1 << (power - 1));
        net.synapses(one, one, (kernel, WeightInitializer::ones(), Proximal))?;
        net.build()
    };
    let error = refused(convolution(40), &["`one -> one`", "more than", "Conv2d"]);
    assert!(matches!(error, TooManySynapses { connectivity: "Conv2d", .. }));
    let error = refused(convolution(29), &["`one -> one`", "not enough memory", "smaller"]);
    assert!(matches!(error, OutOfMemory { connectivity: "Conv2d", .. }));
    // Eight million by eight million: more bytes than there are addresses.
    let mut net = network()?;
    let many = net.neurons("many", 8_000_000, (InputSpikes::default(), NeuronAxon::default()))?;
    net.synapses(many, many, (Dense, WeightInitializer::ones(), Proximal))?;
    let error = refused(net.build(), &["`many -> many`", "64000000000000 synapses", "`Sparse`"]);
    assert!(matches!(error, OutOfMemory { connectivity: "Dense", .. }));
    Ok(())
}
