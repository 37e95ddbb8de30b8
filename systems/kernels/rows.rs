//! Dense weights, row by row: a row holds the synapses of one pre-synaptic neuron.

use super::simd;
use crate::Real;
use crate::learning::{Changes, PlasticityRule, Reward, Traces};
use crate::weights::Held;

simd! {
    wide;
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
    wide;
    /// Changes each weight of the row that starts at `first` by what its rule says for a pre-synaptic spike, and for a
    /// post-synaptic one where the target `fired` too, both from the weight as it stood. `pre` are the fast and the slow
    /// trace of the row's neuron.
    pub fn learn_row<R: PlasticityRule, C: Changes>(rule: &R, changes: &mut C, first: usize, pre: (Real, Real),
                                                    post: &[Real], post_slow: &[Real], fired: &[bool]) {
        let n = post.len();
        let (post_slow, fired) = (&post_slow[..n], &fired[..n]);
        changes.update_row(first, n, |j, w| {
            let traces = Traces { pre: pre.0, pre_slow: pre.1, post: post[j], post_slow: post_slow[j] };
            let potentiation = rule.on_post_spike(w, traces);
            rule.on_pre_spike(w, traces) + if fired[j] { potentiation } else { 0.0 }
        });
    }
}

simd! {
    wide;
    /// Changes each weight of the row that starts at `first` by what its rule says for a pre-synaptic spike, where no target
    /// fired.
    pub fn depress_row<R: PlasticityRule, C: Changes>(rule: &R, changes: &mut C, first: usize, pre: (Real, Real),
                                                      post: &[Real], post_slow: &[Real]) {
        let n = post.len();
        let post_slow = &post_slow[..n];
        changes.update_row(first, n, |j, w| {
            rule.on_pre_spike(w, Traces { pre: pre.0, pre_slow: pre.1, post: post[j], post_slow: post_slow[j] })
        });
    }
}

simd! {
    wide;
    /// `w ← w + x·sum`, held within a range, for weights strictly between `min` and `max`; others stay.
    pub fn add_sums(w: &mut [Real], x: Real, sums: &[Real], min: Real, max: Real, held: Held) {
        assert_eq!(w.len(), sums.len());
        for (w, sum) in w.iter_mut().zip(sums) {
            let learns = *w > min && *w < max;
            let changed = held.hold(*w + x * *sum);
            *w = if learns { changed } else { *w };
        }
    }
}

simd! {
    wide;
    /// Whether any weight strictly between `min` and `max` would not be so any more with `x·sum` added.
    pub fn any_leaves(w: &[Real], x: Real, sums: &[Real], min: Real, max: Real) -> bool {
        assert_eq!(w.len(), sums.len());
        let mut any = false;
        for (w, sum) in w.iter().zip(sums) {
            let changed = *w + x * *sum;
            any |= (*w > min) & (*w < max) & !((changed > min) & (changed < max));
        }
        any
    }
}

simd! {
    wide;
    /// `c ← c − rate·c + dw`, then `w ← w + dopamine·c`, held within a range, for a row of weights and their eligibility.
    /// `dw` is what the rule says for a pre-synaptic spike, where `spikes` is true, and for a post-synaptic one where the
    /// target `fired`.
    pub fn reward_row<R: PlasticityRule>(rule: &R, w: &mut [Real], c: &mut [Real], reward: Reward, held: Held,
                                         spikes: bool, pre: (Real, Real), post: &[Real], post_slow: &[Real],
                                         fired: &[bool]) {
        let n = w.len();
        let (c, post, post_slow, fired) = (&mut c[..n], &post[..n], &post_slow[..n], &fired[..n]);
        for j in 0..n {
            let traces = Traces { pre: pre.0, pre_slow: pre.1, post: post[j], post_slow: post_slow[j] };
            let depression = rule.on_pre_spike(w[j], traces);
            let potentiation = rule.on_post_spike(w[j], traces);
            let change = if spikes { depression } else { 0.0 } + if fired[j] { potentiation } else { 0.0 };
            c[j] = c[j] - c[j] * reward.decay + change;
            w[j] = held.hold(w[j] + reward.dopamine * c[j]);
        }
    }
}

simd! {
    wide;
    /// As [`reward_row`] where no neuron on either side fired.
    pub fn reward_silent_row(w: &mut [Real], c: &mut [Real], reward: Reward, held: Held) {
        assert_eq!(w.len(), c.len());
        for (w, c) in w.iter_mut().zip(c) {
            *c -= *c * reward.decay;
            *w = held.hold(*w + reward.dopamine * *c);
        }
    }
}

simd! {
    wide;
    /// Whether any number is more than what is left of one that has decayed to nothing.
    pub fn any_normal(x: &[Real]) -> bool {
        let mut any = false;
        for x in x {
            any |= (x.abs() >= Real::MIN_POSITIVE) | x.is_nan();
        }
        any
    }
}

simd! {
    wide;
    /// As [`reward_silent_row`], in double precision; `keep` is what is left of the eligibility.
    pub fn replay_silent_step(w: &mut [f64], c: &mut [f64], keep: f64, dopamine: f64, held: Held) {
        assert_eq!(w.len(), c.len());
        for (w, c) in w.iter_mut().zip(c) {
            *c *= keep;
            *w = held.hold_double(*w + dopamine * *c);
        }
    }
}

simd! {
    wide;
    /// Whether `now` is what `before` becomes when it decays by `rate`, bit for bit; `before` takes it over.
    pub fn decayed_to(before: &mut [Real], now: &[Real], rate: Real) -> bool {
        assert_eq!(before.len(), now.len());
        let mut same = true;
        for (before, now) in before.iter_mut().zip(now) {
            let decayed = *before - *before * rate;
            same &= decayed.to_bits() == now.to_bits();
            *before = *now;
        }
        same
    }
}

simd! {
    wide;
    /// `w ← w + sum·(c + δ) − δ'`, then `c ← kept·(c + δ)`: many steps of dopamine in one go, with the changes δ of the
    /// eligibility and what the dopamine before them takes off, δ'.
    pub fn apply_rewards(w: &mut [Real], c: &mut [Real], brought: &[[Real; 2]], sum: Real, kept: Real) {
        let n = w.len();
        let (c, brought) = (&mut c[..n], &brought[..n]);
        for j in 0..n {
            let [change, before] = brought[j];
            let eligible = c[j] + change;
            w[j] += sum * eligible - before;
            c[j] = kept * eligible;
        }
    }
}

/// The longest way that a weight can go with eligibility c and what was `noted`, where dopamine reaches so far.
#[inline(always)]
pub fn way(c: Real, noted: Real, reach: Real) -> Real {
    (c.abs() + noted.abs()) * reach
}

/// Weights that are looked at together.
const GROUP: usize = 256;

simd! {
    wide;
    /// Appends j to `near` for every weight j that could have left its range on its [`way`].
    pub fn near_edges(w: &[Real], c: &[Real], noted: &[[Real; 2]], reach: Real, held: Held, near: &mut Vec<u32>) {
        assert!(w.len() == c.len() && w.len() == noted.len());
        let groups = w.chunks(GROUP).zip(c.chunks(GROUP)).zip(noted.chunks(GROUP));
        let mut leave = [false; GROUP];
        for (((w, c), noted), first) in groups.zip((0..).step_by(GROUP)) {
            // Flags in memory: of bits, the compiler would make groups so small that it cannot read `noted` in vectors.
            let leave = &mut leave[..w.len()];
            for (((leave, w), c), noted) in leave.iter_mut().zip(w).zip(c).zip(noted) {
                *leave = held.may_leave(*w, way(*c, noted[0], reach));
            }
            for (leave, first) in leave.chunks(32).zip((first..).step_by(32)) {
                if leave.iter().fold(false, |any, leaves| any | leaves) {
                    near.extend(leave.iter().zip(first..).filter(|(leaves, _)| **leaves).map(|(_, j)| j));
                }
            }
        }
    }
}
