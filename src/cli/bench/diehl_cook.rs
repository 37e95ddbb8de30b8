//! The workload `diehl-cook`: the network of P. Diehl & M. Cook (2015), doi 10.3389/fncom.2015.00099, as it learns digits.
//!
//! Inputs excite neurons through synapses that learn. Each of these neurons excites one that inhibits all the others, so
//! few of them answer to an image. Thresholds that rise with each spike let all get their turn.
//!
//! Numbers are those of the paper and its authors' program, as remembered: they were not compared with the program.
//! What differs:
//!
//! - An image is shown for 250 steps of 1 ms, not 700 of half a ms. Then potentials, conductances and traces start again,
//!   where the paper lets them rest for 150 ms. Weights and thresholds stay.
//! - Weights change by pairs of nearest spikes, where the program counts triplets, and by as much whatever the weight:
//!   [`Bound::Soft`] holds back small weights, which is all that there are.
//! - Weights are normalized once an image, as in the paper. [`WeightNormalization`] would do so at each step.
//! - Images are digits of 8 x 8 pixels enlarged. With more ink than MNIST's they bring more spikes, so weights count half:
//!   after 100 images, about 12 spikes answer to each. (The paper lets rates grow for images that bring less than five.)

use super::{Prepared, Steps, Workload};
use clap::{Args, value_parser};
use conex::data::digits;
use conex::prelude::*;
use conex::systems::synaptic_input::Synapses;
use conex::systems::synaptic_input::dense::DenseSynapses;

#[derive(Args)]
pub struct DiehlCook {
    /// Neurons that learn; as many inhibit them, each all the others.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u32).range(1..=10_000))]
    neurons: u32,
    #[command(flatten)]
    steps: Steps,
}

/// Pixels on a side of an image.
const SIDE: usize = 28;
/// Images that are shown in turn.
const IMAGES: usize = 64;
/// Steps that an image is shown.
const SHOWN: u64 = 250;
/// Spikes of a pixel full of ink \[a step, 63.75 Hz\].
const RATE: Real = 0.063_75;

/// What the weights of each neuron sum to after each image.
#[derive(Component)]
struct NormAfterImage(Real);

/// For every dense projection with a norm for the end of an image, scale the weights to it when an image ends.
fn normalize(clock: Res<Clock>, mut projections: Query<(&NormAfterImage, &mut DenseSynapses)>) {
    if !clock.iteration.is_multiple_of(SHOWN) {
        return;
    }
    for (norm, mut synapses) in &mut projections {
        let (fans, mut factors) = (synapses.fan_in(), Vec::new());
        fans.sum(synapses.weights().values(), &mut factors);
        factors.iter_mut().for_each(|sum| *sum = f64::from(norm.0) / *sum);
        fans.scale(synapses.weights_mut().values_mut(), &factors);
    }
}

impl Workload for DiehlCook {
    fn prepare(&self, settings: Settings) -> conex::Result<Prepared> {
        let n = self.neurons as usize;
        let mut net = Neocortex::with(settings)?;
        net.add_system(StepSystems::WeightNormalization, normalize);

        let stimulus = Stimulus::new(images()?, SimplePoisson::new(SHOWN as usize, RATE)?);
        let input = net.neurons("input", (1, SIDE, SIDE), (stimulus, NeuronAxon::default()))?;
        // Conductances are in units of the leak.
        let neuron = LifCondExp::default().g_leak(1.0).tau_syn_exc(1.0).tau_syn_inh(2.0);
        let slow = neuron.clone().c(100.0).v_rest(-65.0).init_v(-65.0).v_reset(-65.0).threshold(-52.0);
        let tiring = (AdaptiveThreshold::new(0.05, 1e7), RefractoryPeriod::new(5.0));
        let exc = net.neurons("exc", n, (slow.e_inh(-100.0), tiring, NeuronAxon::default()))?;
        let fast = neuron.c(10.0).v_rest(-60.0).init_v(-60.0).v_reset(-45.0).threshold(-40.0);
        let inhibiting = (RefractoryPeriod::new(2.0), Inhibitory, NeuronAxon::default());
        let inh = net.neurons("inh", n, (fast.e_inh(-85.0), inhibiting))?;

        let traces = (PreTrace::new(20.0).nearest(), PostTrace::new(20.0).nearest());
        let held = (NormAfterImage(78.4), WeightClip::new(0.0, 1.0));
        let learning = (traces, Stdp::new(0.01, 0.0001), held);
        let weights = (WeightInitializer::uniform(0.0, 0.3), CurrentCoef(0.5));
        net.synapses(input, exc, (Dense, weights, Proximal, learning))?;
        let one_spike_fires = WeightInitializer::constant(10.4);
        net.synapses(exc, inh, (Static::default(), Connections::one_to_one(), one_spike_fires))?;
        let all_but_own = (0..n * n).map(|k| if k.is_multiple_of(n + 1) { 0.0 } else { 17.0 }).collect();
        net.synapses(inh, exc, (Dense, WeightInitializer::dense(vec![n, n], all_but_own), Proximal))?;

        let mut prepared = Prepared::new(net, &self.steps, (100 * SHOWN, 100 * SHOWN));
        prepared.steps_per_image = Some(SHOWN);
        prepared.control = Some(Box::new(|net| {
            if net.world().resource::<Clock>().iteration.is_multiple_of(SHOWN) {
                net.reset_state();
            }
            net.step()
        }));
        Ok(prepared)
    }
}

/// Digits of 8 x 8 pixels, each pixel three wide, with a margin of two.
fn images() -> conex::Result<Images> {
    let digits = digits()?.shuffled(1).take(IMAGES);
    let mut intensities = vec![0.0; IMAGES * SIDE * SIDE];
    for (k, image) in intensities.chunks_mut(SIDE * SIDE).enumerate() {
        for (y, row) in image.chunks_mut(SIDE).skip(2).take(24).enumerate() {
            let of_digit = &digits.intensities(k)[y / 3 * 8..][..8];
            row[2..26].iter_mut().enumerate().for_each(|(x, pixel)| *pixel = of_digit[x / 3]);
        }
    }
    Ok(Images::new((1, SIDE, SIDE), intensities, None)?)
}
