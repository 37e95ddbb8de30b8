//! How often pairs of spikes come decides what they do to a weight: the triplet rule against the pair rule.
//!
//! `cargo run --release --example triplet_frequency` pairs a source and a target sixty times, at frequencies from 1 to
//! 50 pairs a second and with the source 10 ms ahead or behind, and draws the change of the weight over the frequency.
//! Each frequency is a network of its own, as each is an experiment of its own.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Curve, Labels, line_plot};
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of a millisecond that an experiment lasts at most; sixty pairs at 1 a second take 60,000.
    #[arg(long, default_value_t = 60_000)]
    steps: u64,
    /// The folder for the plot.
    #[arg(long, default_value = "conex-out/triplet_frequency")]
    out: PathBuf,
}

const PAIRS: u64 = 60;

/// Milliseconds from one pair to the next.
const PERIODS: [u64; 9] = [1000, 500, 200, 100, 67, 50, 33, 25, 20];

/// Milliseconds between the spikes of a pair.
const LAG: u64 = 10;

/// The change of a weight of 0.5 by the pairs that come within `steps`.
fn change(rule: impl Bundle, period: u64, source_first: bool, steps: u64) -> conex::Result<f64> {
    let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() })?;
    let ends = || (InputSpikes::default(), NeuronAxon::default());
    let (pre, post) = (net.neurons("pre", 1, ends())?, net.neurons("post", 1, ends())?);
    let behaviours = (One2One, WeightInitializer::constant(0.5), Proximal, rule);
    let synapse = net.synapses(pre, post, (behaviours, PreTrace::new(16.8), PostTrace::new(33.7)))?;
    net.build()?;
    let (first, second) = if source_first { (pre, post) } else { (post, pre) };
    for step in 0..(PAIRS * period).min(steps) {
        net.set_input(first, if step % period == 0 { &[0] } else { &[] })?;
        net.set_input(second, if step % period == LAG { &[0] } else { &[] })?;
        net.step()?;
    }
    Ok(f64::from(net.weights(synapse)?.sum()) - 0.5)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let frequencies = PERIODS.map(|period| 1000.0 / period as f64);
    let triplet = TripletStdp::visual_cortex();
    // A pair rule of about the same amplitudes.
    let pair = Stdp::new(triplet.a2_minus, triplet.a2_minus);
    let over_frequency = |of_triplets: bool, source_first: bool| -> conex::Result<Vec<f64>> {
        let change = |period| match of_triplets {
            true => change(triplet, period, source_first, options.steps),
            false => change(pair, period, source_first, options.steps),
        };
        PERIODS.into_iter().map(change).collect()
    };
    let changes = [
        ("triplets, source 10 ms ahead", over_frequency(true, true)?),
        ("triplets, source 10 ms behind", over_frequency(true, false)?),
        ("pairs, source 10 ms ahead", over_frequency(false, true)?),
        ("pairs, source 10 ms behind", over_frequency(false, false)?),
    ];
    for (label, changes) in &changes {
        println!("{label}: {:+.3} at 1 pair/s, {:+.3} at 50 pairs/s", changes[0], changes[PERIODS.len() - 1]);
    }
    std::fs::create_dir_all(&options.out)?;
    let plot = options.out.join("frequency.svg");
    let labels =
        Labels { title: "Sixty pairs of spikes", x: "frequency of pairing (pairs/s)", y: "change of weight" };
    let curves: Vec<Curve> = changes.iter().map(|(label, y)| Curve { label, x: &frequencies, y }).collect();
    line_plot(&plot, &labels, &curves, None)?;
    println!("the plot is in {}", plot.display());
    Ok(())
}
