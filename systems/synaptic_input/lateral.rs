//! A population reads itself: one kernel around every neuron.

use super::{Connectivity, Site, Synapses, Weighted};
use crate::Real;
use crate::error::Result;
use crate::fire::SpikeSet;
use crate::kernels::lateral::Surround;
use crate::setters;
use crate::weights::{FanIn, Weights};
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use std::iter::StepBy;
use std::ops::Range;

/// Lateral synapses within one population: every neuron reads those around it through the same kernel, in three
/// dimensions: `I(p) = Σ_k w(k)·spike(p + k − middle)`, a cross-correlation over (depth, height, width) with zeros beyond
/// the edges.
///
/// Weights have the shape (1, 1, kernel depth, kernel height, kernel width), all sides odd. The middle is a neuron's
/// synapse onto itself, as in CoNeX; [`NoSelfConnections`](super::NoSelfConnections) holds it at 0. Depths are neighbours
/// like rows and columns: with a kernel of depth 1 every plane is on its own.
///
/// Normalization sees one sum, over the whole kernel. Rules do not act on it.
#[doc(alias = "LateralDendriticInput")]
#[doc(alias = "lateral_inhibition")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[require(Weighted)]
pub struct Lateral {
    /// Depth, height and width of the kernel, all odd \[neurons\].
    pub kernel: (usize, usize, usize),
    /// Whether the current inhibits. Default: as the population does, so by [`Inhibitory`](crate::group::Inhibitory).
    #[serde(default)]
    pub inhibitory: Option<bool>,
}

impl Lateral {
    /// A kernel of `depth` x `height` x `width`, all odd.
    pub fn new(depth: usize, height: usize, width: usize) -> Self {
        Lateral { kernel: (depth, height, width), inhibitory: None }
    }
}

setters!(Lateral { inhibitory: Option<bool> });

/// The kernel of a lateral projection.
#[derive(Component, Clone, Debug)]
pub struct LateralSynapses {
    surround: Surround,
    weights: Weights,
    /// Whether the kernel's middle stands for a synapse.
    self_connections: bool,
}

impl Connectivity for Lateral {
    type Synapses = LateralSynapses;
    const LEAVES_OUT_SELF: bool = true;

    fn inhibitory(&self) -> Option<bool> {
        self.inhibitory
    }

    fn connect(&self, site: &Site<'_>) -> Result<LateralSynapses> {
        if !site.is_recurrent() {
            let expected = "its synapses lie within one population: let source and target be the same";
            return Err(site.mismatch("Lateral", expected.into()));
        }
        let (depth, height, width) = self.kernel;
        if [depth, height, width].iter().any(|side| side.is_multiple_of(2)) {
            let expected = format!(
                "a kernel of {depth} x {height} x {width} has no middle: each of its sides must be odd"
            );
            return Err(site.mismatch("Lateral", expected));
        }
        let shape = [1, 1, depth, height, width];
        if let Some(given) = site.weights.given_shape().filter(|given| *given != shape) {
            return Err(site.weight_shape("Lateral", &shape, &given));
        }
        let synapses = shape.iter().fold(1_u128, |product, &side| product.saturating_mul(side as u128));
        Ok(LateralSynapses {
            surround: Surround {
                grid: (site.post.depth, site.post.height, site.post.width),
                kernel: self.kernel,
            },
            weights: site.zeros("Lateral", synapses)?,
            self_connections: site.self_connections,
        })
    }
}

impl Synapses for LateralSynapses {
    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn weights_mut(&mut self) -> &mut Weights {
        &mut self.weights
    }

    fn shape(&self) -> Vec<usize> {
        let (depth, height, width) = self.surround.kernel;
        vec![1, 1, depth, height, width]
    }

    fn deliver(&self, kernel: &[Real], pre: &SpikeSet, current: &mut [Real], workers: &Workers) {
        let surround = &self.surround;
        let plane = surround.plane();
        let work = pre.events().len() * kernel.len();
        workers.each(work, current.chunks_mut(plane).enumerate(), |(depth, current)| {
            let sources = surround.sources(depth);
            let events = pre.within(sources.start * plane..sources.end * plane);
            surround.add_plane(current, depth, kernel, events);
        });
    }

    fn fan_in(&self) -> FanIn {
        FanIn::All
    }

    /// The middle of the kernel, where it stands for no synapses.
    fn absent(&self) -> StepBy<Range<usize>> {
        let middle = self.surround.middle();
        (middle..if self.self_connections { middle } else { middle + 1 }).step_by(1)
    }
}
