//! What a projection of static synapses knows of itself: how to draw each of its synapses, whenever someone asks.

use super::Static;
use crate::Real;
use crate::axon::MAX_DELAY;
use crate::connections::{Between, ConnectionRule, Connections, Populations, RowScratch, Rows};
use crate::error::{Error, Problems, Result};
use crate::group::{Inhibitory, Unbuilt};
use crate::kernels::draws::round_to_units;
use crate::random::{Seed, Streams};
use crate::relations::{Postsynaptic, Presynaptic};
use crate::schedule::{BuildSystems, add_build_systems};
use crate::synaptic_input::{CurrentCoef, NoSelfConnections, SynapseView, SynapseViews};
use crate::time::Clock;
use crate::weights::{SynapticDelays, WeightInitializer, steps};
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;

/// The static synapses of a projection. They are drawn from streams of their own row by row, when they are laid out and
/// whenever they are read: nothing of them is kept here.
#[derive(Component, Clone, Debug)]
pub struct StaticSynapses {
    /// The projection's name, for what may be found wrong when they are drawn.
    projection: String,
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
    /// The first step whose spikes they carry, once they are laid out.
    pub(super) since: Option<u64>,
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
    /// Weights as they are stored, once they were [quantized](StaticSynapses::quantize).
    pub(super) units: Vec<i32>,
    /// Delays \[steps\].
    pub(super) delays: Vec<u32>,
    /// Scratch memory: delays \[ms\].
    drawn: Vec<Real>,
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

    /// Draws the row of source neuron i.
    ///
    /// # Errors
    /// The limits of a weight or a delay are never met; a delay is longer than any may be.
    pub(super) fn draw(&self, i: u32, row: &mut DrawnRow) -> Result<()> {
        self.draw_targets(i, row);
        self.draw_weights(i, row)?;
        self.draw_delays(i, row)
    }

    /// Draws the weights of as many synapses as there are targets.
    ///
    /// # Errors
    /// Their limits are never met.
    pub(super) fn draw_weights(&self, i: u32, row: &mut DrawnRow) -> Result<()> {
        let n = row.targets.len();
        if let (Some(given), Some(first)) = (&self.given.0, self.rows.first(i)) {
            row.weights.clear();
            row.weights.extend_from_slice(&given[first as usize..][..n]);
            return Ok(());
        }
        let mut random = self.weight_streams.part(u64::from(i));
        let are_met = self.weights.draw_all(n, &mut random, &mut row.weights);
        are_met.then_some(()).ok_or_else(|| self.weights.missed(&self.projection))
    }

    fn draw_delays(&self, i: u32, row: &mut DrawnRow) -> Result<()> {
        let n = row.targets.len();
        row.delays.clear();
        if let (Some(given), Some(first)) = (&self.given.1, self.rows.first(i)) {
            row.delays.extend(given[first as usize..][..n].iter().map(|&delay| steps(delay, self.per_ms)));
            return self.check_delays(&row.delays);
        }
        let Some(delays) = &self.delays else {
            row.delays.resize(n, 1);
            return Ok(());
        };
        let mut random = self.delay_streams.part(u64::from(i));
        if !delays.draw_all(n, &mut random, &mut row.drawn) {
            return Err(delays.missed(&self.projection));
        }
        row.delays.extend(row.drawn.iter().map(|&delay| steps(delay, self.per_ms)));
        self.check_delays(&row.delays)
    }

    fn check_delays(&self, delays: &[u32]) -> Result<()> {
        match delays.iter().find(|delay| **delay as usize > MAX_DELAY) {
            None => Ok(()),
            Some(&delay) => Err(Error::ParameterRange {
                group: self.projection.clone(),
                behaviour: "SynapticDelays".into(),
                parameter: "delay".into(),
                value: f64::from(delay) / self.per_ms,
                requirement: format!("at most {MAX_DELAY} steps, {} ms here", MAX_DELAY as f64 / self.per_ms),
            }),
        }
    }

    /// What the weights of a row are stored as: the nearest multiples of a unit, where that is not beyond the largest.
    pub(super) fn quantize(&self, row: &mut DrawnRow, (unit, largest): (f64, i32)) {
        row.units.resize(row.weights.len(), 0);
        round_to_units(&mut row.units, &row.weights, self.gain, 1.0 / unit, largest);
    }

    /// All synapses, drawn once more.
    pub fn table(&self) -> SynapseTable {
        let mut table = SynapseTable::default();
        let mut row = DrawnRow::default();
        for i in 0..self.rows.len() as u32 {
            // What cannot be drawn was told when the network was built.
            if self.draw(i, &mut row).is_err() {
                break;
            }
            table.pre.resize(table.pre.len() + row.targets.len(), i);
            table.post.extend_from_slice(&row.targets);
            table.delay.extend_from_slice(&row.delays);
            match self.stored.filter(|_| self.gain != 0.0) {
                Some(stored) => {
                    self.quantize(&mut row, stored);
                    let weight = |units: &i32| (f64::from(*units) * stored.0 / f64::from(self.gain)) as Real;
                    table.weight.extend(row.units.iter().map(weight));
                }
                None => table.weight.extend_from_slice(&row.weights),
            }
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

/// What is said of a projection.
struct Wanted<'a> {
    kind: Static,
    connections: &'a Connections,
    weights: &'a WeightInitializer,
    delays: Option<&'a SynapticDelays>,
    /// Sign and coefficient.
    gain: Real,
}

/// For every new projection of static synapses, prepare to draw them.
fn connect(
    mut commands: Commands,
    seed: Res<Seed>,
    (clock, workers): (Res<Clock>, Res<Workers>),
    mut problems: ResMut<Problems>,
    projections: Query<Fresh>,
    (populations, inhibitory): (Populations, Query<(), With<Inhibitory>>),
) {
    for ((entity, name, unbuilt, kind), ends, connections, weights, delays, coefficient, (no_self, known)) in
        &projections
    {
        let (pre, post) = (ends.0.0, ends.1.0);
        if !unbuilt.makes_learned(!known) {
            continue;
        }
        let (Some(source), Some(target)) = (populations.end(pre), populations.end(post)) else { continue };
        // That they are missing is told with the other needs.
        let (Some(connections), Some(weights)) = (connections, weights) else { continue };
        let gain = coefficient.map_or(1.0, |c| c.0) * if inhibitory.contains(pre) { -1.0 } else { 1.0 };
        let autapses = !(no_self && pre == post);
        let streams = seed.streams("connections", name);
        let between = Between { projection: name, source, target, autapses, streams, workers: &workers };
        let made = make(&between, Wanted { kind: *kind, connections, weights, delays, gain }, *seed, &clock);
        if let Some(synapses) = problems.check(made) {
            commands.entity(entity).insert(synapses);
        }
    }
}

fn make(between: &Between<'_>, wanted: Wanted<'_>, seed: Seed, clock: &Clock) -> Result<StaticSynapses> {
    let Wanted { kind, connections, weights, delays, gain } = wanted;
    let name = between.projection;
    weights.check(name)?;
    // What is listed takes its room beside the layout.
    let listed = if matches!(connections.rule, ConnectionRule::FixedInDegree { .. }) { 4.0 } else { 0.0 };
    let room = |synapses: u64| {
        let needed = synapses as f64 * (kind.weights.bytes() + listed);
        let (projection, connectivity) = (name.to_string(), "Static");
        crate::memory::check_room(needed as u128).map_err(|reason| Error::OutOfMemory {
            projection,
            connectivity,
            synapses: synapses.into(),
            reason,
        })
    };
    let (rows, order) = Rows::new(connections, between, room)?;
    if let Some(delays) = delays {
        delays.check(name, order.pairs())?;
    }
    let given_weights = order.given_weights(weights, name, "Static")?;
    let given_delays = delays.and_then(SynapticDelays::listed).map(|delays| order.sorted(delays));
    let bytes = rows.bytes();
    Ok(StaticSynapses {
        projection: name.to_string(),
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
        since: None,
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

/// What descriptions say of static synapses.
fn view(projection: EntityRef<'_>) -> Option<SynapseView<'_>> {
    let synapses = projection.get::<StaticSynapses>()?;
    let count = synapses.count() as usize;
    Some(SynapseView { shape: vec![count], count, weights: &[], bytes: synapses.bytes() })
}

pub(super) fn install(world: &mut World) {
    world.get_resource_or_init::<SynapseViews>().add(view);
    add_build_systems(world, BuildSystems::Connect, connect);
}
