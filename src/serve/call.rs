//! A request as its handler sees it: read within bounds, its fields the same whether they came as
//! JSON, as a form, or in the address.

use super::failure::Failure;
use super::options::Limits;
use crate::types::Lang;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use serde_json::{Map, Value};
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::time::Duration;

/// Whose connection a request came by; set where it is accepted.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Most bytes that are thrown away of a request that is too large, and the longest pause in it.
const MOST_DRAINED: usize = 64 << 20;
const PAUSE: Duration = Duration::from_millis(500);

/// Most fields of a form.
const MOST_FIELDS: usize = 10_000;

/// See the module.
pub struct Call {
    pub peer: IpAddr,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub fields: Map<String, Value>,
    /// The files of a form.
    pub files: Vec<Upload>,
}

/// A file of a form.
pub struct Upload {
    pub field: String,
    pub name: String,
    pub bytes: Bytes,
}

impl Call {
    /// Reads a request.
    ///
    /// # Errors
    /// When it is too large, comes too slowly, or is not what its type says.
    pub async fn open(limits: &Limits, request: Request) -> Result<Call, Failure> {
        let peer = request.extensions().get::<Peer>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0);
        let (parts, body) = request.into_parts();
        let bytes = whole(body, &parts.headers, limits.body, limits.reading).await?;
        let (uri, headers) = (parts.uri.clone(), parts.headers.clone());
        let mut call = Call { peer, uri, headers, fields: Map::new(), files: Vec::new() };
        let query = call.uri.query().unwrap_or_default().to_string();
        call.take_pairs(query.as_bytes())?;
        let kind = call.content_type();
        match kind.as_str() {
            "application/json" => call.take_json(&bytes)?,
            "application/x-www-form-urlencoded" => call.take_pairs(&bytes)?,
            "multipart/form-data" => {
                let request = Request::from_parts(parts, Body::from(bytes));
                call.take_multipart(request).await?;
            }
            _ if bytes.is_empty() => {}
            // Who says nothing and sends an object means it.
            "" => call.take_json(&bytes)?,
            other => {
                let message = format!(
                    "expected application/json, application/x-www-form-urlencoded or \
                     multipart/form-data, found {other}"
                );
                return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
            }
        }
        Ok(call)
    }

    fn content_type(&self) -> String {
        let value = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = value.unwrap_or_default().split(';').next().unwrap_or_default();
        kind.trim().to_ascii_lowercase()
    }

    fn take_json(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => self.fields.extend(fields),
            Ok(_) => return Err(Failure::bad("Invalid JSON format: expected an object")),
            Err(error) => return Err(Failure::bad(format!("Invalid JSON format: {error}"))),
        }
        Ok(())
    }

    /// Takes `name=value&…`; a name that comes twice is a list.
    fn take_pairs(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        for (number, pair) in bytes.split(|byte| *byte == b'&').enumerate() {
            if pair.is_empty() {
                continue;
            }
            if number > MOST_FIELDS {
                return Err(Failure::bad(format!("a form has at most {MOST_FIELDS} fields")));
            }
            let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let value = pair.get(end + 1..).unwrap_or_default();
            self.take_field(decoded(&pair[..end], true)?, decoded(value, true)?);
        }
        Ok(())
    }

    async fn take_multipart(&mut self, request: Request) -> Result<(), Failure> {
        let wrong = |error: &dyn std::fmt::Display| Failure::bad(format!("Invalid form: {error}"));
        let form = Multipart::from_request(request, &()).await;
        let mut form = form.map_err(|error| wrong(&error.body_text()))?;
        let mut number = 0;
        while let Some(field) =
            form.next_field().await.map_err(|error| wrong(&error.body_text()))?
        {
            number += 1;
            if number > MOST_FIELDS {
                return Err(Failure::bad(format!("a form has at most {MOST_FIELDS} fields")));
            }
            let name = field.name().unwrap_or_default().to_string();
            let file = field.file_name().map(String::from);
            let bytes = field.bytes().await.map_err(|error| wrong(&error.body_text()))?;
            match file {
                Some(file) => self.files.push(Upload { field: name, name: file, bytes }),
                None => {
                    let text = String::from_utf8(bytes.to_vec());
                    self.take_field(name, text.map_err(|_| wrong(&"expected text in UTF-8"))?);
                }
            }
        }
        Ok(())
    }

    fn take_field(&mut self, name: String, value: String) {
        match self.fields.get_mut(&name) {
            None => drop(self.fields.insert(name, Value::String(value))),
            Some(Value::Array(all)) => all.push(Value::String(value)),
            Some(first) => {
                let both = vec![first.take(), Value::String(value)];
                *first = Value::Array(both);
            }
        }
    }

    /// The key that the caller shows: in the request, as LibreTranslate has it, or in its head.
    pub fn key(&self) -> Option<&str> {
        let bearer = self.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = bearer.and_then(|value| value.split_once(' '));
        let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let shown = bearer.map(|(_, key)| key.trim()).or_else(|| self.text("api_key"));
        shown.filter(|key| !key.is_empty())
    }

    /// A field that is a text, and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A field that a request has to have.
    ///
    /// # Errors
    /// When it has not.
    pub fn required(&self, name: &str) -> Result<&str, Failure> {
        match self.fields.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            None | Some(Value::Null | Value::String(_)) => Err(Failure::missing(name)),
            Some(_) => Err(Failure::bad(format!("Invalid request: {name} is not a text"))),
        }
    }

    /// A language that a request names; `None` where it leaves it to us, with `auto`.
    ///
    /// # Errors
    /// When it is none that is known.
    pub fn language(&self, name: &str) -> Result<Option<Lang>, Failure> {
        let code = self.required(name)?;
        if code == "auto" { Ok(None) } else { language(code).map(Some) }
    }

    /// As [`Call::language`]; `None` also where the request says nothing.
    ///
    /// # Errors
    /// As [`Call::language`].
    pub fn language_if_any(&self, name: &str) -> Result<Option<Lang>, Failure> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(_) => self.language(name),
        }
    }

    /// The name by which the client calls this server.
    pub fn host(&self) -> &str {
        let host = self.headers.get(header::HOST).and_then(|value| value.to_str().ok());
        host.unwrap_or("localhost")
    }
}

/// A language that is known, by its code.
///
/// # Errors
/// When it is none.
pub fn language(code: &str) -> Result<Lang, Failure> {
    let lang = Lang::parse(code).map(|lang| crate::languages::canonical(&lang));
    let known = lang.filter(|lang| crate::languages::get(lang).is_some());
    known.ok_or_else(|| {
        let code: String = code.chars().take(40).collect();
        Failure::bad(format!("{code} is not supported"))
    })
}

/// The bytes of a body.
///
/// # Errors
/// When there are more than `most`, or they have not come within `time`.
pub async fn whole(
    mut body: Body,
    headers: &HeaderMap,
    most: usize,
    time: Duration,
) -> Result<Bytes, Failure> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length = length.and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length > most as u64) {
        // Who asks before sending is told before sending.
        if !headers.contains_key(header::EXPECT) {
            drain(&mut body).await;
        }
        return Err(too_large(most));
    }
    let read = async {
        let mut bytes = Vec::new();
        while let Some(frame) = next_frame(&mut body).await {
            let frame = frame.map_err(|error| Failure::bad(format!("broken request: {error}")))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > most {
                drain(&mut body).await;
                return Err(too_large(most));
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Bytes::from(bytes))
    };
    tokio::time::timeout(time, read).await.unwrap_or_else(|_| {
        let message = format!("the request was not there after {} seconds", time.as_secs());
        Err(Failure::new(StatusCode::REQUEST_TIMEOUT, message))
    })
}

/// Takes some of what a client goes on to send, and throws it away: many read no answer before they
/// have sent all.
pub async fn drain(body: &mut Body) {
    let mut left = MOST_DRAINED;
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(PAUSE, next_frame(body)).await {
        let taken = frame.data_ref().map_or(0, Bytes::len);
        if taken > left {
            return;
        }
        left -= taken;
    }
}

/// The next part of a body.
pub async fn next_frame(body: &mut Body) -> Option<Result<hyper::body::Frame<Bytes>, axum::Error>> {
    std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await
}

fn too_large(most: usize) -> Failure {
    let message = format!(
        "a request may have {most} bytes; use /batch for more, or ask the \
                           server's operator to raise --max-body"
    );
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message)
}

/// A part of a form, or of an address, with `%41` undone, and in forms `+`.
///
/// # Errors
/// When it is no text.
pub fn decoded(bytes: &[u8], is_form: bool) -> Result<String, Failure> {
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match (byte, digit(at), digit(at + 1)) {
            (b'+', ..) if is_form => out.push(b' '),
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 2;
            }
            (byte, ..) => out.push(*byte),
        }
    }
    String::from_utf8(out).map_err(|_| Failure::bad("expected text in UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded_as_browsers_write_them() {
        for (written, text) in [
            ("a+b%20c", "a b c"),
            ("caf%C3%A9", "café"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("1%2B1%3d2", "1+1=2"),
            ("", ""),
        ] {
            assert_eq!(decoded(written.as_bytes(), true).unwrap(), text, "{written}");
        }
        assert_eq!(decoded(b"%ff%fe", true).unwrap_err().status, 400);
    }
}
