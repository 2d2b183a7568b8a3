//! Documents of `translate`: read, translated, and written in their own format.

use super::args::{OutputFormat, Translate, TranslateFormat};
use super::beside::Sides;
use super::output::print_bytes;
use super::plan::{self, Environment};
use super::{DONE, SOME_FAILED};
use crate::document::{self, DocumentFormat, Placement};
use crate::error::{Error, Result};
use crate::io::articles::{FoundFile, from_document, plain_name, read_from, whole};
use crate::io::write::atomic;
use crate::job::{ReadArticle, bilingual, translated, translated_document};
use crate::pipeline::{self, Job, Models};
use crate::types::{Format, RawArticle, Source, Status};
use std::io::{Cursor, IsTerminal};
use std::path::{Path, PathBuf};

/// Formats that a terminal shows.
const TEXTS: [&str; 6] = ["html", "srt", "vtt", "po", "xliff", "csv"];

/// The documents among the files of `translate`.
pub(super) struct Documents<'a> {
    args: &'a Translate,
    sides: &'a Sides,
    /// Files that are written to a file each: documents, and with `--output` all.
    files: Vec<(FoundFile, Option<&'static DocumentFormat>)>,
    /// The others, which are printed.
    pub articles: Vec<FoundFile>,
}

impl<'a> Documents<'a> {
    /// Tells documents from articles.
    ///
    /// # Errors
    /// When there is no place for what would be written.
    pub fn of(args: &'a Translate, sides: &'a Sides, files: &[FoundFile]) -> Result<Documents<'a>> {
        let chosen = match args.format {
            Some(TranslateFormat::Document(name)) => document::named(name),
            _ => None,
        };
        let is_plain =
            matches!(args.format, Some(TranslateFormat::Plain(_))) || sides.makes_texts();
        let (mut documents, mut articles) = (Vec::new(), Vec::new());
        for file in files {
            let named = file.format.and_then(document::of_format);
            let format = chosen.or(named).filter(|_| !is_plain);
            match (format, &args.output) {
                (None, None) => articles.push(file.clone()),
                (format, _) => documents.push((file.clone(), format)),
            }
        }
        let found = Documents { args, sides, files: documents, articles };
        found.check()?;
        Ok(found)
    }

    /// Refuses what has no place.
    fn check(&self) -> Result<()> {
        let is_json = self.args.plain_format() == OutputFormat::Json;
        if self.args.output.is_some() && is_json {
            let message = "--output is for texts and documents; send records to a file with >";
            return Err(Error::Usage(message.into()));
        }
        if self.args.output.is_some() {
            if self.files.len() > 1 && !self.is_folder() {
                let message = "there are several inputs: name a folder with --output, as -o out/";
                return Err(Error::Usage(message.into()));
            }
            return self.check_extension();
        }
        let Some((file, Some(format))) = self.files.first() else { return Ok(()) };
        let name = file.name();
        if self.files.len() + self.articles.len() > 1 {
            let message = format!(
                "{name} is a document, and there are several inputs: name a folder with --output, \
                 as -o out/"
            );
            return Err(Error::Usage(message));
        }
        if std::io::stdout().is_terminal() && !TEXTS.contains(&format.name) {
            let to = self.args.to.as_ref().map_or("en", |to| to.as_str());
            let message = format!(
                "a {} document is nothing for a terminal: name a file, as -o {}",
                format.name,
                self.named(file, Some(*format), to).display()
            );
            return Err(Error::Usage(message));
        }
        Ok(())
    }

    /// A document keeps its format, whatever the name of the file says.
    fn check_extension(&self) -> Result<()> {
        let (Some(output), [(file, Some(format))]) = (&self.args.output, self.files.as_slice())
        else {
            return Ok(());
        };
        let extension = output.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        let Some(extension) = extension.filter(|_| !self.is_folder()) else { return Ok(()) };
        if format.extensions.contains(&extension.as_str()) {
            return Ok(());
        }
        Err(Error::Usage(format!(
            "{} is a {} document and stays one: expected an output named .{}, found {}; for its \
             text alone add --format text",
            file.name(),
            format.name,
            format.extensions[0],
            output.display()
        )))
    }

    fn is_folder(&self) -> bool {
        let Some(output) = &self.args.output else { return false };
        output.is_dir() || output.to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR])
    }

    /// Translates the documents one after the other, and writes each.
    ///
    /// # Errors
    /// What stops the work: models that do not compute, a place that cannot be written.
    pub fn run(&self, env: &Environment, job: &Job, models: &Models<'_>) -> Result<u8> {
        let mut code = DONE;
        let limit = self.args.inputs.reading.limit.unwrap_or(usize::MAX);
        for (file, format) in self.files.iter().take(limit) {
            env.cancel.check()?;
            match self.translate(env, file, *format, job, models) {
                Ok(bytes) => self.write(file, *format, job, &bytes)?,
                Err(error @ Error::Input { .. }) => {
                    env.reporter.warn(&error.to_string());
                    code = SOME_FAILED;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(code)
    }

    /// The translated bytes of a file.
    fn translate(
        &self,
        env: &Environment,
        file: &FoundFile,
        format: Option<&'static DocumentFormat>,
        job: &Job,
        models: &Models<'_>,
    ) -> Result<Vec<u8>> {
        let options = plan::read_options(&self.args.inputs.reading);
        let bytes = whole(file, options.max_bytes)?;
        let articles: Vec<ReadArticle> = match format {
            Some(format) => vec![from_document(file, format, bytes.clone(), &options)],
            None => read_from(Cursor::new(bytes.clone()), file, &options).collect(),
        };
        let sources: Vec<Option<RawArticle>> =
            articles.iter().map(|article| article.as_ref().ok().cloned()).collect();
        let show = env.reporter.stages("", &env.cancel);
        let key = |source: &Source| source.sha256.clone();
        let records = pipeline::run(articles, job, models, &key, &show);
        env.reporter.end();
        let records = records?;
        let is_beside = self.sides.bilingual.is_some();
        let placement = if is_beside { Placement::Beside } else { Placement::Instead };
        let form = self.sides.form().filter(|_| format.is_none());
        let mut out = form.map_or_else(Vec::new, |form| (form.start)().into_bytes());
        for (record, source) in records.iter().zip(&sources) {
            if let (Status::Failed, Some(error)) = (record.status, &record.error) {
                let message = error.message.trim_start_matches(&format!("{}: ", record.id));
                return Err(Error::input(&record.id, message));
            }
            self.sides.take(record);
            match (format, source, form) {
                (Some(format), ..) => {
                    out = translated_document(format, &bytes, record, &options, placement)?;
                }
                (None, Some(source), Some(form)) => {
                    out.extend_from_slice(bilingual(form, record, source)?.as_bytes());
                }
                (None, Some(source), None) => {
                    out.extend_from_slice(translated(record, source)?.as_bytes());
                    out.push(b'\n');
                }
                (None, None, _) => {}
            }
        }
        out.extend_from_slice(form.map_or("", |form| form.end).as_bytes());
        Ok(out)
    }

    /// The name of a file's translation.
    fn named(&self, file: &FoundFile, format: Option<&DocumentFormat>, to: &str) -> PathBuf {
        let form = self.sides.form();
        let extension = form.filter(|_| format.is_none()).map(|form| form.extension);
        let to = if form.is_some() { format!("{to}.bilingual") } else { to.into() };
        written_name(file, format, &to, extension)
    }

    /// Writes a file's translation to its place.
    fn write(
        &self,
        file: &FoundFile,
        format: Option<&'static DocumentFormat>,
        job: &Job,
        bytes: &[u8],
    ) -> Result<()> {
        let to = job.to.as_ref().map_or("", |to| to.as_str());
        match &self.args.output {
            None => print_bytes(bytes),
            Some(folder) if self.is_folder() => {
                atomic(&folder.join(self.named(file, format, to)), bytes)
            }
            Some(output) => atomic(output, bytes),
        }
    }
}

/// The name of a translation: that of its source with the language in it, and this extension, or
/// that of its format.
fn written_name(
    file: &FoundFile,
    format: Option<&DocumentFormat>,
    to: &str,
    extension: Option<&str>,
) -> PathBuf {
    let name = if file.is_stdin() { Path::new("translation") } else { file.path.as_path() };
    let name = name.file_name().unwrap_or_default().to_string_lossy();
    let name = Path::new(plain_name(&name));
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let own = name.extension().map(|e| e.to_string_lossy().into_owned());
    let extension = match format {
        None if extension.is_some() => extension.unwrap_or_default().into(),
        Some(format) => own
            .filter(|e| format.extensions.contains(&e.as_str()))
            .unwrap_or_else(|| format.extensions[0].into()),
        None if file.format == Some(Format::Markdown) => "md".into(),
        None => "txt".into(),
    };
    PathBuf::from(format!("{stem}.{to}.{extension}"))
}
