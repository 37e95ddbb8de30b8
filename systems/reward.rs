//! Stages `Payoff` and `Dopamine`: reward, and the neuromodulator that follows it.
//!
//! Both belong to the network, not to a group, and compute in double precision whatever the engine's float is.

use crate::error::{Error, Problems};
use crate::record::network_variable;
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use crate::time::Clock;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// The reward (above 0) or punishment (below 0) of this step. The environment sets it, from a system in stage `Payoff` or
/// between steps; it stays until it is set again.
#[doc(alias = "reward")]
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Payoff(pub f64);

/// How dopamine follows the payoff.
///
/// **Equation.** `d ← d − d/tau_dopamine + payoff`, once a step. `tau_dopamine` counts steps, as in CoNeX, and
/// milliseconds with [`TimeScaling::Consistent`](crate::time::TimeScaling). Below one step the concentration changes its
/// sign from step to step, below half a step it grows without limit.
///
/// The payoff is not an error of prediction: dopamine follows what is paid, expected or not. To pay the surprise, take
/// what was expected off the payoff before you set it.
///
/// Set once more, it takes over from the concentration that there is.
///
/// **Reference.** E. Izhikevich (2007), doi 10.1093/cercor/bhl152.
///
/// **CoNeX.** `Dopamine`, with the same numbers.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dopamine {
    /// Time constant, above 0 \[steps; ms with consistent scaling\].
    pub tau_dopamine: f64,
    /// Concentration before the first step. Default: the payoff when the network is built.
    #[serde(default)]
    pub initial_dopamine_concentration: Option<f64>,
}

impl Dopamine {
    /// Decays with `tau_dopamine`.
    pub fn new(tau_dopamine: f64) -> Self {
        Dopamine { tau_dopamine, initial_dopamine_concentration: None }
    }

    /// Sets the concentration before the first step.
    #[must_use]
    pub fn initial(mut self, concentration: f64) -> Self {
        self.initial_dopamine_concentration = Some(concentration);
        self
    }
}

/// The dopamine concentration at this step. [`Dopamine`] brings it.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DopamineConcentration(pub f64);

/// Let dopamine follow the payoff.
fn follow_payoff(
    clock: Res<Clock>,
    mut problems: ResMut<Problems>,
    payoff: Res<Payoff>,
    dopamine: Option<Res<Dopamine>>,
    concentration: Option<ResMut<DopamineConcentration>>,
) {
    if !payoff.0.is_finite() {
        // A system or a program set it: it must not stay in the dopamine, and from there in the weights.
        let (group, behaviour, parameter) = ("the network".into(), "Payoff".into(), "payoff".into());
        problems.push(Error::ParameterNotFinite {
            group,
            behaviour,
            parameter,
            index: None,
            value: payoff.0,
        });
        return;
    }
    if let (Some(dopamine), Some(mut d)) = (dopamine, concentration) {
        d.0 += payoff.0 - d.0 * clock.optional_dt() / dopamine.tau_dopamine;
    }
}

/// Sets the concentration to its start, once, and checks the parameters.
fn prepare_dopamine(
    mut commands: Commands,
    mut problems: ResMut<Problems>,
    payoff: Res<Payoff>,
    dopamine: Option<Res<Dopamine>>,
    concentration: Option<Res<DopamineConcentration>>,
) {
    let mut all_sound = true;
    let mut check = |behaviour: &str, parameter: &str, value: f64, sound: bool, requirement: &str| {
        all_sound &= sound;
        if !sound {
            let (group, behaviour) = ("the network".to_string(), behaviour.to_string());
            let (parameter, requirement) = (parameter.to_string(), requirement.to_string());
            problems.push(Error::ParameterRange { group, behaviour, parameter, value, requirement });
        }
    };
    check("Payoff", "payoff", payoff.0, payoff.0.is_finite(), "a finite number");
    let Some(dopamine) = dopamine else { return };
    let tau = dopamine.tau_dopamine;
    check("Dopamine", "tau_dopamine", tau, tau.is_finite() && tau > 0.0, "a finite number above 0");
    let initial = dopamine.initial_dopamine_concentration.unwrap_or(payoff.0);
    let parameter = "initial_dopamine_concentration";
    check("Dopamine", parameter, initial, initial.is_finite(), "a finite number");
    if all_sound && concentration.is_none() {
        commands.insert_resource(DopamineConcentration(initial));
    }
}

pub(crate) fn install(world: &mut World) {
    world.init_resource::<Payoff>();
    network_variable(world, "payoff", |world| world.get_resource::<Payoff>().map(|payoff| payoff.0));
    network_variable(world, "dopamine", |world| world.get_resource::<DopamineConcentration>().map(|d| d.0));
    add_systems(world, StepSystems::Dopamine, follow_payoff);
    add_build_systems(world, BuildSystems::Derive, prepare_dopamine);
}
