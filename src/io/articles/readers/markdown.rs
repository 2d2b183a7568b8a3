//! Markdown.

use super::super::decode::decode;
use super::super::reader::{Contents, Reader};
use crate::types::{Format, Markup};

pub(super) const READER: Reader =
    Reader::whole(Format::Markdown, &["md", "markdown"], begins_with_heading, |bytes, notes| {
        Ok(Contents::of_text(decode(bytes, notes)?, Markup::Markdown))
    });

fn begins_with_heading(head: &[u8]) -> bool {
    let marks = head.iter().take_while(|&&b| b == b'#').count();
    (1..=6).contains(&marks) && head.get(marks) == Some(&b' ')
}
