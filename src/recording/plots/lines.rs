//! Curves of one number over another: learning curves, the STDP window.

use std::ops::Range;
use std::path::Path;

use super::axes::{Axis, Chart};
use super::colours::{AXIS, of_line};
use super::{Labels, check_equal};
use crate::recording::export::RecordingError;

/// One curve of a [`line_plot`].
#[derive(Debug, Clone, Copy)]
pub struct Curve<'a> {
    /// Its name in the legend.
    pub label: &'a str,
    /// Where its points are.
    pub x: &'a [f64],
    /// How high they are, as many as there are of `x`. NaN breaks the curve.
    pub y: &'a [f64],
}

/// Curves with marked points where these are few, lines at zero where an axis crosses it, and a legend if there are
/// several. The vertical axis spans `y_range`, or the data if that is `None`.
///
/// # Errors
///
/// [`RecordingError::LengthMismatch`] if a curve's `x` and `y` differ in length, [`RecordingError::Io`] if `path` cannot
/// be written.
pub fn line_plot(
    path: &Path,
    labels: &Labels,
    curves: &[Curve],
    y_range: Option<Range<f64>>,
) -> Result<(), RecordingError> {
    const MOST_MARKED: usize = 40;
    for curve in curves {
        check_equal(|| format!("x and y of the curve `{}`", curve.label), curve.x.len(), curve.y.len())?;
    }
    let points = || curves.iter().flat_map(|curve| curve.x.iter().copied().zip(curve.y.iter().copied()));
    let marked = |curve: &Curve| curve.x.len() <= MOST_MARKED;
    let x = Axis::around(points().map(|point| point.0)).whole(points().all(|(x, _)| x.fract() == 0.0));
    let nothing = !points().any(|(x, y)| x.is_finite() && y.is_finite());
    let chart = Chart {
        title: labels.title,
        subtitle: "",
        x_title: labels.x,
        y_title: labels.y,
        // Marks at the ends keep off the frame.
        x: if curves.iter().all(marked) { x.padded() } else { x },
        y: match y_range {
            Some(range) => Axis::new(range.start, range.end),
            None => Axis::around(points().map(|point| point.1)).padded(),
        },
        legend: curves.iter().enumerate().map(|(k, curve)| (curve.label, of_line(k))).collect(),
        note: nothing.then_some("no data"),
    };
    chart.draw(path, |canvas, panel| {
        let area = panel.area;
        if chart.x.low() < 0.0 && chart.x.high() > 0.0 {
            let x = panel.across(0.0);
            canvas.line(&[(x, area.top), (x, area.bottom)], 1.0, AXIS);
        }
        if chart.y.low() < 0.0 && chart.y.high() > 0.0 {
            let y = panel.up(0.0);
            canvas.line(&[(area.left, y), (area.right, y)], 1.0, AXIS);
        }
        for (k, curve) in curves.iter().enumerate() {
            let points = curve.x.iter().copied().zip(curve.y.iter().copied());
            panel.curve(canvas, points.clone(), of_line(k));
            if marked(curve) {
                for (x, y) in points.filter(|(x, y)| chart.x.contains(*x) && chart.y.contains(*y)) {
                    canvas.dot((panel.across(x), panel.up(y)), 3.0, of_line(k));
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::drawn;
    use super::*;

    #[test]
    fn a_learning_curve_has_its_points_and_names() {
        let x: Vec<_> = (1..=12).map(f64::from).collect();
        let train: Vec<_> = x.iter().map(|x| 97.0 - 70.0 / (x * x)).collect();
        let test: Vec<_> = x.iter().map(|x| 91.0 - 68.0 / (x * x) - x / 8.0).collect();
        let labels = Labels { title: "Digits, 400 neurons", x: "epoch", y: "accuracy (%)" };
        let curves =
            [Curve { label: "training", x: &x, y: &train }, Curve { label: "test", x: &x, y: &test }];
        let svg = drawn("learning_curve", |path| line_plot(path, &labels, &curves, Some(0.0..100.0)));
        assert_eq!(svg.matches("<circle").count(), 24);
        for name in ["training", "test", "epoch", "accuracy (%)"] {
            assert!(svg.contains(name), "{name}");
        }
    }

    #[test]
    fn an_stdp_window_jumps_at_zero() {
        let window = |x: f64| {
            if x < 0.0 { -0.006 / (1.0 - x / 20.0).powi(3) } else { 0.01 / (1.0 + x / 15.0).powi(3) }
        };
        let x: Vec<_> = (-800..=800).map(|k| f64::from(k) / 10.0).collect();
        // NaN lifts the pen between the two branches.
        let y: Vec<_> = x.iter().map(|x| if *x == 0.0 { f64::NAN } else { window(*x) }).collect();
        let labels = Labels { title: "STDP window", x: "t(post) − t(pre) (ms)", y: "weight change" };
        let svg =
            drawn("stdp_window", |path| line_plot(path, &labels, &[Curve { label: "", x: &x, y: &y }], None));
        assert_eq!(svg.matches("stroke=\"#0072B2\"").count(), 2);
    }

    #[test]
    fn many_curves_with_long_names_keep_their_legend_on_the_paper() {
        let names: Vec<_> =
            (0..30).map(|k| format!("L{k}/exc → L{k}/inh, every weight of every column of it")).collect();
        let curves: Vec<_> =
            names.iter().map(|label| Curve { label, x: &[0.0, 1.0], y: &[0.0, 1e-5] }).collect();
        let labels = Labels { title: "Thirty & more <curves>", x: "time (s)", y: "weight" };
        let svg = drawn("many_curves", |path| line_plot(path, &labels, &curves, None));
        assert!(svg.contains("and 13 more"), "{}", svg.split("and ").last().unwrap_or_default());
    }

    #[test]
    fn data_that_cannot_be_shown_says_so() {
        let labels = Labels { title: "Nothing", x: "x", y: "y" };
        for (x, y) in
            [(vec![], vec![]), (vec![1.0, 2.0], vec![f64::NAN, f64::INFINITY]), (vec![f64::NAN], vec![1.0])]
        {
            let curves = [Curve { label: "a", x: &x, y: &y }];
            assert!(drawn("no_data", |path| line_plot(path, &labels, &curves, None)).contains("no data"));
        }
        assert!(drawn("no_curves", |path| line_plot(path, &labels, &[], Some(1.0..1.0))).contains("no data"));
    }

    #[test]
    fn a_single_point_and_a_constant_are_drawn() {
        let labels = Labels::default();
        let svg =
            drawn("one", |path| line_plot(path, &labels, &[Curve { label: "", x: &[3.0], y: &[3.0] }], None));
        assert!(svg.contains("<circle"));
        drawn("constant", |path| {
            line_plot(path, &labels, &[Curve { label: "", x: &[0.0, 1.0], y: &[5.0, 5.0] }], None)
        });
    }

    #[test]
    fn points_without_a_partner_are_refused() {
        let curve = Curve { label: "loss", x: &[1.0], y: &[] };
        let error = line_plot(Path::new("never.svg"), &Labels::default(), &[curve], None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "x and y of the curve `loss`: expected 1, given 0: they must be equally many"
        );
    }
}
