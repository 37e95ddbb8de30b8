//! Weights whose sums are read at each step, for normalization, against a slow oracle in double precision.

use super::*;
use conex::systems::synaptic_input::SynapticCurrent;

/// Which synapses there are, from 12 x 12 neurons.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// To 8 x 8 neurons.
    Dense,
    /// 30 % of the same.
    Sparse,
    /// Kernels of 5 x 5 at 8 x 8 places.
    Local2d,
    One2One,
}

/// What is scaled so that the weights of a target have a mean of a quarter.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Norm {
    Weights,
    Currents,
    Both,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    kind: Kind,
    norm: Norm,
    bound: Bound,
    /// How much pairs of spikes potentiate and depress.
    amplitudes: (f64, f64),
    clip: Option<(f64, f64)>,
    /// The largest payoff of a step, and how long an eligibility lasts.
    reward: Option<(f64, f64)>,
}

const MEAN: f64 = 0.25;
const AMPLITUDES: (f64, f64) = (0.01, 0.012);
const TAU_DOPAMINE: f64 = 5.0;

/// STDP on synapses (i, j), every one of them at every step.
struct Oracle {
    case: Case,
    synapses: Vec<(usize, usize)>,
    w: Vec<f64>,
    c: Vec<f64>,
    traces: [Vec<f64>; 2],
    dopamine: f64,
    norm: f64,
    /// How often a weight was clipped.
    clipped: usize,
}

impl Oracle {
    /// Which weights are summed with those to target j.
    fn fan(&self, j: usize) -> usize {
        if self.case.kind == Kind::One2One { 0 } else { j }
    }

    fn sums(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.traces[1].len()];
        self.synapses.iter().zip(&self.w).for_each(|(&(_, j), w)| sums[self.fan(j)] += w);
        sums
    }

    fn current(&self, spikes: &[u32]) -> Vec<f64> {
        let (sums, mut current) = (self.sums(), vec![0.0; self.traces[1].len()]);
        for (&(i, j), w) in self.synapses.iter().zip(&self.w) {
            if spikes.contains(&(i as u32)) {
                let relative = self.case.norm != Norm::Weights;
                current[j] += w * if relative { self.norm / sums[self.fan(j)] } else { 1.0 };
            }
        }
        current
    }

    fn step(&mut self, spikes: [&[u32]; 2], payoff: f64) {
        for (traces, (spikes, tau)) in self.traces.iter_mut().zip(spikes.into_iter().zip([8.0, 14.0])) {
            spikes.iter().for_each(|&i| traces[i as usize] += 1.0);
            traces.iter_mut().for_each(|x| *x -= *x / tau);
        }
        self.dopamine += payoff - self.dopamine / TAU_DOPAMINE;
        let ([pre, post], (a_plus, a_minus)) = (spikes, self.case.amplitudes);
        for (k, &(i, j)) in self.synapses.iter().enumerate() {
            let bound = match self.case.bound {
                Bound::None => 1.0,
                Bound::Hard => f64::from(u8::from(self.w[k] > 0.0 && self.w[k] < 1.0)),
                Bound::Soft => self.w[k] * (1.0 - self.w[k]),
            };
            let potentiates = f64::from(u8::from(post.contains(&(j as u32))));
            let depresses = f64::from(u8::from(pre.contains(&(i as u32))));
            let change =
                bound * (a_plus * self.traces[0][i] * potentiates - a_minus * self.traces[1][j] * depresses);
            match self.case.reward {
                None => self.w[k] += change,
                Some((_, tau_c)) => {
                    self.c[k] += change - self.c[k] / tau_c;
                    self.w[k] += self.c[k] * self.dopamine;
                }
            }
        }
        if self.case.norm != Norm::Currents {
            let sums = self.sums();
            for k in 0..self.w.len() {
                self.w[k] *= self.norm / sums[self.fan(self.synapses[k].1)];
            }
        }
        let (min, max) = self.case.clip.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        for w in &mut self.w {
            self.clipped += usize::from(*w < min || *w > max);
            *w = w.clamp(min, max);
        }
    }
}

/// A network and its oracle: both sides are inputs that spike as they are told.
struct Pair {
    net: Neocortex,
    ends: [Entity; 2],
    projection: Entity,
    oracle: Oracle,
    lcg: Lcg,
    last: Vec<u32>,
}

impl Pair {
    fn new(case: Case) -> Result<Self> {
        let (mut net, mut lcg) = (network(1.0)?, Lcg(5));
        let grid = if case.kind == Kind::One2One { (1, 12, 12) } else { (1, 8, 8) };
        let pre = input(&mut net, "pre", (1, 12, 12))?;
        let ends = (SimpleDendriteStructure::default(), NeuronAxon::default());
        let post = net.neurons("post", grid, (InputSpikes::default(), ends))?;
        let n_post = grid.1 * grid.2;
        let all = || (0..144).flat_map(|i| (0..n_post).map(move |j| (i, j)));
        let synapses: Vec<(usize, usize)> = match case.kind {
            Kind::Dense => all().collect(),
            Kind::Sparse => all().filter(|_| lcg.next() < 0.3).collect(),
            Kind::Local2d => (0..64 * 25)
                .map(|k| (k / 25, k % 25))
                .map(|(j, entry)| ((j / 8 + entry / 5) * 12 + j % 8 + entry % 5, j))
                .collect(),
            Kind::One2One => (0..144).map(|i| (i, i)).collect(),
        };
        let w: Vec<Real> = synapses.iter().map(|_| (0.1 + 0.3 * lcg.next()) as Real).collect();
        let fans = if case.kind == Kind::One2One { 1 } else { n_post };
        let norm = MEAN * synapses.len() as f64 / fans as f64;
        let mut matrix: Array2<Real> = Array2::zeros((144, n_post));
        synapses.iter().zip(&w).for_each(|(&pair, &w)| matrix[pair] = w);
        let matrix = WeightInitializer::matrix(matrix);
        let traces = (Proximal, PreTrace::new(8.0), PostTrace::new(14.0));
        let projection = match case.kind {
            Kind::Dense => net.synapses(pre, post, (Dense, matrix, traces))?,
            Kind::Sparse => net.synapses(pre, post, (Sparse, matrix, traces))?,
            Kind::Local2d => {
                let kernels = WeightInitializer::dense(vec![1, 64, 25], w.clone());
                net.synapses(pre, post, (Local2d::new(5, 5), kernels, traces))?
            }
            Kind::One2One => {
                let weights = WeightInitializer::dense(vec![144], w.clone());
                net.synapses(pre, post, (One2One, weights, traces))?
            }
        };
        let rule = Stdp::new(case.amplitudes.0 as Real, case.amplitudes.1 as Real).bounds(case.bound);
        match case.reward {
            None => net.add(projection, rule)?,
            Some((_, tau_c)) => net.add(projection, Rstdp::new(rule, tau_c as Real))?,
        }
        if case.norm != Norm::Currents {
            net.add(projection, WeightNormalization::new(norm as Real))?;
        }
        if case.norm != Norm::Weights {
            net.add(projection, CurrentNormalization::new(norm as Real))?;
        }
        if let Some((min, max)) = case.clip {
            net.add(projection, WeightClip::new(min as Real, max as Real))?;
        }
        net.set_dopamine(Dopamine::new(TAU_DOPAMINE).initial(0.0));
        let oracle = Oracle {
            case,
            c: vec![0.0; synapses.len()],
            synapses,
            w: w.into_iter().map(f64::from).collect(),
            traces: [vec![0.0; 144], vec![0.0; n_post]],
            dopamine: 0.0,
            norm: f64::from(norm as Real),
            clipped: 0,
        };
        Ok(Pair { net, ends: [pre, post], projection, oracle, lcg, last: Vec::new() })
    }

    /// One step, in which such a share of neurons spikes.
    fn step(&mut self, share: f64) -> Result<()> {
        let n_post = self.oracle.traces[1].len() as u32;
        let spikes = [self.lcg.some_of(144, share), self.lcg.some_of(n_post, share)];
        self.step_with(spikes)
    }

    fn step_with(&mut self, spikes: [Vec<u32>; 2]) -> Result<()> {
        let payoff = self.oracle.case.reward.map_or(0.0, |(most, _)| most * (2.0 * self.lcg.next() - 1.0));
        for (end, spikes) in self.ends.iter().zip(&spikes) {
            self.net.set_input(*end, spikes)?;
        }
        self.net.set_payoff(payoff)?;
        let expected = self.oracle.current(&self.last);
        self.net.step()?;
        let current = self.net.get::<SynapticCurrent>(self.projection)?;
        for (j, (given, expected)) in current.values.iter().zip(expected).enumerate() {
            let off = (f64::from(*given) - expected).abs() / expected.abs().max(MEAN);
            assert!(off < 1e-5, "{:?}: current {j} is {given}, not {expected}", self.oracle.case);
        }
        let [pre, post] = &spikes;
        self.oracle.step([pre, post], payoff);
        let [pre, _] = spikes;
        self.last = pre;
        Ok(())
    }

    /// Compares weights, with their mean where they are smaller, and eligibilities, with one change.
    fn check(&self, when: &str) -> Result<()> {
        let case = self.oracle.case;
        let state = |name: &str| self.net.state(self.projection, name);
        let worst = |given: Vec<Real>, expected: &[f64], scale: f64| {
            assert_eq!(given.len(), expected.len());
            let off = given.iter().zip(expected).map(|(g, e)| (f64::from(*g) - e).abs() / e.abs().max(scale));
            off.fold(0.0, f64::max)
        };
        let off = worst(state("weights")?, &self.oracle.w, MEAN);
        assert!(off < 1e-5, "{case:?}, {when}: weights {off:e} off");
        if case.reward.is_some() {
            let off = worst(state("c")?, &self.oracle.c, case.amplitudes.1);
            assert!(off < 1e-5, "{case:?}, {when}: eligibility {off:e} off");
        }
        if let Some((min, max)) = case.clip {
            let within = |w: &Real| *w >= min as Real && *w <= max as Real;
            assert!(state("weights")?.iter().all(within), "{case:?}, {when}");
        }
        Ok(())
    }
}

/// Little activity, in which spikes are followed one by one; much of it for a while, in which all weights are; silence.
fn run(case: Case) -> Result<Pair> {
    let mut pair = Pair::new(case)?;
    for t in 1..=1500 {
        pair.step(match t {
            600..900 => 0.0,
            1000..1020 => 0.3,
            _ => 0.012,
        })?;
        if t % 99 == 0 {
            pair.check(&format!("step {t}"))?;
        }
    }
    pair.check("at the end")?;
    Ok(pair)
}

const KINDS: [Kind; 4] = [Kind::Dense, Kind::Sparse, Kind::Local2d, Kind::One2One];
const NORMS: [Norm; 3] = [Norm::Weights, Norm::Currents, Norm::Both];

#[test]
fn normalized_weights_follow_an_oracle_that_sums_all_at_each_step() -> Result<()> {
    for (kind, norm) in KINDS.into_iter().flat_map(|kind| NORMS.map(|norm| (kind, norm))) {
        for bound in [Bound::None, Bound::Soft] {
            run(Case { kind, norm, bound, amplitudes: AMPLITUDES, clip: None, reward: None })?;
        }
    }
    Ok(())
}

#[test]
fn rewarded_weights_that_are_normalized_follow_it_too() -> Result<()> {
    for (kind, norm) in KINDS.into_iter().flat_map(|kind| NORMS.map(|norm| (kind, norm))) {
        for (bound, tau_c) in
            [(Bound::None, 40.0), (Bound::Soft, 150.0), (Bound::Hard, 2.5), (Bound::None, 1.2)]
        {
            run(Case { kind, norm, bound, amplitudes: AMPLITUDES, clip: None, reward: Some((0.05, tau_c)) })?;
        }
    }
    Ok(())
}

#[test]
fn clipping_after_normalization_meets_few_weights_or_many() -> Result<()> {
    for clip in [(0.0, 0.45), (0.15, 0.35), (0.2, 2.0)] {
        for kind in [Kind::Dense, Kind::Sparse, Kind::Local2d] {
            let norm = Norm::Weights;
            let case = Case {
                kind,
                norm,
                bound: Bound::None,
                amplitudes: AMPLITUDES,
                clip: Some(clip),
                reward: None,
            };
            let met = run(case)?.oracle.clipped;
            assert!(met > 200, "{case:?}: only {met} times a weight met an edge");
        }
    }
    let reward = Some((0.05, 40.0));
    for norm in NORMS {
        run(Case {
            kind: Kind::Dense,
            norm,
            bound: Bound::None,
            amplitudes: AMPLITUDES,
            clip: Some((0.0, 0.45)),
            reward,
        })?;
        run(Case {
            kind: Kind::Sparse,
            norm,
            bound: Bound::None,
            amplitudes: AMPLITUDES,
            clip: Some((0.0, 0.45)),
            reward: None,
        })?;
    }
    Ok(())
}

/// What is stored of a weight must not run away from it.
#[test]
fn weights_that_are_scaled_down_at_each_step_stay_exact() -> Result<()> {
    for (kind, norm) in [(Kind::Dense, Norm::Weights), (Kind::Sparse, Norm::Both)] {
        let amplitudes = (1.0, 0.0);
        let mut pair =
            Pair::new(Case { kind, norm, bound: Bound::None, amplitudes, clip: None, reward: None })?;
        for t in 0..400 {
            // Sums grow by a fifth and are scaled down by as much: 10^31 in all.
            pair.step_with([vec![t % 144], vec![0]])?;
            pair.check(&format!("step {t}"))?;
        }
    }
    Ok(())
}

#[test]
fn what_is_done_to_normalized_weights_acts_from_then_on() -> Result<()> {
    use conex::systems::synaptic_input::{Synapses, dense::DenseSynapses};
    for reward in [None, Some((0.05, 40.0))] {
        let mut pair = Pair::new(Case {
            kind: Kind::Dense,
            norm: Norm::Both,
            bound: Bound::None,
            amplitudes: AMPLITUDES,
            clip: None,
            reward,
        })?;
        for t in 0..400 {
            match t {
                100 => {
                    let mut group = pair.net.world_mut().entity_mut(pair.projection);
                    let mut synapses = group.get_mut::<DenseSynapses>().expect("it is dense");
                    synapses.weights_mut().values_mut()[..500].fill(0.5);
                    pair.oracle.w[..500].fill(0.5);
                }
                200 => {
                    pair.oracle.norm *= 0.5;
                    let norm = pair.oracle.norm as Real;
                    pair.net.world_mut().entity_mut(pair.projection).insert(WeightNormalization::new(norm));
                    pair.net.world_mut().entity_mut(pair.projection).insert(CurrentNormalization::new(norm));
                }
                _ => {}
            }
            pair.step(if t == 200 { 0.0 } else { 0.012 })?;
            // Weights are read in the middle of it too.
            if t % 50 == 49 || t == 200 {
                pair.check(&format!("step {t}"))?;
            }
        }
    }
    Ok(())
}

#[test]
fn normalized_weights_have_the_same_bits_on_one_to_four_threads() -> Result<()> {
    fn learned(sparse: bool, rule: impl Bundle, threads: usize) -> Result<Vec<Real>> {
        let mut net = Neocortex::with(Settings { threads, ..Default::default() })?;
        let ends = (SimpleDendriteStructure::default(), NeuronAxon::default());
        let group = net.neurons("group", 900, (InputSpikes::default(), ends))?;
        let weights = WeightInitializer::uniform(0.0, 1.0);
        let behaviours = (Proximal, NoSelfConnections, PreTrace::new(8.0), PostTrace::new(14.0), rule);
        let projection = match sparse {
            false => net.synapses(group, group, (Dense, weights, behaviours))?,
            true => net.synapses(group, group, (Sparse, weights.density(0.4), behaviours))?,
        };
        net.set_dopamine(Dopamine::new(5.0).initial(0.2));
        let mut lcg = Lcg(8);
        for _ in 0..60 {
            net.set_input(group, &lcg.some_of(900, 0.015))?;
            net.set_payoff(0.1 * (2.0 * lcg.next() - 1.0))?;
            net.step()?;
        }
        let mut learned = net.state(projection, "weights")?;
        assert!(sparse || (0..900).all(|i| learned[i * 901] == 0.0));
        learned.extend(net.state(projection, "c").unwrap_or_default());
        Ok(learned)
    }
    fn check(sparse: bool, rule: impl Bundle + Clone) -> Result<()> {
        let expected = learned(sparse, rule.clone(), 1)?;
        for threads in 2..=4 {
            assert!(learned(sparse, rule.clone(), threads)? == expected, "{threads} threads");
        }
        Ok(())
    }
    let (stdp, norm) = (Stdp::new(0.01, 0.012), WeightNormalization::new(300.0));
    for sparse in [false, true] {
        check(sparse, (stdp, norm))?;
        check(sparse, (stdp, norm, WeightClip::new(0.0, 1.2)))?;
        check(sparse, (Rstdp::new(stdp, 50.0), norm))?;
        check(sparse, (Rstdp::new(stdp, 50.0), CurrentNormalization::new(2.0)))?;
    }
    Ok(())
}
