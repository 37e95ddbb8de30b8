//! Rest after a spike.

use super::simd;
use crate::Real;

simd! {
    /// Puts `v` to `v_reset` wherever steps of rest are `left`, and takes one of them off.
    pub fn hold(v: &mut [Real], left: &mut [u32], v_reset: &[Real]) {
        let n = v.len();
        assert!(left.len() == n && v_reset.len() == n);
        for j in 0..n {
            let rests = left[j] > 0;
            left[j] -= u32::from(rests);
            v[j] = if rests { v_reset[j] } else { v[j] };
        }
    }
}
