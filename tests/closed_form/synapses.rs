//! Synapses over time: courses of currents and conductances against their formulas.

use super::*;
use conex::systems::synaptic_dynamics::SynapticState;

/// Weight of the synapse in these tests.
const W: f64 = 0.75;

/// One synapse with `behaviours` onto a neuron that never fires.
fn synapse(dt: f64, behaviours: impl Bundle) -> Result<(Neocortex, Entity, Entity)> {
    let mut net = network(dt)?;
    let pre = input(&mut net, "pre", 1)?;
    let lif = Lif::default().threshold(1e9);
    let post = net.neurons("post", 1, (lif, SimpleDendriteStructure::default()))?;
    let projection =
        net.synapses(pre, post, (Dense, WeightInitializer::constant(W as Real), Proximal, behaviours))?;
    net.run(2)?;
    net.set_input(pre, &[0])?;
    net.step()?;
    Ok((net, projection, post))
}

/// The current at each step from the arrival of a lone spike on, with its time since then [ms].
fn course(dt: f64, ms: f64, behaviours: impl Bundle) -> Result<Vec<(f64, f64)>> {
    let (mut net, _, post) = synapse(dt, behaviours)?;
    let mut course = Vec::new();
    for k in 0..(ms / dt).round() as u32 {
        net.step()?;
        course.push((f64::from(k) * dt, f64::from(net.state(post, "I")?[0])));
    }
    Ok(course)
}

fn double_exponential(t: f64, rise: f64, decay: f64) -> f64 {
    let peak = rise * decay / (decay - rise) * (decay / rise).ln();
    let shape = |t: f64| (-t / decay).exp() - (-t / rise).exp();
    W * shape(t) / shape(peak)
}

#[test]
fn a_current_follows_its_formula_at_any_dt() -> Result<()> {
    for dt in [0.05, 0.1, 0.5, 1.0, 2.5] {
        for (t, current) in course(dt, 40.0, ExponentialSynapse::new(3.0))? {
            let expected = W * (-t / 3.0).exp();
            assert!((current - expected).abs() < 2e-6, "exponential, dt {dt}, {t} ms: {current}, {expected}");
        }
        for (t, current) in course(dt, 40.0, AlphaSynapse::new(4.0))? {
            let expected = W * t / 4.0 * (1.0 - t / 4.0).exp();
            assert!((current - expected).abs() < 1e-5, "alpha, dt {dt}, {t} ms: {current}, {expected}");
        }
        for (rise, decay) in [(0.5, 2.5), (2.0, 100.0), (4.999, 5.0), (60.0, 200.0)] {
            let kinetics = DoubleExponentialSynapse::new(rise as Real, decay as Real);
            for (t, current) in course(dt, 40.0, kinetics)? {
                let expected = double_exponential(t, rise, decay);
                assert!(
                    (current - expected).abs() < 1e-4,
                    "{rise} and {decay} ms, dt {dt}, {t} ms: {current}, {expected}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn the_peak_is_the_weight() -> Result<()> {
    let peak =
        |course: Vec<(f64, f64)>| course.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
    let (t, alpha) = peak(course(0.125, 40.0, AlphaSynapse::new(5.0))?);
    assert!(t == 5.0 && (alpha - W).abs() < 1e-6, "{alpha} at {t} ms");
    // ln 4 times 8/3 ms.
    let (t, double) = peak(course(0.02, 40.0, DoubleExponentialSynapse::new(2.0, 8.0))?);
    assert!((t - 3.6968).abs() < 0.02 && (double - W).abs() < 1e-5, "{double} at {t} ms");
    // Equal time constants are an alpha function.
    let alpha = course(0.5, 30.0, AlphaSynapse::new(5.0))?;
    assert_eq!(course(0.5, 30.0, DoubleExponentialSynapse::new(5.0, 5.0))?, alpha);
    Ok(())
}

#[test]
fn the_effects_of_spikes_add_up() -> Result<()> {
    let (mut net, projection, _) = synapse(1.0, ExponentialSynapse::new(2.0))?;
    let pre = net.get::<Presynaptic>(projection)?.0;
    for k in 0..50_i32 {
        net.set_input(pre, &[0])?;
        net.step()?;
        // The geometric series of the k + 1 spikes so far.
        let q = (-0.5_f64).exp();
        let expected = W * (1.0 - q.powi(k + 1)) / (1.0 - q);
        assert!(near(net.state(projection, "g")?[0], expected, 1e-5), "after {k} steps");
    }
    Ok(())
}

#[test]
fn what_has_decayed_is_exactly_nothing_and_starts_again_with_the_next_spike() -> Result<()> {
    for double in [false, true] {
        let (mut net, projection, post) = if double {
            synapse(1.0, DoubleExponentialSynapse::new(1.0, 2.0))?
        } else {
            synapse(1.0, ExponentialSynapse::new(2.0))?
        };
        net.run(38)?;
        assert!(net.state(projection, "g")?[0] > 0.0 && !net.get::<SynapticCurrent>(projection)?.silent);
        net.run(20)?;
        assert_eq!((net.state(projection, "g")?, net.state(post, "I")?), (vec![0.0], vec![0.0]));
        assert!(net.get::<SynapticCurrent>(projection)?.silent);
        net.set_input(net.get::<Presynaptic>(projection)?.0, &[0])?;
        net.run(4)?;
        assert!(net.state(post, "I")?[0] > 0.1);
    }
    Ok(())
}

#[test]
fn an_effect_comes_after_its_delays_whether_current_or_conductance() -> Result<()> {
    for conducts in [false, true] {
        let mut net = network(1.0)?;
        let n = 9;
        let pre = net.neurons("pre", n, (InputSpikes::default(), NeuronAxon::new(3)))?;
        // They hardly move, so that the driving force is 10.
        let lif = Lif::default().tau(1e9).threshold(1e9);
        let post = net.neurons("post", n, (lif, SimpleDendriteStructure::new(3)))?;
        let (source, destination): (Vec<i64>, Vec<i64>) = (0..9).map(|i| (i % 3, i / 3)).unzip();
        let delays = DelayInitializer::default()
            .source_delays(Delays::Given(source.clone()))
            .destination_delays(Delays::Given(destination.clone()));
        let behaviours = (One2One, WeightInitializer::ones(), Proximal, delays, ExponentialSynapse::new(2.0));
        let projection = net.synapses(pre, post, behaviours)?;
        if conducts {
            net.world_mut().entity_mut(projection).insert(Conductance::new(10.0));
        }
        net.set_input(pre, &(0..9).collect::<Vec<_>>())?;
        for after in 0..12 {
            net.step()?;
            let force = if conducts { 10.0 } else { 1.0 };
            for (i, &current) in net.state(post, "I")?.iter().enumerate() {
                let since = after - (1 + source[i] + destination[i]);
                let expected = if since < 0 { 0.0 } else { force * (-since as f64 / 2.0).exp() };
                assert!((f64::from(current) - expected).abs() < 1e-4, "{conducts}, neuron {i}, step {after}");
            }
        }
    }
    Ok(())
}

#[test]
fn the_current_of_an_inhibitory_source_is_negative_and_its_conductance_is_not() -> Result<()> {
    let run = |conducts: bool| -> Result<(Real, Real)> {
        let mut net = network(1.0)?;
        let pre = net.neurons("pre", 2, (InputSpikes::default(), NeuronAxon::default(), Inhibitory))?;
        let post = net.neurons("post", 2, (Lif::default().tau(1e9), SimpleDendriteStructure::default()))?;
        let norm = (CurrentCoef(2.0), CurrentNormalization::new(1.0));
        let weights = WeightInitializer::constant(0.3);
        let projection =
            net.synapses(pre, post, (Dense, weights, Proximal, norm, ExponentialSynapse::new(5.0)))?;
        if conducts {
            net.add(projection, Conductance::new(-4.0))?;
        }
        net.set_input(pre, &[0, 1])?;
        net.run(2)?;
        Ok((net.state(projection, "g")?[1], net.state(post, "I")?[1]))
    };
    // Both sources fire: the norm of 1, times the coefficient.
    let (g, current) = run(false)?;
    assert!(near(g, 2.0, 1e-6) && near(current, -2.0, 1e-6), "{g}, {current}");
    let (g, current) = run(true)?;
    assert!(near(g, 2.0, 1e-6) && near(current, -8.0, 1e-6), "{g}, {current}");
    Ok(())
}

#[test]
fn a_conductance_without_kinetics_lasts_one_step() -> Result<()> {
    let (mut net, projection, post) = synapse(1.0, Conductance::new(2.0))?;
    net.step()?;
    assert_eq!((net.state(projection, "g")?[0], net.state(post, "I")?[0]), (W as Real, 2.0 * W as Real));
    net.step()?;
    assert_eq!((net.state(projection, "g")?[0], net.state(post, "I")?[0]), (0.0, 0.0));
    Ok(())
}

#[test]
fn a_conductance_pulls_towards_the_reversal_potential_and_not_beyond() -> Result<()> {
    let settings = Settings { dt: 0.1, threads: 1, ..Default::default() };
    for (reversal, start) in [(0.0, -65.0), (-90.0, -65.0), (-65.0, -50.0)] {
        let mut net = Neocortex::with(settings)?;
        let pre = input(&mut net, "pre", 1)?;
        let lif = Lif::default().tau(10.0).v_rest(-65.0).threshold(1e9).init_v(start);
        let post = net.neurons("post", 1, (lif, SimpleDendriteStructure::default()))?;
        let weights = WeightInitializer::constant(1.0);
        let kinetics = (ExponentialSynapse::new(10.0), Conductance::new(reversal));
        let projection = net.synapses(pre, post, (Dense, weights, Proximal, kinetics))?;
        for _ in 0..400 {
            // Up to about 63 times the leak: dt·(1 + R·g) stays below tau.
            net.set_input(pre, &[0])?;
            net.step()?;
            let v = net.state(post, "v")?[0];
            let (low, high) = (reversal.min(start as Real), reversal.max(start as Real));
            assert!((low - 1e-3..=high + 1e-3).contains(&v), "{v} mV is beyond {reversal} mV");
        }
        let (v, g) = (f64::from(net.state(post, "v")?[0]), f64::from(net.state(projection, "g")?[0]));
        // Where leak and conductance balance.
        let expected = (-65.0 + g * f64::from(reversal)) / (1.0 + g);
        assert!((v - expected).abs() < 0.05, "{v}, expected {expected}");
    }
    Ok(())
}

#[test]
fn shunting_inhibition_divides_where_a_current_would_subtract() -> Result<()> {
    // A conductance that reverses at rest does nothing to a neuron at rest, and makes the same input count for less.
    let depolarization = |shunted: bool, injected: Real| -> Result<f64> {
        let mut net = network(0.1)?;
        let inh = net.neurons("inh", 1, (InputSpikes::default(), NeuronAxon::default(), Inhibitory))?;
        let lif = Lif::default().tau(10.0).v_rest(-65.0).init_v(-65.0).threshold(1e9);
        let post = net.neurons(
            "post",
            1,
            (lif, SimpleDendriteStructure::default(), InjectedCurrent::new(injected)),
        )?;
        let weights = WeightInitializer::constant(1.0);
        net.synapses(inh, post, (Dense, weights, Proximal, Conductance::new(-65.0)))?;
        for _ in 0..1000 {
            net.set_input(inh, if shunted { &[0] } else { &[] })?;
            net.step()?;
        }
        Ok(f64::from(net.state(post, "v")?[0]) + 65.0)
    };
    assert!(depolarization(true, 0.0)?.abs() < 1e-4);
    for injected in [4.0, 8.0] {
        let (free, shunted) = (depolarization(false, injected)?, depolarization(true, injected)?);
        // As large as the leak: half is left.
        assert!((free / shunted - 2.0).abs() < 1e-2, "{free}, {shunted}");
    }
    Ok(())
}

#[test]
fn a_conductance_onto_a_part_sees_the_potentials_of_its_neurons() -> Result<()> {
    let mut net = network(1.0)?;
    let pre = input(&mut net, "pre", 3)?;
    let potentials = vec![0.0, -10.0, -20.0, -30.0, -40.0];
    let lif = Lif::default().tau(1e30).threshold(1e9).init_v(potentials);
    let whole = net.neurons("whole", 5, (lif, SimpleDendriteStructure::default()))?;
    let part = net.sub_population("part", whole, Selection::Neurons(vec![1, 3, 4]))?;
    let behaviours = (One2One, WeightInitializer::ones(), Proximal, Conductance::new(5.0));
    net.synapses(pre, part, behaviours)?;
    net.set_input(pre, &[0, 1, 2])?;
    net.run(2)?;
    assert_eq!(net.state(whole, "I")?, [0.0, 15.0, 0.0, 35.0, 45.0]);
    Ok(())
}

#[test]
fn magnesium_blocks_by_the_potential_as_measured() -> Result<()> {
    for (v, concentration) in
        [(-80.0_f64, 1.0_f64), (-65.0, 1.0), (-20.0, 1.0), (20.0, 1.0), (-65.0, 0.0), (-65.0, 2.0)]
    {
        let mut net = network(1.0)?;
        let pre = input(&mut net, "pre", 1)?;
        let lif = Lif::default().tau(1e9).threshold(1e9).init_v(v);
        let post = net.neurons("post", 1, (lif, SimpleDendriteStructure::default()))?;
        let block = (Conductance::new(0.0), MagnesiumBlock::new(concentration as Real));
        net.synapses(pre, post, (Dense, WeightInitializer::ones(), Proximal, block))?;
        net.set_input(pre, &[0])?;
        net.run(2)?;
        let expected = -v / (1.0 + concentration / 3.57 * (-0.062 * v).exp());
        assert!(near(net.state(post, "I")?[0], expected, 1e-5), "{v} mV, {concentration} mM");
    }
    Ok(())
}

#[test]
fn kinetics_that_come_late_go_and_are_reset_leave_nothing_behind() -> Result<()> {
    let (mut net, projection, post) = synapse(1.0, ())?;
    let pre = net.get::<Presynaptic>(projection)?.0;
    let w = W as Real;
    net.step()?;
    assert_eq!(net.state(post, "I")?, [w]);
    net.step()?;
    assert_eq!(net.state(post, "I")?, [0.0]);
    net.add(projection, ExponentialSynapse::new(10.0))?;
    net.set_input(pre, &[0])?;
    net.run(4)?;
    let left = net.state(post, "I")?[0];
    assert!(near(left, W * (-0.2_f64).exp(), 1e-5));
    // Off: nothing decays, nothing flows; on: it goes on where it was.
    net.switch_off("SynapticDynamics", projection)?;
    net.run(7)?;
    assert_eq!(net.state(post, "I")?, [0.0]);
    net.switch_on("ExponentialSynapse", projection)?;
    net.step()?;
    assert!(near(net.state(post, "I")?[0], W * (-0.3_f64).exp(), 1e-5));
    net.reset_state();
    net.step()?;
    assert_eq!((net.state(post, "I")?, net.state(projection, "g")?), (vec![0.0], vec![0.0]));
    // Others in their place start afresh.
    net.set_input(pre, &[0])?;
    net.run(3)?;
    net.add(projection, AlphaSynapse::new(2.0))?;
    net.remove::<ExponentialSynapse>(projection)?;
    net.step()?;
    assert_eq!((net.state(projection, "g")?, net.state(projection, "x")?), (vec![0.0], vec![0.0]));
    net.remove::<AlphaSynapse>(projection)?;
    assert!(net.world().get::<SynapticState>(projection).is_none());
    net.set_input(pre, &[0])?;
    net.run(2)?;
    assert_eq!(net.state(post, "I")?, [w]);
    net.step()?;
    assert_eq!(net.state(post, "I")?, [0.0]);
    Ok(())
}

#[test]
fn a_current_that_nobody_delivers_any_more_decays_and_does_not_feed_itself() -> Result<()> {
    let (mut net, projection, post) = synapse(1.0, ExponentialSynapse::new(10.0))?;
    net.step()?;
    net.switch_off("Dense", projection)?;
    net.run(10)?;
    assert!(near(net.state(post, "I")?[0], W * (-1.0_f64).exp(), 1e-4));
    Ok(())
}
