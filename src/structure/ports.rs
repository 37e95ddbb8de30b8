//! Ports, and how a synapsis becomes projections when the network is built.

use super::{Endpoint, Serial, Structure, ancestors, common_parent, is_population, parent_by_name, put_into};
use crate::error::Result;
use crate::network::{Network, closest};
use bevy_ecs::entity::EntityCloner;
use bevy_ecs::prelude::*;
use conex_systems::Error;
use conex_systems::error::Problems;
use conex_systems::group::{Template, Unbuilt};
use conex_systems::registry::Registry;
use conex_systems::relations::{PortsResolved, Postsynaptic, Presynaptic, Projection};
use conex_systems::schedule::{BuildSystems, add_build_systems};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which way a port leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Into the structure.
    Input,
    /// Out of it.
    Output,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Input => "input",
            Direction::Output => "output",
        })
    }
}

/// An opening of a structure, its parent. Its children, [`Gate`]s, say what is behind it.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
#[component(immutable)]
pub struct Port {
    /// What it is called.
    pub label: String,
    /// Which way it leads.
    pub direction: Direction,
}

/// One thing behind a port. The behaviours that a connection through it gains are its other components.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
#[component(immutable)]
#[require(Template)]
pub struct Gate {
    /// What is behind the port, inside its structure.
    pub inner: Endpoint,
}

/// A connection from an output port to an input port; the behaviours of its projections are its other components. When
/// the network is built it becomes projections, its children, one for each pair of populations behind the two ports.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
#[component(immutable)]
#[require(Template)]
pub struct Synapsis {
    /// Where it comes from.
    pub source: Endpoint,
    /// Where it goes.
    pub target: Endpoint,
}

/// The ports of the synapsis are still to be resolved.
#[derive(Component, Clone, Copy, Debug, Default)]
struct Unresolved;

pub(super) fn open(
    net: &mut (impl Network + ?Sized),
    structure: Entity,
    direction: Direction,
    label: &str,
    inner: Endpoint,
    behaviours: impl Bundle,
) -> Result<Entity> {
    let name = net.name_of(structure);
    let Some(kind) = net.world().get::<Structure>(structure) else {
        return Err(
            Error::NoSuchState { group: name, what: "place for ports: it is no structure".into() }.into()
        );
    };
    if !ancestors(net.world(), inner.of).any(|around| around == structure) {
        let reason = format!(
            "its {direction} port `{label}` should lead to `{}`, which is not inside it",
            net.name_of(inner.of)
        );
        return Err(Error::BadStructure { kind: kind.to_string(), structure: name, reason }.into());
    }
    let port = ports_of(net.world(), structure)
        .find(|(_, port)| port.label == label && port.direction == direction)
        .map(|(entity, _)| entity);
    let port = port.unwrap_or_else(|| {
        let port = Port { label: label.to_string(), direction };
        net.world_mut().spawn((port, ChildOf(structure))).id()
    });
    Ok(net.world_mut().spawn(behaviours).insert((Gate { inner }, ChildOf(port))).id())
}

pub(super) fn join(
    net: &mut (impl Network + ?Sized),
    name: &str,
    source: Endpoint,
    target: Endpoint,
    behaviours: impl Bundle,
) -> Result<Entity> {
    net.prepared()?;
    net.free_name(name)?;
    for (role, end) in [("source", &source), ("target", &target)] {
        let world = net.world();
        if world.get::<Structure>(end.of).is_none() && !is_population(world, end.of) {
            let reason = format!("its {role} is no structure and no population of this network");
            let (kind, structure) = ("synapsis".to_string(), name.to_string());
            return Err(Error::BadStructure { kind, structure, reason }.into());
        }
    }
    let around = common_parent(net.world(), source.of, target.of);
    let parent = parent_by_name(net, name).or(around);
    let synapsis = (Name::new(name.to_string()), Synapsis { source, target }, Unresolved);
    let entity = net.world_mut().spawn(behaviours).insert(synapsis).id();
    put_into(net, entity, parent);
    Ok(entity)
}

/// The ports of a structure, in the order in which they were opened.
pub(crate) fn ports_of(world: &World, structure: Entity) -> impl Iterator<Item = (Entity, &Port)> {
    let children = world.get::<Children>(structure);
    children.into_iter().flatten().filter_map(|&child| Some((child, world.get::<Port>(child)?)))
}

/// What is behind a port, in the order in which it was opened.
pub(crate) fn gates_of(world: &World, port: Entity) -> impl Iterator<Item = (Entity, &Gate)> {
    let children = world.get::<Children>(port);
    children.into_iter().flatten().filter_map(|&child| Some((child, world.get::<Gate>(child)?)))
}

/// A population behind a port, and the gates on the way there, outermost first.
struct Found {
    population: Entity,
    gates: Vec<Entity>,
}

/// The way through the ports to here, for errors.
#[derive(Clone, Default)]
struct Way {
    drawn: String,
    visited: Vec<(Entity, Option<String>)>,
    gates: Vec<Entity>,
}

fn name(world: &World, entity: Entity) -> String {
    world.get::<Name>(entity).map_or_else(|| "?".to_string(), Name::to_string)
}

/// Follows `end` to the populations behind it; where there is no way, gives what was drawn of it and the reason.
fn follow(
    world: &World,
    end: &Endpoint,
    direction: Direction,
    mut way: Way,
    found: &mut Vec<Found>,
) -> Result<(), (String, String)> {
    let here = name(world, end.of);
    way.drawn += &format!("`{here}`");
    let Ok(entity) = world.get_entity(end.of) else {
        return Err((way.drawn + " (gone)", "it was removed from the network".into()));
    };
    if entity.contains::<conex_systems::group::Population>() {
        if let Some(port) = &end.port {
            let drawn = format!("{} ─[{port}]→ ?", way.drawn);
            return Err((
                drawn,
                format!("`{here}` is a population, which has no ports: name it without one"),
            ));
        }
        found.push(Found { population: end.of, gates: way.gates });
        return Ok(());
    }
    let labels: Vec<&str> = ports_of(world, end.of)
        .filter(|(_, port)| port.direction == direction)
        .map(|(_, port)| port.label.as_str())
        .collect();
    let known = || match &labels[..] {
        [] => format!(
            "it has no {direction} port at all: open one with `.{direction}(label, inner, behaviours)`"
        ),
        labels => format!("its {direction} ports are `{}`", labels.join("`, `")),
    };
    let Some(label) = &end.port else {
        return Err((way.drawn + " ─[?", format!("`{here}` is a structure: name a port of it; {}", known())));
    };
    way.drawn += &format!(" ─[{label}]→ ");
    let port = ports_of(world, end.of).find(|(_, p)| p.label == *label && p.direction == direction);
    let Some((port, _)) = port else {
        let suggestion = closest(label, labels.iter().copied());
        let suggestion = suggestion.map_or_else(String::new, |s| format!(": did you mean `{s}`?"));
        let reason = format!("`{here}` has no {direction} port `{label}`; {}{suggestion}", known());
        return Err((way.drawn + "?", reason));
    };
    let this = (end.of, end.port.clone());
    if way.visited.contains(&this) {
        return Err((way.drawn + "...", format!("the port `{label}` of `{here}` leads back to itself")));
    }
    way.visited.push(this);
    let mut gates = gates_of(world, port).peekable();
    if gates.peek().is_none() {
        return Err((way.drawn + "nothing", format!("nothing is behind the port `{label}` of `{here}`")));
    }
    for (entity, gate) in gates {
        let mut way = way.clone();
        way.gates.push(entity);
        follow(world, &gate.inner, direction, way, found)?;
    }
    Ok(())
}

/// For every synapsis that is not resolved yet, make its projections.
fn resolve_ports(world: &mut World) {
    let unresolved: Vec<Entity> =
        world.query_filtered::<Entity, (With<Unresolved>, With<Template>)>().iter(world).collect();
    for entity in unresolved {
        match projections_of(world, entity) {
            Ok(pairs) => {
                for (source, target) in pairs {
                    make_projection(world, entity, &source, &target);
                }
                world.entity_mut(entity).remove::<Unresolved>();
            }
            Err(error) => world.resource_mut::<Problems>().push(error),
        }
    }
}

fn projections_of(world: &World, entity: Entity) -> Result<Vec<(Found, Found)>, Error> {
    let Some(Synapsis { source, target }) = world.get::<Synapsis>(entity) else { return Ok(Vec::new()) };
    let follow = |end, direction, role| {
        let mut found = Vec::new();
        follow(world, end, direction, Way::default(), &mut found)
            .map(|()| found)
            .map_err(|(path, reason)| Error::Wiring { synapsis: name(world, entity), role, path, reason })
    };
    let sources = follow(source, Direction::Output, "from its source")?;
    let targets = follow(target, Direction::Input, "to its target")?;
    let again = |f: &Found| Found { population: f.population, gates: f.gates.clone() };
    Ok(sources.iter().flat_map(|s| targets.iter().map(move |t| (again(s), again(t)))).collect())
}

fn make_projection(world: &mut World, synapsis: Entity, source: &Found, target: &Found) {
    let (pre, post) = (source.population, target.population);
    let inside = world.name_between(&name(world, pre), &name(world, post));
    let base = format!("{} : {inside}", name(world, synapsis));
    let numbered = (2..).map(|k| format!("{base} #{k}"));
    let mut names = std::iter::once(base.clone()).chain(numbered);
    let free = names.find(|name| world.free_name(name).is_ok()).unwrap_or(base);
    let projection = world.spawn_empty().id();
    // Inner gates come first, so that what is nearer to the connection counts.
    let gates = source.gates.iter().rev().chain(target.gates.iter().rev()).copied();
    let templates: Vec<Entity> = gates.chain([synapsis]).collect();
    for &template in &templates {
        let mut cloner = EntityCloner::build_opt_out(world);
        cloner.deny::<(Template, Gate, Synapsis, Unresolved, Serial, Name, ChildOf, Children)>();
        cloner.clone_entity(template, projection);
    }
    let ends = (Name::new(free), Projection, Presynaptic(pre), Postsynaptic(post), Unbuilt::New);
    world.entity_mut(projection).insert(ends);
    put_into(world, projection, Some(synapsis));
    let registry = world.resource::<Registry>();
    let lost = registry.behaviours().iter().filter(|b| {
        templates.iter().any(|t| b.is_on(world.entity(*t))) && !b.is_on(world.entity(projection))
    });
    let lost: Vec<String> = lost.map(|b| b.name.clone()).collect();
    let synapsis = name(world, synapsis);
    let mut problems = world.resource_mut::<Problems>();
    lost.into_iter()
        .for_each(|behaviour| problems.push(Error::NotCopied { synapsis: synapsis.clone(), behaviour }));
}

pub(crate) fn install(world: &mut World) {
    if conex_systems::registry::first::<Synapsis>(world) {
        add_build_systems(world, BuildSystems::ResolvePorts, resolve_ports.in_set(PortsResolved));
    }
}
