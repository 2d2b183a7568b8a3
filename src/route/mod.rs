//! Which model translates which pair of languages, and why: a readable order of what a catalog
//! knows. Nothing is fetched or opened here.

mod languages;
mod order;
mod preferences;
mod speed;
mod way;

pub use languages::{served, serves, written};
pub use order::{Availability, Candidate, best};
pub use preferences::{LanguagePair, Preferences, Preset};
pub use speed::{REFERENCE_GOPS, words_per_second};
pub use way::{Step, Way, way};
