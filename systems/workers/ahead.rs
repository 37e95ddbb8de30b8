//! What a thread does while it waits for the others: work of a later step that depends on nothing still to come.
//!
//! A thread that has done a task may leave some of the task's next step to be done [ahead](Ahead). It is taken up where
//! the thread would spin, and put down as soon as there is a region, or the region is over. Who asks for the work itself
//! goes on from where it was left, so the result has the same bits wherever that was.

use std::cell::RefCell;
use std::sync::Weak;

/// Work that can be done bit by bit before it is asked for.
pub(crate) trait Ahead: Send + Sync {
    /// Goes on until `stop` says so, which is asked often, or until nothing is left. Says whether something is.
    fn go_on(&self, stop: &dyn Fn() -> bool) -> bool;
}

thread_local! {
    /// What the thread has left.
    static LEFT: RefCell<Vec<Weak<dyn Ahead>>> = const { RefCell::new(Vec::new()) };
}

/// Leaves `work` to be done ahead by the calling thread, whose caches have its memory.
pub(crate) fn leave(work: Weak<dyn Ahead>) {
    LEFT.with_borrow_mut(|left| {
        if !left.iter().any(|other| other.ptr_eq(&work)) {
            left.push(work);
        }
    });
}

/// Does what the thread has left, until `stop` says so or all is done.
pub(super) fn go_on(stop: impl Fn() -> bool) {
    LEFT.with_borrow_mut(|left| {
        while !stop()
            && let Some(work) = left.pop()
        {
            if work.upgrade().is_some_and(|work| work.go_on(&stop)) {
                left.push(work);
            }
        }
    });
}
