//! What tests of the lock and of its signatures share.

/// Two labelled rows.
pub(crate) const ROWS: &str =
    "{\"text\": \"hello\", \"label\": \"greet\"}\n{\"text\": \"bye\", \"label\": \"leave\"}\n";
/// A policy that says what they are.
pub(crate) const POLICY: &str =
    "version: 1\ndatasets:\n  a:\n    files: [\"data/*.jsonl\"]\n    text: [text]\n    label: label\n";

/// What the findings of a report are called in their evidence.
pub(crate) fn findings(report: &serde_json::Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().filter_map(|f| f["evidence"]["finding"].as_str()).collect()
}
