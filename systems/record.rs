//! Stage `Record`: what recorders read, and when.
//!
//! A recorder is an entity that watches one group. Where the data go is a [`Sink`], which `conex` provides: memory, or a
//! file. Every state variable has a name; a user's own joins with [`state_variable`].

use crate::Real;
use crate::dendrite::DendriticCurrents;
use crate::dynamics::{InputCurrent, MembranePotential, NeuronState, Threshold};
use crate::error::{Error, Problems};
use crate::fire::Spikes;
use crate::group::Population;
use crate::homeostasis::{ActivityCount, Exhaustion};
use crate::relations::{Compartment, SubPopulation};
use crate::schedule::{StepSystems, add_systems};
use crate::spike_catching::{PostSpikes, PreSpikes};
use crate::synaptic_input::SynapticCurrent;
use crate::time::Clock;
use crate::traces::{PostTraceValues, PreTraceValues};
use bevy_ecs::prelude::*;
use bevy_ecs::resource::IsResource;
use bevy_ecs::world::EntityRef;

/// Where recorded data go.
pub trait Sink: Send + Sync {
    /// The values of a state variable at `time` \[ms\].
    ///
    /// # Errors
    /// Whatever keeps the data from being kept; the run ends with it.
    fn values(&mut self, time: f64, values: &[Real]) -> Result<(), String>;

    /// The neurons that fired at `time` \[ms\].
    ///
    /// # Errors
    /// Whatever keeps the data from being kept; the run ends with it.
    fn spikes(&mut self, time: f64, neurons: &[u32]) -> Result<(), String>;

    /// The value of a variable of the network at `time` \[ms\]. Default: as the one value of a state variable, in the
    /// engine's precision.
    ///
    /// # Errors
    /// Whatever keeps the data from being kept; the run ends with it.
    fn number(&mut self, time: f64, value: f64) -> Result<(), String> {
        self.values(time, &[value as Real])
    }
}

/// What a recorder reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Every spike, as an event.
    Spikes,
    /// A state variable by name.
    Variable(String),
    /// A variable of the network by name, whichever group the recorder names.
    Network(String),
}

/// Watches a group: its spikes at every step, or a state variable every few steps.
#[doc(alias = "EventRecorder")]
#[doc(alias = "StateMonitor")]
#[derive(Component, Clone, Debug, PartialEq, Eq)]
pub struct Recorder {
    /// The population or projection; `Entity::PLACEHOLDER` for a variable of the network.
    pub of: Entity,
    /// What is read.
    pub watch: Watch,
    /// Steps from one reading of a variable to the next; spikes are read at every step.
    pub every: u64,
}

impl Recorder {
    fn is_due(&self, clock: &Clock) -> bool {
        clock.iteration.is_multiple_of(self.every)
    }
}

/// Where a recorder's data go.
#[derive(Component)]
pub struct RecorderSink(pub Box<dyn Sink>);

/// Switches a recorder off while it is there.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct RecordingOff;

type Read = fn(EntityRef<'_>, &mut Vec<Real>) -> bool;

/// The state variables that can be recorded, by name.
#[derive(Resource, Default)]
pub struct StateVariables(Vec<(&'static str, Read)>);

impl StateVariables {
    /// Reads the variable `name` of a group into `values`; false if the group has no such variable.
    pub fn read(&self, name: &str, group: EntityRef<'_>, values: &mut Vec<Real>) -> bool {
        values.clear();
        if let Some(own) = group.get::<NeuronState>().and_then(|state| state.get(name)) {
            values.extend_from_slice(own);
            return true;
        }
        self.0.iter().any(|(n, read)| *n == name && read(group, values))
    }

    /// Reads the variable `name` of a group, or, of a part of a population, that of its neurons in the `whole`; false if
    /// neither has it.
    pub fn read_part(
        &self,
        name: &str,
        group: EntityRef<'_>,
        whole: Option<EntityRef<'_>>,
        values: &mut Vec<Real>,
    ) -> bool {
        if self.read(name, group, values) {
            return true;
        }
        let (Some(part), Some(whole)) = (group.get::<SubPopulation>(), whole) else { return false };
        let n = whole.get::<Population>().map(Population::size);
        // What is not one number a neuron has no part.
        if !self.read(name, whole, values) || Some(values.len()) != n {
            return false;
        }
        // The neurons of a part ascend, so each is read before its place is written.
        for (k, &j) in part.neurons.iter().enumerate() {
            values[k] = values[j as usize];
        }
        values.truncate(part.neurons.len());
        true
    }

    /// The names of all variables that `group` has.
    pub fn of(&self, group: EntityRef<'_>) -> Vec<&'static str> {
        let own = group.get::<NeuronState>().map_or(&[][..], |state| state.names());
        let mut scratch = Vec::new();
        let shared = self.0.iter().filter(|(_, read)| read(group, &mut scratch)).map(|(name, _)| *name);
        own.iter().copied().chain(shared).collect()
    }
}

/// Makes a state variable known by `name`: `read` appends its values and returns true where a group has it.
pub fn state_variable(world: &mut World, name: &'static str, read: Read) {
    world.get_resource_or_init::<StateVariables>().0.push((name, read));
}

type ReadNetwork = fn(&World) -> Option<f64>;

/// The variables of the network as a whole that can be recorded, by name: `payoff` and `dopamine`.
#[derive(Resource, Default)]
pub struct NetworkVariables(Vec<(&'static str, ReadNetwork)>);

impl NetworkVariables {
    /// Reads the variable `name`; none if the network does not have it.
    pub fn read(&self, name: &str, world: &World) -> Option<f64> {
        self.0.iter().find(|(n, _)| *n == name).and_then(|(_, read)| read(world))
    }

    /// The names of all variables that are known.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().map(|(name, _)| *name)
    }
}

/// Makes a variable of the network known by `name`: `read` gives its value where the network has it.
pub fn network_variable(world: &mut World, name: &'static str, read: ReadNetwork) {
    world.get_resource_or_init::<NetworkVariables>().0.push((name, read));
}

type RecorderIsOn = (With<RecorderSink>, Without<RecordingOff>);

/// For every recorder of a variable of the network that is on, read what is due.
fn record_network(world: &mut World, recorders: &mut QueryState<(Entity, &Recorder), RecorderIsOn>) {
    let (clock, variables) = (*world.resource::<Clock>(), world.resource::<NetworkVariables>());
    let read = recorders.iter(world).filter(|(_, recorder)| recorder.is_due(&clock));
    let read = read.filter_map(|(entity, recorder)| match &recorder.watch {
        Watch::Network(name) => Some((entity, variables.read(name, world).ok_or_else(|| name.clone()))),
        _ => None,
    });
    let read: Vec<_> = read.collect();
    for (entity, value) in read {
        let kept = match (value, world.get_mut::<RecorderSink>(entity)) {
            (Ok(value), Some(mut sink)) => sink.0.number(clock.now(), value),
            (Ok(_), None) => Ok(()),
            (Err(name), _) => Err(format!("the network has no `{name}` any more")),
        };
        if let Err(reason) = kept {
            let recorder = world.get::<Name>(entity).map_or_else(String::new, Name::to_string);
            world.resource_mut::<Problems>().push(Error::Recorder { recorder, reason });
        }
    }
}

/// For every recorder of a group that is on, read what is due.
fn record(
    clock: Res<Clock>,
    variables: Res<StateVariables>,
    mut problems: ResMut<Problems>,
    mut recorders: Query<(&Name, &Recorder, &mut RecorderSink), Without<RecordingOff>>,
    groups: Query<EntityRef, (Without<RecorderSink>, Without<IsResource>)>,
    mut values: Local<Vec<Real>>,
) {
    for (name, recorder, mut sink) in &mut recorders {
        // A group that was despawned is watched no more.
        let Ok(group) = groups.get(recorder.of) else { continue };
        let kept = match &recorder.watch {
            Watch::Spikes => {
                let spikes = group.get::<Spikes>().filter(|s| !s.0.is_silent());
                spikes.map_or(Ok(()), |s| sink.0.spikes(clock.now(), s.0.events()))
            }
            Watch::Variable(variable) => {
                if !recorder.is_due(&clock) {
                    continue;
                }
                let whole = group.get::<SubPopulation>().and_then(|part| groups.get(part.of).ok());
                if variables.read_part(variable, group, whole, &mut values) {
                    sink.0.values(clock.now(), &values)
                } else {
                    Err(format!("there is no state variable `{variable}` any more"))
                }
            }
            Watch::Network(_) => continue,
        };
        if let Err(reason) = kept {
            problems.push(Error::Recorder { recorder: name.into(), reason });
        }
    }
}

fn copy<'a, C: Component>(
    group: EntityRef<'a>,
    values: &mut Vec<Real>,
    read: impl FnOnce(&'a C) -> &'a [Real],
) -> bool {
    group.get::<C>().map(|c| values.extend_from_slice(read(c))).is_some()
}

fn flags<C: Component>(group: EntityRef<'_>, values: &mut Vec<Real>, read: fn(&C) -> &[bool]) -> bool {
    let component = group.get::<C>();
    component.map(|c| values.extend(read(c).iter().map(|&b| Real::from(u8::from(b))))).is_some()
}

pub(crate) fn install(world: &mut World) {
    world.init_resource::<StateVariables>();
    world.init_resource::<NetworkVariables>();
    let variables: [(&'static str, Read); 14] = [
        ("v", |g, out| copy::<MembranePotential>(g, out, |c| &c.0)),
        ("I", |g, out| copy::<InputCurrent>(g, out, |c| &c.0)),
        ("spikes", |g, out| flags::<Spikes>(g, out, |c| c.0.mask())),
        ("threshold", |g, out| {
            let (Some(threshold), Some(n)) = (g.get::<Threshold>(), g.get::<Population>()) else {
                return false;
            };
            out.extend(threshold.0.to_vec(n.size()));
            true
        }),
        ("I_proximal", |g, out| copy::<DendriticCurrents>(g, out, |c| c.now(Compartment::Proximal))),
        ("I_distal", |g, out| copy::<DendriticCurrents>(g, out, |c| c.now(Compartment::Distal))),
        ("I_apical", |g, out| copy::<DendriticCurrents>(g, out, |c| c.now(Compartment::Apical))),
        ("exhaustion", |g, out| copy::<Exhaustion>(g, out, |c| &c.0)),
        ("activities", |g, out| copy::<ActivityCount>(g, out, |c| &c.activities)),
        ("I", |g, out| copy::<SynapticCurrent>(g, out, |c| &c.values)),
        ("pre_spike", |g, out| flags::<PreSpikes>(g, out, |c| c.0.mask())),
        ("post_spike", |g, out| flags::<PostSpikes>(g, out, |c| c.0.mask())),
        ("pre_trace", |g, out| copy::<PreTraceValues>(g, out, |c| &c.0)),
        ("post_trace", |g, out| copy::<PostTraceValues>(g, out, |c| &c.0)),
    ];
    for (name, read) in variables {
        state_variable(world, name, read);
    }
    add_systems(
        world,
        StepSystems::Record,
        (record, record_network, crate::diagnostics::check_finite).chain(),
    );
}
