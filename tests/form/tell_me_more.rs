//! What stands behind "Tell me more (optional)", and when it is open. That it opens in a browser, is found by searching the page and is
//! printed, the browser tests see.

use enquiry_desk::enquiry::field::{Control, Required, Section};
use enquiry_desk::enquiry::{Field, fields};
use enquiry_desk::practice::{self, Practice};
use enquiry_desk::web::EnquiryForm;
use enquiry_desk::web::pages::FormPage;

use crate::support::practice_with_questions;

const CLOSED: &str = "<details class=\"card more\" id=\"more\">";
const OPEN: &str = "<details class=\"card more\" id=\"more\" open>";

/// The page for a form that was sent without the consent.
fn page(practice: &Practice, values: &[(Field, &str)]) -> String {
    let mut form = EnquiryForm::default();
    for (field, value) in values {
        form.put(*field, (*value).to_owned());
    }
    let checked = form.check(practice, jiff::Timestamp::UNIX_EPOCH);
    let errors = checked.enquiry.err().unwrap_or_default();
    let page = FormPage {
        practice,
        form: &form,
        errors: &errors,
        address: &checked.address,
        notice: None,
        action: "/enquiries",
        submission: String::new(),
        proof: false,
    };
    page.render().unwrap()
}

/// The fields of a piece of the page, in its order.
fn names(html: &str) -> Vec<&str> {
    let names = html
        .split("<input ")
        .skip(1)
        .flat_map(|it| it.split("<textarea "));
    let names = names.filter_map(|it| it.split(" name=\"").nth(1));
    let names = names.map(|it| it.split('"').next().unwrap());
    let mut names: Vec<&str> = names.collect();
    names.dedup();
    names
}

#[test]
fn the_page_asks_in_the_order_of_its_errors_and_nothing_that_is_required_is_folded_away() {
    for practice in [practice::compiled(), practice_with_questions()] {
        let html = page(practice, &[]);
        let form = html.split_once("<form").unwrap().1;
        let (before, rest) = form.split_once(CLOSED).unwrap();
        let (inside, after) = rest.split_once("</details>").unwrap();
        let shown = fields(practice).filter(|row| row.section != Section::Hidden);
        let shown: Vec<_> = shown.collect();
        let keys = |more: bool| {
            let rows = shown.iter().filter(|row| row.more == more);
            rows.map(|row| row.key).collect::<Vec<_>>()
        };
        assert_eq!(names(inside), keys(true));
        let outside = [&names(before)[..], &["consent"]].concat();
        assert_eq!(outside, keys(false));
        assert!(after.contains("name=\"consent\""));
        assert!(
            shown
                .iter()
                .all(|row| !row.more || row.required != Required::Yes)
        );
        // How to reach the client stands together.
        assert!(!inside.contains("name=\"phone\"") && !inside.contains("name=\"contact_by\""));
        // It says once for all of it that it is optional.
        assert_eq!(inside.matches("(optional)").count(), 1);
    }
}

#[test]
fn it_opens_for_an_answer_and_for_an_error_and_for_nothing_else() {
    let practice = practice_with_questions();
    let outside = [
        (Field::Name, "Zoë"),
        (Field::Email, "not an address"),
        (Field::Phone, "12"),
        (Field::ContactBy, "text"),
        (Field::Goal, "relax"),
        (Field::Message, "My back"),
        // "Help me choose" is what counts when nothing is chosen.
        (Field::Treatment, ""),
        (Field::Times, ""),
    ];
    assert!(page(practice, &outside).contains(CLOSED));
    let inside = fields(practice).filter(|row| row.more);
    for row in inside {
        let answer = match row.control {
            Control::Line { .. } | Control::Text { .. } => "Any day".to_owned(),
            _ => row.options(practice).pop().unwrap().key,
        };
        let html = page(practice, &[(row.field, &answer)]);
        assert!(html.contains(OPEN), "{}", row.key);
    }
    let long = "x".repeat(501);
    let html = page(practice, &[(Field::Times, &long)]);
    let (_, more) = html.split_once(OPEN).unwrap();
    assert!(html.contains("<a href=\"#times\">") && more.contains("id=\"times-error\""));
}

#[test]
fn a_practice_that_asks_nothing_more_has_no_part_that_opens() {
    let source = include_str!("../../practice.toml");
    let short = |keys: &str| {
        Practice::from_toml(&format!("{source}\n[form]\nleave_out = [{keys}]\n")).unwrap()
    };
    let optional = fields(practice::compiled()).filter(|row| row.more && row.field != Field::Times);
    let optional: Vec<String> = optional.map(|row| format!("{:?}", row.key)).collect();
    let optional = optional.join(", ");
    let all_but_times = short(&optional);
    let html = page(&all_but_times, &[]);
    let (_, more) = html.split_once(CLOSED).unwrap();
    // No heading without a question under it.
    assert_eq!(more.matches("<h2>").count(), 2, "{more}");
    assert!(more.contains("<h2>About your visit</h2>"));

    let nothing = short(&format!("{optional}, \"times\""));
    assert!(!page(&nothing, &[]).contains("<details"));
    // An older copy of the form still asked: what is wrong there has a place.
    let long = "x".repeat(501);
    assert!(page(&nothing, &[(Field::Times, &long)]).contains(OPEN));
}
