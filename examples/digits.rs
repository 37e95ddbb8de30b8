//! Handwritten digits, learned without labels by STDP and competition: the main job of `conex`, in one file.
//!
//! `cargo run --release --example digits` shows 1,297 digits, then asks which neuron answers to which digit, then
//! recognizes 500 digits that were never shown. With few `--steps` it has learned little and says so.

use clap::Parser;
use conex::data::digits;
use conex::prelude::*;
use ndarray::Array2;

#[derive(Parser)]
struct Options {
    /// Steps of learning, a millisecond each. Each digit takes 33.
    #[arg(long, default_value_t = 170_000)]
    steps: u64,
    /// Not used: this example draws nothing.
    #[arg(long, hide = true)]
    out: Option<std::path::PathBuf>,
}

fn main() -> conex::Result<()> {
    let options = Options::parse();
    // ON and OFF cells see what is brighter, and darker, than the mean image.
    let (train, test) = digits()?.shuffled(1).split(1297);
    let mean = train.mean();
    let (train, test) = (train.on_off_contrast(&mean, 0.19)?, test.on_off_contrast(&mean, 0.19)?);
    let show = |images: &Images| -> conex::Result<Stimulus> {
        Ok(Stimulus::new(images.clone(), SimplePoisson::new(25, 1.0)?).silent_interval(8))
    };

    let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() })?;
    let retina = net.neurons("retina", train.shape(), (show(&train)?, NeuronAxon::default()))?;
    // A leaky neuron that tires: the exponential stands far above the threshold.
    let neuron =
        Aelif::default().threshold(0.8).v_rest(0.0).v_reset(0.0).init_v(0.0).delta(0.1).theta_rh(100.0);
    let neuron = (neuron.alpha(0.0).beta(0.15).w_tau(20_000.0), Kwta::new(1), RefractoryPeriod::new(2.0));
    let ends = || (SimpleDendriteStructure::default(), NeuronAxon::default());
    let exc = net.neurons("exc", 400, (neuron, ends()))?;
    let inh = net.neurons("inh", 100, (Lif::default().tau(5.0).threshold(0.5), Inhibitory, ends()))?;

    let stdp =
        (PreTrace::new(10.0), PostTrace::new(10.0), Stdp::new(0.001, 0.0), WeightNormalization::new(1.0));
    let start = WeightInitializer::uniform(0.2, 0.8);
    net.synapses(retina, exc, (Dense, start, CurrentCoef(5.0), Proximal, stdp))?;
    // Who fires first silences the others.
    net.synapses(exc, inh, (Dense, WeightInitializer::constant(10.0), Proximal))?;
    net.synapses(inh, exc, (Dense, WeightInitializer::constant(0.05), Proximal))?;

    net.run(options.steps)?;

    // From here on nothing learns and nothing tires.
    net.set_learning(false);
    if let Some(mut neuron) = net.world_mut().get_mut::<Aelif>(exc) {
        (neuron.beta, neuron.w_tau) = (0.0.into(), 1e12.into());
    }
    let counts = net.count_spikes(exc)?;
    let mut answers = |images: &Images| -> conex::Result<Array2<Real>> {
        net.world_mut().entity_mut(retina).insert((show(images)?, Presentation::default()));
        let mut answers = Array2::zeros((images.len(), 400));
        for mut answer in answers.rows_mut() {
            net.run(33)?;
            answer.iter_mut().zip(counts.take()).for_each(|(to, spikes)| *to = spikes as Real);
        }
        Ok(answers)
    };
    let labels = |images: &Images| images.labels().map_or_else(Vec::new, <[usize]>::to_vec);
    let readout = Readout::fit(&answers(&train)?, &labels(&train), train.classes());
    let accuracy = readout.accuracy(&answers(&test)?, &labels(&test), Weighting::Proportion);
    println!(
        "after {} steps: {:.1} % of {} unseen digits (chance 10 %)",
        options.steps,
        100.0 * accuracy,
        test.len()
    );
    Ok(())
}
