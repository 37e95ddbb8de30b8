//! A balanced random network: excitation and inhibition all but cancel, and fluctuations make neurons fire.
//!
//! `cargo run --release --example balanced_network` runs the sparse network of N. Brunel (2000),
//! doi 10.1023/A:1008925309027, at its full size, with short synaptic currents in place of impulses, and draws some neurons'
//! spikes and the rates of both populations. By default firing is asynchronous and irregular (his AI). `--g` sets how many times as
//! strong inhibition is, `--eta` how strong the drive is from outside:
//!
//! - `--g 3 --eta 2`: excitation prevails, all fire regularly and together (SR);
//! - `--g 6 --eta 4`: irregular neurons, fast oscillations of all together (SI, fast);
//! - `--g 4.5 --eta 0.9`: the same, slow, at a low rate (SI, slow).

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{PopulationSpikes, population_rates, spike_raster};
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of 0.1 ms.
    #[arg(long, default_value_t = 10_000)]
    steps: u64,
    /// Strength of inhibition, in that of excitation.
    #[arg(long, default_value_t = 5.0)]
    g: Real,
    /// Rate from outside, in that which on its own just brings neurons to threshold.
    #[arg(long, default_value_t = 2.0)]
    eta: f64,
    /// The seed that all is drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder for the plots.
    #[arg(long, default_value = "conex-out/balanced_network")]
    out: PathBuf,
}

const NAMES: [&str; 2] = ["exc", "inh"];

/// Neurons of both populations, and inputs that each neuron has from them.
const NEURONS: [usize; 2] = [10_000, 2500];
const IN_DEGREES: [u32; 2] = [1000, 250];

/// Neurons whose spikes are drawn.
const SHOWN: [usize; 2] = [80, 20];

/// Membrane and synaptic time constant \[ms\], capacitance \[pF\], way from rest to threshold \[mV\].
const TAU: f64 = 20.0;
const TAU_SYN: f64 = 0.5;
const C: f64 = 250.0;
const THRESHOLD: f64 = 20.0;

/// By how much one spike moves a membrane \[mV\].
const JUMP: f64 = 0.1;

/// The mean coefficient of variation of the intervals between spikes of a neuron: 0 for a clock, 1 for a Poisson process.
/// NaN if no neuron fired often enough to tell.
fn irregularity(events: &[(f64, u32)], neurons: usize) -> f64 {
    let mut times = vec![Vec::new(); neurons];
    events.iter().for_each(|&(time, j)| times[j as usize].push(time));
    let variations: Vec<f64> = times
        .iter()
        .filter(|times| times.len() > 5)
        .map(|times| {
            let intervals: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let mean = intervals.iter().sum::<f64>() / intervals.len() as f64;
            let variance = intervals.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / intervals.len() as f64;
            variance.sqrt() / mean
        })
        .collect();
    variations.iter().sum::<f64>() / variations.len() as f64
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut net = Neocortex::with(Settings { dt: 0.1, seed: options.seed, ..Default::default() })?;

    // A current of this weight has, in all, the charge that moves the membrane by the jump.
    let weight = (JUMP * C / TAU_SYN) as Real;
    let sources = f64::from(IN_DEGREES[0]);
    let rate = options.eta * 1000.0 * THRESHOLD / (JUMP * sources * TAU);
    let neuron = || {
        let lif = LifPscExp::default().tau(TAU).c(C).tau_syn(TAU_SYN).v_rest(0.0).init_v(0.0);
        let drive = PoissonDrive::new(sources, rate, weight);
        (lif.threshold(THRESHOLD).v_reset(10.0), RefractoryPeriod::new(2.0), drive)
    };
    let exc = net.neurons(NAMES[0], NEURONS[0], neuron())?;
    let inh = net.neurons(NAMES[1], NEURONS[1], (neuron(), Inhibitory))?;
    for (source, n, weight) in [(exc, IN_DEGREES[0], weight), (inh, IN_DEGREES[1], options.g * weight)] {
        for target in [exc, inh] {
            let synapses = (Static::default(), Connections::fixed_in_degree(n), NoSelfConnections);
            let delay = SynapticDelays::constant(1.5);
            net.synapses(source, target, (synapses, WeightInitializer::constant(weight), delay))?;
        }
    }

    let recordings = [net.record_spikes(exc)?, net.record_spikes(inh)?];
    net.run(options.steps)?;

    let events = recordings.map(|recording| recording.events());
    for ((name, n), events) in NAMES.iter().zip(NEURONS).zip(&events) {
        let rate = events.len() as f64 * 1000.0 / (net.now() * n as f64);
        println!("{name}: {rate:.1} Hz, variation of intervals {:.2}", irregularity(events, n));
    }
    std::fs::create_dir_all(&options.out)?;
    let some: [Vec<_>; 2] = std::array::from_fn(|k| {
        events[k].iter().copied().filter(|(_, j)| (*j as usize) < SHOWN[k]).collect()
    });
    let of =
        |k: usize, neurons, events| PopulationSpikes { name: NAMES[k], neurons, inhibitory: k == 1, events };
    // What came last, when the start is forgotten.
    let span = (net.now() - 300.0).max(0.0)..net.now();
    let title = format!("A balanced network: g = {}, eta = {}", options.g, options.eta);
    let shown: Vec<_> = (0..2).map(|k| of(k, SHOWN[k], &some[k])).collect();
    spike_raster(&options.out.join("raster.svg"), &title, &shown, span.clone())?;
    let all: Vec<_> = (0..2).map(|k| of(k, NEURONS[k], &events[k])).collect();
    population_rates(&options.out.join("rates.svg"), &title, &all, span, 1.0)?;
    println!("the plots are in {}", options.out.display());
    Ok(())
}
