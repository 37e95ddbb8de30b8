//! What static synapses cannot honour is refused, rather than ignored.

use super::{Static, StaticSynapses};
use crate::error::{Error, Problems};
use crate::group::{Inhibitory, Unbuilt};
use crate::learning::Plastic;
use crate::relations::{Compartment, Presynaptic};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use crate::synaptic_dynamics::{Conductance, SynapticState};
use crate::synaptic_input::{CurrentCoef, CurrentNormalization, SynapticCurrent};
use crate::weights::{DelayInitializer, WeightClip, WeightNormalization};
use bevy_ecs::prelude::*;

/// The behaviours of a projection that say nothing to static synapses.
type Foreign = (
    Has<SynapticCurrent>,
    Has<DelayInitializer>,
    Option<&'static Compartment>,
    (Has<Plastic>, Has<WeightNormalization>, Has<WeightClip>, Has<CurrentNormalization>),
    (Has<SynapticState>, Has<Conductance>),
);

type Fresh = (With<Static>, With<Unbuilt>);

/// For every new projection of static synapses, refuse what would be ignored.
pub(crate) fn check_foreign(mut problems: ResMut<Problems>, projections: Query<(&Name, Foreign), Fresh>) {
    let sparse = "take `Sparse` in place of `Static`, which `Connections` draws too";
    let unchanging = format!("their weights do not change: {sparse}");
    let summed = format!("they are not known target by target: {sparse}");
    let at_receptors = format!(
        "what they bring takes its course in the receptors of `LifPscExp`, `LifPscAlpha` or `LifCondExp`: take one of these, or \
         {sparse}"
    );
    for (name, (has_current, has_delays, compartment, of_weights, of_currents)) in &projections {
        let mut refuse = |behaviour: &str, why: &str| {
            let (projection, behaviour, why) = (name.to_string(), behaviour.to_string(), why.to_string());
            problems.push(Error::NotForStatic { projection, behaviour, why });
        };
        let (learns, is_normalized, is_clipped, is_scaled) = of_weights;
        let (has_kinetics, is_conductance) = of_currents;
        if has_current {
            refuse("another kind of connectivity", "keep one of them");
        }
        if has_delays {
            refuse("DelayInitializer", "each synapse has a delay of its own: use `SynapticDelays`, in ms");
        }
        if let Some(compartment @ (Compartment::Distal | Compartment::Apical)) = compartment {
            refuse(compartment.name(), "they end near the soma: use `Proximal`, or a kind such as `Sparse`");
        }
        for (is_there, behaviour, why) in [
            (learns, "a plasticity rule", &unchanging),
            (is_normalized, "WeightNormalization", &unchanging),
            (is_clipped, "WeightClip", &unchanging),
            (is_scaled, "CurrentNormalization", &summed),
            (has_kinetics, "synaptic kinetics", &at_receptors),
            (is_conductance, "Conductance", &at_receptors),
        ] {
            if is_there {
                refuse(behaviour, why);
            }
        }
    }
}

type Folded<'w> = (&'w Name, Option<&'w CurrentCoef>, &'w StaticSynapses, &'w Presynaptic);

/// A coefficient or a sign that was changed between steps is in no stored weight.
fn check_folded(
    mut problems: ResMut<Problems>,
    projections: Query<Folded, With<Static>>,
    inhibitory: Query<(), With<Inhibitory>>,
) {
    for (name, coefficient, synapses, pre) in &projections {
        let sign = if inhibitory.contains(pre.0) { -1.0 } else { 1.0 };
        if coefficient.map_or(1.0, |c| c.0) * sign != synapses.gain {
            let why = "both are part of the stored weights, and cannot change between steps: put it back, or remove \
                       the projection and make it anew";
            let behaviour = "a `CurrentCoef` or an `Inhibitory` source that was changed".to_string();
            problems.push(Error::NotForStatic { projection: name.into(), behaviour, why: why.into() });
        }
    }
}

pub(super) fn install(world: &mut World) {
    add_build_systems(world, BuildSystems::Validate, check_foreign);
    add_systems(world, StepSystems::Time, check_folded);
}
