//! Scripts, workflows, images, DVC and submodules.

use super::{check, table};

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
        &["pinned dataset git:https://huggingface.co/datasets/acme/set", "unpinned dataset submodule:d@main"],
    );
}

#[test]
fn every_command_that_fetches_has_its_verdicts() {
    table(&[
        (
            "a.sh",
            "trl sft --model_name_or_path acme/m --dataset_name acme/a \\\n  --model_revision SHA\n",
            &["pinned model huggingface:acme/m@SHA", "unpinned dataset huggingface:acme/a"],
        ),
        (
            "a.sh",
            "python train.py --dataset acme/a --revision SHA\npython train.py --dataset acme/b\n",
            &["pinned dataset huggingface:acme/a@SHA", "unpinned dataset huggingface:acme/b"],
        ),
        (
            "a.sh",
            "python f.py --dataset_mixer_list acme/a 1.0 acme/b 0.5 --lr 1\n",
            &["unpinned dataset huggingface:acme/a", "unpinned dataset huggingface:acme/b"],
        ),
        (
            "a.yaml",
            "spec:\n  containers:\n  - image: acme/train:latest\n    args: [--dataset_name, acme/a, --dataset_revision, SHA]\n",
            &["unpinned image docker:acme/train@latest", "pinned dataset huggingface:acme/a@SHA"],
        ),
        ("a.sh", "hf download acme/a --repo-type dataset --revision SHA\n", &["pinned dataset huggingface:acme/a@SHA"]),
        ("a.sh", "huggingface-cli download acme/m\n", &["unpinned model huggingface:acme/m"]),
        ("a.sh", "aria2c https://data.acme.org/a.csv\n", &["unpinned url-data url:https://data.acme.org/a.csv"]),
        (
            "a.sh",
            "git clone https://huggingface.co/datasets/acme/a\ncd a\ngit checkout SHA\n",
            &["pinned dataset huggingface:acme/a@SHA"],
        ),
        ("a.sh", "git clone https://github.com/acme/tool\npip install git+https://github.com/acme/tool\n", &[]),
        (
            "a.sh",
            "aws s3 sync s3://bucket/a data\ngcloud storage cp gs://bucket/b.csv .\nazcopy copy https://x.blob.core.windows.net/c/d.csv .\n",
            &[
                "unpinned url-data s3:s3://bucket/a",
                "unpinned url-data gcs:gs://bucket/b.csv",
                "unpinned url-data azure:https://x.blob.core.windows.net/c/d.csv",
            ],
        ),
        (
            "a.sh",
            "kaggle datasets download -d acme/a\ngdown https://drive.google.com/uc?id=1\n",
            &["unpinned dataset kaggle:acme/a", "unpinned url-data gdrive:https://drive.google.com/uc?id=1"],
        ),
        (
            "a.sh",
            "dvc get https://github.com/o/r data\ndvc import https://github.com/o/r data --rev SHA\ndvc import-url https://data.acme.org/a.csv\n",
            &[
                "unpinned dataset git:https://github.com/o/r",
                "pinned dataset git:https://github.com/o/r@SHA",
                "unpinned dataset url:https://data.acme.org/a.csv",
            ],
        ),
        (
            "a.sh",
            "python t.py --model acme/m --trust_remote_code --dataset acme/a\n",
            &["unpinned model huggingface:acme/m remote-code", "unpinned dataset huggingface:acme/a"],
        ),
        // Settings in the manner of Hydra: the pin stands in another word of the command.
        (
            "a.sh",
            "python train.py dataset.path=acme/a dataset.revision=SHA\n",
            &["pinned dataset huggingface:acme/a@SHA"],
        ),
        ("a.sh", "tune run full --config x dataset.source=acme/a\n", &["unpinned dataset huggingface:acme/a"]),
        (
            "a.sh",
            "python train.py +data.train.path=acme/a model.path=acme/m model.revision=SHA\n",
            &["unpinned dataset huggingface:acme/a", "pinned model huggingface:acme/m@SHA"],
        ),
        ("a.sh", "python train.py dataset=squad data.dir=x/y\n", &[]),
        // DVC.
        (
            "a.dvc",
            "deps:\n- path: d\n  repo:\n    url: https://github.com/o/r\n    rev: SHA\n    rev_lock: SHA\n",
            &["pinned dataset git:https://github.com/o/r@SHA"],
        ),
        (
            "a.dvc",
            "deps:\n- path: d\n  repo:\n    url: https://github.com/o/r\n    rev: main\n",
            &["unpinned dataset git:https://github.com/o/r@main"],
        ),
        (
            "a.dvc",
            "deps:\n- path: gs://bucket/a\n  md5: 0123456789abcdef0123456789abcdef\n",
            &["weak url-data gcs:gs://bucket/a"],
        ),
        (
            "dvc.lock",
            "schema: '2.0'\nstages:\n  get:\n    cmd: wget https://data.acme.org/a.csv\n    deps:\n    - path: https://data.acme.org/b.csv\n      etag: x\n",
            &["unpinned url-data url:https://data.acme.org/a.csv", "weak url-data url:https://data.acme.org/b.csv"],
        ),
        ("dvc.yaml", "stages:\n  get:\n    cmd: python x.py\n    deps: [https://data.acme.org/b.csv, data/x]\n", &[]),
        (
            "a.py",
            "fsspec.open('lakefs://repo/main/a.csv')",
            &["unpinned url-data lakefs:lakefs://repo/main/a.csv@main"],
        ),
        // Submodules.
        (
            ".gitmodules",
            "[submodule \"d\"]\n\tpath = d\n\turl = https://github.com/acme/dataset\n\tbranch = main\n",
            &["pinned dataset git:https://github.com/acme/dataset", "unpinned dataset submodule:d@main"],
        ),
        (
            ".gitmodules",
            "[submodule \"t\"]\n\tpath = t\n\turl = https://github.com/acme/tool\n\tbranch = main\n",
            &["pinned code git:https://github.com/acme/tool"],
        ),
        (
            ".github/workflows/a.yml",
            "jobs:\n  a:\n    steps:\n    - run: git submodule update --init --remote\n",
            &["unpinned code git:submodules"],
        ),
        // Images.
        ("Dockerfile", "FROM acme/train\n", &["unpinned image docker:acme/train"]),
        ("Dockerfile", "ARG V=1\nFROM acme/train:${V}\n", &["dynamic image docker:acme/train:${V}"]),
        (
            "compose.yaml",
            "services:\n  train:\n    image: registry.acme.org:5000/train:v1\n",
            &["weak image docker:registry.acme.org:5000/train@v1"],
        ),
    ]);
}

#[test]
fn every_kind_of_address_has_its_verdicts() {
    let rows = [
        ("https://huggingface.co/datasets/acme/a/resolve/SHA/x.csv", "pinned dataset huggingface:acme/a@SHA"),
        ("https://huggingface.co/datasets/acme/a/resolve/v1.0/x.csv", "weak dataset huggingface:acme/a@v1.0"),
        ("https://huggingface.co/datasets/acme/a/raw/main/x.csv", "unpinned dataset huggingface:acme/a@main"),
        (
            "https://huggingface.co/datasets/acme/a/resolve/refs%2Fconvert%2Fparquet/x.parquet",
            "unpinned dataset huggingface:acme/a@refs/convert/parquet",
        ),
        (
            "https://huggingface.co/datasets/acme/a/resolve/refs/pr/3/x.csv",
            "unpinned dataset huggingface:acme/a@refs/pr/3",
        ),
        ("https://hf.co/acme/m/resolve/main/model.safetensors", "unpinned model huggingface:acme/m@main"),
        (
            "hf://datasets/acme/a@refs/convert/parquet/x.parquet",
            "unpinned dataset huggingface:acme/a@refs/convert/parquet",
        ),
        (
            "https://raw.githubusercontent.com/o/r/SHA/data/x.csv",
            "pinned url-data github:https://raw.githubusercontent.com/o/r/SHA/data/x.csv@SHA",
        ),
        (
            "https://raw.githubusercontent.com/o/r/refs/heads/main/x.csv",
            "unpinned url-data github:https://raw.githubusercontent.com/o/r/refs/heads/main/x.csv@refs/heads/main",
        ),
        ("https://github.com/o/r/raw/v1.2/x.csv", "weak url-data github:https://github.com/o/r/raw/v1.2/x.csv@v1.2"),
        (
            "https://github.com/o/r/blob/main/x.csv",
            "unpinned url-data github:https://github.com/o/r/blob/main/x.csv@main",
        ),
        ("https://gitlab.com/o/r/-/raw/SHA/x.csv", "pinned url-data gitlab:https://gitlab.com/o/r/-/raw/SHA/x.csv@SHA"),
        (
            "https://github.com/o/data/archive/SHA.zip",
            "pinned url-data github:https://github.com/o/data/archive/SHA.zip@SHA",
        ),
        (
            "https://github.com/o/data/archive/refs/tags/v1.tar.gz",
            "weak url-data github:https://github.com/o/data/archive/refs/tags/v1.tar.gz@refs/tags/v1",
        ),
        (
            "https://codeload.github.com/o/data/zip/refs/heads/main",
            "unpinned url-data github:https://codeload.github.com/o/data/zip/refs/heads/main@refs/heads/main",
        ),
        (
            "https://github.com/o/r/releases/download/v1/x.csv",
            "weak url-data github:https://github.com/o/r/releases/download/v1/x.csv@v1",
        ),
        (
            "https://github.com/o/r/releases/latest/download/x.csv",
            "unpinned url-data github:https://github.com/o/r/releases/latest/download/x.csv",
        ),
        (
            "https://gist.githubusercontent.com/u/0123456789abcdef0123/raw/SHA/x.csv",
            "pinned url-data github:https://gist.githubusercontent.com/u/0123456789abcdef0123/raw/SHA/x.csv@SHA",
        ),
        (
            "https://gist.githubusercontent.com/u/0123456789abcdef0123/raw/x.csv",
            "unpinned url-data github:https://gist.githubusercontent.com/u/0123456789abcdef0123/raw/x.csv",
        ),
        (
            "https://zenodo.org/records/123/files/x.csv",
            "weak url-data zenodo:https://zenodo.org/records/123/files/x.csv",
        ),
        (
            "https://figshare.com/articles/dataset/x/123/2",
            "weak url-data figshare:https://figshare.com/articles/dataset/x/123/2",
        ),
        (
            "https://figshare.com/articles/dataset/x/123",
            "unpinned url-data figshare:https://figshare.com/articles/dataset/x/123",
        ),
        ("s3://bucket/x.csv?versionId=7", "pinned url-data s3:s3://bucket/x.csv?versionId=7@7"),
        (
            "https://bucket.s3.eu-west-1.amazonaws.com/x.csv?versionId=7",
            "pinned url-data s3:https://bucket.s3.eu-west-1.amazonaws.com/x.csv?versionId=7@7",
        ),
        (
            "https://storage.googleapis.com/bucket/x.csv?generation=7",
            "pinned url-data gcs:https://storage.googleapis.com/bucket/x.csv?generation=7@7",
        ),
        (
            "https://storage.googleapis.com/bucket/latest/x.csv",
            "unpinned url-data gcs:https://storage.googleapis.com/bucket/latest/x.csv",
        ),
        (
            "https://a.blob.core.windows.net/c/x.csv?versionid=7",
            "pinned url-data azure:https://a.blob.core.windows.net/c/x.csv?versionid=7@7",
        ),
        ("https://drive.google.com/uc?id=1", "unpinned url-data gdrive:https://drive.google.com/uc?id=1"),
        ("https://www.dropbox.com/s/1/x.csv?dl=1", "unpinned url-data dropbox:https://www.dropbox.com/s/1/x.csv?dl=1"),
        ("https://modelscope.cn/datasets/acme/a/resolve/master/x.csv", "unpinned dataset modelscope:acme/a@master"),
        (
            "https://data.commoncrawl.org/crawl-data/CC-MAIN-2026-40/warc.paths.gz",
            "weak url-data commoncrawl:https://data.commoncrawl.org/crawl-data/CC-MAIN-2026-40/warc.paths.gz@CC-MAIN-2026-40",
        ),
        (
            "https://web.archive.org/web/20260101000000/https://data.acme.org/x.csv",
            "weak url-data url:https://web.archive.org/web/20260101000000/https://data.acme.org/x.csv",
        ),
        // What leads to no data.
        (
            "https://huggingface.co/datasets/acme/a/resolve/main/figure.png",
            "not-a-dataset url-data url:https://huggingface.co/datasets/acme/a/resolve/main/figure.png",
        ),
        (
            "https://huggingface.co/docs/datasets/index",
            "not-a-dataset url-data huggingface:https://huggingface.co/docs/datasets/index",
        ),
        (
            "https://datasets-server.huggingface.co/rows?dataset=acme/a",
            "not-a-dataset url-data url:https://datasets-server.huggingface.co/rows?dataset=acme/a",
        ),
        (
            "https://huggingface.co/api/datasets/acme/a",
            "not-a-dataset url-data huggingface:https://huggingface.co/api/datasets/acme/a",
        ),
        (
            "https://raw.githubusercontent.com/o/r/SHA/logo.svg",
            "not-a-dataset url-data url:https://raw.githubusercontent.com/o/r/SHA/logo.svg",
        ),
    ];
    let rows: Vec<(String, Vec<&str>)> = rows
        .iter()
        .map(|(url, found)| {
            (format!("wget '{url}'\n"), Some(*found).filter(|found| !found.is_empty()).into_iter().collect())
        })
        .collect();
    let rows: Vec<(&str, &str, &[&str])> =
        rows.iter().map(|(text, found)| ("a.sh", text.as_str(), found.as_slice())).collect();
    table(&rows);
}

#[test]
fn commands_that_are_kept_and_arrays_of_addresses() {
    table(&[
        (
            "run.sh",
            "LAUNCH=\"accelerate launch \\\n  train.py --model_name_or_path acme/m --dataset_mixer_list acme/d 1.0\"\nuv run $LAUNCH\n",
            &["unpinned model huggingface:acme/m", "unpinned dataset huggingface:acme/d"],
        ),
        ("note.sh", "HELP=\"a -- b acme/m\"\nARGS='--verbose'\n", &[]),
        (
            "get.sh",
            "URLS=(\n  \"https://data.acme.org/a.jsonl\"\n  https://acme.org/page\n)\nfor url in \"${URLS[@]}\"; do curl -O $url; done\n",
            &["unpinned url-data url:https://data.acme.org/a.jsonl"],
        ),
        (
            "uv.sh",
            "uv run \"https://raw.acme.org/train.py\" --dataset_name acme/d\n",
            &["unpinned dataset huggingface:acme/d"],
        ),
        ("tune.sh", "tune download acme/m --output-dir /tmp/m\n", &["unpinned model huggingface:acme/m"]),
        (
            "job.yaml",
            "tasks:\n- command: ['/bin/sh', '-c']\n  arguments: ['unset X && accelerate launch train.py\n    --model_name_or_path acme/m']\n",
            &["unpinned model huggingface:acme/m"],
        ),
    ]);
}
