//! Attacks, the log and the secret.

mod attacks;
mod log_privacy;
mod secret;
