use super::super::{Edit, Settings};
use super::PO;
use crate::types::{Block, Lang, Marked};

fn settings(to: &str) -> Settings {
    Settings { to: Lang::parse(to), ..Settings::default() }
}

fn read(text: &str) -> Vec<Block> {
    PO.read(text.as_bytes(), &Settings::default()).unwrap()
}

fn texts(text: &str) -> Vec<String> {
    read(text).into_iter().map(|block| block.text).collect()
}

/// The catalog with each message translated by a sign before it.
fn translated(text: &str, to: &str) -> String {
    let edits: Vec<Edit> = read(text)
        .into_iter()
        .map(|block| {
            let mut new = Marked { text: block.text, inline: block.inline };
            new.inline.tags.iter_mut().for_each(|tag| tag.at += 1);
            new.text.insert(0, '~');
            Edit::Replace(new)
        })
        .collect();
    String::from_utf8(PO.write(text.as_bytes(), &settings(to), edits).unwrap()).unwrap()
}

const TEMPLATE: &str = r#"# Title
#, fuzzy
msgid ""
msgstr ""
"Project-Id-Version: x\n"
"Language: \n"
"Content-Type: text/plain; charset=CHARSET\n"
"Plural-Forms: nplurals=INTEGER; plural=EXPRESSION;\n"

#. To the user
#: a.c:1
#, c-format
msgid "Open <b>%s</b> now"
msgstr ""

msgctxt "menu"
msgid "Done"
msgstr "Fertig"

#, fuzzy
#| msgid "Old"
msgid "New"
msgstr "Alt"

#, c-format
msgid "One file"
msgid_plural "%d files"
msgstr[0] ""
msgstr[1] ""

msgid ""
"Usage:\n"
"  run \"it\"\n"
msgstr ""

#~ msgid "Gone"
#~ msgstr ""
"#;

#[test]
fn messages_without_a_translation_get_one() {
    assert_eq!(
        texts(TEMPLATE),
        ["Open %s now", "New", "One file", "%d files", "Usage:", "run \"it\""]
    );
    let expected = TEMPLATE
        .replacen("#, fuzzy\nmsgid \"\"", "msgid \"\"", 1)
        .replace("\"Language: \\n\"", "\"Language: ru\\n\"")
        .replace("charset=CHARSET", "charset=UTF-8")
        .replace(
            "\"Plural-Forms: nplurals=INTEGER; plural=EXPRESSION;\\n\"",
            "\"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && \"\n\
             \"n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);\\n\"",
        )
        .replace("#, c-format", "#, fuzzy, c-format")
        .replace("now\"\nmsgstr \"\"", "now\"\nmsgstr \"~Open <b>%s</b> now\"")
        .replace("\"Alt\"", "\"~New\"")
        .replace(
            "msgstr[0] \"\"\nmsgstr[1] \"\"",
            "msgstr[0] \"~%d files\"\nmsgstr[1] \"~%d files\"\nmsgstr[2] \"~%d files\"",
        )
        .replace("msgid \"\"\n\"Usage", "#, fuzzy\nmsgid \"\"\n\"Usage")
        .replace(
            "it\\\"\\n\"\nmsgstr \"\"",
            "it\\\"\\n\"\nmsgstr \"\"\n\"~Usage:\\n\"\n\"  ~run \\\"it\\\"\\n\"",
        );
    assert_eq!(translated(TEMPLATE, "ru"), expected);
    let german = translated(TEMPLATE, "de");
    assert!(german.contains("msgstr[0] \"~One file\"\nmsgstr[1] \"~%d files\"\n\n"), "{german}");
    assert!(translated(TEMPLATE, "ja").contains("msgstr[0] \"~%d files\"\n\n"));
    assert!(translated(TEMPLATE, "pt-BR").contains("Language: pt_BR"));
}

#[test]
fn placeholders_are_kept_by_the_flags_of_their_message() {
    let kept = |flag: &str, message: &str| -> Vec<String> {
        let text = format!("#, {flag}\nmsgid \"{message}\"\nmsgstr \"\"\n");
        let block = read(&text).remove(0);
        block.inline.kept.iter().map(|k| block.text[k.clone()].to_string()).collect()
    };
    assert_eq!(kept("c-format", "%1$s has %5.2f% d %%"), ["%1$s", "%5.2f", "% d", "%%"]);
    assert_eq!(kept("python-format", "%(who)s: %s"), ["%(who)s", "%s"]);
    assert_eq!(kept("python-brace-format", "{} of {0} {a.b!r:>3}"), ["{}", "{0}", "{a.b!r:>3}"]);
    assert_eq!(kept("qt-format", "%1 of %L2, %n"), ["%1", "%L2", "%n"]);
    assert_eq!(kept("fuzzy", "100% sure of %s &amp; {x}"), ["%s", "&amp;", "{x}"]);
}

#[test]
fn nothing_changed_is_the_same_to_the_byte() {
    for text in [TEMPLATE.to_string(), TEMPLATE.replace('\n', "\r\n")] {
        let same = read(&text).into_iter().map(|_| Edit::Keep);
        assert_eq!(PO.write(text.as_bytes(), &settings("de"), same).unwrap(), text.as_bytes());
    }
    let windows = translated(&TEMPLATE.replace('\n', "\r\n"), "de");
    assert_eq!(windows.replace("\r\n", "\n"), translated(TEMPLATE, "de"));
}

#[test]
fn broken_catalogs_say_where() {
    for (text, says) in [
        ("msgid \"a\nmsgstr \"\"\n", "line 1: a string has no end"),
        ("msgid \"a\"\nmsgstr b\n", "line 2: expected msgid"),
        ("\"a\"\n", "line 1: expected"),
        ("msgid \"a\"\n", "has no msgstr"),
        ("hello\n", "line 1"),
        ("", "no messages"),
        ("# only\n", "no messages"),
    ] {
        let error = PO.read(text.as_bytes(), &Settings::default()).unwrap_err().to_string();
        assert!(error.contains(says), "{text:?}: {error}");
    }
    // Cut anywhere, it is read as far as it goes or refused.
    for end in (0..TEMPLATE.len()).filter(|&end| TEMPLATE.is_char_boundary(end)) {
        let _ = PO.read(&TEMPLATE.as_bytes()[..end], &Settings::default());
    }
}

#[test]
fn each_case_of_a_message_is_a_text() {
    let text =
        "msgid \"{n, plural, one {# file of %(name)s} other {{name} has # files}}\"\nmsgstr \"\"\n";
    let found: Vec<String> = read(text).into_iter().map(|block| block.text).collect();
    assert_eq!(found, ["# file of %(name)s", "{name} has # files"]);
    let kept: Vec<usize> = read(text).iter().map(|block| block.inline.kept.len()).collect();
    assert_eq!(kept, [2, 2]);
    let write = |texts: [&str; 2]| {
        let edits = texts.map(|text| Edit::Replace(Marked::plain(text)));
        String::from_utf8(PO.write(text.as_bytes(), &Settings::default(), edits).unwrap()).unwrap()
    };
    let new = write(["# Datei von %(name)s", "{name} hat # Dateien"]);
    let expected = "{n, plural, one {# Datei von %(name)s} other {{name} hat # Dateien}}";
    assert!(new.contains(expected), "{new}");
    // What would read otherwise stays.
    assert!(!write(["Datei von %(name)s", "{name} hat # Dateien"]).contains("Datei"));
}
