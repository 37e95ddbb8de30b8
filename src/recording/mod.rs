//! What the user reads back: recordings in memory or on disk, and plots of them.
//!
//! A recorder watches one group: every spike as an event, or a state variable every few steps. It keeps what it reads in
//! memory, where [`SpikeRecording`] and [`StateRecording`] give it back, or streams it to a file with bounded memory.

mod export;
mod file;
mod memory;
mod counts;
pub mod plots;

pub use counts::SpikeCounts;
pub use export::{EventWriter, NpzArray, RecordingError, RowWriter, save_npz};
pub use file::FileRecording;
pub use memory::{NetworkRecording, SpikeRecording, StateRecording};

use crate::error::Result;
use crate::network::{Network, closest};
use bevy_ecs::prelude::*;
use conex_systems::Error;
use conex_systems::group::Population;
use conex_systems::record::{NetworkVariables, Recorder, RecorderSink, RecordingOff, Sink, Watch};
use std::path::Path;

/// Recording a network's groups.
///
/// ```
/// use conex::prelude::*;
/// # fn main() -> conex::Result<()> {
/// let mut net = Neocortex::new()?;
/// let exc = net.neurons("exc", 3, (Lif::default(), InjectedCurrent::new(1.5)))?;
/// let spikes = net.record_spikes(exc)?;
/// let voltage = net.record_state(exc, "v", 5)?;
/// net.run(100)?;
/// println!("{} spikes, voltages {:?}", spikes.len(), voltage.values().shape());
/// # assert_eq!(voltage.values().shape(), [20, 3]);
/// # assert!(!spikes.is_empty());
/// # Ok(()) }
/// ```
pub trait Recording: Network {
    /// Keeps every spike of `population` in memory.
    ///
    /// # Errors
    /// The group does not fire.
    fn record_spikes(&mut self, population: Entity) -> Result<SpikeRecording> {
        let recording = SpikeRecording::default();
        let recorder = self.watch(population, Watch::Spikes, 1, Box::new(recording.sink()))?;
        Ok(recording.of(recorder))
    }

    /// Counts the spikes of each neuron of `population`.
    ///
    /// # Errors
    /// The group does not fire.
    fn count_spikes(&mut self, population: Entity) -> Result<SpikeCounts> {
        let counts = SpikeCounts::of(self.get::<Population>(population)?.size());
        self.watch(population, Watch::Spikes, 1, Box::new(counts.clone()))?;
        Ok(counts)
    }

    /// Keeps the state variable `variable` of `group` in memory, every `every` steps.
    ///
    /// # Errors
    /// The group has no such variable, or `every` is 0.
    fn record_state(&mut self, group: Entity, variable: &str, every: u64) -> Result<StateRecording> {
        let recording = StateRecording::default();
        let watch = Watch::Variable(variable.into());
        let recorder = self.watch(group, watch, every, Box::new(recording.sink()))?;
        Ok(recording.of(recorder))
    }

    /// Keeps a variable of the network, `"payoff"` or `"dopamine"`, in memory, every `every` steps. Those of your own join
    /// with [`network_variable`](conex_systems::record::network_variable).
    ///
    /// # Errors
    /// The network has no such variable, or `every` is 0.
    fn record_network(&mut self, variable: &str, every: u64) -> Result<NetworkRecording> {
        let recording = NetworkRecording::default();
        let watch = Watch::Network(variable.into());
        let recorder = self.watch(Entity::PLACEHOLDER, watch, every, Box::new(recording.sink()))?;
        Ok(recording.of(recorder))
    }

    /// Keeps the dopamine concentration in memory, every `every` steps.
    ///
    /// # Errors
    /// The network has no dopamine ([`set_dopamine`](crate::control::Control::set_dopamine) gives it some), or `every` is 0.
    fn record_dopamine(&mut self, every: u64) -> Result<NetworkRecording> {
        self.record_network("dopamine", every)
    }

    /// Streams every spike of `population` to a file, `.npz` or `.csv`. [`FileRecording::finish`] completes it.
    ///
    /// # Errors
    /// The group does not fire, or the file cannot be written.
    fn stream_spikes(&mut self, population: Entity, path: impl AsRef<Path>) -> Result<FileRecording> {
        // Asked first, so that a mistake leaves no file behind.
        self.check_watch(population, &Watch::Spikes, 1)?;
        let file = FileRecording::spikes(path.as_ref())?;
        let recorder = self.watch(population, Watch::Spikes, 1, Box::new(file.sink()))?;
        Ok(file.of(recorder))
    }

    /// Streams the state variable `variable` of `group` to a file, `.npz` or `.csv`, every `every` steps.
    /// [`FileRecording::finish`] completes it.
    ///
    /// # Errors
    /// The group has no such variable, `every` is 0, or the file cannot be written.
    fn stream_state(
        &mut self,
        group: Entity,
        variable: &str,
        every: u64,
        path: impl AsRef<Path>,
    ) -> Result<FileRecording> {
        let watch = Watch::Variable(variable.into());
        self.check_watch(group, &watch, every)?;
        let file = FileRecording::values(path.as_ref(), self.state(group, variable)?.len())?;
        let recorder = self.watch(group, watch, every, Box::new(file.sink()))?;
        Ok(file.of(recorder))
    }

    /// Sends what is read of a group, or of the network, to a sink of the user's own.
    ///
    /// # Errors
    /// The group has nothing of the kind, or `every` is 0.
    fn watch(&mut self, group: Entity, watch: Watch, every: u64, sink: Box<dyn Sink>) -> Result<Entity> {
        self.check_watch(group, &watch, every)?;
        let what = match &watch {
            Watch::Spikes => "spikes",
            Watch::Variable(variable) | Watch::Network(variable) => variable,
        };
        let of = match watch {
            Watch::Network(_) => "the network".into(),
            _ => self.name_of(group),
        };
        let name = Name::new(format!("{what} of {of}"));
        let recorder = Recorder { of: group, watch, every };
        Ok(self.world_mut().spawn((name, recorder, RecorderSink(sink))).id())
    }

    /// Switches a recorder on or off.
    fn set_recording(&mut self, recorder: Entity, on: bool) {
        if let Ok(mut recorder) = self.world_mut().get_entity_mut(recorder) {
            if on {
                recorder.remove::<RecordingOff>();
            } else {
                recorder.insert(RecordingOff);
            }
        }
    }

    #[doc(hidden)]
    fn check_watch(&mut self, group: Entity, watch: &Watch, every: u64) -> Result<()> {
        if every == 0 {
            let group = match watch {
                Watch::Network(_) => "the network".into(),
                _ => self.name_of(group),
            };
            let behaviour = "recorder".into();
            let (parameter, requirement) = ("every".into(), "at least 1 step".into());
            return Err(Error::ParameterRange { group, behaviour, parameter, value: 0.0, requirement }.into());
        }
        match watch {
            Watch::Spikes => self.spikes(group).map(|_| ()),
            Watch::Variable(variable) => {
                // A new group has its variables only once it is built.
                self.build()?;
                self.check_state(group, variable)
            }
            Watch::Network(variable) => {
                // Dopamine has a concentration only once it is built.
                self.build()?;
                let variables = self.world().get_resource::<NetworkVariables>();
                let names: Vec<_> = variables.into_iter().flat_map(NetworkVariables::names).collect();
                if !names.contains(&variable.as_str()) {
                    let suggestion = closest(variable, names.into_iter());
                    let (kind, name) = ("variable of the network", variable.clone());
                    return Err(Error::UnknownName { kind, name, suggestion }.into());
                }
                if variables.and_then(|v| v.read(variable, self.world())).is_none() {
                    let (group, what) = ("the network".into(), variable.clone());
                    return Err(Error::NoSuchState { group, what }.into());
                }
                Ok(())
            }
        }
    }
}

impl<N: Network> Recording for N {}
