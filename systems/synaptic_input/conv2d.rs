//! One kernel for all places: the target reads the source through a two-dimensional convolution.

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
use std::ops::Range;

/// Convolution of the source's spikes, seen as (in channels, height, width), with one kernel an output channel.
///
/// It is a cross-correlation with zero padding. Weights have the shape (out channels, in channels, kernel height, kernel
/// width); the channels are the depths of the two populations, and the target's height must be
/// `floor((h + 2·padding − kh)/stride) + 1`, its width likewise.
#[doc(alias = "Conv2dDendriticInput")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[require(Weighted)]
pub struct Conv2d {
    /// Height and width of the kernel \[neurons\].
    pub kernel: (usize, usize),
    /// Step from one place to the next, down and across \[neurons\]. Default 1.
    pub stride: (usize, usize),
    /// Rows of zeros above and below, and columns of zeros left and right of the source \[neurons\]. Default 0.
    pub padding: (usize, usize),
}

impl Conv2d {
    /// A kernel of `height` x `width`, with stride 1 and no padding.
    pub fn new(height: usize, width: usize) -> Self {
        Conv2d { kernel: (height, width), stride: (1, 1), padding: (0, 0) }
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

/// The kernels of a convolution.
#[derive(Component, Clone, Debug)]
pub struct Conv2dSynapses {
    geometry: Geometry,
    weights: Weights,
    /// Scratch memory: each kernel entry, and what it will change by.
    changes: Vec<(Real, Real)>,
}

impl Connectivity for Conv2d {
    type Synapses = Conv2dSynapses;

    fn connect(&self, site: &Site<'_>) -> Result<Conv2dSynapses> {
        let geometry = geometry(site, "Conv2d", self.kernel, self.stride, self.padding)?;
        let shape = [geometry.output.0, geometry.input.0, geometry.kernel.0, geometry.kernel.1];
        if let Some(given) = site.weights.given_shape().filter(|given| *given != shape) {
            return Err(site.weight_shape("Conv2d", &shape, &given));
        }
        let synapses = shape.iter().fold(1_u128, |product, &side| product.saturating_mul(side as u128));
        let weights = site.zeros("Conv2d", synapses)?;
        let changes = vec![(0.0, 0.0); weights.len()];
        Ok(Conv2dSynapses { geometry, weights, changes })
    }
}

/// How a two-dimensional kernel of this size meets source and target.
///
/// # Errors
/// Sides of 0, a target of another size than the kernel gives.
pub(super) fn geometry(
    site: &Site<'_>,
    connectivity: &'static str,
    kernel: (usize, usize),
    stride: (usize, usize),
    padding: (usize, usize),
) -> Result<Geometry> {
    let (pre, post) = (site.pre, site.post);
    if [stride.0, stride.1, kernel.0, kernel.1].contains(&0) {
        let expected = "the kernel's sides and the stride must be at least 1";
        return Err(site.mismatch(connectivity, expected.into()));
    }
    let sides = (
        Geometry::output_side(pre.height, kernel.0, stride.0, padding.0),
        Geometry::output_side(pre.width, kernel.1, stride.1, padding.1),
    );
    if sides != (Some(post.height), Some(post.width)) {
        let expected = match sides {
            (Some(h), Some(w)) => format!(
                "a {} x {} kernel with stride {stride:?} and padding {padding:?} needs a target of {} x {h} x {w}",
                kernel.0, kernel.1, post.depth
            ),
            _ => format!("a {} x {} kernel is larger than the padded source", kernel.0, kernel.1),
        };
        return Err(site.mismatch(connectivity, expected));
    }
    Ok(Geometry {
        input: (pre.depth, pre.height, pre.width),
        output: (post.depth, post.height, post.width),
        kernel,
        stride,
        padding,
    })
}

impl Synapses for Conv2dSynapses {
    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn weights_mut(&mut self) -> &mut Weights {
        &mut self.weights
    }

    fn shape(&self) -> Vec<usize> {
        let Geometry { input, output, kernel, .. } = self.geometry;
        vec![output.0, input.0, kernel.0, kernel.1]
    }

    fn deliver(&self, weights: &[Real], pre: &SpikeSet, current: &mut [Real], workers: &Workers) {
        let g = &self.geometry;
        let kernels = weights.chunks(g.entries_per_channel());
        let channels = current.chunks_mut(g.places()).zip(kernels);
        let work = pre.events().len() * g.kernel.0 * g.kernel.1 * g.output.0 * 2;
        workers.each(work, channels, |(current, kernel)| {
            for &i in pre.events() {
                g.of_source(i as usize, |entry, place| current[place] += kernel[entry]);
            }
        });
    }

    fn fan_in(&self) -> FanIn {
        FanIn::Blocks(self.geometry.entries_per_channel())
    }
}

/// As in CoNeX: the changes at all places that share a kernel entry are added up and divided by the number of places.
impl PlasticSynapses for Conv2dSynapses {
    const WAITS: bool = true;

    fn learn<R: PlasticityRule, C: Changes>(
        &mut self,
        kernels: C,
        rule: &R,
        activity: &Activity<'_>,
        workers: &Workers,
    ) {
        let g = &self.geometry;
        let (entries, places) = (g.entries_per_channel(), g.places());
        let share = 1.0 / places as Real;
        // What the sources that spike reach of each kernel, one source channel after the other. A target that spikes reads all of
        // its own.
        let [of_channel, sources] = [g.kernel.0 * g.kernel.1, g.input.1 * g.input.2];
        let source_channel = |i: &u32| *i as usize / sources;
        let by_channel = activity.pre.events().chunk_by(|a, b| source_channel(a) == source_channel(b));
        let first = by_channel.map(|events| source_channel(&events[0]) * of_channel);
        let (reached, whole) = (first.map(|k| k..k + of_channel).collect::<Vec<_>>(), 0..entries);
        let channels = kernels.chunks(entries).into_iter().zip(self.changes.chunks_mut(entries)).enumerate();
        let events = activity.pre.events().len() * g.output.0 + activity.post.events().len() * g.input.0;
        workers.each(events * of_channel * 3, channels, |(channel, (mut kernel, changes))| {
            let first = channel * places;
            let fired = activity.post.within(first..first + places);
            let reached = if fired.is_empty() { &reached[..] } else { std::slice::from_ref(&whole) };
            for k in reached.iter().flat_map(Range::clone) {
                changes[k] = (kernel.weight(k, channel), 0.0);
            }
            for &i in activity.pre.events() {
                g.of_source(i as usize, |entry, place| {
                    let (w, change) = &mut changes[entry];
                    *change += rule.on_pre_spike(*w, activity.traces(i as usize, first + place));
                });
            }
            for &j in fired {
                g.of_place(j as usize - first, |entry, i| {
                    let (w, change) = &mut changes[entry];
                    *change += rule.on_post_spike(*w, activity.traces(i, j as usize));
                });
            }
            for Range { start, end } in reached {
                let changes = &changes[*start..*end];
                kernel.update(*start, changes.len(), |_| channel, |k, _| changes[k].1 * share);
            }
        });
    }
}
