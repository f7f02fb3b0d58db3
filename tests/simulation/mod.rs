//! The simulator.

pub mod simulator;
