//! SipHash-1-3 under a fixed key: the same on every platform and with every release of the standard library, so that
//! keys of records may be kept in a cache.

/// The hash of some bytes.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    const KEY: (u64, u64) = (0x666f_7265_7461_7374, 0x6520_7265_636f_7264);
    let mut v = [
        KEY.0 ^ 0x736f_6d65_7073_6575,
        KEY.1 ^ 0x646f_7261_6e64_6f6d,
        KEY.0 ^ 0x6c79_6765_6e65_7261,
        KEY.1 ^ 0x7465_6462_7974_6573,
    ];
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        v[3] ^= word;
        round(&mut v);
        v[0] ^= word;
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    last[7] = bytes.len() as u8;
    let last = u64::from_le_bytes(last);
    v[3] ^= last;
    round(&mut v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for _ in 0..3 {
        round(&mut v);
    }
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

/// One word mixed through: spreads sums and salts of hashes.
pub(crate) fn mix(word: u64) -> u64 {
    let mut word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[inline(always)]
fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_siphash_and_never_changes() {
        // Made with the crate siphasher, SipHasher13 with the same two keys; a change here would silently make every
        // cached key wrong.
        let known = [0x8791_373a_ddeb_3a98, 0x4b36_ded2_57f4_5703, 0x59a8_5a4c_3bf2_96a6, 0xf84f_f72f_4c32_fd7e];
        let found = [b"".as_slice(), b"a", b"foretaste", b"the quick brown fox jumps over the lazy dog"].map(hash);
        assert_eq!(found, known);
    }
}
