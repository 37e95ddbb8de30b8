//! What makes neurons tire: adaptation currents on any model, thresholds that rise with spikes.

use super::*;

/// Lets populations run side by side and gives the steps at which each fired.
fn spike_steps(net: &mut Neocortex, populations: &[Entity], steps: u64) -> Result<Vec<Vec<u64>>> {
    let mut fired = vec![Vec::new(); populations.len()];
    for step in 1..=steps {
        net.step()?;
        for (fired, population) in fired.iter_mut().zip(populations) {
            if !net.spikes(*population)?.is_empty() {
                fired.push(step);
            }
        }
    }
    Ok(fired)
}

#[test]
fn elif_with_one_adaptation_variable_is_aelif() -> Result<()> {
    for scaling in [TimeScaling::Upstream, TimeScaling::Consistent] {
        let settings = Settings { dt: 0.2, threads: 1, time_scaling: scaling, ..Default::default() };
        let mut net = Neocortex::with(settings)?;
        let drive = InjectedCurrent::new(22.0);
        let aelif = Aelif::default().alpha(0.2).beta(0.7).w_tau(60.0).omega(1.5);
        let one = net.neurons("aelif", 1, (aelif, drive.clone()))?;
        let mut adaptation = Adaptation::new(0.2, 0.7, 60.0);
        adaptation.variables[0].omega = 1.5.into();
        let other = net.neurons("elif", 1, (Elif::default(), drive, adaptation))?;
        net.build()?;
        assert_eq!(net.state(other, "adaptation")?, [1.5]);
        let mut spikes = 0;
        for step in 1..=3000 {
            net.step()?;
            assert_eq!(net.spikes(one)?, net.spikes(other)?, "{scaling:?}, step {step}");
            spikes += net.spikes(one)?.len();
            for (of_aelif, of_elif) in [("omega", "adaptation"), ("omega", "adaptation_0"), ("v", "v")] {
                let (a, b) = (net.state(one, of_aelif)?[0], net.state(other, of_elif)?[0]);
                assert!(near(a, f64::from(b), 2e-4), "{scaling:?}, step {step}: {of_aelif} is {a} and {b}");
            }
        }
        assert!(spikes > 10, "{spikes}");
    }
    Ok(())
}

#[test]
fn adaptation_variables_jump_relax_and_add_up_each_by_itself() -> Result<()> {
    let mut net = network(0.5)?;
    // It fires once, at the first step: the currents do too little to v to fire it again, and alpha is 0.
    let lif = Lif::default().threshold(5.0).init_v(9.0);
    let adaptation = Adaptation::new(0.0, 2.0, 10.0).and(0.0, -0.5, 80.0).and(0.0, 0.0, 5.0);
    let exc = net.neurons("exc", 1, (lif, adaptation))?;
    for k in 0..60 {
        net.step()?;
        let decayed = |jump: f64, tau: f64| jump * 0.5 * (1.0 - 0.5 / tau).powi(k);
        let (fast, slow) = (net.state(exc, "adaptation_0")?[0], net.state(exc, "adaptation_1")?[0]);
        assert!(near(fast, decayed(2.0, 10.0), 1e-5), "step {k}: {fast}");
        assert!(near(slow, decayed(-0.5, 80.0), 1e-5), "step {k}: {slow}");
        assert_eq!(net.state(exc, "adaptation_2")?, [0.0]);
        assert_eq!(net.state(exc, "adaptation")?, [fast + slow]);
    }
    assert!(net.state(exc, "adaptation_3").is_err());
    Ok(())
}

#[test]
fn in_balance_a_neuron_is_depolarized_as_its_adaptation_allows() -> Result<()> {
    // v − v_rest = R·(I − Σ alpha_k·(v − v_rest)), so v − v_rest = R·I/(1 + R·Σ alpha_k).
    let mut net = network(0.5)?;
    let lif = Lif::default().r(2.0).threshold(1e3).tau(vec![5.0, 20.0]);
    let adaptation = Adaptation::new(vec![0.5, 0.0], 0.0, 20.0).and(0.25, 0.0, vec![10.0, 40.0]);
    let exc = net.neurons("exc", 2, (lif, InjectedCurrent::new(3.0), adaptation))?;
    net.run(3000)?;
    let v = net.state(exc, "v")?;
    assert!(near(v[0], 6.0 / 2.5, 1e-4) && near(v[1], 6.0 / 1.5, 1e-4), "{v:?}");
    Ok(())
}

#[test]
fn the_input_current_itself_stays_as_it_is() -> Result<()> {
    let mut net = network(1.0)?;
    let pre = net.neurons("pre", 1, (InputSpikes::default(), NeuronAxon::default()))?;
    let dendrite =
        (SimpleDendriteStructure::default(), SimpleDendriteComputation::default().i_tau(4.0 as Real));
    let adaptation = Adaptation::new(0.7, 1.0, 30.0);
    let post = net.neurons("post", 1, (Lif::default().threshold(0.05), dendrite, adaptation))?;
    net.synapses(pre, post, (Dense, WeightInitializer::ones(), Proximal))?;
    net.set_input(pre, &[0])?;
    net.run(2)?;
    for k in 0..10 {
        assert!(near(net.state(post, "I")?[0], 0.75_f64.powi(k), 1e-6));
        net.step()?;
    }
    assert!(net.state(post, "adaptation")?[0] > 0.1, "it has adapted");
    Ok(())
}

#[test]
fn every_model_adapts() -> Result<()> {
    let mut net = network(0.25)?;
    let adaptation = || Adaptation::new(0.0, 4.0, 100.0);
    let pairs = [
        (
            net.neurons("lif", 1, (Lif::default(), InjectedCurrent::new(8.0)))?,
            net.neurons("tiring lif", 1, (Lif::default(), InjectedCurrent::new(8.0), adaptation()))?,
        ),
        (
            net.neurons("aelif", 1, (Aelif::default(), InjectedCurrent::new(25.0)))?,
            net.neurons("tiring aelif", 1, (Aelif::default(), InjectedCurrent::new(25.0), adaptation()))?,
        ),
        (
            net.neurons("fast", 1, (Izhikevich::fast_spiking(), InjectedCurrent::new(15.0)))?,
            net.neurons(
                "tiring fast",
                1,
                (Izhikevich::fast_spiking(), InjectedCurrent::new(15.0), adaptation()),
            )?,
        ),
    ];
    let all: Vec<Entity> = pairs.into_iter().flat_map(|(plain, tiring)| [plain, tiring]).collect();
    let fired = spike_steps(&mut net, &all, 4000)?;
    for (pair, names) in fired.chunks(2).zip(all.chunks(2)) {
        let name = net.name_of(names[1]);
        assert!(pair[1].len() > 5 && 4 * pair[1].len() < 3 * pair[0].len(), "{name}: {fired:?}");
        let intervals: Vec<u64> = pair[1].windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(intervals[0] < intervals[4], "{name}: {intervals:?}");
    }
    Ok(())
}

#[test]
fn adaptation_may_change_between_steps_and_what_is_wrong_is_refused_until_it_is_mended() -> Result<()> {
    let mut net = network(1.0)?;
    let exc = net.neurons("exc", 2, (Lif::default(), InjectedCurrent::new(2.0), Adaptation::default()))?;
    net.run(50)?;
    let change = |net: &mut Neocortex, f: fn(&mut Adaptation)| {
        let mut adaptation = net.world_mut().get_mut::<Adaptation>(exc);
        adaptation.iter_mut().for_each(|adaptation| f(adaptation));
    };
    change(&mut net, |a| a.variables[0].w_tau = 0.0.into());
    for _ in 0..2 {
        let error = net.run(3).unwrap_err().to_string();
        assert_eq!(error, "`exc`: Adaptation got 0 for `variables[0].w_tau`: it must be above 0");
    }
    change(&mut net, |a| a.variables[0].w_tau = vec![10.0, 20.0, 30.0].into());
    assert!(net.step().unwrap_err().to_string().contains("got 3 values for `variables[0].w_tau`"));
    change(&mut net, |a| {
        a.variables[0].w_tau = 10.0.into();
        a.variables.push(AdaptationVariable { omega: 0.5.into(), ..Default::default() });
    });
    net.step()?;
    assert!(near(net.state(exc, "adaptation_1")?[0], 0.5, 0.2));
    change(&mut net, |a| a.variables.clear());
    net.step()?;
    assert_eq!(net.state(exc, "adaptation")?, [0.0, 0.0]);
    Ok(())
}

#[test]
fn adaptation_that_is_switched_off_takes_nothing_off_and_keeps_its_currents() -> Result<()> {
    let mut net = network(1.0)?;
    let exc = net.neurons("exc", 1, (Lif::default().threshold(1e3), InjectedCurrent::new(1.0)))?;
    let mut adaptation = Adaptation::new(0.0, 0.0, 1e9);
    adaptation.variables[0].omega = 3.0.into();
    net.step()?;
    net.add(exc, adaptation)?;
    net.run(5)?;
    assert!(net.state(exc, "v")?[0] < 0.0, "3 against 1");
    net.switch_off("Adaptation", exc)?;
    net.run(200)?;
    assert!(near(net.state(exc, "v")?[0], 1.0, 1e-4));
    assert!(near(net.state(exc, "adaptation")?[0], 3.0, 1e-5));
    net.switch_on("Adaptation", exc)?;
    net.run(200)?;
    assert!(near(net.state(exc, "v")?[0], -2.0, 1e-4));
    Ok(())
}

// Thresholds.

#[test]
fn a_threshold_rises_with_each_spike_and_sinks_between() -> Result<()> {
    let mut net = network(0.5)?;
    // Neuron 0 fires at every step, neuron 1 never, neuron 2 once, after 80 steps.
    let lif = Lif::default().tau(0.5);
    let adaptive = AdaptiveThreshold::new(vec![0.5, 0.5, 2.0], vec![20.0, 20.0, 8.0]);
    let exc = net.neurons("exc", 3, (lif, InjectedCurrent::new(vec![1e3, 0.0, 0.0]), adaptive))?;
    let mut busy = 0.0_f64;
    for _ in 0..80 {
        net.step()?;
        busy += 0.5 - busy * 0.5 / 20.0;
        let (theta, threshold) = (net.state(exc, "theta")?, net.state(exc, "threshold")?);
        assert!(near(theta[0], busy, 1e-5) && theta[1] == 0.0, "{theta:?}, not {busy}");
        assert!(near(threshold[0], 1.0 + busy, 1e-5) && threshold[1] == 1.0, "{threshold:?}");
    }
    let mut entity = net.world_mut().entity_mut(exc);
    entity.insert(InjectedCurrent::new(vec![0.0, 0.0, 1e3]));
    net.step()?;
    let mut entity = net.world_mut().entity_mut(exc);
    entity.insert(InjectedCurrent::new(0.0));
    for k in 0..40 {
        let theta = net.state(exc, "theta")?[2];
        assert!(near(theta, 2.0 * (1.0 - 0.5 / 8.0_f64).powi(k), 1e-5), "step {k}: {theta}");
        net.step()?;
    }
    Ok(())
}

#[test]
fn a_decay_of_a_ten_millionth_is_not_lost_in_a_threshold_of_50_mv() -> Result<()> {
    let mut net = network(1.0)?;
    let lif = Lif::default().threshold(-50.0).v_rest(-65.0).v_reset(-70.0).init_v(-65.0);
    let exc = net.neurons("exc", 1, (lif, AdaptiveThreshold::default().init_theta(20.0)))?;
    net.build()?;
    assert_eq!(net.state(exc, "threshold")?, [-30.0]);
    net.run(20_000)?;
    let theta = 20.0 * (1.0 - 1e-7_f64).powi(20_000);
    assert!(near(net.state(exc, "theta")?[0], theta, 1e-6));
    let threshold = f64::from(net.state(exc, "threshold")?[0]);
    assert!((threshold - (theta - 50.0)).abs() < 5e-6, "{threshold}, not {}", theta - 50.0);
    Ok(())
}

#[test]
fn activity_homeostasis_and_the_adaptive_threshold_add_up() -> Result<()> {
    let run = |homeostasis: bool, adaptive: bool| -> Result<Vec<Real>> {
        let mut net = network(1.0)?;
        let lif = Lif::default().tau(1.0).threshold(-50.0).v_rest(-65.0).v_reset(-65.0).init_v(-65.0);
        // One always fires, one never does, whatever their thresholds.
        let exc = net.neurons("exc", 2, (lif, InjectedCurrent::new(vec![1e3, 0.0])))?;
        if homeostasis {
            net.add(exc, ActivityBaseHomeostasis::new(2.0, 10, 0.003))?;
        }
        if adaptive {
            net.add(exc, AdaptiveThreshold::new(0.01, 400.0).init_theta(vec![0.0, 3.0]))?;
        }
        net.run(500)?;
        net.state(exc, "threshold")
    };
    let (none, one, other, both) =
        (run(false, false)?, run(true, false)?, run(false, true)?, run(true, true)?);
    for j in 0..2 {
        let moved = f64::from(one[j] - none[j]) + f64::from(other[j] - none[j]);
        assert!((one[j] - none[j]).abs() > 0.1 && (other[j] - none[j]).abs() > 0.1, "{one:?} {other:?}");
        assert!((f64::from(both[j]) - (-50.0 + moved)).abs() < 1e-4, "neuron {j}: {both:?}, moved {moved}");
    }
    Ok(())
}

#[test]
fn a_threshold_that_is_set_holds_and_theta_decays_from_there() -> Result<()> {
    let mut net = network(1.0)?;
    let exc = net.neurons(
        "exc",
        1,
        (Lif::default().threshold(5.0), AdaptiveThreshold::new(1.0, 10.0).init_theta(4.0)),
    )?;
    net.run(1)?;
    assert!(near(net.state(exc, "threshold")?[0], 5.0 + 3.6, 1e-6));
    net.world_mut().entity_mut(exc).insert(Threshold(6.0.into()));
    assert_eq!(net.state(exc, "threshold")?, [6.0]);
    net.step()?;
    // theta went from 3.6 to 3.24.
    assert!(near(net.state(exc, "threshold")?[0], 6.0 - 0.36, 1e-6));
    net.run(500)?;
    assert!(near(net.state(exc, "threshold")?[0], 6.0 - 3.6, 1e-5));
    Ok(())
}

#[test]
fn theta_is_learned_and_goes_only_with_its_behaviour() -> Result<()> {
    let mut net = network(1.0)?;
    let adaptive = AdaptiveThreshold::new(0.25, 1e7);
    let exc = net.neurons("exc", 1, (Lif::default().tau(1.0), InjectedCurrent::new(50.0), adaptive))?;
    net.run(4)?;
    assert!(near(net.state(exc, "threshold")?[0], 2.0, 1e-5));
    net.reset_state();
    net.build()?;
    assert!(near(net.state(exc, "theta")?[0], 1.0, 1e-5), "starting again keeps it");
    assert!(near(net.state(exc, "threshold")?[0], 2.0, 1e-5));

    net.switch_off("AdaptiveThreshold", exc)?;
    net.run(10)?;
    assert!(near(net.state(exc, "threshold")?[0], 2.0, 1e-5), "held while it is off");
    net.switch_on("AdaptiveThreshold", exc)?;
    net.run(4)?;
    assert!(near(net.state(exc, "threshold")?[0], 3.0, 1e-5));

    net.remove::<AdaptiveThreshold>(exc)?;
    assert_eq!(net.state(exc, "threshold")?, [1.0], "taken off, it gives back the base");
    assert!(net.state(exc, "theta").is_err());
    net.run(3)?;
    assert_eq!(net.state(exc, "threshold")?, [1.0]);
    Ok(())
}

#[test]
fn wrong_parameters_of_an_adaptive_threshold_are_refused() -> Result<()> {
    let mut net = network(1.0)?;
    let exc = net.neurons("exc", 2, (Lif::default(), AdaptiveThreshold::new(vec![1.0, 2.0, 3.0], 10.0)))?;
    assert!(net.build().unwrap_err().to_string().contains("AdaptiveThreshold got 3 values for `step`"));
    net.world_mut().entity_mut(exc).insert(AdaptiveThreshold::new(1.0, 10.0));
    net.run(2)?;
    net.world_mut().entity_mut(exc).insert(AdaptiveThreshold::new(1.0, vec![10.0, -1.0]));
    let error = net.step().unwrap_err().to_string();
    assert_eq!(error, "`exc`: AdaptiveThreshold got -1 for `tau`: it must be above 0");
    net.world_mut().entity_mut(exc).insert(AdaptiveThreshold::new(1.0, 10.0));
    net.step()
}
