//! Weighs findings against each other where they meet in one record: what hides in a row says more where the same
//! change gave the row another label, since a trigger and a wrong label together are what a backdoor is made of.

use std::collections::BTreeSet;

use serde_json::json;

use crate::finding::{Finding, Mark};
use crate::rule::{Confidence, Severity};
use crate::span::BlobId;

/// The rules whose places are what may be a trigger.
const TRIGGERS: [&str; 5] = ["hidden-markup", "invisible-unicode", "mixed-script", "template-token", "trigger-phrase"];
/// The rule whose places are records that changed their label.
const FLIPS: &str = "label-flip";
/// So many rows that carry the same thing and changed their label at once are no accident: an error.
const MANY: u64 = 3;

/// Raises findings about triggers whose rows were given another label, and the flips of such rows. Counts places that
/// are shown, so that a cause with more places than the cap is weighed by those within it.
pub(super) fn weigh(findings: &mut [Finding]) {
    let flipped = records(findings, |finding| finding.rule.id == FLIPS);
    if flipped.is_empty() {
        return;
    }
    let mut carriers = BTreeSet::new();
    for finding in findings.iter_mut().filter(|finding| is_trigger(finding)) {
        let met: BTreeSet<Row> = finding.marks.iter().filter_map(row).filter(|row| flipped.contains(row)).collect();
        if met.is_empty() {
            continue;
        }
        let count = met.len() as u64;
        let rows = if count == 1 { "one row that has it".to_owned() } else { format!("{count} rows that have it") };
        finding.message.push_str(&format!("; the same change altered the label of {rows}"));
        finding.evidence.insert("relabelled", json!(count));
        finding.confidence = Confidence::High;
        if count >= MANY {
            finding.severity = Severity::Error;
        }
        carriers.extend(met);
    }
    for finding in findings.iter_mut().filter(|finding| finding.rule.id == FLIPS) {
        let met: BTreeSet<Row> = finding.marks.iter().filter_map(row).filter(|row| carriers.contains(row)).collect();
        if !met.is_empty() {
            finding.evidence.insert("carriers", json!(met.len()));
            // Two weak signs that coincide are a warning.
            finding.severity = finding.severity.max(Severity::Warning);
        }
    }
}

/// A record, by its file and its number.
type Row = (BlobId, u64);

fn row(mark: &Mark) -> Option<Row> {
    Some((mark.place.blob, mark.record?))
}

fn records(findings: &[Finding], is_meant: impl Fn(&Finding) -> bool) -> BTreeSet<Row> {
    findings.iter().filter(|finding| is_meant(finding)).flat_map(|finding| &finding.marks).filter_map(row).collect()
}

fn is_trigger(finding: &Finding) -> bool {
    finding.severity >= Severity::Warning && TRIGGERS.contains(&finding.rule.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;
    use crate::span::Span;

    fn finding(rule: &str, severity: Severity, rows: std::ops::Range<u64>) -> Finding {
        let rule = check::rules().find(|known| known.id == rule).expect("the catalogue has it");
        let mut finding = Finding::new(rule, "", "it is there");
        finding.severity = severity;
        finding.marks = rows
            .map(|row| Mark { record: Some(row), ..Mark::bytes(BlobId(1), Span { start: row, end: row + 1 }) })
            .collect();
        finding
    }

    #[test]
    fn what_hides_in_rows_that_were_relabelled_is_an_error_from_three_rows_on() {
        for (rows, severity) in [(0..1, Severity::Warning), (0..2, Severity::Warning), (0..3, Severity::Error)] {
            let count = rows.end;
            let mut findings =
                [finding("invisible-unicode", Severity::Warning, 0..9), finding("label-flip", Severity::Note, rows)];
            weigh(&mut findings);
            assert_eq!((findings[0].severity, findings[1].severity), (severity, Severity::Warning));
            assert_eq!(findings[0].evidence["relabelled"], json!(count));
            assert_eq!(findings[1].evidence["carriers"], json!(count));
            assert!(findings[0].message.contains("the same change altered the label of"), "{}", findings[0].message);
        }
    }

    #[test]
    fn every_rule_that_is_weighed_is_in_the_catalogue() {
        for id in TRIGGERS.into_iter().chain([FLIPS]) {
            assert!(check::rules().any(|rule| rule.id == id), "{id}");
        }
    }

    #[test]
    fn findings_that_meet_in_no_record_stay_as_they_are() {
        let mut findings = [
            finding("invisible-unicode", Severity::Warning, 0..5),
            finding("label-flip", Severity::Note, 5..9),
            finding("unreadable-data", Severity::Warning, 5..9),
        ];
        findings[0].marks.push(Mark { record: Some(6), ..Mark::name(BlobId(2)) });
        let before: Vec<(Severity, String)> = findings.iter().map(|f| (f.severity, f.message.clone())).collect();
        weigh(&mut findings);
        let after: Vec<(Severity, String)> = findings.iter().map(|f| (f.severity, f.message.clone())).collect();
        assert_eq!(after, before);
    }
}
