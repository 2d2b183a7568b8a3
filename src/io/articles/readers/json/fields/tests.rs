use super::*;

fn read(json: &str) -> Result<(Contents, Vec<String>), String> {
    read_with(json, &ReadOptions::default())
}

fn read_with(json: &str, options: &ReadOptions) -> Result<(Contents, Vec<String>), String> {
    let mut notes = Vec::new();
    fields(json, options, &mut notes).map(|contents| (contents, notes))
}

fn naming(text: &str) -> ReadOptions {
    ReadOptions { text_field: Some(text.into()), ..ReadOptions::default() }
}

#[test]
fn fields_are_found_among_usual_names_and_the_rest_is_kept() {
    let (found, _) = read(
        r#"{"ID": 7, "Headline": "H", "url": "u", "content": "", "main_text": ["a", "b"], "name": "n"}"#,
    )
    .unwrap();
    assert_eq!(
        (found.id.as_deref(), found.title.as_deref(), found.text.as_str()),
        (Some("7"), Some("H"), "a\n\nb")
    );
    assert_eq!(found.extra.keys().collect::<Vec<_>>(), ["ID", "url", "content", "name"]);
    let options = ReadOptions {
        id_field: Some("url".into()),
        title_field: Some("none".into()),
        ..naming("name")
    };
    let (found, _) =
        read_with(r#"{"id": 7, "url": "u", "name": "n", "text": "t"}"#, &options).unwrap();
    assert_eq!((found.id.as_deref(), found.title, found.text.as_str()), (Some("u"), None, "n"));
}

#[test]
fn fields_may_lie_deeper() {
    let told = |json: &str| {
        let (found, _) = read(json).unwrap();
        (found.title.unwrap_or_default(), found.text, found.id.unwrap_or_default())
    };
    let all = |title: &str, text: &str, id: &str| (title.into(), text.into(), id.into());
    assert_eq!(
        told(r#"{"id": 7, "title": {"rendered": "A &amp; B"}, "content": {"rendered": "Text."}}"#),
        all("A & B", "Text.", "7")
    );
    assert_eq!(
        told(
            r#"{"_id": "x", "_source": {"headline": "H", "author": {"name": "N"}, "body": "Text."}}"#
        ),
        all("H", "Text.", "x")
    );
    assert_eq!(
        told(r#"{"id": "i", "webTitle": "W", "fields": {"bodyText": "Text."}}"#),
        all("W", "Text.", "i")
    );
    assert_eq!(
        told(
            r#"{"attributes": {"title": ["T"], "body": {"value": "<p>Text.</p>", "format": "x"}}}"#
        ),
        all("T", "<p>Text.</p>", "")
    );
    let (found, _) = read_with(
        r#"{"data": [{"body": "Text.", "title": "T"}], "title": "Feed"}"#,
        &naming("data.0.body"),
    )
    .unwrap();
    assert_eq!((found.text.as_str(), found.title.as_deref()), ("Text.", Some("T")));
}

#[test]
fn what_is_short_or_cut_is_noted() {
    let (found, notes) = read(r#"{"title": "T", "content": "Some words… [+1234 chars]"}"#).unwrap();
    assert_eq!(found.text, "Some words");
    assert!(notes[0].contains("1234 characters are missing"), "{notes:?}");
    let (found, notes) =
        read(r#"{"title": "T", "content": null, "description": "In short."}"#).unwrap();
    assert_eq!(found.text, "In short.");
    assert!(notes[0].contains("`description`"), "{notes:?}");
    let (found, notes) =
        read(r#"{"url": "https://example.org/a", "title": "T", "domain": "example.org"}"#).unwrap();
    assert_eq!((found.text.as_str(), found.title.as_deref()), ("", Some("T")));
    assert!(notes[0].contains("title"), "{notes:?}");
    let (found, _) = read(r#"{"text": "a \ud83d b"}"#).unwrap();
    assert_eq!(found.text, "a \u{FFFD} b");
}

#[test]
fn texts_that_are_left_out_are_noted() {
    let (found, notes) = read(r#"{"a": {"text": "One."}, "b": {"text": "Two."}}"#).unwrap();
    assert_eq!(found.text, "One.");
    assert!(notes[0].contains("texts in 2 objects, of which that in `a`"), "{notes:?}");
    let (_, notes) = read(r#"{"a": {"text": "One."}, "related": {"text": "Two."}}"#).unwrap();
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn what_is_no_article_is_told() {
    let message = |json: &str| read(json).err().unwrap();
    let named = |json: &str, name: &str| read_with(json, &naming(name)).err().unwrap();
    assert!(message(r#"{"label": "x", "n": 1}"#).contains("`label`, `n`"));
    assert!(named(r#"{"text": "x"}"#, "body").contains("no field `body`"));
    assert!(named(r#"{"body": 3}"#, "body").contains("found a number"));
    assert!(message("\"just text\"").contains("found a string"));
    assert!(message("{\"text\": NaN}").contains("column"));
    let long = "one two three four five six seven eight nine";
    let error = message(&format!(r#"{{"title": "T", "a": {{"words": "{long}"}}}}"#));
    assert!(error.contains("--text-field a.words"), "{error}");
    let error = named(r#"{"content": {"en": "One.", "x": 1}}"#, "content");
    assert!(error.contains("--text-field content.en"), "{error}");
    let error = named(r#"{"content": "x"}"#, "articles.content");
    assert!(error.contains("name it `content`"), "{error}");
    let error = message(&format!(r#"{{"x": {{"list": [{{"title": "T", "text": "{long}"}}]}}}}"#));
    assert!(error.contains("jq -c '.x.list[]'"), "{error}");
}

#[test]
fn texts_of_other_shapes() {
    let told = |json: &str| {
        let (found, _) = read(json).unwrap();
        (found.title.unwrap_or_default(), found.text)
    };
    let all = |title: &str, text: &str| (title.to_string(), text.to_string());
    for json in [
        // An article inside of a field of that name.
        r#"{"article": {"title": "T", "text": "One."}}"#,
        // Languages as names.
        r#"{"title": {"fr": "T"}, "body": {"fr": "One.", "en": "Two."}}"#,
        r#"{"a": {"b": {"c": {"d": {"e": {"title": "T", "text": "One."}}}}}}"#,
        r#"{"title": "T", "markdown": "One."}"#,
    ] {
        assert_eq!(told(json), all("T", "One."), "{json}");
    }
    for json in [
        r#"{"title": "T", "body": {"und": [{"value": "One.", "format": "x"}]}}"#,
        r#"{"title": "T", "body": "[{\"type\": \"paragraph\", \"text\": \"One.\"}]"}"#,
        r#"{"headlines": {"basic": "T"}, "content_elements": [{"type": "text", "content": "One."}]}"#,
    ] {
        assert_eq!(told(json), all("T", "<p>One.</p>\n"), "{json}");
    }
    for json in [
        r#"{"title": "T", "body": [["One."]]}"#,
        r#"{"title": "T", "content": {"0": {"type": "paragraph", "text": "One."},
            "1": {"type": "image", "url": "u"}}}"#,
    ] {
        assert_eq!(told(json), all("T", "<p>One.</p>\n"), "{json}");
    }
    assert_eq!(told(r#"{"title": {"$t": "T"}, "body": {"__cdata": "One."}}"#), all("T", "One."));
    assert_eq!(told(r#""{\"title\": \"T\", \"text\": \"One.\"}""#), all("T", "One."));
    assert_eq!(
        told(r#"{"title": "T", "text": "Ferm\\u00e9.\\n\\nOuvert."}"#),
        all("T", "Fermé.\n\nOuvert.")
    );
    let blocks = r#"[{"type": "paragraph", "children": [{"text": "One."}]}]"#;
    assert_eq!(told(blocks), all("", "<p>One.</p>\n"));
}

#[test]
fn parts_with_headings_are_one_text() {
    let text = |json: &str| read(json).unwrap().0.text;
    let both = "<h2>A</h2><p>One.</p>\n<h2>B</h2><p>Two.</p>\n";
    let lines = |text: String| text.replace("</h2>\n", "</h2>");
    for json in [
        r#"{"title": "T", "sections": [{"heading": "A", "body": "One."}, {"heading": "B", "body": "Two."}]}"#,
        r#"{"title": "T", "chapters": [{"title": "A", "content": ["One."]}, {"title": "B", "text": "Two."}]}"#,
        r#"{"sections": [{"title": "A", "text": "One.", "sections": [{"title": "B", "text": "Two."}]}]}"#,
        r#"{"body": {"parts": [{"headline": "A", "html": "<p>One.</p>"}, {"headline": "B", "text": "Two."}]}}"#,
    ] {
        assert_eq!(lines(text(json)), both, "{json}");
    }
    assert_eq!(
        text(r#"{"title": "T", "sections": [{"body": "One."}, {"body": "Two."}]}"#),
        "<p>One.</p>\n<p>Two.</p>\n"
    );
    // What the text lacks is added, and what it has is not.
    let beside = r#"{"text": "Zero.", "sections": [{"heading": "A", "text": "One."}]}"#;
    assert_eq!(lines(text(beside)), "<p>Zero.</p>\n<h2>A</h2><p>One.</p>\n");
    assert_eq!(
        text(r#"{"text": "One. Two.", "sections": [{"title": "A", "text": "One."}]}"#),
        "One. Two."
    );
}
