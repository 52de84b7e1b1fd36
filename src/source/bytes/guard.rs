//! Mappings, and the handler of SIGBUS that lets their readers go on over zeros.

use std::io;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use memmap2::{Advice, Mmap, MmapOptions};

use super::{CHANGED, Opened};

/// The handler may neither lock nor allocate, so it looks mappings up in an array of atomics. Where all places are
/// taken, files are read instead; there are never more mappings than a few for each thread.
const PLACES: usize = 256;

/// The base of a place that nobody holds.
const FREE: usize = 0;
/// The base of a place that is being filled: no mapping ever starts at this address.
const TAKEN: usize = 1;

struct Place {
    /// Odd while base and length are being written, so that the handler never takes the one of an old mapping and the
    /// other of a new one: it would put zeros over memory of somebody else.
    version: AtomicUsize,
    base: AtomicUsize,
    len: AtomicUsize,
    hit: AtomicBool,
}

impl Place {
    const fn free() -> Self {
        let (version, base, len) = (AtomicUsize::new(0), AtomicUsize::new(FREE), AtomicUsize::new(0));
        Self { version, base, len, hit: AtomicBool::new(false) }
    }

    fn hold(&self, base: usize, len: usize) {
        self.version.fetch_add(1, SeqCst);
        self.hit.store(false, SeqCst);
        self.len.store(len, SeqCst);
        self.base.store(base, SeqCst);
        self.version.fetch_add(1, SeqCst);
    }

    /// First address and end of the mapping, unless it is in change: then it is not the one that is being read.
    fn extent(&self) -> Option<(usize, usize)> {
        let before = self.version.load(SeqCst);
        let (base, len) = (self.base.load(SeqCst), self.len.load(SeqCst));
        let still = before.is_multiple_of(2) && self.version.load(SeqCst) == before;
        (still && base > TAKEN).then(|| (base, base.saturating_add(len)))
    }
}

static REGISTRY: [Place; PLACES] = [const { Place::free() }; PLACES];

/// The handler that was there before ours; empty as long as ours is not installed.
static EARLIER: OnceLock<Option<libc::sigaction>> = OnceLock::new();

/// A read-only mapping of a whole file, known to the handler as long as it lives.
#[derive(Debug)]
pub(super) struct Mapping {
    place: usize,
    map: Mmap,
    opened: Option<Opened>,
}

impl Mapping {
    /// Maps the open file itself, never its path. `None` where that cannot be done.
    pub(super) fn new(opened: &Opened, size: u64) -> Option<Self> {
        let size = usize::try_from(size).ok()?;
        let place = REGISTRY.iter().position(|p| p.base.compare_exchange(FREE, TAKEN, SeqCst, SeqCst).is_ok())?;
        // SAFETY: the map is read-only and private to this struct. Its bytes may change or vanish at any time; the
        // handler covers the second, and every reader takes them as hostile bytes of which no property is remembered.
        let Ok(map) = (unsafe { MmapOptions::new().len(size).map(&opened.file) }) else {
            REGISTRY[place].base.store(FREE, SeqCst);
            return None;
        };
        // Only a hint.
        let _ = map.advise(Advice::Sequential);
        // Nothing reads the map before it is known to the handler.
        REGISTRY[place].hold(map.as_ptr().expose_provenance(), map.len());
        Some(Self { place, map, opened: None })
    }

    /// Keeps the file open, so that it can be compared later.
    pub(super) fn keep(mut self, opened: Opened) -> Self {
        self.opened = Some(opened);
        self
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.map
    }

    pub(super) fn verify(&self) -> Result<(), String> {
        if REGISTRY[self.place].hit.load(SeqCst) {
            return Err(CHANGED.to_owned());
        }
        self.opened.as_ref().map_or(Ok(()), Opened::verify)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // Struck off before the field `map` is unmapped: afterwards the same addresses may belong to somebody else.
        REGISTRY[self.place].base.store(FREE, SeqCst);
    }
}

/// Whether the handler is installed.
pub(super) fn stands() -> bool {
    matches!(EARLIER.get(), Some(Some(_)))
}

/// Installs the handler, once.
pub(super) fn install() {
    EARLIER.get_or_init(|| {
        let mut earlier = empty();
        // SAFETY: both pointers are null or point to a whole `sigaction`, and the handler keeps to what a handler may do.
        unsafe {
            if libc::sigaction(libc::SIGBUS, ptr::null(), &raw mut earlier) != 0 {
                return None;
            }
            let mut ours = empty();
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = on_fault;
            ours.sa_sigaction = handler as usize;
            // On the alternate stack, as the handler of the Rust runtime that it stands before.
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigemptyset(&raw mut ours.sa_mask);
            (libc::sigaction(libc::SIGBUS, &raw const ours, ptr::null_mut()) == 0).then_some(earlier)
        }
    });
}

fn empty() -> libc::sigaction {
    // SAFETY: a C struct of integers, a set of bits and an optional function pointer: all zeros is a value of it.
    unsafe { std::mem::zeroed() }
}

/// Async-signal-safe: atomics, `mmap`, `sigaction`, `raise` and nothing else.
extern "C" fn on_fault(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel hands over a valid `siginfo_t`, since the handler asked for it with SA_SIGINFO.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    if code == libc::BUS_ADRERR && cover(address) {
        return;
    }
    // Not ours. The instruction faults again when we return, and then meets the handler that was there before.
    if let Some(Some(earlier)) = EARLIER.get() {
        // SAFETY: `earlier` is what `sigaction` gave us.
        unsafe {
            libc::sigaction(signal, ptr::from_ref(earlier), ptr::null_mut());
            // A signal that somebody sent does not come again by itself.
            if code <= 0 {
                libc::raise(signal);
            }
        }
    }
}

/// Puts zeros in the place of a mapping from the faulting page to its end. To the end, since every single page would
/// cost a signal, and scattered ones split the mapping until the kernel refuses.
fn cover(address: usize) -> bool {
    for place in &REGISTRY {
        let Some((base, end)) = place.extent().filter(|&(base, end)| (base..end).contains(&address)) else { continue };
        place.hit.store(true, SeqCst);
        let page = address - (address - base) % page_size();
        let error = io::Error::last_os_error().raw_os_error();
        // SAFETY: the range lies inside a mapping that is ours and alive, since a thread is reading it at this moment;
        // it is readable before and after, and its readers expect any bytes.
        let zeros = unsafe {
            libc::mmap(
                ptr::with_exposed_provenance_mut(page),
                end - page,
                libc::PROT_READ,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
                -1,
                0,
            )
        };
        if let Some(error) = error {
            // SAFETY: the location belongs to this thread. The interrupted code must find its error number unchanged.
            unsafe { *libc::__errno_location() = error };
        }
        return zeros != libc::MAP_FAILED;
    }
    false
}

fn page_size() -> usize {
    // SAFETY: asks for a constant of the system; glibc and musl answer from memory.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}
