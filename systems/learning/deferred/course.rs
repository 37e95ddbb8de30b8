//! The steps that were learned from, and how pre-synaptic traces run through them.

use super::super::{Activity, Occasion};
use crate::Real;
use crate::kernels::rows::decayed_to;
use crate::traces::Pairing;
use crate::weights::Held;

/// How a pre-synaptic trace runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TraceDecay {
    pub rate: Real,
    pub scale: Real,
    pub pairing: Pairing,
}

/// The steps that were learned from, one after the other without a gap, and the pre-synaptic traces of the last.
#[derive(Clone, Debug)]
pub(super) struct Course {
    pub(super) held: Held,
    /// The last step that was learned from; 0 before the first.
    pub(super) now: u64,
    pub(super) trace: Running,
    /// The slow one, where the rule asks for it. Rules read it before it takes up the spikes of a step: here it has.
    pub(super) slow: Option<Running>,
}

/// A pre-synaptic trace, one value a source.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) decay: TraceDecay,
    pub(super) values: Vec<Real>,
}

impl Running {
    fn take_up(&mut self, fired: &[u32]) {
        let TraceDecay { scale, pairing, .. } = self.decay;
        for &i in fired {
            let x = &mut self.values[i as usize];
            *x = if pairing == Pairing::Nearest { scale } else { *x + scale };
        }
    }

    /// A trace on its way, which was `x` at step `since`.
    fn since(&self, x: Real, since: u64) -> Decaying {
        Decaying { x, at: since, rate: self.decay.rate }
    }
}

impl Course {
    pub(super) fn new(n_pre: usize) -> Self {
        let decay = TraceDecay { rate: 0.0, scale: 0.0, pairing: Pairing::All };
        let trace = Running { decay, values: vec![0.0; n_pre] };
        Course { held: Held::FREE, now: 0, trace, slow: None }
    }

    /// Whether rows may go on waiting in the step of `occasion`: it is the next, nothing was changed by hand, and the traces
    /// have done nothing but decay and take up spikes. Takes the traces over. Where they may not,
    /// [`start`](Self::start) is to follow.
    pub(super) fn goes_on(&mut self, activity: &Activity<'_>, occasion: &Occasion, held: Held) -> bool {
        let goes_on = self.now != 0
            && occasion.step == self.now + 1
            && !occasion.rule_changed
            && self.held == held
            && self.trace.decay == occasion.pre_trace
            && self.slow.as_ref().map(|slow| slow.decay) == occasion.pre_slow;
        if !goes_on {
            return false;
        }
        let fired = activity.pre.events();
        self.trace.take_up(fired);
        let mut same = decayed_to(&mut self.trace.values, activity.pre_trace, self.trace.decay.rate);
        if let Some(slow) = &mut self.slow {
            same &= decayed_to(&mut slow.values, activity.pre_slow, slow.decay.rate);
            slow.take_up(fired);
        }
        same
    }

    /// Starts anew in the step of `occasion`.
    pub(super) fn start(&mut self, activity: &Activity<'_>, occasion: &Occasion, held: Held) {
        self.held = held;
        self.trace = Running { decay: occasion.pre_trace, values: activity.pre_trace.to_vec() };
        self.slow = occasion.pre_slow.map(|decay| {
            let mut slow = Running { decay, values: activity.pre_slow.to_vec() };
            slow.take_up(activity.pre.events());
            slow
        });
    }

    /// The trace and the slow trace of source i as they are to decay from now on. They are the same where there is no slow
    /// one.
    pub(super) fn traces(&self, i: usize) -> [Real; 2] {
        let trace = self.trace.values[i];
        [trace, self.slow.as_ref().map_or(trace, |slow| slow.values[i])]
    }

    /// The traces of a source on their way, which were so at step `since`.
    pub(super) fn since(&self, [trace, slow]: [Real; 2], since: u64) -> [Decaying; 2] {
        [self.trace.since(trace, since), self.slow.as_ref().unwrap_or(&self.trace).since(slow, since)]
    }
}

/// A trace on its way, decaying step by step as the trace itself did.
pub(super) struct Decaying {
    x: Real,
    at: u64,
    rate: Real,
}

impl Decaying {
    pub(super) fn at(&mut self, step: u64) -> Real {
        while self.at < step {
            self.x -= self.x * self.rate;
            self.at += 1;
        }
        self.x
    }
}

/// Both traces at a step.
pub(super) fn both_at(traces: &mut [Decaying; 2], step: u64) -> [Real; 2] {
    traces.each_mut().map(|trace| trace.at(step))
}
