//! Whether the names that code and configuration tie down are those that the lock was written and signed for, and whether
//! what publishers say of files is what was locked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{DIGEST, RULES, push};
use crate::check::unpinned_reference::{mark, short};
use crate::finding::{Finding, MAX_MARKS, Mark, content_hash};
use crate::format::{References, Target, Verdict};
use crate::lens::Standing;
use crate::policy::lock::{Lock, Locked, LockedFile, digest, name};
use crate::rule::Severity;

/// Kind, hub and name of a dataset or a model elsewhere.
type Name = (&'static str, &'static str, String);

/// Names that are tied down, by their places, with the same name at the revision that is written.
#[derive(Debug, Default)]
pub(super) struct Named(BTreeMap<(Name, String), Vec<Mark>>);

impl Named {
    pub(super) fn merge(&mut self, other: Self) {
        for (name, mut marks) in other.0 {
            self.0.entry(name).or_default().append(&mut marks);
        }
    }

    /// Takes what is new of a file and goes into a model.
    pub(super) fn observe(&mut self, references: &References<'_>) {
        let blob = &references.blob;
        if !matches!(blob.lens.standing, Standing::Training | Standing::Ci | Standing::Code) {
            return;
        }
        for reference in references.list {
            let tied = reference.verdict == Verdict::Pinned && blob.fresh.touches(reference.span);
            if tied && matches!(reference.kind, Target::Dataset | Target::Model) {
                let full = name(&reference.target, reference.pin.as_deref()).into_owned();
                let key = (reference.kind.as_str(), reference.hub, reference.target.clone());
                self.0.entry((key, full)).or_default().push(mark(references, reference));
            }
        }
    }

    /// Names that the lock holds at other revisions alone: whoever signed it has not seen these.
    pub(super) fn finish(self, held: &Held, findings: &mut Vec<Finding>) {
        let (mut marks, mut names) = (Vec::new(), BTreeSet::new());
        for (((kind, hub, target), full), places) in self.0 {
            if held.is_elsewhere(kind, hub, &target, &full) {
                names.insert(full);
                marks.extend(places);
            }
        }
        let Some(first) = names.first() else { return };
        marks.sort();
        let message = format!("{} is not what foretaste.lock holds of that name", short(first));
        let mut finding = Finding::new(&RULES[DIGEST], "reference-not-locked", message);
        finding.help =
            "look at what the other revision brings, then run `foretaste lock` and commit foretaste.lock with it"
                .into();
        finding.evidence.insert("names", json!(names.iter().take(MAX_MARKS).collect::<Vec<_>>()));
        push(finding, "reference-not-locked", marks, findings);
    }
}

/// The names that a lock holds.
#[derive(Debug, Default)]
pub(super) struct Held(BTreeSet<(String, String, String)>);

impl Held {
    pub(super) fn of(lock: &Lock) -> Self {
        Self(lock.references.iter().map(|held| (held.kind.clone(), held.hub.clone(), held.target.clone())).collect())
    }

    pub(super) fn merge(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    fn is_elsewhere(&self, kind: &str, hub: &str, target: &str, full: &str) -> bool {
        let key = |name: &str| (kind.to_owned(), hub.to_owned(), name.to_owned());
        if self.0.contains(&key(full)) {
            return false;
        }
        let at = format!("{target}@");
        self.0.contains(&key(target))
            || self
                .0
                .range(key(&at)..)
                .next()
                .is_some_and(|(k, h, name)| k == kind && h == hub && name.starts_with(&at))
    }
}

/// What publishers say of locked files: another hash, or one that proves nothing. In a change only what is new.
pub(super) fn publishers(lock: &Lock, locked: &Locked<'_>, findings: &mut Vec<Finding>) {
    let (mut other, mut weak) = (Vec::new(), Vec::new());
    let stands = |line: &LockedFile| {
        let before = locked.trusted.and_then(|trusted| trusted.file(line.path.as_ref()));
        !locked.complete
            && before.is_some_and(|before| (before.sha256, &before.publisher) == (line.sha256, &line.publisher))
    };
    for line in lock.files.iter().filter(|line| !stands(line)) {
        let Some(publisher) = &line.publisher else { continue };
        let mut mark = Mark::bytes(locked.blob, line.span).with_note(format!(
            "{}: {} says {}",
            line.path,
            publisher.by,
            &publisher.digest[..12]
        ));
        mark.content = content_hash(&[&line.path[..], &line.sha256, publisher.digest.as_bytes()].concat());
        match digest(&publisher.digest) {
            Some(said) if said == line.sha256 => {}
            Some(_) => other.push(mark),
            None => weak.push(mark),
        }
    }
    for (id, severity, marks, what, help) in [
        (
            "publisher-mismatch",
            Severity::Error,
            other,
            "not what the publisher's own hash says",
            "get the file from its publisher again, or mend the hash beside it if that is known to be old, then run \
             `foretaste lock`",
        ),
        (
            "weak-hash",
            Severity::Warning,
            weak,
            "known by an MD5 of its publisher alone, which can be forged",
            "ask for a SHA-256 of what was published, and compare it with the one in foretaste.lock",
        ),
    ] {
        if marks.is_empty() {
            continue;
        }
        let subject =
            if marks.len() == 1 { "a locked file is".to_owned() } else { format!("{} locked files are", marks.len()) };
        let mut finding = Finding::new(&RULES[DIGEST], id, format!("{subject} {what}"));
        finding.severity = severity;
        finding.help = help.into();
        push(finding, id, marks, findings);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_at_another_revision_is_another_name() {
        let names = ["org/a", "org/b@0123", "org/bc@0123"];
        let held = Held(names.iter().map(|n| ("dataset".into(), "huggingface".into(), (*n).into())).collect());
        let is = |target: &str, full: &str| held.is_elsewhere("dataset", "huggingface", target, full);
        assert!(is("org/a", "org/a@4567") && is("org/b", "org/b@4567"));
        assert!(!is("org/a", "org/a") && !is("org/b", "org/b@0123") && !is("org/c", "org/c@0123"));
        assert!(!held.is_elsewhere("model", "huggingface", "org/a", "org/a@4567"));
    }
}
