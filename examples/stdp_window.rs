//! The STDP window: how much a synapse changes by the time between one spike before it and one behind it.
//!
//! `cargo run --release --example stdp_window` pairs two spikes at every lag from -40 to 40 ms, each lag on a synapse of
//! its own, and draws the change of the weight over the lag.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Curve, Labels, line_plot};
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of a millisecond; fewer than 90 leave the outer lags unpaired.
    #[arg(long, default_value_t = 90)]
    steps: u64,
    /// The folder for the plot.
    #[arg(long, default_value = "conex-out/stdp_window")]
    out: PathBuf,
}

/// The longest lag [ms]; all pre-synaptic neurons fire at this step.
const LONGEST: i64 = 40;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let lags: Vec<i64> = (-LONGEST..=LONGEST).collect();
    let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() })?;
    let ends = || (InputSpikes::default(), NeuronAxon::default());
    let pre = net.neurons("pre", lags.len(), ends())?;
    let post = net.neurons("post", lags.len(), ends())?;
    let stdp = (PreTrace::new(10.0), PostTrace::new(20.0), Stdp::new(0.010, 0.005));
    let synapse = net.synapses(pre, post, (One2One, WeightInitializer::constant(0.5), Proximal, stdp))?;

    for step in 0..options.steps as i64 {
        if step == LONGEST {
            let all: Vec<u32> = (0..lags.len() as u32).collect();
            net.set_input(pre, &all)?;
        }
        let due: Vec<u32> =
            (0..).zip(&lags).filter(|(_, lag)| LONGEST + *lag == step).map(|(j, _)| j).collect();
        net.set_input(post, &due)?;
        net.step()?;
    }

    let changes: Vec<f64> = net.weights(synapse)?.iter().map(|&w| f64::from(w) - 0.5).collect();
    let lags: Vec<f64> = lags.into_iter().map(|lag| lag as f64).collect();
    let (most, least) = changes.iter().fold((0.0_f64, 0.0_f64), |(hi, lo), &dw| (hi.max(dw), lo.min(dw)));
    println!("largest potentiation {most:+.5}, largest depression {least:+.5}");
    std::fs::create_dir_all(&options.out)?;
    let plot = options.out.join("window.svg");
    let labels = Labels {
        title: "STDP window",
        x: "post-synaptic minus pre-synaptic spike (ms)",
        y: "change of weight",
    };
    line_plot(&plot, &labels, &[Curve { label: "pair of spikes", x: &lags, y: &changes }], None)?;
    println!("the window is in {}", plot.display());
    Ok(())
}
