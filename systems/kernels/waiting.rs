//! What synapses miss that wait for dopamine.

use super::simd;

/// What a synapse has missed that was visited at some step, as parts of the eligibility that it had then. In double precision,
/// so that a weight is rounded once a visit.
#[derive(Clone, Copy, Debug)]
pub struct Missed {
    /// What is left of the eligibility.
    pub kept: f64,
    /// What dopamine has brought.
    pub sum: f64,
    /// The most that it had brought at any step since; not less than 0.
    pub most: f64,
    /// The least; not more than 0.
    pub least: f64,
}

impl Missed {
    /// Of a synapse that was visited just now.
    pub const NOTHING: Missed = Missed { kept: 1.0, sum: 0.0, most: 0.0, least: 0.0 };
}

simd! {
    /// One more step of dopamine, at which `keep` of each eligibility is kept.
    pub fn miss_dopamine(missed: &mut [Missed], keep: f64, dopamine: f64) {
        for missed in missed {
            missed.kept *= keep;
            missed.sum += missed.kept * dopamine;
            missed.most = if missed.sum > missed.most { missed.sum } else { missed.most };
            missed.least = if missed.sum < missed.least { missed.sum } else { missed.least };
        }
    }
}
