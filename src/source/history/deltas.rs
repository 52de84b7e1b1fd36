//! A version of a file put together from the deltas of its pack.
//!
//! A pack keeps a version as what it takes from another one, that one as what it takes from a third, and so on down to
//! one that is whole. Applying them one by one copies the whole file as many times as the chain is long. Here the
//! instructions are followed down through the chain first, and then each byte is copied once.

use std::collections::VecDeque;

use gix::odb::pack::Bundle;
use gix::odb::pack::data::entry::Header;
use gix::zlib::Inflate;

/// Bytes of whole versions that are kept, since other versions rest on them too.
const KEPT: usize = 32 << 20;
/// Deltas of a chain. Git makes no longer ones.
const LONGEST: usize = 4096;
/// Bytes of all deltas of a chain, and of the version that it rests on.
const LARGEST: usize = 256 << 20;
/// Pieces that may be looked at on the way down: a chain can be made so that they double with each delta.
const MOST_PIECES: usize = 1 << 22;

/// Whole versions that chains rest on, by pack and place, the last used at the end.
#[derive(Debug, Default)]
pub(in crate::source) struct Bases {
    kept: VecDeque<((usize, u64), Vec<u8>)>,
}

impl Bases {
    /// The blob at a place of a pack, if it is a delta and not larger than `limit`. `None` where it has to be read in
    /// another way, for whatever reason. `number` stands for the pack.
    pub(super) fn blob(&mut self, bundle: &Bundle, number: usize, offset: u64, limit: u64) -> Option<Vec<u8>> {
        let mut inflate = Inflate::default();
        let mut left = LARGEST;
        let mut unpack = |entry: &gix::odb::pack::data::Entry| {
            let size = usize::try_from(entry.decompressed_size).ok()?;
            left = left.checked_sub(size)?;
            let mut bytes = vec![0; size];
            bundle.pack.decompress_entry(entry, &mut inflate, &mut bytes).ok()?;
            Some(bytes)
        };
        let mut deltas = Vec::new();
        let mut at = offset;
        let base = loop {
            let entry = bundle.pack.entry(at).ok()?;
            at = match entry.header {
                Header::Blob => break entry,
                Header::OfsDelta { base_distance } => entry.checked_base_pack_offset(base_distance)?,
                Header::RefDelta { base_id } => bundle.index.pack_offset_at_index(bundle.index.lookup(base_id)?),
                Header::Commit | Header::Tree | Header::Tag => return None,
            };
            if deltas.len() == LONGEST {
                return None;
            }
            deltas.push(unpack(&entry)?);
        };
        let deltas: Vec<Delta<'_>> = deltas.iter().map(|delta| Delta::parse(delta)).collect::<Option<_>>()?;
        if deltas.first()?.size as u64 > limit {
            return None;
        }
        let found = self.kept.iter().position(|(place, _)| *place == (number, at));
        let whole = match found.and_then(|found| self.kept.remove(found)) {
            Some((_, whole)) => whole,
            None => unpack(&base)?,
        };
        let bytes = put_together(&deltas, &whole);
        self.kept.push_back(((number, at), whole));
        let mut held: usize = self.kept.iter().map(|(_, bytes)| bytes.len()).sum();
        while held > KEPT {
            held -= self.kept.pop_front().map_or(0, |(_, bytes)| bytes.len());
        }
        bytes
    }
}

/// A stretch of a version: so many bytes from `from` on, of what the delta itself holds or of what it rests on.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
struct Piece {
    from: usize,
    len: usize,
    /// The delta that holds its bytes; `None` where they lie further down.
    held_by: Option<u32>,
}

/// What one delta says.
#[derive(Debug)]
struct Delta<'d> {
    bytes: &'d [u8],
    /// Bytes of what it rests on.
    base_size: usize,
    /// Bytes of the version.
    size: usize,
    /// The stretches of the version, each with its end. Those that are held lie in `bytes`.
    parts: Vec<(usize, Piece)>,
}

impl<'d> Delta<'d> {
    /// `None` where it is damaged.
    fn parse(bytes: &'d [u8]) -> Option<Self> {
        let mut at = 0;
        let (base_size, size) = (number(bytes, &mut at)?, number(bytes, &mut at)?);
        let mut parts: Vec<(usize, Piece)> = Vec::new();
        let mut end = 0_usize;
        while let Some(&command) = bytes.get(at) {
            at += 1;
            let piece = if command & 0x80 == 0 {
                let len = usize::from(command);
                let piece = Piece { from: at, len, held_by: Some(0) };
                at += len;
                if len == 0 || at > bytes.len() {
                    return None;
                }
                piece
            } else {
                let mut field = |bits: std::ops::Range<u32>| {
                    let mut value = 0;
                    for (byte, bit) in bits.enumerate() {
                        if command & (1 << bit) != 0 {
                            value |= usize::from(*bytes.get(at)?) << (8 * byte);
                            at += 1;
                        }
                    }
                    Some(value)
                };
                let (from, len) = (field(0..4)?, field(4..7)?);
                let len = if len == 0 { 1 << 16 } else { len };
                if from.checked_add(len)? > base_size {
                    return None;
                }
                Piece { from, len, held_by: None }
            };
            end += piece.len;
            if end > size {
                return None;
            }
            // Long stretches are written as several short ones.
            match parts.last_mut() {
                Some((last_end, last)) if goes_on(last, &piece) => {
                    (*last_end, last.len) = (end, last.len + piece.len);
                }
                _ => parts.push((end, piece)),
            }
        }
        (end == size).then_some(Self { bytes, base_size, size, parts })
    }
}

/// A number of the head of a delta, seven bits a byte.
fn number(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0_usize;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        let part = usize::from(byte & 0x7f);
        if part.checked_shl(shift)? >> shift != part {
            return None;
        }
        value |= part << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Whether a piece lies right behind another.
fn goes_on(last: &Piece, next: &Piece) -> bool {
    last.held_by == next.held_by && last.from + last.len == next.from
}

/// The version that the first delta makes of what the second makes, and so on down to the whole one. `None` where they
/// do not fit together.
fn put_together(deltas: &[Delta<'_>], whole: &[u8]) -> Option<Vec<u8>> {
    let size = deltas.first()?.size;
    let mut pieces = vec![Piece { from: 0, len: size, held_by: None }];
    let (mut expected, mut looked_at) = (size, 0);
    for (number, delta) in (0..).zip(deltas) {
        if delta.size != expected {
            return None;
        }
        expected = delta.base_size;
        let mut below: Vec<Piece> = Vec::with_capacity(pieces.len() + delta.parts.len());
        let mut add = |piece: Piece| match below.last_mut() {
            Some(last) if goes_on(last, &piece) => last.len += piece.len,
            _ => below.push(piece),
        };
        for piece in pieces {
            looked_at += 1;
            if piece.held_by.is_some() {
                add(piece);
                continue;
            }
            let (mut at, end) = (piece.from, piece.from + piece.len);
            let first = delta.parts.partition_point(|&(end, _)| end <= at);
            for &(part_end, part) in &delta.parts[first..] {
                if at == end {
                    break;
                }
                looked_at += 1;
                let skipped = at - (part_end - part.len);
                let len = part_end.min(end) - at;
                add(Piece { from: part.from + skipped, len, held_by: part.held_by.map(|_| number) });
                at += len;
            }
            if at != end || looked_at > MOST_PIECES {
                return None;
            }
        }
        pieces = below;
    }
    if whole.len() != expected {
        return None;
    }
    let mut bytes = Vec::with_capacity(size);
    for piece in pieces {
        let from = piece.held_by.map_or(whole, |delta| deltas[delta as usize].bytes);
        bytes.extend_from_slice(from.get(piece.from..piece.from + piece.len)?);
    }
    Some(bytes)
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

    fn all(deltas: &[Vec<u8>]) -> Option<Vec<Delta<'_>>> {
        deltas.iter().map(|delta| Delta::parse(delta)).collect()
    }

    proptest! {
        #[test]
        fn a_chain_makes_what_its_deltas_make_one_by_one(
            whole in proptest::collection::vec(any::<u8>(), 0..3000),
            chain in proptest::collection::vec(steps(), 1..7),
        ) {
            let (mut deltas, mut made) = (Vec::new(), whole.clone());
            for steps in &chain {
                // Versions must not outgrow the two bytes of a length.
                let (delta, next) = delta(&made, steps);
                if next.len() > 60_000 {
                    break;
                }
                deltas.insert(0, delta);
                made = next;
            }
            prop_assume!(!deltas.is_empty());
            let parsed = all(&deltas).expect("they are well made");
            prop_assert_eq!(put_together(&parsed, &whole), Some(made));
        }

        #[test]
        fn damaged_chains_never_panic(
            whole in proptest::collection::vec(any::<u8>(), 0..300),
            chain in proptest::collection::vec(steps(), 1..4),
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let (mut deltas, mut made) = (Vec::new(), whole.clone());
            for steps in &chain {
                let (delta, next) = delta(&made, steps);
                deltas.insert(0, delta);
                made = next;
            }
            for (delta, at, byte) in damage {
                let delta = &mut deltas[delta.index(chain.len())];
                let at = at.index(delta.len());
                delta[at] = byte;
            }
            if let Some(parsed) = all(&deltas)
                && let Some(bytes) = put_together(&parsed, &whole)
            {
                prop_assert_eq!(bytes.len(), parsed[0].size);
            }
        }

        #[test]
        fn any_bytes_are_a_delta_or_are_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(delta) = Delta::parse(&bytes) {
                put_together(&[delta], &[7; 100]);
            }
        }
    }

    #[test]
    fn pieces_that_double_with_each_delta_are_given_up() {
        let (mut whole, mut deltas) = (b"ab".to_vec(), Vec::new());
        let base = whole.clone();
        for _ in 0..21 {
            // Twice the base, each time with a byte between, so that nothing runs on.
            let mut made = Vec::new();
            written(whole.len(), &mut made);
            written(2 * whole.len() + 1, &mut made);
            let len = whole.len();
            for part in 0..2 {
                made.push(0b1111_0000);
                made.extend([len as u8, (len >> 8) as u8, (len >> 16) as u8]);
                if part == 0 {
                    made.extend(b"\x01x");
                }
            }
            deltas.insert(0, made);
            whole = vec![0; 2 * len + 1];
        }
        let parsed = all(&deltas).expect("they are well made");
        assert_eq!(put_together(&parsed, &base), None);
    }
}
