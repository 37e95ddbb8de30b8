//! The k largest of a line.

use crate::Real;

/// Lets at most `k` of the `candidates` win, those with the largest `v`, and puts the other candidates into `losers`.
///
/// `lane` lists the neurons of the line in ascending order. Neurons that are no candidates are ranked too: one with a
/// larger `v` (and a higher threshold) takes a winner's place. Of equals, the one with the lower index wins.
///
/// `ranking` is scratch memory.
pub fn losers_of_lane(
    v: &[Real],
    threshold: impl Fn(usize) -> Real,
    lane: impl Iterator<Item = u32> + Clone,
    k: usize,
    ranking: &mut Vec<u32>,
    losers: &mut Vec<u32>,
) {
    let is_candidate = |j: u32| v[j as usize] >= threshold(j as usize);
    if lane.clone().filter(|&j| is_candidate(j)).count() <= k {
        return;
    }
    ranking.clear();
    ranking.extend(lane);
    take_winners(v, k, ranking);
    losers.extend(ranking.iter().copied().filter(|&j| is_candidate(j)));
}

/// Takes the `k` neurons with the largest `v` out of `ranking`, or all if there are no more. Of equals, the one with the
/// lower index wins. The others are left in any order.
pub fn take_winners(v: &[Real], k: usize, ranking: &mut Vec<u32>) {
    if ranking.len() <= k {
        ranking.clear();
    } else if k > 0 {
        // `total_cmp` ranks NaN as well, so the order is total whatever happened to v.
        ranking
            .select_nth_unstable_by(k - 1, |&a, &b| v[b as usize].total_cmp(&v[a as usize]).then(a.cmp(&b)));
        ranking.drain(..k);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn losers(v: &[Real], threshold: &[Real], k: usize) -> Vec<u32> {
        let mut losers = Vec::new();
        losers_of_lane(v, |j| threshold[j], 0..v.len() as u32, k, &mut Vec::new(), &mut losers);
        losers.sort_unstable();
        losers
    }

    #[test]
    fn ties_go_to_the_lower_index() {
        assert_eq!(losers(&[2.0, 3.0, 3.0, 3.0], &[1.0; 4], 2), [0, 3]);
    }

    #[test]
    fn a_higher_v_below_its_own_threshold_takes_a_place() {
        assert_eq!(losers(&[5.0, 2.0, 3.0], &[9.0, 1.0, 1.0], 1), [1, 2]);
    }

    proptest! {
        #[test]
        fn no_more_than_k_candidates_are_left(v in prop::collection::vec(-3.0..3.0f64, 1..40), k in 0usize..6) {
            let v: Vec<Real> = v.into_iter().map(|x| x as Real).collect();
            let threshold = vec![0.0; v.len()];
            let lost = losers(&v, &threshold, k);
            let candidates = v.iter().filter(|&&x| x >= 0.0).count();
            prop_assert_eq!(candidates - lost.len(), candidates.min(k));
        }
    }
}
