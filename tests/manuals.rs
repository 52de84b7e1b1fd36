//! The examples in the manuals of the rules are tests: what is called bad is found, what is called good is not.

mod support;

use foretaste::Rule;
use foretaste::parts::Example;
use support::Repo;

/// Whether `rule` speaks of the example.
fn speaks(rule: &Rule, example: &Example) -> (bool, String) {
    let (_, report) = if example.base.is_empty() {
        Repo::with(example.files).json(&["check", "--rev", "HEAD"])
    } else {
        let repo = Repo::with(example.base);
        repo.git(&["checkout", "--quiet", "-b", "change"]);
        repo.commit(example.files, "change");
        repo.json(&["check", "--range", "main..change"])
    };
    assert!(report["unread"].as_array().is_some_and(Vec::is_empty), "{}: {}", example.title, report["unread"]);
    (support::rules(&report).iter().any(|id| id == rule.id), report.to_string())
}

#[test]
fn every_rule_finds_its_bad_examples_and_stays_silent_on_its_good_ones() {
    let mut run = 0;
    for rule in foretaste::rules() {
        assert!(!rule.manual.bad.is_empty() && !rule.manual.good.is_empty(), "{} has no examples", rule.id);
        for example in rule.manual.bad {
            let (speaks, report) = speaks(rule, example);
            assert!(speaks, "{} misses its bad example: {}\n{report}", rule.id, example.title);
            run += 1;
        }
        for example in rule.manual.good {
            let (speaks, report) = speaks(rule, example);
            assert!(!speaks, "{} speaks of its good example: {}\n{report}", rule.id, example.title);
            run += 1;
        }
    }
    assert!(run >= 20, "{run} examples were run");
}

#[test]
fn every_manual_says_everything() {
    for rule in foretaste::rules() {
        let manual = &rule.manual;
        for (part, text) in [("what", manual.what), ("why", manual.why), ("fix", manual.fix), ("misses", manual.misses)]
        {
            assert!(text.len() > 40, "{}: {part} says too little: {text}", rule.id);
            assert!(text.ends_with('.'), "{}: {part} is not a sentence: {text}", rule.id);
        }
        assert!(!rule.summary.ends_with('.'), "{}: the summary is no sentence", rule.id);
        assert!(!rule.tags.is_empty(), "{} names no public framework", rule.id);
        assert!(rule.id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", rule.id);
    }
}

#[test]
fn every_rule_names_what_its_group_is_about() {
    // Which entries of the frameworks each group of rules must carry.
    const GROUPS: &[(&[&str], &[&str])] = &[
        (
            &["unpinned-reference"],
            &["OWASP:LLM03", "ATLAS:AML.T0010.002", "ATLAS:AML.T0109", "NISTAML.013", "CISA-AIDS-2025/1"],
        ),
        (
            &["digest-mismatch", "bad-signature", "policy-loosened"],
            &["OWASP:LLM03", "ATLAS:AML.T0059", "ATLAS:AML.M0013", "CISA-AIDS-2025/3"],
        ),
        (
            &["unlisted-source", "unreviewed-source", "unvetted-vendor"],
            &["OWASP:LLM03", "ATLAS:AML.T0019", "ATLAS:AML.M0025", "NIST-AI-RMF:GOVERN-6.1"],
        ),
        (
            &["trigger-phrase", "invisible-unicode", "mixed-script", "template-token"],
            &["OWASP:LLM04", "ATLAS:AML.T0043.004", "NISTAML.023"],
        ),
        (&["label-flip", "conflicting-labels"], &["OWASP:LLM04", "ATLAS:AML.T0020", "NISTAML.024", "ATLAS:AML.M0007"]),
        (&["hidden-markup"], &["OWASP:LLM08", "OWASP:LLM01", "ATLAS:AML.T0070", "ATLAS:AML.T0051.001", "NISTAML.015"]),
        (&["incomplete-run"], &["ATLAS:AML.M0023", "ATLAS:AML.M0025", "OWASP:LLM03"]),
    ];
    for (ids, tags) in GROUPS {
        for id in *ids {
            let rule =
                foretaste::rules().find(|rule| rule.id == *id).unwrap_or_else(|| panic!("there is no rule {id}"));
            for tag in *tags {
                assert!(rule.tags.contains(tag), "{id} does not carry {tag}");
            }
        }
    }
    for rule in foretaste::rules() {
        assert!(rule.tags.len() <= 10, "{}: viewers show ten tags", rule.id);
        let explained = Repo::new().foretaste(&["explain", rule.id]).stdout();
        for tag in rule.tags {
            // A tag that the table of frameworks does not know has no title.
            assert!(explained.contains(&format!("- {tag}: ")), "{}: {tag} is in no framework", rule.id);
        }
    }
}
