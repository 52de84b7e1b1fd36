//! Signatures of the lock: minisign, read strictly, and bound to what they sign.
//!
//! A minisign signature says who signed some bytes. That is not enough: it could have been made for another repository,
//! an older lock or another purpose. So the trusted comment, which is signed as well, names all of these, and every
//! field is compared. Format: <https://jedisct1.github.io/minisign/>, "Signature format".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::super::Key;
use super::{Lock, hex};

/// Longest signature file that is read.
const MAX_FILE: usize = 8 << 10;
/// At most this many signature files are read.
pub(crate) const MAX_FILES: usize = 32;

/// A signature that holds: whose it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Signed {
    /// Name of the key in the policy.
    pub(crate) key: String,
    /// Who holds it.
    pub(crate) principal: String,
}

/// A signature that does not hold: which of the sheet's findings it is, and what to say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refused {
    /// `signature-bad`, `signature-unknown-key`, `signature-expired-key`, `signature-revoked-key`.
    pub(crate) finding: &'static str,
    pub(crate) why: String,
}

fn bad(why: impl Into<String>) -> Refused {
    Refused { finding: "signature-bad", why: why.into() }
}

/// The text that is signed beside the lock, in its one form.
pub(crate) fn trusted_comment(lock: &Lock, text: &[u8], created: Timestamp, expires: Timestamp) -> String {
    format!(
        "foretaste v1 kind=lock repo={} file=foretaste.lock sha256={} seq={} created={created:.0} expires={expires:.0}",
        lock.repo,
        hex(&Sha256::digest(text)),
        lock.seq.unwrap_or(0),
    )
}

/// Judges one signature file against the keys of the trusted policy on the day `as_of`.
///
/// # Errors
/// Why the signature does not count.
pub(crate) fn verify(file: &[u8], lock: &Lock, text: &[u8], keys: &[Key], as_of: Date) -> Result<Signed, Refused> {
    let parts = Parts::read(file)?;
    let key = keys.iter().find(|key| key_number(&key.minisign) == Some(parts.key_number)).ok_or_else(|| Refused {
        finding: "signature-unknown-key",
        why: format!("it is by key {}, which the policy does not list", number_text(parts.key_number)),
    })?;
    let public = minisign_verify::PublicKey::from_base64(&key.minisign)
        .map_err(|_| bad(format!("the key {} in the policy is no minisign key", key.name)))?;
    let signature =
        minisign_verify::Signature::decode(parts.text).map_err(|_| bad("it is not a minisign signature"))?;
    // Legacy signatures are over the raw file; one of them can be relabelled to speak of another file.
    public
        .verify(text, &signature, false)
        .map_err(|_| bad(format!("it does not match the lock under key {}", key.name)))?;
    comment(parts.comment, lock, text, as_of)?;
    if key.revoked {
        let why = format!("key {} is revoked", key.name);
        return Err(Refused { finding: "signature-revoked-key", why });
    }
    let early = key.from.is_some_and(|from| as_of < from);
    let late = key.until.is_some_and(|until| as_of > until);
    if early || late {
        let why = format!("key {} is not valid on {as_of}", key.name);
        return Err(Refused { finding: "signature-expired-key", why });
    }
    Ok(Signed { key: key.name.clone(), principal: key.principal.clone() })
}

/// Compares every field of the trusted comment with what is being checked.
fn comment(comment: &str, lock: &Lock, text: &[u8], as_of: Date) -> Result<(), Refused> {
    let fields: Vec<&str> = comment.split(' ').collect();
    let [tool, version, kind, repo, file, sha256, seq, created, expires] = fields[..] else {
        return Err(bad("its trusted comment was not made by foretaste; sign with `foretaste sign`"));
    };
    if (tool, version) != ("foretaste", "v1") {
        return Err(bad("its trusted comment was not made by foretaste; sign with `foretaste sign`"));
    }
    let digest = hex(&Sha256::digest(text));
    let expected = [
        (kind, "kind=", "lock", "another purpose"),
        (repo, "repo=", lock.repo.as_str(), "another repository"),
        (file, "file=", super::super::LOCK, "another file"),
        (sha256, "sha256=", digest.as_str(), "another version of the lock"),
    ];
    for (field, name, value, other) in expected {
        if field.strip_prefix(name) != Some(value) {
            return Err(bad(format!("it was made for {other}")));
        }
    }
    if seq.strip_prefix("seq=") != Some(lock.seq.unwrap_or(0).to_string().as_str()) {
        return Err(bad("it was made for another sequence number"));
    }
    let time = |field: &str, name: &str| field.strip_prefix(name).and_then(|text| text.parse::<Timestamp>().ok());
    let (Some(_), Some(expires)) = (time(created, "created="), time(expires, "expires=")) else {
        return Err(bad("its trusted comment has no valid times"));
    };
    if expires.to_zoned(jiff::tz::TimeZone::UTC).date() < as_of {
        return Err(bad("it has expired; sign the lock again"));
    }
    Ok(())
}

/// The parts of a signature file.
struct Parts<'a> {
    text: &'a str,
    key_number: [u8; 8],
    comment: &'a str,
}

impl<'a> Parts<'a> {
    /// Exactly four lines, each ended by one LF, in canonical base64 of the right length. Parsers differ on everything
    /// looser than that, and what parsers differ on can be forged.
    fn read(file: &'a [u8]) -> Result<Self, Refused> {
        if file.len() > MAX_FILE {
            return Err(bad("it is longer than a signature can be"));
        }
        let text = std::str::from_utf8(file).map_err(|_| bad("it is not UTF-8"))?;
        if text.contains(['\r', '\0', '\u{FEFF}']) {
            return Err(bad("it has a carriage return, a NUL or a byte-order mark; was it converted?"));
        }
        let lines: Vec<&str> = text.split('\n').collect();
        let [untrusted, signature, trusted, global, ""] = lines[..] else {
            return Err(bad("it does not have exactly four lines"));
        };
        if !untrusted.starts_with("untrusted comment: ") {
            return Err(bad("its first line is no untrusted comment"));
        }
        let comment =
            trusted.strip_prefix("trusted comment: ").ok_or_else(|| bad("its third line is no trusted comment"))?;
        if comment.ends_with(' ') || !comment.bytes().all(|b| (0x20..0x7F).contains(&b)) {
            return Err(bad("its trusted comment is not plain ASCII"));
        }
        let signature = base64(signature, 74).ok_or_else(|| bad("its second line is not a signature"))?;
        base64(global, 64).ok_or_else(|| bad("its fourth line is not a signature"))?;
        if &signature[..2] != b"ED" {
            return Err(bad("it is not prehashed; sign without -l"));
        }
        let mut key_number = [0; 8];
        key_number.copy_from_slice(&signature[2..10]);
        Ok(Self { text, key_number, comment })
    }
}

/// Bytes of canonical base64 of exactly this length.
fn base64(text: &str, len: usize) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text).ok()?;
    (bytes.len() == len && STANDARD.encode(&bytes) == text).then_some(bytes)
}

/// The key number of a minisign public key: random, no fingerprint, only a hint which key to try.
pub(crate) fn key_number(key: &str) -> Option<[u8; 8]> {
    let bytes = base64(key, 42)?;
    if &bytes[..2] != b"Ed" {
        return None;
    }
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[2..10]);
    Some(number)
}

/// A key number as minisign shows it: 16 upper-case hexadecimal digits, little endian.
pub(crate) fn number_text(number: [u8; 8]) -> String {
    format!("{:016X}", u64::from_le_bytes(number))
}

#[cfg(all(test, feature = "sign"))]
#[allow(clippy::unwrap_used)] // not seen as a test module behind the feature
mod tests {
    use std::io::Cursor;

    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const DAY: Date = date(2026, 11, 23);

    fn key(pair: &minisign::KeyPair, name: &str) -> Key {
        Key {
            name: name.into(),
            minisign: pair.pk.to_base64(),
            principal: format!("{name}@example.org"),
            from: Some(date(2026, 1, 1)),
            until: Some(date(2027, 1, 1)),
            ..Key::default()
        }
    }

    struct Case {
        pair: minisign::KeyPair,
        lock: Lock,
        text: Vec<u8>,
        file: Vec<u8>,
    }

    fn sign(pair: &minisign::KeyPair, text: &[u8], comment: &str) -> Vec<u8> {
        minisign::sign(Some(&pair.pk), &pair.sk, Cursor::new(text), Some(comment), Some("signature"))
            .unwrap()
            .into_string()
            .into_bytes()
    }

    fn times() -> (Timestamp, Timestamp) {
        ("2026-11-01T00:00:00Z".parse().unwrap(), "2027-11-01T00:00:00Z".parse().unwrap())
    }

    fn case() -> Case {
        let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
        let lock = Lock { repo: "org/data".into(), seq: Some(4), ..Lock::default() };
        let text = lock.to_text().into_bytes();
        let (created, expires) = times();
        let file = sign(&pair, &text, &trusted_comment(&lock, &text, created, expires));
        Case { pair, lock, text, file }
    }

    #[test]
    fn a_signature_of_a_listed_key_counts() {
        let c = case();
        let signed = verify(&c.file, &c.lock, &c.text, &[key(&c.pair, "alice")], DAY).unwrap();
        assert_eq!(signed, Signed { key: "alice".into(), principal: "alice@example.org".into() });
    }

    #[test]
    fn keys_count_only_while_they_are_valid_and_not_revoked() {
        let c = case();
        let judge = |change: fn(&mut Key), day| {
            let mut key = key(&c.pair, "alice");
            change(&mut key);
            verify(&c.file, &c.lock, &c.text, &[key], day).map_err(|refused| refused.finding)
        };
        assert_eq!(judge(|key| key.revoked = true, DAY), Err("signature-revoked-key"));
        assert_eq!(judge(|_| (), date(2027, 1, 2)), Err("signature-expired-key"));
        assert_eq!(judge(|_| (), date(2025, 12, 31)), Err("signature-expired-key"));
        // Past the end of the signature itself.
        assert_eq!(judge(|key| key.until = None, date(2027, 11, 2)), Err("signature-bad"));
        let other = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
        let refused = verify(&c.file, &c.lock, &c.text, &[key(&other, "mallory")], DAY).unwrap_err();
        assert_eq!(refused.finding, "signature-unknown-key");
    }

    #[test]
    fn a_signature_made_for_something_else_does_not_count() {
        let c = case();
        let (created, expires) = times();
        let right = trusted_comment(&c.lock, &c.text, created, expires);
        for (from, to, why) in [
            ("kind=lock", "kind=run", "purpose"),
            ("repo=org/data", "repo=org/other", "repository"),
            ("file=foretaste.lock", "file=other.lock", "file"),
            ("seq=4", "seq=3", "sequence"),
            ("sha256=", "sha256=0", "version"),
            ("foretaste v1", "foretaste v2", "not made by"),
            (" seq=4", "", "not made by"),
        ] {
            let file = sign(&c.pair, &c.text, &right.replace(from, to));
            let refused = verify(&file, &c.lock, &c.text, &[key(&c.pair, "alice")], DAY).unwrap_err();
            assert!(refused.why.contains(why), "{to}: {}", refused.why);
        }
        // The crate's own default comment is only a time.
        let file = sign(&c.pair, &c.text, "timestamp:1234567890");
        assert!(verify(&file, &c.lock, &c.text, &[key(&c.pair, "alice")], DAY).is_err());
    }

    #[test]
    fn a_looser_file_is_refused() {
        let c = case();
        let text = String::from_utf8(c.file.clone()).unwrap();
        for changed in [
            text.replace('\n', "\r\n"),
            text.clone() + "one more line\n",
            text.trim_end().to_owned(),
            "\u{FEFF}".to_owned() + &text,
            text.replace("trusted comment: foretaste", "trusted comment:  foretaste"),
        ] {
            assert!(verify(changed.as_bytes(), &c.lock, &c.text, &[key(&c.pair, "alice")], DAY).is_err(), "{changed}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_byte_of_signature_or_lock_can_be_changed(at in any::<proptest::sample::Index>(), bit in 0_u8..8) {
            let c = case();
            let keys = [key(&c.pair, "alice")];
            let mut file = c.file.clone();
            // The untrusted comment is not signed and says nothing; everything behind its line is.
            let free = file.iter().position(|&b| b == b'\n').unwrap();
            let at_file = free + at.index(file.len() - free);
            file[at_file] ^= 1 << bit;
            prop_assert!(verify(&file, &c.lock, &c.text, &keys, DAY).is_err());
            let mut text = c.text.clone();
            let at_text = at.index(text.len());
            text[at_text] ^= 1 << bit;
            prop_assert!(verify(&c.file, &c.lock, &text, &keys, DAY).is_err());
        }
    }
}
