//! The encoder that turns strength into earliness.

use super::DataError;
use super::encoders::{check, check_time_window};
use conex_systems::Real;
use conex_systems::random::Stream;
use conex_systems::stimulus::{Encoder, SpikeTrain};

/// One spike per pixel, the stronger the sooner.
///
/// With x = intensity - `min_val` and the range r = `max_val` - `min_val`, a pixel spikes in the step
///
/// ```text
/// T - 1 - ceil(x / r · (T - 1)),    T = time_window
/// ```
///
/// unless its intensity is below the threshold. Trimming stretches the range in use to the whole window:
///
/// * `lower_trim`: with m the least x that is not below the threshold, x - m and r - m stand for x and r, so that the
///   weakest pixel that spikes does so in the last step;
/// * `higher_trim`: the greatest x (after the lower trim) stands for r, so that the strongest pixel spikes in step 0.
///
/// | parameter | unit | default | meaning |
/// |---|---|---|---|
/// | `time_window` | steps | none | duration T of an instance, at least 1 |
/// | `threshold` | intensity | `min_val` | weaker pixels never spike; equal ones do |
/// | `sparsity` | 1 | none | share of the pixels, within \[0, 1\], that spikes: the threshold is the (1 - `sparsity`) quantile of each image, interpolated linearly, whatever `threshold` says |
/// | `min_val`, `max_val` | intensity | 0, 1 | range of the intensities |
/// | `lower_trim`, `higher_trim` | | true | whether to trim |
///
/// Intensities above `max_val` count as `max_val`, unless `higher_trim` stretches the range; intensities more than a
/// level below `min_val` never spike, even above a lower threshold. When all that spikes has the same intensity, it does
/// so in the last step after a lower trim, but in step 0 if it is `max_val`. With sparsity, equal pixels at the quantile
/// all spike. Nothing is random, but a pixel
/// that lies on a level to the last digit may come a step sooner by rounding.
///
/// Source: Thorpe, Delorme & Van Rullen 2001, doi 10.1016/S0893-6080(01)00083-1. CoNeX changes the caller's image and
/// fails above `max_val`; this does neither.
///
/// ```
/// use conex::data::Intensity2Latency;
/// # fn main() -> Result<(), conex::data::DataError> {
/// let encoder = Intensity2Latency::new(5)?.threshold(0.25)?;
/// assert_eq!(encoder.latencies(&[0.1, 0.25, 0.5, 1.0]), [None, Some(4), Some(2), Some(0)]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Intensity2Latency {
    time_window: usize,
    threshold: Option<Real>,
    sparsity: Option<Real>,
    min_val: Real,
    max_val: Real,
    lower_trim: bool,
    higher_trim: bool,
}

const NAME: &str = "Intensity2Latency";

impl Intensity2Latency {
    /// Spikes over `time_window` steps for intensities from 0 to 1, with both trims.
    ///
    /// # Errors
    /// When `time_window` is 0.
    pub fn new(time_window: usize) -> Result<Self, DataError> {
        check_time_window(NAME, time_window)?;
        Ok(Intensity2Latency {
            time_window,
            threshold: None,
            sparsity: None,
            min_val: 0.0,
            max_val: 1.0,
            lower_trim: true,
            higher_trim: true,
        })
    }

    /// Silences pixels below `threshold`.
    ///
    /// # Errors
    /// When it is not finite.
    pub fn threshold(mut self, threshold: Real) -> Result<Self, DataError> {
        check(NAME, "threshold", f64::from(threshold), threshold.is_finite(), "a finite number")?;
        self.threshold = Some(threshold);
        Ok(self)
    }

    /// Lets the strongest pixels spike, a share of `sparsity` of each image.
    ///
    /// # Errors
    /// When it is not within \[0, 1\].
    pub fn sparsity(mut self, sparsity: Real) -> Result<Self, DataError> {
        check(NAME, "sparsity", f64::from(sparsity), (0.0..=1.0).contains(&sparsity), "from 0 to 1")?;
        self.sparsity = Some(sparsity);
        Ok(self)
    }

    /// Takes intensities from `min_val` to `max_val`.
    ///
    /// # Errors
    /// When one of them is not finite, or `min_val` is not below `max_val`.
    pub fn range(mut self, min_val: Real, max_val: Real) -> Result<Self, DataError> {
        if !(min_val < max_val && (max_val - min_val).is_finite()) {
            let (min_val, max_val) = (f64::from(min_val), f64::from(max_val));
            return Err(DataError::EncoderRange { encoder: NAME, min_val, max_val });
        }
        (self.min_val, self.max_val) = (min_val, max_val);
        Ok(self)
    }

    /// Whether the weakest pixel that spikes does so in the last step.
    #[must_use]
    pub fn lower_trim(mut self, trim: bool) -> Self {
        self.lower_trim = trim;
        self
    }

    /// Whether the strongest pixel spikes in step 0.
    #[must_use]
    pub fn higher_trim(mut self, trim: bool) -> Self {
        self.higher_trim = trim;
        self
    }

    /// The step in which each pixel spikes, if it does.
    pub fn latencies(&self, intensities: &[Real]) -> Vec<Option<usize>> {
        let threshold = match self.sparsity {
            Some(sparsity) => quantile(intensities, 1.0 - f64::from(sparsity)),
            None => self.threshold.unwrap_or(self.min_val),
        };
        let above = |x: &Real| *x >= threshold && x.is_finite();
        let ceiling = if self.higher_trim { Real::INFINITY } else { self.max_val };
        let strength = |x: Real| x.min(ceiling) - self.min_val;

        let strengths = || intensities.iter().copied().filter(above).map(strength);
        let least = if self.lower_trim { strengths().reduce(Real::min).unwrap_or(0.0) } else { 0.0 };
        let greatest = strengths().reduce(Real::max).unwrap_or(0.0) - least;
        let range =
            if self.higher_trim && greatest > 0.0 { greatest } else { self.max_val - self.min_val - least };

        let last = self.time_window - 1;
        let level = |x: Real| {
            // Without a range all pixels that spike are as strong as `max_val`.
            let level = if range > 0.0 { ((x - least) / range * last as Real).ceil() } else { last as Real };
            // The strongest pixel may be rounded above the top level.
            (level >= 0.0).then_some(last - (level as usize).min(last))
        };
        intensities.iter().map(|x| if above(x) { level(strength(*x)) } else { None }).collect()
    }
}

impl Encoder for Intensity2Latency {
    fn duration(&self) -> usize {
        self.time_window
    }

    fn encode(&self, intensities: &[Real], _: &mut Stream, train: &mut SpikeTrain) {
        for (neuron, latency) in (0..).zip(self.latencies(intensities)) {
            if let Some(step) = latency.and_then(|step| train.steps.get_mut(step)) {
                step.push(neuron);
            }
        }
    }
}

/// The value below which the share `q` of `values` lies, interpolated linearly between neighbours.
fn quantile(values: &[Real], q: f64) -> Real {
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    // A rank that is whole but for rounding means the very value of that rank, which then is not below the threshold.
    let rank = q * last as f64;
    let slack = f64::from(Real::EPSILON) * values.len() as f64;
    let rank = if (rank - rank.round()).abs() <= slack { rank.round() } else { rank };
    let lower = (rank as usize).min(last);
    let mut values = values.to_vec();
    let (_, &mut low, above) = values.select_nth_unstable_by(lower, Real::total_cmp);
    let high = above.iter().copied().min_by(Real::total_cmp).unwrap_or(low);
    low + (high - low) * (rank - lower as f64) as Real
}

#[cfg(test)]
mod tests {
    use super::*;
    use conex_systems::random::Seed;

    fn plain(time_window: usize) -> Intensity2Latency {
        Intensity2Latency::new(time_window).unwrap().lower_trim(false).higher_trim(false)
    }

    #[test]
    fn stronger_pixels_spike_sooner_and_zero_in_the_last_step() {
        let latencies = plain(11).latencies(&[0.0, 0.01, 0.5, 0.51, 1.0]);
        assert_eq!(latencies, [Some(10), Some(9), Some(5), Some(4), Some(0)]);
    }

    #[test]
    fn trims_stretch_the_used_range_to_the_window() {
        let image = [0.4, 0.5, 0.6];
        assert_eq!(plain(5).lower_trim(true).latencies(&image), [Some(4), Some(3), Some(2)]);
        assert_eq!(plain(5).higher_trim(true).latencies(&image), [Some(1), Some(0), Some(0)]);
        assert_eq!(Intensity2Latency::new(5).unwrap().latencies(&image), [Some(4), Some(2), Some(0)]);
    }

    #[test]
    fn only_pixels_from_the_threshold_up_spike() {
        let image = [0.1, 0.25, 0.5, 0.75];
        let encoder = plain(5).threshold(0.25).unwrap();
        assert_eq!(encoder.latencies(&image), [None, Some(3), Some(2), Some(1)]);
        // The quantile goes before the threshold: the upper half of four values.
        let sparse = encoder.sparsity(0.5).unwrap();
        assert_eq!(sparse.latencies(&image), [None, None, Some(2), Some(1)]);
        assert_eq!(plain(5).threshold(2.0).unwrap().latencies(&image), [None; 4]);
    }

    #[test]
    fn sparsity_is_the_share_that_spikes() {
        let image: Vec<Real> = (0..101).map(|i| ((i * 37) % 101) as Real).collect();
        for share in [0.0, 0.1, 0.3, 0.7, 0.9, 1.0] {
            let encoder = plain(20).range(0.0, 100.0).unwrap().sparsity(share).unwrap();
            let spikes = encoder.latencies(&image).iter().flatten().count();
            assert_eq!(spikes, (share * 100.0).round() as usize + 1, "{share}");
        }
        assert_eq!(quantile(&[4.0, 1.0, 2.0], 0.75), 3.0);
    }

    #[test]
    fn values_out_of_range_are_clamped_or_silent_and_never_panic() {
        assert_eq!(plain(5).latencies(&[-0.1, 1.0, 3.0]), [None, Some(0), Some(0)]);
        let low = plain(5).threshold(-9.0).unwrap();
        assert_eq!(low.latencies(&[-1.0, 0.0]), [None, Some(4)]);
        let (nan, infinite) = (Real::NAN, Real::INFINITY);
        assert_eq!(plain(5).latencies(&[nan, infinite, -infinite, 0.5]), [None, None, None, Some(2)]);
        let trimmed = Intensity2Latency::new(5).unwrap();
        assert_eq!(trimmed.latencies(&[1.0, 1.0]), [Some(0); 2]);
        assert_eq!(trimmed.latencies(&[2.0, 2.0]), [Some(0); 2]);
        assert_eq!(trimmed.latencies(&[0.3, 0.3]), [Some(4); 2]);
        assert_eq!(trimmed.sparsity(0.5).unwrap().latencies(&[]), []);
        assert_eq!(Intensity2Latency::new(1).unwrap().latencies(&[0.2, 0.9]), [Some(0); 2]);
    }

    #[test]
    fn the_train_holds_each_pixel_in_its_step() {
        let mut train = SpikeTrain::default();
        train.clear(3);
        plain(3).encode(&[1.0, 0.5, 1.0, 0.0], &mut Seed(1).stream("test", "", 0), &mut train);
        assert_eq!(train.steps, [vec![0, 2], vec![1], vec![3]]);
    }

    #[test]
    fn parameters_out_of_range_are_refused_by_name() {
        assert!(Intensity2Latency::new(0).unwrap_err().to_string().contains("`time_window`"));
        assert!(plain(5).sparsity(1.5).unwrap_err().to_string().contains("1.5 for `sparsity`"));
        assert!(plain(5).sparsity(Real::NAN).is_err() && plain(5).threshold(Real::NAN).is_err());
        assert!(plain(5).range(1.0, 1.0).unwrap_err().to_string().contains("1 to 1"));
        assert!(plain(5).range(0.0, Real::INFINITY).is_err() && plain(5).range(Real::NAN, 1.0).is_err());
    }
}
