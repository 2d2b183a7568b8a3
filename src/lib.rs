//! polygist
pub mod arch;
pub mod error;
pub mod generate;
pub mod io;
pub mod kernel;
pub mod nn;
pub mod token;
pub mod types;
