//! The arguments of commands that set the program up on a machine.

use super::OutputFormat;
use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

/// `polygist doctor`
#[derive(Debug, Args)]
#[command(after_help = "The exit code is 1 where something keeps the program from working.")]
pub struct Doctor {
    /// Form of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: OutputFormat,
}

/// `polygist init`
#[derive(Debug, Args)]
pub struct Init {
    /// Where to write it [default: the usual place, which every run reads]
    #[arg(value_name = "FILE")]
    pub path: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    pub force: bool,
}

/// `polygist completions`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  polygist completions bash > ~/.local/share/bash-completion/completions/polygist
  polygist completions zsh > ~/.zfunc/_polygist      with fpath+=~/.zfunc in ~/.zshrc
  polygist completions fish > ~/.config/fish/completions/polygist.fish")]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// `polygist man`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  polygist man ~/.local/share/man/man1 && man polygist-batch")]
pub struct Man {
    /// A folder for a page of each command [default: the page of `polygist` to standard output]
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}
