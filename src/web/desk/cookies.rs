//! The desk's three cookies. `__Host-` binds each to this host and to HTTPS (RFC 6265bis, section 4.1.3.2): no other host of the
//! domain can set one.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::session::{CODE_LIFE, Secret, Session};

const SESSION: &str = "__Host-desk";
/// The browser that asked for a code.
const ASKED: &str = "__Host-desk-code";
/// The mark of a browser that has signed in before.
const MARK: &str = "__Host-desk-browser";
/// Browsers keep no cookie longer (RFC 6265bis, section 5.5): 400 days, in seconds.
const LONGEST: i64 = 400 * 24 * 60 * 60;

/// The session's secret that a browser sent.
pub(super) fn session(headers: &HeaderMap) -> Option<Secret> {
    value(headers, SESSION).and_then(Secret::parse)
}

/// The secret of the browser that asked for a code.
pub(super) fn asked(headers: &HeaderMap) -> Option<Secret> {
    value(headers, ASKED).and_then(Secret::parse)
}

/// The mark of a browser that has signed in before.
pub(super) fn mark(headers: &HeaderMap) -> Option<&str> {
    value(headers, MARK)
}

pub(super) fn set_session(secret: &Secret) -> Option<HeaderValue> {
    set(SESSION, secret.as_str(), Session::LIFE.as_secs())
}

pub(super) fn set_asked(secret: &Secret) -> Option<HeaderValue> {
    set(ASKED, secret.as_str(), CODE_LIFE.as_secs())
}

pub(super) fn set_mark(mark: &str) -> Option<HeaderValue> {
    set(MARK, mark, LONGEST)
}

pub(super) fn clear_session() -> Option<HeaderValue> {
    set(SESSION, "", 0)
}

pub(super) fn clear_asked() -> Option<HeaderValue> {
    set(ASKED, "", 0)
}

/// The value of a cookie. One that comes twice was put there by another than us, and neither counts.
fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let sent = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut found = sent
        .flat_map(|sent| sent.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(|(its, _)| *its == name);
    let (_, value) = found.next()?;
    found.next().is_none().then_some(value)
}

fn set(name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
    let cookie =
        format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    HeaderValue::from_str(&cookie).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_comes_twice_does_not_count() {
        let of = |sent: &[&'static str]| -> HeaderMap {
            sent.iter()
                .map(|sent| (COOKIE, HeaderValue::from_static(sent)))
                .collect()
        };
        for (sent, expected) in [
            (&["__Host-desk=a"][..], Some("a")),
            (&["x=1;__Host-desk=a; __Host-desk-code=b"], Some("a")),
            (&["__Host-desk=a; __Host-desk=b"], None),
            (&["__Host-desk=a", "__Host-desk=a"], None),
            (&["__host-desk=a"], None),
            (&["__Host-desk"], None),
            (&[], None),
        ] {
            assert_eq!(value(&of(sent), SESSION), expected, "{sent:?}");
        }
    }
}
