//! The command line: arguments ([`args`]) → what they mean on this machine (`plan`) → doing it
//! (`run`).

pub mod args;
mod batch;
mod bench;
mod config;
mod models;
mod plan;
mod progress;
mod run;

use clap::Parser;
use std::process::ExitCode;

/// Everything was done.
const DONE: u8 = 0;
/// Wrong usage, or something is missing on this machine.
const FAILED: u8 = 1;
/// Some articles failed.
const SOME_FAILED: u8 = 2;
/// Stopped with Ctrl-C, as shells report it.
const INTERRUPTED: u8 = 130;

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors to clap, but not to the user.
            let code = if error.use_stderr() { FAILED } else { DONE };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match run::run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(crate::error::Error::Interrupted) => {
            eprintln!("polygist: {}", crate::error::Error::Interrupted);
            ExitCode::from(INTERRUPTED)
        }
        // Who reads our output has had enough of it (`| head`).
        Err(crate::error::Error::Io { source, .. })
            if source.kind() == std::io::ErrorKind::BrokenPipe =>
        {
            ExitCode::from(DONE)
        }
        Err(error) => {
            eprintln!("polygist: {error}");
            ExitCode::from(FAILED)
        }
    }
}
