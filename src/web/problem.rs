//! Every way in which a request is refused as a whole: one table of status, type, title and what to do.

use http::StatusCode;

use crate::enquiry::Field;

/// Why a request is not taken. Errors of single fields are not here: they are answered with the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    /// Single-value fields must come once.
    RepeatedField(Field),
    /// JSON only: the form has no such field; the name is kept when it is harmless to repeat.
    UnknownField(Option<String>),
    /// The bytes are not UTF-8.
    NotUtf8,
    /// Not JSON, or JSON that is no object.
    MalformedJson,
    /// A multipart body that ends early or has parts without a name.
    MalformedMultipart,
    /// More values than the form has room for.
    TooManyFields,
    /// The event that carried the request could not be read.
    Unreadable,
    /// An `Origin` that is not on the list.
    ForeignOrigin,
    /// Nothing lives at this path.
    NotFound,
    /// The path exists, for other methods.
    MethodNotAllowed,
    /// More than 8,000 characters typed, or more than 128 KiB.
    TooLarge,
    /// None of the three encodings.
    UnsupportedMediaType,
    /// A character set other than UTF-8.
    UnsupportedCharset,
    /// A compressed body.
    Compressed,
    /// A file, which no field takes.
    File,
    /// This source has sent too much in too short a time; in so many seconds it may go on.
    TooManyRequests(u32),
    /// Neither the table nor the mailbox could take it.
    Unavailable,
    /// The practice was not set up yet, or cannot be read where the build holds none.
    NotOpen,
}

/// What a request error looks like: one row of the table of problem types (RFC 9457).
pub struct ProblemType {
    /// The status of the answer.
    pub status: StatusCode,
    /// The last part of the problem's type.
    pub name: &'static str,
    /// What happened, in a few words.
    pub title: &'static str,
    /// What to do.
    pub detail: &'static str,
}

impl RequestError {
    /// One of each kind, for tests and for the documents.
    pub const ALL: &'static [Self] = &[
        Self::RepeatedField(Field::Name),
        Self::UnknownField(None),
        Self::NotUtf8,
        Self::MalformedJson,
        Self::MalformedMultipart,
        Self::TooManyFields,
        Self::Unreadable,
        Self::ForeignOrigin,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::UnsupportedCharset,
        Self::Compressed,
        Self::File,
        Self::TooManyRequests(660),
        Self::Unavailable,
        Self::NotOpen,
    ];

    /// A field that the form has not; its name is repeated only when it looks like a name.
    #[must_use]
    pub fn unknown_field(name: &str) -> Self {
        let harmless = (1..=40).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        Self::UnknownField(harmless.then(|| name.to_owned()))
    }

    /// Its problem type.
    #[must_use]
    pub const fn problem_type(&self) -> ProblemType {
        let (status, name, title, detail) = match self {
            Self::RepeatedField(_) => (
                StatusCode::BAD_REQUEST,
                "repeated-field",
                "A field came twice",
                "Each question has one answer, only the places where it hurts may be several. Send each field once.",
            ),
            Self::UnknownField(_) => (
                StatusCode::BAD_REQUEST,
                "unknown-field",
                "The form has a field that is not known here",
                "Send only the fields of the enquiry form.",
            ),
            Self::NotUtf8 => (
                StatusCode::BAD_REQUEST,
                "not-utf-8",
                "The text could not be read",
                "Send the form as UTF-8: it arrived in another character encoding.",
            ),
            Self::MalformedJson => (
                StatusCode::BAD_REQUEST,
                "malformed-json",
                "The JSON could not be read",
                "Send one JSON object whose members are the fields of the form.",
            ),
            Self::MalformedMultipart => (
                StatusCode::BAD_REQUEST,
                "malformed-multipart",
                "The form arrived incomplete",
                "Send the form again: its parts could not be told apart.",
            ),
            Self::TooManyFields => (
                StatusCode::BAD_REQUEST,
                "too-many-fields",
                "The form has too many fields",
                "Send each field of the enquiry form once.",
            ),
            Self::Unreadable => (
                StatusCode::BAD_REQUEST,
                "unreadable-request",
                "The request could not be read",
                "Go back to the form and send it again.",
            ),
            Self::ForeignOrigin => (
                StatusCode::FORBIDDEN,
                "foreign-origin",
                "This website may not send enquiries here",
                "Use the form on the practice’s own website.",
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "not-found",
                "There is no page at this address",
                "Check the address, or start from the enquiry form.",
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "This address does not take that kind of request",
                "Fill in the enquiry form and send it.",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "The form is too long",
                "Shorten the message to 4,000 characters and send the form again.",
            ),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The form arrived in a format that is not known here",
                "Send it as application/x-www-form-urlencoded, multipart/form-data or application/json.",
            ),
            Self::UnsupportedCharset => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-charset",
                "The form arrived in a character encoding that is not known here",
                "Send it as UTF-8.",
            ),
            Self::Compressed => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "compressed",
                "The form arrived compressed",
                "Send it as it is, without a Content-Encoding.",
            ),
            Self::File => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "file",
                "The form came with a file",
                "Send the form without files. You can show pictures and letters at the appointment.",
            ),
            Self::TooManyRequests(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-requests",
                "Too many enquiries have come from your connection",
                "Wait a few minutes and send the form again, or phone.",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Your enquiry could not be taken just now",
                "Send the form again in a minute, or phone.",
            ),
            Self::NotOpen => (
                StatusCode::SERVICE_UNAVAILABLE,
                "not-open",
                "This form is not open at the moment",
                "Please phone instead, or come back later.",
            ),
        };
        ProblemType {
            status,
            name,
            title,
            detail,
        }
    }

    /// How long to wait before another try is worth it, in seconds.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::TooManyRequests(seconds) => Some(*seconds),
            Self::Unavailable | Self::NotOpen => Some(60),
            _ => None,
        }
    }

    /// What to do, with the field's name where there is one.
    #[must_use]
    pub fn message(&self) -> String {
        let detail = self.problem_type().detail;
        match self {
            Self::RepeatedField(field) => format!("{detail} It was “{}”.", field.key()),
            Self::UnknownField(Some(name)) => format!("{detail} “{name}” is none of them."),
            _ => detail.to_owned(),
        }
    }
}
