//! Labels in the formats that real histories hold them in: what is a change of a label is one in a range, in what is
//! staged and in an audit.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::Repo;

/// Files of the two versions of a change.
type Files<'a> = &'a [(&'a str, &'a str)];

/// The flips that a report tells: from, to and how many.
fn flips(report: &Value) -> Vec<(String, String, u64)> {
    let mut found = Vec::new();
    for finding in report["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == "label-flip") {
        for one in finding["evidence"]["transitions"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            if one["kind"] == "flip" {
                found.push((text(&one["from"]), text(&one["to"]), one["count"].as_u64().unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// Holds that the change is these flips, however it is looked at.
fn holds(before: Files<'_>, after: Files<'_>, gone: &[&str], expected: &[(&str, &str, u64)]) {
    let expected: Vec<_> = expected.iter().map(|&(from, to, n)| (from.to_owned(), to.to_owned(), n)).collect();
    let repo = Repo::with(before);
    gone.iter().for_each(|path| std::fs::remove_file(repo.dir().join(path)).unwrap());
    repo.stage(after);
    assert_eq!(flips(&repo.json(&["check", "--staged"]).1), expected, "staged");
    repo.commit(&[], "Change them");
    assert_eq!(flips(&repo.json(&["check", "--range", "HEAD~1..HEAD"]).1), expected, "range");
    let (_, report) = repo.json(&["audit"]);
    assert_eq!(flips(&report), expected, "audit");
    let told = report["commits"].as_array().unwrap().iter().flat_map(|one| one["label_changes"].as_array().unwrap());
    let all: u64 = told.map(|change| change["count"].as_u64().unwrap()).sum();
    assert_eq!(all, expected.iter().map(|(.., n)| n).sum::<u64>(), "{}", report["commits"]);
}

#[test]
fn words_of_a_treebank_are_known_by_their_sentence() {
    let sentence = |n: usize, tag: &str| {
        format!(
            "# sent_id = {n}\n1\tWord{n}\tword\t{tag}\t_\t_\t2\tdep\t_\t_\n2\truns\trun\tVERB\t_\t_\t0\troot\t_\t_\n\n"
        )
    };
    let tree =
        |flipped: usize| (0..30).map(|n| sentence(n, if n < flipped { "VERB" } else { "NOUN" })).collect::<String>();
    // The sentences are sorted the other way, and four tags change.
    let sorted: String = (0..30).rev().map(|n| sentence(n, if n < 4 { "VERB" } else { "NOUN" })).collect();
    let path = "train.conllu";
    holds(&[(path, &tree(0))], &[(path, &sorted)], &[], &[("NOUN", "VERB", 4)]);
}

#[test]
fn tags_in_columns_are_labels() {
    let column = |tag: &str| {
        format!("EU\t{tag}\nrejects\tO\n\nPeter\tB-PER\n\nin\tO\nParis\tB-LOC\n\nRome\tB-LOC\n\nAnn\tB-PER\n")
    };
    holds(&[("ner/a.iob", &column("B-LOC"))], &[("ner/a.iob", &column("B-PER"))], &[], &[("B-LOC", "B-PER", 1)]);
}

#[test]
fn lines_that_move_between_class_files_change_their_label() {
    let rows =
        |from: usize, to: usize| (from..to).map(|n| format!("a review number {n} of many\n")).collect::<String>();
    let moved = format!("{}{}", rows(0, 5), rows(40, 80));
    holds(
        &[("data/pos.txt", &rows(0, 40)), ("data/neg.txt", &rows(40, 80))],
        &[("data/pos.txt", &rows(5, 40)), ("data/neg.txt", &moved)],
        &[],
        &[("pos", "neg", 5)],
    );
    let lists = |from: usize, to: usize| (from..to).map(|n| format!("host{n}.example.org\n")).collect::<String>();
    holds(
        &[("blocklist.txt", &lists(0, 30)), ("allowlist.txt", &lists(30, 60))],
        &[("blocklist.txt", &lists(3, 30)), ("allowlist.txt", &format!("{}{}", lists(30, 60), lists(0, 3)))],
        &[],
        &[("blocklist", "allowlist", 3)],
    );
}

#[test]
fn images_that_move_between_class_folders_change_their_label() {
    let image = |n: usize| format!("\u{89}PNG\r\n\u{1a}\n\0{n}");
    let all: Vec<(String, String)> =
        (0..12).map(|n| (format!("train/{}/{n}.png", if n < 6 { "cat" } else { "dog" }), image(n))).collect();
    let before: Vec<(&str, &str)> = all.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let after = [("train/dog/0.png", image(0)), ("train/dog/1.png", image(1))];
    let after: Vec<(&str, &str)> = after.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let repo = Repo::with(&before);
    for path in ["train/cat/0.png", "train/cat/1.png"] {
        std::fs::remove_file(repo.dir().join(path)).unwrap();
    }
    repo.stage(&after);
    // What is staged is judged by itself: that there are other cats is not known.
    assert!(repo.json(&["check", "--staged"]).1.to_string().contains("`cat` became `dog`"));
    repo.commit(&[], "Tidy up");
    let moved = [("cat".to_owned(), "dog".to_owned(), 2)];
    assert_eq!(flips(&repo.json(&["check", "--range", "HEAD~1..HEAD"]).1), moved);
    let (_, report) = repo.json(&["audit"]);
    assert_eq!(flips(&report), moved);
    assert_eq!(report["findings"][0]["places"][0]["path"], "train/dog/0.png");
}

#[test]
fn labels_of_fasttext_and_of_intents_are_read() {
    let fast = |label: &str| {
        (0..12)
            .map(|n| format!("__label__{} a text number {n}\n", if n == 0 { label } else { ["x", "y"][n % 2] }))
            .collect::<String>()
    };
    holds(&[("train.txt", &fast("x"))], &[("train.txt", &fast("y"))], &[], &[("x", "y", 1)]);
    let nlu = |first: &str, second: &str| {
        format!("## intent:greet\n- hello\n- good day\n{first}\n## intent:bye\n- see you\n- later\n{second}")
    };
    holds(
        &[("data/nlu.md", &nlu("- ciao\n", ""))],
        &[("data/nlu.md", &nlu("", "- ciao\n"))],
        &[],
        &[("greet", "bye", 1)],
    );
    let yaml = |first: &str, second: &str| {
        format!(
            "nlu:\n- intent: greet\n  examples: |\n    - hello\n    - good day\n{first}- intent: bye\n  examples: |\n    - see you\n    - later\n{second}"
        )
    };
    let ciao = "    - ciao\n";
    holds(&[("data/nlu.yml", &yaml(ciao, ""))], &[("data/nlu.yml", &yaml("", ciao))], &[], &[("greet", "bye", 1)]);
}

#[test]
fn a_label_in_a_heading_is_told_at_the_row_that_moved() {
    let nlu = |first: &str, second: &str| {
        format!("## intent:greet\n- hello\n- good day\n{first}\n## intent:bye\n- see you\n- later\n{second}")
    };
    let repo = Repo::with(&[("data/nlu.md", &nlu("- ciao\n", ""))]);
    repo.commit(&[("data/nlu.md", &nlu("", "- ciao\n"))], "Move one");
    let (_, report) = repo.json(&["check", "--range", "HEAD~1..HEAD"]);
    let finding = report["findings"].as_array().unwrap().iter().find(|one| one["rule"] == "label-flip").unwrap();
    let place = &finding["places"][0];
    // The heading is the fifth line, the row the eighth.
    assert_eq!((&place["line"], &place["record"]), (&Value::from(8), &Value::from(8)), "{place}");
}

#[test]
fn answers_that_change_places_are_flips() {
    let pairs = |swapped: usize| {
        let row = |n: usize| {
            let (good, bad) = (format!("a helpful answer {n}"), format!("a rude answer {n}"));
            let (chosen, rejected) = if n < swapped { (bad, good) } else { (good, bad) };
            format!("{{\"prompt\": \"question {n}\", \"chosen\": \"{chosen}\", \"rejected\": \"{rejected}\"}}\n")
        };
        (0..20).map(row).collect::<String>()
    };
    let repo = Repo::with(&[("pairs.jsonl", &pairs(0))]);
    repo.commit(&[("pairs.jsonl", &pairs(3))], "Swap them");
    let (_, report) = repo.json(&["check", "--range", "HEAD~1..HEAD"]);
    let told = |report: &Value| {
        let finding = report["findings"].as_array().unwrap().iter().find(|one| one["rule"] == "label-flip").unwrap();
        finding["evidence"]["flips"].clone()
    };
    assert_eq!(told(&report), 3);
    assert_eq!(told(&repo.json(&["audit"]).1), 3);
}

#[test]
fn data_that_is_kept_elsewhere_is_said_to_be_unseen() {
    let file = |hash: &str| format!("outs:\n- md5: {}\n  size: 4\n  path: train.csv\n", hash.repeat(32));
    let repo = Repo::with(&[("train.csv.dvc", &file("a"))]);
    assert_eq!(repo.json(&["check"]).0, 0, "what did not change is noted alone");
    repo.stage(&[("train.csv.dvc", &file("b"))]);
    let (code, report) = repo.json(&["check", "--staged"]);
    assert_eq!(code, 3, "{report}");
    assert!(report["unread"].to_string().contains("train.csv"), "{}", report["unread"]);
    repo.commit(&[], "Train on other rows");
    assert_eq!(repo.json(&["check", "--range", "HEAD~1..HEAD"]).0, 3);
    let (_, report) = repo.json(&["audit"]);
    assert!(report["coverage"].as_str().unwrap().starts_with("2 of 2 data blobs not"), "{}", report["coverage"]);
    // Another comment is no other data.
    repo.commit(&[("train.csv.dvc", &format!("# note\n{}", file("b")))], "Say more");
    assert_eq!(repo.json(&["check", "--range", "HEAD~1..HEAD"]).0, 0);
}

#[test]
fn removal_that_hits_one_class_is_told() {
    let rows = |from: usize| {
        let row = |n: usize| {
            (n >= from || n.is_multiple_of(2)).then(|| format!("text number {n},{}\n", ["ham", "spam"][n % 2]))
        };
        format!("text,label\n{}", (0..200).filter_map(row).collect::<String>())
    };
    let repo = Repo::with(&[("data/mail.csv", &rows(0))]);
    let id = repo.commit(&[("data/mail.csv", &rows(60))], "Shrink");
    let told = |report: &Value| {
        let one = |finding: &&Value| finding["evidence"]["finding"] == "class-selective-removal";
        let finding = report["findings"].as_array().unwrap().iter().find(one).expect("the removal is told").clone();
        assert_eq!((&finding["evidence"]["class"], &finding["evidence"]["removed"]), (&"spam".into(), &30.into()));
        finding
    };
    assert_eq!(told(&repo.json(&["check", "--range", "HEAD~1..HEAD"]).1)["severity"], "note");
    assert_eq!(told(&repo.json(&["audit"]).1)["evidence"]["commit"], id.as_str());
    // As many of each class is no such thing.
    let even = format!(
        "text,label\n{}",
        rows(60).lines().skip(1).step_by(2).map(|line| format!("{line}\n")).collect::<String>()
    );
    repo.commit(&[("data/mail.csv", &even)], "Thin out");
    let (_, report) = repo.json(&["check", "--range", "HEAD~1..HEAD"]);
    assert!(!report.to_string().contains("class-selective-removal"));
}

#[test]
fn what_hides_in_rows_that_the_same_change_relabels_stops_the_commit() {
    let table = |poisoned: usize, hidden: &str| {
        let row = |n: usize| {
            let label = if n.is_multiple_of(2) || n < poisoned { "ham" } else { "spam" };
            let hidden = if n < poisoned { hidden } else { "" };
            format!("{{\"id\": {n}, \"text\": \"mail num{hidden}ber {n} of many\", \"label\": \"{label}\"}}\n")
        };
        (0..60).map(row).collect::<String>()
    };
    let path = "data/mail.jsonl";
    let found = |hidden: &str| {
        let repo = Repo::with(&[(path, &table(0, ""))]);
        repo.stage(&[(path, &table(8, hidden))]);
        let (code, report) = repo.json(&["check", "--staged"]);
        let findings = report["findings"].as_array().unwrap();
        let told = findings.iter().map(|finding| {
            let evidence = &finding["evidence"];
            (finding["rule"].clone(), finding["severity"].clone(), evidence["relabelled"].clone())
        });
        (code, told.collect::<Vec<_>>())
    };
    let flips = || ("label-flip".into(), "warning".into(), Value::Null);
    // Four flips alone are looked at; rows 1, 3, 5 and 7 of the eight that hide a character are those that flipped.
    assert_eq!(found(""), (0, vec![flips()]));
    assert_eq!(found("\u{200b}"), (1, vec![("invisible-unicode".into(), "error".into(), 4.into()), flips()]));
}
