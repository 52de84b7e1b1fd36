//! Who reviewed a source, against who brings it: a review by the author of the change is none.
//!
//! Names and addresses in commits are claims. They can show that a review is missing, never that one was made.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};

use super::{finding, short};
use crate::finding::{Finding, Mark, content_hash};
use crate::policy::trust::Proposed;
use crate::policy::{Policy, Source};
use crate::rule::Severity;
use crate::source::{Commit, People};

/// What a change brings, and who wrote it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The one who wrote every commit of the change, where nobody else had a hand in it.
    author: Option<String>,
    /// Names that the change brings, by the source that lists them.
    brought: BTreeMap<String, Vec<(BString, Mark)>>,
    /// Entries that the change adds, or reviews anew, with their reviewer.
    entries: Vec<(String, String, Mark)>,
}

impl Seen {
    pub(super) fn merge(&mut self, mut other: Self) {
        self.author = self.author.take().or(other.author);
        crate::check::Merge::merge(&mut self.brought, other.brought);
        self.entries.append(&mut other.entries);
    }

    pub(super) fn brings(&mut self, source: &str, path: BString, mark: Mark) {
        self.brought.entry(source.to_owned()).or_default().push((path, mark));
    }

    pub(super) fn people(&mut self, people: &People<'_>) {
        self.author = sole_author(people);
    }

    pub(super) fn proposed(&mut self, proposed: &Proposed<'_>) {
        let Some(file) = proposed.file else { return };
        let known = |policy: &Policy, source: &Source| {
            policy.sources.iter().any(|old| {
                (&old.name, &old.reviewer, old.reviewed, &old.written)
                    == (&source.name, &source.reviewer, source.reviewed, &source.written)
            })
        };
        for source in proposed.after.sources.iter().filter(|source| !known(proposed.before, source)) {
            if let Some(reviewer) = &source.reviewer {
                let content = content_hash(source.name.as_bytes());
                let mark = Mark { content, ..Mark::bytes(file, source.span) };
                self.entries.push((source.name.clone(), reviewer.to_lowercase(), mark));
            }
        }
    }

    pub(super) fn finish(mut self, sources: &[Source], findings: &mut Vec<Finding>) {
        let Some(author) = self.author else { return };
        for (source, reviewer, mark) in self.entries.into_iter().filter(|(_, reviewer, _)| *reviewer == author) {
            let message =
                format!("`{}` reviews the source `{}` in a change of their own", short(&reviewer), short(&source));
            findings.push(said(&source, message, vec![mark]));
        }
        for source in sources {
            let own = source.reviewer.as_ref().is_some_and(|reviewer| reviewer.to_lowercase() == author);
            let Some(mut places) = self.brought.remove(&source.name).filter(|_| own) else { continue };
            places.sort();
            let message = format!(
                "`{}` reviewed the source `{}` and is who brings it in here",
                short(&author),
                short(&source.name)
            );
            findings.push(said(&source.name, message, places.into_iter().map(|(_, mark)| mark).collect()));
        }
    }
}

/// The one who wrote every commit of a change, where nobody else had a hand in it; in lower case.
pub(in crate::check) fn sole_author(people: &People<'_>) -> Option<String> {
    // A merge is not where a reference comes from.
    let mut own = people.judged.iter().filter(|commit| commit.parents < 2);
    let first = own.next()?;
    let author = mail(&first.author.mail);
    let alone = std::iter::once(first)
        .chain(own)
        .all(|commit| mail(&commit.author.mail) == author && !is_seen(commit, &author));
    alone.then_some(author)
}

fn said(source: &str, message: String, marks: Vec<Mark>) -> Finding {
    let help = "let somebody else review the source, and commit the entry or sign that commit";
    finding("reviewer-is-author", source, message, help, Severity::Warning, marks)
}

fn mail(mail: &BString) -> String {
    mail.to_str_lossy().to_lowercase()
}

/// Whether somebody else had a commit in their hands: who signed it with a key of the policy, else who committed it, if
/// that is a person. What its message says of readers is written by its author and says nothing.
fn is_seen(commit: &Commit, author: &str) -> bool {
    let hand = match &commit.verdict {
        Some(Ok(signed)) => signed.principal.to_lowercase(),
        _ => mail(&commit.committer.mail),
    };
    hand != author && !hand.contains("noreply") && !hand.is_empty()
}
