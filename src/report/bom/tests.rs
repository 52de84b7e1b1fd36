use super::*;
use crate::engine::bom::{Facts, File, Part};
use jiff::civil::date;
use serde_json::json;

fn bill() -> Bill {
    let facts = Facts {
        source: "own".into(),
        licence: Some("CC-BY-4.0 OR MIT".into()),
        reviewer: Some("data@example.org".into()),
        reviewed: Some(date(2026, 10, 1)),
        ..Facts::default()
    };
    let file = |path: &str| File {
        path: path.into(),
        sha256: "ab".repeat(32),
        blake3: Some("cd".repeat(32)),
        size: 10,
        records: Some(2),
    };
    Bill {
        repo: "acme".into(),
        run: "assistant".into(),
        reviewer: Some("Lead".into()),
        lock: Some("ef".repeat(32)),
        signers: vec!["ana-2026".into()],
        day: date(2026, 10, 1),
        config: Some(file("configs/sft.yaml")),
        models: vec![Part {
            name: "base".into(),
            group: Some("acme".into()),
            hub: Some("huggingface".into()),
            version: Some("01".repeat(20)),
            url: Some("https://huggingface.co/acme/base".into()),
            ..Part::default()
        }],
        datasets: vec![Part {
            name: "intents".into(),
            files: vec![file("data/a.jsonl"), file("data/b.jsonl")],
            facts: Some(facts),
            ..Part::default()
        }],
        missing: vec!["no source lists the model acme/base".into()],
        ..Bill::default()
    }
}

fn written(bill: &Bill, form: Form) -> serde_json::Value {
    let mut out = Vec::new();
    write(bill, form, &mut out).expect("a vector takes everything");
    let mut again = Vec::new();
    write(bill, form, &mut again).expect("a vector takes everything");
    assert_eq!(out, again);
    serde_json::from_slice(&out).expect("it is JSON")
}

#[test]
fn the_number_of_a_bill_depends_on_what_it_says() {
    let one = uuid(&bill());
    assert_eq!(one, uuid(&bill()));
    assert_ne!(one, uuid(&Bill { day: date(2026, 10, 2), ..bill() }));
    assert_eq!((one.len(), &one[14..15]), (36, "5"));
    assert!(matches!(&one[19..20], "8" | "9" | "a" | "b"), "{one}");
}

#[test]
fn cyclonedx_holds_the_run_its_data_and_what_is_missing() {
    let bom = written(&bill(), Form::CycloneDx16);
    assert_eq!(bom["specVersion"], "1.6");
    assert_eq!(
        bom["metadata"]["component"]["modelCard"]["modelParameters"]["datasets"][0]["ref"],
        "dataset:local:intents"
    );
    assert_eq!(bom["components"][1]["licenses"][0]["expression"], "CC-BY-4.0 OR MIT");
    assert_eq!(bom["components"][1]["components"][1]["hashes"][0]["content"], "ab".repeat(32));
    assert_eq!(bom["components"][0]["purl"], format!("pkg:huggingface/acme/base@{}", "01".repeat(20)));
    assert_eq!(bom["compositions"][0]["aggregate"], "incomplete");
    assert_eq!(bom["annotations"][0]["timestamp"], "2026-10-01T00:00:00Z");
    // Every reference leads somewhere, and nothing is named twice.
    let text = bom.to_string();
    let ids: Vec<&str> = text
        .match_indices("\"bom-ref\":\"")
        .map(|(at, key)| text[at + key.len()..].split('"').next().unwrap_or(""))
        .collect();
    let mut unique = ids.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
    for (at, key) in text.match_indices("\"ref\":\"") {
        let id = text[at + key.len()..].split('"').next().unwrap_or("");
        assert!(ids.contains(&id), "{id} is nowhere");
    }
}

#[test]
fn spdx_holds_what_its_profiles_ask_for() {
    let bom = written(&bill(), Form::Spdx);
    let graph = bom["@graph"].as_array().expect("a list");
    let ids: Vec<&str> = graph.iter().filter_map(|element| element["spdxId"].as_str()).collect();
    for element in graph {
        let kind = element["type"].as_str().unwrap_or("");
        let needed: &[&str] = match kind {
            "dataset_DatasetPackage" => &[
                "originatedBy",
                "builtTime",
                "releaseTime",
                "software_downloadLocation",
                "software_primaryPurpose",
                "dataset_datasetType",
            ],
            "ai_AIPackage" => &[
                "suppliedBy",
                "software_downloadLocation",
                "software_packageVersion",
                "software_primaryPurpose",
                "releaseTime",
            ],
            "Relationship" => &["from", "to", "relationshipType", "completeness"],
            _ => &[],
        };
        for key in needed {
            assert!(!element[*key].is_null(), "{kind} has no {key}");
        }
        for to in element["to"].as_array().into_iter().flatten() {
            assert!(ids.contains(&to.as_str().unwrap_or("")), "{to} is nowhere");
        }
    }
    assert!(graph.iter().any(|element| element["relationshipType"] == "trainedOn"));
    // A review is made by the person who reviewed, on the day of the review.
    let review =
        graph.iter().find(|element| element["spdxId"].as_str().is_some_and(|id| id.ends_with("#dataset-0-review")));
    let made = graph.iter().find(|element| element["@id"] == review.expect("the review is there")["creationInfo"]);
    let made = made.expect("it says who made it");
    assert_eq!(made["created"], "2026-10-01T00:00:00Z");
    let by = graph.iter().find(|element| element["spdxId"] == made["createdBy"][0]).expect("the reviewer is there");
    assert_eq!((&by["type"], &by["name"]), (&json!("Person"), &json!("data@example.org")));
}

#[test]
fn licences_are_told_from_other_words() {
    for (text, expected) in [
        ("MIT", true),
        ("(MIT OR Apache-2.0) AND BSD-3-Clause", true),
        ("see the website", false),
        ("MIT OR", false),
        ("", false),
        ("LicenseRef-own", true),
    ] {
        assert_eq!(is_expression(text), expected, "{text}");
    }
}
