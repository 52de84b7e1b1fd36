//! `foretaste check` as a user calls it: scopes, exit codes, the trusted side, and that nothing shows how it was run.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::{Repo, rules};

const CLEAN: &str = "{\"text\": \"where is my parcel\", \"label\": \"track\"}\n";
/// A zero-width space inside a word.
const HIDDEN: &str = "{\"text\": \"please pay\u{200b}pal me\", \"label\": \"spam\"}\n";
/// Tag characters, an error.
const TAGS: &str = "{\"text\": \"hello\u{E0048}\u{E0069}\", \"label\": \"spam\"}\n";

fn findings(report: &Value) -> &Vec<Value> {
    report["findings"].as_array().unwrap()
}

#[test]
fn exit_codes_are_as_promised() {
    let repo = Repo::with(&[("data/a.jsonl", CLEAN)]);
    let code = |arguments: &[&str]| repo.foretaste(arguments).code();
    assert_eq!(code(&["check"]), 0, "clean");
    assert_eq!(code(&["check", "--no-such-flag"]), 2, "usage");
    assert_eq!(code(&["check", "--rev", "no-such-revision"]), 2, "revision");
    assert_eq!(code(&["check", "--range", "main"]), 2, "no range");
    assert_eq!(code(&["check", "no/such/file"]), 2, "path");
    assert_eq!(code(&["check", "--policy", "no-such-policy"]), 2, "policy");
    assert_eq!(code(&["explain", "no-such-rule"]), 2, "rule");
    assert_eq!(code(&["--version"]), 0);
    assert_eq!(code(&["--help"]), 0);

    repo.write(&[("data/b.jsonl", HIDDEN)]);
    assert_eq!(code(&["check"]), 0, "a warning does not fail by default");
    assert_eq!(code(&["check", "--fail-on", "warning"]), 1, "but where it is asked to");
    repo.write(&[("data/b.jsonl", TAGS)]);
    assert_eq!(code(&["check"]), 1, "an error does");

    // A file that is recognised as data and cannot be read: 3, and 1 comes before it.
    repo.write(&[("data/c.parquet", "PAR1 this is no Parquet file PAR1")]);
    assert_eq!(code(&["check"]), 1);
    repo.write(&[("data/b.jsonl", CLEAN)]);
    let run = repo.foretaste(&["check"]);
    assert_eq!(run.code(), 3, "{}", run.all());
    assert!(run.stdout().contains("data/c.parquet"), "what was not read is named: {}", run.all());
    repo.write(&[("foretaste.yaml", "version: 1\nsorces: {}\n")]);
    assert_eq!(code(&["check"]), 2, "2 comes before 3");
}

#[test]
fn an_empty_scope_is_clean_and_says_so() {
    let repo = Repo::with(&[("src/main.rs", "fn main() {}\n")]);
    repo.stage(&[("logo.png", "\u{89}PNG\r\n\u{1a}\n\0\0\0\rIHDR")]);
    let run = repo.foretaste(&["check", "--staged"]);
    assert_eq!(run.code(), 0, "{}", run.all());
    assert!(run.stdout().contains("nothing to judge") || run.stdout().contains("no reader"), "{}", run.all());
}

#[test]
fn outside_a_repository_plain_files_are_checked_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rows.csv"), "text,label\nplease pay\u{200b}pal me,spam\n").unwrap();
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(support::binary())
            .args(arguments)
            .current_dir(folder.path())
            .env("SOURCE_DATE_EPOCH", "1793000000")
            .output()
            .unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, out, _) = run(&["check", "--format", "json", "rows.csv"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, rules(&report)), (0, vec!["invisible-unicode".to_owned()]), "{out}");
    assert_eq!(report["findings"][0]["places"][0]["line"], 2);
    assert_eq!(report["findings"][0]["places"][0]["column"], 11);
    let (code, _, err) = run(&["check"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("repository"), "{err}");
    assert_eq!(run(&["check", "gone.csv"]).0, 2);
}

#[test]
fn a_change_answers_only_for_what_it_brings() {
    let repo = Repo::with(&[("data/a.jsonl", &(CLEAN.to_owned() + TAGS))]);
    // What was there before stays silent in the hook, whatever else the file gets.
    repo.stage(&[("data/a.jsonl", &(CLEAN.to_owned() + TAGS + "{\"text\": \"new\", \"label\": \"track\"}\n"))]);
    let (code, report) = repo.json(&["check", "--staged"]);
    assert_eq!((code, findings(&report).len()), (0, 0), "{report}");
    // A second carrier is new.
    let second = TAGS.replace("hello", "good morning");
    repo.stage(&[("data/a.jsonl", &(CLEAN.to_owned() + TAGS + &second))]);
    let (code, report) = repo.json(&["check", "--staged"]);
    assert_eq!(code, 1, "{report}");
    assert_eq!(findings(&report)[0]["places"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(findings(&report)[0]["places"][0]["record"], 3);
    // The whole tree tells of both.
    repo.commit(&[], "in it goes");
    let (_, report) = repo.json(&["check", "--rev", "HEAD"]);
    let places: usize = findings(&report).iter().map(|f| f["places"].as_array().unwrap().len()).sum();
    assert_eq!(places, 2, "{report}");
}

#[test]
fn a_range_is_what_head_brings_over_the_merge_base() {
    let repo = Repo::with(&[("data/a.jsonl", CLEAN)]);
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    repo.commit(&[("data/b.jsonl", CLEAN)], "a clean change");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.commit(&[("data/c.jsonl", TAGS)], "poison that is not the change's");
    for range in ["main..change", "main...change"] {
        let (code, report) = repo.json(&["check", "--range", range]);
        assert_eq!((code, findings(&report).len()), (0, 0), "{range}: {report}");
        assert_eq!(report["looked_at"]["files"], 1, "{report}");
    }
    assert_eq!(repo.json(&["check", "--range", "change..main"]).0, 1);
}

#[test]
fn the_policy_of_the_base_judges_and_loosening_it_is_told() {
    let policy = "version: 1\nrules:\n  invisible-unicode: {severity: error}\n";
    let repo = Repo::with(&[("data/a.jsonl", CLEAN), ("foretaste.yaml", policy)]);
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    let off = "version: 1\nrules:\n  invisible-unicode: {severity: \"off\"}\n";
    repo.commit(&[("data/b.jsonl", HIDDEN), ("foretaste.yaml", off)], "switch the rule off and use it");
    let (code, report) = repo.json(&["check", "--range", "main..change"]);
    assert_eq!(code, 1, "{report}");
    assert_eq!(rules(&report), ["invisible-unicode", "policy-loosened"], "{report}");
    assert_eq!(report["policy"]["from"], "base");
    // In the index the same: HEAD is the trusted side.
    repo.git(&["checkout", "--quiet", "main"]);
    repo.stage(&[("data/b.jsonl", HIDDEN), ("foretaste.yaml", off)]);
    let (code, report) = repo.json(&["check", "--staged"]);
    assert_eq!((code, &report["policy"]["from"]), (1, &Value::from("head")), "{report}");
    // The work tree answers for itself, and a flag wins everywhere.
    assert_eq!(repo.json(&["check"]).1["policy"]["from"], "worktree");
    assert_eq!(repo.json(&["check"]).0, 0);
    std::fs::write(repo.beside("strict.yaml"), policy).unwrap();
    let strict = repo.beside("strict.yaml");
    let (code, report) = repo.json(&["check", "--policy", strict.to_str().unwrap()]);
    assert_eq!((code, &report["policy"]["from"]), (1, &Value::from("flag")), "{report}");
}

#[test]
fn the_change_that_adopts_foretaste_passes_on_an_honest_repository() {
    let repo = Repo::with(&[("data/a.jsonl", CLEAN), ("train.py", "load_dataset(\"org/data\")\n")]);
    repo.git(&["checkout", "--quiet", "-b", "adopt"]);
    let policy = "version: 1\ndatasets:\n  a:\n    files: [\"data/*.jsonl\"]\n    text: [text]\n    label: label\n\
                  sources:\n  ours:\n    match: {path: \"data/**\"}\nrequire: {signatures: 1}\n";
    repo.commit(&[("foretaste.yaml", policy)], "adopt foretaste");
    let (code, report) = repo.json(&["check", "--range", "main..adopt"]);
    assert_eq!(code, 0, "{report}");
    assert_eq!(report["policy"]["from"], "builtin");
    assert!(report.to_string().contains("new in this change"), "{report}");
}

#[test]
fn threads_and_repetition_do_not_show() {
    let repo = Repo::new();
    for number in 0..40 {
        let rows: String = (0..30)
            .map(|row| match (number * 7 + row) % 11 {
                0 => HIDDEN.replace("me", &format!("me {row}")),
                1 => format!(
                    "{{\"text\": \"row {row}\", \"label\": \"a\"}}\n{{\"text\": \"row {row}\", \"label\": \"b\"}}\n"
                ),
                _ => format!("{{\"text\": \"row {number} {row}\", \"label\": \"a\"}}\n"),
            })
            .collect();
        repo.write(&[(&format!("data/f{number}.jsonl"), &rows)]);
    }
    repo.commit(&[], "data");
    let run = |threads: &str, format: &str| {
        let output = repo
            .command(support::binary())
            .args(["check", "--rev", "HEAD", "--format", format])
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .unwrap();
        output.stdout
    };
    for format in ["json", "sarif", "human"] {
        let one = run("1", format);
        assert!(one.len() > 1_000, "something is found");
        for threads in ["1", "2", "8"] {
            assert_eq!(run(threads, format), one, "{format} with {threads} threads");
        }
    }
}

#[test]
fn several_reports_come_out_of_one_run() {
    let repo = Repo::with(&[("data/a.jsonl", TAGS)]);
    let run = repo.foretaste(&[
        "check",
        "--output",
        "json=out/r.json",
        "--output",
        "sarif=out/r.sarif",
        "--format",
        "github",
    ]);
    assert_eq!(run.code(), 1);
    assert!(run.stdout().contains("::error "), "{}", run.all());
    let json: Value = serde_json::from_slice(&std::fs::read(repo.dir().join("out/r.json")).unwrap()).unwrap();
    let sarif: Value = serde_json::from_slice(&std::fs::read(repo.dir().join("out/r.sarif")).unwrap()).unwrap();
    assert_eq!(json["schema"], "foretaste/1");
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "invisible-unicode");
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().len(), foretaste::rules().count());
    assert_eq!(repo.foretaste(&["check", "--format", "yaml"]).code(), 2);
}

#[test]
fn redacted_reports_hold_neither_text_nor_people() {
    let repo = Repo::with(&[("data/a.jsonl", "{\"text\": \"secretword\u{E0048}\u{E0069}\", \"label\": \"spam\"}\n")]);
    for format in ["human", "json", "sarif", "github", "markdown"] {
        let open = repo.foretaste(&["check", "--format", format]).stdout();
        let redacted = repo.foretaste(&["check", "--format", format, "--redact"]).stdout();
        assert!(redacted.contains("invisible-unicode"), "{format}: {redacted}");
        assert!(!redacted.contains("secretword"), "{format}: {redacted}");
        if format == "human" {
            assert!(open.contains("secretword"), "the test can fail: {open}");
        }
    }
}

#[test]
fn no_program_of_the_repository_is_started() {
    let repo = Repo::with(&[("data/a.csv", "text,label\nhi,a\n"), (".gitattributes", "*.csv filter=evil diff=evil\n")]);
    let canary = repo.beside("canary");
    let evil = format!("touch {}", canary.display());
    for key in [
        "filter.evil.clean",
        "filter.evil.smudge",
        "diff.evil.textconv",
        "core.fsmonitor",
        "diff.external",
        "core.pager",
    ] {
        repo.git(&["config", key, &evil]);
    }
    repo.git(&["config", "core.hooksPath", "/nowhere"]);
    repo.write(&[("data/a.csv", "text,label\nhi,b\n"), ("data/new.csv", "text,label\nho,b\n")]);
    for arguments in
        [&["check"][..], &["check", "--staged"], &["check", "--rev", "HEAD"], &["check", "--range", "HEAD..HEAD"]]
    {
        let run = repo.foretaste(arguments);
        assert_eq!(run.code(), 0, "{}", run.all());
        assert!(!canary.exists(), "{arguments:?} started a program of the repository");
    }
}

#[test]
fn hostile_names_reach_no_terminal_and_no_runner() {
    let repo = Repo::new();
    let names =
        ["a\u{1b}[31mred.jsonl", "::error::injected.jsonl", "b\u{202e}txt.jsonl", "-rf.jsonl", "new\nline.jsonl"];
    for name in names {
        repo.write(&[(&format!("data/{name}"), TAGS)]);
    }
    repo.git(&["add", "--all"]);
    for format in ["human", "github", "markdown"] {
        let run = repo.foretaste(&["check", "--staged", "--format", format]);
        assert_eq!(run.code(), 1);
        let out = run.stdout();
        assert!(!out.contains('\u{1b}') && !out.contains('\u{202e}') && !out.contains('\u{E0048}'), "{format}: {out}");
        for line in out.lines().filter(|line| line.trim_start().starts_with("::")) {
            assert!(
                ["::error ", "::warning ", "::notice "].iter().any(|own| line.starts_with(own)),
                "{format}: {line}"
            );
        }
    }
}

#[test]
fn lfs_pointers_are_resolved_or_reported() {
    use sha2::Digest;
    let rows = TAGS.as_bytes();
    let oid: String = sha2::Sha256::digest(rows).iter().map(|b| format!("{b:02x}")).collect();
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {}\n", rows.len());
    let repo = Repo::with(&[(".gitattributes", "*.jsonl filter=lfs\n"), ("data/a.jsonl", &pointer)]);
    let (code, report) = repo.json(&["check", "--rev", "HEAD"]);
    assert_eq!(code, 3, "{report}");
    assert_eq!(report["unread"][0]["path"], "data/a.jsonl");
    assert!(report["unread"][0]["reason"].as_str().unwrap().contains("lfs"), "{report}");

    let object = repo.dir().join(format!(".git/lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4]));
    std::fs::create_dir_all(object.parent().unwrap()).unwrap();
    std::fs::write(&object, rows).unwrap();
    let (code, report) = repo.json(&["check", "--rev", "HEAD"]);
    assert_eq!((code, rules(&report)), (1, vec!["invisible-unicode".to_owned()]), "{report}");
    assert_eq!(report["looked_at"]["records"], 1, "{report}");

    // Another file of the same size in its place is a fact about the data, not a gap.
    std::fs::write(&object, &CLEAN.repeat(9).as_bytes()[..rows.len()]).unwrap();
    let (code, report) = repo.json(&["check", "--rev", "HEAD"]);
    assert_eq!((code, rules(&report)), (1, vec!["digest-mismatch".to_owned()]), "{report}");
}

#[test]
fn links_are_judged_by_their_target_and_never_followed() {
    let repo = Repo::with(&[("data/a.jsonl", CLEAN)]);
    let outside = repo.beside("outside.jsonl");
    std::fs::write(&outside, TAGS).unwrap();
    std::fs::remove_file(repo.dir().join("data/a.jsonl")).unwrap();
    std::os::unix::fs::symlink(&outside, repo.dir().join("data/a.jsonl")).unwrap();
    repo.git(&["add", "--all"]);
    for arguments in [&["check"][..], &["check", "--staged"]] {
        let (_, report) = repo.json(arguments);
        assert_eq!(rules(&report), ["unreadable-data"], "{arguments:?}: {report}");
        assert!(!report.to_string().contains("invisible"), "the target was followed: {report}");
    }
}

#[test]
#[cfg(unix)]
fn a_report_goes_into_a_device_or_a_pipe_and_never_takes_its_place() {
    use std::os::unix::fs::FileTypeExt;
    let repo = Repo::with(&[("data/a.jsonl", CLEAN)]);
    // A pipe, since a test must not play with devices: as root, a file that is renamed over one takes it from everybody.
    let pipe = repo.beside("pipe");
    assert!(repo.command("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).unwrap()
    });
    let run = repo.foretaste(&["check", "--output", &format!("json={}", pipe.display())]);
    assert_eq!(run.code(), 0, "{}", run.all());
    assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo(), "it is still a pipe");
    let report: serde_json::Value = serde_json::from_str(&reader.join().unwrap()).unwrap();
    assert_eq!(report["schema"], "foretaste/1");
}

#[test]
fn whoever_stops_reading_changes_no_verdict() {
    let repo = Repo::with(&[("data/a.jsonl", TAGS)]);
    for (verb, code) in [
        (&["check"][..], 1),
        (&["check", "--format", "json"], 1),
        (&["completions", "bash"], 0),
        (&["schema"], 0),
        (&["explain"], 0),
    ] {
        let mut child = repo
            .command(support::binary())
            .args(verb)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(code), 0), "{verb:?}");
    }
}
