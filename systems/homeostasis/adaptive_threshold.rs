//! Thresholds rise with each spike and sink again slowly.

use super::activity::move_thresholds;
use crate::Real;
use crate::checks::{Parameters, Range, keep_checked};
use crate::dynamics::Threshold;
use crate::error::Problems;
use crate::fire::{NEURONS, Spikes};
use crate::group::{Population, Unbuilt, build_late};
use crate::parameter::Param;
use crate::record::state_variable;
use crate::registry::{self, GroupKind};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use crate::setters;
use crate::time::Clock;
use bevy_ecs::lifecycle::HookContext;
use bevy_ecs::prelude::*;
use bevy_ecs::world::DeferredWorld;
use serde::{Deserialize, Serialize};

/// Each spike of a neuron raises its threshold, so that no neuron fires for all the others.
///
/// **Equation.** `threshold = base + theta` with `tau·dtheta/dt = −theta`, and `theta ← theta + step` at a spike.
///
/// **Parameters.** Each is one number, or one per neuron. The defaults are those of the reference, for which a neuron
/// rises by 0.05 mV a spike and forgets it in 10,000 s. They may be changed between steps.
///
/// **Scheme.** Forward Euler in double precision, after this step's spikes: `theta ← theta − theta·dt/tau`, then `step`
/// more at a spike. `base` and `theta` are kept apart: in single precision a threshold of −50 mV would not see a decay of
/// a ten-millionth.
///
/// **Reference.** P. U. Diehl & M. Cook (2015), doi 10.3389/fncom.2015.00099.
///
/// **CoNeX.** Has none; see [`ActivityBaseHomeostasis`](super::ActivityBaseHomeostasis), beside which it works.
///
/// Whatever else moves the [`Threshold`], be it activity homeostasis, a system of yours or the program between steps, moves
/// `base` by as much. Switched off, it leaves the thresholds where they are, as one wants to test what was learned; taken
/// off for good, it gives back `base`. `theta` is something learned: starting again keeps it.
#[doc(alias = "theta")]
#[doc(alias = "DiehlAndCookNodes")]
#[doc(alias = "adaptive threshold")]
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(Theta)]
pub struct AdaptiveThreshold {
    /// What a spike adds to the threshold \[unit of v\]. Default 0.05.
    pub step: Param,
    /// Time constant of the decay \[ms\]. Default 1e7.
    pub tau: Param,
    /// Initial `theta` \[unit of v\]. Default 0. (The reference starts at 20 mV.)
    pub init_theta: Param,
}

setters!(AdaptiveThreshold { step: Param, tau: Param, init_theta: Param });

impl Default for AdaptiveThreshold {
    fn default() -> Self {
        Self::new(0.05, 1e7)
    }
}

impl AdaptiveThreshold {
    /// Rises by `step` \[unit of v\] at a spike and decays with `tau` \[ms\].
    pub fn new(step: impl Into<Param>, tau: impl Into<Param>) -> Self {
        AdaptiveThreshold { step: step.into(), tau: tau.into(), init_theta: 0.0.into() }
    }
}

impl Parameters for AdaptiveThreshold {
    fn parameters(&self) -> Vec<(String, &Param, Range)> {
        let AdaptiveThreshold { step, tau, init_theta } = self;
        vec![
            ("step".into(), step, Range::Any),
            ("tau".into(), tau, Range::Positive),
            ("init_theta".into(), init_theta, Range::Any),
        ]
    }
}

/// The two parts of each threshold, in double precision whatever the engine's float is.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[component(on_remove = give_back)]
pub struct Theta {
    /// What spikes have added and time has not yet taken away.
    pub theta: Vec<f64>,
    /// The threshold without it.
    pub base: Vec<f64>,
    /// The thresholds as they were last written here.
    shown: Vec<Real>,
}

impl Theta {
    /// What somebody did to the thresholds since they were written, was done to `base`.
    fn follow(&mut self, threshold: &Param) {
        for (j, (base, shown)) in self.base.iter_mut().zip(&self.shown).enumerate() {
            let now = threshold.get(j);
            if now == *shown {
                continue;
            }
            let moved = f64::from(now) - f64::from(*shown);
            // A nudge moves the unrounded base; a threshold that is new altogether replaces it.
            let nudged = 2.0 * moved.abs() < f64::from(shown.abs());
            *base = if nudged { *base + moved } else { f64::from(now) - self.theta[j] };
        }
    }

    fn show(&mut self, threshold: &mut Threshold) {
        let n = self.base.len();
        self.shown.resize(n, 0.0);
        let thresholds = threshold.0.per_neuron_mut(n);
        for (j, (threshold, shown)) in thresholds.iter_mut().zip(&mut self.shown).enumerate() {
            *shown = (self.base[j] + self.theta[j]) as Real;
            *threshold = *shown;
        }
    }
}

/// For every population with thresholds that tire, let theta decay and rise.
fn raise_thresholds(
    clock: Res<Clock>,
    problems: Res<Problems>,
    mut populations: Query<(&AdaptiveThreshold, &Spikes, &mut Theta, &mut Threshold)>,
) {
    if !problems.is_empty() {
        // Something was changed for the worse; the step ends with its error.
        return;
    }
    for (adaptive, spikes, mut theta, mut threshold) in &mut populations {
        theta.follow(&threshold.0);
        match adaptive.tau.count() {
            None => {
                let rate = clock.dt / f64::from(adaptive.tau.get(0));
                theta.theta.iter_mut().for_each(|theta| *theta -= *theta * rate);
            }
            Some(_) => {
                for (theta, &tau) in theta.theta.iter_mut().zip(adaptive.tau.values()) {
                    *theta -= *theta * clock.dt / f64::from(tau);
                }
            }
        }
        for &j in spikes.0.events() {
            theta.theta[j as usize] += f64::from(adaptive.step.get(j as usize));
        }
        theta.show(&mut threshold);
    }
}

/// Without theta, a threshold is its base.
fn give_back(mut world: DeferredWorld, context: HookContext) {
    let theta = world.get_mut::<Theta>(context.entity).map(|mut theta| std::mem::take(&mut *theta));
    if let (Some(mut theta), Some(mut threshold)) = (theta, world.get_mut::<Threshold>(context.entity))
        && !theta.base.is_empty()
        && threshold.0.count().is_none_or(|given| given == theta.base.len())
    {
        theta.follow(&threshold.0);
        theta.theta.fill(0.0);
        theta.show(&mut threshold);
    }
}

type Fresh<'w> = (&'w Population, &'w Unbuilt, &'w AdaptiveThreshold, &'w mut Theta, &'w mut Threshold);

/// The thresholds of the neuron model are there by now: the stage before sets them.
fn prepare(problems: Res<Problems>, mut populations: Query<Fresh>) {
    if !problems.is_empty() {
        // The lengths may not fit; the build ends with an error and comes back here.
        return;
    }
    for (population, unbuilt, adaptive, mut theta, mut threshold) in &mut populations {
        if unbuilt.makes_learned(theta.base.is_empty()) {
            let n = population.size();
            let wide = |values: Vec<Real>| values.into_iter().map(f64::from).collect();
            theta.base = wide(threshold.0.to_vec(n));
            theta.theta = wide(adaptive.init_theta.to_vec(n));
            theta.show(&mut threshold);
        }
    }
}

pub(super) fn install(world: &mut World) {
    registry::behaviour::<AdaptiveThreshold>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::ActivityHomeostasis)
        .needs(&[NEURONS])
        .state::<Theta>()
        .saved();
    build_late::<Theta>(world);
    keep_checked::<AdaptiveThreshold>(world);
    add_systems(world, StepSystems::ActivityHomeostasis, raise_thresholds.after(move_thresholds));
    add_build_systems(world, BuildSystems::Derive, prepare);
    state_variable(world, "theta", |group, out| {
        let theta = group.get::<Theta>();
        theta.map(|theta| out.extend(theta.theta.iter().map(|&x| x as Real))).is_some()
    });
}
