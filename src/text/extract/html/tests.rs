mod declared;
mod headlines;

const PAGE: &str = r##"<!DOCTYPE html><html><head><title>Talks begin in Almaty | The Daily News</title>
<meta property="og:title" content="Talks begin in Almaty"><meta property="og:site_name" content="The Daily News"><style>p{}</style></head><body class="has-sidebar">
<div class="cookie-banner"><p>We use cookies to improve your experience.</p><button>Accept</button></div>
<nav><ul><li><a href="/">Home</a></li><li><a href="/w">World</a></li><li><a href="/s">Sport</a></li></ul></nav>
<div id="wrap"><div class="main"><article><h1>Talks begin in&nbsp;Almaty</h1><p class="byline">By Jane Doe</p>
<div class="share-buttons"><a href="#">Facebook</a> <a href="#">Twitter</a></div>
<p>The talks <b>began</b> on Monday, the <a href="/m">ministry</a> said, and they will go on for three days &amp; nights in the city of Almaty, with <em>all</em> parties present.</p>
<div class="ad-slot">ADVERTISEMENT</div>
<h2>What comes next</h2><p>Three things, according to the spokesman, who asked not to be named, are still to be settled before the end of the week:</p>
<ul><li>the border,</li><li>the <i>return</i> of prisoners,<ul><li>first the wounded</li></ul></li><li>trade.</li></ul>
<ol><li>One</li><li>Two</li></ol>
<blockquote><p>We are close to an agreement, closer than we have been for many years, and we will not waste it.</p></blockquote>
<table><tr><th>Year</th><th>Talks</th></tr><tr><td>2020</td><td>3</td></tr><tr><td>2021</td><td>5</td></tr></table>
<p>Run <code>cargo test</code>.<br>New line.</p><pre>let x = 1;
let y = 2;</pre>
<p><strong>Read more:</strong> <a href="/b">Bank raises rates</a></p>
<p>A last paragraph closes the article, so that readers know, with some more words, how the story of the talks ends.</p></article>
<div class="related"><h3>Related articles</h3><ul><li><a href="/1">Bank raises rates again</a></li><li><a href="/2">Storm nears the coast</a></li></ul></div>
<div id="comments"><h3>11 Comments</h3><p>Nonsense, all of it, says somebody who has not read a word of the article above.</p></div></div></div>
<footer><p>© 2024 The Daily News. All rights reserved.</p></footer><script>track();</script></body></html>"##;

fn article(source: &str) -> crate::types::Article {
    crate::text::extract::extract(&crate::text::extract::tests::raw(
        crate::types::Format::Html,
        source,
    ))
    .unwrap()
}

#[test]
fn the_article_and_nothing_else() {
    let article = article(PAGE);
    assert_eq!(article.title.as_deref(), Some("Talks begin in Almaty"));
    // The byline goes, as in a browser's reader mode.
    let expected = "The talks began on Monday, the ministry said, and they will go on for three days & nights in the city of Almaty, with all parties present.

## What comes next

Three things, according to the spokesman, who asked not to be named, are still to be settled before the end of the week:

- the border,
- the return of prisoners,
  - first the wounded
- trade.

1. One
2. Two

> We are close to an agreement, closer than we have been for many years, and we will not waste it.

| Year | Talks |
| --- | --- |
| 2020 | 3 |
| 2021 | 5 |

Run `cargo test`.
New line.

```
let x = 1;
let y = 2;
```

A last paragraph closes the article, so that readers know, with some more words, how the story of the talks ends.
";
    assert_eq!(article.text(), expected);
}

#[test]
fn short_and_broken_pages_are_read_whole() {
    assert_eq!(article("<p>One<p>Two").text(), "One\n\nTwo\n");
    assert_eq!(article("<div>Talks <b>begin</div><br><br>Today").text(), "Talks begin\n\nToday\n");
    assert_eq!(article("Just text").text(), "Just text\n");
}

#[test]
fn endless_nesting_is_survived() {
    let deep = format!("{}the text{}", "<div>".repeat(50_000), "</div>".repeat(50_000));
    assert_eq!(article(&deep).blocks[0].text, "the text");
    let less = format!("{}the text{}", "<div>".repeat(1500), "</div>".repeat(1500));
    assert_eq!(article(&less).blocks[0].text, "the text");
}

/// Paragraphs that can be told apart by their numbers.
fn paragraphs(numbers: std::ops::RangeInclusive<usize>, open: &str, close: &str) -> String {
    numbers
        .map(|n| {
            format!(
                "{open}Station {n} reports that the river rose by another hand's breadth in the \
                 night, and that the ferry stays on its bank until the weekend.{close}"
            )
        })
        .collect()
}

/// How many of the numbered paragraphs an article has.
fn stations(article: &crate::types::Article) -> usize {
    let text = article.text();
    (1..=99).filter(|n| text.contains(&format!("Station {n} "))).count()
}

fn reasons(article: &crate::types::Article) -> Vec<crate::types::Removal> {
    article.removed.iter().map(|r| r.reason).collect()
}

#[test]
fn a_name_alone_drops_no_prose() {
    for name in ["paywall", "gdpr-text", "newsletter-story", "sidebar", "premium", "promo", "share"]
    {
        for (open, close) in [
            (format!("<p class='{name}'>"), "</p>"),
            (format!("<div class='{name}'><p>"), "</p></div>"),
            (format!("<section id='{name}'>"), "</section>"),
        ] {
            let page = format!(
                "<title>The river</title><article><h1>The river</h1>{}{}<div class='{name}'>\
                 <a href='/x'>Subscribe</a></div></article>",
                paragraphs(1..=2, "<p>", "</p>"),
                paragraphs(3..=9, &open, close),
            );
            let article = article(&page);
            assert_eq!(stations(&article), 9, "{open}");
            assert!(!article.text().contains("Subscribe"), "{open}");
        }
    }
}

#[test]
fn a_name_of_what_stands_beside_says_nothing() {
    for name in ["body-after-ad", "content-below-banner", "text-before-promo", "ad-free", "non-ad"]
    {
        let page = format!(
            "<main><h1>The river</h1>{}<div class='{name}'>{}</div></main>",
            paragraphs(1..=8, "<p>", "</p>"),
            paragraphs(9..=10, "<p>", "</p>")
        );
        assert_eq!(stations(&article(&page)), 10, "{name}");
    }
}

#[test]
fn what_never_holds_text_is_told_once() {
    use crate::types::Removal;
    let body = paragraphs(1..=8, "<p>", "</p>");
    let told = |markup: &str| {
        let article = article(&format!("<main><h1>The river</h1>{body}{markup}</main>"));
        assert_eq!(stations(&article), 8, "{markup}");
        article.removed.iter().map(|r| (r.reason, r.parts, r.start.clone())).collect::<Vec<_>>()
    };
    for (markup, reason, text) in [
        ("<button>Show more</button>", Removal::Buttons, "Show more"),
        ("<dialog open><p>We use cookies.</p></dialog>", Removal::Notice, "We use cookies."),
        (
            "<object data='a.swf'>Your player is old.</object>",
            Removal::Caption,
            "Your player is old.",
        ),
        ("<svg><text>Depth in metres</text></svg>", Removal::Caption, "Depth in metres"),
    ] {
        assert_eq!(told(markup), [(reason, 1, text.to_string())], "{markup}");
    }
    // A button in a menu goes with the menu.
    let menu = told("<nav><a href='/a'>Home</a> <button>Search</button></nav>");
    assert_eq!(menu.len(), 1, "{menu:?}");
    assert_eq!((menu[0].0, menu[0].1), (Removal::Navigation, 1));
    assert!(told("<script>alert(1)</script>").is_empty());
}

#[test]
fn names_and_other_signs_drop_what_is_around() {
    let body = paragraphs(1..=8, "<p>", "</p>");
    for (box_, reason) in [
        (
            "<div class='newsletter'><p>The best of the week comes every Friday, free of charge, \
             to your inbox.</p><input type='email'><button>Go</button></div>",
            crate::types::Removal::Offer,
        ),
        (
            "<ol class='comment-list'><li class='comment'><p>I crossed it as a child, and it was \
             already in a bad state then.</p></li></ol>",
            crate::types::Removal::Comments,
        ),
        (
            "<div class='related'><p>The bridge of the neighbours was <a href='/b'>repaired within \
             three weeks last summer</a>.</p></div>",
            crate::types::Removal::Related,
        ),
        (
            "<figure><img src='a.jpg'><figcaption>The river at dawn, seen from the mill, before \
             the rain set in.</figcaption></figure>",
            crate::types::Removal::Caption,
        ),
        (
            "<aside><p>A background that stands beside the text and is not a part of it.</p></aside>",
            crate::types::Removal::Margin,
        ),
    ] {
        let article = article(&format!("<h1>The river</h1><main>{body}{box_}</main>"));
        assert_eq!(stations(&article), 8, "{box_}");
        assert_eq!(article.blocks.len(), 8, "{:?}", article.blocks);
        assert!(reasons(&article).contains(&reason), "{:?}", article.removed);
    }
}

#[test]
fn a_body_in_several_containers_is_found_whole() {
    for sizes in [[5, 5, 0], [7, 3, 0], [3, 3, 3], [2, 8, 2]] {
        let mut first = 1;
        let mut page = String::from("<h1>The river</h1><div id='app'>");
        for size in sizes {
            page += &format!(
                "<section><div class='w'><div class='text-part'>{}</div><ul><li>x</li></ul></div>\
                 </section><div class='ad'>ADVERTISEMENT</div>",
                paragraphs(first..=first + size - usize::from(size > 0), "<p>", "</p>")
                    .repeat(usize::from(size > 0)),
            );
            first += size;
        }
        let article = article(&(page + "</div>"));
        assert_eq!(stations(&article), sizes.iter().sum::<usize>(), "{sizes:?}");
        assert!(!article.text().contains("ADVERTISEMENT"));
    }
}

#[test]
fn text_in_cells_is_text() {
    let rows = paragraphs(1..=6, "<tr><td>9:15</td><td>", "</td></tr>");
    let article = article(&format!("<h1>The day</h1><table>{rows}</table>"));
    let entries = article.blocks.iter().filter(|b| b.text.starts_with("Station")).count();
    assert_eq!((stations(&article), entries), (6, 6));
}

#[test]
fn the_text_may_stand_in_data_alone() {
    let body: Vec<String> = (1..=4).map(|n| paragraphs(n..=n, "", "")).collect();
    let (plain, marked) = (body.join("\\n\\n"), paragraphs(1..=4, "<p>", "<\\/p>"));
    for text in [&plain, &marked] {
        let data = format!(
            r#"<script type="application/ld+json">{{"@graph": [{{"@type": "WebSite", "name": "The
            Courier"}}, {{"@type": ["NewsArticle"], "headline": "The river", "author": [{{"name":
            "Ann Lee"}}], "datePublished": "2025-03-01", "articleBody": "{text}"}}]}}</script>"#
        );
        for shown in [
            "<div id='root'></div><noscript><p>Please enable JavaScript to read this.</p></noscript>",
            "<article><p>The river rose again in the night.</p></article><p>Log in to read on.</p>",
        ] {
            let article = article(&format!("<title>The river - The Courier</title>{data}{shown}"));
            assert_eq!((stations(&article), article.blocks.len()), (4, 4), "{shown}");
            assert_eq!(article.title.as_deref(), Some("The river"));
            assert_eq!(article.extra["author"], "Ann Lee");
            assert_eq!(article.extra["published"], "2025-03-01");
            assert_eq!(article.extra["site"], "The Courier");
        }
        // What the page shows has its structure and comes first.
        let shown = paragraphs(1..=4, "<h2>A part</h2><p>", "</p>");
        assert_eq!(article(&format!("{data}<article>{shown}</article>")).blocks.len(), 8);
    }
}

#[test]
fn hidden_text_counts_where_there_is_no_other() {
    for (open, close) in [
        ("<div aria-hidden='true'>", "</div>"),
        ("<noscript>", "</noscript>"),
        ("<div style='display: none'>", "</div>"),
    ] {
        let body = paragraphs(1..=4, "<p>", "</p>");
        let article = article(&format!("<body><h1>The river</h1>{open}{body}{close}</body>"));
        assert_eq!(stations(&article), 4, "{open}");
    }
}

#[test]
fn a_lead_belongs_to_the_text() {
    let body = paragraphs(1..=6, "<p>", "</p>");
    let lead = "Nobody knows yet when the ferry will run again, says the harbour master.";
    let article = article(&format!(
        "<article><header><h1>The river</h1><p class='teaser'>{lead}</p></header><div \
         class='article-body'>{body}</div></article>"
    ));
    assert_eq!((article.blocks[0].text.as_str(), stations(&article)), (lead, 6));
}

#[test]
fn sections_that_lead_away_are_left_out() {
    let body = paragraphs(1..=8, "<p>", "</p>");
    for end in ["Related articles", "Mehr zum Thema", "À lire aussi", "Читайте также", "関連記事"]
    {
        let article = article(&format!(
            "<article><h1>The river</h1>{body}<h3>{end}</h3><p>The mill will open to visitors on \
             Sunday.</p></article>"
        ));
        assert_eq!(article.blocks.len(), 8, "{end}");
    }
}

#[test]
fn lists_of_links_stay_where_the_text_announces_them() {
    let body = paragraphs(1..=4, "<p>", "</p>");
    let links = "<ul><li><a href='/1'>The first report of the divers</a></li><li><a href='/2'>The \
        second report of the divers</a></li><li><a href='/3'>The letter to the county</a></li></ul>";
    let page = format!(
        "<article>{body}<p>The council has published three papers:</p>{links}{body}</article>"
    );
    assert!(article(&page).text().contains("- The second report"));
    let page = format!("<article>{body}<p>Read more:</p>{links}{body}</article>");
    assert!(!article(&page).text().contains("second report"));
}

#[test]
fn ruby_readings_are_dropped() {
    let page = "<p><ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>を読む。</p>";
    assert_eq!(article(page).text(), "漢字を読む。\n");
}

#[test]
fn hostile_pages_take_bounded_time() {
    let body = paragraphs(1..=4, "<p>", "</p>");
    let start = std::time::Instant::now();
    for page in [
        format!("<div>{}</div>", "<table><tr><td>".repeat(1500)) + &body,
        "<div class='comment'>".repeat(1900) + &body,
        format!("<a {}>x</a>{body}", "a b c d e f g h ".repeat(20_000)),
        body.clone() + &"<b>x</b>".repeat(200_000),
        format!("<title>{}</title>{body}", "a - b ".repeat(10_000)),
        format!("<script type='application/ld+json'>{}</script>{body}", "[".repeat(100_000)),
    ] {
        assert_eq!(stations(&article(&page)), 4);
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    let long = article(&(body.clone() + &"<i>x</i> ".repeat(200_000)));
    assert!(reasons(&long).contains(&crate::types::Removal::TooLong));
}

#[test]
fn a_page_that_shows_nothing_is_an_error() {
    let raw = crate::text::extract::tests::raw(
        crate::types::Format::Html,
        "<title>The river</title><body><noscript>Please enable JavaScript to view this \
         site.</noscript></body>",
    );
    assert!(crate::text::extract::extract(&raw).is_err());
}

#[test]
fn data_come_in_many_forms() {
    let body: Vec<String> = (1..=4).map(|n| paragraphs(n..=n, "", "")).collect();
    let kind = r#""@type": "NewsArticle", "headline": "The river""#;
    let list = format!(r#"{{{kind}, "articleBody": ["{}"]}}"#, body.join("\", \""));
    let updates: Vec<String> = body
        .iter()
        .map(|b| format!(r#"{{"@type": "BlogPosting", "articleBody": "{b}"}}"#))
        .collect();
    let live = format!(
        r#"{{"@type": "LiveBlogPosting", "headline": "The river", "liveBlogUpdate": [{}]}}"#,
        updates.join(",")
    );
    let comma = list.replace("]}", "],}");
    let two = format!(r#"{list} {{"@type": "WebSite", "name": "The Courier"}}"#);
    let other = format!(
        r#"[{list}, {{"@type": "NewsArticle", "headline": "Another", "articleBody": "{}"}}]"#,
        "Something else is told here. ".repeat(60)
    );
    let escaped = list.replace('"', "&quot;");
    let page = |data: &str| {
        format!(
            "<title>The river</title><script type='application/ld+json'>{data}</script><div>x</div>"
        )
    };
    let text = body.join(r"\n\n");
    let raw = format!("{{{kind}, \"articleBody\": \"{}\"}}", body.join("\n\n"));
    let quotes = format!(r#"{{{kind}, "description": "The "river"", "articleBody": "{text}"}}"#);
    let twice = format!(r#"{{{kind}, "articleBody": "{}"}}"#, text.replace('\\', r"\\"));
    let wrapped = format!("/*<![CDATA[*/\n{list}\n/*]]>*/");
    for data in [&list, &live, &comma, &two, &other, &escaped, &raw, &quotes, &twice, &wrapped] {
        let article = article(&page(data));
        assert_eq!((stations(&article), article.blocks.len()), (4, 4), "{data}");
    }
    let tags = paragraphs(1..=4, "&amp;lt;p&amp;gt;", "&amp;lt;/p&amp;gt;");
    assert_eq!(article(&page(&format!(r#"{{{kind}, "articleBody": "{tags}"}}"#))).blocks.len(), 4);
    let meta =
        format!("<meta itemprop=articleBody content=\"{}\"><h1>The river</h1>", body.join(" "));
    assert_eq!(stations(&article(&meta)), 4);
}

#[test]
fn copies_are_read_once() {
    let text = paragraphs(1..=4, "<p>", "</p>");
    let page = |first: &str, second: &str| {
        let sub = "<h2>A part</h2>";
        format!(
            "<article><h1>The river</h1><div {first}>{sub}{text}</div><div {second}>{sub}{text}</div></article>"
        )
    };
    for (first, second) in [
        ("class=desktop", "class=mobile"),
        ("class=mobile style='display:none'", "class=desktop"),
        ("", "class=print-version hidden"),
    ] {
        let article = article(&page(first, second));
        assert_eq!((stations(&article), article.blocks.len()), (4, 5), "{first} {second}");
    }
    let shown = article(&page("class=desktop", "class=mobile"));
    assert!(reasons(&shown).contains(&crate::types::Removal::Repeated));
}

#[test]
fn what_a_button_unfolds_belongs_to_the_text() {
    for (open, close) in [
        ("<div style='display: none'>", "</div><a href='#'>Read on</a>"),
        ("<div class=page hidden>", "</div>"),
    ] {
        let (first, rest) = (paragraphs(1..=4, "<p>", "</p>"), paragraphs(5..=6, "<p>", "</p>"));
        let page = format!(
            "<main><h1>The river</h1><div class=page>{first}</div>{open}{rest}{close}</main>"
        );
        assert_eq!(stations(&article(&page)), 6, "{open}");
        let notice =
            "<p>Subscribe now to read all our articles, and cancel at any time you like.</p>";
        let page = format!("<main><h1>The river</h1>{first}{open}{notice}{close}</main>");
        assert!(!article(&page).text().contains("Subscribe"), "{open}");
    }
}

#[test]
fn readers_comments_are_entries_with_more_than_a_passage() {
    let comment = "<li class=comment><div class=by>A reader</div><p>I think that the mayor should \
                   finally say who is going to pay for all of it.</p></li>";
    let page = format!(
        "<div><h1>The river</h1>{}<h3>Letters</h3><ul>{}</ul></div>",
        paragraphs(1..=6, "<p>", "</p>"),
        comment.repeat(2)
    );
    let article = article(&page);
    assert_eq!((stations(&article), article.text().contains("I think")), (6, false));
}

#[test]
fn times_and_their_entries_stay_apart() {
    let entry = |open: &str, between: &str, close: &str| {
        let entries =
            (1..=6).map(|n| format!("{open}9:15{between}In lane {n} a boat passed.{close}"));
        article(&format!("<h1>The day</h1><ul>{}</ul>", entries.collect::<String>()))
    };
    let row = entry("<table><tr><td>", "</td><td>", "</td></tr></table>");
    let rows =
        (1..=6).map(|n| format!("<tr><td>9:15</td><td>In lane {n} a boat passed.</td></tr>"));
    let rows = rows.collect::<String>();
    let table = article(&format!("<h1>The day</h1><table>{rows}</table>"));
    let spans = entry("<li><span>", "</span><span class=text>", "</span></li>");
    for article in [&row, &table, &spans] {
        assert!(!article.text().contains("9:15In"), "{}", article.text());
        assert!(article.blocks.iter().all(|b| b.kind != crate::types::BlockKind::Verbatim));
    }
    assert_eq!(spans.blocks.len(), 6);
    let one =
        article("<p><b>i</b>Phone and <b>Mc</b><b>donald</b> are <i>here</i>: a whole line.</p>");
    assert_eq!(one.text().trim_end(), "iPhone and Mcdonald are here: a whole line.");
}
