//! Neuron models with receptors, and what arrives there, asked for in vain.

use super::network::*;
use conex::Result;
use conex::prelude::*;
use conex::systems::Error::*;

#[test]
fn receptors_take_the_place_of_a_dendrite() -> Result<()> {
    for result in [
        population(2, (LifPscExp::default(), SimpleDendriteStructure::default())),
        population(2, (LifCondExp::default(), SimpleDendriteStructure::new(3))),
    ] {
        let error =
            refused(result, &["`L4/exc`", "receptors and a dendrite", "remove `SimpleDendriteStructure`"]);
        assert_eq!(error, DendriteAndReceptors { population: "L4/exc".into() });
    }
    // Nothing waits there, so a projection has no destination delays.
    let mut net = network()?;
    let retina = net.neurons("retina", 3, (InputSpikes::default(), NeuronAxon::new(2)))?;
    let cortex = net.neurons("cortex", 2, LifPscExp::default())?;
    net.synapses(retina, cortex, (dense(), DelayInitializer::destination(2)))?;
    let error = refused(net.build(), &["`retina -> cortex`", "`cortex` has receptors", "SynapticDelays"]);
    assert!(matches!(error, DelayAtReceptors { .. }));
    Ok(())
}

#[test]
fn a_poisson_drive_needs_receptors() {
    for result in [
        population(2, (Lif::default(), PoissonDrive::default())),
        population(2, (dendrite(), PoissonDrive::default())),
        population(2, (InputSpikes::default(), PoissonDrive::default())),
    ] {
        let error = refused(result, &["`L4/exc`", "PoissonDrive", "receptors", "add `LifPscExp::default()`"]);
        assert!(matches!(error, MissingBehaviour { .. }), "{error:?}");
    }
}

#[test]
fn parameters_of_models_with_receptors_stay_within_their_range() {
    let current = LifPscExp::default;
    let conductance = LifCondExp::default;
    let drive = |sources: f64, rate: f64, weight: Real| {
        population(2, (LifPscExp::default(), PoissonDrive::new(sources, rate, weight)))
    };
    for (parameter, value, result) in [
        ("`tau`", "0", population(2, current().tau(0.0))),
        ("`c`", "-250", population(2, current().c(-250.0))),
        ("`tau_syn`", "0", population(2, current().tau_syn(vec![0.5, 0.0]))),
        ("`tau_syn_inh`", "-1", population(2, current().tau_syn_inh(-1.0))),
        ("`tau_syn`", "-2", population(2, LifPscAlpha::default().tau_syn(-2.0))),
        ("`tau_syn_inh`", "0", population(2, LifPscAlpha::default().tau_syn_inh(vec![1.0, 0.0]))),
        ("`c`", "0", population(2, conductance().c(0.0))),
        ("`g_leak`", "0", population(2, conductance().g_leak(0.0))),
        ("`tau_syn_exc`", "-5", population(2, conductance().tau_syn_exc(-5.0))),
        ("`tau_syn_inh`", "0", population(2, conductance().tau_syn_inh(0.0))),
        ("`init_g_exc`", "-1", population(2, conductance().init_g_exc(-1.0))),
        ("`init_g_inh`", "-2", population(2, conductance().init_g_inh(vec![0.0, -2.0]))),
        ("`rate`", "-8", drive(1000.0, -8.0, 1.0)),
        ("`sources`", "-1", drive(-1.0, 8.0, 1.0)),
        // 10^9 spikes a step: nobody means that, and a table of so many takes seconds.
        ("`rate`", "1000000", drive(1e6, 1e6, 1.0)),
    ] {
        let error = refused(result, &["`L4/exc`", parameter, &format!("got {value} for"), "must be"]);
        assert!(matches!(error, ParameterRange { .. }), "{error:?}");
    }
    for (parameter, result) in [
        ("`tau_syn` at neuron 1", population(2, current().tau_syn(vec![0.5, f64::NAN]))),
        ("`threshold`", population(2, current().threshold(f64::INFINITY))),
        ("`e_inh`", population(2, conductance().e_inh(f64::NEG_INFINITY))),
        ("`rate`", drive(1000.0, f64::NAN, 1.0)),
        ("`sources`", drive(f64::INFINITY, 8.0, 1.0)),
        ("`weight`", drive(1000.0, 8.0, Real::NAN)),
        ("`weight`", drive(1000.0, 8.0, Real::NEG_INFINITY)),
    ] {
        let error = refused(result, &["`L4/exc`", parameter, "finite"]);
        assert!(matches!(error, ParameterNotFinite { .. }), "{error:?}");
    }
    let short = vec![1.0, 2.0];
    for (parameter, result) in [
        ("`c`", population(3, current().c(short.clone()))),
        ("`tau_syn_inh`", population(3, current().tau_syn_inh(short.clone()))),
        ("`g_leak`", population(3, conductance().g_leak(short.clone()))),
        ("`init_g_exc`", population(3, conductance().init_g_exc(short.clone()))),
        ("`sources`", population(3, (current(), PoissonDrive::new(short.clone(), 8.0, 1.0)))),
        ("`rate`", population(3, (current(), PoissonDrive::new(9.0, short, 1.0)))),
    ] {
        let error = refused(result, &["`L4/exc`", parameter, "3 neurons", "one per neuron"]);
        assert!(matches!(error, ParameterLength { expected: 3, given: 2, .. }), "{error:?}");
    }
}

/// A network with a driven population of 3 neurons, whose stages pass in one or, with a user's system between them, one by one.
fn driven(apart: bool) -> Result<(Neocortex, Entity)> {
    let mut net = network()?;
    if apart {
        net.add_system(StepSystems::Noise, || {});
    }
    let drive = PoissonDrive::new(1000.0, 8.0, 400.0);
    let neuron = (LifPscExp::default(), drive, RefractoryPeriod::new(1.0));
    let exc = net.neurons("L4/exc", 3, neuron)?;
    Ok((net, exc))
}

/// A parameter, what it must be, and a change that makes it something else.
type Spoil<'a> = (&'a str, &'a str, &'a dyn Fn(&mut EntityWorldMut));

#[test]
fn parameters_that_are_spoiled_between_steps_end_the_run_until_they_are_mended() -> Result<()> {
    let short = || vec![1.0; 2];
    let drive = |rate: f64, weight: Real| PoissonDrive::new(1000.0, rate, weight);
    for apart in [false, true] {
        let (mut net, exc) = driven(apart)?;
        net.run(20)?;
        let spoilt: [Spoil; 9] = [
            ("`tau`", "one per neuron", &|e| _ = e.insert(LifPscExp::default().tau(short()))),
            ("`tau_syn`", "above 0", &|e| _ = e.insert(LifPscExp::default().tau_syn(-1.0))),
            ("`c`", "finite", &|e| _ = e.insert(LifPscExp::default().c(f64::NAN))),
            ("`rate`", "one per neuron", &|e| _ = e.insert(PoissonDrive::new(9.0, short(), 1.0))),
            ("`rate`", "0 or more", &|e| _ = e.insert(drive(-1.0, 1.0))),
            ("`rate`", "at most 1000000", &|e| _ = e.insert(drive(1e9, 1.0))),
            ("`weight`", "finite", &|e| _ = e.insert(drive(8.0, Real::NAN))),
            ("`duration`", "one per neuron", &|e| _ = e.insert(RefractoryPeriod::new(short()))),
            ("`duration`", "0 or more", &|e| _ = e.insert(RefractoryPeriod::new(-1.0))),
        ];
        for (parameter, requirement, spoil) in spoilt {
            spoil(&mut net.world_mut().entity_mut(exc));
            for _ in 0..2 {
                refused(net.run(20), &["`L4/exc`", parameter, requirement]);
            }
            let mended = (LifPscExp::default(), drive(8.0, 400.0), RefractoryPeriod::new(1.0));
            net.world_mut().entity_mut(exc).insert(mended);
            let counts = net.count_spikes(exc)?;
            net.run(100)?;
            assert!(counts.get().iter().all(|n| *n > 0), "it goes on behind {parameter}");
        }
    }
    Ok(())
}

#[test]
fn a_change_for_the_better_counts_though_another_group_is_unsound() -> Result<()> {
    let (mut net, exc) = driven(false)?;
    let other = net.neurons("other", 2, Lif::default())?;
    net.run(5)?;
    net.world_mut().entity_mut(other).insert(Lif::default().tau(-1.0));
    net.world_mut().entity_mut(exc).insert(PoissonDrive::new(1000.0, 0.0, 400.0));
    refused(net.run(5), &["`other`", "`tau`"]);
    net.world_mut().entity_mut(other).insert(Lif::default());
    net.run(50)?;
    let counts = net.count_spikes(exc)?;
    net.run(200)?;
    assert_eq!(counts.get(), [0; 3], "no source fires any more");
    Ok(())
}

#[test]
fn the_number_of_receptors_stays_as_it_was_built() -> Result<()> {
    let (mut net, exc) = driven(false)?;
    net.run(5)?;
    net.world_mut().entity_mut(exc).insert(LifPscExp::default().tau_syn_inh(2.0));
    for _ in 0..2 {
        let error = refused(net.run(5), &["`L4/exc`", "had 1 receptors", "has 2 now"]);
        assert!(matches!(error, ReceptorsChanged { had: 1, has: 2, .. }));
    }
    net.world_mut().entity_mut(exc).insert(LifPscExp::default());
    net.run(5)
}

#[test]
fn a_receptor_takes_the_sign_that_it_is_for() -> Result<()> {
    for model in 0..3 {
        for (inhibitory, receptor) in [(false, "excitation"), (true, "inhibition")] {
            let mut net = network()?;
            let source = net.neurons("source", 2, (InputSpikes::default(), NeuronAxon::default()))?;
            if inhibitory {
                net.world_mut().entity_mut(source).insert(Inhibitory);
            }
            let target = match model {
                0 => net.neurons("target", 2, LifCondExp::default())?,
                1 => net.neurons("target", 2, LifPscExp::default().tau_syn_inh(2.0))?,
                _ => net.neurons("target", 2, LifPscExp::default())?,
            };
            let weights = WeightInitializer::dense(vec![2, 2], vec![1.0, 1.0, 1.0, -0.5]);
            net.synapses(source, target, (Dense, weights, Proximal))?;
            net.set_input(source, &[0])?;
            net.run(2)?;
            net.set_input(source, &[1])?;
            if model == 2 {
                // A single current takes both signs.
                net.run(5)?;
                continue;
            }
            let parts = ["`source -> target`", "neuron 1", "`target`", receptor, "Inhibitory", "Static"];
            let error = refused(net.run(5), &parts);
            assert!(matches!(error, WrongReceptor { neuron: 1, .. }), "{error:?}");
            net.run(5)?;
        }
    }
    Ok(())
}
