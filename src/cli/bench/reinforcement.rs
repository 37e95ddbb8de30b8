//! The workload `reinforcement`: the brain of a control loop, whose reward becomes dopamine.

use super::{Prepared, Steps, Workload};
use clap::Args;
use conex::prelude::*;
use conex::systems::random::Seed;
use rand::RngExt;
use std::hint::black_box;

#[derive(Args)]
pub struct Reinforcement {
    /// Neurons that learn.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    neurons: usize,
    #[command(flatten)]
    steps: Steps,
}

/// Neurons that an observation is written to.
const INPUTS: u32 = 64;

/// Observations, one a step, until the first comes again.
const OBSERVATIONS: u64 = 512;

impl Workload for Reinforcement {
    fn prepare(&self, settings: Settings) -> conex::Result<Prepared> {
        let observations = random_patterns(settings.seed, OBSERVATIONS, INPUTS, 0.08);
        let mut net = Neocortex::with(settings)?;
        let input = net.neurons("input", INPUTS as usize, (InputSpikes::default(), NeuronAxon::default()))?;
        let neuron = (Lif::default().r(5.0).tau(10.0).threshold(1.0), SimpleDendriteStructure::default());
        let exc = net.neurons("exc", self.neurons, (neuron, NeuronAxon::default()))?;
        let rule = Rstdp::new(Stdp::new(0.01, 0.012), 100.0);
        let learning = (PreTrace::new(10.0), PostTrace::new(10.0), rule, WeightClip::new(0.0, 1.0));
        let synapses = (Dense, WeightInitializer::uniform(0.0, 1.0), CurrentCoef(0.12), Proximal);
        net.synapses(input, exc, (synapses, learning))?;
        net.set_dopamine(Dopamine::new(5.0));

        let mut turn = 0;
        let mut prepared = Prepared::new(net, &self.steps, (1000, 20_000));
        prepared.control = Some(Box::new(move |net| {
            net.set_input(input, &observations[turn % observations.len()])?;
            net.set_payoff(if turn.is_multiple_of(2) { 0.001 } else { -0.001 })?;
            net.step()?;
            black_box(net.spikes(exc)?);
            turn += 1;
            Ok(())
        }));
        Ok(prepared)
    }
}

/// Random sets of neurons, each of the `neurons` in them with probability `share`.
pub fn random_patterns(seed: u64, patterns: u64, neurons: u32, share: f64) -> Vec<Vec<u32>> {
    let pattern = |k| {
        let mut random = Seed(seed).stream("patterns", "bench", k);
        (0..neurons).filter(|_| random.random_bool(share)).collect()
    };
    (0..patterns).map(pattern).collect()
}
