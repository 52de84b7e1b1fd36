//! The findings of an audit, in words.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BString, ByteSlice};
use serde_json::{Value, json};

use super::{Judge, Kept, MOST_MARKS, count, is_revert, weigh};
use crate::check::labels::flip::{some, transitions};
use crate::check::labels::people::mail;
use crate::check::labels::signals::Signal;
use crate::check::labels::{FLIP, RISK, RULES};
use crate::diff::short;
use crate::finding::{Finding, Mark};
use crate::rule::{Confidence, Severity};
use crate::source::Commit;

impl Judge {
    /// The finding about the flips of a commit.
    pub(super) fn flipped(&self, chapter: &Kept, signals: &[Signal]) -> Finding {
        let id = chapter.commit.id.to_string();
        let flips = count(chapter);
        let mut words: Vec<&str> = signals.iter().map(|signal| signal.words.as_str()).collect();
        words.truncate(3);
        let also = if words.is_empty() { String::new() } else { format!("; it {}", words.join(", and ")) };
        let message = format!("commit {} changed {}{also}", &id[..10], transitions_in_words(chapter));
        let mut finding = Finding::new(&RULES[FLIP], format!("commit {id}"), message);
        let reverted = self.reverted(chapter);
        (finding.severity, finding.confidence) = weigh(chapter, signals, is_revert(chapter, &reverted));
        finding.help =
            "read the rows with whoever knows the classes: where the new labels are right, accept the finding with \
                        a reason; otherwise put the old labels back and look at what was trained since"
                .into();
        finding.total = flips;
        for flips in &chapter.flips {
            finding.marks.extend(flips.marks.iter().cloned().map(|mark| Mark { commit: Some(id.clone()), ..mark }));
        }
        let rank = self.flips.rank(flips, chapter.touched);
        let table: Vec<_> = chapter.sets.iter().flat_map(|set| set.transitions.iter().cloned()).collect();
        let targets: Vec<Value> = chapter
            .flips
            .iter()
            .map(|flips| json!({"class": flips.to, "count": flips.count(), "size": flips.to_size, "reverse": flips.reverse}))
            .collect();
        finding.evidence.extend([
            ("finding", json!("label-flip")),
            ("commit", json!(id)),
            ("author", json!(author(&chapter.commit))),
            ("subject", json!(chapter.commit.subject)),
            ("flips", json!(flips)),
            ("touched", json!(chapter.touched)),
            ("scope", json!(chapter.sets.first().map_or("dataset", |set| set.scope))),
            ("transitions", transitions(&table)),
            ("targets", Value::Array(targets)),
            ("rank", rank),
            ("signals", signals_of(signals)),
        ]);
        if let Some(flips) = chapter.flips.iter().find(|flips| flips.common.is_some()) {
            finding.evidence.insert("common", json!(flips.common));
        }
        if !reverted.is_empty() {
            finding.evidence.insert("takes_back", json!(reverted));
        }
        finding
    }
}

/// The finding about a merge with labels of its own, and what is unusual about its author.
pub(super) fn evil(chapter: &Kept, people: &[Signal]) -> Finding {
    let id = chapter.commit.id.to_string();
    let count = chapter.evil.len() as u64;
    let mut pairs: BTreeMap<(&Option<String>, &Option<String>), u64> = BTreeMap::new();
    for evil in &chapter.evil {
        *pairs.entry((&evil.from, &evil.to)).or_default() += 1;
    }
    let mut list: Vec<_> = pairs.into_iter().collect();
    list.sort_by_key(|&(_, n)| std::cmp::Reverse(n));
    let class = |class: &Option<String>| class.as_deref().map_or("no label".to_owned(), short);
    let words: Vec<String> =
        list.iter().take(3).map(|((from, to), n)| format!("{n} from {} to {}", class(from), class(to))).collect();
    let message = format!(
        "the merge {} gives {} a label that none of its parents has: {}; a pull request does not show it",
        &id[..10],
        some(count, "record"),
        words.join(", ")
    );
    let mut finding = Finding::new(&RULES[FLIP], format!("merge {id}"), message);
    (finding.severity, finding.confidence) = (Severity::Warning, Confidence::High);
    finding.help =
        "ask whoever merged where these labels come from; compare with `git show -m`, since a plain `git show` \
                    or `git log` shows nothing of a merge"
            .into();
    finding.total = count;
    finding.marks = chapter.evil.iter().take(MOST_MARKS).map(|evil| evil.mark.clone()).collect();
    let files: BTreeSet<&BString> = chapter.evil.iter().map(|evil| &evil.path).collect();
    let sets: BTreeSet<&String> = chapter.evil.iter().map(|evil| &evil.set).collect();
    let rows = list.iter().map(|((from, to), n)| json!({"from": from, "to": to, "count": n})).take(50);
    let mut signals = vec![Signal::new("evil-merge-label", json!(count), json!(1), "")];
    signals.extend_from_slice(people);
    finding.evidence.extend([
        ("finding", json!("evil-merge-label")),
        ("commit", json!(id)),
        ("author", json!(author(&chapter.commit))),
        ("files", json!(files.len())),
        ("datasets", json!(sets.len())),
        ("transitions", Value::Array(rows.collect())),
        ("signals", signals_of(&signals)),
    ]);
    finding
}

/// The finding about a person, over all their commits.
pub(super) fn risk(commits: &[(&Kept, Vec<Signal>)], earlier: usize) -> Finding {
    let mut names: Vec<&str> = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    for signal in commits.iter().flat_map(|(_, signals)| signals) {
        if !names.contains(&signal.name) {
            names.push(signal.name);
            words.push(&signal.words);
        }
    }
    names.sort_unstable();
    words.truncate(4);
    let (first, _) = &commits[0];
    let id = first.commit.id.to_string();
    let more = match commits.len() {
        1 => String::new(),
        n => format!(" and of {} more", some(n as u64 - 1, "commit")),
    };
    let message = format!(
        "the author of commit {}{more} {}; consistent with an honest change as well as with a borrowed or new account",
        &id[..10],
        words.join(", and "),
    );
    let mut finding = Finding::new(&RULES[RISK], format!("person {}", mail(&first.commit.author)), message);
    // What weighs on flipped labels is told with them; here only what honest histories do not have is a warning.
    let of_labels = ["newcomer-label-edit", "hidden-label-edit"];
    let alone = |signal: &Signal| signal.alone && !of_labels.contains(&signal.name);
    let warn = commits.iter().flat_map(|(_, signals)| signals).any(alone);
    finding.severity = if warn { Severity::Warning } else { Severity::Note };
    finding.confidence = Confidence::Low;
    finding.help =
        "ask the author, by a way that does not depend on this repository, whether the commits are theirs".into();
    for (chapter, signals) in commits {
        let note: Vec<&str> = signals.iter().map(|signal| signal.name).collect();
        let marks = chapter.flips.iter().flat_map(|flips| flips.marks.first());
        finding.marks.extend(marks.map(|mark| Mark {
            commit: Some(chapter.commit.id.to_string()),
            note: Some(note.join(", ")),
            ..mark.clone()
        }));
    }
    finding.total = (commits.len() as u64).max(finding.marks.len() as u64);
    let list = commits.iter().flat_map(|(chapter, signals)| {
        signals.iter().map(|signal| {
            let mut told = signal.to_json();
            told["commit"] = json!(chapter.commit.id.to_string());
            told
        })
    });
    finding.evidence.extend([
        ("signals", Value::Array(list.collect())),
        ("commits", json!(commits.len())),
        ("earlier_commits", json!(earlier)),
        ("author", json!(first.commit.author.name.to_str_lossy())),
    ]);
    finding
}

fn author(commit: &Commit) -> String {
    format!("{} <{}>", commit.author.name.to_str_lossy(), commit.author.mail.to_str_lossy())
}

/// `49 records from one class to another: 26 from a to b, 7 from a to c, and 3 more transitions`.
fn transitions_in_words(chapter: &Kept) -> String {
    let flips = count(chapter);
    let mut list: Vec<(u64, String)> = Vec::new();
    for flips in &chapter.flips {
        for from in &flips.from {
            list.push((from.count, format!("{} from {} to {}", from.count, short(&from.class), short(&flips.to))));
        }
    }
    list.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let mut words = format!("the class of {}: ", some(flips, "record"));
    let told: Vec<&str> = list.iter().take(3).map(|(_, words)| words.as_str()).collect();
    words.push_str(&told.join(", "));
    if list.len() > 3 {
        words.push_str(&format!(", and {} more", some(list.len() as u64 - 3, "transition")));
    }
    words
}

fn signals_of(signals: &[Signal]) -> Value {
    Value::Array(signals.iter().map(Signal::to_json).collect())
}
