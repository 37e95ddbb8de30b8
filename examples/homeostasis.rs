//! Homeostasis: neurons with very different input come to fire alike.
//!
//! `cargo run --release --example homeostasis` drives four populations with currents from weak to strong: one without
//! homeostasis, one whose thresholds follow its activity, one whose thresholds rise with each spike, and one whose
//! voltage is pulled to a target. It draws how much each neuron fires at first and in the end, how thresholds move, and
//! the mean voltages: what the last one keeps is the mean before it pulls.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Curve, Labels, line_plot};
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of a millisecond.
    #[arg(long, default_value_t = 20_000)]
    steps: u64,
    /// The folder for the plots.
    #[arg(long, default_value = "conex-out/homeostasis")]
    out: PathBuf,
}

/// Neurons of each population.
const N: usize = 40;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() })?;
    let drives: Vec<f64> = (0..N).map(|j| 0.8 + 2.2 * j as f64 / (N - 1) as f64).collect();
    let neurons = || {
        let noise = InherentNoise::normal(0.0, 0.05);
        (Lif::default(), InjectedCurrent::new(drives.clone()), noise)
    };
    // 30 Hz: 6 spikes in 200 ms.
    let activity = ActivityBaseHomeostasis::new(6.0, 200, 0.01);
    let firing = [
        ("none", net.neurons("none", N, neurons())?),
        ("activity", net.neurons("activity", N, (neurons(), activity))?),
        (
            "adaptive threshold",
            net.neurons("adaptive threshold", N, (neurons(), AdaptiveThreshold::new(0.02, 3000.0)))?,
        ),
    ];
    let voltage = VoltageBaseHomeostasis::target(0.45).eta_ip(1e-4);
    let voltage = net.neurons("voltage", N, (neurons(), voltage))?;
    let mut counts = Vec::new();
    for (_, population) in firing {
        counts.push(net.count_spikes(population)?);
    }
    let every = (options.steps / 200).max(1);
    let thresholds = [
        net.record_state(firing[1].1, "threshold", every)?,
        net.record_state(firing[2].1, "threshold", every)?,
    ];

    // At every seventh step, so that no rhythm of the firing is hit or missed.
    let plain = net.record_state(firing[0].1, "v", 7)?;
    let kept = (net.record_state(voltage, "v", 7)?, net.record_state(voltage, "exhaustion", 7)?);

    // Rates in the first and in the last twentieth of the time.
    let slice = (options.steps / 20).max(1);
    let rates = |counts: Vec<u32>| -> Vec<f64> {
        counts.into_iter().map(|spikes| f64::from(spikes) * 1000.0 / slice as f64).collect()
    };
    net.run(slice)?;
    let first: Vec<Vec<f64>> = counts.iter().map(|counts| rates(counts.take())).collect();
    net.run(options.steps.saturating_sub(2 * slice))?;
    counts.iter().for_each(|counts| drop(counts.take()));
    net.run(slice)?;
    let last: Vec<Vec<f64>> = counts.iter().map(|counts| rates(counts.take())).collect();

    std::fs::create_dir_all(&options.out)?;
    for (name, title, rates) in [("first", "At first", &first), ("last", "In the end", &last)] {
        let curves: Vec<Curve> = firing
            .iter()
            .zip(rates)
            .map(|((label, _), rates)| Curve { label, x: &drives, y: rates })
            .collect();
        let labels = Labels { title, x: "injected current", y: "rate (Hz)" };
        line_plot(&options.out.join(name).with_extension("svg"), &labels, &curves, Some(0.0..240.0))?;
    }
    for ((label, _), (first, last)) in firing.iter().zip(first.iter().zip(&last)) {
        let range = |rates: &[f64]| {
            let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
            format!("{least:.0} to {:.0} Hz", rates.iter().copied().fold(0.0, f64::max))
        };
        println!("{label}: {} at first, {} in the end", range(first), range(last));
    }

    let times: Vec<f64> = thresholds[0].times().iter().map(|ms| ms / 1000.0).collect();
    let values = thresholds.map(|recording| recording.values());
    let column =
        |k: usize, j: usize| -> Vec<f64> { values[k].column(j).iter().map(|&x| f64::from(x)).collect() };
    let courses = [
        ("activity, weak", column(0, 0)),
        ("activity, strong", column(0, N - 1)),
        ("adaptive, weak", column(1, 0)),
        ("adaptive, strong", column(1, N - 1)),
    ];
    let curves: Vec<Curve> = courses.iter().map(|(label, y)| Curve { label, x: &times, y }).collect();
    let labels = Labels { title: "Thresholds at weak and strong current", x: "time (s)", y: "threshold" };
    line_plot(&options.out.join("thresholds.svg"), &labels, &curves, None)?;

    // The mean of the last quarter.
    let before = kept.0.values() + kept.1.values();
    let means = [plain.values(), kept.0.values(), before].map(|values| {
        let late = values.nrows() * 3 / 4;
        let mean = |j| {
            let course = values.column(j);
            let late = course.iter().skip(late);
            late.clone().map(|&v| f64::from(v)).sum::<f64>() / late.count() as f64
        };
        (0..N).map(mean).collect::<Vec<f64>>()
    });
    let names = ["none", "target 0.45", "before it is pulled"];
    let curves: Vec<Curve> =
        names.iter().zip(&means).map(|(label, y)| Curve { label, x: &drives, y }).collect();
    let labels = Labels { title: "Mean voltages in the end", x: "injected current", y: "mean v" };
    line_plot(&options.out.join("voltages.svg"), &labels, &curves, None)?;
    println!("the rates, thresholds and voltages are in {}", options.out.display());
    Ok(())
}
