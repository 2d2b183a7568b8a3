//! The work of a batch.

use super::jobs::{ARTICLES, Batch};
use crate::error::Error;
use crate::event::Event;
use crate::job::{Order, StreamOptions, stream};
use crate::model_store::OpenModels;
use crate::pipeline::Job;
use crate::serve::failure::Failure;
use crate::serve::service::Service;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::sync::Arc;

/// Articles that go into the models together, and groups of them in the works.
const GROUP: usize = 16;
const GROUPS: usize = 3;

/// Does a batch.
pub fn run(service: &Arc<Service>, batch: &Arc<Batch>, job: Job, models: &OpenModels) {
    let options = StreamOptions {
        job,
        reading: service.options.reading.clone(),
        group: GROUP,
        groups: GROUPS,
        order: Order::AsTaken,
    };
    let listener = service.listener();
    let work = || {
        let (articles, results) = (batch.folder().join(ARTICLES), batch.results());
        let input = File::open(&articles).map_err(Error::io("reading", &articles))?;
        let out = File::create(&results).map_err(Error::io("writing", &results))?;
        let (input, mut out) = (BufReader::new(input), BufWriter::new(out));
        stream(input, &options, models, batch.token(), &listener, |lines| {
            batch.take(&mut out, lines)
        })
    };
    let (status, error) = match work() {
        Ok(_) => ("done", None),
        Err(Error::Interrupted) => ("stopped", None),
        Err(error) => {
            service.tell(Event::Warning(&format!("batch {}: {error}", batch.id)));
            ("failed", Some(Failure::from(error).message))
        }
    };
    batch.end(status, error);
}
