//! What a projection of static synapses knows of itself: how to draw each of its synapses, whenever someone asks.

use super::{Foreign, Static};
use crate::Real;
use crate::connections::{Connections, RowScratch, Rows};
use crate::coordinates::Coordinates;
use crate::error::{Error, Problems, Result};
use crate::group::{Inhibitory, Population, Unbuilt};
use crate::random::{Seed, Streams};
use crate::relations::{Compartment, Postsynaptic, Presynaptic};
use crate::schedule::{BuildSystems, add_build_systems};
use crate::synaptic_input::{CurrentCoef, NoSelfConnections, SynapseView, SynapseViews};
use crate::time::Clock;
use crate::weights::{Given, SynapticDelays, WeightInitializer, steps};
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;

/// The static synapses of a projection. They are drawn from streams of their own row by row, when they are laid out and
/// whenever they are read: nothing of them is kept here.
#[derive(Component, Clone, Debug)]
pub struct StaticSynapses {
    rows: Rows,
    weights: WeightInitializer,
    delays: Option<SynapticDelays>,
    /// Given weights and delays of pairs, sorted as the rows are.
    given: (Option<Vec<Real>>, Option<Vec<Real>>),
    weight_streams: Streams,
    delay_streams: Streams,
    per_ms: f64,
    /// Sign and coefficient.
    pub(super) gain: Real,
    /// What one unit of a stored weight stands for, and the largest number stored: set when the synapses are laid out.
    pub(super) stored: Option<(f64, i32)>,
    /// How many there are, once they are laid out.
    pub(super) count: Option<u64>,
    pub(super) bytes: usize,
}

/// Synapses as a table: entry k of each column belongs to synapse k.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SynapseTable {
    /// Source neurons, ascending.
    pub pre: Vec<u32>,
    /// Target neurons.
    pub post: Vec<u32>,
    /// Weights, as they are stored; without the sign of an inhibitory source and the projection's coefficient.
    pub weight: Vec<Real>,
    /// Delays \[steps\].
    pub delay: Vec<u32>,
}

/// One row as it is drawn.
#[derive(Clone, Debug, Default)]
pub(super) struct DrawnRow {
    scratch: RowScratch,
    pub(super) targets: Vec<u32>,
    /// Weights before the gain.
    pub(super) weights: Vec<Real>,
    /// Delays \[steps\].
    pub(super) delays: Vec<u32>,
}

impl StaticSynapses {
    /// The number of synapses; before they are laid out, how many are expected.
    pub fn count(&self) -> u64 {
        self.count.unwrap_or(self.rows.expected())
    }

    /// Memory that they take \[bytes\], or will take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Draws the targets of source neuron i.
    pub(super) fn draw_targets(&self, i: u32, row: &mut DrawnRow) {
        self.rows.draw(i, &mut row.scratch, &mut row.targets);
    }

    /// Draws the row of source neuron i. False if the limits of a weight or a delay are never met.
    pub(super) fn draw(&self, i: u32, row: &mut DrawnRow) -> bool {
        self.draw_targets(i, row);
        self.draw_weights(i, row) && self.draw_delays(i, row)
    }

    /// Draws the weights of as many synapses as there are targets.
    pub(super) fn draw_weights(&self, i: u32, row: &mut DrawnRow) -> bool {
        let n = row.targets.len();
        row.weights.clear();
        if let (Some(given), Some(first)) = (&self.given.0, self.rows.first(i)) {
            row.weights.extend_from_slice(&given[first as usize..][..n]);
            return true;
        }
        let mut random = self.weight_streams.part(u64::from(i));
        for _ in 0..n {
            let Some(weight) = self.weights.draw(&mut random) else { return false };
            row.weights.push(weight);
        }
        true
    }

    fn draw_delays(&self, i: u32, row: &mut DrawnRow) -> bool {
        let n = row.targets.len();
        row.delays.clear();
        if let (Some(given), Some(first)) = (&self.given.1, self.rows.first(i)) {
            row.delays.extend(given[first as usize..][..n].iter().map(|&delay| steps(delay, self.per_ms)));
            return true;
        }
        let Some(delays) = &self.delays else {
            row.delays.resize(n, 1);
            return true;
        };
        let mut random = self.delay_streams.part(u64::from(i));
        for _ in 0..n {
            let Some(delay) = delays.draw(&mut random) else { return false };
            row.delays.push(steps(delay, self.per_ms));
        }
        true
    }

    /// What a weight is stored as.
    #[inline(always)]
    pub(super) fn quantize(&self, weight: Real, (unit, largest): (f64, i32)) -> i32 {
        let units = f64::from(weight * self.gain) * (1.0 / unit);
        // Casts saturate, and the bounds hold what a normal distribution draws once in a lifetime.
        ((units + if units < 0.0 { -0.5 } else { 0.5 }) as i32).clamp(-largest, largest)
    }

    /// All synapses, drawn once more.
    pub fn table(&self) -> SynapseTable {
        let mut table = SynapseTable::default();
        let mut row = DrawnRow::default();
        for i in 0..self.rows.len() as u32 {
            // What cannot be drawn was told when the network was built.
            if !self.draw(i, &mut row) {
                break;
            }
            table.pre.resize(table.pre.len() + row.targets.len(), i);
            table.post.extend_from_slice(&row.targets);
            table.delay.extend_from_slice(&row.delays);
            table.weight.extend(row.weights.iter().map(|&w| match self.stored {
                Some(stored) if self.gain != 0.0 => {
                    (f64::from(self.quantize(w, stored)) * stored.0 / f64::from(self.gain)) as Real
                }
                _ => w,
            }));
        }
        table
    }
}

type Fresh<'w> = (
    (Entity, &'w Name, &'w Unbuilt, &'w Static),
    (&'w Presynaptic, &'w Postsynaptic),
    Option<&'w Connections>,
    Option<&'w WeightInitializer>,
    Option<&'w SynapticDelays>,
    Option<&'w CurrentCoef>,
    (Has<NoSelfConnections>, Has<StaticSynapses>),
);

/// An end of a projection: size, sign and places.
type EndItem<'w> = (&'w Population, bool, Option<&'w Coordinates>);

type End<'w> = (&'w Population, Has<Inhibitory>, Option<&'w Coordinates>);

/// For every new projection of static synapses, prepare to draw them.
fn connect(
    mut commands: Commands,
    seed: Res<Seed>,
    clock: Res<Clock>,
    mut problems: ResMut<Problems>,
    projections: Query<Fresh>,
    populations: Query<End>,
) {
    for ((entity, name, unbuilt, _), ends, connections, weights, delays, coefficient, (no_self, known)) in
        &projections
    {
        if !unbuilt.makes_learned(!known) {
            continue;
        }
        let (Ok(pre), Ok(post)) = (populations.get(ends.0.0), populations.get(ends.1.0)) else { continue };
        // That they are missing is told with the other needs.
        let (Some(connections), Some(weights)) = (connections, weights) else { continue };
        let gain = coefficient.map_or(1.0, |c| c.0) * if pre.1 { -1.0 } else { 1.0 };
        let autapses = !(no_self && ends.0.0 == ends.1.0);
        let made = make(name, connections, weights, delays, (pre, post), autapses, gain, *seed, &clock);
        if let Some(synapses) = problems.check(made) {
            commands.entity(entity).insert(synapses);
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "all that is known of a projection")]
fn make(
    name: &str,
    connections: &Connections,
    weights: &WeightInitializer,
    delays: Option<&SynapticDelays>,
    (pre, post): (EndItem<'_>, EndItem<'_>),
    autapses: bool,
    gain: Real,
    seed: Seed,
    clock: &Clock,
) -> Result<StaticSynapses> {
    weights.check(name)?;
    let places = pre.2.zip(post.2);
    let sizes = (pre.0.size(), post.0.size());
    let (rows, order) = Rows::new(connections, name, sizes, autapses, places, seed)?;
    if let Some(delays) = delays {
        delays.check(name, order.as_ref().map(Vec::len))?;
    }
    let refuse = |parameter: &str, value: f64, requirement: String| {
        let (group, behaviour) = (name.to_string(), "WeightInitializer".to_string());
        Err(Error::ParameterRange { group, behaviour, parameter: parameter.into(), value, requirement })
    };
    if weights.density_or_one() < 1.0 {
        let requirement = "1 for `Static` synapses: `Connections` says how many there are".into();
        return refuse("density", weights.density_or_one(), requirement);
    }
    let sorted = |values: &[Real]| {
        let order = order.as_deref().unwrap_or_default();
        let mut sorted = vec![0.0; order.iter().filter(|&&at| at != u64::MAX).count()];
        let kept = order.iter().zip(values).filter(|(at, _)| **at != u64::MAX);
        kept.for_each(|(&at, &value)| sorted[at as usize] = value);
        sorted
    };
    let given_weights = match weights.given() {
        None => None,
        Some(Given::Dense { values, shape })
            if shape.len() == 1 && Some(values.len()) == order.as_ref().map(Vec::len) =>
        {
            if let Some(index) = values.iter().position(|w| !w.is_finite()) {
                let (projection, value) = (name.to_string(), f64::from(values[index]));
                return Err(Error::WeightNotFinite { projection, index, value });
            }
            Some(sorted(values))
        }
        Some(_) => {
            let expected = match &order {
                Some(order) => format!("[{}], one a pair", order.len()),
                None => "none: weights can be given to the pairs of `Connections::pairs` only".into(),
            };
            let given = format!("{:?}", weights.given_shape().unwrap_or_default());
            let projection = name.to_string();
            return Err(Error::WeightShape { projection, connectivity: "Static", expected, given });
        }
    };
    let given_delays = delays.and_then(SynapticDelays::listed).map(sorted);
    let bytes = rows.bytes();
    Ok(StaticSynapses {
        rows,
        weights: weights.clone(),
        delays: delays.cloned(),
        given: (given_weights, given_delays),
        weight_streams: seed.streams("weights", name),
        delay_streams: seed.streams("synaptic delays", name),
        per_ms: 1.0 / clock.dt,
        gain,
        stored: None,
        count: None,
        bytes,
    })
}

impl StaticSynapses {
    /// The largest magnitude of a weight times the gain, where it is known before all are drawn.
    pub(super) fn largest(&self) -> Option<f64> {
        let known = match &self.given.0 {
            Some(given) => Some(given.iter().fold(0.0, |most, w| f64::from(w.abs()).max(most))),
            None => self.weights.largest(),
        };
        known.map(|largest| largest * f64::from(self.gain.abs()))
    }
}

type FreshStatic = (With<Static>, With<Unbuilt>);

/// For every new projection of static synapses, refuse what would be ignored, and follow no later change of what is
/// folded into the stored weights.
fn check_foreign(mut problems: ResMut<Problems>, projections: Query<(&Name, Foreign), FreshStatic>) {
    for (name, (has_current, has_delays, compartment)) in &projections {
        let mut refuse = |behaviour: &str, why: &str| {
            problems.push(Error::NotForStatic {
                projection: name.into(),
                behaviour: behaviour.into(),
                why: why.into(),
            });
        };
        if has_current {
            refuse("another kind of connectivity", "keep one of them");
        }
        if has_delays {
            refuse("DelayInitializer", "each synapse has a delay of its own: use `SynapticDelays`, in ms");
        }
        if let Some(compartment @ (Compartment::Distal | Compartment::Apical)) = compartment {
            refuse(compartment.name(), "they end near the soma: use `Proximal`, or a kind such as `Sparse`");
        }
    }
}

type Folded<'w> = (&'w Name, Option<&'w CurrentCoef>, &'w StaticSynapses, &'w Presynaptic);

/// A coefficient or a sign that was changed between steps is in no stored weight.
fn check_folded(
    mut problems: ResMut<Problems>,
    projections: Query<Folded, With<Static>>,
    inhibitory: Query<(), With<Inhibitory>>,
) {
    for (name, coefficient, synapses, pre) in &projections {
        let sign = if inhibitory.contains(pre.0) { -1.0 } else { 1.0 };
        if coefficient.map_or(1.0, |c| c.0) * sign != synapses.gain {
            let why = "both are part of the stored weights, and cannot change between steps: put it back, or remove \
                       the projection and make it anew";
            let behaviour = "a `CurrentCoef` or an `Inhibitory` source that was changed".to_string();
            problems.push(Error::NotForStatic { projection: name.into(), behaviour, why: why.into() });
        }
    }
}

/// What descriptions say of static synapses.
fn view(projection: EntityRef<'_>) -> Option<SynapseView<'_>> {
    let synapses = projection.get::<StaticSynapses>()?;
    let count = synapses.count() as usize;
    Some(SynapseView { shape: vec![count], count, weights: &[], bytes: synapses.bytes() })
}

pub(super) fn install(world: &mut World) {
    world.get_resource_or_init::<SynapseViews>().add(view);
    add_build_systems(world, BuildSystems::Connect, connect);
    add_build_systems(world, BuildSystems::Validate, check_foreign);
    crate::schedule::add_systems(world, crate::schedule::StepSystems::Time, check_folded);
}
