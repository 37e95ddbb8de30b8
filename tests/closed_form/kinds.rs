//! Kinds of connectivity: what each makes of spikes, how each learns and is normalized.

use super::*;
use conex::systems::synaptic_input::{Synapses, sparse::SparseSynapses};
use ndarray::{Array3, Array5, Axis};
use proptest::prelude::*;

/// The current of a projection one step after these neurons of its source fired.
fn current(pre: Grid, post: Grid, fired: &[u32], behaviours: impl Bundle) -> Result<Vec<Real>> {
    let mut net = network(1.0)?;
    let (pre, post) = (input(&mut net, "pre", pre)?, input(&mut net, "post", post)?);
    let projection = net.synapses(pre, post, (behaviours, Proximal))?;
    net.set_input(pre, fired)?;
    net.run(2)?;
    net.state(projection, "I")
}

/// The current within one population one step after these of its neurons fired.
fn own_current(grid: Grid, fired: &[u32], inhibits: bool, behaviours: impl Bundle) -> Result<Vec<Real>> {
    let mut net = network(1.0)?;
    let exc = input(&mut net, "exc", grid)?;
    if inhibits {
        net.world_mut().entity_mut(exc).insert(Inhibitory);
    }
    let projection = net.synapses(exc, exc, (behaviours, Proximal))?;
    net.set_input(exc, fired)?;
    net.run(2)?;
    net.state(projection, "I")
}

#[test]
fn local_kernels_that_are_all_equal_are_a_convolution() -> Result<()> {
    let (channels, height, width, out) = (2, 5, 6, 3);
    let mut lcg = Lcg(8);
    for (kernel, stride, padding) in [
        ((3, 2), (1, 1), (0, 0)),
        ((3, 3), (2, 2), (1, 1)),
        ((2, 4), (3, 3), (2, 2)),
        ((3, 2), (2, 1), (0, 2)),
    ] {
        let side = |n: usize, k: usize, stride: usize, padding: usize| (n + 2 * padding - k) / stride + 1;
        let (out_h, out_w) =
            (side(height, kernel.0, stride.0, padding.0), side(width, kernel.1, stride.1, padding.1));
        let entries = channels * kernel.0 * kernel.1;
        let kernels = lcg.matrix(out, entries);
        let shared = kernels.clone().into_shape_with_order(vec![out, channels, kernel.0, kernel.1]).unwrap();
        let local = Array3::from_shape_fn((out, out_h * out_w, entries), |(o, _, entry)| kernels[[o, entry]]);
        let (pre, post) = (Grid::new(channels, height, width), Grid::new(out, out_h, out_w));
        let fired = lcg.some_of(pre.len() as u32, 0.5);
        let conv = (Conv2d { kernel, stride, padding }, WeightInitializer::array(shared));
        let expected = current(pre, post, &fired, conv)?;
        let kind = Local2d { kernel, stride, padding };
        let given = WeightInitializer::array(local.clone().into_dyn());
        assert_eq!(current(pre, post, &fired, (kind, given))?, expected, "{kernel:?} {stride:?} {padding:?}");
        // The same weights in six dimensions.
        let unrolled = [out, out_h, out_w, channels, kernel.0, kernel.1].to_vec();
        let given = WeightInitializer::dense(unrolled, local.into_iter().collect());
        assert_eq!(current(pre, post, &fired, (kind, given))?, expected);
        assert!(expected.iter().any(|i| *i != 0.0));
    }
    Ok(())
}

#[test]
fn a_lone_spike_spreads_the_mirrored_lateral_kernel_around_itself() -> Result<()> {
    let (grid, sides) = (Grid::new(3, 6, 7), (3, 3, 5));
    let mut lcg = Lcg(6);
    let kernel = Array5::from_shape_fn((1, 1, sides.0, sides.1, sides.2), |_| lcg.next() as Real);
    for (d, y, x) in [(1, 3, 3), (0, 0, 0), (2, 5, 6), (1, 0, 4)] {
        let fired = ((d * grid.height + y) * grid.width + x) as u32;
        let behaviours = (Lateral::new(3, 3, 5), WeightInitializer::array(kernel.clone().into_dyn()));
        let given = own_current(grid, &[fired], false, behaviours)?;
        for (at, &given) in given.iter().enumerate() {
            let p = (at / 42, at / 7 % 6, at % 7);
            // p reads the spike at s through k = s − p + middle.
            let entry = |s: usize, p: usize, side: usize| (s + side / 2).checked_sub(p).filter(|k| *k < side);
            let through = (entry(d, p.0, 3), entry(y, p.1, 3), entry(x, p.2, 5));
            let expected = match through {
                (Some(a), Some(b), Some(c)) => kernel[[0, 0, a, b, c]],
                _ => 0.0,
            };
            assert_eq!(given, expected, "spike at {d} {y} {x}, read at {p:?}");
        }
    }
    Ok(())
}

#[test]
fn a_lateral_kind_may_have_a_sign_of_its_own() -> Result<()> {
    for (inhibits, own, sign) in [
        (false, None, 1.0),
        (true, None, -1.0),
        (false, Some(true), -1.0),
        (true, Some(true), -1.0),
        (true, Some(false), 1.0),
    ] {
        let kind = Lateral::new(1, 3, 3).inhibitory(own);
        let behaviours = (kind, WeightInitializer::constant(0.5), CurrentCoef(3.0));
        let given = own_current(Grid::new(1, 3, 3), &[4], inhibits, behaviours)?;
        assert_eq!(given, [1.5 * sign; 9], "{inhibits} {own:?}");
    }
    Ok(())
}

#[test]
fn an_own_sign_outlives_a_pause() -> Result<()> {
    let mut net = network(1.0)?;
    let exc = input(&mut net, "exc", (1, 3, 3))?;
    let kind = Lateral::new(1, 1, 1).inhibitory(Some(true));
    let projection = net.synapses(exc, exc, (kind, WeightInitializer::ones(), Proximal))?;
    net.run(1)?;
    net.switch_off("Lateral", projection)?;
    net.add(projection, CurrentNormalization::new(2.0))?;
    net.set_input(exc, &[2])?;
    net.run(2)?;
    assert_eq!(net.state(projection, "I")?[2], 0.0);
    net.switch_on("Lateral", projection)?;
    net.set_input(exc, &[2])?;
    net.run(2)?;
    assert_eq!(net.state(projection, "I")?[2], -2.0);
    Ok(())
}

#[test]
fn without_self_connections_the_middle_of_a_lateral_kernel_stays_0() -> Result<()> {
    let mut net = network(1.0)?;
    let exc = input(&mut net, "exc", (1, 3, 3))?;
    let behaviours = (Lateral::new(1, 3, 3), WeightInitializer::ones(), NoSelfConnections);
    let clip = WeightClip::new(0.5, 2.0);
    let projection = net.synapses(exc, exc, (behaviours, WeightNormalization::new(8.0), clip, Proximal))?;
    net.set_input(exc, &[4])?;
    net.run(2)?;
    assert_eq!(net.state(projection, "I")?, [1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
    Ok(())
}

#[test]
fn average_pooling_keeps_the_activity_and_max_pooling_keeps_who_is_active() -> Result<()> {
    let (pre, mut lcg) = (Grid::new(2, 6, 8), Lcg(12));
    for (post, area) in [(Grid::new(2, 3, 4), 4.0), (Grid::new(2, 2, 2), 12.0), (Grid::new(2, 6, 8), 1.0)] {
        let fired = lcg.some_of(96, 0.2);
        let mean = current(pre, post, &fired, AveragePool2d)?;
        let spikes = mean.iter().map(|x| f64::from(*x)).sum::<f64>() * area;
        assert!((spikes - fired.len() as f64).abs() < 1e-4, "{post:?}: {spikes} of {}", fired.len());
        let max = current(pre, post, &fired, MaxPool2d)?;
        assert!(mean.iter().zip(&max).all(|(mean, max)| *max == mean.ceil()), "{mean:?} {max:?}");
    }
    // Where the sides do not divide, patches overlap, and a full one still is exactly 1.
    let all: Vec<u32> = (0..96).collect();
    assert_eq!(current(pre, Grid::new(2, 4, 3), &all, AveragePool2d)?, [1.0; 24]);
    assert_eq!(current(pre, Grid::new(2, 4, 3), &all, (MaxPool2d, CurrentCoef(2.5)))?, [2.5; 24]);
    Ok(())
}

#[test]
fn one_to_one_and_lateral_weights_share_one_norm_and_local_ones_have_one_a_target() -> Result<()> {
    let mut net = network(1.0)?;
    let (pre, post) = (input(&mut net, "pre", (1, 4, 4))?, input(&mut net, "post", (1, 4, 4))?);
    let (weights, norm) = (|| WeightInitializer::uniform(0.2, 1.0), WeightNormalization::new(2.0));
    let one = net.synapses(pre, post, (One2One, weights(), Proximal, norm))?;
    let lateral = net.synapses(pre, pre, (Lateral::new(1, 3, 3), weights(), Proximal, norm))?;
    let local = net.synapses(pre, post, (Local2d::new(3, 3).padding(1), weights(), Proximal, norm))?;
    let currents = CurrentNormalization::new(3.0);
    let normed = net.synapses(pre, post, (Local2d::new(3, 3).padding(1), weights(), Proximal, currents))?;
    net.build()?;
    let before = net.weights(normed)?;
    net.set_input(pre, &[5])?;
    net.run(2)?;
    for projection in [one, lateral] {
        let weights = net.weights(projection)?;
        assert!(near(weights.sum(), 2.0, 1e-5), "{weights}");
        assert!(weights.iter().any(|w| *w != weights[vec![0; weights.ndim()].as_slice()]));
    }
    let sums = net.weights(local)?.sum_axis(Axis(2));
    assert_eq!(sums.len(), 16);
    assert!(sums.iter().all(|sum| near(*sum, 2.0, 1e-5)), "{sums}");
    // Neuron 5 is at (1, 1): the target at (y, x) reads it through entry (2 − y, 2 − x), where there is one.
    for (place, &given) in net.state(normed, "I")?.iter().enumerate() {
        let (y, x) = (place / 4, place % 4);
        let kernel = before.index_axis(Axis(0), 0).index_axis_move(Axis(0), place);
        let read = if y < 3 && x < 3 { kernel[(2 - y) * 3 + 2 - x] } else { 0.0 };
        assert!(near(given, f64::from(3.0 * read / kernel.sum()), 1e-5), "place {place}: {given}");
    }
    Ok(())
}

#[test]
fn sparse_synapses_leave_out_the_neuron_itself() -> Result<()> {
    let n = 23;
    let pairs = |weights: WeightInitializer| -> Result<Vec<(u32, u32)>> {
        let mut net = network(1.0)?;
        let exc = input(&mut net, "exc", n)?;
        let projection = net.synapses(exc, exc, (Sparse, weights, NoSelfConnections, Proximal))?;
        net.build()?;
        Ok(net.get::<SparseSynapses>(projection)?.triplets().map(|(i, j, _)| (i, j)).collect())
    };
    for density in [0.0, 0.1, 0.5, 0.9, 1.0] {
        let drawn = pairs(WeightInitializer::ones().density(density))?;
        assert_eq!(drawn.len(), (f64::from(n as u32 * (n as u32 - 1)) * density).floor() as usize);
        assert!(drawn.is_sorted_by(|a, b| a < b), "each once, in order");
        assert!(drawn.iter().all(|(i, j)| i != j && (*j as usize) < n));
    }
    let given = Array2::<Real>::ones((n, n));
    let sparse = sprs::CsMat::csr_from_dense(given.view(), 0.0);
    for weights in [WeightInitializer::matrix(given), WeightInitializer::sparse(&sparse)] {
        let kept = pairs(weights)?;
        assert!(kept.len() == n * (n - 1) && kept.iter().all(|(i, j)| i != j));
    }
    Ok(())
}

#[test]
fn a_million_synapses_of_ten_billion_pairs_are_spread_evenly() -> Result<()> {
    let n = 100_000;
    let build = |self_connections: bool, seed: u64, threads: usize| -> Result<Vec<(u32, u32)>> {
        let mut net = Neocortex::with(Settings { seed, threads, ..Default::default() })?;
        let exc = input(&mut net, "exc", n)?;
        let weights = WeightInitializer::ones().density(1e-4);
        let projection = net.synapses(exc, exc, (Sparse, weights, Proximal))?;
        if !self_connections {
            net.world_mut().entity_mut(projection).insert(NoSelfConnections);
        }
        net.build()?;
        Ok(net.get::<SparseSynapses>(projection)?.triplets().map(|(i, j, _)| (i, j)).collect())
    };
    let drawn = build(true, 1, 1)?;
    assert!(drawn.len() == 1_000_000 && drawn.is_sorted_by(|a, b| a < b));
    for counts in [
        drawn.iter().fold(vec![0_u32; n], |mut counts, (i, _)| {
            counts[*i as usize] += 1;
            counts
        }),
        drawn.iter().fold(vec![0_u32; n], |mut counts, (_, j)| {
            counts[*j as usize] += 1;
            counts
        }),
    ] {
        // Ten a row and a column on average. Chi square has as many degrees of freedom as there are rows, less one.
        let chi: f64 = counts.iter().map(|&count| (f64::from(count) - 10.0).powi(2) / 10.0).sum();
        assert!((chi - n as f64).abs() < 4.0 * (2.0 * n as f64).sqrt(), "{chi}");
    }
    assert!(drawn == build(true, 1, 2)?, "the number of threads changes nothing");
    assert!(drawn != build(true, 2, 1)?, "another seed draws others");
    let others = build(false, 1, 1)?;
    assert!(
        others.len() == 999_990 && others.is_sorted_by(|a, b| a < b) && others.iter().all(|(i, j)| i != j)
    );
    Ok(())
}

/// A kernel that is moved over a source, shared by all places or not, in double precision: every pair of neurons, at
/// every step, as BEHAVIOURS writes it.
struct MovedKernel {
    shared: bool,
    pre: Grid,
    post: Grid,
    kernel: (usize, usize),
    stride: (usize, usize),
    padding: (usize, usize),
    w: Vec<f64>,
    traces: (Vec<f64>, Vec<f64>),
}

impl MovedKernel {
    /// Every (weight, source, target) that belong together.
    fn synapses(&self) -> Vec<(usize, usize, usize)> {
        let (pre, post, (kh, kw)) = (self.pre, self.post, self.kernel);
        let entries = pre.depth * kh * kw;
        let mut synapses = Vec::new();
        for j in 0..post.len() {
            let (channel, place) = (j / (post.height * post.width), j % (post.height * post.width));
            let first = if self.shared { channel * entries } else { j * entries };
            for entry in 0..entries {
                let (c, p, q) = (entry / (kh * kw), entry / kw % kh, entry % kw);
                let y = (place / post.width * self.stride.0 + p).checked_sub(self.padding.0);
                let x = (place % post.width * self.stride.1 + q).checked_sub(self.padding.1);
                if let (Some(y), Some(x)) = (y.filter(|y| *y < pre.height), x.filter(|x| *x < pre.width)) {
                    synapses.push((first + entry, (c * pre.height + y) * pre.width + x, j));
                }
            }
        }
        synapses
    }

    fn current(&self, fired: &[u32]) -> Vec<f64> {
        let mut current = vec![0.0; self.post.len()];
        for (k, i, j) in self.synapses() {
            current[j] += if fired.contains(&(i as u32)) { self.w[k] } else { 0.0 };
        }
        current
    }

    fn learn(&mut self, pre: &[u32], post: &[u32]) {
        for (traces, fired, tau) in [(&mut self.traces.0, pre, 8.0), (&mut self.traces.1, post, 14.0)] {
            for (i, x) in traces.iter_mut().enumerate() {
                *x += f64::from(u8::from(fired.contains(&(i as u32))));
                *x -= *x / tau;
            }
        }
        let mut dw = vec![0.0; self.w.len()];
        let places = if self.shared { (self.post.height * self.post.width) as f64 } else { 1.0 };
        for (k, i, j) in self.synapses() {
            let bound = self.w[k] * (0.9 - self.w[k]);
            let spike = |fired: &[u32], n: usize| f64::from(u8::from(fired.contains(&(n as u32))));
            dw[k] += (0.2 * self.traces.0[i] * spike(post, j) - 0.15 * spike(pre, i) * self.traces.1[j])
                * bound
                / places;
        }
        self.w.iter_mut().zip(dw).for_each(|(w, dw)| *w += dw);
    }
}

/// Runs a plastic projection beside its twin.
fn compare_with_twin(mut twin: MovedKernel, shape: Vec<usize>, seed: u64) -> Result<(), TestCaseError> {
    let fault = |error: conex::Error| TestCaseError::fail(error.to_string());
    let given: Vec<Real> = twin.w.iter().map(|&w| w as Real).collect();
    let (kernel, stride, padding) = (twin.kernel, twin.stride, twin.padding);
    let build = || -> Result<(Neocortex, Entity, Entity, Entity)> {
        let mut net = network(1.0)?;
        let (pre, post) = (input(&mut net, "pre", twin.pre)?, input(&mut net, "post", twin.post)?);
        let stdp = Stdp::new(0.2, 0.15).w_max(0.9 as Real).bounds(Bound::Soft);
        let rule = (stdp, PreTrace::new(8.0), PostTrace::new(14.0));
        let behaviours = (WeightInitializer::dense(shape.clone(), given.clone()), Proximal, rule);
        let projection = if twin.shared {
            net.synapses(pre, post, (Conv2d { kernel, stride, padding }, behaviours))?
        } else {
            net.synapses(pre, post, (Local2d { kernel, stride, padding }, behaviours))?
        };
        Ok((net, pre, post, projection))
    };
    let (mut net, pre, post, projection) = build().map_err(fault)?;
    let (mut lcg, mut fired) = (Lcg(seed), Vec::new());
    for step in 0..12 {
        let expected = twin.current(&fired);
        fired = lcg.some_of(twin.pre.len() as u32, 0.3);
        let fired_post = lcg.some_of(twin.post.len() as u32, 0.3);
        net.set_input(pre, &fired).map_err(fault)?;
        net.set_input(post, &fired_post).map_err(fault)?;
        net.step().map_err(fault)?;
        for (given, expected) in net.state(projection, "I").map_err(fault)?.iter().zip(expected) {
            prop_assert!((f64::from(*given) - expected).abs() < 1e-4, "step {step}: I {given}, {expected}");
        }
        twin.learn(&fired, &fired_post);
        let weights = net.weights(projection).map_err(fault)?;
        prop_assert_eq!(weights.shape(), &shape[..]);
        for (given, expected) in weights.iter().zip(&twin.w) {
            prop_assert!((f64::from(*given) - expected).abs() < 1e-5, "step {step}: w {given}, {expected}");
        }
    }
    Ok(())
}

/// Ends are stored in 16 bits, unless there are too many neurons for that.
#[test]
fn sparse_synapses_learn_the_same_however_their_ends_are_stored() -> Result<()> {
    const TARGETS: usize = 90;

    let mut lcg = Lcg(5);
    let mut triplets = Vec::new();
    for i in 0..60 {
        triplets.extend((0..TARGETS).filter(|_| lcg.next() < 0.3).map(|j| (i, j)));
    }
    let learned = |n_post: usize, normalized: bool| -> Result<(Vec<Real>, usize)> {
        let mut net = network(1.0)?;
        let (pre, post) = (input(&mut net, "pre", 60)?, input(&mut net, "post", n_post)?);
        let mut weights = sprs::TriMat::new((60, n_post));
        triplets
            .iter()
            .enumerate()
            .for_each(|(k, &(i, j))| weights.add_triplet(i, j, 0.2 + k as Real * 1e-4));
        let rule = (Stdp::new(0.01, 0.012), PreTrace::new(8.0), PostTrace::new(12.0));
        let weights = WeightInitializer::sparse(&weights.to_csr());
        let projection = net.synapses(pre, post, (Sparse, weights, Proximal, rule))?;
        if normalized {
            net.world_mut().entity_mut(projection).insert(WeightNormalization::new(4.0));
        }
        let mut lcg = Lcg(6);
        for _ in 0..80 {
            // Few enough for normalization to follow them one by one, however many targets there are.
            net.set_input(pre, &lcg.some_of(60, 0.04))?;
            net.set_input(post, &lcg.some_of(TARGETS as u32, 0.04))?;
            net.step()?;
        }
        let bytes = net.get::<SparseSynapses>(projection)?.bytes();
        Ok((net.state(projection, "weights")?, bytes))
    };
    for normalized in [false, true] {
        let (short, few) = learned(TARGETS, normalized)?;
        let (long, many) = learned(70_000, normalized)?;
        assert_eq!(short, long);
        assert!(
            short.iter().zip(0..).any(|(w, k)| (*w - (0.2 + k as Real * 1e-4)).abs() > 1e-3),
            "they learn"
        );
        let starts = (70_000 - TARGETS) * size_of::<u64>();
        assert_eq!(
            many - few,
            starts + triplets.len() * 3 * size_of::<u16>(),
            "two bytes more for each of three"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn moved_kernels_follow_their_slow_twins(
        shared in any::<bool>(), pre in (1usize..3, 1usize..6, 1usize..6), out in 1usize..4,
        kernel in (1usize..4, 1usize..4), stride in (1usize..3, 1usize..3), padding in (0usize..3, 0usize..3),
        seed in any::<u64>(),
    ) {
        let room = (pre.1 + 2 * padding.0, pre.2 + 2 * padding.1);
        prop_assume!(room.0 >= kernel.0 && room.1 >= kernel.1);
        let post = Grid::new(out, (room.0 - kernel.0) / stride.0 + 1, (room.1 - kernel.1) / stride.1 + 1);
        let pre = Grid::from(pre);
        let (entries, places) = (pre.depth * kernel.0 * kernel.1, post.height * post.width);
        let shape = if shared { vec![out, pre.depth, kernel.0, kernel.1] } else { vec![out, places, entries] };
        let mut lcg = Lcg(seed ^ 77);
        // Numbers that single precision holds as they are.
        let w = (0..shape.iter().product()).map(|_| f64::from((lcg.next() * 0.9) as f32)).collect();
        let traces = (vec![0.0; pre.len()], vec![0.0; post.len()]);
        let twin = MovedKernel { shared, pre, post, kernel, stride, padding, w, traces };
        compare_with_twin(twin, shape, seed)?;
    }
}
