//! The current that a projection brings to its target.

use crate::Real;
use crate::kernels::decay::scale;
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// The current that a projection brings to each neuron of its target, at this step.
#[doc(alias = "I")]
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct SynapticCurrent {
    /// One value per target neuron.
    pub values: Vec<Real>,
    /// Whether all values are 0, so that nothing needs to be added up.
    pub silent: bool,
    pub(super) sign: Real,
    /// Whether the values come from synaptic dynamics: they last one step, whatever computed the current before.
    pub(super) shaped: bool,
}

impl SynapticCurrent {
    /// No current.
    pub fn silence(&mut self) {
        self.values.fill(0.0);
        self.silent = true;
        self.shaped = false;
    }

    /// −1 if the source is inhibitory, else +1. A kind of connectivity may have a sign of its own.
    pub fn sign(&self) -> Real {
        self.sign
    }

    /// Whether synaptic dynamics made it what it is at this step.
    pub(crate) fn is_shaped(&self) -> bool {
        self.shaped
    }

    /// Replaces the current by one of a user's own making.
    pub fn set(&mut self, values: &[Real]) {
        self.values.clear();
        self.values.extend_from_slice(values);
        self.silent = false;
        self.shaped = false;
    }

    /// The values, to be replaced for this step by what synaptic dynamics make of them.
    pub(crate) fn shaped(&mut self) -> &mut [Real] {
        self.silent = false;
        self.shaped = true;
        &mut self.values
    }

    /// Makes the current of this step what synaptic dynamics give, with the sign of the source.
    pub(crate) fn shape(&mut self, values: &[Real]) {
        let sign = self.sign;
        self.shaped().copy_from_slice(values);
        self.apply(sign);
    }

    /// Takes the sign of the source off: what an inhibitory projection opens is a conductance above 0.
    pub(crate) fn lose_sign(&mut self) {
        self.apply(self.sign);
    }

    fn apply(&mut self, sign: Real) {
        if sign < 0.0 {
            scale(&mut self.values, sign);
        }
    }
}

/// Multiplies a projection's current (CoNeX's `current_coef`). Default 1.
#[doc(alias = "current_coef")]
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurrentCoef(pub Real);

impl Default for CurrentCoef {
    fn default() -> Self {
        CurrentCoef(1.0)
    }
}
