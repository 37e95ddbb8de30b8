//! Inhibitory plasticity: neurons that are driven differently come to one rate.
//!
//! `cargo run --release --example istdp_balance` drives forty neurons by currents from weak to strong. Fifty
//! interneurons that fire by chance, 28 times a second, inhibit all of them, by synapses that start at zero and learn by `Istdp`. It draws
//! the rates of four neurons and the inhibition that each of them gets, and all rates before and behind learning over
//! the drive.
//!
//! The rate that is kept lies a little above the target: the rule sees traces that have decayed by a step, and inhibition
//! makes the spikes of both sides avoid each other.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Curve, Labels, line_plot};
use ndarray::Axis;
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of a millisecond; weights need about 20,000 to settle.
    #[arg(long, default_value_t = 40_000)]
    steps: u64,
    /// Target rate [spikes/s].
    #[arg(long, default_value_t = 10.0)]
    target: Real,
    /// Seed of the noise that lets interneurons fire.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder for the plots.
    #[arg(long, default_value = "conex-out/istdp_balance")]
    out: PathBuf,
}

const NEURONS: usize = 40;

/// Neurons that are drawn over time.
const SHOWN: [usize; 4] = [0, 13, 26, 39];

/// Over how long a rate is taken [ms].
const WINDOW: u64 = 1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut net = Neocortex::with(Settings { seed: options.seed, threads: 1, ..Default::default() })?;
    let by_chance = (Lif::default(), InherentNoise::normal(0.0, 0.4), NeuronAxon::default());
    let inh = net.neurons("inh", 50, (by_chance, Inhibitory))?;
    let drive: Vec<Real> = (0..NEURONS).map(|j| 1.1 + 0.03 * j as Real).collect();
    let neuron = (Lif::default(), InjectedCurrent::new(drive.clone()), SimpleDendriteStructure::default());
    let exc = net.neurons("exc", NEURONS, (neuron, NeuronAxon::default()))?;
    let istdp = (Istdp::rho(options.target).lr(0.005), PreTrace::new(20.0), PostTrace::new(20.0));
    // Without a lower end, neurons that fire too rarely would be excited by negative inhibition.
    let behaviours = (Dense, WeightInitializer::zeros(), Proximal, istdp, WeightClip::new(0.0, 5.0));
    let synapses = net.synapses(inh, exc, behaviours)?;

    let counts = net.count_spikes(exc)?;
    let (mut times, mut rates, mut inhibition) = (Vec::new(), Vec::new(), Vec::new());
    let mut left = options.steps;
    while left > 0 {
        let steps = left.min(WINDOW);
        net.run(steps)?;
        left -= steps;
        times.push(net.now() / 1000.0);
        rates.push(
            counts.take().into_iter().map(|n| f64::from(n) * 1000.0 / steps as f64).collect::<Vec<_>>(),
        );
        inhibition.push(net.weights(synapses)?.sum_axis(Axis(0)));
    }

    let before = rates.first().cloned().unwrap_or_else(|| vec![f64::NAN; NEURONS]);
    // The last quarter of the run, by when weights move around their ends only.
    let settled = &rates[rates.len() * 3 / 4..];
    let mean = |j: usize| settled.iter().map(|r| r[j]).sum::<f64>() / settled.len().max(1) as f64;
    let behind: Vec<f64> = (0..NEURONS).map(mean).collect();
    let spread = |rates: &[f64]| {
        let range = rates.iter().fold((f64::INFINITY, 0.0_f64), |(lo, hi), &r| (lo.min(r), hi.max(r)));
        format!("{:.1} to {:.1} spikes/s", range.0, range.1)
    };
    println!("target {} spikes/s; in the first second {}", options.target, spread(&before));
    println!("in the last quarter of {} s {}", options.steps as f64 / 1000.0, spread(&behind));

    std::fs::create_dir_all(&options.out)?;
    let names = SHOWN.map(|j| format!("drive {:.2}", drive[j]));
    let over_time = |file: &str, labels: &Labels, values: [Vec<f64>; 4]| {
        let curves: Vec<Curve> =
            names.iter().zip(&values).map(|(label, y)| Curve { label, x: &times, y }).collect();
        line_plot(&options.out.join(file), labels, &curves, None)
    };
    let labels = Labels { title: "Rates on the way to the target", x: "time (s)", y: "rate (spikes/s)" };
    over_time("rates.svg", &labels, SHOWN.map(|j| rates.iter().map(|r| r[j]).collect()))?;
    let labels =
        Labels { title: "Inhibition that a neuron gets", x: "time (s)", y: "sum of inhibitory weights" };
    over_time(
        "inhibition.svg",
        &labels,
        SHOWN.map(|j| inhibition.iter().map(|w| f64::from(w[j])).collect()),
    )?;

    let drive: Vec<f64> = drive.into_iter().map(f64::from).collect();
    let target = vec![f64::from(options.target); NEURONS];
    let curves = [
        Curve { label: "first second", x: &drive, y: &before },
        Curve { label: "last quarter", x: &drive, y: &behind },
        Curve { label: "target", x: &drive, y: &target },
    ];
    let labels = Labels { title: "Rate over drive", x: "injected current", y: "rate (spikes/s)" };
    line_plot(&options.out.join("drive.svg"), &labels, &curves, None)?;
    println!("the plots are in {}", options.out.display());
    Ok(())
}
