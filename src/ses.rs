//! Sends an email through SES: one call, without retries of its own, and one table of what SES's errors mean.
//!
//! SES has no idempotency token, so the SDK's retries are off: the delivery decides what is tried again, and when.

mod account;

use std::error::Error;
use std::fmt;
use std::iter::successors;

use aws_sdk_sesv2::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{
    Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag,
};
use hyper_util::client::legacy::Error as ConnectionError;

use crate::aws::SesClient;
use crate::email::Email;
use crate::settings::EmailSettings;

pub use account::{Account, Advice, ConfigurationSet, Identity};

/// Sends emails from the practice's own address.
#[derive(Clone)]
pub struct Ses {
    client: SesClient,
    sender: String,
    configuration_set: Option<String>,
    therapist_configuration_set: Option<String>,
}

/// A send that SES did not confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendError {
    /// What is to be done about it.
    pub class: ErrorClass,
    /// SES's code, or the kind of the failure on the way to it. Nothing personal.
    pub code: String,
}

/// What a failure to send means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Too fast: not sent, and another try in a moment may go through.
    Throttled,
    /// No connection to SES came about, so that nothing was sent; another try in a moment may get through.
    NotConnected,
    /// Not sent; an operator must act, and nothing is wrong with the email.
    Misconfigured,
    /// This email will never go.
    Permanent,
    /// It is not known whether it left.
    Ambiguous,
}

impl Ses {
    /// Sends over this client.
    #[must_use]
    pub fn new(client: SesClient, settings: &EmailSettings) -> Self {
        Self {
            client,
            sender: settings.sender.as_str().to_owned(),
            configuration_set: settings.configuration_set.clone(),
            therapist_configuration_set: settings.therapist_configuration_set.clone(),
        }
    }

    /// Sends one email, once. Returns SES's message ID.
    ///
    /// # Errors
    /// By class: what is to be done about it.
    pub async fn send(&self, email: &Email) -> Result<String, SendError> {
        let content =
            content(email).map_err(|_| SendError::new(ErrorClass::Permanent, "Unbuildable"))?;
        let tag = |name: &str, value: &str| MessageTag::builder().name(name).value(value).build();
        let reference = email.reference.as_ref();
        let tags = [
            Some(tag("kind", email.kind.key())),
            reference.map(|reference| tag("reference", reference.as_str())),
            email.about.as_deref().map(|about| tag("about", about)),
        ];
        // Her address must never be suppressed: SES would answer yes and drop every enquiry from then on.
        let configuration_set = if email.kind.is_to_client() {
            &self.configuration_set
        } else {
            &self.therapist_configuration_set
        };
        let mut call = self
            .client
            .send_email()
            .from_email_address(mailbox(&email.from_name, &self.sender))
            .destination(
                Destination::builder()
                    .to_addresses(email.to.as_str())
                    .build(),
            )
            .set_configuration_set_name(configuration_set.clone())
            .content(content);
        for tag in tags.into_iter().flatten() {
            call = call
                .email_tags(tag.map_err(|_| SendError::new(ErrorClass::Permanent, "Unbuildable"))?);
        }
        if let Some(address) = &email.reply_to {
            call = call.reply_to_addresses(address.as_str());
        }
        match call.send().await {
            Ok(answer) => Ok(answer.message_id().unwrap_or_default().to_owned()),
            Err(error) => Err(SendError::from_sdk(&error)),
        }
    }
}

impl SendError {
    fn new(class: ErrorClass, code: &str) -> Self {
        Self {
            class,
            code: code.to_owned(),
        }
    }

    fn from_sdk<R: fmt::Debug + 'static>(error: &SdkError<SendEmailError, R>) -> Self {
        if never_connected(error) {
            return Self::new(ErrorClass::NotConnected, "NotConnected");
        }
        match error {
            SdkError::ServiceError(service) => {
                let error = service.err();
                let code = error.code().unwrap_or("Unknown");
                Self::new(classify(code, error.message().unwrap_or_default()), code)
            }
            SdkError::ConstructionFailure(_) => {
                Self::new(ErrorClass::Permanent, "ConstructionFailure")
            }
            // The connection was there, and it is unknown how much of the request went over it.
            SdkError::DispatchFailure(_) => Self::new(ErrorClass::Ambiguous, "DispatchFailure"),
            SdkError::TimeoutError(_) => Self::new(ErrorClass::Ambiguous, "Timeout"),
            SdkError::ResponseError(_) => Self::new(ErrorClass::Ambiguous, "ResponseUnreadable"),
            _ => Self::new(ErrorClass::Ambiguous, "Unknown"),
        }
    }
}

/// Whether the connection over which the request was to go never came about: the name did not resolve, the port was
/// closed, the handshake of TLS failed, or one of them took too long.
///
/// The SDK's own kinds do not tell: an I/O error may be a refused port or a connection that broke under a request.
/// The HTTP client below it does, by an error that it makes before there is anything to write to. Should that
/// client ever be another one, every such failure counts as ambiguous again.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    successors(Some(error), |error| (*error).source())
        .filter_map(|error| error.downcast_ref::<ConnectionError>())
        .any(ConnectionError::is_connect)
}

/// The table: SES's code, sometimes its text, and what is done about it.
///
/// The codes are those of the SES API v2 reference ("`SendEmail`", "Common Error Types"); a code that is not in it
/// counts as ambiguous, since an unknown answer says nothing about the email.
fn classify(code: &str, text: &str) -> ErrorClass {
    let text = text.to_ascii_lowercase();
    match code {
        "TooManyRequestsException"
        | "LimitExceededException"
        | "Throttling"
        | "ThrottlingException" => {
            // The daily quota has the same code as the sending rate; only its text tells them apart.
            if text.contains("daily") || text.contains("quota") {
                ErrorClass::Misconfigured
            } else {
                ErrorClass::Throttled
            }
        }
        "AccountSuspendedException"
        | "SendingPausedException"
        | "MailFromDomainNotVerifiedException"
        | "NotFoundException"
        | "AccessDeniedException"
        | "AccessDenied"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "ExpiredTokenException"
        | "ExpiredToken"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "OptInRequired"
        | "NotAuthorized" => ErrorClass::Misconfigured,
        // In the sandbox an unverified recipient is refused in the same words as an unverified sender.
        "MessageRejected" if text.contains("not verified") => ErrorClass::Misconfigured,
        "MessageRejected" | "BadRequestException" | "ValidationException" | "ValidationError" => {
            ErrorClass::Permanent
        }
        _ => ErrorClass::Ambiguous,
    }
}

fn content(email: &Email) -> Result<EmailContent, BuildError> {
    let utf8 = |data: &str| Content::builder().data(data).charset("UTF-8").build();
    let html = email.html.as_deref().map(utf8).transpose()?;
    let body = Body::builder()
        .text(utf8(&email.text)?)
        .set_html(html)
        .build();
    let mut message = Message::builder().subject(utf8(&email.subject)?).body(body);
    for (name, value) in &email.headers {
        message = message.headers(MessageHeader::builder().name(*name).value(*value).build()?);
    }
    Ok(EmailContent::builder().simple(message.build()).build())
}

/// A mailbox with a display name: quoted when it is ASCII, an encoded word (RFC 2047) otherwise.
fn mailbox(name: &str, address: &str) -> String {
    if name.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("\"{quoted}\" <{address}>");
    }
    use std::fmt::Write as _;
    let encoded = name.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "={byte:02X}");
        }
        encoded
    });
    format!("=?UTF-8?Q?{encoded}?= <{address}>")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::enquiry::{EmailAddress, Reference};
    use crate::mail_state::EmailKind;
    use crate::settings::Settings;

    #[test]
    fn every_error_of_ses_has_one_meaning() {
        for (code, text, class) in [
            (
                "TooManyRequestsException",
                "Maximum sending rate exceeded.",
                ErrorClass::Throttled,
            ),
            (
                "TooManyRequestsException",
                "Daily message quota exceeded.",
                ErrorClass::Misconfigured,
            ),
            (
                "LimitExceededException",
                "Daily sending quota exceeded",
                ErrorClass::Misconfigured,
            ),
            (
                "ThrottlingException",
                "Rate exceeded",
                ErrorClass::Throttled,
            ),
            ("AccountSuspendedException", "", ErrorClass::Misconfigured),
            ("SendingPausedException", "", ErrorClass::Misconfigured),
            (
                "MailFromDomainNotVerifiedException",
                "",
                ErrorClass::Misconfigured,
            ),
            (
                "NotFoundException",
                "Configuration set <desk> does not exist.",
                ErrorClass::Misconfigured,
            ),
            ("AccessDeniedException", "", ErrorClass::Misconfigured),
            (
                "MessageRejected",
                "Email address is not verified. The following identities failed the check in region EU-WEST-2: x@example.com",
                ErrorClass::Misconfigured,
            ),
            (
                "MessageRejected",
                "Message contains a virus.",
                ErrorClass::Permanent,
            ),
            (
                "BadRequestException",
                "Illegal address",
                ErrorClass::Permanent,
            ),
            ("InternalServiceError", "", ErrorClass::Ambiguous),
            ("ServiceUnavailable", "", ErrorClass::Ambiguous),
            ("SomethingNew", "", ErrorClass::Ambiguous),
        ] {
            assert_eq!(classify(code, text), class, "{code}: {text}");
        }
    }

    /// What the far end does with a connection. The SES client and its HTTP client are those of the deployed function.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Peer {
        ClosedPort,
        UnknownName,
        NoTls,
        SilentTls,
        ClosesAtOnce,
        ClosesAfterABit,
        ClosesAfterTheRequest,
        ClosesWithinTheAnswer,
        NeverAnswers,
        LeavesBetweenTwo,
        LeavesUnderTheSecond,
    }

    /// Serves connections as `peer` does, until the test ends.
    async fn serve(listener: TcpListener, peer: Peer) {
        let mut answered = 0;
        while let Ok((mut socket, _)) = listener.accept().await {
            match peer {
                Peer::NoTls => {
                    let _ = socket.write_all(b"220 this is no TLS\r\n").await;
                }
                Peer::ClosesAfterABit => {
                    let _ = socket.read(&mut [0; 16]).await;
                }
                Peer::ClosesAfterTheRequest => read_request(&mut socket).await,
                Peer::ClosesWithinTheAnswer => {
                    read_request(&mut socket).await;
                    let _ = socket
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{\"Mess")
                        .await;
                }
                Peer::SilentTls | Peer::NeverAnswers => {
                    let _kept = socket;
                    std::future::pending::<()>().await;
                }
                Peer::LeavesBetweenTwo | Peer::LeavesUnderTheSecond => {
                    read_request(&mut socket).await;
                    answered += 1;
                    let answer =
                        "HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n{\"MessageId\":\"first\"}";
                    let _ = socket.write_all(answer.as_bytes()).await;
                    if peer == Peer::LeavesUnderTheSecond {
                        read_request(&mut socket).await;
                    }
                    assert_eq!(answered, 1, "the port is closed after the first");
                    return;
                }
                _ => {}
            }
        }
    }

    async fn read_request(socket: &mut TcpStream) {
        let mut read = Vec::new();
        let mut some = [0; 4096];
        loop {
            match socket.read(&mut some).await {
                Ok(0) | Err(_) => return,
                Ok(bytes) => read.extend_from_slice(&some[..bytes]),
            }
            // The body is an object, and nothing before it ends with a brace.
            if read.ends_with(b"}") {
                return;
            }
        }
    }

    /// The client of the deployed function, with SES at this address.
    fn client(endpoint: &str) -> Ses {
        let settings = Settings::from_env(|name| {
            let value = match name {
                "TABLE_NAME" => "enquiries",
                "THERAPIST_EMAIL" | "SENDER_EMAIL" => "desk@example.com",
                "HASH_KEY" => "0123456789abcdef0123456789abcdef",
                _ => return None,
            };
            Some(value.to_owned())
        });
        let variable = |name: &str| match name {
            "AWS_REGION" => Some("eu-west-2".to_owned()),
            "AWS_ENDPOINT_URL_SESV2" => Some(endpoint.to_owned()),
            _ => None,
        };
        let clients = crate::aws::Clients::from_variables(crate::aws::HttpClients::new(), variable);
        Ses::new(clients.ses, &settings.unwrap().email)
    }

    fn an_email() -> Email {
        Email {
            kind: EmailKind::Therapist,
            reference: Reference::parse("BB-7KQ4M").ok(),
            about: None,
            from_name: "Body Benefits".to_owned(),
            to: EmailAddress::parse("therapist@example.com").unwrap(),
            reply_to: None,
            subject: "A subject".to_owned(),
            text: "A text".to_owned(),
            html: None,
            headers: Vec::new(),
        }
    }

    /// What a send to this peer comes to; for the last two, the second one.
    async fn send_to(peer: Peer) -> ErrorClass {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let ses = match peer {
            Peer::UnknownName => "http://desk.invalid".to_owned(),
            Peer::NoTls | Peer::SilentTls => format!("https://127.0.0.1:{port}"),
            _ => format!("http://127.0.0.1:{port}"),
        };
        let served = match peer {
            Peer::ClosedPort => {
                drop(listener);
                tokio::spawn(async {})
            }
            _ => tokio::spawn(serve(listener, peer)),
        };
        let (ses, email) = (client(&ses), an_email());
        if matches!(peer, Peer::LeavesBetweenTwo | Peer::LeavesUnderTheSecond) {
            assert_eq!(ses.send(&email).await.unwrap(), "first");
        }
        if peer == Peer::LeavesBetweenTwo {
            // The connection and the port are closed for certain before the second one.
            served.await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            return ses.send(&email).await.unwrap_err().class;
        }
        let class = ses.send(&email).await.unwrap_err().class;
        served.abort();
        class
    }

    #[tokio::test]
    async fn only_what_certainly_never_left_counts_as_not_sent() {
        let cases = [
            (
                Peer::ClosedPort,
                ErrorClass::NotConnected,
                "nothing listens",
            ),
            (
                Peer::UnknownName,
                ErrorClass::NotConnected,
                "there is nothing to connect to",
            ),
            (
                Peer::NoTls,
                ErrorClass::NotConnected,
                "the handshake fails before any request",
            ),
            (
                Peer::SilentTls,
                ErrorClass::NotConnected,
                "so does one that never ends",
            ),
            (
                Peer::LeavesBetweenTwo,
                ErrorClass::NotConnected,
                "the kept connection was closed before the request, and no other was to be had",
            ),
            (
                Peer::ClosesAtOnce,
                ErrorClass::Ambiguous,
                "the request may be on its way already",
            ),
            (
                Peer::ClosesAfterABit,
                ErrorClass::Ambiguous,
                "who knows how much was read",
            ),
            (
                Peer::ClosesAfterTheRequest,
                ErrorClass::Ambiguous,
                "it had everything",
            ),
            (
                Peer::ClosesWithinTheAnswer,
                ErrorClass::Ambiguous,
                "it may have said yes",
            ),
            (
                Peer::NeverAnswers,
                ErrorClass::Ambiguous,
                "it may still be at it",
            ),
            (
                Peer::LeavesUnderTheSecond,
                ErrorClass::Ambiguous,
                "the kept connection took the request",
            ),
        ];
        let sends = cases.map(|(peer, ..)| send_to(peer));
        let classes = futures_util::future::join_all(sends).await;
        for ((peer, expected, why), class) in cases.into_iter().zip(classes) {
            assert_eq!(class, expected, "{peer:?}: {why}");
        }
    }

    /// What stands between forgets a connection that nothing uses, and tells neither side.
    #[tokio::test]
    async fn a_connection_that_was_idle_for_seconds_is_not_trusted_with_an_email() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ses = client(&format!("http://{}", listener.local_addr().unwrap()));
        let served = tokio::spawn(async move {
            let mut forgotten = Vec::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                for message in 0..2 {
                    let mut begun = [0];
                    let first =
                        tokio::time::timeout(Duration::from_secs(1), socket.read(&mut begun));
                    if first.await.is_err() {
                        break;
                    }
                    read_request(&mut socket).await;
                    let body = format!("{{\"MessageId\":\"{}-{message}\"}}", forgotten.len());
                    let length = body.len();
                    let answer =
                        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
                    socket.write_all(answer.as_bytes()).await.unwrap();
                }
                forgotten.push(socket);
            }
        });
        let email = an_email();
        assert_eq!(ses.send(&email).await.unwrap(), "0-0");
        assert_eq!(
            ses.send(&email).await.unwrap(),
            "0-1",
            "two in a row share one"
        );
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(ses.send(&email).await.unwrap(), "1-0");
        served.abort();
    }

    #[test]
    fn the_senders_name_is_safe_in_a_header() {
        assert_eq!(
            mailbox("Body Benefits", "a@example.com"),
            "\"Body Benefits\" <a@example.com>"
        );
        assert_eq!(
            mailbox("The \"Knot\"", "a@example.com"),
            "\"The \\\"Knot\\\"\" <a@example.com>"
        );
        assert_eq!(
            mailbox("Zoë\r\nX", "a@example.com"),
            "=?UTF-8?Q?Zo=C3=AB=0D=0AX?= <a@example.com>"
        );
    }
}
