//! Functions from arrays to arrays, to prepare images with.

use super::DataError;
use super::arrays::check_values;
use conex_systems::Real;
use ndarray::{
    Array, Array3, Array4, ArrayBase, ArrayD, ArrayView3, ArrayView4, Axis, Data, Dimension, Ix3, Ix4,
    concatenate, s,
};

/// Takes away `axis`, which has the length 1. Negative axes count from the end.
///
/// # Errors
/// When there is no such axis, or it is longer: unlike CoNeX, which then silently gives the array back as it is.
#[doc(alias = "SqueezeTransform")]
pub fn squeeze<D: Dimension>(array: Array<Real, D>, axis: isize) -> Result<ArrayD<Real>, DataError> {
    let array = array.into_dyn();
    let at = resolve(axis, array.ndim())?;
    match array.shape()[at] {
        1 => Ok(array.index_axis_move(Axis(at), 0)),
        length => Err(DataError::AxisNotSingle { axis, length }),
    }
}

/// Adds an axis of the length 1 at `axis`. Negative axes count from the end of the result: -1 adds the last one.
///
/// # Errors
/// When the result would have no such axis.
#[doc(alias = "UnsqueezeTransform")]
pub fn unsqueeze<D: Dimension>(array: Array<Real, D>, axis: isize) -> Result<ArrayD<Real>, DataError> {
    let array = array.into_dyn();
    let at = resolve(axis, array.ndim() + 1)?;
    Ok(array.insert_axis(Axis(at)))
}

/// Swaps two axes. Negative axes count from the end.
///
/// # Errors
/// When there is no such axis.
#[doc(alias = "SwapTransform")]
#[doc(alias = "transpose")]
pub fn swap_axes<D: Dimension>(
    array: Array<Real, D>,
    first: isize,
    second: isize,
) -> Result<ArrayD<Real>, DataError> {
    let mut array = array.into_dyn();
    let (first, second) = (resolve(first, array.ndim())?, resolve(second, array.ndim())?);
    array.swap_axes(first, second);
    Ok(array.as_standard_layout().into_owned())
}

/// The absolute value of each number.
#[doc(alias = "AbsoluteTransform")]
#[must_use]
pub fn absolute<D: Dimension>(array: Array<Real, D>) -> Array<Real, D> {
    array.mapv_into(Real::abs)
}

/// The positive part max(x, 0), and behind it along the first axis the negative part max(-x, 0): what on and off cells
/// tell of a contrast.
///
/// # Shapes
/// (channels, ...) gives (2 · channels, ...).
///
/// # Errors
/// When the array has no axis.
#[doc(alias = "DivideSignPolarity")]
pub fn split_sign_polarity<S, D>(array: &ArrayBase<S, D>) -> Result<ArrayD<Real>, DataError>
where
    S: Data<Elem = Real>,
    D: Dimension,
{
    let on = array.mapv(|x| if x > 0.0 { x } else { 0.0 }).into_dyn();
    let off = array.mapv(|x| if x < 0.0 { -x } else { 0.0 }).into_dyn();
    concatenate(Axis(0), &[on.view(), off.view()])
        .map_err(|_| axis_count("an array to split by sign", "at least one axis", array.shape()))
}

/// Cross-correlation of an image, or of a batch of them, with `filters`:
///
/// ```text
/// out[o, y, x] = Σ over c, i, j of filters[o, c, i, j] · image[c, y·stride + i - padding, x·stride + j - padding]
/// ```
///
/// As everywhere in machine learning the filters are not flipped; around the image there are zeros. `stride` and
/// `padding` are given for rows and columns.
///
/// # Shapes
/// `image`: (channels, height, width) or (batch, channels, height, width). `filters`: (out, channels, kernel height,
/// kernel width). Result: (out, h, w) or (batch, out, h, w) with h = ⌊(height + 2·padding - kernel height) / stride⌋ + 1,
/// and w alike.
///
/// # Errors
/// When the image has other axes or another number of channels, a stride is 0, or the filters are empty or larger than
/// the image with its padding.
///
/// ```
/// use conex::data::{GaborFilter, convolve};
/// # fn main() -> Result<(), conex::data::DataError> {
/// let image = ndarray::Array3::ones((1, 28, 28));
/// let orientations = GaborFilter::default().size(5usize).orientations(4)?;
/// assert_eq!(convolve(&image, &orientations, (1, 1), (2, 2))?.shape(), [4, 28, 28]);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "Conv2dFilter")]
#[doc(alias = "cross-correlation")]
pub fn convolve<S, D, F>(
    image: &ArrayBase<S, D>,
    filters: &ArrayBase<F, Ix4>,
    stride: (usize, usize),
    padding: (usize, usize),
) -> Result<ArrayD<Real>, DataError>
where
    S: Data<Elem = Real>,
    D: Dimension,
    F: Data<Elem = Real>,
{
    let view = image.view().into_dyn();
    let filters = filters.view();
    if let Ok(image) = view.clone().into_dimensionality::<Ix3>() {
        let convolution = Convolution::new(image.dim(), 1, filters, stride, padding)?;
        return Ok(convolution.of(image).into_dyn());
    }
    let batch = view.into_dimensionality::<Ix4>().map_err(|_| {
        axis_count("an image to convolve", "three axes, or four with the batch first", image.shape())
    })?;
    let (images, channels, height, width) = batch.dim();
    let convolution = Convolution::new((channels, height, width), images, filters, stride, padding)?;
    let (out, h, w) = convolution.out;
    let mut all = Array4::zeros((images, out, h, w));
    for (mut out, image) in all.outer_iter_mut().zip(batch.outer_iter()) {
        out.assign(&convolution.of(image));
    }
    Ok(all.into_dyn())
}

/// A convolution whose sizes fit together.
struct Convolution<'a> {
    filters: ArrayView4<'a, Real>,
    stride: (usize, usize),
    padding: (usize, usize),
    /// Channels, rows and columns of the image with its padding.
    padded: (usize, usize, usize),
    /// Channels, rows and columns of the result.
    out: (usize, usize, usize),
}

impl<'a> Convolution<'a> {
    fn new(
        image: (usize, usize, usize),
        images: usize,
        filters: ArrayView4<'a, Real>,
        stride: (usize, usize),
        padding: (usize, usize),
    ) -> Result<Self, DataError> {
        let (channels, height, width) = image;
        let (out, filter_channels, kernel_height, kernel_width) = filters.dim();
        if channels != filter_channels {
            return Err(DataError::FilterChannels { image: channels, filters: filter_channels });
        }
        let extended = |side: usize, padding: usize| side.saturating_add(padding.saturating_mul(2));
        let padded = (channels, extended(height, padding.0), extended(width, padding.1));
        let (kernel, room) = ((kernel_height, kernel_width), (padded.1, padded.2));
        let places = |room: usize, kernel: usize, stride: usize| {
            (kernel > 0).then_some(())?;
            room.checked_sub(kernel)?.checked_div(stride).map(|steps| steps + 1)
        };
        let (Some(h), Some(w)) = (places(room.0, kernel.0, stride.0), places(room.1, kernel.1, stride.1))
        else {
            return Err(DataError::FilterDoesNotFit { kernel, room, stride });
        };
        check_values("an image with its padding", &[padded.0, padded.1, padded.2])?;
        check_values("a filtered image", &[images, out, h, w])?;
        Ok(Convolution { filters, stride, padding, padded, out: (out, h, w) })
    }

    fn of(&self, image: ArrayView3<'_, Real>) -> Array3<Real> {
        let (_, height, width) = image.dim();
        let (down, right) = self.padding;
        let mut padded = Array3::zeros(self.padded);
        padded.slice_mut(s![.., down..down + height, right..right + width]).assign(&image);

        let (_, h, w) = self.out;
        let mut out = Array3::zeros(self.out);
        for ((o, c, i, j), &weight) in self.filters.indexed_iter() {
            // Every place of the result at once: what the kernel's value (i, j) sees from there.
            let (bottom, end) = (i + (h - 1) * self.stride.0 + 1, j + (w - 1) * self.stride.1 + 1);
            let seen = padded.slice(s![c, i..bottom;self.stride.0, j..end;self.stride.1]);
            out.index_axis_mut(Axis(0), o).scaled_add(weight, &seen);
        }
        out
    }
}

/// The axis that `axis` means in an array of `axes`.
fn resolve(axis: isize, axes: usize) -> Result<usize, DataError> {
    let counted = if axis < 0 { axes.checked_sub(axis.unsigned_abs()) } else { Some(axis.unsigned_abs()) };
    counted.filter(|&at| at < axes).ok_or(DataError::NoSuchAxis { axis, axes })
}

fn axis_count(what: &'static str, expected: &'static str, shape: &[usize]) -> DataError {
    DataError::AxisCount { what, expected, given: shape.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, array};
    use proptest::prelude::*;

    /// Numbers of both signs, none like the other.
    fn numbers(shape: (usize, usize, usize)) -> Array3<Real> {
        let (_, height, width) = shape;
        Array3::from_shape_fn(shape, |(c, y, x)| ((c * height + y) * width + x) as Real * 0.5 - 3.0)
    }

    #[test]
    fn squeezing_undoes_unsqueezing() {
        let image = numbers((2, 3, 4));
        for (axis, shape) in [(0, [1, 2, 3, 4]), (3, [2, 3, 4, 1]), (-1, [2, 3, 4, 1]), (-2, [2, 3, 1, 4])] {
            let more = unsqueeze(image.clone(), axis).unwrap();
            assert_eq!(more.shape(), shape);
            assert_eq!(squeeze(more, axis).unwrap(), image.clone().into_dyn());
        }
        assert!(matches!(squeeze(image, 1), Err(DataError::AxisNotSingle { axis: 1, length: 3 })));
    }

    #[test]
    fn swapping_twice_changes_nothing() {
        let image = numbers((2, 3, 4));
        let swapped = swap_axes(image.clone(), 0, -1).unwrap();
        assert_eq!(swapped.shape(), [4, 3, 2]);
        assert_eq!(swapped[[3, 1, 0]], image[[0, 1, 3]]);
        assert!(swapped.is_standard_layout());
        assert_eq!(swap_axes(swapped, -1, 0).unwrap(), image.into_dyn());
    }

    #[test]
    fn an_axis_that_is_not_there_is_refused() {
        for axis in [3, -4, isize::MAX, isize::MIN] {
            let no_such_axis = |result| matches!(result, Err(DataError::NoSuchAxis { axes: 3, .. }));
            assert!(no_such_axis(squeeze(numbers((1, 1, 1)), axis)));
            assert!(no_such_axis(swap_axes(numbers((1, 1, 1)), 0, axis)));
        }
        assert!(matches!(unsqueeze(Array1::zeros(1), 2), Err(DataError::NoSuchAxis { axes: 2, .. })));
        assert!(
            split_sign_polarity(&ndarray::arr0(1.0)).unwrap_err().to_string().contains("at least one axis")
        );
    }

    #[test]
    fn both_polarities_add_up_to_the_absolute_value() {
        let image = numbers((2, 3, 4));
        let split = split_sign_polarity(&image).unwrap();
        assert_eq!(split.shape(), [4, 3, 4]);
        assert!(split.iter().all(|&x| x >= 0.0));
        let (on, off) = split.view().split_at(Axis(0), 2);
        assert_eq!(&on + &off, absolute(image.clone()).into_dyn());
        assert_eq!(&on - &off, image.into_dyn());
    }

    #[test]
    fn convolving_with_a_point_gives_the_image() {
        let image = numbers((1, 5, 4));
        let mut point = Array4::zeros((1, 1, 3, 3));
        point[[0, 0, 1, 1]] = 1.0;
        assert_eq!(convolve(&image, &point, (1, 1), (1, 1)).unwrap(), image.clone().into_dyn());
        let inner = convolve(&image, &point, (1, 1), (0, 0)).unwrap();
        assert_eq!(inner, image.slice(s![.., 1..4, 1..3]).into_dyn());
        let every_other = convolve(&image, &point, (2, 3), (1, 1)).unwrap();
        assert_eq!(every_other, image.slice(s![.., ..;2, ..;3]).into_dyn());
    }

    #[test]
    fn the_filter_is_not_flipped_and_channels_add_up() {
        let image = array![[[1.0, 2.0, 3.0]], [[10.0, 20.0, 30.0]]];
        let filters = array![[[[1.0, 2.0]], [[0.0, 1.0]]], [[[1.0, 0.0]], [[0.0, 0.0]]]];
        // 1·1 + 2·2 + 20 and 1·2 + 2·3 + 30; then the left pixel alone.
        let want = array![[[25.0, 38.0]], [[1.0, 2.0]]].into_dyn();
        assert_eq!(convolve(&image, &filters, (1, 1), (0, 0)).unwrap(), want);
    }

    #[test]
    fn a_batch_is_convolved_image_by_image() {
        let image = numbers((2, 4, 5));
        let batch = ndarray::stack![Axis(0), image, &image * 2.0];
        let filters = Array4::from_shape_fn((3, 2, 2, 3), |(o, c, i, j)| (o + 2 * c + i * j) as Real);
        let one = convolve(&image, &filters, (1, 2), (0, 1)).unwrap();
        let both = convolve(&batch, &filters, (1, 2), (0, 1)).unwrap();
        assert_eq!(both.index_axis(Axis(0), 0), one);
        assert_eq!(both.index_axis(Axis(0), 1), one * 2.0);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (image, filters) = (numbers((2, 4, 4)), Array4::zeros((1, 2, 3, 3)));
        let message = |result: Result<ArrayD<Real>, DataError>| result.unwrap_err().to_string();
        let flat = image.index_axis(Axis(0), 0);
        assert!(message(convolve(&flat, &filters, (1, 1), (0, 0))).contains("[4, 4]"));
        let three = Array4::zeros((1, 3, 3, 3));
        assert!(message(convolve(&image, &three, (1, 1), (0, 0))).contains("3 channels"));
        assert!(message(convolve(&image, &filters, (0, 1), (0, 0))).contains("stride"));
        let large = Array4::zeros((1, 2, 5, 1));
        assert!(message(convolve(&image, &large, (1, 1), (0, 0))).contains("5 x 1"));
        let empty = Array4::zeros((1, 2, 0, 1));
        assert!(message(convolve(&image, &empty, (1, 1), (0, 0))).contains("0 x 1"));
        let far = convolve(&image, &filters, (1, 1), (usize::MAX, usize::MAX));
        assert!(matches!(far, Err(DataError::TooManyValues { .. })));
    }

    proptest! {
        #[test]
        fn no_sizes_make_it_panic(
            image in (0usize..4, 0usize..6, 0usize..6), batch in 0usize..3,
            filters in (0usize..3, 0usize..4, 0usize..5, 0usize..5), stride in (0usize..4, 0usize..4), padding in (0usize..3, 0usize..3)
        ) {
            let filters = Array4::ones(filters);
            let one = convolve(&numbers(image), &filters, stride, padding);
            let many = Array4::ones((batch, image.0, image.1, image.2));
            let many = convolve(&many, &filters, stride, padding);
            prop_assert_eq!(one.is_ok(), many.is_ok());
            if let (Ok(one), Ok(many)) = (one, many) {
                prop_assert_eq!(&many.shape()[1..], one.shape());
            }
            prop_assert_eq!(split_sign_polarity(&numbers(image))?.len(), 2 * image.0 * image.1 * image.2);
            let _ = squeeze(numbers(image), 0);
        }
    }
}
