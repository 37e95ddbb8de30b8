//! Building networks, taking them apart, embedding, recording and stimulating them.

mod dependencies;
mod legality;
mod living;
mod recording;
mod stimulus;
mod wiring;
