use proptest::prelude::*;

use super::*;
use crate::policy::baseline::Baseline;
use crate::policy::tests::{EXAMPLE, RULES, day, parse, part_of_the_example};

fn compare(before: &Policy, after: &Policy) -> Vec<Loosened> {
    let none = Baseline::default();
    let proposed = Proposed {
        before,
        after,
        baseline_before: &none,
        baseline_after: &none,
        first: false,
        file: None,
        baseline_file: None,
    };
    loosened(&proposed, &|id| RULES.iter().find(|rule| rule.id == id).map(|rule| rule.severity))
}

/// Message and the text that is pointed at.
fn messages(before: &str, after: &str) -> Vec<(String, String)> {
    let (before, after) = (format!("version: 1\n{before}"), format!("version: 1\n{after}"));
    compare(&parse(&before).unwrap(), &parse(&after).unwrap())
        .into_iter()
        .map(|l| {
            let Places::Policy(Some(span)) = l.places else { panic!("a place in the policy: {l:?}") };
            (l.message, String::from_utf8_lossy(span.of(after.as_bytes())).into_owned())
        })
        .collect()
}

fn one(before: &str, after: &str, message: &str, at: &str) {
    assert_eq!(messages(before, after), [(message.to_owned(), at.to_owned())], "{before} -> {after}");
}

/// Loosens one way and says nothing the other way.
fn one_way(before: &str, after: &str, message: &str, at: &str) {
    one(before, after, message, at);
    assert_eq!(messages(after, before), [], "{after} -> {before}");
}

#[test]
fn severities() {
    one_way("", "rules: {label-flip: warning}\n", "`label-flip` is lowered from error to warning", "label-flip");
    one_way("", "rules:\n  label-flip: {severity: off}\n", "`label-flip` is turned off; it was error", "severity");
    one_way(
        "rules: {label-flip: warning}\n",
        "rules: {label-flip: note}\n",
        "`label-flip` is lowered from warning to note",
        "label-flip",
    );
    assert_eq!(messages("", "rules: {label-flip: error}\n"), []);
}

#[test]
fn settings_of_rules_are_told_whichever_way_they_change() {
    one(
        "rules: {label-flip: {window: 3}}\n",
        "rules: {label-flip: {window: 5}}\n",
        "`window` of `label-flip` changes from `3` to `5`, which may be weaker",
        "window",
    );
    one(
        "rules: {label-flip: {window: 3}}\n",
        "rules: {label-flip: {}}\n",
        "`window` of `label-flip` changes from `3` to what it is by itself, which may be weaker",
        "label-flip",
    );
    assert_eq!(
        messages("rules: {label-flip: {a: [x,  y]}}\n", "rules:\n  label-flip:\n    a:\n    - x\n    - \"y\"\n"),
        []
    );
}

#[test]
fn exceptions_added_widened_and_prolonged() {
    let with = |rest: &str| format!("exceptions:\n- {{rule: label-flip, {rest}}}\n");
    let who = "reason: r, owner: o";
    let old = with(&format!("files: data/*, count: 3, {who}, until: 2027-01-01"));
    let text = |s: &str| s.trim_start_matches("exceptions:\n- ").trim_end().to_owned();
    one_way(
        "",
        &old,
        "an exception is added for `label-flip` in data/* at most 3 times, until 2027-01-01: r (o)",
        &text(&old),
    );
    let wide = with(&format!("count: 4, {who}, until: 2027-01-01"));
    one_way(
        &old,
        &wide,
        "an exception is widened from `label-flip` in data/* at most 3 times to `label-flip` at most 4 times",
        &text(&wide),
    );
    let long = with(&format!("files: data/*, count: 3, {who}, until: 2028-01-01"));
    one_way(
        &old,
        &long,
        "the exception for `label-flip` in data/* at most 3 times counts until 2028-01-01; it counted until 2027-01-01",
        &text(&long),
    );
    let reworded = with("files: data/*, count: 3, reason: other, owner: p, until: 2027-01-01");
    assert_eq!(messages(&old, &reworded), []);
    let points = with(&format!("code_points: [200C, 200D], {who}, until: 2027-01-01"));
    let fewer = with(&format!("code_points: [200C], {who}, until: 2027-01-01"));
    assert_eq!(messages(&points, &fewer), []);
    assert_eq!(messages(&fewer, &points).len(), 1);
}

#[test]
fn sources_added_widened_and_less_firmly_tied() {
    let s = |rest: &str| format!("sources:\n  s: {{{rest}}}\n");
    let old =
        s("match: {hub: \"huggingface:a/b\", kind: dataset}, pin: commit, reviewed: 2026-01-01, expires: 2027-01-01");
    assert_eq!(messages("", &old), [], "the first source begins to deny");
    one(&old, "", "the allowlist is taken away: any source counts as allowed; 1 were listed", "version");
    let more = format!("{old}  t: {{match: {{path: x}}}}\n");
    one_way(&old, &more, "the source `t` is added: x (no licence, no reviewer)", "t");
    one_way(
        &old,
        &old.replace("a/b", "a/*"),
        "the source `s` matches huggingface:a/* (dataset); it matched huggingface:a/b (dataset)",
        "match",
    );
    one_way(
        &old,
        &old.replace(", kind: dataset", ""),
        "the source `s` matches huggingface:a/b; it matched huggingface:a/b (dataset)",
        "match",
    );
    one_way(
        &old,
        &old.replace("pin: commit, ", ""),
        "references to the source `s` are tied to nothing; they were to commit",
        "s",
    );
    one_way(
        &old,
        &old.replace("2027", "2028"),
        "the review of `s` counts until 2028-01-01; it counted until 2027-01-01",
        "expires",
    );
    assert_eq!(
        messages(&old, &old.replace("2027", "2028").replace("2026", "2027")),
        [],
        "a new review may count longer"
    );
    assert_eq!(messages(&old, &old.replace("  s:", "  renamed:")), []);
}

#[test]
fn keys_added_and_prolonged() {
    let key = "RWQBAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJico";
    let k = |rest: &str| format!("keys:\n  k: {{minisign: {key}, principal: a@x, {rest}}}\n");
    let old = k("from: 2026-01-01, until: 2027-01-01, roles: [r]");
    one_way("", &old, "the key `k` of a@x is added", "k");
    one_way(
        &old,
        &old.replace("2027", "2028"),
        "`until` of the key `k` changes from until 2027-01-01 to until 2028-01-01",
        "until",
    );
    one_way(
        &old,
        &old.replace("from: 2026-01-01, ", ""),
        "`from` of the key `k` changes from 2026-01-01 to always",
        "k",
    );
    one(&old, &old.replace("a@x", "b@x"), "`principal` of the key `k` changes from a@x to b@x", "principal");
    one_way(&old, &old.replace("[r]", "[r, q]"), "`roles` of the key `k` changes from [r] to [r, q]", "roles");
    one_way(
        &k("revoked: true"),
        &k("revoked: false"),
        "`revoked` of the key `k` changes from true to false",
        "revoked",
    );
    let told = |day: &str| k(&format!("revoked: {{at: {day}, reason: retired, earlier: trusted}}"));
    one_way(
        &told("2026-03-01"),
        &told("2026-04-01"),
        "`revoked` of the key `k` changes from 2026-03-01 to 2026-04-01",
        "revoked",
    );
    let other = old.replace("RWQB", "RWQC");
    one(&old, &other, "the key `k` of a@x is replaced by another", "k");
}

#[test]
fn requirements_limits_languages_people_and_excludes() {
    one_way(
        "require: {signatures: 2}\n",
        "require: {signatures: 1}\n",
        "`require: signatures` goes from 2 to 1",
        "signatures",
    );
    one_way("require: {coverage: full}\n", "", "`require: coverage` goes from full to data", "version");
    one_way(
        "require: {policy_change: true}\n",
        "require: {}\n",
        "`require: policy_change` goes from true to false",
        "require",
    );
    one_way(
        "require: {max_age_days: 90}\n",
        "require: {}\n",
        "`require: max_age_days` goes from 90 to any age",
        "require",
    );
    one_way("limits: {blob: 1 MiB}\n", "", "the limit `blob` is raised from 1048576 to 1073741824", "version");
    one("repo: a/b\n", "repo: c/d\n", "signatures are bound to c/d; they were to a/b", "repo");
    one_way("languages: [en]\n", "", "the languages go from en to any", "version");
    one_way("", "people: {bots: [x@y]}\n", "x@y is added to `people: bots`", "bots");
    one_way("", "exclude: [vendor/]\n", "`vendor/` is excluded: nothing in it is judged any more", "vendor/");
}

#[test]
fn descriptions_that_take_rules_off_the_data() {
    let d = |rest: &str| format!("datasets:\n  d: {{files: [a, b], {rest}}}\n");
    one_way(&d("text: t"), "datasets:\n  d: {files: [a], text: t}\n", "no dataset covers b any more; `d` did", "files");
    one_way(&d("text: t, label: l"), &d("text: t"), "l of `d` is no label any more", "d");
    one_way(
        &d("label: l"),
        &d("label: l, null: [\"\", spam]"),
        "the label `spam` of `d` now means \"not labelled yet\"",
        "null",
    );
    one_way(&d("role: rag"), &d("role: train"), "`d` is no longer said to be read by retrieval (`role: rag`)", "d");
    assert_eq!(messages(&d("text: t"), &d("text: t").replace("  d:", "  e:")), [], "a new name is no loss");
}

#[test]
fn a_deleted_policy_is_one_finding() {
    let found = compare(&parse(EXAMPLE).unwrap(), &Policy::builtin(day()));
    assert_eq!(found.iter().map(|l| l.message.as_str()).collect::<Vec<_>>(), ["the policy is deleted"]);
    assert_eq!(found[0].places, Places::Policy(None));
}

#[test]
fn a_grown_baseline_is_one_finding_a_rule_with_every_entry() {
    let print = |n: u8| format!("{n:x}").repeat(32);
    let text = |list: &[(&str, u8, u64)]| {
        let lines = list.iter().map(|(rule, n, count)| format!("{rule} {} {count} x\n", print(*n)));
        format!("# foretaste baseline, version 1\n{}", lines.collect::<String>())
    };
    let before = Baseline::parse("b", &text(&[("a", 1, 2), ("b", 2, 1)])).unwrap();
    let after_text = text(&[("a", 1, 3), ("a", 3, 4), ("b", 2, 1)]);
    let after = Baseline::parse("b", &after_text).unwrap();
    let found = baseline(&before.grown(&after));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "the baseline accepts 5 more places of `a`");
    let Places::Baseline(entries) = &found[0].places else { panic!() };
    assert_eq!(entries.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [1, 4]);
    assert!(entries[1].0.of(after_text.as_bytes()).starts_with(b"a 333"));
    assert!(baseline(&after.grown(&before)).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_policy_does_not_loosen_itself_and_every_place_lies_in_the_new_file(
        text in part_of_the_example(),
        other in part_of_the_example(),
    ) {
        let (policy, other) = (parse(&text).unwrap(), parse(&other).unwrap());
        prop_assert_eq!(compare(&policy, &policy), []);
        for found in compare(&policy, &other) {
            let Places::Policy(Some(span)) = found.places else { panic!("a place: {found:?}") };
            prop_assert!(!span.of(other.text.as_bytes()).is_empty());
        }
    }
}
