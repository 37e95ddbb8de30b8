//! What arrives from a `PoissonDrive`.

use super::*;

/// Neurons whose synaptic currents last one step, so that they are the step's arrivals; they never fire.
fn catcher() -> LifPscExp {
    LifPscExp::default().tau_syn(1e-4).threshold(1e9).v_rest(0.0).init_v(0.0)
}

/// Mean and variance.
fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64)
}

/// Whether both moments are those of `n` numbers from a Poisson distribution, within five standard errors.
#[track_caller]
fn assert_poisson((mean, variance): (f64, f64), expected: f64, n: usize) {
    let error = 5.0 * (expected / n as f64).sqrt();
    assert!((mean - expected).abs() <= error, "mean {mean}, expected {expected}");
    let error = 5.0 * ((expected + 2.0 * expected * expected) / n as f64).sqrt();
    assert!((variance - expected).abs() <= error, "variance {variance}, expected {expected}");
}

#[test]
fn as_many_spikes_arrive_as_their_sources_fire_whatever_dt_is() -> Result<()> {
    for (dt, sources, rate) in
        [(0.1, 1000.0, 8.0), (1.0, 1.0, 5.0), (1.0, 20_000.0, 50.0), (0.1, 1600.0, 0.0), (0.25, 2.0, 1e6)]
    {
        let n = 1500;
        let mut net = network(dt)?;
        let post = net.neurons("post", n, (catcher(), PoissonDrive::new(sources, rate, 0.5)))?;
        let mut counts = Vec::new();
        for _ in 0..100 {
            net.step()?;
            counts.extend(net.state(post, "I_syn")?.into_iter().map(|i| f64::from(i) / 0.5));
        }
        assert!(counts.iter().all(|k| k.fract() == 0.0 && *k >= 0.0), "only whole spikes arrive");
        assert_poisson(moments(&counts), sources * rate * dt / 1000.0, counts.len());
    }
    Ok(())
}

#[test]
fn a_synaptic_current_has_the_mean_and_variance_of_shot_noise() -> Result<()> {
    // Campbell's theorem, for steps of dt: sums of what each step brought, decayed since.
    let (dt, tau_syn, weight) = (0.1, 2.0, 30.0);
    let (n, per_step) = (4000, 1000.0 * 8.0 * dt / 1000.0);
    let mut net = network(dt)?;
    let drive = PoissonDrive::new(1000.0, 8.0, weight as Real);
    let post = net.neurons("post", n, (catcher().tau_syn(tau_syn), drive))?;
    net.run(400)?;
    let decay = |times: f64| (-times * dt / tau_syn).exp();
    let mean = weight * per_step / (1.0 - decay(1.0));
    let variance = weight * weight * per_step / (1.0 - decay(2.0));
    for _ in 0..5 {
        net.run(200)?;
        let currents: Vec<f64> = net.state(post, "I_syn")?.into_iter().map(f64::from).collect();
        let given = moments(&currents);
        assert!((given.0 - mean).abs() < 5.0 * (variance / n as f64).sqrt(), "{given:?}, mean {mean}");
        assert!(
            (given.1 / variance - 1.0).abs() < 5.0 * (2.1 / n as f64).sqrt(),
            "{given:?}, not {variance}"
        );
    }
    Ok(())
}

#[test]
fn neurons_and_steps_know_nothing_of_each_other() -> Result<()> {
    let (n, steps) = (3000, 100);
    let mut net = network(1.0)?;
    let post = net.neurons("post", n, (catcher(), PoissonDrive::new(100.0, 30.0, 1.0)))?;
    let mean = 3.0;
    let (mut neighbours, mut successors, mut last) = (0.0, 0.0, vec![mean; n]);
    for _ in 0..steps {
        net.step()?;
        let now: Vec<f64> = net.state(post, "I_syn")?.into_iter().map(f64::from).collect();
        neighbours += now.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum::<f64>();
        successors += now.iter().zip(&last).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
        last = now;
    }
    // Products of independent numbers have the product of their variances.
    let error = 5.0 * mean * ((n * steps) as f64).sqrt();
    assert!(neighbours.abs() < error && successors.abs() < error, "{neighbours} and {successors}, {error}");
    Ok(())
}

#[test]
fn each_neuron_has_its_own_sources_and_rate() -> Result<()> {
    let n = 3000;
    let kinds = [(100.0, 30.0), (1000.0, 0.0), (0.0, 30.0), (400.0, 8.0)];
    let of = |j: usize| kinds[j % 4];
    let sources: Vec<f64> = (0..n).map(|j| of(j).0).collect();
    let rates: Vec<f64> = (0..n).map(|j| of(j).1).collect();
    let mut net = network(1.0)?;
    let post = net.neurons("post", n, (catcher(), PoissonDrive::new(sources, rates, 1.0)))?;
    let mut counts = vec![Vec::new(); 4];
    for _ in 0..100 {
        net.step()?;
        for (j, i) in net.state(post, "I_syn")?.into_iter().enumerate() {
            counts[j % 4].push(f64::from(i));
        }
    }
    for (counts, (sources, rate)) in counts.iter().zip(kinds) {
        assert_poisson(moments(counts), sources * rate / 1000.0, counts.len());
    }
    Ok(())
}

/// What arrives at a population over some steps, in a network that `prepare` has added to, and may add to later on.
fn arrivals(
    name: &str,
    settings: Settings,
    prepare: impl Fn(&mut Neocortex) -> Result<()>,
) -> Result<Vec<Vec<Real>>> {
    let mut net = Neocortex::with(settings)?;
    prepare(&mut net)?;
    let post = net.neurons(name, 1500, (catcher(), PoissonDrive::new(1000.0, 8.0, 1.0)))?;
    let mut all = Vec::new();
    for _ in 0..30 {
        net.step()?;
        all.push(net.state(post, "I_syn")?);
    }
    Ok(all)
}

#[test]
fn a_drive_depends_on_nothing_but_the_seed_and_the_name() -> Result<()> {
    let settings = |seed, threads| Settings { dt: 0.1, seed, threads, ..Default::default() };
    let alone = |_: &mut Neocortex| Ok(());
    let others = |net: &mut Neocortex| -> Result<()> {
        let drive = PoissonDrive::new(2000.0, 8.0, 20.0);
        let exc = net.neurons("exc", 700, (LifCondExp::default(), drive.clone()))?;
        let inh = net.neurons("inh", 300, (LifPscExp::default(), drive, Inhibitory))?;
        let connections = (Static::default(), Connections::pairwise_bernoulli(0.1));
        net.synapses(exc, inh, (connections, WeightInitializer::ones())).map(|_| ())
    };
    // A user's system in between takes the stages apart, which otherwise pass in one.
    let apart = |net: &mut Neocortex| -> Result<()> {
        net.add_system(StepSystems::Noise, || {});
        Ok(())
    };
    let reference = arrivals("post", settings(1, 1), alone)?;
    for threads in [1, 2, 3] {
        assert!(reference == arrivals("post", settings(1, threads), others)?, "others, {threads} threads");
        assert!(reference == arrivals("post", settings(1, threads), apart)?, "apart, {threads} threads");
    }
    assert!(reference != arrivals("post", settings(2, 1), alone)?, "another seed");
    assert!(reference != arrivals("other", settings(1, 1), alone)?, "another name");
    Ok(())
}

#[test]
fn a_weight_below_0_inhibits() -> Result<()> {
    let mut net = network(1.0)?;
    let drive = || PoissonDrive::new(1000.0, 20.0, -2.0);
    let one = net.neurons("one", 50, (catcher(), drive()))?;
    let two = net.neurons("two", 50, (catcher().tau_syn_inh(1e-4), drive()))?;
    let conductances = net.neurons("conductances", 50, (LifCondExp::default(), drive()))?;
    net.run(20)?;
    // Where there is one current, it takes the sign; where there are two, the second takes the magnitude.
    assert!(net.state(one, "I_syn")?.iter().all(|i| *i < 0.0));
    for (population, excites, inhibits) in [(two, "I_syn", "I_syn_inh"), (conductances, "g_exc", "g_inh")] {
        assert!(net.state(population, excites)?.iter().all(|x| *x == 0.0));
        assert!(net.state(population, inhibits)?.iter().all(|x| *x > 0.0));
        assert!(net.state(population, "v")?.iter().all(|v| *v < 0.0));
    }
    Ok(())
}

#[test]
fn a_drive_follows_what_is_changed_between_steps() -> Result<()> {
    let mut net = network(1.0)?;
    let n = 4000;
    let post = net.neurons("post", n, (catcher(), PoissonDrive::new(1000.0, 8.0, 1.0)))?;
    for (rate, weight) in [(8.0, 1.0), (2.0, 1.0), (2.0, 3.0), (0.0, 3.0), (40.0, 1.0)] {
        net.world_mut().entity_mut(post).insert(PoissonDrive::new(1000.0, rate, weight as Real));
        net.step()?;
        let counts: Vec<f64> =
            net.state(post, "I_syn")?.into_iter().map(|i| (f64::from(i) / weight).round()).collect();
        assert_poisson(moments(&counts), rate, n);
    }
    Ok(())
}
