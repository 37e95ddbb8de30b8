//! Stage `Refractory`: after a spike, a neuron rests.

use crate::Real;
use crate::checks::{Parameters, Range, keep_checked};
use crate::delivery::{Fused, UNIT};
use crate::dynamics::{Membrane, MembranePotential, take_front};
use crate::fire::{NEURONS, Spikes};
use crate::group::{Population, Unbuilt, build_late};
use crate::parameter::Param;
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

impl Parameters for RefractoryPeriod {
    fn parameters(&self) -> Vec<(String, &Param, Range)> {
        vec![("duration".into(), &self.duration, Range::NotNegative)]
    }
}

/// For how many more steps each neuron rests, and which neurons do.
#[derive(Component, Clone, Debug, Default, PartialEq, Eq)]
pub struct RefractorySteps {
    /// Steps left, one number a neuron.
    pub left: Vec<u32>,
    /// The neurons that rest, by units of neighbours.
    resting: Vec<Vec<u32>>,
}

impl RefractorySteps {
    /// Nobody rests, of `n` neurons.
    fn new(n: usize) -> Self {
        RefractorySteps { left: vec![0; n], resting: vec![Vec::new(); n.div_ceil(UNIT)] }
    }

    /// All units.
    pub(crate) fn units(&mut self) -> RestingUnits<'_> {
        RestingUnits { first: 0, left: &mut self.left, resting: &mut self.resting }
    }
}

/// Neighbouring units, some of whose neurons rest.
pub(crate) struct RestingUnits<'a> {
    first: usize,
    left: &'a mut [u32],
    resting: &'a mut [Vec<u32>],
}

impl<'a> RestingUnits<'a> {
    /// Takes the first `n` neurons, whole units.
    pub(crate) fn take_front(&mut self, n: usize) -> RestingUnits<'a> {
        let first = self.first;
        self.first += n;
        let left = take_front(&mut self.left, n);
        RestingUnits { first, left, resting: take_front(&mut self.resting, n.div_ceil(UNIT)) }
    }

    /// Lets those neurons of unit `k` begin to rest that `fired` at the last step, and holds those that rest for a step:
    /// `hold` is called with the place of each within the unit and its potential.
    pub(crate) fn hold(
        &mut self,
        k: usize,
        period: &RefractoryPeriod,
        fired: &[u32],
        membrane: &Membrane,
        dt: f64,
        mut hold: impl FnMut(usize, Real),
    ) {
        let first = self.first + k * UNIT;
        let end = self.left.len().min((k + 1) * UNIT);
        let (left, resting) = (&mut self.left[k * UNIT..end], &mut self.resting[k]);
        for &j in fired {
            let steps = (f64::from(period.duration.get(j as usize)) / dt).round() as u32;
            let left = &mut left[j as usize - first];
            if *left == 0 && steps > 0 {
                resting.push(j);
            }
            *left = steps;
        }
        resting.retain(|&j| {
            let at = j as usize - first;
            if left[at] > 0 {
                hold(at, membrane.v_reset.get(j as usize));
                left[at] -= 1;
            }
            left[at] > 0
        });
    }
}

type Resting<'w> =
    (&'w RefractoryPeriod, &'w Spikes, &'w Membrane, &'w mut RefractorySteps, &'w mut MembranePotential);

/// For every population with a refractory period that is not advanced in units, hold the neurons that fired lately.
fn hold_refractory(clock: Res<Clock>, mut populations: Query<Resting, Without<Fused>>) {
    for (period, spikes, membrane, mut steps, mut v) in &mut populations {
        if period.duration.count().is_some_and(|given| given != steps.left.len()) {
            // It was changed for the worse: the step ends with its error.
            continue;
        }
        // These spikes are those of the step before: this step's come later.
        let mut units = steps.units();
        for (k, v) in v.0.chunks_mut(UNIT).enumerate() {
            let fired = spikes.0.within(k * UNIT..k * UNIT + v.len());
            units.hold(k, period, fired, membrane, clock.dt, |at, v_reset| v[at] = v_reset);
        }
    }
}

fn prepare_refractory(mut populations: Query<(&Population, &Unbuilt, &mut RefractorySteps)>) {
    for (population, unbuilt, mut steps) in &mut populations {
        if unbuilt.makes_state(steps.left.is_empty()) {
            *steps = RefractorySteps::new(population.size());
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
    keep_checked::<RefractoryPeriod>(world);
    add_systems(world, StepSystems::Refractory, hold_refractory);
    add_build_systems(world, BuildSystems::Allocate, prepare_refractory);
}
