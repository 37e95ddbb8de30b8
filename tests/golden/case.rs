//! A case as it stands in its two files: the description, and the arrays that it names.

use super::compare::Tolerance;
use super::trouble::{Result, fail, skip};
use conex::Real;
use conex::prelude::*;
use ndarray::{ArrayD, IxDyn, OwnedRepr};
use ndarray_npy::{NpzReader, ReadNpzError, ReadableElement};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

/// A case: what was computed, in which precision, and how near another program has to come.
#[derive(Deserialize)]
pub struct Case {
    pub area: String,
    pub family: String,
    pub case: String,
    #[serde(default)]
    pub dtype: String,
    /// The arrays that were recorded, by name.
    #[serde(default)]
    pub outputs: Map<String, Value>,
    pub tolerance: Tolerance,
    /// Whether the numbers depend on how CoNeX mixes up the gaps of a mask.
    #[serde(default)]
    pub gap_sensitive: bool,
    #[serde(flatten)]
    pub kind: Kind,
    #[serde(skip)]
    pub arrays: Arrays,
}

/// What a case is about.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Kind {
    /// A network that ran for some steps.
    Simulation(Simulation),
    /// A function of arrays.
    Function { function: String, params: Map<String, Value> },
    /// Moments of random draws.
    Statistics { function: String, params: Map<String, Value>, statistics: Value },
}

#[derive(Deserialize)]
pub struct Simulation {
    pub dt: f64,
    pub steps: usize,
    pub network: Behaviours,
    pub groups: Vec<Group>,
    pub synapses: Vec<SynapseGroup>,
    pub drives: Vec<Drive>,
    pub records: Vec<Record>,
}

#[derive(Deserialize)]
pub struct Behaviours {
    pub behaviors: Vec<Behaviour>,
}

#[derive(Deserialize)]
pub struct Group {
    pub name: String,
    pub size: usize,
    pub shape: Option<(usize, usize, usize)>,
    pub tags: Vec<String>,
    pub behaviors: Vec<Behaviour>,
}

#[derive(Deserialize)]
pub struct SynapseGroup {
    pub name: String,
    pub src: String,
    pub dst: String,
    pub tags: Vec<String>,
    pub behaviors: Vec<Behaviour>,
}

#[derive(Deserialize)]
pub struct Behaviour {
    pub class: String,
    pub params: Map<String, Value>,
}

/// An input: row t of the array acts at step t.
#[derive(Deserialize)]
pub struct Drive {
    pub kind: String,
    pub target: String,
    pub array: String,
}

/// What was recorded, and when.
#[derive(Deserialize)]
pub struct Record {
    pub array: String,
    pub target: String,
    pub var: String,
    pub when: When,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum When {
    EveryStep,
    Final,
}

impl Case {
    /// Reads `<case>.json`, and the arrays beside it if there are any.
    pub fn read(path: &Path) -> Result<Case> {
        let text = std::fs::read_to_string(path).map_err(fail)?;
        let mut case: Case = serde_json::from_str(&text).map_err(fail)?;
        let arrays = path.with_extension("npz");
        if arrays.exists() {
            case.arrays = Arrays::read(&arrays)?;
        }
        Ok(case)
    }
}

/// An array in double precision, which holds every number of the files as it is.
pub struct Array {
    pub values: ArrayD<f64>,
    /// Whether it holds integers or spikes, which must be equal.
    pub exact: bool,
}

impl Array {
    /// The values as one row.
    pub fn flat(&self) -> Vec<f64> {
        self.values.iter().copied().collect()
    }

    /// The values in the engine's precision.
    pub fn reals(&self) -> Vec<Real> {
        self.values.iter().map(|&x| x as Real).collect()
    }

    /// Row `t` of the first axis, as one row.
    pub fn row(&self, t: usize) -> Vec<Real> {
        self.values.outer_iter().nth(t).map_or(Vec::new(), |row| row.iter().map(|&x| x as Real).collect())
    }
}

/// The arrays of a case, by name.
#[derive(Default)]
pub struct Arrays(HashMap<String, Array>);

impl Arrays {
    fn read(path: &Path) -> Result<Arrays> {
        let mut file = NpzReader::new(File::open(path).map_err(fail)?).map_err(fail)?;
        let mut arrays = HashMap::new();
        for name in file.names().map_err(fail)? {
            // A file does not say what its arrays hold before they are read.
            let array = typed::<f32>(&mut file, &name, false)
                .or_else(|_| typed::<f64>(&mut file, &name, false))
                .or_else(|_| typed::<i32>(&mut file, &name, true))
                .or_else(|_| typed::<u8>(&mut file, &name, true))
                .map_err(fail)?;
            arrays.insert(name, array);
        }
        Ok(Arrays(arrays))
    }

    /// The array `name`.
    pub fn get(&self, name: &str) -> Result<&Array> {
        self.0.get(name).ok_or_else(|| fail(format!("the npz file has no array `{name}`")))
    }

    /// The array `name`, if there is one.
    pub fn find(&self, name: &str) -> Option<&Array> {
        self.0.get(name)
    }
}

fn typed<T>(file: &mut NpzReader<File>, name: &str, exact: bool) -> std::result::Result<Array, ReadNpzError>
where
    T: ReadableElement + Copy + Into<f64>,
{
    let values = file.by_name::<OwnedRepr<T>, IxDyn>(name)?.mapv(Into::into);
    Ok(Array { values, exact })
}

/// The parameters of a behaviour or a function, taken one after the other.
///
/// What is left when all known ones are taken is a parameter that the tests do not know: the case is skipped rather than
/// run with something else than it asks for.
pub struct Params<'a> {
    of: &'a str,
    left: Map<String, Value>,
    arrays: &'a Arrays,
}

impl<'a> Params<'a> {
    /// The parameters `of` a class or function.
    pub fn new(of: &'a str, params: &Map<String, Value>, arrays: &'a Arrays) -> Self {
        Params { of, left: params.clone(), arrays }
    }

    /// Takes parameter `name`, unless it is missing or null.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name).filter(|value| !value.is_null())
    }

    /// Whether parameter `name` is there and was not taken.
    pub fn has(&self, name: &str) -> bool {
        self.left.get(name).is_some_and(|value| !value.is_null())
    }

    /// Checks that every parameter was taken.
    pub fn finish(self) -> Result<()> {
        match self.left.keys().next() {
            Some(name) => Err(skip(format!("the tests know no parameter `{name}` of {}", self.of))),
            None => Ok(()),
        }
    }

    /// A number.
    pub fn number(&mut self, name: &str) -> Result<Option<f64>> {
        let value = self.take(name);
        let not = |v: &Value| skip(format!("{} with `{name}` = {v}, where one number is known", self.of));
        value.map(|v| v.as_f64().ok_or_else(|| not(&v))).transpose()
    }

    /// A number that must be there.
    pub fn real(&mut self, name: &str) -> Result<Real> {
        Ok(self.number(name)?.ok_or_else(|| self.missing(name))? as Real)
    }

    /// A number, or what is taken where it is missing.
    pub fn real_or(&mut self, name: &str, default: Real) -> Result<Real> {
        Ok(self.number(name)?.map_or(default, |x| x as Real))
    }

    /// A count, or what is taken where it is missing.
    pub fn count_or(&mut self, name: &str, default: usize) -> Result<usize> {
        Ok(self.number(name)?.map_or(default, |x| x as usize))
    }

    /// True or false, or what is taken where it is missing.
    pub fn flag_or(&mut self, name: &str, default: bool) -> bool {
        self.take(name).and_then(|v| v.as_bool()).unwrap_or(default)
    }

    /// A word.
    pub fn word(&mut self, name: &str) -> Option<String> {
        self.take(name).map(|v| v.as_str().map_or_else(|| v.to_string(), String::from))
    }

    /// One number, or an array with one number per neuron.
    pub fn param(&mut self, name: &str) -> Result<Param> {
        self.param_or_none(name)?.ok_or_else(|| self.missing(name))
    }

    /// As [`param`](Self::param), with what is taken where it is missing.
    pub fn param_or(&mut self, name: &str, default: Real) -> Result<Param> {
        Ok(self.param_or_none(name)?.unwrap_or_else(|| Param::uniform(default)))
    }

    /// As [`param`](Self::param), if it is there.
    pub fn param_or_none(&mut self, name: &str) -> Result<Option<Param>> {
        if let Some(array) = self.array(name)? {
            return Ok(Some(array.reals().into()));
        }
        Ok(self.number(name)?.map(|x| Param::uniform(x as Real)))
    }

    /// An array, if the parameter is one.
    pub fn array(&mut self, name: &str) -> Result<Option<&'a Array>> {
        let Some(array) = self.left.get(name).and_then(|v| v.get("array")).and_then(Value::as_str) else {
            return Ok(None);
        };
        let array = self.arrays.get(array)?;
        self.left.remove(name);
        Ok(Some(array))
    }

    /// The arrays of the case.
    pub fn arrays(&self) -> &'a Arrays {
        self.arrays
    }

    /// A number for both directions, or a list of one for each.
    pub fn pair_or(&mut self, name: &str, default: usize) -> Result<(usize, usize)> {
        match self.take(name) {
            None => Ok((default, default)),
            Some(value) => serde_json::from_value::<(usize, usize)>(value.clone())
                .or_else(|_| serde_json::from_value::<usize>(value).map(|x| (x, x)))
                .map_err(fail),
        }
    }

    fn missing(&self, name: &str) -> super::trouble::Trouble {
        fail(format!("{} has no parameter `{name}`", self.of))
    }
}
