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

/// What a command finds about models and signatures.
fn found(repo: &Repo, command: &[&str]) -> (i32, Vec<String>) {
    let (code, report) = repo.json(command);
    let findings = report["findings"].as_array().unwrap();
    let of_models = findings.iter().filter(|f| f["rule"] == "bad-signature");
    (code, of_models.map(|f| f["evidence"]["finding"].as_str().unwrap().to_owned()).collect())
}

fn verified(repo: &Repo) -> (i32, Vec<String>) {
    found(repo, &["verify"])
}

fn told(code: i32, findings: &[&str]) -> (i32, Vec<String>) {
    (code, findings.iter().map(ToString::to_string).collect())
}

/// What is said of a model whose version nobody has locked.
const UNBOUND: &str = "model-not-locked";

#[test]
fn a_model_counts_only_as_it_was_signed() {
    let repo = repo(&public());
    assert_eq!(verified(&repo), told(1, &["signature-missing"]));
    for place in ["models/adapter/model.sig", "models/adapter.sig"] {
        repo.write(&[(place, &bundle(&FILES))]);
        assert_eq!(verified(&repo), told(0, &[UNBOUND]), "{place}");
        std::fs::remove_file(repo.dir().join(place)).unwrap();
    }
    let place = "models/adapter/model.sig";
    repo.write(&[(place, &bundle(&FILES))]);
    for (path, text) in [("a.bin", "Weights"), ("c.bin", "code")] {
        let path = format!("models/adapter/{path}");
        repo.write(&[(&path, text)]);
        assert_eq!(verified(&repo), told(1, &["model-mismatch", UNBOUND]), "{path}");
        std::fs::remove_file(repo.dir().join(path)).unwrap();
        assert_eq!(verified(&repo).0, i32::from(text == "Weights"), "a missing file is told, too");
        repo.write(&[("models/adapter/a.bin", "weights")]);
    }
    // What the signer left out is said, since a changed `.gitattributes` changes what files are read as.
    repo.write(&[("models/adapter/.gitignore", "*.bin\n")]);
    assert_eq!(verified(&repo), told(0, &["model-signature-ignores", UNBOUND]));
    std::fs::remove_file(repo.dir().join("models/adapter/.gitignore")).unwrap();
    let broken = bundle(&FILES).replace("dsseEnvelope\":{\"payload\":\"ey", "dsseEnvelope\":{\"payload\":\"eX");
    repo.write(&[(place, &broken)]);
    assert_eq!(verified(&repo), told(1, &["signature-bad"]));
    // One that is locked is judged even where the policy names no folder.
    let policy = std::fs::read_to_string(repo.dir().join("foretaste.yaml")).unwrap();
    let policy = policy.replace("require: {model_signatures: [models/adapter]}\n", "");
    repo.write(&[("foretaste.yaml", &policy), (place, &bundle(&FILES))]);
    repo.foretaste(&["lock", place]);
    repo.commit(&[], "locked");
    assert_eq!(verified(&repo), told(0, &[]), "and nobody can put an older version in its place");
    repo.write(&[("models/adapter/a.bin", "Weights")]);
    assert_eq!(verified(&repo), told(1, &["model-mismatch"]));
}

#[test]
fn a_change_of_a_model_is_judged_as_it_is_made_and_others_are_left_alone() {
    let repo = repo(&public());
    let place = "models/adapter/model.sig";
    repo.commit(&[(place, &bundle(&FILES))], "sign");
    let staged = |files: &[(&str, &str)]| {
        repo.stage(files);
        let seen = found(&repo, &["check", "--staged"]);
        repo.git(&["reset", "--quiet", "--hard"]);
        seen
    };
    assert_eq!(staged(&[("models/adapter/a.bin", "Weights")]), told(1, &["model-mismatch", UNBOUND]));
    assert_eq!(staged(&[("models/adapter/c.bin", "code")]), told(1, &["model-mismatch", UNBOUND]));
    assert_eq!(staged(&[(place, "{}")]), told(1, &["signature-missing"]));
    assert_eq!(staged(&[("notes.md", "# Notes\n")]), told(0, &[]), "the model is not touched");
    let old = repo.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let files = [("a.bin", "Weights"), FILES[1]];
    let new = repo.commit(&[("models/adapter/a.bin", "Weights"), (place, &bundle(&files))], "train again");
    let range = |base: &str, head: &str| found(&repo, &["check", "--range", &format!("{base}..{head}")]);
    assert_eq!(range(&old, &new), told(0, &[UNBOUND]));
    assert_eq!(found(&repo, &["check", "--rev", "HEAD"]), told(0, &[UNBOUND]));
    let bad = repo.commit(&[("models/adapter/a.bin", "poison")], "poison");
    assert_eq!(range(&new, &bad), told(1, &["model-mismatch", UNBOUND]));
    assert_eq!(found(&repo, &["check", "--rev", "HEAD"]), told(1, &["model-mismatch", UNBOUND]));
    assert_eq!(found(&repo, &["check"]), told(1, &["model-mismatch", UNBOUND]));

    // Where signatures are asked for after the merge, a change may come without one, but never with a bad one.
    let policy = std::fs::read_to_string(repo.dir().join("foretaste.yaml")).unwrap();
    let later = policy.replace("[models/adapter]}", "[models/adapter], signed_at: [merge]}");
    repo.git(&["rm", "--quiet", place]);
    let base = repo.commit(&[("foretaste.yaml", &later)], "later");
    let head = repo.commit(&[("models/adapter/a.bin", "weights")], "unsigned");
    assert_eq!(range(&base, &head), told(0, &[]));
    assert_eq!(found(&repo, &["check", "--rev", "HEAD"]), told(1, &["signature-missing"]));
}

#[test]
fn files_in_lfs_are_compared_by_what_git_holds_of_them() {
    let repo = repo(&public());
    let pointer = |text: &str| {
        let oid = hex(&Sha256::digest(text));
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {}\n", text.len())
    };
    let place = "models/adapter/model.sig";
    let good = [("models/adapter/a.bin", pointer("weights")), (place, bundle(&FILES))];
    repo.commit(&good.each_ref().map(|(path, text)| (*path, text.as_str())), "pointers");
    assert_eq!(found(&repo, &["check", "--rev", "HEAD"]).1, [UNBOUND]);
    repo.commit(&[("models/adapter/a.bin", &pointer("poison"))], "another");
    assert_eq!(found(&repo, &["check", "--rev", "HEAD"]).1, ["model-mismatch", UNBOUND]);
}

/// Where the interpreter with `model_signing` is.
fn python() -> String {
    std::env::var("MODEL_SIGNING_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

#[test]
#[ignore = "needs the Python package model-signing, by the name of its interpreter in MODEL_SIGNING_PYTHON, and openssl"]
fn what_model_signing_signs_is_verified() {
    // By shards of four bytes, which only its library offers.
    let shards = "import sys, model_signing as m\n\
                  m.signing.Config().use_elliptic_key_signer(private_key=sys.argv[1]).set_hashing_config(\
                  m.hashing.Config().use_shard_serialization(shard_size=4)).sign(sys.argv[2], sys.argv[3])\n";
    for curve in ["prime256v1", "secp384r1", "secp521r1"] {
        let beside = Repo::new();
        let (secret, public) = (beside.beside("k.pem"), beside.beside("k.pub"));
        let run = |command: &mut std::process::Command| assert!(command.status().unwrap().success(), "{curve}");
        run(beside.command("openssl").args(["ecparam", "-name", curve, "-genkey", "-noout", "-out"]).arg(&secret));
        run(beside.command("openssl").args(["ec", "-pubout", "-in"]).arg(&secret).arg("-out").arg(&public));
        let text = std::fs::read_to_string(&public).unwrap();
        let key: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let repo = repo(&key);
        let place = "models/adapter/model.sig";
        for by_shards in [false, true] {
            let mut command = repo.command(python());
            match by_shards {
                true => command.args(["-c", shards]).arg(&secret).args(["models/adapter", place]),
                false => command
                    .args(["-m", "model_signing", "sign", "key", "models/adapter", "--signature", place])
                    .arg("--private_key")
                    .arg(&secret),
            };
            run(&mut command);
            assert_eq!(verified(&repo), told(0, &[UNBOUND]), "{curve} {by_shards}");
            repo.write(&[("models/adapter/a.bin", "Weights")]);
            assert_eq!(verified(&repo), told(1, &["model-mismatch", UNBOUND]), "{curve} {by_shards}");
            repo.write(&[("models/adapter/a.bin", "weights")]);
            std::fs::remove_file(repo.dir().join(place)).unwrap();
        }
        // A model may be one file.
        let policy = std::fs::read_to_string(repo.dir().join("foretaste.yaml")).unwrap();
        repo.commit(&[("foretaste.yaml", &policy.replace("[models/adapter]", "[models/adapter/a.bin]"))], "one file");
        let mut command = repo.command(python());
        command.args(["-m", "model_signing", "sign", "key", "models/adapter/a.bin", "--private_key"]).arg(&secret);
        run(command.args(["--signature", "models/adapter/a.bin.sig"]));
        assert_eq!(verified(&repo), told(0, &[UNBOUND]), "{curve}");
        repo.write(&[("models/adapter/a.bin", "Weights")]);
        assert_eq!(verified(&repo), told(1, &["model-mismatch", UNBOUND]), "{curve}");
    }
}
