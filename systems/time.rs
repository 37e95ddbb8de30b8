//! Stage `Time`: the clock.

use crate::schedule::{StepSystems, add_systems};
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Simulated time.
///
/// `iteration` counts steps; before the first it is 0, and during the first it is 1.
#[doc(alias = "TimeResolution")]
#[derive(Resource, Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Time resolution \[ms\]. Default 1.
    pub dt: f64,
    /// Steps begun so far.
    pub iteration: u64,
    /// What dt scales.
    pub scaling: TimeScaling,
}

/// Whether behaviours that CoNeX computes without dt keep to that.
///
/// It concerns: the decay of the dendritic current (`I_tau`), AELIF's jump of the adaptation at a spike, inherent noise,
/// and the decay of dopamine and of eligibility (`tau_dopamine`, `tau_c`). At dt = 1 ms both choices are the same, up to rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeScaling {
    /// As CoNeX computes: time constants of these behaviours count steps. The default.
    #[default]
    Upstream,
    /// Time constants are milliseconds, jumps do not shrink with dt, noise grows with the square root of dt: the
    /// network behaves alike at any small dt.
    Consistent,
}

impl Default for Clock {
    fn default() -> Self {
        Clock { dt: 1.0, iteration: 0, scaling: TimeScaling::Upstream }
    }
}

impl Clock {
    /// Simulated time \[ms\].
    pub fn now(&self) -> f64 {
        self.iteration as f64 * self.dt
    }

    /// dt \[ms\] for a behaviour that CoNeX computes without it: 1 unless scaling is consistent.
    pub fn optional_dt(&self) -> f64 {
        match self.scaling {
            TimeScaling::Upstream => 1.0,
            TimeScaling::Consistent => self.dt,
        }
    }
}

pub(crate) fn advance_clock(mut clock: ResMut<Clock>) {
    clock.iteration += 1;
}

pub(crate) fn install(world: &mut World) {
    world.init_resource::<Clock>();
    add_systems(world, StepSystems::Time, advance_clock);
}
