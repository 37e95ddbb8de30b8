//! Sums and factors of incoming weights, in double precision.

use super::simd;
use crate::Real;

simd! {
    wide;
    /// `sum ← sum + w`.
    pub fn add_wide(sums: &mut [f64], w: &[Real]) {
        assert_eq!(sums.len(), w.len());
        for (sum, w) in sums.iter_mut().zip(w) {
            *sum += f64::from(*w);
        }
    }
}

simd! {
    wide;
    /// `w ← factor·w`.
    pub fn multiply_wide(w: &mut [Real], factors: &[f64]) {
        assert_eq!(w.len(), factors.len());
        for (w, factor) in w.iter_mut().zip(factors) {
            *w = (f64::from(*w) * factor) as Real;
        }
    }
}

simd! {
    wide;
    /// `w ← factor·(w + c·passed)`, then `c ← kept·c`, for a row of weights and their eligibility.
    pub fn settle(w: &mut [Real], c: &mut [Real], factor: &[f64], passed: &[f64], kept: f64) {
        let n = w.len();
        let (c, factor, passed) = (&mut c[..n], &factor[..n], &passed[..n]);
        for j in 0..n {
            let eligible = f64::from(c[j]);
            w[j] = ((f64::from(w[j]) + eligible * passed[j]) * factor[j]) as Real;
            c[j] = (eligible * kept) as Real;
        }
    }
}

simd! {
    wide;
    /// `v ← v + c·passed`, then `c ← kept·c`; what v changes by goes to its sums, and the new c to theirs.
    pub fn bring_up(v: &mut [Real], c: &mut [Real], passed: &[f64], kept: f64, sums: &mut [f64], eligible: &mut [f64]) {
        let n = v.len();
        let (c, passed, sums, eligible) = (&mut c[..n], &passed[..n], &mut sums[..n], &mut eligible[..n]);
        for j in 0..n {
            let (before, waiting) = (f64::from(v[j]), f64::from(c[j]));
            v[j] = (before + waiting * passed[j]) as Real;
            c[j] = (waiting * kept) as Real;
            sums[j] += f64::from(v[j]) - before;
            eligible[j] += f64::from(c[j]);
        }
    }
}

simd! {
    /// `y ← y + a·x`.
    pub fn add_products(y: &mut [f64], a: f64, x: &[f64]) {
        assert_eq!(y.len(), x.len());
        for (y, x) in y.iter_mut().zip(x) {
            *y += a * *x;
        }
    }
}
