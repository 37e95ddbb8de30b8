//! The target reads the mean activity of patches of the source.

use super::{Connectivity, DendriticInput, Site, Synapses};
use crate::Real;
use crate::error::Result;
use crate::fire::SpikeSet;
use crate::kernels::pooling::Pooling;
use crate::weights::{FanIn, Weights};
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Adaptive average pooling: the current of a target neuron is the share of its patch of the source that spikes.
///
/// Both populations have the same depth, and plane reads plane. Along a side of n source and m target neurons, target i
/// reads the sources from ⌊i·n/m⌋ up to, without, ⌈(i + 1)·n/m⌉. There are no weights: scale the current by
/// [`CurrentCoef`](super::CurrentCoef).
#[doc(alias = "AveragePool2D")]
#[doc(alias = "AdaptiveAvgPool2d")]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[require(DendriticInput)]
pub struct AveragePool2d;

/// The patches of average pooling.
#[derive(Component, Clone, Debug)]
pub struct AveragePool2dSynapses {
    pooling: Pooling,
    /// Source neurons of each patch, for one plane.
    areas: Vec<Real>,
    none: Weights,
}

impl Connectivity for AveragePool2d {
    type Synapses = AveragePool2dSynapses;
    const WEIGHTED: bool = false;

    fn connect(&self, site: &Site<'_>) -> Result<AveragePool2dSynapses> {
        let pooling = pooling(site, "AveragePool2d")?;
        Ok(AveragePool2dSynapses { pooling, areas: pooling.areas(), none: Weights::default() })
    }
}

/// The patches that the target reads of the source.
///
/// # Errors
/// Depths that differ.
pub(super) fn pooling(site: &Site<'_>, connectivity: &'static str) -> Result<Pooling> {
    let (pre, post) = (site.pre, site.post);
    if pre.depth != post.depth {
        let expected = format!("both need the same depth, and it is {} and {}", pre.depth, post.depth);
        return Err(site.mismatch(connectivity, expected));
    }
    Ok(Pooling { input: (pre.height, pre.width), output: (post.height, post.width) })
}

/// For every plane of the target, what `read` makes of the source neurons that spike there, counted within their plane.
pub(super) fn each_plane(
    pooling: &Pooling,
    pre: &SpikeSet,
    current: &mut [Real],
    workers: &Workers,
    read: impl Fn(&mut [Real], &mut dyn Iterator<Item = usize>) + Send + Sync,
) {
    let source = pooling.input.0 * pooling.input.1;
    let work = pre.events().len() * 8 + current.len();
    let planes = current.chunks_mut(pooling.output.0 * pooling.output.1);
    workers.each(work, planes.enumerate(), |(depth, plane)| {
        let first = depth * source;
        let events = pre.within(first..first + source);
        read(plane, &mut events.iter().map(|&i| i as usize - first));
    });
}

impl Synapses for AveragePool2dSynapses {
    fn weights(&self) -> &Weights {
        &self.none
    }

    fn weights_mut(&mut self) -> &mut Weights {
        &mut self.none
    }

    fn shape(&self) -> Vec<usize> {
        vec![0]
    }

    fn bytes(&self) -> usize {
        size_of_val(&self.areas[..])
    }

    fn deliver(&self, _: &[Real], pre: &SpikeSet, current: &mut [Real], workers: &Workers) {
        each_plane(&self.pooling, pre, current, workers, |plane, events| {
            self.pooling.average(plane, &self.areas, events);
        });
    }

    /// There are no weights.
    fn fan_in(&self) -> FanIn {
        FanIn::Blocks(1)
    }
}
