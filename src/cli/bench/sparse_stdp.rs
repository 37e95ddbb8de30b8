//! The workload `sparse-stdp`: restless neurons learn through sparse recurrent synapses.

use super::{Prepared, Steps, Workload};
use clap::Args;
use conex::prelude::*;

#[derive(Args)]
pub struct SparseStdp {
    /// Neurons.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = super::neurons::<1>)]
    neurons: usize,
    #[command(flatten)]
    steps: Steps,
}

impl Workload for SparseStdp {
    fn prepare(&self, settings: Settings) -> conex::Result<Prepared> {
        let mut net = Neocortex::with(settings)?;
        // At this threshold the noise lets about 1.1 % fire at each step.
        let neuron = (Lif::default().r(1.0).tau(10.0).threshold(6.01), InherentNoise::uniform(0.0, 1.0));
        let ends = (SimpleDendriteStructure::default(), NeuronAxon::default());
        let exc = net.neurons("exc", self.neurons, (neuron, ends))?;
        let learning = (PreTrace::new(10.0), PostTrace::new(10.0), Stdp::new(0.001, 0.0012));
        let weights = WeightInitializer::uniform(0.0, 1.0).density(0.01);
        net.synapses(exc, exc, (Sparse, weights, CurrentCoef(0.002), Proximal, learning))?;
        Ok(Prepared::new(net, &self.steps, (200, 2000)))
    }
}
