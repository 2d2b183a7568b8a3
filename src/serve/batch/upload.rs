//! The articles of a batch as they come in: written to a file, line by line, within bounds. As JSON
//! Lines they may be many; in a JSON object, with what is wanted, they are a list.

use super::jobs::ARTICLES;
use crate::serve::call::{Call, Peer, drain, next_frame};
use crate::serve::failure::Failure;
use crate::serve::service::Service;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// How many times the time for a request's body that of a batch may take.
const LONGER: u32 = 20;

/// A batch that was sent.
pub struct Sent {
    /// What is wanted, and who wants it.
    pub call: Call,
    /// Lines that are not blank.
    pub articles: usize,
}

/// Takes a batch into its folder.
///
/// # Errors
/// When it is too large, comes too slowly, or is not what its type says.
pub async fn take(
    service: &Arc<Service>,
    request: Request,
    folder: &Path,
) -> Result<Sent, Failure> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    match kind.as_str() {
        "application/x-ndjson" | "application/jsonl" | "application/jsonlines" => {
            lines(service, request, folder).await
        }
        _ => list(service, request, folder).await,
    }
}

async fn list(service: &Arc<Service>, request: Request, folder: &Path) -> Result<Sent, Failure> {
    let call = Call::open(&service.options.limits, request).await?;
    service.check_key(&call)?;
    let Some(Value::Array(articles)) = call.fields.get("articles") else {
        return Err(Failure::bad(
            "articles: expected a list of objects with a text, or JSON lines of them as \
             application/x-ndjson",
        ));
    };
    let lines: String = articles.iter().map(|article| format!("{article}\n")).collect();
    let path = folder.join(ARTICLES);
    let failed = |error: std::io::Error| Failure::internal(format!("{}: {error}", path.display()));
    std::fs::write(&path, lines).map_err(failed)?;
    Ok(Sent { articles: articles.len(), call })
}

async fn lines(service: &Arc<Service>, request: Request, folder: &Path) -> Result<Sent, Failure> {
    let limits = &service.options.limits;
    let (parts, mut body) = request.into_parts();
    // The address and the head say what is wanted, and who wants it: that is known before a byte
    // is taken.
    let mut head = Request::new(Body::empty());
    *head.uri_mut() = parts.uri;
    *head.headers_mut() = parts.headers;
    if let Some(peer) = parts.extensions.get::<Peer>() {
        head.extensions_mut().insert(*peer);
    }
    head.headers_mut().remove(header::CONTENT_TYPE);
    let length = head.headers_mut().remove(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let call = Call::open(&service.options.limits, head).await?;
    service.check_key(&call)?;
    super::wanted::job(service, &call)?;
    let most = limits.job_body;
    let too_large = || {
        let message = format!("a batch may have {most} bytes; send it in parts");
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    if length.is_some_and(|length| length > most as u64) {
        drain(&mut body).await;
        return Err(too_large());
    }
    let path = folder.join(ARTICLES);
    let failed = |error: std::io::Error| Failure::internal(format!("{}: {error}", path.display()));
    let mut file = std::fs::File::create(&path).map_err(failed)?;
    let mut count = Lines::default();
    let read = async {
        let mut bytes = 0;
        loop {
            let frame = tokio::time::timeout(limits.reading, next_frame(&mut body)).await;
            let Some(frame) = frame.map_err(|_| slow())? else { break };
            let frame = frame.map_err(|error| Failure::bad(format!("broken request: {error}")))?;
            let Ok(data) = frame.into_data() else { continue };
            bytes += data.len();
            if bytes > most {
                drain(&mut body).await;
                return Err(too_large());
            }
            count.take(&data);
            // A disk takes these pieces as fast as a network brings them.
            file.write_all(&data).map_err(failed)?;
        }
        Ok(())
    };
    tokio::time::timeout(limits.reading * LONGER, read).await.map_err(|_| slow())??;
    Ok(Sent { articles: count.finish(), call })
}

fn slow() -> Failure {
    let message = "the batch came too slowly; send it in smaller parts";
    Failure::new(StatusCode::REQUEST_TIMEOUT, message)
}

/// Counts the lines that are not blank.
#[derive(Default)]
struct Lines {
    count: usize,
    has_text: bool,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                self.count += usize::from(std::mem::take(&mut self.has_text));
            } else if !byte.is_ascii_whitespace() {
                self.has_text = true;
            }
        }
    }

    fn finish(self) -> usize {
        self.count + usize::from(self.has_text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_wherever_they_are_cut() {
        let text = b"{\"a\": 1}\n\n  \r\n{\"b\": 2}\r\n{\"c\": 3}";
        for cut in 0..text.len() {
            let mut lines = Lines::default();
            lines.take(&text[..cut]);
            lines.take(&text[cut..]);
            assert_eq!(lines.finish(), 3, "{cut}");
        }
    }
}
