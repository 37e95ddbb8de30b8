//! What a rule can say about its post-synaptic term, so that many spikes can be applied in one go.

use crate::Real;

/// How [`on_post_spike`](super::PlasticityRule::on_post_spike) depends on the pre-synaptic trace and on the weight.
///
/// A dense projection does not visit all its sources at each post-synaptic spike: it notes the spike, and a synapse takes
/// what it has missed when its source fires the next time. What a rule says here decides how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Potentiation {
    /// In any way. What was missed is replayed, spike by spike.
    Any {
        /// A pre-synaptic trace within so much of 0 brings no change, whatever else; below 0 where there is no such trace.
        silent_below: Real,
    },
    /// Proportional to the pre-synaptic trace, whatever the weight: what was missed is one sum a target.
    Proportional,
    /// Proportional to the pre-synaptic trace for weights strictly between two ends, and 0 for others.
    ProportionalBetween(Real, Real),
}

impl Default for Potentiation {
    fn default() -> Self {
        Potentiation::Any { silent_below: -1.0 }
    }
}
