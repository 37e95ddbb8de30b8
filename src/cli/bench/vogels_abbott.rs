//! The workloads `cuba` and `coba`: the network of T. Vogels & L. Abbott (2005), with synapses that are currents or
//! conductances (R. Brette et al. 2007, doi 10.1007/s10827-007-0038-6, benchmarks 2 and 1).

use super::{Prepared, Workload};
use clap::Args;
use conex::prelude::*;
use conex::systems::random::Seed;

/// How large, and how long.
#[derive(Args)]
struct Size {
    /// Neurons. Each gets synapses from 64 others that excite and 16 that inhibit, so there have to be 82.
    #[arg(long, value_name = "N", default_value_t = 4000, value_parser = super::neurons::<82>)]
    neurons: usize,
    /// Biological seconds to run before.
    #[arg(long, value_name = "S", default_value_t = 0.5, value_parser = super::not_negative, allow_negative_numbers = true)]
    warmup: f64,
    /// Biological seconds to measure.
    #[arg(long, value_name = "S", default_value_t = 5.0, value_parser = super::above_zero, allow_negative_numbers = true)]
    seconds: f64,
}

#[derive(Args)]
pub struct Cuba {
    #[command(flatten)]
    size: Size,
}

#[derive(Args)]
pub struct Coba {
    #[command(flatten)]
    size: Size,
}

/// Excitatory and inhibitory inputs of each neuron.
const IN_DEGREE: [u32; 2] = [64, 16];

impl Workload for Cuba {
    fn prepare(&self, settings: Settings) -> conex::Result<Prepared> {
        let neuron = |v: Vec<Real>, _: &mut Draws| {
            // Capacitance and time constant are the same number, so a current is the voltage that it comes to.
            let neuron = LifPscExp::default().tau(20.0).c(20.0).v_rest(-49.0).threshold(-50.0).v_reset(-60.0);
            neuron.tau_syn(5.0).tau_syn_inh(10.0).init_v(v)
        };
        let initial = Distribution::Between { low: -60.0, high: -50.0 };
        build(settings, &self.size, neuron, initial, [1.62, 9.0])
    }
}

impl Workload for Coba {
    fn prepare(&self, settings: Settings) -> conex::Result<Prepared> {
        let neuron = |v: Vec<Real>, draws: &mut Draws| {
            let excited = draws.above_zero(Distribution::Normal { mean: 40.0, std: 15.0 }, v.len());
            let inhibited = draws.above_zero(Distribution::Normal { mean: 200.0, std: 120.0 }, v.len());
            LifCondExp::default().init_v(v).init_g_exc(excited).init_g_inh(inhibited)
        };
        let initial = Distribution::Normal { mean: -65.0, std: 5.0 };
        build(settings, &self.size, neuron, initial, [6.0, 67.0])
    }
}

/// Draws of initial values.
struct Draws(conex::systems::random::Stream);

impl Draws {
    fn above_zero(&mut self, distribution: Distribution, n: usize) -> Vec<Real> {
        distribution.draws(n, &mut self.0).into_iter().map(|x| x.max(0.0)).collect()
    }
}

/// Four neurons in five excite. `weights` are those of excitatory and inhibitory synapses.
fn build<M: NeuronModel>(
    settings: Settings,
    size: &Size,
    neuron: impl Fn(Vec<Real>, &mut Draws) -> M,
    initial: Distribution,
    weights: [Real; 2],
) -> conex::Result<Prepared> {
    let mut net = Neocortex::with(Settings { dt: 0.1, ..settings })?;
    let excitatory = (size.neurons * 4 / 5).max(1);
    let mut populations = Vec::new();
    for (name, n) in [("exc", excitatory), ("inh", (size.neurons - excitatory.min(size.neurons)).max(1))] {
        let mut draws = Draws(Seed(settings.seed).stream("initial potential", name, 0));
        let v = initial.draws(n, &mut draws.0);
        populations.push(net.neurons(name, n, (neuron(v, &mut draws), RefractoryPeriod::new(5.0)))?);
    }
    net.world_mut().entity_mut(populations[1]).insert(Inhibitory);
    for (&source, (&in_degree, &weight)) in populations.iter().zip(IN_DEGREE.iter().zip(&weights)) {
        for &target in &populations {
            let synapses = (Static::default(), Connections::fixed_in_degree(in_degree), NoSelfConnections);
            net.synapses(source, target, (synapses, WeightInitializer::constant(weight)))?;
        }
    }
    Ok(Prepared::seconds(net, (size.warmup, size.seconds)))
}
