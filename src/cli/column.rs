//! The workload `column`: an input and three cortical layers, learning by STDP from the input up.

use conex::prelude::*;
use conex::systems::random::Seed;
use rand::RngExt;

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
    let input = net.neurons("input", Grid::new(1, 28, 28), (stimulus, NeuronAxon::default()))?;
    let threshold = strengths.threshold;
    let l4 = layer(&mut net, "L4", Grid::new(4, 24, 24), 576, threshold, strengths.l4)?;
    let l2 = layer(&mut net, "L2", 400.into(), 100, threshold, strengths.upper)?;
    let l5 = layer(&mut net, "L5", 400.into(), 100, threshold, strengths.upper)?;
    let uniform = || WeightInitializer::uniform(0.0, 1.0);
    let learning = || (PreTrace::new(10.0), PostTrace::new(10.0), Stdp::new(0.01, 0.002));
    let coef = CurrentCoef;
    net.synapses(input, l4, (Conv2d::new(5, 5), uniform(), Proximal, coef(strengths.input), learning()))?;
    net.synapses(l4, l2, (Dense, uniform(), Proximal, coef(strengths.l4_to_l2), learning()))?;
    net.synapses(l2, l5, (Dense, uniform(), Proximal, coef(strengths.l2_to_l5), learning()))?;
    Ok(net)
}

/// One cortical layer, its four projections dense; gives its excitatory population.
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
    let exc = net.neurons(&format!("{name}/exc"), excitatory, neuron())?;
    let inh = net.neurons(&format!("{name}/inh"), inhibitory, (neuron(), Inhibitory))?;
    for (pre, post, strength) in [(exc, exc, ee), (exc, inh, ei), (inh, exc, ie), (inh, inh, ii)] {
        let weights = WeightInitializer::uniform(0.0, 1.0);
        net.synapses(pre, post, (Dense, weights, Proximal, CurrentCoef(strength)))?;
    }
    Ok(exc)
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
