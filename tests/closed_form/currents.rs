//! From spikes to currents: delays, signs, compartments, convolutions, time scaling.

use super::*;
use ndarray::Array4;

#[test]
fn spikes_arrive_after_their_delay() -> Result<()> {
    let n = 16;
    let source: Vec<i64> = (0..16).map(|i| i % 4).collect();
    let destination: Vec<i64> = (0..16).map(|i| i / 4).collect();
    for (compartment, current) in [(Proximal, "I_proximal"), (Distal, "I_distal"), (Apical, "I_apical")] {
        let mut net = network(1.0)?;
        let pre = net.neurons("pre", n, (InputSpikes::default(), NeuronAxon::new(4)))?;
        let post = net.neurons("post", n, (Lif::default(), SimpleDendriteStructure::new(4)))?;
        let delays = DelayInitializer::default()
            .source_delays(Delays::Given(source.clone()))
            .destination_delays(Delays::Given(destination.clone()));
        net.synapses(pre, post, (One2One, WeightInitializer::ones(), compartment, delays))?;
        net.run(3)?;
        let all: Vec<u32> = (0..n as u32).collect();
        net.set_input(pre, &all)?;
        for after in 0..12 {
            net.step()?;
            let given = net.state(post, current)?;
            let expected: Vec<Real> =
                (0..n).map(|i| if 1 + source[i] + destination[i] == after { 1.0 } else { 0.0 }).collect();
            assert_eq!(given, expected, "{compartment:?}, {after} steps after the spikes");
        }
    }
    Ok(())
}

#[test]
fn without_delays_a_spike_is_a_current_at_the_next_step() -> Result<()> {
    let mut net = network(1.0)?;
    let pre = net.neurons("pre", 1, (InputSpikes::default(), NeuronAxon::default()))?;
    let lif = Lif::default().tau(1.0);
    let post = net.neurons("post", 1, (lif, SimpleDendriteStructure::default()))?;
    net.synapses(pre, post, (Dense, WeightInitializer::constant(2.0), Proximal))?;
    net.set_input(pre, &[0])?;
    net.step()?;
    assert_eq!((net.spikes(pre)?, net.spikes(post)?), (&[0][..], &[][..]));
    net.step()?;
    assert_eq!((net.spikes(pre)?, net.spikes(post)?), (&[][..], &[0][..]));
    net.step()?;
    assert!(net.spikes(post)?.is_empty());
    Ok(())
}

#[test]
fn currents_have_the_sign_of_their_source_and_their_own_gain() -> Result<()> {
    let mut net = network(1.0)?;
    let exc = net.neurons("exc", 2, (InputSpikes::default(), NeuronAxon::default()))?;
    let inh = net.neurons("inh", 2, (InputSpikes::default(), NeuronAxon::default(), Inhibitory))?;
    let post = net.neurons("post", 2, (Lif::default(), SimpleDendriteStructure::default()))?;
    let weights = || WeightInitializer::matrix(ndarray::array![[0.5, 1.0], [0.25, 3.0]]);
    let plain = net.synapses(exc, post, (Dense, weights(), Proximal))?;
    let gained = net.synapses(inh, post, (Dense, weights(), Proximal, CurrentCoef(2.0)))?;
    let normed = net.synapses(inh, post, (Dense, weights(), Proximal, CurrentNormalization::new(6.0)))?;
    net.set_input(exc, &[0, 1])?;
    net.set_input(inh, &[1])?;
    net.run(2)?;
    assert_eq!(net.state(plain, "I")?, [0.75, 4.0]);
    assert_eq!(net.state(gained, "I")?, [-0.5, -6.0]);
    // 6/(0.5 + 0.25) = 8 and 6/(1 + 3) = 1.5.
    assert_eq!(net.state(normed, "I")?, [-2.0, -4.5]);
    assert_eq!(net.state(post, "I")?, [0.75 - 0.5 - 2.0, 4.0 - 6.0 - 4.5]);
    net.step()?;
    assert_eq!(net.state(post, "I")?, [0.0, 0.0]);
    Ok(())
}

#[test]
fn an_electrode_joins_the_proximal_current() -> Result<()> {
    let mut net = network(1.0)?;
    let pre = net.neurons("pre", 1, (InputSpikes::default(), NeuronAxon::default()))?;
    let behaviours =
        (Lif::default(), SimpleDendriteStructure::default(), InjectedCurrent::new(vec![0.5, -0.25]));
    let post = net.neurons("post", 2, behaviours)?;
    net.synapses(pre, post, (Dense, WeightInitializer::ones(), Proximal))?;
    net.set_input(pre, &[0])?;
    net.step()?;
    assert_eq!(net.state(post, "I")?, [0.5, -0.25]);
    net.step()?;
    assert_eq!(net.state(post, "I")?, [1.5, 0.75]);
    net.step()?;
    assert_eq!(net.state(post, "I")?, [0.5, -0.25]);
    Ok(())
}

#[test]
fn distal_or_apical_input_primes_a_neuron_up_to_its_limit_and_never_fires_it() -> Result<()> {
    let (v_rest, threshold, p) = (-65.0, -50.0, 0.8);
    let limit = (v_rest + p * (threshold - v_rest)) as Real;
    for compartment in [Distal, Apical] {
        let mut net = network(1.0)?;
        let pre = net.neurons("pre", 1, (InputSpikes::default(), NeuronAxon::default()))?;
        let computation = SimpleDendriteComputation::default()
            .distal_provocativeness(p as Real)
            .apical_provocativeness(p as Real);
        let lif = Lif::default().v_rest(v_rest).init_v(v_rest).threshold(threshold).r(3.0).tau(12.0);
        let post = net.neurons("post", 1, (lif, SimpleDendriteStructure::default(), computation))?;
        net.synapses(pre, post, (Dense, WeightInitializer::constant(1.0), compartment))?;
        // One weak input: I = tau·tanh(1)·(limit − v)/R, and v moves by R·I·dt/tau.
        net.set_input(pre, &[0])?;
        net.run(2)?;
        let expected = v_rest + 1.0_f64.tanh() * p * (threshold - v_rest);
        let v = net.state(post, "v")?[0];
        assert!(near(v, expected, 1e-5), "{compartment:?}: {v}, expected {expected}");

        // The strongest input of all, for long.
        net.synapses(pre, post, (Dense, WeightInitializer::constant(1e4), compartment))?;
        let mut highest = v;
        for _ in 0..100 {
            net.set_input(pre, &[0])?;
            net.step()?;
            assert!(net.spikes(post)?.is_empty());
            highest = highest.max(net.state(post, "v")?[0]);
        }
        assert!(
            highest <= limit + 1e-3 && highest > limit - 1.0,
            "{compartment:?}: {highest}, limit {limit}"
        );
    }
    Ok(())
}

#[test]
fn a_neuron_at_or_above_its_threshold_is_not_primed() -> Result<()> {
    // With p = 2 the limit is 2, above the threshold of 1. One neuron stands below it, one at it, one between.
    for compartment in [Distal, Apical] {
        let mut net = network(1.0)?;
        let pre = net.neurons("pre", 1, (InputSpikes::default(), NeuronAxon::default()))?;
        let computation = SimpleDendriteComputation::default()
            .distal_provocativeness(2.0 as Real)
            .apical_provocativeness(2.0 as Real);
        let post =
            net.neurons("post", 3, (Lif::default(), SimpleDendriteStructure::default(), computation))?;
        net.synapses(pre, post, (Dense, WeightInitializer::ones(), compartment))?;
        net.set_input(pre, &[0])?;
        net.step()?;
        let v = [0.5, 1.0, 1.5];
        net.world_mut().get_mut::<MembranePotential>(post).into_iter().for_each(|mut now| now.0 = v.to_vec());
        net.step()?;
        let current = net.state(post, "I")?;
        assert!(near(current[0], 10.0 * 1.0_f64.tanh() * 1.5, 1e-5), "{compartment:?}: {current:?}");
        assert_eq!(current[1..], [0.0, 0.0], "{compartment:?}");
    }
    Ok(())
}

#[test]
fn whether_inhibitory_neurons_are_primed_is_a_choice() -> Result<()> {
    let run = |inhibitory: bool, primed: bool| -> Result<Real> {
        let mut net = network(1.0)?;
        let pre = net.neurons("pre", 1, (InputSpikes::default(), NeuronAxon::default()))?;
        let computation = SimpleDendriteComputation::default()
            .distal_provocativeness(0.5 as Real)
            .primes_inhibitory(primed);
        let post =
            net.neurons("post", 1, (Lif::default(), SimpleDendriteStructure::default(), computation))?;
        if inhibitory {
            net.add(post, Inhibitory)?;
        }
        net.synapses(pre, post, (Dense, WeightInitializer::ones(), Distal))?;
        net.synapses(pre, post, (Dense, WeightInitializer::constant(0.25), Proximal))?;
        net.set_input(pre, &[0])?;
        net.run(2)?;
        Ok(net.state(post, "I")?[0])
    };
    let primed = 0.25 + 10.0 * 1.0_f64.tanh() * 0.5;
    assert!(near(run(true, true)?, primed, 1e-5) && near(run(false, false)?, primed, 1e-5));
    assert_eq!(run(true, false)?, 0.25, "proximal input counts all the same");
    Ok(())
}

#[test]
fn without_a_provocativeness_distal_and_apical_input_count_for_nothing() -> Result<()> {
    let mut net = network(1.0)?;
    let pre = net.neurons("pre", 1, (InputSpikes::default(), NeuronAxon::default()))?;
    let post = net.neurons("post", 1, (Lif::default(), SimpleDendriteStructure::default()))?;
    for compartment in [Distal, Apical] {
        net.synapses(pre, post, (Dense, WeightInitializer::constant(9.0), compartment))?;
    }
    net.set_input(pre, &[0])?;
    net.run(2)?;
    assert_eq!((net.state(post, "I_distal")?[0], net.state(post, "I_apical")?[0]), (9.0, 9.0));
    assert_eq!((net.state(post, "I")?[0], net.state(post, "v")?[0]), (0.0, 0.0));
    Ok(())
}

/// The input current at `ms` after a lone unit current with `i_tau` = 8.
fn remaining_current(dt: f64, scaling: TimeScaling, ms: f64) -> Result<f64> {
    let mut net = Neocortex::with(Settings { dt, threads: 1, time_scaling: scaling, ..Default::default() })?;
    let pre = net.neurons("pre", 1, (InputSpikes::default(), NeuronAxon::default()))?;
    let computation = SimpleDendriteComputation::default().i_tau(8.0 as Real);
    let lif = Lif::default().threshold(1e6);
    let post = net.neurons("post", 1, (lif, SimpleDendriteStructure::default(), computation))?;
    net.synapses(pre, post, (Dense, WeightInitializer::ones(), Proximal))?;
    net.set_input(pre, &[0])?;
    net.run(2)?;
    assert_eq!(net.state(post, "I")?, [1.0]);
    net.run((ms / dt).round() as u64)?;
    Ok(f64::from(net.state(post, "I")?[0]))
}

#[test]
fn consistent_time_scaling_decays_currents_per_millisecond_at_any_dt() -> Result<()> {
    for dt in [0.25, 0.125, 0.0625] {
        let (given, expected) =
            (remaining_current(dt, TimeScaling::Consistent, 10.0)?, (-10.0_f64 / 8.0).exp());
        assert!((given - expected).abs() < 0.1 * dt, "dt {dt}: {given}, expected {expected}");
        let counted = (1.0 - 1.0 / 8.0_f64).powi((10.0 / dt) as i32);
        let given = remaining_current(dt, TimeScaling::Upstream, 10.0)?;
        assert!((given - counted).abs() < 1e-6, "dt {dt}: upstream counts steps: {given}, not {counted}");
    }
    let both = [TimeScaling::Consistent, TimeScaling::Upstream].map(|s| remaining_current(1.0, s, 10.0));
    assert!(matches!(both, [Ok(a), Ok(b)] if a == b), "at 1 ms both are the same");
    Ok(())
}

#[test]
fn consistent_time_scaling_keeps_the_mean_and_spread_of_noise_at_any_dt() -> Result<()> {
    for (dt, scaling, mean, variance) in [
        (1.0, TimeScaling::Upstream, 2.0, 0.8),
        (1.0, TimeScaling::Consistent, 2.0, 0.8),
        (0.25, TimeScaling::Consistent, 2.0, 0.8),
        (0.25, TimeScaling::Upstream, 8.0, 3.2),
    ] {
        let mut net =
            Neocortex::with(Settings { dt, threads: 1, time_scaling: scaling, ..Default::default() })?;
        // Nearly no leak, so that 20 ms of noise add up.
        let lif = Lif::default().tau(1e9).threshold(1e9);
        let exc = net.neurons("exc", 6000, (lif, InherentNoise::normal(0.1, 0.2)))?;
        net.run((20.0 / dt) as u64)?;
        let v: Vec<f64> = net.state(exc, "v")?.into_iter().map(f64::from).collect();
        let given = v.iter().sum::<f64>() / 6000.0;
        let spread = v.iter().map(|v| (v - given).powi(2)).sum::<f64>() / 6000.0;
        // Five standard errors of 6,000 draws.
        assert!(
            (given - mean).abs() < 5.0 * (variance / 6000.0_f64).sqrt(),
            "{dt} {scaling:?}: mean {given}"
        );
        assert!((spread / variance - 1.0).abs() < 0.1, "{dt} {scaling:?}: variance {spread}");
    }
    Ok(())
}

#[test]
fn a_convolution_is_the_cross_correlation_of_spikes_and_kernel() -> Result<()> {
    let (channels, height, width, out) = (2, 5, 6, 3);
    let mut lcg = Lcg(3);
    for (kh, kw, stride, padding) in [
        (3, 2, (1, 1), (0, 0)),
        (3, 3, (2, 2), (1, 1)),
        (1, 1, (1, 1), (0, 0)),
        (2, 4, (3, 3), (2, 2)),
        (5, 6, (1, 1), (0, 0)),
        (3, 2, (2, 1), (0, 2)),
        (2, 3, (1, 3), (1, 0)),
    ] {
        let (out_h, out_w) =
            ((height + 2 * padding.0 - kh) / stride.0 + 1, (width + 2 * padding.1 - kw) / stride.1 + 1);
        let kernels = Array4::from_shape_fn((out, channels, kh, kw), |_| lcg.next() as Real - 0.5);
        let mut net = network(1.0)?;
        let pre =
            net.neurons("pre", (channels, height, width), (InputSpikes::default(), NeuronAxon::default()))?;
        let post =
            net.neurons("post", (out, out_h, out_w), (Lif::default(), SimpleDendriteStructure::default()))?;
        let conv = Conv2d { stride, padding, ..Conv2d::new(kh, kw) };
        let projection =
            net.synapses(pre, post, (conv, WeightInitializer::kernels(kernels.clone()), Proximal))?;
        let fired = lcg.some_of((channels * height * width) as u32, 0.5);
        net.set_input(pre, &fired)?;
        net.run(2)?;
        let given = net.state(projection, "I")?;
        for o in 0..out {
            for (y, x) in (0..out_h).flat_map(|y| (0..out_w).map(move |x| (y, x))) {
                let mut expected = 0.0;
                for ((_, c, p, q), &w) in kernels.indexed_iter().filter(|((k, ..), _)| *k == o) {
                    let (row, column) = (y * stride.0 + p, x * stride.1 + q);
                    if row >= padding.0
                        && column >= padding.1
                        && row - padding.0 < height
                        && column - padding.1 < width
                    {
                        let i = (c * height + row - padding.0) * width + column - padding.1;
                        expected += if fired.contains(&(i as u32)) { f64::from(w) } else { 0.0 };
                    }
                }
                let current = f64::from(given[(o * out_h + y) * out_w + x]);
                assert!(
                    (current - expected).abs() < 1e-5,
                    "{kh} x {kw}, {stride:?}, {padding:?}: {current}, {expected}"
                );
            }
        }
    }
    Ok(())
}
