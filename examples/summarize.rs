//! Summarizes articles in two sentences each, and says which sentences of the article support them:
//!
//! ```sh
//! cargo run --release --example summarize -- samples/articles/pont-de-port-lervan.txt
//! ```

use polygist::{Error, Summarizer};
use std::path::PathBuf;

fn main() -> polygist::Result<()> {
    let summarizer = Summarizer::builder().length("2s".parse()?).extractive().build()?;
    for path in std::env::args_os().skip(1).map(PathBuf::from) {
        let article = std::fs::read_to_string(&path).map_err(Error::io("reading", &path))?;
        // One article that fails stops no other.
        match summarizer.summarize(&article) {
            Ok(summary) => {
                println!("{} ({}):", path.display(), summary.language);
                for sentence in summary.sentences {
                    println!("- {} {:?}", sentence.text, sentence.support);
                }
            }
            Err(error) => eprintln!("{}: {error}", path.display()),
        }
    }
    Ok(())
}
