//! Translates and summarizes a folder of articles into English, and shows how far it is:
//!
//! ```sh
//! cargo run --release --example batch -- samples/articles out
//! ```
//!
//! Stop it at any moment and run it again: it goes on where it was.

use polygist::{BatchJob, CancelToken, Event, ModelStore, Status};

fn main() -> polygist::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [articles, out] = arguments.as_slice() else {
        eprintln!("usage: batch FOLDER OUT");
        return Ok(());
    };
    let job = BatchJob::builder([articles], out).to("en")?.build()?;
    // A program with a button or a signal handler keeps a clone, and cancels that.
    let cancel = CancelToken::new();
    let outcome = job.run(&ModelStore::open()?, &cancel, &|event| match event {
        Event::FetchStarted { what, total } => println!("fetching {what}, {total} bytes"),
        Event::Working { progress, .. } => {
            let (stage, done, all) = progress.parts();
            print!("\r{stage}: {done} of {all}   ");
        }
        Event::Finished(record) if record.status == Status::Ok => {
            println!("\r{} ({}), {:.1} s", record.id, record.language.code, record.stats.seconds);
        }
        Event::Warning(text) => println!("\r{text}"),
        _ => {}
    })?;
    println!("{} done, {} failed, {} before", outcome.done, outcome.failed, outcome.done_before);
    Ok(())
}
