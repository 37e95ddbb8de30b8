//! Every error with its name, the group that it blames and the remedy that it offers.

mod network;
mod projections;
mod connections;
mod kinds;
mod receptors;
mod files;
