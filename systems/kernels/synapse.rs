//! How synaptic currents and conductances run over time.

use super::{math::exp, simd};
use crate::Real;

simd! {
    /// `g ← decay·g`, with 0 for what is smaller than `tiny`. Says whether anything is left.
    pub fn relax(g: &mut [Real], decay: Real, tiny: Real) -> bool {
        let mut left = false;
        for g in g {
            let relaxed = decay * *g;
            *g = if relaxed.abs() < tiny { 0.0 } else { relaxed };
            left |= *g != 0.0;
        }
        left
    }
}

simd! {
    /// `g ← decay·g + flow·x`, then `x ← x_decay·x`, each with 0 for what is smaller than `tiny`. Says whether anything
    /// is left.
    pub fn relax_two(g: &mut [Real], x: &mut [Real], decay: Real, flow: Real, x_decay: Real, tiny: Real) -> bool {
        assert_eq!(g.len(), x.len());
        let mut left = false;
        for (g, x) in g.iter_mut().zip(x) {
            let relaxed = decay * *g + flow * *x;
            *g = if relaxed.abs() < tiny { 0.0 } else { relaxed };
            let relaxed = x_decay * *x;
            *x = if relaxed.abs() < tiny { 0.0 } else { relaxed };
            left |= *g != 0.0 || *x != 0.0;
        }
        left
    }
}

simd! {
    /// `current ← max(g, 0)·(reversal − v)`.
    pub fn drive(current: &mut [Real], g: &[Real], v: &[Real], reversal: Real) {
        assert!(g.len() == current.len() && v.len() == current.len());
        for ((current, g), v) in current.iter_mut().zip(g).zip(v) {
            let open = if *g > 0.0 { *g } else { 0.0 };
            *current = open * (reversal - *v);
        }
    }
}

simd! {
    /// `current ← current/(1 + concentration/3.57·e^(−0.062·v))`: magnesium blocks the channel, less so the higher v is.
    pub fn block_by_magnesium(current: &mut [Real], v: &[Real], concentration: Real) {
        assert_eq!(v.len(), current.len());
        for (current, v) in current.iter_mut().zip(v) {
            *current /= 1.0 + concentration / 3.57 * exp(-0.062 * *v);
        }
    }
}
