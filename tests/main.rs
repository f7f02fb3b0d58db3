//! The one integration binary: a module for each concern.

mod local;
