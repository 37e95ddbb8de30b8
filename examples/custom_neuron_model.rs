//! A neuron model of one's own: parameters, integration, and one line to register it.
//!
//! Here it is the quadratic integrate-and-fire neuron with a recovery variable. `cargo run --release --example
//! custom_neuron_model` draws its potential and its recovery.

use clap::Parser;
use conex::prelude::*;
use conex::recording::plots::{Labels, Trace, traces};
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Steps of 0.1 ms.
    #[arg(long, default_value_t = 4000)]
    steps: u64,
    /// The folder for the plot.
    #[arg(long, default_value = "conex-out/custom_neuron_model")]
    out: PathBuf,
}

/// `tau·dv/dt = (v − v_rest)(v − v_critical)·curvature − u + R·I` and `tau_u·du/dt = b·(v − v_rest) − u`; a spike adds
/// `jump` to u.
#[derive(Component, Debug)]
#[require(Fire)]
struct Quadratic {
    tau: Param,
    r: Param,
    threshold: Param,
    v_reset: Param,
    v_rest: Param,
    v_critical: Param,
    curvature: Param,
    tau_u: Param,
    b: Param,
    jump: Param,
}

setters!(Quadratic { tau: Param, jump: Param });

impl Default for Quadratic {
    fn default() -> Self {
        Quadratic {
            tau: 10.0.into(),
            r: 1.0.into(),
            threshold: 30.0.into(),
            v_reset: (-65.0).into(),
            v_rest: (-65.0).into(),
            v_critical: (-50.0).into(),
            curvature: 0.04.into(),
            tau_u: 80.0.into(),
            b: 0.1.into(),
            jump: 4.0.into(),
        }
    }
}

impl NeuronModel for Quadratic {
    const STATE: &'static [&'static str] = &["u"];
    const ADAPTS: bool = true;

    fn membrane(&self) -> Membrane {
        let (tau, r) = (self.tau.clone(), self.r.clone());
        Membrane { tau, r, v_rest: self.v_rest.clone(), v_reset: self.v_reset.clone() }
    }

    fn threshold(&self) -> &Param {
        &self.threshold
    }

    fn initial_v(&self) -> &Param {
        &self.v_rest
    }

    fn parameters(&self) -> Vec<(&'static str, &Param, Range)> {
        vec![
            ("tau", &self.tau, Range::Positive),
            ("r", &self.r, Range::NonZero),
            ("threshold", &self.threshold, Range::Any),
            ("v_reset", &self.v_reset, Range::Any),
            ("v_rest", &self.v_rest, Range::Any),
            ("v_critical", &self.v_critical, Range::Any),
            ("curvature", &self.curvature, Range::Positive),
            ("tau_u", &self.tau_u, Range::Positive),
            ("b", &self.b, Range::Any),
            ("jump", &self.jump, Range::Any),
        ]
    }

    fn integrate(&self, neurons: Neurons<'_>) {
        let (tau, r) = (neurons.of(&self.tau), neurons.of(&self.r));
        let (v_rest, v_critical) = (neurons.of(&self.v_rest), neurons.of(&self.v_critical));
        let (curvature, tau_u, b) =
            (neurons.of(&self.curvature), neurons.of(&self.tau_u), neurons.of(&self.b));
        let (v, [u, ..], dt) = (neurons.v, neurons.state, neurons.dt);
        for j in 0..v.len() {
            let rise = curvature[j] * (v[j] - v_rest[j]) * (v[j] - v_critical[j]);
            let recovery = (b[j] * (v[j] - v_rest[j]) - u[j]) * dt / tau_u[j];
            v[j] += (rise - u[j] + r[j] * neurons.input[j]) * dt / tau[j];
            u[j] += recovery;
        }
    }

    fn after_fire(&self, neurons: Neurons<'_>, fired: &[bool]) {
        let jump = neurons.of(&self.jump);
        let [u, ..] = neurons.state;
        for j in (0..fired.len()).filter(|&j| fired[j]) {
            u[j] += jump[j];
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut net = Neocortex::with(Settings { dt: 0.1, threads: 1, ..Default::default() })?;
    net.register_neuron_model::<Quadratic>();
    let neuron = net.neurons("quadratic", 1, (Quadratic::default(), InjectedCurrent::new(8.0)))?;
    let spikes = net.record_spikes(neuron)?;
    let (v, u) = (net.record_state(neuron, "v", 1)?, net.record_state(neuron, "u", 1)?);
    net.run(options.steps)?;

    println!("{} spikes in {} ms", spikes.len(), net.now());
    let at: Vec<f64> = spikes.events().iter().map(|event| event.0).collect();
    let (times, v, u) = (v.times(), v.values(), u.values());
    let curves = [
        Trace { label: "v (mV)", values: v.column(0), spikes: &at },
        Trace { label: "u", values: u.column(0), spikes: &[] },
    ];
    std::fs::create_dir_all(&options.out)?;
    let plot = options.out.join("quadratic.svg");
    let labels = Labels { title: "Quadratic integrate-and-fire", x: "time (ms)", y: "" };
    traces(&plot, &labels, &times, &curves, None)?;
    println!("its course is in {}", plot.display());
    Ok(())
}
