//! Whether SES delivers to any address yet: the desk finds out by itself.
//!
//! The last check has kept it in the table. Before the first one, and while it says no, SES itself is asked, so that replies go out
//! within minutes of Amazon's yes. While nothing is known, replies are sent: SES decides, and what it refuses stays pending until
//! something is known.

use std::sync::PoisonError;

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use super::Delivery;

/// For how long an answer is good: a yes is hardly ever taken back, and a no may end at any time.
const YES: SignedDuration = SignedDuration::from_hours(1);
const NO: SignedDuration = SignedDuration::from_mins(5);

impl Delivery {
    /// Whether SES delivers to verified addresses only, as far as that is known.
    pub(super) async fn is_sandboxed(&self, now: Timestamp) -> bool {
        let kept = *self
            .production
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((production, at)) = kept {
            let good = if production { YES } else { NO };
            if now.duration_since(at) < good {
                return !production;
            }
        }
        let last = self.store.health().await.ok().flatten();
        let last = last.and_then(|health| health.production);
        let production = match last {
            Some(true) => Some(true),
            last => match self.ses.account().await {
                Ok(account) => Some(account.production),
                Err(code) => {
                    warn!(code, "SES does not say whether it is in its sandbox");
                    last
                }
            },
        };
        let Some(production) = production else {
            return false;
        };
        let mut kept = self
            .production
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *kept = Some((production, now));
        !production
    }
}
