//! The threads that kernels share their work with.
//!
//! Every parallel region is gated by the work in it: below the gate, handing it out costs more than doing it. How work
//! is cut into tasks never depends on the number of threads, and no two tasks write the same place, so a result has the
//! same bits for any number of threads.

mod ahead;
mod team;

use crate::{Error, Result};
use bevy_ecs::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use team::{Apart, Team};

pub(crate) use ahead::{Ahead, leave};

/// Elementary operations (about a nanosecond each) below which a region runs on the calling thread.
const GATE: usize = 16_000;

/// The same while the other threads spin for work, and so begin at once.
const GATE_AWAKE: usize = 5_000;

/// Threads of the network's own.
#[derive(Resource, Default)]
pub struct Workers {
    team: Option<Team>,
}

impl Workers {
    /// Uses `threads` threads, at least one; with one there is none beside the calling thread.
    ///
    /// # Errors
    /// [`Error::Threads`] when the operating system gives no more threads, or for zero.
    pub fn new(threads: usize) -> Result<Self> {
        match threads {
            0 => Err(Error::Threads { threads, reason: "at least one is needed".into() }),
            1 => Ok(Workers { team: None }),
            _ => match Team::new(threads) {
                Ok(team) => Ok(Workers { team: Some(team) }),
                Err(error) => Err(Error::Threads { threads, reason: error.to_string() }),
            },
        }
    }

    /// How many threads work.
    pub fn threads(&self) -> usize {
        self.team.as_ref().map_or(1, Team::threads)
    }

    /// How many threads share so many elementary operations: one, or all.
    pub fn threads_for(&self, work: usize) -> usize {
        if work < GATE { 1 } else { self.threads() }
    }

    /// Does `f(k)` for each `k` below [`threads`](Self::threads), on all threads at once, and returns when all are
    /// through. Within another region, and beside one, the calling thread does them one after the other: so no `f(k)`
    /// may wait for another.
    pub fn broadcast(&self, f: impl Fn(usize) + Sync) {
        match &self.team {
            Some(team) => team.broadcast(f),
            None => f(0),
        }
    }

    /// Does `f` for every task. `work` estimates the elementary operations in all of them together.
    ///
    /// Each thread begins with the tasks that it had at the last step, whose memory is in its caches, and takes what
    /// others have not begun when it is through.
    pub fn each<T: Send>(&self, work: usize, tasks: impl Iterator<Item = T>, f: impl Fn(T) + Sync + Send) {
        match &self.team {
            // Nothing to share.
            _ if tasks.size_hint().1 == Some(1) => tasks.for_each(f),
            Some(team) if work >= GATE || work >= GATE_AWAKE && team.is_awake() => {
                let tasks: Vec<Mutex<Option<T>>> = tasks.map(|task| Mutex::new(Some(task))).collect();
                let threads = team.threads();
                let end = |of: usize| tasks.len() * (of + 1) / threads;
                let begin = |of: usize| Apart(AtomicUsize::new(tasks.len() * of / threads));
                let next: Vec<Apart<AtomicUsize>> = (0..threads).map(begin).collect();
                team.broadcast(|k| {
                    for of in (k..threads).chain(0..k) {
                        let claim = || next[of].0.fetch_add(1, Ordering::Relaxed);
                        while let Some(task) = tasks[..end(of)].get(claim()) {
                            take(task).into_iter().for_each(&f);
                        }
                    }
                });
            }
            _ => tasks.for_each(f),
        }
    }
}

fn take<T>(task: &Mutex<Option<T>>) -> Option<T> {
    task.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::{Arc, Weak};
    use std::time::Duration;

    fn note(parts: &AtomicUsize) {
        parts.fetch_add(1, Ordering::Relaxed);
    }

    #[test]
    fn each_thread_takes_part_once_whether_it_was_awake_or_asleep() -> Result<()> {
        for threads in [1, 2, 5] {
            let workers = Workers::new(threads)?;
            for region in 0..200 {
                if region % 50 == 49 {
                    std::thread::sleep(Duration::from_millis(5));
                }
                let parts: Vec<AtomicUsize> = (0..threads).map(|_| AtomicUsize::new(0)).collect();
                workers.broadcast(|k| note(&parts[k]));
                assert!(parts.iter().all(|part| part.load(Ordering::Relaxed) == 1), "region {region}");
            }
        }
        Ok(())
    }

    #[test]
    fn a_sleeping_team_that_is_asked_often_wakes() -> std::io::Result<()> {
        let team = Team::new(2)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let becomes = |awake: bool| {
            (0..10_000).any(|_| {
                std::thread::sleep(Duration::from_micros(if awake { 1 } else { 1000 }));
                team.is_awake() == awake
            })
        };
        // It is asked seldom at first, and so falls asleep.
        assert!(becomes(false));
        assert_eq!(becomes(true), cores >= 2);
        Ok(())
    }

    #[test]
    fn each_task_is_done_once() -> Result<()> {
        for threads in [1, 3] {
            let workers = Workers::new(threads)?;
            for work in [0, GATE_AWAKE, GATE] {
                let mut done = vec![0; 1000];
                workers.each(work, done.iter_mut(), |task| *task += 1);
                assert_eq!(done, vec![1; 1000]);
            }
        }
        Ok(())
    }

    #[test]
    fn a_region_within_a_region_is_done_too() -> Result<()> {
        let workers = Workers::new(3)?;
        let parts = AtomicUsize::new(0);
        workers.broadcast(|_| workers.broadcast(|_| note(&parts)));
        assert_eq!(parts.into_inner(), 9);
        Ok(())
    }

    /// Counts up to a number, one at a time.
    struct Count {
        reached: AtomicUsize,
        end: usize,
        fails: bool,
    }

    impl Ahead for Count {
        fn go_on(&self, stop: &dyn Fn() -> bool) -> bool {
            assert!(!self.fails, "on purpose");
            while !stop() && self.reached.load(Ordering::Relaxed) < self.end {
                note(&self.reached);
            }
            self.reached.load(Ordering::Relaxed) < self.end
        }
    }

    fn left_by_all(workers: &Workers, end: usize, fails: bool) -> Vec<Arc<Count>> {
        let count = |_| Arc::new(Count { reached: AtomicUsize::new(0), end, fails });
        let counts: Vec<Arc<Count>> = (0..workers.threads()).map(count).collect();
        workers.broadcast(|k| {
            let count: Weak<Count> = Arc::downgrade(&counts[k]);
            leave(count.clone());
            leave(count);
        });
        counts
    }

    #[test]
    fn what_a_thread_leaves_is_done_while_it_waits() -> Result<()> {
        let workers = Workers::new(2)?;
        let counts = left_by_all(&workers, 1000, false);
        let mut patience = 10_000;
        while counts[1].reached.load(Ordering::Relaxed) < 1000 && patience > 0 {
            std::thread::sleep(Duration::from_millis(1));
            patience -= 1;
        }
        assert_eq!(counts[1].reached.load(Ordering::Relaxed), 1000);
        // The calling thread waits only while others are at work.
        workers.broadcast(|k| {
            while k == 1 && counts[0].reached.load(Ordering::Relaxed) < 1000 {
                std::thread::yield_now();
            }
        });
        assert_eq!(counts[0].reached.load(Ordering::Relaxed), 1000);
        Ok(())
    }

    #[test]
    fn what_never_ends_makes_way_for_a_region_and_ends_with_its_owner() -> Result<()> {
        let workers = Workers::new(2)?;
        let counts = left_by_all(&workers, usize::MAX, false);
        for _ in 0..100 {
            let parts = AtomicUsize::new(0);
            workers.broadcast(|_| note(&parts));
            assert_eq!(parts.into_inner(), 2);
        }
        let alive: Vec<Weak<Count>> = counts.iter().map(Arc::downgrade).collect();
        drop(counts);
        workers.broadcast(|_| {});
        workers.broadcast(|_| {});
        assert!(alive.iter().all(|count| count.upgrade().is_none()));
        Ok(())
    }

    #[test]
    fn a_panic_of_what_was_left_reaches_the_caller_of_the_next_region() -> Result<()> {
        let workers = Workers::new(2)?;
        let counts = Mutex::new(Vec::new());
        let panics = |region: &dyn Fn()| catch_unwind(AssertUnwindSafe(region)).is_err();
        let mut caught = panics(&|| *counts.lock().unwrap() = left_by_all(&workers, 1000, true));
        let mut patience = 10_000;
        while !caught && patience > 0 {
            std::thread::sleep(Duration::from_millis(1));
            caught = panics(&|| workers.broadcast(|_| {}));
            patience -= 1;
        }
        assert!(caught);
        drop(counts);
        // It may have failed on the other thread as well.
        panics(&|| workers.broadcast(|_| {}));
        workers.broadcast(|_| {});
        Ok(())
    }

    #[test]
    fn a_panic_reaches_the_caller_and_leaves_the_threads_at_work() -> Result<()> {
        let workers = Workers::new(2)?;
        for culprit in [0, 1] {
            let region = || workers.broadcast(|k| assert_ne!(k, culprit, "on purpose"));
            assert!(catch_unwind(AssertUnwindSafe(region)).is_err());
            let parts = AtomicUsize::new(0);
            workers.broadcast(|_| note(&parts));
            assert_eq!(parts.into_inner(), 2);
        }
        Ok(())
    }
}
