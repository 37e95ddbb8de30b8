//! Tables as heat maps, with the numbers in the cells.

use std::path::Path;

use ndarray::ArrayView2;

use super::axes::{Axis, LABEL, SMALL, colour_bar, heading, measured, round};
use super::canvas::{Area, Canvas, Font, draw, fitted, text_width};
use super::colours::{BLUES, GREY, INK, WHITE};
use super::{Labels, check_equal};
use crate::recording::export::RecordingError;

/// A heat map of `values`, such as a confusion matrix (rows: true classes, columns: predicted ones), with the names of
/// rows and columns, and with the numbers in the cells where these are large enough. Values that are no finite numbers
/// stay white and empty.
///
/// # Shapes
///
/// `values`: (`row_names`, `column_names`).
///
/// # Errors
///
/// [`RecordingError::LengthMismatch`] if there is not one name per row and column, [`RecordingError::Io`] if `path`
/// cannot be written.
pub fn matrix<S: AsRef<str>>(
    path: &Path,
    labels: &Labels,
    values: ArrayView2<f64>,
    row_names: &[S],
    column_names: &[S],
) -> Result<(), RecordingError> {
    let (rows, columns) = values.dim();
    check_equal(|| format!("rows of the matrix `{}` and their names", labels.title), rows, row_names.len())?;
    check_equal(
        || format!("columns of the matrix `{}` and their names", labels.title),
        columns,
        column_names.len(),
    )?;
    // Zero belongs to the scale: a small share looks small.
    let range = Axis::around(values.iter().copied().chain([0.0]));

    let cell = (640.0 / rows.max(columns).max(1) as f64).clamp(2.0, 52.0);
    let row_names: Vec<_> = row_names.iter().map(|name| fitted(name.as_ref(), SMALL, 140.0)).collect();
    let column_names: Vec<_> = column_names.iter().map(|name| fitted(name.as_ref(), SMALL, 140.0)).collect();
    let widest = |names: &[String]| names.iter().map(|name| text_width(name, SMALL)).fold(0.0, f64::max);
    // Names of columns lie flat where they fit, else they stand.
    let stand = widest(&column_names) > cell - 4.0;
    let below = if stand { widest(&column_names) + 12.0 } else { 24.0 };
    let (left, top) = (widest(&row_names) + 52.0, 48.0);
    let area = Area { left, top, right: left + columns as f64 * cell, bottom: top + rows as f64 * cell };
    let bottom = area.bottom.max(top + 160.0);
    let width = (area.right + 110.0).max(480.0);
    draw(path, width, bottom + below + 36.0, |canvas| {
        heading(canvas, (left, width), labels.title, "");
        if !values.iter().any(|value| value.is_finite()) {
            let middle = ((left + width) / 2.0, (top + bottom) / 2.0);
            canvas.text(middle, "no data", Font { colour: GREY, ..Font::centred(LABEL + 2.0) });
            return;
        }
        canvas.image(area, (rows, columns), BLUES, |row, column| Some(range.fraction(values[[row, column]])));
        write_numbers(canvas, area, cell, range, values);
        // Where names would overlap, every kth is written.
        let every = (SMALL / cell).ceil().max(1.0) as usize;
        for (row, name) in row_names.iter().enumerate().step_by(every) {
            canvas.text((left - 8.0, area.top + (row as f64 + 0.5) * cell), name, Font::right(SMALL));
        }
        for (column, name) in column_names.iter().enumerate().step_by(every) {
            let x = left + (column as f64 + 0.5) * cell;
            if stand {
                canvas.text((x, area.bottom + 8.0), name, Font { turned: true, ..Font::right(SMALL) });
            } else {
                canvas.text((x, area.bottom + 14.0), name, Font::centred(SMALL));
            }
        }
        canvas.text((area.centre().0, area.bottom + below + 14.0), labels.x, Font::centred(LABEL));
        canvas.text((20.0, area.centre().1), labels.y, Font { turned: true, ..Font::centred(LABEL) });
        let bar = Area {
            left: area.right + 24.0,
            top,
            right: area.right + 38.0,
            bottom: (top + 260.0).min(bottom),
        };
        colour_bar(canvas, bar, range, BLUES, "");
    })
}

/// The number of each cell in its middle, if there is room for all of them.
fn write_numbers(canvas: &mut Canvas, area: Area, cell: f64, range: Axis, values: ArrayView2<f64>) {
    let whole = values.iter().all(|value| !value.is_finite() || value.fract() == 0.0);
    let number = |value: f64| if whole { round(value) } else { measured(value) };
    let longest = values.iter().map(|value| text_width(&number(*value), 1.0)).fold(1.0, f64::max);
    let size = ((cell - 4.0) / longest).min(LABEL);
    if size < 7.0 {
        return;
    }
    for ((row, column), value) in values.indexed_iter().filter(|(_, value)| value.is_finite()) {
        let (x, y) = (area.left + (column as f64 + 0.5) * cell, area.top + (row as f64 + 0.5) * cell);
        let dark = BLUES.at(range.fraction(*value)).luma() < 140.0;
        let colour = if dark { WHITE } else { INK };
        canvas.text((x, y), &number(*value), Font { colour, ..Font::centred(size) });
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::tests::{drawn, noise};
    use super::*;

    const LABELS: Labels = Labels { title: "Test set, 93.1 % correct", x: "predicted", y: "true" };

    fn confusion(classes: usize) -> Array2<f64> {
        let mut uniform = noise(4);
        Array2::from_shape_fn((classes, classes), |(row, column)| {
            if row == column {
                880.0 + (120.0 * uniform()).floor()
            } else {
                (20.0 * uniform().powi(3)).floor()
            }
        })
    }

    fn names(number: usize) -> Vec<String> {
        (0..number).map(|k| k.to_string()).collect()
    }

    #[test]
    fn a_confusion_matrix_has_its_numbers_and_names() {
        let values = confusion(10);
        let svg = drawn("matrix", |path| matrix(path, &LABELS, values.view(), &names(10), &names(10)));
        assert_eq!(svg.matches("<text").count(), 3 + 100 + 20 + 6);
        assert!(svg.contains("predicted") && svg.contains("true"));
    }

    #[test]
    fn long_names_many_classes_and_fractions_are_laid_out() {
        let animals = ["aardvark", "bear", "a cormorant of great age", "dog", "elephant"];
        let shares = Array2::from_shape_fn((5, 5), |(row, column)| if row == column { 0.812 } else { 0.047 });
        drawn("matrix_names", |path| matrix(path, &LABELS, shares.view(), &animals, &animals));
        drawn("matrix_many", |path| matrix(path, &LABELS, confusion(100).view(), &names(100), &names(100)));
        drawn("matrix_one", |path| matrix(path, &LABELS, confusion(1).view(), &names(1), &names(1)));
    }

    #[test]
    fn missing_and_strange_values_do_not_stop_it() {
        let none = Array2::zeros((0, 3));
        assert!(
            drawn("matrix_none", |path| matrix(path, &LABELS, none.view(), &names(0), &names(3)))
                .contains("no data")
        );
        let strange = ndarray::array![[f64::NAN, f64::INFINITY], [f64::NAN, f64::NAN]];
        let svg = drawn("matrix_nan", |path| matrix(path, &LABELS, strange.view(), &names(2), &names(2)));
        assert!(svg.contains("no data"));
    }

    #[test]
    fn every_row_and_column_needs_a_name() {
        let refused = matrix(Path::new("never.svg"), &LABELS, confusion(3).view(), &names(3), &names(2));
        assert!(matches!(refused, Err(RecordingError::LengthMismatch { expected: 3, given: 2, .. })));
    }
}
