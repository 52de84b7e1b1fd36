use bstr::BStr;
use p256::ecdsa::signature::rand_core;
use proptest::prelude::*;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::key::tests::written;
use super::manifest::{PREDICATE, STATEMENT};
use super::*;
use crate::policy::Key;
use crate::policy::lock::hex;

/// Signs bytes, as DER.
type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// Chance that is none, so that tests are the same each time.
struct Always;

impl rand_core::RngCore for Always {
    fn next_u32(&mut self) -> u32 {
        7
    }

    fn next_u64(&mut self) -> u64 {
        7
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(7);
        // The number below the order of each curve.
        bytes[0] = 0;
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl rand_core::CryptoRng for Always {}

/// A key on one of the curves, counted from the smallest, and what signs by it.
fn pair_on(curve: usize, seed: u8) -> (Sign, Key) {
    macro_rules! made {
        ($curve:ident, $secret:expr) => {{
            use $curve::ecdsa::signature::RandomizedSigner;
            let signing = $curve::ecdsa::SigningKey::from_slice(&$secret).unwrap();
            let point = $curve::ecdsa::VerifyingKey::from(&signing).to_encoded_point(false);
            let sign = move |bytes: &[u8]| {
                let signature: $curve::ecdsa::Signature = signing.sign_with_rng(&mut Always, bytes);
                signature.to_der().as_bytes().to_vec()
            };
            (Box::new(sign) as Sign, point.as_bytes().to_vec())
        }};
    }
    let (sign, point) = match curve {
        0 => made!(p256, [seed; 32]),
        1 => made!(p384, [seed; 48]),
        _ => made!(p521, [vec![0], vec![seed; 65]].concat()),
    };
    let ecdsa = Some(written(curve, &point));
    (sign, Key { name: format!("k{seed}"), ecdsa, principal: format!("p{seed}@x"), ..Key::default() })
}

fn pair(seed: u8) -> (Sign, Key) {
    pair_on(0, seed)
}

fn statement_of(files: &[(&str, [u8; 32])]) -> serde_json::Value {
    let mut all = Sha256::new();
    files.iter().for_each(|(_, sum)| all.update(sum));
    let resource = |(name, sum): &(&str, [u8; 32])| json!({"name": name, "algorithm": "sha256", "digest": hex(sum)});
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

fn bundle(signing: &Sign, key: &Key, statement: &serde_json::Value) -> serde_json::Value {
    let payload = statement.to_string();
    let signature = signing(&pre_authentication(PAYLOAD, payload.as_bytes()));
    let hint = PublicKey::parse(key.ecdsa.as_deref().unwrap()).unwrap().hint();
    json!({
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": STANDARD.encode(payload),
            "payloadType": PAYLOAD,
            "signatures": [{"sig": STANDARD.encode(signature), "keyid": ""}],
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
    assert!(manifest.leaves_out(".git/config".into(), None) && !manifest.leaves_out(".gitattributes".into(), Some(0)));
    assert_eq!(judge(&good, &[pair(2).1]).unwrap_err().finding, "signature-unknown-key");
    let revoked = Key { revoked: true, ..key.clone() };
    assert_eq!(judge(&good, &[revoked]).unwrap_err().finding, "signature-revoked-key");

    let keys = [key.clone()];
    for (pointer, value, why) in [
        ("/mediaType", json!("application/vnd.dev.sigstore.bundle.v0.2+json"), "another version"),
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
        ("/predicate/serialization/method", json!("tree"), "--method files"),
        ("/predicate/serialization/method", json!("shards"), "sha256 or blake3"),
    ] {
        let mut changed = statement.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert!(judge(&bundle(&signing, &key, &changed), &keys).unwrap_err().why.contains(why), "{pointer}");
    }
}

#[test]
fn keys_on_every_curve_count_and_none_for_another() {
    let statement = statement_of(&[("a.bin", [1; 32])]);
    let pairs: Vec<_> = (0..3).map(|curve| pair_on(curve, 5)).collect();
    for (number, (signing, key)) in pairs.iter().enumerate() {
        let good = bundle(signing, key, &statement);
        assert!(judge(&good, std::slice::from_ref(key)).is_ok(), "curve {number}");
        let other = pairs[(number + 1) % 3].1.clone();
        let refused = judge(&good, std::slice::from_ref(&other)).unwrap_err();
        assert_eq!(refused.finding, "signature-unknown-key", "curve {number}");
        // Old bundles have no hint, so that every key of the policy is tried.
        let mut unnamed = good.clone();
        unnamed["verificationMaterial"]["publicKey"]["hint"] = json!("");
        assert_eq!(judge(&unnamed, &[other.clone(), key.clone()]).unwrap().0.key, key.name, "curve {number}");
        assert_eq!(judge(&unnamed, &[other]).unwrap_err().finding, "signature-bad", "curve {number}");
    }
}

#[test]
fn a_certificate_counts_by_its_key_where_the_policy_lists_that_and_else_says_what_to_do() {
    let (signing, key) = pair(1);
    let mut certified = bundle(&signing, &key, &statement_of(&[("a.bin", [1; 32])]));
    for material in [json!({"x509CertificateChain": {"certificates": []}}), json!({"certificate": {"rawBytes": ""}})] {
        certified["verificationMaterial"] = material;
        assert!(judge(&certified, std::slice::from_ref(&key)).is_ok());
        for keys in [&[][..], &[pair(2).1]] {
            let refused = judge(&certified, keys).unwrap_err();
            assert_eq!(refused.finding, "signature-not-judged");
            assert!(refused.why.contains("`ecdsa`") && refused.why.contains("sign key"), "{}", refused.why);
        }
    }
}

/// A statement over the shards of files: name, and the end of each shard with its bytes.
fn shards_of(shards: &[(&str, &[u8])]) -> serde_json::Value {
    let mut all = Sha256::new();
    let mut resources = Vec::new();
    for (name, bytes) in shards {
        let sum = Sha256::digest(bytes);
        all.update(sum);
        resources.push(json!({"name": name, "algorithm": "sha256-sharded-4", "digest": hex(&sum)}));
    }
    let mut statement = statement_of(&[]);
    statement["subject"][0]["digest"]["sha256"] = json!(hex(&all.finalize()));
    statement["predicate"]["resources"] = json!(resources);
    statement["predicate"]["serialization"]["method"] = json!("shards");
    statement
}

#[test]
fn shards_are_put_together_and_must_cover_a_file() {
    let (signing, key) = pair(1);
    let keys = [key.clone()];
    let good: [(&str, &[u8]); 3] = [("a.bin:0:4", b"abcd"), ("a.bin:4:6", b"ef"), ("odd:name:0:1", b"x")];
    let (_, manifest) = judge(&bundle(&signing, &key, &shards_of(&good)), &keys).unwrap();
    let sum = &manifest.files[BStr::new("a.bin")];
    assert!(sum.holds(b"abcdef") && manifest.files[BStr::new("odd:name")].holds(b"x"));
    for other in ["abcde", "abcdefg", "abcdeF", "Abcdef", ""] {
        assert!(!sum.holds(other.as_bytes()), "{other}");
    }
    assert!(manifest.leaves_out("empty".into(), Some(0)) && !manifest.leaves_out("full".into(), Some(1)));
    for (shards, why) in [
        (&[("a.bin:4:6", &b"ef"[..])][..], "join"),
        (&[("a.bin:0:4", b"abcd"), ("a.bin:5:6", b"f")], "join"),
        (&[("a.bin:0:4", b"abcd"), ("a.bin:0:4", b"abcd")], "join"),
        (&[("a.bin:0:4", b"abcd"), ("a.bin:3:6", b"def")], "join"),
        (&[("a.bin:0:5", b"abcde")], "longer"),
        (&[("a.bin:0:0", b"")], "where that lies"),
        (&[("a.bin", b"a")], "where that lies"),
        (&[("../a.bin:0:1", b"a")], "outside"),
        (&[(".:0:1", b"a"), ("b:0:1", b"b")], "at once"),
    ] {
        let refused = judge(&bundle(&signing, &key, &shards_of(shards)), &keys).unwrap_err();
        assert!(refused.why.contains(why), "{shards:?}: {}", refused.why);
    }
}

#[test]
fn a_model_may_be_one_file() {
    let (signing, key) = pair(1);
    let sum: [u8; 32] = Sha256::digest(b"weights").into();
    let (_, manifest) = judge(&bundle(&signing, &key, &statement_of(&[(".", sum)])), &[key]).unwrap();
    assert!(manifest.is_file() && manifest.files[BStr::new("")].holds(b"weights"));
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
        let _ = (verify(&bytes, &trust), manifest::read(&bytes), PublicKey::parse(&String::from_utf8_lossy(&bytes)));
    }
}
