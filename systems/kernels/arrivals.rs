//! Which neurons are hit by events that fall on them at random.
//!
//! Waits between events are exponential, so a walk from one event to the next draws a number for each event and none for
//! the neurons between them (L. Devroye, Non-Uniform Random Variate Generation, 1986, doi 10.1007/978-1-4613-8643-8,
//! chapter VI.1).

use crate::Real;

/// Appends those of the neurons `start .. start + n` that get at least one event, where each expects `expected` of them.
/// `wait` draws from the exponential distribution of mean 1.
pub fn even_arrivals(
    n: usize,
    expected: f64,
    start: u32,
    mut wait: impl FnMut() -> f64,
    events: &mut Vec<u32>,
) {
    if expected <= 0.0 {
        return;
    }
    let mut j = 0;
    loop {
        let gap = wait() / expected;
        if gap >= (n - j) as f64 {
            return;
        }
        j += gap as usize;
        events.push(start + j as u32);
        j += 1;
    }
}

/// As [`even_arrivals`], where neuron `start + j` expects `rates[j]·scale` events.
pub fn uneven_arrivals(
    rates: &[Real],
    scale: f64,
    start: u32,
    mut wait: impl FnMut() -> f64,
    events: &mut Vec<u32>,
) {
    let mut left = wait();
    for (&rate, j) in rates.iter().zip(start..) {
        left -= f64::from(rate) * scale;
        if left < 0.0 {
            events.push(j);
            left = wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out these waits, then an endless one.
    fn waits(given: &[f64]) -> impl FnMut() -> f64 {
        let mut given = given.iter().copied();
        move || given.next().unwrap_or(f64::INFINITY)
    }

    #[test]
    fn waits_are_counted_in_neurons() {
        // With 0.5 events a neuron, a wait of 1 is two neurons long; the next begins behind the neuron that was hit.
        let mut events = Vec::new();
        even_arrivals(10, 0.5, 100, waits(&[1.0, 0.2, 0.5, 9.0]), &mut events);
        assert_eq!(events, [102, 103, 105]);
        let mut uneven = Vec::new();
        uneven_arrivals(&[50.0; 10], 0.01, 100, waits(&[1.1, 0.2, 0.6, 9.0]), &mut uneven);
        assert_eq!(uneven, events);
    }

    #[test]
    fn the_last_neuron_can_be_hit_and_none_behind_it() {
        let mut events = Vec::new();
        even_arrivals(4, 1.0, 0, waits(&[3.9, 0.0, 0.0]), &mut events);
        assert_eq!(events, [3]);
    }

    #[test]
    fn without_a_rate_there_is_no_event() {
        let mut events = Vec::new();
        even_arrivals(4, 0.0, 0, || 0.0, &mut events);
        uneven_arrivals(&[0.0, 0.0], 1.0, 0, || 0.0, &mut events);
        assert!(events.is_empty());
    }
}
