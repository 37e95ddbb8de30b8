//! Synapses as streams: what a spike brings, sorted by when it arrives.
//!
//! The synapses of one source that end in one [`Partition`] of the targets lie in memory as a row of segments, sorted by
//! delay: all that arrives at the same step is one segment. A spike leaves a [`Cursor`] to the first segment in the
//! calendar, at the step when that is due; delivering a segment moves its cursor on to the next. So each step touches
//! just the synapses that are due, and what is under way takes four bytes a spike and partition, however long delays are.
//!
//! Weights are whole numbers of a unit that the targets know, and are added up as such: sums have the same bits in any
//! order, and so for any number of partitions. Nothing wraps: whoever chooses the unit bounds the sum.
//!
//! A segment is a header, `count | gap << 16`, and `count` synapses. `gap` is how many steps later the next segment of
//! the row is due, `LAST` behind the last. Segments begin at multiples of four words, which is what cursors count.

use super::sums::{Arrivals, Sums, add_16, add_32};
use super::{prefetch, prefetch_far};
use memmap2::{Advice, MmapMut};
use std::io;

/// The gap of a row's last segment.
const LAST: u32 = 0xffff;

/// The most synapses of one segment; what is more goes into a second one that is due at once.
const MOST: usize = 0xffff;

/// Words of a segment's alignment.
const UNIT: usize = 4;

/// Words of a cache line.
const LINE: usize = 16;

/// Where a segment begins, in units of four words.
pub type Cursor = u32;

/// Words of one slab, 64 MiB: large enough for pages of 2 MiB, small enough that the last one wastes little.
const SLAB: usize = 1 << 24;

/// How many cursors fall into one slab.
const CURSORS: u32 = (SLAB / UNIT) as u32;

/// How a synapse is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Weights of 16 bits: four bytes a synapse.
    Bits16,
    /// Weights of 32 bits: six bytes a synapse.
    Bits32,
}

impl Width {
    /// Words of a segment of `n` synapses.
    #[inline(always)]
    fn words(self, n: usize) -> usize {
        let payload = match self {
            Width::Bits16 => n,
            Width::Bits32 => n.div_ceil(2) + n,
        };
        (1 + payload).next_multiple_of(UNIT)
    }
}

/// One synapse, as it goes into a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synapse {
    /// The place in its partition.
    pub place: u16,
    /// Steps from the spike to the arrival, at least 1.
    pub delay: u32,
    /// The weight, in units.
    pub weight: i32,
}

/// What a spike of one source finds in a partition.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row {
    /// Its first segment.
    first: Cursor,
    /// Steps until that is due; 0 where there is none.
    delay: u32,
}

/// Memory for rows, in slabs that stay where they are while more are added.
#[derive(Default)]
struct Slabs {
    slabs: Vec<MmapMut>,
    /// Words of the last slab that are taken.
    taken: usize,
}

impl Slabs {
    /// `words` zeroed words, a multiple of [`UNIT`], and where they begin.
    fn take(&mut self, words: usize) -> io::Result<(Cursor, &mut [u32])> {
        let begin = if self.slabs.is_empty() || self.taken + words > SLAB {
            let slab = MmapMut::map_anon(SLAB * size_of::<u32>())?;
            // Fewer, larger pages: a hint that may be refused, and then costs speed only.
            #[cfg(target_os = "linux")]
            let _ = slab.advise(Advice::HugePage);
            if self.slabs.len() >= (u32::MAX / CURSORS) as usize {
                return Err(io::Error::other(
                    "one part of the network has more synapses than can be told apart",
                ));
            }
            self.slabs.push(slab);
            0
        } else {
            self.taken
        };
        self.taken = begin + words;
        let slab = self.slabs.len() - 1;
        let cursor = slab as u32 * CURSORS + (begin / UNIT) as u32;
        let all: &mut [u32] = bytemuck::cast_slice_mut(&mut self.slabs[slab]);
        Ok((cursor, &mut all[begin..begin + words]))
    }

    fn bytes(&self) -> usize {
        self.slabs.len().saturating_sub(1) * SLAB * 4 + self.taken * 4
    }
}

/// Writes rows of one partition. Several writers fill one partition at once, each some of its rows.
pub struct Writer {
    width: Width,
    slabs: Slabs,
    longest_gap: u32,
    synapses: u64,
    spans: Spans,
}

impl Writer {
    /// Writes synapses of this width.
    pub fn new(width: Width) -> Self {
        Writer { width, slabs: Slabs::default(), longest_gap: 1, synapses: 0, spans: Spans::default() }
    }

    /// Writes the row of one source: its synapses `sorted` by delay.
    ///
    /// # Errors
    /// The operating system gives no more memory.
    pub fn write(&mut self, sorted: &[Synapse]) -> io::Result<Row> {
        self.synapses += sorted.len() as u64;
        let Some(first) = sorted.first() else {
            return Ok(Row::default());
        };
        self.longest_gap = self.longest_gap.max(first.delay);
        let segments = || sorted.chunk_by(|a, b| a.delay == b.delay).flat_map(|same| same.chunks(MOST));
        let words = |n: usize| self.width.words(n);
        // A gap too long for its field is bridged by empty segments.
        let bridges = |gap: u32| gap.saturating_sub(1) / (LAST - 1);
        let mut total = 0;
        let mut before = first.delay;
        for segment in segments() {
            total += bridges(segment[0].delay - before) as usize * UNIT + words(segment.len());
            before = segment[0].delay;
        }
        if total > SLAB {
            return Err(io::Error::other(
                "one neuron has more than 16 million synapses in one part of the network",
            ));
        }
        let (cursor, mut left) = self.slabs.take(total)?;
        let mut segments = segments().peekable();
        while let Some(segment) = segments.next() {
            let mut gap = segments.peek().map(|next| next[0].delay - segment[0].delay);
            let n = segment.len();
            self.spans.note(words(n), n);
            let (own, rest) = std::mem::take(&mut left).split_at_mut(words(n));
            left = rest;
            let step = gap.map_or(LAST, |gap| gap.min(LAST - 1));
            own[0] = n as u32 | step << 16;
            match self.width {
                Width::Bits16 => {
                    for (word, s) in own[1..].iter_mut().zip(segment) {
                        *word = u32::from(s.place) | (s.weight as u32) << 16;
                    }
                }
                Width::Bits32 => {
                    let (places, weights) = own[1..].split_at_mut(n.div_ceil(2));
                    for (k, s) in segment.iter().enumerate() {
                        places[k / 2] |= u32::from(s.place) << (k % 2 * 16);
                        weights[k] = s.weight as u32;
                    }
                }
            }
            self.longest_gap = self.longest_gap.max(gap.unwrap_or(1));
            while let Some(longer) = gap.filter(|&gap| gap > LAST - 1) {
                gap = Some(longer - (LAST - 1));
                let (bridge, rest) = std::mem::take(&mut left).split_at_mut(UNIT);
                left = rest;
                bridge[0] = gap.map_or(LAST, |gap| gap.min(LAST - 1)) << 16;
            }
        }
        Ok(Row { first: cursor, delay: first.delay })
    }
}

/// How many cache lines segments span.
#[derive(Default)]
struct Spans {
    /// Synapses in segments of 0, 1, 2 ... lines.
    synapses: [u64; Self::MOST + 1],
}

impl Spans {
    /// What is longer counts as this long.
    const MOST: usize = 24;

    fn note(&mut self, words: usize, synapses: usize) {
        // It may begin at any quarter of a line.
        let lines = (words + LINE / 2).div_ceil(LINE);
        self.synapses[lines.min(Self::MOST)] += synapses as u64;
    }

    fn join(&mut self, other: &Spans) {
        self.synapses.iter_mut().zip(other.synapses).for_each(|(n, more)| *n += more);
    }

    /// So many lines that three in four synapses are in segments that span no more.
    fn usual(&self) -> usize {
        let all: u64 = self.synapses.iter().sum();
        let mut beyond = all;
        let spans = self.synapses.iter().position(|n| {
            beyond -= n;
            beyond <= all / 4
        });
        spans.unwrap_or(0)
    }
}

/// The synapses that end in one part of the targets, for all sources.
pub struct Partition {
    width: Width,
    /// Cache lines that most segments span.
    lines: usize,
    slabs: Vec<MmapMut>,
    rows: Vec<Row>,
    calendar: Calendar,
    /// How many of the segments due at a step are added up already.
    begun: Option<(u64, usize)>,
    bytes: usize,
    synapses: u64,
}

impl Partition {
    /// Joins what `writers` wrote: `rows` are those of the sources one after the other, each list with the writer that
    /// wrote it.
    ///
    /// # Errors
    /// More memory than cursors can tell apart.
    pub fn join(
        width: Width,
        writers: impl IntoIterator<Item = Writer>,
        rows: impl IntoIterator<Item = (usize, Vec<Row>)>,
    ) -> io::Result<Self> {
        let mut partition = Partition {
            width,
            lines: 0,
            slabs: Vec::new(),
            rows: Vec::new(),
            calendar: Calendar::default(),
            begun: None,
            bytes: 0,
            synapses: 0,
        };
        let (mut longest_gap, mut spans) = (1, Spans::default());
        let mut shifts = Vec::new();
        for writer in writers {
            let slabs = partition.slabs.len() + writer.slabs.slabs.len();
            if slabs > (u32::MAX / CURSORS) as usize {
                return Err(io::Error::other(
                    "one part of the network has more synapses than can be told apart",
                ));
            }
            shifts.push(partition.slabs.len() as u32 * CURSORS);
            partition.bytes += writer.slabs.bytes();
            partition.slabs.extend(writer.slabs.slabs);
            partition.synapses += writer.synapses;
            longest_gap = longest_gap.max(writer.longest_gap);
            spans.join(&writer.spans);
        }
        for (writer, rows) in rows {
            let shift = shifts[writer];
            partition.rows.extend(rows.into_iter().map(|row| Row { first: row.first + shift, ..row }));
        }
        partition.bytes += size_of_val(&partition.rows[..]);
        partition.lines = spans.usual();
        partition.calendar = Calendar::new(longest_gap);
        Ok(partition)
    }

    /// Memory that it takes \[bytes\].
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of synapses.
    pub fn synapses(&self) -> u64 {
        self.synapses
    }

    /// Takes up the spikes of some sources that fired one step before `step`.
    pub fn schedule(&mut self, step: u64, fired: impl Iterator<Item = u32>) {
        for source in fired {
            let row = self.rows[source as usize];
            if row.delay > 0 {
                self.calendar.put(step - 1 + u64::from(row.delay), row.first);
            }
        }
    }

    /// Takes up the spikes of sources that fired `age` steps before `step`, without what was due before `step`: what
    /// was under way when the partition was laid out anew.
    pub fn schedule_late(&mut self, step: u64, age: u64, fired: impl Iterator<Item = u32>) {
        for source in fired {
            let row = self.rows[source as usize];
            let (mut cursor, mut due) = (row.first, step - age.min(step) + u64::from(row.delay));
            let mut some = row.delay > 0;
            while some && due < step {
                let (segment, words) = self.segment(cursor);
                let gap = segment[0] >> 16;
                some = gap != LAST;
                (cursor, due) = (cursor + (words / UNIT) as u32, due + u64::from(gap));
            }
            if some {
                self.calendar.put(due, cursor);
            }
        }
    }

    /// Nothing is due any more.
    pub fn forget(&mut self) {
        self.calendar.days.iter_mut().for_each(Vec::clear);
        self.begun = None;
    }

    /// Gives the memory of all synapses back: there are none any more.
    pub fn release(&mut self) {
        self.forget();
        (self.slabs, self.rows) = (Vec::new(), Vec::new());
        (self.bytes, self.synapses) = (0, 0);
    }

    /// The segment at `cursor` with what follows it in its slab, and its length.
    fn segment(&self, cursor: Cursor) -> (&[u32], usize) {
        let slab: &[u32] = bytemuck::cast_slice(&self.slabs[(cursor / CURSORS) as usize]);
        let segment = &slab[(cursor % CURSORS) as usize * UNIT..];
        (segment, self.width.words((segment[0] & 0xffff) as usize))
    }

    /// Adds up all that is due at `step`. Steps are to follow each other.
    pub fn deliver(&mut self, step: u64, arrivals: &mut Arrivals) {
        let (due, _) = self.add_up(step, arrivals, || false);
        self.calendar.give_back(step, due);
        self.begun = None;
    }

    /// Adds up what is known to be due at `step`, the next one, until `stop` says so; [`deliver`](Self::deliver) will add
    /// up the rest. Says whether something is left.
    pub fn deliver_ahead(&mut self, step: u64, arrivals: &mut Arrivals, stop: impl Fn() -> bool) -> bool {
        let (due, reached) = self.add_up(step, arrivals, stop);
        let is_left = reached < due.len();
        *self.calendar.day(step) = due;
        self.begun = Some((step, reached));
        is_left
    }

    /// Adds up what is due at `step` from where it was begun until `stop` says so. Gives the segments, and how many of them
    /// are added up.
    fn add_up(
        &mut self,
        step: u64,
        arrivals: &mut Arrivals,
        stop: impl Fn() -> bool,
    ) -> (Vec<Cursor>, usize) {
        let from = match self.begun {
            Some((begun, reached)) if begun == step => reached,
            _ => {
                arrivals.begin();
                0
            }
        };
        let due = self.calendar.take(step);
        let Arrivals { sums, list } = arrivals;
        let reached = match sums {
            Sums::Bits16(sums) => {
                self.walk(step, &due, from, stop, |segment, n| add_16(sums, list, &segment[..n]))
            }
            Sums::Bits32(sums) => self.walk(step, &due, from, stop, |segment, n| {
                let (places, weights) = segment.split_at(n.div_ceil(2));
                add_32(sums, list, &bytemuck::cast_slice(places)[..n], &weights[..n]);
            }),
        };
        (due, reached)
    }

    #[inline(always)]
    fn walk(
        &mut self,
        step: u64,
        due: &[Cursor],
        from: usize,
        stop: impl Fn() -> bool,
        add: impl FnMut(&[u32], usize),
    ) -> usize {
        match self.lines {
            0..=4 => self.walk_fetching::<4>(step, due, from, stop, add),
            5..=8 => self.walk_fetching::<8>(step, due, from, stop, add),
            9..=12 => self.walk_fetching::<12>(step, due, from, stop, add),
            _ => self.walk_fetching::<16>(step, due, from, stop, add),
        }
    }

    fn walk_fetching<const LINES: usize>(
        &mut self,
        step: u64,
        due: &[Cursor],
        from: usize,
        stop: impl Fn() -> bool,
        mut add: impl FnMut(&[u32], usize),
    ) -> usize {
        let slabs: Vec<&[u32]> = self.slabs.iter().map(|slab| bytemuck::cast_slice(&slab[..])).collect();
        let at = |cursor: Cursor| &slabs[(cursor / CURSORS) as usize][(cursor % CURSORS) as usize * UNIT..];
        for (k, &first) in due.iter().enumerate().skip(from) {
            if stop() {
                return k;
            }
            if let Some(&far) = due.get(k + FAR) {
                let segment = at(far);
                (0..LINES).for_each(|line| prefetch_far(segment, line * LINE));
            }
            if let Some(&near) = due.get(k + NEAR) {
                let segment = at(near);
                (0..NEAR_LINES).for_each(|line| prefetch(segment, line * LINE));
            }
            let mut cursor = first;
            loop {
                let segment = at(cursor);
                let (n, gap) = ((segment[0] & 0xffff) as usize, segment[0] >> 16);
                cursor += (self.width.words(n) / UNIT) as u32;
                add(&segment[1..], n);
                match gap {
                    LAST => break,
                    0 => {}
                    gap => {
                        self.calendar.put(step + u64::from(gap), cursor);
                        break;
                    }
                }
            }
        }
        due.len()
    }
}

/// Segments ahead of the one that is delivered that are fetched from memory, into the second cache: the first can wait
/// for few lines at a time, and needs them for the sums. Each by as many lines as the others, or the processor guesses
/// wrong where that ends; by more than most have, and memory is kept busy in vain.
const FAR: usize = 6;

/// Segments ahead of the one that is delivered whose begin is fetched from there into the first.
const NEAR: usize = 2;

/// Cache lines of that begin.
const NEAR_LINES: usize = 4;

/// Which segments are due when.
#[derive(Default)]
struct Calendar {
    days: Vec<Vec<Cursor>>,
}

impl Calendar {
    /// Reaches `longest` steps ahead.
    fn new(longest: u32) -> Self {
        let days = (longest as usize + 1).next_power_of_two();
        Calendar { days: vec![Vec::new(); days] }
    }

    fn day(&mut self, step: u64) -> &mut Vec<Cursor> {
        let last = self.days.len() as u64 - 1;
        &mut self.days[(step & last) as usize]
    }

    #[inline(always)]
    fn put(&mut self, step: u64, cursor: Cursor) {
        self.day(step).push(cursor);
    }

    fn take(&mut self, step: u64) -> Vec<Cursor> {
        std::mem::take(self.day(step))
    }

    /// Takes the memory of a day that is over.
    fn give_back(&mut self, step: u64, mut day: Vec<Cursor>) {
        day.clear();
        *self.day(step) = day;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use rand::RngExt;

    const SOURCES: u32 = 200;
    const ENDS: u16 = 3000;

    /// Synapses drawn at random, the same each time.
    fn partition(width: Width) -> io::Result<Partition> {
        let mut random = Seed(7).stream("synapses", "streams", 0);
        let mut writer = Writer::new(width);
        let mut rows = Vec::new();
        for _ in 0..SOURCES {
            let mut row: Vec<Synapse> = (0..random.random_range(0..90))
                .map(|_| Synapse {
                    place: random.random_range(0..ENDS),
                    delay: random.random_range(1..9),
                    weight: random.random_range(-900..900),
                })
                .collect();
            row.sort_by_key(|synapse| synapse.delay);
            rows.push(writer.write(&row)?);
        }
        Partition::join(width, [writer], [(0, rows)])
    }

    fn taken(arrivals: &mut Arrivals) -> Vec<crate::Real> {
        let mut out = vec![0.0; usize::from(ENDS)];
        arrivals.take(0..usize::from(ENDS), 1.0, &mut out);
        out
    }

    #[test]
    fn what_is_delivered_ahead_arrives_once_and_at_its_step() -> io::Result<()> {
        for width in [Width::Bits16, Width::Bits32] {
            let (mut plain, mut early) = (partition(width)?, partition(width)?);
            let mut arrivals = [(); 2].map(|()| Arrivals::new(width, usize::from(ENDS)));
            let [at_once, ahead] = &mut arrivals;
            let mut random = Seed(8).stream("spikes", "streams", 0);
            let (mut left, mut all_done) = (0, 0);
            for step in 1..300 {
                let fired: Vec<u32> = (0..SOURCES).filter(|_| random.random_bool(0.05)).collect();
                plain.schedule(step, fired.iter().copied());
                plain.deliver(step, at_once);
                early.schedule(step, fired.iter().copied());
                early.deliver(step, ahead);
                assert_eq!(at_once.is_listed(), ahead.is_listed(), "step {step}");
                assert_eq!(taken(at_once), taken(ahead), "step {step}");
                // Put down after some segments, taken up again, or not begun at all.
                for _ in 0..random.random_range(0..3) {
                    let asked = std::cell::Cell::new(random.random_range(0..120));
                    let stop = || asked.replace(asked.get() - 1) <= 0;
                    match early.deliver_ahead(step + 1, ahead, stop) {
                        true => left += 1,
                        false => all_done += 1,
                    }
                }
                if step == 150 {
                    for (partition, arrivals) in [(&mut plain, &mut *at_once), (&mut early, &mut *ahead)] {
                        partition.forget();
                        arrivals.forget();
                    }
                }
            }
            assert!(left > 20 && all_done > 20, "both happen: {left}, {all_done}");
        }
        Ok(())
    }
}
