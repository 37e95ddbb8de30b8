//! What synapses miss that wait for dopamine.

use super::simd;

simd! {
    /// One more step of dopamine for each step at which synapses began to wait: of their eligibility the part `kept` is left,
    /// dopamine has brought `sum` times what it was then, and never more than `most` nor less than `least` times that.
    pub fn pass_dopamine(kept: &mut [f64], sum: &mut [f64], most: &mut [f64], least: &mut [f64], keep: f64, dopamine: f64) {
        let n = kept.len();
        let (sum, most, least) = (&mut sum[..n], &mut most[..n], &mut least[..n]);
        for s in 0..n {
            kept[s] *= keep;
            sum[s] += kept[s] * dopamine;
            most[s] = if sum[s] > most[s] { sum[s] } else { most[s] };
            least[s] = if sum[s] < least[s] { sum[s] } else { least[s] };
        }
    }
}
