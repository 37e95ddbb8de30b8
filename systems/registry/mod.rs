//! The behaviours that a network knows by name: how to describe, check, save and load them, and switch them off.
//!
//! A behaviour says once, where it is registered, what it belongs on, what it needs on its own group and on the
//! populations of a projection, and which stage it acts in. The Build schedule checks the needs (`check_needs`), and
//! the table in `docs/dependencies.md` is made from them.

mod fields;

use crate::error::{Error, Problems};
use crate::group::{Population, Unbuilt};
use crate::relations::{Postsynaptic, Presynaptic, Projection, SubPopulation};
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
            met_by_network: |world| world.contains_resource::<R>(),
        }
    }

    /// The same need, but only of groups to which it `applies`; `condition` says which.
    pub const fn only(self, condition: &'static str, applies: fn(EntityRef<'_>) -> bool) -> Need {
        Need { condition, applies, ..self }
    }

    /// The same need at another place, without condition.
    pub const fn at(self, place: Place) -> Need {
        Need { place, condition: "", applies: |_| true, ..self }
    }

    /// Whether `group` meets it; what is switched off for a while still counts.
    fn is_met(&self, group: EntityRef<'_>) -> bool {
        let type_id = (self.component)();
        (self.met)(group)
            || group.get::<SwitchedOff>().is_some_and(|off| off.0.iter().any(|b| b.0 == type_id))
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
        group.get::<SwitchedOff>().is_some_and(|off| off.0.iter().any(|(id, _)| *id == self.type_id))
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

pub(crate) fn install(world: &mut World) {
    world.init_resource::<Registry>();
    behaviour::<crate::group::Inhibitory>(world).on(GroupKind::Population).saved();
    behaviour::<crate::group::Tags>(world).saved();
    behaviour::<crate::relations::Compartment>(world).on(GroupKind::Projection).saved();
    add_build_systems(world, BuildSystems::Validate, check_needs);
}
