use super::*;
use crate::policy::tests::{RULES, day, known};

const BASE: &str = "version: 1\nsources:\n  s: {match: {path: data/}}\nrules: {label-flip: warning}\n";
const PRINT: &str = "0123456789abcdef0123456789abcdef";

fn side(policy: Option<&str>) -> Side<'_> {
    Side { policy, commit: Some("c0ffee".to_owned()), ..Side::default() }
}

fn change<'a>(trusted: Option<&'a str>, judged: Option<&'a str>) -> Sides<'a> {
    Sides { from: Trusted::Base, trusted: side(trusted), judged: Some(side(judged)), head: None, flag: None }
}

fn judged(sides: &Sides<'_>) -> Judgement {
    judge(sides, day(), &known()).unwrap()
}

#[test]
fn what_permits_comes_from_the_trusted_side_and_what_describes_from_the_change() {
    let after = "version: 1\ndatasets: {d: {files: x.csv}}\nsources:\n  s: {match: {path: data/}}\n  t: {match: {path: more/}}\nrules: {label-flip: off}\nexclude: [x]\n";
    let judgement = judged(&change(Some(BASE), Some(after)));
    assert_eq!(
        judgement.policy.origin,
        Origin { from: "base", path: Some("foretaste.yaml".to_owned()), commit: Some("c0ffee".to_owned()) }
    );
    assert_eq!(judgement.policy.sources.len(), 1);
    assert_eq!(judgement.policy.severity(&RULES[1]), Some(Some(Severity::Warning)));
    assert!(!judgement.policy.excludes("x".into()));
    assert_eq!(judgement.policy.datasets.len(), 1);
    assert!(!judgement.adoption);
    let proposed = judgement.proposed(Some(BlobId(7)), None).unwrap();
    assert!(!proposed.first && proposed.before.datasets.is_empty() && proposed.after.sources.len() == 2);
    assert_eq!(proposed.file, Some(BlobId(7)));
    assert!(judgement.notes[0].starts_with("the change also changes foretaste.yaml"));
}

#[test]
fn what_is_stricter_counts_at_once() {
    let judgement =
        judged(&change(Some(BASE), Some("version: 1\nrules: {label-flip: error, invisible-unicode: note}\n")));
    assert_eq!(judgement.policy.severity(&RULES[1]), Some(Some(Severity::Error)));
    assert_eq!(judgement.policy.severity(&RULES[0]), None, "error by itself; a note would be softer");
}

#[test]
fn a_change_that_touches_no_policy_proposes_none() {
    let judgement = judged(&change(Some(BASE), Some(BASE)));
    assert!(judgement.proposed(None, None).is_none() && judgement.notes.is_empty());
    let judgement = judged(&change(None, None));
    assert!(judgement.proposed(None, None).is_none() && !judgement.adoption);
    assert_eq!(judgement.policy.origin.from, "builtin");
}

#[test]
fn the_change_that_adopts_foretaste_is_judged_by_the_built_in_policy() {
    let judgement =
        judged(&change(None, Some("version: 1\ndatasets: {d: {files: x.csv}}\nsources: {s: {match: {path: y}}}\n")));
    assert!(judgement.adoption && judgement.proposed(None, None).unwrap().first);
    assert_eq!(
        (judgement.policy.origin.from, judgement.policy.datasets.len(), judgement.policy.sources.len()),
        ("builtin", 1, 0)
    );
    assert!(judgement.notes[0].starts_with("foretaste.yaml is new in this change"));
}

#[test]
fn a_change_that_deletes_the_policy_is_judged_by_it() {
    let judgement = judged(&change(Some(BASE), None));
    assert_eq!(judgement.policy.sources.len(), 1);
    assert_eq!(judgement.proposed(None, None).unwrap().after.origin.from, "builtin");
    assert!(judgement.notes[0].starts_with("the change deletes foretaste.yaml"));
}

#[test]
fn a_broken_proposal_is_refused_and_a_broken_base_can_be_mended() {
    let broken = "version: 1\nsorces: {}\n";
    assert_eq!(judge(&change(Some(BASE), Some(broken)), day(), &known()).unwrap_err().message, "unknown key `sorces`");
    assert!(judge(&change(Some(broken), Some(broken)), day(), &known()).is_err());
    assert!(judge(&change(Some(broken), None), day(), &known()).is_err(), "deleting it does not mend it");
    let judgement = judged(&change(Some(broken), Some(BASE)));
    assert_eq!((judgement.policy.origin.from, judgement.policy.sources.len()), ("builtin", 0));
    assert!(judgement.notes[0].contains("cannot be used (unknown key `sorces`)"));
}

#[test]
fn the_work_tree_uses_its_own_and_says_where_it_differs() {
    let sides = |own, head| Sides {
        from: Trusted::Worktree,
        trusted: Side { policy: own, ..Side::default() },
        judged: None,
        head: Some(head),
        flag: None,
    };
    assert!(judged(&sides(Some(BASE), Some(BASE))).notes.is_empty());
    assert_eq!(
        judged(&sides(Some(BASE), Some("x"))).notes,
        ["foretaste.yaml differs from the one at HEAD; the work tree's own judges"]
    );
    assert_eq!(judged(&sides(Some(BASE), None)).policy.origin.from, "worktree");
    let gone = judged(&sides(None, Some(BASE)));
    assert_eq!((gone.policy.origin.from, gone.notes.len()), ("builtin", 1));
}

#[test]
fn a_policy_given_on_the_command_line_always_wins() {
    let mut sides = change(Some("broken"), Some("also: broken"));
    sides.flag = Some(("ours.yaml", BASE));
    let judgement = judged(&sides);
    assert_eq!((judgement.policy.origin.from, judgement.policy.origin.path.as_deref()), ("flag", Some("ours.yaml")));
    assert!(judgement.proposed(None, None).is_none());
}

#[test]
fn the_baseline_of_the_trusted_side_counts() {
    let old = format!("# foretaste baseline, version 1\nlabel-flip {PRINT} 1 x\n");
    let new = format!("# foretaste baseline, version 1\nlabel-flip {PRINT} 5 x\n");
    let mut sides = change(Some(BASE), Some(BASE));
    sides.trusted.baseline = Some(&old);
    sides.judged = Some(Side { policy: Some(BASE), baseline: Some(&new), ..Side::default() });
    let judgement = judged(&sides);
    assert_eq!(judgement.baseline.counts()["label-flip"], 1);
    let proposed = judgement.proposed(None, None).unwrap();
    assert_eq!(proposed.baseline_before.grown(proposed.baseline_after)[0].added, 4);
}

#[test]
fn folders_raise_severities_and_nothing_else() {
    let mut sides =
        change(Some("version: 1\nrules: {label-flip: off}\n"), Some("version: 1\nrules: {label-flip: off}\n"));
    sides.trusted.folders =
        vec![("data/legal/foretaste.yaml".into(), "version: 1\nrules: {label-flip: error, invisible-unicode: off}\n")];
    sides.judged.as_mut().unwrap().folders =
        vec![("data/foretaste.yaml".into(), "version: 1\nrules: {label-flip: note}\nexclude: [x]\n")];
    let judgement = judged(&sides);
    let policy = &judgement.policy;
    assert_eq!(policy.folder_severity("label-flip", "data/legal/x.csv".into()), Some(Severity::Error));
    assert_eq!(policy.folder_severity("label-flip", "data/x.csv".into()), Some(Severity::Note));
    assert_eq!(policy.folder_severity("label-flip", "database/x.csv".into()), None);
    assert_eq!(policy.folder_severity("invisible-unicode", "data/legal/x.csv".into()), None);
    assert!(!policy.excludes("x".into()));
    assert_eq!(
        judgement.notes,
        [
            "data/legal/foretaste.yaml only tightens what lies in its folder: `rules` with \"off\" in it is not followed",
            "data/foretaste.yaml only tightens what lies in its folder: `exclude` in it is not followed",
        ]
    );
    assert_eq!(folder_of("foretaste.yaml".into()), None);
    assert_eq!(folder_of("a/not-foretaste.yaml".into()), None);
    assert_eq!(folder_of("a/foretaste.yaml".into()), Some("a/".into()));
}

#[test]
fn a_folder_that_is_no_longer_strict_is_proposed_and_stays_strict_until_then() {
    let strict = "version: 1\nrules: {label-flip: error}\n";
    let mut sides = change(Some(BASE), Some(BASE));
    sides.trusted.folders = vec![("data/legal/foretaste.yaml".into(), strict)];
    let judgement = judged(&sides);
    assert_eq!(judgement.policy.folder_severity("label-flip", "data/legal/x".into()), Some(Severity::Error));
    let proposed = judgement.proposed(None, None).unwrap();
    assert_eq!((proposed.before.folders.len(), proposed.after.folders.len()), (1, 0));
    sides.judged.as_mut().unwrap().folders.clone_from(&sides.trusted.folders);
    assert!(judged(&sides).proposed(None, None).is_none(), "nothing about it changes");
}

#[test]
fn a_broken_policy_of_a_folder_can_be_mended() {
    let mut sides = change(Some(BASE), Some(BASE));
    sides.trusted.folders = vec![("data/foretaste.yaml".into(), "version: 1\nrulez: {}\n")];
    sides.judged.as_mut().unwrap().folders.clone_from(&sides.trusted.folders);
    assert!(judge(&sides, day(), &known()).is_err(), "it is not ignored");
    sides.judged.as_mut().unwrap().folders[0].1 = "version: 1\nrules: {label-flip: error}\n";
    let judgement = judged(&sides);
    assert_eq!(judgement.policy.folder_severity("label-flip", "data/x".into()), Some(Severity::Error));
    assert!(judgement.notes[0].starts_with("data/foretaste.yaml of the trusted side cannot be used"));
}

#[test]
fn a_policy_in_a_folder_that_is_excluded_is_not_read() {
    let mut sides = change(Some("version: 1\nexclude: [vendor/]\n"), Some("version: 1\nexclude: [vendor/]\n"));
    sides.trusted.folders = vec![("vendor/x/foretaste.yaml".into(), "not: ours\n")];
    assert!(judged(&sides).policy.folders.is_empty());
}
