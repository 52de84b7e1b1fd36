//! Names of files, branches and authors.

use super::*;

#[test]
fn names_of_files_are_scanned_where_they_are_new() {
    let entry = |path: &str, old: Option<&str>| Entry {
        path: BString::from(path),
        mode: Mode::File,
        content: Some(Content::File(path.into())),
        unchanged: false,
        before: old.map(|old| crate::source::Before {
            path: BString::from(old),
            mode: Mode::File,
            id: gix::ObjectId::null(gix::hash::Kind::Sha1),
        }),
    };
    let entries = [
        entry("data/train\u{202E}lnosj.exe", None),
        entry("data/old\u{200B}.csv", Some("data/old\u{200B}.csv")),
        entry("data/کتاب\u{200C}ها.csv", None),
        entry("data/new\u{200B}.csv", Some("data/new.csv")),
    ];
    let list: Vec<_> = entries.iter().enumerate().map(|(n, e)| (BlobId(n as u32), e)).collect();
    let check = InvisibleUnicode { modes: QUIET };
    let mut seen = Seen::default();
    check.observe(&mut seen, &Observation::Files(&Files { list: &list, branch: None }));
    let mut findings = Vec::new();
    check.finish(seen, &mut findings);
    let places: Vec<_> = findings.iter().flat_map(|f| &f.marks).map(|m| m.place.clone()).collect();
    assert_eq!(places, [Place { blob: BlobId(3), at: At::Name }, Place { blob: BlobId(0), at: At::Name }],);
    assert!(findings.iter().all(|f| f.message.starts_with("In the name of a file: ")));
}

#[test]
fn names_of_branches_and_authors_are_scanned() {
    let entry = Entry {
        path: BString::from("data/a.csv"),
        mode: Mode::File,
        content: Some(Content::File("data/a.csv".into())),
        unchanged: false,
        before: None,
    };
    let list = [(BlobId(0), &entry)];
    let check = InvisibleUnicode { modes: QUIET };
    let mut seen = Seen::default();
    let branch = Some(BStr::new("feature\u{200B}/x"));
    check.observe(&mut seen, &Observation::Files(&Files { list: &list, branch }));
    let person = |name: &str| crate::source::Person { name: name.into(), ..Default::default() };
    let commit = crate::source::Commit {
        id: gix::ObjectId::null(gix::hash::Kind::Sha1),
        before: Vec::new(),
        reviewed: false,
        parents: 1,
        author: person("An\u{202E}a"),
        committer: person("Ana"),
        signed: false,
        verdict: None,
        subject: String::new(),
        paths: vec![BString::from("gone.csv"), BString::from("data/a.csv")],
    };
    let people = People { judged: &[commit], earlier: &[], files: &list };
    check.observe(&mut seen, &Observation::People(&people));
    let mut findings = Vec::new();
    check.finish(seen, &mut findings);
    let mut said: Vec<_> = findings.iter().map(|f| (f.message.as_str(), f.marks[0].commit.is_some())).collect();
    said.sort_unstable();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].0.starts_with("In the name of an author: U+202E") && said[0].1, "{said:?}");
    assert!(said[1].0.starts_with("In the name of the branch: U+200B") && !said[1].1, "{said:?}");
}
