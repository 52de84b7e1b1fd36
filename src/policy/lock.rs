//! `foretaste.lock`: what each file was when it was reviewed, and who signed that.

/// The lock, what it was compared with, and its signatures.
#[derive(Debug)]
pub(crate) struct Locked<'a> {
    marker: std::marker::PhantomData<&'a ()>,
}
