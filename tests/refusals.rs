//! Every refusal says in one sentence what to do.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;

use support::Repo;

/// What a sentence with a way out has: a second half that says it, a flag, a verb of foretaste.
fn has_way_out(text: &str) -> bool {
    ["; ", "--", "`foretaste", "`git", ": write "].iter().any(|sign| text.contains(sign))
}

#[test]
fn what_a_verb_cannot_do_comes_with_what_to_do() {
    let repo = Repo::with(&[
        ("data/a.jsonl", "{\"text\": \"hi\", \"label\": \"a\"}\n"),
        ("notes.txt", "words\n"),
        ("broken/foretaste.lock", "foretaste.lock v9\n"),
    ]);
    let policy = "version: 1\nruns:\n  sft: {config: train.yaml}\n";
    let refused = |arguments: &[&str]| {
        let run = repo.foretaste(arguments);
        assert_eq!(run.code(), 2, "{arguments:?}: {}", run.all());
        let said = run.stderr();
        assert!(has_way_out(&said) || said.contains("help: "), "{arguments:?}: {said}");
        assert_eq!(said.matches("foretaste: ").count().max(1), 1, "{arguments:?}: one sentence, {said}");
    };
    // Nothing is locked yet.
    refused(&["verify"]);
    refused(&["sign", "--key", "no.key"]);
    refused(&["sign", "notes.txt", "--key", "no.key"]);
    refused(&["lock", "--sums"]);
    refused(&["lock", "no such file"]);
    refused(&["lock", "--repo", "a name with blanks"]);
    refused(&["lock", "--resolved", "no such file"]);
    refused(&["lock", "--from", "x=/no/such/folder"]);
    refused(&["bom", "--run", "sft"]);
    refused(&["inventory", "--rev", "no-such-branch"]);
    refused(&["audit", "--since", "no-such-branch"]);
    repo.commit(&[("foretaste.yaml", policy)], "policy");
    assert_eq!(repo.foretaste(&["lock", "--repo", "org/data"]).code(), 0);
    repo.commit(&[], "lock");
    let key = repo.beside("key");
    let key = key.to_str().unwrap();
    assert_eq!(repo.foretaste(&["key", key, "--no-password"]).code(), 0);
    refused(&["key", key, "--no-password"]);
    refused(&["key", "/no/such/folder/key", "--no-password"]);
    refused(&["sign", "--key", "notes.txt"]);
    refused(&["sign", "no such file", "--key", key]);
    refused(&["sign", "--key", key, "--until", "2001-01-01"]);
    refused(&["bom", "--run", "other"]);
    refused(&["verify", "--run", "other", "--key", key, "--", "true"]);
    refused(&["verify", "--run", "sft", "--key", key, "--", "true"]);
    repo.write(&[("foretaste.lock", "foretaste.lock v9\n")]);
    refused(&["sign", "--key", key]);
    refused(&["lock"]);
    repo.write(&[("foretaste.yaml", "version: 1\nkeys: {a: {minisign: short, principal: a@b.c}}\n")]);
    refused(&["lock"]);
    refused(&["check"]);
}

/// The words between the brackets that open at a place.
fn within(text: &str) -> &str {
    let mut depth = 1;
    for (at, byte) in text.bytes().enumerate() {
        depth += i32::from(byte == b'(') - i32::from(byte == b')');
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

fn sources(folder: &Path, all: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let own = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            all.push((path.display().to_string(), own));
        }
    }
}

#[test]
fn no_refusal_is_written_without_one() {
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    let mut seen = 0;
    for (path, text) in &all {
        for opening in ["Stop::Say(", "SourceError::new("] {
            for (at, _) in text.match_indices(opening) {
                let rest = &text[at + opening.len()..];
                let said = within(rest);
                let helped = rest[said.len()..].trim_start_matches(')').trim_start().starts_with(".with_help(");
                // What is handed on is written elsewhere.
                if said.contains('"') && !helped {
                    seen += 1;
                    let said = said.replace("\\\n", "");
                    assert!(has_way_out(&said), "{path}: no way out in {said}");
                }
            }
        }
    }
    assert!(seen > 30, "{seen} refusals were found, which are too few");
}
