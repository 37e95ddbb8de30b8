//! How often which value occurs.

use std::path::Path;

use super::Labels;
use super::axes::{Axis, Chart, count, measured};
use super::canvas::Area;
use super::colours::BLUE;
use crate::recording::export::RecordingError;

/// A histogram of `values`, such as the weights of a projection, in `bins` classes of equal width (chosen from the
/// number of values if `None`). The subtitle tells how many there are, their mean and standard deviation, and how many
/// were left out as not finite.
///
/// # Errors
///
/// [`RecordingError::Io`] if `path` cannot be written.
pub fn histogram<V: Into<f64>>(
    path: &Path,
    labels: &Labels,
    values: impl IntoIterator<Item = V>,
    bins: Option<usize>,
) -> Result<(), RecordingError> {
    const MOST_BINS: usize = 800;
    let (values, strange): (Vec<f64>, Vec<f64>) =
        values.into_iter().map(Into::into).partition(|value: &f64| value.abs() <= 1e100);
    let number = values.len() as f64;
    let mean = values.iter().sum::<f64>() / number;
    let deviation = (values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / number).sqrt();

    let range = Axis::around(values.iter().copied());
    let bins = bins.unwrap_or((number.sqrt() as usize).clamp(10, 60)).clamp(1, MOST_BINS);
    let mut counts = vec![0u64; bins];
    for value in &values {
        // The highest value belongs to the last class, which is closed on both sides.
        counts[((range.fraction(*value) * bins as f64) as usize).min(bins - 1)] += 1;
    }
    let highest = counts.iter().max().map_or(0.0, |count| *count as f64);

    let mut subtitle = format!("n = {}", count(values.len()));
    if !values.is_empty() {
        subtitle += &format!(", mean {}, standard deviation {}", measured(mean), measured(deviation));
    }
    if !strange.is_empty() {
        subtitle += &format!(", without {} that are not finite", count(strange.len()));
    }
    let chart = Chart {
        title: labels.title,
        subtitle: &subtitle,
        x_title: labels.x,
        y_title: labels.y,
        x: range,
        y: Axis::new(0.0, highest.max(1.0) * 1.05).whole(true),
        legend: vec![],
        note: values.is_empty().then_some("no values"),
    };
    chart.draw(path, |canvas, panel| {
        let edge = |bin: usize| panel.area.left + panel.area.width() * bin as f64 / bins as f64;
        let gap = if bins <= 200 { 1.0 } else { 0.0 };
        for (bin, number) in counts.iter().enumerate().filter(|(_, number)| **number > 0) {
            let (left, right, top) = (edge(bin), edge(bin + 1) - gap, panel.up(*number as f64));
            canvas.rectangle(Area { left, right, top, bottom: panel.area.bottom }, BLUE);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{drawn, noise};
    use super::*;

    const LABELS: Labels = Labels { title: "Weights of L4/exc → L4/inh", x: "weight", y: "synapses" };

    #[test]
    fn every_value_is_counted_once() {
        let mut uniform = noise(1);
        let weights = (0..40_000).map(|_| ((0..6).map(|_| uniform()).sum::<f64>() / 6.0) as f32);
        let svg = drawn("histogram", |path| histogram(path, &LABELS, weights, None));
        assert!(svg.contains("n = 40,000, mean 0.5"));
        let svg = drawn("two_bins", |path| histogram(path, &LABELS, [0.0, 0.0, 1.0], Some(2)));
        assert_eq!(svg.matches("fill=\"#0072B2\"").count(), 2);
    }

    #[test]
    fn values_that_are_all_equal_or_missing_do_not_stop_it() {
        assert!(
            drawn("none", |path| histogram(path, &LABELS, Vec::<f32>::new(), None)).contains("no values")
        );
        assert!(drawn("equal", |path| histogram(path, &LABELS, [0.5f32; 9], Some(0))).contains("n = 9"));
        let svg = drawn("strange", |path| histogram(path, &LABELS, [f64::NAN, 1.0, f64::INFINITY], None));
        assert!(svg.contains("n = 1,") && svg.contains("without 2 that"));
    }
}
