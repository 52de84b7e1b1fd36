//! What a rule is: static data that everything else iterates.
//!
//! `explain`, the table of rules, SARIF's rule metadata, the schema of the policy and the tests of the examples are all
//! derived from these statics; nothing about a rule is written twice.

pub(crate) mod frameworks;

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; never fails a run by default.
    Note,
    /// Somebody should look.
    Warning,
    /// Fails the run by default.
    Error,
}

impl Severity {
    /// The word used in every report and in the policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// How sure a finding is.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Often honest.
    Low,
    /// More often right than wrong.
    Medium,
    /// Wrong only by accident.
    High,
}

impl Confidence {
    /// The word used in every report.
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// Which of the eight layers of defence a rule belongs to.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum Layer {
    /// 1: where data comes from, and the inventory of it.
    Provenance = 1,
    /// 2: sources that are allowed.
    Sources = 2,
    /// 3: hashes and signatures.
    Integrity = 3,
    /// 4: anomalies in the data itself.
    Anomalies = 4,
    /// 7: firms that deliver data.
    Vendors = 7,
}

/// Static description of one rule.
#[derive(Debug)]
pub struct Rule {
    /// Named after the evil it finds, in kebab case: what an exception would allow.
    pub id: &'static str,
    /// Grows when the rule begins to judge differently, so that cached results of the old one are dropped.
    pub revision: u32,
    /// Severity unless a finding or the policy says otherwise.
    pub severity: Severity,
    /// Confidence unless a finding says otherwise.
    pub confidence: Confidence,
    /// The layer of defence.
    pub layer: Layer,
    /// Whether its findings may decide the exit code. Rules about people and metadata never do (law 8).
    pub gates: bool,
    /// One sentence, without a full stop.
    pub summary: &'static str,
    /// The manual.
    pub manual: Manual,
    /// Identifiers in public frameworks (OWASP, MITRE ATLAS, NIST AI 100-2, CISA).
    pub tags: &'static [&'static str],
}

/// The manual of a rule. Its examples are run by a test.
#[derive(Debug)]
pub struct Manual {
    /// What it does.
    pub what: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// Examples that it finds.
    pub bad: &'static [Example],
    /// Examples that it stays silent on.
    pub good: &'static [Example],
    /// What to do about a finding.
    pub fix: &'static str,
    /// What it misses (law 9).
    pub misses: &'static str,
}

/// A small repository that a rule is run on.
///
/// With an empty `base` the files are judged as one revision; otherwise `base` is committed first, then `files` replace
/// or add to it, and the range between the two is judged.
#[derive(Debug)]
pub struct Example {
    /// What it shows, as half a sentence.
    pub title: &'static str,
    /// Paths and contents before the change.
    pub base: &'static [(&'static str, &'static str)],
    /// Paths and contents that are judged.
    pub files: &'static [(&'static str, &'static str)],
}
