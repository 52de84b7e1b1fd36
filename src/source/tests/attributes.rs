//! What `git check-attr` says of `filter` is what the attributes say of git LFS.

use super::*;

/// What git says of these paths: whether `filter` is `lfs`.
fn git(fixture: &Fixture, paths: &[&str]) -> Vec<bool> {
    let mut command = fixture.command("git");
    command.args(["check-attr", "-z", "filter", "--"]).args(paths);
    let words = words(&run(&mut command));
    assert_eq!(words.len(), 3 * paths.len(), "path, attribute and state of each");
    words.chunks(3).map(|three| three[2] == "lfs").collect()
}

fn entries(paths: &[&str]) -> Vec<Entry> {
    let entry =
        |path: &&str| Entry { path: (*path).into(), mode: Mode::File, content: None, before: None, unchanged: false };
    paths.iter().map(entry).collect()
}

fn ours(fixture: &Fixture, scope: &Scope, paths: &[&str]) -> Vec<bool> {
    let (attributes, unread) = fixture.open().attributes(scope, &entries(paths)).expect("the repository is sound");
    assert!(unread.is_empty(), "{unread:?}");
    paths.iter().map(|path| attributes.asks_lfs((*path).into())).collect()
}

const PATHS: [&str; 14] = [
    "a.csv",
    "A.CSV",
    "data/a.csv",
    "data/deep/a.csv",
    "data/deep/b.jsonl",
    "data/x y.csv",
    "data/[a].csv",
    "data/\u{e4}.csv",
    "train/data/a.csv",
    "data",
    "datas/a.csv",
    "!a.csv",
    "#a.csv",
    "data/deep/lfs",
];

#[test]
fn every_form_of_a_line_means_what_it_means_to_git() {
    let fixture = Fixture::empty();
    fixture.git(&["init", "-q", "."]);
    let long = format!("{}a.csv filter=lfs", " ".repeat(3000));
    let wide = format!("*.csv filter=lfs {}", "x".repeat(2100));
    let texts: &[&str] = &[
        "*.csv filter=lfs diff=lfs merge=lfs -text",
        "*.csv filter=lfs\n*.csv -filter",
        "*.csv filter=lfs\ndata/*.csv !filter",
        "*.csv filter=lfs\na.csv filter=other",
        "a.csv filter=other\n*.csv filter=lfs",
        "/a.csv filter=lfs",
        "data/a.csv filter=lfs",
        "deep/a.csv filter=lfs",
        "data/** filter=lfs",
        "**/data/*.csv filter=lfs",
        "data/**/a.csv filter=lfs",
        "data/ filter=lfs",
        "data filter=lfs",
        "data/* filter=lfs",
        "*a.csv filter=lfs",
        "[aA].csv filter=lfs",
        "data/\\[a\\].csv filter=lfs",
        "?.csv filter=lfs",
        "\"data/x y.csv\" filter=lfs",
        "\"data/\\303\\244.csv\" filter=lfs",
        "\"a.csv filter=lfs",
        "data/x\\ y.csv filter=lfs",
        "  \t*.csv\t filter=lfs",
        "*.csv filter=lfs\r\n*.jsonl filter=lfs\r\n",
        "\u{feff}*.csv filter=lfs",
        "# *.csv filter=lfs\n#a.csv filter=lfs",
        "\\#a.csv filter=lfs",
        "!a.csv filter=lfs",
        "\\!a.csv filter=lfs",
        "*.csv filter=LFS",
        "*.csv filter = lfs",
        "*.csv filter=lfs filter=other",
        "*.csv filter=other filter=lfs",
        "*.csv filter=lfs -filter",
        "*.csv -filter=lfs",
        "*.csv !filter=lfs",
        "[attr]big filter=lfs -text\n*.csv big",
        "*.csv big\n[attr]big filter=lfs",
        "[attr]big filter=lfs\n*.csv big\na.csv -big",
        "[attr]big filter=lfs\n*.csv big\na.csv !filter",
        "[attr]big filter=lfs\n*.csv big=yes",
        "[attr]big filter=lfs\n[attr]big text\n*.csv big",
        "[attr]a b\n[attr]b filter=lfs\n*.csv a",
        "[attr]a b\n[attr]b a filter=lfs\n*.csv a",
        "[attr]a a\n*.csv a",
        "[attr]big filter=lfs\n*.csv big -filter",
        "[attr]big filter=lfs\n*.csv -filter big",
        "* filter=lfs\n*.csv binary",
        "* filter=lfs\n.gitattributes !filter",
        "lfs filter=lfs\n",
        "",
        "filter=lfs",
        &long,
        &wide,
    ];
    for text in texts {
        std::fs::write(fixture.path().join(".gitattributes"), text).expect("it can be written");
        assert_eq!(ours(&fixture, &Scope::Worktree, &PATHS), git(&fixture, &PATHS), "{text:?} for {PATHS:?}");
    }
}

#[test]
fn the_nearest_file_has_the_word_and_only_the_top_defines_macros() {
    let fixture = Fixture::empty();
    fixture.git(&["init", "-q", "."]);
    let write = |path: &str, text: &str| {
        let path = fixture.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("it can be made");
        std::fs::write(path, text).expect("it can be written");
    };
    write(".gitattributes", "*.csv filter=lfs\n[attr]big filter=lfs\n");
    write("data/.gitattributes", "a.csv -filter\n[attr]wide filter=lfs\n*.jsonl wide\n/x* filter=other\n");
    write("data/deep/.gitattributes", "*.jsonl big\na.csv text\n");
    let git_says = git(&fixture, &PATHS);
    assert!(git_says.contains(&true) && git_says.contains(&false));
    assert_eq!(ours(&fixture, &Scope::Worktree, &PATHS), git_says);
    // Staged and committed they say the same; what is on disk then no longer counts.
    fixture.git(&["add", "-A"]);
    fixture.git(&["commit", "-qm", "attributes"]);
    write(".gitattributes", "");
    assert_eq!(ours(&fixture, &Scope::Index, &PATHS), git_says);
    assert_eq!(ours(&fixture, &Scope::Revision("HEAD".into()), &PATHS), git_says);
    assert_ne!(ours(&fixture, &Scope::Worktree, &PATHS), git_says);
}

#[test]
fn names_fold_where_the_repository_folds_them() {
    let fixture = Fixture::empty();
    fixture.git(&["init", "-q", "."]);
    fixture.git(&["config", "core.ignoreCase", "true"]);
    for text in ["*.CSV filter=lfs", "A.csv filter=lfs", "Data/a.CSV filter=lfs"] {
        std::fs::write(fixture.path().join(".gitattributes"), text).expect("it can be written");
        assert_eq!(ours(&fixture, &Scope::Worktree, &PATHS), git(&fixture, &PATHS), "{text:?}");
    }
}

#[test]
fn files_that_are_made_to_be_slow_are_unread() {
    let fixture = Fixture::empty();
    fixture.git(&["init", "-q", "."]);
    let list: Vec<String> = (0..2000).map(|n| format!("data/{n}.csv")).collect();
    let paths: Vec<&str> = list.iter().map(String::as_str).collect();
    for text in [format!("{} filter=lfs\n", "*a".repeat(40)), "?.csv filter=lfs\n".repeat(60_000)] {
        std::fs::write(fixture.path().join(".gitattributes"), text).expect("it can be written");
        let (_, unread) = fixture.open().attributes(&Scope::Worktree, &entries(&paths)).expect("sound");
        assert_eq!(unread.len(), 1);
        assert_eq!(unread[0].path, ".gitattributes");
    }
    // A line for each of many files is honest, and found at once.
    let text: String = list.iter().map(|path| format!("{path} filter=lfs\n")).collect();
    std::fs::write(fixture.path().join(".gitattributes"), text.repeat(50)).expect("it can be written");
    assert_eq!(ours(&fixture, &Scope::Worktree, &paths), vec![true; paths.len()]);
}
