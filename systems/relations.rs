//! How projections hang on populations.
//!
//! A projection is an entity of its own between two populations, so a population may well project onto itself.
//! Despawning a population despawns the projections on both sides of it: no half projection is left.

use crate::axon::NeuronAxon;
use crate::error::{Error, Problems, Result};
use crate::fire::Spikes;
use crate::group::{Grid, Inhibitory, Population, Unbuilt};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use std::any::TypeId;

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

/// A part of a population: some of its neurons, which projections may come from and end on, and recorders may watch.
///
/// It is a population of its own without dynamics: its neurons are those of the whole, counted anew from 0. A spike of
/// the whole is a spike of the part in the same step.
#[doc(alias = "NeuronSubGroup")]
#[doc(alias = "PopulationView")]
#[derive(Component, Clone, Debug, PartialEq, Eq)]
#[relationship(relationship_target = SubPopulations)]
#[require(Spikes)]
pub struct SubPopulation {
    /// The whole.
    #[relationship]
    pub of: Entity,
    /// Which of its neurons, ascending: neuron k of the part is neuron `neurons[k]` of the whole.
    pub neurons: Vec<u32>,
}

/// The parts of a population, in the order in which they were made.
#[derive(Component, Debug)]
#[relationship_target(relationship = SubPopulation, linked_spawn)]
pub struct SubPopulations(Vec<Entity>);

impl SubPopulations {
    /// The parts, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = Entity> + '_ {
        self.0.iter().copied()
    }
}

/// Which neurons of a population make a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Selection {
    /// A block of the grid: planes, rows and columns from the first number up to, without, the second.
    Block {
        /// Planes.
        depth: (usize, usize),
        /// Rows.
        height: (usize, usize),
        /// Columns.
        width: (usize, usize),
    },
    /// The neurons with these indices, in any order.
    Neurons(Vec<u32>),
    /// The neurons whose flag is set, one flag a neuron.
    Mask(Vec<bool>),
}

impl Selection {
    /// The shape of the part and its neurons, ascending. `part` and `whole` are names for the error.
    ///
    /// # Errors
    /// A block beyond the grid, an index or a mask that does not fit, nothing selected.
    pub fn of(&self, grid: Grid, part: &str, whole: &str) -> Result<(Grid, Vec<u32>)> {
        let fault = |reason: String| {
            let (part, population, shape) = (part.to_string(), whole.to_string(), grid.to_string());
            Err(Error::BadSelection { part, population, shape, reason })
        };
        let neurons: Vec<u32> = match self {
            Selection::Block { depth, height, width } => {
                let sides = [
                    ("depth", depth, grid.depth),
                    ("height", height, grid.height),
                    ("width", width, grid.width),
                ];
                for (side, &(from, to), most) in sides {
                    if from >= to || to > most {
                        return fault(format!(
                            "its {side} runs from {from} to {to}, but should lie within 0 and {most}"
                        ));
                    }
                }
                let at = |d: usize, h: usize, w: usize| ((d * grid.height + h) * grid.width + w) as u32;
                let rows = (depth.0..depth.1).flat_map(|d| (height.0..height.1).map(move |h| (d, h)));
                let neurons = rows.flat_map(|(d, h)| (width.0..width.1).map(move |w| at(d, h, w))).collect();
                let shape = Grid::new(depth.1 - depth.0, height.1 - height.0, width.1 - width.0);
                return Ok((shape, neurons));
            }
            Selection::Neurons(neurons) => {
                if let Some(beyond) = neurons.iter().find(|&&j| j as usize >= grid.len()) {
                    return fault(format!("it names neuron {beyond}"));
                }
                let mut neurons = neurons.clone();
                neurons.sort_unstable();
                neurons.dedup();
                neurons
            }
            Selection::Mask(mask) => {
                if mask.len() != grid.len() {
                    return fault(format!("its mask has {} flags, one a neuron is needed", mask.len()));
                }
                (0..).zip(mask).filter(|(_, selected)| **selected).map(|(j, _)| j).collect()
            }
        };
        if neurons.is_empty() {
            return fault("it selects no neuron".into());
        }
        Ok((neurons.len().into(), neurons))
    }
}

/// The shapes of a projection's two ends.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The source's.
    pub pre: Grid,
    /// The target's.
    pub post: Grid,
}

type Fresh<'w> = (Entity, &'w Presynaptic, &'w Postsynaptic);

/// For every new projection, note how large its ends are.
pub(crate) fn measure_ends(
    mut commands: Commands,
    projections: Query<Fresh, With<Unbuilt>>,
    populations: Query<&Population>,
) {
    for (projection, pre, post) in &projections {
        if let (Ok(pre), Ok(post)) = (populations.get(pre.0), populations.get(post.0)) {
            commands.entity(projection).insert(Ends { pre: pre.grid, post: post.grid });
        }
    }
}

/// Whether the parts of a population have this behaviour of their whole.
pub fn is_shared_with_parts(behaviour: TypeId) -> bool {
    [TypeId::of::<NeuronAxon>(), TypeId::of::<Inhibitory>()].contains(&behaviour)
}

/// For every part of a population, let it have the axon and the sign of its whole.
fn share_with_parts(
    mut commands: Commands,
    parts: Query<(Entity, &SubPopulation), With<Unbuilt>>,
    wholes: Query<(Option<&NeuronAxon>, Has<Inhibitory>)>,
) {
    for (part, of) in &parts {
        let Ok((axon, inhibitory)) = wholes.get(of.of) else { continue };
        if let Some(axon) = axon {
            commands.entity(part).insert(*axon);
        }
        if inhibitory {
            commands.entity(part).insert(Inhibitory);
        }
    }
}

/// For every part of a population, take the spikes of its neurons from the whole.
pub(crate) fn share_spikes(
    mut parts: Query<(&SubPopulation, &mut Spikes)>,
    wholes: Query<&Spikes, Without<SubPopulation>>,
) {
    for (part, mut spikes) in &mut parts {
        let Ok(whole) = wholes.get(part.of) else { continue };
        spikes.0.refill(|events| {
            let mut k = 0;
            for &fired in whole.0.events() {
                k += part.neurons[k..].partition_point(|&j| j < fired);
                if part.neurons.get(k) == Some(&fired) {
                    events.push(k as u32);
                }
            }
        });
    }
}

/// A part of a part could not be resolved in one look.
fn check_parts(
    mut problems: ResMut<Problems>,
    parts: Query<(&Name, &SubPopulation), With<Unbuilt>>,
    wholes: Query<(&Name, Has<SubPopulation>)>,
) {
    for (name, part) in &parts {
        if let Ok((whole, true)) = wholes.get(part.of) {
            let (part, population) = (name.to_string(), whole.to_string());
            let (shape, reason) =
                ("a part itself".to_string(), "take a part of the whole population instead".to_string());
            problems.push(Error::BadSelection { part, population, shape, reason });
        }
    }
}

pub(crate) fn install(world: &mut World) {
    add_build_systems(
        world,
        BuildSystems::ResolvePorts,
        (share_with_parts, measure_ends).after(PortsResolved),
    );
    add_build_systems(world, BuildSystems::Validate, check_parts);
    add_systems(world, StepSystems::Axon, share_spikes.before(crate::axon::push_spikes));
}

/// Within `ResolvePorts`: what looks at projections stands behind what makes them.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PortsResolved;
