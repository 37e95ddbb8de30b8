//! Recorded numbers on their way to disk.
//!
//! A recording may be longer than memory, so [`RowWriter`] and [`EventWriter`] append to the disk as the simulation runs
//! and keep only a small buffer. The extension chooses the format: `.csv` for reading by eye, `.npz` for
//! `numpy.load`. [`save_npz`] writes arrays that are in memory already, such as weights.
//!
//! Nothing half written ever bears the final name: rows go to a spool beside it, which `finish` turns into the file.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use conex_systems::Real;
use ndarray::{ArrayView, ArrayViewD, Dimension};
use ndarray_npy::{WritableElement, WriteNpyExt};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// What can go wrong between a recording and its file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The file system refused.
    #[error("cannot write `{}`: {source}: choose another folder with --out", path.display())]
    Io {
        /// The file that was asked for.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// An extension that names no format.
    #[error("cannot tell the format of `{}`: end its name in .npz or .csv", path.display())]
    UnknownFormat {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// A row of the wrong width.
    #[error("`{}` has {expected} columns, but a row of {given} values came: append one value per column", path.display())]
    RowLength {
        /// The file being written.
        path: PathBuf,
        /// Columns of the file.
        expected: usize,
        /// Values of the row.
        given: usize,
    },
    /// A name that an array in an archive cannot have.
    #[error("`{}` cannot hold an array named `{name}`: {reason}", path.display())]
    ArrayName {
        /// The archive being written.
        path: PathBuf,
        /// The name.
        name: String,
        /// What is wrong with it, and what to do.
        reason: &'static str,
    },
    /// Two things that belong together differ in length.
    #[error("{what}: expected {expected}, given {given}: they must be equally many")]
    LengthMismatch {
        /// Which two things.
        what: String,
        /// Length of the first.
        expected: usize,
        /// Length of the second.
        given: usize,
    },
    /// A spike of a neuron that its population does not have.
    #[error(
        "population `{population}` has {neurons} neurons, but neuron {neuron} spiked: indices start at 0"
    )]
    NoSuchNeuron {
        /// The population.
        population: String,
        /// The neuron's index.
        neuron: u32,
        /// Neurons of the population.
        neurons: usize,
    },
    /// A number a plot cannot work with.
    #[error("{what} is {value}: it must be {requirement}")]
    Parameter {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        requirement: &'static str,
    },
    /// The drawing library refused.
    #[error("cannot draw `{}`: {message}", path.display())]
    Drawing {
        /// The picture that was asked for.
        path: PathBuf,
        /// What the library said.
        message: String,
    },
}

impl RecordingError {
    /// Blames the file system for what happened to `path`.
    pub(crate) fn io(path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Io { path: path.to_owned(), source: source.into() }
    }
}

/// Appends one row of numbers per sampled time: a state variable of a population, every n steps.
///
/// CSV: a header `time_ms,0,1,2,…`, then one line a row. NPZ: `time` (rows), f64, in ms, and `values`
/// (rows × columns), in the engine's precision. A row longer or shorter than the others is refused.
///
/// # If the program stops early
///
/// Rows go to a spool beside the file (`v.npz.part`), which [`finish`](Self::finish) turns into the file itself. A writer
/// that is dropped before that leaves the spool, and whatever bore the final name, as they are. The spool's whole rows
/// are still good: of a CSV it is the lines so far, of an NPZ a run of little-endian records
/// (`numpy.fromfile("v.npz.part", dtype=[("time", "<f8"), ("values", "<f4", (columns,))])`). The next writer of the same
/// name overwrites it.
///
/// # Examples
///
/// ```no_run
/// # use conex::recording::RowWriter;
/// let mut voltages = RowWriter::create("v.npz".as_ref(), 3)?;
/// voltages.append(0.5, &[-65.0, -64.2, -61.9])?;
/// voltages.finish()?;
/// # Ok::<(), conex::recording::RecordingError>(())
/// ```
#[must_use = "only `finish` gives the file its name"]
#[derive(Debug)]
pub struct RowWriter {
    spool: Spool,
    columns: usize,
}

impl RowWriter {
    /// Starts a file of `columns` values a row at `path`, which ends in `.csv` or `.npz`.
    ///
    /// # Errors
    ///
    /// [`RecordingError::UnknownFormat`] for another extension, [`RecordingError::Io`] if the spool cannot be made.
    pub fn create(path: &Path, columns: usize) -> Result<Self, RecordingError> {
        let mut spool = Spool::create(path)?;
        if spool.format == Format::Csv {
            spool.write_with(|file| {
                write!(file, "time_ms")?;
                (0..columns).try_for_each(|column| write!(file, ",{column}"))?;
                writeln!(file)
            })?;
        }
        Ok(Self { spool, columns })
    }

    /// Appends the `values` (one per column) sampled at `time` (ms).
    ///
    /// # Errors
    ///
    /// [`RecordingError::RowLength`] if `values` has another length than the file has columns,
    /// [`RecordingError::Io`] if the disk is full or gone.
    pub fn append(&mut self, time: f64, values: &[Real]) -> Result<(), RecordingError> {
        if values.len() != self.columns {
            let path = self.spool.path.clone();
            return Err(RecordingError::RowLength { path, expected: self.columns, given: values.len() });
        }
        let format = self.spool.format;
        self.spool.write_with(|file| match format {
            Format::Csv => {
                write!(file, "{time}")?;
                values.iter().try_for_each(|value| write!(file, ",{value}"))?;
                writeln!(file)
            }
            Format::Npz => {
                file.write_all(&time.to_le_bytes())?;
                values.iter().try_for_each(|value| file.write_all(&value.to_le_bytes()))
            }
        })?;
        self.spool.records += 1;
        Ok(())
    }

    /// Rows appended so far.
    pub fn rows(&self) -> u64 {
        self.spool.records
    }

    /// Completes the file and gives it its name. An older file of that name is replaced.
    ///
    /// # Errors
    ///
    /// [`RecordingError::Io`] if the file cannot be composed or renamed; the spool is then kept.
    pub fn finish(self) -> Result<(), RecordingError> {
        let width = size_of::<Real>();
        let descr = if width == 4 { "<f4" } else { "<f8" };
        self.spool.finish(&[
            TIME,
            Field { name: "values", descr, bytes: 8..8 + width * self.columns, columns: Some(self.columns) },
        ])
    }
}

/// Appends spikes, one (time, neuron) at a time.
///
/// CSV: a header `time_ms,neuron`, then one line a spike. NPZ: `time` (spikes), f64, in ms, and `neuron` (spikes), u32.
/// A spool holds them until [`finish`](Self::finish), as it does [rows](RowWriter); the records of an NPZ's are
/// `[("time", "<f8"), ("neuron", "<u4")]`.
#[must_use = "only `finish` gives the file its name"]
#[derive(Debug)]
pub struct EventWriter {
    spool: Spool,
}

impl EventWriter {
    /// Starts a file of spikes at `path`, which ends in `.csv` or `.npz`.
    ///
    /// # Errors
    ///
    /// [`RecordingError::UnknownFormat`] for another extension, [`RecordingError::Io`] if the spool cannot be made.
    pub fn create(path: &Path) -> Result<Self, RecordingError> {
        let mut spool = Spool::create(path)?;
        if spool.format == Format::Csv {
            spool.write_with(|file| writeln!(file, "time_ms,neuron"))?;
        }
        Ok(Self { spool })
    }

    /// Appends a spike of `neuron` (its index in the population) at `time` (ms).
    ///
    /// # Errors
    ///
    /// [`RecordingError::Io`] if the disk is full or gone.
    pub fn append(&mut self, time: f64, neuron: u32) -> Result<(), RecordingError> {
        let format = self.spool.format;
        self.spool.write_with(|file| match format {
            Format::Csv => writeln!(file, "{time},{neuron}"),
            Format::Npz => {
                file.write_all(&time.to_le_bytes())?;
                file.write_all(&neuron.to_le_bytes())
            }
        })?;
        self.spool.records += 1;
        Ok(())
    }

    /// Spikes appended so far.
    pub fn events(&self) -> u64 {
        self.spool.records
    }

    /// Completes the file and gives it its name. An older file of that name is replaced.
    ///
    /// # Errors
    ///
    /// [`RecordingError::Io`] if the file cannot be composed or renamed; the spool is then kept.
    pub fn finish(self) -> Result<(), RecordingError> {
        self.spool.finish(&[TIME, Field { name: "neuron", descr: "<u4", bytes: 8..12, columns: None }])
    }
}

/// An array for [`save_npz`], of any shape. Made with `view.into()`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NpzArray<'a> {
    /// Single precision.
    F32(ArrayViewD<'a, f32>),
    /// Double precision.
    F64(ArrayViewD<'a, f64>),
    /// Indices.
    U32(ArrayViewD<'a, u32>),
    /// Counts and labels.
    I64(ArrayViewD<'a, i64>),
}

macro_rules! npz_array_from {
    ($($number:ty => $variant:ident),*) => {$(
        impl<'a, D: Dimension> From<ArrayView<'a, $number, D>> for NpzArray<'a> {
            fn from(view: ArrayView<'a, $number, D>) -> Self {
                Self::$variant(view.into_dyn())
            }
        }
    )*};
}
npz_array_from!(f32 => F32, f64 => F64, u32 => U32, i64 => I64);

/// Writes named `arrays` to `path` as one archive for `numpy.load`.
///
/// # Errors
///
/// [`RecordingError::UnknownFormat`] unless `path` ends in `.npz`; [`RecordingError::ArrayName`] for a name that is
/// empty, taken or a path; [`RecordingError::Io`] if the file cannot be written. An older file of that name is replaced
/// only by a complete one.
///
/// # Examples
///
/// ```no_run
/// # use conex::recording::save_npz;
/// # let (weights, labels) = (ndarray::array![[0.5f32, 0.25]], ndarray::array![3i64, 7]);
/// save_npz("weights.npz".as_ref(), &[("weights", weights.view().into()), ("labels", labels.view().into())])?;
/// # Ok::<(), conex::recording::RecordingError>(())
/// ```
pub fn save_npz(path: &Path, arrays: &[(&str, NpzArray)]) -> Result<(), RecordingError> {
    if Format::of(path)? != Format::Npz {
        return Err(RecordingError::UnknownFormat { path: path.to_owned() });
    }
    let mut names = HashSet::new();
    for (name, _) in arrays {
        let reason = if name.is_empty() {
            "the name is empty, give it one"
        } else if name.contains(['/', '\\']) || name.chars().any(char::is_control) {
            "slashes and control characters are not allowed, use dots or underscores"
        } else if !names.insert(name) {
            "there is one of that name already, choose another"
        } else {
            continue;
        };
        return Err(RecordingError::ArrayName { path: path.to_owned(), name: (*name).to_owned(), reason });
    }
    replace_with(path, |file| {
        let mut zip = ZipWriter::new(file);
        for (name, array) in arrays {
            match array {
                NpzArray::F32(view) => add_array(&mut zip, name, view),
                NpzArray::F64(view) => add_array(&mut zip, name, view),
                NpzArray::U32(view) => add_array(&mut zip, name, view),
                NpzArray::I64(view) => add_array(&mut zip, name, view),
            }?;
        }
        Ok(zip.finish()?)
    })
    .map_err(|source| RecordingError::io(path, source))
}

fn add_array<T: WritableElement>(
    zip: &mut ZipWriter<BufWriter<File>>,
    name: &str,
    view: &ArrayViewD<T>,
) -> io::Result<()> {
    zip.start_file(format!("{name}.npy"), entry_options((view.len() * size_of::<T>()) as u64))?;
    let mut entry = BufWriter::with_capacity(BUFFER, zip);
    view.write_npy(&mut entry).map_err(io::Error::other)?;
    entry.flush()
}

/// The formats a stream can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Npz,
}

impl Format {
    fn of(path: &Path) -> Result<Self, RecordingError> {
        let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
        match extension.as_deref().and_then(|extension| extension.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("npz") => Ok(Self::Npz),
            _ => Err(RecordingError::UnknownFormat { path: path.to_owned() }),
        }
    }
}

/// One array of an NPZ stream: which bytes of each record are its row.
struct Field {
    name: &'static str,
    descr: &'static str,
    bytes: Range<usize>,
    columns: Option<usize>,
}

const TIME: Field = Field { name: "time", descr: "<f8", bytes: 0..8, columns: None };

/// Bytes held on the way from a spool to its archive.
const BUFFER: usize = 1 << 16;

/// How an array of `bytes` is stored: as it is, like `numpy.savez`. Deflating voltages takes long and saves little, and
/// readers without a deflate decoder are served too. From a little under 4 GiB (header included) sizes take 64 bits.
fn entry_options(bytes: u64) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(bytes >= 4_000_000_000)
}

/// The records so far, under a temporary name.
#[derive(Debug)]
struct Spool {
    path: PathBuf,
    format: Format,
    file: BufWriter<File>,
    records: u64,
}

impl Spool {
    fn create(path: &Path) -> Result<Self, RecordingError> {
        let format = Format::of(path)?;
        let file = File::create(beside(path, ".part")).map_err(|source| RecordingError::io(path, source))?;
        Ok(Self { path: path.to_owned(), format, file: BufWriter::new(file), records: 0 })
    }

    fn write_with(
        &mut self,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), RecordingError> {
        write(&mut self.file).map_err(|source| RecordingError::io(&self.path, source))
    }

    fn finish(mut self, fields: &[Field]) -> Result<(), RecordingError> {
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
fn npy_header(descr: &str, rows: u64, columns: Option<usize>) -> Vec<u8> {
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
fn replace_with(
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

#[cfg(test)]
mod tests {
    use ndarray::{Array, Array1, Array2, array};
    use ndarray_npy::NpzReader;
    use tempfile::tempdir;

    use super::*;

    fn write_rows(path: &Path, rows: usize) {
        let mut writer = RowWriter::create(path, 3).unwrap();
        for row in 0..rows {
            let value = row as Real;
            writer.append(row as f64 * 0.5, &[value, -value, value / 3.0]).unwrap();
        }
        assert_eq!(writer.rows(), rows as u64);
        writer.finish().unwrap();
    }

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn streamed_rows_read_back_as_two_arrays() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("v.npz");
        write_rows(&path, 10_000);
        let mut npz = NpzReader::new(File::open(&path).unwrap()).unwrap();
        let time: Array1<f64> = npz.by_name("time").unwrap();
        let values: Array2<Real> = npz.by_name("values").unwrap();
        assert_eq!(time, Array::from_iter((0..10_000).map(|row| row as f64 * 0.5)));
        assert_eq!(values.dim(), (10_000, 3));
        assert_eq!(values.row(9_999), array![9_999.0, -9_999.0, 9_999.0 as Real / 3.0]);
        assert_eq!(names_in(folder.path()), ["v.npz"]);
    }

    #[test]
    fn streamed_spikes_read_back_as_two_arrays() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("spikes.npz");
        let mut writer = EventWriter::create(&path).unwrap();
        for (time, neuron) in [(0.5, 7), (0.5, u32::MAX), (1.25, 0)] {
            writer.append(time, neuron).unwrap();
        }
        assert_eq!(writer.events(), 3);
        writer.finish().unwrap();
        let mut npz = NpzReader::new(File::open(&path).unwrap()).unwrap();
        assert_eq!(
            npz.by_name::<ndarray::OwnedRepr<f64>, ndarray::Ix1>("time").unwrap(),
            array![0.5, 0.5, 1.25]
        );
        assert_eq!(
            npz.by_name::<ndarray::OwnedRepr<u32>, ndarray::Ix1>("neuron").unwrap(),
            array![7, u32::MAX, 0]
        );
    }

    #[test]
    fn nothing_recorded_is_a_valid_empty_file() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("v.npz");
        write_rows(&path, 0);
        let mut npz = NpzReader::new(File::open(&path).unwrap()).unwrap();
        let values: Array2<Real> = npz.by_name("values").unwrap();
        assert_eq!(values.dim(), (0, 3));
    }

    #[test]
    fn csv_lines_read_like_the_rows_that_were_appended() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("v.csv");
        let mut writer = RowWriter::create(&path, 2).unwrap();
        writer.append(0.1, &[-65.0, 0.25]).unwrap();
        writer.append(0.2, &[Real::NAN, 1e-9]).unwrap();
        writer.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "time_ms,0,1\n0.1,-65,0.25\n0.2,NaN,0.000000001\n");

        let path = folder.path().join("spikes.CSV");
        let mut writer = EventWriter::create(&path).unwrap();
        writer.append(12.5, 3).unwrap();
        writer.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "time_ms,neuron\n12.5,3\n");
        assert_eq!(names_in(folder.path()), ["spikes.CSV", "v.csv"]);
    }

    #[test]
    fn a_writer_dropped_early_keeps_its_spool_and_the_older_file() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("spikes.npz");
        fs::write(&path, "older").unwrap();
        let mut writer = EventWriter::create(&path).unwrap();
        writer.append(2.0, 1).unwrap();
        drop(writer);
        assert_eq!(fs::read_to_string(&path).unwrap(), "older");
        assert_eq!(
            fs::read(folder.path().join("spikes.npz.part")).unwrap(),
            [&2f64.to_le_bytes()[..], &[1, 0, 0, 0]].concat()
        );
    }

    #[test]
    fn a_row_of_another_width_is_refused_and_not_written() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("v.csv");
        let mut writer = RowWriter::create(&path, 2).unwrap();
        let error = writer.append(0.0, &[1.0]).unwrap_err();
        assert!(error.to_string().contains("2 columns") && error.to_string().contains("1 values"), "{error}");
        writer.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "time_ms,0,1\n");
    }

    #[test]
    fn an_unknown_extension_names_the_two_formats() {
        let error = EventWriter::create(Path::new("spikes.parquet")).unwrap_err();
        assert!(matches!(error, RecordingError::UnknownFormat { .. }));
        assert_eq!(
            error.to_string(),
            "cannot tell the format of `spikes.parquet`: end its name in .npz or .csv"
        );
        assert!(matches!(save_npz(Path::new("w.csv"), &[]), Err(RecordingError::UnknownFormat { .. })));
    }

    #[test]
    fn a_missing_folder_is_an_error_that_says_what_to_do() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("nowhere").join("v.npz");
        let error = RowWriter::create(&path, 1).unwrap_err();
        assert!(error.to_string().starts_with("cannot write `"), "{error}");
        assert!(error.to_string().ends_with("choose another folder with --out"), "{error}");
    }

    #[test]
    fn headers_start_the_data_at_a_multiple_of_64() {
        for rows in [0, 1, 999_999_999, u64::MAX] {
            for columns in [None, Some(0), Some(usize::MAX)] {
                let header = npy_header("<f4", rows, columns);
                assert_eq!(header.len() % 64, 0);
                assert_eq!(usize::from(u16::from_le_bytes([header[8], header[9]])), header.len() - 10);
                assert_eq!(header.last(), Some(&b'\n'));
            }
        }
    }

    #[test]
    fn saved_arrays_keep_their_type_and_shape() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("w.npz");
        let weights = Array::from_shape_fn((2, 3, 4), |(i, j, k)| (i * 12 + j * 4 + k) as f32);
        let (rates, sources, labels) = (array![1.5f64], array![[7u32, 8]], array![-3i64, 4]);
        save_npz(
            &path,
            &[
                ("weights", weights.t().into()),
                ("rates", rates.view().into()),
                ("sources", sources.view().into()),
                ("labels", labels.view().into()),
            ],
        )
        .unwrap();
        let mut npz = NpzReader::new(File::open(&path).unwrap()).unwrap();
        assert_eq!(npz.by_name::<ndarray::OwnedRepr<f32>, ndarray::Ix3>("weights").unwrap(), weights.t());
        assert_eq!(npz.by_name::<ndarray::OwnedRepr<f64>, ndarray::Ix1>("rates").unwrap(), rates);
        assert_eq!(npz.by_name::<ndarray::OwnedRepr<u32>, ndarray::Ix2>("sources").unwrap(), sources);
        assert_eq!(npz.by_name::<ndarray::OwnedRepr<i64>, ndarray::Ix1>("labels").unwrap(), labels);
    }

    #[test]
    fn array_names_must_be_present_plain_and_distinct() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("w.npz");
        let one = array![1.0f64];
        for names in [vec![""], vec!["a/b"], vec!["a", "a"]] {
            let arrays: Vec<_> = names.iter().map(|name| (*name, NpzArray::from(one.view()))).collect();
            assert!(matches!(save_npz(&path, &arrays), Err(RecordingError::ArrayName { .. })), "{names:?}");
        }
        assert!(names_in(folder.path()).is_empty());
    }
}
