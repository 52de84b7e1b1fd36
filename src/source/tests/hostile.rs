//! Repositories that want something of their reader.

use std::io::Write;
use std::process::Stdio;

use super::*;

/// Writes an object without asking git whether it makes sense.
fn write(fixture: &Fixture, kind: &str, bytes: &[u8]) -> ObjectId {
    let mut command = fixture.command("git");
    command.args(["hash-object", "-t", kind, "--literally", "-w", "--stdin"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git runs");
    child.stdin.take().expect("it is piped").write_all(bytes).expect("git reads");
    let output = child.wait_with_output().expect("git ends");
    assert!(output.status.success());
    ObjectId::from_hex(output.stdout.trim()).expect("git tells an id")
}

fn line(mode: &str, name: &[u8], id: ObjectId) -> Vec<u8> {
    [mode.as_bytes(), b" ", name, b"\0", id.as_slice()].concat()
}

fn commit(fixture: &Fixture, tree: ObjectId) -> ObjectId {
    write(fixture, "commit", format!("tree {tree}\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\nx\n").as_bytes())
}

fn revision(id: ObjectId) -> Scope {
    Scope::Revision(id.to_string())
}

#[test]
fn no_program_of_the_configuration_is_started() {
    let fixture = Fixture::new("hostile.sh");
    let ran = fixture.temporary.path().join("ran");
    let repository = fixture.open();
    let head = repository.head().expect("HEAD is sound").expect("there is a commit");
    for scope in [Scope::Worktree, Scope::Staged, Scope::Revision("HEAD".to_owned()), range("HEAD", "HEAD")] {
        let snapshot = repository.snapshot(&scope, &[]).expect("it can be listed");
        for entry in &snapshot.entries {
            if let Some(content) = &entry.content {
                let _ = repository.read(content, 1000);
            }
            if let Some(before) = &entry.before {
                let _ = repository.blob(before.id, 1000);
            }
        }
        repository.trusted(&scope).expect("it can be told");
        let _ = repository.read_judged(&scope, "data/a.csv".into(), 1000);
    }
    let _ = repository.ignored(&|_| true);
    let _ = repository.people(None, head, &|_| true, None, 10);
    let notes = repository.notes();
    assert!(notes.iter().any(|note| note.contains("partial clone")), "{notes:?}");
    let pointer = Pointer { oid: "0".repeat(64), size: 1 };
    assert_eq!(repository.resolve_lfs(&pointer, 100).map(|_| ()), Err(LfsError::Missing));

    let lost = repository.entry_at(head, "data/lost.csv".into()).expect("the tree is there").expect("it is listed");
    assert_eq!(repository.blob(lost.1, 1000).map(|_| ()), Err("object missing (partial clone)".to_owned()));
    assert!(!ran.exists(), "{}", std::fs::read_to_string(&ran).unwrap_or_default());

    // The trap is armed: git itself steps into it.
    let _ = fixture.command("git").arg("status").output().expect("git runs");
    assert!(ran.exists(), "git started what the configuration names");
    std::fs::remove_file(&ran).expect("it is there");
    let _ = fixture.command("git").args(["cat-file", "-p", &lost.1.to_string()]).output().expect("git runs");
    assert!(ran.exists(), "git asked the remote");
}

#[test]
fn missing_and_damaged_objects_are_told_apart_and_never_skipped() {
    let fixture = Fixture::new("range.sh");
    let repository = fixture.open();
    let object = |revision: &str| {
        let id = fixture.line(&["rev-parse", revision]);
        fixture.path().join(".git/objects").join(&id[..2]).join(&id[2..])
    };
    let id = |revision: &str| ObjectId::from_hex(fixture.line(&["rev-parse", revision]).as_bytes()).expect("an id");
    let (stays, en, tree) = (id("feature:data/stays.csv"), id("feature:data/en/train.csv"), id("feature:data/de"));
    let path = object("feature:data/stays.csv");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("it can be changed");
    std::fs::write(&path, b"not zlib").expect("it can be written");
    std::fs::remove_file(object("feature:data/en/train.csv")).expect("it is loose");
    std::fs::remove_file(object("feature:data/de")).expect("it is loose");
    assert_eq!(repository.blob(stays, 100).map(|_| ()), Err("object damaged".to_owned()));
    assert_eq!(repository.blob(en, 100).map(|_| ()), Err("object missing (partial clone)".to_owned()));
    assert_eq!(repository.blob(tree, 100).map(|_| ()), Err("object missing (partial clone)".to_owned()));
    let snapshot = fixture.snapshot(&range("main", "feature"));
    let unread: Vec<_> = snapshot.unread.iter().map(|unread| (unread.path.as_bstr(), unread.reason.as_str())).collect();
    assert_eq!(unread, [("data/de/".into(), "tree missing (partial clone)")]);
    assert!(snapshot.entries.iter().any(|entry| entry.path == "data/en/train.csv"), "the rest is listed");
    let head = id("feature");
    let policy = repository.read_at(head, "data/de/renamed.csv".into(), 100);
    assert!(policy.is_err(), "behind a missing tree nobody knows whether there is a file");
    let history = repository.people(Some(id("fork")), head, &|_| true, None, 10);
    assert!(history.unread.iter().any(|unread| unread.reason.contains("data/de/: tree missing")));
    std::fs::remove_file(object("feature~1")).expect("it is loose");
    let history = fixture.open().people(Some(id("fork")), head, &|_| true, None, 10);
    assert!(history.unread.iter().any(|unread| unread.reason.contains("parent")), "{:?}", history.unread);
}

#[test]
fn sizes_are_asked_before_anything_is_unpacked() {
    let fixture = Fixture::empty();
    fixture.git(&["init", "-q", "."]);
    let id = write(&fixture, "blob", &vec![b'x'; 1 << 20]);
    let repository = fixture.open();
    assert_eq!(
        repository.blob(id, (1 << 20) - 1).map(|_| ()),
        Err("larger than the limit of 1048575 bytes".to_owned())
    );
    assert_eq!(repository.blob(id, 1 << 20).map(|bytes| bytes.len()), Ok(1 << 20));
}

#[test]
fn trees_made_by_hand_are_listed_with_all_that_is_in_them() {
    let fixture = Fixture::empty();
    fixture.git(&["init", "-q", "."]);
    let (good, bad) = (write(&fixture, "blob", b"good\n"), write(&fixture, "blob", b"bad\n"));
    let inner = write(&fixture, "tree", &line("100644", b"x.csv", bad));
    let names: [(&str, &[u8], ObjectId); 9] = [
        ("100644", b"z.csv", good),
        ("100644", b"File.csv", good),
        ("100644", b"file.csv", bad),
        ("100644", b"twin.csv", good),
        ("100644", b"twin.csv", bad),
        ("40000", b"..", inner),
        ("40000", b".git", inner),
        ("100644", b"a/b.csv", bad),
        ("100664", b"", bad),
    ];
    let bytes: Vec<u8> = names.iter().flat_map(|(mode, name, id)| line(mode, name, *id)).collect();
    let tree = write(&fixture, "tree", &bytes);
    let snapshot = fixture.snapshot(&revision(commit(&fixture, tree)));
    let listed: Vec<BString> = snapshot.entries.iter().map(|entry| entry.path.clone()).collect();
    let expected: [&str; 9] =
        ["", "../x.csv", ".git/x.csv", "File.csv", "a/b.csv", "file.csv", "twin.csv", "twin.csv", "z.csv"];
    assert_eq!(listed, expected);
    assert_eq!(snapshot.unread, []);
}

#[test]
fn depth_and_number_of_paths_are_capped_and_the_caps_are_told() {
    let fixture = Fixture::empty();
    fixture.git(&["init", "-q", "."]);
    // A small bomb: each tree names the one before a hundred times.
    let mut tree = write(&fixture, "tree", &line("100644", b"x.csv", write(&fixture, "blob", b"x")));
    for _ in 0..9 {
        let bytes: Vec<u8> = (0..100).flat_map(|n| line("40000", format!("{n:02}").as_bytes(), tree)).collect();
        tree = write(&fixture, "tree", &bytes);
    }
    let repository = fixture.open();
    let snapshot = repository.snapshot(&revision(commit(&fixture, tree)), &[]).expect("it can be listed");
    assert!(snapshot.unread.iter().any(|unread| unread.reason.starts_with("more than")), "{:?}", snapshot.unread);

    let mut import = String::from("commit refs/heads/deep\ncommitter A <a> 1 +0000\ndata 0\nM 100644 inline ");
    import += &"d/".repeat(5000);
    import += "x.csv\ndata 1\nx\n";
    std::fs::write(fixture.temporary.path().join("import"), import).expect("it can be written");
    run(fixture.command("sh").args(["-c", "git fast-import --quiet < ../import"]));
    let snapshot = fixture.open().snapshot(&Scope::Revision("deep".to_owned()), &[]).expect("it can be listed");
    assert_eq!(snapshot.entries.len(), 0);
    assert!(snapshot.unread.iter().any(|unread| unread.reason.contains("deep")), "{:?}", snapshot.unread);
}

#[test]
fn damaged_indexes_and_heads_are_errors_with_a_way_out() {
    let fixture = Fixture::new("staged.sh");
    let index = fixture.path().join(".git/index");
    let whole = std::fs::read(&index).expect("there is an index");
    let mut dice = Dice(7);
    for round in 0..200 {
        let mut bytes = whole.clone();
        let at = dice.roll(bytes.len() as u64) as usize;
        if round % 2 == 0 {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1 << dice.roll(8);
        }
        std::fs::write(&index, &bytes).expect("it can be written");
        // Whatever it says now, it says it without a panic.
        let _ = fixture.open().snapshot(&Scope::Staged, &[]);
        let _ = fixture.open().snapshot(&Scope::Worktree, &[]);
    }
    std::fs::write(&index, b"DIRCgarbage").expect("it can be written");
    let error = fixture.open().snapshot(&Scope::Staged, &[]).expect_err("it is garbage");
    assert!(error.message.contains("index") && error.help.is_some(), "{error}");
    std::fs::write(&index, &whole).expect("it can be written");
    std::fs::write(fixture.path().join(".git/refs/heads/main"), "1".repeat(40)).expect("it can be written");
    let error = fixture.open().snapshot(&Scope::Staged, &[]).expect_err("HEAD is missing");
    assert!(error.message.contains("HEAD") && error.help.is_some(), "{error}");
}

#[test]
fn lfs_objects_count_only_with_their_size_and_hash() {
    let fixture = Fixture::new("range.sh");
    let bytes = b"text,label\nhello,greeting\n";
    let oid = {
        use sha2::Digest;
        sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let pointer = Pointer { oid: oid.clone(), size: bytes.len() as u64 };
    let folder = fixture.path().join(".git/lfs/objects").join(&oid[..2]).join(&oid[2..4]);
    let resolve = |pointer: &Pointer, limit| fixture.open().resolve_lfs(pointer, limit).map(|bytes| bytes.to_vec());
    assert_eq!(resolve(&pointer, 1000), Err(LfsError::Missing));
    std::fs::create_dir_all(&folder).expect("folders can be made");
    std::fs::write(folder.join(&oid), bytes).expect("it can be written");
    assert_eq!(resolve(&pointer, 1000), Ok(bytes.to_vec()));
    assert_eq!(resolve(&Pointer { size: 3, ..pointer.clone() }, 1000), Err(LfsError::Mismatch));
    assert!(matches!(resolve(&pointer, 3), Err(LfsError::Unread(_))));
    std::fs::write(folder.join(&oid), bytes.to_ascii_uppercase()).expect("it can be written");
    assert_eq!(resolve(&pointer, 1000), Err(LfsError::Mismatch));
    std::fs::remove_file(folder.join(&oid)).expect("it is there");
    std::os::unix::fs::symlink("/etc/passwd", folder.join(&oid)).expect("a link can be made");
    assert!(matches!(resolve(&pointer, 1000), Err(LfsError::Unread(_))));

    fixture.git(&["worktree", "add", "-q", "../linked", "main"]);
    std::fs::remove_file(folder.join(&oid)).expect("it is there");
    std::fs::write(folder.join(&oid), bytes).expect("it can be written");
    let linked = fixture.temporary.path().join("linked");
    let linked = Repository::discover(&linked, &Environment::default()).expect("sound").expect("found");
    assert!(linked.resolve_lfs(&pointer, 1000).is_ok(), "linked work trees share the store");
}

#[test]
#[ignore = "needs root, to give a repository to somebody else"]
fn a_repository_of_another_owner_is_refused_unless_a_person_says_otherwise() {
    let fixture = Fixture::new("staged.sh");
    run(fixture.command("chown").args(["-R", "65534", "."]));
    let error = Repository::discover(&fixture.path(), &Environment::default()).expect_err("it is another's");
    assert!(error.message.contains("belongs to another user"), "{error}");
    assert!(error.help.is_some());
    let any = Environment { any_owner: true, ..Environment::default() };
    let snapshot = fixture.open_with(&any).snapshot(&Scope::Staged, &[]).expect("it can be listed");
    assert!(snapshot.entries.len() > 10);
    let named = |folder: PathBuf| Environment { safe_directories: vec![folder], ..Environment::default() };
    assert!(Repository::discover(&fixture.path(), &named(fixture.path())).is_ok(), "this one was named");
    assert!(
        Repository::discover(&fixture.path(), &named(fixture.path().join("data"))).is_err(),
        "a part is not the whole"
    );
    assert!(Repository::discover(&fixture.path(), &named("/nowhere".into())).is_err());
}

#[test]
fn many_threads_read_at_once() {
    use rayon::prelude::*;
    let fixture = Fixture::new("staged.sh");
    fixture.git(&["repack", "-adq"]);
    let repository = fixture.open();
    let snapshot = repository.snapshot(&Scope::Revision("HEAD".to_owned()), &[]).expect("it can be listed");
    let alone: Vec<_> = snapshot.entries.iter().map(|e| size(&repository, e)).collect();
    for _ in 0..20 {
        let together: Vec<_> = snapshot.entries.par_iter().map(|e| size(&repository, e)).collect();
        assert_eq!(together, alone);
    }
}

fn size(repository: &Repository, entry: &Entry) -> Result<usize, String> {
    repository.read(entry.content.as_ref().expect("nothing was removed"), 1000).map(|bytes| bytes.len())
}

#[test]
fn borrowed_objects_are_read_and_told_and_circles_of_borrowing_end() {
    let lender = Fixture::new("range.sh");
    let fixture = Fixture::empty();
    fixture.git(&["clone", "-q", "--shared", &lender.path().display().to_string(), "."]);
    let snapshot = fixture.snapshot(&Scope::Revision("HEAD".to_owned()));
    assert!(snapshot.entries.len() > 5 && snapshot.unread.is_empty());
    let notes = fixture.open().notes();
    assert!(notes.iter().any(|note| note.starts_with("objects are borrowed from")), "{notes:?}");

    let alternates = fixture.path().join(".git/objects/info/alternates");
    let own = fixture.path().join(".git/objects");
    let lent = lender.path().join(".git/objects");
    std::fs::write(&alternates, format!("/nowhere\n{}\n", lent.display())).expect("it can be written");
    let snapshot = fixture.snapshot(&Scope::Revision("HEAD".to_owned()));
    assert!(snapshot.entries.len() > 5 && snapshot.unread.is_empty(), "a lender that is gone is passed over");
    std::fs::write(&alternates, format!("{}\n", own.display())).expect("it can be written");
    let error = Repository::discover(&fixture.path(), &Environment::default()).expect_err("it borrows from itself");
    assert!(error.message.contains("cycle") && error.help.is_some(), "{error}");
}

#[test]
fn damaged_packs_cost_objects_and_not_the_run() {
    let fixture = Fixture::new("history.sh");
    fixture.git(&["repack", "-adfq"]);
    let packs = fixture.path().join(".git/objects/pack");
    let files: Vec<PathBuf> = std::fs::read_dir(&packs)
        .expect("there are packs")
        .map(|item| item.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|end| end == "pack" || end == "idx"))
        .collect();
    assert_eq!(files.len(), 2);
    let head = fixture.open().head().expect("HEAD is sound").expect("there is a commit");
    let mut dice = Dice(11);
    let mut lost = 0;
    for round in 0..120 {
        let file = &files[round % 2];
        let whole = std::fs::read(file).expect("it can be read");
        let mut bytes = whole.clone();
        let at = dice.roll(bytes.len() as u64) as usize;
        if dice.roll(8) == 0 {
            bytes.truncate(at)
        } else {
            bytes[at] = dice.roll(256) as u8
        }
        // git makes packs read-only; a new file takes the place of the old one.
        std::fs::remove_file(file).expect("it can be removed");
        std::fs::write(file, &bytes).expect("it can be written");
        let Ok(Some(repository)) = Repository::discover(&fixture.path(), &Environment::default()) else { continue };
        match repository.snapshot(&revision(head), &[]) {
            Err(_) => lost += 1,
            Ok(snapshot) => {
                lost += snapshot.unread.len();
                lost += snapshot.entries.iter().filter(|entry| size(&repository, entry).is_err()).count();
            }
        }
        let _ = repository.people(None, head, &|_| true, None, 10);
        std::fs::write(file, &whole).expect("it can be written");
    }
    assert!(lost > 0, "some of the damage showed");
}
