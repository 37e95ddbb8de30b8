//! How weights, delays and noise of a case are drawn or given.

use super::case::Params;
use super::trouble::{Result, fail, skip};
use conex::Real;
use conex::prelude::*;

/// Weights, and what the case says of their shape.
pub struct Weights {
    pub initializer: WeightInitializer,
    /// Only some weights are not 0, or only some synapses are stored.
    pub density: Option<f64>,
    distribution: Option<Distribution>,
    shape: Option<Vec<usize>>,
    kernel_shape: Option<Vec<usize>>,
}

/// `WeightInitializer`.
pub fn initializer(p: &mut Params<'_>) -> Result<Weights> {
    let mut sides = |name| p.take(name).map(serde_json::from_value::<Vec<usize>>).transpose().map_err(fail);
    let (shape, kernel_shape) = (sides("weight_shape")?, sides("kernel_shape")?);
    let (scale, offset) = (p.real_or("scale", 1.0)?, p.real_or("offset", 0.0)?);
    let density = p.number("density")?;
    if let Some(array) = p.array("weights")? {
        let shape = array.values.shape().to_vec();
        let initializer = WeightInitializer::dense(shape.clone(), array.reals());
        let shape = Some(shape);
        return Ok(Weights { initializer, density: None, distribution: None, shape, kernel_shape });
    }
    if let Some(given) = p.take("weights") {
        let initializer = sparse(&given["sparse"], p)?;
        return Ok(Weights { initializer, density: None, distribution: None, shape, kernel_shape });
    }
    let distribution = distribution(p)?;
    let mut initializer = WeightInitializer::drawn(distribution).scale(scale).offset(offset);
    if let Some(density) = density {
        initializer = initializer.density(density);
    }
    Ok(Weights { initializer, density, distribution: Some(distribution), shape, kernel_shape })
}

impl Weights {
    /// Depth, height and width of the kernel: of a convolution and a lateral one by the shape of the weights, of local ones
    /// by a shape of its own.
    pub fn kernel(&self) -> Option<(usize, usize, usize)> {
        match self.kernel_shape.as_deref().or(self.shape.as_deref())? {
            [_, _, height, width] => Some((1, *height, *width)),
            [_, _, depth, height, width] => Some((*depth, *height, *width)),
            [_, _, _, _, height, width] => Some((1, *height, *width)),
            _ => None,
        }
    }

    /// Random weights cannot be compared one by one.
    pub fn only_certain(&self) -> Result<()> {
        if self.density.is_some() {
            return Err(skip("no comparison of random synapses one by one"));
        }
        self.distribution.map_or(Ok(()), only_constant)
    }
}

/// Random numbers cannot be compared one by one.
pub fn only_constant(distribution: Distribution) -> Result<()> {
    match distribution {
        Distribution::Constant(_) => Ok(()),
        _ => Err(skip("no comparison of random numbers one by one")),
    }
}

/// Sparse weights as the case lists them: three arrays of equal length.
fn sparse(given: &serde_json::Value, p: &Params<'_>) -> Result<WeightInitializer> {
    let array = |key: &str| {
        let name = given[key].as_str().ok_or_else(|| fail(format!("sparse weights without `{key}`")))?;
        p.arrays().get(name)
    };
    let index =
        |key: &str| -> Result<Vec<usize>> { Ok(array(key)?.values.iter().map(|&x| x as usize).collect()) };
    let shape: (usize, usize) = serde_json::from_value(given["shape"].clone()).map_err(fail)?;
    let (src, dst, values) = (index("src_idx")?, index("dst_idx")?, array("values")?.reals());
    let matrix = sprs::TriMat::from_triplets(shape, src, dst, values);
    Ok(WeightInitializer::sparse(&matrix.to_csr()))
}

/// `mode`: a number, or the upstream name of a distribution.
pub fn distribution(p: &mut Params<'_>) -> Result<Distribution> {
    let mode = p.take("mode").ok_or_else(|| fail("neither values nor a mode to draw them"))?;
    if let Some(x) = mode.as_f64() {
        return Ok(Distribution::Constant(x as Real));
    }
    let unknown = || skip(format!("no mode {mode}"));
    let text = mode.as_str().ok_or_else(unknown)?;
    let (name, arguments) = text.trim_end_matches(')').split_once('(').unwrap_or((text, ""));
    // By name or, where they have none, by place.
    let argument = |place: usize, names: &[&str]| {
        let all: Vec<_> = arguments
            .split(',')
            .map(|a| a.split_once('=').map_or((None, a), |(n, x)| (Some(n.trim()), x)))
            .collect();
        let named = all.iter().find(|(n, _)| n.is_some_and(|n| names.contains(&n)));
        let (_, x) = named.or_else(|| all.get(place).filter(|(n, _)| n.is_none()))?;
        x.trim().parse::<Real>().ok()
    };
    match name {
        "ones" => Ok(Distribution::Constant(1.0)),
        "zeros" => Ok(Distribution::Constant(0.0)),
        "rand" | "random" => Ok(Distribution::Uniform),
        "uniform" => Ok(Distribution::Between {
            low: argument(0, &["low", "from", "a"]).unwrap_or(0.0),
            high: argument(1, &["high", "to", "b"]).unwrap_or(1.0),
        }),
        "lognormal" | "log_normal" => Ok(Distribution::LogNormal {
            mu: argument(0, &["mean", "mu"]).unwrap_or(0.0),
            sigma: argument(1, &["std", "sigma"]).unwrap_or(1.0),
        }),
        "randn" => Ok(Distribution::Normal { mean: 0.0, std: 1.0 }),
        "normal" => Ok(Distribution::Normal {
            mean: argument(0, &["mean"]).unwrap_or(0.0),
            std: argument(1, &["std"]).unwrap_or(1.0),
        }),
        _ => name.parse().map(Distribution::Constant).map_err(|_| unknown()),
    }
}

/// `InherentNoise`.
pub fn noise(p: &mut Params<'_>) -> Result<InherentNoise> {
    let (scale, offset) = (p.real_or("scale", 1.0)?, p.real_or("offset", 0.0)?);
    let distribution = if p.has("mode") { distribution(p)? } else { Distribution::Uniform };
    Ok(InherentNoise { distribution, scale, offset })
}

/// `DelayInitializer`, but for the end that it is about.
pub fn delays(p: &mut Params<'_>) -> Result<Delays> {
    let (scale, offset) = (p.real_or("scale", 1.0)?, p.real_or("offset", 0.0)?);
    if let Some(given) = p.array("delays")? {
        return Ok(Delays::Given(given.values.iter().map(|&delay| delay as i64).collect()));
    }
    if let Some(delay) = p.number("delays")? {
        return Ok(Delays::Given(vec![delay as i64]));
    }
    let distribution = distribution(p)?;
    only_constant(distribution)?;
    Ok(Delays::Drawn { distribution, scale, offset, limits: None })
}
