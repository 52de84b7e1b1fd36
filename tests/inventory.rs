//! `foretaste inventory` lists what a repository holds and takes in, and says what is missing for each.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::Repo;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

fn repo() -> Repo {
    let config = format!(
        "base_model: acme/base\nrevision_of_model: {SHA}\nadapter: lora\ndatasets:\n- path: acme/chats\n- path: data/intents.jsonl\n- path: data/gone.jsonl\n"
    );
    Repo::with(&[
        ("configs/sft.yaml", &config),
        ("configs/other.yaml", "base_model: acme/base\nadapter: lora\ndatasets:\n- path: acme/chats\n"),
        ("eval/task.yaml", "task: t\ndataset_path: acme/bench\ndoc_to_text: x\n"),
        ("ingest.py", "import chromadb\nfrom datasets import load_dataset\nrows = load_dataset('acme/docs')\n"),
        ("requirements.txt", "datasets==3.1.0\ntrl>=0.9\nflask\n"),
        ("data/intents.jsonl", "{\"text\": \"hi\", \"label\": \"greet\"}\n{\"text\": \"bye\", \"label\": \"leave\"}\n"),
        ("docs/use.md", "```python\nload_dataset('acme/shown')\n```\n"),
        (
            "foretaste.yaml",
            "version: 1\ndatasets:\n  intents: {files: [\"data/*.jsonl\"], source: own}\nsources:\n  own: {match: {path: \"data/**\"}, licence: MIT, reviewer: a@acme.org, reviewed: 2026-10-01}\n  \
             chats: {match: {hub: \"huggingface:acme/chats\"}, licence: MIT}\nruns:\n  assistant: {config: configs/sft.yaml, datasets: [intents, chats]}\n",
        ),
    ])
}

fn lines(list: &Value, keys: &[&str]) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.replace(SHA, "SHA"),
        Value::Array(list) => list.iter().map(|v| v.as_str().unwrap().to_owned()).collect::<Vec<_>>().join(", "),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let line = |item: &Value| keys.iter().map(|key| text(&item[key])).collect::<Vec<_>>().join(" | ");
    list.as_array().unwrap().iter().map(line).collect()
}

#[test]
fn everything_is_listed_with_what_is_missing_for_it() {
    let (code, json) = repo().json(&["inventory", "--as-of", "2026-11-01"]);
    assert_eq!(code, 0);
    assert_eq!(json["schema"], "foretaste-inventory/1");
    assert_eq!(
        lines(&json["references"], &["path", "line", "kind", "target", "verdict", "where", "missing"]),
        [
            "configs/other.yaml | 1 | model | acme/base | unpinned | training | a pin, a source that lists it",
            "configs/other.yaml | 4 | dataset | acme/chats | unpinned | training | a pin, a reviewer, the day of its review",
            "configs/sft.yaml | 1 | model | acme/base | pinned | training | a source that lists it",
            "configs/sft.yaml | 5 | dataset | acme/chats | unpinned | training | a pin, a reviewer, the day of its review",
            "configs/sft.yaml | 6 | dataset | data/intents.jsonl | local | training | a line in foretaste.lock",
            "configs/sft.yaml | 7 | dataset | data/gone.jsonl | local | training | the file itself: it is not in the repository",
            "docs/use.md | 2 | dataset | acme/shown | unpinned | docs | a pin, a source that lists it",
            "eval/task.yaml | 2 | dataset | acme/bench | unpinned | training | a pin, a source that lists it",
            "ingest.py | 3 | dataset | acme/docs | unpinned | code | a pin, a source that lists it",
        ]
    );
    assert_eq!(
        lines(&json["pipelines"], &["purpose", "path", "by", "run", "references", "missing"]),
        [
            "training | configs/other.yaml | axolotl | - | 2 | a run under `runs` that names it, a pin for 2 of 2 references, a source for 1 of 2 references",
            "training | configs/sft.yaml | axolotl | assistant | 2 | a pin for 1 of 2 references, a source for 1 of 2 references",
            "evaluation | eval/task.yaml | lm-eval | - | 1 | a pin for 1 of 1 references, a source for 1 of 1 references",
            "retrieval | ingest.py | chromadb | - | 1 | a dataset with `role: [rag]`, a pin for 1 of 1 references, a source for 1 of 1 references",
        ]
    );
    assert_eq!(
        lines(&json["datasets"], &["name", "path", "files", "records", "source", "locked", "missing"]),
        ["intents | data/intents.jsonl | 1 | 2 | own | 0 | lines in foretaste.lock"]
    );
    assert_eq!(
        lines(&json["loaders"], &["path", "line", "name", "wanted", "missing"]),
        ["requirements.txt | 1 | datasets | ==3.1.0 | ", "requirements.txt | 2 | trl | >=0.9 | one exact version"]
    );
}

#[test]
fn what_is_locked_is_no_longer_missing() {
    let repo = repo();
    repo.foretaste(&["lock", "--repo", "r"]);
    repo.commit(&[], "lock");
    let (_, json) = repo.json(&["inventory"]);
    assert_eq!(lines(&json["datasets"], &["locked", "missing"]), ["1 | "]);
    assert_eq!(lines(&json["references"], &["missing"])[4], "");
    // A revision has the lock of its own time.
    let (_, json) = repo.json(&["inventory", "--rev", "HEAD~1"]);
    assert_eq!(lines(&json["datasets"], &["locked"]), ["0"]);
}

#[test]
fn the_table_names_every_list_and_hides_nothing_hostile() {
    let repo = repo();
    repo.commit(
        &[("bad.yaml", "base_model: \"acme/\u{202e}x\"\nadapter: lora\ndatasets:\n- path: \"a\\u001b[31mb/c\"\n")],
        "hostile",
    );
    let output = repo.foretaste(&["inventory"]);
    assert_eq!(output.code(), 0);
    let text = output.stdout();
    for head in ["5 pipelines", "1 dataset", "2 loaders", "references", "acme/chats"] {
        assert!(text.contains(head), "{head}: {text}");
    }
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text:?}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn the_schema_names_every_key_that_is_written() {
    let schema: Value = serde_json::from_str(&Repo::new().foretaste(&["schema", "inventory"]).stdout()).unwrap();
    let (_, json) = repo().json(&["inventory"]);
    for (key, value) in json.as_object().unwrap() {
        let property = &schema["properties"][key];
        assert!(property.is_object(), "{key} is not in the schema");
        for item in value.as_array().into_iter().flatten() {
            for inner in item.as_object().unwrap().keys() {
                assert!(property["items"]["properties"][inner].is_object(), "{key}[].{inner} is not in the schema");
            }
            for required in property["items"]["required"].as_array().unwrap() {
                assert!(item.get(required.as_str().unwrap()).is_some(), "{key}: {required} is missing");
            }
        }
    }
}
