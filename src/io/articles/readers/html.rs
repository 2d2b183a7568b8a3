//! HTML.

use super::super::decode::decode_html;
use super::super::reader::{Contents, Reader};
use super::mail;
use crate::types::{Format, Markup};

pub(super) const READER: Reader = Reader {
    // Browsers used to save pages with their pictures under this name too.
    refine: |head| mail::is_mail(head).then_some(Format::Mail),
    ..Reader::whole(Format::Html, &["html", "htm", "xhtml"], is_page, |bytes, notes| {
        Ok(Contents::of_text(decode_html(bytes, notes)?, Markup::Html))
    })
};

/// Whether a page begins there.
pub(super) fn is_page(head: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&head[..head.len().min(1024)]).to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| start.starts_with(tag))
        || ((start.starts_with("<?xml") || start.starts_with("<!--")) && start.contains("<html"))
}
