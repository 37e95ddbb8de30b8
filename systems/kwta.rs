//! Stage `KWinnersTakeAll`: neurons compete for the right to fire.

use crate::dynamics::{Membrane, MembranePotential, Threshold};
use crate::error::{Error, Problems};
use crate::fire::NEURONS;
use crate::group::{Population, Unbuilt};
use crate::kernels::threshold::crossings;
use crate::kernels::top_k::{losers_of_lane, take_winners};
use crate::parameter::BLOCK;
use crate::registry::{self, GroupKind};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// A direction of a population's grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dimension {
    /// Across planes.
    Depth,
    /// Across rows.
    Height,
    /// Across columns.
    Width,
}

/// k winners take all: of the neurons about to fire, only the `k` with the largest `v` do, the others are put to
/// `v_reset`.
///
/// They compete all together, or, with a `dimension`, in every line along it. Where no more than `k` are about to fire,
/// nothing happens. All neurons are ranked, so one with a larger `v` that stands below its own higher threshold takes a
/// winner's place (as in CoNeX). Of equals, the lower index wins.
#[doc(alias = "KWTA")]
#[doc(alias = "KWinnersTakeAll")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kwta {
    /// How many may fire at one step, at least 1.
    pub k: usize,
    /// The lines within which they compete. Default: all together.
    pub dimension: Option<Dimension>,
}

impl Kwta {
    /// At most `k` of the whole population.
    pub fn new(k: usize) -> Self {
        Kwta { k, dimension: None }
    }

    /// At most `k` in every line along `dimension`.
    #[must_use]
    pub fn along(mut self, dimension: Dimension) -> Self {
        self.dimension = Some(dimension);
        self
    }
}

/// Memory that is kept from step to step.
#[derive(Default)]
struct Scratch {
    ranking: Vec<u32>,
    losers: Vec<u32>,
}

/// For every population with a voltage, a threshold and a k-winners rule, put the losers to their reset potential.
fn suppress_losers(
    mut populations: Query<(&Population, &Kwta, &Threshold, &Membrane, &mut MembranePotential)>,
    mut scratch: Local<Scratch>,
) {
    let Scratch { ranking, losers } = &mut *scratch;
    for (population, kwta, threshold, membrane, mut v) in &mut populations {
        let grid = population.grid;
        let (depth, height, width) = (grid.depth as u32, grid.height as u32, grid.width as u32);
        let plane = height * width;
        losers.clear();
        let mut compete = |first: u32, count: u32, stride: u32| {
            let lane = (0..count).map(move |k| first + k * stride);
            losers_of_lane(&v.0, |j| threshold.0.get(j), lane, kwta.k, ranking, losers);
        };
        match kwta.dimension {
            None if threshold.0.count().is_none() => {
                // With one threshold for all, whoever has a larger `v` than a candidate is a candidate too.
                for (block, v) in v.0.chunks(BLOCK).enumerate() {
                    let start = block * BLOCK;
                    crossings(v, threshold.0.block(start, v.len()), start as u32, losers);
                }
                take_winners(&v.0, kwta.k, losers);
            }
            None => compete(0, depth * plane, 1),
            Some(Dimension::Depth) => (0..plane).for_each(|place| compete(place, depth, plane)),
            Some(Dimension::Height) => {
                (0..depth).for_each(|d| (0..width).for_each(|w| compete(d * plane + w, height, width)));
            }
            Some(Dimension::Width) => (0..depth * height).for_each(|row| compete(row * width, width, 1)),
        }
        for &j in &*losers {
            v.0[j as usize] = membrane.v_reset.get(j as usize);
        }
    }
}

fn check_kwta(mut problems: ResMut<Problems>, populations: Query<(&Name, &Kwta), With<Unbuilt>>) {
    for (name, kwta) in &populations {
        if kwta.k == 0 {
            problems.push(Error::ParameterRange {
                group: name.into(),
                behaviour: "Kwta".into(),
                parameter: "k".into(),
                value: 0.0,
                requirement: "at least 1".into(),
            });
        }
    }
}

pub(crate) fn install(world: &mut World) {
    registry::behaviour::<Kwta>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::KWinnersTakeAll)
        .needs(&[NEURONS])
        .saved();
    add_systems(world, StepSystems::KWinnersTakeAll, suppress_losers);
    add_build_systems(world, BuildSystems::Validate, check_kwta);
}
