//! Adaptation for any neuron model.

use super::{InputCurrent, Membrane, MembranePotential};
use crate::Real;
use crate::checks::{Parameters, Range, keep_checked};
use crate::error::Problems;
use crate::fire::{FireSystems, NEURONS, Spikes};
use crate::group::{Population, Unbuilt, build_late};
use crate::kernels::CHUNK;
use crate::kernels::decay::add;
use crate::kernels::integrate::relax_adaptation;
use crate::parameter::{BLOCK, Param};
use crate::record::state_variable;
use crate::registry::{self, GroupKind};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use crate::time::{Clock, TimeScaling};
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;
use serde::{Deserialize, Serialize};

/// Currents that hold a neuron back the more it fires and the further it is depolarized: any number of adaptation
/// variables, on any neuron model.
///
/// **Equation.** The model integrates `I − Σ omega_k` in place of `I`, and each variable follows `w_tau·domega/dt =
/// alpha·(v − v_rest) − omega`, with a jump at each spike. `I` itself, the [`InputCurrent`], stays as it is.
///
/// **Parameters.** Three of each variable ([`AdaptationVariable`]); each is one number, or one per neuron. They may be
/// changed between steps, and variables may come and go. `v_rest` is the model's.
///
/// **Scheme.** As [`Aelif`](super::aelif::Aelif): after spikes and reset, `omega ← omega + (alpha·(v − v_rest) −
/// omega)·dt/w_tau` with the potential after the reset, and `beta·dt` more at a spike; with
/// [`TimeScaling::Consistent`] the jump is `beta`.
///
/// **Reference.** R. Brette & W. Gerstner (2005), doi 10.1152/jn.00686.2005; with several variables of different time
/// constants S. Mensi et al. (2012), doi 10.1152/jn.00408.2011.
///
/// **CoNeX.** Has it in `AELIF` only, with one variable. [`Elif`](super::elif::Elif) with one variable here is
/// [`Aelif`](super::aelif::Aelif), up to rounding.
///
/// The sum is recorded as `adaptation`, the first four variables also as `adaptation_0` to `adaptation_3`.
#[doc(alias = "AELIF")]
#[doc(alias = "spike-frequency adaptation")]
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(AdaptationCurrents)]
pub struct Adaptation {
    /// The variables, whose currents add up. Default: one, as that of [`Aelif`](super::aelif::Aelif).
    pub variables: Vec<AdaptationVariable>,
}

/// One adaptation current.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdaptationVariable {
    /// Subthreshold adaptation \[unit of current per unit of v\]. Default 0.1.
    pub alpha: Param,
    /// Spike-triggered adaptation \[unit of current per ms\]. Default 0.5.
    pub beta: Param,
    /// Time constant \[ms\]. Default 100.
    pub w_tau: Param,
    /// Initial adaptation \[unit of current\]. Default 0.
    pub omega: Param,
}

impl Default for AdaptationVariable {
    fn default() -> Self {
        AdaptationVariable { alpha: 0.1.into(), beta: 0.5.into(), w_tau: 100.0.into(), omega: 0.0.into() }
    }
}

impl Default for Adaptation {
    fn default() -> Self {
        Adaptation { variables: vec![AdaptationVariable::default()] }
    }
}

impl Adaptation {
    /// One variable with `alpha` \[current per unit of v\], `beta` \[current per ms\] and `w_tau` \[ms\].
    pub fn new(alpha: impl Into<Param>, beta: impl Into<Param>, w_tau: impl Into<Param>) -> Self {
        Adaptation { variables: Vec::new() }.and(alpha, beta, w_tau)
    }

    /// A further variable.
    #[must_use]
    pub fn and(mut self, alpha: impl Into<Param>, beta: impl Into<Param>, w_tau: impl Into<Param>) -> Self {
        let (alpha, beta, w_tau, omega) = (alpha.into(), beta.into(), w_tau.into(), 0.0.into());
        self.variables.push(AdaptationVariable { alpha, beta, w_tau, omega });
        self
    }
}

impl Parameters for Adaptation {
    fn parameters(&self) -> Vec<(String, &Param, Range)> {
        let mut all = Vec::new();
        for (k, AdaptationVariable { alpha, beta, w_tau, omega }) in self.variables.iter().enumerate() {
            all.push((format!("variables[{k}].alpha"), alpha, Range::Any));
            all.push((format!("variables[{k}].beta"), beta, Range::Any));
            all.push((format!("variables[{k}].w_tau"), w_tau, Range::Positive));
            all.push((format!("variables[{k}].omega"), omega, Range::Any));
        }
        all
    }
}

/// The adaptation currents of each neuron.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AdaptationCurrents {
    omegas: Vec<Vec<Real>>,
    sum: Vec<Real>,
}

impl AdaptationCurrents {
    /// What is taken off the input current of each neuron.
    pub fn sum(&self) -> &[Real] {
        &self.sum
    }

    /// The current of variable `k` of each neuron.
    pub fn variable(&self, k: usize) -> Option<&[Real]> {
        self.omegas.get(k).map(|omega| &omega[..])
    }

    /// Drops variables that are gone and starts those that are new.
    fn fit(&mut self, adaptation: &Adaptation, n: usize) {
        self.omegas.truncate(adaptation.variables.len());
        let new = adaptation.variables.iter().skip(self.omegas.len());
        self.omegas.extend(new.map(|one| one.omega.to_vec(n)));
        self.sum.resize(n, 0.0);
    }

    fn add_up(&mut self, workers: &Workers) {
        let (omegas, n) = (&self.omegas, self.sum.len());
        workers.each(n * omegas.len(), self.sum.chunks_mut(CHUNK).enumerate(), |(k, sum)| {
            let (start, len) = (k * CHUNK, sum.len());
            sum.fill(0.0);
            omegas.iter().for_each(|omega| add(sum, &omega[start..start + len]));
        });
    }
}

type Adapting<'w> =
    (&'w Adaptation, &'w Spikes, &'w MembranePotential, &'w Membrane, &'w mut AdaptationCurrents);

/// For every population that adapts, let each variable follow the potential and the spikes.
fn adapt(
    clock: Res<Clock>,
    problems: Res<Problems>,
    workers: Res<Workers>,
    mut populations: Query<Adapting>,
) {
    if !problems.is_empty() {
        return;
    }
    let dt = clock.dt as Real;
    let jump_dt = if clock.scaling == TimeScaling::Upstream { dt } else { 1.0 };
    for (adaptation, spikes, v, membrane, mut currents) in &mut populations {
        let n = v.0.len();
        currents.fit(adaptation, n);
        for (one, omega) in adaptation.variables.iter().zip(&mut currents.omegas) {
            workers.each(n * 2, omega.chunks_mut(CHUNK).enumerate(), |(k, omega)| {
                for (block, omega) in omega.chunks_mut(BLOCK).enumerate() {
                    let (start, len) = (k * CHUNK + block * BLOCK, omega.len());
                    let (v, v_rest) = (&v.0[start..start + len], membrane.v_rest.block(start, len));
                    let (alpha, w_tau) = (one.alpha.block(start, len), one.w_tau.block(start, len));
                    relax_adaptation(omega, v, v_rest, alpha, w_tau, dt);
                }
            });
            for &j in spikes.0.events() {
                omega[j as usize] += one.beta.get(j as usize) * jump_dt;
            }
        }
        currents.add_up(&workers);
    }
}

type Fresh<'w> = (&'w Population, &'w Unbuilt, &'w Adaptation, &'w mut AdaptationCurrents);

fn prepare(
    problems: Res<Problems>,
    workers: Res<Workers>,
    mut populations: Query<Fresh, With<InputCurrent>>,
) {
    if !problems.is_empty() {
        // The lengths may not fit; the build ends with an error and comes back here.
        return;
    }
    for (population, unbuilt, adaptation, mut currents) in &mut populations {
        if unbuilt.makes_state(currents.sum.is_empty()) {
            *currents = AdaptationCurrents::default();
            currents.fit(adaptation, population.size());
            currents.add_up(&workers);
        }
    }
}

fn read(
    group: EntityRef<'_>,
    out: &mut Vec<Real>,
    of: impl Fn(&AdaptationCurrents) -> Option<&[Real]>,
) -> bool {
    let values = group.get::<AdaptationCurrents>().and_then(of);
    values.map(|values| out.extend_from_slice(values)).is_some()
}

pub(super) fn install(world: &mut World) {
    registry::behaviour::<Adaptation>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::Fire)
        .needs(&[NEURONS])
        .state::<AdaptationCurrents>()
        .saved();
    build_late::<AdaptationCurrents>(world);
    keep_checked::<Adaptation>(world);
    add_systems(world, StepSystems::Fire, adapt.after(FireSystems::Adapt));
    add_build_systems(world, BuildSystems::Derive, prepare);
    state_variable(world, "adaptation", |g, out| read(g, out, |c| Some(c.sum())));
    state_variable(world, "adaptation_0", |g, out| read(g, out, |c| c.variable(0)));
    state_variable(world, "adaptation_1", |g, out| read(g, out, |c| c.variable(1)));
    state_variable(world, "adaptation_2", |g, out| read(g, out, |c| c.variable(2)));
    state_variable(world, "adaptation_3", |g, out| read(g, out, |c| c.variable(3)));
}
