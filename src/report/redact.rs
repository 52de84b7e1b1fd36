//! Reports that strangers may read: no text of the data, pseudonyms for people, keyed hashes for what rows hold.

use serde_json::Value;

use super::history::History;
use super::{Changed, Located, Spot};
use crate::rule::Severity;

/// Takes out of a report what a public log must not show. With the same key the same person has the same pseudonym.
#[derive(Clone)]
pub struct Redact {
    key: [u8; 32],
}

impl std::fmt::Debug for Redact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redact")
    }
}

/// Facts whose values are words of ours, never text of the data.
const OURS: [&str; 16] = [
    "class",
    "code_points",
    "encoding",
    "finding",
    "format",
    "framework",
    "hub",
    "kind",
    "level",
    "path",
    "role",
    "scheme",
    "scope",
    "signal",
    "verdict",
    "where",
];
/// Facts that name people.
const PEOPLE: [&str; 13] = [
    "account",
    "author",
    "authors",
    "committer",
    "first_author",
    "identity",
    "mail",
    "name",
    "owner",
    "people",
    "person",
    "reviewer",
    "user",
];
/// Names inside of facts that are ours; any other name may be a label or a field of somebody.
const NAMES: [&str; 18] = [
    "after",
    "before",
    "changes",
    "commit",
    "commits",
    "count",
    "expected",
    "found",
    "from",
    "labels",
    "line",
    "record",
    "rows",
    "size",
    "threshold",
    "to",
    "total",
    "value",
];

impl Redact {
    /// With this key, which must be a secret: whoever has it can try guesses against the hashes.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    fn hash(&self, kind: &str, text: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(kind.as_bytes()).update(&[0]).update(text.as_bytes());
        hasher.finalize().to_hex()[..16].to_owned()
    }

    /// Redacts one finding.
    pub(super) fn finding(&self, finding: &mut Located) {
        // A message quotes data and names people, and nothing marks where. What the rule finds in general stays.
        finding.message = match finding.severity {
            Severity::Note => format!("{} (redacted)", finding.rule.summary),
            Severity::Warning | Severity::Error => format!("{} (the details are redacted)", finding.rule.summary),
        };
        finding.help = format!(
            "Run `foretaste check` without --redact to see the details, and `foretaste explain {}` for what to do.",
            finding.rule.id
        );
        // A plain hash of a row lets everybody test guesses of the row.
        finding.fingerprint = self.hash("fingerprint", &finding.fingerprint);
        for (name, value) in &mut finding.evidence {
            self.value(name, value);
        }
        for spot in &mut finding.spots {
            self.spot(spot);
        }
    }

    /// Redacts what changed: names of classes can say much about private data.
    pub(super) fn changed(&self, changed: &mut Changed) {
        for set in &mut changed.summary.sets {
            let transitions = set.transitions.iter_mut().flat_map(|change| [&mut change.from, &mut change.to]);
            let classes = set.classes.iter_mut().map(|class| &mut class.name);
            for name in transitions.chain(classes).flatten() {
                *name = format!("hash-{}", self.hash("text", name));
            }
        }
    }

    /// Redacts the commits of an audit.
    pub(super) fn history(&self, history: &mut History) {
        for touch in &mut history.touches {
            touch.author = format!("person-{}", self.hash("person", &touch.author));
        }
        for name in history.shares.0.iter_mut().flat_map(|shares| &mut shares.classes).flatten() {
            *name = format!("hash-{}", self.hash("text", name));
        }
        for commit in &mut history.commits {
            commit.author = format!("person-{}", self.hash("person", &commit.author));
            commit.subject.clear();
            for name in commit.changes.iter_mut().flat_map(|change| [&mut change.from, &mut change.to]).flatten() {
                *name = format!("hash-{}", self.hash("text", name));
            }
            for value in &mut commit.signals {
                self.value("signal", value);
            }
        }
    }

    fn spot(&self, spot: &mut Spot) {
        spot.excerpt = None;
        spot.versions = None;
        spot.note = None;
        spot.fingerprint = self.hash("fingerprint", &spot.fingerprint);
    }

    fn value(&self, name: &str, value: &mut Value) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => {
                if PEOPLE.contains(&name) {
                    *text = format!("person-{}", self.hash("person", text));
                } else if !OURS.contains(&name) && !is_object_id(text) {
                    *text = format!("hash-{}", self.hash("text", text));
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|value| self.value(name, value)),
            Value::Object(map) => {
                let old = std::mem::take(map);
                for (key, mut value) in old {
                    self.value(&key, &mut value);
                    let known = [&OURS[..], &PEOPLE[..], &NAMES[..]].concat().contains(&key.as_str());
                    map.insert(if known { key } else { format!("hash-{}", self.hash("text", &key)) }, value);
                }
            }
        }
    }
}

fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn facts_keep_numbers_and_lose_text() {
        let redact = Redact::new([7; 32]);
        let mut value = json!({
            "count": 3, "author": "Eve <eve@example.org>", "label": "refund",
            "commit": "0123456789012345678901234567890123456789", "eve@example.org": {"kind": "flip"},
        });
        redact.value("changes", &mut value);
        let text = value.to_string();
        assert!(!text.contains("eve@") && !text.contains("refund"), "{text}");
        assert!(
            text.contains("\"kind\":\"flip\"") && text.contains("0123456789") && text.contains("person-"),
            "{text}"
        );
        let mut again = json!("Eve <eve@example.org>");
        redact.value("author", &mut again);
        assert_eq!(value["author"], again, "one person has one pseudonym");
        let mut other = json!("Eve <eve@example.org>");
        Redact::new([8; 32]).value("author", &mut other);
        assert_ne!(value["author"], other, "another key gives another pseudonym");
    }
}
