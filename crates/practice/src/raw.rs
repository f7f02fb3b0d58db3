//! The practice as it was written, before it is checked: in `practice.toml`, or into the fields of a form.
//!
//! The fields are those of `practice.toml`. Their comments, and the rules beside them, are what an editor shows and checks
//! while the file is typed (`docs/practice.schema.json`). The rules that decide are those of [`check`](crate::check()).

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(test)]
use crate::choices::{Area, BuiltIn, Cause, FormSection, Goal, QuestionKind, Warmth};
pub use crate::text::*;

/// The practice, in the therapist's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub struct Practice {
    /// Who and where you are.
    pub practice: Contact,
    /// One block for each page on a social network. Leave them all out if you have none.
    #[serde(default)]
    pub social: Vec<Social>,
    /// Your working hours. They decide by when an answer is promised.
    pub hours: Hours,
    /// How soon you answer.
    pub reply: Reply,
    /// Days on which you do not work. Holidays that have passed do no harm.
    #[serde(default)]
    pub holiday: Vec<Holiday>,
    /// One block for each treatment, in the order in which people should read them.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub treatment: Vec<Treatment>,
    /// Which treatment to suggest. Each pair of goal and warmth must be in exactly one block.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub guide: Vec<Guide>,
    /// Which of the questions that every form can have yours leaves out. Leave the section out to ask them all.
    pub form: Option<Form>,
    /// One block for each question of your own, at most twelve, in the order in which people should read them. Each stands below the
    /// questions that every form has in its section.
    #[serde(default)]
    #[cfg_attr(test, schemars(length(max = 12)))]
    pub question: Vec<Question>,
    /// What you explain to people who ticked the matching box.
    pub explain: Explain,
    /// How you sound: the automatic answer to the client.
    pub emails: EmailTexts,
    /// What people agree to.
    pub consent: Consent,
    /// What you do not want.
    pub suspect: Suspect,
    /// What is kept, where and for how long.
    pub privacy: Option<Privacy>,
}

/// Who and where the practice is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub struct Contact {
    /// The name of your practice.
    pub name: Line,
    /// What you are, such as "massage therapist".
    pub trade: Line,
    /// Your address, on one line.
    pub address: Line,
    /// Your number, as people should read it. It starts with 0, or with + and the code of the country.
    pub phone: Phone,
    /// Your website, starting with https://. Leave it out if you have none.
    pub website: Option<WebAddress>,
    /// What references such as BB-7KQ4M start with: two to four capital letters.
    pub reference_prefix: Prefix,
    /// Your time zone, such as "Europe/London". Summer time is taken care of.
    pub time_zone: Line,
}

/// A page on a social network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub struct Social {
    /// The network, such as "Instagram".
    pub name: Line,
    /// What you are called there.
    pub handle: Line,
    /// The address of your page, starting with https://.
    pub link: WebAddress,
}

/// The working hours of a week.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub struct Hours {
    /// When you work on a Monday, such as ["9:00-12:30", "14:00-18:00"]; [] for a day off.
    pub monday: Spans,
    /// When you work on a Tuesday; [] for a day off.
    pub tuesday: Spans,
    /// When you work on a Wednesday; [] for a day off.
    pub wednesday: Spans,
    /// When you work on a Thursday; [] for a day off.
    pub thursday: Spans,
    /// When you work on a Friday; [] for a day off.
    pub friday: Spans,
    /// When you work on a Saturday; [] for a day off.
    pub saturday: Spans,
    /// When you work on a Sunday; [] for a day off.
    pub sunday: Spans,
}

/// How soon an answer is promised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub struct Reply {
    /// How soon you answer an enquiry, counted in working hours only: from 1 to 80.
    pub within_working_hours: ReplyHours,
    /// The day on which you are back, as year-month-day, while you are away: no answer is promised before it. One that has
    /// passed does no harm.
    pub away_until: Option<Day>,
    /// Whether you get a reminder two working hours before a promised time passes, once you mark what you have answered. Left
    /// out, it is true.
    pub reminders: Option<bool>,
}

/// One day off (`date`), or several in a row (`from` and `to`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
#[cfg_attr(
    test,
    schemars(
        extend("oneOf" = [{ "required": ["date"] }, { "required": ["from", "to"] }]),
        extend("dependencies" = { "from": ["to"], "to": ["from"] })
    )
)]
pub struct Holiday {
    /// What it is called.
    pub name: Line,
    /// The day off, as year-month-day.
    pub date: Option<Day>,
    /// The first day off of several, as year-month-day.
    pub from: Option<Day>,
    /// The last day off of several, as year-month-day.
    pub to: Option<Day>,
}

/// A treatment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub struct Treatment {
    /// A short name for the computer: small letters, digits and hyphens. It is kept with each enquiry, so leave it as it is
    /// once the form is in use.
    pub key: Key,
    /// The name, as people should read it.
    pub name: Line,
    /// Ends the sentence "Choose it for …", without a full stop.
    pub choose_it_for: Clause,
    /// How it works, in one or two full sentences.
    pub how_it_works: Sentences,
    /// Whether it is done with warm stones. If no treatment is, the form does not ask about warmth.
    pub warm: bool,
    /// The price as people should read it, such as "£45", if it is to be told.
    pub price: Option<Line>,
    /// How long it takes as people should read it, such as "60 minutes", if it is to be told.
    pub duration: Option<Line>,
}

/// Which treatment to suggest for some answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
#[cfg_attr(
    test,
    schemars(
        extend("dependencies" = { "also": ["also_why", "suggest"], "also_why": ["also"] })
    )
)]
pub struct Guide {
    /// What people want from the massage.
    #[cfg_attr(test, schemars(with = "Goal"))]
    pub goal: String,
    /// Whether warm stones appeal to them. An answer that was left out counts as "not-sure". Leave the line out if warmth
    /// makes no difference.
    #[cfg_attr(
        test,
        schemars(length(min = 1), extend("uniqueItems" = true))
    )]
    pub warmth: Option<Warmths>,
    /// The key of the treatment to suggest. Leave it out if there should be no single suggestion.
    pub suggest: Option<Line>,
    /// Why you suggest it: one or two sentences to the client.
    pub why: Sentences,
    /// The key of another treatment to name beside it, if there is one.
    pub also: Option<Line>,
    /// Why you name that one too.
    pub also_why: Option<Sentences>,
}

/// What the form leaves out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub struct Form {
    /// The names of the questions to leave out, such as ["cause", "times"]. Without "phone" there is no "contact_by" either.
    #[cfg_attr(test, schemars(extend("uniqueItems" = true)))]
    pub leave_out: LeftOut,
}

/// A question of the practice's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub struct Question {
    /// A short name for the computer: small letters, digits and underscores. It is kept with each enquiry, so leave it as it is
    /// once the form is in use.
    pub key: QuestionName,
    /// The question, as people should read it.
    pub label: Line,
    /// A line of help below it, if it needs one.
    pub hint: Option<Line>,
    /// What it looks like: "line" (one line of text), "text" (several lines; at most three such questions), "one-of", "several-of", or
    /// "yes-no".
    #[cfg_attr(test, schemars(with = "QuestionKind"))]
    pub kind: String,
    /// The answers to choose from, from two to twenty: for "one-of" and "several-of" only.
    #[cfg_attr(test, schemars(length(min = 2, max = 20)))]
    pub options: Option<Options>,
    /// Whether it has to be answered. Leave it out, or write false, if it need not be.
    pub required: Option<bool>,
    /// Where it stands: "you" (About you), "body" (About your body) or "visit" (About your visit).
    #[cfg_attr(test, schemars(with = "FormSection"))]
    pub section: String,
    /// Whether the answer says something about health: then the privacy mode keeps it out of your mailbox.
    pub health: bool,
}

/// One answer to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub struct QuestionOption {
    /// A short name for the computer: small letters, digits and hyphens.
    pub value: Key,
    /// The answer, as people should read it.
    pub label: Line,
}

/// What the practice explains.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub struct Explain {
    /// What massage does, for those who are not sure what they want.
    pub massage: Sentences,
    /// For people who were injured in the last 48 hours. It comes before everything else.
    pub recent_injury: Sentences,
    /// The last line of what is explained: that this is general information.
    pub general: Sentences,
    /// What is often behind pain in an area. Leave one out and nothing is said about it.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "BTreeMap<Area, Sentences>"))]
    pub area: BTreeMap<String, Sentences>,
    /// What a cause does to the muscles. Leave one out and nothing is said about it.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "BTreeMap<Cause, Sentences>"))]
    pub cause: BTreeMap<String, Sentences>,
}

/// The automatic answer to the client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub struct EmailTexts {
    /// The subject. The reference is put after it.
    pub subject: Subject,
    /// The greeting. It holds no name.
    pub greeting: Line,
    /// The first sentences.
    pub thanks: Sentences,
    /// What happens next when they want an email. {when} becomes the time, such as "by midday on Tuesday".
    pub next_by_email: NextStep,
    /// What happens next when they want a call. {when} becomes the time, such as "by midday on Tuesday".
    pub next_by_phone: NextStep,
    /// What happens next when they want a text message. {when} becomes the time, such as "by midday on Tuesday".
    pub next_by_text: NextStep,
    /// Said above the ways to get in touch.
    pub sooner: Sentences,
    /// Said above the name of the practice at the end.
    pub sign_off: Line,
    /// What your own reply starts with when you open it from the email about the enquiry.
    pub first_lines: Opening,
}

/// What people agree to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub struct Consent {
    /// The version of the wording, kept with each enquiry. Change it whenever you change the wording; a date is a good
    /// version.
    pub version: Version,
    /// The words beside the box that must be ticked.
    pub wording: Sentences,
    /// One block for each wording that you had before. Pages that still show it are answered as before for 60 days.
    #[serde(default)]
    pub earlier: Vec<EarlierConsent>,
}

/// A wording that was replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub struct EarlierConsent {
    /// Its version.
    pub version: Version,
    /// The words that stood beside the box.
    pub wording: Sentences,
    /// The day on which you replaced it, as year-month-day.
    pub replaced: Day,
}

/// What makes an enquiry suspect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub struct Suspect {
    /// Words and phrases of at least three characters. Only whole words count, and capitals make no difference.
    pub words: List<Phrase>,
    /// Addresses ("pest@example.com"), or domains with all their senders ("@example.com").
    pub senders: List<Sender>,
}

/// What is kept, where and for how long.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub struct Privacy {
    /// Whether the email about an enquiry leaves out what the client says about their health, which is then on the desk only.
    /// Left out, it is false.
    pub keep_health_out_of_email: Option<bool>,
    /// How many days an enquiry is kept once nothing is to be sent for it: from 1 to 3650. It counts for enquiries that come in
    /// from then on. Left out, it is 365.
    pub retention_days: Option<RetentionDays>,
}

// The types below say how they are written: the reader of `practice.toml` puts it into its errors.

/// A day of the calendar, in `practice.toml` with or without quotation marks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(inline))]
#[serde(expecting = "a day of the calendar as \"2027-01-31\" (year-month-day)")]
pub struct Day(
    #[cfg_attr(
        test,
        schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), extend("format" = "date"))
    )]
    pub String,
);

/// The spans of a working day, each such as `9:00-17:00`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(inline))]
#[serde(
    expecting = "a list of spans such as [\"9:00-12:30\", \"14:00-18:00\"], or [] for a day off"
)]
pub struct Spans(
    #[cfg_attr(
        test,
        schemars(inner(regex(
            pattern = r"^\s*([01]?[0-9]|2[0-3]):[0-5][0-9]\s*[-–]\s*(([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00)\s*$"
        )))
    )]
    pub Vec<String>,
);

/// Some of the answers about warmth.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(inline))]
#[serde(expecting = "a list with some of \"yes\", \"no\", \"not-sure\"")]
pub struct Warmths(#[cfg_attr(test, schemars(with = "Vec<Warmth>"))] pub Vec<String>);

/// Some of the questions that every form can have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(inline))]
#[serde(expecting = "a list of questions such as [\"cause\", \"times\"], or []")]
pub struct LeftOut(#[cfg_attr(test, schemars(with = "Vec<BuiltIn>"))] pub Vec<String>);

/// The answers to a question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(inline))]
#[serde(
    expecting = "a list of answers such as [{ value = \"run\", label = \"Running\" }, { value = \"swim\", label = \"Swimming\" }]"
)]
pub struct Options(pub Vec<QuestionOption>);

/// A list of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(inline))]
#[serde(expecting = "a list of texts such as [\"one\", \"two\"], or []")]
pub struct List<T>(pub Vec<T>);

/// A number of working hours. A form stores 0 for what is no number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(inline))]
#[serde(expecting = "a whole number from 1 to 80")]
pub struct ReplyHours(#[cfg_attr(test, schemars(range(min = 1, max = 80)))] pub u8);

/// A number of days. A form stores 0 for what is no number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(inline))]
#[serde(expecting = "a whole number of days from 1 to 3650")]
pub struct RetentionDays(#[cfg_attr(test, schemars(range(min = 1, max = 3650)))] pub u16);

/// The JSON Schema of `practice.toml`, in the draft that editors for TOML know.
#[cfg(test)]
#[must_use]
pub fn schema() -> schemars::Schema {
    let mut settings = schemars::generate::SchemaSettings::draft07();
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<Practice>();
    schemars::transform::transform_subschemas(&mut without_null, &mut schema);
    schema
}

/// TOML has no null: what is optional is left out.
#[cfg(test)]
fn without_null(schema: &mut schemars::Schema) {
    if let Some(types) = schema.get_mut("type")
        && let Some(kind) = types.as_array().and_then(|types| types.first())
    {
        *types = kind.clone();
    }
    schemars::transform::transform_subschemas(&mut without_null, schema);
}
