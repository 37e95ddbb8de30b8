//! The network as a thing of its own: a world that it owns, and how to prepare a world that it does not.

use crate::error::Result;
use crate::network::Network;
use bevy_ecs::prelude::*;
use conex_systems::random::Seed;
use conex_systems::time::{Clock, TimeScaling};
use conex_systems::workers::Workers;

/// How a network computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Time resolution \[ms\]. Default 1.
    pub dt: f64,
    /// The seed that every random draw follows from. Default 1.
    pub seed: u64,
    /// Threads to use. Default: as many as the machine has cores. Results do not depend on it.
    pub threads: usize,
    /// What dt scales. Default: as in CoNeX.
    pub time_scaling: TimeScaling,
}

impl Default for Settings {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Settings { dt: 1.0, seed: 1, threads, time_scaling: TimeScaling::Upstream }
    }
}

/// A network that owns its world.
///
/// Everything that can be done with it is in [`Network`], which a bare [`World`] implements too.
#[doc(alias = "Kernel")]
#[doc(alias = "Simulation")]
pub struct Neocortex {
    world: World,
}

impl Neocortex {
    /// A network with the default settings.
    ///
    /// # Errors
    /// The operating system gives no threads.
    pub fn new() -> Result<Self> {
        Self::with(Settings::default())
    }

    /// A network with `settings`.
    ///
    /// # Errors
    /// A `dt` that is not above 0, or threads that cannot be had.
    pub fn with(settings: Settings) -> Result<Self> {
        let mut world = World::new();
        install(&mut world, settings)?;
        Ok(Neocortex { world })
    }

    /// Gives the world away, with the network in it.
    pub fn into_world(self) -> World {
        self.world
    }
}

impl Network for Neocortex {
    fn world(&self) -> &World {
        &self.world
    }

    fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

/// Prepares a world of the user's own for a network: its schedules `Build` and `Step` and all behaviours of conex.
///
/// ```
/// use conex::prelude::*;
/// # fn main() -> conex::Result<()> {
/// let mut world = World::new();
/// conex::install(&mut world, Settings { dt: 0.5, seed: 7, ..Default::default() })?;
/// let neurons = world.neurons("exc", 10, (Lif::default(), InjectedCurrent::new(2.0)))?;
/// world.run(100)?;
/// assert!(world.state(neurons, "v")?[0] > 0.0);
/// # Ok(()) }
/// ```
///
/// # Errors
/// A `dt` that is not above 0, or threads that cannot be had.
pub fn install(world: &mut World, settings: Settings) -> Result<()> {
    let Settings { dt, seed, threads, time_scaling } = settings;
    if !(dt.is_finite() && dt > 0.0) {
        return Err(conex_systems::Error::TimeStep { dt }.into());
    }
    let workers = Workers::new(threads)?;
    conex_systems::install(world);
    crate::structure::install(world);
    world.insert_resource(workers);
    world.insert_resource(Seed(seed));
    // Installed again, a network takes the new settings and keeps its time.
    let iteration = world.get_resource::<Clock>().map_or(0, |clock| clock.iteration);
    world.insert_resource(Clock { dt, iteration, scaling: time_scaling });
    Ok(())
}
