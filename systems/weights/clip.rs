//! Stage `WeightClip`: weights are held within their range.

use super::{Frozen, Held};
use crate::Real;
use crate::error::{Error, Problems};
use crate::group::Unbuilt;
use crate::kernels::decay::{any_outside, clamp};
use crate::learning::SummedSynapses;
use crate::synaptic_input::Synapses;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Holds every weight within `w_min ..= w_max`, last of all that happens to it in a step.
///
/// Unlike CoNeX it takes a negative `w_min`, so that signed weights can be clipped too.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[require(Clipped)]
pub struct WeightClip {
    /// The least weight. Default 0.
    pub w_min: Real,
    /// The largest weight, above `w_min`. Default 1.
    pub w_max: Real,
}

impl WeightClip {
    /// Holds weights within `w_min ..= w_max`.
    pub fn new(w_min: Real, w_max: Real) -> Self {
        WeightClip { w_min, w_max }
    }
}

impl Default for WeightClip {
    fn default() -> Self {
        WeightClip { w_min: 0.0, w_max: 1.0 }
    }
}

/// Which range the weights were last found to be within, and as of which change.
#[derive(Component, Clone, Debug, Default)]
pub struct Clipped(Option<(u64, WeightClip)>);

/// For every projection with a range whose weights have changed, bring those outside back to its edge. What rules hold
/// within the range as they change it needs no look.
pub(super) fn clip_weights<S: Synapses>(
    mut projections: Query<(&WeightClip, &mut Clipped, &mut S), Without<Frozen>>,
) {
    for (clip, mut done, mut synapses) in &mut projections {
        if done.0 == Some((synapses.weights().free_changes(), *clip)) {
            continue;
        }
        let range = Held { min: clip.w_min, max: clip.w_max };
        let (version, absent) = (synapses.weights().version(), synapses.absent());
        if SummedSynapses::clip(synapses.bypass_change_detection().weights_mut(), range, absent) {
            if synapses.weights().version() != version {
                synapses.set_changed();
            }
            done.0 = Some((synapses.weights().free_changes(), *clip));
            continue;
        }
        // Weights within the range are not touched: whoever watches for changes has nothing to do then.
        if any_outside(synapses.weights().values(), clip.w_min, clip.w_max) {
            clamp(synapses.weights_mut().values_mut(), clip.w_min, clip.w_max);
            synapses.keep_absent();
        }
        done.0 = Some((synapses.weights().free_changes(), *clip));
    }
}

pub(super) fn check_clips(
    mut problems: ResMut<Problems>,
    projections: Query<(&Name, &WeightClip), With<Unbuilt>>,
) {
    for (name, clip) in &projections {
        let sound = clip.w_min.is_finite() && clip.w_max.is_finite() && clip.w_min < clip.w_max;
        if !sound {
            problems.push(Error::ParameterRange {
                group: name.into(),
                behaviour: "WeightClip".into(),
                parameter: "w_max".into(),
                value: f64::from(clip.w_max),
                requirement: format!("a finite number above w_min, which is {}", clip.w_min),
            });
        }
    }
}
