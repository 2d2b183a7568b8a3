//! What a shell needs to know of the program: completions and manual pages, out of the definitions
//! of the command line themselves.

use super::DONE;
use super::args::{Cli, Completions, Man};
use super::output::print_bytes;
use crate::error::{Error, Result};
use clap::CommandFactory;
use std::fs;

const NAME: &str = "polygist";

pub(super) fn completions(args: &Completions) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    print_bytes(&script)?;
    Ok(DONE)
}

pub(super) fn man(args: &Man) -> Result<u8> {
    match &args.folder {
        Some(folder) => {
            fs::create_dir_all(folder).map_err(Error::io("making the folder", folder))?;
            clap_mangen::generate_to(Cli::command(), folder)
                .map_err(Error::io("writing manual pages into", folder))?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut page)
                .map_err(Error::io("writing", "<stdout>"))?;
            print_bytes(&page)?;
        }
    }
    Ok(DONE)
}
