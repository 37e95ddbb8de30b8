//! Stage `Refractory`: after a spike, a neuron rests.

use crate::dynamics::{Membrane, MembranePotential, Range, check_parameter};
use crate::error::Problems;
use crate::fire::{NEURONS, Spikes};
use crate::group::{Population, Unbuilt, build_late};
use crate::kernels::refractory::hold;
use crate::parameter::{BLOCK, Param};
use crate::registry::{self, GroupKind};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use crate::time::Clock;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Holds a neuron at `v_reset` for `duration` after each of its spikes, whatever current or noise it gets meanwhile.
///
/// The duration is rounded to whole steps; the first spike possible comes `duration + dt` after the last. It stands
/// before the competition, so a resting neuron takes no winner's place.
#[doc(alias = "t_ref")]
#[doc(alias = "refractory")]
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[require(RefractorySteps)]
pub struct RefractoryPeriod {
    /// How long \[ms\], one number or one per neuron. Default 2.
    pub duration: Param,
}

impl RefractoryPeriod {
    /// Rests for `duration` \[ms\].
    pub fn new(duration: impl Into<Param>) -> Self {
        RefractoryPeriod { duration: duration.into() }
    }
}

impl Default for RefractoryPeriod {
    fn default() -> Self {
        Self::new(2.0)
    }
}

/// For how many more steps each neuron rests.
#[derive(Component, Clone, Debug, Default, PartialEq, Eq)]
pub struct RefractorySteps(pub Vec<u32>);

/// For every population with a refractory period, hold the neurons that fired lately.
fn hold_refractory(
    clock: Res<Clock>,
    mut problems: ResMut<Problems>,
    mut populations: Query<(
        &Name,
        &RefractoryPeriod,
        &Spikes,
        &Membrane,
        &mut RefractorySteps,
        &mut MembranePotential,
    )>,
) {
    for (name, period, spikes, membrane, mut steps, mut v) in &mut populations {
        let n = steps.0.len();
        if period.duration.count().is_some_and(|given| given != n) {
            // It was changed between steps.
            let (behaviour, duration) = ("RefractoryPeriod", &period.duration);
            problems.check(check_parameter(name, behaviour, "duration", duration, n, Range::NotNegative));
            continue;
        }
        // These spikes are those of the step before: this step's come later.
        for &j in spikes.0.events() {
            let duration = f64::from(period.duration.get(j as usize)) / clock.dt;
            steps.0[j as usize] = duration.round() as u32;
        }
        for (block, (v, left)) in v.0.chunks_mut(BLOCK).zip(steps.0.chunks_mut(BLOCK)).enumerate() {
            let v_reset = membrane.v_reset.block(block * BLOCK, v.len());
            hold(v, left, v_reset);
        }
    }
}

type Fresh<'w> = (&'w Name, &'w Population, &'w Unbuilt, &'w RefractoryPeriod, &'w mut RefractorySteps);

fn prepare_refractory(mut problems: ResMut<Problems>, mut populations: Query<Fresh>) {
    for (name, population, unbuilt, period, mut steps) in &mut populations {
        let n = population.size();
        let (behaviour, duration) = ("RefractoryPeriod", &period.duration);
        problems.check(check_parameter(name, behaviour, "duration", duration, n, Range::NotNegative));
        if unbuilt.makes_state(steps.0.is_empty()) {
            steps.0 = vec![0; n];
        }
    }
}

pub(crate) fn install(world: &mut World) {
    registry::behaviour::<RefractoryPeriod>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::Refractory)
        .needs(&[NEURONS])
        .state::<RefractorySteps>()
        .saved();
    build_late::<RefractorySteps>(world);
    add_systems(world, StepSystems::Refractory, hold_refractory);
    add_build_systems(world, BuildSystems::Allocate, prepare_refractory);
}
