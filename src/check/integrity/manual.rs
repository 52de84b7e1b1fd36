//! The manuals of `digest-mismatch` and `bad-signature`.

use crate::rule::{Confidence, Example, Layer, Manual, Rule, Severity, frameworks};

const HELLO: &str = "{\"text\": \"hello\", \"label\": \"greet\"}\n";
const BYE: &str = "{\"text\": \"hello\", \"label\": \"bye\"}\n";
const POLICY: &str = "version: 1\ndatasets:\n  a:\n    files: [\"data/*.jsonl\"]\n    text: [text]\n    label: label\nrequire: {signatures: 2}\n";

/// The lock of one record, as `foretaste lock` writes it.
const LOCK_OF_HELLO: &str = "foretaste.lock v1\n\
    # Written by `foretaste lock`; compare with `foretaste verify`.\n\
    repo example\n\
    file af4d68ac0eb60eb9959a7ec74b8f35bc77974eef6d4d0279174a7ab89e22d892 76cb2d4dfbf5a406a1e274b9156141a86889e9fd7415cc3a72005b17d9acd150 36 1 data/a.jsonl\n";

/// The same after the label was changed.
const LOCK_OF_BYE: &str = "foretaste.lock v1\n\
    # Written by `foretaste lock`; compare with `foretaste verify`.\n\
    repo example\n\
    file a599c7ef985cd791facf3535f75c47c4fe3994518a1e009d434adf50b387eb0e a4a10e793020bafb91b82427bdd2ae3c0f4bd9b7108e63f00e6c1fd13b0d673a 34 1 data/a.jsonl\n";

pub(super) static RULES: [Rule; 2] = [
    Rule {
        id: "digest-mismatch",
        revision: 1,
        severity: Severity::Error,
        confidence: Confidence::High,
        layer: Layer::Integrity,
        gates: true,
        summary: "Data is not what foretaste.lock says it is",
        manual: Manual {
            what: "Compares the SHA-256 of every judged file with its line in `foretaste.lock`, and the lock with the one \
                   on the trusted side. What it finds stands in `evidence.finding`: `hash-mismatch`, a file or an LFS object \
                   that is not what the lock or its pointer says; `lock-stale`, a change that alters locked data without \
                   locking it again; `file-not-locked`, a file of a declared dataset that has no line; \
                   `locked-file-missing`, a line whose file is gone; `lock-rollback`, a lock that is not newer than the \
                   trusted one; `lock-of-another-repository`, one whose name is not the `repo` of the policy; \
                   `lock-unreadable`, one that is removed, edited by hand or damaged; `reference-not-locked`, code that ties a \
                   name elsewhere to another revision than the lock holds; `publisher-mismatch` and `weak-hash`, a locked \
                   file for which its publisher gives another hash, or an MD5 alone.",
            why: "A dataset that was reviewed once is trusted from then on. Whoever can swap the bytes afterwards, in the \
                  repository, in LFS storage or on the way, poisons every model trained on it, and the review still \
                  stands in the records.",
            bad: &[Example {
                title: "a locked file changes and the lock does not",
                base: &[("data/a.jsonl", HELLO), ("foretaste.lock", LOCK_OF_HELLO)],
                files: &[("data/a.jsonl", BYE)],
            }],
            good: &[Example {
                title: "the file is what the lock says",
                base: &[],
                files: &[("data/a.jsonl", HELLO), ("foretaste.lock", LOCK_OF_HELLO)],
            }],
            fix: "If you changed the data on purpose, run `foretaste lock` and commit `foretaste.lock` with it, so that the \
                  reviewer sees both. If you did not, find out who did before anything is trained on it.",
            misses: "What was already poisoned when it was locked. Files that are in no declared dataset and in no lock. \
                     Whether the lock itself can be trusted: that is what signatures are for. In a commit or a range only \
                     changed files are hashed; `foretaste verify` hashes them all.",
        },
        tags: frameworks::INTEGRITY,
    },
    Rule {
        id: "bad-signature",
        revision: 1,
        severity: Severity::Error,
        confidence: Confidence::High,
        layer: Layer::Integrity,
        gates: true,
        summary: "A signature of foretaste.lock or of a commit does not hold, or one that is required is missing",
        manual: Manual {
            what: "Verifies every `foretaste.lock.*.minisig` and `.sshsig` beside the lock against the keys that the trusted \
                   policy lists: strict format, prehashed, by a key that is valid and not revoked (today, or on its own day for \
                   what already stands on the trusted side), bound to this repository, this lock and this sequence number. \
                   Counts distinct principals in the right roles against `require: {signatures: n}`, without the authors under \
                   `exclude_author`, at the moments of `signed_at`. A change of the policy that needs signatures \
                   (`policy_change`) needs them under the keys before and after it. `verify` also asks for the signed \
                   receipt of every run of the policy, of a command that ended well and over the data that is here now. Under `require: {signed_commits: true}` every commit that touches data, \
                   policy or lock, and the annotated tag that is judged, needs an SSH signature by a key of the policy: in a \
                   range and in a merge about to be committed all that it brings, in `verify`, `audit` and `--rev` all since \
                   the policy asks. OpenSSF model signatures made with a key (P-256, P-384, P-521; files or shards) are judged, too, of the \
                   folders in `require: {model_signatures: [...]}` and of bundles that are locked, in a change where it touches \
                   them: who signed, which files were changed, added, removed or left out, and whether the lock says which version it is. OpenPGP and X.509 signatures are reported as not judged. `evidence.finding` says which: \
                   `signature-bad`, `-unknown-key`, `-expired-key`, `-revoked-key`, `-too-old`, `-not-judged`, `-missing`, \
                   `threshold-not-met`, `anchor-changed`, `model-mismatch`, `model-not-locked`, `model-signature-ignores`, `lock-stale`, `run-without-receipt`, `receipt-bad`, `receipt-of-failed-run`, `receipt-outdated`.",
            why: "A hash proves that bytes are the same, not that anybody stood up for them. A signature that was moved \
                  here from another repository, or from an older lock, looks right and says nothing.",
            bad: &[Example {
                title: "two signatures are required and the new lock has none",
                base: &[("data/a.jsonl", HELLO), ("foretaste.lock", LOCK_OF_HELLO), ("foretaste.yaml", POLICY)],
                files: &[("data/a.jsonl", BYE), ("foretaste.lock", LOCK_OF_BYE)],
            }],
            good: &[Example {
                title: "nobody asks for signatures",
                base: &[("data/a.jsonl", HELLO), ("foretaste.lock", LOCK_OF_HELLO)],
                files: &[("data/a.jsonl", BYE), ("foretaste.lock", LOCK_OF_BYE)],
            }],
            fix: "Sign the lock as it is now with `foretaste sign --key FILE`, or the commit with `git commit --amend -S`, using \
                  a key that the policy on the base branch lists. A signature that does not hold is never kept: remove the file or replace it.",
            misses: "A stolen key, until it is revoked in the policy. A backdated commit by an expired key that is on the \
                     trusted side already. Commits from before the policy asked for signed ones. Authors under a name that is \
                     not theirs, where commits are not signed. Older versions of a model with the signature of then, where the lock does not say which version it is. Signers who did not look at what they signed.",
        },
        tags: frameworks::INTEGRITY,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::lock::{Lock, hex};

    #[test]
    fn the_locks_of_the_examples_are_true() {
        use sha2::Digest;
        for (lock, data) in [(LOCK_OF_HELLO, HELLO), (LOCK_OF_BYE, BYE)] {
            let file = &Lock::parse(lock.as_bytes()).unwrap().files[0];
            assert_eq!(hex(&file.sha256), hex(&sha2::Sha256::digest(data)));
            assert_eq!(hex(&file.blake3), blake3::hash(data.as_bytes()).to_hex().as_str());
            assert_eq!(file.size, data.len() as u64);
        }
    }
}
