//! Which pairs each rule joins, and how often.

use super::*;
use proptest::prelude::*;

fn is_distinct(pairs: &[(u32, u32)]) -> bool {
    pairs.is_sorted_by(|a, b| a < b)
}

#[test]
fn all_pairs_are_joined_or_each_neuron_to_its_own() -> Result<()> {
    let all = Between::two(5, 3).draw(&Connections::all_to_all())?;
    assert_eq!(all, (0..5).flat_map(|i| (0..3).map(move |j| (i, j))).collect::<Pairs>());
    let others = Between::itself(4, false).draw(&Connections::all_to_all())?;
    assert!(others.len() == 12 && is_distinct(&others) && others.iter().all(|(i, j)| i != j && *j < 4));
    let own: Pairs = (0..6).map(|i| (i, i)).collect();
    assert_eq!(Between::two(6, 6).draw(&Connections::one_to_one())?, own);
    assert_eq!(Between::itself(6, true).draw(&Connections::one_to_one())?, own);
    assert_eq!(Between::itself(6, false).draw(&Connections::one_to_one())?, []);
    Ok(())
}

#[test]
fn each_pair_is_joined_by_its_own_chance() -> Result<()> {
    let (m, n, p) = (300, 400, 0.1);
    let drawn = Between::two(m, n).draw(&Connections::pairwise_bernoulli(p))?;
    assert!(is_distinct(&drawn));
    let (mean, deviation) = (120_000.0 * p, (120_000.0 * p * (1.0 - p)).sqrt());
    assert!((drawn.len() as f64 - mean).abs() < 5.0 * deviation, "{}", drawn.len());
    for (of_each, others) in [
        (counts(drawn.iter().map(|pair| pair.0), m), n as f64),
        (counts(drawn.iter().map(|pair| pair.1), n), m as f64),
    ] {
        assert_spread(&of_each, others * p, others * p * (1.0 - p), 0);
    }
    // Over many networks: the number of synapses has the mean and the variance of a binomial distribution.
    let draw = |seed| Between { seed, ..Between::two(10, 10) }.draw(&Connections::pairwise_bernoulli(0.3));
    let totals: Vec<u32> = (0..200).map(|seed| draw(seed).map(|d| d.len() as u32)).collect::<Result<_>>()?;
    assert_spread(&totals, 30.0, 21.0, 0);
    let mean = f64::from(totals.iter().sum::<u32>()) / 200.0;
    assert!((mean - 30.0).abs() < 5.0 * (21.0_f64 / 200.0).sqrt(), "{mean}");
    assert_eq!(Between::two(20, 30).draw(&Connections::pairwise_bernoulli(0.0))?, []);
    assert_eq!(Between::two(20, 30).draw(&Connections::pairwise_bernoulli(1.0))?.len(), 600);
    Ok(())
}

#[test]
fn a_total_number_is_met_and_spread_evenly() -> Result<()> {
    let (m, n, total) = (50, 40, 20_000_u32);
    let mean = |pairs: f64| f64::from(total) / pairs;
    let drawn = Between::two(m, n).draw(&Connections::fixed_total_number(total.into()))?;
    assert_eq!(drawn.len(), total as usize);
    // A multinomial distribution: as Poisson's, but for the sum, which is given.
    assert_spread(&counts(drawn.iter().map(|pair| pair.0), m), mean(50.0), mean(50.0), 1);
    assert_spread(&counts(drawn.iter().map(|pair| pair.1), n), mean(40.0), mean(40.0), 1);
    let pairs = drawn.iter().map(|(i, j)| i * 40 + j);
    assert_spread(&counts(pairs, m * n), mean(2000.0), mean(2000.0), 1);
    let distinct = Connections::fixed_total_number(1200).multapses(false);
    let drawn = Between::two(m, n).draw(&distinct)?;
    assert!(drawn.len() == 1200 && is_distinct(&drawn));
    // Without putting back: the variance is smaller by what is left of the pairs.
    let shrunk = 0.4 * 2000.0 / 1999.0;
    assert_spread(&counts(drawn.iter().map(|pair| pair.0), m), 24.0, 24.0 * shrunk, 1);
    assert_spread(&counts(drawn.iter().map(|pair| pair.1), n), 30.0, 30.0 * shrunk, 1);
    Ok(())
}

#[test]
fn degrees_are_met_by_every_neuron_and_partners_are_drawn_evenly() -> Result<()> {
    let (m, n) = (60, 50);
    for multapses in [true, false] {
        for (connections, into) in
            [(Connections::fixed_in_degree(24), true), (Connections::fixed_out_degree(24), false)]
        {
            let drawn = Between::two(m, n).draw(&connections.multapses(multapses))?;
            let (from, to) = (counts(drawn.iter().map(|p| p.0), m), counts(drawn.iter().map(|p| p.1), n));
            let (own, partners, owners) = if into { (to, from, 50.0) } else { (from, to, 60.0) };
            assert!(own.iter().all(|&count| count == 24), "{own:?}");
            assert!(multapses || is_distinct(&drawn));
            assert!(!multapses || !is_distinct(&drawn), "some pair of so many comes twice");
            let share = 1.0 / partners.len() as f64;
            let (mean, trials) = (24.0 * owners * share, 24.0 * owners);
            // Of each owner's draws a partner gets a binomial share, or, all distinct, one with the chance 24·share.
            let once = 24.0 * share;
            let variance =
                if multapses { trials * share * (1.0 - share) } else { owners * once * (1.0 - once) };
            // The sum is given, which takes one degree of freedom and makes the others correlate a little.
            assert_spread(&partners, mean, variance / (1.0 - share), 1);
        }
    }
    Ok(())
}

#[test]
fn another_seed_or_another_name_draws_others_and_another_number_of_threads_the_same() -> Result<()> {
    let profile = Profile::Gaussian { p: 0.5, sigma: 10.0, cutoff: 60.0 };
    for connections in [
        Connections::pairwise_bernoulli(0.05),
        Connections::fixed_total_number(20_000),
        Connections::fixed_total_number(20_000).multapses(false),
        Connections::fixed_in_degree(30),
        Connections::fixed_out_degree(30).multapses(false),
        Connections::distance_dependent(profile),
    ] {
        let between = Between { threads: 1, ..Between::itself(700, false) };
        let one = between.draw(&connections)?;
        assert!(one.len() > 10_000, "{connections:?}: {}", one.len());
        for threads in [2, 3, 4] {
            assert!(one == Between { threads, ..between }.draw(&connections)?, "{connections:?}, {threads}");
        }
        assert!(one != Between { seed: 8, ..between }.draw(&connections)?, "{connections:?}");
        assert!(one != Between { name: "another", ..between }.draw(&connections)?, "{connections:?}");
    }
    Ok(())
}

#[test]
fn given_pairs_are_those_that_are_joined() -> Result<()> {
    let pairs = vec![(3, 1), (0, 2), (3, 0), (1, 1), (3, 1)];
    let drawn = Between::two(4, 3).draw(&Connections::pairs(pairs.clone()))?;
    assert_eq!(drawn, [(0, 2), (1, 1), (3, 0), (3, 1), (3, 1)]);
    let drawn = Between::itself(4, false).draw(&Connections::pairs(pairs))?;
    assert_eq!(drawn, [(0, 2), (3, 0), (3, 1), (3, 1)]);
    Ok(())
}

/// Any rule that draws, with numbers that may not be met.
fn rules() -> impl Strategy<Value = ConnectionRule> {
    let profile = (0.0..=1.0, 0.1..20.0).prop_map(|(p, radius)| Profile::Linear { p, radius });
    prop_oneof![
        Just(ConnectionRule::AllToAll),
        (0.0..=1.0).prop_map(|p| ConnectionRule::PairwiseBernoulli { p }),
        (0_u64..400).prop_map(|n| ConnectionRule::FixedTotalNumber { n }),
        (0_u32..30).prop_map(|n| ConnectionRule::FixedInDegree { n }),
        (0_u32..30).prop_map(|n| ConnectionRule::FixedOutDegree { n }),
        prop::collection::vec((0_u32..20, 0_u32..20), 0..60).prop_map(ConnectionRule::Pairs),
        profile.prop_map(ConnectionRule::DistanceDependent),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rule_is_kept_or_refused(
        rule in rules(), multapses in any::<bool>(), autapses in any::<bool>(), recurrent in any::<bool>(),
        n_pre in 1_usize..25, n_post in 1_usize..25,
    ) {
        let autapses = autapses || !recurrent;
        let n_post = if recurrent { n_pre } else { n_post };
        let between = if recurrent { Between::itself(n_pre, autapses) } else { Between::two(n_pre, n_post) };
        let (targets, sources) = (n_post - usize::from(!autapses), n_pre - usize::from(!autapses));
        let pairs = n_pre * targets;
        let can = |n: u64, of: usize| n == 0 || if multapses { of > 0 } else { n <= of as u64 };
        let is_legal = match &rule {
            ConnectionRule::FixedTotalNumber { n } => can(*n, pairs),
            ConnectionRule::FixedInDegree { n } => can((*n).into(), sources),
            ConnectionRule::FixedOutDegree { n } => can((*n).into(), targets),
            ConnectionRule::Pairs(given) => {
                given.iter().all(|&(i, j)| (i as usize) < n_pre && (j as usize) < n_post)
            }
            _ => true,
        };
        let drawn = match between.draw(&Connections { rule: rule.clone(), multapses }) {
            Ok(drawn) => drawn,
            Err(error) => {
                prop_assert!(!is_legal, "{error}");
                return Ok(());
            }
        };
        prop_assert!(is_legal, "{rule:?} was accepted");
        prop_assert!(drawn.iter().all(|&(i, j)| (i as usize) < n_pre && (j as usize) < n_post));
        prop_assert!(autapses || drawn.iter().all(|(i, j)| i != j));
        let is_given = matches!(rule, ConnectionRule::Pairs(_));
        let counted = matches!(rule, ConnectionRule::FixedTotalNumber { .. } | ConnectionRule::FixedInDegree { .. }
            | ConnectionRule::FixedOutDegree { .. });
        prop_assert!(is_given || (counted && multapses) || is_distinct(&drawn));
        let all = |of_each: Vec<u32>, n: u32| of_each.into_iter().all(|count| count == n);
        match rule {
            ConnectionRule::AllToAll => prop_assert_eq!(drawn.len(), pairs),
            ConnectionRule::FixedTotalNumber { n } => prop_assert_eq!(drawn.len() as u64, n),
            ConnectionRule::FixedInDegree { n } => {
                prop_assert!(all(counts(drawn.iter().map(|p| p.1), n_post), n));
            }
            ConnectionRule::FixedOutDegree { n } => {
                prop_assert!(all(counts(drawn.iter().map(|p| p.0), n_pre), n));
            }
            ConnectionRule::Pairs(mut given) => {
                given.retain(|(i, j)| autapses || i != j);
                given.sort_unstable();
                prop_assert_eq!(drawn, given);
            }
            _ => {}
        }
    }
}
