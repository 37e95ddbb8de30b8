//! Stage `Dendrite`: a population gathers its afferents' currents, compartment by compartment, into one.

mod buffer;
mod structure;
mod computation;
mod injection;

pub(crate) use buffer::Buffer;
pub use computation::SimpleDendriteComputation;
pub use injection::InjectedCurrent;
pub(crate) use structure::RECEIVER;
pub use structure::{DENDRITE, DendriticCurrents, SimpleDendriteStructure};

use bevy_ecs::prelude::*;

/// The stage's own order: static synapses and drives arrive, then the currents of projections, electrodes add to them, the
/// neuron's current is computed, and what goes to receptors joins what arrived.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DendriteSystems {
    Gather,
    Arrive,
    Drive,
    Inject,
    Compute,
    Receive,
    Join,
}

pub(crate) fn install(world: &mut World) {
    world.schedule_scope(crate::schedule::Step, |_, step| {
        use DendriteSystems::{Arrive, Compute, Drive, Gather, Inject, Join, Receive};
        step.configure_sets((Gather, Arrive, Drive, Inject, Compute, Receive, Join).chain());
    });
    structure::install(world);
    injection::install(world);
    computation::install(world);
}
