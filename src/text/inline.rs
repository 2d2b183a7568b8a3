//! The markup inside of a text: put into a translation, and written again.

mod markdown;
mod notation;
mod place;
mod tree;
mod whole;
mod word_links;

pub use markdown::{CARES, careful_markdown, markdown};
pub use notation::written;
pub use place::place;
pub use whole::keep_divided;
pub use word_links::Link;
