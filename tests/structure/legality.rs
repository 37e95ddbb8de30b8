//! Which networks can be built: any shape and any delay that fits, and nothing else.

use conex::prelude::*;
use conex::{Error, Result, systems};
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug)]
enum Model {
    Input,
    Lif,
    Elif,
    Aelif,
}

/// What a population will be.
#[derive(Clone, Debug)]
struct Neural {
    grid: (usize, usize, usize),
    model: Model,
    axon: Option<usize>,
    dendrite: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Dense,
    Sparse(f64),
    OneToOne,
    Conv2d { shared: bool, kernel: (usize, usize), stride: usize, padding: usize },
}

/// The delays of one side of a projection.
#[derive(Clone, Debug)]
enum Lags {
    None,
    Same(i64),
    /// One a neuron, if `more` is 0.
    Each {
        lags: Vec<i64>,
        more: usize,
    },
}

/// What a projection will be. The ends count modulo the number of populations.
#[derive(Clone, Debug)]
struct Synaptic {
    ends: (usize, usize),
    kind: Kind,
    compartment: Compartment,
    lags: (Lags, Lags),
    learns: bool,
}

fn neural() -> impl Strategy<Value = Neural> {
    let model = prop_oneof![Just(Model::Input), Just(Model::Lif), Just(Model::Elif), Just(Model::Aelif)];
    let axon = prop_oneof![8 => (1usize..5).prop_map(Some), 1 => Just(None), 1 => Just(Some(0))];
    let dendrite = prop_oneof![8 => (1usize..5).prop_map(Some), 1 => Just(None), 1 => Just(Some(0))];
    let grid = (1usize..3, 1usize..4, 1usize..4);
    (grid, model, axon, dendrite).prop_map(|(grid, model, axon, dendrite)| Neural {
        grid,
        model,
        axon,
        dendrite,
    })
}

fn lags() -> impl Strategy<Value = Lags> {
    prop_oneof![
        3 => Just(Lags::None),
        3 => (0i64..3).prop_map(Lags::Same),
        3 => prop::collection::vec(0i64..3, 18).prop_map(|lags| Lags::Each { lags, more: 0 }),
        1 => (-1i64..6).prop_map(Lags::Same),
        1 => (prop::collection::vec(-1i64..6, 40), 0usize..3).prop_map(|(lags, more)| Lags::Each { lags, more }),
    ]
}

fn synaptic() -> impl Strategy<Value = Synaptic> {
    let side = || 1usize..3;
    let conv = (any::<bool>(), (side(), side()), 0usize..3, 0usize..2);
    let kind = prop_oneof![
        3 => Just(Kind::Dense),
        3 => (0.0..=1.0).prop_map(Kind::Sparse),
        1 => Just(Kind::OneToOne),
        1 => any::<bool>().prop_map(|shared| Kind::Conv2d { shared, kernel: (1, 1), stride: 1, padding: 0 }),
        1 => conv.prop_map(|(shared, kernel, stride, padding)| Kind::Conv2d { shared, kernel, stride, padding }),
    ];
    let compartment = prop_oneof![Just(Proximal), Just(Distal), Just(Apical)];
    ((0usize..9, 0usize..9), kind, compartment, (lags(), lags()), any::<bool>()).prop_map(
        |(ends, kind, compartment, lags, learns)| Synaptic { ends, kind, compartment, lags, learns },
    )
}

impl Neural {
    fn size(&self) -> usize {
        self.grid.0 * self.grid.1 * self.grid.2
    }

    fn fires(&self) -> bool {
        !matches!(self.model, Model::Input)
    }

    fn add(&self, net: &mut Neocortex, name: &str) -> Result<Entity> {
        let population = match self.model {
            Model::Input => net.neurons(name, self.grid, InputSpikes::default()),
            Model::Lif => net.neurons(name, self.grid, (Lif::default(), InjectedCurrent::new(1.5))),
            Model::Elif => net.neurons(name, self.grid, Elif::default()),
            Model::Aelif => net.neurons(name, self.grid, (Aelif::default(), InherentNoise::default())),
        }?;
        let mut entity = net.world_mut().entity_mut(population);
        if let Some(max_delay) = self.axon {
            entity.insert(NeuronAxon::new(max_delay));
        }
        if let Some(max_delay) = self.dendrite {
            entity.insert(SimpleDendriteStructure::new(max_delay));
        }
        Ok(population)
    }
}

impl Lags {
    fn given(&self, n: usize) -> Option<Vec<i64>> {
        match self {
            Lags::None => None,
            Lags::Same(lag) => Some(vec![*lag]),
            Lags::Each { lags, more } => Some(lags[..(n + more)].to_vec()),
        }
    }

    /// The longest delay, or the name of what is wrong.
    fn longest(&self, n: usize) -> Result<usize, &'static str> {
        let given = self.given(n).unwrap_or_default();
        match given.iter().copied().max() {
            None => Ok(0),
            Some(_) if given.len() != 1 && given.len() != n => Err("DelayCount"),
            Some(_) if given.iter().any(|lag| *lag < 0) => Err("BadDelay"),
            Some(longest) => Ok(longest as usize),
        }
    }
}

impl Synaptic {
    fn add(&self, net: &mut Neocortex, pre: (Entity, &Neural), post: (Entity, &Neural)) -> Result<Entity> {
        let given = |lags: &Lags, n| lags.given(n).map(Delays::Given);
        let delays = DelayInitializer {
            source: given(&self.lags.0, pre.1.size()),
            destination: given(&self.lags.1, post.1.size()),
        };
        let weights = WeightInitializer::uniform(0.0, 1.0);
        let (pre, post) = (pre.0, post.0);
        let projection = match self.kind {
            Kind::Dense => net.synapses(pre, post, (Dense, weights)),
            Kind::Sparse(density) => net.synapses(pre, post, (Sparse, weights.density(density))),
            Kind::OneToOne => net.synapses(pre, post, (One2One, weights)),
            Kind::Conv2d { shared: false, kernel, stride, padding } => net.synapses(
                pre,
                post,
                (Local2d::new(kernel.0, kernel.1).stride(stride).padding(padding), weights),
            ),
            Kind::Conv2d { kernel, stride, padding, .. } => net.synapses(
                pre,
                post,
                (Conv2d::new(kernel.0, kernel.1).stride(stride).padding(padding), weights),
            ),
        }?;
        let mut entity = net.world_mut().entity_mut(projection);
        entity.insert((self.compartment, delays));
        if self.learns {
            entity.insert((Stdp::default(), PreTrace::new(10.0), PostTrace::new(10.0)));
        }
        Ok(projection)
    }

    /// The names of the errors that this projection is to bring.
    fn faults(&self, pre: &Neural, post: &Neural) -> Vec<&'static str> {
        let mut faults = Vec::new();
        let mut longest = |lags: &Lags, n| match lags.longest(n) {
            Ok(longest) => longest,
            Err(fault) => {
                faults.push(fault);
                0
            }
        };
        let (source, destination) = (longest(&self.lags.0, pre.size()), longest(&self.lags.1, post.size()));
        match pre.axon {
            None => faults.push("MissingAtEnd"),
            Some(kept) if source >= kept => faults.push("DelayBeyondAxon"),
            Some(_) => {}
        }
        match post.axon {
            None if self.learns => faults.push("MissingAtEnd"),
            Some(kept) if self.learns && destination >= kept => faults.push("DelayBeyondAxon"),
            _ => {}
        }
        match post.dendrite {
            None if post.fires() => faults.push("MissingAtEnd"),
            Some(0) => faults.push("ClosedCompartment"),
            Some(ahead) if destination >= ahead => faults.push("DelayBeyondDendrite"),
            _ => {}
        }
        let fits = match self.kind {
            Kind::Dense | Kind::Sparse(_) => true,
            Kind::OneToOne => pre.size() == post.size(),
            Kind::Conv2d { kernel: (kh, kw), stride, padding, .. } => {
                let side = |n: usize, k: usize, out: usize| {
                    stride > 0 && n + 2 * padding >= k && (n + 2 * padding - k) / stride + 1 == out
                };
                side(pre.grid.1, kh, post.grid.1) && side(pre.grid.2, kw, post.grid.2)
            }
        };
        if !fits {
            faults.push("ShapeMismatch");
        }
        faults
    }
}

/// The names of all errors in `error`.
fn variants(error: &systems::Error) -> BTreeSet<String> {
    match error {
        systems::Error::Several(errors) => errors.iter().flat_map(variants).collect(),
        error => {
            let printed = format!("{error:?}");
            let end = printed.find(|c: char| !c.is_alphanumeric()).unwrap_or(printed.len());
            [printed[..end].to_string()].into()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_network_builds_exactly_when_it_is_legal_and_else_says_what_is_wrong(
        populations in prop::collection::vec(neural(), 1..4),
        projections in prop::collection::vec(synaptic(), 0..4),
        seed in any::<u64>(),
    ) {
        let settings = Settings { seed, threads: 1, ..Default::default() };
        let mut net = Neocortex::with(settings).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let mut expected: BTreeSet<String> = BTreeSet::new();
        let mut groups = Vec::new();
        for (k, plan) in populations.iter().enumerate() {
            groups.push(plan.add(&mut net, &format!("population {k}")).expect("a population of a legal size"));
            expected.extend((plan.axon == Some(0)).then(|| "ParameterRange".to_string()));
            // The electrode of this model ends on the proximal compartment.
            let closed = matches!(plan.model, Model::Lif) && plan.dendrite == Some(0);
            expected.extend(closed.then(|| "MissingBehaviour".to_string()));
        }
        for plan in &projections {
            let (pre, post) = (plan.ends.0 % groups.len(), plan.ends.1 % groups.len());
            let ends = ((groups[pre], &populations[pre]), (groups[post], &populations[post]));
            plan.add(&mut net, ends.0, ends.1).expect("a projection between populations");
            expected.extend(plan.faults(ends.0.1, ends.1.1).into_iter().map(str::to_string));
        }
        match net.build() {
            Ok(()) => prop_assert!(expected.is_empty(), "built in spite of {expected:?}"),
            Err(Error::Network(error)) => {
                prop_assert_eq!(variants(&error), expected, "{}", error);
                return Ok(());
            }
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        }
        for step in 0..12_u32 {
            for (group, plan) in groups.iter().zip(&populations) {
                if !plan.fires() {
                    let firing: Vec<u32> = (0..plan.size() as u32).filter(|i| (i + step) % 3 == 0).collect();
                    net.set_input(*group, &firing).expect("an input population");
                }
            }
            net.step().expect("a step of a legal network");
        }
        for (group, plan) in groups.iter().zip(&populations).filter(|(_, plan)| plan.fires()) {
            for variable in ["v", "I", "threshold"] {
                let values = net.state(*group, variable).expect("a variable of every model");
                prop_assert!(values.len() == plan.size() && values.iter().all(|x| x.is_finite()));
            }
        }
    }

    #[test]
    fn a_sparse_projection_has_exactly_the_share_of_synapses_that_was_asked_for(
        n_pre in 1usize..40, n_post in 1usize..40, density in 0.0..=1.0,
    ) {
        let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() }).expect("one thread");
        let pre = net.neurons("pre", n_pre, (InputSpikes::default(), NeuronAxon::default())).expect("neurons");
        let post = net.neurons("post", n_post, InputSpikes::default()).expect("neurons");
        let weights = WeightInitializer::ones().density(density);
        let projection = net.synapses(pre, post, (Sparse, weights, Proximal)).expect("synapses");
        net.build().expect("a legal network");
        let synapses = net.get::<systems::synaptic_input::sparse::SparseSynapses>(projection).expect("built");
        prop_assert_eq!(synapses.count(), ((n_pre * n_post) as f64 * density).floor() as usize);
        let pairs: BTreeSet<(u32, u32)> = synapses.triplets().map(|(i, j, _)| (i, j)).collect();
        prop_assert_eq!(pairs.len(), synapses.count(), "distinct");
        prop_assert!(pairs.iter().all(|&(i, j)| (i as usize) < n_pre && (j as usize) < n_post));
    }
}

#[test]
fn populations_of_every_size_around_a_block_and_a_chunk_are_integrated_whole() -> Result<()> {
    for threads in [1, 2] {
        let mut net = Neocortex::with(Settings { threads, ..Default::default() })?;
        for n in [1, 2, 31, 32, 33, 255, 256, 257, 511, 513, 4095, 4096, 4097, 8191, 8193, 20_000] {
            let currents: Vec<f64> =
                (0..n).map(|j| if j % 7 == 3 || j + 1 == n { 1.25 } else { 0.5 }).collect();
            let lif = Lif::default().tau(1.0).v_reset(vec![-0.5; n]);
            let exc =
                net.neurons(&format!("{n} neurons"), n, (lif, InjectedCurrent::new(currents.clone())))?;
            net.step()?;
            let expected: Vec<u32> = (0..n as u32).filter(|&j| currents[j as usize] > 1.0).collect();
            assert_eq!(net.spikes(exc)?, expected, "{n}");
            let v = net.state(exc, "v")?;
            let right = v.iter().zip(&currents).all(|(v, i)| *v == if *i > 1.0 { -0.5 } else { 0.5 });
            assert!(right, "{n}");
        }
    }
    Ok(())
}
