//! The behaviours that a network knows by name: how to describe, check, save and load them, and switch them off.
//!
//! A behaviour says once, where it is registered, what it belongs on, what it needs on its own group and on the
//! populations of a projection, and which stage it acts in. The Build schedule checks the needs (`check_needs`), and
//! the table in `docs/dependencies.md` is made from them.

mod fields;
mod needs;

pub(crate) use needs::check_needs;
pub use needs::{Need, Place};

use crate::schedule::{BuildSystems, StepSystems, add_build_systems};
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::{Any, TypeId};
use std::collections::HashSet;
use std::fmt::{self, Debug};
use std::marker::PhantomData;

/// The parameters of a behaviour as a value that stands in files.
pub type Value = serde_json::Value;

/// What kind of entity a behaviour belongs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKind {
    /// A population of neurons.
    Population,
    /// A projection.
    Projection,
    /// Either of them.
    Either,
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GroupKind::Population => "population",
            GroupKind::Projection => "projection",
            GroupKind::Either => "population or projection",
        })
    }
}

/// How a behaviour becomes a value and comes back from one.
#[derive(Clone, Copy)]
struct Codec {
    save: fn(EntityRef<'_>) -> Option<Result<Value, String>>,
    load: fn(&mut EntityWorldMut<'_>, Value) -> Result<(), String>,
    fields: fn() -> Option<&'static [&'static str]>,
}

type Taken = Box<dyn Any + Send + Sync>;

/// One behaviour: its name, what it belongs on and needs, and what can be done with it.
#[derive(Clone)]
pub struct Behaviour {
    /// The name that stands in files and descriptions, as in `Lif`.
    pub name: String,
    /// What it belongs on.
    pub on: GroupKind,
    /// The stage that it acts in; none for what only marks a group.
    pub stage: Option<StepSystems>,
    /// What it needs.
    pub needs: Vec<Need>,
    type_id: TypeId,
    has: fn(EntityRef<'_>) -> bool,
    print: fn(EntityRef<'_>) -> Option<String>,
    take: fn(&mut EntityWorldMut<'_>) -> Option<Taken>,
    put: fn(&mut EntityWorldMut<'_>, Taken),
    codec: Option<Codec>,
    after_taking: Vec<fn(&mut EntityWorldMut<'_>)>,
    drop_state: Vec<fn(&mut EntityWorldMut<'_>)>,
    copy: Option<fn(EntityRef<'_>) -> Option<Put>>,
    implied: bool,
}

type Put = Box<dyn FnOnce(&mut EntityWorldMut<'_>)>;

impl Behaviour {
    /// Whether `group` has it, and it is not switched off.
    pub fn is_on(&self, group: EntityRef<'_>) -> bool {
        (self.has)(group)
    }

    /// Whether `group` has it, be it switched off.
    pub fn is_of(&self, group: EntityRef<'_>) -> bool {
        self.is_on(group) || self.is_off(group)
    }

    fn is_off(&self, group: EntityRef<'_>) -> bool {
        group.get::<SwitchedOff>().is_some_and(|off| off.holds(self.type_id))
    }

    /// Whether the parts of a population have it of their whole.
    pub fn is_shared_with_parts(&self) -> bool {
        crate::relations::is_shared_with_parts(self.type_id)
    }

    /// Whether it can be saved.
    pub fn is_saved(&self) -> bool {
        self.codec.is_some()
    }

    /// Whether others bring it, so that it is not saved by itself.
    pub fn is_implied(&self) -> bool {
        self.implied
    }

    /// Whether it can be copied, though not saved.
    pub fn can_be_copied(&self) -> bool {
        self.copy.is_some()
    }

    /// Its parameters on `group` as a value; none if the group does not have it or it cannot be saved.
    pub fn save(&self, group: EntityRef<'_>) -> Option<Result<Value, String>> {
        (self.codec?.save)(group)
    }

    /// Puts it on `group` with the parameters in `value`.
    ///
    /// # Errors
    /// What is wrong with the value.
    pub fn load(&self, group: &mut EntityWorldMut<'_>, value: Value) -> Result<(), String> {
        let codec = self.codec.ok_or("it cannot be loaded from a value")?;
        (codec.load)(group, value)
    }

    /// A copy of it to put on another group: of what is not saved but may be copied, as data are.
    pub fn copy(&self, group: EntityRef<'_>) -> Option<Put> {
        (self.copy?)(group)
    }

    /// The names of its parameters, where it has named ones.
    pub fn parameters(&self) -> Option<&'static [&'static str]> {
        (self.codec?.fields)()
    }

    /// Takes it off `group` for a while: its state stays as it is.
    pub fn switch_off(&self, group: &mut EntityWorldMut<'_>) {
        let Some(taken) = (self.take)(group) else { return };
        self.forget(group);
        self.after_taking.iter().for_each(|f| f(group));
        if !group.contains::<SwitchedOff>() {
            group.insert(SwitchedOff::default());
        }
        if let Some(mut off) = group.get_mut::<SwitchedOff>() {
            off.0.push((self.type_id, taken));
        }
    }

    /// Puts it back on `group` where it was switched off.
    pub fn switch_on(&self, group: &mut EntityWorldMut<'_>) {
        if let Some(taken) = self.forget(group) {
            (self.put)(group, taken);
        }
    }

    /// Forgets it where it is switched off and there again: what came later counts.
    pub fn settle(&self, group: &mut EntityWorldMut<'_>) {
        if self.is_on(group.as_readonly()) {
            self.forget(group);
        }
    }

    /// Takes it out of those that are switched off.
    fn forget(&self, group: &mut EntityWorldMut<'_>) -> Option<Taken> {
        let mut off = group.get_mut::<SwitchedOff>()?;
        let at = off.0.iter().position(|(id, _)| *id == self.type_id)?;
        let (_, taken) = off.0.remove(at);
        if off.0.is_empty() {
            group.remove::<SwitchedOff>();
        }
        Some(taken)
    }

    /// Takes it off `group` for good, with the state that is its own.
    pub fn remove(&self, group: &mut EntityWorldMut<'_>) {
        self.switch_on(group);
        if (self.take)(group).is_some() {
            self.after_taking.iter().chain(&self.drop_state).for_each(|f| f(group));
        }
    }
}

/// The behaviours of a group that are switched off.
#[derive(Component, Default)]
pub struct SwitchedOff(Vec<(TypeId, Taken)>);

impl SwitchedOff {
    /// Whether the behaviour of this type is one of them.
    pub(crate) fn holds(&self, type_id: TypeId) -> bool {
        self.0.iter().any(|(id, _)| *id == type_id)
    }
}

/// All behaviours, in the order of the step.
#[derive(Resource, Default)]
pub struct Registry(Vec<Behaviour>);

impl Registry {
    /// The behaviours of `group` with their parameters, in the order of the step.
    pub fn describe(&self, group: EntityRef<'_>) -> Vec<String> {
        let off = self.0.iter().filter(|b| b.is_off(group)).map(|b| format!("{} (switched off)", b.name));
        self.0.iter().filter_map(|b| (b.print)(group)).chain(off).collect()
    }

    /// Every behaviour that is known.
    pub fn behaviours(&self) -> &[Behaviour] {
        &self.0
    }

    /// The behaviour with this name.
    pub fn find(&self, name: &str) -> Option<&Behaviour> {
        self.0.iter().find(|b| b.name == name)
    }

    /// The behaviour that is the component `B`.
    pub fn of<B: Component>(&self) -> Option<&Behaviour> {
        self.of_type(TypeId::of::<B>())
    }

    /// The behaviour that is the component of this type.
    pub fn of_type(&self, type_id: TypeId) -> Option<&Behaviour> {
        self.0.iter().find(|b| b.type_id == type_id)
    }
}

/// What was registered: a model, a rule or a kind that is registered twice must not act twice.
#[derive(Resource, Default)]
struct Registered(HashSet<TypeId>);

/// Whether `T`, a family with one of its members, is registered for the first time.
pub fn first<T: 'static>(world: &mut World) -> bool {
    world.get_resource_or_init::<Registered>().0.insert(TypeId::of::<T>())
}

/// A behaviour that is being registered: each method says one more thing of it.
pub struct Registration<'w, B> {
    behaviour: Option<&'w mut Behaviour>,
    of: PhantomData<B>,
}

impl<'w, B: Component> Registration<'w, B> {
    fn change(mut self, f: impl FnOnce(&mut Behaviour)) -> Self {
        if let Some(behaviour) = &mut self.behaviour {
            f(behaviour);
        }
        self
    }

    /// It stands in files and descriptions under this name, rather than its type's.
    pub fn named(self, name: impl Into<String>) -> Self {
        self.change(|b| b.name = name.into())
    }

    /// It belongs on this kind of group. Default: either.
    pub fn on(self, kind: GroupKind) -> Self {
        self.change(|b| b.on = kind)
    }

    /// It acts in this stage.
    pub fn stage(self, stage: StepSystems) -> Self {
        self.change(|b| b.stage = Some(stage))
    }

    /// It needs these.
    pub fn needs(self, needs: &[Need]) -> Self {
        self.change(|b| b.needs = needs.to_vec())
    }

    /// Others bring it, so it is not saved by itself.
    pub fn implied(self) -> Self {
        self.change(|b| b.implied = true)
    }

    /// The components of `S` are state of its own: they go when it is removed for good, unless another behaviour of the
    /// group requires them too.
    pub fn state<S: Bundle>(self) -> Self {
        self.change(|b| b.drop_state.push(drop_state::<S>))
    }

    /// What else happens to a group from which it was removed for good.
    pub fn after_removing(self, f: fn(&mut EntityWorldMut<'_>)) -> Self {
        self.change(|b| b.drop_state.push(f))
    }

    /// What else happens to a group from which it was taken.
    pub fn after_taking(self, f: fn(&mut EntityWorldMut<'_>)) -> Self {
        self.change(|b| b.after_taking.push(f))
    }
}

impl<B: Component + Clone> Registration<'_, B> {
    /// It can be copied to another group, though it cannot be saved.
    pub fn copied(self) -> Self {
        self.change(|b| {
            b.copy = Some(|group| {
                let copy = group.get::<B>()?.clone();
                Some(Box::new(move |to| {
                    to.insert(copy);
                }))
            });
        })
    }
}

impl<B: Component + Serialize + DeserializeOwned> Registration<'_, B> {
    /// It can be saved to a value and loaded from one.
    pub fn saved(self) -> Self {
        self.change(|b| {
            b.codec = Some(Codec { save: save::<B>, load: load::<B>, fields: fields::of::<B> });
        })
    }
}

/// Removes the components of `S` but for those that another behaviour of the group requires, too.
fn drop_state<S: Bundle>(group: &mut EntityWorldMut<'_>) {
    let state = group.world_scope(|world| world.register_bundle::<S>().explicit_components().to_vec());
    let components = group.world().components();
    let others = group.archetype().components().iter().filter(|other| !state.contains(other));
    let infos = others.filter_map(|&other| components.get_info(other));
    let shared: HashSet<_> = infos.flat_map(|info| info.required_components().iter_ids()).collect();
    let own: Vec<_> = state.into_iter().filter(|component| !shared.contains(component)).collect();
    group.remove_by_ids(&own);
}

/// Through text, where a number of 32 bits is written as short as it can be: 0.1 stays 0.1.
fn save<B: Component + Serialize>(group: EntityRef<'_>) -> Option<Result<Value, String>> {
    let behaviour = group.get::<B>()?;
    let text = serde_json::to_string(behaviour);
    Some(text.and_then(|text| serde_json::from_str(&text)).map_err(|e| e.to_string()))
}

fn load<B: Component + DeserializeOwned>(group: &mut EntityWorldMut<'_>, value: Value) -> Result<(), String> {
    let behaviour: B = serde_json::from_value(value).map_err(|e| e.to_string())?;
    group.insert(behaviour);
    Ok(())
}

/// Makes `B` known, once. Whatever is known shows up in descriptions and can be switched off; say more of it with the
/// methods of what comes back.
pub fn behaviour<B: Component + Debug>(world: &mut World) -> Registration<'_, B> {
    let name = name_of::<B>();
    let type_id = TypeId::of::<B>();
    let known = &mut world.resource_mut::<Registry>().into_inner().0;
    let of = PhantomData;
    let at = known.iter().position(|b| b.type_id == type_id).unwrap_or(known.len());
    if at == known.len() {
        known.push(Behaviour {
            name,
            on: GroupKind::Either,
            stage: None,
            needs: Vec::new(),
            type_id,
            has: |group| group.contains::<B>(),
            print: |group| group.get::<B>().map(|b| format!("{b:?}")),
            take: |group| group.take::<B>().map(|b| Box::new(b) as Taken),
            put: |group, taken| {
                if let Ok(taken) = taken.downcast::<B>() {
                    group.insert(*taken);
                }
            },
            codec: None,
            after_taking: Vec::new(),
            drop_state: Vec::new(),
            copy: None,
            implied: false,
        });
    }
    Registration { behaviour: known.get_mut(at), of }
}

/// A type's name without its path.
pub fn short_name<T>() -> &'static str {
    let path = std::any::type_name::<T>();
    let end = path.find('<').unwrap_or(path.len());
    path[..end].rsplit("::").next().unwrap_or(path)
}

/// The name under which the behaviour `B` stands in files, if it was not given another.
pub fn name_of<B>() -> String {
    let path = std::any::type_name::<B>();
    let inner = path.find('<').map(|at| path[at + 1..].trim_end_matches('>'));
    match (short_name::<B>(), inner.map(|inner| inner.rsplit("::").next().unwrap_or(inner))) {
        ("RewardModulated", Some("Stdp")) => "Rstdp".to_string(),
        (outer, Some(inner)) => format!("{outer}<{inner}>"),
        (outer, None) => outer.to_string(),
    }
}

pub(crate) fn install(world: &mut World) {
    world.init_resource::<Registry>();
    behaviour::<crate::group::Inhibitory>(world).on(GroupKind::Population).saved();
    behaviour::<crate::group::Tags>(world).saved();
    behaviour::<crate::relations::Compartment>(world).on(GroupKind::Projection).saved();
    add_build_systems(world, BuildSystems::Validate, check_needs);
}
