//! Synapses that open channels: what drives the current is the distance to the reversal potential.

use super::{SynapticDynamicsSystems, SynapticState};
use crate::Real;
use crate::dendrite::Buffer;
use crate::dynamics::{MembranePotential, Range, check_parameter};
use crate::error::Problems;
use crate::fire::Fire;
use crate::group::{Unbuilt, build_late};
use crate::kernels::synapse::{block_by_magnesium, drive};
use crate::record::state_variable;
use crate::registry::{self, GroupKind, Need, Place};
use crate::relations::{Ends, Postsynaptic, SubPopulation};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use crate::setters;
use crate::synaptic_input::SynapticCurrent;
use crate::weights::DestinationDelays;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Weights are conductances: the current of a projection pulls its target towards the reversal potential.
///
/// **Equation.** `I = g·(reversal − v)`, with v of the target as the last step left it, and `g = max(Σ, 0)`, Σ being what
/// the projection's synapses and kinetics give. Whether it excites or inhibits is in the reversal potential: the sign of
/// an [`Inhibitory`](crate::group::Inhibitory) source does not count, [`CurrentCoef`](crate::synaptic_input::CurrentCoef)
/// does.
///
/// **Parameters.** Below. The unit of g is a unit of current per unit of v; in units of 1/R, a conductance of 1 is as
/// large as the leak.
///
/// **Scheme.** Explicit: g and v are those at the start of the step, so the potential stays on its side of the reversal
/// potential while `dt·(1 + R·g) <= tau`. A destination delay delays g; the potential is that of the moment when the
/// current flows.
///
/// **Reference.** A. Destexhe, Z. Mainen & T. Sejnowski (1994), doi 10.1162/neco.1994.6.1.14.
///
/// **CoNeX.** It has none.
#[doc(alias = "iaf_cond_exp")]
#[doc(alias = "E_rev")]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(Conductances)]
pub struct Conductance {
    /// Reversal potential \[unit of v\]. Default 0.
    pub reversal: Real,
}

/// Magnesium blocks the channels of a [`Conductance`] while the target is hyperpolarized: NMDA receptors.
///
/// **Equation.** `I ← I/(1 + concentration/3.57·e^(−0.062·v))`, with v in mV.
///
/// **Parameters.** Below.
///
/// **Scheme.** As it stands: the block follows v at once.
///
/// **Reference.** C. Jahr & C. Stevens (1990), doi 10.1523/JNEUROSCI.10-09-03178.1990.
///
/// **CoNeX.** It has none.
#[doc(alias = "NMDA")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MagnesiumBlock {
    /// Concentration of magnesium outside the cell, 0 or more \[mM\]. Default 1.
    pub concentration: Real,
}

setters!(Conductance { reversal: Real });
setters!(MagnesiumBlock { concentration: Real });

impl Conductance {
    /// Pulls towards `reversal`.
    pub fn new(reversal: Real) -> Self {
        Conductance { reversal }
    }
}

impl MagnesiumBlock {
    /// Blocks by so much magnesium \[mM\].
    pub fn new(concentration: Real) -> Self {
        MagnesiumBlock { concentration }
    }
}

impl Default for MagnesiumBlock {
    fn default() -> Self {
        Self::new(1.0)
    }
}

/// The conductances of a projection, now and to come.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct Conductances(Buffer);

impl Conductances {
    /// The conductance at each target neuron at this step.
    pub fn now(&self) -> &[Real] {
        self.0.now()
    }
}

/// The potentials of the neurons that a projection ends on.
fn potentials<'a>(
    target: Entity,
    of_all: &'a Query<&MembranePotential>,
    parts: &Query<&SubPopulation>,
    scratch: &'a mut Vec<Real>,
) -> &'a [Real] {
    let Ok(part) = parts.get(target) else { return of_all.get(target).map_or(&[], |v| &v.0) };
    scratch.clear();
    if let Ok(whole) = of_all.get(part.of) {
        scratch.extend(part.neurons.iter().filter_map(|&j| whole.0.get(j as usize)));
    }
    scratch
}

type Conducting<'w> = (
    &'w Conductance,
    Option<&'w MagnesiumBlock>,
    &'w Postsynaptic,
    Option<&'w DestinationDelays>,
    &'w mut Conductances,
    &'w mut SynapticCurrent,
);

/// For every projection with a conductance, let it drive a current by the target's distance to the reversal potential.
fn conduct(
    mut projections: Query<Conducting>,
    all_potentials: Query<&MembranePotential>,
    parts: Query<&SubPopulation>,
    mut scratch: Local<Vec<Real>>,
) {
    for (conductance, magnesium, target, delays, mut conductances, mut current) in &mut projections {
        let g = &mut conductances.0;
        g.advance();
        if !current.silent {
            current.lose_sign();
            g.add(&current.values, delays.map_or(&[], |d| &d.0));
        }
        let v = potentials(target.0, &all_potentials, &parts, &mut scratch);
        if g.is_silent() || v.len() != g.now().len() {
            current.silence();
            continue;
        }
        let values = current.shaped();
        drive(values, g.now(), v, conductance.reversal);
        if let Some(magnesium) = magnesium {
            block_by_magnesium(values, v, magnesium.concentration);
        }
    }
}

type Fresh<'w> = (
    &'w Name,
    &'w Ends,
    &'w Unbuilt,
    (Option<&'w Conductance>, Option<&'w MagnesiumBlock>),
    Option<&'w DestinationDelays>,
    &'w mut Conductances,
);

/// For every new projection with a conductance, check the parameters and make room for what is delayed.
fn prepare(mut problems: ResMut<Problems>, mut projections: Query<Fresh>) {
    for (name, ends, unbuilt, (conductance, magnesium), delays, mut conductances) in &mut projections {
        let reversal = conductance.map(|c| ("Conductance", "reversal", c.reversal, Range::Any));
        let concentration =
            magnesium.map(|m| ("MagnesiumBlock", "concentration", m.concentration, Range::NotNegative));
        for (behaviour, parameter, value, range) in reversal.into_iter().chain(concentration) {
            problems.check(check_parameter(name, behaviour, parameter, &value.into(), 1, range));
        }
        let steps = delays.and_then(|d| d.0.iter().max()).map_or(1, |&d| d as usize + 1);
        // A delay that no dendrite can hold is told where all delays are checked.
        if steps > crate::axon::MAX_DELAY {
            continue;
        }
        let (buffer, n) = (&mut conductances.0, ends.post.len());
        if unbuilt.makes_state(buffer.steps() == 0) {
            *buffer = Buffer::new(steps, n);
        } else {
            buffer.resize(steps, n);
        }
    }
}

pub(super) fn install(world: &mut World) {
    registry::behaviour::<Conductance>(world)
        .on(GroupKind::Projection)
        .stage(StepSystems::SynapticDynamics)
        .needs(&[Need::of::<Fire>(Place::Target, "neuron model", "Lif::default()")])
        .state::<Conductances>()
        .saved();
    registry::behaviour::<MagnesiumBlock>(world)
        .on(GroupKind::Projection)
        .stage(StepSystems::SynapticDynamics)
        .needs(&[Need::of::<Conductance>(Place::Own, "conductance", "Conductance::new(0.0)")])
        .saved();
    build_late::<Conductances>(world);
    add_build_systems(world, BuildSystems::Derive, prepare);
    add_systems(world, StepSystems::SynapticDynamics, conduct.in_set(SynapticDynamicsSystems::Conduct));
    // What flows now, where it is a conductance; what the kinetics give, else.
    state_variable(world, "g", |group, values| {
        let conductances = group.get::<Conductances>().filter(|_| group.contains::<Conductance>());
        let g = conductances.map(|c| c.now()).or_else(|| Some(&group.get::<SynapticState>()?.g[..]));
        g.map(|g| values.extend_from_slice(g)).is_some()
    });
}
