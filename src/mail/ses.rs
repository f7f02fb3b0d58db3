//! The mailer: one SES call per letter, without retries of its own, and one table of what SES's errors mean.
//!
//! SES has no idempotency token, so the SDK's retries are off: what is tried again, and when, is the outbox's business.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{
    Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag,
};

use super::Mail;
use crate::settings::Settings;

/// Sends letters from the practice's own address.
#[derive(Clone)]
pub struct Mailer {
    client: Client,
    from: String,
    configuration_set: Option<String>,
}

/// A send that SES did not confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendFault {
    /// What is to be done about it.
    pub class: Class,
    /// SES's code, or the kind of the failure on the way to it. Nothing personal.
    pub code: String,
}

/// What a failure to send means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Too fast: not sent, and another try in a moment may go through.
    Throttled,
    /// Not sent; an operator must act, and nothing is wrong with the mail.
    Operator,
    /// This mail will never go.
    Never,
    /// Nobody knows whether it left.
    Ambiguous,
}

impl Mailer {
    /// A mailer over this client; `name` is the practice's name, shown as the sender.
    #[must_use]
    pub fn new(client: Client, settings: &Settings, name: &str) -> Self {
        Self {
            client,
            from: mailbox(name, settings.sender.as_str()),
            configuration_set: settings.configuration_set.clone(),
        }
    }

    /// Sends one letter, once. Returns the name that SES gave it.
    ///
    /// # Errors
    /// By class: what is to be done about it.
    pub async fn send(&self, mail: &Mail) -> Result<String, SendFault> {
        let content = content(mail).map_err(|_| SendFault::new(Class::Never, "Unbuildable"))?;
        let tag = |name: &str, value: &str| MessageTag::builder().name(name).value(value).build();
        let tags = [
            tag("letter", mail.letter.key()),
            tag("reference", mail.reference.as_str()),
        ];
        let mut call = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(
                Destination::builder()
                    .to_addresses(mail.to.as_str())
                    .build(),
            )
            .set_configuration_set_name(self.configuration_set.clone())
            .content(content);
        for tag in tags {
            call = call.email_tags(tag.map_err(|_| SendFault::new(Class::Never, "Unbuildable"))?);
        }
        if let Some(address) = &mail.reply_to {
            call = call.reply_to_addresses(address.as_str());
        }
        match call.send().await {
            Ok(answer) => Ok(answer.message_id().unwrap_or_default().to_owned()),
            Err(error) => Err(SendFault::from_sdk(&error)),
        }
    }
}

impl SendFault {
    fn new(class: Class, code: &str) -> Self {
        Self {
            class,
            code: code.to_owned(),
        }
    }

    fn from_sdk<R>(error: &SdkError<SendEmailError, R>) -> Self {
        match error {
            SdkError::ServiceError(service) => {
                let error = service.err();
                let code = error.code().unwrap_or("Unknown");
                Self::new(classify(code, error.message().unwrap_or_default()), code)
            }
            SdkError::ConstructionFailure(_) => Self::new(Class::Never, "ConstructionFailure"),
            // A connection that was never made sent nothing, but the SDK does not tell at which point it broke.
            SdkError::DispatchFailure(_) => Self::new(Class::Ambiguous, "DispatchFailure"),
            SdkError::TimeoutError(_) => Self::new(Class::Ambiguous, "Timeout"),
            SdkError::ResponseError(_) => Self::new(Class::Ambiguous, "ResponseUnreadable"),
            _ => Self::new(Class::Ambiguous, "Unknown"),
        }
    }
}

/// The table: SES's code, sometimes its text, and what is done about it.
///
/// The codes are those of the SES API v2 reference ("`SendEmail`", "Common Error Types"); a code that is not in it
/// counts as ambiguous, since an unknown answer says nothing about the mail.
fn classify(code: &str, text: &str) -> Class {
    let text = text.to_ascii_lowercase();
    match code {
        "TooManyRequestsException"
        | "LimitExceededException"
        | "Throttling"
        | "ThrottlingException" => {
            // The daily quota has the same code as the sending rate; only its text tells them apart.
            if text.contains("daily") || text.contains("quota") {
                Class::Operator
            } else {
                Class::Throttled
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
        | "NotAuthorized" => Class::Operator,
        // In the sandbox an unverified recipient is refused in the same words as an unverified sender.
        "MessageRejected" if text.contains("not verified") => Class::Operator,
        "MessageRejected" | "BadRequestException" | "ValidationException" | "ValidationError" => {
            Class::Never
        }
        _ => Class::Ambiguous,
    }
}

fn content(mail: &Mail) -> Result<EmailContent, BuildError> {
    let utf8 = |data: &str| Content::builder().data(data).charset("UTF-8").build();
    let html = mail.html.as_deref().map(utf8).transpose()?;
    let body = Body::builder()
        .text(utf8(&mail.text)?)
        .set_html(html)
        .build();
    let mut message = Message::builder().subject(utf8(&mail.subject)?).body(body);
    for (name, value) in &mail.headers {
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
    use super::*;

    #[test]
    fn every_error_of_ses_has_one_meaning() {
        for (code, text, class) in [
            (
                "TooManyRequestsException",
                "Maximum sending rate exceeded.",
                Class::Throttled,
            ),
            (
                "TooManyRequestsException",
                "Daily message quota exceeded.",
                Class::Operator,
            ),
            (
                "LimitExceededException",
                "Daily sending quota exceeded",
                Class::Operator,
            ),
            ("ThrottlingException", "Rate exceeded", Class::Throttled),
            ("AccountSuspendedException", "", Class::Operator),
            ("SendingPausedException", "", Class::Operator),
            ("MailFromDomainNotVerifiedException", "", Class::Operator),
            (
                "NotFoundException",
                "Configuration set <desk> does not exist.",
                Class::Operator,
            ),
            ("AccessDeniedException", "", Class::Operator),
            (
                "MessageRejected",
                "Email address is not verified. The following identities failed the check in region EU-WEST-2: x@example.com",
                Class::Operator,
            ),
            ("MessageRejected", "Message contains a virus.", Class::Never),
            ("BadRequestException", "Illegal address", Class::Never),
            ("InternalServiceError", "", Class::Ambiguous),
            ("ServiceUnavailable", "", Class::Ambiguous),
            ("SomethingNew", "", Class::Ambiguous),
        ] {
            assert_eq!(classify(code, text), class, "{code}: {text}");
        }
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
