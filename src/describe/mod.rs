//! What a network consists of, for people and for programs.
//!
//! A [`Description`] prints as a table; [`Description::tree`] draws it as an indented tree, [`Description::mermaid`] as a
//! diagram. [`dependency_table`] lists what each behaviour needs.

mod dependencies;
mod mermaid;
mod tree;

pub use dependencies::dependency_table;

use crate::structure::{Direction, Endpoint, Serial, Structure, Synapsis, gates_of, ports_of};

use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;
use conex_systems::Real;
use conex_systems::group::{Inhibitory, Population};
use conex_systems::record::StateVariables;
use conex_systems::registry::Registry;
use conex_systems::relations::{Postsynaptic, Presynaptic, Projection};
use conex_systems::synaptic_input::SynapseViews;
use serde::Serialize;
use std::fmt;

/// A network's structures, populations and projections. Its `Display` is a table, and it serializes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// The structures, in the order in which they were added.
    pub structures: Vec<StructureDescription>,
    /// The populations, in the order in which they were added.
    pub populations: Vec<PopulationDescription>,
    /// The projections, in the order in which they were added.
    pub projections: Vec<ProjectionDescription>,
}

/// One structure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StructureDescription {
    /// Its name.
    pub name: String,
    /// What kind of structure it is.
    pub kind: Structure,
    /// The structure that it is in.
    pub within: Option<String>,
    /// Its behaviours with their parameters.
    pub behaviours: Vec<String>,
    /// Its ports.
    pub ports: Vec<PortDescription>,
}

/// One port.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PortDescription {
    /// What it is called.
    pub label: String,
    /// Which way it leads.
    pub direction: Direction,
    /// What is behind it: a population, or a structure with the port of it after a dot.
    pub inner: Vec<String>,
}

/// One population.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PopulationDescription {
    /// Its name.
    pub name: String,
    /// The structure that it is in.
    pub within: Option<String>,
    /// Its number of neurons.
    pub neurons: usize,
    /// Its shape: depth, height, width.
    pub shape: [usize; 3],
    /// The names of its behaviours, in the order of the step.
    pub behaviour_names: Vec<String>,
    /// Its behaviours with their parameters, in the order of the step.
    pub behaviours: Vec<String>,
    /// Memory of its state variables \[bytes\].
    pub bytes: usize,
}

/// One projection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProjectionDescription {
    /// Its name.
    pub name: String,
    /// The structure that it is in.
    pub within: Option<String>,
    /// The synapsis that made it.
    pub synapsis: Option<String>,
    /// The population that it comes from.
    pub source: String,
    /// The population that it goes to.
    pub target: String,
    /// Whether it inhibits.
    pub inhibitory: bool,
    /// Its stored weights, shared ones counted once; none before it is built.
    pub weights: Option<usize>,
    /// The names of its behaviours, in the order of the step.
    pub behaviour_names: Vec<String>,
    /// Its behaviours with their parameters, in the order of the step.
    pub behaviours: Vec<String>,
    /// Memory of its synapses and state variables \[bytes\].
    pub bytes: usize,
}

impl Description {
    /// Describes the network in `world`.
    pub fn of(world: &World) -> Self {
        let name = |e: Entity| world.get::<Name>(e).map_or_else(|| "?".to_string(), Name::to_string);
        let mut groups: Vec<EntityRef> = world.iter_entities().filter(|e| e.contains::<Name>()).collect();
        groups.sort_by_key(|e| e.get::<Serial>().copied());
        let (Some(registry), Some(variables), Some(views)) = (
            world.get_resource::<Registry>(),
            world.get_resource::<StateVariables>(),
            world.get_resource::<SynapseViews>(),
        ) else {
            return Description { structures: Vec::new(), populations: Vec::new(), projections: Vec::new() };
        };
        let names_of = |group: &EntityRef| -> Vec<String> {
            let named = registry.behaviours().iter().filter(|b| b.is_on(*group) && !b.is_implied());
            named.map(|b| b.name.clone()).collect()
        };
        // What a synapsis made stands where the synapsis does.
        let made_by = |group: &EntityRef| {
            group.get::<ChildOf>().map(ChildOf::parent).filter(|p| world.get::<Synapsis>(*p).is_some())
        };
        let within = |group: &EntityRef| {
            let place = made_by(group).unwrap_or(group.id());
            world.get::<ChildOf>(place).map(|parent| name(parent.parent()))
        };
        let end = |Endpoint { of, port }: &Endpoint| match port {
            Some(port) => format!("{}.{port}", name(*of)),
            None => name(*of),
        };
        let structures = groups.iter().filter_map(|structure| {
            let ports = ports_of(world, structure.id()).map(|(entity, port)| PortDescription {
                label: port.label.clone(),
                direction: port.direction,
                inner: gates_of(world, entity).map(|(_, gate)| end(&gate.inner)).collect(),
            });
            Some(StructureDescription {
                name: name(structure.id()),
                kind: *structure.get::<Structure>()?,
                within: within(structure),
                behaviours: registry.describe(*structure),
                ports: ports.collect(),
            })
        });
        let state_bytes = |group: EntityRef| {
            let mut values = Vec::new();
            let names = variables.of(group);
            let sizes = names.iter().filter(|n| **n != "weights").map(|n| {
                variables.read(n, group, &mut values);
                size_of_val(&values[..])
            });
            sizes.sum::<usize>()
        };
        let populations = groups.iter().filter_map(|group| {
            let grid = group.get::<Population>()?.grid;
            Some(PopulationDescription {
                name: name(group.id()),
                within: within(group),
                neurons: grid.len(),
                shape: [grid.depth, grid.height, grid.width],
                behaviour_names: names_of(group),
                behaviours: registry.describe(*group),
                bytes: state_bytes(*group),
            })
        });
        let projections = groups.iter().filter(|group| group.contains::<Projection>()).filter_map(|group| {
            let view = views.of(*group);
            Some(ProjectionDescription {
                name: name(group.id()),
                within: within(group),
                synapsis: made_by(group).map(name),
                inhibitory: world.get::<Inhibitory>(group.get::<Presynaptic>()?.0).is_some(),
                source: name(group.get::<Presynaptic>()?.0),
                target: name(group.get::<Postsynaptic>()?.0),
                weights: view.as_ref().map(|v| v.count),
                behaviour_names: names_of(group),
                behaviours: registry.describe(*group),
                bytes: state_bytes(*group) + view.map_or(0, |v| v.bytes),
            })
        });
        Description {
            structures: structures.collect(),
            populations: populations.collect(),
            projections: projections.collect(),
        }
    }
}

impl Description {
    /// One line on all of it.
    pub fn summary(&self) -> String {
        let neurons: usize = self.populations.iter().map(|p| p.neurons).sum();
        let weights: usize = self.projections.iter().filter_map(|p| p.weights).sum();
        let bytes: usize = self.populations.iter().map(|p| p.bytes).sum::<usize>()
            + self.projections.iter().map(|p| p.bytes).sum::<usize>();
        format!(
            "{} populations with {neurons} neurons, {} projections with {weights} weights, {} of {}-bit numbers",
            self.populations.len(),
            self.projections.len(),
            memory(bytes),
            8 * size_of::<Real>(),
        )
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.summary())?;
        writeln!(f, "\nPopulations")?;
        for p in &self.populations {
            let [depth, height, width] = p.shape;
            writeln!(
                f,
                "  {}: {} neurons ({depth} x {height} x {width}), {}",
                p.name,
                p.neurons,
                memory(p.bytes)
            )?;
            p.behaviours.iter().try_for_each(|b| writeln!(f, "    {b}"))?;
        }
        writeln!(f, "\nProjections")?;
        for p in &self.projections {
            let weights = p.weights.map_or_else(|| "not built".to_string(), |w| format!("{w} weights"));
            writeln!(f, "  {}: {} to {}, {weights}, {}", p.name, p.source, p.target, memory(p.bytes))?;
            p.behaviours.iter().try_for_each(|b| writeln!(f, "    {b}"))?;
        }
        Ok(())
    }
}

fn memory(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
