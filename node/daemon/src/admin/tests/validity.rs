//! Real answers follow the committed schemas: the part of JSON Schema that schemars writes, checked by hand.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::admin::answer::{Answer, Body, schemas};

/// Checks an answer against the schema file of its body; names the first place that does not fit.
pub fn check<B: Body>(answer: &Answer<B>) -> Result<(), String> {
    let value = serde_json::to_value(answer).expect("plain JSON");
    let file = format!("{}.json", B::SCHEMA.replace('/', "."));
    let schema = schemas().into_iter().find(|schema| schema.file == file);
    let text = schema.ok_or_else(|| format!("{file} is not there"))?.text;
    let root: Value = serde_json::from_str(&text).expect("a schema is JSON");
    fits(&value, &root, &root, "")
}

fn fits(value: &Value, schema: &Value, root: &Value, at: &str) -> Result<(), String> {
    let Some(schema) = schema.as_object() else {
        return Ok(());
    };
    for (word, said) in schema {
        match word.as_str() {
            "$schema" | "$defs" | "title" | "description" | "format" | "default" => Ok(()),
            "$ref" => {
                let pointer = said.as_str().and_then(|said| said.strip_prefix('#'));
                let schema = pointer.and_then(|pointer| root.pointer(pointer));
                fits(value, schema.ok_or("a dangling reference")?, root, at)
            }
            "anyOf" => {
                let schemas = said.as_array().ok_or("anyOf without a list")?;
                let fits_any = schemas.iter().any(|schema| fits(value, schema, root, at).is_ok());
                fits_any.then_some(()).ok_or_else(|| format!("{at}: fits none of {said}"))
            }
            "type" => is_of(value, said)
                .then_some(())
                .ok_or_else(|| format!("{at}: {value} is no {said}")),
            "minimum" => {
                let is_enough =
                    value.as_f64().zip(said.as_f64()).is_none_or(|(is, least)| is >= least);
                is_enough.then_some(()).ok_or_else(|| format!("{at}: {value} is below {said}"))
            }
            "required" => {
                let names = said.as_array().into_iter().flatten().filter_map(Value::as_str);
                let missing = names.filter(|name| value.get(name).is_none()).collect::<Vec<_>>();
                missing.is_empty().then_some(()).ok_or_else(|| format!("{at}: without {missing:?}"))
            }
            "properties" => properties(value, said, root, at),
            "items" => value
                .as_array()
                .into_iter()
                .flatten()
                .enumerate()
                .try_for_each(|(index, item)| fits(item, said, root, &format!("{at}/{index}"))),
            other => Err(format!("{at}: this check does not know {other:?}")),
        }?;
    }
    Ok(())
}

/// Stricter than the schema: a field that it does not name would be one that nobody can rely on.
fn properties(value: &Value, said: &Value, root: &Value, at: &str) -> Result<(), String> {
    let (Some(fields), Some(named)) = (value.as_object(), said.as_object()) else {
        return Ok(());
    };
    let names: BTreeSet<&String> = named.keys().collect();
    fields.iter().try_for_each(|(name, field)| {
        if !names.contains(name) {
            return Err(format!("{at}/{name}: not in the schema"));
        }
        fits(field, &named[name], root, &format!("{at}/{name}"))
    })
}

fn is_of(value: &Value, said: &Value) -> bool {
    let is = |word: &str| match word {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "null" => value.is_null(),
        _ => false,
    };
    match said {
        Value::String(word) => is(word),
        Value::Array(words) => words.iter().filter_map(Value::as_str).any(is),
        _ => false,
    }
}

#[test]
fn a_wrong_type_a_missing_field_and_an_unnamed_one_do_not_fit() {
    let schema: Value = serde_json::json!({
        "type": "object", "required": ["a"],
        "properties": { "a": { "type": "integer", "minimum": 0 }, "b": { "type": ["string", "null"] } },
    });
    let judge = |value: Value| fits(&value, &schema, &schema, "");
    assert_eq!(judge(serde_json::json!({ "a": 1, "b": null })), Ok(()));
    for wrong in [
        serde_json::json!({ "b": "x" }),
        serde_json::json!({ "a": "1" }),
        serde_json::json!({ "a": -1 }),
        serde_json::json!({ "a": 1, "c": 2 }),
        serde_json::json!({ "a": 1, "b": 2 }),
    ] {
        assert!(judge(wrong.clone()).is_err(), "{wrong} passed");
    }
}
