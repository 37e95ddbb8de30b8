//! From a structure in a network to a value.

use super::blueprint::{
    Behaviours, Blueprint, Joined, NetworkSettings, Part, SavedGate, SavedPopulation, SavedPort,
    SavedProjection, SavedSynapsis,
};
use crate::error::Result;
use crate::network::Network;
use crate::structure::{
    Between, Endpoint, Gate, Port, Serial, Structure, Synapsis, ancestors, gates_of, ports_of,
};
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;
use conex_systems::Error;
use conex_systems::group::Population;
use conex_systems::random::Seed;
use conex_systems::registry::Registry;
use conex_systems::relations::{Postsynaptic, Presynaptic, Projection, SubPopulation};
use conex_systems::reward::Dopamine;
use conex_systems::time::Clock;

/// Saves `structure` with everything in it.
pub(super) fn structure(net: &(impl Network + ?Sized), structure: Entity) -> Result<Blueprint> {
    let name = net.name_of(structure);
    let Some(&kind) = net.world().get_entity(structure).ok().and_then(|e| e.get::<Structure>()) else {
        return Err(not_saved(&name, "it is no structure: save the structure that it is in"));
    };
    let children = net.world().get::<Children>(structure).map_or_else(Vec::new, |c| c.iter().collect());
    Saver { net, inside: Some(structure), prefix: format!("{name}/") }.blueprint(
        Some(structure),
        kind,
        name,
        &children,
    )
}

/// Saves everything in the network, as what is inside one container.
pub(super) fn network(net: &(impl Network + ?Sized)) -> Result<Blueprint> {
    let world = net.world();
    let all = net.all_names().into_iter().map(|(entity, _)| entity);
    let mut top: Vec<Entity> = all.filter(|e| world.get::<ChildOf>(*e).is_none()).collect();
    top.sort_by_key(|e| world.get::<Serial>(*e).copied());
    let saver = Saver { net, inside: None, prefix: String::new() };
    let mut blueprint = saver.blueprint(None, Structure::Container, "network".into(), &top)?;
    blueprint.network = Some(NetworkSettings {
        dt: world.get_resource::<Clock>().map_or(1.0, |clock| clock.dt),
        seed: world.get_resource::<Seed>().map_or(1, |seed| seed.0),
        time_scaling: world.get_resource::<Clock>().map(|clock| clock.scaling).unwrap_or_default(),
        dopamine: world.get_resource::<Dopamine>().copied(),
    });
    Ok(blueprint)
}

fn not_saved(group: &str, reason: &str) -> crate::Error {
    Error::NotSaved { group: group.to_string(), reason: reason.to_string() }.into()
}

/// Saves what is inside one structure.
struct Saver<'n, N: ?Sized> {
    net: &'n N,
    inside: Option<Entity>,
    prefix: String,
}

impl<N: Network + ?Sized> Saver<'_, N> {
    fn blueprint(
        &self,
        of: Option<Entity>,
        kind: Structure,
        name: String,
        children: &[Entity],
    ) -> Result<Blueprint> {
        let world = self.net.world();
        let mut blueprint = Blueprint::new(&name, kind);
        if let Some(structure) = of {
            (blueprint.behaviours, _) = self.behaviours(world.entity(structure))?;
            blueprint.between = self.between(world.entity(structure));
        }
        for &child in children {
            let entity = world.entity(child);
            if entity.contains::<Population>() {
                blueprint.populations.push(self.population(entity)?);
            } else if entity.contains::<Projection>() {
                blueprint.projections.push(self.projection(entity)?);
            } else if let Some(kind) = entity.get::<Structure>() {
                let name = self.relative(child);
                let prefix = format!("{}/", self.net.name_of(child));
                let within = world.get::<Children>(child).map_or_else(Vec::new, |c| c.iter().collect());
                let saver = Saver { net: self.net, inside: Some(child), prefix };
                let mut within = saver.blueprint(Some(child), *kind, name, &within)?;
                if let Some(Between { source, target }) = entity.get::<Between>() {
                    within.between = Some((self.relative(*source), self.relative(*target)));
                }
                blueprint.structures.push(within);
            } else if let Some(synapsis) = entity.get::<Synapsis>() {
                blueprint.synapses.push(SavedSynapsis {
                    name: self.relative(child),
                    source: self.joined(child, &synapsis.source)?,
                    target: self.joined(child, &synapsis.target)?,
                    behaviours: self.template(entity)?,
                });
            }
        }
        // Parts come behind wholes, as they are built.
        blueprint.populations.sort_by_key(|p| p.part.is_some());
        if let Some(structure) = of {
            for (port, Port { label, direction }) in ports_of(world, structure) {
                let gates = gates_of(world, port).map(|(entity, Gate { inner })| {
                    let behaviours = self.template(world.entity(entity))?;
                    Ok(SavedGate { inner: self.joined(structure, inner)?, behaviours })
                });
                let gates = gates.collect::<Result<_>>()?;
                blueprint.ports.push(SavedPort { label: label.clone(), direction: *direction, gates });
            }
        }
        Ok(blueprint)
    }

    /// A name without the path of the structure that is saved.
    fn relative(&self, entity: Entity) -> String {
        let name = self.net.name_of(entity);
        name.strip_prefix(&self.prefix).map(String::from).unwrap_or(name)
    }

    /// The same, of something that has to be inside.
    fn inside(&self, user: Entity, entity: Entity) -> Result<String> {
        if self.inside.is_none_or(|inside| ancestors(self.net.world(), entity).any(|around| around == inside))
        {
            return Ok(self.relative(entity));
        }
        let reason = format!(
            "it reaches `{}`, which is outside of what is saved: save a structure that contains both",
            self.net.name_of(entity)
        );
        Err(not_saved(&self.net.name_of(user), &reason))
    }

    fn joined(&self, user: Entity, end: &Endpoint) -> Result<Joined> {
        Ok(Joined { of: self.inside(user, end.of)?, port: end.port.clone() })
    }

    fn between(&self, structure: EntityRef<'_>) -> Option<(String, String)> {
        let Between { source, target } = *structure.get::<Between>()?;
        Some((self.net.name_of(source), self.net.name_of(target)))
    }

    fn population(&self, entity: EntityRef<'_>) -> Result<SavedPopulation> {
        let shape = entity.get::<Population>().map_or(0.into(), |p| p.grid);
        let (mut behaviours, left_out) = self.behaviours(entity)?;
        let part = entity.get::<SubPopulation>();
        let part = part.map(|part| {
            let of = self.inside(entity.id(), part.of)?;
            Ok::<_, crate::Error>(Part { of, neurons: part.neurons.clone() })
        });
        let part = part.transpose()?;
        if part.is_some() {
            // A part takes these over from its whole.
            behaviours.shift_remove("NeuronAxon");
            behaviours.shift_remove("Inhibitory");
        }
        Ok(SavedPopulation { name: self.relative(entity.id()), shape, part, behaviours, left_out })
    }

    fn projection(&self, entity: EntityRef<'_>) -> Result<SavedProjection> {
        let (behaviours, left_out) = self.behaviours(entity)?;
        let ends = (entity.get::<Presynaptic>().map(|p| p.0), entity.get::<Postsynaptic>().map(|p| p.0));
        let (Some(pre), Some(post)) = ends else {
            return Err(not_saved(&self.net.name_of(entity.id()), "one of its populations is gone"));
        };
        let between = self.inside.and_then(|inside| self.net.world().get::<Between>(inside)).copied();
        let (source, target) = match between {
            Some(Between { source, target }) => {
                (self.role(entity, source, pre)?, self.role(entity, target, post)?)
            }
            None => (self.inside(entity.id(), pre)?, self.inside(entity.id(), post)?),
        };
        Ok(SavedProjection { name: self.relative(entity.id()), source, target, behaviours, left_out })
    }

    /// The name of a population within the layer at one end of a connection.
    fn role(&self, projection: EntityRef<'_>, layer: Entity, population: Entity) -> Result<String> {
        let (layer, name) = (self.net.name_of(layer), self.net.name_of(population));
        let role = name.strip_prefix(&layer).and_then(|rest| rest.strip_prefix('/'));
        role.map(String::from).ok_or_else(|| {
            let reason = format!("it reaches `{name}`, which is not in `{layer}`");
            not_saved(&self.net.name_of(projection.id()), &reason)
        })
    }

    /// The behaviours that can be saved, and the names of those that cannot.
    fn behaviours(&self, entity: EntityRef<'_>) -> Result<(Behaviours, Vec<String>)> {
        let world = self.net.world();
        let name = self.net.name_of(entity.id());
        if entity.contains::<conex_systems::registry::SwitchedOff>() {
            return Err(not_saved(&name, "some of its behaviours are switched off: switch them on first"));
        }
        let Some(registry) = world.get_resource::<Registry>() else { return Ok(Default::default()) };
        let (mut saved, mut left_out) = (Behaviours::new(), Vec::new());
        for behaviour in registry.behaviours().iter().filter(|b| b.is_on(entity) && !b.is_implied()) {
            match behaviour.save(entity) {
                Some(Ok(value)) => {
                    saved.insert(behaviour.name.clone(), value);
                }
                Some(Err(reason)) => {
                    return Err(not_saved(&name, &format!("its {}: {reason}", behaviour.name)));
                }
                None if behaviour.can_be_copied() => left_out.push(behaviour.name.clone()),
                None => {
                    let reason = format!(
                        "its {} is not known well enough: call `register_behaviour::<{}>()`, for which it derives `Serialize` and `Deserialize`",
                        behaviour.name, behaviour.name
                    );
                    return Err(not_saved(&name, &reason));
                }
            }
        }
        self.check_unknown(entity, registry, &name)?;
        Ok((saved, left_out))
    }

    /// A component that nobody registered would be lost in silence.
    fn check_unknown(&self, entity: EntityRef<'_>, registry: &Registry, name: &str) -> Result<()> {
        let components = self.net.world().components();
        for id in entity.archetype().components() {
            let Some(info) = components.get_info(*id) else { continue };
            let own = format!("{}", info.name());
            let known = info.type_id().is_none_or(|type_id| registry.of_type(type_id).is_some());
            let internal =
                ["conex_systems::", "conex::", "bevy_ecs::"].iter().any(|path| own.starts_with(path));
            if !known && !internal {
                let short = own.rsplit("::").next().unwrap_or(&own);
                let reason = format!(
                    "it has the component {own}, which the network does not know: call `register_behaviour::<{short}>()`"
                );
                return Err(not_saved(name, &reason));
            }
        }
        Ok(())
    }

    /// The behaviours that a port or a synapsis hands on.
    fn template(&self, entity: EntityRef<'_>) -> Result<Behaviours> {
        let (behaviours, left_out) = self.behaviours(entity)?;
        match left_out.first() {
            Some(lost) => {
                Err(not_saved(&self.net.name_of(entity.id()), &format!("its {lost} cannot be saved")))
            }
            None => Ok(behaviours),
        }
    }
}
