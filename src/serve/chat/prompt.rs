//! What a prompt asks of a translator: which text, into which language. Read are the instructions
//! that programs send which translate with chat models: "Translate the following text from English
//! into French", by the system or before the text.

use crate::languages;
use crate::serve::failure::Failure;
use crate::types::Lang;
use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

/// A text, and the languages that it is asked between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub text: String,
    /// `None` to find it out.
    pub from: Option<Lang>,
    pub to: Lang,
}

/// Longest instruction before a text, in bytes.
const LONGEST_INSTRUCTION: usize = 2000;

static TRANSLATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\btranslat(?:e|es|ed|ing|ion|ions|or)\b").expect("constant and tested")
});
static INTO: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:in)?to[\s:]+(?:the\s+language\s+|the\s+)?").expect("constant and tested")
});
static FROM: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\bfrom[\s:]+(?:the\s+)?").expect("constant and tested"));

/// Names that prompts use besides those of the table of languages.
const OTHER_NAMES: [(&str, &str); 7] = [
    ("simplified chinese", "zh"),
    ("traditional chinese", "zh-TW"),
    ("chinese (simplified)", "zh"),
    ("chinese (traditional)", "zh-TW"),
    ("mandarin", "zh"),
    ("brazilian portuguese", "pt-BR"),
    ("farsi", "fa"),
];

/// Reads a conversation; `named` are the languages that the model's name says. The text is the
/// user's last message, without an instruction that it begins with.
///
/// # Errors
/// When it asks for no translation, or not into which language.
pub fn read(messages: &[Value], named: Option<(Option<Lang>, Lang)>) -> Result<Asked, Failure> {
    let of = |role: &str| {
        let own = messages.iter().filter(move |message| message["role"] == role);
        own.map(|message| content(&message["content"])).collect::<Result<Vec<String>, _>>()
    };
    let text = of("user")?.pop().filter(|text| !text.trim().is_empty());
    let text =
        text.ok_or_else(|| Failure::bad("messages: expected one of the user with a text"))?;
    if let Some((from, to)) = named {
        return Ok(Asked { text, from, to });
    }
    let system = [of("system")?, of("developer")?].concat().join("\n");
    if let Some((from, to)) = instruction(&system) {
        return Ok(Asked { text, from, to });
    }
    if let Some((instructed, rest)) = divided(&text)
        && let Some((from, to)) = instruction(instructed)
    {
        return Ok(Asked { text: rest.to_string(), from, to });
    }
    Err(Failure::bad(
        "messages: expected a text to translate; name the language in the model, as polygist:fr, \
         or instruct: \"Translate into French:\" before the text or as the system's message. \
         Nothing else is answered here",
    ))
}

/// The text of a message: as it is, or in parts.
fn content(content: &Value) -> Result<String, Failure> {
    let text_of = |part: &Value| match (&part["type"], &part["text"]) {
        (Value::String(kind), Value::String(text)) if kind == "text" => Ok(text.clone()),
        _ => Err(Failure::bad("messages: expected texts; nothing else is translated here")),
    };
    match content {
        Value::String(text) => Ok(text.clone()),
        Value::Array(parts) => parts.iter().map(text_of).collect(),
        _ => Err(Failure::bad("messages: expected a content that is a text")),
    }
}

/// An instruction, and the text after it: it ends at a blank line, at the end of its line, or at a
/// colon within it.
fn divided(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let line = text.lines().next().unwrap_or_default();
    // What follows is the text; a colon in the instruction's own line may come before it.
    let after_line = &text[line.len()..];
    let (instructed, rest) = if after_line.trim().is_empty() {
        let end = TRANSLATE.find(line)?.end();
        let colon = line[end..].find([':', '：'])? + end;
        let width = line[colon..].chars().next().map_or(1, char::len_utf8);
        (&line[..colon], &line[colon + width..])
    } else {
        (line, after_line)
    };
    let rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
    let is_one = instructed.len() <= LONGEST_INSTRUCTION && !rest.is_empty();
    is_one.then_some((instructed, rest))
}

/// The languages that an instruction names.
fn instruction(text: &str) -> Option<(Option<Lang>, Lang)> {
    let text = &text[TRANSLATE.find(text)?.start()..];
    let named = |words: &Regex| words.find_iter(text).find_map(|found| name(&text[found.end()..]));
    let to = named(&INTO)?;
    Some((named(&FROM).filter(|from| *from != to), to))
}

/// The language whose name, or code, a text begins with: the longest.
fn name(text: &str) -> Option<Lang> {
    let text = text.trim_start_matches(['"', '\'', '“', '«', '*', '`', '<', '[', '(', ' ']);
    let start: String = text.chars().take(40).flat_map(char::to_lowercase).collect();
    let begins = |name: &str| {
        let rest = start.strip_prefix(name.to_lowercase().as_str());
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)).then_some(name.len())
    };
    let table = languages::all().iter().flat_map(|(code, language)| {
        [&language.name, &language.native].map(|name| (name.as_str(), code.as_str()))
    });
    let longest = table
        .chain(OTHER_NAMES)
        .filter_map(|(name, code)| Some((begins(name)?, code)))
        .max_by_key(|(length, _)| *length);
    if let Some((_, code)) = longest {
        return Lang::parse(code);
    }
    // A code is told from a word by what follows it.
    let end = start.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(start.len());
    let code = Lang::parse(&start[..end]).map(|lang| languages::canonical(&lang))?;
    let is_code = languages::all().contains_key(code.as_str()) && !WORDS.contains(&code.as_str());
    is_code.then_some(code)
}

/// Codes that are English words, which follow "to" and "from".
const WORDS: [&str; 7] = ["be", "is", "it", "no", "so", "my", "or"];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_all(messages: Value) -> Option<(String, Option<String>, String)> {
        let asked = read(messages.as_array().unwrap(), None).ok()?;
        Some((asked.text, asked.from.map(|from| from.to_string()), asked.to.to_string()))
    }

    fn system(system: &str) -> Option<(Option<String>, String)> {
        let messages = json!([
            {"role": "system", "content": system},
            {"role": "user", "content": "Translate this: to German"},
        ]);
        let (text, from, to) = read_all(messages)?;
        assert_eq!(text, "Translate this: to German");
        Some((from, to))
    }

    #[test]
    fn instructions_of_the_system_name_the_languages() {
        let to = |to: &str| Some((None, to.to_string()));
        for (prompt, found) in [
            ("You are a translator. Translate the user's text into French.", to("fr")),
            ("Translate to Simplified Chinese. Keep the markup.", to("zh")),
            ("You are a professional translation engine. Translate into: zh-TW", to("zh-TW")),
            ("translate everything to **Brazilian Portuguese**, nothing else", to("pt-BR")),
            ("Translate the text to deutsch", to("de")),
            ("Translate it to be read by children, into Spanish", to("es")),
            ("Translate from English to Japanese", Some((Some("en".into()), "ja".into()))),
        ] {
            assert_eq!(system(prompt), found, "{prompt}");
        }
    }

    #[test]
    fn an_instruction_before_the_text_is_no_part_of_it() {
        let user = |text: &str| read_all(json!([{"role": "user", "content": text}]));
        let found = |text: &str, to: &str| Some((text.to_string(), None, to.to_string()));
        let text = "Hello: world.\n\nBye.";
        assert_eq!(
            user(&format!("Translate the following text into French:\n\n{text}")),
            found(text, "fr")
        );
        assert_eq!(user(&format!("Translate to French\n{text}")), found(text, "fr"));
        assert_eq!(user("Translate into Italian: Good morning"), found("Good morning", "it"));
        let parts = json!([{"role": "user", "content": [
            {"type": "text", "text": "Translate to Czech:\n"}, {"type": "text", "text": "One"},
        ]}]);
        assert_eq!(read_all(parts), found("One", "cs"));
        for other in [
            "What is the capital of France?",
            "Translate this: Good morning",
            "Translate into French",
            "Go to German class: and then",
            "",
            " \n ",
        ] {
            assert_eq!(user(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let image = json!([{"type": "image_url", "image_url": {"url": "http://example.org"}}]);
        for content in [image, json!(7), json!({}), Value::Null] {
            assert_eq!(read_all(json!([{"role": "user", "content": content}])), None);
        }
        assert_eq!(
            read_all(json!([{"role": "assistant", "content": "Translate to French: a"}])),
            None
        );
        assert_eq!(read_all(json!(["x", null, 3])), None);
    }
}
