//! Building networks, taking them apart, embedding, recording and stimulating them.

mod connections;
mod control;
mod coordinates;
mod dependencies;
mod executor;
mod legality;
mod living;
mod parts;
mod random_changes;
mod recording;
mod stimulus;
mod switching;
mod wiring;
