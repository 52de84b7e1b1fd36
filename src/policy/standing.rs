//! What a path alone says of a file: where it stands in the life of a model, and which split it is.
//!
//! A dataset repository has its `data/test/` next to the tests of its code, so words that mean both are read by what
//! kind of file they stand over.

use bstr::{BStr, ByteSlice};

use crate::lens::Standing;

/// Where the file at `path` stands. `declared` says that a dataset of the policy covers it.
pub(crate) fn standing(path: &BStr, declared: bool) -> Standing {
    if declared {
        return Standing::Training;
    }
    let lower = path.to_ascii_lowercase();
    let parts: Vec<&[u8]> = lower.split_str("/").collect();
    let (name, folders) = parts.split_last().map_or((&b""[..], &[][..]), |(name, folders)| (*name, folders));
    if is_ci(&lower, name) {
        return Standing::Ci;
    }
    let data = ends(name, DATA) || is_compressed_data(name);
    if is_test(name, folders, data) {
        return Standing::Test;
    }
    if folders.iter().any(|f| matches!(*f, b"docs" | b"doc" | b"documentation")) && !data
        || ends(name, DOCS)
        || [&b"readme"[..], b"changelog", b"license", b"licence", b"contributing"]
            .iter()
            .any(|word| name.starts_with(word))
    {
        return Standing::Docs;
    }
    if data || ends(name, CONFIG) || parts.iter().any(|part| words(part).any(|word| TRAINING.contains(&word))) {
        return Standing::Training;
    }
    Standing::Code
}

const DATA: &[&str] = &[".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".arrow", ".feather", ".conllu", ".conll"];
const CONFIG: &[&str] = &[".yaml", ".yml", ".json", ".toml"];
const DOCS: &[&str] = &[".md", ".markdown", ".rst", ".adoc"];
const TRAINING: &[&[u8]] = &[
    b"train",
    b"training",
    b"trainer",
    b"finetune",
    b"finetuning",
    b"pretrain",
    b"sft",
    b"dpo",
    b"ppo",
    b"grpo",
    b"kto",
    b"orpo",
    b"rlhf",
    b"lora",
    b"qlora",
    b"eval",
    b"evals",
    b"evaluate",
    b"evaluation",
    b"recipes",
];

fn ends(name: &[u8], endings: &[&str]) -> bool {
    endings.iter().any(|ending| name.ends_with(ending.as_bytes()))
}

fn is_compressed_data(name: &[u8]) -> bool {
    [&b".gz"[..], b".zst", b".zstd"]
        .iter()
        .any(|ending| name.strip_suffix(*ending).is_some_and(|stem| ends(stem, DATA) || ends(stem, &[".json", ".txt"])))
}

fn is_ci(path: &[u8], name: &[u8]) -> bool {
    [
        ".github/workflows/",
        ".github/actions/",
        ".gitlab/",
        ".circleci/",
        ".buildkite/",
        ".ci/",
        ".woodpecker/",
        ".forgejo/",
        ".gitea/",
    ]
    .iter()
    .any(|folder| path.starts_with(folder.as_bytes()))
        || matches!(
            name,
            b".gitlab-ci.yml"
                | b".travis.yml"
                | b".drone.yml"
                | b"jenkinsfile"
                | b"action.yml"
                | b"action.yaml"
                | b"azure-pipelines.yml"
                | b"bitbucket-pipelines.yml"
                | b"appveyor.yml"
                | b".pre-commit-config.yaml"
        )
}

fn is_test(name: &[u8], folders: &[&[u8]], data: bool) -> bool {
    folders.iter().any(|folder| match *folder {
        b"tests" | b"__tests__" | b"testdata" | b"test_data" | b"fixtures" | b"spec" | b"specs" => true,
        // Next to code `test` holds tests; next to data it is a split.
        b"test" | b"testing" => !data,
        _ => false,
    }) || !data
        && (name.starts_with(b"test_")
            || name == b"conftest.py"
            || name
                .rfind_byte(b'.')
                .is_some_and(|dot| name[..dot].ends_with(b"_test") || name[..dot].ends_with(b".test")))
}

/// The split that the innermost folder or the file name names: a word between characters that belong to no word, as
/// the hubs read it.
pub(crate) fn split(path: &BStr) -> Option<&'static str> {
    path.rsplit_str("/").find_map(|part| {
        let lower = part.to_ascii_lowercase();
        words(&lower).find_map(|word| match word {
            b"train" | b"training" => Some("train"),
            b"validation" | b"valid" | b"val" | b"dev" => Some("validation"),
            b"test" | b"testing" | b"eval" | b"evaluation" => Some("test"),
            _ => None,
        })
    })
}

fn words(part: &[u8]) -> impl Iterator<Item = &[u8]> {
    part.split(|b| !b.is_ascii_alphabetic()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standing_of_usual_paths() {
        for (path, expected) in [
            ("data/train.jsonl", Standing::Training),
            ("data/test/part-0.csv", Standing::Training),
            ("data/train-00000-of-00002.parquet", Standing::Training),
            ("data/train.jsonl.gz", Standing::Training),
            ("configs/sft.yaml", Standing::Training),
            ("scripts/train.py", Standing::Training),
            ("examples/dpo_llama.py", Standing::Training),
            ("src/model.py", Standing::Code),
            (".github/workflows/train.yml", Standing::Ci),
            (".gitlab-ci.yml", Standing::Ci),
            ("docs/datasets.md", Standing::Docs),
            ("docs/conf.py", Standing::Docs),
            ("README.md", Standing::Docs),
            ("tests/test_load.py", Standing::Test),
            ("test/load.py", Standing::Test),
            ("pkg/load_test.go", Standing::Test),
            ("tests/fixtures/rows.jsonl", Standing::Test),
            ("", Standing::Code),
        ] {
            assert_eq!(standing(path.into(), false), expected, "{path}");
        }
        assert_eq!(standing("docs/corpus/page.md".into(), true), Standing::Training, "a declared dataset is data");
    }

    #[test]
    fn the_split_is_a_whole_word_of_the_innermost_part_that_has_one() {
        for (path, expected) in [
            ("data/train.jsonl", Some("train")),
            ("data/train/dev-00000.parquet", Some("validation")),
            ("data/test/part-0.csv", Some("test")),
            ("data/my_valid_set.csv", Some("validation")),
            ("data/training-data.csv", Some("train")),
            ("data/trainer.csv", None),
            ("data/contest.csv", None),
            ("latest/rows.csv", None),
        ] {
            assert_eq!(split(path.into()), expected, "{path}");
        }
    }
}
