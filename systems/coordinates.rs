//! Where neurons stand in space.

use crate::Real;
use crate::dynamics::{Range, check_parameter};
use crate::error::Problems;
use crate::group::{Grid, Population, Unbuilt, build_late};
use crate::record::state_variable;
use crate::registry::{self, GroupKind};
use crate::schedule::{BuildSystems, add_build_systems};
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// The place of each neuron of a population, one number a neuron and direction.
///
/// Where none are given, the Build schedule takes them from the grid: x is the column, y the row and z the plane, times
/// `spacing`. A network reads them by `net.state(group, "x")` and so on, of a part of a population too, and all three by
/// `net.coordinates(group)`.
#[doc(alias = "NeuronDimension")]
#[doc(alias = "positions")]
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct Coordinates {
    /// Along the columns \[unit of `spacing`\]. Default: from the grid.
    pub x: Vec<Real>,
    /// Along the rows. Default: from the grid.
    pub y: Vec<Real>,
    /// Along the planes. Default: from the grid.
    pub z: Vec<Real>,
    /// Distance between neighbours of the grid. Default 1.
    pub spacing: Real,
    /// Whether the middle of the grid is at 0, rather than its first neuron. Default false.
    pub centred: bool,
    from_grid: bool,
}

impl Default for Coordinates {
    fn default() -> Self {
        let none = Vec::new;
        Coordinates { x: none(), y: none(), z: none(), spacing: 1.0, centred: false, from_grid: false }
    }
}

impl Coordinates {
    /// Those of the grid.
    pub fn grid() -> Self {
        Self::default()
    }

    /// Given ones, one a neuron.
    pub fn given(x: Vec<Real>, y: Vec<Real>, z: Vec<Real>) -> Self {
        Coordinates { x, y, z, ..Self::default() }
    }

    /// Sets the distance between neighbours of the grid.
    #[must_use]
    pub fn spacing(self, spacing: Real) -> Self {
        Coordinates { spacing, ..self }
    }

    /// Puts the middle of the grid at 0.
    #[must_use]
    pub fn centred(self) -> Self {
        Coordinates { centred: true, ..self }
    }

    /// Those of some of the neurons, in the order of `neurons`; numbers that no neuron has are left out.
    #[must_use]
    pub fn of(&self, neurons: &[u32]) -> Self {
        let some = |all: &[Real]| neurons.iter().filter_map(|&j| all.get(j as usize)).copied().collect();
        Self::given(some(&self.x), some(&self.y), some(&self.z))
    }

    fn is_empty(&self) -> bool {
        self.x.is_empty() && self.y.is_empty() && self.z.is_empty()
    }

    fn fill(&mut self, grid: Grid) {
        let Grid { depth, height, width } = grid;
        let along = |place: fn(usize, usize, usize) -> usize, side: usize| {
            let middle = if self.centred { (side - 1) as Real / 2.0 } else { 0.0 };
            let neurons = (0..grid.len()).map(|j| (place(j, height, width) as Real - middle) * self.spacing);
            neurons.collect()
        };
        let x = along(|j, _, width| j % width, width);
        let y = along(|j, height, width| j / width % height, height);
        let z = along(|j, height, width| j / (width * height), depth);
        (self.x, self.y, self.z, self.from_grid) = (x, y, z, true);
    }
}

/// How they stand in files: what follows from the grid is left out.
#[derive(Serialize, Deserialize)]
#[serde(default, rename = "Coordinates")]
struct Saved {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    x: Vec<Real>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    y: Vec<Real>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    z: Vec<Real>,
    spacing: Real,
    centred: bool,
}

impl Default for Saved {
    fn default() -> Self {
        Coordinates::default().into()
    }
}

impl From<Coordinates> for Saved {
    fn from(coordinates: Coordinates) -> Self {
        let Coordinates { x, y, z, spacing, centred, from_grid } = coordinates;
        let (x, y, z) = if from_grid { Default::default() } else { (x, y, z) };
        Saved { x, y, z, spacing, centred }
    }
}

impl From<Saved> for Coordinates {
    fn from(Saved { x, y, z, spacing, centred }: Saved) -> Self {
        Coordinates { x, y, z, spacing, centred, from_grid: false }
    }
}

/// For every new population with coordinates, take them from the grid, or check those that are given.
fn place_neurons(
    mut problems: ResMut<Problems>,
    mut populations: Query<(&Name, &Population, &mut Coordinates), With<Unbuilt>>,
) {
    for (name, population, mut coordinates) in &mut populations {
        let (n, behaviour) = (population.size(), "Coordinates");
        let spacing = coordinates.spacing.into();
        problems.check(check_parameter(name, behaviour, "spacing", &spacing, n, Range::NonZero));
        if coordinates.is_empty() || coordinates.from_grid {
            coordinates.fill(population.grid);
        }
        for (parameter, values) in [("x", &coordinates.x), ("y", &coordinates.y), ("z", &coordinates.z)] {
            problems.check(check_parameter(name, behaviour, parameter, &values[..].into(), n, Range::Any));
        }
    }
}

pub(crate) fn install(world: &mut World) {
    registry::behaviour::<Coordinates>(world).on(GroupKind::Population).saved();
    build_late::<Coordinates>(world);
    add_build_systems(world, BuildSystems::Allocate, place_neurons);
    state_variable(world, "x", |g, out| g.get::<Coordinates>().map(|c| out.extend(&c.x)).is_some());
    state_variable(world, "y", |g, out| g.get::<Coordinates>().map(|c| out.extend(&c.y)).is_some());
    state_variable(world, "z", |g, out| g.get::<Coordinates>().map(|c| out.extend(&c.z)).is_some());
}
