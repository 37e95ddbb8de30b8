//! Changes that wait until somebody needs the weights, against a slow oracle in double precision that makes all of them at
//! once.

use super::*;
use conex::systems::synaptic_input::Synapses;
use conex::systems::synaptic_input::dense::DenseSynapses;

const N_PRE: usize = 70;
const N_POST: usize = 24;

/// What learns, and how.
#[derive(Clone, Copy, Debug)]
struct Case {
    bound: Bound,
    clip: Option<(f64, f64)>,
    /// The largest payoff of a step.
    payoff: Option<f64>,
    sparse: bool,
    pairing: Pairing,
}

const PLAIN: Case =
    Case { bound: Bound::None, clip: None, payoff: None, sparse: false, pairing: Pairing::All };
const A_MINUS: f64 = 0.012;
const TAU_C: f64 = 20.0;
const TAU_DOPAMINE: f64 = 5.0;

/// Dense STDP, behind a reward or not: every synapse at every step, as BEHAVIOURS writes it.
struct Oracle {
    case: Case,
    w: Array2<f64>,
    is_synapse: Array2<bool>,
    c: Array2<f64>,
    a_plus: f64,
    pre_trace: Vec<f64>,
    post_trace: Vec<f64>,
    dopamine: f64,
    frozen: bool,
}

impl Oracle {
    fn bound(&self, w: f64) -> f64 {
        match self.case.bound {
            Bound::None => 1.0,
            Bound::Hard => f64::from(u8::from(w > 0.0 && w < 1.0)),
            Bound::Soft => w * (1.0 - w),
        }
    }

    fn step(&mut self, pre: &[u32], post: &[u32], payoff: f64) {
        let spiked = |spikes: &[u32], n: usize| -> Vec<bool> {
            (0..n).map(|i| spikes.contains(&(i as u32))).collect()
        };
        let (pre, post) = (spiked(pre, N_PRE), spiked(post, N_POST));
        for (trace, spikes, tau) in [(&mut self.pre_trace, &pre, 8.0), (&mut self.post_trace, &post, 14.0)] {
            for (x, &spikes) in trace.iter_mut().zip(spikes) {
                if spikes {
                    *x = if self.case.pairing == Pairing::Nearest { 1.0 } else { *x + 1.0 };
                }
                *x -= *x / tau;
            }
        }
        self.dopamine += payoff - self.dopamine / TAU_DOPAMINE;
        if self.frozen {
            return;
        }
        for (i, &fires) in pre.iter().enumerate() {
            for j in (0..N_POST).filter(|&j| self.is_synapse[[i, j]]) {
                let mut w = self.w[[i, j]];
                let mut change = 0.0;
                if post[j] {
                    change += self.a_plus * self.pre_trace[i] * self.bound(w);
                }
                if fires {
                    change -= A_MINUS * self.post_trace[j] * self.bound(w);
                }
                if self.case.payoff.is_some() {
                    let c = &mut self.c[[i, j]];
                    *c += change - *c / TAU_C;
                    w += *c * self.dopamine;
                } else {
                    w += change;
                }
                let (min, max) = self.case.clip.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
                self.w[[i, j]] = w.clamp(min, max);
            }
        }
    }
}

/// A network and its oracle, which are given the same spikes. Each target fires when its own input tells it to.
struct Pair {
    net: Neocortex,
    pre: Entity,
    drive: Entity,
    post: Entity,
    projection: Entity,
    oracle: Oracle,
    lcg: Lcg,
    due: Vec<u32>,
}

impl Pair {
    fn new(case: Case, seed: u64, threads: usize) -> Result<Self> {
        let mut lcg = Lcg(seed);
        let given = Array2::from_shape_fn((N_PRE, N_POST), |_| match case.sparse && lcg.next() < 0.7 {
            true => 0.0,
            false => (0.15 + 0.7 * lcg.next()) as Real,
        });
        let oracle = Oracle {
            case,
            w: given.mapv(f64::from),
            is_synapse: given.mapv(|w| w != 0.0),
            c: Array2::zeros((N_PRE, N_POST)),
            a_plus: 0.01,
            pre_trace: vec![0.0; N_PRE],
            post_trace: vec![0.0; N_POST],
            dopamine: 0.0,
            frozen: false,
        };
        let mut net = Neocortex::with(Settings { threads, ..Default::default() })?;
        let pre = input(&mut net, "pre", N_PRE)?;
        let drive = input(&mut net, "drive", N_POST)?;
        let ends = (SimpleDendriteStructure::default(), NeuronAxon::default());
        let post = net.neurons("post", N_POST, (Lif::default().tau(2.0).threshold(10.0), ends))?;
        net.synapses(drive, post, (One2One, WeightInitializer::constant(1000.0), Proximal))?;
        let traces = (PreTrace::new(8.0), PostTrace::new(14.0));
        let traces = match case.pairing {
            Pairing::All => traces,
            Pairing::Nearest => (traces.0.nearest(), traces.1.nearest()),
        };
        let behaviours = (WeightInitializer::matrix(given), Proximal, traces, CurrentCoef(0.001));
        let projection = match case.sparse {
            true => net.synapses(pre, post, (Sparse, behaviours))?,
            false => net.synapses(pre, post, (Dense, behaviours))?,
        };
        let rule = Stdp::new(0.01, A_MINUS as Real).bounds(case.bound);
        let mut group = net.world_mut().entity_mut(projection);
        match case.payoff {
            Some(_) => group.insert(Rstdp::new(rule, TAU_C as Real)),
            None => group.insert(rule),
        };
        if let Some((min, max)) = case.clip {
            group.insert(WeightClip::new(min as Real, max as Real));
        }
        net.set_dopamine(Dopamine::new(TAU_DOPAMINE).initial(0.0));
        Ok(Pair { net, pre, drive, post, projection, oracle, lcg, due: Vec::new() })
    }

    fn step(&mut self) -> Result<()> {
        let (input, next) = (self.lcg.some_of(N_PRE as u32, 0.04), self.lcg.some_of(N_POST as u32, 0.06));
        // Reward and punishment last a while, so that weights run along.
        let payoff = self.oracle.case.payoff.map_or(0.0, |most| most * (2.0 * self.lcg.next() - 1.0));
        self.net.set_input(self.pre, &input)?;
        self.net.set_input(self.drive, &next)?;
        self.net.set_payoff(payoff)?;
        self.net.step()?;
        let fired = self.net.spikes(self.post)?.to_vec();
        assert_eq!(fired, std::mem::replace(&mut self.due, next));
        self.oracle.step(&input, &fired, payoff);
        Ok(())
    }

    fn weights(&self) -> Result<Array2<Real>> {
        let weights = self.net.weights(self.projection)?;
        let mut stored = weights.iter();
        Ok(self
            .oracle
            .is_synapse
            .mapv(|is| if is { stored.next().copied().unwrap_or(Real::NAN) } else { 0.0 }))
    }

    /// Compares weights, and what waits for a reward.
    fn check(&self, when: &str) -> Result<()> {
        let case = self.oracle.case;
        let off = |given: Real, expected: f64| (f64::from(given) - expected).abs() / expected.abs().max(1.0);
        let weights = self.weights()?;
        let worst = weights.iter().zip(&self.oracle.w).map(|(w, o)| off(*w, *o)).fold(0.0, f64::max);
        assert!(worst < 1e-5, "{case:?}, {when}: weights {worst:e} off");
        if case.payoff.is_some() && !case.sparse {
            let c = self.net.state(self.projection, "c")?;
            let worst = c.iter().zip(&self.oracle.c).map(|(c, o)| off(*c, *o)).fold(0.0, f64::max);
            assert!(worst < 1e-5, "{case:?}, {when}: eligibility {worst:e} off");
        }
        Ok(())
    }
}

/// Without clipping a weight that strong dopamine has driven beyond a soft bound would grow without limit.
fn cases() -> impl Iterator<Item = Case> {
    let bounds = [Bound::None, Bound::Hard, Bound::Soft];
    let kinds = [(false, None), (true, None), (false, Some(0.02)), (true, Some(0.02))];
    let plain = bounds
        .into_iter()
        .flat_map(move |bound| kinds.map(|(sparse, payoff)| Case { bound, sparse, payoff, ..PLAIN }));
    let kinds = [(false, None), (true, None), (false, Some(0.3)), (true, Some(0.3))];
    plain.chain(bounds.into_iter().flat_map(move |bound| {
        kinds.map(|(sparse, payoff)| Case { bound, sparse, payoff, clip: Some((0.1, 0.9)), ..PLAIN })
    }))
}

#[test]
fn weights_that_wait_follow_a_dense_oracle_over_ten_thousand_steps() -> Result<()> {
    for case in cases() {
        let mut pair = Pair::new(case, 11, 1)?;
        for t in 1..=10_000 {
            pair.step()?;
            if t % 1999 == 0 {
                pair.check(&format!("step {t}"))?;
            }
        }
        pair.check("at the end")?;
        let moved = pair.oracle.w.iter().filter(|w| (**w - 0.5).abs() > 0.3).count();
        assert!(moved > 100, "{case:?}: only {moved} weights have gone far");
    }
    Ok(())
}

#[test]
fn traces_of_the_nearest_spike_wait_as_well() -> Result<()> {
    for payoff in [None, Some(0.1)] {
        for bound in [Bound::None, Bound::Soft] {
            let clip = Some((0.0, 1.0));
            let mut pair = Pair::new(Case { bound, payoff, clip, pairing: Pairing::Nearest, ..PLAIN }, 3, 1)?;
            for _ in 0..1000 {
                pair.step()?;
            }
            pair.check("at the end")?;
        }
    }
    Ok(())
}

#[test]
fn reading_weights_in_the_middle_of_learning_changes_nothing() -> Result<()> {
    for case in [
        PLAIN,
        Case { bound: Bound::Soft, ..PLAIN },
        Case { payoff: Some(0.1), clip: Some((0.2, 0.8)), ..PLAIN },
    ] {
        let (mut read, mut left_alone) = (Pair::new(case, 5, 1)?, Pair::new(case, 5, 1)?);
        for _ in 0..300 {
            read.step()?;
            left_alone.step()?;
            read.weights()?;
        }
        assert_eq!(read.weights()?, left_alone.weights()?, "{case:?}");
        let (c, expected) =
            (read.net.state(read.projection, "c"), left_alone.net.state(left_alone.projection, "c"));
        assert_eq!(c.ok(), expected.ok());
    }
    Ok(())
}

#[test]
fn what_is_done_to_a_learning_network_acts_from_then_on() -> Result<()> {
    let clip = Some((0.1, 0.9));
    let rules = [PLAIN, Case { bound: Bound::Hard, ..PLAIN }, Case { bound: Bound::Soft, clip, ..PLAIN }];
    let rewarded = rules.map(|case| Case { payoff: Some(0.05), clip, ..case });
    for case in rules.into_iter().chain(rewarded) {
        let mut pair = Pair::new(case, 9, 1)?;
        for t in 0..2000 {
            let projection = pair.projection;
            match t {
                // Frozen weights are read by the currents too.
                200 | 350 => {
                    pair.oracle.frozen = t == 200;
                    pair.net.set_learning(t != 200);
                }
                500 => {
                    pair.oracle.a_plus = 0.02;
                    let mut group = pair.net.world_mut().entity_mut(projection);
                    if let Some(mut rule) = group.get_mut::<Rstdp>() {
                        rule.rule.a_plus = 0.02;
                    } else if let Some(mut rule) = group.get_mut::<Stdp>() {
                        rule.a_plus = 0.02;
                    }
                }
                800 => {
                    let mut synapses =
                        pair.net.world_mut().get_mut::<DenseSynapses>(projection).expect("dense");
                    synapses.weights_mut().values_mut()[..100].fill(0.5);
                    pair.oracle.w.iter_mut().take(100).for_each(|w| *w = 0.5);
                }
                1000 => {
                    pair.net.reset_state();
                    pair.oracle.c.fill(0.0);
                    (pair.oracle.pre_trace, pair.oracle.post_trace) = (vec![0.0; N_PRE], vec![0.0; N_POST]);
                    // Spikes on their way and the concentration are lost as well.
                    (pair.due, pair.oracle.dopamine) = (Vec::new(), 0.0);
                    pair.net.set_payoff(0.0)?;
                }
                1300 | 1350 => {
                    pair.oracle.frozen = t == 1300;
                    match t {
                        1300 => pair.net.switch_off("Learning", projection)?,
                        _ => pair.net.switch_on("Learning", projection)?,
                    }
                }
                1600 if case.clip.is_some() => {
                    pair.oracle.case.clip = Some((0.3, 0.7));
                    pair.net.world_mut().entity_mut(projection).insert(WeightClip::new(0.3, 0.7));
                }
                _ => {}
            }
            pair.step()?;
            if [250, 499, 799, 999, 1299, 1599].contains(&t) {
                pair.check(&format!("after step {t}"))?;
            }
        }
        pair.check("at the end")?;
    }
    Ok(())
}

/// Follows [`Stdp`] but says nothing about it.
#[derive(Component, Clone, Copy, Debug)]
#[require(Plastic)]
struct Silent(Stdp);

impl PlasticityRule for Silent {
    fn on_pre_spike(&self, w: Real, traces: Traces) -> Real {
        self.0.on_pre_spike(w, traces)
    }

    fn on_post_spike(&self, w: Real, traces: Traces) -> Real {
        self.0.on_post_spike(w, traces)
    }

    fn check(&self, projection: &str) -> conex::systems::Result<()> {
        self.0.check(projection)
    }
}

#[test]
fn a_rule_that_says_nothing_of_itself_learns_as_one_that_does() -> Result<()> {
    for case in [PLAIN, Case { clip: Some((0.2, 0.8)), bound: Bound::Hard, ..PLAIN }] {
        let mut pair = Pair::new(case, 17, 1)?;
        pair.net.register_plasticity_rule::<Silent>();
        let mut group = pair.net.world_mut().entity_mut(pair.projection);
        if let Some(rule) = group.take::<Stdp>() {
            group.insert(Silent(rule));
        }
        for _ in 0..1000 {
            pair.step()?;
        }
        pair.check("at the end")?;
    }
    Ok(())
}

/// A network of a size that is shared among threads.
fn large(rule: impl Bundle, threads: usize) -> Result<(Vec<Real>, usize)> {
    let mut net = Neocortex::with(Settings { threads, ..Default::default() })?;
    let ends = (SimpleDendriteStructure::default(), NeuronAxon::default());
    let neuron = (Lif::default().r(4.0).tau(8.0).threshold(3.0), InherentNoise::uniform(0.0, 0.9), ends);
    let exc = net.neurons("exc", 700, neuron)?;
    let weights = WeightInitializer::uniform(0.0, 1.0);
    let traces = (PreTrace::new(10.0), PostTrace::new(12.0), WeightClip::default());
    let synapses = (Dense, weights, CurrentCoef(0.01), Proximal, NoSelfConnections);
    let projection = net.synapses(exc, exc, (synapses, traces, rule))?;
    net.set_dopamine(Dopamine::new(5.0).initial(0.2));
    let mut spikes = 0;
    for t in 0..60 {
        net.set_payoff(0.1 * f64::from(t % 3 - 1))?;
        net.step()?;
        spikes += net.spikes(exc)?.len();
    }
    let weights = net.get::<DenseSynapses>(projection)?.weights().values().to_vec();
    assert!((0..700).all(|i| weights[i * 701] == 0.0));
    Ok((weights, spikes))
}

#[test]
fn weights_that_wait_have_the_same_bits_on_one_to_four_threads() -> Result<()> {
    fn check(rule: impl Bundle + Clone) -> Result<()> {
        let expected = large(rule.clone(), 1)?;
        assert!((2000..30_000).contains(&expected.1), "{} spikes", expected.1);
        for threads in 2..=4 {
            assert!(large(rule.clone(), threads)? == expected, "{threads} threads");
        }
        Ok(())
    }
    let rule = Stdp::new(0.01, 0.012);
    check(rule)?;
    check(rule.bounds(Bound::Hard))?;
    check(rule.bounds(Bound::Soft))?;
    check(Rstdp::new(rule, 50.0))?;
    check(Rstdp::new(rule.bounds(Bound::Soft), 50.0))
}
