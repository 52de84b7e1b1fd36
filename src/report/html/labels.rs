//! Changes of labels in numbers: by kind, by class, and the sizes of the classes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::matrix;
use super::page::{Page, class, data, percent};
use crate::diff::{Kind, SetSummary, Summary};
use crate::report::history::History;
use crate::report::words::grouped;

/// Rows of a table.
const MOST: usize = 300;

/// Records that went from one class to another.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(super) struct Flow<'a> {
    pub(super) kind: Kind,
    pub(super) from: Option<&'a str>,
    pub(super) to: Option<&'a str>,
    pub(super) count: u64,
}

/// The changes of a whole history, added up.
pub(super) fn of_history(history: &History) -> Vec<Flow<'_>> {
    let changes = history.commits.iter().flat_map(|commit| &commit.changes);
    added_up(changes.map(|change| (change.kind, change.from.as_deref(), change.to.as_deref(), change.count)))
}

fn of_summary(summary: &Summary) -> Vec<Flow<'_>> {
    let changes = summary.sets.iter().flat_map(|set| &set.transitions);
    added_up(changes.map(|change| (change.kind, change.from.as_deref(), change.to.as_deref(), change.all())))
}

fn added_up<'a>(changes: impl Iterator<Item = (Kind, Option<&'a str>, Option<&'a str>, u64)>) -> Vec<Flow<'a>> {
    let mut sums: BTreeMap<(Kind, Option<&str>, Option<&str>), u64> = BTreeMap::new();
    for (kind, from, to, count) in changes {
        *sums.entry((kind, from, to)).or_default() += count;
    }
    let mut flows: Vec<Flow<'_>> =
        sums.into_iter().map(|((kind, from, to), count)| Flow { kind, from, to, count }).collect();
    flows.sort_by(|a, b| (a.kind, Reverse(a.count), a.from, a.to).cmp(&(b.kind, Reverse(b.count), b.from, b.to)));
    flows
}

/// What changed in the data, for a check.
pub(super) fn write(summary: &Summary, page: &mut Page) {
    if summary.sets.is_empty() {
        return;
    }
    let flows = of_summary(summary);
    matrix::write(&flows, "in this change", page);
    page.section("data", "What changed in the data");
    let head = ["Data", "#Rows added", "#Removed", "#Changed", "#Moved"];
    page.table(("", &head), summary.sets.iter(), (MOST, "more data set"), |set| {
        let numbers: String = [set.added, set.removed, set.changed, set.moved].map(number).concat();
        format!("<tr><td>{}</td>{numbers}</tr>\n", data(&set.name, 200))
    });
    let mut classes: Vec<(&SetSummary, &crate::diff::ClassSummary)> =
        summary.sets.iter().flat_map(|set| set.classes.iter().map(move |class| (set, class))).collect();
    classes.retain(|(_, class)| class.before != class.after);
    classes.sort_by_key(|(_, class)| Reverse(class.before.abs_diff(class.after)));
    if !classes.is_empty() {
        page.put("<h3>Classes that grew or shrank</h3>\n");
        let head = ["Class", "Data", "#Before", "#After", "#Share before", "#Share after"];
        page.table(("", &head), classes.into_iter(), (MOST, "more class"), |(set, one)| {
            let (before, after) =
                set.classes.iter().fold((0, 0), |(before, after), class| (before + class.before, after + class.after));
            format!(
                "<tr><td>{}</td><td>{}</td>{}{}<td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
                class(one.name.as_deref()),
                data(&set.name, 200),
                number(one.before),
                number(one.after),
                percent(one.before, before),
                percent(one.after, after),
            )
        });
    }
    page.end();
}

/// All changes as a table, folded.
pub(super) fn table(flows: &[Flow<'_>], page: &mut Page) {
    page.put("<details><summary>All changes of labels, by kind</summary>\n");
    page.table(("", &["Kind", "From", "To", "#Records"]), flows.iter(), (MOST, "more change"), |flow| {
        format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td>{}</tr>\n",
            flow.kind.as_str(),
            class(flow.from),
            class(flow.to),
            number(flow.count)
        )
    });
    page.put("</details>\n");
}

/// A cell with a number.
pub(super) fn number(n: u64) -> String {
    format!("<td class=\"n\">{}</td>", grouped(n))
}

/// What a kind of change means.
pub(super) fn meaning(kind: Kind) -> &'static str {
    match kind {
        Kind::Flip => "both classes live on",
        Kind::Rename => "the old class is gone, the new one is new",
        Kind::Merge => "the old class went into one that was there",
        Kind::CarveOut => "a new class was split off",
        Kind::Fill => "there was no label before",
        Kind::Blank => "there is no label any more",
    }
}
