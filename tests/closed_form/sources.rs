//! Populations that fire at random.

use super::*;

/// Spikes of each neuron in `steps` steps.
fn counts(net: &mut Neocortex, population: Entity, steps: u64) -> Result<Vec<u32>> {
    let recording = net.count_spikes(population)?;
    net.run(steps)?;
    Ok(recording.get())
}

/// Whether `given` events of `trials` are what probability `p` brings, within five standard errors.
fn plausible(given: f64, trials: f64, p: f64) -> bool {
    (given - trials * p).abs() <= 5.0 * (trials * p * (1.0 - p)).sqrt() + 1e-9
}

#[test]
fn a_poisson_source_fires_at_its_rate_whatever_dt_is() -> Result<()> {
    for (dt, rate) in [(1.0, 0.5), (1.0, 20.0), (0.1, 20.0), (1.0, 300.0), (0.25, 5000.0), (1.0, 0.0)] {
        let mut net = network(dt)?;
        let source = net.neurons("source", 5000, PoissonSource::new(rate))?;
        let total: u32 = counts(&mut net, source, 400)?.iter().sum();
        let p = 1.0 - (-rate * dt / 1000.0_f64).exp();
        assert!(plausible(total as f64, 5000.0 * 400.0, p), "{rate} Hz at {dt} ms: {total} spikes");
    }
    Ok(())
}

#[test]
fn every_neuron_of_a_poisson_source_has_its_own_rate() -> Result<()> {
    let rates = [0.0, 3.0, 30.0, 300.0, 0.0, 1e6];
    let n = 6000;
    let mut net = network(1.0)?;
    let all: Vec<f64> = (0..n).map(|j| rates[j % 6]).collect();
    let source = net.neurons("source", n, PoissonSource::new(all))?;
    let counts = counts(&mut net, source, 300)?;
    for (k, rate) in rates.into_iter().enumerate() {
        let total: u32 = counts.iter().skip(k).step_by(6).sum();
        let p = 1.0 - (-rate / 1000.0_f64).exp();
        assert!(plausible(total as f64, 300.0 * n as f64 / 6.0, p), "{rate} Hz: {total} spikes");
    }
    Ok(())
}

#[test]
fn spikes_of_a_poisson_source_know_nothing_of_each_other() -> Result<()> {
    for uneven in [false, true] {
        let (n, p) = (4000, 1.0 - (-0.1_f64).exp());
        let mut net = network(1.0)?;
        let rate = if uneven { PoissonSource::new(vec![100.0; n]) } else { PoissonSource::new(100.0) };
        let source = net.neurons("source", n, rate)?;
        let (mut neighbours, mut successors, mut last) = (0, 0, vec![false; n]);
        for _ in 0..200 {
            net.step()?;
            let fired = net.get::<Spikes>(source)?.0.mask().to_vec();
            neighbours += fired.windows(2).filter(|pair| pair[0] && pair[1]).count();
            successors += fired.iter().zip(&last).filter(|(now, before)| **now && **before).count();
            last = fired;
        }
        // Pairs overlap, which widens the spread a little: 200·4000 trials all the same.
        assert!(plausible(neighbours as f64, 200.0 * 3999.0, p * p), "{neighbours} neighbours");
        assert!(plausible(successors as f64, 199.0 * 4000.0, p * p), "{successors} successors");
    }
    Ok(())
}

#[test]
fn the_rate_may_change_between_steps_and_a_wrong_one_is_refused() -> Result<()> {
    let mut net = network(1.0)?;
    let source = net.neurons("source", 1000, PoissonSource::new(0.0))?;
    let set = |net: &mut Neocortex, rate: Param| {
        let source = net.world_mut().get_mut::<PoissonSource>(source);
        source.into_iter().for_each(|mut source| source.rate = rate.clone());
    };
    assert_eq!(counts(&mut net, source, 100)?.iter().sum::<u32>(), 0);
    set(&mut net, 50.0.into());
    let total: u32 = counts(&mut net, source, 100)?.iter().sum();
    assert!(plausible(total as f64, 1e5, 1.0 - (-0.05_f64).exp()), "{total}");
    for (rate, message) in [
        (Param::from(-1.0), "`source`: PoissonSource got -1 for `rate`: it must be 0 or more"),
        (
            vec![1.0, 2.0].into(),
            "`source`: PoissonSource got 2 values for `rate`, but there are 1000 neurons: give one number, or one per neuron",
        ),
    ] {
        set(&mut net, rate);
        for _ in 0..2 {
            assert_eq!(net.run(5).unwrap_err().to_string(), message);
        }
    }
    set(&mut net, 0.0.into());
    net.run(2)?;
    assert!(net.spikes(source)?.is_empty());
    Ok(())
}

#[test]
fn a_poisson_source_fires_beside_what_is_given_to_it() -> Result<()> {
    let mut net = network(1.0)?;
    let mut rates = vec![0.0; 10];
    rates[3] = 1e9;
    let source = net.neurons("source", 10, (PoissonSource::new(rates), NeuronAxon::default()))?;
    net.set_input(source, &[7, 3, 0])?;
    net.step()?;
    assert_eq!(net.spikes(source)?, [0, 3, 7]);
    net.step()?;
    assert_eq!(net.spikes(source)?, [3]);
    net.switch_off("PoissonSource", source)?;
    net.step()?;
    assert!(net.spikes(source)?.is_empty());
    Ok(())
}

#[test]
fn a_neuron_model_and_a_poisson_source_do_not_share_a_population() -> Result<()> {
    let mut net = network(1.0)?;
    net.neurons("exc", 10, (Lif::default(), PoissonSource::new(5.0)))?;
    assert!(net.build().unwrap_err().to_string().contains("keep one of them"));
    Ok(())
}
