//! `conex bench`: how fast a workload runs on this machine.

use super::{column, output};
use clap::{Args, ValueEnum};
use conex::prelude::*;
use conex::recording::SpikeCounts;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A workload.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Workload {
    /// An input and three cortical layers of 4,664 neurons in all, with convolutional and dense STDP.
    Column,
    /// The same, every neuron firing at every step: the dense worst case.
    ColumnAllSpiking,
}

#[derive(Args)]
pub struct BenchOptions {
    /// What to run.
    workload: Workload,
    /// Threads to use. Default: all cores.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// The seed that every random draw follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Steps to measure.
    #[arg(long, value_name = "N", default_value_t = 2000)]
    steps: u64,
    /// Steps to run before.
    #[arg(long, value_name = "N", default_value_t = 200)]
    warmup: u64,
    /// Print the time of each stage of the step too.
    #[arg(long)]
    stages: bool,
    /// Print one JSON object as the last line.
    #[arg(long)]
    json: bool,
}

/// What was measured.
#[derive(Serialize)]
struct Report {
    name: String,
    neurons: usize,
    synapses: usize,
    threads: usize,
    seed: u64,
    steps: u64,
    build_s: f64,
    ms_per_step: f64,
    steps_per_second: f64,
    spikes_per_step: f64,
    peak_rss_mb: Option<f64>,
    rates: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stages: Vec<(String, f64)>,
}

pub fn bench(options: &BenchOptions) -> conex::Result<()> {
    let default = Settings::default();
    let threads = options.threads.unwrap_or(default.threads);
    let settings = Settings { seed: options.seed, threads, ..default };
    let begun = Instant::now();
    let mut net = column::build(settings, options.workload == Workload::ColumnAllSpiking)?;
    net.build()?;
    let build_s = begun.elapsed().as_secs_f64();
    let description = net.describe();
    let mut counts: Vec<(String, SpikeCounts)> = Vec::new();
    for population in &description.populations {
        let group = net.find(&population.name)?;
        counts.push((population.name.clone(), net.count_spikes(group)?));
    }
    if options.stages {
        time_stages(&mut net);
    }
    net.run(options.warmup)?;
    counts.iter().for_each(|(_, counts)| drop(counts.take()));
    if let Some(mut times) = net.world_mut().get_resource_mut::<StageTimes>() {
        times.spent.clear();
    }
    let begun = Instant::now();
    net.run(options.steps)?;
    let seconds = begun.elapsed().as_secs_f64();

    let steps = options.steps.max(1) as f64;
    let simulated = steps * net.world().resource::<Clock>().dt / 1e3;
    let mut spikes = 0.0;
    let mut rates = BTreeMap::new();
    for (name, counts) in counts {
        let counts = counts.get();
        let sum: f64 = counts.iter().map(|&n| f64::from(n)).sum();
        spikes += sum;
        rates.insert(name, sum / counts.len() as f64 / simulated);
    }
    let times = net.world().get_resource::<StageTimes>();
    let stages = times.map_or_else(Vec::new, |times| {
        let per_step = |(stage, spent): &(StepSystems, Duration)| {
            (format!("{stage:?}"), spent.as_secs_f64() * 1e6 / steps)
        };
        times.spent.iter().map(per_step).collect()
    });
    let report = Report {
        name: options.workload.to_possible_value().map_or_else(String::new, |v| v.get_name().to_string()),
        neurons: description.populations.iter().map(|p| p.neurons).sum(),
        synapses: description.projections.iter().filter_map(|p| p.weights).sum(),
        threads,
        seed: options.seed,
        steps: options.steps,
        build_s,
        ms_per_step: 1e3 * seconds / steps,
        steps_per_second: steps / seconds,
        spikes_per_step: spikes / steps,
        peak_rss_mb: peak_rss_mb(),
        rates,
        stages,
    };
    print(&report);
    if options.json {
        println!("{}", output::json(&report));
    }
    Ok(())
}

fn print(report: &Report) {
    println!("{}: {} neurons, {} weights", report.name, report.neurons, report.synapses);
    println!("  threads          {}", report.threads);
    println!("  build            {:.3} s", report.build_s);
    println!("  step             {:.4} ms ({:.0} steps/s)", report.ms_per_step, report.steps_per_second);
    println!("  spikes per step  {:.1}", report.spikes_per_step);
    if let Some(peak) = report.peak_rss_mb {
        println!("  peak memory      {peak:.0} MB");
    }
    for (population, rate) in &report.rates {
        println!("  rate {population:<20} {rate:.1} Hz");
    }
    for (stage, us) in &report.stages {
        println!("  stage {stage:<22}{us:8.2} us");
    }
}

/// When the last stage ended, and how long each took so far.
#[derive(Resource)]
struct StageTimes {
    last: Instant,
    spent: Vec<(StepSystems, Duration)>,
}

/// Lets the last system of each stage take the time.
fn time_stages(net: &mut Neocortex) {
    net.world_mut().insert_resource(StageTimes { last: Instant::now(), spent: Vec::new() });
    for stage in StepSystems::ALL {
        net.add_system(stage, move |mut times: ResMut<StageTimes>| {
            let now = Instant::now();
            let spent = now - times.last;
            times.last = now;
            match times.spent.iter_mut().find(|(s, _)| *s == stage) {
                Some((_, total)) => *total += spent,
                None => times.spent.push((stage, spent)),
            }
        });
    }
}

/// The most memory that this process ever held, where the system tells.
fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1e3)
}
