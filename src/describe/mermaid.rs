//! A network as a Mermaid flowchart: structures are boxes, populations are nodes, projections are arrows.

use super::Description;
use std::collections::HashMap;
use std::fmt::Write;

impl Description {
    /// The network as a Mermaid flowchart, which Markdown viewers draw. Inhibitory projections end in a circle.
    pub fn mermaid(&self) -> String {
        let mut drawn = "flowchart LR\n".to_string();
        let ids: HashMap<&str, String> =
            self.populations.iter().enumerate().map(|(k, p)| (p.name.as_str(), format!("p{k}"))).collect();
        self.boxes(None, 1, &ids, &mut drawn);
        for p in &self.projections {
            let (Some(source), Some(target)) = (ids.get(&p.source[..]), ids.get(&p.target[..])) else {
                continue;
            };
            let arrow = if p.inhibitory { "--o" } else { "-->" };
            // The compartment and the strength say less than kind and rule.
            let told = p.behaviour_names.iter().filter(|name| {
                !["WeightInitializer", "CurrentCoef", "Compartment", "PreTrace", "PostTrace"]
                    .contains(&name.as_str())
            });
            let label = told.cloned().collect::<Vec<_>>().join(", ");
            let label = if label.is_empty() { String::new() } else { format!("|\"{}\"|", escaped(&label)) };
            let _ = writeln!(drawn, "  {source} {arrow}{label} {target}");
        }
        drawn
    }

    fn boxes(&self, place: Option<&str>, depth: usize, ids: &HashMap<&str, String>, drawn: &mut String) {
        let indent = "  ".repeat(depth);
        let relative = |name: &str| {
            let inside = place.and_then(|place| name.strip_prefix(place)?.strip_prefix('/'));
            escaped(inside.unwrap_or(name))
        };
        for p in self.populations.iter().filter(|p| p.within.as_deref() == place) {
            let id = ids.get(&p.name[..]).map_or("", String::as_str);
            let _ = writeln!(drawn, "{indent}{id}[\"{}<br/>{}\"]", relative(&p.name), p.neurons);
        }
        for (k, s) in self.structures.iter().enumerate().filter(|(_, s)| s.within.as_deref() == place) {
            let holds = |within: &Option<String>| within.as_deref() == Some(&s.name);
            // Mermaid draws no empty boxes: a connection is seen by its arrows.
            let empty = !self.populations.iter().any(|p| holds(&p.within))
                && !self.structures.iter().any(|inner| holds(&inner.within));
            if !empty {
                let _ = writeln!(drawn, "{indent}subgraph s{k}[\"{} ({})\"]", relative(&s.name), s.kind);
                self.boxes(Some(&s.name), depth + 1, ids, drawn);
                let _ = writeln!(drawn, "{indent}end");
            }
        }
    }
}

/// Quotes and brackets would end a label.
fn escaped(label: &str) -> String {
    let mut text = String::with_capacity(label.len());
    for c in label.chars() {
        match c {
            '"' => text.push_str("#quot;"),
            '#' => text.push_str("#35;"),
            '<' => text.push_str("#lt;"),
            '>' => text.push_str("#gt;"),
            '\n' => text.push(' '),
            c => text.push(c),
        }
    }
    text
}
