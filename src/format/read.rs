//! Tells what a blob is, and has it read by the reader of its format.

use bstr::ByteSlice;
use memchr::{memchr, memmem};

use super::batch::{SAMPLE_BYTES, SAMPLE_ROWS, Writer};
use super::cards::Carded;
use super::csv::dialect::{self, Belief, Dialect};
use super::hint::{self, Hint};
use super::json::document::{self, Document, Told};
use super::{
    Blob, Coding, Encoding, Kind, Offsets, Read, References, Sink, columnar, compressed, csv, json, rasa, references,
    text, tokens,
};
use crate::lens::{Role, class_of};
use crate::policy::Limits;
use crate::span::Span;

/// How a blob is to be read.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Plan {
    JsonLines,
    Json(Document),
    Csv(Dialect),
    FastText,
    /// Intents, in a file that is Markdown or YAML otherwise.
    Rasa(Kind),
    Lines {
        name: &'static str,
        role: Role,
        coding: Coding,
    },
    Tokens(tokens::Layout),
    Columnar,
    NoReader,
}

/// Reads a blob: tells its format by content, and hands on its records in batches, then its references.
///
/// # Errors
/// Where a recognised data format cannot be read at all, as one short phrase.
pub(crate) fn read(blob: &Blob<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<Read, String> {
    let (kind, plan) = tell(blob);
    match plan {
        Plan::NoReader => {
            // An image in a dataset is what it is; an archive hides rows that were promised.
            // Under the name of a data file, bytes that are no text hide what a looser reader may find in them.
            let is_called_data = !blob.decoded.bytes.is_empty() && hint::of(blob.path, b"").is_data();
            let archive = compressed::archive_kind(&blob.decoded.bytes);
            return match archive {
                Some(archive) if is_called_data || blob.lens.dataset.is_some() => {
                    Err(format!("{archive} archive, which has no reader"))
                }
                None if is_called_data => Err("named like a text of data, and its bytes are no text".to_owned()),
                _ => Ok(Read { kind, records: 0, references: 0, guess: None, unread: Vec::new() }),
            };
        }
        Plan::Columnar => return columnar::read(blob, limits, sink),
        _ => {}
    }
    // Data it may be, a document it is all the same: what it names is found either way.
    let document = if let Plan::Rasa(kind) = plan { kind } else { kind };
    let mut w = Writer::new(blob, kind, limits, sink);
    flag_encoding(&mut w);
    plan.read(&mut w);
    let mut read = w.finish();
    find_references(blob, document, limits, sink, &mut read);
    Ok(read)
}

/// A text whose lines are records by themselves: what one comes to hangs on its bytes and on the roles of the fields
/// alone.
#[derive(Clone, Debug)]
pub(crate) struct ByLine {
    kind: Kind,
    plan: Plan,
}

/// Whether the blob is such a text.
pub(crate) fn by_line(blob: &Blob<'_>) -> Option<ByLine> {
    let is_text = matches!(blob.decoded.encoding, Encoding::Utf8 | Encoding::BrokenUtf8);
    if !is_text || !matches!(blob.decoded.offsets, Offsets::Same) {
        return None;
    }
    let (kind, plan) = tell(blob);
    let by_line = kind.is_data() && matches!(plan, Plan::JsonLines | Plan::FastText | Plan::Lines { .. });
    by_line.then_some(ByLine { kind, plan })
}

impl ByLine {
    /// The length of the start of a text, in whole lines, from which its format and the roles of all its fields follow.
    pub(crate) fn head(&self, text: &[u8]) -> usize {
        /// Lines from which the format follows, however long they are.
        const FORMAT: usize = 40;
        let (mut at, mut rows, mut first) = (0, 0, None);
        while at < text.len()
            && (rows <= SAMPLE_ROWS && at - first.unwrap_or(at) <= SAMPLE_BYTES as usize || rows < FORMAT)
        {
            let end = memchr(b'\n', &text[at..]).map_or(text.len(), |n| at + n + 1);
            if !text[at..end].trim_ascii().is_empty() {
                first = first.or(Some(at));
                rows += 1;
            }
            at = end;
        }
        at
    }

    /// Reads a text that begins with the head of such a text, and goes on with any of its lines.
    pub(crate) fn read(&self, blob: &Blob<'_>, limits: &Limits, sink: &mut dyn Sink) {
        let mut w = Writer::new(blob, self.kind, limits, sink);
        self.plan.read(&mut w);
        w.finish();
    }
}

impl Plan {
    /// Reads what a writer writes.
    fn read(&self, w: &mut Writer<'_, '_>) {
        match self {
            Plan::JsonLines => json::lines::read(w),
            Plan::Json(document) => document::read(w, document),
            Plan::Csv(dialect) => csv::read(w, dialect),
            Plan::FastText => text::fasttext(w),
            Plan::Rasa(kind) => rasa::read(w, *kind),
            Plan::Tokens(layout) => tokens::read(w, layout),
            Plan::Lines { name, role, coding } => text::lines(w, name, *role, *coding),
            Plan::Columnar | Plan::NoReader => {}
        }
    }
}

/// Code, configuration and documents name datasets and models.
fn find_references(blob: &Blob<'_>, kind: Kind, limits: &Limits, sink: &mut dyn Sink, read: &mut Read) {
    if !kind.names_sources() {
        return;
    }
    let found = references::find(blob, kind, limits);
    read.unread.extend(found.unread);
    if let Some(card) = &found.card {
        sink.card(&Carded { blob: *blob, card });
    }
    if !found.list.is_empty() {
        read.references = found.list.len() as u64;
        sink.references(&References { blob: *blob, kind, list: &found.list });
    }
}

/// What is not UTF-8 is read differently, or not at all, by a reader that expects it.
fn flag_encoding(w: &mut Writer<'_, '_>) {
    let decoded = w.blob.decoded;
    if matches!(decoded.encoding, Encoding::Utf8 | Encoding::Binary) {
        return;
    }
    let text: &[u8] = &decoded.bytes;
    if decoded.encoding == Encoding::BrokenUtf8 {
        // Sequences side by side are one place: an emoji that was written as two half pairs is six of them.
        let (mut at, mut open) = (0, None);
        for chunk in text.utf8_chunks() {
            if !chunk.valid().is_empty()
                && let Some(start) = open.take()
            {
                w.blob_flaw("malformed-utf8", Span::new(start, at as u64), "");
            }
            at += chunk.valid().len();
            if !chunk.invalid().is_empty() {
                open.get_or_insert(at as u64);
            }
            at += chunk.invalid().len();
        }
        if let Some(start) = open {
            w.blob_flaw("malformed-utf8", Span::new(start, at as u64), "");
        }
        return;
    }
    let first = text.iter().position(|b| !b.is_ascii()).unwrap_or(0);
    let name = match decoded.encoding {
        Encoding::Latin1 => "one byte a character, read as Windows-1252",
        Encoding::Utf16Le | Encoding::Utf16Be => "UTF-16",
        _ => "UTF-32",
    };
    let lost = memmem::find_iter(text, "\u{FFFD}").count();
    let detail = if lost > 0 { format!("{name}; {lost} replacement characters") } else { name.to_owned() };
    w.blob_flaw("not-utf8", Span::new(first as u64, (first + 1).min(text.len()) as u64), detail);
}

/// Tells the format. Content comes first; names decide between kinds of code, and how easily a table is believed in.
fn tell(blob: &Blob<'_>) -> (Kind, Plan) {
    // Whatever else the bytes look like: a damaged columnar file must not pass as a text of one line.
    if let Some(kind) = columnar::detect(&blob.decoded.bytes) {
        return (kind, Plan::Columnar);
    }
    if blob.decoded.encoding == Encoding::Binary {
        return (Kind::Unknown, Plan::NoReader);
    }
    let text: &[u8] = &blob.decoded.bytes;
    let hint = hint::of(blob.path, text);
    let is_dataset = blob.lens.dataset.is_some();
    let declared = blob.lens.roles.as_ref();
    let table = |belief| dialect::sniff(text, belief, declared).map(|dialect| (Kind::Csv, Plan::Csv(dialect)));
    if let Some(found) = json_kind(text, hint, is_dataset) {
        return found;
    }
    if matches!(hint, Hint::Text | Hint::Nothing | Hint::Table(_) | Hint::Code(Kind::Code))
        && let Some(layout) = tokens::tell(text, hint::is_tokens(blob.path))
    {
        return (Kind::Tokens, Plan::Tokens(layout));
    }
    let is_list = matches!(hint, Hint::Text | Hint::Nothing | Hint::Code(Kind::Code));
    if is_list && class_of(blob.path).is_some() {
        return lines(Kind::Text, true);
    }
    match hint {
        Hint::Code(kind @ (Kind::Markdown | Kind::Yaml)) if rasa::is_rasa(text, kind) => (Kind::Text, Plan::Rasa(kind)),
        Hint::Code(kind) => lines(kind, is_dataset),
        Hint::Table(delimiter) => table(Belief::Named(delimiter)).unwrap_or_else(|| lines(Kind::Csv, true)),
        Hint::Text | Hint::Nothing if text::is_fasttext(&text[..text.len().min(64 << 10)]) => {
            (Kind::Text, Plan::FastText)
        }
        Hint::Text | Hint::Nothing => {
            table(Belief::Unnamed).unwrap_or_else(|| match hint == Hint::Text || is_dataset {
                true => lines(Kind::Text, true),
                false => lines(Kind::Code, false),
            })
        }
        Hint::Json | Hint::JsonLines => lines(Kind::JsonConfig, is_dataset),
    }
}

/// Lines of text or code.
fn lines(kind: Kind, is_text: bool) -> (Kind, Plan) {
    let coding = match kind {
        // So that a character written as an escape is found, too.
        Kind::JsonConfig | Kind::Notebook => Coding::Json,
        _ => Coding::Plain,
    };
    let plan = match is_text || matches!(kind, Kind::Text | Kind::Markdown) {
        true => Plan::Lines { name: "text", role: Role::Text, coding },
        false => Plan::Lines { name: "line", role: Role::Other, coding },
    };
    (kind, plan)
}

/// Tells the kinds of JSON apart; `None` where it is none, or nothing can be said yet.
fn json_kind(text: &[u8], hint: Hint, is_dataset: bool) -> Option<(Kind, Plan)> {
    if hint == Hint::Code(Kind::Notebook) {
        return None;
    }
    let lines = || text.lines().filter(|line| !line.trim_ascii().is_empty()).take(32);
    let json_lines = Some((Kind::JsonLines, Plan::JsonLines));
    let (mut whole, mut count) = (0, 0);
    for line in lines() {
        count += 1;
        whole += usize::from(document::is_whole(line));
        // Code and prose need no closer look.
        if count == 4 && whole == 0 && hint != Hint::JsonLines && !begins_like_json(text) {
            break;
        }
    }
    let is_one_line = count == 1 && hint == Hint::JsonLines && text.trim_start().starts_with(b"{");
    if (count >= 2 || is_one_line) && (whole * 2 > count || (whole > 0 && hint == Hint::JsonLines)) {
        return json_lines;
    }
    let believed = is_dataset || hint == Hint::JsonLines;
    if !begins_like_json(text) {
        return if hint == Hint::JsonLines { json_lines } else { None };
    }
    match document::tell(text, believed) {
        Told::Data(document) => Some((Kind::Json, Plan::Json(document))),
        Told::Notebook => Some(self::lines(Kind::Notebook, is_dataset)),
        Told::Broken if hint == Hint::JsonLines || (believed && hint == Hint::Json) => json_lines,
        // Names decide between the kinds of what is no data: `[section]` begins like JSON.
        Told::Config if !matches!(hint, Hint::Code(_) | Hint::Table(_)) => Some(self::lines(Kind::JsonConfig, false)),
        Told::Config | Told::Broken => None,
    }
}

fn begins_like_json(text: &[u8]) -> bool {
    matches!(text.trim_start().first(), Some(b'{' | b'['))
}
