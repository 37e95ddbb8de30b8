//! What the main job leaves behind: recordings and plots.

use super::learn::History;
use super::network::Learner;
use conex::Result;
use conex::prelude::*;
use conex::recording::plots::{
    Curve, Labels, PopulationSpikes, Trace, histogram, line_plot, matrix, population_rates, receptive_fields,
    spike_raster, traces,
};
use conex::recording::{FileRecording, NpzArray, RecordingError, SpikeRecording, StateRecording, save_npz};
use ndarray::{Array2, Array3};
use std::fs;
use std::path::Path;

/// Makes the folder, and makes sure that files can be written there, before anything else is done.
pub fn prepare_folder(folder: &Path) -> Result<()> {
    let io = |source| RecordingError::Io { path: folder.to_path_buf(), source };
    fs::create_dir_all(folder).map_err(io)?;
    let probe = folder.join(".conex-probe");
    fs::write(&probe, "").and_then(|()| fs::remove_file(&probe)).map_err(io)?;
    Ok(())
}

/// One line of JSON. What is not a number in JSON (NaN) becomes null.
pub fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}

/// What is recorded at the end of learning.
pub struct Picture {
    spikes: Vec<(&'static str, Entity, bool, SpikeRecording)>,
    voltage: StateRecording,
    voltage_file: FileRecording,
    first_step: std::cell::Cell<u64>,
}

impl Picture {
    /// Prepares the recordings.
    pub fn start(folder: &Path, learner: &mut Learner) -> Result<Picture> {
        let mut spikes = Vec::new();
        let populations =
            [("retina", learner.retina, false), ("exc", learner.exc, false), ("inh", learner.inh, true)];
        for (name, population, inhibitory) in populations {
            spikes.push((name, population, inhibitory, learner.net.record_spikes(population)?));
        }
        let voltage = learner.net.record_state(learner.exc, "v", 1)?;
        let voltage_file = learner.net.stream_state(learner.exc, "v", 1, folder.join("voltages.npz"))?;
        Ok(Picture { spikes, voltage, voltage_file, first_step: 0.into() })
    }

    /// Switches the recordings on or off.
    pub fn set(&self, learner: &mut Learner, on: bool) {
        if on {
            self.first_step.set(learner.net.world().resource::<Clock>().iteration);
        }
        let recorders = self
            .spikes
            .iter()
            .map(|s| s.3.recorder())
            .chain([self.voltage.recorder(), self.voltage_file.recorder()]);
        recorders.for_each(|recorder| learner.net.set_recording(recorder, on));
    }

    /// Writes recordings and plots into `folder`. `guesses` are pairs of what was recognized and what it was.
    pub fn write(
        self,
        folder: &Path,
        learner: &Learner,
        history: &History,
        guesses: &[(Option<usize>, usize)],
        classes: usize,
    ) -> Result<()> {
        self.voltage_file.clone().finish()?;
        let file = |name: &str| folder.join(name);
        let events: Vec<_> = self.spikes.iter().map(|s| s.3.events()).collect();
        for ((name, _, _, _), events) in self.spikes.iter().zip(&events) {
            let time: ndarray::Array1<f64> = events.iter().map(|e| e.0).collect();
            let neuron: ndarray::Array1<u32> = events.iter().map(|e| e.1).collect();
            let arrays = [("time", NpzArray::from(time.view())), ("neuron", NpzArray::from(neuron.view()))];
            save_npz(&file(&format!("spikes_{name}.npz")), &arrays)?;
        }
        let size = |population| learner.net.get::<Population>(population).map(Population::size);
        let mut populations = Vec::new();
        for ((name, population, inhibitory, _), events) in self.spikes.iter().zip(&events) {
            let (inhibitory, neurons) = (*inhibitory, size(*population)?);
            populations.push(PopulationSpikes { name, neurons, inhibitory, events });
        }
        let first = self.first_step.get() as f64;
        let last = self.voltage.times().last().copied().unwrap_or(first + 1.0);
        let raster_from = first.max(last - 300.0);
        let late: Vec<Vec<(f64, u32)>> = events
            .iter()
            .map(|events| events.iter().copied().filter(|event| event.0 >= raster_from).collect())
            .collect();
        let late_populations: Vec<_> =
            populations.iter().zip(&late).map(|(p, events)| PopulationSpikes { events, ..*p }).collect();
        let raster_title = "Spikes at the end of learning";
        spike_raster(&file("raster.svg"), raster_title, &late_populations, raster_from..last)?;
        population_rates(
            &file("rates.svg"),
            "Rates at the end of learning",
            &populations,
            first..last,
            10.0,
        )?;
        self.draw_voltages(&file("voltages.svg"), &events[1], learner)?;
        draw_weights(folder, learner, &history.spikes)?;
        draw_curve(&file("learning.svg"), history)?;
        draw_confusion(&file("confusion.svg"), guesses, classes)
    }

    /// The voltages of the three neurons that fired most, one spike mark a spike.
    fn draw_voltages(&self, path: &Path, events: &[(f64, u32)], learner: &Learner) -> Result<()> {
        let (times, values) = (self.voltage.times(), self.voltage.values());
        let shown = times.len().saturating_sub(300);
        let mut counts = vec![0_u32; values.ncols()];
        events.iter().for_each(|(_, j)| counts[*j as usize] += 1);
        let busiest = busiest(&counts);
        let spikes_of = |j: usize| {
            let spikes = events.iter().filter(|(t, n)| *n as usize == j && *t >= times[shown]);
            spikes.map(|(t, _)| *t).collect::<Vec<f64>>()
        };
        let chosen: Vec<usize> =
            if times.is_empty() { Vec::new() } else { busiest.into_iter().take(3).collect() };
        let labels: Vec<String> = chosen.iter().map(|j| format!("exc {j}")).collect();
        let spikes: Vec<_> = chosen.iter().map(|&j| spikes_of(j)).collect();
        let curves: Vec<_> = chosen
            .iter()
            .zip(labels.iter().zip(&spikes))
            .map(|(&j, (label, spikes))| Trace {
                label,
                values: values.slice(ndarray::s![shown.., j]),
                spikes,
            })
            .collect();
        let threshold = learner.net.get::<Threshold>(learner.exc)?.0.get(0);
        let labels = Labels { title: "Membrane potentials", x: "time (ms)", y: "v" };
        traces(path, &labels, &times[shown..], &curves, Some(f64::from(threshold)))?;
        Ok(())
    }
}

/// The neurons, those with the most spikes first.
fn busiest(counts: &[u32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&j| (std::cmp::Reverse(counts[j]), j));
    order
}

/// What neurons have learned: ON minus OFF weights as images, and how all weights are spread.
fn draw_weights(folder: &Path, learner: &Learner, spikes: &[u32]) -> Result<()> {
    let weights = learner.net.weights(learner.learning)?;
    let grid = learner.net.get::<Population>(learner.retina)?.grid;
    let (pixels, neurons) = (grid.height * grid.width, weights.shape()[1]);
    let flat = Array2::from_shape_fn((grid.len(), neurons), |(i, j)| weights[[i, j]]);
    save_npz(&folder.join("weights.npz"), &[("weights", NpzArray::from(flat.view()))])?;
    let shown: Vec<usize> = busiest(spikes).into_iter().take(100).collect();
    let fields = Array3::from_shape_fn((shown.len(), grid.height, grid.width), |(k, y, x)| {
        let pixel = y * grid.width + x;
        flat[[pixel, shown[k]]] - flat[[pixels + pixel, shown[k]]]
    });
    let title = "What the busiest neurons learned (ON minus OFF weights)";
    receptive_fields(&folder.join("receptive_fields.svg"), title, fields.view())?;
    let labels = Labels { title: "Weights from the retina", x: "weight", y: "synapses" };
    histogram(&folder.join("weights.svg"), &labels, flat.iter().copied(), None)?;
    Ok(())
}

fn draw_curve(path: &Path, history: &History) -> Result<()> {
    let [once, often] = &history.recruited;
    let curves = [
        Curve { label: "at least once", x: &history.images, y: once },
        Curve { label: "at least 10 times", x: &history.images, y: often },
    ];
    let labels = Labels {
        title: "Neurons that found something to stand for",
        x: "images shown",
        y: "neurons that fired",
    };
    line_plot(path, &labels, &curves, None)?;
    Ok(())
}

fn draw_confusion(path: &Path, guesses: &[(Option<usize>, usize)], classes: usize) -> Result<()> {
    let mut confusion = Array2::<f64>::zeros((classes, classes));
    for (guess, truth) in guesses {
        if let Some(guess) = guess {
            confusion[[*truth, *guess]] += 1.0;
        }
    }
    let names: Vec<String> = (0..classes).map(|c| c.to_string()).collect();
    let labels = Labels { title: "Unseen images", x: "recognized as", y: "digit" };
    matrix(path, &labels, confusion.view(), &names, &names)?;
    Ok(())
}
