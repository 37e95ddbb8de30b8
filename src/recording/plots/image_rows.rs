//! Images in named rows.

use std::path::Path;

use conex_systems::Real;
use ndarray::{ArrayView3, Axis as Side};

use super::axes::{Axis, LABEL, SMALL, below_heading, heading, measured};
use super::canvas::{Area, Font, draw, fitted, text_width};
use super::colours::{GREY, VIRIDIS};
use super::{check_equal, wide};
use crate::recording::export::RecordingError;

/// Images of one size, side by side.
#[derive(Debug, Clone, Copy)]
pub struct ImageRow<'a> {
    /// What they are.
    pub name: &'a str,
    /// The images: (images, height, width).
    pub images: ArrayView3<'a, Real>,
    /// What stands below each; none at all, or one per image.
    pub captions: &'a [String],
}

/// Rows of images, each with a colour map of its own from the lowest to the highest value of the row, which are written
/// below its name. Values that are no finite numbers stay white.
///
/// # Errors
///
/// [`RecordingError::LengthMismatch`] if a row has captions, but not one per image, [`RecordingError::Io`] if `path`
/// cannot be written.
pub fn image_rows(path: &Path, title: &str, rows: &[ImageRow]) -> Result<(), RecordingError> {
    const LEFT: f64 = 28.0;
    const TALLEST: f64 = 96.0;
    const GAP: f64 = 10.0;
    const ROOM: f64 = 960.0;
    for row in rows.iter().filter(|row| !row.captions.is_empty()) {
        check_equal(|| format!("captions of `{}`", row.name), row.images.dim().0, row.captions.len())?;
    }
    let names = rows.iter().map(|row| text_width(row.name, LABEL)).fold(90.0, f64::max).min(220.0);
    let first = LEFT + names + 20.0;
    // Rows of many or of wide images are smaller, so that all fit on the paper.
    let tile = |row: &ImageRow| {
        let (images, height, width) = row.images.dim();
        let across = (ROOM - first - LEFT) / images.max(1) as f64 - GAP;
        let pixel = (TALLEST / height.max(1) as f64).min(across / width.max(1) as f64).max(0.05);
        (width as f64 * pixel, height as f64 * pixel)
    };
    let below = |row: &ImageRow| if row.captions.is_empty() { 0.0 } else { 18.0 };
    let height = |row: &ImageRow| tile(row).1.max(36.0) + below(row) + 14.0;
    let used = |row: &ImageRow| first + row.images.dim().0 as f64 * (tile(row).0 + GAP);
    let paper = rows.iter().map(used).fold(480.0, f64::max) + LEFT;
    let top = below_heading("");
    let bottom = top + rows.iter().map(height).sum::<f64>().max(60.0);
    draw(path, paper, bottom + 12.0, |canvas| {
        heading(canvas, (LEFT, paper), title, "");
        if rows.iter().all(|row| row.images.is_empty()) {
            let middle = (paper / 2.0, (top + bottom) / 2.0);
            canvas.text(middle, "no images", Font { colour: GREY, ..Font::centred(LABEL + 2.0) });
            return;
        }
        let mut top = top;
        for row in rows {
            let (width, tall) = tile(row);
            let finite = || row.images.iter().copied().map(wide).filter(|value| value.is_finite());
            let range = Axis::around(finite());
            let middle = top + tall.max(36.0) / 2.0;
            canvas.text((LEFT, middle - 9.0), &fitted(row.name, LABEL, names), Font::left(LABEL));
            let (low, high) =
                finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
            if low <= high {
                let from_to = format!("{} … {}", measured(low), measured(high));
                canvas.text((LEFT, middle + 9.0), &from_to, Font { colour: GREY, ..Font::left(SMALL) });
            }
            for (k, image) in row.images.axis_iter(Side(0)).enumerate() {
                let left = first + k as f64 * (width + GAP);
                let area = Area { left, top, right: left + width, bottom: top + tall };
                canvas.image(area, image.dim(), VIRIDIS, |y, x| Some(range.fraction(wide(image[[y, x]]))));
                if let Some(caption) = row.captions.get(k) {
                    let caption = fitted(caption, SMALL, width + GAP);
                    canvas.text((area.centre().0, area.bottom + 10.0), &caption, Font::centred(SMALL));
                }
            }
            top += height(row);
        }
    })
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::super::tests::drawn;
    use super::*;

    #[test]
    fn each_row_has_its_name_range_and_captions() {
        let small = Array3::from_shape_fn((3, 4, 4), |(k, y, x)| (k + y + x) as Real);
        let wide = Array3::from_shape_fn((12, 8, 20), |(k, y, x)| (k * y) as Real - x as Real);
        let captions: Vec<String> = (0..3).map(|k| format!("image {k}")).collect();
        let svg = drawn("image_rows", |path| {
            let small = ImageRow { name: "small ones", images: small.view(), captions: &captions };
            let wide = ImageRow { name: "wide ones", images: wide.view(), captions: &[] };
            image_rows(path, "Two rows", &[small, wide])
        });
        assert_eq!(svg.matches("<image").count(), 15);
        for text in ["Two rows", "small ones", "wide ones", "image 2", "0 … 8", "−19 … 77"] {
            assert!(svg.contains(text), "{text}");
        }
    }

    #[test]
    fn empty_equal_and_missing_values_do_not_stop_it() {
        fn row(images: &Array3<Real>) -> ImageRow<'_> {
            ImageRow { name: "row", images: images.view(), captions: &[] }
        }
        assert!(drawn("rows_none", |path| image_rows(path, "None", &[])).contains("no images"));
        for shape in [(0, 4, 4), (4, 0, 4), (4, 4, 0)] {
            let images = Array3::zeros(shape);
            let svg = drawn("rows_empty", |path| image_rows(path, "Empty", &[row(&images)]));
            assert!(svg.contains("no images"));
        }
        let (equal, missing) = (Array3::ones((2, 3, 3)), Array3::from_elem((2, 3, 3), Real::NAN));
        drawn("rows_odd", |path| image_rows(path, "Odd", &[row(&equal), row(&missing)]));
    }

    #[test]
    fn captions_that_are_too_few_are_refused() {
        let images = Array3::zeros((2, 3, 3));
        let row = ImageRow { name: "row", images: images.view(), captions: &["one".into()] };
        let error = image_rows(Path::new("nowhere.svg"), "", &[row]).unwrap_err();
        assert!(error.to_string().contains("captions of `row`"), "{error}");
    }
}
