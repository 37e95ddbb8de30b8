//! The threads that kernels share their work with.
//!
//! Every parallel region is gated by the work in it: below the gate, handing it out costs more than doing it. How work
//! is cut into tasks never depends on the number of threads, and no two tasks write the same place, so a result has the
//! same bits for any number of threads.

use crate::{Error, Result};
use bevy_ecs::prelude::*;
use rayon::prelude::*;

/// Elementary operations (about a nanosecond each) below which a region runs on the calling thread.
const GATE: usize = 60_000;

/// A pool of threads of the network's own.
#[derive(Resource, Default)]
pub struct Workers {
    pool: Option<rayon::ThreadPool>,
}

impl Workers {
    /// Uses `threads` threads, at least one; with one there is no pool at all.
    ///
    /// # Errors
    /// [`Error::Threads`] when the operating system gives no more threads, or for zero.
    pub fn new(threads: usize) -> Result<Self> {
        if threads == 0 {
            return Err(Error::Threads { threads, reason: "at least one is needed".into() });
        }
        if threads == 1 {
            return Ok(Workers { pool: None });
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("conex-{i}"))
            .build()
            .map_err(|e| Error::Threads { threads, reason: e.to_string() })?;
        Ok(Workers { pool: Some(pool) })
    }

    /// How many threads work.
    pub fn threads(&self) -> usize {
        self.pool.as_ref().map_or(1, rayon::ThreadPool::current_num_threads)
    }

    /// Does `f` for every task. `work` estimates the elementary operations in all of them together.
    pub fn each<T: Send>(&self, work: usize, tasks: impl Iterator<Item = T>, f: impl Fn(T) + Sync + Send) {
        match &self.pool {
            Some(pool) if work >= GATE => {
                let tasks: Vec<T> = tasks.collect();
                pool.install(|| tasks.into_par_iter().for_each(f));
            }
            _ => tasks.for_each(f),
        }
    }
}
