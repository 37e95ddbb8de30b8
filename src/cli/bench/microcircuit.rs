//! The workload `microcircuit`: the cortical microcircuit of T. Potjans & M. Diesmann (2014), doi 10.1093/cercor/bhs358.

use super::{Prepared, Workload};
use clap::{Args, ValueEnum};
use conex::prelude::*;
use conex::systems::random::Seed;

#[derive(Args)]
pub struct Microcircuit {
    /// The share of the neurons, and of the synapses of each, that is kept.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = super::scale, allow_negative_numbers = true)]
    scale: f64,
    /// What drives the network from outside.
    #[arg(long, value_enum, default_value_t = Drive::Poisson)]
    drive: Drive,
    /// How weights are stored.
    #[arg(long, value_enum, default_value_t = Weights::I16)]
    weights: Weights,
    /// Biological seconds to run before.
    #[arg(long, value_name = "S", default_value_t = 0.5, value_parser = super::not_negative, allow_negative_numbers = true)]
    warmup: f64,
    /// Biological seconds to measure.
    #[arg(long, value_name = "S", default_value_t = 2.0, value_parser = super::above_zero, allow_negative_numbers = true)]
    seconds: f64,
}

/// What drives the network from outside.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Drive {
    /// Spikes at random.
    Poisson,
    /// Their mean, as a current.
    Dc,
}

/// How weights are stored.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Weights {
    /// In 16 bits.
    I16,
    /// In 32 bits, which keeps these 32-bit floats but for the weakest to the last bit.
    F32,
}

impl Workload for Microcircuit {
    fn prepare(&self, settings: Settings) -> conex::Result<Prepared> {
        let weights = match self.weights {
            Weights::I16 => WeightBits::Bits16,
            Weights::F32 => WeightBits::Bits32,
        };
        let net = build(settings, self.scale, self.drive, weights)?;
        Ok(Prepared::seconds(net, (self.warmup, self.seconds)))
    }
}

/// The populations: name, neurons, sources of the background, mean and deviation of the initial potential \[mV\].
const POPULATIONS: [(&str, usize, f64, Real, Real); 8] = [
    ("L23E", 20_683, 1600.0, -68.28, 5.36),
    ("L23I", 5_834, 1500.0, -63.16, 4.57),
    ("L4E", 21_915, 2100.0, -63.33, 4.74),
    ("L4I", 5_479, 1900.0, -63.45, 4.94),
    ("L5E", 4_850, 2000.0, -63.11, 4.94),
    ("L5I", 1_065, 1900.0, -61.66, 4.55),
    ("L6E", 14_395, 2900.0, -66.72, 5.46),
    ("L6I", 2_948, 2100.0, -61.43, 4.48),
];

/// The probability that a pair of neurons is joined: a row a target, a column a source.
const PROBABILITIES: [[f64; 8]; 8] = [
    [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
    [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
    [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0],
    [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
    [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
    [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0],
    [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
    [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
];

/// The weight of an excitatory synapse \[pA\], which brings 0.15 mV.
const WEIGHT: Real = 87.81;
/// How many times as strong an inhibitory one is.
const INHIBITION: Real = 4.0;
/// The rate of each background source \[Hz\].
const BACKGROUND: f64 = 8.0;
/// The rates of the published reference run \[Hz\].
const RATES: [f64; 8] = [0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829];
/// Time constant of the synaptic current \[ms\].
const TAU_SYN: f64 = 0.5;

/// Builds the circuit, or one with a share `scale` of its neurons and of the synapses of each neuron. Weights grow by
/// 1/√scale then, which keeps the fluctuation of the input, and a current makes up for the mean that is missing (S. van
/// Albada, M. Helias & M. Diesmann 2015, doi 10.1371/journal.pcbi.1004490).
fn build(settings: Settings, scale: f64, drive: Drive, weights: WeightBits) -> conex::Result<Neocortex> {
    let mut net = Neocortex::with(Settings { dt: 0.1, ..settings })?;
    let size = |n: usize| ((n as f64 * scale).round() as usize).max(1);
    let mut populations = Vec::new();
    for (k, (name, n, sources, mean, std)) in POPULATIONS.into_iter().enumerate() {
        let mut random = Seed(settings.seed).stream("initial potential", name, 0);
        let v = Distribution::Normal { mean, std }.draws(size(n), &mut random);
        let neuron = (LifPscExp::default().init_v(v), RefractoryPeriod::new(2.0));
        let population = net.neurons(name, size(n), neuron)?;
        if k % 2 == 1 {
            net.world_mut().entity_mut(population).insert(Inhibitory);
        }
        let mut current = 0.0;
        match drive {
            Drive::Poisson => {
                let drive = PoissonDrive::new(sources * scale, BACKGROUND, WEIGHT / scale.sqrt() as Real);
                net.world_mut().entity_mut(population).insert(drive);
                current += (1.0 - scale.sqrt()) * mean_current(sources * BACKGROUND, WEIGHT);
            }
            Drive::Dc => current += mean_current(sources * BACKGROUND, WEIGHT),
        }
        current += (1.0 - scale.sqrt()) * recurrent_current(k);
        if current != 0.0 {
            net.world_mut().entity_mut(population).insert(InjectedCurrent::new(current));
        }
        populations.push(population);
    }
    for (post, row) in PROBABILITIES.into_iter().enumerate() {
        for (pre, p) in row.into_iter().enumerate().filter(|(_, p)| *p > 0.0) {
            let mean = weight(pre, post) / scale.sqrt() as Real;
            let connections =
                Connections::fixed_total_number((synapses(pre, post, p) * scale * scale).round() as u64);
            let weight = WeightInitializer::normal(mean, 0.1 * mean).within(0.0, Real::MAX);
            let mean = if pre % 2 == 0 { 1.5 } else { 0.75 };
            let delays = SynapticDelays::normal(mean, 0.5 * mean).within(0.1, Real::MAX);
            let kind = Static { weights };
            net.synapses(populations[pre], populations[post], (kind, connections, weight, delays))?;
        }
    }
    Ok(net)
}

/// The magnitude of a weight between two populations \[pA\].
fn weight(pre: usize, post: usize) -> Real {
    match (pre, post) {
        (2, 0) => 2.0 * WEIGHT,
        (pre, _) if pre % 2 == 1 => INHIBITION * WEIGHT,
        _ => WEIGHT,
    }
}

/// How many synapses there are between two populations of full size.
fn synapses(pre: usize, post: usize, p: f64) -> f64 {
    let pairs = POPULATIONS[pre].1 as f64 * POPULATIONS[post].1 as f64;
    (libm::log(1.0 - p) / libm::log(1.0 - 1.0 / pairs)).round()
}

/// The mean of a synaptic current that gets spikes of `weight` at `rate` \[Hz\].
fn mean_current(rate: f64, weight: Real) -> f64 {
    rate * 1e-3 * TAU_SYN * f64::from(weight)
}

/// The mean synaptic current that a population of the full circuit gets from within it, at the circuit's rates.
fn recurrent_current(post: usize) -> f64 {
    let of_source = |(pre, rate): (usize, f64)| {
        let each = synapses(pre, post, PROBABILITIES[post][pre]) / POPULATIONS[post].1 as f64;
        let sign = if pre % 2 == 0 { 1.0 } else { -1.0 };
        mean_current(each * rate, sign * weight(pre, post))
    };
    RATES.into_iter().enumerate().map(of_source).sum()
}
