//! What arrives now or later.

use crate::Real;
use crate::kernels::decay::add;

/// A ring of rows, one for each step from now on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Buffer {
    rows: Vec<Vec<Real>>,
    now: usize,
    /// How many of the rows ahead, this step's first, may hold something else than 0.
    filled: usize,
}

impl Buffer {
    /// Reaches `max_delay` steps, for `n` neurons.
    pub(crate) fn new(max_delay: usize, n: usize) -> Self {
        Buffer { rows: vec![vec![0.0; n]; max_delay], now: 0, filled: 0 }
    }

    /// What is due.
    pub(crate) fn now(&self) -> &[Real] {
        self.rows.get(self.now).map_or(&[], |row| row)
    }

    /// What is due in so many steps, to be added to; empty if nothing is kept.
    pub(crate) fn row_mut(&mut self, ahead: usize) -> &mut [Real] {
        if self.rows.is_empty() {
            return &mut [];
        }
        self.filled = self.filled.max(ahead + 1);
        let at = (self.now + ahead) % self.rows.len();
        &mut self.rows[at]
    }

    /// How many steps it reaches.
    pub(crate) fn steps(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing is in it, now or to come.
    pub(crate) fn is_silent(&self) -> bool {
        self.filled == 0
    }

    /// Reaches that many steps from now on; what was to come later than that is lost.
    pub(crate) fn resize(&mut self, max_delay: usize, n: usize) {
        if max_delay != self.rows.len() {
            self.rows.rotate_left(self.now);
            self.rows.resize(max_delay, vec![0.0; n]);
            self.now = 0;
            self.filled = self.filled.min(max_delay);
        }
    }

    /// Forgets what is in it.
    pub(crate) fn empty(&mut self) {
        self.rows.iter_mut().for_each(|row| row.fill(0.0));
        self.filled = 0;
    }

    /// Lets the next row be due; the one that was becomes the farthest ahead, and empty.
    pub(crate) fn advance(&mut self) {
        if self.filled > 0 {
            self.filled -= 1;
            self.rows[self.now].fill(0.0);
        }
        if !self.rows.is_empty() {
            self.now = (self.now + 1) % self.rows.len();
        }
    }

    /// Adds a current to some neurons; their delays are in the same order, or empty.
    pub(crate) fn add_at(&mut self, neurons: &[u32], current: &[Real], delays: &[u32]) {
        if self.rows.is_empty() {
            return;
        }
        self.filled = self.rows.len();
        for (k, (&j, &current)) in neurons.iter().zip(current).enumerate() {
            let delay = delays.get(k).map_or(0, |&d| d as usize);
            let at = (self.now + delay) % self.rows.len();
            self.rows[at][j as usize] += current;
        }
    }

    /// Adds a current to all neurons; their delays are in the same order, or empty.
    pub(crate) fn add(&mut self, current: &[Real], delays: &[u32]) {
        if self.rows.is_empty() {
            return;
        }
        if delays.is_empty() {
            add(self.row_mut(0), current);
            return;
        }
        self.filled = self.rows.len();
        for ((j, &current), &delay) in current.iter().enumerate().zip(delays) {
            let at = (self.now + delay as usize) % self.rows.len();
            self.rows[at][j] += current;
        }
    }
}
