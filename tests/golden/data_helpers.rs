//! Cases of what images are prepared with: filters, masks and transforms.

use super::case::{Array, Arrays, Case, Params};
use super::compare::{Compared, compare};
use super::trouble::{Result, fail, skip};
use conex::Real;
use conex::data::{DogFilter, GaborFilter, Gap, GridMask, convolve, split_sign_polarity};
use ndarray::{Array3, Array4, ArrayD, Axis, Dimension};
use std::collections::HashMap;

/// What was computed, by the name of the output.
type Outputs = HashMap<&'static str, ArrayD<Real>>;

/// Calls `function`, if it is one of these, and compares what comes out.
pub fn check(case: &Case, function: &str, p: Params<'_>) -> Result<()> {
    let outputs = match function {
        "DoGFilter" => dog(p)?,
        "GaborFilter" => gabor(p)?,
        "GridEraseMask" => grid_mask(case, p, GridMask::erase)?,
        "GridKeepMask" => grid_mask(case, p, GridMask::keep)?,
        "GridCropMask" => grid_mask(case, p, GridMask::crop)?,
        "Conv2dFilter" => conv2d(p, &case.arrays)?,
        "DivideSignPolarity" => polarity(p, &case.arrays)?,
        _ => return Err(skip(format!("no {function}"))),
    };
    let compared = case.outputs.keys().map(|name| {
        let got = outputs.get(&name[..]).ok_or_else(|| skip(format!("no output `{name}` of {function}")))?;
        let want = case.arrays.get(name)?;
        if got.shape() != want.values.shape() {
            let (got, want) = (got.shape(), want.values.shape());
            return Err(fail(format!("{name}: the shape is {got:?} where {want:?} is wanted")));
        }
        Ok(Compared { name, want, got: got.iter().map(|&x| f64::from(x)).collect(), per_step: false })
    });
    compare(&compared.collect::<Result<Vec<_>>>()?, case.tolerance)
}

fn dog(mut p: Params<'_>) -> Result<Outputs> {
    let filter = DogFilter {
        size: p.real("size")? as usize,
        sigma_1: p.real("sigma_1")?,
        sigma_2: p.real("sigma_2")?,
        step: p.real_or("step", 1.0)?,
        zero_mean: p.flag_or("zero_mean", false),
        one_sum: p.flag_or("one_sum", false),
    };
    p.finish()?;
    Ok(HashMap::from([("out.filter", filter.values()?.into_dyn())]))
}

fn gabor(mut p: Params<'_>) -> Result<Outputs> {
    let filter = GaborFilter {
        size: p.real("size")? as usize,
        lambda: p.real("labda")?,
        theta: p.real("theta")?,
        sigma: p.real("sigma")?,
        gamma: p.real("gamma")?,
        step: p.real_or("step", 1.0)?,
        zero_mean: p.flag_or("zero_mean", false),
        one_sum: p.flag_or("one_sum", false),
    };
    p.finish()?;
    Ok(HashMap::from([("out.filter", filter.values()?.into_dyn())]))
}

fn grid_mask(case: &Case, mut p: Params<'_>, mask: fn(usize, usize) -> GridMask) -> Result<Outputs> {
    let mut mask = mask(p.real("m")? as usize, p.real("n")? as usize);
    if let Some(gap) = p.take("gap") {
        let gap: [i32; 4] = serde_json::from_value(gap).map_err(fail)?;
        mask = mask.gap(Gap::from(gap));
    }
    let random = p.flag_or("random", false);
    p.finish()?;
    if case.gap_sensitive {
        mask = mask.conex_gap();
    }
    let image: Array3<Real> = shaped(case.arrays.get("in.img")?)?;
    let (mut images, mut locations) = mask.apply(&image)?;
    if random {
        // The order is CoNeX's own; which view goes with which location is not.
        let wanted: Array3<Real> = shaped(case.arrays.get("out.location")?)?;
        let order = order(&locations, &wanted)?;
        (images, locations) = (images.select(Axis(0), &order), locations.select(Axis(0), &order));
    }
    Ok(HashMap::from([("out.images", images.into_dyn()), ("out.location", locations.into_dyn())]))
}

/// For each of the `wanted` locations, where it stands in `given`.
fn order(given: &Array3<Real>, wanted: &Array3<Real>) -> Result<Vec<usize>> {
    let find = |wanted| given.outer_iter().position(|location| location == wanted);
    let found = wanted.outer_iter().map(|wanted| find(wanted).ok_or_else(|| fail("a location is missing")));
    found.collect()
}

fn conv2d(mut p: Params<'_>, arrays: &Arrays) -> Result<Outputs> {
    let (stride, padding) = (p.pair_or("stride", 1)?, p.pair_or("padding", 0)?);
    p.finish()?;
    let filters: Array4<Real> = shaped(arrays.get("in.filters")?)?;
    let image = arrays.get("in.img")?.values.mapv(|x| x as Real);
    Ok(HashMap::from([("out.img", convolve(&image, &filters, stride, padding)?)]))
}

fn polarity(p: Params<'_>, arrays: &Arrays) -> Result<Outputs> {
    p.finish()?;
    let x = arrays.get("in.x")?.values.mapv(|x| x as Real);
    Ok(HashMap::from([("out.x", split_sign_polarity(&x)?)]))
}

/// An array with as many axes as are needed, in the engine's precision.
fn shaped<D: Dimension>(array: &Array) -> Result<ndarray::Array<Real, D>> {
    array.values.mapv(|x| x as Real).into_dimensionality().map_err(fail)
}
