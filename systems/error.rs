//! What can be wrong with a network, in the scientist's words.

use bevy_ecs::prelude::*;

/// The result of everything that can go wrong here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong, where, and how to mend it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "fields are named by what they hold, and the message says the rest")]
pub enum Error {
    /// Several things are wrong at once.
    #[error("{} things are wrong with the network:{}", .0.len(), list(.0))]
    Several(Vec<Error>),

    // Groups.
    /// A population without neurons.
    #[error("population `{population}` has no neurons (its shape is {shape}): every side must be at least 1")]
    EmptyPopulation { population: String, shape: String },
    /// A population with more neurons than an index can tell apart.
    #[error(
        "population `{population}` is too large ({shape}): at most {} neurons fit into one population",
        u32::MAX
    )]
    PopulationTooLarge { population: String, shape: String },
    /// Two groups of one name.
    #[error("there is a group named `{name}` already: names tell groups apart, choose another")]
    DuplicateName { name: String },
    /// An empty name.
    #[error("a group needs a name that is not empty")]
    EmptyName,
    /// An entity that is no population.
    #[error("the {role} of projection `{projection}` is not a population of this network")]
    NotAPopulation { projection: String, role: &'static str },
    /// A name that no group has.
    #[error("there is no {kind} named `{name}`{}", suggest(.suggestion))]
    UnknownName { kind: &'static str, name: String, suggestion: Option<String> },
    /// An entity without what was asked of it.
    #[error("`{group}` has no {what}")]
    NoSuchState { group: String, what: String },

    // Parameters.
    /// A list of per-neuron values of the wrong length.
    #[error(
        "`{group}`: {behaviour} got {given} values for `{parameter}`, but there are {expected} neurons: give one number, or one per neuron"
    )]
    ParameterLength { group: String, behaviour: String, parameter: String, expected: usize, given: usize },
    /// A parameter that is no finite number.
    #[error("`{group}`: {behaviour} got {value} for `{parameter}`{}: it must be a finite number", at(.index))]
    ParameterNotFinite {
        group: String,
        behaviour: String,
        parameter: String,
        index: Option<usize>,
        value: f64,
    },
    /// A parameter outside its range.
    #[error("`{group}`: {behaviour} got {value} for `{parameter}`: it must be {requirement}")]
    ParameterRange { group: String, behaviour: String, parameter: String, value: f64, requirement: String },
    /// The time resolution is no positive number.
    #[error("dt is {dt} ms: it must be a finite number above 0")]
    TimeStep { dt: f64 },
    /// No such number of threads.
    #[error("cannot use {threads} threads: {reason}")]
    Threads { threads: usize, reason: String },

    // Neurons.
    /// A neuron model that its network does not know.
    #[error(
        "population `{population}` has a neuron model that is not registered: call `register_neuron_model::<YourModel>()` on the network before it is built"
    )]
    UnregisteredModel { population: String },
    /// Two neuron models on one population.
    #[error("population `{population}` has {} neuron models ({}): keep one", .models.len(), .models.join(", "))]
    SeveralModels { population: String, models: Vec<String> },
    /// Spikes from a neuron model and from outside at once.
    #[error(
        "population `{population}` has a neuron model and spikes from outside (InputSpikes or Stimulus): keep one of them"
    )]
    TwoSpikeSources { population: String },
    /// A behaviour without another that it needs on its own group.
    #[error("`{group}` has {behaviour} but no {missing}: add `{remedy}`")]
    MissingBehaviour { group: String, behaviour: String, missing: String, remedy: String },
    /// A behaviour of populations on a projection, or the other way round.
    #[error("{is} `{group}` has {behaviour}, which belongs on a {belongs}: move it there")]
    WrongGroup { group: String, behaviour: String, is: &'static str, belongs: &'static str },
    /// A behaviour without what it needs anywhere in the network.
    #[error("`{group}` has {behaviour}, but the network has no {missing}: call `{remedy}`")]
    MissingInNetwork { group: String, behaviour: String, missing: String, remedy: String },
    /// A part of a population that does not fit it.
    #[error("`{part}` cannot be a part of `{population}` ({shape}): {reason}")]
    BadSelection { part: String, population: String, shape: String, reason: String },
    /// Input spikes for neurons that do not exist.
    #[error("population `{population}` has {size} neurons, but input spikes name neuron {neuron}: numbers run from 0 to {}", .size - 1)]
    InputOutOfRange { population: String, size: usize, neuron: u32 },
    /// A dataset without instances.
    #[error(
        "population `{population}` has a stimulus without a single instance: give it a dataset that is not empty"
    )]
    EmptyDataset { population: String },
    /// Input spikes from the program for a population that a stimulus drives.
    #[error(
        "population `{population}` has a stimulus, which sets its spikes at each step: remove the `Stimulus`, or give it no input"
    )]
    StimulusDrives { population: String },
    /// A stimulus of another size than its population.
    #[error(
        "population `{population}` has {expected} neurons, but its stimulus has instances of {given} values: give the population the shape of the dataset"
    )]
    StimulusSize { population: String, expected: String, given: String },

    // Projections.
    /// A projection with a behaviour that needs something of its source or of its target.
    #[error(
        "projection `{projection}` has {behaviour}, but its {role} `{population}` has no {missing}: add `{remedy}` to `{population}`"
    )]
    MissingAtEnd {
        projection: String,
        behaviour: String,
        role: &'static str,
        population: String,
        missing: String,
        remedy: String,
    },
    /// A projection to a compartment that its target leaves out.
    #[error(
        "projection `{projection}` ends on the {compartment} compartment of `{population}`, whose `{compartment}_max_delay` is 0: set it to at least 1"
    )]
    ClosedCompartment { projection: String, population: String, compartment: &'static str },
    /// A projection that nothing computes a current for.
    #[error(
        "projection `{projection}` from `{source_population}` to `{target}` has no connectivity: add `Dense`, `Sparse`, `One2One`, `Conv2d` or `Static`"
    )]
    NoConnectivity { projection: String, source_population: String, target: String },
    /// A connectivity or rule that its network does not know, or two of them on one projection.
    #[error("projection `{projection}` has {} of the family \"{family}\" that the network knows ({}): it must be exactly one; register your own with `{register}`", .found.len(), .found.join(", "))]
    OneOfFamily { projection: String, family: &'static str, found: Vec<String>, register: &'static str },
    /// Two courses of what one spike brings.
    #[error("projection `{projection}` has {} synaptic kinetics ({}): keep one", .kinetics.len(), .kinetics.join(", "))]
    SeveralKinetics { projection: String, kinetics: Vec<String> },
    /// A rule that was not told how to learn on a projection's synapses.
    #[error(
        "projection `{projection}` has the rule {rule}, which does not know its kind of synapses: use a kind that learns (`Dense`, `Sparse`, `One2One`, `Conv2d`, `Local2d`), or, for synapses of your own, call `register_learning::<{rule}, TheSynapses>()` on the network before it is built"
    )]
    UnpairedRule { projection: String, rule: String },
    /// A source delay that the axon does not reach back.
    #[error("projection `{projection}`: the longest {role} delay is {delay} steps, but the axon of `{population}` keeps {max_delay}: delays must be below `max_delay`, so use `NeuronAxon::new({})`", .delay + 1)]
    DelayBeyondAxon {
        projection: String,
        population: String,
        role: &'static str,
        delay: usize,
        max_delay: usize,
    },
    /// A target delay that the dendrite does not reach ahead.
    #[error("projection `{projection}`: the longest destination delay is {delay} steps, but the {compartment} compartment of `{population}` keeps {max_delay}: delays must be below it, so set `{compartment}_max_delay` to {}", .delay + 1)]
    DelayBeyondDendrite {
        projection: String,
        population: String,
        compartment: &'static str,
        delay: usize,
        max_delay: usize,
    },
    /// As many delays as there are neurons are needed.
    #[error(
        "projection `{projection}` got {given} {role} delays for {expected} neurons: give one number, or one per neuron"
    )]
    DelayCount { projection: String, role: &'static str, expected: usize, given: usize },
    /// A delay that is negative or no number.
    #[error("projection `{projection}` got a {role} delay of {delay}: delays are whole steps, 0 or more")]
    BadDelay { projection: String, role: &'static str, delay: f64 },
    /// Source and target do not fit the connectivity.
    #[error(
        "projection `{projection}` ({connectivity}) from `{source_population}` of {source_shape} to `{target}` of {target_shape}: {expected}"
    )]
    ShapeMismatch {
        projection: String,
        connectivity: &'static str,
        source_population: String,
        source_shape: String,
        target: String,
        target_shape: String,
        expected: String,
    },
    /// Given weights of the wrong shape.
    #[error(
        "projection `{projection}` ({connectivity}) got weights of shape {given}, but it needs {expected}"
    )]
    WeightShape { projection: String, connectivity: &'static str, expected: String, given: String },
    /// A weight that is no finite number.
    #[error(
        "projection `{projection}` has the weight {value} at place {index}: weights must be finite numbers"
    )]
    WeightNotFinite { projection: String, index: usize, value: f64 },
    /// Too many synapses for the kind of projection.
    #[error(
        "projection `{projection}` would have {synapses} synapses, more than {limit} that {connectivity} can hold"
    )]
    TooManySynapses { projection: String, connectivity: &'static str, synapses: u128, limit: u128 },
    /// Synapses that no memory can be had for.
    #[error(
        "projection `{projection}` ({connectivity}) would have {synapses} synapses, for which there is not enough memory: {reason}. Make its populations smaller, or join fewer of their neurons: {}",
        fewer(connectivity)
    )]
    OutOfMemory { projection: String, connectivity: &'static str, synapses: u128, reason: String },
    /// Static synapses that no memory can be had for.
    #[error("the {synapses} static synapses of {} cannot be laid out: {reason}. {remedy}", count(*.projections, "projection"))]
    StaticMemory { projections: usize, synapses: u128, reason: String, remedy: &'static str },
    /// Something that static synapses cannot honour.
    #[error("projection `{projection}` has `Static` synapses and {behaviour}: {why}")]
    NotForStatic { projection: String, behaviour: String, why: String },
    /// Two places where spikes arrive.
    #[error(
        "population `{population}` has a neuron model with receptors and a dendrite: the receptors take its place, remove `SimpleDendriteStructure`"
    )]
    DendriteAndReceptors { population: String },
    /// A delay where nothing waits.
    #[error(
        "projection `{projection}` has destination delays, but `{population}` has receptors instead of a dendrite, which keep nothing for later: use source delays, or `Static` synapses with `SynapticDelays`"
    )]
    DelayAtReceptors { projection: String, population: String },
    /// Inhibition at a receptor for excitation, or the other way round.
    #[error(
        "projection `{projection}` brings {value} to the receptor for {receptor} of neuron {neuron} of `{population}`, which takes the other sign: hold its weights and `CurrentCoef` at 0 or more and let its source be `Inhibitory` or not, or use `Static` synapses, each of which reaches a receptor by its own sign"
    )]
    WrongReceptor {
        projection: String,
        population: String,
        receptor: &'static str,
        neuron: usize,
        value: f64,
    },
    /// A change of a neuron model that its synapses cannot follow.
    #[error(
        "population `{population}` had {had} receptors when it was built and has {has} now: whether both synaptic time constants are one cannot change between steps"
    )]
    ReceptorsChanged { population: String, had: usize, has: usize },

    // Structures.
    /// A structure that cannot be what it is called.
    #[error("{kind} `{structure}`: {reason}")]
    BadStructure { kind: String, structure: String, reason: String },
    /// A synapsis that finds no way through the ports.
    #[error("synapsis `{synapsis}` finds no way {role}:\n    {path}\n  {reason}")]
    Wiring { synapsis: String, role: &'static str, path: String, reason: String },
    /// A behaviour that cannot be given to the projections of a synapsis.
    #[error("synapsis `{synapsis}` cannot hand {behaviour} to its projections: let the type be `Clone`")]
    NotCopied { synapsis: String, behaviour: String },
    /// Something that cannot be written down.
    #[error("`{group}` cannot be saved: {reason}")]
    NotSaved { group: String, reason: String },
    /// A description that cannot be built.
    #[error("{place}: {reason}")]
    NotLoaded { place: String, reason: String },

    // Running.
    /// A state variable that stopped being a finite number.
    #[error(
        "population `{population}`: {variable} of neuron {index} became {value} at step {step}: look for weights, currents or parameters that are too large, or a dt that is too long"
    )]
    NotFinite { population: String, variable: &'static str, index: usize, value: f64, step: u64 },
    /// A user's system that has no definite place in the step.
    #[error(
        "the step has no definite order: {reason}. Add your system with `add_system(stage, system)`, which puts it behind the stage's own systems"
    )]
    AmbiguousStep { reason: String },
    /// A recorder could not write or read what it was asked to.
    #[error("recorder `{recorder}`: {reason}")]
    Recorder { recorder: String, reason: String },
}

/// One message a line; those that differ in the group alone are told once, for the first of them.
fn list(errors: &[Error]) -> String {
    let mut told: Vec<(String, String, Vec<&str>)> = Vec::new();
    for error in errors {
        let message = error.to_string();
        let alike =
            error.group().map_or_else(String::new, |group| message.replace(&format!("`{group}`"), ""));
        let same = told.iter_mut().find(|(other, ..)| *other == alike && !alike.is_empty());
        match (same, error.group()) {
            (Some((.., others)), Some(group)) => others.push(group),
            _ => told.push((alike, message, Vec::new())),
        }
    }
    let line = |(_, message, others): (String, String, Vec<&str>)| match others[..] {
        [] => format!("\n  - {message}"),
        [other] => format!("\n  - {message} (and so for `{other}`)"),
        [first, .., last] => {
            format!("\n  - {message} (and so for {} others, from `{first}` to `{last}`)", others.len())
        }
    };
    told.into_iter().map(line).collect()
}

/// How a projection of this connectivity comes to fewer synapses.
fn fewer(connectivity: &str) -> &'static str {
    match connectivity {
        "Static" => "fewer by its `Connections`",
        "Sparse" => "a lower density, or fewer by its `Connections`",
        _ => "`Sparse` with a density, or `Sparse` or `Static` with `Connections`",
    }
}

/// So many of them, in words.
fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

impl Error {
    /// The group whose parameter is wrong, where one is.
    fn group(&self) -> Option<&str> {
        match self {
            Error::ParameterLength { group, .. }
            | Error::ParameterNotFinite { group, .. }
            | Error::ParameterRange { group, .. } => Some(group),
            _ => None,
        }
    }
}

fn suggest(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map_or_else(String::new, |s| format!(": did you mean `{s}`?"))
}

fn at(index: &Option<usize>) -> String {
    index.map_or_else(String::new, |i| format!(" at neuron {i}"))
}

/// What the Build and Step schedules found wrong so far.
#[derive(Resource, Default, Debug)]
pub struct Problems(Vec<Error>);

impl Problems {
    /// Notes `error`.
    pub fn push(&mut self, error: Error) {
        self.0.push(error);
    }

    /// Notes the error of `result`, if it is one, and gives the value else.
    pub fn check<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|e| self.push(e)).ok()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all problems and gives them as one error.
    ///
    /// # Errors
    /// The one problem itself, or [`Error::Several`].
    pub fn take(&mut self) -> Result<()> {
        let mut all = std::mem::take(&mut self.0);
        match all.len() {
            0 => Ok(()),
            1 => Err(all.swap_remove(0)),
            _ => Err(Error::Several(all)),
        }
    }
}
