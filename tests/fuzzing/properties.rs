//! Properties that hold for every text, not only for chosen examples: what is typed, cleaned, made canonical
//! and decoded. A case that once failed is kept in `tests/fuzzing/properties.regressions` and played first.

use enquiry_desk::enquiry::answers::{Area, Choice, ContactBy, QuestionKind};
use enquiry_desk::enquiry::{
    EmailAddress, Enquiry, Field, FormError, Message, Name, Phone, Reference, Times, fields,
};
use enquiry_desk::practice::{self, Question};
use enquiry_desk::text;
use enquiry_desk::web::EnquiryForm;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;
use serde_json::Value;

use super::desk::{Desk, PRACTICE, item, post};

/// What breaks careless programs: marks that compose, across what is dropped and what is trimmed; fillers, controls,
/// directions, joiners; emails that grow when they are normalised.
const NASTY: &str = "\u{301}\u{308}\u{323}\u{345}\u{3099}\u{200b}\u{feff}\u{34f}\u{200c}\u{200d}\u{202e}\u{2066}\u{ad}\u{e0041}\u{fe0f}\
    \r\n\t\0\u{7f}\u{85}\u{a0}\u{2028}\u{3000} \u{1100}\u{1161}\u{11a8}\u{ac00}\u{115f}\u{3164}\u{212b}\u{1e9b}\u{fb2c}\u{1d160}\u{390}\
    Aeo\u{ff0e}\u{3002}@.+-,;:&=%<>\"'0123";

fn config() -> ProptestConfig {
    let kept = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fuzzing/properties.regressions"
    );
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(kept))),
        ..ProptestConfig::default()
    }
}

/// Any text of up to so many characters.
fn typed(longest: usize) -> impl Strategy<Value = String> {
    let nasty: Vec<char> = NASTY.chars().collect();
    let email = prop_oneof![
        3 => select(nasty),
        2 => proptest::char::range('a', 'z'),
        1 => any::<char>(),
    ];
    vec(email, 0..=longest).prop_map(|emails| emails.into_iter().collect())
}

/// An address by the rule of browsers, often of Gmail, with dots and tags.
fn address() -> impl Strategy<Value = EmailAddress> {
    let domain = prop_oneof![
        2 => select(vec!["gmail.com", "googlemail.com", "GMAIL.com", "example.com", "example.co.uk", "bücher.example"])
            .prop_map(str::to_owned),
        1 => "[a-z0-9]{1,8}(-[a-z0-9]{1,4})?\\.[a-z]{2,6}",
    ];
    ("[A-Za-z0-9.+_'&/=~-]{1,12}", domain)
        .prop_map(|(local, domain)| EmailAddress::parse(&format!("{local}@{domain}")).unwrap())
}

/// Whose address it is, by the rules as they are written down, written independently of the product: lower case, nothing from
/// the first `+` on, and for Gmail's two names no dots. An address of which nothing is left stays as it is.
fn person(address: &EmailAddress) -> (String, String) {
    let local = address.local_part().to_ascii_lowercase();
    let is_gmail = ["gmail.com", "googlemail.com"].contains(&address.domain());
    let mut kept: String = local.chars().take_while(|c| *c != '+').collect();
    if is_gmail {
        kept.retain(|c| c != '.');
    }
    let domain = if is_gmail {
        "gmail.com"
    } else {
        address.domain()
    };
    (
        if kept.is_empty() { local } else { kept },
        domain.to_owned(),
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_cleaned_line_is_clean(typed in typed(60)) {
        let line = text::single_line(&typed);
        prop_assert_eq!(&text::single_line(&line), &line, "cleaned twice is cleaned once");
        prop_assert!(unicode_normalization::is_nfc(&line));
        prop_assert_eq!(&text::without(&line, text::is_invisible), &line);
        prop_assert_eq!(line.trim(), &line);
        // The most that NFC makes of anything (UAX #15, "Stream-Safe Text Format").
        prop_assert!(line.len() <= 3 * typed.len());
    }

    #[test]
    fn several_cleaned_lines_are_clean(typed in typed(60)) {
        let lines = text::several_lines(&typed);
        prop_assert_eq!(&text::several_lines(&lines), &lines, "cleaned twice is cleaned once");
        prop_assert!(unicode_normalization::is_nfc(&lines));
        prop_assert!(!lines.contains('\r'));
        prop_assert_eq!(lines.trim(), &lines);
        prop_assert!(lines.len() <= 3 * typed.len());
        let breaks = ['\r', '\n', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
        let (kept, were) = (lines.matches('\n').count(), typed.matches(breaks).count());
        prop_assert!(kept <= were);
    }

    #[test]
    fn a_name_is_read_back_as_it_is_stored(typed in typed(120)) {
        if let Ok(name) = Name::parse(&typed) {
            prop_assert!(text::has_something_visible(name.as_str()));
            prop_assert!(!name.as_str().contains(text::is_control));
            prop_assert!(text::length(name.as_str()) <= Name::MAX);
            prop_assert_eq!(Name::parse(name.as_str()), Ok(name));
        }
    }

    #[test]
    fn an_address_is_read_back_as_it_is_stored(typed in prop_oneof![
        typed(20),
        (typed(6), typed(10)).prop_map(|(local, domain)| format!("{local}@{domain}")),
        "[a-z.]{1,6}@[a-zß例ä。.-]{1,8}\\.[a-z]{2}",
    ]) {
        if let Ok(address) = EmailAddress::parse(&typed) {
            prop_assert!(address.as_str().is_ascii() && address.as_str().len() <= EmailAddress::MAX);
            prop_assert_eq!(format!("{}@{}", address.local_part(), address.domain()), address.as_str());
            prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address));
        }
    }

    #[test]
    fn what_was_probably_meant_is_an_address_and_no_further_question(typed in prop_oneof![
        typed(20),
        "[a-z.]{1,4} ?[@ ] ?(gmail|gmial|hotmail|yahoo|outlok|btinternet|example)[.,; ]{0,2}(com|con|co|uk|co,uk|cmo|vom)?",
    ]) {
        if let (_, Some(meant)) = EmailAddress::read(&typed) {
            prop_assert_eq!(EmailAddress::parse(meant.as_str()), Ok(meant.clone()));
            prop_assert_eq!(EmailAddress::read(meant.as_str()).1, None);
        }
    }

    #[test]
    fn an_address_has_one_canonical_form(address in address()) {
        let folded = EmailAddress::parse(&address.canonical());
        prop_assert!(folded.is_ok(), "{}", address.canonical());
        prop_assert_eq!(folded.unwrap().canonical(), address.canonical());
    }

    #[test]
    fn case_tag_and_gmails_dots_make_no_other_person(
        address in address(),
        tag in "[a-z0-9.+]{0,6}",
        capital in any::<u16>(),
        dot in any::<prop::sample::Index>(),
    ) {
        let (local, domain) = (address.local_part(), address.domain());
        let cased: String = local
            .chars()
            .enumerate()
            .map(|(index, c)| if capital >> (index % 16) & 1 == 1 { c.to_ascii_uppercase() } else { c })
            .collect();
        let same = |written: String| EmailAddress::parse(&written).unwrap().canonical();
        prop_assert_eq!(same(format!("{cased}@{domain}")), address.canonical());
        let before = local.split('+').next().unwrap();
        if before.chars().all(|c| c == '.') {
            return Ok(());
        }
        prop_assert_eq!(same(format!("{cased}+{tag}@{domain}")), address.canonical());
        if ["gmail.com", "googlemail.com"].contains(&domain) {
            let mut dotted = before.to_owned();
            dotted.insert(dot.index(before.len() + 1), '.');
            prop_assert_eq!(same(format!("{dotted}@gmail.com")), address.canonical());
            prop_assert_eq!(same(format!("{dotted}+{tag}@googlemail.com")), address.canonical());
        }
    }

    #[test]
    fn no_person_is_taken_for_another(one in address(), local in "[a-c.+]{1,4}", swap in any::<bool>()) {
        let near = if swap { one.domain().to_owned() } else { "gmail.com".to_owned() };
        let other = EmailAddress::parse(&format!("{local}@{near}")).unwrap();
        for (one, other) in [(&one, &other), (&one, &one)] {
            prop_assert_eq!(one.canonical() == other.canonical(), person(one) == person(other), "{} {}", one.as_str(), other.as_str());
        }
    }

    #[test]
    fn a_number_is_dialled_as_it_was_understood(typed in prop_oneof![
        typed(20),
        "(\\+|00|0|\\+44 ?\\(0\\) ?)?[1-9][0-9 ()/.-]{4,14}",
        "[ -~٠-٩０-９]{4,20}",
    ]) {
        if let Ok(phone) = Phone::parse(&typed) {
            let e164 = phone.e164();
            let digits = e164.strip_prefix('+').unwrap_or_default();
            prop_assert!(!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()), "{}", e164);
            prop_assert!(text::length(phone.typed()) <= Phone::MAX && !phone.typed().contains(text::is_control));
            let again = Phone::parse(phone.typed());
            prop_assert_eq!(again.as_ref(), Ok(&phone));
            let dialled = Phone::parse(e164);
            prop_assert_eq!(dialled.as_ref().map(Phone::e164), Ok(e164));
        }
    }

    #[test]
    fn a_reference_is_understood_however_it_is_written_down(
        prefix in "[A-Z]{2,4}",
        random in any::<[u8; Reference::LENGTH]>(),
        around in "[ \t\n]{0,3}",
    ) {
        let drawn = Reference::from_random(&prefix, random);
        let spoken = format!("{around}{}{around}", drawn.as_str().to_lowercase());
        prop_assert_eq!(Reference::parse(drawn.as_str()), Ok(drawn.clone()));
        prop_assert_eq!(Reference::parse(&spoken), Ok(drawn));
    }

    #[test]
    fn any_text_is_a_reference_or_is_not(typed in typed(14)) {
        if let Ok(reference) = Reference::parse(&typed) {
            prop_assert_eq!(Reference::parse(reference.as_str()), Ok(reference));
        }
    }

    #[test]
    fn a_form_is_taken_within_bounds_or_its_errors_are_in_its_order(posted in vec(field(), 0..24)) {
        let practice = &*PRACTICE;
        let order: Vec<Field> = fields(practice).map(|row| row.field).collect();
        let place = |field: &Field| order.iter().position(|it| it == field).unwrap_or(order.len());
        let mut form = EnquiryForm::default();
        for (field, value) in posted {
            form.put(field, value);
        }
        match form.check(practice, jiff::Timestamp::UNIX_EPOCH).enquiry {
            Ok(enquiry) => within_bounds(&enquiry)?,
            Err(errors) => {
                let fields: Vec<Field> = errors.iter().map(|error| error.field).collect();
                prop_assert!(!errors.is_empty() && fields.is_sorted_by_key(place), "{:?}", fields);
                for FormError { field, error } in &errors {
                    let known = field.row(practice).errors();
                    prop_assert!(known.iter().any(|known| known.code() == error.code()), "{:?}", error);
                }
            }
        }
    }
}

proptest! {
    // Each goes through the whole handler.
    #![proptest_config(ProptestConfig { cases: 100, ..config() })]

    #[test]
    fn a_posted_text_arrives_as_it_was_typed(name in typed(30), message in typed(80), plus in any::<bool>()) {
        let encoded = |text: &str| {
            let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            if plus { encoded.replace("%20", "+") } else { encoded }
        };
        let body = format!(
            "name={}&message={}&email=zoe%40example.com&goal=relax&consent=yes",
            encoded(&name),
            encoded(&message)
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let desk = Desk::new(&[], item());
        let answer = desk.handle(&runtime, post("application/x-www-form-urlencoded", body.as_bytes())).unwrap();
        match Name::parse(&name) {
            Ok(name) => {
                prop_assert_eq!(&answer["statusCode"], 201);
                let stored: Value = desk.seen().stored[0]["enquiry"]["M"].clone();
                prop_assert_eq!(&stored["name"]["S"], name.as_str());
                let kept = stored["message"]["S"].as_str().unwrap_or_default();
                prop_assert_eq!(kept, text::several_lines(&message));
            }
            Err(error) => {
                prop_assert_eq!(&answer["statusCode"], 422);
                prop_assert!(answer["body"].as_str().unwrap().contains(&*error.code()));
            }
        }
    }
}

/// A field with a value: often one that its question offers, sometimes anything.
fn field() -> impl Strategy<Value = (Field, String)> {
    let practice = &*PRACTICE;
    let own = practice.questions.iter().map(|it| Field::Own(it.key));
    let all: Vec<Field> = Field::ALL.iter().copied().chain(own).collect();
    select(all).prop_flat_map(move |field| {
        let offered: Vec<String> = match field {
            Field::Name => vec!["Zoë".to_owned()],
            Field::Email => vec!["zoe@example.com".to_owned(), "zoe@gmial.com".to_owned()],
            Field::EmailConfirmed => vec!["zoe@gmail.com".to_owned(), "zoe@gmial.com".to_owned()],
            Field::Phone => vec!["07700 900982".to_owned()],
            Field::Consent => vec!["yes".to_owned()],
            _ => {
                let options = field.row(practice).options(practice);
                let keys = options.into_iter().map(|option| option.key);
                keys.chain([String::new()]).collect()
            }
        };
        let value = prop_oneof![8 => select(offered), 1 => typed(40), 1 => typed(600)];
        (Just(field), value)
    })
}

fn within_bounds(enquiry: &Enquiry) -> Result<(), TestCaseError> {
    prop_assert!(text::length(enquiry.name.as_str()) <= Name::MAX);
    prop_assert!(!enquiry.name.as_str().contains(text::is_control));
    prop_assert!(enquiry.email.as_str().len() <= EmailAddress::MAX);
    prop_assert_eq!(
        EmailAddress::parse(enquiry.email.as_str()),
        Ok(enquiry.email.clone())
    );
    let by_phone = enquiry.contact_by != ContactBy::Email;
    prop_assert!(enquiry.phone.is_some() || !by_phone);
    prop_assert!(
        enquiry
            .times
            .as_ref()
            .is_none_or(|times| text::length(times.as_str()) <= Times::MAX)
    );
    prop_assert!(
        enquiry
            .message
            .as_ref()
            .is_none_or(|message| text::length(message.as_str()) <= Message::MAX)
    );
    let area = &enquiry.answers.area;
    prop_assert!(area.is_sorted() && area.len() <= Area::ALL.len());
    for own in &enquiry.own {
        let longest = PRACTICE.questions.iter().find(|it| it.key == own.key);
        let longest = match longest.map(|it| it.kind) {
            Some(QuestionKind::Line) => Question::LINE,
            _ => Question::TEXT,
        };
        prop_assert!(text::length(&own.text()) <= longest && !own.text().is_empty());
    }
    let treatment = enquiry.answers.treatment.as_ref();
    prop_assert!(
        treatment.is_none_or(|key| practice::compiled().treatment(key.as_str()).is_some())
    );
    Ok(())
}
