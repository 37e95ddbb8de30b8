//! Static synapses: many, each with a weight and a delay of its own, delivered in one pass for the whole network.
//!
//! The projections stay entities of their own, but their synapses are laid out together: by parts of the targets, one or
//! more a thread, and within a part as the streams of [`kernels::streams`](crate::kernels::streams). A spike costs one
//! entry in a calendar for each part, whatever it reaches; a step touches just the synapses whose spikes arrive.

mod assembly;
mod connect;
mod engine;
mod foreign;
mod fused;
mod stretch;
mod writing;

pub use connect::{StaticSynapses, SynapseTable};
pub use engine::Delivery;
pub(crate) use engine::UNIT;
pub(crate) use foreign::check_foreign;
pub(crate) use fused::{Fused, register_model};
pub use stretch::Stretch;

use crate::connections::Connections;
use crate::registry::{self, GroupKind, Need, Place};
use crate::schedule::{Built, StepSystems};
use bevy_ecs::lifecycle::HookContext;
use bevy_ecs::prelude::*;
use bevy_ecs::world::{DeferredWorld, EntityRef};
use serde::{Deserialize, Serialize};

/// Synapses that do not learn, each with a weight and a delay of its own.
///
/// [`Connections`] says which there are, [`WeightInitializer`](crate::weights::WeightInitializer) and
/// [`SynapticDelays`](crate::weights::SynapticDelays) what weight and delay each has. A spike that is fired at step t
/// arrives at step t + delay: its weight joins the input of the target's receptors where the neuron model has some
/// ([`LifPscExp`](crate::dynamics::models::LifPscExp), [`LifPscAlpha`](crate::dynamics::models::LifPscAlpha),
/// [`LifCondExp`](crate::dynamics::models::LifCondExp)), and the current of its proximal dendrite else. The source needs
/// no axon. A projection that joins a running network carries the spikes that are fired from then on.
///
/// Weights are stored in fixed point: with 32 bits, a 32-bit float within 1/128 of the largest weight to that
/// population is kept to the last bit, a smaller one to 2^−31 of the largest; with 16 bits, to 1/65,534 of the largest.
/// Sums are exact, so they do not depend on the order in which spikes arrive. A synapse takes about 6 bytes, or 4.
///
/// For synapses that learn, that are normalized or clipped, take [`Sparse`](crate::synaptic_input::sparse::Sparse).
///
/// **CoNeX.** It has none. NEST's `static_synapse`.
#[doc(alias = "static_synapse")]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[component(on_add = lay_out_anew, on_remove = lay_out_anew)]
#[serde(default)]
pub struct Static {
    /// How weights are stored. The network's static synapses are all stored alike: with 16 bits if each projection says so.
    pub weights: WeightBits,
}

/// How the weights of static synapses are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WeightBits {
    /// In 32 bits. The default.
    #[default]
    Bits32,
    /// In 16 bits: a third less memory, and faster.
    Bits16,
}

impl WeightBits {
    /// Memory that a synapse takes, with its share of what lies around it \[bytes\].
    fn bytes(self) -> f64 {
        match self {
            WeightBits::Bits32 => 6.25,
            WeightBits::Bits16 => 4.25,
        }
    }
}

impl Static {
    /// Stores weights in 16 bits.
    pub fn bits16() -> Self {
        Static { weights: WeightBits::Bits16 }
    }
}

/// Whether a projection has static synapses, be they switched off.
pub(crate) fn is_static(projection: EntityRef<'_>) -> bool {
    projection.contains::<Static>() || projection.contains::<StaticSynapses>()
}

/// Synapses that come, go, or are switched on or off, join or leave the common layout at the next build.
fn lay_out_anew(mut world: DeferredWorld, _: HookContext) {
    if let Some(mut built) = world.get_resource_mut::<Built>() {
        built.0 = false;
    }
}

/// How connections are drawn.
const CONNECTIONS: Need =
    Need::of::<Connections>(Place::Own, "connections", "Connections::pairwise_bernoulli(0.1)");

pub(crate) fn install(world: &mut World) {
    registry::behaviour::<Static>(world)
        .on(GroupKind::Projection)
        .stage(StepSystems::SynapticInput)
        .needs(&[CONNECTIONS, crate::synaptic_input::WEIGHTS, crate::dendrite::RECEIVER])
        .state::<StaticSynapses>()
        .saved();
    connect::install(world);
    foreign::install(world);
    assembly::install(world);
    engine::install(world);
    fused::install(world);
}
