//! How one time step of a spiking network happens: components, systems and kernels.
//!
//! The crate `conex` builds networks and reads them; this one steps them. A population, a projection and a recorder are
//! entities, a behaviour is a component on them, and [`StepSystems`](schedule::StepSystems) is the order of a step. The
//! modules below stand in that order.

// What every stage stands on.
pub mod schedule;
mod executor;
pub mod error;
pub mod parameter;
pub mod checks;
pub mod group;
pub mod coordinates;
pub mod relations;
pub mod random;
pub mod workers;
pub mod memory;
pub mod connections;
pub mod registry;

// The stages of a step, in order.
pub mod time;
pub mod reward;
pub mod synaptic_input;
pub mod delivery;
pub mod synaptic_dynamics;
pub mod receptors;
pub mod poisson_drive;
pub mod dendrite;
pub mod dynamics;
pub mod noise;
pub mod refractory;
pub mod kwta;
pub mod stimulus;
pub mod poisson_source;
pub mod fire;
pub mod homeostasis;
pub mod axon;
pub mod spike_catching;
pub mod traces;
pub mod learning;
pub mod weights;
pub mod record;
pub mod diagnostics;

// The arithmetic.
pub mod kernels;

/// The engine's floating-point number: `f32`, or `f64` with the feature `f64`.
#[cfg(not(feature = "f64"))]
pub type Real = f32;
/// The engine's floating-point number: `f32`, or `f64` with the feature `f64`.
#[cfg(feature = "f64")]
pub type Real = f64;

pub use error::{Error, Result};
pub use schedule::install;
