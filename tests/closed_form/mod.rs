//! What is known by pen and paper: charging curves, rates, traces, learning windows, rewards, delays, sums, what kinds of
//! connectivity make of spikes, how weights start, neuron models with receptors, and slow twins.

#![cfg_attr(
    feature = "f64",
    allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "`Real` is `f64` then")
)]
#![allow(clippy::disallowed_methods, reason = "references in double precision, compared within a tolerance")]

mod neurons;
mod adaptation;
mod sources;
mod currents;
mod kinds;
mod initializers;
mod learning;
mod synapses;
mod rules;
mod power_law;
mod reward;
mod twin;
mod closed_loop;
mod waiting;
mod normalizing;
mod receptors;

use conex::Result;
use conex::prelude::*;
use ndarray::Array2;

/// A network with this time resolution, on one thread.
fn network(dt: f64) -> Result<Neocortex> {
    Neocortex::with(Settings { dt, threads: 1, ..Default::default() })
}

fn near(given: Real, expected: f64, tolerance: f64) -> bool {
    (f64::from(given) - expected).abs() <= tolerance * expected.abs().max(1e-6)
}

/// Numbers within [0, 1) that are the same everywhere.
struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn some_of(&mut self, n: u32, share: f64) -> Vec<u32> {
        (0..n).filter(|_| self.next() < share).collect()
    }

    fn matrix(&mut self, rows: usize, columns: usize) -> Array2<Real> {
        Array2::from_shape_fn((rows, columns), |_| self.next() as Real)
    }
}

/// An input population with an axon.
fn input(net: &mut Neocortex, name: &str, shape: impl Into<Grid>) -> Result<Entity> {
    net.neurons(name, shape, (InputSpikes::default(), NeuronAxon::default()))
}
