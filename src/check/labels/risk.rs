//! Findings of `maintainer-risk`: one for each person whose commits are unusual.

use std::collections::BTreeMap;

use bstr::ByteSlice;
use serde_json::{Value, json};

use super::flip::some;
use super::people::{Identity, Who, mail};
use super::signals::{ByPath, Evidence, Past, Signal, weight};
use super::{RISK, RULES, Seen};
use crate::finding::{Finding, Mark, content_hash, first_of_each_blob};
use crate::rule::{Confidence, Severity};
use crate::source::Commit;

/// Says what is unusual about the people behind the judged commits.
pub(super) fn findings(seen: &Seen, who: &Who<'_>, findings: &mut Vec<Finding>) {
    let mut by_path = ByPath::default();
    for flips in &seen.flips {
        let set = &seen.sets[flips.set];
        for (path, count) in &flips.paths {
            let touched = set.touched();
            by_path.add(path.as_bstr(), Evidence { flips: *count, touched });
        }
    }
    let mut past = Past::default();
    for &(identity, commit) in &who.earlier {
        past.add(identity, commit);
    }
    for (identity, commit) in &who.judged {
        past.stamp(commit);
        past.place(commit, Some(*identity));
    }
    #[allow(clippy::type_complexity)] // what each person did, in one table
    let mut people: BTreeMap<Identity, Vec<(&Commit, Evidence, Vec<Signal>)>> = BTreeMap::new();
    for &(identity, commit) in &who.judged {
        let evidence = by_path.of(commit);
        let signals = past.signals(identity, commit, evidence);
        if !signals.is_empty() {
            people.entry(identity).or_default().push((commit, evidence, signals));
        }
    }
    findings.extend(people.values().map(|commits| finding(commits, who)));
}

fn finding(commits: &[(&Commit, Evidence, Vec<Signal>)], who: &Who<'_>) -> Finding {
    let (first, ..) = commits[0];
    // Each signal once, as it was first seen.
    let mut signals: Vec<(&Commit, &Signal)> = Vec::new();
    for (commit, _, list) in commits {
        for signal in list {
            if !signals.iter().any(|(_, known)| (known.name, &known.value) == (signal.name, &signal.value)) {
                signals.push((commit, signal));
            }
        }
    }
    let flips = commits.iter().map(|(_, evidence, _)| evidence.flips).max().unwrap_or(0);
    let mut words: Vec<&str> = Vec::new();
    for (_, signal) in &signals {
        if !words.contains(&signal.words.as_str()) && words.len() < 4 {
            words.push(&signal.words);
        }
    }
    let id = first.id.to_string();
    let more = match commits.len() {
        1 => String::new(),
        n => format!(" and of {} more", some(n as u64 - 1, "commit")),
    };
    let message = format!(
        "the author of commit {}{more} {}; consistent with an honest change as well as with a borrowed or new account",
        &id[..id.len().min(10)],
        words.join(", and "),
    );
    let mut finding = Finding::new(&RULES[RISK], format!("person {}", mail(&first.author)), message);
    // Metadata alone stays a note unless it is of a kind that honest histories do not have; two signs that coincide, or
    // one and flipped labels, are worth a look.
    let alone = signals.iter().any(|(_, signal)| signal.alone);
    let names = weight(signals.iter().map(|(_, signal)| *signal), flips);
    let warn = alone || names >= 2 || flips >= 3;
    finding.severity = if warn { Severity::Warning } else { Severity::Note };
    finding.confidence = Confidence::Low;
    finding.help =
        "ask the author, by a way that does not depend on this repository, whether the change is theirs and why it \
                    was made, and have somebody else read the rows"
            .into();
    for (commit, _, list) in commits {
        let mut names: Vec<&str> = list.iter().map(|signal| signal.name).collect();
        names.dedup();
        for blob in commit.paths.iter().filter_map(|path| who.number(path.as_bstr())) {
            let mut mark = Mark::name(blob).with_note(names.join(", "));
            mark.commit = Some(commit.id.to_string());
            mark.content = content_hash(commit.id.to_string().as_bytes());
            finding.marks.push(mark);
        }
    }
    finding.total = finding.marks.len() as u64;
    finding.marks = first_of_each_blob(finding.marks);
    let list = signals.iter().map(|(commit, signal)| {
        json!({
            "name": signal.name,
            "value": signal.value,
            "threshold": signal.threshold,
            "commit": commit.id.to_string(),
        })
    });
    finding.evidence.insert("signals", Value::Array(list.collect()));
    finding.evidence.insert("flips", json!(flips));
    finding.evidence.insert("earlier_commits", json!(who.earlier.len()));
    finding.evidence.insert("author", json!(first.author.name.to_str_lossy()));
    finding
}

#[cfg(test)]
pub(super) mod tests {
    use bstr::BString;

    use super::*;
    use crate::check::{Check, Observation};
    use crate::source::{ObjectId, People, Person};

    pub(crate) fn person(name: &str, mail: &str) -> Person {
        Person { name: name.into(), mail: mail.into(), seconds: 0, offset: 3600 }
    }

    /// The `n`th commit, a day after the one before.
    pub(crate) fn commit(n: i64, name: &str, mail: &str, paths: &[&str]) -> Commit {
        let mut id = [0; 20];
        id[..8].copy_from_slice(&n.to_be_bytes());
        let author = Person { seconds: n * 86_400, ..person(name, mail) };
        Commit {
            id: ObjectId::from_bytes_or_panic(&id),
            parents: 1,
            before: Vec::new(),
            reviewed: false,
            committer: author.clone(),
            author,
            signed: false,
            verdict: None,
            subject: "update data".to_owned(),
            paths: paths.iter().map(|&path| BString::from(path)).collect(),
        }
    }

    const PATH: &str = "d/a.csv";

    /// A settled history: forty commits of Ada, who signs if `signed`.
    fn history(signed: bool) -> Vec<Commit> {
        (0..40).map(|n| Commit { signed, ..commit(n, "Ada Lovelace", "ada@a.org", &[PATH]) }).collect()
    }

    /// Rows of two classes; the first `flips` of them went from `x` to `y`.
    fn judge(flips: usize, judged: &[Commit], earlier: &[Commit]) -> Vec<Finding> {
        use crate::diff::trial::Trial;
        let rows = |label: &str, flips: usize| {
            let one = |n: usize| format!("text number {n} of many\t{}\n", if n < flips { "y" } else { label });
            (0..60).map(one).collect::<String>()
        };
        let trial = Trial::default()
            .file(PATH, Some(&rows("x", 0)), Some(&rows("x", flips)))
            .rest("d/", &[("x", 100), ("y", 100)]);
        let labels = super::super::Labels;
        let mut seen = Seen::default();
        trial.compare(|changes| labels.observe(&mut seen, &Observation::Changes(changes)));
        labels.observe(&mut seen, &Observation::People(&People { judged, earlier, files: &[] }));
        let mut findings = Vec::new();
        labels.finish(seen, &mut findings);
        findings
    }

    /// The severity of `maintainer-risk` and the names of its signals.
    fn signals(flips: usize, judged: &[Commit], earlier: &[Commit]) -> Option<(Severity, Vec<String>)> {
        let findings = judge(flips, judged, earlier);
        let finding = findings.iter().find(|finding| finding.rule.id == "maintainer-risk")?;
        let list = finding.evidence["signals"].as_array().expect("signals are a list");
        let name = |signal: &Value| signal["name"].as_str().expect("a signal has a name").to_owned();
        Some((finding.severity, list.iter().map(name).collect()))
    }

    fn one(severity: Severity, name: &str) -> Option<(Severity, Vec<String>)> {
        Some((severity, vec![name.to_owned()]))
    }

    #[test]
    fn what_is_usual_is_not_told() {
        let ada = [commit(41, "Ada Lovelace", "ada@a.org", &[PATH])];
        assert_eq!(signals(5, &ada, &history(false)), None);
        let new = [commit(41, "Grace Hopper", "grace@b.org", &[PATH])];
        // A newcomer who changes no label, and one in a repository where everybody is new.
        assert_eq!(signals(0, &new, &history(false)), None);
        assert_eq!(signals(5, &new, &history(false)[..5]), None);
    }

    #[test]
    fn a_newcomer_who_flips_labels_is_told_and_weighs_on_the_flips() {
        let new = [commit(41, "Grace Hopper", "grace@b.org", &[PATH])];
        let findings = judge(25, &new, &history(false));
        let flip = findings.iter().find(|finding| finding.rule.id == "label-flip").expect("labels flipped");
        assert_eq!(flip.severity, Severity::Error);
        assert_eq!(flip.marks[0].commit.as_deref(), Some(new[0].id.to_string().as_str()));
        assert_eq!(signals(25, &new, &history(false)), one(Severity::Warning, "newcomer-label-edit"));
        // The same by somebody who is known is a warning.
        let ada = [commit(41, "Ada Lovelace", "ada@a.org", &[PATH])];
        assert_eq!(judge(25, &ada, &history(false))[0].severity, Severity::Warning);
    }

    #[test]
    fn a_name_that_looks_like_another_is_told_without_any_flip() {
        let greek = [commit(41, "Ada Lov\u{3b5}lace", "ada@evil.org", &[PATH])];
        assert_eq!(signals(0, &greek, &history(false)), one(Severity::Warning, "look-alike-identity"));
        // Two signs of one name are named once.
        let cyrillic = [commit(41, "Ada L\u{43e}velace", "ada@evil.org", &[PATH])];
        let findings = judge(0, &cyrillic, &history(false));
        assert_eq!(findings[0].evidence["signals"].as_array().map(Vec::len), Some(2));
        assert_eq!(findings[0].marks[0].note.as_deref(), Some("look-alike-identity"));
        let capital = [commit(41, "Ada LoveIace", "ada@evil.org", &[PATH])];
        assert_eq!(signals(0, &capital, &history(false)), one(Severity::Warning, "look-alike-identity"));
        // Blanks and hyphens are how honest names differ.
        let spaced = [commit(41, "AdaLovelace", "ada@b.org", &[PATH])];
        assert_eq!(signals(0, &spaced, &history(false)), None);
        let japanese = [commit(41, "山田 タロウ (Taro)", "taro@b.org", &[PATH])];
        assert_eq!(signals(0, &japanese, &history(false)), None);
    }

    #[test]
    fn a_lapse_of_signing_is_a_note_alone_and_a_warning_beside_flips() {
        let ada = [commit(41, "Ada Lovelace", "ada@a.org", &[PATH])];
        assert_eq!(signals(0, &ada, &history(true)), one(Severity::Note, "unsigned-where-signed"));
        assert_eq!(signals(5, &ada, &history(true)), one(Severity::Warning, "unsigned-where-signed"));
        // Where lapses are usual, one more says nothing.
        let mut mixed = history(true);
        mixed.iter_mut().skip(15).step_by(12).for_each(|commit| commit.signed = false);
        assert_eq!(signals(5, &ada, &mixed), None);
    }

    #[test]
    fn a_web_commit_without_signature_is_told() {
        let mut web = commit(41, "Ada Lovelace", "ada@a.org", &[PATH]);
        web.committer = person("GitHub", "noreply@github.com");
        web.committer.seconds = web.author.seconds;
        assert_eq!(signals(0, &[web.clone()], &history(false)), None, "it did not sign in those days");
        web.committer.seconds = 1_600_000_000;
        assert_eq!(signals(0, &[web], &history(false)), one(Severity::Warning, "unsigned-web-commit"));
    }

    #[test]
    fn zones_are_held_against_who_committed() {
        let mut earlier = history(false);
        earlier.extend((0..12).map(|n| {
            let mut other = commit(50 + n, "Jia", "jia@j.org", &[PATH]);
            other.author.offset = 8 * 3600;
            other
        }));
        let mut foreign = commit(80, "Ada Lovelace", "ada@a.org", &[PATH]);
        foreign.author.offset = 8 * 3600;
        // Ada travels.
        assert_eq!(signals(0, &[foreign.clone()], &earlier), None);
        foreign.committer = Person { seconds: foreign.author.seconds, ..person("Jia", "jia@j.org") };
        assert_eq!(signals(0, &[foreign.clone()], &earlier), one(Severity::Note, "foreign-timezone"));
        // An hour later she is at home again.
        let mut back = commit(80, "Ada Lovelace", "ada@a.org", &[PATH]);
        back.author.seconds += 3600;
        back.committer.seconds += 3600;
        let both = signals(0, &[foreign, back], &earlier).expect("both are told");
        assert_eq!((both.0, both.1.len()), (Severity::Warning, 2));
    }

    #[test]
    fn flips_after_a_long_rest_and_from_a_new_domain_are_told() {
        let late = [commit(400, "Ada Lovelace", "ada@a.org", &[PATH])];
        assert_eq!(signals(1, &late, &history(false)), one(Severity::Note, "dormant-revival"));
        let drifted = [commit(41, "Ada Lovelace", "ada@elsewhere.net", &[PATH])];
        assert_eq!(signals(1, &drifted, &history(false)), one(Severity::Note, "identity-drift"));
    }

    /// Commits of one person, a day after the other.
    fn by(name: &str, days: std::ops::Range<i64>) -> Vec<Commit> {
        let mail = format!("{}@x.org", name.to_lowercase());
        days.map(|day| commit(day, name, &mail, &[PATH])).collect()
    }

    #[test]
    fn new_hands_after_a_long_rest_are_told_once() {
        let told = |days: i64| {
            let earlier = [by("Ada", 0..60), by("Grace", 300..300 + days)].concat();
            signals(0, &by("Grace", 300 + days..301 + days), &earlier)
        };
        assert_eq!(told(6), None);
        assert_eq!(told(7), one(Severity::Note, "dormant-revival"));
        assert_eq!(told(8), None);
        // Whoever was there before only comes back.
        let earlier = [by("Ada", 0..60), by("Ada", 300..307)].concat();
        assert_eq!(signals(0, &by("Ada", 307..308), &earlier), None);
    }

    #[test]
    fn a_change_of_hands_is_told_with_both_shares() {
        let mixed = |ada: usize| {
            let mut all = by("Ada", 0..200);
            all.extend(by("Grace", 200..230));
            all.extend(by("Ada", 230..230 + ada as i64));
            all
        };
        let judged = by("Grace", 390..391);
        let findings = judge(0, &judged, &mixed(0));
        let risk = findings.iter().find(|finding| finding.rule.id == "maintainer-risk").expect("hands changed");
        assert_eq!(risk.evidence["signals"][0]["name"], "ownership-shift");
        assert_eq!(risk.evidence["signals"][0]["value"], "21/21 after 10/210");
        assert_eq!(risk.severity, Severity::Note);
        assert_eq!(signals(0, &judged, &mixed(40)), None);
    }

    #[test]
    fn times_out_of_order_are_context() {
        let mut odd = commit(41, "Ada Lovelace", "ada@a.org", &[PATH]);
        odd.committer.seconds -= 3600;
        assert_eq!(signals(0, &[odd.clone()], &history(false)), one(Severity::Note, "timestamp-order"));
        // Beside flips it counts as one sign of two.
        let late = commit(400, "Ada Lovelace", "ada@a.org", &[PATH]);
        let odd =
            Commit { committer: Person { seconds: late.author.seconds - 3600, ..late.committer.clone() }, ..late };
        let found = signals(1, &[odd], &history(false)).expect("both are told");
        assert_eq!((found.0, found.1), (Severity::Warning, vec!["dormant-revival".into(), "timestamp-order".into()]));
    }

    #[test]
    fn a_burst_of_commits_weighs_beside_flips() {
        let mut earlier = by("Ada", 0..400);
        earlier.retain(|commit| commit.author.seconds / 86_400 % 7 == 0);
        earlier.extend(
            (0..40)
                .map(|n| Commit { id: commit(1000 + n, "", "", &[]).id, ..commit(402, "Ada", "ada@x.org", &[PATH]) }),
        );
        let judged = by("Ada", 402..403);
        assert_eq!(signals(0, &judged, &earlier), None);
        assert_eq!(signals(1, &judged, &earlier), one(Severity::Note, "burst"));
    }

    #[test]
    fn places_are_files_and_name_their_commit() {
        let new = [commit(41, "Grace Hopper", "grace@b.org", &[PATH, "README.md"])];
        let findings = judge(5, &new, &history(false));
        let risk = findings.iter().find(|finding| finding.rule.id == "maintainer-risk").expect("a newcomer flips");
        assert_eq!((risk.marks.len(), risk.total), (1, 1));
        assert_eq!(risk.marks[0].commit, Some(new[0].id.to_string()));
        assert!(!risk.message.contains("Grace"), "people are named in the evidence alone: {}", risk.message);
    }
}
