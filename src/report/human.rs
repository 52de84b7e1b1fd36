//! The form for people, in a terminal or a log.
//!
//! Every finding begins with `path:line:column severity[rule] message`, so that editors can follow it and `grep` can find
//! it; the drawn excerpt, further places, help and the line that would accept it follow.

use std::fmt::Display;
use std::io::{self, Write};

use super::draw::Drawing;
use super::escape::Escaped;
use super::excerpt::Excerpt;
use super::lines::{Lines, Position};
use super::locate::DRAWN_PLACES;
use super::words::{bytes, count, grouped};
use super::{Located, Options, Report, Spot};
use crate::policy::{Origin, PolicyError};
use crate::rule::Severity;
use crate::span::Span;

/// Findings beyond this are counted; the other forms have them.
const MAX_FINDINGS: usize = 200;
/// Lines of the other lists beyond this are counted.
const MAX_LINES: usize = 20;
/// Paths are shown up to this many code points.
const MAX_PATH: usize = 1024;

pub(super) fn write(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(options.colour);
    if !options.quiet {
        head(report, paint, out)?;
    }
    match &report.history {
        Some(history) if !options.quiet => super::history::write(report, history, options, out)?,
        _ => findings(report, options, out)?,
    }
    unread(report, paint, out)?;
    if !(options.quiet || report.unread.is_empty()) {
        writeln!(out)?;
    }
    let clean = report.findings.is_empty() && report.unread.is_empty() && report.exit_code == 0;
    if !(options.quiet && clean) {
        writeln!(out, "{}", last_line(report))?;
    }
    if let (Some(first), false) = (report.findings.first(), options.quiet) {
        writeln!(out, "what a rule means and what to do: `foretaste explain {}`", first.rule.id)?;
    }
    Ok(())
}

fn findings(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    for located in report.findings.iter().take(MAX_FINDINGS) {
        if options.quiet {
            first_line(located, Paint(options.colour), out)?;
        } else {
            finding(located, options, out)?;
        }
    }
    if let Some(more @ 1..) = report.findings.len().checked_sub(MAX_FINDINGS) {
        writeln!(out, "and {}; `--format json` has them all", count(more as u64, "more finding"))?;
        if !options.quiet {
            writeln!(out)?;
        }
    }
    Ok(())
}

/// What was judged, by which policy, and what was assumed.
fn head(report: &Report, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "foretaste judged {}; {}", Escaped::new(&report.scope), policy(&report.policy))?;
    for (path, guess) in report.guesses.iter().take(MAX_LINES) {
        let fields: Vec<String> = guess
            .fields
            .iter()
            .take(12)
            .map(|(name, role)| format!("{} = {}", format!("{role:?}").to_lowercase(), Escaped::new(name).cap(60)))
            .collect();
        let (matched, sampled) = guess.support;
        let fields = if fields.is_empty() { String::new() } else { format!(" ({})", fields.join(", ")) };
        writeln!(
            out,
            "{} {}: {}{fields}, {} of {}",
            paint.dim("guessed"),
            Escaped::new(path).cap(MAX_PATH),
            guess.shape,
            grouped(u64::from(matched)),
            count(u64::from(sampled), "record"),
        )?;
    }
    if let Some(more @ 1..) = report.guesses.len().checked_sub(MAX_LINES) {
        writeln!(out, "{} {}", paint.dim("guessed"), count(more as u64, "more file"))?;
    }
    for note in &report.notes {
        writeln!(out, "{} {}", paint.dim("note:"), Escaped::new(note))?;
    }
    writeln!(out)
}

/// Which policy judges, and whose.
pub(super) fn policy(origin: &Origin) -> String {
    let path = origin.path.as_deref().map(|path| Escaped::new(path).to_string());
    let commit = origin.commit.as_deref().map(|commit| Escaped::new(commit).cap(12).to_string().replace('…', ""));
    match (origin.from, path, commit) {
        ("builtin", ..) | (_, None, _) => "no policy file, so the built-in policy".into(),
        (from, Some(path), Some(commit)) => format!("policy {path} of {from} {commit}"),
        ("flag", Some(path), None) => format!("policy {path}, as asked"),
        (from, Some(path), None) => format!("policy {path} of the {from}"),
    }
}

/// `path:line:column`, or the path alone for a file as a whole.
pub(super) fn at(spot: &Spot) -> String {
    format!("{}:{}:{}", Escaped::new(&spot.path).cap(MAX_PATH), spot.line, spot.column)
}

fn first_line(located: &Located, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let Located { rule, severity, message, .. } = located;
    if let Some(spot) = located.spots.first() {
        write!(out, "{} ", paint.bold(at(spot)))?;
    }
    let title = format!("{}[{}]", severity.as_str(), rule.id);
    writeln!(out, "{} {}", paint.severity(*severity, title), Escaped::new(message))
}

fn finding(located: &Located, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(options.colour);
    first_line(located, paint, out)?;
    if let Some(spot) = located.spots.first() {
        let label = label(spot);
        match &spot.excerpt {
            Some(excerpt) if !excerpt.text.is_empty() => {
                let position = Position { line: spot.line, column: spot.column };
                let name = Escaped::new(&spot.path).cap(MAX_PATH).to_string();
                write!(out, "{}", Drawing { name, position, excerpt, label }.render(options))?;
            }
            _ => {
                if let Some(label) = label {
                    writeln!(out, "  {label}")?;
                }
            }
        }
    }
    for spot in located.spots.iter().skip(1).take(DRAWN_PLACES - 1) {
        write!(out, "  also {}", at(spot))?;
        // What was said of the first place need not be said again.
        let first = located.spots.first().and_then(label);
        if let Some(label) = label(spot).filter(|label| first.as_ref() != Some(label)) {
            write!(out, "  {label}")?;
        }
        if let Some(excerpt) = &spot.excerpt {
            write!(out, "  {}", excerpt.text)?;
        }
        writeln!(out)?;
    }
    let shown = located.spots.len().min(DRAWN_PLACES) as u64;
    if located.total > shown {
        writeln!(out, "  and {}", count(located.total - shown, "more place"))?;
    }
    if !located.help.is_empty() {
        writeln!(out, "  {} {}", paint.bold("help:"), Escaped::new(&located.help).cap(1000))?;
    }
    accept(located, "accept", options, out)?;
    writeln!(out)
}

/// The command that accepts a finding.
pub(super) fn accept(located: &Located, verb: &str, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    // Fingerprints of a redacted report are hashed once more, so `accept` would not know them.
    if options.redact.is_some() {
        return Ok(());
    }
    let words = Paint(options.colour).dim("to accept it:");
    writeln!(out, "  {words} foretaste {verb} {} --reason \"…\"", located.fingerprint)
}

/// What is to be seen at a place: record, field and note.
pub(super) fn label(spot: &Spot) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(record) = spot.record
        && (!spot.has_lines || record != spot.line)
    {
        parts.push(format!("record {}", grouped(record)));
    }
    if let (Some(field), false) = (&spot.field, spot.has_lines) {
        parts.push(format!("field {}", Escaped::new(field).cap(60)));
    }
    let place = parts.join(", ");
    match &spot.note {
        Some(note) if place.is_empty() => Some(Escaped::new(note).cap(200).to_string()),
        Some(note) => Some(format!("{place}: {}", Escaped::new(note).cap(200))),
        None => Some(place).filter(|place| !place.is_empty()),
    }
}

fn unread(report: &Report, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    if report.unread.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", paint.severity(Severity::Warning, "not read:"))?;
    for unread in report.unread.iter().take(MAX_LINES) {
        writeln!(out, "  {}: {}", Escaped::new(&unread.path).cap(MAX_PATH), Escaped::new(&unread.reason))?;
    }
    if let Some(more @ 1..) = report.unread.len().checked_sub(MAX_LINES) {
        writeln!(out, "  and {}", count(more as u64, "more file"))?;
    }
    Ok(())
}

/// What came of it and what was looked at (law 9).
pub(super) fn last_line(report: &Report) -> String {
    let looked = &report.looked_at;
    let mut line = String::new();
    if report.findings.is_empty() && report.unread.is_empty() && looked.files == 0 && looked.commits == 0 {
        line.push_str(&match looked.no_reader {
            0 => "nothing to judge: no files".to_owned(),
            1 => "nothing to judge: 1 file, and it is no data".to_owned(),
            n => format!("nothing to judge: {}, none of them data", count(n, "file")),
        });
    } else {
        let mut paths: Vec<_> = report.findings.iter().flat_map(|f| &f.spots).map(|spot| &spot.path).collect();
        paths.sort_unstable();
        paths.dedup();
        match report.findings.len() as u64 {
            0 => line.push_str("no findings"),
            n => {
                line.push_str(&format!("{} ({})", count(n, "finding"), severities(report)));
                if !paths.is_empty() {
                    line.push_str(&format!(" in {}", count(paths.len() as u64, "file")));
                }
            }
        }
        line.push_str(&format!("; {}, {}", count(looked.files, "file"), bytes(looked.bytes)));
        for (n, noun) in [(looked.records, "record"), (looked.references, "reference"), (looked.commits, "commit")] {
            if n > 0 {
                line.push_str(&format!(", {}", count(n, noun)));
            }
        }
        line.push_str(" looked at");
        if looked.no_reader > 0 {
            line.push_str(&format!("; {} that no reader knows as data", count(looked.no_reader, "file")));
        }
    }
    if !report.unread.is_empty() {
        line.push_str(&format!("; {} not read", grouped(report.unread.len() as u64)));
    }
    for (n, what) in [
        (looked.excluded, "excluded by the policy"),
        (looked.ignored, "ignored by git"),
        (report.accepted, "accepted"),
        (report.not_shown, "of level info not shown (--show-info)"),
    ] {
        if n > 0 {
            line.push_str(&format!("; {} {what}", grouped(n)));
        }
    }
    if looked.without_info > 0 {
        let files = count(looked.without_info, "large file");
        line.push_str(&format!("; level info was not looked for in {files} (--show-info)"));
    }
    line
}

/// `1 error, 2 warnings`.
pub(super) fn severities(report: &Report) -> String {
    let parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .filter_map(|severity| {
            let n = report.findings.iter().filter(|finding| finding.severity == severity).count();
            (n > 0).then(|| count(n as u64, severity.as_str()))
        })
        .collect();
    parts.join(", ")
}

/// A policy that cannot be used, as people read it: `file:line:column` first, the place drawn, and the way out.
pub(crate) fn policy_error(error: &PolicyError, colour: bool) -> String {
    let paint = Paint(colour);
    let span = error.span.unwrap_or(Span::new(0, 0));
    let mut lines = Lines::new(error.text.as_bytes(), &[]);
    let position = lines.advance(span.start);
    let name = Escaped::new(&error.file).cap(MAX_PATH).to_string();
    let mut out = match error.span {
        Some(_) => paint.bold(format!("{name}:{}:{}", position.line, position.column)),
        None => paint.bold(name.clone()),
    };
    out.push_str(&format!(" {} {}\n", paint.severity(Severity::Error, "error:"), Escaped::new(&error.message)));
    if error.span.is_some() {
        let excerpt = Excerpt::new(error.text.as_bytes(), span);
        let options = Options { colour, ..Options::default() };
        out.push_str(&Drawing { name, position, excerpt: &excerpt, label: None }.render(&options));
    }
    if let Some(help) = &error.help {
        out.push_str(&format!("  {} {}\n", paint.bold("help:"), Escaped::new(help).cap(1000)));
    }
    out
}

/// Colours of our own, or none.
#[derive(Copy, Clone)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    fn with(self, code: &str, text: impl Display) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_string() }
    }

    pub(super) fn bold(self, text: impl Display) -> String {
        self.with("1", text)
    }

    pub(super) fn dim(self, text: impl Display) -> String {
        self.with("2", text)
    }

    pub(super) fn severity(self, severity: Severity, text: impl Display) -> String {
        let code = match severity {
            Severity::Error => "1;31",
            Severity::Warning => "1;33",
            Severity::Note => "1;36",
        };
        self.with(code, text)
    }
}
