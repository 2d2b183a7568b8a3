//! The chat template in a model's files.

use crate::checkpoint::Config;
use crate::error::Result;
use crate::generate::{ChatTemplate, SpecialTokens};
use crate::io::weights::{optional_json, optional_text};
use crate::token::Tokenizer;
use serde_json::Value;
use std::path::Path;

/// The template of a GGUF file, or of a folder in the Hub's layout: in a file of its own, or in
/// `tokenizer_config.json`; `None` where there is none. One that cannot be used is none either:
/// `warn` gets the reason.
///
/// # Errors
/// When a file cannot be read or is not what it should be.
pub(super) fn template(
    path: &Path,
    config: &Config,
    tokenizer: &Tokenizer,
    warn: &mut dyn FnMut(&str),
) -> Result<Option<ChatTemplate>> {
    let (source, special) = match config {
        Config::Gguf(_) => (config.gguf_str("tokenizer.chat_template"), of_gguf(config, tokenizer)),
        Config::Json(_) => {
            let settings = optional_json(path, "tokenizer_config.json")?;
            (in_folder(path, &settings)?, of_settings(&settings, tokenizer))
        }
    };
    Ok(source.and_then(|source| match ChatTemplate::new(&source, special) {
        Ok(template) => Some(template),
        Err(why) => {
            warn(&format!("{}: {why}; it is not used", path.display()));
            None
        }
    }))
}

/// The text of the template in a folder, the newest way of keeping it first.
fn in_folder(path: &Path, settings: &Value) -> Result<Option<String>> {
    if let Some(text) = optional_text(path, "chat_template.jinja")? {
        return Ok(Some(text));
    }
    let own = optional_json(path, "chat_template.json")?;
    Ok([&own, settings].into_iter().find_map(|file| text(file.get("chat_template")?)))
}

/// A template, or of several with names the one called `default`.
fn text(template: &Value) -> Option<String> {
    let is_default = |entry: &&Value| entry.get("name").and_then(Value::as_str) == Some("default");
    let text = match template {
        Value::Array(all) => all.iter().find(is_default)?.get("template")?,
        one => one,
    };
    text.as_str().map(String::from)
}

fn of_gguf(config: &Config, tokenizer: &Tokenizer) -> SpecialTokens {
    let token = |name: &str| {
        let Config::Gguf(meta) = config else { return None };
        let id = meta.get(&format!("tokenizer.ggml.{name}_token_id"))?.to_u32().ok()?;
        tokenizer.token(id)
    };
    special(token("bos"), token("eos"), tokenizer)
}

fn of_settings(settings: &Value, tokenizer: &Tokenizer) -> SpecialTokens {
    let token = |name: &str| {
        let token = settings.get(name)?;
        token.get("content").unwrap_or(token).as_str().map(String::from)
    };
    special(token("bos_token"), token("eos_token"), tokenizer)
}

fn special(bos: Option<String>, eos: Option<String>, tokenizer: &Tokenizer) -> SpecialTokens {
    let begin = tokenizer.begin().and_then(|id| tokenizer.token(id));
    SpecialTokens {
        adds_bos: begin.is_some(),
        bos: begin.or(bos).unwrap_or_default(),
        eos: eos.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Capability, Generate};
    use crate::model::{self, Runtime};
    use crate::types::Prompting;
    use serde_json::json;
    use std::fs;

    #[test]
    fn a_folder_keeps_its_template_in_one_of_three_ways() {
        let dir = tempfile::tempdir().unwrap();
        let find = |settings: Value| in_folder(dir.path(), &settings).unwrap();
        assert_eq!(find(json!({"bos_token": "<s>"})), None);
        let named = [
            json!({"name": "tool_use", "template": "other"}),
            json!({"name": "default", "template": "one"}),
        ];
        assert_eq!(find(json!({"chat_template": named})).as_deref(), Some("one"));
        let settings = json!({"chat_template": "two"});
        assert_eq!(find(settings.clone()).as_deref(), Some("two"));
        let own = json!({"chat_template": "three"}).to_string();
        fs::write(dir.path().join("chat_template.json"), own).unwrap();
        assert_eq!(find(settings.clone()).as_deref(), Some("three"));
        fs::write(dir.path().join("chat_template.jinja"), "four").unwrap();
        assert_eq!(find(settings).as_deref(), Some("four"));
    }

    #[test]
    fn a_template_makes_a_chat_model_unless_the_catalog_says_otherwise() {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models/llama");
        let dir = tempfile::tempdir().unwrap();
        for name in ["config.json", "model.safetensors", "tokenizer.json"] {
            fs::copy(fixture.join(name), dir.path().join(name)).unwrap();
        }
        let open = |warn: &mut dyn FnMut(&str)| {
            model::open_with("llama", dir.path(), None, &Runtime::cpu(), warn).unwrap()
        };
        assert_eq!(open(&mut |_| {}).capabilities(), [Capability::FewShot]);
        let file = dir.path().join("chat_template.jinja");
        fs::write(&file, "{{ messages[0].content }}").unwrap();
        let chats = open(&mut |_| {});
        assert!(matches!(chats.capabilities(), [Capability::Chat(_)]));
        let chats = chats.with_prompting(Prompting::FewShot);
        assert!(matches!(chats.capabilities(), [Capability::FewShot, Capability::Chat(_)]));
        // One that is no Jinja is none, and the user hears of it.
        fs::write(&file, "{% for %}").unwrap();
        let mut warnings = Vec::new();
        let engine = open(&mut |text| warnings.push(text.to_string()));
        assert_eq!(engine.capabilities(), [Capability::FewShot]);
        assert!(warnings[0].contains("it is not used"), "{warnings:?}");
    }
}
