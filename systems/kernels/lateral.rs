//! A kernel around every neuron of one grid.

use crate::Real;

/// The geometry of a three-dimensional cross-correlation of a grid with itself, zeros beyond its edges: the neuron at p
/// reads the neuron at p + k − middle through kernel entry k.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surround {
    /// Depth, height and width of the grid.
    pub grid: (usize, usize, usize),
    /// Depth, height and width of the kernel, all odd.
    pub kernel: (usize, usize, usize),
}

impl Surround {
    /// Neurons of one plane.
    pub fn plane(&self) -> usize {
        self.grid.1 * self.grid.2
    }

    /// Entries of the kernel.
    pub fn entries(&self) -> usize {
        self.kernel.0 * self.kernel.1 * self.kernel.2
    }

    /// The kernel entry through which a neuron reads itself.
    pub fn middle(&self) -> usize {
        self.entries() / 2
    }

    /// The planes whose neurons reach plane `depth`.
    pub fn sources(&self, depth: usize) -> std::ops::Range<usize> {
        let reach = self.kernel.0 / 2;
        depth.saturating_sub(reach)..(depth + reach + 1).min(self.grid.0)
    }

    /// Adds to `current`, one value a neuron of plane `depth`, what it reads of the neurons `events` through `kernel`. All
    /// of them lie in the [`sources`](Self::sources) of the plane.
    ///
    /// A spike at s is read at p by the entry s − p + middle: seen from the spike, the kernel is mirrored.
    pub fn add_plane(&self, current: &mut [Real], depth: usize, kernel: &[Real], events: &[u32]) {
        let ((_, height, width), (_, kernel_h, kernel_w)) = (self.grid, self.kernel);
        assert_eq!((current.len(), kernel.len()), (self.plane(), self.entries()));
        let (down, across) = (kernel_h / 2, kernel_w / 2);
        for &i in events {
            let i = i as usize;
            let (d, y, x) = (i / self.plane(), i / width % height, i % width);
            let slab = d + self.kernel.0 / 2 - depth;
            let (left, right) = (x.saturating_sub(across), (x + across).min(width - 1));
            for row in y.saturating_sub(down)..(y + down + 1).min(height) {
                let line = &kernel[(slab * kernel_h + y + down - row) * kernel_w..][..kernel_w];
                let read = line[x + across - right..=x + across - left].iter().rev();
                for (current, w) in current[row * width + left..=row * width + right].iter_mut().zip(read) {
                    *current += w;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the neuron at p reads, neuron by neuron.
    fn slow(s: &Surround, kernel: &[Real], fired: &[bool], p: (usize, usize, usize)) -> f64 {
        let (depth, height, width) = s.grid;
        let mut sum = 0.0;
        for a in 0..s.kernel.0 {
            for b in 0..s.kernel.1 {
                for c in 0..s.kernel.2 {
                    let at = |p: usize, k: usize, side: usize| (p + k).checked_sub(side / 2);
                    let (Some(d), Some(y), Some(x)) =
                        (at(p.0, a, s.kernel.0), at(p.1, b, s.kernel.1), at(p.2, c, s.kernel.2))
                    else {
                        continue;
                    };
                    if d < depth && y < height && x < width && fired[(d * height + y) * width + x] {
                        sum += f64::from(kernel[(a * s.kernel.1 + b) * s.kernel.2 + c]);
                    }
                }
            }
        }
        sum
    }

    proptest! {
        #[test]
        fn every_neuron_reads_the_spikes_around_it(grid in (1usize..4, 1usize..6, 1usize..6), half in (0usize..3, 0usize..4, 0usize..4),
                                                   fired in prop::collection::vec(any::<bool>(), 75), weights in prop::collection::vec(-1.0..1.0_f32, 245)) {
            let s = Surround { grid, kernel: (2 * half.0 + 1, 2 * half.1 + 1, 2 * half.2 + 1) };
            let n = grid.0 * s.plane();
            let kernel: Vec<Real> = weights[..s.entries()].iter().map(|&w| w.into()).collect();
            for depth in 0..grid.0 {
                let planes = s.sources(depth);
                let within = planes.start * s.plane()..planes.end * s.plane();
                let events: Vec<u32> = within.filter(|&i| fired[i]).map(|i| i as u32).collect();
                let mut current = vec![0.0; s.plane()];
                s.add_plane(&mut current, depth, &kernel, &events);
                for (at, &given) in current.iter().enumerate() {
                    let expected = slow(&s, &kernel, &fired[..n], (depth, at / grid.2, at % grid.2));
                    prop_assert!((f64::from(given) - expected).abs() < 1e-4, "{} {}: {} {}", depth, at, given, expected);
                }
            }
        }
    }
}
