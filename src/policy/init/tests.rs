use proptest::prelude::*;

use super::*;
use crate::policy::tests::{day, known, parse};

fn data(path: &str, fields: &[(&str, Role)]) -> Data {
    Data {
        path: path.into(),
        shape: if fields.is_empty() { "" } else { "classification table" },
        fields: fields.iter().map(|(name, role)| ((*name).to_owned(), *role)).collect(),
        support: if fields.is_empty() { (0, 0) } else { (500, 500) },
        records: 1000,
    }
}

const TABLE: &[(&str, Role)] = &[("text", Role::Text), ("intent", Role::Label), ("extra", Role::Other)];

fn named(hub: &str, target: &str, unpinned: bool) -> Named {
    Named { hub: hub.into(), target: target.into(), model: false, unpinned }
}

fn run(data: Vec<Data>, named: Vec<Named>) -> (Plan, Policy) {
    let plan = plan(&Seen { data, named, ..Seen::default() }, day(), &known());
    let policy = parse(&plan.files[0].1).unwrap();
    assert!(!plan.told.iter().any(|line| line.contains("could not be written")), "{:?}", plan.told);
    (plan, policy)
}

#[test]
fn a_usual_repository_gets_a_policy_that_reads_well() {
    let seen = Seen {
        licences: Vec::new(),
        data: vec![
            data("data/intents/train.jsonl", TABLE),
            data("data/intents/dev.jsonl", TABLE),
            data("corpus.txt", &[]),
        ],
        named: vec![
            named("huggingface", "rajpurkar/squad", true),
            named("url", "https://example.org/sets/a.csv?x=1", false),
        ],
        default_branch: Some("trunk".into()),
        workflow: "# Copy this.\nname: foretaste\non:\n  push:\n    branches: [main]\n",
        attributes: Some("*.bin binary".into()),
    };
    let plan = plan(&seen, day(), &known());
    let files: Vec<&str> = plan.files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(files, ["foretaste.yaml", ".github/workflows/foretaste.yml", ".gitattributes"]);
    assert_eq!(plan.files[0].1, include_str!("usual.yaml"));
    assert_eq!(
        plan.files[1].1,
        "# Judges the training data of every pull request by the policy of its base branch.\nname: foretaste\non:\n  push:\n    branches: [\"trunk\"]\n"
    );
    assert_eq!(
        plan.files[2].1,
        "*.bin binary\nforetaste.yaml -text\nforetaste.lock* -text\nforetaste.baseline -text\n"
    );
    assert_eq!(
        plan.told,
        [
            "dataset `corpus`: 1 file, 1000 records, no fields guessed",
            "dataset `intents`: 2 files, 2000 records, classification table",
            "2 sources are listed under `sources`, as code and configuration name them; anything else is denied from now on",
            "1 reference names no fixed revision; `unpinned-reference` is lowered to a warning until it is pinned",
        ]
    );
}

#[test]
fn nothing_found_is_a_policy_too() {
    let (plan, policy) = run(Vec::new(), Vec::new());
    assert!(policy.datasets.is_empty() && policy.sources.is_empty() && policy.rules.is_empty());
    assert!(plan.files[0].1.contains("# No data was recognised."));
}

#[test]
fn splits_in_folders_are_one_dataset_and_a_lone_split_keeps_its_folder() {
    let both = vec![data("data/train/a.csv", TABLE), data("data/test/a.csv", TABLE)];
    assert_eq!(run(both, Vec::new()).1.datasets[0].patterns, ["data/*/*.csv"]);
    let lone = vec![data("data/train/a.csv", TABLE), data("data/train/b.csv", TABLE)];
    assert_eq!(run(lone, Vec::new()).1.datasets[0].patterns, ["data/train/*.csv"]);
}

#[test]
fn files_of_different_fields_do_not_fall_under_each_others_globs() {
    let other: &[(&str, Role)] = &[("review", Role::Text), ("stars", Role::Label)];
    let (_, policy) =
        run(vec![data("data/a.csv", TABLE), data("data/b.csv", other), data("data/c.csv", TABLE)], Vec::new());
    let patterns: Vec<&[String]> = policy.datasets.iter().map(|d| d.patterns.as_slice()).collect();
    let [pair, one] = patterns.as_slice() else { panic!("{patterns:?}") };
    assert_eq!(
        (*pair, *one),
        (&["data/a.csv".to_owned(), "data/c.csv".to_owned()][..], &["data/b.csv".to_owned()][..])
    );
    let names: Vec<&str> = policy.datasets.iter().map(|d| &*d.name).collect();
    assert_eq!(names.len(), 2);
    assert_ne!(names[0], names[1]);
}

#[test]
fn every_dataset_has_a_source_and_every_kind_of_reference_is_listed() {
    let (_, policy) = run(
        vec![data("data/a.jsonl.gz", TABLE)],
        vec![
            named("huggingface", "org/set", false),
            Named { model: true, ..named("huggingface", "org/set", false) },
            named("github", "https://raw.githubusercontent.com/o/r/main/x.csv", false),
            named("git", "git@git.example.org:team/data.git", false),
            named("s3", "s3://bucket/pre/x.csv", false),
            named("gcs", "gs://bucket2/x.csv", false),
            named("url", "https://example.org/x.csv", false),
            named("huggingface", "{org}/templated", false),
        ],
    );
    assert_eq!(policy.datasets[0].source.as_deref(), Some("this-repository"));
    let written: Vec<String> = policy.sources.iter().flat_map(|s| s.written.clone()).collect();
    assert_eq!(
        written,
        [
            "data/*.jsonl.gz",
            "git@git.example.org:team/data.git",
            "https://github.com/o/r",
            "huggingface:org/set",
            "huggingface:org/set",
            "bucket/pre/",
            "bucket2/",
            "https://example.org/x.csv",
        ]
    );
    assert!(policy.sources.iter().filter(|s| s.pin.is_some()).count() == 2);
}

#[test]
fn only_unpinned_references_lower_the_rule_and_nothing_else_is_ever_excused() {
    let (_, policy) = run(vec![data("data/a.csv", TABLE)], vec![named("huggingface", "org/set", true)]);
    assert_eq!(policy.rules.iter().map(|r| r.rule.as_str()).collect::<Vec<_>>(), ["unpinned-reference"]);
    assert!(policy.exceptions.is_empty() && policy.excluded.is_empty());
    let (_, policy) = run(vec![data("data/a.csv", TABLE)], vec![named("huggingface", "org/set", false)]);
    assert!(policy.rules.is_empty());
}

#[test]
fn attributes_that_are_there_are_left_alone() {
    let text = with_attributes("").unwrap();
    assert_eq!(with_attributes(&text), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_was_seen_the_policy_can_be_read_and_covers_every_file_with_its_own_fields(
        files in prop::collection::btree_map("(data|train|a b|\\[x\\]|ü|\\*|'|\"|#)(/(train|test|x|\\{y\\}|!))?/[a-c]{1,2}\\.(csv|jsonl|txt|csv\\.gz)", 0u8..3, 0..10),
        refs in prop::collection::vec(("(huggingface|url|s3|git|github|odd hub|)", "\\PC{0,12}|https?://[a-c@:/?#.]{0,12}|[a-c]/[a-c]", any::<bool>()), 0..6),
    ) {
        let shapes: [&[(&str, Role)]; 3] = [TABLE, &[("null", Role::Label), ("a b[].c", Role::Text), ("é", Role::Id)], &[]];
        let list: Vec<Data> = files.iter().map(|(path, shape)| data(path, shapes[usize::from(*shape)])).collect();
        let named = refs.iter().map(|(hub, target, unpinned)| named(hub, target, *unpinned)).collect();
        let (_, policy) = run(list.clone(), named);
        for file in &list {
            let lens = policy.lens(file.path.as_ref());
            prop_assert!(lens.dataset.is_some(), "{}", file.path);
            let mut fields = lens.roles.map(|roles| roles.fields).unwrap_or_default();
            fields.sort();
            let mut own: Vec<_> = file.fields.iter().filter(|(_, r)| *r != Role::Other).cloned().collect();
            own.sort();
            prop_assert_eq!(fields, own);
        }
        prop_assert!(policy.exceptions.is_empty() && policy.excluded.is_empty());
    }
}

#[test]
fn what_a_card_says_of_the_licence_is_written_down_to_be_looked_up() {
    let plan_of = |licences: &[(&str, &str)]| {
        let licences = licences.iter().map(|(card, licence)| ((*card).into(), (*licence).to_owned())).collect();
        let seen = Seen { data: vec![data("data/a.csv", TABLE)], licences, ..Seen::default() };
        plan(&seen, day(), &known())
    };
    let licence = |plan: &Plan| {
        let policy = parse(&plan.files[0].1).expect("it can be read");
        policy.sources[0].licence.clone()
    };
    let one = plan_of(&[("README.md", "cc-by-4.0"), ("croissant.json", "cc-by-4.0")]);
    assert_eq!(licence(&one).as_deref(), Some("cc-by-4.0"));
    assert!(one.files[0].1.contains("# as README.md says"), "{}", one.files[0].1);
    let two = plan_of(&[("README.md", "cc-by-4.0"), ("croissant.json", "mit")]);
    assert_eq!(licence(&two), None);
    assert!(two.told.iter().any(|sentence| sentence.contains("2 licences")), "{:?}", two.told);
    assert_eq!(licence(&plan_of(&[("a\nb/README.md", "all rights reserved, ask")])), None);
}
