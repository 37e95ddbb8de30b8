//! Who fired when.

use std::ops::Range;
use std::path::Path;

use super::axes::{Axis, LABEL, Panel, SMALL, WIDTH, below_heading, count, heading};
use super::canvas::{Area, Font, draw, fitted, text_width};
use super::colours::{AXIS, GREY};
use super::{PopulationSpikes, check_neurons, colours};
use crate::recording::export::RecordingError;

/// The SVG holds about this many spikes (two megabytes); of more, those of some neurons are drawn.
const MOST_SPIKES: usize = 20_000;

/// A raster of the spikes of `populations` in `span` (ms): one band per population from top to bottom, neuron 0 lowest
/// in its band, one mark a spike. If there are more than about 20,000 spikes, those of an even choice of neurons are
/// drawn, and the subtitle says so.
///
/// # Errors
///
/// [`RecordingError::NoSuchNeuron`] for a spike of a neuron the population does not have, [`RecordingError::Io`] if
/// `path` cannot be written.
pub fn spike_raster(
    path: &Path,
    title: &str,
    populations: &[PopulationSpikes],
    span: Range<f64>,
) -> Result<(), RecordingError> {
    check_neurons(populations)?;
    let time = Axis::new(span.start, span.end);
    let total: usize = populations.iter().map(|population| population.events.len()).sum();
    let share = MOST_SPIKES as f64 / total.max(1) as f64;
    let seen: Vec<Vec<_>> = populations
        .iter()
        .map(|population| population.events.iter().copied().filter(|event| time.contains(event.0)).collect())
        .collect();
    let shown: Vec<_> = seen
        .iter()
        .zip(populations)
        .map(|(events, population)| thinned(events, (share * population.events.len() as f64).ceil() as usize))
        .collect();

    let (all, drawn) = (seen.iter().map(Vec::len).sum(), shown.iter().map(Vec::len).sum());
    let subtitle = if drawn < all {
        format!("{} of {} spikes: those of an even choice of neurons", count(drawn), count(all))
    } else {
        format!("{} {}", count(all), if all == 1 { "spike" } else { "spikes" })
    };
    let colours = colours::of_populations(populations.iter().map(|population| population.inhibitory));
    let sizes: Vec<_> = populations
        .iter()
        .map(|population| {
            let kind = if population.inhibitory { "inhibitory" } else { "neurons" };
            format!("{} {kind}", count(population.neurons))
        })
        .collect();
    let names: Vec<_> = populations.iter().map(|population| fitted(population.name, LABEL, 220.0)).collect();
    let widest = names.iter().map(|name| text_width(name, LABEL));
    let widest = widest.chain(sizes.iter().map(|size| text_width(size, SMALL))).fold(24.0, f64::max);

    let top = below_heading(&subtitle);
    let heights = band_heights(populations);
    let bottom = top + heights.iter().sum::<f64>();
    let area = Area { left: widest + 36.0, top, right: WIDTH - 28.0, bottom };
    draw(path, WIDTH, bottom + 60.0, |canvas| {
        let whole = Panel { area, x: time, y: Axis::new(0.0, 1.0) };
        heading(canvas, (area.left, WIDTH), title, &subtitle);
        whole.x_grid(canvas, true);
        whole.x_title(canvas, "time (ms)");
        let mut top = area.top;
        for (k, population) in populations.iter().enumerate() {
            let (height, colour) = (heights[k], colours[k]);
            let band = Panel {
                // A little air keeps marks of one population off those of the next.
                area: Area { top: top + 3.0, bottom: top + height - 3.0, ..area },
                x: time,
                y: Axis::new(0.0, population.neurons.max(1) as f64),
            };
            let mark = (0.8 * band.area.height() / population.neurons.max(1) as f64).clamp(1.5, 8.0);
            for (at, neuron) in &shown[k] {
                let (x, y) = (band.across(*at), band.up(f64::from(*neuron) + 0.5));
                let area =
                    Area { left: x - 0.75, right: x + 0.75, top: y - mark / 2.0, bottom: y + mark / 2.0 };
                canvas.rectangle(area, colour);
            }
            let (middle, edge) = (top + height / 2.0, area.left - 14.0);
            canvas.rectangle(Area { left: area.left - 7.0, right: area.left - 2.0, ..band.area }, colour);
            if height >= 34.0 {
                canvas.text((edge, middle - 8.0), &names[k], Font::right(LABEL));
                canvas.text((edge, middle + 9.0), &sizes[k], Font { colour: GREY, ..Font::right(SMALL) });
            } else {
                canvas.text((edge, middle), &names[k], Font::right(LABEL.min(height - 2.0)));
            }
            if k > 0 {
                canvas.line(&[(area.left, top), (area.right, top)], 0.5, AXIS);
            }
            top += height;
        }
        whole.frame(canvas);
        if all == 0 {
            whole.note(canvas, "no spikes");
        }
    })
}

/// Bands grow with their populations, but neither dwarf nor crowd out others.
fn band_heights(populations: &[PopulationSpikes]) -> Vec<f64> {
    const LEAST: f64 = 220.0;
    const MOST: f64 = 1600.0;
    let heights: Vec<_> =
        populations.iter().map(|population| (population.neurons as f64 / 2.0).clamp(42.0, 220.0)).collect();
    let total: f64 = heights.iter().sum();
    if total == 0.0 {
        return vec![LEAST];
    }
    let scale = total.clamp(LEAST, MOST) / total;
    heights.iter().map(|height| (height * scale).max(12.0)).collect()
}

/// About `most` of `events`, those of neurons spread evenly over the population; the same at every call.
fn thinned(events: &[(f64, u32)], most: usize) -> Vec<(f64, u32)> {
    if events.len() <= most {
        return events.to_vec();
    }
    // Multiples of the golden ratio, modulo 1, fill the unit interval evenly, and so do those under a bound fill the
    // neurons: unlike every kth neuron, they do not fall into step with the rows and columns of a sheet.
    let bound = (most as f64 / events.len() as f64 * 2f64.powi(32)) as u32;
    let chosen = |neuron: u32| neuron.wrapping_mul(0x9E37_79B9) <= bound;
    let kept: Vec<_> = events.iter().copied().filter(|event| chosen(event.1)).collect();
    if (1..=2 * most).contains(&kept.len()) {
        return kept;
    }
    // A few neurons fire nearly all spikes: take every kth spike instead.
    events.iter().copied().step_by(events.len().div_ceil(most.max(1))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{drawn, poisson};
    use super::*;

    fn marks(svg: &str) -> usize {
        svg.matches("<rect").count()
    }

    #[test]
    fn a_raster_has_a_mark_for_every_spike() {
        let stimulus = |time: f64| if (time / 250.0) as u32 % 2 == 1 { 22.0 } else { 3.0 };
        let retina = poisson(256, 1000, 1, |time| 2.0 * stimulus(time));
        let exc = poisson(400, 1000, 2, stimulus);
        let inh = poisson(100, 1000, 3, |time| 1.5 * stimulus(time - 15.0));
        let motor = poisson(4, 1000, 4, |_| 40.0);
        let populations = [
            PopulationSpikes { name: "retina", neurons: 256, inhibitory: false, events: &retina },
            PopulationSpikes { name: "L4/exc", neurons: 400, inhibitory: false, events: &exc },
            PopulationSpikes { name: "L4/inh", neurons: 100, inhibitory: true, events: &inh },
            PopulationSpikes { name: "action", neurons: 4, inhibitory: false, events: &motor },
        ];
        let svg =
            drawn("raster", |path| spike_raster(path, "Spikes of one trial", &populations, 0.0..1000.0));
        let spikes = retina.len() + exc.len() + inh.len() + motor.len();
        assert!(spikes < MOST_SPIKES);
        // Paper, and a bar per population.
        assert_eq!(marks(&svg), spikes + 1 + populations.len());
        assert!(svg.contains("100 inhibitory"));
    }

    #[test]
    fn a_hundred_thousand_spikes_are_thinned_by_neuron_and_said_to_be() {
        let events = poisson(2304, 1000, 5, |_| 50.0);
        let population =
            PopulationSpikes { name: "V1/exc", neurons: 2304, inhibitory: false, events: &events };
        let svg =
            drawn("raster_thinned", |path| spike_raster(path, "Many spikes", &[population], 0.0..1000.0));
        assert!((15_000..25_000).contains(&marks(&svg)), "{}", marks(&svg));
        assert!(svg.contains(&format!(" of {} spikes", count(events.len()))));
        assert!(svg.len() < 2_500_000, "{}", svg.len());
    }

    #[test]
    fn thinning_chooses_neurons_evenly_and_falls_back_to_spikes() {
        let one_each: Vec<_> = (0..4096).map(|neuron| (0.0, neuron)).collect();
        let kept = thinned(&one_each, 512);
        assert!((490..=530).contains(&kept.len()));
        assert!(kept.windows(2).all(|pair| pair[1].1 - pair[0].1 < 32));
        let busy: Vec<_> = (0..100_000).map(|time| (f64::from(time), 1)).collect();
        assert!((900..=1000).contains(&thinned(&busy, 1000).len()));
    }

    #[test]
    fn silence_is_drawn_as_silence() {
        let silent = PopulationSpikes { name: "a", neurons: 0, inhibitory: true, events: &[] };
        for span in [0.0..100.0, 5.0..5.0, f64::NAN..1.0] {
            assert!(
                drawn("no_spikes", |path| spike_raster(path, "Silence", &[silent], span))
                    .contains("no spikes")
            );
        }
        assert!(
            drawn("no_populations", |path| spike_raster(path, "Nobody", &[], 0.0..1.0)).contains("no spikes")
        );
    }

    #[test]
    fn a_spike_of_a_neuron_that_is_not_there_is_refused() {
        let population = PopulationSpikes { name: "a", neurons: 3, inhibitory: false, events: &[(0.0, 3)] };
        let error = spike_raster(Path::new("never.svg"), "", &[population], 0.0..1.0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "population `a` has 3 neurons, but neuron 3 spiked: indices start at 0"
        );
    }

    #[test]
    fn sixty_populations_fit_on_one_sheet() {
        let events = poisson(40, 500, 6, |_| 6.0);
        let names: Vec<_> =
            (0..60).map(|k| format!("column {k} with a rather long name/L{}", k % 6)).collect();
        let populations: Vec<_> = (0..60)
            .map(|k| PopulationSpikes {
                name: &names[k],
                neurons: 40,
                inhibitory: k % 3 == 2,
                events: &events,
            })
            .collect();
        drawn("raster_many", |path| spike_raster(path, "Sixty populations", &populations, 0.0..500.0));
    }
}
