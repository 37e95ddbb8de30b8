//! Stage `Stimulus`: populations that fire at random.

use crate::checks::{Parameters, Range, keep_checked};
use crate::error::Problems;
use crate::fire::InputSpikes;
use crate::group::Population;
use crate::kernels::CHUNK;
use crate::kernels::arrivals::{even_arrivals, uneven_arrivals};
use crate::parameter::Param;
use crate::random::{Seed, Stream};
use crate::registry::{self, GroupKind};
use crate::schedule::{StepSystems, add_systems};
use crate::setters;
use crate::stimulus::advance_stimulus;
use crate::time::Clock;
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// Lets the neurons of an input population fire at random, independently of each other and of the past.
///
/// **Equation.** At each step a neuron fires with probability `1 − exp(−rate·dt/1000)`: whether a Poisson process of this
/// rate has an event in the step. Events beyond the first are lost, so at high rates a neuron fires less than `rate`; the
/// loss is half of `rate·dt/1000`, 0.5 % at 10 Hz and 1 ms.
///
/// **Parameters.** `rate` is one number, or one per neuron, 0 or more. It may be changed between steps.
///
/// **Scheme.** Exact. With one rate for all, the walk goes from spike to spike: a step costs by spikes, not by neurons.
///
/// **Reference.** D. J. Daley & D. Vere-Jones, An Introduction to the Theory of Point Processes I (2003), doi
/// 10.1007/b97277.
///
/// **CoNeX.** Has none; its encoders draw the spikes of a dataset. Spikes that a
/// [`Stimulus`](crate::stimulus::Stimulus), a system of yours or the program sets for the same step fire beside these.
#[doc(alias = "poisson_generator")]
#[doc(alias = "PoissonGroup")]
#[doc(alias = "SpikeSourcePoisson")]
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[require(InputSpikes)]
pub struct PoissonSource {
    /// Spikes a second \[Hz\].
    pub rate: Param,
}

setters!(PoissonSource { rate: Param });

impl PoissonSource {
    /// Fires with `rate` \[Hz\], one number or one per neuron.
    pub fn new(rate: impl Into<Param>) -> Self {
        PoissonSource { rate: rate.into() }
    }
}

impl Parameters for PoissonSource {
    fn parameters(&self) -> Vec<(String, &Param, Range)> {
        vec![("rate".into(), &self.rate, Range::NotNegative)]
    }
}

/// A draw from the exponential distribution of mean 1.
fn wait(random: &mut Stream) -> f64 {
    // 1 − [0, 1) is never 0.
    -libm::log(1.0 - random.random::<f64>())
}

/// For every population with a rate, draw which neurons fire.
///
/// Each chunk of neurons draws from a stream of its own for each step: nothing has to be kept from step to step.
fn fire_at_random(
    clock: Res<Clock>,
    seed: Res<Seed>,
    workers: Res<Workers>,
    problems: Res<Problems>,
    mut populations: Query<(&Name, &Population, &PoissonSource, &mut InputSpikes)>,
    mut drawn: Local<Vec<Vec<u32>>>,
) {
    if !problems.is_empty() {
        // A rate that was changed for the worse: the step ends with its error.
        return;
    }
    let seconds = clock.dt / 1000.0;
    for (name, population, source, mut input) in &mut populations {
        let n = population.size();
        let chunks = n.div_ceil(CHUNK);
        drawn.resize_with(chunks, Vec::new);
        let work = work(source, n, seconds);
        workers.each(work, drawn.iter_mut().enumerate(), |(k, events)| {
            let mut random = seed.stream("poisson source", name, clock.iteration * chunks as u64 + k as u64);
            let (start, end) = (k * CHUNK, n.min((k + 1) * CHUNK));
            events.clear();
            let wait = || wait(&mut random);
            match source.rate.count() {
                None => {
                    let expected = f64::from(source.rate.get(0)) * seconds;
                    even_arrivals(end - start, expected, start as u32, wait, events);
                }
                Some(_) => {
                    let rates = &source.rate.values()[start..end];
                    uneven_arrivals(rates, seconds, start as u32, wait, events);
                }
            }
        });
        input.add(drawn.iter().flatten().copied());
    }
}

/// About how many nanoseconds the draws of a step take.
fn work(source: &PoissonSource, n: usize, seconds: f64) -> usize {
    match source.rate.count() {
        None => (n as f64 * (f64::from(source.rate.get(0)) * seconds).min(1.0) * 15.0) as usize,
        Some(_) => n * 2,
    }
}

pub(crate) fn install(world: &mut World) {
    registry::behaviour::<PoissonSource>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::Stimulus)
        .saved();
    keep_checked::<PoissonSource>(world);
    add_systems(world, StepSystems::Stimulus, fire_at_random.after(advance_stimulus));
}
