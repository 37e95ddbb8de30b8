//! A cortical column that learns from handwritten digits: an input, layer 4 behind convolutional STDP, and layers 2/3 and 5
//! made from it by saving, editing and building it again, joined by layer connections and through ports.
//!
//! `cargo run --release --example cortical_column` draws the column as a tree, runs it and plots its spikes and what its
//! kernels learned. `--data DIR` takes MNIST instead of the digits that come with conex.

use clap::Parser;
use conex::data::{Mnist, digits};
use conex::prelude::*;
use conex::recording::plots::{PopulationSpikes, receptive_fields, spike_raster};
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of a millisecond.
    #[arg(long, default_value_t = 600)]
    steps: u64,
    /// The folder for the plots.
    #[arg(long, default_value = "conex-out/cortical_column")]
    out: PathBuf,
    /// A folder with MNIST's IDX files.
    #[arg(long)]
    data: Option<PathBuf>,
}

/// Builds the column `V1` behind the layer `input`, which shows `images` of 28 x 28.
fn build(net: &mut Neocortex, images: Images) -> conex::Result<()> {
    let neuron =
        || (Lif::default().r(5.0).tau(10.0), SimpleDendriteStructure::default(), NeuronAxon::default());
    let dense = |strength| (Dense, WeightInitializer::uniform(0.0, 1.0), Proximal, CurrentCoef(strength));
    let stdp = || (Stdp::new(0.01, 0.002), PreTrace::new(10.0), PostTrace::new(10.0));

    let shown = Stimulus::new(images, Poisson::new(30, 5.0 / 30.0)?);
    let input = net.input_layer("input").sensory(shown).output("spikes", "sensory", ()).build()?;
    let column = net.cortical_column("V1").build()?;
    let l4 = net
        .cortical_layer("V1/L4")
        .excitatory(Grid::new(4, 24, 24), neuron())
        .inhibitory(576, neuron())
        .synapses("exc", "exc", dense(0.001))
        .synapses("exc", "inh", dense(0.010))
        .synapses("inh", "exc", dense(0.020))
        .synapses("inh", "inh", dense(0.004))
        .input("feedforward", "exc", Proximal)
        .build()?;

    let mut upper = net.save(l4)?;
    upper.population("exc")?.resize(400);
    upper.population("inh")?.resize(100);
    for (name, strength) in
        [("exc -> exc", 0.003), ("exc -> inh", 0.03), ("inh -> exc", 0.15), ("inh -> inh", 0.02)]
    {
        upper.projection(name)?.set(&CurrentCoef(strength))?;
    }
    let l23 = net.load("V1/L23", &upper)?;
    let l5 = net.replicate(l23, "V1/L5")?;

    let up =
        net.connect_layers("V1/L4 to L23", l4, l23).synapses("exc", "exc", (dense(0.007), stdp())).build()?;
    let mut down = net.save(up)?;
    down.projection("exc -> exc")?.set(&CurrentCoef(0.03))?;
    net.load_between("V1/L23 to L5", &down, l23, l5)?;

    net.open_port(column, Direction::Input, "retina", (l4, "feedforward"), ())?;
    let kernels = (Conv2d::new(5, 5), WeightInitializer::uniform(0.0, 1.0), stdp());
    net.synapsis((input, "spikes"), (column, "retina"), kernels)?;
    Ok(())
}

/// The digits of 8 x 8 pixels, each pixel three wide, with a margin of two.
fn enlarged(digits: &Images) -> conex::Result<Images> {
    let enlarge = |index: usize| {
        let pixel = move |y: usize, x: usize| {
            (y >= 2 && x >= 2 && y < 26 && x < 26).then(|| (y - 2) / 3 * 8 + (x - 2) / 3)
        };
        let places = (0..28).flat_map(move |y| (0..28).map(move |x| pixel(y, x)));
        places.map(move |at| at.map_or(0.0, |at| digits.intensities(index)[at]))
    };
    let intensities = (0..digits.len()).flat_map(enlarge).collect();
    Ok(Images::new((1, 28, 28), intensities, digits.labels().map(<[usize]>::to_vec))?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let images = match &options.data {
        Some(folder) => Mnist::read(folder)?.0.take(2000),
        None => enlarged(&digits()?.shuffled(1))?,
    };
    let mut net = Neocortex::new()?;
    build(&mut net, images)?;
    net.build()?;
    print!("{}", net.describe().tree());

    let names = ["input/sensory", "V1/L4/exc", "V1/L23/exc", "V1/L5/exc"];
    let mut layers = Vec::new();
    for name in names {
        let layer = net.find(name)?;
        layers.push((name, net.get::<Population>(layer)?.size(), net.record_spikes(layer)?));
    }
    net.run(options.steps)?;

    std::fs::create_dir_all(&options.out)?;
    net.save_network()?.write(options.out.join("column.ron"))?;
    let events: Vec<_> = layers.iter().map(|(_, _, spikes)| spikes.events()).collect();
    let shown = layers.iter().zip(&events).map(|(&(name, neurons, _), events)| {
        println!("{name}: {:.1} spikes a step", events.len() as f64 / options.steps as f64);
        PopulationSpikes { name, neurons, inhibitory: false, events }
    });
    let shown: Vec<_> = shown.collect();
    let from = options.steps.saturating_sub(300) as f64;
    spike_raster(
        &options.out.join("raster.svg"),
        "Spikes in the column",
        &shown,
        from..options.steps as f64,
    )?;
    let kernels = net.find("input.spikes -> V1.retina : input/sensory -> V1/L4/exc")?;
    let kernels = net.weights(kernels)?.into_shape_with_order((4, 5, 5))?;
    receptive_fields(
        &options.out.join("kernels.svg"),
        "What the kernels of layer 4 learned",
        kernels.view(),
    )?;
    println!("the structure, the spikes and the kernels are in {}", options.out.display());
    Ok(())
}
