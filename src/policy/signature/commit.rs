//! Signatures of commits and tags: SSH signatures in git's own namespace, by keys that the trusted policy lists.
//!
//! Git takes the signature out of an object and signs the rest. What git leaves out is left out here too, and an object
//! that could be read in two ways is refused. No program is started, and nothing of the repository says who may sign.

use bstr::{BStr, ByteSlice};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Refused, Signed, Trust, bad, in_force, ssh};
use crate::policy::node::short;
use crate::policy::{Key, Policy};
use crate::span::BlobId;

/// What git signs commits and tags for.
const NAMESPACE: &str = "git";
const SSH: &[u8] = b"-----BEGIN SSH SIGNATURE-----";
/// How signatures begin that are not judged: OpenPGP and X.509.
const OTHERS: [&[u8]; 3] =
    [b"-----BEGIN PGP SIGNATURE-----", b"-----BEGIN PGP MESSAGE-----", b"-----BEGIN SIGNED MESSAGE-----"];

/// What became of the signature of a commit or a tag.
pub(crate) type Verdict = Result<Signed, Refused>;

/// A commit or a tag whose signature does not count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Unsealed {
    /// `commit`, or the name of the tag.
    pub(crate) kind: Kind,
    /// Its id, as hexadecimal digits.
    pub(crate) id: String,
    /// Mail address of its author, as it claims.
    pub(crate) author: String,
    /// Name of the tag; empty for a commit.
    pub(crate) name: String,
    /// A file that it changes, else the policy.
    pub(crate) blob: BlobId,
    /// Whether the policy asks for a signature here.
    pub(crate) asked: bool,
    pub(crate) refused: Refused,
}

/// What carries a signature.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) enum Kind {
    Commit,
    Tag,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Commit => "commit",
            Kind::Tag => "tag",
        }
    }
}

/// The keys that commits and tags are judged by.
#[derive(Clone, Debug)]
pub(crate) struct Anchors {
    keys: Vec<Key>,
    as_of: Date,
    /// Whether commits that change data, policy or lock must be signed.
    pub(crate) required: bool,
}

impl Anchors {
    /// `None` where the policy neither lists an SSH key nor asks for signed commits: then nothing is judged.
    pub(crate) fn of(policy: &Policy) -> Option<Self> {
        let required = policy.require.signed_commits;
        let keys: Vec<Key> = policy.keys.iter().filter(|key| key.ssh.is_some()).cloned().collect();
        (required || !keys.is_empty()).then_some(Self { keys, as_of: policy.as_of, required })
    }

    /// Judges a commit. `seconds` is when it claims to have been made, which counts only where it is `standing`: where
    /// it was on the trusted side already.
    ///
    /// # Errors
    /// Why its signature does not count; that it has none.
    pub(crate) fn commit(&self, object: &[u8], seconds: i64, standing: bool) -> Verdict {
        // The name of the header tells the hash of the repository, and so does the length of the ids.
        let tree = object.lines().next().and_then(|line| line.strip_prefix(b"tree "));
        let header = if tree.is_some_and(|id| id.len() == 64) { "gpgsig-sha256" } else { "gpgsig" };
        let (signature, payload) = of_header(object, header.as_bytes())?;
        self.judge(&signature, &payload, seconds, standing)
    }

    /// Judges the annotated tag that is found under a name. A tag stands in no history, so that nothing tells when it was
    /// made: it counts today or not at all.
    ///
    /// # Errors
    /// As [`Anchors::commit`].
    pub(crate) fn tag(&self, name: &BStr, object: &[u8]) -> Verdict {
        let at = last_armour(object).unwrap_or(object.len());
        // A header that is no part of what is signed would be a place for other words.
        let (header, payload) = of_header(&object[..at], b"gpgsig")?;
        if !header.is_empty() || payload.len() != at {
            return Err(bad("it has a second signature in its header, which nobody makes"));
        }
        let signed = self.judge(&object[at..], &payload, 0, false)?;
        // Under another name a good tag would pass an old version off as a new one.
        let own = payload.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(b"tag "));
        match own {
            Some(own) if own == name => Ok(signed),
            _ => Err(bad(format!("it was signed under the name {}", short(&own.unwrap_or_default().to_str_lossy())))),
        }
    }

    fn judge(&self, signature: &[u8], payload: &[u8], seconds: i64, standing: bool) -> Verdict {
        if signature.is_empty() {
            return Err(Refused { finding: "signature-missing", why: "it is not signed".to_owned() });
        }
        if OTHERS.iter().any(|begin| signature.starts_with(begin)) {
            let why = "it carries an OpenPGP or X.509 signature, which cannot be judged".to_owned();
            return Err(Refused { finding: "signature-not-judged", why });
        }
        if !signature.starts_with(SSH) {
            return Err(bad("its signature is of no kind that git makes"));
        }
        let key = ssh::verify_in(signature, NAMESPACE, payload, &self.keys)?;
        let claimed = Timestamp::from_second(seconds).ok().map(|at| at.to_zoned(TimeZone::UTC).date());
        let trust = Trust { keys: &[], as_of: self.as_of, max_age_days: None, standing };
        in_force(key, claimed.map(|day| day.min(self.as_of)), &trust)?;
        Ok(Signed::by(key))
    }
}

/// Signature and signed bytes of an object whose signature stands in a header: the header with its continued lines is
/// left out, and every other one whose name begins in the same way.
fn of_header(object: &[u8], header: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Refused> {
    let (mut signature, mut payload) = (Vec::new(), Vec::with_capacity(object.len()));
    // In the signature, in a header that is left out, or in neither.
    let (mut own, mut other, mut seen) = (false, false, false);
    let mut rest = object;
    while !rest.is_empty() {
        let end = rest.find_byte(b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        if line == b"\n" {
            payload.extend_from_slice(rest);
            break;
        }
        rest = after;
        if (own || other) && line.starts_with(b" ") {
            if own {
                signature.extend_from_slice(&line[1..]);
            }
            continue;
        }
        (own, other) = (false, false);
        if let Some(first) = line.strip_prefix(header).and_then(|line| line.strip_prefix(b" ")) {
            if seen {
                return Err(bad("it carries two signatures"));
            }
            (own, seen) = (true, true);
            signature.extend_from_slice(first);
        } else if line.starts_with(b"gpgsig") {
            other = true;
        } else {
            payload.extend_from_slice(line);
        }
    }
    Ok((signature, payload))
}

/// Where the signature of a tag begins: at its last line that begins one.
fn last_armour(object: &[u8]) -> Option<usize> {
    let begins = |at: usize| {
        let line = &object[at..];
        line.starts_with(SSH) || OTHERS.iter().any(|begin| line.starts_with(begin))
    };
    let starts = [0].into_iter().chain(object.find_iter(b"\n").map(|at| at + 1));
    starts.filter(|&at| begins(at)).last()
}

/// Whether the text of a policy asks for signed commits, by the word alone: this is asked of every version that a
/// history has, and those of long ago may no longer be read as policies.
pub(crate) fn asks(policy: &[u8]) -> bool {
    let said = |line: &[u8]| line.find(b"signed_commits").map(|at| line[at..].contains_str("true"));
    policy.lines().filter(|line| !line.trim_start().starts_with(b"#")).filter_map(said).any(|asked| asked)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;
    use ssh_key::private::{Ed25519Keypair, KeypairData};
    use ssh_key::{HashAlg, LineEnding, PrivateKey};

    use super::*;

    const COMMIT: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\
        author Ana <ana@example.org> 1793000000 +0000\n\
        committer Ana <ana@example.org> 1793000000 +0000\n\
        \n\
        Add rows\n\n gpgsig is no header here\n";

    fn key(seed: u8) -> (PrivateKey, Key) {
        let private = PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&[seed; 32])), "").unwrap();
        let ssh = Some(private.public_key().to_openssh().unwrap());
        (private, Key { name: "ana".into(), principal: "ana@example.org".into(), ssh, ..Key::default() })
    }

    fn anchors(keys: &[Key]) -> Anchors {
        Anchors { keys: keys.to_vec(), as_of: date(2026, 11, 23), required: true }
    }

    fn armour(private: &PrivateKey, namespace: &str, bytes: &[u8]) -> String {
        private.sign(namespace, HashAlg::Sha512, bytes).unwrap().to_pem(LineEnding::LF).unwrap()
    }

    fn with_header(commit: &str, armour: &str) -> String {
        let (head, message) = commit.split_once("\n\n").unwrap();
        format!("{head}\ngpgsig {}\n\n{message}", armour.trim_end().replace('\n', "\n "))
    }

    fn signed(private: &PrivateKey) -> String {
        with_header(COMMIT, &armour(private, NAMESPACE, COMMIT.as_bytes()))
    }

    fn finding(object: &str, keys: &[Key]) -> &'static str {
        anchors(keys).commit(object.as_bytes(), 1_793_000_000, false).map_or_else(|r| r.finding, |_| "holds")
    }

    #[test]
    fn a_commit_counts_by_a_listed_key_and_in_the_namespace_of_git_alone() {
        let (private, ana) = key(1);
        let keys = [ana];
        let object = signed(&private);
        assert_eq!(finding(&object, &keys), "holds");
        assert_eq!(finding(COMMIT, &keys), "signature-missing");
        assert_eq!(finding(&object, &[key(2).1]), "signature-unknown-key");
        assert_eq!(finding(&object.replace("Add rows", "Add Rows"), &keys), "signature-bad");
        let ours = with_header(COMMIT, &armour(&private, "foretaste-manifest", COMMIT.as_bytes()));
        assert_eq!(finding(&ours, &keys), "signature-bad", "the signature of a lock is no commit's");
        let pgp = with_header(COMMIT, "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n");
        assert_eq!(finding(&pgp, &keys), "signature-not-judged");
        let twice = object.replacen("gpgsig ", "gpgsig \ngpgsig ", 1);
        assert_eq!(finding(&twice, &keys), "signature-bad");
    }

    #[test]
    fn a_claimed_day_helps_no_commit_that_is_new() {
        let (private, ana) = key(1);
        let ended = Key { until: Some(date(2026, 6, 30)), ..ana };
        let object = signed(&private);
        let judge = |seconds, standing| {
            let verdict = anchors(std::slice::from_ref(&ended)).commit(object.as_bytes(), seconds, standing);
            verdict.map_or_else(|refused| refused.finding, |_| "holds")
        };
        let may = 1_780_000_000; // 2026-05-28
        assert_eq!(judge(may, false), "signature-expired-key", "backdated");
        assert_eq!(judge(may, true), "holds", "it stood there before");
        assert_eq!(judge(1_793_000_000, true), "signature-expired-key");
        assert_eq!(judge(i64::MAX, true), "signature-expired-key");
    }

    #[test]
    fn a_tag_is_signed_at_its_end_and_judged_today() {
        let (private, ana) = key(1);
        let tag = "object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype commit\ntag v1\n\
                   tagger Ana <ana@example.org> 1780000000 +0000\n\nFirst\n";
        let object = format!("{tag}{}", armour(&private, NAMESPACE, tag.as_bytes()));
        let judge = |object: &str, key: &Key| {
            let verdict = anchors(std::slice::from_ref(key)).tag("v1".into(), object.as_bytes());
            verdict.map_or_else(|refused| refused.finding, |_| "holds")
        };
        assert_eq!(judge(&object, &ana), "holds");
        assert_eq!(judge(tag, &ana), "signature-missing");
        assert_eq!(judge(&object.replace("v1", "v2"), &ana), "signature-bad");
        let header = object.replace("tag v1\n", "tag v1\ngpgsig-sha256 x\n");
        assert_eq!(judge(&header, &ana), "signature-bad", "git would leave that header out");
        let ended = Key { until: Some(date(2026, 6, 30)), ..ana };
        assert_eq!(judge(&object, &ended), "signature-expired-key");
    }

    #[test]
    fn a_policy_asks_by_the_word_and_not_by_a_comment() {
        assert!(asks(b"require: {signatures: 1, signed_commits: true}\n"));
        assert!(!asks(b"# signed_commits: true\nrequire: {signed_commits: false}\n"));
        assert!(!asks(b""));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn no_byte_of_commit_signature_or_key_can_be_changed(at in any::<proptest::sample::Index>(), bit in 0_u8..8) {
            let (private, ana) = key(3);
            let object = signed(&private).into_bytes();
            let judge = |object: &[u8], keys: &[Key]| anchors(keys).commit(object, 0, false);
            prop_assert!(judge(&object, std::slice::from_ref(&ana)).is_ok());
            let mut changed = object.clone();
            let place = at.index(changed.len());
            changed[place] ^= 1 << bit;
            prop_assert!(judge(&changed, std::slice::from_ref(&ana)).is_err(), "byte {place}");
            let mut line = ana.ssh.clone().unwrap().into_bytes();
            let place = at.index(line.len());
            line[place] ^= 1 << bit;
            if let Ok(line) = String::from_utf8(line) {
                let keys = [Key { ssh: Some(line), ..ana }];
                prop_assert!(judge(&object, &keys).is_err());
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = anchors(&[]).commit(&bytes, 0, true);
            let _ = anchors(&[]).commit(&[b"tree x\ngpgsig -----BEGIN SSH SIGNATURE-----", &bytes[..]].concat(), 0, true);
            let _ = anchors(&[]).tag("v1".into(), &bytes);
        }
    }
}
