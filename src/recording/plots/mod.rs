//! Pictures of a simulation, as SVG.
//!
//! Every function takes numbers, draws one picture and writes it to `path`. Data that cannot be shown (nothing recorded,
//! all NaN, all equal) gives an empty picture that says so. Colours are told apart by colour-blind readers as well
//! (Okabe & Ito, <https://jfly.uni-koeln.de/color/>).
//!
//! - [`spike_raster`], [`population_rates`]: who fired when, and how much.
//! - [`traces`]: a state variable of a few neurons.
//! - [`receptive_fields`], [`histogram`]: weights.
//! - [`image_rows`]: images, filters and what they make of each other.
//! - [`images`]: the neurons of a grid, or a kernel.
//! - [`line_plot`], [`matrix`]: learning curves, the STDP window, confusion matrices.
//!
//! `canvas` speaks with plotters' SVG back end in pixels, `axes` knows ranges and ticks. plotters' own charts are not
//! used: they round to whole pixels, place labels by guessed font sizes, and panic on an empty range.

mod axes;
mod canvas;
mod colours;
mod histogram;
mod image_rows;
mod images;
mod lines;
mod matrix;
mod png;
mod raster;
mod rates;
mod receptive_fields;
mod traces;

pub use histogram::histogram;
pub use image_rows::{ImageRow, image_rows};
pub use images::{Image, images};
pub use lines::{Curve, line_plot};
pub use matrix::matrix;
pub use raster::spike_raster;
pub use rates::population_rates;
pub use receptive_fields::receptive_fields;
pub use traces::{Trace, traces};

use std::ops::Range;

use crate::recording::export::RecordingError;

/// What a plot says in words.
#[derive(Debug, Clone, Copy, Default)]
pub struct Labels<'a> {
    /// Title of the picture.
    pub title: &'a str,
    /// Title of the horizontal axis, with its unit: `"time (ms)"`.
    pub x: &'a str,
    /// Title of the vertical axis, with its unit: `"accuracy (%)"`.
    pub y: &'a str,
}

/// The spikes of a population.
#[derive(Debug, Clone, Copy)]
pub struct PopulationSpikes<'a> {
    /// Its name.
    pub name: &'a str,
    /// How many neurons it has.
    pub neurons: usize,
    /// Whether it inhibits: such populations get warm colours, the others cool ones.
    pub inhibitory: bool,
    /// The spikes, as time in ms and index of the neuron, in any order.
    pub events: &'a [(f64, u32)],
}

/// The time from the first to the last spike of all `populations`, in ms: what to show when nobody knows how long was
/// recorded. `0.0..1.0` if there are no spikes.
pub fn time_span(populations: &[PopulationSpikes]) -> Range<f64> {
    let times = || populations.iter().flat_map(|population| population.events).map(|event| event.0);
    let (first, last) = times()
        .filter(|time| time.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(first, last), time| (first.min(time), last.max(time)));
    if first < last {
        first..last
    } else if first == last {
        first..first + 1.0
    } else {
        0.0..1.0
    }
}

/// Refuses spikes of neurons that are not there.
fn check_neurons(populations: &[PopulationSpikes]) -> Result<(), RecordingError> {
    for population in populations {
        if let Some(&(_, neuron)) =
            population.events.iter().find(|event| event.1 as usize >= population.neurons)
        {
            let (population, neurons) = (population.name.to_owned(), population.neurons);
            return Err(RecordingError::NoSuchNeuron { population, neuron, neurons });
        }
    }
    Ok(())
}

fn check_equal(what: impl FnOnce() -> String, expected: usize, given: usize) -> Result<(), RecordingError> {
    if expected == given {
        Ok(())
    } else {
        Err(RecordingError::LengthMismatch { what: what(), expected, given })
    }
}

/// The engine's numbers in double precision, whichever they have.
fn wide(value: impl Into<f64>) -> f64 {
    value.into()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// Draws into a file of its own and returns the SVG. With `CONEX_KEEP_PLOTS=folder` it stays there, to be looked at.
    pub fn drawn(name: &str, draw: impl FnOnce(&std::path::Path) -> Result<(), RecordingError>) -> String {
        let temporary = tempfile::tempdir().unwrap();
        let folder = std::env::var_os("CONEX_KEEP_PLOTS").map_or(temporary.path().to_owned(), PathBuf::from);
        let path = folder.join(name).with_extension("svg");
        draw(&path).unwrap();
        let svg = std::fs::read_to_string(&path).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        svg
    }

    /// Numbers in 0..1 that look random (a Weyl sequence, hashed).
    pub fn noise(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed;
        move || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (mixed >> 11) as f64 / (1u64 << 53) as f64
        }
    }

    /// Spikes of neurons that fire `rate(time)` Hz for `duration` ms.
    pub fn poisson(neurons: u32, duration: u32, seed: u64, rate: impl Fn(f64) -> f64) -> Vec<(f64, u32)> {
        let mut uniform = noise(seed);
        let mut events = Vec::new();
        for time in (0..duration).map(f64::from) {
            for neuron in 0..neurons {
                if uniform() < rate(time) / 1000.0 {
                    events.push((time, neuron));
                }
            }
        }
        events
    }

    #[test]
    fn the_time_span_covers_all_spikes_and_is_never_empty() {
        let population = |events| PopulationSpikes { name: "a", neurons: 3, inhibitory: false, events };
        assert_eq!(
            time_span(&[population(&[(5.0, 0), (2.0, 1)]), population(&[(9.0, 0), (f64::NAN, 0)])]),
            2.0..9.0
        );
        assert_eq!(time_span(&[population(&[(5.0, 0)])]), 5.0..6.0);
        assert_eq!(time_span(&[population(&[])]), 0.0..1.0);
    }
}
