//! `foretaste audit` end to end: small histories made with git, and campaigns injected into them with a seed.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::Repo;

const CLASSES: [&str; 4] = ["delivery", "refund", "chat", "account"];

/// Numbers that are the same everywhere.
#[derive(Debug)]
struct Seed(u64);

impl Seed {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

/// A labelled text.
type Row = (String, &'static str);

/// Rows whose texts share nothing but common words.
fn rows(seed: &mut Seed, count: usize) -> Vec<Row> {
    let words =
        ["parcel", "bill", "letter", "order", "shop", "street", "window", "garden", "phone", "box", "road", "table"];
    (0..count)
        .map(|n| {
            let mut word = || words[seed.next(words.len())];
            (format!("{} {} {} number {n} {}", word(), word(), word(), word()), CLASSES[n % CLASSES.len()])
        })
        .collect()
}

fn table(rows: &[Row]) -> String {
    rows.iter().map(|(text, label)| format!("{{\"text\": \"{text}\", \"label\": \"{label}\"}}\n")).collect()
}

/// The same rows in another layout.
fn reformatted(rows: &[Row]) -> String {
    rows.iter().map(|(text, label)| format!("{{\"label\":\"{label}\",\"text\":\"{text}\"}}\n")).collect()
}

/// A repository of 2,000 rows with 25 honest commits by two people.
fn honest(seed: &mut Seed) -> (Repo, Vec<Row>) {
    let mut all = rows(seed, 2000);
    let repo = Repo::with(&[("data/tickets.jsonl", &table(&all))]);
    for n in 0..25 {
        for _ in 0..3 {
            let at = seed.next(all.len());
            all.push((format!("one more {} {n} {at}", all[at].0), all[at].1));
        }
        commit(&repo, if n % 2 == 0 { "Ana" } else { "Ben" }, &table(&all), &format!("Add rows, part {n}"));
    }
    (repo, all)
}

fn commit(repo: &Repo, who: &str, text: &str, message: &str) -> String {
    repo.stage(&[("data/tickets.jsonl", text)]);
    let mut command = repo.command("git");
    command.args(["commit", "--quiet", "--no-verify", "-m", message]);
    command.env("GIT_AUTHOR_NAME", who).env("GIT_AUTHOR_EMAIL", format!("{}@example.org", who.to_lowercase()));
    assert!(command.status().unwrap().success());
    repo.git(&["rev-parse", "HEAD"]).trim().to_owned()
}

fn flip(rows: &mut [Row], seed: &mut Seed, count: usize, to: &'static str) {
    let mut left = count;
    while left > 0 {
        let at = seed.next(rows.len());
        if rows[at].1 != to {
            rows[at].1 = to;
            left -= 1;
        }
    }
}

/// The findings of `label-flip` that are warnings or errors, by their commit.
fn loud(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let loud = findings.iter().filter(|finding| finding["severity"] != "note" && finding["rule"] == "label-flip");
    loud.map(|finding| finding["evidence"]["commit"].as_str().unwrap().to_owned()).collect()
}

fn of<'r>(report: &'r Value, commit: &str) -> &'r Value {
    report["commits"].as_array().unwrap().iter().find(|one| one["commit"] == commit).expect("the commit changes labels")
}

#[test]
fn an_honest_history_is_silent() {
    let (repo, _) = honest(&mut Seed(1));
    let (code, report) = repo.json(&["audit"]);
    assert_eq!(code, 0);
    assert_eq!(report["commits"], serde_json::json!([]));
    assert_eq!(report["findings"], serde_json::json!([]));
    assert_eq!(report["looked_at"]["commits"], 26);
    assert!(report["coverage"].as_str().unwrap().starts_with("all 26 data blobs"), "{}", report["coverage"]);
}

#[test]
fn thirty_flips_in_a_reformatting_commit_of_a_newcomer_are_found() {
    let mut seed = Seed(2);
    let (repo, mut all) = honest(&mut seed);
    flip(&mut all, &mut seed, 30, "refund");
    let id = commit(&repo, "Mallory", &reformatted(&all), "Put the fields in order");
    repo.git(&["tag", "v1"]);
    let (code, report) = repo.json(&["audit"]);
    assert_eq!(loud(&report), std::slice::from_ref(&id));
    assert_eq!(code, 1, "many flips to one class by a newcomer are an error");
    let told = of(&report, &id);
    let flips: u64 = told["label_changes"].as_array().unwrap().iter().map(|one| one["count"].as_u64().unwrap()).sum();
    assert_eq!(flips, 30);
    assert!(told["label_changes"].as_array().unwrap().iter().all(|one| one["kind"] == "flip" && one["to"] == "refund"));
    assert_eq!(told["dwell"]["tags"], serde_json::json!(["v1"]));
    let names: Vec<&str> = told["signals"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    for name in ["bulk-relabel", "one-target", "newcomer-label-edit"] {
        assert!(names.contains(&name), "{name} is among {names:?}");
    }
    let place = &report["findings"][0]["places"][0];
    assert_eq!(place["commit"], id);
    assert_eq!(place["path"], "data/tickets.jsonl");
}

#[test]
fn a_campaign_over_ten_commits_is_found() {
    let mut seed = Seed(3);
    let (repo, mut all) = honest(&mut seed);
    let mut ids = Vec::new();
    for n in 0..10 {
        flip(&mut all, &mut seed, 3, "refund");
        ids.push(commit(&repo, "Mallory", &table(&all), &format!("Tidy up, part {n}")));
    }
    let (_, report) = repo.json(&["audit"]);
    let loud = loud(&report);
    assert!(loud.contains(&ids[0]) && loud.contains(&ids[9]), "the first and the last are told: {loud:?}");
    let last = of(&report, &ids[9])["signals"].to_string();
    assert!(last.contains("newcomer-campaign"), "{last}");
    // Each place is in the version of its own commit, where the label stands as it was made.
    let findings = report["findings"].as_array().unwrap().iter();
    for place in findings.filter(|f| f["rule"] == "label-flip").flat_map(|f| f["places"].as_array().unwrap()) {
        let version = repo.git(&["show", &format!("{}:data/tickets.jsonl", place["commit"].as_str().unwrap())]);
        let at = |key: &str| place[key].as_u64().unwrap() as usize;
        assert_eq!(&version[at("byte_start")..at("byte_end")], "refund", "{place}");
    }
}

#[test]
fn flips_that_share_a_phrase_are_found_without_any_newcomer() {
    let mut seed = Seed(4);
    let (repo, mut all) = honest(&mut seed);
    // The phrase comes first, with honest labels; then its carriers flip.
    for n in 0..12 {
        all.push((format!("please use the blue lantern at gate {n} of the yard"), "delivery"));
    }
    commit(&repo, "Ana", &table(&all), "More rows");
    for (text, label) in &mut all {
        if text.contains("blue lantern") {
            *label = "chat";
        }
    }
    let id = commit(&repo, "Ben", &table(&all), "Correct some labels");
    let (_, report) = repo.json(&["audit"]);
    assert_eq!(loud(&report), std::slice::from_ref(&id));
    assert!(of(&report, &id)["signals"].to_string().contains("shared-trigger"));
}

#[test]
fn a_merge_with_labels_of_its_own_is_found_and_a_merge_after_a_rename_is_not() {
    let mut seed = Seed(5);
    let (repo, mut all) = honest(&mut seed);
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    let mut side = all.clone();
    side.extend(rows(&mut seed, 40).into_iter().map(|(text, label)| (format!("side {text}"), label)));
    commit(&repo, "Ben", &table(&side), "Rows of the side");
    repo.git(&["checkout", "--quiet", "main"]);
    // Every `chat` becomes `smalltalk` here; the merge puts the rows of the side into the same words.
    for (_, label) in &mut all {
        *label = if *label == "chat" { "smalltalk" } else { *label };
    }
    let renamed = commit(&repo, "Ana", &table(&all), "Rename a class");
    repo.git(&["merge", "--quiet", "--no-commit", "--strategy=ours", "side"]);
    for (_, label) in &mut side {
        *label = if *label == "chat" { "smalltalk" } else { *label };
    }
    let merge = commit(&repo, "Ana", &table(&side), "Merge the side");
    let (_, report) = repo.json(&["audit"]);
    assert_eq!(loud(&report), [""; 0], "a rename on one side explains the labels of the other");
    assert_eq!(of(&report, &renamed)["label_changes"][0]["kind"], "rename");
    assert!(of(&report, &merge).get("evil_merge").is_none());

    repo.git(&["checkout", "--quiet", "-b", "again"]);
    let mut again = side.clone();
    again.push(("again one row".to_owned(), "refund"));
    commit(&repo, "Ben", &table(&again), "One row");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.stage(&[("README.md", "hello\n")]);
    repo.git(&["commit", "--quiet", "-m", "Say hello"]);
    repo.git(&["merge", "--quiet", "--no-commit", "again"]);
    flip(&mut again, &mut seed, 5, "account");
    let evil = commit(&repo, "Ana", &table(&again), "Merge again");
    let (code, report) = repo.json(&["audit"]);
    assert_eq!(loud(&report), std::slice::from_ref(&evil));
    assert_eq!(of(&report, &evil)["evil_merge"], true);
    assert_eq!(code, 0, "a warning does not fail the run by itself");
    let counts = of(&report, &evil)["label_changes"].as_array().unwrap();
    assert_eq!(counts.iter().map(|one| one["count"].as_u64().unwrap()).sum::<u64>(), 5);
}

#[test]
fn what_came_before_is_known_and_not_judged() {
    let mut seed = Seed(6);
    let (repo, mut all) = honest(&mut seed);
    flip(&mut all, &mut seed, 4, "chat");
    let old = commit(&repo, "Ana", &table(&all), "Correct labels");
    flip(&mut all, &mut seed, 4, "refund");
    let new = commit(&repo, "Ana", &table(&all), "Correct labels once more");
    let commits = |arguments: &[&str]| -> Vec<String> {
        let (_, report) = repo.json(arguments);
        report["commits"].as_array().unwrap().iter().map(|c| c["commit"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(commits(&["audit"]), [old.clone(), new.clone()]);
    assert_eq!(commits(&["audit", "--since", &old]), std::slice::from_ref(&new));
    // Kinds still follow from the classes of all data.
    let (_, report) = repo.json(&["audit", "--since", &old]);
    assert_eq!(of(&report, &new)["label_changes"][0]["kind"], "flip");
    assert_eq!(repo.foretaste(&["audit", "--since", "nonsense"]).code(), 2);
}

#[test]
fn refs_are_followed_only_when_asked() {
    let mut seed = Seed(7);
    let (repo, mut all) = honest(&mut seed);
    flip(&mut all, &mut seed, 4, "chat");
    let stranger = commit(&repo, "Mallory", &table(&all), "Correct labels");
    repo.git(&["update-ref", "refs/pull/1/head", &stranger]);
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let (_, report) = repo.json(&["audit"]);
    assert_eq!(report["commits"], serde_json::json!([]));
    let (_, report) = repo.json(&["audit", "--refs", "refs/pull/*"]);
    assert_eq!(of(&report, &stranger)["commit"], stranger);
}

#[test]
fn what_is_missing_is_told_and_fails_only_where_asked() {
    let (repo, _) = honest(&mut Seed(8));
    let blob = repo.git(&["rev-parse", "HEAD~3:data/tickets.jsonl"]).trim().to_owned();
    let path = repo.dir().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    std::fs::remove_file(path).expect("objects of a young repository are loose");
    let (code, report) = repo.json(&["audit"]);
    assert_eq!(code, 0);
    assert_eq!(report["coverage"], "1 of 26 data blobs not present or not readable; label history not fully audited");
    let reason = report["unread"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("1 of 26 versions not read, in commits "), "{reason}");
    assert_eq!(repo.json(&["audit", "--require-coverage"]).0, 3);
    // A shallow clone has a past that nobody can see.
    let shallow = repo.beside("shallow");
    let url = format!("file://{}", repo.dir().display());
    repo.git(&["clone", "--quiet", "--no-local", "--depth=2", &url, shallow.to_str().unwrap()]);
    let run =
        repo.command(support::binary()).current_dir(&shallow).args(["audit", "--require-coverage"]).output().unwrap();
    assert_eq!(run.status.code(), Some(3), "{}", String::from_utf8_lossy(&run.stdout));
}

#[test]
fn what_takes_a_commit_back_says_so_and_is_a_note() {
    let mut seed = Seed(11);
    let (repo, before) = honest(&mut seed);
    let mut after = before.clone();
    flip(&mut after, &mut seed, 30, "refund");
    let id = commit(&repo, "Ana", &table(&after), "Correct labels");
    let back = commit(&repo, "Ben", &table(&before), "Put them back");
    let (_, report) = repo.json(&["audit"]);
    assert_eq!(loud(&report), std::slice::from_ref(&id));
    let findings = report["findings"].as_array().unwrap();
    let told = findings.iter().find(|finding| finding["evidence"]["commit"] == back.as_str()).unwrap();
    assert_eq!(told["evidence"]["takes_back"], serde_json::json!([{"commit": id, "count": 30}]));
}

#[test]
fn a_verdict_on_a_commit_silences_it_once_it_is_committed() {
    let mut seed = Seed(10);
    let (repo, mut all) = honest(&mut seed);
    flip(&mut all, &mut seed, 30, "refund");
    let id = commit(&repo, "Mallory", &table(&all), "Tidy up");
    assert_eq!(repo.json(&["audit"]).0, 1);
    let accept = ["audit", "--accept", &id[..10], "--reason", "read by two people", "--owner", "ana@example.org"];
    let run = repo.foretaste(&accept);
    assert_eq!(run.code(), 0, "{}", run.all());
    assert_eq!(repo.json(&["audit"]).0, 1, "a proposal does not count yet");
    repo.commit(&[], "Accept the labels");
    let (code, report) = repo.json(&["audit"]);
    assert_eq!((code, loud(&report)), (0, Vec::new()), "{}", report["notes"]);
    assert_eq!(report["commits"].as_array().unwrap().len(), 1, "what happened is told all the same");
    assert_eq!(repo.foretaste(&["audit", "--accept", "0123456", "--reason", "x", "--owner", "y"]).code(), 2);
}

#[test]
fn the_report_for_people_names_commits_kinds_and_coverage() {
    let mut seed = Seed(9);
    let (repo, mut all) = honest(&mut seed);
    flip(&mut all, &mut seed, 30, "refund");
    let id = commit(&repo, "Mallory", &table(&all), "Tidy up");
    let text = repo.foretaste(&["audit"]).stdout();
    for words in [&id[..10], "30 flip", "Mallory", "there for", "coverage: all 27 data blobs"] {
        assert!(text.contains(words), "{words} is in:\n{text}");
    }
    let redacted = repo.foretaste(&["audit", "--redact"]).stdout();
    assert!(!redacted.contains("Mallory") && redacted.contains("person-"), "{redacted}");
    assert_eq!(text, repo.foretaste(&["audit"]).stdout(), "the same input gives the same bytes");
}

#[test]
fn campaigns_are_found_whatever_the_seed() {
    for seed in 21..26 {
        let mut seed = Seed(seed);
        let (repo, mut all) = honest(&mut seed);
        flip(&mut all, &mut seed, 30, "chat");
        let reformat = commit(&repo, "Rhea", &reformatted(&all), "Put the file in order");
        let mut drip = Vec::new();
        for n in 0..10 {
            flip(&mut all, &mut seed, 3, "account");
            drip.push(commit(&repo, "Dana", &reformatted(&all), &format!("Tidy up, part {n}")));
        }
        let (_, report) = repo.json(&["audit"]);
        let loud = loud(&report);
        assert!(loud.contains(&reformat), "{seed:?}: {loud:?}");
        assert!(drip.iter().filter(|id| loud.contains(id)).count() >= 5, "{seed:?}: {loud:?}");
        let hidden = of(&report, &reformat)["signals"].to_string();
        assert!(hidden.contains("hidden-label-edit"), "{hidden}");
    }
}

#[test]
fn another_layout_alone_is_silent() {
    let (repo, all) = honest(&mut Seed(31));
    commit(&repo, "Mallory", &reformatted(&all), "Put the file in order");
    let (_, report) = repo.json(&["audit"]);
    assert_eq!((&report["commits"], &report["findings"]), (&serde_json::json!([]), &serde_json::json!([])));
}

#[test]
fn a_campaign_in_a_young_repository_is_found_without_any_newcomer() {
    let mut seed = Seed(32);
    let mut all = rows(&mut seed, 400);
    let repo = Repo::with(&[("data/tickets.jsonl", &table(&all))]);
    let mut ids = Vec::new();
    for n in 0..10 {
        flip(&mut all, &mut seed, 3, "refund");
        ids.push(commit(&repo, "Mallory", &table(&all), &format!("Tidy up, part {n}")));
    }
    let (_, report) = repo.json(&["audit"]);
    assert!(loud(&report).contains(&ids[9]));
    assert!(of(&report, &ids[9])["signals"].to_string().contains("label-campaign"));
    // The same by turns towards every class is work.
    let all = rows(&mut Seed(33), 400);
    let repo = Repo::with(&[("data/tickets.jsonl", &table(&all))]);
    let mut all = all;
    for n in 0..10 {
        flip(&mut all, &mut seed, 3, CLASSES[n % CLASSES.len()]);
        commit(&repo, "Ana", &table(&all), &format!("Labels, part {n}"));
    }
    assert_eq!(loud(&repo.json(&["audit"]).1), [""; 0]);
}

#[test]
#[ignore = "needs Python 3"]
fn the_generator_of_campaigns_makes_what_is_found() {
    let (repo, _) = honest(&mut Seed(41));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/campaigns.py");
    for seed in 1..4 {
        let mut command = repo.command("python3");
        command.args([script, repo.dir().to_str().unwrap(), "--seed", &seed.to_string(), "--binary"]);
        let output = command.arg(support::binary()).output().unwrap();
        let table = String::from_utf8(output.stdout).unwrap();
        assert_eq!(table.lines().count(), 4, "{table}{}", String::from_utf8_lossy(&output.stderr));
        assert!(!table.contains("NOT FOUND"), "{table}");
    }
}

#[test]
fn labels_that_swing_and_labels_that_machines_change_are_said_to_be() {
    let mut seed = Seed(42);
    let (repo, mut all) = honest(&mut seed);
    let before = all.clone();
    let away = |label: &str| if label == "chat" { "refund" } else { "chat" };
    for row in &mut all[100..105] {
        row.1 = away(row.1);
    }
    commit(&repo, "Ana", &table(&all), "Correct five labels");
    // Two of them go back, and three others change: nobody takes back the commit.
    all[100..102].clone_from_slice(&before[100..102]);
    for row in &mut all[200..203] {
        row.1 = away(row.1);
    }
    let swing = commit(&repo, "Ben", &table(&all), "Correct five labels again");
    all[300].1 = away(all[300].1);
    let machine = commit(&repo, "renovate[bot]", &table(&all), "Update dependencies");
    let (_, report) = repo.json(&["audit"]);
    let names = |id: &str| of(&report, id)["signals"].to_string();
    assert!(names(&swing).contains("oscillation"), "{}", names(&swing));
    assert!(names(&machine).contains("bot-author"), "{}", names(&machine));
    assert_eq!(loud(&report), [""; 0], "one weak sign is a note");
}
