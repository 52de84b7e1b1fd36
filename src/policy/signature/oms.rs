//! OpenSSF model signatures made with a key: a Sigstore bundle around a signed list of every file of a model.
//!
//! Format: <https://github.com/ossf/model-signing-spec>, made by `model_signing sign key`. The bundle (version 0.3) holds a
//! DSSE envelope, that an in-toto Statement of the predicate `signature/v1.0`. Bundles with a certificate name a person
//! and not a key; whether that certificate was good cannot be known without the network, so they are refused.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bstr::{BStr, BString, ByteSlice};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Refused, Signed, Trust, bad, in_force};
use crate::policy::Key;
use crate::policy::lock::{digest, hex, stays_inside};
use crate::policy::node::short;
use crate::span::BlobId;

/// Bytes of a bundle: a hundred thousand files and more.
pub(crate) const MAX_BUNDLE: u64 = 64 << 20;
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PAYLOAD: &str = "application/vnd.in-toto+json";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://model_signing/signature/v1.0";
/// How a P-256 public key in DER begins: what it is, and that an uncompressed point follows.
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE,
    0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// What a model consists of, by the word of whoever signed it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Manifest {
    /// Every file, by its path below the folder of the model.
    pub(crate) files: BTreeMap<BString, Sum>,
    /// Paths below the folder that the signature does not speak of.
    pub(crate) ignored: Vec<BString>,
}

/// The hash of one file.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) enum Sum {
    Sha256([u8; 32]),
    Blake3([u8; 32]),
}

impl Manifest {
    /// Whether the signature leaves a path out.
    pub(crate) fn ignores(&self, path: &BStr) -> bool {
        let covers = |ignored: &BString| path.strip_prefix(ignored.as_slice()).map(|rest| rest.first());
        self.ignored.iter().filter_map(covers).any(|next| matches!(next, None | Some(b'/')))
    }
}

/// A model and what became of its signature.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    /// Its folder; empty for the top of the repository.
    pub(crate) folder: String,
    /// The signature file; `None` where one is asked for and none is there.
    pub(crate) bundle: Option<String>,
    /// That file, or the policy.
    pub(crate) blob: BlobId,
    /// Who signed, and what is not as it was signed.
    pub(crate) verdict: Result<(Signed, Differs), Refused>,
}

/// What of a model is not as it was signed: paths below its folder, sorted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Differs {
    pub(crate) changed: Vec<BString>,
    pub(crate) added: Vec<BString>,
    pub(crate) missing: Vec<BString>,
    /// Files that the signature leaves out.
    pub(crate) ignored: Vec<BString>,
}

/// What is said where a signature is asked for and there is none.
pub(crate) fn missing() -> Refused {
    Refused { finding: "signature-missing", why: "it carries no signature, and the policy asks for one".to_owned() }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Envelope,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: Option<Hint>,
    certificate: Option<serde::de::IgnoredAny>,
    x509_certificate_chain: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Hint {
    #[serde(default)]
    hint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Mark>,
}

#[derive(Deserialize)]
struct Mark {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Deserialize)]
struct Subject {
    digest: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Predicate {
    resources: Vec<Resource>,
    serialization: Serialization,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    algorithm: String,
    digest: String,
}

#[derive(Deserialize)]
struct Serialization {
    method: String,
    #[serde(default)]
    ignore_paths: Vec<String>,
}

/// A P-256 public key: the text between the lines of its PEM file, with or without the breaks in it.
///
/// # Errors
/// What is wrong with it, in a phrase.
pub(crate) fn public_key(text: &str) -> Result<[u8; 65], String> {
    let text: String = text.split_whitespace().collect();
    let bytes = STANDARD.decode(text).map_err(|_| "it is not base64".to_owned())?;
    let point = bytes.strip_prefix(&SPKI[..]).and_then(|point| <[u8; 65]>::try_from(point).ok());
    let point = point.ok_or("only keys on the curve P-256 are read (prime256v1)")?;
    VerifyingKey::from_sec1_bytes(&point).map_err(|_| "it names no point of its curve")?;
    Ok(point)
}

/// What bundles call a key: SHA-256 of its PEM file.
fn hint(point: &[u8; 65]) -> String {
    let text = STANDARD.encode([&SPKI[..], point].concat());
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    hex(&Sha256::digest(pem + "-----END PUBLIC KEY-----\n"))
}

/// Whether a file says that it is such a bundle, of whatever version.
pub(crate) fn is_bundle(file: &[u8]) -> bool {
    file.trim_start().starts_with(b"{") && file.contains_str("vnd.dev.sigstore.bundle")
}

/// Judges a bundle: who signed it, and what it speaks of. It holds no day, so that a key counts today or not at all.
///
/// # Errors
/// Why it does not count.
pub(crate) fn verify(file: &[u8], trust: &Trust<'_>) -> Result<(Signed, Manifest), Refused> {
    let unread = |why: String| Refused { finding: "signature-not-judged", why };
    let bundle: Bundle =
        serde_json::from_slice(file).map_err(|error| bad(format!("it is no bundle of Sigstore ({error})")))?;
    if bundle.media_type != BUNDLE {
        return Err(unread(format!("it is a bundle of another version ({})", short(&bundle.media_type))));
    }
    let material = &bundle.verification_material;
    if material.certificate.is_some() || material.x509_certificate_chain.is_some() {
        return Err(unread(
            "it was made with a certificate, which cannot be judged without the network; sign with `model_signing sign key` \
             and list the public key in the policy"
                .to_owned(),
        ));
    }
    let Some(named) = &material.public_key else { return Err(bad("it names no key")) };
    let envelope = &bundle.dsse_envelope;
    let [mark] = &envelope.signatures[..] else { return Err(bad("it has not one signature")) };
    if envelope.payload_type != PAYLOAD {
        return Err(bad("what it signs is no in-toto statement"));
    }
    let decoded = |text: &str| STANDARD.decode(text).map_err(|_| bad("it is not base64"));
    let (payload, signature) = (decoded(&envelope.payload)?, decoded(&mark.sig)?);
    let signature = Signature::from_der(&signature)
        .map_err(|_| unread("it was not made with a key on the curve P-256, and no other is read".to_owned()))?;
    let points = trust.keys.iter().filter_map(|key| Some((key, public_key(key.ecdsa.as_deref()?).ok()?)));
    let mut listed = points.filter(|(_, point)| named.hint.is_empty() || named.hint == hint(point));
    let sealed = pre_authentication(PAYLOAD, &payload);
    let holds = |point: &[u8; 65]| {
        VerifyingKey::from_sec1_bytes(point).is_ok_and(|key| key.verify(&sealed, &signature).is_ok())
    };
    let Some((first, point)) = listed.next() else {
        let why = format!("it is by key {}, which the policy does not list", short(&named.hint));
        return Err(Refused { finding: "signature-unknown-key", why });
    };
    let by = if holds(&point) { Some(first) } else { listed.find(|(_, point)| holds(point)).map(|(key, _)| key) };
    let key: &Key = by.ok_or_else(|| bad(format!("it does not match what it signs under key {}", first.name)))?;
    in_force(key, None, trust)?;
    Ok((Signed::by(key), statement(&payload)?))
}

/// What is signed of an envelope. <https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>
fn pre_authentication(kind: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// The files that a statement lists.
fn statement(payload: &[u8]) -> Result<Manifest, Refused> {
    let statement: Statement =
        serde_json::from_slice(payload).map_err(|error| bad(format!("its statement cannot be read ({error})")))?;
    let unread = |why: String| Refused { finding: "signature-not-judged", why };
    if statement.kind != STATEMENT || statement.predicate_type != PREDICATE {
        return Err(unread(format!("it says something else of a model ({})", short(&statement.predicate_type))));
    }
    if statement.predicate.serialization.method != "files" {
        return Err(unread("it hashes parts of files; sign whole files (`--method files`)".to_owned()));
    }
    let mut files = BTreeMap::new();
    let mut all = Sha256::new();
    for resource in statement.predicate.resources {
        let value = digest(&resource.digest).ok_or_else(|| bad("a hash in it is not 64 hexadecimal digits"))?;
        all.update(value);
        let sum = match resource.algorithm.as_str() {
            "sha256" => Sum::Sha256(value),
            "blake3" => Sum::Blake3(value),
            other => return Err(unread(format!("it hashes by {}; sign with sha256 or blake3", short(other)))),
        };
        let path = BString::from(resource.name);
        if !stays_inside(path.as_bstr()) {
            return Err(bad("it names a path outside of the model"));
        }
        if files.insert(path, sum).is_some() {
            return Err(bad("it names a file twice"));
        }
    }
    let [subject] = &statement.subject[..] else { return Err(bad("it does not speak of one model")) };
    let whole = hex(&all.finalize());
    if subject.digest.get("sha256") != Some(&whole) {
        return Err(bad("its own sum is not that of its files"));
    }
    let ignored = statement.predicate.serialization.ignore_paths.into_iter().map(BString::from).collect();
    Ok(Manifest { files, ignored })
}

#[cfg(test)]
pub(crate) mod tests {
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::Signer;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn pair(seed: u8) -> (SigningKey, Key) {
        let signing = SigningKey::from_slice(&[seed; 32]).unwrap();
        let point = signing.verifying_key().to_encoded_point(false);
        let ecdsa = Some(STANDARD.encode([&SPKI[..], point.as_bytes()].concat()));
        (signing, Key { name: format!("k{seed}"), ecdsa, principal: format!("p{seed}@x"), ..Key::default() })
    }

    fn statement_of(files: &[(&str, [u8; 32])]) -> serde_json::Value {
        let mut all = Sha256::new();
        files.iter().for_each(|(_, sum)| all.update(sum));
        let resource =
            |(name, sum): &(&str, [u8; 32])| json!({"name": name, "algorithm": "sha256", "digest": hex(sum)});
        json!({
            "_type": STATEMENT,
            "subject": [{"name": "model", "digest": {"sha256": hex(&all.finalize())}}],
            "predicateType": PREDICATE,
            "predicate": {
                "resources": files.iter().map(resource).collect::<Vec<_>>(),
                "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": false, "ignore_paths": [".git"]},
            },
        })
    }

    fn bundle(signing: &SigningKey, key: &Key, statement: &serde_json::Value) -> serde_json::Value {
        let payload = statement.to_string();
        let signature: Signature = signing.sign(&pre_authentication(PAYLOAD, payload.as_bytes()));
        let hint = hint(&public_key(key.ecdsa.as_deref().unwrap()).unwrap());
        json!({
            "mediaType": BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": STANDARD.encode(payload),
                "payloadType": PAYLOAD,
                "signatures": [{"sig": STANDARD.encode(signature.to_der()), "keyid": ""}],
            },
        })
    }

    fn judge(bundle: &serde_json::Value, keys: &[Key]) -> Result<(Signed, Manifest), Refused> {
        let as_of = jiff::civil::date(2026, 11, 23);
        verify(bundle.to_string().as_bytes(), &Trust { keys, as_of, max_age_days: None, standing: false })
    }

    #[test]
    fn a_bundle_counts_by_a_listed_key_and_says_what_a_model_consists_of() {
        let (signing, key) = pair(1);
        let statement = statement_of(&[("a.bin", [1; 32]), ("sub/b.bin", [2; 32])]);
        let good = bundle(&signing, &key, &statement);
        assert!(is_bundle(good.to_string().as_bytes()));
        let (signed, manifest) = judge(&good, std::slice::from_ref(&key)).unwrap();
        assert_eq!((signed.principal.as_str(), manifest.files.len()), ("p1@x", 2));
        assert_eq!(manifest.files[BStr::new("sub/b.bin")], Sum::Sha256([2; 32]));
        assert!(manifest.ignores(".git/config".into()) && !manifest.ignores(".gitattributes".into()));
        assert_eq!(judge(&good, &[pair(2).1]).unwrap_err().finding, "signature-unknown-key");
        let revoked = Key { revoked: true, ..key.clone() };
        assert_eq!(judge(&good, &[revoked]).unwrap_err().finding, "signature-revoked-key");

        let keys = [key.clone()];
        for (pointer, value, why) in [
            ("/mediaType", json!("application/vnd.dev.sigstore.bundle.v0.2+json"), "another version"),
            ("/verificationMaterial", json!({"certificate": {"rawBytes": ""}}), "sign key"),
            ("/verificationMaterial", json!({}), "no key"),
            ("/dsseEnvelope/payloadType", json!("text/plain"), "in-toto"),
            ("/dsseEnvelope/signatures", json!([]), "one signature"),
        ] {
            let mut changed = good.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            assert!(judge(&changed, &keys).unwrap_err().why.contains(why), "{pointer}");
        }
        for (pointer, value, why) in [
            ("/predicateType", json!("https://slsa.dev/provenance/v1"), "something else"),
            ("/subject/0/digest/sha256", json!("00"), "sum"),
            ("/predicate/resources/0/name", json!("../a.bin"), "outside"),
            ("/predicate/resources/0/name", json!("sub/b.bin"), "twice"),
            ("/predicate/resources/0/algorithm", json!("sha1"), "sha256 or blake3"),
            ("/predicate/serialization/method", json!("shards"), "whole files"),
        ] {
            let mut changed = statement.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            assert!(judge(&bundle(&signing, &key, &changed), &keys).unwrap_err().why.contains(why), "{pointer}");
        }
    }

    #[test]
    fn keys_of_other_kinds_are_refused() {
        assert!(public_key("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=").is_err(), "ed25519");
        assert!(public_key("").is_err() && public_key("no base64").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_byte_of_what_is_signed_of_the_signature_or_of_the_key_can_be_changed(
            at in any::<proptest::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let (signing, key) = pair(3);
            let good = bundle(&signing, &key, &statement_of(&[("a.bin", [1; 32])]));
            for pointer in ["/dsseEnvelope/payload", "/dsseEnvelope/signatures/0/sig", "/verificationMaterial/publicKey/hint"] {
                let mut bytes = good.pointer(pointer).unwrap().as_str().unwrap().as_bytes().to_vec();
                let place = at.index(bytes.len());
                bytes[place] ^= 1 << bit;
                let Ok(text) = String::from_utf8(bytes) else { continue };
                let mut changed = good.clone();
                *changed.pointer_mut(pointer).unwrap() = json!(text);
                prop_assert!(judge(&changed, std::slice::from_ref(&key)).is_err(), "{} {}", pointer, place);
            }
            let mut line = key.ecdsa.clone().unwrap().into_bytes();
            let place = at.index(line.len());
            line[place] ^= 1 << bit;
            // White space between the lines of a key means nothing.
            if let Ok(line) = String::from_utf8(line)
                && !line.contains(char::is_whitespace)
            {
                let keys = [Key { ecdsa: Some(line), ..key }];
                prop_assert!(judge(&good, &keys).is_err());
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let trust = Trust { keys: &[], as_of: jiff::civil::date(2026, 11, 23), max_age_days: None, standing: false };
            let _ = (verify(&bytes, &trust), statement(&bytes), public_key(&String::from_utf8_lossy(&bytes)));
        }
    }
}
