//! What each behaviour belongs on and needs, as a table.

use bevy_ecs::prelude::*;
use conex_systems::registry::{Behaviour, Need, Place, Registry};

/// Every behaviour that the network knows: what it belongs on, the stage that it acts in, and what it needs on its own
/// group, on the source and on the target of its projection, and in the network. In Markdown.
pub fn dependency_table(world: &World) -> String {
    let mut table = String::from(
        "| behaviour | belongs on a | acts in | needs on its own group | on its source | on its target | in the network |\n\
         |---|---|---|---|---|---|---|\n",
    );
    if let Some(registry) = world.get_resource::<Registry>() {
        registry.behaviours().iter().for_each(|behaviour| table += &row(behaviour));
    }
    table
}

fn row(behaviour: &Behaviour) -> String {
    let needs = |place: Place| {
        let here = behaviour.needs.iter().filter(|need| need.place == place);
        here.map(told).collect::<Vec<_>>().join("; ")
    };
    let stage = behaviour.stage.map_or_else(String::new, |stage| format!("`{stage:?}`"));
    let [own, source, target, network] =
        [Place::Own, Place::Source, Place::Target, Place::Network].map(needs);
    format!(
        "| `{}` | {} | {stage} | {own} | {source} | {target} | {network} |\n",
        behaviour.name, behaviour.on
    )
}

fn told(need: &Need) -> String {
    let condition = if need.condition.is_empty() { String::new() } else { format!(", {}", need.condition) };
    format!("{} (`{}`{condition})", need.what, need.remedy)
}
