//! What the names in code and configuration are tied to: nothing is ever downloaded for it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::format::{Reference, Target};
use crate::policy::lock::{Lock, LockedReference, is_pin, name};
use crate::source::hub;

/// References with what they resolve to, and those that nothing here resolves.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) list: Vec<LockedReference>,
    /// The command that resolves each where there is a network; `None` where there is no such command.
    pub(super) open: Vec<(String, Option<String>)>,
}

/// Resolves from the code itself, from a list that was handed in, from the cache of the hub, from the lock before, in this
/// order.
pub(super) fn resolve(
    references: &[Reference],
    handed: &BTreeMap<(String, String, String), String>,
    old: Option<&Lock>,
    today: Date,
) -> Resolved {
    let cache = hub::cache();
    let mut resolved = Resolved::default();
    let mut seen = BTreeSet::new();
    for reference in references {
        let kind = reference.kind.as_str();
        if !reference.is_remote()
            || !matches!(reference.kind, Target::Dataset | Target::Model)
            || reference.target.is_empty()
        {
            continue;
        }
        let (hub_name, revision) = (reference.hub, reference.pin.as_deref());
        let name = name(&reference.target, revision).into_owned();
        if !seen.insert((kind, hub_name, name.clone())) {
            continue;
        }
        let before = old.and_then(|old| old.reference(kind, hub_name, &reference.target, revision));
        let written = reference.pin.clone().filter(|pin| is_pin(pin)).map(|pin| (pin, "written"));
        let listed =
            || handed.get(&(kind.to_owned(), hub_name.to_owned(), name.clone())).map(|pin| (pin.clone(), "file"));
        let cached = || {
            let revision = reference.pin.as_deref().unwrap_or("main");
            let cache = cache.as_deref().filter(|_| hub_name == "huggingface")?;
            hub::resolve(cache, kind, &reference.target, revision).map(|pin| (pin, "cache"))
        };
        let kept = || before.map(|before| (before.pin.clone(), before.how.as_str()));
        match written.or_else(listed).or_else(cached).or_else(kept) {
            Some((pin, how)) => {
                let retrieved = before.filter(|before| before.pin == pin).map_or(today, |before| before.retrieved);
                resolved.list.push(LockedReference {
                    kind: kind.to_owned(),
                    hub: hub_name.to_owned(),
                    how: how.to_owned(),
                    target: name,
                    pin,
                    retrieved,
                    span: crate::span::Span::default(),
                });
            }
            None => resolved.open.push((format!("{kind} {hub_name} {name}"), command(reference, &name))),
        }
    }
    resolved.list.sort_by(|a, b| a.key().cmp(&b.key()));
    resolved.open.sort();
    resolved
}

/// A line of shell that resolves a reference elsewhere. Only for names that mean nothing to a shell.
fn command(reference: &Reference, name: &str) -> Option<String> {
    let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b));
    let revision = reference.pin.as_deref().unwrap_or("HEAD");
    if !is_plain(&reference.target) || !is_plain(revision) || revision.starts_with('-') {
        return None;
    }
    let kind = reference.kind.as_str();
    let remote = match (reference.hub, reference.kind) {
        ("huggingface", Target::Dataset) => format!("https://huggingface.co/datasets/{}", reference.target),
        ("huggingface", _) => format!("https://huggingface.co/{}", reference.target),
        _ => return None,
    };
    let hub = reference.hub;
    Some(format!("echo \"{kind} {hub} {name} $(git ls-remote {remote} {revision} | cut -f1)\" >> resolved.txt"))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::format::Verdict;
    use crate::span::Span;

    fn reference(target: &str, pin: Option<&str>, verdict: Verdict) -> Reference {
        Reference {
            kind: Target::Dataset,
            hub: "huggingface",
            target: target.to_owned(),
            pin: pin.map(str::to_owned),
            verdict,
            framework: "datasets",
            by: "load_dataset".to_owned(),
            span: Span::default(),
            remote_code: false,
            fix: String::new(),
        }
    }

    const PIN: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn what_is_written_handed_in_or_locked_before_resolves_and_the_rest_gets_a_command() {
        let references = [
            reference("foretaste-test/a", Some(PIN), Verdict::Pinned),
            reference("foretaste-test/b", None, Verdict::Unpinned),
            reference("foretaste-test/c", Some("v1"), Verdict::Weak),
            reference("foretaste-test/b", None, Verdict::Unpinned),
            reference("x$(rm)/y", None, Verdict::Unpinned),
            reference("./local", None, Verdict::Local),
        ];
        let handed =
            BTreeMap::from([(("dataset".into(), "huggingface".into(), "foretaste-test/b".into()), "f".repeat(40))]);
        let resolved = resolve(&references, &handed, None, date(2026, 11, 23));
        let shown: Vec<_> = resolved.list.iter().map(|r| (r.target.as_str(), r.how.as_str())).collect();
        assert_eq!(shown, [(format!("foretaste-test/a@{PIN}").as_str(), "written"), ("foretaste-test/b", "file")]);
        assert_eq!(resolved.open.len(), 2);
        assert!(resolved.open[0].1.as_ref().unwrap().contains("datasets/foretaste-test/c v1 | cut"));
        assert_eq!(resolved.open[1].1, None, "a name that a shell would run is not put into a command");

        // The day stays while the pin does.
        let old = Lock { repo: "r".into(), references: resolved.list, ..Lock::default() };
        let again = resolve(&references[1..2], &BTreeMap::new(), Some(&old), date(2026, 12, 1));
        assert_eq!(
            (again.list[0].retrieved, again.list[0].pin.as_str()),
            (date(2026, 11, 23), "f".repeat(40).as_str())
        );
    }
}
