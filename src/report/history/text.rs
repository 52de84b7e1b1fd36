//! The commits of an audit in a terminal: those that stand out, each with its reasons, some of its rows and what to do;
//! the others in a line or two.

use std::io::{self, Write};

use super::{History, Ranked, dwell, kinds, ranked, signs, total, transitions};
use crate::engine::audit::Audited;
use crate::report::escape::Escaped;
use crate::report::human::{Paint, accept, at};
use crate::report::words::{count, grouped};
use crate::report::{Located, Options, Report};
use crate::rule::Severity;

/// Commits that are told at length, and those that are told in short; the other forms have more.
const MAX_LOUD: usize = 20;
const MAX_QUIET: usize = 8;
/// Transitions that are listed of one commit.
const MAX_TRANSITIONS: usize = 4;
/// Rows that are shown of one finding.
const MAX_ROWS: usize = 3;
/// Findings about people that are no more than notes.
const MAX_NOTES: usize = 5;

/// Writes the commits and what is said of people.
pub(in crate::report) fn write(
    report: &Report,
    history: &History,
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    if history.commits.is_empty() {
        let seen = if report.unread.is_empty() { "" } else { ", as far as its versions could be read" };
        writeln!(out, "no commit changes a label{seen}")?;
    } else {
        commits(report, history, options, out)?;
    }
    people(report, options, out)?;
    writeln!(out, "coverage: {}\n", Escaped::new(&history.coverage))
}

fn commits(report: &Report, history: &History, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let all = ranked(report, history);
    let loud = all.partition_point(|one| one.severity() >= Some(Severity::Warning));
    writeln!(
        out,
        "{} changed labels, {}: {}",
        count(all.len() as u64, "commit"),
        count(history.commits.iter().map(total).sum(), "record"),
        kinds(history.commits.iter())
    )?;
    match loud {
        0 => writeln!(out, "none of them stands out\n")?,
        n => writeln!(out, "{} to look at first:\n", count(n as u64, "commit"))?,
    }
    for (number, one) in all[..loud].iter().enumerate().take(MAX_LOUD) {
        at_length(number + 1, one, options, out)?;
    }
    if let Some(more @ 1..) = loud.checked_sub(MAX_LOUD) {
        writeln!(out, "and {}; `--output html=audit.html` shows more\n", count(more as u64, "more commit"))?;
    }
    let rest = &all[loud..];
    if rest.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}, by themselves no reason to act:", count(rest.len() as u64, "other commit"))?;
    for one in rest.iter().take(MAX_QUIET) {
        head(one.commit, "  ", Paint(options.colour), out)?;
        changes(one.commit, "    ", out)?;
        why(one.commit, "    ", out)?;
    }
    if let Some(more @ 1..) = rest.len().checked_sub(MAX_QUIET) {
        writeln!(
            out,
            "  and {}; `--output html=audit.html` shows them, `--format json` has them all",
            count(more as u64, "more commit")
        )?;
    }
    writeln!(out)
}

/// A commit that stands out.
fn at_length(number: usize, ranked: &Ranked<'_>, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(options.colour);
    let severity = ranked.severity().unwrap_or(Severity::Note);
    let rule = ranked.findings.first().map_or("", |finding| finding.rule.id);
    write!(out, "{number}. {} ", paint.severity(severity, format!("{}[{rule}]", severity.as_str())))?;
    head(ranked.commit, "", paint, out)?;
    changes(ranked.commit, "  ", out)?;
    why(ranked.commit, "  ", out)?;
    if let Some(words) = dwell(&ranked.commit.dwell) {
        writeln!(out, "  {}", Escaped::new(&words).cap(120))?;
    }
    for finding in &ranked.findings {
        rows(finding, out)?;
        writeln!(out, "  {} {}", paint.bold("help:"), Escaped::new(&finding.help).cap(1000))?;
        accept(finding, "audit --accept", options, out)?;
    }
    writeln!(out)
}

fn short(text: &str) -> String {
    Escaped::new(text).cap(60).to_string()
}

/// Id, day, author and subject.
fn head(commit: &Audited, indent: &str, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let id = commit.commit.get(..10).unwrap_or(&commit.commit);
    write!(out, "{indent}{} {} {}", paint.bold(id), commit.day, short(&commit.author))?;
    match commit.subject.is_empty() {
        true => writeln!(out),
        false => writeln!(out, ": {}", short(&commit.subject)),
    }
}

fn changes(commit: &Audited, indent: &str, out: &mut dyn Write) -> io::Result<()> {
    let rows = transitions(commit);
    let class = |class: Option<&str>| class.map_or("(no label)".to_owned(), short);
    let list: Vec<String> = rows
        .iter()
        .take(MAX_TRANSITIONS)
        .map(|(_, from, to, n)| format!("{} -> {} {}", class(*from), class(*to), grouped(*n)))
        .collect();
    write!(out, "{indent}{}: {}", kinds(std::iter::once(commit)), list.join("; "))?;
    match rows.len().checked_sub(MAX_TRANSITIONS) {
        Some(more @ 1..) => writeln!(out, "; {more} more"),
        _ => writeln!(out),
    }
}

/// What is unusual about a commit.
fn why(commit: &Audited, indent: &str, out: &mut dyn Write) -> io::Result<()> {
    let signs: Vec<String> = signs(commit)
        .into_iter()
        .map(|(words, numbers)| match numbers.is_empty() {
            true => Escaped::new(&words).cap(120).to_string(),
            false => format!("{} ({})", Escaped::new(&words).cap(120), Escaped::new(&numbers).cap(120)),
        })
        .collect();
    if signs.is_empty() { Ok(()) } else { writeln!(out, "{indent}why: {}", signs.join("; ")) }
}

/// The first rows of a finding, as they are now, with their labels before and after.
fn rows(finding: &Located, out: &mut dyn Write) -> io::Result<()> {
    for spot in finding.spots.iter().take(MAX_ROWS) {
        let class = |label: &Option<String>| label.as_deref().map_or("(no label)".to_owned(), short);
        let versions = spot.versions.as_ref();
        write!(out, "  {}", at(spot))?;
        if let Some(versions) = versions {
            write!(out, "  {} -> {}", class(&versions.before.label), class(&versions.after.label))?;
        } else if let Some(note) = &spot.note {
            write!(out, "  {}", short(note))?;
        }
        let text = versions.and_then(|versions| versions.after.text.as_ref());
        match (text, &spot.excerpt) {
            (Some(text), _) => writeln!(out, "  {}", Escaped::new(text).cap(80))?,
            (None, Some(excerpt)) => writeln!(out, "  {}", excerpt.text)?,
            (None, None) => writeln!(out)?,
        }
    }
    match finding.total.saturating_sub(MAX_ROWS as u64) {
        0 => Ok(()),
        more => writeln!(out, "  and {}", count(more, "more record")),
    }
}

/// What is said of people: warnings at length, and how many notes there are.
fn people(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(options.colour);
    let people: Vec<&Located> =
        report.findings.iter().filter(|finding| !finding.evidence.contains_key("commit")).collect();
    let (loud, quiet): (Vec<_>, Vec<_>) = people.into_iter().partition(|finding| finding.severity >= Severity::Warning);
    let first_line = |finding: &Located, out: &mut dyn Write| {
        let title = format!("{}[{}]", finding.severity.as_str(), finding.rule.id);
        writeln!(out, "{} {}", paint.severity(finding.severity, title), Escaped::new(&finding.message))
    };
    for finding in loud {
        first_line(finding, out)?;
        writeln!(out, "  {} {}", paint.bold("help:"), Escaped::new(&finding.help).cap(1000))?;
        accept(finding, "audit --accept", options, out)?;
        writeln!(out)?;
    }
    for finding in quiet.iter().take(MAX_NOTES) {
        first_line(finding, out)?;
    }
    if let Some(more @ 1..) = quiet.len().checked_sub(MAX_NOTES) {
        writeln!(out, "and {}", count(more as u64, "more note"))?;
    }
    if quiet.is_empty() { Ok(()) } else { writeln!(out) }
}
