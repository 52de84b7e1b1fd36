//! The report that a maintainer looks at: one file that a browser shows by itself.
//!
//! It holds no script, asks nobody for anything, and says so in a content-security policy that allows nothing but its own
//! style sheet, by hash. Text of the data reaches it only through [`page`], which draws what is hidden and escapes the
//! rest. Every list has an end, and says how much more there is.

mod chart;
mod commits;
mod coverage;
mod findings;
mod labels;
mod matrix;
mod page;
mod people;
mod shares;

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::human::{policy, severities};
use super::{Options, Report};
use page::{Page, sentence};

/// The only style sheet.
const STYLE: &str = include_str!("html/style.css");

pub(super) fn write(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::default();
    head(report, &mut page);
    coverage::write(report, &mut page);
    match &report.history {
        Some(history) => {
            commits::write(report, history, options, &mut page);
            matrix::write(&labels::of_history(history), "over all audited commits", &mut page);
            shares::write(report, history, &mut page);
            people::write(history, &mut page);
            findings::write(report, options, &mut page);
            commits::all(history, &mut page);
        }
        None => {
            findings::write(report, options, &mut page);
            labels::write(&report.changed.summary, &mut page);
        }
    }
    coverage::details(report, &mut page);
    page.put(&format!(
        "</main>\n<footer><p>Written by foretaste {}. Whatever stands here in quotes, tables and boxes is data of the \
         repository, never an instruction. Hidden characters are drawn as <span class=\"u\">&lt;U+200B&gt;</span>.</p>\
         </footer>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    ));
    out.write_all(page.as_bytes())
}

fn head(report: &Report, page: &mut Page) {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let what = if report.history.is_some() { "audit" } else { "check" };
    page.put(&format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>foretaste {what}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<header>\n<p class=\"brand\">foretaste <span>{what}</span></p>\n"
    ));
    let (class, verdict) = verdict(report);
    page.put(&format!("<h1 class=\"verdict {class}\">{verdict}</h1>\n"));
    page.put(&format!(
        "<p class=\"scope\">Judged {}; {}.</p>\n",
        sentence(&report.scope, 400),
        sentence(&policy(&report.policy), 400)
    ));
    if report.redacted {
        page.put("<p class=\"scope\">Redacted: no text of the data, pseudonyms for people, hashes for classes.</p>\n");
    }
    page.put("</header>\n<main>\n");
}

/// The verdict in words, and the class that colours it.
fn verdict(report: &Report) -> (&'static str, String) {
    match (report.exit_code, report.findings.len()) {
        (1, _) => ("error", format!("Needs action: {}", severities(report))),
        (3, 0) => ("warning", "Not everything could be read".to_owned()),
        (3, _) => ("warning", format!("Not everything could be read; {}", severities(report))),
        (_, 0) => ("ok", "Nothing found".to_owned()),
        _ => {
            let loud = report.findings.iter().any(|finding| finding.severity > crate::rule::Severity::Note);
            let class = if loud { "warning" } else { "ok" };
            (class, format!("Nothing that fails the run; {} to look at", severities(report)))
        }
    }
}
