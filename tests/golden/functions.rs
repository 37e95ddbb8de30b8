//! Cases in which arrays become arrays, without a network or with no more than an input.

use super::case::{Array, Arrays, Case, Params};
use super::compare::{Compared, compare};
use super::data_helpers;
use super::trouble::{Result, fail, skip};
use conex::prelude::*;
use conex::systems::random::{Seed, Stream};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Calls what a case is about, and compares what comes out.
pub fn check(case: &Case, function: &str, params: &Map<String, Value>) -> Result<()> {
    let p = Params::new(function, params, &case.arrays);
    let mut outputs = match function {
        "Intensity2Latency" => latencies(p, &case.arrays)?,
        "InputLayer" => input_layer(p, &case.arrays)?,
        _ => return data_helpers::check(case, function, p),
    };
    let compared = case.outputs.keys().map(|name| {
        let got =
            outputs.remove(&name[..]).ok_or_else(|| skip(format!("no output `{name}` of {function}")))?;
        // The first axis of what is known so far is time.
        Ok(Compared { name, want: case.arrays.get(name)?, got, per_step: true })
    });
    compare(&compared.collect::<Result<Vec<_>>>()?, case.tolerance)
}

/// What was computed, by the name of the output.
type Outputs = HashMap<&'static str, Vec<f64>>;

fn latencies(mut p: Params<'_>, arrays: &Arrays) -> Result<Outputs> {
    let time_window = p.real("time_window")? as usize;
    let (min_val, max_val) = (p.real_or("min_val", 0.0)?, p.real_or("max_val", 1.0)?);
    let mut encoder = Intensity2Latency::new(time_window)?
        .range(min_val, max_val)?
        .lower_trim(p.flag_or("lower_trim", true))
        .higher_trim(p.flag_or("higher_trim", true));
    if let Some(threshold) = p.number("threshold")? {
        encoder = encoder.threshold(threshold as _)?;
    }
    if let Some(sparsity) = p.number("sparsity")? {
        encoder = encoder.sparsity(sparsity as _)?;
    }
    p.finish()?;
    let intensities = arrays.get("in.img")?.reals();
    let mut train = SpikeTrain::default();
    train.clear(encoder.duration());
    encoder.encode(&intensities, &mut Seed(1).stream("golden", "latency", 0), &mut train);
    let spikes = train.steps.iter().flat_map(|fired| dense(fired, intensities.len()));
    Ok(HashMap::from([("out.spikes", spikes.collect())]))
}

/// One number a neuron, 1 where it fired.
fn dense(fired: &[u32], neurons: usize) -> Vec<f64> {
    let mut spikes = vec![0.0; neurons];
    fired.iter().for_each(|&i| spikes[i as usize] = 1.0);
    spikes
}

fn input_layer(mut p: Params<'_>, arrays: &Arrays) -> Result<Outputs> {
    let silent_interval = p.count_or("silent_interval", 0)?;
    let looping = p.flag_or("loop", true);
    let steps = p.real("steps")? as usize;
    let (sensory, location) = (p.flag_or("have_sensory", true), p.flag_or("have_location", false));
    // What these say follows from the arrays.
    for known in ["have_label", "instance_duration", "sensory_data_dim", "location_data_dim"] {
        p.take(known);
    }
    p.finish()?;

    let mut net = Neocortex::new()?;
    let mut inputs = Vec::new();
    let kinds = [
        (sensory, "sensory", "in.sensory", "out.sensory.spikes"),
        (location, "location", "in.location", "out.location.spikes"),
    ];
    for (_, name, given, recorded) in kinds.into_iter().filter(|kind| kind.0) {
        let frames = Frames::new(arrays.get(given)?, arrays.find("in.labels"))?;
        let neurons = frames.neurons;
        let mut stimulus = Stimulus::spikes(frames).silent_interval(silent_interval);
        stimulus.looping = looping;
        inputs.push((net.neurons(name, neurons, stimulus)?, neurons, recorded, Vec::new()));
    }
    let mut labels = Vec::new();
    for _ in 0..steps {
        net.step()?;
        for (population, neurons, _, spikes) in &mut inputs {
            spikes.extend(dense(net.spikes(*population)?, *neurons));
        }
        if let Some((population, ..)) = inputs.first() {
            labels.push(net.get::<Presentation>(*population)?.label().map_or(-1.0, |label| label as f64));
        }
    }
    let spikes = inputs.into_iter().map(|(_, _, name, spikes)| (name, spikes));
    Ok(spikes.chain([("out.label", labels)]).collect())
}

/// Frames of spikes, as an input layer's loader gives them: shape (batch, item, time, place...).
struct Frames {
    neurons: usize,
    trains: Vec<SpikeTrain>,
    labels: Option<Vec<f64>>,
}

impl Frames {
    fn new(frames: &Array, labels: Option<&Array>) -> Result<Frames> {
        let [batches, items, duration, place @ ..] = frames.values.shape() else {
            return Err(fail("frames need the shape (batch, item, time, ...)"));
        };
        let neurons: usize = place.iter().product();
        let flat = frames.flat();
        let fired = |frame: &[f64]| (0..).zip(frame).filter(|(_, x)| **x != 0.0).map(|(i, _)| i).collect();
        let frames: Vec<Vec<u32>> = flat.chunks(neurons).map(fired).collect();
        let trains: Vec<_> =
            frames.chunks(*duration).map(|steps| SpikeTrain { steps: steps.to_vec() }).collect();
        assert_eq!(trains.len(), batches * items);
        Ok(Frames { neurons, trains, labels: labels.map(Array::flat) })
    }
}

impl SpikeDataset for Frames {
    fn len(&self) -> usize {
        self.trains.len()
    }

    fn shape(&self) -> Grid {
        self.neurons.into()
    }

    fn train(&self, index: usize, _: &mut Stream, train: &mut SpikeTrain) {
        train.clone_from(&self.trains[index]);
    }

    fn label(&self, index: usize) -> Option<usize> {
        self.labels.as_ref().map(|labels| labels[index] as usize)
    }
}
