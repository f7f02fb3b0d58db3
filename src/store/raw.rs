//! The items of an enquiry as they are, for one that this version cannot read.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value, json};

use super::{Store, StoreError, schema};
use crate::enquiry::Reference;

impl Store {
    /// Each item of an enquiry, attribute by attribute.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn raw(&self, reference: &Reference) -> Result<Vec<Value>, StoreError> {
        let keys = [
            schema::enquiry_key(reference),
            schema::state_key(reference),
            schema::annex_key(reference),
        ];
        let found = self.get_all("show", &keys).await?;
        let found = keys.iter().filter_map(|key| found.get(key));
        Ok(found.map(|item| members(item.iter())).collect())
    }
}

fn members<'a>(members: impl Iterator<Item = (&'a String, &'a AttributeValue)>) -> Value {
    let plain = members.map(|(name, value)| (name.clone(), plain(value)));
    Value::Object(Map::from_iter(plain))
}

fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!(text),
        AttributeValue::N(number) => serde_json::from_str(number).unwrap_or_else(|_| json!(number)),
        AttributeValue::Bool(flag) => json!(flag),
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::L(list) => list.iter().map(plain).collect(),
        AttributeValue::M(map) => members(map.iter()),
        AttributeValue::Ss(texts) => json!(texts),
        AttributeValue::Ns(numbers) => json!(numbers),
        _ => json!("(bytes, or of a type that this version does not know)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_shown() {
        let map = [
            ("text".to_owned(), AttributeValue::S("Zoë".to_owned())),
            ("number".to_owned(), AttributeValue::N("1.50".to_owned())),
            ("flag".to_owned(), AttributeValue::Bool(true)),
            ("none".to_owned(), AttributeValue::Null(true)),
            ("texts".to_owned(), AttributeValue::Ss(vec!["a".to_owned()])),
            (
                "numbers".to_owned(),
                AttributeValue::Ns(vec!["1".to_owned()]),
            ),
            ("bytes".to_owned(), AttributeValue::B(vec![1].into())),
        ];
        let list = AttributeValue::L(vec![AttributeValue::M(map.into())]);
        let expected = json!([{
            "text": "Zoë", "number": 1.5, "flag": true, "none": null, "texts": ["a"], "numbers": ["1"],
            "bytes": "(bytes, or of a type that this version does not know)",
        }]);
        assert_eq!(plain(&list), expected);
    }
}
