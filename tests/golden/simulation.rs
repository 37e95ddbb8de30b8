//! Cases in which a network runs.

use super::build;
use super::case::{Case, Record, Simulation, When};
use super::compare::{Compared, compare};
use super::drives::Driven;
use super::trouble::Result;
use conex::Real;
use conex::prelude::*;
use conex::systems::synaptic_input::sparse::SparseSynapses;
use conex::systems::weights::{DestinationDelays, SourceDelays};

/// Builds the network of a case, runs it, and compares what is recorded.
pub fn check(case: &Case, simulation: &Simulation) -> Result<()> {
    let mut net = build::network(simulation, &case.arrays)?;
    let drives = simulation.drives.iter();
    let drives = drives.map(|drive| Driven::new(&mut net, simulation, drive, &case.arrays));
    let drives = drives.collect::<Result<Vec<_>>>()?;
    net.build()?;
    let readings = simulation.records.iter().map(|record| Reading::new(&mut net, record));
    let readings = readings.collect::<Result<Vec<_>>>()?;
    stop_firing(&mut net, simulation)?;

    for t in 0..simulation.steps {
        for drive in &drives {
            drive.apply(&mut net, t)?;
        }
        net.step()?;
    }

    let arrays = simulation.records.iter().zip(readings).map(|(record, reading)| {
        let want = case.arrays.get(&record.array)?;
        let got = reading.values(&net, record, simulation.steps)?;
        Ok(Compared { name: &record.array, want, got, per_step: record.when == When::EveryStep })
    });
    compare(&arrays.collect::<Result<Vec<_>>>()?, case.tolerance)
}

/// Where a case forces spikes on neurons in place of `Fire`, nothing is reset. Here a neuron model cannot be built without
/// `Fire`, but it can lose it.
fn stop_firing(net: &mut Neocortex, simulation: &Simulation) -> Result<()> {
    for group in &simulation.groups {
        if group.behaviors.iter().all(|behaviour| behaviour.class != "Fire") {
            let population = net.find(&group.name)?;
            net.world_mut().entity_mut(population).remove::<Fire>();
        }
    }
    Ok(())
}

/// How a record of the case is read.
enum Reading {
    /// By a recorder, at every step.
    Recorded(StateRecording),
    /// A variable of the network, likewise.
    OfNetwork(NetworkRecording),
    /// When the run is over.
    AtTheEnd,
}

impl Reading {
    fn new(net: &mut Neocortex, record: &Record) -> Result<Reading> {
        if record.target == "network" {
            let variable = if record.var == "dopamine_concentration" { "dopamine" } else { &record.var };
            return Ok(Reading::OfNetwork(net.record_network(variable, 1)?));
        }
        if record.when == When::Final || is_delay(&record.var) {
            return Ok(Reading::AtTheEnd);
        }
        let group = net.find(&record.target)?;
        Ok(Reading::Recorded(net.record_state(group, &record.var, 1)?))
    }

    /// The values in the order of the case: step by step, and those of sparse synapses by target, then by source.
    fn values(self, net: &Neocortex, record: &Record, steps: usize) -> Result<Vec<f64>> {
        if let Reading::OfNetwork(recording) = &self {
            let values = recording.values();
            let last = values.last().copied();
            return Ok(if record.when == When::Final { last.into_iter().collect() } else { values });
        }
        let group = net.find(&record.target)?;
        let rows = match self {
            Reading::Recorded(recording) => recording.values().outer_iter().map(|row| row.to_vec()).collect(),
            Reading::AtTheEnd if is_delay(&record.var) => {
                let times = if record.when == When::EveryStep { steps } else { 1 };
                vec![delays(net, group, &record.var)?; times]
            }
            Reading::AtTheEnd => vec![net.state(group, &record.var)?],
            Reading::OfNetwork(_) => Vec::new(),
        };
        let is_per_synapse = matches!(&record.var[..], "weights" | "c");
        let Some(order) = sparse_order(net, group).filter(|_| is_per_synapse) else {
            return Ok(rows.concat().into_iter().map(f64::from).collect());
        };
        Ok(rows.iter().flat_map(|row| order.iter().map(|&k| f64::from(row[k]))).collect())
    }
}

/// For each synapse of a sparse projection, by target, then by source: where it stands by source, then by target.
fn sparse_order(net: &Neocortex, projection: Entity) -> Option<Vec<usize>> {
    let synapses = net.get::<SparseSynapses>(projection).ok()?;
    let mut order: Vec<_> = synapses.triplets().enumerate().map(|(k, (i, j, _))| (j, i, k)).collect();
    order.sort_unstable();
    Some(order.into_iter().map(|(_, _, k)| k).collect())
}

fn is_delay(var: &str) -> bool {
    matches!(var, "src_delay" | "dst_delay")
}

/// The delays of a projection, which are no state variable: they do not change.
fn delays(net: &Neocortex, projection: Entity, var: &str) -> Result<Vec<Real>> {
    let (end, delays) = match var {
        "src_delay" => (net.get::<Presynaptic>(projection)?.0, &net.get::<SourceDelays>(projection)?.0),
        _ => (net.get::<Postsynaptic>(projection)?.0, &net.get::<DestinationDelays>(projection)?.0),
    };
    if delays.is_empty() {
        return Ok(vec![0.0; net.get::<Population>(end)?.size()]);
    }
    Ok(delays.iter().map(|&delay| delay as Real).collect())
}
