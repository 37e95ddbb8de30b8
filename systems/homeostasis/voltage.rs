//! Neurons are pulled towards a range of voltages.

use crate::Real;
use crate::dynamics::{MembranePotential, Range, check_parameter};
use crate::error::{Error, Problems};
use crate::fire::NEURONS;
use crate::group::{Population, Unbuilt, build_late};
use crate::parameter::Param;
use crate::registry::{self, GroupKind};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Integral control of the membrane potential: what a neuron spends above `max_ta` or below `min_ta` adds up and is taken
/// off its potential at every step.
///
/// **Equation.** `exhaustion += eta_ip·([v > max_ta]·(v − max_ta) + [v < min_ta]·(v − min_ta))`, then `v −= exhaustion`.
/// Neither leaks, and neither is scaled with dt (as in CoNeX).
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[require(Exhaustion)]
pub struct VoltageBaseHomeostasis {
    /// Upper end of the range \[unit of v\].
    pub max_ta: Param,
    /// Lower end of the range, not above `max_ta` \[unit of v\].
    pub min_ta: Param,
    /// Rate of adaptation, per step. Default 0.001.
    pub eta_ip: Param,
}

impl VoltageBaseHomeostasis {
    /// Pulls towards one voltage.
    pub fn target(voltage: impl Into<Param>) -> Self {
        let voltage = voltage.into();
        VoltageBaseHomeostasis { max_ta: voltage.clone(), min_ta: voltage, eta_ip: 0.001.into() }
    }

    /// Pulls into a range of voltages.
    pub fn range(min_ta: impl Into<Param>, max_ta: impl Into<Param>) -> Self {
        VoltageBaseHomeostasis { max_ta: max_ta.into(), min_ta: min_ta.into(), eta_ip: 0.001.into() }
    }

    fn parameters(&self) -> [(&'static str, &Param); 3] {
        [("max_ta", &self.max_ta), ("min_ta", &self.min_ta), ("eta_ip", &self.eta_ip)]
    }

    /// Sets the rate of adaptation.
    #[must_use]
    pub fn eta_ip(mut self, eta_ip: impl Into<Param>) -> Self {
        self.eta_ip = eta_ip.into();
        self
    }
}

/// What is taken off the potential of each neuron at every step \[unit of v\].
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct Exhaustion(pub Vec<Real>);

/// For every population with a voltage to keep, adapt and subtract.
fn exhaust(
    mut problems: ResMut<Problems>,
    mut populations: Query<(&Name, &VoltageBaseHomeostasis, &mut Exhaustion, &mut MembranePotential)>,
) {
    for (name, homeostasis, mut exhaustion, mut v) in &mut populations {
        let n = exhaustion.0.len();
        if let Some((parameter, values)) = homeostasis
            .parameters()
            .into_iter()
            .find(|(_, values)| values.count().is_some_and(|given| given != n))
        {
            // It was changed between steps.
            let behaviour = "VoltageBaseHomeostasis";
            problems.check(check_parameter(name, behaviour, parameter, values, n, Range::Any));
            continue;
        }
        for (j, (v, exhaustion)) in v.0.iter_mut().zip(&mut exhaustion.0).enumerate() {
            // A potential that overflowed is about to fire and be reset: its excess is no number to remember.
            if !v.is_finite() {
                continue;
            }
            let over = (*v - homeostasis.max_ta.get(j)).max(0.0);
            let under = (*v - homeostasis.min_ta.get(j)).min(0.0);
            *exhaustion += homeostasis.eta_ip.get(j) * (over + under);
            *v -= *exhaustion;
        }
    }
}

type Fresh<'w> = (&'w Name, &'w Population, &'w Unbuilt, &'w VoltageBaseHomeostasis, &'w mut Exhaustion);

fn prepare(mut problems: ResMut<Problems>, mut populations: Query<Fresh>) {
    for (name, population, unbuilt, homeostasis, mut exhaustion) in &mut populations {
        let (n, behaviour) = (population.size(), "VoltageBaseHomeostasis");
        let mut sound = true;
        for (parameter, values) in homeostasis.parameters() {
            let checked = check_parameter(name, behaviour, parameter, values, n, Range::Any);
            sound &= problems.check(checked).is_some();
        }
        let crossed = (0..n).find(|&j| sound && homeostasis.min_ta.get(j) > homeostasis.max_ta.get(j));
        if let Some(j) = crossed {
            problems.push(Error::ParameterRange {
                group: name.into(),
                behaviour: behaviour.into(),
                parameter: "min_ta".into(),
                value: f64::from(homeostasis.min_ta.get(j)),
                requirement: format!("at most max_ta, which is {}", homeostasis.max_ta.get(j)),
            });
        }
        if unbuilt.makes_state(exhaustion.0.is_empty()) {
            exhaustion.0 = vec![0.0; n];
        }
    }
}

pub(super) fn install(world: &mut World) {
    registry::behaviour::<VoltageBaseHomeostasis>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::VoltageHomeostasis)
        .needs(&[NEURONS])
        .state::<Exhaustion>()
        .saved();
    build_late::<Exhaustion>(world);
    add_systems(world, StepSystems::VoltageHomeostasis, exhaust);
    add_build_systems(world, BuildSystems::Allocate, prepare);
}
