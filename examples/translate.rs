//! Translates the texts named on the command line:
//!
//! ```sh
//! cargo run --release --example translate -- fr en "Bonjour." "Le train est en retard."
//! ```

use polygist::{Event, Translator};

fn main() -> polygist::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: translate FROM TO TEXT…");
        return Ok(());
    };
    let texts: Vec<String> = arguments.collect();

    // The first time, the default models are fetched; this shows what is going on.
    let listener = |event: Event<'_>| match event {
        Event::FetchStarted { what, total } => eprintln!("{what}: {} MB", total / 1_000_000),
        Event::Note(text) | Event::Warning(text) => eprintln!("{text}"),
        _ => {}
    };
    let translator = Translator::builder().on_event(&listener).build()?;

    for translation in translator.translate(from.as_str(), to.as_str(), &texts)? {
        println!("{translation}");
        if let Some(confidence) = translation.confidence {
            eprintln!("  confidence {confidence:.2}, problems {:?}", translation.problems);
        }
    }
    Ok(())
}
