//! Dendrites: proximal input drives a neuron, distal and apical input only prime it.
//!
//! `cargo run --release --example dendrites` lets the same spikes reach five neurons by different compartments and draws
//! their membrane potentials: proximal input alone is too weak, distal or apical input alone lifts the neuron to its limit
//! and never fires it, and both together do. The apical input of the last neuron comes 20 ms late.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Labels, Trace, traces};
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of a millisecond.
    #[arg(long, default_value_t = 200)]
    steps: u64,
    /// The folder for the plot.
    #[arg(long, default_value = "conex-out/dendrites")]
    out: PathBuf,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() })?;
    let context = net.neurons("context", 1, (InputSpikes::default(), NeuronAxon::default()))?;
    let sense = net.neurons("sense", 1, (InputSpikes::default(), NeuronAxon::default()))?;
    let neuron = || {
        let lif = Lif::default().tau(10.0).threshold(-50.0).v_rest(-65.0).v_reset(-70.0).init_v(-65.0);
        let dendrite = SimpleDendriteStructure { apical_max_delay: Some(30), ..Default::default() };
        // Context brings the neuron up to 70 % of the way from rest to threshold.
        let computation = SimpleDendriteComputation::default()
            .distal_provocativeness(0.7 as Real)
            .apical_provocativeness(0.7 as Real);
        (lif, dendrite, computation)
    };
    // Who reaches which compartment, and after how many steps.
    type Reached<'a> = &'a [(Entity, Compartment, i64)];
    let cases: [(&str, Reached<'_>); 5] = [
        ("proximal", &[(sense, Proximal, 0)]),
        ("distal", &[(context, Distal, 0)]),
        ("proximal and distal", &[(sense, Proximal, 0), (context, Distal, 0)]),
        ("proximal and apical", &[(sense, Proximal, 0), (context, Apical, 0)]),
        ("apical 20 ms late", &[(sense, Proximal, 0), (context, Apical, 20)]),
    ];
    let mut recordings = Vec::new();
    for (label, inputs) in cases {
        let post = net.neurons(label, 1, neuron())?;
        for &(source, compartment, delay) in inputs {
            // 40 units of current for a millisecond lift v by 4 mV; tanh of the context's current primes.
            let weight = if compartment == Proximal { 40.0 } else { 0.5 };
            let delays = DelayInitializer::default().destination_delays(Delays::Given(vec![delay]));
            net.synapses(source, post, (Dense, WeightInitializer::constant(weight), compartment, delays))?;
        }
        recordings.push((net.record_state(post, "v", 1)?, net.record_spikes(post)?));
    }

    // Context for 20 ms of every 100, and three sensory spikes in the middle of it.
    for step in 0..options.steps {
        let phase = step % 100;
        if (20..40).contains(&phase) {
            net.set_input(context, &[0])?;
        }
        if [28, 30, 32].contains(&phase) {
            net.set_input(sense, &[0])?;
        }
        net.step()?;
    }

    let times = recordings[0].0.times();
    let values: Vec<_> = recordings.iter().map(|(voltage, _)| voltage.values()).collect();
    let spikes: Vec<Vec<f64>> =
        recordings.iter().map(|(_, spikes)| spikes.events().iter().map(|event| event.0).collect()).collect();
    let mut curves = Vec::new();
    for ((values, spikes), (label, _)) in values.iter().zip(&spikes).zip(cases) {
        println!("{label}: {} spikes", spikes.len());
        curves.push(Trace { label, values: values.column(0), spikes });
    }
    std::fs::create_dir_all(&options.out)?;
    let plot = options.out.join("voltages.svg");
    let labels = Labels {
        title: "Proximal input drives, distal and apical input primes",
        x: "time (ms)",
        y: "v (mV)",
    };
    traces(&plot, &labels, &times, &curves, Some(-50.0))?;
    println!("the voltages are in {}", plot.display());
    Ok(())
}
