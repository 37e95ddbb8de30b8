//! `PowerLawStdp` against its equation, computed in double precision.

use super::*;
use conex::systems::Error::{ParameterNotFinite, ParameterRange};

const TAU_PRE: f64 = 16.0;
const TAU_POST: f64 = 24.0;

/// The rule in double precision.
#[derive(Clone, Copy, Debug)]
struct Law {
    lambda: f64,
    alpha: f64,
    mu: f64,
    w_0: f64,
}

impl Law {
    const PUBLISHED: Law = Law { lambda: 0.1, alpha: 0.11, mu: 0.4, w_0: 1.0 };

    fn rule(self) -> PowerLawStdp {
        let [lambda, alpha, mu, w_0] = [self.lambda, self.alpha, self.mu, self.w_0].map(|x| x as Real);
        PowerLawStdp { lambda, alpha, mu, w_0 }
    }

    /// The change at a post-synaptic spike.
    fn potentiation(self, w: f64, x: f64) -> f64 {
        self.lambda * self.w_0 * (w / self.w_0).powf(self.mu) * x
    }

    /// The change at a pre-synaptic spike.
    fn depression(self, w: f64, y: f64) -> f64 {
        -w * (self.lambda * self.alpha * y).min(1.0)
    }
}

/// The weights that start as given behind spikes of all sources at some steps, and of their target at others.
fn learned(
    kind: impl Bundle,
    rule: PowerLawStdp,
    given: &[f64],
    pre_steps: &[usize],
    post_steps: &[usize],
) -> Result<Vec<Real>> {
    let mut net = network(1.0)?;
    let n = given.len();
    let (pre, post) = (input(&mut net, "pre", n)?, input(&mut net, "post", 1)?);
    let weights = WeightInitializer::matrix(Array2::from_shape_fn((n, 1), |(i, _)| given[i] as Real));
    let traces = (PreTrace::new(TAU_PRE as Real), PostTrace::new(TAU_POST as Real));
    let projection = net.synapses(pre, post, (kind, weights, Proximal, rule, traces))?;
    let all: Vec<u32> = (0..n as u32).collect();
    for step in 1..=100 {
        net.set_input(pre, if pre_steps.contains(&step) { &all } else { &[] })?;
        net.set_input(post, if post_steps.contains(&step) { &[0] } else { &[] })?;
        net.step()?;
    }
    net.state(projection, "weights")
}

/// The same for dense and for sparse synapses.
fn learned_by_each_kind(
    rule: PowerLawStdp,
    given: &[f64],
    pre_steps: &[usize],
    post_steps: &[usize],
) -> Result<[(&'static str, Vec<Real>); 2]> {
    Ok([
        ("Dense", learned(Dense, rule, given, pre_steps, post_steps)?),
        ("Sparse", learned(Sparse, rule, given, pre_steps, post_steps)?),
    ])
}

/// A trace of one spike, `lag` steps behind it.
fn trace(tau: f64, lag: usize) -> f64 {
    (1.0 - 1.0 / tau).powi(lag as i32 + 1)
}

#[test]
fn a_pair_of_spikes_changes_a_weight_by_the_equation() -> Result<()> {
    let given = [0.1, 1.0, 50.0].map(|w| f64::from(w as Real));
    let other = Law { lambda: 0.03, alpha: 0.7, mu: 0.8, w_0: 5.0 };
    let straight = Law { mu: 0.0, w_0: 0.2, ..Law::PUBLISHED };
    for law in [Law::PUBLISHED, other, straight] {
        for lag in [1, 12] {
            let check = |first: &str, pre: usize, post: usize, change: &dyn Fn(f64) -> f64| -> Result<()> {
                for (kind, weights) in learned_by_each_kind(law.rule(), &given, &[pre], &[post])? {
                    assert_eq!(weights.len(), given.len());
                    for (after, w) in weights.into_iter().zip(given) {
                        // The sum rounds by 6e-8 of the weight, a change by as much at each step of its trace and a few times more.
                        let off = (f64::from(after) - w - change(w)).abs();
                        assert!(
                            off < 2e-7 * w + 3e-6 * change(w).abs(),
                            "{law:?}, {kind}, {first} first by {lag}: {w} became {after}, not {}",
                            w + change(w)
                        );
                    }
                }
                Ok(())
            };
            check("pre", 10, 10 + lag, &|w| law.potentiation(w, trace(TAU_PRE, lag)))?;
            check("post", 10 + lag, 10, &|w| law.depression(w, trace(TAU_POST, lag)))?;
        }
    }
    Ok(())
}

#[test]
fn depression_takes_no_more_than_there_is() -> Result<()> {
    let law = Law { lambda: 0.5, alpha: 4.0, ..Law::PUBLISHED };
    let given = [0.1, 1.0, 50.0].map(|w| f64::from(w as Real));
    assert!(law.lambda * law.alpha * trace(TAU_POST, 1) > 1.0, "the equation alone would go below 0");
    // A weight that has come to 0 is not potentiated by the target's later spikes.
    for later in [vec![10], vec![10, 13, 20]] {
        for (kind, weights) in learned_by_each_kind(law.rule(), &given, &[11, 19], &later)? {
            assert!(weights.iter().all(|w| *w == 0.0), "{kind}: {weights:?}");
        }
    }
    // Spikes of both sides in one step: all of the weight goes, and its potentiation stays.
    for (kind, weights) in learned_by_each_kind(law.rule(), &given, &[10], &[10])? {
        for (after, w) in weights.into_iter().zip(given) {
            let expected = law.potentiation(w, trace(TAU_PRE, 0));
            let off = (f64::from(after) - expected).abs();
            assert!(off < 2e-7 * w + 3e-6 * expected, "{kind}: {w} became {after}, not {expected}");
        }
    }
    Ok(())
}

#[test]
fn a_weight_of_zero_or_below_is_not_potentiated() -> Result<()> {
    let (pre, post): (Vec<usize>, Vec<usize>) = ((3..90).step_by(4).collect(), (5..90).step_by(3).collect());
    // A power of 0 is 1 for any weight but these.
    for mu in [0.0, 0.4, 1.0] {
        let rule = Law { mu, ..Law::PUBLISHED }.rule();
        assert_eq!(learned(Dense, rule, &[0.0, 0.0], &pre, &post)?, [0.0; 2], "mu {mu}");
        assert_eq!(learned(Dense, rule.alpha(0.0), &[0.0, -0.5], &pre, &post)?, [0.0, -0.5], "mu {mu}");
        let potentiated = learned(Dense, rule.alpha(0.0), &[0.5], &pre, &post)?;
        assert!(potentiated[0] > 1.0, "these spikes do potentiate: {potentiated:?}");
    }
    Ok(())
}

#[test]
fn many_spikes_with_delays_follow_a_twin_in_double_precision() -> Result<()> {
    const N_PRE: usize = 40;
    const N_POST: usize = 15;
    let strong = Law { lambda: 0.1, alpha: 1.0, mu: 0.7, w_0: 3.0 };
    for (law, dense) in [(Law::PUBLISHED, false), (strong, false), (strong, true)] {
        let mut lcg = Lcg(17);
        let mut given = Array2::zeros((N_PRE, N_POST));
        for w in &mut given {
            // From 0.05 to 50.
            if dense || lcg.next() < 0.4 {
                *w = (0.05 * 1000.0_f64.powf(lcg.next())) as Real;
            }
        }
        let mut twin = given.mapv(f64::from);
        let mut delays = |n: usize| -> Vec<usize> { (0..n).map(|_| (lcg.next() * 5.0) as usize).collect() };
        let (axonal, dendritic) = (delays(N_PRE), delays(N_POST));
        let mut net = network(1.0)?;
        let ends = || (InputSpikes::default(), NeuronAxon::new(6));
        let (pre, post) = (net.neurons("pre", N_PRE, ends())?, net.neurons("post", N_POST, ends())?);
        let steps = |delays: &[usize]| delays.iter().map(|d| *d as i64).collect::<Vec<i64>>();
        let behaviours = (
            (WeightInitializer::matrix(given.clone()), Proximal, law.rule()),
            (PreTrace::new(TAU_PRE as Real), PostTrace::new(TAU_POST as Real)),
            DelayInitializer::per_neuron(steps(&axonal), steps(&dendritic)),
        );
        let projection = match dense {
            true => net.synapses(pre, post, (Dense, behaviours))?,
            false => net.synapses(pre, post, (Sparse, behaviours))?,
        };
        let (mut x, mut y) = ([0.0; N_PRE], [0.0; N_POST]);
        let mut fired: Vec<[Vec<u32>; 2]> = Vec::new();
        for step in 0..2000 {
            let spikes = [lcg.some_of(N_PRE as u32, 0.04), lcg.some_of(N_POST as u32, 0.06)];
            net.set_input(pre, &spikes[0])?;
            net.set_input(post, &spikes[1])?;
            net.step()?;
            fired.push(spikes);
            let caught = |side: usize, neuron: usize, delay: usize| {
                step >= delay && fired[step - delay][side].contains(&(neuron as u32))
            };
            let caught_pre: [bool; N_PRE] = std::array::from_fn(|i| caught(0, i, axonal[i]));
            let caught_post: [bool; N_POST] = std::array::from_fn(|j| caught(1, j, dendritic[j]));
            let decayed =
                |x: f64, spikes: bool, tau: f64| (x + f64::from(u8::from(spikes))) * (1.0 - 1.0 / tau);
            x = std::array::from_fn(|i| decayed(x[i], caught_pre[i], TAU_PRE));
            y = std::array::from_fn(|j| decayed(y[j], caught_post[j], TAU_POST));
            for ((i, j), w) in twin.indexed_iter_mut().filter(|(_, w)| **w != 0.0) {
                let potentiation = if caught_post[j] { law.potentiation(*w, x[i]) } else { 0.0 };
                *w += potentiation + if caught_pre[i] { law.depression(*w, y[j]) } else { 0.0 };
            }
            if step % 400 != 399 {
                continue;
            }
            let weights = net.state(projection, "weights")?;
            let expected: Vec<f64> = twin.iter().copied().filter(|w| *w != 0.0).collect();
            assert_eq!(weights.len(), expected.len());
            let off = weights.iter().zip(&expected).map(|(w, e)| (f64::from(*w) - e).abs() / e);
            // Single precision rounds each of some 200 changes, and depression pulls errors back.
            let worst = off.fold(0.0, f64::max);
            assert!(worst < 1e-5, "{law:?}, step {step}: weights {worst:e} off");
        }
        let moved =
            given.iter().zip(&twin).filter(|(before, w)| (*w / f64::from(**before) - 1.0).abs() > 0.3);
        let synapses = given.iter().filter(|w| **w != 0.0).count();
        assert!(moved.count() > synapses / 3, "{law:?}: few weights have gone far");
    }
    Ok(())
}

#[test]
fn weights_settle_around_the_one_at_which_both_terms_balance() -> Result<()> {
    const N: usize = 20;
    // Independent spikes meet traces of rate·(tau − dt) on both sides, so that (w/w_0)^(mu − 1) = alpha at the balance.
    let law = Law { lambda: 0.05, w_0: 2.0, ..Law::PUBLISHED };
    let balance = law.w_0 * law.alpha.powf(1.0 / (law.mu - 1.0));
    for start in [3.0, 400.0] {
        let mut net = network(1.0)?;
        let (pre, post) = (input(&mut net, "pre", N)?, input(&mut net, "post", N)?);
        let traces = (PreTrace::new(20.0), PostTrace::new(20.0));
        let weights = WeightInitializer::constant(start);
        let projection = net.synapses(pre, post, (Dense, weights, Proximal, law.rule(), traces))?;
        let mut lcg = Lcg(5);
        for _ in 0..20_000 {
            net.set_input(pre, &lcg.some_of(N as u32, 0.06))?;
            net.set_input(post, &lcg.some_of(N as u32, 0.06))?;
            net.step()?;
        }
        let weights = net.weights(projection)?;
        let mean = weights.iter().map(|w| f64::from(*w)).sum::<f64>() / (N * N) as f64;
        assert!((mean / balance - 1.0).abs() < 0.1, "from {start}: mean {mean}, expected {balance}");
        let hump = 0.6 * balance..1.4 * balance;
        assert!(weights.iter().all(|w| hump.contains(&f64::from(*w))), "from {start}: {weights}");
    }
    Ok(())
}

#[test]
fn parameters_that_make_no_sense_are_refused_by_name() -> Result<()> {
    let rule = PowerLawStdp::default;
    for (named, rule) in [
        ("lambda", rule().lambda(-0.1)),
        ("alpha", rule().alpha(-1.0)),
        ("mu", rule().mu(Real::NAN)),
        ("mu", rule().mu(-0.4)),
        ("w_0", rule().w_0(0.0)),
        ("w_0", rule().w_0(Real::INFINITY)),
    ] {
        let mut net = network(1.0)?;
        let (pre, post) = (input(&mut net, "pre", 2)?, input(&mut net, "post", 2)?);
        let behaviours = (Dense, WeightInitializer::ones(), Proximal, rule);
        net.synapses(pre, post, (behaviours, PreTrace::new(20.0), PostTrace::new(20.0)))?;
        match net.build() {
            Err(conex::Error::Network(
                ParameterRange { group, behaviour, parameter, .. }
                | ParameterNotFinite { group, behaviour, parameter, .. },
            )) => {
                let given = [&group[..], &behaviour, &parameter];
                assert_eq!(given, ["pre -> post", "PowerLawStdp", named]);
            }
            other => panic!("{rule:?}: {other:?}"),
        }
    }
    Ok(())
}
