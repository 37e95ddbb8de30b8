//! The workload `balanced-stdp`: a balanced network whose excitatory synapses learn (A. Morrison, A. Aertsen & M. Diesmann
//! 2007, doi 10.1162/neco.2007.19.6.1437), with the numbers of NEST's `hpc_benchmark`.

use super::{Prepared, Workload};
use clap::Args;
use conex::prelude::*;
use conex::systems::random::Seed;

#[derive(Args)]
pub struct BalancedStdp {
    /// The share of the neurons, and of the synapses of each, that is kept.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = super::scale, allow_negative_numbers = true)]
    scale: f64,
    /// Biological seconds to run before.
    #[arg(long, value_name = "S", default_value_t = 0.1, value_parser = super::not_negative, allow_negative_numbers = true)]
    warmup: f64,
    /// Biological seconds to measure.
    #[arg(long, value_name = "S", default_value_t = 1.0, value_parser = super::above_zero, allow_negative_numbers = true)]
    seconds: f64,
}

/// Neurons that excite, and inputs that each neuron gets from them.
const EXCITATORY: f64 = 9000.0;
/// The same for those that inhibit.
const INHIBITORY: f64 = 2250.0;
/// Membrane time constant \[ms\].
const TAU: f64 = 10.0;
/// Membrane capacitance \[pF\].
const C: f64 = 250.0;
/// Time to the peak of a synaptic current \[ms\].
const TAU_SYN: f64 = 0.325_827_224_037_228_4;
/// Firing threshold; rest and reset are 0 \[mV\].
const THRESHOLD: f64 = 20.0;
/// The peak of the potential that a spike of an excitatory neuron brings \[mV\].
const PEAK: f64 = 0.14;
/// How many times as strong inhibition is.
const INHIBITION: f64 = 5.0;
/// The input from outside, in proportion to what brings the potential just to its threshold.
const OUTSIDE: f64 = 1.685;
/// From a spike to its arrival \[ms\].
const DELAY: f64 = 1.5;

impl Workload for BalancedStdp {
    fn prepare(&self, settings: Settings) -> conex::Result<Prepared> {
        let mut net = Neocortex::with(Settings { dt: 0.1, ..settings })?;
        let kept = |n: f64| ((n * self.scale).round() as usize).max(1);
        let (n_exc, n_inh) = (kept(EXCITATORY), kept(INHIBITORY));
        // With fewer inputs each is stronger, which keeps the mean of what arrives.
        let weight = weight() * EXCITATORY / n_exc as f64;
        // The rate of spikes from outside at which the mean potential is the threshold \[1/ms\].
        let threshold_rate = THRESHOLD * C / (TAU * weight * std::f64::consts::E * TAU_SYN);
        let drive = PoissonDrive::new(1.0, OUTSIDE * threshold_rate * 1000.0, weight as Real);
        let mut populations = Vec::new();
        for (name, n) in [("exc", n_exc), ("inh", n_inh)] {
            let mut random = Seed(settings.seed).stream("initial potential", name, 0);
            let v = Distribution::Normal { mean: 5.7, std: 7.2 }.draws(n, &mut random);
            let neuron = LifPscAlpha::default().tau(TAU).c(C).tau_syn(TAU_SYN).init_v(v);
            let neuron = neuron.v_rest(0.0).v_reset(0.0).threshold(THRESHOLD);
            populations.push(net.neurons(name, n, (neuron, RefractoryPeriod::new(0.5), drive.clone()))?);
        }
        let [exc, inh] = populations[..] else { unreachable!("two were made") };
        let steps = (DELAY / 0.1).round() as usize;
        net.world_mut().entity_mut(inh).insert(Inhibitory);
        net.world_mut().entity_mut(exc).insert(NeuronAxon::new(steps));
        let learning = (
            PreTrace::new(15.0),
            PostTrace::new(30.0),
            PowerLawStdp::default().lambda(0.1).alpha(0.0513).mu(0.4),
        );
        // One more step passes between the axon and the current.
        let delays = DelayInitializer::source(steps - 1);
        let kind = (Sparse, Connections::fixed_in_degree(n_exc as u32), delays);
        let weights = WeightInitializer::constant(weight as Real);
        net.synapses(exc, exc, (kind, weights, Proximal, learning))?;
        for (source, target, in_degree, weight) in [
            (exc, inh, n_exc, weight),
            (inh, exc, n_inh, INHIBITION * weight),
            (inh, inh, n_inh, INHIBITION * weight),
        ] {
            let kind = (Static::bits16(), Connections::fixed_in_degree(in_degree as u32));
            let drawn =
                (WeightInitializer::constant(weight as Real), SynapticDelays::constant(DELAY as Real));
            net.synapses(source, target, (kind, drawn))?;
        }
        Ok(Prepared::seconds(net, (self.warmup, self.seconds)))
    }
}

/// The weight \[pA\] whose spike alone brings a potential with the peak [`PEAK`].
fn weight() -> f64 {
    // The potential that a weight of 1 brings at time t: the solution of the membrane's equation for an alpha current.
    let rate = 1.0 / TAU_SYN - 1.0 / TAU;
    let potential = |t: f64| {
        let difference = libm::exp(-t / TAU) - libm::exp(-t / TAU_SYN);
        std::f64::consts::E / (TAU_SYN * C * rate) * (difference / rate - t * libm::exp(-t / TAU_SYN))
    };
    let highest = (1..100_000).map(|k| potential(f64::from(k) * 1e-4)).fold(0.0, f64::max);
    PEAK / highest
}
