//! Translation for programs: a model once, texts as often as one likes.

mod translation;

pub use translation::{TranslatedSentence, Translation};

use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::event::{Event, OnEvent};
use crate::model_store::{ModelNames, ModelStore, OpenModels, Translators};
use crate::pipeline::{OnBad, Progress};
use crate::route::{Preferences, Preset};
use crate::runtime::RuntimeOptions;
use crate::task::translate::{self, Segment};
use crate::text::terms::TermIndex;
use crate::text::{protect, sentences};
use crate::types::{Glossary, Lang, Problem};
#[cfg(any(feature = "serve", feature = "python"))]
use std::collections::BTreeMap;
use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

/// Translates texts with local models.
///
/// ```no_run
/// # fn main() -> polygist::Result<()> {
/// let translator = polygist::Translator::builder().build()?; // the best model for each pair
/// for translation in translator.translate("fr", "en", ["Bonjour.", "Merci."])? {
///     println!("{translation}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// The same text gives the same translation, byte for byte, whatever else is translated beside it.
/// A translator can be shared among threads.
pub struct Translator {
    models: Arc<OpenModels>,
    settings: translate::Settings,
    /// Other translations that are wanted of each text.
    alternatives: usize,
    cancel: CancelToken,
}

/// Describes a [`Translator`]; without more, the best model for each pair of
/// languages, of those in the usual place and those that can be fetched in a few seconds.
#[derive(Default)]
#[must_use]
pub struct TranslatorBuilder<'a> {
    store: Option<ModelStore>,
    models: Vec<String>,
    preset: Preset,
    adapter: Option<PathBuf>,
    runtime: RuntimeOptions,
    settings: translate::Settings,
    alternatives: usize,
    glossary: Glossary,
    keep: Vec<String>,
    cancel: CancelToken,
    on_event: Option<OnEvent<'a>>,
}

impl<'a> TranslatorBuilder<'a> {
    /// Translates with this model: a name of the catalog or of the Hub, a folder or a GGUF file.
    /// Of several, each pair of languages goes to the first that knows it. Without, or with `auto`,
    /// each goes to the best model that is here or can be fetched in a few seconds.
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.models.push(name.into());
        self
    }

    /// Prefers speed, or quality.
    pub fn preset(mut self, preset: Preset) -> Self {
        self.preset = preset;
        self
    }

    /// Puts the LoRA adapter of a folder on the model, of which there must be one.
    pub fn adapter(mut self, folder: impl Into<PathBuf>) -> Self {
        self.adapter = Some(folder.into());
        self
    }

    /// Takes models from this store.
    pub fn store(mut self, store: ModelStore) -> Self {
        self.store = Some(store);
        self
    }

    /// Where and how to compute.
    pub fn runtime(mut self, runtime: RuntimeOptions) -> Self {
        self.runtime = runtime;
        self
    }

    /// Seed of what is drawn at random: the last attempt at a sentence that fails the checks.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Translates terms as a glossary says, which `Glossary::open` reads; of several, all count.
    /// [`Translation::terms`] tells which of them a translation has.
    pub fn glossary(mut self, glossary: Glossary) -> Self {
        self.glossary.entries.extend(glossary.entries);
        self
    }

    /// Leaves text as it is that matches a regular expression: names of products, codes.
    pub fn keep(mut self, pattern: impl Into<String>) -> Self {
        self.keep.push(pattern.into());
        self
    }

    /// Has chat models read so many sentences before each that they translate, to understand it by.
    /// Without, they read none.
    pub fn context(mut self, sentences: usize) -> Self {
        self.settings.context = sentences;
        self
    }

    /// Looks for so many other translations of each text, which go into
    /// [`Translation::alternatives`]; more than eight are not looked for. Each sentence is searched
    /// a second time for it.
    pub fn alternatives(mut self, number: usize) -> Self {
        self.alternatives = number;
        self
    }

    /// Stops downloads and translations once the token is cancelled.
    pub fn cancel(mut self, token: &CancelToken) -> Self {
        self.cancel = token.clone();
        self
    }

    /// Listens to what happens while models are fetched and opened.
    pub fn on_event(mut self, listener: OnEvent<'a>) -> Self {
        self.on_event = Some(listener);
        self
    }

    /// Fetches the models that are named and not on this machine, verifies them, and opens them.
    /// Those that are chosen for a pair of languages are when the first text of the pair comes.
    ///
    /// # Errors
    /// When a model cannot be had or opened, or a pattern is no regular expression.
    pub fn build(mut self) -> Result<Translator> {
        let terms = TermIndex::new(self.glossary, &self.keep)?;
        self.settings.terms = (!terms.is_empty()).then(|| Arc::new(terms));
        let on_event = self.on_event.unwrap_or(&|_| ());
        let store = self.store.map_or_else(ModelStore::open, Ok)?;
        let preferences = Preferences { preset: self.preset, ..Preferences::default() };
        let names = ModelNames {
            translators: Some(Translators::of(self.models, preferences)?),
            adapter: self.adapter,
            ..ModelNames::default()
        };
        let resolved = names.resolve(&store, on_event, &self.cancel)?;
        self.settings.decoding = self.preset.apply(self.settings.decoding);
        let runtime = self.runtime.open(&self.cancel, on_event)?;
        let models = Arc::new(resolved.open(&runtime, on_event)?);
        let TranslatorBuilder { settings, alternatives, cancel, .. } = self;
        Ok(Translator { models, settings, alternatives, cancel })
    }
}

impl Translator {
    /// A translator with models and settings of one's own.
    pub fn builder<'a>() -> TranslatorBuilder<'a> {
        TranslatorBuilder::default()
    }

    /// A translator that shares its models with others: one for each of many requests, say.
    #[doc(hidden)]
    pub fn sharing(
        models: &Arc<OpenModels>,
        settings: translate::Settings,
        cancel: &CancelToken,
    ) -> Translator {
        Translator { models: models.clone(), settings, alternatives: 0, cancel: cancel.clone() }
    }

    /// The same with so many other translations of each text; see
    /// [`TranslatorBuilder::alternatives`].
    #[cfg(feature = "serve")]
    pub(crate) fn with_alternatives(self, number: usize) -> Translator {
        Translator { alternatives: number, ..self }
    }

    /// Translates texts of any length between two languages, all of their sentences together. A
    /// line break ends a sentence.
    ///
    /// ```no_run
    /// # fn main() -> polygist::Result<()> {
    /// # let translator = polygist::Translator::builder().build()?;
    /// let translations = translator.translate("de", "en", ["Guten Tag. Wie geht es?"])?;
    /// assert_eq!(translations[0].sentences.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a language is not a language code, no model knows the pair, or a model fails.
    pub fn translate<T: AsRef<str>>(
        &self,
        from: impl TryInto<Lang, Error: Into<Error>>,
        to: impl TryInto<Lang, Error: Into<Error>>,
        texts: impl IntoIterator<Item = T>,
    ) -> Result<Vec<Translation>> {
        self.translate_with_progress(from, to, texts, &|_| ())
    }

    /// [`Translator::translate`] that tells a listener how far it is.
    ///
    /// # Errors
    /// As [`Translator::translate`].
    pub fn translate_with_progress<T: AsRef<str>>(
        &self,
        from: impl TryInto<Lang, Error: Into<Error>>,
        to: impl TryInto<Lang, Error: Into<Error>>,
        texts: impl IntoIterator<Item = T>,
        on_event: OnEvent<'_>,
    ) -> Result<Vec<Translation>> {
        let (from, to) = pair(from, to)?;
        let texts: Vec<T> = texts.into_iter().collect();
        self.translate_all(&from, &to, texts.iter().map(AsRef::as_ref), on_event)
    }

    /// Translates texts of several languages into one, those of a language together; `sources` are
    /// the languages of the texts.
    #[cfg(any(feature = "serve", feature = "python"))]
    pub(crate) fn translate_each(
        &self,
        texts: &[&str],
        sources: &[Lang],
        to: &Lang,
        on_event: OnEvent<'_>,
    ) -> Result<Vec<Translation>> {
        let mut by_language: BTreeMap<&Lang, Vec<usize>> = BTreeMap::new();
        for (number, from) in sources.iter().enumerate() {
            by_language.entry(from).or_default().push(number);
        }
        let mut done = BTreeMap::new();
        for (from, numbers) in by_language {
            let own = numbers.iter().map(|&number| texts[number]);
            let found = self.translate_with_progress(from.clone(), to.clone(), own, on_event)?;
            done.extend(numbers.into_iter().zip(found));
        }
        Ok(done.into_values().collect())
    }

    /// Translates texts as they come, each as soon as it can be: those that are there together are
    /// translated together, so that a file is as fast as in one call and a ticker does not wait.
    /// The texts are read in a thread of their own; memory holds some hundreds.
    ///
    /// ```no_run
    /// # fn main() -> polygist::Result<()> {
    /// # let translator = polygist::Translator::builder().build()?;
    /// use std::io::{BufRead, BufReader};
    /// let lines = BufReader::new(std::io::stdin()).lines().map_while(Result::ok);
    /// for translation in translator.stream("de", "en", lines)? {
    ///     println!("{}", translation?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a language is not a language code; an item is an error where its group failed, after
    /// which the iterator ends.
    pub fn stream<T: AsRef<str> + Send + 'static>(
        &self,
        from: impl TryInto<Lang, Error: Into<Error>>,
        to: impl TryInto<Lang, Error: Into<Error>>,
        texts: impl IntoIterator<Item = T, IntoIter: Send + 'static>,
    ) -> Result<TranslationStream<'_, T>> {
        let (from, to) = pair(from, to)?;
        let mut unread = texts.into_iter();
        let (sender, texts) = sync_channel(LARGEST_GROUP);
        // It ends with the texts, or at the first one after the stream was dropped.
        thread::spawn(move || unread.try_for_each(|text| sender.send(text)));
        Ok(TranslationStream { translator: self, from, to, texts, ready: VecDeque::new() })
    }

    /// Translates one text and hands on its translation as it is made, a few sentences at a time:
    /// first one, then more and more. Together the pieces are the text of
    /// [`Translator::translate`]. `each` returning `false` stops the work.
    ///
    /// # Errors
    /// As [`Translator::translate`], and [`Error::Interrupted`] when `each` has stopped it.
    #[doc(hidden)]
    pub fn translate_in_pieces(
        &self,
        from: impl TryInto<Lang, Error: Into<Error>>,
        to: impl TryInto<Lang, Error: Into<Error>>,
        text: &str,
        on_event: OnEvent<'_>,
        mut each: impl FnMut(&str) -> bool,
    ) -> Result<()> {
        let (from, to) = pair(from, to)?;
        let mut rest = Layout::of(text, &from);
        let mut sentences = 1;
        while !rest.parts.is_empty() {
            let piece = rest.take(sentences);
            sentences = (sentences * 2).min(LARGEST_PIECE);
            let translated = self.translate_layouts(&from, &to, vec![piece], on_event)?;
            for Translation { text, .. } in translated {
                if !text.is_empty() && !each(&text) {
                    return Err(Error::Interrupted);
                }
            }
        }
        Ok(())
    }

    fn translate_all<'a>(
        &self,
        from: &Lang,
        to: &Lang,
        texts: impl Iterator<Item = &'a str>,
        on_event: OnEvent<'_>,
    ) -> Result<Vec<Translation>> {
        let layouts = texts.map(|text| Layout::of(text, from)).collect();
        self.translate_layouts(from, to, layouts, on_event)
    }

    fn translate_layouts(
        &self,
        from: &Lang,
        to: &Lang,
        layouts: Vec<Layout<'_>>,
        on_event: OnEvent<'_>,
    ) -> Result<Vec<Translation>> {
        let segment = |(text, context): (&String, String)| Segment {
            context,
            ..Segment::new(text, from.clone(), to.clone())
        };
        let of_layout = |layout: &Layout<'_>| -> Vec<Segment> {
            let sentences = layout.sentences().map(|text| (text.as_str(), from));
            let before = translate::preceding(sentences, self.settings.context);
            layout.sentences().zip(before).map(segment).collect()
        };
        let segments: Vec<Segment> = layouts.iter().flat_map(of_layout).collect();
        let show = |step: translate::Step| {
            let progress = Progress::from(step);
            on_event(Event::Working { articles: None, progress });
            !self.cancel.is_cancelled()
        };
        let goes_on = || !self.cancel.is_cancelled();
        let translated: Result<_> = self.models.with(on_event, |models| {
            let (router, known, settings) = (models.translators, models.known, &self.settings);
            let found = translate::translate_by(router, &segments, settings, known, &show)?;
            let number = self.alternatives;
            let others =
                translate::alternatives(router, &segments, &found, settings, number, &goes_on)?;
            Ok(found.into_iter().zip(others))
        });
        on_event(Event::Worked);
        let mut translated = translated?;
        Ok(layouts.into_iter().map(|layout| layout.fill(from, to, &mut translated)).collect())
    }
}

/// Most texts of a stream that are translated together.
const LARGEST_GROUP: usize = 256;

/// Most sentences of a piece of [`Translator::translate_in_pieces`].
const LARGEST_PIECE: usize = 64;

/// The translations of [`Translator::stream`].
pub struct TranslationStream<'a, T> {
    translator: &'a Translator,
    from: Lang,
    to: Lang,
    texts: Receiver<T>,
    ready: VecDeque<Translation>,
}

impl<T: AsRef<str>> Iterator for TranslationStream<'_, T> {
    type Item = Result<Translation>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty() {
            // The next text, and what is there beside it.
            let first = self.texts.recv().ok()?;
            let more = self.texts.try_iter().take(LARGEST_GROUP - 1);
            let group: Vec<T> = std::iter::once(first).chain(more).collect();
            let texts = group.iter().map(AsRef::as_ref);
            match self.translator.translate_all(&self.from, &self.to, texts, &|_| ()) {
                Ok(translations) => self.ready.extend(translations),
                Err(error) => {
                    self.texts = sync_channel(0).1;
                    return Some(Err(error));
                }
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

fn pair(
    from: impl TryInto<Lang, Error: Into<Error>>,
    to: impl TryInto<Lang, Error: Into<Error>>,
) -> Result<(Lang, Lang)> {
    let canonical = |lang: Lang| crate::languages::canonical(&lang);
    let from: Lang = from.try_into().map_err(Into::into)?;
    let to: Lang = to.try_into().map_err(Into::into)?;
    Ok((canonical(from), canonical(to)))
}

/// A text as its sentences and what stands around them.
struct Layout<'a> {
    parts: Vec<Part<'a>>,
}

enum Part<'a> {
    /// Text that stays: white space, lines without a word.
    Kept(&'a str),
    /// A sentence, and the white space that follows it within its line.
    Sentence { text: String, gap: String },
}

impl<'a> Layout<'a> {
    fn of(text: &'a str, lang: &Lang) -> Layout<'a> {
        let mut parts = Vec::new();
        for line in text.split_inclusive('\n') {
            let body = line.trim();
            if !protect::is_translatable(body) {
                parts.push(Part::Kept(line));
                continue;
            }
            let start = line.len() - line.trim_start().len();
            parts.push(Part::Kept(&line[..start]));
            let sentences = sentences::split(body, lang).into_iter();
            parts.extend(sentences.map(|s| Part::Sentence { text: s.text, gap: s.gap }));
            parts.push(Part::Kept(&line[start + body.len()..]));
        }
        Layout { parts }
    }

    /// The beginning with so many sentences, which leaves the layout; all of it where it has fewer.
    fn take(&mut self, sentences: usize) -> Layout<'a> {
        let is_sentence = |part: &Part<'_>| matches!(part, Part::Sentence { .. });
        let ends = self.parts.iter().enumerate().filter(|(_, part)| is_sentence(part));
        let end = ends.map(|(at, _)| at + 1).nth(sentences.saturating_sub(1));
        let rest = self.parts.split_off(end.unwrap_or(self.parts.len()));
        Layout { parts: std::mem::replace(&mut self.parts, rest) }
    }

    fn sentences(&self) -> impl Iterator<Item = &String> {
        self.parts.iter().filter_map(|part| match part {
            Part::Kept(_) => None,
            Part::Sentence { text, .. } => Some(text),
        })
    }

    /// The text with its sentences translated. Of its alternatives the first has the first of each
    /// sentence, the second the second, and so on; a sentence that has fewer stays in the others.
    fn fill(
        self,
        from: &Lang,
        to: &Lang,
        translated: &mut impl Iterator<Item = (translate::Translation, Vec<String>)>,
    ) -> Translation {
        let mut whole = Translation::default();
        for part in self.parts {
            match part {
                Part::Kept(text) => whole.push(text, &[], ""),
                Part::Sentence { text: source, gap } => {
                    let Some((mut done, mut others)) = translated.next() else { continue };
                    if OnBad::refuses(None, &done.problems, false) {
                        done.text.clone_from(&source);
                        done.terms.give_up();
                        others.clear();
                    }
                    whole.terms.extend(done.terms.clone());
                    whole.push(&done.text, &others, translate::gap(&gap, from, to));
                    whole.confidence =
                        whole.confidence.into_iter().chain(done.confidence).reduce(f32::min);
                    let new = done.problems.iter().filter(|p| !whole.problems.contains(p));
                    let new: Vec<Problem> = new.copied().collect();
                    whole.problems.extend(new);
                    whole.sentences.push(TranslatedSentence {
                        source,
                        text: done.text,
                        confidence: done.confidence,
                        problems: done.problems,
                        terms: done.terms,
                    });
                }
            }
        }
        let (mut seen, text) = (BTreeSet::new(), &whole.text);
        whole.alternatives.retain(|other| other != text && seen.insert(other.clone()));
        whole
    }
}
