//! Building a network, running it, reading it back: what a scientist does with a world.

use crate::describe::Description;
use crate::error::Result;
use crate::structure::{Structure, Synapsis};
use bevy_ecs::prelude::*;
use bevy_ecs::schedule::IntoScheduleConfigs;
use bevy_ecs::system::ScheduleSystem;
use bevy_ecs::world::EntityRef;
use conex_systems::coordinates::Coordinates;
use conex_systems::delivery::{StaticSynapses, SynapseTable};
use conex_systems::dynamics::NeuronModel;
use conex_systems::error::Problems;
use conex_systems::fire::{InputSpikes, Spikes};
use conex_systems::group::{Grid, Population, Unbuilt};
use conex_systems::learning::PlasticityRule;
use conex_systems::record::StateVariables;
use conex_systems::registry::Registration;
use conex_systems::relations::{Postsynaptic, Presynaptic, Projection, Selection, SubPopulation};
use conex_systems::schedule::{Built, Step, StepSystems};
use conex_systems::stimulus::Stimulus;
use conex_systems::synaptic_input::{Connectivity, PlasticSynapses, SynapseViews};
use conex_systems::time::Clock;
use conex_systems::weights::Frozen;
use conex_systems::{Error, Real, schedule};
use ndarray::{Array1, ArrayD, IxDyn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// A network in a world. [`Neocortex`](crate::Neocortex) implements it, and so does any [`World`] after
/// [`install`](crate::install).
///
/// Populations and projections are entities. What they do is in their components, the behaviours.
pub trait Network {
    /// The world that the network lives in.
    fn world(&self) -> &World;

    /// The world that the network lives in, to be changed.
    fn world_mut(&mut self) -> &mut World;

    /// Adds a population of neurons with `behaviours`. The shape is a number, or [`Grid::new`]`(depth, height, width)`.
    ///
    /// # Errors
    /// No neurons, too many neurons, a name that is empty or taken.
    fn neurons(&mut self, name: &str, shape: impl Into<Grid>, behaviours: impl Bundle) -> Result<Entity> {
        let grid = shape.into();
        let (population, shape) = (name.to_string(), grid.to_string());
        if grid.is_empty() {
            return Err(Error::EmptyPopulation { population, shape }.into());
        }
        if grid.len() > u32::MAX as usize {
            return Err(Error::PopulationTooLarge { population, shape }.into());
        }
        self.prepared()?;
        self.free_name(name)?;
        self.world_mut().insert_resource(Built(false));
        let group = (Name::new(name.to_string()), Population { grid }, Unbuilt::New);
        let parent = crate::structure::parent_by_name(self, name);
        let population = self.world_mut().spawn(behaviours).insert(group).id();
        crate::structure::put_into(self, population, parent);
        Ok(population)
    }

    /// Makes a part of `population`: neurons chosen by block, by index or by mask. Projections may come from it and end
    /// on it, and recorders may watch it.
    ///
    /// # Errors
    /// No population, a selection that does not fit it or is empty, a name that is empty or taken.
    fn sub_population(&mut self, name: &str, population: Entity, selection: Selection) -> Result<Entity> {
        let grid = self.get::<Population>(population)?.grid;
        let (grid, neurons) = selection.of(grid, name, &self.name_of(population))?;
        self.neurons(name, grid, SubPopulation { of: population, neurons })
    }

    /// Adds a projection from population `pre` to population `post` with `behaviours`, named after both: `exc -> inh`, and
    /// `L4/exc -> inh` where both are in `L4`.
    ///
    /// # Errors
    /// An entity that is no population.
    fn synapses(&mut self, pre: Entity, post: Entity, behaviours: impl Bundle) -> Result<Entity> {
        let name = self.name_between(&self.name_of(pre), &self.name_of(post));
        let projection = self.named_synapses(&name, pre, post, behaviours)?;
        crate::structure::put_around(self.world_mut(), projection, pre, post);
        Ok(projection)
    }

    /// Adds a projection with a name of its own.
    ///
    /// # Errors
    /// An entity that is no population, a name that is empty or taken.
    fn named_synapses(
        &mut self,
        name: &str,
        pre: Entity,
        post: Entity,
        behaviours: impl Bundle,
    ) -> Result<Entity> {
        for (role, end) in [("source", pre), ("target", post)] {
            if self.world().get::<Population>(end).is_none() {
                return Err(Error::NotAPopulation { projection: name.into(), role }.into());
            }
        }
        self.free_name(name)?;
        self.world_mut().insert_resource(Built(false));
        let ends =
            (Name::new(name.to_string()), Projection, Presynaptic(pre), Postsynaptic(post), Unbuilt::New);
        let parent = crate::structure::parent_by_name(self, name)
            .or_else(|| crate::structure::common_parent(self.world(), pre, post));
        let projection = self.world_mut().spawn(behaviours).insert(ends).id();
        crate::structure::put_into(self, projection, parent);
        Ok(projection)
    }

    /// Prepares and checks everything that was added. [`run`](Self::run) does it too; here it stands alone, to find out
    /// what is wrong before anything runs.
    ///
    /// # Errors
    /// Everything that is wrong with the network, each with its remedy.
    fn build(&mut self) -> Result<()> {
        self.prepared()?;
        Ok(schedule::build(self.world_mut())?)
    }

    /// One time step.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    fn step(&mut self) -> Result<()> {
        self.run(1)
    }

    /// `steps` time steps. What was added since the last is built first.
    ///
    /// # Errors
    /// Whatever is wrong with the network, before the first step; a state that stopped being finite; a recorder that
    /// cannot write.
    fn run(&mut self, steps: u64) -> Result<()> {
        if !self.world().get_resource::<Built>().is_some_and(|built| built.0) {
            self.build()?;
        }
        self.world_mut().resource_mut::<Problems>().take()?;
        self.world_mut().schedule_scope(Step, |world, step| {
            // A system that joined the schedule itself may have made the order ambiguous.
            schedule::check_order(world, step)?;
            for _ in 0..steps {
                step.run(world);
                let mut problems = world.resource_mut::<Problems>();
                if !problems.is_empty() {
                    return problems.take();
                }
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Simulated time \[ms\].
    fn now(&self) -> f64 {
        self.world().get_resource::<Clock>().map_or(0.0, Clock::now)
    }

    /// The population, projection or structure with this name.
    ///
    /// # Errors
    /// None has it; the error suggests one that is similar.
    fn find(&self, name: &str) -> Result<Entity> {
        let names = self.all_names();
        match names.iter().find(|(_, n)| n == name) {
            Some((group, _)) => Ok(*group),
            None => {
                let all = names.iter().map(|(_, n)| n.as_str());
                let (kind, suggestion) = ("group", closest(name, all));
                Err(Error::UnknownName { kind, name: name.into(), suggestion }.into())
            }
        }
    }

    /// The name of a group.
    fn name_of(&self, group: Entity) -> String {
        self.world().get::<Name>(group).map_or_else(|| format!("{group}"), Name::to_string)
    }

    /// A component of a group.
    ///
    /// # Errors
    /// The group has no such component.
    fn get<C: Component>(&self, group: Entity) -> Result<&C> {
        let what = conex_systems::registry::short_name::<C>();
        self.world()
            .get::<C>(group)
            .ok_or_else(|| Error::NoSuchState { group: self.name_of(group), what: what.into() }.into())
    }

    /// The neurons of a population that fired at the last step, ascending.
    ///
    /// # Errors
    /// The group does not fire.
    fn spikes(&self, population: Entity) -> Result<&[u32]> {
        Ok(self.get::<Spikes>(population)?.0.events())
    }

    /// A state variable by name: `v`, `I`, `threshold`, `omega`, `pre_trace`, ... A part of a population has those of its
    /// neurons.
    ///
    /// # Errors
    /// The group has no such variable; the error suggests one that is similar.
    fn state(&self, group: Entity, variable: &str) -> Result<Vec<Real>> {
        let mut values = Vec::new();
        self.check_state(group, variable)?;
        if let Some(variables) = self.world().get_resource::<StateVariables>() {
            let group = self.world().entity(group);
            variables.read_part(variable, group, self.whole_of(group), &mut values);
        }
        Ok(values)
    }

    /// Checks that a group has a state variable.
    ///
    /// # Errors
    /// The group has no such variable; the error suggests one that is similar.
    fn check_state(&self, group: Entity, variable: &str) -> Result<()> {
        let Ok(entity) = self.world().get_entity(group) else {
            let (group, what) = (format!("{group}"), "place in this network".into());
            return Err(Error::NoSuchState { group, what }.into());
        };
        let variables = self.world().get_resource::<StateVariables>();
        let mut known = variables.map_or_else(Vec::new, |v| v.of(entity));
        if let (Some(variables), Some(whole)) = (variables, self.whole_of(entity)) {
            let mut values = Vec::new();
            let of_whole = variables.of(whole).into_iter();
            known.extend(of_whole.filter(|v| variables.read_part(v, entity, Some(whole), &mut values)));
        }
        if known.contains(&variable) {
            return Ok(());
        }
        let suggestion = closest(variable, known.into_iter());
        Err(Error::UnknownName { kind: "state variable", name: variable.into(), suggestion }.into())
    }

    /// Where the neurons of a population, or of a part of one, stand.
    ///
    /// # Errors
    /// The population has no coordinates.
    fn coordinates(&self, group: Entity) -> Result<Coordinates> {
        match self.world().get::<SubPopulation>(group) {
            Some(part) if self.world().get::<Coordinates>(group).is_none() => {
                Ok(self.get::<Coordinates>(part.of)?.of(&part.neurons))
            }
            _ => self.get::<Coordinates>(group).cloned(),
        }
    }

    /// The weights of a projection, in the shape of its kind: dense (pre, post), one-to-one (n), convolution (out, in,
    /// height, width). Of sparse projections it gives the stored weights, by source and then by target;
    /// [`SparseSynapses::to_csr`](conex_systems::synaptic_input::sparse::SparseSynapses::to_csr) gives the matrix. Of static
    /// ones it gives those of [`Network::connections`].
    ///
    /// # Errors
    /// The group has no weights, or is not built yet.
    fn weights(&self, projection: Entity) -> Result<ArrayD<Real>> {
        let missing = || Error::NoSuchState { group: self.name_of(projection), what: "weights".into() };
        let entity = self.world().get_entity(projection).map_err(|_| missing())?;
        if let Some(synapses) = entity.get::<StaticSynapses>() {
            return Ok(Array1::from(synapses.table().weight).into_dyn());
        }
        let views = self.world().get_resource::<SynapseViews>().ok_or_else(missing)?;
        let view = views.of(entity).ok_or_else(missing)?;
        let weights = view.weights.to_vec();
        let stored = IxDyn(&[weights.len()]);
        let shape =
            if view.shape.iter().product::<usize>() == weights.len() { IxDyn(&view.shape) } else { stored };
        ArrayD::from_shape_vec(shape, weights).map_err(|_| missing().into())
    }

    /// The synapses of a projection of [`Static`](conex_systems::delivery::Static) ones, as a table: source, target, weight
    /// and delay of each. They are drawn once more for it, from the same streams.
    ///
    /// # Errors
    /// The projection has other synapses, or is not built yet.
    fn connections(&self, projection: Entity) -> Result<SynapseTable> {
        let missing =
            || Error::NoSuchState { group: self.name_of(projection), what: "static synapses".into() };
        let synapses = self.world().get::<StaticSynapses>(projection).ok_or_else(missing)?;
        Ok(synapses.table())
    }

    /// Lets `neurons` of an input population (one with [`InputSpikes`]) fire at the next step.
    ///
    /// # Errors
    /// The population takes no input spikes, or has no such neuron.
    fn set_input(&mut self, population: Entity, neurons: &[u32]) -> Result<()> {
        let name = self.name_of(population);
        let group = *self.get::<Population>(population)?;
        conex_systems::fire::check_input(&name, &group, neurons)?;
        if self.world().get::<Stimulus>(population).is_some() {
            return Err(Error::StimulusDrives { population: name }.into());
        }
        let what = "InputSpikes".to_string();
        let input = self.world_mut().get_mut::<InputSpikes>(population);
        input.ok_or(Error::NoSuchState { group: name, what })?.set(neurons);
        Ok(())
    }

    /// Switches the learning of all projections on or off: rules, normalization and clipping alike.
    fn set_learning(&mut self, on: bool) {
        let world = self.world_mut();
        let projections: Vec<Entity> =
            world.query_filtered::<Entity, With<Projection>>().iter(world).collect();
        for projection in projections {
            if on {
                world.entity_mut(projection).remove::<Frozen>();
            } else {
                world.entity_mut(projection).insert(Frozen);
            }
        }
    }

    /// Joins a system of the user's own to a stage: behind the stage's own systems, and behind those that joined before.
    fn add_system<M>(&mut self, stage: StepSystems, system: impl IntoScheduleConfigs<ScheduleSystem, M>) {
        conex_systems::install(self.world_mut());
        schedule::add_user_systems(self.world_mut(), stage, system);
    }

    /// Makes a neuron model of the user's own known.
    fn register_neuron_model<M: NeuronModel>(&mut self) {
        conex_systems::install(self.world_mut());
        conex_systems::dynamics::register::<M>(self.world_mut());
    }

    /// Makes a plasticity rule of the user's own known, for every kind of connectivity that conex has.
    fn register_plasticity_rule<R: PlasticityRule>(&mut self) {
        conex_systems::install(self.world_mut());
        conex_systems::learning::register::<R>(self.world_mut());
    }

    /// Makes a kind of connectivity of the user's own known, without rules.
    fn register_connectivity<C: Connectivity>(&mut self) {
        conex_systems::install(self.world_mut());
        conex_systems::synaptic_input::register::<C>(self.world_mut());
    }

    /// Makes a kind of connectivity of the user's own known, with every rule that conex has.
    fn register_plastic_connectivity<C: Connectivity<Synapses: PlasticSynapses>>(&mut self) {
        conex_systems::install(self.world_mut());
        conex_systems::synaptic_input::register_plastic::<C>(self.world_mut());
    }

    /// Lets a rule learn on synapses where both are the user's own.
    fn register_learning<R: PlasticityRule, S: PlasticSynapses>(&mut self) {
        conex_systems::install(self.world_mut());
        conex_systems::learning::register_pair::<R, S>(self.world_mut());
    }

    /// Makes a behaviour of the user's own known by name: it is described, saved with the network and switched off like
    /// conex's own. What comes back takes more to say of it: what it belongs on, what it needs.
    fn register_behaviour<B>(&mut self) -> Registration<'_, B>
    where
        B: Component + Debug + Serialize + DeserializeOwned,
    {
        conex_systems::install(self.world_mut());
        conex_systems::registry::behaviour::<B>(self.world_mut()).saved()
    }

    /// What the network consists of: populations, projections, behaviours, sizes, memory.
    fn describe(&self) -> Description {
        Description::of(self.world())
    }

    /// Prepares a world that nobody has, with the default settings.
    #[doc(hidden)]
    fn prepared(&mut self) -> Result<()> {
        if self.world().contains_resource::<Clock>() {
            return Ok(());
        }
        crate::install(self.world_mut(), Default::default())
    }

    #[doc(hidden)]
    fn whole_of<'w>(&'w self, group: EntityRef<'w>) -> Option<EntityRef<'w>> {
        self.world().get_entity(group.get::<SubPopulation>()?.of).ok()
    }

    #[doc(hidden)]
    fn names(&self) -> Vec<(Entity, String)> {
        let world = self.world();
        let groups =
            world.iter_entities().filter(|e| e.contains::<Population>() || e.contains::<Projection>());
        groups.filter_map(|e| Some((e.id(), e.get::<Name>()?.to_string()))).collect()
    }

    /// The names of groups, structures and what joins them.
    #[doc(hidden)]
    fn all_names(&self) -> Vec<(Entity, String)> {
        let named = self.world().iter_entities().filter(|e| {
            e.contains::<Population>()
                || e.contains::<Projection>()
                || e.contains::<Structure>()
                || e.contains::<Synapsis>()
        });
        named.filter_map(|e| Some((e.id(), e.get::<Name>()?.to_string()))).collect()
    }

    /// A free name for what leads from one name to another: what their paths have in common stands once, in front.
    #[doc(hidden)]
    fn name_between(&self, source: &str, target: &str) -> String {
        let common = source.bytes().zip(target.bytes()).take_while(|(a, b)| a == b).count();
        let path = source.as_bytes()[..common].iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
        let base = format!("{source} -> {}", &target[path..]);
        let numbered = (2..).map(|k| format!("{base} #{k}"));
        let mut names = std::iter::once(base.clone()).chain(numbered);
        names.find(|name| self.free_name(name).is_ok()).unwrap_or(base)
    }

    #[doc(hidden)]
    fn free_name(&self, name: &str) -> Result<()> {
        if name.is_empty() {
            return Err(Error::EmptyName.into());
        }
        if self.all_names().iter().any(|(_, taken)| taken == name) {
            return Err(Error::DuplicateName { name: name.into() }.into());
        }
        Ok(())
    }
}

impl Network for World {
    fn world(&self) -> &World {
        self
    }

    fn world_mut(&mut self) -> &mut World {
        self
    }
}

/// The candidate with the fewest edits from `name`, if it is near enough to be meant.
pub(crate) fn closest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let near = candidates.map(|c| (strsim::damerau_levenshtein(name, c), c)).min()?;
    (near.0 <= name.chars().count().div_ceil(3).max(1)).then(|| near.1.to_string())
}
