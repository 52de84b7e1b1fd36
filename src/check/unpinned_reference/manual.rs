//! The manual of `unpinned-reference`.

use crate::rule::{Confidence, Example, Layer, Manual, Rule, Severity};

pub(super) static RULES: [Rule; 1] = [Rule {
    id: "unpinned-reference",
    revision: 1,
    severity: Severity::Error,
    confidence: Confidence::High,
    layer: Layer::Sources,
    gates: true,
    summary: "A dataset, model or download is named without saying which content is meant",
    manual: Manual {
        what: "Reads training configurations (axolotl, TRL, alignment-handbook, LLaMA-Factory, open-instruct, torchtune, \
               lm-evaluation-harness, Hydra and what looks like them), Python, notebooks, shell, workflows, Dockerfiles, DVC \
               files, submodules, dataset cards, Croissant files and the code blocks of Markdown, and reports every dataset, model, metric, image and \
               download that is not tied to an immutable content id: on a hub a full 40-digit commit, elsewhere a digest, \
               an object version or a checked SHA-256. A tag, a short hash or an MD5 can be moved or forged and is a \
               warning, like a model in program code and a container image. A name whose resolved commit stands in foretaste.lock is \
               locked and no finding, unless its source says `pin: commit`. One finding per dataset or model, with all its \
               places. What stands in documentation is a note and what stands in tests is left out; \
               `rules: {unpinned-reference: {docs: error, tests: note}}` changes that. `trust_remote_code=True` is a finding \
               of its own, and so is a default such as `model_revision: str = \"main\"`, which is the root of everything that is \
               loaded through it. An entry of LLaMA-Factory's `dataset_info.json` is told with the runs that name it. In \
               Croissant files, hashes that are none (`croissant-bad-digest`), an MD5 alone (`weak-hash`) and live datasets \
               without any (`live-dataset-no-checksum`) are warnings.",
        why: "What is named by `main`, or by nothing, is whatever its owner, or whoever takes over the owner's account, \
              uploads next. Every later training run takes it in silently, and nothing in this repository changes.",
        bad: &[
            Example {
                title: "a training configuration that takes whatever is newest",
                base: &[],
                files: &[(
                    "configs/train.yaml",
                    "base_model: acme/base\nrevision_of_model: 0123456789abcdef0123456789abcdef01234567\ndatasets:\n  - path: acme/chats\n    type: chat_template\n",
                )],
            },
            Example {
                title: "a branch is no pin",
                base: &[],
                files: &[(
                    "train.py",
                    "from datasets import load_dataset\nload_dataset(\"acme/chats\", revision=\"main\")\n",
                )],
            },
            Example {
                title: "a change takes the pin away",
                base: &[(
                    "train.py",
                    "from datasets import load_dataset\nload_dataset(\n    \"acme/chats\",\n    revision=\"0123456789abcdef0123456789abcdef01234567\",\n)\n",
                )],
                files: &[("train.py", "from datasets import load_dataset\nload_dataset(\n    \"acme/chats\",\n)\n")],
            },
        ],
        good: &[
            Example {
                title: "full commits",
                base: &[],
                files: &[
                    (
                        "configs/train.yaml",
                        "base_model: acme/base\nrevision_of_model: 0123456789abcdef0123456789abcdef01234567\ndatasets:\n  - path: acme/chats\n    revision: 0123456789abcdef0123456789abcdef01234567\n  - path: ./data/local\n",
                    ),
                    (
                        "train.py",
                        "from datasets import load_dataset\nload_dataset(\"acme/chats\", revision=\"0123456789abcdef0123456789abcdef01234567\")\nload_dataset(args.dataset)\n",
                    ),
                ],
            },
            Example {
                title: "what was there before a change is not its fault",
                base: &[(
                    "configs/train.yaml",
                    "base_model: acme/base\nadapter: lora\ndatasets:\n  - path: acme/chats\n",
                )],
                files: &[(
                    "configs/train.yaml",
                    "base_model: acme/base\nadapter: lora\ndatasets:\n  - path: acme/chats\nlearning_rate: 0.1\n",
                )],
            },
        ],
        fix: "Look at the dataset or model as it is now, and write the full 40-digit commit of what you looked at in the field that \
              the framework has for it. Where it has none, keep a copy in the repository, or outside under `foretaste lock`.",
        misses: "Names that are only known when the program runs are listed as dynamic and not judged. Docstrings and comments \
                 are not read. A two-part name that is also a folder of the \
                 repository is taken for the folder. A checksum in a script counts for all its downloads. That a commit \
                 is pinned says nothing about what is in it. Whether the job that trains compares what it gets with the \
                 lock: that is `foretaste verify --run`.",
    },
    tags: &[
        "OWASP:LLM03",
        "OWASP:LLM04",
        "ATLAS:AML.T0010.002",
        "ATLAS:AML.T0109",
        "NISTAML.013",
        "CISA-AIDS-2025/1",
        "CISA-AIDS-2025/2",
        "ISO42001:A.7.5",
        "EU-AI-ACT:Art.10(2)(b)",
    ],
}];
