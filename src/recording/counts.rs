//! Spike counts, where times do not matter.

use conex_systems::Real;
use conex_systems::record::Sink;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often each neuron of a population fired: a handle that can be read while the network runs on.
#[derive(Clone, Debug)]
pub struct SpikeCounts(Arc<Mutex<Vec<u32>>>);

impl SpikeCounts {
    pub(super) fn of(neurons: usize) -> Self {
        SpikeCounts(Arc::new(Mutex::new(vec![0; neurons])))
    }

    /// The count of each neuron since the last [`take`](Self::take).
    pub fn get(&self) -> Vec<u32> {
        self.locked().clone()
    }

    /// The count of each neuron, which starts anew.
    pub fn take(&self) -> Vec<u32> {
        let mut counts = self.locked();
        let neurons = counts.len();
        std::mem::replace(&mut *counts, vec![0; neurons])
    }

    fn locked(&self) -> MutexGuard<'_, Vec<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for SpikeCounts {
    fn values(&mut self, _: f64, _: &[Real]) -> Result<(), String> {
        Ok(())
    }

    fn spikes(&mut self, _: f64, neurons: &[u32]) -> Result<(), String> {
        let mut counts = self.locked();
        neurons.iter().for_each(|&neuron| counts[neuron as usize] += 1);
        Ok(())
    }
}
