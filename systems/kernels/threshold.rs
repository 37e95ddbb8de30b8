//! Which neurons stand at or above their threshold.

use super::simd;
use crate::Real;

/// Neurons that are looked at together: only a group with a crossing is searched neuron by neuron.
const GROUP: usize = 32;

/// Appends `start + j` to `events` for every j with `v[j] >= threshold[j]`.
pub fn crossings(v: &[Real], threshold: &[Real], start: u32, events: &mut Vec<u32>) {
    assert_eq!(v.len(), threshold.len());
    for (group, (v, threshold)) in v.chunks(GROUP).zip(threshold.chunks(GROUP)).enumerate() {
        if any_crossing(v, threshold) {
            let first = start + (group * GROUP) as u32;
            let crossed = v.iter().zip(threshold).zip(first..).filter(|((v, threshold), _)| v >= threshold);
            events.extend(crossed.map(|(_, j)| j));
        }
    }
}

simd! {
    /// Whether any neuron stands at or above its threshold.
    fn any_crossing(v: &[Real], threshold: &[Real]) -> bool {
        let mut any = false;
        for (v, threshold) in v.iter().zip(threshold) {
            any |= v >= threshold;
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_each_crossing_once_and_in_order() {
        let mut v = vec![0.0; 70];
        for j in [0, 31, 32, 69] {
            v[j] = 1.0;
        }
        let mut events = vec![7];
        crossings(&v, &[1.0; 70], 100, &mut events);
        assert_eq!(events, [7, 100, 131, 132, 169]);
    }

    #[test]
    fn infinity_crosses_and_nan_does_not() {
        let mut events = Vec::new();
        crossings(&[Real::INFINITY, Real::NAN], &[1.0; 2], 0, &mut events);
        assert_eq!(events, [0]);
    }
}
