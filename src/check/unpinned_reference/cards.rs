//! Croissant files whose hashes hold nothing.

use std::collections::BTreeMap;

use serde_json::json;

use super::RULES;
use crate::check::Merge;
use crate::finding::{Finding, Mark, content_hash, first_of_each_blob};
use crate::format::cards::{CardFile, Carded};
use crate::lens::Standing;
use crate::policy::lock::digest;
use crate::rule::Severity;
use crate::span::Span;

/// What a hash of a distribution may lack.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
enum Lack {
    /// It is no SHA-256.
    Bad,
    /// MD5 is all there is.
    Weak,
    /// The dataset changes all the time, and no file has a hash.
    Live,
}

/// Places of each lack.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<Lack, Vec<Mark>>);

impl Seen {
    pub(super) fn merge(&mut self, other: Self) {
        Merge::merge(&mut self.0, other.0);
    }
}

pub(super) fn observe(seen: &mut Seen, card: &Carded<'_>) {
    let blob = &card.blob;
    let mut take = |lack, span: Span, words: &str| {
        if blob.lens.standing != Standing::Test && blob.fresh.touches(span) {
            let mut mark = Mark::bytes(blob.id, blob.decoded.raw(span));
            mark.content = content_hash(words.as_bytes());
            seen.0.entry(lack).or_default().push(mark);
        }
    };
    let lacks = |file: &CardFile| file.sha256.is_none() && file.md5.is_none();
    for file in &card.card.files {
        match (&file.sha256, &file.md5) {
            (Some(said), _) if digest(&said.text.to_ascii_lowercase()).is_none() => {
                take(Lack::Bad, said.span, &said.text)
            }
            (None, Some(said)) => take(Lack::Weak, said.span, &said.text),
            _ => {}
        }
    }
    if let Some(live) = card.card.live.filter(|_| card.card.files.iter().any(lacks)) {
        take(Lack::Live, live, "live");
    }
}

pub(super) fn finish(seen: Seen, findings: &mut Vec<Finding>) {
    for (lack, mut marks) in seen.0 {
        let (id, message, help) = match lack {
            Lack::Bad => (
                "croissant-bad-digest",
                "a `sha256` of a Croissant file is no SHA-256, so that nothing can be compared with it",
                "write the 64 hexadecimal digits that `sha256sum` prints for the file",
            ),
            Lack::Weak => (
                "weak-hash",
                "a file of a Croissant distribution has only an MD5, which can be forged",
                "add the `sha256` of the file",
            ),
            Lack::Live => (
                "live-dataset-no-checksum",
                "a Croissant file calls its dataset live and gives no checksum, so that anything may come",
                "train on a snapshot of it: keep a copy and lock it with `foretaste lock`",
            ),
        };
        marks.sort();
        let mut finding = Finding::new(&RULES[0], id, message.to_owned());
        finding.severity = Severity::Warning;
        finding.help = help.to_owned();
        finding.evidence.insert("finding", json!(id));
        finding.total = marks.len() as u64;
        finding.marks = first_of_each_blob(marks);
        findings.push(finding);
    }
}
