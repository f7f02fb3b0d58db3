//! The request of a browser that was not signed in: a page to come back to, or a form that it had filled in. It goes along
//! as hidden fields of the pages that sign in, and is never in the table.
//!
//! Both are read back from a browser, so both are checked against the desk's own table of addresses.

use axum::http::Method;

use super::rows::PRACTICE;
use super::{Access, Fields, KeptField, ROWS, Row, practice};
use crate::web::decode;

/// The longest address that is come back to, in bytes.
const LONGEST: usize = 200;

/// A page or a form to go on with.
#[derive(Default)]
pub(super) struct Kept {
    /// The page to come back to: one of the desk's own.
    pub(super) to: String,
    /// Where the form was posted to; empty without one.
    pub(super) path: String,
    /// The form's fields, urlencoded.
    pub(super) form: String,
}

/// A form as it is shown again after signing in.
pub(super) struct Resumed {
    /// Where it goes.
    pub(super) action: String,
    /// What its button says.
    pub(super) button: &'static str,
    /// Its fields, with what was typed.
    pub(super) fields: Vec<(KeptField, String)>,
    /// The page that it stands on.
    pub(super) back: String,
}

impl Kept {
    /// A page to come back to.
    pub(super) fn page(way: &str) -> Self {
        // Without what follows the question mark, when that is not plain.
        let path = way.split('?').next().unwrap_or_default();
        Self {
            to: way_back(way).or_else(|| way_back(path)).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// A form to go on with: the fields that its address takes, and no others.
    pub(super) fn form(path: &str, fields: Fields) -> Self {
        let Some(row) = form_at(path) else {
            return Self::default();
        };
        let known = |name: &str| {
            let mut fields = row.fields.iter();
            fields.any(|it| it.name == name || (it.name == PRACTICE && practice::is_field(name)))
        };
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        let fields = fields.0.into_iter().filter(|(name, _)| known(name));
        let pairs: Vec<String> = fields
            .map(|(name, value)| format!("{}={}", encode(&name), encode(&value)))
            .collect();
        Self {
            to: String::new(),
            path: path.to_owned(),
            form: pairs.join("&"),
        }
    }

    /// What the pages that sign in carried along.
    pub(super) fn read(fields: &Fields) -> Self {
        let posted = decode::urlencoded(fields.get("form").as_bytes());
        let form = Self::form(fields.get("path"), Fields(posted.unwrap_or_default()));
        Self {
            to: way_back(fields.get("to")).unwrap_or_default(),
            ..form
        }
    }

    /// The page to come back to: the desk's first one when there is none.
    pub(super) fn to(&self) -> &str {
        if self.to.is_empty() {
            "/desk"
        } else {
            &self.to
        }
    }

    /// The fields of the form to go on with.
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        decode::urlencoded(self.form.as_bytes()).unwrap_or_default()
    }

    /// The form to go on with, when there is one.
    pub(super) fn resumed(&self) -> Option<Resumed> {
        let row = form_at(&self.path)?;
        let posted = Fields(self.fields());
        let fields = row.fields.iter();
        Some(Resumed {
            action: self.path.clone(),
            button: row.button,
            fields: fields
                .flat_map(|field| {
                    let mut values: Vec<&str> = posted.all(field.name).collect();
                    if values.is_empty() {
                        values.push("");
                    }
                    let values = values.into_iter();
                    values.map(|value| (*field, value.to_owned()))
                })
                .collect(),
            back: page_of(&self.path),
        })
    }
}

/// The form that is posted to this address, when signing in has to come first.
fn form_at(path: &str) -> Option<&'static Row> {
    let is_plain = path.len() <= LONGEST && path.bytes().all(is_plain);
    let mut rows = ROWS.iter().filter(|_| is_plain);
    rows.find(|row| row.method == Method::POST && row.access != Access::Open && row.is_at(path))
}

/// An address to come back to: one of the desk's own pages, in plain letters.
fn way_back(way: &str) -> Option<String> {
    let (path, query) = way.split_once('?').unwrap_or((way, ""));
    let is_plain = way.len() <= LONGEST
        && path.bytes().all(is_plain)
        && query
            .bytes()
            .all(|byte| is_plain(byte) || matches!(byte, b'=' | b'&'));
    (is_plain && is_page(path)).then(|| way.to_owned())
}

fn is_page(path: &str) -> bool {
    ROWS.iter()
        .any(|row| row.method == Method::GET && row.access != Access::Open && row.is_at(path))
}

/// The page that a form's address belongs to: what is left of it when its last parts are taken off.
fn page_of(path: &str) -> String {
    let mut path = path;
    while let Some((before, _)) = path.rsplit_once('/') {
        if is_page(path) {
            return path.to_owned();
        }
        path = before;
    }
    "/desk".to_owned()
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_desk_are_come_back_to() {
        for way in ["/desk", "/desk/browsers", "/desk/browsers?done=signed-out"] {
            assert_eq!(Kept::page(way).to(), way);
        }
        for way in [
            "",
            "/",
            "//evil.example/desk",
            "https://evil.example/desk",
            "/desk/../x",
            "/desk/browsers/",
            "/desk/code",
            "/desk/sign-in",
            "/desk\\@evil.example",
            "/desk/browsers?to=//evil.example",
            "/desk/browsers?x=%0d%0aset-cookie:a",
            "/desk\r\n",
            " /desk",
            "javascript:alert(1)",
        ] {
            let to = Kept::page(way).to().to_owned();
            // Of an address with anything else in it the page is kept.
            assert!(
                ["/desk", "/desk/browsers"].contains(&to.as_str()),
                "{way}: {to}"
            );
        }
    }

    #[test]
    fn only_fields_of_a_form_are_kept() {
        let posted = |name: &str| Fields(vec![(name.to_owned(), "a&b=ü".to_owned())]);
        let kept = Kept::form("/desk/browsers/sign-out", posted("key"));
        let resumed = kept.resumed().unwrap();
        assert_eq!(resumed.fields[0].1, "a&b=ü");
        assert_eq!(
            (resumed.button, resumed.back.as_str()),
            ("Sign out", "/desk/browsers")
        );
        let kept = Kept::form("/desk/browsers/sign-out", posted("other"));
        assert_eq!(kept.form, "");
        for path in [
            "",
            "/enquiries",
            "/desk/code",
            "/desk/sign-out",
            "https://evil.example/",
        ] {
            assert!(
                Kept::form(path, posted("key")).resumed().is_none(),
                "{path}"
            );
        }
    }
}
