//! Kinds of connectivity: what each makes of the same spikes.
//!
//! `cargo run --release --example connectivity` lets a ring and a bar of neurons fire and draws the current that each kind
//! brings to its target: one-to-one copies, dense and sparse synapses mix, a convolution finds edges, local kernels do
//! so each in its own way, lateral synapses inhibit the surround, pooling makes it coarser.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Image, images};
use ndarray::{Array2, Array4};
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of a millisecond; the spikes of one are the currents of the next.
    #[arg(long, default_value_t = 2)]
    steps: u64,
    /// The folder for the plot.
    #[arg(long, default_value = "conex-out/connectivity")]
    out: PathBuf,
}

/// The sides of the source [neurons].
const SIDE: usize = 24;

/// A ring, and a bar beside it.
fn fires(row: usize, column: usize) -> bool {
    let distance = (row as f64 - 10.0).hypot(column as f64 - 9.0);
    (5.0..7.0).contains(&distance) || ((3..22).contains(&row) && (19..21).contains(&column))
}

/// A hat: near neighbours excite, farther ones inhibit, and all weights sum to about 0.
fn hat(height: usize, width: usize) -> WeightInitializer {
    let weights = Array2::from_shape_fn((height, width), |(row, column)| {
        let (y, x) = (row as f64 - (height / 2) as f64, column as f64 - (width / 2) as f64);
        if y.hypot(x) < 1.5 { 1.0 } else { -9.0 / (height * width - 9) as Real }
    });
    WeightInitializer::dense(vec![1, 1, 1, height, width], weights.into_iter().collect())
}

/// Right minus left: zero on even ground, strong on upright edges.
fn edges() -> WeightInitializer {
    WeightInitializer::kernels(Array4::from_shape_fn((1, 1, 3, 3), |(_, _, _, column)| column as Real - 1.0))
}

/// A target of `side` x `side` neurons that the source reaches through this kind: its label, the projection, its side.
fn connect<'a>(
    net: &mut Neocortex,
    source: Entity,
    label: &'a str,
    side: usize,
    kind: impl Bundle,
) -> conex::Result<(&'a str, Entity, usize)> {
    let neurons = (Lif::default(), SimpleDendriteStructure::default());
    let target = net.neurons(label, (1, side, side), neurons)?;
    Ok((label, net.synapses(source, target, (kind, Proximal))?, side))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() })?;
    let behaviours = (InputSpikes::default(), NeuronAxon::default());
    let source = net.neurons("source", (1, SIDE, SIDE), behaviours)?;

    let mut shown = vec![
        connect(&mut net, source, "One2One", SIDE, (One2One, WeightInitializer::ones()))?,
        connect(&mut net, source, "Dense", SIDE, (Dense, WeightInitializer::uniform(0.0, 0.02)))?,
        connect(
            &mut net,
            source,
            "Sparse, 1 % of all pairs",
            SIDE,
            (Sparse, WeightInitializer::lognormal(-1.0, 0.5).density(0.01)),
        )?,
        connect(&mut net, source, "Conv2d, right minus left", SIDE - 2, (Conv2d::new(3, 3), edges()))?,
        connect(
            &mut net,
            source,
            "Local2d, random kernels",
            SIDE - 2,
            (Local2d::new(3, 3), WeightInitializer::normal(0.0, 0.3)),
        )?,
        connect(&mut net, source, "AveragePool2d", SIDE / 3, AveragePool2d)?,
        connect(&mut net, source, "MaxPool2d", SIDE / 3, MaxPool2d)?,
    ];
    // Lateral synapses stay within the population.
    let lateral = net.synapses(source, source, (Lateral::new(1, 7, 7), hat(7, 7), Proximal))?;
    shown.insert(5, ("Lateral, a hat", lateral, SIDE));

    let fired: Vec<u32> =
        (0..(SIDE * SIDE) as u32).filter(|&i| fires(i as usize / SIDE, i as usize % SIDE)).collect();
    for _ in 0..options.steps {
        net.set_input(source, &fired)?;
        net.step()?;
    }

    let spikes = net.state(source, "spikes")?;
    let mut pictures = vec![("the spikes", Array2::from_shape_vec((SIDE, SIDE), spikes)?)];
    for (label, projection, side) in shown {
        pictures.push((label, Array2::from_shape_vec((side, side), net.state(projection, "I")?)?));
    }
    for (label, values) in &pictures {
        let (low, high) = values.iter().fold((Real::MAX, Real::MIN), |(lo, hi), &x| (lo.min(x), hi.max(x)));
        println!("{label}: {low:.2} to {high:.2}");
    }
    std::fs::create_dir_all(&options.out)?;
    let plot = options.out.join("currents.svg");
    let all: Vec<_> = pictures.iter().map(|(label, values)| Image { label, values: values.view() }).collect();
    images(&plot, "Kinds of connectivity", "the current that each brings to its target", &all)?;
    println!("the currents are in {}", plot.display());
    Ok(())
}
