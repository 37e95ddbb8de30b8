//! A plane of neurons read by a coarser one.

use crate::Real;
use std::ops::Range;

/// The geometry of adaptive pooling: along a side of n neurons that m cells read, cell i reads the neurons from
/// ⌊i·n/m⌋ up to, without, ⌈(i + 1)·n/m⌉. Where m does not divide n, cells overlap by a neuron.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pooling {
    /// Height and width of the source.
    pub input: (usize, usize),
    /// Height and width of the target.
    pub output: (usize, usize),
}

/// The neurons along a side of `n` that cell `i` of `m` reads.
fn read_by(i: usize, n: usize, m: usize) -> Range<usize> {
    i * n / m..((i + 1) * n).div_ceil(m)
}

/// The cells of `m` that read neuron `y` of `n`: the same inequalities, solved for the cell.
fn readers_of(y: usize, n: usize, m: usize) -> Range<usize> {
    read_by(y, m, n)
}

impl Pooling {
    /// How many neurons each cell reads.
    pub fn areas(&self) -> Vec<Real> {
        let side = |n: usize, m: usize| (0..m).map(move |i| read_by(i, n, m).len());
        let rows = side(self.input.0, self.output.0);
        rows.flat_map(|h| side(self.input.1, self.output.1).map(move |w| (h * w) as Real)).collect()
    }

    /// Every cell that reads neuron `i` of a plane.
    #[inline]
    pub fn of_source(&self, i: usize, mut visit: impl FnMut(usize)) {
        let (y, x) = (i / self.input.1, i % self.input.1);
        for row in readers_of(y, self.input.0, self.output.0) {
            for column in readers_of(x, self.input.1, self.output.1) {
                visit(row * self.output.1 + column);
            }
        }
    }

    /// Sets each cell of a plane, 0 before, to the share of its neurons that spike. `events` are the plane's own neurons.
    pub fn average(&self, cells: &mut [Real], areas: &[Real], events: impl Iterator<Item = usize>) {
        assert_eq!((cells.len(), areas.len()), (self.output.0 * self.output.1, cells.len()));
        // Whole numbers are added up without rounding, so cells of which all neurons spike are exactly 1.
        for i in events {
            self.of_source(i, |cell| cells[cell] += 1.0);
        }
        for (cell, area) in cells.iter_mut().zip(areas) {
            *cell /= area;
        }
    }

    /// Sets each cell of a plane, 0 before, to 1 if one of its neurons spikes. `events` are the plane's own neurons.
    pub fn max(&self, cells: &mut [Real], events: impl Iterator<Item = usize>) {
        assert_eq!(cells.len(), self.output.0 * self.output.1);
        for i in events {
            self.of_source(i, |cell| cells[cell] = 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Cell by cell, as the definition reads.
        #[test]
        fn cells_hold_the_mean_and_the_maximum_of_what_they_read(input in (1usize..9, 1usize..9), output in (1usize..9, 1usize..9),
                                                                 fired in prop::collection::vec(any::<bool>(), 64)) {
            let pooling = Pooling { input, output };
            let events = || (0..input.0 * input.1).filter(|&i| fired[i]);
            let (mut mean, mut max) = (vec![0.0; output.0 * output.1], vec![0.0; output.0 * output.1]);
            pooling.average(&mut mean, &pooling.areas(), events());
            pooling.max(&mut max, events());
            for row in 0..output.0 {
                for column in 0..output.1 {
                    let along = |i: usize, n: usize, m: usize| {
                        let (i, n, m) = (i as f64, n as f64, m as f64);
                        (i * n / m).floor() as usize..((i + 1.0) * n / m).ceil() as usize
                    };
                    let columns = along(column, input.1, output.1);
                    let read: Vec<bool> = along(row, input.0, output.0)
                        .flat_map(|y| columns.clone().map(move |x| y * input.1 + x)).map(|i| fired[i]).collect();
                    let spikes = read.iter().filter(|s| **s).count();
                    let cell = row * output.1 + column;
                    prop_assert_eq!(mean[cell], spikes as Real / read.len() as Real);
                    prop_assert_eq!(max[cell], if spikes > 0 { 1.0 } else { 0.0 });
                }
            }
        }
    }
}
