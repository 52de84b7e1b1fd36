//! Findings of `label-flip`.

use std::cmp::Reverse;

use bstr::ByteSlice;
use serde_json::{Value, json};

use super::people::Who;
use super::{FLIP, Flips, RULES, Relabelled};
use crate::diff::{Common, Kind, SetSummary, Shared, Transition, short};
use crate::finding::{Finding, Mark, content_hash, first_of_each_blob};
use crate::rule::{Confidence, Severity};

/// Fewer flips than these are what honest corrections look like; half of all commits with a flip in a real history have
/// no more.
const FEW: u64 = 3;
/// From so many on, flips towards one class are an error, if more speaks against them.
const MANY: u64 = 20;
/// Rows of the table of transitions in the evidence.
const MAX_TRANSITIONS: usize = 50;

/// The finding of the flips towards one class.
pub(super) fn finding(flips: &Flips, set: &SetSummary, who: &Who<'_>) -> Finding {
    let count = flips.count();
    let newcomers = who.only_newcomers(flips.paths.iter().map(|(path, _)| path.as_bstr()));
    let mut finding = Finding::new(&RULES[FLIP], cause(flips, set), message(flips, newcomers));
    (finding.severity, finding.confidence) = weigh(flips, newcomers);
    finding.help = "read the rows: where the new label is right, accept this finding with a reason; otherwise put the \
                    label of the base back"
        .into();
    finding.total = count;
    finding.marks = flips.marks.clone();
    for mark in &mut finding.marks {
        let path =
            flips.paths.iter().map(|(path, _)| path.as_bstr()).find(|path| who.number(path) == Some(mark.place.blob));
        mark.commit = path.and_then(|path| who.only_commit(path)).map(|commit| commit.id.to_string());
    }
    let from = |from: &crate::diff::FlippedFrom| json!({"class": from.class, "count": from.count, "size": from.size});
    let evidence = [
        ("finding", json!(if flips.pairs { "swapped-preference" } else { "label-flip" })),
        ("dataset", json!(set.name)),
        ("scope", json!(set.scope)),
        ("to", json!(flips.to)),
        ("to_size", json!(flips.to_size)),
        ("from", Value::Array(flips.from.iter().map(from).collect())),
        ("flips", json!(count)),
        ("reverse", json!(flips.reverse)),
        ("transitions", transitions(&set.transitions)),
    ];
    finding.evidence.extend(evidence);
    if newcomers {
        finding.evidence.insert("newcomer", json!(true));
    }
    if flips.common.is_some() {
        finding.evidence.insert("common", json!(flips.common));
    }
    finding
}

/// Half of a data set may flip to one class and back in honest work, and one record may be a whole attack: size
/// alone decides little. An error needs many flips towards one class and a sign that they are of one making.
fn weigh(flips: &Flips, newcomers: bool) -> (Severity, Confidence) {
    let count = flips.count();
    let large = |count: u64, size: u64| count * 20 >= size;
    let of_a_class = large(count, flips.to_size) || flips.from.iter().any(|from| large(from.count, from.size));
    let common = flips.common.is_some();
    if count >= MANY && of_a_class && (common || newcomers) {
        (Severity::Error, if common { Confidence::High } else { Confidence::Medium })
    } else if count >= MANY || common || (count >= FEW && count >= 4 * flips.reverse) {
        (Severity::Warning, Confidence::Medium)
    } else {
        (Severity::Note, Confidence::Low)
    }
}

fn cause(flips: &Flips, set: &SetSummary) -> String {
    format!("flip {} {}", set.name, flips.to)
}

fn message(flips: &Flips, newcomers: bool) -> String {
    let count = flips.count();
    let mut message = match (&flips.from[..], flips.pairs) {
        (_, true) => format!("{} had chosen and rejected swapped", some(count, "preference pair")),
        ([from], false) => {
            let share = share(count, from.size);
            format!("{} changed from {} to {}{share}", some(count, "record"), short(&from.class), short(&flips.to))
        }
        (several, false) => {
            let mut sources: Vec<String> =
                several.iter().take(3).map(|from| format!("{} ({})", short(&from.class), from.count)).collect();
            if several.len() > 3 {
                sources.push(some(several.len() as u64 - 3, "other class"));
            }
            format!("{} changed to {}, from {}", some(count, "record"), short(&flips.to), sources.join(", "))
        }
    };
    if flips.common.is_some() {
        message.push_str("; ");
        message.push_str(&carry_all(&flips.common));
    }
    if newcomers {
        message.push_str("; who changed them is new to this data");
    }
    message
}

/// What flipped records share, in words.
pub(super) fn carry_all(Common { invisible, phrase }: &Common) -> String {
    match (invisible, phrase) {
        (Some(shared), _) => carry(shared, &format!("the hidden characters {}", shared.what)),
        (None, Some(shared)) => carry(shared, &format!("the phrase {}", short(&shared.what))),
        (None, None) => String::new(),
    }
}

fn carry(shared: &Shared, what: &str) -> String {
    let Shared { flipped, of_flipped, others, of_others, .. } = shared;
    format!("{flipped} of {of_flipped} carry {what}, and {others} of {of_others} others of their class do")
}

/// `, 3.1 % of that class`, with one digit, in integers.
fn share(count: u64, size: u64) -> String {
    if size == 0 || count < FEW {
        return String::new();
    }
    let permille = u128::from(count) * 1000 / u128::from(size);
    format!(", {}.{} % of that class", permille / 10, permille % 10)
}

/// `1 record`, `2 records`.
pub(super) fn some(count: u64, what: &str) -> String {
    match what {
        _ if count == 1 => format!("1 {what}"),
        "other class" => format!("{count} other classes"),
        _ => format!("{count} {what}s"),
    }
}

/// One note for what looks like flips and is none.
pub(super) fn renamed(set: &SetSummary, files: &[&Relabelled]) -> Option<Finding> {
    let told = [Kind::Rename, Kind::Merge, Kind::CarveOut, Kind::Blank];
    let mut list: Vec<&Transition> = set.transitions.iter().filter(|one| told.contains(&one.kind)).collect();
    list.sort_by_key(|one| Reverse(one.all()));
    let first = list.first()?;
    let class = |class: &Option<String>| class.as_deref().map_or("no label".to_owned(), short);
    let count = list.iter().map(|one| one.all()).sum::<u64>();
    let mut message = format!(
        "{} changed because classes did: {} became {} ({}, {})",
        some(count, "label"),
        class(&first.from),
        class(&first.to),
        first.kind.as_str(),
        first.all(),
    );
    if list.len() > 1 {
        message.push_str(&format!(", and {} more", some(list.len() as u64 - 1, "transition")));
    }
    let mut finding = Finding::new(&RULES[FLIP], format!("classes {}", set.name), message);
    (finding.severity, finding.confidence) = (Severity::Note, Confidence::High);
    finding.help = "check that the mapping in the evidence is the one that was meant".into();
    let mapping: Vec<String> = list.iter().map(|one| format!("{:?}>{:?}", one.from, one.to)).collect();
    let content = content_hash(mapping.join("\n").as_bytes());
    let marks = files.iter().filter(|file| told.contains(&file.kind)).map(|file| {
        let note = format!("{} ({})", some(file.count, "label"), file.kind.as_str());
        Mark { content, ..Mark::name(file.blob).with_note(note) }
    });
    // One place a file; how many labels is in the message and the evidence.
    finding.marks = first_of_each_blob(marks);
    finding.total = finding.marks.len() as u64;
    finding.evidence.extend([
        ("finding", json!("class-change")),
        ("dataset", json!(set.name)),
        ("scope", json!(set.scope)),
        ("transitions", transitions(&set.transitions)),
    ]);
    Some(finding)
}

/// The table of transitions. What is outside the exact counts says so.
pub(super) fn transitions(list: &[Transition]) -> Value {
    let mut rows = Vec::new();
    for one in list {
        let (from, to, kind) = (&one.from, &one.to, one.kind.as_str());
        if one.count > 0 {
            rows.push(json!({"from": from, "to": to, "kind": kind, "count": one.count}));
        }
        if one.copies > 0 {
            rows.push(json!({"from": from, "to": to, "kind": kind, "count": one.copies, "copies": true}));
        }
        if one.near > 0 {
            rows.push(json!({"from": from, "to": to, "kind": kind, "count": one.near, "near": true}));
        }
    }
    rows.truncate(MAX_TRANSITIONS);
    Value::Array(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Check, Observation};
    use crate::diff::trial::{Table, Trial};
    use crate::lens::Role;

    fn judge(trial: &Trial) -> Vec<Finding> {
        let labels = super::super::Labels;
        let mut seen = Default::default();
        trial.compare(|changes| labels.observe(&mut seen, &Observation::Changes(changes)));
        let mut findings = Vec::new();
        labels.finish(seen, &mut findings);
        findings
    }

    fn rows(n: usize, label: impl Fn(usize) -> (&'static str, &'static str)) -> String {
        let row = |n: usize| {
            let (text, label) = label(n);
            format!("ticket {n} about {text}\t{label}\n")
        };
        (0..n).map(row).collect()
    }

    fn flipped(n: usize, back: usize, text: &'static str) -> Trial {
        let before = rows(200, |at| if at < 100 { ("a parcel", "spam") } else { ("a bill", "ham") });
        let after = rows(200, |at| match at {
            _ if at < n => (text, "ham"),
            _ if at < 100 => ("a parcel", "spam"),
            _ if at < 100 + back => ("a bill", "spam"),
            _ => ("a bill", "ham"),
        });
        // Texts that were changed are known again by their identifier.
        let columns = [("id", Role::Id), ("text", Role::Text), ("label", Role::Label)];
        let numbered =
            |text: &str| text.lines().enumerate().map(|(n, line)| format!("{n}\t{line}\n")).collect::<String>();
        let table = |text: &str| Some(Table::new("d/a.csv", &columns, &numbered(text)));
        Trial::default().tables(table(&before), table(&after)).rest("d/", &[])
    }

    #[test]
    fn severity_follows_number_direction_and_what_is_shared() {
        let severity = |n, back, text| judge(&flipped(n, back, text))[0].severity;
        assert_eq!(severity(1, 0, "a parcel"), Severity::Note);
        assert_eq!(severity(2, 0, "a parcel"), Severity::Note);
        assert_eq!(severity(3, 0, "a parcel"), Severity::Warning);
        // As many went back: the line between the classes was drawn anew.
        assert_eq!(severity(5, 5, "a parcel"), Severity::Note);
        assert_eq!(severity(30, 0, "a parcel"), Severity::Warning);
        assert_eq!(severity(30, 0, "a parcel blue lantern"), Severity::Error);
        assert_eq!(severity(30, 0, "a par\u{200b}cel"), Severity::Error);
    }

    #[test]
    fn a_finding_says_what_happened_and_where() {
        let finding = &judge(&flipped(4, 0, "a parcel"))[0];
        assert_eq!(finding.message, "4 records changed from `spam` to `ham`, 4.0 % of that class");
        assert_eq!((finding.total, finding.marks.len()), (4, 4));
        assert_eq!(finding.marks[1].field.as_deref(), Some("label"));
        assert_eq!(finding.marks[1].record, Some(2));
        assert_eq!(finding.marks[1].note.as_deref(), Some("was `spam`, is `ham`"));
        assert_eq!(finding.evidence["transitions"], json!([{"from": "spam", "to": "ham", "kind": "flip", "count": 4}]));
        assert_eq!(finding.evidence["scope"], "dataset");
    }

    #[test]
    fn what_is_shared_is_told() {
        let finding = &judge(&flipped(30, 0, "a parcel blue lantern"))[0];
        assert!(
            finding.message.contains("; 30 of 30 carry the phrase `") && finding.message.contains("blue lantern"),
            "{}",
            finding.message
        );
        let finding = &judge(&flipped(30, 0, "a par\u{200b}cel"))[0];
        assert!(
            finding.message.contains("30 of 30 carry the hidden characters U+200B, and 0 of"),
            "{}",
            finding.message
        );
    }

    #[test]
    fn one_note_tells_all_that_is_no_flip() {
        let before = "a\tx\nb\tx\nc\ty\nd\tz\ne\t\nf\tw\n";
        let after = "a\tq\nb\tq\nc\tz\nd\tz\ne\tz\nf\t\n";
        let findings = judge(&Trial::default().file("d/a.csv", Some(before), Some(after)).rest("d/", &[]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].severity, Severity::Note);
        assert_eq!(
            findings[0].message,
            "4 labels changed because classes did: `x` became `q` (rename, 2), and 2 transitions more"
        );
        // A first label is no change.
        let filled =
            judge(&Trial::default().file("d/a.csv", Some("a\t\nb\tx\n"), Some("a\tx\nb\tx\n")).rest("d/", &[]));
        assert!(filled.is_empty());
    }

    #[test]
    fn swapped_answers_are_one_finding() {
        let columns = [("prompt", Role::Text), ("chosen", Role::Text), ("rejected", Role::Text)];
        let pairs = |swapped: usize| {
            let row = |n: usize| match n < swapped {
                true => format!("question {n}\tbad answer {n}\tgood answer {n}\n"),
                false => format!("question {n}\tgood answer {n}\tbad answer {n}\n"),
            };
            Some(Table::new("d/a.csv", &columns, &(0..40).map(row).collect::<String>()))
        };
        let findings = judge(&Trial::default().tables(pairs(0), pairs(6)).rest("d/", &[]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].message, "6 preference pairs had chosen and rejected swapped");
        assert_eq!(findings[0].severity, Severity::Warning);
    }
}
