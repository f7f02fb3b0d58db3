//! Everything about one address, and the senders that were blocked or trusted.

use super::list::List;
use crate::store::{CoolDown, Sender};

/// Everything about one address, however it is spelt.
pub struct Person {
    /// Its enquiries, the latest first.
    pub enquiries: List,
    /// What is kept about the address itself.
    pub cool_down: Option<CoolDown>,
    /// What was said about it as a sender.
    pub sender: Option<Sender>,
}
