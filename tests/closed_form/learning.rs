//! Traces, the window of STDP, bounds, normalization and clipping.

use super::*;
use ndarray::{Array1, ArrayD, Axis};

#[test]
fn a_trace_starts_at_its_scale_less_one_step_of_decay_and_falls_geometrically() -> Result<()> {
    let mut net = network(0.5)?;
    let (pre, post) = (input(&mut net, "pre", 2)?, input(&mut net, "post", 1)?);
    let behaviours = (
        (Dense, WeightInitializer::zeros(), Proximal, Stdp::default()),
        (PreTrace::new(10.0).spike_scale(3.0), PostTrace::new(20.0)),
    );
    let projection = net.synapses(pre, post, behaviours)?;
    net.set_input(pre, &[1])?;
    net.set_input(post, &[0])?;
    for k in 1..=60 {
        net.step()?;
        let (x, y) = (net.state(projection, "pre_trace")?, net.state(projection, "post_trace")?);
        assert_eq!(x[0], 0.0);
        assert!(near(x[1], 3.0 * 0.95_f64.powi(k), 1e-5), "step {k}: {}", x[1]);
        assert!(near(y[0], 0.975_f64.powi(k), 1e-5), "step {k}: {}", y[0]);
    }
    // A second spike adds to what is left of the first.
    net.set_input(pre, &[1])?;
    net.step()?;
    let x = net.state(projection, "pre_trace")?[1];
    assert!(near(x, 3.0 * (0.95_f64.powi(61) + 0.95), 1e-5), "{x}");
    Ok(())
}

/// Lags from a pre-synaptic to a post-synaptic spike \[steps\].
fn lags() -> Vec<i64> {
    (-30..=30).collect()
}

/// The weight change of one pair of spikes, `lag` steps from the pre-synaptic one to the post-synaptic.
fn window(lag: i64, a_plus: f64, a_minus: f64, tau_pre: f64, tau_post: f64) -> f64 {
    let decayed = |tau: f64| (1.0 - 1.0 / tau).powi(lag.unsigned_abs() as i32 + 1);
    let potentiation = if lag >= 0 { a_plus * decayed(tau_pre) } else { 0.0 };
    let depression = if lag <= 0 { a_minus * decayed(tau_post) } else { 0.0 };
    potentiation - depression
}

const A_MINUS: f64 = 0.015;

/// The changes of all weights of a projection whose neurons fire once each, at the steps given.
fn changes<C: Bundle>(
    kind: C,
    a_minus: f64,
    pre: (Grid, &[i64]),
    post: (Grid, &[i64]),
) -> Result<ArrayD<Real>> {
    let mut net = network(1.0)?;
    let (source, target) = (input(&mut net, "pre", pre.0)?, input(&mut net, "post", post.0)?);
    let rule = (Stdp::new(0.02, a_minus as Real), PreTrace::new(8.0), PostTrace::new(14.0));
    let weights = WeightInitializer::constant(0.5);
    let projection = net.synapses(source, target, (kind, weights, Proximal, rule))?;
    let firing = |steps: &[i64], step| -> Vec<u32> {
        (0..).zip(steps).filter(|(_, at)| **at == step).map(|(neuron, _)| neuron).collect()
    };
    for step in 1..=100 {
        net.set_input(source, &firing(pre.1, step))?;
        net.set_input(target, &firing(post.1, step))?;
        net.step()?;
    }
    Ok(net.weights(projection)? - 0.5)
}

/// Compares changes with the learning window, lag by lag.
fn assert_window(kind: &str, given: &ArrayD<Real>) {
    assert_eq!(given.len(), 61, "{kind}");
    for (lag, change) in lags().into_iter().zip(given) {
        let expected = window(lag, 0.02, 0.015, 8.0, 14.0);
        assert!(
            (f64::from(*change) - expected).abs() < 2e-7,
            "{kind}, lag {lag}: {change}, expected {expected}"
        );
    }
}

#[test]
fn every_kind_of_synapse_learns_by_the_window_of_stdp() -> Result<()> {
    let one = Grid::new(1, 1, 1);
    let post: Vec<i64> = lags().iter().map(|lag| 50 + lag).collect();
    let pre: Vec<i64> = lags().iter().map(|lag| 50 - lag).collect();
    assert_window("Dense, one source", &changes(Dense, A_MINUS, (one, &[50]), (61.into(), &post))?);
    assert_window("Dense, one target", &changes(Dense, A_MINUS, (61.into(), &pre), (one, &[50]))?);
    assert_window("Sparse, one source", &changes(Sparse, A_MINUS, (one, &[50]), (61.into(), &post))?);
    assert_window("Sparse, one target", &changes(Sparse, A_MINUS, (61.into(), &pre), (one, &[50]))?);
    assert_window("One2One", &changes(One2One, A_MINUS, (61.into(), &[50; 61]), (61.into(), &post))?);
    let (kernel, planes) = (Conv2d::new(1, 1), Grid::new(61, 1, 1));
    assert_window("Conv2d, one source", &changes(kernel, A_MINUS, (one, &[50]), (planes, &post))?);
    assert_window("Conv2d, one target", &changes(kernel, A_MINUS, (planes, &pre), (one, &[50]))?);
    let local = Local2d::new(1, 1);
    assert_window("Local2d, one source", &changes(local, A_MINUS, (one, &[50]), (planes, &post))?);
    assert_window("Local2d, one target", &changes(local, A_MINUS, (planes, &pre), (one, &[50]))?);
    assert_window("Local2d, places", &changes(local, A_MINUS, (61.into(), &[50; 61]), (61.into(), &post))?);
    // 61 places share the one entry of the kernel, which changes by their mean.
    let shared = changes(kernel, A_MINUS, (61.into(), &[50; 61]), (61.into(), &post))?;
    let pairs = lags().len() as f64;
    // Within one plane each source meets only the target at its own place.
    let expected = lags().into_iter().map(|lag| window(lag, 0.02, 0.015, 8.0, 14.0)).sum::<f64>() / pairs;
    assert!((f64::from(shared[[0, 0, 0, 0]]) - expected).abs() < 1e-6, "{shared}, expected {expected}");
    Ok(())
}

#[test]
fn a_rule_without_depression_still_potentiates_at_coincidences() -> Result<()> {
    let one = Grid::new(1, 1, 1);
    let post: Vec<i64> = lags().iter().map(|lag| 50 + lag).collect();
    for given in [
        changes(Dense, 0.0, (one, &[50]), (61.into(), &post))?,
        changes(Sparse, 0.0, (one, &[50]), (61.into(), &post))?,
        changes(One2One, 0.0, (61.into(), &[50; 61]), (61.into(), &post))?,
        changes(Conv2d::new(1, 1), 0.0, (one, &[50]), (Grid::new(61, 1, 1), &post))?,
        changes(Local2d::new(1, 1), 0.0, (one, &[50]), (Grid::new(61, 1, 1), &post))?,
    ] {
        for (lag, change) in lags().into_iter().zip(&given) {
            let expected = window(lag, 0.02, 0.0, 8.0, 14.0);
            assert!((f64::from(*change) - expected).abs() < 2e-7, "lag {lag}: {change}, expected {expected}");
        }
    }
    Ok(())
}

#[test]
fn spikes_of_both_sides_in_one_step_bring_both_terms() -> Result<()> {
    let expected = 0.02 * (1.0 - 1.0 / 8.0) - 0.015 * (1.0 - 1.0 / 14.0);
    let one = Grid::new(1, 1, 1);
    for given in [
        changes(Dense, A_MINUS, (one, &[5]), (one, &[5]))?,
        changes(Sparse, A_MINUS, (one, &[5]), (one, &[5]))?,
        changes(One2One, A_MINUS, (one, &[5]), (one, &[5]))?,
        changes(Conv2d::new(1, 1), A_MINUS, (one, &[5]), (one, &[5]))?,
        changes(Local2d::new(1, 1), A_MINUS, (one, &[5]), (one, &[5]))?,
    ] {
        let given = given.sum();
        assert!((f64::from(given) - expected).abs() < 1e-7, "{given}, expected {expected}");
    }
    Ok(())
}

#[test]
fn learning_sees_a_post_synaptic_spike_its_destination_delay_later() -> Result<()> {
    let mut net = network(1.0)?;
    let pre = net.neurons("pre", 1, (InputSpikes::default(), NeuronAxon::new(3)))?;
    let post = net.neurons("post", 1, (InputSpikes::default(), NeuronAxon::new(5)))?;
    let delays = DelayInitializer::source(2).destination_delays(Delays::Given(vec![4]));
    let rule = (Stdp::new(0.02, 0.015), PreTrace::new(8.0), PostTrace::new(14.0));
    let behaviours = (One2One, WeightInitializer::constant(0.5), Proximal, delays, rule);
    let projection = net.synapses(pre, post, behaviours)?;
    // The source's spike of step 1 is caught at step 3, the target's of step 2 at step 6: a lag of 3.
    for step in 1..=10 {
        net.set_input(pre, if step == 1 { &[0] } else { &[] })?;
        net.set_input(post, if step == 2 { &[0] } else { &[] })?;
        net.step()?;
        assert_eq!(net.state(projection, "pre_spike")?, [Real::from(u8::from(step == 3))], "step {step}");
        assert_eq!(net.state(projection, "post_spike")?, [Real::from(u8::from(step == 6))], "step {step}");
    }
    let change = net.weights(projection)?.sum() - 0.5;
    assert!((f64::from(change) - window(3, 0.02, 0.015, 8.0, 14.0)).abs() < 1e-7, "{change}");
    Ok(())
}

#[test]
fn bounds_slow_each_side_of_learning_by_their_own_factor() -> Result<()> {
    let starts = [-0.2, 0.0, 0.3, 0.8, 1.2];
    let factor = |bound: Bound, w: f64| match bound {
        Bound::None => 1.0,
        Bound::Hard => f64::from(u8::from(w > 0.0 && w < 0.8)),
        Bound::Soft => w * (0.8 - w),
    };
    let bounds = [Bound::None, Bound::Hard, Bound::Soft];
    for (positive, negative) in bounds.into_iter().flat_map(|p| bounds.map(|n| (p, n))) {
        for lag in [2, -2] {
            let mut net = network(1.0)?;
            let (pre, post) = (input(&mut net, "pre", 5)?, input(&mut net, "post", 5)?);
            let stdp = Stdp::new(0.1, 0.07).w_min(0.0 as Real).w_max(0.8 as Real);
            let stdp = stdp.positive_bound(positive).negative_bound(negative);
            let given = Array1::from_iter(starts.map(|w| w as Real));
            let behaviours = (
                (One2One, WeightInitializer::vector(given), Proximal),
                (stdp, PreTrace::new(8.0), PostTrace::new(14.0)),
            );
            let projection = net.synapses(pre, post, behaviours)?;
            let (first, second) = if lag > 0 { (pre, post) } else { (post, pre) };
            net.set_input(first, &[0, 1, 2, 3, 4])?;
            net.run(2)?;
            net.set_input(second, &[0, 1, 2, 3, 4])?;
            net.step()?;
            let bound = if lag > 0 { positive } else { negative };
            for (w, start) in net.weights(projection)?.iter().zip(starts) {
                let start = f64::from(start as Real);
                let w_max_as_kept = if (start - 0.8).abs() < 1e-6 { 0.8 } else { start };
                let expected = start + window(lag, 0.1, 0.07, 8.0, 14.0) * factor(bound, w_max_as_kept);
                assert!(
                    (f64::from(*w) - expected).abs() < 1e-6,
                    "{bound:?} at {start}, lag {lag}: {w}, {expected}"
                );
            }
        }
    }
    Ok(())
}

/// Currents, potentials and weights of a network that learns for 300 steps.
fn learned<C: Component + Clone>(kind: C, weights: WeightInitializer) -> Result<Vec<f64>> {
    let mut net = network(1.0)?;
    let pre = input(&mut net, "pre", 40)?;
    let lif =
        (Lif::default().tau(5.0), SimpleDendriteStructure::default(), NeuronAxon::default(), Kwta::new(6));
    let post = net.neurons("post", 30, lif)?;
    let stdp = Stdp::new(0.02, 0.015).bounds(Bound::Soft);
    let behaviours = (
        (kind, weights, Proximal, stdp, PreTrace::new(8.0), PostTrace::new(14.0)),
        (WeightNormalization::new(12.0), WeightClip::new(0.0, 0.7), CurrentNormalization::new(14.0)),
    );
    let projection = net.synapses(pre, post, behaviours)?;
    let (mut lcg, mut all, mut spikes) = (Lcg(5), Vec::new(), 0);
    let mut note = |values: Vec<Real>| all.extend(values.into_iter().map(f64::from));
    for _ in 0..300 {
        net.set_input(pre, &lcg.some_of(40, 0.15))?;
        net.step()?;
        spikes += net.spikes(post)?.len();
        note(net.state(projection, "I")?);
        note(net.state(post, "v")?);
        note(net.state(projection, "weights")?);
    }
    assert!(spikes > 300, "only {spikes} spikes: nothing was learned");
    Ok(all)
}

/// Dense and sparse synapses do not sum all weights anew at the same steps, so rounding differs.
#[test]
fn sparse_synapses_of_density_one_compute_and_learn_as_dense_ones() -> Result<()> {
    let given = Lcg(11).matrix(40, 30);
    let dense = learned(Dense, WeightInitializer::matrix(given.clone()))?;
    let same = |a: &[f64], b: &[f64]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-5 * a.abs().max(1.0))
    };
    assert!(same(&dense, &learned(Sparse, WeightInitializer::matrix(given.clone()))?), "given dense");
    // The same weights as a sparse matrix, on both kinds of synapses.
    let sparse = sprs::CsMat::csr_from_dense(given.view(), -1.0);
    assert_eq!(sparse.nnz(), 1200);
    assert!(same(&dense, &learned(Sparse, WeightInitializer::sparse(&sparse))?), "given sparse");
    assert!(dense == learned(Dense, WeightInitializer::sparse(&sparse))?, "dense, given sparse");
    // Drawn weights follow the seed and the projection's name, whatever the kind.
    let drawn = WeightInitializer::uniform(0.1, 0.6);
    assert!(same(&learned(Dense, drawn.clone())?, &learned(Sparse, drawn.density(1.0))?), "drawn");
    Ok(())
}

#[test]
fn normalized_weights_sum_to_the_norm_after_every_step() -> Result<()> {
    let mut net = network(1.0)?;
    let norm = 2.5;
    let rule =
        || (Stdp::new(0.05, 0.02), PreTrace::new(8.0), PostTrace::new(14.0), WeightNormalization::new(norm));
    let (pre, post) = (input(&mut net, "pre", (1, 4, 5))?, input(&mut net, "post", (1, 4, 5))?);
    let planes = input(&mut net, "planes", (3, 2, 3))?;
    // Target 0 has only weights of 0, which no scaling can bring to a norm.
    let mut given = Lcg(2).matrix(20, 20);
    given.column_mut(0).fill(0.0);
    let weights = || WeightInitializer::uniform(0.0, 1.0);
    let dense = net.synapses(pre, post, (Dense, WeightInitializer::matrix(given), Proximal, rule()))?;
    let sparse = net.synapses(pre, post, (Sparse, weights().density(0.5), Proximal, rule()))?;
    let single = net.synapses(pre, post, (One2One, weights(), Proximal, rule()))?;
    let conv = net.synapses(pre, planes, (Conv2d::new(3, 3), weights(), Proximal, rule()))?;
    let mut lcg = Lcg(9);
    for step in 0..60 {
        net.set_input(pre, &lcg.some_of(20, 0.2))?;
        // Neuron 0 never fires, so its weights stay 0.
        net.set_input(post, &lcg.some_of(19, 0.2).iter().map(|j| j + 1).collect::<Vec<_>>())?;
        net.set_input(planes, &lcg.some_of(18, 0.2))?;
        net.step()?;
        let good = |sum: Real| near(sum, f64::from(norm), 1e-5);
        let sums = net.weights(dense)?.sum_axis(Axis(0));
        assert!(sums[0] == 0.0 && sums.iter().skip(1).all(|&s| good(s)), "step {step}: {sums}");
        let matrix =
            net.get::<conex::systems::synaptic_input::sparse::SparseSynapses>(sparse)?.to_csr().to_dense();
        let sums = matrix.sum_axis(Axis(0));
        assert!(sums.iter().all(|&s| good(s)), "step {step}: {sums}");
        assert!(good(net.weights(single)?.sum()), "step {step}");
        let kernels = net.weights(conv)?;
        assert!(kernels.outer_iter().all(|kernel| good(kernel.sum())), "step {step}");
    }
    Ok(())
}

#[test]
fn clipped_weights_stay_within_their_range() -> Result<()> {
    let mut net = network(1.0)?;
    let (pre, post) = (input(&mut net, "pre", 20)?, input(&mut net, "post", 20)?);
    let behaviours = (
        (Dense, WeightInitializer::uniform(-1.0, 2.0), Proximal, WeightClip::new(-0.25, 0.75)),
        (Stdp::new(0.4, 0.3), PreTrace::new(8.0), PostTrace::new(14.0)),
    );
    let projection = net.synapses(pre, post, behaviours)?;
    let mut lcg = Lcg(4);
    for step in 0..50 {
        net.set_input(pre, &lcg.some_of(20, 0.2))?;
        net.set_input(post, &lcg.some_of(20, 0.2))?;
        net.step()?;
        let weights = net.weights(projection)?;
        assert!(weights.iter().all(|w| (-0.25..=0.75).contains(w)), "step {step}");
        assert!(weights.iter().any(|w| *w == -0.25) && weights.iter().any(|w| *w == 0.75), "step {step}");
    }
    Ok(())
}

#[test]
fn frozen_weights_do_not_change_and_thawed_ones_do() -> Result<()> {
    let mut net = network(1.0)?;
    let (pre, post) = (input(&mut net, "pre", 6)?, input(&mut net, "post", 6)?);
    let rule = (Stdp::default(), PreTrace::new(8.0), PostTrace::new(14.0));
    let shape = (WeightNormalization::new(3.0), WeightClip::new(0.0, 0.5));
    let behaviours = (Dense, WeightInitializer::uniform(0.0, 1.0), Proximal, rule, shape);
    let projection = net.synapses(pre, post, behaviours)?;
    net.build()?;
    let start = net.weights(projection)?;
    let run = |net: &mut Neocortex| -> Result<ArrayD<Real>> {
        for _ in 0..5 {
            net.set_input(pre, &[0, 2, 4])?;
            net.set_input(post, &[1, 2, 3])?;
            net.step()?;
        }
        net.weights(projection)
    };
    net.set_learning(false);
    assert_eq!(run(&mut net)?, start);
    net.set_learning(true);
    assert_ne!(run(&mut net)?, start);
    Ok(())
}
