//! Stage `Axon`: a delay line for spikes.

use crate::error::{Error, Problems};
use crate::fire::Spikes;
use crate::group::{Unbuilt, build_late};
use crate::registry::{self, GroupKind, Need, Place};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// The most steps that an axon or a dendrite keeps: more is a mistake, and would not fit into memory.
pub const MAX_DELAY: usize = 1 << 20;

/// An axon on the source of a projection.
pub const SOURCE_AXON: Need = Need::of::<NeuronAxon>(Place::Source, "axon", "NeuronAxon::default()");

/// An axon on the target of a projection that learns from its spikes.
pub const TARGET_AXON: Need = SOURCE_AXON.at(Place::Target);

/// Keeps the spikes of the last `max_delay` steps, for the projections that leave the population.
///
/// A synapse with source delay d reads what was fired d steps ago, 0 being this step; so d must be below `max_delay`.
#[doc(alias = "axonal delay")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[require(Spikes, AxonHistory)]
pub struct NeuronAxon {
    /// How many steps are kept, at least 1 \[steps\]. Default 1.
    pub max_delay: usize,
}

impl NeuronAxon {
    /// Keeps `max_delay` steps.
    pub fn new(max_delay: usize) -> Self {
        NeuronAxon { max_delay }
    }
}

impl Default for NeuronAxon {
    fn default() -> Self {
        NeuronAxon { max_delay: 1 }
    }
}

/// The spikes on their way.
#[derive(Component, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AxonHistory {
    ring: Vec<Vec<u32>>,
    newest: usize,
}

impl AxonHistory {
    /// The neurons that fired `delay` steps ago, ascending. Nothing is known of what was before `max_delay` steps.
    pub fn fired(&self, delay: usize) -> &[u32] {
        if delay < self.ring.len() { &self.ring[(self.newest + delay) % self.ring.len()] } else { &[] }
    }

    /// How many steps are kept.
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether no step is kept: the network is not built yet.
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Keeps that many steps from now on.
    fn resize(&mut self, steps: usize) {
        if steps != self.ring.len() {
            self.ring.rotate_left(self.newest);
            self.ring.resize(steps, Vec::new());
            self.newest = 0;
        }
    }

    fn push(&mut self, events: &[u32]) {
        let steps = self.ring.len();
        if steps > 0 {
            self.newest = (self.newest + steps - 1) % steps;
            self.ring[self.newest].clear();
            self.ring[self.newest].extend_from_slice(events);
        }
    }
}

/// For every population with an axon, let this step's spikes in and those too old out.
pub(crate) fn push_spikes(mut populations: Query<(&Spikes, &mut AxonHistory), With<NeuronAxon>>) {
    for (spikes, mut history) in &mut populations {
        history.push(spikes.0.events());
    }
}

/// What was on its way is lost with the axon.
fn forget_spikes(group: &mut EntityWorldMut<'_>) {
    if let Some(mut history) = group.get_mut::<AxonHistory>() {
        history.ring.iter_mut().for_each(Vec::clear);
    }
}

fn allocate_axons(
    mut problems: ResMut<Problems>,
    mut populations: Query<(&Name, &Unbuilt, &NeuronAxon, &mut AxonHistory)>,
) {
    for (name, unbuilt, axon, mut history) in &mut populations {
        if !(1..=MAX_DELAY).contains(&axon.max_delay) {
            problems.push(Error::ParameterRange {
                group: name.into(),
                behaviour: "NeuronAxon".into(),
                parameter: "max_delay".into(),
                value: axon.max_delay as f64,
                requirement: format!("at least 1 step and at most {MAX_DELAY}"),
            });
            continue;
        }
        if unbuilt.makes_state(history.is_empty()) {
            *history = AxonHistory { ring: vec![Vec::new(); axon.max_delay], newest: 0 };
        } else {
            history.resize(axon.max_delay);
        }
    }
}

pub(crate) fn install(world: &mut World) {
    registry::behaviour::<NeuronAxon>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::Axon)
        .after_taking(forget_spikes)
        .state::<AxonHistory>()
        .saved();
    build_late::<AxonHistory>(world);
    add_systems(world, StepSystems::Axon, push_spikes);
    add_build_systems(world, BuildSystems::Allocate, allocate_axons);
}
