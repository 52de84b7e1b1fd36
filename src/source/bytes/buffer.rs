//! Memory for bytes whose number is known beforehand.

use std::ops::{Deref, DerefMut};

use memmap2::{MmapMut, MmapOptions};

/// Memory of a fixed size, zeros at first.
///
/// It is taken from the system at once, and in huge pages where the system has them: filling 200 MB costs a hundred
/// faults then, and not fifty thousand. Nothing is zeroed a second time, and nothing is left over.
#[derive(Debug)]
pub(in crate::source) struct Buffer(MmapMut);

impl Buffer {
    /// So many bytes; `None` where the system has not got them.
    pub(in crate::source) fn new(len: usize) -> Option<Self> {
        let map = MmapOptions::new().len(len).map_anon().ok()?;
        // Only a hint.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Some(Self(map))
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
