//! What the journal holds of a record: what is needed to go on, in a size that does not grow.

use crate::types::{Lang, Record, Status};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;

/// First bytes of a SHA-256, by which a record is found: with millions of records there is one
/// chance in 10¹⁶ that two have the same.
pub(super) type Digest = [u8; 12];

/// A record that is meant: that of an article, for one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordId<'a> {
    /// The article's id.
    pub id: &'a str,
    /// The language wanted; none where each article is summarized in its own.
    pub target: Option<&'a Lang>,
}

/// A record that is there.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// How the article ended.
    pub status: Status,
    pub(super) line: &'a Line,
    pub(super) languages: Option<&'a Languages>,
}

impl<'a> Known<'a> {
    /// Whether it was made with this key: with the same bytes, models and settings.
    pub fn has_key(&self, key: &str) -> bool {
        self.line.key == digest(key)
    }

    /// Whether it was made of these bytes, by their SHA-256 in hex.
    pub fn has_bytes(&self, sha256: &str) -> bool {
        self.line.sha256 == digest(sha256)
    }

    /// Whether it has a translation, and the segments of it.
    pub fn translated(&self) -> Translated {
        self.line.told.translated
    }

    /// Whether a file was written for the article.
    pub fn has_output(&self) -> bool {
        self.line.told.output
    }

    /// Whether a translated document was written for it.
    pub fn has_document(&self) -> bool {
        self.line.told.document
    }

    /// The languages of the article, where they were found out.
    pub fn languages(&self) -> Option<&'a Languages> {
        self.languages
    }
}

/// A record's line, without its languages. There is one for each record of a job: every byte
/// counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    key: [u8; 8],
    /// Of the article's bytes, by the hash of their hash.
    sha256: [u8; 8],
    /// Where it begins in the file.
    pub offset: u64,
    /// Its bytes, with the line break.
    pub length: u32,
    pub told: Told,
}

/// What a line tells in few words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub status: Status,
    translated: Translated,
    /// Whether a file was written for it.
    output: bool,
    /// Whether a document was, beside that.
    document: bool,
}

/// Whether a record has a translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Translated {
    /// It has none.
    No,
    /// It has one, but not the segments of it.
    WithoutSegments,
    /// It has one with its segments.
    InSegments,
}

/// The languages of an article, as its record has them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Languages {
    /// That of the article.
    pub own: Lang,
    /// Those of passages, see [`Record::passages`].
    pub passages: Vec<Lang>,
}

/// The part of a record that is needed to go on.
#[derive(Deserialize)]
pub(super) struct Head<'a> {
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    #[serde(borrow)]
    key: Cow<'a, str>,
    status: Status,
    pub target: Option<Lang>,
    #[serde(borrow)]
    source: Option<HeadSource<'a>>,
    language: Option<HeadLanguage>,
    #[serde(default)]
    passages: Vec<Lang>,
    #[serde(borrow)]
    output: Option<Cow<'a, str>>,
    #[serde(borrow)]
    document: Option<Cow<'a, str>>,
    translation: Option<IgnoredAny>,
    segments: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct HeadSource<'a> {
    #[serde(borrow)]
    sha256: Cow<'a, str>,
}

#[derive(Deserialize)]
struct HeadLanguage {
    code: Lang,
}

impl Translated {
    fn of(translation: bool, segments: bool) -> Translated {
        match (translation, segments) {
            (false, _) => Translated::No,
            (true, false) => Translated::WithoutSegments,
            (true, true) => Translated::InSegments,
        }
    }
}

impl Head<'_> {
    /// The line of a record, and the article's languages, where they are known.
    pub fn into_line(self, offset: u64, length: u32) -> (Line, Option<Languages>) {
        let Head { key, status, source, language, passages, .. } = self;
        let line = Line {
            key: digest(&key),
            sha256: source.map(|source| digest(&source.sha256)).unwrap_or_default(),
            offset,
            length,
            told: Told {
                status,
                translated: Translated::of(self.translation.is_some(), self.segments.is_some()),
                output: self.output.is_some(),
                document: self.document.is_some(),
            },
        };
        (line, language.and_then(|language| Languages::known(language.code, passages)))
    }
}

impl Line {
    /// The line that a record was written as, and the article's languages.
    pub fn of(record: &Record, offset: u64, length: u32) -> (Line, Option<Languages>) {
        let line = Line {
            key: digest(&record.key),
            sha256: digest(&record.source.sha256),
            offset,
            length,
            told: Told {
                status: record.status,
                translated: Translated::of(record.translation.is_some(), record.segments.is_some()),
                output: record.output.is_some(),
                document: record.document.is_some(),
            },
        };
        (line, Languages::known(record.language.code.clone(), record.passages.clone()))
    }
}

impl Languages {
    fn known(own: Lang, passages: Vec<Lang>) -> Option<Languages> {
        (!own.is_und()).then_some(Languages { own, passages })
    }
}

impl<'a> RecordId<'a> {
    /// That of a record.
    pub fn of(record: &'a Record) -> RecordId<'a> {
        RecordId { id: &record.id, target: record.target.as_ref() }
    }

    pub(super) fn digest(&self) -> Digest {
        match self.target {
            None => digest(self.id),
            Some(target) => digest(&format!("{}\n{target}", self.id)),
        }
    }
}

/// The first bytes of a text's SHA-256.
fn digest<const N: usize>(text: &str) -> [u8; N] {
    let mut out = [0; N];
    out.iter_mut().zip(Sha256::digest(text)).for_each(|(to, from)| *to = from);
    out
}
