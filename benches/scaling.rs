//! What learning and delivery cost by size of the network and activity: `cargo bench --bench scaling` prints a table, on one
//! thread. `cargo bench --bench scaling -- 2 RSTDP` takes two, and only what has the name.
//!
//! Both sides of one projection are inputs that fire at random with the same probability, so that a step is little else
//! than the projection. A synaptic event is a spike at a synapse, on either side: a synapse that is silent on both sides
//! should cost nothing, so that a step costs by events. What a step costs in silence is measured first and taken off the
//! cost of an event.

use conex::prelude::*;
use conex::systems::random::Seed;
use rand::RngExt;
use std::time::Instant;

/// Random patterns, shown in turn.
const PATTERNS: usize = 64;

/// What learns.
#[derive(Clone, Copy)]
enum Kind {
    DenseStdp,
    DenseRstdp,
    DenseTriplets,
    SparseStdp,
    SparseRstdp,
    ConvStdp,
}

impl Kind {
    const ALL: [(Kind, &'static str); 6] = [
        (Kind::DenseStdp, "dense STDP"),
        (Kind::DenseRstdp, "dense RSTDP"),
        (Kind::DenseTriplets, "dense triplet RSTDP"),
        (Kind::SparseStdp, "sparse STDP, 5 %"),
        (Kind::SparseRstdp, "sparse RSTDP, 5 %"),
        (Kind::ConvStdp, "convolution 5 x 5, STDP"),
    ];

    /// Synapses at a neuron of either side, about.
    fn synapses_per_neuron(self, n: usize) -> f64 {
        match self {
            Kind::DenseStdp | Kind::DenseRstdp | Kind::DenseTriplets => n as f64,
            Kind::SparseStdp | Kind::SparseRstdp => n as f64 * 0.05,
            Kind::ConvStdp => 25.0,
        }
    }
}

struct Bench {
    net: Neocortex,
    ends: [Entity; 2],
    patterns: [Vec<Vec<u32>>; 2],
    turn: usize,
}

impl Bench {
    /// Two populations of `side` x `side` neurons, of which a `share` fires at each step.
    fn new(kind: Kind, side: usize, share: f64, threads: usize) -> conex::Result<Self> {
        let n = side * side;
        let mut net = Neocortex::with(Settings { threads, ..Default::default() })?;
        let grid = Grid::new(1, side, side);
        let pre = net.neurons("pre", grid, (InputSpikes::default(), NeuronAxon::default()))?;
        let ends = (SimpleDendriteStructure::default(), NeuronAxon::default());
        let post = net.neurons("post", grid, (InputSpikes::default(), ends))?;
        let rule = Stdp::new(0.001, 0.0012);
        let synapses =
            (WeightInitializer::uniform(0.2, 0.8), Proximal, PreTrace::new(10.0), PostTrace::new(10.0));
        match kind {
            Kind::DenseStdp => net.synapses(pre, post, (Dense, synapses, rule))?,
            Kind::DenseRstdp => net.synapses(pre, post, (Dense, synapses, Rstdp::new(rule, 100.0)))?,
            Kind::DenseTriplets => {
                let rule = TripletStdp::visual_cortex().scaled(0.1);
                net.synapses(pre, post, (Dense, synapses, RewardModulated::new(rule, 100.0)))?
            }
            Kind::SparseStdp | Kind::SparseRstdp => {
                let sparse = net.synapses(pre, post, (Sparse, synapses))?;
                net.add(sparse, WeightInitializer::uniform(0.2, 0.8).density(0.05))?;
                match kind {
                    Kind::SparseStdp => net.add(sparse, rule)?,
                    _ => net.add(sparse, Rstdp::new(rule, 100.0))?,
                }
                sparse
            }
            Kind::ConvStdp => net.synapses(pre, post, (Conv2d::new(5, 5).padding(2), synapses, rule))?,
        };
        net.set_dopamine(Dopamine::new(5.0).initial(0.001));
        let patterns = ["pre", "post"].map(|name| {
            let mut random = Seed(1).stream("patterns", name, 0);
            let pattern = |_| (0..n as u32).filter(|_| random.random_bool(share)).collect();
            (0..PATTERNS).map(pattern).collect()
        });
        Ok(Bench { net, ends: [pre, post], patterns, turn: 0 })
    }

    /// Milliseconds a step, and the spikes on both sides.
    fn run(&mut self, steps: usize) -> conex::Result<(f64, f64)> {
        let (mut spikes, begun) = (0, Instant::now());
        for _ in 0..steps {
            for (end, patterns) in self.ends.iter().zip(&self.patterns) {
                let pattern = &patterns[self.turn % PATTERNS];
                spikes += pattern.len();
                self.net.set_input(*end, pattern)?;
            }
            // Payoffs of both signs: dopamine acts at each step.
            self.net.set_payoff(if self.turn.is_multiple_of(2) { 0.001 } else { -0.001 })?;
            self.net.step()?;
            self.turn += 1;
        }
        Ok((begun.elapsed().as_secs_f64() * 1e3 / steps as f64, spikes as f64 / steps as f64))
    }
}

fn measure(kind: Kind, side: usize, share: f64, threads: usize) -> conex::Result<(f64, f64)> {
    let mut bench = Bench::new(kind, side, share, threads)?;
    let steps = if side > 50 { 200 } else { 1000 };
    bench.run(steps)?;
    bench.run(steps)
}

fn main() -> conex::Result<()> {
    let shares = [0.001, 0.01, 0.05, 0.2];
    // Cargo adds an argument of its own, `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let threads = arguments.iter().find_map(|a| a.parse().ok()).unwrap_or(1);
    let asked =
        |name: &str| arguments.iter().filter(|a| a.parse::<usize>().is_err()).all(|a| name.contains(a));
    println!("{threads} threads: ms per step, and ns per synaptic event beyond what a silent step costs.\n");
    println!("| projection | neurons a side | silent | 0.1 % | 1 % | 5 % | 20 % |");
    println!("|---|---|---|---|---|---|---|");
    for (kind, name) in Kind::ALL.into_iter().filter(|(_, name)| asked(name)) {
        for side in [16, 32, 64] {
            let n = side * side;
            let (silent, _) = measure(kind, side, 0.0, threads)?;
            print!("| {name} | {n} | {silent:.4} |");
            for share in shares {
                let (ms, spikes) = measure(kind, side, share, threads)?;
                let events = spikes * kind.synapses_per_neuron(n);
                print!(" {ms:.4}, {:.2} ns |", (ms - silent) * 1e6 / events.max(1.0));
            }
            println!();
        }
    }
    Ok(())
}
