//! Recordings on their way to a file.

use super::export::{EventWriter, RecordingError, RowWriter};
use bevy_ecs::entity::Entity;
use conex_systems::Real;
use conex_systems::record::Sink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A recording that is streamed to a file: only a small buffer stays in memory.
#[must_use = "only `finish` gives the file its name"]
#[derive(Clone)]
pub struct FileRecording {
    path: PathBuf,
    writer: Arc<Mutex<Option<Writer>>>,
    recorder: Entity,
}

enum Writer {
    Spikes(EventWriter),
    Values(RowWriter),
}

impl FileRecording {
    pub(super) fn spikes(path: &Path) -> Result<Self, RecordingError> {
        Ok(Self::new(path, Writer::Spikes(EventWriter::create(path)?)))
    }

    pub(super) fn values(path: &Path, columns: usize) -> Result<Self, RecordingError> {
        Ok(Self::new(path, Writer::Values(RowWriter::create(path, columns)?)))
    }

    fn new(path: &Path, writer: Writer) -> Self {
        FileRecording {
            path: path.to_path_buf(),
            writer: Arc::new(Mutex::new(Some(writer))),
            recorder: Entity::PLACEHOLDER,
        }
    }

    /// Completes the file and gives its path. What happens in the network from now on is not recorded.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(self) -> Result<PathBuf, RecordingError> {
        match self.locked().take() {
            Some(Writer::Spikes(writer)) => writer.finish()?,
            Some(Writer::Values(writer)) => writer.finish()?,
            None => {}
        }
        Ok(self.path)
    }

    /// The recorder's entity, to switch it off and on.
    pub fn recorder(&self) -> Entity {
        self.recorder
    }

    pub(super) fn of(mut self, recorder: Entity) -> Self {
        self.recorder = recorder;
        self
    }

    fn locked(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sink(&self) -> impl Sink + 'static {
        self.clone()
    }
}

impl Sink for FileRecording {
    fn values(&mut self, time: f64, values: &[Real]) -> Result<(), String> {
        match &mut *self.locked() {
            Some(Writer::Values(writer)) => writer.append(time, values).map_err(|e| e.to_string()),
            _ => Ok(()),
        }
    }

    fn spikes(&mut self, time: f64, neurons: &[u32]) -> Result<(), String> {
        match &mut *self.locked() {
            Some(Writer::Spikes(writer)) => {
                neurons.iter().try_for_each(|&neuron| writer.append(time, neuron)).map_err(|e| e.to_string())
            }
            _ => Ok(()),
        }
    }
}
