//! E-mails, and web pages that browsers save in the same form (`.mht`).

use super::super::decode::decode_labelled;
use super::super::reader::{Contents, Reader};
use crate::text::marks;
use crate::types::{Format, Markup};
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType};

pub(super) const READER: Reader =
    Reader::whole(Format::Mail, &["eml", "mht", "mhtml"], is_mail, read);

/// Fields of which a mail has two or more.
const FIELDS: [&str; 9] = [
    "from",
    "to",
    "subject",
    "date",
    "mime-version",
    "content-type",
    "message-id",
    "received",
    "return-path",
];

/// Whether the head of a mail begins there: lines of fields, the usual ones among them.
pub(super) fn is_mail(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&head[..head.len().min(8 << 10)]);
    let mut known = 0;
    for (number, line) in head.lines().enumerate() {
        if line.is_empty() {
            break;
        }
        // A field goes on in lines that are indented; a mailbox begins with `From ` and an address.
        if line.starts_with([' ', '\t']) && number > 0 || line.starts_with("From ") && number == 0 {
            continue;
        }
        match line.split_once(':') {
            Some((name, _)) if name.bytes().all(|b| b.is_ascii_graphic()) => {
                known += usize::from(FIELDS.contains(&&*name.to_ascii_lowercase()));
            }
            _ => return false,
        }
    }
    known >= 2
}

fn read(bytes: Vec<u8>, notes: &mut Vec<String>) -> Result<Contents, String> {
    let message = MessageParser::default().parse(&bytes);
    let message = message.ok_or("expected an e-mail, found no fields of one")?;
    let mut contents = body(&message, notes)?;
    contents.title = message.subject().map(|s| s.trim().to_string()).filter(|s| !s.is_empty());
    let sender = message.from().and_then(|from| from.first());
    contents.set("author", sender.and_then(|a| a.name().or(a.address())).unwrap_or_default());
    contents.set("date", &message.date().map(|date| date.to_rfc3339()).unwrap_or_default());
    let place = message.header_raw("Snapshot-Content-Location");
    contents.set("url", place.or(message.header_raw("Content-Location")).unwrap_or_default());
    // The parts of a saved page are its pictures and scripts.
    let is_page = message.content_type().and_then(|c| c.subtype()) == Some("related");
    let attached: Vec<&str> = message
        .attachments()
        .filter(|part| part.content_disposition().is_none_or(|d| d.ctype() != "inline"))
        .map(|part| part.attachment_name().unwrap_or("one without a name"))
        .collect();
    if !attached.is_empty() && !is_page {
        notes.push(format!("has attachments, which were not read: {}", attached.join(", ")));
    }
    Ok(contents)
}

/// The text of a mail: the plain one of two, unless it only says that there is another.
fn body(message: &Message, notes: &mut Vec<String>) -> Result<Contents, String> {
    let part = |ids: &[u32], html: bool| {
        let mut parts = ids.iter().filter_map(|&id| message.parts.get(id as usize));
        parts.find(|part| match part.body {
            PartType::Html(_) => html,
            PartType::Text(_) => !html,
            _ => false,
        })
    };
    let html = part(&message.html_body, true);
    let plain = part(&message.text_body, false);
    let mut decoded = |part: &MessagePart, html: bool| {
        let label = part.content_type().and_then(|c| c.attribute("charset"));
        decode_labelled(raw(message, part), label, html, notes)
    };
    let html = html.map(|part| decoded(part, true)).transpose()?;
    let plain = plain.map(|part| decoded(part, false)).transpose()?;
    match (plain, html) {
        (Some(plain), Some(html)) if is_enough(&plain, &html) => {
            Ok(Contents::of_text(plain, Markup::Plain))
        }
        (_, Some(html)) => Ok(Contents::of_text(html, Markup::Html)),
        (Some(plain), None) => Ok(Contents::of_text(plain, Markup::Plain)),
        (None, None) => Err("is an e-mail without a text; its attachments are not read".into()),
    }
}

/// Whether a plain text has at least half of the words of its other form.
fn is_enough(plain: &str, html: &str) -> bool {
    plain.split_whitespace().count() * 2 > marks::words(html)
}

/// The bytes of a part as its author wrote them.
fn raw(message: &Message, part: &MessagePart) -> Vec<u8> {
    let place = part.offset_body as usize..part.offset_end as usize;
    let bytes = message.raw_message.get(place).unwrap_or_default();
    let decoded = match part.encoding {
        Encoding::None => None,
        Encoding::QuotedPrintable => quoted_printable_decode(bytes),
        Encoding::Base64 => base64_decode(bytes),
    };
    decoded.unwrap_or_else(|| match &part.body {
        // What cannot be decoded strictly the parser has read as well as it could.
        PartType::Text(text) | PartType::Html(text) if part.encoding != Encoding::None => {
            text.as_bytes().to_vec()
        }
        _ => bytes.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(mail: &[u8]) -> (Contents, Vec<String>) {
        let mut notes = Vec::new();
        (read(mail.to_vec(), &mut notes).unwrap(), notes)
    }

    #[test]
    fn a_mail_in_two_forms_with_an_attachment() {
        let mail = "From: =?utf-8?q?Ren=C3=A9?= <r@example.org>\r\nSubject: =?iso-8859-1?q?Le_pont_ferm=E9?=\r\n\
            Date: Mon, 3 Mar 2025 10:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
            --x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n\
            --y\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
            Le conseil a vot=E9 lundi, =\r\ndit le maire.\r\n\
            --y\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
            PHA+TGUgY29uc2VpbCBhIHZvdMOpIGx1bmRpLjwvcD4=\r\n--y--\r\n\
            --x\r\nContent-Type: application/pdf; name=plan.pdf\r\nContent-Disposition: attachment; filename=plan.pdf\r\n\r\n%PDF\r\n--x--\r\n";
        assert!(is_mail(mail.as_bytes()));
        let (found, notes) = told(mail.as_bytes());
        assert_eq!(found.title.as_deref(), Some("Le pont fermé"));
        assert_eq!(found.text.trim(), "Le conseil a voté lundi, dit le maire.");
        assert_eq!(found.extra["author"], "René");
        assert!(notes[0].contains("plan.pdf"), "{notes:?}");
        // A plain text that says nothing.
        let stub = mail.replace("Le conseil a vot=E9 lundi, =\r\ndit le maire.", "HTML.");
        let (found, _) = told(stub.as_bytes());
        assert_eq!(
            (found.text.trim(), found.markup),
            ("<p>Le conseil a voté lundi.</p>", Markup::Html)
        );
    }

    #[test]
    fn a_saved_page() {
        let page = b"From: <Saved by Blink>\nSnapshot-Content-Location: https://example.org/a\nSubject: Die Br=?utf-8?Q?=C3=BCcke?=\nMIME-Version: 1.0\n\
            Content-Type: multipart/related; type=\"text/html\"; boundary=\"--b\"\n\n----b\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\
            Content-Location: https://example.org/a\n\n<html><meta charset=3D\"windows-1252\"><p>Die Br=FCcke ist zu.</p></html>\n----b\nContent-Type: image/png\n\
            Content-Transfer-Encoding: base64\nContent-Location: https://example.org/p.png\n\niVBORw0KGgo=\n----b--\n";
        let (found, notes) = told(page);
        assert!(
            found.text.contains("<p>Die Brücke ist zu.</p>") && found.markup == Markup::Html,
            "{}",
            found.text
        );
        assert_eq!(found.extra["url"], "https://example.org/a");
        assert!(notes.is_empty(), "{notes:?}");
    }

    #[test]
    fn what_is_no_mail() {
        for text in [
            "Note: this is text.\n\nIt goes on.",
            "From: a\nBut then prose follows.\n",
            "Date: today\n\n",
        ] {
            assert!(!is_mail(text.as_bytes()), "{text}");
        }
    }
}
