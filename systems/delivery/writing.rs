//! The rows of all sources are drawn and written into the parts of the layout, on all threads.

use super::assembly::{Plan, out_of_memory};
use super::connect::DrawnRow;
use super::engine::{Source, Target, UNIT, Unit};
use crate::error::{Error, Result};
use crate::kernels::streams::{Partition, Row, Synapse, Width, Writer};
use crate::workers::Workers;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Where the neurons of one target stand.
struct Places<'a> {
    units: &'a [Unit],
    receptors: usize,
    stored: (f64, i32),
}

/// Where everything comes to lie.
pub(super) struct Layout<'a> {
    pub(super) sources: &'a [Source],
    /// How many neurons these are.
    pub(super) n_sources: usize,
    pub(super) targets: &'a [Target],
    pub(super) units: &'a [Unit],
    /// Parts that the targets are divided among.
    pub(super) parts: usize,
    pub(super) width: Width,
}

/// Sources whose rows one task writes.
const SOURCES_PER_TASK: usize = 256;

/// Draws and writes all rows, and counts the synapses of each plan. Gives the parts and the longest delay.
///
/// # Errors
/// What cannot be drawn, the first in the order of the sources; memory that is not to be had.
pub(super) fn write(
    plans: &mut [Plan],
    layout: &Layout<'_>,
    workers: &Workers,
) -> Result<(Vec<Partition>, u32)> {
    let &Layout { sources, n_sources, targets, units, parts, width } = layout;
    let by_source: Vec<Vec<usize>> = sources
        .iter()
        .map(|source| (0..plans.len()).filter(|&k| plans[k].is_from(source)).collect())
        .collect();
    let places: Vec<Places<'_>> = plans
        .iter()
        .map(|plan| {
            let target = targets.iter().find(|target| target.population == plan.target);
            let units = target.map_or(&[][..], |target| &units[target.units.clone()]);
            let receptors = target.map_or(1, |target| target.receptors);
            Places { units, receptors, stored: plan.synapses.stored.unwrap_or((1.0, 1)) }
        })
        .collect();
    let per_task = SOURCES_PER_TASK;
    let n_tasks = n_sources.div_ceil(per_task);
    // A writer for each thread and part: where a row comes to lie depends on who was faster, what it says does not.
    let makers: Vec<Mutex<Maker>> =
        (0..workers.threads()).map(|_| Mutex::new(Maker::new(parts, width, plans.len()))).collect();
    let written: Vec<Mutex<Option<(usize, TaskRows)>>> = (0..n_tasks).map(|_| Mutex::new(None)).collect();
    let (next, fault): (AtomicUsize, Mutex<Option<(usize, Error)>>) = Default::default();
    let all = &*plans;
    workers.broadcast(|thread| {
        let mut maker = makers[thread].lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task >= n_tasks || fault.lock().is_ok_and(|fault| fault.is_some()) {
                break;
            }
            let range = task * per_task..n_sources.min((task + 1) * per_task);
            match maker.write(range, all, layout, &by_source, &places) {
                Ok(rows) => {
                    *written[task].lock().unwrap_or_else(PoisonError::into_inner) = Some((thread, rows))
                }
                Err(error) => {
                    let mut fault = fault.lock().unwrap_or_else(PoisonError::into_inner);
                    // Tasks begin in order and come to their end: the first that fails is the same for any threads.
                    if fault.as_ref().is_none_or(|(first, _)| task < *first) {
                        *fault = Some((task, error));
                    }
                }
            }
        }
    });
    if let Some((_, error)) = fault.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let mut columns: Vec<Column> = (0..parts).map(|_| Column::default()).collect();
    let mut longest = 1;
    let mut counts = vec![0; plans.len()];
    for maker in makers {
        let maker = maker.into_inner().unwrap_or_else(PoisonError::into_inner);
        longest = longest.max(maker.longest);
        counts.iter_mut().zip(&maker.counts).for_each(|(count, n)| *count += n);
        columns.iter_mut().zip(maker.writers).for_each(|(column, writer)| column.0.push(writer));
    }
    for task in written {
        let Some((thread, rows)) = task.into_inner().unwrap_or_else(PoisonError::into_inner) else {
            continue;
        };
        columns.iter_mut().zip(rows).for_each(|(column, rows)| column.1.push((thread, rows)));
    }
    plans.iter_mut().zip(counts).for_each(|(plan, count)| plan.synapses.count = Some(count));
    let joined: std::io::Result<Vec<Partition>> =
        columns.into_iter().map(|(writers, rows)| Partition::join(width, writers, rows)).collect();
    Ok((joined.map_err(|e| out_of_memory(plans, e.to_string(), width))?, longest))
}

/// What becomes one part: who wrote it, and the rows, each list with the number of its writer.
type Column = (Vec<Writer>, Vec<(usize, Vec<Row>)>);

/// The rows of some sources, in each part.
type TaskRows = Vec<Vec<Row>>;

/// What one thread writes with.
struct Maker {
    writers: Vec<Writer>,
    longest: u32,
    /// Synapses of each plan.
    counts: Vec<u64>,
    row: DrawnRow,
    drawn: Vec<(u32, Synapse)>,
    sorting: Sorting,
}

impl Maker {
    fn new(parts: usize, width: Width, plans: usize) -> Self {
        Maker {
            writers: (0..parts).map(|_| Writer::new(width)).collect(),
            longest: 1,
            counts: vec![0; plans],
            row: DrawnRow::default(),
            drawn: Vec::new(),
            sorting: Sorting::default(),
        }
    }

    fn write(
        &mut self,
        task: std::ops::Range<usize>,
        plans: &[Plan],
        &Layout { sources, width, .. }: &Layout<'_>,
        by_source: &[Vec<usize>],
        places: &[Places<'_>],
    ) -> Result<TaskRows> {
        let Maker { writers, row, drawn, .. } = self;
        let mut rows: TaskRows = writers.iter().map(|_| Vec::with_capacity(task.len())).collect();
        for id in task {
            let s = sources.partition_point(|source| source.first as usize <= id) - 1;
            let i = id as u32 - sources[s].first;
            drawn.clear();
            let mut longest = 1;
            for &k in &by_source[s] {
                let (plan, place) = (&plans[k], &places[k]);
                plan.synapses.draw(i, row)?;
                plan.synapses.quantize(row, place.stored);
                self.counts[k] += row.targets.len() as u64;
                longest = row.delays.iter().fold(longest, |longest, &delay| longest.max(delay));
                let synapses = row.targets.iter().zip(&row.units).zip(&row.delays);
                drawn.extend(synapses.map(|((&j, &weight), &delay)| {
                    let j = plan.of_whole.as_ref().map_or(j, |whole| whole[j as usize]) as usize;
                    let unit = &place.units[j / UNIT];
                    // Of two receptors, the second takes the magnitude of what inhibits.
                    let second = place.receptors == 2 && weight < 0;
                    let weight = if second { -weight } else { weight };
                    let at = (unit.place + usize::from(second) * unit.len + j - unit.first) as u16;
                    (unit.part as u32, Synapse { place: at, delay, weight })
                }));
            }
            self.longest = self.longest.max(longest);
            let sorted = self.sorting.sort(drawn, writers.len(), longest);
            for ((writer, rows), sorted) in writers.iter_mut().zip(&mut rows).zip(sorted) {
                rows.push(writer.write(sorted).map_err(|e| out_of_memory(plans, e.to_string(), width))?);
            }
        }
        Ok(rows)
    }
}

/// Sorts the synapses of one neuron by part and delay.
#[derive(Default)]
struct Sorting {
    counts: Vec<u32>,
    sorted: Vec<Synapse>,
    ends: Vec<usize>,
}

impl Sorting {
    /// The synapses of each part, sorted by delay.
    fn sort(
        &mut self,
        drawn: &mut [(u32, Synapse)],
        parts: usize,
        longest: u32,
    ) -> impl Iterator<Item = &[Synapse]> {
        let days = longest as usize + 1;
        self.sorted.clear();
        self.ends.clear();
        if parts * days > 1 << 16 {
            // Delays that are spread so far are sorted by comparing.
            drawn.sort_by_key(|(part, synapse)| (*part, synapse.delay));
            self.sorted.extend(drawn.iter().map(|(_, synapse)| *synapse));
            self.ends.extend((0..parts).map(|part| drawn.partition_point(|(p, _)| *p as usize <= part)));
        } else {
            let counts = &mut self.counts;
            counts.clear();
            counts.resize(parts * days + 1, 0);
            let key = |(part, synapse): &(u32, Synapse)| *part as usize * days + synapse.delay as usize;
            drawn.iter().for_each(|d| counts[key(d) + 1] += 1);
            (1..counts.len()).for_each(|k| counts[k] += counts[k - 1]);
            self.ends.extend((1..=parts).map(|part| counts[part * days] as usize));
            self.sorted.resize(drawn.len(), Synapse::default());
            for d in &*drawn {
                let at = &mut counts[key(d)];
                self.sorted[*at as usize] = d.1;
                *at += 1;
            }
        }
        let (sorted, ends) = (&self.sorted, &self.ends);
        (0..parts).map(move |part| &sorted[if part == 0 { 0 } else { ends[part - 1] }..ends[part]])
    }
}
