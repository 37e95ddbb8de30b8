//! Stages `ActivityHomeostasis` and `VoltageHomeostasis`: neurons keep their activity within reach.

mod activity;
mod voltage;

pub use activity::{ActivityBaseHomeostasis, ActivityCount};
pub use voltage::{Exhaustion, VoltageBaseHomeostasis};

pub(crate) fn install(world: &mut bevy_ecs::world::World) {
    voltage::install(world);
    activity::install(world);
}
