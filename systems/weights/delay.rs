//! How long spikes travel.

use super::{Distribution, Limits};
use crate::Real;
use crate::axon::NeuronAxon;
use crate::dendrite::SimpleDendriteStructure;
use crate::error::{Error, Problems, Result};
use crate::group::{Unbuilt, build_late};
use crate::random::Seed;
use crate::registry::{self, GroupKind};
use crate::relations::{Compartment, Ends, Postsynaptic, Presynaptic, SubPopulation};
use crate::schedule::{BuildSystems, add_build_systems};
use crate::spike_catching::PostSpikes;
use bevy_ecs::prelude::*;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// Delays in whole steps, at one end of a projection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Delays {
    /// One delay per neuron, or one for all; scale and offset do not act on it (as in CoNeX).
    Given(Vec<i64>),
    /// Each whole number from `min` to `max` (which is one of them) as likely, drawn for each neuron.
    Uniform {
        /// The shortest \[steps\].
        min: u32,
        /// The longest \[steps\].
        max: u32,
    },
    /// `draw · scale + offset` for each neuron, held within the limits if there are any, then truncated towards zero.
    Drawn {
        /// What the draws follow.
        distribution: Distribution,
        /// Multiplies each draw.
        scale: Real,
        /// Is added to each draw, after scaling.
        offset: Real,
        /// The range of what comes out, before it is truncated.
        #[serde(default)]
        limits: Option<Limits>,
    },
}

impl Delays {
    /// The same for all neurons \[steps\].
    pub fn constant(steps: u32) -> Self {
        Delays::Given(vec![steps.into()])
    }

    /// One for each neuron \[steps\].
    pub fn per_neuron(steps: impl IntoIterator<Item = impl Into<i64>>) -> Self {
        Delays::Given(steps.into_iter().map(Into::into).collect())
    }

    /// Each whole number from `min` to `max` (which is one of them) as likely \[steps\].
    pub fn uniform(min: u32, max: u32) -> Self {
        Delays::Uniform { min, max }
    }

    /// Drawn from a normal distribution, anew where a draw is negative, and truncated \[steps\].
    pub fn normal(mean: Real, std: Real) -> Self {
        let limits = Some(Limits::Redrawn { min: 0.0, max: Real::MAX });
        Delays::Drawn { distribution: Distribution::Normal { mean, std }, scale: 1.0, offset: 0.0, limits }
    }

    /// Drawn from a distribution and truncated \[steps\].
    pub fn drawn(distribution: Distribution) -> Self {
        Delays::Drawn { distribution, scale: 1.0, offset: 0.0, limits: None }
    }
}

/// The delays of a projection: in the source's axon, a number per source neuron, and in the target's dendrite, a number
/// per target neuron. Without it both are 0, and a spike is a current at the target one step later.
///
/// A spike takes `1 + source delay + destination delay` steps. Delays count steps, not milliseconds. Learning rules see
/// a post-synaptic spike its destination delay later.
///
/// ```
/// # use conex_systems::weights::{DelayInitializer, Delays};
/// let axonal = DelayInitializer::uniform(0, 4);
/// let both = DelayInitializer::uniform(0, 4).destination_delays(Delays::constant(2));
/// let given = DelayInitializer::per_neuron([0, 1, 2], [3, 0]);
/// # assert_eq!(axonal.source, both.source);
/// # assert_eq!(given.destination, Some(Delays::Given(vec![3, 0])));
/// ```
#[doc(alias = "SynapseInit")]
#[doc(alias = "src_delay")]
#[doc(alias = "dst_delay")]
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(SourceDelays, DestinationDelays)]
pub struct DelayInitializer {
    /// Axonal delays. Default 0.
    pub source: Option<Delays>,
    /// Dendritic delays. Default 0.
    pub destination: Option<Delays>,
}

impl DelayInitializer {
    /// The same axonal delay for all source neurons \[steps\].
    pub fn source(steps: usize) -> Self {
        DelayInitializer { source: Some(Delays::Given(vec![steps as i64])), destination: None }
    }

    /// The same dendritic delay for all target neurons \[steps\].
    pub fn destination(steps: usize) -> Self {
        DelayInitializer { source: None, destination: Some(Delays::Given(vec![steps as i64])) }
    }

    /// Axonal delays, each whole number from `min` to `max` (which is one of them) as likely \[steps\].
    pub fn uniform(min: u32, max: u32) -> Self {
        Self::default().source_delays(Delays::uniform(min, max))
    }

    /// Axonal delays from a normal distribution, none negative, truncated \[steps\].
    pub fn normal(mean: Real, std: Real) -> Self {
        Self::default().source_delays(Delays::normal(mean, std))
    }

    /// A delay for each source neuron and one for each target neuron \[steps\].
    pub fn per_neuron(
        source: impl IntoIterator<Item = impl Into<i64>>,
        destination: impl IntoIterator<Item = impl Into<i64>>,
    ) -> Self {
        let (source, destination) = (Delays::per_neuron(source), Delays::per_neuron(destination));
        Self::default().source_delays(source).destination_delays(destination)
    }

    /// Sets the axonal delays.
    #[must_use]
    pub fn source_delays(mut self, delays: Delays) -> Self {
        self.source = Some(delays);
        self
    }

    /// Sets the dendritic delays.
    #[must_use]
    pub fn destination_delays(mut self, delays: Delays) -> Self {
        self.destination = Some(delays);
        self
    }
}

/// The axonal delay of each source neuron \[steps\]; empty if all are 0.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct SourceDelays(pub Vec<u32>);

/// The dendritic delay of each target neuron \[steps\]; empty if all are 0.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct DestinationDelays(pub Vec<u32>);

type Fresh<'w> = (&'w Name, &'w Ends, &'w DelayInitializer, &'w mut SourceDelays, &'w mut DestinationDelays);

/// For every new projection, draw the delays.
fn draw_delays(
    seed: Res<Seed>,
    mut problems: ResMut<Problems>,
    mut projections: Query<Fresh, With<Unbuilt>>,
) {
    for (name, ends, initializer, mut source, mut destination) in &mut projections {
        let mut draw = |delays: &Option<Delays>, role, n| {
            let drawn = delays.as_ref().map_or(Ok(Vec::new()), |d| drawn(d, name, role, n, *seed));
            problems.check(drawn).unwrap_or_default()
        };
        source.0 = draw(&initializer.source, "source", ends.pre.len());
        destination.0 = draw(&initializer.destination, "destination", ends.post.len());
    }
}

fn drawn(delays: &Delays, projection: &str, role: &'static str, n: usize, seed: Seed) -> Result<Vec<u32>> {
    let bad = |delay: f64| Error::BadDelay { projection: projection.into(), role, delay };
    let out_of_range = |parameter: &str, value, requirement| {
        let (group, behaviour) = (projection.to_string(), format!("DelayInitializer ({role})"));
        Error::ParameterRange { group, behaviour, parameter: parameter.into(), value, requirement }
    };
    let all = match delays {
        Delays::Given(steps) if steps.len() == 1 => vec![steps[0] as f64; n],
        Delays::Given(steps) if steps.len() == n => steps.iter().map(|&s| s as f64).collect(),
        Delays::Given(steps) => {
            let (projection, given) = (projection.to_string(), steps.len());
            return Err(Error::DelayCount { projection, role, expected: n, given });
        }
        Delays::Uniform { min, max } if min <= max => {
            let mut random = seed.stream("delays", &format!("{projection}/{role}"), 0);
            (0..n).map(|_| f64::from(random.random_range(*min..=*max))).collect()
        }
        Delays::Uniform { min, max } => {
            return Err(out_of_range("max", f64::from(*max), format!("min, which is {min}, or more")));
        }
        Delays::Drawn { distribution, scale, offset, limits } => {
            if let Some((parameter, value, requirement)) = limits.and_then(Limits::fault) {
                return Err(out_of_range(parameter, f64::from(value), requirement));
            }
            let mut random = seed.stream("delays", &format!("{projection}/{role}"), 0);
            let mut draw = || Limits::hold(*limits, || distribution.draw(&mut random) * scale + offset);
            let all: Option<Vec<f64>> = (0..n).map(|_| draw().map(|x| f64::from(x.trunc()))).collect();
            all.ok_or_else(|| {
                let (parameter, value, requirement) = Limits::missed(*limits);
                out_of_range(parameter, value, requirement)
            })?
        }
    };
    if let Some(&delay) = all.iter().find(|d| !(0.0..=f64::from(u32::MAX)).contains(*d)) {
        return Err(bad(delay));
    }
    let none = all.iter().all(|&d| d == 0.0);
    Ok(if none { Vec::new() } else { all.into_iter().map(|d| d as u32).collect() })
}

type Delayed<'w> = (
    &'w Name,
    &'w Presynaptic,
    &'w Postsynaptic,
    Option<&'w Compartment>,
    Option<&'w SourceDelays>,
    Option<&'w DestinationDelays>,
    Has<PostSpikes>,
);

/// Delays must end before the buffers that hold what is on its way.
fn check_delays(
    mut problems: ResMut<Problems>,
    projections: Query<Delayed, With<Unbuilt>>,
    axons: Query<(&Name, &NeuronAxon)>,
    dendrites: Query<(&Name, &SimpleDendriteStructure)>,
    parts: Query<&SubPopulation>,
) {
    for (name, pre, post, compartment, source, destination, catches_post) in &projections {
        let longest =
            |delays: Option<&Vec<u32>>| delays.and_then(|d| d.iter().max()).map_or(0, |&d| d as usize);
        let source = longest(source.map(|d| &d.0));
        let destination = longest(destination.map(|d| &d.0));
        let ends = [(pre.0, "source", source, true), (post.0, "destination", destination, catches_post)];
        for (end, role, delay, reads_axon) in ends {
            if let Ok((population, axon)) = axons.get(end)
                && reads_axon
                && delay >= axon.max_delay
            {
                let (projection, population) = (name.to_string(), population.to_string());
                let max_delay = axon.max_delay;
                problems.push(Error::DelayBeyondAxon { projection, population, role, delay, max_delay });
            }
        }
        if let (Ok((population, dendrite)), Some(compartment)) =
            (dendrites.get(parts.get(post.0).map_or(post.0, |part| part.of)), compartment)
        {
            let (max_delay, compartment) = (dendrite.max_delay(*compartment), compartment.name());
            let (projection, population) = (name.to_string(), population.to_string());
            if max_delay == 0 {
                problems.push(Error::ClosedCompartment { projection, population, compartment });
            } else if destination >= max_delay {
                let delay = destination;
                problems.push(Error::DelayBeyondDendrite {
                    projection,
                    population,
                    compartment,
                    delay,
                    max_delay,
                });
            }
        }
    }
}

pub(super) fn install(world: &mut World) {
    registry::behaviour::<DelayInitializer>(world)
        .on(GroupKind::Projection)
        .state::<(SourceDelays, DestinationDelays)>()
        .saved();
    build_late::<SourceDelays>(world);
    add_build_systems(world, BuildSystems::InitDelays, draw_delays);
    add_build_systems(world, BuildSystems::Validate, check_delays);
}
