//! A behaviour of one's own: a component, and a system that joins a stage of the step with one call.
//!
//! Here thresholds rise at each spike and fall back slowly, so a neuron that is driven hard slows down.
//! `cargo run --release --example custom_behaviour` draws a threshold and what it does to the rate.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Labels, Trace, traces};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of a millisecond.
    #[arg(long, default_value_t = 300)]
    steps: u64,
    /// The folder for the plot.
    #[arg(long, default_value = "conex-out/custom_behaviour")]
    out: PathBuf,
}

/// The threshold rises by `step` at each spike and falls back to `rest` with the time constant `tau` [ms].
#[derive(Component, Debug, Serialize, Deserialize)]
struct MovingThreshold {
    step: Real,
    rest: Real,
    tau: Real,
}

/// For every population with an adaptive threshold, let it fall back and rise with the spikes.
fn adapt(
    clock: Res<Clock>,
    mut populations: Query<(&MovingThreshold, &Population, &Spikes, &mut Threshold)>,
) {
    for (adaptive, population, spikes, mut threshold) in &mut populations {
        let thresholds = threshold.0.per_neuron_mut(population.size());
        for threshold in thresholds.iter_mut() {
            *threshold += (adaptive.rest - *threshold) * clock.dt as Real / adaptive.tau;
        }
        for &j in spikes.0.events() {
            thresholds[j as usize] += adaptive.step;
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() })?;
    net.add_system(StepSystems::ActivityHomeostasis, adapt);
    net.register_behaviour::<MovingThreshold>();

    let adaptive = MovingThreshold { step: 0.3, rest: 1.0, tau: 100.0 };
    let drive = || (Lif::default().tau(10.0), InjectedCurrent::new(3.0));
    let plain = net.neurons("plain", 1, drive())?;
    let tired = net.neurons("adaptive", 1, (drive(), adaptive))?;
    let spikes = [net.record_spikes(plain)?, net.record_spikes(tired)?];
    let voltages = [net.record_state(plain, "v", 1)?, net.record_state(tired, "v", 1)?];
    let threshold = net.record_state(tired, "threshold", 1)?;
    print!("{}", net.describe());
    net.run(options.steps)?;

    println!("plain: {} spikes, adaptive: {} spikes", spikes[0].len(), spikes[1].len());
    let times = threshold.times();
    let at: Vec<Vec<f64>> = spikes.iter().map(|s| s.events().iter().map(|event| event.0).collect()).collect();
    let (plain, tired, threshold) = (voltages[0].values(), voltages[1].values(), threshold.values());
    let curves = [
        Trace { label: "plain: v", values: plain.column(0), spikes: &at[0] },
        Trace { label: "adaptive: v", values: tired.column(0), spikes: &at[1] },
        Trace { label: "adaptive: threshold", values: threshold.column(0), spikes: &[] },
    ];
    std::fs::create_dir_all(&options.out)?;
    let plot = options.out.join("threshold.svg");
    let labels = Labels { title: "An adaptive threshold", x: "time (ms)", y: "v" };
    traces(&plot, &labels, &times, &curves, None)?;
    println!("the course of it is in {}", plot.display());
    Ok(())
}
