//! Thresholds move towards a target activity.

use crate::Real;
use crate::dynamics::Threshold;
use crate::error::{Error, Problems};
use crate::fire::{NEURONS, Spikes};
use crate::group::{Population, Unbuilt, build_late};
use crate::registry::{self, GroupKind};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use crate::time::Clock;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Every `window_size` steps each threshold rises if its neuron fired more than `activity_rate` times in them, and falls
/// if it fired less.
///
/// **Equation.** Each step `activities += 1` where a neuron fires, else `activities −= activity_rate/(window_size −
/// activity_rate)`. When the iteration is a multiple of `window_size`: `threshold += activities·updating_rate`,
/// `activities ← 0`, `updating_rate ·= decay_rate`.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[require(ActivityCount)]
pub struct ActivityBaseHomeostasis {
    /// Spikes wanted of each neuron in a window \[spikes\], below `window_size`.
    pub activity_rate: Real,
    /// Length of a window \[steps\].
    pub window_size: u64,
    /// How far a threshold moves per spike too many or too few \[unit of v\]. Default 0.01.
    pub updating_rate: Real,
    /// What `updating_rate` is multiplied with after each window. Default 1.
    pub decay_rate: Real,
}

impl ActivityBaseHomeostasis {
    /// Wants `activity_rate` spikes of each neuron in every `window_size` steps, moving thresholds by `updating_rate`.
    pub fn new(activity_rate: Real, window_size: u64, updating_rate: Real) -> Self {
        ActivityBaseHomeostasis { activity_rate, window_size, updating_rate, decay_rate: 1.0 }
    }
}

/// The balance of each neuron's spikes in the running window, and how far thresholds move by now.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct ActivityCount {
    /// Spikes too many (above 0) or too few.
    pub activities: Vec<Real>,
    /// `updating_rate` after the decays so far, once a window is over.
    updating_rate: Option<Real>,
}

/// For every population with a threshold and an activity to keep, count spikes and move thresholds.
pub(super) fn move_thresholds(
    clock: Res<Clock>,
    mut populations: Query<(&ActivityBaseHomeostasis, &Spikes, &mut ActivityCount, &mut Threshold)>,
) {
    for (homeostasis, spikes, mut count, mut threshold) in &mut populations {
        let count = &mut *count;
        let window = homeostasis.window_size as Real;
        let penalty = homeostasis.activity_rate / (window - homeostasis.activity_rate);
        for (activity, fired) in count.activities.iter_mut().zip(spikes.0.mask()) {
            *activity += if *fired { 1.0 } else { -penalty };
        }
        if clock.iteration.is_multiple_of(homeostasis.window_size) {
            let rate = count.updating_rate.unwrap_or(homeostasis.updating_rate);
            let thresholds = threshold.0.per_neuron_mut(count.activities.len());
            for (threshold, activity) in thresholds.iter_mut().zip(&mut count.activities) {
                *threshold += *activity * rate;
                *activity = 0.0;
            }
            count.updating_rate = Some(rate * homeostasis.decay_rate);
        }
    }
}

type Fresh<'w> = (&'w Name, &'w Population, &'w Unbuilt, &'w ActivityBaseHomeostasis, &'w mut ActivityCount);

fn prepare(mut problems: ResMut<Problems>, mut populations: Query<Fresh>) {
    for (name, population, unbuilt, homeostasis, mut count) in &mut populations {
        let behaviour = "ActivityBaseHomeostasis";
        let mut fault = |parameter: &str, value: f64, requirement: String| {
            let (group, behaviour, parameter) = (name.into(), behaviour.into(), parameter.into());
            problems.push(Error::ParameterRange { group, behaviour, parameter, value, requirement });
        };
        let ActivityBaseHomeostasis { activity_rate, window_size, updating_rate, decay_rate } = *homeostasis;
        if window_size == 0 {
            fault("window_size", 0.0, "at least 1 step".into());
        } else if !(0.0..window_size as Real).contains(&activity_rate) {
            let requirement = format!("0 or more, and below window_size, which is {window_size}");
            fault("activity_rate", f64::from(activity_rate), requirement);
        }
        for (parameter, value) in [("updating_rate", updating_rate), ("decay_rate", decay_rate)] {
            if !value.is_finite() {
                fault(parameter, f64::from(value), "a finite number".into());
            }
        }
        if unbuilt.makes_state(count.activities.is_empty()) {
            *count = ActivityCount { activities: vec![0.0; population.size()], updating_rate: None };
        }
    }
}

pub(super) fn install(world: &mut World) {
    registry::behaviour::<ActivityBaseHomeostasis>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::ActivityHomeostasis)
        .needs(&[NEURONS])
        .state::<ActivityCount>()
        .saved();
    build_late::<ActivityCount>(world);
    add_systems(world, StepSystems::ActivityHomeostasis, move_thresholds);
    add_build_systems(world, BuildSystems::Allocate, prepare);
}
