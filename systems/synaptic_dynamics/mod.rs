//! Stage `SynapticDynamics`: what a spike brings rises and decays, and conductances become currents.
//!
//! Two things can be said of a projection beside its kind of connectivity, in any combination: how the effect of a spike
//! runs over time ([`ExponentialSynapse`], [`AlphaSynapse`], [`DoubleExponentialSynapse`], or one of your own by
//! [`Kinetics`]), and that this effect is a [`Conductance`], not a current. Without either, a weight is a current of one
//! step.

mod kinetics;
mod conductance;
pub mod receptors;

pub use conductance::{Conductance, Conductances, MagnesiumBlock};
pub use kinetics::{
    AlphaSynapse, DoubleExponentialSynapse, ExponentialSynapse, Kinetics, Response, SynapticState, register,
};

use bevy_ecs::prelude::*;

/// The stage's own order: currents take their course, then what is a conductance becomes a current.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum SynapticDynamicsSystems {
    Filter,
    Conduct,
}

pub(crate) fn install(world: &mut World) {
    world.schedule_scope(crate::schedule::Step, |_, step| {
        step.configure_sets((SynapticDynamicsSystems::Filter, SynapticDynamicsSystems::Conduct).chain());
    });
    kinetics::install(world);
    conductance::install(world);
}
