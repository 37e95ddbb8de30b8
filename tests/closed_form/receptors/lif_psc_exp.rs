//! `LifPscExp` against the solution of its equations.

use super::*;

/// The response of the membrane to a current of 1 that decays with `tau_syn`, `t` after its begin.
fn psp([tau, c, tau_syn]: [f64; 3], t: f64) -> f64 {
    if tau == tau_syn {
        return t / c * (-t / tau).exp();
    }
    tau * tau_syn / (c * (tau_syn - tau)) * ((-t / tau_syn).exp() - (-t / tau).exp())
}

/// Neurons that rest at 0 and never fire.
fn silent() -> LifPscExp {
    LifPscExp::default().v_rest(0.0).init_v(0.0).threshold(1e9)
}

#[test]
fn a_spike_moves_the_membrane_as_the_closed_form_says() -> Result<()> {
    let w = WeightInitializer::constant;
    for (dt, tau_syn) in [(0.1, 0.5), (1.0, 0.5), (0.1, 9.99), (0.1, 10.0), (0.25, 30.0)] {
        let mut wired = Wired::new(dt, 1, silent().tau_syn(tau_syn), w(87.81), w(100.0))?;
        wired.step([true, false])?;
        wired.step([false; 2])?;
        for k in 0..400 {
            let t = f64::from(k) * dt;
            let i = wired.net.state(wired.post, "I_syn")?[0];
            assert!(near(i, 87.81 * (-t / tau_syn).exp(), 1e-4), "I {t} ms after arrival: {i}");
            let expected = 87.81 * psp([10.0, 250.0, tau_syn], t);
            let v = wired.net.state(wired.post, "v")?[0];
            assert!(near(v, expected, 1e-4), "v {t} ms after arrival: {v}, expected {expected}");
            wired.step([false; 2])?;
        }
    }
    Ok(())
}

#[test]
fn the_default_weight_of_the_microcircuit_brings_its_published_amplitude() -> Result<()> {
    // Potjans & Diesmann (2014): 87.81 pA bring a peak of 0.15 mV.
    let w = WeightInitializer::constant;
    let mut wired = Wired::new(0.01, 1, silent(), w(87.81), w(100.0))?;
    wired.step([true, false])?;
    let mut course = Vec::new();
    for _ in 0..1000 {
        wired.step([false; 2])?;
        course.push(wired.net.state(wired.post, "v")?[0]);
    }
    let peak = (0..course.len()).max_by(|&a, &b| course[a].total_cmp(&course[b])).unwrap_or(0);
    let (tau, tau_syn) = (10.0_f64, 0.5);
    let at = tau * tau_syn / (tau - tau_syn) * (tau / tau_syn).ln();
    assert!((peak as f64 * 0.01 - at).abs() <= 0.01, "at {} ms, not {at}", peak as f64 * 0.01);
    assert!(near(course[peak], 0.15, 1e-3), "{} mV", course[peak]);
    Ok(())
}

#[test]
fn responses_to_all_spikes_and_to_a_current_add_up() -> Result<()> {
    let (dt, steps, dc) = (0.2, 400_usize, 300.0);
    let taus = [10.0, 10.0, 3.0, 40.0];
    let currents = [0.5, 2.0, 5.0, 1.0];
    for inhibitory in [None, Some(8.0)] {
        let mut neuron = silent().tau(taus.to_vec()).tau_syn(currents.to_vec());
        if let Some(tau) = inhibitory {
            neuron = neuron.tau_syn_inh(tau);
        }
        let (exc, inh) = (WeightInitializer::uniform(50.0, 90.0), WeightInitializer::uniform(100.0, 300.0));
        let mut wired = Wired::new(dt, 4, (neuron, InjectedCurrent::new(dc)), exc, inh)?;
        let mut lcg = Lcg(3);
        let mut arrivals = [Vec::new(), Vec::new()];
        for step in 1..=steps {
            let fire = [lcg.next() < 0.2, lcg.next() < 0.05];
            wired.step(fire)?;
            for (arrivals, _) in arrivals.iter_mut().zip(fire).filter(|(_, fires)| *fires) {
                arrivals.push(step + 1);
            }
            let v = wired.net.state(wired.post, "v")?;
            for j in 0..4 {
                let response = |k: usize, tau_syn: f64| -> f64 {
                    let since =
                        arrivals[k].iter().filter(|&&at| at <= step).map(|&at| (step - at) as f64 * dt);
                    since.map(|t| wired.weights[k][j] * psp([taus[j], 250.0, tau_syn], t)).sum()
                };
                let charged = dc * taus[j] / 250.0 * (1.0 - (-(step as f64) * dt / taus[j]).exp());
                let expected =
                    charged + response(0, currents[j]) - response(1, inhibitory.unwrap_or(currents[j]));
                let error = (f64::from(v[j]) - expected).abs();
                assert!(
                    error < 2e-5 * (1.0 + expected.abs()),
                    "step {step}, neuron {j}: {} for {expected}",
                    v[j]
                );
            }
        }
        assert!(arrivals[0].len() > 50 && arrivals[1].len() > 10);
    }
    Ok(())
}

#[test]
fn a_constant_current_brings_the_membrane_to_its_steady_state() -> Result<()> {
    let mut net = network(0.1)?;
    let (tau, c, dc) = (vec![10.0, 20.0, 5.0], vec![250.0, 100.0, 300.0], vec![300.0, -40.0, 0.0]);
    let neuron = LifPscExp::default().tau(tau.clone()).c(c.clone()).threshold(1e9);
    let post = net.neurons("post", 3, (neuron, InjectedCurrent::new(dc.clone())))?;
    net.run(3000)?;
    let v = net.state(post, "v")?;
    for j in 0..3 {
        let expected = -65.0 + tau[j] / c[j] * dc[j];
        assert!((f64::from(v[j]) - expected).abs() < 1e-3, "neuron {j}: {}, expected {expected}", v[j]);
    }
    Ok(())
}

#[test]
fn a_constant_current_brings_the_rate_that_the_closed_form_says() -> Result<()> {
    let currents = [380.0, 450.0, 600.0, 1000.0, 3000.0];
    let dt = 0.1;
    for two in [false, true] {
        for rest in [0.0, 2.0] {
            let mut net = network(dt)?;
            let neuron = LifPscExp::default().v_reset(-70.0);
            let neuron = if two { neuron.tau_syn_inh(5.0) } else { neuron };
            let drive = InjectedCurrent::new(currents.to_vec());
            let post = net.neurons("post", 5, (neuron, drive, RefractoryPeriod::new(rest)))?;
            let mut fired = vec![Vec::new(); 5];
            for step in 1..=4000_u32 {
                net.step()?;
                net.spikes(post)?.iter().for_each(|&j| fired[j as usize].push(step));
            }
            for (fired, current) in fired.iter().zip(currents) {
                let end = -65.0 + 10.0 / 250.0 * current;
                let expected = rest + 10.0 * f64::ln((end + 70.0) / (end + 50.0));
                // The first step at or behind the crossing.
                let intervals: Vec<f64> = fired.windows(2).map(|s| f64::from(s[1] - s[0]) * dt).collect();
                assert!(intervals.len() > 3, "{current} pA: fired at {fired:?}");
                for interval in intervals {
                    let late = interval - expected;
                    assert!(
                        (-1e-3..dt + 1e-3).contains(&late),
                        "{current} pA: {interval} ms, not {expected}"
                    );
                }
            }
        }
    }
    Ok(())
}

const N: usize = 12;

/// The equations of N neurons in double precision, integrated in small steps by the classical method of Runge and Kutta.
struct Twin {
    /// `tau`, `c`, `tau_syn`, `tau_syn_inh`, `v_rest`, `v_reset`, `threshold`, steps of rest.
    parameters: [[f64; N]; 8],
    v: [f64; N],
    i: [[f64; N]; 2],
    left: [f64; N],
    /// How near any potential has come to its threshold.
    margin: f64,
}

impl Twin {
    fn step(&mut self, dt: f64, dc: f64, arriving: impl Fn(usize, usize) -> f64) -> Vec<u32> {
        const PARTS: usize = 10;
        let mut fired = Vec::new();
        for j in 0..N {
            let [tau, c, tau_exc, tau_inh, v_rest, v_reset, threshold, rest] = self.parameters.map(|p| p[j]);
            let slope = |[v, exc, inh]: [f64; 3]| {
                [(v_rest - v) / tau + (exc - inh + dc) / c, -exc / tau_exc, -inh / tau_inh]
            };
            let mut y = [self.v[j], self.i[0][j], self.i[1][j]];
            let h = dt / PARTS as f64;
            let along = |y: [f64; 3], k: [f64; 3], h: f64| std::array::from_fn(|n| y[n] + h * k[n]);
            for _ in 0..PARTS {
                let a = slope(y);
                let b = slope(along(y, a, 0.5 * h));
                let c = slope(along(y, b, 0.5 * h));
                let d = slope(along(y, c, h));
                y = std::array::from_fn(|n| y[n] + h / 6.0 * (a[n] + 2.0 * b[n] + 2.0 * c[n] + d[n]));
            }
            let [mut v, exc, inh] = y;
            (self.i[0][j], self.i[1][j]) = (exc + arriving(0, j), inh + arriving(1, j));
            if self.left[j] > 0.0 {
                self.left[j] -= 1.0;
                v = v_reset;
            } else {
                self.margin = self.margin.min((v - threshold).abs());
            }
            if v >= threshold {
                fired.push(j as u32);
                (v, self.left[j]) = (v_reset, rest);
            }
            self.v[j] = v;
        }
        fired
    }
}

#[test]
fn spiking_neurons_of_many_kinds_follow_the_equations_integrated_finely() -> Result<()> {
    let (dt, dc) = (0.1, 100.0);
    let mut lcg = Lcg(11);
    let mut between = |low: f64, high: f64| std::array::from_fn(|_| low + (high - low) * lcg.next());
    let mut parameters = [
        between(5.0, 20.0),
        between(100.0, 300.0),
        between(0.3, 4.0),
        between(1.0, 8.0),
        between(-68.0, -62.0),
        between(-72.0, -66.0),
        between(-52.0, -48.0),
        between(0.0, 30.0),
    ];
    parameters[7] = parameters[7].map(f64::round);
    let list = |k: usize| parameters[k].to_vec();
    for two in [false, true] {
        let neuron = LifPscExp::default().tau(list(0)).c(list(1)).tau_syn(list(2)).v_rest(list(4));
        let neuron = neuron.v_reset(list(5)).threshold(list(6)).init_v(list(5));
        let neuron = if two { neuron.tau_syn_inh(list(3)) } else { neuron };
        let rest = RefractoryPeriod::new(list(7).into_iter().map(|steps| steps * dt).collect::<Vec<f64>>());
        let (exc, inh) = (WeightInitializer::uniform(200.0, 900.0), WeightInitializer::uniform(100.0, 400.0));
        let mut wired = Wired::new(dt, N, (neuron, rest, InjectedCurrent::new(dc)), exc, inh)?;
        let mut own = parameters;
        if !two {
            own[3] = own[2];
        }
        let mut twin =
            Twin { parameters: own, v: own[5], i: [[0.0; N]; 2], left: [0.0; N], margin: f64::INFINITY };
        let mut lcg = Lcg(29);
        let (mut before, mut spikes) = ([false; 2], 0);
        for step in 1..=3000 {
            let fire = [lcg.next() < 0.12, lcg.next() < 0.04];
            wired.step(fire)?;
            let weights = &wired.weights;
            let fired = twin.step(dt, dc, |k, j| if before[k] { weights[k][j] } else { 0.0 });
            let margin = twin.margin;
            assert_eq!(wired.net.spikes(wired.post)?, fired, "step {step}, margin {margin:e}");
            spikes += fired.len();
            let v = wired.net.state(wired.post, "v")?;
            let error = |v: Real, t: f64| (f64::from(v) - t).abs() / t.abs().max(10.0);
            let worst = v.iter().zip(twin.v).map(|(v, t)| error(*v, t)).fold(0.0, f64::max);
            // Single precision rounds by 6e-8 at each of several operations, and 20 ms add up 200 steps.
            let tolerance = if size_of::<Real>() == 8 { 1e-7 } else { 3e-5 };
            assert!(worst < tolerance, "step {step}: {worst:e} off, relative to {v:?}");
            before = fire;
        }
        assert!(spikes > 200, "only {spikes} spikes");
    }
    Ok(())
}

#[test]
fn a_number_for_each_neuron_acts_as_one_number_for_all() -> Result<()> {
    let run = |each: bool| -> Result<Vec<Vec<Real>>> {
        let n = 300;
        let p = |x: f64| if each { Param::from(vec![x; n]) } else { x.into() };
        let mut net = network(0.1)?;
        let neuron = LifPscExp::default().tau(p(12.0)).c(p(200.0)).tau_syn(p(0.7)).tau_syn_inh(p(3.0));
        let neuron = neuron.v_rest(p(-64.0)).v_reset(p(-66.0)).threshold(p(-51.0)).init_v(p(-60.0));
        let drive = PoissonDrive::new(p(1500.0), p(9.0), 80.0);
        let post = net.neurons("post", n, (neuron, drive, RefractoryPeriod::new(p(1.5))))?;
        let counts = net.count_spikes(post)?;
        net.run(600)?;
        assert!(counts.get().iter().sum::<u32>() > 100, "a silent population shows nothing");
        Ok(vec![net.state(post, "v")?, net.state(post, "I_syn")?, net.state(post, "spikes")?])
    };
    assert!(run(false)? == run(true)?);
    Ok(())
}
