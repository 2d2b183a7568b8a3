//! The markup inside of a text: written again once the text is another.

mod markdown;

pub use markdown::markdown;
