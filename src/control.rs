//! What can be done with a network between its steps: switch behaviours off and on, add and remove them, start again.

use crate::error::Result;
use crate::network::{Network, closest};
use bevy_ecs::prelude::*;
use conex_systems::Error;
use conex_systems::group::{Population, Tags, Unbuilt, extend};
use conex_systems::registry::{Behaviour, Registry};
use conex_systems::relations::{Afferents, Efferents, Projection, SubPopulations, is_shared_with_parts};
use conex_systems::reward::{Dopamine, DopamineConcentration, Payoff};
use conex_systems::schedule::Built;
use std::any::TypeId;

/// Which groups of a network are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// All of them.
    Everywhere,
    /// One group.
    Group(Entity),
    /// Those with this tag.
    Tagged(&'a str),
}

impl From<Entity> for Scope<'_> {
    fn from(group: Entity) -> Self {
        Scope::Group(group)
    }
}

/// Run-time control of a network.
///
/// ```
/// use conex::prelude::*;
/// # fn main() -> conex::Result<()> {
/// let mut net = Neocortex::new()?;
/// let exc = net.neurons("exc", 10, (Lif::default(), InjectedCurrent::new(2.0), Kwta::new(1)))?;
/// net.run(50)?;
///
/// net.switch_off("Kwta", Scope::Everywhere)?; // and on again: its state stays as it is
/// net.add(exc, RefractoryPeriod::new(5.0))?; // a behaviour more
/// net.run(50)?;
/// net.switch_on("Kwta", exc)?;
/// net.remove::<RefractoryPeriod>(exc)?; // a behaviour less
/// net.reset_state(); // all starts again, with the weights as they are
/// net.run(50)?;
/// # Ok(()) }
/// ```
pub trait Control: Network {
    /// Takes behaviours out of the step: one by its name, or all of a stage by the stage's name (`"Learning"`). Their
    /// parameters and their state stay as they are until they are switched on again.
    ///
    /// # Errors
    /// A name that no behaviour and no stage has; the error suggests one that is similar. A group that is not there.
    fn switch_off<'a>(&mut self, behaviour: &str, scope: impl Into<Scope<'a>>) -> Result<()> {
        switch(self, behaviour, scope.into(), Behaviour::switch_off)
    }

    /// Lets behaviours that were switched off act again.
    ///
    /// # Errors
    /// As [`switch_off`](Self::switch_off).
    fn switch_on<'a>(&mut self, behaviour: &str, scope: impl Into<Scope<'a>>) -> Result<()> {
        switch(self, behaviour, scope.into(), Behaviour::switch_on)
    }

    /// Gives a group further behaviours, or others in place of those it has. What is new gets its state before the next
    /// step; all else stays as it is.
    ///
    /// # Errors
    /// The group is not there. What is wrong with the network then is said when it is built, before the next step.
    fn add(&mut self, group: Entity, behaviours: impl Bundle) -> Result<()> {
        let name = self.name_of(group);
        let Ok(mut entity) = self.world_mut().get_entity_mut(group) else {
            return Err(Error::NoSuchState { group: name, what: "place in this network".into() }.into());
        };
        entity.insert(behaviours);
        let known =
            self.world().get_resource::<Registry>().map_or_else(Vec::new, |r| r.behaviours().to_vec());
        if let Ok(mut entity) = self.world_mut().get_entity_mut(group) {
            known.iter().for_each(|behaviour| behaviour.settle(&mut entity));
        }
        check_again(self, group);
        Ok(())
    }

    /// Takes behaviour `B` from a group for good, with the state that is its own: added again, it starts afresh.
    ///
    /// # Errors
    /// The group does not have it.
    fn remove<B: Component>(&mut self, group: Entity) -> Result<()> {
        let name = conex_systems::registry::short_name::<B>();
        let missing = Error::NoSuchState { group: self.name_of(group), what: name.into() };
        let known = self.world().get_resource::<Registry>().and_then(|r| r.of::<B>()).cloned();
        let Ok(mut entity) = self.world_mut().get_entity_mut(group) else { return Err(missing.into()) };
        match known {
            Some(behaviour) if behaviour.is_of(entity.as_readonly()) => behaviour.remove(&mut entity),
            None if entity.contains::<B>() => {
                entity.remove::<B>();
            }
            _ => return Err(missing.into()),
        }
        // What the parts of a population have of the whole goes with it.
        if is_shared_with_parts(TypeId::of::<B>()) {
            for part in parts_of(self.world(), group) {
                self.remove::<B>(part)?;
            }
        }
        check_again(self, group);
        Ok(())
    }

    /// Takes a population, with all projections from and to it, a projection, a synapsis with its projections, or a structure
    /// with all that it contains out of the network.
    ///
    /// # Errors
    /// No such group.
    fn remove_group(&mut self, group: Entity) -> Result<()> {
        let name = self.name_of(group);
        if !self.all_names().iter().any(|(known, _)| *known == group) {
            return Err(Error::NoSuchState { group: name, what: "place in this network".into() }.into());
        }
        self.world_mut().despawn(group);
        Ok(())
    }

    /// Lets the network start again: potentials, currents, spikes, delays, traces, eligibility and dopamine are as before
    /// the first step. What was learned stays: weights, and thresholds that homeostasis has moved. So does the clock.
    #[doc(alias = "reset_state_variables")]
    fn reset_state(&mut self) {
        let world = self.world_mut();
        world.remove_resource::<DopamineConcentration>();
        world.insert_resource(Built(false));
        type Group = Or<(With<Population>, With<Projection>)>;
        let groups: Vec<Entity> =
            world.query_filtered::<Entity, (Group, Without<Unbuilt>)>().iter(world).collect();
        for group in groups {
            world.entity_mut(group).insert(Unbuilt::Reset);
        }
    }

    /// Gives the network dopamine, which follows the payoff.
    fn set_dopamine(&mut self, dopamine: Dopamine) {
        self.world_mut().insert_resource(dopamine);
        self.world_mut().insert_resource(Built(false));
    }

    /// Sets the reward (above 0) or punishment (below 0) until it is set again.
    ///
    /// # Errors
    /// A payoff that is no finite number.
    fn set_payoff(&mut self, payoff: f64) -> Result<()> {
        if !payoff.is_finite() {
            let (group, behaviour) = ("the network".into(), "Payoff".into());
            let (parameter, index) = ("payoff".into(), None);
            return Err(
                Error::ParameterNotFinite { group, behaviour, parameter, index, value: payoff }.into()
            );
        }
        self.world_mut().insert_resource(Payoff(payoff));
        Ok(())
    }

    /// The dopamine concentration; 0 without dopamine.
    fn dopamine(&self) -> f64 {
        self.world().get_resource::<DopamineConcentration>().map_or(0.0, |d| d.0)
    }
}

impl<N: Network + ?Sized> Control for N {}

/// The parts of a population.
fn parts_of(world: &World, group: Entity) -> Vec<Entity> {
    world.get::<SubPopulations>(group).map_or_else(Vec::new, |parts| parts.iter().collect())
}

/// Has a group, and for a population its parts and the projections of all of them, looked at before the next step.
fn check_again(net: &mut (impl Network + ?Sized), group: Entity) {
    let world = net.world_mut();
    for group in std::iter::once(group).chain(parts_of(world, group)) {
        let afferents = world.get::<Afferents>(group).map(|a| a.iter().collect::<Vec<_>>());
        let efferents = world.get::<Efferents>(group).map(|e| e.iter().collect::<Vec<_>>());
        let neighbours = afferents.into_iter().chain(efferents).flatten();
        std::iter::once(group).chain(neighbours).for_each(|group| extend(world, group));
    }
}

fn switch(
    net: &mut (impl Network + ?Sized),
    name: &str,
    scope: Scope<'_>,
    act: fn(&Behaviour, &mut EntityWorldMut<'_>),
) -> Result<()> {
    net.prepared()?;
    let all = net.world().resource::<Registry>().behaviours();
    let is_meant = |b: &&Behaviour| b.name == name || b.stage.is_some_and(|s| format!("{s:?}") == name);
    let meant: Vec<Behaviour> = all.iter().filter(is_meant).cloned().collect();
    if meant.is_empty() {
        let stages = all.iter().filter_map(|b| b.stage).map(|s| format!("{s:?}"));
        let known: Vec<String> = all.iter().map(|b| b.name.clone()).chain(stages).collect();
        let suggestion = closest(name, known.iter().map(String::as_str));
        return Err(Error::UnknownName { kind: "behaviour or stage", name: name.into(), suggestion }.into());
    }
    let groups: Vec<Entity> = match scope {
        Scope::Group(group) if net.world().get_entity(group).is_err() => {
            let (group, what) = (net.name_of(group), "place in this network".into());
            return Err(Error::NoSuchState { group, what }.into());
        }
        Scope::Group(group) => vec![group],
        Scope::Everywhere => net.names().into_iter().map(|(group, _)| group).collect(),
        Scope::Tagged(tag) => {
            let tagged = |g: &Entity| net.world().get::<Tags>(*g).is_some_and(|tags| tags.has(tag));
            let groups: Vec<Entity> =
                net.names().into_iter().map(|(group, _)| group).filter(tagged).collect();
            if groups.is_empty() {
                let tags: Vec<&Tags> =
                    net.names().iter().filter_map(|(g, _)| net.world().get::<Tags>(*g)).collect();
                let suggestion = closest(tag, tags.iter().flat_map(|t| &t.0).map(String::as_str));
                return Err(Error::UnknownName { kind: "tag", name: tag.into(), suggestion }.into());
            }
            groups
        }
    };
    for group in groups {
        let mut entity = net.world_mut().entity_mut(group);
        if !meant.iter().any(|behaviour| behaviour.is_of(entity.as_readonly())) {
            continue;
        }
        meant.iter().for_each(|behaviour| act(behaviour, &mut entity));
        // What the parts of a population have of the whole is switched with it.
        for part in parts_of(net.world(), group) {
            let mut entity = net.world_mut().entity_mut(part);
            meant.iter().filter(|b| b.is_shared_with_parts()).for_each(|b| act(b, &mut entity));
        }
        check_again(net, group);
    }
    Ok(())
}
