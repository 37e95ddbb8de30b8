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

/// Which neurons rest, and for how many more steps: a list for each unit of neighbours.
#[derive(Component, Clone, Debug, Default, PartialEq, Eq)]
pub struct RefractorySteps(Vec<Vec<Rest>>);

/// A neuron that rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rest {
    neuron: u32,
    /// Steps left.
    left: u32,
}

impl RefractorySteps {
    /// Nobody rests, of `n` neurons.
    fn new(n: usize) -> Self {
        RefractorySteps(vec![Vec::new(); n.div_ceil(UNIT)])
    }

    /// For how many more steps `neuron` rests.
    pub fn left(&self, neuron: u32) -> u32 {
        let unit = self.0.get(neuron as usize / UNIT).into_iter().flatten();
        unit.filter(|rest| rest.neuron == neuron).map(|rest| rest.left).sum()
    }

    /// All units.
    pub(crate) fn units(&mut self) -> RestingUnits<'_> {
        RestingUnits { first: 0, resting: &mut self.0 }
    }
}

/// Neighbouring units, some of whose neurons rest.
pub(crate) struct RestingUnits<'a> {
    first: usize,
    resting: &'a mut [Vec<Rest>],
}

impl<'a> RestingUnits<'a> {
    /// Takes the first `n` units.
    pub(crate) fn take_front(&mut self, n: usize) -> RestingUnits<'a> {
        let first = self.first;
        self.first += n * UNIT;
        RestingUnits { first, resting: take_front(&mut self.resting, n) }
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
        let resting = &mut self.resting[k];
        let before = resting.len();
        for &neuron in fired {
            let left = (f64::from(period.duration.get(neuron as usize)) / dt).round() as u32;
            // Who is reset to its threshold or beyond fires while it rests.
            match resting[..before].iter_mut().find(|rest| rest.neuron == neuron) {
                Some(rest) => rest.left = left,
                None => resting.push(Rest { neuron, left }),
            }
        }
        let mut some_are_over = false;
        for Rest { neuron, left } in &mut *resting {
            if *left > 0 {
                hold(*neuron as usize - first, membrane.v_reset.get(*neuron as usize));
                *left -= 1;
            }
            some_are_over |= *left == 0;
        }
        if some_are_over {
            resting.retain(|rest| rest.left > 0);
        }
    }
}

type Resting<'w> =
    (&'w RefractoryPeriod, &'w Spikes, &'w Membrane, &'w mut RefractorySteps, &'w mut MembranePotential);

/// For every population with a refractory period that is not advanced in units, hold the neurons that fired lately.
fn hold_refractory(clock: Res<Clock>, mut populations: Query<Resting, Without<Fused>>) {
    for (period, spikes, membrane, mut steps, mut v) in &mut populations {
        if period.duration.count().is_some_and(|given| given != v.0.len()) {
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
        if unbuilt.makes_state(steps.0.is_empty()) {
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
