//! Signatures: who stood up for which bytes, by keys that the trusted policy lists.
//!
//! A signature says who signed some bytes. That is not enough: it could have been made for another repository, an older
//! lock or another purpose. So what it is checked against is a [`Subject`], and every part of that is bound: by the
//! trusted comment of minisign, by namespace and signed text of SSH. Which days a key counts on is judged here, once for
//! both: a day that a signer claims is no evidence, so only what already stood on the trusted side is judged by it.

pub(crate) mod commit;
pub(crate) mod count;
pub(crate) mod minisign;
pub(crate) mod oms;
pub(crate) mod rotation;
pub(crate) mod ssh;

use bstr::{BStr, ByteSlice};
use jiff::civil::Date;

use crate::policy::Key;

/// Longest signature file that is read.
const MAX_FILE: usize = 8 << 10;
/// At most this many signature files are read.
pub(crate) const MAX_FILES: usize = 32;

/// For what a signature was made, so that none passes for another.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// `foretaste.lock`.
    Lock,
    /// Any one file: weights, an adapter, the manifest of a delivery.
    File,
    /// The receipt of a fine-tuning run.
    Run,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Lock => "lock",
            Kind::File => "file",
            Kind::Run => "run",
        }
    }
}

/// What a signature must have been made for.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) kind: Kind,
    /// Name of the repository.
    pub(crate) repo: &'a str,
    /// Path of the file in it.
    pub(crate) file: &'a BStr,
    pub(crate) bytes: &'a [u8],
    /// Sequence number of a lock; 0 for anything else.
    pub(crate) seq: u64,
    /// The day that the signed bytes themselves name, for signatures that carry none.
    pub(crate) day: Option<Date>,
}

/// Under which policy a signature is judged.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Trust<'a> {
    /// Keys of the trusted policy.
    pub(crate) keys: &'a [Key],
    pub(crate) as_of: Date,
    /// Age in days at which a signature no longer counts.
    pub(crate) max_age_days: Option<u32>,
    /// Whether signature and signed file are on the trusted side already, as they are.
    pub(crate) standing: bool,
}

/// A signature that holds: whose it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Signed {
    /// Name of the key in the policy.
    pub(crate) key: String,
    /// Who holds it.
    pub(crate) principal: String,
    /// What the signatures of the key count for.
    pub(crate) roles: Vec<String>,
}

impl Signed {
    fn by(key: &Key) -> Self {
        Self { key: key.name.clone(), principal: key.principal.clone(), roles: key.roles.clone() }
    }
}

/// A signature that does not hold: which of the sheet's findings it is, and what to say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refused {
    /// `signature-bad`, `signature-unknown-key`, `signature-expired-key`, `signature-revoked-key`, `signature-too-old`,
    /// `signature-not-judged`, and of commits `signature-missing`.
    pub(crate) finding: &'static str,
    pub(crate) why: String,
}

pub(crate) fn bad(why: impl Into<String>) -> Refused {
    Refused { finding: "signature-bad", why: why.into() }
}

/// Whether a file beside `signed` is a signature of it, by its name. The key id in the name is a hint and not looked at.
pub(crate) fn is_signature_of(name: &BStr, signed: &BStr) -> bool {
    let rest = name.strip_prefix(signed.as_bytes()).and_then(|rest| rest.strip_prefix(b"."));
    rest.is_some_and(|rest| !rest.contains(&b'/') && (rest.ends_with(b"minisig") || rest.ends_with(b"sshsig")))
}

/// Judges one signature file, called `name`.
///
/// # Errors
/// Why the signature does not count.
pub(crate) fn verify(name: &BStr, file: &[u8], subject: &Subject<'_>, trust: &Trust<'_>) -> Result<Signed, Refused> {
    let (key, made) = if name.ends_with(b".sshsig") {
        (ssh::verify(file, subject, trust.keys)?, subject.day)
    } else {
        let (key, made) = minisign::verify(file, subject, trust)?;
        (key, Some(made))
    };
    in_force(key, made, trust)?;
    Ok(Signed::by(key))
}

/// Whether a key counts, for a signature that claims to have been made on the day `made`.
pub(crate) fn in_force(key: &Key, made: Option<Date>, trust: &Trust<'_>) -> Result<(), Refused> {
    let tomorrow = trust.as_of.saturating_add(jiff::Span::new().days(1));
    if made.is_some_and(|made| made > tomorrow) {
        return Err(bad("it says that it was made on a day to come"));
    }
    // The backdating trap: whoever holds an old key can write an old day. What is new is judged today.
    let day = if trust.standing { made.unwrap_or(trust.as_of).min(trust.as_of) } else { trust.as_of };
    if key.revoked {
        let kept =
            trust.standing && made.is_some() && !key.earlier_untrusted && key.revoked_at.is_some_and(|at| day < at);
        if !kept {
            let why = format!("key {} is revoked", key.name);
            return Err(Refused { finding: "signature-revoked-key", why });
        }
    }
    let early = key.from.is_some_and(|from| day < from);
    let late = key.until.is_some_and(|until| day > until);
    if early || late {
        let why = format!("key {} is not valid on {day}", key.name);
        return Err(Refused { finding: "signature-expired-key", why });
    }
    if let (Some(most), Some(made)) = (trust.max_age_days, made) {
        let end = made.saturating_add(jiff::Span::new().days(i64::from(most.min(1_000_000))));
        if end < trust.as_of {
            let why = format!("it was made on {made}, more than {most} days ago");
            return Err(Refused { finding: "signature-too-old", why });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn judge(key: &Key, made: Option<Date>, standing: bool, max_age_days: Option<u32>) -> Result<(), &'static str> {
        let trust = Trust { keys: &[], as_of: date(2026, 11, 23), max_age_days, standing };
        in_force(key, made, &trust).map_err(|refused| refused.finding)
    }

    #[test]
    fn a_claimed_day_helps_only_what_already_stood_on_the_trusted_side() {
        let ended = Key { until: Some(date(2026, 6, 30)), ..Key::default() };
        let made = Some(date(2026, 6, 1));
        assert_eq!(judge(&ended, made, true, None), Ok(()));
        assert_eq!(judge(&ended, made, false, None), Err("signature-expired-key"), "backdated");
        assert_eq!(judge(&ended, Some(date(2026, 7, 1)), true, None), Err("signature-expired-key"));
        assert_eq!(judge(&ended, None, true, None), Err("signature-expired-key"), "no day is no evidence");
        assert_eq!(judge(&Key::default(), Some(date(2027, 1, 1)), true, None), Err("signature-bad"));
    }

    #[test]
    fn a_stolen_key_loses_all_its_signatures_and_a_retired_one_its_new_ones() {
        let stolen =
            Key { revoked: true, revoked_at: Some(date(2026, 6, 1)), earlier_untrusted: true, ..Key::default() };
        let retired = Key { earlier_untrusted: false, ..stolen.clone() };
        let made = Some(date(2026, 5, 1));
        assert_eq!(judge(&stolen, made, true, None), Err("signature-revoked-key"));
        assert_eq!(judge(&retired, made, true, None), Ok(()));
        assert_eq!(judge(&retired, made, false, None), Err("signature-revoked-key"));
        assert_eq!(judge(&retired, Some(date(2026, 6, 1)), true, None), Err("signature-revoked-key"));
        assert_eq!(judge(&retired, None, true, None), Err("signature-revoked-key"));
    }

    #[test]
    fn old_signatures_stop_counting_where_the_policy_says_so() {
        let key = Key::default();
        assert_eq!(judge(&key, Some(date(2026, 11, 13)), true, Some(10)), Ok(()));
        assert_eq!(judge(&key, Some(date(2026, 11, 12)), true, Some(10)), Err("signature-too-old"));
    }

    #[test]
    fn signatures_are_known_by_their_names() {
        let is = |name: &str| is_signature_of(name.into(), "foretaste.lock".into());
        assert!(is("foretaste.lock.A96FBDD5696487D1.minisig") && is("foretaste.lock.a.sshsig"));
        assert!(!is("foretaste.lock") && !is("foretaste.lock.txt") && !is("other.lock.a.minisig"));
        assert!(!is("foretaste.locka.minisig") && !is("foretaste.lock.a/b.minisig"));
    }
}
