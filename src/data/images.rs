//! Images in memory.

use super::DataError;
use conex_systems::Real;
use conex_systems::group::Grid;
use conex_systems::random::Seed;
use conex_systems::stimulus::Dataset;
use rand::seq::SliceRandom;
use std::fmt;

/// Images of one shape with their intensities, usually within \[0, 1\], and labels where they are known.
///
/// ```
/// use conex::data::Images;
/// # fn main() -> Result<(), conex::data::DataError> {
/// let stripes = vec![1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0]; // two images of 2 x 2 pixels
/// let images = Images::new((1, 2, 2), stripes, Some(vec![0, 1]))?;
/// assert_eq!(images.classes(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq)]
pub struct Images {
    shape: Grid,
    /// Image after image, each in the order of the grid's neurons.
    intensities: Vec<Real>,
    labels: Option<Vec<usize>>,
}

impl Images {
    /// Images of `shape` from their `intensities`, image after image, and one label per image.
    ///
    /// # Shapes
    /// `intensities`: images x depth x height x width, flattened; within an image the pixel (d, h, w) has the index
    /// `(d * height + h) * width + w`. `labels`: images.
    ///
    /// # Errors
    /// When a side of the shape is zero, the intensities do not fill whole images, one of them is not finite, or there
    /// are more or fewer labels than images.
    pub fn new(
        shape: impl Into<Grid>,
        intensities: Vec<Real>,
        labels: Option<Vec<usize>>,
    ) -> Result<Self, DataError> {
        let shape = shape.into();
        let pixels = shape.depth.checked_mul(shape.height).and_then(|n| n.checked_mul(shape.width));
        let pixels = pixels.filter(|&n| n > 0).ok_or(DataError::BadShape { shape })?;
        if !intensities.len().is_multiple_of(pixels) {
            return Err(DataError::IntensityCount { shape, given: intensities.len() });
        }
        if let Some(at) = intensities.iter().position(|x| !x.is_finite()) {
            let (image, pixel, value) = (at / pixels, at % pixels, f64::from(intensities[at]));
            return Err(DataError::NotFinite { image, pixel, value });
        }
        let images = intensities.len() / pixels;
        match labels {
            Some(labels) if labels.len() != images => {
                Err(DataError::LabelCount { images, labels: labels.len() })
            }
            labels => Ok(Images { shape, intensities, labels }),
        }
    }

    /// The labels of all images, where they are known.
    pub fn labels(&self) -> Option<&[usize]> {
        self.labels.as_deref()
    }

    /// The number of classes: one more than the greatest label, or 0 without labels.
    pub fn classes(&self) -> usize {
        self.labels.iter().flatten().max().map_or(0, |greatest| greatest.saturating_add(1))
    }

    /// The first `n` images, and the others. When there are no more than `n`, the others are empty.
    #[must_use]
    pub fn split(mut self, n: usize) -> (Images, Images) {
        let n = n.min(self.len());
        let intensities = self.intensities.split_off(n * self.shape.len());
        let labels = self.labels.as_mut().map(|labels| labels.split_off(n));
        let others = Images { shape: self.shape, intensities, labels };
        (self, others)
    }

    /// The first `n` images, or all when there are fewer.
    #[must_use]
    pub fn take(mut self, n: usize) -> Images {
        self.intensities.truncate(n.saturating_mul(self.shape.len()));
        if let Some(labels) = &mut self.labels {
            labels.truncate(n);
        }
        self
    }

    /// The images at `indices`, in that order; an index may come more than once.
    ///
    /// # Errors
    /// When an index is beyond the last image.
    pub fn subset(&self, indices: &[usize]) -> Result<Images, DataError> {
        let images = self.len();
        match indices.iter().find(|&&index| index >= images) {
            Some(&index) => Err(DataError::NoSuchImage { index, images }),
            None => Ok(self.gather(indices)),
        }
    }

    /// The images in an order drawn from `seed`: the same seed gives the same order on every machine.
    #[must_use]
    pub fn shuffled(&self, seed: u64) -> Images {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(&mut Seed(seed).stream("shuffle", "images", 0));
        self.gather(&order)
    }

    /// Each image as on and off channels: x, then 1 - x, in twice the depth.
    ///
    /// As on and off cells of the retina do, one plane then answers to light and the other to darkness, and the summed
    /// intensity is the same for every image. Intensities should lie within \[0, 1\]: above 1 the off channel is
    /// negative.
    #[must_use]
    pub fn on_off(&self) -> Images {
        let pixels = self.shape.len();
        let mut intensities = Vec::with_capacity(2 * self.intensities.len());
        for on in self.intensities.chunks_exact(pixels) {
            intensities.extend_from_slice(on);
            intensities.extend(on.iter().map(|x| 1.0 - x));
        }
        let shape = Grid { depth: 2 * self.shape.depth, ..self.shape };
        Images { shape, intensities, labels: self.labels.clone() }
    }

    /// The mean intensity of each pixel over all images; zeros if there are none.
    pub fn mean(&self) -> Vec<Real> {
        let mut mean = vec![0.0; self.shape.len()];
        for image in self.intensities.chunks_exact(self.shape.len()) {
            mean.iter_mut().zip(image).for_each(|(sum, x)| *sum += x);
        }
        let images = self.len().max(1) as Real;
        mean.iter_mut().for_each(|sum| *sum /= images);
        mean
    }

    /// Each image as on and off channels of its contrast to `mean`, in twice the depth: what is brighter, then what is
    /// darker, scaled so that the intensities of each image average `level`, and cut at 1.
    ///
    /// As cells of the retina adapt to the light that they usually see, only what is particular to an image is left of
    /// it; and every image then drives a population alike. Take the mean of the training images for the test images too.
    ///
    /// # Errors
    /// When `mean` has not one value per pixel, or is not finite.
    pub fn on_off_contrast(&self, mean: &[Real], level: Real) -> Result<Images, DataError> {
        // Checks length and finiteness of the mean as it does those of any image.
        let mean = Images::new(self.shape, mean.to_vec(), None)?;
        if mean.len() != 1 {
            return Err(DataError::IntensityCount { shape: self.shape, given: mean.intensities.len() });
        }
        let mut intensities = Vec::with_capacity(2 * self.intensities.len());
        for image in self.intensities.chunks_exact(self.shape.len()) {
            let contrast = || image.iter().zip(&mean.intensities).map(|(x, mean)| x - mean);
            let total: Real = contrast().map(Real::abs).sum();
            let gain = if total > 0.0 { level * 2.0 * image.len() as Real / total } else { 0.0 };
            intensities.extend(contrast().map(|c| (gain * c).clamp(0.0, 1.0)));
            intensities.extend(contrast().map(|c| (-gain * c).clamp(0.0, 1.0)));
        }
        let shape = Grid { depth: 2 * self.shape.depth, ..self.shape };
        Ok(Images { shape, intensities, labels: self.labels.clone() })
    }

    /// The images at `indices`, which are all there.
    fn gather(&self, indices: &[usize]) -> Images {
        let mut intensities = Vec::with_capacity(indices.len() * self.shape.len());
        for &index in indices {
            intensities.extend_from_slice(self.intensities(index));
        }
        let labels = self.labels.as_ref().map(|labels| indices.iter().map(|&index| labels[index]).collect());
        Images { shape: self.shape, intensities, labels }
    }
}

impl Dataset for Images {
    fn len(&self) -> usize {
        self.intensities.len() / self.shape.len()
    }
    fn shape(&self) -> Grid {
        self.shape
    }
    fn intensities(&self, index: usize) -> &[Real] {
        let pixels = self.shape.len();
        &self.intensities[index * pixels..][..pixels]
    }
    fn label(&self, index: usize) -> Option<usize> {
        self.labels.as_ref()?.get(index).copied()
    }
}

impl fmt::Debug for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Images {{ {} of {} pixels, {} classes }}", self.len(), self.shape, self.classes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six images of 1 x 1 x 2 pixels; image i holds i/10 and (i+1)/10, and has the label i.
    fn six() -> Images {
        let intensities = (0..6).flat_map(|i| [i as Real / 10.0, (i + 1) as Real / 10.0]).collect();
        Images::new(2, intensities, Some((0..6).collect())).unwrap()
    }

    #[test]
    fn an_image_keeps_its_label_through_shuffling_splitting_and_subsets() {
        let (first, others) = six().shuffled(3).split(4);
        let some = others.subset(&[1, 0, 1]).unwrap();
        for images in [&first, &others, &some] {
            for index in 0..images.len() {
                let label = images.label(index).unwrap();
                assert_eq!(images.intensities(index), six().intensities(label));
            }
        }
        assert_eq!((first.len(), others.len(), some.len()), (4, 2, 3));
    }

    #[test]
    fn shuffling_depends_on_the_seed_alone() {
        assert_eq!(six().shuffled(7), six().shuffled(7));
        assert!((0..20).any(|seed| six().shuffled(seed) != six().shuffled(7)));
        let mut labels = six().shuffled(7).labels().unwrap().to_vec();
        labels.sort_unstable();
        assert_eq!(labels, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn taking_or_splitting_more_than_there_is_gives_all() {
        assert_eq!(six().take(100), six());
        assert_eq!(six().take(2).labels(), Some(&[0, 1][..]));
        let (all, none) = six().split(usize::MAX);
        assert_eq!((all.len(), none.len(), none.classes()), (6, 0, 0));
    }

    #[test]
    fn on_and_off_channels_sum_to_one() {
        let both = six().on_off();
        assert_eq!(both.shape(), Grid::new(2, 1, 2));
        assert_eq!(both.intensities(1), [0.1, 0.2, 0.9, 0.8]);
        assert_eq!(both.labels(), six().labels());
    }

    #[test]
    fn images_that_do_not_fit_together_are_refused() {
        assert!(matches!(Images::new((0, 2, 2), vec![], None), Err(DataError::BadShape { .. })));
        let huge = (usize::MAX, 2, 2);
        assert!(matches!(Images::new(huge, vec![], None), Err(DataError::BadShape { .. })));
        assert!(matches!(
            Images::new(2, vec![0.0; 3], None),
            Err(DataError::IntensityCount { given: 3, .. })
        ));
        let labels = Some(vec![1]);
        assert!(matches!(
            Images::new(2, vec![0.0; 4], labels),
            Err(DataError::LabelCount { images: 2, labels: 1 })
        ));
        let rubbish = vec![0.0, 0.0, 0.0, Real::NAN];
        assert!(matches!(
            Images::new(2, rubbish, None),
            Err(DataError::NotFinite { image: 1, pixel: 1, .. })
        ));
        assert!(matches!(six().subset(&[0, 6]), Err(DataError::NoSuchImage { index: 6, images: 6 })));
    }
}
