//! Recordings in memory.

use bevy_ecs::entity::Entity;
use conex_systems::Real;
use conex_systems::record::Sink;
use ndarray::Array2;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The spikes of a population: a handle that can be read while the network runs on.
#[derive(Clone, Debug)]
pub struct SpikeRecording {
    events: Arc<Mutex<Bounded<(f64, u32)>>>,
    recorder: Entity,
}

/// The values of a state variable: a handle that can be read while the network runs on.
#[derive(Clone, Debug)]
pub struct StateRecording {
    rows: Arc<Mutex<Bounded<Row>>>,
    recorder: Entity,
}

/// The values of a variable of the network: a handle that can be read while the network runs on.
#[derive(Clone, Debug)]
pub struct NetworkRecording {
    values: Arc<Mutex<Bounded<(f64, f64)>>>,
    recorder: Entity,
}

/// One reading: time \[ms\] and values.
type Row = (f64, Vec<Real>);

/// A queue that forgets its oldest entry when it is full.
#[derive(Debug)]
struct Bounded<T> {
    entries: VecDeque<T>,
    most: usize,
}

impl<T> Bounded<T> {
    fn push(&mut self, entry: T) {
        while self.entries.len() >= self.most {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }
}

fn shared<T>() -> Arc<Mutex<Bounded<T>>> {
    Arc::new(Mutex::new(Bounded { entries: VecDeque::new(), most: usize::MAX }))
}

/// A thread that panicked while it held the lock left whole entries behind: each is pushed at once.
fn locked<T>(entries: &Mutex<Bounded<T>>) -> MutexGuard<'_, Bounded<T>> {
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for SpikeRecording {
    fn default() -> Self {
        SpikeRecording { events: shared(), recorder: Entity::PLACEHOLDER }
    }
}

impl Default for StateRecording {
    fn default() -> Self {
        StateRecording { rows: shared(), recorder: Entity::PLACEHOLDER }
    }
}

impl Default for NetworkRecording {
    fn default() -> Self {
        NetworkRecording { values: shared(), recorder: Entity::PLACEHOLDER }
    }
}

impl SpikeRecording {
    /// Keeps only the last `most` spikes (at least 1), from now on.
    #[must_use]
    pub fn keep_last(self, most: usize) -> Self {
        locked(&self.events).most = most.max(1);
        self
    }

    /// The spikes: time \[ms\] and neuron, in the order of time.
    pub fn events(&self) -> Vec<(f64, u32)> {
        locked(&self.events).entries.iter().copied().collect()
    }

    /// The number of spikes.
    pub fn len(&self) -> usize {
        locked(&self.events).entries.len()
    }

    /// Whether there is no spike.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets what was recorded.
    pub fn clear(&self) {
        locked(&self.events).entries.clear();
    }

    /// The recorder's entity, to switch it off and on.
    pub fn recorder(&self) -> Entity {
        self.recorder
    }

    pub(super) fn of(mut self, recorder: Entity) -> Self {
        self.recorder = recorder;
        self
    }

    pub(super) fn sink(&self) -> impl Sink + 'static {
        self.clone()
    }
}

impl StateRecording {
    /// Keeps only the last `most` rows (at least 1), from now on.
    #[must_use]
    pub fn keep_last(self, most: usize) -> Self {
        locked(&self.rows).most = most.max(1);
        self
    }

    /// The times of the readings \[ms\].
    pub fn times(&self) -> Vec<f64> {
        locked(&self.rows).entries.iter().map(|row| row.0).collect()
    }

    /// The readings, shape (times, values). Sparse weights whose number changed on the way are cut to the shortest row.
    pub fn values(&self) -> Array2<Real> {
        let rows = &locked(&self.rows).entries;
        let columns = rows.iter().map(|row| row.1.len()).min().unwrap_or(0);
        let mut values = Array2::zeros((rows.len(), columns));
        for (mut to, from) in values.rows_mut().into_iter().zip(rows) {
            to.iter_mut().zip(&from.1).for_each(|(to, from)| *to = *from);
        }
        values
    }

    /// Forgets what was recorded.
    pub fn clear(&self) {
        locked(&self.rows).entries.clear();
    }

    /// The recorder's entity, to switch it off and on.
    pub fn recorder(&self) -> Entity {
        self.recorder
    }

    pub(super) fn of(mut self, recorder: Entity) -> Self {
        self.recorder = recorder;
        self
    }

    pub(super) fn sink(&self) -> impl Sink + 'static {
        self.clone()
    }
}

impl NetworkRecording {
    /// Keeps only the last `most` values (at least 1), from now on.
    #[must_use]
    pub fn keep_last(self, most: usize) -> Self {
        locked(&self.values).most = most.max(1);
        self
    }

    /// The times of the readings \[ms\].
    pub fn times(&self) -> Vec<f64> {
        locked(&self.values).entries.iter().map(|entry| entry.0).collect()
    }

    /// The readings, in double precision whatever the engine's is.
    pub fn values(&self) -> Vec<f64> {
        locked(&self.values).entries.iter().map(|entry| entry.1).collect()
    }

    /// Forgets what was recorded.
    pub fn clear(&self) {
        locked(&self.values).entries.clear();
    }

    /// The recorder's entity, to switch it off and on.
    pub fn recorder(&self) -> Entity {
        self.recorder
    }

    pub(super) fn of(mut self, recorder: Entity) -> Self {
        self.recorder = recorder;
        self
    }

    pub(super) fn sink(&self) -> impl Sink + 'static {
        self.clone()
    }
}

impl Sink for SpikeRecording {
    fn values(&mut self, _: f64, _: &[Real]) -> Result<(), String> {
        Ok(())
    }

    fn spikes(&mut self, time: f64, neurons: &[u32]) -> Result<(), String> {
        let mut events = locked(&self.events);
        neurons.iter().for_each(|&neuron| events.push((time, neuron)));
        Ok(())
    }
}

impl Sink for StateRecording {
    fn values(&mut self, time: f64, values: &[Real]) -> Result<(), String> {
        locked(&self.rows).push((time, values.to_vec()));
        Ok(())
    }

    fn spikes(&mut self, _: f64, _: &[u32]) -> Result<(), String> {
        Ok(())
    }
}

impl Sink for NetworkRecording {
    fn values(&mut self, _: f64, _: &[Real]) -> Result<(), String> {
        Ok(())
    }

    fn spikes(&mut self, _: f64, _: &[u32]) -> Result<(), String> {
        Ok(())
    }

    fn number(&mut self, time: f64, value: f64) -> Result<(), String> {
        locked(&self.values).push((time, value));
        Ok(())
    }
}
