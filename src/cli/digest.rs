//! `polygist digest`: the articles of an output folder by the stories that they tell.

use super::DONE;
use super::args::Digest;
use super::output::print;
use super::plan::Environment;
use crate::error::{Error, Result};
use crate::io::catalog::Task;
use crate::job::{self, DigestOptions};
use crate::languages;
use crate::report;
use crate::task::summarize;
use crate::types::Lang;

pub(super) fn run(env: &Environment, args: &Digest) -> Result<u8> {
    let language = args.to.clone().unwrap_or_else(Lang::en);
    let options = DigestOptions {
        language: language.clone(),
        threshold: args.threshold,
        summary: summarize::Settings { length: args.length, ..summarize::Settings::default() },
    };
    let name = match &args.model {
        Some(name) => name.clone(),
        None => env.models.default_model(Task::Encode)?,
    };
    let listener = env.listener();
    let runtime = env.open_runtime()?;
    let encoder = env.models.open_encoder(&name, &runtime, &listener)?;
    if !encoder.knows(&language) {
        return Err(Error::Usage(format!(
            "{name} does not know {} ({language}); name an encoder that does with --model, as \
             paraphrase-multilingual-MiniLM-L12-v2 or multilingual-e5-small",
            languages::name(&language)
        )));
    }
    let embed = |texts: &[&str]| {
        env.cancel.check()?;
        encoder.embed(texts)
    };
    let digest = job::digest(&args.out, &options, encoder.id(), &embed)?;
    let names = job::write_digest(&args.out, &digest)?;
    for name in names {
        print(&format!("{}\n", args.out.join(name).display()))?;
    }
    env.reporter.say(&report::digest_overview(&digest));
    Ok(DONE)
}
