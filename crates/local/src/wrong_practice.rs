//! What a therapist can get wrong on the pages of her practice: each section, with a form that is refused.

/// The sections, with what is posted; `{long}` stands for a text that is too long everywhere. What is left out is empty.
pub(crate) const WRONG: &[(&str, &str)] = &[
    (
        "away",
        "reply.away_until=soon&holiday[0].name=No+day&holiday[1].name=Backwards&holiday[1].from=2027-06-10\
         &holiday[1].to=2027-06-01&holiday[2].name=Years&holiday[2].from=2027-01-01&holiday[2].to=2029-01-01",
    ),
    ("hours", "reply.within_working_hours=200"),
    (
        "hours",
        "hours.monday=9+to+5&hours.tuesday=17:00-9:00&hours.wednesday=9:00-12:00,+11:00-13:00\
         &reply.within_working_hours=8",
    ),
    ("treatments", "guide[0].goal=treat&guide[0].suggest=nothing"),
    (
        "treatments",
        "treatment[0].key=one&treatment[0].name=One&treatment[0].choose_it_for=tired+feet.\
         &treatment[0].how_it_works=It+works&treatment[0].price=cheap&treatment[1].key=one&treatment[1].name=Another\
         &treatment[1].choose_it_for={long}&treatment[1].how_it_works=It+works.&treatment[2].key=No+Key\
         &treatment[2].name=Third&guide[0].goal=treat&guide[0].warmth=yes&guide[0].suggest=one&guide[0].why=It+helps.\
         &guide[0].also=one&guide[1].goal=treat&guide[1].warmth=yes&guide[1].also=one&guide[1].why=It+helps.",
    ),
    (
        "treatments",
        "treatment[0].key=one&treatment[0].name=One&treatment[0].choose_it_for=tired+feet\
         &treatment[0].how_it_works=It+works.&treatment[0].warm=yes&guide[0].goal=treat&guide[0].warmth=yes\
         &guide[0].suggest=one&guide[0].why=It+helps.&guide[1].goal=treat&guide[1].warmth=yes&guide[1].suggest=one\
         &guide[1].why=It+helps.",
    ),
    (
        "questions",
        "form.leave_out:phone=yes&question[0].key=Q&question[0].label=A+wrong+key&question[0].kind=line\
         &question[0].section=you&question[1].key=q_same&question[1].label=A+list+without+answers\
         &question[1].kind=one-of&question[1].section=nowhere&question[2].key=q_same&question[2].label=One+answer\
         &question[2].kind=one-of&question[2].section=you&question[2].options=Only+this\
         &question[3].label=The+same+twice&question[3].kind=several-of&question[3].section=you\
         &question[3].options=This%0AThis&question[4].label=Answers+to+a+line&question[4].kind=line\
         &question[4].section=you&question[4].options=This%0AThat&question[5].label=Lines&question[5].kind=text\
         &question[5].section=you&question[6].label=More+lines&question[6].kind=text&question[6].section=you\
         &question[7].label=Even+more+lines&question[7].kind=text&question[7].section=you\
         &question[8].label=Too+many+lines&question[8].kind=text&question[8].section=you&question[9].label=Ten\
         &question[9].kind=line&question[10].label=Eleven&question[10].kind=line&question[11].label=Twelve\
         &question[11].kind=line&question[12].label=Thirteen&question[12].kind=line",
    ),
    (
        "emails",
        "emails.subject=An+answer&emails.greeting=Hello%07&emails.thanks=Look+at+https://elsewhere.example.\
         &emails.next_by_email=I’ll+be+in+touch.",
    ),
    ("explanations", "explain.massage=No+full+stop"),
    (
        "contact",
        "practice.phone=12&practice.website=www.example.com&practice.reference_prefix=b&practice.time_zone=Mars/Olympus",
    ),
    ("consent", "consent.version=not+one"),
    ("unwanted", "suspect.words=ab&suspect.senders=pest"),
    ("privacy", "privacy.retention_days=0"),
];
