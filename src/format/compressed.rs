//! Takes compression off: gzip and zstd, told by their magic. One level only, with caps on size and ratio.

use std::io::Read;

use flate2::bufread::GzDecoder;

use crate::policy::Limits;

/// The ratio is judged from here on: small files of repeated rows compress far better than any honest large one.
const RATIO_FROM: u64 = 10 << 20;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// The decompressed bytes of a gzip or zstd file; `None` where it is neither.
///
/// # Errors
/// A short reason why the file is unread.
pub(crate) fn expand(bytes: &[u8], limits: &Limits) -> Option<Result<Vec<u8>, String>> {
    let expanded = if bytes.starts_with(GZIP) {
        gzip(bytes, limits)
    } else if is_zstd(bytes) {
        zstd(bytes, limits)
    } else {
        return None;
    };
    Some(expanded.and_then(|inner| match compressed_kind(&inner) {
        Some(kind) => Err(format!("{kind} inside a compressed file: only one level is opened")),
        None => Ok(inner),
    }))
}

/// The name of an archive or compression that no reader of ours opens.
pub(crate) fn archive_kind(bytes: &[u8]) -> Option<&'static str> {
    let magics: [(&[u8], &'static str); 10] = [
        (b"PK\x03\x04", "zip"),
        (b"PK\x05\x06", "zip"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"\xfd7zXZ\0", "xz"),
        (b"Rar!\x1a\x07", "rar"),
        (b"\x04\x22\x4d\x18", "lz4"),
        (b"\xff\x06\0\0sNaPpY", "snappy"),
        (b"LZIP\x01", "lzip"),
        (b"\x1f\x9d", "compress"),
        (b"MSCF\0\0\0\0", "cab"),
    ];
    if let Some((_, kind)) = magics.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(kind);
    }
    // "BZh" alone may begin a text.
    let block: &[u8] = b"1AY&SY";
    let end: &[u8] = b"\x17\x72\x45\x38\x50\x90";
    if bytes.starts_with(b"BZh") && bytes.get(4..10).is_some_and(|next| next == block || next == end) {
        return Some("bzip2");
    }
    (bytes.get(257..262) == Some(b"ustar")).then_some("tar")
}

/// The name of the compression or archive that bytes are.
pub(crate) fn compressed_kind(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(GZIP) {
        return Some("gzip");
    }
    if is_zstd(bytes) { Some("zstd") } else { archive_kind(bytes) }
}

/// A zstd file, which may begin with a frame to be skipped.
fn is_zstd(bytes: &[u8]) -> bool {
    if bytes.starts_with(ZSTD) {
        return true;
    }
    let Some((head, rest)) = bytes.split_first_chunk::<8>() else { return false };
    let [low, a, b, c, size @ ..] = *head;
    let skippable = (0x50..0x60).contains(&low) && [a, b, c] == [0x2a, 0x4d, 0x18];
    let size = usize::try_from(u32::from_le_bytes(size)).unwrap_or(usize::MAX);
    skippable && rest.get(size..).is_some_and(|next| next.starts_with(ZSTD))
}

/// All members, one behind the other, as `gzip -d` and Python read them. Zeros may fill up the end; anything else there
/// is read by some tools and refused by others, so it is refused with its reason.
fn gzip(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while rest.starts_with(GZIP) {
        let mut member = GzDecoder::new(rest);
        drain(&mut member, "gzip", bytes.len(), &mut out, limits)?;
        let left = member.into_inner();
        let end = left.iter().position(|&b| b != 0).unwrap_or(left.len());
        rest = &left[end..];
    }
    if rest.is_empty() { Ok(out) } else { Err("other bytes behind the end of the gzip stream".to_owned()) }
}

#[cfg(feature = "parquet")]
fn zstd(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    // The window is capped at 128 MiB by the library.
    let mut reader = zstd::stream::read::Decoder::with_buffer(bytes).map_err(|_| corrupt("zstd"))?;
    drain(&mut reader, "zstd", bytes.len(), &mut out, limits)?;
    Ok(out)
}

#[cfg(not(feature = "parquet"))]
fn zstd(_: &[u8], _: &Limits) -> Result<Vec<u8>, String> {
    Err("zstd support is not built in".to_owned())
}

/// Appends what `reader` gives, as long as it stays within the caps.
fn drain(
    reader: &mut dyn Read,
    kind: &str,
    compressed: usize,
    out: &mut Vec<u8>,
    limits: &Limits,
) -> Result<(), String> {
    let by_ratio = limits.ratio.saturating_mul(compressed as u64).max(RATIO_FROM);
    let cap = by_ratio.min(limits.blob);
    let left = cap.saturating_sub(out.len() as u64);
    // One byte more than is allowed tells a full house from one that is too full.
    reader.take(left.saturating_add(1)).read_to_end(out).map_err(|_| corrupt(kind))?;
    if out.len() as u64 <= cap {
        return Ok(());
    }
    Err(if cap == limits.blob {
        format!("larger than the limit of {} bytes when decompressed", limits.blob)
    } else {
        format!("decompresses to more than {} times its size", limits.ratio)
    })
}

fn corrupt(kind: &str) -> String {
    format!("damaged {kind} stream")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    /// The reason of a refusal. Never the bytes: nobody wants to read a bomb in a failed test.
    fn refused(bytes: &[u8], limits: &Limits) -> String {
        expand(bytes, limits).expect("is compressed").map(|out| format!("{} bytes", out.len())).unwrap_or_else(|e| e)
    }

    fn read(bytes: &[u8]) -> Option<Result<Vec<u8>, String>> {
        expand(bytes, &Limits::default())
    }

    #[test]
    fn what_is_not_compressed_is_left_alone() {
        assert_eq!(read(b"{\"text\": \"hi\"}\n"), None);
        assert_eq!(read(b""), None);
    }

    #[test]
    fn members_are_joined_and_padding_is_allowed() {
        let mut file = gz(b"one\n");
        file.extend(gz(b"two\n"));
        file.extend([0; 512]);
        assert_eq!(read(&file), Some(Ok(b"one\ntwo\n".to_vec())));
    }

    #[test]
    fn bytes_behind_the_stream_are_refused() {
        let mut file = gz(b"one\n");
        file.extend(b"{\"text\": \"hidden\"}");
        assert_eq!(refused(&file, &Limits::default()), "other bytes behind the end of the gzip stream");
    }

    #[test]
    fn a_cut_or_changed_stream_is_damaged() {
        let file = gz(b"some text that is long enough to be cut");
        assert_eq!(refused(&file[..file.len() - 3], &Limits::default()), "damaged gzip stream");
        let mut wrong_sum = file.clone();
        let at = file.len() - 6;
        wrong_sum[at] ^= 1;
        assert_eq!(refused(&wrong_sum, &Limits::default()), "damaged gzip stream");
    }

    #[test]
    fn one_level_only() {
        let reason = refused(&gz(&gz(b"inner")), &Limits::default());
        assert_eq!(reason, "gzip inside a compressed file: only one level is opened");
        let reason = refused(&gz(b"PK\x03\x04rest"), &Limits::default());
        assert_eq!(reason, "zip inside a compressed file: only one level is opened");
    }

    #[test]
    fn bombs_stop_at_the_caps() {
        let bomb = gz(&vec![0; 32 << 20]);
        let reason = refused(&bomb, &Limits::default());
        assert_eq!(reason, "decompresses to more than 200 times its size");
        let small = Limits { blob: 1000, ..Limits::default() };
        let reason = refused(&gz(&[b'x'; 1001]), &small);
        assert_eq!(reason, "larger than the limit of 1000 bytes when decompressed");
        assert_eq!(expand(&gz(&[b'x'; 1000]), &small), Some(Ok(vec![b'x'; 1000])));
        // Many small members count together.
        let many: Vec<u8> = (0..20).flat_map(|_| gz(&[b'x'; 100])).collect();
        assert!(expand(&many, &small).unwrap().is_err());
    }

    #[test]
    fn a_small_file_of_equal_rows_may_compress_as_it_likes() {
        assert!(read(&gz(&vec![b'\n'; 9 << 20])).unwrap().is_ok());
    }

    #[test]
    #[cfg(feature = "parquet")]
    fn zstd_frames_are_read_and_bombs_stop() {
        let mut file = zstd::encode_all(&b"one\n"[..], 3).unwrap();
        file.extend(zstd::encode_all(&b"two\n"[..], 3).unwrap());
        assert_eq!(read(&file), Some(Ok(b"one\ntwo\n".to_vec())));
        let mut skipped = vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        skipped.extend(&file);
        assert_eq!(read(&skipped), Some(Ok(b"one\ntwo\n".to_vec())));
        assert_eq!(refused(&file[..file.len() - 2], &Limits::default()), "damaged zstd stream");
        let bomb = zstd::encode_all(&vec![0; 32 << 20][..], 3).unwrap();
        assert_eq!(refused(&bomb, &Limits::default()), "decompresses to more than 200 times its size");
    }

    #[test]
    fn archives_are_named() {
        assert_eq!(archive_kind(b"BZh91AY&SY...."), Some("bzip2"));
        assert_eq!(archive_kind(b"BZh is how the label begins"), None);
        assert_eq!(archive_kind(b"\xfd7zXZ\0\0"), Some("xz"));
        assert_eq!(archive_kind(b"7z\xbc\xaf\x27\x1c\0"), Some("7z"));
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(archive_kind(&tar), Some("tar"));
        assert_eq!(archive_kind(b"text,label\n"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_behind_a_magic_end_in_an_answer(gzip in any::<bool>(), tail in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut file = if gzip { GZIP.to_vec() } else { ZSTD.to_vec() };
            file.extend(tail);
            let small = Limits { blob: 1 << 16, ..Limits::default() };
            let answered = expand(&file, &small).is_some();
            prop_assert!(answered);
        }

        #[test]
        fn what_was_packed_comes_out_again(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assume!(compressed_kind(&bytes).is_none());
            prop_assert_eq!(read(&gz(&bytes)), Some(Ok(bytes)));
        }
    }
}
