//! `LifCondExp` against its equations, integrated finely in double precision.

use super::*;

/// Neurons that never fire.
fn silent() -> LifCondExp {
    LifCondExp::default().threshold(1e9)
}

/// v, g_exc and g_inh of a neuron with the default parameters, `dt` later, by many steps of Runge and Kutta.
fn later(mut y: [f64; 3], current: f64, dt: f64) -> [f64; 3] {
    let slope = |[v, exc, inh]: [f64; 3]| {
        let flow = 10.0 * (-60.0 - v) + exc * (0.0 - v) + inh * (-80.0 - v) + current;
        [flow / 200.0, -exc / 5.0, -inh / 10.0]
    };
    let along = |y: [f64; 3], k: [f64; 3], h: f64| std::array::from_fn(|n| y[n] + h * k[n]);
    let parts = 200;
    let h = dt / f64::from(parts);
    for _ in 0..parts {
        let a = slope(y);
        let b = slope(along(y, a, 0.5 * h));
        let c = slope(along(y, b, 0.5 * h));
        let d = slope(along(y, c, h));
        y = std::array::from_fn(|n| y[n] + h / 6.0 * (a[n] + 2.0 * b[n] + 2.0 * c[n] + d[n]));
    }
    y
}

#[test]
fn half_the_step_brings_a_quarter_of_the_error() -> Result<()> {
    let worst = |dt: f64| -> Result<f64> {
        let mut net = network(dt)?;
        let neuron = silent().init_v(-75.0).init_g_exc(40.0).init_g_inh(60.0);
        let post = net.neurons("post", 1, (neuron, InjectedCurrent::new(100.0)))?;
        let (mut exact, mut worst) = ([-75.0, 40.0, 60.0], 0.0_f64);
        for _ in 0..30 {
            net.run((1.0 / dt).round() as u64)?;
            exact = later(exact, 100.0, 1.0);
            worst = worst.max((f64::from(net.state(post, "v")?[0]) - exact[0]).abs());
            for (name, g) in [("g_exc", exact[1]), ("g_inh", exact[2])] {
                let given = net.state(post, name)?[0];
                assert!(near(given, g, 1e-4), "{name} {given}, expected {g}");
            }
        }
        Ok(worst)
    };
    let errors = [worst(1.0)?, worst(0.5)?, worst(0.25)?];
    for pair in errors.windows(2) {
        assert!((3.5..4.5).contains(&(pair[0] / pair[1])), "{errors:?} mV off");
    }
    assert!(errors[2] < 0.05, "{errors:?} mV off");
    Ok(())
}

#[test]
fn spikes_open_the_conductance_of_their_sign_and_move_the_membrane_as_the_equations_say() -> Result<()> {
    let dt = 0.1;
    let n = 6;
    let (exc, inh) = (WeightInitializer::uniform(2.0, 12.0), WeightInitializer::uniform(20.0, 90.0));
    let mut wired = Wired::new(dt, n, (silent(), InjectedCurrent::new(50.0)), exc, inh)?;
    let mut exact = vec![[-60.0, 0.0, 0.0]; n];
    let mut lcg = Lcg(17);
    let (mut before, mut moved) = ([false; 2], 0.0_f64);
    for step in 1..=1500 {
        let fire = [lcg.next() < 0.1, lcg.next() < 0.02];
        wired.step(fire)?;
        let v = wired.net.state(wired.post, "v")?;
        let g = [wired.net.state(wired.post, "g_exc")?, wired.net.state(wired.post, "g_inh")?];
        for (j, y) in exact.iter_mut().enumerate() {
            *y = later(*y, 50.0, dt);
            for k in (0..2).filter(|&k| before[k]) {
                y[1 + k] += wired.weights[k][j];
            }
            assert!((f64::from(v[j]) - y[0]).abs() < 0.02, "step {step}, neuron {j}: {}, not {}", v[j], y[0]);
            for k in 0..2 {
                let error = (f64::from(g[k][j]) - y[1 + k]).abs();
                assert!(error < 1e-4 * (1.0 + y[1 + k]), "step {step}, neuron {j}: {}", g[k][j]);
            }
            moved = moved.max((y[0] + 60.0).abs());
        }
        before = fire;
    }
    assert!(moved > 5.0, "a neuron at rest shows nothing: {moved} mV");
    Ok(())
}

#[test]
fn constant_conductances_bring_the_membrane_to_their_weighted_mean() -> Result<()> {
    for (exc, inh, current) in
        [(10.0, 0.0, 0.0), (0.0, 30.0, 0.0), (12.0, 25.0, 200.0), (400.0, 900.0, -500.0)]
    {
        let mut net = network(0.1)?;
        // Conductances that last for good.
        let neuron = silent().tau_syn_exc(1e12).tau_syn_inh(1e12).init_g_exc(exc).init_g_inh(inh);
        let post = net.neurons("post", 1, (neuron, InjectedCurrent::new(current)))?;
        net.run(3000)?;
        let expected = (10.0 * -60.0 + inh * -80.0 + current) / (10.0 + exc + inh);
        let v = f64::from(net.state(post, "v")?[0]);
        assert!((v - expected).abs() < 1e-3, "{exc} and {inh} nS: {v}, expected {expected}");
    }
    Ok(())
}

/// From 10 nS, the leak, to more than any step can follow.
const CONDUCTANCES: [f64; 8] = [10.0, 1e3, 3.9e3, 4.1e3, 1e4, 1e5, 1e7, 1e9];

#[test]
fn no_conductance_carries_the_membrane_beyond_its_reversal_potential() -> Result<()> {
    for dt in [0.1, 1.0, 20.0] {
        let mut net = network(dt)?;
        let (n, g) = (CONDUCTANCES.len(), CONDUCTANCES.to_vec());
        let up = net.neurons("up", n, silent().init_v(-70.0).init_g_exc(g.clone()))?;
        let down = net.neurons("down", n, silent().init_v(-70.0).init_g_inh(g))?;
        for step in 1..=5 {
            net.step()?;
            for (population, low, high) in [(up, -70.0, 1e-4), (down, -80.0001, -60.0)] {
                let v = net.state(population, "v")?;
                let name = net.name_of(population);
                assert!(v.iter().all(|v| (low..=high).contains(v)), "{name}, step {step} of {dt} ms: {v:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn the_membrane_approaches_its_equilibrium_without_swinging_about_it() -> Result<()> {
    for dt in [0.1, 1.0, 20.0] {
        let mut net = network(dt)?;
        let g = CONDUCTANCES.to_vec();
        let lasting = silent().init_v(-78.0).tau_syn_exc(1e12).tau_syn_inh(1e12).init_g_exc(g.clone());
        let post = net.neurons("post", g.len(), lasting.init_g_inh(g.clone()))?;
        let mut last = vec![-78.0 as Real; g.len()];
        for step in 1..=20 {
            net.step()?;
            let v = net.state(post, "v")?;
            for ((&v, &last), g) in v.iter().zip(&last).zip(&g) {
                let end = ((10.0 * -60.0 + g * -80.0) / (10.0 + 2.0 * g)) as Real;
                assert!(
                    (last - 1e-4..=end + 1e-4).contains(&v),
                    "{g} nS, step {step} of {dt} ms: {v} for {end}"
                );
            }
            last = v;
        }
    }
    Ok(())
}

#[test]
fn a_number_for_each_neuron_acts_as_one_number_for_all() -> Result<()> {
    let run = |each: bool| -> Result<Vec<Vec<Real>>> {
        let n = 300;
        let p = |x: f64| if each { Param::from(vec![x; n]) } else { x.into() };
        let mut net = network(0.1)?;
        let neuron = LifCondExp::default().c(p(180.0)).g_leak(p(11.0)).v_rest(p(-62.0)).e_exc(p(1.0));
        let neuron = neuron.e_inh(p(-78.0)).tau_syn_exc(p(4.0)).tau_syn_inh(p(9.0)).v_reset(p(-61.0));
        let neuron = neuron.threshold(p(-52.0)).init_v(p(-55.0)).init_g_exc(p(3.0)).init_g_inh(p(2.0));
        let drive = PoissonDrive::new(p(600.0), p(9.0), 2.0);
        let post = net.neurons("post", n, (neuron, drive, RefractoryPeriod::new(p(1.5))))?;
        let counts = net.count_spikes(post)?;
        net.run(600)?;
        assert!(counts.get().iter().sum::<u32>() > 100, "a silent population shows nothing");
        Ok(vec![net.state(post, "v")?, net.state(post, "g_exc")?, net.state(post, "spikes")?])
    };
    assert!(run(false)? == run(true)?);
    Ok(())
}
