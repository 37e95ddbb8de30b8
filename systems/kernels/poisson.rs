//! How many events fall into one step: numbers from a Poisson distribution, sixteen at a time.
//!
//! A random number of 16 bits names one of 65,536 cells. A number of events that is not rare has as many of them as its
//! probability fills; what is left of all probabilities shares the cells behind, where a second random number, of 32
//! bits, tells (G. Marsaglia 1963, Generating discrete random variables in a computer, doi 10.1145/366193.366228). The
//! numbers come from eight generators xoshiro128++ side by side (D. Blackman & S. Vigna 2021, doi 10.1145/3460772).

use crate::Real;
use std::ops::Range;

/// Generators side by side.
const LANES: usize = 8;

/// Numbers that they bring at once.
const DRAWS: usize = 2 * LANES;

/// All cells.
const CELLS: f64 = 65_536.0;

/// What is less probable has no cells of its own: to ask for it each time costs more than a second number now and then.
const RARE: f64 = 1.0 / 1024.0;

impl Counts<'_> {
    /// Those of some of the neurons.
    #[inline(always)]
    pub fn within(self, neurons: Range<usize>) -> Self {
        match self {
            Counts::Few(counts) => Counts::Few(&counts[neurons]),
            Counts::Many(counts) => Counts::Many(&counts[neurons]),
        }
    }
}

/// Generators of random numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Lanes {
    /// The state of eight generators, a lane each.
    state: [[u32; LANES]; 4],
    /// The state of one more, for the second numbers: SplitMix64.
    second: u64,
}

impl Lanes {
    /// Generators whose state follows from `seed` by SplitMix64.
    pub fn new(seed: u64) -> Self {
        let mut words = [0; 2 * LANES];
        split(seed, &mut words);
        let mut lanes = Lanes { state: [[0; LANES]; 4], second: follower(seed, words.len() as u64) };
        for lane in 0..LANES {
            for half in 0..2 {
                let x = words[2 * lane + half];
                lanes.state[2 * half][lane] = x as u32;
                lanes.state[2 * half + 1][lane] = (x >> 32) as u32;
            }
        }
        lanes
    }

    fn next_second(&mut self) -> u64 {
        self.second = follower(self.second, 1);
        mix(self.second)
    }

    /// The next cells, as signed numbers: a lane's lower and its upper half follow each other.
    #[inline(always)]
    fn draw(&mut self) -> [i16; DRAWS] {
        let [a, b, c, d] = &mut self.state;
        let mut cells = [0; DRAWS];
        for k in 0..LANES {
            let x = a[k].wrapping_add(d[k]).rotate_left(7).wrapping_add(a[k]);
            (cells[2 * k], cells[2 * k + 1]) = (x as i16, (x >> 16) as i16);
            let t = b[k] << 9;
            c[k] ^= a[k];
            d[k] ^= b[k];
            b[k] ^= c[k];
            a[k] ^= d[k];
            c[k] ^= t;
            d[k] = d[k].rotate_left(11);
        }
        cells
    }
}

/// The state of SplitMix64 so many numbers later.
#[inline(always)]
fn follower(state: u64, numbers: u64) -> u64 {
    state.wrapping_add(numbers.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The number that belongs to a state of SplitMix64.
#[inline(always)]
fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

super::simd! {
    wide;
    /// The first numbers of SplitMix64, all at once.
    fn split(seed: u64, out: &mut [u64; 2 * LANES]) {
        for (k, x) in (1..).zip(out) {
            *x = mix(follower(seed, k));
        }
    }
}

/// The Poisson distribution of one mean, as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct PoissonTable {
    /// The least number that has cells of its own.
    least: i32,
    /// `ends[k]`: the last cell of the number `least + k`, counted from −2^15. Ascending; behind the last are the shared
    /// cells, if there are any.
    ends: Vec<i16>,
    /// The least number that has a part in the shared cells.
    least_shared: i32,
    /// `limits[k]`: a second number at or above it stands for more than `least_shared + k` events. Ascending.
    limits: Vec<u32>,
}

/// Numbers of events that are compared one by one; a longer table is searched.
const COMPARED: usize = 64;

/// How many events fall into one step, for each of some neurons.
#[derive(Clone, Copy, Debug)]
pub enum Counts<'a> {
    /// Not more than 255 each.
    Few(&'a [u8]),
    /// More, or differently distributed.
    Many(&'a [i32]),
}

impl PoissonTable {
    /// The table for events that come `mean` times a step, at most 10^6.
    pub fn new(mean: f64) -> Self {
        let (first, probabilities) = probabilities(mean);
        let cells = |p: f64| if p < RARE { 0.0 } else { libm::floor(p * CELLS) };
        let mut table = PoissonTable { least: 0, ends: Vec::new(), least_shared: first, limits: Vec::new() };
        let mut end = -1 - (1 << 15);
        for (k, &p) in (first..).zip(&probabilities) {
            if cells(p) > 0.0 {
                if table.ends.is_empty() {
                    table.least = k;
                }
                end += cells(p) as i32;
                table.ends.push(end as i16);
            }
        }
        let left = |p: f64| p - cells(p) / CELLS;
        let shared: f64 = probabilities.iter().map(|&p| left(p)).sum();
        let mut below = 0.0;
        // What stands behind the last limit needs none.
        for &p in &probabilities[..probabilities.len() - 1] {
            below += left(p) / shared.max(f64::MIN_POSITIVE);
            table.limits.push((below * 4_294_967_296.0) as u32);
        }
        table
    }

    /// Whether it brings few events, so that several numbers can be drawn at once.
    fn is_few(&self) -> bool {
        let most = i64::from(self.least_shared) + self.limits.len() as i64;
        (1..=COMPARED).contains(&self.ends.len()) && most <= i64::from(u8::MAX)
    }

    /// The number of events that a cell stands for.
    fn count(&self, cell: i16, lanes: &mut Lanes) -> i32 {
        let k = self.ends.partition_point(|&end| cell > end);
        if k < self.ends.len() { self.least + k as i32 } else { self.count_shared(lanes) }
    }

    #[cold]
    fn count_shared(&self, lanes: &mut Lanes) -> i32 {
        let x = (lanes.next_second() >> 32) as u32;
        self.least_shared + self.limits.partition_point(|&limit| x >= limit) as i32
    }

    /// Draws `counts`, for a table of [few](Self::is_few) events. All ways to do it give the same numbers.
    fn draw_few(&self, lanes: &mut Lanes, counts: &mut [u8]) {
        #[cfg(target_arch = "x86_64")]
        if super::has_avx512() {
            // SAFETY: the processor has just said that it has all that the function asks for.
            return unsafe { draw_avx512(self, lanes, counts) };
        }
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has just said that it has AVX2, the only thing that the function asks for.
            return unsafe { draw_avx2(self, lanes, counts) };
        }
        self.draw_plain(lanes, counts, |count| count as u8);
    }

    fn draw_plain<C>(&self, lanes: &mut Lanes, counts: &mut [C], stored: impl Fn(i32) -> C) {
        for counts in counts.chunks_mut(DRAWS) {
            let cells = lanes.draw();
            counts.iter_mut().zip(cells).for_each(|(count, cell)| *count = stored(self.count(cell, lanes)));
        }
    }
}

/// The first number of events that matters and the probabilities from there on, which add up to 1.
fn probabilities(mean: f64) -> (i32, Vec<f64>) {
    /// What is less probable is less than a second number tells apart.
    const NEVER: f64 = 1e-15;
    if mean <= 0.0 {
        return (0, vec![1.0]);
    }
    // From the logarithm, so that no large mean underflows: p(k) = e^(k·ln(mean) − mean − ln(k!)).
    let (log_mean, mut log_factorial) = (libm::log(mean), 0.0);
    let (mut first, mut all) = (0, Vec::new());
    for k in 0.. {
        if k > 0 {
            log_factorial += libm::log(f64::from(k));
        }
        let p = libm::exp(f64::from(k) * log_mean - mean - log_factorial);
        if p >= NEVER {
            if all.is_empty() {
                first = k;
            }
            all.push(p);
        } else if f64::from(k) > mean {
            break;
        }
    }
    let sum: f64 = all.iter().sum();
    all.iter_mut().for_each(|p| *p /= sum);
    (first, all)
}

/// The tables of the neurons from `first` on: the one of all, or their own; none where there are none.
pub fn tables_from(tables: &[PoissonTable], first: usize) -> &[PoissonTable] {
    if let [_] = tables { tables } else { tables.get(first..).unwrap_or_default() }
}

/// Room for the counts of up to `N` neurons.
#[derive(Clone, Debug)]
pub struct Room<const N: usize> {
    few: [u8; N],
    many: [i32; N],
}

impl<const N: usize> Room<N> {
    /// Room, with nothing in it.
    pub fn new() -> Self {
        Room { few: [0; N], many: [0; N] }
    }

    /// Draws for `n` neurons: from no table, which brings none, from one for all, or from one a neuron. Equal tables bring
    /// what one of them would.
    pub fn draw(&mut self, tables: &[PoissonTable], lanes: &mut Lanes, n: usize) -> Counts<'_> {
        let many = &mut self.many[..n];
        match tables {
            [] => many.fill(0),
            [table] if table.is_few() => {
                let few = &mut self.few[..n];
                table.draw_few(lanes, few);
                return Counts::Few(few);
            }
            [table] => table.draw_plain(lanes, many, |count| count),
            tables => {
                assert!(tables.len() >= n);
                for (counts, tables) in many.chunks_mut(DRAWS).zip(tables.chunks(DRAWS)) {
                    let cells = lanes.draw();
                    for ((count, table), cell) in counts.iter_mut().zip(tables).zip(cells) {
                        *count = table.count(cell, lanes);
                    }
                }
            }
        }
        Counts::Many(many)
    }
}

impl<const N: usize> Default for Room<N> {
    fn default() -> Self {
        Room::new()
    }
}

/// Adds `weight` times each of the `counts` to `out`.
#[inline(always)]
pub fn add_counts(counts: Counts<'_>, weight: Real, out: &mut [Real]) {
    match counts {
        Counts::Few(counts) => out.iter_mut().zip(counts).for_each(|(x, k)| *x += weight * Real::from(*k)),
        Counts::Many(counts) => out.iter_mut().zip(counts).for_each(|(x, k)| *x += weight * *k as Real),
    }
}

/// Adds `weight` times a draw to each of `out`.
pub fn add_events(tables: &[PoissonTable], lanes: &mut Lanes, weight: Real, out: &mut [Real]) {
    /// Whole draws, so that none is left over between chunks.
    const CHUNK: usize = 8 * DRAWS;
    let mut room = Room::<CHUNK>::new();
    for (k, out) in out.chunks_mut(CHUNK).enumerate() {
        let counts = room.draw(tables_from(tables, k * CHUNK), lanes, out.len());
        add_counts(counts, weight, out);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn draw_avx512(table: &PoissonTable, lanes: &mut Lanes, counts: &mut [u8]) {
    // SAFETY: AVX-512 has all of AVX2.
    unsafe { draw_short(table, lanes, counts) };
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn draw_avx2(table: &PoissonTable, lanes: &mut Lanes, counts: &mut [u8]) {
    // SAFETY: this is AVX2.
    unsafe { draw_short(table, lanes, counts) };
}

/// Draws from a table of few events, with instructions of AVX2, and whatever those become where it is compiled into more.
///
/// # Safety
/// The processor has to have AVX2.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn draw_short(table: &PoissonTable, lanes: &mut Lanes, counts: &mut [u8]) {
    // SAFETY: as the function asks.
    unsafe {
        match table.ends.len() {
            ..=6 => draw_sixteens::<6>(table, lanes, counts),
            7..=8 => draw_sixteens::<8>(table, lanes, counts),
            9..=10 => draw_sixteens::<10>(table, lanes, counts),
            11..=14 => draw_sixteens::<14>(table, lanes, counts),
            15..=24 => draw_sixteens::<24>(table, lanes, counts),
            _ => draw_sixteens::<COMPARED>(table, lanes, counts),
        }
    }
}

/// The same for a table of not more than `ENDS` ends.
///
/// # Safety
/// The processor has to have AVX2.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn draw_sixteens<const ENDS: usize>(table: &PoissonTable, lanes: &mut Lanes, counts: &mut [u8]) {
    use std::arch::x86_64::*;
    let Some(&last) = table.ends.last() else { return };
    // SAFETY: the processor has AVX2. What is loaded or stored is as long as the array that it is in, and nothing is asked
    // of its alignment.
    unsafe {
        let load = |row: &[u32; LANES]| _mm256_loadu_si256(row.as_ptr().cast());
        let [mut a, mut b, mut c, mut d] = lanes.state.each_ref().map(load);
        // No cell is beyond the ends that are added.
        let end = |k: usize| table.ends.get(k).copied().unwrap_or(i16::MAX);
        let ends: [__m256i; ENDS] = std::array::from_fn(|k| _mm256_set1_epi16(end(k)));
        let (least, last) = (_mm256_set1_epi16(table.least as i16), _mm256_set1_epi16(last));
        for counts in counts.chunks_mut(DRAWS) {
            let sum = _mm256_add_epi32(a, d);
            let turned = _mm256_or_si256(_mm256_slli_epi32::<7>(sum), _mm256_srli_epi32::<25>(sum));
            let cells = _mm256_add_epi32(turned, a);
            let t = _mm256_slli_epi32::<9>(b);
            c = _mm256_xor_si256(c, a);
            d = _mm256_xor_si256(d, b);
            b = _mm256_xor_si256(b, c);
            a = _mm256_xor_si256(a, d);
            c = _mm256_xor_si256(c, t);
            d = _mm256_or_si256(_mm256_slli_epi32::<11>(d), _mm256_srli_epi32::<21>(d));
            // A comparison is -1 where it holds.
            let beyond = |end| _mm256_cmpgt_epi16(cells, end);
            let count = ends.iter().fold(least, |count, &end| _mm256_sub_epi16(count, beyond(end)));
            let halves = (_mm256_castsi256_si128(count), _mm256_extracti128_si256::<1>(count));
            let bytes = _mm_packus_epi16(halves.0, halves.1);
            if let Ok(whole) = <&mut [u8; DRAWS]>::try_from(&mut *counts) {
                _mm_storeu_si128(whole.as_mut_ptr().cast(), bytes);
            } else {
                let mut some = [0; DRAWS];
                _mm_storeu_si128(some.as_mut_ptr().cast(), bytes);
                counts.copy_from_slice(&some[..counts.len()]);
            }
            // Two bits for each that is behind all ends.
            let mut shared = _mm256_movemask_epi8(beyond(last)) as u32;
            while shared != 0 {
                let k = shared.trailing_zeros() as usize / 2;
                shared &= !(3 << (2 * k));
                if let Some(count) = counts.get_mut(k) {
                    *count = table.count_shared(lanes) as u8;
                }
            }
        }
        for (row, state) in lanes.state.iter_mut().zip([a, b, c, d]) {
            _mm256_storeu_si256(row.as_mut_ptr().cast(), state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(mean: f64, n: usize) -> Vec<i32> {
        let tables = [PoissonTable::new(mean)];
        let (mut room, mut lanes) = (Room::<128>::new(), Lanes::new(5));
        let mut all = Vec::new();
        while all.len() < n {
            match room.draw(&tables, &mut lanes, 128.min(n - all.len())) {
                Counts::Few(counts) => all.extend(counts.iter().map(|&count| i32::from(count))),
                Counts::Many(counts) => all.extend(counts),
            }
        }
        all
    }

    #[test]
    fn draws_have_the_mean_and_variance_of_a_poisson_distribution() {
        for mean in [0.01, 0.9, 2.3, 17.0, 400.0, 5_000.0, 1e6] {
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
        for (mean, n) in [(0.002, 4_000_000), (1.28, 2_000_000), (30.0, 400_000)] {
            let all = draws(mean, n);
            for k in 0..60 {
                let p = libm::exp(f64::from(k) * libm::log(mean) - mean - libm::lgamma(f64::from(k) + 1.0));
                let seen = all.iter().filter(|&&x| x == k).count() as f64;
                let expected = p * n as f64;
                let error = 5.0 * expected.sqrt() + 1.0;
                assert!((seen - expected).abs() < error, "{mean}, {k}: {seen} for {expected}");
            }
        }
    }

    #[test]
    fn cells_and_shares_add_up_to_the_probabilities() {
        for mean in [1e-6, 0.3, 2.0, 40.0, 3_000.0] {
            let table = PoissonTable::new(mean);
            let (first, probabilities) = probabilities(mean);
            let behind = table.ends.last().map_or(0.0, |&end| f64::from(end) + 32_769.0);
            for (k, p) in (first..).zip(probabilities) {
                let cells = match usize::try_from(k - table.least) {
                    Ok(at) if at < table.ends.len() => {
                        let before = if at == 0 { -32_769 } else { i32::from(table.ends[at - 1]) };
                        f64::from(i32::from(table.ends[at]) - before)
                    }
                    _ => 0.0,
                };
                let at = (k - table.least_shared) as usize;
                let limit =
                    |at: usize| table.limits.get(at).map_or(4_294_967_296.0, |&limit| f64::from(limit));
                let share = limit(at) - if at == 0 { 0.0 } else { limit(at - 1) };
                let drawn = cells / CELLS + share / 4_294_967_296.0 * (CELLS - behind) / CELLS;
                assert!((drawn - p).abs() < 1e-9 * p + 3e-10, "{mean}, {k}: {drawn} for {p}");
            }
        }
    }

    #[test]
    fn sixteen_at_a_time_or_one_by_one_is_the_same() {
        for mean in [0.0, 0.3, 1.0, 2.0, 4.0, 11.0, 60.0] {
            let table = PoissonTable::new(mean);
            assert!(table.is_few());
            let (mut fast, mut plain) = (vec![99; 4_011], vec![-1; 4_011]);
            let (mut a, mut b) = (Lanes::new(9), Lanes::new(9));
            table.draw_few(&mut a, &mut fast);
            table.draw_plain(&mut b, &mut plain, |count| count);
            assert!(fast.iter().zip(&plain).all(|(&a, &b)| i32::from(a) == b));
            assert_eq!(a, b);
        }
    }

    #[test]
    fn a_table_of_few_events_never_brings_more_than_a_byte_holds() {
        for mean in (0..400).map(f64::from) {
            let table = PoissonTable::new(mean);
            let most = table.least_shared + table.limits.len() as i32;
            let compared = table.least + table.ends.len() as i32 - 1;
            assert!(!table.is_few() || most.max(compared) <= 255, "{mean}");
            assert!(table.is_few() || mean > 100.0, "{mean}");
            assert!(!table.is_few() || mean < 200.0, "{mean}");
        }
    }

    #[test]
    fn a_table_for_each_brings_what_one_for_all_would() {
        for mean in [0.3, 11.0, 900.0] {
            let table = PoissonTable::new(mean);
            let (mut each, mut all) = (vec![1.0; 203], vec![1.0; 203]);
            add_events(&vec![table.clone(); 203], &mut Lanes::new(9), 0.3, &mut each);
            add_events(&[table], &mut Lanes::new(9), 0.3, &mut all);
            assert_eq!(each, all);
        }
    }

    #[test]
    fn no_mean_brings_no_event() {
        assert!(draws(0.0, 20).iter().all(|&x| x == 0));
    }
}
