#![doc = include_str!("../README.md")]

pub mod error;
pub mod simulation;
pub mod network;
pub mod structure;
pub mod replication;
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
    pub use crate::data::{DogFilter, GaborFilter, GridMask, Images, Intensity2Latency, LocationDataset};
    pub use crate::data::{Poisson, SimplePoisson};
    pub use crate::network::Network;
    pub use crate::readout::{Readout, Weighting};
    pub use crate::recording::{NetworkRecording, Recording, SpikeRecording, StateRecording};
    pub use crate::replication::{Blueprint, Replication, SavedGroup};
    pub use crate::simulation::{Neocortex, Settings};
    pub use crate::structure::{Direction, Structure, Structures};
    pub use bevy_ecs::prelude::*;
    pub use conex_systems::Real;
    pub use conex_systems::axon::NeuronAxon;
    pub use conex_systems::connections::{ConnectionRule, Connections, Profile};
    pub use conex_systems::coordinates::Coordinates;
    pub use conex_systems::delivery::{Static, WeightBits};
    pub use conex_systems::dendrite::{InjectedCurrent, SimpleDendriteComputation, SimpleDendriteStructure};
    pub use conex_systems::dynamics::adaptation::{Adaptation, AdaptationVariable};
    pub use conex_systems::dynamics::{
        InputCurrent, Membrane, MembranePotential, NeuronModel, Neurons, Range, Threshold, models::*,
    };
    pub use conex_systems::fire::{Fire, InputSpikes, Spikes};
    pub use conex_systems::group::{Grid, Inhibitory, Population, Tags};
    pub use conex_systems::homeostasis::{
        ActivityBaseHomeostasis, AdaptiveThreshold, VoltageBaseHomeostasis,
    };
    pub use conex_systems::kwta::{Dimension, Kwta};
    pub use conex_systems::learning::{
        Plastic, PlasticityRule, Traces, bounds::Bound, rules::*, stdp::Rstdp,
    };
    pub use conex_systems::noise::InherentNoise;
    pub use conex_systems::parameter::Param;
    pub use conex_systems::poisson_drive::PoissonDrive;
    pub use conex_systems::poisson_source::PoissonSource;
    pub use conex_systems::receptors::Receptors;
    pub use conex_systems::refractory::RefractoryPeriod;
    pub use conex_systems::relations::{
        Afferents, Compartment, Compartment::Apical, Compartment::Distal, Compartment::Proximal, Efferents,
        Postsynaptic, Presynaptic, Projection, Selection, SubPopulation,
    };
    pub use conex_systems::reward::{Dopamine, DopamineConcentration, Payoff};
    pub use conex_systems::schedule::StepSystems;
    pub use conex_systems::setters;
    pub use conex_systems::stimulus::{Dataset, Encoder, Presentation, SpikeDataset, SpikeTrain, Stimulus};
    pub use conex_systems::synaptic_dynamics::{
        AlphaSynapse, Conductance, DoubleExponentialSynapse, ExponentialSynapse, MagnesiumBlock, receptors,
    };
    pub use conex_systems::synaptic_input::{
        CurrentCoef, CurrentNormalization, DendriticInput, NoSelfConnections, SynapticCurrent, Weighted,
        average_pool2d::AveragePool2d, conv2d::Conv2d, dense::Dense, lateral::Lateral, local2d::Local2d,
        max_pool2d::MaxPool2d, one2one::One2One, sparse::Sparse,
    };
    pub use conex_systems::time::{Clock, TimeScaling};
    pub use conex_systems::traces::{Pairing, PostTrace, PreTrace};
    pub use conex_systems::weights::{
        DelayInitializer, Delays, Distribution, Limits, SynapticDelays, WeightClip, WeightInitializer,
        WeightNormalization,
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
    #[doc = include_str!("../docs/structures.md")]
    mod structures {}
    #[doc = include_str!("../docs/models/synapses.md")]
    mod synapses {}
    #[doc = include_str!("../docs/time-step.md")]
    mod time_step {}
    #[doc = include_str!("../docs/units-and-names.md")]
    mod units_and_names {}

    /// One page a model.
    mod models {
        #[doc = include_str!("../docs/models/lif.md")]
        mod lif {}
        #[doc = include_str!("../docs/models/elif.md")]
        mod elif {}
        #[doc = include_str!("../docs/models/aelif.md")]
        mod aelif {}
        #[doc = include_str!("../docs/models/izhikevich.md")]
        mod izhikevich {}
        #[doc = include_str!("../docs/models/lif-psc-exp.md")]
        mod lif_psc_exp {}
        #[doc = include_str!("../docs/models/lif-psc-alpha.md")]
        mod lif_psc_alpha {}
        #[doc = include_str!("../docs/models/lif-cond-exp.md")]
        mod lif_cond_exp {}
        #[doc = include_str!("../docs/models/poisson-source.md")]
        mod poisson_source {}
        #[doc = include_str!("../docs/models/poisson-drive.md")]
        mod poisson_drive {}
        #[doc = include_str!("../docs/models/adaptation.md")]
        mod adaptation {}
        #[doc = include_str!("../docs/models/adaptive-threshold.md")]
        mod adaptive_threshold {}
        #[doc = include_str!("../docs/models/traces.md")]
        mod traces {}
        #[doc = include_str!("../docs/models/stdp.md")]
        mod stdp {}
        #[doc = include_str!("../docs/models/rstdp.md")]
        mod rstdp {}
        #[doc = include_str!("../docs/models/istdp.md")]
        mod istdp {}
        #[doc = include_str!("../docs/models/triplet-stdp.md")]
        mod triplet_stdp {}
        #[doc = include_str!("../docs/models/power-law-stdp.md")]
        mod power_law_stdp {}
        #[doc = include_str!("../docs/models/static-synapses.md")]
        mod static_synapses {}
    }
}
