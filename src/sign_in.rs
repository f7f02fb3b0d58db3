//! Signing in to the therapist's desk: a code is asked for and emailed, typed in, and becomes a session; sessions are looked up,
//! listed and ended.
//!
//! The email goes to the therapist and to no other address, and the code is in the table before it leaves. The web pages and
//! the operator's commands call the same functions.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use tracing::{error, info, warn};

use crate::clock::Clock;
use crate::email::SignInEmail;
use crate::enquiry::EmailAddress;
use crate::keys::Keys;
use crate::messages;
use crate::practice::Practice;
use crate::ses::{ErrorClass, Ses};
use crate::session::{CODE_LIFE, Code, Secret, Session, SessionKeys, browser_name};
use crate::store::{CodeBudget, CodeQuota, NewCode, Store, StoreError};

/// Signs in with these parts.
pub struct SignIn {
    store: Store,
    ses: Ses,
    practice: Arc<Practice>,
    therapist: EmailAddress,
    keys: Option<SessionKeys>,
}

/// Who asks for a code.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    /// The mark of a browser that has signed in before.
    pub mark: Option<&'a str>,
    /// Where the request came from, as the gateway saw it.
    pub source: Option<IpAddr>,
    /// What the browser says it is.
    pub user_agent: &'a str,
}

/// What became of asking for a code.
#[derive(Debug)]
pub enum Asked {
    /// It has left; this browser may type it in.
    Sent(Secret),
    /// It may have left: SES's answer did not come.
    Unsure(Secret),
    /// The email service did not take it.
    NotSent,
    /// Too many have been asked for; another may be from then on.
    TooMany(Timestamp),
}

/// A browser that has just signed in.
pub struct SignedIn {
    /// What its cookie holds.
    pub secret: Secret,
    /// The mark by which it is known again.
    pub mark: Option<String>,
}

/// A code that an operator asked for.
pub struct OperatorCode {
    /// The code, good in any browser.
    pub code: Code,
    /// Until when.
    pub expires: Timestamp,
}

/// Why signing in is not possible now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInError {
    /// The operator has closed the desk.
    Closed,
    /// The secret is out of reach.
    NoKeys,
    /// The table could not be read or written.
    Store(StoreError),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl std::fmt::Display for SignInError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed => f.write_str(messages::command::sign_in::CLOSED),
            Self::NoKeys => f.write_str(messages::command::sign_in::NO_KEYS),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SignInError {}

impl SignIn {
    /// Signs in with these parts, the therapist at this address.
    #[must_use]
    pub fn new(
        store: Store,
        ses: Ses,
        practice: Arc<Practice>,
        therapist: EmailAddress,
        keys: Option<Keys>,
    ) -> Self {
        let keys = keys.map(|keys| SessionKeys::new(keys, &therapist));
        Self {
            store,
            ses,
            practice,
            therapist,
            keys,
        }
    }

    fn keys(&self) -> Result<&SessionKeys, SignInError> {
        self.keys.as_ref().ok_or(SignInError::NoKeys)
    }

    #[must_use]
    pub const fn therapist(&self) -> &EmailAddress {
        &self.therapist
    }

    /// Whether this is the mark of a browser that has signed in before.
    #[must_use]
    pub fn knows(&self, mark: Option<&str>) -> bool {
        let keys = self.keys.as_ref();
        keys.zip(mark)
            .is_some_and(|(keys, mark)| keys.known_browser(mark).is_some())
    }

    /// Emails a code to the therapist, no matter who asks.
    ///
    /// # Errors
    /// When the desk is closed, or the secret or the table is out of reach.
    pub async fn ask(&self, asker: Asker<'_>, clock: &Clock) -> Result<Asked, SignInError> {
        let keys = self.keys()?;
        let (secret, code) = Secret::generate()
            .zip(Code::emailed())
            .ok_or(SignInError::NoKeys)?;
        let known = asker.mark.and_then(|mark| keys.known_browser(mark));
        let budget = match &known {
            Some(browser) => CodeBudget::Known(browser),
            None => CodeBudget::Stranger(asker.source),
        };
        let key = keys.asked_key(&secret);
        if let Some(until) = self.book(&key, &code, budget, clock).await? {
            info!(known = known.is_some(), "too many sign-in codes asked for");
            return Ok(Asked::TooMany(until));
        }
        let email = SignInEmail {
            practice: &self.practice,
            to: &self.therapist,
            code: &code,
            browser: &browser_name(asker.user_agent),
            asked_at: clock.now(),
        };
        let sent = self.ses.send(&email.into_email()).await;
        match sent {
            Ok(message_id) => {
                info!(message_id, "sign-in code sent");
                Ok(Asked::Sent(secret))
            }
            Err(failed) if failed.class == ErrorClass::Ambiguous => {
                warn!(
                    code = failed.code,
                    "it is not certain that the sign-in code was sent"
                );
                Ok(Asked::Unsure(secret))
            }
            Err(failed) => {
                let code = failed.code;
                if failed.class == ErrorClass::Misconfigured {
                    error!(
                        alarm = "misconfigured",
                        code, "a sign-in code could not be sent"
                    );
                } else {
                    warn!(code, "a sign-in code could not be sent");
                }
                Ok(Asked::NotSent)
            }
        }
    }

    /// Makes a code that needs no email, for when the therapist's mailbox is out of reach. IAM decides who may ask for it.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn operator_code(&self, clock: &Clock) -> Result<OperatorCode, SignInError> {
        let code = Code::operator().ok_or(SignInError::NoKeys)?;
        let key = self
            .keys()?
            .code_key(None, &code)
            .ok_or(SignInError::NoKeys)?;
        // It counts against no budget.
        self.book(&key, &code, CodeBudget::Operator, clock).await?;
        info!("sign-in code made for the operator");
        Ok(OperatorCode {
            code,
            expires: clock.now() + CODE_LIFE,
        })
    }

    /// Writes the code down and counts it; says until when to wait when there were too many.
    async fn book(
        &self,
        key: &str,
        code: &Code,
        budget: CodeBudget<'_>,
        clock: &Clock,
    ) -> Result<Option<Timestamp>, SignInError> {
        let keys = self.keys()?;
        let access = self
            .store
            .desk_access(None, keys.owner(), clock.now())
            .await?;
        if access.closed {
            return Err(SignInError::Closed);
        }
        let new = NewCode {
            key,
            hash: &keys.code_hash(key, code),
            owner: keys.owner(),
            epoch: access.epoch,
            budget,
        };
        match self.store.book_code(&new, clock).await? {
            CodeQuota::Booked => Ok(None),
            CodeQuota::Exceeded(until) => Ok(Some(until)),
            CodeQuota::Closed => Err(SignInError::Closed),
        }
    }

    /// Signs a browser in by a code as it was typed; `None` when the code is wrong, used, expired, another browser's or another
    /// therapist's. The session that the browser had before ends.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn enter(
        &self,
        asked_by: Option<&Secret>,
        before: Option<&Secret>,
        typed: &str,
        user_agent: &str,
        clock: &Clock,
    ) -> Result<Option<SignedIn>, SignInError> {
        let keys = self.keys()?;
        let now = clock.now();
        if self
            .store
            .desk_access(None, keys.owner(), now)
            .await?
            .closed
        {
            return Err(SignInError::Closed);
        }
        let code = Code::parse(typed);
        let key = code.as_ref().and_then(|code| keys.code_key(asked_by, code));
        let (Some(code), Some(key)) = (code, key) else {
            return Ok(None);
        };
        let Some(tried) = self.store.try_code(&key, now).await? else {
            return Ok(None);
        };
        if !keys.is_code(&key, &code, &tried.hash) {
            return Ok(None);
        }
        let secret = Secret::generate().ok_or(SignInError::NoKeys)?;
        let session = Session {
            key: keys.session_key(&secret),
            browser: browser_name(user_agent),
            signed_in_at: now,
            used_at: now,
        };
        if !self.store.begin_session(&key, &tried, &session).await? {
            return Ok(None);
        }
        info!(browser = session.browser, "signed in");
        if let Some(before) = before {
            // The new session is there either way; one that cannot be ended now ends by time.
            if let Err(error) = self.store.end_session(&keys.session_key(before)).await {
                warn!(code = error.code, "the session before could not be ended");
            }
        }
        Ok(Some(SignedIn {
            secret,
            mark: keys.browser_mark(),
        }))
    }

    /// The session of a browser, by its cookie; `None` when it has none that counts.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn session(
        &self,
        secret: Option<&Secret>,
        clock: &Clock,
    ) -> Result<Option<Session>, SignInError> {
        let keys = self.keys()?;
        let now = clock.now();
        let key = secret.map(|secret| keys.session_key(secret));
        let access = self
            .store
            .desk_access(key.as_deref(), keys.owner(), now)
            .await?;
        if access.closed {
            return Err(SignInError::Closed);
        }
        let Some(mut session) = access.session else {
            return Ok(None);
        };
        if session.is_to_be_renewed(now) {
            session.used_at = now;
            self.store.renew_session(&session).await?;
        }
        Ok(Some(session))
    }

    /// How often everything was signed out so far: the links of emails carry it.
    ///
    /// # Errors
    /// When the desk is closed, or the table is out of reach.
    pub async fn epoch(&self) -> Result<i64, SignInError> {
        let epoch = self.store.desk_epoch().await?;
        epoch.ok_or(SignInError::Closed)
    }

    /// The browsers that are signed in, the latest first.
    ///
    /// # Errors
    /// When the secret or the table is out of reach.
    pub async fn browsers(&self, clock: &Clock) -> Result<Vec<Session>, SignInError> {
        let owner = self.keys()?.owner();
        Ok(self.store.sessions(owner, clock.now()).await?)
    }

    /// Signs a browser out, by its cookie.
    ///
    /// # Errors
    /// When the secret or the table is out of reach.
    pub async fn sign_out(&self, secret: &Secret) -> Result<(), SignInError> {
        let key = self.keys()?.session_key(secret);
        self.store.end_session(&key).await?;
        info!("signed out");
        Ok(())
    }

    /// Signs out one browser of the list, by its session's key.
    ///
    /// # Errors
    /// When the table is out of reach.
    pub async fn sign_out_browser(&self, key: &str) -> Result<(), SignInError> {
        self.store.end_session(key).await?;
        info!("a browser was signed out");
        Ok(())
    }

    /// Ends every session, every code and every link in an email.
    ///
    /// # Errors
    /// When the table is out of reach.
    pub async fn sign_out_everywhere(&self) -> Result<(), SignInError> {
        self.store.sign_out_everywhere().await?;
        info!("signed out everywhere");
        Ok(())
    }

    /// Closes the desk until [`Self::open`], and signs out everywhere.
    ///
    /// # Errors
    /// When the table is out of reach.
    pub async fn close(&self) -> Result<(), SignInError> {
        self.store.close_desk().await?;
        info!("the desk is closed");
        Ok(())
    }

    /// Opens the desk again.
    ///
    /// # Errors
    /// When the table is out of reach.
    pub async fn open(&self) -> Result<(), SignInError> {
        self.store.open_desk().await?;
        info!("the desk is open");
        Ok(())
    }
}
