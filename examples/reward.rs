//! Learning by reward alone: a network finds out which of two actions pays.
//!
//! `cargo run --release --example reward` shows one of two cues at a trial. Two groups of neurons compete; the one that
//! fires more is the action. After the first cue the left action pays, after the second the right one; the other costs.
//! Synapses from cues to actions learn by `Rstdp`: spikes leave an eligibility, and dopamine, which follows the payoff
//! some steps later, turns it into weight. Nothing else tells the network what is right.
//!
//! It runs several seeds, and says for each how many of its last trials were right: some learn faster than others. Plots
//! show the mean of all seeds, and dopamine and weights of the first.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Curve, Labels, line_plot};
use conex::systems::random::Seed;
use ndarray::{Array2, Ix2, s};
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of a millisecond for each seed; a trial takes 100.
    #[arg(long, default_value_t = 40_000)]
    steps: u64,
    /// How many seeds to run, from 1 on.
    #[arg(long, default_value_t = 10)]
    seeds: u64,
    /// The folder for the plots.
    #[arg(long, default_value = "conex-out/reward")]
    out: PathBuf,
}

/// Neurons of a cue.
const CUE: usize = 20;

/// Neurons of an action.
const ACTION: usize = 10;

/// Steps in which a cue is shown, until the payoff, and until the next trial.
const SHOWN: u64 = 30;
const WAIT: u64 = 10;
const TRIAL: u64 = 100;

/// Trials over which choices are averaged.
const BLOCK: usize = 20;

/// Which cue is shown now, if any.
#[derive(Resource, Default)]
struct Shown(Option<usize>);

/// Lets the neurons of the cue that is shown fire by chance, on average every tenth step.
fn show_cue(
    clock: Res<Clock>,
    seed: Res<Seed>,
    shown: Res<Shown>,
    mut cues: Query<(&Name, &mut InputSpikes)>,
) {
    let Some(cue) = shown.0 else { return };
    for (name, mut input) in &mut cues {
        let mut random = seed.stream("cue", name, clock.iteration);
        let neurons = cue * CUE..(cue + 1) * CUE;
        let fired: Vec<u32> =
            neurons.filter(|_| rand::RngExt::random_bool(&mut random, 0.1)).map(|i| i as u32).collect();
        input.set(&fired);
    }
}

/// What became of one seed.
struct History {
    /// 1 for each trial that paid, else 0.
    right: Vec<f64>,
    /// Dopamine at each step.
    dopamine: Vec<f64>,
    /// Mean weight from each cue to each action behind each trial.
    weights: Vec<Array2<f64>>,
}

fn learn(seed: u64, steps: u64) -> conex::Result<History> {
    let mut net = Neocortex::with(Settings { seed, threads: 1, ..Default::default() })?;
    net.world_mut().init_resource::<Shown>();
    net.add_system(StepSystems::Stimulus, show_cue);
    net.set_dopamine(Dopamine::new(10.0));
    let cues = net.neurons("cues", 2 * CUE, (InputSpikes::default(), NeuronAxon::default()))?;
    // Noise lets the network try both actions; of those about to fire, few do.
    let neuron = (Lif::default(), InherentNoise::normal(0.0, 0.15), SimpleDendriteStructure::default());
    let actions = net.neurons("actions", 2 * ACTION, (neuron, NeuronAxon::default(), Inhibitory))?;
    // The two groups inhibit each other, so that what fires first wins.
    let rivals =
        Array2::from_shape_fn(
            (2 * ACTION, 2 * ACTION),
            |(i, j)| {
                if i / ACTION == j / ACTION { 0.0 } else { 2.0 }
            },
        );
    net.synapses(actions, actions, (Dense, WeightInitializer::matrix(rivals), Proximal))?;
    let rule = (Rstdp::new(Stdp::new(0.02, 0.005), 40.0), PreTrace::new(20.0), PostTrace::new(20.0));
    let weights = (WeightInitializer::uniform(0.6, 1.0), WeightClip::new(0.0, 2.0));
    let synapses = net.synapses(cues, actions, (Dense, Proximal, rule, weights))?;

    let (counts, dopamine) = (net.count_spikes(actions)?, net.record_dopamine(1)?);
    let mut history = History { right: Vec::new(), dopamine: Vec::new(), weights: Vec::new() };
    for trial in 0..steps.div_ceil(TRIAL) {
        // The order of the cues is no pattern that could be learned.
        let cue =
            usize::from(rand::RngExt::random_bool(&mut Seed(seed).stream("order", "trials", trial), 0.5));
        counts.take();
        net.world_mut().insert_resource(Shown(Some(cue)));
        net.run(SHOWN)?;
        net.world_mut().insert_resource(Shown(None));
        net.run(WAIT)?;
        let fired = counts.take();
        let of_action = |action: usize| fired[action * ACTION..(action + 1) * ACTION].iter().sum::<u32>();
        let (left, right) = (of_action(0), of_action(1));
        // A tie is no action, and neither pays nor costs.
        let payoff = match (left.cmp(&right).is_gt(), left == right) {
            (_, true) => 0.0,
            (chose_left, _) if chose_left == (cue == 0) => 1.0,
            _ => -1.0,
        };
        net.set_payoff(0.02 * payoff)?;
        net.step()?;
        net.set_payoff(0.0)?;
        net.run(TRIAL - SHOWN - WAIT - 1)?;
        history.right.push(f64::from(u8::from(payoff > 0.0)));
        let weights = net.weights(synapses)?;
        let weights = weights.view().into_dimensionality::<Ix2>().map(|w| w.mapv(f64::from));
        let weights = weights.unwrap_or_else(|_| Array2::zeros((2 * CUE, 2 * ACTION)));
        let mean = |(cue, action): (usize, usize)| {
            let block = weights.slice(s![cue * CUE..(cue + 1) * CUE, action * ACTION..(action + 1) * ACTION]);
            block.mean().unwrap_or(f64::NAN)
        };
        history.weights.push(Array2::from_shape_fn((2, 2), mean));
    }
    history.dopamine = dopamine.values();
    Ok(history)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let histories: Vec<History> =
        (1..=options.seeds.max(1)).map(|seed| learn(seed, options.steps)).collect::<Result<_, _>>()?;
    let trials = histories[0].right.len();
    let last = trials.saturating_sub(100);
    for (seed, history) in (1..).zip(&histories) {
        let (before, behind) = (mean(&history.right[..trials.min(BLOCK)]), mean(&history.right[last..]));
        println!(
            "seed {seed}: {:3.0} % of the first {} trials paid, {:3.0} % of the last {}",
            100.0 * before,
            trials.min(BLOCK),
            100.0 * behind,
            trials - last
        );
    }

    std::fs::create_dir_all(&options.out)?;
    let blocks: Vec<Vec<f64>> =
        histories.iter().map(|h| h.right.chunks(BLOCK).map(|block| 100.0 * mean(block)).collect()).collect();
    let x: Vec<f64> = (1..=blocks[0].len()).map(|k| (k * BLOCK) as f64).collect();
    let over_seeds = |of: fn(&[f64]) -> f64| -> Vec<f64> {
        (0..x.len()).map(|k| of(&blocks.iter().map(|b| b[k]).collect::<Vec<_>>())).collect()
    };
    let all = over_seeds(mean);
    let worst = over_seeds(|values| values.iter().copied().fold(f64::INFINITY, f64::min));
    let best = over_seeds(|values| values.iter().copied().fold(0.0, f64::max));
    let chance = vec![50.0; x.len()];
    let curves = [
        Curve { label: "mean of all seeds", x: &x, y: &all },
        Curve { label: "the best seed of each block", x: &x, y: &best },
        Curve { label: "the worst seed of each block", x: &x, y: &worst },
        Curve { label: "chance", x: &x, y: &chance },
    ];
    let labels = Labels { title: "Trials that paid", x: "trial", y: "share of a block of 20 (%)" };
    line_plot(&options.out.join("choices.svg"), &labels, &curves, Some(0.0..100.0))?;

    let first = &histories[0];
    let x: Vec<f64> = (1..=trials).map(|trial| trial as f64).collect();
    let names = ["cue 1 to left (pays)", "cue 1 to right", "cue 2 to left", "cue 2 to right (pays)"];
    let weights: Vec<Vec<f64>> =
        (0..4).map(|k| first.weights.iter().map(|w| w[[k / 2, k % 2]]).collect()).collect();
    let curves: Vec<Curve> = names.iter().zip(&weights).map(|(label, y)| Curve { label, x: &x, y }).collect();
    let labels = Labels { title: "Weights, seed 1", x: "trial", y: "mean weight" };
    line_plot(&options.out.join("weights.svg"), &labels, &curves, None)?;

    // Single trials can be told apart in the first and the last second only.
    let shown = first.dopamine.len().min(2000);
    let time: Vec<f64> = (1..=shown).map(|step| step as f64).collect();
    let curves = [
        Curve { label: "first 2 s", x: &time, y: &first.dopamine[..shown] },
        Curve { label: "last 2 s", x: &time, y: &first.dopamine[first.dopamine.len() - shown..] },
    ];
    let labels = Labels { title: "Dopamine, seed 1", x: "time (ms)", y: "concentration" };
    line_plot(&options.out.join("dopamine.svg"), &labels, &curves, None)?;
    println!("the plots are in {}", options.out.display());
    Ok(())
}
