//! Markdown for the summary of a step and for comments on pull requests, for clean ones as well: the verdict, what was
//! found, what changed in the data, what was not read and what was looked at.

use std::io::{self, Write};

use super::escape::{code_span, code_span_of_drawn, prose, prose_of_drawn};
use super::human::{at, label, last_line, policy, severities};
use super::words::{count, grouped};
use super::{Located, Report, Spot};
use crate::diff::SetSummary;
use crate::rule::Severity;

/// GitHub refuses a summary of more than 1 MiB; whole rows are left out before that, and counted.
const MAX_BYTES: usize = 900 << 10;
/// Room that is kept for what stands below the tables.
const TAIL: usize = 16 << 10;
/// Rows of one table.
const MAX_ROWS: usize = 200;
/// Findings whose places and excerpts are listed below the table.
const MAX_DETAILS: usize = 20;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::default();
    verdict(report, &mut page);
    findings(report, &mut page);
    changes(report, &mut page);
    unread(report, &mut page);
    page.last(&format!("\n---\n{}\n", prose_of_drawn(&last_line(report))));
    out.write_all(page.0.as_bytes())
}

/// A page that never grows over its limit.
#[derive(Default)]
struct Page(String);

impl Page {
    /// Puts something down, or says that there is no room for it.
    fn put(&mut self, text: &str) -> bool {
        let fits = self.0.len() + text.len() + TAIL <= MAX_BYTES;
        if fits {
            self.0.push_str(text);
        }
        fits
    }

    /// Puts down what has room kept for it.
    fn last(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// A table; rows that have no room are counted below it.
    fn table(&mut self, head: &str, rows: impl ExactSizeIterator<Item = String>, noun: &str) {
        let columns = head.matches('|').count() - 1;
        let (total, mut shown) = (rows.len(), 0);
        if !self.put(&format!("\n{head}\n|{}\n", "---|".repeat(columns))) {
            return;
        }
        for row in rows.take(MAX_ROWS) {
            if !self.put(&row) {
                break;
            }
            shown += 1;
        }
        if shown < total {
            self.last(&format!("\nand {}\n", count((total - shown) as u64, noun)));
        }
    }
}

fn verdict(report: &Report, page: &mut Page) {
    let verdict = match (report.exit_code, report.findings.len()) {
        (1, _) => format!("❌ {}", severities(report)),
        (3, _) => "⚠ not everything could be read".to_owned(),
        (_, 0) => "✅ no findings".to_owned(),
        _ => format!("✅ nothing that fails the run ({})", severities(report)),
    };
    page.put(&format!("## foretaste: {verdict}\n\n"));
    page.put(&format!("Judged {}; {}.\n", prose(&report.scope, 400), prose_of_drawn(&policy(&report.policy))));
    for note in report.notes.iter().take(MAX_ROWS) {
        page.put(&format!("\n> {}\n", prose(note, 1000)));
    }
}

fn findings(report: &Report, page: &mut Page) {
    if report.findings.is_empty() {
        return;
    }
    page.put("\n### Findings\n");
    let rows = report.findings.iter().map(|finding| {
        let place = finding.spots.first().map_or_else(String::new, |spot| code_span_of_drawn(&at(spot), true));
        let more = if finding.total > 1 { format!(" and {} more", grouped(finding.total - 1)) } else { String::new() };
        format!(
            "| {} | `{}` | {place}{more} | {} |\n",
            sign(finding.severity),
            finding.rule.id,
            prose(&finding.message, 500)
        )
    });
    page.table("| | Rule | Where | What |", rows, "more finding");
    for finding in report.findings.iter().take(MAX_DETAILS) {
        let text = details(finding, report.redacted);
        if !page.put(&text) {
            break;
        }
    }
}

/// Places, help and the way to accept a finding, folded.
fn details(finding: &Located, redacted: bool) -> String {
    let mut out = format!("\n<details><summary>{}: places and help</summary>\n\n", finding.rule.id);
    for spot in finding.spots.iter().take(10) {
        out.push_str(&format!("- {}{}\n", code_span_of_drawn(&at(spot), false), seen(spot)));
    }
    if let Some(more @ 1..) = finding.total.checked_sub(finding.spots.len().min(10) as u64) {
        out.push_str(&format!("- and {}\n", count(more, "more place")));
    }
    if !finding.help.is_empty() {
        out.push_str(&format!("\n{}\n", prose(&finding.help, 1000)));
    }
    if !redacted {
        let accept = format!("foretaste accept {} --reason \"…\"", finding.fingerprint);
        out.push_str(&format!("\nTo accept it: `{accept}`\n"));
    }
    out.push_str("\n</details>\n");
    out
}

fn seen(spot: &Spot) -> String {
    let mut out = String::new();
    if let Some(label) = label(spot) {
        out.push_str(&format!(" {}", prose_of_drawn(&label)));
    }
    if let Some(excerpt) = spot.excerpt.as_ref().filter(|excerpt| !excerpt.text.is_empty()) {
        out.push_str(&format!(" {}", code_span_of_drawn(&excerpt.text, false)));
    }
    out
}

fn changes(report: &Report, page: &mut Page) {
    let changed = &report.changed;
    let sets = &changed.summary.sets;
    if !sets.is_empty() {
        page.put("\n### What changed in the data\n");
        let rows = sets.iter().map(|set| {
            let numbers = [set.added, set.removed, set.changed, set.moved].map(grouped).join(" | ");
            format!("| {} | {numbers} |\n", code_span(&set.name, 200, true))
        });
        page.table("| Data | Rows added | Removed | Changed | Moved |", rows, "more data set");
    }
    let labels: Vec<String> = sets.iter().flat_map(transitions).collect();
    if !labels.is_empty() {
        page.put("\nLabels that changed:\n");
        page.table("| Data | From | To | Kind | Rows |", labels.into_iter(), "more change");
    }
    let shares: Vec<String> = sets.iter().flat_map(classes).collect();
    if !shares.is_empty() {
        page.put("\nClasses that grew or shrank:\n");
        page.table("| Data | Class | Before | After |", shares.into_iter(), "more class");
    }
    let files = |name: &str, files: Vec<&String>, page: &mut Page| {
        if !files.is_empty() {
            page.put(&format!("\n{name}:\n\n"));
        }
        for file in files.iter().take(MAX_ROWS) {
            page.put(&format!("- {}\n", code_span(file, 300, false)));
        }
        if let Some(more @ 1..) = files.len().checked_sub(MAX_ROWS) {
            page.put(&format!("- and {}\n", count(more as u64, "more file")));
        }
    };
    let replaced = sets.iter().flat_map(|set| &set.replaced).collect();
    files("Replaced as a whole, so no label changes are told of them", replaced, page);
    files("Written differently, with the same records", sets.iter().flat_map(|set| &set.format_only).collect(), page);
    if !changed.sources.is_empty() {
        page.put("\nSources that the change names:\n\n");
        for source in changed.sources.iter().take(MAX_ROWS) {
            page.put(&format!("- {}\n", code_span(source, 300, false)));
        }
        if let Some(more @ 1..) = changed.sources.len().checked_sub(MAX_ROWS) {
            page.put(&format!("- and {}\n", count(more as u64, "more source")));
        }
    }
}

fn transitions(set: &SetSummary) -> impl Iterator<Item = String> {
    set.transitions.iter().map(|change| {
        let near = if change.near > 0 { format!(", {} of them edited", grouped(change.near)) } else { String::new() };
        format!(
            "| {} | {} | {} | {} | {}{near} |\n",
            code_span(&set.name, 200, true),
            class(&change.from),
            class(&change.to),
            change.kind.as_str(),
            grouped(change.all()),
        )
    })
}

/// Classes whose size changed, the largest change first.
fn classes(set: &SetSummary) -> impl Iterator<Item = String> {
    let mut classes: Vec<_> = set.classes.iter().filter(|class| class.before != class.after).collect();
    classes.sort_by_key(|class| std::cmp::Reverse(class.before.abs_diff(class.after)));
    classes.into_iter().map(|changed| {
        format!(
            "| {} | {} | {} | {} |\n",
            code_span(&set.name, 200, true),
            class(&changed.name),
            grouped(changed.before),
            grouped(changed.after),
        )
    })
}

fn class(name: &Option<String>) -> String {
    name.as_ref().map_or_else(|| "no label".to_owned(), |name| code_span(name, 80, true))
}

fn unread(report: &Report, page: &mut Page) {
    if report.unread.is_empty() {
        return;
    }
    page.put("\n### Not read\n");
    let rows = report
        .unread
        .iter()
        .map(|unread| format!("| {} | {} |\n", code_span(&unread.path, 300, true), prose(&unread.reason, 200)));
    page.table("| File | Why |", rows, "more file");
}

fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "❌ error",
        Severity::Warning => "⚠ warning",
        Severity::Note => "note",
    }
}
