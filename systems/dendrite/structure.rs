//! Currents arrive at a compartment of the dendrite, some of them later than others.

use super::{Buffer, DendriteSystems};
use crate::Real;
use crate::axon::MAX_DELAY;
use crate::error::{Error, Problems};
use crate::fire::Fire;
use crate::group::{Population, Unbuilt, build_late};
use crate::receptors::Receptors;
use crate::registry::{self, GroupKind, Need, Place};
use crate::relations::{Afferents, Compartment, SubPopulation, SubPopulations};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use crate::synaptic_dynamics::Conductance;
use crate::synaptic_input::SynapticCurrent;
use crate::weights::DestinationDelays;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// A dendrite on the target of a projection.
pub const DENDRITE: Need =
    Need::of::<SimpleDendriteStructure>(Place::Target, "dendrite", "SimpleDendriteStructure::default()")
        .only("if it has a neuron model without receptors", |group| {
            group.contains::<Fire>() && !group.contains::<Receptors>()
        });

/// A dendrite or receptors, for synapses that end there whatever else there is.
pub(crate) const RECEIVER: Need = Need::of::<SimpleDendriteStructure>(
    Place::Target,
    "dendrite and no receptors",
    "SimpleDendriteStructure::default()",
)
.only("if its neuron model has no receptors", |group| {
    !group.contains::<Receptors>() && !group.contains::<SubPopulation>()
});

/// A dendrite with three compartments, each a buffer of the currents that are still to come.
///
/// Each step, every afferent projection adds its current of neuron j to the slot `destination_delay[j]` of its
/// compartment; the slot that is due is the compartment's current. A delay must be below the compartment's `max_delay`,
/// and 0 leaves the compartment out.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[require(DendriticCurrents, super::SimpleDendriteComputation)]
pub struct SimpleDendriteStructure {
    /// Steps that proximal currents may be ahead \[steps\]. Default 1.
    pub proximal_max_delay: usize,
    /// Steps that distal currents may be ahead \[steps\]. Default 1.
    pub distal_max_delay: usize,
    /// Steps that apical currents may be ahead \[steps\]. Default: one more than distal.
    pub apical_max_delay: Option<usize>,
}

impl Default for SimpleDendriteStructure {
    fn default() -> Self {
        SimpleDendriteStructure { proximal_max_delay: 1, distal_max_delay: 1, apical_max_delay: None }
    }
}

impl SimpleDendriteStructure {
    /// The same `max_delay` for all three compartments.
    pub fn new(max_delay: usize) -> Self {
        let (proximal_max_delay, distal_max_delay) = (max_delay, max_delay);
        SimpleDendriteStructure { proximal_max_delay, distal_max_delay, apical_max_delay: Some(max_delay) }
    }

    /// The `max_delay` of a compartment \[steps\].
    pub fn max_delay(&self, compartment: Compartment) -> usize {
        match compartment {
            Compartment::Proximal => self.proximal_max_delay,
            Compartment::Distal => self.distal_max_delay,
            Compartment::Apical => self.apical_max_delay.unwrap_or(self.distal_max_delay.saturating_add(1)),
        }
    }
}

/// The currents in a dendrite, now and to come.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct DendriticCurrents {
    proximal: Buffer,
    distal: Buffer,
    apical: Buffer,
}

impl DendriticCurrents {
    /// The current of each neuron in `compartment` at this step (`I_proximal`, `I_distal`, `I_apical`); empty if the
    /// compartment is left out.
    pub fn now(&self, compartment: Compartment) -> &[Real] {
        match compartment {
            Compartment::Proximal => self.proximal.now(),
            Compartment::Distal => self.distal.now(),
            Compartment::Apical => self.apical.now(),
        }
    }

    pub(crate) fn proximal_mut(&mut self) -> &mut [Real] {
        self.proximal.row_mut(0)
    }

    fn of(&mut self, compartment: Compartment) -> &mut Buffer {
        match compartment {
            Compartment::Proximal => &mut self.proximal,
            Compartment::Distal => &mut self.distal,
            Compartment::Apical => &mut self.apical,
        }
    }
}

/// The delays of a conductance were over before it became a current.
type Arriving<'w> = (&'w Compartment, &'w SynapticCurrent, Option<&'w DestinationDelays>, Has<Conductance>);

type Gathering<'w> = (Option<&'w Afferents>, Option<&'w SubPopulations>, &'w mut DendriticCurrents);

/// For every population with a dendrite, advance its buffers and add the currents of its afferents, oldest projection
/// first; then those of the afferents of its parts.
fn gather_currents(
    mut populations: Query<Gathering, With<SimpleDendriteStructure>>,
    parts: Query<(&SubPopulation, &Afferents)>,
    projections: Query<Arriving>,
) {
    for (afferents, sub_populations, mut dendrite) in &mut populations {
        for compartment in [Compartment::Proximal, Compartment::Distal, Compartment::Apical] {
            dendrite.of(compartment).advance();
        }
        for afferent in afferents.iter().flat_map(|a| a.iter()) {
            if let Ok((compartment, current, delays, conducts)) = projections.get(afferent)
                && !current.silent
            {
                let delays = delays.filter(|_| !conducts).map_or(&[][..], |d| &d.0);
                dendrite.of(*compartment).add(&current.values, delays);
            }
        }
        let parts = sub_populations.iter().flat_map(|p| p.iter()).filter_map(|part| parts.get(part).ok());
        for (part, afferents) in parts {
            let arriving = afferents.iter().filter_map(|a| projections.get(a).ok());
            for (compartment, current, delays, conducts) in arriving {
                if !current.silent {
                    let delays = delays.filter(|_| !conducts).map_or(&[][..], |d| &d.0);
                    dendrite.of(*compartment).add_at(&part.neurons, &current.values, delays);
                }
            }
        }
    }
}

/// Without a dendrite, nothing is on its way.
fn empty(group: &mut EntityWorldMut<'_>) {
    if let Some(mut currents) = group.get_mut::<DendriticCurrents>() {
        for compartment in [Compartment::Proximal, Compartment::Distal, Compartment::Apical] {
            currents.of(compartment).empty();
        }
    }
}

type Fresh<'w> =
    (&'w Name, &'w Population, &'w Unbuilt, &'w SimpleDendriteStructure, &'w mut DendriticCurrents);

fn allocate_dendrites(mut problems: ResMut<Problems>, mut populations: Query<Fresh>) {
    for (name, population, unbuilt, structure, mut currents) in &mut populations {
        for compartment in [Compartment::Proximal, Compartment::Distal, Compartment::Apical] {
            if structure.max_delay(compartment) > MAX_DELAY {
                problems.push(Error::ParameterRange {
                    group: name.into(),
                    behaviour: "SimpleDendriteStructure".into(),
                    parameter: format!("{}_max_delay", compartment.name()),
                    value: structure.max_delay(compartment) as f64,
                    requirement: format!("at most {MAX_DELAY} steps"),
                });
                continue;
            }
            let buffer = currents.of(compartment);
            let (steps, n) = (structure.max_delay(compartment), population.size());
            if unbuilt.makes_state(buffer.steps() == 0) {
                *buffer = Buffer::new(steps, n);
            } else {
                buffer.resize(steps, n);
            }
        }
    }
}

pub(super) fn install(world: &mut World) {
    registry::behaviour::<SimpleDendriteStructure>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::Dendrite)
        .state::<(DendriticCurrents, super::SimpleDendriteComputation)>()
        .after_taking(empty)
        .after_taking(super::computation::still)
        .saved();
    build_late::<DendriticCurrents>(world);
    add_systems(world, StepSystems::Dendrite, gather_currents.in_set(DendriteSystems::Gather));
    add_build_systems(world, BuildSystems::Allocate, allocate_dendrites);
}
