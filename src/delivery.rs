//! What an enquiry still owes, done: whoever wakes the function, it comes down to [`deliver`].
//!
//! Look at the enquiry, decide about the auto-reply, then for each email in turn: take the lease, send, write down
//! what happened. Each of these writes is conditional on what was read, so two who deliver the same enquiry at once
//! send nothing twice.

mod state;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use tracing::{error, info, warn};

use crate::app::App;
use crate::clock::Clock;
use crate::email::{AutoReplyEmail, Class, Email, NoticeEmail, SendError, TherapistEmail};
use crate::enquiry::{EmailAddress, Enquiry, Received, Reference};
use crate::spam::{Score, Verdict};
use crate::store::{Change, Record, StoreError};

pub use state::{Deliveries, EmailKind, MailState, Report, ResendRefused, SendOutcome, Withheld};

/// What a send and the record of its outcome may take: no send is started with less time left.
const SEND_AND_RECORD: Duration = Duration::from_secs(9);
/// What may come before that: booking an auto-reply, taking the lease.
pub(crate) const NEEDED: Duration = Duration::from_secs(15);
/// How many enquiries may go straight to the mailbox within a minute, for each instance of the function.
const STRAIGHT: usize = 5;
/// How often one invocation tries an email that SES refuses because it comes too fast.
const TRIES: u32 = 3;

/// Why an enquiry was not brought to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfinished {
    /// The table could not be read or written.
    Store(StoreError),
    /// There was no time left to start, or somebody else is at it.
    Later,
    /// An email could not be sent now; it stays pending.
    Pending,
    /// An error of ours stopped it; an alarm was raised.
    Panicked,
}

impl From<StoreError> for Unfinished {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Does what this enquiry owes.
///
/// # Errors
/// When something stays pending: the sweep, or another try of the stream, goes on from there. A panic is one, too, so that
/// one enquiry never holds up the others.
pub async fn deliver(app: &App, record: Record, clock: &Clock) -> Result<(), Unfinished> {
    let reference = record.received.reference.clone();
    match AssertUnwindSafe(work(app, record, clock))
        .catch_unwind()
        .await
    {
        Ok(outcome) => outcome,
        Err(_) => {
            error!(alarm = "record_parked", %reference, code = "Panic", "an enquiry could not be worked on");
            Err(Unfinished::Panicked)
        }
    }
}

async fn work(app: &App, mut record: Record, clock: &Clock) -> Result<(), Unfinished> {
    // How often somebody asked before is good to know; not knowing it stops no email.
    let earlier = match record.deliveries.therapist.is_pending() {
        true => app
            .store
            .earlier(&record.received, TherapistEmail::EARLIER)
            .await
            .unwrap_or_default(),
        false => Vec::new(),
    };
    let mut unsent = Vec::new();
    let mut booked = false;
    while record.deliveries.is_pending() {
        if clock.remaining() < NEEDED {
            return Err(Unfinished::Later);
        }
        let mut deliveries = record.deliveries.clone();
        let now = clock.now();
        if let Err(error) = decide(app, &record, &mut deliveries, &mut booked, clock).await {
            // Sent without its booking, it could be the second one within the cool-down. It stays pending.
            error!(reference = %record.received.reference, code = error.code, "the table could not {}", error.doing);
            unsent.push(EmailKind::AutoReply);
        }
        let claimed = deliveries.claim(
            record.received.received_at,
            now,
            clock.lease_until(),
            &unsent,
        );
        if claimed.is_none() && deliveries == record.deliveries {
            break;
        }
        record = match app
            .store
            .change(&record, record.with(deliveries), now)
            .await?
        {
            Change::Made(record) => *record,
            Change::Lost(Some(current)) => {
                record = *current;
                continue;
            }
            // It was erased meanwhile, and so is what was booked for it just now.
            Change::Lost(None) => return Ok(app.store.forget_booking(&record.received).await?),
        };
        let Some(kind) = claimed else { continue };
        let (attempt, outcome) = send(app, &record, kind, &earlier, clock).await;
        record = match write_down(app, record, kind, attempt, &outcome, clock).await? {
            Some(record) => record,
            None => return Ok(()),
        };
        match outcome {
            // A service that does not answer would cost the client the auto-reply: better a later one. But an email
            // that never gets an answer shall not hold it up for ever.
            SendOutcome::Ambiguous if kind == EmailKind::Therapist && attempt <= TRIES => {
                return Err(Unfinished::Pending);
            }
            SendOutcome::NotSent | SendOutcome::Ambiguous => unsent.push(kind),
            SendOutcome::Accepted { .. } | SendOutcome::Permanent { .. } => {}
        }
    }
    if record.deliveries.is_pending() {
        return Err(Unfinished::Pending);
    }
    if !record.addressed && app.settings.hash_key.is_some() {
        // It came in while the key of the hashes was out of reach: from now on it is found by its client's address.
        let next = record.clone();
        app.store.change(&record, next, clock.now()).await?;
    }
    Ok(())
}

/// Decides about the auto-reply, once. What another invocation decided and did not send is booked again before it leaves:
/// a booking is for what leaves before the deadline of the invocation that made it, so that the cool-down runs from the
/// send.
///
/// # Errors
/// When it could not be booked once more: then it must not leave now.
async fn decide(
    app: &App,
    record: &Record,
    deliveries: &mut Deliveries,
    booked: &mut bool,
    clock: &Clock,
) -> Result<(), StoreError> {
    if !deliveries.decided {
        let withheld = withheld(app, record, clock).await;
        *booked = withheld.is_none();
        deliveries.decide(withheld);
    } else if matches!(deliveries.auto_reply, MailState::Pending { .. }) && !*booked {
        match app.store.book_auto_reply(&record.received, clock).await? {
            Ok(()) => *booked = true,
            Err(reason) => deliveries.withhold(reason, clock.now()),
        }
    }
    Ok(())
}

/// A suspect enquiry was misjudged: it counts as clear from now on, and its auto-reply is decided about anew.
///
/// # Errors
/// When the table cannot be written. Nothing at all when there is nothing to release.
pub async fn release(
    app: &App,
    mut record: Record,
    clock: &Clock,
) -> Result<Option<Record>, StoreError> {
    loop {
        let mut next = record.clone();
        next.verdict = Verdict::Clear;
        if !next.deliveries.release(clock.now()) {
            return Ok(None);
        }
        record = match app.store.change(&record, next, clock.now()).await? {
            Change::Made(record) => return Ok(Some(*record)),
            Change::Lost(Some(current)) => *current,
            Change::Lost(None) => return Ok(None),
        };
    }
}

/// One email is pending once more, because an operator asked for it: the enquiry as it then is, nothing when it is gone.
///
/// # Errors
/// When the table cannot be written. Inside, when the email may not go again.
pub async fn resend(
    app: &App,
    mut record: Record,
    kind: EmailKind,
    clock: &Clock,
) -> Result<Result<Option<Record>, ResendRefused>, StoreError> {
    loop {
        let mut deliveries = record.deliveries.clone();
        let pending = match kind {
            EmailKind::AutoReply => deliveries.resend_to_client(clock.now()),
            _ => deliveries.resend_to_therapist(clock.now()),
        };
        if let Err(refused) = pending {
            return Ok(Err(refused));
        }
        let next = record.with(deliveries);
        record = match app.store.change(&record, next, clock.now()).await? {
            Change::Made(record) => return Ok(Ok(Some(*record))),
            Change::Lost(Some(current)) => *current,
            Change::Lost(None) => return Ok(Ok(None)),
        };
    }
}

/// Whether the auto-reply is withheld, and why. What is known of the enquiry alone comes first; then the auto-reply is
/// booked, so that one address gets one within the cool-down, however many enquiries name it.
async fn withheld(app: &App, record: &Record, clock: &Clock) -> Option<Withheld> {
    let address = &record.received.enquiry.email;
    let own = [&app.settings.therapist, &app.settings.sender];
    if record.verdict == Verdict::Suspect {
        Some(Withheld::Suspect)
    } else if own.iter().any(|own| own.canonical() == address.canonical()) {
        Some(Withheld::OwnAddress)
    } else if is_role(address) {
        Some(Withheld::RoleAddress)
    } else if app.settings.sandbox {
        Some(Withheld::Sandbox)
    } else if record.uncounted {
        Some(Withheld::CountersUnavailable)
    } else {
        match app.store.book_auto_reply(&record.received, clock).await {
            Ok(booked) => booked.err(),
            Err(error) => {
                error!(code = error.code, "the table could not {}", error.doing);
                Some(Withheld::CountersUnavailable)
            }
        }
    }
}

/// Addresses that a function or a machine reads (RFC 2142 and the customs of email servers): an auto-reply to them
/// helps nobody and may start a loop.
fn is_role(address: &EmailAddress) -> bool {
    const ROLES: &[&str] = &[
        "abuse",
        "bounces",
        "daemon",
        "do-not-reply",
        "donotreply",
        "hostmaster",
        "list",
        "mailer-daemon",
        "no-reply",
        "nobody",
        "noreply",
        "postmaster",
        "root",
        "security",
        "spam",
        "usenet",
        "uucp",
        "webmaster",
        "www",
    ];
    let local = address.local_part().to_ascii_lowercase();
    let local = local
        .split_once('+')
        .map_or(local.as_str(), |(before, _)| before);
    ROLES.contains(&local)
}

/// Sends one email whose lease is held, again when SES says that it came too fast. An email to the therapist that SES
/// refuses for its words goes once more without any of them; one that is refused all the same stays pending, since nobody
/// else would tell.
async fn send(
    app: &App,
    record: &Record,
    kind: EmailKind,
    earlier: &[Timestamp],
    clock: &Clock,
) -> (u32, SendOutcome) {
    let attempt = match record.deliveries.of(kind) {
        Some(MailState::Sending { attempt, .. }) => *attempt,
        _ => 0,
    };
    let mut outcome = SendOutcome::NotSent;
    for email in write_email(app, record, kind, earlier) {
        outcome = send_email(app, &email, attempt, clock).await;
        if !matches!(outcome, SendOutcome::Permanent { .. }) {
            break;
        }
    }
    if kind != EmailKind::AutoReply && matches!(outcome, SendOutcome::Permanent { .. }) {
        let reference = &record.received.reference;
        error!(alarm = "email_refused", %reference, %kind, "SES refuses every form of this kind");
        outcome = SendOutcome::NotSent;
    }
    (attempt, outcome)
}

async fn send_email(app: &App, email: &Email, attempt: u32, clock: &Clock) -> SendOutcome {
    let Email {
        reference, kind, ..
    } = email;
    let mut tries = 1;
    loop {
        if clock.remaining() < SEND_AND_RECORD {
            return SendOutcome::NotSent;
        }
        let SendError { class, code } = match app.mailer.send(email).await {
            Ok(message_id) => {
                info!(%reference, %kind, attempt, message_id, "email sent");
                return SendOutcome::Accepted { message_id };
            }
            Err(error) => error,
        };
        warn!(%reference, %kind, attempt, ?class, code, "email not sent");
        match class {
            Class::Throttled | Class::NotConnected => {
                let pause = Duration::from_millis(400 * u64::from(tries));
                if tries >= TRIES || !clock.wait(pause, SEND_AND_RECORD).await {
                    return SendOutcome::NotSent;
                }
                tries += 1;
            }
            Class::Misconfigured => {
                error!(alarm = "misconfigured", %reference, %kind, code, "emails stay pending until an operator acts");
                return SendOutcome::NotSent;
            }
            Class::Permanent => return SendOutcome::Permanent { reason: code },
            Class::Ambiguous => return SendOutcome::Ambiguous,
        }
    }
}

/// Writes down what became of a send, however often others change the enquiry meanwhile.
async fn write_down(
    app: &App,
    mut record: Record,
    kind: EmailKind,
    attempt: u32,
    outcome: &SendOutcome,
    clock: &Clock,
) -> Result<Option<Record>, Unfinished> {
    loop {
        let now = clock.now();
        let mut deliveries = record.deliveries.clone();
        if !deliveries.record(kind, attempt, outcome, now) {
            return Ok(Some(record));
        }
        match app
            .store
            .change(&record, record.with(deliveries), now)
            .await
        {
            Ok(Change::Made(record)) => return Ok(Some(*record)),
            Ok(Change::Lost(Some(current))) => record = *current,
            Ok(Change::Lost(None)) => return Ok(None),
            // What is not written down is sent again: try for as long as there is time.
            Err(error) => {
                if !clock
                    .wait(Duration::from_millis(300), Duration::from_secs(3))
                    .await
                {
                    return Err(error.into());
                }
            }
        }
    }
}

/// The email, and what goes in its place when SES refuses it for what is in it.
fn write_email(app: &App, record: &Record, kind: EmailKind, earlier: &[Timestamp]) -> Vec<Email> {
    match kind {
        EmailKind::Therapist | EmailKind::Fallback => {
            let email = TherapistEmail::new(app, record, earlier);
            vec![email.into_email(), email.bare()]
        }
        EmailKind::AutoReply => vec![AutoReplyEmail::new(app, record).into_email()],
        EmailKind::Notice => vec![NoticeEmail::new(app, record).into_email()],
    }
}

/// The table cannot be written: the enquiry goes straight to the therapist's mailbox, marked as not stored, and counts
/// as accepted only when SES has said yes. There is no auto-reply, since nothing would remember it.
///
/// # Errors
/// When it could not be sent for certain, or when more than five went this way within a minute.
pub async fn straight_to_therapist(
    app: &App,
    reference: &Reference,
    enquiry: Enquiry,
    screening: &Score,
    clock: &Clock,
) -> Result<(), Unfinished> {
    let received = Received {
        reference: reference.clone(),
        received_at: clock.now(),
        enquiry,
    };
    if clock.remaining() < SEND_AND_RECORD || !may_go_straight(app, clock) {
        return Err(Unfinished::Later);
    }
    let email = TherapistEmail::fallback(app, &received, screening).into_email();
    match send_email(app, &email, 1, clock).await {
        SendOutcome::Accepted { .. } => Ok(()),
        _ => Err(Unfinished::Pending),
    }
}

/// Whether one more enquiry may go straight to the mailbox: a table that is down under a flood of posts must not
/// become a flood of emails.
fn may_go_straight(app: &App, clock: &Clock) -> bool {
    let Ok(mut went) = app.went_straight.lock() else {
        return false;
    };
    let minute_ago = clock.now() - SignedDuration::from_secs(60);
    went.retain(|at| *at > minute_ago);
    let may = went.len() < STRAIGHT;
    if may {
        went.push(clock.now());
    }
    may
}
