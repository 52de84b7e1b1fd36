//! Pipelines: what trains, what evaluates, what indexes documents for retrieval.
//!
//! A configuration is told by the framework whose keys it has, code by the calls and packages that do nothing else.

use std::collections::BTreeMap;

use bstr::{BStr, ByteSlice};

use super::{Known, Named, Spot};
use crate::format::{Kind, Reference, Verdict};
use crate::lens::Standing;

/// What a pipeline is for.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) enum Purpose {
    /// Changes the weights of a model.
    Training,
    /// Measures a model.
    Evaluation,
    /// Puts documents where a model will look them up.
    Retrieval,
    /// Gets or prepares data.
    Data,
}

impl Purpose {
    /// The word used in reports.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Purpose::Training => "training",
            Purpose::Evaluation => "evaluation",
            Purpose::Retrieval => "retrieval",
            Purpose::Data => "data",
        }
    }
}

/// A pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) spot: Spot,
    pub(crate) purpose: Purpose,
    /// What tells it: a framework, a call, a package.
    pub(crate) by: &'static str,
    pub(crate) standing: Standing,
    /// The run under `runs` that names it.
    pub(crate) run: Option<String>,
    /// Remote datasets and models that it names.
    pub(crate) references: u64,
    pub(crate) missing: Vec<String>,
}

/// Frameworks whose configurations are pipelines.
const FRAMEWORKS: &[(&str, Purpose)] = &[
    ("axolotl", Purpose::Training),
    ("trl", Purpose::Training),
    ("alignment-handbook", Purpose::Training),
    ("open-instruct", Purpose::Training),
    ("llama-factory", Purpose::Training),
    ("torchtune", Purpose::Training),
    ("lm-eval", Purpose::Evaluation),
    ("lighteval", Purpose::Evaluation),
    ("mteb", Purpose::Evaluation),
    ("dvc", Purpose::Data),
];

/// Words of code that do one thing only, and what each is called in reports.
const SIGNS: &[(&str, Purpose, &str)] = &[
    ("Trainer(", Purpose::Training, "Trainer"),
    ("fine_tuning.jobs.create", Purpose::Training, "fine_tuning.jobs.create"),
    ("accelerate launch", Purpose::Training, "accelerate launch"),
    ("torchrun ", Purpose::Training, "torchrun"),
    ("deepspeed ", Purpose::Training, "deepspeed"),
    ("axolotl train", Purpose::Training, "axolotl train"),
    ("axolotl.cli.train", Purpose::Training, "axolotl train"),
    ("llamafactory-cli train", Purpose::Training, "llamafactory-cli train"),
    ("trl sft", Purpose::Training, "trl sft"),
    ("trl dpo", Purpose::Training, "trl dpo"),
    ("trl grpo", Purpose::Training, "trl grpo"),
    ("trl kto", Purpose::Training, "trl kto"),
    ("trl reward", Purpose::Training, "trl reward"),
    ("tune run", Purpose::Training, "tune run"),
    ("litgpt finetune", Purpose::Training, "litgpt finetune"),
    ("lm_eval", Purpose::Evaluation, "lm_eval"),
    ("lm-eval ", Purpose::Evaluation, "lm_eval"),
    ("lighteval ", Purpose::Evaluation, "lighteval"),
    ("evaluate.load(", Purpose::Evaluation, "evaluate.load"),
    ("mteb.MTEB(", Purpose::Evaluation, "mteb"),
    ("import inspect_ai", Purpose::Evaluation, "inspect_ai"),
    ("from inspect_ai", Purpose::Evaluation, "inspect_ai"),
    ("from ragas", Purpose::Evaluation, "ragas"),
    ("from deepeval", Purpose::Evaluation, "deepeval"),
    ("VectorStoreIndex", Purpose::Retrieval, "VectorStoreIndex"),
    ("SimpleDirectoryReader(", Purpose::Retrieval, "SimpleDirectoryReader"),
    (".from_documents(", Purpose::Retrieval, "from_documents"),
    (".add_documents(", Purpose::Retrieval, "add_documents"),
    ("import chromadb", Purpose::Retrieval, "chromadb"),
    ("from chromadb", Purpose::Retrieval, "chromadb"),
    ("import faiss", Purpose::Retrieval, "faiss"),
    ("import lancedb", Purpose::Retrieval, "lancedb"),
    ("from pinecone", Purpose::Retrieval, "pinecone"),
    ("from qdrant_client", Purpose::Retrieval, "qdrant_client"),
    ("import weaviate", Purpose::Retrieval, "weaviate"),
    ("from pymilvus", Purpose::Retrieval, "pymilvus"),
    ("import pgvector", Purpose::Retrieval, "pgvector"),
    ("from pgvector", Purpose::Retrieval, "pgvector"),
    (".add_faiss_index(", Purpose::Retrieval, "faiss"),
];

/// Whether files of this kind can be pipelines. What documentation shows is none.
pub(super) fn may_hold(kind: Kind) -> bool {
    matches!(kind, Kind::Python | Kind::Notebook | Kind::Shell | Kind::Yaml | Kind::JsonConfig | Kind::Toml)
}

/// The pipelines of one file: one for each purpose, at the first place that tells it.
pub(super) fn of_file<'r>(
    path: &BStr,
    text: &[u8],
    standing: Standing,
    references: impl Iterator<Item = &'r Reference>,
) -> Vec<Pipeline> {
    let mut found: BTreeMap<Purpose, (u64, &'static str)> = BTreeMap::new();
    for reference in references {
        if let Some((name, purpose)) = FRAMEWORKS.iter().find(|(name, _)| *name == reference.framework) {
            found.entry(*purpose).or_insert((1, name));
        }
    }
    for (number, line) in text.lines().enumerate() {
        let bare = line.trim_ascii_start();
        if bare.starts_with(b"#") || bare.starts_with(b"class ") {
            continue;
        }
        for (word, purpose, by) in SIGNS {
            if !found.contains_key(purpose) && holds(line, word.as_bytes()) {
                found.insert(*purpose, (number as u64 + 1, by));
            }
        }
    }
    found
        .into_iter()
        .map(|(purpose, (line, by))| Pipeline {
            spot: Spot { path: path.to_owned(), line },
            purpose,
            by,
            standing,
            run: None,
            references: 0,
            missing: Vec::new(),
        })
        .collect()
}

/// Whether a line holds a word that nothing hangs on in front: `trl sft` and not `ctrl sft`. The names of trainers end
/// in the word itself.
fn holds(line: &[u8], word: &[u8]) -> bool {
    let joins = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    line.find_iter(word).any(|at| {
        let free = at == 0 || !joins(line[at - 1]);
        free || word == b"Trainer(" && line[at - 1].is_ascii_alphanumeric() || word.starts_with(b".")
    })
}

/// The pipelines with what the rest of the repository says of them.
pub(super) fn joined(mut list: Vec<Pipeline>, references: &[Named], known: &Known<'_>) -> Vec<Pipeline> {
    let mut open: BTreeMap<&BStr, (u64, u64, u64)> = BTreeMap::new();
    for named in references {
        let remote = !matches!(named.reference.verdict, Verdict::Local | Verdict::NotADataset | Verdict::Dynamic);
        if remote {
            let (all, unpinned, unlisted) = open.entry(named.spot.path.as_ref()).or_default();
            *all += 1;
            *unpinned += u64::from(matches!(named.reference.verdict, Verdict::Unpinned | Verdict::Weak));
            *unlisted += u64::from(named.source.is_none());
        }
    }
    let indexed = known.policy.datasets.iter().any(|set| set.role.iter().any(|role| role == "rag"));
    for pipeline in &mut list {
        let (all, unpinned, unlisted) = open.get(pipeline.spot.path.as_bstr()).copied().unwrap_or_default();
        pipeline.references = all;
        pipeline.run = known
            .policy
            .runs
            .0
            .iter()
            .find(|(_, run)| run.config().is_some_and(|path| path.as_bytes() == &pipeline.spot.path[..]))
            .map(|(name, _)| name.value.clone());
        if pipeline.purpose == Purpose::Training && pipeline.run.is_none() {
            pipeline.missing.push("a run under `runs` that names it".to_owned());
        }
        if pipeline.purpose == Purpose::Retrieval && !indexed {
            pipeline.missing.push("a dataset with `role: [rag]`".to_owned());
        }
        for (count, what) in [(unpinned, "a pin"), (unlisted, "a source")] {
            if count > 0 {
                pipeline.missing.push(format!("{what} for {count} of {all} references"));
            }
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str) -> Vec<String> {
        of_file(path.into(), text.as_bytes(), Standing::Code, std::iter::empty())
            .iter()
            .map(|p| format!("{} {} {}", p.spot.line, p.purpose.as_str(), p.by))
            .collect()
    }

    #[test]
    fn code_is_told_by_what_it_calls() {
        assert_eq!(told("a.py", "from trl import SFTTrainer\nt = SFTTrainer(model)\n"), ["2 training Trainer"]);
        assert_eq!(told("a.py", "# t = SFTTrainer(model)\nclass MyTrainer(Trainer):\n    pass\n"), [""; 0]);
        assert_eq!(
            told("a.sh", "accelerate launch train.py\nlm_eval --tasks x\n"),
            ["1 training accelerate launch", "2 evaluation lm_eval"]
        );
        assert_eq!(told("a.py", "import chromadb\ndb.add_documents(docs)\n"), ["1 retrieval chromadb"]);
        assert_eq!(told("a.sh", "ctrl sft\nmy_lm_eval\n"), [""; 0]);
    }
}
