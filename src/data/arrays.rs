//! Images as arrays and back.

use super::{DataError, Images};
use conex_systems::Real;
use conex_systems::group::Grid;
use conex_systems::stimulus::Dataset;
use ndarray::{Array3, ArrayD};

impl Images {
    /// Image `index` as an array.
    ///
    /// # Shapes
    /// (depth, height, width).
    ///
    /// # Errors
    /// When `index` is beyond the last image.
    pub fn array(&self, index: usize) -> Result<Array3<Real>, DataError> {
        let images = self.len();
        if index >= images {
            return Err(DataError::NoSuchImage { index, images });
        }
        let Grid { depth, height, width } = self.shape();
        let pixels = self.intensities(index);
        let pixel = |(d, h, w)| pixels[(d * height + h) * width + w];
        Ok(Array3::from_shape_fn((depth, height, width), pixel))
    }

    /// What `transform` makes of each image; the labels stay.
    ///
    /// # Shapes
    /// `transform` gets (depth, height, width), and gives an array of up to three axes, the last of which are height and
    /// width. All its results have one shape.
    ///
    /// # Errors
    /// When `transform` fails, or gives more than three axes, another shape for another image, or numbers that are not
    /// finite.
    ///
    /// ```
    /// use conex::data::{DogFilter, convolve, digits, filter_bank, split_sign_polarity};
    /// use conex::systems::stimulus::Dataset;
    /// # fn main() -> Result<(), conex::data::DataError> {
    /// let centre_surround = filter_bank(&[DogFilter::default().size(3usize).zero_mean(true).values()?], 1)?;
    /// let on_and_off = digits()?.take(10).map(|digit| {
    ///     split_sign_polarity(&convolve(&digit, &centre_surround, (1, 1), (1, 1))?)
    /// })?;
    /// assert_eq!(on_and_off.shape(), (2, 8, 8).into());
    /// # Ok(())
    /// # }
    /// ```
    pub fn map(
        &self,
        transform: impl Fn(ArrayD<Real>) -> Result<ArrayD<Real>, DataError>,
    ) -> Result<Images, DataError> {
        // Of no image at all, a dark one tells the shape.
        let Grid { depth, height, width } = self.shape();
        let first = if self.is_empty() { Array3::zeros((depth, height, width)) } else { self.array(0)? };
        let first = transform(first.into_dyn())?;
        let mut intensities = Vec::new();
        for index in 0..self.len() {
            let image = transform(self.array(index)?.into_dyn())?;
            if image.shape() != first.shape() {
                let (first, given) = (first.shape().to_vec(), image.shape().to_vec());
                return Err(DataError::ShapesVary { image: index, first, given });
            }
            intensities.extend(image.iter());
        }
        Images::new(grid(first.shape())?, intensities, self.labels().map(<[usize]>::to_vec))
    }
}

/// The grid of an array whose last axes are height and width.
fn grid(shape: &[usize]) -> Result<Grid, DataError> {
    match *shape {
        [] => Ok(1.into()),
        [width] => Ok(width.into()),
        [height, width] => Ok(Grid::new(1, height, width)),
        [depth, height, width] => Ok(Grid::new(depth, height, width)),
        _ => Err(DataError::AxisCount {
            what: "an image",
            expected: "at most three axes",
            given: shape.to_vec(),
        }),
    }
}

/// Refuses arrays that would not fit into the memory of most machines, before anything is allocated.
pub(super) fn check_values(what: &'static str, shape: &[usize]) -> Result<(), DataError> {
    const LIMIT: usize = 1 << 30;
    let values = shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side));
    match values {
        Some(values) if values <= LIMIT => Ok(()),
        _ => Err(DataError::TooManyValues { what, shape: shape.to_vec(), limit: LIMIT }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Images {
        Images::new((1, 2, 3), (0..12).map(|x| x as Real).collect(), Some(vec![4, 2])).unwrap()
    }

    #[test]
    fn an_array_has_the_order_of_the_grid() {
        let image = two().array(1).unwrap();
        assert_eq!((image.dim(), image[[0, 0, 0]], image[[0, 1, 2]]), ((1, 2, 3), 6.0, 11.0));
        assert!(matches!(two().array(2), Err(DataError::NoSuchImage { index: 2, images: 2 })));
    }

    #[test]
    fn the_same_comes_back_from_doing_nothing() {
        assert_eq!(two().map(Ok).unwrap(), two());
    }

    #[test]
    fn a_transform_may_change_the_shape_and_the_layout() {
        let turned = two().map(|image| Ok(image.reversed_axes())).unwrap();
        assert_eq!((turned.shape(), turned.labels()), ((3, 2, 1).into(), Some(&[4, 2][..])));
        assert_eq!(turned.intensities(0), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        let none = two().take(0).map(|image| Ok(image.reversed_axes())).unwrap();
        assert_eq!((none.len(), none.shape()), (0, (3, 2, 1).into()));
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let many = two().map(|_| Ok(ArrayD::zeros(vec![1, 1, 1, 1])));
        assert!(many.unwrap_err().to_string().contains("at most three axes"));
        let vary = two().map(|image| Ok(ArrayD::zeros(vec![1 + (image[[0, 0, 0]] / 6.0) as usize])));
        assert!(matches!(vary, Err(DataError::ShapesVary { image: 1, .. })));
        let infinite = two().map(|image| Ok(image / 0.0));
        assert!(matches!(infinite, Err(DataError::NotFinite { .. })));
        assert!(matches!(two().map(|_| Ok(ArrayD::zeros(vec![0]))), Err(DataError::BadShape { .. })));
    }

    #[test]
    fn more_values_than_can_be_counted_are_too_many() {
        assert!(check_values("", &[usize::MAX, 2]).is_err());
        assert!(check_values("", &[1 << 30, 1]).is_ok());
        assert!(check_values("", &[1 << 30, 2]).is_err());
    }
}
