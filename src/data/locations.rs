//! Parts of images with their places, for two populations.

use super::{DataError, GridMask, Images};
use conex_systems::Real;
use conex_systems::group::Grid;
use conex_systems::stimulus::Dataset;
use ndarray::{Array3, ArrayD, Axis};
use std::sync::Arc;

/// Triples of a view, its location and a label: what a sensory population sees, and what a second one is told of where
/// that is.
///
/// Each image is seen through a [`GridMask`], cell after cell, so there are m·n views of it in a row, each with the image's
/// label. [`sensory`](Self::sensory) and [`location`](Self::location) are two datasets of the same length, order and labels.
/// Shown by a `Stimulus` each, they stay in step as long as both encoders have the same duration and both stimuli the same
/// silent interval.
///
/// All views are held in memory: m·n times the pixels of the images for a mask that erases or keeps. Take fewer images, or
/// crop, where that is too much.
///
/// ```
/// use conex::prelude::*;
/// use conex::data::{GridMask, LocationDataset, digits};
/// # fn main() -> conex::Result<()> {
/// let views = LocationDataset::new(&digits()?.take(100), &GridMask::crop(2, 2).random_order(1))?;
/// let encoder = Poisson::new(20, 0.5)?;
///
/// let mut net = Neocortex::new()?;
/// let what = net.neurons("what", views.sensory().shape(), Stimulus::new(views.sensory(), encoder))?;
/// let place = net.neurons("where", views.location().shape(), Stimulus::new(views.location(), encoder))?;
/// net.run(50)?;
/// assert_eq!(net.get::<Presentation>(what)?.label(), net.get::<Presentation>(place)?.label());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LocationDataset {
    views: Arc<Images>,
    locations: Arc<Images>,
}

impl LocationDataset {
    /// The views of `images` through `mask`. Where the mask draws the order of its cells, it does so for each image.
    ///
    /// # Shapes
    /// Views: (channels, h, w) as the mask gives them. Locations: (1, m, n).
    ///
    /// # Errors
    /// When the mask does not fit the images ([`GridMask::apply`]).
    pub fn new(images: &Images, mask: &GridMask) -> Result<Self, DataError> {
        // A dark image tells the shape even if there is no other.
        let Grid { depth, height, width } = images.shape();
        let (view, location) = mask.apply(&Array3::zeros((depth, height, width)))?;
        let (_, depth, height, width) = view.dim();
        let (cells, m, n) = location.dim();
        let (mut views, mut locations) = (Vec::new(), Vec::new());
        for index in 0..images.len() {
            let (view, location) = mask.apply_nth(images.array(index)?.view(), index)?;
            views.extend(view);
            locations.extend(location);
        }
        let labels = images.labels().map(|labels| {
            labels.iter().flat_map(|&label| std::iter::repeat_n(label, cells)).collect::<Vec<_>>()
        });
        Ok(LocationDataset {
            views: Arc::new(Images::new((depth, height, width), views, labels.clone())?),
            locations: Arc::new(Images::new((1, m, n), locations, labels)?),
        })
    }

    /// What `transform` makes of each view; locations and labels stay. To transform the images before they are masked, use
    /// [`Images::map`] on them.
    ///
    /// # Errors
    /// As [`Images::map`].
    pub fn map_views(
        self,
        transform: impl Fn(ArrayD<Real>) -> Result<ArrayD<Real>, DataError>,
    ) -> Result<Self, DataError> {
        Ok(LocationDataset { views: Arc::new(self.views.map(transform)?), ..self })
    }

    /// What `transform` makes of each location; views and labels stay.
    ///
    /// # Errors
    /// As [`Images::map`].
    pub fn map_locations(
        self,
        transform: impl Fn(ArrayD<Real>) -> Result<ArrayD<Real>, DataError>,
    ) -> Result<Self, DataError> {
        Ok(LocationDataset { locations: Arc::new(self.locations.map(transform)?), ..self })
    }

    /// The views, for the population that sees them.
    pub fn sensory(&self) -> Arc<Images> {
        self.views.clone()
    }

    /// The locations, for the population that is told of them.
    pub fn location(&self) -> Arc<Images> {
        self.locations.clone()
    }

    /// The number of triples: images times cells.
    pub fn len(&self) -> usize {
        self.views.len()
    }

    /// Whether there is no triple.
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// Triple `index`.
    ///
    /// # Errors
    /// When `index` is beyond the last triple.
    pub fn get(&self, index: usize) -> Result<Located, DataError> {
        let location = self.locations.array(index)?.into_dyn();
        let location = if location.shape()[0] == 1 { location.index_axis_move(Axis(0), 0) } else { location };
        Ok(Located { view: self.views.array(index)?, location, label: self.views.label(index) })
    }
}

/// A view with its location and label.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    /// What is seen: (channels, h, w).
    pub view: Array3<Real>,
    /// Where it is: (m, n), unless it was transformed.
    pub location: ArrayD<Real>,
    /// The class of the image, where it is known.
    pub label: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::super::absolute;
    use super::*;

    /// Two images of 4 x 4 pixels: 1 to 16, and the same below zero.
    fn two() -> Images {
        let pixels = (1..=16).map(|x| x as Real).chain((1..=16).map(|x| -x as Real));
        Images::new((1, 4, 4), pixels.collect(), Some(vec![7, 3])).unwrap()
    }

    #[test]
    fn views_locations_and_labels_stay_together() {
        let data = LocationDataset::new(&two(), &GridMask::crop(2, 2)).unwrap();
        assert_eq!((data.len(), data.sensory().len(), data.location().len()), (8, 8, 8));
        assert_eq!((data.sensory().shape(), data.location().shape()), ((1, 2, 2).into(), (1, 2, 2).into()));
        let Located { view, location, label } = data.get(5).unwrap();
        assert_eq!(view, ndarray::array![[[-3.0, -4.0], [-7.0, -8.0]]]);
        assert_eq!(location, ndarray::array![[0.0, 1.0], [0.0, 0.0]].into_dyn());
        assert_eq!(label, Some(3));
        assert_eq!(data.location().labels(), data.sensory().labels());
        assert!(matches!(data.get(8), Err(DataError::NoSuchImage { index: 8, images: 8 })));
    }

    #[test]
    fn a_random_order_differs_from_image_to_image_but_not_from_run_to_run() {
        let images = two().subset(&[0; 10]).unwrap();
        let mask = GridMask::keep(2, 2).random_order(3);
        let data = LocationDataset::new(&images, &mask).unwrap();
        assert_eq!(data, LocationDataset::new(&images, &mask).unwrap());
        let order = |image: usize| {
            (4 * image..4 * image + 4).map(|k| data.get(k).unwrap().location).collect::<Vec<_>>()
        };
        assert!((1..10).any(|image| order(image) != order(0)));
        for image in 0..10 {
            assert_eq!(order(image).iter().map(|place| place.sum()).sum::<Real>(), 4.0);
        }
        // A view is dark but where its location points.
        for k in 0..data.len() {
            let Located { view, location, .. } = data.get(k).unwrap();
            for ((_, y, x), pixel) in view.indexed_iter() {
                assert_eq!(*pixel != 0.0, location[[y / 2, x / 2]] == 1.0);
            }
        }
    }

    #[test]
    fn transforms_act_on_their_side_only() {
        let plain = LocationDataset::new(&two(), &GridMask::erase(2, 1)).unwrap();
        let bright = plain.clone().map_views(|view| Ok(absolute(view))).unwrap();
        assert_eq!(bright.location(), plain.location());
        assert!(bright.sensory().intensities(3).iter().all(|x| *x >= 0.0));
        let kept = plain.clone().map_locations(|place| Ok(1.0 - place)).unwrap();
        assert_eq!((kept.sensory(), kept.get(0).unwrap().location[[0, 0]]), (plain.sensory(), 1.0));
        let kept = kept.map_locations(|place| Ok(place.into_flat().into_dyn())).unwrap();
        assert_eq!(kept.location().shape(), 2.into());
    }

    #[test]
    fn no_image_gives_no_triple_but_a_shape() {
        let none = LocationDataset::new(&two().take(0), &GridMask::crop(4, 2)).unwrap();
        assert!(none.is_empty());
        assert_eq!((none.sensory().shape(), none.location().shape()), ((1, 1, 2).into(), (1, 4, 2).into()));
        assert!(LocationDataset::new(&two(), &GridMask::crop(0, 2)).is_err());
    }
}
