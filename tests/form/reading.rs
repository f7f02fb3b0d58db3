//! How easily the public pages read.

use enquiry_desk::enquiry::Reference;
use enquiry_desk::practice;
use enquiry_desk::web::pages::{
    ConfirmationPage, ErrorPage, FormPage, MinePage, NotShown, Notice, Step,
};
use enquiry_desk::web::{CheckedAddress, EnquiryForm, RequestError};

use crate::emails::readability;

/// What stands in the paragraphs and lists of a page's main part, each on a line of its own.
fn prose(html: &str) -> String {
    let main = html.split_once("<main").unwrap().1;
    let main = main.split_once("</main>").unwrap().0;
    let mut lines = Vec::new();
    for (start, end) in [("<p", "</p>"), ("<li", "</li>")] {
        for part in main.split(start).skip(1) {
            let text = part.split_once('>').unwrap().1;
            let text = text.split_once(end).map_or("", |(text, _)| text);
            let plain = text
                .split('<')
                .map(|it| it.split_once('>').map_or(it, |(_, it)| it));
            lines.push(plain.collect::<String>());
        }
    }
    lines.join("\n")
}

#[test]
fn every_public_page_reads_easily() {
    let practice = practice::compiled();
    let reference = Reference::parse("BB-7KQ4M").unwrap();
    let (form, address) = (EnquiryForm::default(), CheckedAddress::default());
    let form = |notice| FormPage {
        practice,
        form: &form,
        errors: &[],
        address: &address,
        notice,
        action: "/enquiries",
        submission: String::new(),
        proof: false,
    };
    let unavailable = Notice {
        title: RequestError::Unavailable.problem_type().title,
        message: RequestError::Unavailable.message(),
    };
    let mut pages = vec![
        form(None).render(),
        form(Some(unavailable)).render(),
        ConfirmationPage {
            practice,
            reference: Some(&reference),
        }
        .render(),
    ];
    // A browser sends neither another encoding nor JSON: those pages are for programmers.
    let of_people = RequestError::ALL.iter().filter(|error| {
        !matches!(
            error,
            RequestError::NotUtf8
                | RequestError::MalformedJson
                | RequestError::UnsupportedMediaType
                | RequestError::UnsupportedCharset
                | RequestError::Compressed
        )
    });
    pages.extend(of_people.map(|error| ErrorPage { practice, error }.render()));
    for (step, erased, disowned) in [
        (Step::Look, None, false),
        (Step::Look, Some("tomorrow, 9:40am"), false),
        (Step::Look, None, true),
        (Step::NotTicked, None, false),
        (Step::Disown, None, false),
    ] {
        let page = MinePage {
            practice,
            reference: &reference,
            signature: "",
            step,
            received: "yesterday, 9:20am".to_owned(),
            promised: "by 5pm on Monday".to_owned(),
            erased: erased.map(str::to_owned),
            disowned,
            complaints: ("desk@example.com", "mailto:desk@example.com".to_owned()),
        };
        pages.push(page.render());
    }
    pages.extend(NotShown::ALL.iter().map(|why| why.render(practice)));
    for page in pages {
        let prose = prose(&page.unwrap());
        assert!(!prose.is_empty());
        let ease = readability::ease(&prose);
        assert!(ease >= 60.0, "{ease:.0} for:\n{prose}");
    }
}
