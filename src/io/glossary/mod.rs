//! Glossaries: tables (CSV, TSV) and the exchange format of terminologists (TBX).
//!
//! A file is untrusted: its size, the number of its entries and their lengths are bounded.

mod table;
mod tbx;

use super::articles::decode_marked;
use crate::error::{Error, Result};
use crate::types::{Glossary, GlossaryEntry};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Largest file, in bytes.
const MOST_BYTES: u64 = 64 << 20;
/// Most entries.
const MOST_ENTRIES: usize = 1 << 20;
/// Most forms of a term.
const MOST_FORMS: usize = 64;
/// Longest form, in characters.
const LONGEST_FORM: usize = 300;

impl Glossary {
    /// Reads a glossary: a table of terms and their translations (CSV, TSV) or TBX, whatever the
    /// file is called.
    ///
    /// The first row of a table may name its columns, in any order: `source` and `target`, or
    /// codes of the two languages, as `fr,en`; beside them `from`, `to`, `case` and `note`. Without
    /// such a row there are two columns. Several forms of a term are separated by `|`. Where the
    /// target is empty or `=`, the term is not translated. Of TBX, each concept gives the terms of
    /// each of its languages as translations of those of each other.
    ///
    /// ```no_run
    /// # fn main() -> polygist::Result<()> {
    /// let glossary = polygist::Glossary::open("terms.csv")?;
    /// println!("{} terms", glossary.entries.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the file cannot be read, or is no glossary; the message says in which line.
    pub fn open(path: impl AsRef<Path>) -> Result<Glossary> {
        let path = path.as_ref();
        let file = File::open(path).map_err(Error::io("reading", path))?;
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(Error::io("reading", path))?;
        Glossary::parse(bytes, &path.display().to_string())
    }

    /// The glossary that these bytes are, of a file of this name.
    ///
    /// # Errors
    /// As [`Glossary::open`].
    pub fn parse(bytes: Vec<u8>, name: &str) -> Result<Glossary> {
        let wrong = |message: String| Error::input(name, message);
        if bytes.len() as u64 > MOST_BYTES {
            let message = format!("has more than {MOST_BYTES} bytes; divide the glossary");
            return Err(wrong(message));
        }
        let text = decode_marked(bytes, &mut Vec::new()).map_err(wrong)?;
        let is_xml = text.trim_start().starts_with('<');
        let entries = if is_xml { tbx::read(&text) } else { table::read(&text) };
        let entries = entries.map_err(wrong)?;
        if entries.is_empty() {
            let message =
                "expected terms with their translations, as the line `chat,cat`, found none";
            return Err(wrong(message.into()));
        }
        Ok(Glossary { entries })
    }
}

/// Takes an entry of a line, if it is not too much.
fn keep(entries: &mut Vec<GlossaryEntry>, entry: GlossaryEntry, line: usize) -> Result<(), String> {
    if entries.len() >= MOST_ENTRIES {
        let message = format!("line {line}: more than {MOST_ENTRIES} entries; divide the glossary");
        return Err(message);
    }
    for forms in [&entry.source, &entry.target] {
        if forms.len() > MOST_FORMS {
            let found = forms.len();
            return Err(format!("line {line}: expected up to {MOST_FORMS} forms, found {found}"));
        }
        if let Some(form) = forms.iter().find(|form| form.chars().count() > LONGEST_FORM) {
            let start: String = form.chars().take(40).collect();
            return Err(format!(
                "line {line}: expected a term of up to {LONGEST_FORM} characters, found a longer \
                 one: “{start}…”"
            ));
        }
    }
    entries.push(entry);
    Ok(())
}

/// The forms of a term, with single spaces between their words.
fn forms(text: &str) -> Vec<String> {
    let mut forms: Vec<String> = Vec::new();
    for form in text.split('|').map(one_line).filter(|form| !form.is_empty()) {
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    forms
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_files_are_errors_that_name_the_line() {
        let error = |text: &str| {
            Glossary::parse(text.as_bytes().to_vec(), "g.csv").unwrap_err().to_string()
        };
        let long = format!("source,target\na,b\n{},c\n", "x".repeat(301));
        assert!(error(&long).starts_with("g.csv: line 3: expected a term of up to 300"));
        let forms: Vec<String> = (0..65).map(|n| format!("f{n}")).collect();
        let found = error(&format!("a,{}\n", forms.join("|")));
        assert_eq!(found, "g.csv: line 1: expected up to 64 forms, found 65");
        assert!(error("").contains("found none"));
        assert!(error("source,target\n").contains("found none"));
        assert!(error("a,b\nc,\"d\n").contains("line 2: a cell begins with a quote"));
        assert!(error("\0\u{1}\u{2}").contains("expected text"), "{}", error("\0\u{1}\u{2}"));
    }
}
