//! Stage `Record`, last of all: is every membrane potential still a number?

use crate::delivery::Fused;
use crate::dynamics::MembranePotential;
use crate::error::{Error, Problems};
use crate::kernels::decay::all_finite;
use crate::receptors::Receptors;
use crate::time::Clock;
use bevy_ecs::prelude::*;

/// For every population with a voltage, report the first neuron whose voltage is not finite.
///
/// An infinite voltage that fired was reset, so whatever is left here would spread.
pub(crate) fn check_finite(
    clock: Res<Clock>,
    mut problems: ResMut<Problems>,
    populations: Query<(&Name, &MembranePotential, Has<Fused>, Option<&Receptors>)>,
) {
    for (name, v, fused, receptors) in &populations {
        // Who advances in units looks at each while it is at hand.
        let seen_sound = fused && receptors.is_some_and(|receptors| receptors.sound);
        if seen_sound || all_finite(&v.0) {
            continue;
        }
        if let Some(index) = v.0.iter().position(|v| !v.is_finite()) {
            problems.push(Error::NotFinite {
                population: name.into(),
                variable: "v",
                index,
                value: f64::from(v.0[index]),
                step: clock.iteration,
            });
        }
    }
}
