//! Removal that hits one class: what is taken away teaches as much as what is relabelled.

use bstr::{BString, ByteSlice};
use serde_json::json;

use super::flip::some;
use super::people::Who;
use super::{FLIP, RULES};
use crate::diff::{SetSummary, short};
use crate::finding::{Finding, Mark, content_hash, first_of_each_blob};
use crate::rule::{Confidence, Severity};
use crate::source::Commit;
use crate::span::BlobId;

/// Fewer records than these are tidied away every day.
const FEWEST: u64 = 20;

/// Records of one class that are gone, while hardly any of another are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Selective {
    class: String,
    set: String,
    scope: &'static str,
    pub(super) removed: u64,
    /// Records the class had.
    size: u64,
    /// Records of all classes that are gone, and that there were.
    all_removed: u64,
    all: u64,
}

/// Whether what is gone from a data set is of one class, which lives on beside others.
pub(super) fn selective(set: &SetSummary) -> Option<Selective> {
    let named = || set.classes.iter().filter(|class| class.name.is_some());
    let all_removed = named().map(|class| class.removed).sum::<u64>();
    let all = named().map(|class| class.before).sum::<u64>() + set.elsewhere;
    let most = named().max_by_key(|class| class.removed)?;
    let selective = most.removed >= FEWEST
        && set.replaced.is_empty()
        && most.removed * 20 >= most.before
        && most.after > 0
        && most.added * 2 <= most.removed
        && most.removed * 10 >= all_removed * 9
        && most.before * 5 <= all * 4;
    selective.then(|| Selective {
        class: most.name.clone().unwrap_or_default(),
        set: set.name.clone(),
        scope: set.scope,
        removed: most.removed,
        size: most.before,
        all_removed,
        all,
    })
}

/// The finding about a change.
pub(super) fn of_change(gone: &Selective, set: &SetSummary, files: &[(BString, BlobId)], who: &Who<'_>) -> Finding {
    let new = !files.is_empty() && who.only_newcomers(files.iter().map(|(path, _)| path.as_bstr()));
    let mut finding = told(gone, format!("removal {} {}", set.name, gone.class), "", new);
    let content = content_hash(format!("{} {}", gone.class, gone.removed).as_bytes());
    let marks = files.iter().map(|&(_, blob)| Mark { content, ..Mark::name(blob) });
    finding.marks = first_of_each_blob(marks);
    finding.total = finding.marks.len() as u64;
    finding
}

/// The finding about a commit.
pub(super) fn of_commit(gone: &Selective, commit: &Commit, new: bool) -> Finding {
    let id = commit.id.to_string();
    let mut finding = told(gone, format!("removal {id} {}", gone.class), &format!("commit {}: ", &id[..10]), new);
    finding.total = gone.removed;
    finding.evidence.extend([
        ("commit", json!(id)),
        ("author", json!(format!("{} <{}>", commit.author.name.to_str_lossy(), commit.author.mail.to_str_lossy()))),
    ]);
    finding
}

fn told(gone: &Selective, cause: String, of: &str, new: bool) -> Finding {
    let Selective { class, set, scope, removed, size, all_removed, all } = gone;
    let who = if new { "; who removed them is new to this data" } else { "" };
    let message = format!(
        "{of}{} removed, {} of them from {}, which had {} of {}{who}",
        some(*all_removed, "record"),
        removed,
        short(class),
        size,
        some(*all, "record"),
    );
    let mut finding = Finding::new(&RULES[FLIP], cause, message);
    finding.severity = if new { Severity::Warning } else { Severity::Note };
    finding.confidence = Confidence::Low;
    finding.help = "ask why these records had to go: what a model no longer sees of a class it forgets".into();
    finding.evidence.extend([
        ("finding", json!("class-selective-removal")),
        ("dataset", json!(set)),
        ("scope", json!(scope)),
        ("class", json!(class)),
        ("removed", json!(removed)),
        ("size", json!(size)),
        ("all_removed", json!(all_removed)),
        ("all", json!(all)),
    ]);
    if new {
        finding.evidence.insert("newcomer", json!(true));
    }
    finding
}
