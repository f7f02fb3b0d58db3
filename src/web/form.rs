//! The form as it was posted, and the way from it to an [`Enquiry`].
//!
//! Each rule stands once, in the type it belongs to. `validator` runs them all, so that every error comes back at once, in the
//! order of the form; the checks keep what they parsed, so that each value is parsed once.

use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;
use validator::{ValidateArgs, ValidationError};

use crate::enquiry::answers::{Area, Cause, Choice, ContactBy, Goal, RecentInjury, Warmth};
use crate::enquiry::{
    Answers, EmailAddress, Enquiry, Field, FieldError, FormError, Message, Name, Phone, Times,
};
use crate::practice::{Agreed, Consent, Practice, TreatmentKey};
use crate::text;

/// What was posted, as typed. Empty means left out.
#[derive(Clone, Default, PartialEq, Eq, validator::Validate)]
#[validate(context = Checks, mutable)]
#[allow(missing_docs, reason = "the rows in `enquiry::field` describe each")]
pub struct EnquiryForm {
    #[validate(custom(function = "name", use_context))]
    pub name: String,
    #[validate(custom(function = "email", use_context))]
    pub email: String,
    #[validate(custom(function = "phone", use_context))]
    pub phone: String,
    #[validate(custom(function = "contact_by", use_context))]
    pub contact_by: String,
    #[validate(custom(function = "area", use_context))]
    pub area: Vec<String>,
    #[validate(custom(function = "cause", use_context))]
    pub cause: String,
    #[validate(custom(function = "goal", use_context))]
    pub goal: String,
    #[validate(custom(function = "recent_injury", use_context))]
    pub recent_injury: String,
    #[validate(custom(function = "warmth", use_context))]
    pub warmth: String,
    #[validate(custom(function = "treatment", use_context))]
    pub treatment: String,
    #[validate(custom(function = "times", use_context))]
    pub times: String,
    #[validate(custom(function = "message", use_context))]
    pub message: String,
    #[validate(custom(function = "consent", use_context))]
    pub consent: String,
    #[validate(custom(function = "submission", use_context))]
    pub submission: String,
    pub email_confirmed: String,
    #[validate(custom(function = "consent_version", use_context))]
    pub consent_version: String,
    pub token: String,
    pub altcha: String,
    pub honeypot: String,
}

/// What became of a form: the enquiry or every error, and what is known about the address.
pub struct Checked {
    /// The enquiry, or every error in the order of the form.
    pub enquiry: Result<Enquiry, Vec<FormError>>,
    /// The form as it was read.
    pub address: CheckedAddress,
    /// The page's own id of this filled-in form, when it has one.
    pub submission: Option<Uuid>,
    /// Which wording of the consent its page showed, when that is one that is accepted.
    pub agreed: Option<Agreed>,
}

/// What the question about a likely typo came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckedAddress {
    /// The address that the client is asked about.
    pub suggestion: Option<EmailAddress>,
    /// The suggested address, when the client was asked and took it. The button that says so posts the suggestion as
    /// `email_confirmed` beside the `email` that was typed, so that it needs no script and loses nothing else.
    pub taken: Option<EmailAddress>,
}

impl EnquiryForm {
    /// Puts one posted value where it belongs.
    pub fn put(&mut self, field: Field, value: String) {
        match field {
            Field::Area => self.area.push(value),
            Field::Name => self.name = value,
            Field::Email => self.email = value,
            Field::Phone => self.phone = value,
            Field::ContactBy => self.contact_by = value,
            Field::Cause => self.cause = value,
            Field::Goal => self.goal = value,
            Field::RecentInjury => self.recent_injury = value,
            Field::Warmth => self.warmth = value,
            Field::Treatment => self.treatment = value,
            Field::Times => self.times = value,
            Field::Message => self.message = value,
            Field::Consent => self.consent = value,
            Field::Submission => self.submission = value,
            Field::EmailConfirmed => self.email_confirmed = value,
            Field::ConsentVersion => self.consent_version = value,
            Field::Token => self.token = value,
            Field::Altcha => self.altcha = value,
            Field::Honeypot => self.honeypot = value,
        }
    }

    /// The values of a field as typed: one, or several where it may be repeated.
    #[must_use]
    pub fn values(&self, field: Field) -> &[String] {
        std::slice::from_ref(match field {
            Field::Area => return &self.area,
            Field::Name => &self.name,
            Field::Email => &self.email,
            Field::Phone => &self.phone,
            Field::ContactBy => &self.contact_by,
            Field::Cause => &self.cause,
            Field::Goal => &self.goal,
            Field::RecentInjury => &self.recent_injury,
            Field::Warmth => &self.warmth,
            Field::Treatment => &self.treatment,
            Field::Times => &self.times,
            Field::Message => &self.message,
            Field::Consent => &self.consent,
            Field::Submission => &self.submission,
            Field::EmailConfirmed => &self.email_confirmed,
            Field::ConsentVersion => &self.consent_version,
            Field::Token => &self.token,
            Field::Altcha => &self.altcha,
            Field::Honeypot => &self.honeypot,
        })
    }

    /// The value of a field as typed; the first one of several.
    #[must_use]
    pub fn value(&self, field: Field) -> &str {
        self.values(field).first().map_or("", String::as_str)
    }

    /// Checks everything and makes the enquiry. A likely typo in the address counts as an error until the client has
    /// confirmed the address.
    #[must_use]
    pub fn check(&self, practice: &Practice, now: Timestamp) -> Checked {
        let mut checks = Checks::new(practice, now);
        // Each check has kept its error in `checks`; validator's own copy, which repeats what was typed, is dropped.
        let _ = self.validate_with_args(&mut checks);
        // The rules over several fields come last: validator would run them before the fields are read.
        let _ = phone_when_wanted(self, &mut checks);
        let _ = email_question(self, &mut checks);
        checks.errors.sort_by_key(|error| error.field);
        if let Some(taken) = &checks.address.taken {
            checks.email = Some(taken.clone());
        }
        Checked {
            address: std::mem::take(&mut checks.address),
            submission: checks.submission,
            agreed: checks.agreed,
            enquiry: checks.into_enquiry(),
        }
    }
}

/// What the checks of one form keep.
pub struct Checks {
    /// The treatments on offer.
    treatments: Vec<TreatmentKey>,
    errors: Vec<FormError>,
    address: CheckedAddress,
    name: Option<Name>,
    email: Option<EmailAddress>,
    phone: Option<Phone>,
    contact_by: Option<ContactBy>,
    area: Vec<Area>,
    cause: Option<Cause>,
    goal: Option<Goal>,
    recent_injury: Option<RecentInjury>,
    warmth: Option<Warmth>,
    treatment: Option<TreatmentKey>,
    times: Option<Times>,
    message: Option<Message>,
    submission: Option<Uuid>,
    consent: Consent,
    today: Date,
    agreed: Option<Agreed>,
    consent_version: String,
}

/// What a check tells `validator`.
type Valid = Result<(), ValidationError>;

impl Checks {
    fn new(practice: &Practice, now: Timestamp) -> Self {
        let zone = practice.time_zone.rules();
        Self {
            treatments: practice
                .treatments
                .iter()
                .map(|it| it.key.clone())
                .collect(),
            errors: Vec::new(),
            address: CheckedAddress::default(),
            name: None,
            email: None,
            phone: None,
            contact_by: None,
            area: Vec::new(),
            cause: None,
            goal: None,
            recent_injury: None,
            warmth: None,
            treatment: None,
            times: None,
            message: None,
            submission: None,
            consent: practice.consent.clone(),
            today: now.to_zoned(zone.clone()).date(),
            agreed: Some(Agreed::Present),
            consent_version: practice.consent.version.clone(),
        }
    }

    /// Keeps a parsed value in its slot, or the error.
    fn keep<T>(
        &mut self,
        field: Field,
        parsed: Result<T, FieldError>,
        slot: impl FnOnce(&mut Self) -> &mut T,
    ) -> Valid {
        match parsed {
            Ok(value) => {
                *slot(self) = value;
                Ok(())
            }
            Err(error) => self.refuse(field, error),
        }
    }

    fn refuse(&mut self, field: Field, error: FieldError) -> Valid {
        let code = error.code();
        self.errors.push(FormError { field, error });
        Err(ValidationError {
            code,
            message: None,
            params: Default::default(),
        })
    }

    fn into_enquiry(self) -> Result<Enquiry, Vec<FormError>> {
        match (self.errors.is_empty(), self.name, self.email, self.goal) {
            (true, Some(name), Some(email), Some(goal)) => Ok(Enquiry {
                name,
                email,
                phone: self.phone,
                contact_by: self.contact_by.unwrap_or(ContactBy::Email),
                answers: Answers {
                    area: self.area,
                    cause: self.cause,
                    goal,
                    recent_injury: self.recent_injury,
                    warmth: self.warmth,
                    treatment: self.treatment,
                },
                times: self.times,
                message: self.message,
                consent_version: self.consent_version,
            }),
            _ => Err(self.errors),
        }
    }
}

fn left_out(typed: &str) -> bool {
    text::single_line(typed).is_empty()
}

/// The answer to a closed question; none when it was left out.
fn closed<T: Choice>(field: Field, typed: &str) -> Result<Option<T>, FieldError> {
    if left_out(typed) {
        return Ok(None);
    }
    T::from_key(typed.trim())
        .map(Some)
        .ok_or(FieldError::Choice(field))
}

fn name(typed: &str, checks: &mut Checks) -> Valid {
    checks.keep(Field::Name, Name::parse(typed).map(Some), |it| &mut it.name)
}

/// The address itself. Whether it is a likely typo is asked once the rest is read, by [`email_question`].
fn email(typed: &str, checks: &mut Checks) -> Valid {
    let (parsed, suggestion) = EmailAddress::read(typed);
    checks.address.suggestion = suggestion;
    checks.keep(Field::Email, parsed.map(Some), |it| &mut it.email)
}

/// Asks about a likely typo, unless the client was asked about this very address and answered.
fn email_question(form: &EnquiryForm, checks: &mut Checks) -> Valid {
    let Some(suggestion) = checks.address.suggestion.take() else {
        return Ok(());
    };
    let confirmed = EmailAddress::parse(&form.email_confirmed);
    if confirmed.as_ref() == Ok(&suggestion) {
        checks.errors.retain(|error| error.field != Field::Email);
        checks.address.taken = Some(suggestion);
        return Ok(());
    }
    let kept = match (confirmed, &checks.email) {
        (Ok(confirmed), Some(typed)) => confirmed == *typed,
        // What is no address can be kept too: then the next answer says what an address looks like.
        (Err(_), _) => !left_out(&form.email_confirmed) && form.email_confirmed == form.email,
        _ => false,
    };
    if kept {
        return Ok(());
    }
    // What was typed need not be an address: there is a better one.
    checks.errors.retain(|error| error.field != Field::Email);
    checks.address.suggestion = Some(suggestion.clone());
    checks.refuse(Field::Email, FieldError::EmailSuggestion(suggestion))
}

fn phone(typed: &str, checks: &mut Checks) -> Valid {
    if left_out(typed) {
        return Ok(());
    }
    checks.keep(Field::Phone, Phone::parse(typed).map(Some), |it| {
        &mut it.phone
    })
}

fn phone_when_wanted(form: &EnquiryForm, checks: &mut Checks) -> Valid {
    let wanted = matches!(checks.contact_by, Some(ContactBy::Phone | ContactBy::Text));
    if wanted && left_out(&form.phone) {
        return checks.refuse(Field::Phone, FieldError::PhoneRequired);
    }
    let texted = checks.contact_by == Some(ContactBy::Text);
    if texted
        && checks
            .phone
            .as_ref()
            .is_some_and(|phone| !phone.takes_texts())
    {
        return checks.refuse(Field::Phone, FieldError::PhoneNoTexts);
    }
    Ok(())
}

fn contact_by(typed: &str, checks: &mut Checks) -> Valid {
    checks.keep(Field::ContactBy, closed(Field::ContactBy, typed), |it| {
        &mut it.contact_by
    })
}

/// The areas in the order of the form, each once.
fn area(typed: &[String], checks: &mut Checks) -> Valid {
    let areas = typed.iter().map(|area| closed(Field::Area, area));
    let areas = areas.collect::<Result<Vec<Option<Area>>, FieldError>>();
    let sorted = areas.map(|areas| {
        let mut areas: Vec<Area> = areas.into_iter().flatten().collect();
        areas.sort_unstable();
        areas.dedup();
        areas
    });
    checks.keep(Field::Area, sorted, |it| &mut it.area)
}

fn cause(typed: &str, checks: &mut Checks) -> Valid {
    checks.keep(Field::Cause, closed(Field::Cause, typed), |it| {
        &mut it.cause
    })
}

fn goal(typed: &str, checks: &mut Checks) -> Valid {
    let goal = closed(Field::Goal, typed)
        .and_then(|goal| goal.map(Some).ok_or(FieldError::Choice(Field::Goal)));
    checks.keep(Field::Goal, goal, |it| &mut it.goal)
}

fn recent_injury(typed: &str, checks: &mut Checks) -> Valid {
    let answer = closed(Field::RecentInjury, typed);
    checks.keep(Field::RecentInjury, answer, |it| &mut it.recent_injury)
}

fn warmth(typed: &str, checks: &mut Checks) -> Valid {
    checks.keep(Field::Warmth, closed(Field::Warmth, typed), |it| {
        &mut it.warmth
    })
}

fn treatment(typed: &str, checks: &mut Checks) -> Valid {
    if left_out(typed) {
        return Ok(());
    }
    let offered = checks
        .treatments
        .iter()
        .find(|key| key.as_str() == typed.trim());
    let key = offered
        .map(|key| Some(key.clone()))
        .ok_or(FieldError::Choice(Field::Treatment));
    checks.keep(Field::Treatment, key, |it| &mut it.treatment)
}

fn times(typed: &str, checks: &mut Checks) -> Valid {
    checks.keep(Field::Times, Times::parse(typed), |it| &mut it.times)
}

fn message(typed: &str, checks: &mut Checks) -> Valid {
    checks.keep(Field::Message, Message::parse(typed), |it| &mut it.message)
}

fn consent(typed: &str, checks: &mut Checks) -> Valid {
    if typed.trim() == "yes" {
        return Ok(());
    }
    checks.refuse(Field::Consent, FieldError::ConsentRequired)
}

fn submission(typed: &str, checks: &mut Checks) -> Valid {
    if left_out(typed) {
        return Ok(());
    }
    let id = Uuid::try_parse(typed.trim())
        .map(Some)
        .map_err(|_| FieldError::Hidden(Field::Submission));
    checks.keep(Field::Submission, id, |it| &mut it.submission)
}

/// Pages that were opened, copied or cached before the wording changed show an earlier one for a while.
fn consent_version(typed: &str, checks: &mut Checks) -> Valid {
    if left_out(typed) {
        return Ok(());
    }
    let version = typed.trim();
    checks.agreed = checks.consent.agreed(version, checks.today);
    if checks.agreed.is_none() {
        return checks.refuse(Field::ConsentVersion, FieldError::ConsentVersionUnknown);
    }
    version.clone_into(&mut checks.consent_version);
    Ok(())
}
