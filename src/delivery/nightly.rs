//! The nightly test's own way through the delivery: what the stream brings is sent to SES's mailbox simulator, what SES reports
//! ends the test, and the sweep judges one that is not over after an hour. The sweep never sends it: that the stream brings it is
//! part of the test.

use tracing::{error, info, warn};

use super::Delivery;
use crate::clock::Clock;
use crate::email::probe_email;
use crate::enquiry::Reference;
use crate::mail_state::{Report, SendOutcome};
use crate::store::StoreError;

impl Delivery {
    /// The stream has brought the test's enquiry: its email leaves, once.
    ///
    /// # Errors
    /// When the table cannot be written: the stream brings it again.
    pub async fn deliver_probe(&self, nonce: &str, clock: &Clock) -> Result<(), StoreError> {
        let Some(test) = self.store.probe_came(nonce, clock.now()).await? else {
            return Ok(());
        };
        let Some(email) = probe_email(&self.practice, test.reference) else {
            return Ok(());
        };
        match self.send_email(&email, 1, clock).await {
            SendOutcome::Accepted { .. } => self.store.probe_left(nonce, clock.now()).await,
            // An hour later the sweep says which step is missing.
            _ => Ok(()),
        }
    }

    /// SES reports about the test's email: delivered ends it.
    ///
    /// # Errors
    /// When the table cannot be read or written: the report comes again.
    pub async fn report_probe(
        &self,
        reference: &Reference,
        report: Report,
        clock: &Clock,
    ) -> Result<(), StoreError> {
        let test = self.store.nightly().await?;
        let Some(test) = test.filter(|test| test.reference == *reference) else {
            return Ok(());
        };
        if report != Report::Delivered {
            warn!(?report, "the nightly test was not delivered");
            return Ok(());
        }
        info!("the nightly test went all the way");
        self.store.pass_nightly(&test.nonce, clock.now()).await
    }

    /// Judges a test whose hour is over.
    pub(super) async fn judge_nightly(&self) -> Result<(), StoreError> {
        let Some(test) = self.store.nightly().await? else {
            return Ok(());
        };
        let Some(step) = test.missing() else {
            return Ok(());
        };
        error!(
            alarm = "nightly_test",
            %step,
            "the nightly test was not over after an hour"
        );
        self.store.fail_nightly(&test.nonce, step).await
    }
}
