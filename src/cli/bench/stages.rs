//! How long each stage of the step takes.

use conex::prelude::*;
use conex::systems::schedule::add_probe_systems;
use std::time::{Duration, Instant};

/// When the last stage ended, and how long each took so far.
#[derive(Resource)]
struct StageTimes {
    last: Instant,
    spent: [Duration; StepSystems::ALL.len()],
}

/// Takes the time at the end of each stage. What happens between two steps counts for the first.
pub fn time_stages(net: &mut Neocortex) {
    let spent = [Duration::ZERO; StepSystems::ALL.len()];
    net.world_mut().insert_resource(StageTimes { last: Instant::now(), spent });
    for (k, stage) in StepSystems::ALL.into_iter().enumerate() {
        let take_time = move |mut times: ResMut<StageTimes>| {
            let now = Instant::now();
            let spent = now - times.last;
            times.last = now;
            times.spent[k] += spent;
        };
        add_probe_systems(net.world_mut(), stage, take_time);
    }
}

/// Starts anew.
pub fn forget(net: &mut Neocortex) {
    if let Some(mut times) = net.world_mut().get_resource_mut::<StageTimes>() {
        times.spent = Default::default();
        times.last = Instant::now();
    }
}

/// What each stage took \[us a step\]; nothing if it was not timed.
pub fn spent(net: &Neocortex, steps: f64) -> Vec<(String, f64)> {
    let times = net.world().get_resource::<StageTimes>();
    let spent = times.into_iter().flat_map(|times| StepSystems::ALL.into_iter().zip(times.spent));
    spent.map(|(stage, spent)| (format!("{stage:?}"), spent.as_secs_f64() * 1e6 / steps)).collect()
}
