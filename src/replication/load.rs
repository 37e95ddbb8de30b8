//! From a value to a structure in a network.

use super::blueprint::{Behaviours, Blueprint, Joined, unknown};
use crate::error::Result;
use crate::network::{Network, closest};
use crate::structure::{Between, Endpoint, Structure, Structures};
use bevy_ecs::prelude::*;
use conex_systems::Error;
use conex_systems::registry::{Behaviour, Registry, Value};
use conex_systems::relations::{Selection, SubPopulation};

/// Builds `blueprint` as a structure named `name`; on an error nothing is left of it.
pub(super) fn structure<N: Network + ?Sized>(
    net: &mut N,
    name: &str,
    blueprint: &Blueprint,
    between: Option<(Entity, Entity)>,
) -> Result<Entity> {
    net.prepared()?;
    net.free_name(name)?;
    let between = match (between, &blueprint.between) {
        (Some(_), None) => {
            let reason = format!("it is a {}, no connection between layers", blueprint.kind);
            return Err(not_loaded(name, reason));
        }
        (Some(between), Some(_)) => Some(between),
        (None, Some((source, target))) => Some((net.find(source)?, net.find(target)?)),
        (None, None) => None,
    };
    let entity = begin(net, name, blueprint.kind, between)?;
    let built = fill(net, name, Some(entity), blueprint);
    if let Err(error) = built {
        net.world_mut().despawn(entity);
        return Err(error);
    }
    Ok(entity)
}

/// Builds what is in `blueprint` at the top of a network of its own.
pub(super) fn network<N: Network + ?Sized>(net: &mut N, blueprint: &Blueprint) -> Result<()> {
    match &blueprint.network {
        Some(settings) => {
            if let Some(dopamine) = settings.dopamine {
                net.world_mut().insert_resource(dopamine);
            }
            fill(net, "", None, blueprint)
        }
        None => structure(net, &blueprint.name, blueprint, None).map(drop),
    }
}

/// Copies what could not be saved, data for instance, from the groups of a structure to those of its copy.
pub(super) fn copy_unsaved<N: Network + ?Sized>(net: &mut N, original: Entity, copy: Entity) {
    let (from, to) = (net.name_of(original), net.name_of(copy));
    let pairs: Vec<(Entity, Entity)> = net
        .names()
        .into_iter()
        .filter_map(|(entity, name)| {
            let within = name.strip_prefix(&from)?.strip_prefix('/')?;
            Some((entity, net.find(&format!("{to}/{within}")).ok()?))
        })
        .collect();
    let unsaved: Vec<Behaviour> =
        net.world().resource::<Registry>().behaviours().iter().filter(|b| !b.is_saved()).cloned().collect();
    for (original, copy) in pairs {
        for behaviour in &unsaved {
            if let Some(put) = behaviour.copy(net.world().entity(original)) {
                put(&mut net.world_mut().entity_mut(copy));
            }
        }
    }
}

fn not_loaded(place: &str, reason: String) -> crate::Error {
    Error::NotLoaded { place: format!("`{place}`"), reason }.into()
}

fn begin<N: Network + ?Sized>(
    net: &mut N,
    name: &str,
    kind: Structure,
    between: Option<(Entity, Entity)>,
) -> Result<Entity> {
    let parent = crate::structure::parent_by_name(net, name);
    let entity = net.world_mut().spawn((Name::new(name.to_string()), kind)).id();
    crate::structure::put_into(net, entity, parent);
    if let Some((source, target)) = between {
        net.world_mut().entity_mut(entity).insert(Between { source, target });
    }
    Ok(entity)
}

/// The full name of something inside `path`.
fn inside(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}/{name}") }
}

/// Looks up something inside `path` that was loaded before.
fn find<N: Network + ?Sized>(net: &N, path: &str, name: &str, kind: &'static str) -> Result<Entity> {
    let full = inside(path, name);
    let names = net.all_names();
    if let Some((entity, _)) = names.iter().find(|(_, n)| *n == full) {
        return Ok(*entity);
    }
    let prefix = inside(path, "");
    let known = names.iter().filter_map(|(_, n)| n.strip_prefix(&prefix));
    Err(unknown(kind, name, known))
}

fn fill<N: Network + ?Sized>(net: &mut N, path: &str, entity: Option<Entity>, b: &Blueprint) -> Result<()> {
    if let Some(entity) = entity {
        put(net, entity, path, &b.behaviours)?;
    }
    // Parts come behind the populations that they are parts of.
    let (wholes, parts): (Vec<_>, Vec<_>) = b.populations.iter().partition(|p| p.part.is_none());
    for population in wholes {
        let name = inside(path, &population.name);
        let entity = net.neurons(&name, population.shape, ())?;
        place_in(net, entity, path);
        put(net, entity, &name, &population.behaviours)?;
    }
    for within in &b.structures {
        let name = inside(path, &within.name);
        net.free_name(&name)?;
        let between = within.between.as_ref().map(|(source, target)| {
            Ok::<_, crate::Error>((find(net, path, source, "layer")?, find(net, path, target, "layer")?))
        });
        let entity = begin(net, &name, within.kind, between.transpose()?)?;
        let filled = fill(net, &name, Some(entity), within);
        if let Err(error) = filled {
            net.world_mut().despawn(entity);
            return Err(error);
        }
    }
    for population in parts {
        let Some(part) = &population.part else { continue };
        let name = inside(path, &population.name);
        let of = find(net, path, &part.of, "population")?;
        let whole = net.get::<conex_systems::group::Population>(of)?.grid;
        let selection = Selection::Neurons(part.neurons.clone());
        let (_, neurons) = selection.of(whole, &name, &net.name_of(of))?;
        if neurons.len() != population.shape.len() {
            let reason = format!("its shape {} does not fit its {} neurons", population.shape, neurons.len());
            return Err(not_loaded(&name, reason));
        }
        let entity = net.neurons(&name, population.shape, SubPopulation { of, neurons })?;
        place_in(net, entity, path);
        put(net, entity, &name, &population.behaviours)?;
    }
    let between = entity.and_then(|entity| net.world().get::<Between>(entity)).copied();
    for projection in &b.projections {
        let name = inside(path, &projection.name);
        let (from, to) = match between {
            Some(Between { source, target }) => (net.name_of(source), net.name_of(target)),
            None => (path.to_string(), path.to_string()),
        };
        let pre = find(net, &from, &projection.source, "population")?;
        let post = find(net, &to, &projection.target, "population")?;
        let entity = net.named_synapses(&name, pre, post, ())?;
        place_in(net, entity, path);
        put(net, entity, &name, &projection.behaviours)?;
    }
    for port in &b.ports {
        let Some(structure) = entity else {
            return Err(not_loaded(&port.label, "a whole network has no ports".into()));
        };
        for gate in &port.gates {
            let inner = joined(net, path, &gate.inner)?;
            let template = net.open_port(structure, port.direction, &port.label, inner, ())?;
            put(net, template, &format!("{path}.{}", port.label), &gate.behaviours)?;
        }
    }
    for synapsis in &b.synapses {
        let name = inside(path, &synapsis.name);
        let (source, target) = (joined(net, path, &synapsis.source)?, joined(net, path, &synapsis.target)?);
        let entity = net.named_synapsis(&name, source, target, ())?;
        place_in(net, entity, path);
        put(net, entity, &name, &synapsis.behaviours)?;
    }
    Ok(())
}

/// Puts what was loaded under `path` into that structure, whatever its own name says.
fn place_in<N: Network + ?Sized>(net: &mut N, entity: Entity, path: &str) {
    match net.find(path) {
        Ok(parent) if !path.is_empty() => {
            net.world_mut().entity_mut(entity).insert(ChildOf(parent));
        }
        _ => {
            net.world_mut().entity_mut(entity).remove::<ChildOf>();
        }
    }
}

fn joined<N: Network + ?Sized>(net: &N, path: &str, end: &Joined) -> Result<Endpoint> {
    Ok(Endpoint { of: find(net, path, &end.of, "population or structure")?, port: end.port.clone() })
}

/// Puts behaviours on an entity.
fn put<N: Network + ?Sized>(net: &mut N, entity: Entity, name: &str, behaviours: &Behaviours) -> Result<()> {
    for (behaviour, parameters) in behaviours {
        let registry = net.world().resource::<Registry>();
        let Some(known) = registry.find(behaviour).cloned() else {
            let suggestion = closest(behaviour, registry.behaviours().iter().map(|b| b.name.as_str()));
            let suggestion = suggestion.map_or_else(
                || ": register it with `register_behaviour`, if it is your own".to_string(),
                |s| format!(": did you mean `{s}`?"),
            );
            return Err(not_loaded(name, format!("there is no behaviour named `{behaviour}`{suggestion}")));
        };
        if let (Some(fields), Value::Object(given)) = (known.parameters(), parameters)
            && let Some(stray) = given.keys().find(|key| !fields.contains(&key.as_str()))
        {
            let suggestion = closest(stray, fields.iter().copied());
            let suggestion = suggestion.map_or_else(
                || format!("; its parameters are `{}`", fields.join("`, `")),
                |s| format!(": did you mean `{s}`?"),
            );
            return Err(not_loaded(name, format!("{behaviour} has no parameter `{stray}`{suggestion}")));
        }
        let loaded = known.load(&mut net.world_mut().entity_mut(entity), parameters.clone());
        loaded.map_err(|reason| not_loaded(name, format!("{behaviour}: {reason}")))?;
    }
    Ok(())
}
