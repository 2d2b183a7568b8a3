//! LibreTranslate's interface for files: a file in, the address of its translation out.

use super::call::Upload;
use super::failure::Failure;
use super::service::Service;
use super::work::{self, Work};
use crate::document::{self, DocumentFormat, HTML, Placement};
use crate::io::articles::{self, FoundFile, at_hand, from_document, read_from};
use crate::job::{ReadArticle, translated, translated_document};
use crate::types::{ErrorRecord, Format, Lang, RawArticle, Record, Status};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::{Value, json};
use std::io::Cursor;
use std::sync::Arc;

/// Longest name of a file in characters; what is longer is cut.
const LONGEST_NAME: usize = 100;

/// A file, translated.
pub struct TranslatedFile {
    pub name: String,
    pub bytes: Vec<u8>,
    /// Its articles; of a document there is one.
    pub records: Vec<Record>,
}

/// Extensions of the files that are translated, with their dots.
pub fn extensions() -> Vec<String> {
    articles::extensions()
}

/// The format of a file that is written back as what it was; a page is a document here, of which
/// all is translated.
fn document_of(file: &FoundFile) -> Option<&'static DocumentFormat> {
    match file.format {
        Some(Format::Html) => Some(&HTML),
        format => format.and_then(document::of_format),
    }
}

/// Translates a file. Documents keep their format; articles of others become text.
///
/// # Errors
/// When it cannot be read, or its languages are not known.
pub fn translate(
    work: &Work,
    upload: &Upload,
    from: Option<&Lang>,
    to: &Lang,
) -> Result<TranslatedFile, Failure> {
    let name = safe_name(&upload.name);
    let file = at_hand(&name);
    let reading = &work.service.options.reading;
    let bytes = upload.bytes.to_vec();
    let document = document_of(&file);
    let articles: Vec<ReadArticle> = match document {
        Some(format) => vec![from_document(&file, format, bytes.clone(), reading)],
        None => read_from(Cursor::new(bytes.clone()), &file, reading).collect(),
    };
    let sources: Vec<Option<RawArticle>> =
        articles.iter().map(|article| article.as_ref().ok().cloned()).collect();
    let records = work.records(articles, &work.service.job(from, Some(to)))?;
    let failed = records.iter().find(|record| record.status == Status::Failed);
    if let Some((record, Some(error))) = failed.map(|record| (record, &record.error)) {
        return Err(refused(record, error));
    }
    let mut out = Vec::new();
    match (document, records.first()) {
        (Some(format), Some(record)) => {
            out = translated_document(format, &bytes, record, reading, Placement::Instead)?;
        }
        _ => {
            for (record, source) in records.iter().zip(&sources) {
                let Some(source) = source else { continue };
                out.extend_from_slice(translated(record, source)?.as_bytes());
                out.push(b'\n');
            }
        }
    }
    Ok(TranslatedFile { name: translated_name(&name, &file, document, to), bytes: out, records })
}

/// The first article of a file.
///
/// # Errors
/// When it cannot be read.
pub fn article(work: &Work, upload: &Upload) -> Result<RawArticle, Failure> {
    let file = at_hand(&safe_name(&upload.name));
    let reading = &work.service.options.reading;
    let first = read_from(Cursor::new(upload.bytes.to_vec()), &file, reading).next();
    let first = first.ok_or_else(|| Failure::bad("there is no text in this file"))?;
    first.map_err(|unread| unread.error.into())
}

/// What is told of an article that failed: without the name that the server has for it.
pub fn refused(record: &Record, error: &ErrorRecord) -> Failure {
    Failure::bad(error.message.trim_start_matches(&format!("{}: ", record.id)))
}

/// `POST /translate_file`
pub async fn translate_file(
    State(service): State<Arc<Service>>,
    request: Request,
) -> Result<Json<Value>, Failure> {
    let mut call = service.read(request).await?;
    let from = call.language("source")?;
    let to = call.language("target")?.ok_or_else(|| Failure::bad("auto is not supported"))?;
    let at = call.files.iter().position(|upload| upload.field == "file");
    let upload = at.map(|at| call.files.swap_remove(at));
    let upload = upload.ok_or_else(|| Failure::missing("file"))?;
    if upload.name.is_empty() {
        return Err(Failure::bad("Invalid request: empty file"));
    }
    let keep = move |work: &Work| {
        let file = translate(work, &upload, from.as_ref(), &to)?;
        let id = work.service.kept.put(file.name.clone(), &file.bytes)?;
        Ok((id, file.name))
    };
    let (id, name) = work::run(&service, keep).await?;
    let url = format!("http://{}{}", call.host(), address(&id, &name));
    Ok(Json(json!({"translatedFileUrl": url})))
}

/// Where a kept file is fetched.
pub fn address(id: &str, name: &str) -> String {
    format!("/download_file/{id}/{}", in_address(name))
}

/// `GET /download_file/{id}/{name}`: whoever has the address may have the file.
pub async fn download(
    State(service): State<Arc<Service>>,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let found = {
        let name = name.clone();
        tokio::task::spawn_blocking(move || service.kept.get(&id, &name)).await
    };
    let found = found.map_err(|error| Failure::internal(error.to_string()))?;
    let bytes = found.ok_or_else(|| {
        Failure::not_found("there is no such file; translated files are kept for half an hour")
    })?;
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, kind);
    let disposition = format!("attachment; filename*=UTF-8''{}", in_address(&name));
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// The last part of a name, without what is no part of a name anywhere.
fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_odd = |c: &char| !c.is_control() && !"<>:\"|?*".contains(*c);
    let kept: Vec<char> = last.chars().filter(is_odd).collect();
    // What is too long loses its beginning: the end tells the format.
    let kept: String = kept[kept.len().saturating_sub(LONGEST_NAME)..].iter().collect();
    let kept = kept.trim_start_matches('.').trim();
    if kept.is_empty() { "file".into() } else { kept.into() }
}

/// The name of a translation: that of its source with the language in it.
fn translated_name(
    name: &str,
    file: &FoundFile,
    document: Option<&DocumentFormat>,
    to: &Lang,
) -> String {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let (stem, own) = name.rsplit_once('.').unwrap_or((name, ""));
    let extension = match document {
        Some(_) if !own.is_empty() => own,
        Some(format) => format.extensions[0],
        None if file.format == Some(Format::Markdown) => "md",
        None => "txt",
    };
    format!("{stem}.{to}.{extension}")
}

/// A name as part of an address: what is not a letter or a figure of ASCII as `%41`.
fn in_address(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_its_folder() {
        for (sent, name) in [
            ("a.txt", "a.txt"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("/", "file"),
            ("..", "file"),
            ("a\0\r\n.txt", "a.txt"),
            ("C:evil.docx", "Cevil.docx"),
            ("Été à Rome.odt", "Été à Rome.odt"),
        ] {
            assert_eq!(safe_name(sent), name, "{sent:?}");
        }
        assert_eq!(safe_name(&format!("{}.docx", "x".repeat(500))).len(), LONGEST_NAME);
        assert_eq!(in_address("Été.txt"), "%C3%89t%C3%A9.txt");
    }

    #[test]
    fn a_translation_is_named_after_its_source() {
        let named = |name: &str| {
            let file = at_hand(name);
            translated_name(name, &file, document_of(&file), &Lang::en())
        };
        assert_eq!(named("a.docx"), "a.en.docx");
        assert_eq!(named("page.htm"), "page.en.htm");
        assert_eq!(named("notes.md"), "notes.en.md");
        assert_eq!(named("letter.pdf"), "letter.en.txt");
        assert_eq!(named("README"), "README.en.txt");
    }
}
