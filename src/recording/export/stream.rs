//! Recordings that are written while the network runs.

use super::error::RecordingError;
use super::spool::{Field, Format, Spool, TIME};
use conex_systems::Real;
use std::io::Write;
use std::path::Path;

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
