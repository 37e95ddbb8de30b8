//! An electrode.

use super::{DendriteSystems, DendriticCurrents, SimpleDendriteStructure};
use crate::dynamics::{InputCurrent, Range, check_parameter};
use crate::error::Problems;
use crate::fire::NEURONS;
use crate::group::{Population, Unbuilt};
use crate::parameter::{BLOCK, Param};
use crate::registry::{self, GroupKind};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use bevy_ecs::lifecycle::HookContext;
use bevy_ecs::prelude::*;
use bevy_ecs::world::DeferredWorld;
use serde::{Deserialize, Serialize};

/// A current from outside, the same at every step until it is changed.
///
/// It joins the proximal current. A population without a dendrite has it as its only input.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[component(on_remove = withdraw)]
#[doc(alias = "dc_generator")]
pub struct InjectedCurrent(pub Param);

impl InjectedCurrent {
    /// Injects `current`, one number or one per neuron.
    pub fn new(current: impl Into<Param>) -> Self {
        InjectedCurrent(current.into())
    }
}

/// An electrode that is taken away leaves no current behind.
fn withdraw(mut world: DeferredWorld, context: HookContext) {
    if let Some(mut input) = world.get_mut::<InputCurrent>(context.entity) {
        input.0.fill(0.0);
    }
}

/// For every population with an electrode and a dendrite, add to the proximal current.
fn inject_into_dendrites(
    mut populations: Query<(&InjectedCurrent, &mut DendriticCurrents), With<SimpleDendriteStructure>>,
) {
    for (injected, mut currents) in &mut populations {
        for (j, current) in currents.proximal_mut().iter_mut().enumerate() {
            *current += injected.0.get(j);
        }
    }
}

/// For every population with an electrode and no dendrite, let the injected current be its input. It stands there until
/// something else is written, so most steps have nothing to do.
fn inject_directly(
    mut populations: Query<(Ref<InjectedCurrent>, &mut InputCurrent), Without<SimpleDendriteStructure>>,
) {
    for (injected, mut input) in &mut populations {
        if !injected.is_changed() && !input.is_changed() {
            continue;
        }
        for (k, current) in input.0.chunks_mut(BLOCK).enumerate() {
            current.copy_from_slice(injected.0.block(k * BLOCK, current.len()));
        }
    }
}

/// A current that was changed between steps must still fit: otherwise the run ends with an error, and nothing is injected.
fn check_changed(
    mut problems: ResMut<Problems>,
    mut populations: Query<(&Name, &Population, &mut InjectedCurrent), Changed<InjectedCurrent>>,
) {
    for (name, population, mut injected) in &mut populations {
        let n = population.size();
        let checked = check_parameter(name, "InjectedCurrent", "current", &injected.0, n, Range::Any);
        if problems.check(checked).is_none() {
            injected.0 = 0.0.into();
        }
    }
}

type Fresh<'w> = (&'w Name, &'w Population, &'w InjectedCurrent, Option<&'w SimpleDendriteStructure>);

fn check_injection(mut problems: ResMut<Problems>, populations: Query<Fresh, With<Unbuilt>>) {
    for (name, population, injected, dendrite) in &populations {
        let (n, behaviour) = (population.size(), "InjectedCurrent");
        problems.check(check_parameter(name, behaviour, "current", &injected.0, n, Range::Any));
        if dendrite.is_some_and(|d| d.proximal_max_delay == 0) {
            problems.push(crate::Error::MissingBehaviour {
                group: name.into(),
                behaviour: behaviour.into(),
                missing: "proximal compartment".into(),
                remedy: "SimpleDendriteStructure with proximal_max_delay of at least 1".into(),
            });
        }
    }
}

pub(super) fn install(world: &mut World) {
    registry::behaviour::<InjectedCurrent>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::Dendrite)
        .needs(&[NEURONS])
        .saved();
    let inject = (inject_into_dendrites, inject_directly).in_set(DendriteSystems::Inject);
    add_systems(world, StepSystems::Time, check_changed);
    add_systems(world, StepSystems::Dendrite, inject);
    add_build_systems(world, BuildSystems::Validate, check_injection);
}
