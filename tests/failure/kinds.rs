//! What a kind of connectivity, an initializer or delays may be asked for in vain.

use super::network::*;
use conex::Result;
use conex::prelude::*;
use conex::systems::Error::*;

/// Builds a network of one population that projects onto itself with these behaviours.
fn recurrent(behaviours: impl Bundle) -> Result<()> {
    let mut net = network()?;
    let exc = net.neurons("exc", (2, 3, 3), dendrite())?;
    net.synapses(exc, exc, (behaviours, Proximal))?;
    net.build()
}

/// Builds a network of two populations of these shapes.
fn between(pre: (usize, usize, usize), post: (usize, usize, usize), behaviours: impl Bundle) -> Result<()> {
    let mut net = network()?;
    let pre = net.neurons("pre", pre, (InputSpikes::default(), NeuronAxon::new(2)))?;
    let post = net.neurons("post", post, dendrite())?;
    net.synapses(pre, post, (behaviours, Proximal))?;
    net.build()
}

#[test]
fn local_kernels_fit_source_and_target_and_their_weights_the_places() {
    let weights = WeightInitializer::ones;
    for (kernel, expected) in [
        (Local2d::new(2, 2), "needs a target of 1 x 1 x 2"),
        (Local2d::new(3, 2), "larger than the padded source"),
        (Local2d::new(1, 2).stride(0), "at least 1"),
    ] {
        let error = refused(projection((kernel, weights(), Proximal)), &["`retina -> cortex`", expected]);
        assert!(matches!(error, ShapeMismatch { connectivity: "Local2d", .. }));
    }
    let given = WeightInitializer::dense(vec![1, 2, 4], vec![1.0; 8]);
    let error = refused(projection((Local2d::new(1, 2), given, Proximal)), &["[1, 2, 4]", "[1, 4, 2]"]);
    assert!(matches!(error, WeightShape { connectivity: "Local2d", .. }));
    assert!(projection((Local2d::new(1, 2), weights(), Proximal)).is_ok());
}

#[test]
fn a_lateral_kernel_lies_within_one_population_and_has_a_middle() {
    let weights = WeightInitializer::ones;
    let error = refused(
        between((1, 3, 3), (1, 3, 3), (Lateral::new(1, 3, 3), weights())),
        &["`pre`", "`post`", "within one population"],
    );
    assert!(matches!(error, ShapeMismatch { connectivity: "Lateral", .. }));
    for sides in [(2, 3, 3), (1, 4, 3), (1, 3, 0)] {
        let kind = Lateral::new(sides.0, sides.1, sides.2);
        let error = refused(recurrent((kind, weights())), &["`exc -> exc`", "must be odd"]);
        assert!(matches!(error, ShapeMismatch { connectivity: "Lateral", .. }));
    }
    let given = WeightInitializer::dense(vec![1, 3, 3], vec![1.0; 9]);
    let error = refused(recurrent((Lateral::new(1, 3, 3), given)), &["[1, 1, 1, 3, 3]", "[1, 3, 3]"]);
    assert!(matches!(error, WeightShape { connectivity: "Lateral", .. }));
    assert!(recurrent((Lateral::new(3, 9, 9), weights())).is_ok());
}

#[test]
fn pooling_reads_plane_by_plane() {
    let (pre, post, expected) = ((2, 4, 4), (1, 2, 2), "the same depth, and it is 2 and 1");
    let error = refused(between(pre, post, AveragePool2d), &["`pre`", "`post`", expected]);
    assert!(matches!(error, ShapeMismatch { connectivity: "AveragePool2d", .. }));
    let error = refused(between(pre, post, MaxPool2d), &["`pre`", "`post`", expected]);
    assert!(matches!(error, ShapeMismatch { connectivity: "MaxPool2d", .. }));
    assert!(between((2, 4, 4), (2, 3, 4), AveragePool2d).is_ok());
    assert!(between((1, 4, 4), (1, 5, 9), AveragePool2d).is_ok(), "a larger target repeats its source");
}

#[test]
fn what_acts_on_weights_needs_a_kind_that_has_some() {
    fn pooled(kind: impl Bundle, behaviours: impl Bundle) -> Result<()> {
        between((1, 4, 4), (1, 2, 2), (kind, behaviours))
    }
    for (behaviour, result) in [
        ("CurrentNormalization", pooled(AveragePool2d, CurrentNormalization::default())),
        ("WeightNormalization", pooled(AveragePool2d, WeightNormalization::default())),
        ("WeightClip", pooled(MaxPool2d, WeightClip::default())),
        ("WeightInitializer", pooled(AveragePool2d, WeightInitializer::ones())),
        ("NoSelfConnections", pooled(MaxPool2d, NoSelfConnections)),
        ("Stdp", pooled(AveragePool2d, (Stdp::default(), traces()))),
    ] {
        let error = refused(result, &["`pre -> post`", behaviour, "no kind of connectivity with weights"]);
        assert!(matches!(error, MissingBehaviour { .. }), "{error:?}");
    }
}

#[test]
fn a_rule_needs_a_kind_that_learns() {
    let learning = (Lateral::new(1, 3, 3), WeightInitializer::ones(), Stdp::default(), traces());
    let error = refused(recurrent(learning), &["`exc -> exc`", "Stdp", "use a kind that learns"]);
    assert!(matches!(error, UnpairedRule { .. }));
}

#[test]
fn only_kinds_that_know_themselves_leave_themselves_out() {
    let weights = WeightInitializer::ones;
    for result in [
        recurrent((One2One, weights(), NoSelfConnections)),
        recurrent((Conv2d::new(1, 1), weights(), NoSelfConnections)),
    ] {
        refused(result, &["`exc -> exc`", "remove `NoSelfConnections`", "`Dense`, `Sparse` or `Lateral`"]);
    }
    assert!(recurrent((Sparse, weights().density(0.5), NoSelfConnections)).is_ok());
}

#[test]
fn ranges_hold_something() {
    let drawn = |weights: WeightInitializer| projection((Dense, weights, Proximal));
    let delayed = |delays| projection((dense(), DelayInitializer::default().source_delays(delays)));
    let normal = WeightInitializer::normal;
    for (parameter, value, requirement, result) in [
        ("`max`", "-1", "min, which is 0, or more", drawn(normal(0.0, 1.0).within(0.0, -1.0))),
        ("`max`", "NaN", "or more", drawn(normal(0.0, 1.0).clipped(0.0, Real::NAN))),
        ("`min`", "NaN", "a number", drawn(normal(0.0, 1.0).clipped(Real::NAN, 1.0))),
        ("`min`", "2", "draws lie between them", drawn(WeightInitializer::ones().within(2.0, 3.0))),
        ("`sigma`", "-1", "0 or more", drawn(WeightInitializer::lognormal(0.0, -1.0))),
        ("`high`", "inf", "finite", drawn(WeightInitializer::uniform(0.0, Real::INFINITY))),
        ("`max`", "1", "min, which is 2, or more", delayed(Delays::uniform(2, 1))),
        ("`min`", "0", "draws lie between them", delayed(Delays::normal(-100.0, 1.0))),
    ] {
        let got = format!("got {value} for {parameter}");
        let error = refused(result, &["`retina -> cortex`", &got, requirement]);
        assert!(matches!(error, ParameterRange { .. }), "{error:?}");
    }
    let error = refused(delayed(Delays::uniform(0, 9)), &["`retina`", "source delay", "NeuronAxon"]);
    assert!(matches!(error, DelayBeyondAxon { .. }));
}
