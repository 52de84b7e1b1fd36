//! Large blobs are what `git cat-file` says they are, however they lie.

use super::*;

/// A table of more than 4 MiB, of which some rows were changed.
fn table(version: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let mut text = String::new();
    for row in 0..40_000_usize {
        let mut word = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 20
        };
        let (a, b, c) = (word(), word(), word());
        let changed = if row % 1000 < version { format!(" changed {version}") } else { String::new() };
        text += &format!(
            "{{\"id\": {row}, \"text\": \"{a:x} {b:x} {c:x} as it is said of many{changed}\", \"label\": \"some class or other, at some length\"}}\n"
        );
    }
    text.into_bytes()
}

/// A repository with so many versions of a table, and their ids.
fn versions(count: usize) -> (Fixture, Vec<ObjectId>) {
    let fixture = Fixture::empty();
    fixture.git(&["init", "-q", "--initial-branch=main", "."]);
    fixture.git(&["config", "gc.auto", "0"]);
    let mut ids = Vec::new();
    for version in 0..count {
        std::fs::write(fixture.path().join("train.jsonl"), table(version)).expect("it can be written");
        fixture.git(&["add", "train.jsonl"]);
        fixture.git(&["commit", "-q", "-m", "A version"]);
        let id = fixture.line(&["rev-parse", "HEAD:train.jsonl"]);
        ids.push(ObjectId::from_hex(id.as_bytes()).expect("an id"));
    }
    (fixture, ids)
}

/// A blob, if it is read as a large one.
fn large(repository: &Repository, id: ObjectId, size: usize) -> Option<std::sync::Arc<super::super::bytes::Buffer>> {
    repository.large(id, size as u64).expect("it is not damaged")
}

/// Holds every version, asked for in this order, against what git says of it.
fn check(fixture: &Fixture, ids: impl Iterator<Item = ObjectId>) {
    let repository = fixture.open();
    for id in ids {
        let said = fixture.git(&["cat-file", "blob", &id.to_string()]);
        let bytes = large(&repository, id, said.len()).expect("nothing is unusual about it");
        assert!(**bytes == *said, "{id}");
        assert!(*repository.blob(id, u64::MAX).expect("it is there") == *said);
        // Asked again it is not unpacked again.
        assert!(std::sync::Arc::ptr_eq(&bytes, &large(&repository, id, said.len()).expect("it was read")));
    }
}

#[test]
fn large_blobs_are_read_as_git_reads_them_wherever_they_lie() {
    let (fixture, ids) = versions(3);
    check(&fixture, ids.iter().copied());
    // Deltas by offset, those by name, and one chain through all versions.
    for (name, depth) in [("true", "1"), ("false", "1"), ("true", "50")] {
        fixture.git(&["config", "repack.useDeltaBaseOffset", name]);
        fixture.git(&["repack", "-adfq", "--depth", depth]);
        assert!(fixture.line(&["count-objects", "-v"]).contains("packs: 1"));
        check(&fixture, ids.iter().copied());
        check(&fixture, ids.iter().rev().copied());
    }
    let borrower = fixture.temporary.path().join("borrower");
    let (from, to) = (fixture.path(), borrower.to_str().expect("a plain name"));
    fixture.git(&["clone", "-q", "--shared", "--bare", from.to_str().expect("a plain name"), to]);
    let repository =
        Repository::discover(&borrower, &Environment::default()).expect("it is sound").expect("it is there");
    assert!(large(&repository, ids[1], table(1).len()).is_some_and(|bytes| **bytes == *table(1)));
}

#[test]
fn damage_in_a_large_blob_is_left_to_the_general_reader_and_told() {
    let (fixture, ids) = versions(2);
    let size = table(0).len();
    assert!(size as u64 >= super::super::large::LARGE);
    let hex = ids[0].to_string();
    let damage = |path: &Path, at: usize| {
        let mut bytes = std::fs::read(path).expect("it is there");
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("it can be changed");
        let at = if at == 0 { bytes.len() / 2 } else { at };
        bytes[at..at + 64].fill(0xff);
        std::fs::write(path, bytes).expect("it can be written");
    };
    let loose = fixture.path().join(".git/objects").join(&hex[..2]).join(&hex[2..]);
    let whole = std::fs::read(&loose).expect("it is loose");
    damage(&loose, 0);
    let repository = fixture.open();
    assert_eq!(repository.blob(ids[0], u64::MAX).map(|_| ()), Err("object damaged".to_owned()));
    assert!(repository.blob(ids[1], u64::MAX).is_ok_and(|bytes| *bytes == *table(1)));
    std::fs::write(&loose, whole).expect("it can be written");

    fixture.git(&["repack", "-adfq"]);
    let packs = fixture.path().join(".git/objects/pack");
    let mut pack = std::fs::read_dir(packs).expect("it is there").flatten().map(|entry| entry.path());
    let pack = pack.find(|path| path.extension().is_some_and(|e| e == "pack")).expect("there is one");
    damage(&pack, 0);
    for id in ids {
        assert!(large(&fixture.open(), id, size).is_none());
        assert_eq!(fixture.open().blob(id, u64::MAX).map(|_| ()), Err("object damaged".to_owned()));
    }
}
