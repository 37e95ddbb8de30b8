//! Recordings in memory and on disk.

use conex::prelude::*;
use conex::systems::record::{Sink, Watch};
use conex::{Error, Result, systems};
use ndarray::{Array1, Array2};
use ndarray_npy::NpzReader;
use std::fs::{self, File};
use std::sync::{Arc, Mutex};

type Tested = std::result::Result<(), Box<dyn std::error::Error>>;

/// Three neurons that fire at different rates, and what they project on.
fn network() -> Result<(Neocortex, Entity, Entity)> {
    let mut net = Neocortex::with(Settings { dt: 0.5, threads: 1, ..Default::default() })?;
    let electrode = InjectedCurrent::new(vec![0.5, 1.5, 3.0]);
    let exc = net.neurons("exc", 3, (Lif::default(), electrode, NeuronAxon::default()))?;
    let inh = net.neurons("inh", 2, (Lif::default(), SimpleDendriteStructure::default()))?;
    let projection = net.synapses(exc, inh, (Dense, WeightInitializer::uniform(0.0, 1.0), Proximal))?;
    Ok((net, exc, projection))
}

#[test]
fn a_recording_holds_what_a_look_at_every_step_sees() -> Result<()> {
    let (mut net, exc, projection) = network()?;
    let (spikes, v) = (net.record_spikes(exc)?, net.record_state(exc, "v", 1)?);
    let (sparse, weights) = (net.record_state(exc, "v", 7)?, net.record_state(projection, "weights", 50)?);
    let (mut events, mut potentials) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        net.step()?;
        let now = net.now();
        events.extend(net.spikes(exc)?.iter().map(|&j| (now, j)));
        potentials.push(net.state(exc, "v")?);
    }
    assert!(events.len() > 10);
    assert_eq!(spikes.events(), events);
    assert_eq!(v.times(), (1..=100).map(|k| f64::from(k) * 0.5).collect::<Vec<_>>());
    assert_eq!(v.values().into_iter().collect::<Vec<_>>(), potentials.concat());
    assert_eq!(sparse.times(), (1..=14).map(|k| f64::from(k) * 3.5).collect::<Vec<_>>());
    assert_eq!(sparse.values().row(3).to_vec(), potentials[27]);
    assert_eq!((weights.values().nrows(), weights.values().ncols()), (2, 6));
    assert_eq!(weights.values().row(1).to_vec(), net.weights(projection)?.into_iter().collect::<Vec<_>>());
    Ok(())
}

#[test]
fn recording_stops_while_it_is_off_and_goes_on_when_it_is_on() -> Result<()> {
    let (mut net, exc, _) = network()?;
    let (spikes, v) = (net.record_spikes(exc)?, net.record_state(exc, "v", 1)?);
    net.run(40)?;
    let before = spikes.events();
    for recorder in [spikes.recorder(), v.recorder()] {
        net.set_recording(recorder, false);
    }
    net.run(40)?;
    assert_eq!(spikes.events(), before);
    for recorder in [spikes.recorder(), v.recorder()] {
        net.set_recording(recorder, true);
    }
    net.run(40)?;
    let halves = |times: Vec<f64>| times.into_iter().partition::<Vec<f64>, _>(|time| *time <= 20.0);
    let (first, last) = halves(v.times());
    assert_eq!((first.len(), last.len()), (40, 40));
    assert_eq!(last[0], 40.5);
    let (first, last) = halves(spikes.events().into_iter().map(|event| event.0).collect());
    assert!(first.len() == before.len() && !last.is_empty() && last.iter().all(|time| *time > 40.0));
    Ok(())
}

#[test]
fn a_recording_of_limited_length_keeps_the_last() -> Result<()> {
    let (mut net, exc, _) = network()?;
    let (all, last) = (net.record_spikes(exc)?, net.record_spikes(exc)?.keep_last(5));
    let (rows, last_rows) = (net.record_state(exc, "v", 2)?, net.record_state(exc, "v", 2)?.keep_last(3));
    net.run(100)?;
    assert!(all.len() > 5);
    assert_eq!(last.events(), all.events()[all.len() - 5..]);
    assert_eq!(last_rows.times(), rows.times()[47..]);
    assert_eq!(last_rows.values(), rows.values().slice(ndarray::s![47.., ..]));
    all.clear();
    rows.clear();
    assert!(all.is_empty() && rows.times().is_empty() && rows.values().is_empty());
    Ok(())
}

#[test]
fn streamed_files_hold_what_memory_holds() -> Tested {
    let folder = tempfile::tempdir()?;
    let (mut net, exc, projection) = network()?;
    let (spikes, v) = (net.record_spikes(exc)?, net.record_state(exc, "v", 3)?);
    let weights = net.record_state(projection, "weights", 10)?;
    let path = |name: &str| folder.path().join(name);
    let files = [
        net.stream_spikes(exc, path("spikes.npz"))?,
        net.stream_spikes(exc, path("spikes.csv"))?,
        net.stream_state(exc, "v", 3, path("v.npz"))?,
        net.stream_state(exc, "v", 3, path("v.csv"))?,
        net.stream_state(projection, "weights", 10, path("weights.npz"))?,
    ];
    net.run(200)?;
    for file in files {
        let path = file.finish()?;
        assert!(path.is_file(), "{path:?}");
    }
    // What comes after the end is not recorded, and harms nothing.
    net.set_recording(spikes.recorder(), false);
    net.set_recording(v.recorder(), false);
    net.set_recording(weights.recorder(), false);
    net.run(50)?;

    let (times, neurons): (Vec<f64>, Vec<u32>) = spikes.events().into_iter().unzip();
    assert!(times.len() > 10);
    let mut npz = NpzReader::new(File::open(path("spikes.npz"))?)?;
    assert_eq!(npz.by_name::<ndarray::OwnedRepr<f64>, ndarray::Ix1>("time")?, Array1::from(times.clone()));
    assert_eq!(
        npz.by_name::<ndarray::OwnedRepr<u32>, ndarray::Ix1>("neuron")?,
        Array1::from(neurons.clone())
    );
    let lines: String =
        times.iter().zip(&neurons).map(|(time, neuron)| format!("{time},{neuron}\n")).collect();
    assert_eq!(fs::read_to_string(path("spikes.csv"))?, format!("time_ms,neuron\n{lines}"));

    for (file, recording) in [("v.npz", &v), ("weights.npz", &weights)] {
        let mut npz = NpzReader::new(File::open(path(file))?)?;
        let time: Array1<f64> = npz.by_name("time")?;
        let values: Array2<Real> = npz.by_name("values")?;
        assert_eq!((time.to_vec(), values), (recording.times(), recording.values()), "{file}");
    }
    let text = fs::read_to_string(path("v.csv"))?;
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("time_ms,0,1,2"));
    for (line, (time, row)) in lines.by_ref().zip(v.times().iter().zip(v.values().rows())) {
        let numbers = line.split(',').map(str::parse).collect::<std::result::Result<Vec<Real>, _>>()?;
        assert_eq!((f64::from(numbers[0]), &numbers[1..]), (*time, &row.to_vec()[..]));
    }
    assert_eq!((text.lines().count(), lines.next()), (1 + v.times().len(), None));
    Ok(())
}

/// A sink of a user's own.
struct Counter(Arc<Mutex<Vec<(f64, usize)>>>);

impl Sink for Counter {
    fn values(&mut self, time: f64, values: &[Real]) -> std::result::Result<(), String> {
        let Ok(mut seen) = self.0.lock() else { return Err("poisoned".into()) };
        seen.push((time, values.len()));
        if seen.len() < 4 { Ok(()) } else { Err("the disk is full".into()) }
    }

    fn spikes(&mut self, _: f64, _: &[u32]) -> std::result::Result<(), String> {
        Ok(())
    }
}

#[test]
fn a_sink_that_fails_ends_the_run_with_its_reason() -> Result<()> {
    let (mut net, exc, _) = network()?;
    let seen = Arc::new(Mutex::new(Vec::new()));
    net.watch(exc, Watch::Variable("I".into()), 2, Box::new(Counter(seen.clone())))?;
    match net.run(100) {
        Err(Error::Network(systems::Error::Recorder { recorder, reason })) => {
            assert_eq!((recorder.as_str(), reason.as_str()), ("I of exc", "the disk is full"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(net.now(), 4.0, "the run ends with the step that failed");
    assert_eq!(
        seen.lock().map(|seen| seen.clone()).unwrap_or_default(),
        [(1.0, 3), (2.0, 3), (3.0, 3), (4.0, 3)]
    );
    Ok(())
}
