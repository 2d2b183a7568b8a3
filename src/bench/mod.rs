//! How fast models are on this machine: articles through the whole pipeline, or models of
//! well-known shapes with random weights.
//!
//! Times are wall time of a monotonic clock. What is measured is what the other commands do: the
//! same engines, the same pipeline; only nothing is written. [`measure`](measure()) does it,
//! [`Report`] holds what came out, [`table()`] and [`page()`] put it into words.

mod baseline;
mod measure;
mod page;
mod peak;
mod random;
mod results;
mod shapes;
mod synthetic;
mod table;

pub use baseline::Baseline;
pub use measure::{Material, Plan, Progress, measure};
pub use page::page;
pub use peak::{Peak, available, peak, precision_name};
pub use results::{Machine, Measurement, Report, Score, Setting, Spread, Stages};
pub use shapes::{SHAPES, Shape};
pub use synthetic::{Sample, open, requests};
pub use table::table;
