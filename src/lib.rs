//! polygist turns articles in any language into translations and summaries, with local transformer models.
pub mod arch;
pub mod cli;
pub mod error;
pub mod generate;
pub mod io;
pub mod kernel;
pub mod languages;
pub mod model;
pub mod nn;
pub mod pipeline;
pub mod report;
pub mod task;
pub mod text;
pub mod token;
pub mod types;
