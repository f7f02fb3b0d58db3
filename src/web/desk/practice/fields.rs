//! What can be changed on the page "Your practice": one table of sections and their fields. A field's name is the key of
//! `practice.toml`, so that an error of the checks finds its field.

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
    /// A day.
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

const DAY_OFF: &str = "Empty for a day off.";

/// Every section, in the order of the page.
pub(super) const SECTIONS: &[Section] = &[
    Section {
        key: "away",
        title: "Away and holidays",
        intro: "No answer is promised for these days. Holidays that have passed do no harm.",
        fields: &[optional(
            "reply.away_until",
            Day,
            "Away until",
            "The day on which you are back. Leave it empty when you aren’t away.",
        )],
        blocks: &[Blocks {
            key: "holiday",
            name: "Holiday",
            fields: &[
                field("name", Line, "Name", ""),
                optional("from", Day, "First day off", ""),
                optional("to", Day, "Last day off", "Empty for a single day."),
            ],
            grows: true,
        }],
    },
    Section {
        key: "hours",
        title: "Working hours",
        intro: "They decide by when an answer is promised. Write them like 9:00-12:30, 14:00-18:00.",
        fields: &[
            field("hours.monday", Spans, "Monday", DAY_OFF),
            field("hours.tuesday", Spans, "Tuesday", DAY_OFF),
            field("hours.wednesday", Spans, "Wednesday", DAY_OFF),
            field("hours.thursday", Spans, "Thursday", DAY_OFF),
            field("hours.friday", Spans, "Friday", DAY_OFF),
            field("hours.saturday", Spans, "Saturday", DAY_OFF),
            field("hours.sunday", Spans, "Sunday", DAY_OFF),
            field(
                "reply.within_working_hours",
                Number,
                "You answer within so many working hours",
                "From 1 to 80. With 8 and a day from 9 to 5, an enquiry from Monday at 3pm is promised an answer by 3pm on Tuesday.",
            ),
        ],
        blocks: &[],
    },
    Section {
        key: "treatments",
        title: "Treatments and prices",
        intro: "In the order in which people should read them. To add one, fill in the last block.",
        fields: &[],
        blocks: &[
            Blocks {
                key: "treatment",
                name: "Treatment",
                fields: &[
                    field("key", Hidden, "", ""),
                    field("name", Line, "Name", ""),
                    optional(
                        "price",
                        Line,
                        "Price",
                        "As people should read it, such as £45.",
                    ),
                    optional("duration", Line, "How long it takes", "Such as 60 minutes."),
                    field(
                        "choose_it_for",
                        Text,
                        "Choose it for …",
                        "Ends that sentence, without a full stop.",
                    ),
                    field(
                        "how_it_works",
                        Text,
                        "How it works",
                        "One or two full sentences.",
                    ),
                    field("warm", Tick, "It is done with warm stones", ""),
                ],
                grows: true,
            },
            Blocks {
                key: "guide",
                name: "What you suggest",
                fields: &[
                    field("goal", Hidden, "", ""),
                    optional("warmth", Hidden, "", ""),
                    optional("suggest", Treatment, "Suggest", ""),
                    field("why", Text, "Why", "One or two sentences to the client."),
                    optional("also", Treatment, "Also name", ""),
                    optional("also_why", Text, "Why that one too", ""),
                ],
                grows: false,
            },
        ],
    },
    Section {
        key: "questions",
        title: "Questions on the form",
        intro: "Your own questions stand below those that every form can have. An answer is kept as it was asked, whatever you change later.",
        fields: &[field(
            "form.leave_out",
            BuiltIns,
            "Leave these out of the form",
            "Without a phone number, leave out how they would like to hear back too.",
        )],
        blocks: &[Blocks {
            key: "question",
            name: "Question",
            fields: &[
                field("key", Hidden, "", ""),
                field("label", Line, "Question", "As people should read it."),
                optional("hint", Line, "A line of help below it", ""),
                field(
                    "kind",
                    AskedAs,
                    "What it looks like",
                    "Three questions at most can have several lines.",
                ),
                optional(
                    "options",
                    Options,
                    "Answers to choose from",
                    "One a line, from two to twenty. Only for questions with a list.",
                ),
                field("section", FormSection, "Where it stands", ""),
                field("required", Tick, "It has to be answered", ""),
                field(
                    "health",
                    Tick,
                    "The answer says something about health",
                    "Then it stays out of your mailbox when you keep health out of it.",
                ),
            ],
            grows: true,
        }],
    },
    Section {
        key: "emails",
        title: "Automatic reply",
        intro: "The email that people get as soon as they have sent the form.",
        fields: &[
            field(
                "emails.subject",
                Line,
                "Subject",
                "The reference is put after it.",
            ),
            field("emails.greeting", Line, "Greeting", "It holds no name."),
            field("emails.thanks", Text, "First sentences", ""),
            field(
                "emails.next_by_email",
                Text,
                "What happens next: you will email",
                WHEN,
            ),
            field(
                "emails.next_by_phone",
                Text,
                "What happens next: you will call",
                WHEN,
            ),
            field(
                "emails.next_by_text",
                Text,
                "What happens next: you will text",
                WHEN,
            ),
            field("emails.sooner", Text, "Above the ways to get in touch", ""),
            field("emails.sign_off", Line, "At the end", ""),
            field(
                "emails.first_lines",
                Text,
                "Your own reply starts with",
                "When you open it from the email about the enquiry.",
            ),
        ],
        blocks: &[],
    },
    Section {
        key: "explanations",
        title: "Explanations",
        intro: "They go into the reply to people who ticked the matching box. Leave one empty and nothing is said about it. Please give no medical advice here.",
        fields: &[
            field(
                "explain.massage",
                Text,
                "What massage does",
                "For those who aren’t sure what they want.",
            ),
            field(
                "explain.recent_injury",
                Text,
                "Injured in the last 48 hours",
                "It comes before everything else.",
            ),
            field(
                "explain.general",
                Text,
                "The last line",
                "That this is general information.",
            ),
            optional("explain.area.lower-back", Text, "Lower back", ""),
            optional("explain.area.upper-back", Text, "Upper back", ""),
            optional("explain.area.shoulders", Text, "Shoulders", ""),
            optional("explain.area.neck", Text, "Neck", ""),
            optional("explain.area.other", Text, "Somewhere else", ""),
            optional("explain.cause.stress", Text, "Stress", ""),
            optional("explain.cause.injury", Text, "An injury", ""),
            optional(
                "explain.cause.overuse",
                Text,
                "Doing the same movement a lot",
                "",
            ),
            optional("explain.cause.posture", Text, "Posture", ""),
            optional(
                "explain.cause.not-sure",
                Text,
                "Not sure what is behind it",
                "",
            ),
        ],
        blocks: &[],
    },
    Section {
        key: "contact",
        title: "Contact",
        intro: "Who and where you are.",
        fields: &[
            field("practice.name", Line, "Name of your practice", ""),
            field(
                "practice.trade",
                Line,
                "What you are",
                "Such as massage therapist.",
            ),
            field("practice.address", Line, "Address", "On one line."),
            field(
                "practice.phone",
                Line,
                "Phone",
                "As people should read it. It starts with 0 or +.",
            ),
            optional(
                "practice.website",
                Line,
                "Website",
                "Starts with https://. Leave it empty if you have none.",
            ),
            field(
                "practice.reference_prefix",
                Line,
                "References start with",
                "Two to four capital letters.",
            ),
            field(
                "practice.time_zone",
                Line,
                "Time zone",
                "Such as Europe/London.",
            ),
        ],
        blocks: &[Blocks {
            key: "social",
            name: "Page on a social network",
            fields: &[
                field("name", Line, "Network", "Such as Instagram."),
                field("handle", Line, "What you are called there", ""),
                field(
                    "link",
                    Line,
                    "Address of your page",
                    "Starts with https://.",
                ),
            ],
            grows: true,
        }],
    },
    Section {
        key: "consent",
        title: "What people agree to",
        intro: "A new wording gets a version of its own. The earlier ones are kept, since enquiries name them; pages that still show one are answered for 60 days.",
        fields: &[
            field("consent.version", Hidden, "", ""),
            field("consent.wording", Text, "The words beside the box", ""),
        ],
        blocks: &[],
    },
    Section {
        key: "unwanted",
        title: "Unwanted words and senders",
        intro: "An enquiry that holds one of these words, or comes from one of these senders, is marked as suspect: you still get it, but no reply is sent.",
        fields: &[
            field(
                "suspect.words",
                Lines,
                "Words and phrases",
                "One a line, of three characters or more. Only whole words count.",
            ),
            field(
                "suspect.senders",
                Lines,
                "Senders",
                "One a line: pest@example.com, or @example.com for every sender there.",
            ),
        ],
        blocks: &[],
    },
    Section {
        key: "privacy",
        title: "What is kept",
        intro: "",
        fields: &[
            field(
                "privacy.keep_health_out_of_email",
                Tick,
                "Keep what clients say about their health out of my mailbox",
                "Emails about an enquiry then carry name, contact details and reference; the rest is on your desk.",
            ),
            optional(
                "privacy.retention_days",
                Number,
                "Keep an enquiry for so many days",
                "From 1 to 3650; 365 when empty. It counts for enquiries that come in from now on. Say the same in your privacy notice.",
            ),
        ],
        blocks: &[],
    },
];

const WHEN: &str = "{when} becomes the time, such as “by midday on Tuesday”.";
