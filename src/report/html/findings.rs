//! Findings by rule, with their places, and rows before and after where a label changed.

use super::page::{Page, both, class, data, excerpt, sentence};
use crate::finding::Versions;
use crate::report::human::{at, label};
use crate::report::words::count;
use crate::report::{Located, Options, Report, Spot};
use crate::rule::{Rule, Severity};

/// Findings of one rule.
const FINDINGS: usize = 100;
/// Places of one finding, and rows that are shown before and after.
const PLACES: usize = 10;
const ROWS: usize = 12;
/// Code points of a row.
const TEXT: usize = 400;

/// The findings; in an audit only those that are not told with a commit.
pub(super) fn write(report: &Report, options: &Options, page: &mut Page) {
    let is_audit = report.history.is_some();
    let told = |finding: &&Located| is_audit && finding.evidence.contains_key("commit");
    let mut rules: Vec<(&'static Rule, Vec<&Located>)> = Vec::new();
    for finding in report.findings.iter().filter(|finding| !told(finding)) {
        match rules.iter_mut().find(|(rule, _)| rule.id == finding.rule.id) {
            Some((_, list)) => list.push(finding),
            None => rules.push((finding.rule, vec![finding])),
        }
    }
    if rules.is_empty() {
        return;
    }
    page.section("findings", if is_audit { "What is unusual about people" } else { "Findings" });
    let verb = if is_audit { "audit --accept" } else { "accept" };
    for (rule, findings) in rules {
        let loud = !is_audit || findings.iter().any(|finding| finding.severity > Severity::Note);
        let open = if loud { " open" } else { "" };
        page.put(&format!(
            "<details class=\"fold\"{open}><summary><code>{}</code> {} <small>{}</small></summary>\n",
            rule.id,
            sentence(rule.summary, 200),
            count(findings.len() as u64, "finding")
        ));
        let more = page.list(findings.into_iter(), FINDINGS, |finding| card(finding, verb, options));
        page.more(more, "more finding");
        page.put("</details>\n");
    }
    page.end();
}

fn card(finding: &Located, verb: &str, options: &Options) -> String {
    let severity = finding.severity.as_str();
    let mut out = format!(
        "<article class=\"card {severity}\">\n<h3><span class=\"badge {severity}\">{severity}</span> <span \
         class=\"subject\">{}</span></h3>\n",
        sentence(&finding.message, 1000)
    );
    out.push_str(&evidence(finding));
    out.push_str(&help(finding));
    out.push_str(&accept(finding, verb, options));
    out.push_str("</article>\n");
    out
}

/// What to do.
pub(super) fn help(finding: &Located) -> String {
    match finding.help.is_empty() {
        true => String::new(),
        false => format!("<p class=\"help\"><b>What to do:</b> {}</p>\n", sentence(&finding.help, 1000)),
    }
}

/// What a finding stands on: rows before and after, or its places.
pub(super) fn evidence(finding: &Located) -> String {
    let rows: Vec<&Spot> = finding.spots.iter().filter(|spot| shows_rows(spot)).collect();
    if rows.is_empty() {
        return places(finding);
    }
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"rows\"><thead><tr><th scope=\"col\">Where</th><th \
         scope=\"col\">Before</th><th scope=\"col\">After</th></tr></thead><tbody>\n",
    );
    for spot in rows.iter().take(ROWS) {
        let Some(versions) = &spot.versions else { continue };
        let (before, after) = (versions.before.text.as_deref(), versions.after.text.as_deref());
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) if before == after => {
                (data(before, TEXT), "<span class=\"same\">same text</span>".to_owned())
            }
            (Some(before), Some(after)) => both(before, after, TEXT),
            (None, None) => (String::new(), spot.excerpt.as_ref().map(excerpt).unwrap_or_default()),
            (before, after) => {
                let one = |text: Option<&str>| text.map(|text| data(text, TEXT)).unwrap_or_default();
                (one(before), one(after))
            }
        };
        out.push_str(&format!(
            "<tr><td class=\"where\">{}</td><td>{}<p>{before}</p></td><td>{}<p>{after}</p></td></tr>\n",
            place(spot),
            class(versions.before.label.as_deref()),
            class(versions.after.label.as_deref()),
        ));
    }
    out.push_str("</tbody></table></div>\n");
    out.push_str(&and_more(finding.total, rows.len().min(ROWS)));
    out
}

fn shows_rows(spot: &Spot) -> bool {
    let read = |versions: &Versions| versions.before.text.is_some() || versions.after.text.is_some();
    spot.versions.as_ref().is_some_and(|versions| read(versions) || spot.excerpt.is_some())
}

fn places(finding: &Located) -> String {
    if finding.spots.is_empty() {
        return String::new();
    }
    let mut out = String::from("<ul class=\"places\">\n");
    for spot in finding.spots.iter().take(PLACES) {
        let note = spot.note.as_ref().map(|note| format!(" <span>{}</span>", sentence(note, 200))).unwrap_or_default();
        let row = spot.excerpt.as_ref().filter(|excerpt| !excerpt.text.is_empty());
        let row = row.map(|row| format!("<pre>{}</pre>", excerpt(row))).unwrap_or_default();
        out.push_str(&format!("<li>{}{note}{row}</li>\n", place(spot)));
    }
    out.push_str("</ul>\n");
    out.push_str(&and_more(finding.total, finding.spots.len().min(PLACES)));
    out
}

fn and_more(total: u64, shown: usize) -> String {
    match total.saturating_sub(shown as u64) {
        0 => String::new(),
        more => format!("<p class=\"more\">and {}</p>\n", count(more, "more place")),
    }
}

/// Where something is: `path:line:column`, and the record where that tells more.
fn place(spot: &Spot) -> String {
    let mut out = format!("<code>{}</code>", sentence(&at(spot), 400));
    let bare = Spot { note: None, ..spot.clone() };
    if let Some(words) = label(&bare) {
        out.push_str(&format!(" <small>{}</small>", sentence(&words, 200)));
    }
    out
}

/// The command that accepts a finding, and the line of the policy that it would write.
pub(super) fn accept(finding: &Located, verb: &str, options: &Options) -> String {
    // Fingerprints of a redacted report are hashed once more, so nothing would know them.
    if options.redact.is_some() {
        return String::new();
    }
    let (rule, fingerprint) = (finding.rule.id, &finding.fingerprint);
    let until = if verb == "accept" { " --until YYYY-MM-DD" } else { "" };
    format!(
        "<details class=\"accept\"><summary>To accept it, with a reason</summary>\n<pre>foretaste {verb} {fingerprint} \
         --reason &quot;…&quot;{until}</pre>\n<p>or, in <code>foretaste.yaml</code> on the base branch, under \
         <code>exceptions:</code></p>\n<pre>- {{rule: {rule}, fingerprint: &quot;{fingerprint}&quot;, reason: \
         &quot;…&quot;, owner: &quot;you@example.org&quot;, until: YYYY-MM-DD}}</pre></details>\n"
    )
}
