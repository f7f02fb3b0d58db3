//! A telephone number: kept as typed, and stored as E.164 beside it.

use std::fmt;

use rlibphonenumber::enums::Region;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use serde::{Deserialize, Serialize};

use super::fault::Why;
use super::field::PHONE_FORMAT;
use super::text;

/// A number that libphonenumber calls possible (a length that exists there; it need not be in use).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    typed: String,
    e164: String,
}

impl Phone {
    /// The longest typed number, in characters: E.164 has 15 digits, the rest is spaces and brackets.
    pub const MAX: usize = 40;

    /// Checks a typed number; a national number is taken to be British.
    ///
    /// # Errors
    /// When no telephone network has numbers like it.
    pub fn parse(typed: &str) -> Result<Self, Why> {
        let wrong = || Why::new("phone_format", PHONE_FORMAT);
        let typed = text::single_line(typed);
        if text::length(&typed) > Self::MAX
            || typed.contains(text::is_control)
            || digits(&typed) < 4
        {
            return Err(wrong());
        }
        let number = PHONE_NUMBER_UTIL
            .parse(&typed, Some(Region::GB))
            .map_err(|_| wrong())?;
        if !PHONE_NUMBER_UTIL.is_possible_number(&number) {
            return Err(wrong());
        }
        let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
        Ok(Self { typed, e164 })
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
}

/// libphonenumber reads letters as a keypad's digits, as in 0800 FLOWERS; words alone ("call me") are no number.
fn digits(typed: &str) -> usize {
    typed.chars().filter(|c| c.is_numeric()).count()
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({} octets)", self.typed.len())
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
    fn what_nobody_can_dial_is_refused() {
        for typed in [
            "12",
            "call me",
            "0770090098212345",
            "07700 900982\nx",
            "+999 123456",
            "ask for 12",
            "…",
        ] {
            assert_eq!(
                Phone::parse(typed).unwrap_err().code,
                "phone_format",
                "{typed}"
            );
        }
    }
}
