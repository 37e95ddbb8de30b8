//! The network that learns images without labels, and the images.
//!
//! ON and OFF cells of a retina show each image as Poisson spikes. They reach excitatory neurons through plastic synapses.
//! An excitatory neuron that fires excites the inhibitory population, which silences all others: whoever crosses the
//! threshold first has won. STDP moves the winner's weights towards the image, normalization keeps their sum, so a
//! neuron becomes good at one thing; a slow adaptation current tires neurons that win often, so all get their turn.

use super::NetworkOptions;
use conex::data::{Mnist, digits};
use conex::prelude::*;
use conex::recording::SpikeCounts;
use conex::systems::dynamics::aelif::Aelif;
use ndarray::Array2;
use std::path::Path;

/// Steps that an image is shown.
const SHOWN: usize = 25;
/// Steps without input after each image.
const SILENT: usize = 8;
/// Steps of one image with its silence.
pub const STEPS_PER_IMAGE: u64 = (SHOWN + SILENT) as u64;
/// Mean intensity of the ON and OFF cells, the same for every image.
const LEVEL: Real = 0.19;

/// Images to learn from, and images to be recognized that were never seen.
pub struct Task {
    /// What the images are, for people.
    pub name: &'static str,
    /// Images to learn from, as the retina shows them.
    pub train: Images,
    /// Images never seen before, as the retina shows them.
    pub test: Images,
    /// Rounds over the training images by default.
    pub rounds: u64,
    /// How strongly the retina drives the excitatory neurons.
    drive: Real,
    /// The share of its weights that a neuron replaces at a spike, about.
    pace: Real,
    /// What a spike adds to the adaptation of its neuron: more where there is less time for all to get their turn.
    fatigue: Real,
}

impl Task {
    /// The digits that come with conex, or MNIST in `folder`.
    pub fn load(folder: Option<&Path>) -> conex::Result<Task> {
        // A fixed shuffle of the digits, whose file is sorted by writer: the parts are the same for every seed. Drive and
        // fatigue were chosen on the last 300 of the 1,297 training digits and on 1,000 training images of MNIST.
        let (name, rounds, drive, pace, fatigue, (train, test)) = match folder {
            None => ("UCI digits", 8, 5.0, 0.1, 0.15, digits()?.shuffled(1).split(1297)),
            Some(folder) => ("MNIST", 1, 7.0, 0.25, 0.3, Mnist::read(folder)?),
        };
        let mean = train.mean();
        let (train, test) = (train.on_off_contrast(&mean, LEVEL)?, test.on_off_contrast(&mean, LEVEL)?);
        Ok(Task { name, train, test, rounds, drive, pace, fatigue })
    }
}

/// The network, and the groups of it that matter.
pub struct Learner {
    pub net: Neocortex,
    pub retina: Entity,
    pub exc: Entity,
    pub inh: Entity,
    /// The projection that learns.
    pub learning: Entity,
}

impl Learner {
    /// Builds the network for `task`.
    pub fn build(options: &NetworkOptions, task: &Task) -> conex::Result<Learner> {
        let mut net = Neocortex::with(options.settings())?;
        let shape = task.train.shape();
        let inputs = shape.len() as Real;
        let excited = options.neurons;
        let inhibitors = (excited / 4).max(1);
        let dendrite = SimpleDendriteStructure::default;

        let retina = net.neurons("retina", shape, (stimulus(&task.train)?, NeuronAxon::default()))?;
        // The exponential stands far above the threshold: a leaky neuron with adaptation is left.
        let neuron = Aelif::default()
            .tau(10.0)
            .r(1.0)
            .threshold(0.8)
            .v_rest(0.0)
            .v_reset(0.0)
            .init_v(0.0)
            .delta(0.1)
            .theta_rh(100.0)
            .alpha(0.0)
            .beta(task.fatigue)
            .w_tau(20_000.0);
        let competition = (Kwta::new(1), RefractoryPeriod::new(2.0));
        let exc = net.neurons("exc", excited, (neuron, competition, dendrite(), NeuronAxon::default()))?;
        let fast = Lif::default().tau(5.0).threshold(0.5);
        let inh = net.neurons("inh", inhibitors, (fast, Inhibitory, dendrite(), NeuronAxon::default()))?;

        let plasticity = (
            PreTrace::new(10.0),
            PostTrace::new(10.0),
            // The norm of 1 is shared by all inputs.
            Stdp::new(1.28 * task.pace / inputs, 0.0),
            WeightNormalization::new(1.0),
            WeightClip::new(0.0, 1.0),
        );
        let start = WeightInitializer::uniform(0.2, 0.8);
        let learning =
            net.synapses(retina, exc, (Dense, start, Proximal, CurrentCoef(task.drive), plasticity))?;
        net.synapses(exc, inh, (Dense, WeightInitializer::constant(10.0), Proximal))?;
        let inhibition = WeightInitializer::constant(5.0 / inhibitors as Real);
        net.synapses(inh, exc, (Dense, inhibition, Proximal))?;
        Ok(Learner { net, retina, exc, inh, learning })
    }

    /// Ends learning: weights and adaptation stay as they are from now on.
    pub fn freeze(&mut self) {
        self.net.set_learning(false);
        if let Some(mut neuron) = self.net.world_mut().get_mut::<Aelif>(self.exc) {
            neuron.beta = 0.0.into();
            neuron.w_tau = 1e12.into();
        }
    }

    /// Shows each image once and gives the spikes of each excitatory neuron to it, shape (images, neurons).
    pub fn answers(
        &mut self,
        images: &Images,
        counts: &SpikeCounts,
        mut shown: impl FnMut(),
    ) -> conex::Result<Array2<Real>> {
        let fresh = (stimulus(images)?, Presentation::default());
        self.net.world_mut().entity_mut(self.retina).insert(fresh);
        counts.take();
        let neurons = counts.get().len();
        let mut answers = Array2::zeros((images.len(), neurons));
        for mut answer in answers.rows_mut() {
            self.net.run(STEPS_PER_IMAGE)?;
            answer.iter_mut().zip(counts.take()).for_each(|(to, spikes)| *to = spikes as Real);
            shown();
        }
        Ok(answers)
    }
}

fn stimulus(images: &Images) -> conex::Result<Stimulus> {
    Ok(Stimulus::new(images.clone(), SimplePoisson::new(SHOWN, 1.0)?).silent_interval(SILENT))
}
