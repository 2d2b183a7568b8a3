use super::super::{Edit, Settings};
use super::XLIFF;
use crate::types::{Block, Lang, Marked};

fn settings(to: &str) -> Settings {
    Settings { to: Lang::parse(to), ..Settings::default() }
}

fn read(text: &str) -> Vec<Block> {
    XLIFF.read(text.as_bytes(), &Settings::default()).unwrap()
}

fn texts(text: &str) -> Vec<String> {
    read(text).into_iter().map(|block| block.text).collect()
}

fn shouted(text: &str) -> String {
    let edits = read(text)
        .into_iter()
        .map(|b| Edit::Replace(Marked { text: b.text.to_uppercase(), inline: b.inline }));
    let edits: Vec<Edit> = edits.collect();
    String::from_utf8(XLIFF.write(text.as_bytes(), &settings("de"), edits).unwrap()).unwrap()
}

const ONE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
 <file source-language="en" original="a" datatype="html"><body>
  <trans-unit id="1">
   <source>Press <g id="1">the <x id="2"/>key</g> &amp; wait <ph id="3">&lt;br&gt;</ph>now</source>
   <alt-trans><source>No</source><target>Nein</target></alt-trans>
  </trans-unit>
  <trans-unit id="2" approved="yes"><source>Yes</source><target>Ja</target></trans-unit>
  <trans-unit id="3" translate="no"><source>Code</source></trans-unit>
  <trans-unit id="4"><source>Old</source><target state="new">Old</target></trans-unit>
  <trans-unit id="5"><source>Two. Parts.</source><seg-source><mrk mtype="seg" mid="0">Two.</mrk> <mrk mtype="seg" mid="1">Parts.</mrk></seg-source></trans-unit>
  <trans-unit id="6"><source>Done</source><target>Fertig</target></trans-unit>
 </body></file>
</xliff>
"#;

#[test]
fn version_one() {
    assert_eq!(texts(ONE), ["Press the key & wait now", "Old", "Two.", "Parts."]);
    let state = " state=\"needs-review-translation\" state-qualifier=\"leveraged-mt\"";
    let expected = ONE
        .replace("datatype=\"html\"", "datatype=\"html\" target-language=\"de\"")
        .replace(
            "now</source>",
            &format!("now</source>\n   <target{state}>PRESS <g id=\"1\">THE <x id=\"2\"/>KEY</g> &amp; WAIT <ph id=\"3\">&lt;br&gt;</ph>NOW</target>"),
        )
        .replace("<target state=\"new\">Old", &format!("<target{state}>OLD"))
        .replace(
            "</seg-source>",
            &format!("</seg-source>\n  <target{state}><mrk mtype=\"seg\" mid=\"0\">TWO.</mrk> <mrk mtype=\"seg\" mid=\"1\">PARTS.</mrk></target>"),
        );
    assert_eq!(shouted(ONE), expected);
}

#[test]
fn version_two() {
    let two = r#"<xliff version="2.0" srcLang="en" xmlns="urn:oasis:names:tc:xliff:document:2.0"><file id="f"><unit id="u">
<segment><source>One <pc id="1">bold</pc> <sc id="2"/>word<ec startRef="2"/></source></segment>
<segment state="final"><source>Two</source><target>Zwei</target></segment>
<ignorable><source> </source></ignorable></unit>
<unit id="v" translate="no"><segment><source>Three</source></segment></unit></file></xliff>"#;
    assert_eq!(texts(two), ["One bold word"]);
    assert_eq!(
        shouted(two),
        two.replace("document:2.0\"", "document:2.0\" trgLang=\"de\"")
            .replace("<segment><source>One", "<segment state=\"translated\"><source>One")
            .replace("/></source></segment>", "/></source>\n<target>ONE <pc id=\"1\">BOLD</pc> <sc id=\"2\"/>WORD<ec startRef=\"2\"/></target></segment>")
    );
}

#[test]
fn nothing_changed_is_the_same_to_the_byte() {
    let same = read(ONE).into_iter().map(|_| Edit::Keep);
    assert_eq!(XLIFF.write(ONE.as_bytes(), &settings("de"), same).unwrap(), ONE.as_bytes());
}

#[test]
fn broken_and_hostile_files() {
    let laughs =
        "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><xliff version=\"1.2\"/>";
    let unknown = ONE.replace("&amp;", "&b;");
    let deep = format!("<xliff version=\"1.2\">{}", "<group>".repeat(100_000));
    for text in [laughs, &unknown, &deep, "", "<a/>", "<xliff", "no XML at all"] {
        assert!(XLIFF.read(text.as_bytes(), &Settings::default()).is_err());
    }
    // A document type outside of the file is not fetched.
    let outside =
        ONE.replace("<xliff ", "<!DOCTYPE xliff SYSTEM \"http://127.0.0.1:1/x.dtd\">\n<xliff ");
    assert_eq!(texts(&outside), texts(ONE));
    for end in (0..ONE.trim_end().len()).filter(|&end| ONE.is_char_boundary(end)) {
        assert!(XLIFF.read(&ONE.as_bytes()[..end], &Settings::default()).is_err(), "{end}");
    }
    let french = ONE.replace("datatype", "target-language=\"fr\" datatype");
    let edits = read(&french).into_iter().map(|_| Edit::Replace(Marked::plain("x")));
    let error = XLIFF.write(french.as_bytes(), &settings("de"), edits).unwrap_err();
    assert!(error.to_string().contains("--to fr"), "{error}");
}

#[test]
fn each_case_of_a_message_is_a_text() {
    let unit = "<source>{n, select, a {one &amp; two} other {# {x}s}}</source></trans-unit>\
        <trans-unit id=\"0\"><source>";
    let text = ONE.replacen("<source>", unit, 1);
    assert_eq!(texts(&text)[..2], ["one & two", "# {x}s"]);
    let edits = ["eins & zwei", "# {x}e"].map(|text| Edit::Replace(Marked::plain(text)));
    let rest = texts(&text).into_iter().skip(2).map(|_| Edit::Keep);
    let edits: Vec<Edit> = edits.into_iter().chain(rest).collect();
    let out = XLIFF.write(text.as_bytes(), &settings("de"), edits).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains(">{n, select, a {eins &amp; zwei} other {# {x}e}}</target>"), "{out}");
}
