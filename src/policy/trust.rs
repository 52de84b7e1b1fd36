//! Which side of a change a policy is read from (law 1).

/// The policy of the trusted side and the one that a change proposes.
#[derive(Debug)]
pub(crate) struct Proposed<'a> {
    /// In force.
    pub(crate) before: &'a super::Policy,
    /// Proposed.
    pub(crate) after: &'a super::Policy,
}
