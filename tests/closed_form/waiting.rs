//! Changes that wait until somebody needs the weights, against a slow oracle in double precision that makes all of them at
//! once.

use super::*;
use conex::systems::learning::SlowTraces;
use conex::systems::synaptic_input::Synapses;
use conex::systems::synaptic_input::dense::DenseSynapses;
use conex::systems::synaptic_input::local2d::Local2dSynapses;
use conex::systems::synaptic_input::sparse::SparseSynapses;

const N_PRE: usize = 70;
const N_POST: usize = 24;

/// Which synapses there are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Dense,
    Sparse,
    /// Kernels of 4 x 5 on a source of 7 x 10, a target of 4 x 6.
    Local2d,
}

/// What learns, and how.
#[derive(Clone, Copy, Debug)]
struct Case {
    bound: Bound,
    clip: Option<(f64, f64)>,
    /// The largest payoff of a step.
    payoff: Option<f64>,
    tau_c: f64,
    kind: Kind,
    pairing: Pairing,
    slow: Slow,
}

/// What slow traces do: they multiply by 1 and half of themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Slow {
    Nothing,
    /// They act on the changes at spikes of their own side, as in [`TripletStdp`].
    Triplets,
    /// The slow trace of the source acts on what spikes of the target change: [`Crossed`].
    Crossed,
}

const PLAIN: Case = Case {
    bound: Bound::None,
    clip: None,
    payoff: None,
    tau_c: 20.0,
    kind: Kind::Dense,
    pairing: Pairing::All,
    slow: Slow::Nothing,
};
const A_MINUS: f64 = 0.012;
/// Time constants of the slow traces.
const TAU_SLOW: [f64; 2] = [30.0, 45.0];
const TAU_DOPAMINE: f64 = 5.0;

/// STDP, behind a reward or not: every synapse at every step, as BEHAVIOURS writes it.
struct Oracle {
    case: Case,
    w: Array2<f64>,
    /// The largest size that each weight has had.
    largest: Array2<f64>,
    /// Each synapse, in the order of the stored weights.
    synapses: Vec<(usize, usize)>,
    c: Array2<f64>,
    a_plus: f64,
    pre_trace: Vec<f64>,
    post_trace: Vec<f64>,
    pre_slow: Vec<f64>,
    post_slow: Vec<f64>,
    dopamine: f64,
    frozen: bool,
}

/// Takes up spikes, then decays.
fn run(trace: &mut [f64], spikes: &[bool], tau: f64, pairing: Pairing) {
    for (x, &spikes) in trace.iter_mut().zip(spikes) {
        if spikes {
            *x = if pairing == Pairing::Nearest { 1.0 } else { *x + 1.0 };
        }
        *x -= *x / tau;
    }
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
        run(&mut self.pre_trace, &pre, 8.0, self.case.pairing);
        run(&mut self.post_trace, &post, 14.0, self.case.pairing);
        self.dopamine += payoff - self.dopamine / TAU_DOPAMINE;
        if !self.frozen {
            self.learn(&pre, &post);
        }
        // Rules see slow traces as they were before the spikes of the step.
        run(&mut self.pre_slow, &pre, TAU_SLOW[0], self.case.pairing);
        run(&mut self.post_slow, &post, TAU_SLOW[1], self.case.pairing);
    }

    fn learn(&mut self, pre: &[bool], post: &[bool]) {
        for &(i, j) in &self.synapses {
            let mut w = self.w[[i, j]];
            let mut change = 0.0;
            if post[j] {
                let slow = match self.case.slow {
                    Slow::Nothing => 0.0,
                    Slow::Triplets => self.post_slow[j],
                    Slow::Crossed => self.pre_slow[i],
                };
                change += self.a_plus * self.pre_trace[i] * (1.0 + slow / 2.0) * self.bound(w);
            }
            if pre[i] {
                let slow = if self.case.slow == Slow::Triplets { self.pre_slow[i] } else { 0.0 };
                change -= A_MINUS * self.post_trace[j] * (1.0 + slow / 2.0) * self.bound(w);
            }
            if self.case.payoff.is_some() {
                let c = &mut self.c[[i, j]];
                *c += change - *c / self.case.tau_c;
                w += *c * self.dopamine;
            } else {
                w += change;
            }
            let (min, max) = self.case.clip.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
            self.w[[i, j]] = w.clamp(min, max);
            self.largest[[i, j]] = self.largest[[i, j]].max(w.abs().min(max));
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
        let all = || (0..N_PRE).flat_map(|i| (0..N_POST).map(move |j| (i, j)));
        let synapses: Vec<(usize, usize)> = match case.kind {
            Kind::Dense => all().collect(),
            Kind::Sparse => all().filter(|_| lcg.next() < 0.3).collect(),
            Kind::Local2d => (0..N_POST * 20)
                .map(|k| (k / 20, k % 20))
                .map(|(j, entry)| ((j / 6 + entry / 5) * 10 + j % 6 + entry % 5, j))
                .collect(),
        };
        let mut given: Array2<Real> = Array2::zeros((N_PRE, N_POST));
        synapses.iter().for_each(|&pair| given[pair] = (0.15 + 0.7 * lcg.next()) as Real);
        let stored: Vec<Real> = synapses.iter().map(|&pair| given[pair]).collect();
        let oracle = Oracle {
            case,
            w: given.mapv(f64::from),
            largest: given.mapv(f64::from),
            synapses,
            c: Array2::zeros((N_PRE, N_POST)),
            a_plus: 0.01,
            pre_trace: vec![0.0; N_PRE],
            post_trace: vec![0.0; N_POST],
            pre_slow: vec![0.0; N_PRE],
            post_slow: vec![0.0; N_POST],
            dopamine: 0.0,
            frozen: false,
        };
        let mut net = Neocortex::with(Settings { threads, ..Default::default() })?;
        let pre = input(&mut net, "pre", (1, 7, 10))?;
        let drive = input(&mut net, "drive", N_POST)?;
        let ends = (SimpleDendriteStructure::default(), NeuronAxon::default());
        let post = net.neurons("post", (1, 4, 6), (Lif::default().tau(2.0).threshold(10.0), ends))?;
        net.synapses(drive, post, (One2One, WeightInitializer::constant(1000.0), Proximal))?;
        let traces = (PreTrace::new(8.0), PostTrace::new(14.0));
        let traces = match case.pairing {
            Pairing::All => traces,
            Pairing::Nearest => (traces.0.nearest(), traces.1.nearest()),
        };
        let behaviours = (Proximal, traces, CurrentCoef(0.001));
        let matrix = WeightInitializer::matrix(given);
        let projection = match case.kind {
            Kind::Dense => net.synapses(pre, post, (Dense, matrix, behaviours))?,
            Kind::Sparse => net.synapses(pre, post, (Sparse, matrix, behaviours))?,
            Kind::Local2d => {
                let kernels = WeightInitializer::dense(vec![1, N_POST, 20], stored);
                net.synapses(pre, post, (Local2d::new(4, 5), kernels, behaviours))?
            }
        };
        let rule = Stdp::new(0.01, A_MINUS as Real).bounds(case.bound);
        match case.slow {
            Slow::Nothing => learn_by(&mut net, projection, rule, case),
            Slow::Triplets => {
                let triplets = TripletStdp {
                    a2_plus: 0.01,
                    a3_plus: 0.005,
                    a2_minus: A_MINUS as Real,
                    a3_minus: A_MINUS as Real / 2.0,
                    tau_x: TAU_SLOW[0] as Real,
                    tau_y: TAU_SLOW[1] as Real,
                    ..TripletStdp::default()
                };
                learn_by(&mut net, projection, triplets.bounds(case.bound), case);
            }
            Slow::Crossed => {
                net.register_plasticity_rule::<Crossed>();
                learn_by(&mut net, projection, Crossed(rule), case);
            }
        }
        let mut group = net.world_mut().entity_mut(projection);
        if let Some((min, max)) = case.clip {
            group.insert(WeightClip::new(min as Real, max as Real));
        }
        net.set_dopamine(Dopamine::new(TAU_DOPAMINE).initial(0.0));
        Ok(Pair { net, pre, drive, post, projection, oracle, lcg, due: Vec::new() })
    }

    fn step(&mut self) -> Result<()> {
        let (input, next) = (self.lcg.some_of(N_PRE as u32, 0.04), self.lcg.some_of(N_POST as u32, 0.06));
        self.step_with(input, next)
    }

    /// A step with these spikes of the sources, and these of the targets in the next.
    fn step_with(&mut self, input: Vec<u32>, next: Vec<u32>) -> Result<()> {
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

    fn weights(&self) -> Result<Vec<Real>> {
        // In the order of the synapses.
        self.net.state(self.projection, "weights")
    }

    /// Grows with every change of the weights.
    fn version(&self) -> u64 {
        let group = self.net.world().entity(self.projection);
        let dense = group.get::<DenseSynapses>().map(|synapses| synapses.weights().version());
        let sparse = || group.get::<SparseSynapses>().map(|synapses| synapses.weights().version());
        let local = || group.get::<Local2dSynapses>().map(|synapses| synapses.weights().version());
        dense.or_else(sparse).or_else(local).unwrap_or_default()
    }

    /// By how much the engine is off at most, relative to what is expected, or to the synapse's `scale` where that is larger.
    fn worst(&self, given: &[Real], expected: &Array2<f64>, scale: impl Fn((usize, usize)) -> f64) -> f64 {
        assert_eq!(given.len(), self.oracle.synapses.len());
        let off = given.iter().zip(&self.oracle.synapses).map(|(given, &pair)| {
            (f64::from(*given) - expected[pair]).abs() / expected[pair].abs().max(scale(pair))
        });
        off.fold(0.0, f64::max)
    }

    /// Compares weights, and what waits for a reward, to a hundred-thousandth.
    ///
    /// Rewarded weights keep clear of 0 and are compared with their own size, if it is above 1e-3. Bare rules lead them through
    /// 0, where 32 bits carry what was rounded off when they were larger: those are compared with the largest size that they
    /// have had. An eligibility, which changes its sign all the time, is compared with one change.
    fn check(&self, when: &str) -> Result<()> {
        let (case, oracle) = (self.oracle.case, &self.oracle);
        let scale = |pair: (usize, usize)| if case.payoff.is_some() { 1e-3 } else { oracle.largest[pair] };
        let worst = self.worst(&self.weights()?, &oracle.w, scale);
        assert!(worst < 1e-5, "{case:?}, {when}: weights {worst:e} off");
        if case.payoff.is_some() {
            let worst = self.worst(&self.net.state(self.projection, "c")?, &oracle.c, |_| A_MINUS);
            assert!(worst < 1e-5, "{case:?}, {when}: eligibility {worst:e} off");
        }
        Ok(())
    }
}

fn learn_by(net: &mut Neocortex, projection: Entity, rule: impl PlasticityRule, case: Case) {
    let mut group = net.world_mut().entity_mut(projection);
    match case.payoff {
        Some(_) => group.insert(RewardModulated::new(rule, case.tau_c as Real)),
        None => group.insert(rule),
    };
}

/// [`Stdp`] of which the slow trace of the source enhances what spikes of the target change.
#[derive(Component, Clone, Copy, Debug)]
#[require(Plastic)]
struct Crossed(Stdp);

impl PlasticityRule for Crossed {
    fn on_pre_spike(&self, w: Real, traces: Traces) -> Real {
        self.0.on_pre_spike(w, traces)
    }

    fn on_post_spike(&self, w: Real, traces: Traces) -> Real {
        self.0.on_post_spike(w, traces) * (1.0 + traces.pre_slow / 2.0)
    }

    fn slow_traces(&self) -> Option<SlowTraces> {
        Some(SlowTraces { pre_tau: TAU_SLOW[0] as Real, post_tau: TAU_SLOW[1] as Real })
    }

    fn check(&self, projection: &str) -> conex::systems::Result<()> {
        self.0.check(projection)
    }
}

/// Without clipping a weight that strong dopamine has driven beyond a soft bound would grow without limit.
fn cases() -> impl Iterator<Item = Case> {
    let bounds = [Bound::None, Bound::Hard, Bound::Soft];
    let kinds = [Kind::Dense, Kind::Sparse, Kind::Local2d];
    let clips = [(None, 0.02), (Some((0.1, 0.9)), 0.3)];
    let free = kinds.into_iter().flat_map(move |kind| bounds.map(|bound| Case { kind, bound, ..PLAIN }));
    free.flat_map(move |case| {
        let clipped = clips.into_iter().map(move |(clip, payoff)| (Case { clip, ..case }, payoff));
        clipped.flat_map(|(case, payoff)| [case, Case { payoff: Some(payoff), ..case }])
    })
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
        let oracle = &pair.oracle;
        let far = |pair: &&(usize, usize)| (oracle.w[**pair] - 0.5).abs() > 0.3;
        let moved = oracle.synapses.iter().filter(far).count();
        assert!(moved > oracle.synapses.len() / 10, "{case:?}: only {moved} weights have gone far");
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
fn rules_with_slow_traces_wait_as_well() -> Result<()> {
    for slow in [Slow::Triplets, Slow::Crossed] {
        for bound in [Bound::None, Bound::Hard, Bound::Soft] {
            for kind in [Kind::Dense, Kind::Sparse] {
                for (clip, payoff, pairing) in [
                    (None, None, Pairing::All),
                    (None, Some(0.01), Pairing::All),
                    (Some((0.1, 0.9)), Some(0.1), Pairing::All),
                    (Some((0.1, 0.9)), Some(0.1), Pairing::Nearest),
                ] {
                    let case = Case { slow, bound, kind, clip, payoff, pairing, ..PLAIN };
                    let mut pair = Pair::new(case, 13, 1)?;
                    for t in 0..2000 {
                        pair.step()?;
                        if t % 499 == 0 {
                            pair.check(&format!("step {t}"))?;
                        }
                    }
                    pair.check("at the end")?;
                }
            }
        }
    }
    Ok(())
}

/// From what rows wait for down to what is swept while anything is eligible: below 1.5 for dense synapses, below 1 for others.
const SHORT: [f64; 5] = [5.0, 3.0, 1.6, 1.2, 0.8];

#[test]
fn eligibility_that_lasts_few_steps_waits_or_is_swept() -> Result<()> {
    for kind in [Kind::Dense, Kind::Sparse, Kind::Local2d] {
        for (tau_c, bound) in SHORT.into_iter().flat_map(|t| [(t, Bound::None), (t, Bound::Soft)]) {
            let clip = Some((0.1, 0.9));
            let mut pair = Pair::new(Case { kind, bound, tau_c, clip, payoff: Some(0.5), ..PLAIN }, 23, 1)?;
            for t in 0..1000 {
                pair.step()?;
                if t % 99 == 0 {
                    pair.check(&format!("step {t}"))?;
                }
            }
        }
    }
    Ok(())
}

#[test]
fn synapses_wake_up_after_a_long_silence() -> Result<()> {
    for kind in [Kind::Dense, Kind::Sparse, Kind::Local2d] {
        for (bound, tau_c) in [(Bound::None, 20.0), (Bound::Soft, 20.0), (Bound::Soft, 0.8)] {
            let clip = Some((0.1, 0.9));
            let mut pair = Pair::new(Case { kind, bound, clip, tau_c, payoff: Some(0.3), ..PLAIN }, 7, 1)?;
            pair.net.build()?;
            // Nothing is eligible at first, then some spikes are, then after 2,500 steps nothing is once more: what 32 bits can
            // hold has decayed within 88·tau_c.
            for active in [0, 400, 0, 400] {
                for _ in 0..active {
                    pair.step()?;
                }
                pair.check("before a silence")?;
                for silent in 0..2500 {
                    pair.step_with(Vec::new(), Vec::new())?;
                    if silent % 100 == 50 {
                        pair.check("in a silence")?;
                    }
                }
            }
            // What is swept is left alone then, and whoever watches the weights sees that they stand.
            if tau_c < 1.0 {
                let before = pair.version();
                pair.step_with(Vec::new(), Vec::new())?;
                assert!(pair.oracle.dopamine != 0.0);
                assert_eq!(pair.version(), before, "{kind:?}");
            }
            let silent = pair.net.state(pair.projection, "c")?.iter().all(|c| c.abs() <= Real::MIN_POSITIVE);
            assert!(cfg!(feature = "f64") || silent);
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
        Case { payoff: Some(0.1), clip: Some((0.2, 0.8)), kind: Kind::Sparse, ..PLAIN },
        Case { payoff: Some(0.1), kind: Kind::Local2d, ..PLAIN },
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
    let triplets = Case { slow: Slow::Triplets, ..rewarded[2] };
    let dense = rules.into_iter().chain(rewarded).chain([triplets]);
    for case in dense.flat_map(|case| [case, Case { kind: Kind::Sparse, ..case }]) {
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
                    } else if let Some(mut rule) = group.get_mut::<RewardModulated<TripletStdp>>() {
                        (rule.rule.a2_plus, rule.rule.a3_plus) = (0.02, 0.01);
                    } else if let Some(mut rule) = group.get_mut::<Stdp>() {
                        rule.a_plus = 0.02;
                    }
                }
                800 => {
                    let mut group = pair.net.world_mut().entity_mut(projection);
                    if let Some(mut synapses) = group.get_mut::<DenseSynapses>() {
                        synapses.weights_mut().values_mut()[..100].fill(0.5);
                    } else if let Some(mut synapses) = group.get_mut::<SparseSynapses>() {
                        synapses.weights_mut().values_mut()[..100].fill(0.5);
                    }
                    let first = pair.oracle.synapses.iter().take(100);
                    first.for_each(|&pair_of| pair.oracle.w[pair_of] = 0.5);
                }
                1000 => {
                    pair.net.reset_state();
                    pair.oracle.c.fill(0.0);
                    (pair.oracle.pre_trace, pair.oracle.post_trace) = (vec![0.0; N_PRE], vec![0.0; N_POST]);
                    (pair.oracle.pre_slow, pair.oracle.post_slow) = (vec![0.0; N_PRE], vec![0.0; N_POST]);
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

/// A network of a size that is shared among threads: its weights and eligibility, and its spikes.
fn large(kind: Kind, rule: impl Bundle, threads: usize) -> Result<(Vec<Real>, usize)> {
    let mut net = Neocortex::with(Settings { threads, ..Default::default() })?;
    let ends = (SimpleDendriteStructure::default(), NeuronAxon::default());
    let neuron = (Lif::default().r(4.0).tau(8.0).threshold(3.0), InherentNoise::uniform(0.0, 0.9), ends);
    let exc = net.neurons("exc", (1, 28, 25), neuron)?;
    let weights = WeightInitializer::uniform(0.0, 1.0);
    let traces = (PreTrace::new(10.0), PostTrace::new(12.0), WeightClip::default());
    let behaviours = (Proximal, traces, rule);
    let projection = match kind {
        Kind::Dense => {
            net.synapses(exc, exc, (Dense, weights, CurrentCoef(0.01), NoSelfConnections, behaviours))?
        }
        Kind::Sparse => {
            net.synapses(exc, exc, (Sparse, weights.density(0.3), CurrentCoef(0.03), behaviours))?
        }
        Kind::Local2d => {
            let kernels = Local2d::new(15, 15).padding(7);
            net.synapses(exc, exc, (kernels, weights, CurrentCoef(0.03), behaviours))?
        }
    };
    net.set_dopamine(Dopamine::new(5.0).initial(0.2));
    let mut spikes = 0;
    for t in 0..60 {
        net.set_payoff(0.1 * f64::from(t % 3 - 1))?;
        net.step()?;
        spikes += net.spikes(exc)?.len();
    }
    let mut learned = net.state(projection, "weights")?;
    assert!(kind != Kind::Dense || (0..700).all(|i| learned[i * 701] == 0.0));
    // A bare rule has no eligibility.
    learned.extend(net.state(projection, "c").unwrap_or_default());
    Ok((learned, spikes))
}

#[test]
fn weights_that_wait_have_the_same_bits_on_one_to_four_threads() -> Result<()> {
    fn check(kind: Kind, rule: impl Bundle + Clone) -> Result<()> {
        let expected = large(kind, rule.clone(), 1)?;
        assert!((2000..30_000).contains(&expected.1), "{kind:?}: {} spikes", expected.1);
        for threads in 2..=4 {
            assert!(large(kind, rule.clone(), threads)? == expected, "{kind:?}, {threads} threads");
        }
        Ok(())
    }
    let rule = Stdp::new(0.01, 0.012);
    check(Kind::Dense, rule)?;
    check(Kind::Dense, rule.bounds(Bound::Hard))?;
    check(Kind::Dense, rule.bounds(Bound::Soft))?;
    for kind in [Kind::Dense, Kind::Sparse, Kind::Local2d] {
        check(kind, Rstdp::new(rule, 50.0))?;
        check(kind, Rstdp::new(rule.bounds(Bound::Soft), 50.0))?;
    }
    Ok(())
}
