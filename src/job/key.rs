//! The key of a record: everything that changes an article's result, named, so that a job knows
//! what is done and what is to be done again.

use crate::generate::DecodingOverrides;
use crate::io::articles::ReadOptions;
use crate::io::fetch::ResolvedModel;
use crate::io::sha256_hex;
use crate::model_store::{Choice, ResolvedModels};
use crate::pipeline::{Job, OnBad};
use crate::task::summarize::{Length, Style};
use crate::task::{summarize, translate};
use crate::types::Lang;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// Version of the key's form. Another form makes every article of every job new: raise it only
/// where the old form would call different results the same.
const VERSION: u32 = 1;

/// What the result of an article depends on, the article itself apart. Its JSON is hashed with the
/// article's bytes; the names in it are promises, whatever the fields of other structs are called.
#[derive(Clone, Debug, Serialize)]
pub(super) struct JobKey {
    key_version: u32,
    /// Version of the program: another one may translate, summarize or check otherwise.
    program: String,
    text_field: Option<String>,
    title_field: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    columns: Vec<String>,
    /// Fingerprints of the models' files.
    translators: Vec<String>,
    /// Those of the models that read translations back, where others than the translators do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    readers: Vec<String>,
    /// Those of the models that are chosen for passages in other languages than the article's, by
    /// these languages; none where no model translates one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    passages: Vec<(Lang, Vec<String>)>,
    summarizer: Option<String>,
    /// That of the encoder that ranks sentences; without one their words do.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoder: Option<String>,
    device: String,
    precision: &'static str,
    from: Option<Lang>,
    to: Option<Lang>,
    translation: Option<TranslationKey>,
    summary: Option<SummaryKey>,
    strict: bool,
    /// Hashes of the translation memories that stand for the models, if any do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    memories: Vec<String>,
}

/// What a translation depends on. It is there for summaries in another language, too.
#[derive(Clone, Debug, Serialize)]
struct TranslationKey {
    wanted: bool,
    seed: u64,
    align: bool,
    on_bad: &'static str,
    #[serde(serialize_with = "only_what_is_set")]
    decoding: DecodingOverrides,
    /// SHA-256 of the glossary and of what is kept, in hex; a job without them has the key that it
    /// has always had.
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<String>,
    /// What chat models are told, where the user says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    instruction: Option<String>,
    /// How many sentences before each of them they read, where they read any.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<usize>,
}

/// What a summary depends on.
#[derive(Clone, Debug, Serialize)]
struct SummaryKey {
    length: String,
    style: &'static str,
    seed: u64,
    #[serde(serialize_with = "only_what_is_set")]
    decoding: DecodingOverrides,
}

impl JobKey {
    /// Of a job with its models, in a precision on a device of that name. Where the models are
    /// chosen for each article, see [`JobKey::with_translators`].
    pub(super) fn new(
        job: &Job,
        models: &ResolvedModels,
        reading: &ReadOptions,
        (device, precision): (&str, &'static str),
        strict: bool,
    ) -> JobKey {
        JobKey {
            key_version: VERSION,
            program: env!("CARGO_PKG_VERSION").into(),
            text_field: reading.text_field.clone(),
            title_field: reading.title_field.clone(),
            columns: reading.columns.clone(),
            translators: fingerprints(&models.translators),
            readers: Vec::new(),
            passages: Vec::new(),
            summarizer: models.summarizer.as_ref().map(|m| m.fingerprint.clone()),
            encoder: models.encoder.as_ref().map(|m| m.fingerprint.clone()),
            device: device.into(),
            precision,
            from: job.from.clone(),
            to: job.to.clone(),
            translation: job.to.is_some().then(|| translation(job, &models.translators)),
            summary: job.summary.as_ref().map(summary),
            strict,
            memories: Vec::new(),
        }
    }

    /// The key of a job that these translation memories have a part in, by the SHA-256 of each.
    pub(super) fn with_memories(self, memories: Vec<String>) -> JobKey {
        JobKey { memories, ..self }
    }

    /// The key of an article that these models translate, one after the other, and its passages in
    /// other languages the models beside these: another language in the same folder changes nothing
    /// of it.
    pub(super) fn with_translators(
        &self,
        job: &Job,
        choice: Option<&Choice>,
        passages: &[(Lang, Option<Arc<Choice>>)],
    ) -> JobKey {
        let models = choice.map(Choice::models).unwrap_or_default();
        let of_passage = |(language, choice): &(Lang, Option<Arc<Choice>>)| {
            let choice = choice.as_deref();
            let mut used = choice.map_or_else(Vec::new, |c| fingerprints(&c.models()));
            used.extend(choice.map(Choice::readers).unwrap_or_default());
            (language.clone(), used)
        };
        JobKey {
            passages: passages.iter().map(of_passage).collect(),
            translators: fingerprints(&models),
            readers: choice.map(Choice::readers).unwrap_or_default(),
            translation: job.to.is_some().then(|| translation(job, &models)),
            ..self.clone()
        }
    }

    /// All that is in it, by name.
    pub(super) fn to_json(&self) -> serde_json::Value {
        // Strings, numbers and switches alone: this cannot fail.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The key of an article whose bytes have this SHA-256, in hex.
    pub(super) fn of(&self, sha256: &str) -> String {
        // Strings, numbers and switches alone: this cannot fail.
        let settings = serde_json::to_string(self).unwrap_or_default();
        sha256_hex(format!("{sha256}\n{settings}").as_bytes())
    }
}

fn fingerprints(models: &[ResolvedModel]) -> Vec<String> {
    models.iter().map(|model| model.fingerprint.clone()).collect()
}

/// A new decoding option changes no key of a job that does not use it.
fn only_what_is_set<S: Serializer>(
    decoding: &DecodingOverrides,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut fields = serde_json::to_value(decoding).map_err(S::Error::custom)?;
    if let Some(fields) = fields.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    fields.serialize(serializer)
}

fn translation(job: &Job, models: &[ResolvedModel]) -> TranslationKey {
    let translate::Settings { seed, decoding, align, ref terms, ref instruction, context } =
        job.translating;
    let on_bad = match job.on_bad {
        Some(OnBad::Keep) => "keep",
        Some(OnBad::Source) => "source",
        // What the models decide is told by their fingerprints; the word tells results of today
        // from those of a program that kept everything.
        None if models.iter().any(ResolvedModel::is_shown_examples) => "source",
        None => "keep",
    };
    let terms = terms.as_ref().map(|terms| {
        // Strings and switches alone: this cannot fail.
        sha256_hex(serde_json::to_string(&terms.parts()).unwrap_or_default().as_bytes())
    });
    let instruction = instruction.as_ref().map(|own| own.as_str().to_owned());
    let context = Some(context).filter(|&number| number > 0);
    let wanted = job.translate;
    TranslationKey { wanted, seed, align, on_bad, decoding, terms, instruction, context }
}

fn summary(settings: &summarize::Settings) -> SummaryKey {
    let summarize::Settings { length, style, decoding, seed } = *settings;
    let length = match length {
        Length::Short => "short".into(),
        Length::Medium => "medium".into(),
        Length::Long => "long".into(),
        Length::Words(n) => format!("{n}w"),
        Length::Sentences(n) => format!("{n}s"),
        Length::Share(percent) => format!("{percent}%"),
    };
    let style = match style {
        Style::Paragraph => "paragraph",
        Style::Bullets => "bullets",
        Style::Line => "line",
        Style::Headline => "headline",
    };
    SummaryKey { length, style, seed, decoding }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::terms::TermIndex;
    use crate::types::{Glossary, GlossaryEntry};

    fn key(job: &Job) -> JobKey {
        let models = ResolvedModels::default();
        let reading = ReadOptions { text_field: Some("body".into()), ..ReadOptions::default() };
        let mut key = JobKey::new(job, &models, &reading, ("cpu", "int8"), false);
        key.program = "1.2.3".into();
        key
    }

    fn job() -> Job {
        let decoding = DecodingOverrides { num_beams: Some(4), ..DecodingOverrides::default() };
        Job {
            from: None,
            to: Some(Lang::en()),
            translate: true,
            summary: Some(summarize::Settings::default()),
            translating: translate::Settings {
                seed: 7,
                decoding,
                ..translate::Settings::default()
            },
            on_bad: Some(OnBad::Keep),
            segments: true,
        }
    }

    fn terms(target: &str, keep: &str) -> Arc<TermIndex> {
        let entry = GlossaryEntry {
            source: vec!["cat".into()],
            target: vec![target.into()],
            ..GlossaryEntry::default()
        };
        Arc::new(TermIndex::new(Glossary { entries: vec![entry] }, &[keep]).unwrap())
    }

    /// Output folders out there hold keys of this form. A change here does everybody's work again.
    #[test]
    fn the_bytes_of_a_key_stay() {
        let expected = concat!(
            r#"{"key_version":1,"program":"1.2.3","text_field":"body","title_field":null,"#,
            r#""translators":[],"summarizer":null,"device":"cpu","precision":"int8","#,
            r#""from":null,"to":"en","#,
            r#""translation":{"wanted":true,"seed":7,"align":false,"on_bad":"keep","#,
            r#""decoding":{"num_beams":4}},"#,
            r#""summary":{"length":"medium","style":"paragraph","seed":0,"decoding":{}},"#,
            r#""strict":false}"#,
        );
        assert_eq!(serde_json::to_string(&key(&job())).unwrap(), expected);
        assert_eq!(
            key(&job()).of("ab"),
            "acbe848ec304236cc5a3a02365864f5a93f7334fbe80d56f33b3eb35f1b51de3"
        );
    }

    #[test]
    fn what_changes_a_result_changes_the_key() {
        let usual = key(&job()).of("ab");
        // Segments are told or not; they change nothing.
        assert_eq!(usual, key(&Job { segments: false, ..job() }).of("ab"));
        assert_ne!(usual, key(&job()).of("ac"));
        let with = |change: fn(&mut Job)| {
            let mut job = job();
            change(&mut job);
            key(&job).of("ab")
        };
        let changed = [
            with(|job| job.to = None),
            with(|job| job.from = Some(Lang::en())),
            with(|job| job.translate = false),
            with(|job| job.on_bad = Some(OnBad::Source)),
            with(|job| job.translating.seed = 8),
            with(|job| job.translating.decoding.num_beams = None),
            with(|job| job.translating.decoding.temperature = Some(0.5)),
            with(|job| job.translating.terms = Some(terms("gato", "x"))),
            with(|job| job.translating.terms = Some(terms("bichano", "x"))),
            with(|job| job.translating.terms = Some(terms("gato", "y"))),
            with(|job| job.summary = None),
            with(|job| job.summary.as_mut().unwrap().length = Length::Words(3)),
            with(|job| job.summary.as_mut().unwrap().style = Style::Bullets),
        ];
        let memories = |hash: &str| key(&job()).with_memories(vec![hash.into()]).of("ab");
        let changed = [&changed[..], &[memories("00"), memories("01")]].concat();
        let distinct: std::collections::HashSet<_> = changed.iter().chain([&usual]).collect();
        assert_eq!(distinct.len(), changed.len() + 1);
    }
}
