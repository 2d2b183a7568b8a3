//! Articles as they come, one a line, and their records as they are done: the seam to engines that
//! divide work among machines themselves.

use super::in_flight::{Order, in_flight};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::event::{Event, OnEvent};
use crate::io::articles::ReadOptions;
use crate::io::articles::lines::{self, InputLine, LineArticle};
use crate::model_store::OpenModels;
use crate::pipeline::{self, Job};
use crate::report;
use crate::types::{Record, Source, Status};
use serde_json::Value;
use std::io::BufRead;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

/// How a stream is run.
#[derive(Clone, Debug)]
pub struct StreamOptions {
    /// What to do with each article.
    pub job: Job,
    /// How to read the lines.
    pub reading: ReadOptions,
    /// Most articles that go into the models together. Fewer do where no more have come: whoever
    /// sends one line gets its answer.
    pub group: usize,
    /// Groups that are in the works at once.
    pub groups: usize,
    /// Whether records come in the order of their lines, or as they are done.
    pub order: Order,
}

/// How many lines of a stream ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamOutcome {
    /// Lines that became records.
    pub done: usize,
    /// Lines whose record says why there is no result.
    pub failed: usize,
}

/// Reads lines, and hands a JSON record for each to `write`: the id as the line has it, the line's
/// unknown fields in `extra`, an error where there is no result. Memory holds the lines in the
/// works alone; where `write` waits, reading waits.
///
/// # Errors
/// What stops all of it: a model that does not compute, a pipe that breaks, an error of `write`,
/// [`Error::Interrupted`].
pub fn stream(
    input: impl BufRead + Send + 'static,
    options: &StreamOptions,
    models: &OpenModels,
    cancel: &CancelToken,
    on_event: OnEvent<'_>,
    mut write: impl FnMut(&[String]) -> Result<()>,
) -> Result<StreamOutcome> {
    let StreamOptions { job, reading, group, groups, order } = options;
    let (send, received) = mpsc::sync_channel(group * groups);
    let bounds = reading.clone();
    // It ends with the program where nothing comes any more.
    thread::spawn(move || read(input, &bounds, &send));
    let mut outcome = StreamOutcome::default();
    in_flight(
        *groups,
        *order,
        move || next_group(&received, *group, cancel),
        |group| answers(group, job, reading, models, cancel, on_event),
        |answers: Vec<Answer>| {
            let failed = answers.iter().filter(|answer| answer.failed).count();
            outcome.failed += failed;
            outcome.done += answers.len() - failed;
            write(&answers.into_iter().map(|answer| answer.json).collect::<Vec<_>>())
        },
    )?;
    Ok(outcome)
}

type Received = Result<InputLine>;

fn read(mut input: impl BufRead, options: &ReadOptions, send: &SyncSender<Received>) {
    let mut number = 0;
    loop {
        let line = lines::next(&mut input, &mut number, options);
        let Some(line) = line.map_err(Error::io("reading", "<stdin>")).transpose() else { return };
        let broken = line.is_err();
        if send.send(line).is_err() || broken {
            return;
        }
    }
}

/// The lines that are there, at least one and at most so many; none at the end.
fn next_group(
    received: &Receiver<Received>,
    most: usize,
    cancel: &CancelToken,
) -> Result<Option<Vec<InputLine>>> {
    const PATIENCE: Duration = Duration::from_millis(50);
    let first = loop {
        cancel.check()?;
        match received.recv_timeout(PATIENCE) {
            Ok(line) => break line?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
        }
    };
    let rest = received.try_iter().take(most.saturating_sub(1));
    [Ok(first)].into_iter().chain(rest).collect::<Result<Vec<_>>>().map(Some)
}

/// What is written for a line.
struct Answer {
    json: String,
    failed: bool,
}

fn answers(
    group: Vec<InputLine>,
    job: &Job,
    reading: &ReadOptions,
    models: &OpenModels,
    cancel: &CancelToken,
    on_event: OnEvent<'_>,
) -> Result<Vec<Answer>> {
    let (mut ids, mut articles) = (Vec::new(), Vec::new());
    for line in group {
        let LineArticle { id, read } = line.article(reading);
        ids.push(id);
        articles.push(read);
    }
    let show = |progress| {
        on_event(Event::Working { articles: None, progress });
        !cancel.is_cancelled()
    };
    let key = |source: &Source| source.sha256.clone();
    let records =
        models.with(on_event, |models| pipeline::run(articles, job, models, &key, &show))?;
    on_event(Event::Worked);
    ids.into_iter().zip(&records).map(|(id, record)| answer(id, record)).collect()
}

fn answer(id: Option<Value>, record: &Record) -> Result<Answer> {
    let bad = |e| Error::input(&record.id, format!("its record cannot be written: {e}"));
    let mut json = report::json_line(record).map_err(bad)?;
    if id.as_ref().is_some_and(|id| !id.is_string()) {
        // A number stays a number.
        let mut fields: serde_json::Map<String, Value> =
            serde_json::from_str(&json).map_err(bad)?;
        fields.insert("id".into(), id.unwrap_or_default());
        json = Value::Object(fields).to_string();
    }
    Ok(Answer { json, failed: record.status == Status::Failed })
}
