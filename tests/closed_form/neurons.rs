//! Neurons by themselves: charging, firing, adapting, competing, resting.

use super::*;
use ndarray::{Array1, Axis};

#[test]
fn a_lif_neuron_charges_as_the_discrete_solution_says() -> Result<()> {
    let mut net = network(1.0)?;
    let (tau, r, i) = (10.0_f64, 2.0, 0.3);
    let exc = net.neurons("exc", 1, (Lif::default().tau(tau).r(r), InjectedCurrent::new(i)))?;
    for k in 1..=100 {
        net.step()?;
        let expected = r * i * (1.0 - (1.0 - 1.0 / tau).powi(k));
        let v = net.state(exc, "v")?[0];
        assert!(near(v, expected, 1e-5), "step {k}: {v}, expected {expected}");
    }
    Ok(())
}

#[test]
fn a_lif_neuron_charges_exponentially_when_dt_is_small() -> Result<()> {
    let (tau, v_rest, drive) = (10.0_f64, -65.0, 12.0);
    let worst = |dt: f64| -> Result<f64> {
        let mut net = network(dt)?;
        let lif = Lif::default().tau(tau).v_rest(v_rest).init_v(v_rest).threshold(-50.0);
        let exc = net.neurons("exc", 1, (lif, InjectedCurrent::new(drive)))?;
        let mut worst = 0.0_f64;
        for _ in 0..(30.0 / dt).round() as u64 {
            net.step()?;
            let expected = v_rest + drive * (1.0 - (-net.now() / tau).exp());
            worst = worst.max((f64::from(net.state(exc, "v")?[0]) - expected).abs());
        }
        Ok(worst)
    };
    let (coarse, fine) = (worst(0.5)?, worst(0.05)?);
    assert!(fine < 0.02, "{fine} mV off");
    // Euler's scheme is of first order: a tenth of the step, a tenth of the error.
    assert!((8.0..12.0).contains(&(coarse / fine)), "{coarse} and {fine} mV off");
    Ok(())
}

#[test]
fn firing_rates_follow_the_closed_form_with_a_refractory_period() -> Result<()> {
    let (tau, threshold) = (10.0_f64, 1.0_f64);
    let drives = [1.05, 1.2, 1.5, 2.0, 3.3, 5.0];
    for dt in [1.0, 0.01] {
        let mut net = network(dt)?;
        let mut populations = Vec::new();
        for rest in [0.0, 2.0, 5.0] {
            let behaviours = (
                Lif::default().tau(tau).threshold(threshold),
                InjectedCurrent::new(drives.to_vec()),
                RefractoryPeriod::new(rest),
            );
            populations.push((rest, net.neurons(&format!("rests {rest} ms"), drives.len(), behaviours)?));
        }
        let mut fired = vec![vec![Vec::new(); drives.len()]; populations.len()];
        for step in 1..=(90.0 / dt).round() as u64 {
            net.step()?;
            for (fired, (_, population)) in fired.iter_mut().zip(&populations) {
                net.spikes(*population)?.iter().for_each(|&j| fired[j as usize].push(step));
            }
        }
        for (fired, (rest, _)) in fired.iter().zip(&populations) {
            for (steps, drive) in fired.iter().zip(drives) {
                // The least k with drive·(1 − (1 − dt/tau)^k) ≥ threshold.
                let k = (1.0 - threshold / drive).ln() / (1.0 - dt / tau).ln();
                let intervals: Vec<u64> = steps.windows(2).map(|pair| pair[1] - pair[0]).collect();
                assert!(!intervals.is_empty(), "drive {drive}: fired at {steps:?}");
                if dt == 1.0 {
                    let expected = (k.ceil() + rest / dt) as u64;
                    assert!(
                        intervals.iter().all(|&n| n == expected),
                        "{drive}: {intervals:?}, not {expected}"
                    );
                } else {
                    let expected = rest + tau * (drive / (drive - threshold)).ln();
                    let given = intervals[0] as f64 * dt;
                    assert!(
                        (given - expected).abs() < 0.05 + 0.005 * expected,
                        "{drive}: {given}, not {expected}"
                    );
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_resting_neuron_stays_at_its_reset_potential() -> Result<()> {
    let mut net = network(0.5)?;
    let lif = Lif::default().tau(1.0).v_reset(-0.25);
    let behaviours = (lif, InjectedCurrent::new(vec![50.0, 50.0]), RefractoryPeriod::new(vec![1.5, 0.0]));
    let exc = net.neurons("exc", 2, behaviours)?;
    let mut potentials = Vec::new();
    let fired = {
        let mut fired = vec![Vec::new(); 2];
        for step in 1..=9_u64 {
            net.step()?;
            net.spikes(exc)?.iter().for_each(|&j| fired[j as usize].push(step));
            potentials.push(net.state(exc, "v")?[0]);
        }
        fired
    };
    // 1.5 ms are 3 steps of rest, so every fourth step fires.
    assert_eq!(fired, [vec![1, 5, 9], (1..=9).collect()]);
    assert_eq!(potentials, [-0.25; 9]);
    Ok(())
}

#[test]
fn an_exponential_neuron_that_overflows_fires_and_is_reset() -> Result<()> {
    // (0 + 55)/0.05 = 1100: e^1100 is beyond every float.
    let elif = || Elif::default().delta(0.05).threshold(30.0).init_v(vec![0.0, -65.0]);
    let aelif = Aelif::default().delta(0.05).threshold(30.0).init_v(vec![0.0, -65.0]);
    let mut net = network(1.0)?;
    let populations = [
        net.neurons("elif", 2, elif())?,
        net.neurons("aelif", 2, aelif)?,
        net.neurons("tired", 2, (elif(), VoltageBaseHomeostasis::range(-80.0, -40.0)))?,
        net.neurons("noisy", 2, (elif(), InherentNoise::uniform(-1e-3, 1e-3)))?,
        net.neurons("resting", 2, (elif(), RefractoryPeriod::new(3.0)))?,
    ];
    net.step()?;
    for population in populations {
        let name = net.name_of(population);
        assert_eq!(net.spikes(population)?, [0], "{name}");
        assert_eq!(net.state(population, "v")?[0], -70.0, "{name}");
    }
    net.run(200)?;
    for population in populations {
        assert!(net.state(population, "v")?.iter().all(|v| (-75.0..-60.0).contains(v)));
    }
    Ok(())
}

#[test]
fn of_two_neurons_that_overflow_the_winner_is_the_lower_index() -> Result<()> {
    let mut net = network(1.0)?;
    let elif = Elif::default().delta(0.05).threshold(30.0).init_v(vec![-65.0, 0.0, 0.0]);
    let exc = net.neurons("exc", 3, (elif, Kwta::new(1)))?;
    net.step()?;
    assert_eq!(net.spikes(exc)?, [1]);
    assert_eq!(net.state(exc, "v")?[1..], [-70.0, -70.0]);
    Ok(())
}

#[test]
fn adaptation_slows_firing() -> Result<()> {
    let mut net = network(0.1)?;
    let drive = InjectedCurrent::new(25.0);
    let plain = net.neurons("elif", 1, (Elif::default(), drive.clone()))?;
    let tireless = net.neurons("tireless", 1, (Aelif::default().alpha(0.0).beta(0.0), drive.clone()))?;
    let adapting = net.neurons("adapting", 1, (Aelif::default().alpha(0.0).beta(10.0), drive))?;
    let mut fired = [Vec::new(), Vec::new(), Vec::new()];
    for step in 1..=5000_u64 {
        net.step()?;
        for (fired, population) in fired.iter_mut().zip([plain, tireless, adapting]) {
            if !net.spikes(population)?.is_empty() {
                fired.push(step);
            }
        }
    }
    let [plain, tireless, adapting] =
        fired.map(|steps| steps.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>());
    assert_eq!(plain, tireless, "without alpha and beta there is no adaptation");
    assert!(plain.windows(2).all(|pair| pair[0] == pair[1]), "{plain:?}");
    assert!(adapting.len() > 5 && adapting.windows(2).take(5).all(|pair| pair[0] < pair[1]), "{adapting:?}");
    assert!(adapting[0] >= plain[0]);
    Ok(())
}

#[test]
fn adaptation_jumps_at_a_spike_and_relaxes_geometrically() -> Result<()> {
    for (scaling, jump) in [(TimeScaling::Upstream, 0.5 * 0.2), (TimeScaling::Consistent, 0.5)] {
        let mut net =
            Neocortex::with(Settings { dt: 0.2, threads: 1, time_scaling: scaling, ..Default::default() })?;
        // Neuron 0 fires once, at the first step; neuron 1 rests 3 mV above v_rest and never fires.
        let aelif = Aelif::default().alpha(vec![0.0, 0.25]).beta(0.5).w_tau(20.0);
        let aelif = aelif.init_v(vec![-40.0, -65.0]).v_reset(-65.0).r(1.0).theta_rh(0.0);
        let exc = net.neurons("exc", 2, (aelif, InjectedCurrent::new(vec![0.0, 3.75])))?;
        for k in 0..50 {
            net.step()?;
            assert_eq!(net.spikes(exc)?.len(), usize::from(k == 0), "step {k}");
            let expected = jump * (1.0 - 0.2 / 20.0_f64).powi(k);
            let omega = net.state(exc, "omega")?[0];
            assert!(near(omega, expected, 1e-5), "step {k}: {omega}, expected {expected}");
        }
        // In balance, v − v_rest = R·(I − omega) and omega = alpha·(v − v_rest): 3 mV and 0.75.
        net.run(2000)?;
        let (v, omega) = (net.state(exc, "v")?[1], net.state(exc, "omega")?[1]);
        assert!(near(v, -62.0, 1e-3) && near(omega, 0.75, 1e-2), "v {v}, omega {omega}");
    }
    Ok(())
}

#[test]
fn only_the_k_largest_fire_and_the_losers_are_reset() -> Result<()> {
    // One step of tau = dt brings v to the current.
    let currents = vec![1.5, 0.9, 3.0, 2.0, 2.0, 1.2];
    let lif = Lif::default().tau(1.0).v_reset(-1.0);
    for (k, winners) in [(1, vec![2]), (2, vec![2, 3]), (3, vec![2, 3, 4]), (5, vec![0, 2, 3, 4, 5])] {
        let mut net = network(1.0)?;
        let exc =
            net.neurons("exc", 6, (lif.clone(), InjectedCurrent::new(currents.clone()), Kwta::new(k)))?;
        net.step()?;
        assert_eq!(net.spikes(exc)?, winners, "k = {k}");
        assert_eq!(net.state(exc, "v")?, [-1.0, 0.9, -1.0, -1.0, -1.0, -1.0], "k = {k}");
    }
    Ok(())
}

#[test]
fn winners_are_taken_in_every_line_along_a_dimension() -> Result<()> {
    let grid = Grid::new(2, 3, 4);
    let mut lcg = Lcg(7);
    let currents: Vec<f64> = (0..24).map(|_| 0.5 + 2.0 * lcg.next()).collect();
    for (along, dimension) in [Dimension::Depth, Dimension::Height, Dimension::Width].into_iter().enumerate()
    {
        let mut net = network(1.0)?;
        let behaviours =
            (Lif::default().tau(1.0), InjectedCurrent::new(currents.clone()), Kwta::new(1).along(dimension));
        let exc = net.neurons("exc", grid, behaviours)?;
        net.step()?;
        let values = Array1::from(currents.clone()).into_shape_with_order((2, 3, 4)).expect("24 values");
        let mut expected = Vec::new();
        for ((d, h, w), &v) in values.indexed_iter() {
            let mut line = values.view();
            for (k, at) in [d, h, w].into_iter().enumerate().filter(|(k, _)| *k != along) {
                line.slice_axis_inplace(Axis(k), (at..at + 1).into());
            }
            if v >= 1.0 && line.iter().all(|&other| other <= v) {
                expected.push(((d * 3 + h) * 4 + w) as u32);
            }
        }
        assert_eq!(net.spikes(exc)?, expected, "{dimension:?}");
    }
    Ok(())
}

#[test]
fn thresholds_move_by_the_activity_of_each_window() -> Result<()> {
    // Neuron 0 fires at every step, neuron 1 never.
    let mut net = network(1.0)?;
    let (rate, window, eta, decay) = (2.0, 10, 0.1, 0.5);
    let homeostasis = ActivityBaseHomeostasis {
        decay_rate: decay as Real,
        ..ActivityBaseHomeostasis::new(rate, window, eta)
    };
    let currents = InjectedCurrent::new(vec![100.0, 0.0]);
    let exc = net.neurons("exc", 2, (Lif::default().tau(1.0), currents, homeostasis))?;
    let (mut busy, mut idle, mut eta) = (1.0, 1.0, f64::from(eta));
    for window_number in 1..=4 {
        net.run(window - 1)?;
        assert!(near(net.state(exc, "threshold")?[0], busy, 1e-5), "within window {window_number}");
        net.step()?;
        busy += 10.0 * eta;
        idle -= 10.0 * f64::from(rate) / (10.0 - f64::from(rate)) * eta;
        eta *= decay;
        let thresholds = net.state(exc, "threshold")?;
        assert!(near(thresholds[0], busy, 1e-5) && near(thresholds[1], idle, 1e-5), "{thresholds:?}");
        assert_eq!(net.state(exc, "activities")?, [0.0, 0.0]);
    }
    Ok(())
}

#[test]
fn a_neuron_that_fires_as_often_as_wanted_keeps_its_threshold() -> Result<()> {
    // v reaches 1 at every fourth step exactly as threshold 1 is: 2.5 spikes are wanted in 10 steps, 25 in 100.
    let mut net = network(1.0)?;
    let homeostasis = ActivityBaseHomeostasis::new(25.0, 100, 0.1);
    let behaviours =
        (Lif::default().tau(1.0), InjectedCurrent::new(2.0), RefractoryPeriod::new(3.0), homeostasis);
    let exc = net.neurons("exc", 1, behaviours)?;
    net.run(500)?;
    assert!(near(net.state(exc, "threshold")?[0], 1.0, 1e-4));
    Ok(())
}

#[test]
fn exhaustion_adds_up_what_is_spent_outside_the_range() -> Result<()> {
    let mut net = network(1.0)?;
    let homeostasis = VoltageBaseHomeostasis::range(-0.2, 0.5).eta_ip(0.1);
    let currents = vec![0.9, 0.1, -1.0];
    let behaviours = (Lif::default().tau(4.0), InjectedCurrent::new(currents.clone()), homeostasis);
    let exc = net.neurons("exc", 3, behaviours)?;
    let (mut v, mut exhaustion) = ([0.0_f64; 3], [0.0_f64; 3]);
    for step in 1..=40 {
        net.step()?;
        for j in 0..3 {
            v[j] += (currents[j] - v[j]) / 4.0;
            exhaustion[j] += 0.1 * ((v[j] - 0.5).max(0.0) + (v[j] + 0.2).min(0.0));
            v[j] -= exhaustion[j];
        }
        let given = net.state(exc, "v")?;
        assert!(
            (0..3).all(|j| (f64::from(given[j]) - v[j]).abs() < 1e-5),
            "step {step}: {given:?}, not {v:?}"
        );
    }
    assert!(exhaustion[0] > 0.0 && exhaustion[1] == 0.0 && exhaustion[2] < 0.0);
    Ok(())
}
