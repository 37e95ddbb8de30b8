//! Neuron models: what each does with a step of current.
//!
//! `cargo run --release --example neuron_models` draws the membrane potentials of the integrate-and-fire family, with a LIF
//! among them that `Adaptation` makes tire, and of the kinds of Izhikevich's model.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Labels, Trace, traces};
use conex::recording::{SpikeRecording, StateRecording};
use std::path::{Path, PathBuf};

#[derive(Parser)]
struct Options {
    /// Steps of 0.1 ms.
    #[arg(long, default_value_t = 3000)]
    steps: u64,
    /// The folder for the plots.
    #[arg(long, default_value = "conex-out/neuron_models")]
    out: PathBuf,
}

/// One neuron that is recorded.
struct Watched {
    label: &'static str,
    neuron: Entity,
    /// The step of current \[unit of current\].
    current: f64,
    voltage: StateRecording,
    spikes: SpikeRecording,
}

fn watch(
    net: &mut Neocortex,
    label: &'static str,
    current: f64,
    model: impl Bundle,
) -> conex::Result<Watched> {
    let neuron = net.neurons(label, 1, (model, InjectedCurrent::new(0.0)))?;
    let (voltage, spikes) = (net.record_state(neuron, "v", 1)?, net.record_spikes(neuron)?);
    Ok(Watched { label, neuron, current, voltage, spikes })
}

fn draw(path: &Path, title: &str, neurons: &[Watched], threshold: f64) -> conex::Result<()> {
    let times = neurons[0].voltage.times();
    let values: Vec<_> = neurons.iter().map(|neuron| neuron.voltage.values()).collect();
    let spikes: Vec<Vec<f64>> =
        neurons.iter().map(|neuron| neuron.spikes.events().iter().map(|event| event.0).collect()).collect();
    let each = neurons.iter().zip(&values).zip(&spikes);
    let curves: Vec<Trace> = each
        .map(|((neuron, values), spikes)| Trace { label: neuron.label, values: values.column(0), spikes })
        .collect();
    traces(path, &Labels { title, x: "time (ms)", y: "v (mV)" }, &times, &curves, Some(threshold))?;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut net = Neocortex::with(Settings { dt: 0.1, threads: 1, ..Default::default() })?;
    let lif = || Lif::default().threshold(-50.0).v_rest(-65.0).v_reset(-70.0).init_v(-65.0);
    // A spike brings beta·dt to each: 2 units of current that are soon forgotten, and 0.3 that stay.
    let tiring = Adaptation::new(0.0, 20.0, 20.0).and(0.0, 3.0, 200.0);
    let family = [
        watch(&mut net, "LIF", 20.0, lif())?,
        watch(&mut net, "LIF with adaptation", 20.0, (lif(), tiring))?,
        watch(&mut net, "ELIF", 20.0, Elif::default())?,
        watch(&mut net, "AELIF", 20.0, Aelif::default().alpha(0.2).beta(20.0))?,
    ];
    let kinds = [
        watch(&mut net, "regular spiking", 10.0, Izhikevich::regular_spiking())?,
        watch(&mut net, "intrinsically bursting", 10.0, Izhikevich::intrinsically_bursting())?,
        watch(&mut net, "chattering", 10.0, Izhikevich::chattering())?,
        watch(&mut net, "fast spiking", 10.0, Izhikevich::fast_spiking())?,
        watch(&mut net, "low-threshold spiking", 10.0, Izhikevich::low_threshold_spiking())?,
        watch(&mut net, "thalamo-cortical", 2.0, Izhikevich::thalamo_cortical().init_v(-64.4))?,
        watch(&mut net, "resonator", 1.0, Izhikevich::resonator().init_v(-62.5))?,
    ];

    // A tenth of the time at rest, then a step of current, then rest again.
    let rest = options.steps / 10;
    for (on, steps) in [(0.0, rest), (1.0, options.steps - 2 * rest), (0.0, rest)] {
        for watched in family.iter().chain(&kinds) {
            let current = InjectedCurrent::new(on * watched.current);
            net.world_mut().entity_mut(watched.neuron).insert(current);
        }
        net.run(steps)?;
    }

    for watched in family.iter().chain(&kinds) {
        println!("{}: {} spikes", watched.label, watched.spikes.len());
    }
    std::fs::create_dir_all(&options.out)?;
    draw(
        &options.out.join("integrate_and_fire.svg"),
        "A step of current: integrate-and-fire",
        &family,
        -50.0,
    )?;
    draw(&options.out.join("izhikevich.svg"), "A step of current: Izhikevich's model", &kinds, 30.0)?;
    println!("the voltages are in {}", options.out.display());
    Ok(())
}
