//! Which neurons are joined: rules that draw the connections of [`Static`] and [`Sparse`] synapses.
//!
//! Each source neuron draws its row of targets from a stream of its own, so rows can be drawn in any order, on any number of
//! threads, and once more when someone wants to know them: the network is the same.

mod distance;
mod ends;
mod listed;
mod rows;
mod whole;

pub use distance::Profile;
pub(crate) use ends::Populations;
pub use ends::{Between, End};
pub use listed::Order;
pub use rows::{RowScratch, Rows};
pub use whole::WholePattern;

use crate::Real;
use crate::delivery::Static;
use crate::registry::{self, GroupKind, Need, Place};
use crate::synaptic_input::sparse::{Sparse, SparseSynapses};
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;
use serde::{Deserialize, Serialize};

/// Which neurons of the source have a synapse to which neurons of the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ConnectionRule {
    /// Every pair has one.
    AllToAll,
    /// Neuron i has one to neuron i. Both populations are equally large.
    OneToOne,
    /// Each pair has one with probability `p`, independently of all others.
    PairwiseBernoulli {
        /// The probability, within 0 and 1.
        p: f64,
    },
    /// So many in all, each between a source and a target drawn at random.
    FixedTotalNumber {
        /// How many.
        n: u64,
    },
    /// Every target neuron has so many, from sources drawn at random.
    FixedInDegree {
        /// How many.
        n: u32,
    },
    /// Every source neuron has so many, to targets drawn at random.
    FixedOutDegree {
        /// How many.
        n: u32,
    },
    /// These: pairs of a source and a target neuron, in any order. A weight and a delay that are given for each pair stand
    /// in the same order.
    Pairs(Vec<(u32, u32)>),
    /// Each pair has one with a probability that falls off with the distance between the neurons'
    /// [`Coordinates`](crate::coordinates::Coordinates), independently of all others.
    DistanceDependent(Profile),
}

/// How the synapses of a projection are drawn: of [`Static`] ones, and of [`Sparse`] ones, which learn.
///
/// The [`WeightInitializer`](crate::weights::WeightInitializer) says what weight each has, but no density: how many there
/// are follows from the rule. Only to [`pairs`](Self::pairs) weights can be given, one a pair in their order.
///
/// The rules are those of J. Senk et al., Connectivity concepts in neuronal network modeling (2022),
/// doi 10.1371/journal.pcbi.1010086. Self-connections (autapses) are allowed unless the projection has
/// [`NoSelfConnections`](crate::synaptic_input::NoSelfConnections).
#[doc(alias = "conn_spec")]
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connections {
    /// Which pairs are joined.
    pub rule: ConnectionRule,
    /// Whether a pair may have several synapses, where a fixed number of them is drawn. Each then has a weight of its own,
    /// and learns by itself. Default true.
    #[doc(alias = "allow_multapses")]
    #[serde(default = "yes")]
    pub multapses: bool,
}

fn yes() -> bool {
    true
}

impl Connections {
    /// Draws by `rule`.
    pub fn new(rule: ConnectionRule) -> Self {
        Connections { rule, multapses: true }
    }

    /// Joins every pair.
    pub fn all_to_all() -> Self {
        Self::new(ConnectionRule::AllToAll)
    }

    /// Joins neuron i to neuron i.
    pub fn one_to_one() -> Self {
        Self::new(ConnectionRule::OneToOne)
    }

    /// Joins each pair with probability `p`.
    pub fn pairwise_bernoulli(p: f64) -> Self {
        Self::new(ConnectionRule::PairwiseBernoulli { p })
    }

    /// Makes `n` synapses in all.
    pub fn fixed_total_number(n: u64) -> Self {
        Self::new(ConnectionRule::FixedTotalNumber { n })
    }

    /// Gives every target neuron `n` synapses.
    #[doc(alias = "fixed_indegree")]
    pub fn fixed_in_degree(n: u32) -> Self {
        Self::new(ConnectionRule::FixedInDegree { n })
    }

    /// Gives every source neuron `n` synapses.
    #[doc(alias = "fixed_outdegree")]
    pub fn fixed_out_degree(n: u32) -> Self {
        Self::new(ConnectionRule::FixedOutDegree { n })
    }

    /// Joins these pairs of a source and a target neuron.
    pub fn pairs(pairs: Vec<(u32, u32)>) -> Self {
        Self::new(ConnectionRule::Pairs(pairs))
    }

    /// Joins each pair with a probability by the distance of its neurons.
    pub fn distance_dependent(profile: Profile) -> Self {
        Self::new(ConnectionRule::DistanceDependent(profile))
    }

    /// Sets whether a pair may have several synapses.
    #[must_use]
    pub fn multapses(mut self, allowed: bool) -> Self {
        self.multapses = allowed;
        self
    }
}

/// The square of the distance of two places.
fn squared(a: [Real; 3], b: [Real; 3]) -> f64 {
    (0..3).map(|d| (f64::from(a[d]) - f64::from(b[d])).powi(2)).sum()
}

fn is_sparse(projection: EntityRef<'_>) -> bool {
    projection.contains::<Sparse>() || projection.contains::<SparseSynapses>()
}

/// Synapses that a rule can draw.
const DRAWN: Need =
    Need::of::<Static>(Place::Own, "kind of synapses that a rule draws", "Static::default()` or `Sparse")
        .or(is_sparse);

pub(crate) fn install(world: &mut World) {
    registry::behaviour::<Connections>(world).on(GroupKind::Projection).needs(&[DRAWN]).saved();
}
