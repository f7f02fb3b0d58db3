//! Attacks, the log, the secret, and whom the function believes to be AWS.

mod attacks;
mod log_privacy;
pub mod secret;
mod tls;
