//! The sentences that texts are split into, for comparing with other splitters: reads a JSON array
//! of `[language, text]` from standard input and prints, for each, a line of JSON with the
//! sentences.
//!
//!     echo '[["en", "It rained. We left."]]' | cargo run --example sentences

use polygist::error::{Error, Result};
use polygist::text::sentences;
use polygist::types::Lang;
use std::io::Write;

fn main() -> Result<()> {
    let texts: Vec<(String, String)> = serde_json::from_reader(std::io::stdin())
        .map_err(|e| Error::Usage(format!("standard input is no array of pairs of texts: {e}")))?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for (code, text) in texts {
        let language = Lang::parse(&code)
            .ok_or_else(|| Error::Usage(format!("{code:?} is no code of a language")))?;
        let split: Vec<String> =
            sentences::split(&text, &language).into_iter().map(|s| s.text).collect();
        let line = serde_json::json!(split);
        writeln!(out, "{line}").map_err(Error::io("writing", "standard output"))?;
    }
    Ok(())
}
