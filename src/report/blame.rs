//! The story of one record, as `git blame` and `git log` would tell it together: the newest commit first.

use std::io::{self, Write};

use bstr::ByteSlice;
use serde::Serialize;

use super::escape::{Escaped, ascii_json, json_path};
use super::human::Paint;
use super::words::grouped;
use crate::diff::Kind;
use crate::engine::blame::{Blame, Deed, What};

/// JSON Schema of the JSON form (`foretaste schema blame`).
pub(crate) const BLAME_SCHEMA: &str = include_str!("../../fixtures/schema/foretaste-blame-1.schema.json");

/// Code points that are shown of the record.
const TEXT: usize = 200;

/// The exit code: 3 where the story ends because something could not be read.
pub(crate) fn blame_exit_code(blame: &Blame) -> u8 {
    if blame.deeds.iter().any(|deed| matches!(deed.what, What::Lost(_))) { 3 } else { 0 }
}

/// Writes the story for people.
///
/// # Errors
/// Where `out` cannot be written to.
pub(crate) fn blame_text(blame: &Blame, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(colour);
    let place = format!("{}:{}", Escaped::new(&blame.path).cap(1024), blame.line);
    let label = class(blame.label.as_deref());
    writeln!(out, "{} record {}, labelled {label}", paint.bold(place), grouped(blame.record))?;
    if !blame.text.is_empty() {
        writeln!(out, "  {}", Escaped::new(blame.text.trim_end()).cap(TEXT))?;
    }
    for note in &blame.notes {
        writeln!(out, "{} {}", paint.dim("note:"), Escaped::new(note))?;
    }
    for deed in &blame.deeds {
        let commit = &deed.commit;
        let id = commit.id.to_hex_with_len(10).to_string();
        let signed = if commit.signed { ", signed" } else { "" };
        writeln!(out, "\n{} {} {}{signed}", paint.bold(id), day(deed), Escaped::new(&author(deed)).cap(120))?;
        writeln!(out, "    {}", what(deed))?;
        if !commit.subject.is_empty() {
            writeln!(out, "    {}", paint.dim(Escaped::new(&commit.subject).cap(120)))?;
        }
    }
    Ok(())
}

/// What a commit did, in words.
fn what(deed: &Deed) -> String {
    let (from, to) = (class(deed.from.as_deref()), class(deed.to.as_deref()));
    let mut words = match &deed.what {
        What::Set => format!("brought it, labelled {to}"),
        What::Changed { kind, is_certain } => {
            let kind = kind.map_or("values", Kind::as_str);
            let doubt = if *is_certain { "" } else { ", by the classes of the changed files alone" };
            format!("{from} -> {to} ({kind}{doubt})")
        }
        What::Kept => format!("kept {to}"),
        What::Unclear => "several records with this text changed their labels in different ways; which was this one, \
                          nobody can say"
            .to_owned(),
        What::Lost(reason) => {
            format!("labelled {to} here; nothing is known from before: {}", Escaped::new(reason).cap(200))
        }
    };
    if let Some(old) = &deed.moved_from {
        words.push_str(&format!(", moved from {}", Escaped::new(old).cap(200)));
    }
    if deed.edited {
        words.push_str(", text edited");
    }
    if let Some(line) = deed.line {
        words.push_str(&format!("; at {}:{line}", Escaped::new(&deed.path).cap(200)));
    } else {
        words.push_str(&format!("; {} record {}", Escaped::new(&deed.path).cap(200), grouped(deed.record)));
    }
    words
}

fn class(name: Option<&str>) -> String {
    name.map_or_else(|| "(no label)".to_owned(), |name| format!("`{}`", Escaped::new(name).cap(80)))
}

fn author(deed: &Deed) -> String {
    let author = &deed.commit.author;
    format!("{} <{}>", author.name.to_str_lossy(), author.mail.to_str_lossy())
}

/// The day that it was written, as it claims, where its author was.
fn day(deed: &Deed) -> String {
    let author = &deed.commit.author;
    jiff::Timestamp::from_second(author.seconds.saturating_add(i64::from(author.offset)))
        .map(|stamp| stamp.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
        .unwrap_or_else(|_| "no date".to_owned())
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    commit: &'a str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    line: u64,
    record: u64,
    label: Option<&'a str>,
    untrusted_excerpt: String,
    commits: Vec<Commit<'a>>,
    policy: super::json::Policy<'a>,
    notes: Vec<String>,
    exit_code: u8,
    tool: super::json::Tool,
}

#[derive(Serialize)]
struct Commit<'a> {
    commit: String,
    author: String,
    date: String,
    signed: bool,
    subject: &'a str,
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    record: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_from: Option<String>,
    edited: bool,
}

/// Writes the story for programs.
///
/// # Errors
/// Where `out` cannot be written to.
pub(crate) fn blame_json(blame: &Blame, out: &mut dyn Write) -> io::Result<()> {
    let (path, path_hex) = json_path(&blame.path);
    let document = Document {
        schema: "foretaste-blame/1",
        commit: &blame.tip,
        path,
        path_hex,
        line: blame.line,
        record: blame.record,
        label: blame.label.as_deref(),
        untrusted_excerpt: Escaped::new(blame.text.trim_end()).cap(TEXT).to_string(),
        commits: blame.deeds.iter().map(commit).collect(),
        policy: super::json::policy(&blame.policy),
        notes: blame.notes.iter().map(|note| Escaped::new(note).to_string()).collect(),
        exit_code: blame_exit_code(blame),
        tool: super::json::TOOL,
    };
    ascii_json(&document, out)
}

fn commit(deed: &Deed) -> Commit<'_> {
    let (path, path_hex) = json_path(&deed.path);
    let (what, kind, scope, reason) = match &deed.what {
        What::Set => ("set", None, None, None),
        What::Changed { kind, is_certain } => {
            ("changed", *kind, Some(if *is_certain { "dataset" } else { "changed-files" }), None)
        }
        What::Kept => ("kept", None, None, None),
        What::Unclear => ("unclear", None, None, None),
        What::Lost(reason) => ("lost", None, None, Some(reason.as_str())),
    };
    Commit {
        commit: deed.commit.id.to_string(),
        author: author(deed),
        date: day(deed),
        signed: deed.commit.signed,
        subject: &deed.commit.subject,
        what,
        kind,
        scope,
        reason,
        from: deed.from.as_deref(),
        to: deed.to.as_deref(),
        path,
        path_hex,
        record: deed.record,
        line: deed.line,
        moved_from: deed.moved_from.as_ref().map(|path| json_path(path).0),
        edited: deed.edited,
    }
}
