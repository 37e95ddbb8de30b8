//! The rules that draw connections, for synapses that are static and for synapses that learn.

#![allow(clippy::disallowed_methods, reason = "references in double precision, compared within a tolerance")]

mod distance;
mod rules;
mod synapses;

use conex::Result;
use conex::prelude::*;
use conex::systems::synaptic_input::sparse::SparseSynapses;

type Pairs = Vec<(u32, u32)>;

/// What a rule joins.
#[derive(Clone, Copy, Debug)]
struct Between {
    source: (usize, usize, usize),
    /// Another population, or the source itself.
    target: Option<(usize, usize, usize)>,
    autapses: bool,
    seed: u64,
    threads: usize,
    name: &'static str,
}

impl Default for Between {
    fn default() -> Self {
        let (source, target) = ((1, 1, 1), None);
        Between { source, target, autapses: true, seed: 7, threads: 2, name: "projection" }
    }
}

impl Between {
    fn two(pre: usize, post: usize) -> Self {
        Between { source: (1, 1, pre), target: Some((1, 1, post)), ..Self::default() }
    }

    fn itself(n: usize, autapses: bool) -> Self {
        Between { source: (1, 1, n), autapses, ..Self::default() }
    }

    /// A network of these populations and one projection, built.
    fn wire(self, behaviours: impl Bundle) -> Result<(Neocortex, Entity)> {
        let Between { seed, threads, .. } = self;
        let mut net = Neocortex::with(Settings { dt: 0.1, seed, threads, ..Default::default() })?;
        let neurons = || (Lif::default(), SimpleDendriteStructure::default(), NeuronAxon::default());
        let place = || Coordinates::grid().spacing(0.5);
        let source = net.neurons("source", self.source, (neurons(), place()))?;
        let target = match self.target {
            Some(shape) => net.neurons("target", shape, (neurons(), place()))?,
            None => source,
        };
        let projection = net.named_synapses(self.name, source, target, behaviours)?;
        if !self.autapses {
            net.add(projection, NoSelfConnections)?;
        }
        net.build()?;
        Ok((net, projection))
    }

    /// What `connections` draw, sorted: the same for static synapses and for such that learn.
    fn draw(self, connections: &Connections) -> Result<Pairs> {
        let weights = WeightInitializer::ones();
        let (net, projection) = self.wire((Static::default(), connections.clone(), weights.clone()))?;
        let table = net.connections(projection)?;
        assert!(table.pre.is_sorted());
        let mut drawn: Pairs = table.pre.into_iter().zip(table.post).collect();
        drawn.sort_unstable();
        let (net, projection) = self.wire((Sparse, Proximal, connections.clone(), weights))?;
        let synapses = net.get::<SparseSynapses>(projection)?;
        let learning: Pairs = synapses.triplets().map(|(i, j, _)| (i, j)).collect();
        assert_eq!(synapses.count(), learning.len());
        assert!(drawn == learning, "static synapses and sparse ones differ under {connections:?}");
        Ok(drawn)
    }
}

/// How often each number below `n` comes.
fn counts(numbers: impl Iterator<Item = u32>, n: usize) -> Vec<u32> {
    let mut counts = vec![0; n];
    numbers.for_each(|k| counts[k as usize] += 1);
    counts
}

/// Whether `counts` are those of independent draws with this mean and this variance each: their sum of squares follows
/// chi square, up to five standard deviations. `given` numbers follow from the others.
#[track_caller]
fn assert_spread(counts: &[u32], mean: f64, variance: f64, given: usize) {
    let chi: f64 = counts.iter().map(|&count| (f64::from(count) - mean).powi(2) / variance).sum();
    let freedom = (counts.len() - given) as f64;
    assert!((chi - freedom).abs() < 5.0 * (2.0 * freedom).sqrt(), "chi square {chi} of {freedom}");
}

/// The mean and the standard deviation.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    (mean, (values.map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt())
}
