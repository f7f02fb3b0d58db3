//! Filter criteria of an event source mapping: the part of EventBridge's pattern language that a template needs.
//!
//! A pattern is an object of objects down to lists of what the value may be: a string, a number, a boolean, `null`,
//! `{"prefix": "…"}` or `{"exists": true|false}`. Everything in one pattern must match; of several filters one must.

use serde_json::Value;

/// One pattern of `FilterCriteria.Filters`.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(Value);

impl Filter {
    /// Reads a pattern, as it stands in a template.
    ///
    /// # Errors
    /// Says what is wrong with a pattern that AWS would refuse, or that uses an operator which is not understood here.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        let pattern: Value = serde_json::from_str(pattern)
            .map_err(|error| format!("the pattern is no JSON: {error}"))?;
        check(&pattern, "")?;
        Ok(Self(pattern))
    }

    /// Whether an event passes.
    pub fn matches(&self, event: &Value) -> bool {
        matches(&self.0, Some(event))
    }
}

fn check(pattern: &Value, path: &str) -> Result<(), String> {
    let Value::Object(fields) = pattern else {
        return Err(format!("expected an object at `{path}`"));
    };
    if fields.is_empty() {
        return Err(format!("the object at `{path}` is empty"));
    }
    for (name, field) in fields {
        let path = format!("{path}/{name}");
        match field {
            Value::Object(_) => check(field, &path)?,
            Value::Array(choices) if choices.is_empty() => {
                return Err(format!("the list at `{path}` is empty"));
            }
            Value::Array(choices) => {
                for choice in choices {
                    check_choice(choice, &path)?;
                }
            }
            _ => {
                return Err(format!(
                    "expected a list at `{path}`: a value is matched by [value]"
                ));
            }
        }
    }
    Ok(())
}

fn check_choice(choice: &Value, path: &str) -> Result<(), String> {
    match choice {
        Value::Object(operator) if operator.len() == 1 => match operator.iter().next() {
            Some((name, Value::String(_))) if name == "prefix" => Ok(()),
            Some((name, Value::Bool(_))) if name == "exists" => Ok(()),
            _ => Err(format!(
                "only `prefix` and `exists` are understood at `{path}`"
            )),
        },
        Value::Object(_) | Value::Array(_) => Err(format!(
            "only plain values, `prefix` and `exists` are understood at `{path}`"
        )),
        _ => Ok(()),
    }
}

fn matches(pattern: &Value, event: Option<&Value>) -> bool {
    match pattern {
        Value::Object(fields) => fields
            .iter()
            .all(|(name, field)| matches(field, event.and_then(|event| event.get(name)))),
        Value::Array(choices) => choices.iter().any(|choice| match event {
            Some(Value::Array(values)) => values.iter().any(|value| is(choice, Some(value))),
            event => is(choice, event),
        }),
        _ => false,
    }
}

fn is(choice: &Value, value: Option<&Value>) -> bool {
    if let Some(exists) = choice.get("exists").and_then(Value::as_bool) {
        // `exists` looks at leaves only: an object in the event is no leaf.
        return exists == value.is_some_and(|value| !value.is_object());
    }
    if let Some(prefix) = choice.get("prefix").and_then(Value::as_str) {
        return value
            .and_then(Value::as_str)
            .is_some_and(|value| value.starts_with(prefix));
    }
    value == Some(choice)
}
