//! The form as it was posted, and the way from it to an [`Enquiry`].
//!
//! Every rule stands once, in the newtype it belongs to; what `validator` runs here is those newtypes' own checks,
//! so that all errors come back at once, each at its field, in the order of the form.

use std::borrow::Cow;

use uuid::Uuid;
use validator::{ValidateArgs, ValidationError, ValidationErrors};

use crate::enquiry::answers::{Area, Cause, Choice, ContactBy, Goal, RecentInjury, Warmth};
use crate::enquiry::{
    Answers, EmailAddress, Enquiry, Fault, Field, Message, Name, Phone, Times, Why, text,
};
use crate::practice::Practice;

/// What was posted, as typed. Empty means left out.
#[derive(Clone, Default, PartialEq, Eq, validator::Validate)]
#[validate(context = Practice)]
#[validate(schema(function = "phone_when_wanted", skip_on_field_errors = false))]
#[allow(
    missing_docs,
    reason = "the table of fields in `enquiry::Field` describes each"
)]
pub struct EnquiryForm {
    #[validate(custom(function = "name"))]
    pub name: String,
    #[validate(custom(function = "email"))]
    pub email: String,
    #[validate(custom(function = "phone"))]
    pub phone: String,
    #[validate(custom(function = "contact_by"))]
    pub contact_by: String,
    #[validate(custom(function = "area"))]
    pub area: Vec<String>,
    #[validate(custom(function = "cause"))]
    pub cause: String,
    #[validate(custom(function = "goal"))]
    pub goal: String,
    #[validate(custom(function = "recent_injury"))]
    pub recent_injury: String,
    #[validate(custom(function = "warmth"))]
    pub warmth: String,
    #[validate(custom(function = "treatment", use_context))]
    pub treatment: String,
    #[validate(custom(function = "times"))]
    pub times: String,
    #[validate(custom(function = "message"))]
    pub message: String,
    #[validate(custom(function = "consent"))]
    pub consent: String,
    #[validate(custom(function = "submission"))]
    pub submission: String,
    pub email_confirmed: String,
    #[validate(custom(function = "consent_version", use_context))]
    pub consent_version: String,
    pub token: String,
    pub altcha: String,
    pub honeypot: String,
}

impl EnquiryForm {
    /// Puts one posted value where it belongs.
    pub fn put(&mut self, field: Field, value: String) {
        match field {
            Field::Area => self.area.push(value),
            single => *self.single_mut(single) = value,
        }
    }

    /// The value of a single-value field as typed; the first one of several.
    #[must_use]
    pub fn value(&self, field: Field) -> &str {
        match field {
            Field::Name => &self.name,
            Field::Email => &self.email,
            Field::Phone => &self.phone,
            Field::ContactBy => &self.contact_by,
            Field::Area => self.area.first().map_or("", String::as_str),
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
        }
    }

    /// Whether this answer was chosen, for radio buttons and checkboxes.
    #[must_use]
    pub fn has(&self, field: Field, key: &str) -> bool {
        match field {
            Field::Area => self.area.iter().any(|area| area == key),
            single => self.value(single) == key,
        }
    }

    /// Checks everything and makes the enquiry.
    ///
    /// # Errors
    /// Every error at once, in the order of the form. A likely slip in the address counts as one until the client has
    /// confirmed the address.
    pub fn check(&self, practice: &Practice) -> Result<Enquiry, Vec<Fault>> {
        let mut errors = match self.validate_with_args(practice) {
            Ok(()) => Vec::new(),
            Err(errors) => errors_of(&errors),
        };
        let suggestion = self.email_suggestion();
        if suggestion.is_some() || self.taken_suggestion().is_some() {
            // What was typed need not be an address: there is a better one.
            errors.retain(|error| error.field != Field::Email);
        }
        if let Some(suggestion) = suggestion {
            errors.push(Fault {
                field: Field::Email,
                why: suggestion.question(),
            });
        }
        errors.sort_by_key(|error| error.field);
        if errors.is_empty() {
            self.build(practice).map_err(|error| vec![error])
        } else {
            Err(errors)
        }
    }

    /// What the client probably meant, unless they were asked about this very address and completed it.
    #[must_use]
    pub fn email_suggestion(&self) -> Option<EmailAddress> {
        let suggestion = EmailAddress::meant(&self.email)?;
        let completed = match EmailAddress::parse(&self.email_confirmed) {
            Ok(confirmed) => {
                confirmed == suggestion || EmailAddress::parse(&self.email) == Ok(confirmed)
            }
            // What is no address can be kept too: then the next answer says what an address looks like.
            Err(_) => !left_out(&self.email_confirmed) && self.email_confirmed == self.email,
        };
        (!completed).then_some(suggestion)
    }

    /// The suggested address, when the client was asked and took it. The button that says so posts the suggestion as
    /// `email_confirmed` beside the `email` that was typed, so that it needs no script and loses nothing else.
    #[must_use]
    pub fn taken_suggestion(&self) -> Option<EmailAddress> {
        let suggestion = EmailAddress::meant(&self.email)?;
        EmailAddress::parse(&self.email_confirmed)
            .ok()
            .filter(|confirmed| *confirmed == suggestion)
    }

    /// The page's own id of this filled-in form, when it has one.
    #[must_use]
    pub fn submission_id(&self) -> Option<Uuid> {
        Uuid::try_parse(self.submission.trim()).ok()
    }

    fn build(&self, practice: &Practice) -> Result<Enquiry, Fault> {
        let at = |field: Field| move |why: Why| Fault { field, why };
        Ok(Enquiry {
            name: Name::parse(&self.name).map_err(at(Field::Name))?,
            email: match self.taken_suggestion() {
                Some(taken) => taken,
                None => EmailAddress::parse(&self.email).map_err(at(Field::Email))?,
            },
            phone: optional(&self.phone, Phone::parse).map_err(at(Field::Phone))?,
            contact_by: closed(Field::ContactBy, &self.contact_by)
                .map_err(at(Field::ContactBy))?
                .unwrap_or(ContactBy::Email),
            answers: Answers {
                area: areas(&self.area).map_err(at(Field::Area))?,
                cause: closed(Field::Cause, &self.cause).map_err(at(Field::Cause))?,
                goal: required(Field::Goal, &self.goal).map_err(at(Field::Goal))?,
                recent_injury: closed(Field::RecentInjury, &self.recent_injury)
                    .map_err(at(Field::RecentInjury))?,
                warmth: closed(Field::Warmth, &self.warmth).map_err(at(Field::Warmth))?,
                treatment: match left_out(&self.treatment) {
                    true => None,
                    false => practice
                        .treatment(self.treatment.trim())
                        .map(|treatment| treatment.key.clone()),
                },
            },
            times: Times::parse(&self.times).map_err(at(Field::Times))?,
            message: Message::parse(&self.message).map_err(at(Field::Message))?,
            consent_version: practice.consent.version.clone(),
        })
    }

    const fn single_mut(&mut self, field: Field) -> &mut String {
        match field {
            Field::Name => &mut self.name,
            Field::Email => &mut self.email,
            Field::Phone => &mut self.phone,
            Field::ContactBy => &mut self.contact_by,
            Field::Cause => &mut self.cause,
            Field::Goal => &mut self.goal,
            Field::RecentInjury => &mut self.recent_injury,
            Field::Warmth => &mut self.warmth,
            Field::Treatment => &mut self.treatment,
            Field::Times => &mut self.times,
            Field::Message => &mut self.message,
            Field::Consent => &mut self.consent,
            Field::Submission => &mut self.submission,
            Field::EmailConfirmed => &mut self.email_confirmed,
            Field::ConsentVersion => &mut self.consent_version,
            Field::Token => &mut self.token,
            Field::Altcha => &mut self.altcha,
            Field::Area | Field::Honeypot => &mut self.honeypot,
        }
    }
}

/// The errors that `validator` collected. Its errors echo the raw input in their parameters: only code and words are
/// taken, the rest is dropped here.
fn errors_of(errors: &ValidationErrors) -> Vec<Fault> {
    let of_field = |(name, errors): (Cow<'static, str>, &Vec<ValidationError>)| {
        let field = Field::from_key(&name);
        let error = |error: &ValidationError| {
            let (Cow::Borrowed(code), Some(words)) = (&error.code, error.message.clone()) else {
                return None;
            };
            // A rule over several fields belongs to the one that has to change.
            let field = field.or_else(|| {
                Field::ALL
                    .iter()
                    .copied()
                    .find(|field| field.missing().code == *code)
            })?;
            Some(Fault {
                field,
                why: Why { code, words },
            })
        };
        errors.iter().filter_map(error).collect::<Vec<_>>()
    };
    errors
        .field_errors()
        .into_iter()
        .flat_map(of_field)
        .collect()
}

fn error(why: Why) -> ValidationError {
    ValidationError {
        code: Cow::Borrowed(why.code),
        message: Some(why.words),
        params: Default::default(),
    }
}

fn left_out(typed: &str) -> bool {
    text::single_line(typed).is_empty()
}

fn optional<T>(typed: &str, parse: impl Fn(&str) -> Result<T, Why>) -> Result<Option<T>, Why> {
    if left_out(typed) {
        Ok(None)
    } else {
        parse(typed).map(Some)
    }
}

fn closed<T: Choice>(field: Field, typed: &str) -> Result<Option<T>, Why> {
    optional(typed, |typed| {
        T::from_key(typed.trim()).ok_or_else(|| field.missing())
    })
}

fn required<T: Choice>(field: Field, typed: &str) -> Result<T, Why> {
    closed(field, typed)?.ok_or_else(|| field.missing())
}

/// The areas in the order of the form, each once.
fn areas(typed: &[String]) -> Result<Vec<Area>, Why> {
    let mut areas = Vec::new();
    for area in typed {
        areas.extend(closed::<Area>(Field::Area, area)?);
    }
    areas.sort_unstable();
    areas.dedup();
    Ok(areas)
}

fn name(typed: &str) -> Result<(), ValidationError> {
    Name::parse(typed).map(drop).map_err(error)
}

fn email(typed: &str) -> Result<(), ValidationError> {
    EmailAddress::parse(typed).map(drop).map_err(error)
}

fn phone(typed: &str) -> Result<(), ValidationError> {
    optional(typed, Phone::parse).map(drop).map_err(error)
}

fn phone_when_wanted(form: &EnquiryForm) -> Result<(), ValidationError> {
    let by_phone = matches!(
        ContactBy::from_key(form.contact_by.trim()),
        Some(ContactBy::Phone | ContactBy::Text)
    );
    if by_phone && left_out(&form.phone) {
        Err(error(Field::Phone.missing()))
    } else {
        Ok(())
    }
}

fn contact_by(typed: &str) -> Result<(), ValidationError> {
    closed::<ContactBy>(Field::ContactBy, typed)
        .map(drop)
        .map_err(error)
}

fn area(typed: &[String]) -> Result<(), ValidationError> {
    areas(typed).map(drop).map_err(error)
}

fn cause(typed: &str) -> Result<(), ValidationError> {
    closed::<Cause>(Field::Cause, typed)
        .map(drop)
        .map_err(error)
}

fn goal(typed: &str) -> Result<(), ValidationError> {
    required::<Goal>(Field::Goal, typed)
        .map(drop)
        .map_err(error)
}

fn recent_injury(typed: &str) -> Result<(), ValidationError> {
    closed::<RecentInjury>(Field::RecentInjury, typed)
        .map(drop)
        .map_err(error)
}

fn warmth(typed: &str) -> Result<(), ValidationError> {
    closed::<Warmth>(Field::Warmth, typed)
        .map(drop)
        .map_err(error)
}

fn treatment(typed: &str, practice: &Practice) -> Result<(), ValidationError> {
    let known = left_out(typed) || practice.treatment(typed.trim()).is_some();
    if known {
        Ok(())
    } else {
        Err(error(Field::Treatment.missing()))
    }
}

fn times(typed: &str) -> Result<(), ValidationError> {
    Times::parse(typed).map(drop).map_err(error)
}

fn message(typed: &str) -> Result<(), ValidationError> {
    Message::parse(typed).map(drop).map_err(error)
}

fn consent(typed: &str) -> Result<(), ValidationError> {
    if typed.trim() == "yes" {
        Ok(())
    } else {
        Err(error(Field::Consent.missing()))
    }
}

fn submission(typed: &str) -> Result<(), ValidationError> {
    let usable = left_out(typed) || Uuid::try_parse(typed.trim()).is_ok();
    if usable {
        Ok(())
    } else {
        Err(error(Field::Submission.missing()))
    }
}

fn consent_version(typed: &str, practice: &Practice) -> Result<(), ValidationError> {
    let known = left_out(typed) || typed.trim() == practice.consent.version;
    if known {
        Ok(())
    } else {
        Err(error(Field::ConsentVersion.missing()))
    }
}
