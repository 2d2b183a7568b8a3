//! Plain text: whatever is no other format.

use super::super::decode::decode;
use super::super::reader::{Contents, Reader};
use crate::types::{Format, Markup};

pub(super) const READER: Reader = Reader::whole(
    Format::Text,
    &["txt", "text"],
    |_| true,
    |bytes, notes| Ok(Contents::of_text(decode(bytes, notes)?, Markup::Plain)),
);
