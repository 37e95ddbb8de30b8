//! Noise and random sources: neurons that noise fires, and populations that fire as a Poisson process.
//!
//! `cargo run --release --example noise_and_sources` draws who fired when, and how long the intervals between the spikes
//! of a neuron are: exponentially distributed for the source, while a noisy neuron first has to charge.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Labels, PopulationSpikes, histogram, spike_raster};
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

/// The intervals between the spikes of each neuron \[ms\].
fn intervals(events: &[(f64, u32)]) -> Vec<f64> {
    let mut last = [None; N];
    let mut intervals = Vec::new();
    for &(time, j) in events {
        intervals.extend(last[j as usize].replace(time).map(|before: f64| time - before));
    }
    intervals
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
    for (k, file) in [(0, "intervals_noisy.svg"), (1, "intervals_poisson.svg")] {
        let (name, intervals) = (populations[k].0, intervals(&events[k]));
        let seconds = N as f64 * options.steps as f64 / 1000.0;
        println!("{name}: {:.1} Hz", events[k].len() as f64 / seconds);
        let title = format!("Intervals between spikes: {name}");
        let labels = Labels { title: &title, x: "interval (ms)", y: "intervals" };
        histogram(&options.out.join(file), &labels, intervals, None)?;
    }
    println!("the spikes and intervals are in {}", options.out.display());
    Ok(())
}
