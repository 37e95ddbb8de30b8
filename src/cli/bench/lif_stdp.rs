//! The workload `lif-stdp`: every neuron reaches every other, and learns from spikes in successive steps.

use super::{Prepared, Steps, Workload};
use clap::Args;
use conex::prelude::*;
use conex::systems::dynamics::{Range, check_parameter};
use conex::systems::learning::Potentiation;

#[derive(Args)]
pub struct LifStdp {
    /// Neurons.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = super::neurons::<1>)]
    neurons: usize,
    #[command(flatten)]
    steps: Steps,
}

/// Strengthens a synapse by `rate`, up to a weight of 1, when its source fired in the step before and its target fires.
///
/// It needs a [`PreTrace`] of the nearest spike that halves with each step: 1/2 in the step of a spike, 1/4 in the next.
/// A neuron that fired in both has 1/2; none does here, for it takes many steps from the reset to the threshold.
#[derive(Component, Clone, Copy, Debug)]
#[require(Plastic)]
struct SuccessiveSpikes {
    rate: Real,
}

impl PlasticityRule for SuccessiveSpikes {
    #[inline(always)]
    fn on_pre_spike(&self, _: Real, _: Traces) -> Real {
        0.0
    }

    #[inline(always)]
    fn on_post_spike(&self, w: Real, traces: Traces) -> Real {
        if traces.pre == 0.25 { self.rate.min(1.0 - w) } else { 0.0 }
    }

    fn learns_at_pre_spikes(&self) -> bool {
        false
    }

    fn potentiation(&self) -> Potentiation {
        // Traces go 0.5, 0.25, 0.125: one step behind the spike is the only one that counts.
        Potentiation::Any { silent_below: 0.2 }
    }

    fn check(&self, projection: &str) -> conex::systems::Result<()> {
        check_parameter(projection, "SuccessiveSpikes", "rate", &self.rate.into(), 1, Range::NotNegative)
    }
}

impl Workload for LifStdp {
    fn prepare(&self, settings: Settings) -> conex::Result<Prepared> {
        let mut net = Neocortex::with(settings)?;
        net.register_plasticity_rule::<SuccessiveSpikes>();
        // With R = tau a step leaves 0.9 of v and adds the whole current.
        let lif = Lif::default().r(10.0).tau(10.0).threshold(6.0);
        let ends = (SimpleDendriteStructure::default(), NeuronAxon::default());
        let exc = net.neurons("exc", self.neurons, (lif, InherentNoise::uniform(0.0, 1.0), ends))?;
        let rule = SuccessiveSpikes { rate: 0.001 };
        let learning = (PreTrace::new(2.0).nearest(), PostTrace::new(2.0).nearest(), rule);
        let weights = WeightInitializer::uniform(0.0, 1.0 / self.neurons as Real);
        net.synapses(exc, exc, (Dense, weights, Proximal, learning))?;
        Ok(Prepared::new(net, &self.steps, (0, 300)))
    }
}
