//! Whatever is added, removed and switched, in whatever order: a network runs, or says why it does not.

use super::control::network;
use conex::Result;
use conex::prelude::*;
use proptest::prelude::*;

type Change = fn(&mut Neocortex, Entity, usize) -> Result<()>;

/// Adds or removes a behaviour; the number varies its parameters.
const CHANGES: &[Change] = &[
    |net, g, k| net.add(g, Lif::default().threshold(k as f64 - 1.0)),
    |net, g, _| net.add(g, Elif::default()),
    |net, g, _| net.add(g, Aelif::default()),
    |net, g, _| net.remove::<Lif>(g),
    |net, g, _| net.remove::<Elif>(g),
    |net, g, _| net.remove::<Aelif>(g),
    |net, g, k| net.add(g, Kwta::new(k)),
    |net, g, k| net.add(g, RefractoryPeriod::new(vec![1.0; k])),
    |net, g, _| net.add(g, RefractoryPeriod::new(3.0)),
    |net, g, _| net.remove::<RefractoryPeriod>(g),
    |net, g, k| net.add(g, InjectedCurrent::new(k as f64)),
    |net, g, _| net.remove::<InjectedCurrent>(g),
    |net, g, _| net.add(g, InherentNoise::uniform(-1.0, 1.0)),
    |net, g, _| net.add(g, VoltageBaseHomeostasis::target(0.5)),
    |net, g, k| net.add(g, ActivityBaseHomeostasis::new(1.0, k as u64, 0.01)),
    |net, g, k| net.add(g, NeuronAxon::new(k)),
    |net, g, _| net.remove::<NeuronAxon>(g),
    |net, g, k| net.add(g, SimpleDendriteStructure::new(k)),
    |net, g, _| net.remove::<SimpleDendriteStructure>(g),
    |net, g, _| net.add(g, Inhibitory),
    |net, g, _| net.remove::<Inhibitory>(g),
    |net, g, _| net.add(g, InputSpikes::default()),
    |net, g, _| net.remove::<InputSpikes>(g),
    |net, g, _| net.add(g, Coordinates::default()),
    |net, g, _| net.remove::<Fire>(g),
    |net, g, _| net.add(g, Fire),
    |net, g, _| net.add(g, Dense),
    |net, g, _| net.add(g, One2One),
    |net, g, _| net.add(g, Sparse),
    |net, g, _| net.add(g, Conv2d::new(1, 1)),
    |net, g, _| net.remove::<Dense>(g),
    |net, g, _| net.remove::<One2One>(g),
    |net, g, _| net.remove::<Sparse>(g),
    |net, g, _| net.remove::<Conv2d>(g),
    |net, g, k| net.add(g, WeightInitializer::constant(k as Real)),
    |net, g, _| net.remove::<WeightInitializer>(g),
    |net, g, _| net.add(g, Proximal),
    |net, g, _| net.add(g, Apical),
    |net, g, _| net.remove::<Compartment>(g),
    |net, g, k| net.add(g, DelayInitializer::source(k)),
    |net, g, k| net.add(g, DelayInitializer::destination(k)),
    |net, g, _| net.remove::<DelayInitializer>(g),
    |net, g, k| net.add(g, PreTrace::new(k as Real)),
    |net, g, k| net.add(g, PostTrace::new(k as Real)),
    |net, g, _| net.remove::<PreTrace>(g),
    |net, g, _| net.add(g, Stdp::default()),
    |net, g, _| net.add(g, Rstdp::new(Stdp::default(), 9.0)),
    |net, g, _| net.remove::<Stdp>(g),
    |net, g, _| net.remove::<Rstdp>(g),
    |net, g, k| net.add(g, ExponentialSynapse::new(k as Real)),
    |net, g, k| net.add(g, AlphaSynapse::new(k as Real)),
    |net, g, k| net.add(g, DoubleExponentialSynapse::new(2.0, k as Real)),
    |net, g, _| net.remove::<ExponentialSynapse>(g),
    |net, g, _| net.remove::<AlphaSynapse>(g),
    |net, g, _| net.remove::<DoubleExponentialSynapse>(g),
    |net, g, _| net.add(g, Conductance::new(-1.0)),
    |net, g, _| net.remove::<Conductance>(g),
    |net, g, _| net.add(g, MagnesiumBlock::default()),
    |net, g, _| net.remove::<MagnesiumBlock>(g),
    |net, g, _| net.add(g, WeightNormalization::new(2.0)),
    |net, g, _| net.add(g, CurrentNormalization::new(2.0)),
    |net, g, _| net.add(g, WeightClip::new(0.1, 0.9)),
    |net, g, _| net.remove::<WeightNormalization>(g),
    |net, g, _| net.remove::<CurrentCoef>(g),
];

#[derive(Clone, Debug)]
enum Act {
    Change(usize, usize, usize),
    Switch(usize, usize, bool),
    Project(usize, usize),
    Part(usize, u32),
    RemoveGroup(usize),
    Reset,
    Run(u64),
}

fn acts() -> impl Strategy<Value = Act> {
    let group = 0..20_usize;
    prop_oneof![
        8 => (group.clone(), 0..CHANGES.len(), 0..6_usize).prop_map(|(g, c, k)| Act::Change(g, c, k)),
        3 => (group.clone(), 0..200_usize, any::<bool>()).prop_map(|(g, b, on)| Act::Switch(g, b, on)),
        1 => (group.clone(), group.clone()).prop_map(|(a, b)| Act::Project(a, b)),
        1 => (group.clone(), 0..4_u32).prop_map(|(g, j)| Act::Part(g, j)),
        1 => group.prop_map(Act::RemoveGroup),
        1 => Just(Act::Reset),
        6 => (1..6_u64).prop_map(Act::Run),
    ]
}

/// A network in which most of what is added has something to do.
fn start() -> Result<Neocortex> {
    let mut net = network()?;
    let ends = || (NeuronAxon::new(3), SimpleDendriteStructure::new(3));
    let a = net.neurons("a", 4, (Lif::default(), InjectedCurrent::new(2.0), ends()))?;
    let b = net.neurons("b", 4, (Lif::default(), ends()))?;
    let part = net.sub_population("part", b, Selection::Neurons(vec![0, 1, 2]))?;
    let rule = (PreTrace::new(9.0), PostTrace::new(9.0), Stdp::default());
    let kinetics = (ExponentialSynapse::new(4.0), Conductance::new(3.0));
    net.synapses(a, b, (Dense, WeightInitializer::ones(), Proximal, rule, CurrentNormalization::new(1.0)))?;
    net.synapses(
        a,
        part,
        (Dense, WeightInitializer::ones(), Proximal, kinetics, DelayInitializer::destination(2)),
    )?;
    net.synapses(part, a, (Dense, WeightInitializer::ones(), Distal))?;
    net.run(5)?;
    Ok(net)
}

/// Does one thing after the other. Each may be refused, and so may the network: another takes its place then, so that
/// what follows changes one that runs. One that is refused must not have run.
fn live(life: &[Act]) -> Result<()> {
    let mut net = start()?;
    let behaviours: Vec<String> = net
        .world()
        .resource::<conex::systems::registry::Registry>()
        .behaviours()
        .iter()
        .map(|b| b.name.clone())
        .collect();
    for (k, act) in life.iter().enumerate() {
        let groups: Vec<Entity> = net.names().into_iter().map(|(group, _)| group).collect();
        let Some(of) = (!groups.is_empty()).then_some(|g: usize| groups[g % groups.len()]) else {
            return Ok(());
        };
        let _ = match *act {
            Act::Change(g, c, k) => CHANGES[c](&mut net, of(g), k),
            Act::Switch(g, b, true) => net.switch_on(&behaviours[b % behaviours.len()], of(g)),
            Act::Switch(g, b, false) => net.switch_off(&behaviours[b % behaviours.len()], of(g)),
            Act::Project(a, b) => {
                net.synapses(of(a), of(b), (Dense, WeightInitializer::ones(), Proximal)).map(drop)
            }
            Act::Part(g, j) => {
                net.sub_population(&format!("part {k}"), of(g), Selection::Neurons(vec![j])).map(drop)
            }
            Act::RemoveGroup(g) => net.remove_group(of(g)),
            Act::Reset => {
                net.reset_state();
                Ok(())
            }
            Act::Run(steps) => {
                let (unsound, before) = (net.build().is_err(), net.now());
                let refused = net.run(steps).is_err();
                assert!(!unsound || (refused && net.now() == before), "it ran though it is unsound");
                if refused {
                    net = start()?;
                }
                Ok(())
            }
        };
        let _ = net.describe().to_string();
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_network_that_is_changed_at_random_runs_or_says_why_not(life in prop::collection::vec(acts(), 1..40)) {
        live(&life).map_err(|e| TestCaseError::fail(e.to_string()))?;
    }
}
