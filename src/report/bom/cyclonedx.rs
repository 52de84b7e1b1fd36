//! CycloneDX 1.6 and 1.7: the run is a machine-learning model with a model card, its data are components.

use serde_json::{Value, json};

use super::{is_expression, stamp, uuid};
use crate::engine::bom::{Bill, File, Part};

/// What the program that writes the bill is called in it.
const TOOL: &str = "tool:foretaste";

pub(super) fn document(bill: &Bill, version: &str) -> Value {
    let run = format!("run:{}", bill.run);
    let models: Vec<(String, &Part)> = bill.models.iter().map(|part| (reference("model", part), part)).collect();
    let datasets: Vec<(String, &Part)> = bill.datasets.iter().map(|part| (reference("dataset", part), part)).collect();
    let mut components: Vec<Value> = models.iter().map(|(id, part)| component(id, part, true)).collect();
    components.extend(datasets.iter().map(|(id, part)| component(id, part, false)));
    let mut inputs: Vec<String> = models.iter().chain(&datasets).map(|(id, _)| id.clone()).collect();
    if let Some(config) = &bill.config {
        let id = format!("config:{}", config.path);
        components.push(with(file(config), [("bom-ref", json!(id))]));
        inputs.push(id);
    }
    let mut dependencies = vec![json!({"ref": run, "dependsOn": inputs})];
    dependencies.extend(inputs.iter().map(|id| json!({"ref": id})));
    let workflow = json!({
        "bom-ref": format!("workflow:{}", bill.run),
        "uid": bill.run,
        "name": bill.run,
        "taskTypes": ["build"],
        "inputs": inputs.iter().map(|id| json!({"resource": {"ref": id}})).collect::<Vec<_>>(),
        "outputs": [{"type": "artifact", "resource": {"ref": run}}],
    });
    let aggregate = if bill.missing.is_empty() { "complete" } else { "incomplete" };
    let mut document = json!({
        "$schema": format!("http://cyclonedx.org/schema/bom-{version}.schema.json"),
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "serialNumber": format!("urn:uuid:{}", uuid(bill)),
        "version": 1,
        "metadata": {
            "timestamp": stamp(bill.day),
            "tools": {"components": [
                {"type": "application", "bom-ref": TOOL, "name": "foretaste", "version": env!("CARGO_PKG_VERSION")},
            ]},
            "component": model_of_run(bill, &run, &datasets),
            "properties": properties(bill),
        },
        "components": components,
        "dependencies": dependencies,
        "formulation": [{"bom-ref": format!("formula:{}", bill.run), "workflows": [workflow]}],
        "compositions": [{"aggregate": aggregate, "assemblies": [run]}],
    });
    let reviews: Vec<Value> = models.iter().chain(&datasets).filter_map(|(id, part)| review(id, part)).collect();
    if !reviews.is_empty() {
        document["annotations"] = Value::Array(reviews);
    }
    let citations: Vec<Value> = if version == "1.6" { Vec::new() } else { citations(models.iter().chain(&datasets)) };
    if !citations.is_empty() {
        document["citations"] = Value::Array(citations);
    }
    document
}

/// When the content of each part was obtained, which only 1.7 has a field for.
fn citations<'a>(parts: impl Iterator<Item = &'a (String, &'a Part)>) -> Vec<Value> {
    let of = |(at, (id, part)): (usize, &(String, &Part))| {
        let pointer = format!("/components/{at}");
        Some(json!({
            "bom-ref": format!("citation:{id}"),
            "pointers": [pointer],
            "timestamp": stamp(part.retrieved?),
            "attributedTo": TOOL,
        }))
    };
    parts.enumerate().filter_map(of).collect()
}

fn properties(bill: &Bill) -> Vec<Value> {
    let mut out = Vec::new();
    let mut add = |name: &str, value: &str| out.push(json!({"name": format!("foretaste:{name}"), "value": value}));
    add("repo", &bill.repo);
    for (name, value) in [("manifest-sha256", &bill.lock), ("reviewer", &bill.reviewer), ("output", &bill.output)] {
        if let Some(value) = value {
            add(name, value);
        }
    }
    bill.signers.iter().for_each(|key| add("signature-keyid", key));
    bill.missing.iter().for_each(|what| add("missing", what));
    out
}

fn model_of_run(bill: &Bill, id: &str, datasets: &[(String, &Part)]) -> Value {
    let uses: Vec<Value> = datasets.iter().map(|(id, _)| json!({"ref": id})).collect();
    let mut model = json!({
        "type": "machine-learning-model",
        "bom-ref": id,
        "name": bill.run,
        "modelCard": {"bom-ref": format!("card:{}", bill.run), "modelParameters": {"datasets": uses}},
    });
    if let Some(hash) = &bill.output_sha256 {
        model["hashes"] = json!([{"alg": "SHA-256", "content": hash}]);
    }
    model
}

/// A name that no other part of the bill has.
fn reference(kind: &str, part: &Part) -> String {
    let hub = part.hub.as_deref().unwrap_or("local");
    let version = part.version.as_deref().map(|version| format!("@{version}")).unwrap_or_default();
    format!("{kind}:{hub}:{}{version}", part.full_name())
}

fn component(id: &str, part: &Part, model: bool) -> Value {
    let mut out =
        json!({"type": if model { "machine-learning-model" } else { "data" }, "bom-ref": id, "name": part.name});
    if let Some(group) = &part.group {
        out["group"] = json!(group);
        out["supplier"] = json!({"name": group});
    }
    if let Some(version) = &part.version {
        out["version"] = json!(version);
    }
    // Only for models is the form of this address agreed upon.
    if let (true, Some("huggingface"), Some(group), Some(version)) =
        (model, part.hub.as_deref(), &part.group, &part.version)
    {
        out["purl"] = json!(format!("pkg:huggingface/{group}/{}@{version}", part.name));
    }
    if let Some(url) = &part.url {
        out["externalReferences"] = json!([{"type": "distribution", "url": url}]);
    }
    if let [only] = part.files.as_slice() {
        out["hashes"] = hashes(only);
    }
    if !part.files.is_empty() {
        out["components"] =
            part.files.iter().map(|one| with(file(one), [("bom-ref", json!(format!("{id}#{}", one.path)))])).collect();
    }
    let mut properties = Vec::new();
    let mut add =
        |name: &str, value: String| properties.push(json!({"name": format!("foretaste:{name}"), "value": value}));
    if let Some(day) = part.retrieved {
        add("retrieved", day.to_string());
    }
    if let Some(facts) = &part.facts {
        add("source", facts.source.clone());
        if let Some(licence) = &facts.licence {
            out["licenses"] = if is_expression(licence) {
                json!([{"expression": licence, "acknowledgement": "declared"}])
            } else {
                json!([{"license": {"name": licence, "acknowledgement": "declared"}}])
            };
        }
        for (name, value) in [("reviewer", &facts.reviewer), ("trust", &facts.trust)] {
            if let Some(value) = value {
                add(name, value.clone());
            }
        }
        for (name, day) in [("review-date", facts.reviewed), ("review-expires", facts.expires)] {
            if let Some(day) = day {
                add(name, day.to_string());
            }
        }
    }
    let records: u64 = part.files.iter().filter_map(|one| one.records).sum();
    if records > 0 {
        add("records", records.to_string());
    }
    if !properties.is_empty() {
        out["properties"] = Value::Array(properties);
    }
    if !model {
        let mut data = json!({"type": "dataset", "name": part.full_name()});
        if let Some(url) = &part.url {
            data["contents"] = json!({"url": url});
        }
        if let Some(reviewer) = part.facts.as_ref().and_then(|facts| facts.reviewer.as_ref()) {
            data["governance"] = json!({"stewards": [{"contact": person(reviewer)}]});
        }
        out["data"] = json!([data]);
    }
    out
}

fn review(id: &str, part: &Part) -> Option<Value> {
    let facts = part.facts.as_ref()?;
    let (reviewer, day) = (facts.reviewer.as_ref()?, facts.reviewed?);
    Some(json!({
        "bom-ref": format!("review:{id}"),
        "subjects": [id],
        "annotator": {"individual": person(reviewer)},
        "timestamp": stamp(day),
        "text": format!("Reviewed by {reviewer} on {day}."),
    }))
}

fn person(name: &str) -> Value {
    if name.contains('@') && !name.contains(char::is_whitespace) {
        json!({"email": name})
    } else {
        json!({"name": name})
    }
}

fn file(file: &File) -> Value {
    json!({"type": "file", "name": file.path, "hashes": hashes(file)})
}

fn hashes(file: &File) -> Value {
    let mut list = vec![json!({"alg": "SHA-256", "content": file.sha256})];
    list.extend(file.blake3.as_ref().map(|blake3| json!({"alg": "BLAKE3", "content": blake3})));
    Value::Array(list)
}

fn with<const N: usize>(mut value: Value, more: [(&str, Value); N]) -> Value {
    let map = value.as_object_mut().map(std::mem::take).unwrap_or_default();
    Value::Object(map.into_iter().chain(more.map(|(key, value)| (key.to_owned(), value))).collect())
}
