//! The behaviours that a network knows by name: what `describe` prints.

use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;
use std::any::TypeId;
use std::collections::HashSet;
use std::fmt::Debug;

/// One behaviour: its name, and how to print its parameters.
#[derive(Clone, Copy)]
pub struct Behaviour {
    /// The type's name, as in `Lif`.
    pub name: &'static str,
    print: fn(EntityRef<'_>) -> Option<String>,
}

/// All behaviours, in the order of the step.
#[derive(Resource, Default)]
pub struct Registry(Vec<Behaviour>);

impl Registry {
    /// The behaviours of `group` with their parameters, in the order of the step.
    pub fn describe(&self, group: EntityRef<'_>) -> Vec<String> {
        self.0.iter().filter_map(|b| (b.print)(group)).collect()
    }

    /// Every behaviour that is known.
    pub fn behaviours(&self) -> &[Behaviour] {
        &self.0
    }
}

/// What was registered: a model, a rule or a kind that is registered twice must not act twice.
#[derive(Resource, Default)]
struct Registered(HashSet<TypeId>);

/// Whether `T`, a family with one of its members, is registered for the first time.
pub(crate) fn first<T: 'static>(world: &mut World) -> bool {
    world.get_resource_or_init::<Registered>().0.insert(TypeId::of::<T>())
}

/// Makes `B` known, once. Whatever is known shows up in descriptions.
pub fn behaviour<B: Component + Debug>(world: &mut World) {
    let name = short_name::<B>();
    let mut registry = world.resource_mut::<Registry>();
    if registry.0.iter().all(|b| b.name != name) {
        registry.0.push(Behaviour { name, print: |group| group.get::<B>().map(|b| format!("{b:?}")) });
    }
}

/// A type's name without its path.
pub fn short_name<T>() -> &'static str {
    let path = std::any::type_name::<T>();
    let end = path.find('<').unwrap_or(path.len());
    path[..end].rsplit("::").next().unwrap_or(path)
}

pub(crate) fn install(world: &mut World) {
    world.init_resource::<Registry>();
    behaviour::<crate::group::Inhibitory>(world);
    behaviour::<crate::relations::Compartment>(world);
}
