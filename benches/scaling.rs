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
struct Kind {
    name: &'static str,
    wiring: Wiring,
    rule: Rule,
    /// Whether the weights of each target are scaled to a sum.
    is_normalized: bool,
    is_clipped: bool,
}

#[derive(Clone, Copy)]
enum Wiring {
    Dense,
    /// 5 % of all pairs.
    Sparse,
    /// Kernels of 5 x 5.
    Convolution,
}

#[derive(Clone, Copy)]
enum Rule {
    Stdp,
    Rstdp,
    /// Triplets of spikes behind a reward.
    Triplets,
}

impl Kind {
    const fn new(name: &'static str, wiring: Wiring, rule: Rule) -> Self {
        Kind { name, wiring, rule, is_normalized: false, is_clipped: false }
    }

    const fn normalized(name: &'static str, wiring: Wiring, rule: Rule) -> Self {
        Kind { name, wiring, rule, is_normalized: true, is_clipped: false }
    }

    const fn clipped(name: &'static str, wiring: Wiring) -> Self {
        Kind { name, wiring, rule: Rule::Rstdp, is_normalized: true, is_clipped: true }
    }

    const ALL: [Kind; 13] = [
        Kind::new("dense STDP", Wiring::Dense, Rule::Stdp),
        Kind::new("dense RSTDP", Wiring::Dense, Rule::Rstdp),
        Kind::new("dense triplet RSTDP", Wiring::Dense, Rule::Triplets),
        Kind::new("sparse STDP, 5 %", Wiring::Sparse, Rule::Stdp),
        Kind::new("sparse RSTDP, 5 %", Wiring::Sparse, Rule::Rstdp),
        Kind::new("convolution 5 x 5, STDP", Wiring::Convolution, Rule::Stdp),
        Kind::new("convolution 5 x 5, RSTDP", Wiring::Convolution, Rule::Rstdp),
        Kind::normalized("dense STDP, normalized", Wiring::Dense, Rule::Stdp),
        Kind::normalized("dense RSTDP, normalized", Wiring::Dense, Rule::Rstdp),
        Kind::normalized("sparse STDP, 5 %, normalized", Wiring::Sparse, Rule::Stdp),
        Kind::normalized("sparse RSTDP, 5 %, normalized", Wiring::Sparse, Rule::Rstdp),
        Kind::clipped("dense RSTDP, normalized and clipped", Wiring::Dense),
        Kind::clipped("sparse RSTDP, 5 %, normalized and clipped", Wiring::Sparse),
    ];

    /// Synapses at a neuron of either side, about.
    fn synapses_per_neuron(self, n: usize) -> f64 {
        match self.wiring {
            Wiring::Dense => n as f64,
            Wiring::Sparse => n as f64 * 0.05,
            Wiring::Convolution => 25.0,
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
        let (traces, weights) =
            ((PreTrace::new(10.0), PostTrace::new(10.0)), WeightInitializer::uniform(0.2, 0.8));
        let learning = match kind.wiring {
            Wiring::Dense => net.synapses(pre, post, (Dense, weights, Proximal, traces))?,
            Wiring::Sparse => net.synapses(pre, post, (Sparse, weights.density(0.05), Proximal, traces))?,
            Wiring::Convolution => {
                net.synapses(pre, post, (Conv2d::new(5, 5).padding(2), weights, Proximal, traces))?
            }
        };
        let rule = Stdp::new(0.001, 0.0012);
        match kind.rule {
            Rule::Stdp => net.add(learning, rule)?,
            Rule::Rstdp => net.add(learning, Rstdp::new(rule, 100.0))?,
            Rule::Triplets => {
                let rule = TripletStdp::visual_cortex().scaled(0.1);
                net.add(learning, RewardModulated::new(rule, 100.0))?;
            }
        }
        if kind.is_normalized {
            net.add(learning, WeightNormalization::new((kind.synapses_per_neuron(n) / 2.0) as Real))?;
        }
        if kind.is_clipped {
            net.add(learning, WeightClip::default())?;
        }
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
    for kind in Kind::ALL.into_iter().filter(|kind| asked(kind.name)) {
        for side in [16, 32, 64] {
            let n = side * side;
            let (silent, _) = measure(kind, side, 0.0, threads)?;
            print!("| {} | {n} | {silent:.4} |", kind.name);
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
