//! Inputs of a case, as the user of conex would make them: spikes and currents that are set between steps, and systems
//! of the user's own where a case reaches into the middle of a step.

use super::case::{Arrays, Drive, Group, Simulation};
use super::trouble::{Result, skip};
use conex::Real;
use conex::prelude::*;
use conex::systems::record::state_variable;

/// Replaces the current of a projection.
#[derive(Component, Default)]
struct ForcedSynapticCurrent(Vec<Real>);

/// Replaces the input current of a population behind its dendrite.
#[derive(Component, Default)]
struct ForcedInputCurrent(Vec<Real>);

/// Is added to the potential of each neuron.
#[derive(Component, Default)]
struct AddedVoltage(Vec<Real>);

/// Replaces the spikes of neurons that have a potential.
#[derive(Component, Default)]
struct ForcedSpikes(Vec<u32>);

/// The potential just before neurons fire.
#[derive(Component, Default)]
struct PotentialBeforeFire(Vec<Real>);

fn force_synaptic_currents(mut projections: Query<(&ForcedSynapticCurrent, &mut SynapticCurrent)>) {
    for (forced, mut current) in &mut projections {
        current.set(&forced.0);
    }
}

fn force_input_currents(mut populations: Query<(&ForcedInputCurrent, &mut InputCurrent)>) {
    for (forced, mut input) in &mut populations {
        input.0.clone_from(&forced.0);
    }
}

fn add_voltages(mut populations: Query<(&AddedVoltage, &mut MembranePotential)>) {
    for (added, mut v) in &mut populations {
        v.0.iter_mut().zip(&added.0).for_each(|(v, added)| *v += added);
    }
}

fn force_spikes(mut populations: Query<(&ForcedSpikes, &mut Spikes)>) {
    for (forced, mut spikes) in &mut populations {
        spikes.0.refill(|events| events.extend_from_slice(&forced.0));
    }
}

fn watch_potentials(mut populations: Query<(&MembranePotential, &mut PotentialBeforeFire)>) {
    for (v, mut before) in &mut populations {
        before.0.clone_from(&v.0);
    }
}

/// Adds the systems to a network. Each acts only where its component is.
pub fn install(net: &mut Neocortex) {
    net.add_system(StepSystems::SynapticInput, force_synaptic_currents);
    net.add_system(StepSystems::Dendrite, force_input_currents);
    net.add_system(StepSystems::Noise, add_voltages);
    net.add_system(StepSystems::Stimulus, watch_potentials);
    net.add_system(StepSystems::Fire, force_spikes);
    state_variable(net.world_mut(), "v_before_fire", |group, values| {
        group.get::<PotentialBeforeFire>().map(|before| values.extend_from_slice(&before.0)).is_some()
    });
}

/// Lets the potential of a population be recorded as it is before neurons fire.
pub fn watch_potential(net: &mut Neocortex, population: Entity) {
    net.world_mut().entity_mut(population).insert(PotentialBeforeFire::default());
}

/// What a row of a drive is given to.
enum Target {
    InputSpikes,
    InjectedCurrent,
    ForcedSynapticCurrent,
    ForcedInputCurrent,
    AddedVoltage,
    ForcedSpikes,
    Payoff,
}

/// A drive that found its group.
pub struct Driven<'a> {
    target: Target,
    group: Entity,
    rows: &'a super::case::Array,
}

impl<'a> Driven<'a> {
    /// Chooses what the rows of `drive` are given to, and puts it on the group.
    pub fn new(net: &mut Neocortex, case: &Simulation, drive: &Drive, arrays: &'a Arrays) -> Result<Self> {
        let rows = arrays.get(&drive.array)?;
        if drive.kind == "payoff" {
            return Ok(Driven { target: Target::Payoff, group: Entity::PLACEHOLDER, rows });
        }
        let group = net.find(&drive.target)?;
        let has = |class: fn(&str) -> bool| {
            let named = |g: &&Group| g.name == drive.target;
            let behaviours = case.groups.iter().find(named).map_or(&[][..], |g| &g.behaviors);
            behaviours.iter().any(|b| class(&b.class))
        };
        let has_model = has(super::build::is_neuron_model);
        let has_dendrite = has(|class| class.starts_with("SimpleDendrite"));
        let mut entity = net.world_mut().entity_mut(group);
        let target = match &drive.kind[..] {
            "force_spikes" if has_model => {
                entity.insert(ForcedSpikes::default());
                Target::ForcedSpikes
            }
            "force_spikes" => {
                entity.insert(InputSpikes::default());
                Target::InputSpikes
            }
            "set_current" if has_dendrite => {
                entity.insert(ForcedInputCurrent::default());
                Target::ForcedInputCurrent
            }
            "set_current" | "add_proximal_current" => {
                entity.insert(InjectedCurrent::default());
                Target::InjectedCurrent
            }
            "add_voltage" => {
                entity.insert(AddedVoltage::default());
                Target::AddedVoltage
            }
            "set_synapse_current" => {
                entity.insert(ForcedSynapticCurrent::default());
                Target::ForcedSynapticCurrent
            }
            kind => return Err(skip(format!("no drive `{kind}`"))),
        };
        Ok(Driven { target, group, rows })
    }

    /// Gives row `t` to the group, before step `t`.
    pub fn apply(&self, net: &mut Neocortex, t: usize) -> Result<()> {
        if let Target::Payoff = self.target {
            // Double precision, whatever the engine's is.
            return Ok(net.set_payoff(self.rows.flat()[t])?);
        }
        let row = self.rows.row(t);
        let fired = || (0..).zip(&row).filter(|(_, x)| **x != 0.0).map(|(i, _)| i).collect::<Vec<u32>>();
        let mut entity = net.world_mut().entity_mut(self.group);
        match self.target {
            Target::InputSpikes => return Ok(net.set_input(self.group, &fired())?),
            Target::InjectedCurrent => entity.insert(InjectedCurrent::new(row)),
            Target::ForcedSynapticCurrent => entity.insert(ForcedSynapticCurrent(row)),
            Target::ForcedInputCurrent => entity.insert(ForcedInputCurrent(row)),
            Target::AddedVoltage => entity.insert(AddedVoltage(row)),
            Target::ForcedSpikes => entity.insert(ForcedSpikes(fired())),
            Target::Payoff => &mut entity,
        };
        Ok(())
    }
}
