//! `LifPscAlpha` against the solution of its equations.

use super::*;

/// The current that a spike of weight 1 brings, `t` after its arrival.
fn psc(tau_syn: f64, t: f64) -> f64 {
    t / tau_syn * (1.0 - t / tau_syn).exp()
}

/// What it does to the membrane.
fn psp([tau, c, tau_syn]: [f64; 3], t: f64) -> f64 {
    // e^(−t/tau) times the integral of s·e^(−a·s) over s from 0 to t.
    let a = 1.0 / tau_syn - 1.0 / tau;
    let integral = if (a * t).abs() < 0.1 {
        // The closed form cancels. The integrand is almost a line here, which Simpson's rule sums up to 10 digits.
        let (f, h) = (|s: f64| s * (-a * s).exp(), t / 20.0);
        let parts = (0..10).map(|k| 2.0 * f64::from(k) * h);
        let sum: f64 = parts.map(|s| f(s) + 4.0 * f(s + h) + f(s + 2.0 * h)).sum();
        sum * h / 3.0 * (-t / tau).exp()
    } else {
        ((-t / tau).exp() - (1.0 + a * t) * (-t / tau_syn).exp()) / (a * a)
    };
    std::f64::consts::E / (tau_syn * c) * integral
}

/// Neurons that rest at 0 and never fire.
fn silent() -> LifPscAlpha {
    LifPscAlpha::default().v_rest(0.0).init_v(0.0).threshold(1e9)
}

/// Checks `steps` steps of the response to one spike of 80 pA.
///
/// Single precision rounds each constant by up to 6e-8 of it, always the same way: 400 steps, over which two constants
/// multiply up, lose less than 1e-4. What has decayed to 1e-6 counts as nothing.
fn check_one_spike(dt: f64, tau: f64, tau_syn: f64, steps: u32) -> Result<()> {
    let w = WeightInitializer::constant;
    let mut wired = Wired::new(dt, 1, silent().tau(tau).tau_syn(tau_syn), w(80.0), w(100.0))?;
    // The equations with the numbers that the engine has.
    let [tau, tau_syn] = [tau, tau_syn].map(|x| f64::from(x as Real));
    wired.step([true, false])?;
    wired.step([false; 2])?;
    for k in 0..steps {
        let t = f64::from(k) * dt;
        for (name, expected) in [("I_syn", psc(tau_syn, t)), ("v", psp([tau, 250.0, tau_syn], t))] {
            let (given, expected) = (wired.net.state(wired.post, name)?[0], 80.0 * expected);
            assert!(
                near(given, expected, 1e-4),
                "dt {dt}, tau {tau}, tau_syn {tau_syn}: {name} is {given} {t} ms after arrival, not {expected}"
            );
        }
        wired.step([false; 2])?;
    }
    Ok(())
}

#[test]
fn a_spike_moves_the_membrane_as_the_closed_form_says() -> Result<()> {
    for dt in [0.1, 1.0] {
        // Below, above and equal to tau, and next to it, where a difference of both would cancel.
        for tau_syn in [0.5, 2.0, 30.0, 10.0, 9.999_999, 10.000_001] {
            check_one_spike(dt, 10.0, tau_syn, 400)?;
        }
    }
    Ok(())
}

#[test]
fn time_constants_that_lie_far_apart_or_below_dt_stay_exact() -> Result<()> {
    for (tau, tau_syn) in [(0.01, 50.0), (50.0, 0.01), (0.01, 0.01), (0.01, 0.010_1), (1e4, 1.0), (1.0, 1e4)]
    {
        check_one_spike(1.0, tau, tau_syn, 100)?;
    }
    Ok(())
}

#[test]
fn currents_are_highest_tau_syn_after_arrival_and_their_weight_then() -> Result<()> {
    let w = WeightInitializer::constant;
    let mut wired = Wired::new(0.1, 1, silent().tau_syn_inh(5.0), w(80.0), w(300.0))?;
    wired.step([true, true])?;
    let mut courses = [Vec::new(), Vec::new()];
    for _ in 0..200 {
        wired.step([false; 2])?;
        for (course, name) in courses.iter_mut().zip(["I_syn", "I_syn_inh"]) {
            course.push(wired.net.state(wired.post, name)?[0]);
        }
    }
    for (course, at, weight) in [(&courses[0], 20, 80.0), (&courses[1], 50, 300.0)] {
        let peak = (0..course.len()).max_by(|&a, &b| course[a].total_cmp(&course[b]));
        // The top is flat: one step beside it, the current is lower by (dt/tau_syn)²/2 of it, which single precision tells apart.
        assert_eq!(peak, Some(at));
        assert!(near(course[at], weight, 1e-5), "{} pA at the peak, not {weight}", course[at]);
    }
    Ok(())
}

#[test]
fn a_constant_current_charges_the_membrane_by_the_closed_form() -> Result<()> {
    for dt in [0.1, 1.0] {
        let mut net = network(dt)?;
        let (taus, cs, dc) = ([10.0, 20.0, 5.0], [250.0, 100.0, 300.0], [300.0, -40.0, 0.0]);
        let neuron = silent().tau(taus.to_vec()).c(cs.to_vec()).tau_syn_inh(3.0);
        let post = net.neurons("post", 3, (neuron, InjectedCurrent::new(dc.to_vec())))?;
        for step in 1..=300 {
            net.step()?;
            let v = net.state(post, "v")?;
            for j in 0..3 {
                let expected = dc[j] * taus[j] / cs[j] * (1.0 - (-f64::from(step) * dt / taus[j]).exp());
                // It approaches a fixed point, so errors of the last tau/dt steps alone are there, of 6e-8 each.
                assert!(near(v[j], expected, 3e-5), "step {step}, neuron {j}: {}, expected {expected}", v[j]);
            }
        }
    }
    Ok(())
}

#[test]
fn responses_to_all_spikes_and_to_a_current_add_up() -> Result<()> {
    let (dt, steps, dc) = (0.2, 400_usize, 300.0);
    let taus = [10.0, 10.0, 3.0, 40.0];
    let currents = [0.5, 10.0, 5.0, 1.0];
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
                    let arrived = arrivals[k].iter().filter(|&&at| at <= step);
                    let since = arrived.map(|&at| (step - at) as f64 * dt);
                    since.map(|t| wired.weights[k][j] * psp([taus[j], 250.0, tau_syn], t)).sum()
                };
                let charged = dc * taus[j] / 250.0 * (1.0 - (-(step as f64) * dt / taus[j]).exp());
                let (excited, inhibited) =
                    (response(0, currents[j]), response(1, inhibitory.unwrap_or(currents[j])));
                let expected = charged + excited - inhibited;
                // What rounds is each of the parts, which may cancel.
                let off = (f64::from(v[j]) - expected).abs() / (1.0 + charged + excited + inhibited);
                assert!(off < 2e-5, "step {step}, neuron {j}: {} for {expected}", v[j]);
            }
        }
        assert!(arrivals[0].len() > 50 && arrivals[1].len() > 10);
    }
    Ok(())
}

#[test]
fn a_spike_resets_the_membrane_and_leaves_the_currents() -> Result<()> {
    let w = WeightInitializer::constant;
    let neuron = silent().v_reset(-30.0).threshold(vec![10.0, 1e9]);
    let mut wired = Wired::new(0.1, 2, neuron, w(1000.0), w(100.0))?;
    wired.step([true, false])?;
    let (mut fired, mut gap) = (0, 0.0);
    for step in 0..300 {
        wired.step([false; 2])?;
        let (v, i) = (wired.net.state(wired.post, "v")?, wired.net.state(wired.post, "I_syn")?);
        assert_eq!(i[0], i[1], "step {step}");
        if wired.net.spikes(wired.post)? == [0] {
            assert_eq!(v[0], -30.0);
            (fired, gap) = (fired + 1, f64::from(v[1]) + 30.0);
            continue;
        }
        // The equations are linear: what the reset took off decays by itself.
        gap *= (-0.1_f64 / 10.0).exp();
        let given = f64::from(v[1]) - f64::from(v[0]);
        assert!((given - gap).abs() <= 1e-4 * gap, "step {step}: {given}, expected {gap}");
    }
    assert_eq!(fired, 1);
    Ok(())
}

#[test]
fn numbers_for_each_neuron_act_as_those_of_populations_run_one_by_one() -> Result<()> {
    const N: usize = 5;
    let mut lcg = Lcg(8);
    let mut between =
        |low: f64, high: f64| -> Vec<f64> { (0..N).map(|_| low + (high - low) * lcg.next()).collect() };
    let all = [
        between(5.0, 20.0),
        between(100.0, 300.0),
        between(0.3, 4.0),
        between(1.0, 8.0),
        between(-68.0, -62.0),
        between(-72.0, -66.0),
        between(-56.0, -52.0),
    ];
    /// What is compared after each step, of each neuron.
    type Course = Vec<[Real; 4]>;
    let run = |neurons: std::ops::Range<usize>| -> Result<Vec<Course>> {
        let p = |k: usize| match neurons.len() {
            1 => Param::from(all[k][neurons.start]),
            _ => all[k][neurons.clone()].to_vec().into(),
        };
        let neuron = LifPscAlpha::default().tau(p(0)).c(p(1)).tau_syn(p(2)).tau_syn_inh(p(3));
        let neuron = neuron.v_rest(p(4)).init_v(p(4)).v_reset(p(5)).threshold(p(6));
        let w = WeightInitializer::constant;
        let mut wired = Wired::new(0.1, neurons.len(), neuron, w(400.0), w(150.0))?;
        let mut lcg = Lcg(29);
        let mut courses = vec![Vec::new(); neurons.len()];
        for _ in 0..2000 {
            wired.step([lcg.next() < 0.1, lcg.next() < 0.04])?;
            let state = |name| wired.net.state(wired.post, name);
            let states = [state("v")?, state("I_syn")?, state("I_syn_inh")?, state("spikes")?];
            for (j, course) in courses.iter_mut().enumerate() {
                course.push([&states[0], &states[1], &states[2], &states[3]].map(|state| state[j]));
            }
        }
        Ok(courses)
    };
    for (j, course) in run(0..N)?.into_iter().enumerate() {
        let fired = course.iter().filter(|[.., fired]| *fired != 0.0).count();
        assert!(fired > 5, "neuron {j} fired {fired} times, which shows little");
        assert!(course == run(j..j + 1)?[0], "neuron {j}");
    }
    Ok(())
}
