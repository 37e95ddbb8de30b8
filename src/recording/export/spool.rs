//! Records on disk under a temporary name, and how they become an archive.

use super::error::RecordingError;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The formats a stream can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Npz,
}

impl Format {
    pub(super) fn of(path: &Path) -> Result<Self, RecordingError> {
        let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
        match extension.as_deref().and_then(|extension| extension.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("npz") => Ok(Self::Npz),
            _ => Err(RecordingError::UnknownFormat { path: path.to_owned() }),
        }
    }
}

/// One array of an NPZ stream: which bytes of each record are its row.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) descr: &'static str,
    pub(super) bytes: Range<usize>,
    pub(super) columns: Option<usize>,
}

pub(super) const TIME: Field = Field { name: "time", descr: "<f8", bytes: 0..8, columns: None };

/// Bytes held on the way from a spool to its archive.
pub(super) const BUFFER: usize = 1 << 16;

/// How an array of `bytes` is stored: as it is, like `numpy.savez`. Deflating voltages takes long and saves little, and
/// readers without a deflate decoder are served too. From a little under 4 GiB (header included) sizes take 64 bits.
pub(super) fn entry_options(bytes: u64) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(bytes >= 4_000_000_000)
}

/// The records so far, under a temporary name.
#[derive(Debug)]
pub(super) struct Spool {
    pub(super) path: PathBuf,
    pub(super) format: Format,
    pub(super) file: BufWriter<File>,
    pub(super) records: u64,
}

impl Spool {
    pub(super) fn create(path: &Path) -> Result<Self, RecordingError> {
        let format = Format::of(path)?;
        let file = File::create(beside(path, ".part")).map_err(|source| RecordingError::io(path, source))?;
        Ok(Self { path: path.to_owned(), format, file: BufWriter::new(file), records: 0 })
    }

    pub(super) fn write_with(
        &mut self,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), RecordingError> {
        write(&mut self.file).map_err(|source| RecordingError::io(&self.path, source))
    }

    pub(super) fn finish(mut self, fields: &[Field]) -> Result<(), RecordingError> {
        let spool = beside(&self.path, ".part");
        let finished = self.file.flush().and_then(|()| self.file.get_ref().sync_all()).and_then(|()| {
            match self.format {
                Format::Csv => fs::rename(&spool, &self.path),
                Format::Npz => {
                    replace_with(&self.path, |file| compose_npz(file, &spool, self.records, fields))?;
                    fs::remove_file(&spool)
                }
            }
        });
        finished.map_err(|source| RecordingError::io(&self.path, source))
    }
}

/// Takes the records in `spool` apart into one array per field. The spool is read once per field, record by record, so
/// that memory does not grow with it.
fn compose_npz(
    file: BufWriter<File>,
    spool: &Path,
    records: u64,
    fields: &[Field],
) -> io::Result<BufWriter<File>> {
    let mut zip = ZipWriter::new(file);
    let mut record = vec![0; fields.iter().map(|field| field.bytes.end).max().unwrap_or(0)];
    let (expected, found) = (records * record.len() as u64, fs::metadata(spool)?.len());
    if found != expected {
        // A row was cut short by an error that the caller went past.
        return Err(io::Error::other(format!(
            "`{}` has {found} bytes instead of {expected}",
            spool.display()
        )));
    }
    for field in fields {
        let header = npy_header(field.descr, records, field.columns);
        let size = header.len() as u64 + records * field.bytes.len() as u64;
        zip.start_file(format!("{}.npy", field.name), entry_options(size))?;
        zip.write_all(&header)?;
        let mut entry = BufWriter::with_capacity(BUFFER, &mut zip);
        let mut spool = BufReader::with_capacity(BUFFER, File::open(spool)?);
        for _ in 0..records {
            spool.read_exact(&mut record)?;
            entry.write_all(&record[field.bytes.clone()])?;
        }
        entry.flush()?;
    }
    Ok(zip.finish()?)
}

/// The head of a C-ordered array in NumPy's format 1.0 (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>):
/// magic, version, length of the rest, a Python literal padded so that the data starts at a multiple of 64.
pub(super) fn npy_header(descr: &str, rows: u64, columns: Option<usize>) -> Vec<u8> {
    const PREAMBLE: usize = 10;
    let shape = match columns {
        Some(columns) => format!("({rows}, {columns})"),
        None => format!("({rows},)"),
    };
    let mut dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let length = (PREAMBLE + dict.len() + 1).next_multiple_of(64) - PREAMBLE;
    dict.extend(std::iter::repeat_n(' ', length - 1 - dict.len()));
    dict.push('\n');
    // The literal holds two integers: its length is 54 or 118, far from what 16 bits can tell.
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((length as u16).to_le_bytes());
    header.extend(dict.as_bytes());
    header
}

/// Writes a file under a temporary name and renames it to `path` when it is complete and on disk.
pub(super) fn replace_with(
    path: &Path,
    write: impl FnOnce(BufWriter<File>) -> io::Result<BufWriter<File>>,
) -> io::Result<()> {
    let temporary = beside(path, ".tmp");
    let replaced = File::create(&temporary)
        .and_then(|file| write(BufWriter::new(file)))
        .and_then(|file| file.into_inner().map_err(io::IntoInnerError::into_error))
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if replaced.is_err() {
        // The first error is the one to tell; the leftover is of no use to anyone.
        let _ = fs::remove_file(&temporary);
    }
    replaced
}

/// `path` with `suffix` after its whole name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
