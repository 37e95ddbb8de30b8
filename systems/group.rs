//! Populations: groups of neurons of one kind, one entity a group.

use crate::relations::Projection;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The shape of a population: neurons stand on a grid of `depth` x `height` x `width`.
///
/// Neuron `(d, h, w)` has the index `(d * height + h) * width + w`. A plain number of neurons is one row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Grid {
    /// Planes (the channels of an image or a convolution).
    pub depth: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Grid {
    /// `depth` planes of `height` x `width` neurons.
    pub fn new(depth: usize, height: usize, width: usize) -> Self {
        Grid { depth, height, width }
    }

    /// The number of neurons; `usize::MAX` if it is larger still.
    pub fn len(&self) -> usize {
        self.depth.saturating_mul(self.height).saturating_mul(self.width)
    }

    /// Whether there is no neuron at all.
    pub fn is_empty(&self) -> bool {
        [self.depth, self.height, self.width].contains(&0)
    }
}

impl From<usize> for Grid {
    fn from(n: usize) -> Self {
        Grid::new(1, 1, n)
    }
}

impl From<(usize, usize, usize)> for Grid {
    fn from((depth, height, width): (usize, usize, usize)) -> Self {
        Grid::new(depth, height, width)
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.depth == 1 && self.height == 1 {
            write!(f, "{}", self.width)
        } else {
            write!(f, "{} ({} x {} x {})", self.len(), self.depth, self.height, self.width)
        }
    }
}

/// A group of neurons; its behaviours are the other components of its entity.
#[doc(alias = "NeuronGroup")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
#[component(immutable)]
pub struct Population {
    /// How the neurons are laid out.
    pub grid: Grid,
}

impl Population {
    /// The number of neurons.
    pub fn size(&self) -> usize {
        self.grid.len()
    }
}

/// Every synapse that leaves this population lowers its target's current (CoNeX's tags `inh` and `GABA`).
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inhibitory;

/// An entity that carries behaviours for projections to come: no system sees it.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct Template;

/// Words that groups can be told apart by, "visual" or "slow" for instance: behaviours are switched off by them.
#[derive(Component, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tags(pub Vec<String>);

impl Tags {
    /// These tags.
    pub fn new<T: Into<String>>(tags: impl IntoIterator<Item = T>) -> Self {
        Tags(tags.into_iter().map(Into::into).collect())
    }

    /// Whether `tag` is one of them.
    pub fn has(&self, tag: &str) -> bool {
        self.0.iter().any(|t| t == tag)
    }
}

/// Set on a group that the Build schedule has to look at; taken away once its network is built.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[component(immutable)]
pub enum Unbuilt {
    /// It was never built: all its state and its synapses are made.
    #[default]
    New,
    /// It was built, and then got other behaviours: what has no state yet gets some, the rest stays as it is.
    Extended,
    /// It starts again: its state is made anew, what it has learned (weights, thresholds) stays.
    Reset,
}

impl Unbuilt {
    /// Whether state is to be made; `missing` says whether there is none yet.
    pub fn makes_state(self, missing: bool) -> bool {
        self != Unbuilt::Extended || missing
    }

    /// Whether what is learned (weights, thresholds) is to be made; `missing` says whether there is none yet.
    pub fn makes_learned(self, missing: bool) -> bool {
        self == Unbuilt::New || missing
    }
}

/// Lets the network be built again, as `group` has to be looked at.
pub fn extend(world: &mut World, group: Entity) {
    if let Ok(mut entity) = world.get_entity_mut(group)
        && !entity.contains::<Unbuilt>()
        && (entity.contains::<Population>() || entity.contains::<Projection>())
    {
        entity.insert(Unbuilt::Extended);
    }
    world.insert_resource(crate::schedule::Built(false));
}

/// Sees to it that state `C` which comes to a group that is built already is sized before the next step.
pub(crate) fn build_late<C: Component>(world: &mut World) {
    let component = world.register_component::<C>();
    if world.archetypes().iter().any(|archetype| archetype.contains(component)) {
        // Someone spawned it before the world was prepared: too late to watch it.
        return;
    }
    world.register_component_hooks::<C>().on_add(|mut world, context| {
        let group = world.entity(context.entity);
        let is_group = group.contains::<Population>() || group.contains::<Projection>();
        if is_group && !group.contains::<Unbuilt>() {
            world.commands().queue(move |world: &mut World| extend(world, context.entity));
        }
    });
}
