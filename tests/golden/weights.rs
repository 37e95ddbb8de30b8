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
}

/// `WeightInitializer`.
pub fn initializer(p: &mut Params<'_>) -> Result<Weights> {
    let shape = p.take("weight_shape").map(serde_json::from_value::<Vec<usize>>).transpose().map_err(fail)?;
    // The shape of local kernels; a convolution's follows from its weights.
    p.take("kernel_shape");
    let (scale, offset) = (p.real_or("scale", 1.0)?, p.real_or("offset", 0.0)?);
    let density = p.number("density")?;
    if let Some(array) = p.array("weights")? {
        let shape = array.values.shape().to_vec();
        let initializer = WeightInitializer::dense(shape.clone(), array.reals());
        return Ok(Weights { initializer, density: None, distribution: None, shape: Some(shape) });
    }
    if let Some(given) = p.take("weights") {
        let initializer = sparse(&given["sparse"], p)?;
        return Ok(Weights { initializer, density: None, distribution: None, shape });
    }
    let distribution = distribution(p)?;
    let mut initializer = WeightInitializer::drawn(distribution).scale(scale).offset(offset);
    if let Some(density) = density {
        initializer = initializer.density(density);
    }
    Ok(Weights { initializer, density, distribution: Some(distribution), shape })
}

impl Weights {
    /// Height and width of a convolution's kernel.
    pub fn kernel(&self) -> Option<(usize, usize)> {
        match self.shape.as_deref()? {
            [_, _, height, width] => Some((*height, *width)),
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
    let argument = |name: &str| {
        let named = arguments.split(',').filter_map(|a| a.split_once('='));
        named.map(|(n, x)| (n.trim(), x.trim())).find(|(n, _)| *n == name)?.1.parse::<Real>().ok()
    };
    match name {
        "ones" => Ok(Distribution::Constant(1.0)),
        "zeros" => Ok(Distribution::Constant(0.0)),
        "rand" => Ok(Distribution::Uniform),
        "randn" => Ok(Distribution::Normal { mean: 0.0, std: 1.0 }),
        "normal" => Ok(Distribution::Normal {
            mean: argument("mean").ok_or_else(unknown)?,
            std: argument("std").ok_or_else(unknown)?,
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
