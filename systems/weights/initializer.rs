//! How weights start.

use super::distribution::{Distribution, Limits};
use crate::Real;
use crate::error::{Error, Result};
use crate::kernels::CHUNK;
use crate::random::{Seed, Stream};
use crate::workers::Workers;
use bevy_ecs::prelude::*;
use ndarray::{Array1, Array2, Array4, ArrayD};
use rand::RngExt;
use serde::{Deserialize, Serialize, Serializer, ser};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// Weights that come ready-made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Given {
    /// Every weight, in row-major order of its shape.
    Dense {
        /// The shape that the kind of connectivity asks for.
        shape: Vec<usize>,
        /// The weights.
        values: Vec<Real>,
    },
    /// Some weights: (source, target, weight), sorted by source, then by target.
    Sparse(Vec<(u32, u32, Real)>),
}

/// How the weights of a projection start: `function(draw) · scale + offset`, held [`within`](Self::within) a range if one
/// is set, or given.
///
/// Given weights are taken as they are: scale, offset, function, range and density do not act on them (as in CoNeX).
///
/// With [`Connections`](crate::connections::Connections) each synapse that the rule draws has a weight; they can be given
/// one a pair of [`Connections::pairs`](crate::connections::Connections::pairs), shape (pairs), and there is no density.
///
/// With a density, [`Sparse`](crate::synaptic_input::sparse::Sparse) makes exactly ⌊pairs·density⌋ distinct synapses, of
/// pre·post pairs (or, with [`NoSelfConnections`](crate::synaptic_input::NoSelfConnections), of those that join two
/// neurons); every other kind keeps each drawn value with that probability and puts 0 for the others, to which function,
/// scale and offset apply too, but no range (as in CoNeX).
///
/// A function is code: an initializer with one cannot be saved.
#[doc(alias = "Weights")]
#[doc(alias = "weight_init")]
#[derive(Component, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct WeightInitializer {
    distribution: Distribution,
    given: Option<(Given, Vec<usize>)>,
    density: Option<f64>,
    scale: Real,
    offset: Real,
    limits: Option<Limits>,
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none", serialize_with = "refuse_function")]
    function: Option<fn(Real) -> Real>,
}

/// Leaving the function out would make other weights of the same file.
fn refuse_function<S: Serializer>(_: &Option<fn(Real) -> Real>, _: S) -> Result<S::Ok, S::Error> {
    Err(ser::Error::custom(
        "a `WeightInitializer` with a function cannot be saved, for a function is code: give the weights themselves, or \
         use a distribution, `scale` and `offset`",
    ))
}

impl Default for WeightInitializer {
    fn default() -> Self {
        let distribution = Distribution::Uniform;
        WeightInitializer {
            distribution,
            given: None,
            density: None,
            scale: 1.0,
            offset: 0.0,
            limits: None,
            function: None,
        }
    }
}

impl WeightInitializer {
    /// All weights are `value`.
    pub fn constant(value: Real) -> Self {
        Self::drawn(Distribution::Constant(value))
    }

    /// All weights are 1.
    pub fn ones() -> Self {
        Self::constant(1.0)
    }

    /// All weights are 0.
    pub fn zeros() -> Self {
        Self::constant(0.0)
    }

    /// Drawn evenly within \[`low`, `high`).
    pub fn uniform(low: Real, high: Real) -> Self {
        Self::drawn(Distribution::Between { low, high })
    }

    /// Drawn from a normal distribution.
    pub fn normal(mean: Real, std: Real) -> Self {
        Self::drawn(Distribution::Normal { mean, std })
    }

    /// Drawn from a log-normal distribution: their logarithm has the mean `mu` and the standard deviation `sigma`.
    pub fn lognormal(mu: Real, sigma: Real) -> Self {
        Self::drawn(Distribution::LogNormal { mu, sigma })
    }

    /// Drawn from `distribution`.
    pub fn drawn(distribution: Distribution) -> Self {
        WeightInitializer { distribution, ..Default::default() }
    }

    /// One given weight a neuron, shape (n), for one-to-one projections; one given weight a pair, for given pairs.
    pub fn vector(weights: Array1<Real>) -> Self {
        Self::dense(vec![weights.len()], weights.into_iter().collect())
    }

    /// Given weights of shape (pre, post).
    pub fn matrix(weights: Array2<Real>) -> Self {
        Self::dense(weights.shape().to_vec(), weights.into_iter().collect())
    }

    /// Given kernels of shape (out channels, in channels, height, width).
    pub fn kernels(weights: Array4<Real>) -> Self {
        Self::dense(weights.shape().to_vec(), weights.into_iter().collect())
    }

    /// Given weights of any shape.
    pub fn array(weights: ArrayD<Real>) -> Self {
        Self::dense(weights.shape().to_vec(), weights.into_iter().collect())
    }

    /// Given weights of any shape, in row-major order.
    pub fn dense(shape: Vec<usize>, values: Vec<Real>) -> Self {
        let given = Given::Dense { shape: shape.clone(), values };
        WeightInitializer { given: Some((given, shape)), ..Default::default() }
    }

    /// Given sparse weights of shape (pre, post).
    pub fn sparse(weights: &sprs::CsMat<Real>) -> Self {
        let by_row = weights.to_csr();
        let triplets = by_row.iter().map(|(&w, (i, j))| (i as u32, j as u32, w)).collect();
        let shape = vec![weights.rows(), weights.cols()];
        WeightInitializer { given: Some((Given::Sparse(triplets), shape)), ..Default::default() }
    }

    /// The share of all pairs that has a synapse, within \[0, 1\]. Default: all.
    #[must_use]
    pub fn density(mut self, density: f64) -> Self {
        self.density = Some(density);
        self
    }

    /// Multiplies each draw. Default 1.
    #[must_use]
    pub fn scale(mut self, scale: Real) -> Self {
        self.scale = scale;
        self
    }

    /// Is added to each draw, after scaling. Default 0.
    #[must_use]
    pub fn offset(mut self, offset: Real) -> Self {
        self.offset = offset;
        self
    }

    /// Is applied to each draw, before scaling.
    #[must_use]
    pub fn function(mut self, function: fn(Real) -> Real) -> Self {
        self.function = Some(function);
        self
    }

    /// Draws each weight anew until it lies within `min ..= max`, as it is after function, scale and offset.
    #[must_use]
    pub fn within(mut self, min: Real, max: Real) -> Self {
        self.limits = Some(Limits::Redrawn { min, max });
        self
    }

    /// Puts each weight beyond `min ..= max` to the nearer end, as it is after function, scale and offset.
    #[must_use]
    pub fn clipped(mut self, min: Real, max: Real) -> Self {
        self.limits = Some(Limits::Clipped { min, max });
        self
    }

    /// The given weights, if they are not drawn.
    pub fn given(&self) -> Option<&Given> {
        self.given.as_ref().map(|(given, _)| given)
    }

    /// The shape of the given weights.
    pub fn given_shape(&self) -> Option<Vec<usize>> {
        self.given.as_ref().map(|(_, shape)| shape.clone())
    }

    /// The density, 1 if none was set.
    pub fn density_or_one(&self) -> f64 {
        self.density.unwrap_or(1.0).clamp(0.0, 1.0)
    }

    /// Checks the numbers of this initializer.
    ///
    /// # Errors
    /// A density outside \[0, 1\], a distribution, scale or offset that is not finite, a range without numbers, given
    /// values that do not fill their shape, sparse ones that are unsorted, double or beyond it.
    pub(crate) fn check(&self, projection: &str) -> Result<()> {
        let fault =
            |parameter, value, requirement: &str| Err(Self::fault(projection, parameter, value, requirement));
        if let Some(density) = self.density.filter(|d| !(0.0..=1.0).contains(d)) {
            return fault("density", density, "within 0 and 1");
        }
        if let Some((parameter, value, requirement)) = self.distribution.fault() {
            return fault(parameter, f64::from(value), requirement);
        }
        for (parameter, value) in [("scale", self.scale), ("offset", self.offset)] {
            if !value.is_finite() {
                return fault(parameter, f64::from(value), "a finite number");
            }
        }
        if let Some((parameter, value, requirement)) = self.limits.and_then(Limits::fault) {
            return fault(parameter, f64::from(value), &requirement);
        }
        let misshapen = |expected: String, given: String| {
            let (projection, connectivity) = (projection.to_string(), "given weights");
            Err(Error::WeightShape { projection, connectivity, expected, given })
        };
        match self.given.as_ref() {
            Some((Given::Dense { values, .. }, shape)) => {
                let places = shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side));
                if places != Some(values.len()) {
                    return misshapen(format!("{shape:?}"), format!("{} values", values.len()));
                }
            }
            Some((Given::Sparse(triplets), shape)) => {
                let inside = |&(i, j, _): &(u32, u32, Real)| matches!(shape[..], [pre, post] if (i as usize) < pre && (j as usize) < post);
                let sorted = triplets.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1));
                if !sorted || !triplets.iter().all(inside) {
                    let expected = format!("{shape:?}, sorted by source and then by target, each pair once");
                    return misshapen(expected, format!("{} others", triplets.len()));
                }
            }
            None => {}
        }
        Ok(())
    }

    /// One draw, after function, scale and offset; none if the limits are never met.
    #[inline]
    pub(crate) fn draw(&self, random: &mut Stream) -> Option<Real> {
        Limits::hold(self.limits, || self.shaped(self.distribution.draw(random)))
    }

    /// Replaces `weights` by `n` draws. Says whether the limits could be met.
    pub(crate) fn draw_all(&self, n: usize, random: &mut Stream, weights: &mut Vec<Real>) -> bool {
        let mut draw = self.distribution.blocks(random);
        Limits::hold_all(self.limits, n, weights, |block| {
            draw(block);
            block.iter_mut().for_each(|w| *w = self.shaped(*w));
        })
    }

    #[inline]
    fn shaped(&self, drawn: Real) -> Real {
        self.function.map_or(drawn, |f| f(drawn)) * self.scale + self.offset
    }

    /// The largest magnitude that a draw can have, where that is known: 9 standard deviations count as all of a normal
    /// distribution (a draw beyond has a probability of 10^-19).
    pub(crate) fn largest(&self) -> Option<f64> {
        let ends = match (self.function, self.distribution) {
            (Some(_), _) | (None, Distribution::LogNormal { .. }) => None,
            (None, Distribution::Constant(x)) => Some((x, x)),
            (None, Distribution::Uniform) => Some((0.0, 1.0)),
            (None, Distribution::Between { low, high }) => Some((low, high)),
            (None, Distribution::Normal { mean, std }) => Some((mean - 9.0 * std, mean + 9.0 * std)),
        };
        let scaled = ends.map(|(a, b)| {
            let (a, b) = (a * self.scale + self.offset, b * self.scale + self.offset);
            (a.min(b), a.max(b))
        });
        let held = match (scaled, self.limits.map(Limits::range)) {
            (Some((a, b)), Some((min, max))) => Some((a.clamp(min, max), b.clamp(min, max))),
            (None, Some((min, max))) if min.is_finite() && max.is_finite() && max < Real::MAX => {
                Some((min, max))
            }
            (scaled, _) => scaled,
        };
        held.map(|(a, b)| f64::from(a).abs().max(f64::from(b).abs()))
    }

    fn fault(projection: &str, parameter: &str, value: f64, requirement: &str) -> Error {
        let (group, behaviour) = (projection.to_string(), "WeightInitializer".to_string());
        let (parameter, requirement) = (parameter.to_string(), requirement.to_string());
        Error::ParameterRange { group, behaviour, parameter, value, requirement }
    }

    /// The error that the range is never met.
    pub(crate) fn missed(&self, projection: &str) -> Error {
        let (parameter, value, requirement) = Limits::missed(self.limits);
        Self::fault(projection, parameter, value, &requirement)
    }

    /// Writes the starting weights of `projection` into `values`, each chunk from a stream of its own. Given ones stand
    /// there already where synapses are `structural`.
    ///
    /// With `structural` density the synapses that are stored are the share that was asked for, and all are drawn.
    ///
    /// # Errors
    /// A range that no draw comes to lie in.
    pub(super) fn fill(
        &self,
        projection: &str,
        seed: Seed,
        structural: bool,
        values: &mut [Real],
        workers: &Workers,
    ) -> Result<()> {
        match self.given() {
            Some(Given::Dense { values: given, .. }) if !structural && given.len() == values.len() => {
                values.copy_from_slice(given);
                return Ok(());
            }
            Some(_) => return Ok(()),
            None => {}
        }
        let keep = self.density.filter(|_| !structural);
        let streams = seed.streams("weights", projection);
        let missed = AtomicBool::new(false);
        workers.each(values.len() * 5, values.chunks_mut(CHUNK).enumerate(), |(k, chunk)| {
            let mut random = streams.part(k as u64);
            for w in chunk {
                let Some(drawn) = self.draw(&mut random) else {
                    return missed.store(true, Ordering::Relaxed);
                };
                let kept = keep.is_none_or(|p| random.random_bool(p));
                *w = if kept { drawn } else { self.shaped(0.0) };
            }
        });
        if missed.into_inner() { Err(self.missed(projection)) } else { Ok(()) }
    }
}

impl fmt::Debug for WeightInitializer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(shape) = self.given_shape() {
            return write!(f, "WeightInitializer {{ given, shape: {shape:?} }}");
        }
        write!(f, "WeightInitializer {{ {:?}", self.distribution)?;
        if self.function.is_some() {
            write!(f, ", function")?;
        }
        write!(f, ", scale: {}, offset: {}", self.scale, self.offset)?;
        self.limits.map_or(Ok(()), |l| write!(f, ", {l:?}"))?;
        self.density.map_or(Ok(()), |d| write!(f, ", density: {d}"))?;
        write!(f, " }}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_initializer_comes_back_from_its_value_as_it_was() {
        for initializer in [
            WeightInitializer::uniform(0.25, 0.75).density(0.1).scale(2.0).offset(-1.0).within(0.0, 1.0),
            WeightInitializer::normal(0.5, 0.1).clipped(0.0, 1.0),
            WeightInitializer::lognormal(-1.0, 0.5),
            WeightInitializer::dense(vec![2, 1], vec![0.5, 0.25]),
        ] {
            let text = serde_json::to_string(&initializer).expect("saved");
            let back: WeightInitializer = serde_json::from_str(&text).expect("loaded");
            let mut both = [vec![0.0; 2], vec![0.0; 2]];
            for (values, initializer) in both.iter_mut().zip([&initializer, &back]) {
                initializer.fill("pre -> post", Seed(1), false, values, &Workers::default()).expect("drawn");
            }
            assert_eq!(both[0], both[1], "{text}");
            assert_eq!(format!("{initializer:?}"), format!("{back:?}"));
        }
    }

    #[test]
    fn an_initializer_with_a_function_refuses_to_be_saved_without_it() {
        let error = serde_json::to_string(&WeightInitializer::ones().function(|x| x * x)).unwrap_err();
        assert!(error.to_string().contains("function cannot be saved"), "{error}");
    }
}
