//! Random identifiers in the shapes that AWS uses.

use jiff::Timestamp;

/// A random UUID.
pub(crate) fn uuid() -> String {
    uuid::Builder::from_random_bytes(random())
        .into_uuid()
        .to_string()
}

/// A message id as SES in London makes them.
pub(crate) fn message_id(now: Timestamp) -> String {
    format!("010b{:012x}-{}-000000", now.as_millisecond(), uuid())
}

/// `length` random hexadecimal digits, at most 32.
pub(crate) fn hex(length: usize) -> String {
    uuid()
        .chars()
        .filter(|character| *character != '-')
        .take(length)
        .collect()
}

/// True with this probability.
pub(crate) fn chance(probability: f64) -> bool {
    let [first, second, ..] = random();
    f64::from(u16::from_be_bytes([first, second])) < probability * 65_536.0
}

/// One of these, each as likely as the others.
pub(crate) fn one_of<T>(choices: &[T]) -> Option<&T> {
    let [first, second, ..] = random();
    let place = usize::from(u16::from_be_bytes([first, second])).checked_rem(choices.len())?;
    choices.get(place)
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    // The system's generator does not fail on the systems this runs on; zeros would only make ids repeat.
    let _ = getrandom::fill(&mut bytes);
    bytes
}
