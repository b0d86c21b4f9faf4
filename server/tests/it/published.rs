//! Holds every answer that any test gets against the published documents: its status, its content type, its headers' names, its body.

use std::sync::LazyLock;

use doorward::config::url::PublicUrl;
use doorward::config::{Input, load};
use doorward::openapi;
use serde_json::Value;

use super::app::ORIGIN;
use super::reply::Reply;

/// The documents of a server that has everything switched on, by name.
pub(crate) static DOCUMENTS: LazyLock<Vec<(&'static str, Value)>> = LazyLock::new(|| {
    let config = load(&Input::default()).unwrap().config;
    let documents = openapi::documents(&config.dialects, &PublicUrl::parse(ORIGIN).unwrap()).unwrap();
    documents.into_iter().map(|published| (published.name, published.document)).collect()
});

pub(crate) fn document(name: &str) -> &'static Value {
    &DOCUMENTS.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no document {name}")).1
}

/// The methods of path items, as documents write them.
pub(crate) const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// Where a path of a document is on this server.
pub(crate) fn mounted(document: &Value, path: &str, item: &Value) -> String {
    let server = item.get("servers").unwrap_or(&document["servers"])[0]["url"].as_str().unwrap();
    format!("{}{path}", server.strip_prefix(ORIGIN).unwrap())
}

fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    let same = wanted.by_ref().zip(found.by_ref()).all(|(wanted, found)| wanted.starts_with('{') || wanted == found);
    same && template.matches('/').count() == path.matches('/').count()
}

/// The operation that answers; a path without parameters before one with.
fn operation(method: &str, path: &str) -> Option<(&'static Value, &'static Value)> {
    let method = if method == "HEAD" { "get".to_owned() } else { method.to_lowercase() };
    let all = DOCUMENTS.iter().flat_map(|(_, document)| {
        document["paths"].as_object().unwrap().iter().map(move |(path, item)| (document, mounted(document, path, item), item))
    });
    let fitting = all.filter(|(_, template, _)| fits(template, path));
    let (document, _, item) = fitting.min_by_key(|(_, template, _)| template.matches('{').count())?;
    Some((document, item.get(&method)?))
}

/// Fails if a call that is published is answered otherwise than published.
#[track_caller]
pub(crate) fn check(method: &str, path: &str, reply: &Reply) {
    let Some((document, operation)) = operation(method, path) else { return };
    // Of every GET there is a HEAD; where there is none, it is refused as other methods are.
    if reply.status == 405 && method == "HEAD" {
        return;
    }
    let status = reply.status.as_u16().to_string();
    let response = operation["responses"].get(&status);
    let response = response.unwrap_or_else(|| panic!("{method} {path} answers {status}, which is not published"));
    for name in response["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
        let optional = name == "Retry-After" && status == "500";
        assert!(optional || reply.headers.contains_key(name.as_str()), "{method} {path} {status} has no {name}");
    }
    if method == "HEAD" {
        return;
    }
    let media_type = reply.headers.get("content-type").map(|value| value.to_str().unwrap());
    let Some(content) = response.get("content") else {
        assert!(reply.body.is_empty(), "{method} {path} {status} has a body, which is not published");
        return;
    };
    let media_type = media_type.unwrap_or_else(|| panic!("{method} {path} {status} has no content type"));
    let schema = content.get(media_type).unwrap_or_else(|| panic!("{method} {path} {status}: {media_type} is not published"));
    if let Err(wrong) = valid(document, &schema["schema"], &reply.json()) {
        panic!("{method} {path} {status} {wrong}: {}", reply.text());
    }
}

/// Whether a value has the form of a schema: the keywords that the documents use.
fn valid(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(at) = schema.get("$ref").and_then(Value::as_str) {
        let target = document.pointer(at.trim_start_matches('#')).ok_or_else(|| format!("{at} refers to nothing"))?;
        return valid(document, target, value);
    }
    if value.is_null() && schema["nullable"] == true {
        return Ok(());
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        valid(document, part, value)?;
    }
    if let Some(choices) = schema["oneOf"].as_array()
        && choices.iter().filter(|choice| valid(document, choice, value).is_ok()).count() != 1
    {
        return Err(format!("{value} is not one of {choices:?}"));
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        return Err(format!("{value} is none of {}", schema["enum"]));
    }
    let right = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some(other) => return Err(format!("unknown type {other}")),
        None => true,
    };
    if !right {
        return Err(format!("{value} is no {}", schema["type"]));
    }
    if value.as_i64() < schema["minimum"].as_i64() {
        return Err(format!("{value} is less than {}", schema["minimum"]));
    }
    for item in value.as_array().into_iter().flatten() {
        valid(document, &schema["items"], item)?;
    }
    members(document, schema, value)
}

fn members(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Some(found) = value.as_object() else { return Ok(()) };
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        found.get(name).ok_or_else(|| format!("{name} is missing"))?;
    }
    for (name, member) in found {
        let named = schema["properties"].get(name);
        let other = schema.get("additionalProperties").filter(|other| other.is_object());
        if let Some(schema) = named.or(other) {
            valid(document, schema, member).map_err(|wrong| format!("{name}: {wrong}"))?;
        }
    }
    Ok(())
}

#[test]
fn what_is_not_of_the_form_is_found() {
    let document = serde_json::json!({"components": {"schemas": {"A": {"type": "string", "enum": ["a"]}}}});
    let a = serde_json::json!({"$ref": "#/components/schemas/A"});
    let object =
        serde_json::json!({"type": "object", "required": ["a"], "properties": {"a": a, "n": {"type": "integer", "minimum": 1}}});
    for (value, right) in [
        (serde_json::json!({"a": "a"}), true),
        (serde_json::json!({"a": "a", "n": 1, "more": null}), true),
        (serde_json::json!({"a": "a", "n": 0}), false),
        (serde_json::json!({"a": "b"}), false),
        (serde_json::json!({"a": null}), false),
        (serde_json::json!({}), false),
        (serde_json::json!([]), false),
    ] {
        assert_eq!(valid(&document, &object, &value).is_ok(), right, "{value}");
    }
    assert!(valid(&document, &serde_json::json!({"nullable": true, "allOf": [a]}), &Value::Null).is_ok());
    assert!(valid(&document, &serde_json::json!({"$ref": "#/components/schemas/B"}), &Value::Null).is_err());
}
