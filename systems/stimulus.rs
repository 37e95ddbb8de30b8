//! Stage `Stimulus`: data become spikes of an input population, one instance after another.
//!
//! A [`Dataset`] holds intensities (images) with labels, an [`Encoder`] turns the intensities of one instance into a
//! [`SpikeTrain`], and a [`Stimulus`] on a population shows the instances in turn. What stands ready as spikes implements
//! [`SpikeDataset`] itself.

use crate::Real;
use crate::error::{Error, Problems, Result};
use crate::fire::InputSpikes;
use crate::group::{Grid, Population};
use crate::random::{Seed, Stream};
use crate::registry::{self, GroupKind};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_systems};
use bevy_ecs::prelude::*;
use std::fmt;
use std::sync::Arc;

/// Instances with intensities and, where known, labels.
pub trait Dataset: Send + Sync {
    /// The number of instances.
    fn len(&self) -> usize;
    /// Whether there is no instance.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The shape of each instance.
    fn shape(&self) -> Grid;
    /// The intensities of instance `index`, usually within \[0, 1\], in the order of the grid's neurons.
    fn intensities(&self, index: usize) -> &[Real];
    /// The class of instance `index`.
    fn label(&self, index: usize) -> Option<usize>;
}

/// A rule that turns intensities into spikes.
pub trait Encoder: Send + Sync {
    /// Steps that one instance takes.
    fn duration(&self) -> usize;
    /// Fills `train`, which comes empty and [`duration`](Self::duration) steps long. Neuron k belongs to
    /// `intensities[k]`. Every draw comes from `random`.
    fn encode(&self, intensities: &[Real], random: &mut Stream, train: &mut SpikeTrain);
}

/// Instances that stand ready as spikes.
pub trait SpikeDataset: Send + Sync {
    /// The number of instances.
    fn len(&self) -> usize;
    /// Whether there is no instance.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The shape of the population that shows them.
    fn shape(&self) -> Grid;
    /// Writes the spikes of instance `index` into `train`, which may hold those of another.
    fn train(&self, index: usize, random: &mut Stream, train: &mut SpikeTrain);
    /// The class of instance `index`.
    fn label(&self, index: usize) -> Option<usize>;
}

/// Spikes of a population over some steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpikeTrain {
    /// For each step the neurons that fire, in ascending order.
    pub steps: Vec<Vec<u32>>,
}

impl SpikeTrain {
    /// Makes the train `duration` steps long and silent, keeping its memory.
    pub fn clear(&mut self, duration: usize) {
        self.steps.iter_mut().for_each(Vec::clear);
        self.steps.resize_with(duration, Vec::new);
    }
}

/// A dataset seen through an encoder.
pub struct Encoded<D, E> {
    dataset: D,
    encoder: E,
}

impl<D: Dataset, E: Encoder> SpikeDataset for Encoded<D, E> {
    fn len(&self) -> usize {
        self.dataset.len()
    }
    fn shape(&self) -> Grid {
        self.dataset.shape()
    }
    fn train(&self, index: usize, random: &mut Stream, train: &mut SpikeTrain) {
        train.clear(self.encoder.duration());
        self.encoder.encode(self.dataset.intensities(index), random, train);
    }
    fn label(&self, index: usize) -> Option<usize> {
        self.dataset.label(index)
    }
}

impl<D: Dataset + ?Sized> Dataset for Arc<D> {
    fn len(&self) -> usize {
        (**self).len()
    }
    fn shape(&self) -> Grid {
        (**self).shape()
    }
    fn intensities(&self, index: usize) -> &[Real] {
        (**self).intensities(index)
    }
    fn label(&self, index: usize) -> Option<usize> {
        (**self).label(index)
    }
}

/// Shows the instances of a dataset to an input population: each for its duration, then a silent interval.
///
/// After the last instance it starts again (the default), or falls silent for good. The train of presentation k is
/// drawn from a stream of its own, so the same seed shows the same spikes wherever a run was resumed.
#[doc(alias = "SpikeNdDataset")]
#[doc(alias = "SensorySetter")]
#[doc(alias = "InputLayer")]
#[derive(Component, Clone)]
#[require(InputSpikes, Presentation)]
pub struct Stimulus {
    source: Arc<dyn SpikeDataset>,
    /// Steps without spikes after each instance. Default 0.
    pub silent_interval: usize,
    /// Whether to start again after the last instance. Default true.
    pub looping: bool,
}

impl Stimulus {
    /// Shows `dataset` through `encoder`.
    pub fn new(dataset: impl Dataset + 'static, encoder: impl Encoder + 'static) -> Self {
        Self::spikes(Encoded { dataset, encoder })
    }

    /// Shows instances that stand ready as spikes.
    pub fn spikes(source: impl SpikeDataset + 'static) -> Self {
        Stimulus { source: Arc::new(source), silent_interval: 0, looping: true }
    }

    /// Leaves `steps` without spikes after each instance; the label stays.
    #[must_use]
    pub fn silent_interval(mut self, steps: usize) -> Self {
        self.silent_interval = steps;
        self
    }

    /// Falls silent after the last instance.
    #[must_use]
    pub fn stop_at_end(mut self) -> Self {
        self.looping = false;
        self
    }

    /// What is shown.
    pub fn dataset(&self) -> &dyn SpikeDataset {
        &*self.source
    }
}

impl fmt::Debug for Stimulus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Stimulus {{ {} instances, silent_interval: {}, looping: {} }}",
            self.source.len(),
            self.silent_interval,
            self.looping
        )
    }
}

/// Where a [`Stimulus`] stands.
#[derive(Component, Clone, Debug, Default, PartialEq, Eq)]
pub struct Presentation {
    train: SpikeTrain,
    /// The next step of `train`; beyond its end the silent interval runs.
    step: usize,
    /// Presentations begun so far.
    begun: u64,
    label: Option<usize>,
    finished: bool,
}

impl Presentation {
    /// Which instance is being shown (or was, during the silence after it).
    pub fn instance(&self, dataset_len: usize) -> Option<usize> {
        self.begun.checked_sub(1)?.checked_rem(dataset_len as u64).map(|k| k as usize)
    }

    /// Presentations begun so far, over all rounds.
    pub fn begun(&self) -> u64 {
        self.begun
    }

    /// The class of the instance that is being shown.
    pub fn label(&self) -> Option<usize> {
        self.label
    }

    /// Whether the last instance is over and will not be followed by another.
    pub fn is_finished(&self) -> bool {
        self.finished
    }
}

/// For every population with a stimulus, take the next step of its instance, or begin the next instance.
pub(crate) fn advance_stimulus(
    seed: Res<Seed>,
    mut populations: Query<(&Name, &Stimulus, &mut Presentation, &mut InputSpikes)>,
) {
    for (name, stimulus, mut shown, mut input) in &mut populations {
        let shown = &mut *shown;
        if shown.finished {
            continue;
        }
        let instances = stimulus.source.len() as u64;
        let over = shown.begun == 0
            || shown.step >= shown.train.steps.len().saturating_add(stimulus.silent_interval);
        if over {
            if !stimulus.looping && shown.begun == instances {
                shown.finished = true;
                shown.label = None;
                continue;
            }
            let index = (shown.begun % instances) as usize;
            let mut random = seed.stream("stimulus", name, shown.begun);
            stimulus.source.train(index, &mut random, &mut shown.train);
            shown.label = stimulus.source.label(index);
            shown.begun += 1;
            shown.step = 0;
        }
        if let Some(neurons) = shown.train.steps.get(shown.step) {
            input.set(neurons);
        }
        shown.step += 1;
    }
}

fn check_stimulus(mut problems: ResMut<Problems>, populations: Query<(&Name, &Population, &Stimulus)>) {
    for (name, population, stimulus) in &populations {
        problems.check(stimulus_fits(name, population, stimulus));
    }
}

fn stimulus_fits(name: &str, population: &Population, stimulus: &Stimulus) -> Result<()> {
    let given = stimulus.source.shape();
    if stimulus.source.is_empty() {
        return Err(Error::EmptyDataset { population: name.into() });
    }
    if given.len() != population.size() {
        let (expected, given) = (population.grid.to_string(), given.to_string());
        return Err(Error::StimulusSize { population: name.into(), expected, given });
    }
    Ok(())
}

pub(crate) fn install(world: &mut World) {
    registry::behaviour::<Stimulus>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::Stimulus)
        .state::<Presentation>()
        .copied();
    add_systems(world, StepSystems::Stimulus, advance_stimulus);
    add_build_systems(world, BuildSystems::Validate, check_stimulus);
}
