//! Workflow commands: annotations in a GitHub Actions log.
//!
//! A step shows ten errors, ten warnings and ten notices, and drops the rest without a word. So at most that many are
//! written, worst first, and the last of a kind says how many more there are.

use std::io::{self, Write};

use super::escape::{Escaped, command_data, command_property};
use super::human::{at, label, last_line};
use super::words::grouped;
use super::{Located, Report};
use crate::rule::Severity;

/// Annotations of one kind that a step shows.
const MAX_ANNOTATIONS: usize = 10;
/// Code points of a message; runners cut at 4,096 characters.
const MAX_MESSAGE: usize = 1000;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let findings: Vec<&Located> = report.findings.iter().filter(|finding| finding.severity == severity).collect();
        // What could not be read is a warning of the run's own.
        let unread = if severity == Severity::Warning { report.unread.len() } else { 0 };
        let slots = MAX_ANNOTATIONS - usize::from(unread > 0);
        for (i, finding) in findings.iter().take(slots).enumerate() {
            let more = if i + 1 == slots { findings.len() - slots } else { 0 };
            annotation(finding, more, out)?;
        }
        if unread > 0 {
            let first = &report.unread[0];
            let message = format!(
                "Not read: {} ({}){}",
                Escaped::new(&first.path),
                Escaped::new(&first.reason),
                if unread > 1 { format!(", and {} more", grouped(unread as u64 - 1)) } else { String::new() },
            );
            writeln!(out, "::warning title={}::{}", command_property("foretaste: not read"), command_data(&message))?;
        }
    }
    writeln!(out, "foretaste: {}", last_line(report))
}

fn annotation(finding: &Located, more: usize, out: &mut dyn Write) -> io::Result<()> {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(spot) = finding.spots.first() {
        // GitHub finds the file by its exact name. One that cannot be written into a line is named in the message.
        let path = Escaped::new(&spot.path).cap(4096).to_string();
        if path.as_bytes() == spot.path.as_slice() {
            properties.push(format!("file={}", command_property(&path)));
            properties.push(format!("line={}", spot.line));
            // Columns across lines are not allowed, and the last column is part of the annotation.
            if spot.has_lines && spot.end_line == spot.line {
                properties.push(format!("col={}", spot.column));
                properties.push(format!("endColumn={}", spot.end_column.saturating_sub(1).max(spot.column)));
            } else if spot.has_lines {
                properties.push(format!("endLine={}", spot.end_line));
            }
        }
    }
    properties.push(format!("title={}", command_property(&format!("foretaste: {}", finding.rule.id))));
    let mut message = Escaped::new(&finding.message).cap(MAX_MESSAGE).to_string();
    if let Some(spot) = finding.spots.first() {
        message.push_str(&format!("\n{}", at(spot)));
        if let Some(label) = label(spot) {
            message.push_str(&format!(" {label}"));
        }
        if finding.total > 1 {
            message.push_str(&format!(" and {} more", grouped(finding.total - 1)));
        }
    }
    if !finding.help.is_empty() {
        message.push_str(&format!("\n{}", Escaped::new(&finding.help).cap(MAX_MESSAGE)));
    }
    if more > 0 {
        message.push_str(&format!("\n{} more of this severity; the step summary lists them.", grouped(more as u64)));
    }
    writeln!(out, "::{command} {}::{}", properties.join(","), command_data(&message))
}
