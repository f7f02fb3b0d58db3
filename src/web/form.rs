//! The form as it was posted, and the way from it to an [`Enquiry`].
//!
//! Each rule stands once, in the type it belongs to. `validator` runs them all, so that every error comes back at once, in the
//! order of the form; the checks keep what they parsed, so that each value is parsed once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;
use validator::{ValidateArgs, ValidationError};

use crate::enquiry::answers::{BuiltIn, Choice, ContactBy, Goal};
use crate::enquiry::{
    Answers, EmailAddress, Enquiry, Field, FieldError, FormError, Message, Name, OwnAnswer, Phone,
    Times,
};
use crate::practice::{Agreed, Consent, Practice, Question, QuestionKey, TreatmentKey};
use crate::text;

/// What was posted, as typed, by field. What is empty counts as left out.
#[derive(Clone, Default, PartialEq, Eq, validator::Validate)]
#[validate(context = Checks, mutable)]
pub struct EnquiryForm {
    #[validate(custom(function = "every_field", use_context))]
    typed: BTreeMap<Field, Vec<String>>,
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
    /// Puts one posted value where it belongs: beside the others of its field.
    pub fn put(&mut self, field: Field, value: String) {
        self.typed.entry(field).or_default().push(value);
    }

    /// Everything that was posted, by field.
    pub fn posted(&self) -> impl Iterator<Item = (Field, &[String])> {
        let typed = self.typed.iter();
        typed.map(|(field, values)| (*field, values.as_slice()))
    }

    /// The values of a field as typed: one, or several where it may be repeated; none when it was not posted.
    #[must_use]
    pub fn values(&self, field: Field) -> &[String] {
        self.typed.get(&field).map_or(&[], Vec::as_slice)
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
        FormError::sort(&mut checks.errors, practice);
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
    /// The questions of the practice's own.
    questions: Vec<Question>,
    asks_goal: bool,
    errors: Vec<FormError>,
    address: CheckedAddress,
    name: Option<Name>,
    email: Option<EmailAddress>,
    phone: Option<Phone>,
    contact_by: Option<ContactBy>,
    answers: Answers,
    times: Option<Times>,
    message: Option<Message>,
    own: Vec<OwnAnswer>,
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
            questions: practice.questions.clone(),
            asks_goal: practice.asks(BuiltIn::Goal),
            errors: Vec::new(),
            address: CheckedAddress::default(),
            name: None,
            email: None,
            phone: None,
            contact_by: None,
            answers: Answers::default(),
            times: None,
            message: None,
            own: Vec::new(),
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

    /// The treatment of this key, if it is on offer.
    fn offered(&self, typed: &str) -> Result<TreatmentKey, FieldError> {
        let offered = self.treatments.iter();
        let mut offered = offered.filter(|key| key.as_str() == typed.trim());
        let key = offered.next().cloned();
        key.ok_or(FieldError::Choice(Field::Treatment))
    }

    fn into_enquiry(self) -> Result<Enquiry, Vec<FormError>> {
        match (self.errors.is_empty(), self.name, self.email) {
            (true, Some(name), Some(email)) => Ok(Enquiry {
                name,
                email,
                phone: self.phone,
                contact_by: self.contact_by.unwrap_or(ContactBy::Email),
                answers: self.answers,
                times: self.times,
                message: self.message,
                own: self.own,
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

/// The answers to a closed question with several, in the order of the form, each once.
fn several<T: Choice + Ord>(field: Field, typed: &[String]) -> Result<Vec<T>, FieldError> {
    let answers = typed.iter().map(|answer| closed(field, answer));
    let answers = answers.collect::<Result<Vec<Option<T>>, FieldError>>()?;
    let mut answers: Vec<T> = answers.into_iter().flatten().collect();
    answers.sort_unstable();
    answers.dedup();
    Ok(answers)
}

/// A value by its own rule; none when it was left out.
fn unless_left_out<T>(
    typed: &str,
    parse: impl FnOnce(&str) -> Result<T, FieldError>,
) -> Result<Option<T>, FieldError> {
    if left_out(typed) {
        Ok(None)
    } else {
        parse(typed).map(Some)
    }
}

/// Runs the rule of every field, so that every error comes back at once.
fn every_field(typed: &BTreeMap<Field, Vec<String>>, checks: &mut Checks) -> Valid {
    let outcomes = Field::ALL.iter().map(|field| {
        let values = typed.get(field).map_or(&[][..], Vec::as_slice);
        rule(*field, values, checks)
    });
    let built_in: Vec<Valid> = outcomes.collect();
    let own: Vec<Valid> = own(typed, checks);
    built_in.into_iter().chain(own).collect()
}

/// The rules of the practice's own questions. What is posted for one that it asks no more is kept.
fn own(typed: &BTreeMap<Field, Vec<String>>, checks: &mut Checks) -> Vec<Valid> {
    let questions = std::mem::take(&mut checks.questions);
    let mut outcomes = Vec::new();
    for question in &questions {
        let field = Field::Own(question.key);
        let values = typed.get(&field).map_or(&[][..], Vec::as_slice);
        outcomes.push(match OwnAnswer::parse(question, values) {
            Ok(answer) => {
                checks.own.extend(answer);
                Ok(())
            }
            Err(error) => checks.refuse(field, error),
        });
    }
    let is_asked = |key: QuestionKey| questions.iter().any(|question| question.key == key);
    for (field, values) in typed {
        if let Field::Own(key) = field
            && !is_asked(*key)
        {
            checks.own.extend(OwnAnswer::kept(*key, values));
        }
    }
    outcomes
}

/// The rule of one field. The rules over several come last, in [`EnquiryForm::check`].
fn rule(field: Field, values: &[String], checks: &mut Checks) -> Valid {
    let typed = values.first().map_or("", String::as_str);
    match field {
        Field::Name => checks.keep(field, Name::parse(typed).map(Some), |it| &mut it.name),
        Field::Email => {
            let (parsed, suggestion) = EmailAddress::read(typed);
            checks.address.suggestion = suggestion;
            checks.keep(field, parsed.map(Some), |it| &mut it.email)
        }
        Field::Phone => {
            let phone = unless_left_out(typed, Phone::parse);
            checks.keep(field, phone, |it| &mut it.phone)
        }
        Field::ContactBy => checks.keep(field, closed(field, typed), |it| &mut it.contact_by),
        Field::Area => checks.keep(field, several(field, values), |it| &mut it.answers.area),
        Field::Cause => checks.keep(field, closed(field, typed), |it| &mut it.answers.cause),
        Field::Goal => {
            let goal = closed::<Goal>(field, typed);
            let missing = |goal: &Option<Goal>| goal.is_none() && checks.asks_goal;
            let goal = match goal {
                Ok(goal) if missing(&goal) => Err(FieldError::Choice(field)),
                goal => goal,
            };
            checks.keep(field, goal, |it| &mut it.answers.goal)
        }
        Field::RecentInjury => checks.keep(field, closed(field, typed), |it| {
            &mut it.answers.recent_injury
        }),
        Field::Warmth => checks.keep(field, closed(field, typed), |it| &mut it.answers.warmth),
        Field::Treatment => {
            let key = unless_left_out(typed, |typed| checks.offered(typed));
            checks.keep(field, key, |it| &mut it.answers.treatment)
        }
        Field::Times => checks.keep(field, Times::parse(typed), |it| &mut it.times),
        Field::Message => checks.keep(field, Message::parse(typed), |it| &mut it.message),
        Field::Consent if typed.trim() == "yes" => Ok(()),
        Field::Consent => checks.refuse(field, FieldError::ConsentRequired),
        Field::Submission => {
            let id = unless_left_out(typed, |typed| {
                Uuid::try_parse(typed.trim()).map_err(|_| FieldError::Hidden(field))
            });
            checks.keep(field, id, |it| &mut it.submission)
        }
        Field::ConsentVersion => consent_version(typed, checks),
        Field::EmailConfirmed | Field::Token | Field::Altcha | Field::Honeypot => Ok(()),
        // Their rules are those of the practice.
        Field::Own(_) => Ok(()),
    }
}

/// Asks about a likely typo, unless the client was asked about this very address and answered.
fn email_question(form: &EnquiryForm, checks: &mut Checks) -> Valid {
    let Some(suggestion) = checks.address.suggestion.take() else {
        return Ok(());
    };
    let confirmed_typed = form.value(Field::EmailConfirmed);
    let confirmed = EmailAddress::parse(confirmed_typed);
    if confirmed.as_ref() == Ok(&suggestion) {
        checks.errors.retain(|error| error.field != Field::Email);
        checks.address.taken = Some(suggestion);
        return Ok(());
    }
    let kept = match (confirmed, &checks.email) {
        (Ok(confirmed), Some(typed)) => confirmed == *typed,
        // What is no address can be kept too: then the next answer says what an address looks like.
        (Err(_), _) => !left_out(confirmed_typed) && confirmed_typed == form.value(Field::Email),
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

fn phone_when_wanted(form: &EnquiryForm, checks: &mut Checks) -> Valid {
    let wanted = matches!(checks.contact_by, Some(ContactBy::Phone | ContactBy::Text));
    if wanted && left_out(form.value(Field::Phone)) {
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
