//! What each kind of file names, in small files made for it; and a survey over a real repository.

use super::{Found, find};
use crate::format::{Blob, Decoded, Encoding, Kind, Offsets, Verdict, kind_of};
use crate::lens::{Lens, Standing};
use crate::policy::Limits;
use crate::span::{BlobId, Fresh};
use bstr::{BStr, ByteSlice};

mod calls;
mod commands;
mod configs;
mod documents;
mod hostile;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

fn read(path: &str, bytes: &[u8]) -> Found {
    read_as(path, bytes, Standing::Code)
}

fn read_as(path: &str, bytes: &[u8], standing: Standing) -> Found {
    let Some(kind) = kind_of(path.into(), bytes) else { return Found::default() };
    let decoded = Decoded { bytes: bytes.into(), offsets: Offsets::Same, encoding: Encoding::Utf8 };
    let lens = Lens { standing, ..Lens::default() };
    let blob = Blob { id: BlobId(0), path: path.into(), lens: &lens, decoded: &decoded, fresh: &Fresh::All };
    find(&blob, kind, &Limits::default())
}

/// One line for each reference. Holds at once that every span slices to the name as it is written, unless the name is
/// only a part of what is written there (`raw`).
fn lines(path: &str, text: &str) -> Vec<String> {
    let text = text.replace("SHA", SHA);
    let found = read(path, text.as_bytes());
    assert_eq!(found.unread, [] as [String; 0], "{path}");
    found
        .list
        .iter()
        .map(|r| {
            let raw = r.span.of(text.as_bytes()).to_str_lossy().into_owned();
            let whole = raw.replace("\\/", "/").replace("\\u002f", "/");
            // The name is what is written there, or a part of it, or has what is written there as a part.
            let named = whole.contains(&r.target) || r.target.contains(&whole) || r.hub == "huggingface";
            assert!(named || matches!(r.hub, "python" | "submodule" | "git"), "{path}: {raw} is not {}", r.target);
            assert_eq!(r.fix.is_empty(), !matches!(r.verdict, Verdict::Unpinned | Verdict::Weak), "{r:?}");
            let pin = r.pin.as_deref().map(|pin| format!("@{}", pin.replace(SHA, "SHA"))).unwrap_or_default();
            let code = if r.remote_code { " remote-code" } else { "" };
            format!("{} {} {}:{}{pin}{code}", r.verdict.as_str(), r.kind.as_str(), r.hub, r.target.replace(SHA, "SHA"))
        })
        .collect()
}

#[track_caller]
fn check(path: &str, text: &str, expected: &[&str]) {
    assert_eq!(lines(path, text), expected, "{path}:\n{text}");
}

#[test]
fn files_are_told_by_name_and_first_line() {
    for (path, head, kind) in [
        ("a/b.py", "", Some(Kind::Python)),
        ("run", "#!/usr/bin/env python3\n", Some(Kind::Python)),
        ("run", "#!/bin/sh\n", Some(Kind::Shell)),
        ("x/Dockerfile", "", Some(Kind::Shell)),
        ("tasks/flores", "tag: x\ndataset_path: acme/flores\n", Some(Kind::Yaml)),
        ("notes", "the dataset_path: acme/flores\n", None),
        ("Dockerfile.gpu", "", Some(Kind::Shell)),
        ("a.json", " {\"a\": 1}", Some(Kind::JsonConfig)),
        ("a.json", "[1]", None),
        ("a.jsonl", "{\"a\": 1}", None),
        ("a.dvc", "", Some(Kind::Yaml)),
        ("a.txt", "", None),
        ("a.csv", "", None),
    ] {
        assert_eq!(kind_of(path.into(), head.as_bytes()), kind, "{path}");
    }
}

#[test]
fn a_broken_file_is_unread_where_it_matters() {
    assert!(
        read_as("configs/train.yaml", b"datasets:\n- path: acme/x\n  bad: [\n", Standing::Training).unread[0]
            .starts_with("is not valid YAML")
    );
    assert_eq!(read_as("other.yaml", b"a: [\n", Standing::Code).unread, [] as [String; 0]);
    assert!(read_as("data/dataset_info.json", b"{\"a\": ", Standing::Code).unread[0].starts_with("is not valid JSON"));
    let large = format!("load_dataset('acme/x')\n{}", "#\n".repeat(1 << 20));
    assert!(read("a.py", large.as_bytes()).unread[0].starts_with("larger than"));
    assert_eq!(read("b.py", "#\n".repeat(1 << 20).as_bytes()).unread, [] as [String; 0]);
}

/// Prints every reference of the files below `FORETASTE_SURVEY`, one a line, to be judged by hand.
#[test]
#[ignore = "needs a folder of real repositories in FORETASTE_SURVEY"]
fn survey() {
    let root = std::path::PathBuf::from(std::env::var("FORETASTE_SURVEY").expect("the variable names a folder"));
    for entry in
        ignore::WalkBuilder::new(&root).hidden(false).git_ignore(false).sort_by_file_path(Ord::cmp).build().flatten()
    {
        let Ok(bytes) = std::fs::read(entry.path()) else { continue };
        let path = entry.path().strip_prefix(&root).expect("it lies below").to_string_lossy().into_owned();
        if path.starts_with(".git/") {
            continue;
        }
        let Some(_) = kind_of(BStr::new(&path), &bytes) else { continue };
        let found = read(&path, &bytes);
        for reason in &found.unread {
            println!("UNREAD\t{path}\t{reason}");
        }
        for r in found.list {
            let line = bytes[..r.span.start as usize].iter().filter(|b| **b == b'\n').count() + 1;
            let code = if r.remote_code { "remote-code" } else { "" };
            println!(
                "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{path}:{line}\t{code}",
                r.verdict.as_str(),
                r.kind.as_str(),
                r.hub,
                r.target,
                r.pin.as_deref().unwrap_or("-"),
                r.framework,
                r.by
            );
        }
    }
}

/// Rows of the table of what is read: a file, what stands in it, what is found. All that differ are told at once.
#[track_caller]
fn table(rows: &[(&str, &str, &[&str])]) {
    let told = |(path, text, expected): &(&str, &str, &[&str])| {
        let found = lines(path, text);
        (found != *expected).then(|| format!("{path}: {text}\n  expected {expected:?}\n  found    {found:?}"))
    };
    let wrong: Vec<String> = rows.iter().filter_map(told).collect();
    assert!(wrong.is_empty(), "{} of {} rows differ:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}
