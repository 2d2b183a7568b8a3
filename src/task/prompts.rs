//! Prompts for translation: the languages' tokens for a translation model, parallel examples that
//! show a base language model what translation is, an instruction for a chat model
//! (`models/prompts.toml`).

use super::instruction::{CONTEXT, Instruction, TEXT};
use crate::error::{Error, Result};
use crate::generate::{
    Capability, ChatPrompt, ChatTemplate, Conversation, DecodingOptions, Generate, Request,
};
use crate::languages;
use crate::types::Lang;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::sync::LazyLock;

/// `models/prompts.toml`.
#[derive(Default, Deserialize)]
struct File {
    chat: Chat,
    card: Vec<Card>,
    /// Chinese names of languages, by their codes.
    chinese: BTreeMap<String, String>,
    shorten: Shorten,
    summarize: Summarize,
    /// Sentences, each in many languages, by their codes.
    example: Vec<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
struct Chat {
    /// What the user says, with marks for the text to translate and so on.
    translate: String,
    /// As that, with a mark for the sentences before the text.
    translate_in_context: String,
    /// What is said where terms are to be translated in a certain way.
    terms: String,
}

/// How a model's own card says to ask for a translation.
#[derive(Default, Deserialize)]
struct Card {
    /// Parts of the models' names, in lower case.
    models: Vec<String>,
    /// As [`Chat::translate`].
    translate: String,
    /// What is said instead, in Chinese, where one of the languages is Chinese.
    chinese: Option<String>,
    /// As [`Chat::translate_in_context`], where the card says how.
    in_context: Option<String>,
    /// As that, in Chinese.
    chinese_in_context: Option<String>,
    /// The system turn, where there is to be one.
    system: Option<String>,
    /// Whether the chat template is left out.
    #[serde(default)]
    raw: bool,
}

impl Card {
    /// What is said, and the target language's name in it.
    fn wording<'a>(&'a self, from: &Lang, to: &'a Lang) -> (&'a str, &'a str) {
        match (&self.chinese, chinese_name(to)) {
            (Some(said), Some(name)) if from.base() == "zh" || to.base() == "zh" => (said, name),
            _ => (&self.translate, languages::name(to)),
        }
    }

    /// As [`Card::wording`], where the sentences before are read too; `None` where they are not.
    fn wording_in_context<'a>(&'a self, to: &'a Lang) -> Option<(&'a str, &'a str)> {
        let plain = self.in_context.as_deref().map(|said| (said, languages::name(to)));
        plain.or_else(|| Some((self.chinese_in_context.as_deref()?, chinese_name(to)?)))
    }
}

/// The Chinese name of a language, where it is known.
fn chinese_name(lang: &Lang) -> Option<&'static str> {
    let names = &file().chinese;
    let code = if languages::is_traditional(lang) { "zh-TW" } else { lang.as_str() };
    names.get(code).or_else(|| names.get(lang.base())).map(String::as_str)
}

/// Stands for what is said of terms.
const TERMS: &str = "{terms}";

/// What an instruction model that reads whole articles is told; `{language}`, `{length}` and `{n}`
/// are filled in.
#[derive(Default, Deserialize)]
pub(super) struct Summarize {
    pub system: String,
    pub article: String,
    /// Of a part of an article.
    pub part: String,
    /// Of the summaries of all parts.
    pub merge: String,
    pub headline: String,
    /// Of a sentence that its sources do not bear out.
    pub rewrite: String,
    /// The lengths.
    pub sentence: String,
    pub sentences: String,
    pub words: String,
    pub line: String,
}

/// The request to shorten one sentence, for a summary.
#[derive(Default, Deserialize)]
pub(super) struct Shorten {
    /// Languages of the sentences.
    languages: Vec<Lang>,
    pub task: String,
    #[serde(rename = "example")]
    pub examples: Vec<Shortened>,
}

/// A sentence and its short form.
#[derive(Default, Deserialize)]
pub(super) struct Shortened {
    pub sentence: String,
    pub short: String,
}

impl Shorten {
    /// Whether sentences of the language can be shortened.
    pub fn knows(&self, language: &Lang) -> bool {
        self.languages.iter().any(|known| known.same_base(language))
    }
}

fn file() -> &'static File {
    // The file is part of the binary, and a test reads it: this cannot fail at a user's.
    static FILE: LazyLock<File> = LazyLock::new(|| {
        toml::from_str(include_str!("../../models/prompts.toml")).unwrap_or_default()
    });
    &FILE
}

fn examples() -> &'static [BTreeMap<String, String>] {
    &file().example
}

/// The instructions for summaries of whole articles.
pub(super) fn summarize() -> &'static Summarize {
    &file().summarize
}

/// The prompt for summaries by small models.
pub(super) fn shorten() -> &'static Shorten {
    &file().shorten
}

/// The code under which the examples have a language.
fn key(lang: &Lang) -> Option<&'static str> {
    let has = |code: &str| examples().first()?.get_key_value(code).map(|(code, _)| code.as_str());
    has(lang.as_str()).or_else(|| has(languages::get(lang)?.0)).or_else(|| has(lang.base()))
}

/// Languages that can be translated by examples, by code.
pub fn translatable_languages() -> Vec<Lang> {
    examples()
        .first()
        .into_iter()
        .flat_map(BTreeMap::keys)
        .filter_map(|code| Lang::parse(code))
        .collect()
}

/// The text around a text to translate, and the form of the translation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Prompt {
    /// [`crate::generate::Request::prefix`]
    pub prefix: String,
    /// What stands between the sentences before the text and the text, where these are read.
    pub after_context: String,
    /// [`crate::generate::Request::suffix`]
    pub suffix: String,
    /// [`crate::generate::Request::begin`]
    pub begin: Option<String>,
    /// Whether a language model answers, which has to be kept to one line in one language.
    pub is_open_ended: bool,
}

impl Prompt {
    /// The request to translate a text into `to`.
    pub fn request(&self, text: &str, to: &Lang, options: DecodingOptions) -> Request {
        let Prompt { prefix, after_context: _, suffix, begin, is_open_ended } = self.clone();
        let stop = if is_open_ended { vec!["\n".into()] } else { Vec::new() };
        let language = is_open_ended.then(|| to.clone());
        Request {
            prefix,
            prompt: text.into(),
            suffix,
            begin,
            options: DecodingOptions { stop, language, ..options },
            ..Request::default()
        }
    }

    /// As [`Prompt::request`], of a prompt that is [`Told::in_context`], with the sentences before
    /// the text.
    pub fn request_after(
        &self,
        context: &str,
        text: &str,
        to: &Lang,
        options: DecodingOptions,
    ) -> Request {
        let context = format!("{context}{}", self.after_context);
        Request { context, ..self.request(text, to, options) }
    }
}

/// What a chat model is told besides the languages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told<'a> {
    /// In place of what its card or polygist would say.
    pub own: Option<&'a Instruction>,
    /// Whether it reads the sentences before the text, see [`reads_context`].
    pub in_context: bool,
}

/// The capability by which a model translates: the first one that it can be done with.
fn capability(model: &dyn Generate) -> Option<&Capability> {
    let translates = |capability: &&Capability| match capability {
        Capability::Translation
        | Capability::FewShot
        | Capability::FineTuned
        | Capability::Chat(_) => true,
        Capability::Summarization { .. } => false,
    };
    model.capabilities().iter().find(translates)
}

/// Whether a model translates by the prompt of the examples, with them or, fine-tuned, without.
pub fn uses_examples(model: &dyn Generate) -> bool {
    matches!(capability(model), Some(Capability::FewShot | Capability::FineTuned))
}

/// Whether a model translates without examples what base models need them for.
pub(super) fn is_fine_tuned(model: &dyn Generate) -> bool {
    capability(model) == Some(&Capability::FineTuned)
}

/// Whether a model was made for translation and is told nothing but the languages.
pub(super) fn is_translation_model(model: &dyn Generate) -> bool {
    capability(model) == Some(&Capability::Translation)
}

/// Why a model whose Chinese is of simplified characters does not write the other. The fine-tuned
/// one learned from simplified texts alone.
fn simplified_only(model: &dyn Generate, from: &Lang, to: &Lang) -> Option<String> {
    (languages::is_traditional(to) && is_fine_tuned(model)).then(|| {
        format!(
            "writes Chinese in simplified characters only, which {to} is not; one that writes \
             traditional ones comes with `polygist models pull --from {from} --to zh-TW`"
        )
    })
}

/// What is to be known about models that do not translate from one language into the other; nothing
/// where the languages themselves say it all.
pub(super) fn advice(models: &[&dyn Generate], from: &Lang, to: &Lang) -> Option<String> {
    models.iter().find_map(|model| {
        simplified_only(*model, from, to).map(|why| format!("{} {why}", model.id()))
    })
}

/// Whether a model translates from one language into the other in one step. With examples, one of
/// the two is English.
pub(super) fn is_direct(model: &dyn Generate, from: &Lang, to: &Lang) -> bool {
    match capability(model) {
        Some(Capability::Translation) => model.language_prompt(from, to).is_some(),
        Some(Capability::FewShot | Capability::FineTuned) => {
            (from.base() == "en" || to.base() == "en")
                && key(from).is_some()
                && key(to).is_some()
                && simplified_only(model, from, to).is_none()
        }
        Some(Capability::Chat(_)) => languages::get(from).is_some() && languages::get(to).is_some(),
        Some(Capability::Summarization { .. }) | None => false,
    }
}

/// Whether a model can be given the sentences before a text, as its card or what it is told
/// otherwise knows to say.
pub(super) fn reads_context(
    model: &dyn Generate,
    (from, to): (&Lang, &Lang),
    own: Option<&Instruction>,
) -> bool {
    let is_chat = matches!(capability(model), Some(Capability::Chat(_)));
    is_chat
        && is_direct(model, from, to)
        && wording(card(model), (from, to), Told { own, in_context: true }).0.contains(CONTEXT)
}

/// The prompt of a model for a pair of languages; `which` of the examples are shown to one that
/// needs them, and one that chats is told what is said of it.
///
/// # Errors
/// When the model does not know one of the languages, or its chat template cannot be used.
pub(super) fn prompt(
    model: &dyn Generate,
    from: &Lang,
    to: &Lang,
    which: Range<usize>,
    told: Told<'_>,
) -> Result<Prompt> {
    let unknown = || refusal(model, from, to);
    match capability(model) {
        Some(Capability::FewShot | Capability::FineTuned) => few_shot(from, to, which),
        Some(Capability::Chat(template)) if is_direct(model, from, to) => {
            chat(template, model, (from, to), "", told)
        }
        Some(Capability::Translation) => {
            let language_prompt = model.language_prompt(from, to).ok_or_else(unknown)?;
            Ok(Prompt {
                prefix: language_prompt.prefix,
                begin: language_prompt.begin,
                ..Prompt::default()
            })
        }
        Some(Capability::Chat(_) | Capability::Summarization { .. }) | None => Err(unknown()),
    }
}

/// The error of a model that does not translate from one language into the other.
pub(super) fn refusal(model: &dyn Generate, from: &Lang, to: &Lang) -> Error {
    if let Some(why) = simplified_only(model, from, to) {
        return Error::model(model.id(), why);
    }
    if uses_examples(model)
        && let Some(unknown) = [from, to].into_iter().find(|lang| key(lang).is_none())
    {
        return no_examples(unknown);
    }
    let (from_name, to_name) = (languages::name(from), languages::name(to));
    let message = format!("does not translate from {from_name} ({from}) into {to_name} ({to})");
    Error::model(model.id(), message)
}

/// The prompt for a pair of languages with some of the examples.
///
/// # Errors
/// When there are no examples in one of the languages.
fn few_shot(from: &Lang, to: &Lang, which: Range<usize>) -> Result<Prompt> {
    let find = |lang: &Lang| key(lang).ok_or_else(|| no_examples(lang));
    let (from_key, to_key) = (find(from)?, find(to)?);
    let (from, to) = (languages::name(from), languages::name(to));
    let mut prefix = String::new();
    for example in examples().get(which).unwrap_or_default() {
        if let (Some(source), Some(target)) = (example.get(from_key), example.get(to_key)) {
            let _ = write!(prefix, "{from}: {source}\n{to}: {target}\n\n");
        }
    }
    let _ = write!(prefix, "{from}: ");
    let suffix = format!("\n{to}:");
    Ok(Prompt { prefix, suffix, is_open_ended: true, ..Prompt::default() })
}

/// The prompt of a chat model that is told how terms are translated, each with its forms; `None` of
/// one that reads no instructions, or where there is nothing to tell.
///
/// # Errors
/// When its chat template cannot be used.
pub(super) fn with_terms(
    model: &dyn Generate,
    (from, to): (&Lang, &Lang),
    terms: &[(&str, &[String])],
    told: Told<'_>,
) -> Result<Option<Prompt>> {
    let Some(Capability::Chat(template)) = capability(model) else { return Ok(None) };
    // A mark of the model's own, which a text may hold, is none in an instruction.
    let is_plain = |text: &str| !text.contains(['<', '>', '[', ']', '|', '\n', '{', '}']);
    let line = |(term, forms): &(&str, &[String])| {
        let forms: Vec<String> =
            forms.iter().filter(|form| is_plain(form)).map(|form| format!("“{form}”")).collect();
        (is_plain(term) && !forms.is_empty()).then(|| format!("“{term}” = {}", forms.join(" or ")))
    };
    let mut lines: Vec<String> = terms.iter().filter_map(line).collect();
    lines.dedup();
    if lines.is_empty() || !is_direct(model, from, to) {
        return Ok(None);
    }
    let said = file().chat.terms.replace(TERMS, &lines.join("; "));
    chat(template, model, (from, to), &said, told).map(Some)
}

/// How the instruction to translate is worded for a model, with marks in it, and the target
/// language's name in it: the user's own, or that of the model's card, or a plain one.
fn wording<'a>(
    card: Option<&'static Card>,
    (from, to): (&Lang, &'a Lang),
    told: Told<'a>,
) -> (&'a str, &'a str) {
    let Chat { translate, translate_in_context, .. } = &file().chat;
    let name = languages::name(to);
    match (told.own, card) {
        (Some(own), _) => (own.as_str(), name),
        (None, Some(card)) => {
            let in_context = told.in_context.then(|| card.wording_in_context(to)).flatten();
            in_context.unwrap_or_else(|| card.wording(from, to))
        }
        (None, None) => (if told.in_context { translate_in_context } else { translate }, name),
    }
}

/// How a model's own card says to ask, if it is one of those.
fn card(model: &dyn Generate) -> Option<&'static Card> {
    let name = model.id().to_lowercase();
    file().card.iter().find(|card| card.models.iter().any(|part| name.contains(part)))
}

/// The instruction to translate, as a chat model reads it, with what is said of terms.
///
/// # Errors
/// When the chat template cannot be used.
fn chat(
    template: &ChatTemplate,
    model: &dyn Generate,
    (from, to): (&Lang, &Lang),
    terms: &str,
    told: Told<'_>,
) -> Result<Prompt> {
    let card = card(model).filter(|_| told.own.is_none());
    let (said, to_name) = wording(card, (from, to), told);
    // The texts may hold what looks like a mark: they never take part.
    let (before, after) = said.split_once(TEXT).unwrap_or((said, ""));
    let around_context = before.split_once(CONTEXT).unwrap_or((before, ""));
    let (before, after_context) = match around_context {
        (before, after) if told.in_context => (before.to_owned(), after),
        // Where nothing stands before the text, neither does anything in the place of the mark.
        (before, after) => (before.to_owned() + after, ""),
    };
    let has_place = said.contains(TERMS);
    let inline = if terms.is_empty() { String::new() } else { format!(" {terms}") };
    let [mut before, after_context, after] = [before.as_str(), after_context, after].map(|part| {
        part.replace("{from}", languages::name(from))
            .replace("{to}", to_name)
            .replace("{from_code}", from.as_str())
            .replace("{to_code}", to.as_str())
            .replace(TERMS, &inline)
    });
    if !has_place && !terms.is_empty() {
        before.insert_str(0, &format!("{terms}\n\n"));
    }
    let (prefix, suffix) = if card.is_some_and(|card| card.raw) {
        (before, after)
    } else {
        let system = card.and_then(|card| card.system.as_deref());
        let conversation =
            Conversation { system, instruction: &before, after: &after, ..Conversation::default() };
        let around = template.render(&conversation);
        let ChatPrompt { prefix, suffix } = around.map_err(|why| Error::model(model.id(), why))?;
        (prefix, suffix)
    };
    Ok(Prompt { prefix, after_context, suffix, begin: None, is_open_ended: true })
}

/// The examples in a pair of languages: each in the one, if there are any in it, and in the other.
pub(super) fn example_pairs<'a>(
    from: &Lang,
    to: &Lang,
) -> impl Iterator<Item = (Option<&'a str>, &'a str)> {
    let (from, to) = (key(from), key(to));
    let text = |example: &'a BTreeMap<String, String>, key: Option<&str>| {
        example.get(key?).map(String::as_str)
    };
    examples().iter().filter_map(move |example| Some((text(example, from), text(example, to)?)))
}

fn no_examples(lang: &Lang) -> Error {
    let known: Vec<String> = translatable_languages().iter().map(Lang::to_string).collect();
    Error::Usage(format!(
        "the starter model cannot translate {} ({lang}); it has examples for {}. State the language with --from if it was guessed wrong",
        languages::name(lang),
        known.join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Stub;

    #[test]
    fn every_example_is_there_in_every_language() {
        assert!(examples().len() >= 8);
        let codes: Vec<&String> = examples()[0].keys().collect();
        assert!(codes.len() >= 31);
        for example in examples() {
            assert_eq!(example.keys().collect::<Vec<_>>(), codes);
            assert!(example.values().all(|text| !text.trim().is_empty() && !text.contains('\n')));
        }
        for code in codes {
            let lang = Lang::parse(code).expect("a code");
            assert!(languages::get(&lang).is_some(), "{code} has no name");
        }
    }

    #[test]
    fn traditional_characters_are_not_promised_by_one_that_learned_simplified_ones() {
        let taught = Stub::answering(|_| String::new()).with([Capability::FineTuned]);
        let base = Stub::answering(|_| String::new());
        let (en, lang) = (Lang::en(), |code: &str| Lang::parse(code).unwrap());
        for code in ["zh-TW", "zh-HK", "zh-Hant", "zh-Hant-MO"] {
            assert!(!is_direct(&taught, &en, &lang(code)) && is_direct(&base, &en, &lang(code)));
            let error = refusal(&taught, &en, &lang(code)).to_string();
            assert!(error.contains("models pull --from en --to zh-TW"), "{error}");
        }
        // It reads both.
        assert!(is_direct(&taught, &lang("zh-TW"), &en) && is_direct(&taught, &en, &lang("zh-SG")));
        assert_eq!(advice(&[&taught], &en, &lang("zh")), None);
    }

    #[test]
    fn regions_find_their_language() {
        let (pt, en) = (Lang::parse("pt-BR").unwrap(), Lang::en());
        assert_eq!(few_shot(&pt, &en, 0..1).unwrap().prefix.matches('\n').count(), 3);
        assert!(few_shot(&Lang::parse("tlh").unwrap(), &en, 0..1).is_err());
    }

    #[test]
    fn chat_models_are_given_an_instruction_between_any_two_languages() {
        let template = ChatTemplate::chatml();
        let model = Stub::answering(|_| String::new()).with([Capability::Chat(template)]);
        let lang = |code: &str| Lang::parse(code).unwrap();
        let found = prompt(&model, &lang("fi"), &lang("sw"), 0..8, Told::default()).unwrap();
        assert_eq!(
            found.prefix,
            "<|im_start|>user\nTranslate the following text from Finnish to Swahili. Reply with the translation alone, without any explanation.\n\n"
        );
        assert_eq!(found.suffix, "<|im_end|>\n<|im_start|>assistant\n");
        assert!(is_direct(&model, &lang("fi"), &lang("sw")) && !uses_examples(&model));
        let error = prompt(&model, &lang("fi"), &lang("qqq"), 0..8, Told::default()).unwrap_err();
        assert!(error.to_string().contains("does not translate"), "{error}");
    }

    #[test]
    fn models_are_asked_as_their_cards_say() {
        let lang = |code: &str| Lang::parse(code).unwrap();
        let asked_for =
            |to: &str, id: &'static str, terms: &[(&str, &[String])], own: Option<&Instruction>| {
                let chat = Capability::Chat(ChatTemplate::chatml());
                let model = Stub::answering(|_| String::new()).with([chat]).named(id);
                let (en, to) = (lang("en"), lang(to));
                let told = Told { own, in_context: false };
                let with_terms = with_terms(&model, (&en, &to), terms, told).unwrap();
                let usual = || prompt(&model, &en, &to, 0..0, told);
                let prompt = with_terms.map_or_else(usual, Ok).unwrap();
                format!("{}…{}", prompt.prefix, prompt.suffix)
            };
        let asked = |id: &'static str, terms: &[(&str, &[String])], own: Option<&Instruction>| {
            asked_for("pt", id, terms, own)
        };
        let turn =
            |text: &str| format!("<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n");
        for (id, expected) in [
            (
                "Hy-MT2-1.8B",
                turn(
                    "Translate the following text into Portuguese. Note that you should only output the translated result without any additional explanation:\n\n…",
                ),
            ),
            (
                "NiuTrans/LMT-60-1.7B",
                turn(
                    "Translate the following text from English into Portuguese:\nEnglish: …\nPortuguese:",
                ),
            ),
            (
                "EuroLLM-1.7B-Instruct",
                format!(
                    "<|im_start|>system\n<|im_end|>\n{}",
                    turn(
                        "Translate the following English source text to Portuguese:\nEnglish: … \nPortuguese: "
                    )
                ),
            ),
            (
                "GemmaX2-28-2B",
                "Translate this from English to Portuguese:\nEnglish: …\nPortuguese:".into(),
            ),
            (
                "Seed-X-PPO-7B",
                "Translate the following English sentence into Portuguese:\n… <pt>".into(),
            ),
        ] {
            assert_eq!(asked(id, &[], None), expected, "{id}");
        }
        for (to, id, expected) in [
            (
                "zh",
                "HY-MT1.5-1.8B",
                "将以下文本翻译为中文，注意只需要输出翻译后的结果，不要额外解释：\n\n…",
            ),
            ("zh-TW", "Hunyuan-MT-7B", "把下面的文本翻译成繁体中文，不要额外解释。\n\n…"),
            ("zh-Hant", "Hunyuan-MT-7B", "把下面的文本翻译成繁体中文，不要额外解释。\n\n…"),
            (
                "pt",
                "Hunyuan-MT-7B",
                "Translate the following segment into Portuguese, without additional explanation.\n\n…",
            ),
        ] {
            assert_eq!(asked_for(to, id, &[], None), turn(expected), "{id} {to}");
        }
        // Every card has the text once, and a model.
        for card in &file().card {
            let in_context = [&card.in_context, &card.chinese_in_context].map(Option::as_ref);
            assert!(in_context.iter().flatten().all(|said| said.contains(CONTEXT)));
            let said = [Some(&card.translate), card.chinese.as_ref(), in_context[0], in_context[1]];
            assert!(said.into_iter().flatten().all(|said| said.parse::<Instruction>().is_ok()));
            assert!(!card.models.is_empty());
            assert!(card.models.iter().all(|part| *part == part.to_lowercase()));
        }
        let terms: &[(&str, &[String])] = &[("dog", &["cão".into()])];
        assert!(
            asked("other", terms, None)
                .contains("explanation. Translate these terms exactly so: “dog” = “cão”.\n\n…")
        );
        assert!(
            asked("Hy-MT2-1.8B", terms, None).contains(
                "user\nTranslate these terms exactly so: “dog” = “cão”.\n\nTranslate the"
            )
        );
        // The user's words go before the card's.
        let own = "In {to}: {text}!".parse().unwrap();
        assert_eq!(asked("Hy-MT2-1.8B", &[], Some(&own)), turn("In Portuguese: …!"));
    }

    #[test]
    fn sentences_before_stand_where_a_card_or_the_user_puts_them() {
        let lang = |code: &str| Lang::parse(code).unwrap();
        let (en, pt) = (lang("en"), lang("pt"));
        let asked = |id: &'static str, to: &Lang, own: Option<&Instruction>| {
            let chat = Capability::Chat(ChatTemplate::chatml());
            let model = Stub::answering(|_| String::new()).with([chat]).named(id);
            let reads = reads_context(&model, (&en, to), own);
            let told = Told { own, in_context: true };
            let prompt = prompt(&model, &en, to, 0..0, told).unwrap();
            let options = DecodingOptions::default();
            let request = prompt.request_after("It rains. {text}", "Now it snows.", to, options);
            let Request { prefix, context, prompt, .. } = request;
            reads.then(|| format!("{}{context}{prompt}", prefix.replace("<|im_start|>user\n", "")))
        };
        assert_eq!(
            asked("other", &pt, None).unwrap(),
            "Translate the text below from English to Portuguese. Reply with the translation of the text alone, without any explanation. It follows these sentences, which are there to understand it by and are not to be translated:\n\nIt rains. {text}\n\nText to translate:\n\nNow it snows."
        );
        assert_eq!(
            asked("Hy-MT2-1.8B", &pt, None).unwrap(),
            "[Background Information]\nIt rains. {text}\n\nPlease translate the following text into Portuguese, taking the provided background information into consideration.\n\n[Source Text]\nNow it snows."
        );
        assert_eq!(
            asked("HY-MT1.5-1.8B", &pt, None).unwrap(),
            "It rains. {text}\n参考上面的信息，把下面的文本翻译成葡萄牙语，注意不需要翻译上文，也不要额外解释：\nNow it snows."
        );
        // A card that does not say how, and a language whose Chinese name is not known.
        assert_eq!(asked("LMT-60-1.7B", &pt, None), None);
        assert_eq!(asked("HY-MT1.5-1.8B", &lang("sw"), None), None);
        let own = "{context} – in {to}: {text}".parse().unwrap();
        assert_eq!(
            asked("LMT-60-1.7B", &pt, Some(&own)).unwrap(),
            "It rains. {text} – in Portuguese: Now it snows."
        );
        assert_eq!(asked("other", &pt, Some(&"{to}: {text}".parse().unwrap())), None);
        // Before a first sentence nothing stands.
        let chat = Capability::Chat(ChatTemplate::chatml());
        let model = Stub::answering(|_| String::new()).with([chat]);
        let told = Told { own: Some(&own), in_context: false };
        let first = prompt(&model, &en, &pt, 0..0, told).unwrap();
        assert_eq!(
            (first.after_context.as_str(), first.prefix.ends_with(" – in Portuguese: ")),
            ("", true)
        );
        for wrong in ["{context}{context}{text}", "{text}{context}", "{context}"] {
            assert!(wrong.parse::<Instruction>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn models_that_only_summarize_translate_nothing() {
        let summarizes =
            Capability::Summarization { prefix: String::new(), options: Default::default() };
        let model = Stub::answering(|_| String::new()).with([summarizes]);
        assert!(!is_direct(&model, &Lang::parse("fr").unwrap(), &Lang::en()));
    }
}
