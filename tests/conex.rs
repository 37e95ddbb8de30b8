//! What conex promises as a whole, one module for each kind of promise.
//!
//! - `closed_form`: what is known by pen and paper.
//! - `determinism`: same seed, same bits.
//! - `static_synapses`: many synapses, delivered together.
//! - `structure`: building, taking apart, embedding, recording, stimulating.
//! - `failure`: every error with its name and its remedy.
//! - `golden`: the numbers of CoNeX itself.

mod closed_form;
mod determinism;
mod static_synapses;
mod structure;
mod failure;
mod golden;
