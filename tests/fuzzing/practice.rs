//! The therapist's file: its errors have their lines, and a practice that is taken can write every page and every email.

use enquiry_desk::practice::Practice;
use enquiry_desk::web::pages::{ConfirmationPage, ErrorPage, FormPage, Notice};
use enquiry_desk::web::{CheckedAddress, EnquiryForm, RequestError};
use testing::samples::{ANSWERED, DESK, HEALTH, MINE, Samples};
use tokio::runtime::Runtime;

use super::{emails, markup};

pub(super) fn play(_: &Runtime, data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let practice = match Practice::from_toml(text) {
        Ok(practice) => practice,
        Err(errors) => {
            let lines = text.matches('\n').count() + 1;
            assert!(!errors.0.is_empty());
            for error in &errors.0 {
                assert!(
                    error.line.is_some_and(|line| (1..=lines).contains(&line)),
                    "{error}"
                );
                assert!(!error.message.is_empty(), "{error}");
            }
            return true;
        }
    };
    // As build.rs puts it into the binary, and as it is saved.
    let json = serde_json::to_string(&practice.written).unwrap();
    let again = enquiry_desk::practice::read(&json).unwrap();
    assert_eq!(format!("{again:?}"), format!("{practice:?}"));

    let links: Vec<String> = practice
        .social
        .iter()
        .map(|page| &page.link)
        .chain(&practice.website)
        .map(|link| escaped(link))
        .collect();
    let links: Vec<&str> = links.iter().map(String::as_str).collect();
    pages(&practice, &links);
    // The emails of the samples lead to the desk, too.
    let desk = [ANSWERED, DESK, HEALTH, MINE].map(escaped);
    let links: Vec<&str> = links
        .into_iter()
        .chain(desk.iter().map(String::as_str))
        .collect();
    for (received, away_until) in [
        ("2026-11-23T10:20:00Z", None),
        ("2026-12-24T23:59:59Z", Some("2027-01-04")),
        ("2028-02-28T23:30:00Z", Some("2028-02-29")),
    ] {
        let samples = Samples {
            practice: &practice,
            received_at: received.parse().unwrap(),
            away_until: away_until.map(|day| day.parse().unwrap()),
        };
        for sample in samples.every() {
            emails::check(&sample.mail, &links);
        }
    }
    true
}

fn pages(practice: &Practice, links: &[&str]) {
    let form = EnquiryForm::default();
    let errors = form
        .check(practice, jiff::Timestamp::UNIX_EPOCH)
        .enquiry
        .unwrap_err();
    let address = CheckedAddress::default();
    let page = |errors, notice| FormPage {
        practice,
        form: &form,
        errors,
        address: &address,
        notice,
        action: "/enquiries",
        submission: String::new(),
        proof: false,
    };
    let notice = Notice {
        title: RequestError::Unavailable.problem_type().title,
        message: RequestError::Unavailable.message(),
    };
    let refused = ErrorPage {
        practice,
        error: &RequestError::Unavailable,
    };
    let confirmed = ConfirmationPage {
        practice,
        reference: None,
    };
    for html in [
        page(&[], None).render(),
        page(&errors, None).render(),
        page(&[], Some(notice)).render(),
        page(&[], None).render_form(),
        refused.render(),
        confirmed.render(),
    ] {
        let html = html.unwrap();
        markup::check(&html, links).unwrap_or_else(|found| panic!("{found} in {html}"));
    }
}

/// As the templates escape it.
fn escaped(link: &str) -> String {
    link.replace('&', "&#38;")
        .replace('<', "&#60;")
        .replace('>', "&#62;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}
