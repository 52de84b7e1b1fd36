//! Keys, and what must hold.

use base64::Engine as _;
use jiff::civil::Date;

use crate::policy::file::{CoverageWords, Day, EarlierWords, KeyWords, MomentWords, Plainly, RequireWords};
use crate::policy::lock::Moment;
use crate::policy::node::{Fault, short};
use crate::policy::signature::{oms, ssh};
use crate::policy::words::{Named, Placed};
use crate::policy::{Key, Require};

pub(super) fn keys(named: &Named<KeyWords>) -> Result<Vec<Key>, Fault> {
    named.0.iter().map(|(name, words)| key(name, words).map_err(|fault| fault.at(name.span))).collect()
}

fn key(name: &Placed<String>, words: &KeyWords) -> Result<Key, Fault> {
    if let (Some(from), Some(until)) = (&words.from, &words.until)
        && until.value < from.value
    {
        return Err(Fault::new("the key ends before it begins").at(until.span));
    }
    if words.principal.trim().is_empty() {
        return Err(Fault::new(format!("the key `{}` belongs to nobody", short(&name.value)))
            .help("write the person or service behind it: `principal: data-team@example.org`"));
    }
    let material = material(words).ok_or_else(|| {
        Fault::new(format!("the key `{}` needs one of `minisign`, `ssh` and `ecdsa`", short(&name.value)))
    })??;
    if let Some(Plainly::Told(told)) = &words.revoked
        && told.reason.trim().is_empty()
    {
        return Err(Fault::new("the reason of this revocation is empty").help("say why the key no longer counts"));
    }
    let (revoked, revoked_at, earlier) = match &words.revoked {
        None | Some(Plainly::Said(false)) => (false, None, false),
        Some(Plainly::Said(true)) => (true, None, true),
        Some(Plainly::Told(told)) => (true, Some(told.at.0), matches!(told.earlier, EarlierWords::Untrusted)),
    };
    Ok(Key {
        name: name.value.clone(),
        principal: words.principal.clone(),
        roles: words.roles.values(),
        from: day(words.from.as_ref()),
        until: day(words.until.as_ref()),
        revoked,
        revoked_at,
        earlier_untrusted: earlier,
        span: name.span,
        ..material
    })
}

/// What a key consists of, with nothing else said of it; `None` where it is of no kind, or of several.
fn material(words: &KeyWords) -> Option<Result<Key, Fault>> {
    let refused = |word: &Placed<String>, kind: &str, why: String, help: &str| {
        Fault::new(format!("`{}` is no {kind}: {why}", short(&word.value))).at(word.span).help(help)
    };
    Some(match (&words.minisign, &words.ssh, &words.ecdsa) {
        (Some(word), None, None) => checked_minisign(word).map(|minisign| Key { minisign, ..Key::default() }),
        (None, Some(word), None) => ssh::public_key(&word.value)
            .map(|_| Key { ssh: Some(word.value.clone()), ..Key::default() })
            .map_err(|why| refused(word, "SSH public key", why, "write the whole line: `ssh-ed25519 AAAA…`")),
        (None, None, Some(word)) => oms::PublicKey::parse(&word.value)
            .map(|_| Key { ecdsa: Some(word.value.clone()), ..Key::default() })
            .map_err(|why| {
                let help = "copy what stands between the first and the last line of the public key file, whole";
                refused(word, "public key of a model signature", why, help)
            }),
        _ => return None,
    })
}

pub(super) fn day(day: Option<&Placed<Day>>) -> Option<Date> {
    day.map(|day| day.value.0)
}

/// A whole key: the number of a key is random and no fingerprint, so nothing less is a name for it.
fn checked_minisign(word: &Placed<String>) -> Result<String, Fault> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(&word.value);
    match bytes {
        Ok(bytes) if bytes.len() == 42 && bytes.starts_with(b"Ed") => Ok(word.value.clone()),
        _ => Err(Fault::new(format!(
            "`{}` is no minisign public key: that has 56 characters and begins with `RW`; here are {}",
            short(&word.value),
            word.value.chars().count()
        ))
        .at(word.span)
        .help("copy the second line of the public key file, whole")),
    }
}

pub(super) fn require(words: &RequireWords) -> Result<Require, Fault> {
    if let Some(distinct) = &words.distinct_principals
        && !distinct.value
    {
        return Err(Fault::new("`distinct_principals` cannot be false: one person with two keys would count twice")
            .at(distinct.span)
            .help("take the line away"));
    }
    let (change, change_signatures, change_roles) = match words.policy_change.as_ref().map(|change| &change.value) {
        None | Some(Plainly::Said(false)) => (false, 0, Vec::new()),
        Some(Plainly::Said(true)) => (true, 0, Vec::new()),
        Some(Plainly::Told(signed)) => (true, signed.signatures, signed.roles.values()),
    };
    Ok(Require {
        signatures: words.signatures.as_ref().map_or(0, |n| n.value),
        full_coverage: words.coverage.as_ref().is_some_and(|c| c.value == CoverageWords::Full),
        policy_change: change,
        policy_change_signatures: change_signatures,
        policy_change_roles: change_roles,
        signed_at: words.signed_at.0.iter().map(|at| moment(at.value)).collect(),
        models: words.model_signatures.values(),
        signed_commits: words.signed_commits.as_ref().is_some_and(|signed| signed.value),
        exclude_author: words.exclude_author.as_ref().is_some_and(|e| e.value),
        roles: words.roles.values(),
        max_age_days: words.max_age_days.as_ref().map(|n| n.value),
    })
}

fn moment(word: MomentWords) -> Moment {
    match word {
        MomentWords::Change => Moment::Change,
        MomentWords::Merge => Moment::Merge,
        MomentWords::Tag => Moment::Tag,
        MomentWords::Run => Moment::Run,
    }
}
