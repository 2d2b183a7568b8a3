//! Articles in JSON: which of an object's fields hold the text and the title, and the texts that
//! editors keep as trees.

pub(crate) mod blocks;
pub(crate) mod escapes;
pub(crate) mod mend;
pub(crate) mod path;
pub(crate) mod search;
