//! Synapses whose weights are summed at each step, for normalization, and are touched for spikes only.
//!
//! The weights to a target form a fan ([`FanIn`]). What is stored is v, and the weight is w = s·v with one factor s a fan. The
//! sum of all v of a fan is kept: what a spike changes is added to it, as it is stored, in double precision, so that it
//! stays the sum. To normalize is to set s to norm / Σv then, whatever the number of synapses.
//!
//! Behind a reward all weights of a fan move at each step. With μ what the eligibility c keeps of itself each step, t steps
//! after all was last brought up, ĉ = μ^(−t)·c changes at spikes only, and the weight is w = s·(v + ĉ·G), where dopamine adds
//! μ^t·D/s to G, one number a fan. A spike that notes e in c changes ĉ by δ = μ^(−t)·e and v by −δ·G, so that the dopamine of
//! earlier steps does not act on it. The fan's weights sum to s·(Σv + G·Σĉ). Every so often, before μ^(−t) has grown
//! large, whatever is eligible is brought up: v takes ĉ·G, and ĉ becomes c.

use super::super::Reward;
use super::blocks::Blocks;
use super::edges::Edges;
use super::fans::{Fans, Part, Summed};
use crate::Real;
use crate::kernels::fan_in::{add_products, bring_up, settle};
use crate::weights::{FanIn, Held, Pending, Weights};
use std::ops::Range;

/// Synapses whose fans are summed.
#[derive(Clone, Debug)]
pub(crate) struct SummedSynapses {
    fans: Fans,
    /// Σv of each fan.
    sums: Vec<f64>,
    /// The version of the weights that these are the sums of; none where they have to be summed anew.
    version: Option<u64>,
    /// What is known beside, behind a reward.
    rewarded: Option<Account>,
    /// Whether a weight differs from what is stored.
    is_due: bool,
    /// For so many steps of learning more they are changed in place, for too many are near an edge or eligible for short.
    rest: u32,
    part: Part,
}

/// What is known of eligibilities.
#[derive(Clone, Debug)]
struct Account {
    decay: Real,
    /// So many steps all that is eligible may wait until it is brought up.
    longest: u32,
    /// Σĉ of each fan.
    sums: Vec<f64>,
    /// μ^t.
    kept: f64,
    /// t.
    steps: u32,
    /// Whether anything is eligible.
    anything: bool,
}

/// Factors stay within these bounds: beyond, v would say less and less of a weight.
const FACTORS: Range<f64> = 1e-6..1e6;

/// Steps of learning in place, where that is less.
const REST: u32 = 256;

/// How many steps an eligibility may wait of which such a part decays each step, so that μ^(−t) stays small, and with it what
/// rounding makes of ĉ·G.
fn longest_wait(decay: Real) -> u32 {
    const LONGEST: f64 = 256.0;
    /// ln μ^(−t).
    const GROWTH: f64 = 2.0;

    let each_step = libm::log((1.0 - f64::from(decay)).abs()).abs();
    (GROWTH / each_step).min(LONGEST) as u32
}

impl SummedSynapses {
    /// Whether synapses that would be summed are changed in place in this step of learning.
    pub fn rests(weights: &mut Weights) -> bool {
        let resting = weights.waiting_mut::<Self>().filter(|summed| summed.rest > 0);
        resting.map(|summed| summed.rest -= 1).is_some()
    }

    /// The sums of `weights`, if they are known.
    pub fn of(weights: &Weights) -> Option<&Self> {
        weights.waiting::<Self>().filter(|summed| summed.version == Some(weights.version()))
    }

    fn new(fans: FanIn, synapses: usize) -> Self {
        let n = fans.count(synapses);
        SummedSynapses {
            fans: Fans {
                of: fans,
                held: Held::FREE,
                factor: vec![1.0; n],
                inverse: vec![1.0; n],
                passed: Vec::new(),
                growth: 1.0,
                eligible: Blocks::default(),
                edges: None,
            },
            sums: Vec::new(),
            version: None,
            rewarded: None,
            is_due: false,
            rest: 0,
            part: Part::default(),
        }
    }

    /// One step of learning: `learn` tells what spikes change, if they change anything. Weights that are `absent` stay 0.
    pub fn step(
        weights: &mut Weights,
        (fans, is_clipped): (FanIn, bool),
        absent: impl Iterator<Item = usize>,
        reward: Option<Reward>,
        learn: Option<impl FnOnce(Summed<'_>)>,
    ) {
        let (held, version, synapses) = (weights.held(), weights.version(), weights.len());
        let summed = weights.take_pending::<Self>();
        let mut summed = summed.unwrap_or_else(|| Box::new(Self::new(fans, synapses)));
        let (w, c) = weights.stored_with_eligibility();
        let decay = summed.rewarded.as_ref().map(|account| account.decay);
        if summed.version != Some(version)
            || summed.fans.held != held
            || decay != reward.map(|reward| reward.decay)
        {
            // What was missed so far follows what was valid then.
            summed.settle(w, c);
            summed.fans.held = held;
            summed.begin(w, c, reward);
        }
        if !is_clipped {
            summed.fans.edges = None;
        }
        summed.decay(w, c);
        let learns = learn.is_some();
        if let Some(learn) = learn {
            summed.learn(w, c, absent, learn);
        }
        let moves = reward.is_some_and(|reward| summed.pass(reward));
        if moves {
            weights.note_free_change();
        } else if learns {
            weights.note_change();
        }
        summed.version = Some(weights.version());
        weights.give_pending(summed);
    }

    /// Begins with weights and eligibilities that are what is stored.
    fn begin(&mut self, w: &[Real], c: &[Real], reward: Option<Reward>) {
        self.settled();
        self.fans.edges = None;
        self.fans.of.sum(w, &mut self.sums);
        self.fans.passed.clear();
        self.rewarded = reward.map(|reward| {
            let mut sums = Vec::new();
            self.fans.of.sum(c, &mut sums);
            self.fans.passed.resize(sums.len(), 0.0);
            let is_eligible = |block: Range<usize>| c[block].iter().any(|c| *c != 0.0);
            self.fans.eligible = Blocks::new(c.len(), is_eligible);
            let (anything, longest) = (self.fans.eligible.any(), longest_wait(reward.decay));
            Account { decay: reward.decay, longest, sums, kept: 1.0, steps: 0, anything }
        });
    }

    fn learn(
        &mut self,
        w: &mut [Real],
        c: &mut [Real],
        absent: impl Iterator<Item = usize>,
        learn: impl FnOnce(Summed<'_>),
    ) {
        let SummedSynapses { fans, sums, rewarded, part, .. } = self;
        part.clear(0..sums.len(), rewarded.is_some(), fans.edges.is_some());
        let eligibility = if rewarded.is_some() { &mut *c } else { &mut [] };
        learn(Summed { weights: &mut *w, eligibility, first: 0, fans, part: &mut *part });
        let mut nothing = Vec::new();
        let eligible = rewarded.as_mut().map_or(&mut nothing, |account| {
            account.anything = true;
            &mut account.sums
        });
        part.add_to(sums, eligible, &mut fans.edges);
        for k in absent {
            let fan = fans.of.of(k);
            sums[fan] -= f64::from(std::mem::take(&mut w[k]));
            if !eligible.is_empty() {
                eligible[fan] -= f64::from(std::mem::take(&mut c[k]));
            }
        }
    }

    /// What is eligible decays by a step.
    fn decay(&mut self, w: &mut [Real], c: &mut [Real]) {
        let Some(account) = &mut self.rewarded else {
            return;
        };
        let keep = 1.0 - f64::from(account.decay);
        if !account.anything {
            // Nothing waits, and what is noted from here on begins with this step.
        } else if account.steps < account.longest {
            account.kept *= keep;
            account.steps += 1;
            self.fans.growth = 1.0 / account.kept;
        } else {
            self.bring_up(w, c, keep);
        }
    }

    /// The dopamine of a step passes. Says whether it moves any weight.
    fn pass(&mut self, reward: Reward) -> bool {
        let Some(account) = self.rewarded.as_ref().filter(|account| account.anything) else {
            return false;
        };
        add_products(&mut self.fans.passed, account.kept * f64::from(reward.dopamine), &self.fans.inverse);
        self.is_due = true;
        reward.dopamine != 0.0
    }

    /// Brings up whatever is eligible: v takes what dopamine has brought, and ĉ becomes c after one more step.
    fn bring_up(&mut self, w: &mut [Real], c: &mut [Real], keep: f64) {
        let at_edges = self.at_edges(w, c);
        let (Fans { of, passed, eligible, growth, edges, inverse, .. }, sums) =
            (&mut self.fans, &mut self.sums[..]);
        let Some(account) = &mut self.rewarded else {
            return;
        };
        let (kept, eligible_sums) = (account.kept * keep, &mut account.sums[..]);
        eligible_sums.fill(0.0);
        eligible.each(c, |run, c| {
            let mut k = 0;
            while k < c.len() {
                let fans = of.run(run.start + k, c.len() - k);
                let (w, c) = (&mut w[run.start + k..][..fans.len()], &mut c[k..k + fans.len()]);
                k += fans.len();
                let sums = (&mut sums[fans.clone()], &mut eligible_sums[fans.clone()]);
                bring_up(w, c, &passed[fans], kept, sums.0, sums.1);
            }
        });
        for (k, edge) in at_edges {
            // What rounding may have taken off.
            let fan = of.of(k);
            let v = (f64::from(edge) * inverse[fan]) as Real;
            sums[fan] += f64::from(v) - f64::from(std::mem::replace(&mut w[k], v));
        }
        if let Some(edges) = edges {
            edges.note_brought_up(kept);
        }
        passed.fill(0.0);
        *growth = 1.0;
        let share = eligible.share();
        (account.kept, account.steps, account.anything) = (1.0, 0, share > 0.0);
        // To bring one synapse up takes as long as to move one and a half in place, or two.
        if share * 2.0 > f64::from(account.longest + 1) {
            self.rest = REST;
        }
    }

    /// The weights that are at an edge of their range, and which.
    fn at_edges(&self, w: &mut [Real], c: &[Real]) -> Vec<(usize, Real)> {
        self.fans.edges.as_ref().map_or(Vec::new(), |edges| edges.at_edges(&self.fans.stored(w, c)))
    }

    /// What the weights of each fan sum to.
    pub fn sum(&self, sums: &mut Vec<f64>) {
        sums.clear();
        sums.extend(self.totals().zip(&self.fans.factor).map(|(total, factor)| total * factor));
    }

    /// What the weights of each fan would sum to with a factor of 1.
    fn totals(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.sums.len()).map(|fan| {
            let eligible =
                self.rewarded.as_ref().map_or(0.0, |account| account.sums[fan] * self.fans.passed[fan]);
            self.sums[fan] + eligible
        })
    }

    /// Scales the weights of each fan to `norm`, if their sums are known. Says so.
    pub fn normalize(weights: &mut Weights, norm: Real) -> bool {
        if Self::of(weights).is_none() {
            return false;
        }
        weights.note_change();
        let version = weights.version();
        let Some(summed) = weights.waiting_mut::<Self>() else {
            return false;
        };
        let norm = f64::from(norm);
        let totals: Vec<f64> = summed.totals().collect();
        let mut fits = true;
        let factors = summed.fans.factor.iter_mut().zip(&mut summed.fans.inverse);
        for ((factor, inverse), total) in factors.zip(totals) {
            if total != 0.0 {
                (*factor, *inverse) = (norm / total, total / norm);
                fits &= FACTORS.contains(&factor.abs());
            }
        }
        (summed.is_due, summed.version) = (true, Some(version));
        if !fits {
            weights.settle();
        }
        true
    }

    /// Brings weights that are outside of `range` back to its edge, if it is known which they may be. Says so. Those that are
    /// `absent` stay 0.
    pub fn clip(weights: &mut Weights, range: Held, absent: impl Iterator<Item = usize>) -> bool {
        if Self::of(weights).is_none_or(|summed| summed.rewarded.is_none() && summed.fans.held != Held::FREE)
        {
            return false;
        }
        let Some(mut summed) = weights.take_pending::<Self>() else {
            return false;
        };
        let (w, c) = weights.stored_with_eligibility();
        let mut before = summed.fans.edges.take();
        let SummedSynapses { fans, sums, .. } = &mut *summed;
        let mut stored = fans.stored(w, c);
        if let Some(edges) = &mut before {
            edges.note_passed(stored.passed);
        }
        let edges = match before {
            Some(edges) if edges.hold(range, stored.factor) => edges,
            before => Edges::find(&stored, range, before),
        };
        let mut edges = Some(edges).filter(|edges| edges.are_few(stored.v.len()));
        let any = edges.as_mut().is_some_and(|edges| edges.clip(&mut stored, sums, absent));
        if any {
            weights.note_change();
            summed.version = Some(weights.version());
        }
        let few = edges.is_some();
        summed.fans.edges = edges;
        summed.rest = if few { summed.rest } else { REST };
        weights.give_pending(summed);
        few
    }

    /// Sets `current`, all of it 0 before, to what the weights bring, where `add` adds what is given for each weight.
    pub fn deliver(&self, w: &[Real], c: &[Real], current: &mut [Real], add: impl Fn(&[Real], &mut [Real])) {
        add(w, current);
        let Fans { factor, passed, .. } = &self.fans;
        let targets = (current.len() / factor.len().max(1)).max(1);
        if !passed.is_empty() {
            let mut eligible = vec![0.0; current.len()];
            add(c, &mut eligible);
            let fans = current.chunks_mut(targets).zip(eligible.chunks(targets)).zip(passed);
            fans.for_each(|((current, eligible), passed)| {
                current.iter_mut().zip(eligible).for_each(|(current, c)| {
                    *current = (f64::from(*current) + passed * f64::from(*c)) as Real;
                });
            });
        }
        let fans = current.chunks_mut(targets).zip(factor);
        fans.for_each(|(current, factor)| {
            current.iter_mut().for_each(|current| *current = (f64::from(*current) * factor) as Real);
        });
    }
}

impl Pending for SummedSynapses {
    fn is_due(&self) -> bool {
        self.is_due
    }

    fn are_current(&self, _: &[u32]) -> bool {
        !self.is_due
    }

    fn settle(&self, values: &mut [Real], eligibility: &mut [Real]) {
        let Fans { of, factor, passed, .. } = &self.fans;
        let at_edges = self.at_edges(values, eligibility);
        match (&self.rewarded, of) {
            (None, _) => of.scale(values, factor),
            (Some(Account { kept, .. }), FanIn::Columns(n)) => {
                let rows = values.chunks_mut(*n).zip(eligibility.chunks_mut(*n));
                rows.for_each(|(w, c)| settle(w, c, factor, passed, *kept));
            }
            (Some(Account { kept, .. }), _) => of.each(values.len(), |k, fan| {
                let c = f64::from(eligibility[k]);
                values[k] = ((f64::from(values[k]) + c * passed[fan]) * factor[fan]) as Real;
                eligibility[k] = (c * kept) as Real;
            }),
        }
        at_edges.into_iter().for_each(|(k, edge)| values[k] = edge);
    }

    fn settled(&mut self) {
        self.fans.factor.fill(1.0);
        self.fans.inverse.fill(1.0);
        self.fans.passed.fill(0.0);
        self.fans.growth = 1.0;
        if let Some(account) = &mut self.rewarded {
            (account.kept, account.steps) = (1.0, 0);
        }
        (self.is_due, self.version) = (false, None);
    }

    fn copy(&self) -> Box<dyn Pending> {
        Box::new(self.clone())
    }
}
