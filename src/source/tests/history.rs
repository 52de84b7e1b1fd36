//! Who changed what, and which side of a change may be believed.
#![allow(clippy::cmp_owned)] // ids are compared with git's words

use super::*;

fn is_csv(path: &BStr) -> bool {
    path.ends_with(b".csv")
}

#[test]
fn people_are_told_commit_by_commit_as_git_has_them() {
    let fixture = Fixture::new("history.sh");
    let repository = fixture.open();
    let before = repository.resolve("before").expect("a tag");
    let after = repository.resolve("main").expect("a branch");
    let history = repository.people(Some(before), after, &is_csv, None, 100);
    assert_eq!(history.unread, []);
    assert_eq!(history.notes, [""; 0]);

    let list = |args: &[&str]| -> BTreeSet<String> {
        fixture.git(args).lines().map(|line| line.to_str_lossy().into_owned()).collect()
    };
    let ids = |commits: &[Commit]| -> BTreeSet<String> { commits.iter().map(|c| c.id.to_string()).collect() };
    assert_eq!(ids(&history.judged), list(&["rev-list", "before..main"]));
    assert_eq!(ids(&history.earlier), list(&["rev-list", "before", "--", "*.csv"]));
    let merges = history.judged.iter().filter(|commit| commit.parents > 1).count();
    assert_eq!(merges, 3);
    for commit in history.judged.iter().chain(&history.earlier) {
        let id = commit.id.to_string();
        let combine = if commit.parents > 1 { "-c" } else { "-r" };
        let args = ["diff-tree", "-r", combine, "--root", "--no-commit-id", "--name-only", "--no-renames", "-z", &id];
        let git: BTreeSet<BString> =
            words(&fixture.git(&args)).into_iter().filter(|path| is_csv(path.as_ref())).collect();
        assert_eq!(commit.paths.iter().cloned().collect::<BTreeSet<_>>(), git, "{}", commit.subject);
        let format = "--format=%ad %cd %P";
        let git = fixture.line(&["log", "-1", "--date=raw", format, &id]);
        let zone = |offset: i32| {
            let minutes = offset.abs() / 60;
            format!("{}{:02}{:02}", if offset < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
        };
        let (author, committer) = (&commit.author, &commit.committer);
        let ours =
            format!("{} {} {} {}", author.seconds, zone(author.offset), committer.seconds, zone(committer.offset));
        assert!(git.starts_with(&ours), "{git} begins with {ours}");
        assert_eq!(git.split(' ').count() - 4, commit.parents);
    }
    let order: Vec<ObjectId> = history.judged.iter().map(|commit| commit.id).collect();
    for (at, id) in order.iter().enumerate() {
        let parents = fixture.line(&["log", "-1", "--format=%P", &id.to_string()]);
        for parent in parents.split(' ') {
            let place = order.iter().position(|id| id.to_string() == parent);
            assert!(place.is_none_or(|place| place < at), "parents come first");
        }
    }
    let subject = |text: &str| {
        let all = history.judged.iter().chain(&history.earlier);
        all.clone()
            .find(|commit| commit.subject == text)
            .unwrap_or_else(|| panic!("{text} is among {:?}", all.map(|commit| &commit.subject).collect::<Vec<_>>()))
    };
    assert_eq!(subject("Merge with a change of its own").paths, ["data/main.csv"]);
    assert!(subject("Signed").signed);
    assert!(!subject("Main data").signed);
    assert_eq!(subject("More data").author.name, "Ada Lovelace", "the trusted mailmap counts");
    assert_eq!(subject("Main data").author.mail, "ada@example.org", "the one under judgement does not");
    assert_eq!(subject("Rename to café").author.name, "Carol");

    let newest = repository.people(Some(before), after, &is_csv, None, 2);
    assert_eq!(newest.earlier.len(), 2);
    assert_eq!(newest.earlier[1].id, before);
    assert_eq!(newest.notes, ["2 commit(s) further back were not looked at"]);
    let whole = repository.people(None, after, &is_csv, None, 0);
    assert_eq!(ids(&whole.judged), list(&["--no-replace-objects", "rev-list", "main"]));
}

#[test]
fn replaced_objects_and_grafts_change_nothing_but_are_told() {
    let fixture = Fixture::new("history.sh");
    let blob = fixture.line(&["rev-parse", "HEAD:data/b.csv"]);
    assert_eq!(fixture.git(&["cat-file", "blob", &blob]), b"innocent\n", "git shows the replacement");
    let repository = fixture.open();
    let head = repository.head().expect("HEAD is sound").expect("there is a commit");
    let ours = repository.read_at(head, "data/b.csv".into(), 100).expect("it can be read").expect("it is there");
    assert_eq!(ours[..], *b"a,x\nb,y\nc,z\n", "what was committed is read");

    let root = fixture.line(&["rev-list", "--max-parents=0", "main"]);
    let graft = fixture.line(&["rev-parse", "main~2"]);
    std::fs::write(fixture.path().join(".git/info/grafts"), format!("{graft}\n")).expect("it can be written");
    let history = fixture.open().people(None, head, &is_csv, None, 0);
    assert!(history.judged.iter().any(|commit| commit.id.to_string() == root), "a graft hides nothing");
    let notes = fixture.open().notes();
    assert!(notes.iter().any(|note| note.starts_with("1 replace ref(s)")), "{notes:?}");
    assert!(notes.iter().any(|note| note.starts_with("info/grafts")), "{notes:?}");
}

#[test]
fn a_shallow_history_is_told_and_not_taken_for_a_short_one() {
    let fixture = Fixture::new("history.sh");
    let shallow = Fixture::empty();
    let url = format!("file://{}", fixture.path().display());
    shallow.git(&["clone", "-q", "--depth=3", &url, "."]);
    let repository = shallow.open();
    assert!(repository.is_shallow());
    assert!(repository.notes().iter().any(|note| note.contains("shallow")));
    let head = repository.head().expect("HEAD is sound").expect("there is a commit");
    let judged = repository.people(None, head, &is_csv, None, 10);
    assert!(judged.unread.iter().all(|unread| unread.reason.contains("shallow or partial clone")));
    assert!(!judged.unread.is_empty());
    let earlier = repository.people(Some(head), head, &is_csv, None, 10);
    assert_eq!(earlier.unread, []);
    assert!(earlier.notes.iter().any(|note| note.contains("ends early")), "{:?}", earlier.notes);
}

#[test]
fn the_trusted_side_is_never_the_judged_one() {
    let fixture = Fixture::new("range.sh");
    let repository = fixture.open();
    let id = |revision: &str| Some(repository.resolve(revision).expect("it exists"));
    let trusted = |scope: &Scope| repository.trusted(scope).expect("it can be told");
    assert_eq!(trusted(&range("main", "feature")), Trusted { from: "base", commit: id("main") });
    assert_eq!(trusted(&Scope::Staged), Trusted { from: "head", commit: id("HEAD") });
    assert_eq!(trusted(&Scope::Worktree), Trusted { from: "worktree", commit: None });
    fixture.git(&["update-ref", "refs/remotes/origin/master", "main"]);
    assert_eq!(trusted(&Scope::Staged), Trusted { from: "base", commit: id("fork") }, "where the branch left upstream");
    fixture.git(&["update-ref", "refs/remotes/origin/trunk", "feature~1"]);
    fixture.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]);
    assert_eq!(trusted(&Scope::Staged), Trusted { from: "base", commit: id("feature~1") }, "upstream says so itself");
    fixture.git(&["update-ref", "refs/remotes/origin/trunk", "unrelated"]);
    assert_eq!(trusted(&Scope::Staged), Trusted { from: "head", commit: id("HEAD") }, "nothing in common");

    let path = BStr::new("data/stays.csv");
    std::fs::write(fixture.path().join("data/stays.csv"), "staged\n").expect("it can be written");
    fixture.git(&["add", "-A"]);
    std::fs::write(fixture.path().join("data/stays.csv"), "on disk\n").expect("it can be written");
    let repository = fixture.open();
    let judged = |scope: &Scope| {
        repository.read_judged(scope, path, 100).expect("it can be read").expect("it is there").to_vec()
    };
    assert_eq!(judged(&Scope::Staged), b"staged\n");
    assert_eq!(judged(&Scope::Worktree), b"on disk\n");
    assert_eq!(judged(&range("main", "feature")), b"stays\n");
    assert!(repository.read_judged(&Scope::Staged, "data/nothing".into(), 100).expect("no error").is_none());
    let link = repository.read_judged(&Scope::Worktree, "data/link".into(), 100);
    assert_eq!(link.map(|_| ()), Err("a symbolic link, not a file".to_owned()));
    let link = repository.read_judged(&range("main", "feature"), "data/link".into(), 100);
    assert_eq!(link.map(|_| ()), Err("a symbolic link, not a file".to_owned()));
}

#[test]
fn a_walk_tells_what_each_commit_changes_against_each_of_its_parents() {
    let fixture = Fixture::new("history.sh");
    let repository = fixture.open();
    let walk = repository.walk(Some("before"), &[], &is_csv, None).expect("there are commits");
    assert_eq!(walk.unread, []);
    let list = |args: &[&str]| -> BTreeSet<String> {
        fixture.git(args).lines().map(|line| line.to_str_lossy().into_owned()).collect()
    };
    let ids = |judged: bool| -> BTreeSet<String> {
        walk.steps.iter().filter(|step| step.judged == judged).map(|step| step.commit.id.to_string()).collect()
    };
    assert_eq!(ids(true), list(&["--no-replace-objects", "rev-list", "HEAD", "--tags", "--not", "before"]));
    assert_eq!(ids(false), list(&["rev-list", "before"]));
    let side = |blob: Option<u32>| blob.map(|blob| walk.blobs[blob as usize].to_string());
    let mut bearing = 0;
    for (rank, step) in (0..).zip(&walk.steps) {
        assert!(step.parents.iter().all(|&parent| parent < rank), "parents come first");
        for (at, edges) in step.against.iter().enumerate() {
            let id = step.commit.id.to_string();
            let before = match step.parents.get(at) {
                Some(&parent) => walk.steps[parent as usize].commit.id.to_string(),
                None => "4b825dc642cb6eb9a060e54bf8d69288fbee4904".to_owned(),
            };
            let git = fixture.git(&["diff-tree", "-r", "--no-renames", "--no-abbrev", &before, &id]);
            let mut expected = BTreeSet::new();
            for line in git.lines() {
                let (head, path) =
                    line.to_str().expect("these paths are UTF-8").split_once('\t').expect("a path follows");
                let ids: Vec<&str> = head.split(' ').collect();
                let id = |id: &str| id.bytes().any(|digit| digit != b'0').then(|| id.to_owned());
                if is_csv(path.into()) {
                    expected.insert((path.to_owned(), id(ids[2]), id(ids[3])));
                }
            }
            let found =
                edges.iter().map(|edge| (walk.path_of(edge.path).to_string(), side(edge.before), side(edge.after)));
            assert_eq!(found.collect::<BTreeSet<_>>(), expected, "{}", step.commit.subject);
        }
        if step.parents.len() > 1 {
            bearing += usize::from(step.against.len() > 1);
            assert_eq!(step.against.len() > 1, !step.commit.paths.is_empty(), "{}", step.commit.subject);
        }
    }
    assert_eq!(bearing, 1, "one merge has data that is that of none of its parents");
}

#[test]
fn blobs_are_shown_once_each_whether_they_are_packed_loose_or_missing() {
    let fixture = Fixture::new("history.sh");
    let all = |repository: &Repository| -> Vec<ObjectId> {
        let walk = repository.walk(None, &[], &is_csv, None).expect("there are commits");
        let mut ids = walk.blobs;
        ids.push(ObjectId::from_hex(&[b'1'; 40]).expect("an id"));
        ids
    };
    let show = |repository: &Repository, ids: &[ObjectId]| -> Vec<Option<Vec<u8>>> {
        let seen = std::sync::Mutex::new(vec![Vec::new(); ids.len()]);
        repository.each_blob(ids, 1000, &|at, bytes| {
            seen.lock().expect("nobody panics")[at].push(bytes.ok().map(<[u8]>::to_vec));
        });
        let seen = seen.into_inner().expect("nobody panics");
        seen.into_iter()
            .map(|mut one| {
                assert_eq!(one.len(), 1);
                one.remove(0)
            })
            .collect()
    };
    let loose = fixture.open();
    let ids = all(&loose);
    let before = show(&loose, &ids);
    for (id, bytes) in ids.iter().zip(&before).take(ids.len() - 1) {
        let git = fixture.git(&["--no-replace-objects", "cat-file", "blob", &id.to_string()]);
        assert_eq!(bytes.as_deref(), Some(&git[..]));
    }
    assert_eq!(before.last(), Some(&None));
    fixture.git(&["gc", "--quiet", "--prune=now"]);
    let packed = fixture.open();
    assert_eq!(show(&packed, &ids), before);
}

#[test]
fn versions_are_put_together_from_the_deltas_of_any_pack() {
    let fixture = Fixture::empty();
    fixture.git(&["init", "--quiet", "--initial-branch=main"]);
    fixture.git(&["config", "gc.auto", "0"]);
    let mut lines: Vec<String> = (0..400).map(|n| format!("{{\"text\": \"row {n}\", \"n\": {}}}", n * n)).collect();
    let mut ids = Vec::new();
    for version in 0..40_usize {
        lines[version * 7 % 400].push_str(" changed");
        lines.insert(version * 13 % 400, format!("new in {version}"));
        lines.swap(version, 399 - version);
        std::fs::write(fixture.path().join("a.csv"), lines.join("\n")).expect("it can be written");
        fixture.git(&["add", "a.csv"]);
        fixture.git(&["commit", "--quiet", "-m", "more"]);
        ids.push(ObjectId::from_hex(fixture.line(&["rev-parse", "HEAD:a.csv"]).as_bytes()).expect("an id"));
    }
    let expected: Vec<Vec<u8>> = ids.iter().map(|id| fixture.git(&["cat-file", "blob", &id.to_string()])).collect();
    let missing = ObjectId::from_hex(&[b'1'; 40]).expect("an id");
    let commit = ObjectId::from_hex(fixture.line(&["rev-parse", "HEAD"]).as_bytes()).expect("an id");
    for offsets in ["true", "false"] {
        fixture.git(&["-c", &format!("repack.useDeltaBaseOffset={offsets}"), "repack", "-adfq", "--depth=50"]);
        let pack = fixture.git(&["cat-file", "--batch-check=%(deltabase)", "--batch-all-objects"]);
        let deltas = pack.lines().filter(|base| base.iter().any(|&digit| digit != b'0')).count();
        assert!(deltas > 30, "{deltas} deltas");
        let repository = fixture.open();
        // Backwards, and then in an order that jumps.
        for at in (0..40).rev().chain((0..80).map(|at| at * 17 % 40)) {
            let bytes = repository.version(ids[at], 1 << 20).expect("it is there");
            assert_eq!(bytes.as_bstr(), expected[at].as_bstr());
        }
        let whole = |id| repository.blob(id, 100);
        for id in [ids[3], missing, commit] {
            assert_eq!(repository.version(id, 100).err(), whole(id).err(), "the reason is the same");
        }
    }
}
