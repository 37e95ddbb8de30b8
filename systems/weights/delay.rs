//! How long spikes travel.

use super::Distribution;
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
use serde::{Deserialize, Serialize};

/// Delays in whole steps: given, or `draw · scale + offset`, truncated towards zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Delays {
    /// One delay per neuron, or one for all; scale and offset do not act on it (as in CoNeX).
    Given(Vec<i64>),
    /// One draw per neuron.
    Drawn {
        /// What the draws follow.
        distribution: Distribution,
        /// Multiplies each draw.
        scale: Real,
        /// Is added to each draw, after scaling.
        offset: Real,
    },
}

/// The delays of a projection: in the source's axon, a number per source neuron, and in the target's dendrite, a number
/// per target neuron. Without it both are 0, and a spike is a current at the target one step later.
///
/// A spike takes `1 + source delay + destination delay` steps. Delays count steps, not milliseconds. Learning rules see
/// a post-synaptic spike its destination delay later.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[require(SourceDelays, DestinationDelays)]
pub struct DelayInitializer {
    /// Axonal delays.
    pub source: Option<Delays>,
    /// Dendritic delays.
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
    let all = match delays {
        Delays::Given(steps) if steps.len() == 1 => vec![steps[0] as f64; n],
        Delays::Given(steps) if steps.len() == n => steps.iter().map(|&s| s as f64).collect(),
        Delays::Given(steps) => {
            let (projection, given) = (projection.to_string(), steps.len());
            return Err(Error::DelayCount { projection, role, expected: n, given });
        }
        Delays::Drawn { distribution, scale, offset } => {
            let mut random = seed.stream("delays", &format!("{projection}/{role}"), 0);
            (0..n).map(|_| f64::from((distribution.draw(&mut random) * scale + offset).trunc())).collect()
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
