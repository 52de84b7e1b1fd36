//! Memory for bytes whose number is known beforehand.

use std::ops::{Deref, DerefMut};

use memmap2::{MmapMut, MmapOptions};

/// Memory of a fixed size, zeros at first.
///
/// It is taken from the system at once, which gives zeros: nothing is zeroed a second time, nothing grows and is copied,
/// and where there is not enough of it that is no end of the process. Huge pages are not asked for: on a virtual machine
/// whose host has yet to find the memory they cost three times as much.
#[derive(Debug)]
pub(in crate::source) struct Buffer(MmapMut);

impl Buffer {
    /// So many bytes; `None` where the system has not got them.
    pub(in crate::source) fn new(len: usize) -> Option<Self> {
        MmapOptions::new().len(len).map_anon().ok().map(Self)
    }
}

impl Deref for Buffer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}
