//! How learning slows down near the ends of a weight's range.

use super::Potentiation;
use crate::Real;
use serde::{Deserialize, Serialize};

/// The factor that a rule multiplies its change with, by the weight that is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bound {
    /// Always 1: weights grow without limit, unless `WeightClip` or `WeightNormalization` holds them.
    #[doc(alias = "no_bound")]
    #[default]
    None,
    /// 1 strictly between `w_min` and `w_max`, else 0. A weight that has reached either end stays there.
    #[doc(alias = "hard_bound")]
    Hard,
    /// `(w − w_min)(w_max − w)`. Outside the range it turns negative, so combine it with `WeightClip`.
    #[doc(alias = "soft_bound")]
    Soft,
}

impl Bound {
    /// The factor at weight `w`.
    #[inline(always)]
    pub fn factor(self, w: Real, w_min: Real, w_max: Real) -> Real {
        // Choices between numbers, not between branches: two bounds in one loop would keep it from being vectorized.
        let kind = Real::from(self as u8);
        let hard = if (w > w_min) & (w < w_max) { 1.0 } else { 0.0 };
        let soft = (w - w_min) * (w_max - w);
        if kind < 0.5 {
            1.0
        } else if kind < 1.5 {
            hard
        } else {
            soft
        }
    }

    /// What it makes of a change that is proportional to the pre-synaptic trace.
    pub fn potentiation(self, w_min: Real, w_max: Real) -> Potentiation {
        match self {
            Bound::None => Potentiation::Proportional,
            Bound::Hard => Potentiation::ProportionalBetween(w_min, w_max),
            Bound::Soft => Potentiation::Any { silent_below: 0.0 },
        }
    }
}
