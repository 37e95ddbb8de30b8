//! Currents arrive at a compartment of the dendrite, some of them later than others.

use super::DendriteSystems;
use crate::Real;
use crate::axon::MAX_DELAY;
use crate::error::{Error, Problems};
use crate::group::{Population, Unbuilt, refuse_late};
use crate::kernels::decay::add;
use crate::registry;
use crate::relations::{Afferents, Compartment};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use crate::synaptic_input::SynapticCurrent;
use crate::weights::DestinationDelays;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

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

    pub(super) fn proximal_mut(&mut self) -> &mut [Real] {
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

/// A ring of rows, one for each step from now on.
#[derive(Clone, Debug, Default, PartialEq)]
struct Buffer {
    rows: Vec<Vec<Real>>,
    now: usize,
    /// How many of the rows ahead, this step's first, may hold something else than 0.
    filled: usize,
}

impl Buffer {
    fn new(max_delay: usize, n: usize) -> Self {
        Buffer { rows: vec![vec![0.0; n]; max_delay], now: 0, filled: 0 }
    }

    fn now(&self) -> &[Real] {
        self.rows.get(self.now).map_or(&[], |row| row)
    }

    fn row_mut(&mut self, ahead: usize) -> &mut [Real] {
        self.filled = self.filled.max(ahead + 1);
        let at = (self.now + ahead) % self.rows.len();
        &mut self.rows[at]
    }

    /// Lets the next row be due; the one that was becomes the farthest ahead, and empty.
    fn advance(&mut self) {
        if self.filled > 0 {
            self.filled -= 1;
            self.rows[self.now].fill(0.0);
        }
        if !self.rows.is_empty() {
            self.now = (self.now + 1) % self.rows.len();
        }
    }

    fn add(&mut self, current: &[Real], delays: &[u32]) {
        if delays.is_empty() {
            add(self.row_mut(0), current);
            return;
        }
        self.filled = self.rows.len();
        for ((j, &current), &delay) in current.iter().enumerate().zip(delays) {
            let at = (self.now + delay as usize) % self.rows.len();
            self.rows[at][j] += current;
        }
    }
}

/// For every population with a dendrite, advance its buffers and add the currents of its afferents, oldest projection
/// first.
fn gather_currents(
    mut populations: Query<(Option<&Afferents>, &mut DendriticCurrents)>,
    projections: Query<(&Compartment, &SynapticCurrent, Option<&DestinationDelays>)>,
) {
    for (afferents, mut dendrite) in &mut populations {
        for compartment in [Compartment::Proximal, Compartment::Distal, Compartment::Apical] {
            dendrite.of(compartment).advance();
        }
        for afferent in afferents.iter().flat_map(|a| a.iter()) {
            if let Ok((compartment, current, delays)) = projections.get(afferent)
                && !current.silent
            {
                dendrite.of(*compartment).add(&current.values, delays.map_or(&[], |d| &d.0));
            }
        }
    }
}

type Fresh<'w> = (&'w Name, &'w Population, &'w SimpleDendriteStructure, &'w mut DendriticCurrents);

fn allocate_dendrites(mut problems: ResMut<Problems>, mut populations: Query<Fresh, With<Unbuilt>>) {
    for (name, population, structure, mut currents) in &mut populations {
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
            *currents.of(compartment) = Buffer::new(structure.max_delay(compartment), population.size());
        }
    }
}

type Reaching<'w> = (&'w Name, &'w crate::relations::Postsynaptic);

/// A projection needs a dendrite to end on.
fn check_dendrites(
    mut problems: ResMut<Problems>,
    projections: Query<Reaching, (With<SynapticCurrent>, With<Unbuilt>)>,
    populations: Query<(&Name, Has<SimpleDendriteStructure>), With<crate::fire::Fire>>,
) {
    for (name, post) in &projections {
        if let Ok((population, false)) = populations.get(post.0) {
            let (projection, population) = (name.to_string(), population.to_string());
            problems.push(Error::MissingDendrite { projection, population });
        }
    }
}

pub(super) fn install(world: &mut World) {
    registry::behaviour::<SimpleDendriteStructure>(world);
    refuse_late::<DendriticCurrents>(world, "SimpleDendriteStructure");
    add_systems(world, StepSystems::Dendrite, gather_currents.in_set(DendriteSystems::Gather));
    add_build_systems(world, BuildSystems::Allocate, allocate_dendrites);
    add_build_systems(world, BuildSystems::Validate, check_dendrites);
}
