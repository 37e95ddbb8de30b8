//! Stage `Dendrite`: a population gathers its afferents' currents, compartment by compartment, into one.

mod buffer;
mod structure;
mod computation;
mod injection;

pub(crate) use buffer::Buffer;
pub use computation::SimpleDendriteComputation;
pub use injection::InjectedCurrent;
pub use structure::{DENDRITE, DendriticCurrents, SimpleDendriteStructure};

use bevy_ecs::prelude::*;

/// The stage's own order: currents arrive, electrodes add to them, the neuron's current is computed.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum DendriteSystems {
    Gather,
    Inject,
    Compute,
}

pub(crate) fn install(world: &mut World) {
    world.schedule_scope(crate::schedule::Step, |_, step| {
        step.configure_sets(
            (DendriteSystems::Gather, DendriteSystems::Inject, DendriteSystems::Compute).chain(),
        );
    });
    structure::install(world);
    injection::install(world);
    computation::install(world);
}
