//! Transcendental functions with the same bits on every machine.
//!
//! In single precision they are branch-free polynomials that compilers vectorize; in double precision they are `libm`'s,
//! which is compiled Rust and asks no platform library.

#[cfg(not(feature = "f64"))]
use crate::Real;
#[cfg(feature = "f64")]
pub use libm::{exp, tanh};

/// e^x, within 2 units in the last place; 0 below -87.3 and infinity above 88.7.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2; e^r by a polynomial of degree 6 that is fitted to the interval (minimax on the
/// terms beyond 1 + r), 2^n by building the number from its exponent.
#[cfg(not(feature = "f64"))]
#[inline(always)]
pub fn exp(x: Real) -> Real {
    // ln 2 in two parts, so that n times the first is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Adding and taking away 1.5 * 2^23 rounds to the nearest whole number.
    const ROUND: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.336_54, 88.722_83);
    let n = (clamped * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = (clamped - n * LN2_HIGH) - n * LN2_LOW;
    let p = 1.987_569_1e-4_f32;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let p = (p * r * r + r) + 1.0;
    // 2^128 is no single-precision number, though p·2^128 still is one: the last doubling comes after p.
    let n = n as i32;
    let two_to_n = f32::from_bits(((n.min(127) + 127) as u32) << 23);
    let inside = p * two_to_n * if n > 127 { 2.0 } else { 1.0 };
    let inside = if x > 88.722_83 { f32::INFINITY } else { inside };
    if x < -87.336_54 { 0.0 } else { inside }
}

/// The hyperbolic tangent, within 3 units in the last place.
#[cfg(not(feature = "f64"))]
#[inline(always)]
pub fn tanh(x: Real) -> Real {
    let a = x.abs();
    // Near zero 1 - 2 / (e^2x + 1) would cancel: an odd polynomial instead.
    let z = x * x;
    let p = -5.704_988_6e-3_f32;
    let p = p * z + 2.063_909e-2;
    let p = p * z - 5.373_971_4e-2;
    let p = p * z + 1.333_144_2e-1;
    let p = p * z - 3.333_328e-1;
    let near = x + x * z * p;
    let far = (1.0 - 2.0 / (exp(2.0 * a) + 1.0)).copysign(x);
    if a < 0.625 { near } else { far }
}

#[cfg(test)]
#[cfg(not(feature = "f64"))]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_double_precision() {
        let mut worst = 0.0_f64;
        for k in -873_300..=887_200 {
            let x = k as f32 * 1e-4;
            let want = libm::exp(f64::from(x));
            worst = worst.max((f64::from(exp(x)) - want).abs() / want);
        }
        assert!(worst < 3e-7, "relative error {worst:e}");
    }

    #[test]
    fn exp_ends_where_the_numbers_end() {
        assert_eq!(exp(-200.0), 0.0);
        assert_eq!(exp(Real::NEG_INFINITY), 0.0);
        assert_eq!(exp(100.0), Real::INFINITY);
        assert_eq!(exp(Real::INFINITY), Real::INFINITY);
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(Real::NAN).is_nan());
    }

    #[test]
    fn tanh_agrees_with_double_precision() {
        let mut worst = 0.0_f64;
        for k in 1..=200_000 {
            let x = k as f32 * 1e-4;
            let want = libm::tanh(f64::from(x));
            worst = worst.max((f64::from(tanh(x)) - want).abs() / want);
            assert_eq!(tanh(-x), -tanh(x));
        }
        assert!(worst < 4e-7, "relative error {worst:e}");
        assert_eq!(tanh(0.0), 0.0);
        assert_eq!(tanh(Real::INFINITY), 1.0);
    }
}
