//! Files that may be packed with gzip.

use super::DataError;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// The content of a file, unpacked as it is read, with errors that name the file.
pub(super) struct Content<'a> {
    file: &'a Path,
    gzip: bool,
    reader: Box<dyn Read + 'a>,
}

impl<'a> Content<'a> {
    pub(super) fn open(file: &'a Path) -> Result<Self, DataError> {
        match File::open(file) {
            Ok(raw) => Self::new(BufReader::new(raw), file),
            Err(source) => Err(DataError::Unreadable { file: file.into(), source }),
        }
    }

    /// What `raw` holds. Gzip is told by its first two bytes: names often lie after a download.
    pub(super) fn new(mut raw: impl Read + 'a, file: &'a Path) -> Result<Self, DataError> {
        let mut start = Vec::new();
        raw.by_ref()
            .take(2)
            .read_to_end(&mut start)
            .map_err(|source| DataError::Unreadable { file: file.into(), source })?;
        let gzip = start == [0x1f, 0x8b];
        let raw = io::Cursor::new(start).chain(raw);
        let reader: Box<dyn Read + 'a> =
            if gzip { Box::new(MultiGzDecoder::new(raw)) } else { Box::new(raw) };
        Ok(Content { file, gzip, reader })
    }

    pub(super) fn file(&self) -> &'a Path {
        self.file
    }

    /// The next `limit` bytes, or fewer at the end. Memory grows with what is there, not with `limit`, so a header
    /// that lies costs nothing.
    pub(super) fn next(&mut self, limit: u64) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        match self.reader.by_ref().take(limit).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(source) => Err(self.error(source)),
        }
    }

    fn error(&self, source: io::Error) -> DataError {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        let file = self.file.into();
        if self.gzip && matches!(source.kind(), InvalidData | InvalidInput | UnexpectedEof) {
            DataError::CorruptGzip { file, source }
        } else {
            DataError::Unreadable { file, source }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(bytes: &[u8], limit: u64) -> Result<Vec<u8>, DataError> {
        Content::new(bytes, Path::new("some.gz"))?.next(limit)
    }

    #[test]
    fn plain_and_packed_bytes_read_the_same() {
        for bytes in [&b""[..], b"x", b"\x1f", b"plain text"] {
            assert_eq!(unpack(bytes, 100).unwrap(), bytes);
            assert_eq!(unpack(&pack(bytes), 100).unwrap(), bytes);
        }
        assert_eq!(unpack(&pack(b"plain text"), 5).unwrap(), b"plain");
    }

    #[test]
    fn a_bomb_is_unpacked_no_further_than_asked() {
        let bomb = pack(&vec![0; 10_000_000]);
        assert!(bomb.len() < 20_000);
        assert_eq!(unpack(&bomb, 1000).unwrap().len(), 1000);
    }

    #[test]
    fn gzip_that_is_cut_or_damaged_anywhere_is_an_error() {
        let packed = pack(b"some text that is worth packing, worth packing, worth packing");
        for end in 2..packed.len() {
            let cut = unpack(&packed[..end], 1000);
            assert!(matches!(cut, Err(DataError::CorruptGzip { .. })), "cut at {end}: {cut:?}");
        }
        let mut damaged = packed.clone();
        let checksum = damaged.len() - 8;
        damaged[checksum] ^= 1;
        assert!(matches!(unpack(&damaged, 1000), Err(DataError::CorruptGzip { .. })));
    }
}
