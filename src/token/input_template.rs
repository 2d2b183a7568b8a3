//! The template of an encoder's input: the tokens around a text.

/// A place beside the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// Always this token.
    Token(u32),
    /// The token of the text's language, if one is named.
    Language,
}

/// The places before and after the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct InputTemplate {
    pub before: Vec<Slot>,
    pub after: Vec<Slot>,
}

impl InputTemplate {
    /// Whether a language token has a place of its own. Otherwise it stands at the head of the
    /// text, as a part of it.
    pub fn has_language(&self) -> bool {
        self.before.iter().chain(&self.after).any(|s| *s == Slot::Language)
    }

    /// The whole that the encoder reads.
    pub fn fill(&self, language: Option<u32>, body: Vec<u32>) -> Vec<u32> {
        let tokens = |slots: &[Slot]| -> Vec<u32> {
            let token = |slot: &Slot| match slot {
                Slot::Token(id) => Some(*id),
                Slot::Language => language,
            };
            slots.iter().filter_map(token).collect()
        };
        let mut ids = tokens(&self.before);
        ids.extend(body);
        ids.extend(tokens(&self.after));
        ids
    }
}
