//! The plain structs that pass between the stages. No stage's logic lives here.

mod alignment;
mod block;
mod digest;
mod glossary;
mod language;
mod marked;
mod memory;
mod removed;
mod segment;
mod table;

use crate::error::Error;
use serde::{Deserialize, Serialize};

pub use alignment::{AlignedToken, SegmentAlignment, TokenAlignment, places};
pub use block::{Aside, Block, BlockKind, Notation};
pub use digest::{Digest, Disagreement, Figure, Story, StorySentence, StorySource};
pub use glossary::{Glossary, GlossaryEntry, Term, Terms};
pub use language::{Detection, Lang};
pub use marked::{Inline, Inner, Marked, Tag, TagKind};
pub use memory::TranslationMemory;
pub use removed::{Removal, Removed};
pub use segment::{Origin, Place, SegmentRecord};
pub use table::{Cell, ColumnKind};

/// How a language model wants to be asked for a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prompting {
    /// A base model: by examples, then the text.
    FewShot,
    /// A model that was fine-tuned for the task, by an adapter for example: by the text alone.
    #[serde(alias = "taught")]
    FineTuned,
    /// An instruction model: in a conversation, as its chat template writes it.
    Chat,
}

/// File format of an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Plain text.
    Text,
    /// Markdown.
    Markdown,
    /// HTML.
    Html,
    /// One JSON object (or an array of them).
    Json,
    /// One JSON object a line.
    Jsonl,
    /// A feed or a news file in XML: RSS, Atom, RDF, NITF, NewsML-G2.
    Xml,
    /// An e-mail, or a page that is saved like one (`.mht`).
    Mail,
    /// Pages as a crawler keeps them, in a WARC file.
    Warc,
    /// Printed pages, in the Portable Document Format.
    Pdf,
    /// A document of a word processor in Office Open XML.
    Docx,
    /// A document of a word processor in OpenDocument.
    Odt,
    /// Slides in Office Open XML.
    Pptx,
    /// An e-book.
    Epub,
    /// Subtitles of SubRip.
    Srt,
    /// Subtitles of WebVTT.
    Vtt,
    /// A catalog of messages of gettext.
    Po,
    /// Segments for translators, in XLIFF.
    Xliff,
    /// A table of values that are separated by commas, semicolons, tabs or bars.
    Csv,
    /// A row of a table in CSV, of articles.
    Table,
    /// A row of a table in Parquet.
    Parquet,
    /// An archive of files; an article in one has the format of its file.
    Tar,
}

impl Format {
    /// The format of this name, as records have it.
    pub fn of_name(name: &str) -> Option<Format> {
        use serde::de::IntoDeserializer;
        let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
            name.into_deserializer();
        Format::deserialize(name).ok()
    }

    /// Whether a file of it is translated in place, with its layout; its markup says only to its
    /// own format what it stands for.
    pub fn is_document(self) -> bool {
        use Format::{Csv, Docx, Epub, Odt, Po, Pptx, Srt, Vtt, Xliff};
        matches!(self, Docx | Odt | Pptx | Epub | Srt | Vtt | Po | Xliff | Csv)
    }
}

/// The markup in an article's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// None.
    Plain,
    /// Markdown.
    Markdown,
    /// HTML: a page, of which the article is a part.
    Html,
    /// HTML of the article alone, without a page around it.
    Fragment,
    /// Lines of printed pages with their places, as `pdftotext -bbox-layout` writes them.
    Pages,
    /// Not said: HTML where it looks like that, else none.
    Undeclared,
}

/// Where an article came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Path as given and found below it, with `/`; `<stdin>` for standard input.
    pub path: String,
    /// Format of the file.
    pub format: Format,
    /// Size of the article's raw bytes.
    pub bytes: u64,
    /// SHA-256 of those bytes, in hex.
    pub sha256: String,
    /// What was missing or broken in the file, and read as well as it could be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One article as it was read: decoded, not yet cleaned.
#[derive(Clone, Debug, PartialEq)]
pub struct RawArticle {
    /// Unique within a run: the path below the input folder, with `#n` or the JSON `id` for files
    /// that hold several.
    pub id: String,
    /// Where it came from.
    pub source: Source,
    /// Title, where the format has a field for it (JSON).
    pub title: Option<String>,
    /// Decoded text: the file's whole text, or the text field of a JSON object.
    pub text: String,
    /// The markup of the text.
    pub markup: Markup,
    /// The blocks of a document whose format has them (an office document, subtitles); nothing of
    /// them is looked for in the text then.
    pub blocks: Option<Vec<Block>>,
    /// Fields of a JSON object that polygist does not use; passed on to the record.
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// An article that could not be read: what a record of it needs.
#[derive(Debug)]
pub struct ReadFailure {
    /// The id that the article would have.
    pub id: String,
    /// Where it is, as far as that is known.
    pub source: Source,
    /// Why it could not be read.
    pub error: Error,
}

/// An article after extraction and cleaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Article {
    /// See [`RawArticle::id`].
    pub id: String,
    /// Where it came from.
    pub source: Source,
    /// Title, from a field, a heading, or the page; in `blocks` it is where the format keeps its
    /// place, see [`Block::is_title`].
    pub title: Option<String>,
    /// The body in order.
    pub blocks: Vec<Block>,
    /// What of the source is no part of it, by reason.
    pub removed: Vec<Removed>,
    /// The fields of [`RawArticle::extra`], and what a page says about itself: `author`,
    /// `published`, `site`, `language`, `url`.
    pub extra: serde_json::Map<String, serde_json::Value>,
}

impl Article {
    /// The body as text, laid out as in the source.
    pub fn text(&self) -> String {
        self.blocks.iter().map(|b| format!("{}{}{}", b.prefix, b.written(), b.suffix)).collect()
    }
}

/// One sentence of a block and the space after it; a block's text is the concatenation of all of
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// The sentence without surrounding white space.
    pub text: String,
    /// White space after it, as it was (empty in scripts without spaces).
    pub gap: String,
}

/// The result for one article: one line of `results.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// See [`RawArticle::id`].
    pub id: String,
    /// Hash of input, models and parameters: equal keys have equal results.
    pub key: String,
    /// The language that was asked for; none where each article is summarized in its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Lang>,
    /// Where the article came from.
    pub source: Source,
    /// Its language.
    pub language: Detection,
    /// Other languages that passages of it are in, the one that it is translated into apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passages: Vec<Lang>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<TitleRecord>,
    /// Its translation, when asked for and the article is not in that language already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub translation: Option<TranslationRecord>,
    /// The segments of its translation, in order, unless they are not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<Vec<SegmentRecord>>,
    /// Its summary, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<SummaryRecord>,
    /// What the checks found.
    pub checks: Checks,
    /// Counts and times.
    pub stats: Stats,
    /// Whether it worked.
    pub status: Status,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorRecord>,
    /// Path of the written file, below the output folder, with `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// The same of the translated document, where the source is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// What of the source was left out before translation, by reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<Removed>,
    /// The start of what was read of an article that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// The source article's own unknown fields (JSON inputs), or what its page says about itself.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// Title before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TitleRecord {
    /// As in the article.
    pub source: String,
    /// Translated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub translation: Option<String>,
}

/// A translated article.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TranslationRecord {
    /// Target language.
    pub language: Lang,
    /// The body, laid out as the source.
    pub text: String,
    /// Model id.
    pub model: String,
    /// Languages that the text went through: `["ru", "en", "de"]`.
    pub route: Vec<Lang>,
    /// The model of each step and why it was chosen, where that was left to the program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepRecord>,
    /// Which source tokens each written token comes from, where that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alignments: Vec<SegmentAlignment>,
    /// The terms of a glossary, and what was to be kept, where they occur: whether the translation
    /// has them.
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    pub terms: Terms,
    /// The translated blocks of the body, those apart that are copied, in their order and with
    /// their markup: what a document is written from.
    #[serde(skip)]
    pub blocks: Vec<Marked>,
}

/// The model of one step of a translation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Model id.
    pub model: String,
    /// Why it was chosen.
    pub why: String,
}

/// A summary, sentence by sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummaryRecord {
    /// Its language.
    pub language: Lang,
    /// The whole summary.
    pub text: String,
    /// Its sentences.
    pub sentences: Vec<SummarySentence>,
    /// How it was made.
    pub method: SummaryMethod,
    /// Id of the model that wrote; absent when all sentences are the article's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What told which sentences say the most: the id of an encoder of sentences, or
    /// [`SummaryRecord::BY_WORDS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranked_by: Option<String>,
    /// How much of the article it speaks of: how many of its sentences come from the first quarter
    /// of the article, the second, the third and the last. A sentence out of several counts in the
    /// quarter of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarters: Option<[usize; 4]>,
}

impl SummaryRecord {
    /// Stands in [`SummaryRecord::ranked_by`] where the article's words decided.
    pub const BY_WORDS: &str = "words";
}

/// One sentence of a summary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummarySentence {
    /// The sentence.
    pub text: String,
    /// 0-based numbers of the segments that support it: the title if there is one, then the body's
    /// sentences.
    pub support: Vec<usize>,
    /// Who wrote it.
    pub origin: SummaryMethod,
}

/// How a summary or one of its sentences was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SummaryMethod {
    /// Written by a model and checked.
    Abstractive,
    /// Sentences of the source.
    Extractive,
    /// Both.
    Mixed,
}

/// What the checks found. Everything zero and empty means: nothing to complain of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checks {
    /// Segments (sentences) that were translated.
    pub segments: usize,
    /// Segments that a check sent back and a second way repaired.
    pub retried: usize,
    /// How far the model trusts its translation: the mean confidence of those segments that it was
    /// asked about, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
    /// Segments that are still bad, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flagged: Vec<Flag>,
    /// Numbers of those in whose place the source stands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub untranslated: Vec<usize>,
    /// Texts that stay in the source's language, since they stand in markup that is not taken
    /// apart: a message of a program in a sentence, the caption of a shortcode.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
    /// Summary sentences of the model that were replaced or dropped, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<Flag>,
}

/// One complaint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flag {
    /// What is wrong.
    pub problem: Problem,
    /// 0-based number of the segment: the title if there is one, then the body's sentences.
    pub segment: usize,
    /// The text complained of; the source, where it stands in the place of a bad translation.
    pub text: String,
}

/// What can be wrong with generated text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// Nothing was written.
    Empty,
    /// Words or phrases repeat in a loop.
    Repetition,
    /// The source came back untranslated.
    Copy,
    /// Not in the target language.
    WrongLanguage,
    /// Much too short for its source.
    TooShort,
    /// Much too long for its source.
    TooLong,
    /// Cut off at the length limit.
    CutOff,
    /// A number that the source does not have, or one of the source that is missing.
    Number,
    /// A number has another unit: gallons for litres.
    Unit,
    /// An amount is in another currency.
    Currency,
    /// Another weekday, month, half of the day or time zone.
    Date,
    /// A name that the source does not have: of a translation, in the place of one that it has.
    Name,
    /// An URL, address, code or placeholder of the source is missing.
    Protected,
    /// No sentence of the source supports it.
    Unsupported,
    /// It denies what the source affirms, or affirms what it denies, and so does what another model
    /// reads back from it.
    Negation,
    /// The model itself holds it for unlikely, or its source when it reads it back.
    Doubtful,
}

impl Problem {
    /// Its name, as records have it.
    pub(crate) fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            _ => String::new(),
        }
    }
}

/// Counts and times of one article.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// Tokens of the title and the sentences, as the model that reads them first divides them.
    pub source_tokens: usize,
    /// Those of `source_tokens` that were read: all of them but the tokens that a model, by its
    /// own count ([`crate::generate::Output::prompt_tokens`]), left out of a text that it was given
    /// to translate or to summarize.
    pub read_tokens: usize,
    /// Tokens written by models.
    pub output_tokens: usize,
    /// Whether a model left anything out: `read_tokens < source_tokens`.
    pub truncated: bool,
    /// Seconds of work, as far as they can be told apart in a batch.
    pub seconds: f64,
}

/// Whether an article worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Done.
    Ok,
    /// Failed; see the error.
    Failed,
}

/// An error in a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// [`crate::error::Error::kind`].
    pub kind: String,
    /// The message.
    pub message: String,
}
