//! How much each population fires.

use std::ops::Range;
use std::path::Path;

use super::axes::{Axis, Chart, measured};
use super::{PopulationSpikes, check_neurons, colours};
use crate::recording::export::RecordingError;

/// The mean firing rate of each population's neurons (Hz) over `span` (ms), one line a population, from spikes counted
/// in bins of about `bin` ms (adjusted so that whole bins fill the span). Spikes outside `span` do not count.
///
/// # Errors
///
/// [`RecordingError::Parameter`] unless `bin` is positive, [`RecordingError::NoSuchNeuron`] for a spike of a neuron the
/// population does not have, [`RecordingError::Io`] if `path` cannot be written.
pub fn population_rates(
    path: &Path,
    title: &str,
    populations: &[PopulationSpikes],
    span: Range<f64>,
    bin: f64,
) -> Result<(), RecordingError> {
    if !(bin > 0.0 && bin.is_finite()) {
        return Err(RecordingError::Parameter {
            what: "the bin width",
            value: bin,
            requirement: "a time above 0 ms",
        });
    }
    check_neurons(populations)?;
    // More bins than a screen has pixels tell nothing more.
    const MOST_BINS: f64 = 4000.0;
    let time = Axis::new(span.start, span.end);
    let bins = ((time.high() - time.low()) / bin).round().clamp(1.0, MOST_BINS);
    let width = (time.high() - time.low()) / bins;
    let rates: Vec<_> =
        populations.iter().map(|population| rates(population, time, bins as usize, width)).collect();

    let highest = rates.iter().flatten().copied().fold(0.0, f64::max);
    let subtitle = format!("spikes counted in bins of {} ms", measured(width));
    let colours = colours::of_populations(populations.iter().map(|population| population.inhibitory));
    let chart = Chart {
        title,
        subtitle: &subtitle,
        x_title: "time (ms)",
        y_title: "rate per neuron (Hz)",
        x: time,
        y: Axis::new(0.0, if highest > 0.0 { highest * 1.05 } else { 1.0 }),
        legend: populations.iter().map(|population| population.name).zip(colours.iter().copied()).collect(),
        note: (highest == 0.0).then_some("no spikes"),
    };
    chart.draw(path, |canvas, panel| {
        for (rates, colour) in rates.iter().zip(&colours) {
            let middle = |k: usize| time.low() + (k as f64 + 0.5) * width;
            panel.curve(canvas, rates.iter().enumerate().map(|(k, rate)| (middle(k), *rate)), *colour);
        }
    })
}

/// Spikes per neuron and second in each of `bins` bins of `width` ms.
fn rates(population: &PopulationSpikes, time: Axis, bins: usize, width: f64) -> Vec<f64> {
    let mut rates = vec![0.0; bins];
    let one = 1000.0 / (population.neurons.max(1) as f64 * width);
    for (at, _) in population.events.iter().filter(|event| time.contains(event.0)) {
        rates[((time.fraction(*at) * bins as f64) as usize).min(bins - 1)] += one;
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::super::tests::{drawn, poisson};
    use super::*;

    #[test]
    fn rates_are_spikes_per_neuron_and_second() {
        let events = [(0.0, 0), (9.0, 1), (10.0, 0), (20.0, 1), (f64::NAN, 0), (-1.0, 0)];
        let population = PopulationSpikes { name: "a", neurons: 2, inhibitory: false, events: &events };
        assert_eq!(rates(&population, Axis::new(0.0, 20.0), 2, 10.0), [100.0, 100.0]);
    }

    #[test]
    fn every_population_has_a_line_and_a_name() {
        let swell = |time: f64| 5.0 + 30.0 / (1.0 + ((time - 400.0) / 80.0).powi(2));
        let exc = poisson(400, 1000, 1, swell);
        let inh = poisson(100, 1000, 2, |time| 2.0 * swell(time - 30.0));
        let populations = [
            PopulationSpikes { name: "L4/exc", neurons: 400, inhibitory: false, events: &exc },
            PopulationSpikes { name: "L4/inh", neurons: 100, inhibitory: true, events: &inh },
        ];
        let svg =
            drawn("rates", |path| population_rates(path, "Firing rates", &populations, 0.0..1000.0, 10.0));
        for part in [
            "L4/exc",
            "L4/inh",
            "stroke=\"#0072B2\"",
            "stroke=\"#D55E00\"",
            "rate per neuron (Hz)",
            "time (ms)",
        ] {
            assert!(svg.contains(part), "{part}");
        }
    }

    #[test]
    fn silence_is_drawn_as_silence() {
        let silent = PopulationSpikes { name: "a", neurons: 0, inhibitory: false, events: &[] };
        for span in [0.0..100.0, 5.0..5.0, f64::NAN..1.0, 0.0..1e12] {
            let svg = drawn("silence", |path| population_rates(path, "Silence", &[silent], span, 1.0));
            assert!(svg.contains("no spikes"));
        }
        assert!(
            drawn("nobody", |path| population_rates(path, "Nobody", &[], 0.0..1.0, 1.0))
                .contains("no spikes")
        );
    }

    #[test]
    fn a_bin_must_have_a_width() {
        for bin in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let refused = population_rates(Path::new("never.svg"), "", &[], 0.0..1.0, bin);
            assert!(matches!(refused, Err(RecordingError::Parameter { .. })), "{bin}");
        }
    }
}
