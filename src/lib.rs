#![doc = include_str!("../README.md")]

pub mod error;
pub mod simulation;
pub mod network;
pub mod control;
pub mod describe;
pub mod data;
pub mod recording;
pub mod readout;

pub use conex_systems as systems;
pub use conex_systems::Real;
pub use error::{Error, Result};
pub use network::Network;
pub use simulation::{Neocortex, Settings, install};

/// Everything that a script needs.
pub mod prelude {
    pub use crate::control::{Control, Scope};
    pub use crate::data::{Images, Intensity2Latency, Poisson, SimplePoisson};
    pub use crate::network::Network;
    pub use crate::readout::{Readout, Weighting};
    pub use crate::recording::{NetworkRecording, Recording, SpikeRecording, StateRecording};
    pub use crate::simulation::{Neocortex, Settings};
    pub use bevy_ecs::prelude::*;
    pub use conex_systems::Real;
    pub use conex_systems::axon::NeuronAxon;
    pub use conex_systems::dendrite::{InjectedCurrent, SimpleDendriteComputation, SimpleDendriteStructure};
    pub use conex_systems::dynamics::{
        InputCurrent, Membrane, MembranePotential, NeuronModel, Neurons, Range, Threshold, models::*,
    };
    pub use conex_systems::fire::{Fire, InputSpikes, Spikes};
    pub use conex_systems::group::{Grid, Inhibitory, Population, Tags};
    pub use conex_systems::homeostasis::{ActivityBaseHomeostasis, VoltageBaseHomeostasis};
    pub use conex_systems::kwta::{Dimension, Kwta};
    pub use conex_systems::learning::{
        Plastic, PlasticityRule, Traces, bounds::Bound, rules::*, stdp::Rstdp,
    };
    pub use conex_systems::noise::InherentNoise;
    pub use conex_systems::parameter::Param;
    pub use conex_systems::refractory::RefractoryPeriod;
    pub use conex_systems::relations::{
        Afferents, Compartment, Compartment::Apical, Compartment::Distal, Compartment::Proximal, Efferents,
        Postsynaptic, Presynaptic, Projection, Selection, SubPopulation,
    };
    pub use conex_systems::reward::{Dopamine, DopamineConcentration, Payoff};
    pub use conex_systems::schedule::StepSystems;
    pub use conex_systems::setters;
    pub use conex_systems::stimulus::{Dataset, Encoder, Presentation, SpikeDataset, SpikeTrain, Stimulus};
    pub use conex_systems::synaptic_input::{
        CurrentCoef, CurrentNormalization, DendriticInput, NoSelfConnections, SynapticCurrent, Weighted,
        conv2d::Conv2d, dense::Dense, one2one::One2One, sparse::Sparse,
    };
    pub use conex_systems::time::{Clock, TimeScaling};
    pub use conex_systems::traces::{Pairing, PostTrace, PreTrace};
    pub use conex_systems::weights::{
        DelayInitializer, Delays, Distribution, WeightClip, WeightInitializer, WeightNormalization,
    };
}

/// The documents in `docs/`, whose examples are compiled and run as tests.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../docs/adding-a-neuron-model.md")]
    mod adding_a_neuron_model {}
    #[doc = include_str!("../docs/adding-a-rule.md")]
    mod adding_a_rule {}
    #[doc = include_str!("../docs/coming-from-conex.md")]
    mod coming_from_conex {}
    #[doc = include_str!("../docs/time-step.md")]
    mod time_step {}
    #[doc = include_str!("../docs/units-and-names.md")]
    mod units_and_names {}
    #[doc = include_str!("../docs/models/traces.md")]
    mod models_traces {}
    #[doc = include_str!("../docs/models/stdp.md")]
    mod models_stdp {}
    #[doc = include_str!("../docs/models/rstdp.md")]
    mod models_rstdp {}
    #[doc = include_str!("../docs/models/istdp.md")]
    mod models_istdp {}
    #[doc = include_str!("../docs/models/triplet-stdp.md")]
    mod models_triplet_stdp {}
}
