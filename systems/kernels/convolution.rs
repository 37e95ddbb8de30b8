//! Which kernel entries join which places of a two-dimensional convolution.

/// The geometry of a convolution: cross-correlation with zero padding, no kernel flip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Geometry {
    /// Channels, height and width of the source.
    pub input: (usize, usize, usize),
    /// Channels, height and width of the target.
    pub output: (usize, usize, usize),
    /// Height and width of the kernel.
    pub kernel: (usize, usize),
    /// Step from one place to the next, down and across, in source neurons.
    pub stride: (usize, usize),
    /// Rows of zeros above and below, and columns of zeros left and right of the source.
    pub padding: (usize, usize),
}

impl Geometry {
    /// `floor((n + 2·padding − k)/stride) + 1`, or `None` where the kernel is larger than the padded source (or the
    /// padding beyond counting).
    pub fn output_side(n: usize, k: usize, stride: usize, padding: usize) -> Option<usize> {
        let padded = padding.checked_mul(2)?.checked_add(n)?;
        padded.checked_sub(k).map(|room| room / stride + 1)
    }

    /// Entries of one kernel over all input channels.
    pub fn entries_per_channel(&self) -> usize {
        self.input.0 * self.kernel.0 * self.kernel.1
    }

    /// Places of one output channel.
    pub fn places(&self) -> usize {
        self.output.1 * self.output.2
    }

    /// For source neuron i, every (kernel entry within one output channel, place) that it takes part in.
    #[inline]
    pub fn of_source(&self, i: usize, mut visit: impl FnMut(usize, usize)) {
        let (_, height, width) = self.input;
        let (kernel_h, kernel_w) = self.kernel;
        let (channel, y, x) = (i / (height * width), i / width % height, i % width);
        for kh in 0..kernel_h {
            let Some(row) = place_along(y, kh, self.stride.0, self.padding.0, self.output.1) else {
                continue;
            };
            for kw in 0..kernel_w {
                let Some(column) = place_along(x, kw, self.stride.1, self.padding.1, self.output.2) else {
                    continue;
                };
                visit((channel * kernel_h + kh) * kernel_w + kw, row * self.output.2 + column);
            }
        }
    }

    /// For a place, every (kernel entry within one output channel, source neuron) that it reads.
    #[inline]
    pub fn of_place(&self, place: usize, mut visit: impl FnMut(usize, usize)) {
        let (channels, height, width) = self.input;
        let (kernel_h, kernel_w) = self.kernel;
        let (row, column) = (place / self.output.2, place % self.output.2);
        for channel in 0..channels {
            for kh in 0..kernel_h {
                let y = (row * self.stride.0 + kh).wrapping_sub(self.padding.0);
                if y >= height {
                    continue;
                }
                for kw in 0..kernel_w {
                    let x = (column * self.stride.1 + kw).wrapping_sub(self.padding.1);
                    if x < width {
                        visit((channel * kernel_h + kh) * kernel_w + kw, (channel * height + y) * width + x);
                    }
                }
            }
        }
    }
}

/// The place along one side at which kernel offset `k` meets source coordinate `s`.
#[inline]
fn place_along(s: usize, k: usize, stride: usize, padding: usize, places: usize) -> Option<usize> {
    let from_first = (s + padding).checked_sub(k)?;
    if stride == 1 {
        // No division, which would take longer than all else.
        return (from_first < places).then_some(from_first);
    }
    (from_first.is_multiple_of(stride) && from_first / stride < places).then_some(from_first / stride)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Seen from the source and seen from the place, a convolution joins the same pairs.
        #[test]
        fn both_views_join_the_same_pairs(channels in 1usize..3, height in 1usize..7, width in 1usize..7,
                                          kh in 1usize..4, kw in 1usize..4, stride in (1usize..4, 1usize..4), padding in (0usize..3, 0usize..3)) {
            let sides = (Geometry::output_side(height, kh, stride.0, padding.0),
                         Geometry::output_side(width, kw, stride.1, padding.1));
            let (Some(out_h), Some(out_w)) = sides else { return Ok(()) };
            let input = (channels, height, width);
            let g = Geometry { input, output: (1, out_h, out_w), kernel: (kh, kw), stride, padding };
            let mut by_source = Vec::new();
            for i in 0..channels * height * width {
                g.of_source(i, |entry, place| by_source.push((i, entry, place)));
            }
            let mut by_place = Vec::new();
            for place in 0..g.places() {
                g.of_place(place, |entry, i| by_place.push((i, entry, place)));
            }
            by_source.sort_unstable();
            by_place.sort_unstable();
            prop_assert_eq!(by_source, by_place);
        }
    }
}
