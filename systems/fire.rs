//! Stage `Fire`: neurons above threshold spike and are reset; input populations take the spikes given to them.

use crate::delivery::Fused;
use crate::dynamics::{
    InputCurrent, Membrane, MembranePotential, ModelConstants, ModelNames, NeuronState, Threshold,
};
use crate::error::{Error, Problems, Result};
use crate::group::{Population, Unbuilt, build_late};
use crate::parameter::BLOCK;
use crate::registry::{self, GroupKind, Need, Place};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// A set of neurons that spike together: as a sorted list for work that follows spikes, and as a mask for the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpikeSet {
    events: Vec<u32>,
    mask: Vec<bool>,
}

impl SpikeSet {
    /// Makes room for `n` neurons, all silent.
    pub fn resize(&mut self, n: usize) {
        self.events.clear();
        self.mask.clear();
        self.mask.resize(n, false);
    }

    /// The neurons that spike, in ascending order.
    pub fn events(&self) -> &[u32] {
        &self.events
    }

    /// One flag per neuron.
    pub fn mask(&self) -> &[bool] {
        &self.mask
    }

    /// Those of the neurons `range` that spike, in ascending order.
    pub fn within(&self, range: std::ops::Range<usize>) -> &[u32] {
        let at = |end: usize| self.events.partition_point(|&i| (i as usize) < end);
        &self.events[at(range.start)..at(range.end)]
    }

    /// Whether no neuron spikes.
    pub fn is_silent(&self) -> bool {
        self.events.is_empty()
    }

    /// Replaces the set by what `fill` appends to the empty list, which must be ascending. Costs by spike, not by neuron.
    pub fn refill(&mut self, fill: impl FnOnce(&mut Vec<u32>)) {
        for &i in &self.events {
            self.mask[i as usize] = false;
        }
        self.events.clear();
        fill(&mut self.events);
        for &i in &self.events {
            self.mask[i as usize] = true;
        }
    }
}

/// The neurons of a population that fired at this step.
#[doc(alias = "spikes")]
#[derive(Component, Clone, Debug, Default, PartialEq, Eq)]
pub struct Spikes(pub SpikeSet);

/// Neurons fire where `v >= threshold`, and `v` becomes `v_reset` there. Every neuron model brings it.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[require(
    MembranePotential,
    Threshold,
    Membrane,
    InputCurrent,
    NeuronState,
    ModelConstants,
    Spikes,
    ModelNames
)]
pub struct Fire;

/// Neurons that integrate and fire.
pub const NEURONS: Need = Need::of::<Fire>(Place::Own, "neuron model", "Lif::default()");

/// The spikes that an input population will fire at its next step, from a [`Stimulus`](crate::stimulus::Stimulus), a
/// [`PoissonSource`](crate::poisson_source::PoissonSource), a user's system or the program around the network. They are
/// taken once: the step after is silent unless they are set again.
#[derive(Component, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[require(Spikes)]
pub struct InputSpikes(Vec<u32>);

impl InputSpikes {
    /// Lets `neurons` fire, in any order.
    pub fn set(&mut self, neurons: &[u32]) {
        self.0.clear();
        self.add(neurons.iter().copied());
    }

    /// Lets `neurons` fire beside those that are to fire already.
    pub fn add(&mut self, neurons: impl IntoIterator<Item = u32>) {
        self.0.extend(neurons);
        if !self.0.is_sorted_by(|a, b| a < b) {
            self.0.sort_unstable();
            self.0.dedup();
        }
    }

    /// What will fire.
    pub fn get(&self) -> &[u32] {
        &self.0
    }
}

/// Where the systems of the stage stand.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FireSystems {
    Detect,
    Adapt,
}

type Firing<'w> = (&'w Threshold, &'w Membrane, &'w mut MembranePotential, &'w mut Spikes);

/// For every population with a voltage and a threshold, find the spikes and reset them.
fn detect_spikes(mut populations: Query<Firing, (With<Fire>, Without<Fused>)>) {
    for (threshold, membrane, mut v, mut spikes) in &mut populations {
        let v = &mut v.0[..];
        spikes.0.refill(|events| {
            for (block, v) in v.chunks_mut(BLOCK).enumerate() {
                let start = block * BLOCK;
                let first = events.len();
                crate::kernels::threshold::crossings(
                    v,
                    threshold.0.block(start, v.len()),
                    start as u32,
                    events,
                );
                for &i in &events[first..] {
                    v[i as usize - start] = membrane.v_reset.get(i as usize);
                }
            }
        });
    }
}

/// For every input population, let the spikes given to it fire.
fn take_input_spikes(
    mut problems: ResMut<Problems>,
    mut populations: Query<(&Name, &Population, &mut InputSpikes, &mut Spikes)>,
) {
    for (name, population, mut input, mut spikes) in &mut populations {
        if spikes.0.is_silent() && input.0.is_empty() {
            continue;
        }
        if let Some(&neuron) = input.0.last()
            && neuron as usize >= population.size()
        {
            let (population, size) = (name.to_string(), population.size());
            problems.push(Error::InputOutOfRange { population, size, neuron });
            input.0.clear();
        }
        spikes.0.refill(|events| events.append(&mut input.0));
    }
}

fn allocate_spikes(mut populations: Query<(&Population, &Unbuilt, &mut Spikes)>) {
    for (population, unbuilt, mut spikes) in &mut populations {
        if unbuilt.makes_state(spikes.0.mask().is_empty()) {
            spikes.0.resize(population.size());
        }
    }
}

/// Where nothing fires any more, the last spikes are not repeated.
pub(crate) fn silence(group: &mut EntityWorldMut<'_>) {
    if let Some(mut spikes) = group.get_mut::<Spikes>() {
        spikes.0.refill(|_| {});
    }
}

fn check_spike_sources(
    mut problems: ResMut<Problems>,
    populations: Query<&Name, (With<Fire>, With<InputSpikes>)>,
) {
    for name in &populations {
        problems.push(Error::TwoSpikeSources { population: name.into() });
    }
}

/// Checks spikes that a program is about to give to population `name`.
///
/// # Errors
/// [`Error::InputOutOfRange`].
pub fn check_input(name: &str, population: &Population, neurons: &[u32]) -> Result<()> {
    match neurons.iter().max() {
        Some(&neuron) if neuron as usize >= population.size() => {
            Err(Error::InputOutOfRange { population: name.into(), size: population.size(), neuron })
        }
        _ => Ok(()),
    }
}

pub(crate) fn install(world: &mut World) {
    registry::behaviour::<Fire>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::Fire)
        .after_taking(silence)
        .implied();
    registry::behaviour::<InputSpikes>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::Fire)
        .after_taking(silence)
        .saved();
    build_late::<NeuronState>(world);
    build_late::<Spikes>(world);
    world.schedule_scope(crate::schedule::Step, |_, step| {
        step.configure_sets(FireSystems::Detect.before(FireSystems::Adapt));
    });
    add_systems(
        world,
        StepSystems::Fire,
        (
            detect_spikes.in_set(FireSystems::Detect),
            // Never on a population that detects spikes: `check_spike_sources`.
            take_input_spikes.in_set(FireSystems::Detect).ambiguous_with(detect_spikes),
        ),
    );
    add_build_systems(world, BuildSystems::Allocate, allocate_spikes);
    add_build_systems(world, BuildSystems::Validate, check_spike_sources);
}
