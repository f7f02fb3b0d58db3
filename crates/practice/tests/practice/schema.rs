//! The JSON Schema that editors check `practice.toml` with.

use std::path::Path;

use crate::Practice;
use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::Value;

use crate::tests::errors::{ERRORS, of_questions};
use crate::tests::{PHYSIOTHERAPIST, SECOND, SOURCE, edited};

fn generated() -> String {
    format!("{:#}\n", crate::raw::schema().to_value())
}

fn compiled() -> (Schemas, SchemaIndex) {
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V7);
    compiler
        .add_resource("practice.json", crate::raw::schema().to_value())
        .unwrap();
    let index = compiler.compile("practice.json", &mut schemas).unwrap();
    (schemas, index)
}

/// As an editor shows the file to the schema: a date is a text.
fn as_json(text: &str) -> Option<Value> {
    fn json(value: toml::Value) -> Value {
        match value {
            toml::Value::Datetime(date) => date.to_string().into(),
            toml::Value::Array(list) => list.into_iter().map(json).collect(),
            toml::Value::Table(table) => table
                .into_iter()
                .map(|(key, value)| (key, json(value)))
                .collect(),
            other => serde_json::to_value(other).unwrap(),
        }
    }
    text.parse()
        .ok()
        .map(|table| json(toml::Value::Table(table)))
}

#[test]
fn the_schema_in_docs_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/practice.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, generated()).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        generated(),
        "run `UPDATE_SCHEMA=1 cargo test -p practice`"
    );
}

#[test]
fn practice_toml_names_its_schema_in_its_first_line() {
    let name = SOURCE
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("#:schema "))
        .unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    assert!(root.join(name).is_file(), "{name}");
}

#[test]
fn good_practices_pass_the_schema() {
    let (schemas, index) = compiled();
    for text in [SOURCE, SECOND, PHYSIOTHERAPIST] {
        Practice::from_toml(text).unwrap();
        if let Err(error) = schemas.validate(&as_json(text).unwrap(), index) {
            panic!("{error}");
        }
    }
}

#[test]
fn the_schema_sees_each_error_that_it_can_see() {
    let (schemas, index) = compiled();
    for (passage, replacement, .., seen) in ERRORS {
        let json = as_json(&edited(passage, replacement)).expect(replacement);
        let refused = schemas.validate(&json, index).is_err();
        assert_eq!(refused, *seen, "{replacement}");
    }
    for (text, seen) in of_questions() {
        let refused = schemas.validate(&as_json(&text).unwrap(), index).is_err();
        assert_eq!(refused, seen, "{text}");
    }
}

#[test]
fn every_key_is_described() {
    fn described(schema: &Value, key: &str) {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            if let Some(items) = schema.get("items") {
                described(items, key);
            }
            return;
        };
        for (name, property) in properties {
            let told = property.get("description").and_then(Value::as_str);
            assert!(told.is_some_and(|told| !told.is_empty()), "{key}.{name}");
            // Their keys are answers of the form, which say what they are.
            if !["area", "cause"].contains(&name.as_str()) {
                described(property, &format!("{key}.{name}"));
            }
        }
    }
    described(&crate::raw::schema().to_value(), "");
}
