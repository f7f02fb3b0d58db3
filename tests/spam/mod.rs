//! The spam score.

mod score;
mod texts;
