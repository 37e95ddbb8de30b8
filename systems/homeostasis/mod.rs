//! Stages `ActivityHomeostasis` and `VoltageHomeostasis`: neurons keep their activity within reach.

mod activity;
mod adaptive_threshold;
mod voltage;

pub use activity::{ActivityBaseHomeostasis, ActivityCount};
pub use adaptive_threshold::{AdaptiveThreshold, Theta};
pub use voltage::{Exhaustion, VoltageBaseHomeostasis};

pub(crate) fn install(world: &mut bevy_ecs::world::World) {
    voltage::install(world);
    activity::install(world);
    adaptive_threshold::install(world);
}
