//! Noise and random sources: neurons that noise fires, and populations that fire as a Poisson process.
//!
//! `cargo run --release --example noise_and_sources` draws who fired when, and how long the intervals between the spikes
//! of a neuron are: distributed geometrically for the source, while a noisy neuron first has to charge.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Curve, Labels, PopulationSpikes, line_plot, spike_raster};
use conex::systems::kernels::math::exp;
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of a millisecond.
    #[arg(long, default_value_t = 5000)]
    steps: u64,
    /// The folder for the plots.
    #[arg(long, default_value = "conex-out/noise_and_sources")]
    out: PathBuf,
}

/// Neurons of each population.
const N: usize = 60;

/// Width of the classes of intervals \[ms\], and how many there are.
const CLASS: usize = 5;
const CLASSES: usize = 40;

/// The share of the intervals between spikes of a neuron that each class has.
fn intervals(events: &[(f64, u32)]) -> Vec<f64> {
    let mut last = [None; N];
    let (mut counts, mut total) = ([0.0; CLASSES], 0.0);
    for &(time, j) in events {
        let Some(before) = last[j as usize].replace(time) else { continue };
        let interval: f64 = time - before;
        total += 1.0;
        // The first class has intervals of 1 to 5 ms.
        if let Some(count) = counts.get_mut((interval.round() as usize - 1) / CLASS) {
            *count += 1.0;
        }
    }
    counts.iter().map(|count| count / total).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() })?;
    // The current alone brings v to 0.8 of the threshold; noise does the rest.
    let noisy = (Lif::default(), InjectedCurrent::new(0.8), InherentNoise::normal(0.0, 0.1));
    let rising: Vec<f64> = (0..N).map(|j| 100.0 * j as f64 / (N - 1) as f64).collect();
    let populations = [
        ("noisy LIF", net.neurons("noisy LIF", N, noisy)?),
        ("Poisson, 25 Hz", net.neurons("Poisson, 25 Hz", N, PoissonSource::new(25.0))?),
        ("Poisson, 0 to 100 Hz", net.neurons("Poisson, 0 to 100 Hz", N, PoissonSource::new(rising))?),
    ];
    let mut recordings = Vec::new();
    for (_, population) in populations {
        recordings.push(net.record_spikes(population)?);
    }
    net.run(options.steps)?;

    std::fs::create_dir_all(&options.out)?;
    let events: Vec<_> = recordings.iter().map(|recording| recording.events()).collect();
    let spikes: Vec<PopulationSpikes> = populations
        .iter()
        .zip(&events)
        .map(|((name, _), events)| PopulationSpikes { name, neurons: N, inhibitory: false, events })
        .collect();
    let end = (options.steps as f64).min(500.0);
    spike_raster(&options.out.join("raster.svg"), "Noise and Poisson sources", &spikes, 0.0..end)?;
    for ((name, _), events) in populations.iter().zip(&events) {
        let seconds = N as f64 * options.steps as f64 / 1000.0;
        println!("{name}: {:.1} Hz", events.len() as f64 / seconds);
    }

    let middles: Vec<f64> = (0..CLASSES).map(|k| (k * CLASS) as f64 + 0.5 * CLASS as f64 + 0.5).collect();
    // A neuron is silent for a class with exp(-25 Hz · 5 ms).
    let silent = f64::from(exp(-0.025 * CLASS as Real));
    let expected: Vec<f64> = (0..CLASSES).map(|k| silent.powi(k as i32) * (1.0 - silent)).collect();
    let shares = [intervals(&events[0]), intervals(&events[1]), expected];
    let names = [populations[0].0, populations[1].0, "geometric, 25 Hz"];
    let curves: Vec<Curve> =
        names.iter().zip(&shares).map(|(label, y)| Curve { label, x: &middles, y }).collect();
    let labels = Labels { title: "Intervals between spikes", x: "interval (ms)", y: "share in 5 ms" };
    line_plot(&options.out.join("intervals.svg"), &labels, &curves, None)?;
    println!("the spikes and intervals are in {}", options.out.display());
    Ok(())
}
