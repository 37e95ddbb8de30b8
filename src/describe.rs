//! What a network consists of, for people and for programs.

use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;
use conex_systems::Real;
use conex_systems::group::Population;
use conex_systems::record::StateVariables;
use conex_systems::registry::Registry;
use conex_systems::relations::{Postsynaptic, Presynaptic, Projection};
use conex_systems::synaptic_input::SynapseViews;
use serde::Serialize;
use std::fmt;

/// A network's populations and projections. Its `Display` is a table, and it serializes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// The populations, in the order in which they were added.
    pub populations: Vec<PopulationDescription>,
    /// The projections, in the order in which they were added.
    pub projections: Vec<ProjectionDescription>,
}

/// One population.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PopulationDescription {
    /// Its name.
    pub name: String,
    /// Its number of neurons.
    pub neurons: usize,
    /// Its shape: depth, height, width.
    pub shape: [usize; 3],
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
    /// The population that it comes from.
    pub source: String,
    /// The population that it goes to.
    pub target: String,
    /// Its stored weights, shared ones counted once; none before it is built.
    pub weights: Option<usize>,
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
        groups.sort_by_key(EntityRef::id);
        let (Some(registry), Some(variables), Some(views)) = (
            world.get_resource::<Registry>(),
            world.get_resource::<StateVariables>(),
            world.get_resource::<SynapseViews>(),
        ) else {
            return Description { populations: Vec::new(), projections: Vec::new() };
        };
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
                neurons: grid.len(),
                shape: [grid.depth, grid.height, grid.width],
                behaviours: registry.describe(*group),
                bytes: state_bytes(*group),
            })
        });
        let projections = groups.iter().filter(|group| group.contains::<Projection>()).filter_map(|group| {
            let view = views.of(*group);
            Some(ProjectionDescription {
                name: name(group.id()),
                source: name(group.get::<Presynaptic>()?.0),
                target: name(group.get::<Postsynaptic>()?.0),
                weights: view.as_ref().map(|v| v.weights.len()),
                behaviours: registry.describe(*group),
                bytes: state_bytes(*group) + view.map_or(0, |v| v.bytes),
            })
        });
        Description { populations: populations.collect(), projections: projections.collect() }
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let neurons: usize = self.populations.iter().map(|p| p.neurons).sum();
        let weights: usize = self.projections.iter().filter_map(|p| p.weights).sum();
        let bytes: usize = self.populations.iter().map(|p| p.bytes).sum::<usize>()
            + self.projections.iter().map(|p| p.bytes).sum::<usize>();
        writeln!(
            f,
            "{} populations with {neurons} neurons, {} projections with {weights} weights, {} of {}-bit numbers",
            self.populations.len(),
            self.projections.len(),
            memory(bytes),
            8 * size_of::<Real>(),
        )?;
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
