//! Control while a network runs: switching off and on, adding and removing, starting again.

use crate::determinism::snapshot;
use conex::prelude::*;
use conex::systems::Error::{self as Fault, *};
use conex::{Error, Result};

pub(super) fn network() -> Result<Neocortex> {
    Neocortex::with(Settings { threads: 1, seed: 5, ..Default::default() })
}

pub(super) fn fault<T>(result: Result<T>) -> Fault {
    match result {
        Err(Error::Network(fault)) => fault,
        Err(other) => panic!("it is refused in other words: {other}"),
        Ok(_) => panic!("it is refused"),
    }
}

/// A neuron whose potential is its current, and which fires at each step where that is 1 or more.
pub(super) fn prompt() -> Lif {
    Lif::default().tau(1.0)
}

pub(super) fn axon_and_dendrite() -> (NeuronAxon, SimpleDendriteStructure) {
    (NeuronAxon::default(), SimpleDendriteStructure::default())
}

pub(super) fn ones() -> (Dense, WeightInitializer, Compartment) {
    (Dense, WeightInitializer::ones(), Proximal)
}

/// Two populations of four neurons, the first one driven from outside, and a projection.
pub(super) fn pair(
    net: &mut Neocortex,
    pre: impl Bundle,
    post: impl Bundle,
    synapses: impl Bundle,
) -> Result<[Entity; 3]> {
    let pre = net.neurons("pre", 4, (InputSpikes::default(), NeuronAxon::default(), pre))?;
    let post = net.neurons("post", 4, (axon_and_dendrite(), post))?;
    let synapses = net.named_synapses("synapses", pre, post, synapses)?;
    Ok([pre, post, synapses])
}

/// Lets all neurons of `pre` fire at each of some steps, as far as they can.
pub(super) fn drive(net: &mut Neocortex, steps: u32) -> Result<()> {
    let pre = net.find("pre")?;
    for _ in 0..steps {
        // What takes no input is not given any.
        let _ = net.set_input(pre, &[0, 1, 2, 3]);
        net.step()?;
    }
    Ok(())
}

/// The current at the first target neuron while all sources fire.
pub(super) fn current(net: &mut Neocortex) -> Result<Real> {
    drive(net, 2)?;
    Ok(net.state(net.find("post")?, "I")?[0])
}

/// Whether a state variable of a group changes while sources and targets fire.
pub(super) fn changes(net: &mut Neocortex, group: &str, variable: &str) -> Result<bool> {
    net.build()?;
    let group = net.find(group)?;
    let before = net.state(group, variable)?;
    let (pre, post) = (net.find("pre")?, net.find("post")?);
    for step in 0..24_u32 {
        net.set_input(pre, &[step % 4, (step * step + 1) % 4])?;
        if net.world().get::<InputSpikes>(post).is_some() {
            net.set_input(post, &[(step * 3 + 1) % 4, step / 2 % 4])?;
        }
        net.step()?;
    }
    Ok(net.state(group, variable)? != before)
}

/// A network in which both ends of a plastic projection are driven from outside.
pub(super) fn learning(net: &mut Neocortex, more: impl Bundle) -> Result<Entity> {
    let ends = || (InputSpikes::default(), NeuronAxon::default());
    let (pre, post) = (net.neurons("pre", 4, ends())?, net.neurons("post", 4, ends())?);
    let rule = (PreTrace::new(9.0), PostTrace::new(9.0), Stdp::new(0.05, 0.02));
    let weights = WeightInitializer::constant(0.5);
    net.named_synapses("synapses", pre, post, (Dense, weights, Proximal, rule, more))
}

#[test]
fn behaviours_are_switched_by_name_by_stage_by_tag_and_on_one_group() -> Result<()> {
    let mut net = network()?;
    let behaviours = || (prompt(), InjectedCurrent::new(2.0), Kwta::new(1), RefractoryPeriod::new(0.0));
    let a = net.neurons("a", 3, (behaviours(), Tags::new(["visual"])))?;
    let b = net.neurons("b", 3, (behaviours(), Tags::new(["visual", "slow"])))?;
    let c = net.neurons("c", 3, behaviours())?;
    let fired = |net: &mut Neocortex| -> Result<[usize; 3]> {
        net.step()?;
        Ok([net.spikes(a)?.len(), net.spikes(b)?.len(), net.spikes(c)?.len()])
    };
    assert_eq!(fired(&mut net)?, [1, 1, 1]);
    net.switch_off("Kwta", a)?;
    assert_eq!(fired(&mut net)?, [3, 1, 1]);
    net.switch_off("Kwta", Scope::Tagged("slow"))?;
    assert_eq!(fired(&mut net)?, [3, 3, 1]);
    net.switch_off("KWinnersTakeAll", Scope::Everywhere)?;
    assert_eq!(fired(&mut net)?, [3, 3, 3]);
    net.switch_on("Kwta", Scope::Tagged("visual"))?;
    assert_eq!(fired(&mut net)?, [1, 1, 3]);
    net.switch_on("KWinnersTakeAll", c)?;
    assert_eq!(fired(&mut net)?, [1, 1, 1]);
    // Twice off is off, twice on is on.
    for _ in 0..2 {
        net.switch_off("Fire", Scope::Everywhere)?;
    }
    assert_eq!(fired(&mut net)?, [0, 0, 0]);
    for _ in 0..2 {
        net.switch_on("Fire", Scope::Everywhere)?;
    }
    assert_eq!(fired(&mut net)?, [1, 1, 1]);
    Ok(())
}

#[test]
fn names_that_nobody_has_are_refused_with_one_that_is_similar() -> Result<()> {
    let mut net = network()?;
    let a = net.neurons("a", 3, (Lif::default(), Tags::new(["visual"])))?;
    for (name, meant) in [("Kwtta", "Kwta"), ("Lerning", "Learning"), ("Stpd", "Stdp")] {
        let refused = fault(net.switch_off(name, Scope::Everywhere));
        assert!(matches!(&refused, UnknownName { suggestion: Some(s), .. } if s == meant), "{refused}");
    }
    let refused = fault(net.switch_on("Kwta", Scope::Tagged("visaul")));
    assert!(
        matches!(&refused, UnknownName { kind: "tag", suggestion: Some(s), .. } if s == "visual"),
        "{refused}"
    );
    net.remove_group(a)?;
    assert!(matches!(fault(net.switch_off("Lif", a)), NoSuchState { .. }));
    assert!(matches!(fault(net.add(a, Lif::default())), NoSuchState { .. }));
    assert!(matches!(fault(net.remove::<Lif>(a)), NoSuchState { .. }));
    assert!(matches!(fault(net.remove_group(a)), NoSuchState { .. }));
    let b = net.neurons("b", 3, Lif::default())?;
    assert!(matches!(fault(net.remove::<Kwta>(b)), NoSuchState { what, .. } if what == "Kwta"));
    let recorder = net.record_spikes(b)?.recorder();
    assert!(matches!(fault(net.remove_group(recorder)), NoSuchState { .. }), "a recorder is no group");
    Ok(())
}

#[test]
fn what_is_added_again_counts_instead_of_what_was_switched_off() -> Result<()> {
    let mut net = network()?;
    let a = net.neurons("a", 4, (prompt(), InjectedCurrent::new(2.0), Kwta::new(1)))?;
    net.switch_off("Kwta", a)?;
    net.add(a, Kwta::new(3))?;
    net.step()?;
    assert_eq!(net.spikes(a)?.len(), 3);
    net.switch_off("Kwta", a)?;
    net.switch_on("Kwta", a)?;
    net.step()?;
    assert_eq!(net.spikes(a)?.len(), 3);
    // Removing what is off removes it.
    net.switch_off("Kwta", a)?;
    net.remove::<Kwta>(a)?;
    net.switch_on("Kwta", a)?;
    net.step()?;
    assert_eq!(net.spikes(a)?.len(), 4);
    Ok(())
}

#[test]
fn a_neuron_model_is_replaced_by_another_in_either_order() -> Result<()> {
    let fresh = {
        let mut net = network()?;
        net.neurons("a", 4, (Aelif::default(), InjectedCurrent::new(20.0), NeuronAxon::default()))?;
        net.run(40)?;
        net.state(net.find("a")?, "v")?
    };
    for removed_first in [false, true] {
        let mut net = network()?;
        let a = net.neurons("a", 4, (Lif::default(), InjectedCurrent::new(20.0), NeuronAxon::default()))?;
        net.run(10)?;
        if removed_first {
            net.remove::<Lif>(a)?;
            net.add(a, Aelif::default())?;
        } else {
            net.add(a, Aelif::default())?;
            net.remove::<Lif>(a)?;
        }
        net.run(40)?;
        assert_eq!(net.state(a, "v")?, fresh, "it starts as the new model does");
        assert!(net.state(a, "omega").is_ok());
    }
    // Both at once are refused, and nothing runs.
    let mut net = network()?;
    let a = net.neurons("a", 4, Lif::default())?;
    net.run(3)?;
    net.add(a, Elif::default())?;
    assert!(matches!(fault(net.run(1)), SeveralModels { .. }));
    assert_eq!(net.now(), 3.0);
    net.remove::<Elif>(a)?;
    net.run(1)
}

#[test]
fn an_axon_and_a_projection_join_a_running_network() -> Result<()> {
    let mut net = network()?;
    let a = net.neurons("a", 2, (prompt(), InjectedCurrent::new(2.0)))?;
    let b = net.neurons("b", 2, prompt().threshold(1e9))?;
    net.run(5)?;
    net.add(a, NeuronAxon::default())?;
    net.add(b, SimpleDendriteStructure::default())?;
    let projection = net.synapses(a, b, ones())?;
    net.run(2)?;
    assert_eq!(net.state(b, "I")?, [2.0, 2.0]);
    // A longer axon, and delays that need it.
    net.add(a, NeuronAxon::new(3))?;
    net.add(b, SimpleDendriteStructure::new(2))?;
    net.add(projection, DelayInitializer::source(2))?;
    net.run(4)?;
    assert_eq!(net.state(b, "I")?, [2.0, 2.0]);
    net.remove::<InjectedCurrent>(a)?;
    net.step()?;
    assert!(net.spikes(a)?.is_empty());
    // The last spikes left one step before, and are on their way for three.
    net.run(2)?;
    assert_eq!(net.state(b, "I")?, [2.0, 2.0]);
    net.step()?;
    assert_eq!(net.state(b, "I")?, [0.0, 0.0]);
    Ok(())
}

#[test]
fn a_rule_is_replaced_by_another_and_a_kind_of_connectivity_too() -> Result<()> {
    let mut net = network()?;
    let synapses = learning(&mut net, WeightNormalization::new(2.0))?;
    assert!(changes(&mut net, "synapses", "weights")?);
    net.remove::<Stdp>(synapses)?;
    assert!(!changes(&mut net, "synapses", "weights")?);
    net.set_dopamine(Dopamine::new(20.0).initial(1.0));
    net.add(synapses, Rstdp::new(Stdp::new(0.05, 0.02), 10.0))?;
    assert!(changes(&mut net, "synapses", "weights")?);
    net.remove::<Dense>(synapses)?;
    net.add(synapses, One2One)?;
    assert!(changes(&mut net, "synapses", "weights")?);
    assert_eq!(net.weights(synapses)?.shape(), [4]);
    assert!((net.weights(synapses)?.sum() - 2.0).abs() < 1e-4, "what was laid out anew is normalized");
    Ok(())
}

#[test]
fn a_current_is_normalized_by_the_synapses_that_are_there_now() -> Result<()> {
    let mut net = network()?;
    let normed = (ones(), CurrentNormalization::new(6.0));
    let [_, post, synapses] = pair(&mut net, (), prompt().threshold(1e9), normed)?;
    assert_eq!(current(&mut net)?, 6.0);
    net.remove::<Dense>(synapses)?;
    net.add(synapses, One2One)?;
    // All weights of a one-to-one projection share a sum, which is 4.
    current(&mut net)?;
    assert_eq!(net.state(post, "I")?, [1.5; 4]);
    Ok(())
}

#[test]
fn what_is_unsound_after_a_removal_is_an_error_and_nothing_runs() -> Result<()> {
    type Break = fn(&mut Neocortex, [Entity; 3]) -> Result<()>;
    let breaks: [(&str, Break); 9] = [
        ("NeuronAxon", |net, [pre, ..]| net.remove::<NeuronAxon>(pre)),
        ("SimpleDendriteStructure", |net, [_, post, _]| net.remove::<SimpleDendriteStructure>(post)),
        ("Lif", |net, [_, post, _]| net.remove::<Lif>(post)),
        ("Dense", |net, [.., synapses]| net.remove::<Dense>(synapses)),
        ("WeightInitializer", |net, [.., synapses]| net.remove::<WeightInitializer>(synapses)),
        ("Compartment", |net, [.., synapses]| net.remove::<Compartment>(synapses)),
        ("PreTrace", |net, [.., synapses]| net.remove::<PreTrace>(synapses)),
        ("PostTrace", |net, [.., synapses]| net.remove::<PostTrace>(synapses)),
        ("Conductance", |net, [.., synapses]| net.remove::<Conductance>(synapses)),
    ];
    for (name, make_unsound) in breaks {
        let mut net = network()?;
        let rule = (PreTrace::new(9.0), PostTrace::new(9.0), Stdp::default());
        let conductance = (Conductance::new(1.0), MagnesiumBlock::default());
        let groups = pair(&mut net, (), (prompt(), Kwta::new(1)), (ones(), rule, conductance))?;
        net.run(3)?;
        make_unsound(&mut net, groups)?;
        for _ in 0..2 {
            assert!(net.run(1).is_err(), "without {name}");
        }
        assert_eq!(net.now(), 3.0, "without {name}");
        // Without the population that lacks it, all is well.
        net.remove_group(groups[1])?;
        net.remove_group(groups[0])?;
        net.neurons("pre", 1, Lif::default())?;
        net.run(1)?;
    }
    Ok(())
}

#[test]
fn reset_starts_again_with_the_weights_and_thresholds_as_they_are() -> Result<()> {
    let make = |weights: WeightInitializer, threshold: Threshold| -> Result<(Neocortex, [Entity; 3])> {
        let mut net = network()?;
        let post = (
            Aelif::default().tau(4.0),
            InjectedCurrent::new(15.0),
            RefractoryPeriod::new(2.0),
            ActivityBaseHomeostasis::new(1.0, 7, 0.01),
            VoltageBaseHomeostasis::target(-60.0),
        );
        let pre = net.neurons("pre", 4, (Lif::default(), InjectedCurrent::new(1.7), NeuronAxon::new(3)))?;
        let post = net.neurons("post", 4, (axon_and_dendrite(), post))?;
        let rule = (PreTrace::new(9.0), PostTrace::new(9.0), Rstdp::new(Stdp::new(0.02, 0.01), 20.0));
        let course = (DoubleExponentialSynapse::new(2.0, 7.0), Conductance::new(0.0));
        let behaviours = (Dense, weights, Proximal, rule, course, DelayInitializer::source(2));
        let projection = net.synapses(pre, post, behaviours)?;
        net.set_dopamine(Dopamine::new(30.0).initial(0.5));
        net.build()?;
        if threshold != Threshold::default() {
            net.world_mut().entity_mut(post).insert(threshold);
        }
        Ok((net, [pre, post, projection]))
    };
    let (mut net, [_, post, projection]) = make(WeightInitializer::uniform(0.0, 1.0), Threshold::default())?;
    let drawn = net.weights(projection)?;
    // A multiple of the window, so that counting spikes starts alike.
    net.run(70)?;
    let learned = net.weights(projection)?;
    assert!(learned != drawn);
    let threshold = net.get::<Threshold>(post)?.clone();
    net.reset_state();
    net.build()?;
    assert_eq!((net.weights(projection)?, net.get::<Threshold>(post)?), (learned.clone(), &threshold));
    let matrix = learned.into_dimensionality::<ndarray::Ix2>().unwrap_or_default();
    let (mut fresh, _) = make(WeightInitializer::matrix(matrix), threshold)?;
    net.run(49)?;
    fresh.run(49)?;
    assert!(snapshot(&net) == snapshot(&fresh));
    assert_eq!((net.now(), net.dopamine()), (119.0, fresh.dopamine()));
    Ok(())
}

#[test]
fn removing_a_population_removes_its_projections_its_parts_and_theirs() -> Result<()> {
    let mut net = network()?;
    let [pre, post, _] = pair(&mut net, (), prompt(), ones())?;
    let part = net.sub_population("part", post, Selection::Neurons(vec![1, 2]))?;
    net.synapses(pre, part, ones())?;
    net.run(3)?;
    net.remove_group(post)?;
    assert_eq!(net.names().iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["pre"]);
    drive(&mut net, 3)
}
