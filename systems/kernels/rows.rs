//! Dense weights, row by row: a row holds the synapses of one pre-synaptic neuron.

use super::simd;
use crate::Real;
use crate::learning::PlasticityRule;

simd! {
    /// Adds the rows `events` of `weights` (`events.len()` picks out of rows of length `n_post`), columns
    /// `first .. first + current.len()`, to `current`, row after row for each target.
    pub fn add_rows(current: &mut [Real], weights: &[Real], n_post: usize, first: usize, events: &[u32]) {
        let n = current.len();
        assert!(first + n <= n_post);
        let row = |i: u32| &weights[i as usize * n_post + first..][..n];
        // Four rows a pass: the running sums stay in registers, and each target still adds its rows in order.
        let mut fours = events.chunks_exact(4);
        for four in &mut fours {
            let (a, b, c, d) = (row(four[0]), row(four[1]), row(four[2]), row(four[3]));
            for j in 0..n {
                current[j] = (((current[j] + a[j]) + b[j]) + c[j]) + d[j];
            }
        }
        for &i in fours.remainder() {
            let a = row(i);
            for j in 0..n {
                current[j] += a[j];
            }
        }
    }
}

simd! {
    /// Adds to each weight of a row what its rule says for a pre-synaptic spike.
    pub fn learn_row<R: PlasticityRule>(rule: &R, row: &mut [Real], post_trace: &[Real]) {
        assert_eq!(row.len(), post_trace.len());
        for (w, trace) in row.iter_mut().zip(post_trace) {
            *w += rule.on_pre_spike(*w, *trace);
        }
    }
}
