//! Whether what was computed is what was recorded.

use super::case::Array;
use super::trouble::{Result, fail};
use serde::Deserialize;

/// How far a number may be off: `|got − want| <= atol + rtol·|want|`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Tolerance {
    pub rtol: f64,
    pub atol: f64,
}

impl Tolerance {
    /// Whether `got` is near enough to `want`. Equal infinities are equal; NaN is near nothing.
    fn accepts(self, got: f64, want: f64) -> bool {
        let near = || (got - want).abs() <= self.atol + self.rtol * want.abs();
        got == want || (got.is_finite() && want.is_finite() && near())
    }
}

/// An array with what was computed in its place.
pub struct Compared<'a> {
    pub name: &'a str,
    pub want: &'a Array,
    pub got: Vec<f64>,
    /// Whether its first axis is the time step.
    pub per_step: bool,
}

/// Compares all arrays of a case. The error names the mismatch that comes first in time.
pub fn compare(arrays: &[Compared<'_>], tolerance: Tolerance) -> Result<()> {
    let mismatches = arrays.iter().filter_map(|array| array.first_mismatch(tolerance));
    // Where several arrays differ in one step, `min_by_key` keeps the one that is listed first.
    match mismatches.min_by_key(|(step, _)| *step) {
        Some((_, text)) => Err(fail(text)),
        None => Ok(()),
    }
}

impl Compared<'_> {
    /// The step and the description of the first mismatch.
    fn first_mismatch(&self, tolerance: Tolerance) -> Option<(usize, String)> {
        let Compared { name, want, got, per_step } = self;
        let shape = want.values.shape();
        if got.len() != want.values.len() {
            return Some((0, format!("{name}: {} values where {shape:?} are wanted", got.len())));
        }
        let allowed = if want.exact { Tolerance::default() } else { tolerance };
        let pairs = got.iter().zip(&want.values);
        let (at, (got, want)) = pairs.enumerate().find(|(_, (got, want))| !allowed.accepts(**got, **want))?;
        let index = unravel(at, shape);
        let (step, text) = match (per_step, &index[..]) {
            (true, [step, index @ ..]) => (*step, format!("step {step}, index {index:?}")),
            _ => (usize::MAX, format!("index {index:?}")),
        };
        Some((step, format!("{name}, {text}: want {want:?}, got {got:?}")))
    }
}

/// The index in each axis of the entry that stands at `at` in row-major order.
fn unravel(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (index, side) in index.iter_mut().zip(shape).rev() {
        *index = at % side;
        at /= side;
    }
    index
}
