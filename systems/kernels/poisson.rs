//! How many events fall into one step: numbers from a Poisson distribution, eight at a time.
//!
//! By inversion: a uniform number of 32 bits is compared with the cumulated probabilities 0, 1, 2 ... events. The numbers
//! come from eight generators xoshiro128++ side by side (D. Blackman & S. Vigna 2021, doi 10.1145/3460772).

use super::simd;
use crate::Real;

/// Generators side by side.
const LANES: usize = 8;

/// Eight generators of 32-bit numbers.
#[derive(Clone)]
pub struct Lanes([[u32; LANES]; 4]);

impl Lanes {
    /// Generators whose state follows from `seed` by SplitMix64.
    pub fn new(seed: u64) -> Self {
        let mut at = seed;
        let mut state = [[0; LANES]; 4];
        for lane in 0..LANES {
            for half in 0..2 {
                at = at.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let x = (at ^ (at >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                let x = x ^ (x >> 31);
                (state[2 * half][lane], state[2 * half + 1][lane]) = (x as u32, (x >> 32) as u32);
            }
        }
        Lanes(state)
    }

    /// The next number of each.
    #[inline(always)]
    pub fn next(&mut self) -> [u32; LANES] {
        let [a, b, c, d] = &mut self.0;
        let mut out = [0; LANES];
        for k in 0..LANES {
            out[k] = a[k].wrapping_add(d[k]).rotate_left(7).wrapping_add(a[k]);
            let t = b[k] << 9;
            c[k] ^= a[k];
            d[k] ^= b[k];
            b[k] ^= c[k];
            a[k] ^= d[k];
            c[k] ^= t;
            d[k] = d[k].rotate_left(11);
        }
        out
    }
}

/// The Poisson distribution of one mean, as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct PoissonTable {
    /// The least number that is ever drawn.
    least: u32,
    /// `limits[k]`: a draw at or above it brings more than `least + k` events. Ascending, padded to a multiple of 4.
    limits: Vec<u32>,
}

/// Limits that are compared one by one; a longer table is searched.
const COMPARED: usize = 64;

impl PoissonTable {
    /// The table for events that come `mean` times a step.
    pub fn new(mean: f64) -> Self {
        let whole = 4_294_967_296.0;
        let mut table = PoissonTable { least: 0, limits: Vec::new() };
        // From the logarithm, so that no large mean underflows: p(k) = e^(k·ln(mean) − mean − ln(k!)).
        let (mut cumulated, mut log_factorial) = (0.0, 0.0);
        let mut k = 0_u32;
        loop {
            if k > 0 {
                log_factorial += libm::log(f64::from(k));
            }
            let p = if mean > 0.0 { libm::exp(f64::from(k) * libm::log(mean) - mean - log_factorial) } else { 1.0 };
            cumulated += p;
            let limit = cumulated * whole;
            if limit >= whole - 0.5 || (f64::from(k) > mean && p * whole < 1e-3) {
                break;
            }
            if limit < 0.5 && table.limits.is_empty() {
                table.least = k + 1;
            } else {
                table.limits.push(limit as u32);
            }
            k += 1;
        }
        let padded = table.limits.len().next_multiple_of(4);
        table.limits.resize(padded, u32::MAX);
        table
    }

    /// Adds `weight` times a draw to each of `out`.
    pub fn add_to(&self, lanes: &mut Lanes, weight: Real, out: &mut [Real]) {
        if self.limits.is_empty() {
            out.iter_mut().for_each(|x| *x += weight * self.least as Real);
        } else if self.limits.len() <= COMPARED {
            add_compared(lanes, &self.limits, self.least, weight, out);
        } else {
            for eight in out.chunks_mut(LANES) {
                for (x, u) in eight.iter_mut().zip(lanes.next()) {
                    let more = self.limits.partition_point(|&limit| u >= limit) as u32;
                    *x += weight * (self.least + more) as Real;
                }
            }
        }
    }
}

simd! {
    fn add_compared(lanes: &mut Lanes, limits: &[u32], least: u32, weight: Real, out: &mut [Real]) {
        let mut state = lanes.clone();
        // As signed numbers, which is what is compared fast.
        let flip = |u: u32| (u ^ 0x8000_0000) as i32;
        let mut eights = out.chunks_exact_mut(LANES);
        let draw = |state: &mut Lanes| {
            let u = state.next().map(flip);
            let mut count = [least as i32; LANES];
            for four in limits.chunks_exact(4) {
                let mut any = 0;
                for &limit in four {
                    let limit = flip(limit);
                    for k in 0..LANES {
                        count[k] += i32::from(u[k] >= limit);
                    }
                }
                let last = flip(four[3]);
                for k in 0..LANES {
                    any |= i32::from(u[k] >= last);
                }
                if any == 0 {
                    break;
                }
            }
            count
        };
        for eight in &mut eights {
            let count = draw(&mut state);
            for k in 0..LANES {
                eight[k] += weight * count[k] as Real;
            }
        }
        let left = eights.into_remainder();
        if !left.is_empty() {
            for (x, count) in left.iter_mut().zip(draw(&mut state)) {
                *x += weight * count as Real;
            }
        }
        *lanes = state;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(mean: f64, n: usize) -> Vec<Real> {
        let mut out = vec![0.0; n];
        PoissonTable::new(mean).add_to(&mut Lanes::new(5), 1.0, &mut out);
        out
    }

    #[test]
    fn draws_have_the_mean_and_variance_of_a_poisson_distribution() {
        for mean in [0.01, 0.9, 2.3, 17.0, 400.0, 5_000.0] {
            let n = 100_003;
            let all = draws(mean, n);
            let m = all.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64;
            let variance = all.iter().map(|&x| (f64::from(x) - m).powi(2)).sum::<f64>() / n as f64;
            let error = 5.0 * (mean / n as f64).sqrt();
            assert!((m - mean).abs() < error, "{mean}: mean {m}");
            let spread = 5.0 * ((mean + 2.0 * mean * mean) / n as f64).sqrt();
            assert!((variance - mean).abs() < spread, "{mean}: variance {variance}");
        }
    }

    #[test]
    fn each_number_comes_as_often_as_its_probability_says() {
        let (mean, n) = (1.28, 400_000);
        let all = draws(mean, n);
        let mut p = libm::exp(-mean);
        for k in 0..8 {
            let seen = all.iter().filter(|&&x| x == k as Real).count() as f64;
            let expected = p * n as f64;
            assert!((seen - expected).abs() < 5.0 * expected.sqrt() + 1.0, "{k}: {seen} for {expected}");
            p *= mean / f64::from(k + 1);
        }
    }

    #[test]
    fn no_mean_brings_no_event() {
        assert!(draws(0.0, 20).iter().all(|&x| x == 0.0));
    }
}
