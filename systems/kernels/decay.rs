//! Exponential decay and its inputs.

use super::simd;
use crate::Real;

simd! {
    /// `x ← x − rate·x` for every value.
    pub fn decay(x: &mut [Real], rate: Real) {
        for x in x {
            *x -= *x * rate;
        }
    }
}

simd! {
    /// `y ← y + x`.
    pub fn add(y: &mut [Real], x: &[Real]) {
        assert_eq!(y.len(), x.len());
        for (y, x) in y.iter_mut().zip(x) {
            *y += *x;
        }
    }
}

simd! {
    /// `z ← x − y`.
    pub fn difference(z: &mut [Real], x: &[Real], y: &[Real]) {
        assert!(z.len() == x.len() && z.len() == y.len());
        for ((z, x), y) in z.iter_mut().zip(x).zip(y) {
            *z = *x - *y;
        }
    }
}

simd! {
    /// `y ← y + a·x`.
    pub fn add_scaled(y: &mut [Real], a: Real, x: &[Real]) {
        assert_eq!(y.len(), x.len());
        for (y, x) in y.iter_mut().zip(x) {
            *y += a * *x;
        }
    }
}

simd! {
    /// `x ← x + a`.
    pub fn shift(x: &mut [Real], a: Real) {
        for x in x {
            *x += a;
        }
    }
}

simd! {
    /// `x ← a·x`.
    pub fn scale(x: &mut [Real], a: Real) {
        for x in x {
            *x *= a;
        }
    }
}

simd! {
    /// `x ← x·factor`, value by value.
    pub fn multiply(x: &mut [Real], factor: &[Real]) {
        assert_eq!(x.len(), factor.len());
        for (x, factor) in x.iter_mut().zip(factor) {
            *x *= *factor;
        }
    }
}

simd! {
    /// Holds every value within `min ..= max`.
    pub fn clamp(x: &mut [Real], min: Real, max: Real) {
        for x in x {
            *x = if *x < min { min } else if *x > max { max } else { *x };
        }
    }
}

simd! {
    /// Whether any value is outside of `min ..= max`. What is no number is not.
    pub fn any_outside(x: &[Real], min: Real, max: Real) -> bool {
        let mut outside = false;
        for x in x {
            outside |= (*x < min) | (*x > max);
        }
        outside
    }
}

simd! {
    /// Whether every value is finite.
    pub fn all_finite(x: &[Real]) -> bool {
        let mut finite = true;
        for x in x {
            // NaN compares as false.
            finite &= x.abs() < Real::INFINITY;
        }
        finite
    }
}
