//! Hashes of records that are the same on every platform and in every release, so that keys of records may be kept in a
//! cache. Nobody is kept from making two texts meet: whoever can write a record can as well write another one.

use twox_hash::XxHash3_64;

/// The hash of some bytes: XXH3 with 64 bits, seed 0 (xxHash specification 0.2.0).
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// One word mixed through: spreads sums and salts of hashes.
pub(crate) fn mix(word: u64) -> u64 {
    let mut word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_xxh3_and_never_changes() {
        // A change here would silently make every cached key wrong. Made with `xxhsum -H3`.
        let texts: [&[u8]; 3] = [b"", b"a", b"the quick brown fox jumps over the lazy dog"];
        assert_eq!(texts.map(hash), [0x2d06_8005_38d3_94c2, 0xe6c6_32b6_1e96_4e1f, 0xe454_1a9c_acf5_45aa]);
    }
}
