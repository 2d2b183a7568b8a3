//! `polygist serve`: the models behind an address, for other programs and a browser.

use super::DONE;
use super::args::Serve;
use super::plan::{self, Environment};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::serve::{Keys, Limits, ServeOptions, Server};
use crate::types::Lang;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub(super) fn run(env: Environment, args: &Serve) -> Result<u8> {
    if args.translating.from.0.is_some() {
        let message = "each request names the language of its text, or leaves it to be found out; \
                       leave --from out";
        return Err(Error::Usage(message.into()));
    }
    let translating = &args.translating;
    let preferences = env.preferences(translating)?;
    let translators = env.translators(&translating.model, preferences)?;
    let target = env.target(args.to.as_ref(), &translators)?.unwrap_or_else(Lang::en);
    let job = plan::job(&env, translating, Some(target.clone()), true, Some(&args.summarizing))?;
    let models = env.job_models(translators, translating, &args.summarizing);
    let options = ServeOptions {
        address: SocketAddr::new(args.host, args.port),
        names: args.allow_host.clone(),
        origins: args.allow_origin.clone(),
        keys: keys(args)?,
        limits: limits(args),
        job: job.clone(),
        reading: plan::read_options(&args.reading),
        target,
        jobs_dir: args.jobs_dir.clone(),
    };
    let env = Arc::new(env);
    let told = env.clone();
    let server = Server::bind(options, Arc::new(move |event| told.reporter.event(&event)))?;
    env.reporter.say(&format!("listening on http://{}", server.address()));
    // Ctrl-C ends what the models do only when the work at hand is done.
    let work = CancelToken::new();
    let (opening, cancel) = (env.clone(), work.clone());
    let open = move || {
        let listener = |event: Event<'_>| opening.reporter.event(&event);
        let names = models.for_job(&job, &opening.models)?;
        let resolved = names.resolve(&opening.models, &listener, &cancel)?;
        let opened = resolved.open(&opening.runtime.open(&cancel, &listener)?, &listener)?;
        opening.reporter.say("ready");
        Ok(opened)
    };
    server.run(open, &env.cancel, &work)?;
    env.reporter.say("stopped");
    Ok(DONE)
}

fn keys(args: &Serve) -> Result<Keys> {
    let mut keys = args.api_keys.as_deref().map(Keys::open).transpose()?.unwrap_or_default();
    if let Some(key) = &args.api_key {
        keys.add(key, None).map_err(|why| Error::Usage(format!("--api-key: {why}")))?;
    }
    Ok(keys)
}

fn limits(args: &Serve) -> Limits {
    Limits {
        body: args.max_body,
        texts: args.max_texts,
        working: args.concurrency,
        waiting: args.queue,
        per_minute: args.rate_limit,
        answer: Duration::from_secs(args.timeout),
        reading: Duration::from_secs(args.read_timeout),
        connections: args.max_connections,
        grace: Duration::from_secs(args.grace),
        jobs: args.max_batches,
        job_body: args.max_batch_body,
        keep_loaded: args.keep_loaded.map(Duration::from_secs),
        model_memory: args.model_memory.map(|megabytes| megabytes.saturating_mul(1_000_000)),
    }
}
