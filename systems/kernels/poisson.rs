//! How many events fall into one step: numbers from a Poisson distribution, eight at a time.
//!
//! By inversion: a uniform number of 32 bits is compared with the cumulated probabilities 0, 1, 2 ... events. The numbers
//! come from eight generators xoshiro128+ side by side (D. Blackman & S. Vigna 2021, doi 10.1145/3460772).

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
        #[expect(clippy::needless_range_loop, reason = "a lane is a column of the state")]
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
    pub fn draw(&mut self) -> [u32; LANES] {
        let [a, b, c, d] = &mut self.0;
        let mut out = [0; LANES];
        for k in 0..LANES {
            out[k] = a[k].wrapping_add(d[k]);
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
    /// `limits[k]`: a draw at or above it brings more than `least + k` events. Ascending.
    limits: Vec<u32>,
    /// The same as they are compared: one less, as signed numbers counted from the middle, padded to a multiple of
    /// [`AT_ONCE`] with what no draw is beyond.
    compared: Vec<i32>,
}

/// Limits that are compared before the first look whether any draw is beyond them.
const AT_ONCE: usize = 8;

/// Limits that are compared one by one; a longer table is searched.
const COMPARED: usize = 64;

impl PoissonTable {
    /// The table for events that come `mean` times a step.
    pub fn new(mean: f64) -> Self {
        let whole = 4_294_967_296.0;
        let mut table = PoissonTable { least: 0, limits: Vec::new(), compared: Vec::new() };
        // From the logarithm, so that no large mean underflows: p(k) = e^(k·ln(mean) − mean − ln(k!)).
        let (mut cumulated, mut log_factorial) = (0.0, 0.0);
        let mut k = 0_u32;
        loop {
            if k > 0 {
                log_factorial += libm::log(f64::from(k));
            }
            let p = if mean > 0.0 {
                libm::exp(f64::from(k) * libm::log(mean) - mean - log_factorial)
            } else {
                1.0
            };
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
        // A limit of 0 would be that of a number that is never drawn: `least` begins above those.
        table.compared = table.limits.iter().map(|limit| (limit.wrapping_sub(1) ^ 1 << 31) as i32).collect();
        let padded = table.compared.len().next_multiple_of(AT_ONCE);
        table.compared.resize(padded, i32::MAX);
        table
    }

    /// Adds `weight` times a draw to each of `out`.
    pub fn add_to(&self, lanes: &mut Lanes, weight: Real, out: &mut [Real]) {
        if self.limits.is_empty() {
            out.iter_mut().for_each(|x| *x += weight * self.least as Real);
        } else if self.limits.len() <= COMPARED {
            self.add_compared(lanes, weight, out);
        } else {
            for eight in out.chunks_mut(LANES) {
                for (x, u) in eight.iter_mut().zip(lanes.draw()) {
                    *x += weight * self.count(u) as Real;
                }
            }
        }
    }

    /// The number of events that a draw stands for.
    fn count(&self, u: u32) -> u32 {
        self.least + self.limits.partition_point(|&limit| u >= limit) as u32
    }

    /// Both ways to do it give the same bits.
    fn add_compared(&self, lanes: &mut Lanes, weight: Real, out: &mut [Real]) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has just said that it has AVX2, the only thing that the function asks for.
            return unsafe { add_compared_avx2(lanes, &self.compared, self.least, weight, out) };
        }
        add_compared_plain(lanes, &self.limits, self.least, weight, out);
    }
}

/// The tables of the neurons from `first` on: the one of all, or their own; none where there are none.
pub fn tables_from(tables: &[PoissonTable], first: usize) -> &[PoissonTable] {
    if let [_] = tables { tables } else { tables.get(first..).unwrap_or_default() }
}

/// Adds `weight` times a draw to each of `out`: from no table, from one for all, or from one a value.
pub fn add_events(tables: &[PoissonTable], lanes: &mut Lanes, weight: Real, out: &mut [Real]) {
    match tables {
        [] => {}
        [table] => table.add_to(lanes, weight, out),
        tables => add_each(&tables[..out.len()], lanes, weight, out),
    }
}

/// Adds `weight` times a draw to each of `out`, each by a table of its own. Equal tables bring what one of them would.
fn add_each(tables: &[PoissonTable], lanes: &mut Lanes, weight: Real, out: &mut [Real]) {
    for (eight, tables) in out.chunks_mut(LANES).zip(tables.chunks(LANES)) {
        for ((x, table), u) in eight.iter_mut().zip(tables).zip(lanes.draw()) {
            *x += weight * table.count(u) as Real;
        }
    }
}

fn add_compared_plain(lanes: &mut Lanes, limits: &[u32], least: u32, weight: Real, out: &mut [Real]) {
    for eight in out.chunks_mut(LANES) {
        for (x, u) in eight.iter_mut().zip(lanes.draw()) {
            let more = limits.iter().take_while(|&&limit| u >= limit).count() as u32;
            *x += weight * (least + more) as i32 as Real;
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_compared_avx2(lanes: &mut Lanes, limits: &[i32], least: u32, weight: Real, out: &mut [Real]) {
    use std::arch::x86_64::*;
    let load = |row: &[u32; LANES]| {
        // SAFETY: the array is as long as what is loaded, and nothing is asked of its alignment.
        unsafe { _mm256_loadu_si256(row.as_ptr().cast()) }
    };
    let [mut a, mut b, mut c, mut d] =
        [load(&lanes.0[0]), load(&lanes.0[1]), load(&lanes.0[2]), load(&lanes.0[3])];
    // What is compared are signed numbers.
    let flip = _mm256_set1_epi32(i32::MIN);
    let none = _mm256_set1_epi32(least as i32);
    let (first, rest) = limits.split_at(AT_ONCE);
    let first: [__m256i; AT_ONCE] = std::array::from_fn(|k| _mm256_set1_epi32(first[k]));
    for eight in out.chunks_mut(LANES) {
        let u = _mm256_xor_si256(_mm256_add_epi32(a, d), flip);
        let t = _mm256_slli_epi32::<9>(b);
        c = _mm256_xor_si256(c, a);
        d = _mm256_xor_si256(d, b);
        b = _mm256_xor_si256(b, c);
        a = _mm256_xor_si256(a, d);
        c = _mm256_xor_si256(c, t);
        d = _mm256_or_si256(_mm256_slli_epi32::<11>(d), _mm256_srli_epi32::<21>(d));
        let mut count = none;
        let mut beyond = flip;
        for limit in first {
            // A comparison is -1 where it holds.
            beyond = _mm256_cmpgt_epi32(u, limit);
            count = _mm256_sub_epi32(count, beyond);
        }
        // Limits ascend: who is not beyond the last of these is not beyond those that follow.
        let mut rest = rest.chunks_exact(AT_ONCE);
        while _mm256_movemask_epi8(beyond) != 0 {
            let Some(more) = rest.next() else { break };
            for &limit in more {
                beyond = _mm256_cmpgt_epi32(u, _mm256_set1_epi32(limit));
                count = _mm256_sub_epi32(count, beyond);
            }
        }
        let mut counts = [0_i32; LANES];
        // SAFETY: the array is as long as what is stored, and nothing is asked of its alignment.
        unsafe { _mm256_storeu_si256(counts.as_mut_ptr().cast(), count) };
        match <&mut [Real; LANES]>::try_from(&mut *eight) {
            Ok(eight) => (0..LANES).for_each(|k| eight[k] += weight * counts[k] as Real),
            Err(_) => eight.iter_mut().zip(counts).for_each(|(x, count)| *x += weight * count as Real),
        }
    }
    for (row, state) in lanes.0.iter_mut().zip([a, b, c, d]) {
        // SAFETY: as above.
        unsafe { _mm256_storeu_si256(row.as_mut_ptr().cast(), state) };
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
    fn eight_at_a_time_or_one_by_one_is_the_same() {
        for mean in [0.3, 2.0, 11.0] {
            let table = PoissonTable::new(mean);
            let (mut fast, mut plain) = (vec![1.0; 203], vec![1.0; 203]);
            let (mut a, mut b) = (Lanes::new(9), Lanes::new(9));
            table.add_compared(&mut a, 0.3, &mut fast);
            add_compared_plain(&mut b, &table.limits, table.least, 0.3, &mut plain);
            assert_eq!(fast, plain);
            assert_eq!(a.0, b.0);
        }
    }

    #[test]
    fn a_table_for_each_brings_what_one_for_all_would() {
        for mean in [0.3, 11.0, 900.0] {
            let table = PoissonTable::new(mean);
            let (mut each, mut all) = (vec![1.0; 203], vec![1.0; 203]);
            add_each(&vec![table.clone(); 203], &mut Lanes::new(9), 0.3, &mut each);
            table.add_to(&mut Lanes::new(9), 0.3, &mut all);
            assert_eq!(each, all);
        }
    }

    #[test]
    fn no_mean_brings_no_event() {
        assert!(draws(0.0, 20).iter().all(|&x| x == 0.0));
    }
}
