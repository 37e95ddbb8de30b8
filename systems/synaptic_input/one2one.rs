//! Neuron i of the source reaches neuron i of the target.

use super::{Connectivity, PlasticSynapses, Site, Synapses, Weighted};
use crate::Real;
use crate::error::Result;
use crate::fire::SpikeSet;
use crate::learning::{Activity, Changes, PlasticityRule};
use crate::weights::{FanIn, Weights};
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// One synapse a neuron, between populations of one size: the current at j is `w[j]` where j fired.
///
/// Weights have the shape (n). Normalization sees one sum, over all of them, as in CoNeX.
#[doc(alias = "One2OneDendriticInput")]
#[doc(alias = "one_to_one")]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[require(Weighted)]
pub struct One2One;

/// The weights of a one-to-one projection.
#[derive(Component, Clone, Debug)]
pub struct One2OneSynapses {
    weights: Weights,
}

impl Connectivity for One2One {
    type Synapses = One2OneSynapses;

    fn connect(&self, site: &Site<'_>) -> Result<One2OneSynapses> {
        let n = site.post.len();
        if site.pre.len() != n {
            return Err(site.mismatch("One2One", "both need the same number of neurons".into()));
        }
        if let Some(given) = site.weights.given_shape().filter(|given| *given != [n]) {
            return Err(site.weight_shape("One2One", &[n], &given));
        }
        Ok(One2OneSynapses { weights: Weights::zeros(n) })
    }
}

impl Synapses for One2OneSynapses {
    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn weights_mut(&mut self) -> &mut Weights {
        &mut self.weights
    }

    fn shape(&self) -> Vec<usize> {
        vec![self.weights.len()]
    }

    fn deliver(&self, weights: &[Real], pre: &SpikeSet, current: &mut [Real], _: &Workers) {
        for &i in pre.events() {
            current[i as usize] += weights[i as usize];
        }
    }

    fn fan_in(&self) -> FanIn {
        FanIn::All
    }
}

impl PlasticSynapses for One2OneSynapses {
    const WAITS: bool = true;

    fn learn<R: PlasticityRule, C: Changes>(
        &mut self,
        mut changes: C,
        rule: &R,
        activity: &Activity<'_>,
        _: &Workers,
    ) {
        for &i in activity.pre.events() {
            let i = i as usize;
            let traces = activity.traces(i, i);
            changes.change(i, 0, |w| {
                let depression = rule.on_pre_spike(w, traces);
                depression + if activity.post.mask()[i] { rule.on_post_spike(w, traces) } else { 0.0 }
            });
        }
        for &j in activity.post.events() {
            let j = j as usize;
            if !activity.pre.mask()[j] {
                changes.change(j, 0, |w| rule.on_post_spike(w, activity.traces(j, j)));
            }
        }
    }
}
