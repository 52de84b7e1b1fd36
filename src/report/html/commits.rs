//! The commits of an audit that are worth a look, each with its reasons, its rows before and after, and the way to
//! accept it.

use std::collections::BTreeMap;

use super::findings::{accept, evidence, help};
use super::labels::number;
use super::page::{Page, class, data, sentence};
use crate::diff::Kind;
use crate::engine::audit::{Audited, Touch};
use crate::report::history::{self, History, Ranked, dwell, ranked, signs};
use crate::report::words::{count, grouped};
use crate::report::{Options, Report};
use crate::rule::Severity;

/// Commits that have a card.
const CARDS: usize = 40;
/// Transitions on a card.
const TRANSITIONS: usize = 8;
/// Commits in the table of all.
const ALL: usize = 1000;

pub(super) fn write(report: &Report, history: &History, options: &Options, page: &mut Page) {
    page.section("commits", "Commits to look at first");
    if history.commits.is_empty() {
        page.put("<p>No commit changes a label.</p>\n");
        page.end();
        return;
    }
    let touches: BTreeMap<&str, &Touch> = history.touches.iter().map(|touch| (touch.commit.as_str(), touch)).collect();
    let all = ranked(report, history);
    let (loud, quiet): (Vec<_>, Vec<_>) = all.iter().partition(|one| one.severity() >= Some(Severity::Warning));
    if loud.is_empty() {
        page.put("<p>None stands out. Those with notes are below.</p>\n");
    }
    let mut at = 0;
    let mut one = |ranked: &&Ranked<'_>, page_options: &Options| {
        at += 1;
        card(at, ranked, touches.get(ranked.commit.commit.as_str()).copied(), page_options)
    };
    let more = page.list(loud.iter(), CARDS, |ranked| one(ranked, options));
    page.more(more, "more commit");
    let quiet: Vec<_> = quiet.into_iter().filter(|ranked| ranked.severity().is_some()).collect();
    if !quiet.is_empty() {
        page.put(&format!(
            "<details class=\"fold\"><summary>{} with notes: nothing that stands out by itself</summary>\n",
            count(quiet.len() as u64, "commit")
        ));
        let more = page.list(quiet.iter(), CARDS, |ranked| one(ranked, options));
        page.more(more, "more commit");
        page.put("</details>\n");
    }
    page.end();
}

fn card(at: usize, ranked: &Ranked<'_>, touch: Option<&Touch>, options: &Options) -> String {
    let commit = ranked.commit;
    let severity = ranked.severity().map_or("note", Severity::as_str);
    let id = commit.commit.get(..10).unwrap_or(&commit.commit);
    let subject = match commit.subject.is_empty() {
        true => String::new(),
        false => format!("<span class=\"subject\">{}</span>", data(&commit.subject, 120)),
    };
    let mut facts = vec![data(&commit.author, 100), data(&commit.day, 10)];
    if let Some(touch) = touch {
        facts.push(if touch.signed { "signed" } else { "not signed" }.to_owned());
        if touch.merges {
            facts.push("merge".to_owned());
        }
        if touch.added + touch.removed > 0 {
            facts.push(format!("rows +{} −{}", grouped(touch.added), grouped(touch.removed)));
        }
    }
    facts.extend(dwell(&commit.dwell).map(|words| sentence(&words, 200)));
    let mut out = format!(
        "<article class=\"card {severity}\" id=\"c{id}\">\n<h3><span class=\"rank\">{at}</span> <span class=\"badge \
         {severity}\">{severity}</span> <code>{id}</code> {subject}</h3>\n<p class=\"facts\">{}</p>\n",
        facts.join(" · ")
    );
    out.push_str(&transitions(commit));
    let signs = signs(commit);
    if !signs.is_empty() {
        out.push_str("<ul class=\"signs\">\n");
        for (words, numbers) in signs {
            out.push_str(&format!("<li>{} <small>{}</small></li>\n", sentence(&words, 200), sentence(&numbers, 200)));
        }
        out.push_str("</ul>\n");
    }
    for finding in &ranked.findings {
        out.push_str(&evidence(finding));
        out.push_str(&help(finding));
        out.push_str(&accept(finding, "audit --accept", options));
    }
    out.push_str("</article>\n");
    out
}

/// The largest changes of a commit.
fn transitions(commit: &Audited) -> String {
    let rows = history::transitions(commit);
    let mut out = String::from("<ul class=\"flows\">\n");
    for (kind, from, to, n) in rows.iter().take(TRANSITIONS) {
        out.push_str(&format!(
            "<li><b>{}</b> <span class=\"kind\">{}</span> {} → {}</li>\n",
            grouped(*n),
            kind.as_str(),
            class(*from),
            class(*to)
        ));
    }
    if let Some(more @ 1..) = rows.len().checked_sub(TRANSITIONS) {
        out.push_str(&format!("<li>and {}</li>\n", count(more as u64, "more transition")));
    }
    out.push_str("</ul>\n");
    out
}

/// Every commit that changed a label, as a table.
pub(super) fn all(history: &History, page: &mut Page) {
    if history.commits.is_empty() {
        return;
    }
    page.section("all", "All commits that changed labels");
    page.put(&format!("<details><summary>{}</summary>\n", count(history.commits.len() as u64, "commit")));
    let head = ["Commit", "Day", "Author", "What it says", "#Flips", "#Other changes", "Signs"];
    page.table(("", &head), history.commits.iter().rev(), (ALL, "more commit"), |commit| {
        let sum = |flips: bool| {
            let of = commit.changes.iter().filter(|change| (change.kind == Kind::Flip) == flips);
            of.map(|change| change.count).sum::<u64>()
        };
        let names: Vec<String> =
            commit.signals.iter().filter_map(|signal| Some(sentence(signal.get("name")?.as_str()?, 60))).collect();
        format!(
            "<tr><td><code>{}</code></td><td class=\"day\">{}</td><td>{}</td><td>{}</td>{}{}<td>{}</td></tr>\n",
            commit.commit.get(..10).unwrap_or(&commit.commit),
            data(&commit.day, 10),
            data(&commit.author, 80),
            data(&commit.subject, 80),
            number(sum(true)),
            number(sum(false)),
            names.join(", ")
        )
    });
    page.put("</details>\n");
    page.end();
}
