//! Cases in which random draws are compared by their means.

use super::case::{Case, Params};
use super::trouble::{Result, fail, skip};
use super::weights;
use conex::Real;
use conex::prelude::*;
use conex::systems::random::Seed;
use serde_json::{Map, Value};

/// Draws a sample of what a case is about, and compares the means.
pub fn check(case: &Case, function: &str, params: &Map<String, Value>, reference: &Value) -> Result<()> {
    let mut p = Params::new(function, params, &case.arrays);
    match function {
        "InherentNoise" => {
            let noise = weights::noise(&mut p)?;
            p.finish()?;
            Moments::of(noise_sample(noise)?).check("noise", reference, "mean", "variance", "samples")
        }
        "WeightInitializer" => initial_weights(p, reference),
        "SimplePoisson" => {
            encoder(case, p, reference, |window, ratio| Ok(Box::new(SimplePoisson::new(window, ratio)?)))
        }
        "Poisson" => encoder(case, p, reference, |window, ratio| Ok(Box::new(Poisson::new(window, ratio)?))),
        _ => Err(skip(format!("no {function}"))),
    }
}

/// A sample's size, mean and variance.
struct Moments {
    n: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    fn of(sample: impl IntoIterator<Item = Real>) -> Moments {
        let sample: Vec<f64> = sample.into_iter().map(f64::from).collect();
        let n = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / n;
        Moments { n, mean, variance: sample.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n }
    }

    /// Compares with the moments that stand under these keys of the reference.
    fn check(&self, what: &str, reference: &Value, mean: &str, variance: &str, n: &str) -> Result<()> {
        let read =
            |key: &str| reference[key].as_f64().ok_or_else(|| fail(format!("the case says no `{key}`")));
        let want = Moments { n: read(n)?, mean: read(mean)?, variance: read(variance)? };
        // A reference that never varied says nothing of how far another sample may be off.
        let variance = if want.variance > 0.0 { want.variance } else { self.variance };
        let allowed = 4.0 * (variance / self.n + variance / want.n).sqrt();
        let (got, want) = (self.mean, want.mean);
        // A constant is summed up with rounding errors.
        if (got - want).abs() <= allowed.max(1e-9 * want.abs()) {
            return Ok(());
        }
        Err(fail(format!("{what}, {mean}: want {want} within {allowed}, got {got}")))
    }
}

/// Silences what the neuron model did, so that noise is all that is left in `v`.
fn forget_potentials(mut populations: Query<&mut MembranePotential>) {
    for mut v in &mut populations {
        v.0.fill(0.0);
    }
}

fn noise_sample(noise: InherentNoise) -> Result<Vec<Real>> {
    let mut net = Neocortex::with(Settings { dt: 0.5, ..Default::default() })?;
    net.add_system(StepSystems::NeuronDynamics, forget_potentials);
    let neurons = net.neurons("noisy", 20_000, (Lif::default().threshold(Real::MAX), noise))?;
    let recording = net.record_state(neurons, "v", 1)?;
    net.run(10)?;
    Ok(recording.values().into_iter().collect())
}

fn initial_weights(mut p: Params<'_>, reference: &Value) -> Result<()> {
    let (pre, post) = (p.real("src_size")? as usize, p.real("dst_size")? as usize);
    let structural = p.flag_or("true_sparsity", true);
    let weights = weights::initializer(&mut p)?;
    p.finish()?;
    let mut net = Neocortex::new()?;
    let (pre, post) = (net.neurons("src", pre, NeuronAxon::default())?, net.neurons("dst", post, ())?);
    let projection = match weights.density {
        Some(density) if structural && density < 1.0 => {
            net.synapses(pre, post, (Sparse, weights.initializer, Proximal))?
        }
        _ => net.synapses(pre, post, (Dense, weights.initializer, Proximal))?,
    };
    net.build()?;
    let weights = net.state(projection, "weights")?;
    if let Some(want) = reference["fraction_equal_to_zero"].as_f64() {
        let n = weights.len() as f64;
        let got = weights.iter().filter(|w| **w == 0.0).count() as f64 / n;
        // Two samples of the reference's size; where it saw no zero there is none.
        let allowed = 4.0 * (2.0 * want * (1.0 - want) / n).sqrt();
        if (got - want).abs() > allowed {
            return Err(fail(format!("weights of 0: want {want} within {allowed}, got {got}")));
        }
    }
    let stored = weights.len();
    if reference["stored_values"] != stored {
        return Err(fail(format!("weights: want {} stored, got {stored}", reference["stored_values"])));
    }
    Moments::of(weights).check("weights", reference, "mean", "variance", "stored_values")
}

/// Makes an encoder from its time window and its ratio.
type Make = fn(usize, Real) -> Result<Box<dyn Encoder>>;

fn encoder(case: &Case, mut p: Params<'_>, reference: &Value, make: Make) -> Result<()> {
    let encoder = make(p.real("time_window")? as usize, p.real("ratio")?)?;
    p.finish()?;
    let pixels = reference["pixels_per_intensity"].as_u64().ok_or_else(|| fail("no number of pixels"))?;
    let rows = reference["rows"].as_array().ok_or_else(|| fail("no intensities"))?;
    for (k, row) in rows.iter().enumerate() {
        let intensity = row["intensity"].as_f64().ok_or_else(|| fail("no intensity"))?;
        let mut train = SpikeTrain::default();
        train.clear(encoder.duration());
        let mut random = Seed(1).stream("golden", &case.case, k as u64);
        encoder.encode(&vec![intensity as Real; pixels as usize], &mut random, &mut train);
        let mut counts = vec![0.0; pixels as usize];
        train.steps.iter().flatten().for_each(|&pixel| counts[pixel as usize] += 1.0);
        let mut row = row.clone();
        row["pixels"] = pixels.into();
        let what = format!("intensity {intensity}");
        Moments::of(counts).check(&what, &row, "mean_count", "count_variance", "pixels")?;
    }
    Ok(())
}
