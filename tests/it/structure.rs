//! Structure comes through a translation, whatever the document is and whatever a model makes of
//! its words.

use crate::common::Stub;
use polygist::document::{self, FORMATS, HTML, Placement, Settings};
use polygist::generate::Generate;
use polygist::pipeline::{Job, Models, OnBad, run};
use polygist::task::translate::Named;
use polygist::text::extract::extract;
use polygist::types::{
    AlignedToken, Block, BlockKind, Format, Lang, Marked, Markup, RawArticle, Record, Source,
    TokenAlignment,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use pulldown_cmark::{Event, Options, Parser, Tag};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// The same cases each time; `PROPTEST_CASES` and `PROPTEST_RNG_SEED` ask for others.
fn cases() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let is_asked = |name| std::env::var_os(name).is_some();
    ProptestConfig {
        cases: if is_asked("PROPTEST_CASES") { asked.cases } else { 48 },
        rng_seed: match is_asked("PROPTEST_RNG_SEED") {
            true => asked.rng_seed,
            false => RngSeed::Fixed(1),
        },
        failure_persistence: None,
        ..asked
    }
}

/// What is wrong with a translator, and what it writes of every text.
type Fault = (&'static str, fn(&str) -> String);

const HOSTILE: &[Fault] = &[
    ("repeats", str::to_string),
    ("drops words", |text| words(text).step_by(2).collect()),
    ("reverses words", |text| joined(words(text).rev())),
    ("changes every word", |text| text.chars().map(other).collect()),
    ("says nothing", |_| String::new()),
    ("says all twice", |text| joined(words(text).flat_map(|w| [w, w]))),
    ("shouts", str::to_uppercase),
    ("drops marks", |text| text.replace(is_mark, "")),
    ("says another thing", |_| "Something else: here.".into()),
];

fn words(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split_inclusive(' ')
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(str::trim).collect::<Vec<_>>().join(" ")
}

fn is_mark(c: char) -> bool {
    !c.is_alphanumeric() && !c.is_whitespace()
}

/// The next letter of the alphabet, the next digit.
fn other(c: char) -> char {
    match c {
        'z' => 'a',
        'Z' => 'A',
        '9' => '0',
        c if c.is_ascii_alphanumeric() => (c as u8 + 1) as char,
        c => c,
    }
}

fn article(text: &str, format: Format, markup: Markup) -> RawArticle {
    let source = Source {
        path: "a".into(),
        format,
        bytes: text.len() as u64,
        sha256: String::new(),
        notes: Vec::new(),
    };
    RawArticle {
        id: "a".into(),
        source,
        // With a title of its own no heading of the text is taken for it.
        title: Some("Xyzzy 0".into()),
        text: text.into(),
        markup,
        blocks: None,
        extra: Default::default(),
    }
}

fn translated(article: RawArticle, model: &Stub) -> Record {
    let job = Job {
        from: Lang::parse("fr"),
        to: Some(Lang::en()),
        translate: true,
        on_bad: Some(OnBad::Keep),
        ..Job::default()
    };
    let models: [&dyn Generate; 1] = [model];
    let models = Models { translators: &Named(&models), ..Models::default() };
    run(vec![Ok(article)], &job, &models, &|_| String::new(), &|_| true).unwrap().remove(0)
}

/// What must come through as it is: shortcodes, formulas, placeholders, and what tools of documents
/// add to Markdown.
static ATOM: LazyLock<Regex> = LazyLock::new(|| {
    let kinds = [
        r"\{\{<.*?>\}\}|\{%.*?%\}|\{\{.*?\}\}|\$[^\s$]*[_^](?:[^$\n]*[^$\s])?\$|\$[a-z]\$",
        r"|\{ref\}`[^`<]*`|\{ref\}`| <m[0-9]+>`|<%.*?%>|<\?=.*?\?>|\{f\([0-9]+\)\}|\{[#.][^{}]*\}",
        r"|%\([a-z0-9_]+\)s|%[0-9]\$s|%[sd]|\{[a-z0-9_]+\}|__COUNT_[0-9]+__",
        r"|\[voir @[a-z0-9]+, p\. 3\]|@fig:[a-z0-9]+|\\cite\{[a-z0-9]+\}|\\emph\{",
        r"|https://y\.org/[A-Za-z0-9/?&%-]+|ana[0-9]+@x\.org|@(?:ana|x)[0-9]+",
        r"|\{doc\}`[^`<]*`|\\\(x_[0-9]+\\\)|!\[\[i[0-9]+\.png\|10\]\]",
        r"|!?\[\[(?:[^\[\]|^][^\[\]|]*\||[^\[\]|^][^\[\]|]*\]\])|==|\^\^|\{\+\+|\+\+\}|:smile:",
    ];
    Regex::new(&kinds.concat()).unwrap()
});

/// Lines that those tools add, and that are the same before and after.
static LINE: LazyLock<Regex> = LazyLock::new(|| {
    let kinds = [
        r#"(?m)^(?:--8<-- "[^"\n]*"|<<< .*|\([a-z0-9]+\)=|\\newpage|\^[a-z0-9]+|:::.*"#,
        r"|```\{note\}|```|:class: tip|:name: x[0-9]+|% x[0-9]+|\[//\]: # \(x[0-9]+\)",
        r"|\\\[\nx_[0-9]+\n\\\]|import .*|<% .*|\$\$\n.*\n\$\$)$",
    ];
    Regex::new(&kinds.concat()).unwrap()
});

/// What parsers of Markdown and of its dialects read differently, where kinds of markup touch that
/// nobody puts side by side.
static AMBIGUOUS: LazyLock<Regex> = LazyLock::new(|| {
    let kinds = [
        r"\[\[\^|\]\][(\[]|\[\^n[0-9]+\]\[|\}`[^`\n]*``|~~~~|\A% |\$[^$\s]*->",
        // a line of its own within emphasis
        r"|[^\n]\n\{[{%][^\n]*\}\n[^\n]",
    ];
    Regex::new(&kinds.concat()).unwrap()
});

/// Notes in the text, whose own texts are translated.
static NOTE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?<before>^|[^^])\^\[[^\[\]\n]*\]").unwrap());

/// What has to be the same before and after, as a sorted list. `None` where tags are not well
/// nested.
fn structure(markdown: &str) -> Option<Vec<String>> {
    let mut found: Vec<String> = LINE.find_iter(markdown).map(|l| l.as_str().into()).collect();
    let markdown = LINE.replace_all(markdown, "");
    found.extend(NOTE.find_iter(&markdown).map(|_| "^[".into()));
    let markdown = NOTE.replace_all(&markdown, "$before.x.");
    found.extend(atoms(&markdown));
    // To Markdown they are letters between marks, at most.
    let mut rest = String::new();
    let (mut at, mut ends): (usize, Vec<usize>) = (0, Vec::new());
    for atom in atoms_at(&markdown) {
        // What ends `[[a|text]]` is no bracket of Markdown's.
        let is_wiki = markdown[atom.clone()].ends_with('|');
        let end = is_wiki.then(|| end_of_wiki_link(&markdown, atom.end)).flatten();
        while let Some(end) = ends.pop_if(|end| *end <= atom.start) {
            rest.extend([&markdown[at..(end - 2).max(at)], "x."]);
            at = end.max(at);
        }
        ends.extend(end);
        let mark = |c: Option<char>| if c.is_some_and(is_mark) { "." } else { "" };
        let (before, own) = (&markdown[at..atom.start], &markdown[atom.clone()]);
        rest.extend([before, mark(own.chars().next()), "x", mark(own.chars().next_back())]);
        at = atom.end;
    }
    while let Some(end) = ends.pop() {
        rest.extend([&markdown[at..(end - 2).max(at)], "x."]);
        at = end.max(at);
    }
    rest.push_str(&markdown[at..]);
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    let mut open: Vec<String> = Vec::new();
    for event in Parser::new_ext(&rest, options) {
        let mut begin = |name: &str| {
            found.push(name.into());
            open.push(name.split(' ').next().unwrap_or_default().into());
        };
        match event {
            Event::Start(Tag::Emphasis) => begin("em"),
            Event::Start(Tag::Strong) => begin("strong"),
            Event::Start(Tag::Strikethrough) => begin("del"),
            Event::Start(Tag::Link { dest_url, .. }) => begin(&format!("link {dest_url}")),
            Event::Start(Tag::Image { dest_url, .. }) => begin(&format!("image {dest_url}")),
            // Without words there is none.
            Event::Start(Tag::Paragraph) => open.push(String::new()),
            Event::Start(tag) => begin(&format!("{:?}", tag.to_end())),
            Event::End(_) => drop(open.pop()),
            Event::InlineHtml(tag) | Event::Html(tag) => {
                let inner = tag.trim().trim_matches(['<', '>']);
                match inner.strip_prefix('/') {
                    Some(name) => drop(open.pop().filter(|last| last == name)?),
                    None if inner == "br" => found.push(inner.into()),
                    None => begin(inner),
                }
            }
            Event::Code(code) => found.push(format!("code {code}")),
            Event::FootnoteReference(name) => found.push(format!("note {name}")),
            _ => {}
        }
    }
    found.sort();
    Some(found)
}

fn atoms(text: &str) -> Vec<String> {
    atoms_at(text).map(|atom| text[atom].into()).collect()
}

/// Where the atoms of a text stand.
fn atoms_at(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let found = ATOM.find_at(text, at)?;
            at = found.end();
            // `[[a]](b)` is a link of Markdown's.
            if found.as_str().ends_with(']') && is_target(&text[at..]) {
                at = found.start() + 1;
                continue;
            }
            return Some(found.range());
        }
    })
}

/// Where a wiki link ends whose text begins at a place.
fn end_of_wiki_link(text: &str, start: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text[start..].char_indices() {
        match c {
            '[' => depth += 1,
            ']' if depth > 0 => depth -= 1,
            ']' => return text[start + at..].starts_with("]]").then_some(start + at + 2),
            '\n' => return None,
            _ => {}
        }
    }
    None
}

/// Whether what follows brackets makes a link of them.
fn is_target(after: &str) -> bool {
    static TARGET: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"^(?:\([^\s()]+(?: "[^"]*")?\)|\[r[0-9]+\])(?<next>\()?"#).unwrap()
    });
    TARGET.captures(after).is_some_and(|found| found.name("next").is_none())
}

/// The same of HTML.
fn structure_of_html(page: &str) -> Option<Vec<String>> {
    static TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new("<[^<>]*>").unwrap());
    let mut found = atoms(page);
    let mut open: Vec<&str> = Vec::new();
    for tag in TAG.find_iter(page).map(|tag| tag.as_str()) {
        found.push(tag.into());
        let inner = tag.trim_matches(['<', '>']);
        match inner.strip_prefix('/') {
            Some(name) => drop(open.pop().filter(|last| *last == name)?),
            None if inner.starts_with("br") || inner.starts_with("img") => {}
            None => open.push(inner.split(' ').next()?),
        }
    }
    found.sort();
    Some(found)
}

/// A text with numbers in the place of its `§`, and the definitions of its labels.
fn numbered(text: &str, ends_with_notes: bool) -> String {
    let mut parts = text.split('§');
    let mut out = parts.next().unwrap_or_default().to_string();
    let mut ends = String::new();
    for (number, part) in parts.enumerate() {
        if out.ends_with("[r") {
            ends.push_str(&format!("[r{number}]: https://x.org/r{number}\n"));
        } else if out.ends_with("[^n") {
            ends.push_str(&format!("\n[^n{number}]: Une note de la ville.\n\n"));
        }
        out.push_str(&format!("{number}{part}"));
    }
    out.push('\n');
    if ends_with_notes { out + "\n" + &ends } else { out }
}

fn any_words() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec![
            "le pont", "la ville", "une", "dit-il", "l'eau", "été", "12", "2", "50 % de", "de", "A",
            "vingt-deux ponts", "Paris", "le conseil de la ville", "3,5",
        ])
        .prop_map(String::from),
        1 => "[a-z]{2,9}",
    ]
}

/// Between two parts of a sentence.
fn any_gap() -> impl Strategy<Value = String> {
    let gaps =
        vec![" ", " ", " ", " ", "", ", ", ". ", " : ", " (", ") ", "\n", " « ", " » ", ".", "!"];
    prop::sample::select(gaps).prop_map(String::from)
}

fn joined_by_gaps(parts: Vec<(String, String)>) -> String {
    let text: String = parts.into_iter().flat_map(|(part, gap)| [part, gap]).collect();
    text.trim().to_string()
}

fn any_atom() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "%1$s",
        "(%s)",
        "le %d de",
        "%(n§)s",
        "{name§}",
        "{0}",
        "__COUNT_§__",
        "{{ user.x§ }}",
        "{{< ref \"a_b§\" >}}",
        "{% include x§ %}",
        "$x_§$",
        "($n$)",
        "$\\alpha_{§} + y^2$",
    ])
    .prop_map(String::from)
}

/// A part of a sentence in Markdown.
fn any_markdown() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => any_words(),
        2 => any_atom(),
        2 => prop::sample::select(vec![
            "`code_§`", "``a`b§``", "![la carte](i§.png)", "![carte](i§.png \"Le titre\")", "[^n§]",
            "<https://x.org/§> ici", "(https://x.org/a_§ ici)", "&amp;", "&nbsp;", "\\*", "<br>",
            "![la carte][r§]",
        ])
        .prop_map(String::from),
        2 => prop::sample::select(vec![
            "{ref}`m§`", "[voir @a§, p. 3]", "`a_§`{.py}",
            "\\cite{a§}", "\\emph{la ville}", "[[La page §]]", "[[p§|la page]]",
            "==le pont== et", "^^le pont^^ et", "{++le pont++}", "(:smile:)", "<%= x§ %>", "<?= $x§->y ?>",
            "{f(§)}", "![la carte](i§.png){.x}",
        ])
        .prop_map(String::from),
        // What reaches to the next space stands in brackets.
        2 => prop::sample::select(vec![
            "(https://y.org/a§)", "(<https://x.org/§>)", "(ana§@x.org)", "(@ana§)", "(#mot§)",
            "(\\(x_§\\))", "\\[la ville\\]", "^[une note]", "{ref}`la page <m§>`",
            "{doc}`m§`", "(@x§)", "(@fig:x§)", "![[i§.png|10]]", "v1.2.3",
            "{{< x§ >}}la ville{{< /x§ >}}", "<span translate=\"no\">le pont</span>",
        ])
        .prop_map(String::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let text = vec((inner, any_gap()), 1..4).prop_map(joined_by_gaps);
        let around = prop::sample::select(vec![
            ("**", "**"),
            ("*", "*"),
            ("_", "_"),
            ("~~", "~~"),
            ("[", "](https://x.org/§)"),
            ("[", "][r§]"),
            ("[", "](u§ \"Le titre\")"),
            ("<u>", "</u>"),
            ("<sub>", "</sub>"),
            ("<span class=\"c§\">", "</span>"),
            ("<code>", "</code>"),
            ("<b>", "</b>"),
            ("", ""),
        ]);
        (text, around).prop_map(|(text, (open, close))| format!("{open}{text}{close}"))
    })
}

fn any_block() -> impl Strategy<Value = String> {
    let line = || vec((any_markdown(), any_gap()), 1..6).prop_map(joined_by_gaps);
    let prefix = prop::sample::select(vec!["", "", "", "# ", "> ", "- ", "1. ", "> - ", "- [ ] "]);
    prop_oneof![
        1 => prop::sample::select(vec![
            ("--8<-- \"a§.md\"\n\n", ""), ("<<< @/a§.js\n\n", ""), ("(l§)=\n# ", ""),
            ("\\newpage\n", ""), ("", "\n\n^b§"), ("$$\nx_§\n$$\n\n", ""),
            ("```{note}\n", "\n```"), ("```{note}\n:class: tip\n\n", "\n```"),
            ("::: tip\n", "\n:::"), ("import A§ from 'a'\n\n", ""),
            ("```{note}\n:name: x§\n\n", "\n```"), ("% x§\n\n", ""), ("[//]: # (x§)\n\n", ""),
            ("\\[\nx_§\n\\]\n\n", ""), ("| un vers\n| ", ""), ("<% a§ do %>\n", "\n<% end %>"),
        ])
        .prop_flat_map(move |(open, close)| {
            let around = move |text: String| format!("{open}{}{close}", text.replace('\n', " "));
            line().prop_map(around)
        }),
        5 => (prefix, line())
            .prop_map(|(prefix, text)| prefix.to_string() + &text.replace('\n', " ")),
        2 => line(),
        1 => vec(line(), 2..4).prop_map(|lines| {
            let lines: Vec<String> = lines.iter().map(|line| line.replace('\n', " ")).collect();
            format!("- {}", lines.join("\n- "))
        }),
        1 => vec(line(), 4).prop_map(|cells| {
            let cell = |cell: &String| cell.replace('\n', " ").replace('|', "\\|");
            let cells: Vec<String> = cells.iter().map(cell).collect();
            format!("| {} | {} |\n|--|--|\n| {} | {} |", cells[0], cells[1], cells[2], cells[3])
        }),
    ]
}

/// Marks of Markdown and of what tools add to it, and words.
fn any_mark() -> impl Strategy<Value = &'static str> {
    let short = vec![
        "le pont", "été", "a", "12", " ", " ", "    ", "\t", "\n", "\n", "\n\n", "# ", "> ", "- ",
        "1. ", "- [ ] ", "---\n", "+++\n", "|", "| ", "|-|-|\n", "*", "**", "_", "~~", "`", "``",
        "```", "~~~", ":::", "[", "]", "![", "](", ")", "(", "[^", "[^1]: ", "[r]: u", "[[", "]]",
        "{{< ", " >}}", "{% ", " %}", "{{ ", " }}", "{", "}", "{#", "$", "$$", "\\", "\\(", "\\)",
        "\\[", "\\]", "\\emph{", "^[", "==", "^^", "{++", "++}", "<", ">", "<b>", "</b>", "<code>",
        "</code>", "<div>", "</div>", "<!--", "-->", "<?", "?>", "<%", "%>", "&", "&amp;", "@",
        "@ana", "a@b.org", "%", "%s", "% ", "(@) ", "=== ", "*[", "]:", "--8<-- ", "<<< ",
        "import ", "export ", "\"", "'", ":", ".", "!", "«", "»",
    ];
    let long = vec![
        "::: tip\n",
        "```{note}\n",
        "```{code-block} py\n",
        ":caption: ",
        ":name: x\n",
        "https://x.org/a",
        "www.x.org",
        "!!! note\n",
    ];
    prop_oneof![
        100 => prop::sample::select(short),
        8 => prop::sample::select(long),
    ]
}

/// A part of a sentence in HTML.
fn any_html() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => any_words(),
        // In HTML the angles of shortcodes are tags.
        2 => any_atom().prop_map(|atom| atom.replace("{{<", "{%").replace(">}}", "%}")),
        1 => prop::sample::select(vec![
            "<br>", "<img src=i§.png>", "&amp;", "&nbsp;", "<code>code_§ x</code>", "&lt;",
        ])
        .prop_map(String::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let text = vec((inner, any_gap()), 1..4).prop_map(joined_by_gaps);
        let around = prop::sample::select(vec!["b", "i", "u", "sub", "a", "span", "kbd"]);
        (text, around).prop_map(|(text, name)| match name {
            "a" => format!("<a href=u§>{text}</a>"),
            name => format!("<{name}>{text}</{name}>"),
        })
    })
}

/// What a program reads in a message: tags, and what is in its place.
fn structure_of_message(message: &str) -> Vec<String> {
    static TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new("<[^<>]*>").unwrap());
    let mut found = atoms(message);
    found.extend(TAG.find_iter(message).map(|tag| tag.as_str().to_string()));
    found.sort();
    found
}

/// A message, with elements of its format around some of its words.
fn any_message(
    points: Vec<&'static str>,
    spans: Vec<(&'static str, &'static str)>,
) -> impl Strategy<Value = String> {
    let points = prop::sample::select(points).prop_map(String::from);
    let leaf = prop_oneof![3 => any_words(), 1 => points];
    leaf.prop_recursive(2, 8, 3, move |inner| {
        let text = vec((inner, any_gap()), 1..4).prop_map(joined_by_gaps);
        let around = prop::sample::select(spans.clone());
        (text, around).prop_map(|(text, (open, close))| format!("{open}{text}{close}"))
    })
    .prop_map(|text| format!("La ville {}", text.replace('\n', " ")))
}

/// The document with the translations of some model.
fn translated_document(format: &str, document: &str, model: &Stub) -> String {
    let format = *FORMATS.iter().find(|known| known.name == format).unwrap();
    let settings = Settings::default();
    let blocks = format.read(document.as_bytes(), &settings).unwrap();
    let read = article("", Format::Html, Markup::Plain);
    let record = translated(RawArticle { blocks: Some(blocks), ..read }, model);
    let texts = record.translation.unwrap().blocks;
    let bytes = document.as_bytes();
    let out = document::translated(format, bytes, &settings, &texts, Placement::Instead).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn markup_goes_where_a_language_model_finds_its_meaning() {
    let write = |text: &str| joined(words(text).rev()).to_uppercase();
    let relate = |source: &str, target: &str| {
        let tokens = |text: &str| text.split(' ').map(String::from).collect::<Vec<String>>();
        let (source, target) = (tokens(source), tokens(target));
        let last = source.len() - 1;
        let token = |(at, text)| AlignedToken { text, source: last - at, weight: 0.8 };
        let target = target.into_iter().enumerate().map(token).collect();
        TokenAlignment { source, target }
    };
    let source = "un vieux *pont* rouge, deux [villes riches](a.html) ici\n";
    let article = article(source, Format::Markdown, Markup::Markdown);
    let stub = Stub::translating(write).relating(relate);
    let found = translated(article, &stub).translation.unwrap().text;
    assert_eq!(found, "ICI [RICHES VILLES](a.html) DEUX ROUGE, *PONT* VIEUX UN\n");
}

#[test]
fn what_stays_because_of_its_markup_is_told() {
    let message = "{n, plural, one {# pont} other {# ponts}}";
    let source = format!(
        "Il y a {message} ici.\n\n{{{{< figure src=\"a.png\" caption=\"La carte de la ville\" >}}}}\n\n\
        Une ![vieille *carte* du pont](b.png) et une ![autre carte](c.png).\n"
    );
    let article = article(&source, Format::Markdown, Markup::Markdown);
    let record = translated(article, &Stub::translating(str::to_uppercase));
    assert_eq!(record.checks.kept, [message, "La carte de la ville", "vieille *carte* du pont"]);
    assert!(record.translation.unwrap().text.contains("AUTRE CARTE"));
}

#[test]
fn what_tools_add_to_markdown_stays_and_its_texts_are_translated() {
    for (source, expected) in [
        ("[//]: # (une note cachée)\n\nLe pont.", "[//]: # (une note cachée)\n\nLE PONT."),
        ("[r]: u 'une note'\n\nLe pont.", "[r]: u \"UNE NOTE\"\n\nLE PONT."),
        ("A\n\n% une note\nSoit 5\n% de tout.", "A\n\n% une note\nSOIT 5 % DE TOUT."),
        ("% Le titre\n% Une personne\n\nA", "% LE TITRE\n% Une personne\n\nA"),
        ("Ici $x$https://x.org/a. Là.", "ICI $x$https://x.org/a. LÀ."),
        ("Ici \\(a_b\\), \\[le pont\\].", "ICI \\(a_b\\), [LE PONT]."),
        ("\\[\na_b * c * d\n\\]\n\nIci.", "\\[\na_b * c * d\n\\]\n\nICI."),
        ("(@) un pont\n(@un-autre) deux", "(@) UN PONT\n(@un-autre) DEUX"),
        ("| un vers\n|    et *deux*\n|\n| fin", "| UN VERS\n|    ET *DEUX*\n|\n| FIN"),
        ("| a\n| ---\n| b", "| A\n| ---\n| B"),
        ("> ```\n> du code\n\nle __COUNT__ pont", "> ```\n> du code\n\nLE __COUNT__ PONT"),
        ("le pont^[Une note.], ici", "LE PONT^[UNE NOTE.], ICI"),
        (
            "```{figure} a.png\n:alt: une carte\n:name: une carte\n\nle pont\n```",
            "```{figure} a.png\n:alt: UNE CARTE\n:name: une carte\n\nLE PONT\n```",
        ),
        (
            "```{code-block} py\n:caption: une carte\nle pont\n```",
            "```{code-block} py\n:caption: UNE CARTE\nle pont\n```",
        ),
        (
            "<picture><source src=a><img alt=\"une carte\" src=b></picture>",
            "<picture><source src=a><img alt=\"UNE CARTE\" src=b></picture>",
        ),
    ] {
        let source = format!("{source}\n");
        let article = article(&source, Format::Markdown, Markup::Markdown);
        assert_eq!(extract(&article).unwrap().text(), source);
        let found = translated(article, &Stub::translating(str::to_uppercase));
        assert_eq!(found.translation.unwrap().text, format!("{expected}\n"));
    }
}

#[test]
fn what_is_not_to_be_translated_stays_in_html() {
    let page = "<p title=\"un titre\">le pont de <span translate=\"no\">la ville</span> et \
        <var>le nom</var></p>\n<p class=notranslate>le pont</p>\n<p><select title=\"un choix\">\
        <option value=a>une ville</option><option translate=no>un pont</option></select></p>\n\
        <p><object><i translate=no>un <i>pont</i> ici</i> là</object></p>\n";
    let expected = "<p title=\"UN TITRE\">LE PONT DE <span translate=\"no\">la ville</span> ET \
        <var>le nom</var></p>\n<p class=notranslate>le pont</p>\n<p><select title=\"UN CHOIX\">\
        <option value=a>UNE VILLE</option><option translate=no>un pont</option></select></p>\n\
        <p><object><i translate=no>un <i>pont</i> ici</i> LÀ</object></p>\n";
    let settings = Settings::default();
    let blocks = HTML.read(page.as_bytes(), &settings).unwrap();
    let read = RawArticle { blocks: Some(blocks), ..article("", Format::Html, Markup::Plain) };
    let texts = translated(read, &Stub::translating(str::to_uppercase)).translation.unwrap().blocks;
    let bytes = page.as_bytes();
    let found = document::translated(&HTML, bytes, &settings, &texts, Placement::Instead).unwrap();
    assert_eq!(String::from_utf8(found).unwrap(), expected);
    // The same of an article.
    let source = "<p>le pont de <span translate=\"no\">la ville</span> et <var>le nom</var></p>\
        <p class=notranslate>le pont</p><p>ici, là</p>";
    let article = article(source, Format::Html, Markup::Fragment);
    let found = translated(article, &Stub::translating(str::to_uppercase)).translation.unwrap();
    assert_eq!(found.text.trim(), "LE PONT DE la ville ET le nom\n\nle pont\n\nICI, LÀ");
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn markdown_comes_through_any_translator(blocks in vec(any_block(), 1..4)) {
        let source = numbered(&blocks.join("\n\n"), true);
        prop_assume!(!AMBIGUOUS.is_match(&source));
        let expected = structure(&source);
        prop_assume!(expected.is_some());
        let article = article(&source, Format::Markdown, Markup::Markdown);
        prop_assert_eq!(&extract(&article).unwrap().text(), &source);
        for (name, write) in HOSTILE {
            let model = Stub::translating(*write);
            let found = translated(article.clone(), &model).translation.unwrap().text;
            let told = format!("{name}:\n{source}\n→\n{found}");
            prop_assert_eq!(&structure(&found), &expected, "{}", told);
        }
    }

    #[test]
    fn what_is_no_document_is_read_all_the_same(marks in vec(any_mark(), 1..16)) {
        let source = marks.concat();
        let article = article(&source, Format::Markdown, Markup::Markdown);
        if let Ok(read) = extract(&article) {
            prop_assert_eq!(read.text(), source);
            let found = translated(article, &Stub::translating(str::to_string));
            prop_assert!(found.translation.is_some());
        }
    }

    #[test]
    fn html_comes_through_any_translator(
        lines in vec(vec((any_html(), any_gap()), 1..6).prop_map(joined_by_gaps), 1..4),
    ) {
        let source = numbered(&format!("<p>{}</p>", lines.join("</p>\n<p>")), false);
        let expected = structure_of_html(&source);
        prop_assume!(expected.is_some());
        let settings = Settings::default();
        let blocks = HTML.read(source.as_bytes(), &settings).unwrap();
        let is_text = |block: &&Block| block.kind != BlockKind::Verbatim;
        let texts: Vec<Marked> = blocks.iter().filter(is_text).map(Block::marked).collect();
        let write = |texts: &[Marked]| {
            let (page, instead) = (source.as_bytes(), Placement::Instead);
            document::translated(&HTML, page, &settings, texts, instead).unwrap()
        };
        prop_assert_eq!(write(&texts), source.as_bytes());
        let read = article("", Format::Html, Markup::Plain);
        let article = RawArticle { blocks: Some(blocks), ..read };
        for (name, distort) in HOSTILE {
            let record = translated(article.clone(), &Stub::translating(*distort));
            let Some(translation) = record.translation else { continue };
            let found = String::from_utf8(write(&translation.blocks)).unwrap();
            let told = format!("{name}:\n{source}\n→\n{found}");
            prop_assert_eq!(&structure_of_html(&found), &expected, "{}", told);
        }
    }

    #[test]
    fn catalogs_come_through_any_translator(
        message in any_message(
            vec!["%(n§)s", "{name§}", "{0}", "%1$s", "(%d)", "&amp;", "{{ user.x§ }}"],
            vec![("<b>", "</b>"), ("<a href='u§'>", "</a>"), ("", "")],
        ),
    ) {
        let message = numbered(&message, false).trim().to_string();
        let catalog = format!("msgid \"{message}\"\nmsgstr \"\"\n");
        for (name, write) in HOSTILE {
            let found = translated_document("po", &catalog, &Stub::translating(*write));
            let (_, found) = found.split_once("msgstr ").unwrap();
            let found = found.replace("\"\n\"", "").replace('\n', "");
            // An empty one is none yet.
            if found == "\"\"" && name != &"says nothing" {
                continue;
            }
            let expected = structure_of_message(&message);
            prop_assert_eq!(structure_of_message(&found), expected, "{}: {} {}", name, message, found);
        }
    }

    #[test]
    fn segments_come_through_any_translator(
        message in any_message(
            vec![
                "<x id=\"§\"/>", "<ph id=\"§\">&lt;br/&gt;</ph>", "{0}", "%1$s", "{name§}",
                "<ph id=\"§\" equiv=\"x\"/>",
            ],
            vec![
                ("<g id=\"§\">", "</g>"), ("<mrk mtype=\"x\">", "</mrk>"), ("", ""),
                ("<bpt id=\"a\">&lt;b&gt;</bpt>", "<ept id=\"a\">&lt;/b&gt;</ept>"),
            ],
        ),
    ) {
        let message = numbered(&message, false).trim().to_string();
        let file = format!(
            "<xliff version=\"1.2\"><file source-language=\"fr\"><body><trans-unit id=\"1\">\
            <source>{message}</source></trans-unit></body></file></xliff>"
        );
        for (name, write) in HOSTILE {
            let found = translated_document("xliff", &file, &Stub::translating(*write));
            let Some((_, target)) = found.split_once("<target") else { continue };
            let (target, _) = target.split_once('>').unwrap().1.split_once("</target>").unwrap();
            let expected = structure_of_message(&message);
            prop_assert_eq!(structure_of_message(target), expected, "{}: {} {}", name, message, target);
        }
    }

    #[test]
    fn cues_come_through_any_translator(
        cues in vec(any_message(
            vec!["{\\i1}", "{\\an8}", "<b>", "2"],
            vec![("<i>", "</i>"), ("<font color=\"§\">", "</font>"), ("", "")],
        ), 1..4),
        ends in prop::sample::select(vec![",", ".", ""]),
    ) {
        let cue = |(n, text): (usize, &String)| {
            let small = if n > 0 { text.to_lowercase() } else { text.clone() };
            format!("{}\n00:00:0{n},000 --> 00:00:0{n},900\n{small}{ends}\n\n", n + 1)
        };
        let film = numbered(&cues.iter().enumerate().map(cue).collect::<String>(), false);
        let tags = |film: &str| {
            let of_cue = |cue: &str| structure_of_message(&cue.replace("-->", ""));
            film.trim().split("\n\n").map(of_cue).collect::<Vec<_>>()
        };
        for (name, write) in HOSTILE {
            let found = translated_document("srt", &film, &Stub::translating(*write));
            prop_assert_eq!(tags(&found), tags(&film), "{}:\n{}\n→\n{}", name, film, found);
        }
    }
}
