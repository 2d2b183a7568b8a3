//! Plain HTTP: small answers, and files that are gathered piece by piece.

use super::job::{Failure, Job};
use super::options::FetchOptions;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::io::files::{discard, disk, open_to_append};
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, RANGE};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

/// Attempts in a row to take up a broken connection again without a single byte coming.
pub(super) const RETRIES: u32 = 4;
/// Attempts at a server that is busy or broken for the moment (429, 5xx).
const BUSY_RETRIES: u32 = 2;
/// The time between two looks at whether to stop.
const TICK: Duration = Duration::from_millis(100);

/// A small answer.
pub(super) struct Small {
    pub bytes: Vec<u8>,
    /// The server's name for this version.
    pub etag: Option<String>,
    /// What the server says that it is.
    pub content_type: Option<String>,
}

/// The web during one fetch.
pub(super) struct Http<'a> {
    pub options: &'a FetchOptions,
    /// What follows the news that a server refuses something: what a user may do then.
    pub hint: &'a str,
}

impl Http<'_> {
    /// A client whose connections may take so long.
    pub fn client(&self, connect: Duration) -> Result<Client, String> {
        // A packed file is to arrive packed: it is resumed and compared as it lies there.
        Client::builder()
            .user_agent(concat!("polygist/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(connect)
            .read_timeout(self.options.stall_timeout)
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .build()
            .map_err(|e| root_cause(&e))
    }

    /// An answer of at most `limit` bytes; `None` when it is still the version of that ETag.
    pub fn small(
        &self,
        address: &str,
        etag: Option<&str>,
        limit: usize,
        stop: &CancelToken,
    ) -> Result<Option<Small>, Failure> {
        on_own_thread(async {
            let ask = |request: RequestBuilder| match etag {
                Some(etag) => request.header(IF_NONE_MATCH, etag),
                None => request,
            };
            let mut answer = self.open(address, &ask, stop).await?;
            if answer.status() == StatusCode::NOT_MODIFIED {
                return Ok(None);
            }
            self.good(&answer)?;
            let header = |name: HeaderName| {
                answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_string)
            };
            let (etag, content_type) = (header(ETAG), header(CONTENT_TYPE));
            let mut bytes = Vec::new();
            while let Some(chunk) = self.chunk(&mut answer, stop).await? {
                bytes.extend_from_slice(&chunk);
                if bytes.len() > limit {
                    let why = format!("the answer is longer than {} MB", limit >> 20);
                    return Err(Failure::Source(why));
                }
            }
            Ok(Some(Small { bytes, etag, content_type }))
        })
    }

    /// Gathers the body of an address in a file, going on where that ends; at most so many bytes.
    pub fn download(
        &self,
        address: &str,
        body: &Path,
        most: u64,
        job: &Job<'_>,
    ) -> Result<(), Failure> {
        on_own_thread(async {
            let (mut idle, mut busy) = (0, 0);
            loop {
                let before = size_of(body);
                let why = match self.stream(address, body, most, job).await {
                    Err(Attempt::Broken(why)) => {
                        let more = size_of(body) > before;
                        idle = if more { 0 } else { idle + 1 };
                        // A server that never gave a byte leaves the turn to the next source.
                        if size_of(body) == 0 || idle > RETRIES {
                            return Err(Failure::Source(why));
                        }
                        why
                    }
                    Err(Attempt::Busy(why)) => {
                        (idle, busy) = (idle + 1, busy + 1);
                        if busy > BUSY_RETRIES {
                            return Err(Failure::Source(why));
                        }
                        why
                    }
                    Err(Attempt::Failed(failure)) => return Err(failure),
                    Ok(()) => return Ok(()),
                };
                let (file, have) = (&job.file.path, size_of(body));
                job.progress.note(&format!("{file}: {why}; going on from byte {have}"));
                let pause = self.options.retry_pause * 2u32.pow(idle);
                let _ = unless_stopped(tokio::time::sleep(pause), pause * 2, job.stop).await?;
            }
        })
    }

    /// One connection's worth of bytes.
    async fn stream(
        &self,
        address: &str,
        body: &Path,
        most: u64,
        job: &Job<'_>,
    ) -> Result<(), Attempt> {
        let mut have = size_of(body);
        let mut answer = loop {
            let ask = |request: RequestBuilder| match have {
                0 => request,
                n => request.header(RANGE, format!("bytes={n}-")),
            };
            let answer = self.open(address, &ask, job.stop).await?;
            match answer.status() {
                StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => {
                    // All of it was there, or it is another file by now.
                    if stated(&answer).is_some_and(|range| range == format!("*/{have}")) {
                        return Ok(());
                    }
                    have = 0;
                }
                StatusCode::PARTIAL_CONTENT if have > 0 => {
                    let start = format!("{have}-");
                    if stated(&answer).is_none_or(|range| range.starts_with(&start)) {
                        break answer;
                    }
                    have = 0;
                }
                status if status.as_u16() == 429 || status.is_server_error() => {
                    return Err(Attempt::Busy(format!("the server answered {status}")));
                }
                // A server that ignores the range sends everything.
                _ => {
                    self.good(&answer)?;
                    have = 0;
                    break answer;
                }
            }
        };
        let total = answer.content_length().map(|n| have + n);
        let too_long =
            || Failure::Source(format!("is longer than the {most} bytes that it could be"));
        if total.is_some_and(|total| total > most) {
            discard(body)?;
            return Err(too_long().into());
        }
        let mut file = open_to_append(body, have)?;
        while let Some(chunk) = self.chunk(&mut answer, job.stop).await? {
            have += chunk.len() as u64;
            if have > most {
                discard(body)?;
                return Err(too_long().into());
            }
            file.write_all(&chunk).map_err(disk("writing", body))?;
            // The packed bytes stand for those of the file.
            let share = have as f64 / total.unwrap_or(most).max(1) as f64;
            job.position((share * job.file.size as f64) as u64);
        }
        match total {
            Some(total) if have < total => {
                Err(Attempt::Broken(format!("the connection ended after {have} of {total} bytes")))
            }
            _ => Ok(()),
        }
    }

    async fn chunk(
        &self,
        answer: &mut Response,
        stop: &CancelToken,
    ) -> Result<Option<Vec<u8>>, Attempt> {
        match unless_stopped(answer.chunk(), self.options.stall_timeout, stop).await? {
            Ok(Ok(chunk)) => Ok(chunk.map(|bytes| bytes.to_vec())),
            Ok(Err(e)) => {
                Err(Attempt::Broken(format!("the connection broke ({})", root_cause(&e))))
            }
            Err(why) => Err(Attempt::Broken(why)),
        }
    }

    /// Asks, unless the host is known not to answer.
    async fn open(
        &self,
        address: &str,
        ask: &(dyn Fn(RequestBuilder) -> RequestBuilder + Sync),
        stop: &CancelToken,
    ) -> Result<Response, Failure> {
        let session = &self.options.session;
        if let Some(why) = session.unreachable(address) {
            return Err(Failure::Unreachable(why));
        }
        let (limit, begun) = (session.limit(address, self.options.connect_timeout), Instant::now());
        let client = self.client(limit).map_err(Failure::Source)?;
        let why = match unless_stopped(ask(client.get(address)).send(), limit * 2, stop).await? {
            Ok(Ok(answer)) => {
                session.reached(address);
                return Ok(answer);
            }
            Ok(Err(e)) if e.is_connect() || e.is_timeout() => {
                format!("cannot be reached ({})", root_cause(&e))
            }
            Ok(Err(e)) => return Err(Failure::Source(root_cause(&e))),
            Err(why) => why,
        };
        session.failed(address, &why, begun.elapsed());
        Err(Failure::Unreachable(why))
    }

    /// Refuses an answer that is none.
    fn good(&self, answer: &Response) -> Result<(), Failure> {
        Err(Failure::Source(match answer.status() {
            status if status.is_success() => return Ok(()),
            StatusCode::FORBIDDEN => {
                format!("403: the server or the network refuses it{}", self.hint)
            }
            StatusCode::NOT_FOUND => "404: not found there".into(),
            status => format!("the server answered {status}"),
        }))
    }
}

/// How one connection may fail.
enum Attempt {
    /// Another may go on from here.
    Broken(String),
    /// Another may do after a while.
    Busy(String),
    Failed(Failure),
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Attempt {
        Attempt::Failed(failure)
    }
}

impl From<Error> for Attempt {
    fn from(e: Error) -> Attempt {
        Attempt::Failed(e.into())
    }
}

impl From<Attempt> for Failure {
    fn from(attempt: Attempt) -> Failure {
        match attempt {
            Attempt::Broken(why) | Attempt::Busy(why) => Failure::Source(why),
            Attempt::Failed(failure) => failure,
        }
    }
}

/// The range that an answer is about, as `5-9/10`.
fn stated(answer: &Response) -> Option<&str> {
    answer.headers().get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")
}

fn size_of(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

/// Runs a future on a runtime of its own thread, so that callers inside another runtime do no harm.
pub(super) fn on_own_thread<T: Send, E: From<Error> + Send>(
    work: impl Future<Output = Result<T, E>> + Send,
) -> Result<T, E> {
    let run = || match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let result = runtime.block_on(work);
            // A name look-up that hangs would otherwise hold the runtime back.
            runtime.shutdown_background();
            result
        }
        Err(e) => Err(Error::Fetch {
            what: "the model".into(),
            message: format!("no network runtime: {e}"),
        }
        .into()),
    };
    std::thread::scope(|scope| {
        scope.spawn(run).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Waits for a future as long as the user does not stop it and the time is not over.
pub(super) async fn unless_stopped<F: Future>(
    work: F,
    limit: Duration,
    stop: &CancelToken,
) -> Result<Result<F::Output, String>> {
    let mut work = pin!(work);
    let start = Instant::now();
    loop {
        let tick = TICK.min(limit.saturating_sub(start.elapsed()));
        if let Ok(output) = tokio::time::timeout(tick, work.as_mut()).await {
            return Ok(Ok(output));
        }
        stop.check()?;
        if start.elapsed() >= limit {
            return Ok(Err(format!("no answer within {:.1} s", limit.as_secs_f32())));
        }
    }
}

pub(super) fn root_cause(e: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = e;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
