//! Weights and delays: how they start, and stages `WeightNormalization` and `WeightClip`, which hold them in shape.

mod distribution;
mod fan_in;
mod initializer;
mod delay;
mod synaptic_delay;
mod normalization;
mod clip;
mod values;

pub use clip::WeightClip;
pub use delay::{DelayInitializer, Delays, DestinationDelays, SourceDelays};
pub use distribution::{Distribution, Limits};
pub use fan_in::FanIn;
pub use initializer::{Given, WeightInitializer};
pub use normalization::WeightNormalization;
pub use synaptic_delay::SynapticDelays;
pub(crate) use synaptic_delay::steps;
pub(crate) use values::Pending;
pub use values::{Held, Weights};

use crate::delivery::Static;
use crate::error::{Error, Problems};
use crate::group::Unbuilt;
use crate::random::Seed;
use crate::registry::{self, GroupKind, Need, Place};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_family_system};
use crate::synaptic_input::{FreshSynapses, SYNAPSES, Synapses};
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Holds a projection's weights still: learning, normalization and clipping leave it alone.
#[derive(Component, Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Frozen;

/// No projection has synapses of two kinds.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum WeightSystems {
    Normalize,
    Clip,
}

type JustLaidOut = (With<Unbuilt>, With<FreshSynapses>);

/// For every new projection, draw the weights of the synapses that were laid out, and check them. What is
/// wrong with the initializer was said when they were laid out.
pub(crate) fn initialize<S: Synapses>(
    seed: Res<Seed>,
    workers: Res<Workers>,
    mut problems: ResMut<Problems>,
    mut projections: Query<(&Name, &WeightInitializer, &mut S), JustLaidOut>,
) {
    for (name, initializer, mut synapses) in &mut projections {
        if initializer.check(name).is_err() {
            continue;
        }
        let values = synapses.weights_mut().values_mut();
        let filled = initializer.fill(name, *seed, S::STRUCTURAL_DENSITY, values, &workers);
        if problems.check(filled).is_none() {
            continue;
        }
        synapses.keep_absent();
        let values = synapses.weights().values();
        if let Some(index) = values.iter().position(|w| !w.is_finite()) {
            let (projection, value) = (name.to_string(), f64::from(values[index]));
            problems.push(Error::WeightNotFinite { projection, index, value });
        }
    }
}

type Versions<'w> = (Option<&'w mut normalization::Normalized>, Option<&'w mut clip::Clipped>);

/// Synapses that were laid out in place of others are neither normalized nor clipped yet.
pub(crate) fn forget_versions(mut projections: Query<Versions, With<FreshSynapses>>) {
    for (normalized, clipped) in &mut projections {
        if let Some(mut normalized) = normalized {
            *normalized = Default::default();
        }
        if let Some(mut clipped) = clipped {
            *clipped = Default::default();
        }
    }
}

/// Normalization and clipping for the synapses `S`.
pub(crate) fn register<S: Synapses>(world: &mut World) {
    let normalize = normalization::normalize_weights::<S>;
    add_family_system(world, StepSystems::WeightNormalization, WeightSystems::Normalize, normalize);
    add_family_system(world, StepSystems::WeightClip, WeightSystems::Clip, clip::clip_weights::<S>);
}

pub(crate) fn install(world: &mut World) {
    registry::behaviour::<WeightInitializer>(world).on(GroupKind::Projection).needs(&[SYNAPSES]).saved();
    registry::behaviour::<SynapticDelays>(world)
        .on(GroupKind::Projection)
        .needs(&[Need::of::<Static>(Place::Own, "static synapses", "Static::default()")])
        .saved();
    delay::install(world);
    registry::behaviour::<WeightNormalization>(world)
        .on(GroupKind::Projection)
        .stage(StepSystems::WeightNormalization)
        .needs(&[SYNAPSES])
        .saved();
    registry::behaviour::<WeightClip>(world)
        .on(GroupKind::Projection)
        .stage(StepSystems::WeightClip)
        .needs(&[SYNAPSES])
        .saved();
    registry::behaviour::<Frozen>(world).on(GroupKind::Projection).saved();
    add_build_systems(world, BuildSystems::Validate, (clip::check_clips, normalization::check_norms));
}
