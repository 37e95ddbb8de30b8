//! Competition: k winners of a whole population, or in every line along a dimension of its grid.
//!
//! `cargo run --release --example competition` gives every neuron of a grid enough current to fire, lets them compete, and
//! draws who fired at the last step: rows and planes below one another, columns side by side.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Labels, PopulationSpikes, matrix, spike_raster};
use ndarray::Array2;
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of a millisecond.
    #[arg(long, default_value_t = 200)]
    steps: u64,
    /// The folder for the plots.
    #[arg(long, default_value = "conex-out/competition")]
    out: PathBuf,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let grid = Grid::new(3, 4, 8);
    let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() })?;
    // With tau = dt a neuron remembers nothing: each step is a competition of its own, which noise decides.
    let neurons = || (Lif::default().tau(1.0), InjectedCurrent::new(3.0), InherentNoise::uniform(-1.0, 1.0));
    let populations = [
        ("5 of all", net.neurons("5 of all", grid, (neurons(), Kwta::new(5)))?),
        (
            "1 along depth",
            net.neurons("1 along depth", grid, (neurons(), Kwta::new(1).along(Dimension::Depth)))?,
        ),
        (
            "1 along height",
            net.neurons("1 along height", grid, (neurons(), Kwta::new(1).along(Dimension::Height)))?,
        ),
        (
            "1 along width",
            net.neurons("1 along width", grid, (neurons(), Kwta::new(1).along(Dimension::Width)))?,
        ),
    ];
    let mut recordings = Vec::new();
    for (_, population) in populations {
        recordings.push(net.record_spikes(population)?);
    }
    net.run(options.steps)?;

    std::fs::create_dir_all(&options.out)?;
    let rows: Vec<String> =
        (0..grid.depth).flat_map(|d| (0..grid.height).map(move |h| format!("plane {d}, row {h}"))).collect();
    let columns: Vec<String> = (0..grid.width).map(|w| w.to_string()).collect();
    for (label, population) in populations {
        let winners = net.spikes(population)?;
        let mut fired = Array2::zeros((rows.len(), columns.len()));
        for &j in winners {
            fired[[j as usize / grid.width, j as usize % grid.width]] = 1.0;
        }
        println!("{label}: {} winners of {}", winners.len(), grid.len());
        let title = format!("Who fired at the last step: {label}");
        let labels = Labels { title: &title, x: "column", y: "" };
        let path = options.out.join(label.replace(' ', "_")).with_extension("svg");
        matrix(&path, &labels, fired.view(), &rows, &columns)?;
    }
    let events: Vec<_> = recordings.iter().map(|recording| recording.events()).collect();
    let spikes: Vec<PopulationSpikes> = populations
        .iter()
        .zip(&events)
        .map(|((name, _), events)| PopulationSpikes { name, neurons: grid.len(), inhibitory: false, events })
        .collect();
    let end = options.steps as f64;
    spike_raster(&options.out.join("raster.svg"), "Winners", &spikes, (end - 50.0).max(0.0)..end + 1.0)?;
    println!("the winners are in {}", options.out.display());
    Ok(())
}
