//! Stage `SpikeCatching`: each projection reads, off the axons on both sides, the spikes that reach it now.

use crate::axon::AxonHistory;
use crate::fire::SpikeSet;
use crate::group::{Unbuilt, build_late};
use crate::relations::{Ends, Postsynaptic, Presynaptic};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use crate::weights::{DestinationDelays, SourceDelays};
use bevy_ecs::prelude::*;

/// The source's spikes that have come through their axonal delays at this step. They become currents at the next.
#[doc(alias = "PreSpikeCatcher")]
#[doc(alias = "pre_spike")]
#[derive(Component, Clone, Debug, Default, PartialEq, Eq)]
pub struct PreSpikes(pub SpikeSet);

/// The target's spikes, seen as late as the target's dendritic delays. Learning rules need them.
#[doc(alias = "PostSpikeCatcher")]
#[doc(alias = "post_spike")]
#[derive(Component, Clone, Debug, Default, PartialEq, Eq)]
pub struct PostSpikes(pub SpikeSet);

/// For every projection, catch the source's spikes whose delay is over.
fn catch_pre_spikes(
    mut projections: Query<(&Presynaptic, Option<&SourceDelays>, &mut PreSpikes)>,
    axons: Query<&AxonHistory>,
) {
    for (pre, delays, mut caught) in &mut projections {
        if let Ok(axon) = axons.get(pre.0) {
            catch(&mut caught.0, axon, delays.map_or(&[][..], |d| &d.0));
        }
    }
}

/// For every projection that learns, catch the target's spikes whose delay is over.
fn catch_post_spikes(
    mut projections: Query<(&Postsynaptic, Option<&DestinationDelays>, &mut PostSpikes)>,
    axons: Query<&AxonHistory>,
) {
    for (post, delays, mut caught) in &mut projections {
        if let Ok(axon) = axons.get(post.0) {
            catch(&mut caught.0, axon, delays.map_or(&[][..], |d| &d.0));
        }
    }
}

/// Takes from each kept step the neurons whose delay is just that long: costs by spike, not by neuron.
fn catch(caught: &mut SpikeSet, axon: &AxonHistory, delays: &[u32]) {
    caught.refill(|events| {
        if delays.is_empty() {
            events.extend_from_slice(axon.fired(0));
            return;
        }
        for age in 0..axon.len() {
            let due = axon.fired(age).iter().copied().filter(|&i| delays[i as usize] as usize == age);
            events.extend(due);
        }
        events.sort_unstable();
    });
}

type Sized<'w> = (&'w Ends, &'w Unbuilt, Option<&'w mut PreSpikes>, Option<&'w mut PostSpikes>);

fn allocate_catchers(mut projections: Query<Sized>) {
    for (ends, unbuilt, pre, post) in &mut projections {
        let caught = [(pre.map(Mut::into_inner).map(|p| &mut p.0), ends.pre.len())];
        let caught =
            caught.into_iter().chain([(post.map(Mut::into_inner).map(|p| &mut p.0), ends.post.len())]);
        for (spikes, n) in caught {
            if let Some(spikes) = spikes.filter(|spikes| unbuilt.makes_state(spikes.mask().is_empty())) {
                spikes.resize(n);
            }
        }
    }
}

pub(crate) fn install(world: &mut World) {
    build_late::<PreSpikes>(world);
    build_late::<PostSpikes>(world);
    add_systems(world, StepSystems::SpikeCatching, (catch_pre_spikes, catch_post_spikes));
    add_build_systems(world, BuildSystems::Allocate, allocate_catchers);
}
