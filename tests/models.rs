//! OpenSSF model signatures made with a key, from end to end.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::json;
use sha2::{Digest, Sha256};
use support::Repo;

/// How a P-256 public key in DER begins.
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE,
    0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn signing() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

fn public() -> String {
    let point = signing().verifying_key().to_encoded_point(false);
    STANDARD.encode([&SPKI[..], point.as_bytes()].concat())
}

/// A bundle over these files, as `model_signing sign key` writes it.
fn bundle(files: &[(&str, &str)]) -> String {
    let mut all = Sha256::new();
    let mut resources = Vec::new();
    for (name, text) in files {
        let sum = Sha256::digest(text);
        all.update(sum);
        resources.push(json!({"name": name, "algorithm": "sha256", "digest": hex(&sum)}));
    }
    let payload = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "adapter", "digest": {"sha256": hex(&all.finalize())}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "resources": resources,
            "serialization": {
                "method": "files", "hash_type": "sha256", "allow_symlinks": false,
                "ignore_paths": ["model.sig", ".git", ".gitignore", ".gitattributes", ".github"],
            },
        },
    })
    .to_string();
    let kind = "application/vnd.in-toto+json";
    let sealed = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
    let signature: Signature = signing().sign(sealed.as_bytes());
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": ""}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": STANDARD.encode(&payload),
            "payloadType": kind,
            "signatures": [{"sig": STANDARD.encode(signature.to_der()), "keyid": ""}],
        },
    })
    .to_string()
}

const FILES: [(&str, &str); 2] = [("a.bin", "weights"), ("sub/b.bin", "more weights")];

/// A repository whose policy asks for a signature of the model in `models/adapter`, locked.
fn repo(key: &str) -> Repo {
    let policy = format!(
        "version: 1\nkeys:\n  lab: {{ecdsa: \"{key}\", principal: lab@example.org}}\n\
         require: {{model_signatures: [models/adapter]}}\n"
    );
    let repo = Repo::with(&[("data/a.jsonl", "{\"text\": \"hi\", \"label\": \"a\"}\n"), ("foretaste.yaml", &policy)]);
    let files: Vec<(String, &str)> =
        FILES.iter().map(|(name, text)| (format!("models/adapter/{name}"), *text)).collect();
    repo.write(&files.iter().map(|(name, text)| (name.as_str(), *text)).collect::<Vec<_>>());
    let run = repo.foretaste(&["lock", "--repo", "org/data"]);
    assert_eq!(run.code(), 0, "{}", run.all());
    repo.commit(&[], "lock");
    repo
}

fn verified(repo: &Repo) -> (i32, Vec<String>) {
    let (code, report) = repo.json(&["verify"]);
    let findings = report["findings"].as_array().unwrap();
    (code, findings.iter().map(|f| f["evidence"]["finding"].as_str().unwrap().to_owned()).collect())
}

#[test]
fn a_model_counts_only_as_it_was_signed() {
    let repo = repo(&public());
    assert_eq!(verified(&repo), (1, vec!["signature-missing".to_owned()]));
    for place in ["models/adapter/model.sig", "models/adapter.sig"] {
        repo.write(&[(place, &bundle(&FILES))]);
        assert_eq!(verified(&repo), (0, vec![]), "{place}");
        std::fs::remove_file(repo.dir().join(place)).unwrap();
    }
    let place = "models/adapter/model.sig";
    repo.write(&[(place, &bundle(&FILES))]);
    for (path, text) in [("a.bin", "Weights"), ("c.bin", "code")] {
        let path = format!("models/adapter/{path}");
        repo.write(&[(&path, text)]);
        assert_eq!(verified(&repo), (1, vec!["model-mismatch".to_owned()]), "{path}");
        std::fs::remove_file(repo.dir().join(path)).unwrap();
        assert_eq!(verified(&repo).0, i32::from(text == "Weights"), "a missing file is told, too");
        repo.write(&[("models/adapter/a.bin", "weights")]);
    }
    // What the signer left out is said, since a changed `.gitattributes` changes what files are read as.
    repo.write(&[("models/adapter/.gitignore", "*.bin\n")]);
    assert_eq!(verified(&repo), (0, vec!["model-signature-ignores".to_owned()]));
    std::fs::remove_file(repo.dir().join("models/adapter/.gitignore")).unwrap();
    let broken = bundle(&FILES).replace("dsseEnvelope\":{\"payload\":\"ey", "dsseEnvelope\":{\"payload\":\"eX");
    repo.write(&[(place, &broken)]);
    assert_eq!(verified(&repo), (1, vec!["signature-bad".to_owned()]));
    // One that is locked is judged even where the policy names no folder.
    let policy = std::fs::read_to_string(repo.dir().join("foretaste.yaml")).unwrap();
    let policy = policy.replace("require: {model_signatures: [models/adapter]}\n", "");
    repo.write(&[("foretaste.yaml", &policy), (place, &bundle(&FILES))]);
    repo.foretaste(&["lock", place]);
    repo.commit(&[], "locked");
    assert_eq!(verified(&repo), (0, vec![]));
    repo.write(&[("models/adapter/a.bin", "Weights")]);
    assert_eq!(verified(&repo), (1, vec!["model-mismatch".to_owned()]));
}

#[test]
#[ignore = "needs the Python package model-signing, by the name of its interpreter in MODEL_SIGNING_PYTHON, and openssl"]
fn what_model_signing_signs_is_verified() {
    let beside = Repo::new();
    let (secret, public) = (beside.beside("k.pem"), beside.beside("k.pub"));
    let run = |command: &mut std::process::Command| assert!(command.status().unwrap().success());
    run(beside.command("openssl").args(["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out"]).arg(&secret));
    run(beside.command("openssl").args(["ec", "-pubout", "-in"]).arg(&secret).arg("-out").arg(&public));
    let text = std::fs::read_to_string(&public).unwrap();
    let key: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let repo = repo(&key);
    let python = std::env::var("MODEL_SIGNING_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    run(repo
        .command(python)
        .args(["-m", "model_signing", "sign", "key", "models/adapter", "--signature", "models/adapter/model.sig"])
        .arg("--private_key")
        .arg(&secret));
    assert_eq!(verified(&repo), (0, vec![]));
    repo.write(&[("models/adapter/a.bin", "Weights")]);
    assert_eq!(verified(&repo), (1, vec!["model-mismatch".to_owned()]));
}
