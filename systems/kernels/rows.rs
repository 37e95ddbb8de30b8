//! Dense weights, row by row: a row holds the synapses of one pre-synaptic neuron.

use super::simd;
use crate::Real;
use crate::learning::{Changes, PlasticityRule, Traces};

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
    /// Changes each weight of the row that starts at `first` by what its rule says for a pre-synaptic spike. `pre` are the
    /// fast and the slow trace of the row's neuron.
    pub fn learn_row<R: PlasticityRule, C: Changes>(rule: &R, changes: &mut C, first: usize, pre: (Real, Real),
                                                    post: &[Real], post_slow: &[Real]) {
        let n = post.len();
        let post_slow = &post_slow[..n];
        changes.update(first, n, |j, w| {
            rule.on_pre_spike(w, Traces { pre: pre.0, pre_slow: pre.1, post: post[j], post_slow: post_slow[j] })
        });
    }
}
