//! Receptors as bundles, with time constants and reversal potentials of the literature.
//!
//! They are for neurons in millivolts, and a weight is the peak conductance of one synapse. All parameters are those of
//! S. Hill & G. Tononi (2005), doi 10.1152/jn.00915.2004; take them as a start, receptors differ among cells.
//!
//! | | rise \[ms\] | decay \[ms\] | reversal \[mV\] | |
//! |---|---|---|---|---|
//! | [`ampa`] | 0.5 | 2.4 | 0 | fast excitation |
//! | [`nmda`] | 4 | 40 | 0 | slow excitation, blocked by magnesium below about −20 mV |
//! | [`gaba_a`] | 1 | 7 | −70 | fast inhibition |
//! | [`gaba_b`] | 60 | 200 | −90 | slow inhibition |
//!
//! ```
//! # use conex_systems::synaptic_dynamics::{Conductance, receptors::gaba_a};
//! let (course, _) = gaba_a();
//! // The same with a reversal potential of another cell:
//! let shunting = (course, Conductance::new(-65.0));
//! ```

use super::{Conductance, DoubleExponentialSynapse, MagnesiumBlock};

/// AMPA receptors: fast excitation.
#[doc(alias = "AMPA")]
pub fn ampa() -> (DoubleExponentialSynapse, Conductance) {
    (DoubleExponentialSynapse::new(0.5, 2.4), Conductance::new(0.0))
}

/// NMDA receptors: slow excitation of neurons that are depolarized already, at 1 mM of magnesium.
#[doc(alias = "NMDA")]
pub fn nmda() -> (DoubleExponentialSynapse, Conductance, MagnesiumBlock) {
    (DoubleExponentialSynapse::new(4.0, 40.0), Conductance::new(0.0), MagnesiumBlock::default())
}

/// GABA-A receptors: fast inhibition by chloride.
#[doc(alias = "GABA_A")]
#[doc(alias = "GABAa")]
pub fn gaba_a() -> (DoubleExponentialSynapse, Conductance) {
    (DoubleExponentialSynapse::new(1.0, 7.0), Conductance::new(-70.0))
}

/// GABA-B receptors: slow inhibition by potassium.
#[doc(alias = "GABA_B")]
#[doc(alias = "GABAb")]
pub fn gaba_b() -> (DoubleExponentialSynapse, Conductance) {
    (DoubleExponentialSynapse::new(60.0, 200.0), Conductance::new(-90.0))
}
