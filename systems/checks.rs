//! What a parameter must be, checked when a network is built and again when it was changed between steps.

use crate::Real;
use crate::error::{Error, Problems, Result};
use crate::group::{Population, Unbuilt};
use crate::parameter::Param;
use crate::registry;
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use crate::time::{Clock, advance_clock};
use bevy_ecs::prelude::*;

/// The range that a parameter must be in, beside being finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Any finite number.
    Any,
    /// Above 0.
    Positive,
    /// Any number but 0.
    NonZero,
    /// 0 or more.
    NotNegative,
}

impl Range {
    fn holds(self, x: Real) -> bool {
        match self {
            Range::Any => true,
            Range::Positive => x > 0.0,
            Range::NonZero => x != 0.0,
            Range::NotNegative => x >= 0.0,
        }
    }

    fn requirement(self) -> &'static str {
        match self {
            Range::Any => "a finite number",
            Range::Positive => "above 0",
            Range::NonZero => "other than 0",
            Range::NotNegative => "0 or more",
        }
    }
}

/// Checks one parameter of a group of `n` neurons.
///
/// # Errors
/// Its length, a value that is not finite, a value out of range.
pub fn check_parameter(
    group: &str,
    behaviour: &str,
    name: &str,
    param: &Param,
    n: usize,
    range: Range,
) -> Result<()> {
    let (group, behaviour, parameter) = (group.to_string(), behaviour.to_string(), name.to_string());
    if let Some(given) = param.count().filter(|&given| given != n) {
        return Err(Error::ParameterLength { group, behaviour, parameter, expected: n, given });
    }
    if let Some(at) = param.values().iter().position(|x| !x.is_finite()) {
        let (value, index) = (f64::from(param.values()[at]), param.count().map(|_| at));
        return Err(Error::ParameterNotFinite { group, behaviour, parameter, index, value });
    }
    if let Some(&value) = param.values().iter().find(|&&x| !range.holds(x)) {
        let requirement = range.requirement().into();
        return Err(Error::ParameterRange {
            group,
            behaviour,
            parameter,
            value: f64::from(value),
            requirement,
        });
    }
    Ok(())
}

/// A behaviour of populations whose parameters are one number, or one per neuron.
pub(crate) trait Parameters: Component {
    /// Every parameter with its name and the range it must be in.
    fn parameters(&self) -> Vec<(String, &Param, Range)>;

    /// Checks what else must hold, with steps of `dt` \[ms\], once each parameter is sound by itself. Default nothing.
    ///
    /// # Errors
    /// What does not hold.
    fn check_further(&self, _group: &str, _dt: f64) -> Result<()> {
        Ok(())
    }
}

/// Has the parameters of `B` checked at each build and after each change. A system that uses them does nothing while
/// there are [`Problems`]: the step ends with the error.
pub(crate) fn keep_checked<B: Parameters>(world: &mut World) {
    add_build_systems(world, BuildSystems::Allocate, check_new::<B>);
    add_systems(world, StepSystems::Time, check_changed::<B>.after(advance_clock));
}

fn check_new<B: Parameters>(
    clock: Res<Clock>,
    mut problems: ResMut<Problems>,
    populations: Query<(&Name, &Population, &B), With<Unbuilt>>,
) {
    for (name, population, behaviour) in &populations {
        problems.check(check(name, population, behaviour, clock.dt));
    }
}

/// For every population whose behaviour was changed between steps, check the parameters. One that is wrong is checked
/// again at every step until it is mended.
fn check_changed<B: Parameters>(
    clock: Res<Clock>,
    mut problems: ResMut<Problems>,
    populations: Query<(Entity, &Name, &Population, Ref<B>)>,
    mut unsound: Local<Vec<Entity>>,
) {
    for (entity, name, population, behaviour) in &populations {
        if !behaviour.is_changed() && !unsound.contains(&entity) {
            continue;
        }
        unsound.retain(|other| *other != entity);
        if problems.check(check(name, population, &*behaviour, clock.dt)).is_none() {
            unsound.push(entity);
        }
    }
}

/// Checks all that `behaviour` promises of its parameters.
///
/// # Errors
/// The first thing that is wrong with them.
pub(crate) fn check<B: Parameters>(
    name: &str,
    population: &Population,
    behaviour: &B,
    dt: f64,
) -> Result<()> {
    behaviour.parameters().into_iter().try_for_each(|(parameter, values, range)| {
        check_parameter(name, registry::short_name::<B>(), &parameter, values, population.size(), range)
    })?;
    behaviour.check_further(name, dt)
}
