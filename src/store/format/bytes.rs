//! Little-endian numbers, and the checksum of stored bytes. In this file, a frame is any stored
//! content with its checksum. A frame has the form `crc32 u32 | content`.

const CHECKSUM: usize = 4;

/// Starts a frame. Returns a buffer with four bytes, to which `write_checksum` later writes the
/// checksum.
pub(crate) fn checksummed_buffer() -> Vec<u8> {
    vec![0; CHECKSUM]
}

/// Completes a frame. Writes the checksum of the content to the first four bytes of the frame.
pub(crate) fn write_checksum(frame: &mut [u8]) {
    let checksum = crc32fast::hash(&frame[CHECKSUM..]);
    frame[..CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
}

/// Checks the checksum of a frame, and returns the frame's content.
///
/// # Errors
/// The checksum does not match the content.
pub(crate) fn verified_content(frame: &[u8]) -> Result<&[u8], &'static str> {
    match frame.split_first_chunk() {
        Some((checksum, content)) if u32::from_le_bytes(*checksum) == crc32fast::hash(content) => {
            Ok(content)
        }
        _ => Err("its checksum is wrong"),
    }
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let [a, b, c, d, ..] = bytes[at..] else {
        panic!("bytes for a number are missing")
    };
    u32::from_le_bytes([a, b, c, d])
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
