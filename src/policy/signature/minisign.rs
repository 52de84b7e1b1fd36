//! minisign signatures, read strictly, and bound by their trusted comment to what they sign.
//!
//! Format: <https://jedisct1.github.io/minisign/>, "Signature format".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bstr::BStr;
use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::{MAX_FILE, Refused, Subject, Trust, bad};
use crate::policy::Key;
use crate::policy::lock::hex;

/// The text that is signed beside a subject, in its one form.
pub(crate) fn trusted_comment(subject: &Subject<'_>, created: Timestamp, expires: Timestamp) -> String {
    format!(
        "foretaste v1 kind={} repo={} file={} sha256={} seq={} created={created:.0} expires={expires:.0}",
        subject.kind.as_str(),
        subject.repo,
        quoted(subject.file),
        hex(&Sha256::digest(subject.bytes)),
        subject.seq,
    )
}

/// A path as one word of plain ASCII: whatever else becomes `\xHH`.
fn quoted(path: &BStr) -> String {
    let mut text = String::with_capacity(path.len());
    for &byte in path.iter() {
        if (0x21..0x7F).contains(&byte) && byte != b'\\' {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("\\x{byte:02X}"));
        }
    }
    text
}

/// Judges one signature file: by which of the listed keys it is, and on which day it says that it was made.
pub(super) fn verify<'k>(file: &[u8], subject: &Subject<'_>, trust: &Trust<'k>) -> Result<(&'k Key, Date), Refused> {
    let parts = Parts::read(file)?;
    let listed = trust.keys.iter().filter(|key| key_number(&key.minisign) == Some(parts.key_number));
    // The number of a key is random and no fingerprint: two keys may have the same.
    let mut refused = None;
    for key in listed {
        match by(key, &parts, subject.bytes) {
            Ok(()) => return Ok((key, comment(parts.comment, subject, trust.as_of)?)),
            Err(why) => refused = refused.or(Some(why)),
        }
    }
    Err(refused.unwrap_or_else(|| Refused {
        finding: "signature-unknown-key",
        why: format!("it is by key {}, which the policy does not list", number_text(parts.key_number)),
    }))
}

fn by(key: &Key, parts: &Parts<'_>, bytes: &[u8]) -> Result<(), Refused> {
    let public = minisign_verify::PublicKey::from_base64(&key.minisign)
        .map_err(|_| bad(format!("the key {} in the policy is no minisign key", key.name)))?;
    let signature =
        minisign_verify::Signature::decode(parts.text).map_err(|_| bad("it is not a minisign signature"))?;
    // Legacy signatures are over the raw file; one of them can be relabelled to speak of another file.
    public
        .verify(bytes, &signature, false)
        .map_err(|_| bad(format!("it does not match the signed bytes under key {}", key.name)))
}

/// Compares every field of the trusted comment with what is being checked; the day on which it was made.
fn comment(comment: &str, subject: &Subject<'_>, as_of: Date) -> Result<Date, Refused> {
    let foreign = || bad("its trusted comment was not made by foretaste; sign with `foretaste sign`");
    let fields: Vec<&str> = comment.split(' ').collect();
    let [tool, version, kind, repo, file, sha256, seq, created, expires] = fields[..] else { return Err(foreign()) };
    if (tool, version) != ("foretaste", "v1") {
        return Err(foreign());
    }
    for (field, name, value, other) in [
        (kind, "kind=", subject.kind.as_str(), "another purpose"),
        (repo, "repo=", subject.repo, "another repository"),
        (file, "file=", quoted(subject.file).as_str(), "another file"),
        (sha256, "sha256=", hex(&Sha256::digest(subject.bytes)).as_str(), "another version of the file"),
        (seq, "seq=", subject.seq.to_string().as_str(), "another sequence number"),
    ] {
        if field.strip_prefix(name) != Some(value) {
            return Err(bad(format!("it was made for {other}")));
        }
    }
    let time = |field: &str, name: &str| {
        let stamp = field.strip_prefix(name)?.parse::<Timestamp>().ok()?;
        Some(stamp.to_zoned(jiff::tz::TimeZone::UTC).date())
    };
    let (Some(created), Some(expires)) = (time(created, "created="), time(expires, "expires=")) else {
        return Err(bad("its trusted comment has no valid times"));
    };
    if expires < as_of {
        return Err(bad("it has expired; sign again"));
    }
    Ok(created)
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

    use super::super::{Kind, Signed};
    use super::*;
    use crate::policy::LOCK;
    use crate::policy::lock::Lock;

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

    fn subject<'a>(lock: &'a Lock, text: &'a [u8]) -> Subject<'a> {
        let seq = lock.seq.unwrap_or(0);
        Subject { kind: Kind::Lock, repo: &lock.repo, file: LOCK.into(), bytes: text, seq, day: None }
    }

    fn trusted_comment(lock: &Lock, text: &[u8], created: Timestamp, expires: Timestamp) -> String {
        super::trusted_comment(&subject(lock, text), created, expires)
    }

    fn verify(file: &[u8], lock: &Lock, text: &[u8], keys: &[Key], as_of: Date) -> Result<Signed, Refused> {
        let trust = Trust { keys, as_of, max_age_days: None, standing: false };
        super::super::verify("foretaste.lock.x.minisig".into(), file, &subject(lock, text), &trust)
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
        assert_eq!((signed.key.as_str(), signed.principal.as_str()), ("alice", "alice@example.org"));
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
        assert_eq!(judge(|key| key.from = Some(date(2026, 11, 24)), DAY), Err("signature-expired-key"));
        assert_eq!(judge(|_| (), date(2026, 10, 1)), Err("signature-bad"), "made on a day to come");
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
            let mut public = keys[0].minisign.clone().into_bytes();
            let at_key = at.index(public.len());
            public[at_key] ^= 1 << bit;
            if let Ok(minisign) = String::from_utf8(public) {
                let keys = [Key { minisign, ..keys[0].clone() }];
                prop_assert!(verify(&c.file, &c.lock, &c.text, &keys, DAY).is_err());
            }
        }
    }

    #[test]
    fn a_path_in_a_comment_is_one_word() {
        assert_eq!(quoted("models/a b\\ü.bin".into()), "models/a\\x20b\\x5C\\xC3\\xBC.bin");
    }
}
