//! What a repository installs to load data with: lists of packages for Python.
//!
//! Only packages that load, train on or index data are told; the rest of a supply chain is for other tools.

use bstr::{BStr, ByteSlice};

use super::references::pinned_commit;
use crate::span::Span;

/// A package that loads data, as a list of packages asks for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Dependency {
    /// Its name, in the spelling of the index.
    pub(crate) name: String,
    /// What is asked for behind the name: `>=2.0`, `==3.1.0`, an address.
    pub(crate) wanted: String,
    /// Whether that is one version and no other.
    pub(crate) exact: bool,
    /// Where, in the decoded file.
    pub(crate) span: Span,
}

/// Packages that get data or models, train on them, or index them for retrieval.
const LOADERS: &[&str] = &[
    "accelerate",
    "alignment",
    "axolotl",
    "boto3",
    "chromadb",
    "clearml",
    "comet-ml",
    "datasets",
    "deltalake",
    "duckdb",
    "dvc",
    "evaluate",
    "faiss-cpu",
    "faiss-gpu",
    "fsspec",
    "gcsfs",
    "gdown",
    "google-cloud-storage",
    "haystack-ai",
    "huggingface-hub",
    "inspect-ai",
    "kaggle",
    "kagglehub",
    "keras",
    "lakefs",
    "lancedb",
    "langchain",
    "langchain-community",
    "lighteval",
    "lightning",
    "litgpt",
    "llama-index",
    "llamafactory",
    "lm-eval",
    "mlflow",
    "modelscope",
    "mteb",
    "nemo-toolkit",
    "neptune",
    "nltk",
    "openml",
    "pandas",
    "peft",
    "pinecone",
    "polars",
    "pooch",
    "pyiceberg",
    "pymilvus",
    "pytorch-lightning",
    "qdrant-client",
    "roboflow",
    "s3fs",
    "scikit-learn",
    "sentence-transformers",
    "spacy",
    "tensorflow",
    "tensorflow-datasets",
    "torch",
    "torchaudio",
    "torchtext",
    "torchtune",
    "torchvision",
    "transformers",
    "trl",
    "unsloth",
    "vllm",
    "wandb",
    "weaviate-client",
    "webdataset",
];

/// Whether a file is a list of packages.
pub(crate) fn lists_packages(path: &BStr) -> bool {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or(path).to_ascii_lowercase();
    let text = name.ends_with(b".txt") || name.ends_with(b".in");
    let folder = path.contains_str("requirements/");
    text && (name.starts_with(b"requirements") || name.starts_with(b"constraints") || folder)
        || matches!(
            &name[..],
            b"pyproject.toml" | b"setup.cfg" | b"setup.py" | b"environment.yml" | b"environment.yaml" | b"pipfile"
        )
}

/// The packages that load data in a list of them. Every kind of list has one requirement a line, or one in quotes.
pub(crate) fn dependencies(path: &BStr, text: &[u8]) -> Vec<Dependency> {
    let plain = path.ends_with(b".txt") || path.ends_with(b".in") || path.ends_with(b".cfg");
    let mut out = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive(|b| *b == b'\n') {
        let start = at;
        at += line.len();
        let Ok(line) = line.to_str() else { continue };
        let bare = line.trim_start();
        if bare.starts_with('#') || bare.starts_with("//") {
            continue;
        }
        let lead = line.len() - bare.len();
        let bare = bare.strip_prefix("- ").unwrap_or(bare);
        let skipped = line.len() - lead - bare.trim_end_matches('\n').len();
        let quoted = bare.match_indices(['"', '\'']).count() >= 2;
        if plain || !quoted {
            let from = start + line.find(bare).unwrap_or(lead + skipped);
            out.extend(requirement(bare.trim_end(), from, plain));
            continue;
        }
        let mut offset = 0;
        for (index, part) in line.split(['"', '\'']).enumerate() {
            if index % 2 == 1 {
                out.extend(requirement(part, start + offset, true));
            } else if index == 0 {
                // `datasets = ">=2.0"`, as Poetry and Pipenv write it.
                let (name, version) =
                    (part.trim().trim_end_matches('=').trim(), line.split(['"', '\'']).nth(1).unwrap_or(""));
                if part.contains('=') && is_loader(name) {
                    let span = span(start + line.find(name).unwrap_or(0), name.len());
                    let exact = version.trim_start_matches('=').starts_with(|c: char| c.is_ascii_digit())
                        && !version.contains('*');
                    out.push(Dependency { name: normal(name), wanted: version.to_owned(), exact, span });
                }
            }
            offset += part.len() + 1;
        }
    }
    out
}

/// `name[extra] >=1,<2 ; marker`, where it is one of a loader. Without `alone` the name needs something behind it, since
/// a line may be anything.
fn requirement(text: &str, at: usize, alone: bool) -> Option<Dependency> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if !is_loader(name) {
        return None;
    }
    let rest = rest.split(['#', ';']).next().unwrap_or("").trim();
    let rest = if rest.starts_with('[') { rest.split_once(']').map_or("", |(_, rest)| rest).trim() } else { rest };
    let wanted = rest.split_whitespace().take_while(|word| !word.starts_with("--")).collect::<Vec<_>>().join(" ");
    if !(wanted.is_empty() && alone || wanted.starts_with(['=', '<', '>', '~', '!', '@'])) {
        return None;
    }
    let version = wanted.trim_start_matches('=').trim();
    let number = version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains([',', '*', '<', '>']);
    let exact = wanted.starts_with('=') && number || wanted.starts_with('@') && pinned_commit(&wanted);
    Some(Dependency { name: normal(name), wanted, exact, span: span(at, name.len()) })
}

fn span(at: usize, len: usize) -> Span {
    Span::new(at as u64, (at + len) as u64)
}

/// Names of packages are compared without regard to case and to which mark joins their words.
fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

fn is_loader(name: &str) -> bool {
    LOADERS.binary_search(&normal(name).as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str) -> Vec<String> {
        dependencies(path.into(), text.as_bytes())
            .iter()
            .map(|d| {
                let written = String::from_utf8_lossy(d.span.of(text.as_bytes())).into_owned();
                assert_eq!(normal(&written), d.name, "{path}: {d:?}");
                format!("{} {}{}", d.name, d.wanted, if d.exact { " exact" } else { "" })
            })
            .collect()
    }

    #[test]
    fn the_list_of_loaders_can_be_searched() {
        assert!(LOADERS.is_sorted());
    }

    #[test]
    fn each_kind_of_list_gives_its_loaders() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(
            told(
                "requirements/train.txt",
                &format!(
                    "datasets==3.1.0 --hash=sha256:00\nHuggingFace_Hub[cli]>=0.20,<1 ; python_version > '3.8'\n# trl\nflask==1\ntrl\ntransformers @ git+https://github.com/huggingface/transformers@{sha}\npeft @ git+https://github.com/huggingface/peft@main\ntorch==2.*\n"
                )
            ),
            [
                "datasets ==3.1.0 exact".to_owned(),
                "huggingface-hub >=0.20,<1".to_owned(),
                "trl ".to_owned(),
                format!("transformers @ git+https://github.com/huggingface/transformers@{sha} exact"),
                "peft @ git+https://github.com/huggingface/peft@main".to_owned(),
                "torch ==2.*".to_owned(),
            ]
        );
        assert_eq!(
            told(
                "pyproject.toml",
                "[project]\nname = \"datasets-tool\"\ndependencies = [\n  \"datasets>=2\", \"rich\",\n  'trl==0.9.6',\n]\n[tool.poetry.dependencies]\nwandb = \"^0.16\"\nmlflow = \"2.9.2\"\n"
            ),
            ["datasets >=2", "trl ==0.9.6 exact", "wandb ^0.16", "mlflow 2.9.2 exact"]
        );
        assert_eq!(
            told(
                "environment.yml",
                "dependencies:\n  - python=3.10\n  - datasets=2.14.0\n  - pip:\n    - gdown==5.1.0\n"
            ),
            ["datasets =2.14.0 exact", "gdown ==5.1.0 exact"]
        );
        assert_eq!(
            told("setup.py", "install_requires=[\"datasets\", 'torch>=2']\n# datasets is nice\nimport torch\n"),
            ["datasets ", "torch >=2"]
        );
    }
}
