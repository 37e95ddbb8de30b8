//! What a rule joins: the populations at both ends of a projection.

use crate::coordinates::Coordinates;
use crate::error::Error;
use crate::group::{Grid, Population};
use crate::random::Streams;
use crate::relations::SubPopulation;
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;
use std::borrow::Cow;

/// One end of a projection.
#[derive(Clone, Debug)]
pub struct End<'a> {
    /// The population's name.
    pub name: &'a str,
    /// Its shape.
    pub grid: Grid,
    /// Where its neurons stand, if they stand anywhere.
    pub coordinates: Option<Cow<'a, Coordinates>>,
}

/// What the connections of a projection lie between, what they are drawn from, and by whom.
#[derive(Clone)]
pub struct Between<'a> {
    /// The projection's name.
    pub projection: &'a str,
    /// The population that it comes from.
    pub source: End<'a>,
    /// The population that it goes to.
    pub target: End<'a>,
    /// Whether neuron i of the source may reach neuron i of the target: false only within one population.
    pub autapses: bool,
    /// Where the draws come from.
    pub streams: Streams,
    /// The threads that may draw.
    pub workers: &'a Workers,
}

impl Between<'_> {
    /// The error that a parameter of the rule cannot be honoured.
    pub(super) fn fault(&self, parameter: &str, value: f64, requirement: String) -> Error {
        let (group, behaviour) = (self.projection.to_string(), "Connections".to_string());
        Error::ParameterRange { group, behaviour, parameter: parameter.into(), value, requirement }
    }
}

type Item<'w> = (&'w Name, &'w Population, Option<&'w Coordinates>, Option<&'w SubPopulation>);

/// All populations, to be looked up as ends of projections.
#[derive(SystemParam)]
pub(crate) struct Populations<'w, 's> {
    populations: Query<'w, 's, Item<'static>>,
}

impl Populations<'_, '_> {
    /// This population as an end. The neurons of a part stand where those of the whole do.
    pub(crate) fn end(&self, population: Entity) -> Option<End<'_>> {
        let (name, population, own, part) = self.populations.get(population).ok()?;
        let of_whole = || {
            let part = part?;
            let (_, _, whole, _) = self.populations.get(part.of).ok()?;
            Some(Cow::Owned(whole?.of(&part.neurons)))
        };
        let coordinates = own.map(Cow::Borrowed).or_else(of_whole);
        Some(End { name, grid: population.grid, coordinates })
    }
}
