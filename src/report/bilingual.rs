//! Source and translation side by side, for readers who check the one against the other.

mod page;
mod pairs;

use super::markdown::{listed, origin, title};
use super::table::quoted;
use super::words;
use crate::text::inline;
use crate::types::{Marked, Place, Record};
use pairs::pairs;

/// A form in which sources and translations are shown side by side. A file has its start, its
/// articles one after the other, and its end.
#[derive(Debug)]
pub struct BilingualForm {
    /// Name of the form.
    pub name: &'static str,
    /// Extension of the file's name, without the dot.
    pub extension: &'static str,
    /// What stands before the first article.
    pub start: fn() -> String,
    /// An article that has segments.
    pub article: fn(&Record) -> String,
    /// What stands after the last article.
    pub end: &'static str,
}

/// All forms, the usual one first.
pub static BILINGUAL_FORMS: &[&BilingualForm] = &[&MARKDOWN, &HTML, &CSV];

/// Block by block: the translation, and the source as a quotation below it. Tables with paragraphs
/// in them are hard to read in Markdown, and harder to write.
static MARKDOWN: BilingualForm = BilingualForm {
    name: "markdown",
    extension: "md",
    start: String::new,
    article: markdown,
    end: "",
};

/// Two columns, a row for each block.
static HTML: BilingualForm = BilingualForm {
    name: "html",
    extension: "html",
    start: page::start,
    article: page::article,
    end: page::END,
};

/// A row for each segment: `source,target,problems` (RFC 4180).
static CSV: BilingualForm = BilingualForm {
    name: "csv",
    extension: "csv",
    start: || "source,target,problems\r\n".into(),
    article: csv,
    end: "",
};

/// The form of this name.
pub fn bilingual_form(name: &str) -> Option<&'static BilingualForm> {
    BILINGUAL_FORMS.iter().copied().find(|form| form.name == name)
}

fn markdown(record: &Record) -> String {
    let mut parts = vec![format!("# {}", title(record)), origin(record)];
    for pair in pairs(record) {
        let (before, indent) = match pair.place {
            // It stands above.
            Place::Title => continue,
            Place::Heading(_) => ("## ", ""),
            Place::Paragraph(_) | Place::Aside(_) => ("", ""),
            Place::Item(_) => ("- ", "  "),
        };
        let written = |text: &str, before: &str| inline::markdown(&Marked::plain(text), before);
        parts.push(format!("{before}{}", written(&pair.target, before)));
        parts.push(format!("{indent}> {}", written(&pair.source, "> ")));
    }
    let notes = listed(&words::remarks(record));
    if !notes.is_empty() {
        parts.push(format!("---\n\n**Notes**\n\n{}", notes.trim_end()));
    }
    parts.join("\n\n") + "\n\n"
}

fn csv(record: &Record) -> String {
    let mut out = String::new();
    for segment in record.segments.iter().flatten() {
        let problems = pairs::names(&segment.problems).join(" ");
        let row = [segment.source.as_str(), &segment.target, &problems].map(quoted).join(",");
        out.push_str(&row);
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;
    use crate::types::{Origin, Problem, SegmentRecord};

    /// A sample whose segments are these.
    fn record(language: &str, segments: &[(Place, &str, &str, &[Problem])]) -> Record {
        let all = samples::records();
        let mut record =
            all.into_iter().find(|record| record.language.code.as_str() == language).unwrap();
        let segment =
            |(place, source, target, problems): &(Place, &str, &str, &[Problem])| SegmentRecord {
                source: source.to_string(),
                target: target.to_string(),
                place: *place,
                language: None,
                confidence: None,
                problems: problems.to_vec(),
                origin: Origin::Model,
            };
        record.segments = Some(segments.iter().map(segment).collect());
        record
    }

    fn libraries() -> Record {
        record(
            "uk",
            &[
                (Place::Title, "Харків відбудовує", "Kharkiv rebuilds", &[]),
                (Place::Paragraph(0), "Чотири відкрито.", "Vier sind offen.", &[]),
                (Place::Paragraph(0), "Так, \"усі\".", "Ja, \"alle\".", &[Problem::Number]),
                (Place::Heading(2), "Гроші", "# Die <b>Kosten</b>", &[]),
                (Place::Item(3), "* Вікна", "Fenster", &[]),
            ],
        )
    }

    #[test]
    fn markdown_has_the_source_below_the_translation() {
        let text = markdown(&libraries());
        let (_, body) = text.split_once("uk → en → de\n\n").unwrap();
        let (body, notes) = body.split_once("---\n\n**Notes**\n\n").unwrap();
        assert_eq!(
            body,
            "Vier sind offen. Ja, \"alle\".\n\n> Чотири відкрито. Так, \"усі\".\n\n\
             ## # Die \\<b>Kosten\\</b>\n\n> Гроші\n\n- Fenster\n\n  > \\* Вікна\n\n"
        );
        assert!(notes.contains("Sentence 2: a number differs"), "{notes}");
    }

    #[test]
    fn csv_is_read_back_as_it_was_written() {
        let record = libraries();
        let text = format!("{}{}", (CSV.start)(), csv(&record));
        let table = rows(&text);
        assert_eq!(table[0], ["source", "target", "problems"]);
        let expected = record.segments.as_ref().unwrap();
        assert_eq!(table.len(), expected.len() + 1);
        for (row, segment) in table[1..].iter().zip(expected) {
            assert_eq!((&row[0], &row[1]), (&segment.source, &segment.target));
        }
        assert_eq!((table[3][2].as_str(), table[2][2].as_str()), ("number", ""));
    }

    /// The rows of a table, read by the rules of RFC 4180.
    fn rows(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
        let (mut chars, mut is_quoted) = (text.chars().peekable(), false);
        while let Some(c) = chars.next() {
            match c {
                '"' if is_quoted && chars.peek() == Some(&'"') => {
                    chars.next();
                    field.push('"');
                }
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => row.push(std::mem::take(&mut field)),
                '\r' if !is_quoted => {}
                '\n' if !is_quoted => {
                    row.push(std::mem::take(&mut field));
                    rows.push(std::mem::take(&mut row));
                }
                c => field.push(c),
            }
        }
        rows
    }

    #[test]
    fn html_has_two_columns_and_no_markup_of_the_articles() {
        let mut record = libraries();
        record.id = "<script>.txt".into();
        let text = format!("{}{}{}", page::start(), page::article(&record), page::END);
        assert!(!text.contains("<b>Kosten") && !text.contains("<script>"), "{text}");
        assert!(text.contains("Die &lt;b&gt;Kosten&lt;/b&gt;"));
        assert_eq!(text.matches("<tr").count(), 3, "{text}");
        let cell = "<td lang=\"uk\" dir=\"auto\"><p>Чотири відкрито. Так, &quot;усі&quot;.</p>";
        assert!(text.contains(cell), "{text}");
        assert!(text.contains("lang=\"de\"") && text.contains("a number differs"));
    }

    #[test]
    fn sentences_are_joined_as_their_languages_want() {
        let segments: [(Place, &str, &str, &[Problem]); 2] = [
            (Place::Paragraph(0), "Eins.", "一。", &[]),
            (Place::Paragraph(0), "Zwei.", "二。", &[]),
        ];
        let mut record = record("uk", &segments);
        record.translation.as_mut().unwrap().language = crate::types::Lang::parse("ja").unwrap();
        let pair = pairs(&record).remove(0);
        assert_eq!((pair.source.as_str(), pair.target.as_str()), ("Eins. Zwei.", "一。二。"));
    }
}
