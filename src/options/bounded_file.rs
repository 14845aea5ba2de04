//! Reads files that options name, and refuses a file that is too large. An option may name an
//! endless file, such as a device.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Reads the file at `path`, which may have at most `most` bytes.
///
/// # Errors
/// The file cannot be read, or is too large.
pub(crate) fn bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("has more than {most} bytes")));
    }
    Ok(bytes)
}

/// Reads the file at `path`, which must be UTF-8 text of at most `most` bytes.
///
/// # Errors
/// The file cannot be read, is too large, or is not UTF-8.
pub(crate) fn text(path: &Path, most: u64) -> io::Result<String> {
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    String::from_utf8(bytes(path, most)?).map_err(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_large_or_endless_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("space");
        std::fs::write(file.path(), "12345").expect("space");
        assert_eq!(text(file.path(), 5).expect("small enough"), "12345");
        let refusal = text(file.path(), 4).unwrap_err().to_string();
        assert_eq!(refusal, "has more than 4 bytes");
        assert!(bytes(Path::new("/dev/zero"), 1 << 20).is_err());
        std::fs::write(file.path(), [0xff]).expect("space");
        assert!(text(file.path(), 5).is_err());
    }
}
