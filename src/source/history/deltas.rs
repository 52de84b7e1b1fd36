//! A version of a file put together from the deltas of its pack.
//!
//! A pack keeps a version as what it takes from another one, that one as what it takes from a third, and so on down to
//! one that is whole. Applying them one by one copies the whole file as many times as the chain is long. Here only
//! their instructions are put together, from the whole version upwards, and then each byte is copied once.

use std::collections::VecDeque;

use gix::odb::pack::Bundle;
use gix::odb::pack::data::Entry;
use gix::odb::pack::data::entry::Header;
use gix::zlib::Inflate;
use rustc_hash::FxHashMap;

use crate::source::delta::{self, Step};

/// Bytes that are kept of versions, since others rest on them too. Chains on larger ones are left to others.
const KEPT: usize = 48 << 20;
/// Chains of which anything is kept.
const CHAINS: usize = 64;
/// Deltas of a chain. Git makes no longer ones.
const LONGEST: usize = 4096;
/// Bytes of a version, of all deltas of a chain, and of what they bring.
const LARGEST: usize = 192 << 20;
/// Pieces that may be looked at on the way up: a chain can be made so that they double with each delta.
const MOST_PIECES: usize = 1 << 22;

/// What is kept of chains, the last used at the end.
#[derive(Debug, Default)]
pub(in crate::source) struct Bases {
    chains: VecDeque<Chain>,
}

/// A whole version, and what of those that rest on it is known.
#[derive(Debug)]
struct Chain {
    /// The number of its pack, and its place there.
    at: (usize, u64),
    whole: Vec<u8>,
    /// By place.
    made: FxHashMap<u64, Made>,
    /// Bytes that all of this takes.
    weight: usize,
}

impl Bases {
    /// The blob at a place of a pack, if it is a delta and not larger than `limit`. `None` where it has to be read in
    /// another way, for whatever reason. `number` stands for the pack.
    pub(super) fn blob(&mut self, bundle: &Bundle, number: usize, offset: u64, limit: u64) -> Option<Vec<u8>> {
        let mut unpacker = Unpacker { bundle, inflate: Inflate::default(), left: LARGEST };
        let (mut chain, mut at) = (Vec::new(), offset);
        let base = loop {
            let entry = bundle.pack.entry(at).ok()?;
            let below = match entry.header {
                Header::Blob => break entry,
                Header::OfsDelta { base_distance } => entry.checked_base_pack_offset(base_distance)?,
                Header::RefDelta { base_id } => bundle.index.pack_offset_at_index(bundle.index.lookup(base_id)?),
                Header::Commit | Header::Tree | Header::Tag => return None,
            };
            if chain.len() == LONGEST {
                return None;
            }
            chain.push((at, entry));
            at = below;
        };
        let (_, top) = chain.first()?;
        let top = unpacker.unpack(top)?;
        if delta::sizes(&top)?.0.result > limit || base.decompressed_size > KEPT as u64 {
            return None;
        }
        let known = self.chains.iter().rposition(|chain| chain.at == (number, at));
        let mut known = match known.and_then(|known| self.chains.remove(known)) {
            Some(chain) => chain,
            None => {
                let whole = unpacker.unpack(&base)?;
                Chain { at: (number, at), weight: whole.len(), made: FxHashMap::default(), whole }
            }
        };
        let bytes = known.bytes(&chain, top, &mut unpacker);
        self.chains.push_back(known);
        let mut held: usize = self.chains.iter().map(|chain| chain.weight).sum();
        while held > KEPT || self.chains.len() > CHAINS {
            held -= self.chains.pop_front().map_or(0, |chain| chain.weight);
        }
        bytes
    }
}

impl Chain {
    /// The version that the first of these entries stands for, which has been unpacked.
    fn bytes(&mut self, entries: &[(u64, Entry)], top: Vec<u8>, unpacker: &mut Unpacker<'_>) -> Option<Vec<u8>> {
        // Downwards to one that is known, and up again.
        let first = entries.iter().position(|(at, _)| self.made.contains_key(at)).unwrap_or(entries.len());
        let (mut looked_at, mut top) = (0, Some(top));
        for (number, (at, entry)) in entries[..first].iter().enumerate().rev() {
            let delta = if number == 0 { top.take()? } else { unpacker.unpack(entry)? };
            let below = entries.get(number + 1).and_then(|(below, _)| self.made.get(below));
            let made = match below {
                Some(below) => below.next(&delta, &mut looked_at)?,
                None => Made::whole(self.whole.len()).next(&delta, &mut looked_at)?,
            };
            self.weight += made.weight();
            if self.weight > KEPT {
                self.made.clear();
                self.weight = self.whole.len() + made.weight();
            }
            // Those below are asked for too, sooner or later.
            self.made.insert(*at, made);
        }
        self.made.get(&entries[0].0)?.bytes(&self.whole)
    }
}

/// Unpacks what stands in a pack, deltas as deltas.
struct Unpacker<'b> {
    bundle: &'b Bundle,
    inflate: Inflate,
    left: usize,
}

impl Unpacker<'_> {
    fn unpack(&mut self, entry: &Entry) -> Option<Vec<u8>> {
        let size = usize::try_from(entry.decompressed_size).ok()?;
        self.left = self.left.checked_sub(size)?;
        let mut bytes = vec![0; size];
        self.bundle.pack.decompress_entry(entry, &mut self.inflate, &mut bytes).ok()?;
        Some(bytes)
    }
}

/// A stretch of bytes.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
struct Piece {
    from: usize,
    len: usize,
    /// Whether it is new, or lies in what the version rests on.
    is_new: bool,
}

/// Pieces, each with where it ends in what they make.
#[derive(Clone, Debug, Default)]
struct Pieces(Vec<(usize, Piece)>);

impl Pieces {
    fn size(&self) -> usize {
        self.0.last().map_or(0, |&(end, _)| end)
    }

    fn push(&mut self, piece: Piece) {
        let end = self.size() + piece.len;
        match self.0.last_mut() {
            // Long stretches are written as several short ones.
            Some((last_end, last)) if last.is_new == piece.is_new && last.from + last.len == piece.from => {
                (*last_end, last.len) = (end, last.len + piece.len);
            }
            _ => self.0.push((end, piece)),
        }
    }
}

/// A version as pieces of a whole one, and of what was new on the way up from it.
#[derive(Debug)]
struct Made {
    new: Vec<u8>,
    pieces: Pieces,
}

impl Made {
    /// Of a whole version of so many bytes, the version itself.
    fn whole(len: usize) -> Self {
        let mut pieces = Pieces::default();
        pieces.push(Piece { from: 0, len, is_new: false });
        Self { new: Vec::new(), pieces }
    }

    /// Bytes that it takes.
    fn weight(&self) -> usize {
        self.new.capacity() + self.pieces.0.capacity() * size_of::<(usize, Piece)>()
    }

    /// The version that a delta makes of this one. `None` where they do not fit together.
    fn next(&self, delta: &[u8], looked_at: &mut usize) -> Option<Self> {
        let (sizes, steps) = delta::sizes(delta)?;
        let size = self.pieces.size();
        if sizes.base != size as u64 {
            return None;
        }
        let mut made = Self { new: Vec::new(), pieces: Pieces::default() };
        for step in delta::steps(steps) {
            match step? {
                Step::New(bytes) => made.bring(bytes),
                Step::Copy(from, len) => {
                    let (mut at, end) = (from, from.checked_add(len).filter(|&end| end <= size)?);
                    let first = self.pieces.0.partition_point(|&(end, _)| end <= at);
                    for &(piece_end, piece) in &self.pieces.0[first..] {
                        if at == end {
                            break;
                        }
                        *looked_at += 1;
                        let from = piece.from + at - (piece_end - piece.len);
                        let len = piece_end.min(end) - at;
                        match piece.is_new {
                            true => made.bring(self.new.get(from..from + len)?),
                            false => made.pieces.push(Piece { from, len, is_new: false }),
                        }
                        at += len;
                    }
                }
            }
            if made.pieces.size() as u64 > sizes.result || made.new.len() > LARGEST || *looked_at > MOST_PIECES {
                return None;
            }
        }
        (made.pieces.size() as u64 == sizes.result).then_some(made)
    }

    fn bring(&mut self, bytes: &[u8]) {
        let from = self.new.len();
        self.new.extend_from_slice(bytes);
        self.pieces.push(Piece { from, len: bytes.len(), is_new: true });
    }

    fn bytes(&self, whole: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.pieces.size());
        for (_, piece) in &self.pieces.0 {
            let from = if piece.is_new { &self.new } else { whole };
            bytes.extend_from_slice(from.get(piece.from..piece.from + piece.len)?);
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Something that a delta does: takes so many bytes of the base from a place on, or brings bytes of its own.
    #[derive(Clone, Debug)]
    enum Step {
        Copy(usize, usize),
        Bring(Vec<u8>),
    }

    fn written(mut number: usize, out: &mut Vec<u8>) {
        while number >= 0x80 {
            out.push(number as u8 | 0x80);
            number >>= 7;
        }
        out.push(number as u8);
    }

    /// The delta, and what it makes of the base when it is applied as it stands.
    fn delta(base: &[u8], steps: &[Step]) -> (Vec<u8>, Vec<u8>) {
        let (mut body, mut made) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Copy(from, len) if !base.is_empty() => {
                    let from = from % base.len();
                    let len = (len % (base.len() - from)).max(1);
                    body.push(0b1011_0011);
                    body.extend([from as u8, (from >> 8) as u8, len as u8, (len >> 8) as u8]);
                    made.extend_from_slice(&base[from..from + len]);
                }
                Step::Copy(..) => {}
                Step::Bring(bytes) => {
                    body.push(bytes.len() as u8);
                    body.extend_from_slice(bytes);
                    made.extend_from_slice(bytes);
                }
            }
        }
        let mut delta = Vec::new();
        written(base.len(), &mut delta);
        written(made.len(), &mut delta);
        delta.extend(body);
        (delta, made)
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let copy = (0_usize..4000, 1_usize..4000).prop_map(|(from, len)| Step::Copy(from, len));
        let bring = proptest::collection::vec(any::<u8>(), 1..127).prop_map(Step::Bring);
        proptest::collection::vec(prop_oneof![3 => copy, 1 => bring], 0..12)
    }

    /// What the deltas make, the first of the whole one and so on.
    fn made(whole: &[u8], deltas: &[Vec<u8>]) -> Option<Vec<u8>> {
        let (mut made, mut looked_at) = (Made::whole(whole.len()), 0);
        for delta in deltas {
            made = made.next(delta, &mut looked_at)?;
        }
        made.bytes(whole)
    }

    proptest! {
        #[test]
        fn a_chain_makes_what_its_deltas_make_one_by_one(
            whole in proptest::collection::vec(any::<u8>(), 0..3000),
            chain in proptest::collection::vec(steps(), 1..7),
        ) {
            let (mut deltas, mut expected) = (Vec::new(), whole.clone());
            for steps in &chain {
                // Versions must not outgrow the two bytes of a length.
                let (delta, next) = delta(&expected, steps);
                if next.len() > 60_000 {
                    break;
                }
                deltas.push(delta);
                expected = next;
            }
            prop_assert_eq!(made(&whole, &deltas), Some(expected));
        }

        #[test]
        fn damaged_chains_never_panic(
            whole in proptest::collection::vec(any::<u8>(), 0..300),
            chain in proptest::collection::vec(steps(), 1..4),
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let (mut deltas, mut last) = (Vec::new(), whole.clone());
            for steps in &chain {
                let (delta, next) = delta(&last, steps);
                deltas.push(delta);
                last = next;
            }
            for (delta, at, byte) in damage {
                let delta = &mut deltas[delta.index(chain.len())];
                let at = at.index(delta.len());
                delta[at] = byte;
            }
            if let Some(bytes) = made(&whole, &deltas) {
                let (sizes, _) = delta::sizes(&deltas[deltas.len() - 1]).expect("it was read");
                prop_assert_eq!(bytes.len() as u64, sizes.result);
            }
        }

        #[test]
        fn any_bytes_are_a_delta_or_are_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            made(&[7; 100], &[bytes]);
        }
    }

    #[test]
    fn pieces_that_double_with_each_delta_are_given_up() {
        let (mut len, mut deltas) = (2_usize, Vec::new());
        for _ in 0..21 {
            // Twice the base, each time with a byte between, so that nothing runs on.
            let mut delta = Vec::new();
            written(len, &mut delta);
            written(2 * len + 1, &mut delta);
            for part in 0..2 {
                delta.push(0b1111_0000);
                delta.extend([len as u8, (len >> 8) as u8, (len >> 16) as u8]);
                if part == 0 {
                    delta.extend(b"\x01x");
                }
            }
            deltas.push(delta);
            len = 2 * len + 1;
        }
        assert!(made(b"ab", &deltas[..10]).is_some());
        assert_eq!(made(b"ab", &deltas), None);
    }
}
