//! How weights and delays start.

use super::*;
use conex::systems::weights::{DestinationDelays, SourceDelays};
use ndarray::ArrayD;

#[test]
fn weights_start_as_their_initializer_says() -> Result<()> {
    let start = |weights: WeightInitializer| -> Result<ArrayD<Real>> {
        let mut net = network(1.0)?;
        let (pre, post) = (input(&mut net, "pre", 60)?, input(&mut net, "post", 50)?);
        let projection = net.synapses(pre, post, (Dense, weights, Proximal))?;
        net.build()?;
        net.weights(projection)
    };
    let within =
        |weights: &ArrayD<Real>, low: Real, high: Real| weights.iter().all(|w| (low..=high).contains(w));
    assert!(start(WeightInitializer::zeros())?.iter().all(|w| *w == 0.0));
    assert!(start(WeightInitializer::ones().scale(3.0).offset(-0.5))?.iter().all(|w| *w == 2.5));
    let uniform = start(WeightInitializer::uniform(-2.0, 4.0))?;
    assert!(
        within(&uniform, -2.0, 4.0) && uniform.iter().any(|w| *w < -1.9) && uniform.iter().any(|w| *w > 3.9)
    );
    // Scale and offset act on what was drawn, bounds and all.
    assert_eq!(start(WeightInitializer::uniform(-2.0, 4.0).scale(2.0).offset(1.0))?, &uniform * 2.0 + 1.0);
    // Function, then scale, then offset.
    let squared = WeightInitializer::uniform(-2.0, 4.0).function(|x| x * x).scale(2.0).offset(-1.0);
    assert_eq!(start(squared)?, uniform.mapv(|w| w * w * 2.0 - 1.0));
    assert_eq!(
        start(WeightInitializer::uniform(-2.0, 4.0).clipped(0.0, 1.0))?,
        uniform.mapv(|w| w.clamp(0.0, 1.0))
    );
    let redrawn = start(WeightInitializer::normal(0.5, 2.0).within(0.0, 1.0))?;
    assert!(within(&redrawn, 0.0, 1.0) && redrawn.iter().all(|w| *w != 0.0 && *w != 1.0));
    assert!(start(WeightInitializer::lognormal(-1.0, 0.8))?.iter().all(|w| *w > 0.0));
    // A mask of density: what is left out is 0, to which the offset is added, but no range.
    let masked = start(WeightInitializer::uniform(1.0, 2.0).density(0.3).offset(0.25).within(1.0, 2.0))?;
    let left_out = masked.iter().filter(|w| **w == 0.25).count();
    assert!(masked.iter().all(|w| *w == 0.25 || (1.0..=2.0).contains(w)));
    assert!((left_out as f64 / 3000.0 - 0.7).abs() < 0.04, "{left_out}");
    // Given weights are taken as they are.
    let given = Lcg(5).matrix(60, 50);
    let weights =
        WeightInitializer::matrix(given.clone()).scale(9.0).offset(1.0).density(0.1).clipped(0.4, 0.5);
    assert_eq!(start(weights)?, given.into_dyn());
    Ok(())
}

#[test]
fn delays_are_given_or_drawn_at_either_end() -> Result<()> {
    let start = |delays: DelayInitializer| -> Result<(Vec<u32>, Vec<u32>)> {
        let mut net = network(1.0)?;
        let pre = net.neurons("pre", 2000, (InputSpikes::default(), NeuronAxon::new(64)))?;
        let post = net.neurons("post", 3, (Lif::default(), SimpleDendriteStructure::new(64)))?;
        let projection = net.synapses(pre, post, (Dense, WeightInitializer::ones(), Proximal, delays))?;
        net.build()?;
        Ok((
            net.get::<SourceDelays>(projection)?.0.clone(),
            net.get::<DestinationDelays>(projection)?.0.clone(),
        ))
    };
    let (source, destination) = start(DelayInitializer::uniform(2, 5))?;
    for steps in 2..=5 {
        let share = source.iter().filter(|d| **d == steps).count() as f64 / 2000.0;
        assert!((share - 0.25).abs() < 0.05, "{steps}: {share}");
    }
    assert!(source.iter().all(|d| (2..=5).contains(d)) && destination.is_empty());
    let (source, destination) =
        start(DelayInitializer::normal(3.0, 4.0).destination_delays(Delays::constant(7)))?;
    assert!(source.contains(&0) && source.iter().any(|d| *d > 8) && destination == [7; 3]);
    let lags: Vec<i64> = (0..2000).map(|i| i % 64).collect();
    let (source, destination) = start(DelayInitializer::per_neuron(lags, [9, 0, 63]))?;
    assert!(source[..3] == [0, 1, 2] && source[1999] == 15 && destination == [9, 0, 63]);
    // Truncated after scale, offset and limits.
    let (distribution, limits) = (Distribution::Constant(1.7), Some(Limits::Clipped { min: 0.0, max: 3.9 }));
    let drawn = |limits| Delays::Drawn { distribution, scale: 2.0, offset: 0.9, limits };
    let delays = DelayInitializer::default().source_delays(drawn(None)).destination_delays(drawn(limits));
    assert_eq!(start(delays)?, (vec![4; 2000], vec![3; 3]));
    Ok(())
}
