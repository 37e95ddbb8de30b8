//! The main job: learn images without labels, then recognize images never seen.

use super::LearnOptions;
use super::network::{Learner, STEPS_PER_IMAGE, Task};
use super::output::{Picture, json, prepare_folder};
use conex::Result;
use conex::prelude::*;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;

/// Steps at the end of learning that are recorded.
const RECORDED: u64 = 20 * STEPS_PER_IMAGE;
/// Images between two points of the learning curve.
const CURVE: u64 = 50;

/// The last line of `--json`.
#[derive(Serialize)]
struct Report<'a> {
    data: &'a str,
    accuracy: f64,
    chance: f64,
    instances: usize,
    steps: u64,
    seconds: f64,
    steps_per_second: f64,
    rates: &'a BTreeMap<&'static str, f64>,
    seed: u64,
    threads: usize,
    out: String,
}

/// What happened while learning.
pub struct History {
    /// Images shown so far, at each point of the curves.
    pub images: Vec<f64>,
    /// Neurons of the excitatory population that had fired at least once by then, and at least ten times.
    pub recruited: [Vec<f64>; 2],
    /// Spikes of each excitatory neuron over all of learning.
    pub spikes: Vec<u32>,
    /// Mean rates of the populations over all of learning \[Hz\].
    pub rates: BTreeMap<&'static str, f64>,
}

pub fn learn(options: &LearnOptions) -> Result<()> {
    prepare_folder(&options.out)?;
    let begun = Instant::now();
    let task = Task::load(options.network.data.as_deref())?;
    let mut learner = Learner::build(&options.network, &task)?;
    learner.net.build()?;
    let steps = options.steps.unwrap_or(task.rounds * task.train.len() as u64 * STEPS_PER_IMAGE);
    // Enough to know what neurons stand for, however many images there are.
    let labelled = task.train.clone().take(10_000);
    let unseen = &task.test;

    say(
        options,
        format_args!("{}: {} training images, {} unseen", task.name, task.train.len(), unseen.len()),
    );
    let (history, picture) = train(options, &mut learner, steps)?;
    let trained = begun.elapsed().as_secs_f64();

    learner.freeze();
    let exc_counts = learner.net.count_spikes(learner.exc)?;
    let bar = progress(options, (labelled.len() + unseen.len()) as u64, "recognizing");
    let to_training = learner.answers(&labelled, &exc_counts, || bar.inc(1))?;
    let to_unseen = learner.answers(unseen, &exc_counts, || bar.inc(1))?;
    bar.finish_and_clear();

    let classes = task.train.classes();
    let labels = |images: &Images| images.labels().map_or_else(Vec::new, <[usize]>::to_vec);
    let readout = Readout::fit(&to_training, &labels(&labelled), classes);
    let accuracy = readout.accuracy(&to_unseen, &labels(unseen), Weighting::Proportion);
    let right = (accuracy * unseen.len() as f64).round();
    let chance = 1.0 / classes.max(1) as f64;

    let guesses = to_unseen.rows().into_iter().map(|answer| readout.classify(answer, Weighting::Proportion));
    let guesses: Vec<_> = guesses.zip(labels(unseen)).collect();
    picture.write(&options.out, &learner, &history, &guesses, classes)?;

    let total = learner.net.world().resource::<Clock>().iteration;
    let seconds = begun.elapsed().as_secs_f64();
    say(
        options,
        format_args!("learned {steps} steps ({:.1} s simulated) in {trained:.1} s", steps as f64 / 1e3),
    );
    for (population, rate) in &history.rates {
        say(options, format_args!("  {population}: {rate:.2} Hz"));
    }
    say(
        options,
        format_args!(
            "recognizes {right:.0} of {} unseen images: {:.1} % (chance {:.0} %, seed {})",
            unseen.len(),
            100.0 * accuracy,
            100.0 * chance,
            options.network.seed
        ),
    );
    say(
        options,
        format_args!("{seconds:.1} s in all; recordings and plots are in {}", options.out.display()),
    );
    if options.json {
        let report = Report {
            data: task.name,
            accuracy,
            chance,
            instances: unseen.len(),
            steps: total,
            seconds,
            steps_per_second: total as f64 / seconds,
            rates: &history.rates,
            seed: options.network.seed,
            threads: options.network.settings().threads,
            out: options.out.display().to_string(),
        };
        println!("{}", json(&report));
    }
    Ok(())
}

/// Learns for `steps`, recording the last of them.
fn train(options: &LearnOptions, learner: &mut Learner, steps: u64) -> Result<(History, Picture)> {
    let mut history = History {
        images: Vec::new(),
        recruited: [Vec::new(), Vec::new()],
        spikes: Vec::new(),
        rates: BTreeMap::new(),
    };
    let populations = [("retina", learner.retina), ("exc", learner.exc), ("inh", learner.inh)];
    let mut totals = Vec::new();
    for (name, population) in populations {
        totals.push((name, learner.net.count_spikes(population)?));
    }
    let exc = totals[1].1.clone();
    let picture = Picture::start(&options.out, learner)?;
    picture.set(learner, false);

    let bar = progress(options, steps, "learning");
    let mut done = 0;
    let mut recording = false;
    while done < steps {
        if !recording && steps - done <= RECORDED {
            recording = true;
            picture.set(learner, true);
        }
        let until_recording = if recording { u64::MAX } else { steps - done - RECORDED };
        let now = (CURVE * STEPS_PER_IMAGE).min(steps - done).min(until_recording.max(1));
        // In small bites, so that the bar moves on slow networks too.
        for bite in bites(now, 4 * STEPS_PER_IMAGE) {
            learner.net.run(bite)?;
            bar.inc(bite);
        }
        done += now;
        history.images.push(done as f64 / STEPS_PER_IMAGE as f64);
        let spikes = exc.get();
        for (least, curve) in [1, 10].into_iter().zip(&mut history.recruited) {
            curve.push(spikes.iter().filter(|&&n| n >= least).count() as f64);
        }
    }
    bar.finish_and_clear();
    picture.set(learner, false);
    history.spikes = exc.get();
    let seconds = learner.net.now() / 1e3;
    for (name, counts) in totals {
        let counts = counts.get();
        let spikes: f64 = counts.iter().map(|&n| f64::from(n)).sum();
        history.rates.insert(name, spikes / counts.len() as f64 / seconds.max(f64::MIN_POSITIVE));
    }
    Ok((history, picture))
}

fn bites(steps: u64, bite: u64) -> impl Iterator<Item = u64> {
    (0..steps).step_by(bite as usize).map(move |start| bite.min(steps - start))
}

fn progress(options: &LearnOptions, length: u64, what: &'static str) -> ProgressBar {
    let target = if options.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(length), target).with_message(what);
    let simulated = |state: &indicatif::ProgressState, line: &mut dyn std::fmt::Write| {
        let (simulated, wall) = (state.pos() as f64 / 1e3, state.elapsed().as_secs_f64());
        let ratio = simulated / wall.max(1e-3);
        let _ = write!(line, "{simulated:.1} s simulated in {wall:.1} s ({ratio:.1} x real time)");
    };
    let template = match what {
        "learning" => "{msg} [{bar:30}] {percent:>3} %, {eta} left, {simulated}",
        _ => "{msg} [{bar:30}] {pos} of {len} images, {eta} left",
    };
    // Both templates are fixed; were one wrong, the default bar would do.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.with_key("simulated", simulated).progress_chars("=> "));
    bar
}

fn say(options: &LearnOptions, line: std::fmt::Arguments<'_>) {
    if !options.quiet {
        println!("{line}");
    }
}
