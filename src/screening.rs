//! What the enquiry looks like: a person's, or a program's.
//!
//! A verdict never throws anything away: what is suspect is stored and shown to the therapist, and gets no auto-reply.

use serde::{Deserialize, Serialize};

use crate::intake::EnquiryForm;

/// What the signals add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing speaks against it.
    Clear,
    /// It looks like spam: kept for a short time, marked, never answered automatically.
    Suspect,
}

/// Weighs a post. The trap is the only signal yet: people never see that field, programs fill it in.
#[must_use]
pub fn weigh(form: &EnquiryForm) -> Verdict {
    if form.extra_detail.trim().is_empty() {
        Verdict::Clear
    } else {
        Verdict::Suspect
    }
}
