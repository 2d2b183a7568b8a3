//! The capabilities of a model, by its files and the catalog. Tasks look for a capability that
//! serves them and never ask for a family.

use super::{ChatTemplate, DecodingOptions};
use crate::types::Prompting;

/// One thing that a model can do, with what is needed to ask for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Capability {
    /// Translation by an encoder–decoder model, between the languages that
    /// [`super::Generate::language_prompt`] knows.
    Translation,
    /// Summarization by an encoder–decoder model, which reads the text itself.
    Summarization {
        /// Words before the text (`summarize: `); empty for most.
        prefix: String,
        /// Options for summaries, by the model's own files.
        options: DecodingOptions,
    },
    /// Continuation of a pattern: a base language model learns the task from examples in its
    /// prompt.
    FewShot,
    /// Translation by a language model that was fine-tuned on the few-shot prompt without its
    /// examples.
    FineTuned,
    /// Instructions, in a conversation that is written as the template says.
    Chat(ChatTemplate),
}

impl Capability {
    /// The capabilities of a language model whose files may bring a chat template, the preferred
    /// one first; `prompting` is how the catalog or an adapter wants it to be asked, where one of
    /// them says so. A chat model without a template is taken to read ChatML.
    pub fn of_language_model(
        prompting: Option<Prompting>,
        template: Option<ChatTemplate>,
    ) -> Vec<Capability> {
        let chat = template.map(Capability::Chat);
        match prompting {
            Some(Prompting::FineTuned) => [Capability::FineTuned].into_iter().chain(chat).collect(),
            Some(Prompting::FewShot) => [Capability::FewShot].into_iter().chain(chat).collect(),
            Some(Prompting::Chat) => {
                vec![chat.unwrap_or_else(|| Capability::Chat(ChatTemplate::chatml()))]
            }
            None => vec![chat.unwrap_or(Capability::FewShot)],
        }
    }

    /// The template, of a model that chats.
    pub fn chat_template(&self) -> Option<&ChatTemplate> {
        match self {
            Capability::Chat(template) => Some(template),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_and_adapters_go_before_the_files() {
        let template = || Some(ChatTemplate::chatml());
        let chat = || Capability::Chat(ChatTemplate::chatml());
        for (prompting, template, expected) in [
            (None, None, vec![Capability::FewShot]),
            (None, template(), vec![chat()]),
            (Some(Prompting::FewShot), template(), vec![Capability::FewShot, chat()]),
            (Some(Prompting::FineTuned), None, vec![Capability::FineTuned]),
            (Some(Prompting::Chat), None, vec![chat()]),
        ] {
            assert_eq!(Capability::of_language_model(prompting, template), expected);
        }
    }
}
