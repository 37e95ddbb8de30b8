//! Each kernel alone, at sizes that a cortical column has.

use conex::Real;
use conex::prelude::Stdp;
use conex::systems::kernels::columns::{Pattern, scatter_rows};
use conex::systems::kernels::convolution::Geometry;
use conex::systems::kernels::decay::{add, all_finite, clamp, decay};
use conex::systems::kernels::dendrite::prime;
use conex::systems::kernels::integrate::{exponential_integrate, leaky_integrate, relax_adaptation};
use conex::systems::kernels::math::{exp, tanh};
use conex::systems::kernels::rows::{add_rows, depress_row};
use conex::systems::kernels::threshold::crossings;
use conex::systems::kernels::top_k::losers_of_lane;
use conex::systems::learning::InPlace;
use conex::systems::weights::Held;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

/// Neurons of the largest population of the column.
const N: usize = 2304;

/// Numbers that look random, within 0 and 1.
fn numbers(n: usize) -> Vec<Real> {
    (0..n).map(|k| (k * 7919 % 1000) as Real / 1000.0).collect()
}

/// Every `1 / share`-th of `n` neurons.
fn every(n: usize, share: usize) -> Vec<u32> {
    (0..n as u32).step_by(share).collect()
}

fn neurons(c: &mut Criterion) {
    let mut group = c.benchmark_group("neurons");
    group.throughput(Throughput::Elements(N as u64));
    let (input, tau, ones) = (numbers(N), vec![10.0; N], vec![1.0; N]);
    let (zeros, rheobase) = (vec![0.0; N], vec![100.0; N]);
    let mut v = numbers(N);
    group.bench_function("leaky_integrate", |b| {
        b.iter(|| leaky_integrate(black_box(&mut v), &input, &tau, &ones, &zeros, 1.0));
    });
    group.bench_function("exponential_integrate", |b| {
        b.iter(|| {
            let v = black_box(&mut v);
            exponential_integrate(v, &input, &zeros, &tau, &ones, &zeros, &ones, &rheobase, 1.0);
        });
    });
    let mut omega = numbers(N);
    group.bench_function("relax_adaptation", |b| {
        b.iter(|| relax_adaptation(black_box(&mut omega), &v, &zeros, &ones, &tau, 1.0));
    });
    let mut events = Vec::new();
    let high = vec![0.99; N];
    let v = numbers(N);
    group.bench_function("crossings", |b| {
        b.iter(|| {
            events.clear();
            crossings(black_box(&v), &high, 0, &mut events);
        });
    });
    let (mut ranking, mut losers) = (Vec::new(), Vec::new());
    group.bench_function("losers_of_lane", |b| {
        b.iter(|| {
            losers.clear();
            losers_of_lane(black_box(&v), |_| 0.9, 0..N as u32, 10, &mut ranking, &mut losers);
        });
    });
    let mut current = numbers(N);
    group.bench_function("prime", |b| {
        b.iter(|| prime(black_box(&mut current), &input, &v, &ones, &zeros, &tau, &ones, 0.8));
    });
    group.finish();
}

fn vectors(c: &mut Criterion) {
    let mut group = c.benchmark_group("vectors");
    group.throughput(Throughput::Elements(N as u64));
    let y = numbers(N);
    let mut x = numbers(N);
    group.bench_function("decay", |b| b.iter(|| decay(black_box(&mut x), 1e-9)));
    group.bench_function("add", |b| b.iter(|| add(black_box(&mut x), &y)));
    group.bench_function("clamp", |b| b.iter(|| clamp(black_box(&mut x), 0.0, 1.0)));
    group.bench_function("all_finite", |b| b.iter(|| all_finite(black_box(&x))));
    group.bench_function("exp", |b| b.iter(|| black_box(&mut x).iter_mut().for_each(|x| *x = exp(-*x))));
    group.bench_function("tanh", |b| b.iter(|| black_box(&mut x).iter_mut().for_each(|x| *x = tanh(*x))));
    group.finish();
}

fn synapses(c: &mut Criterion) {
    let mut group = c.benchmark_group("synapses");
    let weights = numbers(N * N);
    let mut current = vec![0.0; N];
    for percent in [1, 10] {
        let events = every(N, 100 / percent);
        group.throughput(Throughput::Elements((events.len() * N) as u64));
        group.bench_function(BenchmarkId::new("add_rows", format!("{percent} %")), |b| {
            b.iter(|| add_rows(black_box(&mut current), &weights, N, 0, &events));
        });
    }
    let (rule, trace) = (Stdp::new(0.01, 0.002), numbers(N));
    let mut row = numbers(N);
    group.throughput(Throughput::Elements(N as u64));
    group.bench_function("depress_row", |b| {
        b.iter(|| {
            let mut changes = InPlace { weights: &mut row, held: Held::FREE };
            depress_row(&rule, black_box(&mut changes), 0, (0.5, 0.0), &trace, &trace)
        })
    });

    let n = 10_000;
    let pairs = (0..n as u32).flat_map(|i| (0..100).map(move |k| (i, k * 100 + i % 100)));
    let pattern = Pattern::from_sorted(n, n, pairs);
    let (weights, events) = (numbers(pattern.len()), every(n, 100));
    let mut current = vec![0.0; n];
    group.throughput(Throughput::Elements(events.len() as u64 * 100));
    group.bench_function("scatter_rows", |b| {
        b.iter(|| scatter_rows(black_box(&mut current), &pattern, &weights, &events));
    });

    let geometry =
        Geometry { input: (1, 28, 28), output: (4, 24, 24), kernel: (5, 5), stride: (1, 1), padding: (0, 0) };
    let (kernel, mut current) = (numbers(25), vec![0.0; geometry.places()]);
    group.throughput(Throughput::Elements(25));
    group.bench_function("convolution of_source", |b| {
        b.iter(|| geometry.of_source(black_box(400), |entry, place| current[place] += kernel[entry]));
    });
    let (trace, mut changes) = (numbers(784), vec![0.0; 25]);
    group.bench_function("convolution of_place", |b| {
        b.iter(|| geometry.of_place(black_box(300), |entry, i| changes[entry] += trace[i]));
    });
    group.finish();
}

criterion_group!(benches, neurons, vectors, synapses);
criterion_main!(benches);
