//! Transcendental functions with the same bits on every machine.
//!
//! In single precision they are branch-free polynomials that compilers vectorize; in double precision they are `libm`'s,
//! which is compiled Rust and asks no platform library.

#[cfg(not(feature = "f64"))]
use crate::Real;
#[cfg(feature = "f64")]
pub use libm::{exp, log as ln, tanh};

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
    let shifted = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (clamped - n * LN2_HIGH) - n * LN2_LOW;
    let p = 1.987_569_1e-4_f32;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let p = (p * r * r + r) + 1.0;
    // 2^128 is no single-precision number, though p·2^128 still is one: the last doubling comes after p.
    // A conversion would check for numbers too large, value by value; `shifted` holds n in its last bits. NaN becomes some
    // n, and stays NaN through p.
    let n = shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32;
    let two_to_n = f32::from_bits((n.min(127).wrapping_add(127) as u32) << 23);
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

/// The natural logarithm of a normal number above 0, within 2 units in the last place.
///
/// x = 2^e·m with m near 1; ln m by a polynomial in m − 1 (S. Moshier's Cephes, `logf`).
#[cfg(not(feature = "f64"))]
#[inline(always)]
pub fn ln(x: Real) -> Real {
    // The exponent changes where m would pass the square root of 2.
    let e = (x.to_bits().wrapping_sub(std::f32::consts::FRAC_1_SQRT_2.to_bits()) as i32) >> 23;
    let m = f32::from_bits(x.to_bits().wrapping_sub((e << 23) as u32));
    let e = e as f32;
    let f = m - 1.0;
    let p = 7.037_683_6e-2_f32;
    let p = p * f - 1.151_461e-1;
    let p = p * f + 1.167_699_9e-1;
    let p = p * f - 1.242_014_1e-1;
    let p = p * f + 1.424_932_3e-1;
    let p = p * f - 1.666_805_8e-1;
    let p = p * f + 2.000_071_5e-1;
    let p = p * f - 2.499_999_4e-1;
    let p = p * f + 3.333_333e-1;
    // ln 2 in two parts, so that e times the second is exact.
    f + ((f * f * f * p - 2.121_944_4e-4 * e) - 0.5 * f * f) + 0.693_359_4 * e
}

/// Sine and cosine of `x` turns, 0 ≤ x < 1, within 1e-7.
///
/// x is a number of quarter turns and a rest of at most an eighth, whose sine and cosine are polynomials (S. Moshier's
/// Cephes, `sinf`).
#[cfg(not(feature = "f64"))]
#[inline(always)]
pub fn turn(x: Real) -> (Real, Real) {
    // As in `exp`: rounds to the nearest whole number, which then stands in the last bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x * 4.0 + ROUND;
    let (quarters, quarter) = (shifted - ROUND, shifted.to_bits());
    let r = (x - quarters * 0.25) * std::f32::consts::TAU;
    let z = r * r;
    let s = ((-1.951_529_6e-4 * z + 8.332_161e-3) * z - 1.666_665_5e-1) * z * r + r;
    let c = ((2.443_315_7e-5 * z - 1.388_731_6e-3) * z + 4.166_664_6e-2) * z * z - 0.5 * z + 1.0;
    let odd = quarter & 1 == 1;
    let (sine, cosine) = (if odd { c } else { s }, if odd { s } else { c });
    let sign = |quarter: u32| (quarter & 2) << 30;
    (
        f32::from_bits(sine.to_bits() ^ sign(quarter)),
        f32::from_bits(cosine.to_bits() ^ sign(quarter.wrapping_add(1))),
    )
}

/// Sine and cosine of `x` turns.
#[cfg(feature = "f64")]
pub fn turn(x: f64) -> (f64, f64) {
    libm::sincos(x * std::f64::consts::TAU)
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

    #[test]
    fn ln_agrees_with_double_precision() {
        let mut worst = 0.0_f64;
        for k in 1..=1 << 22 {
            for x in [k as f32 / (1 << 22) as f32, k as f32 * 1e3, f32::MIN_POSITIVE * k as f32] {
                let want = libm::log(f64::from(x));
                worst = worst.max((f64::from(ln(x)) - want).abs() / want.abs().max(1e-30));
            }
        }
        assert!(worst < 2e-7, "relative error {worst:e}");
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn turn_agrees_with_double_precision() {
        let mut worst = 0.0_f64;
        for k in 0..1 << 22 {
            let x = k as f32 / (1 << 22) as f32;
            let (sine, cosine) = libm::sincos(f64::from(x) * std::f64::consts::TAU);
            let (s, c) = turn(x);
            worst = worst.max((f64::from(s) - sine).abs()).max((f64::from(c) - cosine).abs());
        }
        assert!(worst < 1e-7, "error {worst:e}");
        assert_eq!(turn(0.0), (0.0, 1.0));
    }
}
