//! Structures: containers of populations, projections and other structures, joined through ports.
//!
//! A structure is an entity; what it contains are its children. Names are paths: `V1/L4/exc` is put into the structure
//! `V1/L4`, if there is one of that name. A [`StructureBuilder`] makes one structure after another; a
//! [`Synapsis`] joins two of them through their [`Port`]s, and becomes projections when the network is built.

mod builder;
mod ports;

pub use builder::StructureBuilder;
pub use ports::{Direction, Gate, Port, Synapsis};
pub(crate) use ports::{gates_of, install, ports_of};

use crate::error::Result;
use crate::network::Network;
use bevy_ecs::prelude::*;
use conex_systems::Error;
use conex_systems::fire::InputSpikes;
use conex_systems::group::{Grid, Population};
use conex_systems::schedule::Built;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of structure an entity is.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[component(immutable)]
pub enum Structure {
    /// Anything that contains something.
    Container,
    /// Populations and the projections among them.
    Layer,
    /// A layer with an excitatory population `exc`, and possibly an inhibitory one `inh`.
    CorticalLayer,
    /// Projections from the populations of one layer to those of another.
    CorticalLayerConnection,
    /// Layers and the connections among them.
    CorticalColumn,
    /// Populations that take data: `sensory`, `location`, `label`.
    InputLayer,
    /// Populations that are read: `representation`, `motor`.
    OutputLayer,
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Structure::Container => "container",
            Structure::Layer => "layer",
            Structure::CorticalLayer => "cortical layer",
            Structure::CorticalLayerConnection => "connection",
            Structure::CorticalColumn => "cortical column",
            Structure::InputLayer => "input layer",
            Structure::OutputLayer => "output layer",
        })
    }
}

/// The two layers of a [`Structure::CorticalLayerConnection`].
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// Where its projections come from.
    pub source: Entity,
    /// Where they end.
    pub target: Entity,
}

/// A structure with a port, or a population, as an end of a [`Synapsis`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The structure or population.
    pub of: Entity,
    /// The port; none for a population.
    pub port: Option<String>,
}

impl From<Entity> for Endpoint {
    fn from(of: Entity) -> Self {
        Endpoint { of, port: None }
    }
}

impl From<(Entity, &str)> for Endpoint {
    fn from((of, port): (Entity, &str)) -> Self {
        Endpoint { of, port: Some(port.to_string()) }
    }
}

/// Building structures.
///
/// ```
/// use conex::prelude::*;
/// # fn main() -> conex::Result<()> {
/// let mut net = Neocortex::new()?;
/// let neuron = || (Lif::default(), SimpleDendriteStructure::default(), NeuronAxon::default());
/// let dense = |strength| (Dense, WeightInitializer::uniform(0.0, 1.0), Proximal, CurrentCoef(strength));
///
/// let l4 = net
///     .cortical_layer("L4")
///     .excitatory(Grid::new(4, 8, 8), neuron())
///     .inhibitory(64, neuron())
///     .synapses("exc", "inh", dense(0.01))
///     .synapses("inh", "exc", dense(0.02))
///     .input("input", "exc", ())
///     .output("output", "exc", ())
///     .build()?;
/// let l2 = net.replicate(l4, "L2")?;
/// net.synapsis((l4, "output"), (l2, "input"), dense(0.005))?;
/// net.run(10)?;
/// # assert!(net.find("L2/exc").is_ok());
/// # Ok(()) }
/// # use conex::replication::Replication;
/// ```
pub trait Structures: Network {
    /// Begins a structure of any kind; [`StructureBuilder::build`] completes it.
    fn structure(&mut self, kind: Structure, name: &str) -> StructureBuilder<'_, Self> {
        StructureBuilder::new(self, kind, name)
    }

    /// Begins a container.
    fn container(&mut self, name: &str) -> StructureBuilder<'_, Self> {
        self.structure(Structure::Container, name)
    }

    /// Begins a layer.
    fn layer(&mut self, name: &str) -> StructureBuilder<'_, Self> {
        self.structure(Structure::Layer, name)
    }

    /// Begins a cortical layer, with an excitatory and possibly an inhibitory population.
    fn cortical_layer(&mut self, name: &str) -> StructureBuilder<'_, Self> {
        self.structure(Structure::CorticalLayer, name)
    }

    /// Begins a cortical column; layers named `<column>/<layer>` are put into it.
    fn cortical_column(&mut self, name: &str) -> StructureBuilder<'_, Self> {
        self.structure(Structure::CorticalColumn, name)
    }

    /// Begins an input layer, with a sensory population, a location, a label, or several of them.
    fn input_layer(&mut self, name: &str) -> StructureBuilder<'_, Self> {
        self.structure(Structure::InputLayer, name)
    }

    /// Begins an output layer, with a representation, a motor population, or both.
    fn output_layer(&mut self, name: &str) -> StructureBuilder<'_, Self> {
        self.structure(Structure::OutputLayer, name)
    }

    /// Begins a connection from one layer to another: its [`synapses`](StructureBuilder::synapses) go from a population
    /// of `source` to one of `target`.
    #[doc(alias = "CorticalLayerConnection")]
    fn connect_layers(&mut self, name: &str, source: Entity, target: Entity) -> StructureBuilder<'_, Self> {
        StructureBuilder::between(self, name, Between { source, target })
    }

    /// Opens a structure to the outside: whatever joins its port `label` reaches `inner`, one of its populations or a
    /// port of one of its structures, and gains `behaviours`. A port may lead to several things.
    ///
    /// # Errors
    /// No structure; something that is not inside it.
    fn open_port(
        &mut self,
        structure: Entity,
        direction: Direction,
        label: &str,
        inner: impl Into<Endpoint>,
        behaviours: impl Bundle,
    ) -> Result<Entity> {
        ports::open(self, structure, direction, label, inner.into(), behaviours)
    }

    /// Joins an output port to an input port: one projection for each pair of populations behind them. A projection has
    /// the behaviours of the source's port, of the target's port, and `behaviours`; of two of a kind the later one counts.
    /// The ports are resolved when the network is built.
    ///
    /// # Errors
    /// An end that is not in this network. Ports that lead nowhere are told when the network is built.
    fn synapsis(
        &mut self,
        source: impl Into<Endpoint>,
        target: impl Into<Endpoint>,
        behaviours: impl Bundle,
    ) -> Result<Entity> {
        let (source, target) = (source.into(), target.into());
        let label = |end: &Endpoint| {
            let port = end.port.as_ref().map_or_else(String::new, |port| format!(".{port}"));
            format!("{}{port}", self.name_of(end.of))
        };
        let name = self.name_between(&label(&source), &label(&target));
        let (from, to) = (source.of, target.of);
        let synapsis = self.named_synapsis(&name, source, target, behaviours)?;
        put_around(self.world_mut(), synapsis, from, to);
        Ok(synapsis)
    }

    /// As [`synapsis`](Self::synapsis), with a name of its own.
    ///
    /// # Errors
    /// As there, and a name that is empty or taken.
    fn named_synapsis(
        &mut self,
        name: &str,
        source: impl Into<Endpoint>,
        target: impl Into<Endpoint>,
        behaviours: impl Bundle,
    ) -> Result<Entity> {
        ports::join(self, name, source.into(), target.into(), behaviours)
    }

    /// The structure that a group or structure stands in.
    fn parent(&self, of: Entity) -> Option<Entity> {
        self.world().get::<ChildOf>(of).map(ChildOf::parent)
    }
}

impl<N: Network + ?Sized> Structures for N {}

/// The structure whose name is the path of `name`.
pub(crate) fn parent_by_name(net: &(impl Network + ?Sized), name: &str) -> Option<Entity> {
    // The arrow of a projection's name ends its path.
    let path = name.split(" -> ").next()?.rsplit_once('/')?.0;
    let found = net.all_names().into_iter().find(|(_, n)| n == path)?.0;
    net.world().get::<Structure>(found).map(|_| found)
}

/// The innermost structure that contains both.
pub(crate) fn common_parent(world: &World, a: Entity, b: Entity) -> Option<Entity> {
    let around_b: Vec<Entity> = ancestors(world, b).collect();
    ancestors(world, a).find(|e| around_b.contains(e))
}

/// Puts what joins `a` and `b` into the innermost structure that contains both, whatever its own name says.
pub(crate) fn put_around(world: &mut World, entity: Entity, a: Entity, b: Entity) {
    match common_parent(world, a, b) {
        Some(parent) => world.entity_mut(entity).insert(ChildOf(parent)),
        None => world.entity_mut(entity).remove::<ChildOf>(),
    };
}

/// The structures around an entity, innermost first.
pub(crate) fn ancestors(world: &World, of: Entity) -> impl Iterator<Item = Entity> + '_ {
    let up = |e: &Entity| world.get::<ChildOf>(*e).map(ChildOf::parent);
    std::iter::successors(up(&of), move |e| up(e))
}

/// When a group or structure was made, as against the others: entities themselves have no order.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Serial(u64);

#[derive(Resource, Default)]
struct Serials(u64);

/// Notes that `entity` was made now, inside `parent`, and that the network has to be built.
pub(crate) fn put_into(net: &mut (impl Network + ?Sized), entity: Entity, parent: Option<Entity>) {
    let mut serials = net.world_mut().get_resource_or_init::<Serials>();
    serials.0 += 1;
    let serial = Serial(serials.0);
    net.world_mut().entity_mut(entity).insert(serial);
    if let Some(parent) = parent {
        net.world_mut().entity_mut(entity).insert(ChildOf(parent));
    }
    net.world_mut().insert_resource(Built(false));
}

/// What a structure lacks to be of its kind.
fn check_kind(net: &(impl Network + ?Sized), kind: Structure, name: &str) -> Result<()> {
    let has = |role: &str| net.find(&format!("{name}/{role}")).is_ok();
    let one_of = |roles: &[&str]| roles.iter().any(|role| has(role));
    let reason = match kind {
        Structure::CorticalLayer if !has("exc") => {
            "it needs an excitatory population: call `.excitatory(..)`"
        }
        Structure::InputLayer if !one_of(&["sensory", "location", "label"]) => {
            "it needs a population that takes data: call `.sensory(..)`, `.location(..)` or `.label(..)`"
        }
        Structure::OutputLayer if !one_of(&["representation", "motor"]) => {
            "it needs a population that is read: call `.representation(..)` or `.motor(..)`"
        }
        _ => return Ok(()),
    };
    let (kind, structure, reason) = (kind.to_string(), name.to_string(), reason.to_string());
    Err(Error::BadStructure { kind, structure, reason }.into())
}

/// Input populations need no more than spikes from outside.
fn input_population() -> impl Bundle {
    (InputSpikes::default(), conex_systems::axon::NeuronAxon::default())
}

/// Whether there are neurons behind an entity.
pub(crate) fn is_population(world: &World, entity: Entity) -> bool {
    world.get::<Population>(entity).is_some()
}

/// The shape of a dataset, as a population's.
fn shape_of(stimulus: &conex_systems::stimulus::Stimulus) -> Grid {
    stimulus.dataset().shape()
}
