//! The workload `izhikevich-stdp`: every neuron reaches every other, and learns by STDP whose changes fade at the ends.

use super::{Prepared, Steps, Workload};
use clap::Args;
use conex::prelude::*;
use conex::systems::dynamics::izhikevich::Scheme;
use conex::systems::dynamics::{Range, check_parameter};
use conex::systems::random::Seed;

#[derive(Args)]
pub struct IzhikevichStdp {
    /// Neurons.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = super::neurons::<1>)]
    neurons: usize,
    #[command(flatten)]
    steps: Steps,
}

/// `dw = −a_minus·y_j·w` when i fires, `dw = a_plus·x_i·(1 − w)` when j fires.
#[derive(Component, Clone, Copy, Debug)]
#[require(Plastic)]
struct MultiplicativeStdp {
    a_plus: Real,
    a_minus: Real,
}

impl PlasticityRule for MultiplicativeStdp {
    #[inline(always)]
    fn on_pre_spike(&self, w: Real, traces: Traces) -> Real {
        -self.a_minus * traces.post * w
    }

    #[inline(always)]
    fn on_post_spike(&self, w: Real, traces: Traces) -> Real {
        self.a_plus * traces.pre * (1.0 - w)
    }

    fn check(&self, projection: &str) -> conex::systems::Result<()> {
        for (name, value) in [("a_plus", self.a_plus), ("a_minus", self.a_minus)] {
            check_parameter(projection, "MultiplicativeStdp", name, &value.into(), 1, Range::NotNegative)?;
        }
        Ok(())
    }
}

impl Workload for IzhikevichStdp {
    fn prepare(&self, settings: Settings) -> conex::Result<Prepared> {
        let n = self.neurons;
        let normal = |what, mean, std| -> Vec<Real> {
            let mut random = Seed(settings.seed).stream(what, "exc", 0);
            (0..n).map(|_| Distribution::Normal { mean, std }.draw(&mut random)).collect()
        };
        let mut net = Neocortex::with(settings)?;
        net.register_plasticity_rule::<MultiplicativeStdp>();
        let neuron = Izhikevich { scheme: Scheme::Euler, ..Default::default() };
        let neuron = neuron.a(0.02).b(0.04).c(-65.0).d(2.0).threshold(30.0);
        let neuron = neuron.init_v(normal("v", -65.0, 7.0)).init_u(normal("u", 12.0, 7.0));
        // The noise of the current joins v whole at dt = 1.
        let drive = (InjectedCurrent::new(15.0), InherentNoise::normal(0.0, 1.0));
        let ends = (SimpleDendriteStructure::default(), NeuronAxon::default());
        let exc = net.neurons("exc", n, (neuron, drive, ends))?;
        // x ← x − x/20 + spike: what a spike adds does not decay in its own step.
        let scale = 1.0 / (1.0 - 1.0 / 20.0);
        let traces = (PreTrace::new(20.0).spike_scale(scale), PostTrace::new(20.0).spike_scale(scale));
        let rule = MultiplicativeStdp { a_plus: 0.01, a_minus: 0.012 };
        let synapses = (Dense, WeightInitializer::uniform(0.0, 1.0), CurrentCoef(1.0 / n as Real), Proximal);
        net.synapses(exc, exc, (synapses, traces, rule))?;
        Ok(Prepared::new(net, &self.steps, (0, 300)))
    }
}
