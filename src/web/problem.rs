//! Every way in which a request is refused as a whole: one table of status, type, title and what to do.

use http::StatusCode;

use crate::enquiry::Field;
use crate::messages::error::request;

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

    #[must_use]
    pub const fn problem_type(&self) -> ProblemType {
        let (status, name, title, detail) = match self {
            Self::RepeatedField(_) => (
                StatusCode::BAD_REQUEST,
                "repeated-field",
                request::repeated_field::TITLE,
                request::repeated_field::DETAIL,
            ),
            Self::UnknownField(_) => (
                StatusCode::BAD_REQUEST,
                "unknown-field",
                request::unknown_field::TITLE,
                request::unknown_field::DETAIL,
            ),
            Self::NotUtf8 => (
                StatusCode::BAD_REQUEST,
                "not-utf-8",
                request::not_utf8::TITLE,
                request::not_utf8::DETAIL,
            ),
            Self::MalformedJson => (
                StatusCode::BAD_REQUEST,
                "malformed-json",
                request::malformed_json::TITLE,
                request::malformed_json::DETAIL,
            ),
            Self::MalformedMultipart => (
                StatusCode::BAD_REQUEST,
                "malformed-multipart",
                request::malformed_multipart::TITLE,
                request::malformed_multipart::DETAIL,
            ),
            Self::TooManyFields => (
                StatusCode::BAD_REQUEST,
                "too-many-fields",
                request::too_many_fields::TITLE,
                request::too_many_fields::DETAIL,
            ),
            Self::Unreadable => (
                StatusCode::BAD_REQUEST,
                "unreadable-request",
                request::unreadable::TITLE,
                request::unreadable::DETAIL,
            ),
            Self::ForeignOrigin => (
                StatusCode::FORBIDDEN,
                "foreign-origin",
                request::foreign_origin::TITLE,
                request::foreign_origin::DETAIL,
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "not-found",
                request::not_found::TITLE,
                request::not_found::DETAIL,
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                request::method_not_allowed::TITLE,
                request::method_not_allowed::DETAIL,
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                request::too_large::TITLE,
                request::too_large::DETAIL,
            ),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                request::unsupported_media_type::TITLE,
                request::unsupported_media_type::DETAIL,
            ),
            Self::UnsupportedCharset => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-charset",
                request::unsupported_charset::TITLE,
                request::unsupported_charset::DETAIL,
            ),
            Self::Compressed => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "compressed",
                request::compressed::TITLE,
                request::compressed::DETAIL,
            ),
            Self::File => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "file",
                request::file::TITLE,
                request::file::DETAIL,
            ),
            Self::TooManyRequests(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-requests",
                request::too_many_requests::TITLE,
                request::too_many_requests::DETAIL,
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                request::unavailable::TITLE,
                request::unavailable::DETAIL,
            ),
            Self::NotOpen => (
                StatusCode::SERVICE_UNAVAILABLE,
                "not-open",
                request::not_open::TITLE,
                request::not_open::DETAIL,
            ),
        };
        ProblemType {
            status,
            name,
            title,
            detail,
        }
    }

    /// Whether a form was sent, which a browser may still hold.
    #[must_use]
    pub const fn is_of_a_form(&self) -> bool {
        !matches!(
            self,
            Self::ForeignOrigin | Self::NotFound | Self::MethodNotAllowed | Self::NotOpen
        )
    }

    /// Whether the form itself is closed.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::NotOpen)
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
            Self::RepeatedField(field) => request::repeated_field::which(detail, field.key()),
            Self::UnknownField(Some(name)) => request::unknown_field::which(detail, name),
            _ => detail.to_owned(),
        }
    }
}
