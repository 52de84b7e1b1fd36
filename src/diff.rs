//! Two versions of the data: which records changed, and what the change means.

/// The changes between two versions of all data in scope.
#[derive(Debug, Default)]
pub struct Changes<'a> {
    marker: std::marker::PhantomData<&'a ()>,
}
