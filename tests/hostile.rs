//! Files that are made to break a reader: the answer is a finding or a named gap, never silence, a crash or a hang.
//!
//! What needs a race, such as a file that is truncated while it is mapped, is tested beside the code.
#![cfg(all(unix, feature = "parquet"))]
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

#[path = "../fixtures/hostile/files.rs"]
mod files;

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::Value;
use support::Repo;

/// Hidden tag characters: an error wherever they are read.
const HIDDEN: &str = "\u{E0048}\u{E0069}";
const CLEAN: &str = "{\"text\": \"where is my parcel\", \"label\": \"track\"}\n";

/// A repository with these files in its work tree.
fn repo(list: &[(&str, &[u8])]) -> Repo {
    let repo = Repo::with(&[("README.md", "# Data\n")]);
    for (path, bytes) in list {
        let path = repo.dir().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    repo
}

fn check(repo: &Repo) -> (i32, Value) {
    repo.json(&["check"])
}

/// Why a path was not read; empty where it was.
fn unread(report: &Value, path: &str) -> Vec<String> {
    let all = report["unread"].as_array().expect("a report has unread");
    all.iter().filter(|gap| gap["path"] == path).map(|gap| gap["reason"].as_str().unwrap().to_owned()).collect()
}

/// The rules that speak of a path.
fn rules_on(report: &Value, path: &str) -> Vec<String> {
    let findings = report["findings"].as_array().expect("a report has findings");
    let speaks = |finding: &&Value| finding["places"].as_array().unwrap().iter().any(|place| place["path"] == path);
    findings.iter().filter(speaks).map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
}

fn finds_hidden(report: &Value, path: &str) -> bool {
    rules_on(report, path).contains(&"invisible-unicode".to_owned())
}

#[track_caller]
fn assert_unread(list: &[(&str, Vec<u8>, &str)]) {
    let files: Vec<(&str, &[u8])> = list.iter().map(|(path, bytes, _)| (*path, bytes.as_slice())).collect();
    let (code, report) = check(&repo(&files));
    for (path, _, reason) in list {
        let found = unread(&report, path);
        assert!(found.iter().any(|found| found.contains(reason)), "{path}: {found:?}, not {reason:?}\n{report:#}");
    }
    assert_eq!(code, 3, "{report:#}");
}

#[test]
fn links_are_never_followed() {
    let repo = repo(&[("data/train.jsonl", CLEAN.as_bytes())]);
    let outside = repo.beside("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret.jsonl"), format!("{{\"text\": \"secret{HIDDEN}\", \"label\": \"x\"}}\n")).unwrap();
    symlink(outside.join("secret.jsonl"), repo.dir().join("data/file.jsonl")).unwrap();
    symlink(&outside, repo.dir().join("folder")).unwrap();
    symlink("loop", repo.dir().join("loop")).unwrap();
    symlink("/dev/zero", repo.dir().join("data/endless.jsonl")).unwrap();
    for staged in [false, true] {
        if staged {
            repo.git(&["add", "--all"]);
        }
        let (_, report) = check(&repo);
        assert_eq!(report["looked_at"]["records"], 1, "{report:#}");
        assert!(!support::rules(&report).contains(&"invisible-unicode".to_owned()), "{report:#}");
    }
}

#[test]
fn a_folder_replaced_by_a_link_is_not_read_through_it() {
    let repo = repo(&[]);
    repo.commit(&[("data/train.jsonl", CLEAN)], "data");
    let outside = repo.beside("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("train.jsonl"), format!("{{\"text\": \"secret{HIDDEN}\", \"label\": \"x\"}}\n")).unwrap();
    fs::remove_dir_all(repo.dir().join("data")).unwrap();
    symlink(&outside, repo.dir().join("data")).unwrap();
    let (_, report) = check(&repo);
    assert_eq!(report["looked_at"]["records"], 0, "{report:#}");
    assert!(!support::rules(&report).contains(&"invisible-unicode".to_owned()), "{report:#}");
}

#[test]
fn a_fifo_or_socket_in_the_place_of_a_file_is_not_opened() {
    let repo = repo(&[]);
    repo.commit(&[("fifo.jsonl", CLEAN), ("socket.jsonl", CLEAN)], "data");
    for name in ["fifo.jsonl", "socket.jsonl"] {
        fs::remove_file(repo.dir().join(name)).unwrap();
    }
    assert!(Command::new("mkfifo").arg(repo.dir().join("fifo.jsonl")).status().unwrap().success());
    // The path of a socket must be short; temporary folders are not short everywhere.
    let bound = std::os::unix::net::UnixListener::bind(repo.dir().join("socket.jsonl"));
    let (code, report) = check(&repo);
    assert_eq!(code, 3, "{report:#}");
    assert_eq!(unread(&report, "fifo.jsonl").len(), 1, "{report:#}");
    if bound.is_ok() {
        assert_eq!(unread(&report, "socket.jsonl").len(), 1, "{report:#}");
    }
}

#[test]
fn bombs_and_archives_in_archives_are_named() {
    assert_unread(&[
        ("a.jsonl.gz", files::gzip_bomb(32 << 20), "more than 200 times its size"),
        ("b.jsonl.zst", files::zstd(&vec![b'\n'; 32 << 20]), "more than 200 times its size"),
        ("c.jsonl.gz", files::gzip(&files::gzip(CLEAN.as_bytes())), "only one level"),
        ("d.jsonl.gz", files::gzip(&files::zip()), "only one level"),
        ("e.jsonl.gz", [files::gzip(CLEAN.as_bytes()), b"more".to_vec()].concat(), "behind the end"),
        ("f.jsonl.gz", files::gzip(CLEAN.repeat(50).as_bytes())[..60].to_vec(), "damaged gzip stream"),
    ]);
}

#[test]
fn compressed_files_are_read_as_what_they_hold() {
    let poison = format!("{CLEAN}{{\"text\": \"where is my mug{HIDDEN}\", \"label\": \"track\"}}\n");
    let zst = files::zstd(poison.as_bytes());
    let (code, report) = check(&repo(&[("a.jsonl.gz", &files::gzip(poison.as_bytes())), ("b.jsonl.zst", &zst)]));
    for path in ["a.jsonl.gz", "b.jsonl.zst"] {
        assert!(finds_hidden(&report, path), "{path}: {report:#}");
    }
    assert_eq!((code, &report["looked_at"]["records"]), (1, &Value::from(4)));
}

#[test]
fn parquet_and_arrow_that_lie_are_named() {
    let honest = files::parquet(100, "");
    let mut length = honest.clone();
    let at = length.len() - 8;
    length[at..at + 4].copy_from_slice(&[0xff; 4]);
    let mut encrypted = honest.clone();
    let at = encrypted.len() - 4;
    encrypted[at..].copy_from_slice(b"PARE");
    let mut header = honest.clone();
    header[4..40].fill(0xff);
    let stream = files::arrow(100, "");
    assert_unread(&[
        ("cut.parquet", honest[..honest.len() / 2].to_vec(), "cut off or damaged"),
        ("length.parquet", length, "footer longer than the file"),
        ("encrypted.parquet", encrypted, "encrypted"),
        ("header.parquet", header, "damaged page header"),
        ("deep.parquet", files::parquet_with_footer(&files::deep_schema(200_000)), "nested too deeply"),
        ("endless.parquet", files::parquet_with_footer(&files::endless_schema()), "damaged footer"),
        ("cut.arrow", stream[..stream.len() / 2].to_vec(), "cut off"),
    ]);
}

#[test]
fn what_is_hidden_in_a_column_is_found_and_placed_by_its_row() {
    for (path, bytes) in [("a.parquet", files::parquet(700, HIDDEN)), ("b.arrow", files::arrow(700, HIDDEN))] {
        let (code, report) = check(&repo(&[(path, &bytes)]));
        assert_eq!(code, 1, "{report:#}");
        let place = &report["findings"][0]["places"][0];
        assert_eq!((&place["path"], &place["record"], &place["field"]), (&path.into(), &700.into(), &"text".into()));
        assert_eq!((&place["line"], &place["column"]), (&1.into(), &1.into()));
        assert_eq!((&place["byte_start"], &place["byte_end"]), (&0.into(), &0.into()));
    }
}

#[test]
fn only_new_rows_of_a_column_file_are_judged_in_a_change() {
    let repo = repo(&[("train.parquet", &files::parquet(50, HIDDEN))]);
    repo.commit(&[], "old rows, one of them bad");
    repo.stage(&[("other.jsonl", CLEAN)]);
    let (code, report) = repo.json(&["check", "--staged"]);
    assert_eq!(code, 0, "{report:#}");
    // The row that was the last lost its hidden characters; the one behind it has them.
    fs::write(repo.dir().join("train.parquet"), files::parquet(51, HIDDEN)).unwrap();
    repo.stage(&[]);
    let (code, report) = repo.json(&["check", "--staged"]);
    assert_eq!(code, 1, "{report:#}");
    let hidden = report["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "invisible-unicode");
    let places = hidden.expect("the new row is found")["places"].as_array().unwrap();
    assert_eq!(places.iter().map(|place| &place["record"]).collect::<Vec<_>>(), [51]);
}

/// With so much memory of its own, and not more, a run ends as it should.
#[test]
#[cfg(target_os = "linux")]
fn giant_lines_rows_and_gaps_take_bounded_memory() {
    let long = format!("{{\"text\": \"{}\", \"label\": \"x\"}}\n", "a".repeat(12 << 20));
    let wide = |cell: &str| vec![cell; 100_000].join(",");
    let quote = format!("text,label\n\"a,b\n{}", "where is it,track\n".repeat(100_000));
    let repo = repo(&[
        ("long.jsonl", long.as_bytes()),
        ("wide.csv", format!("{}\n{}\n", wide("c"), wide("1")).as_bytes()),
        ("gaps.jsonl", "\n".repeat(1 << 20).as_bytes()),
        ("deep.jsonl", "[".repeat(200_000).as_bytes()),
        ("quote.csv", quote.as_bytes()),
    ]);
    let mut shell = repo.command("sh");
    shell.args(["-c", "ulimit -d 262144; exec \"$@\"", "sh"]).arg(support::binary());
    let output = shell.args(["check", "--format", "json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert!(matches!(output.status.code(), Some(0..=3)), "{:?}", output.status);
    for path in ["long.jsonl", "deep.jsonl", "quote.csv"] {
        assert!(rules_on(&report, path).contains(&"unreadable-data".to_owned()), "{path}: {report:#}");
    }
}

#[test]
fn encodings_do_not_hide_anything() {
    let table = format!("text,label\nwhere is it{HIDDEN},track\nstop that,cancel\n");
    let mut broken = table.clone().into_bytes();
    broken.extend(b"caf\xe9 \xff,track\n");
    let null = table.replace("stop", "st\0op");
    let (code, report) = check(&repo(&[
        ("le.csv", &files::utf16(&table, false)),
        ("be.csv", &files::utf16(&table, true)),
        ("bom.csv", format!("\u{feff}{table}").as_bytes()),
        ("broken.csv", &broken),
        ("null.csv", null.as_bytes()),
        ("crlf.csv", table.replacen('\n', "\r\n", 1).as_bytes()),
    ]));
    for path in ["le.csv", "be.csv", "bom.csv", "broken.csv", "null.csv", "crlf.csv"] {
        assert!(finds_hidden(&report, path), "{path}: {report:#}");
    }
    assert_eq!(code, 1);
}

#[test]
fn names_lie_and_content_counts() {
    let poison = format!("{CLEAN}{{\"text\": \"where is my mug{HIDDEN}\", \"label\": \"track\"}}\n");
    let (_, report) = check(&repo(&[
        ("table.csv", &files::parquet(20, HIDDEN)),
        ("notes.txt", &files::gzip(poison.as_bytes())),
        ("photo.png", poison.as_bytes()),
        ("rows.parquet", poison.as_bytes()),
    ]));
    for path in ["table.csv", "notes.txt", "photo.png", "rows.parquet"] {
        assert!(finds_hidden(&report, path), "{path}: {report:#}");
    }
}

#[test]
fn an_archive_is_a_gap_where_it_is_called_a_table_or_declared_and_counted_elsewhere() {
    let repo = repo(&[("data/train.zip", &files::zip())]);
    let (code, report) = check(&repo);
    assert_eq!((code, &report["looked_at"]["no_reader"]), (0, &1.into()), "{report:#}");
    repo.write(&[("foretaste.yaml", "version: 1\ndatasets:\n  intents:\n    files: [\"data/*.zip\"]\n")]);
    let (code, report) = check(&repo);
    assert_eq!(code, 3, "{report:#}");
    assert_eq!(unread(&report, "data/train.zip").len(), 1, "{report:#}");

    let lying = self::repo(&[("data/train.csv", &files::zip())]);
    let (code, report) = check(&lying);
    assert_eq!((code, &report["looked_at"]["no_reader"]), (3, &0.into()), "{report:#}");
    assert!(unread(&report, "data/train.csv")[0].contains("zip archive"), "{report:#}");
}
