//! The emails to the client.

use enquiry_desk::enquiry::Enquiry;
use enquiry_desk::enquiry::answers::{Area, Cause, Choice, ContactBy, Goal, RecentInjury, Warmth};

use super::{Sample, Samples, sample};

/// What a sample changes in an enquiry.
type Change = fn(&mut Enquiry);

impl Samples<'_> {
    /// The emails to the client, for the rows of the guide and for what stands across them.
    ///
    /// A practice without a warm treatment does not ask about warmth, and has fewer.
    pub fn to_client(&self) -> Vec<Sample> {
        let answer = |name, about, goal, warmth: Option<Warmth>, named, change: Change| {
            let received = self.with(self.minimal(), |it| {
                change(it);
                it.answers.goal = self.goal(goal);
                it.answers.warmth = warmth.and_then(|warmth| self.warmth(warmth));
                it.answers.treatment = named;
            });
            sample(name, about, self.client_mail(&received))
        };
        let mut emails = vec![
            answer(
                "treat_cool",
                "Pain or an injury, without warmth",
                Goal::Treat,
                Some(Warmth::No),
                None,
                |_| {},
            ),
            answer(
                "treat",
                "Pain or an injury",
                Goal::Treat,
                None,
                None,
                |it| {
                    it.answers.area = vec![Area::LowerBack, Area::Shoulders];
                    it.answers.cause = Some(Cause::Overuse);
                },
            ),
            answer(
                "treat_warm",
                "Pain or an injury, with warmth; a call is asked for",
                Goal::Treat,
                Some(Warmth::Yes),
                None,
                |it| it.contact_by = ContactBy::Phone,
            ),
            answer(
                "treat_injured",
                "Injured in the last 48 hours",
                Goal::Treat,
                Some(Warmth::NotSure),
                None,
                |it| {
                    it.answers.recent_injury = Some(RecentInjury::Yes);
                    it.answers.cause = Some(Cause::Injury);
                },
            ),
            answer(
                "relax_cool",
                "To relax, without warmth",
                Goal::Relax,
                Some(Warmth::No),
                None,
                |_| {},
            ),
            answer(
                "relax",
                "To relax; a text message is asked for",
                Goal::Relax,
                Some(Warmth::NotSure),
                None,
                |it| it.contact_by = ContactBy::Text,
            ),
            answer(
                "relax_warm",
                "To relax, with warmth",
                Goal::Relax,
                Some(Warmth::Yes),
                None,
                |_| {},
            ),
            answer(
                "not_sure",
                "Not sure what they want",
                Goal::NotSure,
                None,
                None,
                |it| {
                    it.answers.area = Area::ALL.to_vec();
                    it.answers.cause = Some(Cause::Stress);
                },
            ),
            answer(
                "named_the_same",
                "Names the treatment that the guide suggests",
                Goal::Relax,
                Some(Warmth::No),
                self.suggested(Goal::Relax, Warmth::No),
                |_| {},
            ),
            answer(
                "named_another",
                "Names another treatment than the guide suggests",
                Goal::Relax,
                Some(Warmth::No),
                self.another(Goal::Relax, Warmth::No, false),
                |_| {},
            ),
            answer(
                "named_not_sure",
                "Names a treatment, and is not sure otherwise",
                Goal::NotSure,
                None,
                self.suggested(Goal::Relax, Warmth::Yes),
                |_| {},
            ),
        ];
        if !self.practice.asks_warmth() {
            emails.retain(|it| {
                !["treat_cool", "treat_warm", "relax_cool", "relax_warm"].contains(&it.name)
            });
        }
        emails
    }
}
