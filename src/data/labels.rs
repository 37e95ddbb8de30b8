//! What the labels of images are used for.

use super::arrays::check_values;
use super::{DataError, Images};
use conex_systems::Real;
use conex_systems::random::Seed;
use conex_systems::stimulus::Dataset;
use rand::seq::SliceRandom;
use std::collections::BTreeMap;

impl Images {
    /// The labels as images of one row of `classes` pixels, 1 at the label and 0 elsewhere, in the order of the images:
    /// for a population that is told the answer. [`classes`](Self::classes) of all images is the usual number; a part of
    /// them may lack the last class.
    ///
    /// # Shapes
    /// (1, 1, `classes`) each.
    ///
    /// # Errors
    /// When the labels are not known, or one of them is not below `classes`.
    ///
    /// ```
    /// use conex::prelude::*;
    /// use conex::data::digits;
    /// # fn main() -> conex::Result<()> {
    /// let digits = digits()?;
    /// let answers = digits.one_hot(10)?;
    /// let teacher = Stimulus::new(answers, SimplePoisson::new(30, 0.2)?);
    /// let mut net = Neocortex::new()?;
    /// net.neurons("label", 10, teacher)?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "one-hot")]
    pub fn one_hot(&self, classes: usize) -> Result<Images, DataError> {
        let labels = self.known_labels()?;
        if let Some(&label) = labels.iter().find(|&&label| label >= classes) {
            return Err(DataError::NoSuchClass { label, classes });
        }
        check_values("one-hot labels", &[labels.len(), classes])?;
        let mut intensities = vec![0.0 as Real; labels.len() * classes];
        for (image, label) in labels.iter().enumerate() {
            intensities[image * classes + label] = 1.0;
        }
        Images::new(classes, intensities, Some(labels.to_vec()))
    }

    /// How many images each class has; classes without images are left out. Empty without labels.
    pub fn class_counts(&self) -> BTreeMap<usize, usize> {
        let mut counts = BTreeMap::new();
        for label in self.labels().unwrap_or_default() {
            *counts.entry(*label).or_insert(0) += 1;
        }
        counts
    }

    /// The images of `classes`, in their order. The labels stay as they are.
    ///
    /// # Errors
    /// When the labels are not known.
    pub fn of_classes(&self, classes: &[usize]) -> Result<Images, DataError> {
        let labels = (0..).zip(self.known_labels()?);
        let chosen: Vec<usize> =
            labels.filter(|(_, label)| classes.contains(label)).map(|(index, _)| index).collect();
        self.subset(&chosen)
    }

    /// `per_class` images of each class that occurs, chosen and ordered at random: the same `seed` gives the same images in
    /// the same order on every machine.
    ///
    /// # Errors
    /// When the labels are not known, or a class has fewer images.
    pub fn balanced(&self, per_class: usize, seed: u64) -> Result<Images, DataError> {
        let labels = self.known_labels()?;
        if let Some((&class, &images)) = self.class_counts().iter().find(|(_, images)| **images < per_class) {
            return Err(DataError::TooFewOfClass { class, images, wanted: per_class });
        }
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(&mut Seed(seed).stream("balance", "images", 0));
        let mut chosen = BTreeMap::new();
        order.retain(|&index| {
            let so_far = chosen.entry(labels[index]).or_insert(0);
            *so_far += 1;
            *so_far <= per_class
        });
        self.subset(&order)
    }

    fn known_labels(&self) -> Result<&[usize], DataError> {
        self.labels().ok_or(DataError::NoLabels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Image i holds i.
    fn images(labels: &[usize]) -> Images {
        Images::new(1, (0..labels.len()).map(|i| i as Real).collect(), Some(labels.to_vec())).unwrap()
    }

    #[test]
    fn one_hot_labels_are_one_at_the_label() {
        let answers = images(&[2, 0, 2]).one_hot(4).unwrap();
        assert_eq!((answers.len(), answers.shape(), answers.label(0)), (3, 4.into(), Some(2)));
        assert_eq!(answers.intensities(0), [0.0, 0.0, 1.0, 0.0]);
        assert_eq!(answers.intensities(1), [1.0, 0.0, 0.0, 0.0]);
        let error = images(&[2, usize::MAX]).one_hot(3).unwrap_err();
        assert!(matches!(error, DataError::NoSuchClass { label: usize::MAX, classes: 3 }), "{error}");
        let none = images(&[]).one_hot(2).unwrap();
        assert_eq!((none.len(), none.shape()), (0, 2.into()));
    }

    #[test]
    fn counts_add_up_to_the_images() {
        let counts = images(&[5, 1, 5, usize::MAX]).class_counts();
        assert_eq!(counts, BTreeMap::from([(1, 1), (5, 2), (usize::MAX, 1)]));
    }

    #[test]
    fn images_of_some_classes_keep_label_and_order() {
        let some = images(&[3, 1, 2, 1, 3]).of_classes(&[3, 1, 9]).unwrap();
        assert_eq!(some.labels(), Some(&[3, 1, 1, 3][..]));
        assert_eq!((0..4).map(|i| some.intensities(i)[0]).collect::<Vec<_>>(), [0.0, 1.0, 3.0, 4.0]);
        assert!(images(&[1]).of_classes(&[]).unwrap().is_empty());
    }

    #[test]
    fn a_balanced_subset_has_as_many_of_each_class() {
        let labels: Vec<usize> = (0..100).map(|i| if i % 10 == 0 { 1 } else { 4 }).collect();
        let balanced = images(&labels).balanced(8, 1).unwrap();
        assert_eq!(balanced.class_counts(), BTreeMap::from([(1, 8), (4, 8)]));
        // Each image at most once, with its own label.
        let mut seen: Vec<usize> = (0..16).map(|i| balanced.intensities(i)[0] as usize).collect();
        assert!(seen.iter().zip(balanced.labels().unwrap()).all(|(image, label)| labels[*image] == *label));
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 16);
        assert_eq!(images(&labels).balanced(8, 1).unwrap(), balanced);
        assert!((2..10).any(|seed| images(&labels).balanced(8, seed).unwrap() != balanced));
        let error = images(&labels).balanced(11, 1).unwrap_err();
        assert!(matches!(error, DataError::TooFewOfClass { class: 1, images: 10, wanted: 11 }), "{error}");
    }

    #[test]
    fn nothing_can_be_said_without_labels() {
        let images = Images::new(1, vec![0.0; 3], None).unwrap();
        assert!(images.class_counts().is_empty());
        for refused in [images.one_hot(1), images.of_classes(&[0]), images.balanced(1, 1)] {
            assert!(matches!(refused, Err(DataError::NoLabels)));
        }
    }
}
