//! Weights whose sums are read at each step, for normalization, and kernels, whose weights many synapses share, against a slow
//! oracle in double precision.

use super::*;
use conex::systems::synaptic_input::SynapticCurrent;

/// Which synapses there are, from 12 x 12 neurons, of a convolution from 3 x 12 x 12.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// To 8 x 8 neurons.
    Dense,
    /// 30 % of the same.
    Sparse,
    /// Kernels of 5 x 5 at 8 x 8 places.
    Local2d,
    One2One,
    /// To 4 channels of 8 x 8 places, all of a channel with one kernel of 3 x 5 x 5.
    Conv2d,
}

impl Kind {
    fn shapes(self) -> [(usize, usize, usize); 2] {
        match self {
            Kind::One2One => [(1, 12, 12); 2],
            Kind::Conv2d => [(3, 12, 12), (4, 8, 8)],
            _ => [(1, 12, 12), (1, 8, 8)],
        }
    }
}

/// What is scaled so that the weights of a target have a mean of a quarter.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Norm {
    Nothing,
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

/// STDP on synapses (i, j) of weight k, every one of them at every step.
struct Oracle {
    case: Case,
    synapses: Vec<(usize, usize, usize)>,
    /// Which weights are summed together, of each weight.
    fans: Vec<usize>,
    w: Vec<f64>,
    c: Vec<f64>,
    traces: [Vec<f64>; 2],
    dopamine: f64,
    norm: f64,
    /// How often a weight was clipped.
    clipped: usize,
}

impl Oracle {
    fn sums(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.traces[1].len()];
        self.fans.iter().zip(&self.w).for_each(|(&fan, w)| sums[fan] += w);
        sums
    }

    fn current(&self, spikes: &[u32]) -> Vec<f64> {
        let (sums, mut current) = (self.sums(), vec![0.0; self.traces[1].len()]);
        for &(_, j, k) in self.synapses.iter().filter(|(i, ..)| spikes.contains(&(*i as u32))) {
            let relative = matches!(self.case.norm, Norm::Currents | Norm::Both);
            current[j] += self.w[k] * if relative { self.norm / sums[self.fans[k]] } else { 1.0 };
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
        let spiked = |spikes: &[u32], n: usize| (0..n).map(|i| spikes.contains(&(i as u32))).collect();
        let spiked: [Vec<bool>; 2] = [spiked(pre, self.traces[0].len()), spiked(post, self.traces[1].len())];
        let mut changes = vec![0.0; self.w.len()];
        // A kernel's weight takes the mean over its places.
        let share = if self.case.kind == Kind::Conv2d { 1.0 / 64.0 } else { 1.0 };
        for &(i, j, k) in &self.synapses {
            let bound = match self.case.bound {
                Bound::None => 1.0,
                Bound::Hard => f64::from(u8::from(self.w[k] > 0.0 && self.w[k] < 1.0)),
                Bound::Soft => self.w[k] * (1.0 - self.w[k]),
            };
            let (potentiates, depresses) =
                (f64::from(u8::from(spiked[1][j])), f64::from(u8::from(spiked[0][i])));
            changes[k] += share
                * bound
                * (a_plus * self.traces[0][i] * potentiates - a_minus * self.traces[1][j] * depresses);
        }
        for (k, change) in changes.into_iter().enumerate() {
            match self.case.reward {
                None => self.w[k] += change,
                Some((_, tau_c)) => {
                    self.c[k] += change - self.c[k] / tau_c;
                    self.w[k] += self.c[k] * self.dopamine;
                }
            }
        }
        if matches!(self.case.norm, Norm::Weights | Norm::Both) {
            let sums = self.sums();
            self.fans.iter().zip(&mut self.w).for_each(|(&fan, w)| *w *= self.norm / sums[fan]);
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
        let grids = case.kind.shapes();
        let pre = input(&mut net, "pre", grids[0])?;
        let ends = (SimpleDendriteStructure::default(), NeuronAxon::default());
        let post = net.neurons("post", grids[1], (InputSpikes::default(), ends))?;
        let [n_pre, n_post] = grids.map(|(depth, height, width)| depth * height * width);
        let all = || (0..n_pre).flat_map(|i| (0..n_post).map(move |j| (i, j)));
        // What entry e of a kernel of 5 x 5 reads at place j of 8 x 8.
        let at = |j: usize, e: usize| (j / 8 + e / 5) * 12 + j % 8 + e % 5;
        let pairs: Vec<(usize, usize)> = match case.kind {
            Kind::Dense => all().collect(),
            Kind::Sparse => all().filter(|_| lcg.next() < 0.3).collect(),
            Kind::Local2d => (0..64 * 25).map(|k| (at(k / 25, k % 25), k / 25)).collect(),
            Kind::One2One => (0..144).map(|i| (i, i)).collect(),
            Kind::Conv2d => Vec::new(),
        };
        let mut synapses: Vec<_> = pairs.iter().enumerate().map(|(k, &(i, j))| (i, j, k)).collect();
        let mut fans: Vec<usize> = pairs.iter().map(|&(_, j)| j).collect();
        match case.kind {
            Kind::One2One => fans.fill(0),
            Kind::Conv2d => {
                fans.extend((0..300).map(|k| k / 75));
                synapses.extend((0..300).flat_map(|k| {
                    let (first, source) = (k / 75 * 64, k / 25 % 3 * 144);
                    (0..64).map(move |place| (source + at(place, k % 25), first + place, k))
                }));
            }
            _ => {}
        }
        // Most weights are near their mean, a few near the edges that they are clipped at in some cases.
        let w: Vec<Real> = (0..fans.len())
            .map(|k| match k % 40 {
                7 => 0.01,
                23 => 0.5,
                _ => (0.2 + 0.1 * lcg.next()) as Real,
            })
            .collect();
        let n_fans = fans.iter().max().map_or(0, |fan| fan + 1);
        let norm = MEAN * w.len() as f64 / n_fans as f64;
        let mut matrix: Array2<Real> = Array2::zeros((n_pre, n_post));
        pairs.iter().zip(&w).for_each(|(&pair, &w)| matrix[pair] = w);
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
            Kind::Conv2d => {
                let kernels = WeightInitializer::dense(vec![4, 3, 5, 5], w.clone());
                net.synapses(pre, post, (Conv2d::new(5, 5), kernels, traces))?
            }
        };
        let rule = Stdp::new(case.amplitudes.0 as Real, case.amplitudes.1 as Real).bounds(case.bound);
        match case.reward {
            None => net.add(projection, rule)?,
            Some((_, tau_c)) => net.add(projection, Rstdp::new(rule, tau_c as Real))?,
        }
        if matches!(case.norm, Norm::Weights | Norm::Both) {
            net.add(projection, WeightNormalization::new(norm as Real))?;
        }
        if matches!(case.norm, Norm::Currents | Norm::Both) {
            net.add(projection, CurrentNormalization::new(norm as Real))?;
        }
        if let Some((min, max)) = case.clip {
            net.add(projection, WeightClip::new(min as Real, max as Real))?;
        }
        net.set_dopamine(Dopamine::new(TAU_DOPAMINE).initial(0.0));
        let oracle = Oracle {
            case,
            c: vec![0.0; w.len()],
            synapses,
            fans,
            w: w.into_iter().map(f64::from).collect(),
            traces: [vec![0.0; n_pre], vec![0.0; n_post]],
            dopamine: 0.0,
            norm: f64::from(norm as Real),
            clipped: 0,
        };
        Ok(Pair { net, ends: [pre, post], projection, oracle, lcg, last: Vec::new() })
    }

    /// One step, in which such a share of neurons spikes.
    fn step(&mut self, share: f64) -> Result<()> {
        let [n_pre, n_post] = [0, 1].map(|side| self.oracle.traces[side].len() as u32);
        let spikes = [self.lcg.some_of(n_pre, share), self.lcg.some_of(n_post, share)];
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

const KINDS: [Kind; 5] = [Kind::Dense, Kind::Sparse, Kind::Local2d, Kind::One2One, Kind::Conv2d];
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
        for (bound, tau_c) in [
            (Bound::None, 40.0),
            (Bound::Soft, 150.0),
            (Bound::Hard, 2.5),
            (Bound::None, 1.2),
            (Bound::None, 1.0),
        ] {
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
    for norm in NORMS {
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

/// A spike changes the kernel entries that it meets, and each of them for all places.
#[test]
fn kernels_that_many_synapses_share_follow_the_mean_of_them() -> Result<()> {
    let (kind, norm, amplitudes) = (Kind::Conv2d, Norm::Nothing, (0.2, 0.24));
    for (bound, clip) in [(Bound::None, None), (Bound::Soft, None), (Bound::Hard, Some((0.0, 0.45)))] {
        run(Case { kind, norm, bound, amplitudes, clip, reward: None })?;
        for tau_c in [1.0, 2.5, 40.0] {
            run(Case { kind, norm, bound, amplitudes, clip, reward: Some((0.05, tau_c)) })?;
        }
    }
    Ok(())
}

/// Dopamine carries weights to an edge and back, of few synapses or many, slowly or at once.
#[test]
fn rewarded_weights_that_are_normalized_and_clipped_follow_it_too() -> Result<()> {
    let (mut met, amplitudes) = (0, AMPLITUDES);
    for (clip, most) in [((0.05, 0.55), 0.01), ((0.0, 0.6), 0.05), ((0.15, 0.35), 0.01)] {
        for (bound, tau_c, strength) in [
            (Bound::None, 40.0, 2.0),
            (Bound::Hard, 150.0, 1.0),
            (Bound::None, 2.5, 30.0),
            (Bound::Soft, 1.2, 60.0),
        ] {
            for (kind, norm) in
                KINDS.into_iter().flat_map(|kind| [Norm::Weights, Norm::Currents].map(|norm| (kind, norm)))
            {
                let (clip, reward) = (Some(clip), Some((most * strength, tau_c)));
                met += run(Case { kind, norm, bound, amplitudes, clip, reward })?.oracle.clipped;
            }
        }
    }
    assert!(met > 100_000, "only {met} times a weight met an edge");
    Ok(())
}

/// A neuron has no synapse onto itself: what stands in its place is 0, and no weight below the range.
#[test]
fn clipping_after_normalization_leaves_what_is_no_synapse_at_0() -> Result<()> {
    for reward in [None, Some(0.05)] {
        let mut net = network(1.0)?;
        let ends = (SimpleDendriteStructure::default(), NeuronAxon::default());
        let group = net.neurons("group", 40, (InputSpikes::default(), ends))?;
        let clip = WeightClip::new(0.15, 0.9);
        let behaviours = (Proximal, NoSelfConnections, PreTrace::new(8.0), PostTrace::new(14.0), clip);
        let weights = WeightInitializer::uniform(0.2, 0.3);
        let projection = net.synapses(group, group, (Dense, weights, behaviours))?;
        net.add(projection, WeightNormalization::new(39.0 * 0.25))?;
        match reward {
            None => net.add(projection, Stdp::new(0.01, 0.012))?,
            Some(_) => net.add(projection, Rstdp::new(Stdp::new(0.01, 0.012), 20.0))?,
        }
        net.set_dopamine(Dopamine::new(5.0).initial(0.0));
        let mut lcg = Lcg(3);
        for t in 0..200 {
            net.set_input(group, &lcg.some_of(40, 0.03))?;
            net.set_payoff(reward.unwrap_or(0.0))?;
            net.step()?;
            let weights = net.state(projection, "weights")?;
            for (k, w) in weights.iter().enumerate() {
                let is_sound = if k % 41 == 0 { *w == 0.0 } else { (0.15..=0.9).contains(w) };
                assert!(is_sound, "{reward:?}: weight {k} is {w} after step {t}");
            }
        }
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
        check(sparse, (Rstdp::new(stdp, 50.0), norm, WeightClip::new(0.0, 1.2)))?;
        check(sparse, (Rstdp::new(stdp, 50.0), CurrentNormalization::new(2.0)))?;
    }
    Ok(())
}
