//! The manual of `unlisted-source`.

use crate::rule::{Confidence, Example, Layer, Manual, Rule, Severity, frameworks};

const POLICY: &str = "version: 1\ndatasets:\n  chats: {files: [\"data/*.jsonl\"], text: [text], label: label, source: labels}\nsources:\n  labels: {match: {path: \"data/**\"}}\n  chats: {match: {hub: \"huggingface:acme-research/chats\"}}\n";

pub(super) static RULES: [Rule; 1] = [Rule {
    id: "unlisted-source",
    revision: 1,
    severity: Severity::Error,
    confidence: Confidence::High,
    layer: Layer::Sources,
    gates: true,
    summary: "Data or a model comes from a source that the policy does not list",
    manual: Manual {
        what: "Once `sources:` in the trusted policy has an entry, every dataset, model, metric, loader script and download that \
               code and configuration name must be matched by one, and every file of a declared dataset must belong to one: the \
               `source` of the dataset, or an entry whose `path` covers the file. Names on a hub are compared without regard to case \
               and to compatibility forms, addresses by scheme, host and whole parts of the path, git remotes in any spelling, \
               buckets at a `/`; `kind: dataset` or `kind: model` narrows an entry. A publisher that is one edit, one look-alike \
               character or one mark away from an allowed one is called out. A name that looks like a placeholder is judged, too: \
               anybody can register it. A publisher whose name the list does not have, at the commit that the trusted lock has for an allowed one, was renamed or \
               copied, which is a warning. A source whose review has expired is a warning at the places and data that use it. What \
               stands in documentation is a note and what stands in tests is left out; `rules: {unlisted-source: {docs: error, \
               tests: note}}` changes that.",
        why: "A list of who may feed the model is the one control that works before anything is known to be wrong. \
              Poisoned copies of well-known datasets are published under names that differ by a letter, and one \
              line of configuration is all it takes to train on them.",
        bad: &[
            Example {
                title: "a change trains on a dataset that nobody has listed",
                base: &[("foretaste.yaml", POLICY)],
                files: &[(
                    "train.py",
                    "load_dataset(\"somebody/chats\", revision=\"0123456789abcdef0123456789abcdef01234567\")\n",
                )],
            },
            Example {
                title: "the name of an allowed publisher, with one letter doubled",
                base: &[("foretaste.yaml", POLICY)],
                files: &[(
                    "train.py",
                    "load_dataset(\"acme-researrch/chats\", revision=\"0123456789abcdef0123456789abcdef01234567\")\n",
                )],
            },
        ],
        good: &[
            Example {
                title: "a listed dataset",
                base: &[("foretaste.yaml", POLICY)],
                files: &[(
                    "train.py",
                    "load_dataset(\"acme-research/chats\", revision=\"0123456789abcdef0123456789abcdef01234567\")\n",
                )],
            },
            Example {
                title: "no list, nothing unlisted",
                base: &[],
                files: &[(
                    "train.py",
                    "load_dataset(\"somebody/chats\", revision=\"0123456789abcdef0123456789abcdef01234567\")\n",
                )],
            },
        ],
        fix: "If the source is one you want, review it and add it under `sources:` in foretaste.yaml, with licence, reviewer and \
              the day of the review, in a change of its own. Otherwise use one that is listed.",
        misses: "Names that are only known when the program runs, and container images. Data that was copied into the repository by \
                 hand under the path of a listed source. A publisher whose name was given up and registered by somebody else: a \
                 name is no identity, which is what `pin: commit` is for. Whether a listed source is any good: the list says who \
                 is trusted, not that they are right.",
    },
    tags: &frameworks::with::<9>(frameworks::SOURCES, &["ATLAS:AML.T0111"]),
}];
