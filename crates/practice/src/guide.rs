//! Which treatment to suggest, and what happens next.

use serde::{Deserialize, Serialize};

use crate::choices::{BuiltIn, Choice, ContactBy, Goal, RecentInjury, Warmth};
use crate::content::GuideRow;
use crate::{Practice, Treatment, TreatmentKey};

impl Practice {
    /// The treatment with this key, if the practice offers it.
    #[must_use]
    pub fn treatment(&self, key: &str) -> Option<&Treatment> {
        self.treatments
            .iter()
            .find(|treatment| treatment.key.as_str() == key)
    }

    /// Whether the form asks this. About warm stones only if a treatment is done with them.
    #[must_use]
    pub fn asks(&self, question: BuiltIn) -> bool {
        let pointless = question == BuiltIn::Warmth && !self.offers_warmth();
        !pointless && !self.left_out.contains(&question)
    }

    /// Whether a treatment is done with warm stones.
    #[must_use]
    pub fn offers_warmth(&self) -> bool {
        self.treatments.iter().any(|treatment| treatment.warm)
    }

    /// Whether the form asks about warm stones.
    #[must_use]
    pub fn asks_warmth(&self) -> bool {
        self.asks(BuiltIn::Warmth)
    }

    /// What the guide suggests for these answers. A warmth that was left out counts as not sure.
    #[must_use]
    pub fn suggest(&self, goal: Goal, warmth: Option<Warmth>) -> Suggested {
        let row = self.row(goal, warmth);
        Suggested {
            treatment: row.and_then(|row| row.suggest.clone()),
            also: row.and_then(|row| row.also.clone()),
        }
    }

    /// What was suggested to a client, in the practice's words of today: a treatment that has left the list since then is left
    /// out, and so is a reason that the guide now gives for another suggestion.
    ///
    /// `named` is the treatment that the client asked for.
    #[must_use]
    pub fn suggestion(
        &self,
        suggested: &Suggested,
        goal: Goal,
        warmth: Option<Warmth>,
        recent_injury: Option<RecentInjury>,
        named: Option<&TreatmentKey>,
    ) -> Suggestion<'_> {
        let row = self.row(goal, warmth);
        let find = |key: &TreatmentKey| self.treatment(key.as_str());
        let why = row
            .filter(|row| row.suggest == suggested.treatment)
            .map_or("", |row| row.why.as_str());
        let also_why = row
            .filter(|row| row.also == suggested.also)
            .and_then(|row| row.also_why.as_deref());
        Suggestion {
            wait: recent_injury == Some(RecentInjury::Yes),
            named: named.and_then(find),
            suggested: suggested.treatment.as_ref().and_then(find),
            why,
            also: suggested
                .also
                .as_ref()
                .and_then(find)
                .map(|treatment| Alternative {
                    treatment,
                    why: also_why.unwrap_or_default(),
                }),
            offered: &self.treatments,
        }
    }

    fn row(&self, goal: Goal, warmth: Option<Warmth>) -> Option<&GuideRow> {
        let warmth = warmth.unwrap_or(Warmth::NotSure);
        let mut rows = self.guide.iter();
        rows.find(|row| row.goal == goal && row.warmth.contains(&warmth))
    }

    /// What happens next, in the practice's words, for the way in which the client wants to hear back. `when` stands in
    /// for the time, such as "by midday on Tuesday".
    #[must_use]
    pub fn next_step(&self, contact_by: ContactBy, when: &str) -> String {
        let words = match contact_by {
            ContactBy::Email => &self.emails.next_by_email,
            ContactBy::Phone => &self.emails.next_by_phone,
            ContactBy::Text => &self.emails.next_by_text,
        };
        words.replace("{when}", when)
    }

    /// The questions about the massage that the form asks, for whoever goes through all their answers: with no warm
    /// treatment, an answer about warmth makes no difference.
    #[must_use]
    pub fn warmths(&self) -> &'static [Warmth] {
        if self.asks_warmth() {
            Warmth::ALL
        } else {
            &[Warmth::NotSure]
        }
    }
}

/// What the guide suggested when an enquiry came in, by the treatments' keys: kept with the enquiry, so that a later change of
/// the guide changes nothing that was said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggested {
    /// The treatment; none where the client is to be helped to choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treatment: Option<TreatmentKey>,
    /// The one that is named beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<TreatmentKey>,
}

/// What to suggest to a client, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suggestion<'p> {
    /// The client was injured in the last 48 hours: rest and ice come before everything else.
    pub wait: bool,
    /// The treatment that the client asked for.
    pub named: Option<&'p Treatment>,
    /// The treatment that the guide suggests; none if the client is to be helped to choose.
    pub suggested: Option<&'p Treatment>,
    /// Why the guide suggests it, or why it makes no single suggestion.
    pub why: &'p str,
    also: Option<Alternative<'p>>,
    offered: &'p [Treatment],
}

/// A treatment that is named beside the first one, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alternative<'p> {
    /// The treatment.
    pub treatment: &'p Treatment,
    /// Why it is named.
    pub why: &'p str,
}

impl<'p> Suggestion<'p> {
    /// What is explained first: what the client asked for, or else what the guide suggests.
    #[must_use]
    pub fn first(&self) -> Option<&'p Treatment> {
        self.named.or(self.suggested)
    }

    /// What is offered beside the first: the guide's suggestion, if the client asked for another treatment; otherwise
    /// what the guide names beside its own suggestion.
    #[must_use]
    pub fn alternative(&self) -> Option<Alternative<'p>> {
        match (self.named, self.suggested) {
            (Some(named), Some(suggested)) if named != suggested => Some(Alternative {
                treatment: suggested,
                why: self.why,
            }),
            _ => self.also,
        }
    }

    /// Whether the client asked for another treatment than the guide suggests.
    #[must_use]
    pub fn differs(&self) -> bool {
        matches!((self.named, self.suggested), (Some(named), Some(suggested)) if named != suggested)
    }

    /// The treatments that are neither first nor the alternative, in the practice's order.
    #[must_use]
    pub fn others(&self) -> Vec<&'p Treatment> {
        let alternative = self.alternative().map(|alternative| alternative.treatment);
        self.offered
            .iter()
            .filter(|treatment| Some(*treatment) != self.first() && Some(*treatment) != alternative)
            .collect()
    }
}
