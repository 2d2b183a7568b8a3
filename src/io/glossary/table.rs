//! Glossaries as tables: `source,target` with a first row that names the columns, or two columns
//! without one, as translation services take them.

use super::{forms, keep, one_line};
use crate::document::values;
use crate::error::Error;
use crate::languages;
use crate::types::{GlossaryEntry, Lang};
use std::borrow::Cow;

/// Delimiters of glossaries: the bar stands between the forms of a term.
const DELIMITERS: [char; 3] = ['\t', ';', ','];

/// What a term is not translated to.
const SAME: &str = "=";

/// The places of the columns.
#[derive(Debug)]
struct Columns {
    source: usize,
    target: usize,
    from: Option<usize>,
    to: Option<usize>,
    case: Option<usize>,
    note: Option<usize>,
    /// The languages that the first row says.
    pair: (Option<Lang>, Option<Lang>),
}

/// The entries of a table; an error is a phrase that follows the file's name.
pub(super) fn read(text: &str) -> Result<Vec<GlossaryEntry>, String> {
    let mut entries = Vec::new();
    let mut columns: Option<Columns> = None;
    // What begins with # is a remark, as in many such files, without the table's delimiters.
    let is_remark = |line: &&str| line.starts_with('#') || line.trim().is_empty();
    let remarks: Vec<&str> = text.split_inclusive('\n').take_while(is_remark).collect();
    let start: usize = remarks.iter().map(|line| line.len()).sum();
    for row in values(&text[start..], &DELIMITERS) {
        let (line, cells) = row.map_err(|error| message(error, remarks.len()))?;
        let line = line + remarks.len();
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let Some(columns) = &columns else {
            let found = Columns::of(&cells);
            if let Some(found) = found {
                columns = Some(found);
                continue;
            }
            let bare = columns.insert(Columns::bare());
            add(&mut entries, bare, &cells, line)?;
            continue;
        };
        add(&mut entries, columns, &cells, line)?;
    }
    Ok(entries)
}

/// What is wrong with a table that so many lines stand before.
fn message(error: Error, before: usize) -> String {
    let Error::Input { message, .. } = error else { return error.to_string() };
    let numbered = message.strip_prefix("line ").and_then(|rest| rest.split_once(':'));
    match numbered.and_then(|(line, rest)| Some((line.parse::<usize>().ok()?, rest))) {
        Some((line, rest)) => format!("line {}:{rest}", line + before),
        None => message,
    }
}

/// Adds the entry of a row.
fn add(
    entries: &mut Vec<GlossaryEntry>,
    columns: &Columns,
    cells: &[Cow<'_, str>],
    line: usize,
) -> Result<(), String> {
    let cell = |at: usize| cells.get(at).map_or("", |cell| cell.trim());
    let optional = |at: Option<usize>| at.map(cell).filter(|text| !text.is_empty());
    let source = forms(cell(columns.source));
    if source.is_empty() {
        let found = cells.join(" | ");
        return Err(format!(
            "line {line}: expected a term and its translation, as `chat,cat`, found no term in \
             “{}”",
            one_line(&found)
        ));
    }
    let target = cell(columns.target);
    let target = if target == SAME { Vec::new() } else { forms(target) };
    let language = |at, own: &Option<Lang>| match optional(at) {
        Some(code) => lang(code, line).map(Some),
        None => Ok(own.clone()),
    };
    let entry = GlossaryEntry {
        source,
        target,
        from: language(columns.from, &columns.pair.0)?,
        to: language(columns.to, &columns.pair.1)?,
        case: optional(columns.case).map(|text| case(text, line)).transpose()?,
        note: optional(columns.note).map(String::from),
    };
    keep(entries, entry, line)
}

impl Columns {
    /// Two columns, of any languages.
    fn bare() -> Columns {
        let pair = (None, None);
        Columns { source: 0, target: 1, from: None, to: None, case: None, note: None, pair }
    }

    /// The columns that a first row names, if it does.
    fn of(cells: &[Cow<'_, str>]) -> Option<Columns> {
        let names: Vec<String> = cells.iter().map(|cell| cell.trim().to_lowercase()).collect();
        let find = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        let optional = Columns {
            from: find(&["from", "source_lang", "source language"]),
            to: find(&["to", "target_lang", "target language"]),
            case: find(&["case", "case_sensitive", "case sensitive"]),
            note: find(&["note", "notes", "comment"]),
            ..Columns::bare()
        };
        if let (Some(source), Some(target)) =
            (find(&["source", "term", "src"]), find(&["target", "translation", "tgt"]))
        {
            return Some(Columns { source, target, ..optional });
        }
        // Two codes of languages that are known, which few terms look like.
        let code = |name: &String| {
            let lang = Lang::parse(name).filter(|lang| languages::get(lang).is_some())?;
            Some(languages::canonical(&lang))
        };
        let known: Vec<(usize, Lang)> = names
            .iter()
            .enumerate()
            .filter_map(|(at, name)| Some((at, code(name)?)))
            .take(3)
            .collect();
        let others = [optional.case, optional.note].into_iter().flatten().count();
        match known.as_slice() {
            [(source, from), (target, to)] if from != to && names.len() == 2 + others => {
                let pair = (Some(from.clone()), Some(to.clone()));
                Some(Columns { source: *source, target: *target, pair, ..optional })
            }
            _ => None,
        }
    }
}

/// A language by its code.
fn lang(code: &str, line: usize) -> Result<Lang, String> {
    let lang = Lang::parse(code).filter(|lang| languages::get(lang).is_some());
    lang.map(|lang| languages::canonical(&lang)).ok_or_else(|| {
        format!("line {line}: expected the code of a language, as fr or pt-BR, found “{code}”")
    })
}

/// Whether capitals count.
fn case(text: &str, line: usize) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" | "case" | "sensitive" => Ok(true),
        "false" | "no" | "0" | "insensitive" => Ok(false),
        other => Err(format!("line {line}: expected yes or no for case, found “{other}”")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let code = |lang: &Option<Lang>| lang.as_ref().map_or("-".into(), Lang::to_string);
        let show = |entry: &GlossaryEntry| {
            let case = match entry.case {
                None => "",
                Some(true) => " exact",
                Some(false) => " any",
            };
            let (from, to) = (code(&entry.from), code(&entry.to));
            format!("{}>{} {from} {to}{case}", entry.source.join("|"), entry.target.join("|"))
        };
        read(text).unwrap().iter().map(show).collect()
    }

    #[test]
    fn columns_are_found_by_their_names_in_any_order() {
        assert_eq!(
            shown("target,source,note,case,to,from\ngato|bichano,cat,animal,no,pt-BR,en\n"),
            ["cat>gato|bichano en pt any"]
        );
        assert_eq!(
            shown("fr;en\nchat;cat\nchien;\nGTI;=\n"),
            ["chat>cat fr en", "chien> fr en", "GTI> fr en"]
        );
        assert_eq!(shown("en\tpt\tcase\nUS\tEUA\tyes\n"), ["US>EUA en pt exact"]);
    }

    #[test]
    fn two_columns_need_no_first_row() {
        assert_eq!(shown("cat,gato\r\n\r\n dog , cão \n"), ["cat>gato - -", "dog>cão - -"]);
        assert_eq!(shown("# terms\ncat\tgato|bichano|felino\n"), ["cat>gato|bichano|felino - -"]);
        // One column: what is not to be translated. "no" and "it" are languages, and words.
        assert_eq!(shown("Kubernetes\nMozilla\n"), ["Kubernetes> - -", "Mozilla> - -"]);
        assert_eq!(shown("\"a, b\",\"c \"\"d\"\"\"\n"), ["a, b>c \"d\" - -"]);
        assert_eq!(shown("cats|cat,gatos|gato|gatos\n"), ["cats|cat>gatos|gato - -"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let error = |text: &str| read(text).unwrap_err();
        assert!(error("source,target,from\ncat,gato,en\ndog,cão,xx1\n").starts_with("line 3: "));
        assert!(error("source,target,case\ncat,gato,maybe\n").contains("found “maybe”"));
        assert!(error("# x, y; z\n\ncat,gato\n,cão\n").starts_with("line 4: expected a term"));
        assert!(error("cat,gato\n,cão\n").starts_with("line 2: expected a term"));
        assert!(error("# a\n# b\nx,y\nc,\"d\n").starts_with("line 4: a cell begins"));
        let quoted = "source,target\n\"two\nlines\",x\n,y\n";
        assert!(error(quoted).starts_with("line 4: "), "{}", error(quoted));
    }
}
