//! `conex bench`: how fast a workload runs on this machine.
//!
//! A workload is one file: its options and how its network is built ([`Workload`]). Running and reporting are the same
//! for all.

pub mod column;
mod balanced_stdp;
mod diehl_cook;
mod izhikevich_stdp;
mod lif_stdp;
mod microcircuit;
mod plastic;
mod reinforcement;
mod report;
mod sparse_stdp;
mod stages;
mod vogels_abbott;

use clap::{Args, Subcommand};
use conex::prelude::*;
use conex::systems::group::Population;
use conex::systems::schedule::add_probe_systems;
use report::{Report, StepTimes, peak_rss_mb};
use std::collections::BTreeMap;
use std::time::Instant;

#[derive(Args)]
pub struct BenchOptions {
    /// What to run.
    #[command(subcommand)]
    workload: Workloads,
    #[command(flatten)]
    common: Common,
}

/// The options of every workload.
#[derive(Args)]
struct Common {
    /// Threads to use. Default: all cores.
    #[arg(long, global = true, value_name = "N")]
    threads: Option<usize>,
    /// The seed that every random draw follows from.
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    /// Print the time of each stage of the step too.
    #[arg(long, global = true)]
    stages: bool,
    /// Print one JSON object as the last line.
    #[arg(long, global = true)]
    json: bool,
}

/// How many steps are run, for the workloads that count them.
#[derive(Args)]
struct Steps {
    /// Steps to measure.
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Steps to run before.
    #[arg(long, value_name = "N")]
    warmup: Option<u64>,
}

/// Declares the workloads: the name of each in the command line and the report is that of its type.
#[derive(Subcommand)]
enum Workloads {
    /// An input and three cortical layers of 4,664 neurons in all, with convolutional and dense STDP.
    Column(column::Column),
    /// The same, every neuron firing at every step: the dense worst case.
    ColumnAllSpiking(column::ColumnAllSpiking),
    /// 64 inputs, 1,000 neurons and reward-modulated STDP in a control loop.
    Reinforcement(reinforcement::Reinforcement),
    /// 784 inputs, 400 competing neurons and dense STDP.
    Plastic(plastic::Plastic),
    /// 10,000 restless neurons with a million recurrent synapses that learn by STDP.
    SparseStdp(sparse_stdp::SparseStdp),
    /// 10,000 LIF neurons, all of them joined, that learn from spikes in successive steps.
    LifStdp(lif_stdp::LifStdp),
    /// 10,000 Izhikevich neurons, all of them joined, that learn by STDP.
    IzhikevichStdp(izhikevich_stdp::IzhikevichStdp),
    /// The cortical microcircuit: 77,169 neurons, 299 million synapses.
    Microcircuit(microcircuit::Microcircuit),
    /// A balanced network of neurons with synaptic currents.
    Cuba(vogels_abbott::Cuba),
    /// A balanced network of neurons with synaptic conductances.
    Coba(vogels_abbott::Coba),
    /// 784 inputs, 100 neurons that learn digits by STDP, and as many that inhibit the others.
    DiehlCook(diehl_cook::DiehlCook),
    /// 11,250 neurons in balance, whose 81 million excitatory synapses learn.
    BalancedStdp(balanced_stdp::BalancedStdp),
}

impl Workloads {
    fn get(&self) -> (&'static str, &dyn Workload) {
        match self {
            Workloads::Column(workload) => ("column", workload),
            Workloads::ColumnAllSpiking(workload) => ("column-all-spiking", workload),
            Workloads::Reinforcement(workload) => ("reinforcement", workload),
            Workloads::Plastic(workload) => ("plastic", workload),
            Workloads::SparseStdp(workload) => ("sparse-stdp", workload),
            Workloads::LifStdp(workload) => ("lif-stdp", workload),
            Workloads::IzhikevichStdp(workload) => ("izhikevich-stdp", workload),
            Workloads::Microcircuit(workload) => ("microcircuit", workload),
            Workloads::Cuba(workload) => ("cuba", workload),
            Workloads::Coba(workload) => ("coba", workload),
            Workloads::DiehlCook(workload) => ("diehl-cook", workload),
            Workloads::BalancedStdp(workload) => ("balanced-stdp", workload),
        }
    }
}

/// A number of the command line that has to be above 0.
fn above_zero(text: &str) -> Result<f64, String> {
    not_negative(text).and_then(|x| if x > 0.0 { Ok(x) } else { Err("it must be above 0".into()) })
}

/// The share of a network that is kept, or how many times as large it gets.
fn scale(text: &str) -> Result<f64, String> {
    /// Memory for more could not be asked for before it is needed.
    const MOST: f64 = 100.0;
    above_zero(text).and_then(|x| if x <= MOST { Ok(x) } else { Err(format!("it must be at most {MOST}")) })
}

/// How many neurons there are, at least so many.
fn neurons<const LEAST: usize>(text: &str) -> Result<usize, String> {
    /// Memory for more could not be asked for before it is needed.
    const MOST: usize = 10_000_000;
    match text.parse() {
        Ok(n) if (LEAST..=MOST).contains(&n) => Ok(n),
        _ => Err(format!("it must be a whole number from {LEAST} to {MOST}")),
    }
}

/// A number of the command line that has to be 0 or more.
fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() && x >= 0.0 => Ok(x),
        _ => Err("it must be a number, 0 or more".into()),
    }
}

/// A workload with its options.
trait Workload {
    /// Builds the network and says how it is run. A workload of another time resolution replaces that of the settings.
    fn prepare(&self, settings: Settings) -> conex::Result<Prepared>;
}

/// A network that is ready to be measured.
struct Prepared {
    net: Neocortex,
    /// Steps to run before the measured ones.
    warmup: u64,
    /// Steps to measure.
    steps: u64,
    /// What one step is, where the program around the network has a part in it.
    control: Option<Control>,
    /// Steps that one image takes, where images are shown.
    steps_per_image: Option<u64>,
}

/// One turn of a control loop: gives the network its input, steps it, reads it.
type Control = Box<dyn FnMut(&mut Neocortex) -> conex::Result<()>>;

impl Prepared {
    /// Runs by itself for as many steps as asked, or else for `default`: (before, measured).
    fn new(net: Neocortex, asked: &Steps, default: (u64, u64)) -> Self {
        let (warmup, steps) = (asked.warmup.unwrap_or(default.0), asked.steps.unwrap_or(default.1));
        Prepared { net, warmup, steps, control: None, steps_per_image: None }
    }

    /// Runs by itself for so many biological seconds: (before, measured).
    fn seconds(net: Neocortex, (warmup, measured): (f64, f64)) -> Self {
        let dt = net.world().resource::<Clock>().dt;
        let steps = |seconds: f64| (seconds * 1e3 / dt).round() as u64;
        let (warmup, steps) = (steps(warmup), steps(measured));
        Prepared { net, warmup, steps, control: None, steps_per_image: None }
    }

    fn run(&mut self, steps: u64, times: Option<&mut StepTimes>) -> conex::Result<()> {
        let Some(control) = &mut self.control else { return self.net.run(steps) };
        let mut unused = StepTimes::default();
        let times = times.unwrap_or(&mut unused);
        times.reserve(steps);
        for _ in 0..steps {
            let begun = Instant::now();
            control(&mut self.net)?;
            times.push(begun.elapsed());
        }
        Ok(())
    }
}

pub fn bench(options: &BenchOptions) -> conex::Result<()> {
    let Common { threads, seed, stages, json } = options.common;
    let default = Settings::default();
    let settings = Settings { seed, threads: threads.unwrap_or(default.threads), ..default };
    let (name, workload) = options.workload.get();

    let begun = Instant::now();
    let mut prepared = workload.prepare(settings)?;
    prepared.net.build()?;
    let build_s = begun.elapsed().as_secs_f64();
    let description = prepared.net.describe();

    count_spikes(&mut prepared.net);
    if stages {
        stages::time_stages(&mut prepared.net);
    }
    prepared.run(prepared.warmup, None)?;
    prepared.net.world_mut().resource_mut::<SpikesFired>().0.fill(0);
    stages::forget(&mut prepared.net);
    let mut times = StepTimes::default();
    let begun = Instant::now();
    prepared.run(prepared.steps, Some(&mut times))?;
    let seconds = begun.elapsed().as_secs_f64();

    let steps = prepared.steps.max(1) as f64;
    let simulated_s = steps * prepared.net.world().resource::<Clock>().dt / 1e3;
    let (spikes, rates) = rates(&prepared.net, simulated_s);
    let report = Report {
        name,
        neurons: description.populations.iter().map(|p| p.neurons).sum(),
        synapses: description.projections.iter().filter_map(|p| p.weights).sum(),
        threads: settings.threads,
        seed,
        steps: prepared.steps,
        build_s,
        ms_per_step: 1e3 * seconds / steps,
        steps_per_second: steps / seconds,
        s_per_biological_s: seconds / simulated_s,
        ms_per_image: prepared.steps_per_image.map(|n| 1e3 * seconds / steps * n as f64),
        median_us: times.quantile(0.5),
        p99_us: times.quantile(0.99),
        peak_rss_mb: peak_rss_mb(),
        rates,
        spikes_per_step: spikes as f64 / steps,
        stages: stages::spent(&prepared.net, steps),
    };
    report.print();
    if json {
        println!("{}", super::output::json(&report));
    }
    Ok(())
}

/// How many spikes each population fired so far, in the order in which a query finds them.
#[derive(Resource, Default)]
struct SpikesFired(Vec<u64>);

/// Counts spikes at the end of each step, which costs a few nanoseconds a population: recorders would take longer.
fn count_spikes(net: &mut Neocortex) {
    net.world_mut().init_resource::<SpikesFired>();
    let count = |mut fired: ResMut<SpikesFired>, populations: Query<&Spikes, With<Population>>| {
        for (k, spikes) in populations.iter().enumerate() {
            if fired.0.len() <= k {
                fired.0.push(0);
            }
            fired.0[k] += spikes.0.events().len() as u64;
        }
    };
    add_probe_systems(net.world_mut(), StepSystems::Record, count);
}

/// Spikes in all, and the rate of each population \[Hz\].
fn rates(net: &Neocortex, simulated_s: f64) -> (u64, BTreeMap<String, f64>) {
    let world = net.world();
    let fired = &world.resource::<SpikesFired>().0;
    let Some(mut populations) = world.try_query::<(&Name, &Population, &Spikes)>() else {
        return (0, BTreeMap::new());
    };
    let rates = populations.iter(world).zip(fired).map(|((name, population, _), &fired)| {
        (name.to_string(), fired as f64 / population.size() as f64 / simulated_s)
    });
    (fired.iter().sum(), rates.collect())
}
