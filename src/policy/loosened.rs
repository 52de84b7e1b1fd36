//! What a proposed policy permits that the one in force does not.
//!
//! One [`Loosened`] for each thing, with its place in the new file and what it was before. Listing the first source or
//! requiring more is no loosening: where nothing was narrowed before, nothing can be widened.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::lens::Role;
use crate::policy::baseline::Grown;
use crate::policy::node::{self, Node, Value};
use crate::policy::trust::Proposed;
use crate::policy::{COMMON, Dataset, Exception, Key, Policy, Source, SourceMatch};
use crate::rule::Severity;
use crate::span::Span;

/// One thing that is loosened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Loosened {
    /// What it is, in words that survive moved lines: `exclude vendor/**`.
    pub(crate) cause: String,
    /// One sentence: before and after.
    pub(crate) message: String,
    /// Where: the file, and places in it.
    pub(crate) places: Places,
    /// Which part of the policy: `rules`, `exceptions`, `baseline`, ….
    pub(crate) part: &'static str,
}

/// Where something is loosened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Places {
    /// In the proposed policy; `None` where what loosens is that something is gone.
    Policy(Option<Span>),
    /// In the proposed baseline: each entry, and how many places it adds.
    Baseline(Vec<(Span, u64)>),
}

/// Compares the two policies. `default` gives the severity that a rule has by itself.
pub(crate) fn loosened(proposed: &Proposed<'_>, default: &dyn Fn(&str) -> Option<Severity>) -> Vec<Loosened> {
    let Proposed { before, after, .. } = proposed;
    let mut list = List { after, found: Vec::new() };
    if before.tree.is_some() && after.tree.is_none() {
        list.say("policy", "policy deleted".to_owned(), "the policy is deleted".to_owned(), &[]);
    } else {
        rules(before, after, default, &mut list);
        folders(before, after, &mut list);
        exceptions(before, after, &mut list);
        sources(before, after, &mut list);
        keys(before, after, &mut list);
        require(before, after, &mut list);
        rest(before, after, &mut list);
        datasets(before, after, &mut list);
    }
    let mut found = list.found;
    found.extend(baseline(&proposed.baseline_before.grown(proposed.baseline_after)));
    found
}

struct List<'p> {
    after: &'p Policy,
    found: Vec<Loosened>,
}

impl List<'_> {
    /// Adds a finding at the nearest of these keys that the new file has.
    fn say(&mut self, part: &'static str, cause: String, message: String, keys: &[&str]) {
        let place = self.after.place(keys);
        self.at(part, cause, message, place);
    }

    fn at(&mut self, part: &'static str, cause: String, message: String, place: Option<Span>) {
        let place = place.or_else(|| self.after.place(&["version"]));
        self.found.push(Loosened { cause, message, places: Places::Policy(place), part });
    }
}

fn word(severity: Option<Severity>) -> &'static str {
    severity.map_or("off", Severity::as_str)
}

fn rules(before: &Policy, after: &Policy, default: &dyn Fn(&str) -> Option<Severity>, list: &mut List<'_>) {
    let ids: BTreeSet<&str> = before.rules.iter().chain(&after.rules).map(|block| block.rule.as_str()).collect();
    for id in ids {
        let (old, new) = (before.block(id), after.block(id));
        let own = default(id);
        let was = old.and_then(|block| block.severity).unwrap_or(own);
        let is = new.and_then(|block| block.severity).unwrap_or(own);
        if is < was {
            let message = match is {
                None => format!("`{id}` is turned off; it was {}", word(was)),
                Some(_) => format!("`{id}` is lowered from {} to {}", word(was), word(is)),
            };
            list.say("rules", format!("rule {id} {}", word(is)), message, &["rules", id, "severity"]);
        }
        settings(id, old.map(|block| &block.node), new.map(|block| &block.node), list);
    }
}

/// Which way a setting loosens only its rule knows, so that every change of one is told.
fn settings(id: &str, old: Option<&Node>, new: Option<&Node>, list: &mut List<'_>) {
    let own = |node: Option<&Node>| -> Vec<(String, String)> {
        let entries = node.map(Node::entries).unwrap_or_default();
        entries.iter().filter(|e| !COMMON.contains(&e.key.as_str())).map(|e| (e.key.clone(), plain(&e.node))).collect()
    };
    let (old, new) = (own(old), own(new));
    let find =
        |list: &[(String, String)], key: &str| list.iter().find(|(k, _)| k == key).map(|(_, value)| value.clone());
    let names: BTreeSet<&String> = old.iter().chain(&new).map(|(key, _)| key).collect();
    for key in names {
        let (was, is) = (find(&old, key), find(&new, key));
        if was != is {
            let value =
                |v: &Option<String>| v.as_ref().map_or_else(|| "what it is by itself".to_owned(), |v| format!("`{v}`"));
            let message =
                format!("`{key}` of `{id}` changes from {} to {}, which may be weaker", value(&was), value(&is));
            list.say("rules", format!("setting {id} {key} {}", is.unwrap_or_default()), message, &["rules", id, key]);
        }
    }
}

/// A value on one line, cut.
fn plain(node: &Node) -> String {
    let mut text = match &node.value {
        Value::Null => "null".to_owned(),
        Value::Scalar { text, .. } => text.clone(),
        Value::List { items, .. } => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        Value::Map { entries, .. } => {
            let parts: Vec<String> = entries.iter().map(|e| format!("{}: {}", e.key, plain(&e.node))).collect();
            format!("{{{}}}", parts.join(", "))
        }
    };
    if text.chars().count() > 60 {
        text = text.chars().take(60).chain(['…']).collect();
    }
    text
}

fn folders(before: &Policy, after: &Policy, list: &mut List<'_>) {
    for folder in &before.folders {
        for (rule, was) in &folder.severities {
            let same = after.folders.iter().filter(|f| f.path == folder.path).flat_map(|f| &f.severities);
            let is = same.filter(|(id, _)| id == rule).map(|(_, severity)| *severity).max();
            if is < Some(*was) {
                let now = is.map_or("no longer raised".to_owned(), |is| format!("lowered to {}", is.as_str()));
                let message = format!("`{rule}` below {} is {now}; it was {}", folder.path, was.as_str());
                list.at("folders", format!("folder {} {rule}", folder.path), message, None);
            }
        }
    }
}

fn exceptions(before: &Policy, after: &Policy, list: &mut List<'_>) {
    for new in &after.exceptions {
        if before.exceptions.iter().any(|old| covers(old, new) && new.until <= old.until) {
            continue;
        }
        let what = describe(new);
        let until = |e: &Exception| e.until.map_or("for ever".to_owned(), |day| format!("until {day}"));
        let message = if let Some(old) = before.exceptions.iter().find(|old| covers(old, new)) {
            format!("the exception for {what} counts {}; it counted {}", until(new), until(old))
        } else if let Some(old) = before.exceptions.iter().find(|old| covers(new, old)) {
            format!("an exception is widened from {} to {what}", describe(old))
        } else {
            format!("an exception is added for {what}, {}: {} ({})", until(new), node::short(&new.reason), new.owner)
        };
        let cause = format!("exception {what} {}", until(new));
        list.at("exceptions", cause, message, Some(new.span));
    }
}

/// Whether whatever `new` accepts `old` accepts too, their days apart.
pub(super) fn covers(old: &Exception, new: &Exception) -> bool {
    fn within<T: PartialEq>(old: &[T], new: &[T]) -> bool {
        old.is_empty() || !new.is_empty() && new.iter().all(|item| old.contains(item))
    }
    old.rule == new.rule
        && within(&old.patterns, &new.patterns)
        && within(&old.fingerprints, &new.fingerprints)
        && within(&old.code_points, &new.code_points)
        && old.count.is_none_or(|most| new.count.is_some_and(|count| count <= most))
}

fn describe(exception: &Exception) -> String {
    let mut parts = vec![format!("`{}`", exception.rule)];
    if !exception.patterns.is_empty() {
        parts.push(format!("in {}", exception.patterns.join(", ")));
    }
    if !exception.code_points.is_empty() {
        let points: Vec<String> = exception.code_points.iter().map(|n| format!("U+{n:04X}")).collect();
        parts.push(format!("of {}", points.join(", ")));
    }
    match exception.fingerprints.as_slice() {
        [] => {}
        [one] => parts.push(format!("with fingerprint {one}")),
        more => parts.push(format!("with {} fingerprints, the first {}", more.len(), more[0])),
    }
    if let Some(count) = exception.count {
        parts.push(format!("at most {count} times"));
    }
    parts.join(" ")
}

fn same_kind(a: &SourceMatch, b: &SourceMatch) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

fn sources(before: &Policy, after: &Policy, list: &mut List<'_>) {
    if before.sources.is_empty() {
        // Nothing was denied; the first source begins to deny.
        return;
    }
    if after.sources.is_empty() {
        let message =
            format!("the allowlist is taken away: any source counts as allowed; {} were listed", before.sources.len());
        list.say("sources", "sources none".to_owned(), message, &["sources"]);
        return;
    }
    for new in &after.sources {
        let named = before.sources.iter().find(|old| old.name == new.name && same_kind(&old.matches, &new.matches));
        let Some(old) = named.or_else(|| before.sources.iter().find(|old| allows(old, new))) else {
            let said = |what: &str, word: &Option<String>| match word {
                Some(word) => format!("{what} {}", node::short(word)),
                None => format!("no {what}"),
            };
            let message = format!(
                "the source `{}` is added: {} ({}, {})",
                new.name,
                new.written.join(", "),
                said("licence", &new.licence),
                said("reviewer", &new.reviewer)
            );
            list.at("sources", format!("source {} {}", new.name, new.written.join(" ")), message, Some(new.span));
            continue;
        };
        source(old, new, list);
    }
}

fn allows(old: &Source, new: &Source) -> bool {
    let hub = matches!(old.matches, SourceMatch::Hub(_));
    let within = |old: &str, new: &str| {
        let open = old.strip_suffix("/**").or_else(|| old.strip_suffix("/*").filter(|_| hub));
        old == new || open.is_some_and(|start| new.strip_prefix(start).is_some_and(|rest| rest.starts_with('/')))
    };
    same_kind(&old.matches, &new.matches)
        && new.written.iter().all(|new| old.written.iter().any(|old| within(old, new)))
}

fn source(old: &Source, new: &Source, list: &mut List<'_>) {
    let name = new.name.as_str();
    if !allows(old, new) || old.kind.is_some() && new.kind != old.kind {
        let kind = |s: &Source| s.kind.map_or(String::new(), |kind| format!(" ({kind})"));
        let message = format!(
            "the source `{name}` matches {}{}; it matched {}{}",
            new.written.join(", "),
            kind(new),
            old.written.join(", "),
            kind(old)
        );
        list.say(
            "sources",
            format!("source {name} {}{}", new.written.join(" "), kind(new)),
            message,
            &["sources", name, "match"],
        );
    }
    let rank = |pin: &Option<String>| match pin.as_deref() {
        None => 0,
        Some("lock") => 1,
        Some(_) => 2,
    };
    if rank(&new.pin) < rank(&old.pin) {
        let pin = |s: &Source| s.pin.clone().unwrap_or_else(|| "nothing".to_owned());
        let message = format!("references to the source `{name}` are tied to {}; they were to {}", pin(new), pin(old));
        list.say("sources", format!("source {name} pin {}", pin(new)), message, &["sources", name, "pin"]);
    }
    // A later end that comes with a new review is what reviews are for.
    let reviewed_again = new.reviewed > old.reviewed;
    if later(new.expires, old.expires) && !reviewed_again {
        let message =
            format!("the review of `{name}` counts {}; it counted {}", until(new.expires), until(old.expires));
        list.say("sources", format!("source {name} {}", until(new.expires)), message, &["sources", name, "expires"]);
    }
    let trust = |s: &Source| match s.trust {
        Some("untrusted") => 0,
        Some("vendor" | "third-party") => 1,
        None => 2,
        Some(_) => 3,
    };
    if trust(new) > trust(old) {
        let of = |s: &Source| s.trust.unwrap_or("not said");
        let message = format!("the trust in `{name}` rises from {} to {}", of(old), of(new));
        list.say("sources", format!("source {name} trust {}", of(new)), message, &["sources", name, "trust"]);
    }
}

/// Whether an end is later than another; none is the latest.
fn later(new: Option<Date>, old: Option<Date>) -> bool {
    match (new, old) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(new), Some(old)) => new > old,
    }
}

fn until(day: Option<Date>) -> String {
    day.map_or("without an end".to_owned(), |day| format!("until {day}"))
}

fn keys(before: &Policy, after: &Policy, list: &mut List<'_>) {
    let old_keys = || before.keys.iter();
    for new in &after.keys {
        let material = |key: &Key| (key.minisign.clone(), key.ssh.clone(), key.ecdsa.clone());
        let Some(old) = old_keys().find(|old| material(old) == material(new)) else {
            let verb = if old_keys().any(|old| old.name == new.name) { "replaced by another" } else { "added" };
            let message = format!("the key `{}` of {} is {verb}", new.name, new.principal);
            let cause = {
                let other = new.ssh.as_deref().or(new.ecdsa.as_deref()).unwrap_or_default();
                format!("key {} {}{other}", new.name, new.minisign)
            };
            list.at("keys", cause, message, Some(new.span));
            continue;
        };
        let name = new.name.as_str();
        let mut changed = |field: &str, was: String, is: String| {
            let message = format!("`{field}` of the key `{name}` changes from {was} to {is}");
            list.say("keys", format!("key {name} {field} {is}"), message, &["keys", name, field]);
        };
        if new.principal != old.principal {
            changed("principal", old.principal.clone(), new.principal.clone());
        }
        if later(new.until, old.until) {
            changed("until", until(old.until), until(new.until));
        }
        if old.from.is_some_and(|was| new.from.is_none_or(|is| is < was)) {
            let from = |day: Option<Date>| day.map_or("always".to_owned(), |day| day.to_string());
            changed("from", from(old.from), from(new.from));
        }
        if old.revoked && !new.revoked {
            changed("revoked", "true".to_owned(), "false".to_owned());
        } else if old.earlier_untrusted && new.revoked && !new.earlier_untrusted {
            changed("revoked", "earlier: untrusted".to_owned(), "earlier: trusted".to_owned());
        } else if let (Some(was), Some(is)) = (old.revoked_at, new.revoked_at)
            && is > was
        {
            changed("revoked", was.to_string(), is.to_string());
        }
        let added: Vec<&String> = new.roles.iter().filter(|role| !old.roles.contains(role)).collect();
        if !added.is_empty() {
            changed("roles", format!("[{}]", old.roles.join(", ")), format!("[{}]", new.roles.join(", ")));
        }
    }
}

fn require(before: &Policy, after: &Policy, list: &mut List<'_>) {
    let (old, new) = (&before.require, &after.require);
    let mut weaker = |weaker: bool, key: &str, was: String, is: String| {
        if weaker {
            let message = format!("`require: {key}` goes from {was} to {is}");
            list.say("require", format!("require {key} {is}"), message, &["require", key]);
        }
    };
    weaker(new.signatures < old.signatures, "signatures", old.signatures.to_string(), new.signatures.to_string());
    weaker(old.full_coverage && !new.full_coverage, "coverage", "full".into(), "data".into());
    weaker(old.exclude_author && !new.exclude_author, "exclude_author", "true".into(), "false".into());
    let change = |on: bool, n: u32| if n > 0 { format!("{n} signatures") } else { on.to_string() };
    weaker(
        old.policy_change && !new.policy_change || new.policy_change_signatures < old.policy_change_signatures,
        "policy_change",
        change(old.policy_change, old.policy_change_signatures),
        change(new.policy_change, new.policy_change_signatures),
    );
    let wider = !old.roles.is_empty() && (new.roles.is_empty() || new.roles.iter().any(|r| !old.roles.contains(r)));
    weaker(wider, "roles", format!("[{}]", old.roles.join(", ")), format!("[{}]", new.roles.join(", ")));
    let asked = |moments: &[crate::policy::lock::Moment]| {
        let all = moments.iter().map(|moment| moment.as_str()).collect::<Vec<_>>().join(", ");
        if moments.is_empty() { "always".to_owned() } else { format!("[{all}]") }
    };
    let seldom = !new.signed_at.is_empty()
        && (old.signed_at.is_empty() || old.signed_at.iter().any(|moment| !new.signed_at.contains(moment)))
        && old.signatures > 0;
    weaker(seldom, "signed_at", asked(&old.signed_at), asked(&new.signed_at));
    weaker(old.signed_commits && !new.signed_commits, "signed_commits", "true".into(), "false".into());
    let fewer = old.models.iter().any(|folder| !new.models.contains(folder));
    weaker(fewer, "model_signatures", format!("[{}]", old.models.join(", ")), format!("[{}]", new.models.join(", ")));
    let days = |n: Option<u32>| n.map_or("any age".to_owned(), |n| n.to_string());
    let older = old.max_age_days.is_some_and(|was| new.max_age_days.is_none_or(|is| is > was));
    weaker(older, "max_age_days", days(old.max_age_days), days(new.max_age_days));
}

/// Excludes, languages, people and limits.
fn rest(before: &Policy, after: &Policy, list: &mut List<'_>) {
    for (pattern, span) in &after.excluded {
        if !before.excluded.iter().any(|(old, _)| old == pattern) {
            let message = format!("`{pattern}` is excluded: nothing in it is judged any more");
            list.at("exclude", format!("exclude {pattern}"), message, Some(*span));
        }
    }
    let (old, new) = (&before.languages, &after.languages);
    if !old.is_empty() && (new.is_empty() || new.iter().any(|language| !old.contains(language))) {
        let of = |l: &[String]| if l.is_empty() { "any".to_owned() } else { l.join(", ") };
        let message = format!("the languages go from {} to {}", of(old), of(new));
        list.say("languages", format!("languages {}", new.join(" ")), message, &["languages"]);
    }
    for (key, old, new) in [
        ("bots", &before.people.bots, &after.people.bots),
        ("maintainers", &before.people.maintainers, &after.people.maintainers),
    ] {
        for mail in new.iter().filter(|mail| !old.contains(mail)) {
            let message = format!("{mail} is added to `people: {key}`");
            list.say("people", format!("people {key} {mail}"), message, &["people", key]);
        }
    }
    if let Some(old) = &before.repo
        && after.repo.as_ref() != Some(old)
    {
        let is = after.repo.as_deref().unwrap_or("nothing");
        let message = format!("signatures are bound to {is}; they were to {old}");
        list.say("repo", format!("repo {is}"), message, &["repo"]);
    }
    let (old, new) = (&before.limits, &after.limits);
    for (key, was, is) in [
        ("blob", old.blob, new.blob),
        ("record", old.record, new.record),
        ("config", old.config, new.config),
        ("depth", old.depth.into(), new.depth.into()),
        ("ratio", old.ratio, new.ratio),
        ("fields", old.fields.into(), new.fields.into()),
    ] {
        if is > was {
            let message = format!("the limit `{key}` is raised from {was} to {is}");
            list.say("limits", format!("limit {key} {is}"), message, &["limits", key]);
        }
    }
}

/// Descriptions count at once, but one that makes a dataset smaller or its labels vanish also takes rules off it.
fn datasets(before: &Policy, after: &Policy, list: &mut List<'_>) {
    for old in &before.datasets {
        let name = &*old.name;
        let still: Vec<&Dataset> = after.datasets.iter().collect();
        let lost: Vec<&str> = old
            .patterns
            .iter()
            .filter(|pattern| !still.iter().any(|new| new.patterns.contains(pattern)))
            .map(String::as_str)
            .collect();
        if !lost.is_empty() {
            let message = format!("no dataset covers {} any more; `{name}` did", lost.join(", "));
            list.say("datasets", format!("dataset {name} {}", lost.join(" ")), message, &["datasets", name, "files"]);
        }
        let Some(new) = after.datasets.iter().find(|new| new.name == old.name) else { continue };
        for role in [Role::Text, Role::Label, Role::Id, Role::User] {
            let gone = fields(old, role).into_iter().filter(|field| !fields(new, role).contains(field));
            let gone: Vec<&str> = gone.collect();
            if !gone.is_empty() && new.roles.is_some() {
                let role = format!("{role:?}").to_lowercase();
                let message = format!("{} of `{name}` is no {role} any more", gone.join(", "));
                list.say(
                    "datasets",
                    format!("dataset {name} {role} {}", gone.join(" ")),
                    message,
                    &["datasets", name, &role],
                );
            }
        }
        let added: Vec<String> = new.null.iter().filter(|v| !old.null.contains(v)).map(|v| format!("`{v}`")).collect();
        if !added.is_empty() {
            let message = format!("the label {} of `{name}` now means \"not labelled yet\"", added.join(", "));
            list.say(
                "datasets",
                format!("dataset {name} null {}", added.join(" ")),
                message,
                &["datasets", name, "null"],
            );
        }
        if old.role.iter().any(|r| r == "rag") && !new.role.iter().any(|r| r == "rag") {
            let message = format!("`{name}` is no longer said to be read by retrieval (`role: rag`)");
            list.at("datasets", format!("dataset {name} role"), message, Some(new.span));
        }
    }
}

fn fields(dataset: &Dataset, role: Role) -> Vec<&str> {
    let all = dataset.roles.iter().flat_map(|roles| &roles.fields);
    all.filter(|(_, r)| *r == role).map(|(name, _)| name.as_str()).collect()
}

fn baseline(grown: &[Grown]) -> Vec<Loosened> {
    let mut found = Vec::new();
    for group in grown.chunk_by(|a, b| a.rule == b.rule) {
        let (rule, added) = (&group[0].rule, group.iter().map(|entry| entry.added).sum::<u64>());
        let places = if added == 1 { "place" } else { "places" };
        found.push(Loosened {
            cause: format!("baseline {rule}"),
            message: format!("the baseline accepts {added} more {places} of `{rule}`"),
            places: Places::Baseline(group.iter().map(|entry| (entry.span, entry.added)).collect()),
            part: "baseline",
        });
    }
    found
}

#[cfg(test)]
mod tests;
