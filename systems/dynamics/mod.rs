//! Stage `NeuronDynamics`: neuron models integrate their membrane potential.
//!
//! A model is one file: a component with the parameters and an implementation of [`NeuronModel`]. Add yours with
//! [`register`]; `docs/adding-a-neuron-model.md` takes you through it.

pub mod adaptation;

pub use crate::checks::{Range, check_parameter};

use crate::Real;
use crate::delivery::Fused;
pub use crate::delivery::Stretch;
use crate::error::{Error, Problems, Result};
use crate::fire::{Fire, FireSystems, Spikes};
use crate::group::{Population, Unbuilt};
use crate::kernels::{CHUNK, decay::difference};
use crate::parameter::{BLOCK, Param};
use crate::receptors::Receptors;
use crate::registry::{self, GroupKind, SwitchedOff};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_family_system, add_systems};
use crate::time::{Clock, TimeScaling};
use crate::workers::Workers;
use adaptation::{Adaptation, AdaptationCurrents};
use bevy_ecs::component::Mutable;
use bevy_ecs::prelude::*;
use std::any::TypeId;
use std::fmt::Debug;

/// Declares the neuron models that conex has, each with its file, and registers them.
macro_rules! neuron_models {
    ($($file:ident :: $model:ident),* $(,)?) => {
        $(pub mod $file;)*

        /// Every neuron model that conex has.
        pub mod models {
            $(pub use super::$file::$model;)*
        }

        fn register_all(world: &mut World) {
            $(
                register::<$file::$model>(world);
                registry::behaviour::<$file::$model>(world).saved();
            )*
        }
    };
}

neuron_models! {
    lif::Lif,
    elif::Elif,
    aelif::Aelif,
    izhikevich::Izhikevich,
    lif_psc_exp::LifPscExp,
    lif_psc_alpha::LifPscAlpha,
    lif_cond_exp::LifCondExp,
}

/// The membrane potential `v` of each neuron.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct MembranePotential(pub Vec<Real>);

/// The firing threshold of each neuron, in the unit of `v`. It starts as the model's and homeostasis may move it.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct Threshold(pub Param);

/// The input current `I` of each neuron, which the dendrite gathers and the model integrates.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct InputCurrent(pub Vec<Real>);

/// What dendrites, competition and reset need to know of a neuron model's membrane.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct Membrane {
    /// Time constant \[ms\].
    pub tau: Param,
    /// Resistance, in the unit of `v` per unit of current.
    pub r: Param,
    /// Resting potential, in the unit of `v`.
    pub v_rest: Param,
    /// Potential after a spike, in the unit of `v`.
    pub v_reset: Param,
}

/// The state variables that a neuron model has beside its potential.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct NeuronState {
    names: &'static [&'static str],
    arrays: Vec<Vec<Real>>,
    /// The model that made the state.
    model: Option<TypeId>,
}

/// What a neuron model computed of its parameters, once for many steps.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct ModelConstants(pub Vec<Param>);

impl NeuronState {
    /// The variables, in the order of the model's.
    pub(crate) fn arrays_mut(&mut self) -> [&mut [Real]; MAX_STATE] {
        let mut all: [&mut [Real]; MAX_STATE] = std::array::from_fn(|_| &mut [][..]);
        all.iter_mut().zip(&mut self.arrays).for_each(|(slot, array)| *slot = array);
        all
    }

    /// The values of the variable `name`.
    pub fn get(&self, name: &str) -> Option<&[Real]> {
        self.names.iter().position(|n| *n == name).map(|k| &self.arrays[k][..])
    }

    /// The names of the variables.
    pub fn names(&self) -> &'static [&'static str] {
        self.names
    }
}

/// State variables that a neuron model may have beside its potential.
pub const MAX_STATE: usize = 8;

/// Some neighbouring neurons of a population, at most [`BLOCK`], that a model integrates together.
pub struct Neurons<'a> {
    /// Membrane potentials.
    pub v: &'a mut [Real],
    /// Input currents.
    pub input: &'a [Real],
    /// The model's own variables, in the order of [`NeuronModel::STATE`]; those it has not are empty.
    pub state: [&'a mut [Real]; MAX_STATE],
    /// Time step \[ms\].
    pub dt: Real,
    /// What dt scales.
    pub scaling: TimeScaling,
    /// What arrives at the receptors at this step, for each of [`NeuronModel::receptors`]; empty for those it has not.
    pub received: [&'a [Real]; 2],
    /// What the model computed beforehand: [`NeuronModel::constants`].
    pub constants: &'a [Param],
    start: usize,
}

impl<'a> Neurons<'a> {
    /// The neurons from `start` on, with nothing received.
    pub(crate) fn of_block(
        v: &'a mut [Real],
        input: &'a [Real],
        state: [&'a mut [Real]; MAX_STATE],
        clock: &Clock,
        start: usize,
    ) -> Self {
        let (dt, scaling) = (clock.dt as Real, clock.scaling);
        Neurons { v, input, state, dt, scaling, received: [&[], &[]], constants: &[], start }
    }

    /// The same, with what arrives at their receptors and the model's constants.
    pub(crate) fn receiving(self, received: [&'a [Real]; 2], constants: &'a [Param]) -> Self {
        Neurons { received, constants, ..self }
    }

    /// The values of constant k for these neurons.
    #[inline]
    pub fn constant(&self, k: usize) -> &'a [Real] {
        self.constants[k].block(self.start, self.v.len())
    }

    /// The values of a parameter for these neurons.
    #[inline]
    pub fn of<'p>(&self, parameter: &'p Param) -> &'p [Real] {
        parameter.block(self.start, self.v.len())
    }
}

/// A spiking neuron model: parameters, integration, and what happens at a spike.
///
/// The component `#[require(Fire)]`s, which brings potential, threshold, current and spikes. After it is registered, the
/// network integrates it in blocks, on all threads, checks its parameters, and records its variables by name.
pub trait NeuronModel: Component<Mutability = Mutable> + Debug {
    /// Names of the variables beside `v`, at most [`MAX_STATE`].
    const STATE: &'static [&'static str] = &[];

    /// Whether [`after_fire`](Self::after_fire) does anything.
    const ADAPTS: bool = false;

    /// The membrane's parameters, which dendrites, competition and reset use.
    fn membrane(&self) -> Membrane;

    /// Firing threshold, in the unit of `v`.
    fn threshold(&self) -> &Param;

    /// Initial potential.
    fn initial_v(&self) -> &Param;

    /// Initial value of variable `k` of [`STATE`](Self::STATE).
    fn initial_state(&self, _k: usize) -> Param {
        Param::default()
    }

    /// Every parameter with its name and the range it must be in. All are checked before the first step.
    fn parameters(&self) -> Vec<(&'static str, &Param, Range)>;

    /// How many receptors the neurons have, at which spikes arrive: none, one that takes all, or two, for what excites and
    /// for what inhibits. A model with receptors `#[require(Receptors)]`s. Default none: input comes as a current.
    fn receptors(&self) -> usize {
        0
    }

    /// What follows from the parameters and dt \[ms\], computed once rather than at each step: handed to
    /// [`integrate`](Self::integrate) as [`Neurons::constants`]. Default nothing.
    fn constants(&self, _dt: f64) -> Vec<Param> {
        Vec::new()
    }

    /// One time step: reads `input` and writes `v` and `state`. The neurons stand in no relation to each other.
    fn integrate(&self, neurons: Neurons<'_>);

    /// The same step in one pass with what comes before and after it: receptors take up what arrives, the potential is
    /// held against the threshold. For models with receptors whose neurons all have the same numbers: they hand them to
    /// [`Stretch::advance`]. Gives false where they differ, or where the model knows no such pass, and does nothing then:
    /// the parts of the step are done one after the other, with the same result. Default false.
    fn advance(&self, _constants: &[Param], _neurons: &mut Stretch<'_, '_>) -> bool {
        false
    }

    /// What a spike changes beside the reset, for all neurons: `v` is already reset, `fired` has one flag a neuron.
    fn after_fire(&self, _neurons: Neurons<'_>, _fired: &[bool]) {}
}

/// The neuron models; no population has two.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NeuronModels;

/// Copies of a model's membrane; no population has two.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct MembraneCopies;

/// What neuron models do at a spike; no population has two.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct NeuronAdaptations;

/// The registered neuron models that a population has. Kept by the Build schedule.
#[derive(Component, Clone, Debug, Default)]
pub struct ModelNames(Vec<String>);

/// Makes the neuron model `M` known to the network: from now on it is built, integrated and described.
pub fn register<M: NeuronModel>(world: &mut World) {
    const { assert!(M::STATE.len() <= MAX_STATE, "a neuron model has too many state variables") };
    if !registry::first::<(NeuronModels, M)>(world) {
        return;
    }
    registry::behaviour::<M>(world)
        .on(GroupKind::Population)
        .stage(StepSystems::NeuronDynamics)
        .after_removing(crate::fire::silence)
        .state::<(
            Fire,
            MembranePotential,
            Threshold,
            Membrane,
            InputCurrent,
            NeuronState,
            ModelConstants,
            Receptors,
            Spikes,
            ModelNames,
        )>();
    add_build_systems(world, BuildSystems::Allocate, prepare_model::<M>);
    add_family_system(
        world,
        StepSystems::Time,
        MembraneCopies,
        follow_changes::<M>.after(crate::time::advance_clock),
    );
    add_family_system(world, StepSystems::NeuronDynamics, NeuronModels, integrate_neurons::<M>);
    crate::delivery::register_model::<M>(world);
    if M::ADAPTS {
        add_family_system(
            world,
            StepSystems::Fire,
            NeuronAdaptations,
            adapt_after_fire::<M>.in_set(FireSystems::Adapt),
        );
    }
}

type Fresh<'w, M> = (
    &'w Name,
    &'w Population,
    &'w Unbuilt,
    &'w M,
    &'w mut MembranePotential,
    &'w mut InputCurrent,
    &'w mut Threshold,
    &'w mut Membrane,
    (&'w mut NeuronState, &'w mut ModelConstants, Option<&'w mut Receptors>),
    &'w mut ModelNames,
);

/// For every new population of this model, check the parameters and set the state to its start.
fn prepare_model<M: NeuronModel>(
    clock: Res<Clock>,
    mut problems: ResMut<Problems>,
    mut populations: Query<Fresh<M>>,
) {
    let model_name = registry::short_name::<M>();
    for (
        name,
        population,
        unbuilt,
        model,
        mut v,
        mut current,
        mut threshold,
        mut membrane,
        (mut state, mut constants, receptors),
        mut names,
    ) in &mut populations
    {
        let n = population.size();
        names.0.push(model_name.to_string());
        // What another model has left means nothing to this one.
        let missing = v.0.is_empty() || state.model != Some(TypeId::of::<M>());
        if problems.check(check_model(name, population, model)).is_some() && unbuilt.makes_state(missing) {
            if unbuilt.makes_learned(missing) {
                threshold.0 = model.threshold().clone();
            }
            v.0 = model.initial_v().to_vec(n);
            current.0 = vec![0.0; n];
            *membrane = model.membrane();
            constants.0 = model.constants(clock.dt);
            if let Some(mut receptors) = receptors {
                receptors.resize(n, model.receptors());
            }
            state.names = M::STATE;
            state.model = Some(TypeId::of::<M>());
            state.arrays = (0..M::STATE.len()).map(|k| model.initial_state(k).to_vec(n)).collect();
        }
    }
}

fn check_models(
    mut problems: ResMut<Problems>,
    mut populations: Query<(&Name, &mut ModelNames, Has<SwitchedOff>), With<Unbuilt>>,
) {
    for (name, mut models, switched_off) in &mut populations {
        // Taken, so that a network that was mended counts afresh.
        let models = std::mem::take(&mut models.0);
        let population = name.to_string();
        match models.len() {
            0 if !switched_off => problems.push(Error::UnregisteredModel { population }),
            0 | 1 => {}
            _ => problems.push(Error::SeveralModels { population, models }),
        }
    }
}

type Integrated<'w, M> = (
    (&'w M, &'w ModelConstants),
    (&'w InputCurrent, Option<&'w Receptors>),
    Option<(&'w Adaptation, &'w AdaptationCurrents)>,
    &'w mut MembranePotential,
    &'w mut NeuronState,
);

/// For every population of this model, integrate its neurons by one step, with their input less what adaptation takes off.
fn integrate_neurons<M: NeuronModel>(
    clock: Res<Clock>,
    problems: Res<Problems>,
    workers: Res<Workers>,
    mut populations: Query<Integrated<M>, Without<Fused>>,
) {
    if !problems.is_empty() {
        // A parameter that was changed for the worse must not reach a kernel; the step ends with its error.
        return;
    }
    for ((model, constants), (current, receptors), adaptation, mut v, mut state) in &mut populations {
        let taken_off = adaptation.map(|(_, currents)| currents.sum());
        let chunks = chunks(&mut v.0, &mut state.arrays);
        workers.each(current.0.len() * 4, chunks, |(start, v, state)| {
            let input = &current.0[start..start + v.len()];
            for_each_block(start, v, input, state, &clock, |neurons, block| {
                let received = receptors.map_or([&[][..]; 2], |receptors| {
                    [0, 1].map(|k| receptors.arrived[k].get(block.clone()).unwrap_or(&[]))
                });
                let neurons = neurons.receiving(received, &constants.0);
                let Some(sum) = taken_off else { return model.integrate(neurons) };
                {
                    let mut left = [0.0; BLOCK];
                    let left = &mut left[..block.len()];
                    difference(left, neurons.input, &sum[block.clone()]);
                    model.integrate(Neurons { input: left, ..neurons });
                }
            });
        });
    }
}

/// For every population of this model, let spikes change what they change beside the reset.
fn adapt_after_fire<M: NeuronModel>(
    clock: Res<Clock>,
    problems: Res<Problems>,
    workers: Res<Workers>,
    mut populations: Query<(&M, &Spikes, &InputCurrent, &mut MembranePotential, &mut NeuronState)>,
) {
    if !problems.is_empty() {
        return;
    }
    for (model, spikes, current, mut v, mut state) in &mut populations {
        let chunks = chunks(&mut v.0, &mut state.arrays);
        workers.each(current.0.len() * 4, chunks, |(start, v, state)| {
            let input = &current.0[start..start + v.len()];
            for_each_block(start, v, input, state, &clock, |neurons, block| {
                let fired = &spikes.0.mask()[block.clone()];
                model.after_fire(neurons, fired);
            });
        });
    }
}

type Chunk<'a> = (usize, &'a mut [Real], [&'a mut [Real]; MAX_STATE]);

/// Cuts a population into the tasks of a parallel region: (first neuron, potentials, state).
fn chunks<'a>(v: &'a mut [Real], state: &'a mut [Vec<Real>]) -> impl Iterator<Item = Chunk<'a>> {
    let mut rest: [&'a mut [Real]; MAX_STATE] = std::array::from_fn(|_| &mut [][..]);
    for (slot, array) in rest.iter_mut().zip(state) {
        *slot = array;
    }
    v.chunks_mut(CHUNK).enumerate().map(move |(k, v)| {
        let state = std::array::from_fn(|s| take_front(&mut rest[s], v.len()));
        (k * CHUNK, v, state)
    })
}

/// Takes the first `len` values, or none from what is empty.
pub(crate) fn take_front<'a, T>(rest: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let len = len.min(rest.len());
    let (front, back) = std::mem::take(rest).split_at_mut(len);
    *rest = back;
    front
}

fn for_each_block(
    start: usize,
    v: &mut [Real],
    input: &[Real],
    mut state: [&mut [Real]; MAX_STATE],
    clock: &Clock,
    mut f: impl FnMut(Neurons<'_>, &std::ops::Range<usize>),
) {
    let blocks = v.chunks_mut(BLOCK).zip(input.chunks(BLOCK)).enumerate();
    for (k, (v, input)) in blocks {
        let start = start + k * BLOCK;
        let block = start..start + v.len();
        let state = std::array::from_fn(|s| take_front(&mut state[s], v.len()));
        f(Neurons::of_block(v, input, state, clock, start), &block);
    }
}

type Followed<'w, M> = (
    Entity,
    &'w Name,
    &'w Population,
    Ref<'w, M>,
    &'w mut Membrane,
    &'w mut ModelConstants,
    Option<&'w Receptors>,
);

/// For every population whose model was changed between steps, check the parameters and let the membrane follow. One
/// that is wrong is checked again at every step until it is mended.
fn follow_changes<M: NeuronModel>(
    clock: Res<Clock>,
    mut problems: ResMut<Problems>,
    mut populations: Query<Followed<M>>,
    mut unsound: Local<Vec<Entity>>,
) {
    for (entity, name, population, model, mut membrane, mut constants, receptors) in &mut populations {
        if !model.is_changed() && !unsound.contains(&entity) {
            continue;
        }
        unsound.retain(|other| *other != entity);
        if problems.check(check_model(name, population, &*model)).is_some() {
            *membrane = model.membrane();
            constants.0 = model.constants(clock.dt);
            if let Some(had) = receptors.map(Receptors::count).filter(|&had| had != model.receptors()) {
                let (population, has) = (name.to_string(), model.receptors());
                problems.push(Error::ReceptorsChanged { population, had, has });
                unsound.push(entity);
            }
        } else {
            unsound.push(entity);
        }
    }
}

fn check_model<M: NeuronModel>(name: &str, population: &Population, model: &M) -> Result<()> {
    let behaviour = registry::short_name::<M>();
    let parameters = model.parameters();
    parameters.into_iter().try_for_each(|(parameter, values, range)| {
        check_parameter(name, behaviour, parameter, values, population.size(), range)
    })
}

/// For every population whose threshold a user changed, check that there is one, or one per neuron.
fn check_thresholds(
    mut problems: ResMut<Problems>,
    mut populations: Query<(&Name, &Population, &mut Threshold), Changed<Threshold>>,
) {
    for (name, population, mut threshold) in &mut populations {
        let n = population.size();
        if threshold.0.count().is_some_and(|given| given != n) {
            problems.check(check_parameter(name, "Threshold", "threshold", &threshold.0, n, Range::Any));
            // The step ends with the error; until then, kernels need a threshold that fits.
            threshold.0 = Real::MAX.into();
        }
    }
}

pub(crate) fn install(world: &mut World) {
    add_systems(world, StepSystems::Time, check_thresholds);
    add_build_systems(world, BuildSystems::Validate, check_models);
    register_all(world);
    adaptation::install(world);
}
