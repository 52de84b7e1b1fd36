//! `foretaste.baseline`: what was there when a repository adopted foretaste. It may only shrink.
//!
//! One line a place, sorted by rule and path, so that merges are easy and a review sees which files an entry is
//! about:
//!
//! ```text
//! # foretaste baseline, version 1
//! # invisible-unicode: 3 places
//! invisible-unicode 0f343b0931126a20f133d67c2b018a3b 2 data/intents.jsonl
//! invisible-unicode 7c9e6679f3c1a4b2e8d5f60718293a4b 1 data/more.jsonl
//! ```
//!
//! The number counts places with the same content in the same file. The path is for people; what counts is the
//! fingerprint, which covers rule, path, cause and content, so that a row that moves is known again and a new one is
//! not. A path of `*` stands for places of a cause that were too many to be listed; there the fingerprint is the
//! finding's.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use bstr::{BString, ByteSlice};

use crate::finding::Finding;
use crate::policy::PolicyError;
use crate::span::{BlobId, Span};

const HEADER: &str = "# foretaste baseline, version 1";
/// Stands in place of a path for places that were too many to be listed.
const REST: &str = "*";

/// Accepted places.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Baseline {
    /// By rule and fingerprint.
    entries: BTreeMap<(String, String), Accepted>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Accepted {
    count: u64,
    /// As it is written, escaped.
    path: String,
    span: Span,
}

/// An entry that a change added or raised.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Grown {
    pub(crate) rule: String,
    /// As it is written.
    pub(crate) path: String,
    pub(crate) added: u64,
    /// Where, in the new file.
    pub(crate) span: Span,
}

impl Baseline {
    /// Reads a baseline. `file` is how it is called in what is said of it.
    ///
    /// # Errors
    /// Where a line is not one that `foretaste baseline` writes.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Baseline, PolicyError> {
        let shared: Arc<str> = text.into();
        let mut entries = BTreeMap::new();
        let mut start = 0;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let bare = line.strip_suffix('\n').unwrap_or(line);
            let bare = bare.strip_suffix('\r').unwrap_or(bare);
            let span = Span::new(start, start + bare.len() as u64);
            start += line.len() as u64;
            let error = |message: &str, help: &str| PolicyError {
                message: message.to_owned(),
                help: Some(help.to_owned()),
                file: file.to_owned(),
                text: Arc::clone(&shared),
                span: Some(span),
            };
            if number == 0 {
                if bare != HEADER {
                    return Err(error(
                        "this is no baseline that can be read",
                        &format!("its first line is `{HEADER}`"),
                    ));
                }
                continue;
            }
            if bare.is_empty() || bare.starts_with('#') {
                continue;
            }
            if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|mark| bare.starts_with(mark)) {
                return Err(error("a merge was not finished here", "keep the lines that stand on both sides"));
            }
            let Some((key, accepted)) = entry(bare, span) else {
                return Err(error(
                    "this line is no entry of a baseline",
                    "an entry is a rule, 32 hexadecimal digits, a number and a path",
                ));
            };
            if entries.insert(key, accepted).is_some() {
                return Err(error("this entry is written twice", "delete one of the two lines"));
            }
        }
        if start == 0 {
            return Err(PolicyError {
                message: "the baseline is empty".to_owned(),
                help: Some("write it with `foretaste baseline`, or delete it".to_owned()),
                file: file.to_owned(),
                text: shared,
                span: None,
            });
        }
        Ok(Baseline { entries })
    }

    /// The baseline that accepts exactly these findings.
    pub(crate) fn from_findings(findings: &[Finding], path_of: &dyn Fn(BlobId) -> BString) -> Baseline {
        let mut entries: BTreeMap<(String, String), Accepted> = BTreeMap::new();
        for finding in findings {
            for mark in &finding.marks {
                let path = path_of(mark.place.blob);
                let key = (finding.rule.id.to_owned(), finding.place_fingerprint(&path, mark));
                let accepted = entries.entry(key).or_default();
                accepted.count += 1;
                accepted.path = escape(&path);
            }
            let rest = unlisted(finding);
            if rest > 0 {
                let key = (finding.rule.id.to_owned(), finding.fingerprint());
                let accepted = entries.entry(key).or_default();
                accepted.count += rest;
                accepted.path = REST.to_owned();
            }
        }
        Baseline { entries }
    }

    /// The same entries with no more places than `count` gives for a rule and a fingerprint; those without any are gone.
    pub(crate) fn with_counts(&self, count: impl Fn(&str, &str) -> u64) -> Baseline {
        let entries = self.entries.iter().filter_map(|(key, old)| {
            let count = old.count.min(count(&key.0, &key.1));
            (count > 0).then(|| (key.clone(), Accepted { count, ..old.clone() }))
        });
        Baseline { entries: entries.collect() }
    }

    /// Places that are accepted, by rule.
    pub(crate) fn counts(&self) -> BTreeMap<&str, u64> {
        let mut counts = BTreeMap::new();
        for ((rule, _), accepted) in &self.entries {
            *counts.entry(rule.as_str()).or_default() += accepted.count;
        }
        counts
    }

    /// Whether nothing is accepted.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What `after` accepts and this baseline does not.
    pub(crate) fn grown(&self, after: &Baseline) -> Vec<Grown> {
        let grown = after.entries.iter().filter_map(|(key, new)| {
            let old = self.entries.get(key).map_or(0, |old| old.count);
            let added = new.count.saturating_sub(old);
            let (rule, path) = (key.0.clone(), new.path.clone());
            (added > 0).then_some(Grown { rule, path, added, span: new.span })
        });
        let mut grown: Vec<Grown> = grown.collect();
        grown.sort_by(|a, b| (&a.rule, a.span, &a.path).cmp(&(&b.rule, b.span, &b.path)));
        grown
    }

    /// How many places of a rule are accepted under a fingerprint, with rule and fingerprint as they are written here.
    pub(super) fn entry(&self, rule: &str, fingerprint: &str) -> Option<(&str, &str, u64)> {
        let found = self.entries.get_key_value(&(rule.to_owned(), fingerprint.to_owned()));
        found.map(|((rule, print), accepted)| (rule.as_str(), print.as_str(), accepted.count))
    }

    /// Every fingerprint of the baseline, with its rule and count.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.entries.iter().map(|((rule, print), accepted)| (rule.as_str(), print.as_str(), accepted.count))
    }
}

impl std::fmt::Display for Baseline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{HEADER}")?;
        let mut lines: Vec<_> = self
            .entries
            .iter()
            .map(|((rule, print), accepted)| (rule.as_str(), accepted.path.as_str(), print.as_str(), accepted.count))
            .collect();
        lines.sort_unstable();
        let counts = self.counts();
        let mut last = "";
        for (rule, path, print, count) in lines {
            if rule != last {
                let places = counts.get(rule).copied().unwrap_or(0);
                writeln!(f, "# {rule}: {places} {}", if places == 1 { "place" } else { "places" })?;
                last = rule;
            }
            writeln!(f, "{rule} {print} {count} {path}")?;
        }
        Ok(())
    }
}

/// Places of a finding that it counts and does not list. One without any place counts as one.
pub(super) fn unlisted(finding: &Finding) -> u64 {
    let listed = finding.marks.len() as u64;
    if listed == 0 { finding.total.max(1) } else { finding.total.saturating_sub(listed) }
}

fn entry(line: &str, span: Span) -> Option<((String, String), Accepted)> {
    let mut parts = line.splitn(4, ' ');
    let (rule, print, count, path) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let rule_ok = !rule.is_empty() && rule.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let print_ok = print.len() == 32 && print.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let count: u64 = count.parse().ok().filter(|n| *n > 0 && !count.starts_with(['+', '0']))?;
    (rule_ok && print_ok && !path.is_empty())
        .then(|| ((rule.to_owned(), print.to_owned()), Accepted { count, path: path.to_owned(), span }))
}

/// One line of text for any path: letters and digits of any script, and signs of ASCII. The rest is `\xHH`.
fn escape(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for (start, end, c) in path.char_indices() {
        if c == '\u{fffd}' || c == '\\' || !(c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric()) {
            for byte in &path[start..end] {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\x{byte:02x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_baseline() -> impl Strategy<Value = Baseline> {
        let entry = ("[a-c]{1,3}(-[a-c]{1,2})?", "[0-3]{2}", 1u64..5, prop::collection::vec(any::<u8>(), 1..12));
        prop::collection::vec(entry, 0..12).prop_map(|list| Baseline {
            entries: list
                .into_iter()
                .map(|(rule, print, count, path)| {
                    ((rule, print.repeat(16)), Accepted { count, path: escape(&path), span: Span::default() })
                })
                .collect(),
        })
    }

    fn bare(baseline: &Baseline) -> Vec<(&str, &str, u64)> {
        baseline.iter().collect()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(baseline in any_baseline()) {
            let text = baseline.to_string();
            let again = Baseline::parse("foretaste.baseline", &text).unwrap();
            prop_assert_eq!(bare(&again), bare(&baseline));
            prop_assert_eq!(again.to_string(), text);
        }

        #[test]
        fn shrinking_never_accepts_more(old in any_baseline(), now in any_baseline()) {
            let count = |of: &Baseline, rule: &str, print: &str| of.entry(rule, print).map_or(0, |(.., count)| count);
            let shrunk = old.with_counts(|rule, print| count(&now, rule, print));
            prop_assert!(old.grown(&shrunk).is_empty());
            prop_assert!(now.grown(&shrunk).is_empty());
            prop_assert_eq!(&shrunk.with_counts(|rule, print| count(&now, rule, print)), &shrunk);
            let same = old.with_counts(|rule, print| count(&old, rule, print));
            prop_assert_eq!(bare(&same), bare(&old));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "(# foretaste baseline, version 1\n)?[ -~\n\r\u{80}-\u{ffff}]{0,80}") {
            if let Err(error) = Baseline::parse("x", &text) {
                prop_assert!(error.span.is_none_or(|span| span.end <= text.len() as u64));
            }
        }
    }

    #[test]
    fn a_faulty_line_is_shown_where_it_stands() {
        let print = "0123456789abcdef0123456789abcdef";
        for (line, message) in [
            (format!("a {print} 1"), "this line is no entry of a baseline"),
            (format!("a {print} 0 x"), "this line is no entry of a baseline"),
            (format!("a {print} +1 x"), "this line is no entry of a baseline"),
            (format!("A {print} 1 x"), "this line is no entry of a baseline"),
            (format!("a {} 1 x", &print[1..]), "this line is no entry of a baseline"),
            (format!("a {print} 1 y"), "this entry is written twice"),
            ("<<<<<<< HEAD".to_owned(), "a merge was not finished here"),
        ] {
            let text = format!("{HEADER}\r\n# a: 1 place\na {print} 1 x\n{line}\n");
            let error = Baseline::parse("foretaste.baseline", &text).unwrap_err();
            assert_eq!(error.message, message);
            assert_eq!(error.span.unwrap().of(text.as_bytes()), line.as_bytes());
        }
        assert_eq!(Baseline::parse("x", "").unwrap_err().message, "the baseline is empty");
        assert_eq!(Baseline::parse("x", "# other\n").unwrap_err().message, "this is no baseline that can be read");
    }

    #[test]
    fn paths_keep_to_one_line_whatever_their_bytes() {
        assert_eq!(escape(b"data/a b.csv"), "data/a b.csv");
        assert_eq!(escape("daten/größe.csv".as_bytes()), "daten/größe.csv");
        assert_eq!(escape(b"a\n\xff\\"), "a\\x0a\\xff\\x5c");
        assert_eq!(escape("a\u{202e}b".as_bytes()), "a\\xe2\\x80\\xaeb");
    }
}
