//! The target reads whether anything spikes in patches of the source.

use super::average_pool2d::{each_plane, pooling};
use super::{Connectivity, DendriticInput, Site, Synapses};
use crate::Real;
use crate::error::Result;
use crate::fire::SpikeSet;
use crate::kernels::pooling::Pooling;
use crate::weights::{FanIn, Weights};
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Adaptive max pooling: the current of a target neuron is 1 where any neuron of its patch of the source spikes.
///
/// Patches and shapes are those of [`AveragePool2d`](super::average_pool2d::AveragePool2d). There are no weights: scale
/// the current by [`CurrentCoef`](super::CurrentCoef). CoNeX has no counterpart.
#[doc(alias = "MaxPool2dConnection")]
#[doc(alias = "AdaptiveMaxPool2d")]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[require(DendriticInput)]
pub struct MaxPool2d;

/// The patches of max pooling.
#[derive(Component, Clone, Debug)]
pub struct MaxPool2dSynapses {
    pooling: Pooling,
    none: Weights,
}

impl Connectivity for MaxPool2d {
    type Synapses = MaxPool2dSynapses;
    const WEIGHTED: bool = false;

    fn connect(&self, site: &Site<'_>) -> Result<MaxPool2dSynapses> {
        Ok(MaxPool2dSynapses { pooling: pooling(site, "MaxPool2d")?, none: Weights::default() })
    }
}

impl Synapses for MaxPool2dSynapses {
    fn weights(&self) -> &Weights {
        &self.none
    }

    fn weights_mut(&mut self) -> &mut Weights {
        &mut self.none
    }

    fn shape(&self) -> Vec<usize> {
        vec![0]
    }

    fn deliver(&self, _: &[Real], pre: &SpikeSet, current: &mut [Real], workers: &Workers) {
        each_plane(&self.pooling, pre, current, workers, |plane, events| self.pooling.max(plane, events));
    }

    /// There are no weights.
    fn fan_in(&self) -> FanIn {
        FanIn::Blocks(1)
    }
}
