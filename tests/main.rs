//! The one integration binary: a module for each concern.

mod pages;
mod practice;
mod reading;
mod road;
mod support;
