//! Izhikevich's simple model of a spiking neuron.

use super::{Membrane, NeuronModel, Neurons, Range};
use crate::Real;
use crate::fire::Fire;
use crate::kernels::simd;
use crate::parameter::Param;
use crate::setters;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// Izhikevich's simple model: two equations that fire like most kinds of cortical neurons.
///
/// **Equation.** `dv/dt = 0.04·v² + 5·v + 140 − u + I`, `du/dt = a·(b·v − u)`; a neuron with `v >= threshold` spikes:
/// `v ← c`, `u ← u + d`. Time is in ms, `v` in mV, and `I`, `u` in mV/ms.
///
/// **Parameters.** Each is one number, or one per neuron. The default is [`regular_spiking`](Self::regular_spiking);
/// the other kinds of figure 2 of the paper have constructors too.
///
/// **Scheme.** [`Scheme::HalfSteps`], the default: forward Euler as the paper's own program has it, `v` in two steps of
/// dt/2 and then `u` in one step from the new `v`, which is fit for a dt of 1 ms. [`Scheme::Euler`] takes one step of both
/// from the old values, which needs a dt of about 0.1 ms. A potential that overflows fires, and `u` sees `threshold` then.
///
/// **Reference.** E. M. Izhikevich (2003), doi 10.1109/TNN.2003.820440.
///
/// **CoNeX.** Has no such model. What CoNeX's behaviours ask of a membrane ([`Membrane`]) is answered so: `tau` and `r`
/// are 1, with which a dendrite's priming moves `v` as far as it moves a LIF; `v_reset` is `c`; `v_rest` is the lower
/// fixed point of the equations without current, `(b − 5 − √((5 − b)² − 22.4))/0.08` (−70 mV at b = 0.2), or the vertex
/// `(b − 5)/0.08` where there is none and the neuron fires by itself.
#[doc(alias = "izhikevich")]
#[doc(alias = "IzhikevichNodes")]
#[doc(alias = "simple model")]
#[derive(Component, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[require(Fire)]
pub struct Izhikevich {
    /// Rate of recovery \[1/ms\]. Default 0.02.
    pub a: Param,
    /// Coupling of recovery to `v` \[1/ms\]. Default 0.2.
    pub b: Param,
    /// Potential after a spike \[mV\]. Default -65.
    pub c: Param,
    /// Jump of `u` at a spike \[mV/ms\]. Default 8.
    pub d: Param,
    /// Peak of a spike \[mV\]. Default 30.
    pub threshold: Param,
    /// Initial potential \[mV\]. Default -65.
    pub init_v: Param,
    /// Initial `u` \[mV/ms\]. Default `b·init_v`, as in the paper.
    pub init_u: Option<Param>,
    /// How a step is computed. Default two half steps of `v`.
    pub scheme: Scheme,
}

/// How an [`Izhikevich`] neuron takes a time step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scheme {
    /// `v` in two steps of dt/2, then `u` in one step from the new `v`, as in the paper. The default.
    #[default]
    HalfSteps,
    /// `v` and `u` in one step of dt, both from the old values.
    Euler,
}

setters!(Izhikevich {
    a: Param,
    b: Param,
    c: Param,
    d: Param,
    threshold: Param,
    init_v: Param,
    scheme: Scheme
});

impl Default for Izhikevich {
    fn default() -> Self {
        Self::regular_spiking()
    }
}

impl Izhikevich {
    fn kind(a: f64, b: f64, c: f64, d: f64) -> Self {
        Izhikevich {
            a: a.into(),
            b: b.into(),
            c: c.into(),
            d: d.into(),
            threshold: 30.0.into(),
            init_v: (-65.0).into(),
            init_u: None,
            scheme: Scheme::HalfSteps,
        }
    }

    /// Sets [`init_u`](Self#structfield.init_u).
    #[must_use]
    pub fn init_u(mut self, u: impl Into<Param>) -> Self {
        self.init_u = Some(u.into());
        self
    }

    /// Most excitatory neurons of cortex (RS): they adapt. a 0.02, b 0.2, c −65, d 8.
    pub fn regular_spiking() -> Self {
        Self::kind(0.02, 0.2, -65.0, 8.0)
    }

    /// A burst first, then single spikes (IB). a 0.02, b 0.2, c −55, d 4.
    pub fn intrinsically_bursting() -> Self {
        Self::kind(0.02, 0.2, -55.0, 4.0)
    }

    /// Bursts throughout (CH). a 0.02, b 0.2, c −50, d 2.
    pub fn chattering() -> Self {
        Self::kind(0.02, 0.2, -50.0, 2.0)
    }

    /// Inhibitory neurons that hardly adapt (FS). a 0.1, b 0.2, c −65, d 2.
    pub fn fast_spiking() -> Self {
        Self::kind(0.1, 0.2, -65.0, 2.0)
    }

    /// Inhibitory neurons that fire at low currents and adapt (LTS). a 0.02, b 0.25, c −65, d 2.
    pub fn low_threshold_spiking() -> Self {
        Self::kind(0.02, 0.25, -65.0, 2.0)
    }

    /// Relay neurons that also burst when released from hyperpolarization (TC). a 0.02, b 0.25, c −65, d 0.05.
    pub fn thalamo_cortical() -> Self {
        Self::kind(0.02, 0.25, -65.0, 0.05)
    }

    /// Neurons with subthreshold oscillations (RZ). a 0.1, b 0.26, c −65, d 2.
    pub fn resonator() -> Self {
        Self::kind(0.1, 0.26, -65.0, 2.0)
    }
}

/// The potential at which nothing moves without current.
fn resting_potential(b: Real) -> Real {
    let half_width = ((5.0 - b) * (5.0 - b) - 22.4).max(0.0).sqrt();
    (b - 5.0 - half_width) / 0.08
}

/// `f` of every value of a parameter.
fn map(param: &Param, f: impl Fn(usize, Real) -> Real) -> Param {
    let values: Vec<Real> = param.values().iter().enumerate().map(|(j, &x)| f(j, x)).collect();
    match param.count() {
        None => Param::uniform(values[0]),
        Some(_) => values.into(),
    }
}

impl NeuronModel for Izhikevich {
    const STATE: &'static [&'static str] = &["u"];
    const ADAPTS: bool = true;

    fn membrane(&self) -> Membrane {
        let v_rest = map(&self.b, |_, b| resting_potential(b));
        Membrane { tau: 1.0.into(), r: 1.0.into(), v_rest, v_reset: self.c.clone() }
    }

    fn threshold(&self) -> &Param {
        &self.threshold
    }

    fn initial_v(&self) -> &Param {
        &self.init_v
    }

    fn initial_state(&self, _: usize) -> Param {
        if let Some(u) = &self.init_u {
            u.clone()
        } else if self.b.count().is_some() {
            map(&self.b, |j, b| b * self.init_v.get(j))
        } else {
            map(&self.init_v, |j, v| self.b.get(j) * v)
        }
    }

    fn parameters(&self) -> Vec<(&'static str, &Param, Range)> {
        let mut parameters = vec![
            ("a", &self.a, Range::NotNegative),
            ("b", &self.b, Range::Any),
            ("c", &self.c, Range::Any),
            ("d", &self.d, Range::Any),
            ("threshold", &self.threshold, Range::Any),
            ("init_v", &self.init_v, Range::Any),
        ];
        parameters.extend(self.init_u.as_ref().map(|u| ("init_u", u, Range::Any)));
        parameters
    }

    fn integrate(&self, neurons: Neurons<'_>) {
        let (a, b, peak) = (neurons.of(&self.a), neurons.of(&self.b), neurons.of(&self.threshold));
        let Neurons { v, input, state: [u, ..], dt, .. } = neurons;
        match self.scheme {
            Scheme::HalfSteps => half_steps(v, u, input, a, b, peak, dt),
            Scheme::Euler => one_step(v, u, input, a, b, peak, dt),
        }
    }

    fn after_fire(&self, neurons: Neurons<'_>, fired: &[bool]) {
        let d = neurons.of(&self.d);
        let [u, ..] = neurons.state;
        for ((u, d), _) in u.iter_mut().zip(d).zip(fired).filter(|(_, fired)| **fired) {
            *u += d;
        }
    }
}

#[inline(always)]
fn slope(v: Real, u: Real, input: Real) -> Real {
    0.04 * v * v + 5.0 * v + 140.0 - u + input
}

/// What `u` sees: an infinite potential would stay with it for ever.
#[inline(always)]
fn finite(v: Real, peak: Real) -> Real {
    if v < Real::INFINITY { v } else { peak }
}

simd! {
    /// `v` in two steps of dt/2, then `u` from the new `v`.
    fn half_steps(v: &mut [Real], u: &mut [Real], input: &[Real], a: &[Real], b: &[Real], peak: &[Real], dt: Real) {
        let n = v.len();
        assert!(u.len() == n && input.len() == n && a.len() == n && b.len() == n && peak.len() == n);
        for j in 0..n {
            v[j] += slope(v[j], u[j], input[j]) * (0.5 * dt);
            v[j] += slope(v[j], u[j], input[j]) * (0.5 * dt);
            u[j] += a[j] * (b[j] * finite(v[j], peak[j]) - u[j]) * dt;
        }
    }
}

simd! {
    /// `v` and `u` in one step from the old values.
    fn one_step(v: &mut [Real], u: &mut [Real], input: &[Real], a: &[Real], b: &[Real], peak: &[Real], dt: Real) {
        let n = v.len();
        assert!(u.len() == n && input.len() == n && a.len() == n && b.len() == n && peak.len() == n);
        for j in 0..n {
            let before = finite(v[j], peak[j]);
            v[j] += slope(v[j], u[j], input[j]) * dt;
            u[j] += a[j] * (b[j] * before - u[j]) * dt;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::MAX_STATE;
    use super::*;
    use crate::time::TimeScaling;

    fn block<'a>(v: &'a mut [Real], u: &'a mut [Real], input: &'a [Real], dt: Real) -> Neurons<'a> {
        let mut state: [&mut [Real]; MAX_STATE] = Default::default();
        state[0] = u;
        Neurons {
            v,
            input,
            state,
            dt,
            scaling: TimeScaling::Upstream,
            received: [&[], &[]],
            constants: &[],
            start: 0,
        }
    }

    /// One neuron on its own.
    struct Lone {
        model: Izhikevich,
        v: Real,
        u: Real,
        dt: Real,
    }

    impl Lone {
        fn new(model: Izhikevich, dt: Real) -> Self {
            let (v, u) = (model.init_v.get(0), model.initial_state(0).get(0));
            Lone { model, v, u, dt }
        }

        /// A step with this current; whether it fired.
        fn step(&mut self, current: Real) -> bool {
            let (mut v, mut u) = ([self.v], [self.u]);
            self.model.integrate(block(&mut v, &mut u, &[current], self.dt));
            let fired = v[0] >= self.model.threshold.get(0);
            if fired {
                v[0] = self.model.c.get(0);
            }
            self.model.after_fire(block(&mut v, &mut u, &[current], self.dt), &[fired]);
            (self.v, self.u) = (v[0], u[0]);
            fired
        }

        /// The times \[ms\] of its spikes within `duration` \[ms\] of a current.
        fn spikes(&mut self, current: Real, duration: Real) -> Vec<Real> {
            let steps = (duration / self.dt).round() as u32;
            let dt = self.dt;
            (1..=steps).filter(|_| self.step(current)).map(|k| k as Real * dt).collect()
        }
    }

    fn intervals(spikes: &[Real]) -> Vec<Real> {
        spikes.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[test]
    fn a_step_is_two_half_steps_of_v_and_one_of_u() {
        let mut neuron = Lone::new(Izhikevich::default(), 1.0);
        assert_eq!((neuron.v, neuron.u), (-65.0, -13.0));
        assert!(!neuron.step(10.0));
        // 0.04·65² − 5·65 + 140 + 13 + 10 = 7, so v = −61.5; there 0.04·61.5² − 5·61.5 + 163 = 6.79, so v = −58.105.
        assert!((neuron.v + 58.105).abs() < 1e-3, "{}", neuron.v);
        // −13 + 0.02·(0.2·(−58.105) + 13).
        assert!((neuron.u + 12.97242).abs() < 1e-4, "{}", neuron.u);

        let mut neuron = Lone::new(Izhikevich::default().scheme(Scheme::Euler), 1.0);
        neuron.step(10.0);
        assert!((neuron.v + 58.0).abs() < 1e-4 && neuron.u == -13.0, "{} {}", neuron.v, neuron.u);
    }

    #[test]
    fn a_neuron_at_its_resting_potential_stays_there() {
        for (model, rest) in [(Izhikevich::default(), -70.0), (Izhikevich::low_threshold_spiking(), -64.41)] {
            let v_rest = model.membrane().v_rest.get(0);
            assert!((v_rest - rest).abs() < 0.01, "{v_rest}");
            let mut neuron = Lone::new(model.init_v(v_rest), 0.5);
            assert!(neuron.spikes(0.0, 500.0).is_empty());
            assert!((neuron.v - v_rest).abs() < 0.01, "{}", neuron.v);
        }
        // Without a fixed point there is a vertex: b = 0.3 fires by itself.
        let restless = Izhikevich::default().b(0.3);
        assert!((restless.membrane().v_rest.get(0) + 58.75).abs() < 1e-3);
        assert!(!Lone::new(restless, 0.5).spikes(0.0, 500.0).is_empty());
    }

    #[test]
    fn a_spike_resets_v_to_c_and_lifts_u_by_d() {
        let mut neuron = Lone::new(Izhikevich::default().a(0.0).init_v(40.0), 1.0);
        let before = neuron.u;
        assert!(neuron.step(0.0));
        assert_eq!((neuron.v, neuron.u), (-65.0, before + 8.0));
    }

    #[test]
    fn recovery_alone_decays_as_the_discrete_solution_says() {
        // With b = 0, u knows nothing of v: u ← u·(1 − a·dt).
        let mut neuron = Lone::new(Izhikevich::default().b(0.0).d(0.0), 0.5);
        neuron.u = 3.0;
        let mut expected = 3.0_f64;
        for _ in 0..100 {
            neuron.step(0.0);
            expected *= 1.0 - 0.02 * 0.5;
            assert!((f64::from(neuron.u) - expected).abs() < 1e-5);
        }
    }

    #[test]
    fn kinds_fire_as_they_are_named() {
        let at = |model: Izhikevich, current| intervals(&Lone::new(model, 0.5).spikes(current, 1000.0));
        let regular = at(Izhikevich::regular_spiking(), 10.0);
        assert!(regular.len() > 10 && regular[0] < regular[5], "it adapts: {regular:?}");
        let fast = at(Izhikevich::fast_spiking(), 10.0);
        assert!(fast.len() > 3 * regular.len(), "{} and {}", fast.len(), regular.len());
        let chattering = at(Izhikevich::chattering(), 10.0);
        let (within, between) = (
            chattering.iter().filter(|gap| **gap < 8.0).count(),
            chattering.iter().filter(|gap| **gap > 20.0).count(),
        );
        assert!(between > 3 && within > 2 * between, "bursts throughout: {chattering:?}");
        let bursting = at(Izhikevich::intrinsically_bursting(), 10.0);
        assert!(bursting[0] < 10.0 && bursting[bursting.len() - 5..].iter().all(|gap| *gap > 20.0));
        // The low threshold: a current at which the regular one is silent for good.
        let faint = |model| Lone::new(model, 0.5).spikes(3.0, 1000.0).len();
        assert!(faint(Izhikevich::low_threshold_spiking()) > 5 && faint(Izhikevich::regular_spiking()) <= 1);
    }

    #[test]
    fn a_thalamic_neuron_fires_when_it_is_released_from_hyperpolarization() {
        let mut neuron = Lone::new(Izhikevich::thalamo_cortical(), 0.25);
        neuron.spikes(0.0, 200.0);
        assert!(neuron.spikes(-10.0, 300.0).is_empty());
        assert!(!neuron.spikes(0.0, 100.0).is_empty());
    }

    #[test]
    fn a_potential_that_overflows_fires_and_leaves_finite_numbers() {
        for scheme in [Scheme::HalfSteps, Scheme::Euler] {
            let mut neuron = Lone::new(Izhikevich::default().init_v(-65.0).scheme(scheme), 1.0);
            neuron.v = Real::MAX.sqrt();
            assert!(neuron.step(0.0) || neuron.step(0.0));
            assert!(neuron.v.is_finite() && neuron.u.is_finite());
        }
    }
}
