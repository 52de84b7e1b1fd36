//! `foretaste bom` writes what went into a run, and the validators of both forms accept it.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use std::process::Command;

use serde_json::Value;
use support::Repo;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

/// A repository with one run: a local dataset with a review, a pinned one of the hub, and a base model.
fn repo() -> Repo {
    let config = format!(
        "base_model: acme/base\nrevision_of_model: {SHA}\nadapter: lora\ndatasets:\n- path: acme/chats\n  revision: {SHA}\n- path: data/intents.jsonl\n"
    );
    let repo = Repo::with(&[
        ("configs/sft.yaml", &config),
        ("data/intents.jsonl", "{\"text\": \"hi\", \"label\": \"greet\"}\n{\"text\": \"bye\", \"label\": \"leave\"}\n"),
        (
            "foretaste.yaml",
            "version: 1\nrepo: acme-assistant\ndatasets:\n  intents: {files: [\"data/*.jsonl\"], text: [text], label: label, source: own}\nsources:\n\
             \x20 own: {match: {path: \"data/**\"}, licence: CC-BY-4.0, reviewer: data@example.org, reviewed: 2026-10-01}\n\
             \x20 chats: {match: {hub: \"huggingface:acme/*\"}, licence: \"MIT OR Apache-2.0\", reviewer: A. Reviewer, reviewed: 2026-09-01, expires: 2027-09-01}\n\
             runs:\n  assistant: {config: configs/sft.yaml, base_model: acme/base, datasets: [intents, chats], output: out/model, reviewer: lead@example.org, output_sha256: \"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}\n",
        ),
    ]);
    assert_eq!(repo.foretaste(&["lock", "--repo", "acme-assistant", "--as-of", "2026-10-05"]).code(), 0);
    repo.git(&["add", "."]);
    repo.commit(&[], "lock");
    repo
}

fn bom(repo: &Repo, more: &[&str]) -> String {
    let run = repo.foretaste(&[&["bom", "--run", "assistant"], more].concat());
    assert_eq!(run.code(), 0, "{}", run.all());
    run.stdout()
}

#[test]
fn the_bill_holds_configuration_model_and_data_and_is_the_same_each_time() {
    let repo = repo();
    let text = bom(&repo, &[]);
    assert_eq!(text, bom(&repo, &["--rev", "HEAD"]), "the work tree is HEAD");
    let json: Value = serde_json::from_str(&text).unwrap();
    let names: Vec<&str> =
        json["components"].as_array().unwrap().iter().map(|c| c["bom-ref"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            &format!("model:huggingface:acme/base@{SHA}"),
            "dataset:local:intents",
            &format!("dataset:huggingface:acme/chats@{SHA}"),
            "config:configs/sft.yaml"
        ]
    );
    assert_eq!(json["metadata"]["timestamp"], "2026-10-05T00:00:00Z", "the newest day that lock and reviews name");
    assert_eq!(json["compositions"][0]["aggregate"], "complete", "{}", json["metadata"]["properties"]);
    assert_eq!(json["metadata"]["component"]["hashes"][0]["alg"], "SHA-256");
}

#[test]
fn a_run_that_is_not_there_is_said() {
    let run = repo().foretaste(&["bom", "--run", "nobody"]);
    assert_eq!(run.code(), 2);
    assert!(run.stderr().contains("has no run `nobody`"), "{}", run.stderr());
}

#[test]
fn what_cannot_be_said_is_listed() {
    let repo = repo();
    repo.commit(
        &[(
            "configs/sft.yaml",
            "base_model: acme/base\nadapter: lora\ndatasets:\n- path: stranger/set\n- path: ${DATA}\n- path: <your-set>\n",
        )],
        "change",
    );
    let run = repo.foretaste(&["bom", "--run", "assistant"]);
    for what in [
        "the model acme/base is not pinned",
        "the dataset stranger/set is not pinned",
        "no source lists the dataset stranger/set",
        "${DATA}",
        "<your-set> in the configuration is the name of nothing",
    ] {
        assert!(run.stderr().contains(what), "{what}: {}", run.stderr());
    }
    let json: Value = serde_json::from_str(&run.stdout()).unwrap();
    assert_eq!(json["compositions"][0]["aggregate"], "incomplete");
}

#[test]
#[ignore = "needs python3 with cyclonedx-python-lib[validation] and spdx-python-model"]
fn validators_accept_every_form() {
    let repo = repo();
    for (version, name) in [("1.6", "V1_6"), ("1.7", "V1_7")] {
        let text = bom(&repo, &["--spec-version", version]);
        let code = format!(
            "import sys\nfrom cyclonedx.schema import SchemaVersion\nfrom cyclonedx.validation.json import JsonStrictValidator\n\
             error = JsonStrictValidator(SchemaVersion.{name}).validate_str(sys.stdin.read())\nsys.exit(str(error) if error else 0)\n"
        );
        python(&code, &text, version);
    }
    let code = "import io, sys\nfrom spdx_python_model import v3_0_1 as spdx\ntext = sys.stdin.buffer.read()\nobjects = spdx.SHACLObjectSet()\n\
                spdx.JSONLDDeserializer().read(io.BytesIO(text), objects)\nmissing = objects.link()\n\
                spdx.JSONLDSerializer().write(objects, io.BytesIO())\nsys.exit(f'{missing}' if missing else 0)\n";
    python(code, &bom(&repo, &["--format", "spdx"]), "spdx");
}

/// Runs a validator over a document.
fn python(code: &str, document: &str, what: &str) {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = Command::new("python3")
        .args(["-c", code])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}
