//! A telephone number: kept as typed, and stored as E.164 beside it.

use std::fmt;
use std::sync::LazyLock;

use rlibphonenumber::enums::Region;
use rlibphonenumber::{
    PHONE_NUMBER_UTIL, PhoneMetadata, PhoneMetadataCollection, PhoneNumberDesc, PhoneNumberFormat,
    PhoneNumberUtil,
};
use serde::{Deserialize, Serialize};

use super::error::FieldError;
use crate::text;

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
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let wrong = || FieldError::PhoneFormat;
        let typed = text::single_line(typed);
        if text::length(&typed) > Self::MAX
            || typed.contains(text::is_control)
            || digits(&typed) < 4
        {
            return Err(wrong());
        }
        let e164 = british(&typed)
            .or_else(|| of_any_country(&typed))
            .ok_or_else(wrong)?;
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

/// The E.164 form of a possible British number: what nearly every client types.
fn british(typed: &str) -> Option<String> {
    let util = BRITISH.as_ref()?;
    let number = util.parse(typed, Some(Region::GB)).ok()?;
    let possible = number.country_code == 44 && util.is_possible_number(&number);
    possible.then(|| util.format(&number, PhoneNumberFormat::E164).into_owned())
}

/// The E.164 form of a possible number of any country.
fn of_any_country(typed: &str) -> Option<String> {
    let number = PHONE_NUMBER_UTIL.parse(typed, Some(Region::GB)).ok()?;
    let possible = PHONE_NUMBER_UTIL.is_possible_number(&number);
    possible.then(|| {
        PHONE_NUMBER_UTIL
            .format(&number, PhoneNumberFormat::E164)
            .into_owned()
    })
}

/// The rules of Great Britain alone. Reading those of all 254 territories takes longer and needs more memory than the
/// rest of a cold start together (`cargo bench --bench cold_start`), so only a number from elsewhere pays for them.
#[allow(
    deprecated,
    reason = "the fields are meant to be written here; what the crate warns of is reading them back"
)]
static BRITISH: LazyLock<Option<PhoneNumberUtil>> = LazyLock::new(|| {
    let great_britain = PhoneMetadata {
        id: "GB".to_owned(),
        country_code: Some(44),
        main_country_for_code: Some(true),
        international_prefix: Some("^(?:00)$".to_owned()),
        national_prefix: Some("0".to_owned()),
        national_prefix_for_parsing: Some("^(?:0|180020)$".to_owned()),
        preferred_extn_prefix: Some(" x".to_owned()),
        general_desc: Some(PhoneNumberDesc {
            national_number_pattern: Some("^(?:[1-357-9]\\d{9}|[18]\\d{8}|8\\d{6})$".to_owned()),
            possible_length: vec![7, 9, 10],
            possible_length_local_only: vec![4, 5, 6, 8],
            ..PhoneNumberDesc::default()
        }),
        ..PhoneMetadata::default()
    };
    PhoneNumberUtil::new_for_metadata(PhoneMetadataCollection {
        metadata: vec![great_britain],
    })
    .ok()
});

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({} bytes)", self.typed.len())
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
    fn what_cannot_be_dialled_is_refused() {
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
                Phone::parse(typed).unwrap_err().code(),
                "phone_format",
                "{typed}"
            );
        }
    }

    #[test]
    fn the_british_rules_say_what_the_rules_of_all_countries_say() {
        let written = [
            "", "0", "07", "+44", "0044 ", "44", "+44 (0)", "0044 0", "(0", "+", "00", "+1", "011",
            "180020",
        ];
        let mut random = 99_u64;
        let mut taken = 0;
        for round in 0..20_000_usize {
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
        assert!(taken > 5_000, "{taken} numbers were British");
    }
}
