//! A network against its slow twin.

use super::*;

const N_PRE: usize = 30;
const N_POST: usize = 20;

/// Dense STDP onto LIF neurons, in double precision, every synapse at every step, as BEHAVIOURS writes it.
struct Twin {
    w: Array2<f64>,
    v: [f64; N_POST],
    pre_spike: [f64; N_PRE],
    pre_trace: [f64; N_PRE],
    post_trace: [f64; N_POST],
    /// How near any potential has come to the threshold.
    margin: f64,
}

impl Twin {
    fn step(&mut self, input: &[u32]) -> Vec<u32> {
        let (tau, threshold, v_reset, dt) = (6.0, 1.0, -0.1, 0.5);
        let mut fired = [0.0; N_POST];
        for (j, fired) in fired.iter_mut().enumerate() {
            let current: f64 = (0..N_PRE).map(|i| self.pre_spike[i] * self.w[[i, j]]).sum();
            self.v[j] += (-self.v[j] + 1.5 * current) * dt / tau;
            self.margin = self.margin.min((self.v[j] - threshold).abs());
            if self.v[j] >= threshold {
                (*fired, self.v[j]) = (1.0, v_reset);
            }
        }
        for i in 0..N_PRE {
            self.pre_spike[i] = f64::from(u8::from(input.contains(&(i as u32))));
            self.pre_trace[i] += self.pre_spike[i];
            self.pre_trace[i] -= self.pre_trace[i] / 8.0 * dt;
        }
        for (trace, spike) in self.post_trace.iter_mut().zip(fired) {
            *trace += 0.8 * spike;
            *trace -= *trace / 14.0 * dt;
        }
        for ((i, j), w) in self.w.indexed_iter_mut() {
            let bound = *w * (0.9 - *w);
            let potentiation = 0.05 * self.pre_trace[i] * fired[j] * bound;
            let depression = 0.04 * self.pre_spike[i] * self.post_trace[j] * bound;
            *w += potentiation - depression;
        }
        for mut column in self.w.columns_mut() {
            let sum = column.sum();
            column.mapv_inplace(|w| w * 12.0 / sum);
        }
        self.w.mapv_inplace(|w| w.clamp(0.05, 0.8));
        (0..N_POST as u32).filter(|&j| fired[j as usize] > 0.0).collect()
    }
}

#[test]
fn a_learning_network_follows_its_slow_twin_in_double_precision() -> Result<()> {
    let mut lcg = Lcg(21);
    let given = lcg.matrix(N_PRE, N_POST);
    let mut twin = Twin {
        w: given.mapv(f64::from),
        v: [0.0; N_POST],
        pre_spike: [0.0; N_PRE],
        pre_trace: [0.0; N_PRE],
        post_trace: [0.0; N_POST],
        margin: f64::INFINITY,
    };
    let mut net = network(0.5)?;
    let pre = input(&mut net, "pre", N_PRE)?;
    let lif = Lif::default().tau(6.0).r(1.5).v_reset(-0.1);
    let post =
        net.neurons("post", N_POST, (lif, SimpleDendriteStructure::default(), NeuronAxon::default()))?;
    let stdp = Stdp::new(0.05, 0.04).w_max(0.9 as Real).bounds(Bound::Soft);
    let behaviours = (
        (Dense, WeightInitializer::matrix(given), Proximal, stdp),
        (PreTrace::new(8.0), PostTrace::new(14.0).spike_scale(0.8)),
        (WeightNormalization::new(12.0), WeightClip::new(0.05, 0.8)),
    );
    let projection = net.synapses(pre, post, behaviours)?;
    let mut spikes = 0;
    for step in 1..=400 {
        let input = lcg.some_of(N_PRE as u32, 0.12);
        net.set_input(pre, &input)?;
        net.step()?;
        let fired = twin.step(&input);
        assert_eq!(net.spikes(post)?, fired, "step {step}, margin {:e}", twin.margin);
        spikes += fired.len();
        let weights = net.weights(projection)?;
        let worst =
            weights.iter().zip(&twin.w).map(|(w, t)| (f64::from(*w) - t).abs() / t).fold(0.0, f64::max);
        assert!(worst < 1e-4, "step {step}: weights {worst:e} off");
        let v = net.state(post, "v")?;
        assert!(v.iter().zip(twin.v).all(|(v, t)| (f64::from(*v) - t).abs() < 1e-4), "step {step}: {v:?}");
    }
    assert!(
        twin.margin > 1e-5,
        "a potential came within {:e} of the threshold: choose another seed",
        twin.margin
    );
    assert!(spikes > 200, "only {spikes} spikes");
    Ok(())
}
