//! Notebooks, Markdown and cards.

use super::{check, table};

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
fn every_kind_of_document_has_its_verdicts() {
    const CARD: &str = "---\nlicense: mit\ntask_categories: [text-classification]\n---\n";
    let card = |rest: &str| format!("{CARD}{rest}");
    table(&[
        (
            "README.md",
            "---\nlicense: mit\ndatasets:\n- acme/a\nbase_model: acme/m\n---\n",
            &["unpinned dataset huggingface:acme/a", "unpinned model huggingface:acme/m"],
        ),
        (
            "README.md",
            "---\nconfigs:\n- config_name: a\n  data_files:\n  - split: train\n    path: https://data.acme.org/a.csv\n---\n",
            &["unpinned url-data url:https://data.acme.org/a.csv"],
        ),
        ("README.md", "---\nsource_datasets: [original, extended|squad]\n---\n", &[]),
        // Addresses in the text of a card say where the data came from; those of other texts are links.
        (
            "README.md",
            &card(
                "See [here](https://data.acme.org/a.csv), <https://data.acme.org/b.csv>.\n![x](https://acme.org/a.png)\n",
            ),
            &["unpinned url-data url:https://data.acme.org/a.csv", "unpinned url-data url:https://data.acme.org/b.csv"],
        ),
        ("README.md", "See [here](https://data.acme.org/a.csv).\n", &[]),
        ("a.mdx", "```py\nload_dataset('acme/a')\n```\n", &["unpinned dataset huggingface:acme/a"]),
        ("a.md", "```text\nload_dataset('acme/a')\n```\n", &[]),
        (
            "a.ipynb",
            r#"{"cells": [{"cell_type": "code", "source": "!git clone https://huggingface.co/datasets/acme/a"}]}"#,
            &["unpinned dataset huggingface:acme/a"],
        ),
        (
            "a.ipynb",
            r#"{"cells": [{"cell_type": "code", "source": "%load_ext x\nload_dataset('acme/a')", "outputs": [{"text": "load_dataset('acme/b')"}]}]}"#,
            &["unpinned dataset huggingface:acme/a"],
        ),
    ]);
}

#[test]
fn croissant_files_are_read_with_their_digests() {
    let digest = "ab".repeat(32);
    let file = |rest: &str| {
        format!(
            r#"{{"@context": {{"@vocab": "https://schema.org/"}}, "@type": "sc:Dataset", "name": "a", "distribution": [{rest}]}}"#
        )
    };
    let object = |rest: &str| file(&format!(r#"{{"@type": "cr:FileObject", "contentUrl": {rest}}}"#));
    table(&[
        (
            "croissant.json",
            &object(&format!(r#""https://data.acme.org/a.csv", "sha256": "{digest}""#)),
            &[&format!("pinned url-data url:https://data.acme.org/a.csv@sha256:{digest}")],
        ),
        (
            "croissant.json",
            &object(r#""https://data.acme.org/a.csv", "md5": "0123456789abcdef0123456789abcdef""#),
            &["weak url-data url:https://data.acme.org/a.csv@md5:0123456789abcdef0123456789abcdef"],
        ),
        (
            "meta.jsonld",
            &object(r#""https://data.acme.org/a.csv", "sha256": "abc""#),
            &["unpinned url-data url:https://data.acme.org/a.csv"],
        ),
        (
            "croissant.json",
            &object(&format!(r#""data/a.csv", "sha256": "{digest}""#)),
            &["local url-data local:data/a.csv"],
        ),
        (
            "croissant.json",
            &object(
                r#""https://huggingface.co/datasets/acme/a/tree/refs%2Fconvert%2Fparquet", "encodingFormat": "git+https", "sha256": "https://example.org/issues/80""#,
            ),
            &["unpinned dataset huggingface:acme/a@refs/convert/parquet"],
        ),
        (
            "croissant.json",
            &file(r#"{"@type": "cr:FileSet", "containedIn": {"@id": "repo"}, "includes": "*/*.parquet"}"#),
            &[],
        ),
    ]);
}

#[test]
fn blocks_that_do_not_say_what_they_are() {
    table(&[
        (
            "a.md",
            "```\n# train\npython train.py --dataset_name acme/set\n```\n",
            &["unpinned dataset huggingface:acme/set"],
        ),
        ("b.md", "```\nX=1 hf download acme/m\n```\n", &["unpinned model huggingface:acme/m"]),
        ("c.md", "```\ngit --dataset_name\n```\n```\ntrain.py --dataset_name acme/set\n```\n```\npython\n```\n", &[]),
    ]);
}
