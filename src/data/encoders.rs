//! Encoders that draw spikes at random.

use super::DataError;
use conex_systems::Real;
use conex_systems::kernels::math::exp;
use conex_systems::random::Stream;
use conex_systems::stimulus::{Encoder, SpikeTrain};
use rand::RngExt;

/// A spike with the probability intensity · ratio in each step, independent of all others.
///
/// The number of spikes of a neuron is binomial: mean T·p and variance T·p·(1 - p) for p = min(intensity · ratio, 1) and
/// a window of T steps. For small p this is a Poisson process in discrete time.
///
/// | parameter | unit | default | range | meaning |
/// |---|---|---|---|---|
/// | `time_window` | steps | none | at least 1 | duration T of an instance |
/// | `ratio` | spikes per step | none | at least 0 | rate of a neuron of intensity 1 |
///
/// An intensity of 0 or below never spikes, and p ≥ 1 spikes in every step.
///
/// Source: the standard discretization, as in Dayan & Abbott 2001, *Theoretical Neuroscience*, section 1.4. Unlike
/// CoNeX, where intensity 0 spikes with probability 2⁻²⁴, the comparison with the random number is strict.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimplePoisson {
    time_window: usize,
    ratio: Real,
}

impl SimplePoisson {
    /// Spikes over `time_window` steps, with the probability intensity · `ratio` in each.
    ///
    /// # Errors
    /// When `time_window` is 0, or `ratio` is negative or not finite.
    pub fn new(time_window: usize, ratio: Real) -> Result<Self, DataError> {
        check_time_window("SimplePoisson", time_window)?;
        check_ratio("SimplePoisson", ratio)?;
        Ok(SimplePoisson { time_window, ratio })
    }
}

impl Encoder for SimplePoisson {
    fn duration(&self) -> usize {
        self.time_window
    }

    fn encode(&self, intensities: &[Real], random: &mut Stream, train: &mut SpikeTrain) {
        // Most pixels of most images are dark: no number is drawn for them.
        let bright: Vec<(u32, Real)> = (0..)
            .zip(intensities)
            .map(|(neuron, intensity)| (neuron, intensity * self.ratio))
            .filter(|&(_, probability)| probability > 0.0)
            .collect();
        for step in &mut train.steps {
            for &(neuron, probability) in &bright {
                if random.random::<Real>() < probability {
                    step.push(neuron);
                }
            }
        }
    }
}

/// Spikes at intervals that are Poisson distributed: intervalₙ = max(1, Nₙ) with Nₙ ~ Poisson(1 / (intensity · ratio)).
///
/// Spike n falls on step interval₁ + ... + intervalₙ - 1, so that an interval of 1 puts the first spike into step 0; what
/// falls behind the window is dropped.
///
/// | parameter | unit | default | range | meaning |
/// |---|---|---|---|---|
/// | `time_window` | steps | none | at least 1 | duration T of an instance |
/// | `ratio` | spikes per step | none | at least 0 | rate of a neuron of intensity 1, below about 1/2 |
///
/// An intensity of 0 or below never spikes. With intensity · ratio above 1 most intervals are 1.
///
/// The name is CoNeX's, and so are the numbers: this is *not* a Poisson process, whose intervals would be exponential.
/// The train is more regular (the coefficient of variation of its intervals is √(intensity · ratio), not 1), and a weak
/// input stays silent for about its first whole interval. For a Poisson process take [`SimplePoisson`] with a small
/// ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Poisson {
    time_window: usize,
    ratio: Real,
}

impl Poisson {
    /// Spikes over `time_window` steps, at intervals of 1 / (intensity · `ratio`) steps in the mean.
    ///
    /// # Errors
    /// When `time_window` is 0, or `ratio` is negative or not finite.
    pub fn new(time_window: usize, ratio: Real) -> Result<Self, DataError> {
        check_time_window("Poisson", time_window)?;
        check_ratio("Poisson", ratio)?;
        Ok(Poisson { time_window, ratio })
    }
}

impl Encoder for Poisson {
    fn duration(&self) -> usize {
        self.time_window
    }

    fn encode(&self, intensities: &[Real], random: &mut Stream, train: &mut SpikeTrain) {
        let steps = train.steps.len();
        for (neuron, &intensity) in (0..).zip(intensities) {
            let rate = f64::from(intensity) * f64::from(self.ratio);
            if rate > 0.0 {
                // Steps that are over when the next interval begins.
                let mut over = poisson(1.0 / rate, steps, random).max(1);
                while over <= steps {
                    train.steps[over - 1].push(neuron);
                    over += poisson(1.0 / rate, steps - over, random).max(1);
                }
            }
        }
    }
}

/// A number from the Poisson distribution, or any number above `most` where it would be above `most`: the window is
/// over then, and a faint pixel with a mean interval of millions costs no more than the window is long.
fn poisson(mean: f64, most: usize, random: &mut Stream) -> usize {
    // A sum of Poisson numbers is Poisson distributed; parts keep e^-mean far from underflow in single precision.
    const PART: f64 = 64.0;
    let (mut rest, mut number) = (mean, 0);
    while rest > 0.0 && number <= most {
        number += poisson_part(rest.min(PART), most - number, random);
        rest -= PART;
    }
    number
}

/// By inversion: the least k whose cumulative probability exceeds a uniform number, but no more than `most` + 1.
fn poisson_part(mean: f64, most: usize, random: &mut Stream) -> usize {
    let uniform: f64 = random.random();
    let mut probability = f64::from(exp(-(mean as Real)));
    let mut cumulative = probability;
    let mut k = 0;
    while uniform >= cumulative && k <= most {
        k += 1;
        probability *= mean / k as f64;
        cumulative += probability;
    }
    k
}

pub(super) fn check_time_window(encoder: &'static str, time_window: usize) -> Result<(), DataError> {
    check(encoder, "time_window", time_window as f64, time_window > 0, "at least 1 step")
}

fn check_ratio(encoder: &'static str, ratio: Real) -> Result<(), DataError> {
    let requirement = "a finite number that is not negative";
    check(encoder, "ratio", f64::from(ratio), ratio.is_finite() && ratio >= 0.0, requirement)
}

pub(super) fn check(
    of: &'static str,
    parameter: &'static str,
    value: f64,
    fits: bool,
    requirement: &'static str,
) -> Result<(), DataError> {
    if fits { Ok(()) } else { Err(DataError::Parameter { of, parameter, value, requirement }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use conex_systems::random::Seed;

    const NEURONS: usize = 20_000;

    /// The train of many neurons of one intensity.
    fn train(encoder: &dyn Encoder, intensity: Real, part: u64) -> SpikeTrain {
        let mut train = SpikeTrain::default();
        train.clear(encoder.duration());
        encoder.encode(&vec![intensity; NEURONS], &mut Seed(1).stream("test", "encoder", part), &mut train);
        train
    }

    fn spikes_per_neuron(train: &SpikeTrain) -> Vec<usize> {
        let mut counts = vec![0; NEURONS];
        train.steps.iter().flatten().for_each(|&neuron| counts[neuron as usize] += 1);
        counts
    }

    /// Whether `hits` of NEURONS agree with a probability within 4 standard errors.
    fn agrees(hits: usize, probability: f64) -> bool {
        let n = NEURONS as f64;
        (hits as f64 / n - probability).abs() <= 4.0 * (probability * (1.0 - probability) / n).sqrt() + 1e-9
    }

    #[test]
    fn each_step_of_simple_poisson_spikes_with_intensity_times_ratio() {
        let train = train(&SimplePoisson::new(10, 0.5).unwrap(), 0.3, 0);
        for step in &train.steps {
            assert!(agrees(step.len(), 0.15), "{}", step.len());
            assert!(step.is_sorted());
        }
        let silent = spikes_per_neuron(&train).iter().filter(|&&count| count == 0).count();
        assert!(agrees(silent, 0.85_f64.powi(10)), "{silent}");
    }

    #[test]
    fn darkness_never_spikes_and_probability_one_always_does() {
        for (part, intensity) in [0.0, -1.0, Real::NAN].into_iter().enumerate() {
            for encoder in
                [&SimplePoisson::new(50, 1.0).unwrap() as &dyn Encoder, &Poisson::new(50, 1.0).unwrap()]
            {
                assert!(train(encoder, intensity, part as u64).steps.iter().all(Vec::is_empty));
            }
        }
        let full = train(&SimplePoisson::new(5, 1.0).unwrap(), 1.0, 0);
        assert!(full.steps.iter().all(|step| step.len() == NEURONS));
        let full = train(&Poisson::new(5, 1e30).unwrap(), 1e30, 0);
        assert!(full.steps.iter().all(|step| step.len() == NEURONS));
    }

    #[test]
    fn the_first_interval_of_poisson_counts_from_the_step_before_the_window() {
        // Step 0 spikes when Poisson(λ) gives 0 or 1: e^-λ (1 + λ). Step 1 when it gives 2, or 1 twice (0 counts as 1).
        for (part, (rate, mean)) in [(0.5, 2.0), (0.25, 4.0), (1.0, 1.0)].into_iter().enumerate() {
            let train = train(&Poisson::new(30, rate).unwrap(), 1.0, part as u64);
            let none = f64::from(exp(-mean as Real));
            let one = none * (1.0 + mean);
            assert!(agrees(train.steps[0].len(), one), "{rate}: {}", train.steps[0].len());
            assert!(agrees(train.steps[1].len(), none * mean * mean / 2.0 + one * one));
            assert!(train.steps.iter().all(|step| step.is_sorted()));
        }
    }

    #[test]
    fn a_long_mean_interval_has_its_mean_and_variance() {
        // One interval of mean 300, drawn in parts; a window of 1000 cuts none.
        let mut random = Seed(2).stream("test", "interval", 0);
        let draws: Vec<f64> = (0..NEURONS).map(|_| poisson(300.0, 1000, &mut random) as f64).collect();
        let mean = draws.iter().sum::<f64>() / NEURONS as f64;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / NEURONS as f64;
        assert!((mean - 300.0).abs() < 4.0 * (300.0 / NEURONS as f64).sqrt(), "{mean}");
        assert!((variance / 300.0 - 1.0).abs() < 4.0 * (2.0 / NEURONS as f64).sqrt(), "{variance}");
        for mean in [1e9, 1e300, f64::INFINITY] {
            assert!(poisson(mean, 1000, &mut random) > 1000);
        }
    }

    #[test]
    fn parameters_out_of_range_are_refused_by_name() {
        let error = Poisson::new(0, 0.5).unwrap_err().to_string();
        assert_eq!(error, "Poisson got 0 for `time_window`: it must be at least 1 step");
        for ratio in [-0.1, Real::NAN, Real::INFINITY] {
            assert!(Poisson::new(10, ratio).unwrap_err().to_string().contains("`ratio`"));
            assert!(SimplePoisson::new(10, ratio).is_err());
        }
    }
}
