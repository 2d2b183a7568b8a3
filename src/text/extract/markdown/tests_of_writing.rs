//! What is read is written again: to the byte where nothing was changed, with the same text and
//! tags where it was.

use super::read;
#[cfg(test)]
use crate::testing::numbers;
use crate::text::inline;
use crate::types::{Block, BlockKind, Inline, Marked, Tag, TagKind};

fn whole(source: &str) -> String {
    let blocks = read(source).blocks;
    blocks.iter().map(|b| format!("{}{}{}", b.prefix, b.written(), b.suffix)).collect()
}

fn texts(source: &str) -> Vec<String> {
    let is_text = |block: &Block| block.kind != BlockKind::Verbatim && !block.text.is_empty();
    read(source).blocks.into_iter().filter(is_text).map(|block| block.text).collect()
}

#[test]
fn each_piece_has_its_place() {
    for (source, expected) in [
        (
            "!!! note \"Beware\"\n    One.\n\n    Two.\n\nEnd.",
            &["Beware", "One.", "Two.", "End."][..],
        ),
        ("=== \"One\"\n    Text.\n", &["One", "Text."]),
        ("!!! What a day\n", &["!!! What a day"]),
        ("> [!NOTE]\n> Text\n> goes on.", &["Text goes on."]),
        ("> [!warning]- Title\n> Text.", &["Title", "Text."]),
        ("Term\n: One\n: Two", &["Term", "One", "Two"]),
        ("::: tip The title\nText.\n:::\n", &["The title", "Text."]),
        (":::note[The *title*]{.x}\n\nText.\n\n:::\n", &["The title", "Text."]),
        (":::{warning} Title\nText.\n:::\n", &["Title", "Text."]),
        ("::: {.callout title=\"x\"}\nText.\n::: \n", &["Text."]),
        ("<div class=\"a\" markdown=\"1\">\nSome *text*.\n</div>\n", &["Some text."]),
        (
            "<div>\n  <p>One &amp; <b>two</b>\n  go on.</p>\n  <pre>no</pre>\n <ul><li>A</ul></div>",
            &["One & two go on.", "A"],
        ),
        ("> <details><summary>More</summary>\n> text</details>\n", &["More", "text"]),
        ("<details>\n<summary>More</summary>\n\nText *a*.\n\n</details>\n", &["More", "Text a."]),
        ("See [@x], ![a b](c) and [^1].", &["See, and."]),
        ("<Image src=\"a\" alt=\"A map\" />\n\nText.", &["Text."]),
        ("==Marked *text*== of H~2~O.", &["Marked text of H~2~O."]),
        ("One<br>two<br />three", &["One", "two", "three"]),
        ("<p translate=\"no\">No</p>\n<p>Yes {{ x }} {% y %}</p>", &["Yes {{ x }}"]),
        ("[a](b)\n\n[x]: https://x.org \"The plan\"\n", &["a", "The plan"]),
        ("*[HTML]: A language\n", &["A language"]),
        ("{{< highlight go >}}\na b\n{{< /highlight >}}\n\nText.", &["Text."]),
        ("Use `{{<` and `>}}` here.", &["Use `{{<` and `>}}` here."]),
        ("Of __COUNT__ at https://x.org/*a*_b_ it", &["Of __COUNT__ at https://x.org/*a*_b_ it"]),
        ("**https://x.org/a_b**", &["https://x.org/a_b"]),
        ("[https://x.org/a_b](https://x.org)", &["https://x.org/a_b"]),
        ("$5 and $6 \\(x\\) \\\\", &["$5 and $6 \\(x\\) \\"]),
        (
            "| A \\| b | `c\\|d` |\n|--|--|\n| {{ x | y }} | E |\n",
            &["A | b", "`c\\|d`", "{{ x | y }}", "E"],
        ),
        ("See [the *map*][].\n\n[the *map*]: m", &["See the map."]),
        ("[^1]: One\n    two.\n\n    Three.\n", &["One two.", "Three."]),
        ("Of <% x %> and {%- if a -%}yes{%- endif -%}.", &["Of and yes."]),
        ("As said [@smith04, p. 3] here.", &["As said here."]),
        ("a\n<!-- {{< x -->\nb {{< y >}}", &["a", "b"]),
        // Files that are put in, tables of contents, labels, names.
        ("--8<-- \"a.md\"\n\nText {! b.md !}.\n\n--8<--\nc.md\nd.md\n--8<--\n", &["Text."]),
        ("<<< @/a.js{1,3}\n\n@[code](./b.js)\n\n[TOC]\n\nText.", &["Text."]),
        ("(one-label)=\n# Title\n+++\nText.\n", &["Title", "Text."]),
        ("Text. ^block-1\n\n^block-2\n\nOf %%no%% x.\n\n%%\nno\n%%\n", &["Text.", "Of x."]),
        // Directives, and roles.
        ("```{note}\nText.\n```\n", &["Text."]),
        (
            "````{admonition} A *title*\n:class: tip\n:name: x\n\nText.\n\n```{code-block} python\n\
                no()\n```\nMore.\n````\nEnd.",
            &["A title", "Text.", "More.", "End."],
        ),
        ("```{figure} a.png\n---\nname: x\n---\nText.\n```\n\n```{r}\nno()\n```\n", &["Text."]),
        (
            ":::{code-block} python\nno()\n:::\nText.\n::: details Title {open}\n:::",
            &["Text.", "Title"],
        ),
        ("/// note | Title\nText.\n///\n", &["Title", "Text."]),
        (
            "See {ref}`the map <m>`, {ref}`m` and :doc:`a`.",
            &["See the map, {ref}`m` and :doc:`a`."],
        ),
        // Citations, attributes, formulas, TeX.
        (
            "As [see @smith04, p. 3; @a] and @fig:one, @tbl-a say.",
            &["As and @fig:one, @tbl-a say."],
        ),
        ("Of [some *text*]{.x} and `a`{.py}, ![b](c){width=50%}.", &["Of some text and `a`,."]),
        ("[a][b]{ .x } here\n\n[b]: u\n\n## Title {-}\n", &["a here", "Title"]),
        (
            "Of $x$, $n = 2k$ and $f(a, b)$: $5 and US$6.",
            &["Of $x$, $n = 2k$ and $f(a, b)$: $5 and US$6."],
        ),
        ("$$\na < b\n$$ (eq-1)\n\nText.\n\\newpage\nEnd.", &["Text.", "End."]),
        ("\\begin{a}[h]\nno & no\\\\\n\\end{a}\n\nSee \\cite{b} \\emph{now}.", &["See now."]),
        // MDX: statements, expressions, elements; templates.
        ("import {\n  A\n} from 'a';\nexport const b = {\n  c: 'd',\n}\n\nText.", &["Text."]),
        ("Of {a.map(b => <li>{b}</li>)} x{' '}\n<i style={{a: 'b'}}>text</i>", &["Of x text"]),
        ("<div className={a} style={{b: 'c'}}>\n  Text.\n</div>\n", &["Text."]),
        (
            "<% if a > b %>yes<% end %> <?= $a->b ?>\n\n<?php if ($a->b > 1): ?>\nText.",
            &["yes", "Text."],
        ),
        ("[a]({{< ref \"b c\" >}}) and [d]({% link e f.md %})", &["a and d"]),
        // Marks of editors.
        ("A :smile: b ++ctrl+c++ {++d++} ^^e^^ x^[A note.]", &["A b d e x"]),
        ("#. One\n#. Two\n", &["One", "Two"]),
        ("Text\n![a](b)", &["Text"]),
    ] {
        assert_eq!(whole(source), source);
        assert_eq!(texts(source), expected, "{source}");
    }
}

#[test]
fn any_source_comes_back_to_the_byte() {
    const PIECES: [&str; 88] = [
        "a",
        "é",
        "字",
        " ",
        "  ",
        "\n",
        "\n\n",
        "  \n",
        "\\\n",
        "> ",
        "- ",
        "1. ",
        "# ",
        "\t",
        "*",
        "**",
        "_",
        "`",
        "``",
        "```\n",
        "~~",
        "[",
        "]",
        "](u)",
        "[x]",
        "[][]",
        "[^1]",
        "[^1]: ",
        "<",
        "<b>",
        "</b>",
        "<!--",
        "-->",
        "&amp;",
        "\\",
        "|",
        "\n|--|--|\n",
        "!",
        "{{< x >}}",
        "{% y %}",
        "{{ z }}",
        "{#i}",
        "!!! n \"",
        "[!N]",
        ": ",
        "$x_1$",
        "https://x.org/a_b",
        "\n[x]: u\n",
        "\n[x]: u \"t u\"\n",
        "<p title=\"t u\">",
        "</p>",
        "<br>",
        "![a b](c \"d e\")",
        "![x]",
        ":::tip[t",
        "::: n T\n",
        "<pre>",
        "<img alt='x y'>",
        "==a",
        "H~2~O",
        "---\ntitle: \"t\"\n",
        "<code>",
        "```{note} T\n:a: b\n",
        "```\n",
        "~~~{tip}\n",
        ":::{code}\n",
        ":::\n",
        "---\n",
        "(a)=\n",
        "--8<--\n",
        "<<< @/a\n",
        "{ref}`a <b>`",
        "[a @b, c]",
        "{a=b}",
        "{++",
        "++}",
        "^[",
        "\n$$\n",
        "$x$",
        "\\begin{a}",
        "\\end{a}\n",
        "\\emph{",
        "}",
        "{f(x)}",
        "<a b={c}>",
        "export const a = [\n",
        "<%",
        "%>",
    ];
    for seed in 0..20_000 {
        let mut next = numbers(seed);
        let source: String = (0..next(14)).map(|_| PIECES[next(PIECES.len())]).collect();
        assert_eq!(whole(&source), source, "{seed}");
    }
}

#[test]
fn what_is_written_is_read_again() {
    const WORDS: [&str; 22] = [
        "word",
        "é",
        "字",
        "*",
        "_",
        "snake_case",
        "C#",
        "#",
        "1.",
        "-",
        "+",
        "<",
        "a<b",
        "&amp;",
        "[sic]",
        "]",
        "(x)",
        "!",
        "~",
        "`",
        "\\",
        ":",
    ];
    let mut wrong = Vec::new();
    for seed in 0..5_000 {
        let mut next = numbers(seed);
        let words: Vec<&str> = (0..1 + next(6)).map(|_| WORDS[next(WORDS.len())]).collect();
        let mut marked = Marked::plain(words.join(" "));
        let place = |number: usize, end: bool| {
            let before: usize = words[..number].iter().map(|word| word.len() + 1).sum();
            before + if end { words[number].len() } else { 0 }
        };
        let (first, marks) = (next(words.len()), [("**", "**"), ("*", "*"), ("[", "](u)")]);
        let last = first + next(words.len() - first);
        let (open, close) = marks[next(3)];
        let tag = |at, markup: &str, kind| Tag { at, markup: markup.into(), kind };
        let tags = vec![
            tag(place(first, false), open, TagKind::Open),
            tag(place(last, true), close, TagKind::Close),
        ];
        marked.inline = Inline { tags, kept: Vec::new() };
        let prefix = ["", "> ", "- ", "# "][next(4)];
        let written = format!("{prefix}{}", inline::markdown(&marked, prefix));
        let again = read(&written).blocks;
        let is_same = again.len() == 1
            && again[0].text == marked.text
            && again[0].inline.tags.len() == 2
            && again[0].prefix == prefix;
        if !is_same {
            wrong.push((marked.to_markup(), written));
        }
    }
    assert!(wrong.is_empty(), "{} {:#?}", wrong.len(), &wrong[..wrong.len().min(25)]);
}

#[test]
fn hostile_sources_take_bounded_time() {
    let started = std::time::Instant::now();
    for piece in [
        "[",
        "*",
        "<",
        "`",
        "](",
        "<a></b>",
        "{{<",
        "{{< `a` ",
        "**a",
        "![",
        "> ",
        "|",
        "<% $x$ ",
        "<?= $x$ ",
        "{/* $x$ ",
        "\n```{a}\n:b: c",
        "\n```{note}\n```",
        ":::{code}\n",
        ":b: c\n",
        "export const a = [\n\n",
        "import a\n",
        "{a + ",
        "<a b={ $x$ ",
        "\n%%\n$x$",
        "--8<--\n$x$\n",
        "\\begin{a} $x$ ",
        "\\end{a} ",
        "{++a ",
        "[a ",
        "$a ",
        "$a+",
        "\n$$\na",
        "==a ",
        "\n\\a",
    ] {
        let source = piece.repeat(100_000 / piece.len());
        assert_eq!(whole(&source), source);
        inline::markdown(&Marked::plain(source), "");
    }
    assert!(started.elapsed().as_secs() < 60);
}
