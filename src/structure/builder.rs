//! One structure, built call by call.

use super::{
    Between, Direction, Endpoint, Structure, Structures, check_kind, input_population, put_into, shape_of,
};
use crate::error::{Error, Result};
use crate::network::Network;
use bevy_ecs::prelude::*;
use conex_systems::group::{Grid, Inhibitory};
use conex_systems::stimulus::Stimulus;

/// A structure on its way. What goes wrong in a call is told by [`build`](Self::build), and then nothing is left of the
/// structure.
#[must_use = "the structure is complete, and its faults are told, when `build()` is called"]
pub struct StructureBuilder<'n, N: Network + ?Sized> {
    net: &'n mut N,
    kind: Structure,
    name: String,
    between: Option<Between>,
    state: Result<Entity>,
}

/// Something inside a structure: a population by its name within it, or a structure with one of its ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inner {
    name: String,
    port: Option<String>,
}

impl From<&str> for Inner {
    fn from(name: &str) -> Self {
        Inner { name: name.to_string(), port: None }
    }
}

impl From<(&str, &str)> for Inner {
    fn from((name, port): (&str, &str)) -> Self {
        Inner { name: name.to_string(), port: Some(port.to_string()) }
    }
}

impl<'n, N: Network + ?Sized> StructureBuilder<'n, N> {
    pub(super) fn new(net: &'n mut N, kind: Structure, name: &str) -> Self {
        let state = begin(net, kind, name);
        StructureBuilder { net, kind, name: name.to_string(), between: None, state }
    }

    pub(super) fn between(net: &'n mut N, name: &str, between: Between) -> Self {
        let mut builder = Self::new(net, Structure::CorticalLayerConnection, name);
        let world = builder.net.world();
        let missing =
            [between.source, between.target].into_iter().find(|e| world.get::<Structure>(*e).is_none());
        if let (Some(end), Ok(_)) = (missing, &builder.state) {
            let reason = format!("`{}` is no layer: give it two structures", builder.net.name_of(end));
            builder.fail(reason);
        }
        builder.between = Some(between);
        builder.then(|net, entity, _| {
            net.world_mut().entity_mut(entity).insert(between);
            Ok(())
        })
    }

    fn fail(&mut self, reason: String) {
        let (kind, structure) = (self.kind.to_string(), self.name.clone());
        self.drop_half();
        self.state = Err(conex_systems::Error::BadStructure { kind, structure, reason }.into());
    }

    fn drop_half(&mut self) {
        if let Ok(half) = &self.state {
            let half = *half;
            self.net.world_mut().despawn(half);
        }
    }

    fn then(mut self, f: impl FnOnce(&mut N, Entity, &str) -> Result<()>) -> Self {
        if let Ok(entity) = self.state
            && let Err(error) = f(self.net, entity, &self.name)
        {
            self.drop_half();
            self.state = Err(error);
        }
        self
    }

    /// Adds a population of neurons; it is named `<structure>/<name>`.
    pub fn population(self, name: &str, shape: impl Into<Grid>, behaviours: impl Bundle) -> Self {
        self.then(|net, _, path| net.neurons(&format!("{path}/{name}"), shape, behaviours).map(drop))
    }

    /// Adds the excitatory population, `exc`.
    pub fn excitatory(self, shape: impl Into<Grid>, behaviours: impl Bundle) -> Self {
        self.population("exc", shape, behaviours)
    }

    /// Adds the inhibitory population, `inh`.
    pub fn inhibitory(self, shape: impl Into<Grid>, behaviours: impl Bundle) -> Self {
        self.population("inh", shape, (behaviours, Inhibitory))
    }

    /// Adds the population `sensory`, which shows the data of `stimulus` and has their shape.
    pub fn sensory(self, stimulus: Stimulus) -> Self {
        self.population("sensory", shape_of(&stimulus), (input_population(), stimulus))
    }

    /// Adds the population `location`, which shows where `sensory` looks.
    pub fn location(self, stimulus: Stimulus) -> Self {
        self.population("location", shape_of(&stimulus), (input_population(), stimulus))
    }

    /// Adds the population `label`, which shows the class of what `sensory` shows.
    pub fn label(self, stimulus: Stimulus) -> Self {
        self.population("label", shape_of(&stimulus), (input_population(), stimulus))
    }

    /// Adds the population `representation`, whose activity stands for what is perceived.
    pub fn representation(self, shape: impl Into<Grid>, behaviours: impl Bundle) -> Self {
        self.population("representation", shape, behaviours)
    }

    /// Adds the population `motor`, whose activity stands for what is done.
    pub fn motor(self, shape: impl Into<Grid>, behaviours: impl Bundle) -> Self {
        self.population("motor", shape, behaviours)
    }

    /// Adds a projection between two populations of the structure, named by their names within it; of a connection,
    /// from a population of its source to one of its target.
    pub fn synapses(self, source: &str, target: &str, behaviours: impl Bundle) -> Self {
        let between = self.between;
        self.then(|net, _, path| {
            let (from, to) = match between {
                Some(Between { source, target }) => (net.name_of(source), net.name_of(target)),
                None => (path.to_string(), path.to_string()),
            };
            let (pre, post) = (net.find(&format!("{from}/{source}"))?, net.find(&format!("{to}/{target}"))?);
            let name = net.name_between(&format!("{path}/{source}"), &format!("{path}/{target}"));
            net.named_synapses(&name, pre, post, behaviours).map(drop)
        })
    }

    /// Opens the input port `label`: whatever joins it reaches `inner`, a population `"exc"` or a structure's port
    /// `("L4", "input")`, and gains `behaviours`. Called again, the port leads to several things.
    pub fn input(self, label: &str, inner: impl Into<Inner>, behaviours: impl Bundle) -> Self {
        self.open(Direction::Input, label, inner.into(), behaviours)
    }

    /// Opens the output port `label`: whatever joins it comes from `inner`, and gains `behaviours`.
    pub fn output(self, label: &str, inner: impl Into<Inner>, behaviours: impl Bundle) -> Self {
        self.open(Direction::Output, label, inner.into(), behaviours)
    }

    fn open(self, direction: Direction, label: &str, inner: Inner, behaviours: impl Bundle) -> Self {
        self.then(|net, entity, path| {
            let of = net.find(&format!("{path}/{}", inner.name))?;
            let inner = Endpoint { of, port: inner.port };
            net.open_port(entity, direction, label, inner, behaviours).map(drop)
        })
    }

    /// Gives the structure behaviours of its own, tags for instance.
    pub fn with(self, behaviours: impl Bundle) -> Self {
        self.then(|net, entity, _| {
            net.world_mut().entity_mut(entity).insert(behaviours);
            Ok(())
        })
    }

    /// Completes the structure.
    ///
    /// # Errors
    /// The first thing that was wrong in any of the calls, or a structure that is not what its kind asks for. Nothing is
    /// left of it then.
    pub fn build(self) -> Result<Entity> {
        let kind = self.kind;
        self.then(|net, _, path| check_kind(net, kind, path)).state
    }
}

fn begin(net: &mut (impl Network + ?Sized), kind: Structure, name: &str) -> Result<Entity, Error> {
    net.prepared()?;
    net.free_name(name)?;
    let parent = super::parent_by_name(net, name);
    let entity = net.world_mut().spawn((Name::new(name.to_string()), kind)).id();
    put_into(net, entity, parent);
    Ok(entity)
}
