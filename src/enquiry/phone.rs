//! A telephone number: kept as typed, and stored as E.164 beside it.

use std::fmt;

use rlibphonenumber::enums::{NumberLengthType, PhoneNumberType, Region};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use serde::{Deserialize, Serialize};

use super::error::FieldError;
use crate::text;

/// A number that libphonenumber calls possible in its full length (it need not be in use), and a remark beside it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    typed: String,
    e164: String,
}

impl Phone {
    /// The longest typed number, in characters: E.164 has 15 digits, the rest is spaces, brackets and a remark.
    pub const MAX: usize = 60;

    /// Checks a typed number; a national number is taken to be British. A remark may stand beside it: "07700 900982 (evenings)".
    /// Of two numbers the first is dialled.
    ///
    /// # Errors
    /// When no telephone network has numbers like it.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let typed = text::single_line(typed);
        if text::length(&typed) > Self::MAX || typed.contains(text::is_control) {
            return Err(FieldError::PhoneFormat);
        }
        match dialled(&typed) {
            Some(e164) => Ok(Self { typed, e164 }),
            None => Err(FieldError::PhoneFormat),
        }
    }

    /// The number as the client typed it.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// The number as networks dial it: `+447700900982`.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// Whether it may take text messages: not a landline, nor a number that businesses have.
    #[must_use]
    pub fn takes_texts(&self) -> bool {
        if let Some(national) = self.e164.strip_prefix("+44") {
            // 070 are personal numbers, 076 pagers; 07624 is the Isle of Man.
            return national.starts_with('7')
                && !national.starts_with("70")
                && (!national.starts_with("76") || national.starts_with("7624"));
        }
        let number = PHONE_NUMBER_UTIL.parse(&self.e164, None).ok();
        let kind = number.map(|number| PHONE_NUMBER_UTIL.get_number_type(&number));
        !matches!(
            kind,
            Some(
                PhoneNumberType::FixedLine
                    | PhoneNumberType::TollFree
                    | PhoneNumberType::PremiumRate
                    | PhoneNumberType::SharedCost
                    | PhoneNumberType::Pager
                    | PhoneNumberType::UAN
            )
        )
    }
}

/// The E.164 form of the first number in a text. Letters end a number and are never read as a keypad's digits, and what touches
/// a letter is none.
fn dialled(typed: &str) -> Option<String> {
    starts(typed).find_map(|start| dialled_from(typed, start))
}

/// Where a number may begin: at the first digit, and later where a 0 or a + stands by itself, as in "after 5: 07700 900982".
fn starts(typed: &str) -> impl Iterator<Item = usize> {
    let first = typed.find(|c: char| c.is_numeric() || c == '+');
    let apart = move |at: usize| {
        let before = typed.get(..at).unwrap_or_default();
        before.ends_with(|c: char| c.is_whitespace() || matches!(c, ':' | '('))
    };
    let later = typed.match_indices(['0', '+']).map(|(at, _)| at);
    let later = later.filter(move |at| Some(*at) > first && apart(*at));
    first.into_iter().chain(later)
}

fn dialled_from(typed: &str, start: usize) -> Option<String> {
    let (before, rest) = typed.split_at_checked(start)?;
    // "Mobile: 07700 900982", but "ping 127.0.0.1" is no number.
    let labelled = before.contains(char::is_alphanumeric);
    if before.ends_with(char::is_alphanumeric) || labelled && !rest.starts_with(['+', '0']) {
        return None;
    }
    let is_sign = |c: char| {
        c.is_numeric() || c.is_whitespace() || is_dash(c) || matches!(c, '(' | ')' | '.' | '/')
    };
    let run = rest.char_indices().skip(1).find(|(_, c)| !is_sign(*c));
    let run = run.map_or(rest.len(), |(end, _)| end);
    let remarks = rest.char_indices().filter(|(at, c)| {
        let after_a_space = || {
            rest.get(..*at)
                .is_some_and(|it| it.ends_with(char::is_whitespace))
        };
        let behind = rest.get(at + c.len_utf8()..).unwrap_or_default();
        let is_sign = matches!(c, '(' | '/') || is_dash(*c) && after_a_space();
        *at > 0 && (is_sign || c.is_whitespace() && (is_another(behind) || is_a_time(behind)))
    });
    let ends = remarks
        .map(|(at, _)| at)
        .filter(|at| *at < run)
        .chain([run]);
    let ends: Vec<usize> = ends.collect();
    ends.into_iter().rev().find_map(|end| {
        let (number, after) = rest.split_at_checked(end)?;
        if number.ends_with(char::is_numeric) && after.starts_with(char::is_alphabetic) {
            return None;
        }
        let digits = |c: &char| c.is_numeric() || *c == '+';
        let number: String = number.chars().filter(digits).collect();
        british(&number).or_else(|| of_any_country(&number))
    })
}

/// Whether another whole number follows.
fn is_another(behind: &str) -> bool {
    behind.starts_with(['0', '+']) && behind.chars().filter(|c| c.is_numeric()).count() >= 10
}

/// Whether a time follows: "9-5", "10am to 4pm".
fn is_a_time(behind: &str) -> bool {
    let after = behind.trim_start_matches(char::is_numeric);
    let hour = behind.len() - after.len();
    let after = after.trim_start();
    (1..=2).contains(&hour)
        && (after.starts_with(is_dash)
            || ["am", "pm", "to "]
                .iter()
                .any(|word| after.starts_with(word)))
}

/// Hyphens and dashes as keyboards and word processors have them.
const fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}')
}

/// The E.164 form of a British number of ten digits, which is what nearly every client types. The library says the same of them, but
/// compiles expressions and reads the rules of 254 territories first: more than the rest of a start takes.
fn british(typed: &str) -> Option<String> {
    let mut codes = ["+44", "0044"].iter();
    let national = match codes.find_map(|code| typed.strip_prefix(code)) {
        Some(national) => national.strip_prefix('0').unwrap_or(national),
        None => typed.strip_prefix('0')?,
    };
    let is_complete = national.len() == 10
        && national.bytes().all(|byte| byte.is_ascii_digit())
        && !national.starts_with(['0', '4', '6']);
    is_complete.then(|| format!("+44{national}"))
}

/// The E.164 form of a possible number of any country; a national one is taken to be British.
fn of_any_country(typed: &str) -> Option<String> {
    let util = &PHONE_NUMBER_UTIL;
    let number = util.parse(typed, Some(Region::GB)).ok()?;
    let possible = util.is_possible_number_with_reason(&number);
    let e164 = util.format(&number, PhoneNumberFormat::E164).into_owned();
    let dialled = possible == Ok(NumberLengthType::IsPossible) && has_all_digits(&e164);
    dialled.then_some(e164)
}

/// Ten digits after the 0, but for some that begin with 08: libphonenumber knows a few shorter ones, all of which are more
/// often a longer one with a digit left out.
fn has_all_digits(e164: &str) -> bool {
    let Some(national) = e164.strip_prefix("+44") else {
        return true;
    };
    !national.starts_with('0')
        && (national.len() == 10 || national.starts_with('8') && matches!(national.len(), 7 | 9))
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            concat!(stringify!(Phone), "({} bytes)"),
            self.typed.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_understood_as_people_type_them() {
        for (typed, e164) in [
            ("07700 900982", "+447700900982"),
            ("(01632) 960-001", "+441632960001"),
            ("+44 (0)7700 900 982", "+447700900982"),
            ("0044 7700 900982", "+447700900982"),
            ("+44 808 157 0192", "+448081570192"),
            ("+33 1 99 00 12 34", "+33199001234"),
            ("07700\u{a0}900\u{2011}982", "+447700900982"),
        ] {
            let phone = Phone::parse(typed).unwrap();
            assert_eq!(phone.e164(), e164, "{typed}");
        }
        assert_eq!(
            Phone::parse(" 07700 900 982 ").unwrap().typed(),
            "07700 900 982"
        );
    }

    #[test]
    fn a_remark_beside_the_number_is_kept_and_not_dialled() {
        for (typed, e164) in [
            ("07700 900982 (mobile)", "+447700900982"),
            ("07700 900982 (m)", "+447700900982"),
            ("07700 900982 - evenings only", "+447700900982"),
            ("07700 900982 – not before 10.30", "+447700900982"),
            ("07700 900982 - 10am to 4pm", "+447700900982"),
            ("07700 900982 evenings only", "+447700900982"),
            ("07700 900982, evenings", "+447700900982"),
            ("07700 900982. Not Mondays.", "+447700900982"),
            ("+447700900982 WhatsApp", "+447700900982"),
            ("WhatsApp +447700900982", "+447700900982"),
            ("Mobile: 07700 900982", "+447700900982"),
            ("(home) 01632 960001", "+441632960001"),
            ("07700 900982 or 01632 960001", "+447700900982"),
            ("07700 900982, 01632 960001", "+447700900982"),
            ("07700 900982 / 01632 960001", "+447700900982"),
            ("07700 900982 (01632 960001)", "+447700900982"),
            ("01632 960001 x12", "+441632960001"),
            ("01632 960001 ext. 12", "+441632960001"),
            ("07700\t900982", "+447700900982"),
            ("+49 30/1234567", "+49301234567"),
            ("٠٧٧٠٠ ٩٠٠٩٨٢", "+447700900982"),
            ("07700 900982 01632 960001", "+447700900982"),
            ("07700900982 07700900983", "+447700900982"),
            ("07700 900982 9-5", "+447700900982"),
            ("07700 900982 10am-4pm", "+447700900982"),
            ("07700 900982 9 to 5 only", "+447700900982"),
            ("after 5: 07700 900982", "+447700900982"),
            ("between 9 and 5 07700900982", "+447700900982"),
            ("1) 07700 900982", "+447700900982"),
            ("CM1 1AA 07700 900982", "+447700900982"),
        ] {
            let phone = Phone::parse(typed).unwrap_or_else(|_| panic!("{typed} is refused"));
            assert_eq!(phone.e164(), e164, "{typed}");
            assert_eq!(phone.typed(), typed.replace('\t', " "));
        }
    }

    #[test]
    fn what_cannot_be_dialled_is_refused() {
        for typed in [
            "12",
            "call me",
            "0770090098212345",
            "07700 900982\nx",
            "+999 123456",
            "ask for 12",
            "…",
            // Without the area's code, or none at all.
            "960001",
            "1234",
            "1111",
            "0000",
            "00000000000",
            "1234567",
            "+1 555 0100",
            // A digit short.
            "07700 90098",
            "0770090098",
            "07700 90 09",
            "020 7946 095",
            "01632 96000",
            "+44 7700 90098",
            // Letters are no keypad, and none of them a digit.
            "0800 FLOWERS",
            "0800FLOWERS",
            "07700 9OO982",
            "07700 90098O",
            "07700 9oo982 or 07700",
            "call me at 10 FLOWERS",
            // Numbers of another kind.
            "don't ring before 10.30",
            "ping 127.0.0.1",
            "ping 192.168.100.100",
            "see 2026-11-28 10:30",
            "07700 - 900982x",
            "07700 900982 04",
            "07700 90098 0098",
            "07700 90098 10am",
            "at 10:03 or 11:04",
        ] {
            assert_eq!(
                Phone::parse(typed).err(),
                Some(FieldError::PhoneFormat),
                "{typed}"
            );
        }
    }

    #[test]
    fn numbers_that_take_text_messages_are_told_from_those_that_do_not() {
        for (typed, takes_texts) in [
            ("07700 900982", true),
            ("07624 900982", true),
            ("01632 960001", false),
            ("020 7946 0958", false),
            ("0808 157 0192", false),
            ("0300 123 4567", false),
            ("07000 900982", false),
            ("07600 900982", false),
            ("+33 6 12 34 56 78", true),
            ("+33 1 99 00 12 34", false),
            ("+1 202 555 0123", true),
        ] {
            assert_eq!(
                Phone::parse(typed).unwrap().takes_texts(),
                takes_texts,
                "{typed}"
            );
        }
    }

    #[test]
    fn the_short_way_for_british_numbers_says_what_the_rules_of_all_countries_say() {
        let written = [
            "", "0", "07", "+44", "0044 ", "44", "+44 (0)", "0044 0", "(0", "+", "00", "+1", "011",
            "180020",
        ];
        let mut random = 99_u64;
        let mut taken = 0;
        for round in 0..60_000_usize {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let digits = format!("{:020}", random >> 1);
            let length = 2 + round / written.len() % 13;
            let typed = format!(
                "{}{}",
                written[round % written.len()],
                &digits[6..6 + length]
            );
            if let Some(e164) = british(&typed) {
                assert_eq!(of_any_country(&typed), Some(e164), "{typed}");
                taken += 1;
            }
        }
        assert!(taken > 1_000, "{taken} numbers were British");
    }
}
