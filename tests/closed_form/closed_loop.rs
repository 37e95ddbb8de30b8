//! A network whose spikes follow from the weights that it learns for a reward, against its slow twin in double precision.
//!
//! One spike that differs would send both on different ways, and a potential that comes near enough to the threshold makes one
//! differ: 32-bit potentials are some 1e-6 off, and 10,000 steps of 24 neurons come as near as that. So the twin looks
//! ahead: input after which a potential would be within [`MARGIN`] of the threshold is drawn once more. The same goes for
//! spikes at a weight so near an end of a hard bound, which acts on one side of it only. What is left has to agree: every
//! spike of every step, and the weights as far as 32 bits carry.

use super::*;

const N_PRE: usize = 40;
const N_POST: usize = 24;
const STEPS: usize = 10_000;
/// How near potentials come to the threshold, and weights at spikes to the ends of a hard bound.
const MARGIN: f64 = 1e-3;
const TAU: f64 = 8.0;
const THRESHOLD: f64 = 1.0;
const V_RESET: f64 = -0.25;
const A_PLUS: f64 = 0.01;
const A_MINUS: f64 = 0.012;

/// What learns, and for how large a reward.
#[derive(Clone, Copy, Debug)]
struct Case {
    share: f64,
    bound: Bound,
    clip: Option<(f64, f64)>,
    payoff: f64,
}

/// Every synapse at every step, as BEHAVIOURS writes it.
#[derive(Clone)]
struct Twin {
    case: Case,
    r: f64,
    synapses: Vec<(usize, usize)>,
    w: Vec<f64>,
    c: Vec<f64>,
    v: [f64; N_POST],
    spikes: [bool; N_PRE],
    pre_trace: [f64; N_PRE],
    post_trace: [f64; N_POST],
    dopamine: f64,
}

impl Twin {
    /// The potentials of the next step, before any neuron fires.
    fn next_potentials(&self) -> [f64; N_POST] {
        let mut current = [0.0; N_POST];
        for (&(i, j), w) in self.synapses.iter().zip(&self.w) {
            current[j] += if self.spikes[i] { *w } else { 0.0 };
        }
        let mut v = self.v;
        v.iter_mut().zip(current).for_each(|(v, current)| *v += (self.r * current - *v) / TAU);
        v
    }

    fn bound(&self, w: f64) -> f64 {
        match self.case.bound {
            Bound::None => 1.0,
            Bound::Hard => f64::from(u8::from(w > 0.0 && w < 1.0)),
            Bound::Soft => w * (1.0 - w),
        }
    }

    /// Whether weight k is where a hard bound ends.
    fn is_at_end(&self, k: usize) -> bool {
        let near = |end: f64| (self.w[k] - end).abs() < MARGIN;
        self.case.bound == Bound::Hard && (near(0.0) || near(1.0))
    }

    /// Whether every 32-bit number is on the same side as ours, in this step and in the next.
    fn is_clear(&self, input: &[u32], payoff: f64) -> bool {
        let told = |i: usize| input.contains(&(i as u32));
        if (0..self.w.len()).any(|k| told(self.synapses[k].0) && self.is_at_end(k)) {
            return false;
        }
        let mut next = self.clone();
        next.step(input, payoff);
        let v = next.next_potentials();
        let fires_at_end = |k: usize| v[next.synapses[k].1] > THRESHOLD && next.is_at_end(k);
        v.iter().all(|v| (v - THRESHOLD).abs() > MARGIN) && !(0..next.w.len()).any(fires_at_end)
    }

    fn step(&mut self, input: &[u32], payoff: f64) -> Vec<u32> {
        self.dopamine += payoff - self.dopamine / 5.0;
        self.v = self.next_potentials();
        let fired = self.v.map(|v| v >= THRESHOLD);
        self.v.iter_mut().zip(fired).for_each(|(v, fired)| *v = if fired { V_RESET } else { *v });
        self.spikes = std::array::from_fn(|i| input.contains(&(i as u32)));
        let take_up =
            |x: &mut f64, fires: bool, tau: f64| *x = (*x + f64::from(u8::from(fires))) * (1.0 - 1.0 / tau);
        self.pre_trace.iter_mut().zip(self.spikes).for_each(|(x, fires)| take_up(x, fires, 8.0));
        self.post_trace.iter_mut().zip(fired).for_each(|(y, fires)| take_up(y, fires, 14.0));
        let (min, max) = self.case.clip.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        for (k, &(i, j)) in self.synapses.iter().enumerate() {
            let w = self.w[k];
            let potentiation = if fired[j] { A_PLUS * self.pre_trace[i] } else { 0.0 };
            let depression = if self.spikes[i] { A_MINUS * self.post_trace[j] } else { 0.0 };
            self.c[k] += (potentiation - depression) * self.bound(w) - self.c[k] / 20.0;
            self.w[k] = (w + self.c[k] * self.dopamine).clamp(min, max);
        }
        (0..N_POST as u32).filter(|&j| fired[j as usize]).collect()
    }
}

/// Runs both. Weights are compared with the largest size that they have had: each change is rounded to the size of then, so
/// that one which comes back to 0 brings along what was rounded off on its way.
fn follows_its_twin(case: Case) -> Result<()> {
    let mut lcg = Lcg(13);
    let all = (0..N_PRE).flat_map(|i| (0..N_POST).map(move |j| (i, j)));
    let synapses: Vec<(usize, usize)> = all.filter(|_| lcg.next() < case.share).collect();
    let mut given: Array2<Real> = Array2::zeros((N_PRE, N_POST));
    synapses.iter().for_each(|&pair| given[pair] = (0.15 + 0.7 * lcg.next()) as Real);
    let mut twin = Twin {
        case,
        r: 0.75 / case.share,
        w: synapses.iter().map(|&pair| f64::from(given[pair])).collect(),
        c: vec![0.0; synapses.len()],
        synapses,
        v: [0.0; N_POST],
        spikes: [false; N_PRE],
        pre_trace: [0.0; N_PRE],
        post_trace: [0.0; N_POST],
        dopamine: 0.0,
    };

    let mut net = network(1.0)?;
    net.set_dopamine(Dopamine::new(5.0).initial(0.0));
    let pre = input(&mut net, "pre", N_PRE)?;
    let lif = Lif::default()
        .tau(TAU as Real)
        .r(twin.r as Real)
        .threshold(THRESHOLD as Real)
        .v_reset(V_RESET as Real);
    let post =
        net.neurons("post", N_POST, (lif, SimpleDendriteStructure::default(), NeuronAxon::default()))?;
    let rule = Stdp::new(A_PLUS as Real, A_MINUS as Real).bounds(case.bound);
    let rule = (Rstdp::new(rule, 20.0), PreTrace::new(8.0), PostTrace::new(14.0));
    let behaviours = (WeightInitializer::matrix(given), Proximal, rule);
    let projection = match case.share < 1.0 {
        true => net.synapses(pre, post, (Sparse, behaviours))?,
        false => net.synapses(pre, post, (Dense, behaviours))?,
    };
    if let Some((min, max)) = case.clip {
        net.add(projection, WeightClip::new(min as Real, max as Real))?;
    }

    let (mut spikes, mut balance) = (0, 0.0);
    let (given, mut largest) = (twin.w.clone(), vec![0.0_f64; twin.w.len()]);
    for step in 1..=STEPS {
        // Half of the targets are paid for their spikes, the others have to pay.
        let payoff = case.payoff * (2.0 * lcg.next() - 1.0 + 0.3 * balance);
        let mut input = lcg.some_of(N_PRE as u32, 0.1);
        while !twin.is_clear(&input, payoff) {
            input = lcg.some_of(N_PRE as u32, 0.1);
        }
        net.set_input(pre, &input)?;
        net.set_payoff(payoff)?;
        net.step()?;
        let fired = twin.step(&input, payoff);
        assert_eq!(net.spikes(post)?, fired, "{case:?}, step {step}");
        spikes += fired.len();
        balance = fired.iter().map(|j| if j % 2 == 0 { 1.0 } else { -1.0 }).sum();
        largest.iter_mut().zip(&twin.w).for_each(|(largest, w)| *largest = largest.max(w.abs()));
        if step % 1000 == 0 {
            let weights = net.state(projection, "weights")?;
            assert_eq!(weights.len(), twin.w.len());
            let off = weights.iter().zip(&twin.w).map(|(w, t)| (f64::from(*w) - t).abs());
            let worst = off.zip(&largest).map(|(off, largest)| off / largest).fold(0.0, f64::max);
            assert!(worst < 1e-5, "{case:?}, step {step}: weights {worst:e} off");
        }
    }
    assert!(spikes > 2000, "{case:?}: only {spikes} spikes");
    let moved = twin.w.iter().zip(given).filter(|(w, given)| (**w - given).abs() > 0.02).count();
    assert!(moved > twin.w.len() / 10, "{case:?}: only {moved} weights have moved");
    Ok(())
}

#[test]
fn spikes_that_follow_from_rewarded_weights_are_those_of_the_twin_for_ten_thousand_steps() -> Result<()> {
    for bound in [Bound::None, Bound::Hard, Bound::Soft] {
        // Under a soft bound weights are slow.
        let free = if bound == Bound::Soft { 0.06 } else { 0.02 };
        for (clip, payoff) in [(None, free), (Some((0.1, 0.9)), 0.3)] {
            for share in [0.3, 1.0] {
                follows_its_twin(Case { share, bound, clip, payoff })?;
            }
        }
    }
    Ok(())
}
