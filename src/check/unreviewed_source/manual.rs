//! The manual of `unreviewed-source`.

use crate::rule::{Confidence, Example, Layer, Manual, Rule, Severity, frameworks};

const POLICY: &str = "version: 1\nsources:\n  chats: {match: {hub: \"huggingface:acme-research/chats\"}, allow: {paths: [\"configs/**\"]}}\n";
const LICENSED: &str = "version: 1\nsources:\n  own: {match: {path: \"data/**\"}, licence: MIT}\n";
const CALL: &str = "load_dataset(\"acme-research/chats\", revision=\"0123456789abcdef0123456789abcdef01234567\")\n";

pub(super) static RULES: [Rule; 1] = [Rule {
    id: "unreviewed-source",
    revision: 1,
    severity: Severity::Warning,
    confidence: Confidence::High,
    layer: Layer::Sources,
    gates: true,
    summary: "A listed source lacks evidence, contradicts its own entry, or is used where that does not allow it",
    manual: Manual {
        what: "Reads the entries under `sources:` of the trusted policy: whether they have the fields that `rules: \
               {unreviewed-source: {evidence: [licence, reviewer, reviewed, expires]}}` asks for, whether the licence satisfies \
               `evidence: {licence_allow: …}` as an SPDX expression, whether a scrape is called anything but untrusted or makes up \
               more of the locked records than `max_fraction`, whether references stand under `allow: {paths: …}` and are \
               tied down as `pin` asks, and, where everything was looked at, entries that match nothing. Exceptions of the policy that have ended are told. `min_age_days` lets names \
               elsewhere rest after they were first locked. The dataset card (`README.md`) or Croissant file nearest above the data \
               of a source must not name another licence than the entry, and files in the repository that a Croissant file gives \
               a SHA-256 for are compared with it where they are locked. Where one person alone wrote a range of commits, that \
               person does not count as the reviewer of the sources that it brings in or lists.",
        why: "An allowlist is only as good as the reviews behind it. An entry without a reviewer was let in by nobody, one \
              that nothing uses is a door left open, and web pages can be edited by whoever wants to be in the model.",
        bad: &[
            Example {
                title: "a source that only configurations may name",
                base: &[("foretaste.yaml", POLICY)],
                files: &[("train.py", CALL)],
            },
            Example {
                title: "a card that names another licence than the entry",
                base: &[("foretaste.yaml", LICENSED)],
                files: &[(
                    "data/README.md",
                    "---\nlicense: cc-by-nc-4.0\ntask_categories: [text-classification]\n---\n",
                )],
            },
        ],
        good: &[Example {
            title: "the same where its entry allows it",
            base: &[("foretaste.yaml", POLICY)],
            files: &[("configs/train.py", CALL)],
        }],
        fix: "Review the source and write down what was seen: licence, reviewer, day of the review and last day on which it counts. \
              Use it where its entry allows, or change the entry in a change of its own.",
        misses: "Whether what an entry or a card says is true: nothing is fetched to compare. How old the data itself is; \
                 `min_age_days` counts from the day on which a name was first locked. Licences that are no SPDX expression satisfy \
                 nothing, and contradict nothing. Reviewers are told from authors by the mail addresses of commits, which \
                 anybody can forge: signatures are what proves a review.",
    },
    tags: &frameworks::with::<9>(frameworks::SOURCES, &["NISTAML.051"]),
}];
