//! The fields of the page "Your practice": one table of sections and their fields. A field's name is the key of
//! `practice.toml`, so that an error of the checks finds its field.

use crate::messages::desk::practice::section as words;
use crate::practice::choices::{Area, Cause};

/// How a field is shown, and what is written into the practice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text on one line.
    Line,
    /// A text of some lines.
    Text,
    /// A list of texts, one a line.
    Lines,
    /// A list of spans, on one line.
    Spans,
    /// A whole number.
    Number,
    Day,
    /// Yes, or no.
    Tick,
    /// One of the treatments, or none.
    Treatment,
    /// What a question looks like.
    AskedAs,
    /// Where a question stands.
    FormSection,
    /// The answers to a question, one a line.
    Options,
    /// Some of the questions that every form can have: a box each.
    BuiltIns,
    /// It goes along.
    Hidden,
}

/// A field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input {
    /// The key in `practice.toml`; within a block the last part of it.
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    pub(super) kind: Kind,
    /// Whether it is left out of the practice when it is empty.
    pub(super) optional: bool,
}

/// Blocks of fields, as many as there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocks {
    /// The key in `practice.toml`.
    pub(super) key: &'static str,
    /// What one is called.
    pub(super) name: &'static str,
    pub(super) fields: &'static [Input],
    /// Whether there can be more or fewer of them, in another order.
    pub(super) grows: bool,
}

/// A section, with a page of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section {
    /// The last part of its address.
    pub(super) key: &'static str,
    pub(super) title: &'static str,
    pub(super) intro: &'static str,
    pub(super) fields: &'static [Input],
    pub(super) blocks: &'static [Blocks],
}

impl Section {
    /// Where the first set-up goes on after this section: the next one that it leads through, or the page that shows the form.
    pub(super) fn after(&self) -> String {
        let mut setup = SETUP.iter();
        setup.find(|key| **key == self.key);
        match setup.next() {
            Some(next) => format!("/desk/practice/{next}?setup=yes"),
            None => "/desk/practice?done=setup".to_owned(),
        }
    }

    /// Which step of the first set-up this is, of how many; nothing where the beginnings do.
    pub(super) fn step(&self) -> Option<(usize, usize)> {
        let place = SETUP.iter().position(|key| *key == self.key)?;
        Some((place + 1, SETUP.len()))
    }

    /// The section of this key.
    pub(super) fn find(key: &str) -> Option<&'static Self> {
        SECTIONS.iter().find(|section| section.key == key)
    }

    /// The label of the field with this name.
    pub(super) fn label(&self, name: &str) -> Option<&'static str> {
        let within = |blocks: &&Blocks| name.starts_with(&format!("{}[", blocks.key));
        let (fields, key) = match self.blocks.iter().find(within) {
            Some(blocks) => (blocks.fields, name.rsplit('.').next().unwrap_or(name)),
            None => (self.fields, name),
        };
        let input = fields.iter().find(|it| it.key == key)?;
        Some(input.label)
    }
}

const fn field(key: &'static str, kind: Kind, label: &'static str, hint: &'static str) -> Input {
    Input {
        key,
        label,
        hint,
        kind,
        optional: false,
    }
}

const fn optional(key: &'static str, kind: Kind, label: &'static str, hint: &'static str) -> Input {
    Input {
        optional: true,
        ..field(key, kind, label, hint)
    }
}

use Kind::{
    AskedAs, BuiltIns, Day, FormSection, Hidden, Line, Lines, Number, Options, Spans, Text, Tick,
    Treatment,
};

/// The sections that a new practice is led through.
const SETUP: [&str; 4] = ["contact", "hours", "treatments", "emails"];

/// Where there is nothing to say.
const NONE: &str = "";

/// Every section, in the order of the page.
#[rustfmt::skip]
pub(super) const SECTIONS: &[Section] = &[
    AWAY, HOURS, TREATMENTS, QUESTIONS, EMAILS, EXPLANATIONS, CONTACT, CONSENT, UNWANTED, PRIVACY,
];

const AWAY: Section = {
    use words::away as say;
    Section {
        key: "away",
        title: say::TITLE,
        intro: say::INTRO,
        fields: &[optional(
            "reply.away_until",
            Day,
            say::UNTIL,
            say::UNTIL_HINT,
        )],
        blocks: &[Blocks {
            key: "holiday",
            name: say::HOLIDAY,
            fields: &[
                field("name", Line, say::NAME, NONE),
                optional("from", Day, say::FROM, NONE),
                optional("to", Day, say::TO, say::TO_HINT),
            ],
            grows: true,
        }],
    }
};

const HOURS: Section = {
    use words::hours as say;
    Section {
        key: "hours",
        title: say::TITLE,
        intro: say::INTRO,
        fields: &[
            field("hours.monday", Spans, say::MONDAY, say::DAY_OFF),
            field("hours.tuesday", Spans, say::TUESDAY, say::DAY_OFF),
            field("hours.wednesday", Spans, say::WEDNESDAY, say::DAY_OFF),
            field("hours.thursday", Spans, say::THURSDAY, say::DAY_OFF),
            field("hours.friday", Spans, say::FRIDAY, say::DAY_OFF),
            field("hours.saturday", Spans, say::SATURDAY, say::DAY_OFF),
            field("hours.sunday", Spans, say::SUNDAY, say::DAY_OFF),
            field(
                "reply.within_working_hours",
                Number,
                say::WITHIN,
                say::WITHIN_HINT,
            ),
            field("reply.reminders", Tick, say::REMINDERS, say::REMINDERS_HINT),
        ],
        blocks: &[],
    }
};

const TREATMENTS: Section = {
    use words::treatments as say;
    Section {
        key: "treatments",
        title: say::TITLE,
        intro: say::INTRO,
        fields: &[],
        blocks: &[
            Blocks {
                key: "treatment",
                name: say::TREATMENT,
                fields: &[
                    field("key", Hidden, NONE, NONE),
                    field("name", Line, say::NAME, NONE),
                    optional("price", Line, say::PRICE, say::PRICE_HINT),
                    optional("duration", Line, say::DURATION, say::DURATION_HINT),
                    field(
                        "choose_it_for",
                        Text,
                        say::CHOOSE_IT_FOR,
                        say::CHOOSE_IT_FOR_HINT,
                    ),
                    field(
                        "how_it_works",
                        Text,
                        say::HOW_IT_WORKS,
                        say::HOW_IT_WORKS_HINT,
                    ),
                    field("warm", Tick, say::WARM, NONE),
                ],
                grows: true,
            },
            Blocks {
                key: "guide",
                name: say::GUIDE,
                fields: &[
                    field("goal", Hidden, NONE, NONE),
                    optional("warmth", Hidden, NONE, NONE),
                    optional("suggest", Treatment, say::SUGGEST, NONE),
                    field("why", Text, say::WHY, say::WHY_HINT),
                    optional("also", Treatment, say::ALSO, NONE),
                    optional("also_why", Text, say::ALSO_WHY, NONE),
                ],
                grows: false,
            },
        ],
    }
};

const QUESTIONS: Section = {
    use words::questions as say;
    Section {
        key: "questions",
        title: say::TITLE,
        intro: say::INTRO,
        fields: &[field(
            "form.leave_out",
            BuiltIns,
            say::LEAVE_OUT,
            say::LEAVE_OUT_HINT,
        )],
        blocks: &[Blocks {
            key: "question",
            name: say::QUESTION,
            fields: &[
                field("key", Hidden, NONE, NONE),
                field("label", Line, say::LABEL, say::LABEL_HINT),
                optional("hint", Line, say::HELP, NONE),
                field("kind", AskedAs, say::KIND, say::KIND_HINT),
                optional("options", Options, say::OPTIONS, say::OPTIONS_HINT),
                field("section", FormSection, say::STANDS, NONE),
                field("required", Tick, say::REQUIRED, NONE),
                field("health", Tick, say::HEALTH, say::HEALTH_HINT),
            ],
            grows: true,
        }],
    }
};

const EMAILS: Section = {
    use words::emails as say;
    Section {
        key: "emails",
        title: say::TITLE,
        intro: say::INTRO,
        fields: &[
            field("emails.subject", Line, say::SUBJECT, say::SUBJECT_HINT),
            field("emails.greeting", Line, say::GREETING, say::GREETING_HINT),
            field("emails.thanks", Text, say::THANKS, NONE),
            field(
                "emails.next_by_email",
                Text,
                say::NEXT_BY_EMAIL,
                say::NEXT_HINT,
            ),
            field(
                "emails.next_by_phone",
                Text,
                say::NEXT_BY_PHONE,
                say::NEXT_HINT,
            ),
            field(
                "emails.next_by_text",
                Text,
                say::NEXT_BY_TEXT,
                say::NEXT_HINT,
            ),
            field("emails.sooner", Text, say::SOONER, NONE),
            field("emails.sign_off", Line, say::SIGN_OFF, NONE),
            field(
                "emails.first_lines",
                Text,
                say::FIRST_LINES,
                say::FIRST_LINES_HINT,
            ),
        ],
        blocks: &[],
    }
};

const EXPLANATIONS: Section = {
    use words::explanations as say;
    Section {
        key: "explanations",
        title: say::TITLE,
        intro: say::INTRO,
        fields: &[
            field("explain.massage", Text, say::MASSAGE, say::MASSAGE_HINT),
            field(
                "explain.recent_injury",
                Text,
                say::RECENT_INJURY,
                say::RECENT_INJURY_HINT,
            ),
            field("explain.general", Text, say::GENERAL, say::GENERAL_HINT),
            optional(
                "explain.area.lower-back",
                Text,
                Area::LowerBack.words(),
                NONE,
            ),
            optional(
                "explain.area.upper-back",
                Text,
                Area::UpperBack.words(),
                NONE,
            ),
            optional(
                "explain.area.shoulders",
                Text,
                Area::Shoulders.words(),
                NONE,
            ),
            optional("explain.area.neck", Text, Area::Neck.words(), NONE),
            optional("explain.area.other", Text, Area::Other.words(), NONE),
            optional("explain.cause.stress", Text, Cause::Stress.words(), NONE),
            optional("explain.cause.injury", Text, Cause::Injury.words(), NONE),
            optional("explain.cause.overuse", Text, Cause::Overuse.words(), NONE),
            optional("explain.cause.posture", Text, Cause::Posture.words(), NONE),
            optional("explain.cause.not-sure", Text, Cause::NotSure.words(), NONE),
        ],
        blocks: &[],
    }
};

const CONTACT: Section = {
    use words::contact as say;
    Section {
        key: "contact",
        title: say::TITLE,
        intro: say::INTRO,
        fields: &[
            field("practice.name", Line, say::NAME, NONE),
            field("practice.trade", Line, say::TRADE, say::TRADE_HINT),
            field("practice.address", Line, say::ADDRESS, say::ADDRESS_HINT),
            field("practice.phone", Line, say::PHONE, say::PHONE_HINT),
            optional("practice.website", Line, say::WEBSITE, say::WEBSITE_HINT),
            field(
                "practice.reference_prefix",
                Line,
                say::PREFIX,
                say::PREFIX_HINT,
            ),
            field(
                "practice.time_zone",
                Line,
                say::TIME_ZONE,
                say::TIME_ZONE_HINT,
            ),
        ],
        blocks: &[Blocks {
            key: "social",
            name: say::SOCIAL,
            fields: &[
                field("name", Line, say::NETWORK, say::NETWORK_HINT),
                field("handle", Line, say::HANDLE, NONE),
                field("link", Line, say::LINK, say::LINK_HINT),
            ],
            grows: true,
        }],
    }
};

const CONSENT: Section = {
    use words::consent as say;
    Section {
        key: "consent",
        title: say::TITLE,
        intro: say::INTRO,
        fields: &[
            field("consent.version", Hidden, NONE, NONE),
            field("consent.wording", Text, say::WORDING, NONE),
        ],
        blocks: &[],
    }
};

const UNWANTED: Section = {
    use words::unwanted as say;
    Section {
        key: "unwanted",
        title: say::TITLE,
        intro: say::INTRO,
        fields: &[
            field("suspect.words", Lines, say::WORDS, say::WORDS_HINT),
            field("suspect.senders", Lines, say::SENDERS, say::SENDERS_HINT),
        ],
        blocks: &[],
    }
};

const PRIVACY: Section = {
    use words::privacy as say;
    const NO_HEALTH: &str = "privacy.keep_health_out_of_email";
    Section {
        key: "privacy",
        title: say::TITLE,
        intro: NONE,
        fields: &[
            field(NO_HEALTH, Tick, say::NO_HEALTH, say::NO_HEALTH_HINT),
            optional(
                "privacy.retention_days",
                Number,
                say::RETENTION,
                say::RETENTION_HINT,
            ),
        ],
        blocks: &[],
    }
};
