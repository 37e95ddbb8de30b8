//! What behaviours need of their own group, of the ends of a projection and of the network, and the check that it is there.

use super::{Behaviour, GroupKind, Registry, SwitchedOff};
use crate::error::{Error, Problems};
use crate::group::{Population, Unbuilt};
use crate::relations::{Postsynaptic, Presynaptic, Projection, SubPopulation};
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;
use std::any::TypeId;
use std::collections::HashSet;

/// Where a need has to be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the behaviour's own group.
    Own,
    /// On the source of its projection.
    Source,
    /// On the target of its projection.
    Target,
    /// Anywhere in the network.
    Network,
}

/// Something without which a behaviour cannot do its work.
#[derive(Clone, Copy)]
pub struct Need {
    /// Where it has to be.
    pub place: Place,
    /// What it is, as in "has no axon".
    pub what: &'static str,
    /// What to add.
    pub remedy: &'static str,
    /// When only it is needed, as in "if it has a neuron model"; empty for always.
    pub condition: &'static str,
    applies: fn(EntityRef<'_>) -> bool,
    component: fn() -> TypeId,
    met: fn(EntityRef<'_>) -> bool,
    met_otherwise: fn(EntityRef<'_>) -> bool,
    met_by_network: fn(&World) -> bool,
}

impl Need {
    /// The component `C`, called `what`, at `place`; `remedy` is what brings it.
    pub const fn of<C: Component>(place: Place, what: &'static str, remedy: &'static str) -> Need {
        Need {
            place,
            what,
            remedy,
            condition: "",
            applies: |_| true,
            component: TypeId::of::<C>,
            met: |group| group.contains::<C>(),
            met_otherwise: |_| false,
            met_by_network: |_| false,
        }
    }

    /// The resource `R`, called `what`, in the network; `remedy` is what brings it.
    pub const fn network<R: Resource>(what: &'static str, remedy: &'static str) -> Need {
        Need {
            place: Place::Network,
            what,
            remedy,
            condition: "",
            applies: |_| true,
            component: TypeId::of::<R>,
            met: |_| false,
            met_otherwise: |_| false,
            met_by_network: |world| world.contains_resource::<R>(),
        }
    }

    /// The same need, but only of groups to which it `applies`; `condition` says which.
    pub const fn only(self, condition: &'static str, applies: fn(EntityRef<'_>) -> bool) -> Need {
        Need { condition, applies, ..self }
    }

    /// The same need, but groups of which this is true meet it too.
    pub const fn or(self, met: fn(EntityRef<'_>) -> bool) -> Need {
        Need { met_otherwise: met, ..self }
    }

    /// The same need at another place, without condition.
    pub const fn at(self, place: Place) -> Need {
        Need { place, condition: "", applies: |_| true, ..self }
    }

    /// Whether `group` meets it; what is switched off for a while still counts.
    fn is_met(&self, group: EntityRef<'_>) -> bool {
        let type_id = (self.component)();
        (self.met)(group)
            || (self.met_otherwise)(group)
            || group.get::<SwitchedOff>().is_some_and(|off| off.holds(type_id))
    }
}

/// For every new group, each of its behaviours belongs there and finds what it needs.
pub(crate) fn check_needs(world: &mut World) {
    let groups: Vec<Entity> = world.query_filtered::<Entity, With<Unbuilt>>().iter(world).collect();
    let registry = world.resource::<Registry>();
    let mut faults = Vec::new();
    for group in groups {
        // What several behaviours need is told once, for the first of them.
        let mut told = HashSet::new();
        for behaviour in registry.behaviours().iter().filter(|b| b.is_on(world.entity(group))) {
            faults.extend(misplaced(world, group, behaviour));
            for need in &behaviour.needs {
                if let Some(fault) = unmet(world, group, behaviour, need)
                    && told.insert((need.place as u8, need.what))
                {
                    faults.push(fault);
                }
            }
        }
    }
    let mut problems = world.resource_mut::<Problems>();
    faults.into_iter().for_each(|fault| problems.push(fault));
}

fn name(world: &World, group: Entity) -> String {
    world.get::<Name>(group).map_or_else(|| "?".to_string(), Name::to_string)
}

fn misplaced(world: &World, group: Entity, behaviour: &Behaviour) -> Option<Error> {
    let entity = world.entity(group);
    let (is, belongs) = match behaviour.on {
        GroupKind::Population if !entity.contains::<Population>() => ("projection", "population"),
        GroupKind::Projection if !entity.contains::<Projection>() => ("population", "projection"),
        _ => return None,
    };
    let (group, behaviour) = (name(world, group), behaviour.name.to_string());
    Some(Error::WrongGroup { group, behaviour, is, belongs })
}

fn unmet(world: &World, group: Entity, behaviour: &Behaviour, need: &Need) -> Option<Error> {
    let entity = world.entity(group);
    let end = match need.place {
        Place::Own => Some(group),
        Place::Source => entity.get::<Presynaptic>().map(|pre| pre.0),
        Place::Target => entity.get::<Postsynaptic>().map(|post| post.0),
        Place::Network => None,
    };
    // A part of a population has what its whole has.
    let whole = end.map(|end| world.get::<SubPopulation>(end).map_or(end, |part| part.of));
    let met = match need.place {
        Place::Network => (need.met_by_network)(world),
        // An end that is not there was told when the projection was made.
        _ => {
            let mut entities = [whole, end].into_iter().flatten().filter_map(|e| world.get_entity(e).ok());
            entities.clone().next().is_some_and(|whole| !(need.applies)(whole))
                || entities.any(|e| need.is_met(e))
        }
    };
    if met || (end.is_none() && need.place != Place::Network) {
        return None;
    }
    let (missing, remedy) = (need.what.to_string(), need.remedy.to_string());
    let behaviour = behaviour.name.to_string();
    Some(match need.place {
        Place::Own => Error::MissingBehaviour { group: name(world, group), behaviour, missing, remedy },
        Place::Network => Error::MissingInNetwork { group: name(world, group), behaviour, missing, remedy },
        Place::Source | Place::Target => Error::MissingAtEnd {
            projection: name(world, group),
            behaviour,
            role: if need.place == Place::Source { "source" } else { "target" },
            population: whole.map_or_else(String::new, |e| name(world, e)),
            missing,
            remedy,
        },
    })
}
