//! Filters that see as the retina and the primary visual cortex do.

use super::DataError;
use super::arrays::check_values;
use super::encoders::check;
use conex_systems::{Real, setters};
use libm::{cos, exp, sin};
use ndarray::{Array2, Array4, Axis};
use std::f64::consts::{PI, TAU};

/// A difference of two Gaussians: the centre and surround of a ganglion cell of the retina.
///
/// ```text
/// f(x, y) = (exp(-(x² + y²) / 2σ₁²) / σ₁ - exp(-(x² + y²) / 2σ₂²) / σ₂) / √(2π)
/// ```
///
/// | parameter | unit | default | range | meaning |
/// |---|---|---|---|---|
/// | `size` | pixels | 7 | at least 1 | side of the square that the filter sees |
/// | `sigma_1` | pixels | 1 | above 0 | width of the Gaussian that is added |
/// | `sigma_2` | pixels | 2 | above 0 | width of the Gaussian that is taken away |
/// | `step` | pixels | 1 | above 0 | distance from one value to the next |
/// | `zero_mean` | | false | | scales the negative values so that the sum is 0 |
/// | `one_sum` | | false | | then divides by the sum of absolute values, so that no input within \[-1, 1\] gives more than 1 |
///
/// With σ₁ < σ₂ the centre is on, with σ₁ > σ₂ it is off.
///
/// # Shapes
/// [`values`](Self::values) gives a square with round((size - 1) / step) + 1 values along each side, centred on 0: rows are
/// x, columns y. With the default step that is size x size.
///
/// Source: Rodieck 1965, doi 10.1016/0042-6989(65)90033-7; defaults as in Kheradpisheh et al. 2018, doi
/// 10.1016/j.neunet.2017.12.005. As in CoNeX the Gaussians have the factor 1/σ of one dimension, and `zero_mean` can do
/// nothing for a filter without negative values, and gives zeros for one without positive values. Unlike there, a step that
/// does not divide `size` - 1 leaves the filter centred, and zeros stay zeros under `one_sum`.
///
/// ```
/// use conex::data::DogFilter;
/// # fn main() -> Result<(), conex::data::DataError> {
/// let on_centre = DogFilter::default().size(5usize).zero_mean(true).values()?;
/// assert_eq!(on_centre.dim(), (5, 5));
/// assert!(on_centre[[2, 2]] > 0.0 && on_centre[[0, 2]] < 0.0);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "DoGFilter")]
#[doc(alias = "difference of Gaussians")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DogFilter {
    /// Side of the square that the filter sees (pixels).
    pub size: usize,
    /// Width of the Gaussian that is added (pixels).
    pub sigma_1: Real,
    /// Width of the Gaussian that is taken away (pixels).
    pub sigma_2: Real,
    /// Distance from one value to the next (pixels).
    pub step: Real,
    /// Whether the negative values are scaled so that the sum is 0.
    pub zero_mean: bool,
    /// Whether the values are divided by the sum of their absolute values.
    pub one_sum: bool,
}

setters!(DogFilter { size: usize, sigma_1: Real, sigma_2: Real, step: Real, zero_mean: bool, one_sum: bool });

impl Default for DogFilter {
    fn default() -> Self {
        DogFilter { size: 7, sigma_1: 1.0, sigma_2: 2.0, step: 1.0, zero_mean: false, one_sum: false }
    }
}

impl DogFilter {
    /// The filter.
    ///
    /// # Errors
    /// When a parameter is out of range, or `step` is so small that there were more than 4,096 values along a side.
    pub fn values(&self) -> Result<Array2<Real>, DataError> {
        const NAME: &str = "DogFilter";
        check_positive(NAME, "sigma_1", self.sigma_1)?;
        check_positive(NAME, "sigma_2", self.sigma_2)?;
        let axis = axis(NAME, self.size, self.step)?;
        let gaussian = |sigma: Real, x: f64, y: f64| {
            let sigma = f64::from(sigma);
            let (x, y) = (x / sigma, y / sigma);
            exp(-(x * x + y * y) / 2.0) / sigma
        };
        let dog = |x, y| (gaussian(self.sigma_1, x, y) - gaussian(self.sigma_2, x, y)) / TAU.sqrt();
        Ok(scaled(over(&axis, dog), self.zero_mean, self.one_sum))
    }
}

/// A wave under a Gaussian: the receptive field of a simple cell of the primary visual cortex.
///
/// ```text
/// f(x, y) = exp(-(u² + γ²w²) / 2σ²) · cos(2πu / λ),    u = x·cos θ + y·sin θ,    w = -x·sin θ + y·cos θ
/// ```
///
/// | parameter | unit | default | range | meaning |
/// |---|---|---|---|---|
/// | `size` | pixels | 7 | at least 1 | side of the square that the filter sees |
/// | `lambda` | pixels | 3.5 | above 0 | wavelength λ |
/// | `theta` | radians | 0 | | direction θ in which the wave runs; x runs down the rows, so at 0 the bars lie level |
/// | `sigma` | pixels | 2.8 | above 0 | width σ of the Gaussian along the wave |
/// | `gamma` | 1 | 0.3 | at least 0 | aspect ratio γ: the Gaussian is σ/γ wide along the bars |
/// | `step` | pixels | 1 | above 0 | distance from one value to the next |
/// | `zero_mean` | | false | | scales the negative values so that the sum is 0 |
/// | `one_sum` | | false | | then divides by the sum of absolute values, so that no input within \[-1, 1\] gives more than 1 |
///
/// θ and θ + π give the same filter.
///
/// # Shapes
/// [`values`](Self::values) gives a square as [`DogFilter`] does, [`orientations`](Self::orientations) several for a
/// convolution.
///
/// Source: Daugman 1985, doi 10.1364/JOSAA.2.001160; defaults are the finest scale of Serre et al. 2007, doi
/// 10.1109/TPAMI.2007.56. What [`DogFilter`] says of CoNeX holds here too; CoNeX calls `lambda` `labda`.
///
/// ```
/// use conex::data::GaborFilter;
/// # fn main() -> Result<(), conex::data::DataError> {
/// let gabor = GaborFilter { size: 5, lambda: 4.0, sigma: 2.0, zero_mean: true, ..Default::default() };
/// assert_eq!(gabor.values()?.dim(), (5, 5));
/// assert_eq!(gabor.orientations(4)?.dim(), (4, 1, 5, 5));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaborFilter {
    /// Side of the square that the filter sees (pixels).
    pub size: usize,
    /// Wavelength (pixels).
    #[doc(alias = "labda")]
    pub lambda: Real,
    /// Direction in which the wave runs (radians).
    pub theta: Real,
    /// Width of the Gaussian along the wave (pixels).
    pub sigma: Real,
    /// Aspect ratio of the Gaussian.
    pub gamma: Real,
    /// Distance from one value to the next (pixels).
    pub step: Real,
    /// Whether the negative values are scaled so that the sum is 0.
    pub zero_mean: bool,
    /// Whether the values are divided by the sum of their absolute values.
    pub one_sum: bool,
}

setters!(GaborFilter {
    size: usize,
    lambda: Real,
    theta: Real,
    sigma: Real,
    gamma: Real,
    step: Real,
    zero_mean: bool,
    one_sum: bool,
});

impl Default for GaborFilter {
    fn default() -> Self {
        GaborFilter {
            size: 7,
            lambda: 3.5,
            theta: 0.0,
            sigma: 2.8,
            gamma: 0.3,
            step: 1.0,
            zero_mean: false,
            one_sum: false,
        }
    }
}

impl GaborFilter {
    /// The filter.
    ///
    /// # Errors
    /// When a parameter is out of range, or `step` is so small that there were more than 4,096 values along a side.
    pub fn values(&self) -> Result<Array2<Real>, DataError> {
        self.at(f64::from(self.theta))
    }

    /// The filter at `orientations` angles evenly spread over half a turn, from `theta` on.
    ///
    /// # Shapes
    /// (`orientations`, 1, height, width), as [`convolve`](super::convolve) takes it for images of one channel.
    ///
    /// # Errors
    /// As [`values`](Self::values), and when `orientations` is 0.
    pub fn orientations(&self, orientations: usize) -> Result<Array4<Real>, DataError> {
        let turn = |k| f64::from(self.theta) + k as f64 * PI / orientations as f64;
        let filters = (0..orientations).map(|k| self.at(turn(k))).collect::<Result<Vec<_>, _>>()?;
        filter_bank(&filters, 1)
    }

    fn at(&self, theta: f64) -> Result<Array2<Real>, DataError> {
        const NAME: &str = "GaborFilter";
        check_positive(NAME, "lambda", self.lambda)?;
        check_positive(NAME, "sigma", self.sigma)?;
        check(NAME, "theta", theta, theta.is_finite(), "a finite number")?;
        let gamma = f64::from(self.gamma);
        check(
            NAME,
            "gamma",
            gamma,
            gamma.is_finite() && gamma >= 0.0,
            "a finite number that is not negative",
        )?;
        let axis = axis(NAME, self.size, self.step)?;
        let (lambda, sigma) = (f64::from(self.lambda), f64::from(self.sigma));
        let (cos_theta, sin_theta) = (cos(theta), sin(theta));
        let gabor = |x: f64, y: f64| {
            let along = x * cos_theta + y * sin_theta;
            let across = gamma * (-x * sin_theta + y * cos_theta);
            let (u, w) = (along / sigma, across / sigma);
            exp(-(u * u + w * w) / 2.0) * cos(TAU * along / lambda)
        };
        Ok(scaled(over(&axis, gabor), self.zero_mean, self.one_sum))
    }
}

/// Filters of one size as the bank that [`convolve`](super::convolve) takes; each sees all `channels` of an image alike.
///
/// # Shapes
/// `filters`: (height, width) each. Result: (filters, channels, height, width).
///
/// # Errors
/// When there is no filter or no channel, or the filters differ in size.
pub fn filter_bank(filters: &[Array2<Real>], channels: usize) -> Result<Array4<Real>, DataError> {
    let first = filters.first().ok_or(DataError::NoFilter)?.dim();
    check("filter_bank", "channels", channels as f64, channels > 0, "at least 1")?;
    if let Some(other) = filters.iter().find(|filter| filter.dim() != first) {
        return Err(DataError::FilterSizes { first, other: other.dim() });
    }
    check_values("a filter bank", &[filters.len(), channels, first.0, first.1])?;
    let mut bank = Array4::zeros((filters.len(), channels, first.0, first.1));
    for (mut planes, filter) in bank.axis_iter_mut(Axis(0)).zip(filters) {
        planes.assign(filter);
    }
    Ok(bank)
}

/// The places of a filter's values along each side.
fn axis(filter: &'static str, size: usize, step: Real) -> Result<Vec<f64>, DataError> {
    /// Sixteen million values: more than any image has.
    const MOST: f64 = 4096.0;
    check(filter, "size", size as f64, size > 0, "at least 1 pixel")?;
    check_positive(filter, "step", step)?;
    let step = f64::from(step);
    let intervals = ((size - 1) as f64 / step).round();
    check(filter, "step", step, intervals < MOST, "large enough to give at most 4096 values along a side")?;
    Ok((0..=intervals as usize).map(|k| (k as f64 - intervals / 2.0) * step).collect())
}

fn over(axis: &[f64], f: impl Fn(f64, f64) -> f64) -> Array2<f64> {
    Array2::from_shape_fn((axis.len(), axis.len()), |(row, column)| f(axis[row], axis[column]))
}

fn scaled(mut filter: Array2<f64>, zero_mean: bool, one_sum: bool) -> Array2<Real> {
    if zero_mean {
        let positive: f64 = filter.iter().filter(|x| **x > 0.0).sum();
        let negative: f64 = filter.iter().filter(|x| **x < 0.0).sum();
        if negative < 0.0 {
            filter.mapv_inplace(|x| if x < 0.0 { x * (positive / -negative) } else { x });
        }
    }
    if one_sum {
        let total: f64 = filter.iter().map(|x| x.abs()).sum();
        if total > 0.0 {
            filter /= total;
        }
    }
    filter.mapv(|x| x as Real)
}

fn check_positive(filter: &'static str, parameter: &'static str, value: Real) -> Result<(), DataError> {
    check(filter, parameter, f64::from(value), value.is_normal() && value > 0.0, "a finite number above 0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(filter: &Array2<Real>) -> f64 {
        filter.iter().map(|&x| f64::from(x)).sum()
    }

    fn near(a: &Array2<Real>, b: &Array2<Real>) -> bool {
        a.dim() == b.dim() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6)
    }

    #[test]
    fn the_middle_of_a_difference_of_gaussians_is_the_difference_of_their_heights() {
        let filter = DogFilter::default().sigma_1(0.5).sigma_2(2.0).values().unwrap();
        let want = (1.0 / 0.5 - 1.0 / 2.0) / TAU.sqrt();
        assert!((f64::from(filter[[3, 3]]) - want).abs() < 1e-6);
        assert!(near(&filter, &filter.t().to_owned()));
    }

    #[test]
    fn zero_mean_sums_to_zero_and_one_sum_to_one_in_absolute_value() {
        let dog = DogFilter::default().zero_mean(true).one_sum(true);
        let gabor = GaborFilter::default().theta(0.4).zero_mean(true).one_sum(true);
        for filter in [dog.values().unwrap(), dog.sigma_1(3.0).values().unwrap(), gabor.values().unwrap()] {
            assert!(sum(&filter).abs() < 1e-6, "{}", sum(&filter));
            assert!((sum(&filter.abs()) - 1.0).abs() < 1e-6);
        }
        assert!(sum(&DogFilter::default().values().unwrap()).abs() > 0.1);
    }

    #[test]
    fn what_cannot_be_scaled_stays_as_it_is() {
        // Equal Gaussians cancel; a wave longer than the filter has no negative part.
        let nothing = DogFilter::default().sigma_1(2.0).zero_mean(true).one_sum(true).values().unwrap();
        assert!(nothing.iter().all(|&x| x == 0.0));
        let hill = GaborFilter::default().lambda(100.0);
        assert_eq!(hill.values().unwrap(), hill.zero_mean(true).values().unwrap());
    }

    #[test]
    fn a_gabor_filter_turned_by_half_a_turn_is_itself_and_by_a_quarter_its_transpose() {
        let gabor = GaborFilter::default().theta(0.3);
        let turned = |angle: f64| gabor.theta(0.3 + angle as Real).values().unwrap();
        assert!(near(&gabor.values().unwrap(), &turned(PI)));
        let level = GaborFilter::default();
        let upright = level.theta((PI / 2.0) as Real).values().unwrap();
        assert!(near(&level.values().unwrap(), &upright.t().to_owned()));
        assert!(!near(&level.values().unwrap(), &upright));
    }

    #[test]
    fn at_angle_zero_the_wave_runs_down_the_rows() {
        let filter = GaborFilter::default().lambda(4.0).gamma(0.0).values().unwrap();
        for row in filter.rows() {
            assert!(row.iter().all(|x| (x - row[0]).abs() < 1e-6));
        }
        // Half a wave from the middle the sign has changed.
        assert!(filter[[3, 3]] == 1.0 && filter[[5, 3]] < 0.0);
    }

    #[test]
    fn the_filter_stays_centred_when_the_step_does_not_divide_it() {
        for step in [1.0, 0.5, 0.1, 0.7, 4.0] {
            let filter = DogFilter::default().step(step).values().unwrap();
            let mut turned = filter.clone();
            turned.invert_axis(Axis(0));
            turned.invert_axis(Axis(1));
            assert!(near(&filter, &turned), "{step}");
        }
        assert_eq!(DogFilter::default().step(0.1).values().unwrap().dim(), (61, 61));
    }

    #[test]
    fn orientations_are_the_filters_one_by_one() {
        let gabor = GaborFilter::default();
        let bank = gabor.orientations(4).unwrap();
        for k in 0..4 {
            let one = gabor.theta((k as f64 * PI / 4.0) as Real).values().unwrap();
            assert!(near(&bank.index_axis(Axis(0), k).index_axis(Axis(0), 0).to_owned(), &one));
        }
        let bank = filter_bank(&[gabor.values().unwrap()], 3).unwrap();
        assert_eq!(bank.dim(), (1, 3, 7, 7));
        assert_eq!(bank.index_axis(Axis(1), 0), bank.index_axis(Axis(1), 2));
    }

    #[test]
    fn parameters_out_of_range_are_refused_by_name() {
        let message = |filter: Result<Array2<Real>, DataError>| filter.unwrap_err().to_string();
        assert!(message(DogFilter::default().size(0usize).values()).contains("`size`"));
        assert!(message(DogFilter::default().sigma_2(0.0).values()).contains("0 for `sigma_2`"));
        assert!(message(DogFilter::default().step(1e-9).values()).contains("at most 4096"));
        assert!(message(GaborFilter::default().lambda(-1.0).values()).contains("-1 for `lambda`"));
        assert!(message(GaborFilter::default().gamma(Real::NAN).values()).contains("`gamma`"));
        assert!(matches!(GaborFilter::default().orientations(0), Err(DataError::NoFilter)));
        let sizes = [Array2::zeros((3, 3)), Array2::zeros((3, 2))];
        assert!(filter_bank(&sizes, 1).unwrap_err().to_string().contains("3 x 2"));
        assert!(filter_bank(&sizes[..1], 0).unwrap_err().to_string().contains("`channels`"));
    }

    proptest! {
        #[test]
        fn any_filter_in_range_is_finite_and_has_the_promised_size(
            size in 1usize..30, step in 0.2..3.0f64, sigma in 0.01..20.0f64, theta in -10.0..10.0f64
        ) {
            let side = ((size - 1) as f64 / f64::from(step as Real)).round() as usize + 1;
            let dog = DogFilter::default().size(size).step(step as Real).sigma_1(sigma as Real).one_sum(true);
            let gabor = GaborFilter::default().size(size).step(step as Real).sigma(sigma as Real);
            for filter in [dog.values()?, gabor.theta(theta as Real).zero_mean(true).values()?] {
                prop_assert_eq!(filter.dim(), (side, side));
                prop_assert!(filter.iter().all(|x| x.is_finite()));
            }
        }
    }
}
