//! SES API v2 on the wire: `POST /v2/email/outbound-emails`; what can be asked is in `asked`.
//!
//! One file because every check stands in the order in which SES makes it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::account::Account;
use super::faults::Fault;
use super::message::{self, Draft};
use super::{Email, State, asked, events};
use crate::aws::{self, lock};
use crate::server::Line;

/// SES takes messages of up to 40 MB, base64 included.
const MAX_REQUEST: usize = 40 * 1024 * 1024;

/// Recipients of one message, To, Cc and Bcc together.
const MAX_RECIPIENTS: usize = 50;

/// Entries of `Headers`.
const MAX_HEADERS: usize = 15;

/// Characters of a tag's name or value.
const MAX_TAG: usize = 256;

/// Headers that SES or the rest of the request sets, and which the list may therefore not.
const OWN_HEADERS: &[&str] = &[
    "bcc",
    "cc",
    "content-transfer-encoding",
    "content-type",
    "date",
    "dkim-signature",
    "feedback-id",
    "from",
    "message-id",
    "mime-version",
    "received",
    "reply-to",
    "return-path",
    "subject",
    "to",
];

/// An answer that is no success.
#[derive(Debug)]
pub(super) struct RequestError {
    status: u16,
    code: String,
    message: String,
}

impl RequestError {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequestException", message)
    }

    fn rejected(message: impl Into<String>) -> Self {
        Self::new(400, "MessageRejected", message)
    }

    fn throttled(message: impl Into<String>) -> Self {
        Self::new(429, "TooManyRequestsException", message)
    }

    fn server(status: u16) -> Self {
        Self::new(
            status,
            "InternalServerErrorException",
            "The request processing has failed because of an unknown error.",
        )
    }
}

pub(super) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/v2/email/outbound-emails", post(send_email))
        .route("/v2/email/account", get(asked::account))
        .route("/v2/email/identities/{identity}", get(asked::identity))
        .route(
            "/v2/email/configuration-sets/{set}",
            get(asked::configuration_set),
        )
        .route(
            "/v2/email/configuration-sets/{set}/event-destinations",
            get(asked::event_destinations),
        )
        .route(
            "/v2/email/vdm/recommendations",
            post(asked::recommendations),
        )
        // SNS's query API has one path, and this catcher nothing else there.
        .route("/", post(asked::subscriptions))
        .fallback(async || {
            refuse(&RequestError::new(
                404,
                "UnknownOperationException",
                "This catcher does not know that operation.",
            ))
        })
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .with_state(state)
}

async fn send_email(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(line): ConnectInfo<Line>,
    body: Bytes,
) -> Response {
    let request: Value = match serde_json::from_slice(&body) {
        Ok(request @ Value::Object(_)) => request,
        _ => {
            return refuse(&RequestError::new(
                400,
                "SerializationException",
                "The request is no JSON object.",
            ));
        }
    };
    let fault = lock(&state.faults).take(&recipients(&request));
    match &fault {
        Some(Fault::Throttled) => {
            return refuse(&RequestError::throttled("Maximum sending rate exceeded."));
        }
        Some(Fault::Rejected) => {
            return refuse(&RequestError::rejected("Message rejected due to content."));
        }
        Some(Fault::Error {
            status,
            code,
            message,
        }) => return refuse(&RequestError::new(*status, code, message.clone())),
        Some(Fault::ServerErrorBefore(status)) => return refuse(&RequestError::server(*status)),
        Some(Fault::TimeoutBefore) => return never(&state, &line).await,
        Some(Fault::ResetBefore) => return reset(&line),
        Some(Fault::ServerErrorAfter(_) | Fault::TimeoutAfter | Fault::ResetAfter) | None => {}
    }
    // Kept with the email, since the file outlives this process and the fault does not.
    let answered = fault.is_none();
    let message_id = match accept(&state, request, answered) {
        Ok(message_id) => message_id,
        Err(refusal) => return refuse(&refusal),
    };
    match fault {
        Some(Fault::ServerErrorAfter(status)) => refuse(&RequestError::server(status)),
        Some(Fault::TimeoutAfter) => never(&state, &line).await,
        Some(Fault::ResetAfter) => reset(&line),
        _ => answer(StatusCode::OK, None, &json!({ "MessageId": message_id })),
    }
}

/// Does what SES does until it answers with a message id.
fn accept(state: &Arc<State>, request: Value, answered: bool) -> Result<String, RequestError> {
    let now = state.now();
    let message_id = aws::message_id(now);
    let email = compose(request, &message_id, now)?;
    let configuration_set = email
        .request
        .get("ConfigurationSetName")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let email = {
        let account = lock(&state.account);
        check_account(state, &account, &email, configuration_set.as_deref())?;
        let suppressed = |address: &str| account.suppression(address, configuration_set.as_deref());
        let notices = configuration_set
            .as_deref()
            .filter(|set| !account.silent_sets.contains(*set))
            .map(|set| events::notices(&email, set, &suppressed))
            .unwrap_or_default();
        let sent = events::is_sent(&email, &suppressed);
        Email {
            notices,
            sent,
            answered,
            ..email
        }
    };
    state.accept(email).map_err(|error| {
        tracing::warn!(%error, "an email could not be kept, so it was not accepted");
        RequestError::server(500)
    })?;
    Ok(message_id)
}

fn check_account(
    state: &State,
    account: &Account,
    email: &Email,
    configuration_set: Option<&str>,
) -> Result<(), RequestError> {
    if !account.allowed {
        return Err(access_denied("ses:SendEmail"));
    }
    if account.suspended {
        return Err(RequestError::new(
            400,
            "AccountSuspendedException",
            "The message can't be sent because the account's ability to send email has been permanently restricted.",
        ));
    }
    if account.paused {
        return Err(RequestError::new(
            400,
            "SendingPausedException",
            "Sending paused for this account. For more information, please check the inbox of the email address associated with your AWS account.",
        ));
    }
    if let Some(set) = configuration_set
        && !account.configuration_sets.contains(set)
    {
        return Err(RequestError::new(
            404,
            "NotFoundException",
            format!("Configuration set <{set}> does not exist."),
        ));
    }
    if let Some(set) = configuration_set
        && account.paused_sets.contains(set)
    {
        return Err(RequestError::new(
            400,
            "SendingPausedException",
            format!("Sending is paused for configuration set {set}"),
        ));
    }
    let sender = message::address(&email.from);
    let mut unverified: Vec<&str> = Vec::new();
    if !account.is_verified(sender) {
        unverified.push(sender);
    }
    if account.sandbox {
        unverified.extend(
            email
                .to
                .iter()
                .map(String::as_str)
                .filter(|to| !account.is_verified(to) && !events::is_simulator(to)),
        );
    }
    if !unverified.is_empty() {
        return Err(RequestError::rejected(format!(
            "Email address is not verified. The following identities failed the check in region EU-WEST-2: {}",
            unverified.join(", ")
        )));
    }
    if !account.mail_from_verified {
        return Err(RequestError::new(
            400,
            "MailFromDomainNotVerifiedException",
            "The message can't be sent because the sending domain isn't verified.",
        ));
    }
    let spent =
        |quota: u32| state.sent_since(a_day_ago()) >= usize::try_from(quota).unwrap_or(usize::MAX);
    if account.max_24_hour_send.is_some_and(spent) {
        return Err(RequestError::throttled("Daily message quota exceeded."));
    }
    if let Some(rate) = account.max_send_rate {
        let seconds = Timestamp::now().as_duration().as_secs_f64();
        if !lock(&state.bucket).take(rate, email.to.len(), seconds) {
            return Err(RequestError::throttled("Maximum sending rate exceeded."));
        }
    }
    Ok(())
}

/// Checks the request and renders its message.
fn compose(request: Value, message_id: &str, now: Timestamp) -> Result<Email, RequestError> {
    let to = recipients(&request);
    if to.is_empty() {
        return Err(RequestError::bad_request(
            "Destination must contain at least one recipient.",
        ));
    }
    if to.len() > MAX_RECIPIENTS {
        return Err(RequestError::bad_request("Recipient count exceeds 50."));
    }
    let from = text(&request, "FromEmailAddress")
        .unwrap_or_default()
        .to_owned();
    let reply_to = list(&request, "ReplyToAddresses");
    let destination = request.get("Destination").cloned().unwrap_or_default();
    for name in ["ToAddresses", "CcAddresses", "BccAddresses"] {
        list(&destination, name)
            .iter()
            .try_for_each(|mailbox| check_mailbox(mailbox))?;
    }
    reply_to
        .iter()
        .try_for_each(|mailbox| check_mailbox(mailbox))?;
    check_tags(&request)?;
    let content = request.get("Content").cloned().unwrap_or_default();
    let mut email = Email {
        number: 0,
        at: now,
        message_id: message_id.to_owned(),
        from: String::new(),
        to,
        reply_to: Vec::new(),
        subject: String::new(),
        headers: serde_json::Map::new(),
        text: None,
        html: None,
        eml: String::new(),
        request,
        sent: true,
        answered: true,
        notices: Vec::new(),
    };
    if let Some(simple) = content.get("Simple") {
        check_mailbox(&from)?;
        let body = simple.get("Body").cloned().unwrap_or_default();
        let draft = Draft {
            from: from.clone(),
            to: list(&destination, "ToAddresses"),
            cc: list(&destination, "CcAddresses"),
            reply_to,
            subject: part(simple, "Subject")?
                .ok_or_else(|| RequestError::bad_request("Subject must not be null."))?,
            text: part(&body, "Text")?,
            html: part(&body, "Html")?,
            headers: check_headers(simple)?,
        };
        if draft.subject.contains(['\r', '\n']) {
            return Err(RequestError::bad_request(
                "Header fields must not contain line breaks: Subject",
            ));
        }
        email.eml = message::render(&draft, message_id, now).map_err(RequestError::bad_request)?;
        email.text = draft.text;
        email.html = draft.html;
    } else if let Some(raw) = content.get("Raw") {
        let bytes = text(raw, "Data")
            .and_then(|data| STANDARD.decode(data).ok())
            .ok_or_else(|| RequestError::bad_request("Raw data must be base64."))?;
        let raw = String::from_utf8_lossy(&bytes);
        let sender = message::fields(&raw.replace("\r\n", "\n").replace('\n', "\r\n"))
            .into_iter()
            .find_map(|(name, value)| name.eq_ignore_ascii_case("From").then_some(value));
        let sender = if from.is_empty() {
            sender.unwrap_or_default()
        } else {
            from
        };
        check_mailbox(&sender)?;
        email.eml = message::pass_through(&raw, &sender, message_id, now);
    } else {
        return Err(RequestError::bad_request(
            "Content must have Simple or Raw; this catcher knows no templates.",
        ));
    }
    email.headers = message::headers(&email.eml);
    email.from = field(&email, "From");
    email.subject = field(&email, "Subject");
    email.reply_to = match list(&email.request, "ReplyToAddresses") {
        given if given.is_empty() => Some(field(&email, "Reply-To"))
            .filter(|value| !value.is_empty())
            .into_iter()
            .collect(),
        given => given
            .iter()
            .map(|mailbox| message::decode(mailbox))
            .collect(),
    };
    Ok(email)
}

fn field(email: &Email, wanted: &str) -> String {
    let value = email
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value);
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// One `Content` of the request: its data, when it is there.
fn part(parent: &Value, name: &str) -> Result<Option<String>, RequestError> {
    let Some(content) = parent.get(name).filter(|content| !content.is_null()) else {
        return Ok(None);
    };
    let data = text(content, "Data")
        .ok_or_else(|| RequestError::bad_request(format!("{name} must have Data.")))?;
    let charset = text(content, "Charset").unwrap_or("US-ASCII");
    if !data.is_ascii() && !charset.eq_ignore_ascii_case("UTF-8") {
        return Err(RequestError::bad_request(format!(
            "{name} has characters that its charset {charset} does not have."
        )));
    }
    Ok(Some(data.to_owned()))
}

/// Checks a mailbox as SES does: ASCII (a display name is an encoded word), an address with a local part and a domain.
fn check_mailbox(mailbox: &str) -> Result<(), RequestError> {
    if !mailbox.is_ascii() {
        return Err(RequestError::bad_request(
            "Non-ASCII characters in an address must be encoded: a name as encoded words, a domain as punycode.",
        ));
    }
    if mailbox
        .chars()
        .any(|character| character.is_ascii_control())
    {
        return Err(RequestError::bad_request(
            "Local address contains control or whitespace",
        ));
    }
    if mailbox.len() > 320 {
        return Err(RequestError::bad_request(
            "Address length is more than 320 characters long",
        ));
    }
    let address = message::address(mailbox);
    let Some((local, domain)) = address.rsplit_once('@') else {
        return Err(RequestError::bad_request("Missing final '@domain'"));
    };
    if local.is_empty() {
        return Err(RequestError::bad_request("Missing local name"));
    }
    if local.len() > 64 {
        return Err(RequestError::bad_request(
            "Local name is more than 64 characters long",
        ));
    }
    let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    if !quoted
        && local.contains([
            ' ', '"', '(', ')', ',', ':', ';', '<', '>', '@', '[', ']', '\\',
        ])
    {
        return Err(RequestError::bad_request(
            "Local address contains control or whitespace",
        ));
    }
    if !quoted && (local.starts_with('.') || local.ends_with('.') || local.contains("..")) {
        return Err(RequestError::bad_request("Illegal address"));
    }
    if domain.starts_with('.') {
        return Err(RequestError::bad_request("Domain starts with dot"));
    }
    if domain.ends_with('.') {
        return Err(RequestError::bad_request("Domain ends with dot"));
    }
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || character == '-')
    };
    if !domain.contains('.') || domain.len() > 255 || !domain.split('.').all(label) {
        return Err(RequestError::bad_request(
            "Domain contains illegal character",
        ));
    }
    Ok(())
}

fn check_tags(request: &Value) -> Result<(), RequestError> {
    for tag in request
        .get("EmailTags")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        for (part, what) in [("Name", "name"), ("Value", "value")] {
            let value = text(tag, part).unwrap_or_default();
            let alphabet = value.chars().all(|character| {
                character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
            });
            if value.is_empty() || value.len() > MAX_TAG || !alphabet {
                return Err(RequestError::bad_request(format!(
                    "Invalid tag {what} <{value}>: only alphanumeric ASCII characters, '_', and '-' are allowed, 1 to 256 of them."
                )));
            }
        }
    }
    Ok(())
}

fn check_headers(simple: &Value) -> Result<Vec<(String, String)>, RequestError> {
    let entries = simple
        .get("Headers")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if entries.len() > MAX_HEADERS {
        return Err(RequestError::bad_request(format!(
            "Headers must have length less than or equal to {MAX_HEADERS}."
        )));
    }
    let mut headers: Vec<(String, String)> = Vec::new();
    for entry in &entries {
        let name = text(entry, "Name").unwrap_or_default();
        let value = text(entry, "Value").unwrap_or_default();
        if name.is_empty()
            || name.len() > 126
            || !name
                .bytes()
                .all(|byte| matches!(byte, 33..=126) && byte != b':')
        {
            return Err(RequestError::bad_request(format!(
                "Invalid header name <{name}>."
            )));
        }
        if value.is_empty()
            || value.len() > 995
            || name.len() + value.len() > 996
            || !value.bytes().all(|byte| matches!(byte, 32..=126))
        {
            return Err(RequestError::bad_request(format!(
                "Invalid value of the header <{name}>."
            )));
        }
        let is_own = OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name));
        if is_own
            || headers
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name))
        {
            return Err(RequestError::bad_request(format!(
                "Duplicate header '{name}'."
            )));
        }
        headers.push((name.to_owned(), value.to_owned()));
    }
    Ok(headers)
}

/// Bare addresses of everyone a request is for.
fn recipients(request: &Value) -> Vec<String> {
    let Some(destination) = request.get("Destination") else {
        return Vec::new();
    };
    ["ToAddresses", "CcAddresses", "BccAddresses"]
        .into_iter()
        .flat_map(|name| list(destination, name))
        .map(|mailbox| message::address(&mailbox).to_owned())
        .collect()
}

fn list(parent: &Value, name: &str) -> Vec<String> {
    let entries = parent.get(name).and_then(Value::as_array);
    entries
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn text<'a>(parent: &'a Value, name: &str) -> Option<&'a str> {
    parent.get(name).and_then(Value::as_str)
}

pub(super) fn access_denied(action: &str) -> RequestError {
    RequestError::new(
        403,
        "AccessDeniedException",
        format!("User is not authorized to perform: {action}"),
    )
}

pub(super) fn a_day_ago() -> Timestamp {
    Timestamp::now()
        .checked_sub(SignedDuration::from_hours(24))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Never answers: the caller's own time limit ends this, or the end of the catcher.
async fn never(state: &State, line: &Line) -> Response {
    state.stopping().await;
    reset(line)
}

fn reset(line: &Line) -> Response {
    line.cut();
    // Never written: the line is cut.
    Response::new(Body::empty())
}

pub(super) fn refuse(refusal: &RequestError) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(
        status,
        Some(&refusal.code),
        &json!({ "message": refusal.message }),
    )
}

pub(super) fn answer(status: StatusCode, error: Option<&str>, body: &Value) -> Response {
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("x-amzn-requestid", aws::uuid());
    if let Some(error) = error {
        response = response.header("x-amzn-errortype", error);
    }
    response
        .body(Body::from(body.to_string()))
        .unwrap_or_default()
}
