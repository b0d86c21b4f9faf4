//! Where the paths of a document are, and which of its parts the API's own document does not have.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::dialect::document::{ADDED, Document};

/// Puts the document where the server is: this server first, then the API's own; paths relative to where clients of the API begin. A path
/// that does not lie there has a server of its own.
pub(super) fn put(value: &mut Value, document: &Document, origin: &str) {
    let mut servers = vec![json!({ "url": format!("{origin}{}", document.base), "description": "This server", ADDED: true })];
    servers.extend(document.servers.iter().map(|url| json!({ "url": url })));
    value["servers"] = servers.into();
    let Some(paths) = value.get_mut("paths").and_then(Value::as_object_mut) else { return };
    *paths = std::mem::take(paths).into_iter().map(|(path, item)| within(path, item, document.base, origin)).collect();
}

fn within(path: String, mut item: Value, base: &str, origin: &str) -> (String, Value) {
    match path.strip_prefix(base) {
        Some(rest) => (rest.to_owned(), item),
        None => {
            item["servers"] = json!([{ "url": origin }]);
            item[ADDED] = true.into();
            (path, item)
        }
    }
}

/// Marks the schemas that nothing refers to but what is marked itself: the API's own document has no such model.
pub(super) fn mark_schemas(document: &mut Value) {
    let mut own = document.clone();
    strip(&mut own);
    let empty = Map::new();
    let schemas = own.pointer("/components/schemas").and_then(Value::as_object).unwrap_or(&empty);
    let mut named = BTreeSet::new();
    let mut found = references(&own["paths"]);
    while let Some(name) = found.pop() {
        if named.insert(name.clone()) {
            found.extend(schemas.get(&name).map(references).unwrap_or_default());
        }
    }
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else { return };
    for (_, schema) in schemas.iter_mut().filter(|(name, _)| !named.contains(*name)) {
        schema[ADDED] = true.into();
    }
}

fn is_added(value: &Value) -> bool {
    value.get(ADDED) == Some(&Value::Bool(true))
}

/// Takes out what is marked.
fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !is_added(member));
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => {
            items.retain(|item| !is_added(item));
            items.iter_mut().for_each(strip);
        }
        _ => {}
    }
}

/// The names of the schemas that a part of a document refers to.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str).and_then(|at| at.strip_prefix("#/components/schemas/"));
            own.map(str::to_owned).into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
