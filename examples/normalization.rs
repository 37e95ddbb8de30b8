//! What normalization and clipping do to weights and currents: the same learning four times.
//!
//! `cargo run --release --example normalization` lets one input, half of which fires often and half rarely, learn onto
//! the same target by the same rule through four projections: by itself, with `WeightNormalization`, with `WeightClip`,
//! and with `CurrentNormalization`. It draws the sum of a neuron's weights, the largest weight, and the current that the
//! neuron gets.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Curve, Labels, line_plot};
use ndarray::Axis;
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of a millisecond.
    #[arg(long, default_value_t = 2000)]
    steps: u64,
    /// Seed of the weights.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder for the plots.
    #[arg(long, default_value = "conex-out/normalization")]
    out: PathBuf,
}

const INPUTS: u32 = 100;

/// Steps over which currents are averaged, and from one reading of weights to the next.
const EVERY: u64 = 20;

/// Lets each neuron fire with its own chance: 6 % in the first half, 2 % in the second.
fn fire_by_chance(
    clock: Res<Clock>,
    seed: Res<conex::systems::random::Seed>,
    mut inputs: Query<(&Name, &Population, &mut InputSpikes)>,
) {
    for (name, population, mut input) in &mut inputs {
        let mut random = seed.stream("chance", name, clock.iteration);
        let n = population.size() as u32;
        let chance = |i| if i < n / 2 { 0.06 } else { 0.02 };
        let fired: Vec<u32> = (0..n).filter(|i| rand::RngExt::random_bool(&mut random, chance(*i))).collect();
        input.set(&fired);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut net = Neocortex::with(Settings { seed: options.seed, threads: 1, ..Default::default() })?;
    net.add_system(StepSystems::Stimulus, fire_by_chance);
    let ends = || (InputSpikes::default(), NeuronAxon::default());
    let (input, target) =
        (net.neurons("input", INPUTS as usize, ends())?, net.neurons("target", 10, ends())?);
    // More potentiation than depression, so that weights grow where nothing holds them.
    let learning = || {
        let rule = (Stdp::new(0.01, 0.004), PreTrace::new(20.0), PostTrace::new(20.0));
        (Dense, WeightInitializer::uniform(0.0, 0.2), Proximal, rule)
    };
    let projections = [
        ("alone", net.named_synapses("alone", input, target, learning())?),
        (
            "WeightNormalization",
            net.named_synapses("normalized", input, target, (learning(), WeightNormalization::new(10.0)))?,
        ),
        (
            "WeightClip",
            net.named_synapses("clipped", input, target, (learning(), WeightClip::new(0.0, 0.3)))?,
        ),
        (
            "CurrentNormalization",
            net.named_synapses("current", input, target, (learning(), CurrentNormalization::new(10.0)))?,
        ),
    ];

    let mut times = Vec::new();
    let mut curves: [[Vec<f64>; 4]; 3] = Default::default();
    let mut current = [0.0; 4];
    for step in 1..=options.steps {
        net.step()?;
        for (sum, (_, projection)) in current.iter_mut().zip(&projections) {
            *sum += f64::from(net.state(*projection, "I")?[0]) / EVERY as f64;
        }
        if step % EVERY == 0 {
            times.push(net.now());
            let [sums, largest, currents] = &mut curves;
            for (k, (_, projection)) in projections.iter().enumerate() {
                let weights = net.weights(*projection)?;
                sums[k].push(f64::from(weights.sum_axis(Axis(0))[0]));
                largest[k].push(weights.iter().map(|&w| f64::from(w)).fold(0.0, f64::max));
                currents[k].push(std::mem::take(&mut current[k]));
            }
        }
    }

    std::fs::create_dir_all(&options.out)?;
    let plots = [
        ("sums", "Weights of one neuron", "sum of weights"),
        ("largest", "The largest of all weights", "weight"),
        ("currents", "Current of one neuron", "mean current of 20 steps"),
    ];
    for ((file, title, y), values) in plots.into_iter().zip(&curves) {
        let labels = Labels { title, x: "time (ms)", y };
        let of_each: Vec<Curve> =
            projections.iter().zip(values).map(|((label, _), y)| Curve { label, x: &times, y }).collect();
        line_plot(&options.out.join(file).with_extension("svg"), &labels, &of_each, None)?;
    }
    for (k, (label, _)) in projections.iter().enumerate() {
        let last = |values: &[Vec<f64>; 4]| values[k].last().copied().unwrap_or(f64::NAN);
        let [sum, largest, current] = [&curves[0], &curves[1], &curves[2]].map(last);
        println!(
            "{label:>20}: sum of weights {sum:6.2}, largest weight {largest:5.2}, current {current:5.2}"
        );
    }
    println!("the plots are in {}", options.out.display());
    Ok(())
}
