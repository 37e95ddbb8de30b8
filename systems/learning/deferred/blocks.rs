//! Which blocks of synapses have anything eligible.

use crate::Real;
use crate::kernels::rows::any_normal;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Synapses of a block: 2 to the power of this. Their eligibilities fill a few lines of a cache.
const SHIFT: u32 = 6;

/// A bit for each block of synapses. Threads that mark the same block all say the same.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    words: Vec<AtomicU64>,
    synapses: usize,
}

impl Clone for Blocks {
    fn clone(&self) -> Self {
        let words = self.words.iter().map(|word| word.load(Relaxed).into());
        Blocks { words: words.collect(), synapses: self.synapses }
    }
}

impl Blocks {
    /// Those of so many synapses, marked where `is_eligible` says so of a block.
    pub(super) fn new(synapses: usize, is_eligible: impl Fn(Range<usize>) -> bool) -> Self {
        let mut blocks = Blocks { words: Vec::new(), synapses };
        let words = blocks.blocks().div_ceil(64);
        blocks.words.resize_with(words, AtomicU64::default);
        for block in (0..blocks.blocks()).filter(|&block| is_eligible(blocks.range(block..block + 1))) {
            blocks.mark(block << SHIFT);
        }
        blocks
    }

    fn blocks(&self) -> usize {
        self.synapses.div_ceil(1 << SHIFT)
    }

    /// The synapses of these blocks.
    fn range(&self, blocks: Range<usize>) -> Range<usize> {
        blocks.start << SHIFT..(blocks.end << SHIFT).min(self.synapses)
    }

    /// Something at synapse `k` may be eligible from now on.
    #[inline(always)]
    pub(super) fn mark(&self, k: usize) {
        let block = k >> SHIFT;
        let (word, bit) = (&self.words[block / 64], 1 << (block % 64));
        // Reading is cheaper than to take the word's memory from another thread.
        if word.load(Relaxed) & bit == 0 {
            word.fetch_or(bit, Relaxed);
        }
    }

    /// The same for several in a row.
    pub(super) fn mark_all(&self, synapses: Range<usize>) {
        if let Some(last) = synapses.clone().next_back() {
            (synapses.start >> SHIFT..=last >> SHIFT).for_each(|block| self.mark(block << SHIFT));
        }
    }

    /// Whether any is marked.
    pub(super) fn any(&self) -> bool {
        self.words.iter().any(|word| word.load(Relaxed) != 0)
    }

    /// The share of blocks that are marked.
    pub(super) fn share(&self) -> f64 {
        let marked: u32 = self.words.iter().map(|word| word.load(Relaxed).count_ones()).sum();
        f64::from(marked) / self.blocks().max(1) as f64
    }

    /// Forgets the blocks whose eligibilities `c` have decayed to nothing, and shows the others to `look`, with their
    /// eligibilities: as many at once as follow one another.
    pub(super) fn each(&mut self, c: &mut [Real], mut look: impl FnMut(Range<usize>, &mut [Real])) {
        for word in 0..self.words.len() {
            let (first, mut marked) = (word * 64, *self.words[word].get_mut());
            let mut left = marked;
            while left != 0 {
                let bit = left.trailing_zeros();
                let block = first + bit as usize;
                let c = &mut c[self.range(block..block + 1)];
                if !any_normal(c) {
                    c.fill(0.0);
                    marked &= !(1 << bit);
                }
                left &= left - 1;
            }
            *self.words[word].get_mut() = marked;
            while marked != 0 {
                let begin = marked.trailing_zeros();
                let n = (marked >> begin).trailing_ones();
                let block = first + begin as usize;
                let run = self.range(block..block + n as usize);
                look(run.clone(), &mut c[run]);
                // Adding the lowest bit carries over the run.
                marked &= marked.wrapping_add(1 << begin);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown, of synapses that are eligible where `is_eligible` says so.
    fn shown(blocks: &mut Blocks, is_eligible: impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
        let mut c: Vec<Real> = (0..10_000).map(|k| if is_eligible(k) { 0.5 } else { 0.0 }).collect();
        let mut shown = Vec::new();
        blocks.each(&mut c, |run, c| {
            assert_eq!(c.len(), run.len());
            shown.push((run.start, run.end));
        });
        shown
    }

    #[test]
    fn blocks_are_shown_where_a_synapse_of_theirs_was_marked() {
        let mut blocks = Blocks::new(10_000, |block| block.end == 10_000);
        let last = (9984, 10_000);
        assert_eq!(shown(&mut blocks, |_| true), [last]);
        // A row that begins in the midst of one block and ends in another, in the next word.
        blocks.mark_all(4000..4200);
        assert_eq!(blocks.share(), 5.0 / 157.0);
        assert_eq!(shown(&mut blocks, |_| true), [(3968, 4096), (4096, 4224), last]);
        assert_eq!(shown(&mut blocks, |k| k >= 4095), [(4032, 4096), (4096, 4224), last]);
        assert_eq!(shown(&mut blocks, |k| k != 9990 && k > 4159), [(4160, 4224), last]);
        assert_eq!(shown(&mut blocks, |_| false), []);
        assert!(!blocks.any());
        blocks.mark_all(0..10_000);
        assert_eq!(shown(&mut blocks.clone(), |_| true), [(0, 4096), (4096, 8192), (8192, 10_000)]);
    }
}
