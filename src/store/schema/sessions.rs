//! The items of signing in: codes, sessions, what was asked for, and whether the desk is open.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Item, n, number, s, seconds, text, time};
use crate::session::Session;
use crate::store::sessions::{NewCode, TriedCode};

/// The kind of the item of a signed-in browser, by which the index `received` finds it.
pub(in crate::store) const SESSION: &str = "session";
/// The one item that says whether the desk is open.
pub(in crate::store) const GATE: &str = "desk#gate";

pub(in crate::store) fn sign_in_key(key: &str) -> String {
    format!("sign-in#{key}")
}

pub(in crate::store) fn session_key(key: &str) -> String {
    format!("session#{key}")
}

/// The count of the codes that were asked for on a day (UTC), by one browser or by all that are strangers.
pub(in crate::store) fn asks_key(of: &str, now: Timestamp) -> String {
    format!("asks#{}#{of}", now.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// One of the codes that a source may ask for in an hour.
pub(in crate::store) fn asked_key(source: &str, slot: usize) -> String {
    format!("asked#{source}#{slot}")
}

/// A code that is on its way.
pub(in crate::store) fn sign_in(code: &NewCode<'_>, expires: Timestamp) -> Item {
    HashMap::from([
        s("pk", sign_in_key(code.key)),
        s("kind", "sign-in"),
        s("code", code.hash),
        s("owner", code.owner),
        n("epoch", code.epoch),
        n("tries", 0),
        seconds("expires", expires),
    ])
}

pub(in crate::store) fn tried_code(item: &Item) -> Option<TriedCode> {
    Some(TriedCode {
        hash: text(item, "code")?.to_owned(),
        owner: text(item, "owner")?.to_owned(),
        epoch: number(item, "epoch")?,
    })
}

pub(in crate::store) fn asked(key: &str, expires: Timestamp) -> Item {
    HashMap::from([
        s("pk", key),
        s("kind", "counter"),
        seconds("expires", expires),
    ])
}

/// A browser that is signed in. When it signed in has the name by which the index `received` sorts.
pub(in crate::store) fn session_item(session: &Session, owner: &str, epoch: i64) -> Item {
    HashMap::from([
        s("pk", session_key(&session.key)),
        s("kind", SESSION),
        s("received_at", session.signed_in_at),
        s("used_at", session.used_at),
        s("browser", &session.browser),
        s("owner", owner),
        n("epoch", epoch),
        seconds("expires", session.expires()),
    ])
}

/// The session, when it is this therapist's and of this epoch.
pub(in crate::store) fn session(item: &Item, owner: &str, epoch: i64) -> Option<Session> {
    let is_ours = text(item, "owner")? == owner && epoch_of(item) == epoch;
    is_ours.then_some(())?;
    Some(Session {
        key: text(item, "pk")?.strip_prefix("session#")?.to_owned(),
        browser: text(item, "browser")?.to_owned(),
        signed_in_at: time(item, "received_at")?,
        used_at: time(item, "used_at")?,
    })
}

/// How often everything was signed out before an item was written; for the gate, before now.
pub(in crate::store) fn epoch_of(item: &Item) -> i64 {
    number(item, "epoch").unwrap_or_default()
}
