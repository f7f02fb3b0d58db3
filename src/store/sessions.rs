//! Signing in to the therapist's desk: codes on their way, signed-in browsers, and how many codes may be
//! asked for. Everything is kept under keyed hashes.
//!
//! One item says whether the desk is closed, and counts how often everything was signed out (its epoch). Codes and sessions
//! carry the epoch they began in, so that one write ends all of them at once. One file because they all hang on that item.

use std::net::IpAddr;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValue,
    ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update,
};
use jiff::{SignedDuration, Timestamp};

use super::error::Cancelled;
use super::schema::{self, Item, n, s, seconds};
use super::submit::network;
use super::{ONE_CALL, Store, StoreError, TRIES, pause};
use crate::clock::Clock;
use crate::session::{CODE_LIFE, CODE_TRIES, Session};

/// How many emails with a code all browsers share in a day (UTC) that never signed in.
const STRANGERS_A_DAY: u32 = 20;
/// How many of these one source may ask for in an hour.
const SOURCE_AN_HOUR: usize = 2;
/// How many a browser may ask for in a day (UTC) that has signed in before.
const KNOWN_A_DAY: u32 = 10;
/// How long the count of a day is kept: longer than its day.
const DAY: SignedDuration = SignedDuration::from_hours(48);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A code that is about to leave.
#[derive(Debug, Clone, Copy)]
pub struct NewCode<'a> {
    /// The key of its item.
    pub key: &'a str,
    pub hash: &'a str,
    /// The therapist's address, hashed.
    pub owner: &'a str,
    /// The epoch that was read.
    pub epoch: i64,
    /// What it counts against.
    pub budget: CodeBudget<'a>,
}

/// What the email with a code counts against.
#[derive(Debug, Clone, Copy)]
pub enum CodeBudget<'a> {
    /// A browser that has signed in before, by its hash: and no other can use it up.
    Known(&'a str),
    /// Any other; where it came from, as the gateway saw it.
    Stranger(Option<IpAddr>),
    /// The operator, whom IAM lets in.
    Operator,
}

/// Whether a code may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeQuota {
    /// It is in the table, and counted.
    Booked,
    /// Too many have been asked for; from then on another may leave.
    Exceeded(Timestamp),
    /// The desk was closed, or everything signed out, at this moment.
    Closed,
}

/// A code that was tried: the try is counted already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedCode {
    pub hash: String,
    /// The hash of the address it was sent to.
    pub owner: String,
    /// The epoch in which it was asked for.
    pub epoch: i64,
}

/// Whether the desk is open, and who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskAccess {
    /// Whether the operator has closed it.
    pub closed: bool,
    /// How often everything was signed out.
    pub epoch: i64,
    /// The session that was asked for, when it is this epoch's and this therapist's, and has not ended.
    pub session: Option<Session>,
}

impl Store {
    /// Whether the desk is open, and the session of this key when it still counts.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn desk_access(
        &self,
        session: Option<&str>,
        owner: &str,
        now: Timestamp,
    ) -> Result<DeskAccess, StoreError> {
        let key = session.map(schema::session_key);
        let keys: Vec<String> = [schema::GATE.to_owned()]
            .into_iter()
            .chain(key.clone())
            .collect();
        let mut found = self.get_all("read the desk's sessions", &keys).await?;
        let gate = found.remove(schema::GATE).unwrap_or_default();
        let epoch = schema::epoch_of(&gate);
        let stored = key.and_then(|key| found.remove(&key));
        let session = stored.and_then(|item| schema::session(&item, owner, epoch));
        Ok(DeskAccess {
            closed: gate.contains_key("closed"),
            epoch,
            session: session.filter(|session| !session.has_ended(now)),
        })
    }

    /// Writes a code down and counts it, or does neither.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn book_code(
        &self,
        code: &NewCode<'_>,
        clock: &Clock,
    ) -> Result<CodeQuota, StoreError> {
        let now = clock.now();
        let slots = match code.budget {
            CodeBudget::Stranger(Some(source)) => {
                let keys = self.keys.as_ref();
                let keys =
                    keys.ok_or_else(|| StoreError::new("book a code", StoreError::NO_KEY))?;
                let source = keys.hash("sign-in source", &[&network(source)]);
                let slots = (0..SOURCE_AN_HOUR).map(|slot| Some(schema::asked_key(&source, slot)));
                slots.collect()
            }
            _ => vec![None],
        };
        let mut free_again: Option<Timestamp> = None;
        let mut tries = 0;
        let mut slots = slots.into_iter();
        let mut slot = slots.next();
        while let Some(key) = slot.clone() {
            let cancelled = match self.write_code(code, key.as_deref(), now).await? {
                None => return Ok(CodeQuota::Booked),
                Some(cancelled) => cancelled,
            };
            if cancelled.failed(0).is_some() {
                return Ok(CodeQuota::Closed);
            }
            // The writes behind the gate and the code: the source's slot, where there is one, and the day's count.
            let count = if key.is_some() { 3 } else { 2 };
            if let Some(held) = key.as_ref().and_then(|_| cancelled.failed(2)) {
                let until = held.and_then(schema::expires_of).unwrap_or(now + HOUR);
                free_again = Some(free_again.map_or(until, |other| other.min(until)));
                slot = slots.next();
            } else if cancelled.failed(count).is_some() {
                return Ok(CodeQuota::Exceeded(tomorrow(now)));
            } else {
                tries += 1;
                let may_retry = cancelled.conflicts() || cancelled.is_throttled();
                if !may_retry || tries >= TRIES || !clock.wait(pause(tries)?, ONE_CALL).await {
                    return Err(cancelled.into_error("book a code"));
                }
            }
        }
        Ok(CodeQuota::Exceeded(free_again.unwrap_or(now + HOUR)))
    }

    async fn write_code(
        &self,
        code: &NewCode<'_>,
        slot: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Cancelled>, StoreError> {
        let unbuildable = |_| StoreError::unbuildable("book a code");
        let put = |item: Item| Put::builder().table_name(&self.table).set_item(Some(item));
        let sign_in = put(schema::sign_in(code, now + CODE_LIFE))
            .build()
            .map_err(unbuildable)?;
        let mut writes = vec![
            TransactWriteItem::builder()
                .condition_check(self.gate_is("book a code", code.epoch)?)
                .build(),
            TransactWriteItem::builder().put(sign_in).build(),
        ];
        if let Some(key) = slot {
            let slot = put(schema::asked(key, now + HOUR))
                // TTL deletes late: an hour that has passed does not count.
                .condition_expression("attribute_not_exists(pk) OR expires <= :now")
                .set_expression_attribute_values(Some(Item::from([seconds(":now", now)])))
                .return_values_on_condition_check_failure(OnFailure::AllOld)
                .build()
                .map_err(unbuildable)?;
            writes.push(TransactWriteItem::builder().put(slot).build());
        }
        let day = match code.budget {
            CodeBudget::Known(browser) => Some((schema::asks_key(browser, now), KNOWN_A_DAY)),
            CodeBudget::Stranger(_) => Some((schema::asks_key("strangers", now), STRANGERS_A_DAY)),
            CodeBudget::Operator => None,
        };
        if let Some((key, limit)) = day {
            let count = Update::builder()
                .table_name(&self.table)
                .key("pk", AttributeValue::S(key))
                .update_expression(schema::COUNT)
                .condition_expression("attribute_not_exists(times) OR times < :limit")
                .set_expression_attribute_values(Some(schema::count(now + DAY, limit)))
                .build()
                .map_err(unbuildable)?;
            writes.push(TransactWriteItem::builder().update(count).build());
        }
        self.transact("book a code", writes).await
    }

    /// Counts one try of a code, and says what would be right; `None` when there is no such code, it has expired, or it was
    /// tried too often.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn try_code(
        &self,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<TriedCode>, StoreError> {
        let tried = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(schema::sign_in_key(key)))
            .update_expression("ADD tries :one")
            .condition_expression("attribute_exists(pk) AND tries < :tries AND expires > :now")
            .set_expression_attribute_values(Some(Item::from([
                n(":one", 1),
                n(":tries", i64::from(CODE_TRIES)),
                seconds(":now", now),
            ])))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match tried {
            Ok(tried) => Ok(tried.attributes.as_ref().and_then(schema::tried_code)),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                UpdateItemError::ConditionalCheckFailedException(_) => Ok(None),
                error => Err(StoreError::new(
                    "try a code",
                    error.code().unwrap_or("Unknown"),
                )),
            },
            Err(error) => Err(StoreError::from_sdk("try a code", &error)),
        }
    }

    /// Uses a code up and begins a session, or does neither. Says whether it did: not when another used the code, the desk
    /// was closed, or everything signed out meanwhile.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn begin_session(
        &self,
        code: &str,
        tried: &TriedCode,
        session: &Session,
    ) -> Result<bool, StoreError> {
        let unbuildable = |_| StoreError::unbuildable("sign in");
        let used = Delete::builder()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(schema::sign_in_key(code)))
            .condition_expression("attribute_exists(pk)")
            .build()
            .map_err(unbuildable)?;
        let begun = Put::builder()
            .table_name(&self.table)
            .set_item(Some(schema::session_item(
                session,
                &tried.owner,
                tried.epoch,
            )))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(unbuildable)?;
        let gate = self.gate_is("sign in", tried.epoch)?;
        let writes = vec![
            TransactWriteItem::builder().condition_check(gate).build(),
            TransactWriteItem::builder().delete(used).build(),
            TransactWriteItem::builder().put(begun).build(),
        ];
        let Some(cancelled) = self.transact("sign in", writes).await? else {
            return Ok(true);
        };
        let refused = (0..3).any(|write| cancelled.failed(write).is_some());
        // Two who type the same code at the same moment: one of them has it.
        if refused || cancelled.conflicts() {
            return Ok(false);
        }
        Err(cancelled.into_error("sign in"))
    }

    /// How often everything was signed out so far; nothing while the desk is closed.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn desk_epoch(&self) -> Result<Option<i64>, StoreError> {
        let gate = self.get("sign in", schema::GATE.to_owned()).await?;
        let gate = gate.unwrap_or_default();
        let is_closed = gate.contains_key("closed");
        Ok((!is_closed).then(|| schema::epoch_of(&gate)))
    }

    /// Holds as long as the desk is open, and in the epoch that was read.
    fn gate_is(&self, action: &'static str, epoch: i64) -> Result<ConditionCheck, StoreError> {
        ConditionCheck::builder()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(schema::GATE.to_owned()))
            .condition_expression(
                "attribute_not_exists(pk) OR (attribute_not_exists(closed) AND epoch = :epoch)",
            )
            .expression_attribute_values(":epoch", AttributeValue::N(epoch.to_string()))
            .build()
            .map_err(|_| StoreError::unbuildable(action))
    }

    /// Writes down that a session was used; one that was ended meanwhile stays ended.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn renew_session(&self, session: &Session) -> Result<(), StoreError> {
        let renewed = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(schema::session_key(&session.key)))
            .update_expression("SET used_at = :used_at, expires = :expires")
            .condition_expression("attribute_exists(pk)")
            .set_expression_attribute_values(Some(Item::from([
                s(":used_at", session.used_at),
                seconds(":expires", session.expires()),
            ])))
            .send()
            .await;
        match renewed {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(())
            }
            Err(error) => Err(StoreError::from_sdk("renew a session", &error)),
        }
    }

    /// Ends one session.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn end_session(&self, key: &str) -> Result<(), StoreError> {
        self.delete(schema::session_key(key), None).await
    }

    /// The browsers that are signed in, the latest first. The index that finds them may lag a moment behind.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn sessions(&self, owner: &str, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("received")
            .key_condition_expression("kind = :kind")
            .set_expression_attribute_values(Some(Item::from([s(":kind", schema::SESSION)])))
            .scan_index_forward(false)
            // "BatchGetItem" takes 100 keys, and one is the gate's.
            .limit(99)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk("list sessions", &error))?;
        let mut keys: Vec<String> = found
            .items()
            .iter()
            .filter_map(|item| schema::text(item, "pk").map(str::to_owned))
            .collect();
        keys.push(schema::GATE.to_owned());
        let mut items = self.get_all("list sessions", &keys).await?;
        let epoch = items.get(schema::GATE).map_or(0, schema::epoch_of);
        let sessions = keys.iter().filter_map(|key| items.remove(key));
        Ok(sessions
            .filter_map(|item| schema::session(&item, owner, epoch))
            .filter(|session| !session.has_ended(now))
            .collect())
    }

    /// Ends every session, every code that is on its way, and every link in an email.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn sign_out_everywhere(&self) -> Result<(), StoreError> {
        self.change_gate("SET kind = :kind ADD epoch :one").await
    }

    /// Closes the desk, and signs out everywhere.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn close_desk(&self) -> Result<(), StoreError> {
        self.change_gate("SET kind = :kind, closed = :closed ADD epoch :one")
            .await
    }

    /// Opens the desk again; signing in takes a new code.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn open_desk(&self) -> Result<(), StoreError> {
        self.change_gate("SET kind = :kind REMOVE closed ADD epoch :one")
            .await
    }

    async fn change_gate(&self, update: &str) -> Result<(), StoreError> {
        let mut values = Item::from([s(":kind", "desk"), n(":one", 1)]);
        if update.contains(":closed") {
            values.insert(":closed".to_owned(), AttributeValue::Bool(true));
        }
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(schema::GATE.to_owned()))
            .update_expression(update)
            .set_expression_attribute_values(Some(values))
            .send()
            .await
            .map(drop)
            .map_err(|error| StoreError::from_sdk("change who may sign in", &error))
    }
}

/// When the next day (UTC) begins.
fn tomorrow(now: Timestamp) -> Timestamp {
    let seconds = now.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(86_400) + 86_400).unwrap_or(now + HOUR)
}
