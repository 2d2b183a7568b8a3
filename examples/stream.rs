//! Translates lines as they come, each as soon as it can be:
//!
//! ```sh
//! tail -f ticker.txt | cargo run --release --example stream -- de en
//! ```

use polygist::Translator;
use std::io::{BufRead, BufReader};

fn main() -> polygist::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: stream FROM TO < LINES");
        return Ok(());
    };
    let translator = Translator::builder().build()?;
    // A line that cannot be read ends the stream.
    let lines = BufReader::new(std::io::stdin()).lines().map_while(Result::ok);
    for translation in translator.stream(from.as_str(), to.as_str(), lines)? {
        println!("{}", translation?);
    }
    Ok(())
}
