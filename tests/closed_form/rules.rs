//! Nearest spikes, inhibitory plasticity, triplets, and rules that change on the way.

use super::*;
use conex::systems::weights::Frozen;

#[test]
fn a_trace_of_nearest_spikes_forgets_all_but_the_last() -> Result<()> {
    let mut net = network(0.5)?;
    let (pre, post) = (input(&mut net, "pre", 2)?, input(&mut net, "post", 1)?);
    let traces = (PreTrace::new(10.0).spike_scale(3.0).nearest(), PostTrace::new(20.0));
    let behaviours = (Dense, WeightInitializer::zeros(), Proximal, Stdp::new(0.01, 0.0), traces);
    let projection = net.synapses(pre, post, behaviours)?;
    let (mut since, mut spikes) = (i32::MAX, 0);
    let mut lcg = Lcg(6);
    for step in 1..=200 {
        let fires = lcg.next() < 0.3;
        since = if fires { 0 } else { since.saturating_add(1) };
        spikes += i32::from(fires);
        net.set_input(pre, if fires { &[1] } else { &[] })?;
        net.step()?;
        let x = net.state(projection, "pre_trace")?;
        let expected = if spikes == 0 { 0.0 } else { 3.0 * 0.95_f64.powi(since.saturating_add(1)) };
        assert!(near(x[1], expected, 1e-5), "step {step}: {}, expected {expected}", x[1]);
        assert_eq!(x[0], 0.0);
    }
    assert!(spikes > 40);
    Ok(())
}

#[test]
fn nearest_pairing_counts_the_last_spike_of_the_other_side_only() -> Result<()> {
    let change = |nearest: bool| -> Result<f64> {
        let mut net = network(1.0)?;
        let (pre, post) = (input(&mut net, "pre", 1)?, input(&mut net, "post", 1)?);
        let (x, y) = (PreTrace::new(8.0), PostTrace::new(14.0));
        let traces = if nearest { (x.nearest(), y.nearest()) } else { (x, y) };
        let behaviours =
            (One2One, WeightInitializer::constant(0.5), Proximal, Stdp::new(0.02, 0.015), traces);
        let projection = net.synapses(pre, post, behaviours)?;
        for step in 1..=30 {
            net.set_input(pre, if [5, 8, 12].contains(&step) { &[0] } else { &[] })?;
            net.set_input(post, if [1, 3, 15].contains(&step) { &[0] } else { &[] })?;
            net.step()?;
        }
        Ok(f64::from(net.weights(projection)?.sum()) - 0.5)
    };
    let sum =
        |tau: f64, lags: &[i32]| -> f64 { lags.iter().map(|lag| (1.0 - 1.0 / tau).powi(lag + 1)).sum() };
    // Post at 15 meets the source's spike of 12; the source's of 5, 8 and 12 meet the target's of 3.
    let nearest = 0.02 * sum(8.0, &[3]) - 0.015 * sum(14.0, &[2, 5, 9]);
    let all = 0.02 * sum(8.0, &[3, 7, 10]) - 0.015 * sum(14.0, &[2, 5, 9, 4, 7, 11]);
    assert!((change(true)? - nearest).abs() < 1e-7);
    assert!((change(false)? - all).abs() < 1e-7);
    Ok(())
}

/// The change of the weights of a projection with one pair of neurons, by spikes at these steps.
fn change(kind: impl Bundle, rule: impl Bundle, pre_steps: &[usize], post_steps: &[usize]) -> Result<f64> {
    let mut net = network(1.0)?;
    let (pre, post) = (input(&mut net, "pre", 1)?, input(&mut net, "post", 1)?);
    let traces = (PreTrace::new(16.8), PostTrace::new(33.7));
    let projection =
        net.synapses(pre, post, (kind, WeightInitializer::constant(0.5), Proximal, rule, traces))?;
    for step in 1..=200 {
        net.set_input(pre, if pre_steps.contains(&step) { &[0] } else { &[] })?;
        net.set_input(post, if post_steps.contains(&step) { &[0] } else { &[] })?;
        net.step()?;
    }
    Ok(f64::from(net.weights(projection)?.sum()) - 0.5)
}

#[test]
fn triplets_change_the_weight_of_every_kind_by_their_closed_form() -> Result<()> {
    let rule = TripletStdp::default().a2_plus(0.01).a3_plus(0.02).a2_minus(0.004).a3_minus(0.03);
    let left = |tau: f64, steps: i32| (1.0 - 1.0 / tau).powi(steps);
    // Source at 10 and 40, target at 22 and 47.
    let pair = |tau, lag| left(tau, lag + 1);
    let potentiation =
        pair(16.8, 12) * 0.01 + (pair(16.8, 37) + pair(16.8, 7)) * (0.01 + 0.02 * left(125.0, 25));
    let depression = pair(33.7, 18) * (0.004 + 0.03 * left(101.0, 30));
    let expected = potentiation - depression;
    let (pre, post) = (&[10, 40], &[22, 47]);
    for (kind, given) in [
        ("Dense", change(Dense, rule, pre, post)?),
        ("Sparse", change(Sparse, rule, pre, post)?),
        ("One2One", change(One2One, rule, pre, post)?),
        ("Conv2d", change(Conv2d::new(1, 1), rule, pre, post)?),
    ] {
        assert!((given - expected).abs() < 1e-6, "{kind}: {given}, expected {expected}");
    }
    Ok(())
}

#[test]
fn a_reward_gates_triplets_too() -> Result<()> {
    let rule = TripletStdp::hippocampus();
    let mut net = network(1.0)?;
    let (pre, post) = (input(&mut net, "pre", 1)?, input(&mut net, "post", 1)?);
    net.set_dopamine(Dopamine::new(5.0));
    let rules = (RewardModulated::new(rule, 1e9), PreTrace::new(16.8), PostTrace::new(33.7));
    let projection = net.synapses(pre, post, (Dense, WeightInitializer::constant(0.5), Proximal, rules))?;
    for step in 1..=200 {
        net.set_input(pre, if [10, 40].contains(&step) { &[0] } else { &[] })?;
        net.set_input(post, if [22, 47].contains(&step) { &[0] } else { &[] })?;
        net.step()?;
    }
    let expected = change(Dense, rule, &[10, 40], &[22, 47])?;
    assert!(near(net.state(projection, "c")?[0], expected, 1e-4));
    assert_eq!(net.weights(projection)?.sum(), 0.5);
    Ok(())
}

#[test]
fn inhibitory_plasticity_keeps_neurons_at_their_target_whatever_drives_them() -> Result<()> {
    let rho = 8.0;
    let mut net = network(1.0)?;
    let interneurons = net.neurons("inh", 40, (InputSpikes::default(), NeuronAxon::default(), Inhibitory))?;
    // Alone, these fire at 68 to 167 spikes/s.
    let drive: Vec<Real> = (0..10).map(|j| 1.3 + 0.1 * j as Real).collect();
    let neuron = (Lif::default(), InjectedCurrent::new(drive), SimpleDendriteStructure::default());
    let post = net.neurons("post", 10, (neuron, NeuronAxon::default()))?;
    let rule =
        (Istdp::rho(rho).lr(0.01), PreTrace::new(20.0), PostTrace::new(20.0), WeightClip::new(0.0, 10.0));
    let projection = net.synapses(interneurons, post, (Dense, WeightInitializer::zeros(), Proximal, rule))?;
    let counts = net.count_spikes(post)?;
    let mut lcg = Lcg(12);
    let mut run = |net: &mut Neocortex, steps: u32| -> Result<()> {
        for _ in 0..steps {
            net.set_input(interneurons, &lcg.some_of(40, 0.02))?;
            net.step()?;
        }
        Ok(())
    };
    run(&mut net, 500)?;
    assert!(counts.take().iter().all(|&n| n > 15), "inhibition is there from the start");
    run(&mut net, 20_000)?;
    counts.take();
    run(&mut net, 20_000)?;
    // The traces that the rule sees have decayed by a step: see the docs of `Istdp`.
    let kept = f64::from(rho) * 20.0 / 19.0;
    for (j, n) in counts.get().into_iter().enumerate() {
        let rate = f64::from(n) / 20.0;
        assert!((rate / kept - 1.0).abs() < 0.15, "neuron {j}: {rate} spikes/s, expected {kept}");
    }
    // What drives a neuron more is inhibited more.
    let weights = net.weights(projection)?.sum_axis(ndarray::Axis(0));
    assert!(weights[9] > 1.5 * weights[0], "{weights}");
    Ok(())
}

#[test]
fn a_rule_that_is_changed_for_the_worse_is_refused_and_changes_no_weight() -> Result<()> {
    let mut net = network(1.0)?;
    let (pre, post) = (input(&mut net, "pre", 2)?, input(&mut net, "post", 2)?);
    let rule = (Stdp::default(), PreTrace::new(8.0), PostTrace::new(14.0));
    let projection = net.synapses(pre, post, (Dense, WeightInitializer::constant(0.5), Proximal, rule))?;
    net.run(3)?;
    let set = |net: &mut Neocortex, a_plus: Real| {
        if let Some(mut rule) = net.world_mut().get_mut::<Stdp>(projection) {
            rule.a_plus = a_plus;
        }
    };
    set(&mut net, Real::NAN);
    for _ in 0..2 {
        net.set_input(pre, &[0, 1])?;
        net.set_input(post, &[0, 1])?;
        let error = net.step().unwrap_err().to_string();
        assert_eq!(error, "`pre -> post`: Stdp got NaN for `a_plus`: it must be a finite number");
        assert!(net.weights(projection)?.iter().all(|w| *w == 0.5));
    }
    set(&mut net, 0.1);
    net.set_input(post, &[0, 1])?;
    net.step()?;
    assert!(net.weights(projection)?.iter().all(|w| *w > 0.5));
    Ok(())
}

#[test]
fn slow_traces_follow_a_rule_that_takes_another_ones_place() -> Result<()> {
    let rule = |tau_y| TripletStdp::visual_cortex_minimal().tau_y(tau_y);
    let run = |tau_y: Real, later: Option<Real>| -> Result<f64> {
        let mut net = network(1.0)?;
        let (pre, post) = (input(&mut net, "pre", 1)?, input(&mut net, "post", 1)?);
        let traces = (PreTrace::new(16.8), PostTrace::new(33.7));
        let behaviours = (Dense, WeightInitializer::constant(0.5), Proximal, rule(tau_y), traces);
        let projection = net.synapses(pre, post, behaviours)?;
        net.build()?;
        if let Some(tau_y) = later {
            net.world_mut().entity_mut(projection).insert(rule(tau_y));
        }
        for step in 1..=60 {
            net.set_input(pre, if step == 30 { &[0] } else { &[] })?;
            net.set_input(post, if [10, 35].contains(&step) { &[0] } else { &[] })?;
            net.step()?;
        }
        Ok(f64::from(net.weights(projection)?.sum()))
    };
    assert_eq!(run(114.0, Some(30.0))?, run(30.0, None)?);
    assert_ne!(run(114.0, None)?, run(30.0, None)?);
    Ok(())
}

#[test]
fn a_rule_that_joins_a_running_network_gets_all_that_it_needs() -> Result<()> {
    let mut net = network(1.0)?;
    let (pre, post) = (input(&mut net, "pre", 1)?, input(&mut net, "post", 1)?);
    net.set_dopamine(Dopamine::new(5.0).initial(1.0));
    let rule = (Stdp::default(), PreTrace::new(16.8), PostTrace::new(33.7), Frozen);
    let projection = net.synapses(pre, post, (Dense, WeightInitializer::constant(0.5), Proximal, rule))?;
    net.run(5)?;
    net.remove::<Stdp>(projection)?;
    net.remove::<Frozen>(projection)?;
    net.add(projection, RewardModulated::new(TripletStdp::hippocampus(), 50.0))?;
    net.set_input(pre, &[0])?;
    net.step()?;
    net.set_input(post, &[0])?;
    net.step()?;
    assert_eq!(net.state(projection, "c")?.len(), 1);
    assert!(net.weights(projection)?.sum() > 0.5);
    Ok(())
}

#[test]
fn rules_without_what_they_need_are_refused_in_words() -> Result<()> {
    let refused = |rule: Istdp, tau_post: Real| -> Result<String> {
        let mut net = network(1.0)?;
        let (pre, post) = (input(&mut net, "pre", 1)?, input(&mut net, "post", 1)?);
        let rule = (rule, PreTrace::new(20.0), PostTrace::new(tau_post));
        net.synapses(pre, post, (Dense, WeightInitializer::ones(), Proximal, rule))?;
        Ok(net.build().unwrap_err().to_string())
    };
    assert!(refused(Istdp::default(), 20.0)?.contains("neither `rho` nor `alpha`: add `Istdp::rho(5.0)`"));
    assert!(refused(Istdp::alpha(0.2), 10.0)?.contains("it must be 20, as PreTrace has it"));
    let mut net = network(1.0)?;
    let (pre, post) = (input(&mut net, "pre", 1)?, input(&mut net, "post", 1)?);
    let rule = (TripletStdp::default().tau_y(0.5), PreTrace::new(20.0), PostTrace::new(20.0));
    net.synapses(pre, post, (Dense, WeightInitializer::ones(), Proximal, rule))?;
    let error = net.build().unwrap_err().to_string();
    assert!(error.contains("slow post-synaptic trace") && error.contains("at least dt"), "{error}");
    let error = net.record_network("dopamin", 1).unwrap_err().to_string();
    assert!(error.contains("at least dt"), "{error}");

    let mut net = network(1.0)?;
    let error = net.record_network("dopamin", 1).unwrap_err().to_string();
    assert_eq!(error, "there is no variable of the network named `dopamin`: did you mean `dopamine`?");
    assert_eq!(net.record_dopamine(1).unwrap_err().to_string(), "`the network` has no dopamine");
    assert!(net.record_network("payoff", 0).is_err());
    Ok(())
}
