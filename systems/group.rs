//! Populations: groups of neurons of one kind, one entity a group.

use crate::error::{Error, Problems};
use crate::relations::Projection;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use std::any::TypeId;
use std::collections::HashMap;
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

/// Set on a group that the Build schedule has not seen yet; taken away once its network is built.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct Unbuilt;

/// Reports the state `C` of the behaviour `name` where it comes to a group that is built already: nothing would size it.
pub(crate) fn refuse_late<C: Component>(world: &mut World, name: &'static str) {
    world.get_resource_or_init::<StatefulBehaviours>().0.insert(TypeId::of::<C>(), name);
    let component = world.register_component::<C>();
    if world.archetypes().iter().any(|archetype| archetype.contains(component)) {
        // Someone spawned it before the world was prepared: too late to watch it.
        return;
    }
    world.register_component_hooks::<C>().on_add(|mut world, context| {
        let group = world.entity(context.entity);
        let is_group = group.contains::<Population>() || group.contains::<Projection>();
        if is_group && !group.contains::<Unbuilt>() {
            let name = group.get::<Name>().map_or_else(|| "?".to_string(), Name::to_string);
            let names = world.get_resource::<StatefulBehaviours>();
            let behaviour = names.and_then(|n| n.0.get(&TypeId::of::<C>())).copied().unwrap_or("a behaviour");
            if let Some(mut problems) = world.get_resource_mut::<Problems>() {
                problems.push(Error::AddedLate { group: name, behaviour });
            }
        }
    });
}

/// The behaviours that state components belong to.
#[derive(Resource, Default)]
struct StatefulBehaviours(HashMap<TypeId, &'static str>);
