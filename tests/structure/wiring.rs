//! Structures, ports and what joins them: any legal wiring builds, any other is refused with its way drawn.

use conex::prelude::*;
use conex::structure::StructureBuilder;
use conex::{Error, Result};
use proptest::prelude::*;
use std::collections::BTreeMap;

const LABELS: [&str; 3] = ["a", "b", "c"];

/// A structure of a random network. Its parent is one of those before it.
#[derive(Clone, Debug)]
struct Box_ {
    parent: Option<usize>,
    populations: usize,
    /// For each direction and label, which of the things inside are behind it: one bit each.
    ports: Vec<(Direction, usize, u16)>,
}

/// An end of a synapsis: a structure or a population of it, and a label, if it names one.
type End = (usize, Option<usize>, Option<usize>);

fn boxes() -> impl Strategy<Value = Vec<Box_>> {
    let direction = prop_oneof![Just(Direction::Input), Just(Direction::Output)];
    let port = (direction, 0..LABELS.len(), 1u16..8);
    let one = (any::<Option<prop::sample::Index>>(), 0usize..3, prop::collection::vec(port, 0..5));
    prop::collection::vec(one, 1..6).prop_map(|all| {
        let parent = |k: usize, at: Option<prop::sample::Index>| at.filter(|_| k > 0).map(|at| at.index(k));
        all.into_iter()
            .enumerate()
            .map(|(k, (at, populations, ports))| Box_ { parent: parent(k, at), populations, ports })
            .collect()
    })
}

fn ends() -> impl Strategy<Value = Vec<(End, End)>> {
    let end = || (0usize..6, prop::option::weighted(0.2, 0usize..3), prop::option::weighted(0.8, 0usize..4));
    prop::collection::vec((end(), end()), 0..4)
}

fn path(boxes: &[Box_], k: usize) -> String {
    match boxes[k].parent {
        Some(parent) => format!("{}/s{k}", path(boxes, parent)),
        None => format!("s{k}"),
    }
}

fn neuron(tau: f64) -> impl Bundle {
    (Lif::default().tau(tau), SimpleDendriteStructure::default(), NeuronAxon::default())
}

/// The populations behind each port, by structure, direction and label.
type Behind = BTreeMap<(usize, bool, usize), Vec<String>>;

/// Builds the structures with those ports that lead somewhere, and says what is behind each.
fn build_boxes(net: &mut Neocortex, boxes: &[Box_], tau: f64) -> Result<Behind> {
    for (k, this) in boxes.iter().enumerate() {
        let name = path(boxes, k);
        let populations = |builder: StructureBuilder<'_, _>| -> Result<Entity> {
            (0..this.populations)
                .fold(builder, |b, p| b.population(&format!("p{p}"), 2 + p, neuron(tau)))
                .build()
        };
        populations(net.container(&name))?;
    }
    let mut behind = Behind::new();
    for k in (0..boxes.len()).rev() {
        let structure = net.find(&path(boxes, k))?;
        for &(direction, label, picks) in &boxes[k].ports {
            let input = direction == Direction::Input;
            let own = (0..boxes[k].populations).map(|p| (format!("p{p}"), None));
            let children = (k + 1..boxes.len()).filter(|&c| boxes[c].parent == Some(k));
            let nested = children.flat_map(|c| (0..LABELS.len()).map(move |l| (c, l)));
            let nested = nested.filter(|&(c, l)| behind.contains_key(&(c, input, l)));
            let inner: Vec<_> = own.chain(nested.map(|(c, l)| (format!("s{c}"), Some((c, l))))).collect();
            for (_, (name, nested)) in (0u32..).zip(inner).filter(|(bit, _)| picks & (1 << bit) != 0) {
                let of = net.find(&format!("{}/{name}", path(boxes, k)))?;
                let more = match nested {
                    Some((c, l)) => {
                        net.open_port(structure, direction, LABELS[label], (of, LABELS[l]), ())?;
                        behind[&(c, input, l)].clone()
                    }
                    None => {
                        net.open_port(structure, direction, LABELS[label], of, CurrentCoef(0.5))?;
                        vec![net.name_of(of)]
                    }
                };
                behind.entry((k, input, label)).or_default().extend(more);
            }
        }
    }
    Ok(behind)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_legal_wiring_builds_and_comes_back_from_its_blueprint_and_any_other_is_refused(
        boxes in boxes(), ends in ends(), tau in 1.0f64..100.0,
    ) {
        let fail = |e: Error| TestCaseError::fail(e.to_string());
        let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() }).map_err(fail)?;
        let behind = build_boxes(&mut net, &boxes, tau).map_err(fail)?;
        let mut pairs = 0;
        let mut legal = true;
        for (source, target) in &ends {
            let end = |(k, population, label): End, input: bool| -> (Option<usize>, Entity, Option<usize>) {
                let k = k % boxes.len();
                let population = population.filter(|_| boxes[k].populations > 0).map(|p| p % boxes[k].populations);
                match population {
                    Some(p) => {
                        let of = net.find(&format!("{}/p{p}", path(&boxes, k))).expect("it was built");
                        (label.is_none().then_some(1), of, label)
                    }
                    None => {
                        let of = net.find(&path(&boxes, k)).expect("it was built");
                        let found = label.and_then(|l| behind.get(&(k, input, l)));
                        (found.map(Vec::len), of, label)
                    }
                }
            };
            let (source, target) = (end(*source, false), end(*target, true));
            legal &= source.0.is_some() && target.0.is_some();
            pairs += source.0.unwrap_or(0) * target.0.unwrap_or(0);
            let endpoint = |of: Entity, label: Option<usize>| {
                let port = label.map(|l| LABELS.get(l).copied().unwrap_or("nowhere").to_string());
                conex::structure::Endpoint { of, port }
            };
            let kind = (Dense, WeightInitializer::uniform(0.0, 1.0), Proximal);
            net.synapsis(endpoint(source.1, source.2), endpoint(target.1, target.2), kind).map_err(fail)?;
        }
        let before = net.save_network().map_err(fail)?;
        match net.build() {
            Ok(()) => prop_assert!(legal, "it was built in spite of ports that lead nowhere"),
            Err(Error::Network(error)) => {
                let text = error.to_string();
                prop_assert!(!legal, "{}", text);
                prop_assert!(text.contains("finds no way"), "{}", text);
                return Ok(());
            }
            Err(other) => return Err(fail(other)),
        }
        prop_assert_eq!(net.describe().projections.len(), pairs);
        net.run(3).map_err(fail)?;

        // What is built reads as what was described, and what is read as what was written.
        let blueprint = net.save_network().map_err(fail)?;
        prop_assert_eq!(&blueprint, &before);
        for text in [Blueprint::from_ron(&blueprint.to_ron().unwrap()), Blueprint::from_json(&blueprint.to_json().unwrap())] {
            prop_assert_eq!(text.as_ref(), Ok(&blueprint));
        }
        let mut twin = Neocortex::from_blueprint(&blueprint, |_| {}).map_err(fail)?;
        twin.build().map_err(fail)?;
        let again = twin.save_network().map_err(fail)?;
        prop_assert_eq!(again.to_ron(), blueprint.to_ron());
        prop_assert_eq!(twin.describe().projections.len(), pairs);
    }

    #[test]
    fn a_parameter_comes_back_from_a_file_as_it_was(
        tau in prop::collection::vec(prop::num::f64::POSITIVE | prop::num::f64::NORMAL, 3),
        threshold in any::<f32>().prop_filter("finite", |x| x.is_finite()), max_delay in 1usize..9, density in 0.0f64..1.0,
    ) {
        // As the engine's number: anything finite above 0.
        let tau: Vec<Real> = tau.into_iter().map(|x| (x as Real).abs().clamp(1e-30, 1e30)).collect();
        let mut net = Neocortex::new().unwrap();
        let lif = Lif::default().tau(tau).threshold(threshold as Real);
        let layer = net
            .layer("layer")
            .population("exc", 3, (lif.clone(), NeuronAxon::new(max_delay), SimpleDendriteStructure::default()))
            .synapses("exc", "exc", (Sparse, WeightInitializer::normal(0.1, 0.3).density(density), Distal))
            .build()
            .unwrap();
        let saved = net.save(layer).unwrap();
        for text in [Blueprint::from_ron(&saved.to_ron().unwrap()), Blueprint::from_json(&saved.to_json().unwrap())] {
            let mut other = Neocortex::new().unwrap();
            other.load("copy", &text.unwrap()).unwrap();
            prop_assert_eq!(other.get::<Lif>(other.find("copy/exc").unwrap()).unwrap(), &lif);
            let weights = other.get::<WeightInitializer>(other.find("copy/exc -> exc").unwrap()).unwrap();
            prop_assert_eq!(weights.density_or_one(), density);
        }
    }
}

fn dense(strength: Real) -> impl Bundle {
    (Dense, WeightInitializer::uniform(0.0, 1.0), Proximal, CurrentCoef(strength))
}

/// A layer with ports.
fn layer(net: &mut Neocortex, name: &str) -> Result<Entity> {
    net.cortical_layer(name)
        .excitatory(4, neuron(10.0))
        .inhibitory(2, neuron(10.0))
        .synapses("exc", "inh", dense(0.1))
        .synapses("inh", "exc", dense(0.2))
        .input("input", "exc", ())
        .output("output", "exc", ())
        .build()
}

#[track_caller]
fn refused<T>(result: Result<T>, parts: &[&str]) {
    let Err(error) = result else { panic!("it was accepted") };
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "`{message}` does not say `{part}`");
    }
}

#[test]
fn of_behaviours_on_the_way_the_one_nearest_to_the_connection_counts() -> Result<()> {
    let strength = |own: Option<Real>, target: Option<Real>| -> Result<Real> {
        let mut net = Neocortex::new()?;
        let (l4, l5) = (layer(&mut net, "L4")?, layer(&mut net, "L5")?);
        let column = net.cortical_column("V1").build()?;
        let inner = net
            .cortical_layer("V1/L2")
            .excitatory(3, neuron(9.0))
            .output("up", "exc", CurrentCoef(2.0))
            .build()?;
        net.open_port(column, Direction::Output, "up", (inner, "up"), CurrentCoef(3.0))?;
        if let Some(target) = target {
            let exc = net.find("L5/exc")?;
            net.open_port(l5, Direction::Input, "strong", exc, CurrentCoef(target))?;
        }
        let port = if target.is_some() { "strong" } else { "input" };
        let synapsis =
            net.synapsis((column, "up"), (l5, port), (Dense, WeightInitializer::ones(), Proximal))?;
        if let Some(own) = own {
            net.world_mut().entity_mut(synapsis).insert(CurrentCoef(own));
        }
        net.build()?;
        assert!(net.world().get::<ChildOf>(l4).is_none());
        let made = net.describe().projections.into_iter().find(|p| p.synapsis.is_some());
        let made = net.find(&made.map(|p| p.name).unwrap_or_default())?;
        Ok(net.get::<CurrentCoef>(made)?.0)
    };
    assert_eq!(strength(None, None)?, 3.0);
    assert_eq!(strength(None, Some(5.0))?, 5.0);
    assert_eq!(strength(Some(7.0), Some(5.0))?, 7.0);
    Ok(())
}

#[test]
fn a_wrong_port_is_told_with_the_way_to_it() -> Result<()> {
    let mut net = Neocortex::new()?;
    let column = net.cortical_column("V1").build()?;
    let l4 = layer(&mut net, "V1/L4")?;
    let l5 = layer(&mut net, "L5")?;
    net.open_port(column, Direction::Output, "up", (l4, "outptu"), ())?;
    net.synapsis((column, "up"), (l5, "input"), dense(1.0))?;
    let way = [
        "`V1.up -> L5.input`",
        "from its source",
        "`V1` ─[up]→ `V1/L4` ─[outptu]→ ?",
        "did you mean `output`?",
    ];
    refused(net.build(), &way);
    Ok(())
}

#[test]
fn a_synapsis_is_removed_with_its_projections() -> Result<()> {
    let mut net = Neocortex::new()?;
    let (l4, l5) = (layer(&mut net, "L4")?, layer(&mut net, "L5")?);
    let synapsis = net.synapsis((l4, "output"), (l5, "input"), dense(1.0))?;
    net.run(2)?;
    assert_eq!(net.describe().projections.len(), 5);
    net.remove_group(synapsis)?;
    net.run(2)?;
    assert_eq!(net.describe().projections.len(), 4);
    net.remove_group(l5)?;
    net.run(2)?;
    assert_eq!(net.describe().populations.len(), 2, "what was in the layer went with it");
    Ok(())
}

#[test]
fn a_structure_that_is_not_what_its_kind_asks_for_is_refused_and_leaves_nothing() -> Result<()> {
    let mut net = Neocortex::new()?;
    let l4 = layer(&mut net, "L4")?;
    let before = net.describe();
    refused(
        net.cortical_layer("L5").inhibitory(3, neuron(5.0)).build(),
        &["cortical layer `L5`", ".excitatory(..)"],
    );
    refused(net.input_layer("retina").build(), &["input layer `retina`", ".sensory(..)"]);
    refused(net.output_layer("hand").build(), &["output layer `hand`", ".motor(..)"]);
    refused(net.layer("L4").build(), &["`L4`", "already"]);
    refused(net.layer("L6").population("exc", 0, ()).build(), &["`L6/exc`", "no neurons"]);
    refused(net.layer("L6").population("exc", 2, ()).synapses("exc", "inh", ()).build(), &["`L6/inh`"]);
    refused(net.layer("L6").population("exc", 2, ()).input("in", "inh", ()).build(), &["`L6/inh`"]);
    let exc = net.find("L4/exc")?;
    refused(net.connect_layers("up", l4, exc).build(), &["`up`", "`L4/exc` is no layer"]);
    refused(net.open_port(exc, Direction::Input, "in", exc, ()), &["`L4/exc`", "no structure"]);
    let other = net.container("other").build()?;
    refused(net.open_port(other, Direction::Input, "in", exc, ()), &["`other`", "`L4/exc`", "not inside"]);
    net.remove_group(other)?;
    assert_eq!(net.describe(), before);
    Ok(())
}

#[test]
fn a_connection_is_made_again_between_other_layers() -> Result<()> {
    let mut net = Neocortex::new()?;
    let (l4, l2, l5) = (layer(&mut net, "L4")?, layer(&mut net, "L2")?, layer(&mut net, "L5")?);
    let up = net.connect_layers("L4 to L2", l4, l2).synapses("exc", "inh", dense(0.4)).build()?;
    net.replicate_between(up, "L2 to L5", l2, l5)?;
    let again = net.find("L2 to L5/exc -> inh")?;
    assert_eq!(net.get::<Presynaptic>(again)?.0, net.find("L2/exc")?);
    assert_eq!(net.get::<Postsynaptic>(again)?.0, net.find("L5/inh")?);
    assert_eq!(net.get::<CurrentCoef>(again)?.0, 0.4);
    let saved = net.save(up)?;
    refused(net.load_between("odd", &net.save(l4)?, l2, l5), &["`odd`", "no connection"]);
    assert_eq!(saved.between, Some(("L4".into(), "L2".into())));
    net.run(5)
}

#[test]
fn data_that_cannot_be_saved_are_copied_and_told_of() -> Result<()> {
    let mut net = Neocortex::new()?;
    let images = Images::new(4, vec![1.0; 8], None)?;
    let retina =
        net.input_layer("retina").sensory(Stimulus::new(images, SimplePoisson::new(5, 1.0)?)).build()?;
    let saved = net.save(retina)?;
    assert_eq!(saved.populations[0].left_out, ["Stimulus"]);
    net.replicate(retina, "again")?;
    net.run(3)?;
    assert_eq!(net.spikes(net.find("again/sensory")?)?, [0, 1, 2, 3]);
    Ok(())
}

#[test]
fn what_is_unknown_in_a_blueprint_is_an_error_that_suggests_and_leaves_nothing() -> Result<()> {
    let mut net = Neocortex::new()?;
    let l4 = layer(&mut net, "L4")?;
    let saved = net.save(l4)?;
    let before = net.describe();
    let mut edited = |edit: &dyn Fn(&mut Blueprint), parts: &[&str]| {
        let mut blueprint = saved.clone();
        edit(&mut blueprint);
        refused(net.load("copy", &blueprint), parts);
        assert_eq!(net.describe(), before);
    };
    edited(
        &|b| drop(b.populations[0].behaviours.insert("Liff".into(), Default::default())),
        &["`copy/exc`", "did you mean `Lif`?"],
    );
    edited(
        &|b| b.populations[0].behaviours["Lif"]["tua"] = 3.into(),
        &["`copy/exc`", "no parameter `tua`", "did you mean `tau`?"],
    );
    edited(&|b| b.populations[0].behaviours["Lif"]["tau"] = "long".into(), &["`copy/exc`", "Lif"]);
    edited(&|b| b.projections[0].source = "exx".into(), &["`exx`", "did you mean `exc`?"]);
    edited(&|b| b.ports[0].gates[0].inner.of = "exx".into(), &["`exx`", "did you mean `exc`?"]);
    edited(&|b| b.populations[1].name = "exc".into(), &["`copy/exc`", "already"]);
    edited(&|b| b.populations[1].shape = 0.into(), &["no neurons"]);

    let mut editor = saved.clone();
    refused(editor.population("exz"), &["did you mean `exc`?"]);
    refused(editor.projection("exc -> ihn"), &["did you mean `exc -> inh`?"]);
    refused(editor.population("exc")?.set_parameter("Lif", "taw", 2.0), &["did you mean `tau`?"]);
    refused(editor.population("exc")?.set_parameter("Liv", "tau", 2.0), &["did you mean `Lif`?"]);
    refused(editor.population("exc")?.remove("NeuronAxn"), &["did you mean `NeuronAxon`?"]);
    editor.population("exc")?.set_parameter("Lif", "tau", 33.0)?.remove("NeuronAxon")?.set(&Kwta::new(2))?;
    let copy = net.load("copy", &editor)?;
    assert!(net.world().get::<Structure>(copy).is_some());
    let exc = net.find("copy/exc")?;
    assert_eq!((net.get::<Lif>(exc)?.tau.get(0), net.get::<Kwta>(exc)?.k), (33.0, 2));
    assert!(net.get::<NeuronAxon>(exc).is_err());
    Ok(())
}

#[test]
fn files_that_are_no_structures_are_refused() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let mut net = Neocortex::new()?;
    let l4 = layer(&mut net, "L4")?;
    let saved = net.save(l4)?;
    for name in ["layer.ron", "layer.json"] {
        let path = folder.path().join(name);
        saved.write(&path)?;
        assert_eq!(Blueprint::read(&path)?, saved);
        let once = std::fs::read(&path).unwrap();
        Blueprint::read(&path)?.write(&path)?;
        assert_eq!(std::fs::read(&path).unwrap(), once);
        let cut = file(&format!("cut_{name}"), &String::from_utf8_lossy(&once[..once.len() / 2]));
        refused(Blueprint::read(&cut), &["cut_"]);
    }
    refused(saved.write(folder.path().join("layer.txt")), &["layer.txt", ".ron or .json"]);
    refused(Blueprint::read(folder.path().join("none.ron")), &["none.ron", "cannot be read"]);
    refused(
        Blueprint::read(file(
            "odd.json",
            "{\"conex_structure\": 9, \"structure\": {\"name\": \"x\", \"kind\": \"Layer\"}}",
        )),
        &["version 9", "version 1"],
    );
    refused(
        Blueprint::read(file(
            "kind.json",
            "{\"conex_structure\": 1, \"structure\": {\"name\": \"x\", \"kind\": \"Lair\"}}",
        )),
        &["Lair", "Layer"],
    );
    refused(
        Blueprint::read(file(
            "key.ron",
            "(conex_structure: 1, structure: (name: \"x\", kind: Layer, pops: []))",
        )),
        &["pops"],
    );
    Ok(())
}

#[test]
fn a_part_of_a_population_is_saved_with_it() -> Result<()> {
    let mut net = Neocortex::new()?;
    let l4 = layer(&mut net, "L4")?;
    let exc = net.find("L4/exc")?;
    let part = net.sub_population("L4/left", exc, Selection::Neurons(vec![0, 2]))?;
    net.synapses(part, exc, dense(0.3))?;
    net.build()?;
    let saved = net.save(l4)?;
    let copy = net.load("L5", &saved)?;
    net.build()?;
    assert_eq!(net.get::<SubPopulation>(net.find("L5/left")?)?.neurons, [0, 2]);
    assert_eq!(Blueprint { name: "L4".into(), ..net.save(copy)? }, saved);
    Ok(())
}

#[test]
fn what_cannot_be_saved_is_told() -> Result<()> {
    let mut net = Neocortex::new()?;
    let l4 = layer(&mut net, "L4")?;
    let l5 = layer(&mut net, "L5")?;
    let exc = net.find("L4/exc")?;
    refused(net.save(exc), &["`L4/exc`", "no structure"]);
    net.switch_off("Lif", exc)?;
    refused(net.save(l4), &["`L4/exc`", "switched off"]);
    net.switch_on("Lif", exc)?;
    let outside = net.named_synapses("L4/away", exc, net.find("L5/exc")?, dense(1.0))?;
    refused(net.save(l4), &["`L4/away`", "`L5/exc`", "outside"]);
    net.remove_group(outside)?;
    net.save(l4)?;
    net.save(l5)?;
    Ok(())
}
