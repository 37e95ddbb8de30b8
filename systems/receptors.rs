//! Receptors: where spikes arrive at neurons whose model has synapses of its own.

use crate::Real;
use crate::dendrite::{DendriteSystems, SimpleDendriteStructure};
use crate::dynamics::InputCurrent;
use crate::error::{Error, Problems};
use crate::group::{Unbuilt, build_late};
use crate::kernels::decay::{add, add_scaled};
use crate::parameter::Param;
use crate::relations::{Afferents, SubPopulation, SubPopulations};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use crate::synaptic_input::SynapticCurrent;
use crate::weights::DestinationDelays;
use bevy_ecs::prelude::*;

/// What arrives at the receptors of each neuron at this step. Neuron models with synapses of their own bring it; it takes
/// the place of a dendrite.
///
/// Where there are two receptors, the first takes what excites, the second the magnitude of what inhibits; a single one
/// takes both, with their signs. Of [`Static`](crate::delivery::Static) synapses each reaches a receptor by its own sign; what
/// other projections bring is added up first, so all their weights must have the sign that their source stands for. A
/// projection whose currents have synaptic dynamics of their own
/// ([`ExponentialSynapse`](crate::synaptic_dynamics::ExponentialSynapse), for instance) brings a current, which joins the
/// [`InputCurrent`].
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct Receptors {
    /// One value a neuron, for each receptor. Filled where the stages run one by one; where a population is advanced in units,
    /// what arrives goes from the sums straight into the neurons.
    pub arrived: [Vec<Real>; 2],
    /// What this step's currents of projections bring beside, and whether that is anything.
    pub(crate) added: [Vec<Real>; 2],
    pub(crate) silent: bool,
    /// How many receptors the neurons have.
    pub(crate) count: usize,
    /// Whether a current of a projection stands in the input current.
    drives: bool,
    /// The input current of all neurons, where it is one. Kept by the pass in units.
    pub(crate) even_input: Option<Real>,
    /// Whether all potentials were finite at the end of the last pass in units.
    pub(crate) sound: bool,
}

impl Receptors {
    /// How many receptors each neuron has.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Sizes the arrays for `n` neurons with `count` receptors.
    pub(crate) fn resize(&mut self, n: usize, count: usize) {
        let sized = || std::array::from_fn(|k| vec![0.0; if k < count { n } else { 0 }]);
        let (arrived, added) = (sized(), sized());
        *self = Receptors { arrived, added, silent: true, count, sound: true, ..Receptors::default() };
    }

    /// Adds `current` at `neurons`, or at all. Where excitation has a receptor of its own, each of the two takes numbers
    /// of one sign only: the first neuron that would get another is given back, with what it would get.
    fn take(
        &mut self,
        current: &SynapticCurrent,
        neurons: Option<&[u32]>,
    ) -> std::result::Result<(), (usize, Real)> {
        let second = current.sign() < 0.0 && self.count == 2;
        let gain: Real = if second { -1.0 } else { 1.0 };
        if self.count == 2
            && let Some(k) = current.values.iter().position(|x| gain * x < 0.0)
        {
            return Err((neurons.map_or(k, |neurons| neurons[k] as usize), current.values[k]));
        }
        if self.silent {
            self.added.iter_mut().for_each(|added| added.fill(0.0));
            self.silent = false;
        }
        let added = &mut self.added[usize::from(second)];
        match neurons {
            None => add_scaled(added, gain, &current.values),
            Some(neurons) => {
                neurons.iter().zip(&current.values).for_each(|(&j, x)| added[j as usize] += gain * x);
            }
        }
        Ok(())
    }
}

type Receiving<'w> = (
    &'w Name,
    Option<&'w Afferents>,
    Option<&'w SubPopulations>,
    &'w mut Receptors,
    &'w mut InputCurrent,
    Has<crate::dendrite::InjectedCurrent>,
);

/// For every population with receptors, take up the currents of its afferents, oldest projection first, then those of
/// the afferents of its parts.
fn receive(
    mut problems: ResMut<Problems>,
    mut populations: Query<Receiving>,
    parts: Query<(&SubPopulation, &Afferents)>,
    currents: Query<(&Name, &SynapticCurrent)>,
) {
    for (name, afferents, sub_populations, mut receptors, mut input, injected) in &mut populations {
        let receptors = &mut *receptors;
        receptors.silent = true;
        if receptors.drives && !injected {
            input.0.fill(0.0);
        }
        receptors.drives = false;
        let own = afferents.into_iter().flat_map(|a| a.iter()).map(|projection| (projection, None));
        let parts =
            sub_populations.into_iter().flat_map(|p| p.iter()).filter_map(|part| parts.get(part).ok());
        let of_parts =
            parts.flat_map(|(part, afferents)| afferents.iter().map(|p| (p, Some(&part.neurons[..]))));
        for (projection, neurons) in own.chain(of_parts) {
            let Ok((projection, current)) = currents.get(projection) else { continue };
            if current.silent {
                continue;
            }
            if !current.is_shaped() {
                if let Err((neuron, value)) = receptors.take(current, neurons) {
                    problems.push(Error::WrongReceptor {
                        projection: projection.into(),
                        population: name.into(),
                        receptor: if current.sign() < 0.0 { "inhibition" } else { "excitation" },
                        neuron,
                        value: f64::from(value),
                    });
                }
                continue;
            }
            receptors.drives = true;
            match neurons {
                None => add(&mut input.0, &current.values),
                Some(neurons) => {
                    neurons.iter().zip(&current.values).for_each(|(&j, x)| input.0[j as usize] += x);
                }
            }
        }
    }
}

/// For every population with receptors that is not advanced in units, add what its afferents bring to what arrived.
fn join(mut populations: Query<&mut Receptors, Without<crate::delivery::Fused>>) {
    for mut receptors in &mut populations {
        if !receptors.silent {
            let Receptors { arrived, added, count, .. } = &mut *receptors;
            (0..*count).for_each(|k| add(&mut arrived[k], &added[k]));
        }
    }
}

/// For every population with receptors that is not advanced in units and that no static synapse reaches, begin anew.
fn forget(mut populations: Query<&mut Receptors, Without<crate::delivery::Fused>>) {
    for mut receptors in &mut populations {
        receptors.arrived.iter_mut().for_each(|arrived| arrived.fill(0.0));
    }
}

type Checked<'w> = (&'w Name, Has<SimpleDendriteStructure>, Option<&'w Afferents>);

/// Receptors take the place of a dendrite, and wait for nothing.
fn check_receptors(
    mut problems: ResMut<Problems>,
    populations: Query<Checked, With<Receptors>>,
    projections: Query<(&Name, &DestinationDelays), With<Unbuilt>>,
    fresh: Query<(), With<Unbuilt>>,
    receivers: Query<Entity, With<Receptors>>,
) {
    for entity in &receivers {
        let Ok((name, has_dendrite, afferents)) = populations.get(entity) else { continue };
        if has_dendrite && fresh.contains(entity) {
            problems.push(Error::DendriteAndReceptors { population: name.into() });
        }
        for (projection, delays) in
            afferents.into_iter().flat_map(|a| a.iter()).filter_map(|p| projections.get(p).ok())
        {
            if !delays.0.is_empty() {
                let (projection, population) = (projection.to_string(), name.to_string());
                problems.push(Error::DelayAtReceptors { projection, population });
            }
        }
    }
}

/// The parameter of `n` neurons that `f` makes of others: one number, if they all are.
pub(crate) fn derived<const K: usize>(from: [&Param; K], f: impl Fn([f64; K]) -> f64) -> Param {
    let at = |j: usize| f(from.map(|p| f64::from(p.get(j)))) as Real;
    match from.iter().filter_map(|p| p.count()).min() {
        None => Param::uniform(at(0)),
        Some(n) => (0..n).map(at).collect::<Vec<_>>().into(),
    }
}

pub(crate) fn install(world: &mut World) {
    build_late::<Receptors>(world);
    add_systems(world, StepSystems::Dendrite, forget.before(DendriteSystems::Gather));
    add_systems(world, StepSystems::Dendrite, receive.in_set(DendriteSystems::Receive));
    add_systems(world, StepSystems::Dendrite, join.in_set(DendriteSystems::Join));
    add_build_systems(world, BuildSystems::Validate, check_receptors);
}
