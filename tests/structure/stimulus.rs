//! Datasets shown to input populations.

use conex::prelude::*;
use conex::systems::random::Stream;
use conex::{Error, Result, systems};

/// Trains written out: instance, step, neurons.
#[derive(Clone)]
struct Script(Vec<Vec<Vec<u32>>>);

impl SpikeDataset for Script {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn shape(&self) -> Grid {
        Grid::new(1, 1, 4)
    }

    fn train(&self, index: usize, _: &mut Stream, train: &mut SpikeTrain) {
        train.clear(self.0[index].len());
        train.steps.clone_from(&self.0[index]);
    }

    fn label(&self, index: usize) -> Option<usize> {
        (index != 1).then_some(index * 10)
    }
}

/// Instances of 2, 1 and 3 steps.
fn script() -> Script {
    Script(vec![vec![vec![0], vec![1, 3]], vec![vec![2]], vec![vec![], vec![3, 1], vec![0]]])
}

fn network(stimulus: Stimulus) -> Result<(Neocortex, Entity)> {
    let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() })?;
    let input = net.neurons("input", 4, stimulus)?;
    Ok((net, input))
}

/// What is seen at one step: spikes, label, presentations begun, whether it is over.
type Seen = (Vec<u32>, Option<usize>, u64, bool);

fn seen(stimulus: Stimulus, steps: usize) -> Result<Vec<Seen>> {
    let (mut net, input) = network(stimulus)?;
    let mut seen = Vec::new();
    for _ in 0..steps {
        net.step()?;
        let shown = net.get::<Presentation>(input)?;
        let (label, begun, finished) = (shown.label(), shown.begun(), shown.is_finished());
        seen.push((net.spikes(input)?.to_vec(), label, begun, finished));
    }
    Ok(seen)
}

#[test]
fn instances_follow_one_another_each_for_its_duration_and_begin_again() -> Result<()> {
    let round = |round: u64| {
        let begun = round * 3;
        [
            (vec![0], Some(0), begun + 1, false),
            (vec![1, 3], Some(0), begun + 1, false),
            (vec![2], None, begun + 2, false),
            (vec![], Some(20), begun + 3, false),
            (vec![1, 3], Some(20), begun + 3, false),
            (vec![0], Some(20), begun + 3, false),
        ]
    };
    assert_eq!(seen(Stimulus::spikes(script()), 18)?, [round(0), round(1), round(2)].concat());
    Ok(())
}

#[test]
fn a_silent_interval_follows_each_instance_and_the_label_stays() -> Result<()> {
    let seen = seen(Stimulus::spikes(script()).silent_interval(2), 13)?;
    let spikes: Vec<&[u32]> = seen.iter().map(|step| &step.0[..]).collect();
    let expected: [&[u32]; 13] =
        [&[0], &[1, 3], &[], &[], &[2], &[], &[], &[], &[1, 3], &[0], &[], &[], &[0]];
    assert_eq!(spikes, expected);
    let labels: Vec<Option<usize>> = seen.iter().map(|step| step.1).collect();
    let (zero, two) = (Some(0), Some(20));
    assert_eq!(labels, [zero, zero, zero, zero, None, None, None, two, two, two, two, two, zero]);
    Ok(())
}

#[test]
fn a_stimulus_that_stops_at_the_end_falls_silent_for_good() -> Result<()> {
    let seen = seen(Stimulus::spikes(script()).silent_interval(1).stop_at_end(), 30)?;
    assert!(seen[..9].iter().all(|(.., finished)| !finished));
    assert_eq!(seen[7].0, [0]);
    assert!(seen[9..].iter().all(|step| *step == (vec![], None, 3, true)), "{:?}", &seen[9..]);
    Ok(())
}

#[test]
fn the_longest_silent_interval_is_silent() -> Result<()> {
    let seen = seen(Stimulus::spikes(script()).silent_interval(usize::MAX), 50)?;
    assert_eq!((seen[0].0.clone(), seen[1].0.clone()), (vec![0], vec![1, 3]));
    assert!(seen[2..].iter().all(|(spikes, _, begun, _)| spikes.is_empty() && *begun == 1));
    Ok(())
}

#[test]
fn instances_without_any_step_take_a_silent_one() -> Result<()> {
    let empty = Script(vec![vec![], vec![vec![1]]]);
    let seen = seen(Stimulus::spikes(empty), 6)?;
    assert!(seen.iter().map(|step| &step.0[..]).eq([&[][..], &[1], &[], &[1], &[], &[1]]));
    Ok(())
}

#[test]
fn the_instance_that_is_shown_counts_round_and_round() -> Result<()> {
    let (mut net, input) = network(Stimulus::spikes(script()))?;
    assert_eq!(net.get::<Presentation>(input)?.instance(3), None);
    let mut shown = Vec::new();
    for _ in 0..8 {
        net.step()?;
        shown.push(net.get::<Presentation>(input)?.instance(3));
    }
    assert_eq!(shown, [0, 0, 1, 2, 2, 2, 0, 0].map(Some));
    assert_eq!(net.get::<Presentation>(input)?.instance(0), None, "of no instances none is shown");
    Ok(())
}

#[test]
fn images_are_shown_for_the_window_of_their_encoder() -> Result<()> {
    let images = Images::new(4, vec![1.0, 0.0, 0.5, 0.0, 0.0, 1.0, 0.0, 0.5], Some(vec![3, 8]))?;
    let stimulus = Stimulus::new(images, Intensity2Latency::new(5)?.threshold(0.1)?);
    let labels = seen(stimulus.clone(), 20)?.into_iter().map(|step| step.1).collect::<Vec<_>>();
    assert_eq!(labels, [[Some(3); 5], [Some(8); 5], [Some(3); 5], [Some(8); 5]].concat());
    let spikes: Vec<Vec<u32>> = seen(stimulus, 10)?.into_iter().map(|step| step.0).collect();
    // The strongest first, the weakest last, the dark ones never.
    assert_eq!((&spikes[0], &spikes[4]), (&vec![0], &vec![2]));
    assert_eq!((&spikes[5], &spikes[9]), (&vec![1], &vec![3]));
    assert_eq!(spikes.concat().len(), 4);
    Ok(())
}

#[test]
fn each_showing_of_an_image_is_drawn_anew() -> Result<()> {
    let images = Images::new(4, vec![0.5; 4], None)?;
    let spikes: Vec<Vec<u32>> = seen(Stimulus::new(images, SimplePoisson::new(20, 1.0)?), 60)?
        .into_iter()
        .map(|step| step.0)
        .collect();
    assert!(spikes[..20] != spikes[20..40] && spikes[20..40] != spikes[40..]);
    let count = spikes.concat().len();
    // 240 draws of probability 1/2: five standard deviations are 39.
    assert!((81..160).contains(&count), "{count} spikes");
    Ok(())
}

#[test]
fn a_stimulus_drives_what_it_projects_on() -> Result<()> {
    let (mut net, input) = network(Stimulus::spikes(script()))?;
    net.world_mut().entity_mut(input).insert(NeuronAxon::default());
    let target = net.neurons("target", 4, (Lif::default(), SimpleDendriteStructure::default()))?;
    net.synapses(input, target, (One2One, WeightInitializer::constant(0.5), Proximal))?;
    net.run(3)?;
    assert_eq!(net.state(target, "I")?, [0.0, 0.5, 0.0, 0.5]);
    net.step()?;
    assert_eq!(net.state(target, "I")?, [0.0, 0.0, 0.5, 0.0]);
    Ok(())
}

#[test]
fn a_train_that_names_a_neuron_beyond_the_population_ends_the_run() -> Result<()> {
    let (mut net, _) = network(Stimulus::spikes(Script(vec![vec![vec![0], vec![4]]])))?;
    net.step()?;
    match net.run(5) {
        Err(Error::Network(systems::Error::InputOutOfRange { population, size: 4, neuron: 4 })) => {
            assert_eq!(population, "input");
        }
        other => panic!("{other:?}"),
    }
    Ok(())
}
