//! SSH signatures, which people have who sign their commits: `ssh-keygen -Y sign -n foretaste-manifest`.
//!
//! An SSH signature holds neither a time nor a comment. What it is bound to must stand in the signed bytes (a lock and a
//! receipt name their repository, a lock its sequence number) and in a namespace of our own, so that the signature of a
//! commit can never be replayed here. Format: <https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.sshsig>.

use ssh_key::{Algorithm, HashAlg, LineEnding, PublicKey, SshSig};

use super::{Kind, MAX_FILE, Refused, Subject, bad};
use crate::policy::Key;

/// The namespace of what is signed; `None` for what an SSH signature cannot be bound to.
pub(crate) fn namespace(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Lock => Some("foretaste-manifest"),
        Kind::Run => Some("foretaste-run"),
        // Bytes of any file name no repository, so that the signature could be carried elsewhere.
        Kind::File => None,
    }
}

/// A public key as people write it: `ssh-ed25519 AAAA… comment`. Curves that are broken or not read are refused.
///
/// # Errors
/// What is wrong with it, in a phrase.
pub(crate) fn public_key(text: &str) -> Result<PublicKey, String> {
    let key = PublicKey::from_openssh(text.trim()).map_err(|error| format!("it cannot be read ({error})"))?;
    // One form only, up to the comment.
    let again = key.to_openssh().map_err(|error| error.to_string())?;
    if again.split(' ').take(2).ne(text.split_whitespace().take(2)) {
        return Err("it is not written as ssh-keygen writes it".to_owned());
    }
    readable(&key)?;
    Ok(key)
}

/// Whether signatures of a key can be verified here.
fn readable(key: &PublicKey) -> Result<(), String> {
    match key.algorithm() {
        Algorithm::Ed25519 | Algorithm::SkEd25519 => Ok(()),
        Algorithm::Ecdsa { curve: ssh_key::EcdsaCurve::NistP256 } | Algorithm::SkEcdsaSha2NistP256 => Ok(()),
        other => Err(format!("keys of the kind {other} are not read; use ed25519 or ecdsa-sha2-nistp256")),
    }
}

/// What names a key to people: `SHA256:…`, as ssh-keygen shows it.
pub(crate) fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// The beginning of a fingerprint as it stands in the names of signature files.
pub(crate) fn short_id(key: &PublicKey) -> String {
    crate::policy::lock::hex(&key.fingerprint(HashAlg::Sha256).as_bytes()[..8]).to_uppercase()
}

/// Judges the armoured signature `file` of a subject.
pub(super) fn verify<'k>(file: &[u8], subject: &Subject<'_>, keys: &'k [Key]) -> Result<&'k Key, Refused> {
    let namespace =
        namespace(subject.kind).ok_or_else(|| bad("an SSH signature of it would fit any repository; use minisign"))?;
    if file.len() > MAX_FILE {
        return Err(bad("it is longer than a signature can be"));
    }
    verify_in(file, namespace, subject.bytes, keys)
}

/// Judges an armoured signature of `bytes` in a namespace: by which of the listed keys it is.
///
/// # Errors
/// Why the signature does not count.
pub(crate) fn verify_in<'k>(
    armoured: &[u8],
    namespace: &str,
    bytes: &[u8],
    keys: &'k [Key],
) -> Result<&'k Key, Refused> {
    let signature = SshSig::from_pem(armoured).map_err(|_| bad("it is not an SSH signature"))?;
    // One form only: what parsers differ on can be forged, and a byte that may change unseen is not covered.
    let again = signature.to_pem(LineEnding::LF).map_err(|_| bad("it is not an SSH signature"))?;
    let again = again.trim_end();
    // The header of a commit leaves out the last line feed.
    if armoured.strip_suffix(b"\n").unwrap_or(armoured) != again.as_bytes() {
        return Err(bad("it is not written as ssh-keygen writes it; was it converted?"));
    }
    if !signature.reserved().is_empty() {
        return Err(bad("it has a reserved part, which nobody defines"));
    }
    let own = PublicKey::from(signature.public_key().clone());
    let listed = keys.iter().find(|key| {
        let public = key.ssh.as_deref().and_then(|text| public_key(text).ok());
        public.is_some_and(|public| public.key_data() == own.key_data())
    });
    // Of a key that is not listed nothing is believed; that it is broken as well is worth knowing.
    if signature.namespace() != namespace {
        return Err(bad(format!(
            "it was made for another purpose ({})",
            crate::policy::node::short(signature.namespace())
        )));
    }
    if let Err(why) = readable(&own) {
        return Err(Refused { finding: "signature-not-judged", why: format!("it cannot be judged: {why}") });
    }
    if own.verify(namespace, bytes, &signature).is_err() {
        return Err(bad(match listed {
            Some(key) => format!("it does not match the signed bytes under key {}", key.name),
            None => "it does not match the signed bytes".to_owned(),
        }));
    }
    listed.ok_or_else(|| Refused {
        finding: "signature-unknown-key",
        why: format!("it is by key {}, which the policy does not list", fingerprint(&own)),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ssh_key::PrivateKey;
    use ssh_key::private::{Ed25519Keypair, KeypairData};

    use super::*;

    fn pair(seed: u8) -> (PrivateKey, Key) {
        let private = PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&[seed; 32])), "test").unwrap();
        let ssh = Some(private.public_key().to_openssh().unwrap());
        let key = Key { name: format!("k{seed}"), ssh, principal: format!("p{seed}@x"), ..Key::default() };
        (private, key)
    }

    fn subject(bytes: &[u8], kind: Kind) -> Subject<'_> {
        Subject { kind, repo: "org/data", file: "foretaste.lock".into(), bytes, seq: 0, day: None }
    }

    fn sign(private: &PrivateKey, namespace: &str, bytes: &[u8]) -> Vec<u8> {
        private.sign(namespace, HashAlg::Sha512, bytes).unwrap().to_pem(LineEnding::LF).unwrap().into_bytes()
    }

    #[test]
    fn a_listed_key_counts_in_our_namespace_alone() {
        let (private, key) = pair(1);
        let keys = [key];
        let file = sign(&private, "foretaste-manifest", b"lock");
        assert_eq!(verify(&file, &subject(b"lock", Kind::Lock), &keys).unwrap().name, "k1");
        assert!(verify(&file, &subject(b"other", Kind::Lock), &keys).is_err());
        assert!(verify(&file, &subject(b"lock", Kind::File), &keys).unwrap_err().why.contains("minisign"));
        assert!(verify(&file, &subject(b"lock", Kind::Run), &keys).unwrap_err().why.contains("another purpose"));
        let commit = sign(&private, "git", b"lock");
        assert!(verify(&commit, &subject(b"lock", Kind::Lock), &keys).is_err(), "a commit's signature is no lock's");
        let stranger = verify(&file, &subject(b"lock", Kind::Lock), &[pair(2).1]).unwrap_err();
        assert_eq!(stranger.finding, "signature-unknown-key");
    }

    #[test]
    fn weak_and_unread_kinds_of_keys_are_refused() {
        assert!(public_key("ssh-ed25519 AAAA").is_err());
        assert!(public_key("").is_err());
        let rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7";
        assert!(public_key(rsa).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn no_byte_of_signature_key_or_text_can_be_changed(at in any::<proptest::sample::Index>(), bit in 0_u8..8) {
            let (private, key) = pair(3);
            let text = b"foretaste.lock v1\nrepo org/data\n".to_vec();
            let file = sign(&private, "foretaste-manifest", &text);
            let keys = [key.clone()];
            prop_assert!(verify(&file, &subject(&text, Kind::Lock), &keys).is_ok());
            let mut changed = file.clone();
            let place = at.index(changed.len());
            changed[place] ^= 1 << bit;
            prop_assert!(verify(&changed, &subject(&text, Kind::Lock), &keys).is_err());
            let mut other = text.clone();
            let place = at.index(other.len());
            other[place] ^= 1 << bit;
            prop_assert!(verify(&file, &subject(&other, Kind::Lock), &keys).is_err());
            // The key, up to the comment behind it, which names nothing.
            let mut line = key.ssh.clone().unwrap().into_bytes();
            let end = line.iter().rposition(|&b| b == b' ').filter(|&at| at > 20).unwrap_or(line.len());
            let place = at.index(end);
            line[place] ^= 1 << bit;
            if let Ok(line) = String::from_utf8(line) {
                let keys = [Key { ssh: Some(line), ..key }];
                prop_assert!(verify(&file, &subject(&text, Kind::Lock), &keys).is_err());
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = verify(&bytes, &subject(b"", Kind::Lock), &[]);
            let _ = public_key(&String::from_utf8_lossy(&bytes));
        }
    }
}
