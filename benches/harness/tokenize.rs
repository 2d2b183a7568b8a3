//! What a folder's tokenizer makes of texts, for comparing with other implementations: reads a JSON
//! array of `[prefix, text]` from standard input and prints, for each, a line of JSON with the ids
//! that the encoder reads and what they decode to.
//!
//!     echo '[["fra_Latn", "Bonjour."]]' | cargo run --example tokenize -- FOLDER

use polygist::checkpoint::Config;
use polygist::error::{Error, Result};
use polygist::token::Tokenizer;
use std::io::Write;
use std::path::PathBuf;

fn main() -> Result<()> {
    let folder: PathBuf =
        std::env::args_os().nth(1).ok_or_else(|| Error::Usage("expected a folder".into()))?.into();
    let config = folder.join("config.json");
    let text = std::fs::read_to_string(&config).map_err(Error::io("reading", &config))?;
    let config = Config::Json(
        serde_json::from_str(&text).map_err(|e| Error::model("config.json", e.to_string()))?,
    );
    let texts: Vec<(String, String)> = serde_json::from_reader(std::io::stdin())
        .map_err(|e| Error::Usage(format!("standard input is no array of pairs of texts: {e}")))?;
    let tokenizer = Tokenizer::from_folder(&folder, &config)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for (prefix, text) in texts {
        let ids = tokenizer.encode_source(&prefix, &text)?;
        let line = serde_json::json!({"decoded": tokenizer.decode(&ids)?, "ids": ids});
        writeln!(out, "{line}").map_err(Error::io("writing", "standard output"))?;
    }
    Ok(())
}
