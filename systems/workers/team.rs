//! Threads that wait for work, and do the same thing together.
//!
//! A region is over in microseconds, so threads spin for the next one before they sleep. Measured with two threads: to
//! begin and end an empty region takes 0.3 us while they spin and 20 to 45 us when one has to be woken; rayon's `install`
//! and `into_par_iter` take 17 us and 60 to 70 us.

use super::ahead;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Turns of a waiting loop before a thread sleeps: about 200 us.
const PATIENCE: u32 = 12_000;

/// Regions that were too small for a sleeping team after which it is woken for those that follow. To wake it takes some
/// microseconds, and in a program that steps seldom it will sleep again before the next.
const MISSED: usize = 64;

/// What all threads of a team do, given their number.
type Part<'a> = &'a (dyn Fn(usize) + Sync);

/// Keeps what one thread writes away from what others read: two cache lines, for they are fetched in pairs.
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

struct Shared {
    /// How many regions were begun.
    region: Apart<AtomicUsize>,
    /// How many threads are not through with the region.
    busy: Apart<AtomicUsize>,
    /// How many threads sleep, or are about to.
    asleep: Apart<AtomicUsize>,
    /// Where the thread that began the region keeps its part.
    part: AtomicPtr<Part<'static>>,
    bell: Condvar,
    bedroom: Mutex<()>,
    over: AtomicBool,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    patience: u32,
}

/// The calling thread and some others.
pub(crate) struct Team {
    shared: Arc<Shared>,
    others: Vec<JoinHandle<()>>,
    /// Whether a region runs.
    occupied: AtomicBool,
    /// How many regions have found it asleep.
    missed: AtomicUsize,
}

impl Team {
    /// A team of `threads` threads, the calling one included.
    pub(crate) fn new(threads: usize) -> std::io::Result<Team> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let shared = Arc::new(Shared {
            region: Apart(AtomicUsize::new(0)),
            busy: Apart(AtomicUsize::new(0)),
            asleep: Apart(AtomicUsize::new(0)),
            part: AtomicPtr::new(std::ptr::null_mut()),
            bell: Condvar::new(),
            bedroom: Mutex::new(()),
            over: AtomicBool::new(false),
            panic: Mutex::new(None),
            // More threads than cores: who waits is in the way of who works.
            patience: if threads > cores { 0 } else { PATIENCE },
        });
        let mut team = Team {
            shared,
            others: Vec::new(),
            occupied: AtomicBool::new(false),
            missed: AtomicUsize::new(0),
        };
        for k in 1..threads {
            let shared = team.shared.clone();
            let thread = std::thread::Builder::new().name(format!("conex-{k}"));
            team.others.push(thread.spawn(move || shared.work(k))?);
        }
        Ok(team)
    }

    /// How many threads it has.
    pub(crate) fn threads(&self) -> usize {
        self.others.len() + 1
    }

    /// Whether all threads spin for a region. One that is asked often enough while they sleep wakes them.
    pub(crate) fn is_awake(&self) -> bool {
        let shared = &*self.shared;
        if shared.patience == 0 {
            return false;
        }
        if shared.asleep.0.load(Ordering::Relaxed) == 0 {
            return true;
        }
        if self.missed.fetch_add(1, Ordering::Relaxed) % MISSED == MISSED - 1 {
            drop(locked(&shared.bedroom));
            shared.bell.notify_all();
        }
        false
    }

    /// Does `f(k)` for every thread k of the team, on all at once, and returns when all are through.
    ///
    /// A region within a region, or beside another, runs on the calling thread alone: so no `f(k)` may wait for another.
    pub(crate) fn broadcast(&self, f: impl Fn(usize) + Sync) {
        if self.occupied.swap(true, Ordering::Acquire) {
            return (0..self.threads()).for_each(f);
        }
        let shared = &*self.shared;
        let part: Part = &f;
        shared.part.store((&raw const part).cast_mut().cast(), Ordering::Relaxed);
        shared.busy.0.store(self.others.len(), Ordering::Relaxed);
        // In one order with `asleep`: either the thread sees the region, or it is seen to sleep.
        shared.region.0.fetch_add(1, Ordering::SeqCst);
        if shared.asleep.0.load(Ordering::SeqCst) > 0 {
            drop(locked(&shared.bedroom));
            shared.bell.notify_all();
        }
        let through = || shared.busy.0.load(Ordering::Acquire) == 0;
        let own = catch_unwind(AssertUnwindSafe(|| {
            f(0);
            ahead::go_on(through);
        }));
        // `f` has to live until no thread uses it, whatever became of this one's part.
        let mut turns = 0;
        while !through() {
            turns += 1;
            if turns < PATIENCE { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
        let panic = own.err().or(locked(&shared.panic).take());
        self.occupied.store(false, Ordering::Release);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        self.shared.region.0.fetch_add(1, Ordering::SeqCst);
        drop(locked(&self.shared.bedroom));
        self.shared.bell.notify_all();
        for thread in self.others.drain(..) {
            // A thread does not panic: it hands on what its part of a region does.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// What thread `k` does all its life.
    fn work(&self, k: usize) {
        let mut done = 0;
        loop {
            done = self.wait_for_region(done);
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            // SAFETY: the thread that began the region keeps its part in place until `busy` is 0.
            let part: Part = unsafe { *self.part.load(Ordering::Relaxed) };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| part(k))) {
                *locked(&self.panic) = Some(panic);
            }
            self.busy.0.fetch_sub(1, Ordering::Release);
        }
    }

    /// Waits for a region after `done` and gives its number.
    fn wait_for_region(&self, done: usize) -> usize {
        let there_is_one = || self.region.0.load(Ordering::Acquire) != done;
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| ahead::go_on(there_is_one))) {
            *locked(&self.panic) = Some(panic);
        }
        loop {
            for _ in 0..self.patience {
                let region = self.region.0.load(Ordering::Acquire);
                if region != done {
                    return region;
                }
                std::hint::spin_loop();
            }
            let mut bedroom = locked(&self.bedroom);
            self.asleep.0.fetch_add(1, Ordering::SeqCst);
            if self.region.0.load(Ordering::SeqCst) == done {
                bedroom = self.bell.wait(bedroom).unwrap_or_else(PoisonError::into_inner);
            }
            self.asleep.0.fetch_sub(1, Ordering::SeqCst);
            drop(bedroom);
            let region = self.region.0.load(Ordering::Acquire);
            if region != done {
                return region;
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
