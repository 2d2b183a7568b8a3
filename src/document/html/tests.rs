use super::*;

fn texts(page: &[u8]) -> Vec<String> {
    let blocks = HTML.read(page, &Settings::default()).unwrap();
    let marked = |b: Block| Marked { text: b.text, inline: b.inline }.to_markup();
    blocks.into_iter().map(marked).collect()
}

fn upper(page: &[u8], to: &str) -> String {
    let settings = Settings { to: crate::types::Lang::parse(to), ..Settings::default() };
    let out = (HTML.rewrite)(page, &settings, &mut |block| {
        Ok(Edit::Replace(Marked { text: block.text.to_uppercase(), inline: block.inline }))
    });
    String::from_utf8(out.unwrap()).unwrap()
}

#[test]
fn texts_with_their_tags() {
    let page =
        b"<title>A &amp; b</title><p>The <b>river <i>rose</i></b>&nbsp;by <a href=x>two</a>.\
        <br>Run <code>x y</code><img alt='A boat'> now<script>if (a<b) c()</script>\
        <p>One <b>two<p>three</b> four<pre>let x;</pre><ul><li>Item</ul>";
    let expected = [
        "A & b",
        "A boat",
        "The <1>river <2>rose</2></1>\u{a0}by <3>two</3>.<4/> Run <5>x y</5><6/> now",
        "One",
        "two",
        "three",
        "four",
        "Item",
    ];
    assert_eq!(texts(page), expected);
}

#[test]
fn only_texts_change() {
    let page = "<HTML lang=fr><body  class='a'>\n <p id=x>le <b >pont</b> &lt; &eacute;t&eacute;\n\
                </p><!-- c --><p translate=no>Nom</p><td>1,5";
    let expected = "<HTML lang=\"ar\" dir=\"rtl\"><body  class='a'>\n <p id=x>LE <b >PONT</b> &lt; ÉTÉ\n\
                    </p><!-- c --><p translate=no>Nom</p><td>1,5";
    assert_eq!(upper(page.as_bytes(), "ar"), expected);
    let legacy = encoding_rs::WINDOWS_1252.encode("<meta charset=windows-1252><p>\u{e9}t\u{e9}").0;
    let out =
        HTML.write(&legacy, &Settings::default(), [Edit::Replace(Marked::plain("\u{e9} \u{44f}"))]);
    assert!(out.unwrap().ends_with(b"<p>\xE9 &#1103;"));
}

#[test]
fn code_of_templates_is_no_text() {
    let page = "<p>un <%= a > b %> deux <?php if ($a->b > 1): ?>trois<?php endif ?></p>\
        <a href=\"<%= u %>\" title=\"<%= t %>\" onClick={() => go('x')}>lien</a>\
        <p>{{ page.x }} et {% if a %}oui{% endif %} <% b";
    let expected = page
        .replace("un ", "UN ")
        .replace("deux", "DEUX")
        .replace("trois", "TROIS")
        .replace(">lien", ">LIEN");
    let found = upper(page.as_bytes(), "fr");
    assert_eq!(found.split("<p>{{").next(), expected.split("<p>{{").next());
    // A template's code without an end is text, and no search for the end comes again.
    assert!(found.ends_with("&lt;% B"), "{found}");
    let same = |page: &str| assert_eq!(upper(page.as_bytes(), "fr").len(), page.len());
    same(&"<i a={b>".repeat(20_000));
    same(&"<?php ".repeat(20_000));
}

#[test]
fn attributes_for_readers_are_texts() {
    let page = "<img alt='un' src=un><i title=un aria-label=un class=un data-title=un></i>\
        <input placeholder=un value=un name=un><input type=submit value=un>\
        <th abbr=un aria-roledescription=un><iframe title=un src=un></iframe>\
        <textarea placeholder=un>un</textarea><select aria-label=un></select>\
        <video title=un src=un></video><meta property=og:image:alt content=un>";
    assert_eq!(texts(page.as_bytes()).len(), 12);
    let found = upper(page.as_bytes(), "fr");
    for kept in
        ["src=un", "class=un", "data-title=un", "name=un", "value=un name", ">un</textarea>"]
    {
        assert_eq!(found.matches(kept).count(), page.matches(kept).count(), "{kept} {found}");
    }
    assert_eq!(found.matches("\"UN\"").count(), 12, "{found}");
}

#[test]
fn odd_pages_are_survived() {
    let deep = format!("{}x{}", "<div><b>".repeat(5_000), "</b><i></div>".repeat(5_000));
    let ends = "</rt></svg></p></b>".to_string();
    for page in [
        deep,
        ends,
        "<".into(),
        "<a".into(),
        "<!--".into(),
        "<p title='".into(),
        "&#x110000;&".into(),
    ] {
        let settings = Settings::default();
        HTML.read(page.as_bytes(), &settings).unwrap();
    }
}
