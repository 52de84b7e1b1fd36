//! SPDX 3.0.1 as JSON-LD: the run is an AI package that was trained on dataset packages.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::{is_expression, stamp, uuid};
use crate::engine::bom::{Bill, Part};

/// The elements of a document, with the numbers they get.
struct Graph {
    base: String,
    created: String,
    elements: Vec<Value>,
    /// Who made the elements that are reviews, and when.
    reviews: Vec<Value>,
    /// Reviewers, by their names.
    people: BTreeMap<String, String>,
    ids: Vec<String>,
}

/// Who made an element, and when.
fn information(id: &str, created: &str, by: &str) -> Value {
    json!({"type": "CreationInfo", "@id": id, "specVersion": "3.0.1", "created": created, "createdBy": [by]})
}

impl Graph {
    /// Adds an element and gives its address.
    fn add(&mut self, kind: &str, name: &str, mut element: Value) -> String {
        let id = format!("{}#{name}", self.base);
        element["type"] = json!(kind);
        element["spdxId"] = json!(id);
        element["creationInfo"] = json!("_:ci");
        self.elements.push(element);
        self.ids.push(id.clone());
        id
    }

    /// Adds a remark about an element.
    fn note(&mut self, name: &str, subject: &str, statement: String) {
        self.add("Annotation", name, json!({"annotationType": "other", "subject": subject, "statement": statement}));
    }

    /// Adds a review, which the reviewer has made and not the program that writes it down.
    fn review(&mut self, name: &str, subject: &str, reviewer: &str, day: Option<Date>, statement: String) {
        let known = self.people.get(reviewer).cloned();
        let person = known.unwrap_or_else(|| {
            let number = self.people.len();
            self.add("Person", &format!("reviewer-{number}"), json!({"name": reviewer}))
        });
        self.people.insert(reviewer.to_owned(), person.clone());
        let id = self.add(
            "Annotation",
            name,
            json!({"annotationType": "review", "subject": subject, "statement": statement}),
        );
        let information_id = format!("_:{name}");
        let created = day.map_or_else(|| self.created.clone(), stamp);
        self.reviews.push(information(&information_id, &created, &person));
        if let Some(review) = self.elements.iter_mut().find(|element| element["spdxId"] == json!(id)) {
            review["creationInfo"] = json!(information_id);
        }
    }

    fn relate(&mut self, from: &str, kind: &str, to: &[String], complete: bool) {
        if !to.is_empty() {
            let name = format!("relation-{}", self.ids.len());
            let completeness = if complete { "complete" } else { "incomplete" };
            let element = json!({"from": from, "relationshipType": kind, "to": to, "completeness": completeness});
            self.add("Relationship", &name, element);
        }
    }
}

pub(super) fn document(bill: &Bill) -> Value {
    let mut graph = Graph {
        base: format!("urn:uuid:{}", uuid(bill)),
        created: stamp(bill.day),
        elements: Vec::new(),
        reviews: Vec::new(),
        people: BTreeMap::new(),
        ids: Vec::new(),
    };
    let tool =
        graph.add("SoftwareAgent", "foretaste", json!({"name": format!("foretaste {}", env!("CARGO_PKG_VERSION"))}));
    let owner = if bill.repo.is_empty() { "this repository" } else { &bill.repo };
    let owner = graph.add("Organization", "owner", json!({"name": owner}));
    let created = graph.created.clone();
    let complete = bill.missing.is_empty();
    let mut run = json!({
        "name": bill.run,
        "software_packageVersion": bill.lock.as_deref().unwrap_or("unlocked"),
        "software_primaryPurpose": "model",
        "software_downloadLocation": format!("{}#run", graph.base),
        "suppliedBy": owner,
        "releaseTime": created,
    });
    if let Some(hash) = &bill.output_sha256 {
        run["verifiedUsing"] = json!([{"type": "Hash", "algorithm": "sha256", "hashValue": hash}]);
    }
    if !complete {
        run["comment"] = json!(format!("Not known: {}.", bill.missing.join("; ")));
    }
    let run = graph.add("ai_AIPackage", "run", run);
    let datasets: Vec<String> =
        bill.datasets.iter().enumerate().map(|(n, part)| package(&mut graph, part, n, false, &owner)).collect();
    let models: Vec<String> =
        bill.models.iter().enumerate().map(|(n, part)| package(&mut graph, part, n, true, &owner)).collect();
    graph.relate(&run, "trainedOn", &datasets, complete);
    graph.relate(&run, "descendantOf", &models, complete);
    if let Some(config) = &bill.config {
        let hash = json!([{"type": "Hash", "algorithm": "sha256", "hashValue": config.sha256}]);
        let id = graph.add(
            "software_File",
            "config",
            json!({"name": config.path, "software_primaryPurpose": "configuration", "verifiedUsing": hash}),
        );
        graph.relate(&id, "configures", std::slice::from_ref(&run), complete);
    }
    if let Some(reviewer) = &bill.reviewer {
        let statement = format!("The run was reviewed by {reviewer}.");
        graph.review("review-of-run", &run, reviewer, None, statement);
    }
    if !bill.signers.is_empty() {
        let statement = format!("The lock is signed by: {}.", bill.signers.join(", "));
        graph.note("signatures", &run, statement);
    }
    let ids = graph.ids.clone();
    graph.add(
        "SpdxDocument",
        "document",
        json!({
            "name": bill.run,
            "profileConformance": ["core", "software", "ai", "dataset", "simpleLicensing"],
            "rootElement": [run],
            "element": ids,
        }),
    );
    let info = information("_:ci", &created, &tool);
    let graph: Vec<Value> = std::iter::once(info).chain(graph.reviews).chain(graph.elements).collect();
    json!({"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph})
}

/// A dataset or a model with its files, licence and review.
fn package(graph: &mut Graph, part: &Part, number: usize, model: bool, owner: &str) -> String {
    let name = format!("{}-{number}", if model { "model" } else { "dataset" });
    let publisher = match &part.group {
        Some(group) => graph.add("Organization", &format!("{name}-publisher"), json!({"name": group})),
        None => owner.to_owned(),
    };
    let time = part.retrieved.map_or_else(|| graph.created.clone(), stamp);
    let mut package = json!({
        "name": part.full_name(),
        "software_packageVersion": part.version.as_deref().unwrap_or("NOASSERTION"),
        "software_primaryPurpose": if model { "model" } else { "data" },
        "software_downloadLocation": part.url.clone().unwrap_or_else(|| format!("{}#{name}", graph.base)),
        "originatedBy": [publisher],
        "suppliedBy": publisher,
        "releaseTime": time,
    });
    if !model {
        package["builtTime"] = json!(time);
        package["dataset_datasetType"] = json!(["noAssertion"]);
        package["comment"] = json!("The times of the publisher are not known; those given are not earlier than they.");
        let records: u64 = part.files.iter().filter_map(|file| file.records).sum();
        if records > 0 {
            package["dataset_datasetSize"] = json!(records);
        }
    }
    let id = graph.add(if model { "ai_AIPackage" } else { "dataset_DatasetPackage" }, &name, package);
    let mut files = Vec::new();
    for (n, file) in part.files.iter().enumerate() {
        let mut hashes = vec![json!({"type": "Hash", "algorithm": "sha256", "hashValue": file.sha256})];
        hashes
            .extend(file.blake3.as_ref().map(|hash| json!({"type": "Hash", "algorithm": "blake3", "hashValue": hash})));
        files.push(graph.add(
            "software_File",
            &format!("{name}-file-{n}"),
            json!({"name": file.path, "verifiedUsing": hashes}),
        ));
    }
    graph.relate(&id, "contains", &files, true);
    if let Some(day) = part.retrieved {
        graph.note(&format!("{name}-retrieved"), &id, format!("This content was obtained on {day}."));
    }
    let Some(facts) = &part.facts else { return id };
    let (expression, words) = facts.licence.iter().partition::<Vec<_>, _>(|licence| is_expression(licence));
    if let Some(words) = words.first() {
        graph.note(&format!("{name}-licence"), &id, format!("The licence is, in words: {words}."));
    }
    if let Some(licence) = expression.first() {
        let expression = json!({"simplelicensing_licenseExpression": licence});
        let licence = graph.add("simplelicensing_LicenseExpression", &format!("{name}-licence"), expression);
        graph.relate(&id, "hasDeclaredLicense", &[licence], true);
    }
    if let (Some(reviewer), Some(day)) = (&facts.reviewer, facts.reviewed) {
        let statement = format!("Reviewed by {reviewer} on {day}.");
        graph.review(&format!("{name}-review"), &id, reviewer, Some(day), statement);
    }
    id
}
