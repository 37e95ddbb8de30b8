//! The course of what one spike brings.

use super::SynapticDynamicsSystems;
use crate::Real;
use crate::dynamics::{Range, check_parameter};
use crate::error::{Error, Problems};
use crate::group::{Unbuilt, build_late};
use crate::kernels::decay::add_scaled;
use crate::kernels::synapse::{relax, relax_two};
use crate::record::state_variable;
use crate::registry::{self, GroupKind};
use crate::relations::Ends;
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_family_system};
use crate::setters;
use crate::synaptic_input::SynapticCurrent;
use crate::time::Clock;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// The effect of a spike jumps up, then decays.
///
/// **Equation.** `dg/dt = −g/tau`, and `g ← g + w` when a spike arrives: so g is `w·e^(−t/tau)`, t after the spike's arrival.
///
/// **Parameters.** Below.
///
/// **Scheme.** Exact at any dt: `g ← g·e^(−dt/tau)`, then the spikes of this step jump in.
///
/// **Reference.** A. Roth & M. van Rossum, Modeling Synapses (2009), doi 10.7551/mitpress/9780262013277.003.0007.
///
/// **CoNeX.** It has none on projections; `I_tau` of its dendrite decays the sum of all currents, by Euler's method.
#[doc(alias = "iaf_psc_exp")]
#[doc(alias = "iaf_cond_exp")]
#[doc(alias = "tau_syn")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(SynapticState)]
pub struct ExponentialSynapse {
    /// Time constant of the decay, above 0 \[ms\]. Default 5.
    pub tau: Real,
}

/// The effect of a spike rises and decays with one time constant. Its peak is the weight.
///
/// **Equation.** `g = w·(t/tau)·e^(1 − t/tau)`, t after the spike's arrival; the peak is w, at t = tau.
///
/// **Parameters.** Below.
///
/// **Scheme.** Exact at any dt, by two state variables: `dx/dt = −x/tau`, `dg/dt = −g/tau + x/tau`, and `x ← x + e·w` when
/// a spike arrives.
///
/// **Reference.** W. Rall (1967), doi 10.1152/jn.1967.30.5.1138.
///
/// **CoNeX.** It has none.
#[doc(alias = "iaf_psc_alpha")]
#[doc(alias = "iaf_cond_alpha")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(SynapticState)]
pub struct AlphaSynapse {
    /// Time to the peak, above 0 \[ms\]. Default 5.
    pub tau: Real,
}

/// The effect of a spike rises with one time constant and decays with another. Its peak is the weight.
///
/// **Equation.** `g = w·c·(e^(−t/tau_decay) − e^(−t/tau_rise))`, t after the spike's arrival, with c such that the peak
/// is w. It is reached at `t = tau_rise·tau_decay/(tau_decay − tau_rise)·ln(tau_decay/tau_rise)`.
///
/// **Parameters.** Below. Where both are equal, it is [`AlphaSynapse`].
///
/// **Scheme.** Exact at any dt, by two state variables: `dx/dt = −x/tau_rise`, `dg/dt = −g/tau_decay + x/tau_rise`, and x
/// jumps when a spike arrives.
///
/// **Reference.** A. Roth & M. van Rossum, Modeling Synapses (2009), doi 10.7551/mitpress/9780262013277.003.0007.
///
/// **CoNeX.** It has none.
#[doc(alias = "Exp2Syn")]
#[doc(alias = "iaf_cond_beta")]
#[doc(alias = "ht_synapse")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(SynapticState)]
pub struct DoubleExponentialSynapse {
    /// Time constant of the rise, above 0, at most `tau_decay` \[ms\]. Default 1.
    pub tau_rise: Real,
    /// Time constant of the decay \[ms\]. Default 5.
    pub tau_decay: Real,
}

setters!(ExponentialSynapse { tau: Real });
setters!(AlphaSynapse { tau: Real });
setters!(DoubleExponentialSynapse { tau_rise: Real, tau_decay: Real });

impl ExponentialSynapse {
    /// Decays with `tau` \[ms\].
    pub fn new(tau: Real) -> Self {
        ExponentialSynapse { tau }
    }
}

impl AlphaSynapse {
    /// Peaks after `tau` \[ms\].
    pub fn new(tau: Real) -> Self {
        AlphaSynapse { tau }
    }
}

impl DoubleExponentialSynapse {
    /// Rises with `tau_rise` and decays with `tau_decay` \[ms\].
    pub fn new(tau_rise: Real, tau_decay: Real) -> Self {
        DoubleExponentialSynapse { tau_rise, tau_decay }
    }
}

impl Default for ExponentialSynapse {
    fn default() -> Self {
        Self::new(5.0)
    }
}

impl Default for AlphaSynapse {
    fn default() -> Self {
        Self::new(5.0)
    }
}

impl Default for DoubleExponentialSynapse {
    fn default() -> Self {
        Self::new(1.0, 5.0)
    }
}

/// The course of the effect g of a lone spike, whose weight is w.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Response {
    /// It is w at once and decays.
    Jump {
        /// Time constant \[ms\].
        tau: Real,
    },
    /// It rises from 0 to its peak w and decays.
    Hump {
        /// Time constant of the rise \[ms\].
        tau_rise: Real,
        /// Time constant of the decay \[ms\].
        tau_decay: Real,
    },
}

/// A course of synaptic effects: a component that says which. The component `#[require(SynapticState)]`s.
pub trait Kinetics: Component + Debug {
    /// The course, by its time constants.
    fn response(&self) -> Response;
}

impl Kinetics for ExponentialSynapse {
    fn response(&self) -> Response {
        Response::Jump { tau: self.tau }
    }
}

impl Kinetics for AlphaSynapse {
    fn response(&self) -> Response {
        Response::Hump { tau_rise: self.tau, tau_decay: self.tau }
    }
}

impl Kinetics for DoubleExponentialSynapse {
    fn response(&self) -> Response {
        Response::Hump { tau_rise: self.tau_rise, tau_decay: self.tau_decay }
    }
}

/// What of the spikes of the past is left in a projection.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct SynapticState {
    /// The effect at each target neuron \[weight\], whatever the sign of the source: the current, or the conductance.
    pub g: Vec<Real>,
    /// What is on its way into g at each target neuron \[weight\]; empty for what jumps up.
    pub x: Vec<Real>,
    /// The largest jump since all was 0.
    largest: Real,
    /// The registered kinetics that the projection has. Kept by the Build schedule.
    found: Vec<String>,
}

/// What is smaller than this share of the largest jump counts as 0: after 21 time constants a projection is silent again.
const NEGLIGIBLE: Real = 1e-9;

impl SynapticState {
    /// Lets a step of dt \[ms\] pass, then takes the `input` of this step in, times `gain`. Says whether anything is left.
    fn advance(&mut self, response: Response, dt: f64, input: Option<&[Real]>, gain: Real) -> bool {
        if self.largest == 0.0 && input.is_none() {
            return false;
        }
        let step = Propagator::of(response, dt);
        let tiny = (self.largest * NEGLIGIBLE).max(Real::MIN_POSITIVE);
        let left = match response {
            Response::Jump { .. } => relax(&mut self.g, step.decay, tiny),
            Response::Hump { .. } => {
                relax_two(&mut self.g, &mut self.x, step.decay, step.flow, step.x_decay, tiny)
            }
        };
        if !left {
            self.largest = 0.0;
        }
        let Some(input) = input else { return left };
        let jump = gain * step.jump;
        self.largest = input.iter().fold(self.largest, |largest, x| largest.max((jump * x).abs()));
        let into = if self.x.is_empty() { &mut self.g } else { &mut self.x };
        add_scaled(into, jump, input);
        true
    }
}

/// One step of time, exactly: `g ← decay·g + flow·x`, `x ← x_decay·x`, and a weight jumps in times `jump`.
struct Propagator {
    decay: Real,
    flow: Real,
    x_decay: Real,
    jump: Real,
}

impl Propagator {
    fn of(response: Response, dt: f64) -> Self {
        let (decay, flow, x_decay, jump) = match response {
            Response::Jump { tau } => (libm::exp(-dt / f64::from(tau)), 0.0, 0.0, 1.0),
            Response::Hump { tau_rise, tau_decay } => {
                let (rise, fall) = (f64::from(tau_rise), f64::from(tau_decay));
                let (risen, fallen) = (libm::exp(-dt / rise), libm::exp(-dt / fall));
                // x flows into g at 1/rise, and what flows in decays: (e^(−t/fall) − e^(−t/rise))·fall/(fall − rise)
                // of it is there after t. For equal time constants that is t/tau·e^(−t/tau).
                if (fall - rise).abs() <= 1e-6 * fall {
                    (fallen, dt / rise * fallen, risen, std::f64::consts::E)
                } else {
                    let share = fall / (fall - rise);
                    let peak = rise * share * libm::log(fall / rise);
                    let at_peak = share * (libm::exp(-peak / fall) - libm::exp(-peak / rise));
                    (fallen, share * (fallen - risen), risen, 1.0 / at_peak)
                }
            }
        };
        let [decay, flow, x_decay, jump] = [decay, flow, x_decay, jump].map(|x| x as Real);
        Propagator { decay, flow, x_decay, jump }
    }
}

/// For every projection with these kinetics, let what is left of past spikes run on and take up the current of this step.
fn filter_currents<K: Kinetics>(
    clock: Res<Clock>,
    mut projections: Query<(&K, &mut SynapticState, &mut SynapticCurrent)>,
) {
    for (kinetics, mut state, mut current) in &mut projections {
        let input = (!current.silent).then_some(&current.values[..]);
        if state.advance(kinetics.response(), clock.dt, input, current.sign()) {
            current.shape(&state.g);
        } else {
            current.silence();
        }
    }
}

type Fresh<'w, K> = (&'w Name, &'w Ends, &'w Unbuilt, &'w K, &'w mut SynapticState);

/// For every new projection with these kinetics, check the parameters and size the state.
fn prepare<K: Kinetics>(mut problems: ResMut<Problems>, mut projections: Query<Fresh<K>>) {
    for (name, ends, unbuilt, kinetics, mut state) in &mut projections {
        let behaviour = registry::short_name::<K>();
        state.found.push(behaviour.to_string());
        let mut check = |parameter, tau: Real| {
            problems.check(check_parameter(name, behaviour, parameter, &tau.into(), 1, Range::Positive));
        };
        let n = ends.post.len();
        let of_x = match kinetics.response() {
            Response::Jump { tau } => {
                check("tau", tau);
                0
            }
            Response::Hump { tau_rise, tau_decay } if tau_rise == tau_decay => {
                check("tau", tau_rise);
                n
            }
            Response::Hump { tau_rise, tau_decay } => {
                check("tau_rise", tau_rise);
                check("tau_decay", tau_decay);
                if tau_rise > tau_decay {
                    let (group, behaviour) = (name.to_string(), behaviour.to_string());
                    let (parameter, value) = ("tau_rise".into(), f64::from(tau_rise));
                    let requirement = format!("at most tau_decay, which is {tau_decay}");
                    problems.push(Error::ParameterRange { group, behaviour, parameter, value, requirement });
                }
                n
            }
        };
        // Other kinetics in place of those that were there start afresh, too.
        if unbuilt.makes_state(state.g.len() != n || state.x.len() != of_x) {
            (state.g, state.x, state.largest) = (vec![0.0; n], vec![0.0; of_x], 0.0);
        }
    }
}

fn check_kinetics(
    mut problems: ResMut<Problems>,
    mut projections: Query<(&Name, &mut SynapticState), With<Unbuilt>>,
) {
    for (name, mut state) in &mut projections {
        // Taken, so that a network that was mended counts afresh.
        let kinetics = std::mem::take(&mut state.found);
        if kinetics.len() > 1 {
            problems.push(Error::SeveralKinetics { projection: name.into(), kinetics });
        }
    }
}

/// Makes the kinetics `K` known to the network.
pub fn register<K: Kinetics>(world: &mut World) {
    if registry::first::<(SynapticDynamicsSystems, K)>(world) {
        registry::behaviour::<K>(world)
            .on(GroupKind::Projection)
            .stage(StepSystems::SynapticDynamics)
            .state::<SynapticState>();
        add_build_systems(world, BuildSystems::Allocate, prepare::<K>);
        let filter = SynapticDynamicsSystems::Filter;
        add_family_system(world, StepSystems::SynapticDynamics, filter, filter_currents::<K>);
    }
}

pub(super) fn install(world: &mut World) {
    register::<ExponentialSynapse>(world);
    register::<AlphaSynapse>(world);
    register::<DoubleExponentialSynapse>(world);
    registry::behaviour::<ExponentialSynapse>(world).saved();
    registry::behaviour::<AlphaSynapse>(world).saved();
    registry::behaviour::<DoubleExponentialSynapse>(world).saved();
    build_late::<SynapticState>(world);
    add_build_systems(world, BuildSystems::Validate, check_kinetics);
    state_variable(world, "x", |group, values| {
        let x = group.get::<SynapticState>().map(|state| &state.x).filter(|x| !x.is_empty());
        x.map(|x| values.extend_from_slice(x)).is_some()
    });
}
