//! Stage `SynapticInput`: each projection turns the spikes that it caught into a current at its target.
//!
//! A kind of connectivity is one file: a component that says which kind, the synapses that it lays out, and the
//! implementations of [`Connectivity`] and [`Synapses`]. Rules, normalization and clipping work on every kind through
//! the second, so kinds and rules compose freely.

pub mod dense;
pub mod sparse;
pub mod one2one;
pub mod conv2d;
pub mod local2d;
pub mod lateral;
pub mod average_pool2d;
pub mod max_pool2d;
mod connectivity;
mod current;
mod normalization;

pub use connectivity::{Connectivity, PlasticSynapses, Site, Synapses};
pub use current::{CurrentCoef, SynapticCurrent};
pub use normalization::CurrentNormalization;

use crate::Real;
use crate::axon::SOURCE_AXON;
use crate::connections::{Connections, Populations};
use crate::dendrite::DENDRITE;
use crate::dynamics::{Range, check_parameter};
use crate::error::{Error, Problems};
use crate::group::{Inhibitory, Unbuilt, build_late};
use crate::kernels::decay::scale;
use crate::random::Seed;
use crate::registry::{self, GroupKind, Need, Place, SwitchedOff};
use crate::relations::{Compartment, Ends, Postsynaptic, Presynaptic, Projection};
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_family_system, add_systems};
use crate::spike_catching::PreSpikes;
use crate::weights::WeightInitializer;
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The projection has a kind of connectivity. Every kind brings it.
#[derive(Component, Clone, Debug, Default)]
#[require(SynapticCurrent, PreSpikes)]
pub struct DendriticInput {
    /// The registered kinds that the projection has. Kept by the Build schedule.
    kinds: Vec<String>,
}

/// The projection has weights. Every kind of connectivity with weights brings it.
#[derive(Component, Clone, Copy, Debug, Default)]
#[require(DendriticInput)]
pub struct Weighted;

/// Synapses with weights.
pub const SYNAPSES: Need = Need::of::<Weighted>(Place::Own, "kind of connectivity with weights", "Dense")
    .or(crate::delivery::is_static);

/// Leaves out synapses from a neuron onto itself, in a projection of a population onto itself.
///
/// [`Dense`](dense::Dense), [`Sparse`](sparse::Sparse) and [`Lateral`](lateral::Lateral) know it: dense weights from a
/// neuron onto itself are held at 0, as is the middle of a lateral kernel; sparse ones are not stored, be they drawn or
/// given, and neither are [`Static`](crate::delivery::Static) ones.
#[doc(alias = "allow_autapses")]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoSelfConnections;

/// Set on a projection whose synapses were laid out just now, until their weights are drawn.
#[derive(Component, Clone, Copy, Debug)]
pub(crate) struct FreshSynapses;

/// What can be read of a projection's synapses, whatever their kind.
pub struct SynapseView<'a> {
    /// The shape in which weights are read back; sparse ones are (pre, post), or (count) where a pair has several synapses.
    pub shape: Vec<usize>,
    /// How many weights are stored.
    pub count: usize,
    /// The stored weights, in the kind's own order; none where they are read otherwise
    /// ([`StaticSynapses::table`](crate::delivery::StaticSynapses::table)).
    pub weights: &'a [Real],
    /// Memory that the synapses take \[bytes\].
    pub bytes: usize,
}

/// How to read the synapses of each known kind.
#[derive(Resource, Default)]
pub struct SynapseViews(Vec<fn(EntityRef<'_>) -> Option<SynapseView<'_>>>);

impl SynapseViews {
    /// Makes another kind known.
    pub(crate) fn add(&mut self, view: fn(EntityRef<'_>) -> Option<SynapseView<'_>>) {
        self.0.push(view);
    }

    /// The synapses of a projection; none if it has no synapses of a known kind.
    pub fn of<'a>(&self, projection: EntityRef<'a>) -> Option<SynapseView<'a>> {
        self.0.iter().find_map(|view| view(projection))
    }
}

fn view<S: Synapses>(projection: EntityRef<'_>) -> Option<SynapseView<'_>> {
    let synapses = projection.get::<S>()?;
    Some(SynapseView {
        shape: synapses.shape(),
        count: synapses.weights().values().len(),
        weights: synapses.weights().values(),
        bytes: synapses.bytes(),
    })
}

fn read_weights<S: Synapses>(projection: EntityRef<'_>, values: &mut Vec<Real>) -> bool {
    projection.get::<S>().map(|s| values.extend_from_slice(s.weights().values())).is_some()
}

/// Where weights come from.
pub(crate) const WEIGHTS: Need =
    Need::of::<WeightInitializer>(Place::Own, "weights", "WeightInitializer::uniform(0.0, 1.0)");

/// Where on the dendrite the projection ends.
const COMPARTMENT: Need =
    Need::of::<Compartment>(Place::Own, "compartment", "Proximal`, `Distal` or `Apical");

/// What no kind computes any more is no current.
fn silence(group: &mut EntityWorldMut<'_>) {
    if let Some(mut current) = group.get_mut::<SynapticCurrent>() {
        current.silence();
    }
}

/// The kinds of connectivity; no projection has two.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Connectivities;

/// Makes a user's kind of connectivity `C` known to the network, with all rules that conex has.
pub fn register_plastic<C: Connectivity<Synapses: PlasticSynapses>>(world: &mut World) {
    register::<C>(world);
    crate::learning::register_rules_for::<C::Synapses>(world);
}

/// Makes a user's kind of connectivity `C` known to the network, without rules.
pub fn register<C: Connectivity>(world: &mut World) {
    if registry::first::<(Connectivities, C)>(world) {
        let registration = registry::behaviour::<C>(world)
            .on(GroupKind::Projection)
            .stage(StepSystems::SynapticInput)
            .after_taking(silence)
            .state::<C::Synapses>();
        if C::WEIGHTED {
            registration.needs(&[WEIGHTS, COMPARTMENT, SOURCE_AXON, DENDRITE]);
        } else {
            registration.needs(&[COMPARTMENT, SOURCE_AXON, DENDRITE]);
        }
        add_build_systems(world, BuildSystems::Connect, connect::<C>);
        add_family_system(world, StepSystems::SynapticInput, Connectivities, deliver_spikes::<C>);
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
    normalization::register::<S>(world);
    crate::weights::register::<S>(world);
}

type Fresh<'w, C> = (
    Entity,
    &'w Name,
    &'w Unbuilt,
    (&'w Presynaptic, &'w Postsynaptic),
    &'w C,
    Has<<C as Connectivity>::Synapses>,
    (Option<&'w WeightInitializer>, Option<&'w Connections>),
    Has<NoSelfConnections>,
    &'w mut DendriticInput,
);

/// For every new projection of this kind, lay out its synapses.
fn connect<C: Connectivity>(
    mut commands: Commands,
    seed: Res<Seed>,
    workers: Res<Workers>,
    mut problems: ResMut<Problems>,
    mut projections: Query<Fresh<C>>,
    populations: Populations,
) {
    let weightless = WeightInitializer::default();
    for (entity, name, unbuilt, ends, kind, connected, drawn, leaves_out_self, mut input) in &mut projections
    {
        let kind_name = registry::short_name::<C>();
        input.kinds.push(kind_name.to_string());
        let (pre, post) = ends;
        if !unbuilt.makes_learned(!connected) {
            continue;
        }
        let (Some(source), Some(target)) = (populations.end(pre.0), populations.end(post.0)) else {
            continue;
        };
        let (initializer, connections) = drawn;
        // That they are missing is told with the other needs.
        let weights = match initializer {
            Some(weights) => weights,
            None if C::WEIGHTED => continue,
            None => &weightless,
        };
        let site = Site {
            projection: name,
            source: source.name,
            target: target.name,
            pre: source.grid,
            post: target.grid,
            weights,
            self_connections: !(leaves_out_self && pre.0 == post.0),
            seed: *seed,
            connections,
            ends: [&source, &target],
            workers: &workers,
        };
        // That a kind without weights has no synapse to leave out is told with the other needs.
        if leaves_out_self && C::WEIGHTED && !C::LEAVES_OUT_SELF {
            let expected = "it cannot leave out self-connections: remove `NoSelfConnections`, or use `Dense`, `Sparse` or `Lateral`";
            problems.push(site.mismatch(kind_name, expected.into()));
            continue;
        }
        // Checked first: what follows may rely on given weights that fill their shape.
        let checked = weights.check(name).and_then(|()| kind.connect(&site));
        if let Some(synapses) = problems.check(checked) {
            commands.entity(entity).insert((synapses, FreshSynapses));
        }
    }
}

/// For every projection whose current was shaped by synaptic dynamics, let a new one begin: they keep what lasts.
fn forget_shaped(mut projections: Query<&mut SynapticCurrent>) {
    for mut current in &mut projections {
        if current.shaped {
            current.silence();
        }
    }
}

type Delivering<'w, C> = (
    &'w C,
    &'w <C as Connectivity>::Synapses,
    &'w PreSpikes,
    Option<&'w CurrentCoef>,
    &'w mut SynapticCurrent,
);

/// For every projection of this kind, add up the weights of the neurons whose spikes it caught.
fn deliver_spikes<C: Connectivity>(workers: Res<Workers>, mut projections: Query<Delivering<C>>) {
    for (kind, synapses, pre, coefficient, mut current) in &mut projections {
        if pre.0.is_silent() && current.silent {
            continue;
        }
        current.values.fill(0.0);
        current.silent = pre.0.is_silent();
        if !current.silent {
            let add =
                |weights: &[Real], current: &mut [Real]| synapses.deliver(weights, &pre.0, current, &workers);
            // A row whose neuron fired is up to date, unless somebody else let it fire, or nobody learns any more.
            synapses.weights().deliver(pre.0.events(), &mut current.values, add);
            if let Some(inhibitory) = kind.inhibitory() {
                current.sign = sign_of(inhibitory);
            }
            let gain = current.sign * coefficient.map_or(1.0, |c| c.0);
            scale(&mut current.values, gain);
        }
    }
}

/// What an inhibitory current is multiplied with, and what another.
fn sign_of(inhibitory: bool) -> Real {
    if inhibitory { -1.0 } else { 1.0 }
}

/// For every new projection, size the current and read its sign off the source.
fn allocate_currents(
    mut projections: Query<(&Presynaptic, &Ends, &Unbuilt, &mut SynapticCurrent)>,
    inhibitory: Query<(), With<Inhibitory>>,
) {
    for (pre, ends, unbuilt, mut current) in &mut projections {
        current.sign = sign_of(inhibitory.contains(pre.0));
        if unbuilt.makes_state(current.values.is_empty()) {
            current.values = vec![0.0; ends.post.len()];
            current.silence();
        }
    }
}

/// Weights are drawn: the synapses are as old as all others.
fn forget_freshness(mut commands: Commands, projections: Query<Entity, With<FreshSynapses>>) {
    for projection in &projections {
        commands.entity(projection).remove::<FreshSynapses>();
    }
}

type Checked<'w> = (
    &'w Name,
    &'w Presynaptic,
    &'w Postsynaptic,
    Option<&'w mut DendriticInput>,
    Has<SynapticCurrent>,
    (Has<SwitchedOff>, Has<crate::delivery::Static>),
);

/// Every projection needs exactly one kind of connectivity.
fn check_connectivity(
    mut problems: ResMut<Problems>,
    mut projections: Query<Checked, (With<Projection>, With<Unbuilt>)>,
    names: Query<&Name>,
) {
    for (name, pre, post, input, has_current, (switched_off, is_static)) in &mut projections {
        let ends = || {
            let end = |e| names.get(e).map_or_else(|_| "?".to_string(), Name::to_string);
            (name.to_string(), end(pre.0), end(post.0))
        };
        match input {
            Some(mut input) => {
                let found = std::mem::take(&mut input.kinds);
                if found.len() != 1 && !switched_off {
                    let (family, register) = ("connectivity", "register_connectivity::<YourKind>()");
                    problems.push(Error::OneOfFamily { projection: name.into(), family, found, register });
                }
            }
            None if !has_current && !is_static && !switched_off => {
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
    build_late::<DendriticInput>(world);
    add_systems(world, StepSystems::SynapticInput, forget_shaped.before(Connectivities));
    registry::behaviour::<CurrentCoef>(world)
        .on(GroupKind::Projection)
        .stage(StepSystems::SynapticInput)
        .saved();
    registry::behaviour::<NoSelfConnections>(world).on(GroupKind::Projection).needs(&[SYNAPSES]).saved();
    add_build_systems(world, BuildSystems::Validate, check_coefficients);
    add_build_systems(world, BuildSystems::Allocate, allocate_currents);
    let forget = (normalization::forget_sums, crate::weights::forget_versions, forget_freshness).chain();
    add_build_systems(world, BuildSystems::Derive, forget);
    add_build_systems(world, BuildSystems::Validate, check_connectivity);
    let mut register = Register(world);
    each_kind(&mut register);
    each_plastic_kind(&mut register);
    registry::behaviour::<CurrentNormalization>(world)
        .on(GroupKind::Projection)
        .stage(StepSystems::CurrentNormalization)
        .needs(&[SYNAPSES])
        .saved();
}

/// What is done with each kind of connectivity that conex has.
pub(crate) trait ForEachKind {
    fn kind<C: Connectivity + Serialize + DeserializeOwned>(&mut self);
}

/// What is done with each kind of connectivity that conex has and rules can act on.
pub(crate) trait ForEachPlasticKind {
    fn plastic_kind<C: Connectivity<Synapses: PlasticSynapses> + Serialize + DeserializeOwned>(&mut self);
}

/// The kinds that do not learn.
fn each_kind(visitor: &mut impl ForEachKind) {
    visitor.kind::<lateral::Lateral>();
    visitor.kind::<average_pool2d::AveragePool2d>();
    visitor.kind::<max_pool2d::MaxPool2d>();
}

/// The kinds that learn by every rule.
pub(crate) fn each_plastic_kind(visitor: &mut impl ForEachPlasticKind) {
    visitor.plastic_kind::<dense::Dense>();
    visitor.plastic_kind::<sparse::Sparse>();
    visitor.plastic_kind::<one2one::One2One>();
    visitor.plastic_kind::<conv2d::Conv2d>();
    visitor.plastic_kind::<local2d::Local2d>();
}

struct Register<'w>(&'w mut World);

impl ForEachKind for Register<'_> {
    fn kind<C: Connectivity + Serialize + DeserializeOwned>(&mut self) {
        register::<C>(self.0);
        registry::behaviour::<C>(self.0).saved();
    }
}

impl ForEachPlasticKind for Register<'_> {
    fn plastic_kind<C: Connectivity<Synapses: PlasticSynapses> + Serialize + DeserializeOwned>(&mut self) {
        self.kind::<C>();
    }
}
