//! Turns the description of a network into the network, class by class.

use super::case::{Arrays, Behaviour, Group, Params, Simulation, SynapseGroup};
use super::trouble::{Result, fail, skip};
use super::weights;
use conex::prelude::*;
use conex::systems::spike_catching::{PostSpikes, PreSpikes};
use conex::systems::weights::{DestinationDelays, SourceDelays};

/// Whether a class is a neuron model, which upstream fires only with `Fire` beside it.
pub fn is_neuron_model(class: &str) -> bool {
    matches!(class, "LIF" | "ELIF" | "AELIF")
}

/// Builds all groups of a case, in their order.
pub fn network(case: &Simulation, arrays: &Arrays) -> Result<Neocortex> {
    let mut net = Neocortex::with(Settings { dt: case.dt, ..Default::default() })?;
    super::drives::install(&mut net);
    for behaviour in &case.network.behaviors {
        add_to_network(&mut net, behaviour, arrays)?;
    }
    for group in &case.groups {
        add_population(&mut net, case, group, arrays)?;
    }
    for group in &case.synapses {
        add_projection(&mut net, group, arrays)?;
    }
    Ok(net)
}

fn add_to_network(net: &mut Neocortex, behaviour: &Behaviour, arrays: &Arrays) -> Result<()> {
    let Behaviour { class, params } = behaviour;
    let mut p = Params::new(class, params, arrays);
    match &class[..] {
        "Payoff" => net.set_payoff(p.number("initial_payoff")?.unwrap_or(0.0))?,
        "Dopamine" => {
            let tau = p.number("tau_dopamine")?.ok_or_else(|| fail("Dopamine without tau_dopamine"))?;
            let initial_dopamine_concentration = p.number("initial_dopamine_concentration")?;
            net.set_dopamine(Dopamine { tau_dopamine: tau, initial_dopamine_concentration });
        }
        _ => return Err(skip(format!("no {class}"))),
    }
    p.finish()
}

fn add_population(net: &mut Neocortex, case: &Simulation, group: &Group, arrays: &Arrays) -> Result<()> {
    let grid = group.shape.map_or_else(|| Grid::from(group.size), Grid::from);
    let population = net.neurons(&group.name, grid, ())?;
    let mut entity = net.world_mut().entity_mut(population);
    for Behaviour { class, params } in &group.behaviors {
        let mut p = Params::new(class, params, arrays);
        match &class[..] {
            "LIF" => entity.insert(lif(&mut p)?),
            "ELIF" => entity.insert(elif(&mut p)?),
            "AELIF" => entity.insert(aelif(&mut p)?),
            // Every neuron model brings it.
            "Fire" => &mut entity,
            "KWTA" => entity.insert(kwta(&mut p)?),
            "InherentNoise" => {
                let noise = weights::noise(&mut p)?;
                weights::only_constant(noise.distribution)?;
                entity.insert(noise)
            }
            "ActivityBaseHomeostasis" => entity.insert(ActivityBaseHomeostasis {
                activity_rate: p.real("activity_rate")?,
                window_size: p.real("window_size")? as u64,
                updating_rate: p.real("updating_rate")?,
                decay_rate: p.real_or("decay_rate", 1.0)?,
            }),
            "VoltageBaseHomeostasis" => entity.insert(voltage_homeostasis(&mut p)?),
            "NeuronAxon" => entity.insert(NeuronAxon::new(p.count_or("max_delay", 1)?)),
            "SimpleDendriteStructure" => {
                let distal_max_delay = p.count_or("Distal_max_delay", 1)?;
                entity.insert(SimpleDendriteStructure {
                    proximal_max_delay: p.count_or("Proximal_max_delay", 1)?,
                    distal_max_delay,
                    apical_max_delay: Some(p.count_or("Apical_max_delay", distal_max_delay + 1)?),
                })
            }
            "SimpleDendriteComputation" => entity.insert(SimpleDendriteComputation {
                i_tau: p.number("I_tau")?.map(|x| x as _),
                apical_provocativeness: p.number("apical_provocativeness")?.map(|x| x as _),
                distal_provocativeness: p.number("distal_provocativeness")?.map(|x| x as _),
                ..Default::default()
            }),
            _ => return Err(skip(format!("no {class}"))),
        };
        p.finish()?;
    }
    if group.tags.iter().any(|tag| matches!(&tag[..], "inh" | "GABA")) {
        entity.insert(Inhibitory);
    }
    let has = |class| group.behaviors.iter().any(|b| b.class == class);
    if has("SimpleDendriteStructure") && !has("SimpleDendriteComputation") {
        // Here the structure brings it; upstream the current stays as it is.
        entity.remove::<SimpleDendriteComputation>();
    }
    let drives = || case.drives.iter().filter(|drive| drive.target == group.name);
    let forced = drives().any(|drive| drive.kind == "force_spikes");
    if group.behaviors.iter().any(|b| is_neuron_model(&b.class)) && !has("Fire") && !forced {
        return Err(skip("no neuron model without Fire"));
    }
    if case.records.iter().any(|r| r.target == group.name && r.var == "v_before_fire") {
        super::drives::watch_potential(net, population);
    }
    Ok(())
}

fn lif(p: &mut Params<'_>) -> Result<Lif> {
    Ok(Lif {
        tau: p.param("tau")?,
        r: p.param("R")?,
        threshold: p.param("threshold")?,
        v_reset: p.param("v_reset")?,
        v_rest: p.param("v_rest")?,
        init_v: p.param_or("init_v", 0.0)?,
    })
}

fn elif(p: &mut Params<'_>) -> Result<Elif> {
    let Lif { tau, r, threshold, v_reset, v_rest, init_v } = lif(p)?;
    let (delta, theta_rh) = (p.param("delta")?, p.param("theta_rh")?);
    Ok(Elif { tau, r, threshold, v_reset, v_rest, delta, theta_rh, init_v })
}

fn aelif(p: &mut Params<'_>) -> Result<Aelif> {
    let Elif { tau, r, threshold, v_reset, v_rest, delta, theta_rh, init_v } = elif(p)?;
    let (alpha, beta, w_tau) = (p.param("alpha")?, p.param("beta")?, p.param("w_tau")?);
    let omega = p.param_or("omega", 0.0)?;
    Ok(Aelif { tau, r, threshold, v_reset, v_rest, delta, theta_rh, alpha, beta, w_tau, omega, init_v })
}

fn kwta(p: &mut Params<'_>) -> Result<Kwta> {
    let k = p.real("k")? as usize;
    let dimension = match p.number("dimension")? {
        None => None,
        Some(0.0) => Some(Dimension::Depth),
        Some(1.0) => Some(Dimension::Height),
        Some(2.0) => Some(Dimension::Width),
        Some(other) => return Err(fail(format!("a population has no dimension {other}"))),
    };
    Ok(Kwta { k, dimension })
}

fn voltage_homeostasis(p: &mut Params<'_>) -> Result<VoltageBaseHomeostasis> {
    let target = p.param_or_none("target_voltage")?;
    let mut end = |name| {
        let given = p.param_or_none(name)?.or_else(|| target.clone());
        given.ok_or_else(|| fail("VoltageBaseHomeostasis without a target"))
    };
    let (max_ta, min_ta) = (end("max_ta")?, end("min_ta")?);
    Ok(VoltageBaseHomeostasis { max_ta, min_ta, eta_ip: p.param_or("eta_ip", 0.001)? })
}

fn add_projection(net: &mut Neocortex, group: &SynapseGroup, arrays: &Arrays) -> Result<()> {
    let (pre, post) = (net.find(&group.src)?, net.find(&group.dst)?);
    let projection = net.named_synapses(&group.name, pre, post, compartment(&group.tags)?)?;
    let mut entity = net.world_mut().entity_mut(projection);
    // A group without a kind of connectivity still has a current, which a drive may set.
    entity.insert((SynapticCurrent::default(), SourceDelays::default(), DestinationDelays::default()));
    let mut delays = DelayInitializer::default();
    let mut kernel = None;
    for Behaviour { class, params } in &group.behaviors {
        let mut p = Params::new(class, params, arrays);
        match &class[..] {
            // Zero delays are there without it.
            "SynapseInit" => &mut entity,
            "WeightInitializer" => {
                let weights = weights::initializer(&mut p)?;
                weights.only_certain()?;
                kernel = weights.kernel();
                entity.insert(weights.initializer)
            }
            "DelayInitializer" => {
                let destination = p.flag_or("destination", false);
                let drawn = Some(weights::delays(&mut p)?);
                *if destination { &mut delays.destination } else { &mut delays.source } = drawn;
                &mut entity
            }
            "SimpleDendriticInput" => entity.insert((Dense, current_coef(&mut p)?)),
            "SparseDendriticInput" => entity.insert((Sparse, current_coef(&mut p)?)),
            "One2OneDendriticInput" => entity.insert((One2One, current_coef(&mut p)?)),
            "Conv2dDendriticInput" => {
                let (_, height, width) = kernel.ok_or_else(|| no_kernel(class))?;
                let (stride, padding) = (p.pair_or("stride", 1)?, p.pair_or("padding", 0)?);
                entity.insert((Conv2d { kernel: (height, width), stride, padding }, current_coef(&mut p)?))
            }
            "Local2dDendriticInput" => {
                let (_, height, width) = kernel.ok_or_else(|| no_kernel(class))?;
                let (stride, padding) = (p.pair_or("stride", 1)?, p.pair_or("padding", 0)?);
                entity.insert((Local2d { kernel: (height, width), stride, padding }, current_coef(&mut p)?))
            }
            "LateralDendriticInput" => {
                let kernel = kernel.ok_or_else(|| no_kernel(class))?;
                let inhibitory = p.take("inhibitory").and_then(|v| v.as_bool());
                entity.insert((Lateral { kernel, inhibitory }, current_coef(&mut p)?))
            }
            "AveragePool2D" => entity.insert((AveragePool2d, current_coef(&mut p)?)),
            "CurrentNormalization" => entity.insert(CurrentNormalization::new(p.real_or("norm", 1.0)?)),
            "PreSpikeCatcher" => entity.insert(PreSpikes::default()),
            "PostSpikeCatcher" => entity.insert(PostSpikes::default()),
            "PreTrace" => {
                entity.insert(PreTrace::new(p.real("tau_s")?).spike_scale(p.real_or("spike_scale", 1.0)?))
            }
            "PostTrace" => {
                entity.insert(PostTrace::new(p.real("tau_s")?).spike_scale(p.real_or("spike_scale", 1.0)?))
            }
            "SimpleSTDP" | "SparseSTDP" | "One2OneSTDP" | "Conv2dSTDP" | "Local2dSTDP" => {
                entity.insert(stdp(&mut p)?)
            }
            "SimpleRSTDP" | "SparseRSTDP" | "One2OneRSTDP" | "Conv2dRSTDP" | "Local2dRSTDP" => {
                let (tau_c, init_c) = (p.real("tau_c")?, p.real_or("init_c_mode", 0.0)?);
                entity.insert(Rstdp::new(stdp(&mut p)?, tau_c).init_c(init_c))
            }
            "SimpleiSTDP" | "SparseiSTDP" | "One2OneiSTDP" => entity.insert(istdp(&mut p)?),
            "WeightNormalization" => entity.insert(WeightNormalization::new(p.real_or("norm", 1.0)?)),
            "WeightClip" => {
                entity.insert(WeightClip::new(p.real_or("w_min", 0.0)?, p.real_or("w_max", 1.0)?))
            }
            _ => return Err(skip(format!("no {class}"))),
        };
        p.finish()?;
    }
    entity.insert(delays);
    Ok(())
}

fn no_kernel(class: &str) -> super::trouble::Trouble {
    fail(format!("{class} without the shape of its kernel"))
}

fn compartment(tags: &[String]) -> Result<Compartment> {
    let mut compartments = [Proximal, Distal, Apical].into_iter();
    let tagged = |c: &Compartment| tags.iter().any(|tag| tag.to_lowercase() == c.name());
    compartments.find(tagged).ok_or_else(|| skip("no projection without a compartment"))
}

fn current_coef(p: &mut Params<'_>) -> Result<CurrentCoef> {
    Ok(CurrentCoef(p.real_or("current_coef", 1.0)?))
}

fn stdp(p: &mut Params<'_>) -> Result<Stdp> {
    Ok(Stdp {
        a_plus: p.real("a_plus")?,
        a_minus: p.real("a_minus")?,
        w_min: p.real_or("w_min", 0.0)?,
        w_max: p.real_or("w_max", 1.0)?,
        positive_bound: bound(p.word("positive_bound"))?,
        negative_bound: bound(p.word("negative_bound"))?,
    })
}

fn istdp(p: &mut Params<'_>) -> Result<Istdp> {
    Ok(Istdp {
        lr: p.real_or("lr", 1e-5)?,
        rho: p.number("rho")?.map(|x| x as _),
        alpha: p.number("alpha")?.map(|x| x as _),
        is_inhibitory: p.flag_or("is_inhibitory", true),
    })
}

fn bound(name: Option<String>) -> Result<Bound> {
    match name.as_deref() {
        None | Some("no_bound") => Ok(Bound::None),
        Some("hard_bound") => Ok(Bound::Hard),
        Some("soft_bound") => Ok(Bound::Soft),
        Some(other) => Err(skip(format!("no bound `{other}`"))),
    }
}
