//! Synapses: what one spike does through AMPA, GABA-A and NMDA receptors, at two potentials.
//!
//! `cargo run --release --example synapses` draws the currents of neurons that are held at -65 and at -40 mV: magnesium
//! lets little current through NMDA receptors at rest, and GABA hardly acts near its reversal potential. Then it draws the
//! potentials of neurons that are not held.

use clap::Parser;
use conex::prelude::*;
use conex::recording::StateRecording;
use conex::recording::plots::{Curve, Labels, line_plot};
use std::path::{Path, PathBuf};

#[derive(Parser)]
struct Options {
    /// Steps of 0.1 ms.
    #[arg(long, default_value_t = 1500)]
    steps: u64,
    /// The folder for the plots.
    #[arg(long, default_value = "conex-out/synapses")]
    out: PathBuf,
}

/// A curve of a plot: its name and what was recorded of one neuron.
type Recorded = (String, StateRecording);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut net = Neocortex::with(Settings { dt: 0.1, threads: 1, ..Default::default() })?;
    let pre = net.neurons("pre", 1, (InputSpikes::default(), NeuronAxon::default()))?;
    let (mut currents, mut potentials): (Vec<Recorded>, Vec<Recorded>) = (Vec::new(), Vec::new());
    for receptor in ["AMPA", "GABA-A", "NMDA"] {
        for potential in [-65.0, -40.0] {
            let label = format!("{receptor} at {potential} mV");
            let lif = Lif::default().v_rest(potential).init_v(potential).v_reset(-70.0).threshold(1e3);
            // A membrane that takes ages holds its potential.
            let held = net.neurons(
                &format!("held, {label}"),
                1,
                (lif.clone().tau(1e9), SimpleDendriteStructure::default()),
            )?;
            let free = net.neurons(&label, 1, (lif.tau(20.0), SimpleDendriteStructure::default()))?;
            for target in [held, free] {
                // A tenth of the leak, at the peak.
                let synapse =
                    net.synapses(pre, target, (Dense, WeightInitializer::constant(0.1), Proximal))?;
                match receptor {
                    "AMPA" => net.add(synapse, receptors::ampa())?,
                    "GABA-A" => net.add(synapse, receptors::gaba_a())?,
                    _ => net.add(synapse, receptors::nmda())?,
                }
            }
            currents.push((label.clone(), net.record_state(held, "I", 1)?));
            potentials.push((label, net.record_state(free, "v", 1)?));
        }
    }

    net.run(options.steps / 15)?;
    net.set_input(pre, &[0])?;
    net.run(options.steps - options.steps / 15)?;

    std::fs::create_dir_all(&options.out)?;
    let labels =
        Labels { title: "One spike, neurons held", x: "time (ms)", y: "current into the cell (mV/R)" };
    draw(&options.out.join("currents.svg"), &labels, &currents)?;
    let labels =
        Labels { title: "One spike, neurons free", x: "time (ms)", y: "change of the potential (mV)" };
    draw(&options.out.join("potentials.svg"), &labels, &potentials)?;
    println!("the plots are in {}", options.out.display());
    Ok(())
}

/// Draws what was recorded, relative to how it began, and says where each curve is farthest from there.
fn draw(path: &Path, labels: &Labels, recorded: &[Recorded]) -> Result<(), Box<dyn std::error::Error>> {
    println!("{}:", labels.title);
    let mut curves = Vec::new();
    for (label, recording) in recorded {
        let values: Vec<f64> = recording.values().column(0).iter().map(|&x| f64::from(x)).collect();
        let first = values.first().copied().unwrap_or_default();
        let changes: Vec<f64> = values.iter().map(|x| x - first).collect();
        let most = changes.iter().fold(0.0_f64, |most, x| if x.abs() > most.abs() { *x } else { most });
        println!("  {label}: {most:+.3} at most");
        curves.push((label, recording.times(), changes));
    }
    let curves: Vec<Curve> = curves.iter().map(|(label, x, y)| Curve { label, x, y }).collect();
    Ok(line_plot(path, labels, &curves, None)?)
}
