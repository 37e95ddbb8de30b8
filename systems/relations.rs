//! How projections hang on populations.
//!
//! A projection is an entity of its own between two populations, so a population may well project onto itself.
//! Despawning a population despawns the projections on both sides of it: no half projection is left.

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// The population that a projection comes from.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
#[relationship(relationship_target = Efferents)]
pub struct Presynaptic(pub Entity);

/// The projections that leave a population, in the order in which they were made.
#[derive(Component, Debug)]
#[relationship_target(relationship = Presynaptic, linked_spawn)]
pub struct Efferents(Vec<Entity>);

/// The population that a projection goes to.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
#[relationship(relationship_target = Afferents)]
pub struct Postsynaptic(pub Entity);

/// The projections that reach a population, in the order in which they were made.
#[derive(Component, Debug)]
#[relationship_target(relationship = Postsynaptic, linked_spawn)]
pub struct Afferents(Vec<Entity>);

impl Efferents {
    /// The projections, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = Entity> + '_ {
        self.0.iter().copied()
    }
}

impl Afferents {
    /// The projections, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = Entity> + '_ {
        self.0.iter().copied()
    }
}

/// A group of synapses from one population to another; its behaviours are the other components of its entity.
#[doc(alias = "SynapseGroup")]
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct Projection;

/// The part of the target's dendrite that a projection ends on.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Compartment {
    /// Near the soma: drives the neuron directly.
    Proximal,
    /// Far from the soma: brings the neuron near its threshold, but cannot fire it alone.
    Distal,
    /// In the tuft: feedback that brings the neuron near its threshold, but cannot fire it alone.
    Apical,
}

impl Compartment {
    /// Its name as it stands in parameters: `proximal`, `distal`, `apical`.
    pub fn name(self) -> &'static str {
        match self {
            Compartment::Proximal => "proximal",
            Compartment::Distal => "distal",
            Compartment::Apical => "apical",
        }
    }
}
