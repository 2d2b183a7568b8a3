//! The command line: arguments ([`args`]) → what they mean on this machine (`plan`) → the command.

pub mod args;
mod batch;
mod bench;
mod beside;
mod config;
mod documents;
mod eval;
mod explain;
mod folder;
mod interrupt;
mod lines;
mod models;
mod oneoff;
mod output;
mod plan;
mod progress;
mod stream;
mod written;

use crate::error::{Error, Result};
use args::{Cli, Command};
use clap::Parser;
use plan::Environment;
use std::process::ExitCode;

/// Everything was done.
const DONE: u8 = 0;
/// Wrong usage, or something is missing on this machine.
const FAILED: u8 = 1;
/// Some articles failed.
const SOME_FAILED: u8 = 2;

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors to clap, but not to the user.
            let code = if error.use_stderr() { FAILED } else { DONE };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(Error::Interrupted) => {
            eprintln!("polygist: {}", Error::Interrupted);
            ExitCode::from(interrupt::exit_code())
        }
        // Who reads our output has had enough of it (`| head`).
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::from(DONE)
        }
        Err(error) => {
            eprintln!("polygist: {error}");
            ExitCode::from(FAILED)
        }
    }
}

/// Does what the command line says; returns the exit code.
fn run(cli: &Cli) -> Result<u8> {
    let env = Environment::new(&cli.global)?;
    match &cli.command {
        Command::Translate(args) if args.lines => lines::translate_lines(&env, args),
        Command::Translate(args) => oneoff::translate_files(&env, args),
        Command::Summarize(args) => oneoff::summarize_files(&env, args),
        Command::Batch(args) => batch::run(&env, args),
        Command::Status(args) => folder::status(args),
        Command::Verify(args) => folder::verify(&env, args),
        Command::Clean(args) => folder::clean(&env, args),
        Command::Merge(args) => folder::merge(&env, args),
        Command::Export(args) => folder::export(&env, args),
        Command::Stream(args) => stream::run(&env, args),
        Command::Bench(args) => bench::run(&env, args),
        Command::Eval(args) => eval::run(&env, args),
        Command::Detect(args) => oneoff::detect(&env, args),
        Command::Models(args) => models::run(&env, &args.command),
    }
}
