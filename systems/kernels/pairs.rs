//! Which pairs of neurons have a synapse: so many of all pairs, each set of them as likely.
//!
//! In two steps, so that rows can be drawn apart from each other: first how many synapses each row gets, then which
//! targets within each row. Whole numbers all through: the same draws on every machine.

use crate::random::Stream;
use rand::RngExt;

/// Sets `counts` to how many of `synapses` distinct pairs fall on each row of `per_row` pairs, as if the pairs were drawn
/// from all without putting any back (a multivariate hypergeometric distribution). Costs less than two draws a synapse.
pub fn share_among_rows(random: &mut Stream, counts: &mut [u32], per_row: u32, synapses: u64) {
    let pairs = counts.len() as u64 * u64::from(per_row);
    assert!(synapses <= pairs);
    // The fewer of the synapses and the gaps are drawn, so that at least every other draw hits something left.
    let gaps = pairs - synapses;
    counts.fill(0);
    for _ in 0..synapses.min(gaps) {
        loop {
            let pick = random.random_range(0..pairs);
            let (row, slot) = ((pick / u64::from(per_row)) as usize, (pick % u64::from(per_row)) as u32);
            // A row's first slots stand for those that are taken: a row is hit by the share that is left of it.
            if slot >= counts[row] {
                counts[row] += 1;
                break;
            }
        }
    }
    if gaps < synapses {
        counts.iter_mut().for_each(|count| *count = per_row - *count);
    }
}

/// Fills `row` with distinct numbers below `taken.len()`, ascending, each set as likely (R. Floyd's method, in Bentley &
/// Floyd 1987, doi 10.1145/30401.315746). `taken` is all false, and is so again afterwards.
pub fn distinct(random: &mut Stream, taken: &mut [bool], row: &mut [u32]) {
    let n = taken.len();
    let first = n - row.len();
    for (k, target) in row.iter_mut().enumerate() {
        let last = (first + k) as u32;
        let pick = random.random_range(0..=last);
        *target = if taken[pick as usize] { last } else { pick };
        taken[*target as usize] = true;
    }
    // Ascending: a full row is read off the marks, a sparse one is sorted.
    if row.len() * 8 > n {
        let marked = (0..).zip(&*taken).filter(|(_, taken)| **taken);
        row.iter_mut().zip(marked).for_each(|(target, (j, _))| *target = j);
    } else {
        row.sort_unstable();
    }
    for &j in &*row {
        taken[j as usize] = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use std::collections::HashMap;

    fn stream(part: u64) -> Stream {
        Seed(7).stream("test", "pairs", part)
    }

    #[test]
    fn every_set_of_pairs_is_as_likely() {
        // 3 rows of 4 pairs, 5 or 8 of 12: 792 and 495 sets, each about 60 times.
        for (synapses, sets) in [(5_u64, 792_usize), (8, 495)] {
            let mut seen: HashMap<Vec<(usize, u32)>, u32> = HashMap::new();
            let draws = 60 * sets as u64;
            for part in 0..draws {
                let (mut random, mut counts, mut taken) = (stream(part), [0; 3], [false; 4]);
                share_among_rows(&mut random, &mut counts, 4, synapses);
                let mut pairs = Vec::new();
                for (i, &count) in counts.iter().enumerate() {
                    let mut row = vec![0; count as usize];
                    distinct(&mut random, &mut taken, &mut row);
                    pairs.extend(row.into_iter().map(|j| (i, j)));
                }
                assert!(pairs.len() as u64 == synapses && pairs.is_sorted_by(|a, b| a < b), "{pairs:?}");
                *seen.entry(pairs).or_default() += 1;
            }
            assert_eq!(seen.len(), sets);
            // Chi square: its mean is the degrees of freedom, its deviation the root of twice as many.
            let chi: f64 = seen.values().map(|&n| (f64::from(n) - 60.0).powi(2) / 60.0).sum();
            let freedom = sets as f64 - 1.0;
            assert!((chi - freedom).abs() < 4.0 * (2.0 * freedom).sqrt(), "{synapses}: {chi} of {freedom}");
        }
    }

    #[test]
    fn none_and_all_pairs_can_be_asked_for() {
        for (synapses, each) in [(0, 0), (12, 4)] {
            let mut counts = [9; 3];
            share_among_rows(&mut stream(0), &mut counts, 4, synapses);
            assert_eq!(counts, [each; 3]);
        }
        share_among_rows(&mut stream(0), &mut [], 4, 0);
        share_among_rows(&mut stream(0), &mut [0; 3], 0, 0);
        let (mut all, mut none) = ([0; 5], []);
        distinct(&mut stream(0), &mut [false; 5], &mut all);
        assert_eq!(all, [0, 1, 2, 3, 4]);
        distinct(&mut stream(0), &mut [false; 5], &mut none);
        distinct(&mut stream(0), &mut [], &mut none);
    }

    #[test]
    fn marks_are_taken_away_again() {
        let mut taken = [false; 100];
        for count in [1, 5, 40, 100] {
            let mut row = vec![0; count];
            distinct(&mut stream(count as u64), &mut taken, &mut row);
            assert!(row.is_sorted_by(|a, b| a < b) && taken.iter().all(|t| !t), "{row:?}");
        }
    }
}
