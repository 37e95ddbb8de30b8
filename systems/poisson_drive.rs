//! Stage `Dendrite`: spikes from outside, of many sources that fire at random, arrive at the receptors.

use crate::Real;
use crate::checks::{Parameters, Range, check, check_parameter, keep_checked};
use crate::delivery::{Fused, UNIT};
use crate::dendrite::DendriteSystems;
use crate::error::{Error, Result};
use crate::group::Population;
use crate::kernels::poisson::{Lanes, PoissonTable, add_events, tables_from};
use crate::parameter::Param;
use crate::random::{Seed, Streams};
use crate::receptors::Receptors;
use crate::registry::{self, GroupKind, Need, Place};
use crate::schedule::{StepSystems, add_systems};
use crate::setters;
use crate::time::Clock;
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Each neuron gets the spikes of `sources` neurons of its own, each of which fires at `rate`, independently of all
/// others, through a synapse of `weight`.
///
/// **Equation.** In a step, a neuron's receptor gets `weight·k`, with k from the Poisson distribution of mean
/// `sources·rate·dt`. A weight above 0 excites, one below inhibits.
///
/// **Parameters.** Below. `sources·rate·dt` is at most 10^6 spikes a step.
///
/// **Scheme.** A uniform number of 16 bits tells a count, and one of 32 bits more what is rare, from a stream that depends
/// on the seed, the population's name and the step alone.
///
/// **Reference.** As the background of T. Potjans & M. Diesmann (2014), doi 10.1093/cercor/bhs358.
///
/// **CoNeX.** It has none. In NEST a `poisson_generator`, which sends each target a train of its own.
#[doc(alias = "poisson_generator")]
#[doc(alias = "PoissonInput")]
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(DriveTable)]
pub struct PoissonDrive {
    /// How many sources each neuron has. Default 1000.
    pub sources: Param,
    /// How often each of them fires \[Hz\], one number, or one per neuron. Default 8.
    pub rate: Param,
    /// What one spike brings \[as a weight of the neuron model: pA, or nS\]. Default 1.
    pub weight: Real,
}

setters!(PoissonDrive { sources: Param, rate: Param, weight: Real });

impl Default for PoissonDrive {
    fn default() -> Self {
        PoissonDrive { sources: 1000.0.into(), rate: 8.0.into(), weight: 1.0 }
    }
}

impl PoissonDrive {
    /// `sources` neurons that fire at `rate` \[Hz\], through synapses of `weight`.
    pub fn new(sources: impl Into<Param>, rate: impl Into<Param>, weight: Real) -> Self {
        PoissonDrive { sources: sources.into(), rate: rate.into(), weight }
    }

    /// How many distributions there are: one for all neurons, or one a neuron.
    fn distributions(&self) -> usize {
        self.sources.count().or(self.rate.count()).unwrap_or(1)
    }

    /// How many spikes neuron j gets in a step of `dt` \[ms\], on the average.
    fn mean(&self, j: usize, dt: f64) -> f64 {
        f64::from(self.sources.get(j)) * f64::from(self.rate.get(j)) * dt / 1e3
    }
}

impl Parameters for PoissonDrive {
    fn parameters(&self) -> Vec<(String, &Param, Range)> {
        vec![
            ("sources".into(), &self.sources, Range::NotNegative),
            ("rate".into(), &self.rate, Range::NotNegative),
        ]
    }

    fn check_further(&self, group: &str, dt: f64) -> Result<()> {
        check_parameter(group, "PoissonDrive", "weight", &self.weight.into(), 1, Range::Any)?;
        match (0..self.distributions()).find(|&j| self.mean(j, dt) > MOST) {
            None => Ok(()),
            Some(j) => Err(Error::ParameterRange {
                group: group.into(),
                behaviour: "PoissonDrive".into(),
                parameter: "rate".into(),
                value: f64::from(self.rate.get(j)),
                requirement: format!("such that sources·rate·dt is at most {MOST} spikes a step"),
            }),
        }
    }
}

/// Spikes that a neuron may get in a step on the average: what a table takes to make grows with it.
const MOST: f64 = 1e6;

/// The distribution that a drive draws from. Made anew when its parameters change.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct DriveTable {
    /// One for all neurons, or one a neuron.
    tables: Vec<PoissonTable>,
    /// Each unit of neurons draws from a stream of its own at each step: nothing has to be kept from step to step.
    pub(crate) streams: Streams,
}

impl DriveTable {
    /// The tables of the neurons from `first` on, or the one of all; none where the parameters are wrong.
    pub(crate) fn from(&self, first: usize) -> &[PoissonTable] {
        tables_from(&self.tables, first)
    }
}

type New = Or<(Changed<PoissonDrive>, Changed<Name>)>;

type Changing<'w> = (&'w Name, &'w Population, &'w PoissonDrive, &'w mut DriveTable);

/// For every drive whose parameters are new, make its tables. One whose parameters are wrong, which was told in the stage
/// `Time`, brings nothing until they are mended.
fn follow_parameters(clock: Res<Clock>, seed: Res<Seed>, mut drives: Query<Changing, New>) {
    for (name, population, drive, mut table) in &mut drives {
        let sound = check(name, population, drive, clock.dt).is_ok();
        let n = if sound { drive.distributions() } else { 0 };
        table.tables = (0..n).map(|j| PoissonTable::new(drive.mean(j, clock.dt))).collect();
        table.streams = seed.streams("poisson drive", name);
    }
}

/// Which receptor a weight of this sign reaches, and what arrives there.
pub(crate) fn receptor(weight: Real, receptors: usize) -> (usize, Real) {
    if weight < 0.0 && receptors == 2 { (1, -weight) } else { (0, weight) }
}

/// For every population with a drive that is not advanced in units, draw how many spikes arrive.
fn drive(
    clock: Res<Clock>,
    workers: Res<Workers>,
    mut populations: Query<(&PoissonDrive, &DriveTable, &mut Receptors), Without<Fused>>,
) {
    for (drive, table, mut receptors) in &mut populations {
        let (receptor, weight) = receptor(drive.weight, receptors.count());
        let arrived = &mut receptors.arrived[receptor];
        let units = arrived.len().div_ceil(UNIT) as u64;
        workers.each(arrived.len(), arrived.chunks_mut(UNIT).enumerate(), |(k, out)| {
            let mut lanes = Lanes::new(table.streams.seed(clock.iteration * units + k as u64));
            add_events(table.from(k * UNIT), &mut lanes, weight, out);
        });
    }
}

pub(crate) fn install(world: &mut World) {
    registry::behaviour::<PoissonDrive>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::Dendrite)
        .needs(&[Need::of::<Receptors>(Place::Own, "neuron model with receptors", "LifPscExp::default()")])
        .state::<DriveTable>()
        .saved();
    keep_checked::<PoissonDrive>(world);
    add_systems(world, StepSystems::Payoff, follow_parameters);
    add_systems(world, StepSystems::Dendrite, drive.in_set(DendriteSystems::Drive));
}
