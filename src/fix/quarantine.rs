//! Moves suspicious rows to a side file: cutting a trigger out of a row leaves the label that was flipped for it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bstr::BString;

use super::{Finder, Fixer, Stored, on_disk, rows, spoken_of};
use crate::format::{Encoding, Kind};
use crate::rule::Severity;
use crate::source::{Bytes, Entry, read_file};
use crate::span::Span;

/// What is to be done about the rows of a file.
#[derive(Debug)]
pub(crate) enum Moving {
    /// None of them is suspicious.
    Nothing,
    Rows(Box<Aside>),
    /// They cannot be moved, and why, in one sentence with the way out.
    Refused(String),
}

/// Rows that leave their file.
#[derive(Debug)]
pub(crate) struct Aside {
    pub(crate) path: BString,
    pub(crate) file: PathBuf,
    pub(crate) before: Bytes,
    pub(crate) after: Vec<u8>,
    kind: Kind,
    /// What a file of this format begins with: its mark, and the names of its columns.
    head: Vec<u8>,
    /// Each row as it stood, without its line end.
    pub(crate) rows: Vec<Vec<u8>>,
    /// Where they stood, in the decoded file.
    pub(crate) spans: Vec<Span>,
    line_end: &'static [u8],
}

impl Fixer<'_> {
    /// Which rows of a file are to be moved: those with a warning or an error of the checks that judge single rows, and
    /// those that are `named`, by their numbers.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn aside(&self, entry: &Entry, named: &BTreeSet<u64>) -> Result<Moving, String> {
        super::caught(|| self.suspicious(entry, named))
    }

    fn suspicious(&self, entry: &Entry, named: &BTreeSet<u64>) -> Result<Moving, String> {
        let Some((content, file)) = on_disk(entry) else { return Ok(Moving::Nothing) };
        let raw = self.listed.read(content)?;
        let stored = Stored::of(self.listed, &raw)?;
        let lens = self.listed.policy.lens(entry.path());
        let mut finder = Finder { fixer: self, cuts: Vec::new(), findings: Vec::new(), only_cut: false };
        let read = finder.read(entry, &lens, stored.bytes(&raw))?;
        raw.verify()?;
        let findings = std::mem::take(&mut finder.findings);
        let mut numbers = spoken_of(&self.standing(entry, findings), Severity::Warning);
        numbers.extend(named);
        if numbers.is_empty() || !read.kind.is_data() {
            return Ok(Moving::Nothing);
        }
        if let Some(reason) = stored.reason(read.kind) {
            return Ok(Moving::Refused(reason));
        }
        let decoded = self.decoded(&raw)?;
        if !matches!(decoded.encoding, Encoding::Utf8 | Encoding::BrokenUtf8 | Encoding::Latin1) {
            return Ok(Moving::Refused("rows are only moved in UTF-8; convert the file first".to_owned()));
        }
        let limits = &self.listed.policy.limits;
        let old = rows::read(entry.path(), &lens, &decoded, limits)?;
        let gone: BTreeSet<usize> = numbers
            .iter()
            .filter_map(|number| usize::try_from(number.checked_sub(1)?).ok())
            .filter(|index| *index < old.spans.len())
            .collect();
        let text: &[u8] = &decoded.bytes;
        let cuts = match read.kind {
            Kind::Json => elements(text, &old.spans, &gone),
            _ => Ok(gone.iter().map(|&index| line(text, old.spans[index])).collect()),
        };
        let cuts = match cuts {
            Ok(cuts) => cuts,
            Err(reason) => return Ok(Moving::Refused(reason)),
        };
        let mut after = Vec::with_capacity(raw.len());
        let mut at = 0;
        for cut in &cuts {
            let span = decoded.raw(*cut);
            after.extend_from_slice(Span::new(at, span.start.max(at)).of(&raw));
            at = span.end.max(at);
        }
        after.extend_from_slice(Span::new(at, (raw.len() as u64).max(at)).of(&raw));
        if gone.len() < old.spans.len() {
            let new = rows::read(entry.path(), &lens, &self.decoded(&after)?, limits)?;
            if new.kind != old.kind || !old.without(&gone, &new) {
                let reason = "what is left would be read differently without its suspicious rows; move them by hand";
                return Ok(Moving::Refused(reason.to_owned()));
            }
        }
        // The names of the columns lie before the first row.
        let head = match (read.kind, old.spans.first()) {
            (Kind::Csv, Some(first)) => first.start,
            _ => 0,
        };
        let head = Span::new(0, decoded.raw(Span::new(head, head)).start).of(&raw).to_vec();
        let spans: Vec<Span> = gone.iter().map(|&index| old.spans[index]).collect();
        let rows = spans.iter().map(|span| decoded.raw(*span).of(&raw).to_vec()).collect();
        let line_end = line_end(text);
        drop(decoded);
        let (path, file) = (entry.path.clone(), file.clone());
        Ok(Moving::Rows(Box::new(Aside {
            path,
            file,
            before: raw,
            after,
            kind: read.kind,
            head,
            rows,
            spans,
            line_end,
        })))
    }
}

/// The line end of a text: that of its first line.
fn line_end(text: &[u8]) -> &'static [u8] {
    match memchr::memchr(b'\n', text) {
        Some(at) if at > 0 && text[at - 1] == b'\r' => b"\r\n",
        None if memchr::memchr(b'\r', text).is_some() => b"\r",
        _ => b"\n",
    }
}

/// The line of a row, with its end.
fn line(text: &[u8], row: Span) -> Span {
    let (mut start, mut end) = (row.start as usize, row.end as usize);
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let before = start - text[..start].iter().rev().take_while(|b| blank(b)).count();
    if before == 0 || matches!(text[before - 1], b'\n' | b'\r') {
        start = before;
    }
    end += text[end..].iter().take_while(|b| blank(b)).count();
    match text.get(end..) {
        Some([b'\r', b'\n', ..]) => end += 2,
        Some([b'\r' | b'\n', ..]) => end += 1,
        _ => {}
    }
    Span::new(start as u64, end as u64)
}

/// What goes with elements of JSON lists: the comma on one side, so that what is left is a list. Neighbours go together.
fn elements(text: &[u8], spans: &[Span], gone: &BTreeSet<usize>) -> Result<Vec<Span>, String> {
    let between =
        |a: usize| spans.get(a + 1).map(|next| (spans[a].end, next.start)).filter(|(end, start)| end <= start);
    let joined = |a: usize| between(a).is_some_and(|(end, start)| Span::new(end, start).of(text).trim_ascii() == b",");
    let mut cuts = Vec::new();
    let mut list = gone.iter().copied().peekable();
    while let Some(first) = list.next() {
        let mut last = first;
        while joined(last) && list.peek() == Some(&(last + 1)) {
            last += 1;
            list.next();
        }
        let (start, end) = (spans[first].start, spans[last].end);
        let cut = if joined(last) {
            Span::new(start, spans[last + 1].start)
        } else if first > 0 && joined(first - 1) {
            Span::new(spans[first - 1].end, end)
        } else {
            let before = Span::new(0, start).of(text).trim_ascii_end().last();
            let after = text.get(end as usize..).unwrap_or_default().trim_ascii_start().first();
            match (before, after) {
                (Some(b'['), Some(b']')) => Span::new(start, end),
                // Values that stand one after the other.
                (None | Some(b'}' | b']'), None | Some(b'{' | b'[')) => line(text, Span::new(start, end)),
                _ => return Err(format!("row {} is no element of a list; move it by hand", first + 1)),
            }
        };
        cuts.push(cut);
    }
    Ok(cuts)
}

/// The side file.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) file: PathBuf,
    /// What it held before; `None` where it is new.
    pub(crate) before: Option<Bytes>,
    kind: Option<Kind>,
    head: Vec<u8>,
    line_end: &'static [u8],
    rows: Vec<Vec<u8>>,
}

impl Shelf {
    /// Opens the side file, or makes a new one.
    ///
    /// # Errors
    /// Why it cannot be one.
    pub(crate) fn open(file: &Path, limit: u64) -> Result<Self, String> {
        let before = match file.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            _ => Some(read_file(file, limit)?),
        };
        Ok(Self { file: file.to_owned(), before, kind: None, head: Vec::new(), line_end: b"\n", rows: Vec::new() })
    }

    /// Takes the rows of one file.
    ///
    /// # Errors
    /// They are written in another way than those that are there.
    pub(crate) fn take(&mut self, aside: &Aside) -> Result<(), String> {
        match self.kind {
            None => {
                (self.kind, self.line_end) = (Some(aside.kind), aside.line_end);
                self.head.clone_from(&aside.head);
            }
            Some(kind) if kind != aside.kind || self.head != aside.head => {
                return Err("its rows are written differently from those of the files before it; \
                            name one file at a time, each with a side file of its own"
                    .to_owned());
            }
            Some(_) => {}
        }
        self.rows.extend_from_slice(&aside.rows);
        Ok(())
    }

    /// What is to be written.
    ///
    /// # Errors
    /// The side file holds something else already.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, String> {
        let old: &[u8] = self.before.as_deref().unwrap_or_default();
        if self.kind == Some(Kind::Json) {
            return self.json(old);
        }
        if !old.is_empty() && !old.starts_with(&self.head) {
            return Err("does not begin with the same names of columns; name another file".to_owned());
        }
        let mut out = if old.is_empty() { self.head.clone() } else { old.to_vec() };
        for row in &self.rows {
            if !out.is_empty() && out != self.head && !matches!(out.last(), Some(b'\n' | b'\r')) {
                out.extend_from_slice(self.line_end);
            }
            out.extend_from_slice(row);
            out.extend_from_slice(self.line_end);
        }
        Ok(out)
    }

    fn json(&self, old: &[u8]) -> Result<Vec<u8>, String> {
        let mut out = old.trim_ascii_end().to_vec();
        let fresh = out.is_empty();
        if fresh {
            out = [&self.head[..], b"["].concat();
        } else {
            let is_list =
                serde_json::from_slice::<Vec<serde::de::IgnoredAny>>(old.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(old));
            let Ok(list) = is_list else { return Err("is no JSON list; name another file".to_owned()) };
            out.pop();
            out.truncate(out.trim_ascii_end().len());
            if !list.is_empty() {
                out.push(b',');
            }
        }
        for (index, row) in self.rows.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(self.line_end);
            out.extend_from_slice(row);
        }
        out.extend_from_slice(self.line_end);
        out.push(b']');
        out.extend_from_slice(self.line_end);
        Ok(out)
    }
}
