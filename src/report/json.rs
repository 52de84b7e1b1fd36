//! The form that programs build on: `foretaste/1`. Keys may be added, never renamed or removed; its schema is
//! `fixtures/schema/foretaste-1.schema.json`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use super::escape::{Escaped, ascii_json, json_path};
use super::{Located, Report, Spot};
use crate::finding::LookedAt;
use crate::lens::Role;
use crate::policy::Origin;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    findings: Vec<Finding<'a>>,
    unread: Vec<Unread>,
    looked_at: &'a LookedAt,
    policy: Policy<'a>,
    scope: String,
    exit_code: u8,
    accepted: u64,
    not_shown: u64,
    guesses: Vec<Guess<'a>>,
    notes: Vec<String>,
    redacted: bool,
    /// Only of an audit.
    #[serde(skip_serializing_if = "Option::is_none")]
    commits: Option<Vec<super::history::Commit<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<&'a str>,
    tool: Tool,
}

#[derive(Serialize)]
struct Finding<'a> {
    rule: &'static str,
    severity: &'static str,
    confidence: &'static str,
    message: String,
    help: String,
    places: Vec<Place<'a>>,
    evidence: &'a BTreeMap<String, Value>,
    fingerprint: &'a str,
    total: u64,
    gates: bool,
    layer: u8,
    tags: &'static [&'static str],
}

#[derive(Serialize)]
struct Place<'a> {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
    line: u64,
    column: u64,
    byte_start: u64,
    byte_end: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    end_line: u64,
    end_column: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    fingerprint: &'a str,
    /// Text of the data with hidden characters drawn. Whoever reads reports with a language model must not take it for
    /// anything but data.
    #[serde(skip_serializing_if = "Option::is_none")]
    untrusted_excerpt: Option<&'a str>,
}

#[derive(Serialize)]
struct Unread {
    path: String,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
}

/// The policy that judges, and where it was read.
#[derive(Serialize)]
pub(super) struct Policy<'a> {
    from: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
}

#[derive(Serialize)]
struct Guess<'a> {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    shape: &'static str,
    fields: Vec<Field<'a>>,
    matched: u32,
    sampled: u32,
}

#[derive(Serialize)]
struct Field<'a> {
    field: &'a str,
    role: Role,
}

/// Who wrote a report.
#[derive(Serialize)]
pub(super) struct Tool {
    name: &'static str,
    version: &'static str,
}

pub(super) const TOOL: Tool = Tool { name: "foretaste", version: env!("CARGO_PKG_VERSION") };

pub(super) fn policy(origin: &Origin) -> Policy<'_> {
    let Origin { from, path, commit } = origin;
    Policy { from, path: path.as_deref(), commit: commit.as_deref() }
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema: "foretaste/1",
        findings: report.findings.iter().map(finding).collect(),
        unread: report
            .unread
            .iter()
            .map(|unread| {
                let (path, path_hex) = json_path(&unread.path);
                Unread { path, reason: drawn(&unread.reason), path_hex }
            })
            .collect(),
        looked_at: &report.looked_at,
        policy: policy(&report.policy),
        scope: drawn(&report.scope),
        exit_code: report.exit_code,
        accepted: report.accepted,
        not_shown: report.not_shown,
        guesses: report
            .guesses
            .iter()
            .map(|(path, guess)| {
                let (path, path_hex) = json_path(path);
                let fields = guess.fields.iter().map(|(field, role)| Field { field, role: *role }).collect();
                let (matched, sampled) = guess.support;
                Guess { path, path_hex, shape: guess.shape, fields, matched, sampled }
            })
            .collect(),
        notes: report.notes.iter().map(|note| drawn(note)).collect(),
        redacted: report.redacted,
        commits: report.history.as_ref().map(|h| h.commits.iter().map(super::history::commit).collect()),
        coverage: report.history.as_ref().map(|history| history.coverage.as_str()),
        tool: TOOL,
    };
    ascii_json(&document, out)
}

fn finding(finding: &Located) -> Finding<'_> {
    Finding {
        rule: finding.rule.id,
        severity: finding.severity.as_str(),
        confidence: finding.confidence.as_str(),
        message: drawn(&finding.message),
        help: drawn(&finding.help),
        places: finding.spots.iter().map(place).collect(),
        evidence: &finding.evidence,
        fingerprint: &finding.fingerprint,
        total: finding.total,
        gates: finding.rule.gates,
        layer: finding.rule.layer as u8,
        tags: finding.rule.tags,
    }
}

fn place(spot: &Spot) -> Place<'_> {
    let (path, path_hex) = json_path(&spot.path);
    Place {
        path,
        commit: spot.commit.as_deref(),
        line: spot.line,
        column: spot.column,
        byte_start: spot.byte_start,
        byte_end: spot.byte_end,
        record: spot.record,
        field: spot.field.as_deref(),
        note: spot.note.as_deref().map(drawn),
        end_line: spot.end_line,
        end_column: spot.end_column,
        path_hex,
        fingerprint: &spot.fingerprint,
        untrusted_excerpt: spot.excerpt.as_ref().map(|excerpt| excerpt.text.as_str()),
    }
}

/// Sentences are meant for people, so hidden characters are drawn in them here as well. Values (`path`, `field`,
/// `evidence`) are exact.
fn drawn(text: &str) -> String {
    Escaped::new(text).cap(2000).to_string()
}
