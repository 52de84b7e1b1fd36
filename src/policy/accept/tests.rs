use proptest::prelude::*;

use super::*;
use crate::finding::{Mark, content_hash};
use crate::policy::tests::{RULES, parse};
use crate::rule::Severity;

fn path_of(blob: BlobId) -> BString {
    format!("data/{}.jsonl", blob.0).into()
}

/// A finding of `invisible-unicode` with a place for each (blob, content).
fn finding(cause: &str, places: &[(u32, &str)]) -> Finding {
    let mut finding = Finding::new(&RULES[0], cause, "a message");
    for (index, (blob, content)) in places.iter().enumerate() {
        let span = Span::new(index as u64 * 10, index as u64 * 10 + 3);
        let mark = Mark { content: content_hash(content.as_bytes()), ..Mark::bytes(BlobId(*blob), span) };
        finding.marks.push(mark);
    }
    finding.total = places.len() as u64;
    finding
}

fn run(findings: Vec<Finding>, policy: &str, baseline: &Baseline, full: bool) -> Applied {
    let extent = if full { Extent::Whole } else { Extent::Change };
    apply(findings, &parse(policy).unwrap(), baseline, extent, &path_of)
}

fn with(exception: &str) -> String {
    format!(
        "version: 1\nexceptions:\n  - {{rule: invisible-unicode, {exception}, reason: r, owner: o, until: 2027-01-01}}\n"
    )
}

fn stale(applied: &Applied) -> Vec<&str> {
    applied.stale.iter().map(|s| s.message.as_str()).collect()
}

const PLAIN: &str = "version: 1\n";

#[test]
fn the_policy_turns_rules_off_and_lowers_and_raises_them() {
    let all = || {
        let mut soft = finding("soft", &[(0, "a")]);
        soft.severity = Severity::Note;
        vec![finding("hard", &[(0, "a")]), soft]
    };
    let severities = |policy: &str| {
        run(all(), policy, &Baseline::default(), true).findings.iter().map(|f| f.severity).collect::<Vec<_>>()
    };
    assert_eq!(severities(PLAIN), [Severity::Error, Severity::Note]);
    assert_eq!(severities("version: 1\nrules: {invisible-unicode: off}\n"), []);
    assert_eq!(severities("version: 1\nrules: {invisible-unicode: warning}\n"), [Severity::Warning, Severity::Note]);
    assert_eq!(severities("version: 1\nrules: {invisible-unicode: error}\n"), [Severity::Error, Severity::Note]);
    assert_eq!(severities("version: 1\nrules: {label-flip: off}\n"), [Severity::Error, Severity::Note]);
}

#[test]
fn a_cause_that_gains_a_place_stays_with_the_new_place_alone() {
    let baseline = Baseline::from_findings(&[finding("c", &[(0, "a"), (1, "b")])], &path_of);
    let same = run(vec![finding("c", &[(0, "a"), (1, "b")])], PLAIN, &baseline, true);
    assert!(same.findings.is_empty() && same.accepted == 2 && same.stale.is_empty());

    let grown = run(vec![finding("c", &[(0, "a"), (1, "b"), (2, "c")])], PLAIN, &baseline, true);
    assert_eq!((grown.findings.len(), grown.accepted), (1, 2));
    assert_eq!(grown.findings[0].marks.iter().map(|m| m.place.blob.0).collect::<Vec<_>>(), [2]);
    assert_eq!((grown.findings[0].total, grown.findings[0].evidence["accepted"].as_u64()), (1, Some(2)));
}

#[test]
fn the_same_content_twice_is_accepted_as_often_as_it_was_there() {
    let baseline = Baseline::from_findings(&[finding("c", &[(0, "a"), (0, "a")])], &path_of);
    let thrice = run(vec![finding("c", &[(0, "a"), (0, "a"), (0, "a")])], PLAIN, &baseline, true);
    assert_eq!((thrice.findings[0].total, thrice.accepted), (1, 2));
    let moved = run(vec![finding("c", &[(1, "a"), (1, "a")])], PLAIN, &baseline, true);
    assert_eq!((moved.findings[0].total, moved.accepted), (2, 0), "another file is another place");
    let other = run(vec![finding("d", &[(0, "a")])], PLAIN, &baseline, true);
    assert_eq!(other.findings[0].total, 1, "another cause is another place");
}

#[test]
fn entries_that_match_nothing_are_told_by_rule_and_only_of_a_whole_scan() {
    let baseline = Baseline::from_findings(&[finding("c", &[(0, "a"), (1, "b")])], &path_of);
    let applied = run(vec![finding("c", &[(0, "a")])], PLAIN, &baseline, true);
    let message = "1 place of foretaste.baseline match nothing any more (invisible-unicode 1); `foretaste baseline` takes them away";
    assert_eq!(stale(&applied), [message]);
    assert!(run(Vec::new(), PLAIN, &baseline, false).stale.is_empty());
    assert!(run(Vec::new(), "version: 1\nrules: {invisible-unicode: off}\n", &baseline, true).stale.is_empty());
}

#[test]
fn places_too_many_to_list_are_accepted_by_number_and_only_in_a_whole_scan() {
    let many = |total: u64| {
        let mut many = finding("c", &[(0, "a"), (0, "b")]);
        many.total = total;
        many
    };
    let baseline = Baseline::from_findings(&[many(500)], &path_of);
    assert_eq!(baseline.counts()["invisible-unicode"], 500);
    assert!(run(vec![many(500)], PLAIN, &baseline, true).findings.is_empty());
    assert!(run(vec![many(400)], PLAIN, &baseline, true).findings.is_empty());
    let more = run(vec![many(510)], PLAIN, &baseline, true);
    assert_eq!((more.findings[0].total, more.accepted), (10, 500));
    let change = run(vec![many(102)], PLAIN, &baseline, false);
    assert_eq!(change.findings[0].total, 100, "what a change brings is not what was there");
}

#[test]
fn an_exception_acts_where_its_files_and_its_code_points_say() {
    let mut joiner = finding("c", &[(0, "a"), (1, "b")]);
    joiner.evidence.insert("code_points", serde_json::json!(["U+200C"]));
    let mut both = finding("d", &[(0, "a")]);
    both.evidence.insert("code_points", serde_json::json!(["U+200C", "U+200B"]));
    let all = || vec![joiner.clone(), both.clone(), finding("e", &[(0, "a")])];
    let applied = run(all(), &with("files: data/0.jsonl, code_points: [200C]"), &Baseline::default(), true);
    let left: Vec<_> = applied.findings.iter().map(|f| (f.cause.as_str(), f.total)).collect();
    assert_eq!(left, [("c", 1), ("d", 1), ("e", 1)]);
    assert_eq!(applied.findings[0].marks[0].place.blob, BlobId(1));
    let applied = run(all(), &with("code_points: [200B, 200C]"), &Baseline::default(), true);
    assert_eq!(applied.findings.iter().map(|f| f.cause.as_str()).collect::<Vec<_>>(), ["e"]);
}

#[test]
fn an_exception_by_fingerprint_takes_a_cause_or_a_place() {
    let cause = finding("c", &[(0, "a"), (1, "b")]);
    let place = cause.place_fingerprint(b"data/1.jsonl", &cause.marks[1]);
    let applied = run(vec![cause.clone()], &with(&format!("fingerprint: \"{place}\"")), &Baseline::default(), true);
    assert_eq!((applied.findings[0].marks.len(), applied.findings[0].marks[0].place.blob.0), (1, 0));
    let applied = run(
        vec![cause.clone()],
        &with(&format!("fingerprint: \"{}\"", cause.fingerprint())),
        &Baseline::default(),
        true,
    );
    assert!(applied.findings.is_empty());
    let unlisted = Finding::new(&RULES[0], "whole", "m");
    let print = unlisted.fingerprint();
    let applied = run(vec![unlisted], &with(&format!("fingerprint: \"{print}\"")), &Baseline::default(), false);
    assert!(applied.findings.is_empty() && applied.accepted == 1);
}

#[test]
fn an_exception_with_a_number_holds_up_to_it_and_then_not_at_all() {
    let three = || vec![finding("c", &[(0, "a"), (0, "b")]), finding("d", &[(1, "c")])];
    assert!(run(three(), &with("count: 3"), &Baseline::default(), true).findings.is_empty());
    let applied = run(three(), &with("count: 2"), &Baseline::default(), true);
    assert_eq!((applied.findings.len(), applied.accepted), (2, 0));
    assert_eq!(
        stale(&applied),
        ["the exception for `invisible-unicode` accepts 2 and 3 were found, so that it accepts none of them"]
    );
}

#[test]
fn an_exception_counts_through_its_last_day_and_then_says_so() {
    let policy = |until: &str| with("count: 9").replace("2027-01-01", until);
    let one = || vec![finding("c", &[(0, "a")])];
    assert!(run(one(), &policy("2026-11-23"), &Baseline::default(), true).findings.is_empty());
    let applied = run(one(), &policy("2026-11-22"), &Baseline::default(), false);
    assert_eq!(applied.findings.len(), 1);
    assert_eq!(
        stale(&applied),
        ["the exception for `invisible-unicode` ended on 2026-11-22 and no longer counts; o answers for it"]
    );
    assert!(applied.stale[0].span.is_some());
    assert!(run(Vec::new(), &policy("2026-11-22"), &Baseline::default(), false).stale.is_empty());
    let unused = run(Vec::new(), &policy("2027-01-01"), &Baseline::default(), true);
    assert_eq!(stale(&unused), ["the exception for `invisible-unicode` matches nothing any more"]);
}

#[test]
fn unlisted_places_are_excused_by_files_only_where_they_must_lie_in_them() {
    let crowd: Vec<(u32, &str)> = (0..MAX_MARKS).map(|_| (0, "a")).collect();
    let mut crowded = finding("c", &crowd);
    crowded.total = 5000;
    let policy = with("files: data/0.jsonl, count: 9000");
    assert!(run(vec![crowded], &policy, &Baseline::default(), true).findings.is_empty());
    let mut scattered = finding("c", &[(0, "a"), (0, "b")]);
    scattered.total = 5000;
    let applied = run(vec![scattered], &policy, &Baseline::default(), true);
    assert_eq!(applied.findings[0].total, 4998, "the others may lie in any file");
}

#[test]
fn cutting_keeps_the_number() {
    let crowd: Vec<(u32, &str)> = (0..MAX_MARKS as u32 + 7).map(|blob| (blob, "a")).collect();
    let mut findings = vec![finding("c", &crowd)];
    cut(&mut findings);
    assert_eq!((findings[0].marks.len(), findings[0].total), (MAX_MARKS, MAX_MARKS as u64 + 7));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_baseline_of_what_is_found_accepts_all_of_it_and_none_of_what_comes(
        old in prop::collection::vec((0u32..3, "[a-c]"), 1..20),
        new in prop::collection::vec((0u32..3, "[d-f]"), 0..5),
    ) {
        let make = |list: &[(u32, String)]| {
            let places: Vec<(u32, &str)> = list.iter().map(|(blob, c)| (*blob, c.as_str())).collect();
            finding("c", &places)
        };
        let baseline = Baseline::from_findings(&[make(&old)], &path_of);
        let again = run(vec![make(&old)], PLAIN, &baseline, true);
        prop_assert!(again.findings.is_empty() && again.stale.is_empty());
        let both: Vec<_> = old.iter().chain(&new).cloned().collect();
        let grown = run(vec![make(&both)], PLAIN, &baseline, true);
        let left: u64 = grown.findings.iter().map(|f| f.total).sum();
        prop_assert_eq!((left, grown.accepted), (new.len() as u64, old.len() as u64));
    }
}

#[test]
fn the_policy_of_a_folder_raises_what_lies_in_it_also_out_of_off() {
    let mut policy = parse("version: 1\nrules: {invisible-unicode: off}\n").unwrap();
    let severities = vec![("invisible-unicode".to_owned(), Severity::Warning)];
    policy.folders = vec![crate::policy::Folder { path: "data/1".into(), severities }];
    let run = |policy: &Policy| {
        apply(vec![finding("c", &[(0, "a"), (1, "b")])], policy, &Baseline::default(), Extent::Whole, &path_of)
    };
    let applied = run(&policy);
    assert_eq!((applied.findings[0].severity, applied.findings[0].total), (Severity::Warning, 1));
    policy.rules = Vec::new();
    assert_eq!(run(&policy).findings[0].severity, Severity::Error, "it never lowers");
}
