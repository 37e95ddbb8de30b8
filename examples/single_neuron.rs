//! Single neurons: LIF, ELIF and AELIF driven by the same step of current.
//!
//! `cargo run --release --example single_neuron` draws their membrane potentials: the LIF fires evenly, the ELIF shoots up
//! once it passes its rheobase threshold, and the AELIF tires.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Labels, Trace, traces};
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of 0.1 ms.
    #[arg(long, default_value_t = 3000)]
    steps: u64,
    /// The folder for the plot.
    #[arg(long, default_value = "conex-out/single_neuron")]
    out: PathBuf,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut net = Neocortex::with(Settings { dt: 0.1, threads: 1, ..Default::default() })?;
    let lif = Lif::default().tau(10.0).threshold(-50.0).v_rest(-65.0).v_reset(-70.0).init_v(-65.0);
    let neurons = [
        ("LIF", net.neurons("LIF", 1, (lif, InjectedCurrent::new(0.0)))?),
        ("ELIF", net.neurons("ELIF", 1, (Elif::default().tau(10.0), InjectedCurrent::new(0.0)))?),
        (
            "AELIF",
            net.neurons("AELIF", 1, (Aelif::default().alpha(0.2).beta(3.0), InjectedCurrent::new(0.0)))?,
        ),
    ];
    let mut recordings = Vec::new();
    for (_, neuron) in neurons {
        recordings.push((net.record_state(neuron, "v", 1)?, net.record_spikes(neuron)?));
    }

    // A tenth of the time at rest, then a step of current, then rest again.
    let rest = options.steps / 10;
    for (current, steps) in [(0.0, rest), (20.0, options.steps - 2 * rest), (0.0, rest)] {
        for (_, neuron) in neurons {
            net.world_mut().entity_mut(neuron).insert(InjectedCurrent::new(current));
        }
        net.run(steps)?;
    }

    let times = recordings[0].0.times();
    let values: Vec<_> = recordings.iter().map(|(voltage, _)| voltage.values()).collect();
    let spikes: Vec<Vec<f64>> =
        recordings.iter().map(|(_, spikes)| spikes.events().iter().map(|event| event.0).collect()).collect();
    let mut curves = Vec::new();
    for ((values, spikes), (label, _)) in values.iter().zip(&spikes).zip(neurons) {
        println!("{label}: {} spikes", spikes.len());
        curves.push(Trace { label, values: values.column(0), spikes });
    }
    std::fs::create_dir_all(&options.out)?;
    let plot = options.out.join("voltages.svg");
    let labels = Labels { title: "A step of current", x: "time (ms)", y: "v (mV)" };
    traces(&plot, &labels, &times, &curves, Some(-50.0))?;
    println!("the voltages are in {}", plot.display());
    Ok(())
}
