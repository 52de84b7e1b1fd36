//! Repositories in all the places where git and its hooks find them.

use super::*;

fn staged(repository: &Repository) -> BTreeSet<BString> {
    told(&repository.snapshot(&Scope::Staged, &[]).expect("the index is sound"))
}

fn git_staged(command: &mut Command) -> BTreeSet<BString> {
    raw(&run(command.args(["diff", "--cached"]).args(RAW)))
}

#[test]
fn a_folder_outside_of_any_repository_has_none() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let found = Repository::discover(folder.path(), &Environment::default()).expect("nothing is wrong");
    assert!(found.is_none());
    let source = Source::discover(folder.path(), &Environment::default()).expect("nothing is wrong");
    let error = source.snapshot(&Scope::Worktree, &[]).expect_err("there is no work tree");
    assert_eq!(error.message, "this folder is in no git repository");
}

#[test]
fn a_repository_without_a_commit_is_compared_with_nothing() {
    let fixture = Fixture::empty();
    fixture.git(&["init", "-q", "."]);
    assert_eq!(staged(&fixture.open()), BTreeSet::new(), "without an index");
    std::fs::write(fixture.path().join("a.csv"), "a\n").expect("it can be written");
    fixture.git(&["add", "-A"]);
    let repository = fixture.open();
    assert_eq!(repository.head(), Ok(None));
    assert_eq!(staged(&repository), git_staged(&mut fixture.command("git")));
    assert_eq!(staged(&repository).len(), 1);
    assert_eq!(repository.trusted(&Scope::Staged), Ok(Trusted { from: "head", commit: None }));
    let worktree = fixture.snapshot(&Scope::Worktree);
    assert_eq!(worktree.entries.len(), 1);
    assert!(worktree.entries[0].before.is_none());
}

#[test]
fn folders_inside_and_links_to_a_repository_lead_to_it() {
    let fixture = Fixture::new("staged.sh");
    let git = git_staged(&mut fixture.command("git"));
    let inside = fixture.path().join("data/deep");
    let repository = Repository::discover(&inside, &Environment::default()).expect("sound").expect("found");
    assert_eq!(staged(&repository), git);
    let named = repository.snapshot(&Scope::Staged, &["../twin.csv".into()]).expect("it is there");
    assert_eq!(paths(named.entries.iter()), ["data/twin.csv".into()].into(), "relative to where we are");

    let link = fixture.temporary.path().join("link");
    std::os::unix::fs::symlink(fixture.path(), &link).expect("a link can be made");
    let repository = Repository::discover(&link, &Environment::default()).expect("sound").expect("found");
    assert_eq!(staged(&repository), git);
    let named = repository.snapshot(&Scope::Staged, &[link.join("data/twin.csv")]).expect("it is there");
    assert_eq!(named.entries.len(), 1, "a path through the link is the same path");
}

#[test]
fn linked_work_trees_have_an_index_and_a_head_of_their_own() {
    let fixture = Fixture::new("range.sh");
    fixture.git(&["worktree", "add", "-q", "../linked", "main"]);
    let linked = fixture.temporary.path().join("linked");
    std::fs::write(linked.join("data/stays.csv"), "staged in the linked one\n").expect("it can be written");
    run(fixture.command("git").arg("-C").arg(&linked).args(["add", "-A"]));
    let git = git_staged(fixture.command("git").arg("-C").arg(&linked));
    assert_eq!(git.len(), 1);
    let repository = Repository::discover(&linked, &Environment::default()).expect("sound").expect("found");
    assert_eq!(staged(&repository), git);
    assert_eq!(staged(&fixture.open()), BTreeSet::new(), "the main one has nothing staged");
    assert_eq!(repository.head().expect("sound"), repository.resolve("main").map(Some).expect("sound"));
    assert_eq!(repository.common_dir(), fixture.path().join(".git"));
    // As a hook is called there.
    let env = Environment {
        git_dir: Some(fixture.path().join(".git/worktrees/linked")),
        index_file: Some(fixture.path().join(".git/worktrees/linked/index")),
        ..Environment::default()
    };
    let hook = Repository::discover(&linked, &env).expect("sound").expect("found");
    assert_eq!(staged(&hook), git);
    assert_eq!(hook.work_tree(), Some(linked.as_path()));

    std::fs::remove_dir_all(fixture.path().join(".git/worktrees/linked")).expect("it can be removed");
    let error = Repository::discover(&linked, &Environment::default()).expect_err("the link leads nowhere");
    assert!(error.message.contains("does not lead to a repository"), "{error}");
}

#[test]
fn the_variables_of_git_are_honoured() {
    let fixture = Fixture::new("staged.sh");
    let outside = fixture.temporary.path().join("outside");
    std::fs::create_dir(&outside).expect("a folder can be made");
    let git_dir = fixture.path().join(".git");

    // An index of its own, as `git commit -a` and `git commit -- path` make them.
    fixture.git(&["commit", "-q", "--no-verify", "-m", "all"]);
    let next = git_dir.join("next-index-7.lock");
    std::fs::copy(git_dir.join("index"), &next).expect("it can be copied");
    std::fs::write(fixture.path().join("data/changed.csv"), "in the other index\n").expect("it can be written");
    for index in [next.as_path(), Path::new(".git/next-index-7.lock")] {
        let deep = fixture.path().join("data/deep");
        run(fixture.command("git").args(["add", "data/changed.csv"]).env("GIT_INDEX_FILE", index));
        let git = git_staged(fixture.command("git").current_dir(&deep).env("GIT_INDEX_FILE", index));
        assert_eq!(git.len(), 1, "{}", index.display());
        let env = Environment { index_file: Some(index.to_owned()), ..Environment::default() };
        let repository = Repository::discover(&deep, &env).expect("sound").expect("found");
        assert_eq!(staged(&repository), git, "{}", index.display());
    }
    assert_eq!(staged(&fixture.open()), BTreeSet::new(), "the index itself has nothing staged");

    // From elsewhere, by name.
    let env = Environment {
        git_dir: Some("../repository/.git".into()),
        work_tree: Some("../repository".into()),
        ..Environment::default()
    };
    let repository = Repository::discover(&outside, &env).expect("sound").expect("found");
    assert_eq!(repository.work_tree(), Some(fixture.path().as_path()));
    let ours = repository.snapshot(&Scope::Worktree, &[]).expect("it can be listed");
    assert_eq!(paths(ours.entries.iter()), paths(fixture.snapshot(&Scope::Worktree).entries.iter()));

    // GIT_DIR alone makes the current folder the work tree.
    let env = Environment { git_dir: Some(git_dir.clone()), ..Environment::default() };
    let repository = Repository::discover(&outside, &env).expect("sound").expect("found");
    let top = run(fixture
        .command("git")
        .current_dir(&outside)
        .env("GIT_DIR", &git_dir)
        .args(["rev-parse", "--show-toplevel"]));
    assert_eq!(repository.work_tree(), Some(Path::new(top.trim().to_str().expect("the path is ASCII"))));

    // HEAD and index here, objects there; branches stay where the git folder itself says, as git has it.
    let apart = fixture.temporary.path().join("apart");
    std::fs::create_dir(&apart).expect("a folder can be made");
    std::fs::copy(git_dir.join("HEAD"), apart.join("HEAD")).expect("it can be copied");
    std::fs::copy(&next, apart.join("index")).expect("it can be copied");
    std::fs::write(apart.join("commondir"), format!("{}\n", git_dir.display())).expect("it can be written");
    std::fs::write(apart.join("gitdir"), format!("{}\n", git_dir.display())).expect("it can be written");
    let moved = fixture.temporary.path().join("moved");
    std::fs::rename(&git_dir, &moved).expect("it can be moved");
    std::fs::create_dir_all(git_dir.join("objects")).expect("a folder can be made");
    std::fs::create_dir_all(git_dir.join("refs")).expect("a folder can be made");
    std::fs::write(git_dir.join("HEAD"), "ref: refs/heads/nothing\n").expect("it can be written");
    std::fs::create_dir(git_dir.join("refs/heads")).expect("a folder can be made");
    std::fs::copy(moved.join("refs/heads/main"), git_dir.join("refs/heads/main")).expect("it can be copied");
    let env = Environment { git_dir: Some(apart.clone()), common_dir: Some(moved.clone()), ..Environment::default() };
    let git = git_staged(fixture.command("git").env("GIT_DIR", &apart).env("GIT_COMMON_DIR", &moved));
    assert_eq!(git.len(), 1);
    assert_eq!(staged(&fixture.open_with(&env)), git);

    let env = Environment { git_dir: Some("nowhere".into()), ..Environment::default() };
    let error = Repository::discover(&fixture.path(), &env).expect_err("GIT_DIR leads nowhere");
    assert!(error.message.contains("GIT_DIR does not name a repository"), "{error}");
}

#[test]
fn a_bare_repository_has_ranges_and_revisions_but_no_work_tree() {
    let fixture = Fixture::new("range.sh");
    let bare = Fixture::empty();
    bare.git(&["clone", "-q", "--bare", &fixture.path().display().to_string(), "."]);
    let repository = bare.open();
    assert_eq!(repository.work_tree(), None);
    let ours = repository.snapshot(&range("main", "feature"), &["data/en".into()]).expect("it can be listed");
    assert_eq!(ours.entries.len(), 1);
    let error = repository.snapshot(&Scope::Worktree, &[]).expect_err("there is none");
    assert!(error.message.contains("bare repository"), "{error}");
}

#[test]
fn every_form_of_the_index_says_the_same() {
    let fixture = Fixture::new("staged.sh");
    let expected = git_staged(&mut fixture.command("git"));
    for form in [
        &["update-index", "--index-version", "4"][..],
        &["update-index", "--split-index"],
        &["-c", "splitIndex.maxPercentChange=100", "update-index", "--add", "data/untracked.csv"],
        &["update-index", "--force-remove", "data/untracked.csv"],
        &["update-index", "--untracked-cache"],
        &["update-index", "--index-version", "2"],
        &["-c", "index.skipHash=true", "update-index", "--no-split-index"],
    ] {
        fixture.git(form);
        let git = git_staged(&mut fixture.command("git"));
        assert_eq!(staged(&fixture.open()), git, "{form:?}");
    }
    assert_eq!(git_staged(&mut fixture.command("git")), expected);
}

#[test]
fn a_sparse_index_hides_nothing() {
    let fixture = Fixture::new("range.sh");
    fixture.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "src"]);
    assert!(!fixture.path().join("data/en").exists(), "the checkout is sparse");
    let snapshot = fixture.snapshot(&Scope::Worktree);
    let all: BTreeSet<BString> =
        words(&fixture.git(&["ls-tree", "-r", "-z", "--name-only", "HEAD"])).into_iter().collect();
    assert_eq!(paths(snapshot.entries.iter().filter(|entry| entry.content.is_some())), all);
    assert_eq!(staged(&fixture.open()), BTreeSet::new());
    fixture.git(&["reset", "-q", "--soft", "main"]);
    assert_eq!(staged(&fixture.open()), git_staged(&mut fixture.command("git")));
    assert!(staged(&fixture.open()).len() > 3);
}

#[test]
fn what_is_in_conflict_is_not_judged_as_staged_but_read_from_disk() {
    let fixture = Fixture::new("range.sh");
    std::fs::write(fixture.path().join("data/en/train.csv"), "ours\n").expect("it can be written");
    fixture.git(&["commit", "-qam", "ours"]);
    fixture.git(&["checkout", "-q", "-b", "theirs", "HEAD~1"]);
    std::fs::write(fixture.path().join("data/en/train.csv"), "theirs\n").expect("it can be written");
    fixture.git(&["commit", "-qam", "theirs"]);
    let merge = fixture.command("git").args(["merge", "-q", "feature"]).output().expect("git runs");
    assert!(!merge.status.success(), "the merge stops");
    let snapshot = fixture.snapshot(&Scope::Staged);
    let reasons: Vec<_> =
        snapshot.unread.iter().map(|unread| (unread.path.as_bstr(), unread.reason.as_str())).collect();
    assert_eq!(reasons, [("data/en/train.csv".into(), "in conflict: more than one version is staged")]);
    assert!(snapshot.entries.iter().all(|entry| entry.path != "data/en/train.csv"));
    let worktree = fixture.snapshot(&Scope::Worktree);
    let entry = worktree.entries.iter().find(|entry| entry.path == "data/en/train.csv").expect("it is on disk");
    assert!(matches!(entry.content, Some(Content::File(_))) && entry.before.is_some());
    assert_eq!(worktree.unread, []);
}

#[test]
fn plain_files_and_folders_are_listed_as_they_were_named() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(at("set/deep/.git")).expect("folders can be made");
    for file in ["set/a.csv", "set/deep/b.csv", "set/deep/.git/hidden.csv", "set/.dot.csv", "one.csv"] {
        std::fs::write(at(file), "x\n").expect("it can be written");
    }
    std::fs::write(at("set/.gitignore"), "*.csv\n").expect("it can be written");
    std::os::unix::fs::symlink("/etc", at("set/link")).expect("a link can be made");
    std::os::unix::fs::symlink("one.csv", at("named-link")).expect("a link can be made");
    let names = vec![at("set"), at("one.csv"), at("named-link"), at("one.csv")];
    let source = Source::plain();
    let snapshot = source.snapshot(&Scope::Files(names), &[]).expect("all are there");
    let shown: Vec<String> = snapshot
        .entries
        .iter()
        .map(|entry| {
            Path::new(&entry.path.to_string()).strip_prefix(folder.path()).expect("inside").display().to_string()
        })
        .collect();
    assert_eq!(
        shown,
        ["named-link", "one.csv", "set/.dot.csv", "set/.gitignore", "set/a.csv", "set/deep/b.csv", "set/link"]
    );
    assert_eq!(snapshot.entries[0].mode, Mode::File, "a link that is named is followed");
    assert_eq!(snapshot.entries[6].mode, Mode::Link, "one that is met is not");
    let read = |number: usize| {
        source.read(snapshot.entries[number].content.as_ref().expect("it is there"), 100).expect("it can be read")
    };
    assert_eq!(read(0)[..], *b"x\n");
    assert_eq!(read(6)[..], *b"/etc");
    let error = source.snapshot(&Scope::Files(vec![at("nothing.csv")]), &[]).expect_err("it is not there");
    assert!(error.message.ends_with("nothing.csv: no such file"), "{error}");
}
