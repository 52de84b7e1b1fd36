//! Changes of the policy itself: who must have signed them, under the old policy and under the new one.
//!
//! As with the roots of The Update Framework, a change of the anchors counts once the lock that names the new policy is
//! signed by enough holders under both. So nobody can bring a key along, and nobody can lock the others out unseen.

use jiff::civil::Date;

use super::count::{Counted, Need, count};
use super::{Kind, Signed, Subject, Trust, verify};
use crate::policy::lock::{Lock, Locked};
use crate::policy::{Key, LOCK, Require};

/// Who signed a change of the policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Rotation {
    /// By the policy in force: how many it asks for, and who signed.
    pub(crate) old: (u32, Counted),
    /// By the proposed one.
    pub(crate) new: (u32, Counted),
    /// Whether the lock names the policy as it is proposed.
    pub(crate) named: bool,
}

impl Rotation {
    /// Whether the change is covered.
    pub(crate) fn is_enough(&self) -> bool {
        let enough = |(needed, counted): &(u32, Counted)| counted.principals.len() as u64 >= u64::from(*needed);
        self.named && enough(&self.old) && enough(&self.new)
    }
}

/// What a lock and its signatures make of a changed policy; `None` where the policy does not change, or none of its
/// sides asks for signatures.
pub(crate) fn rotation(locked: &Locked<'_>, keys: &[Key], require: &Require, as_of: Date) -> Option<Rotation> {
    let proposed = locked.proposed?;
    if !locked.enforced || require.policy_change_signatures == 0 {
        return None;
    }
    let lock = locked.lock.ok();
    let side = |keys: &[Key], require: &Require| {
        let signed = lock.map_or_else(Vec::new, |lock| signers(locked, lock, keys, require, as_of));
        let authors = if require.exclude_author { locked.authors } else { &[] };
        let need = Need { roles: &require.policy_change_roles, authors };
        (require.policy_change_signatures, count(&signed, &need))
    };
    let named = lock.is_some_and(|lock| lock.policy.is_some() && lock.policy == locked.policy);
    Some(Rotation { old: side(keys, require), new: side(&proposed.keys, &proposed.require), named })
}

/// Everybody whose signature of the lock holds.
fn signers(locked: &Locked<'_>, lock: &Lock, keys: &[Key], require: &Require, as_of: Date) -> Vec<Signed> {
    let judge = |file: &crate::policy::lock::SignatureFile| {
        let trust = Trust { keys, as_of, max_age_days: require.max_age_days, standing: file.standing && locked.same };
        verify(file.path.as_ref(), &file.bytes, &subject(lock, locked.text), &trust).ok()
    };
    locked.signatures.iter().filter_map(judge).collect()
}

/// A lock as something that is signed.
pub(crate) fn subject<'a>(lock: &'a Lock, text: &'a [u8]) -> Subject<'a> {
    let (kind, seq) = (Kind::Lock, lock.seq.unwrap_or(0));
    Subject { kind, repo: &lock.repo, file: LOCK.into(), bytes: text, seq, day: lock.locked }
}
