//! Outcomes made by hand over contents in memory, for the tests of all forms.

use bstr::{BString, ByteSlice};
use serde_json::json;

use super::locate::{Held, Material};
use super::{Changed, Format, Options, Report};
use crate::diff::{ClassSummary, Kind, SetSummary, Summary, Transition};
use crate::finding::{Finding, LookedAt, Mark, Unread, content_hash};
use crate::format::Guess;
use crate::lens::Role;
use crate::policy::Origin;
use crate::rule::{Confidence, Example, Layer, Manual, Rule, Severity};
use crate::span::{At, BlobId, Place, Span};

pub(super) static RULES: [Rule; 3] = [
    Rule {
        id: "invisible-unicode",
        revision: 1,
        severity: Severity::Error,
        confidence: Confidence::High,
        layer: Layer::Anomalies,
        gates: true,
        summary: "Characters that nobody sees",
        manual: Manual {
            what: "Finds characters that are not drawn.",
            why: "A model learns them as a trigger.",
            bad: &[Example { title: "a zero-width space", base: &[], files: &[("a.txt", "can\u{200B}cel `now`\n")] }],
            good: &[Example {
                title: "plain text",
                base: &[("a.txt", "cancel\n")],
                files: &[("a.txt", "cancel it\n")],
            }],
            fix: "Remove them.",
            misses: "What can be seen.",
        },
        tags: &["OWASP LLM04:2025", "MITRE ATLAS AML.T0020"],
    },
    Rule {
        id: "label-flip",
        revision: 1,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        layer: Layer::Anomalies,
        gates: true,
        summary: "Labels that were turned around",
        manual: Manual { what: "W", why: "Y", bad: &[], good: &[], fix: "F", misses: "M" },
        tags: &[],
    },
    Rule {
        id: "maintainer-risk",
        revision: 1,
        severity: Severity::Error,
        confidence: Confidence::Low,
        layer: Layer::Provenance,
        gates: false,
        summary: "People who behave oddly",
        manual: Manual { what: "W", why: "Y", bad: &[], good: &[], fix: "F", misses: "M" },
        tags: &[],
    },
];

/// An outcome with its contents.
pub(super) struct Sample {
    pub(super) files: Vec<(BString, Vec<u8>)>,
    pub(super) findings: Vec<Finding>,
    pub(super) unread: Vec<Unread>,
    pub(super) looked_at: LookedAt,
    pub(super) policy: Origin,
    pub(super) scope: String,
    pub(super) guesses: Vec<(BlobId, Guess)>,
    pub(super) notes: Vec<String>,
    pub(super) full_coverage: bool,
    pub(super) changed: Changed,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            findings: Vec::new(),
            unread: Vec::new(),
            looked_at: LookedAt::default(),
            policy: Origin { from: "builtin", path: None, commit: None },
            scope: "the work tree".into(),
            guesses: Vec::new(),
            notes: Vec::new(),
            full_coverage: false,
            changed: Changed::default(),
        }
    }
}

impl Sample {
    /// Two findings in two files, a guess, a note and something unread.
    pub(super) fn small() -> Self {
        let rows: Vec<String> = (1..=9)
            .map(|i| {
                let hidden = if i % 2 == 0 { "\u{200B}" } else { "" };
                format!("{{\"id\": {i}, \"text\": \"please can{hidden}cel order {i}\", \"label\": \"cancel\"}}\n")
            })
            .collect();
        let mut sample = Self {
            files: vec![
                ("data/train.jsonl".into(), rows.concat().into_bytes()),
                ("data/eval.parquet".into(), vec![0; 99]),
            ],
            looked_at: LookedAt { files: 2, bytes: 1_260_000, records: 3409, no_reader: 1, ..LookedAt::default() },
            policy: Origin { from: "base", path: Some("foretaste.yaml".into()), commit: Some("1a2b3c4d".repeat(5)) },
            scope: "main..topic, 2 commits".into(),
            unread: vec![Unread { path: "data/big.bin".into(), reason: "lfs object missing".into() }],
            notes: vec!["There is no lock yet, so digest-mismatch is off.".into()],
            ..Self::default()
        };
        sample.guesses.push((
            BlobId(0),
            Guess {
                shape: "classification table",
                fields: vec![("text".into(), Role::Text), ("label".into(), Role::Label)],
                support: (9, 9),
            },
        ));
        let class = |name: &str, before, after| ClassSummary {
            name: Some(name.into()),
            before,
            after,
            ..ClassSummary::default()
        };
        let set = SetSummary {
            name: "intents".into(),
            added: 1200,
            removed: 3,
            changed: 1,
            transitions: vec![Transition {
                from: Some("cancel".into()),
                to: Some("refund".into()),
                kind: Kind::Flip,
                count: 1,
                copies: 0,
                near: 2,
            }],
            classes: vec![class("cancel", 4000, 3999), class("greet", 70, 70), class("refund", 800, 1998)],
            replaced: vec!["data/old.csv".into()],
            scope: "dataset",
            ..SetSummary::default()
        };
        sample.changed =
            Changed { summary: Summary { sets: vec![set] }, sources: vec!["huggingface:rajpurkar/squad".into()] };
        let mut finding = Finding::new(&RULES[0], "U+200B", "4 records hold U+200B ZERO WIDTH SPACE inside of a word");
        finding.help = "Remove the character, or accept it where the writing system needs it.".into();
        finding.marks = sample.spans(0, "\u{200B}").into_iter().enumerate().map(|(i, m)| sample.mark(m, i)).collect();
        finding.total = 104;
        finding.evidence.insert("code_points", json!(["U+200B"]));
        finding.evidence.insert("decoded", json!("p\u{200B}wn"));
        sample.findings.push(finding);
        let mut finding = Finding::new(&RULES[1], "cancel>refund", "\"cancel\" became \"refund\" in 1 record");
        finding.marks = vec![Mark {
            record: Some(4097),
            field: Some("label".into()),
            content: 7,
            ..Mark::at(Place { blob: BlobId(1), at: At::Cell { row: 4096, column: 2 } }).with_note("was \"cancel\"")
        }];
        finding.total = 1;
        sample.findings.push(finding);
        sample
    }

    fn mark(&self, span: Span, i: usize) -> Mark {
        Mark {
            record: Some(2 * (i as u64 + 1)),
            field: Some("text".into()),
            content: content_hash(span.of(&self.files[0].1)),
            ..Mark::bytes(BlobId(0), span).with_note("U+200B between two letters")
        }
    }

    /// Where `needle` stands in a file.
    pub(super) fn spans(&self, file: usize, needle: &str) -> Vec<Span> {
        let found = self.files[file].1.find_iter(needle);
        found.map(|at| Span::new(at as u64, (at + needle.len()) as u64)).collect()
    }

    pub(super) fn report(&self, options: &Options) -> Report {
        let material = Material {
            findings: &self.findings,
            unread: &self.unread,
            looked_at: &self.looked_at,
            policy: &self.policy,
            scope: &self.scope,
            path: &|id| self.files.get(id.0 as usize).map(|(path, _)| path.as_ref()),
            bytes: &|id| self.files.get(id.0 as usize).map(|(_, bytes)| Box::new(bytes.as_slice()) as Held<'_>),
            feeds: &|_| &[],
            guesses: &self.guesses,
            notes: &self.notes,
            accepted: 0,
            not_shown: 0,
            full_coverage: self.full_coverage,
            audit: None,
            changed: self.changed.clone(),
        };
        Report::of(&material, options)
    }

    pub(super) fn written(&self, format: Format, options: &Options) -> String {
        let mut out = Vec::new();
        self.report(options).write(format, options, &mut out).expect("writing to memory");
        String::from_utf8(out).expect("reports are UTF-8")
    }
}
