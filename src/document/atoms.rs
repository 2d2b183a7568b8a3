//! What a paragraph is made of, as its source has it.

/// A part of a paragraph, as its source has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Atom {
    /// Text in a format, which only the format's own writer reads. What is `kept` is copied and
    /// not translated.
    Text {
        text: String,
        format: String,
        kept: bool,
    },
    /// The beginning and the end of a span. They are well nested.
    Open(String),
    Close(String),
    Point {
        xml: String,
        role: Role,
    },
}

/// What a point is to the text around it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Role {
    /// Nothing.
    Mark,
    /// It stands between words, as a line break does: a reader sees a space.
    Break,
    /// It begins or ends a range of a name. The end never comes first.
    Start(String),
    End(String),
}

/// Writes text in a format.
pub(super) type WriteText<'w> = &'w dyn Fn(&mut String, &str, &str);

impl Atom {
    /// A point without a meaning for the text.
    pub fn mark(xml: impl Into<String>) -> Atom {
        Atom::Point { xml: xml.into(), role: Role::Mark }
    }

    pub fn line_break(xml: impl Into<String>) -> Atom {
        Atom::Point { xml: xml.into(), role: Role::Break }
    }

    /// Its markup.
    pub fn write(&self, out: &mut String, write_text: WriteText) {
        match self {
            Atom::Text { text, format, .. } => write_text(out, format, text),
            Atom::Open(xml) | Atom::Close(xml) | Atom::Point { xml, .. } => out.push_str(xml),
        }
    }

    /// Whether it is text in which a reader sees nothing.
    pub fn is_blank(&self) -> bool {
        matches!(self, Atom::Text { text, .. } if text.trim().is_empty())
    }
}
