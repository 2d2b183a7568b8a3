mod about;
mod body;
mod boilerplate;
mod cells;
mod ends;
mod found;
mod fragment;
mod front;
mod furniture;
mod glue;
mod headline;
mod hostile;
mod html;
mod html_blocks;
mod ledger;
mod lines;
mod markdown;
mod page;
mod pages;
mod plain;
mod prune;
mod root;
mod separators;
mod state;
mod turns;
mod wraps;

use super::{clean, protect};
use crate::error::{Error, Result};
use crate::types::{Article, Block, BlockKind, Markup, RawArticle, Removal};
use found::{Found, one_line};
use ledger::Ledger;

/// Finds title and blocks of an article: characters are normalized, boilerplate of web pages is
/// dropped (HTML and plain text, where scraped pages leave it), hard-wrapped lines are joined, and
/// a title repeated at the top counts once.
///
/// # Errors
/// [`Error::Input`] when nothing readable is left, or when the text is really binary data.
pub fn extract(raw: &RawArticle) -> Result<Article> {
    refuse_binary(raw)?;
    if let Some(blocks) = &raw.blocks {
        return of_blocks(raw, blocks.clone());
    }
    let text = match raw.markup {
        // Code and addresses stay to the byte; what a reader sees is normalized where it is read.
        Markup::Markdown => clean::line_ends(&raw.text).into_owned(),
        _ => clean::normalize(&raw.text),
    };
    let (text, markup) = match raw.markup {
        Markup::Undeclared | Markup::Fragment => {
            let text = fragment::with_tags(&text);
            let undeclared = raw.markup == Markup::Undeclared;
            let markup = if undeclared { fragment::markup(&text) } else { raw.markup };
            (text.into_owned(), markup)
        }
        markup => (text, markup),
    };
    let Found { title, mut blocks, mut removed, fields } = match markup {
        Markup::Html => html::read(&text),
        Markup::Fragment => html::read_fragment(&fragment::with_breaks(&text)),
        Markup::Markdown => markdown::read(&text),
        Markup::Pages => pages::read(&text),
        _ => plain::read(&text),
    };
    if markup != Markup::Markdown {
        drop_boilerplate(&mut blocks, &mut removed);
        blocks = cells::divided(blocks);
    }
    let given =
        raw.title.as_deref().map(|t| one_line(&clean::normalize(t))).filter(|t| !t.is_empty());
    let title = take_title(given.or(title), &mut blocks, markup, &mut removed);
    refuse_unreadable(raw, title.as_deref(), &blocks)?;
    let mut extra = raw.extra.clone();
    for (name, value) in fields {
        extra.entry(name).or_insert(value);
    }
    Ok(Article {
        id: raw.id.clone(),
        source: raw.source.clone(),
        title,
        blocks,
        removed: removed.entries(),
        extra,
    })
}

/// The blocks of a document of Markdown, as [`extract`] finds them.
pub fn markdown_blocks(text: &str) -> Vec<Block> {
    markdown::read(text).blocks
}

/// A document whose format has divided it already.
fn of_blocks(raw: &RawArticle, blocks: Vec<Block>) -> Result<Article> {
    let title = raw.title.as_deref().map(one_line).filter(|title| !title.is_empty());
    refuse_unreadable(raw, title.as_deref(), &blocks)?;
    Ok(Article {
        id: raw.id.clone(),
        source: raw.source.clone(),
        title,
        blocks,
        removed: Vec::new(),
        extra: raw.extra.clone(),
    })
}

/// Refuses an article in which there is nothing to read.
fn refuse_unreadable(raw: &RawArticle, title: Option<&str>, blocks: &[Block]) -> Result<()> {
    let readable = |b: &Block| b.kind != BlockKind::Verbatim && protect::is_translatable(&b.text);
    if !blocks.iter().any(readable) && title.is_none() {
        let message = format!(
            "expected an article, found no readable text in its {} bytes ({}); check the file, or \
             leave it out with --pattern",
            raw.source.bytes.max(raw.text.len() as u64),
            if raw.text.trim().is_empty() {
                "it is empty"
            } else {
                "only markup, code, numbers or addresses"
            },
        );
        return Err(Error::input(&raw.id, message));
    }
    Ok(())
}

/// The front matter at the top of a Markdown text, with its fences; empty where there is none.
pub fn front_matter(text: &str) -> &str {
    front::front_matter(text).map_or("", |front| front.text)
}

/// Refuses text that was decoded from binary data.
fn refuse_binary(raw: &RawArticle) -> Result<()> {
    let (mut bad, mut all) = (0usize, 0usize);
    for c in raw.text.chars().take(65_536) {
        all += 1;
        bad += usize::from(
            c == '\u{fffd}'
                || c.is_control()
                    && !matches!(c, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{1b}'),
        );
    }
    if bad > 8 && bad * 20 > all {
        return Err(Error::input(
            &raw.id,
            format!(
                "expected text, found binary data ({bad} of the first {all} characters are control \
                 or broken characters); convert it to text or leave it out"
            ),
        ));
    }
    Ok(())
}

fn drop_boilerplate(blocks: &mut Vec<Block>, removed: &mut Ledger) {
    let texts: Vec<&str> = blocks.iter().map(|b| b.text.as_str()).collect();
    let mut keep = boilerplate::keep(&texts).into_iter();
    blocks.retain(|b| {
        let kept = keep.next().unwrap_or(true) || b.kind == BlockKind::Verbatim;
        if !kept {
            removed.add(Removal::Boilerplate, &b.text);
        }
        kept
    });
}

/// Takes the title out of the blocks; in Markdown it is marked there. A title that is given is
/// looked for at the top of the blocks; otherwise the first heading is the title when there is text
/// after it.
fn take_title(
    title: Option<String>,
    blocks: &mut Vec<Block>,
    markup: Markup,
    removed: &mut Ledger,
) -> Option<String> {
    let title = title.or_else(|| {
        let is_text = |b: &Block| b.kind != BlockKind::Verbatim && b.notation.is_running();
        let first = blocks.iter().position(is_text)?;
        let block = &blocks[first];
        let top = match markup {
            Markup::Markdown => {
                block.prefix == "# " || block.prefix.is_empty() && block.kind == BlockKind::Heading
            }
            _ => block.kind == BlockKind::Heading,
        };
        let body =
            blocks[first + 1..].iter().any(|b| is_text(b) && protect::is_translatable(&b.text));
        // Its links and emphasis have a place in the text, and none in a title.
        (top && body && block.inline.tags.is_empty()).then(|| block.text.clone())
    })?;
    let key = key(&title);
    // It may stand there twice, and a byline or date may stand between.
    let mut looked_at = 0;
    let mut is_title = |b: &Block| {
        if b.kind == BlockKind::Verbatim || !b.inline.tags.is_empty() || looked_at >= 4 {
            return false;
        }
        looked_at += usize::from(b.notation.is_running());
        self::key(&b.text) == key
    };
    match markup {
        // It stays where the author has it.
        Markup::Markdown => blocks.iter_mut().for_each(|b| b.is_title = is_title(b)),
        _ => {
            let mut found = 0;
            blocks.retain(|b| {
                let is_title = is_title(b);
                found += usize::from(is_title);
                // Once it is where the title comes from.
                if is_title && found > 1 {
                    removed.add(Removal::Repeated, &b.text);
                }
                !is_title
            });
        }
    }
    Some(one_line(&title))
}

/// The letters and digits of a title in lower case, for comparing titles.
fn key(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::types::{Format, Source};

    pub(crate) fn raw(format: Format, text: &str) -> RawArticle {
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
            title: None,
            text: text.into(),
            markup: match format {
                Format::Text => Markup::Plain,
                Format::Markdown => Markup::Markdown,
                Format::Html => Markup::Html,
                _ => Markup::Undeclared,
            },
            blocks: None,
            extra: Default::default(),
        }
    }

    #[test]
    fn scraped_text_with_the_dirt_of_its_page() {
        let text = "Talks begin in Almaty\n\nTalks begin in Almaty\n\nThe talks began on Monday, \
            the ministry said in a statement to the press.\n\nThey will go on for three \
            days.\n\n11 Comments\n\nPrevious Post Next Post";
        let article = extract(&raw(Format::Text, text)).unwrap();
        assert_eq!(article.title.as_deref(), Some("Talks begin in Almaty"));
        assert_eq!(
            article.text().trim_end(),
            "The talks began on Monday, the ministry said in a statement to the press.\n\nThey \
             will go on for three days."
        );
    }

    #[test]
    fn what_is_left_out_of_plain_text_is_told() {
        let text = "Talks begin in Almaty\n\nTalks begin in Almaty\n\nThe talks began on Monday, \
            the ministry said in a statement to the\n\n12\n\npress, and they will go on for three \
            days.\n\nAnnual Report\n13\n\nNobody knows what will come of them, said those who \
            were\n\nAnnual Report\n14\n\nthere.\n\n11 Comments\n";
        let article = extract(&raw(Format::Text, text)).unwrap();
        let told = article.removed.iter().map(|r| (r.reason, r.parts, r.start.as_str()));
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                (Removal::Boilerplate, 1, "11 Comments"),
                (Removal::Margin, 5, "Annual Report"),
                (Removal::Repeated, 1, "Talks begin in Almaty"),
            ]
        );
        // Nothing goes without being told.
        let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
        let left_out: usize = article.removed.iter().map(|r| r.characters).sum();
        let gone = letters(text) - letters(&article.text()) - letters(&article.title.unwrap());
        assert!(left_out >= gone, "{left_out} {gone}");
    }

    #[test]
    fn a_given_title_is_not_repeated() {
        let mut raw = raw(Format::Json, "TALKS BEGIN\nBy Jane Doe\n\nThe talks began.");
        raw.title = Some("Talks  begin".into());
        let article = extract(&raw).unwrap();
        assert_eq!(
            (article.title.as_deref(), article.text().as_str()),
            (Some("Talks begin"), "By Jane Doe\n\nThe talks began.")
        );
    }

    #[test]
    fn json_fields_may_hold_a_page() {
        let article = extract(&raw(Format::Jsonl, "<p>One &amp; two.</p><p>Three.</p>")).unwrap();
        assert_eq!(article.text().trim_end(), "One & two.\n\nThree.");
    }

    #[test]
    fn nothing_to_read_is_an_error_that_says_so() {
        for (format, text) in [
            (Format::Text, ""),
            (Format::Text, " \n\t\n"),
            (Format::Html, "<html><body><script>x()</script></body></html>"),
            (Format::Markdown, "```\ncode\n```\n"),
            (Format::Text, "12 34\n---\nhttps://x.org"),
        ] {
            let error = extract(&raw(format, text)).unwrap_err();
            assert!(
                matches!(error, Error::Input { .. })
                    && error.to_string().contains("no readable text"),
                "{error}"
            );
        }
        let error = extract(&raw(Format::Text, &"\u{0}\u{1}PK\u{fffd}".repeat(100))).unwrap_err();
        assert!(error.to_string().contains("binary"), "{error}");
    }

    #[test]
    fn one_line_is_text_and_no_title() {
        let article = extract(&raw(Format::Text, "Guten Tag")).unwrap();
        assert_eq!((article.title, article.blocks[0].text.as_str()), (None, "Guten Tag"));
    }
}
