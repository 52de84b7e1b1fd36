//! What git itself says of a repository is what these modules have to say of it.
//!
//! The repositories are built by the scripts in `fixtures/git`.

#![allow(clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use bstr::{BString, ByteSlice};

use super::*;

/// A repository in a temporary folder, with a home of its own.
struct Fixture {
    temporary: tempfile::TempDir,
}

impl Fixture {
    fn empty() -> Self {
        let temporary = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::create_dir(temporary.path().join("repository")).expect("an empty folder takes another");
        std::fs::write(temporary.path().join("gitconfig"), "").expect("an empty folder takes a file");
        Self { temporary }
    }

    fn new(script: &str) -> Self {
        Self::with(script, &[])
    }

    fn with(script: &str, env: &[(&str, &str)]) -> Self {
        let fixture = Self::empty();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/git").join(script);
        let mut command = fixture.command("sh");
        command.arg(script).envs(env.iter().copied());
        run(&mut command);
        fixture
    }

    fn path(&self) -> PathBuf {
        self.temporary.path().join("repository")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path()).env_clear().envs([
            ("PATH", std::env::var_os("PATH").unwrap_or_default()),
            ("HOME", self.temporary.path().into()),
            ("GIT_CONFIG_GLOBAL", self.temporary.path().join("gitconfig").into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("LC_ALL", "C".into()),
        ]);
        for (name, value) in [
            ("GIT_AUTHOR_NAME", "Ada"),
            ("GIT_AUTHOR_EMAIL", "ada@example.org"),
            ("GIT_COMMITTER_NAME", "Ada"),
            ("GIT_COMMITTER_EMAIL", "ada@example.org"),
            ("GIT_AUTHOR_DATE", "1700000000 +0100"),
            ("GIT_COMMITTER_DATE", "1700000000 +0100"),
        ] {
            command.env(name, value);
        }
        command
    }

    fn git(&self, args: &[&str]) -> Vec<u8> {
        run(self.command("git").args(args))
    }

    fn line(&self, args: &[&str]) -> String {
        self.git(args).trim().to_str().expect("an id is ASCII").to_owned()
    }

    fn open(&self) -> Repository {
        self.open_with(&Environment::default())
    }

    fn open_with(&self, env: &Environment) -> Repository {
        Repository::discover(&self.path(), env).expect("the repository is sound").expect("there is one")
    }

    fn snapshot(&self, scope: &Scope) -> Snapshot {
        self.open().snapshot(scope, &[]).expect("the scope can be listed")
    }
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().expect("sh and git are installed");
    assert!(output.status.success(), "{command:?}: {}", output.stderr.as_bstr());
    output.stdout
}

/// The words between NUL bytes.
fn words(bytes: &[u8]) -> Vec<BString> {
    bytes.split_str("\0").filter(|word| !word.is_empty()).map(BString::from).collect()
}

/// The lines of `git diff --raw -z`, one string each.
fn raw(bytes: &[u8]) -> BTreeSet<BString> {
    let mut lines = BTreeSet::new();
    let mut words = words(bytes).into_iter();
    while let Some(head) = words.next() {
        let path = words.next().expect("a path follows");
        let mut line = head.clone();
        line.push(b' ');
        line.extend_from_slice(&path);
        if head.contains(&b'R') {
            line.push(b' ');
            line.extend_from_slice(&words.next().expect("a second path follows"));
        }
        lines.insert(line);
    }
    lines
}

/// A snapshot in the words of `git diff --raw`.
fn told(snapshot: &Snapshot) -> BTreeSet<BString> {
    let mut lines = BTreeSet::new();
    for entry in &snapshot.entries {
        let mode = |mode: Mode| match mode {
            Mode::File => "100644",
            Mode::Executable => "100755",
            Mode::Link => "120000",
            Mode::Submodule => "160000",
            Mode::Other => "000000",
        };
        let new = match &entry.content {
            Some(Content::Object(id)) => Some((entry.mode, *id)),
            None => None,
            Some(Content::File(path)) => panic!("{} is not in the object database", path.display()),
        };
        let old = entry.before.as_ref().map(|before| (before.mode, before.id));
        let any = old.or(new).expect("an entry has a side").1;
        let null = ObjectId::null(any.kind());
        let class = |mode: Mode| matches!(mode, Mode::File | Mode::Executable).then_some(()).ok_or(mode);
        let renamed = entry.before.as_ref().filter(|before| before.path != entry.path);
        let status = match (old, new) {
            (None, _) => "A",
            (_, None) => "D",
            (Some(_), Some(_)) if renamed.is_some() => "R100",
            (Some((a, _)), Some((b, _))) if class(a) != class(b) => "T",
            _ => "M",
        };
        let (old_mode, old_id) = old.map_or(("000000", null), |(m, id)| (mode(m), id));
        let (new_mode, new_id) = new.map_or(("000000", null), |(m, id)| (mode(m), id));
        let mut line = BString::from(format!(":{old_mode} {new_mode} {old_id} {new_id} {status} "));
        if let Some(before) = renamed {
            line.extend_from_slice(&before.path);
            line.push(b' ');
        }
        line.extend_from_slice(&entry.path);
        lines.insert(line);
    }
    assert_eq!(lines.len(), snapshot.entries.len(), "no entry is told twice");
    assert!(snapshot.entries.is_sorted_by(|a, b| a.path < b.path), "entries are sorted bytewise");
    lines
}

const RAW: [&str; 6] = ["--raw", "-z", "-M100%", "--no-abbrev", "--no-ext-diff", "--ignore-submodules=none"];

#[test]
fn what_is_staged_is_what_git_says_is_staged() {
    for format in ["sha1", "sha256"] {
        let fixture = Fixture::with("staged.sh", &[("OBJECT_FORMAT", format)]);
        let git = raw(&fixture.git(&[&["diff", "--cached"], &RAW[..]].concat()));
        assert!(git.len() > 15, "the fixture holds many kinds of changes");
        assert_eq!(told(&fixture.snapshot(&Scope::Staged)), git, "{format}");
        // The trees that the index remembers must not matter for what is found, only for what it costs.
        fixture.git(&["write-tree"]);
        assert_eq!(told(&fixture.snapshot(&Scope::Staged)), git, "{format}, with the trees of the index known");
    }
}

fn paths<'a>(entries: impl Iterator<Item = &'a Entry>) -> BTreeSet<BString> {
    entries.map(|entry| entry.path.clone()).collect()
}

#[test]
fn the_work_tree_holds_what_git_lists() {
    let fixture = Fixture::new("worktree.sh");
    let snapshot = fixture.snapshot(&Scope::Worktree);
    let tracked: BTreeSet<BString> = words(&fixture.git(&["ls-files", "-z"])).into_iter().collect();
    let untracked: BTreeSet<BString> = words(&fixture.git(&["ls-files", "-z", "--others", "--exclude-standard"]))
        .into_iter()
        .filter(|path| !path.ends_with(b"/"))
        .collect();
    let ours = paths(snapshot.entries.iter().filter(|e| !tracked.contains(&e.path) && e.content.is_some()));
    let devices: BTreeSet<BString> = ["data/pipe".into()].into();
    assert_eq!(&ours - &devices, untracked);
    assert_eq!(snapshot.notes, ["nested is a repository of its own and was not entered"]);

    let find = |path: &str| snapshot.entries.iter().find(|entry| entry.path == path);
    let entry = |path: &str| find(path).unwrap_or_else(|| panic!("{path} is listed"));
    assert!(entry("data/gone.csv").content.is_none(), "removed from disk");
    assert!(entry("linked/in.csv").content.is_none(), "what lies behind a link is not the repository's");
    assert_eq!(entry("linked").mode, Mode::Link);
    assert_eq!(entry("data/link.csv").mode, Mode::Link);
    assert_eq!(entry("data/pipe").mode, Mode::Other);
    assert!(snapshot.unread.iter().any(|unread| unread.path == "data/pipe"), "a pipe is not read");
    assert!(
        matches!(entry("data/skipped.csv").content, Some(Content::Object(_))),
        "a skipped file comes from the index"
    );
    assert!(matches!(entry("data/assumed.csv").content, Some(Content::File(_))), "a hidden file is read from disk");
    assert!(!entry("data/assumed.csv").unchanged, "a hidden change is a change");
    assert!(entry("data/removed-from-index.csv").before.is_some(), "HEAD still has it");
    assert!(entry("data/removed-from-index.csv").content.is_some(), "and so has the disk");
    assert!(entry("data/replaced-by-folder").content.is_none());
    assert!(find("data/fleeting.csv").is_none(), "neither in HEAD nor on disk");
    assert_eq!(entry("data/moved.csv").before.as_ref().map(|b| b.path.clone()), Some("data/a.csv".into()));
    assert!(find("data/a.csv").is_none(), "told as a rename");
    assert!(snapshot.ignored > 0);
}

#[test]
fn an_untouched_file_is_known_to_be_unchanged_and_a_touched_one_is_not() {
    let fixture = Fixture::new("worktree.sh");
    // What was written in the same moment as the index could have changed unseen; git calls it racy.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    fixture.git(&["update-index", "-q", "--really-refresh"]);
    let snapshot = fixture.snapshot(&Scope::Worktree);
    let unchanged = paths(snapshot.entries.iter().filter(|entry| entry.unchanged));
    assert!(unchanged.contains(".gitignore".as_bytes().as_bstr()));
    assert!(unchanged.contains("data/raw/keep.csv".as_bytes().as_bstr()));
    assert!(!unchanged.contains("data/b.csv".as_bytes().as_bstr()));
    assert!(!unchanged.contains("data/assumed.csv".as_bytes().as_bstr()));
}

#[test]
fn ignored_files_are_found_when_they_are_wanted() {
    let fixture = Fixture::new("worktree.sh");
    let wanted = fixture.open().ignored(&|path| path.ends_with(b".csv")).expect("the index is sound");
    let git: BTreeSet<BString> =
        words(&fixture.git(&["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "*.csv"]))
            .into_iter()
            .collect();
    assert_eq!(paths(wanted.iter()), git);
}
