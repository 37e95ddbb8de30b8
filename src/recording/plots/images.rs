//! Pictures side by side.

use std::path::Path;

use conex_systems::Real;
use ndarray::ArrayView2;

use super::axes::{Axis, SMALL, WIDTH, below_heading, heading, measured};
use super::canvas::{Area, Font, draw, fitted};
use super::colours::{DIVERGING, GREY};
use super::wide;
use crate::recording::export::RecordingError;

/// One number for each place of a grid, under a name.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    /// What is shown.
    pub label: &'a str,
    /// The numbers, shape (height, width).
    pub values: ArrayView2<'a, Real>,
}

/// Pictures side by side, up to four in a row, in blue above zero and in red below. Each has a scale of its own: the
/// strongest number, up or down, is darkest, and the range stands under the picture. Numbers that are not finite stay
/// white.
///
/// # Errors
///
/// [`RecordingError::Io`] if `path` cannot be written.
pub fn images(path: &Path, title: &str, subtitle: &str, images: &[Image<'_>]) -> Result<(), RecordingError> {
    const LEFT: f64 = 28.0;
    const GAP: (f64, f64) = (28.0, 46.0);
    let columns = images.len().clamp(1, 4);
    let side = (WIDTH - 2.0 * LEFT - 3.0 * GAP.0) / 4.0;
    let top = below_heading(subtitle) + 18.0;
    let bottom = top + images.len().div_ceil(columns) as f64 * (side + GAP.1);
    let paper = (2.0 * LEFT + columns as f64 * (side + GAP.0)).max(480.0);
    draw(path, paper, bottom + 8.0, |canvas| {
        heading(canvas, (LEFT, paper), title, subtitle);
        for (k, image) in images.iter().enumerate() {
            let (height, width) = image.values.dim();
            // The longer side fills the place.
            let cell = side / height.max(width).max(1) as f64;
            let left = LEFT + (k % columns) as f64 * (side + GAP.0);
            let above = top + (k / columns) as f64 * (side + GAP.1);
            let area = Area {
                left,
                top: above,
                right: left + width as f64 * cell,
                bottom: above + height as f64 * cell,
            };
            let label = fitted(image.label, SMALL, side);
            canvas.text((left, above - 10.0), &label, Font { bold: true, ..Font::left(SMALL) });
            let finite = || image.values.iter().copied().map(wide).filter(|value: &f64| value.is_finite());
            let strongest = finite().fold(0.0_f64, |most, value| most.max(value.abs()));
            let scale = Axis::new(-strongest, strongest);
            if height > 0 && width > 0 {
                canvas.image(area, (height, width), DIVERGING, |row, column| {
                    Some(wide(image.values[[row, column]]))
                        .filter(|value| value.is_finite())
                        .map(|value| scale.fraction(value))
                });
            }
            let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
            let range = match low <= high {
                true => format!("{height} × {width}, {} to {}", measured(low), measured(high)),
                false => "no data".to_owned(),
            };
            let grey = Font { colour: GREY, ..Font::left(SMALL - 1.0) };
            canvas.text((left, area.bottom + 10.0), &range, grey);
        }
    })
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::tests::{drawn, noise};
    use super::*;

    #[test]
    fn pictures_of_any_shape_stand_side_by_side_with_their_ranges() {
        let mut uniform = noise(6);
        let shapes = [(16, 16), (3, 9), (9, 3), (1, 1), (14, 14)];
        let values = shapes.map(|shape| Array2::from_shape_fn(shape, |_| (uniform() - 0.5) as Real));
        let all: Vec<_> = values.iter().map(|v| Image { label: "current", values: v.view() }).collect();
        let svg = drawn("images", |path| images(path, "Kinds", "one pattern", &all));
        assert_eq!(svg.matches("<image").count(), 5);
        assert!(svg.contains("3 × 9, "));
    }

    #[test]
    fn missing_and_equal_numbers_do_not_stop_it() {
        drawn("images_none", |path| images(path, "None", "", &[]));
        for (values, says) in [
            (Array2::zeros((0, 3)), "no data"),
            (Array2::zeros((2, 2)), "0 to 0"),
            (Array2::from_elem((2, 2), Real::NAN), "no data"),
        ] {
            let image = Image { label: "a", values: values.view() };
            assert!(drawn("images_odd", |path| images(path, "Odd", "", &[image])).contains(says), "{says}");
        }
    }
}
