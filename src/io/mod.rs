//! Everything that touches disk and network: articles in, results out, models.

pub mod articles;
pub mod catalog;
pub mod fetch;
pub mod journal;
pub mod layout;
pub mod store;
pub mod weights;
pub mod write;
