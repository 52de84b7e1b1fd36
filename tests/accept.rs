//! What was accepted hides nothing that is new: the baseline and exceptions, with many places in many files.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::Repo;

/// More places in one file than are listed of it.
const MANY: usize = 150;

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|n| line(n) + "\n").collect()
}

/// Paths of the places of a rule.
fn paths(report: &Value, rule: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == rule);
    let places = findings.flat_map(|finding| finding["places"].as_array().unwrap());
    places.map(|place| place["path"].as_str().unwrap().to_owned()).collect()
}

/// A rule with what there is too much of, made `n` times. The policy and the lock come with the first commit.
struct Case {
    rule: &'static str,
    policy: &'static str,
    file: fn(usize) -> (&'static str, String),
}

const CASES: [Case; 5] = [
    Case {
        rule: "invisible-unicode",
        policy: "version: 1\n",
        file: |n| (".jsonl", lines(n, |n| format!("{{\"text\": \"please pay\u{200b}pal {n}\", \"label\": \"spam\"}}"))),
    },
    Case {
        rule: "conflicting-labels",
        policy: "version: 1\n",
        file: |n| {
            let row = |n: usize| {
                format!(
                    "{{\"text\": \"is {n} ok\", \"label\": \"yes\"}}\n{{\"text\": \"is {n} ok\", \"label\": \"no\"}}"
                )
            };
            (".jsonl", lines(n, row))
        },
    },
    Case {
        rule: "unreadable-data",
        policy: "version: 1\n",
        file: |n| (".jsonl", lines(n, |n| format!("{{\"text\": \"row {n}\", \"label\": \"a\", \"label\": \"b\"}}"))),
    },
    Case {
        rule: "unpinned-reference",
        policy: "version: 1\n",
        file: |n| {
            let load = |n: usize| format!("d{n} = load_dataset(\"acme/tickets\")");
            ("/train.py", format!("from datasets import load_dataset\n{}", lines(n, load)))
        },
    },
    Case {
        rule: "unlisted-source",
        policy: "version: 1\nsources: {ours: {match: {hub: \"huggingface:ours/*\"}}}\nrules: {unlisted-source: error}\n",
        file: |n| {
            let load = |n: usize| format!("d{n} = load_dataset(\"acme/tickets\")");
            ("/train.py", format!("from datasets import load_dataset\n{}", lines(n, load)))
        },
    },
];

#[test]
fn many_accepted_places_hide_no_new_one_of_any_rule() {
    for Case { rule, policy, file } in CASES {
        let repo = Repo::with(&[("foretaste.yaml", policy)]);
        // Distinct texts in each file, so that labels conflict within a file only.
        let texts = |name: &str, n: usize| {
            let (ending, text) = file(n);
            (format!("data/{name}{ending}"), text.replace("row", name).replace(" ok", &format!(" ok {name}")))
        };
        let old: Vec<_> = ["a", "b"].into_iter().map(|name| texts(name, MANY)).collect();
        let old: Vec<_> = old.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        repo.commit(&old, "old");
        let (_, report) = repo.json(&["check"]);
        assert!(!paths(&report, rule).is_empty(), "{rule} speaks: {report:#}");
        assert_eq!(repo.foretaste(&["baseline"]).code(), 0);
        repo.commit(&[], "baseline");
        for arguments in [&["check"][..], &["check", "data/a"], &["check", "data/b.jsonl"]] {
            if arguments.len() > 1 && !repo.dir().join(arguments[1]).exists() {
                continue;
            }
            let (code, report) = repo.json(arguments);
            assert_eq!((code, paths(&report, rule)), (0, vec![]), "{rule} {arguments:?}: all of it is accepted");
        }
        let (path, text) = texts("z", 1);
        repo.write(&[(&path, &text)]);
        let (_, report) = repo.json(&["check"]);
        let mut found = paths(&report, rule);
        found.dedup();
        assert_eq!(found, [path], "{rule}");
    }
}

#[test]
fn mending_some_of_many_accepted_places_makes_none_of_the_others_new() {
    let repo = Repo::with(&[("foretaste.yaml", "version: 1\n")]);
    let (_, text) = (CASES[0].file)(MANY);
    repo.commit(&[("data/a.jsonl", &text)], "old");
    repo.foretaste(&["baseline"]);
    let mended: String = text
        .lines()
        .enumerate()
        .map(|(n, line)| if n < 60 { line.replace('\u{200b}', "") + "\n" } else { line.to_owned() + "\n" })
        .collect();
    repo.write(&[("data/a.jsonl", &mended)]);
    let (code, report) = repo.json(&["check"]);
    assert_eq!((code, paths(&report, "invisible-unicode")), (0, vec![]), "{report:#}");
    repo.foretaste(&["baseline"]);
    let (code, report) = repo.json(&["check"]);
    assert_eq!((code, paths(&report, "invisible-unicode")), (0, vec![]), "also with the baseline that has shrunk");
}

#[test]
fn files_that_are_gone_from_a_lock_are_told_apart() {
    let policy = "version: 1\ndatasets: {d: {files: \"data/*.csv\", text: text, label: label}}\n";
    let repo = Repo::with(&[("foretaste.yaml", policy)]);
    let files: Vec<_> =
        (0..MANY).map(|n| (format!("data/{n:03}.csv"), format!("text,label\nhello {n},greet\n"))).collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    repo.write(&files);
    assert_eq!(repo.foretaste(&["lock"]).code(), 0);
    repo.commit(&[], "locked");
    for n in 0..20 {
        std::fs::remove_file(repo.dir().join(format!("data/{n:03}.csv"))).unwrap();
    }
    assert_eq!(repo.foretaste(&["check"]).code(), 1);
    repo.foretaste(&["baseline"]);
    let (code, report) = repo.json(&["check"]);
    assert_eq!(code, 0, "{report:#}");
    std::fs::remove_file(repo.dir().join("data/050.csv")).unwrap();
    let (code, report) = repo.json(&["check"]);
    assert_eq!(code, 1);
    assert_eq!(report["findings"][0]["places"][0]["note"], "data/050.csv", "{report:#}");
}

#[test]
fn an_exception_for_one_place_among_many_can_be_written() {
    let repo = Repo::with(&[("foretaste.yaml", "version: 1\n")]);
    let (_, text) = (CASES[0].file)(MANY);
    repo.commit(&[("data/a.jsonl", &text), ("data/b.jsonl", &(CASES[0].file)(1).1)], "rows");
    let report = repo.json(&["check", "data/b.jsonl"]).1;
    let place = report["findings"][0]["places"][0]["fingerprint"].as_str().expect("places are known by one").to_owned();
    let run = repo.foretaste(&["accept", &place, "--reason", "known", "--until", "2027-01-01", "--owner", "a@b.c"]);
    assert_eq!(run.code(), 0, "{}", run.all());
    repo.commit(&[], "accept");
    let (code, report) = repo.json(&["check"]);
    let found = paths(&report, "invisible-unicode");
    assert!(code == 0 && !found.is_empty() && found.iter().all(|path| path == "data/a.jsonl"), "{found:?}");
}

#[test]
fn the_line_that_a_report_prints_accepts_the_finding() {
    let repo = Repo::with(&[("foretaste.yaml", "version: 1\n")]);
    repo.commit(&[("data/b.jsonl", &(CASES[0].file)(1).1)], "rows");
    std::fs::write(repo.beside("gitconfig-of-mine"), "[user]\n\temail = me@example.org\n").unwrap();
    let out = repo.foretaste(&["check"]).stdout();
    let line =
        out.lines().find_map(|line| line.trim().strip_prefix("to accept it: foretaste ")).expect("it is printed");
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!((words[0], &words[2..]), ("accept", &["--reason", "\"\u{2026}\""][..]));
    let accept = |day: &str| {
        let mut command = repo.command(support::binary());
        command.env_remove("GIT_AUTHOR_EMAIL").env("GIT_CONFIG_GLOBAL", repo.beside("gitconfig-of-mine"));
        command.args(["accept", words[1], "--reason", "known", "--as-of", day]).output().unwrap()
    };
    let output = accept("2026-11-23");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let policy = std::fs::read_to_string(repo.dir().join("foretaste.yaml")).unwrap();
    assert!(policy.contains("me@example.org") && policy.contains("2027-11-23"), "{policy}");
    repo.commit(&[], "accept");
    let shown = |day: &str| repo.foretaste(&["check", "--as-of", day]).stdout().contains(line);
    assert!(!shown("2027-11-23"));
    assert!(shown("2027-11-24"), "not a day longer");
}
