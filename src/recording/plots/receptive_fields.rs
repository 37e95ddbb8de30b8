//! What each neuron looks for.

use std::path::Path;

use conex_systems::Real;
use ndarray::{ArrayView3, Axis as Side, s};

use super::axes::{Axis, SMALL, WIDTH, below_heading, colour_bar, count, heading};
use super::canvas::{Area, Font, draw};
use super::colours::{GREY, VIRIDIS};
use super::wide;
use crate::recording::export::RecordingError;

/// The incoming weights of each neuron as an image, in a grid, with a common colour map whose bar tells the lowest and
/// the highest weight (or a range around them, if they are all equal). Weights that are no finite numbers stay white.
/// Beyond 1024 neurons the first are drawn, and the subtitle says so.
///
/// # Shapes
///
/// `weights`: (neurons, height, width).
///
/// # Errors
///
/// [`RecordingError::Io`] if `path` cannot be written.
pub fn receptive_fields(path: &Path, title: &str, weights: ArrayView3<Real>) -> Result<(), RecordingError> {
    const MOST: usize = 1024;
    const LEFT: f64 = 28.0;
    // Neurons few enough to be told apart are numbered.
    const MOST_NUMBERED: usize = 100;
    let shown = weights.slice(s![..weights.dim().0.min(MOST), .., ..]);
    let (neurons, height, width) = shown.dim();
    let range = Axis::around(shown.iter().copied().map(wide));
    let empty = !shown.iter().any(|weight| weight.is_finite());

    let mut subtitle = format!("{} neurons, {height} × {width} weights each", count(weights.dim().0));
    if neurons < weights.dim().0 {
        subtitle += &format!(", the first {}", count(neurons));
    }
    let numbered = neurons <= MOST_NUMBERED;
    let room = Area { left: LEFT, top: below_heading(&subtitle), right: WIDTH - 130.0, bottom: 760.0 };
    let gap = if numbered { (5.0, 18.0) } else { (3.0, 3.0) };
    let (columns, pixels) = layout(neurons, (height, width), (room.width(), room.height()), gap);
    let tile = (width as f64 * pixels, height as f64 * pixels);
    let rows = neurons.div_ceil(columns);
    let bottom = (room.top + rows as f64 * (tile.1 + gap.1)).max(room.top + 140.0);
    let paper = (LEFT + columns as f64 * (tile.0 + gap.0) + 130.0).max(480.0);
    draw(path, paper, bottom + 24.0, |canvas| {
        heading(canvas, (LEFT, paper), title, &subtitle);
        if empty {
            canvas.text(
                (paper / 2.0, (room.top + bottom) / 2.0),
                "no weights",
                Font { colour: GREY, ..Font::centred(SMALL + 3.0) },
            );
            return;
        }
        for (neuron, image) in shown.axis_iter(Side(0)).enumerate() {
            let left = LEFT + (neuron % columns) as f64 * (tile.0 + gap.0);
            let top = room.top + (neuron / columns) as f64 * (tile.1 + gap.1);
            let area = Area { left, top, right: left + tile.0, bottom: top + tile.1 };
            canvas.image(area, (height, width), VIRIDIS, |row, column| {
                Some(range.fraction(wide(image[[row, column]])))
            });
            if numbered {
                let below = (area.centre().0, area.bottom + 9.0);
                canvas.text(below, &neuron.to_string(), Font { colour: GREY, ..Font::centred(SMALL - 2.0) });
            }
        }
        let left = LEFT + columns as f64 * (tile.0 + gap.0) + 24.0;
        let (top, end) = (room.top + 26.0, (room.top + 286.0).min(bottom - gap.1));
        colour_bar(canvas, Area { left, top, right: left + 14.0, bottom: end }, range, VIRIDIS, "weight");
    })
}

/// How many columns make the images largest, and the pixels a weight then gets.
fn layout(
    neurons: usize,
    (height, width): (usize, usize),
    room: (f64, f64),
    gap: (f64, f64),
) -> (usize, f64) {
    const LARGEST_IMAGE: f64 = 150.0;
    let largest = LARGEST_IMAGE / height.max(width).max(1) as f64;
    let scale = |columns: usize| {
        let rows = neurons.div_ceil(columns);
        let across = (room.0 / columns as f64 - gap.0) / width.max(1) as f64;
        let down = (room.1 / rows as f64 - gap.1) / height.max(1) as f64;
        across.min(down).min(largest)
    };
    // Of equally good ones the most columns: pages are wide.
    (1..=neurons.max(1))
        .map(|columns| (columns, scale(columns)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map_or((1, 1.0), |(columns, pixels)| (columns, pixels.max(0.05)))
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::super::tests::{drawn, noise};
    use super::*;

    /// Blurred bars at the angle and place of the neuron's number.
    fn bars(neurons: usize, height: usize, width: usize) -> Array3<Real> {
        let mut uniform = noise(3);
        Array3::from_shape_fn((neurons, height, width), |(neuron, row, column)| {
            let (y, x) = (row as f64 / height as f64 - 0.5, column as f64 / width as f64 - 0.5);
            let slope = (neuron % 10) as f64 / 5.0 - 1.0;
            let distance = y - slope * x - ((neuron / 10) as f64 / 10.0 - 0.5) * 0.6;
            ((0.9 / (1.0 + (distance * 9.0).powi(2))) + 0.1 * uniform()) as Real
        })
    }

    #[test]
    fn a_hundred_digits_fit_into_one_small_file() {
        let weights = bars(100, 28, 28);
        let svg = drawn("receptive_fields", |path| {
            receptive_fields(path, "Receptive fields of L4/exc", weights.view())
        });
        assert_eq!(svg.matches("<image").count(), 101);
        assert!(svg.len() < 1_500_000, "{}", svg.len());
    }

    #[test]
    fn few_many_and_oblong_fields_are_laid_out() {
        drawn("fields_one", |path| receptive_fields(path, "One", bars(1, 5, 5).view()));
        drawn("fields_three", |path| receptive_fields(path, "Three", bars(3, 4, 16).view()));
        let svg = drawn("fields_many", |path| receptive_fields(path, "Many", bars(2000, 12, 12).view()));
        assert!(svg.contains("2000 neurons") && svg.contains("the first 1024"));
    }

    #[test]
    fn missing_and_equal_weights_do_not_stop_it() {
        for shape in [(0, 4, 4), (4, 0, 4), (4, 4, 0)] {
            let svg =
                drawn("fields_none", |path| receptive_fields(path, "None", Array3::zeros(shape).view()));
            assert!(svg.contains("no weights"));
        }
        drawn("fields_equal", |path| receptive_fields(path, "Equal", Array3::ones((2, 3, 3)).view()));
        let svg = drawn("fields_nan", |path| {
            receptive_fields(path, "NaN", Array3::from_elem((2, 3, 3), Real::NAN).view())
        });
        assert!(svg.contains("no weights"));
    }

    #[test]
    fn the_layout_stays_in_its_room() {
        for neurons in [1, 2, 7, 64, 100, 1024] {
            for shape in [(28, 28), (1, 50), (50, 1), (3, 9)] {
                let (columns, pixels) = layout(neurons, shape, (800.0, 700.0), (3.0, 3.0));
                let rows = neurons.div_ceil(columns);
                assert!(columns as f64 * (shape.1 as f64 * pixels + 3.0) <= 800.1, "{neurons} {shape:?}");
                assert!(rows as f64 * (shape.0 as f64 * pixels + 3.0) <= 700.1, "{neurons} {shape:?}");
            }
        }
    }
}
