//! Stage `Noise`: neurons are restless.

use crate::Real;
use crate::dynamics::MembranePotential;
use crate::error::{Error, Problems};
use crate::fire::NEURONS;
use crate::group::Unbuilt;
use crate::kernels::CHUNK;
use crate::kernels::decay::{add_scaled, shift};
use crate::kernels::draws::{Draws, add_uniform, exponentials, normal};
use crate::parameter::BLOCK;
use crate::random::Seed;
use crate::registry::{self, GroupKind};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use crate::time::{Clock, TimeScaling};
use crate::weights::Distribution;
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Adds `scale·draw + offset` to the membrane potential of each neuron at each step.
///
/// CoNeX does not scale it with dt; with [`TimeScaling::Consistent`] its mean grows with dt and its fluctuation with the
/// square root of dt.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct InherentNoise {
    /// What the draws follow. Default uniform within \[0, 1).
    pub distribution: Distribution,
    /// Multiplies each draw \[unit of v\]. Default 1.
    pub scale: Real,
    /// Is added to each \[unit of v\]. Default 0.
    pub offset: Real,
}

impl Default for InherentNoise {
    fn default() -> Self {
        InherentNoise { distribution: Distribution::Uniform, scale: 1.0, offset: 0.0 }
    }
}

impl InherentNoise {
    /// Uniform noise within \[low, high).
    pub fn uniform(low: Real, high: Real) -> Self {
        InherentNoise { distribution: Distribution::Uniform, scale: high - low, offset: low }
    }

    /// Normal noise.
    pub fn normal(mean: Real, std: Real) -> Self {
        InherentNoise { distribution: Distribution::Normal { mean, std }, scale: 1.0, offset: 0.0 }
    }
}

/// For every population with a voltage and noise, add a draw to each neuron.
///
/// Each chunk of neurons draws from a stream of its own for each step: nothing has to be kept from step to step.
fn add_noise(
    clock: Res<Clock>,
    seed: Res<Seed>,
    workers: Res<Workers>,
    mut populations: Query<(&Name, &InherentNoise, &mut MembranePotential)>,
) {
    for (name, noise, mut v) in &mut populations {
        let (scale, offset) = scaled(noise, &clock);
        let chunks = (v.0.len().div_ceil(CHUNK)) as u64;
        workers.each(v.0.len(), v.0.chunks_mut(CHUNK).enumerate(), |(k, v)| {
            let part = clock.iteration * chunks + k as u64;
            let mut draws = Draws::new(&mut seed.stream("noise", name, part));
            for v in v.chunks_mut(BLOCK) {
                add_draws(v, &mut draws, noise.distribution, scale, offset);
            }
        });
    }
}

/// Adds `scale·draw + offset` to each value of a block.
fn add_draws(v: &mut [Real], draws: &mut Draws, distribution: Distribution, scale: Real, offset: Real) {
    let mut numbers = [0.0; BLOCK];
    let numbers = &mut numbers[..v.len()];
    match distribution {
        Distribution::Constant(x) => shift(v, scale * x + offset),
        Distribution::Uniform => add_uniform(v, draws, scale, offset),
        Distribution::Between { low, high } => {
            add_uniform(v, draws, scale * (high - low), scale * low + offset)
        }
        Distribution::Normal { mean, std } => {
            normal(numbers, draws);
            add_scaled(v, scale * std, numbers);
            shift(v, scale * mean + offset);
        }
        Distribution::LogNormal { mu, sigma } => {
            normal(numbers, draws);
            exponentials(numbers, sigma, mu);
            add_scaled(v, scale, numbers);
            shift(v, offset);
        }
    }
}

/// Scale and offset of the draws at this time resolution.
fn scaled(noise: &InherentNoise, clock: &Clock) -> (Real, Real) {
    if clock.scaling == TimeScaling::Upstream {
        return (noise.scale, noise.offset);
    }
    let mean = noise.distribution.mean();
    let (dt, root) = (clock.dt as Real, clock.dt.sqrt() as Real);
    (noise.scale * root, (noise.scale * mean + noise.offset) * dt - noise.scale * root * mean)
}

fn check_noise(mut problems: ResMut<Problems>, populations: Query<(&Name, &InherentNoise), With<Unbuilt>>) {
    for (name, noise) in &populations {
        if let Some((parameter, value, requirement)) = noise.fault() {
            let (behaviour, group) = ("InherentNoise".to_string(), name.to_string());
            let (parameter, requirement) = (parameter.to_string(), requirement.to_string());
            let value = f64::from(value);
            problems.push(Error::ParameterRange { group, behaviour, parameter, value, requirement });
        }
    }
}

impl InherentNoise {
    fn fault(&self) -> Option<(&'static str, Real, &'static str)> {
        let own = [("scale", self.scale), ("offset", self.offset)];
        let infinite = own.into_iter().find(|(_, x)| !x.is_finite());
        infinite.map(|(name, x)| (name, x, "a finite number")).or_else(|| self.distribution.fault())
    }
}

pub(crate) fn install(world: &mut World) {
    registry::behaviour::<InherentNoise>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::Noise)
        .needs(&[NEURONS])
        .saved();
    add_systems(world, StepSystems::Noise, add_noise);
    add_build_systems(world, BuildSystems::Validate, check_noise);
}
