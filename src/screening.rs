//! What the enquiry looks like: a person's, or a program's.
//!
//! A verdict never throws anything away: what is suspect is stored and shown to the therapist, and gets no auto-reply.

mod proof_of_work;
mod token;

use serde::{Deserialize, Serialize};

use crate::intake::EnquiryForm;

pub use proof_of_work::{Challenge, Nonce, ProofOfWork};
pub use token::TimeToken;

/// What the signals add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing speaks against it.
    Clear,
    /// It looks like spam: kept for a short time, marked, never answered automatically.
    Suspect,
}

/// Weighs a post: the trap, which people never see and programs fill in, how long the form took, and the proof of work
/// where one is asked for. Each of them is enough alone.
#[must_use]
pub fn weigh(form: &EnquiryForm, token: TimeToken, proof: ProofOfWork) -> Verdict {
    let trapped = !form.extra_detail.trim().is_empty();
    let by_token = match token {
        TimeToken::TooFast => true,
        // A person gets there by leaving the page open or copying an old one, so that neither is enough alone: a small
        // weight for the sum, once weights are summed up.
        TimeToken::Expired | TimeToken::Forged => false,
        TimeToken::Absent | TimeToken::InTime => false,
    };
    let by_proof = match proof {
        ProofOfWork::NotAsked | ProofOfWork::Proven => false,
        ProofOfWork::Missing
        | ProofOfWork::Wrong
        | ProofOfWork::Expired
        | ProofOfWork::UsedBefore => true,
    };
    if trapped || by_token || by_proof {
        Verdict::Suspect
    } else {
        Verdict::Clear
    }
}
