//! Who is told: turns an outcome into what people and programs read.
//!
//! [`Report::new`] does what all forms share: it gives every place its line and column and the few ones that are shown a
//! drawn excerpt, and takes out what a public log must not show. The forms are rooms of their own and only write.

#[cfg(feature = "cli")]
mod blame;
#[cfg(feature = "cli")]
pub(crate) mod bom;
mod draw;
mod escape;
mod excerpt;
mod explain;
mod github;
mod history;
mod html;
mod human;
#[cfg(feature = "cli")]
pub(crate) mod inventory;
mod json;
mod lines;
mod locate;
mod markdown;
#[cfg(feature = "cli")]
pub(crate) mod patch;
mod redact;
#[cfg(test)]
mod sample;
mod sarif;
#[cfg(test)]
mod tests;
mod text;
mod words;

use std::io::{self, Write};
use std::str::FromStr;

use bstr::BString;
use serde_json::Value;

#[cfg(feature = "cli")]
pub(crate) use blame::{BLAME_SCHEMA, blame_exit_code, blame_json, blame_text};
pub(crate) use explain::{explain, rules_table};
pub(crate) use human::policy_error;
pub use redact::Redact;

use crate::diff::Summary;
use crate::engine::Outcome;
use crate::finding::{Finding, LookedAt, Unread, Versions};
use crate::format::Guess;
use crate::policy::Origin;
use crate::rule::{Confidence, Rule, Severity};
use excerpt::Excerpt;

/// JSON Schema of the JSON form (`foretaste schema report`).
pub(crate) const SCHEMA: &str = include_str!("../fixtures/schema/foretaste-1.schema.json");

/// Text from a repository, fit for a terminal.
pub(crate) fn escaped<T: AsRef<[u8]> + ?Sized>(text: &T) -> String {
    escape::Escaped::new(text).to_string()
}

/// The forms of a report.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum Format {
    /// For people, in a terminal or a log.
    #[default]
    Human,
    /// For programs: `foretaste/1`, with a published schema.
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// Annotations in a GitHub Actions log.
    Github,
    /// For the summary of a step, or a comment on a pull request.
    Markdown,
    /// For a browser: one page with nothing to load and nothing that runs.
    Html,
}

impl Format {
    /// Every form.
    pub const ALL: [Format; 6] =
        [Format::Human, Format::Json, Format::Sarif, Format::Github, Format::Markdown, Format::Html];

    /// The name it is asked for by.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Human => "human",
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::Github => "github",
            Format::Markdown => "markdown",
            Format::Html => "html",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|format| format.as_str() == name).ok_or_else(|| {
            let valid: Vec<&str> = Self::ALL.iter().map(|format| format.as_str()).collect();
            format!("there is no format {:?}; the formats are {}", name, valid.join(", "))
        })
    }
}

/// What a reader wants of a report.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether the human form may use colours.
    pub colour: bool,
    /// Whether the human form may draw with characters outside of ASCII. Text of the data is shown as it is either way.
    pub unicode: bool,
    /// Only a line for each finding, and nothing where nothing is wrong.
    pub quiet: bool,
    /// The severity that fails the run.
    pub fail_on: Severity,
    /// For logs that strangers read: no excerpts, pseudonyms for people, keyed hashes for rows.
    pub redact: Option<Redact>,
    /// What the run is called among others of the same commit, in SARIF.
    pub category: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            colour: false,
            unicode: true,
            quiet: false,
            fail_on: Severity::Error,
            redact: None,
            category: "check".into(),
        }
    }
}

/// An outcome that is ready to be written in any form.
#[derive(Clone, Debug)]
pub struct Report {
    /// What is wrong, errors first.
    pub findings: Vec<Located>,
    /// What could not be read, sorted by path.
    pub unread: Vec<Unread>,
    /// What was looked at.
    pub looked_at: LookedAt,
    /// The policy that judged.
    pub policy: Origin,
    /// What was judged, in words.
    pub scope: String,
    /// What was guessed of the fields of data files.
    pub guesses: Vec<(BString, Guess)>,
    /// What a reader should know of the run itself.
    pub notes: Vec<String>,
    /// Places that the baseline or an exception accepts.
    pub accepted: u64,
    /// Findings of the level `info` that are not shown.
    pub not_shown: u64,
    /// The exit code of the run ([`exit_code`]).
    pub exit_code: u8,
    /// What changed in the data, whether or not anything is wrong with it.
    pub(crate) changed: Changed,
    /// The commits of an audit.
    history: Option<history::History>,
    redacted: bool,
}

/// What changed in the data, for the summary of a pull request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changed {
    /// Rows and labels.
    pub(crate) summary: Summary,
    /// Sources that the changed lines name.
    pub(crate) sources: Vec<String>,
}

/// A finding whose places have lines and columns.
#[derive(Clone, Debug)]
pub struct Located {
    /// The rule that speaks.
    pub rule: &'static Rule,
    /// Its severity here.
    pub severity: Severity,
    /// Its confidence here.
    pub confidence: Confidence,
    /// One sentence that says what is wrong.
    pub message: String,
    /// One sentence that says what to do.
    pub help: String,
    /// Where, at most a hundred.
    pub spots: Vec<Spot>,
    /// How many places there are, with those that are not among `spots`.
    pub total: u64,
    /// Facts, by name.
    pub evidence: std::collections::BTreeMap<String, Value>,
    /// What it is known by ([`Finding::fingerprint`]).
    pub fingerprint: String,
}

/// A place as people and programs want it. Lines, columns and records count from 1, bytes from 0; columns count code
/// points.
#[derive(Clone, Debug)]
pub struct Spot {
    /// Path in the repository, in any bytes.
    pub path: BString,
    /// The commit that brought it.
    pub commit: Option<String>,
    /// Line of its first character; 1 where a file has no lines.
    pub line: u64,
    /// Column of its first character.
    pub column: u64,
    /// Line of the character behind it.
    pub end_line: u64,
    /// Column of the character behind it.
    pub end_column: u64,
    /// Offset of its first byte in the file; of the decompressed stream for compressed files.
    pub byte_start: u64,
    /// Offset behind its last byte.
    pub byte_end: u64,
    /// Number of the record.
    pub record: Option<u64>,
    /// Dotted name of the field.
    pub field: Option<String>,
    /// What is to be seen here.
    pub note: Option<String>,
    /// What this place is known by ([`Finding::place_fingerprint`]).
    pub fingerprint: String,
    /// Whether line and column mean anything: not in columnar and compressed files, and not for a file as a whole.
    pub has_lines: bool,
    /// Whether the bytes are those of a decompressed stream.
    pub decompressed: bool,
    pub(crate) excerpt: Option<Excerpt>,
    /// The record before and after, where its label changed.
    versions: Option<Versions>,
}

impl Report {
    /// Writes the report in one of its forms. The same report can be written in several.
    ///
    /// # Errors
    /// Where `out` cannot be written to.
    pub fn write(&self, format: Format, options: &Options, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Human => human::write(self, options, out),
            Format::Json => json::write(self, out),
            Format::Sarif => sarif::write(self, options, out),
            Format::Github => github::write(self, out),
            Format::Markdown => markdown::write(self, out),
            Format::Html => html::write(self, options, out),
        }
    }
}

/// The exit code of a finished run: 1 for a finding at or above `fail_on`, else 3 for something in scope that could not
/// be read, else 0. (2, for a run that could not start, comes before all of them and has no outcome.)
///
/// Rules about people and metadata never decide, findings of the level `info` neither, and no cap on what is shown does.
pub fn exit_code(outcome: &Outcome, fail_on: Severity) -> u8 {
    code(
        &outcome.findings,
        !outcome.unread.is_empty() && history::gaps_count(outcome.audit.as_ref()),
        outcome.full_coverage && outcome.looked_at.no_reader > 0,
        fail_on,
    )
}

fn code(findings: &[Finding], unread: bool, uncovered: bool, fail_on: Severity) -> u8 {
    let decides = |finding: &Finding| finding.rule.gates && finding.severity >= fail_on && !finding.is_info();
    if findings.iter().any(decides) {
        1
    } else if unread || uncovered {
        3
    } else {
        0
    }
}
