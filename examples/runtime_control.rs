//! Control while a network runs: learning goes off and on, inhibition comes and goes, and all starts again.
//!
//! `cargo run --release --example runtime_control` draws the rate of excitatory neurons over time, with the moments at
//! which something was changed.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Curve, Labels, line_plot};
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of a millisecond.
    #[arg(long, default_value_t = 3500)]
    steps: u64,
    /// The folder for the plot.
    #[arg(long, default_value = "conex-out/runtime_control")]
    out: PathBuf,
}

const NEURONS: usize = 200;

/// Steps of one bin of the plot.
const BIN: u64 = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut net = Neocortex::with(Settings { threads: 1, seed: 3, ..Default::default() })?;
    let noise = Stimulus::new(Images::new(400, vec![1.0; 400], None)?, SimplePoisson::new(1000, 0.04)?);
    let input = net.neurons("input", 400, (noise, NeuronAxon::default()))?;
    let neuron = || {
        let lif = Lif::default().tau(vec_of(8.0, 16.0));
        (lif, RefractoryPeriod::new(3.0), SimpleDendriteStructure::default(), NeuronAxon::default())
    };
    let exc = net.neurons("exc", NEURONS, neuron())?;
    let inh = net.neurons("inh", NEURONS, (neuron(), Inhibitory))?;
    let rule =
        (PreTrace::new(20.0), PostTrace::new(20.0), Stdp::new(0.1, 0.04).w_max(0.25).bounds(Bound::Soft));
    let learning =
        net.synapses(input, exc, (Dense, WeightInitializer::uniform(0.05, 0.1), Proximal, rule))?;
    net.synapses(exc, inh, (Dense, WeightInitializer::constant(0.1), Proximal))?;

    let counts = net.count_spikes(exc)?;
    let (mut times, mut rates, mut moments) = (Vec::new(), Vec::new(), Vec::new());
    let mut inhibition = None;
    let phase = (options.steps / 7).max(1);
    for begun in ["start", "learning off", "learning on", "inhibition added", "inhibition removed", "reset"] {
        match begun {
            "learning off" => net.switch_off("Learning", learning)?,
            "learning on" => net.switch_on("Learning", learning)?,
            "inhibition added" => {
                let weights = WeightInitializer::constant(0.008);
                let course = ExponentialSynapse::new(8.0);
                inhibition = Some(net.synapses(inh, exc, (Dense, weights, Proximal, course))?);
            }
            "inhibition removed" => inhibition.take().map_or(Ok(()), |group| net.remove_group(group))?,
            "reset" => net.reset_state(),
            _ => {}
        }
        moments.push((begun, net.now()));
        let first = rates.len();
        // The first phase, in which most is learned, is twice as long.
        let mut left = if begun == "start" { 2 * phase } else { phase };
        while left > 0 {
            let steps = BIN.min(left);
            net.run(steps)?;
            left -= steps;
            let spikes = counts.take().iter().map(|&n| f64::from(n)).sum::<f64>();
            times.push(net.now() - steps as f64 / 2.0);
            rates.push(1000.0 * spikes / (NEURONS as f64 * steps as f64));
        }
        let mean = rates[first..].iter().sum::<f64>() / (rates.len() - first) as f64;
        let weight = net.weights(learning)?.mean().unwrap_or_default();
        println!("{begun}: {mean:.1} Hz, mean weight {weight:.3} at the end");
    }

    std::fs::create_dir_all(&options.out)?;
    let plot = options.out.join("rates.svg");
    let top = rates.iter().fold(1.0_f64, |top, rate| top.max(*rate)) * 1.05;
    let up: Vec<f64> = (0..=50).map(|k| top * f64::from(k) / 50.0).collect();
    let lines: Vec<Vec<f64>> = moments.iter().map(|(_, at)| vec![*at; up.len()]).collect();
    let mut curves = vec![Curve { label: "exc", x: &times, y: &rates }];
    let marks = moments.iter().zip(&lines).skip(1);
    curves.extend(marks.map(|((label, _), x)| Curve { label, x, y: &up }));
    let labels =
        Labels { title: "A network is changed while it runs", x: "time (ms)", y: "rate per neuron (Hz)" };
    line_plot(&plot, &labels, &curves, Some(0.0..top))?;
    println!("the rates are in {}", plot.display());
    Ok(())
}

/// As many numbers as there are neurons, from `low` to `high`: neurons that differ do not fire in step.
fn vec_of(low: f64, high: f64) -> Vec<f64> {
    (0..NEURONS).map(|j| low + (high - low) * j as f64 / (NEURONS - 1) as f64).collect()
}
