//! The workloads `column` and `column-all-spiking`: an input and three cortical layers, learning by STDP from the input up.

use super::{Prepared, Steps, Workload};
use clap::Args;
use conex::prelude::*;
use conex::systems::random::Seed;
use rand::RngExt;

#[derive(Args)]
pub struct Column {
    #[command(flatten)]
    steps: Steps,
}

impl Workload for Column {
    fn prepare(&self, settings: Settings) -> conex::Result<Prepared> {
        Ok(Prepared::new(build(settings, false)?, &self.steps, (200, 2000)))
    }
}

#[derive(Args)]
pub struct ColumnAllSpiking {
    #[command(flatten)]
    steps: Steps,
}

impl Workload for ColumnAllSpiking {
    fn prepare(&self, settings: Settings) -> conex::Result<Prepared> {
        Ok(Prepared::new(build(settings, true)?, &self.steps, (20, 200)))
    }
}

/// Steps that an image is shown.
const SHOWN: usize = 30;

/// How strongly each kind of projection drives its target.
struct Strengths {
    input: Real,
    /// EE, EI, IE, II within layer 4.
    l4: [Real; 4],
    /// EE, EI, IE, II within layers 2 and 5.
    upper: [Real; 4],
    l4_to_l2: Real,
    l2_to_l5: Real,
    threshold: f64,
}

/// Builds the column; with `all_spiking`, every neuron fires at every step: the dense worst case.
pub fn build(settings: Settings, all_spiking: bool) -> conex::Result<Neocortex> {
    let strengths = if all_spiking {
        let ones = [1.0; 4];
        Strengths { input: 1.0, l4: ones, upper: ones, l4_to_l2: 1.0, l2_to_l5: 1.0, threshold: 0.0 }
    } else {
        Strengths {
            input: 1.0,
            l4: [0.001, 0.010, 0.02, 0.004],
            upper: [0.003, 0.03, 0.15, 0.02],
            l4_to_l2: 0.007,
            l2_to_l5: 0.03,
            threshold: 1.0,
        }
    };
    let mut net = Neocortex::with(settings)?;
    let encoder = Poisson::new(SHOWN, 5.0 / 30.0)?;
    let stimulus = Stimulus::new(patches(settings.seed)?, encoder);
    let input = net.input_layer("input").sensory(stimulus).output("output", "sensory", ()).build()?;
    let Strengths { threshold, .. } = strengths;
    let l4 = layer(&mut net, "L4", Grid::new(4, 24, 24), 576, threshold, strengths.l4)?;
    let l2 = layer(&mut net, "L2", 400.into(), 100, threshold, strengths.upper)?;
    let l5 = layer(&mut net, "L5", 400.into(), 100, threshold, strengths.upper)?;
    let uniform = || WeightInitializer::uniform(0.0, 1.0);
    let learning = || (PreTrace::new(10.0), PostTrace::new(10.0), Stdp::new(0.01, 0.002));
    let kernels = (Conv2d::new(5, 5), uniform(), CurrentCoef(strengths.input), learning());
    net.synapsis((input, "output"), (l4, "input"), kernels)?;
    for (lower, upper, strength) in [(l4, l2, strengths.l4_to_l2), (l2, l5, strengths.l2_to_l5)] {
        let dense = (Dense, uniform(), CurrentCoef(strength), learning());
        net.synapsis((lower, "output"), (upper, "input"), dense)?;
    }
    Ok(net)
}

/// One cortical layer, its four projections dense, with its excitatory population behind both ports.
fn layer(
    net: &mut Neocortex,
    name: &str,
    excitatory: Grid,
    inhibitory: usize,
    threshold: f64,
    [ee, ei, ie, ii]: [Real; 4],
) -> conex::Result<Entity> {
    let neuron = || {
        let lif = Lif::default().r(5.0).tau(10.0).threshold(threshold);
        (lif, SimpleDendriteStructure::default(), NeuronAxon::default())
    };
    let dense = |strength| (Dense, WeightInitializer::uniform(0.0, 1.0), Proximal, CurrentCoef(strength));
    net.cortical_layer(name)
        .excitatory(excitatory, neuron())
        .inhibitory(inhibitory, neuron())
        .synapses("exc", "exc", dense(ee))
        .synapses("exc", "inh", dense(ei))
        .synapses("inh", "exc", dense(ie))
        .synapses("inh", "inh", dense(ii))
        .input("input", "exc", Proximal)
        .output("output", "exc", ())
        .build()
}

/// 64 images of 28 x 28, dark but for a patch of 12 x 12 random intensities near the middle.
fn patches(seed: u64) -> conex::Result<Images> {
    let (side, patch) = (28, 12);
    let mut intensities = vec![0.0; 64 * side * side];
    for (k, image) in intensities.chunks_mut(side * side).enumerate() {
        let mut random = Seed(seed).stream("patches", "column", k as u64);
        let (top, left) = (random.random_range(6..=9), random.random_range(6..=9));
        for y in top..top + patch {
            image[y * side + left..][..patch].fill_with(|| random.random::<Real>());
        }
    }
    Ok(Images::new(Grid::new(1, side, side), intensities, None)?)
}
