use super::super::{DocumentFormat, Edit, Settings};
use super::{SRT, VTT};
use crate::text::inline;
use crate::types::{Block, Marked};

fn read(format: &DocumentFormat, text: &str) -> Vec<Block> {
    format.read(text.as_bytes(), &Settings::default()).unwrap()
}

/// The texts of a file, with their markup.
fn texts(format: &DocumentFormat, text: &str) -> Vec<String> {
    let marked = |b: Block| Marked { text: b.text, inline: b.inline }.to_markup();
    read(format, text).into_iter().map(marked).collect()
}

/// The file in which each text stands for itself in capitals.
fn shouted(format: &DocumentFormat, text: &str) -> String {
    let edits = read(format, text)
        .into_iter()
        .map(|b| Edit::Replace(Marked { text: b.text.to_uppercase(), inline: b.inline }));
    let edits: Vec<Edit> = edits.collect();
    let bytes = format.write(text.as_bytes(), &Settings::default(), edits).unwrap();
    String::from_utf8(bytes).unwrap()
}

const FILM: &str = "1\r\n00:00:01,000 --> 00:00:03,000\r\n{\\an8}<i>When the bridge is closed,</i>\r\n\r\n\
    2\r\n00:00:03,100 --> 00:00:05,000 X1:10\r\n<i>nobody can cross\r\nthe river.</i>\r\n\r\n\
    3\r\n00:00:06,000 --> 00:00:08,000\r\n- Really?\r\n- <b>Yes.</b>\r\n\r\n\
    4\r\n00:00:09,000 --> 00:00:10,000\r\n♪ La la ♪\r\n\r\n";

#[test]
fn sentences_over_cues_and_speakers() {
    assert_eq!(
        texts(&SRT, &FILM.replace("{\\an8}", "")),
        ["When the bridge is closed,\n nobody can cross the river.", "Really?", "Yes.", "La la"]
    );
    // Another place on the screen is another text.
    assert_eq!(texts(&SRT, FILM).len(), 5);
    assert_eq!(
        shouted(&SRT, &FILM.replace("{\\an8}", "")),
        FILM.replace("{\\an8}", "")
            .replace("When the bridge is closed,", "WHEN THE BRIDGE IS CLOSED,")
            .replace("nobody can cross\r\nthe river.", "NOBODY CAN CROSS THE RIVER.")
            .replace("Really?", "REALLY?")
            .replace("Yes.", "YES.")
            .replace("La la", "LA LA")
    );
}

#[test]
fn nothing_changed_is_the_same_to_the_byte() {
    let vtt = "\u{FEFF}WEBVTT\nLanguage: de\n\nSTYLE\n::cue {}\n\n1\n00:01.000 --> 00:02.000 \
        line:0\n<v Ann>Hi &amp; bye\n\nNOTE x\n\n";
    for (format, text) in [(&SRT, FILM), (&VTT, vtt)] {
        let all = read(format, text);
        let same = all.into_iter().map(|_| Edit::Keep);
        let to = Settings { to: crate::types::Lang::parse("en"), ..Settings::default() };
        assert_eq!(format.write(text.as_bytes(), &to, same).unwrap(), text.as_bytes());
    }
}

#[test]
fn webvtt_keeps_voices_styles_and_notes() {
    let text = "WEBVTT\nKind: captions\nLanguage: de\n\nNOTE nichts\n\nid 7\n00:01.000 --> 00:02.000 \
        align:left\n<v Ann><c.red>Ja</c> &amp; <00:01.500>nein\n";
    let to = Settings { to: crate::types::Lang::parse("en"), ..Settings::default() };
    let mut block = read(&VTT, text).remove(0);
    assert_eq!(block.text, "Ja & nein");
    block.text = "So & so".into();
    let edit = Edit::Replace(Marked { text: block.text, inline: block.inline });
    let out = VTT.write(text.as_bytes(), &to, [edit]).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        text.replace("Language: de", "Language: en")
            .replace("Ja</c> &amp; <00:01.500>nein", "So</c> &amp; <00:01.500>so")
    );
}

#[test]
fn two_languages_stand_below_each_other() {
    let edits = [Edit::Keep, Edit::Keep, Edit::Append(Marked::plain("Wirklich?"))];
    let out = SRT.write(FILM.as_bytes(), &Settings::default(), edits).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert_eq!(out, FILM.replace("- Really?", "- Really?\r\n- Wirklich?"));
}

#[test]
fn long_texts_get_two_lines_and_markup_stays_whole() {
    let text = "1\n00:00:01,000 --> 00:00:03,000\n<i>One</i> two.\n";
    let mut block = read(&SRT, text).remove(0);
    block.text = "A translation of which both lines are needed, so that it fits.".into();
    block.inline.tags[1].at = block.text.len();
    let edit = Edit::Replace(Marked { text: block.text, inline: block.inline });
    let out = SRT.write(text.as_bytes(), &Settings::default(), [edit]).unwrap();
    assert!(
        String::from_utf8(out).unwrap().ends_with(
            "\n<i>A translation of which both lines\nare needed, so that it fits.</i>\n"
        )
    );
}

#[test]
fn tags_stay_with_their_cues() {
    let film = "1\n00:00:01,000 --> 00:00:03,000\n{\\an8}<i>When the <b>bridge</b> is closed,</i>\n\n\
        2\n00:00:03,100 --> 00:00:05,000\n{\\an8}<i>nobody can <b>cross</b></i>\n\n\
        3\n00:00:05,100 --> 00:00:07,000\nthe <u>river</u> {\\i1}at all{\\i0}.\n";
    // Wherever a translation has the words, each cue has its own tags once.
    let blocks = read(&SRT, film);
    assert_eq!(blocks.len(), 1, "{blocks:?}");
    let source = blocks[0].marked();
    for text in [
        "At all nobody can cross the river when the bridge is closed.",
        "The river nobody can cross at all, bridge closed.",
        "Closed.",
        "",
        "cross bridge bridge cross river river bridge cross at all at all the river the bridge",
    ] {
        let inline = inline::place(&source, text, &[]);
        let edit = Edit::Replace(Marked { text: text.into(), inline });
        let out = SRT.write(film.as_bytes(), &Settings::default(), [edit]).unwrap();
        let out = String::from_utf8(out).unwrap();
        let cues: Vec<&str> = out.split("\n\n").collect();
        let counts = |cue: &str| {
            ["{\\an8}", "<i>", "</i>", "<b>", "</b>", "<u>", "</u>", "{\\i1}", "{\\i0}"]
                .map(|tag| cue.matches(tag).count())
        };
        let found: Vec<_> = cues.iter().map(|cue| counts(cue)).collect();
        let (outer, inner) = ([1, 1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 1, 1, 1]);
        assert_eq!(found, [outer, outer, inner], "{text}:\n{out}");
        for cue in &cues[..2] {
            let at = |tag: &str| cue.find(tag).unwrap();
            assert!(cue.ends_with("</i>") && at("<i>") < at("<b>") && at("<b>") < at("</b>"));
        }
    }
}

#[test]
fn broken_files() {
    let settings = Settings::default();
    for text in ["", "WEBVTT\n\n", "Just text.\n", "1\n00:00 -> 00:01\nx\n", "\0\0\0\0\0\0\0"] {
        for format in [&SRT, &VTT] {
            assert!(format.read(text.as_bytes(), &settings).is_err(), "{text:?}");
        }
    }
    // A file that is cut anywhere is read as far as it goes, or refused.
    for end in (0..FILM.len()).filter(|&end| FILM.is_char_boundary(end)) {
        if let Ok(blocks) = SRT.read(&FILM.as_bytes()[..end], &settings) {
            let same = blocks.iter().map(|_| Edit::Keep);
            let out = SRT.write(&FILM.as_bytes()[..end], &settings, same).unwrap();
            assert_eq!(out, &FILM.as_bytes()[..end]);
        }
    }
    // Times that are negative, backwards or overlap.
    let odd = "1\n-00:00:01,000 --> 00:00:00,000\nOne and\n\n2\n00:00:09,000 --> 00:00:01,000\n\
        two.\n\n3\n00:00:00,000 --> 99:99:99,999\nThree.\n";
    assert_eq!(read(&SRT, odd).len(), 3);
    assert_eq!(
        shouted(&SRT, odd),
        odd.replace("One and", "ONE AND").replace("two", "TWO").replace("Three", "THREE")
    );
}

#[test]
fn huge_files() {
    let cue = |n: usize| format!("{n}\n00:00:01,000 --> 00:00:02,000\nword\n\n");
    let many: String = (0..200_000).map(cue).collect();
    assert_eq!(read(&SRT, &many).len(), 200_000);
    let long = format!("1\n00:00:01,000 --> 00:00:02,000\n{}\n", "word ".repeat(300_000));
    assert!(shouted(&SRT, &long).contains("WORD WORD"));
    let tags = format!("1\n00:00:01,000 --> 00:00:02,000\n{}x\n", "<i>".repeat(300_000));
    assert_eq!(read(&SRT, &tags).len(), 0);
}
