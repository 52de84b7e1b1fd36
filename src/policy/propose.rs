//! Writes a proposed exception into a policy that people wrote, without touching anything else in it.
//!
//! A serializer would lose comments, order and quoting, so this is an edit of the text at places that the spanned tree
//! knows. What comes out is read again, and must say the same as before and the exception besides.

use std::fmt::Write;
use std::sync::Arc;

use jiff::civil::Date;

use crate::policy::loosened::covers;
use crate::policy::node::{Entry, Node, Value};
use crate::policy::{Known, Policy, PolicyError};
use crate::span::Span;

/// The exception that somebody proposes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proposal {
    /// Id of the rule.
    pub(crate) rule: String,
    /// Fingerprints of places, or of a finding.
    pub(crate) fingerprints: Vec<String>,
    /// Globs of files; any file where it is empty.
    pub(crate) files: Vec<String>,
    /// Code points that are allowed.
    pub(crate) code_points: Vec<u32>,
    /// At most this many places.
    pub(crate) count: Option<u64>,
    /// Why.
    pub(crate) reason: String,
    /// Who answers for it.
    pub(crate) owner: String,
    /// Last day on which it counts.
    pub(crate) until: Date,
}

/// The text of the policy with the exception in it; a new policy where there is none yet.
///
/// # Errors
/// Where the policy cannot be used, the exception would be refused in it, or one that accepts as much is there.
pub(crate) fn propose(
    file: &str,
    text: Option<&str>,
    proposal: &Proposal,
    as_of: Date,
    known: &[Known],
) -> Result<String, PolicyError> {
    let line = line(proposal);
    let Some(text) = text else {
        let text = format!("version: 1\n\nexceptions:\n  - {line}\n");
        return Policy::parse(file, &text, as_of, known).map(|_| text);
    };
    let before = Policy::parse(file, text, as_of, known)?;
    // Read alone, so that what is wrong with the exception itself is said of it and not of the edited file.
    let alone = Policy::parse("the exception", &format!("version: 1\nexceptions:\n  - {line}\n"), as_of, known)?;
    let wanted = alone.exceptions.first().expect("it was written just now");
    let refuse = |message: String, help: &str, span: Option<Span>| PolicyError {
        message,
        help: Some(help.to_owned()),
        file: file.to_owned(),
        text: Arc::clone(&before.text),
        span,
    };
    if let Some(old) = before.exceptions.iter().find(|old| covers(old, wanted)) {
        return Err(if old.until >= wanted.until {
            refuse(
                "an exception that accepts this is there already".to_owned(),
                "nothing needs to be added",
                Some(old.span),
            )
        } else {
            let message = match old.until {
                Some(until) => format!("an exception that accepts this is there already, until {until}"),
                None => "an exception that accepts this is there already".to_owned(),
            };
            refuse(message, "write its new last day there", Some(old.span))
        });
    }
    let root = before.tree.as_deref().expect("a policy that was read has its tree");
    let candidates = edits(text, root, &line);
    for candidate in candidates {
        if let Ok(after) = Policy::parse(file, &candidate, as_of, known)
            && says_the_same(&before, &after)
            && after.exceptions.len() == before.exceptions.len() + 1
            && after.exceptions.iter().any(|new| covers(new, wanted) && covers(wanted, new))
        {
            return Ok(candidate);
        }
    }
    Err(refuse(
        "the exception cannot be written into this file without changing other parts of it".to_owned(),
        &format!("add it by hand under `exceptions`: - {line}"),
        before.place(&["exceptions"]),
    ))
}

/// The exception on one line.
fn line(proposal: &Proposal) -> String {
    let mut out = format!("{{rule: {}", quoted(&proposal.rule));
    let mut list = |key: &str, values: &[String]| {
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        match values.as_slice() {
            [] => {}
            // Writing to a String cannot fail.
            [one] => drop(write!(out, ", {key}: {one}")),
            more => drop(write!(out, ", {key}: [{}]", more.join(", "))),
        }
    };
    list("files", &proposal.files);
    list("fingerprint", &proposal.fingerprints);
    if !proposal.code_points.is_empty() {
        let points: Vec<String> = proposal.code_points.iter().map(|n| format!("{n:04X}")).collect();
        let _ = write!(out, ", code_points: [{}]", points.join(", "));
    }
    if let Some(count) = proposal.count {
        let _ = write!(out, ", count: {count}");
    }
    let (reason, owner) = (quoted(&proposal.reason), quoted(&proposal.owner));
    let _ = write!(out, ", reason: {reason}, owner: {owner}, until: {}}}", proposal.until);
    out
}

/// A text in quotes, so that no word of it can be taken for anything else; a simple name as it is.
pub(super) fn quoted(text: &str) -> String {
    let name = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.contains('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if name {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            c if u32::from(c) <= 0xffff => drop(write!(out, "\\u{:04X}", u32::from(c))),
            c => drop(write!(out, "\\U{:08X}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// The ways to write the line into the text, best first.
fn edits(text: &str, root: &Node, line: &str) -> Vec<String> {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let flow_root = matches!(root.value, Value::Map { flow: true, .. });
    match root.get("exceptions") {
        Some(Entry { node, at, .. }) => match &node.value {
            Value::List { items, flow: false } if !items.is_empty() => {
                let last = items.last().map_or(node.span.end, |item| item.span.end);
                let dash = before_dash(text, items[0].span.start);
                vec![insert_line(text, last, &format!("{dash}- {line}"), newline)]
            }
            Value::List { items, .. } => vec![append_in_brackets(text, node.span.end, items.is_empty(), line)],
            _ if node.span.is_empty() && !flow_root => {
                let indent = indent_of(text, at.start);
                vec![insert_line(text, at.end, &format!("{indent}  - {line}"), newline)]
            }
            _ if node.span.is_empty() => vec![splice(text, at.end, at.end, &format!(": [{line}]"))],
            _ => vec![splice(text, node.span.start, node.span.end, &format!("[{line}]"))],
        },
        None if flow_root => {
            let comma = if root.entries().is_empty() { "" } else { ", " };
            let close = root.span.end.saturating_sub(1);
            vec![splice(text, close, close, &format!("{comma}exceptions: [{line}]"))]
        }
        None => {
            let indent = indent_of(text, root.span.start);
            let block = format!("{indent}exceptions:{newline}{indent}  - {line}");
            let gap = if text.ends_with('\n') { newline.to_owned() } else { format!("{newline}{newline}") };
            // At the very end; or, where the document ends before the file does, behind its last line.
            vec![format!("{text}{gap}{block}{newline}"), insert_line(text, root.span.end, &block, newline)]
        }
    }
}

fn splice(text: &str, start: u64, end: u64, middle: &str) -> String {
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or("");
    format!("{}{middle}{}", part(0..start as usize), part(end as usize..text.len()))
}

/// Puts a line behind the line in which the byte before `after` stands.
fn insert_line(text: &str, after: u64, line: &str, newline: &str) -> String {
    let rest = text.get(after as usize..).unwrap_or("");
    match rest.find('\n') {
        Some(end) => {
            let at = after + end as u64 + 1;
            splice(text, at, at, &format!("{line}{newline}"))
        }
        None => format!("{text}{newline}{line}{newline}"),
    }
}

fn append_in_brackets(text: &str, end: u64, empty: bool, line: &str) -> String {
    let close = end.saturating_sub(1);
    let before = text.get(..close as usize).unwrap_or("").trim_end();
    let comma = if empty || before.ends_with(',') { "" } else { ", " };
    splice(text, close, close, &format!("{comma}{line}"))
}

/// What stands on a line before a place.
fn before(text: &str, at: u64) -> &str {
    let head = text.get(..at as usize).unwrap_or("");
    &head[head.rfind('\n').map_or(0, |n| n + 1)..]
}

/// The white space at the beginning of the line of a key.
fn indent_of(text: &str, at: u64) -> &str {
    let start = before(text, at).trim_start_matches('\u{feff}');
    &start[..start.len() - start.trim_start().len()]
}

/// The white space before the dash of a list's first item.
fn before_dash(text: &str, item: u64) -> &str {
    let start = before(text, item);
    start.split_once('-').map_or("", |(indent, _)| indent)
}

/// Whether two policies say the same, their exceptions apart.
fn says_the_same(a: &Policy, b: &Policy) -> bool {
    let (Some(a), Some(b)) = (&a.tree, &b.tree) else { return false };
    let others =
        |node: &Node| -> Vec<Entry> { node.entries().iter().filter(|e| e.key != "exceptions").cloned().collect() };
    let old_items = |node: &Node| node.get("exceptions").map(|e| e.node.items().to_vec()).unwrap_or_default();
    let (old, new) = (old_items(a), old_items(b));
    same_entries(&others(a), &others(b)) && new.len() == old.len() + 1 && old.iter().zip(&new).all(|(a, b)| same(a, b))
}

fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::List { items: a, .. }, Value::List { items: b, .. }) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Map { entries: a, .. }, Value::Map { entries: b, .. }) => same_entries(a, b),
        (a, b) => a == b,
    }
}

fn same_entries(a: &[Entry], b: &[Entry]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.key == b.key && same(&a.node, &b.node))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::tests::{day, known, parse, part_of_the_example};

    fn proposal() -> Proposal {
        Proposal {
            rule: "label-flip".into(),
            fingerprints: vec!["0123456789abcdef0123456789abcdef".into()],
            reason: "checked with the annotators: \"intent\" was wrong".into(),
            owner: "data-team@example.org".into(),
            until: jiff::civil::date(2027, 5, 1),
            ..Proposal::default()
        }
    }

    const LINE: &str = "{rule: label-flip, fingerprint: \"0123456789abcdef0123456789abcdef\", reason: \"checked with the \
                        annotators: \\\"intent\\\" was wrong\", owner: \"data-team@example.org\", until: 2027-05-01}";

    fn write(text: &str) -> Result<String, PolicyError> {
        propose("foretaste.yaml", Some(text), &proposal(), day(), &known())
    }

    /// `@` stands for the new item in the expected text, and for nothing in the given one.
    fn becomes(expected: &str) {
        let before =
            expected.lines().filter(|line| line.trim() != "- @").map(|line| format!("{line}\n")).collect::<String>();
        let before = before.replace(", @", "").replace('@', "");
        assert_eq!(write(&before).unwrap(), expected.replace('@', LINE), "from {before}");
    }

    const OTHER: &str = "{rule: label-flip, count: 1, reason: r, owner: o, until: 2027-01-01}";

    #[test]
    fn it_goes_where_exceptions_are_and_looks_as_they_do() {
        becomes(&format!("version: 1\nexceptions:\n  - {OTHER} # why\n  - @\n# after\nrules: {{}}\n"));
        becomes(&format!("version: 1\nexceptions:\n- {OTHER}\n- @\nrules: {{}}\n"));
        becomes(
            "version: 1\nexceptions:\n  - rule: label-flip\n    count: 1\n    reason: >-\n      several\n      lines\n    owner: o\n    until: 2027-01-01\n  - @\n\nrules: {}\n",
        );
        becomes(&format!("version: 1\nexceptions: [{OTHER}, @]\n"));
        becomes("version: 1\nexceptions: [@]\nrules: {}\n");
        becomes("version: 1\nexceptions: # none yet\n  - @\nrules: {}\n");
        becomes(&format!("{{version: 1, exceptions: [{OTHER}, @], rules: {{}}}}\n"));
    }

    #[test]
    fn without_any_the_block_is_made() {
        assert_eq!(write("version: 1\n# end\n").unwrap(), format!("version: 1\n# end\n\nexceptions:\n  - {LINE}\n"));
        assert_eq!(write("version: 1").unwrap(), format!("version: 1\n\nexceptions:\n  - {LINE}\n"));
        assert_eq!(write("  version: 1\n").unwrap(), format!("  version: 1\n\n  exceptions:\n    - {LINE}\n"));
        assert_eq!(write("{version: 1}\n").unwrap(), format!("{{version: 1, exceptions: [{LINE}]}}\n"));
        assert_eq!(write("version: 1\n...\n").unwrap(), format!("version: 1\nexceptions:\n  - {LINE}\n...\n"));
        assert_eq!(write("version: 1\nexceptions: null\n").unwrap(), format!("version: 1\nexceptions: [{LINE}]\n"));
        let new = propose("foretaste.yaml", None, &proposal(), day(), &known()).unwrap();
        assert_eq!(new, format!("version: 1\n\nexceptions:\n  - {LINE}\n"));
    }

    #[test]
    fn line_ends_and_byte_order_marks_are_kept() {
        let text = "\u{feff}version: 1\r\nrules: {}\r\n";
        assert_eq!(write(text).unwrap(), format!("{text}\r\nexceptions:\r\n  - {LINE}\r\n"));
        let text = format!("version: 1\r\nexceptions:\r\n  - {OTHER}\r\nrules: {{}}\r\n");
        assert_eq!(write(&text).unwrap(), text.replace("\r\nrules", &format!("\r\n  - {LINE}\r\nrules")));
    }

    #[test]
    fn what_is_accepted_already_or_cannot_be_is_refused_with_its_place() {
        let text = write("version: 1\n").unwrap();
        let error = write(&text).unwrap_err();
        assert_eq!(error.message, "an exception that accepts this is there already");
        assert_eq!(error.span.unwrap().of(text.as_bytes()), LINE.as_bytes());
        let error = write(&text.replace("2027-05-01", "2026-05-01")).unwrap_err();
        assert_eq!(error.message, "an exception that accepts this is there already, until 2026-05-01");
        let mut wide = proposal();
        wide.fingerprints.clear();
        let error = propose("foretaste.yaml", Some("version: 1\n"), &wide, day(), &known()).unwrap_err();
        assert_eq!(error.message, "this would excuse everything that `label-flip` finds");
        assert_eq!(write("version: 1\nsorces: {}\n").unwrap_err().message, "unknown key `sorces`");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn every_other_byte_stays_and_the_text_is_read_as_it_was_meant(
            reason in "\\PC{1,30}|[ -~\u{a0}-\u{ff}\u{200b}-\u{202f}\u{1f600}]{1,20}|a\nb",
            text in part_of_the_example(),
            crlf in any::<bool>(),
        ) {
            let text = if crlf { text.replace('\n', "\r\n") } else { text };
            prop_assume!(!reason.trim().is_empty());
            let proposal = Proposal { reason: reason.clone(), ..proposal() };
            let after = propose("foretaste.yaml", Some(&text), &proposal, day(), &known()).unwrap();
            let policy = parse(&after).unwrap();
            prop_assert!(policy.exceptions.iter().any(|e| e.reason == reason && e.fingerprints == proposal.fingerprints));
            // The old text is what remains when one stretch is taken out.
            let added = after.len() - text.len();
            let same = after.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
            prop_assert_eq!(&after.as_bytes()[same + added..], &text.as_bytes()[same..]);
        }
    }
}
