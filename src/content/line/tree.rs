//! Lines kept as a tree of raw values between a form's writer and the wire, so that a dialect can change them.

use super::super::{Component, Param, Property, Value};
use super::Writer;

/// A tree that grows line by line.
#[derive(Debug, Default)]
pub(super) struct Tree {
    open: Vec<Component>,
    root: Option<Component>,
}

impl Tree {
    /// Takes a line; the value is escaped as the form wants it.
    pub(super) fn line(&mut self, group: Option<&str>, name: &str, params: &[Param], value: Value) {
        match name {
            "BEGIN" => {
                let name = value.as_text().unwrap_or_default();
                self.open.push(Component::new(name));
            }
            "END" => {
                if let Some(closed) = self.open.pop() {
                    match self.open.last_mut() {
                        Some(outer) => outer.children.push(closed),
                        None => self.root = Some(closed),
                    }
                }
            }
            _ => {
                if let Some(component) = self.open.last_mut() {
                    component.properties.push(Property {
                        group: group.map(str::to_owned),
                        name: name.into(),
                        params: params.into(),
                        value,
                    });
                }
            }
        }
    }

    /// The outermost component.
    pub(super) fn finish(self) -> Component {
        self.root.unwrap_or_default()
    }
}

/// Writes a tree of raw values. Depth is that of what a form's writer made.
pub(in super::super) fn write_tree(tree: &Component, out: &mut Writer) {
    out.begin(&tree.name);
    // A nested card stands in the value of an AGENT that is empty otherwise.
    let opens = |property: &&Property| property.name == "AGENT" && property.value.is_blank();
    let mut agents = tree.properties.iter().filter(opens);
    for property in tree.properties.iter().filter(|property| !opens(property)) {
        line(property, out);
    }
    for child in &tree.children {
        if child.name == "VCARD"
            && let Some(agent) = agents.next()
        {
            line(agent, out);
        }
        write_tree(child, out);
    }
    out.end(&tree.name);
}

fn line(property: &Property, out: &mut Writer) {
    let group = property.group.as_deref();
    match &property.value {
        Value::Text(text) => out.raw(group, &property.name, &property.params, text),
        Value::Binary(data) => out.binary(group, &property.name, &property.params, data),
        Value::Parts(parts) => out.parts(group, &property.name, &property.params, parts),
    }
}
