//! Neuron models with receptors, and the spikes from outside that arrive there.

use super::*;

mod lif_psc_exp;
mod lif_psc_alpha;
mod lif_cond_exp;
mod poisson_drive;

/// Two sources of one neuron each, that excites and that inhibits, and behind them `n` neurons of `model`, through static
/// synapses of drawn weights.
struct Wired {
    net: Neocortex,
    sources: [Entity; 2],
    post: Entity,
    /// What a spike of each source brings to each neuron.
    weights: [Vec<f64>; 2],
}

impl Wired {
    fn new(
        dt: f64,
        n: usize,
        model: impl Bundle,
        exc: WeightInitializer,
        inh: WeightInitializer,
    ) -> Result<Self> {
        let mut net = network(dt)?;
        let sources = [
            net.neurons("exc", 1, InputSpikes::default())?,
            net.neurons("inh", 1, (InputSpikes::default(), Inhibitory))?,
        ];
        let post = net.neurons("post", n, model)?;
        let mut projections = Vec::new();
        for (source, weights) in sources.into_iter().zip([exc, inh]) {
            let synapses = (Static::default(), Connections::all_to_all(), weights);
            projections.push(net.synapses(source, post, synapses)?);
        }
        net.build()?;
        let mut weights = [Vec::new(), Vec::new()];
        for (weights, projection) in weights.iter_mut().zip(projections) {
            *weights = net.connections(projection)?.weight.into_iter().map(f64::from).collect();
        }
        Ok(Wired { net, sources, post, weights })
    }

    /// One step, at which the sources that are told to fire. What they send arrives at the next step.
    fn step(&mut self, fire: [bool; 2]) -> Result<()> {
        for (source, _) in self.sources.into_iter().zip(fire).filter(|(_, fires)| *fires) {
            self.net.set_input(source, &[0])?;
        }
        self.net.step()
    }
}
