//! A kernel of its own for each place: the target reads the source as through a convolution, but shares no weights.

use super::conv2d::geometry;
use super::{Connectivity, PlasticSynapses, Site, Synapses, Weighted};
use crate::Real;
use crate::error::Result;
use crate::fire::SpikeSet;
use crate::kernels::convolution::Geometry;
use crate::learning::{Activity, Changes, PlasticityRule};
use crate::weights::{FanIn, Weights};
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Locally connected synapses: every target neuron reads a patch of the source through a kernel of its own.
///
/// The patches are those of a [`Conv2d`](super::conv2d::Conv2d) with the same kernel, stride and padding. Weights have the
/// shape (out channels, places, in channels · kernel height · kernel width), places and kernels row by row; given ones
/// may also come as (out channels, height, width, in channels, kernel height, kernel width), which is the same order.
///
/// Weights on the padding reach no neuron. They are never learned and bring no current, but count in the sums of
/// normalization, as in CoNeX: set them to 0 where that matters.
///
/// Normalization sees one sum a target neuron. Rules change each weight by its own pair of neurons; unlike in a
/// convolution nothing is divided by the number of places.
#[doc(alias = "Local2dDendriticInput")]
#[doc(alias = "LocalConnection2D")]
#[doc(alias = "locally_connected")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[require(Weighted)]
pub struct Local2d {
    /// Height and width of the kernels \[neurons\].
    pub kernel: (usize, usize),
    /// Step from one place to the next, down and across \[neurons\]. Default 1.
    pub stride: (usize, usize),
    /// Rows of zeros above and below, and columns of zeros left and right of the source \[neurons\]. Default 0.
    pub padding: (usize, usize),
}

impl Local2d {
    /// Kernels of `height` x `width`, with stride 1 and no padding.
    pub fn new(height: usize, width: usize) -> Self {
        Local2d { kernel: (height, width), stride: (1, 1), padding: (0, 0) }
    }

    /// Sets the stride, the same down and across.
    #[must_use]
    pub fn stride(mut self, stride: usize) -> Self {
        self.stride = (stride, stride);
        self
    }

    /// Sets the padding, the same on all sides.
    #[must_use]
    pub fn padding(mut self, padding: usize) -> Self {
        self.padding = (padding, padding);
        self
    }
}

/// The kernels of a locally connected projection, one a target neuron.
#[derive(Component, Clone, Debug)]
pub struct Local2dSynapses {
    geometry: Geometry,
    weights: Weights,
}

impl Connectivity for Local2d {
    type Synapses = Local2dSynapses;

    fn connect(&self, site: &Site<'_>) -> Result<Local2dSynapses> {
        let geometry = geometry(site, "Local2d", self.kernel, self.stride, self.padding)?;
        let Geometry { input, output, kernel, .. } = geometry;
        let shape = [output.0, geometry.places(), geometry.entries_per_channel()];
        let unrolled = [output.0, output.1, output.2, input.0, kernel.0, kernel.1];
        if let Some(given) = site.weights.given_shape().filter(|given| *given != shape && *given != unrolled)
        {
            return Err(site.weight_shape("Local2d", &shape, &given));
        }
        let synapses = shape.iter().fold(1_u128, |product, &side| product.saturating_mul(side as u128));
        Ok(Local2dSynapses { geometry, weights: site.zeros("Local2d", synapses)? })
    }
}

impl Synapses for Local2dSynapses {
    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn weights_mut(&mut self) -> &mut Weights {
        &mut self.weights
    }

    fn shape(&self) -> Vec<usize> {
        vec![self.geometry.output.0, self.geometry.places(), self.geometry.entries_per_channel()]
    }

    fn deliver(&self, weights: &[Real], pre: &SpikeSet, current: &mut [Real], workers: &Workers) {
        let g = &self.geometry;
        let entries = g.entries_per_channel();
        let kernels = weights.chunks(g.places() * entries);
        let channels = current.chunks_mut(g.places()).zip(kernels);
        let work = pre.events().len() * g.kernel.0 * g.kernel.1 * g.output.0 * 2;
        workers.each(work, channels, |(current, kernels)| {
            for &i in pre.events() {
                g.of_source(i as usize, |entry, place| current[place] += kernels[place * entries + entry]);
            }
        });
    }

    fn fan_in(&self) -> FanIn {
        FanIn::Blocks(self.geometry.entries_per_channel())
    }
}

/// Each weight belongs to one pair of neurons. (CoNeX reads the pre-synaptic spike where the post-synaptic one is meant.)
impl PlasticSynapses for Local2dSynapses {
    const WAITS: bool = true;

    fn learn<R: PlasticityRule, C: Changes>(
        &mut self,
        changes: C,
        rule: &R,
        activity: &Activity<'_>,
        workers: &Workers,
    ) {
        let g = &self.geometry;
        let (entries, places) = (g.entries_per_channel(), g.places());
        let events = activity.pre.events().len() * g.output.0 + activity.post.events().len() * g.input.0;
        let work = events * g.kernel.0 * g.kernel.1 * 3;
        workers.each(
            work,
            changes.chunks(places * entries).into_iter().enumerate(),
            |(channel, mut kernels)| {
                let first = channel * places;
                for &i in activity.pre.events() {
                    g.of_source(i as usize, |entry, place| {
                        let j = first + place;
                        let traces = activity.traces(i as usize, j);
                        // Both sides may have fired: both changes follow from the weight as it stood.
                        kernels.change(place * entries + entry, j, |w| {
                            let depression = rule.on_pre_spike(w, traces);
                            depression
                                + if activity.post.mask()[j] { rule.on_post_spike(w, traces) } else { 0.0 }
                        });
                    });
                }
                for &j in activity.post.within(first..first + places) {
                    let place = j as usize - first;
                    g.of_place(place, |entry, i| {
                        if !activity.pre.mask()[i] {
                            let traces = activity.traces(i, j as usize);
                            kernels.change(place * entries + entry, j as usize, |w| {
                                rule.on_post_spike(w, traces)
                            });
                        }
                    });
                }
            },
        );
    }
}
