//! Items as JSON for people and scripts: property names in lower case, structured values with named parts.
//!
//! A property that occurs more than once is an array. One with parameters or a group is an object whose `value` is the
//! value and whose other keys are the parameters in lower case. Components (`vevent`, `valarm` ...) are arrays of objects.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::model::{Component, Part, Property, Record, Text, Value};

const NAME_PARTS: [&str; 5] = ["family", "given", "additional", "prefix", "suffix"];
const ADDRESS_PARTS: [&str; 7] = [
    "po_box", "extended", "street", "locality", "region", "code", "country",
];

/// Deepest component that is shown; the readers make none as deep.
const MAX_DEPTH: usize = 16;

/// Shows an item: `kind`, and its properties and components.
pub fn to_json(record: &Record) -> Json {
    let mut object = component(&record.root, 0);
    object.insert("kind".to_owned(), json!(record.kind));
    Json::Object(object)
}

fn component(component: &Component, depth: usize) -> Map<String, Json> {
    let mut object = Map::new();
    for property in &component.properties {
        let name = property.name.as_str().to_ascii_lowercase();
        let value = self::property(property);
        match object.get_mut(&name) {
            None => {
                let several = component.all(&property.name).nth(1).is_some();
                object.insert(
                    name,
                    if several {
                        Json::Array(vec![value])
                    } else {
                        value
                    },
                );
            }
            Some(Json::Array(values)) => values.push(value),
            Some(_) => {}
        }
    }
    if depth < MAX_DEPTH {
        for child in &component.children {
            let value = Json::Object(self::component(child, depth + 1));
            match object
                .entry(child.name.to_ascii_lowercase())
                .or_insert_with(|| json!([]))
            {
                Json::Array(values) => values.push(value),
                other => *other = json!([other.clone(), value]),
            }
        }
    }
    object
}

fn property(property: &Property) -> Json {
    let value = match &property.value {
        Value::Text(text) => json!(text),
        Value::Binary(bytes) => json!({ "base64": STANDARD.encode(bytes) }),
        Value::Parts(parts) => match property.name.as_str() {
            "N" => named(parts, &NAME_PARTS),
            "ADR" => named(parts, &ADDRESS_PARTS),
            "GEO" => named(parts, &["latitude", "longitude"]),
            "CATEGORIES" | "NICKNAME" => json!(parts.iter().flatten().collect::<Vec<_>>()),
            _ => parts.iter().map(|part| one_or_many(part)).collect(),
        },
    };
    if property.params.is_empty() && property.group.is_none() {
        return value;
    }
    let mut object = Map::new();
    object.insert("value".to_owned(), value);
    if let Some(group) = &property.group {
        object.insert("group".to_owned(), json!(group));
    }
    for param in &property.params {
        let values: Json = match param.name.as_str() {
            "TYPE" => param
                .values
                .iter()
                .map(|value| value.as_str().to_ascii_lowercase())
                .collect(),
            _ => one_or_many(&param.values),
        };
        object.insert(param.name.to_ascii_lowercase().into(), values);
    }
    Json::Object(object)
}

fn one_or_many(values: &[Text]) -> Json {
    match values {
        [] => json!(""),
        [one] => json!(one),
        many => json!(many),
    }
}

/// The parts that have something in them, by name.
fn named(parts: &[Part], names: &[&str]) -> Json {
    let mut object = Map::new();
    for (index, part) in parts.iter().enumerate() {
        if part.iter().any(|value| !value.is_empty()) {
            let name = names
                .get(index)
                .map_or_else(|| index.to_string(), |name| (*name).to_owned());
            object.insert(name, one_or_many(part));
        }
    }
    Json::Object(object)
}

#[cfg(test)]
mod tests {
    use super::super::{ReadHint, read};
    use super::*;

    #[test]
    fn a_contact_is_readable() {
        let body = b"BEGIN:VCARD\nVERSION:3.0\nN:Doe;Jane;A,B;;\nFN:Jane\nTEL;TYPE=home:1\nTEL:2\nCATEGORIES:x,y\n\
            ORG:ACME;R&D\nPHOTO;ENCODING=b;TYPE=PNG:AQI=\nitem1.X-FOO:a;b\nEND:VCARD";
        let parsed = read(body, &ReadHint::default()).expect("a card");
        let expected = json!({
            "kind": "contact",
            "n": { "family": "Doe", "given": "Jane", "additional": ["A", "B"] },
            "fn": "Jane",
            "tel": [{ "value": "1", "type": ["home"] }, "2"],
            "categories": ["x", "y"],
            "org": ["ACME", "R&D"],
            "photo": { "value": { "base64": "AQI=" }, "type": ["png"] },
            "x-foo": { "value": ["a", "b"], "group": "item1" },
        });
        assert_eq!(to_json(&parsed.record), expected);
    }
}
