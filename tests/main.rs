//! The one integration binary: a module for each concern.

mod letters;
mod practice;
mod reading;
