//! All rows at once, for synapses that keep theirs.

use super::listed::add_up;
use super::rows::{RowScratch, Rows};
use crate::Real;
use crate::workers::Workers;

/// All connections of a projection, by source and then by target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WholePattern {
    /// The first synapse of each row, and one past the last.
    pub row_start: Vec<u64>,
    /// The target of each synapse.
    pub target: Vec<u32>,
    /// The weight of each synapse, where they are given.
    pub weights: Option<Vec<Real>>,
    /// Whether a pair has several synapses.
    pub multapses: bool,
}

/// Rows that one task draws.
const ROWS: usize = 256;

/// The rows of one task.
#[derive(Default)]
struct Task {
    counts: Vec<u32>,
    target: Vec<u32>,
    weights: Vec<Real>,
    multapses: bool,
}

impl Rows {
    /// Draws all rows. `given` are weights in the order of the rows ([`Order::given_weights`](super::Order::given_weights)).
    pub fn whole(&self, given: Option<&[Real]>, workers: &Workers) -> WholePattern {
        let mut tasks: Vec<Task> = Vec::new();
        tasks.resize_with(self.len().div_ceil(ROWS), Task::default);
        let work = self.len().saturating_add(self.expected() as usize).saturating_mul(10);
        workers.each(work, tasks.iter_mut().enumerate(), |(k, task)| {
            let rows = k * ROWS..self.len().min((k + 1) * ROWS);
            self.draw_some(rows, given, task);
        });
        let mut pattern = WholePattern { row_start: vec![0], ..Default::default() };
        let synapses = tasks.iter().map(|task| task.target.len()).sum();
        pattern.row_start.reserve_exact(self.len());
        pattern.target.reserve_exact(synapses);
        let mut weights = Vec::with_capacity(if given.is_some() { synapses } else { 0 });
        for task in tasks {
            pattern.row_start.extend(task.counts.iter().map(|&count| u64::from(count)));
            pattern.target.extend(task.target);
            weights.extend(task.weights);
            pattern.multapses |= task.multapses;
        }
        add_up(&mut pattern.row_start);
        pattern.weights = given.map(|_| weights);
        pattern
    }

    fn draw_some(&self, rows: std::ops::Range<usize>, given: Option<&[Real]>, task: &mut Task) {
        let (mut scratch, mut row, mut order) = (RowScratch::default(), Vec::new(), Vec::new());
        for i in rows.map(|i| i as u32) {
            self.draw(i, &mut scratch, &mut row);
            if let (Some(given), Some(first)) = (given, self.first(i)) {
                // Pairs come in any order within a row; their weights go with them.
                let given = &given[first as usize..][..row.len()];
                order.clear();
                order.extend(0..row.len());
                order.sort_by_key(|&k| row[k]);
                task.weights.extend(order.iter().map(|&k| given[k]));
            }
            // Sorted already, unless a target may come twice or pairs are given.
            row.sort_unstable();
            task.multapses |= row.windows(2).any(|two| two[0] == two[1]);
            task.counts.push(row.len() as u32);
            task.target.extend_from_slice(&row);
        }
    }
}
