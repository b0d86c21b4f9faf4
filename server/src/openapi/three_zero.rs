//! From OpenAPI 3.1, which is all that the library writes, to 3.0: what the annotations make use of, and no more.

use serde_json::{Map, Value, json};

const VERSION: &str = "3.0.3";

/// The operations of a path item.
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// Turns a document into 3.0.
pub(super) fn lower(document: &mut Value) {
    document["openapi"] = VERSION.into();
    schemas(document);
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return };
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        item.iter_mut().filter(|(name, _)| METHODS.contains(&name.as_str())).for_each(|(_, value)| operation(value));
    }
}

fn operation(operation: &mut Value) {
    // A body that may be left out is not one that may be null.
    let contents = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
    for content in contents.into_iter().flat_map(Map::values_mut) {
        if let Some(reference) = content.pointer("/schema/allOf/0").filter(|_| content.pointer("/schema/nullable").is_some()) {
            content["schema"] = reference.clone();
        }
    }
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    for response in responses.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        // Required, and left out if it is empty.
        response.entry("description").or_insert_with(|| "".into());
    }
}

/// Everything that can be, or can hold, a schema. Members are told from keywords by their form: a member called `type` is an object.
fn schemas(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(schemas),
        Value::Object(members) => {
            members.values_mut().for_each(schemas);
            nullable_type(members);
            nullable_union(members, "oneOf");
            nullable_union(members, "anyOf");
            constant(members);
            examples(members);
            bound(members, "minimum", "exclusiveMinimum");
            bound(members, "maximum", "exclusiveMaximum");
            reference(members);
        }
        _ => {}
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
}

/// `type: [T, null]`
fn nullable_type(schema: &mut Map<String, Value>) {
    let Some(Value::Array(kinds)) = schema.get("type") else { return };
    let mut kinds = kinds.clone();
    kinds.retain(|kind| kind != "null");
    if let [kind] = kinds.as_slice() {
        schema.insert("type".to_owned(), kind.clone());
        schema.insert("nullable".to_owned(), true.into());
    }
}

/// `oneOf: [S, {type: null}]`. What is left may be a reference, which has no room for `nullable` beside it.
fn nullable_union(schema: &mut Map<String, Value>, keyword: &str) {
    let Some(Value::Array(choices)) = schema.get_mut(keyword) else { return };
    let before = choices.len();
    choices.retain(|choice| !is_null(choice));
    if choices.len() == before {
        return;
    }
    if let [only] = choices.as_slice() {
        let only = json!([only]);
        schema.remove(keyword);
        schema.insert("allOf".to_owned(), only);
    }
    schema.insert("nullable".to_owned(), true.into());
}

fn constant(schema: &mut Map<String, Value>) {
    if schema.get("const").is_some_and(|value| !value.is_object())
        && let Some(value) = schema.remove("const")
    {
        schema.insert("enum".to_owned(), json!([value]));
    }
}

fn examples(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(examples)) = schema.get("examples") {
        let first = examples.first().cloned();
        schema.remove("examples");
        schema.extend(first.map(|first| ("example".to_owned(), first)));
    }
}

/// A number of its own, in 3.1; in 3.0, something that is said of the bound.
fn bound(schema: &mut Map<String, Value>, keyword: &str, exclusive: &str) {
    if let Some(limit) = schema.get(exclusive).filter(|limit| limit.is_number()).cloned() {
        schema.insert(keyword.to_owned(), limit);
        schema.insert(exclusive.to_owned(), true.into());
    }
}

/// Beside a reference, nothing is read.
fn reference(schema: &mut Map<String, Value>) {
    if schema.len() > 1
        && schema.get("$ref").is_some_and(Value::is_string)
        && let Some(target) = schema.remove("$ref")
    {
        schema.insert("allOf".to_owned(), json!([{ "$ref": target }]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_of_three_one() {
        let at = json!({"$ref": "#/components/schemas/A"});
        for (before, after) in [
            (
                json!({"type": ["string", "null"], "format": "uuid"}),
                json!({"type": "string", "format": "uuid", "nullable": true}),
            ),
            (json!({"oneOf": [{"type": "null"}, at]}), json!({"allOf": [at], "nullable": true})),
            (
                json!({"anyOf": [at, {"type": "null"}, {"type": "string"}]}),
                json!({"anyOf": [at, {"type": "string"}], "nullable": true}),
            ),
            (json!({"oneOf": [at, {"type": "string"}]}), json!({"oneOf": [at, {"type": "string"}]})),
            (json!({"const": 3}), json!({"enum": [3]})),
            (json!({"examples": ["a", "b"]}), json!({"example": "a"})),
            (json!({"exclusiveMinimum": 0, "maximum": 9}), json!({"minimum": 0, "exclusiveMinimum": true, "maximum": 9})),
            (json!({"exclusiveMaximum": 9}), json!({"maximum": 9, "exclusiveMaximum": true})),
            (json!({"$ref": "#/components/schemas/A", "description": "d"}), json!({"allOf": [at], "description": "d"})),
            (at.clone(), at),
            // Members that are called as keywords are.
            (
                json!({"properties": {"type": {"type": ["integer", "null"]}, "const": {"type": "string"}}}),
                json!({"properties": {"type": {"type": "integer", "nullable": true}, "const": {"type": "string"}}}),
            ),
        ] {
            let mut document = json!({"components": {"schemas": {"X": before}}});
            lower(&mut document);
            assert_eq!(document["components"]["schemas"]["X"], after, "{before}");
        }
    }

    #[test]
    fn bodies_and_answers_of_three_one() {
        let at = json!({"$ref": "#/components/schemas/A"});
        let mut document = json!({"openapi": "3.1.0", "paths": {"/a": {"post": {
            "requestBody": {"content": {"application/json": {"schema": {"oneOf": [{"type": "null"}, at]}}}},
            "responses": {"200": {}, "400": {"description": "no"}},
        }}}});
        lower(&mut document);
        assert_eq!(document["openapi"], "3.0.3");
        let operation = &document["paths"]["/a"]["post"];
        assert_eq!(operation["requestBody"], json!({"content": {"application/json": {"schema": at}}}));
        assert_eq!(operation["responses"], json!({"200": {"description": ""}, "400": {"description": "no"}}));
    }
}
