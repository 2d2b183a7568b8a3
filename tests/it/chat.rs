//! Chat templates of many families: rendered as `transformers` renders them, written down by
//! scripts/fixtures/make_chat.py.

use crate::common::{fixture, json};
use polygist::generate::{ChatTemplate, Conversation, SpecialTokens};
use serde::Deserialize;

#[derive(Deserialize)]
struct Family {
    name: String,
    template: String,
    bos: String,
    eos: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    system: String,
    turns: Vec<(String, String)>,
    text: String,
    /// `None` where the template refuses the conversation.
    rendered: Option<String>,
}

fn families() -> Vec<Family> {
    serde_json::from_value(json(fixture("chat.json"))).unwrap()
}

fn conversation(case: &Case) -> Conversation<'_> {
    Conversation {
        system: Some(case.system.as_str()).filter(|system| !system.is_empty()),
        turns: case.turns.iter().map(|(user, model)| (user.as_str(), model.as_str())).collect(),
        instruction: "Say: ",
        ..Conversation::default()
    }
}

#[test]
fn conversations_are_written_as_transformers_writes_them() {
    let mut compared = 0;
    for Family { name, template, bos, eos, cases } in families() {
        for adds_bos in [false, true] {
            let tokens = SpecialTokens { bos: bos.clone(), eos: eos.clone(), adds_bos };
            let template = ChatTemplate::new(&template, tokens).unwrap();
            for case in &cases {
                let prompt = template.render(&conversation(case)).unwrap();
                let found = format!("{}{}{}", prompt.prefix, case.text, prompt.suffix);
                let Some(expected) = &case.rendered else {
                    // The user says first what has no turn of its own.
                    assert!(found.contains(&format!("{}\n\nSay: ", case.system)), "{found}");
                    continue;
                };
                // The tokenizer writes the begin token where it does so by itself.
                let expected = match adds_bos && !bos.is_empty() {
                    true => expected.strip_prefix(&bos).unwrap_or(expected),
                    false => expected,
                };
                assert_eq!(found, expected, "{name}, {adds_bos}");
                compared += 1;
            }
        }
    }
    assert!(compared > 120, "{compared}");
}
