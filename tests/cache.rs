//! What an audit keeps in the cache folder of its user never shows: whatever lies there, the report is the same byte for
//! byte, and a cache that others made or damaged only costs time.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use support::{Repo, binary};

/// A history in which labels change, with two files, a renamed one and a file that is no data.
fn history() -> Repo {
    let table = |shift: usize| -> String {
        let class = |n: usize| ["delivery", "refund", "chat"][(n + usize::from(n < shift)) % 3];
        (0..120).map(|n| format!("{{\"text\": \"question {n} of somebody\", \"label\": \"{}\"}}\n", class(n))).collect()
    };
    let words = "the\tDET\ncat\tNOUN\nsat\tVERB\n\n".repeat(40);
    let repo = Repo::with(&[("data/a.jsonl", &table(0)), ("words.conll", &words), ("notes.json", "{\"a\": [1]}")]);
    for shift in 1..6 {
        repo.commit(&[("data/a.jsonl", &table(4 * shift))], &format!("Labels, part {shift}"));
    }
    repo.commit(&[("words.conll", &words.replacen("NOUN", "VERB", 3))], "Tags");
    repo.git(&["mv", "data/a.jsonl", "data/b.jsonl"]);
    repo.commit(&[], "Another name");
    repo
}

/// The whole report of an audit, as bytes.
fn report(repo: &Repo, more: &[&str]) -> String {
    let run = repo.foretaste(&[&["audit", "--format", "json"], more].concat());
    assert_eq!(run.stderr(), "", "{}", run.all());
    format!("{} {}", run.code(), run.stdout())
}

fn folder(repo: &Repo) -> PathBuf {
    repo.beside("cache").join("foretaste")
}

/// The one file of the history in the cache.
fn file(repo: &Repo) -> PathBuf {
    let entries = fs::read_dir(folder(repo)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| !path.ends_with("key")).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn the_report_is_the_same_without_a_cache_with_a_new_one_and_with_a_full_one() {
    let repo = history();
    let plain = report(&repo, &["--no-cache"]);
    assert!(plain.contains("\"flip\""), "{plain}");
    assert!(!repo.beside("cache").exists(), "nothing is kept where nobody asked for it");
    assert_eq!(report(&repo, &[]), plain);
    let kept = fs::read(file(&repo)).unwrap();
    assert!(kept.len() > 2000, "the versions are in there");
    assert_eq!(report(&repo, &[]), plain);
    assert_eq!(fs::read(file(&repo)).unwrap(), kept, "there was nothing new");
    // What is new is added behind what is there.
    repo.commit(&[("data/b.jsonl", "{\"text\": \"one more\", \"label\": \"chat\"}\n")], "Start over");
    assert_eq!(report(&repo, &[]), report(&repo, &["--no-cache"]));
    let more = fs::read(file(&repo)).unwrap();
    assert!(more.len() > kept.len() && more.starts_with(&kept));
}

#[test]
fn settings_that_change_what_is_read_never_meet_what_was_kept_under_others() {
    let repo = history();
    report(&repo, &[]);
    let fields = "version: 1\ndatasets:\n  t:\n    files: [\"data/*.jsonl\"]\n    text: [label]\n    label: text\n";
    repo.commit(&[("foretaste.yaml", fields)], "Fields");
    let plain = report(&repo, &["--no-cache"]);
    assert_eq!(report(&repo, &[]), plain);
    assert_eq!(report(&repo, &[]), plain);
}

#[test]
fn what_is_damaged_or_made_by_others_only_costs_time() {
    let repo = history();
    let plain = report(&repo, &["--no-cache"]);
    report(&repo, &[]);
    let path = file(&repo);
    let whole = fs::read(&path).unwrap();
    let mut damaged: Vec<Vec<u8>> =
        [0, 1, 8, 39, 40, 47, 80, whole.len() / 2, whole.len() - 1].map(|cut| whole[..cut].to_vec()).to_vec();
    for at in [0, 9, 41, 50, 81, 90, whole.len() / 3, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        damaged.push(bytes);
    }
    damaged.push([&whole[..], &whole[40..]].concat());
    damaged.push([&whole[..], b"more"].concat());
    for bytes in damaged {
        fs::write(&path, bytes).unwrap();
        assert_eq!(report(&repo, &[]), plain);
        assert!(fs::read(&path).unwrap().starts_with(&whole[..40]), "it was begun anew, or gone on with");
        assert_eq!(report(&repo, &[]), plain);
    }
    // Another key, and with it a cache that somebody else filled.
    fs::write(folder(&repo).join("key"), [7; 32]).unwrap();
    assert_eq!(report(&repo, &[]), plain);
    // The cache of another repository, in the place of this one's.
    let other = Repo::with(&[("data/a.jsonl", "{\"text\": \"a\", \"label\": \"b\"}\n")]);
    report(&other, &[]);
    fs::copy(file(&other), &path).unwrap_or_default();
    assert_eq!(report(&repo, &[]), plain);
}

#[test]
fn a_folder_that_others_can_write_to_or_nobody_can_is_not_used() {
    let repo = history();
    let plain = report(&repo, &["--no-cache"]);
    fs::create_dir_all(folder(&repo)).unwrap();
    for mode in [0o777, 0o770, 0o1777] {
        set_mode(&folder(&repo), mode);
        assert_eq!(report(&repo, &[]), plain);
        assert_eq!(fs::read_dir(folder(&repo)).unwrap().count(), 0, "{mode:o}");
    }
    // Read-only: whether that holds depends on who runs this; the report never does.
    set_mode(&folder(&repo), 0o500);
    assert_eq!(report(&repo, &[]), plain);
    set_mode(&folder(&repo), 0o700);
    report(&repo, &[]);
    let path = file(&repo);
    let whole = fs::read(&path).unwrap();
    for mode in [0o666, 0o640, 0o400, 0o600] {
        set_mode(&path, mode);
        assert_eq!(report(&repo, &[]), plain);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, mode);
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
    fs::remove_dir_all(folder(&repo)).unwrap();
    fs::write(folder(&repo), "a file").unwrap();
    assert_eq!(report(&repo, &[]), plain);
}

#[test]
fn what_belongs_to_somebody_else_is_not_used() {
    let repo = history();
    let plain = report(&repo, &["--no-cache"]);
    report(&repo, &[]);
    let (path, bytes) = (file(&repo), fs::read(file(&repo)).unwrap());
    // Only root can give files away; for everybody else there is nothing to try.
    if std::os::unix::fs::chown(&path, Some(65534), None).is_err() {
        return;
    }
    // What others own is neither believed nor written to.
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(report(&repo, &[]), plain);
    assert_eq!(fs::read(&path).unwrap().len(), bytes.len() - 1);
    std::os::unix::fs::chown(&path, Some(0), None).unwrap();
    for of in [folder(&repo), folder(&repo).join("key")] {
        std::os::unix::fs::chown(&of, Some(65534), None).unwrap();
        assert_eq!(report(&repo, &[]), plain);
        assert_eq!(fs::read(&path).unwrap().len(), bytes.len() - 1, "{}", of.display());
        std::os::unix::fs::chown(&of, Some(0), None).unwrap();
    }
}

#[test]
fn runs_at_the_same_time_say_the_same() {
    let repo = history();
    let plain = report(&repo, &["--no-cache"]);
    for _ in 0..3 {
        let spawn = |_| {
            let mut command = repo.command(binary());
            command.args(["audit", "--format", "json"]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        };
        let runs: Vec<_> = (0..4).map(spawn).collect();
        for run in runs {
            let output = run.wait_with_output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
            let told = format!("{} {}", output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout));
            assert_eq!(told, plain);
        }
    }
    assert_eq!(report(&repo, &[]), plain);
}

#[test]
fn what_is_missing_is_missing_with_a_cache_as_well() {
    let repo = history();
    report(&repo, &[]);
    let id = repo.git(&["rev-parse", "HEAD~3:data/a.jsonl"]);
    let (folder, file) = id.trim().split_at(2);
    fs::remove_file(repo.dir().join(".git/objects").join(folder).join(file)).unwrap();
    let plain = report(&repo, &["--no-cache"]);
    assert!(plain.contains("not fully audited"), "{plain}");
    assert_eq!(report(&repo, &[]), plain);
    // And what comes back is read.
    repo.git(&["hash-object", "-w", "data/b.jsonl"]);
    assert_eq!(report(&repo, &[]), report(&repo, &["--no-cache"]));
}
