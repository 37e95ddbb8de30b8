//! A first network: an input, excitatory neurons that learn from it, and inhibitory neurons that keep them in check.
//!
//! `cargo run --release --example first_network` prints what happened and draws a spike raster.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{PopulationSpikes, spike_raster};
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of a millisecond.
    #[arg(long, default_value_t = 500)]
    steps: u64,
    /// The folder for the plot.
    #[arg(long, default_value = "conex-out/first_network")]
    out: PathBuf,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut net = Neocortex::with(Settings { seed: 42, ..Default::default() })?;

    // Two patterns of 100 intensities take turns, each for 50 ms.
    let half = |first: bool| (0..100).map(move |i| if (i < 50) == first { 1.0 } else { 0.1 });
    let patterns = Images::new(100, half(true).chain(half(false)).collect(), Some(vec![0, 1]))?;
    let stimulus = Stimulus::new(patterns, SimplePoisson::new(50, 0.05)?).silent_interval(10);
    let input = net.neurons("input", 100, (stimulus, NeuronAxon::default()))?;

    let neuron = || {
        let lif = Lif::default().tau(20.0).r(5.0).threshold(-50.0).v_rest(-65.0).v_reset(-70.0).init_v(-65.0);
        (lif, RefractoryPeriod::new(2.0), SimpleDendriteStructure::default(), NeuronAxon::default())
    };
    let exc = net.neurons("exc", 80, neuron())?;
    let inh = net.neurons("inh", 20, (neuron(), Inhibitory))?;

    let stdp = (PreTrace::new(20.0), PostTrace::new(20.0), Stdp::new(0.02, 0.012).bounds(Bound::Soft));
    let drive = (Dense, WeightInitializer::uniform(0.3, 0.7), CurrentCoef(4.0));
    let learning = net.synapses(input, exc, (drive, Proximal, stdp))?;
    let excitation = WeightInitializer::uniform(0.0, 1.0).density(0.2);
    net.synapses(exc, inh, (Sparse, excitation, CurrentCoef(8.0), Proximal))?;
    net.synapses(inh, exc, (Dense, WeightInitializer::uniform(0.0, 1.0), CurrentCoef(3.0), Proximal))?;

    net.build()?;
    println!("{}", net.describe());
    let before = net.weights(learning)?;
    let recordings = [net.record_spikes(input)?, net.record_spikes(exc)?, net.record_spikes(inh)?];
    net.run(options.steps)?;

    let events: Vec<_> = recordings.iter().map(SpikeRecording::events).collect();
    let groups = [("input", 100, false), ("exc", 80, false), ("inh", 20, true)];
    let populations: Vec<_> = groups
        .iter()
        .zip(&events)
        .map(|(&(name, neurons, inhibitory), events)| PopulationSpikes { name, neurons, inhibitory, events })
        .collect();
    std::fs::create_dir_all(&options.out)?;
    let plot = options.out.join("raster.svg");
    spike_raster(&plot, "A first network", &populations, 0.0..options.steps as f64)?;
    for population in &populations {
        println!("{}: {} spikes", population.name, population.events.len());
    }
    let change = (&net.weights(learning)? - &before).mapv(Real::abs).mean().unwrap_or(0.0);
    println!("weights from the input moved by {change:.4} on average; the raster is {}", plot.display());
    Ok(())
}
