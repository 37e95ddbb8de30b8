//! Connections that become rarer with distance.

use super::*;

/// The distance between neurons i and j of two sheets of so many columns, their neurons 0.5 apart.
fn distance(i: usize, j: usize, columns: usize) -> f64 {
    let along = |k: usize| ((k % columns) as f64 * 0.5, (k / columns) as f64 * 0.5);
    let ((x, y), (u, v)) = (along(i), along(j));
    ((x - u).powi(2) + (y - v).powi(2)).sqrt()
}

#[test]
fn the_share_of_pairs_that_are_joined_follows_the_profile() -> Result<()> {
    type Of = fn(f64) -> f64;
    let profiles: [(Profile, Of, f64); 4] = [
        (Profile::Disc { p: 0.4, radius: 5.0 }, |_| 0.4, 5.0),
        (Profile::Linear { p: 0.8, radius: 6.0 }, |d| 0.8 * (1.0 - d / 6.0), 6.0),
        (Profile::Gaussian { p: 0.9, sigma: 2.0, cutoff: 7.0 }, |d| 0.9 * (-d * d / 8.0).exp(), 7.0),
        (Profile::Exponential { p: 1.0, length: 1.5, cutoff: 6.5 }, |d| (-d / 1.5).exp(), 6.5),
    ];
    let columns = 30;
    let sheet = (1, 30, columns);
    for (profile, of, reach) in profiles {
        for (target, autapses) in [(Some(sheet), true), (None, false)] {
            let between = Between { source: sheet, target, autapses, ..Between::default() };
            let drawn = between.draw(&Connections::distance_dependent(profile))?;
            assert!(autapses || drawn.iter().all(|(i, j)| i != j));
            // By bins of half a unit: how many were joined, how many are expected, and their variance.
            let mut bins = vec![(0.0, 0.0, 0.0); 50];
            for &(i, j) in &drawn {
                let d = distance(i as usize, j as usize, columns);
                assert!(d <= reach, "{profile:?}: a synapse over {d}");
                bins[(d * 2.0) as usize].0 += 1.0;
            }
            for (i, j) in (0..900).flat_map(|i| (0..900).map(move |j| (i, j))) {
                let d = distance(i, j, columns);
                if d <= reach && (autapses || i != j) {
                    let (p, bin) = (of(d), &mut bins[(d * 2.0) as usize]);
                    (bin.1, bin.2) = (bin.1 + p, bin.2 + p * (1.0 - p));
                }
            }
            for (k, (joined, expected, variance)) in bins.iter().enumerate() {
                let error = (joined - expected).abs();
                assert!(error <= 5.0 * variance.sqrt(), "{profile:?}, bin {k}: {joined} for {expected}");
            }
            assert!(drawn.len() > 3000, "{profile:?} draws next to nothing");
        }
    }
    Ok(())
}

#[test]
fn an_endless_reach_joins_all_that_it_may() -> Result<()> {
    let everywhere = Profile::Disc { p: 1.0, radius: f64::INFINITY };
    let drawn = Between::itself(40, false).draw(&Connections::distance_dependent(everywhere))?;
    assert!(drawn == Between::itself(40, false).draw(&Connections::all_to_all())?);
    Ok(())
}

#[test]
fn the_neurons_of_a_part_stand_where_those_of_the_whole_do() -> Result<()> {
    let mut net = Neocortex::new()?;
    let neurons = || (Lif::default(), SimpleDendriteStructure::default(), NeuronAxon::default());
    let whole = net.neurons("whole", (1, 1, 10), (neurons(), Coordinates::grid()))?;
    let right = net.sub_population("right", whole, Selection::Neurons(vec![6, 7, 8]))?;
    let near = Connections::distance_dependent(Profile::Disc { p: 1.0, radius: 1.0 });
    let weights = WeightInitializer::ones();
    let lasting = net.synapses(whole, right, (Static::default(), near.clone(), weights.clone()))?;
    let learning = net.synapses(right, whole, (Sparse, near, weights, Proximal))?;
    net.build()?;
    let table = net.connections(lasting)?;
    let from_whole: Pairs = table.pre.into_iter().zip(table.post).collect();
    assert_eq!(from_whole, [(5, 0), (6, 0), (6, 1), (7, 0), (7, 1), (7, 2), (8, 1), (8, 2), (9, 2)]);
    let of_part = net.get::<SparseSynapses>(learning)?.triplets().map(|(k, j, _)| (j, k));
    let mut of_part: Pairs = of_part.collect();
    of_part.sort_unstable();
    assert_eq!(of_part, from_whole);
    Ok(())
}

#[test]
fn how_many_there_will_be_is_known_before_they_are_drawn() -> Result<()> {
    use conex::systems::connections::{self, End, Rows};
    use conex::systems::random::Seed;
    use std::borrow::Cow;
    let profile = Profile::Gaussian { p: 0.8, sigma: 3.0, cutoff: 12.0 };
    let n = 130 * 130;
    let x: Vec<Real> = (0..n).map(|k| (k % 130) as Real).collect();
    let y: Vec<Real> = (0..n).map(|k| (k / 130) as Real).collect();
    let coordinates = Coordinates::given(x, y, vec![0.0; n]);
    let end = || End {
        name: "sheet",
        grid: Grid::new(1, 130, 130),
        coordinates: Some(Cow::Borrowed(&coordinates)),
    };
    let workers = &conex::systems::workers::Workers::default();
    let streams = Seed(3).streams("connections", "test");
    let (source, target) = (end(), end());
    let between =
        connections::Between { projection: "test", source, target, autapses: true, streams, workers };
    let mut asked = 0;
    let room = |synapses| {
        asked = synapses;
        Ok(())
    };
    let (rows, _) = Rows::new(&Connections::distance_dependent(profile), &between, room)?;
    let drawn = rows.whole(None, workers).target;
    // From a sample of the sources: those at the rim have fewer.
    let off = asked as f64 / drawn.len() as f64;
    assert!((off - 1.0).abs() < 0.05, "{asked} expected, {} drawn", drawn.len());
    // Sums of 16-bit weights are scaled by the most that can arrive: far fewer than there are sources.
    let most = counts(drawn.into_iter(), n).into_iter().max().unwrap_or(0);
    assert!((u64::from(most)..n as u64 / 4).contains(&rows.largest_in_degree()), "{most}");
    Ok(())
}

#[test]
fn weights_of_16_bits_stay_fine_where_few_of_many_sources_are_near() -> Result<()> {
    let stored = |kind: Static| -> Result<Vec<Real>> {
        let (source, target) = ((1, 1, 200_000), Some((1, 1, 20)));
        let between = Between { source, target, ..Between::default() };
        let near = Connections::distance_dependent(Profile::Disc { p: 1.0, radius: 3.0 });
        let (net, projection) = between.wire((kind, near, WeightInitializer::uniform(0.0, 1.0)))?;
        Ok(net.connections(projection)?.weight)
    };
    let (exact, coarse) = (stored(Static::default())?, stored(Static::bits16())?);
    assert!(exact.len() > 100 && exact.len() == coarse.len());
    // Half of the unit, which is the largest weight by 2^15 − 1.
    let off = exact.iter().zip(&coarse).map(|(a, b)| (a - b).abs()).fold(0.0, Real::max);
    assert!(off < 1.01 / 65_534.0, "{off}");
    Ok(())
}
