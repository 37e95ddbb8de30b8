//! What post-synaptic spikes sum up to since each step at which rows were visited.

use crate::Real;
use crate::workers::Workers;
use std::collections::VecDeque;

/// What spikes since one step sum up to, for the rows that were visited at it.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// How many rows were last visited at this step.
    pub(super) rows: usize,
    /// Whether a target has fired since.
    pub(super) is_due: bool,
    /// One sum a target, where potentiation is proportional.
    pub(super) sums: Vec<Real>,
}

/// A slot for each step since `first`, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    first: u64,
    pub(super) slots: VecDeque<Slot>,
    spare: Vec<Vec<Real>>,
    /// λ^k.
    pub(super) powers: Vec<Real>,
    /// Scratch memory: targets that fired, and how much a trace of 1 brings them.
    pub(super) terms: Vec<(u32, Real)>,
}

impl Sums {
    pub(super) fn slot(&self, step: u64) -> &Slot {
        &self.slots[(step - self.first) as usize]
    }

    pub(super) fn open(&mut self, step: u64, rows: usize) {
        if self.slots.is_empty() {
            self.first = step;
        }
        self.slots.push_back(Slot { rows, is_due: false, sums: Vec::new() });
    }

    /// One row less waits since `step`.
    pub(super) fn leave(&mut self, step: u64) {
        self.slots[(step - self.first) as usize].rows -= 1;
    }

    /// Forgets the oldest slots that no row waits for. Says up to which step.
    pub(super) fn forget(&mut self) -> u64 {
        while self.slots.front().is_some_and(|slot| slot.rows == 0) {
            self.close_first();
        }
        self.first
    }

    fn close_first(&mut self) {
        if let Some(slot) = self.slots.pop_front() {
            self.first += 1;
            if !slot.sums.is_empty() {
                self.spare.push(slot.sums);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        while !self.slots.is_empty() {
            self.close_first();
        }
    }

    /// Takes `terms` up at `step`, into all slots that rows wait for.
    pub(super) fn take_up(&mut self, step: u64, n_post: usize, rate: Real, workers: &Workers) {
        let Sums { first, slots, spare, powers, terms } = self;
        let oldest = (step - *first) as usize;
        if powers.is_empty() {
            powers.push(1.0);
        }
        while powers.len() <= oldest {
            // In double precision: the power must be as good as the trace that decayed so often.
            let k = powers.len() as i32;
            powers.push(libm::pow(1.0 - f64::from(rate), f64::from(k)) as Real);
        }
        let (mut live, first) = (0, *first);
        for slot in slots.iter_mut().filter(|slot| slot.rows > 0) {
            live += 1;
            if !slot.is_due {
                slot.is_due = true;
                slot.sums = spare.pop().unwrap_or_default();
                slot.sums.clear();
                slot.sums.resize(n_post, 0.0);
            }
        }
        let waiting = slots.iter_mut().enumerate().filter(|(_, slot)| slot.rows > 0);
        workers.each(live * terms.len() * 2, waiting, |(k, slot)| {
            let power = powers[(step - first) as usize - k];
            for &(j, term) in &*terms {
                slot.sums[j as usize] += power * term;
            }
        });
    }
}
