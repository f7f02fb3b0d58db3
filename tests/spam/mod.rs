//! The spam score.

mod score;
