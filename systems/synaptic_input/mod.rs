//! Stage `SynapticInput`: each projection turns the spikes that it caught into a current at its target.
//!
//! A kind of connectivity is one file: a component that says which kind, the synapses that it lays out, and the
//! implementations of [`Connectivity`] and [`Synapses`]. Rules, normalization and clipping work on every kind through
//! the second, so kinds and rules compose freely.

pub mod dense;
pub mod sparse;
pub mod one2one;
pub mod conv2d;
mod normalization;

pub use normalization::CurrentNormalization;

use crate::Real;
use crate::dynamics::{Range, check_parameter};
use crate::error::{Error, Problems, Result};
use crate::fire::SpikeSet;
use crate::group::{Grid, Inhibitory, Population, Unbuilt, refuse_late};
use crate::kernels::decay::scale;
use crate::learning::{Activity, PlasticityRule};
use crate::random::Seed;
use crate::registry;
use crate::relations::{Compartment, Postsynaptic, Presynaptic, Projection};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_family_system};
use crate::spike_catching::PreSpikes;
use crate::weights::{WeightInitializer, Weights};
use crate::workers::Workers;
use bevy_ecs::component::Mutable;
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// The current that a projection brings to each neuron of its target, at this step.
#[doc(alias = "I")]
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct SynapticCurrent {
    /// One value per target neuron.
    pub values: Vec<Real>,
    /// Whether all values are 0, so that nothing needs to be added up.
    pub silent: bool,
    sign: Real,
}

impl SynapticCurrent {
    /// Replaces the current by one of a user's own making.
    pub fn set(&mut self, values: &[Real]) {
        self.values.clear();
        self.values.extend_from_slice(values);
        self.silent = false;
    }
}

/// Multiplies a projection's current (CoNeX's `current_coef`). Default 1.
#[doc(alias = "current_coef")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurrentCoef(pub Real);

impl Default for CurrentCoef {
    fn default() -> Self {
        CurrentCoef(1.0)
    }
}

/// The projection has a kind of connectivity. Every kind brings it.
#[derive(Component, Clone, Debug, Default)]
#[require(SynapticCurrent, CurrentCoef, PreSpikes)]
pub struct DendriticInput {
    /// The registered kinds that the projection has. Kept by the Build schedule.
    kinds: Vec<String>,
}

/// Everything that a kind of connectivity may ask when it lays out its synapses.
pub struct Site<'a> {
    /// The projection's name.
    pub projection: &'a str,
    /// The source's name.
    pub source: &'a str,
    /// The target's name.
    pub target: &'a str,
    /// The source's shape.
    pub pre: Grid,
    /// The target's shape.
    pub post: Grid,
    /// What the weights will be.
    pub weights: &'a WeightInitializer,
    /// Where random draws come from.
    pub seed: Seed,
}

impl Site<'_> {
    /// The error that source and target do not fit; `expected` says what would.
    pub fn mismatch(&self, connectivity: &'static str, expected: String) -> Error {
        Error::ShapeMismatch {
            projection: self.projection.into(),
            connectivity,
            source_population: self.source.into(),
            source_shape: self.pre.to_string(),
            target: self.target.into(),
            target_shape: self.post.to_string(),
            expected,
        }
    }

    /// So many weights of 0.
    ///
    /// # Errors
    /// More of them than there can be, or than memory can be had for.
    pub fn zeros(&self, connectivity: &'static str, synapses: u128) -> Result<Weights> {
        let limit = (isize::MAX as u128) / size_of::<Real>() as u128;
        if synapses > limit {
            return Err(Error::TooManySynapses {
                projection: self.projection.into(),
                connectivity,
                synapses,
                limit,
            });
        }
        let mut values: Vec<Real> = Vec::new();
        if values.try_reserve_exact(synapses as usize).is_err() {
            return Err(Error::OutOfMemory { projection: self.projection.into(), connectivity, synapses });
        }
        values.resize(synapses as usize, 0.0);
        Ok(values.into())
    }

    /// The error that given weights have the wrong shape.
    pub fn weight_shape(&self, connectivity: &'static str, expected: &[usize], given: &[usize]) -> Error {
        let (expected, given) = (format!("{expected:?}"), format!("{given:?}"));
        Error::WeightShape { projection: self.projection.into(), connectivity, expected, given }
    }
}

/// A kind of connectivity: which synapses there are between two populations.
pub trait Connectivity: Component + Debug {
    /// How the synapses are kept.
    type Synapses: Synapses;

    /// Lays out the synapses, their weights not yet drawn.
    ///
    /// # Errors
    /// Shapes that do not fit.
    fn connect(&self, site: &Site<'_>) -> Result<Self::Synapses>;
}

/// The synapses of a projection, whatever their kind.
pub trait Synapses: Component<Mutability = Mutable> {
    /// Whether only the synapses that the density asks for are stored.
    const STRUCTURAL_DENSITY: bool = false;

    /// The weights, in the kind's own order.
    fn weights(&self) -> &Weights;

    /// The weights, to be changed.
    fn weights_mut(&mut self) -> &mut Weights;

    /// The shape in which given weights come and weights are read back.
    fn shape(&self) -> Vec<usize>;

    /// Memory that the synapses take \[bytes\].
    fn bytes(&self) -> usize {
        size_of_val(self.weights().values())
    }

    /// Adds to `current[j]` the weights of the synapses from spiking neurons to j.
    fn deliver(&self, pre: &SpikeSet, current: &mut [Real], workers: &Workers);

    /// Applies `rule` to every synapse with a spike on either side.
    fn learn<R: PlasticityRule>(&mut self, rule: &R, activity: &Activity<'_>, workers: &Workers);

    /// Sets `sums` to the sums of weights that normalization acts on: one for each group of targets that share one. The
    /// groups are equally large and in the order of the targets.
    fn incoming_sums(&self, sums: &mut Vec<Real>);

    /// Multiplies the weights of each such group by its factor.
    fn scale_incoming(&mut self, factors: &[Real]);
}

/// What can be read of a projection's synapses, whatever their kind.
pub struct SynapseView<'a> {
    /// The shape in which weights are read back; sparse ones are (pre, post).
    pub shape: Vec<usize>,
    /// The stored weights, in the kind's own order.
    pub weights: &'a [Real],
    /// Memory that the synapses take \[bytes\].
    pub bytes: usize,
}

/// How to read the synapses of each known kind.
#[derive(Resource, Default)]
pub struct SynapseViews(Vec<fn(EntityRef<'_>) -> Option<SynapseView<'_>>>);

impl SynapseViews {
    /// The synapses of a projection; none if it has no synapses of a known kind.
    pub fn of<'a>(&self, projection: EntityRef<'a>) -> Option<SynapseView<'a>> {
        self.0.iter().find_map(|view| view(projection))
    }
}

fn view<S: Synapses>(projection: EntityRef<'_>) -> Option<SynapseView<'_>> {
    let synapses = projection.get::<S>()?;
    Some(SynapseView {
        shape: synapses.shape(),
        weights: synapses.weights().values(),
        bytes: synapses.bytes(),
    })
}

fn read_weights<S: Synapses>(projection: EntityRef<'_>, values: &mut Vec<Real>) -> bool {
    projection.get::<S>().map(|s| values.extend_from_slice(s.weights().values())).is_some()
}

/// The kinds of connectivity; no projection has two.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Connectivities;

/// Makes a user's kind of connectivity `C` known to the network, with all rules that conex has.
pub fn register<C: Connectivity>(world: &mut World) {
    register_kind::<C>(world);
    crate::learning::register_pair::<crate::learning::stdp::Stdp, C::Synapses>(world);
}

/// The same without the rules, which pair themselves with conex's own kinds.
fn register_kind<C: Connectivity>(world: &mut World) {
    if registry::first::<(Connectivities, C)>(world) {
        registry::behaviour::<C>(world);
        add_build_systems(world, BuildSystems::Connect, connect::<C>);
    }
    // Several kinds may keep their synapses in the same way.
    if registry::first::<(Connectivities, C::Synapses)>(world) {
        register_synapses::<C::Synapses>(world);
    }
}

fn register_synapses<S: Synapses>(world: &mut World) {
    world.get_resource_or_init::<SynapseViews>().0.push(view::<S>);
    crate::record::state_variable(world, "weights", read_weights::<S>);
    add_build_systems(world, BuildSystems::InitWeights, crate::weights::initialize::<S>);
    add_family_system(world, StepSystems::SynapticInput, Connectivities, deliver_spikes::<S>);
    normalization::register::<S>(world);
    crate::weights::register::<S>(world);
}

type Fresh<'w, C> = (
    Entity,
    &'w Name,
    &'w Presynaptic,
    &'w Postsynaptic,
    &'w C,
    Option<&'w WeightInitializer>,
    &'w mut DendriticInput,
);

/// For every new projection of this kind, lay out its synapses.
fn connect<C: Connectivity>(
    mut commands: Commands,
    seed: Res<Seed>,
    mut problems: ResMut<Problems>,
    mut projections: Query<Fresh<C>, With<Unbuilt>>,
    populations: Query<(&Name, &Population)>,
) {
    for (entity, name, pre, post, kind, initializer, mut input) in &mut projections {
        input.kinds.push(registry::short_name::<C>().to_string());
        let (Ok(source), Ok(target)) = (populations.get(pre.0), populations.get(post.0)) else { continue };
        let Some(weights) = initializer else {
            problems.push(Error::NoWeights { projection: name.to_string() });
            continue;
        };
        let site = Site {
            projection: name,
            source: source.0,
            target: target.0,
            pre: source.1.grid,
            post: target.1.grid,
            weights,
            seed: *seed,
        };
        // Checked first: what follows may rely on given weights that fill their shape.
        let checked = weights.check(name).and_then(|()| kind.connect(&site));
        if let Some(synapses) = problems.check(checked) {
            commands.entity(entity).insert(synapses);
        }
    }
}

/// For every projection of this kind, add up the weights of the neurons whose spikes it caught.
fn deliver_spikes<S: Synapses>(
    workers: Res<Workers>,
    mut projections: Query<(&S, &PreSpikes, &CurrentCoef, &mut SynapticCurrent)>,
) {
    for (synapses, pre, coefficient, mut current) in &mut projections {
        if pre.0.is_silent() && current.silent {
            continue;
        }
        current.values.fill(0.0);
        current.silent = pre.0.is_silent();
        if !current.silent {
            synapses.deliver(&pre.0, &mut current.values, &workers);
            let gain = current.sign * coefficient.0;
            scale(&mut current.values, gain);
        }
    }
}

/// For every new projection, size the current and read its sign off the source.
fn allocate_currents(
    mut projections: Query<(&Presynaptic, &Postsynaptic, &mut SynapticCurrent), With<Unbuilt>>,
    populations: Query<&Population>,
    inhibitory: Query<(), With<Inhibitory>>,
) {
    for (pre, post, mut current) in &mut projections {
        let n = populations.get(post.0).map_or(0, Population::size);
        current.values = vec![0.0; n];
        current.silent = true;
        current.sign = if inhibitory.contains(pre.0) { -1.0 } else { 1.0 };
    }
}

type Checked<'w> = (
    &'w Name,
    &'w Presynaptic,
    &'w Postsynaptic,
    Option<&'w Compartment>,
    Option<&'w mut DendriticInput>,
    Has<SynapticCurrent>,
);

/// Every projection needs a compartment and exactly one kind of connectivity.
fn check_connectivity(
    mut problems: ResMut<Problems>,
    mut projections: Query<Checked, (With<Projection>, With<Unbuilt>)>,
    names: Query<&Name>,
) {
    for (name, pre, post, compartment, input, has_current) in &mut projections {
        let ends = || {
            let end = |e| names.get(e).map_or_else(|_| "?".to_string(), Name::to_string);
            (name.to_string(), end(pre.0), end(post.0))
        };
        if compartment.is_none() {
            let (projection, source_population, target) = ends();
            problems.push(Error::NoCompartment { projection, source_population, target });
        }
        match input {
            Some(mut input) => {
                let found = std::mem::take(&mut input.kinds);
                if found.len() != 1 {
                    let (family, register) = ("connectivity", "register_connectivity::<YourKind>()");
                    problems.push(Error::OneOfFamily { projection: name.into(), family, found, register });
                }
            }
            None if !has_current => {
                let (projection, source_population, target) = ends();
                problems.push(Error::NoConnectivity { projection, source_population, target });
            }
            None => {}
        }
    }
}

fn check_coefficients(
    mut problems: ResMut<Problems>,
    projections: Query<(&Name, &CurrentCoef), With<Unbuilt>>,
) {
    for (name, coefficient) in &projections {
        let checked =
            check_parameter(name, "CurrentCoef", "coefficient", &coefficient.0.into(), 1, Range::Any);
        problems.check(checked);
    }
}

pub(crate) fn install(world: &mut World) {
    refuse_late::<DendriticInput>(world, "a kind of connectivity");
    registry::behaviour::<CurrentCoef>(world);
    add_build_systems(world, BuildSystems::Validate, check_coefficients);
    add_build_systems(world, BuildSystems::Allocate, allocate_currents);
    add_build_systems(world, BuildSystems::Validate, check_connectivity);
    register_kind::<dense::Dense>(world);
    register_kind::<sparse::Sparse>(world);
    register_kind::<one2one::One2One>(world);
    register_kind::<conv2d::Conv2d>(world);
    registry::behaviour::<CurrentNormalization>(world);
}
