//! A parameter of a population: one number, or one number a neuron.

use crate::Real;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Neurons that a kernel handles at once. A single number is kept as a block of copies, so that kernels read plain
/// slices whether a parameter is uniform or not, and the copies stay in the first-level cache.
pub const BLOCK: usize = 256;

/// One number for the whole population, or one number per neuron.
///
/// ```
/// # use conex_systems::parameter::Param;
/// let uniform: Param = 10.0.into();
/// let varied: Param = vec![9.0, 10.0, 11.0].into();
/// assert_eq!(uniform.get(2), 10.0);
/// assert_eq!(varied.get(2), 11.0);
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "NumberOrList", into = "NumberOrList")]
pub struct Param(Values);

#[derive(Clone)]
enum Values {
    Uniform(Box<[Real; BLOCK]>),
    PerNeuron(Vec<Real>),
}

impl Param {
    /// The same `value` for every neuron.
    pub fn uniform(value: Real) -> Self {
        Param(Values::Uniform(Box::new([value; BLOCK])))
    }

    /// The value of neuron `i`.
    ///
    /// # Panics
    /// When there is one value per neuron and `i` is beyond the last.
    pub fn get(&self, i: usize) -> Real {
        match &self.0 {
            Values::Uniform(block) => block[0],
            Values::PerNeuron(values) => values[i],
        }
    }

    /// The one number that serves all neurons, if there is one.
    pub fn shared(&self) -> Option<Real> {
        match &self.0 {
            Values::Uniform(block) => Some(block[0]),
            Values::PerNeuron(_) => None,
        }
    }

    /// How many values there are, or `None` for one number that serves all.
    pub fn count(&self) -> Option<usize> {
        match &self.0 {
            Values::Uniform(_) => None,
            Values::PerNeuron(values) => Some(values.len()),
        }
    }

    /// The values of neurons `start .. start + len`, with `len` at most [`BLOCK`].
    #[inline]
    pub fn block(&self, start: usize, len: usize) -> &[Real] {
        match &self.0 {
            Values::Uniform(block) => &block[..len],
            Values::PerNeuron(values) => &values[start..start + len],
        }
    }

    /// The distinct stored values: one, or one per neuron.
    pub fn values(&self) -> &[Real] {
        match &self.0 {
            Values::Uniform(block) => &block[..1],
            Values::PerNeuron(values) => values,
        }
    }

    /// Turns a single number into one per neuron and gives them all, to be written.
    pub fn per_neuron_mut(&mut self, n: usize) -> &mut [Real] {
        if let Values::Uniform(block) = &self.0 {
            self.0 = Values::PerNeuron(vec![block[0]; n]);
        }
        match &mut self.0 {
            Values::PerNeuron(values) => values,
            Values::Uniform(_) => unreachable!("made per neuron above"),
        }
    }

    /// The values of all `n` neurons.
    pub fn to_vec(&self, n: usize) -> Vec<Real> {
        match &self.0 {
            Values::Uniform(block) => vec![block[0]; n],
            Values::PerNeuron(values) => values.clone(),
        }
    }
}

impl Default for Param {
    fn default() -> Self {
        Param::uniform(0.0)
    }
}

impl PartialEq for Param {
    fn eq(&self, other: &Self) -> bool {
        self.count() == other.count() && self.values() == other.values()
    }
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count() {
            None => write!(f, "{}", self.get(0)),
            Some(n) => write!(f, "[{n} values]"),
        }
    }
}

macro_rules! param_from {
    ($($number:ty),*) => {$(
        impl From<$number> for Param {
            fn from(value: $number) -> Self {
                Param::uniform(value as Real)
            }
        }
        impl From<Vec<$number>> for Param {
            fn from(values: Vec<$number>) -> Self {
                Param(Values::PerNeuron(values.into_iter().map(|x| x as Real).collect()))
            }
        }
        impl From<&[$number]> for Param {
            fn from(values: &[$number]) -> Self {
                Param(Values::PerNeuron(values.iter().map(|&x| x as Real).collect()))
            }
        }
        impl From<ndarray::Array1<$number>> for Param {
            fn from(values: ndarray::Array1<$number>) -> Self {
                values.to_vec().into()
            }
        }
    )*};
}
param_from!(f32, f64, i32);

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum NumberOrList {
    Number(Real),
    List(Vec<Real>),
}

impl From<NumberOrList> for Param {
    fn from(value: NumberOrList) -> Self {
        match value {
            NumberOrList::Number(x) => Param::uniform(x),
            NumberOrList::List(values) => Param(Values::PerNeuron(values)),
        }
    }
}

impl From<Param> for NumberOrList {
    fn from(param: Param) -> Self {
        match param.0 {
            Values::Uniform(block) => NumberOrList::Number(block[0]),
            Values::PerNeuron(values) => NumberOrList::List(values),
        }
    }
}

/// Gives a behaviour one setter a parameter, named as the field: `Lif::default().tau(10.0).threshold(-50.0)`.
///
/// A setter takes whatever converts into the field's type, so that a [`Param`] takes a number or a list. That of a
/// [`Real`] takes just that: a number as it is written down could not choose among all that converts.
#[macro_export]
macro_rules! setters {
    ($behaviour:ident { $($field:ident : $kind:tt),* $(,)? }) => {
        impl $behaviour {
            $($crate::setters!(@ $field: $kind);)*
        }
    };
    ($behaviour:ty { $($field:ident : $kind:ty),* $(,)? }) => {
        impl $behaviour {
            $($crate::setters!(@ $field: $kind);)*
        }
    };
    (@ $field:ident : Real) => {
        $crate::setters!(@@ $field, $crate::Real, value, value);
    };
    (@ $field:ident : $kind:ty) => {
        $crate::setters!(@@ $field, impl Into<$kind>, value, value.into());
    };
    (@@ $field:ident, $takes:ty, $value:ident, $into:expr) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
        #[must_use]
        pub fn $field(mut self, $value: $takes) -> Self {
            self.$field = $into;
            self
        }
    };
}
