//! What each kind of file names, in small files made for it; and a survey over a real repository.

use bstr::{BStr, ByteSlice};
use proptest::prelude::*;

use super::{Found, find, kind_of};
use crate::format::{Blob, Decoded, Encoding, Kind, Offsets, Verdict};
use crate::lens::{Lens, Standing};
use crate::policy::Limits;
use crate::span::{BlobId, Fresh};

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

fn read(path: &str, bytes: &[u8]) -> Found {
    read_as(path, bytes, Standing::Code)
}

fn read_as(path: &str, bytes: &[u8], standing: Standing) -> Found {
    let Some(kind) = kind_of(path.into(), bytes) else { return Found::default() };
    let decoded = Decoded { bytes: bytes.into(), offsets: Offsets::Same, encoding: Encoding::Utf8 };
    let lens = Lens { standing, ..Lens::default() };
    let blob = Blob { id: BlobId(0), path: path.into(), lens: &lens, decoded: &decoded, fresh: &Fresh::All };
    find(&blob, kind, &Limits::default())
}

/// One line for each reference. Holds at once that every span slices to the name as it is written, unless the name is
/// only a part of what is written there (`raw`).
fn lines(path: &str, text: &str) -> Vec<String> {
    let text = text.replace("SHA", SHA);
    let found = read(path, text.as_bytes());
    assert_eq!(found.unread, [] as [String; 0], "{path}");
    found
        .list
        .iter()
        .map(|r| {
            let raw = r.span.of(text.as_bytes()).to_str_lossy().into_owned();
            let whole = raw.replace("\\/", "/").replace("\\u002f", "/");
            assert!(
                whole.contains(&r.target) || r.target.starts_with("s3://") || r.hub == "huggingface",
                "{path}: {raw} is not {}",
                r.target
            );
            assert_eq!(r.fix.is_empty(), !matches!(r.verdict, Verdict::Unpinned | Verdict::Weak), "{r:?}");
            let pin = r.pin.as_deref().map(|pin| format!("@{}", pin.replace(SHA, "SHA"))).unwrap_or_default();
            let code = if r.remote_code { " remote-code" } else { "" };
            format!("{} {} {}:{}{pin}{code}", r.verdict.as_str(), r.kind.as_str(), r.hub, r.target.replace(SHA, "SHA"))
        })
        .collect()
}

#[track_caller]
fn check(path: &str, text: &str, expected: &[&str]) {
    assert_eq!(lines(path, text), expected, "{path}:\n{text}");
}

#[test]
fn axolotl_configurations() {
    check(
        "examples/llama/lora.yml",
        "base_model: NousResearch/Llama-3.2-1B\n# hub_model_id: me/pushed\ndatasets:\n  - path: teknium/GPT4-LLM-Cleaned\n    type: alpaca\n\
         dataset_prepared_path: last_run_prepared\noutput_dir: ./outputs/lora-out\nadapter: lora\n",
        &[
            "unpinned model huggingface:NousResearch/Llama-3.2-1B",
            "unpinned dataset huggingface:teknium/GPT4-LLM-Cleaned",
        ],
    );
    check(
        "a.yaml",
        "base_model: acme/model\nrevision_of_model: 6299b5a\ntrust_remote_code: true\nhub_model_id: me/out\nhub_revision: main\ndatasets:\n\
         - path: acme/pinned\n  revision: SHA\n- path: json\n  data_files: hf://datasets/acme/files@main/x.jsonl\n- path: ./data/local\n\
         - path: s3://bucket/set\n  revision: SHA\n- path: ${DATASET}\n- path: <your-dataset>\ntest_datasets:\n- {path: acme/eval, split: test}\n\
         pretraining_dataset: acme/pre\n",
        &[
            "weak model huggingface:acme/model@6299b5a remote-code",
            "pinned dataset huggingface:acme/pinned@SHA",
            "unpinned dataset huggingface:acme/files@main",
            "local dataset local:./data/local",
            "unpinned url-data s3:s3://bucket/set",
            "dynamic dataset huggingface:${DATASET}",
            "not-a-dataset dataset huggingface:<your-dataset>",
            "unpinned dataset huggingface:acme/eval",
            "unpinned dataset huggingface:acme/pre",
        ],
    );
}

#[test]
fn trl_and_alignment_handbook_and_open_instruct() {
    check(
        "recipes/sft.yaml",
        "model_name_or_path: acme/base\nmodel_revision: main\nhub_model_id: me/out\nhub_model_revision: v1\ndataset_mixture:\n  datasets:\n\
         \x20 - id: HuggingFaceH4/ultrachat_200k\n    config: default\n    split: train_sft\n",
        &["unpinned model huggingface:acme/base@main", "unpinned dataset huggingface:HuggingFaceH4/ultrachat_200k"],
    );
    check(
        "dpo.yaml",
        "model_name_or_path: acme/base\nmodel_revision: SHA\nteacher_model_name_or_path: acme/teacher\ndataset_name: trl-lib/tldr\ndataset_config: en\n",
        &[
            "pinned model huggingface:acme/base@SHA",
            "unpinned model huggingface:acme/teacher",
            "unpinned dataset huggingface:trl-lib/tldr",
        ],
    );
    check(
        "mix.yaml",
        "datasets:\n- path: parquet\n  data_files: hf://datasets/acme/set@SHA/**/*.parquet\nmodel_name_or_path: acme/base\n",
        &["pinned dataset huggingface:acme/set@SHA", "unpinned model huggingface:acme/base"],
    );
    check(
        "tulu.yaml",
        "model_name_or_path: acme/base\ndataset_mixer_list: [acme/a, '1.0', acme/b, 0.5]\ndataset_mixer:\n  acme/c: 1.0\n  # acme/d: 1.0\n",
        &[
            "unpinned model huggingface:acme/base",
            "unpinned dataset huggingface:acme/a",
            "unpinned dataset huggingface:acme/b",
            "unpinned dataset huggingface:acme/c",
        ],
    );
}

#[test]
fn llama_factory() {
    check(
        "data/dataset_info.json",
        r#"{"one": {"hf_hub_url": "acme\/one", "ms_hub_url": "mirror/one"}, "two": {"file_name": "two.json"},
            "three": {"script_url": "some_folder"}, "four": {"cloud_file_name": "s3://b/four.json"}, "five": {"ms_hub_url": "acme/five"}}"#,
        &[
            "unpinned dataset huggingface:acme/one",
            "local dataset local:two.json",
            "local code local:some_folder remote-code",
            "unpinned url-data s3:s3://b/four.json",
            "unpinned dataset modelscope:acme/five",
        ],
    );
    check(
        "run.yaml",
        "model_name_or_path: acme/base\nstage: sft\nfinetuning_type: lora\ndataset: one,two\ntemplate: llama3\noutput_dir: saves/x\n",
        &[
            "unpinned model huggingface:acme/base",
            "dynamic dataset dataset_info.json:one",
            "dynamic dataset dataset_info.json:two",
        ],
    );
}

#[test]
fn evaluation_tasks_and_torchtune() {
    check(
        "task.yaml",
        "task: t\ndataset_path: super_glue\ndataset_name: boolq\ndoc_to_text: !function utils.text\noutput_type: multiple_choice\n",
        &["unpinned dataset huggingface:super_glue"],
    );
    check(
        "task.yaml",
        "task: t\ndataset_path: acme/set\ndataset_kwargs:\n  revision: SHA\n  trust_remote_code: true\n",
        &["pinned dataset huggingface:acme/set@SHA remote-code"],
    );
    check(
        "task.yaml",
        "include: base.yaml\ntask: t\ndataset_kwargs:\n  data_files:\n    test: https://data.acme.org/t.json\n",
        &["unpinned url-data url:https://data.acme.org/t.json"],
    );
    check(
        "tune.yaml",
        "model:\n  _component_: torchtune.models.llama3.x\ndataset:\n  _component_: torchtune.datasets.instruct_dataset\n  source: acme/set\n\
         \x20 revision: SHA\n",
        &["pinned dataset huggingface:acme/set@SHA"],
    );
}

#[test]
fn unknown_configurations_only_below_words_of_data() {
    check(
        "conf/config.yaml",
        "dataset:\n  path: ${oc.env:DATA}\ntrain_dataset:\n  repo_id: acme/set\n  revision: SHA\nname: not/this\nmodel:\n  path: acme/model\n\
         data:\n  name: default\nimage: acme/image\nlogger: acme/logger\n",
        &[
            "dynamic dataset huggingface:${oc.env:DATA}",
            "pinned dataset huggingface:acme/set@SHA",
            "unpinned model huggingface:acme/model",
        ],
    );
    check(
        "run.toml",
        "[data.train]\nhf_dataset = \"acme/set\"\n[model]\npretrained_model_name_or_path = 'acme/model'\n[project]\nname = \"a/b\"\n",
        &["unpinned dataset huggingface:acme/set", "unpinned model huggingface:acme/model"],
    );
    check("package.json", r#"{"name": "@a/b", "repository": "c/d", "data": {"version": "1/2"}}"#, &[]);
}

#[test]
fn python_calls() {
    check(
        "train.py",
        r#"
"""load_dataset("doc/string")"""
from datasets import load_dataset as ld
import pandas as pd
# load_dataset("in/comment")
NAME = "acme/constant"
class C:
    PATH = "acme/attribute"
    def f(self):
        return ld(self.PATH, revision=self.revision)
ld("acme/plain")
ld("acme/main", revision="main")
ld("acme/pinned", "config", split="train", revision="SHA")
ld(NAME, revision=None)
ld("acme/kwargs", **extra)
ld(args.dataset_name, trust_remote_code=True)
ld("json", data_files={"train": ["a.jsonl", "https://huggingface.co/datasets/acme/url/resolve/main/x.json"]})
ld(f"acme/{name}")
for each in ["acme/first", "acme/second"]:
    ld(each)
pd.read_csv("data/local.csv")
pd.read_csv("hf://datasets/acme/csv@SHA/x.csv")
"#,
        &[
            "unpinned dataset huggingface:acme/constant",
            "dynamic dataset huggingface:acme/attribute",
            "unpinned dataset huggingface:acme/plain",
            "unpinned dataset huggingface:acme/main@main",
            "pinned dataset huggingface:acme/pinned@SHA",
            "dynamic dataset huggingface:acme/kwargs",
            "dynamic dataset python:args.dataset_name remote-code",
            "local url-data local:a.jsonl",
            "unpinned dataset huggingface:acme/url@main",
            "dynamic dataset python:f\"acme/{name}\"",
            "unpinned dataset huggingface:acme/first",
            "unpinned dataset huggingface:acme/second",
            "local url-data local:data/local.csv",
            "pinned dataset huggingface:acme/csv@SHA",
        ],
    );
    check(
        "models.py",
        r#"
import evaluate, torch
import tensorflow_datasets as tfds
from peft import PeftModel
model = AutoModel.from_pretrained("acme/model", trust_remote_code=True)
model = AutoModel.from_pretrained("acme/weak", revision="v1.0")
PeftModel.from_pretrained(model, "acme/adapter")
model.save_pretrained("trained")
AutoModel.from_pretrained("trained")
pipeline("text-generation", model="acme/pipe")
SentenceTransformer("all-MiniLM-L6-v2")
SFTTrainer(model="acme/sft", args=SFTConfig(model_init_kwargs={"revision": "SHA"}))
evaluate.load("accuracy")
torch.hub.load("pytorch/vision:main", "x")
tfds.load("mnist:3.0.1")
tfds.load("mnist")
snapshot_download("acme/set", repo_type="dataset", revision="SHA")
nltk.download("punkt")
"#,
        &[
            "unpinned model huggingface:acme/model remote-code",
            "weak model huggingface:acme/weak@v1.0",
            "unpinned model huggingface:acme/adapter",
            "local model local:trained",
            "unpinned model huggingface:acme/pipe",
            "unpinned model huggingface:all-MiniLM-L6-v2",
            "pinned model huggingface:acme/sft@SHA",
            "unpinned code huggingface:accuracy",
            "unpinned code github:pytorch/vision@main",
            "pinned dataset tfds:mnist@3.0.1",
            "unpinned dataset tfds:mnist",
            "pinned dataset huggingface:acme/set@SHA",
            "unpinned dataset nltk:punkt",
        ],
    );
    check(
        "shapes.py",
        r#"
metadata = TaskMetadata(dataset={"path": "mteb/x", "revision": "d05c1cb"})
task = LightevalTaskConfig(hf_repo="acme/set", hf_revision="SHA")
parser.add_argument("--dataset_name", default="acme/default")
class Args:
    model_name_or_path: str = field(default="acme/field")
cfg = DictDefault({"base_model": "acme/base", "datasets": [{"path": "acme/dict", "type": "alpaca"}], "adapter": "lora"})
URL = "https://raw.githubusercontent.com/o/r/master/data/train.csv"
LOGO = "https://raw.githubusercontent.com/o/r/master/logo.png"
if "https://data.acme.org/x.csv" in seen: pass
subprocess.run(["hf", "download", "acme/cli", "--repo-type", "dataset"])
os.system("wget https://data.acme.org/y.csv")
def fetch():
    data = requests.get("https://data.acme.org/z.csv").content
    assert hashlib.sha256(data).hexdigest() == EXPECTED
"#,
        &[
            "weak dataset huggingface:mteb/x@d05c1cb",
            "pinned dataset huggingface:acme/set@SHA",
            "unpinned dataset huggingface:acme/default",
            "unpinned model huggingface:acme/field",
            "unpinned model huggingface:acme/base",
            "unpinned dataset huggingface:acme/dict",
            "unpinned url-data github:https://raw.githubusercontent.com/o/r/master/data/train.csv@master",
            "unpinned dataset huggingface:acme/cli",
            "unpinned url-data url:https://data.acme.org/y.csv",
            "pinned url-data url:https://data.acme.org/z.csv@a compared SHA-256",
        ],
    );
}

#[test]
fn notebooks_lead_back_through_json() {
    let notebook = r##"{"cells": [
 {"cell_type": "markdown", "source": ["load_dataset(\"in/markdown\")"]},
 {"cell_type": "code", "outputs": [{"text": "load_dataset('in/output')"}], "source": [
  "%pip install x\n", "!wget -q \\\n", "  https://data.acme.org/n.csv\n",
  "if True:\n", "    !hf download acme\/cell --repo-type=dataset\n",
  "NAME = \"acme\u002fset\"\n", "text = \"\ud83d\ude00 \\\"quoted\\\"\"\n"]},
 {"cell_type": "code", "source": "load_dataset(NAME)\nload_dataset('acme/two', revision='SHA')"},
 {"cell_type": "code", "source": "%%bash\ncurl -LO https://data.acme.org/c.csv"}
], "metadata": {"kernelspec": {"language": "python"}}}"##;
    check(
        "a.ipynb",
        notebook,
        &[
            "unpinned url-data url:https://data.acme.org/n.csv",
            "unpinned dataset huggingface:acme/cell",
            "unpinned dataset huggingface:acme/set",
            "pinned dataset huggingface:acme/two@SHA",
            "unpinned url-data url:https://data.acme.org/c.csv",
        ],
    );
}

#[test]
fn shell_and_workflows() {
    check(
        "run.sh",
        "#!/bin/bash\n# hf download in/comment\nMODEL=acme/model\nDATA=\"acme/set\"\naccelerate launch train.py \\\n  --model_name_or_path $MODEL \\\n\
         \x20 --dataset_name ${DATA} --model_revision SHA --output_dir out/x \\\n  --hub_model_id me/out\nhf download acme/files --repo-type dataset --revision v1\n\
         wget https://data.acme.org/train.tar.gz\ngit clone https://github.com/o/tool\ngit clone https://huggingface.co/datasets/acme/cloned\n\
         aws s3 cp s3://b/train.jsonl .\naws s3 cp out.txt s3://b/up\ntrl sft --dataset_name \"$UNKNOWN\" data.train.path=acme/hydra\n\
         python -m x --model openai/gpt-5 --dataset squad\nlm_eval --model_args pretrained=acme/lm,revision=main\n",
        &[
            "pinned model huggingface:acme/model@SHA",
            "unpinned dataset huggingface:acme/set",
            "weak dataset huggingface:acme/files@v1",
            "unpinned url-data url:https://data.acme.org/train.tar.gz",
            "unpinned dataset huggingface:acme/cloned",
            "unpinned url-data s3:s3://b/train.jsonl",
            "dynamic dataset huggingface:$UNKNOWN",
            "unpinned dataset huggingface:acme/hydra",
            "not-a-dataset dataset huggingface:squad",
            "unpinned model huggingface:acme/lm@main",
        ],
    );
    check(
        "get.sh",
        "curl -L -o train.csv https://data.acme.org/train.csv\necho \"abc  train.csv\" | sha256sum -c -\n",
        &["pinned url-data url:https://data.acme.org/train.csv@a checked SHA-2 sum"],
    );
    check(
        ".github/workflows/t.yml",
        "on: push\njobs:\n  a:\n    runs-on: x\n    container: pytorch/pytorch:2.8.0\n    steps:\n    - uses: actions/checkout@v4\n    - run: |\n\
         \x20       set -e\n        hf download --repo-type=dataset acme/ci\n        pip install git+https://github.com/o/tool\n",
        &["weak image docker:pytorch/pytorch@2.8.0", "unpinned dataset huggingface:acme/ci"],
    );
    check(
        "Dockerfile",
        "ARG TAG=main\nFROM pytorch/pytorch:2.8.0 AS base\nFROM x/y:$TAG\nFROM base\nFROM img@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\
         RUN --mount=type=cache,target=/c \\\n  wget https://data.acme.org/train.csv && \\\n  # comment\n  hf download acme/baked\nFROM scratch\n",
        &[
            "weak image docker:pytorch/pytorch@2.8.0",
            "dynamic image docker:x/y:$TAG",
            "pinned image docker:img@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "unpinned url-data url:https://data.acme.org/train.csv",
            "unpinned model huggingface:acme/baked",
        ],
    );
    check(
        "Makefile",
        "SET := acme/set\nall: x\n\t@hf download $(SET) --repo-type dataset\n",
        &["unpinned dataset huggingface:acme/set"],
    );
}

#[test]
fn dvc_and_submodules() {
    check(
        "d.dvc",
        "deps:\n- path: data\n  repo:\n    url: https://github.com/o/r\n    rev: main\n    rev_lock: SHA\n- path: https://data.acme.org/x.csv\n  etag: abc\n\
         - path: s3://b/x\n  version_id: v7\nouts:\n- path: x\n  md5: 0123456789abcdef0123456789abcdef\n",
        &[
            "locked dataset git:https://github.com/o/r@SHA",
            "weak url-data url:https://data.acme.org/x.csv",
            "pinned url-data s3:s3://b/x@v7",
        ],
    );
    check(
        ".gitmodules",
        "[submodule \"d\"]\n\tpath = d\n\turl = https://huggingface.co/datasets/acme/set\n\tbranch = main\n",
        &["pinned dataset git:https://huggingface.co/datasets/acme/set"],
    );
}

#[test]
fn markdown_cards_and_blocks() {
    check(
        "README.md",
        "---\nsource_datasets:\n- original\n- acme/parent\nconfigs:\n- config_name: default\n  data_files: data/*.parquet\n---\n# Text\nload_dataset(\"in/prose\")\n\
         ```python\n>>> ds = load_dataset(\"acme/doc\",\n...     split=\"train\")\n>>> ds\n\"load_dataset('in/output')\"\n```\n\
         - item\n  ```bash\n  $ hf download acme/shell\n  ```\n![x](https://huggingface.co/datasets/o/n/resolve/main/f.png)\n```\nload_dataset(\"no/language\")\n```\n",
        &[
            "unpinned dataset huggingface:acme/parent",
            "local url-data local:data/*.parquet",
            "unpinned dataset huggingface:acme/doc",
            "unpinned model huggingface:acme/shell",
        ],
    );
}

#[test]
fn files_are_told_by_name_and_first_line() {
    for (path, head, kind) in [
        ("a/b.py", "", Some(Kind::Python)),
        ("run", "#!/usr/bin/env python3\n", Some(Kind::Python)),
        ("run", "#!/bin/sh\n", Some(Kind::Shell)),
        ("x/Dockerfile", "", Some(Kind::Shell)),
        ("Dockerfile.gpu", "", Some(Kind::Shell)),
        ("a.json", " {\"a\": 1}", Some(Kind::JsonConfig)),
        ("a.json", "[1]", None),
        ("a.jsonl", "{\"a\": 1}", None),
        ("a.dvc", "", Some(Kind::Yaml)),
        ("a.txt", "", None),
        ("a.csv", "", None),
    ] {
        assert_eq!(kind_of(path.into(), head.as_bytes()), kind, "{path}");
    }
}

#[test]
fn a_broken_file_is_unread_where_it_matters() {
    assert!(
        read_as("configs/train.yaml", b"datasets:\n- path: acme/x\n  bad: [\n", Standing::Training).unread[0]
            .starts_with("is not valid YAML")
    );
    assert_eq!(read_as("other.yaml", b"a: [\n", Standing::Code).unread, [] as [String; 0]);
    assert!(read_as("data/dataset_info.json", b"{\"a\": ", Standing::Code).unread[0].starts_with("is not valid JSON"));
    let large = format!("load_dataset('acme/x')\n{}", "#\n".repeat(1 << 20));
    assert!(read("a.py", large.as_bytes()).unread[0].starts_with("larger than"));
    assert_eq!(read("b.py", "#\n".repeat(1 << 20).as_bytes()).unread, [] as [String; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_bytes_are_read_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        path in proptest::sample::select(vec!["a.py", "a.ipynb", "a.yaml", "a.toml", "a.sh", "a.md", "a.dvc", "Dockerfile", "Makefile", ".gitmodules", "a.json"]),
    ) {
        read(path, &bytes);
    }

    #[test]
    fn any_words_are_read_without_panic_and_with_spans_inside(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "load_dataset", "(", ")", "\"acme/x\"", "'", "\"", "\\", "\n", " ", "  ", "- path: ", "datasets:", "base_model: ", "{", "}", "[", "]", ",", ":",
            "revision=", "=", "hf download ", "```python\n", "```", "---\n", "FROM ", "RUN ", "<<EOF", "EOF", "$(", "${", "\u{e9}", "https://x.acme.org/a.csv", "!", "%",
            "{\"cells\":[{\"cell_type\":\"code\",\"source\":[", "&a ", "*a", "<<: ", "|\n", "acme/y", "# ",
        ]), 0..40),
        path in proptest::sample::select(vec!["a.py", "a.ipynb", "a.yaml", "a.toml", "a.sh", "a.md", "a.dvc", "Dockerfile", "Makefile", ".gitmodules", "a.json"]),
    ) {
        let text = words.concat();
        for reference in read(path, text.as_bytes()).list {
            prop_assert!(reference.span.end <= text.len() as u64, "{reference:?} in {text:?}");
        }
    }
}

/// Prints every reference of the files below `FORETASTE_SURVEY`, one a line, to be judged by hand.
#[test]
#[ignore = "needs a folder of real repositories in FORETASTE_SURVEY"]
fn survey() {
    let root = std::path::PathBuf::from(std::env::var("FORETASTE_SURVEY").expect("the variable names a folder"));
    for entry in
        ignore::WalkBuilder::new(&root).hidden(false).git_ignore(false).sort_by_file_path(Ord::cmp).build().flatten()
    {
        let Ok(bytes) = std::fs::read(entry.path()) else { continue };
        let path = entry.path().strip_prefix(&root).expect("it lies below").to_string_lossy().into_owned();
        if path.starts_with(".git/") {
            continue;
        }
        let Some(_) = kind_of(BStr::new(&path), &bytes) else { continue };
        let found = read(&path, &bytes);
        for reason in &found.unread {
            println!("UNREAD\t{path}\t{reason}");
        }
        for r in found.list {
            let line = bytes[..r.span.start as usize].iter().filter(|b| **b == b'\n').count() + 1;
            let code = if r.remote_code { "remote-code" } else { "" };
            println!(
                "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{path}:{line}\t{code}",
                r.verdict.as_str(),
                r.kind.as_str(),
                r.hub,
                r.target,
                r.pin.as_deref().unwrap_or("-"),
                r.framework,
                r.by
            );
        }
    }
}

/// Long and deep files of every kind come to an end. Nothing is timed; what is quadratic would not finish.
#[test]
fn hostile_files_are_read_to_their_end() {
    let size = (1 << 18) - 64;
    let fill = |unit: &str| unit.repeat(size / unit.len());
    let needle = "load_dataset('acme/x')\n";
    for (path, text) in [
        ("a.yaml", fill("[")),
        ("a.yaml", fill("- ")),
        ("a.yaml", fill("? ")),
        ("a.yaml", fill("a: &a [*a]\n")),
        ("a.yaml", fill("\"\\u0061")),
        ("a.yaml", fill("{{")),
        ("a.yaml", fill("{{ a }} {% b %}\n")),
        ("a.yaml", format!("run: |\n{}", fill("  $(a $(b\n"))),
        ("a.yaml", format!("datasets:\n{}", fill("- path: a/b\n"))),
        ("a.json", format!("{{\"a\": {}", fill("["))),
        ("a.json", format!("{{\"a\": \"{}\"}}", fill("\\u0061"))),
        ("a.json", format!("{{{}}}", fill("\"dataset\": {},"))),
        ("a.toml", format!("dataset = {}", fill("["))),
        ("a.toml", fill("[dataset]\n")),
        ("a.toml", fill("a.")),
        ("a.py", needle.to_owned() + &fill("(")),
        ("a.py", needle.to_owned() + &fill("not ")),
        ("a.py", needle.to_owned() + &fill("a.b(")),
        ("a.py", needle.to_owned() + &fill("f'{")),
        ("a.py", needle.to_owned() + &fill("x = [x, x]\n")),
        ("a.py", needle.to_owned() + &fill("load_dataset(x)\nx = x or y\ny = y or x\n")),
        ("a.py", needle.to_owned() + &fill("{'datasets': [{'path': 'a/b'}]}\n")),
        ("a.py", needle.to_owned() + &fill("if x:\n")),
        ("a.py", needle.to_owned() + &fill("a = b = ")),
        ("a.py", needle.to_owned() + &fill("`")),
        ("a.sh", fill("$(")),
        ("a.sh", fill("`")),
        ("a.sh", fill("\"$(\"")),
        ("a.sh", fill("cat <<EOF\n")),
        ("a.sh", fill("hf download a/b\n")),
        ("a.sh", fill("--dataset a/b ")),
        ("a.sh", fill("x=$x ")),
        ("Dockerfile", fill("RUN a \\\n")),
        ("Dockerfile", fill("RUN <<EOF\n")),
        ("Dockerfile", fill("FROM a AS b\n")),
        ("Makefile", fill("\t$(a)\n")),
        ("a.md", fill("```python\n")),
        ("a.md", fill("---\n")),
        ("a.md", fill("```python\nload_dataset('a/b')\n```\n")),
        (
            "a.ipynb",
            format!("{{\"cells\": [{{\"cell_type\": \"code\", \"source\": [{}\"\"]}}]}}", fill("\"!a \\\\\\n\",")),
        ),
        (
            "a.ipynb",
            format!("{{\"cells\": [{}0]}}", fill("{\"cell_type\": \"code\", \"source\": \"load_dataset('a/b')\"},")),
        ),
    ] {
        assert!(read(path, text.as_bytes()).list.len() <= 10_000, "{path}");
    }
}
