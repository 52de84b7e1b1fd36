//! What went into one fine-tuning run: its configuration, the model it starts from, its data with hashes and reviews.
//!
//! Nothing here is guessed: what the lock, the policy or the configuration does not say is listed as missing.

use std::path::Path;

use bstr::ByteSlice;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::{Checker, Contents, Error, Outcome, Silent};
use crate::check::ListedSources;
use crate::format::{Lists, Reference, Target, Verdict};
use crate::policy::lock::{Lock, hex};
use crate::policy::{self, Dataset, Policy, Source, SourceMatch};
use crate::span::BlobId;

/// The bill of materials of a run, before it is written in any form.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Bill {
    /// Name of the repository.
    pub(crate) repo: String,
    /// Name of the run.
    pub(crate) run: String,
    pub(crate) reviewer: Option<String>,
    pub(crate) output: Option<String>,
    /// SHA-256 of what it made.
    pub(crate) output_sha256: Option<String>,
    /// SHA-256 of `foretaste.lock`, where there is one.
    pub(crate) lock: Option<String>,
    /// Names of the keys whose signatures of that lock hold.
    pub(crate) signers: Vec<String>,
    /// The day that stands for the time of the bill: the newest that lock and reviews name.
    pub(crate) day: Date,
    /// The configuration file.
    pub(crate) config: Option<File>,
    /// The models it starts from, and others that its configuration names.
    pub(crate) models: Vec<Part>,
    pub(crate) datasets: Vec<Part>,
    /// What cannot be said, each as one sentence.
    pub(crate) missing: Vec<String>,
}

/// A file with its hashes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) sha256: String,
    pub(crate) blake3: Option<String>,
    pub(crate) size: u64,
    pub(crate) records: Option<u64>,
}

/// A dataset or a model.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// Who publishes it, where its name says so.
    pub(crate) group: Option<String>,
    /// Where it lives: `huggingface`, `url`; nothing for files of the repository.
    pub(crate) hub: Option<String>,
    /// The commit or version that is used.
    pub(crate) version: Option<String>,
    pub(crate) url: Option<String>,
    /// Its files, where they lie in the repository.
    pub(crate) files: Vec<File>,
    /// The day on which this content was obtained.
    pub(crate) retrieved: Option<Date>,
    pub(crate) facts: Option<Facts>,
}

/// What the policy says of a source.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Facts {
    pub(crate) source: String,
    pub(crate) licence: Option<String>,
    pub(crate) reviewer: Option<String>,
    pub(crate) reviewed: Option<Date>,
    pub(crate) expires: Option<Date>,
    pub(crate) trust: Option<String>,
}

impl Checker {
    /// The bill of a run of the policy in force; `None` where the policy has no run of that name.
    pub(crate) fn bill(self, dir: &Path, name: &str) -> Result<Option<Bill>, Error> {
        let (policy, _) = self.judged_by(dir)?;
        let Some((_, run)) = policy.runs.0.iter().find(|(run, _)| run.value == name) else { return Ok(None) };
        let prepared = self.prepared(dir, &Silent)?;
        let text = prepared.judged(policy::LOCK)?;
        let lock = text.as_deref().and_then(|text| Lock::parse(text).ok());
        let signers = match (&lock, &text) {
            (Some(lock), Some(text)) => prepared.signers(&policy, lock, text)?,
            _ => Vec::new(),
        };
        let outcome = self.only(&["no rule"]).run_with(dir, &Silent)?;
        let mut bill = Bill {
            repo: policy.repo.clone().or_else(|| lock.as_ref().map(|lock| lock.repo.clone())).unwrap_or_default(),
            run: name.to_owned(),
            reviewer: run.reviewer.clone(),
            output: run.output.clone(),
            output_sha256: run.output_sha256.as_ref().map(|word| word.value.clone()),
            signers,
            lock: text.map(|text| hex(&<[u8; 32]>::from(Sha256::digest(&text)))),
            day: Date::constant(1970, 1, 1),
            ..Bill::default()
        };
        if lock.is_none() {
            bill.missing.push("there is no foretaste.lock that can be read, so that no file has a hash".to_owned());
        }
        let builder = Builder { policy: &policy, sources: ListedSources::new(&policy), lock: lock.as_ref() };
        let references = bill.configure(run.config(), &outcome);
        for word in &run.datasets.0 {
            builder.dataset(&mut bill, &word.value, &references);
        }
        if let Some(base) = &run.base_model {
            builder.base(&mut bill, &base.value, &references);
        }
        for reference in &references {
            builder.reference(&mut bill, reference);
        }
        bill.settle();
        Ok(Some(bill))
    }
}

impl Bill {
    /// Reads the configuration of the run; what it names comes back.
    fn configure(&mut self, path: Option<&str>, outcome: &Outcome) -> Vec<Reference> {
        let Some(path) = path else {
            self.missing.push("the run names no configuration".to_owned());
            return Vec::new();
        };
        let found = outcome.blobs.iter().position(|blob| blob.path == path);
        let id = found.map(|at| BlobId(at as u32));
        let Some((id, bytes)) = id.and_then(|id| Some((id, outcome.bytes(id)?))) else {
            self.missing.push(format!("the configuration {path} is not there"));
            return Vec::new();
        };
        self.config = Some(File {
            path: path.to_owned(),
            sha256: hex(&<[u8; 32]>::from(Sha256::digest(&*bytes))),
            size: bytes.len() as u64,
            ..File::default()
        });
        let lists = Lists::of(outcome.references.iter().map(|(_, reference)| reference));
        let own = outcome.references.iter().filter(|(blob, _)| *blob == id).map(|(_, reference)| reference);
        own.map(|reference| lists.meant(reference)).collect()
    }

    fn add(&mut self, model: bool, part: Part) {
        let list = if model { &mut self.models } else { &mut self.datasets };
        let same = |old: &Part| {
            (&old.hub, &old.group, &old.name, &old.version) == (&part.hub, &part.group, &part.name, &part.version)
        };
        if !list.iter().any(same) {
            list.push(part);
        }
    }

    /// Puts the parts in order and says what is missing of each.
    fn settle(&mut self) {
        let key = |part: &Part| (part.hub.clone(), part.group.clone(), part.name.clone(), part.version.clone());
        self.models.sort_by_key(key);
        self.datasets.sort_by_key(key);
        for (noun, part) in
            self.models.iter().map(|part| ("model", part)).chain(self.datasets.iter().map(|part| ("dataset", part)))
        {
            let name = part.full_name();
            if part.hub.is_some() && part.version.is_none() {
                self.missing.push(format!("the {noun} {name} is not pinned"));
            }
            if part.hub.is_none() && part.files.is_empty() {
                self.missing.push(format!("no file of the {noun} {name} is in foretaste.lock"));
            }
            match &part.facts {
                None => self.missing.push(format!("no source lists the {noun} {name}")),
                Some(facts) => {
                    for (there, what) in [
                        (facts.licence.is_some(), "licence"),
                        (facts.reviewer.is_some() && facts.reviewed.is_some(), "review"),
                    ] {
                        if !there {
                            self.missing.push(format!("the source of the {noun} {name} has no {what}"));
                        }
                    }
                    self.day = self.day.max(facts.reviewed.unwrap_or(self.day));
                }
            }
            self.day = self.day.max(part.retrieved.unwrap_or(self.day));
        }
        self.missing.sort();
        self.missing.dedup();
    }
}

impl Part {
    /// Name and publisher, as people write it.
    pub(crate) fn full_name(&self) -> String {
        self.group.as_ref().map_or_else(|| self.name.clone(), |group| format!("{group}/{}", self.name))
    }
}

/// What parts are looked up in.
struct Builder<'a> {
    policy: &'a Policy,
    sources: ListedSources,
    lock: Option<&'a Lock>,
}

impl Builder<'_> {
    /// A dataset that the run names: one of the repository, or what a source lists.
    fn dataset(&self, bill: &mut Bill, name: &str, references: &[Reference]) {
        if let Some(set) = self.policy.datasets.iter().find(|set| &*set.name == name) {
            return bill.add(false, self.own(set));
        }
        let Some(source) = self.sources.named(name) else { return };
        // What the configuration names of it comes with its pin, below.
        let model = source.kind == Some("model");
        if references.iter().any(|reference| self.sources.of(reference).is_some_and(|of| of.name == source.name)) {
            return;
        }
        let (hub, group, short, url) = match &source.matches {
            SourceMatch::Hub(id) => {
                let (hub, id) = id.split_once(':').unwrap_or(("huggingface", id));
                let (group, short) = split(id);
                (hub.to_owned(), group, short, page(hub, id, model))
            }
            SourceMatch::Url(url) => ("url".to_owned(), None, name.to_owned(), Some(url.clone())),
            SourceMatch::Git(url) => ("git".to_owned(), None, name.to_owned(), Some(url.clone())),
            SourceMatch::Bucket(prefix) => ("bucket".to_owned(), None, name.to_owned(), Some(prefix.clone())),
            SourceMatch::Path(globs) => {
                return bill.add(model, self.held(name, Some(source), |path| globs.is_match(path)));
            }
        };
        let facts = Some(facts(source));
        bill.add(model, Part { name: short, group, hub: Some(hub), url, facts, ..Part::default() });
    }

    fn own(&self, set: &Dataset) -> Part {
        let source = set.source.as_deref().and_then(|name| self.sources.named(name));
        self.held(&set.name, source, |path| set.files.is_match(path))
    }

    /// Data of the repository, as the lock holds it.
    fn held(&self, name: &str, source: Option<&Source>, wanted: impl Fn(&Path) -> bool) -> Part {
        let files = self.lock.map_or(&[][..], |lock| &lock.files).iter();
        let (mut list, mut retrieved) = (Vec::new(), None);
        for file in files.filter(|file| file.path.to_path().is_ok_and(&wanted)) {
            retrieved = retrieved.max(file.retrieved);
            list.push(File {
                path: file.path.to_str_lossy().into_owned(),
                sha256: hex(&file.sha256),
                blake3: Some(hex(&file.blake3)),
                size: file.size,
                records: file.records,
            });
        }
        Part { name: name.to_owned(), files: list, retrieved, facts: source.map(facts), ..Part::default() }
    }

    /// The base model, where the configuration does not name it.
    fn base(&self, bill: &mut Bill, base: &str, references: &[Reference]) {
        let by_source = |of: &Source| of.name == base;
        if references.iter().any(|r| r.target == base || self.sources.of(r).is_some_and(by_source)) {
            return;
        }
        let source = self.sources.named(base);
        let id = match source.map(|source| &source.matches) {
            Some(SourceMatch::Hub(id)) => id.split_once(':').map_or(id.as_str(), |(_, id)| id),
            _ => base,
        };
        let (group, name) = split(id);
        let url = page("huggingface", id, true);
        let facts = source.map(facts);
        bill.add(true, Part { name, group, hub: Some("huggingface".to_owned()), url, facts, ..Part::default() });
    }

    /// What the configuration names.
    fn reference(&self, bill: &mut Bill, reference: &Reference) {
        match reference.verdict {
            // A placeholder, or a name that no hub has: nobody can say what would be loaded.
            Verdict::NotADataset if matches!(reference.kind, Target::Dataset | Target::Model) => {
                return bill.missing.push(format!("{} in the configuration is the name of nothing", reference.target));
            }
            Verdict::NotADataset => return,
            Verdict::Dynamic => {
                let what =
                    format!("what {} stands for in the configuration is only known when it runs", reference.target);
                return bill.missing.push(what);
            }
            Verdict::Local => return self.local(bill, reference),
            _ if !reference.is_remote() => return,
            _ => {}
        }
        let model = match reference.kind {
            Target::Dataset | Target::UrlData => false,
            Target::Model => true,
            Target::Code | Target::Image => return,
        };
        let firm = matches!(reference.verdict, Verdict::Pinned | Verdict::Locked);
        let url = if reference.target.contains("://") {
            Some(reference.target.clone())
        } else {
            page(reference.hub, &reference.target, model)
        };
        let (group, name) = if url.as_ref() == Some(&reference.target) {
            (None, reference.target.clone())
        } else {
            split(&reference.target)
        };
        let revision = reference.pin.as_deref();
        let locked = self
            .lock
            .and_then(|lock| lock.reference(reference.kind.as_str(), reference.hub, &reference.target, revision));
        let version = locked.map(|locked| locked.pin.clone()).or_else(|| reference.pin.clone().filter(|_| firm));
        let retrieved = locked.map(|locked| locked.retrieved);
        let facts = self.sources.of(reference).map(facts);
        bill.add(
            model,
            Part {
                name,
                group,
                hub: Some(reference.hub.to_owned()),
                version,
                url,
                retrieved,
                facts,
                ..Part::default()
            },
        );
    }

    /// A path in the configuration: in the bill already where a dataset of the run covers it.
    fn local(&self, bill: &mut Bill, reference: &Reference) {
        let path = reference.target.trim_start_matches("./").trim_end_matches('/');
        let under =
            |file: &File| file.path == path || file.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        if bill.datasets.iter().any(|part| part.files.iter().any(under)) || reference.kind == Target::Model {
            return;
        }
        let covers = |source: &&Source| matches!(&source.matches, SourceMatch::Path(globs) if globs.is_match(path));
        let source = self.policy.sources.iter().find(covers);
        bill.add(false, self.held(path, source, |file| file.starts_with(path)));
    }
}

fn split(id: &str) -> (Option<String>, String) {
    match id.split_once('/') {
        Some((group, name)) => (Some(group.to_owned()), name.to_owned()),
        None => (None, id.to_owned()),
    }
}

/// The page of a repository on a hub.
fn page(hub: &str, id: &str, model: bool) -> Option<String> {
    if id.contains(['*', '?', '[']) {
        return None;
    }
    Some(match (hub, model) {
        ("huggingface", true) => format!("https://huggingface.co/{id}"),
        ("huggingface", false) => format!("https://huggingface.co/datasets/{id}"),
        ("modelscope", true) => format!("https://modelscope.cn/models/{id}"),
        ("modelscope", false) => format!("https://modelscope.cn/datasets/{id}"),
        ("kaggle", false) => format!("https://www.kaggle.com/datasets/{id}"),
        _ => return None,
    })
}

fn facts(source: &Source) -> Facts {
    Facts {
        source: source.name.clone(),
        licence: source.licence.clone(),
        reviewer: source.reviewer.clone(),
        reviewed: source.reviewed,
        expires: source.expires,
        trust: source.trust.map(str::to_owned),
    }
}
