//! Replication: a structure as a value that can be kept in a file, edited, and built again.
//!
//! A [`Blueprint`] says what was built: structures, populations, projections, ports, behaviours and their parameters. It
//! holds no state and no code. Names in it are relative to the structure that it describes, so it can be built anywhere,
//! under any name.

mod blueprint;
mod file;
mod load;
mod save;

pub use blueprint::{
    Behaviours, Blueprint, Joined, NetworkSettings, Part, SavedGate, SavedGroup, SavedPopulation, SavedPort,
    SavedProjection, SavedSynapsis,
};

use crate::error::Result;
use crate::network::Network;
use crate::simulation::{Neocortex, Settings};
use bevy_ecs::prelude::*;

/// Saving structures to values, and building them again.
///
/// ```
/// use conex::prelude::*;
/// # fn main() -> conex::Result<()> {
/// let mut net = Neocortex::new()?;
/// let neuron = || (Lif::default(), SimpleDendriteStructure::default(), NeuronAxon::default());
/// let l4 = net.cortical_layer("L4").excitatory(100, neuron()).inhibitory(25, neuron()).build()?;
///
/// let mut layer = net.save(l4)?; // to a value,
/// layer.population("exc")?.resize(400).set(&Lif::default().tau(20.0))?; // edited,
/// net.load("L2", &layer)?; // built under another name,
/// layer.write(std::env::temp_dir().join("layer.ron"))?; // or kept in a file, RON or JSON
/// net.replicate(l4, "L5")?; // or all in one call
/// assert_eq!(net.get::<Population>(net.find("L2/exc")?)?.size(), 400);
/// # Ok(()) }
/// ```
pub trait Replication: Network {
    /// A structure, with everything in it, as a value.
    ///
    /// # Errors
    /// No structure; a behaviour that is not registered or cannot be written down; projections that reach outside.
    fn save(&self, structure: Entity) -> Result<Blueprint> {
        save::structure(self, structure)
    }

    /// The whole network as a value, its settings included.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    fn save_network(&self) -> Result<Blueprint> {
        save::network(self)
    }

    /// Builds a structure from a value under the name `name`. Of a whole network, everything in it is built, inside a
    /// container of that name.
    ///
    /// # Errors
    /// A name that is taken; behaviours, parameters, populations, ports that are not known (the error suggests what may
    /// have been meant). Nothing is left of the structure then.
    fn load(&mut self, name: &str, blueprint: &Blueprint) -> Result<Entity> {
        load::structure(self, name, blueprint, None)
    }

    /// Builds a connection from a value between two other layers.
    ///
    /// # Errors
    /// As [`load`](Self::load); a value that is no connection.
    fn load_between(
        &mut self,
        name: &str,
        blueprint: &Blueprint,
        source: Entity,
        target: Entity,
    ) -> Result<Entity> {
        load::structure(self, name, blueprint, Some((source, target)))
    }

    /// Builds a structure once more, under another name. What cannot be saved but copied, as data are, is copied.
    ///
    /// # Errors
    /// As [`save`](Self::save) and [`load`](Self::load).
    fn replicate(&mut self, structure: Entity, name: &str) -> Result<Entity> {
        let blueprint = self.save(structure)?;
        let copy = self.load(name, &blueprint)?;
        load::copy_unsaved(self, structure, copy);
        Ok(copy)
    }

    /// Builds a connection once more, between two other layers.
    ///
    /// # Errors
    /// As [`replicate`](Self::replicate).
    fn replicate_between(
        &mut self,
        connection: Entity,
        name: &str,
        source: Entity,
        target: Entity,
    ) -> Result<Entity> {
        let blueprint = self.save(connection)?;
        self.load_between(name, &blueprint, source, target)
    }
}

impl<N: Network + ?Sized> Replication for N {}

impl Neocortex {
    /// A network of its own from a value, with the settings that were saved with it; of a structure, a network that holds
    /// just that. `register` is called first, to make behaviours of the user's own known.
    ///
    /// # Errors
    /// As [`Replication::load`], or settings that make no sense.
    pub fn from_blueprint(blueprint: &Blueprint, register: impl FnOnce(&mut Neocortex)) -> Result<Self> {
        let mut settings = Settings::default();
        if let Some(saved) = &blueprint.network {
            settings.dt = saved.dt;
            settings.seed = saved.seed;
            settings.time_scaling = saved.time_scaling;
        }
        let mut net = Neocortex::with(settings)?;
        register(&mut net);
        load::network(&mut net, blueprint)?;
        Ok(net)
    }
}
