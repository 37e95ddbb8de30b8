//! What each behaviour needs: the table in `docs/dependencies.md`, and the errors that it promises.

use conex::prelude::*;
use conex::systems::Error::{self, *};
use conex::systems::registry::{Behaviour, GroupKind, Need, Place, Registry, Value};
use conex::{Result, describe::dependency_table};
use serde_json::json;
use std::path::Path;

/// The table is made from the code. `CONEX_WRITE_DOCS=1 cargo test dependencies` writes it anew.
#[test]
fn the_table_of_dependencies_in_the_docs_is_that_of_the_code() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/dependencies.md");
    let net = Neocortex::new().unwrap();
    let text = format!(
        "# What behaviours need\n\n\
         Made from the code, by `conex behaviours`. Where something is missing when a network is built, the error names the group, the\n\
         behaviour, what is missing, and what stands in brackets here: what to add.\n\n{}",
        dependency_table(net.world())
    );
    if std::env::var_os("CONEX_WRITE_DOCS").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == text,
        "docs/dependencies.md is behind the code: run this test with CONEX_WRITE_DOCS=1"
    );
}

/// Parameters of those behaviours that have no defaults for all of them.
fn parameters(behaviour: &Behaviour) -> Value {
    match &behaviour.name[..] {
        "Kwta" => json!({"k": 1, "dimension": null}),
        "Lateral" => json!({"kernel": [1, 1, 1]}),
        "PoissonSource" => json!({"rate": 5.0}),
        "Conductance" => json!({"reversal": 0.0}),
        "ExponentialSynapse" | "AlphaSynapse" => json!({"tau": 5.0}),
        "DoubleExponentialSynapse" => json!({"tau_rise": 1.0, "tau_decay": 5.0}),
        "Conv2d" | "Local2d" => json!({"kernel": [1, 1], "stride": [1, 1], "padding": [0, 0]}),
        "PreTrace" | "PostTrace" => json!({"tau_s": 10.0, "spike_scale": 1.0}),
        "ActivityBaseHomeostasis" => {
            json!({"activity_rate": 1.0, "window_size": 10, "updating_rate": 0.1, "decay_rate": 1.0})
        }
        "VoltageBaseHomeostasis" => json!({"max_ta": 1.0, "min_ta": 0.0, "eta_ip": 0.1}),
        "InherentNoise" => json!({"distribution": "Uniform", "scale": 1.0, "offset": 0.0}),
        "NeuronAxon" => json!({"max_delay": 1}),
        "RefractoryPeriod" => json!({"duration": 1.0}),
        "CurrentNormalization" | "WeightNormalization" => json!({"norm": 1.0}),
        "WeightClip" => json!({"w_min": 0.0, "w_max": 1.0}),
        "DelayInitializer" => json!({"source": null, "destination": null}),
        "Compartment" => json!("Proximal"),
        "CurrentCoef" | "InjectedCurrent" => json!(1.0),
        "InputSpikes" | "Tags" => json!([]),
        "Connections" => json!({"rule": "AllToAll"}),
        "SynapticDelays" => json!({"values": {"Drawn": {"Constant": 1.0}}, "limits": null}),
        "Istdp" => json!({"rho": 5.0}),
        "RewardModulated<Istdp>" => json!({"rule": {"rho": 5.0}}),
        name if name == "Rstdp" || name.starts_with("RewardModulated<") => json!({"rule": {}}),
        _ if behaviour.parameters().is_some() => json!({}),
        _ => Value::Null,
    }
}

/// Puts `behaviour` on a group.
fn put(net: &mut Neocortex, group: Entity, behaviour: &Behaviour) {
    let mut entity = net.world_mut().entity_mut(group);
    match &behaviour.name[..] {
        "Stimulus" => {
            let images = Images::new(2, vec![1.0; 2], None).unwrap();
            entity.insert(Stimulus::new(images, SimplePoisson::new(2, 1.0).unwrap()));
        }
        "Fire" => {
            entity.insert(Fire);
        }
        name => {
            let loaded = behaviour.load(&mut entity, parameters(behaviour));
            loaded.unwrap_or_else(|e| panic!("{name} needs parameters here: {e}"));
        }
    }
}

/// Everything that is wrong with a network.
fn faults_of(net: &mut Neocortex) -> Vec<Error> {
    match net.build() {
        Ok(()) => Vec::new(),
        Err(conex::Error::Network(Several(faults))) => faults,
        Err(conex::Error::Network(fault)) => vec![fault],
        Err(other) => panic!("{other}"),
    }
}

fn behaviours() -> Vec<Behaviour> {
    Neocortex::new().unwrap().world().resource::<Registry>().behaviours().to_vec()
}

/// The fault that tells of this need.
fn tells_of(fault: &Error, need: &Need) -> bool {
    match (need.place, fault) {
        (Place::Own, MissingBehaviour { missing, remedy, .. })
        | (Place::Network, MissingInNetwork { missing, remedy, .. }) => {
            (&missing[..], &remedy[..]) == (need.what, need.remedy)
        }
        (Place::Source | Place::Target, MissingAtEnd { role, missing, remedy, .. }) => {
            let here = if need.place == Place::Source { "source" } else { "target" };
            (*role, &missing[..], &remedy[..]) == (here, need.what, need.remedy)
        }
        _ => false,
    }
}

fn is_missing(fault: &Error) -> bool {
    matches!(fault, MissingBehaviour { .. } | MissingAtEnd { .. } | MissingInNetwork { .. })
}

/// A network of a group with `behaviour`, where nothing else is that could meet a need; its target may have neurons, of
/// which more is needed.
fn bare(behaviour: &Behaviour, integrates: bool) -> Result<Neocortex> {
    let mut net = Neocortex::new()?;
    let source = net.neurons("source", 2, ())?;
    let target = net.neurons("target", 2, ())?;
    if integrates {
        net.add(target, Lif::default())?;
    }
    let group = match behaviour.on {
        GroupKind::Projection => net.synapses(source, target, ())?,
        GroupKind::Population | GroupKind::Either => source,
    };
    put(&mut net, group, behaviour);
    Ok(net)
}

#[test]
fn each_missing_need_gives_the_error_that_the_table_promises() -> Result<()> {
    let mut told = 0;
    for behaviour in behaviours() {
        let mut faults = faults_of(&mut bare(&behaviour, false)?);
        faults.extend(faults_of(&mut bare(&behaviour, true)?));
        for need in &behaviour.needs {
            let fault = faults.iter().find(|fault| tells_of(fault, need));
            let fault =
                fault.unwrap_or_else(|| panic!("{}: no `{}` in {faults:?}", behaviour.name, need.what));
            let message = fault.to_string();
            assert!(message.contains(need.remedy) && message.contains(need.what), "{message}");
            told += 1;
        }
    }
    assert!(told > 30, "only {told} needs were looked at");
    Ok(())
}

#[test]
fn where_all_is_there_nothing_is_missing() -> Result<()> {
    for behaviour in behaviours() {
        let mut net = Neocortex::new()?;
        net.set_dopamine(Dopamine::new(20.0));
        let neuron = || (Lif::default(), SimpleDendriteStructure::default(), NeuronAxon::default());
        let (source, target) = (net.neurons("source", 2, neuron())?, net.neurons("target", 2, neuron())?);
        let learning = (PreTrace::new(10.0), PostTrace::new(10.0), WeightInitializer::ones(), Proximal);
        let projection = net.synapses(source, target, (Dense, learning, Conductance::new(0.0)))?;
        let group = if behaviour.on == GroupKind::Projection { projection } else { source };
        // Families allow one member only: that is another error.
        put(&mut net, group, &behaviour);
        let needs = |what: &str| behaviour.needs.iter().any(|need| need.what == what);
        if needs("static synapses") || needs("kind of synapses that a rule draws") || needs("connections") {
            net.world_mut().entity_mut(group).insert((Static::default(), Connections::all_to_all()));
        }
        if needs("neuron model with receptors") {
            net.world_mut().entity_mut(group).insert(LifPscExp::default());
        }
        let missing: Vec<Error> = faults_of(&mut net).into_iter().filter(is_missing).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", behaviour.name);
    }
    Ok(())
}

#[test]
fn a_behaviour_on_the_wrong_kind_of_group_is_told() -> Result<()> {
    for behaviour in behaviours() {
        let mut net = Neocortex::new()?;
        let population = net.neurons("population", 2, ())?;
        let projection = net.named_synapses("projection", population, population, ())?;
        let group = match behaviour.on {
            GroupKind::Population => projection,
            GroupKind::Projection => population,
            GroupKind::Either => continue,
        };
        put(&mut net, group, &behaviour);
        let faults = faults_of(&mut net);
        let wrong = |fault: &Error| matches!(fault, WrongGroup { behaviour: b, .. } if *b == behaviour.name);
        assert!(faults.iter().any(wrong), "{}: {faults:?}", behaviour.name);
    }
    Ok(())
}
