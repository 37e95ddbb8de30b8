//! Whole steps of small and medium networks, through the public API: what a step costs beside its kernels.

use conex::prelude::*;
use criterion::{Criterion, criterion_group, criterion_main};

/// 64 inputs and 1,000 neurons that learn from them: the size of a control loop's brain.
fn small() -> conex::Result<Neocortex> {
    let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() })?;
    let intensities = (0..64 * 16).map(|k| if k % 13 == 0 { 1.0 } else { 0.0 }).collect();
    let stimulus = Stimulus::new(Images::new(64, intensities, None)?, SimplePoisson::new(1, 1.0)?);
    let input = net.neurons("input", 64, (stimulus, NeuronAxon::default()))?;
    let neuron = (Lif::default().r(5.0), SimpleDendriteStructure::default(), NeuronAxon::default());
    let exc = net.neurons("exc", 1000, neuron)?;
    let stdp = (PreTrace::new(10.0), PostTrace::new(10.0), Stdp::new(0.01, 0.012), WeightClip::default());
    let weights = WeightInitializer::uniform(0.0, 1.0);
    net.synapses(input, exc, (Dense, weights, CurrentCoef(0.12), Proximal, stdp))?;
    Ok(net)
}

/// 4,000 restless neurons with a tenth of a percent of sparse recurrence.
fn medium() -> conex::Result<Neocortex> {
    let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() })?;
    let neuron = (Lif::default().threshold(5.5), InherentNoise::uniform(0.0, 1.0));
    let ends = (SimpleDendriteStructure::default(), NeuronAxon::default());
    let exc = net.neurons("exc", 4000, (neuron, ends))?;
    let weights = WeightInitializer::uniform(0.0, 1.0).density(0.01);
    let stdp = (PreTrace::new(10.0), PostTrace::new(10.0), Stdp::new(0.001, 0.0012));
    net.synapses(exc, exc, (Sparse, weights, CurrentCoef(0.002), Proximal, stdp))?;
    Ok(net)
}

fn step(c: &mut Criterion, name: &str, net: conex::Result<Neocortex>) {
    let warm = net.and_then(|mut net| net.run(200).map(|()| net));
    match warm {
        Ok(mut net) => {
            c.bench_function(name, |b| b.iter(|| net.step()));
        }
        Err(error) => eprintln!("{name}: {error}"),
    }
}

fn networks(c: &mut Criterion) {
    step(c, "step of 1,064 neurons with dense STDP", small());
    step(c, "step of 4,000 neurons with sparse STDP", medium());
}

criterion_group!(benches, networks);
criterion_main!(benches);
