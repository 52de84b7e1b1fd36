//! Which side of a change a policy is read from (law 1).
//!
//! Pure: it is given the texts of both sides and says which policy judges. From the side under judgement only what
//! describes counts at once (datasets and their fields) and what is stricter (severities that are raised, folders that
//! tighten). What permits is read from the trusted side alone, and shown as proposed.

use bstr::{BStr, BString, ByteSlice};
use jiff::civil::Date;

use crate::policy::baseline::Baseline;
use crate::policy::{BASELINE, FILE, Folder, Known, Origin, Policy, PolicyError, RuleBlock, glob};
use crate::rule::Severity;
use crate::span::BlobId;

/// The policy of the trusted side and the one that a change proposes.
#[derive(Debug)]
pub(crate) struct Proposed<'a> {
    /// Of the trusted side; the built-in one where it has none.
    pub(crate) before: &'a Policy,
    /// Proposed; the built-in one where the change deletes it.
    pub(crate) after: &'a Policy,
    /// Baseline of the trusted side.
    pub(crate) baseline_before: &'a Baseline,
    /// Baseline that is proposed.
    pub(crate) baseline_after: &'a Baseline,
    /// Whether it is the first policy of the repository.
    pub(crate) first: bool,
    /// The proposed policy file as a blob of the run, to point into.
    pub(crate) file: Option<BlobId>,
    /// The proposed baseline as a blob of the run.
    pub(crate) baseline_file: Option<BlobId>,
}

/// Where the trusted side of a run is.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) enum Trusted {
    /// The work tree itself.
    Worktree,
    /// HEAD, or the revision that is judged.
    Head,
    /// The base of a range, or the merge base with the branch that a change will go to.
    Base,
}

/// What one side holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side<'a> {
    /// Text of `foretaste.yaml`.
    pub(crate) policy: Option<&'a str>,
    /// Text of `foretaste.baseline`.
    pub(crate) baseline: Option<&'a str>,
    /// Policies in folders, by their paths: `data/legal/foretaste.yaml`.
    pub(crate) folders: Vec<(BString, &'a str)>,
    /// The commit, where the side is one.
    pub(crate) commit: Option<String>,
}

/// What there is to choose from.
#[derive(Clone, Debug)]
pub(crate) struct Sides<'a> {
    /// Which side is trusted.
    pub(crate) from: Trusted,
    /// The trusted side.
    pub(crate) trusted: Side<'a>,
    /// The side under judgement, where it is another one.
    pub(crate) judged: Option<Side<'a>>,
    /// `foretaste.yaml` at HEAD, where the work tree is judged and there is a HEAD.
    pub(crate) head: Option<Option<&'a str>>,
    /// `--policy FILE`: its name and text.
    pub(crate) flag: Option<(&'a str, &'a str)>,
}

/// Which policy judges.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// In force.
    pub(crate) policy: Policy,
    /// In force.
    pub(crate) baseline: Baseline,
    /// Whether the change adopts foretaste: the trusted side has no policy and the change brings one. Rules that need
    /// an allowlist, a lock or keys wait until theirs has landed.
    pub(crate) adoption: bool,
    /// What a reader of the report should know, one sentence each.
    pub(crate) notes: Vec<String>,
    before: Policy,
    proposed: Option<(Policy, Baseline)>,
}

impl Judgement {
    /// What the change proposes, for the checks. The blobs are those of the proposed files, where they are in scope.
    pub(crate) fn proposed(&self, file: Option<BlobId>, baseline_file: Option<BlobId>) -> Option<Proposed<'_>> {
        let (after, baseline_after) = self.proposed.as_ref()?;
        Some(Proposed {
            before: &self.before,
            after,
            baseline_before: &self.baseline,
            baseline_after,
            first: self.before.origin.from == "builtin",
            file,
            baseline_file,
        })
    }
}

/// Says which policy judges.
///
/// # Errors
/// Where a policy or a baseline that is needed cannot be used.
pub(crate) fn judge(sides: &Sides<'_>, as_of: Date, known: &[Known]) -> Result<Judgement, PolicyError> {
    let parse = |side: &Side<'_>| side.policy.map(|text| Policy::parse(FILE, text, as_of, known)).transpose();
    let read = |side: &Side<'_>| side.baseline.map_or(Ok(Baseline::default()), |text| Baseline::parse(BASELINE, text));
    let baseline = read(&sides.trusted)?;
    if let Some((name, text)) = sides.flag {
        let policy = Policy::parse(name, text, as_of, known)?;
        return Ok(settled(policy, baseline));
    }
    let mut notes = Vec::new();
    let trusted = match parse(&sides.trusted) {
        Ok(policy) => policy,
        // A broken policy on the trusted side must be mendable by a change.
        Err(error) => match &sides.judged {
            Some(judged) if judged.policy != sides.trusted.policy && judged.policy.is_some() => {
                notes.push(format!(
                    "{FILE} of the trusted side cannot be used ({}): the built-in policy judges the change that mends it",
                    error.message
                ));
                None
            }
            _ => return Err(error),
        },
    };
    let origin = Origin {
        from: match sides.from {
            Trusted::Worktree => "worktree",
            Trusted::Head => "head",
            Trusted::Base => "base",
        },
        path: Some(FILE.to_owned()),
        commit: sides.trusted.commit.clone(),
    };
    let mut before = trusted.map_or_else(|| Policy::builtin(as_of), |policy| Policy { origin, ..policy });
    let mut reading = Reading { as_of, known, excluded: before.exclude.clone(), notes: Vec::new() };
    before.folders = reading.folders(&sides.trusted, sides.judged.as_ref())?;
    let mut policy = before.clone();

    let Some(judged) = &sides.judged else {
        if sides.from == Trusted::Worktree
            && let Some(head) = sides.head
            && head != sides.trusted.policy
        {
            notes.push(match (head, sides.trusted.policy) {
                (None, _) => format!("{FILE} is not committed yet; the work tree's own judges"),
                (_, None) => format!("{FILE} is deleted in the work tree; the built-in policy judges"),
                _ => format!("{FILE} differs from the one at HEAD; the work tree's own judges"),
            });
        }
        notes.append(&mut reading.notes);
        notes.extend(policy.notes.iter().cloned());
        return Ok(Judgement { notes, before, ..settled(policy, baseline) });
    };

    let after = if judged.policy == sides.trusted.policy { None } else { Some(parse(judged)?) };
    let baseline_after = if judged.baseline == sides.trusted.baseline { None } else { Some(read(judged)?) };
    let adoption = sides.trusted.policy.is_none() && judged.policy.is_some();
    match &after {
        None => {}
        Some(None) => notes.push(format!("the change deletes {FILE}; the one of the trusted side still judges it")),
        Some(Some(after)) => {
            policy.datasets.clone_from(&after.datasets);
            if adoption {
                notes.push(format!(
                    "{FILE} is new in this change: the built-in policy judges it, and rules that need an allowlist, a \
                     lock or keys wait until theirs has landed"
                ));
            } else {
                stricter(&mut policy, &after.rules, known);
                notes.push(format!(
                    "the change also changes {FILE}: what describes data counts at once, what permits something once it \
                     has landed"
                ));
            }
        }
    }
    let folders = reading.folders(judged, None)?;
    let other_folders = folders != before.folders;
    policy.folders.extend(folders.iter().cloned());
    notes.append(&mut reading.notes);
    notes.extend(policy.notes.iter().cloned());
    let proposed = (after.is_some() || baseline_after.is_some() || other_folders).then(|| {
        let after = match after {
            None => before.clone(),
            Some(after) => after.unwrap_or_else(|| Policy::builtin(as_of)),
        };
        (Policy { folders, ..after }, baseline_after.unwrap_or_else(|| baseline.clone()))
    });
    Ok(Judgement { policy, baseline, adoption, notes, before, proposed })
}

fn settled(policy: Policy, baseline: Baseline) -> Judgement {
    let notes = policy.notes.clone();
    Judgement { before: policy.clone(), policy, baseline, adoption: false, notes, proposed: None }
}

/// Takes over severities that are stricter than those in force.
fn stricter(policy: &mut Policy, proposed: &[RuleBlock], known: &[Known]) {
    for block in proposed {
        let Some(wanted) = block.severity else { continue };
        let Some(known) = known.iter().find(|k| k.rule.id == block.rule) else { continue };
        let now: Option<Severity> = policy.severity(known.rule).unwrap_or(Some(known.rule.severity));
        if wanted <= now {
            continue;
        }
        match policy.rules.iter_mut().find(|own| own.rule == block.rule) {
            Some(own) => own.severity = Some(wanted),
            None => policy.rules.push(RuleBlock::severity_alone(&block.rule, wanted)),
        }
    }
}

/// Reads the policies of folders. They may raise severities for what lies below them, and nothing else of them is
/// followed.
struct Reading<'k> {
    as_of: Date,
    known: &'k [Known],
    /// What the policy in force leaves out: nothing in it is judged, so that a policy in it judges nothing.
    excluded: globset::GlobSet,
    notes: Vec<String>,
}

impl Reading<'_> {
    /// The policies of one side. One that cannot be used does not stop the change that mends or removes it, which
    /// `other` shows.
    fn folders(&mut self, side: &Side<'_>, other: Option<&Side<'_>>) -> Result<Vec<Folder>, PolicyError> {
        let mut folders = Vec::new();
        for (path, text) in &side.folders {
            let Some(folder) = folder_of(path.as_ref()) else { continue };
            if glob::matches(&self.excluded, path.as_ref()) {
                continue;
            }
            let name = path.to_str_lossy();
            let own = match Policy::parse(&name, text, self.as_of, self.known) {
                Ok(own) => own,
                Err(error) => {
                    let is_changed = |other: &Side<'_>| !other.folders.iter().any(|(p, t)| p == path && t == text);
                    if !other.is_some_and(is_changed) {
                        return Err(error);
                    }
                    self.say(format!("{name} of the trusted side cannot be used ({})", error.message));
                    continue;
                }
            };
            let idle = own.permits();
            if !idle.is_empty() {
                let idle = idle.join(", ");
                self.say(format!("{name} only tightens what lies in its folder: {idle} in it is not followed"));
            }
            let severities = own.rules.iter().filter_map(|block| Some((block.rule.clone(), block.severity??)));
            folders.push(Folder { path: folder.to_owned(), severities: severities.collect() });
        }
        Ok(folders)
    }

    fn say(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// The folder of a policy below the top, with its last `/`; `None` for any other path.
pub(crate) fn folder_of(path: &BStr) -> Option<&BStr> {
    let folder = path.strip_suffix(FILE.as_bytes())?;
    folder.ends_with(b"/").then(|| folder.as_bstr())
}

#[cfg(test)]
mod tests;
