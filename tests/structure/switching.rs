//! Every behaviour, switched off and on.

use super::control::*;
use conex::Result;
use conex::prelude::*;

fn flows(net: &mut Neocortex) -> Result<bool> {
    Ok(current(net)? != 0.0)
}

/// Whether a current is left some steps after all sources fired.
fn lasts(net: &mut Neocortex) -> Result<bool> {
    drive(net, 1)?;
    net.run(4)?;
    Ok(net.state(net.find("post")?, "I")?[0] != 0.0)
}

fn weights(net: &mut Neocortex) -> Result<ndarray::ArrayD<Real>> {
    changes(net, "synapses", "weights")?;
    net.weights(net.find("synapses")?)
}

fn spikes_of_four_steps(net: &mut Neocortex) -> Result<usize> {
    let post = net.find("post")?;
    let mut spikes = 0;
    for _ in 0..4 {
        net.step()?;
        spikes += net.spikes(post)?.len();
    }
    Ok(spikes)
}

/// Adds a network and gives the group with the behaviour.
type Make = fn(&mut Neocortex) -> Result<Entity>;
/// Runs some steps and says whether the behaviour acted.
type Acts = fn(&mut Neocortex) -> Result<bool>;

/// Each behaviour with a network, a sign that it acts, and a state variable that stands still while it is off.
fn cases() -> Vec<(&'static str, &'static str, Make, Acts)> {
    fn driven(net: &mut Neocortex, behaviours: impl Bundle) -> Result<Entity> {
        net.neurons("post", 4, (prompt(), InjectedCurrent::new(2.0), behaviours))
    }
    fn wired(net: &mut Neocortex, synapses: impl Bundle) -> Result<Entity> {
        Ok(pair(net, (), prompt().threshold(1e9), (Proximal, synapses))?[2])
    }
    fn dense(net: &mut Neocortex, synapses: impl Bundle) -> Result<Entity> {
        wired(net, (Dense, WeightInitializer::ones(), synapses))
    }
    fn onto(net: &mut Neocortex, shape: (usize, usize, usize), kind: impl Bundle) -> Result<Entity> {
        let pre = net.neurons("pre", (1, 2, 2), (InputSpikes::default(), NeuronAxon::default()))?;
        let post = net.neurons("post", shape, (Lif::default(), axon_and_dendrite()))?;
        net.synapses(pre, post, (kind, Proximal))
    }
    fn moves(net: &mut Neocortex, variable: &str) -> Result<bool> {
        let post = net.find("post")?;
        let before = net.state(post, variable)?;
        net.run(3)?;
        Ok(net.state(post, variable)? != before)
    }
    vec![
        (
            "InputSpikes",
            "",
            |net| Ok(pair(net, (), prompt(), ones())?[0]),
            |net| {
                drive(net, 1)?;
                Ok(net.spikes(net.find("pre")?)?.len() == 4)
            },
        ),
        (
            "Stimulus",
            "",
            |net| {
                let all = Images::new(4, vec![1.0; 4], None)?;
                net.neurons("post", 4, Stimulus::new(all, SimplePoisson::new(5, 1.0)?))
            },
            |net| Ok(spikes_of_four_steps(net)? > 0),
        ),
        ("NeuronAxon", "", |net| Ok(pair(net, (), prompt(), ones())?[0]), flows),
        ("SimpleDendriteStructure", "", |net| Ok(pair(net, (), prompt(), ones())?[1]), flows),
        ("SimpleDendriteComputation", "", |net| Ok(pair(net, (), prompt(), ones())?[1]), flows),
        (
            "Inhibitory",
            "",
            |net| Ok(pair(net, Inhibitory, prompt(), ones())?[0]),
            |net| Ok(current(net)? < 0.0),
        ),
        ("Compartment", "", |net| dense(net, ()), flows),
        ("Dense", "", |net| dense(net, ()), flows),
        (
            "Sparse",
            "",
            |net| wired(net, (Sparse, WeightInitializer::ones().density(0.8))),
            |net| {
                drive(net, 2)?;
                Ok(net.state(net.find("post")?, "I")?.iter().any(|&i| i != 0.0))
            },
        ),
        (
            "Static",
            "",
            |net| wired(net, (Static::default(), Connections::all_to_all(), WeightInitializer::ones())),
            flows,
        ),
        ("One2One", "", |net| wired(net, (One2One, WeightInitializer::ones())), flows),
        ("Conv2d", "", |net| onto(net, (4, 1, 1), (Conv2d::new(2, 2), WeightInitializer::ones())), flows),
        ("Local2d", "", |net| onto(net, (4, 1, 1), (Local2d::new(2, 2), WeightInitializer::ones())), flows),
        ("AveragePool2d", "", |net| onto(net, (1, 1, 1), AveragePool2d), flows),
        ("MaxPool2d", "", |net| onto(net, (1, 1, 1), MaxPool2d), flows),
        (
            "Lateral",
            "",
            |net| {
                let behaviours = (prompt(), InjectedCurrent::new(2.0), axon_and_dendrite());
                let post = net.neurons("post", (1, 2, 2), behaviours)?;
                net.synapses(post, post, (Lateral::new(1, 1, 1), WeightInitializer::ones(), Proximal))
            },
            |net| {
                net.run(2)?;
                Ok(net.state(net.find("post")?, "I")?[0] != 2.0)
            },
        ),
        (
            "PoissonSource",
            "",
            |net| net.neurons("post", 4, PoissonSource::new(900.0)),
            |net| Ok(spikes_of_four_steps(net)? > 0),
        ),
        (
            "PoissonDrive",
            "",
            |net| {
                // The current of a step is gone at the next.
                let neuron = LifPscExp::default().tau_syn(0.01).threshold(1e9);
                net.neurons("post", 4, (neuron, PoissonDrive::new(1000.0, 50.0, 2.0)))
            },
            |net| {
                net.run(3)?;
                Ok(net.state(net.find("post")?, "I_syn")?.iter().any(|&i| i > 1e-3))
            },
        ),
        (
            "Adaptation",
            "adaptation",
            |net| driven(net, Adaptation::new(0.0, 0.2, 20.0)),
            |net| moves(net, "adaptation"),
        ),
        (
            "AdaptiveThreshold",
            "theta",
            |net| driven(net, AdaptiveThreshold::default()),
            |net| moves(net, "theta"),
        ),
        ("CurrentCoef", "", |net| dense(net, CurrentCoef(3.0)), |net| Ok(current(net)? == 12.0)),
        (
            "CurrentNormalization",
            "",
            |net| dense(net, CurrentNormalization::new(8.0)),
            |net| Ok(current(net)? == 8.0),
        ),
        ("ExponentialSynapse", "g", |net| dense(net, ExponentialSynapse::new(9.0)), lasts),
        ("AlphaSynapse", "x", |net| dense(net, AlphaSynapse::new(9.0)), lasts),
        ("DoubleExponentialSynapse", "x", |net| dense(net, DoubleExponentialSynapse::new(2.0, 9.0)), lasts),
        (
            "Conductance",
            "",
            |net| {
                let slow = Lif::default().tau(1e9).threshold(1e9);
                Ok(pair(net, (), slow, (ones(), Conductance::new(-100.0)))?[2])
            },
            |net| Ok(current(net)? < 0.0),
        ),
        (
            "MagnesiumBlock",
            "",
            |net| {
                let slow = Lif::default().tau(1e9).threshold(1e9);
                let block = (Conductance::new(100.0), MagnesiumBlock::default());
                Ok(pair(net, (), slow, (ones(), block))?[2])
            },
            |net| Ok(current(net)? < 350.0),
        ),
        (
            "InjectedCurrent",
            "",
            |net| driven(net, ()),
            |net| {
                net.step()?;
                Ok(net.state(net.find("post")?, "I")?[0] != 0.0)
            },
        ),
        ("Fire", "", |net| driven(net, ()), |net| Ok(spikes_of_four_steps(net)? > 0)),
        ("Kwta", "", |net| driven(net, Kwta::new(1)), |net| Ok(spikes_of_four_steps(net)? == 4)),
        (
            "InherentNoise",
            "",
            |net| driven(net, (InherentNoise::uniform(-9.0, 9.0), Threshold::default())),
            |net| {
                let post = net.find("post")?;
                net.world_mut().entity_mut(post).insert(Threshold(1e9.into()));
                net.run(3)?;
                Ok(net.state(post, "v")? != [2.0; 4])
            },
        ),
        (
            "RefractoryPeriod",
            "",
            |net| driven(net, RefractoryPeriod::new(5.0)),
            |net| Ok(spikes_of_four_steps(net)? < 16),
        ),
        (
            "VoltageBaseHomeostasis",
            "exhaustion",
            |net| driven(net, VoltageBaseHomeostasis::target(-9.0)),
            |net| {
                let post = net.find("post")?;
                net.world_mut().entity_mut(post).insert(Threshold(1e9.into()));
                net.run(3)?;
                Ok(net.state(post, "v")? != [2.0; 4])
            },
        ),
        (
            "ActivityBaseHomeostasis",
            "activities",
            |net| driven(net, ActivityBaseHomeostasis::new(1.0, 5, 1e-3)),
            |net| {
                let post = net.find("post")?;
                let before = net.state(post, "threshold")?;
                net.run(6)?;
                Ok(net.state(post, "threshold")? != before)
            },
        ),
        ("PreTrace", "pre_trace", |net| learning(net, ()), |net| changes(net, "synapses", "pre_trace")),
        ("PostTrace", "post_trace", |net| learning(net, ()), |net| changes(net, "synapses", "post_trace")),
        (
            "Frozen",
            "",
            |net| learning(net, conex::systems::weights::Frozen),
            |net| Ok(!changes(net, "synapses", "weights")?),
        ),
        (
            "WeightNormalization",
            "",
            |net| learning(net, WeightNormalization::new(3.0)),
            |net| Ok(weights(net)?.sum_axis(ndarray::Axis(0)).iter().all(|sum| (sum - 3.0).abs() < 1e-4)),
        ),
        (
            "WeightClip",
            "",
            |net| learning(net, WeightClip::new(0.45, 0.55)),
            |net| Ok(weights(net)?.iter().all(|w| (0.45..=0.55).contains(w))),
        ),
    ]
}

/// Checks of one behaviour that it acts, is still while it is off, and acts again.
fn check(net: &mut Neocortex, name: &str, state: &str, group: Entity, acts: Acts) -> Result<()> {
    net.run(1)?;
    assert!(acts(net)?, "{name} does not act");
    net.switch_off(name, group)?;
    let frozen = |net: &Neocortex| if state.is_empty() { Ok(Vec::new()) } else { net.state(group, state) };
    let before = frozen(net)?;
    assert!(state.is_empty() || before.iter().any(|x| *x != 0.0), "{name} has no state");
    // What was on its way arrives.
    net.run(1)?;
    assert!(!acts(net)?, "{name} acts though it is off");
    assert_eq!(frozen(net)?, before, "{name} is off and its state moves");
    let described = net.describe().to_string();
    assert!(described.contains(&format!("{name} (switched off)")), "{described}");
    net.switch_on(name, group)?;
    assert_eq!(frozen(net)?, before, "{name} starts afresh");
    assert!(acts(net)?, "{name} does not act again");
    Ok(())
}

#[test]
fn every_behaviour_stops_when_it_is_switched_off_and_goes_on_when_it_is_switched_on() -> Result<()> {
    let mut known: Vec<String> = Vec::new();
    for (name, state, make, acts) in cases() {
        let mut net = network()?;
        let group = make(&mut net)?;
        check(&mut net, name, state, group, acts)?;
        known.push(name.into());
    }
    // Neuron models and rules, whichever there are, with their defaults.
    let registry = network()?.world().resource::<conex::systems::registry::Registry>().behaviours().to_vec();
    for behaviour in &registry {
        let mut net = network()?;
        let name = &behaviour.name;
        match behaviour.stage {
            Some(StepSystems::NeuronDynamics) => {
                let group = net.neurons("post", 4, ())?;
                let loaded = behaviour.load(&mut net.world_mut().entity_mut(group), serde_json::json!({}));
                assert!(loaded.is_ok(), "{name}: {loaded:?}");
                net.add(group, InjectedCurrent::new(0.9))?;
                check(&mut net, name, "", group, |net| {
                    let post = net.find("post")?;
                    let mut moved = false;
                    for _ in 0..5 {
                        let before = net.state(post, "v")?;
                        net.step()?;
                        moved |= net.state(post, "v")? != before;
                    }
                    Ok(moved)
                })?;
            }
            Some(StepSystems::Learning) => {
                net.set_dopamine(Dopamine::new(20.0).initial(1.0));
                net.set_payoff(1.0)?;
                let group = learning(&mut net, ())?;
                net.remove::<Stdp>(group)?;
                let gated = behaviour.parameters().is_some_and(|p| p.contains(&"rule"));
                // It has no target of its own accord.
                let rule = if name.contains("Istdp") {
                    serde_json::json!({ "rho": 5.0 })
                } else {
                    serde_json::json!({})
                };
                let value = if gated { serde_json::json!({ "rule": rule }) } else { rule };
                let loaded = behaviour.load(&mut net.world_mut().entity_mut(group), value);
                assert!(loaded.is_ok(), "{name}: {loaded:?}");
                check(&mut net, name, "", group, |net| changes(net, "synapses", "weights"))?;
            }
            _ => continue,
        }
        known.push(name.clone());
    }
    let untested: Vec<&String> = registry
        .iter()
        .filter(|b| b.stage.is_some())
        .map(|b| &b.name)
        .filter(|name| !known.contains(name))
        .collect();
    assert!(untested.is_empty(), "add a case to `cases` for {untested:?}");
    Ok(())
}
