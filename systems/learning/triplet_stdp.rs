//! Spike-timing-dependent plasticity of triplets of spikes.

use super::bounds::Bound;
use super::{Plastic, PlasticityRule, Potentiation, SlowTraces, Traces};
use crate::Real;
use crate::dynamics::{Range, check_parameter};
use crate::error::{Error, Result};
use crate::setters;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Spike-timing-dependent plasticity of pairs and triplets of spikes, by a fast and a slow trace on each side: pairs of
/// one lag change a weight differently at different rates.
///
/// **Equation.** `dw = r1_i·(a2_plus + a3_plus·o2_j)·B⁺(w)·[j fires] − o1_j·(a2_minus + a3_minus·r2_i)·B⁻(w)·[i fires]`.
/// r1 and o1 are the fast traces of the two sides, the present spikes already in them, and r2 and o2 the slow ones as they
/// were before the present spikes. All four amplitudes are positive in the usual case: the sign of depression stands in the
/// equation.
///
/// **Parameters.** Below. The time constants of the fast traces, tau_plus and tau_minus, belong to
/// [`PreTrace`](crate::traces::PreTrace) and [`PostTrace`](crate::traces::PostTrace); the fitted sets go with 16.8 ms and
/// 33.7 ms, and are changes relative to the weight before: scale them to weights of yours with
/// [`scaled`](Self::scaled).
///
/// **Scheme.** By event, as [`Stdp`](super::stdp::Stdp); the slow traces decay by `1 − dt/tau` a step. They remember all
/// spikes or the last one, as the fast trace of their side does.
///
/// **Reference.** J.-P. Pfister & W. Gerstner (2006), doi 10.1523/JNEUROSCI.1425-06.2006; the fitted sets are those of its
/// table 4 for all-to-all pairing.
///
/// **CoNeX.** It has no triplet rule. With `a3_plus = a3_minus = 0` this one is [`Stdp`](super::stdp::Stdp).
#[doc(alias = "stdp_triplet_synapse")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(Plastic)]
pub struct TripletStdp {
    /// Potentiation of a pair \[weight\]. Default 5e-10.
    pub a2_plus: Real,
    /// Potentiation of a triplet of two post-synaptic spikes and one pre-synaptic \[weight\]. Default 6.2e-3.
    pub a3_plus: Real,
    /// Depression of a pair \[weight\]. Default 7e-3.
    pub a2_minus: Real,
    /// Depression of a triplet of two pre-synaptic spikes and one post-synaptic \[weight\]. Default 2.3e-4.
    pub a3_minus: Real,
    /// Time constant of the slow pre-synaptic trace r2 \[ms\]. Default 101.
    pub tau_x: Real,
    /// Time constant of the slow post-synaptic trace o2 \[ms\]. Default 125.
    pub tau_y: Real,
    /// Least weight, for the bounds. Default 0.
    pub w_min: Real,
    /// Largest weight, for the bounds. Default 1.
    pub w_max: Real,
    /// B⁺, the bound on potentiation. Default none.
    pub positive_bound: Bound,
    /// B⁻, the bound on depression. Default none.
    pub negative_bound: Bound,
}

setters!(TripletStdp {
    a2_plus: Real,
    a3_plus: Real,
    a2_minus: Real,
    a3_minus: Real,
    tau_x: Real,
    tau_y: Real,
    w_min: Real,
    w_max: Real,
    positive_bound: Bound,
    negative_bound: Bound
});

impl Default for TripletStdp {
    fn default() -> Self {
        Self::visual_cortex()
    }
}

impl TripletStdp {
    /// Fitted to visual cortex, all terms.
    pub fn visual_cortex() -> Self {
        Self::fitted([5e-10, 6.2e-3, 7e-3, 2.3e-4], 101.0, 125.0)
    }

    /// Fitted to visual cortex, with the fewest terms: potentiation by triplets, depression by pairs.
    pub fn visual_cortex_minimal() -> Self {
        Self::fitted([0.0, 6.5e-3, 7.1e-3, 0.0], 101.0, 114.0)
    }

    /// Fitted to hippocampal cultures, all terms.
    pub fn hippocampus() -> Self {
        Self::fitted([6.1e-3, 6.7e-3, 1.6e-3, 1.4e-3], 946.0, 27.0)
    }

    /// Fitted to hippocampal cultures, with the fewest terms: depression by pairs only.
    pub fn hippocampus_minimal() -> Self {
        Self::fitted([5.3e-3, 8e-3, 3.5e-3, 0.0], 946.0, 40.0)
    }

    fn fitted([a2_plus, a3_plus, a2_minus, a3_minus]: [Real; 4], tau_x: Real, tau_y: Real) -> Self {
        let (w_min, w_max, positive_bound, negative_bound) = (0.0, 1.0, Bound::None, Bound::None);
        TripletStdp {
            a2_plus,
            a3_plus,
            a2_minus,
            a3_minus,
            tau_x,
            tau_y,
            w_min,
            w_max,
            positive_bound,
            negative_bound,
        }
    }

    /// Multiplies all four amplitudes: the fitted sets are relative to a weight of 1.
    #[must_use]
    pub fn scaled(self, factor: Real) -> Self {
        TripletStdp {
            a2_plus: self.a2_plus * factor,
            a3_plus: self.a3_plus * factor,
            a2_minus: self.a2_minus * factor,
            a3_minus: self.a3_minus * factor,
            ..self
        }
    }

    /// Sets the same `bound` for potentiation and depression.
    #[must_use]
    pub fn bounds(self, bound: Bound) -> Self {
        TripletStdp { positive_bound: bound, negative_bound: bound, ..self }
    }
}

impl PlasticityRule for TripletStdp {
    #[inline(always)]
    fn on_pre_spike(&self, w: Real, traces: Traces) -> Real {
        let amplitude = self.a2_minus + self.a3_minus * traces.pre_slow;
        -amplitude * traces.post * self.negative_bound.factor(w, self.w_min, self.w_max)
    }

    #[inline(always)]
    fn on_post_spike(&self, w: Real, traces: Traces) -> Real {
        let amplitude = self.a2_plus + self.a3_plus * traces.post_slow;
        amplitude * traces.pre * self.positive_bound.factor(w, self.w_min, self.w_max)
    }

    fn potentiation(&self) -> Potentiation {
        self.positive_bound.potentiation(self.w_min, self.w_max)
    }

    fn learns_at_pre_spikes(&self) -> bool {
        self.a2_minus != 0.0 || self.a3_minus != 0.0
    }

    fn slow_traces(&self) -> Option<SlowTraces> {
        Some(SlowTraces { pre_tau: self.tau_x, post_tau: self.tau_y })
    }

    fn check(&self, projection: &str) -> Result<()> {
        let parameters = [
            ("a2_plus", self.a2_plus, Range::Any),
            ("a3_plus", self.a3_plus, Range::Any),
            ("a2_minus", self.a2_minus, Range::Any),
            ("a3_minus", self.a3_minus, Range::Any),
            ("tau_x", self.tau_x, Range::Positive),
            ("tau_y", self.tau_y, Range::Positive),
            ("w_min", self.w_min, Range::Any),
            ("w_max", self.w_max, Range::Any),
        ];
        for (name, value, range) in parameters {
            check_parameter(projection, "TripletStdp", name, &value.into(), 1, range)?;
        }
        if self.w_min >= self.w_max {
            return Err(Error::ParameterRange {
                group: projection.into(),
                behaviour: "TripletStdp".into(),
                parameter: "w_max".into(),
                value: f64::from(self.w_max),
                requirement: format!("above w_min, which is {}", self.w_min),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::stdp::Stdp;
    use super::*;

    const TAU_PLUS: Real = 16.8;
    const TAU_MINUS: Real = 33.7;

    /// The change of one weight from 0.5 by spikes at these steps of 1 ms, as the engine orders it: fast traces, rule, slow
    /// traces.
    fn change(rule: &impl PlasticityRule, pre: &[usize], post: &[usize]) -> f64 {
        let slow = rule.slow_traces().unwrap_or(SlowTraces { pre_tau: 1.0, post_tau: 1.0 });
        let (mut w, mut x): (Real, _) = (0.5, Traces { pre: 0.0, post: 0.0, pre_slow: 0.0, post_slow: 0.0 });
        let take_up = |trace: &mut Real, fires: bool, tau: Real| {
            *trace += Real::from(u8::from(fires));
            *trace -= *trace / tau;
        };
        for t in 0..=*pre.iter().chain(post).max().unwrap_or(&0) {
            let fires = (pre.contains(&t), post.contains(&t));
            take_up(&mut x.pre, fires.0, TAU_PLUS);
            take_up(&mut x.post, fires.1, TAU_MINUS);
            let depression = if fires.0 { rule.on_pre_spike(w, x) } else { 0.0 };
            let potentiation = if fires.1 { rule.on_post_spike(w, x) } else { 0.0 };
            w += depression + potentiation;
            take_up(&mut x.pre_slow, fires.0, slow.pre_tau);
            take_up(&mut x.post_slow, fires.1, slow.post_tau);
        }
        f64::from(w) - 0.5
    }

    /// `pairs` pairs of spikes, `lag` steps from the pre-synaptic to the post-synaptic one, every `period` steps.
    fn pairs(pairs: usize, period: usize, lag: isize) -> (Vec<usize>, Vec<usize>) {
        let pre: Vec<usize> = (0..pairs).map(|k| 100 + k * period).collect();
        let post = pre.iter().map(|t| t.saturating_add_signed(lag)).collect();
        (pre, post)
    }

    /// The same change in double precision, without traces: a sum over every pair and every triplet of spikes.
    fn by_sums(rule: &TripletStdp, pre: &[usize], post: &[usize]) -> f64 {
        let decayed = |tau: Real, steps: usize| (0..steps).fold(1.0, |x, _| x * (1.0 - 1.0 / f64::from(tau)));
        // A fast trace has decayed once more than it is old, a slow one is from before the spike that reads it.
        let fast = |spikes: &[usize], t: usize, tau| -> f64 {
            spikes.iter().filter(|s| **s <= t).map(|s| decayed(tau, t - s + 1)).sum()
        };
        let slow = |spikes: &[usize], t: usize, tau| -> f64 {
            spikes.iter().filter(|s| **s < t).map(|s| decayed(tau, t - s)).sum()
        };
        let [a2_plus, a3_plus, a2_minus, a3_minus] =
            [rule.a2_plus, rule.a3_plus, rule.a2_minus, rule.a3_minus].map(f64::from);
        let potentiation =
            |t: &usize| fast(pre, *t, TAU_PLUS) * (a2_plus + a3_plus * slow(post, *t, rule.tau_y));
        let depression =
            |t: &usize| fast(post, *t, TAU_MINUS) * (a2_minus + a3_minus * slow(pre, *t, rule.tau_x));
        post.iter().map(potentiation).sum::<f64>() - pre.iter().map(depression).sum::<f64>()
    }

    #[test]
    fn without_triplet_terms_it_is_the_pair_rule() {
        let (pre, post) = (vec![3, 9, 10, 24, 31, 60], vec![1, 9, 20, 22, 40, 58, 61]);
        for bound in [Bound::None, Bound::Hard, Bound::Soft] {
            let pair = Stdp::new(0.02, 0.015).w_max(0.9).bounds(bound);
            let triplet = TripletStdp::default().a2_plus(0.02).a2_minus(0.015).a3_plus(0.0).a3_minus(0.0);
            let triplet = triplet.w_max(0.9).bounds(bound);
            assert_eq!(change(&pair, &pre, &post), change(&triplet, &pre, &post), "{bound:?}");
        }
    }

    #[test]
    fn a_weight_changes_by_the_sum_over_pairs_and_triplets() {
        let (pre, post) = (vec![3, 9, 10, 24, 31, 60, 99], vec![1, 9, 20, 22, 40, 58, 61, 99]);
        let sets = [
            TripletStdp::visual_cortex(),
            TripletStdp::visual_cortex_minimal(),
            TripletStdp::hippocampus(),
            TripletStdp::hippocampus_minimal(),
        ];
        for rule in sets {
            for (pre, post) in [(&pre, &post), (&post, &pre)] {
                let (given, expected) = (change(&rule, pre, post), by_sums(&rule, pre, post));
                assert!((given - expected).abs() < 1e-6, "{rule:?}: {given}, expected {expected}");
            }
        }
    }

    #[test]
    fn a_triplet_changes_a_weight_by_its_own_term_alone() {
        let rule = TripletStdp::default().a2_plus(0.0).a2_minus(0.0).a3_plus(0.01).a3_minus(0.0);
        // post 5, pre 8, post 12: the last spike meets one fast pre-synaptic trace and one slow post-synaptic one.
        let expected = 0.01 * (1.0 - 1.0 / 16.8_f64).powi(5) * (1.0 - 1.0 / 125.0_f64).powi(7);
        assert!((change(&rule, &[8], &[5, 12]) - expected).abs() < 1e-7);
        // A pair alone brings nothing, for the slow trace is read before the spike enters it.
        assert_eq!(change(&rule, &[8], &[12]), 0.0);
    }

    #[test]
    fn pairs_of_one_lag_potentiate_at_high_rates_and_do_not_at_low_ones() {
        let rule = TripletStdp::visual_cortex_minimal();
        let at = |period, lag| {
            let (pre, post) = pairs(60, period, lag);
            change(&rule, &pre, &post)
        };
        // Pre before post by 10 ms, at 1, 10, 20 and 50 pairs a second.
        let before = [1000, 100, 50, 20].map(|period| at(period, 10));
        assert!(before[0].abs() < 0.03, "{before:?}");
        assert!(before.windows(2).all(|pair| pair[0] < pair[1]) && before[3] > 0.4, "{before:?}");
        // Post before pre: depression at low rates turns into potentiation.
        let behind = [1000, 100, 50, 20].map(|period| at(period, -10));
        assert!(behind[0] < -0.2 && behind[1] < -0.1 && behind[3] > 0.2, "{behind:?}");
        // The pair rule knows nothing of the kind: faster pairs of this lag only meet more depression.
        let pair = Stdp::new(0.0065, 0.0071);
        let of_pairs = [1000, 100, 50, 20].map(|period| {
            let (pre, post) = pairs(60, period, 10);
            change(&pair, &pre, &post)
        });
        assert!(of_pairs.windows(2).all(|pair| pair[0] > pair[1]), "{of_pairs:?}");
    }

    #[test]
    fn parameters_that_make_no_sense_are_refused() {
        let wrong = [
            (TripletStdp::default().tau_x(0.0), "`tau_x`: it must be above 0"),
            (TripletStdp::default().a3_plus(Real::NAN), "`a3_plus`: it must be a finite number"),
            (TripletStdp::default().w_max(0.0), "`w_max`: it must be above w_min, which is 0"),
        ];
        for (rule, part) in wrong {
            let error = rule.check("a -> b").unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
