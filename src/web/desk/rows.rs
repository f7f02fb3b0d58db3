//! Every address of the desk: what it takes, who may ask for it, and what answers.

use std::sync::Arc;

use axum::http::Method;
use axum::routing::{MethodRouter, get, post};

use super::{act, browsers, enquiry, files, health, list, people, practice, sign_in, waiting};
use crate::messages::desk::{button, field};
use crate::web::Web;

/// Who may ask for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Any browser; a link of an email brings its own signature.
    Open,
    /// A browser that is signed in.
    SignedIn,
    /// One that has signed in within the hour: for what cannot be taken back.
    Recent,
}

/// A field of a form, as it is shown again when the session ended before it was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeptField {
    pub(super) name: &'static str,
    /// What it is called; a field without a name is not shown, and goes along.
    pub(super) label: &'static str,
    /// Whether it has several lines.
    pub(super) lines: bool,
}

/// One address of the desk, and what answers one method there.
pub(super) struct Row {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) access: Access,
    /// What the button of a post says.
    pub(super) button: &'static str,
    /// What a post carries.
    pub(super) fields: &'static [KeptField],
    pub(super) handler: fn() -> MethodRouter<Arc<Web>>,
}

impl Row {
    const fn page(
        path: &'static str,
        access: Access,
        handler: fn() -> MethodRouter<Arc<Web>>,
    ) -> Self {
        Self {
            method: Method::GET,
            path,
            access,
            button: "",
            fields: &[],
            handler,
        }
    }

    const fn action(
        path: &'static str,
        access: Access,
        button: &'static str,
        fields: &'static [KeptField],
        handler: fn() -> MethodRouter<Arc<Web>>,
    ) -> Self {
        Self {
            method: Method::POST,
            path,
            access,
            button,
            fields,
            handler,
        }
    }

    /// Whether it stands at this path: each part is the same, or a name in braces.
    pub(super) fn is_at(&self, path: &str) -> bool {
        let (mut own, mut asked) = (self.path.split('/'), path.split('/'));
        loop {
            match (own.next(), asked.next()) {
                (None, None) => return true,
                (Some(own), Some(asked)) => {
                    let fits = own == asked || (own.starts_with('{') && !asked.is_empty());
                    if !fits {
                        return false;
                    }
                }
                _ => return false,
            }
        }
    }
}

const fn hidden(name: &'static str) -> KeptField {
    KeptField {
        name,
        label: "",
        lines: false,
    }
}

/// Every address of the desk.
pub(super) const ROWS: &[Row] = &[
    Row::page("/desk", Access::SignedIn, || get(waiting::page)),
    Row::action(
        "/desk/sign-in",
        Access::Open,
        button::EMAIL_ME_A_CODE,
        &[],
        || post(sign_in::ask),
    ),
    Row::page("/desk/code", Access::Open, || get(sign_in::code_page)),
    Row::action("/desk/code", Access::Open, button::SIGN_IN, &[], || {
        post(sign_in::enter)
    }),
    Row::action(
        "/desk/sign-out",
        Access::Open,
        button::SIGN_OUT,
        &[],
        || post(sign_in::sign_out),
    ),
    Row::page("/desk/act/answered/{reference}", Access::Open, || {
        get(act::page)
    }),
    Row::action(
        "/desk/act/answered/{reference}",
        Access::Open,
        button::ANSWERED,
        &[],
        || post(act::press),
    ),
    Row::page("/desk/browsers", Access::SignedIn, || get(browsers::list)),
    Row::action(
        "/desk/browsers/sign-out",
        Access::SignedIn,
        button::SIGN_OUT,
        &[hidden("key")],
        || post(browsers::sign_out),
    ),
    Row::action(
        "/desk/browsers/sign-out-everywhere",
        Access::SignedIn,
        button::SIGN_OUT_EVERYWHERE,
        &[],
        || post(browsers::sign_out_everywhere),
    ),
    Row::page("/desk/enquiries", Access::SignedIn, || get(list::page)),
    Row::action(
        "/desk/enquiries/search",
        Access::SignedIn,
        button::SEARCH,
        SEARCH,
        || post(list::search),
    ),
    Row::page("/desk/enquiries/{reference}", Access::SignedIn, || {
        get(enquiry::page)
    }),
    Row::action(
        "/desk/enquiries/{reference}/mark",
        Access::SignedIn,
        button::MARK,
        MARK,
        || post(enquiry::mark),
    ),
    Row::action(
        "/desk/enquiries/{reference}/undo",
        Access::SignedIn,
        button::UNDO,
        &[hidden("undone")],
        || post(enquiry::undo),
    ),
    Row::action(
        "/desk/enquiries/{reference}/not-spam",
        Access::SignedIn,
        button::NOT_SPAM,
        &[],
        || post(enquiry::act),
    ),
    Row::action(
        "/desk/enquiries/{reference}/spam",
        Access::SignedIn,
        button::SPAM,
        &[],
        || post(enquiry::act),
    ),
    Row::action(
        "/desk/enquiries/{reference}/block",
        Access::SignedIn,
        button::BLOCK,
        &[],
        || post(enquiry::act),
    ),
    Row::action(
        "/desk/enquiries/{reference}/trust",
        Access::SignedIn,
        button::TRUST,
        &[],
        || post(enquiry::act),
    ),
    Row::action(
        "/desk/enquiries/{reference}/unblock",
        Access::SignedIn,
        button::UNBLOCK_SENDER,
        &[],
        || post(enquiry::act),
    ),
    Row::action(
        "/desk/enquiries/{reference}/resend",
        Access::SignedIn,
        button::RESEND,
        &[],
        || post(enquiry::act),
    ),
    Row::action(
        "/desk/enquiries/{reference}/complaint",
        Access::SignedIn,
        button::COMPLAINT,
        &[],
        || post(enquiry::act),
    ),
    Row::action(
        "/desk/enquiries/{reference}/acknowledged",
        Access::SignedIn,
        button::ACKNOWLEDGED,
        &[],
        || post(enquiry::act),
    ),
    Row::action(
        "/desk/enquiries/{reference}/note",
        Access::SignedIn,
        button::SAVE,
        NOTE,
        || post(enquiry::note),
    ),
    Row::page("/desk/enquiries/{reference}/erase", Access::Recent, || {
        get(people::preview_one)
    }),
    Row::action(
        "/desk/enquiries/{reference}/erase",
        Access::Recent,
        button::ERASE,
        &[],
        || post(people::erase_one),
    ),
    Row::page("/desk/files", Access::SignedIn, || get(files::page)),
    Row::page("/desk/files/{month}/{format}", Access::Recent, || {
        get(files::month)
    }),
    Row::page("/desk/health", Access::SignedIn, || get(health::page)),
    Row::action(
        "/desk/health",
        Access::SignedIn,
        button::CHECK_AGAIN,
        &[],
        || post(health::again),
    ),
    Row::page("/desk/people", Access::SignedIn, || get(people::page)),
    Row::action(
        "/desk/people",
        Access::SignedIn,
        button::LOOK_UP,
        ADDRESS,
        || post(people::look_up),
    ),
    Row::action(
        "/desk/people/export",
        Access::Recent,
        button::DOWNLOAD,
        EXPORT,
        || post(people::export),
    ),
    Row::action(
        "/desk/people/erase",
        Access::Recent,
        button::SHOW_ERASURE,
        ADDRESS,
        || post(people::preview),
    ),
    Row::action(
        "/desk/people/erase-now",
        Access::Recent,
        button::ERASE,
        ADDRESS,
        || post(people::erase),
    ),
    Row::action(
        "/desk/people/unblock",
        Access::SignedIn,
        button::UNBLOCK,
        &[hidden("sender")],
        || post(people::unblock),
    ),
    Row::page("/desk/practice", Access::SignedIn, || get(practice::index)),
    Row::action(
        "/desk/practice/step-back",
        Access::SignedIn,
        button::STEP_BACK,
        &[hidden("seen")],
        || post(practice::step_back),
    ),
    Row::page("/desk/practice/{section}", Access::SignedIn, || {
        get(practice::section)
    }),
    Row::action(
        "/desk/practice/{section}",
        Access::SignedIn,
        button::PREVIEW,
        &[hidden(PRACTICE)],
        || post(practice::preview),
    ),
    Row::action(
        "/desk/practice/{section}/save",
        Access::SignedIn,
        button::SAVE,
        &[hidden(PRACTICE)],
        || post(practice::save),
    ),
];

/// Stands for every field of the practice's sections, whose names are many and made of numbers too.
pub(super) const PRACTICE: &str = "practice.*";

const SEARCH: &[KeptField] = &[
    KeptField {
        name: "search",
        label: field::SEARCH,
        lines: false,
    },
    hidden("month"),
];
const MARK: &[KeptField] = &[hidden("as"), hidden("seen")];
const NOTE: &[KeptField] = &[
    KeptField {
        name: "note",
        label: field::NOTE,
        lines: true,
    },
    hidden("seen"),
];
const ADDRESS: &[KeptField] = &[KeptField {
    name: "email",
    label: field::EMAIL,
    lines: false,
}];
const EXPORT: &[KeptField] = &[
    KeptField {
        name: "email",
        label: field::EMAIL,
        lines: false,
    },
    hidden("format"),
    hidden("after"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_by_each_of_its_parts() {
        let row = Row::page("/desk/enquiries/{reference}", Access::SignedIn, || {
            get(waiting::page)
        });
        assert!(row.is_at("/desk/enquiries/BB-7KQ4M"));
        for other in [
            "/desk/enquiries",
            "/desk/enquiries/",
            "/desk/enquiries/BB-7KQ4M/",
            "/desk/enquiries/BB-7KQ4M/note",
            "/desk//enquiries/BB-7KQ4M",
            "//desk/enquiries/BB-7KQ4M",
        ] {
            assert!(!row.is_at(other), "{other}");
        }
    }

    #[test]
    fn only_signing_in_and_out_and_the_links_of_emails_are_open() {
        let open = ROWS.iter().filter(|row| row.access == Access::Open);
        let open: Vec<_> = open.map(|row| (row.method.as_str(), row.path)).collect();
        assert_eq!(
            open,
            [
                ("POST", "/desk/sign-in"),
                ("GET", "/desk/code"),
                ("POST", "/desk/code"),
                ("POST", "/desk/sign-out"),
                ("GET", "/desk/act/answered/{reference}"),
                ("POST", "/desk/act/answered/{reference}"),
            ]
        );
    }
}
