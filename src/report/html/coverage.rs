//! What was looked at, and what was not.

use super::page::{Page, data, sentence};
use crate::report::Report;
use crate::report::words::{bytes, count, grouped};

/// Lines of a list.
const MOST: usize = 300;

/// The numbers at the top.
pub(super) fn write(report: &Report, page: &mut Page) {
    let looked = &report.looked_at;
    let mut tiles = vec![(grouped(looked.commits), "commits"), (grouped(looked.files), "files")];
    tiles.extend([(bytes(looked.bytes), "of data"), (grouped(looked.records), "records")]);
    if looked.commits == 0 {
        tiles.remove(0);
        tiles.push((grouped(looked.references), "references"));
    }
    if let Some(history) = &report.history {
        tiles[1].1 = "versions of files";
        let changed: u64 = history.commits.iter().flat_map(|commit| &commit.changes).map(|change| change.count).sum();
        tiles.push((grouped(changed), "labels changed"));
        tiles.push((grouped(history.commits.len() as u64), "commits changed labels"));
    }
    tiles.push((grouped(report.unread.len() as u64), "not read"));
    page.put("<section id=\"coverage\" aria-label=\"Coverage\">\n<dl class=\"tiles\">\n");
    for (number, what) in tiles {
        let class = if what == "not read" && !report.unread.is_empty() { " class=\"warning\"" } else { "" };
        page.put(&format!("<div{class}><dt>{what}</dt><dd>{number}</dd></div>\n"));
    }
    page.put("</dl>\n");
    if let Some(history) = &report.history {
        page.put(&format!("<p class=\"scope\">Coverage: {}.</p>\n", sentence(&history.coverage, 400)));
    }
    let mut links = Vec::new();
    if report.history.is_some() {
        links.extend([("commits", "Commits"), ("labels", "Labels"), ("shares", "Shares"), ("people", "People")]);
    } else {
        links.extend([("findings", "Findings"), ("labels", "Labels"), ("data", "Data")]);
    }
    links.push(("covered", "Coverage"));
    let links: Vec<String> = links.into_iter().map(|(id, name)| format!("<a href=\"#{id}\">{name}</a>")).collect();
    page.put(&format!("<nav>{}</nav>\n", links.join(" ")));
    page.end();
}

/// The lists at the end.
pub(super) fn details(report: &Report, page: &mut Page) {
    page.section("covered", "What was looked at, and what was not");
    page.put(&format!("<p>{}.</p>\n", sentence(&crate::report::human::last_line(report), 1000)));
    if !report.unread.is_empty() {
        page.put("<h3>Not read</h3>\n");
        page.table(("", &["What", "Why"]), report.unread.iter(), (MOST, "more gap"), |unread| {
            format!("<tr><td>{}</td><td>{}</td></tr>\n", data(&unread.path, 400), sentence(&unread.reason, 400))
        });
    }
    if !report.notes.is_empty() {
        page.put("<h3>Notes</h3>\n<ul>\n");
        let more = page.list(report.notes.iter(), MOST, |note| format!("<li>{}</li>\n", sentence(note, 1000)));
        page.put("</ul>\n");
        page.more(more, "more note");
    }
    if !report.guesses.is_empty() {
        let files = count(report.guesses.len() as u64, "file");
        page.put(&format!("<details><summary>What was guessed of the fields of {files}</summary>\n"));
        let head = ["File", "Shape", "Fields", "#Records that fit"];
        page.table(("", &head), report.guesses.iter(), (MOST, "more file"), |(path, guess)| {
            let fields: Vec<String> = guess
                .fields
                .iter()
                .take(20)
                .map(|(name, role)| format!("{} = {}", data(name, 60), format!("{role:?}").to_lowercase()))
                .collect();
            let (matched, sampled) = guess.support;
            format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{matched}/{sampled}</td></tr>\n",
                data(path, 400),
                guess.shape,
                fields.join(", ")
            )
        });
        page.put("</details>\n");
    }
    page.end();
}
