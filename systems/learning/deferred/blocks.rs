//! Which blocks of synapses have anything eligible.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Synapses of a block: 2 to the power of this.
const SHIFT: u32 = 12;

/// A flag for each block of synapses. Threads that mark the same block all say the same.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    flags: Vec<AtomicBool>,
    synapses: usize,
}

impl Clone for Blocks {
    fn clone(&self) -> Self {
        let flags = self.flags.iter().map(|flag| flag.load(Relaxed).into());
        Blocks { flags: flags.collect(), synapses: self.synapses }
    }
}

impl Blocks {
    /// Those of so many synapses, marked where `is_eligible` says so of a block.
    pub(super) fn new(synapses: usize, mut is_eligible: impl FnMut(Range<usize>) -> bool) -> Self {
        let mut blocks = Blocks { flags: Vec::new(), synapses };
        let n = synapses.div_ceil(1 << SHIFT);
        blocks.flags = (0..n).map(|block| is_eligible(blocks.range(block)).into()).collect();
        blocks
    }

    fn range(&self, block: usize) -> Range<usize> {
        block << SHIFT..((block + 1) << SHIFT).min(self.synapses)
    }

    /// Something at synapse `k` may be eligible from now on.
    #[inline(always)]
    pub(super) fn mark(&self, k: usize) {
        let flag = &self.flags[k >> SHIFT];
        // Reading is cheaper than to take the flag's memory from another thread.
        if !flag.load(Relaxed) {
            flag.store(true, Relaxed);
        }
    }

    /// The same for several in a row.
    pub(super) fn mark_all(&self, synapses: Range<usize>) {
        if let Some(last) = synapses.clone().next_back() {
            synapses.step_by(1 << SHIFT).chain([last]).for_each(|k| self.mark(k));
        }
    }

    /// Whether any is marked.
    pub(super) fn any(&self) -> bool {
        self.flags.iter().any(|flag| flag.load(Relaxed))
    }

    /// Shows each marked block to `look`, in order, which says whether it stays marked.
    pub(super) fn each(&mut self, mut look: impl FnMut(Range<usize>) -> bool) {
        for block in 0..self.flags.len() {
            if *self.flags[block].get_mut() {
                let stays = look(self.range(block));
                *self.flags[block].get_mut() = stays;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_shown_where_a_synapse_of_theirs_was_marked() {
        let mut blocks = Blocks::new(10_000, |block| block.start == 8192);
        let shown = |blocks: &mut Blocks, stays: bool| {
            let mut shown = Vec::new();
            blocks.each(|block| {
                shown.push((block.start, block.end));
                stays
            });
            shown
        };
        assert_eq!(shown(&mut blocks, true), [(8192, 10_000)]);
        // A row that begins in one block and ends in another.
        blocks.mark_all(4000..4200);
        assert_eq!(shown(&mut blocks, false), [(0, 4096), (4096, 8192), (8192, 10_000)]);
        assert!(!blocks.any());
        blocks.mark(4096);
        assert!(blocks.any());
        assert_eq!(shown(&mut blocks.clone(), false), [(4096, 8192)]);
    }
}
