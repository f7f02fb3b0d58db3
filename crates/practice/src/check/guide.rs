//! The guide: which treatment to suggest for which answers.

use super::{At, Check, answer};
use crate::choices::{BuiltIn, Choice, Goal, Warmth};
use crate::content::GuideRow;
use crate::messages::error::{self, guide as words};
use crate::{Treatment, TreatmentKey, raw};

/// Each pair of goal and warmth in exactly one row; without a warm treatment, each goal. Of a question that the form leaves out, only
/// "not-sure" has to be there: that is what a missing answer counts as.
pub(super) fn guide(
    blocks: &[raw::Guide],
    treatments: &[Treatment],
    left_out: &[BuiltIn],
    at: &At<'_>,
) -> Vec<GuideRow> {
    let asks_warmth = treatments.iter().any(|treatment| treatment.warm);
    let asked = if asks_warmth {
        Warmth::ALL
    } else {
        &[Warmth::NotSure]
    };
    let pair = |goal: Goal, warmth: Warmth| {
        if asks_warmth {
            words::pair(goal.key(), warmth.key())
        } else {
            words::goal(goal.key())
        }
    };
    let covers = |row: &GuideRow, goal, warmth| row.goal == goal && row.warmth.contains(&warmth);
    let mut rows: Vec<GuideRow> = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let at = at.item(index);
        at.field("warmth")
            .expect(asks_warmth || block.warmth.is_none(), words::WARMTH);
        let Some(row) = guide_row(block, asks_warmth, treatments, &at) else {
            continue;
        };
        for warmth in asked.iter().filter(|warmth| row.warmth.contains(warmth)) {
            at.field("goal").expect(
                !rows.iter().any(|above| covers(above, row.goal, *warmth)),
                words::again(pair(row.goal, *warmth)),
            );
        }
        rows.push(row);
    }
    // The pairs of a block that could not be read would seem to be missing.
    let goals = needed(BuiltIn::Goal, Goal::ALL, &[Goal::NotSure], left_out);
    let warmths = needed(BuiltIn::Warmth, asked, &[Warmth::NotSure], left_out);
    for goal in goals.iter().filter(|_| rows.len() == blocks.len()) {
        for warmth in warmths {
            at.expect(
                rows.iter().any(|row| covers(row, *goal, *warmth)),
                words::missing(pair(*goal, *warmth)),
            );
        }
    }
    rows
}

fn needed<'a, C>(
    question: BuiltIn,
    asked: &'a [C],
    missing: &'a [C],
    left_out: &[BuiltIn],
) -> &'a [C] {
    if left_out.contains(&question) {
        missing
    } else {
        asked
    }
}

/// A block of the guide; none where its goal or its warmth cannot be read.
fn guide_row(
    block: &raw::Guide,
    asks_warmth: bool,
    treatments: &[Treatment],
    at: &At<'_>,
) -> Option<GuideRow> {
    let suggest = listed(block.suggest.as_ref(), treatments, &at.field("suggest"));
    let also = listed(block.also.as_ref(), treatments, &at.field("also"));
    at.field("also").expect(
        block.also.is_none() || block.suggest.is_some(),
        words::ALSO_ALONE,
    );
    at.field("also")
        .expect(also.is_none() || also != suggest, words::ALSO_SAME);
    at.field("also_why").expect(
        block.also.is_some() == block.also_why.is_some(),
        words::ALSO_WHY,
    );
    let why = block.why.check(&at.field("why"));
    let also_why = block.also_why.check(&at.field("also_why"));
    let goal = answer(&block.goal, &at.field("goal"));
    let warmth = match &block.warmth {
        Some(answers) if asks_warmth => some_of(&answers.0, &at.field("warmth")),
        _ => Some(Warmth::ALL.to_vec()),
    };
    Some(GuideRow {
        goal: goal?,
        warmth: warmth?,
        suggest,
        why,
        also,
        also_why,
    })
}

fn some_of<C: Choice>(texts: &[String], at: &At<'_>) -> Option<Vec<C>> {
    at.expect(!texts.is_empty(), words::NO_WARMTH);
    let mut answers = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let at = at.item(index);
        let answer = answer(text, &at)?;
        at.expect(!answers.contains(&answer), error::twice(text));
        answers.push(answer);
    }
    Some(answers).filter(|answers| !answers.is_empty())
}

/// The key of a treatment that is offered. Without any treatment, that is the error to report.
fn listed(
    named: Option<&raw::Line>,
    treatments: &[Treatment],
    at: &At<'_>,
) -> Option<TreatmentKey> {
    let named = named?.check(at);
    let keys = treatments.iter().map(|treatment| &treatment.key);
    let found = keys.clone().find(|key| key.as_str() == named);
    let known: Vec<_> = keys.map(TreatmentKey::as_str).collect();
    at.expect(
        found.is_some() || named.is_empty() || known.is_empty(),
        error::treatment::not_listed(known.join(", "), &named),
    );
    found.cloned()
}
