//! Dopamine, eligibility, and what they do to weights.

use super::*;
use conex::systems::Error::*;
use conex::systems::weights::Frozen;
use ndarray::{ArrayD, Axis};
use proptest::prelude::*;

#[test]
fn dopamine_under_a_steady_payoff_rises_to_it_times_its_time_constant() -> Result<()> {
    for (scaling, rate) in [(TimeScaling::Upstream, 1.0_f64 / 8.0), (TimeScaling::Consistent, 0.5 / 8.0)] {
        let settings = Settings { dt: 0.5, threads: 1, time_scaling: scaling, ..Default::default() };
        let mut net = Neocortex::with(settings)?;
        net.set_dopamine(Dopamine::new(8.0).initial(-0.7));
        net.set_payoff(0.3)?;
        for t in 1..=200 {
            net.step()?;
            let left = (1.0 - rate).powi(t);
            let expected = -0.7 * left + 0.3 / rate * (1.0 - left);
            assert!((net.dopamine() - expected).abs() < 1e-12, "{scaling:?}, step {t}: {}", net.dopamine());
        }
    }
    Ok(())
}

#[test]
fn dopamine_starts_at_the_payoff_unless_it_is_told_where() -> Result<()> {
    let mut net = network(1.0)?;
    net.set_payoff(0.5)?;
    net.set_dopamine(Dopamine::new(4.0));
    net.build()?;
    assert_eq!(net.dopamine(), 0.5);
    net.step()?;
    assert_eq!(net.dopamine(), 0.5 - 0.5 / 4.0 + 0.5);
    net.reset_state();
    net.build()?;
    assert_eq!(net.dopamine(), 0.5);
    Ok(())
}

#[test]
fn payoff_and_dopamine_are_recorded_in_double_precision() -> Result<()> {
    let mut net = network(1.0)?;
    assert!(net.record_dopamine(1).is_err());
    net.set_dopamine(Dopamine::new(3.0).initial(0.1));
    let (payoff, dopamine) = (net.record_network("payoff", 1)?, net.record_dopamine(2)?);
    let (mut d, mut expected, mut paid) = (0.1, Vec::new(), Vec::new());
    for t in 1..=20 {
        let p = 0.1 * f64::from(t % 3);
        net.set_payoff(p)?;
        net.step()?;
        d += p - d / 3.0;
        paid.push(p);
        if t % 2 == 0 {
            expected.push(d);
        }
    }
    assert_eq!(payoff.values(), paid);
    assert_eq!(dopamine.times(), (1..=10).map(|t| f64::from(2 * t)).collect::<Vec<_>>());
    assert!(dopamine.values().iter().zip(&expected).all(|(given, want)| (given - want).abs() < 1e-15));
    // A recorder that is off keeps nothing.
    net.set_recording(payoff.recorder(), false);
    net.run(5)?;
    assert_eq!(payoff.values().len(), 20);
    Ok(())
}

#[test]
fn a_payoff_that_is_no_number_ends_the_step_and_leaves_dopamine_alone() -> Result<()> {
    let mut net = network(1.0)?;
    net.set_dopamine(Dopamine::new(3.0).initial(0.25));
    net.build()?;
    net.world_mut().insert_resource(Payoff(f64::NAN));
    let error = net.step().unwrap_err().to_string();
    assert_eq!(error, "`the network`: Payoff got NaN for `payoff`: it must be a finite number");
    assert_eq!(net.dopamine(), 0.25);
    net.set_payoff(0.0)?;
    net.step()
}

/// One synapse of this kind behind a reward: spikes of the source at step 1 and of the target at step 3 leave it with an
/// eligibility.
fn eligible(rule: Rstdp, start: Real) -> Result<(Neocortex, Entity)> {
    let mut net = network(1.0)?;
    let (pre, post) = (input(&mut net, "pre", 1)?, input(&mut net, "post", 1)?);
    net.set_dopamine(Dopamine::new(1.0));
    let behaviours = (One2One, WeightInitializer::constant(start), Proximal, WeightClip::new(0.0, 1.0));
    let rule = (rule, PreTrace::new(8.0), PostTrace::new(14.0));
    let projection = net.synapses(pre, post, (behaviours, rule))?;
    net.set_input(pre, &[0])?;
    net.run(2)?;
    net.set_input(post, &[0])?;
    net.step()?;
    Ok((net, projection))
}

#[test]
fn eligibility_decays_geometrically_and_dopamine_turns_it_into_weight() -> Result<()> {
    let noted = 0.2 * 0.875_f64.powi(3);
    let (mut net, projection) = eligible(Rstdp::new(Stdp::new(0.2, 0.1), 10.0), 0.5)?;
    for k in 0..30 {
        let c = net.state(projection, "c")?[0];
        assert!(near(c, noted * 0.9_f64.powi(k), 1e-5), "step {k}: {c}");
        assert_eq!(net.weights(projection)?.sum(), 0.5);
        net.step()?;
    }
    // With a time constant of one step dopamine is the payoff: w grows by c·d at each step.
    net.set_payoff(0.5)?;
    let mut w = 0.5;
    for k in 31..40 {
        net.step()?;
        w += 0.5 * noted * 0.9_f64.powi(k);
        assert!(near(net.weights(projection)?.sum(), w, 1e-6), "step {k}");
    }
    Ok(())
}

#[test]
fn eligibility_starts_where_it_is_told() -> Result<()> {
    let (net, projection) = eligible(Rstdp::new(Stdp::new(0.0, 0.0), 10.0).init_c(0.3), 0.5)?;
    assert!(near(net.state(projection, "c")?[0], 0.3 * 0.9_f64.powi(3), 1e-6));
    Ok(())
}

#[test]
fn a_weight_that_clipping_holds_keeps_its_eligibility_and_leaves_when_dopamine_turns() -> Result<()> {
    let (mut net, projection) = eligible(Rstdp::new(Stdp::new(0.2, 0.1), 10.0), 0.99)?;
    net.set_payoff(1.0)?;
    net.run(5)?;
    assert_eq!(net.weights(projection)?.sum(), 1.0);
    let c = f64::from(net.state(projection, "c")?[0]);
    assert!((c - 0.2 * 0.875_f64.powi(3) * 0.9_f64.powi(5)).abs() < 1e-6, "{c}");
    net.set_payoff(-1.0)?;
    net.step()?;
    assert!(near(net.weights(projection)?.sum(), 1.0 - 0.9 * c, 1e-6));
    Ok(())
}

#[test]
fn a_frozen_projection_learns_nothing_and_its_eligibility_stands_still() -> Result<()> {
    let (mut net, projection) = eligible(Rstdp::new(Stdp::new(0.2, 0.1), 10.0), 0.5)?;
    let c = net.state(projection, "c")?;
    net.world_mut().entity_mut(projection).insert(Frozen);
    net.set_payoff(1.0)?;
    let (pre, post) = (net.find("pre")?, net.find("post")?);
    for _ in 0..10 {
        net.set_input(pre, &[0])?;
        net.set_input(post, &[0])?;
        net.step()?;
    }
    assert_eq!(net.state(projection, "c")?, c);
    assert_eq!(net.weights(projection)?.sum(), 0.5);
    net.world_mut().entity_mut(projection).remove::<Frozen>();
    net.step()?;
    let expected = 0.9 * f64::from(c[0]);
    assert!(near(net.state(projection, "c")?[0], expected, 1e-6));
    assert!(near(net.weights(projection)?.sum(), 0.5 + expected, 1e-6));
    Ok(())
}

/// A recurrent network of 12 neurons that fire as given, with a reward that comes and goes.
fn recurrent(behaviours: impl Bundle) -> Result<(Neocortex, Entity, Vec<ArrayD<Real>>)> {
    let mut net = network(1.0)?;
    let group = input(&mut net, "group", 12)?;
    net.set_dopamine(Dopamine::new(6.0));
    let rule =
        (Rstdp::new(Stdp::new(0.02, 0.015), 9.0).init_c(0.05), PreTrace::new(8.0), PostTrace::new(14.0));
    let projection =
        net.synapses(group, group, (Dense, WeightInitializer::uniform(0.2, 0.4), Proximal, rule))?;
    net.world_mut().entity_mut(projection).insert(behaviours);
    let (mut lcg, mut weights) = (Lcg(3), Vec::new());
    for _ in 0..80 {
        net.set_input(group, &lcg.some_of(12, 0.2))?;
        net.set_payoff(lcg.next() - 0.4)?;
        net.step()?;
        weights.push(net.weights(projection)?);
    }
    Ok((net, projection, weights))
}

#[test]
fn what_is_no_synapse_has_neither_weight_nor_eligibility() -> Result<()> {
    let (net, projection, weights) = recurrent(NoSelfConnections)?;
    assert!(weights.iter().all(|w| (0..12).all(|i| w[[i, i]] == 0.0)));
    let c = net.state(projection, "c")?;
    assert!((0..12).all(|i| c[i * 12 + i] == 0.0));
    assert!(c.iter().filter(|c| **c != 0.0).count() == 132, "{c:?}");
    assert_ne!(weights[0], weights[79]);
    Ok(())
}

#[test]
fn normalization_keeps_the_sums_and_leaves_eligibility_alone() -> Result<()> {
    let (free_net, free, free_weights) = recurrent(())?;
    let (net, projection, weights) = recurrent(WeightNormalization::new(3.0))?;
    for (t, weights) in weights.iter().enumerate() {
        let sums = weights.sum_axis(Axis(0));
        assert!(sums.iter().all(|&sum| near(sum, 3.0, 1e-5)), "step {t}: {sums}");
    }
    // Without bounds no change depends on a weight. (Free weights wait, normalized ones do not: rounding differs.)
    let (c, free_c) = (net.state(projection, "c")?, free_net.state(free, "c")?);
    assert!(c.iter().zip(&free_c).all(|(c, free)| (c - free).abs() < 1e-6), "{c:?}, free {free_c:?}");
    assert_ne!(weights[79], free_weights[79]);
    Ok(())
}

/// Which pairs of neurons share each weight, and by how much each pair counts.
struct Wiring {
    pairs: Vec<Vec<(usize, usize)>>,
    share: f64,
}

impl Wiring {
    fn of_pairs(pairs: impl Iterator<Item = (usize, usize)>) -> Self {
        Wiring { pairs: pairs.map(|pair| vec![pair]).collect(), share: 1.0 }
    }

    /// A convolution from 2 x 4 x 5 to 3 x 3 x 4 by kernels of 2 x 2.
    fn convolution() -> Self {
        let entries = (0..3 * 2 * 2 * 2).map(|entry| {
            let (to, from, y, x) = (entry / 8, entry / 4 % 2, entry / 2 % 2, entry % 2);
            let places = (0..12).map(|place| (place / 4, place % 4));
            places.map(|(oy, ox)| ((from * 4 + oy + y) * 5 + ox + x, to * 12 + oy * 4 + ox)).collect()
        });
        Wiring { pairs: entries.collect(), share: 1.0 / 12.0 }
    }
}

/// What differs from case to case.
#[derive(Clone, Copy, Debug)]
struct Case {
    seed: u64,
    tau_c: f64,
    tau_dopamine: f64,
    a_plus: f64,
    a_minus: f64,
    init_c: f64,
    soft: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    let numbers = (2.0..60.0, 1.0..20.0, 0.0..0.02, 0.0..0.02, -0.01..0.01);
    (any::<u64>(), numbers, any::<bool>()).prop_map(
        |(seed, (tau_c, tau_dopamine, a_plus, a_minus, init_c), soft)| {
            // As the engine has them, so that nothing differs from the start.
            let kept = |x: f64| f64::from(x as Real);
            let (a_plus, a_minus, init_c) = (kept(a_plus), kept(a_minus), kept(init_c));
            Case { seed, tau_c: kept(tau_c), tau_dopamine, a_plus, a_minus, init_c, soft }
        },
    )
}

/// Runs a network and, in double precision, every pair of neurons at every step, as BEHAVIOURS writes it.
fn follows_its_twin(
    kind: impl Bundle,
    wiring: &Wiring,
    shape: &[usize],
    ends: (Grid, Grid),
    case: Case,
) -> Result<()> {
    let Case { seed, tau_c, tau_dopamine, a_plus, a_minus, init_c, soft } = case;
    let mut lcg = Lcg(seed);
    let mut given = vec![0.0; shape.iter().product()];
    // A sparse matrix leaves out every third synapse.
    let stored: Vec<usize> = match wiring.pairs.len() == given.len() {
        true => (0..given.len()).collect(),
        false => (0..given.len()).filter(|k| k % 3 != 0).collect(),
    };
    stored.iter().for_each(|&k| given[k] = 0.1 + 0.8 * lcg.next() as Real);
    let mut w: Vec<f64> = stored.iter().map(|&k| f64::from(given[k])).collect();
    let mut c = vec![init_c; w.len()];
    let (n_pre, n_post) = (ends.0.len(), ends.1.len());
    let (mut x, mut y, mut d) = (vec![0.0; n_pre], vec![0.0; n_post], 0.0);

    let mut net = network(1.0)?;
    let (pre, post) = (input(&mut net, "pre", ends.0)?, input(&mut net, "post", ends.1)?);
    net.set_dopamine(Dopamine::new(tau_dopamine).initial(0.0));
    let stdp =
        Stdp::new(a_plus as Real, a_minus as Real).bounds(if soft { Bound::Soft } else { Bound::None });
    let behaviours = (
        (kind, WeightInitializer::dense(shape.to_vec(), given), Proximal, WeightClip::default()),
        (Rstdp::new(stdp, tau_c as Real).init_c(init_c as Real), PreTrace::new(8.0), PostTrace::new(14.0)),
    );
    let projection = net.synapses(pre, post, behaviours)?;

    for step in 1..=2000 {
        let (fired_pre, fired_post) = (lcg.some_of(n_pre as u32, 0.1), lcg.some_of(n_post as u32, 0.1));
        let payoff = 0.4 * (lcg.next() - 0.5);
        net.set_input(pre, &fired_pre)?;
        net.set_input(post, &fired_post)?;
        net.set_payoff(payoff)?;
        net.step()?;

        d += payoff - d / tau_dopamine;
        let spikes = |fired: &[u32], n: usize| -> Vec<f64> {
            (0..n as u32).map(|k| f64::from(u8::from(fired.contains(&k)))).collect()
        };
        let (pre_spike, post_spike) = (spikes(&fired_pre, n_pre), spikes(&fired_post, n_post));
        for (trace, spike, tau) in [(&mut x, &pre_spike, 8.0), (&mut y, &post_spike, 14.0)] {
            trace.iter_mut().zip(spike).for_each(|(x, spike)| *x = (*x + spike) * (1.0 - 1.0 / tau));
        }
        for ((w, c), pairs) in w.iter_mut().zip(&mut c).zip(&wiring.pairs) {
            let bound = if soft { *w * (1.0 - *w) } else { 1.0 };
            let products =
                pairs.iter().map(|&(i, j)| a_plus * x[i] * post_spike[j] - a_minus * pre_spike[i] * y[j]);
            *c += products.sum::<f64>() * bound * wiring.share - *c / tau_c;
            *w = (*w + *c * d).clamp(0.0, 1.0);
        }
        if step % 200 == 0 {
            let worst = |given: Vec<Real>, twin: &[f64]| {
                assert_eq!(given.len(), twin.len());
                given.iter().zip(twin).map(|(g, t)| (f64::from(*g) - t).abs()).fold(0.0, f64::max)
            };
            let (of_w, of_c) =
                (worst(net.state(projection, "weights")?, &w), worst(net.state(projection, "c")?, &c));
            // A soft bound makes the course of a weight unstable: what 32 bits round off grows over 2,000 steps.
            assert!(of_w < 2e-3 && of_c < 2e-4, "step {step}: weights {of_w:e}, eligibility {of_c:e} off");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(6) })]

    #[test]
    fn reward_modulated_learning_follows_its_slow_twin(case in cases()) {
        let all = || (0..9 * 7).map(|k| (k / 7, k % 7));
        let run = || -> Result<()> {
            let ends = (9.into(), 7.into());
            follows_its_twin(Dense, &Wiring::of_pairs(all()), &[9, 7], ends, case)?;
            let stored = all().enumerate().filter(|(k, _)| k % 3 != 0).map(|(_, pair)| pair);
            follows_its_twin(Sparse, &Wiring::of_pairs(stored), &[9, 7], ends, case)?;
            let single = Wiring::of_pairs((0..11).map(|i| (i, i)));
            follows_its_twin(One2One, &single, &[11], (11.into(), 11.into()), case)?;
            let planes = (Grid::new(2, 4, 5), Grid::new(3, 3, 4));
            follows_its_twin(Conv2d::new(2, 2), &Wiring::convolution(), &[3, 2, 2, 2], planes, case)
        };
        run().unwrap();
    }
}

#[test]
fn reward_modulated_learning_gives_the_same_bits_on_one_to_four_threads() -> Result<()> {
    let run = |threads| -> Result<Vec<u64>> {
        let mut net = Neocortex::with(Settings { threads, ..Default::default() })?;
        let (pre, post) = (input(&mut net, "pre", (1, 24, 24))?, input(&mut net, "post", 400)?);
        let maps = input(&mut net, "maps", (4, 20, 20))?;
        net.set_dopamine(Dopamine::new(6.0));
        let rule = || {
            let rule = Rstdp::new(Stdp::new(0.01, 0.008).bounds(Bound::Soft), 20.0);
            (rule, PreTrace::new(8.0), PostTrace::new(14.0), WeightInitializer::uniform(0.0, 1.0))
        };
        let dense = net.synapses(pre, post, (Dense, Proximal, rule()))?;
        let shared = net.synapses(pre, maps, (Conv2d::new(5, 5), Proximal, rule()))?;
        let mut lcg = Lcg(8);
        for _ in 0..40 {
            // Enough spikes for a region that is shared among threads: the gate is at an estimate of 60,000.
            let (inputs, outputs) = (lcg.some_of(576, 0.3), lcg.some_of(400, 0.2));
            let places = lcg.some_of(1600, 0.2);
            assert!(inputs.len() * 200 + outputs.len() * 576 * 2 > 60_000);
            assert!((inputs.len() * 4 + places.len()) * 75 > 60_000);
            net.set_input(pre, &inputs)?;
            net.set_input(post, &outputs)?;
            net.set_input(maps, &places)?;
            net.set_payoff(lcg.next() - 0.5)?;
            net.step()?;
        }
        let all = [(dense, "weights"), (dense, "c"), (shared, "weights"), (shared, "c")];
        let values = all.into_iter().map(|(group, variable)| net.state(group, variable));
        let values = values.collect::<Result<Vec<_>>>()?.concat();
        Ok(values.into_iter().map(|x| f64::from(x).to_bits()).collect())
    };
    let one = run(1)?;
    for threads in 2..=4 {
        assert!(run(threads)? == one, "{threads} threads");
    }
    Ok(())
}

#[test]
fn a_rule_behind_a_reward_needs_dopamine() -> Result<()> {
    let mut net = network(1.0)?;
    let (pre, post) = (input(&mut net, "pre", 1)?, input(&mut net, "post", 1)?);
    let rule = (Rstdp::new(Stdp::default(), 10.0), PreTrace::new(8.0), PostTrace::new(8.0));
    net.synapses(pre, post, (Dense, WeightInitializer::ones(), Proximal, rule))?;
    let error = net.build().unwrap_err();
    assert!(matches!(error, conex::Error::Network(MissingInNetwork { .. })), "{error}");
    Ok(())
}
