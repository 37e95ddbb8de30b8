//! From the activity of learned neurons to a class.
//!
//! Learning without labels leaves neurons that answer to some class more than to others. A [`Readout`] finds out which,
//! from their answers to labelled examples, and classifies by the answers to new ones.

use crate::Real;
use ndarray::{Array1, Array2, ArrayView1, Axis};

/// How the answers of many neurons become one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weighting {
    /// Each neuron votes for its own class, by its spikes; a class counts by the mean over its neurons. (P. Diehl &
    /// M. Cook 2015, doi 10.3389/fncom.2015.00099.)
    AllActivity,
    /// Each neuron votes for every class, by its spikes times the share of its spikes that fell to that class.
    #[default]
    Proportion,
}

/// What each neuron stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Readout {
    /// Mean spikes of each neuron for an example of each class, shape (neurons, classes).
    pub mean_spikes: Array2<f64>,
    /// The same, each neuron's row divided by its sum; a neuron that never fired has zeros.
    pub proportions: Array2<f64>,
    /// The class that each neuron answers to most; none for neurons that never fired.
    pub assignments: Vec<Option<usize>>,
}

impl Readout {
    /// Learns what neurons stand for from their `answers` (examples, neurons), in spikes, to examples with `labels`.
    /// Examples and labels are paired in order; what has no partner is left out.
    pub fn fit(answers: &Array2<Real>, labels: &[usize], classes: usize) -> Self {
        let neurons = answers.ncols();
        let mut mean_spikes = Array2::zeros((neurons, classes));
        let mut examples = Array1::<f64>::zeros(classes);
        for (answer, &label) in answers.rows().into_iter().zip(labels).filter(|(_, label)| **label < classes)
        {
            examples[label] += 1.0;
            let mut spikes = mean_spikes.column_mut(label);
            spikes.zip_mut_with(&answer, |sum, &spikes| *sum += f64::from(spikes));
        }
        mean_spikes /= &examples.mapv(|n| n.max(1.0)).insert_axis(Axis(0));
        let sums = mean_spikes.sum_axis(Axis(1)).mapv(|sum| if sum > 0.0 { sum } else { 1.0 });
        let proportions = &mean_spikes / &sums.insert_axis(Axis(1));
        let assignments = mean_spikes.rows().into_iter().map(|row| largest(row)).collect();
        Readout { mean_spikes, proportions, assignments }
    }

    /// The class of one answer (neurons), in spikes; none if no neuron that stands for anything fired.
    pub fn classify(&self, answer: ArrayView1<Real>, weighting: Weighting) -> Option<usize> {
        let classes = self.proportions.ncols();
        let mut votes = Array1::<f64>::zeros(classes);
        match weighting {
            Weighting::Proportion => {
                for (&spikes, proportions) in answer.iter().zip(self.proportions.rows()) {
                    if spikes > 0.0 {
                        votes.scaled_add(f64::from(spikes), &proportions);
                    }
                }
            }
            Weighting::AllActivity => {
                let mut neurons = Array1::<f64>::zeros(classes);
                for (&spikes, class) in answer.iter().zip(&self.assignments) {
                    if let Some(class) = *class {
                        votes[class] += f64::from(spikes);
                        neurons[class] += 1.0;
                    }
                }
                votes /= &neurons.mapv(|n| n.max(1.0));
            }
        }
        largest(votes.view())
    }

    /// The share of `answers` that are classified as their label says, 0 for none at all.
    pub fn accuracy(&self, answers: &Array2<Real>, labels: &[usize], weighting: Weighting) -> f64 {
        let pairs = answers.rows().into_iter().zip(labels);
        let right =
            pairs.filter(|(answer, label)| self.classify(*answer, weighting) == Some(**label)).count();
        right as f64 / answers.nrows().min(labels.len()).max(1) as f64
    }
}

/// The place of the largest value, the first of equals; none if no value is above 0.
fn largest(values: ArrayView1<f64>) -> Option<usize> {
    let first = |best: Option<(usize, f64)>, (at, &x): (usize, &f64)| match best {
        Some((_, most)) if most >= x => best,
        _ if x > 0.0 => Some((at, x)),
        _ => best,
    };
    values.iter().enumerate().fold(None, first).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn neurons_stand_for_the_class_they_answer_to() {
        let answers = array![[4.0, 0.0, 0.0], [2.0, 1.0, 0.0], [0.0, 3.0, 0.0]];
        let readout = Readout::fit(&answers, &[0, 0, 1], 2);
        assert_eq!(readout.assignments, [Some(0), Some(1), None]);
        for weighting in [Weighting::AllActivity, Weighting::Proportion] {
            assert_eq!(readout.classify(array![5.0, 1.0, 0.0].view(), weighting), Some(0));
            assert_eq!(readout.classify(array![0.0, 1.0, 9.0].view(), weighting), Some(1));
            assert_eq!(readout.classify(array![0.0, 0.0, 9.0].view(), weighting), None);
            assert_eq!(readout.accuracy(&answers, &[0, 0, 0], weighting), 2.0 / 3.0);
        }
    }
}
