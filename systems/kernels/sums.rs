//! What arrives at the places of a partition, added up.
//!
//! Sums are whole numbers of a unit that the targets know, so they have the same bits in any order. Where little arrives,
//! the places that it came to are listed as well: whoever takes it up then need not look at all the others.

use super::simd;
use super::streams::Width;
use crate::Real;
use bytemuck::{Zeroable, allocation::zeroed_box};
use std::ops::{Deref, DerefMut, Range};

/// Places at which spikes can arrive in one partition: an index of 16 bits tells them apart.
pub const PLACES: usize = 1 << 16;

/// Of so many places one may be listed: to take up one by the list costs as much as to look at this many in turn.
const FEW: usize = 20;

/// What arrives in one partition at a step.
pub struct Arrivals {
    /// The sum at each place.
    pub sums: Sums,
    pub(super) list: List,
}

/// One sum a place. All places that an index of 16 bits can name exist.
pub enum Sums {
    /// Sums of 16-bit weights.
    Bits16(Box<Lines<i32>>),
    /// Sums of 32-bit weights.
    Bits32(Box<Lines<i64>>),
}

/// Values that begin on a cache line, for no vector of them is to lie across two.
#[repr(C, align(64))]
pub struct Lines<T>([T; PLACES]);

// SAFETY: it is an array of what may be zero, and what fills it up behind, which there is none of, may be anything.
unsafe impl<T: Zeroable> Zeroable for Lines<T> {}

impl<T> Deref for Lines<T> {
    type Target = [T; PLACES];

    fn deref(&self) -> &[T; PLACES] {
        &self.0
    }
}

impl<T> DerefMut for Lines<T> {
    fn deref_mut(&mut self) -> &mut [T; PLACES] {
        &mut self.0
    }
}

/// The places that something came to, some more than once.
pub(super) struct List {
    places: Vec<u16>,
    /// Whether it has all of them.
    complete: bool,
    /// The most that it holds.
    most: usize,
    /// Synapses that brought something at this step.
    delivered: usize,
}

impl List {
    #[inline(always)]
    fn add(&mut self, places: impl ExactSizeIterator<Item = u16>) {
        self.delivered += places.len();
        if self.complete {
            self.complete = self.places.len() + places.len() <= self.most;
            if self.complete {
                self.places.extend(places);
            }
        }
    }
}

impl Arrivals {
    /// Nothing has arrived. So many `places` are used.
    pub fn new(width: Width, places: usize) -> Self {
        // On the heap from the start: they are too large for a stack.
        let sums = match width {
            Width::Bits16 => Sums::Bits16(zeroed_box()),
            Width::Bits32 => Sums::Bits32(zeroed_box()),
        };
        Arrivals { sums, list: List { places: Vec::new(), complete: true, most: places / FEW, delivered: 0 } }
    }

    /// Nothing has arrived.
    pub fn forget(&mut self) {
        match &mut self.sums {
            Sums::Bits16(sums) => sums.fill(0),
            Sums::Bits32(sums) => sums.fill(0),
        }
        self.list.places.clear();
        (self.list.complete, self.list.delivered) = (true, 0);
    }

    /// Begins a step. It is listed where little arrived at the last one.
    pub(super) fn begin(&mut self) {
        let List { places, complete, most, delivered } = &mut self.list;
        // What was not taken up at the last step is still there.
        let left = |place: &u16| match &self.sums {
            Sums::Bits16(sums) => sums[*place as usize] != 0,
            Sums::Bits32(sums) => sums[*place as usize] != 0,
        };
        places.retain(left);
        *complete = *delivered <= *most;
        *delivered = 0;
    }

    /// Whether all places that something came to are listed.
    pub fn is_listed(&self) -> bool {
        self.list.complete
    }

    /// Sets `out` to the sums at `places`, times `unit`, and leaves none there.
    pub fn take(&mut self, places: Range<usize>, unit: f64, out: &mut [Real]) {
        match &mut self.sums {
            Sums::Bits16(sums) => take(&mut sums[places], unit, out),
            Sums::Bits32(sums) => take(&mut sums[places], unit, out),
        }
    }

    /// Hands what came to those of the `places` that are listed to `add`, times `unit`, by its offset from the first place,
    /// and leaves nothing there.
    #[inline(always)]
    pub fn take_listed(&mut self, places: Range<usize>, unit: f64, add: impl FnMut(usize, Real)) {
        match &mut self.sums {
            Sums::Bits16(sums) => take_listed(&self.list.places, &mut sums[..], places, unit, add),
            Sums::Bits32(sums) => take_listed(&self.list.places, &mut sums[..], places, unit, add),
        }
    }
}

#[inline(always)]
fn take_listed<S: Sum>(
    list: &[u16],
    sums: &mut [S],
    places: Range<usize>,
    unit: f64,
    mut add: impl FnMut(usize, Real),
) {
    for place in list.iter().map(|&place| usize::from(place)).filter(|place| places.contains(place)) {
        add(place - places.start, sums[place].times(unit));
        sums[place] = S::default();
    }
}

/// A sum of what arrives at one place.
pub trait Sum: Copy + Default {
    /// The sum times `unit`.
    fn times(self, unit: f64) -> Real;
}

impl Sum for i32 {
    #[inline(always)]
    fn times(self, unit: f64) -> Real {
        self as Real * unit as Real
    }
}

/// 1.5·2^52: added to a whole number below 2^51, it turns that into the last digits of a floating-point number.
const MAGIC: f64 = 6_755_399_441_055_744.0;

impl Sum for i64 {
    /// Sums are below 2^51, which lets them be converted several at a time.
    #[inline(always)]
    fn times(self, unit: f64) -> Real {
        ((f64::from_bits(self.wrapping_add(MAGIC.to_bits() as i64) as u64) - MAGIC) * unit) as Real
    }
}

simd! {
    fn take<S: Sum>(sums: &mut [S], unit: f64, out: &mut [Real]) {
        assert_eq!(sums.len(), out.len());
        for (x, sum) in out.iter_mut().zip(sums) {
            *x = sum.times(unit);
            *sum = S::default();
        }
    }
}

/// Adds synapses of 16-bit weights: the place in the lower half, the weight in the upper.
#[inline(always)]
pub(super) fn add_16(sums: &mut [i32; PLACES], list: &mut List, synapses: &[u32]) {
    list.add(synapses.iter().map(|&s| s as u16));
    let mut fours = synapses.chunks_exact(4);
    for four in &mut fours {
        for &s in four {
            let sum = &mut sums[(s & 0xffff) as usize];
            *sum = sum.wrapping_add((s as i32) >> 16);
        }
    }
    for &s in fours.remainder() {
        let sum = &mut sums[(s & 0xffff) as usize];
        *sum = sum.wrapping_add((s as i32) >> 16);
    }
}

/// Adds synapses of 32-bit weights.
#[inline(always)]
pub(super) fn add_32(sums: &mut [i64; PLACES], list: &mut List, places: &[u16], weights: &[u32]) {
    list.add(places.iter().copied());
    for (&place, &weight) in places.iter().zip(weights) {
        let sum = &mut sums[place as usize];
        *sum = sum.wrapping_add(i64::from(weight as i32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: usize = 20 * FEW;

    /// Adds `weights` to places in a step; 16 bits and 32 bits bring the same.
    fn step(all: &mut [Arrivals; 2], weights: &[(u16, i16)]) {
        for arrivals in all {
            arrivals.begin();
            let Arrivals { sums, list } = arrivals;
            let places: Vec<u16> = weights.iter().map(|&(place, _)| place).collect();
            let whole: Vec<u32> = weights.iter().map(|&(_, weight)| i32::from(weight) as u32).collect();
            let both: Vec<u32> = places.iter().zip(&whole).map(|(&p, &w)| u32::from(p) | w << 16).collect();
            match sums {
                Sums::Bits16(sums) => add_16(sums, list, &both),
                Sums::Bits32(sums) => add_32(sums, list, &places, &whole),
            }
        }
    }

    fn twins() -> [Arrivals; 2] {
        [Width::Bits16, Width::Bits32].map(|width| Arrivals::new(width, ENDS))
    }

    fn listed(arrivals: &mut Arrivals, places: Range<usize>) -> Vec<Real> {
        let mut out = vec![0.0; places.len()];
        arrivals.take_listed(places, 0.5, |offset, amount| out[offset] += amount);
        out
    }

    fn looked_at(arrivals: &mut Arrivals, places: Range<usize>) -> Vec<Real> {
        let mut out = vec![0.0; places.len()];
        arrivals.take(places, 0.5, &mut out);
        out
    }

    #[test]
    fn the_list_brings_what_all_places_would() {
        let weights = [(3, 7), (300, -4), (3, 5), (12, 9), (12, -9)];
        let (mut some, mut all) = (twins(), twins());
        for _ in 0..3 {
            step(&mut some, &weights);
            step(&mut all, &weights);
            for (some, all) in some.iter_mut().zip(&mut all) {
                assert!(some.is_listed());
                let expected = looked_at(all, 0..ENDS);
                assert_eq!((expected[3], expected[300], expected[12]), (6.0, -2.0, 0.0));
                let (below, above) = (listed(some, 0..100), listed(some, 100..ENDS));
                assert_eq!([below, above].concat(), expected);
                assert!(looked_at(some, 0..ENDS).iter().all(|&x| x == 0.0), "nothing is left");
            }
        }
    }

    #[test]
    fn what_is_too_much_is_not_listed_nor_at_the_next_step() {
        let mut all = twins();
        let many: Vec<(u16, i16)> = (0..21).map(|place| (place, 1)).collect();
        for (weights, expected) in [(&many[..20], true), (&many, false), (&many[..1], false), (&[], true)] {
            step(&mut all, weights);
            for arrivals in &mut all {
                assert_eq!(arrivals.is_listed(), expected);
                let came = if expected { listed(arrivals, 0..ENDS) } else { looked_at(arrivals, 0..ENDS) };
                assert_eq!(came.iter().sum::<Real>(), 0.5 * weights.len() as Real);
            }
        }
    }

    #[test]
    fn what_a_step_left_is_brought_by_the_next() {
        let mut all = twins();
        step(&mut all, &[(3, 7), (40, 2)]);
        all.iter_mut().for_each(|arrivals| assert_eq!(listed(arrivals, 0..10)[3], 3.5));
        step(&mut all, &[(40, 4)]);
        for arrivals in &mut all {
            let came = listed(arrivals, 0..ENDS);
            assert_eq!((came[3], came[40]), (0.0, 3.0));
        }
    }
}
