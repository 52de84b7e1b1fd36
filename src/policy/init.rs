//! What `foretaste init` writes: a policy that says what was found, ready to be corrected by people.
//!
//! Pure: it is given what was seen and gives the files. It lists sources and may lower `unpinned-reference`, so that
//! what is there today passes; it never excuses what lies in data.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use bstr::{BString, ByteSlice};
use jiff::civil::Date;

use crate::lens::Role;
use crate::policy::licence::Licence;
use crate::policy::propose::quoted;
use crate::policy::words::{Placed, Words};
use crate::policy::{BASELINE, FILE, Known, LOCK, Policy, glob};
use crate::span::Span;

/// What was seen of a repository.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Its data files, in order of their paths.
    pub(crate) data: Vec<Data>,
    /// Datasets and models that code and configuration name, without those of documentation and tests.
    pub(crate) named: Vec<Named>,
    /// What cards say of the licence of the data beside them: path of the card, licence as written.
    pub(crate) licences: Vec<(BString, String)>,
    /// The branch that changes go to; `main` where it is not known.
    pub(crate) default_branch: Option<String>,
    /// The workflow to write, for the branch `main`.
    pub(crate) workflow: &'static str,
    /// `.gitattributes` as it is, where the policy and the lock are to be kept from line-end conversion.
    pub(crate) attributes: Option<String>,
}

/// A file of data.
#[derive(Clone, Debug, Default)]
pub(crate) struct Data {
    pub(crate) path: BString,
    /// Name of the shape: `classification table`.
    pub(crate) shape: &'static str,
    /// Fields that have a role.
    pub(crate) fields: Vec<(String, Role)>,
    /// Records of the sample that have the shape, and the size of the sample.
    pub(crate) support: (u32, u32),
    /// Number of records.
    pub(crate) records: u64,
}

/// A dataset or model that is named.
#[derive(Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) struct Named {
    /// `huggingface`, `github`, `url`, `s3`, …
    pub(crate) hub: String,
    /// Its name there, or its address.
    pub(crate) target: String,
    /// Whether it is a model.
    pub(crate) model: bool,
    /// Whether it is not tied to one content: unpinned, or by something that can be moved.
    pub(crate) unpinned: bool,
}

/// What to write, and what to say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Paths and whole contents.
    pub(crate) files: Vec<(String, String)>,
    /// What was found and guessed, one sentence each.
    pub(crate) told: Vec<String>,
}

/// Path of the workflow.
pub(crate) const WORKFLOW: &str = ".github/workflows/foretaste.yml";
/// More single files than this are not written into a policy one by one.
const MAX_FILES: usize = 50;

/// Plans the files. The policy among them has been read by the same reader that will read it.
pub(crate) fn plan(seen: &Seen, as_of: Date, known: &[Known]) -> Plan {
    let mut plan = Plan::default();
    let groups = groups(&seen.data, &mut plan.told);
    let sources = sources(&seen.named, as_of, &mut plan.told);
    let lowered = known.iter().any(|k| k.rule.id == "unpinned-reference");
    let unpinned = if lowered { seen.named.iter().filter(|named| named.unpinned).count() } else { 0 };
    if unpinned > 0 {
        plan.told.push(format!(
            "{unpinned} {} no fixed revision; `unpinned-reference` is lowered to a warning until {} pinned",
            if unpinned == 1 { "reference names" } else { "references name" },
            if unpinned == 1 { "it is" } else { "they are" }
        ));
    }
    let licence = licence(seen, &mut plan.told);
    let text = text(&groups, &sources, unpinned, licence);
    // The generator is held to its word here and not in the user's next run; a test holds that it keeps it.
    let policy = match Policy::parse(FILE, &text, as_of, known) {
        Ok(_) => text,
        Err(error) => {
            plan.told.push(format!("the data is not described, since that could not be written: {}", error.message));
            self::text(&[], &[], 0, None)
        }
    };
    plan.files.push((FILE.to_owned(), policy));
    if !seen.workflow.is_empty() {
        plan.files.push((WORKFLOW.to_owned(), workflow(seen)));
    }
    if let Some(attributes) = &seen.attributes {
        plan.files.extend(with_attributes(attributes).map(|text| (".gitattributes".to_owned(), text)));
    }
    plan
}

/// Files that are described as one dataset.
struct Group {
    name: String,
    globs: Vec<String>,
    shape: &'static str,
    fields: Vec<(String, Role)>,
    support: (u32, u32),
    files: usize,
    records: u64,
}

type Key = (Vec<BString>, BString, Vec<(String, Role)>);

fn groups(data: &[Data], told: &mut Vec<String>) -> Vec<Group> {
    let mut by_key: BTreeMap<Key, Vec<&Data>> = BTreeMap::new();
    for file in data {
        by_key.entry(key(file)).or_default().push(file);
    }
    let mut names = BTreeSet::from(["this-repository".to_owned()]);
    let mut groups = Vec::new();
    for (key, files) in &by_key {
        let others = || data.iter().filter(|other| !files.iter().any(|own| own.path == other.path));
        let globs = match pattern(key, files) {
            Some(glob) if !others().any(|other| matches(&glob, &other.path)) => vec![glob],
            _ if files.len() <= MAX_FILES => files.iter().map(|file| escaped(&file.path)).collect(),
            _ => {
                let first = files[0].path.to_str_lossy();
                told.push(format!("{} files like {first} lie among others and are not described", files.len()));
                continue;
            }
        };
        let name = unique(&dataset_name(&key.0, &files[0].path), &mut names);
        let group = Group {
            name,
            globs,
            shape: files[0].shape,
            fields: key.2.clone(),
            support: files.iter().fold((0, 0), |sum, f| (sum.0 + f.support.0, sum.1 + f.support.1)),
            files: files.len(),
            records: files.iter().map(|file| file.records).sum(),
        };
        let guess = if group.shape.is_empty() { "no fields guessed" } else { group.shape };
        told.push(format!(
            "dataset `{}`: {} {}, {} records, {guess}",
            group.name,
            group.files,
            if group.files == 1 { "file" } else { "files" },
            group.records
        ));
        groups.push(group);
    }
    groups
}

/// What files of one dataset have in common: folder (splits apart), ending, and fields.
fn key(file: &Data) -> Key {
    let mut parts: Vec<BString> = file.path.split_str("/").map(BString::from).collect();
    let name = parts.pop().unwrap_or_default();
    for part in &mut parts {
        if is_split(part) {
            *part = "*".into();
        }
    }
    let mut fields: Vec<(String, Role)> =
        file.fields.iter().filter(|(_, role)| *role != Role::Other).cloned().collect();
    fields.sort();
    (parts, ending(&name).into(), fields)
}

fn is_split(part: &[u8]) -> bool {
    let lower = part.to_ascii_lowercase();
    let words: [&[u8]; 8] = [b"train", b"training", b"valid", b"validation", b"dev", b"val", b"test", b"eval"];
    words.contains(&lower.as_slice())
}

/// `.jsonl`, `.jsonl.gz`; empty for a name without one.
fn ending(name: &[u8]) -> &[u8] {
    let Some(mut dot) = name.rfind_byte(b'.').filter(|dot| *dot > 0) else { return b"" };
    if matches!(&name[dot..], b".gz" | b".zst" | b".zstd") {
        dot = name[..dot].rfind_byte(b'.').filter(|dot| *dot > 0).unwrap_or(dot);
    }
    &name[dot..]
}

/// One glob for all files of a group; `None` where they should be named.
fn pattern(key: &Key, files: &[&Data]) -> Option<String> {
    let (folder, ending, _) = key;
    if ending.is_empty() || folder.is_empty() && files.len() == 1 {
        return None;
    }
    // A folder that is a split stays what it is where there is no other split beside it.
    let first: Vec<&[u8]> = files[0].path.split_str("/").collect();
    let mut glob = String::new();
    for (at, part) in folder.iter().enumerate() {
        let same = files.iter().all(|file| file.path.split_str("/").nth(at) == Some(first[at]));
        glob += &if *part == "*" && !same { "*".to_owned() } else { escaped(first[at]) };
        glob.push('/');
    }
    Some(format!("{glob}*{}", escaped(ending)))
}

fn matches(pattern: &str, path: &BString) -> bool {
    let words = Words(vec![Placed { value: pattern.to_owned(), span: Span::default() }]);
    glob::compile(&words, true).is_ok_and(|set| glob::matches(&set, path.as_ref()))
}

/// A path as a glob that matches it alone. Bytes that are no text match any.
fn escaped(path: &[u8]) -> String {
    let mut out = String::new();
    for (start, end, c) in path.char_indices() {
        match c {
            '\u{fffd}' => out.extend(std::iter::repeat_n('?', end - start)),
            '*' | '?' | '[' | ']' | '{' | '}' | '\\' | '!' => out.extend(['\\', c]),
            c if c.is_control() => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

fn dataset_name(folder: &[BString], path: &[u8]) -> String {
    let named = folder.iter().rev().find(|part| *part != "*" && *part != "data");
    let part: &[u8] = match named {
        Some(part) => part,
        None => {
            let name = path.rsplit_str("/").next().unwrap_or(path);
            &name[..name.find_byte(b'.').filter(|dot| *dot > 0).unwrap_or(name.len())]
        }
    };
    slug(&part.to_str_lossy())
}

fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().flat_map(char::to_lowercase).take(60) {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let out = out.trim_end_matches('-');
    // A name that is a number would be read as one by others.
    if out.starts_with(|c: char| c.is_ascii_alphabetic()) { out.to_owned() } else { format!("data-{out}") }
}

fn unique(name: &str, names: &mut BTreeSet<String>) -> String {
    let name = name.trim_end_matches('-');
    let mut free = name.to_owned();
    let mut number = 2;
    while !names.insert(free.clone()) {
        free = format!("{name}-{number}");
        number += 1;
    }
    free
}

/// The licence of the data of this repository, where its cards agree on one. A claim, to be looked up by people.
fn licence<'s>(seen: &'s Seen, told: &mut Vec<String>) -> Option<(&'s BString, &'s str)> {
    let distinct: BTreeSet<&str> = seen.licences.iter().map(|(_, licence)| licence.as_str()).collect();
    let (card, licence) = seen.licences.first()?;
    if distinct.len() > 1 {
        told.push(format!("the cards name {} licences; write down which holds for what", distinct.len()));
        return None;
    }
    Licence::parse(licence)?;
    told.push(format!("{card} says that the licence of the data is {licence}; look it up before you rely on it"));
    Some((card, licence))
}

/// A source that is listed: its name and what stands in `match`.
struct Listed {
    name: String,
    matches: String,
    /// Whether references to it can carry a commit.
    hub: bool,
}

fn sources(named: &[Named], as_of: Date, told: &mut Vec<String>) -> Vec<Listed> {
    let readable = |matches: &str| {
        let text = format!("version: 1\nsources:\n  x:\n    match: {{{matches}}}\n");
        Policy::parse(FILE, &text, as_of, &[]).is_ok()
    };
    let mut names = BTreeSet::from(["this-repository".to_owned()]);
    let mut by_match: BTreeMap<String, Listed> = BTreeMap::new();
    let mut unlistable = BTreeSet::new();
    for named in named {
        let Some((matches, hub)) = match_of(named).filter(|(matches, _)| readable(matches)) else {
            unlistable.insert(named.target.clone());
            continue;
        };
        if !by_match.contains_key(&matches) {
            let plain = named.target.split_once("://").map_or(named.target.as_str(), |(_, rest)| rest);
            let plain = plain.split(['?', '#']).next().unwrap_or(plain);
            let name = unique(&slug(plain), &mut names);
            by_match.insert(matches.clone(), Listed { name, matches, hub });
        }
    }
    if !by_match.is_empty() {
        told.push(format!(
            "{} {} listed under `sources`, as code and configuration name them; anything else is denied from now on",
            by_match.len(),
            if by_match.len() == 1 { "source is" } else { "sources are" }
        ));
    }
    for target in unlistable.iter().take(10) {
        told.push(format!("`{}` could not be listed as a source; look at it yourself", super::node::short(target)));
    }
    by_match.into_values().collect()
}

/// What stands in `match` for a reference, and whether it lies on a hub.
fn match_of(named: &Named) -> Option<(String, bool)> {
    let target = named.target.trim();
    if target.is_empty() || target.contains(['*', '{', '$', '\n', '<', ' ']) {
        return None;
    }
    if let Some((scheme, rest)) = target.split_once("://") {
        let rest = rest.split(['?', '#']).next().unwrap_or("");
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.is_empty() || host.contains('@') {
            return None;
        }
        if matches!(named.hub.as_str(), "s3" | "gcs" | "azure" | "bucket") {
            let folder = path.rfind('/').map_or("", |end| &path[..=end]);
            return Some((format!("s3: {}", quoted(&format!("{host}/{folder}"))), false));
        }
        if !matches!(scheme, "https" | "http" | "ftp" | "ftps") {
            return None;
        }
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        if host.ends_with("github.com") || host.ends_with("githubusercontent.com") {
            let (owner, name) = (parts.next()?, parts.next()?);
            let name = name.strip_suffix(".git").unwrap_or(name);
            return Some((format!("git: {}", quoted(&format!("https://github.com/{owner}/{name}"))), false));
        }
        // The folder of the file: a whole host would allow too much.
        let folder = path.rfind('/').filter(|end| *end > 0).map_or(path, |end| &path[..=end]);
        return Some((format!("url: {}", quoted(&format!("{scheme}://{host}/{folder}"))), false));
    }
    if matches!(named.hub.as_str(), "git" | "github" | "gitlab") {
        return Some((format!("git: {}", quoted(target)), false));
    }
    if named.hub.is_empty() || matches!(named.hub.as_str(), "url" | "local" | "bucket" | "s3" | "gcs" | "azure") {
        return None;
    }
    let kind = if named.model { "model" } else { "dataset" };
    Some((format!("hub: {}, kind: {kind}", quoted(&format!("{}:{target}", named.hub))), true))
}

fn text(groups: &[Group], sources: &[Listed], unpinned: usize, licence: Option<(&BString, &str)>) -> String {
    let mut out = String::from(
        "# What training data is here, where it may come from, and what foretaste makes of it.\n\
         # `foretaste init` wrote this; from now on it is yours. `foretaste schema` knows every key, for your editor.\n\
         # What permits something counts once it is on the base branch.\n\
         version: 1\n",
    );
    // Writing to a String cannot fail, here and below.
    if groups.is_empty() {
        out += "\n# No data was recognised. Describe yours like this:\n\
                # datasets:\n\
                #   intents:\n\
                #     files: [\"data/**/*.jsonl\"]\n\
                #     text: [text]       # what the model reads\n\
                #     label: label       # what it learns\n";
    } else {
        out += "\n# The data. Roles of fields were guessed by their names and shapes: correct what is wrong, since a label that\n\
                # is not known as one is not watched.\n\
                datasets:\n";
        for group in groups {
            dataset(&mut out, group);
        }
    }
    if !groups.is_empty() || !sources.is_empty() {
        out += "\n# Where data and models may come from. What is not listed is denied.\n\
                # Who has looked at one adds to it: licence: CC-BY-4.0, reviewer: you@example.org, reviewed: 2026-01-31\n\
                sources:\n";
        if !groups.is_empty() {
            out += "  this-repository:\n    match:\n      path:\n";
            let paths: BTreeSet<&String> = groups.iter().flat_map(|group| &group.globs).collect();
            for path in paths {
                let _ = writeln!(out, "        - {}", quoted(path));
            }
            if let Some((card, licence)) = licence {
                let card = card.to_str_lossy().replace(|c: char| c.is_control(), "?");
                let _ = writeln!(out, "    licence: {} # as {card} says: look it up", quoted(licence));
            }
        }
        for source in sources {
            let _ = writeln!(out, "  {}:\n    match: {{{}}}", source.name, source.matches);
            if source.hub && unpinned == 0 {
                out += "    pin: commit\n";
            }
        }
    }
    if unpinned > 0 {
        let _ = write!(
            out,
            "\nrules:\n  # {unpinned} of the references above {} no fixed revision, so that others can change what is trained on.\n  \
             # `foretaste check` says how to pin them; then take this away, and the rule is an error again.\n  \
             unpinned-reference: {{severity: warning}}\n",
            if unpinned == 1 { "names" } else { "name" }
        );
    }
    out += "\n# What is accepted although a rule finds it. `foretaste accept` writes these for you.\n\
            # exceptions:\n\
            #   - {rule: invisible-unicode, files: \"data/persian/**\", code_points: [200C], reason: \"orthography\",\n\
            #      owner: you@example.org, until: 2027-01-31}\n\
            \n\
            # Signatures on foretaste.lock, and protection of this file. `foretaste key` and `foretaste sign` make them.\n\
            # keys:\n\
            #   data-team: {minisign: \"RW…\", principal: data-team@example.org, from: 2026-01-01, until: 2027-01-01}\n\
            # require: {signatures: 1, policy_change: true}\n";
    out
}

fn dataset(out: &mut String, group: &Group) {
    let _ = writeln!(out, "  {}:", group.name);
    let records = if group.records == 1 { "record" } else { "records" };
    let files = if group.files == 1 { "file" } else { "files" };
    let _ = write!(out, "    # {} {files}, {} {records}", group.files, group.records);
    match (group.shape, group.support) {
        ("", _) => out.push_str("; no fields were guessed\n"),
        (shape, (_, 0)) => drop(writeln!(out, ", {shape}")),
        (shape, (fit, all)) => drop(writeln!(out, ", {shape} ({fit} of {all} looked at)")),
    }
    if let [one] = group.globs.as_slice() {
        let _ = writeln!(out, "    files: [{}]", quoted(one));
    } else {
        out.push_str("    files:\n");
        for glob in &group.globs {
            let _ = writeln!(out, "      - {}", quoted(glob));
        }
    }
    for (role, key) in [
        (Role::Id, "id"),
        (Role::Text, "text"),
        (Role::Label, "label"),
        (Role::Source, "source_field"),
        (Role::User, "user"),
        (Role::Time, "time"),
    ] {
        let fields: Vec<String> =
            group.fields.iter().filter(|(_, r)| *r == role).map(|(name, _)| field(name)).collect();
        if !fields.is_empty() {
            let _ = writeln!(out, "    {key}: [{}]", fields.join(", "));
        }
    }
    out.push_str("    source: this-repository\n");
}

/// A name of a field, in quotes unless it is a plain word to every reader of YAML.
fn field(name: &str) -> String {
    let word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let taken = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    if word && !taken.contains(&name.to_ascii_lowercase().as_str()) { name.to_owned() } else { quoted(name) }
}

/// The workflow for the branch that changes go to, without the words that are for those who copy it by hand.
fn workflow(seen: &Seen) -> String {
    let text = seen.workflow;
    let start = text.find("\nname:").map_or(0, |at| at + 1);
    let mut text = format!(
        "# Judges the training data of every pull request by the policy of its base branch.\n{}",
        &text[start..]
    );
    if let Some(branch) = seen.default_branch.as_deref().filter(|branch| *branch != "main") {
        text = text.replace("branches: [main]", &format!("branches: [{}]", quoted(branch)));
    }
    text
}

/// Keeps git from converting the ends of lines of what is signed; `None` where it does already.
fn with_attributes(old: &str) -> Option<String> {
    let wanted = [format!("{FILE} -text"), format!("{LOCK}* -text"), format!("{BASELINE} -text")];
    let missing: Vec<&String> = wanted.iter().filter(|line| !old.lines().any(|l| l.trim() == **line)).collect();
    if missing.is_empty() {
        return None;
    }
    let mut text = old.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for line in missing {
        let _ = writeln!(text, "{line}");
    }
    Some(text)
}

#[cfg(test)]
mod tests;
