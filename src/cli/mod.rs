//! The command line: arguments ([`args`]) → what they mean on this machine (`plan`) → the command.

pub mod args;
mod batch;
mod bench;
mod beside;
mod config;
mod digest;
mod doctor;
mod documents;
mod eval;
mod explain;
mod folder;
mod given;
mod init;
mod interrupt;
mod lines;
mod models;
mod oneoff;
mod output;
mod plan;
mod progress;
#[cfg(feature = "serve")]
mod serve;
mod shell;
mod stream;
mod watch;
mod welcome;

use crate::error::{Error, Result};
use args::{Cli, Command};
use clap::Parser;
use plan::Environment;
use std::ffi::OsString;
use std::process::ExitCode;

/// Everything was done.
const DONE: u8 = 0;
/// Wrong usage, or something is missing on this machine.
const FAILED: u8 = 1;
/// Some articles failed.
const SOME_FAILED: u8 = 2;

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    ExitCode::from(run_with(std::env::args_os().collect()))
}

/// Runs the program on the arguments of a command line, the program's name among them; returns the
/// exit code. To be called once in a process, whose signals it takes.
pub fn run_with(arguments: Vec<OsString>) -> u8 {
    let cli = Cli::try_parse_from(&arguments).or_else(|error| -> Result<Cli, clap::Error> {
        let mut cli = Cli::try_parse_from(welcome::with_command(arguments).ok_or(error)?)?;
        if let Some(Command::Translate(args)) = &mut cli.command {
            args.into_own = true;
        }
        Ok(cli)
    });
    let cli = match cli {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors to clap, but not to the user.
            let code = if error.use_stderr() { FAILED } else { DONE };
            let _ = error.print();
            return code;
        }
    };
    match run(&cli) {
        Ok(code) => code,
        Err(Error::Interrupted) => {
            eprintln!("polygist: {}", Error::Interrupted);
            interrupt::exit_code()
        }
        // Who reads our output has had enough of it (`| head`).
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => DONE,
        Err(error) => {
            eprintln!("polygist: {error}");
            FAILED
        }
    }
}

/// Does what the command line says; returns the exit code.
fn run(cli: &Cli) -> Result<u8> {
    let env = || Environment::new(&cli.global);
    let Some(command) = &cli.command else { return welcome::welcome(&env()?) };
    match command {
        Command::Translate(args) if args.lines => lines::translate_lines(&env()?, args),
        Command::Translate(args) => oneoff::translate_files(&env()?, args),
        Command::Summarize(args) => oneoff::summarize_files(&env()?, args),
        Command::Batch(args) if args.watch => watch::watch(&env()?, args),
        Command::Batch(args) => batch::run(&env()?, args),
        Command::Status(args) => {
            env()?;
            folder::status(args)
        }
        Command::Verify(args) => folder::verify(&env()?, args),
        Command::Clean(args) => folder::clean(&env()?, args),
        Command::Merge(args) => folder::merge(&env()?, args),
        Command::Digest(args) => digest::run(&env()?, args),
        Command::Export(args) => folder::export(&env()?, args),
        Command::Stream(args) => stream::run(&env()?, args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(env()?, args),
        Command::Bench(args) => bench::run(&env()?, args),
        Command::Eval(args) => eval::run(&env()?, args),
        Command::Detect(args) => oneoff::detect(&env()?, args),
        Command::Models(args) => models::run(&env()?, &args.command),
        // A configuration that cannot be read is no reason not to write one.
        Command::Init(args) => init::run(&cli.global, args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
        Command::Doctor(args) => doctor::run(&cli.global, args),
    }
}
