//! The workload `plastic`: competing neurons learn from a large input.

use super::reinforcement::random_patterns;
use super::{Prepared, Steps, Workload};
use clap::Args;
use conex::prelude::*;
use conex::systems::random::Stream;

#[derive(Args)]
pub struct Plastic {
    /// Neurons that learn.
    #[arg(long, value_name = "N", default_value_t = 400)]
    neurons: usize,
    #[command(flatten)]
    steps: Steps,
}

/// Neurons of the input.
const INPUTS: u32 = 784;

/// One instance: a pattern a step.
struct Patterns(Vec<Vec<u32>>);

impl SpikeDataset for Patterns {
    fn len(&self) -> usize {
        1
    }
    fn shape(&self) -> Grid {
        (INPUTS as usize).into()
    }
    fn train(&self, _: usize, _: &mut Stream, train: &mut SpikeTrain) {
        train.steps.clone_from(&self.0);
    }
    fn label(&self, _: usize) -> Option<usize> {
        None
    }
}

impl Workload for Plastic {
    fn prepare(&self, settings: Settings) -> conex::Result<Prepared> {
        let patterns = Patterns(random_patterns(settings.seed, 1024, INPUTS, 0.05));
        let mut net = Neocortex::with(settings)?;
        let input =
            net.neurons("input", INPUTS as usize, (Stimulus::spikes(patterns), NeuronAxon::default()))?;
        let lif = Lif::default().tau(10.0).threshold(-55.0).v_rest(-65.0).v_reset(-70.0).init_v(-65.0);
        let ends = (SimpleDendriteStructure::default(), NeuronAxon::default());
        let exc = net.neurons("exc", self.neurons, (lif, Kwta::new(5), ends))?;
        let rule = Stdp::new(0.02, 0.01).bounds(Bound::Soft);
        let learning = (PreTrace::new(10.0), PostTrace::new(10.0), rule, WeightClip::new(0.0, 1.0));
        let synapses = (Dense, WeightInitializer::uniform(0.0, 0.5), CurrentCoef(2.0), Proximal);
        net.synapses(input, exc, (synapses, learning))?;
        Ok(Prepared::new(net, &self.steps, (1000, 20_000)))
    }
}
