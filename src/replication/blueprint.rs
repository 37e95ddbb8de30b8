//! What a structure consists of, as a value, and how it is edited.

use crate::error::Result;
use crate::network::closest;
use crate::structure::{Direction, Structure};
use conex_systems::Error;
use conex_systems::group::Grid;
use conex_systems::registry::{Value, name_of};
use conex_systems::reward::Dopamine;
use conex_systems::time::TimeScaling;
use serde::{Deserialize, Serialize};

/// Behaviours by name, each with its parameters, in the order of the step.
pub type Behaviours = serde_json::Map<String, Value>;

/// A structure and everything in it. Names are relative to it: `exc`, or `L4/exc` in a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
    /// Its name within the structure around it, or where it was saved.
    pub name: String,
    /// What kind of structure it is.
    pub kind: Structure,
    /// Of a whole network: how it computes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkSettings>,
    /// Of a connection: the layers that it joins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<(String, String)>,
    /// Behaviours of its own.
    #[serde(default, skip_serializing_if = "Behaviours::is_empty")]
    pub behaviours: Behaviours,
    /// Its populations, in the order in which they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub populations: Vec<SavedPopulation>,
    /// The structures in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub structures: Vec<Blueprint>,
    /// Its projections, in the order in which they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projections: Vec<SavedProjection>,
    /// Its ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<SavedPort>,
    /// What joins ports of the structures in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub synapses: Vec<SavedSynapsis>,
}

/// How a network computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSettings {
    /// Time resolution \[ms\].
    pub dt: f64,
    /// The seed that every random draw follows from.
    pub seed: u64,
    /// What dt scales.
    #[serde(default)]
    pub time_scaling: TimeScaling,
    /// Its dopamine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dopamine: Option<Dopamine>,
}

/// A population.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPopulation {
    /// Its name within the structure.
    pub name: String,
    /// How its neurons are laid out.
    pub shape: Grid,
    /// Of which population it is a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// Its behaviours.
    #[serde(default)]
    pub behaviours: Behaviours,
    /// Behaviours that could not be saved, data for instance: whoever builds it has to add them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// Which neurons of a population make a part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The whole.
    pub of: String,
    /// Its neurons, ascending.
    pub neurons: Vec<u32>,
}

/// A projection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedProjection {
    /// Its name within the structure.
    pub name: String,
    /// The population that it comes from; of a connection, within its source.
    pub source: String,
    /// The population that it goes to; of a connection, within its target.
    pub target: String,
    /// Its behaviours.
    #[serde(default)]
    pub behaviours: Behaviours,
    /// Behaviours that could not be saved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// A port, and what is behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPort {
    /// What it is called.
    pub label: String,
    /// Which way it leads.
    pub direction: Direction,
    /// What is behind it.
    pub gates: Vec<SavedGate>,
}

/// One thing behind a port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedGate {
    /// What is behind the port.
    pub inner: Joined,
    /// What a connection through it gains.
    #[serde(default, skip_serializing_if = "Behaviours::is_empty")]
    pub behaviours: Behaviours,
}

/// A population, or a structure with a port of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Joined {
    /// Its name within the structure.
    pub of: String,
    /// The port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
}

/// A connection through ports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedSynapsis {
    /// Its name within the structure.
    pub name: String,
    /// Where it comes from.
    pub source: Joined,
    /// Where it goes.
    pub target: Joined,
    /// What its projections have.
    #[serde(default, skip_serializing_if = "Behaviours::is_empty")]
    pub behaviours: Behaviours,
}

/// A saved population or projection, to be edited.
pub trait SavedGroup {
    /// Its name.
    fn name(&self) -> &str;

    /// Its behaviours.
    fn behaviours(&mut self) -> &mut Behaviours;

    /// Gives it `behaviour`, in place of one of its type if there is one.
    ///
    /// # Errors
    /// A behaviour that cannot be written down.
    fn set<B: Serialize>(&mut self, behaviour: &B) -> Result<&mut Self> {
        let value = to_value(behaviour, self.name())?;
        self.behaviours().insert(name_of::<B>(), value);
        Ok(self)
    }

    /// Sets one parameter of a behaviour that it has.
    ///
    /// # Errors
    /// A behaviour that it does not have, or a parameter that the behaviour does not have; the error suggests one that is
    /// similar.
    fn set_parameter(
        &mut self,
        behaviour: &str,
        parameter: &str,
        value: impl Serialize,
    ) -> Result<&mut Self> {
        let value = to_value(&value, self.name())?;
        let place = format!("`{}`", self.name());
        let behaviours = self.behaviours();
        let known: Vec<String> = behaviours.keys().cloned().collect();
        let Some(found) = behaviours.get_mut(behaviour) else {
            return Err(unknown("behaviour", behaviour, known.iter().map(String::as_str)));
        };
        match found {
            Value::Object(parameters) => {
                let known: Vec<String> = parameters.keys().cloned().collect();
                match parameters.get_mut(parameter) {
                    Some(old) => *old = value,
                    None => return Err(unknown("parameter", parameter, known.iter().map(String::as_str))),
                }
            }
            _ => {
                let reason = format!("{behaviour} has no parameters with names: set it as a whole");
                return Err(Error::NotLoaded { place, reason }.into());
            }
        }
        Ok(self)
    }

    /// Takes a behaviour away.
    ///
    /// # Errors
    /// A behaviour that it does not have; the error suggests one that is similar.
    fn remove(&mut self, behaviour: &str) -> Result<&mut Self> {
        let behaviours = self.behaviours();
        if behaviours.shift_remove(behaviour).is_none() {
            return Err(unknown("behaviour", behaviour, behaviours.keys().map(String::as_str)));
        }
        Ok(self)
    }
}

fn to_value(value: &impl Serialize, group: &str) -> Result<Value> {
    // Through text, where a number of 32 bits is written as short as it can be.
    let text = serde_json::to_string(value);
    text.and_then(|text| serde_json::from_str(&text))
        .map_err(|e| Error::NotSaved { group: group.to_string(), reason: e.to_string() }.into())
}

pub(super) fn unknown<'a>(
    kind: &'static str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> crate::Error {
    Error::UnknownName { kind, name: name.to_string(), suggestion: closest(name, known) }.into()
}

impl SavedGroup for SavedPopulation {
    fn name(&self) -> &str {
        &self.name
    }
    fn behaviours(&mut self) -> &mut Behaviours {
        &mut self.behaviours
    }
}

impl SavedPopulation {
    /// Lays its neurons out anew.
    pub fn resize(&mut self, shape: impl Into<Grid>) -> &mut Self {
        self.shape = shape.into();
        self
    }
}

impl SavedGroup for SavedProjection {
    fn name(&self) -> &str {
        &self.name
    }
    fn behaviours(&mut self) -> &mut Behaviours {
        &mut self.behaviours
    }
}

impl Blueprint {
    /// Nothing but a name and a kind.
    pub fn new(name: &str, kind: Structure) -> Self {
        Blueprint {
            name: name.to_string(),
            kind,
            network: None,
            between: None,
            behaviours: Behaviours::new(),
            populations: Vec::new(),
            structures: Vec::new(),
            projections: Vec::new(),
            ports: Vec::new(),
            synapses: Vec::new(),
        }
    }

    /// The population `path`, to be edited: `exc`, or `L4/exc` in a structure within.
    ///
    /// # Errors
    /// There is none; the error suggests one that is similar.
    pub fn population(&mut self, path: &str) -> Result<&mut SavedPopulation> {
        let known = self.population_names();
        let found = find(self, path, |b, name| b.populations.iter_mut().find(|p| p.name == name));
        found.ok_or_else(|| unknown("population", path, known.iter().map(String::as_str)))
    }

    /// The projection `path`, to be edited: `exc -> inh`, or `L4/exc -> inh` in a structure within.
    ///
    /// # Errors
    /// There is none; the error suggests one that is similar.
    pub fn projection(&mut self, path: &str) -> Result<&mut SavedProjection> {
        let known = self.projection_names();
        let found = find(self, path, |b, name| b.projections.iter_mut().find(|p| p.name == name));
        found.ok_or_else(|| unknown("projection", path, known.iter().map(String::as_str)))
    }

    /// The structure `path` within, to be edited.
    ///
    /// # Errors
    /// There is none; the error suggests one that is similar.
    pub fn structure(&mut self, path: &str) -> Result<&mut Blueprint> {
        let known: Vec<String> = self.structures.iter().map(|s| s.name.clone()).collect();
        let found = find(self, path, |b, name| b.structures.iter_mut().find(|s| s.name == name));
        found.ok_or_else(|| unknown("structure", path, known.iter().map(String::as_str)))
    }

    /// Every projection in it and in the structures within, to be edited.
    pub fn each_projection(&mut self, mut edit: impl FnMut(&mut SavedProjection)) {
        fn visit(blueprint: &mut Blueprint, edit: &mut dyn FnMut(&mut SavedProjection)) {
            blueprint.projections.iter_mut().for_each(&mut *edit);
            blueprint.structures.iter_mut().for_each(|s| visit(s, edit));
        }
        visit(self, &mut edit);
    }

    /// The populations in it and in the structures within, by path.
    pub fn population_names(&self) -> Vec<String> {
        self.names(|b| b.populations.iter().map(|p| p.name.clone()).collect())
    }

    /// The projections in it and in the structures within, by path.
    pub fn projection_names(&self) -> Vec<String> {
        self.names(|b| b.projections.iter().map(|p| p.name.clone()).collect())
    }

    fn names(&self, of: fn(&Blueprint) -> Vec<String>) -> Vec<String> {
        let within = self.structures.iter();
        let within =
            within.flat_map(|s| s.names(of).into_iter().map(move |name| format!("{}/{name}", s.name)));
        of(self).into_iter().chain(within).collect()
    }
}

/// Looks `path` up here, or in the structure within that it begins with.
fn find<'b, T>(
    blueprint: &'b mut Blueprint,
    path: &str,
    get: impl Fn(&'b mut Blueprint, &str) -> Option<&'b mut T> + Copy,
) -> Option<&'b mut T> {
    let within = blueprint
        .structures
        .iter()
        .position(|s| path.strip_prefix(&s.name).is_some_and(|rest| rest.starts_with('/') && rest.len() > 1));
    match within {
        Some(at) => {
            let structure = &mut blueprint.structures[at];
            let rest = path.len() - (path.len() - structure.name.len() - 1);
            find(structure, &path[rest..], get)
        }
        None => get(blueprint, path),
    }
}
