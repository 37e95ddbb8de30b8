//! A network as an indented tree.

use super::{Description, PopulationDescription, ProjectionDescription, StructureDescription};
use std::fmt::Write;

/// One line of the tree, and what stands below it.
struct Node {
    line: String,
    below: Vec<Node>,
}

impl Description {
    /// The structures, what is in them, and their ports, as an indented tree.
    pub fn tree(&self) -> String {
        let mut drawn = format!("{}\n", self.summary());
        draw(&self.inside(None), "", &mut drawn);
        drawn
    }

    /// What is inside a structure, or at the top: populations, structures, projections, ports.
    fn inside(&self, place: Option<&str>) -> Vec<Node> {
        let here = |within: &Option<String>| within.as_deref() == place;
        let mut nodes = Vec::new();
        for p in self.populations.iter().filter(|p| here(&p.within)) {
            nodes.push(Node { line: population(p, place), below: Vec::new() });
        }
        for s in self.structures.iter().filter(|s| here(&s.within)) {
            let mut below = self.inside(Some(&s.name));
            below.extend(ports(s));
            nodes.push(Node { line: format!("{} ({})", relative(&s.name, place), s.kind), below });
        }
        for p in self.projections.iter().filter(|p| here(&p.within)) {
            nodes.push(Node { line: projection(p, place), below: Vec::new() });
        }
        nodes
    }
}

/// A name without the path of the structure that it stands in.
fn relative<'a>(name: &'a str, place: Option<&str>) -> &'a str {
    place.and_then(|place| name.strip_prefix(place)?.strip_prefix('/')).unwrap_or(name)
}

fn population(p: &PopulationDescription, place: Option<&str>) -> String {
    let [depth, height, width] = p.shape;
    let shape =
        if depth == 1 && height == 1 { String::new() } else { format!(" ({depth} x {height} x {width})") };
    format!("{}: {} neurons{shape}; {}", relative(&p.name, place), p.neurons, p.behaviour_names.join(", "))
}

fn projection(p: &ProjectionDescription, place: Option<&str>) -> String {
    let sign = if p.inhibitory { ", inhibitory" } else { "" };
    let weights = p.weights.map_or_else(|| "not built".to_string(), |w| format!("{w} weights"));
    let ends = match &p.synapsis {
        Some(synapsis) => format!("{} → {} (through {})", p.source, p.target, relative(synapsis, place)),
        None => relative(&p.name, place).replace("->", "→"),
    };
    format!("{ends}: {weights}{sign}; {}", p.behaviour_names.join(", "))
}

fn ports(s: &StructureDescription) -> impl Iterator<Item = Node> + '_ {
    s.ports.iter().map(|port| {
        let inner: Vec<&str> = port.inner.iter().map(|inner| relative(inner, Some(&s.name))).collect();
        let line = format!("{} port `{}`: {}", port.direction, port.label, inner.join(", "));
        Node { line, below: Vec::new() }
    })
}

fn draw(nodes: &[Node], indent: &str, drawn: &mut String) {
    for (k, node) in nodes.iter().enumerate() {
        let last = k + 1 == nodes.len();
        let (branch, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        // Writing to a string never fails.
        let _ = writeln!(drawn, "{indent}{branch}{}", node.line);
        draw(&node.below, &format!("{indent}{below}"), drawn);
    }
}
