//! Networks that are wrong, or that go wrong.

#![cfg_attr(
    feature = "f64",
    allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "`Real` is `f64` then")
)]

use conex::Result;
use conex::prelude::*;
use conex::systems::Error::{self, *};

/// The network's own error behind `result`, whose message says all of `parts`.
#[track_caller]
pub(super) fn refused<T>(result: Result<T>, parts: &[&str]) -> Error {
    let error = match result {
        Ok(_) => panic!("it was accepted; expected a message with {parts:?}"),
        Err(conex::Error::Network(error)) => error,
        Err(other) => panic!("another kind of error: {other}"),
    };
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "`{message}` does not say `{part}`");
    }
    error
}

pub(super) fn network() -> Result<Neocortex> {
    Neocortex::with(Settings { threads: 1, ..Default::default() })
}

/// Builds a network of one population with these behaviours.
pub(super) fn population(shape: impl Into<Grid>, behaviours: impl Bundle) -> Result<()> {
    let mut net = network()?;
    net.neurons("L4/exc", shape, behaviours)?;
    net.build()
}

/// What a projection reaches.
pub(super) fn dendrite() -> impl Bundle {
    (Lif::default(), SimpleDendriteStructure::new(3), NeuronAxon::new(2))
}

/// Builds a network of 6 retinal neurons that project on 4 cortical ones with these behaviours.
pub(super) fn projection(behaviours: impl Bundle) -> Result<()> {
    let mut net = network()?;
    let retina = net.neurons("retina", (1, 2, 3), (InputSpikes::default(), NeuronAxon::new(2)))?;
    let cortex = net.neurons("cortex", (1, 2, 2), dendrite())?;
    net.synapses(retina, cortex, behaviours)?;
    net.build()
}

pub(super) fn dense() -> impl Bundle {
    (Dense, WeightInitializer::uniform(0.0, 1.0), Proximal)
}

pub(super) fn traces() -> (PreTrace, PostTrace) {
    (PreTrace::new(10.0), PostTrace::new(10.0))
}

#[test]
fn several_faults_are_told_at_once() {
    let all = ["4 things are wrong", "no weights", "no compartment", "no PreTrace", "no PostTrace"];
    let Several(faults) = refused(projection((Dense, Stdp::default())), &all) else {
        panic!("one at a time")
    };
    let missing = faults.iter().filter(|fault| matches!(fault, MissingBehaviour { .. })).count();
    assert_eq!((faults.len(), missing), (4, 4), "{faults:?}");
}

// Groups.

#[test]
fn a_population_needs_neurons_but_not_more_than_can_be_counted() -> Result<()> {
    let mut net = network()?;
    for shape in [Grid::new(3, 0, 5), Grid::from(0), Grid::new(usize::MAX, usize::MAX, 0)] {
        let error = refused(net.neurons("L4/exc", shape, ()), &["`L4/exc`", "no neurons", "at least 1"]);
        assert!(matches!(error, EmptyPopulation { .. }));
    }
    for shape in
        [Grid::from(u32::MAX as usize + 1), Grid::new(1 << 16, 1 << 16, 1), Grid::new(1 << 40, 1 << 40, 1)]
    {
        let error =
            refused(net.neurons("L4/exc", shape, ()), &["`L4/exc`", "too large", "at most 4294967295"]);
        assert!(matches!(error, PopulationTooLarge { .. }));
    }
    assert!(net.find("L4/exc").is_err(), "what was refused is not there");
    Ok(())
}

#[test]
fn names_are_there_and_differ() -> Result<()> {
    let mut net = network()?;
    let exc = net.neurons("L4/exc", 2, Lif::default())?;
    let error = refused(net.neurons("L4/exc", 2, Lif::default()), &["`L4/exc`", "already", "choose another"]);
    assert_eq!(error, DuplicateName { name: "L4/exc".into() });
    let error = refused(net.named_synapses("L4/exc", exc, exc, dense()), &["`L4/exc`", "choose another"]);
    assert!(matches!(error, DuplicateName { .. }));
    assert_eq!(refused(net.neurons("", 2, Lif::default()), &["not empty"]), EmptyName);
    assert_eq!(refused(net.named_synapses("", exc, exc, dense()), &["not empty"]), EmptyName);
    Ok(())
}

#[test]
fn a_projection_stands_between_populations() -> Result<()> {
    let mut net = network()?;
    let exc = net.neurons("exc", 2, dendrite())?;
    let synapses = net.synapses(exc, exc, dense())?;
    let gone = net.world_mut().spawn_empty().id();
    net.world_mut().despawn(gone);
    for (pre, post, role) in [(synapses, exc, "source"), (exc, synapses, "target"), (gone, exc, "source")] {
        let error = refused(net.named_synapses("feedback", pre, post, dense()), &["`feedback`", role]);
        assert_eq!(error, NotAPopulation { projection: "feedback".into(), role });
    }
    Ok(())
}

#[test]
fn a_name_that_is_unknown_brings_the_one_that_was_meant() -> Result<()> {
    let mut net = network()?;
    let exc = net.neurons("L4/exc", 2, Aelif::default())?;
    net.build()?;
    let error = refused(net.find("L4/exec"), &["no group named `L4/exec`", "did you mean `L4/exc`?"]);
    assert!(matches!(error, UnknownName { suggestion: Some(_), .. }));
    let error = refused(net.find("thalamus"), &["no group named `thalamus`"]);
    assert!(matches!(error, UnknownName { suggestion: None, .. }));
    for (given, meant) in [("omgea", "omega"), ("treshold", "threshold")] {
        let error = refused(net.state(exc, given), &["no state variable", given, &format!("`{meant}`?")]);
        assert!(matches!(error, UnknownName { kind: "state variable", .. }));
        let error = refused(net.record_state(exc, given, 1), &[meant]);
        assert!(matches!(error, UnknownName { .. }));
    }
    Ok(())
}

#[test]
fn what_a_group_has_not_cannot_be_read() -> Result<()> {
    let mut net = network()?;
    let quiet = net.neurons("quiet", 2, ())?;
    let exc = net.neurons("exc", 2, Lif::default())?;
    net.build()?;
    let gone = net.world_mut().spawn_empty().id();
    net.world_mut().despawn(gone);
    let errors = [
        refused(net.spikes(quiet), &["`quiet`", "Spikes"]),
        refused(net.record_spikes(quiet), &["`quiet`", "Spikes"]),
        refused(net.weights(exc), &["`exc`", "weights"]),
        refused(net.get::<Kwta>(exc), &["`exc`", "Kwta"]),
        refused(net.set_input(exc, &[0]), &["`exc`", "InputSpikes"]),
        refused(net.state(gone, "v"), &["no place in this network"]),
        refused(net.spikes(gone), &["Spikes"]),
        refused(net.weights(gone), &["weights"]),
        refused(net.record_state(gone, "v", 1), &["no place in this network"]),
        refused(net.set_input(gone, &[0]), &["no Population"]),
    ];
    assert!(errors.iter().all(|error| matches!(error, NoSuchState { .. })), "{errors:?}");
    Ok(())
}

// Parameters.

#[test]
fn lists_of_parameters_have_one_number_a_neuron() {
    let short = vec![1.0, 2.0];
    for (parameter, result) in [
        ("tau", population(3, Lif::default().tau(short.clone()))),
        ("init_v", population(3, Lif::default().init_v(short.clone()))),
        ("delta", population(3, Elif::default().delta(short.clone()))),
        ("omega", population(3, Aelif::default().omega(short.clone()))),
        ("current", population(3, (Lif::default(), InjectedCurrent::new(short.clone())))),
        ("duration", population(3, (Lif::default(), RefractoryPeriod::new(short.clone())))),
        ("max_ta", population(3, (Lif::default(), VoltageBaseHomeostasis::target(short.clone())))),
        ("tau", population(3, Lif::default().tau(Vec::<f32>::new()))),
    ] {
        let error = refused(result, &["`L4/exc`", &format!("`{parameter}`"), "3 neurons", "one per neuron"]);
        let named = |error: &Error| matches!(error, ParameterLength { parameter: p, expected: 3, .. } if p == parameter);
        let right = match &error {
            Several(errors) => errors.iter().any(named),
            error => named(error),
        };
        assert!(right, "{error:?}");
    }
}

#[test]
fn parameters_are_finite_numbers() {
    for (parameter, result) in [
        ("`threshold` at neuron 1", population(2, Lif::default().threshold(vec![1.0, f64::NAN]))),
        ("`v_rest`", population(2, Elif::default().v_rest(f64::INFINITY))),
        ("`current`", population(2, (Lif::default(), InjectedCurrent::new(f64::NAN)))),
        ("`i_tau`", population(2, (dendrite(), SimpleDendriteComputation::default().i_tau(Some(Real::NAN))))),
    ] {
        let error = refused(result, &["`L4/exc`", parameter, "finite"]);
        assert!(matches!(error, ParameterNotFinite { .. }), "{error:?}");
    }
    for (parameter, result) in [
        ("`tau_s`", projection((dense(), PreTrace::new(Real::INFINITY)))),
        ("`spike_scale`", projection((dense(), PostTrace::new(9.0).spike_scale(Real::NAN)))),
        ("`a_plus`", projection((dense(), Stdp::default().a_plus(Real::NAN), traces()))),
        ("`norm`", projection((dense(), WeightNormalization::new(Real::NAN)))),
        ("`norm`", projection((dense(), CurrentNormalization::new(Real::INFINITY)))),
        ("`coefficient`", projection((dense(), CurrentCoef(Real::NAN)))),
    ] {
        let error = refused(result, &["`retina -> cortex`", parameter, "finite"]);
        assert!(matches!(error, ParameterNotFinite { .. }), "{error:?}");
    }
}

#[test]
fn parameters_stay_within_their_range() {
    let noise = |distribution| InherentNoise { distribution, scale: 1.0, offset: 0.0 };
    let activity = |rate, window| ActivityBaseHomeostasis::new(rate, window, 0.1);
    for (parameter, value, result) in [
        ("`tau`", "0", population(2, Lif::default().tau(0.0))),
        ("`tau`", "-1", population(2, Lif::default().tau(vec![1.0, -1.0]))),
        ("`r`", "0", population(2, Lif::default().r(0.0))),
        ("`delta`", "-2", population(2, Elif::default().delta(-2.0))),
        ("`w_tau`", "0", population(2, Aelif::default().w_tau(0.0))),
        ("`duration`", "-3", population(2, (Lif::default(), RefractoryPeriod::new(-3.0)))),
        ("`k`", "0", population(2, (Lif::default(), Kwta::new(0)))),
        ("`window_size`", "0", population(2, (Lif::default(), activity(1.0, 0)))),
        ("`activity_rate`", "20", population(2, (Lif::default(), activity(20.0, 20)))),
        ("`activity_rate`", "-1", population(2, (Lif::default(), activity(-1.0, 20)))),
        ("`min_ta`", "3", population(2, (Lif::default(), VoltageBaseHomeostasis::range(3.0, 2.0)))),
        ("`std`", "-0.5", population(2, (Lif::default(), InherentNoise::normal(0.0, -0.5)))),
        ("`constant`", "inf", population(2, (Lif::default(), noise(Distribution::Constant(Real::INFINITY))))),
        ("`mean`", "NaN", population(2, (Lif::default(), InherentNoise::normal(Real::NAN, 1.0)))),
        ("`max_delay`", "0", population(2, NeuronAxon::new(0))),
        ("`max_delay`", "18446744073709552000", population(2, NeuronAxon::new(usize::MAX))),
        ("`i_tau`", "0", population(2, (dendrite(), SimpleDendriteComputation::default().i_tau(Some(0.0))))),
    ] {
        let error = refused(result, &["`L4/exc`", parameter, &format!("got {value} for"), "must be"]);
        assert!(matches!(error, ParameterRange { .. }), "{error:?}");
    }
    let huge = SimpleDendriteStructure { distal_max_delay: usize::MAX, ..Default::default() };
    let error = refused(population(2, (Lif::default(), huge)), &["`distal_max_delay`", "`apical_max_delay`"]);
    assert!(matches!(error, Several(errors) if errors.len() == 2));
    for (parameter, value, result) in [
        ("`tau_s`", "0", projection((dense(), PreTrace::new(0.0)))),
        ("`w_max`", "-1", projection((dense(), Stdp::default().w_max(-1.0 as Real), traces()))),
        ("`w_max`", "0", projection((dense(), WeightClip::new(0.0, 0.0)))),
        ("`density`", "1.5", projection((Dense, WeightInitializer::ones().density(1.5), Proximal))),
        ("`density`", "-0.5", projection((Sparse, WeightInitializer::ones().density(-0.5), Proximal))),
        ("`density`", "NaN", projection((Sparse, WeightInitializer::ones().density(f64::NAN), Proximal))),
        ("`std`", "-2", projection((Dense, WeightInitializer::normal(0.0, -2.0), Proximal))),
        ("`scale`", "inf", projection((Dense, WeightInitializer::ones().scale(Real::INFINITY), Proximal))),
        ("`offset`", "NaN", projection((Dense, WeightInitializer::ones().offset(Real::NAN), Proximal))),
    ] {
        let error =
            refused(result, &["`retina -> cortex`", parameter, &format!("got {value} for"), "must be"]);
        assert!(matches!(error, ParameterRange { .. }), "{error:?}");
    }
}

#[test]
fn parameters_that_are_spoiled_between_steps_end_the_run_until_they_are_mended() -> Result<()> {
    let mut net = network()?;
    let behaviours = (
        (Lif::default(), InjectedCurrent::new(2.0), RefractoryPeriod::new(1.0)),
        VoltageBaseHomeostasis::range(-9.0, 9.0),
    );
    let exc = net.neurons("L4/exc", 3, behaviours)?;
    net.run(20)?;
    let short = vec![1.0; 2];
    for (parameter, spoil, mend) in [
        (
            "`tau`",
            (|e, x| _ = e.insert(Lif::default().tau(x))) as fn(&mut EntityWorldMut, Vec<f64>),
            (|e| _ = e.insert(Lif::default())) as fn(&mut EntityWorldMut),
        ),
        (
            "`duration`",
            |e, x| _ = e.insert(RefractoryPeriod::new(x)),
            |e| _ = e.insert(RefractoryPeriod::new(1.0)),
        ),
        (
            "`max_ta`",
            |e, x| _ = e.insert(VoltageBaseHomeostasis::target(x)),
            |e| _ = e.insert(VoltageBaseHomeostasis::range(-9.0, 9.0)),
        ),
    ] {
        spoil(&mut net.world_mut().entity_mut(exc), short.clone());
        for _ in 0..2 {
            let error = refused(net.run(20), &["`L4/exc`", parameter, "one per neuron"]);
            assert!(matches!(error, ParameterLength { expected: 3, given: 2, .. }), "{error:?}");
        }
        mend(&mut net.world_mut().entity_mut(exc));
        net.run(20)?;
    }
    // An electrode that does not fit is switched off.
    net.world_mut().entity_mut(exc).insert(InjectedCurrent::new(short));
    let error = refused(net.run(20), &["`L4/exc`", "`current`", "one per neuron"]);
    assert!(matches!(error, ParameterLength { .. }));
    net.run(20)
}

#[test]
fn time_goes_forward_and_someone_must_work() {
    for dt in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = refused(Neocortex::with(Settings { dt, ..Default::default() }), &["dt is", "above 0"]);
        assert!(matches!(error, TimeStep { .. }));
        let error =
            refused(conex::install(&mut World::new(), Settings { dt, ..Default::default() }), &["above 0"]);
        assert!(matches!(error, TimeStep { .. }));
    }
    let error = refused(
        Neocortex::with(Settings { threads: 0, ..Default::default() }),
        &["0 threads", "at least one"],
    );
    assert!(matches!(error, Threads { threads: 0, .. }));
}

// Neurons.

/// A neuron model that nobody registers.
#[derive(Component, Clone, Debug, Default)]
#[require(Fire)]
struct Unknown;

#[test]
fn a_spiking_population_has_one_neuron_model_that_the_network_knows() {
    let error = refused(population(2, Unknown), &["`L4/exc`", "not registered", "register_neuron_model"]);
    assert_eq!(error, UnregisteredModel { population: "L4/exc".into() });
    let error =
        refused(population(2, (Lif::default(), Elif::default())), &["`L4/exc`", "Lif", "Elif", "keep one"]);
    assert!(matches!(error, SeveralModels { models, .. } if models.len() == 2));
    let error = refused(population(2, (Lif::default(), InputSpikes::default())), &["`L4/exc`", "keep one"]);
    assert_eq!(error, TwoSpikeSources { population: "L4/exc".into() });
}

#[test]
fn behaviours_of_spiking_neurons_need_a_neuron_model() {
    for (behaviour, result) in [
        ("Kwta", population(2, Kwta::new(1))),
        ("InherentNoise", population(2, InherentNoise::default())),
        ("RefractoryPeriod", population(2, RefractoryPeriod::default())),
        ("InjectedCurrent", population(2, InjectedCurrent::new(1.0))),
        ("ActivityBaseHomeostasis", population(2, ActivityBaseHomeostasis::new(1.0, 10, 0.1))),
        (
            "VoltageBaseHomeostasis",
            population(2, (InputSpikes::default(), VoltageBaseHomeostasis::target(0.0))),
        ),
    ] {
        let error = refused(result, &["`L4/exc`", behaviour, "no neuron model", "add `Lif::default()`"]);
        assert!(matches!(error, MissingBehaviour { .. }), "{error:?}");
    }
    let closed = SimpleDendriteStructure { proximal_max_delay: 0, ..Default::default() };
    let error = refused(
        population(2, (Lif::default(), closed, InjectedCurrent::new(1.0))),
        &["`L4/exc`", "proximal compartment", "proximal_max_delay"],
    );
    assert!(matches!(error, MissingBehaviour { .. }));
    let error = refused(
        population(2, (Lif::default(), SimpleDendriteComputation::default())),
        &["`L4/exc`", "no dendrite", "SimpleDendriteStructure::default()"],
    );
    assert!(matches!(error, MissingBehaviour { .. }));
}

#[test]
fn input_spikes_name_neurons_that_exist() -> Result<()> {
    let mut net = network()?;
    let input = net.neurons("retina", 3, InputSpikes::default())?;
    let error = refused(net.set_input(input, &[0, 3]), &["`retina`", "3 neurons", "neuron 3", "from 0 to 2"]);
    assert!(matches!(error, InputOutOfRange { size: 3, neuron: 3, .. }));
    net.run(1)?;
    // A user's system may set what it likes: the run ends with the error, and goes on without it.
    net.world_mut().entity_mut(input).insert(InputSpikes::default());
    let Some(mut spikes) = net.world_mut().get_mut::<InputSpikes>(input) else {
        unreachable!("just inserted")
    };
    spikes.set(&[u32::MAX, 1]);
    let error = refused(net.run(5), &["`retina`", "from 0 to 2"]);
    assert!(matches!(error, InputOutOfRange { neuron: u32::MAX, .. }));
    net.run(5)
}

#[test]
fn a_stimulus_fits_its_population() -> Result<()> {
    let shown =
        |images: Images| -> Result<Stimulus> { Ok(Stimulus::new(images, SimplePoisson::new(5, 0.5)?)) };
    let none = shown(Images::new((1, 1, 2), vec![], None)?)?;
    let error = refused(population(2, none), &["`L4/exc`", "not empty"]);
    assert_eq!(error, EmptyDataset { population: "L4/exc".into() });
    let images = shown(Images::new((1, 2, 3), vec![0.5; 12], None)?)?;
    let error =
        refused(population(5, images), &["`L4/exc`", "5 neurons", "6 (1 x 2 x 3)", "shape of the dataset"]);
    assert!(matches!(error, StimulusSize { .. }));
    Ok(())
}

// Running.

#[test]
fn a_potential_that_stops_being_finite_is_reported_with_neuron_and_step() -> Result<()> {
    let mut net = network()?;
    let exc = net.neurons("L4/exc", 3, Lif::default())?;
    net.run(4)?;
    let Some(mut v) = net.world_mut().get_mut::<MembranePotential>(exc) else { unreachable!("it is a LIF") };
    v.0[2] = Real::NAN;
    let error = refused(net.run(10), &["`L4/exc`", "v of neuron 2", "NaN", "step 5", "dt that is too long"]);
    assert!(matches!(error, NotFinite { variable: "v", index: 2, step: 5, .. }));
    assert_eq!(net.now(), 5.0, "the run ends at once");
    // Euler's scheme explodes where dt is many times tau.
    let mut net = Neocortex::with(Settings { dt: 50.0, threads: 1, ..Default::default() })?;
    // One of the two ends below all numbers; the other, above them, fires.
    let lif = Lif::default().tau(1.0).threshold(Real::MAX);
    net.neurons("stiff", 2, (lif, InjectedCurrent::new(vec![-1.0, 1.0])))?;
    let error = refused(net.run(1000), &["`stiff`", "dt that is too long"]);
    assert!(matches!(error, NotFinite { .. }));
    Ok(())
}

#[test]
fn a_recorder_needs_a_positive_interval() -> Result<()> {
    let mut net = network()?;
    let exc = net.neurons("exc", 1, Lif::default())?;
    let error = refused(net.record_state(exc, "v", 0), &["`exc`", "`every`", "at least 1 step"]);
    assert!(matches!(error, ParameterRange { .. }));
    Ok(())
}
