//! What git itself says of a repository is what these modules have to say of it.
//!
//! The repositories are built by the scripts in `fixtures/git`.

#![allow(clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use bstr::{BString, ByteSlice};

mod attributes;
mod environment;
mod history;
mod hostile;
mod large;

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

fn range(base: &str, head: &str) -> Scope {
    Scope::Range { base: base.to_owned(), head: head.to_owned() }
}

#[test]
fn a_range_is_what_git_shows_between_merge_base_and_head() {
    let fixture = Fixture::new("range.sh");
    for (base, head) in
        [("main", "feature"), ("feature", "main"), ("fork", "feature"), ("main", "main"), ("left", "twice")]
    {
        let dots = format!("{base}...{head}");
        let git = raw(&fixture.git(&[&["diff"], &RAW[..], &[&dots]].concat()));
        let snapshot = fixture.snapshot(&range(base, head));
        assert_eq!(told(&snapshot), git, "{dots}");
        let from = fixture.line(&["merge-base", base, head]);
        assert_eq!(snapshot.before.map(|id| id.to_string()), Some(from), "{dots}");
    }
}

#[test]
fn a_range_without_one_starting_point_is_refused() {
    let fixture = Fixture::new("range.sh");
    let repository = fixture.open();
    let refused = |base: &str, head: &str| repository.snapshot(&range(base, head), &[]).expect_err("refused");
    assert!(refused("left-merged", "right-merged").message.contains("at 2 different points"));
    assert!(refused("main", "unrelated").message.contains("no common history"));
    assert!(refused("main", "nowhere").message.contains("no such revision: nowhere"));
    assert!(refused("main", "HEAD:data/stays.csv").message.contains("names a file"));

    let shallow = Fixture::empty();
    let url = format!("file://{}", fixture.path().display());
    shallow.git(&["clone", "-q", "--depth=1", "--no-single-branch", &url, "."]);
    let error = shallow.open().snapshot(&range("origin/main", "origin/feature"), &[]).expect_err("refused");
    assert!(error.message.contains("history of this clone ends"), "{error}");
    assert!(error.help.expect("there is a way out").contains("--unshallow"));
}

#[test]
fn a_revision_holds_all_its_files() {
    let fixture = Fixture::new("range.sh");
    for revision in ["feature", "main~1", "twice", "HEAD^{tree}"] {
        let git: BTreeSet<BString> =
            words(&fixture.git(&["ls-tree", "-r", "-z", "--name-only", revision])).into_iter().collect();
        let snapshot = fixture.snapshot(&Scope::Revision(revision.to_owned()));
        assert_eq!(paths(snapshot.entries.iter()), git, "{revision}");
    }
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

#[test]
fn merge_bases_are_gits_even_where_dates_lie() {
    let fixture = Fixture::empty();
    fixture.git(&["init", "-q", "--bare", "."]);
    let mut dice = Dice(0x5eed);
    let count = 60u64;
    let mut import = String::new();
    for number in 1..=count {
        let date = 1_700_000_000 + dice.roll(100_000);
        import +=
            &format!("commit refs/heads/b{number}\nmark :{number}\ncommitter A <a@example.org> {date} +0000\ndata 0\n");
        let parents = if number == 1 { 0 } else { [1, 1, 2, 2, 2, 2, 3][dice.roll(7) as usize] };
        for parent in 0..parents {
            let word = if parent == 0 { "from" } else { "merge" };
            import += &format!("{word} :{}\n", number - 1 - dice.roll((number - 1).min(9)));
        }
        import += &format!("M 100644 inline f\ndata <<X\n{number}\nX\n\n");
    }
    let file = fixture.temporary.path().join("import");
    std::fs::write(&file, import).expect("the folder takes a file");
    run(fixture.command("sh").args(["-c", "git fast-import --quiet < ../import"]));
    let repository = fixture.open();
    let id = |number: u64| repository.resolve(&format!("b{number}")).expect("imported");
    let mut several = 0;
    for _ in 0..120 {
        let a = 9 + dice.roll(count - 9);
        let b = a - dice.roll(9);
        let output = fixture.command("git").args(["merge-base", "--all", &format!("b{a}"), &format!("b{b}")]).output();
        let git: BTreeSet<String> =
            output.expect("git runs").stdout.lines().map(|line| line.to_str_lossy().into_owned()).collect();
        let ours: BTreeSet<String> =
            repository.merge_bases(id(a), id(b)).best.iter().map(ToString::to_string).collect();
        several += usize::from(git.len() > 1);
        assert_eq!(ours, git, "b{a} and b{b}");
    }
    assert!(several > 5, "the dice made criss-cross merges");
}

#[test]
fn only_named_paths_are_listed_and_a_misspelt_one_is_refused() {
    let fixture = Fixture::new("range.sh");
    let repository = fixture.open();
    let list = |scope: &Scope, names: &[&str]| {
        let names: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
        repository.snapshot(scope, &names).map(|snapshot| paths(snapshot.entries.iter()))
    };
    let change = range("main", "feature");
    assert_eq!(list(&change, &["data/en"]), Ok(["data/en/train.csv".into()].into()));
    assert_eq!(list(&change, &["./src/../data/de/"]), Ok(["data/de/renamed.csv".into()].into()));
    assert_eq!(list(&change, &["data/stays.csv"]), Ok([].into()), "it exists and did not change");
    assert_eq!(list(&change, &["data/removed.csv"]), Ok(["data/removed.csv".into()].into()));
    let head = Scope::Revision("HEAD".to_owned());
    assert_eq!(list(&head, &["src", "data/link"]), Ok(["data/link".into(), "src/a.py".into()].into()));
    for scope in [change, head, Scope::Staged, Scope::Worktree] {
        let error = list(&scope, &["data/en", "data/misspelt.csv"]).expect_err("refused");
        assert_eq!(error.message, "data/misspelt.csv names nothing here", "{scope:?}");
        assert!(list(&scope, &["/etc/passwd"]).expect_err("refused").message.contains("outside the repository"));
        assert!(list(&scope, &[""]).is_ok());
    }
    std::fs::write(fixture.path().join(".git/info/exclude"), "ignored.csv\n").expect("it can be written");
    std::fs::write(fixture.path().join("ignored.csv"), "x\n").expect("it can be written");
    let named = list(&Scope::Worktree, &["ignored.csv"]);
    assert_eq!(named, Ok(["ignored.csv".into()].into()), "what a person names is read, ignored or not");
}
