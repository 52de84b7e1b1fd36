//! From the words of the file to a policy that can be relied on.

mod keys;

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::GlobSet;
use jiff::civil::Date;

use crate::lens::{FieldRoles, Role};
use crate::policy::file::{DatasetWords, ExceptionWords, File, LimitsWords, MatchWords, Size, SourceWords};
use crate::policy::lock;
use crate::policy::node::{Fault, Node, Value, short};
use crate::policy::words::{self, Named, Placed, Words, nearest, suggest};
use crate::policy::{
    COMMON, Dataset, Exception, Known, Limits, Origin, People, Policy, RuleBlock, Source, SourceMatch, evidence, glob,
    vendors,
};
use crate::rule::Severity;
use crate::span::Span;

/// Makes a policy of a text.
pub(crate) fn policy(file: &str, text: &Arc<str>, as_of: Date, known: &[Known]) -> Result<Policy, Fault> {
    let Some(root) = Node::parse(text)? else {
        return Err(Fault::new("nothing is written in this file")
            .at(Span::new(0, 0))
            .help("begin with `version: 1`, or delete the file: without it the built-in policy holds"));
    };
    if root.entries().is_empty() {
        return Err(Fault::new(format!("a policy is a block of keys; here is {}", root.describe()))
            .at(root.head())
            .help("begin with `version: 1`"));
    }
    // The version comes first: words of a later version must not be called typing errors.
    version(&root)?;
    let words: File = words::read(&root)?;
    debug_assert_eq!(words.version.value, "1");
    let sources = sources(&words.sources)?;
    let mut policy = Policy {
        origin: Origin { from: "flag", path: Some(file.to_owned()), commit: None },
        file: file.to_owned(),
        text: Arc::clone(text),
        repo: words.repo.as_ref().map(repo).transpose()?,
        datasets: datasets(&words.datasets)?,
        sources,
        keys: keys::keys(&words.keys)?,
        require: keys::require(&words.require)?,
        exceptions: words.exceptions.iter().map(|e| exception(e, known)).collect::<Result<_, _>>()?,
        exclude: glob::compile(&words.exclude, true)?,
        excluded: words.exclude.0.iter().map(|word| (word.value.clone(), word.span)).collect(),
        languages: languages(&words.languages)?,
        limits: limits(&words.limits)?,
        people: People { bots: words.people.bots.values(), maintainers: words.people.maintainers.values() },
        register: vendors::vendors(&words.vendors)?,
        vendors: words.vendors.clone(),
        runs: words.runs.clone(),
        as_of,
        show_info: false,
        rules: match root.get("rules") {
            Some(entry) if !words.rules.0.is_empty() => rules(&entry.node, known)?,
            _ => Vec::new(),
        },
        folders: Vec::new(),
        notes: Vec::new(),
        tree: Some(Arc::new(root)),
    };
    links(&policy, &words.datasets, &words.sources)?;
    policy.notes = notes(&policy, &words);
    Ok(policy)
}

/// What the repository is called, in the form that a lock and its signatures can carry.
fn repo(word: &Placed<String>) -> Result<String, Fault> {
    if lock::is_name(&word.value) {
        return Ok(word.value.clone());
    }
    let help = "write letters, digits and . _ / - only, at most 100, for example `github.com/acme/data`";
    Err(Fault::new("this is no name that a lock can carry").at(word.span).help(help))
}

fn version(root: &Node) -> Result<(), Fault> {
    let Some(entry) = root.get("version") else {
        // A misspelt key is a likelier cause than a file without a version.
        let near = root.entries().iter().find(|e| nearest(&e.key, ["version"].into_iter()).is_some());
        let at = near.map_or_else(|| root.head(), |entry| entry.at);
        return Err(Fault::new("the key `version` is missing").at(at).help("write `version: 1` as the first line"));
    };
    match &entry.node.value {
        Value::Scalar { text, .. } if text == "1" => Ok(()),
        _ => Err(Fault::new(format!("`version` is 1 in every policy so far; here is {}", entry.node.describe()))
            .at(if entry.node.span.is_empty() { entry.at } else { entry.node.head() })
            .help("write `version: 1`; a later version needs a later foretaste")),
    }
}

fn datasets(named: &Named<DatasetWords>) -> Result<Vec<Dataset>, Fault> {
    named.0.iter().map(|(name, words)| dataset(name, words).map_err(|fault| fault.at(name.span))).collect()
}

fn dataset(name: &Placed<String>, words: &DatasetWords) -> Result<Dataset, Fault> {
    if words.files.0.is_empty() {
        return Err(Fault::new(format!("the dataset `{}` names no files", short(&name.value)))
            .help("write `files: [\"data/**/*.jsonl\"]`"));
    }
    let mut fields: Vec<(String, Role)> = Vec::new();
    let mut seen: BTreeMap<&str, Role> = BTreeMap::new();
    for (list, role) in [
        (&words.id, Role::Id),
        (&words.text, Role::Text),
        (&words.label, Role::Label),
        (&words.source_field, Role::Source),
        (&words.user, Role::User),
        (&words.time, Role::Time),
    ] {
        for field in &list.0 {
            if field.value.is_empty() {
                return Err(Fault::new("a field has a name").at(field.span));
            }
            if seen.insert(&field.value, role).is_some() {
                return Err(Fault::new(format!("the field `{}` is given two roles", short(&field.value)))
                    .at(field.span)
                    .help("a field is one of id, text, label, user, time, source_field"));
            }
            fields.push((field.value.clone(), role));
        }
    }
    Ok(Dataset {
        name: name.value.as_str().into(),
        files: glob::compile(&words.files, true)?,
        patterns: words.files.values(),
        roles: (!fields.is_empty()).then_some(FieldRoles { fields }),
        null: words.null.as_ref().map_or_else(|| vec![String::new()], Words::values),
        role: words.role.0.iter().map(|role| role.value.as_str().to_owned()).collect(),
        source: words.source.as_ref().map(|source| source.value.clone()),
        span: name.span,
    })
}

fn sources(named: &Named<SourceWords>) -> Result<Vec<Source>, Fault> {
    named.0.iter().map(|(name, words)| source(name, words).map_err(|fault| fault.at(name.span))).collect()
}

fn source(name: &Placed<String>, words: &SourceWords) -> Result<Source, Fault> {
    if let (Some(reviewed), Some(expires)) = (&words.reviewed, &words.expires)
        && expires.value < reviewed.value
    {
        return Err(Fault::new("the review expires before the day of the review").at(expires.span));
    }
    let (matches, written) = source_match(&words.matches, words.allow_org)?;
    Ok(Source {
        name: name.value.clone(),
        matches,
        written,
        kind: words.matches.value.kind.map(|kind| match kind {
            crate::policy::file::KindWords::Dataset => "dataset",
            crate::policy::file::KindWords::Model => "model",
        }),
        licence: words.licence.clone(),
        reviewer: words.reviewer.clone(),
        reviewed: words.reviewed.as_ref().map(|day| day.value.0),
        expires: words.expires.as_ref().map(|day| day.value.0),
        pin: words.pin.as_ref().map(|pin| pin.value.as_str().to_owned()),
        trust: words.trust.as_ref().map(|trust| trust.value.as_str()),
        evidence: evidence::evidence(words)?,
        span: name.span,
    })
}

fn source_match(words: &Placed<MatchWords>, allow_org: bool) -> Result<(SourceMatch, Vec<String>), Fault> {
    let MatchWords { path, hub, url, git, s3, kind: _ } = &words.value;
    let given = [path.is_some(), hub.is_some(), url.is_some(), git.is_some(), s3.is_some()];
    if given.iter().filter(|given| **given).count() != 1 {
        return Err(Fault::new("a source matches by exactly one of `path`, `hub`, `url`, `git`, `s3`")
            .at(words.span)
            .help("give each further place a source of its own"));
    }
    if let Some(path) = path {
        return Ok((SourceMatch::Path(glob::compile(path, true)?), path.values()));
    }
    let (matches, word) = if let Some(hub) = hub {
        (SourceMatch::Hub(checked_hub(hub, allow_org)?), hub)
    } else if let Some(url) = url {
        (SourceMatch::Url(checked_url(url)?), url)
    } else if let Some(s3) = s3 {
        (SourceMatch::Bucket(checked_bucket(s3)?), s3)
    } else {
        let git = git.as_ref().expect("exactly one is given, and it is none of the others");
        if git.value.trim().is_empty() {
            return Err(Fault::new("`git` is empty").at(git.span));
        }
        (SourceMatch::Git(git.value.clone()), git)
    };
    Ok((matches, vec![word.value.clone()]))
}

fn checked_hub(word: &Placed<String>, allow_org: bool) -> Result<String, Fault> {
    let wrong = |message: &str, help: String| {
        Err(Fault::new(format!("`{}` {message}", short(&word.value))).at(word.span).help(help))
    };
    let Some((hub, name)) = word.value.split_once(':') else {
        return wrong("names no hub", format!("write `huggingface:{}`", short(&word.value)));
    };
    if hub.is_empty() || !hub.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return wrong("does not begin with the name of a hub", "write `huggingface:org/name`".to_owned());
    }
    if name.is_empty() || name.starts_with('/') || name.contains("//") || name.contains(char::is_whitespace) {
        return wrong("names nothing at that hub", format!("write `{hub}:org/name`"));
    }
    let org = name.split('/').next().unwrap_or(name);
    if org.contains(['*', '?', '[', '{']) && !allow_org {
        return wrong(
            "allows organisations that anybody can register",
            "name the organisation, or add `allow_org: true` if that is meant".to_owned(),
        );
    }
    Ok(word.value.clone())
}

fn checked_url(word: &Placed<String>) -> Result<String, Fault> {
    let wrong = |message: &str| {
        Err(Fault::new(format!("`{}` {message}", short(&word.value)))
            .at(word.span)
            .help("write scheme, host and whole parts of the path: `https://data.example.org/sets/`"))
    };
    let Some((scheme, rest)) = word.value.split_once("://") else { return wrong("is no URL") };
    if !matches!(scheme, "https" | "http" | "ftp" | "ftps") {
        return wrong("has a scheme that is not read");
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    if host.is_empty() || host.contains(['*', '?', '[', '{', ' ']) {
        return wrong("names no host");
    }
    if host.contains('@') {
        return wrong("carries a user name");
    }
    if rest.contains(['?', '#']) {
        return wrong("carries a query or a fragment");
    }
    Ok(word.value.clone())
}

fn checked_bucket(word: &Placed<String>) -> Result<String, Fault> {
    let bucket = word.value.split_once("://").map_or(word.value.as_str(), |(_, rest)| rest);
    if bucket.starts_with('/') || !bucket.ends_with('/') {
        return Err(Fault::new(format!("`{}` is no bucket and prefix that ends at a `/`", short(&word.value)))
            .at(word.span)
            .help("write `bucket/prefix/`; without the last `/` it would also match what only begins alike"));
    }
    Ok(bucket.to_owned())
}

fn limits(words: &LimitsWords) -> Result<Limits, Fault> {
    let standard = Limits::default();
    let size = |word: &Option<Placed<Size>>, standard: u64| word.as_ref().map_or(standard, |size| size.value.0);
    let limits = Limits {
        blob: size(&words.blob, standard.blob),
        record: size(&words.record, standard.record),
        config: size(&words.config, standard.config),
        depth: words.depth.as_ref().map_or(standard.depth, |n| n.value),
        ratio: words.ratio.as_ref().map_or(standard.ratio, |n| n.value),
        fields: words.fields.as_ref().map_or(standard.fields, |n| n.value),
    };
    if let Some(depth) = &words.depth
        && !(1..=128).contains(&depth.value)
    {
        return Err(Fault::new("`depth` lies between 1 and 128").at(depth.span));
    }
    Ok(limits)
}

fn languages(words: &Words) -> Result<Vec<String>, Fault> {
    for word in &words.0 {
        let main = word.value.split('-').next().unwrap_or("");
        if !(2..=3).contains(&main.len()) || !main.bytes().all(|b| b.is_ascii_lowercase()) {
            return Err(Fault::new(format!("`{}` is no code of a language", short(&word.value)))
                .at(word.span)
                .help("write codes of two or three small letters: `en`, `fa`, `zh`"));
        }
    }
    Ok(words.values())
}

fn known_rule(id: &Placed<String>, known: &[Known]) -> Result<(), Fault> {
    if known.iter().any(|k| k.rule.id == id.value) {
        return Ok(());
    }
    Err(Fault::new(format!("there is no rule `{}`", short(&id.value)))
        .at(id.span)
        .help(suggest(&id.value, known.iter().map(|k| k.rule.id))))
}

fn exception(placed: &Placed<ExceptionWords>, known: &[Known]) -> Result<Exception, Fault> {
    let words = &placed.value;
    known_rule(&words.rule, known)?;
    for (text, name, help) in [
        (&words.reason, "reason", "say why this is accepted, for whoever reads it in a year"),
        (&words.owner, "owner", "say who answers for it"),
    ] {
        if text.value.trim().is_empty() {
            return Err(Fault::new(format!("the {name} of this exception is empty")).at(text.span).help(help));
        }
    }
    let wrong = |print: &&Placed<String>| {
        !(print.value.len() == 32 && print.value.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
    };
    if let Some(print) = words.fingerprint.0.iter().find(wrong) {
        return Err(Fault::new(format!("`{}` is no fingerprint", short(&print.value)))
            .at(print.span)
            .help("copy the 32 characters from the report, in quotes"));
    }
    let mut code_points = words.code_points.0.iter().map(code_point).collect::<Result<Vec<_>, _>>()?;
    code_points.sort_unstable();
    code_points.dedup();
    let bounded = !words.fingerprint.0.is_empty() || !code_points.is_empty() || words.count.is_some();
    if !bounded {
        let help = "say what is accepted: `code_points`, `count` or `fingerprint`, or name the files one by one";
        match words.files.0.iter().find(|glob| !glob::is_literal(&glob.value)) {
            Some(glob) => {
                return Err(Fault::new(format!(
                    "this would excuse whatever the rule finds under `{}`",
                    short(&glob.value)
                ))
                .at(glob.span)
                .help(help));
            }
            None if words.files.0.is_empty() => {
                return Err(Fault::new(format!("this would excuse everything that `{}` finds", words.rule.value))
                    .at(words.rule.span)
                    .help(help));
            }
            None => {}
        }
    }
    let files: Option<GlobSet> =
        if words.files.0.is_empty() { None } else { Some(glob::compile(&words.files, false)?) };
    Ok(Exception {
        rule: words.rule.value.clone(),
        files,
        patterns: words.files.values(),
        fingerprints: words.fingerprint.values(),
        code_points,
        count: words.count.as_ref().map(|count| count.value),
        reason: words.reason.value.clone(),
        owner: words.owner.value.clone(),
        until: Some(words.until.value.0),
        span: placed.span,
    })
}

fn code_point(word: &Placed<String>) -> Result<u32, Fault> {
    let digits = word.value.strip_prefix("U+").or_else(|| word.value.strip_prefix("u+")).unwrap_or(&word.value);
    let hex = !digits.is_empty() && digits.len() <= 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    match u32::from_str_radix(digits, 16) {
        Ok(n) if hex && n <= 0x10_ffff => Ok(n),
        _ => Err(Fault::new(format!("`{}` is no code point", short(&word.value)))
            .at(word.span)
            .help("write it in hexadecimal digits: `200C` or `U+200C`")),
    }
}

fn rules(node: &Node, known: &[Known]) -> Result<Vec<RuleBlock>, Fault> {
    node.entries()
        .iter()
        .map(|entry| {
            let id = Placed { value: entry.key.clone(), span: entry.at };
            known_rule(&id, known)?;
            let severity = match &entry.node.value {
                Value::Scalar { .. } => Some(level(&entry.node, &entry.key)?),
                Value::Map { .. } => match entry.node.get("severity") {
                    Some(severity) => Some(level(&severity.node, "severity")?),
                    None => None,
                },
                Value::Null => None,
                Value::List { .. } => {
                    return Err(Fault::new(format!("`{}` takes a severity or a block; here is a list", entry.key))
                        .at(entry.node.head()));
                }
            };
            // The settings of a check stand under its first rule; under another they would be ignored.
            let home = known.iter().find(|k| k.rule.id == entry.key).map_or(entry.key.as_str(), |k| k.settings);
            if home != entry.key
                && let Some(stray) = entry.node.entries().iter().find(|e| !COMMON.contains(&e.key.as_str()))
            {
                return Err(Fault::new(format!("unknown key `{}`", short(&stray.key)))
                    .at(stray.at)
                    .help(format!("settings of `{}` are written under `{home}`", entry.key)));
            }
            Ok(RuleBlock { rule: entry.key.clone(), severity, node: entry.node.clone() })
        })
        .collect()
}

fn level(node: &Node, key: &str) -> Result<Option<Severity>, Fault> {
    let word = match &node.value {
        Value::Scalar { text, .. } => text.as_str(),
        _ => "",
    };
    match word {
        "error" => Ok(Some(Severity::Error)),
        "warning" => Ok(Some(Severity::Warning)),
        "note" => Ok(Some(Severity::Note)),
        // With or without quotes: what other readers of YAML make of a bare `off` does not matter here.
        "off" => Ok(None),
        _ => {
            let all = ["error", "warning", "note", "off"];
            let help = match word.to_ascii_lowercase().as_str() {
                "false" | "no" | "none" | "never" | "ignore" | "allow" => {
                    "write severity: \"off\" to turn the rule off".to_owned()
                }
                "warn" => "did you mean `warning`?".to_owned(),
                "info" | "low" => "did you mean `note`?".to_owned(),
                "deny" | "high" | "critical" | "fail" => "did you mean `error`?".to_owned(),
                _ => suggest(word, all.into_iter()),
            };
            Err(Fault::new(format!(
                "`{}` takes error, warning, note or \"off\"; here is {}",
                short(key),
                node.describe()
            ))
            .at(node.head())
            .help(help))
        }
    }
}

/// Names that must exist elsewhere in the file.
fn links(policy: &Policy, datasets: &Named<DatasetWords>, sources: &Named<SourceWords>) -> Result<(), Fault> {
    let missing = |word: &Placed<String>, what: &str, known: Vec<&str>| {
        Fault::new(format!("there is no {what} `{}`", short(&word.value)))
            .at(word.span)
            .help(suggest(&word.value, known.into_iter()))
    };
    for (_, dataset) in &datasets.0 {
        if let Some(word) = &dataset.source
            && !policy.sources.iter().any(|source| source.name == word.value)
        {
            let known = policy.sources.iter().map(|source| source.name.as_str()).collect();
            return Err(missing(word, "source", known));
        }
    }
    for (_, source) in &sources.0 {
        if let Some(word) = &source.vendor
            && !policy.vendors.0.iter().any(|(name, _)| name.value == word.value)
        {
            return Err(missing(
                word,
                "vendor",
                policy.vendors.0.iter().map(|(name, _)| name.value.as_str()).collect(),
            ));
        }
    }
    let keys = || policy.keys.iter().map(|key| key.name.as_str());
    for (_, vendor) in &policy.vendors.0 {
        if let Some(word) = &vendor.key
            && !keys().any(|key| key == word.value)
        {
            return Err(missing(word, "key", keys().collect()));
        }
    }
    let data = || policy.datasets.iter().map(|d| &*d.name).chain(policy.sources.iter().map(|s| s.name.as_str()));
    for (_, run) in &policy.runs.0 {
        if let Some(word) = run.datasets.0.iter().find(|word| !data().any(|name| name == word.value)) {
            return Err(missing(word, "dataset or source", data().collect()));
        }
        let digest = |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if let Some(word) = run.output_sha256.as_ref().filter(|word| !digest(&word.value)) {
            let fault = Fault::new("this is no SHA-256".to_owned()).at(word.span);
            return Err(fault.help("write 64 lower-case hexadecimal digits, as `sha256sum` prints them"));
        }
    }
    Ok(())
}

/// What is written and not judged yet, so that nobody relies on it (law 2).
fn notes(policy: &Policy, words: &File) -> Vec<String> {
    let (datasets, sources) = (&words.datasets, &words.sources);
    let mut idle = Vec::new();
    let mut say = |name: &str, written: bool| {
        if written {
            idle.push(format!("`{name}`"));
        }
    };
    say("people", !policy.people.bots.is_empty() || !policy.people.maintainers.is_empty());
    say("datasets.*.trust", datasets.0.iter().any(|(_, d)| d.trust.is_some()));
    say("datasets.*.expects", datasets.0.iter().any(|(_, d)| d.expects.is_some()));
    let any = |test: fn(&SourceWords) -> bool| sources.0.iter().any(|(_, source)| test(source));
    say("sources.*.trust", any(|s| s.trust.is_some()));
    say("sources.*.format", any(|s| s.format.is_some()));
    say("sources.*.signed_by", any(|s| s.signed_by.is_some()));
    if idle.is_empty() {
        return Vec::new();
    }
    vec![format!("{} in the policy: recorded, not judged yet", idle.join(", "))]
}
