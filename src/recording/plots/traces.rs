//! A state variable over time.

use std::path::Path;

use conex_systems::Real;
use ndarray::ArrayView1;

use super::axes::{Axis, LABEL, Panel, SMALL, WIDTH, below_heading, heading};
use super::canvas::{Area, Font, draw, fitted, text_width};
use super::colours::{BLUE, GREY, VERMILLION};
use super::{Labels, check_equal, wide};
use crate::recording::export::RecordingError;

/// One neuron's, or one synapse's, course in [`traces`].
#[derive(Debug, Clone, Copy)]
pub struct Trace<'a> {
    /// Its name, at the right of its panel.
    pub label: &'a str,
    /// The variable, one value per time. NaN breaks the curve.
    pub values: ArrayView1<'a, Real>,
    /// When the neuron fired, in ms: small marks above the curve. May be empty.
    pub spikes: &'a [f64],
}

/// A panel for each of `traces`, one above the other, with the same axes: `times` in ms, and the range of all the values
/// and of `threshold` (a dashed line). At most 16 are drawn; the subtitle says so if there are more.
///
/// # Errors
///
/// [`RecordingError::LengthMismatch`] if a trace has not one value per time, [`RecordingError::Io`] if `path` cannot be
/// written.
pub fn traces(
    path: &Path,
    labels: &Labels,
    times: &[f64],
    traces: &[Trace],
    threshold: Option<f64>,
) -> Result<(), RecordingError> {
    const MOST: usize = 16;
    for trace in traces {
        check_equal(
            || format!("times and values of the trace `{}`", trace.label),
            times.len(),
            trace.values.len(),
        )?;
    }
    let shown = &traces[..traces.len().min(MOST)];
    let subtitle = match traces.len() {
        ..=MOST => String::new(),
        more => format!("the first {MOST} of {more}"),
    };
    let values = || shown.iter().flat_map(|trace| trace.values.iter().copied().map(wide));
    let time = Axis::around(times.iter().copied());
    let range = Axis::around(values().chain(threshold)).padded();
    let nothing = !values().any(f64::is_finite) || !times.iter().any(|time| time.is_finite());

    let panels = shown.len().max(1);
    let height = (420.0 / panels as f64).clamp(72.0, 360.0);
    // Between panels, for the marks of the lower one.
    const GAP: f64 = 16.0;
    let names = shown.iter().map(|trace| text_width(trace.label, SMALL)).fold(0.0, f64::max).min(200.0);
    let place = |k: usize| Panel {
        area: Area {
            left: 0.0,
            top: below_heading(&subtitle) + GAP + k as f64 * (height + GAP),
            right: WIDTH - 28.0 - names - if names > 0.0 { 10.0 } else { 0.0 },
            bottom: below_heading(&subtitle) + GAP + k as f64 * (height + GAP) + height,
        },
        x: time,
        y: range,
    };
    let widest = place(0).y_ticks().iter().map(|tick| text_width(&tick.label, SMALL)).fold(0.0, f64::max);
    let left = widest + 48.0;
    let bottom = place(panels - 1).area.bottom;
    draw(path, WIDTH, bottom + 60.0, |canvas| {
        heading(canvas, (left, WIDTH), labels.title, &subtitle);
        for k in 0..panels {
            let mut panel = place(k);
            panel.area.left = left;
            let area = panel.area;
            panel.x_grid(canvas, k + 1 == panels);
            panel.y_grid(canvas);
            if let Some(y) = threshold.filter(|threshold| range.contains(*threshold)) {
                canvas.dashes(area.left, area.right, panel.up(y), GREY);
            }
            if let Some(trace) = shown.get(k) {
                let points = times.iter().copied().zip(trace.values.iter().copied().map(wide));
                panel.curve(canvas, points, BLUE);
                for x in trace
                    .spikes
                    .iter()
                    .filter(|spike| time.contains(**spike))
                    .map(|spike| panel.across(*spike))
                {
                    canvas.line(&[(x, area.top - 10.0), (x, area.top - 2.0)], 1.25, VERMILLION);
                }
                canvas.text(
                    (area.right + 10.0, area.centre().1),
                    &fitted(trace.label, SMALL, 200.0),
                    Font::left(SMALL),
                );
            }
            panel.frame(canvas);
            if nothing {
                panel.note(canvas, "no data");
            }
            if k + 1 == panels {
                panel.x_title(canvas, labels.x);
            }
        }
        let middle = (place(0).area.top + bottom) / 2.0;
        canvas.text((20.0, middle), labels.y, Font { turned: true, ..Font::centred(LABEL) });
    })
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::tests::{drawn, noise};
    use super::*;

    const LABELS: Labels = Labels { title: "L4/exc", x: "time (ms)", y: "membrane potential (mV)" };

    /// Leaky neurons under noisy current, sampled every 0.1 ms; when they fired.
    fn leaky(neurons: usize, steps: usize) -> (Vec<f64>, Array2<Real>, Vec<Vec<f64>>) {
        let mut uniform = noise(9);
        let mut recorded = Array2::zeros((steps, neurons));
        let mut spikes = vec![vec![]; neurons];
        let times: Vec<_> = (0..steps).map(|step| step as f64 * 0.1).collect();
        let mut v = vec![-65.0; neurons];
        for step in 0..steps {
            for (neuron, v) in v.iter_mut().enumerate() {
                *v += 0.01 * (-65.0 - *v + (14.0 + 2.0 * neuron as f64) * 2.2 * uniform());
                if *v >= -50.0 {
                    *v = -68.0;
                    spikes[neuron].push(times[step]);
                }
                recorded[[step, neuron]] = *v as Real;
            }
        }
        (times, recorded, spikes)
    }

    fn series<'a>(values: &'a Array2<Real>, spikes: &'a [Vec<f64>], names: &'a [String]) -> Vec<Trace<'a>> {
        let columns = values.columns().into_iter().zip(spikes).zip(names);
        columns.map(|((values, spikes), label)| Trace { label, values, spikes }).collect()
    }

    #[test]
    fn every_neuron_has_a_panel_with_threshold_and_spikes() {
        let (times, values, spikes) = leaky(4, 10_000);
        let names: Vec<_> = (0..4).map(|k| format!("neuron {k}")).collect();
        let panels = series(&values, &spikes, &names);
        let svg = drawn("traces", |path| traces(path, &LABELS, &times, &panels, Some(-50.0)));
        assert_eq!(svg.matches("stroke=\"#0072B2\"").count(), 4);
        assert_eq!(svg.matches("stroke=\"#D55E00\"").count(), spikes.iter().map(Vec::len).sum::<usize>());
        let one = drawn("trace", |path| traces(path, &LABELS, &times, &panels[3..], Some(-50.0)));
        assert!(one.contains("neuron 3") && !one.contains("neuron 1"));
    }

    #[test]
    fn too_many_traces_are_cut_and_said_to_be() {
        let (times, values, spikes) = leaky(20, 2_000);
        let names: Vec<_> = (0..20).map(|k| format!("neuron {k}")).collect();
        let panels = series(&values, &spikes, &names);
        let svg = drawn("traces_many", |path| traces(path, &LABELS, &times, &panels, None));
        assert!(svg.contains("the first 16 of 20"));
    }

    #[test]
    fn nothing_recorded_says_so() {
        let nan = [Real::NAN; 2];
        let lost = Trace { label: "diverged", values: ArrayView1::from(&nan), spikes: &[f64::NAN] };
        assert!(
            drawn("traces_nan", |path| traces(path, &LABELS, &[0.0, 1.0], &[lost], Some(f64::NAN)))
                .contains("no data")
        );
        assert!(drawn("traces_none", |path| traces(path, &LABELS, &[], &[], None)).contains("no data"));
    }

    #[test]
    fn a_trace_of_another_length_is_refused() {
        let trace = Trace { label: "a", values: ArrayView1::from(&[1.0]), spikes: &[] };
        let refused = traces(Path::new("never.svg"), &LABELS, &[0.0, 1.0], &[trace], None);
        assert!(matches!(refused, Err(RecordingError::LengthMismatch { expected: 2, given: 1, .. })));
    }
}
