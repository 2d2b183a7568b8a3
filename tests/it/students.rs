//! What people complained of with Firefox's models, in the pairs of Portuguese, on the real models.
//! They are looked for in the folder that `POLYGIST_MODELS` names (`pten-1693087646` and
//! `enpt-1693087644` in it), or else among the installed models; where there are none, the test
//! says so and passes.

use polygist::{ModelStore, Translator};
use std::path::PathBuf;

/// A translator with the model of a pair, by its folder and its name in the catalog.
fn translator(folder: &str, name: &str) -> Option<Translator> {
    let folder = std::env::var_os("POLYGIST_MODELS").map(|all| PathBuf::from(all).join(folder));
    let model = match folder.filter(|folder| folder.is_dir()) {
        Some(folder) => folder.to_string_lossy().into_owned(),
        None => name.to_string(),
    };
    let store = ModelStore::builder().offline(true).open().ok()?;
    let found = Translator::builder().store(store).model(model).build().ok();
    if found.is_none() {
        eprintln!("{name} is neither installed nor in POLYGIST_MODELS: not tested");
    }
    found
}

#[test]
fn complaints_about_real_students_from_portuguese() {
    let Some(model) = translator("pten-1693087646", "firefox-pt-en-tiny") else { return };
    let exact = [
        ("VOCÊ SABIA?", "DID YOU KNOW?"),
        ("BOM DIA", "GOOD MORNING"),
        ("Bom dia!", "Good morning!"),
        ("Olá!", "Hello!"),
        ("h", "h"),
        ("Erik", "Erik"),
        ("A-a-a-a", "A-a-a-a"),
        ("O-o-o-o-o, isto é loucura", "O-o-o-o-o, this is madness"),
        ("O nome (biːdɛl, ˈʤuːliən) é raro.", "The name (biːdɛl, ˈʤuːliən) is rare."),
        ("Eu gosto de 😀 pizza.", "I like 😀 pizza."),
        ("🌞 Bom dia!", "🌞 Good morning!"),
        ("Olá {name}, você tem %d mensagens.", "Hello {name}, you have %d messages."),
    ];
    let texts: Vec<&str> = exact.iter().map(|(text, _)| *text).collect();
    let found = model.translate("pt", "en", texts).unwrap();
    for (found, (text, expected)) in found.iter().zip(exact) {
        assert_eq!(found.text, expected, "{text}");
    }
    // It is what Firefox goes round in circles with.
    let heading = model.translate("pt", "en", ["7. QUAIS COOKIES E QUAIS RASTREADORES?"]).unwrap();
    let ends = ["WHICH COOKIES AND WHICH TRACKERS?", "WHAT COOKIES AND WHICH TRACKERS?"];
    assert!(ends.iter().any(|end| heading[0].text == format!("7. {end}")), "{heading:?}");
    // A word that no one hyphenates there, and one with a capital that the vocabulary lacks.
    let found = model.translate("pt", "en", ["A ci\u{ad}da\u{ad}de é bo\u{ad}nita.", "A Índia."]);
    let found = found.unwrap();
    assert!(found[0].text.contains("city") && found[1].text.contains("India"), "{found:?}");
}

#[test]
fn complaints_about_real_students_into_portuguese() {
    let Some(model) = translator("enpt-1693087644", "firefox-en-pt-tiny") else { return };
    let exact = [
        ("DID YOU KNOW?", "VOCÊ SABIA?"),
        ("Erik", "Erik"),
        ("Good morning!", "Bom dia!"),
        ("changelog", "changelog"),
        ("The name (biːdɛl, ˈʤuːliən) is rare.", "O nome (biːdɛl, ˈʤuːliən) é raro."),
    ];
    let texts: Vec<&str> = exact.iter().map(|(text, _)| *text).collect();
    let found = model.translate("en", "pt", texts).unwrap();
    for (found, (text, expected)) in found.iter().zip(exact) {
        assert_eq!(found.text, expected, "{text}");
    }
    // A negation stays one.
    let found = model.translate("en", "pt", ["I strongly disagree with the mayor's views."]);
    assert!(found.unwrap()[0].text.contains("discordo"));
}

#[test]
fn real_students_leave_nothing_out_of_a_long_sentence() {
    let Some(model) = translator("pten-1693087646", "firefox-pt-en-tiny") else { return };
    // 300 words and no comma; a number in each part shows what became of it.
    let part = |n: usize| format!("o guarda número {n} que viu o barco perto da ponte");
    let text = (101..130).map(part).collect::<Vec<_>>().join(" e ") + ".";
    let found = model.translate("pt", "en", [&text]).unwrap().remove(0);
    let lost: Vec<usize> = (101..130).filter(|n| !found.text.contains(&n.to_string())).collect();
    assert!(lost.len() <= 1, "{lost:?} of {}", found.text);
}
