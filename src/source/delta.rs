//! Deltas of packs: how one object is made of stretches of another and of bytes of its own (gitformat-pack(5)).

/// What a delta says of the two objects.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) struct Sizes {
    /// Bytes of the object it starts from.
    pub(super) base: u64,
    /// Bytes of the object it makes.
    pub(super) result: u64,
}

/// The sizes at the start of a delta, and its steps behind them.
pub(super) fn sizes(delta: &[u8]) -> Option<(Sizes, &[u8])> {
    let (base, rest) = size(delta)?;
    let (result, steps) = size(rest)?;
    Some((Sizes { base, result }, steps))
}

fn size(mut bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (mut size, mut shift) = (0_u64, 0);
    loop {
        let (&byte, rest) = bytes.split_first()?;
        size |= u64::from(byte & 0x7f).checked_shl(shift).filter(|_| shift < 63)?;
        (bytes, shift) = (rest, shift + 7);
        if byte & 0x80 == 0 {
            return Some((size, bytes));
        }
    }
}

/// What a step of a delta adds to the object that it makes.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Step<'d> {
    /// A stretch of the object it starts from: where it begins, and its length. That it lies there is not checked.
    Copy(usize, usize),
    /// Bytes of its own, at least one.
    New(&'d [u8]),
}

/// The steps of a delta, one after the other; `None` where they are damaged, and then for ever.
pub(super) fn steps(mut left: &[u8]) -> impl Iterator<Item = Option<Step<'_>>> {
    std::iter::from_fn(move || (!left.is_empty()).then(|| step(&mut left)))
}

fn step<'d>(left: &mut &'d [u8]) -> Option<Step<'d>> {
    let (&step, mut rest) = left.split_first()?;
    let found = if step & 0x80 != 0 {
        // Bits tell which bytes of offset and length are there.
        let mut field = |bits: std::ops::Range<u32>| {
            let mut value = 0;
            for (at, bit) in bits.enumerate() {
                if step & (1 << bit) != 0 {
                    let (&byte, behind) = rest.split_first()?;
                    value |= usize::from(byte) << (8 * at);
                    rest = behind;
                }
            }
            Some(value)
        };
        let (from, len) = (field(0..4)?, field(4..7)?);
        Step::Copy(from, if len == 0 { 0x1_0000 } else { len })
    } else {
        let (bytes, behind) = rest.split_at_checked(usize::from(step)).filter(|_| step != 0)?;
        rest = behind;
        Step::New(bytes)
    };
    *left = rest;
    Some(found)
}

/// Fills `result` by the steps of a delta of `base`. `None` where they do not fit, or fill less or more.
pub(super) fn apply(base: &[u8], mut result: &mut [u8], delta: &[u8]) -> Option<()> {
    for step in steps(delta) {
        let bytes = match step? {
            Step::Copy(from, len) => base.get(from..from.checked_add(len)?)?,
            Step::New(bytes) => bytes,
        };
        let (part, rest) = result.split_at_mut_checked(bytes.len())?;
        part.copy_from_slice(bytes);
        result = rest;
    }
    result.is_empty().then_some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn steps_copy_and_insert() {
        // Four bytes of the base from its second one, then two of its own.
        let delta = [6, 6, 0x91, 1, 4, 2, b'x', b'y'];
        let (sizes, steps) = sizes(&delta).expect("both sizes are there");
        assert_eq!(sizes, Sizes { base: 6, result: 6 });
        let mut result = [0; 6];
        assert_eq!(apply(b"abcdef", &mut result, steps), Some(()));
        assert_eq!(&result, b"bcdexy");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for steps in [&[2, b'a'][..], &[0], &[0x91, 9, 1], &[0x80], &[1, b'a'], &[3, b'a', b'b', b'c'], &[]] {
            assert_eq!(apply(b"ab", &mut [0; 2], steps).filter(|()| steps != [0x90, 2]), None, "{steps:?}");
        }
        assert_eq!(apply(b"ab", &mut [0; 2], &[0x90, 2]), Some(()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_delta_or_none(base in prop::collection::vec(any::<u8>(), 0..40), delta in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Some((sizes, steps)) = sizes(&delta) {
                let mut result = vec![0; sizes.result.min(1 << 17) as usize];
                let _ = apply(&base, &mut result, steps);
            }
        }
    }
}
