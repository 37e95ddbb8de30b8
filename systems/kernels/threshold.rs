//! Which neurons stand at or above their threshold.

use super::simd;
use crate::Real;

/// Neurons that are looked at together: only a group with a crossing is searched neuron by neuron.
const GROUP: usize = 32;

simd! {
    /// Appends `start + j` to `events` for every j with `v[j] >= threshold[j]`.
    pub fn crossings(v: &[Real], threshold: &[Real], start: u32, events: &mut Vec<u32>) {
        assert_eq!(v.len(), threshold.len());
        // Loops of no fixed length are left to be vectorized for the instruction set that is picked.
        let groups = v.chunks(GROUP).zip(threshold.chunks(GROUP));
        for ((v, threshold), first) in groups.zip((start..).step_by(GROUP)) {
            let mut any = false;
            for (v, threshold) in v.iter().zip(threshold) {
                any |= v >= threshold;
            }
            if any {
                let mut crossed = 0_u32;
                for ((v, threshold), j) in v.iter().zip(threshold).zip(0..) {
                    crossed |= u32::from(v >= threshold) << j;
                }
                while crossed != 0 {
                    events.push(first + crossed.trailing_zeros());
                    crossed &= crossed - 1;
                }
            }
        }
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
