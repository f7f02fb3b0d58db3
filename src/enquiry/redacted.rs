//! Types for typed text that keep it out of logs: `Debug` shows the type and the length, never the value.

/// Makes a newtype over a checked `String`: transparent to serde, readable with `as_str`, silent in `Debug`.
///
/// Reading a stored item back does not check again: it was checked when it was accepted, and a rule that gets
/// stricter later must not make it unreadable.
macro_rules! redacted {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({} bytes)"), self.0.len())
            }
        }
    };
}

pub(crate) use redacted;
